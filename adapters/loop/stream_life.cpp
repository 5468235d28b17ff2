// A stream's beginning and end: connecting, the handshake's start, deadlines, failures, moving to another loop.

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include "common/sockets.hpp"
#include "loop/loop_core.hpp"
#include "loop/stream_core.hpp"

namespace lockstep::loop {

using sockets::canceled_error;
using sockets::plain_error;
using sockets::system_error;
using sockets::timeout_error;

namespace {

SystemRandom system_random;  // has no state

/// The tick in which that much time has passed since a tick began.
std::uint64_t later(std::uint64_t since, std::chrono::milliseconds time) {
  if (time.count() <= 0) return TimerWheel::kNever;
  return since + LoopCore::ticks_in(time) + 1;
}

}  // namespace

StreamCore::StreamCore(LoopCore& loop, std::shared_ptr<const Options> options, Descriptor socket)
    : loop_(&loop), options_(std::move(options)), socket_(std::move(socket)), last_activity_(loop.now()) {
  fire = [](Timer& timer) { static_cast<StreamCore&>(timer).on_timer(); };
}

StreamCore::~StreamCore() {
  unname();
  drop_secure();
  discard_input();
  output_pinned = false;
  drop_output();
}

void StreamCore::unname() noexcept {
  if (control_ == nullptr) return;
  std::vector<std::move_only_function<void(Stream&)>> never_run;  // may hold references of their own
  const std::scoped_lock lock(control_->mutex);
  control_->stream = nullptr;
  never_run.swap(control_->waiting);
}

// --- connecting ------------------------------------------------------------------------------------------------------

void StreamCore::set_target(Target&& target) {
  pending_ = std::make_unique<Pending>();
  if (target.name) server_name_ = target.name->text();
  pending_->name = std::move(target.name);
  pending_->server_name = std::move(target.server_name);
  pending_->sessions.reserve(target.sessions.size());
  for (Session& session : target.sessions) pending_->sessions.push_back(std::move(session));
}

void StreamCore::dial(std::vector<std::pair<sockaddr_storage, socklen_t>> addresses, std::string what) {
  pending_->addresses = std::move(addresses);
  pending_->what = std::move(what);
  continue_later();
}

void StreamCore::next_address() {
  Pending& pending = *pending_;
  if (pending.next == pending.addresses.size()) {
    IoError error = plain_error(Operation::connect, IoCondition::system, "");
    error.number = pending.last_error;
    error.text = "connect to " + pending.what + ": " + pending.attempts;
    fail(std::move(error));
    return;
  }
  const auto& [address, size] = pending.addresses[pending.next++];
  const auto left = static_cast<std::int64_t>(pending.addresses.size() - pending.next + 1);
  phase_deadline_ = loop_->in(options_->connect_timeout / left);
  Descriptor socket(::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) {
    connected(errno);
    return;
  }
  socket_ = std::move(socket);
  arm_timer();
  loop_->backend().connect(*this, reinterpret_cast<const sockaddr*>(&address), size);
}

void StreamCore::connected(int error) {
  if (phase_ != Phase::connecting) return;
  if (error != 0) {
    if (socket_) loop_->backend().abandon(*this);
    socket_.reset();
    std::string& attempts = pending_->attempts;
    // What stands behind "connect: ".
    attempts += (attempts.empty() ? "" : "; ") + system_error(Operation::connect, error).text.substr(9);
    pending_->last_error = error;
    next_address();
    return;
  }
  ++loop_->statistics_.connected;
  if (options_->no_delay) sockets::send_at_once(socket());
  phase_deadline_ = TimerWheel::kNever;
  pending_->addresses = {};
  opened({});
}

void StreamCore::opened(Bytes already_read) {
  if (phase_ != Phase::connecting) return;  // closed by whoever made its handler
  phase_ = Phase::open;
  last_activity_ = loop_->now();
  tls_wanted_ = options_->config != nullptr;
  if (const int error = loop_->backend().open(*this); error != 0) {
    const bool dialed = pending_ != nullptr && !pending_->what.empty();
    fail(located(system_error(dialed        ? Operation::connect
                              : tls_wanted_ ? Operation::handshake
                                            : Operation::read,
                              error)));
    return;
  }
  while (!already_read.empty()) {
    Block* block = loop_->blocks().take();
    if (block == nullptr) return out_of_memory(reading());
    const std::size_t size = std::min<std::size_t>(already_read.size(), block->capacity);
    std::ranges::copy(already_read.first(size), block->bytes());
    already_read = already_read.subspan(size);
    block->end = static_cast<std::uint32_t>(size);
    traffic_.bytes_received += size;
    append(block);
  }
  if (tls_wanted_ && !options_->lazy_handshake) expect_handshake();
  if (phase_ != Phase::open) return;
  mark_dirty();
  handler_->on_open(*this);
  tell_writable();
  if (phase_ != Phase::open) return;
  if (tls_wanted_ && options_->config->role() == Role::client && !options_->lazy_handshake) begin_tls();
  process();
}

// --- the handshake's beginning and end -------------------------------------------------------------------------------

/// From here on there is a limit to how long it may take, and to how many may be at it.
void StreamCore::expect_handshake() {
  if (in_handshake()) return;
  phase_deadline_ = loop_->in(options_->handshake_timeout);
  loop_->handshake_began(*this);
}

void StreamCore::begin_tls() {
  tls_wanted_ = false;
  const Options& options = *options_;
  RandomSource& random = options.random == nullptr ? system_random : *options.random;
  void* memory = loop_->handshakes_.take();  // without, the engine allocates what it needs
  const MutableBytes space = memory == nullptr
                                 ? MutableBytes{}
                                 : MutableBytes(static_cast<std::uint8_t*>(memory), Connection::kHandshakeMemory);
  const SessionContext verification = options.answers == nullptr ? SessionContext{} : options.answers->verification();
  if (options.config->role() == Role::server) {
    secure_ = std::make_unique<Secure>(
        Connection::server(as_server(options.config), random, space, {.verification = verification}), random);
  } else {
    secure_ = std::make_unique<Secure>(Connection::client(as_client(options.config),
                                                          {.name = std::move(*pending_->name),
                                                           .sessions = pending_->sessions,
                                                           .verification = verification,
                                                           .server_name = std::move(pending_->server_name)},
                                                          random, engine_time(), space),
                                       random);
  }
  secure_->memory = memory;
  secure_->connection.use(&loop_->keys_);
  pending_.reset();
  handshake_done_ = peer_closed_ = false;
  expect_handshake();
  if (phase_ == Phase::open) queue_handshake();
  mark_dirty();
}

/// Gives back what only a handshake needs.
void StreamCore::end_handshake() noexcept {
  // While the engine still works in it (a handshake that failed has an alert to send) it stays.
  if (secure_->memory == nullptr || secure_->connection.reclaim().empty()) return;
  loop_->handshakes_.give(std::exchange(secure_->memory, nullptr));
}

/// The engine first: until it is gone it may use its memory.
void StreamCore::drop_secure() noexcept {
  void* memory = secure_ == nullptr ? nullptr : secure_->memory;
  secure_.reset();
  if (memory != nullptr) loop_->handshakes_.give(memory);
}

// --- ending ----------------------------------------------------------------------------------------------------------

void StreamCore::start_closing() {
  if (phase_ == Phase::connecting) return finish();
  if (phase_ != Phase::open) return;
  if (secure_ != nullptr) {
    secure_->connection.close();
    queue_handshake();
    if (phase_ != Phase::open) return;
  }
  loop_->handshaking_.remove(*this);
  phase_ = Phase::flushing;
  phase_deadline_ = TimerWheel::kNever;
  awaiting_end_ = true;
  mark_dirty();
}

/// All is sent that will be.
void StreamCore::finish_output() {
  if (transport_ended_ || !awaiting_end_ || options_->linger.count() <= 0) return finish();
  (void)::shutdown(socket(), SHUT_WR);
  phase_ = Phase::lingering;
  phase_deadline_ = loop_->in(options_->linger);
  mark_dirty();
}

void StreamCore::finish() {
  if (phase_ == Phase::releasing) return;
  phase_ = Phase::releasing;
  loop_->handshaking_.remove(*this);
  loop_->wheel_.disarm(*this);
  tell_closed(nullptr);
  loop_->backend().release(*this);
}

void StreamCore::released() {
  if (phase_ == Phase::moving) {
    loop_->hand_over(*this, *move_target_);
  } else {
    loop_->bury(*this);
  }
}

void StreamCore::tell_closed(const IoError* error) {
  if (told_) return;
  told_ = true;
  if (error != nullptr) ++loop_->statistics_.failures;
  if (handler_ != nullptr) handler_->on_closed(*this, error);
}

void StreamCore::fail(IoError error) {
  if (told_ || phase_ == Phase::releasing) return;
  const bool tls = error.condition == IoCondition::tls;
  const bool abrupt = error.condition == IoCondition::system || phase_ == Phase::connecting;
  phase_ = Phase::flushing;  // before the handler hears of it: whatever it calls finds a stream that has ended
  loop_->handshaking_.remove(*this);
  tell_closed(&error);
  if (abrupt) {
    drop_output();
    return finish();
  }
  if (secure_ != nullptr) queue_handshake();
  const Error* own = secure_ == nullptr ? nullptr : secure_->connection.error();
  awaiting_end_ = tls && (own == nullptr || own->origin != Origin::peer);
  phase_deadline_ = loop_->in(std::max(options_->linger, std::chrono::milliseconds(1)));
  mark_dirty();
}

void StreamCore::abort(IoError error) {
  if (phase_ == Phase::moving || phase_ == Phase::releasing) return;
  phase_ = Phase::flushing;
  tell_closed(&error);
  drop_output();
  finish();
}

void StreamCore::evict() {
  if (secure_ != nullptr) secure_->connection.cancel();
  fail(located(canceled_error(Operation::handshake,
                              "it took longer than newer ones, and there are no more than max_handshakes at once")));
}

void StreamCore::out_of_memory(Operation operation) { fail(located(system_error(operation, ENOMEM))); }

IoError StreamCore::tls_error(Operation operation) const {
  const Error& error = *secure_->connection.error();
  const std::optional<x509::Verdict> none;
  const auto& verdict = secure_->answers == nullptr ? none : secure_->answers->verdict();
  return {.operation = operation,
          .condition = IoCondition::tls,
          .tls = error,
          .text = std::string(name(operation)) + peer_text() + ": " + to_text(error, verdict)};
}

IoError StreamCore::located(IoError error) const {
  error.text.insert(name(error.operation).size(), peer_text());
  return error;
}

/// " with example.com (192.0.2.1:443)", as far as it is known.
std::string StreamCore::peer_text() const {
  std::string address = lockstep::peer_address(socket()).text();
  const bool client = options_->config != nullptr && options_->config->role() == Role::client;
  if (client && !server_name_.empty()) address = address.empty() ? server_name_ : server_name_ + " (" + address + ")";
  return address.empty() ? address : " with " + address;
}

// --- the loop's turn -------------------------------------------------------------------------------------------------

/// A stream that its loop has let go of is in no list any more.
void StreamCore::mark_dirty() noexcept {
  if (phase_ != Phase::releasing) loop_->mark_dirty(*this);
}

void StreamCore::continue_later() noexcept {
  continue_ = true;
  mark_dirty();
}

void StreamCore::flush() {
  if (std::exchange(continue_, false)) {
    if (phase_ == Phase::connecting && !socket_) next_address();
    if (phase_ == Phase::open) process();
  }
  if (handshake_done_ && secure_ != nullptr) enter_kernel_tls();
  if (phase_ == Phase::moving) {
    loop_->backend().release(*this);
    return;
  }
  if (phase_ == Phase::flushing || phase_ == Phase::lingering) discard_input();
  if (phase_ == Phase::flushing && !has_output()) finish_output();
  if (shut_when_sent_ && !has_output() && phase_ == Phase::open) {
    shut_when_sent_ = false;
    (void)::shutdown(socket(), SHUT_WR);
  }
  if (phase_ == Phase::open || phase_ == Phase::flushing || phase_ == Phase::lingering) loop_->backend().update(*this);
  arm_timer();
}

std::uint64_t StreamCore::idle_deadline() const noexcept {
  return phase_ != Phase::open || in_handshake() ? TimerWheel::kNever : later(last_activity_, options_->idle_timeout);
}

std::uint64_t StreamCore::earliest_deadline() const noexcept {
  std::uint64_t earliest = std::min(phase_deadline_, idle_deadline());
  if (phase_ == Phase::open) {
    earliest = std::min(earliest, read_deadline_);
    // It may have passed with nothing to write; then it is for the next write.
    if (has_output() || writer_waits_) earliest = std::min(earliest, write_deadline_);
  }
  return has_output() ? std::min(earliest, later(last_progress_, options_->write_timeout)) : earliest;
}

/// A deadline that moves away does not touch the wheel: the timer fires, finds nothing due, and is set anew.
void StreamCore::arm_timer() noexcept {
  if (phase_ == Phase::releasing || phase_ == Phase::moving) return;
  const std::uint64_t earliest = earliest_deadline();
  if (earliest == TimerWheel::kNever) return;
  if (!armed() || earliest < due) loop_->wheel_.arm(*this, earliest);
}

void StreamCore::on_timer() {
  if (phase_ == Phase::releasing || phase_ == Phase::moving) return;
  const std::uint64_t now = loop_->now();
  if (phase_deadline_ <= now) {
    phase_deadline_ = TimerWheel::kNever;
    phase_deadline_passed();
  }
  if (phase_ == Phase::releasing) return;
  if (has_output() && later(last_progress_, options_->write_timeout) <= now) {
    IoError error = located(timeout_error(Operation::write, "the peer took nothing within write_timeout"));
    phase_ = Phase::flushing;
    tell_closed(&error);
    drop_output();
    return finish();
  }
  if (phase_ == Phase::open && read_deadline_ <= now) {
    read_deadline_ = TimerWheel::kNever;
    handler_->on_deadline(*this, Operation::read);
  }
  if (phase_ == Phase::open && write_deadline_ <= now && (has_output() || writer_waits_)) {
    write_deadline_ = TimerWheel::kNever;
    handler_->on_deadline(*this, Operation::write);
  }
  if (idle_deadline() <= now) {
    if (secure_ != nullptr) secure_->connection.close();
    fail(located(timeout_error(Operation::read, "idle for longer than idle_timeout")));
  }
  arm_timer();
}

void StreamCore::phase_deadline_passed() {
  switch (phase_) {
    case Phase::connecting: connected(ETIMEDOUT); break;  // on to the next address
    case Phase::open:
      if (trouble_ != nullptr) return fail(std::move(*trouble_));
      if (secure_ != nullptr) secure_->connection.cancel();
      fail(located(timeout_error(Operation::handshake,
                                 "not complete within handshake_timeout; allow more time, or find out why the peer is "
                                 "silent")));
      break;
    case Phase::flushing:
    case Phase::lingering: finish(); break;
    case Phase::moving:
    case Phase::releasing: break;
  }
}

void StreamCore::drain() {
  if (phase_ == Phase::open && handler_ != nullptr) {
    handler_->on_drain(*this);
  } else if (phase_ == Phase::connecting) {
    finish();
  }
}

// --- moving ----------------------------------------------------------------------------------------------------------

void StreamCore::leave() noexcept {
  for (Block* block = in_; block != nullptr; block = block->next) loop_->blocks().disown(*block);
  for (Block* block = out_first_; block != nullptr; block = block->next) loop_->blocks().disown(*block);
  if (secure_ == nullptr) return;
  secure_->connection.use(nullptr);
  if (secure_->memory != nullptr) loop_->handshakes_.disown();
}

void StreamCore::adopt(LoopCore& loop) {
  loop_ = &loop;
  for (Block* block = in_; block != nullptr; block = block->next) loop.blocks().adopt(*block);
  for (Block* block = out_first_; block != nullptr; block = block->next) loop.blocks().adopt(*block);
  if (secure_ != nullptr) {
    secure_->connection.use(&loop.keys_);
    if (secure_->memory != nullptr) loop.handshakes_.adopt();
  }
  backend_flags = in_flight = 0;
  move_target_ = nullptr;
  phase_ = Phase::open;
  if (const int error = loop.backend().open(*this); error != 0) {
    fail(located(system_error(reading(), error)));
    return;
  }
  if (secure_ != nullptr ? !handshake_done_ : tls_wanted_ && !options_->lazy_handshake) loop.handshake_began(*this);
  if (phase_ != Phase::open) return;
  mark_dirty();
  handler_->on_moved(*this);
  if (control_ != nullptr) {
    for (auto& function : std::exchange(control_->waiting, {})) run(std::move(function));
  }
  if (const int error = std::exchange(send_error_, 0); error != 0) send_failed(error);
  tell_writable();
  process();
  if (loop.draining_) drain();
}

void StreamCore::run(std::move_only_function<void(Stream&)> function) {
  if (phase_ == Phase::moving) {
    control_->waiting.push_back(std::move(function));
  } else if (!told_) {
    function(*this);
  }
}

}  // namespace lockstep::loop
