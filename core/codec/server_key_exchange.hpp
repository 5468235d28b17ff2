#pragma once
// ServerKeyExchange of TLS 1.2 (RFC 5246 7.4.3), with elliptic curves (RFC 8422 5.4) and with pre-shared keys (RFC
// 4279, RFC 5489). Which form a message has follows from the cipher suite and stands nowhere in it, so the message is
// kept as it came until somebody who knows the suite asks for its contents.

#include <optional>

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

#include "codec/handshake_message.hpp"

namespace lockstep::codec {

/// A view of the body, undecoded.
struct ServerKeyExchange {
  static constexpr HandshakeType type = HandshakeType::server_key_exchange;
  static constexpr Place place = Place::server_key_exchange;
  static constexpr std::size_t max_size = kMaxServerKeyExchange;
  /// Takes any body: decode_signed_ecdhe() and its neighbours look into it.
  [[nodiscard]] static Decoded<ServerKeyExchange> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  Bytes body;
};

/// ServerECDHParams (RFC 8422 5.4): a curve by its name, and a public key of it.
struct ServerEcdhParams {
  NamedGroup group{};
  Bytes point;  ///< 1 to 255 bytes
  Bytes raw;    ///< all of it as sent, which is what gets signed

  static ServerEcdhParams read(Reader& reader) noexcept;
};

/// ServerDHParams (RFC 5246 7.4.3). None of the numbers is empty; what they are worth is not looked at.
struct ServerDhParams {
  Bytes dh_p;
  Bytes dh_g;
  Bytes dh_Ys;
  Bytes raw;  ///< all of it as sent, which is what gets signed

  static ServerDhParams read(Reader& reader) noexcept;
};

/// DigitallySigned (RFC 5246 4.7): the algorithm is a SignatureAndHashAlgorithm there, of which TLS 1.3 made a scheme
/// of the same two bytes.
struct DigitallySigned {
  SignatureScheme algorithm{};
  Bytes signature;

  static DigitallySigned read(Reader& reader) noexcept;
};

// --- the forms of the message: views into the body ---

/// ECDHE_ECDSA and ECDHE_RSA (RFC 8422 5.4).
struct SignedEcdhe {
  ServerEcdhParams params;
  DigitallySigned signature;
};
/// DHE_RSA (RFC 5246 7.4.3).
struct SignedDhe {
  ServerDhParams params;
  DigitallySigned signature;
};
/// DHE_PSK (RFC 4279 3).
struct PskDhe {
  Bytes psk_identity_hint;  ///< may be empty
  ServerDhParams params;
};
/// ECDHE_PSK (RFC 5489 2).
struct PskEcdhe {
  Bytes psk_identity_hint;  ///< may be empty
  ServerEcdhParams params;
};

// All refuse what follows the last field. A curve that is described and not named fails with curve_not_named.
[[nodiscard]] Decoded<SignedEcdhe> decode_signed_ecdhe(Bytes body) noexcept;
[[nodiscard]] Decoded<SignedDhe> decode_signed_dhe(Bytes body) noexcept;
/// PSK and RSA_PSK (RFC 4279 2, 4): the psk_identity_hint, and nothing else.
[[nodiscard]] Decoded<Bytes> decode_psk_hint(Bytes body) noexcept;
[[nodiscard]] Decoded<PskDhe> decode_psk_dhe(Bytes body) noexcept;
[[nodiscard]] Decoded<PskEcdhe> decode_psk_ecdhe(Bytes body) noexcept;

/// Writes ServerECDHParams, without a header: the parameters are signed before the message can be written.
void write_ecdh_params(Writer& writer, NamedGroup group, Bytes point) noexcept;
/// Writes ServerDHParams, without a header.
void write_dh_params(Writer& writer, Bytes p, Bytes g, Bytes ys) noexcept;

/// Writes a whole message of those parts that the suite has; an empty view when it did not fit. `params` is what
/// write_ecdh_params or write_dh_params wrote; empty: none.
[[nodiscard]] Bytes encode_server_key_exchange(Writer& writer, const std::optional<Bytes>& psk_identity_hint,
                                               Bytes params, const std::optional<DigitallySigned>& signature) noexcept;

}  // namespace lockstep::codec
