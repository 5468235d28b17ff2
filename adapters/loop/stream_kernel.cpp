// Record protection in the kernel: the engine hands out its keys, application data goes through as it is, and what the
// engine says itself goes under its record type.

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "common/kernel_tls.hpp"
#include "common/sockets.hpp"
#include "loop/loop_core.hpp"
#include "loop/stream_core.hpp"

namespace lockstep::loop {

bool StreamCore::kernel_sends() const noexcept {
  return secure_ != nullptr && secure_->kernel != nullptr && secure_->kernel->sending;
}
bool StreamCore::kernel_receives() const noexcept {
  return secure_ != nullptr && secure_->kernel != nullptr && secure_->kernel->receiving;
}
kernel_tls::Control& StreamCore::record_control() noexcept { return secure_->kernel->control; }
/// A KeyUpdate has been written and not sent, so that nothing may follow it yet.
bool StreamCore::keys_wait() const noexcept { return kernel_sends() && secure_->kernel->waiting.has_value(); }

/// Once, when the handshake is complete and nothing is on its way that the engine has protected or has yet to open.
void StreamCore::enter_kernel_tls() {
  Connection& connection = secure_->connection;
  if (!options_->kernel_tls || secure_->kernel != nullptr || !active()) return;
  if (!connection.connected() || connection.awaiting_answer() || connection.transmit_pending() || has_output() ||
      in_ != nullptr || inbound_ != Inbound::open || outbound_ != Outbound::open || transport_end_) {
    return;
  }
  secure_->kernel = std::make_unique<Kernel>();
  if (auto enabled = kernel_tls::enable(socket()); !enabled) {
    secure_->kernel->why_not = std::move(enabled.error().text);
    return;
  }
  // It makes records as large as they may be, and knows of no smaller limit.
  constexpr std::size_t kLargestFragment = 16384;
  if (connection.max_fragment() == kLargestFragment && connection.offload(Direction::send))
    secure_->kernel->sending = true;
  if (loop_->backend().receives_records() && connection.offload(Direction::receive)) secure_->kernel->receiving = true;
  for (;;) {
    Event event = connection.receive({}, engine_time()).event;
    auto* keys = std::get_if<TrafficKeys>(&event);
    if (keys == nullptr) break;
    take_keys(std::move(*keys));
    if (!is_open()) return;
  }
}

/// New keys to send with are for what comes behind the KeyUpdate that is on its way.
void StreamCore::take_keys(TrafficKeys keys) {
  if (keys.direction == Direction::send && has_output()) {
    secure_->kernel->waiting = std::move(keys);
    return;
  }
  if (auto installed = kernel_tls::install(socket(), keys); !installed) fail(located(std::move(installed.error())));
}

void StreamCore::install_waiting_keys() {
  if (!keys_wait() || has_output()) return;
  const TrafficKeys keys = std::move(*secure_->kernel->waiting);
  secure_->kernel->waiting.reset();
  take_keys(keys);
  continue_later();
}

/// What the engine says itself: records that are not protected, of which the kernel gets content and type.
bool StreamCore::queue_kernel_records() {
  bool any = false;
  std::array<std::uint8_t, 512> buffer;
  while (secure_->connection.transmit_pending() && !keys_wait()) {
    const std::size_t size = secure_->connection.transmit(buffer, engine_time());
    if (size == 0) break;
    for (Bytes records = Bytes(buffer).first(size); !records.empty();) {
      const std::size_t length = records.size() < Connection::kRecordHeader
                                     ? SIZE_MAX
                                     : static_cast<std::size_t>(records[3] << 8U | records[4]);
      // The engine writes whole records once its keys are elsewhere.
      if (length > records.size() - std::min<std::size_t>(records.size(), Connection::kRecordHeader)) {
        fail(located(IoError{.operation = Operation::write, .condition = IoCondition::misuse}));
        return false;
      }
      Block* block = tail_with(length, records[0]);
      if (block == nullptr) {
        out_of_memory(Operation::write);
        return false;
      }
      std::ranges::copy(records.subspan(Connection::kRecordHeader, length), block->space().begin());
      block->end += static_cast<std::uint32_t>(length);
      out_pending_ += length;
      records = records.subspan(Connection::kRecordHeader + length);
    }
    any = true;
    // A KeyUpdate's keys are due at once.
    Event event = secure_->connection.receive({}, engine_time()).event;
    if (auto* keys = std::get_if<TrafficKeys>(&event)) take_keys(std::move(*keys));
    if (ended()) return false;
    if (std::holds_alternative<Failed>(event)) break;
  }
  if (any) mark_dirty();
  return any;
}

}  // namespace lockstep::loop
