// 32-bit words in 128-bit registers.

LOCKSTEP_INLINE Block broadcast_word(std::uint32_t a) { return {_mm_set1_epi32(static_cast<int>(a))}; }
template <int kBits>
LOCKSTEP_INLINE Block rotate_words_left(Block a) {
  if constexpr (kBits == 16) {
    return {_mm_shuffle_epi8(a.bits, _mm_set_epi8(13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2))};
  } else if constexpr (kBits == 8) {
    return {_mm_shuffle_epi8(a.bits, _mm_set_epi8(14, 13, 12, 15, 10, 9, 8, 11, 6, 5, 4, 7, 2, 1, 0, 3))};
  } else {
    return {_mm_or_si128(_mm_slli_epi32(a.bits, kBits), _mm_srli_epi32(a.bits, 32 - kBits))};
  }
}
/// Word j of vector i becomes word i of vector j, in every lane.
LOCKSTEP_INLINE void transpose_words(Block& a, Block& b, Block& c, Block& d) {
  const __m128i ab_low = _mm_unpacklo_epi32(a.bits, b.bits);
  const __m128i ab_high = _mm_unpackhi_epi32(a.bits, b.bits);
  const __m128i cd_low = _mm_unpacklo_epi32(c.bits, d.bits);
  const __m128i cd_high = _mm_unpackhi_epi32(c.bits, d.bits);
  a.bits = _mm_unpacklo_epi64(ab_low, cd_low);
  b.bits = _mm_unpackhi_epi64(ab_low, cd_low);
  c.bits = _mm_unpacklo_epi64(ab_high, cd_high);
  d.bits = _mm_unpackhi_epi64(ab_high, cd_high);
}
/// Four words, the first in the bytes at the lowest addresses.
LOCKSTEP_INLINE Block make_words(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return {_mm_set_epi32(static_cast<int>(d), static_cast<int>(c), static_cast<int>(b), static_cast<int>(a))};
}
/// The word at place i + kWords, going round in its lane, becomes word i.
template <int kWords>
LOCKSTEP_INLINE Block rotate_lane_words(Block a) {
  return {_mm_shuffle_epi32(a.bits, kWords == 1 ? 0x39 : kWords == 2 ? 0x4e : 0x93)};
}
