#include "codec/client_hello.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "codec/extension_codecs.hpp"

namespace lockstep::codec {
namespace {

using enum ExtensionType;
using In = ClientHello;
using Out = ClientHelloParameters;
using Row = ExtensionCodec<ExtensionBlock::client_hello, In, Out>;

std::string_view read_server_name(Reader& reader) noexcept;
bool read_status_request(Reader& reader) noexcept;
KeyShares read_key_shares(Reader& reader) noexcept;
OfferedPsks read_offered_psks(Reader& reader) noexcept;
TicketRequest read_ticket_request(Reader& reader) noexcept;

void write_server_name(Writer& writer, std::string_view name) noexcept;
bool write_supported_groups(Writer& writer, ExtensionType type, const Out& out) noexcept;
void write_protocol_names(Writer& writer, std::span<const std::string> names) noexcept;
void write_status_request(Writer& writer) noexcept;
bool write_key_shares(Writer& writer, ExtensionType type, const Out& out) noexcept;
bool write_supported_versions(Writer& writer, ExtensionType type, const Out& out) noexcept;
void write_offered_psks(Writer& writer, std::span<const PskOffer> psks) noexcept;
void write_ticket_request(Writer& writer, const TicketRequest& request) noexcept;

/// In the order without permutation: that of the traces in RFC 8448.
constexpr auto kExtensions = std::to_array<Row>({
    {server_name, reads<&In::server_name, read_server_name>, writes<&Out::server_name, write_server_name>},
    {extended_main_secret, sets<&In::extended_main_secret>, marks<&Out::extended_main_secret>},
    {renegotiation_info, reads<&In::renegotiation_info, read_renegotiated_connection>,
     writes<&Out::renegotiation_info, &Writer::opaque8>},
    {supported_groups, reads<&In::supported_groups, read_code_points16<NamedGroup>>, write_supported_groups},
    {ec_point_formats, reads<&In::ec_point_formats, read_code_points8<std::uint8_t>>,
     marks<&Out::ec_point_formats, write_ec_point_formats>},
    {session_ticket, reads<&In::session_ticket, &Reader::remaining>, writes<&Out::session_ticket, &Writer::bytes>},
    {application_layer_protocol_negotiation, reads<&In::application_layer_protocol_negotiation, read_protocol_names>,
     writes<&Out::application_layer_protocol_negotiation, write_protocol_names>},
    {status_request, reads<&In::status_request, read_status_request>,
     marks<&Out::status_request, write_status_request>},
    {signed_certificate_timestamp, sets<&In::signed_certificate_timestamp>, marks<&Out::signed_certificate_timestamp>},
    {key_share, reads<&In::key_share, read_key_shares>, write_key_shares},
    {early_data, sets<&In::early_data>, marks<&Out::early_data>},
    {supported_versions, reads<&In::supported_versions, read_code_points8<ProtocolVersion>>, write_supported_versions},
    {signature_algorithms, reads<&In::signature_algorithms, read_code_points16<SignatureScheme>>,
     writes<&Out::signature_algorithms, write_code_points16<SignatureScheme>>},
    {signature_algorithms_cert, reads<&In::signature_algorithms_cert, read_code_points16<SignatureScheme>>,
     writes<&Out::signature_algorithms_cert, write_code_points16<SignatureScheme>>},
    {certificate_authorities, reads<&In::certificate_authorities, read_certificate_authorities>,
     writes<&Out::certificate_authorities, write_certificate_authorities>},
    {cookie, reads<&In::cookie, read_cookie>, writes<&Out::cookie, &Writer::opaque16>},
    {psk_key_exchange_modes, reads<&In::psk_key_exchange_modes, read_code_points8<PskKeyExchangeMode>>,
     writes<&Out::psk_key_exchange_modes, write_code_points8<PskKeyExchangeMode>>},
    {post_handshake_auth, sets<&In::post_handshake_auth>, marks<&Out::post_handshake_auth>},
    {record_size_limit, reads<&In::record_size_limit, read_record_size_limit>,
     writes<&Out::record_size_limit, &Writer::u16>},
    {padding, checks<&Reader::remaining>, writes<&Out::padding, &Writer::zeros>},
    {encrypt_then_mac, sets<&In::encrypt_then_mac>, marks<&Out::encrypt_then_mac>},
    {max_fragment_length, reads<&In::max_fragment_length, read_max_fragment_length>,
     writes<&Out::max_fragment_length, &Writer::u8>},
    {next_protocol_negotiation, sets<&In::next_protocol_negotiation>, marks<&Out::next_protocol_negotiation>},
    {compress_certificate, reads<&In::compress_certificate, read_code_points8<CertificateCompressionAlgorithm>>,
     writes<&Out::compress_certificate, write_code_points8<CertificateCompressionAlgorithm>>},
    {ticket_request, reads<&In::ticket_request, read_ticket_request>,
     writes<&Out::ticket_request, write_ticket_request>},
    // Up to here, they may be permuted.
    {pre_shared_key, reads<&In::pre_shared_key, read_offered_psks>, writes<&Out::pre_shared_keys, write_offered_psks>},
});
static_assert(complete(kExtensions,
                       {use_srtp, client_certificate_type, server_certificate_type, delegated_credential}));

constexpr std::size_t kPermuted = kExtensions.size() - 1;
static_assert(std::ranges::all_of(kExtensions, &Row::sent) && kExtensions.back().type == pre_shared_key,
              "pre_shared_key alone is sent behind those that are permuted");

/// The rows in front that are shuffled; the others, younger than the oldest tapes, are put in between, anywhere. So a
/// tape's seed gives the order that it gave when the tape was recorded.
constexpr std::size_t kShuffled = 20;
static_assert(kShuffled <= kPermuted);

constexpr std::uint8_t kNullCompression = 0;

std::array<const Row*, kPermuted> permuted(std::optional<std::uint64_t> seed) noexcept;
/// A list of code points behind a prefix of 16 bits, with a GREASE value in front.
template <class CodePoint>
void write_greased16(Writer& writer, std::optional<std::uint16_t> grease, std::span<const CodePoint> values) noexcept;
std::size_t binders_size(std::span<const PskOffer> psks) noexcept;

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
  if (const auto decoded = decode_extensions<kExtensions>(hello); !decoded) return std::unexpected(decoded.error());
  if (hello.pre_shared_key) {
    // RFC 9846 4.3.11: "The "pre_shared_key" extension MUST be the last extension in the ClientHello [...]. Servers
    // MUST check that it is the last extension and otherwise fail the handshake with an "illegal_parameter" alert."
    // RFC 9846 4.3: ""pre_shared_key" (Section 4.3.11) which MUST be the last extension in the ClientHello"
    auto behind = std::ranges::find(hello.extensions, ExtensionType::pre_shared_key, &Extension::type);
    if (++behind != hello.extensions.end())
      return failure(Reason::psk_not_last, kPlace, std::to_underlying(behind->type));
    // So the list of binders ends the message.
    const std::size_t binders = sizeof(std::uint16_t) + hello.pre_shared_key->binders.raw().size();
    hello.pre_shared_key->binders_offset = kHandshakeHeaderSize + body.size() - binders;
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
  return rank(version) <= std::min(rank(legacy_version), rank(ProtocolVersion::tls_1_2));
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

EncodedClientHello encode_client_hello(Writer& writer, const ClientHelloParameters& parameters) noexcept {
  EncodedClientHello encoded;
  const auto& grease = parameters.grease;
  const auto write = [&](const Row& row) {
    if (row.write(writer, row.type, parameters)) encoded.offered.insert(row.type);
  };

  encoded.message = write_handshake_message(writer, HandshakeType::client_hello, [&] {
    // RFC 9846 4.2.2: "the legacy_version field MUST be set to 0x0303"
    writer.code_point(parameters.legacy_version);
    writer.bytes(parameters.random);
    writer.opaque8(parameters.legacy_session_id);
    write_greased16(writer, grease ? std::optional(grease->suite) : std::nullopt, parameters.cipher_suites);
    writer.opaque8(std::array{kNullCompression});

    const auto extensions = writer.vector16();
    if (grease) write_empty_extension(writer, static_cast<ExtensionType>(grease->first_extension));
    for (const Row* row : permuted(parameters.permutation_seed)) write(*row);
    if (grease) write_extension(writer, static_cast<ExtensionType>(grease->last_extension), [&] { writer.u8(0); });
    // RFC 9846 4.3.11: "The "pre_shared_key" extension MUST be the last extension in the ClientHello".
    write(kExtensions.back());
  });

  // RFC 5746 3.3: the signalling suite means the same as an empty renegotiation_info, so a server answers it with the
  // extension.
  if (std::ranges::find(parameters.cipher_suites, CipherSuite::empty_renegotiation_info_scsv) !=
      parameters.cipher_suites.end()) {
    encoded.offered.insert(ExtensionType::renegotiation_info);
  }
  if (!encoded.message.empty())
    encoded.binders_offset = encoded.message.size() - binders_size(parameters.pre_shared_keys);
  return encoded;
}

bool fill_binder(const EncodedClientHello& hello, std::size_t index, Bytes binder) noexcept {
  if (hello.binders_offset > hello.message.size()) return false;
  const MutableBytes tail = hello.message.subspan(hello.binders_offset);
  Reader reader(tail);
  reader.u16();
  for (std::size_t i = 0; i < index; ++i) reader.vector8();
  const Bytes place = reader.vector8();
  if (!reader.ok() || place.size() != binder.size()) return false;
  std::ranges::copy(binder, tail.subspan(reader.offset() - binder.size()).begin());
  return true;
}

Grease make_grease(std::span<const std::uint8_t, 5> random) noexcept {
  Grease grease{grease_value(random[0]), grease_value(random[1]), grease_value(random[2]), grease_value(random[3]),
                grease_value(random[4])};
  // RFC 9846 4.3 forbids the same extension twice, GREASE or not.
  if (grease.first_extension == grease.last_extension) grease.last_extension ^= 0x1010U;
  return grease;
}

namespace {

/// RFC 1035 2.3.4: a domain name has at most 255 octets.
constexpr std::size_t kMaxHostNameSize = 255;
constexpr std::uint8_t kHostName = 0;  // NameType, RFC 6066 3
constexpr std::uint8_t kOcsp = 1;      // CertificateStatusType, RFC 6066 8

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

OfferedPsks read_offered_psks(Reader& reader) noexcept {
  OfferedPsks psks;
  // RFC 9846 4.3.11: "PskIdentity identities<7..2^16-1>; PskBinderEntry binders<33..2^16-1>;"
  psks.identities = read_list<PskIdentity>(reader, reader.vector16(7));
  psks.binders = read_list<PskBinderEntry>(reader, reader.vector16(33));
  if (!reader.ok()) return {};
  // RFC 9846 4.3.11: "binders: A series of HMAC values, one for each value in the identities list and in the same
  // order"
  if (psks.identities.size() != psks.binders.size()) reader.fail(Reason::psk_binder_count);
  return psks;
}

// RFC 9149 3: "struct { uint8 new_session_count; uint8 resumption_count; } ClientTicketRequest;"
TicketRequest read_ticket_request(Reader& reader) noexcept {
  const std::uint8_t new_session_count = reader.u8();
  return {new_session_count, reader.u8()};
}

void write_server_name(Writer& writer, std::string_view name) noexcept {
  const auto list = writer.vector16();
  writer.u8(kHostName);
  writer.opaque16(as_bytes(name));
}

bool write_supported_groups(Writer& writer, ExtensionType type, const Out& out) noexcept {
  if (out.supported_groups.empty()) return false;
  write_extension(writer, type, [&] {
    write_greased16(writer, out.grease ? std::optional(out.grease->group) : std::nullopt, out.supported_groups);
  });
  return true;
}

void write_protocol_names(Writer& writer, std::span<const std::string> names) noexcept {
  const auto list = writer.vector16();
  for (const std::string& name : names) writer.opaque8(as_bytes(name));
}

void write_status_request(Writer& writer) noexcept {
  writer.u8(kOcsp);
  writer.u16(0);  // responder_id_list
  writer.u16(0);  // request_extensions
}

bool offers_tls13(const Out& out) noexcept {
  const auto& versions = out.supported_versions;
  return std::ranges::find(versions, ProtocolVersion::tls_1_3) != versions.end();
}

bool write_key_shares(Writer& writer, ExtensionType type, const Out& out) noexcept {
  if (!offers_tls13(out)) return false;
  write_extension(writer, type, [&] {
    const auto list = writer.vector16();
    if (out.grease && out.grease->key_share) {
      writer.u16(out.grease->group);
      writer.opaque16(std::array<std::uint8_t, 1>{0});
    }
    for (const KeyShareEntry& share : out.key_shares) {
      writer.code_point(share.group);
      writer.opaque16(share.key_exchange);
    }
  });
  return true;
}

bool write_supported_versions(Writer& writer, ExtensionType type, const Out& out) noexcept {
  // RFC 9846 4.3.1: "Implementations of this specification MUST send this extension in the ClientHello": others say it
  // with legacy_version.
  if (!offers_tls13(out)) return false;
  write_extension(writer, type, [&] {
    const auto list = writer.vector8();
    if (out.grease) writer.u16(out.grease->version);
    for (const ProtocolVersion version : out.supported_versions) writer.code_point(version);
  });
  return true;
}

void write_ticket_request(Writer& writer, const TicketRequest& request) noexcept {
  writer.u8(request.new_session_count);
  writer.u8(request.resumption_count);
}

void write_offered_psks(Writer& writer, std::span<const PskOffer> psks) noexcept {
  {
    const auto identities = writer.vector16();
    for (const PskOffer& psk : psks) {
      writer.opaque16(psk.identity);
      writer.u32(psk.obfuscated_ticket_age);
    }
  }
  const auto binders = writer.vector16();
  for (const PskOffer& psk : psks) {
    const auto binder = writer.vector8();
    writer.zeros(psk.binder_length);
  }
}

/// Of the list of binders with its length; 0 when there is none.
std::size_t binders_size(std::span<const PskOffer> psks) noexcept {
  std::size_t size = psks.empty() ? 0 : sizeof(std::uint16_t);
  for (const PskOffer& psk : psks) size += 1 + psk.binder_length;
  return size;
}

std::array<const Row*, kPermuted> permuted(std::optional<std::uint64_t> seed) noexcept {
  std::array<const Row*, kPermuted> order{};
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = &kExtensions[i];
  if (!seed) return order;
  // Fisher-Yates over the numbers of SplitMix64 (Steele, Lea, Flood 2014). It need not be unpredictable, only different
  // each time.
  std::uint64_t state = *seed;
  const auto next = [&state] {
    std::uint64_t z = state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  };
  for (std::size_t i = kShuffled; i > 1; --i) std::swap(order[i - 1], order[next() % i]);
  for (std::size_t i = kShuffled; i < order.size(); ++i) {
    const auto row = order.begin() + static_cast<std::ptrdiff_t>(i);
    std::rotate(order.begin() + static_cast<std::ptrdiff_t>(next() % (i + 1)), row, row + 1);
  }
  return order;
}

template <class CodePoint>
void write_greased16(Writer& writer, std::optional<std::uint16_t> grease, std::span<const CodePoint> values) noexcept {
  const auto list = writer.vector16();
  if (grease) writer.u16(*grease);
  for (const CodePoint value : values) writer.code_point(value);
}

}  // namespace
}  // namespace lockstep::codec
