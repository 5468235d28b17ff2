// What applications see: Handler, Stream and StreamRef.

#include <algorithm>
#include <utility>

#include <sys/socket.h>

#include "common/sockets.hpp"
#include "loop/loop_core.hpp"
#include "loop/stream_core.hpp"

namespace lockstep::loop {

using sockets::canceled_error;
using sockets::plain_error;
using sockets::timeout_error;

// --- Handler ---------------------------------------------------------------------------------------------------------

void Handler::on_end(Stream& stream) { stream.close(); }
void Handler::on_drain(Stream& stream) { stream.close(); }
void Handler::on_deadline(Stream& stream, Operation operation) { stream.expire(operation); }

// --- the public face -------------------------------------------------------------------------------------------------

StreamCore& Stream::core() noexcept { return static_cast<StreamCore&>(*this); }
const StreamCore& Stream::core() const noexcept { return static_cast<const StreamCore&>(*this); }
Connection& Stream::engine() noexcept { return core().secure_->connection; }

Bytes Stream::readable() noexcept { return core().is_open() ? core().unread() : Bytes{}; }

void Stream::consume(std::size_t size) noexcept { core().consume(size); }

std::size_t Stream::read(MutableBytes out) noexcept {
  std::size_t copied = 0;
  while (copied < out.size()) {
    const Bytes view = readable();
    if (view.empty()) break;
    const std::size_t size = std::min(view.size(), out.size() - copied);
    std::ranges::copy(view.first(size), out.subspan(copied).begin());
    consume(size);
    copied += size;
  }
  return copied;
}

void Stream::resume() noexcept { core().continue_later(); }

void Stream::pause_reading(bool paused) noexcept {
  core().paused_ = paused;
  core().mark_dirty();
}

IoResult<std::size_t> Stream::write(Bytes bytes) { return core().writev_now({&bytes, 1}); }
IoResult<std::size_t> Stream::writev(std::span<const Bytes> pieces) { return core().writev_now(pieces); }
IoResult<std::size_t> Stream::write_early(Bytes bytes) { return core().write_early(bytes); }
std::size_t Stream::write_pending() const noexcept { return core().out_pending_; }

std::optional<Bytes> Exactly::read(Stream& stream, std::size_t size) {
  if (std::exchange(done_, false)) bytes_.clear();
  for (Bytes view = stream.readable(); bytes_.size() < size && !view.empty(); view = stream.readable()) {
    const Bytes taken = view.first(std::min(view.size(), size - bytes_.size()));
    bytes_.insert(bytes_.end(), taken.begin(), taken.end());
    stream.consume(taken.size());
  }
  if (bytes_.size() < size) return std::nullopt;
  done_ = true;
  return bytes_;
}

void Stream::close_read() { core().close_read(); }

void Stream::close_write() {
  StreamCore& stream = core();
  using Outbound = StreamCore::Outbound;
  if (!stream.is_open() || stream.outbound_ != Outbound::open) return;
  if (stream.layer_ == StreamCore::Layer::expected) {
    handshake();
    stream.outbound_ = Outbound::ends_with_handshake;
  } else if (stream.secure_ != nullptr) {
    stream.say_close();
  } else {
    stream.outbound_ = Outbound::ends_behind_output;
    stream.mark_dirty();
  }
}

void Stream::close() { core().start_closing(); }

void Stream::cancel(Alert why) {
  StreamCore& stream = core();
  stream.give_up_by_application(
      stream.located(
          canceled_error(stream.connecting() ? Operation::connect : stream.reading(), "canceled by the application")),
      why);
}

void Stream::expire(Operation operation) {
  StreamCore& stream = core();
  stream.give_up_by_application(stream.located(timeout_error(operation, "the deadline passed")), Alert::close_notify);
}

void Stream::downgrade() {
  StreamCore& stream = core();
  if (!stream.is_open() || stream.secure_ == nullptr || stream.downgrading_) return;
  if (stream.kernel_sends() || stream.kernel_receives()) {
    return stream.fail(plain_error(Operation::downgrade, IoCondition::misuse, "the kernel's TLS stays on its socket"));
  }
  stream.downgrading_ = true;
  if (stream.outbound_ == StreamCore::Outbound::open) stream.say_close();
  if (stream.handshake_done()) stream.deadline_ = stream.loop_->in(stream.options_->handshake_timeout);
  stream.continue_later();
}

void Stream::handshake() {
  StreamCore& stream = core();
  if (!stream.is_open() || stream.layer_ != StreamCore::Layer::expected) return;
  // A server's begins with the client's first byte; how long that may take counts from here.
  stream.expect_handshake();
  if (stream.is_open() && stream.options_->config->role() == Role::client) stream.begin_tls();
}

IoResult<void> Stream::start_tls(Options options, Target target) {
  StreamCore& stream = core();
  const auto misuse = [](std::string_view text) {
    return std::unexpected(plain_error(Operation::handshake, IoCondition::misuse, text));
  };
  if (!stream.is_open()) return misuse("the stream is closed or not connected yet");
  if (stream.outbound_ != StreamCore::Outbound::open) return misuse("the stream was closed for writing");
  if (stream.layer_ != StreamCore::Layer::plain) return misuse("TLS has begun already; `downgrade` comes first");
  if (options.config == nullptr) return misuse("Options::config is missing");
  const bool client = options.config->role() == Role::client;
  if (client && !target.name) return misuse("a client must state whom it expects, in Target::name");
  const bool lazy = options.lazy_handshake;
  stream.options_ = std::make_shared<const Options>(std::move(options));
  stream.set_target(std::move(target));
  stream.layer_ = StreamCore::Layer::expected;
  stream.inbound_ = StreamCore::Inbound::open;
  if (!lazy) handshake();
  stream.continue_later();
  return {};
}

void Stream::answers_changed() { core().continue_later(); }

IoResult<void> Stream::update_keys(bool request_peer) {
  StreamCore& stream = core();
  if (!stream.is_open() || stream.secure_ == nullptr) {
    return std::unexpected(
        plain_error(Operation::write, IoCondition::misuse, "TLS has not begun, or the stream is closed"));
  }
  if (auto updated = stream.secure_->connection.update_keys(request_peer); !updated) {
    return std::unexpected(plain_error(Operation::write, IoCondition::misuse, name(updated.error())));
  }
  stream.queue_handshake();
  return {};
}

IoResult<void> Stream::set_max_send_fragment(std::size_t bytes) {
  StreamCore& stream = core();
  if (!stream.is_open() || stream.secure_ == nullptr) {
    return std::unexpected(
        plain_error(Operation::write, IoCondition::misuse, "TLS has not begun, or the stream is closed"));
  }
  if (auto set = stream.secure_->connection.set_max_send_fragment(bytes); !set)
    return std::unexpected(plain_error(Operation::write, IoCondition::misuse, name(set.error())));
  return {};
}

IoResult<void> Stream::renegotiate(std::optional<ClientAuth> client_auth) {
  StreamCore& stream = core();
  if (!stream.is_open() || stream.secure_ == nullptr) {
    return std::unexpected(
        plain_error(Operation::handshake, IoCondition::misuse, "TLS has not begun, or the stream is closed"));
  }
  stream.queue_handshake();  // the end of the one before
  if (!stream.is_open()) return {};
  if (auto begun = stream.secure_->connection.renegotiate(stream.engine_time(), client_auth); !begun) {
    return std::unexpected(plain_error(Operation::handshake, IoCondition::misuse, name(begun.error())));
  }
  stream.queue_handshake();
  stream.continue_later();
  return {};
}

KernelTls Stream::kernel_tls() const {
  const auto& secure = core().secure_;
  if (secure == nullptr || secure->kernel == nullptr) return {};
  return {
      .sending = secure->kernel->sending, .receiving = secure->kernel->receiving, .why_not = secure->kernel->why_not};
}

bool Stream::secure() const noexcept { return core().secure_ != nullptr; }
const Connection& Stream::connection() const noexcept { return core().secure_->connection; }
void Stream::attach(std::shared_ptr<void> attachment) { core().attach(std::move(attachment)); }
Answers* Stream::answers() { return secure() ? core().answers_in_handshake() : nullptr; }
const Answers* Stream::answers() const noexcept {
  return core().secure_ == nullptr ? nullptr : core().secure_->answers.get();
}
const std::string& Stream::server_name() const noexcept { return core().server_name_; }
std::vector<Session> Stream::sessions() {
  StreamCore& stream = core();
  return stream.secure_ == nullptr ? std::vector<Session>{} : stream.secure_->sessions.given(stream.engine_time());
}

void Stream::set_read_deadline(Deadline deadline, Until until) noexcept {
  core().read_deadline_ = deadline ? LoopCore::tick_of(*deadline) : TimerWheel::kNever;
  core().read_until_ = until;
  core().arm_timer();
}
void Stream::set_write_deadline(Deadline deadline) noexcept {
  core().write_deadline_ = deadline ? LoopCore::tick_of(*deadline) : TimerWheel::kNever;
  core().arm_timer();
}

void Stream::move_to(Loop& other) {
  StreamCore& stream = core();
  if (stream.ended() || std::holds_alternative<StreamCore::Closing>(stream.phase_) || stream.leaving()) return;
  stream.move_ = StreamCore::Move{.target = &other};
  stream.mark_dirty();
}

StreamRef Stream::ref() { return StreamRef(core().control()); }

const std::shared_ptr<StreamRef::Control>& StreamCore::control() {
  if (control_ == nullptr) {
    control_ = std::make_shared<StreamRef::Control>();
    control_->loop = &loop_->face();
    control_->stream = this;
  }
  return control_;
}

void StreamRef::Control::wake() noexcept {
  StreamRef(shared_from_this()).post([](Stream& woken) { woken.resume(); });
}

Loop& Stream::loop() const noexcept { return core().loop_->face(); }
Handler& Stream::handler() const noexcept { return *core().handler_; }
Traffic Stream::traffic() const noexcept { return core().traffic_; }
Address Stream::local_address() const { return lockstep::local_address(descriptor()); }
Address Stream::peer_address() const { return lockstep::peer_address(descriptor()); }
int Stream::descriptor() const noexcept { return core().socket_.number(); }

void StreamRef::post(std::move_only_function<void(Stream&)> function) const {
  const std::scoped_lock lock(control_->mutex);
  if (control_->stream == nullptr) return;
  // Under the lock, so that it arrives behind the stream where that has gone.
  control_->loop->post([control = control_, run = std::move(function)](Loop& loop) mutable {
    StreamCore* stream = nullptr;
    {
      const std::scoped_lock held(control->mutex);
      if (control->stream == nullptr) return;
      if (control->loop == &loop) stream = control->stream;
    }
    if (stream != nullptr) {
      stream->run(std::move(run));
    } else {
      StreamRef(control).post(std::move(run));  // it has moved meanwhile
    }
  });
}

}  // namespace lockstep::loop
