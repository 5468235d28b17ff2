// SHA-512 with its message schedule in vectors, two words of a message in each lane, and the rounds on integers. Two
// blocks, of one message or of two, share the work of the schedule: the first one's rounds run beside it, the second
// one's alone. Include it inside the namespace and target region of an instruction set, after sha2_rounds.inl and the
// vector layer.

inline constexpr std::size_t kBlockSize = 128;
inline constexpr std::size_t kPairs = kBlockWords / 2;  // of words in a block

// FIPS 180-4 4.1.3 in every word.
template <int kBits, class V>
LOCKSTEP_INLINE V rotate_right_64(V a) {
  // The two parts have no bit in common.
  return bit_xor(shift_right_64<kBits>(a), shift_left_64<64 - kBits>(a));
}

template <class V>
LOCKSTEP_INLINE V small_sigma_0_of_words(V x) {
  return bit_xor(bit_xor(rotate_right_64<1>(x), rotate_right_64<8>(x)), shift_right_64<7>(x));
}

template <class V>
LOCKSTEP_INLINE V small_sigma_1_of_words(V x) {
  return bit_xor(bit_xor(rotate_right_64<19>(x), rotate_right_64<61>(x)), shift_right_64<6>(x));
}

LOCKSTEP_INLINE Block word_order() { return make_block(0x0001020304050607, 0x08090a0b0c0d0e0f); }

LOCKSTEP_INLINE Block constants_of(std::size_t round) {
  return load_block(reinterpret_cast<const std::uint8_t*>(kRoundConstants64.data() + round));
}

LOCKSTEP_INLINE Block load_pair(const std::uint8_t* block, const std::uint8_t*, Block) {
  return shuffle_bytes(load_block(block), word_order());
}

LOCKSTEP_INLINE Vector load_pair(const std::uint8_t* block_a, const std::uint8_t* block_b, Vector) {
  return shuffle_bytes(join_blocks(load_block(block_a), load_block(block_b)), broadcast(word_order()));
}

LOCKSTEP_INLINE Block spread(Block a, Block) { return a; }
LOCKSTEP_INLINE Vector spread(Block a, Vector) { return broadcast(a); }

// What the rounds add: the schedule's words plus the rounds' constants, two words of each lane after the other.
template <class V>
struct Sums {
  alignas(64) std::uint64_t words[kRounds<std::uint64_t> / 2][sizeof(V) / 8];
};

// Sixteen rounds of the first lane, from `first` on. If kMore, computes the sums of the sixteen that follow.
template <bool kMore, std::size_t kPair = 0, class V>
LOCKSTEP_INLINE void sixteen_rounds(std::uint64_t (&state)[kStateWords], V (&pairs)[kPairs], Sums<V>& sums,
                                    std::size_t first) {
  if constexpr (kPair < kPairs) {
    const std::uint64_t(&now)[sizeof(V) / 8] = sums.words[first / 2 + kPair];
    round<2 * kPair>(state, now[0]);
    if constexpr (kMore) {
      const V before_15 = middle_words(pairs[kPair], pairs[(kPair + 1) % kPairs]);
      const V before_7 = middle_words(pairs[(kPair + 4) % kPairs], pairs[(kPair + 5) % kPairs]);
      const V sum = add_64(add_64(pairs[kPair], before_7), small_sigma_0_of_words(before_15));
      pairs[kPair] = add_64(sum, small_sigma_1_of_words(pairs[(kPair + 7) % kPairs]));
      store(reinterpret_cast<std::uint8_t*>(sums.words[first / 2 + kPair + kPairs]),
            add_64(pairs[kPair], spread(constants_of(first + 2 * kPair + 16), V{})));
    }
    round<2 * kPair + 1>(state, now[1]);
    sixteen_rounds<kMore, kPair + 1>(state, pairs, sums, first);
  }
}

// Computes the sums, and with those of the first lane the first block's rounds.
template <class V>
LOCKSTEP_INLINE void compress_first(std::uint64_t (&state)[kStateWords], const std::uint8_t* block_a,
                                    const std::uint8_t* block_b, Sums<V>& sums) {
  V pairs[kPairs];
  for (std::size_t i = 0; i < kPairs; ++i) {
    pairs[i] = load_pair(block_a + 16 * i, block_b + 16 * i, V{});
    store(reinterpret_cast<std::uint8_t*>(sums.words[i]), add_64(pairs[i], spread(constants_of(2 * i), V{})));
  }
  std::uint64_t before[kStateWords];
  std::memcpy(before, state, sizeof before);
  for (std::size_t first = 0; first < kRounds<std::uint64_t> - 16; first += 16) {
    sixteen_rounds<true>(state, pairs, sums, first);
  }
  sixteen_rounds<false>(state, pairs, sums, kRounds<std::uint64_t> - 16);
  add_state(state, before);
}

template <std::size_t kIndex = 0>
LOCKSTEP_INLINE void eight_rounds(std::uint64_t (&state)[kStateWords], const std::uint64_t (*sums)[4]) {
  if constexpr (kIndex < 8) {
    round<kIndex>(state, sums[kIndex / 2][2 + kIndex % 2]);
    eight_rounds<kIndex + 1>(state, sums);
  }
}

// The rounds of the second lane.
LOCKSTEP_INLINE void compress_second(std::uint64_t (&state)[kStateWords], const Sums<Vector>& sums) {
  std::uint64_t before[kStateWords];
  std::memcpy(before, state, sizeof before);
  for (std::size_t first = 0; first < kRounds<std::uint64_t>; first += 8) eight_rounds(state, sums.words + first / 2);
  add_state(state, before);
}

// Takes whole blocks.
inline void compress(std::uint64_t (&state)[kStateWords], const std::uint8_t* blocks, std::size_t count) {
  if (count >= 2) {
    Sums<Vector> sums;
    for (; count >= 2; count -= 2, blocks += 2 * kBlockSize) {
      compress_first(state, blocks, blocks + kBlockSize, sums);
      compress_second(state, sums);
    }
    wipe(&sums, sizeof sums);
  }
  if (count != 0) {
    Sums<Block> sums;
    compress_first(state, blocks, blocks, sums);
    wipe(&sums, sizeof sums);
  }
}

// One block for each of two states.
inline void compress_two(std::uint64_t (&state_a)[kStateWords], const std::uint8_t* block_a,
                         std::uint64_t (&state_b)[kStateWords], const std::uint8_t* block_b) {
  Sums<Vector> sums;
  compress_first(state_a, block_a, block_b, sums);
  compress_second(state_b, sums);
  wipe(&sums, sizeof sums);
}
