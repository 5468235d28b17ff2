#pragma once
// A library context with what is fetched from it, and OpenSSL's objects as values that free themselves.
//
// Descriptors are constants whose functions have no place for a context of their own, so every library context that is
// used has a number, and descriptors are made for each number.

#include <array>
#include <memory>
#include <string>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <lockstep/bytes.hpp>
#include <lockstep/libcrypto.hpp>
#include <lockstep/types.hpp>

namespace lockstep::libcrypto {

template <auto function>
struct Free {
  template <class T>
  void operator()(T* object) const noexcept {
    function(object);
  }
};
template <class T, auto function>
using Owned = std::unique_ptr<T, Free<function>>;

using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
/// What a key is made of, a secret seed for one: OpenSSL wipes of it what it allocated as secret, and no octets.
inline void free_wiped(OSSL_PARAM* parameters) noexcept {
  for (OSSL_PARAM* each = parameters; each != nullptr && each->key != nullptr; ++each)
    OPENSSL_cleanse(each->data, each->data_size);
  OSSL_PARAM_free(parameters);
}
using Parameters = Owned<OSSL_PARAM, free_wiped>;
using ParameterBuilder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
/// Wiped when freed.
using Number = Owned<BIGNUM, BN_clear_free>;

/// Takes what OpenSSL says of its errors from the queue again: whoever else uses it finds it as it was.
class Quiet {
 public:
  Quiet() noexcept { ERR_set_mark(); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
  ~Quiet() { ERR_pop_to_mark(); }
};

/// A short Weierstrass curve, for key exchange and ECDSA.
struct Curve {
  NamedGroup group;
  KeyType key;
  std::size_t field_size;
  const char* name;  ///< OpenSSL's
};
inline constexpr std::array kCurves{
    Curve{NamedGroup::secp256r1, KeyType::ec_p256, 32, "P-256"},
    Curve{NamedGroup::secp384r1, KeyType::ec_p384, 48, "P-384"},
    Curve{NamedGroup::secp521r1, KeyType::ec_p521, 66, "P-521"},
    Curve{NamedGroup::brainpoolP256r1tls13, KeyType::ec_brainpoolP256r1, 32, "brainpoolP256r1"},
    Curve{NamedGroup::brainpoolP384r1tls13, KeyType::ec_brainpoolP384r1, 48, "brainpoolP384r1"},
    Curve{NamedGroup::brainpoolP512r1tls13, KeyType::ec_brainpoolP512r1, 64, "brainpoolP512r1"},
};
/// A finite field of RFC 7919.
struct Field {
  NamedGroup group;
  std::size_t size;  ///< of the prime, in bytes
  const char* name;
};
inline constexpr std::array kFields{
    Field{NamedGroup::ffdhe2048, 256, "ffdhe2048"},  Field{NamedGroup::ffdhe3072, 384, "ffdhe3072"},
    Field{NamedGroup::ffdhe4096, 512, "ffdhe4096"},  Field{NamedGroup::ffdhe6144, 768, "ffdhe6144"},
    Field{NamedGroup::ffdhe8192, 1024, "ffdhe8192"},
};

/// The position in kCurves, or their number.
[[nodiscard]] constexpr std::size_t curve_index(KeyType key) noexcept {
  for (std::size_t i = 0; i < kCurves.size(); ++i) {
    if (kCurves[i].key == key) return i;
  }
  return kCurves.size();
}

struct Library {
  OSSL_LIB_CTX* context = nullptr;
  std::string properties;
  /// Keys without a point: those of a peer are copies with one. Decoding a whole key costs several times as much.
  std::array<Key, kCurves.size()> curves{};
  std::array<Key, kFields.size()> fields{};

  [[nodiscard]] const char* query() const noexcept { return properties.empty() ? nullptr : properties.c_str(); }
  /// A context for making keys of a type, or for what else starts from a name; null when there is no such algorithm.
  [[nodiscard]] KeyContext named(const char* name) const noexcept {
    return KeyContext(EVP_PKEY_CTX_new_from_name(context, name, query()));
  }
  [[nodiscard]] KeyContext with(EVP_PKEY* key) const noexcept {
    return KeyContext(EVP_PKEY_CTX_new_from_pkey(context, key, query()));
  }
};

/// 0 is ours, the others are the application's.
inline constexpr std::size_t kLibraries = 1 + kMaxLibraries;
extern std::array<Library, kLibraries> libraries;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

template <std::size_t number>
[[nodiscard]] const Library& library() noexcept {
  return libraries[number];
}

/// Prepares it at its first use, in whatever thread; the number of the one with these arguments, or kLibraries when
/// there is no place for another.
[[nodiscard]] bool open_own() noexcept;
[[nodiscard]] std::size_t open(OSSL_LIB_CTX* context, std::string_view properties) noexcept;

/// OpenSSL's parameter of a key, written to `out`; false unless it fills it.
[[nodiscard]] bool read_octets(const EVP_PKEY* key, const char* name, MutableBytes out) noexcept;

}  // namespace lockstep::libcrypto
