// The vector layer for NEON registers, with the operations of x86_128.inl. Include it inside the namespace and target
// region of an instruction set. A Block is one AES block, or four 32-bit words.

struct Block {
  uint8x16_t bits;
};

LOCKSTEP_INLINE Block load_block(const std::uint8_t* from) { return {vld1q_u8(from)}; }
LOCKSTEP_INLINE void store(std::uint8_t* to, Block a) { vst1q_u8(to, a.bits); }
LOCKSTEP_INLINE Block zero_block() { return {vdupq_n_u8(0)}; }
/// Two 64-bit halves, the low one in the bytes at the lower addresses.
LOCKSTEP_INLINE Block make_block(std::uint64_t low, std::uint64_t high) {
  return {vreinterpretq_u8_u64(vcombine_u64(vcreate_u64(low), vcreate_u64(high)))};
}
LOCKSTEP_INLINE Block bit_xor(Block a, Block b) { return {veorq_u8(a.bits, b.bits)}; }
LOCKSTEP_INLINE Block bit_and(Block a, Block b) { return {vandq_u8(a.bits, b.bits)}; }
/// b where the mask is clear, a where it is set.
LOCKSTEP_INLINE Block select(Block mask, Block a, Block b) { return {vbslq_u8(mask.bits, a.bits, b.bits)}; }
LOCKSTEP_INLINE Block add_32(Block a, Block b) {
  return {vreinterpretq_u8_u32(vaddq_u32(vreinterpretq_u32_u8(a.bits), vreinterpretq_u32_u8(b.bits)))};
}
/// Byte i of the result is byte order[i] of a; order[i] is below 16.
LOCKSTEP_INLINE Block shuffle_bytes(Block a, Block order) { return {vqtbl1q_u8(a.bits, order.bits)}; }
LOCKSTEP_INLINE Block swap_halves(Block a) { return {vextq_u8(a.bits, a.bits, 8)}; }
LOCKSTEP_INLINE bool equal_in_constant_time(Block a, Block b) { return vmaxvq_u8(veorq_u8(a.bits, b.bits)) == 0; }
/// Computed before what is pinned later, and in a register: keeps the compiler from moving it.
LOCKSTEP_INLINE void pin(Block& a) { asm volatile("" : "+w"(a.bits)); }
