// ChaCha20-Poly1305 (RFC 8439) over a vector layer. Include it after poly1305.inl, inside the namespace and target
// region of an instruction set.
//
// A batch is four blocks of keystream for every lane of a vector: vector i holds word i of each of them. The first
// batch yields the one-time key and the beginning of the text; later ones run while Poly1305, which uses the integer
// units, hashes the ciphertext of the batch before (sealing) or of the same one (opening).

inline constexpr std::size_t kWidth = 16 * kLanes;
inline constexpr std::size_t kBlockSize = 64;
inline constexpr std::size_t kBatch = 4 * kLanes;  // blocks
inline constexpr std::size_t kBatchSize = kBatch * kBlockSize;
inline constexpr std::size_t kFirstSize = kBatchSize - kBlockSize;  // text that the first batch covers
inline constexpr std::size_t kPart = kFirstSize / 16 / 10;          // blocks hashed in each of ten double rounds

struct ChaChaKey {
  std::uint8_t bytes[32];
};
static_assert(sizeof(ChaChaKey) <= kMaxContextSize);

// RFC 8439 2.3.
struct InitialState {
  std::uint32_t words[16];
};

LOCKSTEP_INLINE InitialState initial_state(const ChaChaKey& key, const std::uint8_t* nonce) {
  InitialState state{{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}};
  for (std::size_t i = 0; i < 8; ++i) {
    state.words[4 + i] = load_le32(key.bytes + 4 * i);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    state.words[13 + i] = load_le32(nonce + 4 * i);
  }
  return state;
}

// One half of a double round: four quarter rounds side by side, on columns (kShift 0) or diagonals (1).
template <std::size_t kShift>
LOCKSTEP_INLINE void quarter_rounds(Vector (&x)[16]) {
  const auto b = [](std::size_t i) { return 4 + (i + kShift) % 4; };
  const auto c = [](std::size_t i) { return 8 + (i + 2 * kShift) % 4; };
  const auto d = [](std::size_t i) { return 12 + (i + 3 * kShift) % 4; };
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < 4; ++i) {
    x[i] = add_32(x[i], x[b(i)]);
    x[d(i)] = rotate_words_left<16>(bit_xor(x[d(i)], x[i]));
  }
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < 4; ++i) {
    x[c(i)] = add_32(x[c(i)], x[d(i)]);
    x[b(i)] = rotate_words_left<12>(bit_xor(x[b(i)], x[c(i)]));
  }
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < 4; ++i) {
    x[i] = add_32(x[i], x[b(i)]);
    x[d(i)] = rotate_words_left<8>(bit_xor(x[d(i)], x[i]));
  }
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < 4; ++i) {
    x[c(i)] = add_32(x[c(i)], x[d(i)]);
    x[b(i)] = rotate_words_left<7>(bit_xor(x[b(i)], x[c(i)]));
  }
}

LOCKSTEP_INLINE Vector block_numbers() {
  // Word j of lane i counts block 4 i + j.
  static constexpr std::uint8_t kNumbers[64] = {0,  0, 0, 0, 1,  0, 0, 0, 2,  0, 0, 0, 3,  0, 0, 0, 4,  0, 0,  0, 5, 0,
                                                0,  0, 6, 0, 0,  0, 7, 0, 0,  0, 8, 0, 0,  0, 9, 0, 0,  0, 10, 0, 0, 0,
                                                11, 0, 0, 0, 12, 0, 0, 0, 13, 0, 0, 0, 14, 0, 0, 0, 15, 0, 0,  0};
  return load_vector(kNumbers);
}

// The keystream of a batch that starts with block `counter`, as vectors of words; hashes `blocks` blocks of 16 bytes at
// `hashed` meanwhile.
template <bool kHash>
LOCKSTEP_INLINE void run_batch(Vector (&x)[16], const InitialState& initial, std::uint32_t counter, Poly1305& poly,
                               const std::uint8_t* hashed, std::size_t blocks) {
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < 16; ++i) {
    x[i] = broadcast_word(initial.words[i]);
  }
  const Vector counters = add_32(broadcast_word(counter), block_numbers());
  x[12] = counters;
  for (int round = 0; round < 10; ++round) {
    quarter_rounds<0>(x);
    if constexpr (kHash) {
      for (std::size_t i = 0; i < kPart; ++i) {
        hash_block(poly, hashed);
        hashed += 16;
      }
    }
    quarter_rounds<1>(x);
  }
  if constexpr (kHash) {
    for (std::size_t i = 10 * kPart; i < blocks; ++i) {
      hash_block(poly, hashed);
      hashed += 16;
    }
  }
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < 16; ++i) {
    x[i] = add_32(x[i], i == 12 ? counters : broadcast_word(initial.words[i]));
  }
}

// Writes a batch of keystream in the order of bytes, added to the text at `from` if kText.
template <bool kText>
LOCKSTEP_INLINE void write_batch(Vector (&x)[16], const std::uint8_t* from, std::uint8_t* to) {
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < 16; i += 4) {
    transpose_words(x[i], x[i + 1], x[i + 2], x[i + 3]);
  }
  LOCKSTEP_UNROLL
  for (std::size_t j = 0; j < 4; ++j) {
    gather_lanes(x[j], x[4 + j], x[8 + j], x[12 + j]);
    LOCKSTEP_UNROLL
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t block = i * kWidth / kBlockSize * 4 + j;
      const std::size_t at = block * kBlockSize + i * kWidth % kBlockSize;
      Vector result = x[4 * i + j];
      if constexpr (kText) {
        result = bit_xor(result, load_vector(from + at));
      }
      store(to + at, result);
    }
  }
}

// Adds keystream to a text shorter than a batch.
LOCKSTEP_INLINE void add_stream(std::uint8_t* to, const std::uint8_t* from, const std::uint8_t* stream,
                                std::size_t size) {
  for (; size >= kWidth; size -= kWidth, to += kWidth, from += kWidth, stream += kWidth) {
    store(to, bit_xor(load_vector(from), load_vector(stream)));
  }
  if (size != 0) {
    std::uint8_t rest[kWidth] = {};
    copy_short(rest, from, size);
    store(rest, bit_xor(load_vector(rest), load_vector(stream)));
    copy_short(to, rest, size);
    store(rest, zero_vector());
    asm volatile("" : : "r"(rest) : "memory");
  }
}

LOCKSTEP_INLINE Tag finish_tag(Poly1305& poly, const std::uint8_t* one_time_key, std::size_t aad_size,
                               std::size_t text_size) {
  hash_block(poly, aad_size, text_size);
  return finish_poly1305(poly, one_time_key + 16);
}

inline void seal_one(const ChaChaKey& key, const SealJob& job) {
  Gather source(job);
  const std::size_t size = source.size();
  const InitialState initial = initial_state(key, job.nonce);
  alignas(64) std::uint8_t stream[kBatchSize];
  alignas(64) std::uint8_t scratch[kBatchSize];
  std::uint8_t one_time_key[32];
  Vector x[16];
  Poly1305 poly{};
  run_batch<false>(x, initial, 0, poly, nullptr, 0);
  write_batch<false>(x, nullptr, stream);
  std::memcpy(one_time_key, stream, sizeof one_time_key);
  poly = begin_poly1305(one_time_key);
  hash_padded(poly, job.aad.data(), job.aad.size());

  const auto take = [&](std::size_t part) {
    if (source.run() >= part) {
      return source.take(part);
    }
    source.copy(scratch, part);
    return static_cast<const std::uint8_t*>(scratch);
  };
  std::uint8_t* to = job.destination;
  std::size_t part = size < kFirstSize ? size : kFirstSize;
  add_stream(to, take(part), stream + kBlockSize, part);
  const std::uint8_t* hashed = to;
  to += part;
  for (std::uint32_t counter = kBatch; source.size() != 0; counter += kBatch) {
    run_batch<true>(x, initial, counter, poly, hashed, static_cast<std::size_t>(to - hashed) / 16);
    hashed = to;
    part = source.size() < kBatchSize ? source.size() : kBatchSize;
    if (part == kBatchSize) {
      write_batch<true>(x, take(part), to);
    } else {
      write_batch<false>(x, nullptr, stream);
      add_stream(to, take(part), stream, part);
    }
    to += part;
  }
  hash_padded(poly, hashed, static_cast<std::size_t>(to - hashed));
  const Tag tag = finish_tag(poly, one_time_key, job.aad.size(), size);
  store_le64(to, tag.low);
  store_le64(to + 8, tag.high);
  wipe(stream, sizeof stream);
  wipe(scratch, sizeof scratch);
  wipe(one_time_key, sizeof one_time_key);
}

inline bool open_one(const ChaChaKey& key, const OpenJob& job) {
  if (job.ciphertext_with_tag.size() < kTagSize) {
    return false;
  }
  const std::size_t size = job.ciphertext_with_tag.size() - kTagSize;
  const InitialState initial = initial_state(key, job.nonce);
  alignas(64) std::uint8_t stream[kBatchSize];
  std::uint8_t one_time_key[32];
  Vector x[16];
  Poly1305 poly{};
  run_batch<false>(x, initial, 0, poly, nullptr, 0);
  write_batch<false>(x, nullptr, stream);
  std::memcpy(one_time_key, stream, sizeof one_time_key);
  poly = begin_poly1305(one_time_key);
  hash_padded(poly, job.aad.data(), job.aad.size());

  const std::uint8_t* from = job.ciphertext_with_tag.data();
  std::uint8_t* to = job.destination;
  std::size_t left = size;
  std::size_t part = left < kFirstSize ? left : kFirstSize;
  hash_padded(poly, from, part);
  const std::uint64_t received_low = load_le64(from + size);
  const std::uint64_t received_high = load_le64(from + size + 8);
  add_stream(to, from, stream + kBlockSize, part);
  std::uint32_t counter = kBatch;
  for (from += part, to += part, left -= part; left >= kBatchSize;
       from += kBatchSize, to += kBatchSize, left -= kBatchSize) {
    run_batch<true>(x, initial, counter, poly, from, kBatchSize / 16);
    write_batch<true>(x, from, to);
    counter += kBatch;
  }
  if (left != 0) {
    run_batch<false>(x, initial, counter, poly, nullptr, 0);
    write_batch<false>(x, nullptr, stream);
    hash_padded(poly, from, left);
    add_stream(to, from, stream, left);
  }
  const Tag tag = finish_tag(poly, one_time_key, job.aad.size(), size);
  wipe(stream, sizeof stream);
  wipe(one_time_key, sizeof one_time_key);
  const bool ok = ((tag.low ^ received_low) | (tag.high ^ received_high)) == 0;
  if (!ok) {
    wipe(job.destination, size);
  }
  return ok;
}

inline void seal_jobs(const void* context, std::span<const SealJob> jobs) noexcept {
  for (const SealJob& job : jobs) {
    seal_one(*static_cast<const ChaChaKey*>(context), job);
  }
}

inline std::size_t open_jobs(const void* context, std::span<OpenJob> jobs) noexcept {
  std::size_t right = 0;
  for (OpenJob& job : jobs) {
    job.ok = open_one(*static_cast<const ChaChaKey*>(context), job);
    right += job.ok ? 1 : 0;
  }
  return right;
}

inline void init(void* context, const std::uint8_t* key) noexcept {
  std::memcpy((new (context) ChaChaKey)->bytes, key, sizeof(ChaChaKey));
}

inline void destroy(void* context) noexcept { wipe(context, sizeof(ChaChaKey)); }

const Aead kChaCha20Poly1305{Algorithm::chacha20_poly1305,
                             kInstructionSet,
                             "ChaCha20-Poly1305",
                             32,
                             sizeof(ChaChaKey),
                             init,
                             seal_jobs,
                             open_jobs,
                             destroy};
