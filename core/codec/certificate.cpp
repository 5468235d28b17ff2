#include "codec/certificate.hpp"

#include <utility>

namespace lockstep::codec {
namespace {

constexpr std::uint8_t kOcsp = 1;  // CertificateStatusType, RFC 6066 8
constexpr std::size_t kMaxExtensionsSize = 0xffff;

/// CertificateStatus (RFC 6066 8).
/// RFC 9846 4.5.1.1: "the body of the "status_request" extension from the server MUST be a CertificateStatus structure
/// ... the body of its "status_request" extension MUST be a CertificateStatus structure"
Bytes read_certificate_status(Reader& reader) noexcept {
  if (reader.u8() != kOcsp && reader.ok()) reader.fail(Reason::enum_value);
  return reader.vector24(1);
}

struct SerializedSct {
  static constexpr std::size_t max_count = kMaxScts;
  static Bytes read(Reader& reader) noexcept { return reader.vector16(1); }
};

/// SignedCertificateTimestampList (RFC 6962 3.3).
void read_signed_certificate_timestamps(Reader& reader) noexcept {
  read_list<SerializedSct>(reader, reader.vector16(1));
}

/// The size of the end entity's extensions, without the length of their block.
std::size_t extensions_size(const CertificateParameters& parameters) noexcept {
  constexpr std::size_t kExtensionHeader = 4;
  std::size_t size = 0;
  if (!parameters.ocsp_response.empty()) size += kExtensionHeader + 1 + 3 + parameters.ocsp_response.size();
  if (!parameters.signed_certificate_timestamps.empty())
    size += kExtensionHeader + parameters.signed_certificate_timestamps.size();
  return size;
}

ExtensionFault check_entry(const CertificateEntry& entry, const ExtensionSet& offered) noexcept {
  // RFC 9846 4.5.1: "Extensions in the Certificate message from the server MUST correspond to ones from the ClientHello
  // message. Extensions in the Certificate message from the client MUST correspond to extensions in the
  // CertificateRequest message from the server."
  if (const auto fault = check_extensions(entry.extensions, ExtensionBlock::certificate, offered);
      fault.reason != Reason::none)
    return fault;
  for (const auto& [type, data] : entry.extensions) {
    Reader reader(data);
    switch (type) {
      case ExtensionType::status_request: read_certificate_status(reader); break;
      case ExtensionType::signed_certificate_timestamp: read_signed_certificate_timestamps(reader); break;
      default: reader.remaining(); break;
    }
    if (const Reason reason = reader.finish(); reason != Reason::none) return {blame(type, reason), type};
  }
  return {};
}

}  // namespace

CertificateEntry CertificateEntry::read(Reader& reader) noexcept {
  CertificateEntry entry;
  // RFC 9846 4.5.1: "opaque cert_data<1..2^24-1>;"
  entry.cert_data = reader.vector24(1);
  entry.extensions = read_extensions(reader);
  return entry;
}

std::optional<Bytes> CertificateEntry::ocsp_response() const noexcept {
  const std::optional<Bytes> data = extensions.find(ExtensionType::status_request);
  if (!data) return std::nullopt;
  Reader reader(*data);
  return read_certificate_status(reader);
}

std::optional<Bytes> CertificateEntry::signed_certificate_timestamps() const noexcept {
  return extensions.find(ExtensionType::signed_certificate_timestamp);
}

Decoded<Certificate> Certificate::decode(Bytes body, const DecodeContext& context) noexcept {
  constexpr Place kPlace = Place::certificate;
  Reader reader(body);
  Certificate message;
  message.certificate_request_context = reader.vector8();
  message.certificate_list = read_list<CertificateEntry>(reader, reader.vector24());
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, kPlace);

  for (const CertificateEntry& entry : message.certificate_list) {
    if (const ExtensionFault fault = check_entry(entry, context.offered); fault.reason != Reason::none) {
      return failure(fault.reason, kPlace, std::to_underlying(fault.type));
    }
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
      const auto extensions = writer.vector16();
      if (end_entity && !parameters.ocsp_response.empty()) {
        write_extension(writer, ExtensionType::status_request, [&] {
          writer.u8(kOcsp);
          writer.opaque24(parameters.ocsp_response);
        });
      }
      if (end_entity && !parameters.signed_certificate_timestamps.empty()) {
        write_extension(writer, ExtensionType::signed_certificate_timestamp,
                        [&] { writer.bytes(parameters.signed_certificate_timestamps); });
      }
      end_entity = false;
    }
  });
}

bool is_signed_certificate_timestamp_list(Bytes list) noexcept {
  Reader reader(list);
  read_signed_certificate_timestamps(reader);
  return reader.finish() == Reason::none;
}

bool CertificateParameters::extensions_fit() const noexcept { return extensions_size(*this) <= kMaxExtensionsSize; }

std::size_t certificate_message_size(const CertificateParameters& parameters) noexcept {
  std::size_t size = kHandshakeHeaderSize + 1 + parameters.certificate_request_context.size() + 3;
  for (const Bytes certificate : parameters.chain) size += 3 + certificate.size() + 2;
  if (parameters.chain.empty()) return size;
  return size + extensions_size(parameters);
}

}  // namespace lockstep::codec
