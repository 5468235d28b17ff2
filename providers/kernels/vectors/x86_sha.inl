// The SHA-256 instructions. Include it after x86_128.inl.

// The eight variables in the order that the instructions want: a b e f and c d g h, the first in the highest word.
struct Sha256State {
  Block abef;
  Block cdgh;
};

LOCKSTEP_INLINE Sha256State load_state(const std::uint32_t (&words)[8]) {
  const __m128i abcd = _mm_loadu_si128(reinterpret_cast<const __m128i*>(words));
  const __m128i efgh = _mm_loadu_si128(reinterpret_cast<const __m128i*>(words + 4));
  const __m128i badc = _mm_shuffle_epi32(abcd, 0xb1);
  const __m128i hgfe = _mm_shuffle_epi32(efgh, 0x1b);
  return {{_mm_alignr_epi8(badc, hgfe, 8)}, {_mm_blend_epi16(hgfe, badc, 0xf0)}};
}
LOCKSTEP_INLINE void store_state(std::uint32_t (&words)[8], Sha256State state) {
  const __m128i abef = _mm_shuffle_epi32(state.abef.bits, 0x1b);
  const __m128i ghcd = _mm_shuffle_epi32(state.cdgh.bits, 0xb1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words), _mm_blend_epi16(abef, ghcd, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words + 4), _mm_alignr_epi8(ghcd, abef, 8));
}
LOCKSTEP_INLINE Sha256State add_states(Sha256State a, Sha256State b) {
  return {add_32(a.abef, b.abef), add_32(a.cdgh, b.cdgh)};
}
/// Four rounds; `words` are the schedule's plus the rounds' constants.
LOCKSTEP_INLINE void four_rounds(Sha256State& state, Block words) {
  state.cdgh.bits = _mm_sha256rnds2_epu32(state.cdgh.bits, state.abef.bits, words.bits);
  state.abef.bits = _mm_sha256rnds2_epu32(state.abef.bits, state.cdgh.bits, _mm_shuffle_epi32(words.bits, 0x0e));
}
/// The four words of the schedule that follow these sixteen.
LOCKSTEP_INLINE Block next_words(Block w0, Block w4, Block w8, Block w12) {
  const __m128i w9 = _mm_alignr_epi8(w12.bits, w8.bits, 4);
  return {_mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0.bits, w4.bits), w9), w12.bits)};
}
