#pragma once
// Public-key operations of providers, one by one and several in one call.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/provider.hpp>

namespace lockstep::bench {

/// One operation, as often as it is called.
struct Operation {
  std::string algorithm;
  std::string what;
  std::function<void()> run;
};

/// The algorithms that are measured.
[[nodiscard]] std::vector<std::string> operation_names();
/// What the provider has of one; nothing where it lacks it.
[[nodiscard]] std::vector<Operation> operations(const Provider& provider, std::string_view algorithm);

/// How many are measured in one call.
inline constexpr std::size_t kBatches[] = {1, 2, 4, 8, 16};
/// The algorithms of which several are measured in one call.
[[nodiscard]] std::vector<std::string> batch_names();
/// The same as `operations`, for one of these algorithms; so many with each call.
[[nodiscard]] std::vector<Operation> batches(const Provider& provider, std::string_view algorithm, std::size_t count);

/// The same by the algorithm itself, one that is not among them too.
[[nodiscard]] std::vector<Operation> operations(const Provider& provider, NamedGroup group);
[[nodiscard]] std::vector<Operation> operations(const Provider& provider, SignatureScheme scheme);

/// Our providers, by the peers' keys.
struct NamedProvider {
  std::string title;
  std::string key;
  Provider provider;
};
[[nodiscard]] std::vector<NamedProvider> lockstep_providers();
/// Those that `best` is composed of, in the order of its parts, without our kernels.
[[nodiscard]] std::vector<NamedProvider> ranked_providers();
/// Their libraries without our kernels, for what both have: ML-KEM.
[[nodiscard]] std::vector<NamedProvider> library_providers();

/// The one that does several at once and the one that it goes before; none where that is not built or does not run.
[[nodiscard]] std::vector<NamedProvider> batching_providers();

}  // namespace lockstep::bench
