#include "codec/certificate.hpp"

#include "codec/certificate_status.hpp"
#include "codec/extension_codecs.hpp"

namespace lockstep::codec {
namespace {

using enum ExtensionType;
using Out = CertificateParameters;
using Row = ExtensionCodec<ExtensionBlock::certificate, const CertificateEntry, Out>;

constexpr std::size_t kMaxExtensionsSize = 0xffff;

constexpr auto kExtensions = std::to_array<Row>({
    // RFC 9846 4.5.1.1: "the body of the "status_request" extension from the server MUST be a CertificateStatus
    // structure ... the body of its "status_request" extension MUST be a CertificateStatus structure"
    {status_request, checks<read_certificate_status>, writes<&Out::ocsp_response, write_certificate_status>},
    {signed_certificate_timestamp, checks<read_signed_certificate_timestamps>,
     writes<&Out::signed_certificate_timestamps, &Writer::bytes>},
});
static_assert(complete(kExtensions, {delegated_credential}));

}  // namespace

CertificateEntry CertificateEntry::read(Reader& reader) noexcept {
  CertificateEntry entry;
  // RFC 9846 4.5.1: "opaque cert_data<1..2^24-1>;"
  entry.cert_data = reader.vector24(1);
  entry.extensions = read_extensions(reader);
  return entry;
}

std::optional<Bytes> CertificateEntry::ocsp_response() const noexcept {
  const std::optional<Bytes> data = extensions.find(status_request);
  if (!data) return std::nullopt;
  Reader reader(*data);
  return read_certificate_status(reader);
}

std::optional<Bytes> CertificateEntry::signed_certificate_timestamps() const noexcept {
  return extensions.find(signed_certificate_timestamp);
}

Decoded<Certificate> Certificate::decode(Bytes body, const DecodeContext& context) noexcept {
  Reader reader(body);
  Certificate message;
  message.certificate_request_context = reader.vector8();
  message.certificate_list = read_list<CertificateEntry>(reader, reader.vector24());
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, place);

  for (const CertificateEntry& entry : message.certificate_list) {
    // RFC 9846 4.5.1: "Extensions in the Certificate message from the server MUST correspond to ones from the
    // ClientHello message. Extensions in the Certificate message from the client MUST correspond to extensions in the
    // CertificateRequest message from the server."
    if (const auto decoded = decode_extensions<kExtensions>(entry, context.offered); !decoded)
      return std::unexpected(decoded.error());
  }
  return message;
}

Bytes encode_certificate(Writer& writer, const CertificateParameters& parameters) noexcept {
  return write_handshake_message(writer, HandshakeType::certificate, [&] {
    writer.opaque8(parameters.certificate_request_context);
    const auto list = writer.vector24();
    bool end_entity = true;
    for (const Bytes certificate : parameters.chain) {
      writer.opaque24(certificate);
      encode_extensions(writer, kExtensions, end_entity ? parameters : CertificateParameters{});
      end_entity = false;
    }
  });
}

bool is_signed_certificate_timestamp_list(Bytes list) noexcept {
  Reader reader(list);
  static_cast<void>(read_signed_certificate_timestamps(reader));
  return reader.finish() == Reason::none;
}

std::size_t CertificateParameters::extensions_size() const noexcept {
  constexpr std::size_t kExtensionHeader = 4;
  std::size_t size = 0;
  if (!ocsp_response.empty()) size += kExtensionHeader + 1 + 3 + ocsp_response.size();
  if (!signed_certificate_timestamps.empty()) size += kExtensionHeader + signed_certificate_timestamps.size();
  return size;
}

bool CertificateParameters::extensions_fit() const noexcept { return extensions_size() <= kMaxExtensionsSize; }

std::size_t certificate_message_size(const CertificateParameters& parameters) noexcept {
  std::size_t size = kHandshakeHeaderSize + kMinCertificate + parameters.certificate_request_context.size();
  for (const Bytes certificate : parameters.chain) size += kCertificateEntryAdds + certificate.size();
  if (parameters.chain.empty()) return size;
  return size + parameters.extensions_size();
}

}  // namespace lockstep::codec
