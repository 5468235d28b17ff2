#pragma once
// The provider that a program of this suite is about, and what its tests share. Each program links every test with one
// definition of `subject`. What a provider does not list is skipped; what it must list, its own file asserts.

#include <string_view>
#include <vector>

#include <lockstep/capabilities.hpp>
#include <lockstep/provider.hpp>

namespace lockstep::tests {

const Provider& subject();

/// A RandomSource of the system, for what needs no fixed bytes.
RandomSource& system_random();

/// What the tests have to know of it beside its lists. As most are, unless its own file says otherwise.
struct Traits {
  bool real = true;                  ///< the algorithms are those of their standards, so that published vectors hold
  bool lean = true;                  ///< nothing is allocated per record; a shadow does
  bool fips_module = false;          ///< it lacks what is not approved, and draws by itself, not from a RandomSource
  bool deterministic_ecdsa = false;  ///< it draws nothing (RFC 6979), so that published signatures can be compared
  bool injectable_keys = true;       ///< private keys of groups are what the random source yields first
  NamedGroup not_injectable{};       ///< but for this one
};
extern const Traits traits;
/// Of those that have libcrypto's curves: OpenSSL draws a bit more than the order of brainpoolP384r1 has, which begins
/// with 100, and throws away what is too large.
inline constexpr Traits kTraitsOfLibcrypto{.not_injectable = NamedGroup::brainpoolP384r1tls13};

/// Whether vectors with private keys can be replayed.
inline bool private_keys_are_random_bytes(NamedGroup group) {
  return traits.injectable_keys && group != traits.not_injectable;
}

/// What a verifier says of a signature, by a key that was prepared as well, where it has that: both must agree.
VerifyResult verify_both_ways(const SignatureVerifier& verifier, Bytes info, Bytes message, Bytes signature);

using Buffer = std::vector<std::uint8_t>;

/// Bytes from hexadecimal digits; spaces are skipped.
Buffer hex(std::string_view digits);

/// Deterministic, endless; equal seeds yield equal bytes.
class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  [[nodiscard]] bool fill(MutableBytes out) noexcept override {
    for (std::uint8_t& byte : out) {
      // SplitMix64.
      state_ += 0x9e3779b97f4a7c15U;
      std::uint64_t mixed = state_;
      mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
      mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
      byte = static_cast<std::uint8_t>(mixed >> 56U);
    }
    return true;
  }

 private:
  std::uint64_t state_;
};

/// Yields the given bytes once, then fails.
class ScriptedRandom final : public RandomSource {
 public:
  explicit ScriptedRandom(Bytes script) : rest_(script) {}
  [[nodiscard]] bool fill(MutableBytes out) noexcept override {
    if (out.size() > rest_.size()) return false;
    std::ranges::copy(rest_.first(out.size()), out.begin());
    rest_ = rest_.subspan(out.size());
    return true;
  }

 private:
  Bytes rest_;
};

/// Yields the given bytes, then others: what a library draws beside a private key hides how it works with it.
class KeyThenSeeded final : public RandomSource {
 public:
  explicit KeyThenSeeded(Bytes key) : rest_(key) {}
  [[nodiscard]] bool fill(MutableBytes out) noexcept override {
    const Bytes now = rest_.first(std::min(out.size(), rest_.size()));
    std::ranges::copy(now, out.begin());
    rest_ = rest_.subspan(now.size());
    return seeded_.fill(out.subspan(now.size()));
  }

 private:
  Bytes rest_;
  SeededRandom seeded_{1};
};

/// Storage for any context, of the size and alignment that descriptors may count on.
template <std::size_t size>
struct alignas(64) Storage {
  std::array<std::uint8_t, size> bytes{};
  void* get() noexcept { return bytes.data(); }
};

/// Expects that the provider under test has exactly what the table says.
void expect_exactly(const Capabilities& table);

/// Calls of the allocator by this thread since the program began; -1 where they cannot be counted (under a sanitizer).
long allocations();

}  // namespace lockstep::tests
