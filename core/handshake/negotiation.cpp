#include "handshake/negotiation.hpp"

#include <algorithm>

namespace lockstep::handshake {
namespace {

// The first of our groups, in the order of preference, for which `usable` says yes.
template <class Usable>
const BoundGroup* first_group(const Context& context, const codec::ClientHello& hello, Usable usable) noexcept {
  const Settings& settings = context.settings();
  if (settings.server_preference) {
    const auto found = std::ranges::find_if(settings.groups, [&](const BoundGroup& group) { return usable(group.id); });
    return found == settings.groups.end() ? nullptr : &*found;
  }
  for (const NamedGroup id : *hello.supported_groups) {
    const BoundGroup* group = context.config.group(id);
    if (group != nullptr && usable(id)) return group;
  }
  return nullptr;
}

std::optional<Bytes> share_of(const codec::ClientHello& hello, NamedGroup group) noexcept {
  for (const codec::KeyShareEntry& entry : *hello.key_share) {
    if (entry.group == group) return entry.key_exchange;
  }
  return std::nullopt;
}

// The client's machine has no fast AES if it puts ChaCha20-Poly1305 before every AES suite.
bool leads_with_chacha20(const codec::ClientHello& hello) noexcept {
  for (const CipherSuite suite : hello.cipher_suites) {
    if (parts(suite)) return suite == CipherSuite::tls_chacha20_poly1305_sha256;
  }
  return false;
}

}  // namespace

std::expected<const BoundSuite*, Error> choose_suite(Context& context, const codec::ClientHello& hello) noexcept {
  // RFC 9846 4.2.2: "If the list contains cipher suites that the server does not recognize, support, or wish to use,
  // the server MUST ignore those cipher suites and process the remaining ones as usual."
  const Settings& settings = context.settings();
  if (settings.server_preference && settings.hardware_aware && leads_with_chacha20(hello)) {
    if (const BoundSuite* suite = context.config.suite(CipherSuite::tls_chacha20_poly1305_sha256)) return suite;
  }
  if (settings.server_preference) {
    const auto found =
        std::ranges::find_if(settings.suites, [&](const BoundSuite& suite) { return hello.offers(suite.suite); });
    if (found != settings.suites.end()) return &*found;
  } else {
    for (const CipherSuite id : hello.cipher_suites) {
      if (const BoundSuite* suite = context.config.suite(id)) return suite;
    }
  }
  // RFC 9846 4.2.1: "If the server is unable to negotiate a supported set of parameters ..., it MUST abort the
  // handshake with either a "handshake_failure" or "insufficient_security" fatal alert"
  return context.fail(Reason::suite_unsupported);
}

std::expected<GroupChoice, Error> choose_group(Context& context, const codec::ClientHello& hello) noexcept {
  // RFC 9846 9.2 lets a ClientHello with pre_shared_key do without groups and shares, which psk_ke does not need. Here
  // every handshake has a key exchange. codec::check_tls13 has seen that there are both or none.
  if (!hello.supported_groups)
    return context.fail(Reason::extension_missing, static_cast<std::uint16_t>(ExtensionType::supported_groups));
  const auto common = first_group(context, hello, [&](NamedGroup id) { return hello.supported_groups->contains(id); });
  // RFC 9846 4.2.1: "If there is no overlap between the received "supported_groups" and the groups supported by the
  // server, then the server MUST abort the handshake with a "handshake_failure" or an "insufficient_security" alert."
  if (common == nullptr) return context.fail(Reason::group_unsupported);
  if (context.settings().retry_for_group) return GroupChoice{common, share_of(hello, common->id).value_or(Bytes{})};
  const auto with_share = first_group(context, hello, [&](NamedGroup id) { return share_of(hello, id).has_value(); });
  if (with_share != nullptr) return GroupChoice{with_share, *share_of(hello, with_share->id)};
  return GroupChoice{common, {}};
}

Status choose_alpn(Context& context, const codec::ClientHello& hello) noexcept {
  const auto& ours = context.settings().alpn;
  if (ours.empty() || !hello.application_layer_protocol_negotiation) return {};
  const auto& theirs = *hello.application_layer_protocol_negotiation;
  for (const std::string& protocol : ours) {
    const bool offered = std::ranges::any_of(theirs, [&](Bytes name) { return as_text(name) == protocol; });
    if (!offered) continue;
    context.agreed.alpn = &protocol;
    return {};
  }
  // RFC 7301 3.2: "In the event that the server supports no protocols that the client advertises, then the server SHALL
  // respond with a fatal "no_application_protocol" alert."
  return context.fail(Reason::alpn_mismatch);
}

}  // namespace lockstep::handshake
