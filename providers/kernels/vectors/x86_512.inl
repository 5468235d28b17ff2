// The vector layer for 512-bit registers: a Vector is four Blocks, called lanes. Include it after x86_128.inl.

struct Vector {
  __m512i bits;
};
inline constexpr std::size_t kLanes = 4;

LOCKSTEP_INLINE Vector load_vector(const std::uint8_t* from) { return {_mm512_loadu_si512(from)}; }
LOCKSTEP_INLINE void store(std::uint8_t* to, Vector a) { _mm512_storeu_si512(to, a.bits); }
LOCKSTEP_INLINE Vector zero_vector() { return {_mm512_setzero_si512()}; }
/// The same block in every lane.
LOCKSTEP_INLINE Vector broadcast(Block a) { return {_mm512_broadcast_i32x4(a.bits)}; }
/// a in the first lane, zero in the others.
LOCKSTEP_INLINE Vector widen(Block a) { return {_mm512_zextsi128_si512(a.bits)}; }
/// The lanes' exclusive or.
LOCKSTEP_INLINE Block fold_lanes(Vector a) {
  const __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(a.bits), _mm512_extracti64x4_epi64(a.bits, 1));
  return {_mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1))};
}
LOCKSTEP_INLINE Vector bit_xor(Vector a, Vector b) { return {_mm512_xor_si512(a.bits, b.bits)}; }
LOCKSTEP_INLINE Vector bit_and(Vector a, Vector b) { return {_mm512_and_si512(a.bits, b.bits)}; }
LOCKSTEP_INLINE Vector select(Vector mask, Vector a, Vector b) {
  return {_mm512_ternarylogic_epi64(mask.bits, a.bits, b.bits, 0xca)};
}
LOCKSTEP_INLINE Vector add_32(Vector a, Vector b) { return {_mm512_add_epi32(a.bits, b.bits)}; }
LOCKSTEP_INLINE Vector shuffle_bytes(Vector a, Vector order) { return {_mm512_shuffle_epi8(a.bits, order.bits)}; }
LOCKSTEP_INLINE Vector swap_halves(Vector a) { return {_mm512_shuffle_epi32(a.bits, _MM_PERM_BADC)}; }
/// Stores the first `lanes` lanes, fewer than there are.
LOCKSTEP_INLINE void store_lanes(std::uint8_t* to, Vector a, std::size_t lanes) {
  _mm512_mask_storeu_epi64(to, static_cast<__mmask8>((1U << (2 * lanes)) - 1), a.bits);
}
/// Computed before what is pinned later, and in a register: keeps the compiler from moving it.
LOCKSTEP_INLINE void pin(Vector& a) { asm volatile("" : "+v"(a.bits)); }
/// Loads the first `lanes` lanes, fewer than there are; the others are zero.
LOCKSTEP_INLINE Vector load_lanes(const std::uint8_t* from, std::size_t lanes) {
  return {_mm512_maskz_loadu_epi64(static_cast<__mmask8>((1U << (2 * lanes)) - 1), from)};
}
/// Eight bytes in both halves of every lane.
LOCKSTEP_INLINE Vector broadcast_half(const std::uint8_t* from) {
  return {_mm512_set1_epi64(static_cast<long long>(load_le64(from)))};
}
/// A vector that was stored block by block.
LOCKSTEP_INLINE Vector load_blocks(const std::uint8_t* from) {
  const __m256i low =
      _mm256_inserti128_si256(_mm256_castsi128_si256(load_block(from).bits), load_block(from + 16).bits, 1);
  const __m256i high =
      _mm256_inserti128_si256(_mm256_castsi128_si256(load_block(from + 32).bits), load_block(from + 48).bits, 1);
  return {_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1)};
}
