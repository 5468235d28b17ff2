#include "codec/server_hello.hpp"

#include <utility>

#include "codec/extension_codecs.hpp"

namespace lockstep::codec {
namespace {

using enum ExtensionType;

void write_key_share(Writer& writer, const KeyShareEntry& share) noexcept {
  writer.code_point(share.group);
  writer.opaque16(share.key_exchange);
}

// draft-agl-tls-nextprotoneg-04 3: "the list is serialized as a concatenation of 8-bit, length prefixed byte strings".
ProtocolNames read_next_protocols(Reader& reader) noexcept {
  return read_list<ProtocolName>(reader, reader.remaining());
}

void write_next_protocols(Writer& writer, std::span<const std::string> names) noexcept {
  for (const std::string& name : names) writer.opaque8(as_bytes(name));
}

constexpr auto kServerHello =
    std::to_array<ExtensionCodec<ExtensionBlock::server_hello, ServerHello, ServerHelloParameters>>({
        {key_share, reads<&ServerHello::key_share, KeyShareEntry::read>,
         writes<&ServerHelloParameters::key_share, write_key_share>},
        {pre_shared_key, reads<&ServerHello::pre_shared_key, &Reader::u16>,
         writes<&ServerHelloParameters::selected_identity, &Writer::u16>},
        // RFC 9846 4.2.3: "All TLS 1.3 ServerHello messages MUST contain the "supported_versions" extension."
        {supported_versions, reads<&ServerHello::supported_versions, &Reader::code_point<ProtocolVersion>>,
         states<&ServerHelloParameters::selected_version, &Writer::code_point<ProtocolVersion>>},
    });
static_assert(complete(kServerHello));

constexpr auto kHelloRetryRequest =
    std::to_array<ExtensionCodec<ExtensionBlock::hello_retry_request, HelloRetryRequest, HelloRetryRequestParameters>>({
        {key_share, reads<&HelloRetryRequest::key_share, &Reader::code_point<NamedGroup>>,
         writes<&HelloRetryRequestParameters::selected_group, &Writer::code_point<NamedGroup>>},
        {cookie, reads<&HelloRetryRequest::cookie, read_cookie>,
         writes<&HelloRetryRequestParameters::cookie, &Writer::opaque16>},
        {supported_versions, reads<&HelloRetryRequest::supported_versions, &Reader::code_point<ProtocolVersion>>,
         states<&HelloRetryRequestParameters::selected_version, &Writer::code_point<ProtocolVersion>>},
    });
static_assert(complete(kHelloRetryRequest));

using Out12 = ServerHello12Parameters;
constexpr auto kServerHelloTls12 =
    std::to_array<ExtensionCodec<ExtensionBlock::server_hello_tls12, ServerHello, ServerHello12Parameters>>({
        {renegotiation_info, reads<&ServerHello::renegotiation_info, read_renegotiated_connection>,
         writes<&Out12::renegotiation_info, &Writer::opaque8>},
        // RFC 6066 3: "The "extension_data" field of this extension SHALL be empty."
        {server_name, sets<&ServerHello::server_name>, marks<&Out12::server_name>},
        {ec_point_formats, reads<&ServerHello::ec_point_formats, read_code_points8<std::uint8_t>>,
         marks<&Out12::ec_point_formats, write_ec_point_formats>},
        {session_ticket, sets<&ServerHello::session_ticket>, marks<&Out12::session_ticket>},
        // RFC 6066 8: "If a server returns a "CertificateStatus" message, then the server MUST have included an
        // extension of type "status_request" with empty "extension_data" in the extended server hello."
        {status_request, sets<&ServerHello::status_request>, marks<&Out12::status_request>},
        {signed_certificate_timestamp,
         reads<&ServerHello::signed_certificate_timestamps, read_signed_certificate_timestamps>,
         writes<&Out12::signed_certificate_timestamps, &Writer::bytes>},
        {application_layer_protocol_negotiation,
         reads<&ServerHello::application_layer_protocol_negotiation, read_protocol_name>,
         writes<&Out12::application_layer_protocol_negotiation, write_protocol_name>},
        {max_fragment_length, reads<&ServerHello::max_fragment_length, read_max_fragment_length>,
         writes<&Out12::max_fragment_length, &Writer::u8>},
        {record_size_limit, reads<&ServerHello::record_size_limit, read_record_size_limit>,
         writes<&Out12::record_size_limit, &Writer::u16>},
        {next_protocol_negotiation, reads<&ServerHello::next_protocol_negotiation, read_next_protocols>,
         writes<&Out12::next_protocol_negotiation, write_next_protocols>},
        {encrypt_then_mac, sets<&ServerHello::encrypt_then_mac>, marks<&Out12::encrypt_then_mac>},
        {extended_main_secret, sets<&ServerHello::extended_main_secret>, marks<&Out12::extended_main_secret>},
    });
static_assert(complete(kServerHelloTls12,
                       {supported_groups, use_srtp, client_certificate_type, server_certificate_type}));

/// The fields that ServerHello and HelloRetryRequest share.
Decoded<ServerHello> decode_fields(Bytes body, Place place) noexcept;

/// RFC 9846 4.2.3: "In TLS 1.3, the TLS server indicates its version using the "supported_versions" extension
/// (Section 4.3.1), and the legacy_version field MUST be set to 0x0303 ... A client which receives a TLS 1.3 Server
/// Hello with a legacy_version value not equal to 0x0303 MUST abort the handshake with a "protocol_version" alert."
Decoded<void> check_legacy_version(ProtocolVersion legacy_version, Place place) noexcept {
  if (legacy_version != ProtocolVersion::tls_1_2) return failure(Reason::version_legacy, place);
  return {};
}

}  // namespace

bool is_hello_retry_request(Bytes body) noexcept {
  // RFC 9846 4.2.3: "Upon receiving a message with type server_hello, implementations MUST first examine the Random
  // value and, if it matches this value, process it as described in Section 4.2.4".
  Reader reader(body);
  reader.code_point<ProtocolVersion>();
  return equal(reader.bytes(kRandomSize), kHelloRetryRequestRandom);
}

Decoded<ServerHello> ServerHello::decode(Bytes body, const DecodeContext& context) noexcept {
  Decoded<ServerHello> hello = decode_fields(body, place);
  if (!hello) return hello;
  // RFC 9846 4.3.1: "clients MUST check for this extension prior to processing the rest of the ServerHello."
  const bool tls13 = hello->extensions.contains(ExtensionType::supported_versions);
  if (tls13) {
    if (const auto checked = check_legacy_version(hello->legacy_version, place); !checked)
      return std::unexpected(checked.error());
  }
  const auto decoded = tls13 ? decode_extensions<kServerHello>(*hello, context.offered)
                             : decode_extensions<kServerHelloTls12>(*hello, context.offered);
  if (!decoded) return std::unexpected(decoded.error());
  // RFC 8449 5: "A client MUST treat receipt of both "max_fragment_length" and "record_size_limit" as a fatal error,
  // and it SHOULD generate an "illegal_parameter" alert."
  if (hello->max_fragment_length && hello->record_size_limit) {
    return failure(Reason::extension_forbidden, place, std::to_underlying(ExtensionType::max_fragment_length));
  }
  // Two ways to agree on one thing.
  if (hello->next_protocol_negotiation && hello->application_layer_protocol_negotiation)
    return failure(Reason::extension_forbidden, place, std::to_underlying(ExtensionType::next_protocol_negotiation));
  return hello;
}

Decoded<HelloRetryRequest> HelloRetryRequest::decode(Bytes body, const DecodeContext& context) noexcept {
  const Decoded<ServerHello> fields = decode_fields(body, place);
  if (!fields) return std::unexpected(fields.error());
  if (const auto checked = check_legacy_version(fields->legacy_version, place); !checked)
    return std::unexpected(checked.error());

  HelloRetryRequest hello;
  hello.legacy_session_id_echo = fields->legacy_session_id_echo;
  hello.cipher_suite = fields->cipher_suite;
  hello.extensions = fields->extensions;
  if (const auto decoded = decode_extensions<kHelloRetryRequest>(hello, context.offered); !decoded)
    return std::unexpected(decoded.error());
  // RFC 9846 4.2.4: "The server's extensions MUST contain "supported_versions"."
  if (!hello.extensions.contains(ExtensionType::supported_versions)) {
    return failure(Reason::extension_missing, place, std::to_underlying(ExtensionType::supported_versions));
  }
  return hello;
}

Bytes encode_server_hello(Writer& writer, const ServerHelloParameters& parameters) noexcept {
  return write_handshake_message(writer, HandshakeType::server_hello, [&] {
    // RFC 9846 4.3.1: "A server which negotiates TLS 1.3 MUST respond by sending a "supported_versions" extension
    // containing the selected version value (0x0304). It MUST set the ServerHello.legacy_version field to 0x0303 (TLS
    // 1.2)."
    writer.code_point(ProtocolVersion::tls_1_2);
    writer.bytes(parameters.random);
    writer.opaque8(parameters.legacy_session_id_echo);
    writer.code_point(parameters.cipher_suite);
    writer.u8(0);  // null compression
    // RFC 9846 4.2.3: "The ServerHello MUST only include extensions which are required to establish the cryptographic
    // context and negotiate the protocol version."
    encode_extensions(writer, kServerHello, parameters);
  });
}

Bytes encode_server_hello12(Writer& writer, const ServerHello12Parameters& parameters) noexcept {
  return write_handshake_message(writer, HandshakeType::server_hello, [&] {
    writer.code_point(parameters.version);
    writer.bytes(parameters.random);
    writer.opaque8(parameters.session_id);
    writer.code_point(parameters.cipher_suite);
    writer.u8(0);  // null compression
    encode_extensions_if_any(writer, kServerHelloTls12, parameters);
  });
}

Bytes encode_hello_retry_request(Writer& writer, const HelloRetryRequestParameters& parameters) noexcept {
  return write_handshake_message(writer, HandshakeType::server_hello, [&] {
    writer.code_point(ProtocolVersion::tls_1_2);
    writer.bytes(kHelloRetryRequestRandom);
    writer.opaque8(parameters.legacy_session_id_echo);
    writer.code_point(parameters.cipher_suite);
    writer.u8(0);  // null compression
    encode_extensions(writer, kHelloRetryRequest, parameters);
  });
}

namespace {

Decoded<ServerHello> decode_fields(Bytes body, Place place) noexcept {
  Reader reader(body);
  ServerHello hello;
  hello.legacy_version = reader.code_point<ProtocolVersion>();
  hello.random = reader.bytes(kRandomSize);
  hello.legacy_session_id_echo = reader.vector8(0, kMaxSessionIdSize);
  hello.cipher_suite = reader.code_point<CipherSuite>();
  const std::uint8_t legacy_compression_method = reader.u8();
  // Servers older than TLS 1.3 may end here, but they send no HelloRetryRequest.
  if (!reader.empty() || place == Place::hello_retry_request) hello.extensions = read_extensions(reader);
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, place);

  // RFC 9846 4.2.3: "legacy_compression_method: A single byte which MUST have the value 0." Older versions may choose
  // others, but only from what was offered, and nothing else ever is.
  // RFC 9846 4.2.3: "If a TLS 1.3 ServerHello is received with any other value in this field, the client MUST abort the
  // handshake with an "illegal_parameter" alert."
  if (legacy_compression_method != 0) return failure(Reason::compression_method, place);
  return hello;
}

}  // namespace
}  // namespace lockstep::codec
