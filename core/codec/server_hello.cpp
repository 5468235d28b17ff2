#include "codec/server_hello.hpp"

#include <utility>

namespace lockstep::codec {
namespace {

/// The fields that ServerHello and HelloRetryRequest share.
Decoded<ServerHello> decode_fields(Bytes body, Place place) noexcept;
void read_extension(ServerHello& hello, ExtensionType type, Reader& reader) noexcept;
void read_extension(HelloRetryRequest& hello, ExtensionType type, Reader& reader) noexcept;

/// Checks the block, then reads each extension into the message.
template <class Message>
Decoded<void> decode_extensions(Message& message, ExtensionBlock block, const ExtensionSet& offered,
                                Place place) noexcept {
  if (const ExtensionFault fault = check_extensions(message.extensions, block, offered); fault.reason != Reason::none) {
    return failure(fault.reason, place, std::to_underlying(fault.type));
  }
  for (const auto& [type, data] : message.extensions) {
    Reader reader(data);
    read_extension(message, type, reader);
    if (const Reason reason = reader.finish(); reason != Reason::none) {
      return failure(blame(type, reason), place, std::to_underlying(type));
    }
  }
  return {};
}

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
  constexpr Place kPlace = Place::server_hello;
  Decoded<ServerHello> hello = decode_fields(body, kPlace);
  if (!hello) return hello;
  // RFC 9846 4.3.1: "clients MUST check for this extension prior to processing the rest of the ServerHello."
  const bool tls13 = hello->extensions.contains(ExtensionType::supported_versions);
  if (tls13) {
    if (const auto checked = check_legacy_version(hello->legacy_version, kPlace); !checked)
      return std::unexpected(checked.error());
  }
  const auto block = tls13 ? ExtensionBlock::server_hello : ExtensionBlock::server_hello_tls12;
  if (const auto read = decode_extensions(*hello, block, context.offered, kPlace); !read)
    return std::unexpected(read.error());
  return hello;
}

Decoded<HelloRetryRequest> HelloRetryRequest::decode(Bytes body, const DecodeContext& context) noexcept {
  constexpr Place kPlace = Place::hello_retry_request;
  const Decoded<ServerHello> fields = decode_fields(body, kPlace);
  if (!fields) return std::unexpected(fields.error());
  if (const auto checked = check_legacy_version(fields->legacy_version, kPlace); !checked)
    return std::unexpected(checked.error());

  HelloRetryRequest hello;
  hello.legacy_session_id_echo = fields->legacy_session_id_echo;
  hello.cipher_suite = fields->cipher_suite;
  hello.extensions = fields->extensions;
  if (const auto read = decode_extensions(hello, ExtensionBlock::hello_retry_request, context.offered, kPlace); !read) {
    return std::unexpected(read.error());
  }
  // RFC 9846 4.2.4: "The server's extensions MUST contain "supported_versions"."
  if (!hello.extensions.contains(ExtensionType::supported_versions)) {
    return failure(Reason::extension_missing, kPlace, std::to_underlying(ExtensionType::supported_versions));
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
    const auto extensions = writer.vector16();
    // RFC 9846 4.2.3: "The ServerHello MUST only include extensions which are required to establish the cryptographic
    // context and negotiate the protocol version."
    if (parameters.key_share) {
      write_extension(writer, ExtensionType::key_share, [&] {
        writer.code_point(parameters.key_share->group);
        writer.opaque16(parameters.key_share->key_exchange);
      });
    }
    if (parameters.selected_identity) {
      write_extension(writer, ExtensionType::pre_shared_key, [&] { writer.u16(*parameters.selected_identity); });
    }
    // RFC 9846 4.2.3: "All TLS 1.3 ServerHello messages MUST contain the "supported_versions" extension."
    write_extension(writer, ExtensionType::supported_versions, [&] { writer.code_point(parameters.selected_version); });
  });
}

Bytes encode_hello_retry_request(Writer& writer, const HelloRetryRequestParameters& parameters) noexcept {
  return write_handshake_message(writer, HandshakeType::server_hello, [&] {
    writer.code_point(ProtocolVersion::tls_1_2);
    writer.bytes(kHelloRetryRequestRandom);
    writer.opaque8(parameters.legacy_session_id_echo);
    writer.code_point(parameters.cipher_suite);
    writer.u8(0);  // null compression
    const auto extensions = writer.vector16();
    if (parameters.selected_group) {
      write_extension(writer, ExtensionType::key_share, [&] { writer.code_point(*parameters.selected_group); });
    }
    if (!parameters.cookie.empty()) {
      write_extension(writer, ExtensionType::cookie, [&] { writer.opaque16(parameters.cookie); });
    }
    write_extension(writer, ExtensionType::supported_versions, [&] { writer.code_point(parameters.selected_version); });
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

void read_extension(ServerHello& hello, ExtensionType type, Reader& reader) noexcept {
  switch (type) {
    case ExtensionType::supported_versions: hello.supported_versions = reader.code_point<ProtocolVersion>(); break;
    case ExtensionType::key_share: hello.key_share = KeyShareEntry::read(reader); break;
    case ExtensionType::pre_shared_key: hello.pre_shared_key = reader.u16(); break;
    // TLS 1.2
    case ExtensionType::server_name: hello.server_name = true; break;
    case ExtensionType::extended_main_secret: hello.extended_main_secret = true; break;
    case ExtensionType::encrypt_then_mac: hello.encrypt_then_mac = true; break;
    case ExtensionType::session_ticket: hello.session_ticket = true; break;
    case ExtensionType::status_request: hello.status_request = true; break;
    case ExtensionType::ec_point_formats: hello.ec_point_formats = read_code_points8<std::uint8_t>(reader); break;
    case ExtensionType::renegotiation_info: hello.renegotiation_info = reader.vector8(); break;
    case ExtensionType::application_layer_protocol_negotiation:
      hello.application_layer_protocol_negotiation = read_protocol_name(reader);
      break;
    default: reader.remaining(); break;
  }
}

void read_extension(HelloRetryRequest& hello, ExtensionType type, Reader& reader) noexcept {
  switch (type) {
    case ExtensionType::supported_versions: hello.supported_versions = reader.code_point<ProtocolVersion>(); break;
    case ExtensionType::key_share: hello.key_share = reader.code_point<NamedGroup>(); break;
    case ExtensionType::cookie: hello.cookie = reader.vector16(1); break;
    default: reader.remaining(); break;
  }
}

}  // namespace
}  // namespace lockstep::codec
