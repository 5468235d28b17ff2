// Runs every kernel under MemorySanitizer with its keys and texts marked as uninitialised, which stands for secret: a
// branch or an address that depends on one is reported, and ends the program. The vectorised texts run on the emulated
// vector layer. Compiled with clang alone, with LOCKSTEP_CHECK_SECRETS and -fsanitize=memory, and without a library
// that MemorySanitizer does not see into.
//
//     secrets_check               checks every kernel
//     secrets_check KIND          leaks on purpose, in a way named branch, index, carry, product or order: must be
//     reported

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include <sanitizer/msan_interface.h>

#include <lockstep/kernels_mac.hpp>

#include "aead/aead.hpp"
#include "emulated.hpp"
#include "hash/hash.hpp"
#include "kem/kem.hpp"
#include "target.hpp"

namespace lockstep::kernels {
namespace {

// For the deliberate leaks.
namespace layer {
// clang-format off
#define LOCKSTEP_EMULATED_LANES 1
#include "vectors/emulated.inl"
#include "aead/wide.inl"
#define LOCKSTEP_WORDS16 8
#include "vectors/words16.inl"
// clang-format on
}  // namespace layer

constexpr std::size_t kMost = 2200;
int checks = 0;

[[noreturn]] void fail(const char* what, const char* name, std::size_t size) {
  std::fprintf(stderr, "%s: %s, %zu bytes\n", name, what, size);
  std::exit(1);
}

void fill(std::span<std::uint8_t> bytes, std::uint32_t seed) {
  for (std::uint8_t& byte : bytes) {
    seed = seed * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(seed >> 24);
  }
}

void hide(std::span<const std::uint8_t> bytes) { __msan_poison(bytes.data(), bytes.size()); }
void reveal(std::span<const std::uint8_t> bytes) { __msan_unpoison(bytes.data(), bytes.size()); }

// Whether every byte is still known to be secret: a kernel through which secrets get lost is not checked.
bool all_secret(std::span<const std::uint8_t> bytes) {
  for (const std::uint8_t& byte : bytes) {
    if (__msan_test_shadow(&byte, 1) < 0) return false;
  }
  return true;
}

bool equal(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  return std::memcmp(a.data(), b.data(), a.size()) == 0;
}

struct Message {
  std::uint8_t key[32];
  std::uint8_t nonce[kNonceSize];
  std::uint8_t aad[40];
  std::uint8_t text[kMost];
  std::uint8_t sealed[kMost + kTagSize];
  std::uint8_t opened[kMost];
};

void seal(const Aead& aead, Message& message, std::size_t aad_size, std::size_t size, std::size_t split,
          std::size_t tail) {
  alignas(64) std::uint8_t context[kMaxContextSize];
  const std::span<const std::uint8_t> text(message.text, size);
  const std::span<const std::uint8_t> segments[] = {text.first(split), text.subspan(split, size - tail - split)};
  const SealJob job{message.nonce, {message.aad, aad_size}, segments, text.last(tail), message.sealed};
  aead.init(context, message.key);
  aead.seal(context, {&job, 1});
  aead.destroy(context);
}

bool open(const Aead& aead, Message& message, std::size_t aad_size, std::size_t size) {
  alignas(64) std::uint8_t context[kMaxContextSize];
  OpenJob job{message.nonce, {message.aad, aad_size}, {message.sealed, size + kTagSize}, message.opened};
  aead.init(context, message.key);
  const std::size_t right = aead.open(context, {&job, 1});
  aead.destroy(context);
  return right == 1;
}

void check(const Aead& aead, const Aead& portable, std::size_t aad_size, std::size_t size) {
  static Message message;
  static Message expected;
  const auto prepare = [&](Message& to) {
    reveal({reinterpret_cast<std::uint8_t*>(&to), sizeof to});
    fill({reinterpret_cast<std::uint8_t*>(&to), sizeof to}, static_cast<std::uint32_t>(size + aad_size));
  };
  const std::size_t sealed_size = size + kTagSize;
  prepare(expected);
  seal(portable, expected, aad_size, size, 0, 0);

  for (const bool secret_text : {true, false}) {
    prepare(message);
    hide(message.key);
    if (secret_text) hide(message.text);
    const std::size_t tail = size == 0 ? 0 : 1;
    seal(aead, message, aad_size, size, secret_text ? 0 : (size - tail) / 3, tail);
    if (!all_secret({message.sealed, sealed_size})) fail("a secret got lost in sealing", aead.name, size);
    reveal({message.sealed, sealed_size});
    if (!equal({message.sealed, sealed_size}, expected.sealed)) fail("sealed wrongly", aead.name, size);
    ++checks;
  }

  hide(message.key);
  if (!open(aead, message, aad_size, size)) fail("did not open", aead.name, size);
  if (!all_secret({message.opened, size})) fail("a secret got lost in opening", aead.name, size);
  reveal({message.opened, size});
  if (!equal({message.opened, size}, expected.text)) fail("opened wrongly", aead.name, size);
  message.sealed[size / 2] ^= 1;
  if (open(aead, message, aad_size, size)) fail("opened what was tampered with", aead.name, size);
  checks += 2;
}

void check(const Mask& mask, const Mask& portable, std::size_t count) {
  static std::uint8_t samples[20][kMaskSize];
  std::uint8_t key[32];
  reveal({&samples[0][0], sizeof samples});
  fill({&samples[0][0], sizeof samples}, static_cast<std::uint32_t>(count));
  fill(key, 7);
  const auto run = [&](const Mask& with, std::uint8_t(&masks)[20][kMaskSize]) {
    std::uint8_t context[kMaxContextSize];
    MaskJob jobs[20];
    for (std::size_t i = 0; i < count; ++i) jobs[i] = {samples[i], masks[i]};
    with.init(context, key);
    with.compute(context, {jobs, count});
    with.destroy(context);
  };
  std::uint8_t expected[20][kMaskSize] = {};
  std::uint8_t masks[20][kMaskSize] = {};
  run(portable, expected);
  hide(key);
  hide({&samples[0][0], sizeof samples});
  run(mask, masks);
  const std::span<std::uint8_t> computed(&masks[0][0], count * kMaskSize);
  if (!all_secret(computed)) fail("a secret got lost", mask.name, count);
  reveal(computed);
  if (!equal(computed, {&expected[0][0], computed.size()})) fail("masked wrongly", mask.name, count);
  ++checks;
}

void check(const Hash& hash, const Hash& portable, std::size_t size) {
  static std::uint8_t message[kMost];
  std::uint8_t key[200];
  reveal(message);
  fill(message, static_cast<std::uint32_t>(size));
  fill(key, 7);
  const std::size_t key_size = 1 + size % sizeof key;

  struct Results {
    std::uint8_t digest[kMaxDigestSize];
    std::uint8_t mac[kMaxDigestSize];
    std::uint8_t outs[3][100];
  };
  const auto run = [&](const Hash& with, Results& results) {
    alignas(64) std::uint8_t context[kMaxHashContextSize];
    alignas(64) std::uint8_t hmac_key[kMaxHmacKeySize];
    with.init(context);
    with.update(context, {message, size / 3});
    with.update(context, {message + size / 3, size - size / 3});
    with.digest(context, results.digest);
    with.destroy(context);
    const std::span<const std::uint8_t> segments[] = {{message, size / 2}, {message + size / 2, size - size / 2}};
    with.prepare_hmac_key(hmac_key, {key, key_size});
    with.hmac(hmac_key, segments, results.mac);
    with.destroy_hmac_key(hmac_key);
    const ExpandJob jobs[] = {{{key, key_size}, as_bytes("key"), {results.outs[0], 16}},
                              {{message, size}, as_bytes("iv"), {results.outs[1], 12}},
                              {{key, key_size}, {message, 32}, {results.outs[2], 100}}};
    if (!with.expand(jobs)) fail("did not expand", with.name, size);
  };
  const std::size_t digest_size = hash.digest_size;
  Results results;
  Results expected;
  run(portable, expected);
  hide(message);
  hide(key);
  run(hash, results);
  if (size != 0 && !all_secret({results.digest, digest_size})) fail("a secret got lost", hash.name, size);
  if (size != 0 && !all_secret({results.mac, digest_size})) fail("a secret got lost in HMAC", hash.name, size);
  if (size != 0 &&
      (!all_secret({results.outs[0], 16}) || !all_secret({results.outs[1], 12}) || !all_secret(results.outs[2]))) {
    fail("a secret got lost in HKDF", hash.name, size);
  }
  reveal({reinterpret_cast<std::uint8_t*>(&results), sizeof results});
  if (!equal({results.digest, digest_size}, expected.digest)) fail("hashed wrongly", hash.name, size);
  if (!equal({results.mac, digest_size}, expected.mac)) fail("authenticated wrongly", hash.name, size);
  if (!equal({results.outs[0], 16}, expected.outs[0]) || !equal({results.outs[1], 12}, expected.outs[1]) ||
      !equal(results.outs[2], expected.outs[2])) {
    fail("expanded wrongly", hash.name, size);
  }
  reveal(message);
  ++checks;
}

struct Checked {
  const Aead* aead;
  const Aead* portable;
};

struct CheckedMask {
  const Mask* mask;
  const Mask* portable;
};

struct CheckedHash {
  const Hash* hash;
  const Hash* portable;
};

// Of a message whose length is as secret as what it says.
void check(const Mac& mac, std::size_t size, std::size_t hidden) {
  static std::uint8_t content[kMost];
  std::uint8_t key[kMaxMacSize];
  std::uint8_t header[13];
  std::uint8_t computed[kMaxMacSize];
  std::uint8_t expected[kMaxMacSize];
  std::size_t length = size - hidden;
  reveal(content);
  fill(content, static_cast<std::uint32_t>(size));
  fill(key, 7);
  fill(header, static_cast<std::uint32_t>(hidden));
  const std::span<const std::uint8_t> segments[] = {header, {content, length}};
  mac.mac({key, mac.size}, segments, expected);

  hide(content);
  hide(key);
  hide(header);
  __msan_poison(&length, sizeof length);
  mac.mac_of_secret_length({key, mac.size}, header, {content, size}, length, computed);
  if (!all_secret({computed, mac.size})) fail("a secret got lost in the MAC", mac.name, size);
  reveal({computed, mac.size});
  if (!equal({computed, mac.size}, {expected, mac.size})) fail("a wrong MAC", mac.name, size);
  ++checks;
}

// An exchange, then the decapsulation of a ciphertext that was changed.
void check(const Kem& kem, const Kem& portable) {
  struct Exchange {
    alignas(kKemAlignment) std::uint8_t key[kMaxKemKeySize];
    std::uint8_t seed[kKemSeedSize];
    std::uint8_t coins[kKemCoinsSize];
    std::uint8_t encapsulation_key[1568];
    std::uint8_t decapsulation_key[3168];
    std::uint8_t ciphertext[1568];
    std::uint8_t secrets[3][kKemSecretSize];
  };
  static Exchange computed;
  static Exchange expected;
  const auto run = [&](const Kem& with, Exchange& to, bool secret) {
    reveal({reinterpret_cast<std::uint8_t*>(&to), sizeof to});
    fill({reinterpret_cast<std::uint8_t*>(&to), sizeof to}, 7);
    const auto expect_secret = [&](std::span<const std::uint8_t> bytes) {
      if (secret && !all_secret(bytes)) fail("a secret got lost", with.name, bytes.size());
      reveal(bytes);
    };
    const std::span encapsulation_key(to.encapsulation_key, with.encapsulation_key_size);
    const std::span ciphertext(to.ciphertext, with.ciphertext_size);
    if (secret) {
      hide(to.seed);
      hide(to.coins);
    }
    with.generate(to.key, to.seed, to.encapsulation_key);
    expect_secret(encapsulation_key.first(with.encapsulation_key_size - 32));  // rho follows
    if (!with.encapsulate(to.encapsulation_key, to.coins, to.ciphertext, to.secrets[0])) fail("refused", with.name, 0);
    expect_secret(ciphertext);
    expect_secret(to.secrets[0]);
    with.decapsulate(to.key, to.ciphertext, to.secrets[1]);
    expect_secret(to.secrets[1]);
    to.ciphertext[7] ^= 1;
    with.decapsulate(to.key, to.ciphertext, to.secrets[2]);
    expect_secret(to.secrets[2]);
    with.store(to.key, to.decapsulation_key);
    expect_secret({to.decapsulation_key, with.encapsulation_key_size - 32});  // s, and ek follows
    reveal(to.decapsulation_key);
    if (secret) hide({to.decapsulation_key, with.encapsulation_key_size - 32});
    if (!with.load(to.key, to.decapsulation_key)) fail("did not load", with.name, 0);
    with.destroy(to.key);
    reveal({reinterpret_cast<std::uint8_t*>(&to), sizeof to});
  };
  run(portable, expected, false);
  run(kem, computed, true);
  if (!equal({computed.ciphertext, kem.ciphertext_size}, expected.ciphertext) ||
      !equal({&computed.secrets[0][0], sizeof computed.secrets}, {&expected.secrets[0][0], sizeof expected.secrets}) ||
      !equal({computed.decapsulation_key, kem.decapsulation_key_size}, expected.decapsulation_key)) {
    fail("not what the portable one computes", kem.name, 0);
  }
  if (!equal(computed.secrets[0], computed.secrets[1]) || equal(computed.secrets[0], computed.secrets[2])) {
    fail("a wrong secret", kem.name, 0);
  }
  checks += 5;
}

void check_all() {
  const Kem* const kems[][3] = {
      {&portable::kMlKem512, &emulated_kem_16::kMlKem512, &emulated_kem_32::kMlKem512},
      {&portable::kMlKem768, &emulated_kem_16::kMlKem768, &emulated_kem_32::kMlKem768},
      {&portable::kMlKem1024, &emulated_kem_16::kMlKem1024, &emulated_kem_32::kMlKem1024},
  };
  for (const auto& of_a_kind : kems) {
    for (const Kem* kem : of_a_kind) check(*kem, *of_a_kind[0]);
  }
  const Checked aeads[] = {
      {&portable::kAes128Gcm, &portable::kAes128Gcm},
      {&portable::kAes256Gcm, &portable::kAes256Gcm},
      {&emulated_gcm_1::kAes128Gcm, &portable::kAes128Gcm},
      {&emulated_gcm_1::kAes256Gcm, &portable::kAes256Gcm},
      {&emulated_gcm_2::kAes128Gcm, &portable::kAes128Gcm},
      {&emulated_gcm_2::kAes256Gcm, &portable::kAes256Gcm},
      {&emulated_gcm_4::kAes128Gcm, &portable::kAes128Gcm},
      {&emulated_gcm_4::kAes256Gcm, &portable::kAes256Gcm},
      {&portable::kChaCha20Poly1305, &portable::kChaCha20Poly1305},
      {&emulated_chacha_1::kChaCha20Poly1305, &portable::kChaCha20Poly1305},
      {&emulated_chacha_2::kChaCha20Poly1305, &portable::kChaCha20Poly1305},
      {&emulated_chacha_4::kChaCha20Poly1305, &portable::kChaCha20Poly1305},
  };
  for (const Checked& one : aeads) {
    for (std::size_t size = 0; size <= 150; size += 1 + size / 20) check(*one.aead, *one.portable, size % 21, size);
    for (const std::size_t size : {255UL, 256UL, 257UL, 511UL, 512UL, 700UL, 1023UL, 1100UL, 1350UL, 2048UL, 2200UL}) {
      check(*one.aead, *one.portable, size % 40, size);
    }
  }
  const CheckedMask masks[] = {
      {&portable::kAes128Mask, &portable::kAes128Mask},
      {&portable::kAes256Mask, &portable::kAes256Mask},
      {&emulated_gcm_1::kAes128Mask, &portable::kAes128Mask},
      {&emulated_gcm_1::kAes256Mask, &portable::kAes256Mask},
      {&emulated_gcm_2::kAes128Mask, &portable::kAes128Mask},
      {&emulated_gcm_2::kAes256Mask, &portable::kAes256Mask},
      {&emulated_gcm_4::kAes128Mask, &portable::kAes128Mask},
      {&emulated_gcm_4::kAes256Mask, &portable::kAes256Mask},
      {&portable::kChaCha20Mask, &portable::kChaCha20Mask},
      {&emulated_chacha_1::kChaCha20Mask, &portable::kChaCha20Mask},
      {&emulated_chacha_2::kChaCha20Mask, &portable::kChaCha20Mask},
      {&emulated_chacha_4::kChaCha20Mask, &portable::kChaCha20Mask},
  };
  for (const CheckedMask& one : masks) {
    for (const std::size_t count : {1UL, 2UL, 5UL, 8UL, 20UL}) check(*one.mask, *one.portable, count);
  }
  const CheckedHash hashes[] = {
      {&portable::kSha256, &portable::kSha256},       {&portable::kSha384, &portable::kSha384},
      {&portable::kSha512, &portable::kSha512},       {&emulated_sha_1::kSha256, &portable::kSha256},
      {&emulated_sha_2::kSha384, &portable::kSha384}, {&emulated_sha_2::kSha512, &portable::kSha512},
  };
  for (const CheckedHash& one : hashes) {
    for (std::size_t size = 0; size <= 300; ++size) check(*one.hash, *one.portable, size);
    check(*one.hash, *one.portable, kMost);
  }
  const Mac* const macs[] = {
      &portable::kHmacSha1,       &portable::kHmacSha256,       &portable::kHmacSha384,
      &emulated_sha_1::kHmacSha1, &emulated_sha_1::kHmacSha256, &emulated_sha_2::kHmacSha384,
  };
  for (const Mac* const mac : macs) {
    for (std::size_t size = 0; size < 700; size += 1 + size / 30) {
      for (std::size_t hidden = 0; hidden <= size && hidden <= 256; hidden += 1 + size % 7) check(*mac, size, hidden);
    }
  }
  std::printf("no branch and no address depends on a secret: %d checks\n", checks);
}

// What an attacker would see of these is what the program must notice.
[[gnu::noinline]] int leak(const char* kind) {
  static volatile std::uint8_t table[256];
  std::uint8_t key[16];
  fill(key, 1);
  hide(key);
  if (std::strcmp(kind, "branch") == 0) return key[3] > 100 ? std::puts("a") : 0;
  if (std::strcmp(kind, "index") == 0) return table[key[3]];
  if (std::strcmp(kind, "carry") == 0) {
    const layer::Wide product = layer::Wide(load_le64(key)) * layer::Wide(3);
    return static_cast<std::uint64_t>(product >> 64) != 0 ? std::puts("carry") : 0;
  }
  if (std::strcmp(kind, "product") == 0) {
    const std::int16_t words[8] = {static_cast<std::int16_t>(key[3] & 1)};
    const layer::Words16 product = layer::multiply_high_16(layer::load_words16(words), layer::broadcast_16(-1));
    return product.words[0] != 0 ? std::puts("product") : 0;
  }
  if (std::strcmp(kind, "order") == 0) {
    const layer::Block order = layer::aes_round(layer::load_block(key), layer::zero_block());
    return layer::shuffle_bytes(layer::make_block(1, 2), order).bytes[0];
  }
  std::fprintf(stderr, "no such leak: %s\n", kind);
  return 0;
}

}  // namespace
}  // namespace lockstep::kernels

int main(int argc, char** argv) {
  if (argc > 1) {
    return lockstep::kernels::leak(argv[1]) == 1000 ? 1 : 0;
  }
  lockstep::kernels::check_all();
  return 0;
}
