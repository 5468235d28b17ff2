#pragma once
// ClientKeyExchange of TLS 1.2 (RFC 5246 7.4.7), with elliptic curves (RFC 8422 5.7) and with pre-shared keys (RFC
// 4279, RFC 5489). Which form a message has follows from the cipher suite and stands nowhere in it, so the message is
// kept as it came until somebody who knows the suite asks for its contents.

#include <cstdint>
#include <optional>

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

#include "codec/handshake_message.hpp"

namespace lockstep::codec {

/// A view of the body, undecoded.
struct ClientKeyExchange {
  static constexpr HandshakeType type = HandshakeType::client_key_exchange;
  static constexpr Place place = Place::client_key_exchange;
  static constexpr std::size_t max_size = kMaxClientKeyExchange;
  /// Takes any body: decode_ecdh_public() and its neighbours look into it.
  [[nodiscard]] static Decoded<ClientKeyExchange> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  Bytes body;
};

/// A form of the message with a pre-shared key beside another exchange: views into the body.
struct PskExchange {
  Bytes psk_identity;  ///< may be empty
  Bytes exchange;      ///< as the decoder of the exchange without a pre-shared key gives it
};

// --- the contents, by the suite's key exchange; all refuse what follows the last field ---

/// ClientECDiffieHellmanPublic (RFC 8422 5.7): the point, 1 to 255 bytes.
[[nodiscard]] Decoded<Bytes> decode_ecdh_public(Bytes body) noexcept;
/// ClientDiffieHellmanPublic (RFC 5246 7.4.7.2): dh_Yc, not empty.
[[nodiscard]] Decoded<Bytes> decode_dh_public(Bytes body) noexcept;
/// EncryptedPreMasterSecret (RFC 5246 7.4.7.1): of any length, so that whether it is the key's is found out where
/// nothing gives it away.
[[nodiscard]] Decoded<Bytes> decode_encrypted_premaster(Bytes body) noexcept;
/// PSK (RFC 4279 2): the psk_identity, and nothing else.
[[nodiscard]] Decoded<Bytes> decode_psk_identity(Bytes body) noexcept;
/// DHE_PSK (RFC 4279 3).
[[nodiscard]] Decoded<PskExchange> decode_psk_dh(Bytes body) noexcept;
/// ECDHE_PSK (RFC 5489 2).
[[nodiscard]] Decoded<PskExchange> decode_psk_ecdh(Bytes body) noexcept;
/// RSA_PSK (RFC 4279 4).
[[nodiscard]] Decoded<PskExchange> decode_psk_rsa(Bytes body) noexcept;

/// What to write.
struct ClientKeyExchangeParameters {
  /// How the exchange's bytes are written.
  enum class Form : std::uint8_t {
    none,      ///< not at all: PSK has the identity alone
    vector8,   ///< an elliptic curve's point
    vector16,  ///< a finite field's public value, or the encrypted premaster secret
  };

  std::optional<Bytes> psk_identity{};
  Bytes exchange{};
  Form form = Form::none;
};

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_client_key_exchange(Writer& writer, const ClientKeyExchangeParameters& parameters) noexcept;

}  // namespace lockstep::codec
