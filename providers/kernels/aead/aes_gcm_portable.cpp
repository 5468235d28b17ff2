#include <array>
#include <new>

#include "aead/aead.hpp"

// AES-GCM in plain C++, constant-time: AES is bitsliced, eight blocks at a time, and GHASH multiplies integers whose
// bits stand so far apart that no carry reaches the next one. No table, and no branch or address depends on a secret.
namespace lockstep::kernels::portable {
namespace {

constexpr std::size_t kBlockSize = 16;
constexpr std::size_t kBatch = 8;  // blocks that one bitsliced encryption yields
constexpr std::size_t kChunk = kBatch * kBlockSize;
constexpr std::size_t kWords = kBatch / 4;

// Bit i of every byte of eight blocks. A word holds four blocks: bit 16 row + 4 column + block. Compilers turn the pair
// into whatever vector the machine has.
using Slice = std::uint64_t __attribute__((vector_size(8 * kWords)));
using State = std::array<Slice, 8>;

// 64 bits of a context, which has any alignment.
class Word {
 public:
  operator std::uint64_t() const noexcept { return load_le64(bytes_); }
  Word& operator=(std::uint64_t value) noexcept {
    store_le64(bytes_, value);
    return *this;
  }

 private:
  std::uint8_t bytes_[8];
};

// Four bit positions of one block's round key share a word: position 4 w + i in bits i, i + 4, i + 8 ...
using RoundKeys = Word[15][2];

struct GcmKey {
  // H divided by x, and the same with its bits reversed: low half, high half, both halves' exclusive or.
  Word h[3];
  Word h_reversed[3];
  RoundKeys round_keys;
};
static_assert(sizeof(GcmKey) <= kMaxContextSize);
static_assert(alignof(GcmKey) == 1);

template <int kDistance>
void exchange(std::uint64_t& a, std::uint64_t& b, std::uint64_t mask) noexcept {
  const std::uint64_t difference = ((a >> kDistance) ^ b) & mask;
  b ^= difference;
  a ^= difference << kDistance;
}

// Bit j of byte k of word i becomes bit i of byte k of word j. Its own inverse.
void transpose_bits(std::array<std::uint64_t, 8>& words) noexcept {
  for (std::size_t i = 0; i < 8; i += 2) exchange<1>(words[i], words[i + 1], 0x5555555555555555);
  for (std::size_t i = 0; i < 8; i += i % 4 == 1 ? 3 : 1) exchange<2>(words[i], words[i + 2], 0x3333333333333333);
  for (std::size_t i = 0; i < 4; ++i) exchange<4>(words[i], words[i + 4], 0x0f0f0f0f0f0f0f0f);
}

// The bytes of a at even places, those of b at odd ones.
std::uint64_t interleave_bytes(std::uint32_t a, std::uint32_t b) noexcept {
  const auto spread = [](std::uint64_t x) {
    x = (x | x << 16) & 0x0000ffff0000ffff;
    return (x | x << 8) & 0x00ff00ff00ff00ff;
  };
  return spread(a) | spread(b) << 8;
}

std::uint32_t even_bytes(std::uint64_t x) noexcept {
  x &= 0x00ff00ff00ff00ff;
  x = (x | x >> 8) & 0x0000ffff0000ffff;
  return static_cast<std::uint32_t>(x | x >> 16);
}

// Four blocks to their bits and back. Columns 0 and 2 of block b share word b, columns 1 and 3 word 4 + b.
std::array<std::uint64_t, 8> slice_bits(const std::uint8_t* blocks) noexcept {
  std::array<std::uint64_t, 8> words;
  for (std::size_t b = 0; b < 4; ++b) {
    const std::uint8_t* block = blocks + b * kBlockSize;
    words[b] = interleave_bytes(load_le32(block), load_le32(block + 8));
    words[4 + b] = interleave_bytes(load_le32(block + 4), load_le32(block + 12));
  }
  transpose_bits(words);
  return words;
}

void unslice_bits(std::array<std::uint64_t, 8> words, std::uint8_t* blocks) noexcept {
  transpose_bits(words);
  for (std::size_t b = 0; b < 4; ++b) {
    std::uint8_t* block = blocks + b * kBlockSize;
    store_le32(block, even_bytes(words[b]));
    store_le32(block + 4, even_bytes(words[4 + b]));
    store_le32(block + 8, even_bytes(words[b] >> 8));
    store_le32(block + 12, even_bytes(words[4 + b] >> 8));
  }
}

// SubBytes: the circuit of J. Boyar and R. Peralta, "A depth-16 circuit for the AES S-box", IACR ePrint 2011/332,
// figures 5 to 8, in their names. x0 and s0 are the most significant bits.
template <class T>
void substitute(std::array<T, 8>& state) noexcept {
  const T x0 = state[7], x1 = state[6], x2 = state[5], x3 = state[4];
  const T x4 = state[3], x5 = state[2], x6 = state[1], x7 = state[0];

  const T y14 = x3 ^ x5, y13 = x0 ^ x6, y9 = x0 ^ x3, y8 = x0 ^ x5;
  const T t0 = x1 ^ x2;
  const T y1 = t0 ^ x7, y4 = y1 ^ x3, y12 = y13 ^ y14, y2 = y1 ^ x0, y5 = y1 ^ x6, y3 = y5 ^ y8;
  const T t1 = x4 ^ y12;
  const T y15 = t1 ^ x5, y20 = t1 ^ x1, y6 = y15 ^ x7, y10 = y15 ^ t0, y11 = y20 ^ y9, y7 = x7 ^ y11;
  const T y17 = y10 ^ y11, y19 = y10 ^ y8, y16 = t0 ^ y11, y21 = y13 ^ y16, y18 = x0 ^ y16;

  const T t2 = y12 & y15, t3 = y3 & y6, t4 = t3 ^ t2, t5 = y4 & x7, t6 = t5 ^ t2, t7 = y13 & y16, t8 = y5 & y1;
  const T t9 = t8 ^ t7, t10 = y2 & y7, t11 = t10 ^ t7, t12 = y9 & y11, t13 = y14 & y17, t14 = t13 ^ t12;
  const T t15 = y8 & y10, t16 = t15 ^ t12, t17 = t4 ^ t14, t18 = t6 ^ t16, t19 = t9 ^ t14, t20 = t11 ^ t16;
  const T t21 = t17 ^ y20, t22 = t18 ^ y19, t23 = t19 ^ y21, t24 = t20 ^ y18;

  const T t25 = t21 ^ t22, t26 = t21 & t23, t27 = t24 ^ t26, t28 = t25 & t27, t29 = t28 ^ t22, t30 = t23 ^ t24;
  const T t31 = t22 ^ t26, t32 = t31 & t30, t33 = t32 ^ t24, t34 = t23 ^ t33, t35 = t27 ^ t33, t36 = t24 & t35;
  const T t37 = t36 ^ t34, t38 = t27 ^ t36, t39 = t29 & t38, t40 = t25 ^ t39;
  const T t41 = t40 ^ t37, t42 = t29 ^ t33, t43 = t29 ^ t40, t44 = t33 ^ t37, t45 = t42 ^ t41;

  const T z0 = t44 & y15, z1 = t37 & y6, z2 = t33 & x7, z3 = t43 & y16, z4 = t40 & y1, z5 = t29 & y7, z6 = t42 & y11;
  const T z7 = t45 & y17, z8 = t41 & y10, z9 = t44 & y12, z10 = t37 & y3, z11 = t33 & y4, z12 = t43 & y13;
  const T z13 = t40 & y5, z14 = t29 & y2, z15 = t42 & y9, z16 = t45 & y14, z17 = t41 & y8;

  const T t46 = z15 ^ z16, t47 = z10 ^ z11, t48 = z5 ^ z13, t49 = z9 ^ z10, t50 = z2 ^ z12, t51 = z2 ^ z5;
  const T t52 = z7 ^ z8, t53 = z0 ^ z3, t54 = z6 ^ z7, t55 = z16 ^ z17, t56 = z12 ^ t48, t57 = t50 ^ t53;
  const T t58 = z4 ^ t46, t59 = z3 ^ t54, t60 = t46 ^ t57, t61 = z14 ^ t57, t62 = t52 ^ t58, t63 = t49 ^ t58;
  const T t64 = z4 ^ t59, t65 = t61 ^ t62, t66 = z1 ^ t63;
  const T s0 = t59 ^ t63, s6 = ~(t56 ^ t62), s7 = ~(t48 ^ t60), t67 = t64 ^ t65;
  const T s3 = t53 ^ t66, s4 = t51 ^ t66, s5 = t47 ^ t65, s1 = ~(t64 ^ s3), s2 = ~(t55 ^ t67);

  state = {s7, s6, s5, s4, s3, s2, s1, s0};
}

// Column c of row r takes column c + r's place.
void shift_rows(State& state) noexcept {
  for (Slice& bits : state) {
    const Slice row1 = (bits & 0x00000000fff00000) >> 4 | (bits & 0x00000000000f0000) << 12;
    const Slice row2 = (bits & 0x0000ff0000000000) >> 8 | (bits & 0x000000ff00000000) << 8;
    const Slice row3 = (bits & 0xf000000000000000) >> 12 | (bits & 0x0fff000000000000) << 4;
    bits = (bits & 0x000000000000ffff) | row1 | row2 | row3;
  }
}

Slice next_row(const Slice& bits) noexcept { return bits >> 16 | bits << 48; }

Slice row_after_next(const Slice& bits) noexcept { return bits >> 32 | bits << 32; }

// FIPS 197 5.1.3: 2 a + 3 b + c + d for a byte and those below it, which is 2 (a + b) + b + (c + d).
void mix_columns(State& state) noexcept {
  State pair;
  State below;
  for (std::size_t i = 0; i < 8; ++i) {
    below[i] = next_row(state[i]);
    pair[i] = state[i] ^ below[i];
  }
  for (std::size_t i = 0; i < 8; ++i) state[i] = below[i] ^ row_after_next(pair[i]);
  // Times 2: bits move up, and the one that falls out comes back as x^4 + x^3 + x + 1.
  state[0] ^= pair[7];
  state[1] ^= pair[0] ^ pair[7];
  state[2] ^= pair[1];
  state[3] ^= pair[2] ^ pair[7];
  state[4] ^= pair[3] ^ pair[7];
  state[5] ^= pair[4];
  state[6] ^= pair[5];
  state[7] ^= pair[6];
}

void add_round_key(State& state, const Word (&round_key)[2]) noexcept {
  for (std::size_t i = 0; i < 8; ++i) {
    const std::uint64_t one_block = (round_key[i / 4] >> (i % 4)) & 0x1111111111111111;
    state[i] ^= (one_block << 4) - one_block;
  }
}

template <int kRounds>
void encrypt(const RoundKeys& keys, std::uint8_t (&blocks)[kChunk]) noexcept {
  State state;
  for (std::size_t w = 0; w < kWords; ++w) {
    const auto words = slice_bits(blocks + w * 4 * kBlockSize);
    for (std::size_t i = 0; i < 8; ++i) state[i][w] = words[i];
  }
  add_round_key(state, keys[0]);
  for (int round = 1; round < kRounds; ++round) {
    substitute(state);
    shift_rows(state);
    mix_columns(state);
    add_round_key(state, keys[round]);
  }
  substitute(state);
  shift_rows(state);
  add_round_key(state, keys[kRounds]);
  for (std::size_t w = 0; w < kWords; ++w) {
    std::array<std::uint64_t, 8> words;
    for (std::size_t i = 0; i < 8; ++i) words[i] = state[i][w];
    unslice_bits(words, blocks + w * 4 * kBlockSize);
  }
}

// FIPS 197 5.2 SubWord.
std::uint32_t substitute_word(std::uint32_t word) noexcept {
  std::array<std::uint64_t, 8> bits{word};
  transpose_bits(bits);
  substitute(bits);
  transpose_bits(bits);
  return static_cast<std::uint32_t>(bits[0]);
}

template <int kRounds>
void expand_key(RoundKeys& out, const std::uint8_t* key) noexcept {
  static constexpr std::uint8_t kRoundConstants[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36};
  constexpr std::size_t kKeyWords = kRounds - 6;
  constexpr std::size_t kScheduleWords = 4 * (kRounds + 1);
  std::uint32_t schedule[kScheduleWords];
  for (std::size_t i = 0; i < kScheduleWords; ++i) {
    if (i < kKeyWords) {
      schedule[i] = load_le32(key + 4 * i);
      continue;
    }
    std::uint32_t temp = schedule[i - 1];
    if (i % kKeyWords == 0) {
      temp = substitute_word(temp >> 8 | temp << 24) ^ kRoundConstants[i / kKeyWords - 1];
    } else if (kKeyWords > 6 && i % kKeyWords == 4) {
      temp = substitute_word(temp);
    }
    schedule[i] = schedule[i - kKeyWords] ^ temp;
  }
  for (std::size_t round = 0; round <= kRounds; ++round) {
    std::uint8_t block[4 * kBlockSize];
    for (std::size_t i = 0; i < 16; ++i) store_le32(block + 4 * i, schedule[4 * round + i % 4]);
    const auto words = slice_bits(block);
    for (std::size_t half = 0; half < 2; ++half) {
      std::uint64_t four = 0;
      for (std::size_t i = 0; i < 4; ++i) four |= words[4 * half + i] & (0x1111111111111111ULL << i);
      out[round][half] = four;
    }
    wipe(block, sizeof block);
  }
  wipe(schedule, sizeof schedule);
}

// The low 64 bits of the carry-less product. Every fourth bit of each factor meets every fourth bit of the other: at
// most 16 of them add up, and the carries stay within the three bits between, which are masked away.
std::uint64_t multiply_low(std::uint64_t a, std::uint64_t b) noexcept {
  constexpr std::uint64_t kMask = 0x1111111111111111;
  const std::uint64_t a0 = a & kMask, a1 = a & kMask << 1, a2 = a & kMask << 2, a3 = a & kMask << 3;
  const std::uint64_t b0 = b & kMask, b1 = b & kMask << 1, b2 = b & kMask << 2, b3 = b & kMask << 3;
  const std::uint64_t c0 = (a0 * b0) ^ (a1 * b3) ^ (a2 * b2) ^ (a3 * b1);
  const std::uint64_t c1 = (a0 * b1) ^ (a1 * b0) ^ (a2 * b3) ^ (a3 * b2);
  const std::uint64_t c2 = (a0 * b2) ^ (a1 * b1) ^ (a2 * b0) ^ (a3 * b3);
  const std::uint64_t c3 = (a0 * b3) ^ (a1 * b2) ^ (a2 * b1) ^ (a3 * b0);
  return (c0 & kMask) | (c1 & kMask << 1) | (c2 & kMask << 2) | (c3 & kMask << 3);
}

std::uint64_t reverse_bits(std::uint64_t x) noexcept {
  x = (x & 0x5555555555555555) << 1 | ((x >> 1) & 0x5555555555555555);
  x = (x & 0x3333333333333333) << 2 | ((x >> 2) & 0x3333333333333333);
  x = (x & 0x0f0f0f0f0f0f0f0f) << 4 | ((x >> 4) & 0x0f0f0f0f0f0f0f0f);
  return __builtin_bswap64(x);
}

// Byte-reversed blocks, as in the vectorised text: bit 63 of `high` is the coefficient of x^0.
struct Hash {
  std::uint64_t low;
  std::uint64_t high;
};

// hash H, modulo x^128 + x^7 + x^2 + x + 1.
Hash multiply(const GcmKey& key, Hash hash) noexcept {
  // Karatsuba: three products of 64 bits. The upper half of each is the lower one of the reversed factors, reversed.
  const std::uint64_t factor[3] = {hash.low, hash.high, hash.low ^ hash.high};
  std::uint64_t lower[3];
  std::uint64_t upper[3];
  for (std::size_t i = 0; i < 3; ++i) {
    lower[i] = multiply_low(factor[i], key.h[i]);
    upper[i] = reverse_bits(multiply_low(reverse_bits(factor[i]), key.h_reversed[i])) >> 1;
  }
  std::uint64_t product[4] = {
      lower[0],
      upper[0] ^ lower[0] ^ lower[1] ^ lower[2],
      lower[1] ^ upper[0] ^ upper[1] ^ upper[2],
      upper[1],
  };
  // The lowest words are the highest powers of x; x^128 is x^7 + x^2 + x + 1.
  for (std::size_t i = 0; i < 2; ++i) {
    const std::uint64_t word = product[i];
    product[i + 1] ^= word << 63 ^ word << 62 ^ word << 57;
    product[i + 2] ^= word ^ word >> 1 ^ word >> 2 ^ word >> 7;
  }
  return {product[2], product[3]};
}

// Adds bytes, zero padded to whole blocks.
Hash hash_bytes(const GcmKey& key, Hash hash, const std::uint8_t* from, std::size_t size) noexcept {
  std::uint8_t last[kBlockSize] = {};
  while (size != 0) {
    if (size < kBlockSize) {
      copy_short(last, from, size);
      from = last;
      size = kBlockSize;
    }
    hash.high ^= load_be64(from);
    hash.low ^= load_be64(from + 8);
    hash = multiply(key, hash);
    from += kBlockSize;
    size -= kBlockSize;
  }
  return hash;
}

template <int kRounds>
void keystream(const GcmKey& key, const std::uint8_t* nonce, std::uint32_t counter,
               std::uint8_t (&out)[kChunk]) noexcept {
  for (std::size_t i = 0; i < kBatch; ++i) {
    std::memcpy(out + i * kBlockSize, nonce, kNonceSize);
    store_le32(out + i * kBlockSize + kNonceSize, __builtin_bswap32(counter + static_cast<std::uint32_t>(i)));
  }
  encrypt<kRounds>(key.round_keys, out);
}

void add_bytes(std::uint8_t* to, const std::uint8_t* from, const std::uint8_t* stream, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) to[i] = from[i] ^ stream[i];
}

// The tag of a text whose ciphertext is hashed; `mask` is the encrypted counter block J0.
void finish(const GcmKey& key, Hash hash, const std::uint8_t* mask, std::size_t aad_size, std::size_t text_size,
            std::uint8_t (&tag)[kTagSize]) noexcept {
  hash.high ^= static_cast<std::uint64_t>(aad_size) * 8;
  hash.low ^= static_cast<std::uint64_t>(text_size) * 8;
  hash = multiply(key, hash);
  store_be64(tag, hash.high);
  store_be64(tag + 8, hash.low);
  add_bytes(tag, tag, mask, kTagSize);
}

// The first block of the first keystream is J0's, the text starts with the second.
template <int kRounds>
void seal_one(const GcmKey& key, const SealJob& job) noexcept {
  Gather source(job);
  const std::size_t size = source.size();
  Hash hash = hash_bytes(key, {0, 0}, job.aad.data(), job.aad.size());
  std::uint8_t mask[kBlockSize];
  std::uint8_t stream[kChunk];
  std::uint8_t text[kChunk];
  std::uint8_t* to = job.destination;
  std::uint32_t counter = 1;
  keystream<kRounds>(key, job.nonce, counter, stream);
  std::memcpy(mask, stream, kBlockSize);
  std::size_t used = kBlockSize;
  for (;;) {
    const std::size_t part = source.size() < kChunk - used ? source.size() : kChunk - used;
    source.copy(text, part);
    add_bytes(to, text, stream + used, part);
    hash = hash_bytes(key, hash, to, part);
    to += part;
    if (source.size() == 0) break;
    used = 0;
    counter += kBatch;
    keystream<kRounds>(key, job.nonce, counter, stream);
  }
  std::uint8_t tag[kTagSize];
  finish(key, hash, mask, job.aad.size(), size, tag);
  std::memcpy(to, tag, kTagSize);
  wipe(mask, sizeof mask);
  wipe(stream, sizeof stream);
  wipe(text, sizeof text);
}

template <int kRounds>
bool open_one(const GcmKey& key, const OpenJob& job) noexcept {
  if (job.source.size() < kTagSize) return false;
  const std::size_t size = job.source.size() - kTagSize;
  const std::uint8_t* from = job.source.data();
  Hash hash = hash_bytes(key, {0, 0}, job.aad.data(), job.aad.size());
  hash = hash_bytes(key, hash, from, size);
  std::uint8_t stream[kChunk];
  std::uint8_t tag[kTagSize];
  std::uint32_t counter = 1;
  keystream<kRounds>(key, job.nonce, counter, stream);
  finish(key, hash, stream, job.aad.size(), size, tag);
  const bool ok =
      made_public(((load_le64(tag) ^ load_le64(from + size)) | (load_le64(tag + 8) ^ load_le64(from + size + 8))) == 0);
  wipe(tag, sizeof tag);
  if (!ok) {
    wipe(job.destination, size);
  } else {
    std::uint8_t* to = job.destination;
    std::size_t used = kBlockSize;
    for (std::size_t left = size;;) {
      const std::size_t part = left < kChunk - used ? left : kChunk - used;
      add_bytes(to, from, stream + used, part);
      from += part;
      to += part;
      left -= part;
      if (left == 0) break;
      used = 0;
      counter += kBatch;
      keystream<kRounds>(key, job.nonce, counter, stream);
    }
  }
  wipe(stream, sizeof stream);
  return ok;
}

template <int kRounds>
void init(void* context, const std::uint8_t* key_bytes) noexcept {
  GcmKey& key = *new (context) GcmKey;
  expand_key<kRounds>(key.round_keys, key_bytes);
  std::uint8_t blocks[kChunk] = {};
  encrypt<kRounds>(key.round_keys, blocks);
  // H divided by x: shifted up by a bit, and the bit that falls out, x^0, becomes x^-1 = x^127 + x^6 + x + 1.
  const std::uint64_t high = load_be64(blocks);
  const std::uint64_t low = load_be64(blocks + 8);
  const std::uint64_t carry = 0 - (high >> 63);
  key.h[0] = low << 1 ^ (carry & 1);
  key.h[1] = (high << 1 | low >> 63) ^ (carry & 0xc200000000000000);
  key.h[2] = key.h[0] ^ key.h[1];
  for (std::size_t i = 0; i < 3; ++i) key.h_reversed[i] = reverse_bits(key.h[i]);
  wipe(blocks, sizeof blocks);
}

const GcmKey& key_of(const void* context) noexcept { return *static_cast<const GcmKey*>(context); }

template <int kRounds>
void seal_jobs(const void* context, std::span<const SealJob> jobs) noexcept {
  for (const SealJob& job : jobs) seal_one<kRounds>(key_of(context), job);
}

template <int kRounds>
std::size_t open_jobs(const void* context, std::span<OpenJob> jobs) noexcept {
  std::size_t right = 0;
  for (OpenJob& job : jobs) {
    job.ok = open_one<kRounds>(key_of(context), job);
    right += job.ok ? 1 : 0;
  }
  return right;
}

void destroy(void* context) noexcept { wipe(context, sizeof(GcmKey)); }

// RFC 9147 4.2.3, RFC 9001 5.4.3: the sample, encrypted.
struct MaskKey {
  RoundKeys round_keys;
};

template <int kRounds>
void init_mask(void* context, const std::uint8_t* key) noexcept {
  expand_key<kRounds>((new (context) MaskKey)->round_keys, key);
}

template <int kRounds>
void compute_masks(const void* context, std::span<const MaskJob> jobs) noexcept {
  const MaskKey& key = *static_cast<const MaskKey*>(context);
  std::uint8_t blocks[kChunk] = {};
  while (!jobs.empty()) {
    const auto now = jobs.first(jobs.size() < kBatch ? jobs.size() : kBatch);
    for (std::size_t i = 0; i < now.size(); ++i) std::memcpy(blocks + i * kBlockSize, now[i].sample, kBlockSize);
    encrypt<kRounds>(key.round_keys, blocks);
    for (std::size_t i = 0; i < now.size(); ++i)
      copy_short(now[i].mask.data(), blocks + i * kBlockSize, now[i].mask.size());
    jobs = jobs.subspan(now.size());
  }
  wipe(blocks, sizeof blocks);
}

void destroy_mask(void* context) noexcept { wipe(context, sizeof(MaskKey)); }

}  // namespace

const Aead kAes128Gcm{Algorithm::aes_128_gcm,
                      InstructionSet::portable,
                      "AES-128-GCM",
                      16,
                      sizeof(GcmKey),
                      init<10>,
                      seal_jobs<10>,
                      open_jobs<10>,
                      destroy};
const Aead kAes256Gcm{Algorithm::aes_256_gcm,
                      InstructionSet::portable,
                      "AES-256-GCM",
                      32,
                      sizeof(GcmKey),
                      init<14>,
                      seal_jobs<14>,
                      open_jobs<14>,
                      destroy};

const Mask kAes128Mask{MaskAlgorithm::aes_128, InstructionSet::portable, "AES-128",   16, sizeof(MaskKey),
                       init_mask<10>,          compute_masks<10>,        destroy_mask};
const Mask kAes256Mask{MaskAlgorithm::aes_256, InstructionSet::portable, "AES-256",   32, sizeof(MaskKey),
                       init_mask<14>,          compute_masks<14>,        destroy_mask};

}  // namespace lockstep::kernels::portable
