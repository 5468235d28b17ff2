#include "handshake/negotiation.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <ranges>

#include "handshake/authentication12.hpp"
#include "handshake/key_exchange12.hpp"

namespace lockstep::handshake {
namespace {

// Where in a list of ours each entry of the client's list stands is looked up once, so that the work is linear in what
// the client sent, whatever it repeats.
template <class Ours, class Id, class IdOfOurs>
std::optional<std::size_t> place_in(const Ours& ours, const Id& id, IdOfOurs id_of_ours) noexcept {
  const auto found = std::ranges::find(ours, id, id_of_ours);
  if (found == ours.end()) return std::nullopt;
  return static_cast<std::size_t>(found - ours.begin());
}

// The place of the common entry to take: our first, and the client's first of those that are of one rank to us; or the
// client's first.
template <class Theirs, class PlaceOf, class RankOf = std::identity>
std::optional<std::size_t> choose(const Theirs& theirs, bool our_preference, PlaceOf place_of,
                                  RankOf rank_of = {}) noexcept {
  std::optional<std::size_t> best;
  for (const auto& entry : theirs) {
    const std::optional<std::size_t> place = place_of(entry);
    if (!place) continue;
    if (!our_preference) return place;
    if (!best || rank_of(*place) < rank_of(*best)) best = place;
  }
  return best;
}

struct RankOfSuite {
  const std::vector<BoundSuite>& suites;
  std::size_t operator()(std::size_t place) const noexcept { return suites[place].rank; }
};

// More groups than there are: a configuration names each once.
constexpr std::size_t kMostGroups = 64;

// The client's machine has no fast AES if it puts ChaCha20-Poly1305 before every AES suite.
bool leads_with_chacha20(const codec::ClientHello& hello, ProtocolVersion version) noexcept {
  for (const CipherSuite suite : hello.cipher_suites) {
    const std::optional<SuiteParts> known = parts(suite);
    if (known && known->version == version) return known->aead == AeadAlgorithm::chacha20_poly1305;
  }
  return false;
}

}  // namespace

const BoundSuite* suite_in_common(const Context& context, const codec::ClientHello& hello,
                                  std::optional<HashAlgorithm> hash) noexcept {
  // RFC 9846 4.2.2: "If the list contains cipher suites that the server does not recognize, support, or wish to use,
  // the server MUST ignore those cipher suites and process the remaining ones as usual."
  const Settings& settings = context.settings();
  if (settings.server_preference && settings.hardware_aware && leads_with_chacha20(hello, ProtocolVersion::tls_1_3)) {
    const BoundSuite* const suite = context.config().suite(CipherSuite::tls_chacha20_poly1305_sha256);
    if (suite != nullptr && (!hash || suite->hash->id == *hash)) return suite;
  }
  const auto place_of = [&](CipherSuite id) -> std::optional<std::size_t> {
    const auto place = place_in(settings.suites, id, &BoundSuite::suite);
    if (!place || settings.suites[*place].version != ProtocolVersion::tls_1_3) return std::nullopt;
    return !hash || settings.suites[*place].hash->id == *hash ? place : std::nullopt;
  };
  const auto chosen = choose(hello.cipher_suites, settings.server_preference, place_of, RankOfSuite{settings.suites});
  return chosen ? &settings.suites[*chosen] : nullptr;
}

std::expected<const BoundSuite*, Error> choose_suite(Context& context, const codec::ClientHello& hello,
                                                     std::optional<HashAlgorithm> hash) noexcept {
  if (const BoundSuite* const suite = suite_in_common(context, hello, hash)) return suite;
  // RFC 9846 4.2.1: "If the server is unable to negotiate a supported set of parameters ..., it MUST abort the
  // handshake with either a "handshake_failure" or "insufficient_security" fatal alert"
  return context.fail(Reason::suite_unsupported);
}

const BoundSuite* choose_suite12(const Context& context, const codec::ClientHello& hello,
                                 std::optional<KeyType> key) noexcept {
  const Settings& settings = context.settings();
  const bool common_group = choose_group12(context, hello) != nullptr;
  const bool common_field = choose_field_group(context, hello).has_value();
  const auto place_of = [&](CipherSuite id) -> std::optional<std::size_t> {
    const auto place = place_in(settings.suites, id, &BoundSuite::suite);
    if (!place) return std::nullopt;
    const BoundSuite& suite = settings.suites[*place];
    if (suite.version != ProtocolVersion::tls_1_2) return std::nullopt;
    if (!authenticates_by_psk(suite) && !(key && authenticates(suite, *key))) return std::nullopt;
    // With a pre-shared key no client is asked for the certificate that is demanded here, or that it has shown before.
    if (uses_psk(suite) && (context.client_auth == ClientAuth::require || context.former != nullptr))
      return std::nullopt;
    if (uses_group(suite) && !common_group) return std::nullopt;
    if (uses_field(suite) && !common_field) return std::nullopt;
    return place;
  };
  const bool follows_client = settings.hardware_aware && leads_with_chacha20(hello, ProtocolVersion::tls_1_2);
  const auto chosen = choose(hello.cipher_suites, settings.server_preference && !follows_client, place_of,
                             RankOfSuite{settings.suites});
  return chosen ? &settings.suites[*chosen] : nullptr;
}

bool usable_for_ecdhe(const BoundGroup& group) noexcept {
  // RFC 7027 gave brainpool's curves code points, RFC 8734 others for TLS 1.3.
  const bool newer_name = group.id == NamedGroup::brainpoolP256r1tls13 ||
                          group.id == NamedGroup::brainpoolP384r1tls13 || group.id == NamedGroup::brainpoolP512r1tls13;
  return !newer_name && group.second == nullptr && group.first->client_share_size == group.first->server_share_size &&
         !is_finite_field(group.id);
}

bool usable_in_tls13(NamedGroup group) noexcept { return as_listed(group) == group; }

const BoundGroup* choose_group12(const Context& context, const codec::ClientHello& hello) noexcept {
  const Settings& settings = context.settings();
  const auto place_of = [&](NamedGroup id) -> std::optional<std::size_t> {
    const auto place = place_in(settings.groups, id, &BoundGroup::id);
    return place && usable_for_ecdhe(settings.groups[*place]) ? place : std::nullopt;
  };
  // RFC 8422 4: "A client that proposes ECC cipher suites may choose not to include these extensions. In this case, the
  // server is free to choose any one of the elliptic curves or point formats listed in Section 5." P-256, which every
  // such client has.
  if (!hello.supported_groups) return context.config().group(NamedGroup::secp256r1);
  const auto chosen = choose(*hello.supported_groups, settings.server_preference_of_groups, place_of);
  return chosen ? &settings.groups[*chosen] : nullptr;
}

bool lists_finite_fields(const codec::ClientHello& hello) noexcept {
  return hello.supported_groups && std::ranges::any_of(*hello.supported_groups, is_finite_field);
}

std::optional<FieldGroup> choose_field_group(const Context& context, const codec::ClientHello& hello,
                                             std::size_t key_bits) noexcept {
  const Settings& settings = context.settings();
  const bool negotiates = lists_finite_fields(hello);
  // RFC 7919 4: "In this scenario, a server MAY select a non-FFDHE cipher suite, or it MAY select an FFDHE cipher suite
  // and offer an FFDHE group of its choice to the client as part of a traditional ServerKeyExchange."
  if (!negotiates && !settings.dh_parameters.empty())
    return field_group(context.config(), view_of(settings.dh_parameters));
  const auto choose_from = [&](const auto& theirs, std::size_t least_bits) -> std::optional<FieldGroup> {
    const auto chosen =
        choose(theirs, settings.server_preference_of_groups, [&](NamedGroup id) -> std::optional<std::size_t> {
          const auto place = place_in(settings.groups, id, &BoundGroup::id);
          const auto parameters = field_parameters(id);
          return parameters && bit_size(parameters->p) >= least_bits ? place : std::nullopt;
        });
    if (!chosen) return std::nullopt;
    const BoundGroup& group = settings.groups[*chosen];
    return FieldGroup{.parameters = *field_parameters(group.id), .named = group.first};
  };
  // RFC 7919 4: "if none of the client-proposed FFDHE groups are known and acceptable to the server, then the server
  // MUST NOT select an FFDHE cipher suite."
  // RFC 7919 4: "If a non-anonymous FFDHE cipher suite is selected and the TLS client has used this extension to offer
  // an FFDHE group of comparable or greater strength than the server's public key, the server SHOULD select an FFDHE
  // group at least as strong as the server's public key."
  const auto choose_by_strength = [&](const auto& theirs) {
    const auto strong = choose_from(theirs, key_bits);
    return strong ? strong : choose_from(theirs, 0);
  };
  if (negotiates) return choose_by_strength(*hello.supported_groups);
  return choose_by_strength(std::views::transform(settings.groups, &BoundGroup::id));
}

std::span<const std::string_view> offered_protocols(Context& context, const codec::ClientHello& hello) noexcept {
  if (!hello.application_layer_protocol_negotiation) return {};
  const auto names = context.arena.array<std::string_view>(hello.application_layer_protocol_negotiation->size());
  if (names.empty()) context.stop(Reason::handshake_too_large);
  std::ranges::transform(*hello.application_layer_protocol_negotiation | std::views::take(names.size()), names.begin(),
                         as_text);
  return names;
}

void ask_server_credential(Context& context, const codec::ClientHello& hello, std::span<const SignatureScheme> schemes,
                           std::span<const SignatureScheme> schemes_cert) noexcept {
  SelectCredential question;
  question.role = Role::server;
  if (hello.ec_point_formats) question.ec_point_formats = hello.ec_point_formats->raw();
  question.server_name = context.server_name;
  question.schemes = schemes;
  question.schemes_cert = schemes_cert;
  if (hello.certificate_authorities) {
    const auto names = context.arena.array<Bytes>(hello.certificate_authorities->size());
    if (names.empty()) return context.stop(Reason::handshake_too_large);
    std::size_t count = 0;
    for (const Bytes name : *hello.certificate_authorities) names[count++] = name;
    question.certificate_authorities = names;
  }
  question.alpn = context.agreed.protocol();
  question.alpn_offered = offered_protocols(context, hello);
  question.ocsp_requested = hello.status_request;
  question.scts_requested = hello.signed_certificate_timestamp;
  context.ask(std::move(question));
}

std::expected<GroupChoice, Error> choose_group(Context& context, const codec::ClientHello& hello) noexcept {
  // RFC 9846 9.2 lets a ClientHello with pre_shared_key do without groups and shares, which psk_ke does not need, and
  // nothing else does without. codec::check_tls13 has seen that there are both or none.
  if (!hello.supported_groups)
    return context.fail(Reason::extension_missing, static_cast<std::uint16_t>(ExtensionType::supported_groups));
  const Settings& settings = context.settings();
  const auto place_of = [&](NamedGroup id) {
    return usable_in_tls13(id) ? place_in(settings.groups, id, &BoundGroup::id) : std::nullopt;
  };
  std::array<Bytes, kMostGroups> shares;  // the client's, by the places of our groups; none of them is empty
  for (const codec::KeyShareEntry& entry : *hello.key_share) {
    if (const auto place = place_of(entry.group)) shares[*place] = entry.key_exchange;
  }
  const auto common = choose(*hello.supported_groups, settings.server_preference_of_groups, place_of);
  // RFC 9846 4.2.1: "If there is no overlap between the received "supported_groups" and the groups supported by the
  // server, then the server MUST abort the handshake with a "handshake_failure" or an "insufficient_security" alert."
  if (!common) return context.fail(Reason::group_unsupported);
  const auto with_share = choose(*hello.supported_groups, settings.server_preference_of_groups,
                                 [&](NamedGroup id) -> std::optional<std::size_t> {
                                   const auto place = place_of(id);
                                   return place && !shares[*place].empty() ? place : std::nullopt;
                                 });
  // A group without a share costs a HelloRetryRequest.
  const auto chosen = with_share && !settings.retry_for_group ? with_share : common;
  return GroupChoice{&settings.groups[*chosen], shares[*chosen]};
}

Status choose_alpn(Context& context, const codec::ClientHello& hello) noexcept {
  const std::span<const std::string> ours = context.alpn_choice.value_or(context.settings().alpn);
  if (ours.empty() || !hello.application_layer_protocol_negotiation) return {};
  const auto chosen = choose(*hello.application_layer_protocol_negotiation, true,
                             [&](Bytes name) { return place_in(ours, as_text(name), std::identity()); });
  if (chosen) {
    context.agreed.alpn = &ours[*chosen];
    return {};
  }
  // RFC 7301 3.2: "In the event that the server supports no protocols that the client advertises, then the server SHALL
  // respond with a fatal "no_application_protocol" alert."
  return context.fail(Reason::alpn_mismatch);
}

}  // namespace lockstep::handshake
