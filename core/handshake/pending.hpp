#pragma once
// The questions that are out, and the tokens that bring their answers back.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include <lockstep/event.hpp>

namespace lockstep {

/// Makes and reads tokens, for the engine only.
struct TokenAccess {
  template <class Operation>
  static Token<Operation> make(detail::TokenControl* control, std::uint32_t serial) noexcept {
    return Token<Operation>(control, serial);
  }
  /// Its number among those of `control`; 0 when it is spent or of another handshake.
  template <class Operation>
  static std::uint32_t number(const Token<Operation>& token, const detail::TokenControl* control) noexcept {
    return token.control_ != nullptr && token.control_ == control ? token.serial_ : 0;
  }
  template <class Operation>
  static std::uint32_t number(const Token<Operation>& token) noexcept {
    return token.serial_;
  }
  template <class Operation>
  static const detail::TokenControl* control(const Token<Operation>& token) noexcept {
    return token.control_;
  }
  /// Ends a token without counting it as dropped.
  template <class Operation>
  static void redeem(Token<Operation>& token) noexcept {
    detail::release(std::exchange(token.control_, nullptr));
  }
};

/// What is inside of a job, for the engine only.
struct ComputationAccess {
  static detail::Work* work(const ComputationJob& job) noexcept { return job.work_.get(); }
  /// Notes which question it is of.
  static void bind(ComputationJob& job, const Token<Compute>& token) noexcept;
  static bool belongs(const ComputationJob& job, const Token<Compute>& token) noexcept;
};

}  // namespace lockstep

namespace lockstep::handshake {

/// What a question holds up until it is answered.
enum class Scope : std::uint8_t {
  reading,     ///< nothing more is read: what comes next depends on the answer
  background,  ///< nothing: the connection goes on meanwhile
};

/// Several questions may be out, each with a token of its own serial number. The number says which slot is taken, so
/// that a token that is dropped, in whatever thread, marks its slot and no other.
class Pending {
 public:
  Pending() noexcept = default;
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
  ~Pending() {
    if (control_ != nullptr) detail::release(control_);
  }

  /// Where a dropped token is reported from its own thread; before the first token is out of the engine's hands. A
  /// question may be there by then: a client's about the session that it offers.
  void wake_by(std::shared_ptr<TokenWaker> waker) noexcept {
    waker_ = std::move(waker);
    if (control_ != nullptr) control_->waker = waker_;
  }

  /// A token for one more question; an empty one when there is no memory, or no slot.
  template <class Operation>
  [[nodiscard]] Token<Operation> add(Scope scope) noexcept {
    const std::optional<std::uint32_t> serial = take_slot(scope);
    return serial ? TokenAccess::make<Operation>(control_, *serial) : Token<Operation>();
  }
  /// Whether this token's answer is due.
  template <class Operation>
  [[nodiscard]] bool awaits(const Token<Operation>& token) const noexcept {
    const std::uint32_t serial = number_of(token);
    return serial != 0 && slot(serial).serial == serial;
  }
  /// The answer has come.
  template <class Operation>
  void redeem(Token<Operation>& token) noexcept {
    slot(TokenAccess::number(token)).serial = 0;
    TokenAccess::redeem(token);
  }
  /// Whether any answer is due.
  [[nodiscard]] bool any() const noexcept {
    return std::ranges::any_of(slots_, [](const Slot& slot) { return slot.serial != 0; });
  }
  /// Whether an answer is due without which nothing is read.
  [[nodiscard]] bool blocks_reading() const noexcept {
    return std::ranges::any_of(slots_,
                               [](const Slot& slot) { return slot.serial != 0 && slot.scope == Scope::reading; });
  }
  /// Whether there is one whose token was dropped.
  [[nodiscard]] bool has_dropped() const noexcept {
    return control_ != nullptr && control_->dropped.load(std::memory_order_acquire) != 0;
  }
  /// The scope of a question whose token was dropped, once for each: it will not be answered.
  [[nodiscard]] std::optional<Scope> take_dropped() noexcept;
  /// For the tape: the number of a token of ours, 0 for any other.
  template <class Operation>
  [[nodiscard]] std::uint32_t number_of(const Token<Operation>& token) const noexcept {
    return TokenAccess::number(token, control_);
  }

 private:
  struct Slot {
    std::uint32_t serial = 0;  // 0: free
    Scope scope{};
  };
  // A server's credential and a ticket, and what later versions ask beside them. At most as many as TokenControl has
  // bits for.
  static constexpr std::size_t kSlots = 4;

  [[nodiscard]] std::optional<std::uint32_t> take_slot(Scope scope) noexcept;
  [[nodiscard]] Slot& slot(std::uint32_t serial) noexcept { return slots_[serial % kSlots]; }
  [[nodiscard]] const Slot& slot(std::uint32_t serial) const noexcept { return slots_[serial % kSlots]; }

  detail::TokenControl* control_ = nullptr;
  std::shared_ptr<TokenWaker> waker_;
  std::uint32_t last_serial_ = 0;
  std::array<Slot, kSlots> slots_{};
};

}  // namespace lockstep::handshake
