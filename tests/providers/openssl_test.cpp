// The provider under test against OpenSSL's libcrypto: key exchange both ways, signatures both ways, and the key files
// that it writes.

#include <iterator>
#include <memory>

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "subject.hpp"

namespace lockstep::tests {
namespace {

template <auto free_function>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free_function(object);
  }
};
using Pkey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Pkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Free<PKCS8_PRIV_KEY_INFO_free>>;
using EncryptedPkcs8 = std::unique_ptr<X509_SIG, Free<X509_SIG_free>>;
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;

/// Encodes with one of OpenSSL's i2d functions.
template <class Encode, class Object>
Buffer der(Encode encode, const Object* object) {
  std::uint8_t* out = nullptr;
  const int size = encode(object, &out);
  const Buffer bytes(out, out + (size < 0 ? 0 : size));
  OPENSSL_free(out);
  return bytes;
}

// --- key exchange ----------------------------------------------------------------------------------------------------

struct GroupName {
  NamedGroup id;
  const char* algorithm;
  const char* parameters;  ///< null: none
};

constexpr GroupName kGroups[] = {
    {NamedGroup::x25519, "X25519", nullptr},
    {NamedGroup::x448, "X448", nullptr},
    {NamedGroup::secp256r1, "EC", "P-256"},
    {NamedGroup::secp384r1, "EC", "P-384"},
    {NamedGroup::secp521r1, "EC", "P-521"},
    {NamedGroup::brainpoolP256r1tls13, "EC", "brainpoolP256r1"},
    {NamedGroup::brainpoolP384r1tls13, "EC", "brainpoolP384r1"},
    {NamedGroup::brainpoolP512r1tls13, "EC", "brainpoolP512r1"},
    {NamedGroup::ffdhe2048, "DH", "ffdhe2048"},
    {NamedGroup::ffdhe3072, "DH", "ffdhe3072"},
    {NamedGroup::ffdhe4096, "DH", "ffdhe4096"},
    {NamedGroup::ffdhe6144, "DH", "ffdhe6144"},
    {NamedGroup::ffdhe8192, "DH", "ffdhe8192"},
    {NamedGroup::mlkem512, "ML-KEM-512", nullptr},
    {NamedGroup::mlkem768, "ML-KEM-768", nullptr},
    {NamedGroup::mlkem1024, "ML-KEM-1024", nullptr},
};

bool is_kem(const GroupName& group) { return std::string_view(group.algorithm).starts_with("ML-KEM"); }

Pkey generate(const char* algorithm, const char* parameters) {
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
  EVP_PKEY* key = nullptr;
  EVP_PKEY_keygen_init(context.get());
  if (parameters != nullptr) EVP_PKEY_CTX_set_group_name(context.get(), parameters);
  EVP_PKEY_generate(context.get(), &key);
  return Pkey(key);
}

Buffer public_share(EVP_PKEY* key) {
  std::uint8_t* out = nullptr;
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(key, &out);
  const Buffer share(out, out + size);
  OPENSSL_free(out);
  return share;
}

/// A public key of the same group with another's share; null when OpenSSL refuses it.
Pkey with_share(EVP_PKEY* like, Bytes share, const GroupName& group) {
  if (is_kem(group))
    return Pkey(EVP_PKEY_new_raw_public_key_ex(nullptr, group.algorithm, nullptr, share.data(), share.size()));
  Pkey key(EVP_PKEY_new());
  if (EVP_PKEY_copy_parameters(key.get(), like) != 1) return nullptr;
  return EVP_PKEY_set1_encoded_public_key(key.get(), share.data(), share.size()) == 1 ? std::move(key) : nullptr;
}

Buffer derive(EVP_PKEY* own, EVP_PKEY* peer, std::size_t secret_size) {
  const PkeyContext context(EVP_PKEY_CTX_new(own, nullptr));
  EVP_PKEY_derive_init(context.get());
  if (EVP_PKEY_is_a(own, "DH") == 1) EVP_PKEY_CTX_set_dh_pad(context.get(), 1);
  EXPECT_EQ(EVP_PKEY_derive_set_peer(context.get(), peer), 1);
  Buffer secret(secret_size);
  std::size_t size = secret.size();
  EXPECT_EQ(EVP_PKEY_derive(context.get(), secret.data(), &size), 1);
  secret.resize(size);
  return secret;
}

class OpensslGroup : public testing::TestWithParam<GroupName> {};

std::vector<GroupName> listed_groups() {
  std::vector<GroupName> listed;
  std::ranges::copy_if(kGroups, std::back_inserter(listed),
                       [](const GroupName& named) { return subject().group(named.id) != nullptr; });
  return listed;
}

INSTANTIATE_TEST_SUITE_P(Openssl, OpensslGroup, testing::ValuesIn(listed_groups()),
                         [](const auto& named) { return std::string(name(named.param.id)); });

TEST_P(OpensslGroup, AgreesAsTheServer) {
  const Group* const group = subject().group(GetParam().id);
  Storage<kMaxGroupContextSize> storage;
  Buffer share(group->client_share_size), secret(group->secret_size);
  ASSERT_EQ(group->generate(storage.get(), system_random(), share), GroupResult::ok);
  const Pkey own = generate(GetParam().algorithm, GetParam().parameters);
  const Pkey peer = with_share(own.get(), share, GetParam());
  ASSERT_NE(peer, nullptr);

  Buffer server_share, expected;
  if (is_kem(GetParam())) {
    const PkeyContext context(EVP_PKEY_CTX_new(peer.get(), nullptr));
    server_share.resize(group->server_share_size);
    expected.resize(group->secret_size);
    std::size_t share_size = server_share.size(), secret_size = expected.size();
    ASSERT_EQ(EVP_PKEY_encapsulate_init(context.get(), nullptr), 1);
    ASSERT_EQ(EVP_PKEY_encapsulate(context.get(), server_share.data(), &share_size, expected.data(), &secret_size), 1);
  } else {
    server_share = public_share(own.get());
    expected = derive(own.get(), peer.get(), group->secret_size);
  }
  ASSERT_EQ(group->decapsulate(storage.get(), server_share, secret), GroupResult::ok);
  EXPECT_EQ(secret, expected);
  group->destroy(storage.get());
}

TEST_P(OpensslGroup, AgreesAsTheClient) {
  const Group* const group = subject().group(GetParam().id);
  const Pkey own = generate(GetParam().algorithm, GetParam().parameters);
  Buffer server_share(group->server_share_size), secret(group->secret_size);
  ASSERT_EQ(group->encapsulate(public_share(own.get()), system_random(), server_share, secret), GroupResult::ok);
  if (is_kem(GetParam())) {
    const PkeyContext context(EVP_PKEY_CTX_new(own.get(), nullptr));
    Buffer expected(group->secret_size);
    std::size_t size = expected.size();
    ASSERT_EQ(EVP_PKEY_decapsulate_init(context.get(), nullptr), 1);
    ASSERT_EQ(EVP_PKEY_decapsulate(context.get(), expected.data(), &size, server_share.data(), server_share.size()), 1);
    EXPECT_EQ(secret, expected);
  } else {
    const Pkey peer = with_share(own.get(), server_share, GetParam());
    ASSERT_NE(peer, nullptr);
    EXPECT_EQ(secret, derive(own.get(), peer.get(), group->secret_size));
  }
}

/// RFC 9846 4.3.8.1: 1 < Y < p - 1, at the upper edge, which needs p.
TEST(OpensslGroups, PrimesBoundTheShares) {
  for (const GroupName& named : kGroups) {
    const Group* const group = subject().group(named.id);
    if (group == nullptr || std::string_view(named.algorithm) != "DH") continue;
    const Pkey key = generate(named.algorithm, named.parameters);
    BIGNUM* prime = nullptr;
    ASSERT_EQ(EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_FFC_P, &prime), 1);
    const Number p(prime);
    for (const unsigned below : {0U, 1U, 2U}) {
      const Number y(BN_dup(p.get()));
      BN_sub_word(y.get(), below);
      Buffer share(group->client_share_size), server_share(group->server_share_size), secret(group->secret_size);
      ASSERT_GT(BN_bn2binpad(y.get(), share.data(), static_cast<int>(share.size())), 0);
      EXPECT_EQ(group->encapsulate(share, system_random(), server_share, secret),
                below == 2 ? GroupResult::ok : GroupResult::bad_share)
          << name(named.id) << ", p - " << below;
    }
  }
}

// --- keys and signatures ---------------------------------------------------------------------------------------------

struct KeyName {
  KeyType type;
  const char* algorithm;
  const char* parameters;
};

constexpr KeyName kKeys[] = {
    {KeyType::rsa, "RSA", nullptr},
    {KeyType::rsa_pss, "RSA-PSS", nullptr},
    {KeyType::ec_p256, "EC", "P-256"},
    {KeyType::ec_p384, "EC", "P-384"},
    {KeyType::ec_p521, "EC", "P-521"},
    {KeyType::ec_brainpoolP256r1, "EC", "brainpoolP256r1"},
    {KeyType::ec_brainpoolP384r1, "EC", "brainpoolP384r1"},
    {KeyType::ec_brainpoolP512r1, "EC", "brainpoolP512r1"},
    {KeyType::ed25519, "ED25519", nullptr},
    {KeyType::ed448, "ED448", nullptr},
    {KeyType::mldsa44, "ML-DSA-44", nullptr},
    {KeyType::mldsa65, "ML-DSA-65", nullptr},
    {KeyType::mldsa87, "ML-DSA-87", nullptr},
};

constexpr std::string_view kText = "a message that both sides sign";
const Bytes kMessage = as_bytes(kText);

const char* digest_name(SignatureAlgorithm algorithm) {
  const std::string_view text = name(algorithm);
  return text.ends_with("sha256")   ? "SHA256"
         : text.ends_with("sha384") ? "SHA384"
         : text.ends_with("sha512") ? "SHA512"
         : text.ends_with("sha1")   ? "SHA1"
                                    : nullptr;
}

bool is_pss(SignatureAlgorithm algorithm) { return name(algorithm).starts_with("rsa_pss"); }

void set_padding(EVP_PKEY_CTX* context, SignatureAlgorithm algorithm) {
  if (!is_pss(algorithm)) return;
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST), 1);
}

Buffer openssl_sign(EVP_PKEY* key, SignatureAlgorithm algorithm) {
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* inner = nullptr;
  EXPECT_EQ(EVP_DigestSignInit_ex(context.get(), &inner, digest_name(algorithm), nullptr, nullptr, key, nullptr), 1);
  set_padding(inner, algorithm);
  Buffer signature(kMaxSignatureSize);
  std::size_t size = signature.size();
  EXPECT_EQ(EVP_DigestSign(context.get(), signature.data(), &size, kMessage.data(), kMessage.size()), 1);
  signature.resize(size);
  return signature;
}

bool openssl_verify(EVP_PKEY* key, SignatureAlgorithm algorithm, Bytes signature) {
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* inner = nullptr;
  EXPECT_EQ(EVP_DigestVerifyInit_ex(context.get(), &inner, digest_name(algorithm), nullptr, nullptr, key, nullptr), 1);
  set_padding(inner, algorithm);
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), kMessage.data(), kMessage.size()) == 1;
}

Buffer pkcs8_of(EVP_PKEY* key) { return der(i2d_PKCS8_PRIV_KEY_INFO, Pkcs8(EVP_PKEY2PKCS8(key)).get()); }

class OpensslKey : public testing::TestWithParam<KeyName> {
 protected:
  const KeyType type_ = GetParam().type;
  const KeyLoader* const loader_ = subject().key_loader(type_);
};

std::vector<KeyName> listed_keys() {
  std::vector<KeyName> listed;
  std::ranges::copy_if(kKeys, std::back_inserter(listed),
                       [](const KeyName& named) { return subject().key_loader(named.type) != nullptr; });
  return listed;
}

INSTANTIATE_TEST_SUITE_P(Openssl, OpensslKey, testing::ValuesIn(listed_keys()), [](const auto& named) {
  std::string text(name(named.param.type));
  std::ranges::replace_if(text, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return text;
});

TEST_P(OpensslKey, OfItsMakingIsLoadedAndBothAcceptTheOthersSignatures) {
  const Pkey theirs = generate(GetParam().algorithm, GetParam().parameters);
  ASSERT_NE(theirs, nullptr);
  const auto loaded = loader_->load(pkcs8_of(theirs.get()));
  ASSERT_TRUE(loaded) << static_cast<int>(loaded.error());
  const SigningKey& ours = **loaded;
  EXPECT_EQ(ours.type(), type_);
  const Buffer info = der(i2d_PUBKEY, theirs.get());
  EXPECT_TRUE(equal(ours.subject_public_key_info(), info));

  for (const SignatureScheme scheme : ours.schemes()) {
    SCOPED_TRACE(name(scheme));
    const SignatureAlgorithm algorithm = parts(scheme)->algorithm;
    std::array<std::uint8_t, kMaxSignatureSize> out{};
    const std::size_t size = ours.sign(scheme, kMessage, system_random(), out);
    EXPECT_TRUE(openssl_verify(theirs.get(), algorithm, Bytes(out).first(size)));
    const Buffer signature = openssl_sign(theirs.get(), algorithm);
    EXPECT_EQ(subject().verifier(algorithm, type_)->verify(info, kMessage, signature), VerifyResult::valid);
  }
}

TEST_P(OpensslKey, OfOurMakingIsLoadedByIt) {
  const auto pkcs8 = loader_->generate(type_, 0, system_random());
  ASSERT_TRUE(pkcs8);
  const auto ours = loader_->load(*pkcs8);
  ASSERT_TRUE(ours);
  const std::uint8_t* in = pkcs8->data();
  const Pkey theirs(d2i_AutoPrivateKey(nullptr, &in, static_cast<long>(pkcs8->size())));
  ASSERT_NE(theirs, nullptr);
  EXPECT_TRUE(equal(der(i2d_PUBKEY, theirs.get()), (*ours)->subject_public_key_info()));
  const SignatureScheme scheme = (*ours)->schemes().front();
  const Buffer signature = openssl_sign(theirs.get(), parts(scheme)->algorithm);
  EXPECT_EQ(subject()
                .verifier(parts(scheme)->algorithm, type_)
                ->verify((*ours)->subject_public_key_info(), kMessage, signature),
            VerifyResult::valid);
}

TEST_P(OpensslKey, EncryptedByItIsOpened) {
  if (loader_->decrypt == nullptr) GTEST_SKIP() << "does not decrypt";
  const Pkey theirs = generate(GetParam().algorithm, GetParam().parameters);
  const Pkcs8 plain(EVP_PKEY2PKCS8(theirs.get()));
  const Buffer expected = der(i2d_PKCS8_PRIV_KEY_INFO, plain.get());
  constexpr std::string_view kPassphrase = "correct horse battery staple";
  const auto encrypted = [&](int prf, const EVP_CIPHER* cipher) {
    X509_ALGOR* const pbe = PKCS5_pbe2_set_iv(cipher, 2048, nullptr, 0, nullptr, prf);
    const EncryptedPkcs8 sealed(
        PKCS8_set0_pbe(kPassphrase.data(), static_cast<int>(kPassphrase.size()), plain.get(), pbe));
    return der(i2d_X509_SIG, sealed.get());
  };
  for (const int prf : {NID_hmacWithSHA1, NID_hmacWithSHA256, NID_hmacWithSHA512})
    for (const EVP_CIPHER* cipher : {EVP_aes_128_cbc(), EVP_aes_192_cbc(), EVP_aes_256_cbc(), EVP_des_ede3_cbc()}) {
      const Buffer sealed = encrypted(prf, cipher);
      ASSERT_FALSE(sealed.empty());
      const auto opened = loader_->decrypt(sealed, kPassphrase);
      ASSERT_TRUE(opened) << static_cast<int>(opened.error());
      EXPECT_EQ(*opened, expected);
    }

  X509_ALGOR* const pbe = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), nullptr, 0, nullptr, 16384, 8, 1);
  const EncryptedPkcs8 sealed(
      PKCS8_set0_pbe(kPassphrase.data(), static_cast<int>(kPassphrase.size()), plain.get(), pbe));
  const auto opened = loader_->decrypt(der(i2d_X509_SIG, sealed.get()), kPassphrase);
  if (traits.fips_module) {
    EXPECT_EQ(opened.error(), KeyError::unsupported) << "scrypt is not approved";
    return;
  }
  ASSERT_TRUE(opened);
  EXPECT_EQ(*opened, expected);
}

TEST(OpensslKeys, EncryptedOpenWithTheirPassphraseAlone) {
  const KeyLoader* const loader = subject().key_loader(KeyType::ed25519);
  if (loader == nullptr || loader->decrypt == nullptr) GTEST_SKIP() << "does not decrypt";
  const Pkey theirs = generate("ED25519", nullptr);
  const Pkcs8 plain(EVP_PKEY2PKCS8(theirs.get()));
  X509_ALGOR* const pbe =
      PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), traits.fips_module ? 1000 : 1, nullptr, 0, nullptr, NID_hmacWithSHA256);
  const EncryptedPkcs8 sealed(PKCS8_set0_pbe("secret", 6, plain.get(), pbe));
  const Buffer bytes = der(i2d_X509_SIG, sealed.get());
  ASSERT_TRUE(loader->decrypt(bytes, "secret"));
  // Enough wrong ones that some leave padding that looks right.
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(loader->decrypt(bytes, std::to_string(i)).error(), KeyError::wrong_passphrase) << i;
  EXPECT_EQ(loader->decrypt(bytes, "").error(), KeyError::wrong_passphrase);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(loader->decrypt(Bytes(bytes).first(size), "secret").error(), KeyError::malformed) << size;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    Buffer changed = bytes;
    changed[at] ^= 0x40U;
    const auto opened = loader->decrypt(changed, "secret");
    if (opened) {  // nothing is authenticated, so a changed key may come out, but never the same
      EXPECT_NE(*opened, der(i2d_PKCS8_PRIV_KEY_INFO, plain.get())) << at;
    }
  }
  // What a hostile file may ask for is bounded: 2^31 - 1 iterations.
  X509_ALGOR* const endless = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), 1, nullptr, 0, nullptr, NID_hmacWithSHA256);
  const EncryptedPkcs8 sealed_again(PKCS8_set0_pbe("secret", 6, plain.get(), endless));
  Buffer hostile = der(i2d_X509_SIG, sealed_again.get());
  const Buffer one = hex("020101");
  const auto found = std::ranges::search(hostile, one);
  ASSERT_FALSE(found.empty());
  // The INTEGER grows by three bytes, and with it four lengths before it.
  const auto at = static_cast<std::size_t>(found.begin() - hostile.begin());
  const Buffer many = hex("02047fffffff");
  hostile.erase(found.begin(), found.end());
  hostile.insert(hostile.begin() + static_cast<std::ptrdiff_t>(at), many.begin(), many.end());
  for (std::size_t i = 0; i + 1 < at; ++i) {
    if (hostile[i] != 0x30) continue;
    const std::size_t length_at = hostile[i + 1] == 0x81 ? i + 2 : i + 1;
    const std::size_t end = length_at + 1 + hostile[length_at];
    if (end > at) hostile[length_at] = static_cast<std::uint8_t>(hostile[length_at] + 3);
  }
  EXPECT_EQ(loader->decrypt(hostile, "secret").error(), KeyError::unsupported);
}

TEST(OpensslKeys, OfRsaPssThatAreForOneHashSignWithThatHash) {
  const KeyLoader* const loader = subject().key_loader(KeyType::rsa_pss);
  if (loader == nullptr) GTEST_SKIP() << "not listed";
  struct Case {
    const char* digest;
    const char* mask_digest;
    int salt;
    std::optional<SignatureScheme> scheme;
  };
  for (const Case& one :
       {Case{"SHA256", "SHA256", 32, SignatureScheme::rsa_pss_pss_sha256},
        Case{"SHA384", "SHA384", 20, SignatureScheme::rsa_pss_pss_sha384},
        Case{"SHA512", "SHA512", 64, SignatureScheme::rsa_pss_pss_sha512}, Case{"SHA256", "SHA256", 33, std::nullopt},
        Case{"SHA256", "SHA512", 32, std::nullopt}, Case{"SHA1", "SHA1", 20, std::nullopt}}) {
    SCOPED_TRACE(std::string(one.digest) + " " + one.mask_digest + " " + std::to_string(one.salt));
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr));
    EVP_PKEY* made = nullptr;
    ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_pss_keygen_md_name(context.get(), one.digest, nullptr), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md_name(context.get(), one.mask_digest), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(context.get(), one.salt), 1);
    ASSERT_EQ(EVP_PKEY_generate(context.get(), &made), 1);
    const Pkey theirs(made);
    const Buffer info = der(i2d_PUBKEY, theirs.get());
    const auto loaded = loader->load(pkcs8_of(theirs.get()));
    if (!one.scheme) {
      ASSERT_FALSE(loaded);
      EXPECT_EQ(loaded.error(), KeyError::unsupported);
      for (const auto* verifier : subject().verifiers)
        EXPECT_EQ(verifier->verify(info, kMessage, {}), VerifyResult::bad_key);
      continue;
    }
    ASSERT_TRUE(loaded);
    const SigningKey& ours = **loaded;
    ASSERT_EQ(ours.schemes().size(), 1U);
    EXPECT_EQ(ours.schemes().front(), *one.scheme);
    EXPECT_TRUE(equal(ours.subject_public_key_info(), info));
    std::array<std::uint8_t, kMaxSignatureSize> out{};
    const std::size_t size = ours.sign(*one.scheme, kMessage, system_random(), out);
    const Bytes signature = Bytes(out).first(size);
    EXPECT_TRUE(openssl_verify(theirs.get(), parts(*one.scheme)->algorithm, signature));
    for (const auto* verifier : subject().verifiers) {
      const bool own = verifier->key == KeyType::rsa_pss && verifier->algorithm == parts(*one.scheme)->algorithm;
      EXPECT_EQ(verifier->verify(info, kMessage, signature), own ? VerifyResult::valid : VerifyResult::bad_key)
          << name(verifier->algorithm);
    }
  }
}

/// RFC 9881 6: a private key of ML-DSA is a seed, an expanded key, or both.
TEST(OpensslKeys, OfMlDsaAreLoadedInEveryFormThatHoldsTheSeed) {
  for (const auto& [type, algorithm] :
       {std::pair{KeyType::mldsa44, "ML-DSA-44"}, std::pair{KeyType::mldsa65, "ML-DSA-65"},
        std::pair{KeyType::mldsa87, "ML-DSA-87"}}) {
    const KeyLoader* const loader = subject().key_loader(type);
    if (loader == nullptr) continue;
    const Pkey theirs = generate(algorithm, nullptr);
    const auto form = [&](const char* output_format) {
      const Pkcs8 plain(EVP_PKEY2PKCS8(theirs.get()));
      const Buffer both = der(i2d_PKCS8_PRIV_KEY_INFO, plain.get());
      // OpenSSL writes both; the other forms are cut from it: SEQUENCE { OCTET STRING (32), OCTET STRING }.
      const auto seed_at = std::ranges::search(both, hex("0420")).begin() - both.begin();
      const Bytes seed = Bytes(both).subspan(static_cast<std::size_t>(seed_at) + 2, 32);
      const Bytes expanded = Bytes(both).subspan(static_cast<std::size_t>(seed_at) + 34);
      const auto wrap = [&](std::uint8_t tag, Bytes contents, bool with_header) {
        Buffer inner;
        if (with_header) inner = {tag, static_cast<std::uint8_t>(contents.size())};
        inner.insert(inner.end(), contents.begin(), contents.end());
        const auto length = [](std::size_t size) {
          return size < 0x80 ? Buffer{static_cast<std::uint8_t>(size)}
                             : Buffer{0x82, static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size)};
        };
        Buffer body = hex("020100300b06096086480165030403");
        body.push_back(type == KeyType::mldsa44 ? 0x11 : type == KeyType::mldsa65 ? 0x12 : 0x13);
        body.push_back(0x04);
        for (const Buffer& part : {length(inner.size()), inner}) body.insert(body.end(), part.begin(), part.end());
        Buffer out{0x30};
        for (const Buffer& part : {length(body.size()), body}) out.insert(out.end(), part.begin(), part.end());
        return out;
      };
      const std::string_view wanted(output_format);
      return wanted == "both" ? both : wanted == "seed" ? wrap(0x80, seed, true) : wrap(0x04, expanded, false);
    };
    for (const char* const output_format : {"both", "seed"}) {
      SCOPED_TRACE(std::string(algorithm) + " " + output_format);
      const auto loaded = loader->load(form(output_format));
      ASSERT_TRUE(loaded) << static_cast<int>(loaded.error());
      EXPECT_TRUE(equal((*loaded)->subject_public_key_info(), der(i2d_PUBKEY, theirs.get())));
    }
    const auto expanded = loader->load(form("expanded"));
    ASSERT_FALSE(expanded) << "Botan signs from seeds alone";
    EXPECT_EQ(expanded.error(), KeyError::unsupported);

    // The two halves of "both" must belong together.
    Buffer mixed = form("both");
    const auto seed_at = static_cast<std::size_t>(std::ranges::search(mixed, hex("0420")).begin() - mixed.begin());
    for (const std::size_t at : {seed_at + 2, seed_at + 38, seed_at + 70, seed_at + 102}) {
      Buffer changed = mixed;
      changed[at] ^= 1U;
      EXPECT_EQ(loader->load(changed).error(), KeyError::invalid) << at - seed_at;
    }
  }
}

}  // namespace
}  // namespace lockstep::tests
