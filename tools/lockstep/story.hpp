#pragma once
// A tape told as rows of a ladder: what passed between the two ends, in order, and beside it what our side did.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/replay.hpp>
#include <lockstep/trace.hpp>

namespace lockstep::tool {

/// A remark beside our lifeline.
struct Aside {
  enum class Kind : std::uint8_t { state, keys, question, call };
  Kind kind{};
  std::string text;
  trace::Protection protection{};  ///< of `keys`
  trace::TokenNumber token = 0;    ///< of a question that is still open
};

struct LadderRow {
  enum class Kind : std::uint8_t {
    message,
    change_cipher_spec,
    closure,
    alert,
    data,
    success,
    failure,
    remark,
    pause,
    aside
  };
  Kind kind{};
  Direction direction{};           ///< of what passes
  trace::Protection protection{};  ///< by which keys
  std::string label;
  std::string detail;
  std::vector<Aside> asides{};
  std::int64_t time = 0;    ///< milliseconds since the first
  std::uint64_t bytes = 0;  ///< of `data`
  std::uint64_t calls = 0;  ///< that `data` came in

  [[nodiscard]] bool passes() const noexcept { return kind <= Kind::data; }
};

struct Story {
  Role role{};
  bool redacted = false;
  std::string title;
  std::vector<std::string> facts;  ///< lines under the title
  std::vector<LadderRow> rows;
};

/// At most so many rows are told; the last then says that there are more.
inline constexpr std::size_t kMostRows = 400;

[[nodiscard]] Story tell_story(Bytes tape, std::uint64_t until);

}  // namespace lockstep::tool
