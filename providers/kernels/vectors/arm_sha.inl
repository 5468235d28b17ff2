// The SHA-256 instructions, four rounds each. Include it after arm_128.inl.

struct Sha256State {
  uint32x4_t abcd;
  uint32x4_t efgh;
};

LOCKSTEP_INLINE Sha256State load_state(const std::uint32_t (&words)[8]) {
  return {vld1q_u32(words), vld1q_u32(words + 4)};
}
LOCKSTEP_INLINE void store_state(std::uint32_t (&words)[8], Sha256State state) {
  vst1q_u32(words, state.abcd);
  vst1q_u32(words + 4, state.efgh);
}
LOCKSTEP_INLINE Sha256State add_states(Sha256State a, Sha256State b) {
  return {vaddq_u32(a.abcd, b.abcd), vaddq_u32(a.efgh, b.efgh)};
}
/// Four rounds; `words` are the schedule's plus the rounds' constants.
LOCKSTEP_INLINE void four_rounds(Sha256State& state, Block words) {
  const uint32x4_t sums = vreinterpretq_u32_u8(words.bits);
  const uint32x4_t abcd = state.abcd;
  state.abcd = vsha256hq_u32(abcd, state.efgh, sums);
  state.efgh = vsha256h2q_u32(state.efgh, abcd, sums);
}
/// The four words of the schedule that follow these sixteen.
LOCKSTEP_INLINE Block next_words(Block w0, Block w4, Block w8, Block w12) {
  const uint32x4_t partial = vsha256su0q_u32(vreinterpretq_u32_u8(w0.bits), vreinterpretq_u32_u8(w4.bits));
  return {vreinterpretq_u8_u32(
      vsha256su1q_u32(partial, vreinterpretq_u32_u8(w8.bits), vreinterpretq_u32_u8(w12.bits)))};
}
