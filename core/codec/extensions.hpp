#pragma once
// Extensions (RFC 9846 4.3): the table of where each may stand, and the block of them that a message carries. How each
// is read and written stands in the rows of the messages that carry it (extension_codecs.hpp).

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>
#include <lockstep/types.hpp>

#include "codec/lists.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"

namespace lockstep::codec {

/// The messages that carry extensions. TLS 1.2's ServerHello accepts others than TLS 1.3's, so it counts as a message
/// of its own.
enum class ExtensionBlock : std::uint8_t {
  client_hello,
  server_hello,
  hello_retry_request,
  encrypted_extensions,
  certificate_request,
  certificate,
  new_session_ticket,
  server_hello_tls12,
};

/// Where one extension may stand.
struct ExtensionRow {
  ExtensionType type;
  std::uint16_t blocks = 0;  ///< bit 1 << ExtensionBlock for every message in which it may stand

  constexpr ExtensionRow(ExtensionType extension, std::initializer_list<ExtensionBlock> allowed) noexcept
      : type(extension) {
    for (const ExtensionBlock block : allowed) blocks |= static_cast<std::uint16_t>(1U << static_cast<unsigned>(block));
  }
  [[nodiscard]] constexpr bool allowed_in(ExtensionBlock block) const noexcept {
    return (blocks >> static_cast<unsigned>(block) & 1U) != 0;
  }
};

/// Every extension that Lockstep recognises: RFC 9846 4.3, table 1; where a ServerHello of TLS 1.2 is concerned, from
/// the RFC of each extension.
inline constexpr auto kExtensionTable = [] {
  using enum ExtensionType;
  using enum ExtensionBlock;
  return std::to_array<ExtensionRow>({
      {server_name, {client_hello, encrypted_extensions, certificate_request, server_hello_tls12}},
      {max_fragment_length, {client_hello, encrypted_extensions, server_hello_tls12}},
      {status_request, {client_hello, certificate_request, certificate, server_hello_tls12}},
      // Some TLS 1.2 servers echo supported_groups although RFC 8422 has no use for it there; it does no harm.
      {supported_groups, {client_hello, encrypted_extensions, server_hello_tls12}},
      {ec_point_formats, {client_hello, server_hello_tls12}},
      {signature_algorithms, {client_hello, certificate_request}},
      {use_srtp, {client_hello, encrypted_extensions, server_hello_tls12}},
      {application_layer_protocol_negotiation, {client_hello, encrypted_extensions, server_hello_tls12}},
      {signed_certificate_timestamp, {client_hello, certificate_request, certificate, server_hello_tls12}},
      {client_certificate_type, {client_hello, encrypted_extensions, server_hello_tls12}},
      {server_certificate_type, {client_hello, encrypted_extensions, server_hello_tls12}},
      {padding, {client_hello}},
      {encrypt_then_mac, {client_hello, server_hello_tls12}},
      {extended_main_secret, {client_hello, server_hello_tls12}},
      {compress_certificate, {client_hello, certificate_request}},
      {record_size_limit, {client_hello, encrypted_extensions, server_hello_tls12}},
      {delegated_credential, {client_hello, certificate_request, certificate}},
      {session_ticket, {client_hello, server_hello_tls12}},
      {pre_shared_key, {client_hello, server_hello}},
      {early_data, {client_hello, encrypted_extensions, new_session_ticket}},
      {supported_versions, {client_hello, server_hello, hello_retry_request}},
      {cookie, {client_hello, hello_retry_request}},
      {psk_key_exchange_modes, {client_hello}},
      {certificate_authorities, {client_hello, certificate_request}},
      // RFC 9846 4.3.5: "This extension, if provided by the server, MUST only be sent in the CertificateRequest
      // message."
      {oid_filters, {certificate_request}},
      {post_handshake_auth, {client_hello}},
      {signature_algorithms_cert, {client_hello, certificate_request}},
      {key_share, {client_hello, server_hello, hello_retry_request}},
      {ticket_request, {client_hello, encrypted_extensions}},
      {next_protocol_negotiation, {client_hello, server_hello_tls12}},
      {renegotiation_info, {client_hello, server_hello_tls12}},
  });
}();
static_assert(kExtensionTable.size() <= 64, "ExtensionSet has a bit per row");
static_assert(std::ranges::is_sorted(kExtensionTable, {}, &ExtensionRow::type), "rows are found by bisection");

/// The row of an extension, or null when it is unknown.
[[nodiscard]] const ExtensionRow* extension_row(ExtensionType type) noexcept;

/// A set of recognised extensions. A client keeps the set that its ClientHello offered, to see through answers that
/// nobody asked for. Unknown types (GREASE among them) are never in it: a server must not answer them (RFC 8701 4.1).
class ExtensionSet {
 public:
  ExtensionSet() noexcept = default;
  ExtensionSet(std::initializer_list<ExtensionType> types) noexcept {
    for (const ExtensionType type : types) insert(type);
  }

  void insert(ExtensionType type) noexcept;
  [[nodiscard]] bool contains(ExtensionType type) const noexcept;
  friend bool operator==(const ExtensionSet&, const ExtensionSet&) = default;

 private:
  std::uint64_t bits_ = 0;  // by row of the table
};

struct Extension {
  static constexpr std::size_t max_count = kMaxExtensions;
  ExtensionType type{};
  Bytes data;

  static Extension read(Reader& reader) noexcept {
    const auto type = reader.code_point<ExtensionType>();
    return {type, reader.vector16()};
  }
};

/// Extension extensions<..2^16-1>: a range of Extension over the original bytes.
class Extensions : public List<Extension> {
 public:
  Extensions() noexcept = default;
  explicit Extensions(List<Extension> list) noexcept : List<Extension>(list) {}

  /// The contents of the first extension of this type.
  [[nodiscard]] std::optional<Bytes> find(ExtensionType type) const noexcept;
  [[nodiscard]] bool contains(ExtensionType type) const noexcept { return find(type).has_value(); }
};

/// Reads `Extension extensions<0..2^16-1>`.
[[nodiscard]] Extensions read_extensions(Reader& reader) noexcept;

/// What is wrong with an extension, for the error's detail.
struct ExtensionFault {
  Reason reason = Reason::none;
  ExtensionType type{};
};

/// Finds duplicates (extension_duplicate) and recognised extensions that may not stand here (extension_forbidden). In
/// messages that answer (all but ClientHello, CertificateRequest and NewSessionTicket), also what was not `offered`
/// (extension_unsolicited).
[[nodiscard]] ExtensionFault check_extensions(const Extensions& extensions, ExtensionBlock block,
                                              const ExtensionSet& offered = {}) noexcept;

/// The reason to give when reading an extension's contents failed with `reason`: mistakes of form become the
/// extension's own (server_name_malformed, alpn_malformed, extension_malformed); others stay.
[[nodiscard]] Reason blame(ExtensionType type, Reason reason) noexcept;

/// A GREASE value (RFC 8701 2), of which there are sixteen.
[[nodiscard]] constexpr std::uint16_t grease_value(std::uint8_t random) noexcept {
  return static_cast<std::uint16_t>(((random & 0xf0U) | 0x0aU) * 0x0101U);
}

/// Writes one extension: its type, its length, and what `contents` writes.
/// RFC 9846 4.3: "senders MUST NOT include data after the structure in the "extension_data" field."
template <std::invocable Contents>
void write_extension(Writer& writer, ExtensionType type, Contents contents) noexcept {
  writer.code_point(type);
  const auto data = writer.vector16();
  contents();
}
inline void write_empty_extension(Writer& writer, ExtensionType type) noexcept {
  write_extension(writer, type, [] {});
}

// --- contents that several messages share ------------------------------------------------------------------------

/// protocol_name_list (RFC 7301 3.1), names not empty. Fails with alpn_malformed.
[[nodiscard]] ProtocolNames read_protocol_names(Reader& reader) noexcept;
/// A protocol_name_list of exactly one name, as servers answer. Fails with alpn_malformed.
[[nodiscard]] Bytes read_protocol_name(Reader& reader) noexcept;
/// A vector of code points behind a prefix of 16 bits, at least one.
template <class CodePoint>
[[nodiscard]] CodePoints<CodePoint> read_code_points16(Reader& reader) noexcept {
  return read_code_points<CodePoint>(reader, reader.vector16(sizeof(CodePoint)));
}
/// A vector of code points behind a prefix of 8 bits, at least one.
template <class CodePoint>
[[nodiscard]] CodePoints<CodePoint> read_code_points8(Reader& reader) noexcept {
  return read_code_points<CodePoint>(reader, reader.vector8(sizeof(CodePoint)));
}
/// RecordSizeLimit (RFC 8449 4).
[[nodiscard]] std::uint16_t read_record_size_limit(Reader& reader) noexcept;
/// MaxFragmentLength (RFC 6066 4): 1 to 4 for 2^9 to 2^12 bytes.
[[nodiscard]] std::uint8_t read_max_fragment_length(Reader& reader) noexcept;
/// opaque cookie<1..2^16-1> (RFC 9846 4.3.2).
[[nodiscard]] inline Bytes read_cookie(Reader& reader) noexcept { return reader.vector16(1); }
/// opaque renegotiated_connection<0..255> (RFC 5746 3.2).
[[nodiscard]] inline Bytes read_renegotiated_connection(Reader& reader) noexcept { return reader.vector8(); }
/// SignedCertificateTimestampList (RFC 6962 3.3), as sent: not empty, and no SCT of it empty.
[[nodiscard]] Bytes read_signed_certificate_timestamps(Reader& reader) noexcept;
/// DistinguishedName authorities<3..2^16-1>.
[[nodiscard]] DistinguishedNames read_certificate_authorities(Reader& reader) noexcept;

template <class CodePoint>
void write_code_points16(Writer& writer, std::span<const CodePoint> values) noexcept {
  const auto list = writer.vector16();
  for (const CodePoint value : values) writer.code_point(value);
}
template <class CodePoint>
void write_code_points8(Writer& writer, std::span<const CodePoint> values) noexcept {
  const auto list = writer.vector8();
  for (const CodePoint value : values) writer.code_point(value);
}
void write_certificate_authorities(Writer& writer, std::span<const Bytes> names) noexcept;
/// A protocol_name_list of one name, as servers answer.
void write_protocol_name(Writer& writer, Bytes name) noexcept;
/// ECPointFormat ec_point_format_list<1..2^8-1> (RFC 8422 5.1.2): uncompressed, the one that everybody has.
void write_ec_point_formats(Writer& writer) noexcept;

}  // namespace lockstep::codec
