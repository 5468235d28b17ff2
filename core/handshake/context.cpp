#include "handshake/context.hpp"

#include <algorithm>
#include <new>

#include "codec/client_hello.hpp"
#include "handshake/external_psk.hpp"
#include "handshake/key_exchange12.hpp"
#include "key_schedule/key_log.hpp"
#include "trace/tap.hpp"

namespace lockstep::handshake {

std::expected<key_schedule::Digest, Error> Context::transcript_hash() const noexcept {
  const auto digest = transcript.digest();
  if (!digest) return fail(Reason::provider_failed);
  return *digest;
}

std::expected<MutableBytes, Error> Context::scratch(std::size_t size) noexcept {
  const MutableBytes memory = arena.allocate(size, 1);
  if (memory.data() == nullptr) return fail(Reason::handshake_too_large);
  return memory;
}

Bytes Context::send(Level level, Bytes encoded) noexcept {
  if (failure) return {};
  if (rewriter != nullptr) encoded = rewriter->rewrite(level, encoded);
  if (transcript.started()) transcript.update(encoded);
  stop_unless(transport.send(level, encoded));
  return encoded;
}

void Context::send_client_hello(Bytes& hello, std::size_t hashed) noexcept {
  if (failure) return;
  if (rewriter != nullptr) {
    hello = rewriter->rewrite(Level::initial, hello);
    offered = {};
    if (const auto sent = codec::ClientHello::decode(hello.subspan(codec::kHandshakeHeaderSize))) {
      for (const codec::Extension& extension : sent->extensions) offered.insert(extension.type);
    }
  }
  if (transcript.started()) transcript.update(hello.subspan(std::min(hashed, hello.size())));
  stop_unless(transport.send(Level::initial, hello));
}

void Context::install(Level level, Direction direction, const Keys& keys) noexcept {
  if (failure) return;
  if (direction == Direction::send) return stop_unless(transport.install_write(level, keys));
  // RFC 9846 5.1: "Handshake messages MUST NOT span key changes. Implementations MUST verify that all messages
  // immediately preceding a key change align with a record boundary; if not, then they MUST terminate the connection
  // with an "unexpected_message" alert."
  const auto aligned = inbox.aligned();
  if (!aligned) return stop(make_error(Reason::record_after_key_change, Place::record));
  stop_unless(transport.install_read(level, keys, *aligned));
}

void Context::limit_records(const RecordLimits& limits) noexcept {
  if (!failure) stop_unless(transport.limit_records(limits));
}

void Context::end_flight() noexcept {
  if (!failure) stop_unless(transport.end_flight());
}

void Context::end_early_data() noexcept {
  if (!failure) stop_unless(transport.end_early_data(inbox.aligned()));
}

std::expected<Bytes, Error> Context::draw(std::size_t size) noexcept {
  const auto bytes = scratch(size);
  if (!bytes) return std::unexpected(bytes.error());
  if (!random.fill(*bytes)) return fail(Reason::random_failed);
  return *bytes;
}

void Context::note(const PeerAccepted& accepted) noexcept {
  verified_until = std::min(verified_until, accepted.expires);
  agreed.unverified = accepted.unverified;
  peer_identity = arena.copy(accepted.identity);
  if (peer_identity.size() != accepted.identity.size()) stop(Reason::handshake_too_large);
}

void Context::take(const ExternalPsk& psk) noexcept {
  external_psk = &psk;
  peer_identity = psk.peer_identity;
}

void Context::log_secret(std::string_view label, const DigestSecret& secret) noexcept {
  if (failure) return;
  if (tap != nullptr) tap->secret(label, client_random, secret.view());
  if (!settings().key_log) return;
  const Bytes copy = arena.copy(secret.view());
  if (copy.empty() || !events.push(SecretLogged{label, client_random, copy}, arena)) stop(Reason::handshake_too_large);
}

void Context::log_application_secrets(const key_schedule::ApplicationSecrets& derived) noexcept {
  using namespace key_schedule::key_log;
  log_secret(kClientTrafficSecret0, derived.traffic.client);
  log_secret(kServerTrafficSecret0, derived.traffic.server);
  log_secret(kExporterSecret, derived.exporter);
}

void Context::tell_complete() noexcept {
  if (failure) return;
  agreed.peer_verified =
      peer_certified() || ((uses_psk(*agreed.suite) || external_psk != nullptr) && !agreed.unverified);
  HandshakeComplete complete;
  complete.resumed = agreed.resumed;
  complete.server_name = server_name;
  complete.peer_chain = peer_chain;
  complete.own_finished = own_finished;
  complete.peer_finished = peer_finished;
  complete.shared_schemes = shared_schemes;
  complete.ocsp_response = peer_ocsp_response;
  complete.sct_list = peer_sct_list;
  complete.early_data = agreed.early_data;
  complete.peer_identity = peer_identity;
  if (resumed_session != nullptr) complete.application_data = resumed_session->application_data;
  complete.renegotiation = former != nullptr;
  complete.external_psk = external_psk != nullptr;
  complete.client_random = client_random;
  complete.server_random = server_random;
  complete.peer_verified = agreed.peer_verified;
  complete.unverified = agreed.unverified;
  complete.peer_compression = agreed.peer_compression;
  complete.own_compression = agreed.own_compression;
  const bool told = events.push(std::move(complete), arena);
  if (!told) stop(Reason::handshake_too_large);
}

}  // namespace lockstep::handshake
