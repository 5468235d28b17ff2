#include "codec/server_key_exchange.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace lockstep::codec {
namespace {

/// ECCurveType (RFC 8422 5.4).
constexpr std::uint8_t kNamedCurve = 3;

/// Parameters, and their bytes as they stand in the body that `reader` reads.
template <class Params>
Params read_params(Reader& reader, Bytes body) noexcept {
  const std::size_t start = reader.offset();
  Params params = Params::read(reader);
  if (reader.ok()) params.raw = body.subspan(start, reader.offset() - start);
  return params;
}

Bytes read_psk_identity_hint(Reader& reader) noexcept {
  // RFC 4279 2: "opaque psk_identity_hint<0..2^16-1>;"
  return reader.vector16();
}

/// What `read` makes of a body, to its last byte.
template <class Read>
auto decode_whole(Bytes body, Read read) noexcept -> Decoded<decltype(read(std::declval<Reader&>()))> {
  Reader reader(body);
  const auto form = read(reader);
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, ServerKeyExchange::place);
  return form;
}

/// A form of the message that ends with a signature.
template <class Form>
Decoded<Form> decode_signed(Bytes body) noexcept {
  return decode_whole(body, [body](Reader& reader) {
    Form form;
    form.params = read_params<decltype(form.params)>(reader, body);
    form.signature = DigitallySigned::read(reader);
    return form;
  });
}

/// A form of the message that a pre-shared key vouches for.
template <class Form>
Decoded<Form> decode_psk(Bytes body) noexcept {
  return decode_whole(body, [body](Reader& reader) {
    Form form;
    form.psk_identity_hint = read_psk_identity_hint(reader);
    form.params = read_params<decltype(form.params)>(reader, body);
    return form;
  });
}

}  // namespace

Decoded<ServerKeyExchange> ServerKeyExchange::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  return ServerKeyExchange{body};
}

ServerEcdhParams ServerEcdhParams::read(Reader& reader) noexcept {
  ServerEcdhParams params;
  // RFC 8422 5.4: "The value named_curve indicates that a named curve is used. This option is now the only remaining
  // format." A curve that the peer describes could be one on which logarithms are easy.
  if (reader.u8() != kNamedCurve && reader.ok()) reader.fail(Reason::curve_not_named);
  params.group = reader.code_point<NamedGroup>();
  // RFC 8422 5.4: "opaque point <1..2^8-1>;"
  params.point = reader.vector8(1);
  return params;
}

ServerDhParams ServerDhParams::read(Reader& reader) noexcept {
  ServerDhParams params;
  // RFC 5246 7.4.3: "opaque dh_p<1..2^16-1>; opaque dh_g<1..2^16-1>; opaque dh_Ys<1..2^16-1>;"
  params.dh_p = reader.vector16(1);
  params.dh_g = reader.vector16(1);
  params.dh_Ys = reader.vector16(1);
  return params;
}

DigitallySigned DigitallySigned::read(Reader& reader) noexcept {
  DigitallySigned element;
  // RFC 5246 4.7: "SignatureAndHashAlgorithm algorithm; opaque signature<0..2^16-1>;"
  element.algorithm = reader.code_point<SignatureScheme>();
  element.signature = reader.vector16();
  return element;
}

Decoded<SignedEcdhe> decode_signed_ecdhe(Bytes body) noexcept { return decode_signed<SignedEcdhe>(body); }

Decoded<SignedDhe> decode_signed_dhe(Bytes body) noexcept { return decode_signed<SignedDhe>(body); }

Decoded<Bytes> decode_psk_hint(Bytes body) noexcept { return decode_whole(body, read_psk_identity_hint); }

Decoded<PskDhe> decode_psk_dhe(Bytes body) noexcept { return decode_psk<PskDhe>(body); }

Decoded<PskEcdhe> decode_psk_ecdhe(Bytes body) noexcept { return decode_psk<PskEcdhe>(body); }

void write_ecdh_params(Writer& writer, NamedGroup group, Bytes point) noexcept {
  writer.u8(kNamedCurve);
  writer.code_point(group);
  writer.opaque8(point);
}

void write_dh_params(Writer& writer, Bytes p, Bytes g, Bytes ys) noexcept {
  writer.opaque16(p);
  writer.opaque16(g);
  writer.opaque16(ys);
}

Bytes encode_server_key_exchange(Writer& writer, const std::optional<Bytes>& psk_identity_hint, Bytes params,
                                 const std::optional<DigitallySigned>& signature) noexcept {
  return write_handshake_message(writer, HandshakeType::server_key_exchange, [&] {
    if (psk_identity_hint) writer.opaque16(*psk_identity_hint);
    writer.bytes(params);
    if (signature) {
      writer.code_point(signature->algorithm);
      writer.opaque16(signature->signature);
    }
  });
}

}  // namespace lockstep::codec
