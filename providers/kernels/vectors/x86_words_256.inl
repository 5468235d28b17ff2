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

#define LOCKSTEP_QUARTER_ROUNDS
/// Two of ChaCha20's quarter rounds (RFC 8439 2.1) step by step side by side, in every word. Sixteen words of state
/// leave no register for anything else: g++ then moves more than it computes, so it gets the instructions themselves,
/// with the two byte orders in memory; clang does well by itself if it keeps the order.
LOCKSTEP_INLINE void quarter_rounds(Vector& a0, Vector& b0, Vector& c0, Vector& d0, Vector& a1, Vector& b1, Vector& c1,
                                    Vector& d1) {
#if defined(__OPTIMIZE__) && !defined(__clang__) && !defined(LOCKSTEP_SANITIZED)
  static constexpr std::uint64_t kLeft16[4] = {0x0504070601000302, 0x0d0c0f0e09080b0a, 0x0504070601000302,
                                               0x0d0c0f0e09080b0a};
  static constexpr std::uint64_t kLeft8[4] = {0x0605040702010003, 0x0e0d0c0f0a09080b, 0x0605040702010003,
                                              0x0e0d0c0f0a09080b};
  __m256i e0;
  __m256i e1;
#define LOCKSTEP_STEPS(order, left, right) \
  "vpaddd %[b0], %[a0], %[a0]\n\t"         \
  "vpaddd %[b1], %[a1], %[a1]\n\t"         \
  "vpxor %[a0], %[d0], %[d0]\n\t"          \
  "vpxor %[a1], %[d1], %[d1]\n\t"          \
  "vpshufb %[" order                       \
  "], %[d0], %[d0]\n\t"                    \
  "vpshufb %[" order                       \
  "], %[d1], %[d1]\n\t"                    \
  "vpaddd %[d0], %[c0], %[c0]\n\t"         \
  "vpaddd %[d1], %[c1], %[c1]\n\t"         \
  "vpxor %[c0], %[b0], %[b0]\n\t"          \
  "vpxor %[c1], %[b1], %[b1]\n\t"          \
  "vpslld $" left                          \
  ", %[b0], %[e0]\n\t"                     \
  "vpslld $" left                          \
  ", %[b1], %[e1]\n\t"                     \
  "vpsrld $" right                         \
  ", %[b0], %[b0]\n\t"                     \
  "vpsrld $" right                         \
  ", %[b1], %[b1]\n\t"                     \
  "vpor %[e0], %[b0], %[b0]\n\t"           \
  "vpor %[e1], %[b1], %[b1]\n\t"
  asm(LOCKSTEP_STEPS("left16", "12", "20") LOCKSTEP_STEPS("left8", "7", "25")
      : [a0] "+x"(a0.bits), [b0] "+x"(b0.bits), [c0] "+x"(c0.bits), [d0] "+x"(d0.bits), [a1] "+x"(a1.bits),
        [b1] "+x"(b1.bits), [c1] "+x"(c1.bits), [d1] "+x"(d1.bits), [e0] "=&x"(e0), [e1] "=&x"(e1)
      : [left16] "m"(kLeft16), [left8] "m"(kLeft8));
#undef LOCKSTEP_STEPS
#else
  const auto add = [](Vector& x, Vector y, Vector& z, Vector w) {
    x = add_32(x, y), pin(x);
    z = add_32(z, w), pin(z);
  };
  const auto mix = [](Vector& x, Vector y, Vector& z, Vector w) {
    x = bit_xor(x, y), pin(x);
    z = bit_xor(z, w), pin(z);
  };
  add(a0, b0, a1, b1);
  mix(d0, a0, d1, a1);
  d0 = rotate_words_left<16>(d0), pin(d0);
  d1 = rotate_words_left<16>(d1), pin(d1);
  add(c0, d0, c1, d1);
  mix(b0, c0, b1, c1);
  b0 = rotate_words_left<12>(b0), pin(b0);
  b1 = rotate_words_left<12>(b1), pin(b1);
  add(a0, b0, a1, b1);
  mix(d0, a0, d1, a1);
  d0 = rotate_words_left<8>(d0), pin(d0);
  d1 = rotate_words_left<8>(d1), pin(d1);
  add(c0, d0, c1, d1);
  mix(b0, c0, b1, c1);
  b0 = rotate_words_left<7>(b0), pin(b0);
  b1 = rotate_words_left<7>(b1), pin(b1);
#endif
}
