// The vector layer for 128-bit registers: the only text that names vendor intrinsics of this width. Include it inside
// the namespace and target region of an instruction set. A Block is one AES block, or four 32-bit words.

struct Block {
  __m128i bits;
};

LOCKSTEP_INLINE Block load_block(const std::uint8_t* from) {
  return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))};
}
LOCKSTEP_INLINE void store(std::uint8_t* to, Block a) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), a.bits); }
LOCKSTEP_INLINE Block zero_block() { return {_mm_setzero_si128()}; }
/// Two 64-bit halves, the low one in the bytes at the lower addresses.
LOCKSTEP_INLINE Block make_block(std::uint64_t low, std::uint64_t high) {
  return {_mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low))};
}
LOCKSTEP_INLINE Block bit_xor(Block a, Block b) { return {_mm_xor_si128(a.bits, b.bits)}; }
LOCKSTEP_INLINE Block bit_and(Block a, Block b) { return {_mm_and_si128(a.bits, b.bits)}; }
/// b where the mask is clear, a where it is set.
LOCKSTEP_INLINE Block select(Block mask, Block a, Block b) {
  return {_mm_or_si128(_mm_and_si128(mask.bits, a.bits), _mm_andnot_si128(mask.bits, b.bits))};
}
LOCKSTEP_INLINE Block add_32(Block a, Block b) { return {_mm_add_epi32(a.bits, b.bits)}; }
/// Byte i of the result is byte order[i] of a; order[i] is below 16.
LOCKSTEP_INLINE Block shuffle_bytes(Block a, Block order) { return {_mm_shuffle_epi8(a.bits, order.bits)}; }
LOCKSTEP_INLINE Block swap_halves(Block a) { return {_mm_shuffle_epi32(a.bits, 0x4e)}; }
LOCKSTEP_INLINE bool equal_in_constant_time(Block a, Block b) {
  return _mm_movemask_epi8(_mm_cmpeq_epi8(a.bits, b.bits)) == 0xffff;
}
/// Computed before what is pinned later, and in a register: keeps the compiler from moving it.
LOCKSTEP_INLINE void pin(Block& a) { asm volatile("" : "+x"(a.bits)); }
