// AES-GCM (NIST SP 800-38D) over a vector layer: Block, Vector, kLanes and their operations. Include it inside the
// namespace and target region of an instruction set.
//
// A message runs through stages that share one pipeline:
// - bulk: chunks of 16 blocks (8 with 128-bit vectors). While one chunk is encrypted, another is hashed: the one before
//   it when sealing, the same one when opening. AES and carry-less multiplication use different parts of the
//   processor.
// - finish: what is left, less than a chunk, together with the tag's mask (the counter block J0) and the block of
//   lengths, so that a short message needs this stage alone.
//
// GHASH works on byte-reversed blocks, so that bit 127 is the coefficient of x^0. A carry-less product of two such
// blocks is the product times x; the powers of H are stored divided by x to make up for it.
//
// In bulk each lane of a vector is a hash of its own, of every kLanes-th block, in powers of H^kLanes that all lanes
// share. The hash so far is then a vector to be added to the next vector of blocks, whichever powers that one is
// multiplied by: lane i is short of H^i, which is what the powers of a vector in finish differ by.

inline constexpr std::size_t kBlockSize = 16;
inline constexpr std::size_t kWidth = kLanes * kBlockSize;
inline constexpr std::size_t kBatch = kLanes == 4 ? 4 : 8;  // vectors in a chunk
inline constexpr std::size_t kChunk = kBatch * kWidth;
inline constexpr std::size_t kAtOnce = 8;  // vectors that bulk encrypts side by side, to hide how long a round takes
inline constexpr std::size_t kGroup = 2 * kBatch;  // vectors that bulk hashes before it reduces
inline constexpr std::size_t kPowers = 17;         // a chunk of 16 blocks less a byte, and the block of lengths
inline constexpr std::size_t kEvenPowers = 8;

enum class JobKind : std::uint8_t { seal, open };

using RoundKeys = std::uint8_t[15][kBlockSize];  // the first 11 for AES-128

struct GcmKey {
  std::uint8_t powers[kPowers][kBlockSize];           // H^17, H^16 ... H, each divided by x
  std::uint8_t even_powers[kEvenPowers][kBlockSize];  // H^32, H^30 ... H^18, likewise
  std::uint8_t folded[kGroup][8];                     // both halves' exclusive or of bulk's powers, the lowest first
  RoundKeys round_keys;
};
static_assert(sizeof(GcmKey) <= kMaxContextSize);
static_assert(alignof(GcmKey) == 1, "the caller's storage has any alignment");

// H^exponent divided by x: up to 17, or even up to 32.
LOCKSTEP_INLINE constexpr std::size_t power_index(std::size_t exponent) {
  return exponent <= kPowers ? kPowers - exponent : kPowers + (32 - exponent) / 2;
}

LOCKSTEP_INLINE const std::uint8_t* power_of_h(const GcmKey& key, std::size_t exponent) {
  return reinterpret_cast<const std::uint8_t*>(&key) + power_index(exponent) * kBlockSize;
}

// An unreduced product, 256 bits: low + middle x^64 + high x^128.
template <class T>
struct Product {
  T low;
  T middle;
  T high;
};

LOCKSTEP_INLINE Block byte_reversal() { return make_block(0x08090a0b0c0d0e0f, 0x0001020304050607); }

// The order of bytes that turns a counter block whose last word is in the processor's order into the one of SP 800-38D.
LOCKSTEP_INLINE Block counter_order() { return make_block(0x0706050403020100, 0x0c0d0e0f0b0a0908); }

LOCKSTEP_INLINE Block reduction_polynomial() { return make_block(0xc200000000000000, 0); }

// SP 800-38D 6.3: reduces modulo x^128 + x^7 + x^2 + x + 1, in every lane. The lowest 64 bits, the highest powers of x,
// are folded upwards twice; each time the constant stands for x^7 + x^2 + x and the exchange of halves for 1.
template <class T>
LOCKSTEP_INLINE T reduce(const Product<T>& product, T polynomial) {
  T middle =
      bit_xor(product.middle, bit_xor(swap_halves(product.low), carryless_multiply<0, 0>(product.low, polynomial)));
  return bit_xor(bit_xor(product.high, swap_halves(middle)), carryless_multiply<0, 0>(middle, polynomial));
}

// Adds data times power to the sum; `folded_power` has the exclusive or of the power's halves in its low half.
// The middle is Karatsuba's until `unfold` makes it the true one.
template <class T>
LOCKSTEP_INLINE void multiply_add(Product<T>& sum, T data, T power, T folded_power) {
  sum.low = bit_xor(sum.low, carryless_multiply<0, 0>(data, power));
  sum.high = bit_xor(sum.high, carryless_multiply<1, 1>(data, power));
  sum.middle = bit_xor(sum.middle, carryless_multiply<0, 0>(bit_xor(data, swap_halves(data)), folded_power));
}

template <class T>
LOCKSTEP_INLINE void multiply_add(Product<T>& sum, T data, T power) {
  multiply_add(sum, data, power, bit_xor(power, swap_halves(power)));
}

template <class T>
LOCKSTEP_INLINE void unfold(Product<T>& sum) {
  sum.middle = bit_xor(sum.middle, bit_xor(sum.low, sum.high));
}

LOCKSTEP_INLINE Product<Block> no_product() { return {zero_block(), zero_block(), zero_block()}; }

LOCKSTEP_INLINE Block multiply(Block a, Block b) {
  Product<Block> product = no_product();
  multiply_add(product, a, b);
  unfold(product);
  return reduce(product, reduction_polynomial());
}

template <int kRounds>
LOCKSTEP_INLINE Block encrypt_block(const RoundKeys& keys, Block block) {
  Block state = bit_xor(block, load_block(keys[0]));
  for (int round = 1; round < kRounds; ++round) state = aes_round(state, load_block(keys[round]));
  return aes_last_round(state, load_block(keys[kRounds]));
}

// The counter block of a number, its last word in the processor's order (SP 800-38D 7.1 step 2; J0 is number 1).
LOCKSTEP_INLINE Block counter_block(const std::uint8_t* nonce, std::uint32_t number) {
  // Word by word, because the caller has just written the nonce and a load that spans two stores would wait for both.
  return make_block(load_le32(nonce) | static_cast<std::uint64_t>(load_le32(nonce + 4)) << 32,
                    load_le32(nonce + 8) | static_cast<std::uint64_t>(number) << 32);
}

// What is added to a vector of counter blocks: in lane i, factor times i, or the number of lanes.
LOCKSTEP_INLINE Vector lane_numbers() {
  alignas(64) static constexpr std::uint32_t kNumbers[16] = {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3};
  return load_vector(reinterpret_cast<const std::uint8_t*>(kNumbers));
}

LOCKSTEP_INLINE Vector counter_step() { return broadcast(make_block(0, std::uint64_t{kLanes} << 32)); }

// The state of one message.
struct Message {
  Vector counter;      // the next vector's counter blocks, the last word in the processor's order
  Vector hash;         // GHASH so far, byte-reversed, to be added to the next vector that is hashed
  Product<Block> sum;  // what has been multiplied already by the powers that `finish` will use
};

// Adds a block to the hash and multiplies.
LOCKSTEP_INLINE Block hash_block(const GcmKey& key, Block hash, Block data) {
  return multiply(bit_xor(hash, shuffle_bytes(data, byte_reversal())), load_block(power_of_h(key, 1)));
}

// 1 to 15 bytes of additional data, which the caller has just written.
LOCKSTEP_INLINE Block load_padded(const std::uint8_t* from, std::size_t size) {
  const Halves halves = load_written(from, size);
  return make_block(halves.low, halves.high);
}

// Starts a message; one that is shorter than a chunk goes straight to `finish`, which uses the power `final_power`
// last.
LOCKSTEP_INLINE Message begin(const GcmKey& key, const std::uint8_t* nonce, std::span<const std::uint8_t> aad,
                              std::size_t size) {
  Message message;
  message.counter = add_32(broadcast(counter_block(nonce, 2)), lane_numbers());
  message.sum = no_product();
  const std::size_t blocks = (size + kBlockSize - 1) / kBlockSize;
  if (aad.size() - 1 < kBlockSize - 1 && blocks + 2 <= kPowers && size < kChunk) {
    // One block, as in TLS: its product joins those of the text before they are reduced.
    const Block data = shuffle_bytes(load_padded(aad.data(), aad.size()), byte_reversal());
    multiply_add(message.sum, data, load_block(power_of_h(key, blocks + 2)));
    message.hash = zero_vector();
    return message;
  }
  Block hash = zero_block();
  const std::uint8_t* from = aad.data();
  std::size_t left = aad.size();
  for (; left >= kBlockSize; left -= kBlockSize, from += kBlockSize) hash = hash_block(key, hash, load_block(from));
  if (left != 0) hash = hash_block(key, hash, load_padded(from, left));
  message.hash = widen(hash);
  return message;
}

template <std::size_t kCount>
LOCKSTEP_INLINE void keep_order(Vector (&state)[kCount]) {
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kCount; ++i) pin(state[i]);
}

// Adds vector kIndex of those at `from` to the sum, of which the first is multiplied by the kFirstPower-th power of
// H^kLanes; `hash` is added to the first of a group.
template <std::size_t kIndex, std::size_t kFirstPower, bool kAddHash>
LOCKSTEP_INLINE void hash_vector(Product<Vector>& sum, const GcmKey& key, const std::uint8_t* from, Vector hash) {
  constexpr std::size_t kPower = kFirstPower - kIndex;
  Vector data = shuffle_bytes(load_vector(from + kIndex * kWidth), broadcast(byte_reversal()));
  if constexpr (kIndex == 0 && kAddHash) data = bit_xor(data, hash);
  multiply_add(sum, data, broadcast(load_block(power_of_h(key, kPower * kLanes))),
               broadcast_half(key.folded[kPower - 1]));
}

// Vectors kIndex to kEnd of kCount. The one that needs the hash so far comes last: it is still being reduced.
template <std::size_t kIndex, std::size_t kEnd, std::size_t kCount, std::size_t kFirstPower, bool kAddHash>
LOCKSTEP_INLINE void hash_vectors(Product<Vector>& sum, const GcmKey& key, const std::uint8_t* from, Vector hash) {
  if constexpr (kIndex < kEnd) {
    hash_vector<(kIndex + 1) % kCount, kFirstPower, kAddHash>(sum, key, from, hash);
    hash_vectors<kIndex + 1, kEnd, kCount, kFirstPower, kAddHash>(sum, key, from, hash);
  }
}

template <int kRounds, int kRound, std::size_t kCount, std::size_t kFirstPower, bool kAddHash>
LOCKSTEP_INLINE void rounds_of_vectors(Vector (&state)[kCount], Product<Vector>& sum, const GcmKey& key,
                                       const std::uint8_t* hashed, Vector hash) {
  if constexpr (kRound < kRounds) {
    const Vector round_key = broadcast(load_block(key.round_keys[kRound]));
    LOCKSTEP_UNROLL
    for (Vector& vector : state) vector = aes_round(vector, round_key);
    if constexpr (kFirstPower != 0) {
      constexpr std::size_t kInner = kRounds - 1;
      hash_vectors<(kRound - 1) * kCount / kInner, kRound * kCount / kInner, kCount, kFirstPower, kAddHash>(
          sum, key, hashed, hash);
    }
    keep_order(state);
    if constexpr (kFirstPower != 0) keep_order(sum.low, sum.middle, sum.high);
    rounds_of_vectors<kRounds, kRound + 1, kCount, kFirstPower, kAddHash>(state, sum, key, hashed, hash);
  }
}

// Encrypts or decrypts kCount vectors and, unless kFirstPower is 0, adds as many at `hashed` to the sum meanwhile.
template <int kRounds, std::size_t kCount, std::size_t kFirstPower, bool kAddHash>
LOCKSTEP_INLINE void crypt_vectors(const GcmKey& key, Message& message, Product<Vector>& sum, const std::uint8_t* from,
                                   std::uint8_t* to, const std::uint8_t* hashed) {
  const Vector order = broadcast(counter_order());
  const Vector step = counter_step();
  const Vector whitening = broadcast(load_block(key.round_keys[0]));
  Vector state[kCount];
  LOCKSTEP_UNROLL
  for (Vector& vector : state) {
    vector = bit_xor(shuffle_bytes(message.counter, order), whitening);
    message.counter = add_32(message.counter, step);
    keep_order(message.counter);
  }
  rounds_of_vectors<kRounds, 1, kCount, kFirstPower, kAddHash>(state, sum, key, hashed, message.hash);
  const Vector last = broadcast(load_block(key.round_keys[kRounds]));
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kCount; ++i) {
    // The round key is added last: adding the text to it beforehand encrypts the text.
    store(to + i * kWidth, aes_last_round(state[i], bit_xor(last, load_vector(from + i * kWidth))));
  }
}

LOCKSTEP_INLINE Product<Vector> no_vector_product() { return {zero_vector(), zero_vector(), zero_vector()}; }

LOCKSTEP_INLINE Vector reduce_sum(Product<Vector>& sum) {
  unfold(sum);
  return reduce(sum, broadcast(reduction_polynomial()));
}

// Encrypts or decrypts a group, hashes another one and reduces once.
template <int kRounds>
LOCKSTEP_INLINE void crypt_group(const GcmKey& key, Message& message, const std::uint8_t* from, std::uint8_t* to,
                                 const std::uint8_t* hashed) {
  Product<Vector> sum = no_vector_product();
  if constexpr (kGroup == kAtOnce) {
    crypt_vectors<kRounds, kGroup, kGroup, true>(key, message, sum, from, to, hashed);
  } else {
    crypt_vectors<kRounds, kBatch, kGroup, true>(key, message, sum, from, to, hashed);
    crypt_vectors<kRounds, kBatch, kBatch, false>(key, message, sum, from + kChunk, to + kChunk, hashed + kChunk);
  }
  message.hash = reduce_sum(sum);
}

// Encrypts or decrypts chunks and hashes as many: the same ones when opening, those `behind` bytes before when sealing.
template <int kRounds, JobKind kKind>
LOCKSTEP_INLINE void crypt_chunks(const GcmKey& key, Message& message, const std::uint8_t* from, std::uint8_t* to,
                                  std::size_t chunks, std::size_t behind) {
  const auto hashed = [&] { return kKind == JobKind::seal ? to - behind : from; };
  for (; chunks >= 2; chunks -= 2) {
    crypt_group<kRounds>(key, message, from, to, hashed());
    from += 2 * kChunk;
    to += 2 * kChunk;
  }
  if (chunks != 0) {
    Product<Vector> sum = no_vector_product();
    crypt_vectors<kRounds, kBatch, kBatch, true>(key, message, sum, from, to, hashed());
    message.hash = reduce_sum(sum);
  }
}

// Encrypts or decrypts vectors without hashing.
template <int kRounds, std::size_t kCount>
LOCKSTEP_INLINE void crypt_alone(const GcmKey& key, Message& message, const std::uint8_t* from, std::uint8_t* to) {
  Product<Vector> none = no_vector_product();
  crypt_vectors<kRounds, kCount, 0, false>(key, message, none, from, to, nullptr);
}

// Hashes a chunk, each lane by itself as in bulk.
LOCKSTEP_INLINE void hash_chunk(const GcmKey& key, Message& message, const std::uint8_t* from) {
  Product<Vector> sum = no_vector_product();
  hash_vectors<0, kBatch, kBatch, kBatch, true>(sum, key, from, message.hash);
  message.hash = reduce_sum(sum);
}

// Hashes a chunk and makes one block of the lanes.
LOCKSTEP_INLINE void hash_last_chunk(const GcmKey& key, Message& message, const std::uint8_t* from) {
  Product<Vector> sum = no_vector_product();
  const std::uint8_t* power = power_of_h(key, kBatch * kLanes);
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kBatch; ++i) {
    Vector data = shuffle_bytes(load_vector(from + i * kWidth), broadcast(byte_reversal()));
    if (i == 0) data = bit_xor(data, message.hash);
    multiply_add(sum, data, load_vector(power + i * kWidth));
  }
  message.hash = widen(fold_lanes(reduce_sum(sum)));
}

// Bytes of ones, then of zeros: loaded at kWidth * 2 - n it keeps n bytes of two vectors.
LOCKSTEP_INLINE const std::uint8_t* keep_mask(std::size_t bytes) {
  struct Table {
    std::uint8_t bytes[4 * kWidth];
  };
  alignas(64) static constexpr Table kTable = [] {
    Table table{};
    for (std::size_t i = 0; i < 2 * kWidth; ++i) table.bytes[i] = 0xff;
    return table;
  }();
  return kTable.bytes + 2 * kWidth - bytes;
}

// Ones in one lane.
LOCKSTEP_INLINE Vector lane_mask(std::size_t lane) {
  struct Table {
    std::uint8_t bytes[(2 * kLanes - 1) * kBlockSize];
  };
  alignas(64) static constexpr Table kTable = [] {
    Table table{};
    for (std::size_t i = 0; i < kBlockSize; ++i) table.bytes[(kLanes - 1) * kBlockSize + i] = 0xff;
    return table;
  }();
  return load_vector(kTable.bytes + (kLanes - 1 - lane) * kBlockSize);
}

// What is left of a message: less than a chunk. All but the last two of its vectors are at `whole`; those two are in
// `rest`, zero padded, when sealing, and still at `whole` when opening, where a tag follows them.
struct Remainder {
  const std::uint8_t* whole;
  std::uint8_t* rest;  // two vectors
  std::uint8_t* to;
  std::size_t size;         // of the remainder
  std::uint64_t aad_size;   // of the message, in bytes
  std::uint64_t text_size;  // likewise
};

// Encrypts or decrypts the remainder and returns the tag. One more block follows the text in the same vectors: J0 where
// AES works, the lengths where GHASH does. Sealing writes the text to `to`, and up to 16 bytes more, where the tag will
// stand; opening writes the last two vectors to `rest` instead.
template <int kRounds, JobKind kKind, std::size_t kVectors>
Block finish_vectors(const GcmKey& key, Block j0, Vector counter, Vector hash, const Product<Block>& sum_before,
                     const Remainder& remainder) {
  constexpr std::size_t kWhole = kVectors > 2 ? kVectors - 2 : 0;  // vectors at `whole`
  const Vector order = broadcast(counter_order());
  const std::size_t blocks = (remainder.size + kBlockSize - 1) / kBlockSize;
  const std::size_t free_lane = blocks % kLanes;
  const Vector free = lane_mask(free_lane);

  Vector state[kVectors];
  const Vector step = counter_step();
  const Vector whitening = broadcast(load_block(key.round_keys[0]));
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kVectors; ++i) {
    const Vector block = i + 1 < kVectors ? counter : select(free, broadcast(j0), counter);
    state[i] = bit_xor(shuffle_bytes(block, order), whitening);
    counter = add_32(counter, step);
  }
  LOCKSTEP_UNROLL
  for (int round = 1; round < kRounds; ++round) {
    const Vector round_key = broadcast(load_block(key.round_keys[round]));
    LOCKSTEP_UNROLL
    for (std::size_t i = 0; i < kVectors; ++i) state[i] = aes_round(state[i], round_key);
  }
  const Vector last = broadcast(load_block(key.round_keys[kRounds]));
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kVectors; ++i) state[i] = aes_last_round(state[i], last);
  const Block tag_mask = fold_lanes(bit_and(state[kVectors - 1], free));

  // SP 800-38D 7.1 step 5: the lengths in bits, each as a 64-bit number; byte-reversed, the second stands low.
  const Block lengths = make_block(remainder.text_size * 8, remainder.aad_size * 8);
  const std::uint8_t* power = power_of_h(key, blocks + 1);
  const std::uint8_t* keep = keep_mask(remainder.size - kWhole * kWidth);
  Product<Vector> sum{widen(sum_before.low), widen(sum_before.middle), widen(sum_before.high)};
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kVectors; ++i) {
    std::uint8_t* const at_rest = remainder.rest + (i < kWhole ? 0 : i - kWhole) * kWidth;
    const std::uint8_t* const at_whole = remainder.whole + i * kWidth;
    Vector text;
    if (kKind == JobKind::seal && i >= kWhole) {
      text = load_blocks(at_rest);
    } else if (kKind == JobKind::open && i + 1 == kVectors) {
      text = load_lanes(at_whole, free_lane);
    } else {
      text = load_vector(at_whole);
    }
    const Vector result = bit_xor(state[i], text);
    Vector data = kKind == JobKind::seal ? result : text;
    if (i >= kWhole) data = bit_and(data, load_vector(keep + (i - kWhole) * kWidth));
    data = shuffle_bytes(data, broadcast(byte_reversal()));
    if (i == 0) data = bit_xor(data, hash);
    if (i + 1 == kVectors) data = bit_xor(data, bit_and(free, broadcast(lengths)));
    multiply_add(sum, data, load_vector(power + i * kWidth));
    if (i < kWhole || (kKind == JobKind::seal && i + 1 < kVectors)) {
      store(remainder.to + i * kWidth, result);
    } else if (kKind == JobKind::open) {
      store(at_rest, result);
    } else {
      store_lanes(remainder.to + i * kWidth, result, free_lane);
    }
  }
  return bit_xor(shuffle_bytes(fold_lanes(reduce_sum(sum)), byte_reversal()), tag_mask);
}

template <int kRounds, JobKind kKind>
LOCKSTEP_INLINE Block finish(const GcmKey& key, const std::uint8_t* nonce, const Message& message,
                             const Remainder& remainder, std::size_t vectors) {
  const Block j0 = counter_block(nonce, 1);
  switch (vectors) {
#define LOCKSTEP_FINISH(count) \
  case count:                  \
    return finish_vectors<kRounds, kKind, count>(key, j0, message.counter, message.hash, message.sum, remainder)
    LOCKSTEP_FINISH(1);
    LOCKSTEP_FINISH(2);
    LOCKSTEP_FINISH(3);
    LOCKSTEP_FINISH(4);
    default:
      if constexpr (kBatch > 4) {
        switch (vectors) {
          LOCKSTEP_FINISH(5);
          LOCKSTEP_FINISH(6);
          LOCKSTEP_FINISH(7);
          LOCKSTEP_FINISH(8);
          default: break;
        }
      }
      return finish_vectors<kRounds, kKind, kBatch + 1>(key, j0, message.counter, message.hash, message.sum, remainder);
#undef LOCKSTEP_FINISH
  }
}

// The number of vectors that hold the text and one block more.
LOCKSTEP_INLINE std::size_t finish_width(std::size_t size) { return (size + kBlockSize - 1) / kBlockSize / kLanes + 1; }

// Clears the bytes of the last two vectors.
LOCKSTEP_INLINE void wipe_rest(std::uint8_t* rest) {
  store(rest, zero_vector());
  store(rest + kWidth, zero_vector());
  asm volatile("" : : "r"(rest) : "memory");
}

// Fills the last two vectors with `size` bytes, one more if there is one, and zeros. Each block is stored once and
// whole, as it will be loaded.
LOCKSTEP_INLINE void stage_rest(std::uint8_t* rest, const std::uint8_t* from, std::size_t size,
                                const std::uint8_t* byte) {
  LOCKSTEP_UNROLL
  for (std::size_t at = 0; at < 2 * kWidth; at += kBlockSize) {
    Block block = zero_block();
    if (size >= at + kBlockSize) {
      block = load_block(from + at);
    } else if (size >= at) {
      const std::size_t part = size - at;
      Halves halves = part == 0 ? Halves{0, 0} : load_short(from + at, part);
      if (byte != nullptr) {
        const std::uint64_t last = std::uint64_t{*byte} << (part % 8 * 8);
        halves.low |= part < 8 ? last : 0;
        halves.high |= part < 8 ? 0 : last;
      }
      block = make_block(halves.low, halves.high);
    }
    store(rest + at, block);
  }
}

// The chunks of a text that is longer than one.
template <int kRounds>
[[gnu::noinline]] std::uint8_t* seal_chunks(const GcmKey& key, Message& shared, Gather& source, std::uint8_t* to) {
  Message message = shared;
  alignas(64) std::uint8_t scratch[kChunk];
  bool used_scratch = false;
  std::size_t unhashed = 0;  // chunks before `to`
  while (source.size() >= kChunk) {
    std::size_t chunks = source.run() / kChunk;
    const std::uint8_t* from = scratch;
    if (chunks != 0) {
      from = source.take(chunks * kChunk);
    } else {
      source.copy(scratch, kChunk);
      used_scratch = true;
      chunks = 1;
    }
    if (kAtOnce != kBatch && chunks >= 2 && unhashed < 2) {
      if (unhashed == 1) hash_chunk(key, message, to - kChunk);
      crypt_alone<kRounds, kAtOnce>(key, message, from, to);
      unhashed = 2;
      from += 2 * kChunk;
      to += 2 * kChunk;
      chunks -= 2;
    } else if (unhashed == 0) {
      crypt_alone<kRounds, kBatch>(key, message, from, to);
      unhashed = 1;
      from += kChunk;
      to += kChunk;
      chunks -= 1;
    }
    crypt_chunks<kRounds, JobKind::seal>(key, message, from, to, chunks, unhashed * kChunk);
    to += chunks * kChunk;
  }
  if (unhashed == 2) hash_chunk(key, message, to - 2 * kChunk);
  hash_last_chunk(key, message, to - kChunk);
  if (used_scratch) wipe(scratch, sizeof scratch);
  shared = message;
  return to;
}

template <int kRounds>
void seal_one(const GcmKey& key, const SealJob& job) {
  Gather source(job);
  const std::size_t size = source.size();
  std::uint8_t* to = job.destination;
  Message message = begin(key, job.nonce, job.aad, size);
  if (size >= kChunk) to = seal_chunks<kRounds>(key, message, source, to);
  const std::size_t left = source.size();
  const std::size_t vectors = finish_width(left);
  const std::size_t whole_size = vectors > 2 ? (vectors - 2) * kWidth : 0;
  alignas(64) std::uint8_t rest[2 * kWidth];
  alignas(64) std::uint8_t scratch[kChunk];
  const std::uint8_t* whole = scratch;
  const std::size_t run = source.run();
  if (left - run <= 1) {
    // One piece, and the content type of TLS 1.3 if there is one.
    whole = source.take(run);
    stage_rest(rest, whole + whole_size, run - whole_size, left == run ? nullptr : source.last_byte());
  } else {
    if (run >= whole_size) {
      whole = source.take(whole_size);
    } else {
      source.copy(scratch, whole_size);
    }
    store(rest, zero_vector());
    store(rest + kWidth, zero_vector());
    source.copy(rest, left - whole_size);
  }
  const Remainder remainder{whole, rest, to, left, job.aad.size(), size};
  store(to + left, finish<kRounds, JobKind::seal>(key, job.nonce, message, remainder, vectors));
  wipe_rest(rest);
  if (whole == scratch) wipe(scratch, sizeof scratch);
}

template <int kRounds>
[[gnu::noinline]] void open_chunks(const GcmKey& key, Message& shared, const std::uint8_t* from, std::uint8_t* to,
                                   std::size_t size) {
  Message message = shared;
  std::size_t chunks = size / kChunk;
  // The lanes of bulk's hash go into the first vector of `finish`, if it is one of as many blocks; else they are made
  // one here.
  const bool fill_a_vector = size % kChunk + kBlockSize > kWidth - kBlockSize;
  if (!fill_a_vector) --chunks;
  crypt_chunks<kRounds, JobKind::open>(key, message, from, to, chunks, 0);
  if (!fill_a_vector) {
    hash_last_chunk(key, message, from + chunks * kChunk);
    crypt_alone<kRounds, kBatch>(key, message, from + chunks * kChunk, to + chunks * kChunk);
  }
  shared = message;
}

template <int kRounds>
bool open_one(const GcmKey& key, OpenJob& job) {
  if (job.source.size() < kTagSize) return false;
  const std::size_t size = job.source.size() - kTagSize;
  const std::uint8_t* from = job.source.data();
  std::uint8_t* to = job.destination;
  Message message = begin(key, job.nonce, job.aad, size);
  const std::size_t left = size % kChunk;
  if (size >= kChunk) {
    open_chunks<kRounds>(key, message, from, to, size);
    from += size - left;
    to += size - left;
  }
  const std::size_t vectors = finish_width(left);
  const std::size_t whole_size = vectors > 2 ? (vectors - 2) * kWidth : 0;
  alignas(64) std::uint8_t rest[2 * kWidth];
  const Block received = load_block(from + left);
  const Remainder remainder{from, rest, to, left, job.aad.size(), size};
  const Block tag = finish<kRounds, JobKind::open>(key, job.nonce, message, remainder, vectors);
  copy_short(to + whole_size, rest, left - whole_size);
  wipe_rest(rest);
  if (!made_public(equal_in_constant_time(tag, received))) {
    wipe(job.destination, size);
    return false;
  }
  return true;
}

template <int kRounds>
void seal_jobs(const void* context, std::span<const SealJob> jobs) noexcept {
  const GcmKey& key = *static_cast<const GcmKey*>(context);
  for (const SealJob& job : jobs) seal_one<kRounds>(key, job);
}

template <int kRounds>
std::size_t open_jobs(const void* context, std::span<OpenJob> jobs) noexcept {
  const GcmKey& key = *static_cast<const GcmKey*>(context);
  std::size_t right = 0;
  for (OpenJob& job : jobs) {
    job.ok = open_one<kRounds>(key, job);
    right += job.ok ? 1 : 0;
  }
  return right;
}

// FIPS 197 5.2, with `temp` in every word: the word before, after SubWord and, if kRotate, RotWord.
template <bool kRotate>
LOCKSTEP_INLINE Block key_schedule_word(Block before, std::uint32_t round_constant) {
  const Block last =
      kRotate ? make_block(0x0c0f0e0d0c0f0e0d, 0x0c0f0e0d0c0f0e0d) : make_block(0x0f0e0d0c0f0e0d0c, 0x0f0e0d0c0f0e0d0c);
  const std::uint64_t both = round_constant | static_cast<std::uint64_t>(round_constant) << 32;
  // With four equal columns ShiftRows changes nothing, so that the last round is SubBytes and the addition of a
  // constant.
  return aes_last_round(shuffle_bytes(before, last), make_block(both, both));
}

LOCKSTEP_INLINE Block next_round_key(Block key, Block word) {
  key = bit_xor(key, shift_bytes_up<4>(key));
  key = bit_xor(key, shift_bytes_up<8>(key));
  return bit_xor(key, word);
}

template <int kRounds>
LOCKSTEP_INLINE void expand_key(RoundKeys& out, const std::uint8_t* key) {
  static constexpr std::uint8_t kRoundConstants[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36};
  Block even = load_block(key);
  store(out[0], even);
  if constexpr (kRounds == 10) {
    for (int round = 1; round <= kRounds; ++round) {
      even = next_round_key(even, key_schedule_word<true>(even, kRoundConstants[round - 1]));
      store(out[round], even);
    }
  } else {
    Block odd = load_block(key + kBlockSize);
    store(out[1], odd);
    for (int round = 2; round <= kRounds; round += 2) {
      even = next_round_key(even, key_schedule_word<true>(odd, kRoundConstants[round / 2 - 1]));
      store(out[round], even);
      if (round < kRounds) {
        odd = next_round_key(odd, key_schedule_word<false>(even, 0));
        store(out[round + 1], odd);
      }
    }
  }
}

LOCKSTEP_INLINE void multiply_halves(GcmKey& key, std::size_t exponent) {
  const Block low = load_block(power_of_h(key, exponent / 2));
  const Block high = load_block(power_of_h(key, exponent - exponent / 2));
  store(reinterpret_cast<std::uint8_t*>(&key) + power_index(exponent) * kBlockSize, multiply(low, high));
}

template <int kRounds>
void init(void* context, const std::uint8_t* key_bytes) noexcept {
  GcmKey& key = *new (context) GcmKey{};
  expand_key<kRounds>(key.round_keys, key_bytes);

  std::uint8_t bytes[kBlockSize];
  store(bytes, shuffle_bytes(encrypt_block<kRounds>(key.round_keys, zero_block()), byte_reversal()));
  // H divided by x: shifted up by a bit, and the bit that falls out, x^0, becomes x^-1 = x^127 + x^6 + x + 1.
  const std::uint64_t low = load_le64(bytes);
  const std::uint64_t high = load_le64(bytes + 8);
  const std::uint64_t carry = 0 - (high >> 63);
  const Block h = make_block((low << 1) ^ (carry & 1), ((high << 1) | (low >> 63)) ^ (carry & 0xc200000000000000));
  wipe(bytes, sizeof bytes);

  // Each power of its two halves: a chain from one to the next would wait for every multiplication in turn.
  store(key.powers[kPowers - 1], h);
  for (std::size_t exponent = 2; exponent <= kPowers; ++exponent) multiply_halves(key, exponent);
  for (std::size_t exponent = kPowers + 1; exponent <= 32; exponent += 2) multiply_halves(key, exponent);
  for (std::size_t i = 0; i < kGroup; ++i) {
    const std::uint8_t* const from = power_of_h(key, (i + 1) * kLanes);
    store_le64(key.folded[i], load_le64(from) ^ load_le64(from + 8));
  }
}

inline void destroy(void* context) noexcept { wipe(context, sizeof(GcmKey)); }

const Aead kAes128Gcm{Algorithm::aes_128_gcm, kInstructionSet, "AES-128-GCM", 16, sizeof(GcmKey), init<10>,
                      seal_jobs<10>,          open_jobs<10>,   destroy};
const Aead kAes256Gcm{Algorithm::aes_256_gcm, kInstructionSet, "AES-256-GCM", 32, sizeof(GcmKey), init<14>,
                      seal_jobs<14>,          open_jobs<14>,   destroy};
