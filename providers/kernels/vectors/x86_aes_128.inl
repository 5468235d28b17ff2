// AES and carry-less multiplication on 128-bit registers.

/// One AES round: ShiftRows, SubBytes, MixColumns, then the round key.
LOCKSTEP_INLINE Block aes_round(Block state, Block round_key) { return {_mm_aesenc_si128(state.bits, round_key.bits)}; }
/// The last round, without MixColumns.
LOCKSTEP_INLINE Block aes_last_round(Block state, Block round_key) {
  return {_mm_aesenclast_si128(state.bits, round_key.bits)};
}
/// The carry-less product of the low (0) or high (1) half of a and that of b.
template <int kHalfOfA, int kHalfOfB>
LOCKSTEP_INLINE Block carryless_multiply(Block a, Block b) {
  return {_mm_clmulepi64_si128(a.bits, b.bits, kHalfOfA | kHalfOfB << 4)};
}
/// a moved towards the higher addresses by kBytes, zero filled.
template <int kBytes>
LOCKSTEP_INLINE Block shift_bytes_up(Block a) {
  return {_mm_slli_si128(a.bits, kBytes)};
}
