#include "codec/encrypted_extensions.hpp"

#include <utility>

namespace lockstep::codec {
namespace {

void read_extension(EncryptedExtensions& message, ExtensionType type, Reader& reader) noexcept {
  switch (type) {
    // RFC 6066 3: "The "extension_data" field of this extension SHALL be empty."
    case ExtensionType::server_name: message.server_name = true; break;
    case ExtensionType::max_fragment_length: message.max_fragment_length = read_max_fragment_length(reader); break;
    // RFC 9846 4.3.7: "Clients MUST NOT act upon any information found in "supported_groups" prior to successful
    // completion of the handshake": nor later, here.
    case ExtensionType::supported_groups: message.supported_groups = read_code_points16<NamedGroup>(reader); break;
    case ExtensionType::application_layer_protocol_negotiation:
      message.application_layer_protocol_negotiation = read_protocol_name(reader);
      break;
    case ExtensionType::record_size_limit: message.record_size_limit = read_record_size_limit(reader); break;
    case ExtensionType::early_data: message.early_data = true; break;
    default: reader.remaining(); break;
  }
}

}  // namespace

Decoded<EncryptedExtensions> EncryptedExtensions::decode(Bytes body, const DecodeContext& context) noexcept {
  constexpr Place kPlace = Place::encrypted_extensions;
  Reader reader(body);
  EncryptedExtensions message;
  message.extensions = read_extensions(reader);
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, kPlace);

  // RFC 9846 4.4.1: "The client MUST check EncryptedExtensions for the presence of any forbidden extensions and if any
  // are found MUST abort the handshake with an "illegal_parameter" alert."
  const ExtensionFault fault =
      check_extensions(message.extensions, ExtensionBlock::encrypted_extensions, context.offered);
  if (fault.reason != Reason::none) return failure(fault.reason, kPlace, std::to_underlying(fault.type));
  for (const Extension& extension : message.extensions) {
    Reader contents(extension.data);
    read_extension(message, extension.type, contents);
    if (const Reason reason = contents.finish(); reason != Reason::none) {
      return failure(blame(extension.type, reason), kPlace, std::to_underlying(extension.type));
    }
  }
  return message;
}

Bytes encode_encrypted_extensions(Writer& writer, const EncryptedExtensionsParameters& parameters) noexcept {
  return write_handshake_message(writer, HandshakeType::encrypted_extensions, [&] {
    const auto extensions = writer.vector16();
    if (!parameters.supported_groups.empty()) {
      write_extension(writer, ExtensionType::supported_groups,
                      [&] { write_code_points16(writer, parameters.supported_groups); });
    }
    if (!parameters.application_layer_protocol_negotiation.empty()) {
      write_extension(writer, ExtensionType::application_layer_protocol_negotiation, [&] {
        const auto list = writer.vector16();
        writer.opaque8(parameters.application_layer_protocol_negotiation);
      });
    }
    if (parameters.record_size_limit) {
      write_extension(writer, ExtensionType::record_size_limit, [&] { writer.u16(*parameters.record_size_limit); });
    }
    if (parameters.server_name) write_empty_extension(writer, ExtensionType::server_name);
    if (parameters.early_data) write_empty_extension(writer, ExtensionType::early_data);
  });
}

}  // namespace lockstep::codec
