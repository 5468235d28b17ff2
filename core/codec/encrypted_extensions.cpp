#include "codec/encrypted_extensions.hpp"

#include <utility>

#include "codec/extension_codecs.hpp"

namespace lockstep::codec {
namespace {

using enum ExtensionType;
using In = EncryptedExtensions;
using Out = EncryptedExtensionsParameters;
using Row = ExtensionCodec<ExtensionBlock::encrypted_extensions, In, Out>;

constexpr auto kExtensions = std::to_array<Row>({
    // RFC 9846 4.3.7: "Clients MUST NOT act upon any information found in "supported_groups" prior to successful
    // completion of the handshake": nor later, here.
    {supported_groups, reads<&In::supported_groups, read_code_points16<NamedGroup>>,
     writes<&Out::supported_groups, write_code_points16<NamedGroup>>},
    {application_layer_protocol_negotiation, reads<&In::application_layer_protocol_negotiation, read_protocol_name>,
     writes<&Out::application_layer_protocol_negotiation, write_protocol_name>},
    {record_size_limit, reads<&In::record_size_limit, read_record_size_limit>,
     writes<&Out::record_size_limit, &Writer::u16>},
    // RFC 6066 3: "The "extension_data" field of this extension SHALL be empty."
    {server_name, sets<&In::server_name>, marks<&Out::server_name>},
    {early_data, sets<&In::early_data>, marks<&Out::early_data>},
    {max_fragment_length, reads<&In::max_fragment_length, read_max_fragment_length>,
     writes<&Out::max_fragment_length, &Writer::u8>},
    {ticket_request, reads<&In::expected_count, &Reader::u8>, writes<&Out::expected_count, &Writer::u8>},
});
static_assert(complete(kExtensions, {use_srtp, client_certificate_type, server_certificate_type}));

}  // namespace

Decoded<EncryptedExtensions> EncryptedExtensions::decode(Bytes body, const DecodeContext& context) noexcept {
  Reader reader(body);
  EncryptedExtensions message;
  message.extensions = read_extensions(reader);
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, place);

  // RFC 9846 4.4.1: "The client MUST check EncryptedExtensions for the presence of any forbidden extensions and if any
  // are found MUST abort the handshake with an "illegal_parameter" alert."
  if (const auto decoded = decode_extensions<kExtensions>(message, context.offered); !decoded)
    return std::unexpected(decoded.error());
  // RFC 8449 5: "A client MUST treat receipt of both "max_fragment_length" and "record_size_limit" as a fatal error,
  // and it SHOULD generate an "illegal_parameter" alert."
  if (message.max_fragment_length && message.record_size_limit)
    return failure(Reason::extension_forbidden, place, std::to_underlying(ExtensionType::max_fragment_length));
  return message;
}

Bytes encode_encrypted_extensions(Writer& writer, const EncryptedExtensionsParameters& parameters) noexcept {
  return write_handshake_message(writer, HandshakeType::encrypted_extensions,
                                 [&] { encode_extensions(writer, kExtensions, parameters); });
}

}  // namespace lockstep::codec
