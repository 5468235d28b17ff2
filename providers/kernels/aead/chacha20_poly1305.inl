// ChaCha20-Poly1305 (RFC 8439) over a vector layer. Include it after poly1305_shares.inl or poly1305_lanes.inl, inside
// the namespace and target region of an instruction set.
//
// A batch is four blocks of keystream for every lane of a vector: vector i holds word i of each of them. The first
// batch (or group of a few blocks, when opening) yields the one-time key and the beginning of the text. Later batches
// run while Poly1305, if it uses the integer units, hashes the ciphertext of the batch before (sealing) or of the same
// one (opening); if it uses vectors, it does so before each of them.

inline constexpr std::size_t kWidth = 16 * kLanes;
inline constexpr std::size_t kBlockSize = 64;
inline constexpr std::size_t kBatch = 4 * kLanes;  // blocks
inline constexpr std::size_t kBatchSize = kBatch * kBlockSize;
inline constexpr std::size_t kFirstSize = kBatchSize - kBlockSize;  // text that the first batch covers
inline constexpr std::size_t kGroupSize = kLanes * kBlockSize;
inline constexpr std::size_t kMostGroups = 3;  // that take less time than a batch, which is four
// With 32 registers a batch leaves room for them, and what is behind the last batch costs little when it runs beside
// it.
inline constexpr bool kBeside = kLanes == 4;
inline constexpr std::size_t kMostBeside = kBeside ? kMostGroups * kGroupSize : 0;
// A batch hashes at forty places, after every other quarter round, or at every other one of these if it is of one lane.
// What it hashes there is little, so that a processor sees work of both kinds at any time.
inline constexpr std::size_t kShare = (kBatchSize / 16 + 39) / 40;
static_assert((kLanes == 1 ? 20 : 40) * kShare * 16 >= kBatchSize, "a batch must hash the whole one before it");

struct ChaChaKey {
  std::uint8_t bytes[32];
};
static_assert(sizeof(ChaChaKey) <= kMaxContextSize);

// RFC 8439 2.3.
struct InitialState {
  alignas(16) std::uint32_t words[16];

  std::uint8_t* row(std::size_t i) { return reinterpret_cast<std::uint8_t*>(words + 4 * i); }
  const std::uint8_t* row(std::size_t i) const { return reinterpret_cast<const std::uint8_t*>(words + 4 * i); }
};

// Written and read a row at a time: a row that is read sooner than its words have reached memory waits for them.
LOCKSTEP_INLINE void set_initial_state(InitialState& state, const ChaChaKey& key, const std::uint8_t* nonce) {
  store(state.row(0), make_words(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574));
  store(state.row(1), load_block(key.bytes));
  store(state.row(2), load_block(key.bytes + 16));
  store(state.row(3), make_words(0, load_le32(nonce), load_le32(nonce + 4), load_le32(nonce + 8)));
}

// RFC 8439 2.1, in every word of a vector.
LOCKSTEP_INLINE void quarter_round(Vector& a, Vector& b, Vector& c, Vector& d) {
  a = add_32(a, b);
  d = rotate_words_left<16>(bit_xor(d, a));
  c = add_32(c, d);
  b = rotate_words_left<12>(bit_xor(b, c));
  a = add_32(a, b);
  d = rotate_words_left<8>(bit_xor(d, a));
  c = add_32(c, d);
  b = rotate_words_left<7>(bit_xor(b, c));
  keep_order(a, b, c, d);
}

#if !defined(LOCKSTEP_QUARTER_ROUNDS)
LOCKSTEP_INLINE void quarter_rounds(Vector& a0, Vector& b0, Vector& c0, Vector& d0, Vector& a1, Vector& b1, Vector& c1,
                                    Vector& d1) {
  quarter_round(a0, b0, c0, d0);
  quarter_round(a1, b1, c1, d1);
}
#endif

LOCKSTEP_INLINE Vector block_numbers() {
  // Word j of lane i counts block 4 i + j.
  static constexpr std::uint8_t kNumbers[64] = {0,  0, 0, 0, 1,  0, 0, 0, 2,  0, 0, 0, 3,  0, 0, 0, 4,  0, 0,  0, 5, 0,
                                                0,  0, 6, 0, 0,  0, 7, 0, 0,  0, 8, 0, 0,  0, 9, 0, 0,  0, 10, 0, 0, 0,
                                                11, 0, 0, 0, 12, 0, 0, 0, 13, 0, 0, 0, 14, 0, 0, 0, 15, 0, 0,  0};
  return load_vector(kNumbers);
}

template <std::size_t kIndex>
LOCKSTEP_INLINE void start(Vector (&x)[16], const InitialState& initial) {
  if constexpr (kIndex < 16) {
    x[kIndex] = broadcast_word(initial.words[kIndex]);
    start<kIndex + 1>(x, initial);
  }
}

template <std::size_t kIndex>
LOCKSTEP_INLINE void add_initial(Vector (&x)[16], const InitialState& initial, Vector counters) {
  if constexpr (kIndex < 16) {
    x[kIndex] = add_32(x[kIndex], kIndex == 12 ? counters : broadcast_word(initial.words[kIndex]));
    add_initial<kIndex + 1>(x, initial, counters);
  }
}

// What is hashed while keystream is computed, a share at each of the places for it.
struct Hashing {
  LongHash hash;
  const std::uint8_t* at;   // up to here is hashed
  const std::uint8_t* end;  // up to here there is text
};
template <std::size_t kCount>
LOCKSTEP_INLINE void hash_share(Hashing& hashing) {
  hash_share<kCount>(hashing.hash, hashing.at, hashing.end);
}
LOCKSTEP_INLINE void hash_ahead(Hashing& hashing) { hash_ahead(hashing.hash, hashing.at, hashing.end); }
struct NoHashing {};
LOCKSTEP_INLINE void hash_ahead(NoHashing&) {}
template <std::size_t kCount>
LOCKSTEP_INLINE void hash_share(NoHashing&) {}

// At four places of every double round of a batch.
template <std::size_t kPlace, class Meanwhile>
LOCKSTEP_INLINE void beside_batch(Meanwhile& hashing) {
  hash_share<kLanes == 1 && kPlace % 2 == 0 ? 0 : kShare>(hashing);
}

LOCKSTEP_INLINE void begin_hashing(Hashing& hashing, const Poly1305& poly, const std::uint8_t* at) {
  begin_long(hashing.hash, poly, at);
  hashing.at = hashing.end = at;
}

LOCKSTEP_INLINE Poly1305 end_hashing(Hashing& hashing) { return end_long(hashing.hash, hashing.at, hashing.end); }

// Writes a batch of keystream in the order of bytes, added to the text at `from` if kText.
template <bool kText, std::size_t kIndex>
LOCKSTEP_INLINE void write_vector(const Vector& x, const std::uint8_t* from, std::uint8_t* to) {
  // Vector kIndex holds part kIndex / 4 of a quarter of the batch, of which every fourth block starts with block kIndex
  // % 4.
  constexpr std::size_t kBytes = kIndex / 4 * kWidth;
  constexpr std::size_t kAt = (kBytes / kBlockSize * 4 + kIndex % 4) * kBlockSize + kBytes % kBlockSize;
  if constexpr (kText) {
    store(to + kAt, bit_xor(x, load_vector(from + kAt)));
  } else {
    store(to + kAt, x);
  }
}

template <bool kText, std::size_t kBlock = 0>
LOCKSTEP_INLINE void write_blocks(Vector (&x)[16], const std::uint8_t* from, std::uint8_t* to) {
  if constexpr (kBlock < 4) {
    gather_lanes(x[kBlock], x[4 + kBlock], x[8 + kBlock], x[12 + kBlock]);
    write_vector<kText, kBlock>(x[kBlock], from, to);
    write_vector<kText, kBlock + 4>(x[kBlock + 4], from, to);
    write_vector<kText, kBlock + 8>(x[kBlock + 8], from, to);
    write_vector<kText, kBlock + 12>(x[kBlock + 12], from, to);
    write_blocks<kText, kBlock + 1>(x, from, to);
  }
}

template <bool kText>
LOCKSTEP_INLINE void write_batch(Vector (&x)[16], const std::uint8_t* from, std::uint8_t* to) {
  transpose_words(x[0], x[1], x[2], x[3]);
  transpose_words(x[4], x[5], x[6], x[7]);
  transpose_words(x[8], x[9], x[10], x[11]);
  transpose_words(x[12], x[13], x[14], x[15]);
  write_blocks<kText>(x, from, to);
}

// A few blocks, one for every lane of a group. Here a vector holds a row of the state in each lane, which takes longer
// per block than a batch does, but less for a few.
//
// Between columns and diagonals the rows turn against each other. The second stays, because it is the last that a
// quarter round computes and the first that the next one needs.
LOCKSTEP_INLINE void rotate_rows(Vector& a, Vector& c, Vector& d) {
  a = rotate_lane_words<3>(a);
  c = rotate_lane_words<1>(c);
  d = rotate_lane_words<2>(d);
}

LOCKSTEP_INLINE void rotate_rows_back(Vector& a, Vector& c, Vector& d) {
  a = rotate_lane_words<1>(a);
  c = rotate_lane_words<3>(c);
  d = rotate_lane_words<2>(d);
}

struct Rows {
  Vector a, b, c, d;
};

LOCKSTEP_INLINE Rows start_rows(const InitialState& initial, std::uint32_t counter) {
  static constexpr std::uint8_t kLaneNumbers[64] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0,
                                                    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                                    0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  return {broadcast(load_block(initial.row(0))), broadcast(load_block(initial.row(1))),
          broadcast(load_block(initial.row(2))),
          add_32(broadcast(load_block(initial.row(3))),
                 add_32(broadcast(make_words(counter, 0, 0, 0)), load_vector(kLaneNumbers)))};
}

template <std::size_t kGroups>
LOCKSTEP_INLINE void round_rows(Rows (&x)[kGroups]) {
  LOCKSTEP_UNROLL
  for (Rows& group : x) quarter_round(group.a, group.b, group.c, group.d);
}

LOCKSTEP_INLINE void write_rows(Rows x, std::uint8_t* to) {
  gather_lanes(x.a, x.b, x.c, x.d);
  store(to, x.a);
  store(to + kWidth, x.b);
  store(to + 2 * kWidth, x.c);
  store(to + 3 * kWidth, x.d);
}

template <std::size_t kGroups>
LOCKSTEP_INLINE void start_groups(Rows (&x)[kGroups], const Rows& first) {
  const Vector next = broadcast(make_words(kLanes, 0, 0, 0));
  x[0] = first;
  LOCKSTEP_UNROLL
  for (std::size_t i = 1; i < kGroups; ++i) {
    x[i] = x[i - 1];
    x[i].d = add_32(x[i].d, next);
  }
}

template <std::size_t kGroups>
LOCKSTEP_INLINE void round_columns(Rows (&x)[kGroups]) {
  round_rows(x);
  LOCKSTEP_UNROLL
  for (Rows& group : x) rotate_rows(group.a, group.c, group.d);
}

template <std::size_t kGroups>
LOCKSTEP_INLINE void round_diagonals(Rows (&x)[kGroups]) {
  round_rows(x);
  LOCKSTEP_UNROLL
  for (Rows& group : x) rotate_rows_back(group.a, group.c, group.d);
}

template <std::size_t kGroups>
LOCKSTEP_INLINE void write_groups(const Rows (&x)[kGroups], const Rows& first, std::uint8_t* to) {
  const Vector next = broadcast(make_words(kLanes, 0, 0, 0));
  Vector d = first.d;
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kGroups; ++i) {
    write_rows({add_32(x[i].a, first.a), add_32(x[i].b, first.b), add_32(x[i].c, first.c), add_32(x[i].d, d)},
               to + i * kGroupSize);
    d = add_32(d, next);
  }
}

// Writes the keystream of kGroups groups that start with block `counter`.
template <std::size_t kGroups, class Meanwhile>
LOCKSTEP_INLINE void run_groups(const InitialState& initial, std::uint32_t counter, std::uint8_t* to,
                                Meanwhile& hashing) {
  hash_ahead(hashing);
  const Rows first = start_rows(initial, counter);
  Rows x[kGroups];
  start_groups(x, first);
  for (int round = 0; round < 10; ++round) {
    round_columns(x);
    hash_share<2 * kShare>(hashing);
    round_diagonals(x);
    hash_share<2 * kShare>(hashing);
  }
  write_groups(x, first, to);
}

// Groups that run beside a batch.
template <std::size_t kGroups>
LOCKSTEP_INLINE void hash_ahead(Rows (&)[kGroups]) {}
template <std::size_t kPlace, std::size_t kGroups>
LOCKSTEP_INLINE void beside_batch(Rows (&x)[kGroups]) {
  if constexpr (kPlace == 0) round_columns(x);
  if constexpr (kPlace == 2) round_diagonals(x);
  // The initial state is read again behind the rounds. Kept meanwhile it would have no room in registers, and the key
  // in it would be left on the stack.
  if constexpr (kPlace == 3) asm volatile("" : : : "memory");
}

// The keystream of a batch that starts with block `counter`, as vectors of words.
template <class Meanwhile>
LOCKSTEP_INLINE void run_batch(Vector (&x)[16], const InitialState& initial, std::uint32_t counter,
                               Meanwhile& meanwhile) {
  hash_ahead(meanwhile);
  start<0>(x, initial);
  const Vector counters = add_32(broadcast_word(counter), block_numbers());
  x[12] = counters;
  for (int round = 0; round < 10; ++round) {
    quarter_rounds(x[0], x[4], x[8], x[12], x[1], x[5], x[9], x[13]);
    beside_batch<0>(meanwhile);
    quarter_rounds(x[2], x[6], x[10], x[14], x[3], x[7], x[11], x[15]);
    beside_batch<1>(meanwhile);
    quarter_rounds(x[0], x[5], x[10], x[15], x[1], x[6], x[11], x[12]);
    beside_batch<2>(meanwhile);
    quarter_rounds(x[2], x[7], x[8], x[13], x[3], x[4], x[9], x[14]);
    beside_batch<3>(meanwhile);
  }
  add_initial<0>(x, initial, counters);
}

// Writes the keystream of a batch and of the groups behind it.
template <std::size_t kGroups>
[[gnu::noinline]] void run_beside(const InitialState& initial, std::uint32_t counter, std::uint8_t* to) {
  Vector x[16];
  Rows groups[kGroups];
  start_groups(groups, start_rows(initial, counter + kBatch));
  run_batch(x, initial, counter, groups);
  write_batch<false>(x, nullptr, to);
  write_groups(groups, start_rows(initial, counter + kBatch), to + kBatchSize);
}

// The same for a text of more than a batch and at most kMostBeside bytes more; returns how much it is.
LOCKSTEP_INLINE std::size_t run_last_batch(const InitialState& initial, std::uint32_t counter, std::uint8_t* to,
                                           std::size_t size) {
  if (size <= kBatchSize + kGroupSize) {
    run_beside<1>(initial, counter, to);
    return kBatchSize + kGroupSize;
  }
  if (size <= kBatchSize + 2 * kGroupSize) {
    run_beside<2>(initial, counter, to);
    return kBatchSize + 2 * kGroupSize;
  }
  run_beside<3>(initial, counter, to);
  return kBatchSize + 3 * kGroupSize;
}

// Whether a text ends so soon behind a batch that both are run together.
LOCKSTEP_INLINE bool ends_beside_batch(std::size_t size) {
  return kBeside && size > kBatchSize && size <= kBatchSize + kMostBeside;
}

// Adds keystream to a text; 16 bytes of `stream` more than the text has are readable.
LOCKSTEP_INLINE void add_stream(std::uint8_t* to, const std::uint8_t* from, const std::uint8_t* stream,
                                std::size_t size) {
  std::size_t at = 0;
  for (; at + kWidth <= size; at += kWidth) store(to + at, bit_xor(load_vector(from + at), load_vector(stream + at)));
  for (; at + 16 <= size; at += 16) store(to + at, bit_xor(load_block(from + at), load_block(stream + at)));
  if (at != size) {
    const Halves text = load_short(from + at, size - at);
    const Halves key = {load_le64(stream + at), load_le64(stream + at + 8)};
    store_short(to + at, {text.low ^ key.low, text.high ^ key.high}, size - at);
  }
}

LOCKSTEP_INLINE void add_stream(std::uint8_t* to, Gather& source, const std::uint8_t* stream, std::size_t size) {
  while (size != 0) {
    const std::size_t run = source.run();
    const std::size_t part = run < size ? run : size;
    add_stream(to, source.take(part), stream, part);
    to += part;
    stream += part;
    size -= part;
  }
}

// One message: what does not depend on the direction.
struct Message {
  InitialState initial;
  Poly1305 poly;
  std::uint8_t one_time_key[32];
  alignas(64) std::uint8_t stream[kBatchSize + kMostBeside + 16];
  std::size_t stream_size;  // how much of it has been used
};

LOCKSTEP_INLINE void begin(Message& message, const ChaChaKey& key, const std::uint8_t* nonce,
                           std::span<const std::uint8_t> aad, std::size_t size) {
  set_initial_state(message.initial, key, nonce);
  NoHashing none;
  const std::size_t needed = kBlockSize + size;
  if (needed <= kGroupSize) {
    run_groups<1>(message.initial, 0, message.stream, none);
    message.stream_size = kGroupSize;
  } else if (needed <= 2 * kGroupSize) {
    run_groups<2>(message.initial, 0, message.stream, none);
    message.stream_size = 2 * kGroupSize;
  } else if (needed <= 3 * kGroupSize) {
    run_groups<3>(message.initial, 0, message.stream, none);
    message.stream_size = 3 * kGroupSize;
  } else if (ends_beside_batch(needed)) {
    message.stream_size = run_last_batch(message.initial, 0, message.stream, needed);
  } else {
    Vector x[16];
    run_batch(x, message.initial, 0, none);
    write_batch<false>(x, nullptr, message.stream);
    message.stream_size = kBatchSize;
  }
  std::memcpy(message.one_time_key, message.stream, sizeof message.one_time_key);
  message.poly = begin_poly1305(message.stream);
  hash_padded(message.poly, aad.data(), aad.size());
}

LOCKSTEP_INLINE Tag end(Message& message, std::size_t aad_size, std::size_t text_size) {
  hash_block(message.poly, aad_size, text_size);
  const Tag tag = finish_poly1305(message.poly, message.one_time_key + 16);
  wipe(message.stream, message.stream_size);
  wipe(message.one_time_key, sizeof message.one_time_key);
  wipe(&message.initial, sizeof message.initial);
  wipe(&message.poly, sizeof message.poly);
  return tag;
}

// Hashes a text, zero padded.
LOCKSTEP_INLINE void hash_text(Poly1305& poly, const std::uint8_t* at, std::size_t size) {
  const std::uint8_t* const end = at + size;
  if (size >= kLongText) {
    Hashing hashing;
    begin_hashing(hashing, poly, at);
    hashing.end = end;
    hash_ahead(hashing);
    poly = end_hashing(hashing);
    at = hashing.at;
  }
  hash_padded(poly, at, static_cast<std::size_t>(end - at));
}

// The keystream of a last text of no more than kMostGroups groups.
template <class Meanwhile>
LOCKSTEP_INLINE void run_last(Message& message, std::uint32_t counter, std::size_t size, Meanwhile& hashing) {
  if (size <= kGroupSize) {
    run_groups<1>(message.initial, counter, message.stream, hashing);
  } else if (size <= 2 * kGroupSize) {
    run_groups<2>(message.initial, counter, message.stream, hashing);
  } else {
    run_groups<3>(message.initial, counter, message.stream, hashing);
  }
}

// The text behind the first batch; returns where what is not hashed yet begins.
[[gnu::noinline]] inline const std::uint8_t* seal_batches(Message& message, Gather& source, std::uint8_t* to) {
  Vector x[16];
  Hashing hashing;
  begin_hashing(hashing, message.poly, to - kFirstSize);
  for (std::uint32_t counter = kBatch; source.size() != 0; counter += kBatch) {
    hashing.end = to;
    if (ends_beside_batch(source.size())) {
      hash_ahead(hashing);
      const std::size_t size = source.size();
      message.stream_size = run_last_batch(message.initial, counter, message.stream, size);
      add_stream(to, source, message.stream, size);
      to += size;
      break;
    }
    const std::size_t size = source.size() < kBatchSize ? source.size() : kBatchSize;
    if (size <= kMostGroups * kGroupSize) {
      run_last(message, counter, size, hashing);
      add_stream(to, source, message.stream, size);
    } else {
      run_batch(x, message.initial, counter, hashing);
      if (source.run() >= kBatchSize) {
        write_batch<true>(x, source.take(kBatchSize), to);
      } else {
        write_batch<false>(x, nullptr, message.stream);
        add_stream(to, source, message.stream, size);
      }
    }
    to += size;
  }
  hashing.end = to;
  hash_ahead(hashing);
  message.poly = end_hashing(hashing);
  return hashing.at;
}

inline void seal_one(const ChaChaKey& key, const SealJob& job) {
  Gather source(job);
  const std::size_t size = source.size();
  Message message;
  begin(message, key, job.nonce, job.aad, size);
  const std::size_t covered = kBeside ? message.stream_size - kBlockSize : kFirstSize;
  const std::size_t first = size < covered ? size : covered;
  add_stream(job.destination, source, message.stream + kBlockSize, first);
  const std::uint8_t* unhashed = job.destination;
  std::uint8_t* const to = job.destination + size;
  if (size > first) unhashed = seal_batches(message, source, job.destination + first);
  hash_text(message.poly, unhashed, static_cast<std::size_t>(to - unhashed));
  const Tag tag = end(message, job.aad.size(), size);
  store_le64(to, tag.low);
  store_le64(to + 8, tag.high);
}

// The keystream of a last text of less than a batch.
template <class Meanwhile>
LOCKSTEP_INLINE void run_rest(Message& message, std::uint32_t counter, std::size_t size, Meanwhile& hashing) {
  if (size == 0) return;
  if (size <= kMostGroups * kGroupSize) {
    run_last(message, counter, size, hashing);
  } else {
    Vector x[16];
    run_batch(x, message.initial, counter, hashing);
    write_batch<false>(x, nullptr, message.stream);
  }
  message.stream_size = kBatchSize;
}

// The text from block `counter` on. It may come over its ciphertext, which has been hashed by then.
[[gnu::noinline]] inline void open_batches(Message& message, const Hashing& begun, std::uint32_t counter,
                                           const std::uint8_t* from, std::uint8_t* to, std::size_t left) {
  Vector x[16];
  Hashing hashing = begun;
  const auto next = [&](auto& meanwhile) __attribute__((always_inline)) {
    run_batch(x, message.initial, counter, meanwhile);
    write_batch<true>(x, from, to);
    counter += kBatch;
    from += kBatchSize;
    to += kBatchSize;
    left -= kBatchSize;
  };
  while (left >= kBatchSize + kAhead && !ends_beside_batch(left)) {
    hashing.end = from + kBatchSize + kAhead;
    next(hashing);
  }
  hashing.end = from + left;
  if constexpr (kHashesMeanwhile) {
    run_rest(message, counter, left, hashing);
  } else {
    hash_ahead(hashing);
  }
  message.poly = end_hashing(hashing);
  hash_padded(message.poly, hashing.at, static_cast<std::size_t>(hashing.end - hashing.at));
  if constexpr (!kHashesMeanwhile) {
    NoHashing none;
    if (ends_beside_batch(left)) {
      message.stream_size = run_last_batch(message.initial, counter, message.stream, left);
    } else {
      if (left >= kBatchSize) next(none);
      run_rest(message, counter, left, none);
    }
  }
  add_stream(to, from, message.stream, left);
}

inline bool open_one(const ChaChaKey& key, const OpenJob& job) {
  if (job.source.size() < kTagSize) return false;
  const std::size_t size = job.source.size() - kTagSize;
  const std::uint8_t* from = job.source.data();
  const Tag received{load_le64(from + size), load_le64(from + size + 8)};
  Message message;
  if constexpr (kHashesMeanwhile) {
    // Batches hash what they decrypt. Where there will be one, no more than a group comes before it.
    const std::size_t first = kBlockSize + size <= kMostGroups * kGroupSize ? size : kGroupSize - kBlockSize;
    begin(message, key, job.nonce, job.aad, first);
    hash_padded(message.poly, from, first);
    add_stream(job.destination, from, message.stream + kBlockSize, first);
    if (size > first) {
      Hashing hashing;
      begin_hashing(hashing, message.poly, from + first);
      open_batches(message, hashing, kLanes, from + first, job.destination + first, size - first);
      wipe(&hashing, sizeof hashing);
    }
  } else if (size < kFirstSize + kAhead || ends_beside_batch(kBlockSize + size)) {
    begin(message, key, job.nonce, job.aad, size);
    const std::size_t covered = kBeside ? message.stream_size - kBlockSize : kFirstSize;
    const std::size_t first = size < covered ? size : covered;
    hash_text(message.poly, from, size);
    add_stream(job.destination, from, message.stream + kBlockSize, first);
    NoHashing none;
    run_rest(message, kBatch, size - first, none);
    add_stream(job.destination + first, from + first, message.stream, size - first);
  } else {
    begin(message, key, job.nonce, job.aad, size);
    Hashing hashing;
    begin_hashing(hashing, message.poly, from);
    hashing.end = from + kFirstSize + kAhead;
    hash_ahead(hashing);
    add_stream(job.destination, from, message.stream + kBlockSize, kFirstSize);
    open_batches(message, hashing, kBatch, from + kFirstSize, job.destination + kFirstSize, size - kFirstSize);
    wipe(&hashing, sizeof hashing);
  }
  const Tag tag = end(message, job.aad.size(), size);
  const bool ok = made_public(((tag.low ^ received.low) | (tag.high ^ received.high)) == 0);
  if (!ok) wipe(job.destination, size);
  return ok;
}

inline void seal_jobs(const void* context, std::span<const SealJob> jobs) noexcept {
  for (const SealJob& job : jobs) seal_one(*static_cast<const ChaChaKey*>(context), job);
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
