// Private keys from PKCS#8 (RFC 5958) and new ones.

#include <algorithm>
#include <array>
#include <expected>

#include <openssl/ec.h>
#include <openssl/kdf.h>
#include <openssl/obj_mac.h>

#include <lockstep/rsa_limits.hpp>

#include "common/key_info.hpp"
#include "common/pbes2.hpp"
#include "descriptors.hpp"
#include "public_key.hpp"
#include "random.hpp"
#include "signing_key.hpp"

namespace lockstep::libcrypto {
namespace {

using PrivateKey = std::expected<Key, KeyError>;

Number number_of(Bytes magnitude) noexcept {
  Number number(BN_secure_new());
  if (!number || BN_bin2bn(magnitude.data(), static_cast<int>(magnitude.size()), number.get()) == nullptr)
    return nullptr;
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

PrivateKey from_parameters(const Library& library, const char* type, const ParameterBuilder& builder) noexcept {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context = library.named(type);
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) <= 0) return std::unexpected(KeyError::failed);
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, parameters.get()) <= 0)
    return std::unexpected(KeyError::invalid);
  return Key(made);
}

// --- RSA -------------------------------------------------------------------------------------------------------------

/// RSAPrivateKey (RFC 8017 A.1.2), by its position there.
enum RsaField : std::uint8_t { n, e, d, p, q, dp, dq, qi, kRsaFields };
using RsaNumbers = std::array<Number, kRsaFields>;
constexpr std::array<const char*, kRsaFields> kRsaNames{
    OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,           OSSL_PKEY_PARAM_RSA_D,
    OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,     OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};

/// a * b = product modulo (modulus - less).
bool multiplies(const BIGNUM* a, const BIGNUM* b, const BIGNUM* modulus, unsigned long less, const BIGNUM* product,
                BN_CTX* context) noexcept {
  const Number reduced(BN_dup(modulus));
  const Number result(BN_secure_new());
  return reduced && result && BN_sub_word(reduced.get(), less) > 0 &&
         BN_mod_mul(result.get(), a, b, reduced.get(), context) > 0 && BN_cmp(result.get(), product) == 0;
}

/// RFC 8017 3.2: n = p * q, e * dP = 1 modulo p - 1, e * dQ = 1 modulo q - 1, q * qInv = 1 modulo p; and d is what dP
/// and dQ are made of. Whether p and q are primes takes longer to see than hundreds of signatures.
bool belong_together(const RsaNumbers& key) noexcept {
  const Owned<BN_CTX, BN_CTX_free> context(BN_CTX_secure_new());
  const Number product(BN_secure_new());
  if (!context || !product || BN_is_zero(key[p].get()) || BN_is_zero(key[q].get())) return false;
  const BIGNUM* const one = BN_value_one();
  return BN_mul(product.get(), key[p].get(), key[q].get(), context.get()) > 0 &&
         BN_cmp(product.get(), key[n].get()) == 0 && BN_cmp(key[dp].get(), key[p].get()) < 0 &&
         BN_cmp(key[dq].get(), key[q].get()) < 0 && BN_cmp(key[qi].get(), key[p].get()) < 0 &&
         multiplies(key[e].get(), key[dp].get(), key[p].get(), 1, one, context.get()) &&
         multiplies(key[e].get(), key[dq].get(), key[q].get(), 1, one, context.get()) &&
         multiplies(key[q].get(), key[qi].get(), key[p].get(), 0, one, context.get()) &&
         multiplies(key[d].get(), one, key[p].get(), 1, key[dp].get(), context.get()) &&
         multiplies(key[d].get(), one, key[q].get(), 1, key[dq].get(), context.get());
}

PrivateKey read_rsa(const Library& library, Bytes encoded) noexcept {
  const auto sequence = der::read_whole(encoded, der::kSequence);
  if (!sequence) return std::unexpected(KeyError::malformed);
  der::Reader reader(*sequence);
  if (reader.read_small() != 0U) return std::unexpected(KeyError::malformed);
  RsaNumbers numbers;
  for (Number& number : numbers) {
    const auto magnitude = reader.read_unsigned();
    if (!magnitude) return std::unexpected(KeyError::malformed);
    if (magnitude->size() > kMaxRsaBits / 8) return std::unexpected(KeyError::unsupported);
    number = number_of(*magnitude);
    if (!number) return std::unexpected(KeyError::failed);
  }
  if (!reader.at_end()) return std::unexpected(KeyError::malformed);
  if (!acceptable_rsa(numbers[n].get(), numbers[e].get())) return std::unexpected(KeyError::unsupported);
  if (!belong_together(numbers)) return std::unexpected(KeyError::invalid);
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  for (std::size_t i = 0; i < kRsaNames.size(); ++i) {
    if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), kRsaNames[i], numbers[i].get()) <= 0)
      return std::unexpected(KeyError::failed);
  }
  return from_parameters(library, "RSA", builder);
}

// --- elliptic curves -------------------------------------------------------------------------------------------------

/// The point of a scalar that is not zero, uncompressed; empty when the scalar is none of the curve's.
std::vector<std::uint8_t> point_of(const Library& library, const Curve& curve, const BIGNUM* scalar) {
  const Owned<EC_GROUP, EC_GROUP_free> group(EC_GROUP_new_by_curve_name_ex(
      library.context, library.query(),
      OBJ_sn2nid(curve.name) != NID_undef ? OBJ_sn2nid(curve.name) : EC_curve_nist2nid(curve.name)));
  if (!group || BN_cmp(scalar, EC_GROUP_get0_order(group.get())) >= 0) return {};
  const Owned<EC_POINT, EC_POINT_free> point(EC_POINT_new(group.get()));
  const Owned<BN_CTX, BN_CTX_free> context(BN_CTX_secure_new());
  std::vector<std::uint8_t> out(1 + 2 * curve.field_size);
  if (!point || !context || EC_POINT_mul(group.get(), point.get(), scalar, nullptr, nullptr, context.get()) <= 0 ||
      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, out.data(), out.size(),
                         context.get()) != out.size())
    return {};
  return out;
}

/// ECPrivateKey (RFC 5915 3).
PrivateKey read_ec(const Library& library, KeyType type, Bytes encoded) {
  const Curve& curve = kCurves[curve_index(type)];
  const auto sequence = der::read_whole(encoded, der::kSequence);
  if (!sequence) return std::unexpected(KeyError::malformed);
  der::Reader reader(*sequence);
  const auto version = reader.read_small();
  const auto scalar = reader.read(der::kOctetString);
  const auto parameters = reader.read(der::constructed(0));
  const auto public_key = reader.read(der::constructed(1));
  if (version != 1U || !scalar || !reader.at_end()) return std::unexpected(KeyError::malformed);
  // The curve is named by PKCS#8; a second name must be the same.
  if (parameters && !equal(*parameters, key_info::curve_of(type))) return std::unexpected(KeyError::malformed);
  // RFC 5915 3: "privateKey is the private key. It is an octet string of length ceiling (log2(n)/8)". Some writers
  // leave out leading zeros, which half of all P-521 keys have, and other libraries read such keys.
  if (scalar->empty() || scalar->size() > curve.field_size) return std::unexpected(KeyError::malformed);
  if (constant_time_equal(*scalar, std::vector<std::uint8_t>(scalar->size())))
    return std::unexpected(KeyError::invalid);
  const Number number = number_of(*scalar);
  if (!number) return std::unexpected(KeyError::failed);
  const auto point = point_of(library, curve, number.get());
  if (point.empty()) return std::unexpected(KeyError::invalid);
  if (public_key) {
    der::Reader bits_reader(*public_key);
    const auto bits = bits_reader.read_bits();
    if (!bits || !bits_reader.at_end()) return std::unexpected(KeyError::malformed);
    const Key stated = make_public_key(library, type, *bits);
    if (!stated || !constant_time_equal(public_bits(stated.get(), type), point))
      return std::unexpected(KeyError::invalid);
  }
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.name, 0) <= 0 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) <= 0 ||
      OSSL_PARAM_BLD_push_BN_pad(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, number.get(), curve.field_size) <= 0)
    return std::unexpected(KeyError::failed);
  return from_parameters(library, "EC", builder);
}

// --- EdDSA and ML-DSA ------------------------------------------------------------------------------------------------

/// CurvePrivateKey (RFC 8410 7): an OCTET STRING within the OCTET STRING.
PrivateKey read_eddsa(const Library& library, KeyType type, Bytes encoded) noexcept {
  const auto seed = der::read_whole(encoded, der::kOctetString);
  if (!seed || seed->size() != (type == KeyType::ed25519 ? 32 : 57)) return std::unexpected(KeyError::malformed);
  Key key(
      EVP_PKEY_new_raw_private_key_ex(library.context, type_name(type), library.query(), seed->data(), seed->size()));
  if (!key) return std::unexpected(KeyError::failed);
  return key;
}

#ifdef OSSL_PKEY_PARAM_ML_DSA_SEED

constexpr std::size_t kMlDsaSeedSize = 32;

/// FIPS 204 4, table 2.
constexpr std::size_t expanded_size(KeyType type) noexcept {
  return type == KeyType::mldsa44 ? 2560 : type == KeyType::mldsa65 ? 4032 : 4896;
}

/// ML-DSA-PrivateKey (RFC 9881 6): a seed, an expanded key or both.
PrivateKey read_ml_dsa(const Library& library, KeyType type, Bytes encoded) noexcept {
  std::optional<Bytes> seed = der::read_whole(encoded, der::primitive(0));
  std::optional<Bytes> expanded;
  if (const auto both = der::read_whole(encoded, der::kSequence)) {
    der::Reader reader(*both);
    seed = reader.read(der::kOctetString);
    expanded = reader.read(der::kOctetString);
    if (!expanded || expanded->size() != expanded_size(type) || !reader.at_end())
      return std::unexpected(KeyError::malformed);
  } else if (const auto alone = der::read_whole(encoded, der::kOctetString)) {
    return std::unexpected(alone->size() == expanded_size(type) ? KeyError::unsupported : KeyError::malformed);
  }
  if (!seed || seed->size() != kMlDsaSeedSize) return std::unexpected(KeyError::malformed);
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_ML_DSA_SEED, seed->data(), seed->size()) <= 0)
    return std::unexpected(KeyError::failed);
  auto key = from_parameters(library, type_name(type), builder);
  if (!key || !expanded) return key;
  // RFC 9881 8.2: whether an expanded key belongs to the seed.
  Secret<4896> made(expanded_size(type));
  if (!read_octets(key->get(), OSSL_PKEY_PARAM_PRIV_KEY, made.writable())) return std::unexpected(KeyError::failed);
  if (!constant_time_equal(made.view(), *expanded)) return std::unexpected(KeyError::invalid);
  return key;
}

#else

PrivateKey read_ml_dsa(const Library& /*library*/, KeyType /*type*/, Bytes /*encoded*/) noexcept {
  return std::unexpected(KeyError::unsupported);
}

#endif

PrivateKey read_private_key(const Library& library, KeyType type, Bytes encoded) {
  if (is_rsa(type)) return read_rsa(library, encoded);
  if (is_ml_dsa(type)) return read_ml_dsa(library, type, encoded);
  if (type == KeyType::ed25519 || type == KeyType::ed448) return read_eddsa(library, type, encoded);
  return read_ec(library, type, encoded);
}

bool has(const Library& library, KeyType type) noexcept {
  const std::size_t curve = curve_index(type);
  return curve < kCurves.size() ? library.curves[curve] != nullptr : library.named(type_name(type)) != nullptr;
}

template <std::size_t number>
std::expected<std::shared_ptr<const SigningKey>, KeyError> load(Bytes pkcs8) noexcept {
  const Library& in = library<number>();
  const auto info = key_info::read_private(pkcs8);
  if (!info) return std::unexpected(KeyError::malformed);
  const auto algorithm = key_info::read_algorithm(info->algorithm_identifier);
  const Quiet quiet;
  if (!algorithm || !has(in, algorithm->type)) return std::unexpected(KeyError::unsupported);
  try {
    auto key = read_private_key(in, algorithm->type, info->private_key);
    if (!key) return std::unexpected(key.error());
    if (info->public_key) {
      const Key stated = make_public_key(in, algorithm->type, *info->public_key);
      if (!stated ||
          !constant_time_equal(public_bits(stated.get(), algorithm->type), public_bits(key->get(), algorithm->type)))
        return std::unexpected(KeyError::invalid);
    }
    return std::make_shared<const HeldKey>(in, std::move(*key), *algorithm, info->algorithm_identifier);
  } catch (...) {
    return std::unexpected(KeyError::failed);
  }
}

// --- generating ------------------------------------------------------------------------------------------------------

constexpr std::size_t kDefaultRsaBits = 2048;

Key make_key(const Library& library, KeyType type, std::size_t bits) noexcept {
  const KeyContext context = library.named(type_name(type));
  if (!context || EVP_PKEY_keygen_init(context.get()) <= 0) return nullptr;
  const std::size_t curve = curve_index(type);
  if (curve < kCurves.size() && EVP_PKEY_CTX_set_group_name(context.get(), kCurves[curve].name) <= 0) return nullptr;
  if (is_rsa(type)) {
    std::size_t size = bits == 0 ? kDefaultRsaBits : bits;
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &size),
                                     OSSL_PARAM_construct_end()};
    if (EVP_PKEY_CTX_set_params(context.get(), parameters) <= 0) return nullptr;
  }
  EVP_PKEY* made = nullptr;
  return EVP_PKEY_generate(context.get(), &made) > 0 ? Key(made) : nullptr;
}

// OpenSSL's own encoder leaves copies of the key in memory that it has freed.

/// A private key as it is written.
template <class T>
struct Wiping : std::allocator<T> {
  template <class U>
  struct rebind {
    using other = Wiping<U>;
  };
  void deallocate(T* at, std::size_t count) noexcept {
    OPENSSL_cleanse(at, count * sizeof(T));
    std::allocator<T>::deallocate(at, count);
  }
};
using Written = std::vector<std::uint8_t, Wiping<std::uint8_t>>;

Number number_in(const EVP_PKEY* key, const char* name) {
  BIGNUM* read = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &read) <= 0) throw std::bad_alloc();
  return Number(read);
}

/// RSAPrivateKey.
Written written_rsa(const EVP_PKEY* key) {
  constexpr std::array<std::uint8_t, 3> kTwoPrimes{der::kInteger, 1, 0};
  std::array<Written, kRsaFields> numbers;
  for (std::size_t i = 0; i < kRsaFields; ++i) {
    const Number number = number_in(key, kRsaNames[i]);
    // X.690 8.3.2: a leading zero where the top bit is set.
    Written bytes(static_cast<std::size_t>(BN_num_bits(number.get())) / 8 + 1);
    BN_bn2binpad(number.get(), bytes.data(), static_cast<int>(bytes.size()));
    numbers[i] = der::value<Written>(der::kInteger, {bytes});
  }
  return der::value<Written>(der::kSequence, {kTwoPrimes, numbers[n], numbers[e], numbers[d], numbers[p], numbers[q],
                                              numbers[dp], numbers[dq], numbers[qi]});
}

/// ECPrivateKey.
Written written_ec(const EVP_PKEY* key, KeyType type) {
  constexpr std::array<std::uint8_t, 3> kVersion{der::kInteger, 1, 1};
  constexpr std::array<std::uint8_t, 1> kNoUnusedBits{0};
  const Number number = number_in(key, OSSL_PKEY_PARAM_PRIV_KEY);
  Written scalar(kCurves[curve_index(type)].field_size);
  if (BN_bn2binpad(number.get(), scalar.data(), static_cast<int>(scalar.size())) < 0) throw std::bad_alloc();
  const auto point = der::value<Written>(der::kBitString, {kNoUnusedBits, public_bits(key, type)});
  return der::value<Written>(der::kSequence, {kVersion, der::value<Written>(der::kOctetString, {scalar}),
                                              der::value<Written>(der::constructed(1), {point})});
}

/// CurvePrivateKey, or of ML-DSA the seed, which is all that is needed.
Written written_seed(const EVP_PKEY* key, KeyType type) {
#ifdef OSSL_PKEY_PARAM_ML_DSA_SEED
  if (is_ml_dsa(type)) {
    Written seed(kMlDsaSeedSize);
    if (!read_octets(key, OSSL_PKEY_PARAM_ML_DSA_SEED, seed)) throw std::bad_alloc();
    return der::value<Written>(der::primitive(0), {seed});
  }
#endif
  Written seed(type == KeyType::ed25519 ? 32 : 57);
  std::size_t size = seed.size();
  if (EVP_PKEY_get_raw_private_key(key, seed.data(), &size) <= 0) throw std::bad_alloc();
  return der::value<Written>(der::kOctetString, {seed});
}

Written written(const EVP_PKEY* key, KeyType type) {
  if (is_rsa(type)) return written_rsa(key);
  return curve_index(type) < kCurves.size() ? written_ec(key, type) : written_seed(key, type);
}

template <std::size_t number>
std::expected<std::vector<std::uint8_t>, KeyError> generate(KeyType type, std::size_t bits,
                                                            RandomSource& random) noexcept {
  if (bits != 0 && (bits < kDefaultRsaBits || bits > kMaxRsaBits)) return std::unexpected(KeyError::unsupported);
  try {
    constexpr std::array<std::uint8_t, 3> kVersion1{der::kInteger, 1, 0};
    const Quiet quiet;
    const Drawing drawing(random);
    const Key key = make_key(library<number>(), type, bits);
    if (!key) return std::unexpected(KeyError::failed);
    const auto pkcs8 = der::value<Written>(
        der::kSequence, {kVersion1, der::value<Written>(der::kSequence, {key_info::identifier_of(type)}),
                         der::value<Written>(der::kOctetString, {written(key.get(), type)})});
    return std::vector<std::uint8_t>(pkcs8.begin(), pkcs8.end());
  } catch (...) {
    return std::unexpected(KeyError::failed);
  }
}

// --- opening ---------------------------------------------------------------------------------------------------------

/// False where the library has no such function, or refuses it: a FIPS module wants more iterations than some files
/// have.
bool derive(const Library& library, const pbes2::Encrypted& encrypted, std::string_view passphrase,
            MutableBytes key) noexcept {
  const bool scrypt = encrypted.scrypt.has_value();
  const Owned<EVP_KDF, EVP_KDF_free> function(
      EVP_KDF_fetch(library.context, scrypt ? "SCRYPT" : "PBKDF2", library.query()));
  const Owned<EVP_KDF_CTX, EVP_KDF_CTX_free> context(function ? EVP_KDF_CTX_new(function.get()) : nullptr);
  if (!context) return false;
  std::array<OSSL_PARAM, 7> parameters{};
  std::size_t count = 0;
  const auto octets = [&](const char* name, Bytes bytes) {
    static std::uint8_t nothing = 0;
    parameters[count++] = OSSL_PARAM_construct_octet_string(
        name, bytes.empty() ? &nothing : const_cast<std::uint8_t*>(bytes.data()), bytes.size());
  };
  octets(OSSL_KDF_PARAM_PASSWORD, as_bytes(passphrase));
  octets(OSSL_KDF_PARAM_SALT, encrypted.salt);
  std::uint64_t numbers[4] = {};
  std::string digest;
  if (scrypt) {
    numbers[0] = encrypted.scrypt->cost;
    numbers[1] = encrypted.scrypt->block_size;
    numbers[2] = encrypted.scrypt->parallelism;
    numbers[3] = 2 * pbes2::kMaxScryptMemory;
    parameters[count++] = OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &numbers[0]);
    parameters[count++] = OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_R, &numbers[1]);
    parameters[count++] = OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_P, &numbers[2]);
    parameters[count++] = OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &numbers[3]);
  } else {
    digest = encrypted.prf->digest;
    numbers[0] = encrypted.iterations;
    parameters[count++] = OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_ITER, &numbers[0]);
    parameters[count++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0);
  }
  parameters[count] = OSSL_PARAM_construct_end();
  return EVP_KDF_derive(context.get(), key.data(), key.size(), parameters.data()) > 0;
}

template <std::size_t number>
std::expected<std::vector<std::uint8_t>, KeyError> decrypt(Bytes encrypted_pkcs8,
                                                           std::string_view passphrase) noexcept {
  const Library& in = library<number>();
  const auto encrypted = pbes2::read(encrypted_pkcs8);
  if (!encrypted) return std::unexpected(encrypted.error());
  try {
    const Quiet quiet;
    Secret<pbes2::kMaxKeySize> key(encrypted->cipher->key_size);
    if (!derive(in, *encrypted, passphrase, key.writable())) return std::unexpected(KeyError::unsupported);
    const Owned<EVP_CIPHER, EVP_CIPHER_free> cipher(
        EVP_CIPHER_fetch(in.context, std::string(encrypted->cipher->name).c_str(), in.query()));
    if (!cipher) return std::unexpected(KeyError::unsupported);
    const CipherContext context(EVP_CIPHER_CTX_new());
    std::vector<std::uint8_t> plain(encrypted->ciphertext.size() + encrypted->cipher->block_size);
    int size = 0;
    int last = 0;
    const bool opened =
        context &&
        EVP_DecryptInit_ex2(context.get(), cipher.get(), key.view().data(), encrypted->iv.data(), nullptr) > 0 &&
        EVP_DecryptUpdate(context.get(), plain.data(), &size, encrypted->ciphertext.data(),
                          static_cast<int>(encrypted->ciphertext.size())) > 0 &&
        EVP_DecryptFinal_ex(context.get(), plain.data() + size, &last) > 0;
    const std::size_t used = opened ? static_cast<std::size_t>(size) + static_cast<std::size_t>(last) : 0;
    // One wrong passphrase in 256 leaves padding that looks right; it does not leave a structure.
    const bool whole = opened && der::read_whole(Bytes(plain).first(used), der::kSequence);
    if (!whole) {
      wipe(plain);
      return std::unexpected(KeyError::wrong_passphrase);
    }
    wipe(MutableBytes(plain).subspan(used));
    plain.resize(used);
    return plain;
  } catch (...) {
    return std::unexpected(KeyError::failed);
  }
}

template <std::size_t number>
std::vector<const KeyLoader*> loaders() {
  static const std::vector<KeyType> types = [] {
    std::vector<KeyType> all;
    std::ranges::copy_if(every::kKeys, std::back_inserter(all),
                         [](KeyType type) { return has(library<number>(), type); });
    return all;
  }();
  static const KeyLoader loader{kImplementation, types, load<number>, decrypt<number>, generate<number>};
  return types.empty() ? std::vector<const KeyLoader*>() : std::vector{&loader};
}

}  // namespace

std::vector<const KeyLoader*> key_loaders(std::size_t library) {
  const Quiet quiet;
  return of_library(library, []<std::size_t number>() { return loaders<number>(); });
}

}  // namespace lockstep::libcrypto
