#include "codec/certificate12.hpp"

namespace lockstep::codec {
namespace {

/// Of the list and of each certificate in it.
constexpr std::size_t kLengthSize = 3;

}  // namespace

Decoded<Certificate12> Certificate12::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  Reader reader(body);
  Certificate12 message;
  // RFC 5246 7.4.2: "ASN.1Cert certificate_list<0..2^24-1>;"
  message.certificate_list = read_list<Asn1Certificate>(reader, reader.vector24());
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, place);
  return message;
}

Bytes encode_certificate12(Writer& writer, const Certificate12Parameters& parameters) noexcept {
  return write_handshake_message(writer, HandshakeType::certificate, [&] {
    const auto list = writer.vector24();
    for (const Bytes certificate : parameters.chain) writer.opaque24(certificate);
  });
}

std::size_t certificate12_message_size(const Certificate12Parameters& parameters) noexcept {
  std::size_t size = kHandshakeHeaderSize + kLengthSize;
  for (const Bytes certificate : parameters.chain) size += kLengthSize + certificate.size();
  return size;
}

}  // namespace lockstep::codec
