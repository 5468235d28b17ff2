// AES-GCM (NIST SP 800-38D) over a vector layer: Block, Vector, kLanes and their operations. Include it inside the
// namespace and target region of an instruction set.
//
// A message runs through three stages that share one pipeline:
// - bulk: chunks of 16 blocks (8 with 128-bit vectors). While one chunk is encrypted, another is hashed: the one before
// it when
//   sealing, the same one when opening. AES and carry-less multiplication use different parts of the processor.
// - finish: what is left, less than a chunk, together with the tag's mask (the counter block J0) and the block of
// lengths, so that
//   a short message needs this stage alone.
//
// GHASH works on byte-reversed blocks, so that bit 127 is the coefficient of x^0. A carry-less product of two such
// blocks is the product times x; the powers of H are stored divided by x to make up for it.

inline constexpr std::size_t kBlockSize = 16;
inline constexpr std::size_t kWidth = kLanes * kBlockSize;
inline constexpr std::size_t kPowers = 17;  // a chunk of 16 blocks less a byte, and the block of lengths
inline constexpr std::size_t kBatch = kLanes == 4 ? 4 : 8;  // vectors in a chunk
inline constexpr std::size_t kChunk = kBatch * kWidth;
inline constexpr std::size_t kFolded = 8;  // blocks in which the folded powers are stored

enum class Direction : std::uint8_t { seal, open };

struct GcmKey {
  std::uint8_t powers[kPowers][kBlockSize];  // H^17, H^16 ... H, each divided by x
  // The exclusive or of both halves of H^16 ... H, for Karatsuba's middle product in bulk: that of H^(8+i) is in the
  // high half, that of H^i in the low one.
  std::uint8_t folded[kFolded][kBlockSize];
  std::uint8_t round_keys[15][kBlockSize];  // the first 11 for AES-128
};
static_assert(sizeof(GcmKey) <= kMaxContextSize);
static_assert(alignof(GcmKey) == 1, "the caller's storage has any alignment");

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

// SP 800-38D 6.3: reduces modulo x^128 + x^7 + x^2 + x + 1, in every lane. The lowest 64 bits, the highest powers of x,
// are folded upwards twice; each time the constant stands for x^7 + x^2 + x and the exchange of halves for 1.
template <class T>
LOCKSTEP_INLINE T reduce(const Product<T>& product, T polynomial) {
  T middle =
      bit_xor(product.middle, bit_xor(swap_halves(product.low), carryless_multiply<0, 0>(product.low, polynomial)));
  return bit_xor(bit_xor(product.high, swap_halves(middle)), carryless_multiply<0, 0>(middle, polynomial));
}

LOCKSTEP_INLINE Block reduction_polynomial() { return make_block(0xc200000000000000, 0); }

// Adds data times power to the sum; `folded_power` has the exclusive or of the power's halves in half kHalf.
// The middle is Karatsuba's until `unfold` makes it the true one.
template <int kHalf, class T>
LOCKSTEP_INLINE void multiply_add(Product<T>& sum, T data, T power, T folded_power) {
  sum.low = bit_xor(sum.low, carryless_multiply<0, 0>(data, power));
  sum.high = bit_xor(sum.high, carryless_multiply<1, 1>(data, power));
  sum.middle = bit_xor(sum.middle, carryless_multiply<0, kHalf>(bit_xor(data, swap_halves(data)), folded_power));
}

template <class T>
LOCKSTEP_INLINE void multiply_add(Product<T>& sum, T data, T power) {
  multiply_add<0>(sum, data, power, bit_xor(power, swap_halves(power)));
}

template <class T>
LOCKSTEP_INLINE void unfold(Product<T>& sum) {
  sum.middle = bit_xor(sum.middle, bit_xor(sum.low, sum.high));
}

LOCKSTEP_INLINE Block multiply(Block a, Block b) {
  Product<Block> product{zero_block(), zero_block(), zero_block()};
  multiply_add(product, a, b);
  unfold(product);
  return reduce(product, reduction_polynomial());
}

template <int kRounds>
LOCKSTEP_INLINE Block encrypt_block(const GcmKey& key, Block block) {
  Block state = bit_xor(block, load_block(key.round_keys[0]));
  for (int round = 1; round < kRounds; ++round) {
    state = aes_round(state, load_block(key.round_keys[round]));
  }
  return aes_last_round(state, load_block(key.round_keys[kRounds]));
}

// The state of one message.
struct Message {
  Block hash;      // GHASH so far, byte-reversed
  Vector counter;  // the next vector's counter blocks, the last word in the processor's order
  Block j0;        // SP 800-38D 7.1 step 2, likewise
};

LOCKSTEP_INLINE Vector lane_numbers(std::uint32_t factor) {
  alignas(64) static constexpr std::uint32_t kNumbers[16] = {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3};
  alignas(64) static constexpr std::uint32_t kStep[4] = {0, 0, 0, kLanes};
  return factor == 0 ? load_vector(reinterpret_cast<const std::uint8_t*>(kNumbers))
                     : broadcast(load_block(reinterpret_cast<const std::uint8_t*>(kStep)));
}

// Hashes additional data, zero padded.
LOCKSTEP_INLINE Block hash_additional_data(const GcmKey& key, std::span<const std::uint8_t> aad) {
  const Block h = load_block(key.powers[kPowers - 1]);
  Block hash = zero_block();
  const std::uint8_t* from = aad.data();
  std::size_t left = aad.size();
  for (; left >= kBlockSize; left -= kBlockSize, from += kBlockSize) {
    hash = multiply(bit_xor(hash, shuffle_bytes(load_block(from), byte_reversal())), h);
  }
  if (left != 0) {
    std::uint8_t last[kBlockSize] = {};
    copy_short(last, from, left);
    hash = multiply(bit_xor(hash, shuffle_bytes(load_block(last), byte_reversal())), h);
  }
  return hash;
}

template <int kRounds>
LOCKSTEP_INLINE Message begin(const GcmKey& key, const std::uint8_t* nonce, std::span<const std::uint8_t> aad) {
  std::uint8_t block[kBlockSize] = {};
  std::memcpy(block, nonce, kNonceSize);
  block[12] = 1;
  Message message;
  message.j0 = load_block(block);
  block[12] = 2;
  message.counter = add_32(broadcast(load_block(block)), lane_numbers(0));
  message.hash = hash_additional_data(key, aad);
  return message;
}

// Adds vector `index` of a chunk at `from` to the sum.
template <std::size_t kIndex>
LOCKSTEP_INLINE void hash_vector(Product<Vector>& sum, const GcmKey& key, const std::uint8_t* from, Vector reversal,
                                 Vector first) {
  constexpr std::size_t kBlocks = kBatch * kLanes;
  constexpr std::size_t kHighest = kBlocks - kIndex * kLanes;  // the power for the first lane
  Vector data = shuffle_bytes(load_vector(from + kIndex * kWidth), reversal);
  if constexpr (kIndex == 0) {
    data = bit_xor(data, first);
  }
  const Vector power = load_vector(key.powers[kPowers - kHighest]);
  const Vector folded = load_vector(key.folded[(2 * kFolded - kHighest) % kFolded]);
  multiply_add<(kHighest > kFolded ? 1 : 0)>(sum, data, power, folded);
}

template <std::size_t kIndex, std::size_t kEnd>
LOCKSTEP_INLINE void hash_vectors(Product<Vector>& sum, const GcmKey& key, const std::uint8_t* from, Vector reversal,
                                  Vector first) {
  if constexpr (kIndex < kEnd) {
    // The vector that needs the hash so far comes last: it is still being reduced.
    hash_vector<(kIndex + 1) % kBatch>(sum, key, from, reversal, first);
    hash_vectors<kIndex + 1, kEnd>(sum, key, from, reversal, first);
  }
}

template <int kRounds, int kRound, bool kHash>
LOCKSTEP_INLINE void chunk_rounds(Vector (&state)[kBatch], Product<Vector>& sum, const GcmKey& key,
                                  const std::uint8_t* hashed, Vector reversal, Vector first) {
  if constexpr (kRound < kRounds) {
    const Vector round_key = broadcast(load_block(key.round_keys[kRound]));
    LOCKSTEP_UNROLL
    for (std::size_t i = 0; i < kBatch; ++i) {
      state[i] = aes_round(state[i], round_key);
    }
    if constexpr (kHash) {
      constexpr std::size_t kInner = kRounds - 1;
      hash_vectors<(kRound - 1) * kBatch / kInner, kRound * kBatch / kInner>(sum, key, hashed, reversal, first);
    }
    chunk_rounds<kRounds, kRound + 1, kHash>(state, sum, key, hashed, reversal, first);
  }
}

// Encrypts or decrypts a chunk; with kHash, hashes the chunk at `hashed` meanwhile.
template <int kRounds, bool kHash>
LOCKSTEP_INLINE void crypt_chunk(const GcmKey& key, Message& message, const std::uint8_t* from, std::uint8_t* to,
                                 const std::uint8_t* hashed) {
  const Vector order = broadcast(counter_order());
  const Vector reversal = broadcast(byte_reversal());
  const Vector step = lane_numbers(1);
  const Vector whitening = broadcast(load_block(key.round_keys[0]));
  Vector state[kBatch];
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kBatch; ++i) {
    state[i] = bit_xor(shuffle_bytes(message.counter, order), whitening);
    message.counter = add_32(message.counter, step);
  }
  Product<Vector> sum{zero_vector(), zero_vector(), zero_vector()};
  chunk_rounds<kRounds, 1, kHash>(state, sum, key, hashed, reversal, widen(message.hash));
  const Vector last = broadcast(load_block(key.round_keys[kRounds]));
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kBatch; ++i) {
    // The round key is added last: adding the text to it beforehand encrypts the text.
    store(to + i * kWidth, aes_last_round(state[i], bit_xor(last, load_vector(from + i * kWidth))));
  }
  if constexpr (kHash) {
    unfold(sum);
    message.hash = fold_lanes(reduce(sum, broadcast(reduction_polynomial())));
  }
}

template <std::size_t kIndex = 0>
LOCKSTEP_INLINE void hash_chunk(const GcmKey& key, Message& message, const std::uint8_t* from) {
  Product<Vector> sum{zero_vector(), zero_vector(), zero_vector()};
  hash_vectors<0, kBatch>(sum, key, from, broadcast(byte_reversal()), widen(message.hash));
  unfold(sum);
  message.hash = fold_lanes(reduce(sum, broadcast(reduction_polynomial())));
}

// kWidth * 2 bytes of ones, then as many zeros: loaded at kWidth * 2 - n it keeps n bytes of two vectors.
LOCKSTEP_INLINE const std::uint8_t* keep_mask(std::size_t bytes) {
  struct Table {
    std::uint8_t bytes[4 * kWidth];
  };
  alignas(64) static constexpr Table kTable = [] {
    Table table{};
    for (std::size_t i = 0; i < 2 * kWidth; ++i) {
      table.bytes[i] = 0xff;
    }
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
    for (std::size_t i = 0; i < kBlockSize; ++i) {
      table.bytes[(kLanes - 1) * kBlockSize + i] = 0xff;
    }
    return table;
  }();
  return load_vector(kTable.bytes + (kLanes - 1 - lane) * kBlockSize);
}

// What is left of a message: `size` bytes, less than a chunk, of which all but those in the last two vectors are at
// `whole` and the rest, zero padded, in `rest`. One more block follows the text in the same vectors: J0 where AES
// works, the lengths where GHASH does. Returns the tag. Sealing writes the text to `to`, and up to 16 bytes more, where
// the tag will stand; opening writes the bytes of the last two vectors to `rest` instead.
template <int kRounds, Direction kDirection, std::size_t kVectors>
Block finish_vectors(const GcmKey& key, const Message& message, const std::uint8_t* whole, std::uint8_t* rest,
                     std::uint8_t* to, std::size_t size, std::uint64_t aad_size, std::uint64_t text_size) {
  constexpr std::size_t kWhole = kVectors > 2 ? kVectors - 2 : 0;  // vectors at `whole`
  const Vector order = broadcast(counter_order());
  const Vector reversal = broadcast(byte_reversal());
  const std::size_t blocks = (size + kBlockSize - 1) / kBlockSize;
  const std::size_t free_lane = blocks % kLanes;
  const Vector free = lane_mask(free_lane);

  Vector state[kVectors];
  Vector counter = message.counter;
  const Vector step = lane_numbers(1);
  const Vector whitening = broadcast(load_block(key.round_keys[0]));
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kVectors; ++i) {
    const Vector block = i + 1 < kVectors ? counter : select(free, broadcast(message.j0), counter);
    state[i] = bit_xor(shuffle_bytes(block, order), whitening);
    counter = add_32(counter, step);
  }
  for (int round = 1; round < kRounds; ++round) {
    const Vector round_key = broadcast(load_block(key.round_keys[round]));
    LOCKSTEP_UNROLL
    for (std::size_t i = 0; i < kVectors; ++i) {
      state[i] = aes_round(state[i], round_key);
    }
  }
  const Vector last = broadcast(load_block(key.round_keys[kRounds]));
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kVectors; ++i) {
    state[i] = aes_last_round(state[i], last);
  }
  const Block tag_mask = fold_lanes(bit_and(state[kVectors - 1], free));

  // SP 800-38D 7.1 step 5: the lengths in bits, each as a 64-bit number; byte-reversed, the second stands low.
  const Block lengths = make_block(text_size * 8, aad_size * 8);
  const std::uint8_t* power = key.powers[kPowers - 1 - blocks];
  const std::uint8_t* keep = keep_mask(size - kWhole * kWidth);
  Product<Vector> sum{zero_vector(), zero_vector(), zero_vector()};
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kVectors; ++i) {
    std::uint8_t* const at_rest = rest + (i < kWhole ? 0 : i - kWhole) * kWidth;
    const Vector text = load_vector(i < kWhole ? whole + i * kWidth : at_rest);
    const Vector result = bit_xor(state[i], text);
    Vector data = kDirection == Direction::seal ? result : text;
    if (i >= kWhole) {
      data = bit_and(data, load_vector(keep + (i - kWhole) * kWidth));
    }
    data = shuffle_bytes(data, reversal);
    if (i == 0) {
      data = bit_xor(data, widen(message.hash));
    }
    if (i + 1 == kVectors) {
      data = bit_xor(data, bit_and(free, broadcast(lengths)));
    }
    multiply_add(sum, data, load_vector(power + i * kWidth));
    if (i < kWhole || (kDirection == Direction::seal && i + 1 < kVectors)) {
      store(to + i * kWidth, result);
    } else if (kDirection == Direction::open) {
      store(at_rest, result);
    } else {
      store_lanes(to + i * kWidth, result, free_lane);
    }
  }
  unfold(sum);
  const Block hash = fold_lanes(reduce(sum, broadcast(reduction_polynomial())));
  return bit_xor(shuffle_bytes(hash, byte_reversal()), tag_mask);
}

template <int kRounds, Direction kDirection, std::size_t kVectors = 1>
LOCKSTEP_INLINE Block finish(const GcmKey& key, const Message& message, const std::uint8_t* whole, std::uint8_t* rest,
                             std::uint8_t* to, std::size_t size, std::uint64_t aad_size, std::uint64_t text_size,
                             std::size_t vectors) {
  if constexpr (kVectors <= kBatch) {
    if (vectors != kVectors) {
      return finish<kRounds, kDirection, kVectors + 1>(key, message, whole, rest, to, size, aad_size, text_size,
                                                       vectors);
    }
  }
  return finish_vectors<kRounds, kDirection, kVectors>(key, message, whole, rest, to, size, aad_size, text_size);
}

// The number of vectors that hold the text and one block more.
LOCKSTEP_INLINE std::size_t finish_width(std::size_t size) { return (size + kBlockSize - 1) / kBlockSize / kLanes + 1; }

template <int kRounds>
void seal_one(const GcmKey& key, const SealJob& job) {
  Gather source(job);
  const std::size_t size = source.size();
  std::uint8_t* to = job.destination;
  Message message = begin<kRounds>(key, job.nonce, job.aad);
  alignas(64) std::uint8_t scratch[kChunk];
  bool pending = false;  // the chunk before `to` is not hashed yet
  while (source.size() >= kChunk) {
    std::size_t chunks = source.run() / kChunk;
    const std::uint8_t* from = scratch;
    if (chunks != 0) {
      from = source.take(chunks * kChunk);
    } else {
      source.copy(scratch, kChunk);
      chunks = 1;
    }
    if (!pending) {
      crypt_chunk<kRounds, false>(key, message, from, to, nullptr);
      pending = true;
      from += kChunk;
      to += kChunk;
      --chunks;
    }
    for (; chunks != 0; --chunks, from += kChunk, to += kChunk) {
      crypt_chunk<kRounds, true>(key, message, from, to, to - kChunk);
    }
  }
  if (pending) {
    hash_chunk(key, message, to - kChunk);
  }
  const std::size_t left = source.size();
  const std::size_t vectors = finish_width(left);
  const std::size_t whole_size = vectors > 2 ? (vectors - 2) * kWidth : 0;
  const std::uint8_t* whole = scratch;
  if (source.run() >= whole_size) {
    whole = source.take(whole_size);
  } else {
    source.copy(scratch, whole_size);
  }
  alignas(64) std::uint8_t rest[2 * kWidth] = {};
  source.copy(rest, source.size());
  const Block tag =
      finish<kRounds, Direction::seal>(key, message, whole, rest, to, left, job.aad.size(), size, vectors);
  store(to + left, tag);
  store(rest, zero_vector());
  store(rest + kWidth, zero_vector());
  asm volatile("" : : "r"(rest) : "memory");
  if (whole == scratch) {
    wipe(scratch, sizeof scratch);
  }
}

template <int kRounds>
bool open_one(const GcmKey& key, OpenJob& job) {
  if (job.ciphertext_with_tag.size() < kTagSize) {
    return false;
  }
  const std::size_t size = job.ciphertext_with_tag.size() - kTagSize;
  const std::uint8_t* from = job.ciphertext_with_tag.data();
  std::uint8_t* to = job.destination;
  Message message = begin<kRounds>(key, job.nonce, job.aad);
  std::size_t left = size;
  for (; left >= kChunk; left -= kChunk, from += kChunk, to += kChunk) {
    crypt_chunk<kRounds, true>(key, message, from, to, from);
  }
  const std::size_t vectors = finish_width(left);
  const std::size_t whole_size = vectors > 2 ? (vectors - 2) * kWidth : 0;
  alignas(64) std::uint8_t rest[2 * kWidth] = {};
  copy_short(rest, from + whole_size, left - whole_size);
  const Block received = load_block(from + left);
  const Block tag = finish<kRounds, Direction::open>(key, message, from, rest, to, left, job.aad.size(), size, vectors);
  copy_short(to + whole_size, rest, left - whole_size);
  store(rest, zero_vector());
  store(rest + kWidth, zero_vector());
  asm volatile("" : : "r"(rest) : "memory");
  if (!equal_in_constant_time(tag, received)) {
    wipe(job.destination, size);
    return false;
  }
  return true;
}

template <int kRounds>
void seal_jobs(const void* context, std::span<const SealJob> jobs) noexcept {
  const GcmKey& key = *static_cast<const GcmKey*>(context);
  for (const SealJob& job : jobs) {
    seal_one<kRounds>(key, job);
  }
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
LOCKSTEP_INLINE void expand_key(GcmKey& out, const std::uint8_t* key) {
  static constexpr std::uint8_t kRoundConstants[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36};
  Block even = load_block(key);
  store(out.round_keys[0], even);
  if constexpr (kRounds == 10) {
    for (int round = 1; round <= kRounds; ++round) {
      even = next_round_key(even, key_schedule_word<true>(even, kRoundConstants[round - 1]));
      store(out.round_keys[round], even);
    }
  } else {
    Block odd = load_block(key + kBlockSize);
    store(out.round_keys[1], odd);
    for (int round = 2; round <= kRounds; round += 2) {
      even = next_round_key(even, key_schedule_word<true>(odd, kRoundConstants[round / 2 - 1]));
      store(out.round_keys[round], even);
      if (round < kRounds) {
        odd = next_round_key(odd, key_schedule_word<false>(even, 0));
        store(out.round_keys[round + 1], odd);
      }
    }
  }
}

template <int kRounds>
void init(void* context, const std::uint8_t* key_bytes) noexcept {
  GcmKey& key = *new (context) GcmKey;
  expand_key<kRounds>(key, key_bytes);

  std::uint8_t bytes[kBlockSize];
  store(bytes, shuffle_bytes(encrypt_block<kRounds>(key, zero_block()), byte_reversal()));
  // H divided by x: shifted up by a bit, and the bit that falls out, x^0, becomes x^-1 = x^127 + x^6 + x + 1.
  const std::uint64_t low = load_le64(bytes);
  const std::uint64_t high = load_le64(bytes + 8);
  const std::uint64_t carry = 0 - (high >> 63);
  const Block h = make_block((low << 1) ^ (carry & 1), ((high << 1) | (low >> 63)) ^ (carry & 0xc200000000000000));
  wipe(bytes, sizeof bytes);

  Block power = h;
  store(key.powers[kPowers - 1], power);
  for (std::size_t i = 2; i <= kPowers; ++i) {
    power = multiply(power, h);
    store(key.powers[kPowers - i], power);
  }
  for (std::size_t i = 0; i < kFolded; ++i) {
    const std::uint8_t* const higher = key.powers[kPowers - 2 * kFolded + i];
    const std::uint8_t* const lower = key.powers[kPowers - kFolded + i];
    store_le64(key.folded[i], load_le64(lower) ^ load_le64(lower + 8));
    store_le64(key.folded[i] + 8, load_le64(higher) ^ load_le64(higher + 8));
  }
}

inline void destroy(void* context) noexcept { wipe(context, sizeof(GcmKey)); }

const Aead kAes128Gcm{Algorithm::aes_128_gcm, kInstructionSet, "AES-128-GCM", 16, sizeof(GcmKey), init<10>,
                      seal_jobs<10>,          open_jobs<10>,   destroy};
const Aead kAes256Gcm{Algorithm::aes_256_gcm, kInstructionSet, "AES-256-GCM", 32, sizeof(GcmKey), init<14>,
                      seal_jobs<14>,          open_jobs<14>,   destroy};
