#pragma once
// What each file of this provider contributes to `provider()`.

#include <vector>

#include <lockstep/provider.hpp>

namespace lockstep::botan {

std::vector<const Aead*> aeads();
std::vector<const Hash*> hashes();
std::vector<const CbcCipher*> cbc_ciphers();
std::vector<const KeyEncryptor*> key_encryptors();
std::vector<const Group*> groups();
std::vector<const FiniteField*> finite_fields();
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
