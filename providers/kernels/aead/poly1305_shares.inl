// The hash of a long text, taken a share at a time while something else is computed: block by block. Include it after
// poly1305.inl; poly1305_lanes.inl is the same for vectors.

struct LongHash {
  Poly1305 poly;
};
inline constexpr bool kHashesMeanwhile = true;
// How far behind a place `end` must be, so that all before it is hashed.
inline constexpr std::size_t kAhead = 0;
// From which size on it takes less time than block by block.
inline constexpr std::size_t kLongText = ~std::size_t{0};

LOCKSTEP_INLINE void begin_long(LongHash& hash, const Poly1305& poly, const std::uint8_t*& /*at*/) { hash.poly = poly; }

// Nothing before the other work: all of it is hashed in between.
LOCKSTEP_INLINE void hash_ahead(LongHash& /*hash*/, const std::uint8_t*& /*at*/, const std::uint8_t* /*end*/) {}

// At most kCount blocks, as many as there are before `end`.
template <std::size_t kCount>
LOCKSTEP_INLINE void hash_share(LongHash& hash, const std::uint8_t*& at, const std::uint8_t* end) {
  for (std::size_t i = 0; i < kCount && end - at >= 16; ++i, at += 16) hash_block(hash.poly, at);
}

LOCKSTEP_INLINE Poly1305 end_long(LongHash& hash, const std::uint8_t*& /*at*/, const std::uint8_t* /*end*/) {
  return hash.poly;
}
