#include "handshake/pending.hpp"

namespace lockstep {
namespace detail {

void release(TokenControl* control) noexcept {
  if (control->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete control;
}

void drop(TokenControl* control, std::uint32_t serial) noexcept {
  control->dropped.fetch_or(std::uint32_t{1} << serial % 32, std::memory_order_release);
  if (control->waker != nullptr) control->waker->wake();
  release(control);
}

}  // namespace detail

namespace handshake {

std::optional<std::uint32_t> Pending::take_slot(Scope scope) noexcept {
  if (control_ == nullptr) {
    control_ = new (std::nothrow) detail::TokenControl;
    if (control_ == nullptr) return std::nullopt;
    control_->waker = waker_;
  }
  for (std::size_t tried = 0; tried < kSlots; ++tried) {
    if (++last_serial_ == 0) ++last_serial_;
    if (slot(last_serial_).serial != 0) continue;
    slot(last_serial_) = {last_serial_, scope};
    return last_serial_;
  }
  return std::nullopt;
}

std::optional<Scope> Pending::take_dropped() noexcept {
  if (control_ == nullptr) return std::nullopt;
  const std::uint32_t dropped = control_->dropped.load(std::memory_order_acquire);
  if (dropped == 0) return std::nullopt;
  for (Slot& slot : slots_) {
    const std::uint32_t bit = std::uint32_t{1} << slot.serial % 32;
    if (slot.serial == 0 || (dropped & bit) == 0) continue;
    control_->dropped.fetch_and(~bit, std::memory_order_acq_rel);
    slot.serial = 0;
    return slot.scope;
  }
  return std::nullopt;
}

}  // namespace handshake
}  // namespace lockstep
