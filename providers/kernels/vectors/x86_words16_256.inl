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
/// From any address, of each word the lower byte first.
LOCKSTEP_INLINE Words16 load_bytes_16(const std::uint8_t* from) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))};
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

/// For every set of words, by its bits: the order of bytes that puts them first.
inline constexpr auto kGatherings = [] {
  std::array<std::array<std::uint8_t, 16>, 256> orders{};
  for (std::size_t set = 0; set < orders.size(); ++set) {
    std::size_t count = 0;
    for (std::size_t word = 0; word < 8; ++word) {
      if ((set >> word & 1) == 0) continue;
      orders[set][2 * count] = static_cast<std::uint8_t>(2 * word);
      orders[set][2 * count + 1] = static_cast<std::uint8_t>(2 * word + 1);
      ++count;
    }
  }
  return orders;
}();

/// Takes those of 16 candidates of SampleNTT, 12 bits each, that are below q. How many that are; 16 words are written
/// at most. Which they are is public.
inline constexpr std::size_t kCandidates = 16;
LOCKSTEP_INLINE std::size_t take_below_modulus(std::int16_t* to, const std::uint8_t* from) {
  // Twelve bytes in each lane, of which the upper one ends with them; then two bytes in each word, of which every other
  // begins with four bits too many.
  const __m256i bytes =
      _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))),
                              _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 8)), 1);
  const __m256i pairs = _mm256_setr_epi8(0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11, 4, 5, 5, 6, 7, 8, 8, 9, 10,
                                         11, 11, 12, 13, 14, 14, 15);
  const __m256i words = _mm256_shuffle_epi8(bytes, pairs);
  const __m256i candidates =
      _mm256_and_si256(_mm256_blend_epi16(words, _mm256_srli_epi16(words, 4), 0xaa), _mm256_set1_epi16(0xfff));
  const __m256i below = _mm256_cmpgt_epi16(_mm256_set1_epi16(kModulus), candidates);
  const unsigned sets = static_cast<unsigned>(_mm256_movemask_epi8(_mm256_packs_epi16(below, below)));
  std::size_t count = 0;
  const auto gather = [&](__m128i half, unsigned set) __attribute__((always_inline)) {
    const __m128i order = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kGatherings[set].data()));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + count), _mm_shuffle_epi8(half, order));
    count += static_cast<std::size_t>(std::popcount(set));
  };
  gather(_mm256_castsi256_si128(candidates), sets & 0xff);
  gather(_mm256_extracti128_si256(candidates, 1), sets >> 16 & 0xff);
  return count;
}
