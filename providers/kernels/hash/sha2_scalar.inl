// SHA-2 on integers alone. Include it after sha2_rounds.inl.

template <class Word>
LOCKSTEP_INLINE Word round_constant(std::size_t round) {
  if constexpr (sizeof(Word) == 4) {
    return kRoundConstants32[round];
  } else {
    return kRoundConstants64[round];
  }
}

// Rounds kIndex to 15 of sixteen, starting with round `first`; replaces each word of the schedule by the one sixteen
// rounds later if kMore.
template <bool kMore, std::size_t kIndex = 0, class Word>
LOCKSTEP_INLINE void sixteen_rounds(Word (&state)[kStateWords], Word (&schedule)[kBlockWords], std::size_t first) {
  if constexpr (kIndex < 16) {
    round<kIndex>(state, schedule[kIndex] + round_constant<Word>(first + kIndex));
    if constexpr (kMore) {
      schedule[kIndex] += small_sigma_0(schedule[(kIndex + 1) % 16]) + schedule[(kIndex + 9) % 16] +
                          small_sigma_1(schedule[(kIndex + 14) % 16]);
    }
    sixteen_rounds<kMore, kIndex + 1>(state, schedule, first);
  }
}

// Takes whole blocks.
template <class Word>
void compress(Word (&state)[kStateWords], const std::uint8_t* blocks, std::size_t count) {
  Word schedule[kBlockWords];
  Word before[kStateWords];
  for (; count != 0; --count) {
    for (std::size_t i = 0; i < kBlockWords; ++i, blocks += sizeof(Word)) schedule[i] = load_word<Word>(blocks);
    std::memcpy(before, state, sizeof before);
    for (std::size_t first = 0; first < kRounds<Word> - 16; first += 16) sixteen_rounds<true>(state, schedule, first);
    sixteen_rounds<false>(state, schedule, kRounds<Word> - 16);
    add_state(state, before);
  }
  wipe(schedule, sizeof schedule);
  wipe(before, sizeof before);
}

// One block for each of two states.
template <class Word>
LOCKSTEP_INLINE void compress_two(Word (&state_a)[kStateWords], const std::uint8_t* block_a,
                                  Word (&state_b)[kStateWords], const std::uint8_t* block_b) {
  compress(state_a, block_a, 1);
  compress(state_b, block_b, 1);
}
