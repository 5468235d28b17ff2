// The vector layer for 256-bit registers: a Vector is two Blocks, called lanes. Include it after x86_128.inl.

struct Vector {
  __m256i bits;
};
inline constexpr std::size_t kLanes = 2;

LOCKSTEP_INLINE Vector load_vector(const std::uint8_t* from) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))};
}
LOCKSTEP_INLINE void store(std::uint8_t* to, Vector a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), a.bits); }
LOCKSTEP_INLINE Vector zero_vector() { return {_mm256_setzero_si256()}; }
/// The same block in every lane.
LOCKSTEP_INLINE Vector broadcast(Block a) { return {_mm256_broadcastsi128_si256(a.bits)}; }
/// a in the first lane, zero in the others.
LOCKSTEP_INLINE Vector widen(Block a) { return {_mm256_zextsi128_si256(a.bits)}; }
/// a in the first lane, b in the second.
LOCKSTEP_INLINE Vector join_blocks(Block a, Block b) {
  return {_mm256_inserti128_si256(_mm256_castsi128_si256(a.bits), b.bits, 1)};
}
/// The lanes' exclusive or.
LOCKSTEP_INLINE Block fold_lanes(Vector a) {
  return {_mm_xor_si128(_mm256_castsi256_si128(a.bits), _mm256_extracti128_si256(a.bits, 1))};
}
LOCKSTEP_INLINE Vector bit_xor(Vector a, Vector b) { return {_mm256_xor_si256(a.bits, b.bits)}; }
LOCKSTEP_INLINE Vector bit_and(Vector a, Vector b) { return {_mm256_and_si256(a.bits, b.bits)}; }
LOCKSTEP_INLINE Vector select(Vector mask, Vector a, Vector b) {
  return {_mm256_or_si256(_mm256_and_si256(mask.bits, a.bits), _mm256_andnot_si256(mask.bits, b.bits))};
}
LOCKSTEP_INLINE Vector add_32(Vector a, Vector b) { return {_mm256_add_epi32(a.bits, b.bits)}; }
LOCKSTEP_INLINE Vector shuffle_bytes(Vector a, Vector order) { return {_mm256_shuffle_epi8(a.bits, order.bits)}; }
LOCKSTEP_INLINE Vector swap_halves(Vector a) { return {_mm256_shuffle_epi32(a.bits, 0x4e)}; }
/// Stores the first `lanes` lanes, fewer than there are.
LOCKSTEP_INLINE void store_lanes(std::uint8_t* to, Vector a, std::size_t lanes) {
  if (lanes != 0) store(to, Block{_mm256_castsi256_si128(a.bits)});
}
/// Computed before what is pinned later, and in a register: keeps the compiler from moving it.
LOCKSTEP_INLINE void pin(Vector& a) { asm volatile("" : "+x"(a.bits)); }
/// Loads the first `lanes` lanes, fewer than there are; the others are zero.
LOCKSTEP_INLINE Vector load_lanes(const std::uint8_t* from, std::size_t lanes) {
  return lanes != 0 ? widen(load_block(from)) : zero_vector();
}
/// Eight bytes in both halves of every lane.
LOCKSTEP_INLINE Vector broadcast_half(const std::uint8_t* from) {
  return {_mm256_set1_epi64x(static_cast<long long>(load_le64(from)))};
}
/// A vector that was stored block by block.
LOCKSTEP_INLINE Vector load_blocks(const std::uint8_t* from) {
  return join_blocks(load_block(from), load_block(from + 16));
}
