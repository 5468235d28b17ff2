#include <algorithm>
#include <variant>

#include <lockstep/fuzzing.hpp>

#include "connection/access.hpp"
#include "library/rewriter.hpp"
#include "record/limits.hpp"

/// AddressSanitizer's, where it is linked.
extern "C" [[gnu::weak]] std::size_t __sanitizer_get_current_allocated_bytes();

namespace lockstep::fuzzing {
namespace {

constexpr std::size_t kMost = 1U << 20U;
constexpr std::string_view kSharedKey = "a key of 20 bytes...";

std::size_t allocated() {
  return __sanitizer_get_current_allocated_bytes != nullptr ? __sanitizer_get_current_allocated_bytes() : 0;
}

Connection make_connection(const std::shared_ptr<const Config>& config, RandomSource& random,
                           std::span<Session> sessions, handshake::Rewriter* rewriter) {
  ClientOptions options{x509::PeerName::dns("example.com").value(), sessions};
  auto client = as_client(config);
  if (rewriter == nullptr) {
    return client != nullptr ? Connection::client(std::move(client), std::move(options), random, kNow)
                             : Connection::server(as_server(config), random);
  }
  return client != nullptr ? ConnectionAccess::client(std::move(client), std::move(options), random, kNow, *rewriter)
                           : ConnectionAccess::server(as_server(config), random, *rewriter);
}

/// The last record is this alert, or protected, so that only its length says so.
bool ends_with_alert(Bytes records, Alert alert, bool tls12) {
  Bytes last;
  while (records.size() >= 5) {
    const std::size_t size = 5U + (std::size_t{records[3]} << 8U | records[4]);
    if (records.size() < size) return false;
    last = records.first(size);
    records = records.subspan(size);
  }
  if (last.empty() || !records.empty()) return false;
  // Protected in TLS 1.2: level and description, and a tag of at least 8 bytes.
  if (tls12 && last[0] == 21 && last.size() >= 7 + 8) return true;
  if (last[0] == 21) return last.size() == 7 && last[6] == static_cast<std::uint8_t>(alert);
  return last[0] == 23 && last.size() >= 5 + 3 + 8;  // content, its type, and a tag of at least 8 bytes
}

}  // namespace

End::End(const std::shared_ptr<const Config>& config, std::uint64_t seed, std::span<Session> sessions)
    : random_(std::make_unique<fake::FakeRandom>(seed)),
      connection_(make_connection(config, *random_, sessions, nullptr)),
      memory_(config->settings().handshake_memory) {}

End::End(const std::shared_ptr<const Config>& config, trace::Recorder& recorder)
    : random_(std::make_unique<fake::FakeRandom>(1)),
      connection_(
          config->role() == Role::client
              ? Connection::client(as_client(config), {x509::PeerName::dns("example.com").value(), {}}, recorder, kNow)
              : Connection::server(as_server(config), recorder)),
      memory_(config->settings().handshake_memory) {}

End::End(const std::shared_ptr<const Config>& config, std::uint64_t seed, std::span<Session> sessions, Script script)
    : random_(std::make_unique<fake::FakeRandom>(seed)),
      script_(std::move(script)),
      connection_(make_connection(config, *random_, sessions, script_->rewriter_.get())),
      memory_(config->settings().handshake_memory) {}

void End::receive_end() { treat(connection_.receive_end()); }

Octets End::send() {
  // A client may be asked before it has anything to say.
  if (!over() && connection_.awaiting_answer()) work();
  Octets out = std::exchange(unsent_, {});
  const Octets more = transmitted();
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

Octets End::transmitted() {
  Octets out;
  std::uint8_t buffer[Connection::kMaxRecord];
  while (const std::size_t size = connection_.transmit(buffer, kNow)) {
    require(size <= sizeof buffer, "transmit writes into its buffer");
    out.insert(out.end(), buffer, buffer + size);
    require(out.size() <= kMost, "what is pending is bounded");
  }
  note(out);
  return out;
}

Octets End::seal(Bytes text) {
  Octets out(text.size() + 4096);
  const auto sealed = connection_.seal(std::span(&text, 1), out, kNow);
  if (!sealed) {
    require(!connection_.connected() || connection_.closed() || connection_.renegotiating() ||
                connection_.error() != nullptr,
            "a connection that is open seals");
    return {};
  }
  require(sealed->consumed <= text.size() && sealed->written <= out.size(), "seal keeps to its buffers");
  out.resize(sealed->written);
  note(out);
  return out;
}

Octets End::seal_early(Bytes text) {
  Octets out(text.size() + 8192);
  const std::size_t left = connection_.early_data_left();
  const auto sealed = connection_.seal_early(std::span(&text, 1), out, kNow);
  require(sealed || left == 0, "early data that is left can be sealed");
  if (!sealed) return send();
  require(sealed->consumed <= std::min(text.size(), left) && sealed->written <= out.size(),
          "seal_early keeps to its buffers and its limit");
  require(connection_.early_data_left() == left - sealed->consumed, "early data is counted");
  out.resize(sealed->written);
  note(out);
  return out;
}

void End::renegotiate() { (void)connection_.renegotiate(kNow); }

Octets End::record(ContentType type, Bytes content, std::size_t padding) {
  content = content.first(std::min(content.size(), record::kMaxPlaintext));
  record::Sealer& sealer = ConnectionAccess::sealer(connection_);
  if (!sealer.installed()) {
    Octets record{static_cast<std::uint8_t>(type), 3, 3, static_cast<std::uint8_t>(content.size() >> 8U),
                  static_cast<std::uint8_t>(content.size())};
    record.insert(record.end(), content.begin(), content.end());
    return record;
  }
  Octets slot(sealer.headroom() + content.size() + sealer.trailer_size(padding));
  std::ranges::copy(content, slot.begin() + static_cast<std::ptrdiff_t>(sealer.headroom()));
  const auto sealed = sealer.seal_in_place(type, slot, content.size(), padding);
  slot.resize(sealed.value_or(0));
  return slot;
}

void End::forget_evidence() noexcept {
  if (!outcome_.error) return;
  outcome_.error->evidence = {};
  outcome_.error->evidence_size = 0;
}

void End::work() {
  // Every step consumes a byte or tells something, and what is told is told for bytes.
  for (std::size_t steps = 0;; ++steps) {
    require(steps <= 2 * inbound_.size() + 64, "receive comes to an end");
    const std::size_t before = allocated();
    auto [consumed, event] = connection_.receive(inbound_, kNow);
    held_ += static_cast<std::ptrdiff_t>(allocated() - before);
    require(consumed <= inbound_.size(), "receive consumes no more than it was given");
    // Blocks of the heap are larger than what is taken from them: at most twice.
    require(complete_ || held_ <= static_cast<std::ptrdiff_t>(2 * memory_ + kMost / 16),
            "a handshake keeps to the memory of its configuration");
    const bool told = treat(std::move(event));
    inbound_.erase(inbound_.begin(), inbound_.begin() + static_cast<std::ptrdiff_t>(consumed));
    if (over()) {
      require(connection_.receive(inbound_, kNow).consumed == 0, "a failed connection consumes nothing");
      inbound_.clear();
      return;
    }
    if (!told && consumed == 0) return;
  }
}

bool End::treat(Event event) {
  if (const auto* const failed = std::get_if<Failed>(&event)) {
    require(!outcome_.error || *outcome_.error == failed->error, "the first failure stays");
    require(connection_.error() != nullptr && *connection_.error() == failed->error, "error() is what was told");
    require(!to_text(failed->error).empty(), "an error explains itself");
    if (outcome_.error) return false;
    outcome_.error = failed->error;
    after_failure();
    return true;
  }
  require(!outcome_.error, "nothing is told after the failure");
  if (std::holds_alternative<Nothing>(event)) return false;
  if (!std::holds_alternative<ApplicationData>(event) && !std::holds_alternative<EarlyData>(event))
    outcome_.events.push_back(event.index());
  std::visit([this](auto& value) { on(value); }, event);
  return true;
}

void End::after_failure() {
  const Error& error = *outcome_.error;
  const bool was_closed = closed_;
  const Octets last = transmitted();
  unsent_.insert(unsent_.end(), last.begin(), last.end());
  if (error.origin == Origin::peer || was_closed || error.reason == Reason::truncated) {
    require(last.empty(), "nothing answers an alert, follows close_notify, or goes where nobody listens", &error);
  } else if (!last.empty() || error.reason != Reason::provider_failed) {
    require(ends_with_alert(last, error.alert, connection_.version() == ProtocolVersion::tls_1_2),
            "a failure of ours goes out as its alert", &error);
  }
  require(!connection_.transmit_pending() && transmitted().empty(), "nothing follows the alert");
  const Bytes text = as_bytes("x");
  Octets out(1000);
  require(!connection_.seal(std::span(&text, 1), out, kNow), "nothing is sealed after a failure");
  require(!connection_.connected() && !connection_.awaiting_answer(), "nothing is waited for after a failure");
}

void End::note(Bytes sent) {
  require(!closed_ || sent.empty(), "nothing is sent after close_notify");
  outcome_.sent.insert(outcome_.sent.end(), sent.begin(), sent.end());
  closed_ = connection_.closed() && !connection_.transmit_pending();
}

void End::on(ApplicationData& event) {
  require(complete_, "application data comes after the handshake");
  for (const MutableBytes segment : event.segments()) {
    outcome_.data.insert(outcome_.data.end(), segment.begin(), segment.end());
  }
}

void End::on(EarlyData& event) {
  require(!complete_ && connection_.early_data() == EarlyDataStatus::accepted,
          "early data comes where it was accepted");
  for (const MutableBytes segment : event.segments()) {
    outcome_.early_data.insert(outcome_.early_data.end(), segment.begin(), segment.end());
  }
  require(outcome_.early_data.size() <= Scene::kEarlyData, "early data is bounded");
}

void End::on(SelectCredential& event) {
  if (drops_tokens) return;
  if (has_no_credential) {
    (void)connection_.answer(std::move(event.token), NoCredential{});
  } else {
    const Scene& scene = Scene::get();
    const auto fits = [&](const Credential& credential) {
      return std::ranges::find_first_of(event.schemes, credential.schemes) != event.schemes.end();
    };
    const bool rsa = !fits(*scene.credential) && fits(*scene.rsa_credential);
    (void)connection_.answer(std::move(event.token), rsa ? scene.rsa_credential : scene.credential);
  }
}

void End::on(Sign& event) {
  if (drops_tokens) return;
  if (cannot_sign) {
    (void)connection_.answer(std::move(event.token), SigningFailed{});
    return;
  }
  Octets signature(kMaxSignatureSize);
  signature.resize(event.credential->key->sign(event.scheme, event.message, *random_, signature));
  (void)connection_.answer(std::move(event.token), Bytes(signature));
}

void End::on(VerifyPeer& event) {
  if (drops_tokens) return;
  if (rejects_peer) {
    (void)connection_.answer(std::move(event.token), PeerRejected{});
  } else {
    (void)connection_.answer(std::move(event.token), PeerAccepted{});
  }
}

void End::on(Compute& event) {
  if (!drops_tokens) (void)connection_.answer(std::move(event));
}

void End::on(Decrypt& event) {
  if (drops_tokens) return;
  Octets premaster(48);
  if (cannot_sign || !event.credential->key->decrypt(event.ciphertext, *random_, premaster)) {
    (void)connection_.answer(std::move(event.token), DecryptionFailed{});
  } else {
    (void)connection_.answer(std::move(event.token), Bytes(premaster));
  }
}

void End::on(SelectConfig& event) {
  if (drops_tokens) return;
  (void)connection_.answer(std::move(event.token), ConfigSelected{});
}

void End::on(SelectPsk& event) {
  if (drops_tokens) return;
  (void)connection_.answer(std::move(event.token),
                           PskChosen{.identity = as_bytes("identity"), .key = as_bytes(kSharedKey)});
}

void End::on(FindPsk& event) {
  if (drops_tokens) return;
  if (event.version == ProtocolVersion::tls_1_3 && as_text(event.identity) != "identity") {
    (void)connection_.answer(std::move(event.token), PskUnknown{});
  } else {
    (void)connection_.answer(std::move(event.token), PskFound{.key = as_bytes(kSharedKey)});
  }
}

void End::on(OpenTicket& event) {
  if (drops_tokens) return;
  const auto known =
      std::ranges::find_if(stored, [&](const Session& session) { return equal(session.session_id, event.ticket); });
  if (declines_tickets || (event.session_id && known == stored.end())) {
    (void)connection_.answer(std::move(event.token), TicketDeclined{});
  } else if (event.session_id) {
    (void)connection_.answer(std::move(event.token), known->clone());
  } else if (auto session = Session::parse(event.ticket)) {
    (void)connection_.answer(std::move(event.token), std::move(*session));
  } else {
    (void)connection_.answer(std::move(event.token), TicketDeclined{});
  }
}

void End::on(AcceptEarlyData& event) {
  if (drops_tokens) return;
  if (declines_early_data) {
    (void)connection_.answer(std::move(event.token), EarlyDataDeclined{});
  } else {
    (void)connection_.answer(std::move(event.token), EarlyDataAccepted{});
  }
}

void End::on(SealTicket& event) {
  if (drops_tokens) return;
  if (declines_tickets) {
    (void)connection_.answer(std::move(event.token), TicketDeclined{});
    return;
  }
  if (!event.session.session_id.empty()) {
    const Session& kept = stored.emplace_back(std::move(event.session));
    (void)connection_.answer(std::move(event.token), Bytes(kept.session_id));
    return;
  }
  // Tickets in the clear: a fuzzer shall get at what is inside.
  const auto bytes = event.session.serialize();
  (void)connection_.answer(std::move(event.token), Bytes(bytes));
}

void End::on(HandshakeComplete& event) {
  require(event.early_data == connection_.early_data(), "what became of early data is told");
  require(connection_.connected() && complete_ == event.renegotiation,
          "a handshake is complete once, and then connected");
  complete_ = true;
}

void End::on(SessionReceived& event) { sessions_.push_back(std::move(event.session)); }

void End::on(PeerClosed& /*event*/) { require(connection_.peer_closed(), "the peer has closed"); }

End Cast::client(Script script) const {
  const auto& configs = Scene::get().clients;
  std::vector<Session> sessions;
  const std::size_t client = (number_ >> 3U & 7U) % configs.size();
  const bool old = client >= Scene::kFirstOldClient;
  if ((number_ & 0x80U) != 0) sessions.push_back(old ? Scene::session_of(client) : Scene::session());
  return End(configs[client], 1, sessions, std::move(script));
}

End Cast::server(Script script) const {
  const auto& configs = Scene::get().servers;
  End end(configs[(number_ & 7U) % configs.size()], 2, {}, std::move(script));
  end.declines_tickets = (number_ & 0x40U) != 0;
  for (const Session& session : Scene::stored()) end.stored.push_back(session.clone());
  return end;
}

Ends::Ends(Choices& choices) : Ends(Cast(choices.byte()), choices) {}

Ends::Ends(Cast cast, Choices& choices) : client(cast.client()), server(cast.server()) {
  const std::uint8_t ways = choices.byte();
  client.rejects_peer = (ways & 0x03U) == 3;
  client.has_no_credential = (ways & 0x0cU) == 0x0c;
  server.cannot_sign = (ways & 0x70U) == 0x70;
  server.drops_tokens = (ways & 0xf0U) == 0x80;
}

}  // namespace lockstep::fuzzing
