#pragma once
// What a server is asked by those who want to know what a ciphertext holds: the encryption blocks of RSA key exchange
// (Bleichenbacher, 1998; ROBOT, 2017) and the records in CBC mode (Vaudenay, 2002; Lucky Thirteen, 2013), in every
// shape by whose treatment an implementation ever gave itself away. All but the first of each are wrong in one way.

#include <array>
#include <cstddef>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string_view>

#include <botan/auto_rng.h>
#include <botan/pubkey.h>
#include <botan/x509_key.h>

#include "hostile/old_duel.hpp"
#include "key_schedule/tls12.hpp"
#include "record/protection.hpp"

namespace lockstep::testing {

// --- RSA -------------------------------------------------------------------------------------------------------------

/// The block is 0, 2, at least eight bytes that are not 0, a 0, and the premaster secret of 48 bytes, which begins with
/// the version that the client has offered (RFC 8017 7.2.1, RFC 5246 7.4.7.1).
struct RsaShape {
  std::string_view name;
  void (*change_secret)(Octets& secret);
  void (*change_block)(Octets& block);
};

inline constexpr std::array kRsaShapes{
    RsaShape{"well formed", [](Octets&) {}, [](Octets&) {}},
    RsaShape{"begins with 1", [](Octets&) {}, [](Octets& block) { block[0] = 1; }},
    RsaShape{"of type 1", [](Octets&) {}, [](Octets& block) { block[1] = 1; }},
    RsaShape{"no 0 behind the padding", [](Octets&) {},
             [](Octets& block) { std::ranges::replace(block.begin() + 2, block.end(), 0, 1); }},
    RsaShape{"0 within the first 8 bytes of padding", [](Octets&) {}, [](Octets& block) { block[5] = 0; }},
    RsaShape{"secret of 47 bytes", [](Octets& secret) { secret.pop_back(); }, [](Octets&) {}},
    RsaShape{"secret of 49 bytes", [](Octets& secret) { secret.push_back(7); }, [](Octets&) {}},
    RsaShape{"no secret", [](Octets& secret) { secret.clear(); }, [](Octets&) {}},
    RsaShape{"another version", [](Octets& secret) { secret[1] = 2; }, [](Octets&) {}},
};

/// The secret in a block of that shape, encrypted to the key.
inline Octets encrypted_in_shape(const RsaShape& shape, Bytes secret, Bytes subject_public_key_info) {
  Octets changed(secret.begin(), secret.end());
  shape.change_secret(changed);
  const auto key = Botan::X509::load_key({subject_public_key_info.data(), subject_public_key_info.size()});
  Octets block(key->key_length() / 8, 0x5a);
  block[0] = 0;
  block[1] = 2;
  block[block.size() - changed.size() - 1] = 0;
  std::ranges::copy(changed, block.end() - static_cast<std::ptrdiff_t>(changed.size()));
  shape.change_block(block);
  Botan::AutoSeeded_RNG random;
  const Botan::PK_Encryptor_EME raw(*key, random, "Raw");
  return raw.encrypt(block.data(), block.size(), random);
}

// --- CBC -------------------------------------------------------------------------------------------------------------

/// One direction of a connection, as its peer has it.
struct CbcSide {
  const CbcCipher* cipher = nullptr;
  const RecordMac* mac = nullptr;
  Octets key;
  Octets mac_key;
  bool encrypt_then_mac = false;

  /// How much of the text that is encrypted is not content or padding.
  [[nodiscard]] std::size_t inner_mac_size() const { return encrypt_then_mac ? 0 : mac->size; }
};

struct CbcShape {
  std::string_view name;
  std::size_t padding;  ///< the byte that says how many others there are included
  bool mac_is_right;
  void (*change_text)(Octets& text);
};

/// A MAC that is wrong behind a padding that is right, and the other way round; their sizes are those at which the
/// length of what is authenticated differs by most and by least.
inline constexpr std::array kCbcShapes{
    CbcShape{"right", 16, true, [](Octets&) {}},
    CbcShape{"wrong MAC, padding of 1", 1, false, [](Octets&) {}},
    CbcShape{"wrong MAC, padding of 2", 2, false, [](Octets&) {}},
    CbcShape{"wrong MAC, padding of 16", 16, false, [](Octets&) {}},
    CbcShape{"wrong MAC, padding of 256", 256, false, [](Octets&) {}},
    CbcShape{"any bytes as padding (POODLE)", 16, true,
             [](Octets& text) { std::iota(text.end() - 16, text.end() - 1, std::uint8_t{0xa0}); }},
    CbcShape{"first byte of 16 wrong", 16, true, [](Octets& text) { *(text.end() - 16) ^= 0x10; }},
    CbcShape{"first byte of 256 wrong", 256, true, [](Octets& text) { *(text.end() - 256) ^= 0x10; }},
    CbcShape{"padding of 256 that is not there", 16, true, [](Octets& text) { text.back() = 255; }},
    CbcShape{"nothing but padding (CVE-2016-2107)", 16, false,
             [](Octets& text) {
               std::ranges::fill(text, static_cast<std::uint8_t>(std::min<std::size_t>(text.size() - 1, 255)));
             }},
    CbcShape{"noise", 16, false,
             [](Octets& text) {
               for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<std::uint8_t>(37 * i + 11);
             }},
};

/// A record of application data whose encrypted text has this size, a multiple of the block's; nothing where the shape
/// has no room in it.
inline std::optional<Octets> cbc_record(const CbcSide& side, const CbcShape& shape, std::uint64_t sequence,
                                        std::size_t text_size) {
  const std::size_t around = side.inner_mac_size() + shape.padding;
  if (text_size < around) return std::nullopt;
  const auto mac_of = [&](std::size_t length, Bytes what) {
    Octets header(record::kSequenceSize);
    record::write_sequence(sequence, MutableBytes(header).first<record::kSequenceSize>());
    put(header, 0x170303, 3);
    put(header, length, 2);
    const std::array<Bytes, 2> segments{header, what};
    Octets mac(side.mac->size);
    if (!side.mac->mac(side.mac_key, segments, mac)) throw std::runtime_error("no MAC");
    if (!shape.mac_is_right) mac.front() ^= 1U;
    return mac;
  };
  Octets text(text_size - around, 'c');
  if (!side.encrypt_then_mac) append(text, mac_of(text.size(), text));
  text.resize(text_size, static_cast<std::uint8_t>(shape.padding - 1));
  shape.change_text(text);

  Octets fragment(kCbcBlockSize, 0x49);
  alignas(16) std::array<std::byte, kMaxCbcContextSize> context;
  if (!side.cipher->init(context.data(), side.key)) throw std::runtime_error("no cipher");
  const bool encrypted = side.cipher->encrypt(context.data(), fragment, text);
  side.cipher->destroy(context.data());
  if (!encrypted) throw std::runtime_error("not encrypted");
  append(fragment, text);
  if (side.encrypt_then_mac) append(fragment, mac_of(fragment.size(), fragment));
  Octets record{23, 3, 3};
  put_vector(record, fragment, 2);
  return record;
}

/// Two ends that are connected; their keys are the same in every such duel, because their randomness is.
inline std::unique_ptr<OldDuel> connected_with_cbc(CipherSuite suite, bool encrypt_then_mac) {
  auto duel = std::make_unique<OldDuel>();
  duel->client_config.suites({suite});
  duel->server_config.suites({suite}).encrypt_then_mac(encrypt_then_mac).tickets(1);
  duel->server().ticket_keys = ticket_keys();
  duel->expect_connected();
  return duel;
}
/// The number of the record that the client sends next.
inline constexpr std::uint64_t kBehindFinished = 1;

/// What the client protects its records with, from its session.
inline CbcSide side_of_client(OldDuel& duel, bool encrypt_then_mac) {
  namespace schedule = key_schedule::tls12;
  const Session& session = duel.client().sessions.at(0);
  const SuiteParts known = *parts(session.suite);
  CbcSide side{.cipher = provider().cbc_cipher(known.cbc->cipher),
               .mac = provider().record_mac(known.cbc->mac),
               .key = {},
               .mac_key = {},
               .encrypt_then_mac = encrypt_then_mac};
  const auto block =
      schedule::key_block(*provider().hash(known.hash), *schedule::MasterSecret::of_session(session.secret.view()),
                          RawClientHello::split(duel.client_forger.honest.front()).random,
                          RawServerHello::split(duel.server_forger.honest.front()).random,
                          {.mac_key = side.mac->key_size, .key = side.cipher->key_size})
          .value();
  append(side.key, block.client_key.view());
  append(side.mac_key, block.client_mac.view());
  return side;
}

}  // namespace lockstep::testing
