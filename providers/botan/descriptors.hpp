#pragma once
// What each file of this provider contributes to `provider()`.

#include <vector>

#include <lockstep/provider.hpp>

namespace lockstep::botan {

std::vector<const Aead*> aeads();
/// Those that this processor can run, for each algorithm the fastest first.
std::vector<const Aead*> kernel_aeads();
std::vector<const Hash*> hashes();
/// Likewise.
std::vector<const Hash*> kernel_hashes();
std::vector<const Group*> groups();
std::vector<const SignatureVerifier*> verifiers();
std::vector<const KeyLoader*> key_loaders();

/// Pointers to the elements of a table of descriptors.
template <class Table>
auto pointers(const Table& table) {
  std::vector<const typename Table::value_type*> all;
  all.reserve(table.size());
  for (const auto& descriptor : table) all.push_back(&descriptor);
  return all;
}

inline constexpr std::string_view kImplementation = "botan";

}  // namespace lockstep::botan
