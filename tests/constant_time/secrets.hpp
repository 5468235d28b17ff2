#pragma once
// What is secret while memcheck watches: secret bytes are marked as undefined, so that every branch and every address
// that depends on one is reported. Nothing becomes public but by name, here.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <valgrind/memcheck.h>

#include <lockstep/bytes.hpp>

namespace lockstep::testing {

/// Everything that depends on secrets and is public all the same. docs/constant-time.md has the same list.
enum class Public : std::uint8_t {
  key_share,
  ciphertext,
  tag_verdict,
  comparison_verdict,
  binder,
  padding_and_type,
  record_length,
  handshake_content,
  ticket_frame,
  signed_content,
  public_key,
  signature,
  encrypted_secret,
  leading_zeros,
};

struct Declassified {
  Public what;
  std::string_view name;
  std::string_view reason;
};

inline constexpr std::array kDeclassified{
    Declassified{Public::key_share, "key_share", "key shares are made from private keys and go out on the wire"},
    Declassified{Public::ciphertext, "ciphertext",
                 "sealed records and tickets with their tags, IVs and seeds go out on the wire"},
    Declassified{Public::tag_verdict, "tag_verdict",
                 "whether a record or ticket opens: the alert, or the full handshake, says so"},
    Declassified{
        Public::comparison_verdict, "comparison_verdict",
        "whether Finished, a PSK binder, a cookie or a record in CBC mode is right, or a shared secret all zeros: the "
        "alert says so; whether a private key is zero or not that of the public key beside it: loading it says so"},
    Declassified{Public::binder, "binder", "PSK binders stand in ClientHello in the open"},
    Declassified{Public::padding_and_type, "padding_and_type",
                 "the receiver looks for the end of the padding and acts on the type behind it (RFC 9846 5.4)"},
    Declassified{Public::record_length, "record_length",
                 "how much of a record in CBC mode is content, once it is known to be the peer's: the receiver acts on "
                 "it"},
    Declassified{Public::handshake_content, "handshake_content",
                 "handshake messages and alerts are there to be acted on, Finished and tickets included"},
    Declassified{Public::ticket_frame, "ticket_frame",
                 "lengths, times, names and certificate of a session out of a ticket; its PSK stays secret"},
    Declassified{Public::signed_content, "signed_content",
                 "what CertificateVerify signs is a hash of the messages; it goes to the provider's library"},
    Declassified{Public::public_key, "public_key", "public keys are made from private keys and stand in certificates"},
    Declassified{Public::signature, "signature",
                 "signatures, and the length of those in DER, go out in CertificateVerify"},
    Declassified{Public::encrypted_secret, "encrypted_secret",
                 "the premaster secret of RSA key exchange goes out encrypted to the server's key"},
    Declassified{
        Public::leading_zeros, "leading_zeros",
        "TLS 1.2 strips the zeros that a DHE secret begins with (RFC 5246 8.1.2), up to a byte that is none; no "
        "key makes a second secret"},
};

/// How many bytes were declassified, by `Public`.
inline std::array<std::size_t, kDeclassified.size()> declassified_bytes{};
/// What is not declassified in this run, so that it must be reported: for the tests of the check itself.
inline std::string_view withheld;
/// An RSA key is at work, whose private part is not marked (docs/constant-time.md).
inline bool uses_unmarked_key = false;

inline void hide(Bytes bytes) { static_cast<void>(VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size())); }
/// For a test that is done with the engine and looks at what came out.
inline void reveal(Bytes bytes) { static_cast<void>(VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size())); }

[[nodiscard]] inline bool is_secret(const std::uint8_t& byte) {
  std::uint8_t undefined = 0;
  static_cast<void>(VALGRIND_GET_VBITS(&byte, &undefined, 1));
  reveal({&undefined, 1});
  return undefined != 0;
}
[[nodiscard]] inline bool all_secret(Bytes bytes) {
  return std::ranges::all_of(bytes, [](const std::uint8_t& byte) { return is_secret(byte); });
}
/// A copy that anybody may look at; the bytes themselves stay secret.
[[nodiscard]] inline std::uint8_t peek(const std::uint8_t& byte) {
  volatile std::uint8_t copy = byte;
  static_cast<void>(VALGRIND_MAKE_MEM_DEFINED(const_cast<std::uint8_t*>(&copy), 1));
  return copy;
}

inline void declassify(Public what, Bytes bytes) {
  const auto at = static_cast<std::size_t>(what);
  if (kDeclassified[at].name == withheld) return;
  declassified_bytes[at] += bytes.size();
  reveal(bytes);
}

}  // namespace lockstep::testing
