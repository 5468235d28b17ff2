#pragma once
// What each file of this provider contributes to `provider()`, for a library by its number. Descriptors whose algorithm
// the library does not have are left out.

#include <cstring>
#include <span>
#include <vector>

#include <lockstep/provider.hpp>

#include "library.hpp"

namespace lockstep::libcrypto {

std::vector<const Aead*> aeads(std::size_t library);
std::vector<const Hash*> hashes(std::size_t library);
std::vector<const CbcCipher*> cbc_ciphers(std::size_t library);
std::vector<const Mask*> masks(std::size_t library);
std::vector<const KeyEncryptor*> key_encryptors(std::size_t library);
std::vector<const Group*> groups(std::size_t library);
std::vector<const FiniteField*> finite_fields(std::size_t library);
std::vector<const SignatureVerifier*> verifiers(std::size_t library);
std::vector<const KeyLoader*> key_loaders(std::size_t library);

inline constexpr std::string_view kImplementation = "libcrypto";

/// The descriptors of one library, of those that `table<number>()` makes, as far as `has(library, descriptor)`.
template <class Descriptor>
std::vector<const Descriptor*> pointers(std::span<const Descriptor> table, auto has) {
  std::vector<const Descriptor*> all;
  all.reserve(table.size());
  for (const Descriptor& descriptor : table) {
    if (has(descriptor)) all.push_back(&descriptor);
  }
  return all;
}

/// Calls `make<number>()` for a number that is known when the program runs.
auto of_library(std::size_t library, auto make) {
  static_assert(kLibraries == 3);
  switch (library) {
    case 0: return make.template operator()<0>();
    case 1: return make.template operator()<1>();
    default: return make.template operator()<2>();
  }
}

// A context whose storage holds one pointer. It may be moved with memcpy, as every context may.

template <class Object>
Object* held(const void* context) noexcept {
  Object* object = nullptr;
  std::memcpy(&object, context, sizeof object);
  return object;
}
template <class Object>
void hold(void* context, Object* object) noexcept {
  std::memcpy(context, &object, sizeof object);
}

}  // namespace lockstep::libcrypto
