// The layer of ML-KEM for 256-bit registers: 16 words of 16 bits.
inline constexpr std::size_t kWords16 = 16;
struct Words16 {
  __m256i bits;
};

LOCKSTEP_INLINE Words16 load_words16(const std::int16_t* from) {
  return {_mm256_load_si256(reinterpret_cast<const __m256i*>(from))};
}
LOCKSTEP_INLINE void store_words16(std::int16_t* to, Words16 a) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(to), a.bits);
}
LOCKSTEP_INLINE Words16 broadcast_16(std::int16_t value) { return {_mm256_set1_epi16(value)}; }
LOCKSTEP_INLINE Words16 add_16(Words16 a, Words16 b) { return {_mm256_add_epi16(a.bits, b.bits)}; }
LOCKSTEP_INLINE Words16 subtract_16(Words16 a, Words16 b) { return {_mm256_sub_epi16(a.bits, b.bits)}; }
LOCKSTEP_INLINE Words16 and_16(Words16 a, Words16 b) { return {_mm256_and_si256(a.bits, b.bits)}; }
/// The lower half of the product.
LOCKSTEP_INLINE Words16 multiply_low_16(Words16 a, Words16 b) { return {_mm256_mullo_epi16(a.bits, b.bits)}; }
/// The product of signed numbers, times 2 and rounded, its upper half.
LOCKSTEP_INLINE Words16 multiply_round_16(Words16 a, Words16 b) { return {_mm256_mulhrs_epi16(a.bits, b.bits)}; }
template <int kBits>
LOCKSTEP_INLINE Words16 shift_left_16(Words16 a) {
  return {_mm256_slli_epi16(a.bits, kBits)};
}
/// Filled with the sign.
template <int kBits>
LOCKSTEP_INLINE Words16 shift_right_16(Words16 a) {
  return {_mm256_srai_epi16(a.bits, kBits)};
}
/// floor(a * b / 2^16) of signed numbers.
LOCKSTEP_INLINE Words16 multiply_high_16(Words16 a, Words16 b) { return {_mm256_mulhi_epi16(a.bits, b.bits)}; }
/// Montgomery's product a b / 2^16 mod q, where b_q = b / q mod 2^16.
LOCKSTEP_INLINE Words16 multiply_montgomery(Words16 a, Words16 b, Words16 b_q) {
  return subtract_16(multiply_high_16(a, b), multiply_high_16(multiply_low_16(a, b_q), broadcast_16(kModulus)));
}
/// Exchanges the words of a whose place has a one at kBlock (a power of two) with those of b that have a zero there.
template <std::size_t kBlock>
LOCKSTEP_INLINE void exchange_16(Words16& a, Words16& b) {
  const __m256i x = a.bits;
  const __m256i y = b.bits;
  if constexpr (kBlock == 8) {
    a.bits = _mm256_permute2x128_si256(x, y, 0x20);
    b.bits = _mm256_permute2x128_si256(x, y, 0x31);
  } else if constexpr (kBlock == 4) {
    a.bits = _mm256_unpacklo_epi64(x, y);
    b.bits = _mm256_unpackhi_epi64(x, y);
  } else if constexpr (kBlock == 2) {
    a.bits = _mm256_blend_epi32(x, _mm256_slli_epi64(y, 32), 0xaa);
    b.bits = _mm256_blend_epi32(_mm256_srli_epi64(x, 32), y, 0xaa);
  } else {
    a.bits = _mm256_blend_epi16(x, _mm256_slli_epi32(y, 16), 0xaa);
    b.bits = _mm256_blend_epi16(_mm256_srli_epi32(x, 16), y, 0xaa);
  }
}
/// The value in each word for which there is a one among the bits, and zero in the others.
LOCKSTEP_INLINE Words16 where_bits(const std::uint8_t* bits, std::int16_t value) {
  const __m256i places = _mm256_set_epi16(-0x8000, 0x4000, 0x2000, 0x1000, 0x800, 0x400, 0x200, 0x100, 0x80, 0x40, 0x20,
                                          0x10, 0x8, 0x4, 0x2, 0x1);
  const __m256i all = _mm256_set1_epi16(static_cast<short>(bits[0] | bits[1] << 8));
  const __m256i ones = _mm256_cmpeq_epi16(_mm256_and_si256(all, places), places);
  return {_mm256_and_si256(ones, _mm256_set1_epi16(value))};
}
