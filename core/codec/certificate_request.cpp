#include "codec/certificate_request.hpp"

#include <utility>

#include "codec/extension_codecs.hpp"

namespace lockstep::codec {
namespace {

using enum ExtensionType;
using In = CertificateRequest;
using Out = CertificateRequestParameters;
using Row = ExtensionCodec<ExtensionBlock::certificate_request, In, Out>;

OidFilters read_oid_filters(Reader& reader) noexcept { return read_list<OidFilter>(reader, reader.vector16()); }

/// Whatever is in it, the extension is there.
bool read_presence(Reader& reader) noexcept {
  reader.remaining();
  return true;
}

constexpr auto kExtensions = std::to_array<Row>({
    {signature_algorithms, reads<&In::signature_algorithms, read_code_points16<SignatureScheme>>,
     writes<&Out::signature_algorithms, write_code_points16<SignatureScheme>>},
    {signature_algorithms_cert, reads<&In::signature_algorithms_cert, read_code_points16<SignatureScheme>>,
     writes<&Out::signature_algorithms_cert, write_code_points16<SignatureScheme>>},
    {certificate_authorities, reads<&In::certificate_authorities, read_certificate_authorities>,
     writes<&Out::certificate_authorities, write_certificate_authorities>},
    // RFC 9846 4.5.1.1: "A server MAY request that a client present an OCSP response with its certificate by sending an
    // empty "status_request" extension in its CertificateRequest message."
    {status_request, reads<&In::status_request, read_presence>, marks<&Out::status_request>},
    {signed_certificate_timestamp, reads<&In::signed_certificate_timestamp, read_presence>,
     marks<&Out::signed_certificate_timestamp>},
    {oid_filters, reads<&In::oid_filters, read_oid_filters>, never_sent},
    {compress_certificate, reads<&In::compress_certificate, read_code_points8<CertificateCompressionAlgorithm>>,
     writes<&Out::compress_certificate, write_code_points8<CertificateCompressionAlgorithm>>},
});
static_assert(complete(kExtensions, {server_name, delegated_credential}));

}  // namespace

Decoded<CertificateRequest> CertificateRequest::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  Reader reader(body);
  CertificateRequest message;
  message.certificate_request_context = reader.vector8();
  message.extensions = read_extensions(reader);
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, place);
  if (const auto decoded = decode_extensions<kExtensions>(message); !decoded) return std::unexpected(decoded.error());
  // RFC 9846 4.4.2: "The "signature_algorithms" extension MUST be specified".
  if (!message.extensions.contains(ExtensionType::signature_algorithms)) {
    return failure(Reason::extension_missing, place, std::to_underlying(ExtensionType::signature_algorithms));
  }
  return message;
}

ExtensionSet CertificateRequest::offered() const noexcept {
  ExtensionSet set;
  for (const Extension& extension : extensions) set.insert(extension.type);
  return set;
}

Bytes encode_certificate_request(Writer& writer, const CertificateRequestParameters& parameters) noexcept {
  return write_handshake_message(writer, HandshakeType::certificate_request, [&] {
    writer.opaque8(parameters.certificate_request_context);
    encode_extensions(writer, kExtensions, parameters, parameters.grease_extension);
  });
}

}  // namespace lockstep::codec
