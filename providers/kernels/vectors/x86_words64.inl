// Pairs of 64-bit words in each lane. Include it after x86_256.inl.

LOCKSTEP_INLINE Block add_64(Block a, Block b) { return {_mm_add_epi64(a.bits, b.bits)}; }
LOCKSTEP_INLINE Vector add_64(Vector a, Vector b) { return {_mm256_add_epi64(a.bits, b.bits)}; }
template <int kBits>
LOCKSTEP_INLINE Block shift_right_64(Block a) {
  return {_mm_srli_epi64(a.bits, kBits)};
}
template <int kBits>
LOCKSTEP_INLINE Vector shift_right_64(Vector a) {
  return {_mm256_srli_epi64(a.bits, kBits)};
}
template <int kBits>
LOCKSTEP_INLINE Block shift_left_64(Block a) {
  return {_mm_slli_epi64(a.bits, kBits)};
}
template <int kBits>
LOCKSTEP_INLINE Vector shift_left_64(Vector a) {
  return {_mm256_slli_epi64(a.bits, kBits)};
}
/// In each lane, the second word of a and the first of b.
LOCKSTEP_INLINE Block middle_words(Block a, Block b) { return {_mm_alignr_epi8(b.bits, a.bits, 8)}; }
LOCKSTEP_INLINE Vector middle_words(Vector a, Vector b) { return {_mm256_alignr_epi8(b.bits, a.bits, 8)}; }
