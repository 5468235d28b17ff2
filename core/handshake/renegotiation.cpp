#include "handshake/renegotiation.hpp"

#include <algorithm>
#include <chrono>

#include "handshake/key_exchange12.hpp"
#include "types/allocated.hpp"

namespace lockstep::handshake {
namespace {

// What the peer has shown in this handshake, or when the session was made that is resumed; empty: nothing that is
// known.
Bytes leaf_of(const Context& context) noexcept {
  if (!context.peer_chain.empty()) return context.peer_chain.front();
  const Session* const resumed = context.resumed_session;
  if (resumed == nullptr || resumed->peer == nullptr || resumed->peer->chain.empty()) return {};
  return resumed->peer->chain.front();
}

// Whether the peer is somebody: then it has to be the same one again.
bool is_somebody(const Context& context) noexcept {
  return context.config().role() == Role::client || context.client_verified ||
         (context.resumed_session != nullptr && context.resumed_session->peer_verified);
}

}  // namespace

Former::Former(const Context& context)
    : server_name(context.config().role() == Role::client ? context.server_name : std::string_view()),
      verification(context.verification),
      client_auth(context.client_auth) {
  if (context.expected_name != nullptr) expected_name = *context.expected_name;
  admitted_.reserve(context.settings().renegotiation_limit);
}

std::unique_ptr<Former> Former::of(const Context& context) noexcept {
  // Without the extension nobody could tell whose the handshake before was (RFC 5746 4.2, 4.4).
  // A peer is known again by its certificate.
  if (uses_psk(*context.agreed.suite)) return nullptr;
  if (context.settings().renegotiation == Renegotiation::never || !context.agreed.secure_renegotiation) return nullptr;
  // Whom nobody would know again is not asked who it is.
  if (is_somebody(context) && leaf_of(context).empty()) return nullptr;
  auto made = allocated([&] { return std::unique_ptr<Former>(new Former(context)); });
  if (!made || !(*made)->note(context)) return nullptr;
  return std::move(*made);
}

bool Former::renew(const Context& context) noexcept {
  client_auth = context.client_auth;
  ++renegotiations_;
  return note(context);
}

bool Former::note(const Context& context) noexcept {
  const bool client = context.config().role() == Role::client;
  const Bytes clients = client ? context.own_finished : context.peer_finished;
  const Bytes servers = client ? context.peer_finished : context.own_finished;
  std::ranges::copy(servers, std::ranges::copy(clients, verify_data_.begin()).out);
  const Bytes leaf = leaf_of(context);
  if (leaf.empty() || leaf_) return true;
  const Hash& hash = *context.agreed.suite->hash;
  const auto digest = key_schedule::digest_of(hash, {leaf});
  if (!digest) return false;
  leaf_ = Leaf{&hash, *digest};
  return true;
}

bool Former::admit(const Settings& settings, Time now) noexcept {
  if (!allows(settings)) return false;
  const std::chrono::seconds window(settings.renegotiation_window);
  if (admitted_.size() == settings.renegotiation_limit) {
    // A clock that goes back makes nobody wait less.
    if (now - admitted_.front() < window) return false;
    admitted_.erase(admitted_.begin());
  }
  admitted_.push_back(now);
  return true;
}

std::optional<bool> Former::same_peer(Bytes leaf) const noexcept {
  if (!leaf_) return true;
  if (leaf.empty()) return false;
  const auto digest = key_schedule::digest_of(*leaf_->hash, {leaf});
  if (!digest) return std::nullopt;
  return equal(digest->view(), leaf_->digest.view());
}

Status check_renegotiation_info(Context& context, const codec::ServerHello& hello) noexcept {
  const auto& info = hello.renegotiation_info;
  context.agreed.secure_renegotiation = info.has_value();
  if (context.former != nullptr) {
    // RFC 5746 3.5: "When a ServerHello is received, the client MUST verify that the "renegotiation_info" extension is
    // present; if it is not, the client MUST abort the handshake."
    if (!info) return context.fail(Reason::renegotiation_info_missing);
    // RFC 5746 3.5: "The client MUST then verify that the first half of the "renegotiated_connection" field is equal to
    // the saved client_verify_data value, and the second half is equal to the saved server_verify_data value. If they
    // are not, the client MUST abort the handshake."
    if (!constant_time_equal(*info, context.former->verify_data()))
      return context.fail(Reason::renegotiation_info_mismatch);
    return {};
  }
  // RFC 5746 3.4: "The client MUST then verify that the length of the "renegotiated_connection" field is zero, and if
  // it is not, MUST abort the handshake (by sending a fatal handshake_failure alert)."
  if (info && !info->empty()) return context.fail(Reason::renegotiation_info_mismatch);
  // RFC 5746 3.4: "In this case, some clients may want to terminate the handshake instead of continuing": a server that
  // does not know the extension may be made to take our handshake for the continuation of an attacker's
  // (CVE-2009-3555), and we cannot see that.
  if (!info && context.settings().renegotiation_info_required) return context.fail(Reason::renegotiation_info_missing);
  return {};
}

Status check_renegotiation_info(Context& context, const codec::ClientHello& hello) noexcept {
  const auto& info = hello.renegotiation_info;
  const bool signalled = hello.offers(CipherSuite::empty_renegotiation_info_scsv);
  context.agreed.secure_renegotiation = info || signalled;
  if (context.former != nullptr) {
    // RFC 5746 3.7: "When a ClientHello is received, the server MUST verify that it does not contain the
    // TLS_EMPTY_RENEGOTIATION_INFO_SCSV SCSV. If the SCSV is present, the server MUST abort the handshake."
    if (signalled) return context.fail(Reason::renegotiation_scsv);
    // RFC 5746 3.7: "The server MUST verify that the "renegotiation_info" extension is present; if it is not, the
    // server MUST abort the handshake."
    if (!info) return context.fail(Reason::renegotiation_info_missing);
    // RFC 5746 3.7: "The server MUST verify that the value of the "renegotiated_connection" field is equal to the saved
    // client_verify_data value; if it is not, the server MUST abort the handshake."
    if (!constant_time_equal(*info, context.former->client_verify_data()))
      return context.fail(Reason::renegotiation_info_mismatch);
    return {};
  }
  // RFC 5746 3.6: "The server MUST then verify that the length of the "renegotiated_connection" field is zero, and if
  // it is not, MUST abort the handshake."
  if (info && !info->empty()) return context.fail(Reason::renegotiation_info_mismatch);
  return {};
}

std::unexpected<Error> version_changed(const Context& context, ProtocolVersion version) noexcept {
  Error error = make_error(Reason::renegotiation_changed, context.place, static_cast<std::uint16_t>(version));
  error.alert = Alert::protocol_version;
  return std::unexpected(error);
}

Status check_extended_main_secret(Context& context, bool extended_main_secret) noexcept {
  // RFC 7627 5.2: "If a client receives a ServerHello without the extension, it SHOULD abort the handshake if it does
  // not wish to interoperate with legacy servers."
  // RFC 7627 5.2: "If the server receives a ClientHello without the extension, it SHOULD abort the handshake if it does
  // not wish to interoperate with legacy clients."
  if (!extended_main_secret && context.settings().extended_main_secret_required)
    return context.fail(Reason::extended_main_secret_missing);
  // Whoever has it in one handshake of a connection and not in the next is not one peer.
  if (context.former != nullptr && extended_main_secret != context.agreed.extended_main_secret)
    return context.fail(Reason::renegotiation_changed, static_cast<std::uint16_t>(ExtensionType::extended_main_secret));
  context.agreed.extended_main_secret = extended_main_secret;
  return {};
}

Status check_same_peer(Context& context, Bytes leaf) noexcept {
  const std::optional<bool> same = context.former == nullptr ? true : context.former->same_peer(leaf);
  if (!same) return context.fail(Reason::provider_failed);
  if (!*same) return context.fail(Reason::renegotiation_peer_changed);
  return {};
}

}  // namespace lockstep::handshake
