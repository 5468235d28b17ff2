// SHA-1 on a processor's own instructions for it, for HMAC alone. Include it inside the namespace and target region of
// an instruction set, after the layer that defines Sha1State.

LOCKSTEP_INLINE Block sha1_word_order() { return make_block(0x08090a0b0c0d0e0f, 0x0001020304050607); }

// Groups of four rounds, from kGroup on. Behind a group `e` is what the first four variables were before it.
template <std::size_t kGroup = 0>
LOCKSTEP_INLINE void run_sha1_groups(Sha1State& state, Block (&words)[4]) {
  if constexpr (kGroup < 20) {
    Block& now = words[kGroup % 4];
    const Block sums = kGroup == 0 ? add_32(state.e, now) : add_next_e(now, state.e);
    state.e = state.abcd;
    state.abcd = four_sha1_rounds<kGroup / 5>(state.abcd, sums);
    if constexpr (kGroup < 16)
      now = next_sha1_words(now, words[(kGroup + 1) % 4], words[(kGroup + 2) % 4], words[(kGroup + 3) % 4]);
    run_sha1_groups<kGroup + 1>(state, words);
  }
}

// Takes whole blocks.
inline void compress(std::uint32_t (&words)[5], const std::uint8_t* blocks, std::size_t count) {
  Sha1State state = load_state(words);
  for (; count != 0; --count) {
    const Sha1State before = state;
    Block schedule[4];
    for (Block& four : schedule) {
      four = shuffle_bytes(load_block(blocks), sha1_word_order());
      blocks += 16;
    }
    run_sha1_groups(state, schedule);
    state = {add_32(state.abcd, before.abcd), add_next_e(before.e, state.e)};
  }
  store_state(words, state);
}
