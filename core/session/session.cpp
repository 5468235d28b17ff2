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

constexpr std::uint8_t kFormat = 3;
constexpr std::uint8_t kPeerVerified = 0x01;
constexpr std::uint8_t kExtendedMasterSecret = 0x02;
constexpr unsigned kMaxFragmentLengthShift = 2;  // in three bits
constexpr std::uint8_t kMaxFragmentLengthMask = 0x1c;
constexpr std::uint8_t kUnverified = 0x20;
constexpr std::size_t kUnverifiedSize = 1 + 2;   // only with that flag
constexpr std::uint8_t kMostFragmentLength = 4;  // RFC 6066 4
constexpr std::size_t kMaxSessionId = 32;        // RFC 5246 7.4.1.2: "opaque SessionID<0..32>"
constexpr std::size_t kMasterSecretSize = 48;    // RFC 5246 8.1

/// What does not vary: format, version, suite, flags, three times, lifetime, ticket_age_add, max_early_data, context,
/// the name's kind, and the length of each of the ten vectors.
constexpr std::size_t kFixedSize =
    1 + 2 + 2 + 1 + 3 * 8 + 4 + 4 + 4 + sizeof(SessionContext) + 1 + (1 + 1 + 1 + 1 + 2 + 2 + 3 + 2 + 2 + 2);

/// One certificate of the chain. Elements are Bytes.
struct SessionCertificate {
  static constexpr std::size_t max_count = codec::kMaxCertificates;
  static Bytes read(codec::Reader& reader) noexcept { return reader.vector24(1); }
};

/// The length of the secret that sessions of this version and suite have; 0 where there are none.
std::size_t secret_size(ProtocolVersion version, CipherSuite suite) noexcept;

void write_time(codec::Writer& writer, Time time) noexcept;
/// Nothing for what no Time can be.
std::optional<Time> read_time(codec::Reader& reader) noexcept;

/// The bytes of a name, by its kind.
Bytes bytes_of(const x509::PeerName& name) noexcept;
/// Nothing when the bytes are no name of this kind, or one that is written otherwise.
std::optional<x509::PeerName> name_of(std::uint8_t kind, Bytes bytes);

/// Whether the values are ones that a session can have, whether it is being written or read.
bool plausible(const Session& session) noexcept;

}  // namespace

Session Session::clone() const {
  Session copy;
  copy.version = version;
  copy.suite = suite;
  copy.secret = secret.clone();
  copy.ticket = ticket;
  copy.session_id = session_id;
  copy.extended_master_secret = extended_master_secret;
  copy.max_fragment_length = max_fragment_length;
  copy.ticket_age_add = ticket_age_add;
  copy.issued_at = issued_at;
  copy.lifetime = lifetime;
  copy.authenticated_at = authenticated_at;
  copy.verified_until = verified_until;
  copy.max_early_data = max_early_data;
  copy.peer_verified = peer_verified;
  copy.context = context;
  copy.name = name;
  copy.alpn = alpn;
  copy.identity = identity;
  copy.application_data = application_data;
  copy.peer = peer;
  copy.unverified = unverified;
  return copy;
}

Time Session::authentication_ends(std::chrono::seconds max_authentication_age) const noexcept {
  const std::chrono::milliseconds age = std::min(max_authentication_age, kMaxAuthenticationAge);
  if (authenticated_at > verified_until - age) return verified_until;  // which may be without limit
  return authenticated_at + age;
}

bool Session::usable(Time now, std::chrono::seconds max_authentication_age) const noexcept {
  const auto dated = [now](Time then) { return then <= now || then - now <= kMaxClockSkew; };
  // RFC 9846 4.7.1: "Clients MUST NOT use tickets for longer than 7 days after issuance, regardless of the
  // ticket_lifetime".
  // RFC 9846 4.3.11.1: "Clients MUST NOT attempt to use tickets which have ages greater than the "ticket_lifetime"
  // value which was provided with the ticket."
  return now >= Time{} && dated(issued_at) && now - issued_at < std::min(lifetime, kMaxTicketLifetime) &&
         dated(authenticated_at) && now < authentication_ends(max_authentication_age);
}

std::uint32_t Session::obfuscated_ticket_age(Time now) const noexcept {
  // Both moments are cut off to milliseconds, so that what lies between them may be less than it seems by almost one.
  // GnuTLS refuses early data that comes with an age above what its own clock says.
  const auto age = now - issued_at - std::chrono::milliseconds(1);
  // A clock that was set back must not turn the age into weeks.
  return static_cast<std::uint32_t>(std::max(age, Time::duration::zero()).count()) + ticket_age_add;
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
  const PeerCertificates none;
  const PeerCertificates& shown = peer == nullptr ? none : *peer;
  codec::Writer writer(out);
  writer.u8(kFormat);
  writer.code_point(version);
  writer.code_point(suite);
  writer.u8(static_cast<std::uint8_t>(
      (peer_verified ? kPeerVerified : 0U) | (extended_master_secret ? kExtendedMasterSecret : 0U) |
      (unverified ? kUnverified : 0U) | static_cast<unsigned>(max_fragment_length) << kMaxFragmentLengthShift));
  write_time(writer, issued_at);
  writer.u32(static_cast<std::uint32_t>(lifetime.count()));
  write_time(writer, authenticated_at);
  write_time(writer, verified_until);
  writer.u32(ticket_age_add);
  writer.u32(max_early_data);
  writer.bytes(context);
  writer.u8(static_cast<std::uint8_t>(name.kind()));
  writer.opaque8(bytes_of(name));
  writer.opaque8(secret.view());
  writer.opaque8(session_id);
  writer.opaque8(as_bytes(alpn));
  writer.opaque16(identity);
  writer.opaque16(application_data);
  {
    const auto chain = writer.vector24();
    for (const auto& certificate : shown.chain) writer.opaque24(certificate);
  }
  writer.opaque16(shown.ocsp_response);
  writer.opaque16(shown.sct_list);
  writer.opaque16(ticket);
  if (unverified) {
    writer.u8(static_cast<std::uint8_t>(unverified.reason));
    writer.u16(unverified.detail);
  }
  if (!writer.ok()) {
    wipe(out);
    return 0;
  }
  return writer.size();
}

std::size_t Session::serialized_size() const noexcept {
  std::size_t size = kFixedSize + (unverified ? kUnverifiedSize : 0) + bytes_of(name).size() + secret.size() +
                     session_id.size() + alpn.size() + identity.size() + application_data.size() + ticket.size();
  if (peer != nullptr) {
    size += peer->ocsp_response.size() + peer->sct_list.size();
    for (const auto& certificate : peer->chain) size += 3 + certificate.size();
  }
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
  const std::optional<Time> issued_at = read_time(reader);
  session.lifetime = std::chrono::seconds(reader.u32());
  const std::optional<Time> authenticated_at = read_time(reader);
  const std::optional<Time> verified_until = read_time(reader);
  session.ticket_age_add = reader.u32();
  session.max_early_data = reader.u32();
  const Bytes context = reader.bytes(sizeof(SessionContext));
  const std::uint8_t name_kind = reader.u8();
  const Bytes name_bytes = reader.vector8();
  const Bytes secret = reader.vector8();
  const Bytes session_id = reader.vector8();
  const Bytes alpn = reader.vector8();
  const Bytes identity = reader.vector16();
  const Bytes application_data = reader.vector16();
  const Bytes chain_bytes = reader.vector24();
  const Bytes ocsp_response = reader.vector16();
  const Bytes sct_list = reader.vector16();
  const Bytes ticket = reader.vector16();
  const bool unverified = (flags & kUnverified) != 0;
  if (unverified) session.unverified = {.reason = static_cast<Reason>(reader.u8()), .detail = reader.u16()};
  switch (reader.finish()) {
    case Reason::none: break;
    case Reason::message_trailing_data: return std::unexpected(SessionError::trailing_data);
    default: return std::unexpected(SessionError::truncated);
  }

  codec::Reader chain_reader(chain_bytes);
  const auto chain = codec::read_list<SessionCertificate>(chain_reader, chain_reader.remaining());
  std::optional<x509::PeerName> peer_name = name_of(name_kind, name_bytes);
  if (!chain_reader.ok() ||
      (flags & ~(kPeerVerified | kExtendedMasterSecret | kMaxFragmentLengthMask | kUnverified)) != 0 ||
      unverified != static_cast<bool>(session.unverified) || !issued_at || !authenticated_at || !verified_until ||
      !peer_name || secret.size() > DigestSecret::capacity()) {
    return std::unexpected(SessionError::malformed);
  }
  session.peer_verified = (flags & kPeerVerified) != 0;
  session.extended_master_secret = (flags & kExtendedMasterSecret) != 0;
  session.max_fragment_length = static_cast<std::uint8_t>((flags & kMaxFragmentLengthMask) >> kMaxFragmentLengthShift);
  session.issued_at = *issued_at;
  session.authenticated_at = *authenticated_at;
  session.verified_until = *verified_until;
  std::ranges::copy(context, session.context.begin());
  session.name = std::move(*peer_name);
  session.secret = DigestSecret(secret);
  session.session_id.assign(session_id.begin(), session_id.end());
  session.alpn = as_text(alpn);
  session.identity.assign(identity.begin(), identity.end());
  session.application_data.assign(application_data.begin(), application_data.end());
  if (!chain.empty() || !ocsp_response.empty() || !sct_list.empty()) {
    PeerCertificates peer;
    for (const Bytes certificate : chain) peer.chain.emplace_back(certificate.begin(), certificate.end());
    peer.ocsp_response.assign(ocsp_response.begin(), ocsp_response.end());
    peer.sct_list.assign(sct_list.begin(), sct_list.end());
    session.peer = std::make_shared<const PeerCertificates>(std::move(peer));
  }
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

std::size_t secret_size(ProtocolVersion version, CipherSuite suite) noexcept {
  const std::optional<SuiteParts> known = parts(suite);
  if (!known || known->version != version) return 0;
  if (version == ProtocolVersion::tls_1_2) return kMasterSecretSize;
  switch (known->hash) {
    case HashAlgorithm::sha256: return 32;
    case HashAlgorithm::sha384: return 48;
    case HashAlgorithm::sha512: return 64;
  }
  return 0;
}

void write_time(codec::Writer& writer, Time time) noexcept {
  const auto ticks = static_cast<std::uint64_t>(time.time_since_epoch().count());
  writer.u32(static_cast<std::uint32_t>(ticks >> 32U));
  writer.u32(static_cast<std::uint32_t>(ticks));
}

std::optional<Time> read_time(codec::Reader& reader) noexcept {
  const std::uint64_t high = reader.u32();
  const std::uint64_t ticks = high << 32U | reader.u32();
  if (ticks > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return std::nullopt;
  return Time(std::chrono::milliseconds(static_cast<std::int64_t>(ticks)));
}

Bytes bytes_of(const x509::PeerName& name) noexcept {
  return name.kind() == x509::PeerName::Kind::dns ? as_bytes(name.host_name()) : name.address();
}

std::optional<x509::PeerName> name_of(std::uint8_t kind, Bytes bytes) {
  using Kind = x509::PeerName::Kind;
  if (kind == static_cast<std::uint8_t>(Kind::any))
    return bytes.empty() ? std::optional<x509::PeerName>(x509::NoNameCheck{}) : std::nullopt;
  auto name =
      kind == static_cast<std::uint8_t>(Kind::dns) ? x509::PeerName::dns(as_text(bytes)) : x509::PeerName::ip(bytes);
  if (!name || static_cast<std::uint8_t>(name->kind()) != kind || !equal(bytes_of(*name), bytes)) return std::nullopt;
  return std::move(*name);
}

bool plausible(const Session& session) noexcept {
  const bool tls13 = session.version == ProtocolVersion::tls_1_3;
  return !session.secret.empty() && session.secret.size() == secret_size(session.version, session.suite) &&
         session.session_id.size() <= (tls13 ? 0 : kMaxSessionId) && !(tls13 && session.extended_master_secret) &&
         session.max_fragment_length <= (tls13 ? 0 : kMostFragmentLength) && session.issued_at >= Time{} &&
         session.authenticated_at >= Time{} && session.verified_until >= Time{} &&
         !(session.peer_verified && session.unverified) && session.lifetime >= std::chrono::seconds{0} &&
         session.lifetime <= kMaxTicketLifetime &&
         (session.peer == nullptr || (*session.peer != PeerCertificates{} &&
                                      std::ranges::none_of(session.peer->chain, &std::vector<std::uint8_t>::empty)));
}

}  // namespace

}  // namespace lockstep
