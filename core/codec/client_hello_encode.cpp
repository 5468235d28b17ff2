#include <algorithm>
#include <array>
#include <utility>

#include "codec/client_hello.hpp"

namespace lockstep::codec {
namespace {

/// Every extension that a ClientHello can carry but pre_shared_key, in the order without permutation: that of the
/// traces in RFC 8448.
constexpr std::array kOrder{
    ExtensionType::server_name,
    ExtensionType::extended_main_secret,
    ExtensionType::renegotiation_info,
    ExtensionType::supported_groups,
    ExtensionType::ec_point_formats,
    ExtensionType::session_ticket,
    ExtensionType::application_layer_protocol_negotiation,
    ExtensionType::status_request,
    ExtensionType::signed_certificate_timestamp,
    ExtensionType::key_share,
    ExtensionType::early_data,
    ExtensionType::supported_versions,
    ExtensionType::signature_algorithms,
    ExtensionType::signature_algorithms_cert,
    ExtensionType::certificate_authorities,
    ExtensionType::cookie,
    ExtensionType::psk_key_exchange_modes,
    ExtensionType::post_handshake_auth,
    ExtensionType::record_size_limit,
    ExtensionType::padding,
};

/// One extension: whether it is written, and how. Gives false when the parameters do not ask for it.
bool write_extension_of(Writer& writer, ExtensionType type, const ClientHelloParameters& parameters) noexcept;
std::size_t write_pre_shared_key(Writer& writer, std::span<const PskOffer> psks) noexcept;
std::array<ExtensionType, kOrder.size()> permuted(std::optional<std::uint64_t> seed) noexcept;
/// A list of code points behind a prefix of 16 bits, with a GREASE value in front.
template <class CodePoint>
void write_greased16(Writer& writer, std::optional<std::uint16_t> grease, std::span<const CodePoint> values) noexcept;

}  // namespace

EncodedClientHello encode_client_hello(Writer& writer, const ClientHelloParameters& parameters) noexcept {
  EncodedClientHello encoded;
  const auto& grease = parameters.grease;
  const std::size_t start = writer.size();
  std::size_t binders_offset = 0;
  const auto write_known = [&](ExtensionType type) {
    if (write_extension_of(writer, type, parameters)) encoded.offered.insert(type);
  };

  encoded.message = write_handshake_message(writer, HandshakeType::client_hello, [&] {
    // RFC 9846 4.2.2: "the legacy_version field MUST be set to 0x0303"
    writer.code_point(parameters.legacy_version);
    writer.bytes(parameters.random);
    writer.opaque8(parameters.legacy_session_id);
    write_greased16(writer, grease ? std::optional(grease->suite) : std::nullopt, parameters.cipher_suites);
    writer.opaque8(std::array<std::uint8_t, 1>{0});  // null compression

    const auto extensions = writer.vector16();
    if (grease) write_empty_extension(writer, static_cast<ExtensionType>(grease->first_extension));
    for (const ExtensionType type : permuted(parameters.permutation_seed)) write_known(type);
    if (grease) write_extension(writer, static_cast<ExtensionType>(grease->last_extension), [&] { writer.u8(0); });
    // RFC 9846 4.3.11: "The "pre_shared_key" extension MUST be the last extension in the ClientHello".
    if (!parameters.pre_shared_keys.empty()) {
      binders_offset = write_pre_shared_key(writer, parameters.pre_shared_keys) - start;
      encoded.offered.insert(ExtensionType::pre_shared_key);
    }
  });

  // RFC 5746 3.3: the signalling suite means the same as an empty renegotiation_info, so a server answers it with the
  // extension.
  if (std::ranges::find(parameters.cipher_suites, CipherSuite::empty_renegotiation_info_scsv) !=
      parameters.cipher_suites.end()) {
    encoded.offered.insert(ExtensionType::renegotiation_info);
  }
  encoded.binders_offset = parameters.pre_shared_keys.empty() ? encoded.message.size() : binders_offset;
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
  const auto value = [](std::uint8_t byte) { return static_cast<std::uint16_t>(((byte & 0xf0U) | 0x0aU) * 0x0101U); };
  Grease grease{value(random[0]), value(random[1]), value(random[2]), value(random[3]), value(random[4])};
  // RFC 9846 4.3 forbids the same extension twice, GREASE or not.
  if (grease.first_extension == grease.last_extension) grease.last_extension ^= 0x1010U;
  return grease;
}

namespace {

bool write_extension_of(Writer& writer, ExtensionType type, const ClientHelloParameters& parameters) noexcept {
  const auto& p = parameters;
  const auto write = [&](bool wanted, auto contents) {
    if (wanted) write_extension(writer, type, contents);
    return wanted;
  };
  const auto nothing = [] {};

  switch (type) {
    case ExtensionType::server_name:
      return write(!p.server_name.empty(), [&] {
        const auto list = writer.vector16();
        writer.u8(0);  // host_name
        writer.opaque16(as_bytes(p.server_name));
      });
    case ExtensionType::supported_groups:
      return write(!p.supported_groups.empty(), [&] {
        write_greased16(writer, p.grease ? std::optional(p.grease->group) : std::nullopt, p.supported_groups);
      });
    case ExtensionType::ec_point_formats:
      return write(p.ec_point_formats, [&] { writer.opaque8(std::array<std::uint8_t, 1>{0}); });
    case ExtensionType::signature_algorithms:
      return write(!p.signature_algorithms.empty(), [&] { write_code_points16(writer, p.signature_algorithms); });
    case ExtensionType::signature_algorithms_cert:
      return write(!p.signature_algorithms_cert.empty(),
                   [&] { write_code_points16(writer, p.signature_algorithms_cert); });
    case ExtensionType::application_layer_protocol_negotiation:
      return write(!p.application_layer_protocol_negotiation.empty(), [&] {
        const auto list = writer.vector16();
        for (const std::string& protocol : p.application_layer_protocol_negotiation) writer.opaque8(as_bytes(protocol));
      });
    case ExtensionType::status_request:
      return write(p.status_request, [&] {
        writer.u8(1);  // ocsp
        writer.u16(0);
        writer.u16(0);
      });
    case ExtensionType::key_share:
      return write(std::ranges::find(p.supported_versions, ProtocolVersion::tls_1_3) != p.supported_versions.end(),
                   [&] {
                     const auto list = writer.vector16();
                     if (p.grease && p.grease->key_share) {
                       writer.u16(p.grease->group);
                       writer.opaque16(std::array<std::uint8_t, 1>{0});
                     }
                     for (const KeyShareEntry& share : p.key_shares) {
                       writer.code_point(share.group);
                       writer.opaque16(share.key_exchange);
                     }
                   });
    case ExtensionType::psk_key_exchange_modes:
      return write(!p.psk_key_exchange_modes.empty(), [&] {
        const auto list = writer.vector8();
        for (const PskKeyExchangeMode mode : p.psk_key_exchange_modes) writer.code_point(mode);
      });
    case ExtensionType::supported_versions:
      return write(!p.supported_versions.empty(), [&] {
        const auto list = writer.vector8();
        if (p.grease) writer.u16(p.grease->version);
        for (const ProtocolVersion version : p.supported_versions) writer.code_point(version);
      });
    case ExtensionType::certificate_authorities:
      return write(!p.certificate_authorities.empty(),
                   [&] { write_certificate_authorities(writer, p.certificate_authorities); });
    case ExtensionType::record_size_limit:
      return write(p.record_size_limit.has_value(), [&] { writer.u16(*p.record_size_limit); });
    case ExtensionType::padding: return write(p.padding.has_value(), [&] { writer.zeros(*p.padding); });
    case ExtensionType::cookie: return write(!p.cookie.empty(), [&] { writer.opaque16(p.cookie); });
    case ExtensionType::renegotiation_info:
      return write(p.renegotiation_info.has_value(), [&] { writer.opaque8(*p.renegotiation_info); });
    case ExtensionType::session_ticket:
      return write(p.session_ticket.has_value(), [&] { writer.bytes(*p.session_ticket); });
    case ExtensionType::extended_main_secret: return write(p.extended_main_secret, nothing);
    case ExtensionType::signed_certificate_timestamp: return write(p.signed_certificate_timestamp, nothing);
    case ExtensionType::early_data: return write(p.early_data, nothing);
    case ExtensionType::post_handshake_auth: return write(p.post_handshake_auth, nothing);
    default: return false;
  }
}

/// Gives the place in the writer's buffer where the binders' list starts.
std::size_t write_pre_shared_key(Writer& writer, std::span<const PskOffer> psks) noexcept {
  std::size_t binders = 0;
  write_extension(writer, ExtensionType::pre_shared_key, [&] {
    {
      const auto identities = writer.vector16();
      for (const PskOffer& psk : psks) {
        writer.opaque16(psk.identity);
        writer.u32(psk.obfuscated_ticket_age);
      }
    }
    binders = writer.size();
    const auto list = writer.vector16();
    for (const PskOffer& psk : psks) {
      const auto binder = writer.vector8();
      writer.zeros(psk.binder_length);
    }
  });
  return binders;
}

std::array<ExtensionType, kOrder.size()> permuted(std::optional<std::uint64_t> seed) noexcept {
  auto order = kOrder;
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
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[next() % i]);
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
