#include "codec/client_key_exchange.hpp"

namespace lockstep::codec {
namespace {

// What the forms are made of.

Bytes read_ecdh_public(Reader& reader) noexcept {
  // RFC 8422 5.4: "opaque point <1..2^8-1>;"
  return reader.vector8(1);
}

Bytes read_dh_public(Reader& reader) noexcept {
  // RFC 5246 7.4.7.2: "opaque dh_Yc<1..2^16-1>;" The other form, which has the value in the client's certificate, goes
  // with suites that are not spoken here.
  return reader.vector16(1);
}

Bytes read_encrypted_premaster(Reader& reader) noexcept {
  // RFC 5246 7.4.7.1: "the RSA-encrypted PreMasterSecret in a ClientKeyExchange is preceded by two length bytes."
  return reader.vector16();
}

Bytes read_psk_identity(Reader& reader) noexcept {
  // RFC 4279 2: "opaque psk_identity<0..2^16-1>;"
  return reader.vector16();
}

/// One field, to the last byte of the body.
template <Bytes (&read)(Reader&) noexcept>
Decoded<Bytes> decode_alone(Bytes body) noexcept {
  Reader reader(body);
  const Bytes contents = read(reader);
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, ClientKeyExchange::place);
  return contents;
}

/// The same behind a psk_identity.
template <Bytes (&read)(Reader&) noexcept>
Decoded<PskExchange> decode_psk(Bytes body) noexcept {
  Reader reader(body);
  PskExchange message;
  message.psk_identity = read_psk_identity(reader);
  message.exchange = read(reader);
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, ClientKeyExchange::place);
  return message;
}

}  // namespace

Decoded<ClientKeyExchange> ClientKeyExchange::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  return ClientKeyExchange{body};
}

Decoded<Bytes> decode_ecdh_public(Bytes body) noexcept { return decode_alone<read_ecdh_public>(body); }

Decoded<Bytes> decode_dh_public(Bytes body) noexcept { return decode_alone<read_dh_public>(body); }

Decoded<Bytes> decode_encrypted_premaster(Bytes body) noexcept { return decode_alone<read_encrypted_premaster>(body); }

Decoded<Bytes> decode_psk_identity(Bytes body) noexcept { return decode_alone<read_psk_identity>(body); }

Decoded<PskExchange> decode_psk_dh(Bytes body) noexcept { return decode_psk<read_dh_public>(body); }

Decoded<PskExchange> decode_psk_ecdh(Bytes body) noexcept { return decode_psk<read_ecdh_public>(body); }

Decoded<PskExchange> decode_psk_rsa(Bytes body) noexcept { return decode_psk<read_encrypted_premaster>(body); }

Bytes encode_client_key_exchange(Writer& writer, const ClientKeyExchangeParameters& parameters) noexcept {
  using enum ClientKeyExchangeParameters::Form;
  return write_handshake_message(writer, HandshakeType::client_key_exchange, [&] {
    if (parameters.psk_identity) writer.opaque16(*parameters.psk_identity);
    switch (parameters.form) {
      case none: break;
      case vector8: writer.opaque8(parameters.exchange); break;
      case vector16: writer.opaque16(parameters.exchange); break;
    }
  });
}

}  // namespace lockstep::codec
