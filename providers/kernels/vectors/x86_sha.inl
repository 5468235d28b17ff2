// The SHA-256 and SHA-1 instructions. Include it after x86_128.inl.

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

// The first four variables, the first in the highest word, and in the highest word of the other the last one.
struct Sha1State {
  Block abcd;
  Block e;
};

LOCKSTEP_INLINE Sha1State load_state(const std::uint32_t (&words)[5]) {
  return {{_mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(words)), 0x1b)},
          {_mm_set_epi32(static_cast<int>(words[4]), 0, 0, 0)}};
}
LOCKSTEP_INLINE void store_state(std::uint32_t (&words)[5], Sha1State state) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words), _mm_shuffle_epi32(state.abcd.bits, 0x1b));
  words[4] = static_cast<std::uint32_t>(_mm_extract_epi32(state.e.bits, 3));
}
/// Four rounds of the kTwenty-th twenty; `sums` are the schedule's words, to the first of which e was added.
template <int kTwenty>
LOCKSTEP_INLINE Block four_sha1_rounds(Block abcd, Block sums) {
  return {_mm_sha1rnds4_epu32(abcd.bits, sums.bits, kTwenty)};
}
/// Adds the e that follows from what a was four rounds before, the highest word of `abcd`.
LOCKSTEP_INLINE Block add_next_e(Block words, Block abcd) { return {_mm_sha1nexte_epu32(abcd.bits, words.bits)}; }
/// The four words of the schedule that follow these sixteen.
LOCKSTEP_INLINE Block next_sha1_words(Block w0, Block w4, Block w8, Block w12) {
  return {_mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(w0.bits, w4.bits), w8.bits), w12.bits)};
}
