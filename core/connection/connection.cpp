// The public face of a connection, its beginning and its end.

#include <new>
#include <utility>

#include <lockstep/connection.hpp>
#include <lockstep/key_cache.hpp>

#include "codec/certificate.hpp"
#include "connection/state.hpp"
#include "key_schedule/tls13.hpp"

namespace lockstep {
namespace connection {
namespace {

// Left in a supplied block behind the run itself; below that it is not worth using.
constexpr std::size_t kLeastArena = 4096;

}  // namespace

Run* Run::create(const Config& config, RandomSource& random, MutableBytes memory) noexcept {
  void* place = memory.data();
  std::size_t room = memory.size();
  const bool fits = place != nullptr && std::align(alignof(Run), sizeof(Run), place, room) != nullptr &&
                    room - sizeof(Run) >= kLeastArena;
  if (!fits) {
    room = Connection::kHandshakeMemory;
    place = ::operator new(room, std::align_val_t(alignof(Run)), std::nothrow);
    if (place == nullptr) return nullptr;
  }
  const MutableBytes rest(static_cast<std::uint8_t*>(place) + sizeof(Run), room - sizeof(Run));
  return new (place) Run(config, random, rest, !fits);
}

void Run::Destroy::operator()(Run* run) const noexcept {
  const bool on_heap = run->on_heap_;
  run->~Run();
  wipe({reinterpret_cast<std::uint8_t*>(run), sizeof(Run)});
  if (on_heap) ::operator delete(run, std::align_val_t(alignof(Run)));
}

}  // namespace connection

// --- life --------------------------------------------------------------------------------------------------------

Connection::State& Connection::state() noexcept { return *std::launder(reinterpret_cast<State*>(storage_)); }

const Connection::State& Connection::state() const noexcept {
  return *std::launder(reinterpret_cast<const State*>(storage_));
}

Connection::Connection(State&& state) noexcept {
  static_assert(sizeof(State) <= kStateSize && alignof(State) <= alignof(Connection));
  new (storage_) State(std::move(state));
  if (this->state().run) this->state().run->transport.attach(this->state().opener, this->state().sealer);
}

Connection::Connection(Connection&& other) noexcept : Connection(std::move(other.state())) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  if (this != &other) {
    std::destroy_at(&state());
    new (storage_) State(std::move(other.state()));
    if (state().run) state().run->transport.attach(state().opener, state().sealer);
  }
  return *this;
}

Connection::~Connection() { std::destroy_at(&state()); }

Connection Connection::client(std::shared_ptr<const ClientConfig> config, ClientOptions options, RandomSource& random,
                              Time now, MutableBytes memory) {
  State state;
  state.config = std::move(config);
  state.random = &random;
  state.supplied = memory;
  state.start(now, std::move(options));
  return Connection(std::move(state));
}

Connection Connection::server(std::shared_ptr<const ServerConfig> config, RandomSource& random, MutableBytes memory,
                              ServerOptions options) {
  State state;
  state.config = std::move(config);
  state.random = &random;
  state.supplied = memory;
  state.start({}, {.name = x509::NoNameCheck{}, .verification = options.verification});
  return Connection(std::move(state));
}

Connection Connection::client(std::shared_ptr<const ClientConfig> config, ClientOptions options,
                              trace::Recorder& recorder, Time now, MutableBytes memory) {
  State state;
  state.config = std::move(config);
  state.random = recorder.tap_.get();
  state.supplied = memory;
  state.start(now, std::move(options), nullptr, recorder.tap_.get());
  return Connection(std::move(state));
}

Connection Connection::server(std::shared_ptr<const ServerConfig> config, trace::Recorder& recorder,
                              MutableBytes memory, ServerOptions options) {
  State state;
  state.config = std::move(config);
  state.random = recorder.tap_.get();
  state.supplied = memory;
  state.start({}, {.name = x509::NoNameCheck{}, .verification = options.verification}, nullptr, recorder.tap_.get());
  return Connection(std::move(state));
}

void Connection::use(KeyCache* cache) noexcept {
  record::ContextCache* const contexts = cache == nullptr ? nullptr : cache->cache_.get();
  state().opener.use(contexts);
  state().sealer.use(contexts);
}

void Connection::State::start(Time now, ClientOptions options, handshake::Rewriter* rewriter,
                              trace::Tap* tap) noexcept {
  run.reset(connection::Run::create(*config, *random, supplied));
  if (!run) return fail(Reason::memory, Place::handshake);
  run->transport.attach(opener, sealer);
  run->handshake.context().rewriter = rewriter;
  run->handshake.context().tap = tap;
  run->handshake.context().verification = options.verification;
  if (tap != nullptr) tap->start(*config, options, now);
  if (config->role() == Role::server) {
    run->handshake.start_server();
  } else {
    auto started = run->handshake.start_client(std::move(options.name), options.sessions, now);
    if (!started) fail(started.error());
  }
  if (tap != nullptr) tap->write(trace::Started{failed, error});
}

void Connection::State::fail(const Error& cause) noexcept {
  if (failed) return;
  failed = true;
  error = cause;
  // RFC 9846 6.2: "Upon transmission or receipt of a fatal alert message, both parties MUST immediately close the
  // connection." RFC 9846 6: "Servers and clients MUST forget the secret values and keys established in failed
  // connections": all but the key that protects the alert.
  // RFC 9846 6.2: "Whenever an implementation encounters a fatal error condition, it SHOULD send an appropriate fatal
  // alert and MUST close the connection without sending or receiving any additional data."
  control = {};
  control.user_canceled = cause.alert == Alert::close_notify && cause.reason == Reason::canceled;
  control.alert = cause.alert;
  // RFC 9846 6.1: nothing answers an alert, and nobody hears one where the transport has ended.
  control.alert_due = cause.origin != Origin::peer && cause.reason != Reason::truncated && !closed;
  opener.clear();
  secrets = {};
  sessions.reset();
  partial.reset();
  tell_key_update = false;
  // Keys that were not taken cannot be any more. Those of a direction that is still ours to protect stay for the alert.
  receiving.keys_due = false;
  if (std::exchange(sending.keys_due, false) && sealer.installed()) sending.on = false;
  if (run) {
    if (control.alert_due) {
      run->transport.abandon();
    } else {
      run->transport.discard();
    }
    run->handshake.events().clear();
  }
}

void Connection::State::adopt() noexcept {
  if (complete || failed || !run || !run->handshake.complete()) return;
  handshake::Context& context = run->handshake.context();
  agreed = context.agreed;
  secrets = std::move(context.secrets);
  if (config->role() == Role::client && config->settings().resumption) origin = handshake::session_origin(context);
  complete = true;
}

void Connection::State::retire() noexcept {
  if (!run || run->transport.pending() || tap() != nullptr) return;
  const bool over = failed ? control.empty() : run->handshake.connected();
  if (!over || !run->handshake.events().empty()) return;
  if (failed && agreed.suite == nullptr) agreed = run->handshake.context().agreed;
  run.reset();
}

// --- bytes -------------------------------------------------------------------------------------------------------

// Each writes itself and its result to the tape, if there is one.

Received Connection::receive(MutableBytes inbound, Time now) {
  State& self = state();
  trace::Tap* const tap = self.tap();
  if (tap == nullptr) return self.receive(inbound, now);
  tap->receive(inbound, now);
  Received result = self.receive(inbound, now);
  tap->told(result.event, self.agreed_now());
  tap->received(result.consumed);
  return result;
}

std::size_t Connection::transmit(MutableBytes outbound, Time now) {
  State& self = state();
  trace::Tap* const tap = self.tap();
  if (tap == nullptr) return self.transmit(outbound);
  tap->write(trace::Transmit{now, outbound.size()});
  const std::size_t size = self.transmit(outbound);
  tap->write(trace::Transmitted{outbound.first(size)});
  return size;
}

bool Connection::transmit_pending() const noexcept { return state().transmit_pending(); }

std::expected<Sealed, Misuse> Connection::seal(std::span<const Bytes> plaintext, MutableBytes outbound, Time now) {
  State& self = state();
  trace::Tap* const tap = self.tap();
  if (tap == nullptr) return self.seal(plaintext, outbound, now);
  tap->seal(plaintext, outbound.size(), now);
  auto result = self.seal(plaintext, outbound, now);
  tap->sealed(result, outbound);
  return result;
}

std::expected<Sealed, Misuse> Connection::seal_early(std::span<const Bytes> plaintext, MutableBytes outbound,
                                                     Time now) {
  State& self = state();
  trace::Tap* const tap = self.tap();
  if (tap == nullptr) return self.seal_early(plaintext, outbound);
  tap->seal(plaintext, outbound.size(), now, true);
  auto result = self.seal_early(plaintext, outbound);
  tap->sealed(result, outbound);
  return result;
}

std::size_t Connection::early_data_left() const noexcept {
  return role() == Role::client ? state().early_data_left().value_or(0) : 0;
}

std::expected<MutableBytes, Misuse> Connection::seal_in_place(RecordSlot slot, Time now) {
  State& self = state();
  trace::Tap* const tap = self.tap();
  if (tap == nullptr) return self.seal_in_place(slot, now);
  tap->seal_in_place(slot, now);
  auto result = self.seal_in_place(slot, now);
  tap->sealed(result, slot.payload);
  return result;
}

std::size_t Connection::tailroom(std::size_t payload) const noexcept {
  const Settings& settings = state().config->settings();
  return 1 + settings.padding.padding_for(payload, settings.max_send_fragment) + kMaxAeadTagSize;
}

Event Connection::receive_end() {
  State& self = state();
  trace::Tap* const tap = self.tap();
  if (tap == nullptr) return self.receive_end();
  tap->write(trace::ReceiveEnd{});
  Event event = self.receive_end();
  tap->told(event, self.agreed_now());
  tap->received(0);
  return event;
}

// --- answers -----------------------------------------------------------------------------------------------------

template <class Operation, class Input>
std::expected<void, Misuse> Connection::State::answer(Token<Operation>& token, const Input& input,
                                                      Place place) noexcept {
  if (failed || !run || !run->handshake.awaits(token)) return std::unexpected(Misuse::wrong_token);
  handshake::Handshake& handshake = run->handshake;
  auto went = handshake.answer(token, input, place);
  if (went) went = handshake.proceed(handshake.context().now);
  if (!went) fail(went.error());
  adopt();
  return {};
}

std::expected<void, Misuse> Connection::State::done(std::expected<void, Misuse> result) const noexcept {
  if (trace::Tap* const to = tap())
    to->write(trace::Done{result ? std::optional<Misuse>() : std::optional(result.error())});
  return result;
}

std::expected<void, Misuse> Connection::answer(Token<SelectCredential> token,
                                               std::shared_ptr<const Credential> credential) {
  State& self = state();
  if (trace::Tap* const tap = self.tap()) tap->answer(self.number_of(token), credential.get());
  if (credential != nullptr && !staples_well_formed(*credential))
    return self.done(std::unexpected(Misuse::invalid_answer));
  return self.done(self.answer(token, handshake::CredentialSelected{std::move(credential)}, Place::certificate));
}

std::expected<void, Misuse> Connection::answer(Token<SelectCredential> token, NoCredential) {
  State& self = state();
  if (trace::Tap* const tap = self.tap()) tap->answer(self.number_of(token), static_cast<const Credential*>(nullptr));
  return self.done(self.answer(token, handshake::CredentialSelected{}, Place::certificate));
}

std::expected<void, Misuse> Connection::answer(Token<Sign> token, Bytes signature) {
  State& self = state();
  if (trace::Tap* const tap = self.tap()) tap->write(trace::AnswerSignature{self.number_of(token), true, signature});
  if (signature.empty() || signature.size() > 0xffff) return self.done(std::unexpected(Misuse::invalid_answer));
  return self.done(self.answer(token, handshake::Signed{signature}, Place::certificate_verify));
}

std::expected<void, Misuse> Connection::answer(Token<Sign> token, SigningFailed) {
  State& self = state();
  if (trace::Tap* const tap = self.tap()) tap->write(trace::AnswerSignature{self.number_of(token), false, {}});
  return self.done(self.answer(token, handshake::Signed{}, Place::certificate_verify));
}

std::expected<void, Misuse> Connection::answer(Token<VerifyPeer> token, PeerAccepted accepted) {
  State& self = state();
  if (trace::Tap* const tap = self.tap())
    tap->write(trace::AnswerVerdict{.token = self.number_of(token),
                                    .accepted = true,
                                    .reason = Reason::none,
                                    .detail = 0,
                                    .identity = accepted.identity,
                                    .expires = accepted.expires});
  if (accepted.identity.size() > 0xffff) return self.done(std::unexpected(Misuse::invalid_answer));
  return self.done(self.answer(token, handshake::Handshake::peer_verified(accepted), Place::certificate));
}

std::expected<void, Misuse> Connection::answer(Token<VerifyPeer> token, PeerRejected rejection) {
  State& self = state();
  if (trace::Tap* const tap = self.tap())
    tap->write(trace::AnswerVerdict{.token = self.number_of(token),
                                    .accepted = false,
                                    .reason = rejection.reason,
                                    .detail = rejection.detail,
                                    .identity = {},
                                    .expires = Time::max()});
  return self.done(self.answer(token, handshake::PeerRefused{rejection}, Place::certificate));
}

std::expected<void, Misuse> Connection::answer(Token<OpenTicket> token, Session session) {
  State& self = state();
  if (trace::Tap* const tap = self.tap()) tap->answer(self.number_of(token), &session);
  return self.done(self.answer(token, handshake::TicketOpened{&session}, Place::client_hello));
}

std::expected<void, Misuse> Connection::answer(Token<OpenTicket> token, TicketDeclined) {
  State& self = state();
  if (trace::Tap* const tap = self.tap()) tap->answer(self.number_of(token), static_cast<const Session*>(nullptr));
  return self.done(self.answer(token, handshake::TicketOpened{}, Place::client_hello));
}

std::expected<void, Misuse> Connection::answer(Token<AcceptEarlyData> token, EarlyDataAccepted) {
  State& self = state();
  if (trace::Tap* const tap = self.tap()) tap->write(trace::AnswerEarlyData{self.number_of(token), true});
  return self.done(self.answer(token, handshake::EarlyDataJudged{true}, Place::client_hello));
}

std::expected<void, Misuse> Connection::answer(Token<AcceptEarlyData> token, EarlyDataDeclined) {
  State& self = state();
  if (trace::Tap* const tap = self.tap()) tap->write(trace::AnswerEarlyData{self.number_of(token), false});
  return self.done(self.answer(token, handshake::EarlyDataJudged{false}, Place::client_hello));
}

std::expected<void, Misuse> Connection::answer(Token<SealTicket> token, Bytes ticket) {
  State& self = state();
  if (trace::Tap* const tap = self.tap()) tap->write(trace::AnswerTicketSealed{self.number_of(token), true, ticket});
  if (ticket.empty() || ticket.size() > 0xffff) return self.done(std::unexpected(Misuse::invalid_answer));
  return self.done(self.answer(token, handshake::TicketSealed{ticket}, Place::new_session_ticket));
}

std::expected<void, Misuse> Connection::answer(Token<SealTicket> token, TicketDeclined) {
  State& self = state();
  if (trace::Tap* const tap = self.tap()) tap->write(trace::AnswerTicketSealed{self.number_of(token), false, {}});
  return self.done(self.answer(token, handshake::TicketSealed{}, Place::new_session_ticket));
}

bool staples_well_formed(const Credential& credential) noexcept {
  const codec::CertificateParameters staples{.certificate_request_context = {},
                                             .chain = {},
                                             .ocsp_response = credential.ocsp_response,
                                             .signed_certificate_timestamps = credential.sct_list};
  return (credential.sct_list.empty() || codec::is_signed_certificate_timestamp_list(credential.sct_list)) &&
         staples.extensions_fit();
}

// --- ending and renewing -----------------------------------------------------------------------------------------

void Connection::close() noexcept {
  State& self = state();
  if (trace::Tap* const tap = self.tap()) tap->write(trace::Close{});
  self.close();
  (void)self.done({});
}

void Connection::cancel(Alert why) noexcept {
  State& self = state();
  if (trace::Tap* const tap = self.tap()) tap->write(trace::Cancel{why});
  self.cancel(why);
  (void)self.done({});
}

std::expected<void, Misuse> Connection::update_keys(bool request_peer) {
  State& self = state();
  if (trace::Tap* const tap = self.tap()) tap->write(trace::UpdateKeys{request_peer});
  return self.done(self.update_keys(request_peer));
}

std::expected<void, Misuse> Connection::offload(Direction direction) {
  State& self = state();
  if (trace::Tap* const tap = self.tap())
    tap->write(trace::Offload{direction == Direction::send ? trace::Direction::sent : trace::Direction::received});
  return self.done(self.offload(direction));
}

void Connection::State::close() noexcept {
  if (failed || closed) return;
  if (!complete) return cancel(Alert::close_notify);
  closed = true;
  if (run) run->handshake.context().closing = true;
  control.key_update = connection::Control::KeyUpdate::none;
  control.alert = Alert::close_notify;
  control.alert_due = true;
}

void Connection::State::cancel(Alert why) noexcept {
  Error cause = make_error(Reason::canceled, Place::application);
  cause.origin = Origin::application;
  // RFC 9846 6.1: close_notify has to follow user_canceled. That goes out before it by itself.
  cause.alert = why == Alert::user_canceled ? Alert::close_notify : why;
  fail(cause);
}

std::expected<void, Misuse> Connection::State::update_keys(bool request_peer) noexcept {
  if (!complete) return std::unexpected(Misuse::not_connected);
  if (!sendable()) return std::unexpected(Misuse::closed);
  using KeyUpdate = connection::Control::KeyUpdate;
  if (request_peer || control.key_update == KeyUpdate::none)
    control.key_update = request_peer ? KeyUpdate::requested : KeyUpdate::not_requested;
  return {};
}

MutableBytes Connection::reclaim() noexcept {
  state().retire();
  if (state().run) return {};
  return std::exchange(state().supplied, {});
}

// --- what was agreed ---------------------------------------------------------------------------------------------

namespace {

template <class Id>
std::optional<Id> known(Id id) noexcept {
  if (id == Id{}) return std::nullopt;
  return id;
}

}  // namespace

Role Connection::role() const noexcept { return state().config->role(); }
bool Connection::connected() const noexcept { return state().complete && !state().failed; }
bool Connection::awaiting_answer() const noexcept {
  return !state().failed && state().run && state().run->handshake.suspended();
}
const Error* Connection::error() const noexcept { return state().failed ? &state().error : nullptr; }
bool Connection::peer_closed() const noexcept { return state().peer_closed; }
bool Connection::closed() const noexcept { return state().closed; }

std::optional<ProtocolVersion> Connection::version() const noexcept { return known(state().agreed_now().version); }
std::optional<CipherSuite> Connection::suite() const noexcept {
  const BoundSuite* suite = state().agreed_now().suite;
  if (suite == nullptr) return std::nullopt;
  return suite->suite;
}
std::optional<NamedGroup> Connection::group() const noexcept { return known(state().agreed_now().group); }
std::optional<SignatureScheme> Connection::own_scheme() const noexcept {
  return known(state().agreed_now().own_scheme);
}
std::optional<SignatureScheme> Connection::peer_scheme() const noexcept {
  return known(state().agreed_now().peer_scheme);
}
std::string_view Connection::alpn() const noexcept { return state().agreed_now().protocol(); }
bool Connection::resumed() const noexcept { return state().agreed_now().resumed; }
bool Connection::retried() const noexcept { return state().agreed_now().retried; }
EarlyDataStatus Connection::early_data() const noexcept { return state().agreed_now().early_data; }

std::expected<void, Misuse> Connection::export_keying_material(std::string_view label, Bytes context,
                                                               MutableBytes out) const {
  const State& self = state();
  if (self.failed || !self.may_seal()) return std::unexpected(Misuse::not_connected);
  if (!key_schedule::export_keying_material(*self.agreed_now().suite->hash, self.secrets_now().exporter, label, context,
                                            out))
    return std::unexpected(Misuse::invalid_answer);
  return {};
}

std::string_view name(Misuse misuse) noexcept {
  switch (misuse) {
    case Misuse::offloaded: return "offloaded";
    case Misuse::not_connected: return "not_connected";
    case Misuse::closed: return "closed";
    case Misuse::wrong_token: return "wrong_token";
    case Misuse::invalid_answer: return "invalid_answer";
    case Misuse::buffer_too_small: return "buffer_too_small";
    case Misuse::transmit_first: return "transmit_first";
    case Misuse::no_early_data: return "no_early_data";
  }
  return {};
}

std::string_view name(EarlyDataStatus status) noexcept {
  switch (status) {
    case EarlyDataStatus::none: return "none";
    case EarlyDataStatus::accepted: return "accepted";
    case EarlyDataStatus::disabled: return "disabled";
    case EarlyDataStatus::declined: return "declined";
    case EarlyDataStatus::not_resumed: return "not_resumed";
    case EarlyDataStatus::retried: return "retried";
    case EarlyDataStatus::not_for_session: return "not_for_session";
    case EarlyDataStatus::other_alpn: return "other_alpn";
    case EarlyDataStatus::age_implausible: return "age_implausible";
  }
  return {};
}

}  // namespace lockstep
