// The layer of Keccak for NEON: one word of two states.
inline constexpr std::size_t kWays = 2;
struct States {
  uint64x2_t bits;
};

LOCKSTEP_INLINE States load_states(const std::uint64_t* from) { return {vld1q_u64(from)}; }
LOCKSTEP_INLINE void store_states(std::uint64_t* to, States a) { vst1q_u64(to, a.bits); }
LOCKSTEP_INLINE States xor_word(States a, States b) { return {veorq_u64(a.bits, b.bits)}; }
LOCKSTEP_INLINE States xor_3(States a, States b, States c) { return xor_word(xor_word(a, b), c); }
LOCKSTEP_INLINE States xor_constant(States a, std::uint64_t b) { return xor_word(a, {vdupq_n_u64(b)}); }
LOCKSTEP_INLINE States chi(States a, States b, States c) { return xor_word(a, {vbicq_u64(c.bits, b.bits)}); }
template <int kBits>
LOCKSTEP_INLINE States turn_left(States a) {
  if constexpr (kBits == 0) {
    return a;
  } else {
    return {vsriq_n_u64(vshlq_n_u64(a.bits, kBits), a.bits, 64 - kBits)};
  }
}
