// Vectors of a single block. Include it after the layer that defines Block.

using Vector = Block;
inline constexpr std::size_t kLanes = 1;

LOCKSTEP_INLINE Vector load_vector(const std::uint8_t* from) { return load_block(from); }
LOCKSTEP_INLINE Vector zero_vector() { return zero_block(); }
LOCKSTEP_INLINE Vector broadcast(Block a) { return a; }
LOCKSTEP_INLINE Vector widen(Block a) { return a; }
LOCKSTEP_INLINE Block fold_lanes(Vector a) { return a; }
LOCKSTEP_INLINE void store_lanes(std::uint8_t*, Vector, std::size_t) {}
LOCKSTEP_INLINE void gather_lanes(Vector&, Vector&, Vector&, Vector&) {}
LOCKSTEP_INLINE Vector load_lanes(const std::uint8_t*, std::size_t) { return zero_block(); }
LOCKSTEP_INLINE Vector broadcast_half(const std::uint8_t* from) {
  const std::uint64_t half = load_le64(from);
  return make_block(half, half);
}
LOCKSTEP_INLINE Vector load_blocks(const std::uint8_t* from) { return load_block(from); }
