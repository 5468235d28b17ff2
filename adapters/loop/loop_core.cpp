#include "loop/loop_core.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/sockets.hpp"

namespace lockstep::loop {

using sockets::plain_error;
using sockets::system_error;

namespace {

constexpr std::uint64_t kTickMilliseconds = 8;
constexpr std::chrono::milliseconds kAcceptPause{100};

}  // namespace

/// A function with a time.
struct LoopCore::Task final : Timer {
  LoopCore* loop = nullptr;
  std::move_only_function<void(Loop&)> run;
};

LoopCore::LoopCore(std::unique_ptr<Backend> backend, const LoopOptions& options)
    : options_(options),
      backend_(std::move(backend)),
      blocks_(options.spare_buffers),
      handshakes_(Connection::kHandshakeMemory, options.spare_buffers),
      keys_(options.cached_keys),
      wheel_(static_cast<std::uint64_t>(
                 std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count()) /
             kTickMilliseconds),
      now_(wheel_.now()) {
  backend_->attach(*this);
}

LoopCore::~LoopCore() {
  end_listeners();
  // What is in flight uses the streams' buffers; the backend lets go of it in its own time, unless this is not the
  // thread that ran the loop: then it does when it is destroyed.
  for (int i = 0; i < 1000; ++i) {
    run_posted();  // a stream on its way here
    for_each([](StreamCore& stream) {
      stream.abort(plain_error(Operation::close, IoCondition::canceled, "the loop has ended"));
    });
    flush_dirty();  // a stream on its way elsewhere
    destroy_dead();
    if ((streams_.empty() && listeners_.empty()) || !backend_->wait(10)) break;
  }
  destroy_dead();
  for_each([](StreamCore& stream) { stream.unname(); });
  backend_.reset();
  for_each([this](StreamCore& stream) {
    remove(stream);
    delete &stream;  // NOLINT(cppcoreguidelines-owning-memory): the list owns
  });
}

// --- time ------------------------------------------------------------------------------------------------------------

std::uint64_t LoopCore::tick_of(Clock::time_point moment) noexcept {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(moment.time_since_epoch()).count();
  return (static_cast<std::uint64_t>(milliseconds < 0 ? 0 : milliseconds) + kTickMilliseconds - 1) / kTickMilliseconds;
}

std::uint64_t LoopCore::ticks_in(std::chrono::milliseconds time) noexcept {
  return (static_cast<std::uint64_t>(time.count()) + kTickMilliseconds - 1) / kTickMilliseconds;
}

std::uint64_t LoopCore::in(std::chrono::milliseconds time) const noexcept {
  return time.count() <= 0 ? TimerWheel::kNever : tick_of(Clock::now() + time);
}

void LoopCore::refresh_now() noexcept {
  now_ = static_cast<std::uint64_t>(
             std::chrono::floor<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count()) /
         kTickMilliseconds;
}

int LoopCore::wait_time(std::chrono::milliseconds longest) const noexcept {
  if (!dirty_.empty() || !dead_.empty() || has_posted_.load(std::memory_order_acquire) || stopping_) return 0;
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
  refresh_now();
  if (!backend_->wait(wait_time(longest))) return false;
  refresh_now();
  run_posted();
  wheel_.advance(now_);
  if (draining_ && drain_until_ <= now_) {
    drain_until_ = TimerWheel::kNever;
    for_each([](StreamCore& stream) {
      stream.abort(
          plain_error(Operation::close, IoCondition::canceled, "the loop was drained, and the time for it is over"));
    });
  }
  flush_dirty();
  if (holding_ && !crowded()) hold_listeners(false);
  destroy_dead();
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
  for (auto& function : functions) function(*face_);
}

/// Those that are dirty now; what becomes dirty meanwhile has the next turn, so that nobody waits for a busy one.
void LoopCore::flush_dirty() {
  for (std::size_t left = dirty_.size(); left != 0 && !dirty_.empty(); --left) {
    auto& stream = static_cast<StreamCore&>(dirty_.front());
    dirty_.remove(stream);
    stream.flush();
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
  dirty_.remove(stream);
  wheel_.disarm(stream);
}

void LoopCore::bury(StreamCore& stream) {
  remove(stream);
  dead_.emplace_back(&stream);
}

void LoopCore::hand_over(StreamCore& stream, Loop& other) {
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
  while (!parked.empty() && !held) {
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
  const auto found = loop->listeners_.find(id);
  if (found == loop->listeners_.end()) return;
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
  if (options->no_delay) sockets::send_at_once(connection.number());
  StreamCore& stream = loop->add(options, std::move(connection));
  auto handler = make_handler(stream);
  if (handler == nullptr) {
    loop->bury(stream);
    return;
  }
  stream.set_handler(std::move(handler));
  stream.opened({});
  if (loop->crowded()) loop->hold_listeners(true);
}

void ListenerCore::failed_once(int error) {
  if (!sockets::is_of_one_connection(error)) failed(error);
}

void ListenerCore::failed(int error) {
  if (closed) return;
  ++loop->statistics_.accept_failures;
  loop->wheel_.arm(*this, loop->in(kAcceptPause));
  if (listening) loop->backend_->unlisten(*this);
  if (on_error) on_error(system_error(Operation::accept, error));
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

// --- the public face -------------------------------------------------------------------------------------------------

Loop::Loop(std::unique_ptr<LoopCore> core) noexcept : core_(std::move(core)) { core_->set_face(*this); }
Loop::~Loop() = default;

IoResult<Listener> Loop::listen(std::string_view host, std::uint16_t port, Options options, MakeHandler make_handler,
                                ListenOptions listen_options) {
  if (options.config != nullptr && options.config->role() != Role::server) {
    return std::unexpected(plain_error(Operation::listen, IoCondition::misuse, "Options::config is a client's"));
  }
  auto socket =
      sockets::listen(host, port, {.reuse_port = listen_options.reuse_port, .backlog = listen_options.backlog});
  if (!socket) return std::unexpected(std::move(socket.error()));
  auto listener = std::make_unique<ListenerCore>();
  listener->loop = core_.get();
  listener->id = core_->next_id_++;
  listener->socket = std::move(*socket);
  listener->options = std::make_shared<const Options>(std::move(options));
  listener->make_handler = std::move(make_handler);
  listener->on_error = std::move(listen_options.on_error);
  listener->fire = [](Timer& timer) { static_cast<ListenerCore&>(timer).begin(); };
  Listener handle;
  handle.id_ = listener->id;
  handle.address_ = local_address(listener->socket.number());
  listener->held = core_->holding_;
  ListenerCore& added = *core_->listeners_.emplace(handle.id_, std::move(listener)).first->second;
  added.begin();
  return handle;
}

void Loop::unlisten(const Listener& listener) {
  const auto found = core_->listeners_.find(listener.id_);
  if (found != core_->listeners_.end()) found->second->end();
}

IoResult<Stream*> Loop::dial(std::string_view host, std::uint16_t port, Options options,
                             std::unique_ptr<Handler> handler, Target target) {
  const auto misuse = [](std::string_view text) {
    return std::unexpected(plain_error(Operation::connect, IoCondition::misuse, text));
  };
  if (options.config != nullptr && options.config->role() != Role::client)
    return misuse("Options::config is a server's");
  if (!target.name && options.config != nullptr) {
    std::string_view bare = host;
    if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
    auto name = x509::PeerName::parse(bare);
    if (!name) {
      return misuse("\"" + std::string(host) + "\": " + std::string(x509::explanation(name.error())) +
                    "; state whom to expect in Target::name");
    }
    target.name = std::move(*name);
  }
  const std::string what = sockets::host_and_port(host, port);
  const auto list = sockets::resolve(host, port, 0, what);
  if (!list) return std::unexpected(list.error());
  std::vector<std::pair<sockaddr_storage, socklen_t>> addresses;
  for (const addrinfo* address = list->get(); address != nullptr; address = address->ai_next) {
    auto& [storage, size] = addresses.emplace_back();
    size = std::min<socklen_t>(address->ai_addrlen, sizeof storage);
    std::memcpy(&storage, address->ai_addr, size);
  }
  StreamCore& stream = core_->add(std::make_shared<const Options>(std::move(options)), Descriptor());
  stream.set_handler(std::move(handler));
  stream.set_target(std::move(target));
  stream.dial(std::move(addresses), what);
  return &stream;
}

IoResult<Stream*> Loop::wrap(Descriptor socket, Options options, std::unique_ptr<Handler> handler, Target target,
                             Bytes already_read) {
  const auto misuse = [](std::string_view text) {
    return std::unexpected(plain_error(Operation::handshake, IoCondition::misuse, text));
  };
  if (!socket) return misuse("there is no socket");
  if (options.config != nullptr && options.config->role() == Role::client && !target.name) {
    return misuse("a client must state whom it expects, in Target::name");
  }
  if (auto set = sockets::set_nonblocking(socket.number()); !set) return std::unexpected(std::move(set.error()));
  if (options.no_delay) sockets::send_at_once(socket.number());
  StreamCore& stream = core_->add(std::make_shared<const Options>(std::move(options)), std::move(socket));
  stream.set_handler(std::move(handler));
  stream.set_target(std::move(target));
  stream.opened(already_read);
  return &stream;
}

void Loop::run() {
  while (core_->run_once(std::chrono::milliseconds(-1))) {
  }
  core_->stopping_ = core_->draining_ = false;
}

bool Loop::run_once(std::chrono::milliseconds longest) { return core_->run_once(longest); }

void Loop::stop() noexcept {
  core_->stopping_ = true;
  core_->backend_->wake();
}

void Loop::drain(std::chrono::milliseconds longest) {
  core_->draining_ = true;
  core_->drain_until_ = LoopCore::tick_of(Clock::now() + longest);
  core_->end_listeners();
  core_->for_each([](StreamCore& stream) { stream.drain(); });
}

void Loop::post(std::move_only_function<void(Loop&)> function) { core_->post(std::move(function)); }

void Loop::after(std::chrono::milliseconds delay, std::move_only_function<void(Loop&)> function) {
  auto task = std::make_unique<LoopCore::Task>();
  LoopCore::Task* key = task.get();
  task->loop = core_.get();
  task->run = std::move(function);
  task->fire = [](Timer& timer) {
    auto& due = static_cast<LoopCore::Task&>(timer);
    const auto owned = due.loop->tasks_.extract(&due);
    due.run(due.loop->face());
  };
  core_->tasks_.emplace(key, std::move(task));
  core_->wheel_.arm(*key, LoopCore::tick_of(Clock::now() + delay));
}

Statistics Loop::statistics() const noexcept {
  Statistics statistics = core_->statistics_;
  statistics.streams = core_->streams_.size();
  statistics.handshaking = core_->handshaking_.size();
  const MemoryPool& blocks = core_->blocks_.pool();
  const MemoryPool& handshakes = core_->handshakes_;
  statistics.buffers = blocks.used();
  statistics.spare_buffers = blocks.spare();
  statistics.memory = (blocks.used() + blocks.spare()) * blocks.size() +
                      (handshakes.used() + handshakes.spare()) * handshakes.size() + core_->blocks_.small_bytes() +
                      core_->keys_.size() * KeyCache::kKeySize;
  return statistics;
}

std::string_view Loop::name() const noexcept { return core_->backend_->name(); }

}  // namespace lockstep::loop
