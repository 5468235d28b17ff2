#pragma once
// The fastest of the providers that this build has, algorithm by algorithm: each does what a table says that it does in
// the least time (providers/best/ranking.hpp), which `lockstep bench --ranking` measures and writes.
//
//     lockstep::Provider provider = lockstep::best::provider();
//     lockstep::RandomSource& random = lockstep::best::system_random();
//
// It lists one descriptor for each algorithm that any of them has. What several jobs in one call cost least with is
// crypto_mb's, where that was built and runs; what comes alone is done by whoever is fastest alone. With one provider
// built it is that one.
//
// Which has an algorithm depends on the build: where results must be the same everywhere, name a provider instead.

#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>

namespace lockstep::best {

/// The descriptors; they live as long as the program.
[[nodiscard]] LOCKSTEP_API Provider provider();

/// The operating system's randomness, by way of one of the libraries. May be shared by all threads; lives as long as
/// the program.
[[nodiscard]] LOCKSTEP_API RandomSource& system_random() noexcept;

}  // namespace lockstep::best
