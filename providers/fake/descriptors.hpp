#pragma once
// What each file of this provider contributes to `provider()`.

#include <vector>

#include <lockstep/provider.hpp>

namespace lockstep::fake {

std::vector<const Aead*> aeads();
std::vector<const Hash*> hashes();
std::vector<const Group*> groups();
std::vector<const SignatureVerifier*> verifiers();
std::vector<const KeyLoader*> key_loaders();
std::vector<const KeyEncryptor*> key_encryptors();
std::vector<const CbcCipher*> cbc_ciphers();
std::vector<const RecordMac*> record_macs();
std::vector<const Mask*> masks();

inline constexpr std::string_view kImplementation = "fake";
/// What every descriptor here says of itself.
inline constexpr bool kInsecure = true;

template <class Table>
auto pointers(const Table& table) {
  std::vector<const typename Table::value_type*> all;
  for (const auto& descriptor : table) all.push_back(&descriptor);
  return all;
}

}  // namespace lockstep::fake
