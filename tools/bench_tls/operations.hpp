#pragma once
// Public-key operations of providers, one by one.

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

/// Our providers, by the peers' keys.
struct NamedProvider {
  std::string title;
  std::string key;
  Provider provider;
};
[[nodiscard]] std::vector<NamedProvider> lockstep_providers();
/// Their libraries without our kernels, for what both have: ML-KEM.
[[nodiscard]] std::vector<NamedProvider> library_providers();

}  // namespace lockstep::bench
