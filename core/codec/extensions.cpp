#include "codec/extensions.hpp"

#include <algorithm>

namespace lockstep::codec {
namespace {

constexpr std::uint8_t kUncompressed = 0;  // ECPointFormat, RFC 8422 5.1.2

struct SerializedSct {
  static constexpr std::size_t max_count = kMaxScts;
  static Bytes read(Reader& reader) noexcept { return reader.vector16(1); }
};

/// Whether the block answers another, so that nothing may stand in it which the other did not offer.
constexpr bool answers(ExtensionBlock block) {
  return block != ExtensionBlock::client_hello && block != ExtensionBlock::certificate_request &&
         block != ExtensionBlock::new_session_ticket;
}

/// The bit of an extension in an ExtensionSet; 0 when it is unknown.
std::uint64_t bit(ExtensionType type) noexcept {
  const ExtensionRow* row = extension_row(type);
  return row == nullptr ? 0 : std::uint64_t{1} << static_cast<unsigned>(row - kExtensionTable.data());
}

}  // namespace

const ExtensionRow* extension_row(ExtensionType type) noexcept {
  const auto row = std::ranges::lower_bound(kExtensionTable, type, {}, &ExtensionRow::type);
  return row == kExtensionTable.end() || row->type != type ? nullptr : &*row;
}

void ExtensionSet::insert(ExtensionType type) noexcept { bits_ |= bit(type); }

bool ExtensionSet::contains(ExtensionType type) const noexcept { return (bits_ & bit(type)) != 0; }

std::optional<Bytes> Extensions::find(ExtensionType type) const noexcept {
  for (const Extension& extension : *this) {
    if (extension.type == type) return extension.data;
  }
  return std::nullopt;
}

Extensions read_extensions(Reader& reader) noexcept {
  return Extensions(read_list<Extension>(reader, reader.vector16()));
}

ExtensionFault check_extensions(const Extensions& extensions, ExtensionBlock block,
                                const ExtensionSet& offered) noexcept {
  // RFC 9846 4.3: "There MUST NOT be more than one extension of the same type in a given extension block."
  if (const auto twice = find_duplicate(extensions, [](const Extension& extension) { return extension.type; })) {
    return {Reason::extension_duplicate, static_cast<ExtensionType>(*twice)};
  }
  for (const Extension& extension : extensions) {
    // RFC 9846 4.3: "If an implementation receives an extension which it recognizes and which is not specified for the
    // message in which it appears, it MUST abort the handshake with an "illegal_parameter" alert."
    const ExtensionRow* row = extension_row(extension.type);
    if (row != nullptr && !row->allowed_in(block)) return {Reason::extension_forbidden, extension.type};

    // RFC 9846 4.3: "Implementations MUST NOT send extension responses ... if the remote endpoint did not send the
    // corresponding extension requests, with the exception of the "cookie" extension in the HelloRetryRequest. Upon
    // receiving such an extension, an endpoint MUST abort the handshake with an "unsupported_extension" alert."
    // RFC 9846 4.2.4: "A HelloRetryRequest MUST NOT contain any extensions that were not first offered by the client in
    // its ClientHello, with the exception of optionally the "cookie" (see Section 4.3.2) extension."
    if (answers(block) && extension.type != ExtensionType::cookie && !offered.contains(extension.type)) {
      return {Reason::extension_unsolicited, extension.type};
    }
  }
  return {};
}

Reason blame(ExtensionType type, Reason reason) noexcept {
  if (reason != Reason::message_truncated && reason != Reason::message_trailing_data && reason != Reason::vector_length)
    return reason;
  // RFC 9846 4.3: "When processing an extension, receivers MUST abort the handshake with a "decode_error" alert if
  // there is data left over after parsing the structure."
  switch (type) {
    case ExtensionType::server_name: return Reason::server_name_malformed;
    case ExtensionType::application_layer_protocol_negotiation: return Reason::alpn_malformed;
    default: return Reason::extension_malformed;
  }
}

ProtocolNames read_protocol_names(Reader& reader) noexcept {
  return read_list<ProtocolName>(reader, reader.vector16(2));
}

Bytes read_protocol_name(Reader& reader) noexcept {
  // RFC 7301 3.1: "the "ProtocolNameList" MUST contain exactly one "ProtocolName"."
  const ProtocolNames names = read_protocol_names(reader);
  if (!reader.ok()) return {};
  if (names.size() != 1) {
    reader.fail(Reason::alpn_malformed);
    return {};
  }
  return *names.begin();
}

std::uint16_t read_record_size_limit(Reader& reader) noexcept {
  const std::uint16_t limit = reader.u16();
  // RFC 8449 4: "An endpoint MUST treat receipt of a smaller value as a fatal error and generate an "illegal_parameter"
  // alert."
  if (reader.ok() && limit < 64) reader.fail(Reason::record_size_limit);
  return limit;
}

std::uint8_t read_max_fragment_length(Reader& reader) noexcept {
  const std::uint8_t code = reader.u8();
  // RFC 6066 4: "If a server receives a maximum fragment length negotiation request for a value other than the allowed
  // values, it MUST abort the handshake with an "illegal_parameter" alert."
  if (reader.ok() && (code < 1 || code > 4)) reader.fail(Reason::enum_value);
  return code;
}

Bytes read_signed_certificate_timestamps(Reader& reader) noexcept {
  const Bytes list = reader.remaining();
  Reader inner(list);
  read_list<SerializedSct>(inner, inner.vector16(1));
  if (const Reason reason = inner.finish(); reason != Reason::none) {
    reader.fail(reason);
    return {};
  }
  return list;
}

DistinguishedNames read_certificate_authorities(Reader& reader) noexcept {
  return read_list<DistinguishedName>(reader, reader.vector16(3));
}

void write_certificate_authorities(Writer& writer, std::span<const Bytes> names) noexcept {
  const auto list = writer.vector16();
  for (const Bytes name : names) writer.opaque16(name);
}

void write_protocol_name(Writer& writer, Bytes name) noexcept {
  const auto list = writer.vector16();
  writer.opaque8(name);
}

void write_ec_point_formats(Writer& writer) noexcept { writer.opaque8(std::array{kUncompressed}); }

}  // namespace lockstep::codec
