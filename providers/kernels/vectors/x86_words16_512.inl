// The layer of ML-KEM for 512-bit registers: 32 words of 16 bits.
inline constexpr std::size_t kWords16 = 32;
struct Words16 {
  __m512i bits;
};

LOCKSTEP_INLINE Words16 load_words16(const std::int16_t* from) { return {_mm512_load_si512(from)}; }
LOCKSTEP_INLINE void store_words16(std::int16_t* to, Words16 a) { _mm512_store_si512(to, a.bits); }
/// From any address, of each word the lower byte first.
LOCKSTEP_INLINE Words16 load_bytes_16(const std::uint8_t* from) { return {_mm512_loadu_si512(from)}; }
LOCKSTEP_INLINE Words16 broadcast_16(std::int16_t value) { return {_mm512_set1_epi16(value)}; }
LOCKSTEP_INLINE Words16 add_16(Words16 a, Words16 b) { return {_mm512_add_epi16(a.bits, b.bits)}; }
LOCKSTEP_INLINE Words16 subtract_16(Words16 a, Words16 b) { return {_mm512_sub_epi16(a.bits, b.bits)}; }
LOCKSTEP_INLINE Words16 and_16(Words16 a, Words16 b) { return {_mm512_and_si512(a.bits, b.bits)}; }
/// The lower half of the product.
LOCKSTEP_INLINE Words16 multiply_low_16(Words16 a, Words16 b) { return {_mm512_mullo_epi16(a.bits, b.bits)}; }
/// The product of signed numbers, times 2 and rounded, its upper half.
LOCKSTEP_INLINE Words16 multiply_round_16(Words16 a, Words16 b) { return {_mm512_mulhrs_epi16(a.bits, b.bits)}; }
template <int kBits>
LOCKSTEP_INLINE Words16 shift_left_16(Words16 a) {
  return {_mm512_slli_epi16(a.bits, kBits)};
}
/// Filled with the sign.
template <int kBits>
LOCKSTEP_INLINE Words16 shift_right_16(Words16 a) {
  return {_mm512_srai_epi16(a.bits, kBits)};
}
/// floor(a * b / 2^16) of signed numbers.
LOCKSTEP_INLINE Words16 multiply_high_16(Words16 a, Words16 b) { return {_mm512_mulhi_epi16(a.bits, b.bits)}; }
/// Montgomery's product a b / 2^16 mod q, where b_q = b / q mod 2^16.
LOCKSTEP_INLINE Words16 multiply_montgomery(Words16 a, Words16 b, Words16 b_q) {
  return subtract_16(multiply_high_16(a, b), multiply_high_16(multiply_low_16(a, b_q), broadcast_16(kModulus)));
}
/// Exchanges the words of a whose place has a one at kBlock (a power of two) with those of b that have a zero there.
template <std::size_t kBlock>
LOCKSTEP_INLINE void exchange_16(Words16& a, Words16& b) {
  const __m512i x = a.bits;
  const __m512i y = b.bits;
  if constexpr (kBlock == 16) {
    a.bits = _mm512_shuffle_i64x2(x, y, 0x44);
    b.bits = _mm512_shuffle_i64x2(x, y, 0xee);
  } else if constexpr (kBlock == 8) {
    a.bits = _mm512_mask_shuffle_i64x2(x, 0xcc, y, y, 0xa0);
    b.bits = _mm512_mask_shuffle_i64x2(y, 0x33, x, x, 0xf5);
  } else if constexpr (kBlock == 4) {
    a.bits = _mm512_unpacklo_epi64(x, y);
    b.bits = _mm512_unpackhi_epi64(x, y);
  } else if constexpr (kBlock == 2) {
    a.bits = _mm512_mask_shuffle_epi32(x, 0xaaaa, y, _MM_PERM_CCAA);
    b.bits = _mm512_mask_shuffle_epi32(y, 0x5555, x, _MM_PERM_DDBB);
  } else {
    a.bits = _mm512_mask_blend_epi16(0xaaaaaaaa, x, _mm512_slli_epi32(y, 16));
    b.bits = _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32(x, 16), y);
  }
}
/// The value in each word for which there is a one among the bits, and zero in the others.
LOCKSTEP_INLINE Words16 where_bits(const std::uint8_t* bits, std::int16_t value) {
  return {_mm512_maskz_set1_epi16(load_le32(bits), value)};
}

/// Takes those of 32 candidates of SampleNTT, 12 bits each, that are below q. How many that are; 32 words are written.
inline constexpr std::size_t kCandidates = 32;
LOCKSTEP_INLINE std::size_t take_below_modulus(std::int16_t* to, const std::uint8_t* from) {
  // Twelve bytes in each lane, then two bytes in each word, of which every other begins with four bits too many.
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
  const __m512i pairs = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11));
  const __m512i bytes = _mm512_permutexvar_epi32(lanes, _mm512_maskz_loadu_epi32(0xfff, from));
  const __m512i words = _mm512_srlv_epi16(_mm512_shuffle_epi8(bytes, pairs), _mm512_set1_epi32(0x40000));
  const __m512i candidates = _mm512_and_si512(words, _mm512_set1_epi16(0xfff));
  const __mmask32 below = _mm512_cmplt_epi16_mask(candidates, _mm512_set1_epi16(kModulus));
  _mm512_storeu_si512(to, _mm512_maskz_compress_epi16(below, candidates));
  return static_cast<std::size_t>(std::popcount(static_cast<std::uint32_t>(below)));
}
