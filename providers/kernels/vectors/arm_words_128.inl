// 32-bit words in NEON registers.

LOCKSTEP_INLINE Block broadcast_word(std::uint32_t a) { return {vreinterpretq_u8_u32(vdupq_n_u32(a))}; }
template <int kBits>
LOCKSTEP_INLINE Block rotate_words_left(Block a) {
  const uint32x4_t words = vreinterpretq_u32_u8(a.bits);
  if constexpr (kBits == 16) {
    return {vreinterpretq_u8_u16(vrev32q_u16(vreinterpretq_u16_u8(a.bits)))};
  } else {
    return {vreinterpretq_u8_u32(vsriq_n_u32(vshlq_n_u32(words, kBits), words, 32 - kBits))};
  }
}
/// Word j of vector i becomes word i of vector j.
LOCKSTEP_INLINE void transpose_words(Block& a, Block& b, Block& c, Block& d) {
  const uint32x4x2_t ab = vtrnq_u32(vreinterpretq_u32_u8(a.bits), vreinterpretq_u32_u8(b.bits));
  const uint32x4x2_t cd = vtrnq_u32(vreinterpretq_u32_u8(c.bits), vreinterpretq_u32_u8(d.bits));
  const auto low = [](uint32x4_t x, uint32x4_t y) {
    return Block{vreinterpretq_u8_u32(vcombine_u32(vget_low_u32(x), vget_low_u32(y)))};
  };
  const auto high = [](uint32x4_t x, uint32x4_t y) {
    return Block{vreinterpretq_u8_u32(vcombine_u32(vget_high_u32(x), vget_high_u32(y)))};
  };
  a = low(ab.val[0], cd.val[0]);
  b = low(ab.val[1], cd.val[1]);
  c = high(ab.val[0], cd.val[0]);
  d = high(ab.val[1], cd.val[1]);
}
/// Four words, the first in the bytes at the lowest addresses.
LOCKSTEP_INLINE Block make_words(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return make_block(a | std::uint64_t{b} << 32, c | std::uint64_t{d} << 32);
}
/// The word at place i + kWords, going round, becomes word i.
template <int kWords>
LOCKSTEP_INLINE Block rotate_lane_words(Block a) {
  return {vextq_u8(a.bits, a.bits, 4 * kWords)};
}
