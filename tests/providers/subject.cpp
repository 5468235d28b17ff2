#include "subject.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

namespace lockstep::tests {

VerifyResult verify_both_ways(const SignatureVerifier& verifier, Bytes info, Bytes message, Bytes signature) {
  const VerifyResult result = verifier.verify(info, message, signature);
  if (verifier.prepare == nullptr) return result;
  const auto key = verifier.prepare(info);
  EXPECT_EQ(key == nullptr, result == VerifyResult::bad_key);
  for (int i = 0; key != nullptr && i < 2; ++i) EXPECT_EQ(key->verify(message, signature), result);
  return result;
}

Buffer hex(std::string_view digits) {
  Buffer bytes;
  unsigned half = 0;
  bool high = true;
  for (const char digit : digits) {
    if (digit == ' ') continue;
    const unsigned value =
        digit <= '9' ? static_cast<unsigned>(digit - '0') : (static_cast<unsigned>(digit) | 0x20U) - 'a' + 10U;
    if (high)
      half = value;
    else
      bytes.push_back(static_cast<std::uint8_t>(half << 4U | value));
    high = !high;
  }
  return bytes;
}

void expect_exactly(const Capabilities& table) {
  EXPECT_EQ(subject().name, table.provider);
  EXPECT_EQ(subject().insecure(), table.insecure);
  for (const AeadAlgorithm id : every::kAeads) EXPECT_EQ(subject().aead(id) != nullptr, table.has(id)) << name(id);
  for (const HashAlgorithm id : every::kHashes) EXPECT_EQ(subject().hash(id) != nullptr, table.has(id)) << name(id);
  for (const NamedGroup id : every::kGroups) EXPECT_EQ(subject().group(id) != nullptr, table.has(id)) << name(id);
  for (const Verification id : every::kVerifications)
    EXPECT_EQ(subject().verifier(id.algorithm, id.key) != nullptr, table.has(id))
        << name(id.algorithm) << " with " << name(id.key);
  for (const KeyType id : every::kKeys) {
    const KeyLoader* const loader = subject().key_loader(id);
    ASSERT_EQ(loader != nullptr, table.has(id)) << name(id);
    if (loader == nullptr) continue;
    EXPECT_NE(loader->generate, nullptr) << name(id);
    EXPECT_EQ(loader->decrypt != nullptr, table.decrypts_keys) << name(id);
  }
  for (const CbcAlgorithm id : every::kCbcCiphers)
    EXPECT_EQ(subject().cbc_cipher(id) != nullptr, table.has(id)) << name(id);
  for (const MacAlgorithm id : every::kRecordMacs)
    EXPECT_EQ(subject().record_mac(id) != nullptr, table.has(id)) << name(id);
  for (const MaskAlgorithm id : every::kMasks) EXPECT_EQ(subject().mask(id) != nullptr, table.has(id)) << name(id);
  EXPECT_EQ(subject().finite_field() != nullptr, table.finite_fields);
  // And nothing that the lists above do not know.
  for (const Aead* aead : subject().aeads) EXPECT_TRUE(table.has(aead->id)) << name(aead->id);
  for (const Hash* hash : subject().hashes) EXPECT_TRUE(table.has(hash->id)) << name(hash->id);
  for (const Group* group : subject().groups) EXPECT_TRUE(table.has(group->id)) << name(group->id);
  for (const SignatureVerifier* verifier : subject().verifiers)
    EXPECT_TRUE(table.has(Verification{verifier->algorithm, verifier->key})) << name(verifier->algorithm);
}

}  // namespace lockstep::tests

#if defined(LOCKSTEP_SANITIZED) || !defined(__GLIBC__)

long lockstep::tests::allocations() { return -1; }

#else

namespace {
thread_local long calls = 0;
}

long lockstep::tests::allocations() { return calls; }

extern "C" {
void* __libc_malloc(std::size_t size);                     // NOLINT(bugprone-reserved-identifier): glibc's
void* __libc_calloc(std::size_t count, std::size_t size);  // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* old, std::size_t size);         // NOLINT(bugprone-reserved-identifier)
__attribute__((visibility("default"))) void* malloc(std::size_t size) {
  ++calls;
  return __libc_malloc(size);
}
__attribute__((visibility("default"))) void* calloc(std::size_t count, std::size_t size) {
  ++calls;
  return __libc_calloc(count, size);
}
__attribute__((visibility("default"))) void* realloc(void* old, std::size_t size) {
  ++calls;
  return __libc_realloc(old, size);
}
}

#endif
