#include "codec/certificate_request.hpp"

#include <utility>

namespace lockstep::codec {
namespace {

void read_extension(CertificateRequest& message, ExtensionType type, Reader& reader) noexcept {
  switch (type) {
    case ExtensionType::signature_algorithms:
      message.signature_algorithms = read_code_points16<SignatureScheme>(reader);
      break;
    case ExtensionType::signature_algorithms_cert:
      message.signature_algorithms_cert = read_code_points16<SignatureScheme>(reader);
      break;
    case ExtensionType::certificate_authorities:
      message.certificate_authorities = read_certificate_authorities(reader);
      break;
    case ExtensionType::oid_filters: message.oid_filters = read_list<OidFilter>(reader, reader.vector16()); break;
    case ExtensionType::compress_certificate:
      message.compress_certificate = read_code_points8<std::uint16_t>(reader);
      break;
    case ExtensionType::status_request:
      message.status_request = true;
      reader.remaining();
      break;
    case ExtensionType::signed_certificate_timestamp:
      message.signed_certificate_timestamp = true;
      reader.remaining();
      break;
    // RFC 9846 4.4.2: "Clients MUST ignore unrecognized extensions."
    default: reader.remaining(); break;
  }
}

}  // namespace

Decoded<CertificateRequest> CertificateRequest::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  constexpr Place kPlace = Place::certificate_request;
  Reader reader(body);
  CertificateRequest message;
  message.certificate_request_context = reader.vector8();
  message.extensions = read_extensions(reader);
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, kPlace);

  const ExtensionFault fault = check_extensions(message.extensions, ExtensionBlock::certificate_request);
  if (fault.reason != Reason::none) return failure(fault.reason, kPlace, std::to_underlying(fault.type));
  for (const Extension& extension : message.extensions) {
    Reader contents(extension.data);
    read_extension(message, extension.type, contents);
    if (const Reason reason = contents.finish(); reason != Reason::none) {
      return failure(blame(extension.type, reason), kPlace, std::to_underlying(extension.type));
    }
  }
  // RFC 9846 4.4.2: "The "signature_algorithms" extension MUST be specified".
  if (!message.extensions.contains(ExtensionType::signature_algorithms)) {
    return failure(Reason::extension_missing, kPlace, std::to_underlying(ExtensionType::signature_algorithms));
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
    const auto extensions = writer.vector16();
    write_extension(writer, ExtensionType::signature_algorithms,
                    [&] { write_code_points16(writer, parameters.signature_algorithms); });
    if (!parameters.signature_algorithms_cert.empty()) {
      write_extension(writer, ExtensionType::signature_algorithms_cert,
                      [&] { write_code_points16(writer, parameters.signature_algorithms_cert); });
    }
    if (!parameters.certificate_authorities.empty()) {
      write_extension(writer, ExtensionType::certificate_authorities,
                      [&] { write_certificate_authorities(writer, parameters.certificate_authorities); });
    }
    // RFC 9846 4.5.1.1: "A server MAY request that a client present an OCSP response with its certificate by sending an
    // empty "status_request" extension in its CertificateRequest message."
    if (parameters.status_request) write_empty_extension(writer, ExtensionType::status_request);
    if (parameters.signed_certificate_timestamp)
      write_empty_extension(writer, ExtensionType::signed_certificate_timestamp);
  });
}

}  // namespace lockstep::codec
