// The serialized form is described in docs/session-format.md.

#include <algorithm>
#include <limits>
#include <utility>

#include <lockstep/session.hpp>

#include "codec/lists.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"

namespace lockstep {

namespace {

constexpr std::uint8_t kFormat = 2;
constexpr std::uint8_t kPeerVerified = 0x01;

/// What does not vary: format, version, suite, flags, issued_at, lifetime, ticket_age_add, max_early_data, and the
/// length of each of the seven vectors.
constexpr std::size_t kFixedSize = 1 + 2 + 2 + 1 + 8 + 4 + 4 + 4 + (1 + 1 + 2 + 3 + 2 + 2 + 2);

/// One certificate of the chain. Elements are Bytes.
struct SessionCertificate {
  static constexpr std::size_t max_count = codec::kMaxCertificates;
  static Bytes read(codec::Reader& reader) noexcept { return reader.vector24(1); }
};

/// The length of a suite's PSK; 0 for a suite that is unknown.
std::size_t psk_size(CipherSuite suite) noexcept;

/// Whether the values are ones that a session can have, whether it is being written or read.
bool plausible(const Session& session) noexcept;

}  // namespace

Session Session::clone() const {
  Session copy;
  copy.version = version;
  copy.suite = suite;
  copy.psk = psk.clone();
  copy.ticket = ticket;
  copy.ticket_age_add = ticket_age_add;
  copy.issued_at = issued_at;
  copy.lifetime = lifetime;
  copy.max_early_data = max_early_data;
  copy.peer_verified = peer_verified;
  copy.alpn = alpn;
  copy.server_name = server_name;
  copy.peer = peer;
  return copy;
}

bool Session::usable(Time now) const noexcept {
  // RFC 9846 4.7.1: "Clients MUST NOT use tickets for longer than 7 days after issuance, regardless of the
  // ticket_lifetime".
  return now >= issued_at && now - issued_at < std::min(lifetime, kMaxTicketLifetime);
}

std::uint32_t Session::obfuscated_ticket_age(Time now) const noexcept {
  return static_cast<std::uint32_t>((now - issued_at).count()) + ticket_age_add;
}

std::chrono::milliseconds Session::stated_age(std::uint32_t obfuscated_ticket_age) const noexcept {
  return std::chrono::milliseconds(static_cast<std::uint32_t>(obfuscated_ticket_age - ticket_age_add));
}

std::vector<std::uint8_t> Session::serialize() const {
  std::vector<std::uint8_t> out(serialized_size());
  out.resize(serialize(out));
  return out;
}

std::size_t Session::serialize(MutableBytes out) const noexcept {
  if (!plausible(*this)) return 0;
  const auto issued = static_cast<std::uint64_t>(issued_at.time_since_epoch().count());
  codec::Writer writer(out);
  writer.u8(kFormat);
  writer.code_point(version);
  writer.code_point(suite);
  writer.u8(peer_verified ? kPeerVerified : 0);
  writer.u32(static_cast<std::uint32_t>(issued >> 32U));
  writer.u32(static_cast<std::uint32_t>(issued));
  writer.u32(static_cast<std::uint32_t>(lifetime.count()));
  writer.u32(ticket_age_add);
  writer.u32(max_early_data);
  writer.opaque8(psk.view());
  writer.opaque8(as_bytes(alpn));
  writer.opaque16(as_bytes(server_name));
  {
    const auto chain = writer.vector24();
    for (const auto& certificate : peer.chain) writer.opaque24(certificate);
  }
  writer.opaque16(peer.ocsp_response);
  writer.opaque16(peer.sct_list);
  writer.opaque16(ticket);
  if (!writer.ok()) {
    wipe(out);
    return 0;
  }
  return writer.size();
}

std::size_t Session::serialized_size() const noexcept {
  std::size_t size = kFixedSize + psk.size() + alpn.size() + server_name.size() + peer.ocsp_response.size() +
                     peer.sct_list.size() + ticket.size();
  for (const auto& certificate : peer.chain) size += 3 + certificate.size();
  return size;
}

std::expected<Session, SessionError> Session::parse(Bytes bytes) {
  codec::Reader reader(bytes);
  const std::uint8_t format = reader.u8();
  if (reader.ok() && format != kFormat) return std::unexpected(SessionError::unsupported_version);

  Session session;
  session.version = reader.code_point<ProtocolVersion>();
  session.suite = reader.code_point<CipherSuite>();
  const std::uint8_t flags = reader.u8();
  const std::uint64_t issued_high = reader.u32();
  const std::uint64_t issued = issued_high << 32U | reader.u32();
  session.lifetime = std::chrono::seconds(reader.u32());
  session.ticket_age_add = reader.u32();
  session.max_early_data = reader.u32();
  const Bytes psk = reader.vector8();
  const Bytes alpn = reader.vector8();
  const Bytes server_name = reader.vector16();
  const Bytes chain_bytes = reader.vector24();
  const Bytes ocsp_response = reader.vector16();
  const Bytes sct_list = reader.vector16();
  const Bytes ticket = reader.vector16();
  switch (reader.finish()) {
    case Reason::none: break;
    case Reason::message_trailing_data: return std::unexpected(SessionError::trailing_data);
    default: return std::unexpected(SessionError::truncated);
  }

  codec::Reader chain_reader(chain_bytes);
  const auto chain = codec::read_list<SessionCertificate>(chain_reader, chain_reader.remaining());
  if (!chain_reader.ok() || (flags & ~kPeerVerified) != 0 ||
      issued > std::uint64_t{std::numeric_limits<std::int64_t>::max()} || psk.size() > DigestSecret::capacity()) {
    return std::unexpected(SessionError::malformed);
  }
  session.peer_verified = (flags & kPeerVerified) != 0;
  session.issued_at = Time(std::chrono::milliseconds(static_cast<std::int64_t>(issued)));
  session.psk = DigestSecret(psk);
  session.alpn = as_text(alpn);
  session.server_name = as_text(server_name);
  for (const Bytes certificate : chain) session.peer.chain.emplace_back(certificate.begin(), certificate.end());
  session.peer.ocsp_response.assign(ocsp_response.begin(), ocsp_response.end());
  session.peer.sct_list.assign(sct_list.begin(), sct_list.end());
  session.ticket.assign(ticket.begin(), ticket.end());
  if (!plausible(session)) return std::unexpected(SessionError::malformed);
  return session;
}

std::string_view name(SessionError error) noexcept {
  switch (error) {
    case SessionError::truncated: return "truncated";
    case SessionError::trailing_data: return "trailing_data";
    case SessionError::unsupported_version: return "unsupported_version";
    case SessionError::malformed: return "malformed";
  }
  return {};
}

namespace {

std::size_t psk_size(CipherSuite suite) noexcept {
  const std::optional<SuiteParts> known = parts(suite);
  if (!known) return 0;
  switch (known->hash) {
    case HashAlgorithm::sha256: return 32;
    case HashAlgorithm::sha384: return 48;
    case HashAlgorithm::sha512: return 64;
  }
  return 0;
}

bool plausible(const Session& session) noexcept {
  return session.version == ProtocolVersion::tls_1_3 && !session.psk.empty() &&
         session.psk.size() == psk_size(session.suite) && session.issued_at >= Time{} &&
         session.lifetime >= std::chrono::seconds{0} && session.lifetime <= kMaxTicketLifetime &&
         std::ranges::none_of(session.peer.chain, [](const auto& certificate) { return certificate.empty(); });
}

}  // namespace

}  // namespace lockstep
