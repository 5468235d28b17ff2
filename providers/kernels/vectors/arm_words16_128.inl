// The layer of ML-KEM for NEON: 8 words of 16 bits.
inline constexpr std::size_t kWords16 = 8;
struct Words16 {
  int16x8_t bits;
};

LOCKSTEP_INLINE Words16 load_words16(const std::int16_t* from) { return {vld1q_s16(from)}; }
LOCKSTEP_INLINE void store_words16(std::int16_t* to, Words16 a) { vst1q_s16(to, a.bits); }
/// From any address, of each word the lower byte first.
LOCKSTEP_INLINE Words16 load_bytes_16(const std::uint8_t* from) { return {vreinterpretq_s16_u8(vld1q_u8(from))}; }
LOCKSTEP_INLINE Words16 broadcast_16(std::int16_t value) { return {vdupq_n_s16(value)}; }
LOCKSTEP_INLINE Words16 add_16(Words16 a, Words16 b) { return {vaddq_s16(a.bits, b.bits)}; }
LOCKSTEP_INLINE Words16 subtract_16(Words16 a, Words16 b) { return {vsubq_s16(a.bits, b.bits)}; }
LOCKSTEP_INLINE Words16 and_16(Words16 a, Words16 b) { return {vandq_s16(a.bits, b.bits)}; }
/// The lower half of the product.
LOCKSTEP_INLINE Words16 multiply_low_16(Words16 a, Words16 b) { return {vmulq_s16(a.bits, b.bits)}; }
/// The product of signed numbers, times 2 and rounded, its upper half.
LOCKSTEP_INLINE Words16 multiply_round_16(Words16 a, Words16 b) { return {vqrdmulhq_s16(a.bits, b.bits)}; }
template <int kBits>
LOCKSTEP_INLINE Words16 shift_left_16(Words16 a) {
  return {vshlq_n_s16(a.bits, kBits)};
}
/// Filled with the sign.
template <int kBits>
LOCKSTEP_INLINE Words16 shift_right_16(Words16 a) {
  if constexpr (kBits == 0) {
    return a;
  } else {
    return {vshrq_n_s16(a.bits, kBits)};
  }
}
/// floor(a * b / 2^16) of signed numbers. The doubled product's lowest bit is cut off with the half.
LOCKSTEP_INLINE Words16 multiply_high_16(Words16 a, Words16 b) {
  return {vshrq_n_s16(vqdmulhq_s16(a.bits, b.bits), 1)};
}
/// Montgomery's product a b / 2^16 mod q, where b_q = b / q mod 2^16: half the difference of doubled products, whose
/// lower halves are equal.
LOCKSTEP_INLINE Words16 multiply_montgomery(Words16 a, Words16 b, Words16 b_q) {
  return {vhsubq_s16(vqdmulhq_s16(a.bits, b.bits), vqdmulhq_n_s16(vmulq_s16(a.bits, b_q.bits), kModulus))};
}
/// Exchanges the words of a whose place has a one at kBlock (a power of two) with those of b that have a zero there.
template <std::size_t kBlock>
LOCKSTEP_INLINE void exchange_16(Words16& a, Words16& b) {
  if constexpr (kBlock == 4) {
    const int64x2_t x = vreinterpretq_s64_s16(a.bits);
    const int64x2_t y = vreinterpretq_s64_s16(b.bits);
    a.bits = vreinterpretq_s16_s64(vtrn1q_s64(x, y));
    b.bits = vreinterpretq_s16_s64(vtrn2q_s64(x, y));
  } else if constexpr (kBlock == 2) {
    const int32x4_t x = vreinterpretq_s32_s16(a.bits);
    const int32x4_t y = vreinterpretq_s32_s16(b.bits);
    a.bits = vreinterpretq_s16_s32(vtrn1q_s32(x, y));
    b.bits = vreinterpretq_s16_s32(vtrn2q_s32(x, y));
  } else {
    const int16x8_t x = a.bits;
    a.bits = vtrn1q_s16(x, b.bits);
    b.bits = vtrn2q_s16(x, b.bits);
  }
}
/// The value in each word for which there is a one among the bits, and zero in the others.
LOCKSTEP_INLINE Words16 where_bits(const std::uint8_t* bits, std::int16_t value) {
  constexpr std::int16_t kPlaces[8] = {1, 2, 4, 8, 16, 32, 64, 128};
  const uint16x8_t ones = vtstq_s16(vdupq_n_s16(bits[0]), vld1q_s16(kPlaces));
  return {vandq_s16(vreinterpretq_s16_u16(ones), vdupq_n_s16(value))};
}

/// How many candidates of SampleNTT are looked at together.
inline constexpr std::size_t kCandidates = 2;
LOCKSTEP_INLINE std::size_t take_below_modulus(std::int16_t* to, const std::uint8_t* from) {
  return take_two(to, from);
}
