#include "loop/loop_core.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "common/addresses.hpp"
#include "common/sockets.hpp"

namespace lockstep::loop {

using sockets::plain_error;
using sockets::system_error;

namespace {

constexpr std::uint64_t kTickMilliseconds = 8;
constexpr std::chrono::milliseconds kAcceptPause{100};
/// What accepting fails for is said again when it did not for so long.
constexpr std::chrono::milliseconds kQuiet{60'000};
/// Timers that fire in one turn: those that are due together do not hold up everything else.
constexpr std::size_t kTimersPerTurn = 1024;

RandomSource& system_random() {
  static SystemRandom random;  // has no state
  return random;
}

}  // namespace

/// A function with a time.
struct LoopCore::Task final : Timer {
  LoopCore* loop = nullptr;
  std::uint64_t id = 0;
  std::move_only_function<void(Loop&)> run;
};

Running::Running(LoopCore& loop) noexcept : turns_(loop.running_) { ++turns_; }

LoopCore::LoopCore(std::unique_ptr<Backend> backend, const LoopOptions& options)
    : options_(options),
      backend_(std::move(backend)),
      blocks_(options.spare_buffers),
      handshakes_(Connection::kHandshakeMemory, options.spare_buffers),
      keys_(options.cached_keys),
      wheel_(static_cast<std::uint64_t>(
                 std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count()) /
             kTickMilliseconds),
      collector_(options.random == nullptr ? system_random() : *options.random),
      now_(wheel_.now()),
      process_(::getpid()) {
  backend_->attach(*this);
}

/// In a child of the process that made it there is nothing to end: sockets and streams are the parent's.
void LoopCore::end() { ::getpid() == process_ ? end_streams() : forsake(); }

void LoopCore::forsake() noexcept {
  backend_.reset();
  for_each([this](StreamCore& stream) {
    remove(stream);
    stream.abandon_pinned();
    delete &stream;  // NOLINT(cppcoreguidelines-owning-memory): the list owns
  });
}

void LoopCore::end_streams() {
  // What is in flight uses the streams' buffers; the backend lets go of it in its own time, unless this is not the
  // thread that ran the loop: then it does when it is destroyed.
  for (int i = 0; i < 1000; ++i) {
    end_listeners();
    try {
      run_posted();  // a stream on its way here
    } catch (...) {
      // There is no `run` any more that could throw it; the others have the next turn.
    }
    for_each([](StreamCore& stream) {
      stream.abort(plain_error(Operation::close, IoCondition::canceled, "the loop has ended"));
    });
    flush_dirty();  // a stream on its way elsewhere
    destroy_dead();
    if ((streams_.empty() && listeners_.empty()) || !backend_->wait(10)) break;
  }
  // Those that the kernel keeps, or that were to move and cannot any more.
  for_each([](StreamCore& stream) {
    stream.give_up(plain_error(Operation::close, IoCondition::canceled, "the loop has ended"));
  });
  destroy_dead();
  for_each([](StreamCore& stream) { stream.unname(); });
  backend_.reset();
  for_each([this](StreamCore& stream) {
    remove(stream);
    stream.abandon_pinned();
    delete &stream;  // NOLINT(cppcoreguidelines-owning-memory): the list owns
  });
}

LoopCore::~LoopCore() = default;

// --- time ------------------------------------------------------------------------------------------------------------

std::uint64_t LoopCore::tick_of(Clock::time_point moment) noexcept {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(moment.time_since_epoch()).count();
  return (static_cast<std::uint64_t>(milliseconds < 0 ? 0 : milliseconds) + kTickMilliseconds - 1) / kTickMilliseconds;
}

std::uint64_t LoopCore::ticks_in(std::chrono::milliseconds time) noexcept {
  return (static_cast<std::uint64_t>(time.count()) + kTickMilliseconds - 1) / kTickMilliseconds;
}

std::uint64_t LoopCore::in(std::chrono::milliseconds time) const noexcept {
  return time.count() <= 0 || time >= kForever ? TimerWheel::kNever : tick_of(Clock::now() + time);
}

std::uint64_t LoopCore::this_tick() noexcept {
  return static_cast<std::uint64_t>(
             std::chrono::floor<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count()) /
         kTickMilliseconds;
}

int LoopCore::wait_time(std::chrono::milliseconds longest) const noexcept {
  if (!dirty_.empty() || !dead_.empty() || wheel_.behind() || has_posted_.load(std::memory_order_acquire) || stopping_)
    return 0;
  std::uint64_t milliseconds = longest.count() < 0 ? TimerWheel::kNever : static_cast<std::uint64_t>(longest.count());
  const std::uint64_t due = std::min(wheel_.next_due(), drain_until_);
  if (due != TimerWheel::kNever) {
    const std::uint64_t ticks = due > now_ ? due - now_ : 0;
    milliseconds = std::min(milliseconds, ticks * kTickMilliseconds);
  }
  constexpr std::uint64_t kMost = 3'600'000;
  return static_cast<int>(std::min(milliseconds, kMost));
}

// --- one turn --------------------------------------------------------------------------------------------------------

bool LoopCore::run_once(std::chrono::milliseconds longest) {
  if (running_ != 0) return false;
  const Running running(*this);
  refresh_now();
  if (!backend_->wait(wait_time(longest))) return false;
  refresh_now();
  run_posted();
  (void)wheel_.advance(now_, kTimersPerTurn);
  if (draining_ && drain_until_ <= now_) {
    drain_until_ = TimerWheel::kNever;
    for_each([](StreamCore& stream) {
      stream.abort(
          plain_error(Operation::close, IoCondition::canceled, "the loop was drained, and the time for it is over"));
    });
  }
  flush_dirty();
  compute_collected();
  destroy_dead();
  weigh_memory();
  if (holding_ != crowded()) hold_listeners(!holding_);
  const bool drained = draining_ && streams_.empty() && listeners_.empty();
  return !drained && !stopping_;
}

void LoopCore::run_posted() {
  if (!has_posted_.load(std::memory_order_acquire)) return;
  std::vector<std::move_only_function<void(Loop&)>> functions;
  {
    const std::scoped_lock lock(posted_mutex_);
    functions.swap(posted_);
    has_posted_.store(false, std::memory_order_release);
  }
  // What one throws is the caller's of `run`; the others have the next turn.
  std::size_t next = 0;
  const struct Rest {
    LoopCore& loop;
    std::vector<std::move_only_function<void(Loop&)>>& functions;
    std::size_t& next;
    ~Rest() {
      if (next == functions.size()) return;
      const std::scoped_lock lock(loop.posted_mutex_);
      loop.posted_.insert(loop.posted_.begin(), std::make_move_iterator(functions.begin() + std::ptrdiff_t(next)),
                          std::make_move_iterator(functions.end()));
      loop.has_posted_.store(true, std::memory_order_release);
    }
  } rest{*this, functions, next};
  while (next < functions.size()) {
    auto function = std::move(functions[next++]);
    function(*face_);
  }
}

std::size_t LoopCore::memory() const noexcept {
  const MemoryPool& blocks = blocks_.pool();
  return (blocks.used() + blocks.spare()) * blocks.size() +
         (handshakes_.used() + handshakes_.spare()) * handshakes_.size() + blocks_.small_bytes() +
         keys_.size() * KeyCache::kKeySize;
}

/// With some distance between the two, so that nothing flutters. What is kept for those to come goes first.
void LoopCore::weigh_memory() {
  const std::size_t most = options_.max_memory;
  if (most == 0) return;
  const std::size_t enough = most - most / 8;
  if (memory() > enough) {
    blocks_.trim();
    handshakes_.trim();
  }
  if (!pressed() || memory() > enough) return;
  pressed_ = false;
  for_each([](StreamCore& stream) { stream.look_again(); });
}

/// The oldest stream in a handshake that has not said a byte makes room; false when there is none.
bool LoopCore::evict_silent() {
  for (auto* node = &handshaking_.front(); !handshaking_.is_end(node); node = node->next) {
    auto& stream = static_cast<StreamCore&>(*node);
    const bool client = stream.options_->config != nullptr && stream.options_->config->role() == Role::client;
    if (client || stream.traffic_.bytes_received != 0) continue;
    ++statistics_.handshakes_evicted;
    stream.evict_now();
    return true;
  }
  return false;
}

/// Those that are dirty now; what becomes dirty meanwhile has the next turn, so that nobody waits for a busy one.
void LoopCore::flush_dirty() {
  for (std::size_t left = dirty_.size(); left != 0 && !dirty_.empty(); --left) {
    auto& stream = static_cast<StreamCore&>(dirty_.front());
    dirty_.remove(stream);
    stream.flush();
  }
}

void LoopCore::compute_collected() {
  while (!collector_.empty()) {
    collector_.flush([](void* owner) { static_cast<StreamCore*>(owner)->continue_later(); });
    flush_dirty();
  }
}

void LoopCore::destroy_dead() noexcept {
  while (!dead_.empty()) {
    auto dead = std::exchange(dead_, {});
    dead.clear();
  }
  dead_listeners_.clear();
}

void LoopCore::post(std::move_only_function<void(Loop&)> function) {
  {
    const std::scoped_lock lock(posted_mutex_);
    posted_.push_back(std::move(function));
    if (has_posted_.exchange(true, std::memory_order_acq_rel)) return;
  }
  backend_->wake();
}

// --- streams ---------------------------------------------------------------------------------------------------------

StreamCore& LoopCore::add(std::shared_ptr<const Options> options, Descriptor socket) {
  if (running_ == 0) refresh_now();                                             // it may not have turned for a while
  auto* stream = new StreamCore(*this, std::move(options), std::move(socket));  // NOLINT: the list owns
  streams_.push_back(*stream);
  return *stream;
}

void LoopCore::handshake_began(StreamCore& stream) {
  handshaking_.push_back(stream);
  if (handshaking_.size() <= options_.max_handshakes) return;
  ++statistics_.handshakes_evicted;
  static_cast<StreamCore&>(handshaking_.front()).evict();
}

void LoopCore::mark_dirty(StreamCore& stream) noexcept {
  if (!static_cast<ListNode<Dirty>&>(stream).listed()) dirty_.push_back(stream);
}

/// Out of all lists.
void LoopCore::remove(StreamCore& stream) noexcept {
  streams_.remove(stream);
  handshaking_.remove(stream);
  collector_.forget(&stream);
  dirty_.remove(stream);
  wheel_.disarm(stream);
}

/// It is destroyed after the turn, because a handler may be running; its descriptor is free at once.
void LoopCore::bury(StreamCore& stream) {
  remove(stream);
  stream.socket_.reset();
  dead_.emplace_back(&stream);
}

void LoopCore::hand_over(StreamCore& stream, Loop& other) {
  // What it has asked for is answered here.
  if (collector_.holds(&stream))
    collector_.flush([](void* owner) { static_cast<StreamCore*>(owner)->continue_later(); });
  remove(stream);
  stream.leave();
  // Under the lock: what is posted to the stream from now on arrives there, and behind it.
  const auto control = stream.control_;
  std::unique_lock<std::mutex> lock;
  if (control != nullptr) {
    lock = std::unique_lock(control->mutex);
    control->loop = &other;
  }
  other.post([owned = std::unique_ptr<StreamCore>(&stream)](Loop& loop) mutable {
    StreamCore* moved = owned.release();
    loop.core_->streams_.push_back(*moved);
    moved->adopt(*loop.core_);
  });
}

void LoopCore::for_each(const std::function<void(StreamCore&)>& function) {
  std::vector<StreamCore*> streams;
  streams.reserve(streams_.size());
  for (auto* node = &streams_.front(); !streams_.is_end(node); node = node->next) {
    streams.push_back(static_cast<StreamCore*>(node));
  }
  for (StreamCore* stream : streams) function(*stream);
}

// --- listeners -------------------------------------------------------------------------------------------------------

void ListenerCore::begin() {
  if (listening || closed || held) return;
  while (!parked.empty() && !held && !closed) {
    Descriptor first = std::move(parked.front());
    parked.erase(parked.begin());
    admit(std::move(first));
  }
  if (listening || closed || held) return;
  if (const int error = loop->backend_->listen(*this); error != 0) {
    failed(error);
  } else {
    listening = true;
  }
}

/// For good.
void ListenerCore::end() {
  if (closed) return;
  closed = true;
  loop->wheel_.disarm(*this);
  if (listening) {
    loop->backend_->unlisten(*this);
  } else {
    released();
  }
}

void ListenerCore::released() {
  listening = false;
  if (!closed) {
    if (!armed()) begin();  // it was to begin again before it had ended
    return;
  }
  const auto [first, last] = loop->listeners_.equal_range(id);
  const auto found = std::find_if(first, last, [this](const auto& entry) { return entry.second.get() == this; });
  if (found == last) return;
  loop->dead_listeners_.push_back(std::move(found->second));
  loop->listeners_.erase(found);
}

void ListenerCore::accepted(Descriptor connection) {
  if (closed || loop->draining_) return;
  if (held) {
    parked.push_back(std::move(connection));
  } else {
    admit(std::move(connection));
  }
}

void ListenerCore::admit(Descriptor connection) {
  ++loop->statistics_.accepted;
  StreamCore& stream = loop->add(shared->options, std::move(connection));
  std::unique_ptr<Handler> handler;
  stream.guarded([&] { handler = shared->make_handler(stream); });
  stream.accepted(std::move(handler));
  if (loop->crowded() && !loop->holding_) loop->hold_listeners(true);
}

/// Without descriptors, whoever says nothing makes room for whoever may.
bool ListenerCore::failed_once(int error) {
  if (sockets::is_of_one_connection(error)) return true;
  const bool used_up = error == EMFILE || error == ENFILE;
  // That is said before anybody looks for a connection.
  if (used_up && !sockets::is_readable(socket.number())) return false;
  if (!used_up || !loop->evict_silent()) {
    failed(error);
    return false;
  }
  ++loop->statistics_.accept_failures;
  say(system_error(Operation::accept, error));
  return true;
}

void ListenerCore::failed(int error) {
  if (closed) return;
  ++loop->statistics_.accept_failures;
  rest();
  say(system_error(Operation::accept, error));
}

void ListenerCore::rest() {
  loop->wheel_.arm(*this, loop->in(kAcceptPause));
  if (listening) loop->backend_->unlisten(*this);
}

/// Once for what goes on.
void ListenerCore::say(const IoError& error) {
  const bool again = shared->said == error.number && loop->now() - shared->said_at < LoopCore::ticks_in(kQuiet);
  shared->said = error.number;
  shared->said_at = loop->now();
  if (!again && shared->on_error) shared->on_error(error);
}

/// Ending one, and the handlers of what it accepts, may change the map; who ends is destroyed after the turn.
std::vector<ListenerCore*> LoopCore::listeners() const {
  std::vector<ListenerCore*> listeners;
  listeners.reserve(listeners_.size());
  for (const auto& [id, listener] : listeners_) listeners.push_back(listener.get());
  return listeners;
}

void LoopCore::end_listeners() {
  for (ListenerCore* listener : listeners()) listener->end();
}

void LoopCore::hold_listeners(bool hold) {
  holding_ = hold;
  for (ListenerCore* listener : listeners()) {
    if (listener->held == hold) continue;
    listener->held = hold;
    if (hold && listener->listening) {
      backend_->unlisten(*listener);
    } else if (!hold) {
      listener->begin();
      if (holding_) return;  // there are as many again
    }
  }
}

// --- listening and dialling ------------------------------------------------------------------------------------------

namespace {

/// What cannot be meant.
std::string_view problem_of(const Options& options) {
  if (options.lowest_rate != 0 && options.write_timeout.count() <= 0)
    return "Options::lowest_rate is measured over write_timeout; set that too";
  return {};
}

}  // namespace

Listener LoopCore::listen(std::vector<sockets::Listening> sockets, Options&& options, MakeHandler&& make_handler,
                          ListenOptions&& listen_options) {
  Listener handle;
  handle.id_ = next_id_++;
  const auto shared = std::make_shared<ListenerShared>(std::make_shared<const Options>(std::move(options)),
                                                       std::move(make_handler), std::move(listen_options.on_error));
  std::vector<ListenerCore*> begun;
  for (sockets::Listening& each : sockets) {
    auto listener = std::make_unique<ListenerCore>();
    listener->loop = this;
    listener->id = handle.id_;
    listener->socket = std::move(each.socket);
    listener->file = std::move(each.file);
    listener->shared = shared;
    if (shared->options->no_delay) sockets::send_at_once(listener->socket.number());  // accepted ones inherit it
    listener->fire = [](Timer& timer) { static_cast<ListenerCore&>(timer).begin(); };
    listener->held = holding_;
    listener->with_bytes = listen_options.defer_accept.count() > 0;
    handle.addresses_.push_back(local_address(listener->socket.number()));
    begun.push_back(listeners_.emplace(handle.id_, std::move(listener))->second.get());
  }
  for (ListenerCore* listener : begun) listener->begin();
  return handle;
}

IoResult<Stream*> LoopCore::dial(std::vector<sockets::SocketAddress> addresses, std::string what, Options&& options,
                                 std::unique_ptr<Handler>&& handler, Target&& target) {
  const auto misuse = [](std::string_view text) {
    return std::unexpected(plain_error(Operation::connect, IoCondition::misuse, text));
  };
  if (options.config != nullptr && options.config->role() != Role::client)
    return misuse("Options::config is a server's");
  if (options.config != nullptr && !target.name) return misuse("a client must state whom it expects, in Target::name");
  if (handler == nullptr) return misuse("there is no handler");
  if (const auto problem = problem_of(options); !problem.empty()) return misuse(problem);
  StreamCore& stream = add(std::make_shared<const Options>(std::move(options)), Descriptor());
  stream.set_handler(std::move(handler));
  stream.set_target(std::move(target));
  stream.dial(std::move(addresses), std::move(what));
  return &stream;
}

// --- the public face -------------------------------------------------------------------------------------------------

Loop::Loop(std::unique_ptr<LoopCore> core) noexcept : core_(std::move(core)) { core_->set_face(*this); }
Loop::~Loop() { core_->end(); }

namespace {

std::string_view problem_of_listening(const Options& options) {
  if (options.config != nullptr && options.config->role() != Role::server) return "Options::config is a client's";
  return problem_of(options);
}
std::string_view problem_of_listening(const Options& options, const MakeHandler& make_handler) {
  return make_handler == nullptr ? "nothing makes the handlers" : problem_of_listening(options);
}

sockets::ListenSettings settings_of(const Options& options, const ListenOptions& listening) {
  return {.reuse_port = listening.reuse_port,
          .backlog = listening.backlog,
          .defer = listening.defer_accept,
          .options = options.socket_options};
}

}  // namespace

IoResult<Listener> Loop::listen(std::string_view host, std::uint16_t port, Options options, MakeHandler make_handler,
                                ListenOptions listen_options) {
  if (const auto problem = problem_of_listening(options, make_handler); !problem.empty())
    return std::unexpected(plain_error(Operation::listen, IoCondition::misuse, problem));
  auto sockets = sockets::listen_all(host, port, settings_of(options, listen_options));
  if (!sockets) return std::unexpected(std::move(sockets.error()));
  std::vector<sockets::Listening> listening;
  for (Descriptor& socket : *sockets) listening.push_back({.socket = std::move(socket), .file = {}});
  return core_->listen(std::move(listening), std::move(options), std::move(make_handler), std::move(listen_options));
}

IoResult<Listener> Loop::listen(const Address& address, Options options, MakeHandler make_handler,
                                ListenOptions listen_options) {
  if (const auto problem = problem_of_listening(options, make_handler); !problem.empty())
    return std::unexpected(plain_error(Operation::listen, IoCondition::misuse, problem));
  auto socket = sockets::listen_at(address, settings_of(options, listen_options));
  if (!socket) return std::unexpected(std::move(socket.error()));
  std::vector<sockets::Listening> listening;
  listening.push_back(std::move(*socket));
  return core_->listen(std::move(listening), std::move(options), std::move(make_handler), std::move(listen_options));
}

IoResult<void> Loop::replace(const Listener& listener, Options options) {
  const auto misuse = [](std::string_view text) {
    return std::unexpected(plain_error(Operation::listen, IoCondition::misuse, text));
  };
  if (const auto problem = problem_of_listening(options); !problem.empty()) return misuse(problem);
  for (const ListenerCore* each : core_->listeners()) {
    if (each->id != listener.id_ || each->closed) continue;
    each->shared->options = std::make_shared<const Options>(std::move(options));  // all its sockets have the same
    return {};
  }
  return misuse("this loop does not listen there");
}

void Loop::unlisten(const Listener& listener) {
  for (ListenerCore* each : core_->listeners()) {
    if (each->id == listener.id_) each->end();
  }
}

IoResult<Stream*> Loop::dial(std::string_view host, std::uint16_t port, Options options,
                             std::unique_ptr<Handler> handler, Target target) {
  const auto misuse = [](std::string_view text) {
    return std::unexpected(plain_error(Operation::connect, IoCondition::misuse, text));
  };
  if (!target.name && options.config != nullptr) {
    auto name = x509::PeerName::parse(sockets::without_zone(host));
    if (!name) {
      return misuse("\"" + std::string(host) + "\": " + std::string(x509::explanation(name.error())) +
                    "; state whom to expect in Target::name");
    }
    target.name = std::move(*name);
  }
  auto addresses = sockets::addresses_of(host, port, options.resolve);
  if (!addresses) return std::unexpected(std::move(addresses.error()));
  return core_->dial(std::move(*addresses), sockets::host_and_port(host, port), std::move(options), std::move(handler),
                     std::move(target));
}

IoResult<Stream*> Loop::dial(const Address& address, Options options, std::unique_ptr<Handler> handler, Target target) {
  const auto socket_address = sockets::SocketAddress::of(address);
  if (!socket_address) {
    return std::unexpected(
        plain_error(Operation::connect, IoCondition::misuse, "\"" + address.text() + "\" is no address"));
  }
  return core_->dial({*socket_address}, address.text(), std::move(options), std::move(handler), std::move(target));
}

IoResult<Stream*> Loop::wrap(Descriptor socket, Options options, std::unique_ptr<Handler> handler, Target target,
                             Bytes already_read) {
  const auto misuse = [](std::string_view text) {
    return std::unexpected(plain_error(Operation::handshake, IoCondition::misuse, text));
  };
  if (!socket) return misuse("there is no socket");
  if (handler == nullptr) return misuse("there is no handler");
  if (const auto problem = problem_of(options); !problem.empty()) return misuse(problem);
  if (options.config != nullptr && options.config->role() == Role::client && !target.name) {
    return misuse("a client must state whom it expects, in Target::name");
  }
  if (auto set = sockets::set_nonblocking(socket.number()); !set) return std::unexpected(std::move(set.error()));
  if (const int error = sockets::set_options(socket.number(), options.socket_options); error != 0)
    return std::unexpected(sockets::system_error(Operation::handshake, error));
  if (options.no_delay) sockets::send_at_once(socket.number());
  StreamCore& stream = core_->add(std::make_shared<const Options>(std::move(options)), std::move(socket));
  stream.set_handler(std::move(handler));
  stream.set_target(std::move(target));
  stream.opened(already_read);
  return &stream;
}

void Loop::run() {
  if (core_->running_ != 0) return;
  while (core_->run_once(std::chrono::milliseconds(-1))) {
  }
  core_->stopping_ = core_->draining_ = false;
  core_->drain_until_ = TimerWheel::kNever;
}

bool Loop::run_once(std::chrono::milliseconds longest) { return core_->run_once(longest); }

void Loop::stop() noexcept {
  core_->stopping_ = true;
  core_->backend_->wake();
}

void Loop::drain(std::chrono::milliseconds longest) {
  core_->draining_ = true;
  core_->drain_until_ = longest.count() <= 0 ? core_->now() : core_->in(longest);
  core_->end_listeners();
  core_->for_each([](StreamCore& stream) { stream.drain(); });
}

void Loop::post(std::move_only_function<void(Loop&)> function) { core_->post(std::move(function)); }

Task Loop::after(std::chrono::milliseconds delay, std::move_only_function<void(Loop&)> function) {
  auto task = std::make_unique<LoopCore::Task>();
  const std::uint64_t id = core_->next_id_++;
  task->loop = core_.get();
  task->id = id;
  task->run = std::move(function);
  task->fire = [](Timer& timer) {
    auto& due = static_cast<LoopCore::Task&>(timer);
    const auto owned = due.loop->tasks_.extract(due.id);
    due.run(due.loop->face());
  };
  LoopCore::Task& made = *core_->tasks_.emplace(id, std::move(task)).first->second;
  core_->wheel_.arm(made, delay.count() <= 0 ? core_->now() : core_->in(delay));
  return Task(id);
}

bool Loop::cancel(Task task) {
  const auto found = core_->tasks_.find(task.id_);
  if (found == core_->tasks_.end()) return false;
  core_->wheel_.disarm(*found->second);
  core_->tasks_.erase(found);
  return true;
}

Statistics Loop::statistics() const noexcept {
  Statistics statistics = core_->statistics_;
  statistics.streams = core_->streams_.size();
  statistics.handshaking = core_->handshaking_.size();
  const MemoryPool& blocks = core_->blocks_.pool();
  statistics.buffers = blocks.used();
  statistics.spare_buffers = blocks.spare();
  statistics.memory = core_->memory();
  return statistics;
}

std::string_view Loop::name() const noexcept { return core_->backend_->name(); }

}  // namespace lockstep::loop
