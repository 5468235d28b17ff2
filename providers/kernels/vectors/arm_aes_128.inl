// AES and carry-less multiplication with AESE, AESMC and PMULL.

/// One AES round: ShiftRows, SubBytes, MixColumns, then the round key. AESE adds a round key first: none here.
LOCKSTEP_INLINE Block aes_round(Block state, Block round_key) {
  return {veorq_u8(vaesmcq_u8(vaeseq_u8(state.bits, vdupq_n_u8(0))), round_key.bits)};
}
/// The last round, without MixColumns.
LOCKSTEP_INLINE Block aes_last_round(Block state, Block round_key) {
  return {veorq_u8(vaeseq_u8(state.bits, vdupq_n_u8(0)), round_key.bits)};
}
/// The carry-less product of the low (0) or high (1) half of a and that of b.
template <int kHalfOfA, int kHalfOfB>
LOCKSTEP_INLINE Block carryless_multiply(Block a, Block b) {
  const poly64_t x = vgetq_lane_p64(vreinterpretq_p64_u8(a.bits), kHalfOfA);
  const poly64_t y = vgetq_lane_p64(vreinterpretq_p64_u8(b.bits), kHalfOfB);
  return {vreinterpretq_u8_p128(vmull_p64(x, y))};
}
/// a moved towards the higher addresses by kBytes, zero filled.
template <int kBytes>
LOCKSTEP_INLINE Block shift_bytes_up(Block a) {
  return {vextq_u8(vdupq_n_u8(0), a.bits, 16 - kBytes)};
}
