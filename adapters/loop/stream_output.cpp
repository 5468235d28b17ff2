// Bytes to the peer: sealed into blocks when they are written, given to the backend in the loop's turn.

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "common/sockets.hpp"
#include "loop/loop_core.hpp"
#include "loop/stream_core.hpp"

namespace lockstep::loop {

using sockets::plain_error;
using sockets::system_error;

namespace {

/// How long a server's tickets wait for what they can be sent with.
constexpr std::chrono::milliseconds kTicketsWait{40};

/// How far a writer has come in its pieces.
class Pieces {
 public:
  explicit Pieces(std::span<const Bytes> pieces) noexcept : pieces_(pieces) {}

  /// What comes next, as many pieces as one call of the engine takes.
  [[nodiscard]] std::span<const Bytes> next() noexcept {
    std::size_t count = 0;
    for (std::size_t i = piece_, skip = taken_; i < pieces_.size() && count < batch_.size(); ++i, skip = 0) {
      if (pieces_[i].size() > skip) batch_[count++] = pieces_[i].subspan(skip);
    }
    return std::span(batch_).first(count);
  }
  void advance(std::size_t size) noexcept {
    while (piece_ < pieces_.size()) {
      const std::size_t rest = pieces_[piece_].size() - taken_;
      if (size < rest) {
        taken_ += size;
        return;
      }
      size -= rest;
      ++piece_;
      taken_ = 0;
    }
  }

 private:
  std::span<const Bytes> pieces_;
  std::size_t piece_ = 0;
  std::size_t taken_ = 0;  // of that piece
  std::array<Bytes, ApplicationData::kMaxSegments> batch_;
};

std::size_t total_size(std::span<const Bytes> pieces) {
  std::size_t size = 0;
  for (const Bytes piece : pieces) size += piece.size();
  return size;
}

}  // namespace

// --- filling ---------------------------------------------------------------------------------------------------------

IoResult<std::size_t> StreamCore::writev_now(std::span<const Bytes> pieces) {
  if (connecting() || std::holds_alternative<Unopened>(phase_)) {
    writer_waits_ = true;
    return 0;
  }
  if (!is_open() || outbound_ != Outbound::open) {
    return std::unexpected(plain_error(Operation::write, IoCondition::ended, "the stream was closed for writing"));
  }
  if (layer_ == Layer::expected && options_->config->role() == Role::client) begin_tls();
  if (!is_open() || (secure_ != nullptr && secure_->connection.error() != nullptr)) {
    return std::unexpected(plain_error(Operation::write, IoCondition::ended, "the handshake has failed"));
  }
  if (!takes_data()) {
    writer_waits_ = true;
    mark_dirty();  // its deadline counts from here
    return 0;
  }

  const std::size_t high = write_bounds().high;
  Pieces left(pieces);
  std::size_t total = 0;
  const auto stop = [&](IoError error) {
    traffic_.plaintext_sent += total;
    error.transferred = total;
    return std::unexpected(std::move(error));
  };
  for (;;) {
    const auto batch = left.next();
    if (batch.empty()) break;
    if (out_pending_ >= high || keys_wait()) {
      writer_waits_ = true;
      break;
    }
    Block* block = tail_with(std::min<std::size_t>(total_size(batch) + 256, Connection::kMaxRecord));
    if (block == nullptr) {
      out_of_memory(Operation::write);
      return stop(system_error(Operation::write, ENOMEM));
    }
    std::size_t consumed = 0;
    std::size_t written = 0;
    if (secure_ != nullptr && !kernel_sends()) {
      const auto sealed = secure_->connection.seal(batch, block->space(), engine_time());
      if (!sealed) return stop(plain_error(Operation::write, IoCondition::ended, name(sealed.error())));
      consumed = sealed->consumed;
      written = sealed->written;
    } else {
      const Bytes bytes = batch.front().first(std::min(batch.front().size(), block->space().size()));
      std::ranges::copy(bytes, block->space().begin());
      consumed = written = bytes.size();
    }
    if (written == 0) {  // a false start has used up its key: the rest is for the end of the handshake
      writer_waits_ = true;
      break;
    }
    block->end += static_cast<std::uint32_t>(written);
    out_pending_ += written;
    total += consumed;
    left.advance(consumed);
  }
  traffic_.plaintext_sent += total;
  if (total != 0) release_output();
  if (has_output()) mark_dirty();
  return total;
}

/// Behind the ClientHello, which goes first.
IoResult<std::size_t> StreamCore::write_early(Bytes bytes) {
  if (connecting() || std::holds_alternative<Unopened>(phase_)) return 0;
  if (!is_open() || outbound_ != Outbound::open)
    return std::unexpected(plain_error(Operation::write, IoCondition::ended, "the stream was closed for writing"));
  if (layer_ == Layer::expected && options_->config->role() == Role::client) begin_tls();
  if (!is_open() || (secure_ != nullptr && secure_->connection.error() != nullptr))
    return std::unexpected(plain_error(Operation::write, IoCondition::ended, "the handshake has failed"));
  std::size_t total = 0;
  while (secure_ != nullptr && total < bytes.size() && secure_->connection.early_data_left() != 0 &&
         out_pending_ < write_bounds().high) {
    const Bytes rest = bytes.subspan(total);
    Block* block = tail_with(std::min<std::size_t>(rest.size() + 256, Connection::kMaxRecord));
    if (block == nullptr) {
      out_of_memory(Operation::write);
      return std::unexpected(system_error(Operation::write, ENOMEM));
    }
    const auto sealed = secure_->connection.seal_early({&rest, 1}, block->space(), engine_time());
    if (!sealed || sealed->written == 0) break;
    block->end += static_cast<std::uint32_t>(sealed->written);
    out_pending_ += sealed->written;
    total += sealed->consumed;
  }
  traffic_.plaintext_sent += total;
  if (has_output()) mark_dirty();
  return total;
}

/// In plain text; with TLS once the handshake is complete, or as soon as a false start has begun.
bool StreamCore::takes_data() const noexcept {
  if (layer_ == Layer::expected || secure_ == nullptr) return layer_ != Layer::expected;
  const Connection& connection = secure_->connection;
  return (connection.connected() && !connection.renegotiating()) || connection.false_start();
}

/// In a loop that has as much memory as it may, everybody still gets a block, when the one before is gone.
StreamCore::WriteBounds StreamCore::write_bounds() const noexcept {
  if (loop_->pressed()) return {.high = 1, .low = 0};
  return {.high = std::max<std::size_t>(options_->write_high, 1), .low = options_->write_low};
}

Block* StreamCore::tail_with(std::size_t space, std::uint8_t record_type) {
  const bool alone = record_type != 0 || (out_last_ != nullptr && out_last_->record_type != 0);
  if (out_last_ != nullptr && !alone && out_last_->space().size() >= space) return out_last_;
  Block* block = loop_->blocks().take();
  if (block == nullptr) return nullptr;
  block->record_type = record_type;
  if (out_last_ == nullptr) {
    out_first_ = block;
    if (last_progress_ == TimerWheel::kNever) {
      // What the application did before it wrote is not the peer's time.
      last_progress_ = last_activity_ = LoopCore::this_tick();
      taken_ = 0;
    }
  } else {
    out_last_->next = block;
  }
  out_last_ = block;
  return block;
}

/// Queues what the engine has to say itself; whether that was anything.
bool StreamCore::queue_handshake() {
  if (kernel_sends()) return queue_kernel_records();
  bool any = false;
  const bool alone = !has_output();
  Connection& connection = secure_->connection;
  while (connection.transmit_pending()) {
    Block* block = tail_with(512);
    if (block == nullptr) {
      out_of_memory(Operation::write);
      return false;
    }
    const std::size_t size = connection.transmit(block->space(), engine_time());
    if (size == 0) break;
    block->end += static_cast<std::uint32_t>(size);
    out_pending_ += size;
    any = true;
  }
  if (any && alone && may_hold_output()) held_until_ = loop_->now() + LoopCore::ticks_in(kTicketsWait);
  if (any) mark_dirty();
  return any;
}

/// Nobody waits for what a TLS 1.3 server says by itself after the handshake: tickets above all, which then cost no
/// packet of their own.
bool StreamCore::may_hold_output() const noexcept {
  const Connection& connection = secure_->connection;
  return handshake_done() && connection.role() == Role::server && connection.version() == ProtocolVersion::tls_1_3 &&
         connection.error() == nullptr && !options_->kernel_tls;
}

/// The peer's time to take it begins here.
void StreamCore::release_output() noexcept {
  if (held_until_ == TimerWheel::kNever) return;
  held_until_ = TimerWheel::kNever;
  if (has_output()) last_progress_ = LoopCore::this_tick();
}

/// close_notify; during the handshake once that is complete, because before it would mean to give up.
void StreamCore::say_close() {
  outbound_ = handshake_done() ? Outbound::ended : Outbound::ends_with_handshake;
  if (outbound_ != Outbound::ended) return;
  secure_->connection.close();
  queue_handshake();
}

void StreamCore::tell_writable() {
  if (!writer_waits_ || keys_wait() || !active() || out_pending_ > write_bounds().low || outbound_ != Outbound::open)
    return;
  if (!takes_data()) return;
  writer_waits_ = false;
  tell(&Handler::on_writable);
}

// --- emptying --------------------------------------------------------------------------------------------------------

std::size_t StreamCore::output(std::span<iovec> pieces) noexcept {
  std::size_t count = 0;
  for (Block* block = out_first_; block != nullptr && count < pieces.size(); block = block->next) {
    if (count != 0 && (block->record_type != 0 || out_first_->record_type != 0)) break;
    const MutableBytes content = block->content();
    if (!content.empty()) pieces[count++] = {content.data(), content.size()};
  }
  return count;
}

void StreamCore::sent(std::size_t size) {
  if (output_dropped_) {
    drop_output();
    return;
  }
  taken(size);
  traffic_.bytes_sent += size;
  out_pending_ -= size;
  while (out_first_ != nullptr) {
    const std::size_t here = std::min(size, out_first_->content().size());
    out_first_->begin += static_cast<std::uint32_t>(here);
    size -= here;
    if (!out_first_->content().empty()) break;
    Block* next = out_first_->next;
    loop_->blocks().give(std::exchange(out_first_, next));
  }
  if (out_first_ == nullptr) {
    out_last_ = nullptr;
    held_until_ = TimerWheel::kNever;
    if (!writer_waits_ || !is_open()) last_progress_ = TimerWheel::kNever;
  }
  install_waiting_keys();
  if (std::holds_alternative<Closing>(phase_) && out_pending_ == 0 && !leaving()) return finish_output();
  if (!is_open()) return;
  const bool kernel_is_next = options_->kernel_tls && secure_ != nullptr && secure_->kernel == nullptr;
  if ((outbound_ == Outbound::ends_behind_output || kernel_is_next) && out_pending_ == 0) mark_dirty();
  // What was held back in `process_secure` has room now.
  if (secure_ != nullptr && secure_->connection.transmit_pending()) continue_later();
  tell_writable();
  // A writer that was held back goes on where it was: a peer that takes all there is, little by little, is no faster.
  if (out_first_ == nullptr) last_progress_ = TimerWheel::kNever;
  // Met only if the writer, who may have waited for room, has nothing to add.
  if (out_first_ == nullptr && !writer_waits_) write_deadline_ = TimerWheel::kNever;
}

/// Progress is any byte, or as many as `lowest_rate` makes of write_timeout.
void StreamCore::taken(std::size_t size) noexcept {
  if (size == 0) return;
  last_activity_ = std::max(last_activity_, loop_->now());
  taken_ += size;
  const auto window = std::chrono::duration_cast<std::chrono::seconds>(options_->write_timeout).count();
  if (taken_ < options_->lowest_rate * static_cast<std::uint64_t>(std::max<std::int64_t>(window, 1))) return;
  last_progress_ = last_activity_;
  taken_ = 0;
}

/// A peer that refuses us sends an alert and closes; what we send meanwhile meets a reset. The alert says more, so
/// reading goes on to the end.
void StreamCore::send_failed(int error) {
  drop_output();
  if (leaving()) {
    send_error_ = error;
    return;
  }
  if (std::holds_alternative<Closing>(phase_)) return finish();
  if (!is_open()) return;
  const Operation operation = in_handshake() ? Operation::handshake : Operation::write;
  IoError trouble = located(system_error(operation, error));
  if (transport_end_ || secure_ == nullptr) return fail(std::move(trouble));
  if (trouble_ == nullptr) trouble_ = std::make_unique<IoError>(std::move(trouble));
  outbound_ = Outbound::ended;
  paused_ = false;
  // Should nothing come, it ends as closing does.
  deadline_ = std::min(deadline_, loop_->in(std::max(options_->linger, std::chrono::milliseconds(1))));
  mark_dirty();
}

void StreamCore::drop_output() noexcept {
  out_pending_ = 0;
  output_dropped_ = output_pinned;
  if (output_dropped_) return;
  while (out_first_ != nullptr) {
    Block* next = out_first_->next;
    loop_->blocks().give(std::exchange(out_first_, next));
  }
  out_last_ = nullptr;
  last_progress_ = TimerWheel::kNever;
}

}  // namespace lockstep::loop
