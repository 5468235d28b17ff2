// AES and carry-less multiplication on 256-bit registers.

LOCKSTEP_INLINE Vector aes_round(Vector state, Vector round_key) {
  return {_mm256_aesenc_epi128(state.bits, round_key.bits)};
}
LOCKSTEP_INLINE Vector aes_last_round(Vector state, Vector round_key) {
  return {_mm256_aesenclast_epi128(state.bits, round_key.bits)};
}
template <int kHalfOfA, int kHalfOfB>
LOCKSTEP_INLINE Vector carryless_multiply(Vector a, Vector b) {
  return {_mm256_clmulepi64_epi128(a.bits, b.bits, kHalfOfA | kHalfOfB << 4)};
}
