// 32-bit words in 256-bit registers.

LOCKSTEP_INLINE Vector broadcast_word(std::uint32_t a) { return {_mm256_set1_epi32(static_cast<int>(a))}; }
template <int kBits>
LOCKSTEP_INLINE Vector rotate_words_left(Vector a) {
  if constexpr (kBits == 16) {
    return shuffle_bytes(a, broadcast(make_block(0x0504070601000302, 0x0d0c0f0e09080b0a)));
  } else if constexpr (kBits == 8) {
    return shuffle_bytes(a, broadcast(make_block(0x0605040702010003, 0x0e0d0c0f0a09080b)));
  } else {
    return {_mm256_or_si256(_mm256_slli_epi32(a.bits, kBits), _mm256_srli_epi32(a.bits, 32 - kBits))};
  }
}
/// Word j of vector i becomes word i of vector j, in every lane.
LOCKSTEP_INLINE void transpose_words(Vector& a, Vector& b, Vector& c, Vector& d) {
  const __m256i ab_low = _mm256_unpacklo_epi32(a.bits, b.bits);
  const __m256i ab_high = _mm256_unpackhi_epi32(a.bits, b.bits);
  const __m256i cd_low = _mm256_unpacklo_epi32(c.bits, d.bits);
  const __m256i cd_high = _mm256_unpackhi_epi32(c.bits, d.bits);
  a.bits = _mm256_unpacklo_epi64(ab_low, cd_low);
  b.bits = _mm256_unpackhi_epi64(ab_low, cd_low);
  c.bits = _mm256_unpacklo_epi64(ab_high, cd_high);
  d.bits = _mm256_unpackhi_epi64(ab_high, cd_high);
}
/// The first lanes of all four, in a and b; the second ones in c and d.
LOCKSTEP_INLINE void gather_lanes(Vector& a, Vector& b, Vector& c, Vector& d) {
  const __m256i first_ab = _mm256_permute2x128_si256(a.bits, b.bits, 0x20);
  const __m256i first_cd = _mm256_permute2x128_si256(c.bits, d.bits, 0x20);
  const __m256i second_ab = _mm256_permute2x128_si256(a.bits, b.bits, 0x31);
  const __m256i second_cd = _mm256_permute2x128_si256(c.bits, d.bits, 0x31);
  a.bits = first_ab;
  b.bits = first_cd;
  c.bits = second_ab;
  d.bits = second_cd;
}
LOCKSTEP_INLINE Block make_words(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return {_mm_set_epi32(static_cast<int>(d), static_cast<int>(c), static_cast<int>(b), static_cast<int>(a))};
}
/// The word at place i + kWords, going round in its lane, becomes word i.
template <int kWords>
LOCKSTEP_INLINE Vector rotate_lane_words(Vector a) {
  return {_mm256_shuffle_epi32(a.bits, kWords == 1 ? 0x39 : kWords == 2 ? 0x4e : 0x93)};
}
