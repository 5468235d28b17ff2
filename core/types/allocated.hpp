#pragma once
// Memory that runs out. Containers say so with an exception; here, and nowhere else in the engine, that becomes a
// value (docs/adr/0007-out-of-memory.md).

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

namespace lockstep {

/// What `work` gives; nothing when memory ran out meanwhile. Where `work` gives nothing itself: whether it came to its
/// end. It throws for no other reason.
///
///     const auto copy = allocated([&] { return session.clone(); });
///     if (!copy) return context.fail(Reason::memory);
template <std::invocable Work>
[[nodiscard]] auto allocated(Work&& work) noexcept {
  using Result = std::invoke_result_t<Work>;
  const auto run = [&] {
    if constexpr (std::is_void_v<Result>) {
      std::forward<Work>(work)();
      return true;
    } else {
      return std::optional<Result>(std::forward<Work>(work)());
    }
  };
#ifdef __cpp_exceptions
  try {
    return run();
  } catch (...) {  // std::bad_alloc, or std::length_error for what is larger than all memory
    return decltype(run()){};
  }
#else
  return run();
#endif
}

}  // namespace lockstep
