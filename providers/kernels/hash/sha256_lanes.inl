// SHA-256 on a processor's own instructions for it, for one message or two side by side: each round waits for the one
// before, so that the second message runs in the gaps of the first. Include it inside the namespace and target region
// of an instruction set, after the layer that defines Sha256State.

inline constexpr std::size_t kBlockSize = 64;

LOCKSTEP_INLINE Block word_order() { return make_block(0x0405060700010203, 0x0c0d0e0f08090a0b); }

LOCKSTEP_INLINE Block round_constants(std::size_t group) {
  return load_block(reinterpret_cast<const std::uint8_t*>(kRoundConstants32.data() + 4 * group));
}

// Groups of four rounds, from kGroup on.
template <std::size_t kMessages, std::size_t kGroup>
LOCKSTEP_INLINE void run_groups(Sha256State (&state)[kMessages], Block (&words)[kMessages][4]) {
  if constexpr (kGroup < 16) {
    const Block constants = round_constants(kGroup);
    for (std::size_t i = 0; i < kMessages; ++i) {
      Block(&w)[4] = words[i];
      four_rounds(state[i], add_32(w[kGroup % 4], constants));
      if constexpr (kGroup < 12) {
        w[kGroup % 4] = next_words(w[kGroup % 4], w[(kGroup + 1) % 4], w[(kGroup + 2) % 4], w[(kGroup + 3) % 4]);
      }
    }
    run_groups<kMessages, kGroup + 1>(state, words);
  }
}

// One block for each message.
template <std::size_t kMessages>
LOCKSTEP_INLINE void compress_blocks(Sha256State (&state)[kMessages], const std::uint8_t* const (&blocks)[kMessages]) {
  Sha256State before[kMessages];
  Block words[kMessages][4];
  for (std::size_t i = 0; i < kMessages; ++i) {
    before[i] = state[i];
    for (std::size_t j = 0; j < 4; ++j) words[i][j] = shuffle_bytes(load_block(blocks[i] + 16 * j), word_order());
  }
  run_groups<kMessages, 0>(state, words);
  for (std::size_t i = 0; i < kMessages; ++i) state[i] = add_states(state[i], before[i]);
}

// Takes whole blocks.
inline void compress(std::uint32_t (&state)[8], const std::uint8_t* blocks, std::size_t count) {
  Sha256State states[1] = {load_state(state)};
  for (; count != 0; --count, blocks += kBlockSize) compress_blocks<1>(states, {blocks});
  store_state(state, states[0]);
}

// One block for each of two states.
inline void compress_two(std::uint32_t (&state_a)[8], const std::uint8_t* block_a, std::uint32_t (&state_b)[8],
                         const std::uint8_t* block_b) {
  Sha256State states[2] = {load_state(state_a), load_state(state_b)};
  compress_blocks<2>(states, {block_a, block_b});
  store_state(state_a, states[0]);
  store_state(state_b, states[1]);
}
