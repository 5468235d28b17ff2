#pragma once
// Where a handshake's time goes: a provider whose every call is timed.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <lockstep/provider.hpp>

namespace lockstep::bench {

/// Seconds on a clock that only goes forward.
[[nodiscard]] inline double seconds_now() noexcept {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

enum class Part : std::uint8_t {
  public_key,    ///< key exchange, signatures made and verified
  hash,          ///< transcript, HMAC, HKDF
  aead,          ///< keys prepared, records sealed and opened
  random,        ///< random bytes outside of public-key operations
  certificates,  ///< X.509: parsing, path, names; without the signatures
};
inline constexpr std::size_t kParts = 5;
[[nodiscard]] std::string_view name(Part part) noexcept;

/// Seconds and calls since the program began, by part. A call within another is the inner one's.
struct Spent {
  std::array<double, kParts> seconds{};
  std::array<std::uint64_t, kParts> calls{};

  [[nodiscard]] double in(Part part) const noexcept { return seconds[static_cast<std::size_t>(part)]; }
};
[[nodiscard]] Spent& spent() noexcept;

/// Only public-key operations are timed unless this is on: the others are so short that the clock weighs on them.
void time_every_part(bool on) noexcept;

/// Adds the time until it is destroyed to a part, less what was spent in other parts meanwhile.
class Timed {
 public:
  explicit Timed(Part part) noexcept;
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;
  ~Timed();

 private:
  Part part_;
  bool on_;
  double start_ = 0;
};

/// The same provider, timed. One per program.
[[nodiscard]] const Provider& timed(const Provider& provider);
[[nodiscard]] std::shared_ptr<const SigningKey> timed(std::shared_ptr<const SigningKey> key);
/// The same source, timed; `source` must outlive it.
[[nodiscard]] std::unique_ptr<RandomSource> timed(RandomSource& source);

}  // namespace lockstep::bench
