#include "handshake/hello.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "handshake/authentication13.hpp"
#include "handshake/record_limits.hpp"
#include "handshake/renegotiation.hpp"
#include "handshake/sessions.hpp"
#include "key_schedule/key_log.hpp"

namespace lockstep::handshake {
namespace {

// RFC 9846 4.3.1: "Implementations of this specification MUST send this extension in the ClientHello containing all
// versions of TLS which they are prepared to negotiate (for this specification, that means minimally 0x0304, but if
// previous versions of TLS are allowed to be negotiated, they MUST be present as well)."
// Newest first.
constexpr std::array kVersions{ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_2};
constexpr std::array kPskModes{PskKeyExchangeMode::psk_dhe_ke, PskKeyExchangeMode::psk_ke};
constexpr std::array kPlainPskModes{PskKeyExchangeMode::psk_ke, PskKeyExchangeMode::psk_dhe_ke};

// RFC 9846 2.2: without (EC)DHE, PSKs are used "at the cost of losing forward secrecy for the application data".
std::span<const PskKeyExchangeMode> psk_modes(PskWithoutDhe mode) noexcept {
  switch (mode) {
    case PskWithoutDhe::never: return std::span(kPskModes).first(1);
    case PskWithoutDhe::allow: return kPskModes;
    case PskWithoutDhe::prefer: return kPlainPskModes;
  }
  return {};
}
// A ClientHello without its shares, PSKs, names and lists: fixed fields and the small extensions, with room to spare.
constexpr std::size_t kHelloBase = 512;

std::size_t size_of(const codec::ClientHelloParameters& hello) noexcept {
  std::size_t size =
      kHelloBase + hello.cookie.size() + hello.server_name.size() +
      2 * (hello.cipher_suites.size() + hello.supported_groups.size() + hello.signature_algorithms.size() +
           hello.signature_algorithms_cert.size() + hello.compress_certificate.size());
  for (const auto& share : hello.key_shares) size += 4 + share.key_exchange.size();
  for (const auto& protocol : hello.application_layer_protocol_negotiation) size += 1 + protocol.size();
  for (const auto& name : hello.certificate_authorities) size += 2 + name.size();
  if (hello.session_ticket) size += hello.session_ticket->size();
  for (const auto& psk : hello.pre_shared_keys) size += 2 + psk.identity.size() + 4 + 1 + psk.binder_length;
  return size;
}

// RFC 9846 4.3.11.2: each binder is a MAC over the transcript up to and including the ClientHello without its binders.
Status fill_binders(Context& context, const Offer& offer, const codec::EncodedClientHello& hello) noexcept {
  if (!offer.offers_psks()) return {};
  const Bytes truncated = hello.message.first(hello.binders_offset);
  // In a second ClientHello the messages before count too; all PSKs left are of the transcript's hash then.
  if (context.transcript.started()) context.transcript.update(truncated);
  std::size_t place = 0;
  const auto fill = [&](const Hash& hash, key_schedule::PskKind kind, Bytes key) noexcept {
    const auto digest =
        context.transcript.started() ? context.transcript.digest() : key_schedule::digest_of(hash, {truncated});
    const auto early = key_schedule::EarlySecret::from_psk(hash, key);
    if (!digest || !early) return false;
    const auto binder = early->binder(kind, *digest);
    return binder && codec::fill_binder(hello, place++, binder->view());
  };
  for (const auto& [session, hash] : offer.sessions) {
    if (!fill(*hash, key_schedule::PskKind::resumption, session->secret.view()))
      return context.fail(Reason::provider_failed);
  }
  for (const ExternalPsk& psk : offer.psks) {
    if (!fill(*psk.hash, psk.kind, psk.key)) return context.fail(Reason::provider_failed);
  }
  return {};
}

// RFC 9846 4.3.10: early data goes under the first PSK, with the suite and the application protocol of its session.
bool offers_early_data(const Context& context, const Offer& offer) noexcept {
  const Settings& settings = context.settings();
  // RFC 9846 4.3.10: "it MUST supply both the "pre_shared_key" and "early_data" extensions. ... The PSK used to encrypt
  // the early data MUST be the first PSK listed in the client's "pre_shared_key" extension."
  if (settings.early_data == 0 || offer.sessions.empty()) return false;
  const Session& session = *offer.sessions.front().session;
  return session.max_early_data != 0 &&
         (session.alpn.empty() || std::ranges::find(settings.alpn, session.alpn) != settings.alpn.end());
}

}  // namespace

namespace {

// Room for shares and for the entries that point at them.
std::expected<std::span<codec::KeyShareEntry>, Error> room_for_shares(Context& context, KeyExchanges& exchanges,
                                                                      std::size_t count) noexcept {
  const auto entries = context.arena.array<codec::KeyShareEntry>(count);
  if (!exchanges.allocate(context.arena, count) || entries.size() != count)
    return context.fail(Reason::handshake_too_large);
  return entries;
}

}  // namespace

Status make_shares(Context& context, Offer& offer, std::span<const NamedGroup> groups) noexcept {
  KeyExchanges exchanges;
  const auto entries = room_for_shares(context, exchanges, groups.size());
  if (!entries) return std::unexpected(entries.error());
  // RFC 9846 4.3.8: "The key_exchange values for each KeyShareEntry MUST be generated independently. ... Clients and
  // Servers MUST NOT reuse a key share for multiple connections."
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const BoundGroup& group = *context.config().group(groups[i]);
    const auto share = context.scratch(group.client_share_size());
    if (!share) return std::unexpected(share.error());
    WatchedRandom random(context.random);
    if (exchanges.all()[i].generate(group, random, *share) != GroupResult::ok)
      return context.fail(random.failed() ? Reason::random_failed : Reason::provider_failed,
                          static_cast<std::uint16_t>(group.id));
    (*entries)[i] = {group.id, *share};
  }
  offer.shares = std::move(exchanges);
  offer.share_entries = *entries;
  return {};
}

Status take_shares(Context& context, Offer& offer, const SharesMade& made) noexcept {
  KeyExchanges exchanges;
  const auto entries = room_for_shares(context, exchanges, made.pairs.size());
  if (!entries) return std::unexpected(entries.error());
  for (std::size_t i = 0; i < made.pairs.size(); ++i) {
    MadeKeyPair& pair = made.pairs[i];
    if (pair.result != GroupResult::ok)
      return context.fail(Reason::provider_failed, static_cast<std::uint16_t>(pair.group.id));
    const Bytes share = context.arena.copy(pair.share);
    if (share.size() != pair.share.size()) return context.fail(Reason::handshake_too_large);
    exchanges.all()[i] = std::move(pair.exchange);
    (*entries)[i] = {pair.group.id, share};
  }
  offer.shares = std::move(exchanges);
  offer.share_entries = *entries;
  return {};
}

Status send_client_hello(Context& context, Offer& offer) noexcept {
  const Settings& settings = context.settings();
  const std::size_t most_suites = settings.suites.size() + 1;  // with a signalling one
  auto suites = context.arena.array<CipherSuite>(most_suites);
  const auto groups = context.arena.array<NamedGroup>(settings.groups.size());
  const auto authorities = context.arena.array<Bytes>(settings.certificate_authorities.size());
  const std::size_t psk_count = offer.sessions.size() + offer.psks.size();
  const auto psks = context.arena.array<codec::PskOffer>(psk_count);
  if (suites.size() != most_suites || groups.size() != settings.groups.size() ||
      authorities.size() != settings.certificate_authorities.size() || psks.size() != psk_count)
    return context.fail(Reason::handshake_too_large);
  std::size_t suite_count = 0;
  for (const BoundSuite& suite : settings.suites) {
    if (context.speaks(suite.version)) suites[suite_count++] = suite.suite;
  }
  // RFC 7507 4: behind all others, in the first handshake of a connection.
  if (settings.fallback_scsv && context.former == nullptr) suites[suite_count++] = CipherSuite::fallback_scsv;
  suites = suites.first(suite_count);
  // RFC 9846 4.3.7: "The "named_group_list" MUST NOT contain any duplicate entries." No setting lists one twice.
  std::ranges::transform(settings.groups, groups.begin(), &BoundGroup::id);
  std::ranges::transform(settings.certificate_authorities, authorities.begin(),
                         [](const auto& name) { return Bytes(name); });
  const auto behind =
      std::ranges::transform(offer.sessions, psks.begin(), [&](const OfferedSession& offered) {
        return codec::PskOffer{offered.session->ticket, offered.session->obfuscated_ticket_age(context.now),
                               offered.hash->digest_size};
      }).out;
  // RFC 9846 4.3.11: "For identities established externally, an obfuscated_ticket_age of 0 SHOULD be used, and servers
  // MUST ignore the value."
  std::ranges::transform(offer.psks, behind, [](const ExternalPsk& psk) {
    return codec::PskOffer{psk.identity, 0, psk.hash->digest_size};
  });

  const auto compression = decompressed_here(context);
  if (!compression) return std::unexpected(compression.error());
  codec::ClientHelloParameters hello;
  hello.random = context.client_random;
  hello.legacy_session_id = offer.legacy_session_id;
  hello.cipher_suites = suites;
  hello.server_name = context.server_name;
  std::array<ProtocolVersion, kVersions.size()> versions{};
  const auto end = std::ranges::copy_if(kVersions, versions.begin(), [&](ProtocolVersion version) {
                     return context.speaks(version);
                   }).out;
  hello.supported_versions = std::span(versions.begin(), end);
  hello.supported_groups = groups;
  hello.key_shares = offer.share_entries;
  hello.signature_algorithms = settings.schemes;
  hello.signature_algorithms_cert = settings.schemes_cert;
  // The protocol that the connection speaks is settled by its first handshake.
  if (context.former == nullptr) hello.application_layer_protocol_negotiation = settings.alpn;
  hello.certificate_authorities = authorities;
  hello.status_request = settings.ocsp_stapling;
  hello.signed_certificate_timestamp = settings.signed_certificate_timestamps;
  // RFC 9846 4.3.9: also without PSKs to offer, so that the server sends tickets.
  // RFC 9846 4.3.9: "To use PSKs, clients MUST also send a "psk_key_exchange_modes" extension. ... A client MUST
  // provide a "psk_key_exchange_modes" extension if it offers a "pre_shared_key" extension."
  if ((settings.resumption || !offer.psks.empty()) && context.speaks(ProtocolVersion::tls_1_3))
    hello.psk_key_exchange_modes = psk_modes(settings.psk_without_dhe);
  if (settings.ticket_request && context.speaks(ProtocolVersion::tls_1_3))
    hello.ticket_request = codec::TicketRequest{settings.new_session_count, settings.resumption_count};
  hello.pre_shared_keys = psks;
  // RFC 9846 4.3.2: "Clients MUST NOT use cookies in their initial ClientHello in subsequent connections."
  hello.cookie = offer.cookie;
  hello.early_data = offer.early_data;
  if (settings.record_size_limit != 0) hello.record_size_limit = settings.record_size_limit;
  if (const std::uint8_t code = max_fragment_length_code(settings.max_fragment_length); code != 0)
    hello.max_fragment_length = code;
  // RFC 8879 3: "This extension is only supported with TLS 1.3 and newer"
  if (context.speaks(ProtocolVersion::tls_1_3)) hello.compress_certificate = *compression;
  hello.grease = offer.grease;
  hello.permutation_seed = offer.permutation_seed;

  if (context.speaks(ProtocolVersion::tls_1_2)) {
    hello.extended_main_secret = true;
    // RFC 5746 3.4: "The client MUST include either an empty "renegotiation_info" extension, or the
    // TLS_EMPTY_RENEGOTIATION_INFO_SCSV signaling cipher suite value in the ClientHello."
    // RFC 5746 3.5: "The client MUST include the "renegotiation_info" extension in the ClientHello, containing the
    // saved client_verify_data. The SCSV MUST NOT be included."
    hello.renegotiation_info = context.former == nullptr ? Bytes() : context.former->client_verify_data();
    hello.next_protocol_negotiation = !settings.next_protocols.empty() && context.former == nullptr;
    // RFC 8422 4: "The client MUST NOT include these extensions in the ClientHello message if it does not propose any
    // ECC cipher suites." supported_groups has become more than that (RFC 7919 2, RFC 9846 4.3.7).
    hello.ec_point_formats = std::ranges::any_of(
        settings.suites, [](KeyExchangeMethod method) { return method == KeyExchangeMethod::ecdhe; },
        &BoundSuite::key_exchange);
    hello.encrypt_then_mac = settings.encrypt_then_mac && std::ranges::any_of(settings.suites, &BoundSuite::cbc);
    if (settings.resumption)
      hello.session_ticket = offer.session12 == nullptr ? Bytes() : Bytes(offer.session12->ticket);
  }

  const auto room = context.scratch(size_of(hello));
  if (!room) return std::unexpected(room.error());
  codec::Writer writer(*room);
  const codec::EncodedClientHello encoded = codec::encode_client_hello(writer, hello);
  if (encoded.message.empty()) return context.fail(Reason::handshake_too_large);
  if (auto filled = fill_binders(context, offer, encoded); !filled) return filled;
  offer.client_hello = encoded.message;
  context.offered = encoded.offered;
  context.send_client_hello(offer.client_hello, offer.offers_psks() ? encoded.binders_offset : 0);
  context.end_flight();
  return {};
}

std::expected<Offer, Error> prepare_offer(Context& context, std::span<const Session> sessions,
                                          std::span<const ExternalPsk> psks) noexcept {
  const Settings& settings = context.settings();
  Offer offer;
  if (!context.random.fill(context.client_random)) return context.fail(Reason::random_failed);
  const auto session12 =
      std::ranges::find_if(sessions, [&](const Session& session) { return offerable12(context, session); });
  if (session12 != sessions.end()) offer.session12 = &*session12;
  if (offer.session12 != nullptr && !offer.session12->session_id.empty()) {
    offer.legacy_session_id = offer.session12->session_id;
  } else if ((settings.middlebox_compatibility && context.speaks(ProtocolVersion::tls_1_3)) ||
             offer.session12 != nullptr) {
    // RFC 9846 4.2.2: "In compatibility mode (see Appendix E.4), this field MUST be non-empty, so a client not offering
    // a pre-TLS 1.3 session MUST generate a new 32-byte value."
    const auto id = context.draw(codec::kMaxSessionIdSize);
    if (!id) return std::unexpected(id.error());
    offer.legacy_session_id = *id;
  }
  // RFC 9846 4.2.2: "Otherwise, it MUST be set as a zero-length list"
  // RFC 5077 3.4: "When presenting a ticket, the client MAY generate and include a Session ID in the TLS ClientHello."
  context.transport.middlebox_compatibility(settings.middlebox_compatibility &&
                                            context.speaks(ProtocolVersion::tls_1_3));
  if (settings.grease) {
    std::array<std::uint8_t, 13> random{};
    if (!context.random.fill(random)) return context.fail(Reason::random_failed);
    offer.grease = codec::make_grease(std::span(random).first<5>());
    std::array<std::uint8_t, 8> seed{};
    std::ranges::copy(std::span(random).last<8>(), seed.begin());
    offer.permutation_seed = std::bit_cast<std::uint64_t>(seed);
  }

  const auto offered = context.arena.array<OfferedSession>(sessions.size());
  if (offered.size() != sessions.size()) return context.fail(Reason::handshake_too_large);
  std::size_t count = 0;
  // Best first: a server of ours reads no more.
  for (const Session& session : sessions) {
    if (count + psks.size() < codec::kMaxPskIdentities && offerable(context, session, psks))
      offered[count++] = {&session, context.config().suite(session.suite)->hash};
  }
  offer.sessions = offered.first(count);
  offer.psks = psks;
  offer.early_data = offers_early_data(context, offer);
  return offer;
}

void start_early_data(Context& context, const Offer& offer) noexcept {
  const auto& [session, hash] = offer.sessions.front();
  const auto digest = key_schedule::digest_of(*hash, {offer.client_hello});
  const auto early = key_schedule::EarlySecret::from_psk(*hash, session->secret.view());
  if (!digest || !early) return context.stop(Reason::provider_failed);
  const auto traffic = early->client_early_traffic_secret(*digest);
  if (!traffic) return context.stop(Reason::provider_failed);
  context.log_secret(key_schedule::key_log::kClientEarlyTrafficSecret, *traffic);
  context.transport.allow_early_data(std::min(session->max_early_data, context.settings().early_data));
  context.install(Level::early_data, Direction::send, Keys13{*context.config().suite(session->suite), *traffic});
}

Status prepare_second_offer(Context& context, Offer& offer, const BoundSuite& suite,
                            std::optional<NamedGroup> group) noexcept {
  // RFC 9846 4.2.4: "in its updated ClientHello, the client SHOULD NOT offer any pre-shared keys associated with a hash
  // other than that of the selected cipher suite."
  const auto kept = context.arena.array<OfferedSession>(offer.sessions.size());
  if (kept.size() != offer.sessions.size()) return context.fail(Reason::handshake_too_large);
  const auto end = std::ranges::copy_if(offer.sessions, kept.begin(), [&](const OfferedSession& offered) {
                     return offered.hash->id == suite.hash->id;
                   }).out;
  offer.sessions = kept.first(static_cast<std::size_t>(end - kept.begin()));
  const auto psks = context.arena.array<ExternalPsk>(offer.psks.size());
  if (psks.size() != offer.psks.size()) return context.fail(Reason::handshake_too_large);
  const auto last = std::ranges::copy_if(offer.psks, psks.begin(), [&](const ExternalPsk& psk) {
                      return psk.hash->id == suite.hash->id;
                    }).out;
  offer.psks = psks.first(static_cast<std::size_t>(last - psks.begin()));

  if (group && offer.grease) offer.grease->key_share = false;
  return {};
}

std::expected<ProtocolVersion, Error> settle_version(Context& context, const codec::ServerHello& hello) noexcept {
  // RFC 9846 4.3.1: "If this extension is present, clients MUST ignore the ServerHello.legacy_version value and MUST
  // use only the "supported_versions" extension to determine the selected version."
  if (hello.supported_versions) {
    // RFC 9846 4.3.1: "If the "supported_versions" extension in the ServerHello contains a version not offered by the
    // client or contains a version prior to TLS 1.3, the client MUST abort the handshake with an "illegal_parameter"
    // alert."
    if (*hello.supported_versions != ProtocolVersion::tls_1_3 || !context.settings().speaks(ProtocolVersion::tls_1_3))
      return context.fail(Reason::version_not_offered, static_cast<std::uint16_t>(*hello.supported_versions));
    return ProtocolVersion::tls_1_3;
  }
  // RFC 9846 4.2.3: "TLS 1.3 clients receiving a ServerHello indicating TLS 1.2 or below MUST check that the last 8
  // bytes are not equal to either of these values. ... If a match is found, the client MUST abort the handshake with an
  // "illegal_parameter" alert."
  const Bytes sentinel = hello.random.last(codec::kDowngradeToTls12.size());
  // RFC 9846 4.2.3: "TLS 1.2 clients SHOULD also check that the last 8 bytes are not equal to the second value if the
  // ServerHello indicates TLS 1.1 or below."
  const bool downgraded_from_tls13 =
      context.settings().speaks(ProtocolVersion::tls_1_3) &&
      (equal(sentinel, codec::kDowngradeToTls12) || equal(sentinel, codec::kDowngradeToTls11));
  if (downgraded_from_tls13 ||
      (rank(hello.legacy_version) < rank(ProtocolVersion::tls_1_2) && equal(sentinel, codec::kDowngradeToTls11)))
    return context.fail(Reason::version_downgrade, static_cast<std::uint16_t>(hello.legacy_version));
  if (hello.legacy_version == ProtocolVersion::tls_1_2 && context.settings().speaks(ProtocolVersion::tls_1_2))
    return ProtocolVersion::tls_1_2;
  if (rank(hello.legacy_version) <= rank(ProtocolVersion::ssl_3_0)) return context.fail(Reason::version_ssl3);
  return context.fail(Reason::version_unsupported, static_cast<std::uint16_t>(hello.legacy_version));
}

std::expected<ProtocolVersion, Error> settle_version(Context& context, const codec::ClientHello& hello) noexcept {
  const Settings& settings = context.settings();
  const auto common = [&](ProtocolVersion version) { return settings.speaks(version) && hello.offers(version); };
  if (common(ProtocolVersion::tls_1_3)) return ProtocolVersion::tls_1_3;
  // RFC 7507 3: "If TLS_FALLBACK_SCSV appears in ClientHello.cipher_suites and the highest protocol version supported
  // by the server is higher than the version indicated in ClientHello.client_version, the server MUST respond with a
  // fatal inappropriate_fallback alert".
  const bool newest = settings.max_version == ProtocolVersion::tls_1_2 && common(ProtocolVersion::tls_1_2);
  if (!newest && hello.offers(CipherSuite::fallback_scsv)) return context.fail(Reason::inappropriate_fallback);
  if (common(ProtocolVersion::tls_1_2)) return ProtocolVersion::tls_1_2;
  if (rank(hello.legacy_version) <= rank(ProtocolVersion::ssl_3_0)) return context.fail(Reason::version_ssl3);
  // RFC 9846 4.3.1: "If this extension is not present ... servers ... MUST negotiate TLS 1.2 or prior": not in this
  // configuration.
  return context.fail(Reason::version_unsupported, static_cast<std::uint16_t>(hello.legacy_version));
}

}  // namespace lockstep::handshake
