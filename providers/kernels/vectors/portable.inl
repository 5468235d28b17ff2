// The vector layer for 32-bit words in plain C++: four of them side by side, which a compiler turns into whatever the
// machine has.

using Words = std::uint32_t __attribute__((vector_size(16)));
struct Block {
  Words bits;
};

LOCKSTEP_INLINE Block load_block(const std::uint8_t* from) {
  return {Words{load_le32(from), load_le32(from + 4), load_le32(from + 8), load_le32(from + 12)}};
}
LOCKSTEP_INLINE void store(std::uint8_t* to, Block a) {
  for (std::size_t i = 0; i < 4; ++i) store_le32(to + 4 * i, a.bits[i]);
}
LOCKSTEP_INLINE Block zero_block() { return {Words{0, 0, 0, 0}}; }
/// Two 64-bit halves, the low one in the bytes at the lower addresses.
LOCKSTEP_INLINE Block make_block(std::uint64_t low, std::uint64_t high) {
  return {Words{static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(low >> 32),
                static_cast<std::uint32_t>(high), static_cast<std::uint32_t>(high >> 32)}};
}
LOCKSTEP_INLINE Block bit_xor(Block a, Block b) { return {a.bits ^ b.bits}; }
LOCKSTEP_INLINE Block add_32(Block a, Block b) { return {a.bits + b.bits}; }
LOCKSTEP_INLINE Block broadcast_word(std::uint32_t a) { return {Words{a, a, a, a}}; }
template <int kBits>
LOCKSTEP_INLINE Block rotate_words_left(Block a) {
  return {a.bits << kBits | a.bits >> (32 - kBits)};
}
/// Word j of vector i becomes word i of vector j.
LOCKSTEP_INLINE void transpose_words(Block& a, Block& b, Block& c, Block& d) {
  const Block rows[4] = {a, b, c, d};
  a.bits = Words{rows[0].bits[0], rows[1].bits[0], rows[2].bits[0], rows[3].bits[0]};
  b.bits = Words{rows[0].bits[1], rows[1].bits[1], rows[2].bits[1], rows[3].bits[1]};
  c.bits = Words{rows[0].bits[2], rows[1].bits[2], rows[2].bits[2], rows[3].bits[2]};
  d.bits = Words{rows[0].bits[3], rows[1].bits[3], rows[2].bits[3], rows[3].bits[3]};
}
/// Computed before what is pinned later.
LOCKSTEP_INLINE void pin(Block&) {}
/// Four words, the first in the bytes at the lowest addresses.
LOCKSTEP_INLINE Block make_words(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return {Words{a, b, c, d}};
}
/// The word at place i + kWords, going round, becomes word i.
template <int kWords>
LOCKSTEP_INLINE Block rotate_lane_words(Block a) {
  return {Words{a.bits[kWords], a.bits[(kWords + 1) % 4], a.bits[(kWords + 2) % 4], a.bits[(kWords + 3) % 4]}};
}
