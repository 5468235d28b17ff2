#include "endpoint.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include <lockstep/replay.hpp>
#include <lockstep/x509.hpp>

#include "runner_tickets.hpp"
#include "text.hpp"

namespace bogo {

using namespace lockstep;

namespace {

/// `random` is the source of randomness, or a recorder.
template <class Random>
Connection start(const Options& options, const Shared& shared, std::optional<Session> offered, Random& random) {
  if (options.server) return Connection::server(as_server(shared.config), random);
  x509::PeerName name = x509::NoNameCheck{};
  if (auto host = x509::PeerName::dns(options.host_name)) name = std::move(*host);
  std::span<Session> sessions;
  if (offered) sessions = {&*offered, 1};
  return Connection::client(as_client(shared.config), {.name = std::move(name), .sessions = sessions}, random,
                            shared.now);
}

bool can_sign(const Credential& credential, std::span<const SignatureScheme> wanted, ProtocolVersion version) {
  return std::ranges::any_of(credential.schemes, [&](SignatureScheme scheme) {
    const auto known = parts(scheme);
    return known && (version == ProtocolVersion::tls_1_2 || !known->certificates_only) &&
           std::ranges::find(wanted, scheme) != wanted.end();
  });
}

bool issued_by_any(const Credential& credential, std::span<const Bytes> authorities) {
  return std::ranges::any_of(credential.chain, [&](Bytes der) {
    const auto certificate = x509::Certificate::parse(der);
    return certificate && std::ranges::any_of(authorities, [&](Bytes authority) {
             const auto name = x509::DistinguishedName::parse(authority);
             return name && certificate->issuer().matches(*name);
           });
  });
}

constexpr std::size_t kRecordHeader = 5;
constexpr std::size_t kHelloVersionEnd = 6;  // behind the message's type and length

/// The version that a hello begins with; records may hold a single byte of it each.
std::optional<int> hello_version(Bytes received) {
  std::vector<std::uint8_t> message;
  while (received.size() > kRecordHeader && received[0] == static_cast<std::uint8_t>(ContentType::handshake)) {
    const std::size_t size = received[3] * 256U + received[4];
    received = received.subspan(kRecordHeader);
    const Bytes body = received.first(std::min(size, received.size()));
    message.insert(message.end(), body.begin(), body.end());
    if (message.size() >= kHelloVersionEnd) return message[4] * 256 + message[5];
    received = received.subspan(body.size());
  }
  return std::nullopt;
}

/// An answer is refused as misuse when the engine has failed meanwhile, and then says why by the next event.
template <class Result>
std::optional<Stop> accepted(const Connection& engine, const Result& result) {
  if (result || engine.error() != nullptr) return std::nullopt;
  return Stop{.error = {}, .text = "the engine refused an answer: " + std::string(name(result.error()))};
}

}  // namespace

Endpoint::Endpoint(const Options& options, const Options& retried, const Shared& shared, int socket,
                   std::optional<Session> offered)
    : options_(&options),
      retried_(retried),
      shared_(shared),
      socket_(socket),
      offered_ticket_(offered ? offered->ticket : std::vector<std::uint8_t>()),
      recorder_(options.expect_msg_callback.empty() ? std::nullopt : std::optional(trace::Recorder(*shared.random))),
      engine_(recorder_ ? start(options, shared, std::move(offered), *recorder_)
                        : start(options, shared, std::move(offered), *shared.random)) {}

Endpoint::~Endpoint() {
  (void)shutdown(socket_, SHUT_WR);
  std::array<std::uint8_t, 4096> rest;
  while (recv(socket_, rest.data(), rest.size(), 0) > 0) {
  }
  (void)close(socket_);
}

// What is pending is sent when there is nothing else to do, so that messages share records.
Step Endpoint::next() {
  for (;;) {
    if (until_ && until_(engine_)) {
      until_ = nullptr;
      return Reached{};
    }
    if (!std::holds_alternative<std::monostate>(late_)) {
      if (auto step = answer_late()) return std::move(*step);
      continue;
    }
    auto [consumed, event] = engine_.receive(MutableBytes(inbound_).first(shown_), shared_.now);
    auto step = handle(event);  // before the bytes that it refers to move
    if (!step && options_->use_exporter_between_reads && engine_.renegotiating() && exporter_fails())
      return Stop{.error = {}, .text = "failed to export keying material"};
    inbound_.erase(inbound_.begin(), inbound_.begin() + static_cast<std::ptrdiff_t>(consumed));
    shown_ -= consumed;
    if (step) return std::move(*step);
    if (consumed != 0 || !std::holds_alternative<Nothing>(event)) continue;
    // A KeyUpdate that was asked for can wait for the data that it precedes. A peer that has gone may have said why:
    // what it sent is read below.
    if (!waits_for_data()) (void)flush();
    if (shown_ < inbound_.size()) {
      shown_ = options_->async ? shown_ + 1 : inbound_.size();
    } else if (!receive_more()) {
      Event end = engine_.receive_end();
      const auto* failed = std::get_if<Failed>(&end);
      // The peer may end without close_notify here: the runner does.
      if (failed == nullptr || (failed->error.reason == Reason::truncated && engine_.version())) return PeerEnded{};
      return stop(failed->error);
    }
  }
}

std::string Endpoint::messages() const {
  std::string text;
  const auto tell = [&](Direction direction, const std::string& what) {
    text += (direction == Direction::send ? "write " : "read ") + what + '\n';
  };
  const auto number = [](auto id) { return std::to_string(static_cast<int>(id)); };
  trace::Reader reader(recorder_->recorded());
  for (auto entry = reader.next(); entry && *entry; entry = reader.next()) {
    if (const auto* message = std::get_if<trace::Message>(&**entry))
      tell(message->direction, "hs " + number(message->type));
    if (const auto* ccs = std::get_if<trace::ChangeCipherSpec>(&**entry)) tell(ccs->direction, "ccs");
    // The level is that of closure alerts, which are all that comes of a handshake that goes well.
    if (const auto* alert = std::get_if<trace::AlertRecord>(&**entry))
      tell(alert->direction, "alert 1 " + number(alert->alert));
  }
  return text;
}

bool Endpoint::exporter_fails() const {
  std::array<std::uint8_t, 1> byte{};
  return !engine_.export_keying_material("", {}, byte);
}

std::optional<Stop> Endpoint::idle() {
  for (;;) {
    auto [consumed, event] = engine_.receive({}, shared_.now);
    if (consumed != 0) return Stop{.error = {}, .text = "the engine took what was not there"};
    if (auto step = handle(event)) return Stop{.error = {}, .text = "no input, but an event"};
    if (!std::holds_alternative<std::monostate>(late_)) {
      if (auto step = answer_late()) return Stop{.error = {}, .text = "no input, but a failure"};
    } else if (std::holds_alternative<Nothing>(event)) {
      return std::nullopt;
    }
  }
}

std::optional<Stop> Endpoint::judge_offer() {
  for (;;) {
    auto event = engine_.receive({}, shared_.now).event;
    auto step = handle(event);
    if (!step && !std::holds_alternative<std::monostate>(late_)) step = answer_late();
    if (step) {
      if (auto* stopped = std::get_if<Stop>(&*step)) return std::move(*stopped);
      return Stop{.error = {}, .text = "no input, but an event"};
    }
    if (std::holds_alternative<Nothing>(event)) return std::nullopt;
  }
}

std::optional<Step> Endpoint::handle(Event& event) {
  if (early_data_rejected()) options_ = &retried_;
  if (auto* select = std::get_if<SelectConfig>(&event)) return ask(std::move(*select));
  if (auto* select = std::get_if<SelectCredential>(&event)) return ask(std::move(*select));
  if (auto* sign = std::get_if<Sign>(&event)) return ask(std::move(*sign));
  if (auto* decrypt = std::get_if<Decrypt>(&event)) return ask(std::move(*decrypt));
  if (auto* compute = std::get_if<Compute>(&event)) return ask(std::move(*compute));
  if (auto* select = std::get_if<SelectPsk>(&event)) return ask(std::move(*select));
  if (auto* find = std::get_if<FindPsk>(&event)) return ask(std::move(*find));
  if (auto* verify = std::get_if<VerifyPeer>(&event)) return ask(std::move(*verify));
  if (auto* open = std::get_if<OpenTicket>(&event)) return ask(std::move(*open));
  if (auto* early = std::get_if<AcceptEarlyData>(&event)) return ask(std::move(*early));
  if (auto* seal = std::get_if<SealTicket>(&event)) return ask(std::move(*seal));
  if (const auto* done = std::get_if<HandshakeComplete>(&event)) {
    if (done->renegotiation) {
      ++renegotiations_;
      return std::nullopt;
    }
    agreed_ = {.resumed = done->resumed,
               .server_name = std::string(done->server_name),
               .peer_chain = {},
               .own_finished = {done->own_finished.begin(), done->own_finished.end()},
               .peer_finished = {done->peer_finished.begin(), done->peer_finished.end()},
               .ocsp_response = {done->ocsp_response.begin(), done->ocsp_response.end()},
               .sct_list = {done->sct_list.begin(), done->sct_list.end()}};
    for (const Bytes certificate : done->peer_chain) {
      agreed_.peer_chain.emplace_back(certificate.begin(), certificate.end());
    }
    return HandshakeDone{};
  }
  const ApplicationData* data = std::get_if<ApplicationData>(&event);
  if (data == nullptr) data = std::get_if<EarlyData>(&event);
  if (data != nullptr) {
    Data copy;
    const auto read = [data] {
      std::vector<std::uint8_t> bytes;
      for (const MutableBytes segment : data->segments()) bytes.insert(bytes.end(), segment.begin(), segment.end());
      return bytes;
    };
    copy.bytes = read();
    if (options_->peek_then_read && (copy.bytes != read() || copy.bytes.size() != data->size()))
      return Stop{.error = {}, .text = "a second look shows other data"};
    return copy;
  }
  if (auto* received = std::get_if<SessionReceived>(&event)) {
    session_ = std::move(received->session);
    ++sessions_;
    return std::nullopt;
  }
  if (const auto* logged = std::get_if<SecretLogged>(&event)) {
    auto* secret = logged->label == "CLIENT_TRAFFIC_SECRET_0"   ? &client_secret_
                   : logged->label == "SERVER_TRAFFIC_SECRET_0" ? &server_secret_
                                                                : nullptr;
    if (secret != nullptr) secret->assign(logged->secret.begin(), logged->secret.end());
    return std::nullopt;
  }
  if (std::holds_alternative<PeerKeyUpdated>(event)) key_updates_asked_ = true;
  if (std::holds_alternative<PeerClosed>(event)) return PeerEnded{};
  if (const auto* failed = std::get_if<Failed>(&event)) {
    (void)flush();
    return stop(failed->error);
  }
  return std::nullopt;
}

// --- questions -------------------------------------------------------------------------------------------------------

std::optional<Step> Endpoint::ask(Question question) {
  if (!options_->async) return answer(question);
  late_ = std::move(question);
  return std::nullopt;
}

/// While an answer is due the engine takes nothing in and says nothing, however often it is asked: unless it is about a
/// ticket of TLS 1.3, for which nothing waits, or about the peer, whose proof is looked at meanwhile.
std::optional<Step> Endpoint::answer_late() {
  (void)flush();
  if (std::holds_alternative<SealTicket>(late_) && engine_.version() == ProtocolVersion::tls_1_3) {
    if (engine_.awaiting_answer()) return Stop{.error = {}, .text = "the engine waits for a ticket"};
    Question question = std::exchange(late_, std::monostate{});
    return answer(question);
  }
  if (std::holds_alternative<VerifyPeer>(late_)) {
    Question question = std::exchange(late_, std::monostate{});
    return answer(question);
  }
  if (!engine_.awaiting_answer()) return Stop{.error = {}, .text = "the engine forgot its question"};
  for (int times = 0; times < 2; ++times) {
    const auto [consumed, event] = engine_.receive(MutableBytes(inbound_).first(shown_), shared_.now);
    if (consumed != 0 || !std::holds_alternative<Nothing>(event)) {
      return Stop{.error = {}, .text = "the engine went on without an answer"};
    }
  }
  Question question = std::exchange(late_, std::monostate{});
  return answer(question);
}

std::optional<Step> Endpoint::answer(Question& question) {
  return std::visit(
      [&]<class T>(T& asked) -> std::optional<Step> {
        if constexpr (!std::is_same_v<T, std::monostate>) {
          if (auto failed = reply(asked)) return std::move(*failed);
        }
        return std::nullopt;
      },
      question);
}

/// BoringSSL's early callback, and the one that chooses the application protocol.
std::optional<Stop> Endpoint::reply(SelectConfig& question) {
  if (options_->fail_early_callback)
    return accepted(engine_, engine_.answer(std::move(question.token), ClientHelloRefused{}));
  ConfigSelected selected;
  const bool offered = std::ranges::find(question.alpn, options_->select_alpn) != question.alpn.end();
  if (!options_->select_alpn.empty() && offered) selected.alpn = options_->select_alpn;
  if (options_->decline_alpn) selected.alpn = "";
  return accepted(engine_, engine_.answer(std::move(question.token), std::move(selected)));
}

std::optional<Stop> Endpoint::reply(SelectCredential& question) {
  ++asked_.credential;
  if (auto wrong = check_request(question)) return wrong;
  const bool fail_ocsp = options_->fail_ocsp_callback && question.ocsp_requested;
  if (options_->fail_cert_callback || fail_ocsp) {  // which is not the same as having none
    question.token = {};
    return std::nullopt;
  }
  const Candidate* chosen = options_->fail_ddos_callback ? nullptr : choose(question);
  if (chosen == nullptr) return accepted(engine_, engine_.answer(std::move(question.token), NoCredential{}));
  asked_.selected_credential = chosen->number;
  if (!staples_well_formed(*chosen->credential)) {
    (void)engine_.answer(std::move(question.token), chosen->credential);
    return Stop{.error = {}, .text = "the engine refuses staples that cannot be sent :INVALID_SCT_LIST:"};
  }
  return accepted(engine_, engine_.answer(std::move(question.token), chosen->credential));
}

/// The first that signs what the peer verifies. When none does, the last: the engine tells the peer what is missing.
const Candidate* Endpoint::choose(const SelectCredential& question) const {
  const Candidate* last = nullptr;
  for (const Candidate& candidate : shared_.candidates) {
    if (candidate.must_match_issuer && !issued_by_any(*candidate.credential, question.certificate_authorities))
      continue;
    last = &candidate;
    if (can_sign(*candidate.credential, question.schemes, *engine_.version())) break;
  }
  return last;
}

std::optional<Stop> Endpoint::reply(Sign& question) {
  std::array<std::uint8_t, kMaxSignatureSize> signature;
  const std::size_t size =
      question.credential->key->sign(question.scheme, question.message, *shared_.random, signature);
  return accepted(engine_, size == 0 ? engine_.answer(std::move(question.token), SigningFailed{})
                                     : engine_.answer(std::move(question.token), Bytes(signature).first(size)));
}

std::optional<Stop> Endpoint::reply(Decrypt& question) {
  std::array<std::uint8_t, 48> premaster;  // RFC 5246 7.4.7.1
  const bool read = question.credential->key->decrypt(question.ciphertext, *shared_.random, premaster);
  return accepted(engine_, read ? engine_.answer(std::move(question.token), premaster)
                                : engine_.answer(std::move(question.token), DecryptionFailed{}));
}

std::optional<Stop> Endpoint::reply(Compute& question) {
  return accepted(engine_, engine_.answer(std::move(question)));
}

std::optional<Stop> Endpoint::reply(SelectPsk& question) {
  if (options_->psk.empty()) return accepted(engine_, engine_.answer(std::move(question.token), NoPsk{}));
  // BoringSSL's server tells the identity as its hint, and its client insists on that.
  if (as_text(question.identity_hint) != options_->psk_identity) return Stop{.error = {}, .text = "another PSK hint"};
  return accepted(
      engine_, engine_.answer(std::move(question.token),
                              PskChosen{.identity = as_bytes(options_->psk_identity), .key = as_bytes(options_->psk)}));
}

std::optional<Stop> Endpoint::reply(FindPsk& question) {
  if (options_->psk.empty() || as_text(question.identity) != options_->psk_identity)
    return accepted(engine_, engine_.answer(std::move(question.token), PskUnknown{}));
  return accepted(engine_, engine_.answer(std::move(question.token), PskFound{.key = as_bytes(options_->psk)}));
}

/// The runner decides: its certificates lead to no authority. What a key may be used for is checked all the same.
std::optional<Stop> Endpoint::reply(VerifyPeer& question) {
  judged_ = true;
  const auto leaf = x509::Certificate::parse(question.shown->chain.front());
  if (!leaf)
    return accepted(engine_,
                    engine_.answer(std::move(question.token), PeerRejected{.reason = Reason::certificate_malformed}));
  key_usage_invalid_ = leaf->key_usage() && !leaf->key_usage()->has(question.use);
  // For TLS 1.3 BoringSSL never ignores it.
  if (key_usage_invalid_ && !(options_->ignore_rsa_key_usage && engine_.version() == ProtocolVersion::tls_1_2)) {
    return accepted(engine_,
                    engine_.answer(std::move(question.token), PeerRejected{.reason = Reason::certificate_wrong_usage}));
  }
  if (!equal(question.shown->ocsp_response, from_base64(options_->expect_ocsp_response)) &&
      !options_->expect_ocsp_response.empty() && !engine_.renegotiating()) {
    return Stop{.error = {}, .text = "the OCSP response is not there to be judged"};
  }
  if (!options_->server && options_->fail_ocsp_callback) {
    return accepted(engine_,
                    engine_.answer(std::move(question.token), PeerRejected{.reason = Reason::certificate_status}));
  }
  const bool insists = options_->verify_peer || options_->require_any_client_certificate;
  return accepted(engine_, options_->verify_fail && insists
                               ? engine_.answer(std::move(question.token), PeerRejected{})
                               : engine_.answer(std::move(question.token), PeerAccepted{}));
}

std::optional<Stop> Endpoint::reply(OpenTicket& question) {
  if (question.session_id) {
    const auto found = shared_.sessions->find(std::string(question.ticket.begin(), question.ticket.end()));
    if (found == shared_.sessions->end() || options_->fail_ddos_callback)
      return accepted(engine_, engine_.answer(std::move(question.token), TicketDeclined{}));
    asked_.session_id = true;
    auto session = Session::parse(found->second);
    if (!session) return Stop{.error = {}, .text = "a stored session cannot be read"};
    return accepted(engine_, engine_.answer(std::move(question.token), std::move(*session)));
  }
  ++asked_.open_ticket;
  // A client that is to be refused is not spared by its ticket: it gets the next question.
  if (options_->fail_ddos_callback || options_->no_ticket)
    return accepted(engine_, engine_.answer(std::move(question.token), TicketDeclined{}));
  std::optional<Session> session;
  if (!options_->ticket_key.empty()) {
    session = open_runner_ticket(ticket_key(), question.ticket);
  } else if (auto opened = shared_.tickets->open(question.ticket, question.now)) {
    session = std::move(*opened);
  }
  if (session)
    asked_.ticket_age_skew = std::chrono::duration_cast<std::chrono::seconds>(
        session->stated_age(question.obfuscated_ticket_age) - (shared_.now - session->issued_at));
  return accepted(engine_, session ? engine_.answer(std::move(question.token), std::move(*session))
                                   : engine_.answer(std::move(question.token), TicketDeclined{}));
}

std::optional<Stop> Endpoint::reply(AcceptEarlyData& question) {
  // BoringSSL leaves replays to the application.
  return accepted(engine_, engine_.answer(std::move(question.token), EarlyDataAccepted{}));
}

std::optional<Stop> Endpoint::reply(SealTicket& question) {
  if (const auto& id = question.session.session_id; !id.empty()) {
    asked_.session_id = true;
    shared_.sessions->insert_or_assign(std::string(id.begin(), id.end()), question.session.serialize());
    return accepted(engine_, engine_.answer(std::move(question.token), Bytes(id)));
  }
  ++asked_.seal_ticket;
  if (!options_->ticket_key.empty()) {
    const auto ticket = seal_runner_ticket(ticket_key(), question.session, *shared_.random);
    if (!ticket) return Stop{.error = {}, .text = "no ticket could be sealed"};
    return accepted(engine_, engine_.answer(std::move(question.token), Bytes(*ticket)));
  }
  const auto ticket = shared_.tickets->seal(question.session, *shared_.random);
  return accepted(engine_, ticket ? engine_.answer(std::move(question.token), Bytes(*ticket))
                                  : engine_.answer(std::move(question.token), TicketDeclined{}));
}

std::vector<std::uint8_t> Endpoint::ticket_key() const { return from_base64(options_->ticket_key); }

std::optional<Stop> Endpoint::check_request(const SelectCredential& question) const {
  const auto same_number = [](SignatureScheme scheme, int number) { return static_cast<int>(scheme) == number; };
  if (!options_->expect_peer_verify_pref.empty() &&
      !std::ranges::equal(question.schemes, options_->expect_peer_verify_pref, same_number)) {
    return Stop{.error = {}, .text = "the peer's signature schemes are not those that were expected"};
  }
  if (!options_->expect_server_name.empty() && question.server_name != options_->expect_server_name) {
    return Stop{.error = {}, .text = "the client asks for " + std::string(question.server_name)};
  }
  if (!options_->expect_advertised_alpn.empty() &&
      !std::ranges::equal(question.alpn_offered, protocols(options_->expect_advertised_alpn))) {
    return Stop{.error = {}, .text = "the client offers other application protocols"};
  }
  if (!options_->expect_certificate_types.empty() &&
      !equal(question.certificate_types, from_base64(options_->expect_certificate_types))) {
    return Stop{.error = {}, .text = "the server's certificate types are not those that were expected"};
  }
  if (!options_->expect_client_ca_list.empty()) {
    const auto expected = names_from_hex(options_->expect_client_ca_list);
    if (!std::ranges::equal(question.certificate_authorities, expected, equal)) {
      return Stop{.error = {}, .text = "the server's authorities are not those that were expected"};
    }
  }
  return std::nullopt;
}

// --- writing ---------------------------------------------------------------------------------------------------------

std::optional<Stop> Endpoint::write(Bytes bytes) {
  key_updates_asked_ = false;
  if (!send_all(std::exchange(unsent_, {}))) return Stop{.error = {}, .text = "the socket does not take the rest"};
  std::vector<std::uint8_t> outbound(Connection::kMaxRecord);
  while (!bytes.empty()) {
    const auto sealed = engine_.seal({&bytes, 1}, outbound, shared_.now);
    if (!sealed) return Stop{.error = {}, .text = "seal: " + std::string(name(sealed.error()))};
    if (sealed->written == 0) return Stop{.error = {}, .text = "nothing could be sealed"};
    // Whoever has gone does not read the rest; whether that is a failure is said by what it sent before.
    if (!send_all(Bytes(outbound).first(sealed->written))) return std::nullopt;
    bytes = bytes.subspan(sealed->consumed);
  }
  return std::nullopt;
}

std::optional<Stop> Endpoint::write_unfinished(Bytes bytes) {
  std::vector<std::uint8_t> outbound(Connection::kMaxRecord);
  return send_first_byte(outbound, bytes.size(), engine_.seal({&bytes, 1}, outbound, shared_.now));
}

std::optional<Stop> Endpoint::send_first_byte(Bytes outbound, std::size_t size,
                                              const std::expected<Sealed, Misuse>& sealed) {
  if (!sealed || sealed->consumed != size) return Stop{.error = {}, .text = "could not seal"};
  const Bytes rest = outbound.first(sealed->written).subspan(1);
  unsent_.assign(rest.begin(), rest.end());
  if (!send_all(outbound.first(1))) return Stop{.error = {}, .text = "the socket takes nothing"};
  return std::nullopt;
}

std::optional<Stop> Endpoint::write_early(Bytes& bytes) {
  std::vector<std::uint8_t> outbound(Connection::kMaxRecord);
  while (!bytes.empty() && engine_.early_data_left() != 0) {
    const auto sealed = engine_.seal_early({&bytes, 1}, outbound, shared_.now);
    if (!sealed) return Stop{.error = {}, .text = "seal_early: " + std::string(name(sealed.error()))};
    if (!send_all(Bytes(outbound).first(sealed->written)))
      return Stop{.error = {}, .text = "the socket takes no early data"};
    bytes = bytes.subspan(sealed->consumed);
  }
  return std::nullopt;
}

std::optional<Stop> Endpoint::write_early_unfinished(Bytes bytes) {
  if (!flush()) return Stop{.error = {}, .text = "the socket takes nothing"};
  std::vector<std::uint8_t> outbound(Connection::kMaxRecord);
  return send_first_byte(outbound, bytes.size(), engine_.seal_early({&bytes, 1}, outbound, shared_.now));
}

bool Endpoint::early_data_rejected() const {
  if (options_->server) return false;
  switch (engine_.early_data()) {
    case EarlyDataStatus::declined:
    case EarlyDataStatus::not_resumed:
    case EarlyDataStatus::retried: return true;
    default: return false;
  }
}

/// -async gives the engine the smallest buffer that it accepts once connected.
bool Endpoint::flush() {
  if (!unsent_.empty()) return true;
  std::array<std::uint8_t, 4096> outbound;
  const MutableBytes room = MutableBytes(outbound).first(options_->async ? 64 : outbound.size());
  std::vector<std::uint8_t> flight;
  while (const std::size_t size = engine_.transmit(room, shared_.now)) {
    flight.insert(flight.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size));
  }
  return send_all(flight);
}

/// Whether all that is pending is what answers the peer's KeyUpdates.
bool Endpoint::waits_for_data() const { return key_updates_asked_ && engine_.connected() && !engine_.peer_closed(); }

bool Endpoint::send_all(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Endpoint::receive_more() {
  if (ended_) return false;
  std::array<std::uint8_t, 16384> buffer;
  const ssize_t size = recv(socket_, buffer.data(), buffer.size(), 0);
  if (size <= 0) {
    ended_ = true;
    return false;
  }
  const Bytes received = Bytes(buffer).first(static_cast<std::size_t>(size));
  inbound_.insert(inbound_.end(), received.begin(), received.end());
  if (first_bytes_.size() < kHelloVersionEnd * (kRecordHeader + 1))
    first_bytes_.insert(first_bytes_.end(), received.begin(), received.end());
  return true;
}

// --- failures --------------------------------------------------------------------------------------------------------

Stop Endpoint::stop(const Error& error) const {
  return {.error = error, .text = to_text(error), .not_implemented = peer_is_older(error)};
}

/// Whether the test is about an older version that its flags allow and the product lacks.
bool Endpoint::peer_is_older(const Error& error) const {
  if (options_->min_version >= 0x0303 || (options_->no_tls11 && options_->no_tls1)) return false;
  if (error.reason == Reason::peer_alert) return error.alert == Alert::protocol_version && first_bytes_[0] == 21;
  if (error.reason != Reason::version_unsupported) return false;
  const int version = hello_version(first_bytes_).value_or(0);
  return version > 0x0300 && version < 0x0303;
}

}  // namespace bogo
