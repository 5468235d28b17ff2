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

/// How long a peer has for its end before anybody looks whether it has taken ours.
constexpr std::chrono::milliseconds kFirstLook{50};

/// The tick in which that much time has passed since a tick began.
std::uint64_t later(std::uint64_t since, std::chrono::milliseconds time) {
  if (time.count() <= 0 || time >= LoopCore::kForever) return TimerWheel::kNever;
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

void StreamCore::abandon_pinned() noexcept {
  if (output_pinned) out_first_ = out_last_ = nullptr;
}

/// The last resort against a handler that throws: nobody else suffers.
void StreamCore::handler_threw(std::string_view what) {
  if (closed_told()) return;
  if (secure_ != nullptr) secure_->connection.cancel(Alert::internal_error);
  fail(located(plain_error(reading(), IoCondition::misuse, "the handler threw: " + std::string(what))));
}

// --- connecting ------------------------------------------------------------------------------------------------------

void StreamCore::set_target(Target&& target) {
  if (pending_ == nullptr) pending_ = std::make_unique<Pending>();
  if (target.name) server_name_ = target.name->text();
  pending_->name = std::move(target.name);
  pending_->server_name = std::move(target.server_name);
  pending_->sessions.reserve(target.sessions.size());
  for (Session& session : target.sessions) pending_->sessions.push_back(std::move(session));
}

void StreamCore::dial(std::vector<sockets::SocketAddress> addresses, std::string what) {
  phase_ = Connecting{std::make_unique<Attempts>(std::move(addresses), std::move(what))};
  pending_->end = later(loop_->now(), options_->dial_timeout);
  continue_later();
}

void StreamCore::next_address() {
  Attempts& attempts = *std::get<Connecting>(phase_).attempts;
  if (attempts.next == attempts.addresses.size()) {
    IoError error = plain_error(Operation::connect, IoCondition::system, "");
    error.number = attempts.last_error;
    error.text = "connect to " + attempts.what + ": " + attempts.failures;
    fail(std::move(error));
    return;
  }
  const sockets::SocketAddress& address = attempts.addresses[attempts.next++];
  if (attempts.next == 1) attempts.end = std::min(loop_->in(options_->connect_timeout), pending_->end);
  const std::uint64_t left = attempts.addresses.size() - attempts.next + 1;
  const std::uint64_t now = loop_->now();
  deadline_ = attempts.end == TimerWheel::kNever
                  ? TimerWheel::kNever
                  : now + std::max<std::uint64_t>((std::max(attempts.end, now) - now) / left, 1);
  Descriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) {
    connected(errno);
    return;
  }
  if (const int error = sockets::set_options(socket.number(), options_->socket_options); error != 0) {
    connected(error);
    return;
  }
  socket_ = std::move(socket);
  arm_timer();
  loop_->backend().connect(*this, address.data(), address.size());
}

void StreamCore::connected(int error) {
  if (!connecting()) return;
  if (error != 0) {
    if (socket_) loop_->backend().abandon(*this);
    socket_.reset();
    Attempts& attempts = *std::get<Connecting>(phase_).attempts;
    // What stands behind "connect: ".
    attempts.failures +=
        (attempts.failures.empty() ? "" : "; ") + system_error(Operation::connect, error).text.substr(9);
    attempts.last_error = error;
    next_address();
    return;
  }
  ++loop_->statistics_.connected;
  if (options_->no_delay) sockets::send_at_once(socket());
  deadline_ = TimerWheel::kNever;
  opened({});
}

void StreamCore::accepted(std::unique_ptr<Handler> handler) {
  handler_ = std::move(handler);
  const Unopened asked = std::move(std::get<Unopened>(phase_));
  if (handler_ != nullptr && asked.error != nullptr) return give_up(std::move(*asked.error));
  if (handler_ == nullptr || asked.close) return finish();
  opened({});
}

void StreamCore::opened(Bytes already_read) {
  const bool dialed = connecting();
  phase_.emplace<Open>();
  last_activity_ = loop_->now();
  if (options_->config != nullptr) layer_ = Layer::expected;
  if (const int error = loop_->backend().open(*this); error != 0) {
    fail(located(system_error(dialed                      ? Operation::connect
                              : layer_ == Layer::expected ? Operation::handshake
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
  if (layer_ == Layer::expected && !options_->lazy_handshake) expect_handshake();
  if (!is_open()) return;
  mark_dirty();
  if (!move_) tell_open();  // otherwise it opens over there
}

void StreamCore::tell_open() {
  std::get<Open>(phase_).told = true;
  tell(&Handler::on_open);
  tell_writable();
  start_if_due();
  process();
  if (loop_->draining_) drain();
}

// --- the handshake's beginning and end -------------------------------------------------------------------------------

void StreamCore::start_if_due() {
  if (!active() || layer_ != Layer::expected || options_->lazy_handshake) return;
  expect_handshake();
  if (active() && options_->config->role() == Role::client) begin_tls();
}

/// From here on there is a limit to how long it may take, and to how many may be at it.
void StreamCore::expect_handshake() {
  if (in_handshake()) return;
  deadline_ = loop_->in(options_->handshake_timeout);
  if (pending_ != nullptr) deadline_ = std::min(deadline_, pending_->end);
  if (leaving()) {
    move_->handshaking = true;  // over there
  } else {
    loop_->handshake_began(*this);
  }
}

void StreamCore::begin_tls() {
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
    ClientOptions client{.name = std::move(*pending_->name),
                         .sessions = pending_->sessions,
                         .verification = verification,
                         .server_name = std::move(pending_->server_name)};
    ClientSessions sessions;
    std::optional<Session> kept = resume_by_itself(client, sessions);
    if (kept) client.sessions = {&*kept, 1};
    secure_ = std::make_unique<Secure>(
        Connection::client(as_client(options.config), std::move(client), random, engine_time(), space), random);
    secure_->sessions = std::move(sessions);
  }
  secure_->memory = memory;
  secure_->connection.use(&loop_->keys_);
  secure_->connection.wake_by(control());
  if (pending_ != nullptr) secure_->connection.attach(std::move(pending_->attachment));
  pending_.reset();
  layer_ = Layer::handshake;
  inbound_ = Inbound::open;
  expect_handshake();
  if (is_open()) queue_handshake();
  mark_dirty();
}

/// Offers a session from the setup's cache, where there is one; the options refer to what is returned.
std::optional<Session> StreamCore::resume_by_itself(ClientOptions& client, ClientSessions& sessions) {
  if (options_->answers == nullptr) return std::nullopt;
  const Address peer = lockstep::peer_address(socket());
  sessions = options_->answers->client_sessions(*options_->config, client, peer.host, peer.port);
  return sessions.take(engine_time());
}

void StreamCore::attach(std::shared_ptr<void> attachment) {
  if (secure_ != nullptr) return secure_->connection.attach(std::move(attachment));
  if (pending_ == nullptr) pending_ = std::make_unique<Pending>();
  pending_->attachment = std::move(attachment);
}

/// Gives back what only a handshake needs.
void StreamCore::end_handshake() noexcept {
  // While the engine still works in it (a handshake that failed has an alert to send) it stays.
  if (secure_->memory == nullptr || secure_->connection.reclaim().empty()) return;
  loop_->handshakes_.give(std::exchange(secure_->memory, nullptr));
  // No token is out any more; and if nobody else has a name of this stream, it needs none.
  secure_->connection.wake_by(nullptr);
  if (control_.use_count() == 1 && !move_) control_.reset();
}

/// The engine first: until it is gone it may use its memory.
void StreamCore::drop_secure() noexcept {
  void* memory = secure_ == nullptr ? nullptr : secure_->memory;
  secure_.reset();
  loop_->collector_.forget(this);
  if (memory != nullptr) loop_->handshakes_.give(memory);
}

// --- ending ----------------------------------------------------------------------------------------------------------

bool StreamCore::closed_told() const noexcept {
  const auto* closing = std::get_if<Closing>(&phase_);
  return ended() || (closing != nullptr && closing->told);
}

void StreamCore::start_closing() {
  if (auto* unopened = std::get_if<Unopened>(&phase_)) {
    unopened->close = true;
    return;
  }
  if (connecting()) return finish();
  if (!is_open()) return;
  if (secure_ != nullptr) {
    secure_->connection.close();
    queue_handshake();
    if (!is_open()) return;
  }
  loop_->handshaking_.remove(*this);
  if (!leaving()) move_.reset();  // it ends here
  phase_ = closing(false);
  mark_dirty();
}

StreamCore::Closing StreamCore::closing(bool told) const {
  const auto most = options_->linger_most.count() > 0 ? options_->linger_most : std::chrono::milliseconds::max();
  return {.told = told, .awaits_peer = true, .lingering = {Clock::now(), options_->linger, most}};
}

/// All is with the kernel that will be sent.
void StreamCore::finish_output() {
  auto& closing = std::get<Closing>(phase_);
  if (closing.flushed) return;
  if (transport_end_ || !closing.awaits_peer || options_->linger.count() <= 0) return finish();
  (void)::shutdown(socket(), SHUT_WR);
  closing.flushed = true;
  closing.look = loop_->now() + LoopCore::ticks_in(std::min(options_->linger, kFirstLook));
  arm_timer();
}

void StreamCore::finish() {
  if (ended()) return;
  const bool told = closed_told();
  const bool gone = leaving();
  phase_.emplace<Ended>();
  loop_->handshaking_.remove(*this);
  loop_->wheel_.disarm(*this);
  if (!told) tell_closed(nullptr);
  if (!gone) loop_->backend().release(*this);
}

void StreamCore::released() {
  if (ended()) return loop_->bury(*this);
  if (is_open()) return loop_->hand_over(*this, *move_->target);
  // It was closed while it was leaving: it ends here.
  move_.reset();
  if (const int error = loop_->backend().open(*this); error != 0)
    return give_up(located(system_error(Operation::close, error)));
  mark_dirty();
}

void StreamCore::tell_closed(const IoError* error) {
  if (error != nullptr) ++loop_->statistics_.failures;
  if (error != nullptr && secure_ != nullptr && secure_->key_log != nullptr)
    guarded([&] { secure_->key_log->failed(); });
  if (handler_ != nullptr) tell(&Handler::on_closed, error);
}

/// The handler hears why it is over; our alert, and what was written before, still goes out behind that.
void StreamCore::fail(IoError error) {
  if (closed_told()) return;
  if (auto* unopened = std::get_if<Unopened>(&phase_)) {
    unopened->error = std::make_unique<IoError>(std::move(error));
    return;
  }
  if (error.condition == IoCondition::system || connecting()) return give_up(std::move(error));
  // Before the handler hears of it: whatever it calls finds a stream that has ended.
  phase_ = closing(true);
  std::get<Closing>(phase_).look = loop_->in(std::max(options_->linger, std::chrono::milliseconds(1)));
  loop_->handshaking_.remove(*this);
  if (!leaving()) move_.reset();
  tell_closed(&error);
  if (ended()) return;
  if (secure_ != nullptr) {
    queue_handshake();
    const Error* own = secure_->connection.error();
    std::get<Closing>(phase_).awaits_peer = own == nullptr || own->origin != Origin::peer;
  } else {
    std::get<Closing>(phase_).awaits_peer = false;
  }
  mark_dirty();
}

/// At once, whatever waits.
void StreamCore::give_up(IoError error) {
  if (ended()) return;
  const bool told = closed_told();
  phase_ = closing(true);
  loop_->handshaking_.remove(*this);
  if (!told) tell_closed(&error);
  drop_output();
  finish();
}

/// What the application gives up while it is closing owes nobody anything more.
void StreamCore::give_up_by_application(IoError error, Alert why) {
  if (ended()) return;
  if (std::holds_alternative<Closing>(phase_)) return give_up(std::move(error));
  if (secure_ != nullptr) secure_->connection.cancel(why);
  fail(std::move(error));
}

void StreamCore::abort(IoError error) {
  if (!move_ || !is_open()) give_up(std::move(error));
}

void StreamCore::evict() {
  if (secure_ != nullptr) secure_->connection.cancel();
  fail(located(canceled_error(Operation::handshake,
                              "it took longer than newer ones, and there are no more than max_handshakes at once")));
  // What makes room has to be gone soon.
  if (auto* closing = std::get_if<Closing>(&phase_)) closing->awaits_peer = false;
}

void StreamCore::evict_now() {
  give_up(located(canceled_error(
      Operation::handshake, "the peer was silent longer than any other, and no descriptor was left for a newer one")));
}

void StreamCore::out_of_memory(Operation operation) { fail(located(system_error(operation, ENOMEM))); }

IoError StreamCore::tls_error(Operation operation) const {
  const Error& error = *secure_->connection.error();
  return {.operation = operation,
          .condition = IoCondition::tls,
          .tls = error,
          .text = std::string(name(operation)) + peer_text() + ": " +
                  (secure_->answers == nullptr ? to_text(error) : to_text(error, *secure_->answers))};
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
  if (!ended()) loop_->mark_dirty(*this);
}

void StreamCore::continue_later() noexcept {
  due_ = true;
  mark_dirty();
}

void StreamCore::flush() {
  if (let_go()) return;  // it goes on over there
  if (!move_) run_waiting();
  if (std::exchange(due_, false)) {
    if (connecting() && !socket_) next_address();
    if (active()) process();
  }
  if (handshake_done() && secure_ != nullptr) enter_kernel_tls();
  if (move_ && is_open()) {
    move_->leaving = true;
    move_->handshaking = in_handshake();
    loop_->handshaking_.remove(*this);
    loop_->wheel_.disarm(*this);
    loop_->backend().release(*this);
    return;
  }
  if (std::holds_alternative<Closing>(phase_)) {
    discard_input();
    if (!has_output()) finish_output();
  }
  if (outbound_ == Outbound::ends_behind_output && !has_output() && is_open()) {
    outbound_ = Outbound::ended;
    (void)::shutdown(socket(), SHUT_WR);
  }
  if (!holds_output()) release_output();
  if (!due_) loop_->dirty_.remove(*this);  // what it was marked for meanwhile is done here
  if (is_open() || std::holds_alternative<Closing>(phase_)) loop_->backend().update(*this);
  arm_timer();
}

std::uint64_t StreamCore::idle_deadline() const noexcept {
  return !is_open() || in_handshake() ? TimerWheel::kNever : later(last_activity_, options_->idle_timeout);
}

/// By then the peer has taken something, or enough (Options::lowest_rate).
std::uint64_t StreamCore::output_deadline() const noexcept {
  return wants_send() ? later(last_progress_, options_->write_timeout) : TimerWheel::kNever;
}

std::uint64_t StreamCore::earliest_deadline() const noexcept {
  if (const auto* closing = std::get_if<Closing>(&phase_))
    return std::min({LoopCore::tick_of(closing->lingering.last()), closing->look, output_deadline()});
  std::uint64_t earliest = std::min({deadline_, idle_deadline(), output_deadline()});
  if (is_open()) {
    if (holds_output()) earliest = std::min(earliest, held_until_);
    earliest = std::min(earliest, read_deadline_);
    // It may have passed with nothing to write; then it is for the next write.
    if (has_output() || writer_waits_) earliest = std::min(earliest, write_deadline_);
  }
  return earliest;
}

/// A deadline that moves away does not touch the wheel: the timer fires, finds nothing due, and is set anew.
void StreamCore::arm_timer() noexcept {
  if (let_go()) return;
  const std::uint64_t earliest = earliest_deadline();
  if (earliest == TimerWheel::kNever) return;
  if (!armed() || earliest < due) loop_->wheel_.arm(*this, earliest);
}

void StreamCore::on_timer() {
  if (let_go()) return;
  const std::uint64_t now = loop_->now();
  if (output_deadline() <= now) return output_stalled();
  if (std::holds_alternative<Closing>(phase_)) {
    closing_deadline_passed();
    return arm_timer();
  }
  if (held_until_ <= now) {
    release_output();
    mark_dirty();
  }
  if (deadline_ <= now) {
    deadline_ = TimerWheel::kNever;
    deadline_passed();
  }
  if (active() && read_deadline_ <= now) {
    read_deadline_ = TimerWheel::kNever;
    tell(&Handler::on_deadline, Operation::read);
  }
  if (active() && write_deadline_ <= now && (has_output() || writer_waits_)) {
    write_deadline_ = TimerWheel::kNever;
    tell(&Handler::on_deadline, Operation::write);
  }
  if (active() && idle_deadline() <= now) {
    if (secure_ != nullptr) secure_->connection.close();
    fail(located(timeout_error(Operation::read, "idle for longer than idle_timeout")));
  }
  arm_timer();
}

void StreamCore::output_stalled() {
  give_up(located(timeout_error(Operation::write, taken_ == 0
                                                      ? "the peer took nothing within write_timeout"
                                                      : "the peer took less than lowest_rate within write_timeout")));
}

void StreamCore::deadline_passed() {
  if (connecting()) return connected(ETIMEDOUT);  // on to the next address
  if (!is_open()) return;
  if (trouble_ != nullptr) return fail(std::move(*trouble_));
  if (secure_ != nullptr) secure_->connection.cancel();
  fail(located(
      handshake_done()
          ? timeout_error(Operation::downgrade, "the peer's close_notify did not come within handshake_timeout")
          : timeout_error(
                Operation::handshake,
                "not complete within handshake_timeout (or dial_timeout); allow more time, or find out why the peer is "
                "silent")));
}

/// Whoever reads slowly gets all; whoever stopped reading does not hold the stream for ever.
void StreamCore::closing_deadline_passed() {
  auto& closing = std::get<Closing>(phase_);
  const std::uint64_t now = loop_->now();
  const bool over = LoopCore::tick_of(closing.lingering.last()) <= now;
  if (!over && closing.look > now) return;
  const std::size_t waiting = closing.flushed ? sockets::unacknowledged(socket()) : out_pending_;
  if (!over && closing.flushed) {
    const auto moment = Clock::now();
    const auto look = closing.lingering.look(moment, waiting);
    if (look > moment) {
      closing.look = LoopCore::tick_of(look);
      return;
    }
  }
  if (waiting == 0 || closing.told) return finish();
  give_up(located(
      timeout_error(Operation::close, std::to_string(waiting) + " bytes still wait for the peer after linger_most")));
}

void StreamCore::drain() {
  if (active()) {
    tell(&Handler::on_drain);
  } else if (connecting()) {
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
  const bool handshaking = move_->handshaking;
  move_.reset();
  if (const int error = loop.backend().open(*this); error != 0) return give_up(located(system_error(reading(), error)));
  mark_dirty();
  if (kernel_receives() && !loop.backend().receives_records()) {
    return fail(located(plain_error(Operation::read, IoCondition::misuse,
                                    "the kernel opens its records, which io_uring cannot receive")));
  }
  if (handshaking) loop.handshake_began(*this);
  if (!is_open()) return;
  tell(&Handler::on_moved);
  run_waiting();
  if (const int error = std::exchange(send_error_, 0); error != 0) send_failed(error);
  if (!active()) return;
  if (std::get<Open>(phase_).told) {
    tell_writable();
    start_if_due();
    process();
    if (loop_->draining_) drain();
  } else {
    tell_open();
  }
}

void StreamCore::run_waiting() {
  if (control_ == nullptr || control_->waiting.empty()) return;
  for (auto& function : std::exchange(control_->waiting, {})) run(std::move(function));
}

void StreamCore::run(std::move_only_function<void(Stream&)> function) {
  if (move_) {
    control_->waiting.push_back(std::move(function));
  } else if (!closed_told()) {
    guarded([&] { function(*this); });
  }
}

}  // namespace lockstep::loop
