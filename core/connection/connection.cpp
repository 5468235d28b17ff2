// The public face of a connection, its beginning and its end.

#include <algorithm>
#include <new>
#include <utility>

#include <lockstep/connection.hpp>
#include <lockstep/key_cache.hpp>

#include "codec/certificate.hpp"
#include "connection/state.hpp"
#include "key_schedule/tls12.hpp"
#include "key_schedule/tls13.hpp"
#include "types/registers.hpp"

namespace lockstep {

using connection::Ended;
using connection::Established;
using connection::HandshakeRun;
using connection::Handshaking;
using connection::Unusable;
using handshake::Agreed;

namespace {

codec::CertificateParameters staples_of(const Credential& credential) noexcept {
  return {.certificate_request_context = {},
          .chain = {},
          .ocsp_response = credential.ocsp_response,
          .signed_certificate_timestamps = credential.sct_list};
}

bool can_be_sent(const Credential& credential) noexcept {
  return staples_well_formed(credential) && certificate_message_size(credential) <= codec::kMaxCertificate;
}

// As long as RFC 9846 4.5.1 lets a certificate be: "opaque cert_data<1..2^24-1>".
constexpr std::size_t kMaxIdentity = 0xff'ffff;

// Whether an alert ends a connection because something is wrong (RFC 9846 6.2).
bool is_error(Alert alert) noexcept {
  return alert != Alert::close_notify && alert != Alert::user_canceled && alert != Alert::no_renegotiation;
}

constexpr Error kUnusable{.alert = Alert::internal_error,
                          .reason = Reason::unusable,
                          .place = Place::application,
                          .origin = Origin::application};

}  // namespace

// --- life --------------------------------------------------------------------------------------------------------

Connection::State& Connection::state() noexcept { return *std::launder(reinterpret_cast<State*>(storage_)); }

const Connection::State& Connection::state() const noexcept {
  return *std::launder(reinterpret_cast<const State*>(storage_));
}

Connection::Connection(State&& state) noexcept {
  static_assert(sizeof(State) <= kStateSize && alignof(State) <= alignof(Connection));
  new (storage_) State(std::move(state));
}

Connection::Connection(Connection&& other) noexcept : Connection(std::move(other.state())) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  if (this != &other) {
    std::destroy_at(&state());
    new (storage_) State(std::move(other.state()));
  }
  return *this;
}

Connection::~Connection() {
  const bool had_secrets = state().usable();
  std::destroy_at(&state());
  if (!had_secrets) return;
  wipe_registers();
  wipe_stack();
}

Connection Connection::client(std::shared_ptr<const ClientConfig> config, ClientOptions options, RandomSource& random,
                              Time now, MutableBytes memory) {
  State state = State::make(Role::client, std::move(config), &random, memory);
  state.start_client(std::move(options), now);
  return Connection(std::move(state));
}

Connection Connection::server(std::shared_ptr<const ServerConfig> config, RandomSource& random, MutableBytes memory,
                              ServerOptions options) {
  State state = State::make(Role::server, std::move(config), &random, memory);
  state.start_server(options);
  return Connection(std::move(state));
}

Connection Connection::client(std::shared_ptr<const ClientConfig> config, ClientOptions options,
                              trace::Recorder& recorder, Time now, MutableBytes memory) {
  State state = State::make(Role::client, std::move(config), recorder.tap_.get(), memory);
  state.start_client(std::move(options), now, recorder.tap_.get());
  return Connection(std::move(state));
}

Connection Connection::server(std::shared_ptr<const ServerConfig> config, trace::Recorder& recorder,
                              MutableBytes memory, ServerOptions options) {
  State state = State::make(Role::server, std::move(config), recorder.tap_.get(), memory);
  state.start_server(options, recorder.tap_.get());
  return Connection(std::move(state));
}

void Connection::use(KeyCache* cache) noexcept {
  record::ContextCache* const contexts = cache == nullptr ? nullptr : cache->cache_.get();
  state().receiving.opener.use(contexts);
  state().sending.sealer.use(contexts);
}

Connection::State::State(State&& other) noexcept
    : config(std::move(other.config)),
      random(std::exchange(other.random, nullptr)),
      supplied(std::exchange(other.supplied, {})),
      waker(std::move(other.waker)),
      role(other.role),
      receiving(std::move(other.receiving)),
      sending(std::move(other.sending)),
      phase(std::exchange(other.phase, Unusable{})) {
  attach();
}

void Connection::State::prepare(HandshakeRun& made) noexcept {
  made.transport.attach(receiving, sending);
  made.handshake.context().pending.wake_by(waker);
  if (auto* const handshaking = std::get_if<Handshaking>(&phase))
    made.handshake.context().attachment = std::move(handshaking->attachment);
}

// The handshake's transport writes into our halves.
void Connection::State::attach() noexcept {
  if (run() != nullptr) run()->transport.attach(receiving, sending);
}

Connection::State Connection::State::make(Role role, std::shared_ptr<const Config> config, RandomSource* random,
                                          MutableBytes memory) noexcept {
  State state;
  state.role = role;
  if (config == nullptr || config->role() != role) return state;
  state.config = std::move(config);
  state.random = random;
  state.supplied = memory;
  state.phase = Handshaking{};
  state.sending.max_fragment = state.config->settings().max_send_fragment;
  return state;
}

bool Connection::State::ensure_run() noexcept {
  if (run() != nullptr) return true;
  if (!create_run()) return false;
  run()->handshake.start_server();
  return true;
}

bool Connection::State::create_run() noexcept {
  auto& handshaking = std::get<Handshaking>(phase);
  handshaking.run.reset(HandshakeRun::create(*config, *random, supplied));
  if (!handshaking.run) {
    fail(Reason::memory, Place::handshake);
    return false;
  }
  prepare(*handshaking.run);
  handshaking.run->handshake.context().verification = handshaking.verification;
  return true;
}

void Connection::State::start_client(ClientOptions&& options, Time now, trace::Tap* tap,
                                     handshake::Rewriter* rewriter) noexcept {
  if (!usable()) return;
  std::get<Handshaking>(phase).verification = options.verification;
  if (!create_run()) return;
  run()->handshake.context().rewriter = rewriter;
  run()->record(tap);
  if (tap != nullptr) tap->start(*config, options, now);
  if (auto started =
          run()->handshake.start_client(std::move(options.name), std::move(options.server_name), options.sessions, now);
      !started)
    fail(started.error());
  if (tap != nullptr) tap->write(trace::Started{error() != nullptr, error() != nullptr ? *error() : Error{}});
}

void Connection::State::start_server(ServerOptions options, trace::Tap* tap, handshake::Rewriter* rewriter) noexcept {
  if (!usable()) return;
  std::get<Handshaking>(phase).verification = options.verification;
  // Nothing is taken for a client that has not said anything yet.
  if ((tap == nullptr && rewriter == nullptr) || !create_run()) return;
  run()->handshake.context().rewriter = rewriter;
  run()->record(tap);
  if (tap != nullptr) tap->start(*config, {.name = x509::NoNameCheck{}, .verification = options.verification}, {});
  run()->handshake.start_server();
  if (tap != nullptr) tap->write(trace::Started{});
}

void Connection::State::fail(const Error& cause) noexcept {
  if (!usable() || std::holds_alternative<Ended>(phase)) return;
  // RFC 9846 6.2: "Upon transmission or receipt of a fatal alert message, both parties MUST immediately close the
  // connection." RFC 9846 6: "Servers and clients MUST forget the secret values and keys established in failed
  // connections": all but the key that protects the alert.
  // RFC 9846 6.2: "Whenever an implementation encounters a fatal error condition, it SHOULD send an appropriate fatal
  // alert and MUST close the connection without sending or receiving any additional data."
  const bool was_closed = sending.closed && !sending.alert;
  Ended ended{.run = {}, .agreed = agreed(), .error = cause};
  std::visit(
      [&]<class Phase>(Phase& before) {
        if constexpr (requires { before.run; }) ended.run = std::move(before.run);
      },
      phase);
  phase = std::move(ended);
  receiving.opener.clear();
  receiving.key_updated = false;
  receiving.renegotiation_refused = false;
  receiving.protection = receiving.offloaded() ? connection::Receiving::Protection::elsewhere : receiving.protection;
  sending.withdraw_keys();
  sending.key_update = connection::Sending::KeyUpdate::none;
  sending.hello_request = false;
  sending.warning.reset();
  if (cause.alert == Alert::close_notify && cause.reason == Reason::canceled) sending.warning = Alert::user_canceled;
  // RFC 9846 6.1: nothing answers an alert, and nobody hears one where the transport has ended.
  const bool heard = cause.origin != Origin::peer && cause.reason != Reason::truncated && !was_closed &&
                     sending.protection() != connection::Sending::Protection::over;
  sending.alert = heard ? std::optional(cause.alert) : std::nullopt;
  if (!heard) sending.warning.reset();
  if (HandshakeRun* const handshake_run = run()) {
    if (heard) {
      if (handshake_run->transport.within_message()) sending.warning.reset();
      handshake_run->transport.abandon();
    } else {
      handshake_run->transport.discard();
    }
    handshake_run->handshake.stop_tickets();
    handshake_run->handshake.events().clear();
    handshake_run->handshake.context().attachment.reset();
  }
}

void Connection::State::establish() noexcept {
  if (renegotiating() && run()->handshake.connected()) return adopt();
  if (!handshaking() || run() == nullptr || !run()->handshake.connected()) return;
  handshake::Context& context = run()->handshake.context();
  Established established{.run = {},
                          .machine = *run()->handshake.live(),
                          .agreed = context.agreed,
                          .secrets = std::move(context.secrets),
                          .inbox = {},
                          .sizer = {},
                          .origin = {},
                          .sessions = {},
                          .former = {}};
  if (role == Role::client && config->settings().resumption && context.agreed.version == ProtocolVersion::tls_1_3)
    established.origin = handshake::session_origin(context);
  if (context.agreed.version == ProtocolVersion::tls_1_2) established.former = handshake::Former::of(context);
  established.run = std::move(std::get<Handshaking>(phase).run);
  phase = std::move(established);
  // RFC 5246 6.2.1: "multiple client messages of the same ContentType MAY be coalesced into a single TLSPlaintext
  // record": what came in one record with Finished is for the connection that stands. In TLS 1.3 keys change there.
  const Bytes rest = run()->handshake.unread();
  if (rest.empty()) return;
  if (auto went = receive_post_handshake(rest, context.now); !went) fail(went.error());
}

void Connection::State::retire() noexcept {
  HandshakeRun* const now = run();
  if (now == nullptr) return;
  if (now->handshake.over() && !now->handshake.context().pending.any()) now->handshake.context().attachment.reset();
  if (now->transport.pending() || tap() != nullptr || !now->handshake.events().empty()) return;
  if (established() != nullptr && established()->former && now->handshake.context().rewriter != nullptr) return;
  std::visit(
      [&]<class Phase>(Phase& current) {
        if constexpr (std::same_as<Phase, Established>) {
          // An answer that comes too late is still an answer.
          if (current.run->handshake.over() && !current.run->handshake.context().pending.any()) current.run.reset();
        } else if constexpr (std::same_as<Phase, Ended>) {
          if (!sending.control_due()) current.run.reset();
        }
      },
      phase);
}

void Connection::State::notice_dropped_tokens() noexcept {
  const HandshakeRun* const now = run();
  if (now == nullptr || !now->handshake.context().pending.has_dropped() || error() != nullptr) return;
  if (!run()->handshake.survives_dropped_token()) return fail(Reason::token_dropped, Place::application);
  // A server of TLS 1.2 whose ticket was waited for goes on without it, to the end of its handshake.
  establish();
}

// --- phases ------------------------------------------------------------------------------------------------------

const Error* Connection::State::error() const noexcept {
  if (!usable()) return &kUnusable;
  const auto* const ended = std::get_if<Ended>(&phase);
  return ended == nullptr ? nullptr : &ended->error;
}

const Agreed& Connection::State::agreed() const noexcept {
  static constexpr Agreed kNothing{};
  return std::visit(
      []<class Phase>(const Phase& current) -> const Agreed& {
        if constexpr (requires { current.agreed; }) {
          return current.agreed;
        } else if constexpr (requires { current.run; }) {
          return current.run ? current.run->handshake.context().agreed : kNothing;
        } else {
          return kNothing;
        }
      },
      phase);
}

const handshake::ConnectionSecrets* Connection::State::secrets() const noexcept {
  if (const auto* stands = established()) return &stands->secrets;
  return answers_early_data() ? &run()->handshake.context().secrets : nullptr;
}

std::expected<const handshake::Secrets12*, Misuse> Connection::State::secrets12() const noexcept {
  if (!usable()) return std::unexpected(Misuse::unusable);
  const auto* const held = secrets();
  if (held == nullptr) return std::unexpected(Misuse::not_connected);
  const auto* const of_tls12 = std::get_if<handshake::Secrets12>(held);
  if (of_tls12 == nullptr) return std::unexpected(Misuse::not_in_tls13);
  return of_tls12;
}

std::optional<Misuse> Connection::State::not_sendable() const noexcept {
  if (!usable()) return Misuse::unusable;
  if (handshaking()) return Misuse::not_connected;
  if (error() != nullptr || sending.closed) return Misuse::closed;
  return std::nullopt;
}

// --- bytes -------------------------------------------------------------------------------------------------------

// Each writes itself and its result to the tape, if there is one.

Received Connection::receive(MutableBytes inbound, Time now) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.receive(inbound, now); }, [&] { return self.receive(inbound, now); },
                       [&](trace::Tap& tap, const Received& result) {
                         tap.told(result.event, self.agreed());
                         tap.received(result.consumed);
                       });
}

std::size_t Connection::transmit(MutableBytes outbound, Time now) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.write(trace::Transmit{now, outbound.size()}); },
                       [&] { return self.transmit(outbound, now); },
                       [&](trace::Tap& tap, std::size_t size) { tap.write(trace::Transmitted{outbound.first(size)}); });
}

bool Connection::transmit_pending() const noexcept { return state().transmit_pending(); }

std::expected<Sealed, Misuse> Connection::seal(std::span<const Bytes> plaintext, MutableBytes outbound, Time now) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.seal(plaintext, outbound.size(), now); },
                       [&] { return self.seal(plaintext, outbound, now); },
                       [&](trace::Tap& tap, const auto& result) { tap.sealed(result, outbound); });
}

std::expected<Sealed, Misuse> Connection::seal_early(std::span<const Bytes> plaintext, MutableBytes outbound,
                                                     Time now) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.seal(plaintext, outbound.size(), now, true); },
                       [&] { return self.seal_early(plaintext, outbound, now); },
                       [&](trace::Tap& tap, const auto& result) { tap.sealed(result, outbound); });
}

std::size_t Connection::early_data_left() const noexcept {
  return role() == Role::client ? state().early_data_left().value_or(0) : 0;
}

std::expected<MutableBytes, Misuse> Connection::seal_in_place(RecordSlot slot, Time now) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.seal_in_place(slot, now); },
                       [&] { return self.seal_in_place(slot, now); },
                       [&](trace::Tap& tap, const auto& result) { tap.sealed(result, slot.payload); });
}

std::size_t Connection::tailroom(std::size_t payload) const noexcept {
  if (!state().usable()) return 0;
  const Settings& settings = state().config->settings();
  const std::size_t padding = settings.padding.padding_for(payload, state().sending.max_fragment);
  const record::Sealer& sealer = state().sending.sealer;
  if (sealer.installed()) return sealer.trailer_size(padding);
  return record::kInnerTypeSize + padding + kMaxAeadTagSize;
}

std::size_t Connection::headroom() const noexcept { return state().sending.sealer.headroom(); }

std::size_t Connection::max_fragment() const noexcept { return state().sending.max_fragment; }

std::size_t Connection::max_record() const noexcept { return state().max_record(); }

std::optional<Time> Connection::deadline() const noexcept { return std::nullopt; }

Event Connection::receive_end() {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.write(trace::ReceiveEnd{}); }, [&] { return self.receive_end(); },
                       [&](trace::Tap& tap, const Event& event) {
                         tap.told(event, self.agreed());
                         tap.received(0);
                       });
}

// --- answers -----------------------------------------------------------------------------------------------------

// A token is spent when its answer is taken, and not by a call that is refused.

template <class Operation, class Input>
std::expected<void, Misuse> Connection::State::answer(Token<Operation>& token, const Input& input,
                                                      Place place) noexcept {
  if (!usable()) return std::unexpected(Misuse::unusable);
  if (error() != nullptr || run() == nullptr || !run()->handshake.awaits(token))
    return std::unexpected(Misuse::wrong_token);
  if (auto went = run()->handshake.answer(token, input, place); !went) fail(went.error());
  establish();
  return {};
}

std::expected<void, Misuse> Connection::State::answer(Token<SelectConfig>& token, ConfigSelected&& selected) noexcept {
  if (!usable()) return std::unexpected(Misuse::unusable);
  if (error() != nullptr || run() == nullptr || !run()->handshake.awaits(token))
    return std::unexpected(Misuse::wrong_token);
  const Config& chosen = selected.config != nullptr ? *selected.config : *config;
  if (!run()->handshake.select(chosen, selected)) return std::unexpected(Misuse::invalid_answer);
  run()->transport.use(chosen.settings());
  sending.max_fragment = chosen.settings().max_send_fragment;
  if (selected.config != nullptr) config = std::move(selected.config);
  auto answered = answer(token, handshake::ConfigChosen{}, Place::client_hello);
  if (selected.warn_unrecognized_name && error() == nullptr && agreed().version == ProtocolVersion::tls_1_2)
    sending.warning = Alert::unrecognized_name;
  return answered;
}

std::expected<void, Misuse> Connection::State::answer(Compute& done) noexcept {
  if (!usable()) return std::unexpected(Misuse::unusable);
  if (error() != nullptr || run() == nullptr || !run()->handshake.awaits(done.token))
    return std::unexpected(Misuse::wrong_token);
  if (auto went = run()->handshake.answer(done); !went) fail(went.error());
  establish();
  return {};
}

std::expected<void, Misuse> Connection::State::answer(Token<SealTicket>& token,
                                                      const handshake::TicketSealed& input) noexcept {
  if (!usable()) return std::unexpected(Misuse::unusable);
  if (error() != nullptr || run() == nullptr || !run()->handshake.awaits(token))
    return std::unexpected(Misuse::wrong_token);
  if (auto went = run()->handshake.answer(token, input); !went) fail(went.error());
  establish();
  return {};
}

std::expected<void, Misuse> Connection::answer(Token<SelectConfig>&& token, ConfigSelected selected) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.answer(self.number_of(token), selected); },
                       [&] { return self.answer(token, std::move(selected)); });
}

std::expected<void, Misuse> Connection::answer(Token<SelectConfig>&& token, ClientHelloRefused refused) {
  State& self = state();
  return self.recorded(
      [&](trace::Tap& tap) {
        trace::AnswerConfig entry;
        entry.token = self.number_of(token);
        entry.alert = refused.alert;
        tap.write(entry);
      },
      [&]() -> std::expected<void, Misuse> {
        if (!is_error(refused.alert)) return std::unexpected(Misuse::invalid_answer);
        return self.answer(token, handshake::HelloRefused{refused.alert}, Place::client_hello);
      });
}

std::expected<void, Misuse> Connection::answer(Token<SelectCredential>&& token,
                                               std::shared_ptr<const Credential> credential) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.answer(self.number_of(token), credential.get()); },
                       [&]() -> std::expected<void, Misuse> {
                         if (credential != nullptr && !can_be_sent(*credential))
                           return std::unexpected(Misuse::invalid_answer);
                         return self.answer(token, handshake::CredentialSelected{std::move(credential)},
                                            Place::certificate);
                       });
}

std::expected<void, Misuse> Connection::answer(Token<SelectCredential>&& token, NoCredential) {
  State& self = state();
  return self.recorded(
      [&](trace::Tap& tap) { tap.answer(self.number_of(token), static_cast<const Credential*>(nullptr)); },
      [&] { return self.answer(token, handshake::CredentialSelected{}, Place::certificate); });
}

std::expected<void, Misuse> Connection::answer(Token<Sign>&& token, Bytes signature) {
  State& self = state();
  return self.recorded(
      [&](trace::Tap& tap) { tap.write(trace::AnswerSignature{self.number_of(token), true, signature}); },
      [&]() -> std::expected<void, Misuse> {
        if (signature.empty() || signature.size() > 0xffff) return std::unexpected(Misuse::invalid_answer);
        return self.answer(token, handshake::Signed{signature}, Place::certificate_verify);
      });
}

std::expected<void, Misuse> Connection::answer(Token<Sign>&& token, SigningFailed) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.write(trace::AnswerSignature{self.number_of(token), false, {}}); },
                       [&] { return self.answer(token, handshake::Signed{}, Place::certificate_verify); });
}

std::expected<void, Misuse> Connection::answer(Token<Decrypt>&& token, Bytes premaster) {
  State& self = state();
  return self.recorded(
      [&](trace::Tap& tap) { tap.write(trace::AnswerDecryption{self.number_of(token), true, premaster}); },
      [&] { return self.answer(token, handshake::Decrypted{premaster}, Place::client_key_exchange); });
}

std::expected<void, Misuse> Connection::answer(Token<Decrypt>&& token, DecryptionFailed) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.write(trace::AnswerDecryption{self.number_of(token), false, {}}); },
                       [&] { return self.answer(token, handshake::Decrypted{}, Place::client_key_exchange); });
}

std::expected<void, Misuse> Connection::answer(Compute&& done) {
  State& self = state();
  return self.recorded(
      [&](trace::Tap& tap) {
        tap.write(
            trace::AnswerComputation{self.number_of(done.token), ComputationAccess::belongs(done.job, done.token)});
      },
      [&]() -> std::expected<void, Misuse> {
        if (!ComputationAccess::belongs(done.job, done.token))
          return std::unexpected(done.token ? Misuse::invalid_answer : Misuse::wrong_token);
        return self.answer(done);
      });
}

namespace {

bool well_formed(const PskChosen& psk) noexcept {
  return !psk.key.empty() && psk.key.size() <= kMaxPskSize && psk.identity.size() <= kMaxPskIdentity &&
         psk.context.size() <= kMaxPskContext;
}

// RFC 9846 4.3.11: "opaque identity<1..2^16-1>"; TLS 1.2 has room for one key.
bool well_formed(std::span<const PskChosen> chosen, Place place) noexcept {
  if (chosen.empty() || !std::ranges::all_of(chosen, [](const PskChosen& psk) { return well_formed(psk); }))
    return false;
  if (place == Place::client_key_exchange) return chosen.size() == 1;
  return chosen.size() <= kMaxPsksOffered &&
         std::ranges::none_of(chosen, [](const PskChosen& psk) { return psk.identity.empty(); });
}

trace::AnswerPsk as_entry(trace::TokenNumber token, std::span<const PskChosen> chosen) {
  trace::AnswerPsk entry{.token = token, .chosen = true};
  for (const PskChosen& psk : chosen)
    entry.others.push_back({psk.identity, psk.key, psk.hash, psk.import, psk.context});
  if (entry.others.empty()) return entry;
  const trace::OfferedPsk first = entry.others.front();
  entry.others.erase(entry.others.begin());
  entry.identity = first.identity;
  entry.key = first.key;
  entry.hash = first.hash;
  entry.import = first.import;
  entry.context = first.context;
  return entry;
}

}  // namespace

std::expected<void, Misuse> Connection::answer(Token<SelectPsk>&& token, PskChosen chosen) {
  return answer(std::move(token), std::span<const PskChosen>(&chosen, 1));
}

std::expected<void, Misuse> Connection::answer(Token<SelectPsk>&& token, std::span<const PskChosen> chosen) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.write(as_entry(self.number_of(token), chosen)); },
                       [&]() -> std::expected<void, Misuse> {
                         if (!well_formed(chosen, self.psk_place())) return std::unexpected(Misuse::invalid_answer);
                         return self.answer(token, handshake::Handshake::psk_given(chosen), self.psk_place());
                       });
}

std::expected<void, Misuse> Connection::answer(Token<SelectPsk>&& token, NoPsk) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.write(trace::AnswerPsk{.token = self.number_of(token)}); },
                       [&] { return self.answer(token, handshake::PskWithheld{}, self.psk_place()); });
}

std::expected<void, Misuse> Connection::answer(Token<FindPsk>&& token, PskFound found) {
  State& self = state();
  return self.recorded(
      [&](trace::Tap& tap) {
        tap.write(trace::AnswerPskLookup{self.number_of(token), true, found.peer_identity, found.key, found.hash});
      },
      [&]() -> std::expected<void, Misuse> {
        if (found.key.empty() || found.key.size() > kMaxPskSize || found.peer_identity.size() > kMaxIdentity)
          return std::unexpected(Misuse::invalid_answer);
        return self.answer(token, handshake::Handshake::psk_given(found), self.psk_place());
      });
}

std::expected<void, Misuse> Connection::answer(Token<FindPsk>&& token, PskUnknown) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.write(trace::AnswerPskLookup{.token = self.number_of(token)}); },
                       [&] { return self.answer(token, handshake::PskWithheld{}, self.psk_place()); });
}

std::expected<void, Misuse> Connection::answer(Token<VerifyPeer>&& token, PeerAccepted accepted) {
  State& self = state();
  return self.recorded(
      [&](trace::Tap& tap) {
        tap.write(trace::AnswerVerdict{.token = self.number_of(token),
                                       .accepted = true,
                                       .reason = Reason::none,
                                       .detail = 0,
                                       .identity = accepted.identity,
                                       .expires = accepted.expires,
                                       .unverified = accepted.unverified});
      },
      [&]() -> std::expected<void, Misuse> {
        if (accepted.identity.size() > kMaxIdentity) return std::unexpected(Misuse::invalid_answer);
        // A reserve that is about nothing that a certificate can lack is none.
        if (accepted.unverified && !name(accepted.unverified.reason).starts_with("certificate_"))
          return std::unexpected(Misuse::invalid_answer);
        return self.answer(token, handshake::Handshake::peer_verified(accepted), Place::certificate);
      });
}

std::expected<void, Misuse> Connection::answer(Token<VerifyPeer>&& token, PeerRejected rejection) {
  State& self = state();
  return self.recorded(
      [&](trace::Tap& tap) {
        tap.write(trace::AnswerVerdict{.token = self.number_of(token),
                                       .accepted = false,
                                       .reason = rejection.reason,
                                       .detail = rejection.detail,
                                       .identity = {},
                                       .expires = Time::max(),
                                       .alert = rejection.alert.value_or(Alert::close_notify)});
      },
      [&]() -> std::expected<void, Misuse> {
        // A verdict without a reason, of `ok` perhaps, is none.
        if (rejection.reason == Reason::none || (rejection.alert && !is_error(*rejection.alert)))
          return std::unexpected(Misuse::invalid_answer);
        return self.answer(token, handshake::PeerRefused{rejection}, Place::certificate);
      });
}

std::expected<void, Misuse> Connection::answer(Token<VerifyPeer>&& token, const PeerDecision& decision) {
  return std::visit([&](const auto& either) { return answer(std::move(token), either); }, decision);
}

std::expected<void, Misuse> Connection::answer(Token<OpenTicket>&& token, Session session) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.answer(self.number_of(token), &session); },
                       [&] { return self.answer(token, handshake::TicketOpened{&session}, Place::client_hello); });
}

std::expected<void, Misuse> Connection::answer(Token<OpenTicket>&& token, TicketDeclined) {
  State& self = state();
  return self.recorded(
      [&](trace::Tap& tap) { tap.answer(self.number_of(token), static_cast<const Session*>(nullptr)); },
      [&] { return self.answer(token, handshake::TicketOpened{}, Place::client_hello); });
}

std::expected<void, Misuse> Connection::answer(Token<AcceptEarlyData>&& token, EarlyDataAccepted) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.write(trace::AnswerEarlyData{self.number_of(token), true}); },
                       [&] { return self.answer(token, handshake::EarlyDataJudged{true}, Place::client_hello); });
}

std::expected<void, Misuse> Connection::answer(Token<AcceptEarlyData>&& token, EarlyDataDeclined) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.write(trace::AnswerEarlyData{self.number_of(token), false}); },
                       [&] { return self.answer(token, handshake::EarlyDataJudged{false}, Place::client_hello); });
}

std::expected<void, Misuse> Connection::answer(Token<SealTicket>&& token, Bytes ticket) {
  State& self = state();
  return self.recorded(
      [&](trace::Tap& tap) { tap.write(trace::AnswerTicketSealed{self.number_of(token), true, ticket}); },
      [&]() -> std::expected<void, Misuse> {
        if (ticket.empty() || ticket.size() > 0xffff) return std::unexpected(Misuse::invalid_answer);
        return self.answer(token, handshake::TicketSealed{ticket});
      });
}

std::expected<void, Misuse> Connection::answer(Token<SealTicket>&& token, TicketDeclined) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.write(trace::AnswerTicketSealed{self.number_of(token), false, {}}); },
                       [&] { return self.answer(token, handshake::TicketSealed{}); });
}

void Connection::wake_by(std::shared_ptr<TokenWaker> waker) noexcept {
  State& self = state();
  if (self.run() != nullptr) self.run()->handshake.context().pending.wake_by(waker);
  self.waker = std::move(waker);
}

void Connection::attach(std::shared_ptr<void> attachment) noexcept {
  State& self = state();
  if (self.error() != nullptr || self.renegotiating()) return;
  if (HandshakeRun* const run = self.run()) {
    if (!run->handshake.over()) run->handshake.context().attachment = std::move(attachment);
  } else if (auto* const handshaking = std::get_if<Handshaking>(&self.phase)) {
    handshaking->attachment = std::move(attachment);
  }
}

std::size_t certificate_message_size(const Credential& credential) noexcept {
  std::size_t size = codec::kMinCertificate + staples_of(credential).extensions_size();
  for (const auto& der : credential.chain) size += codec::kCertificateEntryAdds + der.size();
  return size;
}

bool staples_well_formed(const Credential& credential) noexcept {
  const codec::CertificateParameters staples = staples_of(credential);
  return (credential.sct_list.empty() || codec::is_signed_certificate_timestamp_list(credential.sct_list)) &&
         staples.extensions_fit();
}

// --- ending and renewing -----------------------------------------------------------------------------------------

void Connection::close() noexcept {
  State& self = state();
  (void)self.recorded([](trace::Tap& tap) { tap.write(trace::Close{}); },
                      [&]() -> std::expected<void, Misuse> {
                        self.close();
                        return {};
                      });
}

void Connection::cancel(Alert why) noexcept {
  State& self = state();
  (void)self.recorded([&](trace::Tap& tap) { tap.write(trace::Cancel{why}); },
                      [&]() -> std::expected<void, Misuse> {
                        self.cancel(why);
                        return {};
                      });
}

std::expected<void, Misuse> Connection::update_keys(bool request_peer) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.write(trace::UpdateKeys{request_peer}); },
                       [&] { return self.update_keys(request_peer); });
}

std::expected<void, Misuse> Connection::set_max_send_fragment(std::size_t bytes) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.write(trace::SetMaxSendFragment{bytes}); },
                       [&]() -> std::expected<void, Misuse> {
                         if (!self.usable()) return std::unexpected(Misuse::unusable);
                         if (self.sending.offloaded()) return std::unexpected(Misuse::offloaded);
                         if (bytes < kMinSendFragment || bytes > kMaxSendFragment)
                           return std::unexpected(Misuse::out_of_range);
                         self.sending.set_max_fragment(static_cast<std::uint16_t>(bytes));
                         return {};
                       });
}

std::expected<void, Misuse> Connection::renegotiate(Time now, std::optional<ClientAuth> client_auth) {
  State& self = state();
  return self.recorded(
      [&](trace::Tap& tap) {
        tap.write(trace::Renegotiate{now, client_auth.has_value(), client_auth.value_or(ClientAuth{})});
      },
      [&] { return self.renegotiate({client_auth}, now); });
}

std::expected<void, Misuse> Connection::offload(Direction direction) {
  State& self = state();
  return self.recorded([&](trace::Tap& tap) { tap.write(trace::Offload{direction}); },
                       [&] { return self.offload(direction); });
}

void Connection::State::close() noexcept {
  if (error() != nullptr || sending.closed) return;
  if (handshaking() || renegotiating()) return cancel(Alert::close_notify);
  // Nothing follows close_notify: neither the tickets that are left nor a KeyUpdate.
  if (run() != nullptr) run()->handshake.stop_tickets();
  sending.closed = true;
  sending.key_update = connection::Sending::KeyUpdate::none;
  sending.hello_request = false;
  sending.alert = Alert::close_notify;
}

void Connection::State::cancel(Alert why) noexcept {
  Error cause = make_error(Reason::canceled, Place::application);
  cause.origin = Origin::application;
  // RFC 9846 6.1: close_notify has to follow user_canceled. That goes out before it by itself.
  cause.alert = why == Alert::user_canceled ? Alert::close_notify : why;
  const bool connected = established() != nullptr;
  fail(cause);
  if (connected) sending.warning.reset();
}

std::expected<void, Misuse> Connection::State::update_keys(bool request_peer) noexcept {
  if (const auto refused = not_sendable()) return std::unexpected(*refused);
  if (agreed().version == ProtocolVersion::tls_1_2) return std::unexpected(Misuse::not_in_tls12);
  using KeyUpdate = connection::Sending::KeyUpdate;
  // RFC 9846 4.7.3: one request is out at a time, and the peer's answer changes its key as well as another's would.
  if (request_peer && sending.update_requested) return {};
  if (request_peer || sending.key_update == KeyUpdate::none)
    sending.key_update = request_peer ? KeyUpdate::requested : KeyUpdate::not_requested;
  return {};
}

MutableBytes Connection::reclaim() noexcept {
  State& self = state();
  self.retire();
  if (self.handshaking() || self.run() != nullptr) return {};
  return std::exchange(self.supplied, {});
}

// --- what was agreed ---------------------------------------------------------------------------------------------

namespace {

template <class Id>
std::optional<Id> known(Id id) noexcept {
  if (id == Id{}) return std::nullopt;
  return id;
}

}  // namespace

Role Connection::role() const noexcept { return state().role; }
bool Connection::connected() const noexcept { return state().established() != nullptr; }
bool Connection::awaiting_answer() const noexcept {
  const State& self = state();
  return self.run() != nullptr && self.error() == nullptr && self.run()->handshake.suspended();
}
const Error* Connection::error() const noexcept { return state().error(); }
bool Connection::peer_closed() const noexcept { return state().receiving.closed(); }
bool Connection::closed() const noexcept { return state().sending.closed; }

std::size_t Connection::handshake_memory() const noexcept {
  const auto* const run = state().run();
  return run == nullptr ? 0 : run->handshake.context().arena.used();
}
std::optional<ProtocolVersion> Connection::version() const noexcept { return known(state().agreed().version); }
std::optional<CipherSuite> Connection::suite() const noexcept {
  const BoundSuite* suite = state().agreed().suite;
  if (suite == nullptr) return std::nullopt;
  return suite->suite;
}
std::optional<NamedGroup> Connection::group() const noexcept { return known(state().agreed().group); }
std::optional<std::size_t> Connection::dh_bits() const noexcept {
  const handshake::Agreed& agreed = state().agreed();
  if (agreed.dh_bits != 0) return agreed.dh_bits;
  if (!is_finite_field(agreed.group)) return std::nullopt;
  return bit_size(field_parameters(agreed.group)->p);
}
std::optional<SignatureScheme> Connection::own_scheme() const noexcept { return known(state().agreed().own_scheme); }
std::optional<SignatureScheme> Connection::peer_scheme() const noexcept { return known(state().agreed().peer_scheme); }
bool Connection::peer_verified() const noexcept {
  const auto* const stands = state().established();
  return stands != nullptr && stands->agreed.peer_verified;
}
Unverified Connection::unverified() const noexcept {
  const auto* const stands = state().established();
  return stands != nullptr ? stands->agreed.unverified : Unverified();
}
std::string_view Connection::alpn() const noexcept { return state().agreed().protocol(); }
bool Connection::resumed() const noexcept { return state().agreed().resumed; }
bool Connection::retried() const noexcept { return state().agreed().retried; }
EarlyDataStatus Connection::early_data() const noexcept { return state().agreed().early_data; }
bool Connection::false_start() const noexcept { return state().starts_falsely(); }
bool Connection::extended_main_secret() const noexcept { return state().agreed().extended_main_secret; }
bool Connection::encrypt_then_mac() const noexcept { return state().agreed().encrypt_then_mac; }
bool Connection::secure_renegotiation() const noexcept { return state().agreed().secure_renegotiation; }
bool Connection::renegotiating() const noexcept { return state().renegotiating(); }

std::expected<void, Misuse> Connection::export_keying_material(std::string_view label, std::optional<Bytes> context,
                                                               MutableBytes out) const {
  const State& self = state();
  if (!self.usable()) return std::unexpected(Misuse::unusable);
  const handshake::ConnectionSecrets* secrets = self.secrets();
  if (secrets == nullptr) return std::unexpected(Misuse::not_connected);
  // Between two handshakes nobody could say of which it is.
  if (self.renegotiating()) return std::unexpected(Misuse::handshake_not_over);
  const Agreed& agreed = self.agreed();
  const Hash& hash = *agreed.suite->hash;
  if (const auto* const secrets12 = std::get_if<handshake::Secrets12>(secrets)) {
    // RFC 7627 5.4: without extended master secret "the client or server MUST NOT export any key material based on the
    // new master secret for any subsequent application-level authentication. In particular, it MUST disable [RFC5705]".
    if (!agreed.extended_main_secret) return std::unexpected(Misuse::not_extended);
    if (secrets12->master.empty()) return std::unexpected(Misuse::forgotten);
    const auto master = key_schedule::tls12::MasterSecret::of_session(secrets12->master.view());
    if (!master || !key_schedule::tls12::export_keying_material(hash, *master, secrets12->client_random,
                                                                secrets12->server_random, label, context, out))
      return std::unexpected(Misuse::invalid_answer);
    return {};
  }
  const DigestSecret& exporter = std::get<handshake::Secrets13>(*secrets).exporter;
  if (exporter.empty()) return std::unexpected(Misuse::forgotten);
  if (!key_schedule::export_keying_material(hash, exporter, label, context.value_or(Bytes()), out))
    return std::unexpected(Misuse::invalid_answer);
  return {};
}

std::expected<void, Misuse> Connection::export_keying_material(std::span<const KeyingMaterial> all) const {
  for (const auto& [label, context, out] : all) {
    if (auto done = export_keying_material(label, context, out); !done) return done;
  }
  return {};
}

std::expected<void, Misuse> Connection::forget_exporter() noexcept {
  State& self = state();
  return self.recorded([](trace::Tap& tap) { tap.write(trace::ForgetExporter{}); },
                       [&] { return self.forget_exporter(); });
}

std::expected<std::array<std::uint8_t, 32>, Misuse> Connection::tls_exporter() const {
  // RFC 9266 2: a "Zero-length string" for context, which in TLS 1.2 is not the same as none.
  std::array<std::uint8_t, 32> out{};
  if (auto done = export_keying_material("EXPORTER-Channel-Binding", Bytes(), out); !done)
    return std::unexpected(done.error());
  return out;
}

std::expected<Bytes, Misuse> Connection::tls_unique() const noexcept {
  // RFC 7627 5.4, of a session without extended master secret that is resumed: "the client MUST disable renegotiation
  // and any use of the "tls-unique" channel binding [RFC5929] on the current connection."
  const auto first = finished(resumed() ? Role::server : Role::client);
  if (first && resumed() && !extended_main_secret()) return std::unexpected(Misuse::not_extended);
  return first;
}

std::expected<Bytes, Misuse> Connection::client_random() const noexcept {
  const auto secrets = state().secrets12();
  if (!secrets) return std::unexpected(secrets.error());
  return (*secrets)->client_random;
}
std::expected<Bytes, Misuse> Connection::server_random() const noexcept {
  const auto secrets = state().secrets12();
  if (!secrets) return std::unexpected(secrets.error());
  return (*secrets)->server_random;
}
std::expected<Bytes, Misuse> Connection::finished(Role sender) const noexcept {
  const auto secrets = state().secrets12();
  if (!secrets) return std::unexpected(secrets.error());
  return sender == Role::client ? (*secrets)->client_finished : (*secrets)->server_finished;
}

std::expected<Bytes, Misuse> Connection::master_secret() const noexcept {
  const auto secrets = state().secrets12();
  if (!secrets) return std::unexpected(secrets.error());
  if (!state().config->settings().expose_master_secret) return std::unexpected(Misuse::not_exposed);
  if ((*secrets)->master.empty()) return std::unexpected(Misuse::forgotten);
  return (*secrets)->master.view();
}

std::expected<void, Misuse> Connection::prf(std::string_view label, Bytes seed, MutableBytes out) const {
  const auto secret = master_secret();
  if (!secret) return std::unexpected(secret.error());
  if (!extended_main_secret()) return std::unexpected(Misuse::not_extended);
  return prf(*secret, label, seed, out);
}

std::expected<void, Misuse> Connection::prf(Bytes secret, std::string_view label, Bytes seed, MutableBytes out) const {
  const auto secrets = state().secrets12();
  if (!secrets) return std::unexpected(secrets.error());
  if (!key_schedule::tls12::prf(*state().agreed().suite->hash, secret, label, {seed}, out))
    return std::unexpected(Misuse::invalid_answer);
  return {};
}

std::string_view name(Misuse misuse) noexcept {
  switch (misuse) {
    case Misuse::unusable: return "unusable";
    case Misuse::handshake_not_over: return "handshake_not_over";
    case Misuse::offloaded: return "offloaded";
    case Misuse::not_connected: return "not_connected";
    case Misuse::closed: return "closed";
    case Misuse::wrong_token: return "wrong_token";
    case Misuse::invalid_answer: return "invalid_answer";
    case Misuse::buffer_too_small: return "buffer_too_small";
    case Misuse::transmit_first: return "transmit_first";
    case Misuse::no_early_data: return "no_early_data";
    case Misuse::not_extended: return "not_extended";
    case Misuse::no_aead: return "no_aead";
    case Misuse::not_in_tls12: return "not_in_tls12";
    case Misuse::no_renegotiation: return "no_renegotiation";
    case Misuse::not_in_tls13: return "not_in_tls13";
    case Misuse::not_exposed: return "not_exposed";
    case Misuse::forgotten: return "forgotten";
    case Misuse::out_of_range: return "out_of_range";
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
