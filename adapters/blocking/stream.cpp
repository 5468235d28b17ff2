// TLS over a socket. One lock for the reading side, one for the writing side, one for the engine, taken in that order
// and the last never across a system call, so that a thread that waits for the peer does not hold up the other
// direction.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>
#include <variant>

#include <lockstep/blocking.hpp>
#include <lockstep/key_cache.hpp>

#include "blocking/wait.hpp"
#include "common/addresses.hpp"

namespace lockstep::blocking {

namespace {

constexpr Clock::rep kNever = std::numeric_limits<Clock::rep>::max();

Clock::rep to_ticks(Deadline deadline) { return deadline ? deadline->time_since_epoch().count() : kNever; }

Deadline from_ticks(Clock::rep ticks) {
  if (ticks == kNever) return {};
  return Clock::time_point(Clock::duration(ticks));
}

Deadline earlier(Deadline a, Deadline b) { return a && b ? std::min(*a, *b) : a ? a : b; }

Deadline limit(std::chrono::milliseconds timeout) { return timeout.count() == 0 ? Deadline{} : after(timeout); }

}  // namespace

class Stream::Implementation {
 public:
  Implementation(Socket socket, const Options& options, std::shared_ptr<const AnswerSetup> setup, Target& target)
      : options_(options),
        socket_(std::move(socket)),
        random_(options.random == nullptr ? &system_random_ : options.random),
        buffer_size_(std::max(options.buffer_size, Connection::kMaxRecord)),
        buffers_(std::make_unique_for_overwrite<std::uint8_t[]>(2 * buffer_size_)),
        handshake_memory_(std::make_unique_for_overwrite<std::uint8_t[]>(Connection::kHandshakeMemory)),
        server_name_(target.name ? target.name->text() : std::string()),
        connection_(start(target, *setup)),
        answers_(std::move(setup), *random_) {
    connection_.use(&keys_);
    inbound_ = {buffers_.get(), buffer_size_};
    outbound_ = {buffers_.get() + buffer_size_, buffer_size_};
    std::ranges::copy(target.already_read, inbound_.begin());
    end_ = target.already_read.size();
    received_ = end_;
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  ~Implementation() {
    if (!socket_) return;
    if (handshake_done_ && connection_.error() == nullptr) {
      connection_.close();
      flush_now();
    }
  }

  IoResult<void> handshake();
  IoResult<std::size_t> write_early(Bytes bytes);
  IoResult<Bytes> read_early_view();
  IoResult<std::size_t> read(MutableBytes out);
  IoResult<void> read_exactly(MutableBytes out);
  IoResult<Bytes> read_view();
  IoResult<std::size_t> writev(std::span<const Bytes> pieces);
  IoResult<void> end_writing(Operation operation, Deadline deadline);
  IoResult<void> close_write() { return end_writing(Operation::close, from_ticks(write_deadline)); }
  IoResult<void> close(Alert why);
  IoResult<Plain> downgrade();
  IoResult<Plain> hand_back();
  IoResult<void> update_keys(bool request_peer);
  IoResult<void> set_max_send_fragment(std::size_t bytes);
  IoResult<void> renegotiate(std::optional<ClientAuth> client_auth);
  std::vector<Session> sessions() {
    const std::scoped_lock lock(engine_mutex_);
    return sessions_.given(now());
  }

  std::atomic<Clock::rep> read_deadline{kNever};
  std::atomic<Clock::rep> write_deadline{kNever};

 private:
  friend class Stream;

  /// What the engine made of the bytes it was given.
  enum class Progress : std::uint8_t {
    starved,    ///< it needs more
    early,      ///< `early_` has more
    plaintext,  ///< `plaintext_` has some
    ended,      ///< the peer said close_notify
  };

  Connection start(Target& target, const AnswerSetup& setup) {
    const MutableBytes memory{handshake_memory_.get(), Connection::kHandshakeMemory};
    ClientOptions client{.name = target.name ? std::move(*target.name) : x509::NoNameCheck{},
                         .sessions = target.sessions,
                         .verification = setup.verification(),
                         .server_name = std::move(target.server_name)};
    std::optional<Session> kept;
    if (options_.config->role() == Role::client) {
      const Address peer = lockstep::peer_address(socket_.descriptor());
      sessions_ = setup.client_sessions(*options_.config, client, peer.host, peer.port);
      if ((kept = sessions_.take(now()))) client.sessions = {&*kept, 1};
    }
    const auto made = [&](auto& random) {
      if (options_.config->role() == Role::server)
        return Connection::server(as_server(options_.config), random, memory, {.verification = setup.verification()});
      return Connection::client(as_client(options_.config), std::move(client), random, now(), memory);
    };
    return target.recorder == nullptr ? made(*random_) : made(*target.recorder);
  }
  [[nodiscard]] Time now() const noexcept { return options_.clock == nullptr ? system_time() : options_.clock(); }

  // With the reading side locked:
  IoResult<Progress> process(Operation operation);
  IoResult<std::size_t> receive(Operation operation, Deadline deadline);
  IoResult<Progress> next(Operation operation, Deadline deadline);
  IoError fail(const IoError& error);
  [[nodiscard]] Bytes unread_early() const noexcept { return Bytes(early_).subspan(early_taken_); }
  Bytes take_early(std::size_t most) noexcept;
  // With the writing side locked:
  IoResult<std::size_t> flush(Operation operation, Deadline deadline);
  IoResult<void> send(Operation operation, Deadline deadline);
  void flush_now() noexcept;
  [[nodiscard]] bool renegotiating() const {
    const std::scoped_lock lock(engine_mutex_);
    return connection_.renegotiating();
  }
  /// Returns with that side locked again.
  IoResult<void> await_renegotiation(std::unique_lock<std::mutex>& writing, Deadline deadline);
  // With both sides locked:
  IoResult<void> make_renegotiation(Deadline deadline);
  IoResult<void> renegotiation_steps(std::vector<std::uint8_t>& unread, Deadline deadline);
  void set_aside(std::vector<std::uint8_t>& unread);
  /// How far a handshake is to go.
  enum class Until : std::uint8_t { early_data, writable, complete };
  IoResult<void> handshake_to_write();
  IoResult<void> run_handshake(Until until);
  IoResult<void> handshake_steps(Until until);
  IoResult<std::size_t> early_steps(Bytes bytes);
  void handshake_failed(const IoError& error);
  [[nodiscard]] bool keeps(const IoError& error) const noexcept;
  [[nodiscard]] Deadline handshake_deadline();

  IoResult<void> usable();
  IoError tls_error(Operation operation, const Error& error) const;
  IoError located(IoError error) const;
  [[nodiscard]] std::string peer_text() const;
  void remember(const IoError& error);
  void end_after_failure();
  [[nodiscard]] sockets::Lingering lingering() const noexcept;
  IoError explain_send_error(IoError error);
  IoError explain_as_writer(IoError error);

  const Options options_;
  Socket socket_;
  SystemRandom system_random_;
  RandomSource* random_;
  std::size_t buffer_size_;
  std::unique_ptr<std::uint8_t[]> buffers_;
  std::unique_ptr<std::uint8_t[]> handshake_memory_;  // until the handshake ends

  std::mutex read_mutex_;
  MutableBytes inbound_;
  std::size_t begin_ = 0;  // what was received and not consumed: [begin_, end_)
  std::size_t end_ = 0;
  ApplicationData plaintext_;  // views into inbound_, in front of begin_
  std::size_t segment_ = 0;
  std::size_t offset_ = 0;           // in that segment
  std::vector<std::uint8_t> ahead_;  // what a writer has read: `plaintext_` may be a view of it
  std::vector<std::uint8_t> early_;  // no more than the configuration takes
  std::size_t early_taken_ = 0;
  bool peer_ended_ = false;

  std::mutex write_mutex_;
  MutableBytes outbound_;
  std::size_t out_begin_ = 0;  // what was sealed and not sent: [out_begin_, out_end_)
  std::size_t out_end_ = 0;

  mutable std::mutex engine_mutex_;
  std::condition_variable processed_;  // whoever reads has got on
  std::string server_name_;
  KeyCache keys_{2};
  ClientSessions sessions_;
  Connection connection_;
  Answers answers_;
  KeyLog key_log_{options_.key_log, options_.key_log_of};
  std::optional<IoError> failure_;  // sticky
  Deadline dialed_until_;           // Options::dial_timeout
  std::optional<Deadline> handshake_deadline_;

  std::atomic<bool> handshake_done_{false};
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> sent_{0};
};

// --- handshake -------------------------------------------------------------------------------------------------------

IoResult<void> Stream::Implementation::handshake() {
  if (handshake_done_) return {};
  const std::scoped_lock lock(read_mutex_, write_mutex_);
  if (handshake_done_) return {};
  return run_handshake(Until::complete);
}

/// As far as data may be sent, which with false start is before the server's Finished. Whoever reads does the rest.
IoResult<void> Stream::Implementation::handshake_to_write() {
  if (handshake_done_) return {};
  const std::scoped_lock lock(read_mutex_, write_mutex_);
  if (handshake_done_) return {};
  return run_handshake(Until::writable);
}

IoResult<void> Stream::Implementation::run_handshake(Until until) {
  if (auto ok = usable(); !ok) return ok;
  auto result = handshake_steps(until);
  if (!result) {
    handshake_failed(result.error());
  } else if (connection_.connected()) {
    if (!connection_.reclaim().empty()) handshake_memory_.reset();
    handshake_done_ = true;
  }
  return result;
}

IoResult<void> Stream::Implementation::handshake_steps(Until until) {
  const Deadline deadline = handshake_deadline();
  for (;;) {
    const auto progress = process(Operation::handshake);
    if (!progress) return std::unexpected(progress.error());
    const auto flushed = flush(Operation::handshake, deadline);
    if (!flushed) return std::unexpected(flushed.error());
    if (*progress == Progress::early) {
      if (until == Until::early_data) return {};
      continue;
    }
    if (*progress != Progress::starved && connection_.connected()) return {};
    if (*flushed != 0) continue;  // what was sent may have events of its own
    if (connection_.connected() || (until == Until::writable && connection_.false_start())) return {};
    if (auto received = receive(Operation::handshake, deadline); !received) return std::unexpected(received.error());
  }
}

/// Whether the peer speaks another protocol, which the application may know.
bool Stream::Implementation::keeps(const IoError& error) const noexcept {
  return options_.keep_strangers && error.tls &&
         (error.tls->reason == Reason::not_tls || error.tls->reason == Reason::plain_http);
}

void Stream::Implementation::handshake_failed(const IoError& error) {
  remember(error);
  if (keeps(error)) return;  // it is for `hand_back`
  if (error.condition != IoCondition::tls) connection_.cancel();
  end_after_failure();
}

/// One for the whole handshake, however many calls it takes.
Deadline Stream::Implementation::handshake_deadline() {
  if (!handshake_deadline_) handshake_deadline_ = earlier(limit(options_.handshake_timeout), dialed_until_);
  return *handshake_deadline_;
}

// --- early data ------------------------------------------------------------------------------------------------------

IoResult<std::size_t> Stream::Implementation::write_early(Bytes bytes) {
  const std::scoped_lock lock(read_mutex_, write_mutex_);
  if (handshake_done_) return 0;
  if (auto ok = usable(); !ok) return std::unexpected(std::move(ok.error()));
  auto result = early_steps(bytes);
  if (!result) handshake_failed(result.error());
  return result;
}

IoResult<std::size_t> Stream::Implementation::early_steps(Bytes bytes) {
  const Deadline deadline = handshake_deadline();
  // With verify_on_resumption the peer is judged before anything is sent to it.
  if (connection_.awaiting_answer()) {
    if (auto judged = process(Operation::handshake); !judged) return std::unexpected(std::move(judged.error()));
  }
  for (std::size_t total = 0;;) {
    // The ClientHello first.
    if (auto flushed = flush(Operation::handshake, deadline); !flushed) return std::unexpected(flushed.error());
    const Bytes rest = bytes.subspan(total);
    const std::scoped_lock engine(engine_mutex_);
    if (rest.empty() || connection_.early_data_left() == 0) return total;
    const auto sealed = connection_.seal_early({&rest, 1}, outbound_, now());
    if (!sealed || sealed->written == 0) {
      if (connection_.error() != nullptr) return std::unexpected(tls_error(Operation::handshake, *connection_.error()));
      const std::string_view why = sealed ? "nothing could be sealed" : name(sealed.error());
      return std::unexpected(plain_error(Operation::handshake, IoCondition::misuse, why));
    }
    out_begin_ = 0;
    out_end_ = sealed->written;
    total += sealed->consumed;
  }
}

IoResult<Bytes> Stream::Implementation::read_early_view() {
  const std::scoped_lock lock(read_mutex_, write_mutex_);
  if (unread_early().empty() && !handshake_done_) {
    if (auto done = run_handshake(Until::early_data); !done) return std::unexpected(std::move(done.error()));
  }
  return take_early(early_.size());
}

/// The view lives until the engine gives more, or the stream is read.
Bytes Stream::Implementation::take_early(std::size_t most) noexcept {
  const Bytes rest = unread_early();
  const Bytes taken = rest.first(std::min(most, rest.size()));
  early_taken_ += taken.size();
  return taken;
}

// --- reading ---------------------------------------------------------------------------------------------------------

IoResult<std::size_t> Stream::Implementation::read(MutableBytes out) {
  if (auto done = handshake(); !done) return std::unexpected(std::move(done.error()));
  const std::scoped_lock lock(read_mutex_);
  if (out.empty()) return 0;
  if (const Bytes early = take_early(out.size()); !early.empty()) {
    std::ranges::copy(early, out.begin());
    return early.size();
  }
  const auto progress = next(Operation::read, from_ticks(read_deadline));
  if (!progress) return std::unexpected(progress.error());
  std::size_t copied = 0;
  while (copied < out.size() && segment_ < plaintext_.segments().size()) {
    const MutableBytes segment = plaintext_.segments()[segment_].subspan(offset_);
    const std::size_t n = std::min(segment.size(), out.size() - copied);
    std::ranges::copy(segment.first(n), out.subspan(copied).begin());
    copied += n;
    offset_ += n;
    if (n == segment.size()) {
      ++segment_;
      offset_ = 0;
    }
  }
  return copied;
}

IoResult<void> Stream::Implementation::read_exactly(MutableBytes out) {
  for (std::size_t done = 0; done < out.size();) {
    auto n = read(out.subspan(done));
    if (n && *n == 0) {
      n = std::unexpected(located(plain_error(
          Operation::read, IoCondition::ended,
          "the peer finished after " + std::to_string(done) + " of " + std::to_string(out.size()) + " bytes")));
    }
    if (!n) {
      n.error().transferred = done;
      return std::unexpected(std::move(n.error()));
    }
    done += *n;
  }
  return {};
}

IoResult<Bytes> Stream::Implementation::read_view() {
  if (auto done = handshake(); !done) return std::unexpected(std::move(done.error()));
  const std::scoped_lock lock(read_mutex_);
  if (const Bytes early = take_early(early_.size()); !early.empty()) return early;
  const auto progress = next(Operation::read, from_ticks(read_deadline));
  if (!progress) return std::unexpected(progress.error());
  if (*progress == Progress::ended) return Bytes{};
  return Bytes(plaintext_.segments()[segment_++].subspan(std::exchange(offset_, 0)));
}

/// Until there is plaintext or the end. Early data has been taken.
IoResult<Stream::Implementation::Progress> Stream::Implementation::next(Operation operation, Deadline deadline) {
  early_ = {};
  early_taken_ = 0;
  for (;;) {
    if (segment_ < plaintext_.segments().size()) return Progress::plaintext;
    if (peer_ended_ && socket_) return Progress::ended;
    if (auto ok = usable(); !ok) return std::unexpected(std::move(ok.error()));
    auto progress = process(operation);
    if (!progress) return std::unexpected(fail(progress.error()));
    // Answers to key updates. What the socket does not take, and what a writer is in the way of, goes with later
    // writes.
    IoResult<std::size_t> flushed;
    if (const std::unique_lock writing(write_mutex_, std::try_to_lock); writing) {
      renegotiating() ? static_cast<void>(flushed = flush(operation, deadline)) : flush_now();
    }
    if (!flushed) return std::unexpected(fail(flushed.error()));
    processed_.notify_all();
    if (*progress != Progress::starved) continue;
    if (auto received = receive(operation, deadline); !received) return std::unexpected(fail(received.error()));
  }
}

/// The reader's failures. Those that last end the connection.
IoError Stream::Implementation::fail(const IoError& error) {
  if (error.condition == IoCondition::timeout || error.condition == IoCondition::canceled) return error;
  remember(error);
  // When a writer is at work it finds the failure itself and sends the alert.
  if (const std::unique_lock writing(write_mutex_, std::try_to_lock); writing) end_after_failure();
  return error;
}

/// Lets the engine work on what was received, until it has something for the application or needs more.
IoResult<Stream::Implementation::Progress> Stream::Implementation::process(Operation operation) {
  const std::scoped_lock lock(engine_mutex_);
  if (segment_ < plaintext_.segments().size()) return Progress::plaintext;
  for (;;) {
    auto [consumed, event] = connection_.receive(inbound_.subspan(begin_, end_ - begin_), now());
    begin_ += consumed;
    if (options_.intercept && options_.intercept({connection_, socket_, answers_}, event) && asks(event)) {
      sessions_.answered_by_application(event);
      continue;
    }
    if (answers_.answer(connection_, event)) continue;
    if (std::holds_alternative<Nothing>(event)) {
      // An answer may lead to the next question at once; a question that is awaited and not told is one that was kept.
      if (!connection_.awaiting_answer()) return Progress::starved;
      return std::unexpected(plain_error(operation, IoCondition::misuse,
                                         "`intercept` kept a token; over blocking sockets it must answer in place"));
    }
    if (const auto* data = std::get_if<ApplicationData>(&event)) {
      plaintext_ = *data;
      segment_ = 0;
      offset_ = 0;
      return Progress::plaintext;
    }
    if (const auto* early = std::get_if<EarlyData>(&event)) {
      early_.erase(early_.begin(), early_.begin() + static_cast<std::ptrdiff_t>(std::exchange(early_taken_, 0)));
      for (const Bytes segment : early->segments()) early_.insert(early_.end(), segment.begin(), segment.end());
      return Progress::early;
    }
    if (std::holds_alternative<PeerClosed>(event)) {
      peer_ended_ = true;
      return Progress::ended;
    }
    if (const auto* failed = std::get_if<Failed>(&event)) {
      sessions_.failed(failed->error);
      return std::unexpected(tls_error(operation, failed->error));
    }
    if (const auto* complete = std::get_if<HandshakeComplete>(&event)) {
      if (connection_.role() == Role::server) server_name_ = complete->server_name;
      key_log_.complete();
    } else if (auto* session = std::get_if<SessionReceived>(&event)) {
      sessions_.received(std::move(session->session));
    } else if (const auto* secret = std::get_if<SecretLogged>(&event)) {
      key_log_.add(*secret);
    }
  }
}

/// More bytes behind those that are not consumed. At the end of the transport the engine says what that means.
IoResult<std::size_t> Stream::Implementation::receive(Operation operation, Deadline deadline) {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (begin_ != 0 && inbound_.size() - begin_ < Connection::kMaxRecord) {
    std::ranges::copy(inbound_.subspan(begin_, end_ - begin_), inbound_.begin());
    end_ -= std::exchange(begin_, 0);
  }
  if (end_ == inbound_.size()) {
    return std::unexpected(plain_error(operation, IoCondition::misuse, "the engine needs more than a whole record"));
  }
  auto n = receive_some(socket_.descriptor(), inbound_.subspan(end_), operation, deadline, socket_.canceller());
  if (!n) return std::unexpected(located(std::move(n.error())));
  if (*n == 0) {
    const std::scoped_lock lock(engine_mutex_);
    const Event event = connection_.receive_end();
    if (const auto* failed = std::get_if<Failed>(&event)) {
      sessions_.failed(failed->error);
      return std::unexpected(tls_error(operation, failed->error));
    }
    peer_ended_ = true;
    return n;
  }
  end_ += *n;
  received_ += *n;
  return n;
}

// --- writing ---------------------------------------------------------------------------------------------------------

IoResult<std::size_t> Stream::Implementation::writev(std::span<const Bytes> pieces) {
  if (auto ready = handshake_to_write(); !ready) return std::unexpected(std::move(ready.error()));
  std::unique_lock lock(write_mutex_);
  if (auto ok = usable(); !ok) return std::unexpected(std::move(ok.error()));
  const Deadline deadline = from_ticks(write_deadline);
  std::size_t total = 0;
  const auto stop = [&](IoError error) {
    error.transferred = total;
    return std::unexpected(std::move(error));
  };

  std::size_t piece = 0;
  std::size_t taken = 0;  // of that piece
  for (;;) {
    if (auto sent = send(Operation::write, deadline); !sent) return stop(explain_as_writer(std::move(sent.error())));

    std::array<Bytes, ApplicationData::kMaxSegments> batch;
    std::size_t count = 0;
    for (std::size_t i = piece, skip = taken; i < pieces.size() && count < batch.size(); ++i, skip = 0) {
      if (pieces[i].size() > skip) batch[count++] = pieces[i].subspan(skip);
    }
    if (count == 0) return total;
    // What is sealed has to be sent, so that nothing is sealed that may not be sent.
    if (auto go_on = check(Operation::write, deadline, socket_.canceller()); !go_on) {
      return stop(located(std::move(go_on.error())));
    }

    std::expected<Sealed, Misuse> sealed;
    std::optional<IoError> error;
    {
      const std::scoped_lock engine(engine_mutex_);
      sealed = connection_.seal(std::span(batch).first(count), outbound_, now());
      if (!sealed && connection_.error() != nullptr) error = tls_error(Operation::write, *connection_.error());
    }
    if (error) {
      remember(*error);
      flush_now();
      return stop(std::move(*error));
    }
    if (!sealed) return stop(plain_error(Operation::write, IoCondition::ended, "the stream was closed for writing"));
    if (sealed->written == 0 && renegotiating()) {
      if (auto done = await_renegotiation(lock, deadline); !done) return stop(std::move(done.error()));
      continue;
    }
    if (sealed->written == 0)
      return stop(plain_error(Operation::write, IoCondition::misuse, "nothing could be sealed"));
    out_begin_ = 0;
    out_end_ = sealed->written;
    total += sealed->consumed;
    for (std::size_t left = sealed->consumed; piece < pieces.size();) {
      const std::size_t rest = pieces[piece].size() - taken;
      if (left < rest) {
        taken += left;
        break;
      }
      left -= rest;
      ++piece;
      taken = 0;
    }
  }
}

/// Sends what was sealed. It stays in the buffer after a failure.
IoResult<void> Stream::Implementation::send(Operation operation, Deadline deadline) {
  while (out_begin_ < out_end_) {
    auto n = send_some(socket_.descriptor(), outbound_.subspan(out_begin_, out_end_ - out_begin_), operation, deadline,
                       socket_.canceller());
    if (!n) return std::unexpected(located(std::move(n.error())));
    out_begin_ += *n;
    sent_ += *n;
  }
  out_begin_ = out_end_ = 0;
  return {};
}

/// Sends all that is pending; how many bytes that was.
IoResult<std::size_t> Stream::Implementation::flush(Operation operation, Deadline deadline) {
  for (std::size_t total = 0;;) {
    total += out_end_ - out_begin_;
    if (auto sent = send(operation, deadline); !sent) {
      return std::unexpected(operation == Operation::handshake ? explain_send_error(std::move(sent.error()))
                                                               : std::move(sent.error()));
    }
    const std::scoped_lock lock(engine_mutex_);
    out_end_ = connection_.transmit(outbound_, now());
    if (out_end_ == 0) return total;
  }
}

/// The same without waiting: as much as the socket takes.
void Stream::Implementation::flush_now() noexcept {
  for (;;) {
    const Bytes pending = outbound_.subspan(out_begin_, out_end_ - out_begin_);
    const std::size_t n = send_now(socket_.descriptor(), pending);
    out_begin_ += n;
    sent_ += n;
    if (n < pending.size()) return;
    const std::scoped_lock lock(engine_mutex_);
    out_begin_ = 0;
    out_end_ = connection_.transmit(outbound_, now());
    if (out_end_ == 0) return;
  }
}

IoResult<void> Stream::Implementation::update_keys(bool request_peer) {
  if (auto done = handshake(); !done) return done;
  const std::scoped_lock lock(write_mutex_);
  {
    const std::scoped_lock engine(engine_mutex_);
    if (auto updated = connection_.update_keys(request_peer); !updated) {
      return std::unexpected(plain_error(Operation::write, IoCondition::misuse, name(updated.error())));
    }
  }
  if (auto flushed = flush(Operation::write, from_ticks(write_deadline)); !flushed) {
    return std::unexpected(std::move(flushed.error()));
  }
  return {};
}

IoResult<void> Stream::Implementation::set_max_send_fragment(std::size_t bytes) {
  if (auto done = handshake(); !done) return done;
  const std::scoped_lock lock(write_mutex_);
  const std::scoped_lock engine(engine_mutex_);
  if (auto set = connection_.set_max_send_fragment(bytes); !set)
    return std::unexpected(plain_error(Operation::write, IoCondition::misuse, name(set.error())));
  return {};
}

IoResult<void> Stream::Implementation::renegotiate(std::optional<ClientAuth> client_auth) {
  if (auto done = handshake(); !done) return done;
  const std::scoped_lock lock(write_mutex_);
  {
    const std::scoped_lock engine(engine_mutex_);
    if (auto begun = connection_.renegotiate(now(), client_auth); !begun) {
      return std::unexpected(plain_error(Operation::handshake, IoCondition::misuse, name(begun.error())));
    }
  }
  if (auto flushed = flush(Operation::write, from_ticks(write_deadline)); !flushed) {
    return std::unexpected(std::move(flushed.error()));
  }
  return {};
}

// --- renegotiation ---------------------------------------------------------------------------------------------------

/// Whoever reads makes the handshake. A writer makes it where nobody does; else it waits.
IoResult<void> Stream::Implementation::await_renegotiation(std::unique_lock<std::mutex>& writing, Deadline deadline) {
  // A reader that leaves before it is over says nothing.
  constexpr std::chrono::milliseconds kLook{20};
  while (renegotiating()) {
    if (auto go_on = check(Operation::write, deadline, socket_.canceller()); !go_on)
      return std::unexpected(located(std::move(go_on.error())));
    writing.unlock();  // for the reader, who has to write
    if (std::unique_lock reading(read_mutex_, std::try_to_lock); reading) {
      writing.lock();
      return make_renegotiation(deadline);
    }
    {
      std::unique_lock engine(engine_mutex_);
      processed_.wait_for(engine, kLook);
    }
    writing.lock();
  }
  return {};
}

IoResult<void> Stream::Implementation::make_renegotiation(Deadline deadline) {
  std::vector<std::uint8_t> unread;
  auto result = renegotiation_steps(unread, deadline);
  if (!result && result.error().condition == IoCondition::tls) {
    remember(result.error());
    end_after_failure();
  }
  set_aside(unread);
  if (unread.empty()) return result;
  ahead_ = std::move(unread);
  plaintext_.append(ahead_);
  return result;
}

IoResult<void> Stream::Implementation::renegotiation_steps(std::vector<std::uint8_t>& unread, Deadline deadline) {
  while (renegotiating()) {
    set_aside(unread);
    if (unread.size() > kMaxReadAhead) {
      return std::unexpected(plain_error(Operation::write, IoCondition::misuse,
                                         "the connection is renegotiated; read what the peer has sent before"));
    }
    const auto progress = process(Operation::write);
    if (!progress) return std::unexpected(progress.error());
    const auto flushed = flush(Operation::write, deadline);
    if (!flushed) return std::unexpected(flushed.error());
    if (*progress == Progress::ended)
      return std::unexpected(plain_error(Operation::write, IoCondition::ended, "the peer has ended"));
    if (*progress != Progress::starved || *flushed != 0 || !renegotiating()) continue;
    if (auto received = receive(Operation::write, deadline); !received) return std::unexpected(received.error());
  }
  return {};
}

/// Keeps what was told and not read, so that the engine can go on.
void Stream::Implementation::set_aside(std::vector<std::uint8_t>& unread) {
  for (; segment_ < plaintext_.segments().size(); ++segment_) {
    const MutableBytes segment = plaintext_.segments()[segment_].subspan(std::exchange(offset_, 0));
    unread.insert(unread.end(), segment.begin(), segment.end());
  }
  plaintext_ = {};
  segment_ = 0;
}

// --- ending ----------------------------------------------------------------------------------------------------------

IoResult<void> Stream::Implementation::end_writing(Operation operation, Deadline deadline) {
  if (auto done = handshake(); !done) return done;
  const std::scoped_lock lock(write_mutex_);
  if (auto ok = usable(); !ok) return ok;
  {
    const std::scoped_lock engine(engine_mutex_);
    connection_.close();
  }
  if (auto flushed = flush(operation, deadline); !flushed) return std::unexpected(std::move(flushed.error()));
  return {};
}

IoResult<void> Stream::Implementation::close(Alert why) {
  const std::scoped_lock lock(read_mutex_, write_mutex_);
  if (!socket_) return {};
  IoResult<void> result;
  if (!failure_) {
    if (sent_ != 0 || handshake_done_) {
      why == Alert::close_notify ? connection_.close() : connection_.cancel(why);
      const sockets::Lingering bounds = lingering();
      if (socket_.canceller().canceled()) {
        flush_now();
      } else if (auto flushed = flush(Operation::close, bounds.last()); !flushed) {
        result = std::unexpected(std::move(flushed.error()));
      }
      // A peer that has finished sends nothing more that could be left unread.
      if (result && !peer_ended_) end_orderly(socket_.descriptor(), bounds, socket_.canceller());
    }
    failure_ = plain_error(Operation::close, IoCondition::ended, "the stream is closed");
  }
  (void)socket_.release();  // which closes it
  return result;
}

IoResult<Plain> Stream::Implementation::downgrade() {
  const Deadline otherwise = limit(options_.handshake_timeout);
  const auto either = [&](Deadline own) { return own ? own : otherwise; };
  if (auto closed = end_writing(Operation::downgrade, either(from_ticks(write_deadline))); !closed) {
    return std::unexpected(std::move(closed.error()));
  }
  const std::scoped_lock lock(read_mutex_);
  const auto progress =
      unread_early().empty() ? next(Operation::downgrade, either(from_ticks(read_deadline))) : Progress::plaintext;
  if (!progress) return std::unexpected(progress.error());
  if (*progress == Progress::plaintext) {
    return std::unexpected(plain_error(Operation::downgrade, IoCondition::misuse,
                                       "application data came before close_notify; read to the end, then downgrade"));
  }
  failure_ = plain_error(Operation::downgrade, IoCondition::ended, "the stream was downgraded to plain text");
  const Bytes leftover = inbound_.subspan(begin_, end_ - begin_);
  return Plain{.socket = std::move(socket_), .leftover = {leftover.begin(), leftover.end()}};
}

IoResult<Plain> Stream::Implementation::hand_back() {
  const std::scoped_lock lock(read_mutex_, write_mutex_);
  if (!socket_ || !failure_ || !keeps(*failure_)) {
    return std::unexpected(
        plain_error(Operation::downgrade, IoCondition::misuse,
                    "no handshake has failed because the peer speaks no TLS, with Options::keep_strangers"));
  }
  const Bytes said = inbound_.subspan(begin_, end_ - begin_);
  return Plain{.socket = std::move(socket_), .leftover = {said.begin(), said.end()}};
}

// --- failures --------------------------------------------------------------------------------------------------------

/// Whether there was no failure that lasts.
IoResult<void> Stream::Implementation::usable() {
  const std::scoped_lock lock(engine_mutex_);
  if (failure_) return std::unexpected(*failure_);
  return {};
}

IoError Stream::Implementation::tls_error(Operation operation, const Error& error) const {
  return {.operation = operation,
          .condition = IoCondition::tls,
          .tls = error,
          .text = std::string(name(operation)) + peer_text() + ": " + to_text(error, answers_)};
}

/// The same error with a text that says who the peer is.
IoError Stream::Implementation::located(IoError error) const {
  error.text.insert(name(error.operation).size(), peer_text());
  return error;
}

/// " with example.com (192.0.2.1:443)", as far as it is known.
std::string Stream::Implementation::peer_text() const {
  std::string address = lockstep::peer_address(socket_.descriptor()).text();
  if (connection_.role() == Role::client && !server_name_.empty()) {
    address = address.empty() ? server_name_ : server_name_ + " (" + address + ")";
  }
  return address.empty() ? address : " with " + address;
}

void Stream::Implementation::remember(const IoError& error) {
  const std::scoped_lock lock(engine_mutex_);
  key_log_.failed();
  if (!failure_) failure_ = error;
}

/// Lets the peer read our alert, if it has not ended the connection itself.
void Stream::Implementation::end_after_failure() {
  flush_now();
  const bool ended_by_peer = connection_.error() != nullptr && connection_.error()->origin == Origin::peer;
  const bool tls_failure = failure_ && failure_->condition == IoCondition::tls;
  const bool listens = tls_failure && !ended_by_peer;
  end_orderly(socket_.descriptor(), listens ? lingering() : sockets::Lingering({}, {}, {}), socket_.canceller());
}

sockets::Lingering Stream::Implementation::lingering() const noexcept {
  const auto now = Clock::now();
  // A peer that let a write meet its deadline has had its time.
  const Deadline deadline = from_ticks(write_deadline);
  const bool late = out_begin_ < out_end_ && deadline && *deadline <= now;
  return {now, options_.linger, late ? std::min(options_.linger, options_.linger_most) : options_.linger_most};
}

/// A peer that refuses us sends an alert and closes; what we send meanwhile meets a reset. The alert says more.
IoError Stream::Implementation::explain_send_error(IoError error) {
  if (error.condition != IoCondition::system) return error;
  if (begin_ == end_) begin_ = end_ = 0;
  end_ += receive_now(socket_.descriptor(), inbound_.subspan(end_));
  auto progress = process(error.operation);
  if (!progress && progress.error().condition == IoCondition::tls) return std::move(progress.error());
  return error;
}

IoError Stream::Implementation::explain_as_writer(IoError error) {
  if (error.condition != IoCondition::system) return error;
  if (const std::unique_lock reading(read_mutex_, std::try_to_lock); reading) {
    error = explain_send_error(std::move(error));
  }
  remember(error);
  return error;
}

// --- the public face -------------------------------------------------------------------------------------------------

Stream::Stream(std::unique_ptr<Implementation> implementation) noexcept : implementation_(std::move(implementation)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

void Stream::ends_dialling(Deadline whole) noexcept { implementation_->dialed_until_ = whole; }
IoResult<void> Stream::handshake() { return implementation_->handshake(); }
IoResult<std::size_t> Stream::write_early(Bytes bytes) { return implementation_->write_early(bytes); }
IoResult<Bytes> Stream::read_early_view() { return implementation_->read_early_view(); }
IoResult<std::size_t> Stream::read(MutableBytes out) { return implementation_->read(out); }
IoResult<void> Stream::read_exactly(MutableBytes out) { return implementation_->read_exactly(out); }
IoResult<Plain> Stream::hand_back() { return implementation_->hand_back(); }
IoResult<Bytes> Stream::read_view() { return implementation_->read_view(); }
IoResult<std::size_t> Stream::write(Bytes bytes) { return implementation_->writev({&bytes, 1}); }
IoResult<std::size_t> Stream::writev(std::span<const Bytes> pieces) { return implementation_->writev(pieces); }
void Stream::set_read_deadline(Deadline deadline) noexcept { implementation_->read_deadline = to_ticks(deadline); }
void Stream::set_write_deadline(Deadline deadline) noexcept { implementation_->write_deadline = to_ticks(deadline); }
void Stream::attach(std::shared_ptr<void> attachment) noexcept {
  const std::scoped_lock lock(implementation_->engine_mutex_);
  implementation_->connection_.attach(std::move(attachment));
}
void Stream::cancel() const noexcept { implementation_->socket_.canceller().cancel(); }
IoResult<void> Stream::close_write() { return implementation_->close_write(); }
IoResult<void> Stream::close(Alert why) { return implementation_->close(why); }
IoResult<Plain> Stream::downgrade() { return implementation_->downgrade(); }
IoResult<void> Stream::renegotiate(std::optional<ClientAuth> client_auth) {
  return implementation_->renegotiate(client_auth);
}

IoResult<void> Stream::update_keys(bool request_peer) { return implementation_->update_keys(request_peer); }
IoResult<void> Stream::set_max_send_fragment(std::size_t bytes) {
  return implementation_->set_max_send_fragment(bytes);
}
std::vector<Session> Stream::sessions() { return implementation_->sessions(); }
const Connection& Stream::connection() const noexcept { return implementation_->connection_; }
const Answers& Stream::answers() const noexcept { return implementation_->answers_; }
const std::string& Stream::server_name() const noexcept { return implementation_->server_name_; }
Address Stream::local_address() const { return lockstep::local_address(descriptor()); }
Address Stream::peer_address() const { return lockstep::peer_address(descriptor()); }
int Stream::descriptor() const noexcept { return implementation_->socket_.descriptor(); }
std::uint64_t Stream::bytes_received() const noexcept { return implementation_->received_; }
std::uint64_t Stream::bytes_sent() const noexcept { return implementation_->sent_; }

namespace {

/// Whom to expect: the host, unless it is stated.
IoResult<void> expect_host(std::string_view host, Target& target) {
  if (target.name) return {};
  auto name = x509::PeerName::parse(sockets::without_zone(host));
  if (!name) {
    const std::string why(x509::explanation(name.error()));
    return std::unexpected(
        plain_error(Operation::connect, IoCondition::misuse,
                    "\"" + std::string(host) + "\": " + why + "; state whom to expect in Target::name"));
  }
  target.name = std::move(*name);
  return {};
}

Canceller canceller_of(const Options& options) { return options.canceller ? *options.canceller : Canceller(); }

}  // namespace

IoResult<Stream> dial(std::string_view host, std::uint16_t port, const Options& options, Target target) {
  if (auto expected = expect_host(host, target); !expected) return std::unexpected(std::move(expected.error()));
  const Deadline whole = limit(options.dial_timeout);
  auto socket = Socket::connect(host, port, earlier(limit(options.connect_timeout), whole), canceller_of(options),
                                options.resolve, options.socket_options);
  if (!socket) return std::unexpected(std::move(socket.error()));
  auto stream = wrap(std::move(*socket), options, std::move(target));
  if (stream) stream->ends_dialling(whole);
  return stream;
}

IoResult<Stream> dial(const Address& address, const Options& options, Target target) {
  if (auto expected = expect_host(address.host, target); !expected) return std::unexpected(std::move(expected.error()));
  const Deadline whole = limit(options.dial_timeout);
  auto socket = Socket::connect(address, earlier(limit(options.connect_timeout), whole), canceller_of(options),
                                options.socket_options);
  if (!socket) return std::unexpected(std::move(socket.error()));
  auto stream = wrap(std::move(*socket), options, std::move(target));
  if (stream) stream->ends_dialling(whole);
  return stream;
}

IoResult<Stream> wrap(Socket socket, const Options& options, Target target) {
  const auto misuse = [](std::string_view text) {
    return std::unexpected(plain_error(Operation::handshake, IoCondition::misuse, text));
  };
  if (options.config == nullptr) return misuse("Options::config is missing");
  if (options.config->role() == Role::client && !target.name) {
    return misuse("a client must state whom it expects, in Target::name");
  }
  if (target.already_read.size() > std::max(options.buffer_size, Connection::kMaxRecord)) {
    return misuse("Target::already_read is larger than Options::buffer_size");
  }
  std::shared_ptr<const AnswerSetup> setup = options.answers;
  if (setup == nullptr) {  // trusts nobody and shows nothing; `intercept` may
    auto empty = AnswerSetup::create({.provider = options.config->provider()});
    if (!empty) return misuse("Options::answers is missing");
    setup = std::move(*empty);
  }
  return Stream(std::make_unique<Stream::Implementation>(std::move(socket), options, std::move(setup), target));
}

}  // namespace lockstep::blocking
