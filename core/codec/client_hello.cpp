#include "codec/client_hello.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace lockstep::codec {
namespace {

/// RFC 1035 2.3.4: a domain name has at most 255 octets.
constexpr std::size_t kMaxHostNameSize = 255;
constexpr std::uint8_t kHostName = 0;  // NameType, RFC 6066 3
constexpr std::uint8_t kOcsp = 1;      // CertificateStatusType, RFC 6066 8
constexpr std::uint8_t kNullCompression = 0;

void read_extension(ClientHello& hello, ExtensionType type, Reader& reader, Bytes body) noexcept;

}  // namespace

Decoded<ClientHello> ClientHello::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  constexpr Place kPlace = Place::client_hello;
  Reader reader(body);
  ClientHello hello;
  hello.legacy_version = reader.code_point<ProtocolVersion>();
  hello.random = reader.bytes(kRandomSize);
  hello.legacy_session_id = reader.vector8(0, kMaxSessionIdSize);
  hello.cipher_suites = read_code_points16<CipherSuite>(reader);
  hello.legacy_compression_methods = reader.vector8(1);
  // RFC 9846 4.2.2: "TLS 1.3 servers might receive ClientHello messages without an extensions field from prior versions
  // of TLS."
  // RFC 9846 4.2.2: "a server MUST check that the message either contains no data after legacy_compression_methods or
  // that it contains a valid extensions block with no data following. If not, then it MUST abort the handshake with a
  // "decode_error" alert."
  if (!reader.empty()) hello.extensions = read_extensions(reader);
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, kPlace);

  // RFC 5246 7.4.1.2: "This vector MUST contain, and all implementations MUST support, CompressionMethod.null."
  if (std::ranges::find(hello.legacy_compression_methods, kNullCompression) == hello.legacy_compression_methods.end()) {
    return failure(Reason::compression_method, kPlace);
  }
  if (const ExtensionFault fault = check_extensions(hello.extensions, ExtensionBlock::client_hello);
      fault.reason != Reason::none) {
    return failure(fault.reason, kPlace, std::to_underlying(fault.type));
  }
  for (const Extension& extension : hello.extensions) {
    // RFC 9846 4.3.11: "The "pre_shared_key" extension MUST be the last extension in the ClientHello [...]. Servers
    // MUST check that it is the last extension and otherwise fail the handshake with an "illegal_parameter" alert."
    // RFC 9846 4.3: ""pre_shared_key" (Section 4.3.11) which MUST be the last extension in the ClientHello"
    if (hello.pre_shared_key) return failure(Reason::psk_not_last, kPlace, std::to_underlying(extension.type));

    Reader contents(extension.data);
    read_extension(hello, extension.type, contents, body);
    if (const Reason reason = contents.finish(); reason != Reason::none) {
      return failure(blame(extension.type, reason), kPlace, std::to_underlying(extension.type));
    }
  }
  return hello;
}

bool ClientHello::offers(ProtocolVersion version) const noexcept {
  // RFC 9846 4.3.1: "If this extension is present in the ClientHello, servers MUST NOT use the
  // ClientHello.legacy_version value for version negotiation and MUST use only the "supported_versions" extension to
  // determine client preferences."
  // RFC 9846 4.3.1: "Servers MUST only select a version of TLS present in that extension and MUST ignore any unknown
  // versions that are present in that extension."
  // RFC 9846 4.3.1: "Servers MUST be prepared to receive ClientHellos that include this extension but do not include
  // 0x0304 in the list of versions."
  if (supported_versions) return supported_versions->contains(version);
  return version <= std::min(legacy_version, ProtocolVersion::tls_1_2);
}

Decoded<void> check_tls13(const ClientHello& hello) noexcept {
  constexpr Place kPlace = Place::client_hello;
  const auto missing = [](ExtensionType type) {
    return failure(Reason::extension_missing, Place::client_hello, std::to_underlying(type));
  };

  // RFC 9846 4.2.2: "A server which receives a legacy_version value not equal to 0x0303 MUST abort the handshake with a
  // "protocol_version" alert."
  if (hello.legacy_version != ProtocolVersion::tls_1_2)
    return failure(Reason::version_legacy, kPlace, std::to_underlying(hello.legacy_version));

  // RFC 9846 4.2.2: "For every TLS 1.3 ClientHello, this list MUST contain exactly one byte, set to zero ... If a
  // TLS 1.3 ClientHello is received with any other value in this field, the server MUST abort the handshake with an
  // "illegal_parameter" alert."
  if (hello.legacy_compression_methods.size() != 1) return failure(Reason::compression_method, kPlace);

  // RFC 9846 9.2: "If not containing a "pre_shared_key" extension, it MUST contain both a "signature_algorithms"
  // extension and a "supported_groups" extension. If containing a "supported_groups" extension, it MUST also contain a
  // "key_share" extension, and vice versa.
  // [...] Servers receiving a ClientHello which does not conform to these requirements MUST abort the handshake with a
  // "missing_extension" alert."
  if (!hello.pre_shared_key && !hello.signature_algorithms) return missing(ExtensionType::signature_algorithms);
  if (!hello.pre_shared_key && !hello.supported_groups) return missing(ExtensionType::supported_groups);
  if (hello.supported_groups && !hello.key_share) return missing(ExtensionType::key_share);
  if (hello.key_share && !hello.supported_groups) return missing(ExtensionType::supported_groups);

  // RFC 9846 4.3.9: "If clients offer "pre_shared_key" without a "psk_key_exchange_modes" extension, servers MUST abort
  // the handshake."
  if (hello.pre_shared_key && !hello.psk_key_exchange_modes) {
    return failure(Reason::psk_mode_missing, kPlace, std::to_underlying(ExtensionType::psk_key_exchange_modes));
  }

  // RFC 9846 4.3.8: "Clients MUST NOT offer any KeyShareEntry values for groups not listed in the client's
  // "supported_groups" extension. Servers MAY check for violations of these rules and abort the handshake with an
  // "illegal_parameter" alert if one is violated."
  if (hello.key_share && !hello.key_share->empty()) {
    CodePointSet groups;
    for (const NamedGroup group : *hello.supported_groups) groups.insert(std::to_underlying(group));
    for (const KeyShareEntry& share : *hello.key_share) {
      if (!groups.contains(std::to_underlying(share.group))) {
        return failure(Reason::key_share_not_in_groups, kPlace, std::to_underlying(share.group));
      }
    }
  }
  return {};
}

namespace {

std::string_view read_server_name(Reader& reader) noexcept {
  // RFC 6066 3: "The ServerNameList MUST NOT contain more than one name of the same name_type." host_name is the only
  // type there is.
  Reader list(reader.vector16(1));
  const std::uint8_t name_type = list.u8();
  const Bytes host_name = list.vector16(1, kMaxHostNameSize);
  const bool whole = list.finish() == Reason::none && name_type == kHostName;
  // RFC 6066 3: "The hostname is represented as a byte string using ASCII encoding". Whether such a name is served, the
  // application decides.
  if (!whole || !std::ranges::all_of(host_name, [](std::uint8_t c) { return c > 0x20 && c < 0x7f; })) {
    reader.fail(Reason::server_name_malformed);
    return {};
  }
  return as_text(host_name);
}

bool read_status_request(Reader& reader) noexcept {
  if (reader.u8() != kOcsp) {
    reader.remaining();  // a type of a later day
    return false;
  }
  reader.vector16();  // responder_id_list
  reader.vector16();  // request_extensions
  return reader.ok();
}

KeyShares read_key_shares(Reader& reader) noexcept {
  const auto shares = read_list<KeyShareEntry>(reader, reader.vector16());
  // RFC 9846 4.3.8: "Clients MUST NOT offer multiple KeyShareEntry values for the same group."
  if (find_duplicate(shares, [](const KeyShareEntry& share) { return share.group; }))
    reader.fail(Reason::key_share_duplicate);
  return shares;
}

OfferedPsks read_offered_psks(Reader& reader, Bytes body) noexcept {
  OfferedPsks psks;
  // RFC 9846 4.3.11: "PskIdentity identities<7..2^16-1>; PskBinderEntry binders<33..2^16-1>;"
  psks.identities = read_list<PskIdentity>(reader, reader.vector16(7));
  const Bytes binders = reader.vector16(33);
  psks.binders = read_list<PskBinderEntry>(reader, binders);
  if (!reader.ok()) return {};
  // RFC 9846 4.3.11: "binders: A series of HMAC values, one for each value in the identities list and in the same
  // order"
  if (psks.identities.size() != psks.binders.size()) reader.fail(Reason::psk_binder_count);
  psks.binders_offset =
      kHandshakeHeaderSize + static_cast<std::size_t>(binders.data() - body.data()) - sizeof(std::uint16_t);
  return psks;
}

void read_extension(ClientHello& hello, ExtensionType type, Reader& reader, Bytes body) noexcept {
  switch (type) {
    case ExtensionType::server_name: hello.server_name = read_server_name(reader); break;
    case ExtensionType::max_fragment_length: hello.max_fragment_length = read_max_fragment_length(reader); break;
    case ExtensionType::status_request: hello.status_request = read_status_request(reader); break;
    case ExtensionType::supported_groups: hello.supported_groups = read_code_points16<NamedGroup>(reader); break;
    case ExtensionType::ec_point_formats: hello.ec_point_formats = read_code_points8<std::uint8_t>(reader); break;
    case ExtensionType::signature_algorithms:
      hello.signature_algorithms = read_code_points16<SignatureScheme>(reader);
      break;
    case ExtensionType::signature_algorithms_cert:
      hello.signature_algorithms_cert = read_code_points16<SignatureScheme>(reader);
      break;
    case ExtensionType::application_layer_protocol_negotiation:
      hello.application_layer_protocol_negotiation = read_protocol_names(reader);
      break;
    case ExtensionType::signed_certificate_timestamp: hello.signed_certificate_timestamp = true; break;
    case ExtensionType::encrypt_then_mac: hello.encrypt_then_mac = true; break;
    case ExtensionType::extended_main_secret: hello.extended_main_secret = true; break;
    case ExtensionType::compress_certificate:
      hello.compress_certificate = read_code_points8<std::uint16_t>(reader);
      break;
    case ExtensionType::record_size_limit: hello.record_size_limit = read_record_size_limit(reader); break;
    case ExtensionType::session_ticket: hello.session_ticket = reader.remaining(); break;
    case ExtensionType::renegotiation_info: hello.renegotiation_info = reader.vector8(); break;
    case ExtensionType::supported_versions:
      hello.supported_versions = read_code_points8<ProtocolVersion>(reader);
      break;
    case ExtensionType::cookie: hello.cookie = reader.vector16(1); break;
    case ExtensionType::key_share: hello.key_share = read_key_shares(reader); break;
    case ExtensionType::psk_key_exchange_modes:
      hello.psk_key_exchange_modes = read_code_points8<PskKeyExchangeMode>(reader);
      break;
    case ExtensionType::pre_shared_key: hello.pre_shared_key = read_offered_psks(reader, body); break;
    case ExtensionType::early_data: hello.early_data = true; break;
    case ExtensionType::post_handshake_auth: hello.post_handshake_auth = true; break;
    case ExtensionType::certificate_authorities:
      hello.certificate_authorities = read_certificate_authorities(reader);
      break;
    // RFC 9846 9.3: "A server receiving a ClientHello MUST correctly ignore all unrecognized cipher suites, extensions,
    // and other parameters." Others that are recognised have no use here.
    // RFC 9846 4.2.2: "Servers MUST ignore unrecognized extensions."
    default: reader.remaining(); break;
  }
}

}  // namespace
}  // namespace lockstep::codec
