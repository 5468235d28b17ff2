#include "handshake/handshake.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "handshake/computation.hpp"
#include "trace/tap.hpp"
#include "types/allocated.hpp"

namespace lockstep::handshake {

Handshake::Handshake(const Surroundings& surroundings) noexcept
    : context_{.chosen = surroundings.config,
               .random = surroundings.random,
               .transport = surroundings.transport,
               .arena = surroundings.arena} {}

namespace {

SharesMade result_of(GenerateWork& done) noexcept { return {done.pairs}; }
SecretMade result_of(EncapsulateWork& done) noexcept { return {done.result, done.server_share, done.secret.view()}; }
SecretMade result_of(DecapsulateWork& done) noexcept { return {done.result, {}, done.secret.view()}; }

}  // namespace

Handshake::~Handshake() { context_.events.clear(); }

Status Handshake::start_client(x509::PeerName name, std::optional<x509::PeerName> server_name,
                               std::span<Session> sessions, Time now) noexcept {
  context_.now = now;
  expected_name_.emplace(std::move(name));
  server_name_ = std::move(server_name);
  context_.expected_name = &*expected_name_;
  context_.server_name = (server_name_ ? *server_name_ : *expected_name_).host_name();
  const auto entered = allocated([&] {
    sessions_.assign(std::make_move_iterator(sessions.begin()), std::make_move_iterator(sessions.end()));
    return enter(machine_, hello::start(context_, sessions_), context_);
  });
  if (!entered) return context_.fail(Reason::memory);
  if (*entered) record_state();
  return *entered;
}

void Handshake::start_server() noexcept {
  machine_.emplace<hello::WaitClientHello>();
  record_state();
}

Status Handshake::renegotiate(const Former& former, const Agreed& agreed, Time now) noexcept {
  context_.now = now;
  context_.former = &former;
  context_.agreed.version = agreed.version;
  context_.agreed.alpn = agreed.alpn;
  context_.agreed.extended_main_secret = agreed.extended_main_secret;
  context_.expected_name = &former.expected_name;
  context_.server_name = former.server_name;
  context_.verification = former.verification;
  context_.client_auth = former.client_auth;
  if (context_.config().role() == Role::server) {
    machine_.emplace<server12::WaitClientHello>();
    record_state();
    return {};
  }
  const auto entered = allocated([&] { return enter(machine_, client12::renegotiate(context_), context_); });
  if (!entered) return context_.fail(Reason::memory);
  if (*entered) record_state();
  return *entered;
}

Status Handshake::receive(Bytes content, Time now) noexcept {
  untouched_ = false;
  context_.now = now;
  if (!context_.inbox.append(content)) return context_.fail(Reason::handshake_too_large);
  return process_messages();
}

Status Handshake::process_messages() noexcept {
  while (!connected()) {
    if (auto looked = look_ahead(); !looked) return looked;
    if (context_.pending.blocks_reading()) break;
    const auto message =
        next_message(context_.inbox.unread(), context_.settings().max_handshake_message, machine_, context_);
    if (!message) return std::unexpected(message.error());
    if (message->empty()) break;
    context_.message = *message;
    context_.inbox.consume(message->size());
    if (context_.tap != nullptr) context_.tap->message(Direction::receive, *message);
    // The hash is settled with the suite; Finished comes later than that.
    const std::size_t verify_data_length =
        context_.agreed.version == ProtocolVersion::tls_1_2
            ? key_schedule::tls12::kVerifyDataSize
            : (context_.transcript.started() ? context_.transcript.hash().digest_size : kMaxDigestSize);
    if (auto handled = dispatch_message(*message, {context_.offered, verify_data_length}, machine_, context_); !handled)
      return handled;
    record_state();
  }
  if (connected() && context_.config().role() == Role::server) begin_tickets();
  return {};
}

bool Handshake::looks_ahead() const noexcept {
  if (!context_.settings().hand_out_computations) return false;
  return std::visit(
      []<class State>(const State& state) {
        if constexpr (requires { state.ahead; }) return !state.ahead.done;
        return false;
      },
      machine_);
}

Status Handshake::look_ahead() noexcept {
  if (!looks_ahead()) return {};
  const Bytes unread = context_.inbox.unread();
  const auto header = codec::handshake_header(unread);
  if (!header) return {};
  using Proof = codec::CertificateVerify;
  const std::size_t longest = std::min<std::size_t>(Proof::max_size, context_.settings().max_handshake_message);
  const bool is_proof = header->type == Proof::type && header->length <= longest;
  if (is_proof && unread.size() < codec::kHandshakeHeaderSize + header->length) return {};
  const bool looked = allocated([&] {
    std::visit(
        [&]<class State>(State& state) {
          if constexpr (requires { state.ahead; }) {
            state.ahead.done = true;
            if (is_proof)
              look_at_proof(context_, state.key, unread.subspan(codec::kHandshakeHeaderSize, header->length));
          }
        },
        machine_);
  });
  if (!looked) return context_.fail(Reason::memory);
  if (context_.failure) return std::unexpected(*context_.failure);
  return {};
}

Status Handshake::answer(Compute& done) noexcept {
  done.job.run();
  lockstep::detail::Work& work = *ComputationAccess::work(done.job);
  if (work.progress == lockstep::detail::Progress::out_of_memory) {
    context_.pending.redeem(done.token);
    context_.place = work.place;
    return context_.fail(Reason::memory);
  }
  return std::visit(
      [&]<class Job>(Job& job) {
        if constexpr (std::same_as<Job, VerifyWork>)
          return answer(done.token, SignatureChecked(job.result), work.place);
        else
          return answer(done.token, result_of(job), work.place);
      },
      work.job);
}

bool Handshake::select(const Config& config, const ConfigSelected& selected) noexcept {
  const auto& alpn = selected.alpn;
  std::optional<std::span<const std::string>> choice;
  if (alpn) {
    choice.emplace();
    const auto& ours = config.settings().alpn;
    const auto place = std::ranges::find(ours, *alpn);
    bool offered = false;
    if (const auto& theirs = std::get<hello::WaitConfig>(machine_).hello.application_layer_protocol_negotiation) {
      for (const Bytes name : *theirs) offered = offered || as_text(name) == *alpn;
    }
    if (offered && place != ours.end()) {
      choice = std::span(&*place, 1);
    } else if (!alpn->empty()) {
      return false;
    }
  }
  context_.chosen = config;
  context_.alpn_choice = choice;
  context_.client_auth = config.settings().client_auth;
  if (selected.verification) context_.verification = *selected.verification;
  return true;
}

Status Handshake::receive_change_cipher_spec(Time now) noexcept {
  context_.now = now;
  context_.place = Place::change_cipher_spec;
  if (auto went = dispatch(machine_, ChangeCipherSpec{}, context_); !went) return went;
  record_state();
  return {};
}

std::optional<LiveMachine> Handshake::live() const noexcept {
  return std::visit(
      []<class State>(const State& state) -> std::optional<LiveMachine> {
        if constexpr (std::constructible_from<LiveMachine, const State&>) return state;
        return std::nullopt;
      },
      machine_);
}

bool Handshake::answers_early_data() const noexcept {
  const bool may_answer =
      std::visit([]<class State>(const State&) { return requires { State::answers_early_data; }; }, machine_);
  return may_answer && context_.agreed.early_data == EarlyDataStatus::accepted;
}

bool Handshake::survives_dropped_token() noexcept {
  while (const auto scope = context_.pending.take_dropped()) {
    if (context_.tap != nullptr) context_.tap->write(trace::TokenDropped{});
    // Without a ticket TLS 1.2 goes on as well, and says that there is none.
    if (*scope == Scope::reading && !accepts<TicketSealed>(machine_)) return false;
    if (!ticket_sealed({})) return false;
  }
  return true;
}

template <class Step>
void Handshake::take_step(Step step) noexcept {
  auto taken = allocated(step);
  const bool failed = std::exchange(context_.failure, std::nullopt).has_value();
  if (!taken || failed) return stop_tickets();
  std::visit(
      [this]<class Successor>(Successor&& successor) {
        if constexpr (std::same_as<std::remove_cvref_t<Successor>, Error>) {
          tickets_ = server13::NoTickets{};
        } else {
          tickets_ = std::forward<Successor>(successor);
        }
      },
      std::move(*taken).value());
}

// Tickets are an offer: when one cannot be made, the connection goes on without it.

void Handshake::begin_tickets() noexcept {
  const auto* const secrets = std::get_if<Secrets13>(&context_.secrets);
  if (secrets == nullptr || secrets->resumption.empty()) return;
  take_step([&] { return server13::begin_tickets(context_); });
}

Status Handshake::ticket_sealed(const TicketSealed& input) noexcept {
  context_.place = Place::new_session_ticket;
  if (accepts<TicketSealed>(machine_)) {
    if (auto went = dispatch(machine_, input, context_); !went) return went;
    record_state();
    return process_messages();
  }
  if (auto* waiting = std::get_if<server13::WaitTicketSealed>(&tickets_))
    take_step([&] { return on(std::move(*waiting), input, context_); });
  return {};
}

void Handshake::record_state() const noexcept {
  if (context_.tap != nullptr) context_.tap->state(state_name());
}

std::string_view Handshake::state_name() const noexcept {
  return std::visit(
      []<class State>(const State&) -> std::string_view {
        if constexpr (requires { State::name; }) return State::name;
        return "START";
      },
      machine_);
}

}  // namespace lockstep::handshake
