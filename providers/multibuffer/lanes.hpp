#pragma once
// Eight operations at once: what all files here share.

#include <array>
#include <span>

#include <crypto_mb/defs.h>
#include <crypto_mb/status.h>

#include <lockstep/provider.hpp>

namespace lockstep::multibuffer {

inline constexpr std::string_view kImplementation = "multibuffer";

inline constexpr std::size_t kLanes = 8;
/// One pointer for each lane; null where a lane does nothing. crypto_mb skips a lane with any null.
template <class T>
using Lanes = std::array<T*, kLanes>;

[[nodiscard]] inline bool is_done(mbx_status status, std::size_t lane) noexcept {
  return MBX_GET_STS(status, static_cast<int>(lane)) == MBX_STATUS_OK;
}

/// Full lanes `together`, then what is left over: `together` if there are `least` of them, which is from when that
/// costs less than to do each `alone`.
template <class Job>
void in_lanes(std::span<Job> jobs, std::size_t least, auto together, auto alone) noexcept {
  for (; jobs.size() >= least; jobs = jobs.subspan(std::min(jobs.size(), kLanes)))
    together(jobs.first(std::min(jobs.size(), kLanes)));
  for (Job& job : jobs) alone(job);
}

/// Wipes, at its end, the stack on which crypto_mb worked and the vector registers in which it did: it clears what it
/// knows to be secret, and not all of what it makes of that.
class Forgotten {
 public:
  Forgotten() noexcept = default;
  Forgotten(const Forgotten&) = delete;
  Forgotten& operator=(const Forgotten&) = delete;
  ~Forgotten() { forget(); }

 private:
  static void forget() noexcept;
};

/// The libcrypto provider, which does what comes alone.
[[nodiscard]] const Provider& singles() noexcept;

/// The digest of the parts, one after the other. False when the library failed.
[[nodiscard]] bool digest(const Hash& hash, std::span<const Bytes> parts, MutableBytes out) noexcept;

// --- large numbers ---------------------------------------------------------------------------------------------------

/// A number as crypto_mb takes it: the least 64 bits first. `out` may have more of them than the number has.
void to_limbs(Bytes number, std::span<int64u> out) noexcept;
/// And back, big-endian.
void from_limbs(std::span<const int64u> limbs, MutableBytes number) noexcept;

/// Whether a < b, of big-endian numbers of equal length, in time that depends on that alone.
[[nodiscard]] bool is_less(Bytes a, Bytes b) noexcept;
[[nodiscard]] bool is_zero(Bytes number) noexcept;

/// Wipes numbers when it ends.
template <std::size_t size>
struct SecretLimbs : std::array<int64u, size> {
  SecretLimbs() noexcept : std::array<int64u, size>{} {}
  SecretLimbs(const SecretLimbs&) = delete;
  SecretLimbs& operator=(const SecretLimbs&) = delete;
  ~SecretLimbs() { wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(this->data()), size * sizeof(int64u))); }
};

}  // namespace lockstep::multibuffer
