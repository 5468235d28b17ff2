#pragma once
// A provider that protects nothing, for tests and fuzzing: every algorithm by name, size and behaviour, none in
// substance. It is deterministic and fast, and both ends of a connection must use it.
//
//     auto config = ConfigBuilder::client(fake::provider()).dangerous().allow_insecure_provider().build();
//
// What a fuzzer meets is what the real thing shows: a changed record does not open, a changed signature is not valid, a
// share of the wrong form is refused, and equal random bytes give equal results. Private keys are those that
// `generate` of its own loader made.

#include <lockstep/capabilities.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>

namespace lockstep::fake {

inline constexpr Capabilities kCapabilities{
    .provider = "fake",
    .aeads = every::kAeads,
    .hashes = every::kHashes,
    .groups = every::kGroups,
    .verifications = every::kVerifications,
    .private_keys = every::kKeys,
    .cbc_ciphers = every::kCbcCiphers,
    .record_macs = every::kRecordMacs,
    .masks = every::kMasks,
    .insecure = true,
};

[[nodiscard]] LOCKSTEP_API Provider provider();

/// Random bytes that follow from a seed.
class LOCKSTEP_API FakeRandom final : public RandomSource {
 public:
  explicit FakeRandom(std::uint64_t seed) noexcept : state_(seed) {}
  [[nodiscard]] bool fill(MutableBytes out) noexcept override;

 private:
  std::uint64_t state_;
};

}  // namespace lockstep::fake
