// 32-bit words in 512-bit registers.

LOCKSTEP_INLINE Vector broadcast_word(std::uint32_t a) { return {_mm512_set1_epi32(static_cast<int>(a))}; }
template <int kBits>
LOCKSTEP_INLINE Vector rotate_words_left(Vector a) {
  return {_mm512_rol_epi32(a.bits, kBits)};
}
/// Word j of vector i becomes word i of vector j, in every lane.
LOCKSTEP_INLINE void transpose_words(Vector& a, Vector& b, Vector& c, Vector& d) {
  const __m512i ab_low = _mm512_unpacklo_epi32(a.bits, b.bits);
  const __m512i ab_high = _mm512_unpackhi_epi32(a.bits, b.bits);
  const __m512i cd_low = _mm512_unpacklo_epi32(c.bits, d.bits);
  const __m512i cd_high = _mm512_unpackhi_epi32(c.bits, d.bits);
  a.bits = _mm512_unpacklo_epi64(ab_low, cd_low);
  b.bits = _mm512_unpackhi_epi64(ab_low, cd_low);
  c.bits = _mm512_unpacklo_epi64(ab_high, cd_high);
  d.bits = _mm512_unpackhi_epi64(ab_high, cd_high);
}
/// Lane j of vector i becomes lane i of vector j.
LOCKSTEP_INLINE void gather_lanes(Vector& a, Vector& b, Vector& c, Vector& d) {
  const __m512i ab_low = _mm512_shuffle_i32x4(a.bits, b.bits, 0x44);
  const __m512i ab_high = _mm512_shuffle_i32x4(a.bits, b.bits, 0xee);
  const __m512i cd_low = _mm512_shuffle_i32x4(c.bits, d.bits, 0x44);
  const __m512i cd_high = _mm512_shuffle_i32x4(c.bits, d.bits, 0xee);
  a.bits = _mm512_shuffle_i32x4(ab_low, cd_low, 0x88);
  b.bits = _mm512_shuffle_i32x4(ab_low, cd_low, 0xdd);
  c.bits = _mm512_shuffle_i32x4(ab_high, cd_high, 0x88);
  d.bits = _mm512_shuffle_i32x4(ab_high, cd_high, 0xdd);
}
LOCKSTEP_INLINE Block make_words(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return {_mm_set_epi32(static_cast<int>(d), static_cast<int>(c), static_cast<int>(b), static_cast<int>(a))};
}
/// The word at place i + kWords, going round in its lane, becomes word i.
template <int kWords>
LOCKSTEP_INLINE Vector rotate_lane_words(Vector a) {
  return {_mm512_shuffle_epi32(a.bits, kWords == 1 ? _MM_PERM_ADCB : kWords == 2 ? _MM_PERM_BADC : _MM_PERM_CBAD)};
}
