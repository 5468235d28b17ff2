#pragma once
// The caller's random source as Botan wants to see it.

#include <stdexcept>

#include <botan/rng.h>

#include <lockstep/provider.hpp>

namespace lockstep::botan {

/// Thrown into Botan when the source fails; caught where the provider's functions end.
struct RandomFailed : std::runtime_error {
  RandomFailed() : std::runtime_error("the random source failed") {}
};

/// Yields exactly what the source yields. Lives on the stack of one operation.
class SourceRng final : public Botan::RandomNumberGenerator {
 public:
  explicit SourceRng(RandomSource& source) noexcept : source_(source) {}

  bool accepts_input() const override { return false; }
  bool is_seeded() const override { return true; }
  std::string name() const override { return "RandomSource"; }
  void clear() override {}

 private:
  void fill_bytes_with_input(std::span<std::uint8_t> out, std::span<const std::uint8_t>) override {
    if (!out.empty() && !source_.fill(out)) throw RandomFailed();
  }

  RandomSource& source_;
};

}  // namespace lockstep::botan
