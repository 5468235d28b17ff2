// Pairs of 64-bit words in each lane. Include it after x86_512.inl.

LOCKSTEP_INLINE Vector add_64(Vector a, Vector b) { return {_mm512_add_epi64(a.bits, b.bits)}; }
template <int kBits>
LOCKSTEP_INLINE Vector shift_right_64(Vector a) {
  return {_mm512_srli_epi64(a.bits, kBits)};
}
template <int kBits>
LOCKSTEP_INLINE Vector shift_left_64(Vector a) {
  return {_mm512_slli_epi64(a.bits, kBits)};
}
LOCKSTEP_INLINE Vector broadcast_64(std::uint64_t a) { return {_mm512_set1_epi64(static_cast<long long>(a))}; }
/// The first word of the first lane everywhere.
LOCKSTEP_INLINE Vector broadcast_first(Vector a) { return {_mm512_broadcastq_epi64(_mm512_castsi512_si128(a.bits))}; }
/// In each lane, the first words of a and b, or the second ones.
LOCKSTEP_INLINE Vector first_words(Vector a, Vector b) { return {_mm512_unpacklo_epi64(a.bits, b.bits)}; }
LOCKSTEP_INLINE Vector second_words(Vector a, Vector b) { return {_mm512_unpackhi_epi64(a.bits, b.bits)}; }
/// Adds the lower or upper 52 bits of the products of words, of which the lower 52 bits count.
LOCKSTEP_INLINE Vector add_product_low(Vector sum, Vector a, Vector b) {
  return {_mm512_madd52lo_epu64(sum.bits, a.bits, b.bits)};
}
LOCKSTEP_INLINE Vector add_product_high(Vector sum, Vector a, Vector b) {
  return {_mm512_madd52hi_epu64(sum.bits, a.bits, b.bits)};
}
