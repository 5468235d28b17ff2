// The layer of Keccak for 256-bit registers with the instructions of AVX-512 VL, which turn words and know any function
// of three bits: one word of four states. Eight in 512 bits would mostly stand idle, because what ML-KEM hashes is one
// chain of blocks beside a few short messages.
inline constexpr std::size_t kWays = 4;
struct States {
  __m256i bits;
};

LOCKSTEP_INLINE States load_states(const std::uint64_t* from) {
  return {_mm256_load_si256(reinterpret_cast<const __m256i*>(from))};
}
LOCKSTEP_INLINE void store_states(std::uint64_t* to, States a) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(to), a.bits);
}
LOCKSTEP_INLINE States xor_word(States a, States b) { return {_mm256_xor_si256(a.bits, b.bits)}; }
LOCKSTEP_INLINE States xor_3(States a, States b, States c) {
  return {_mm256_ternarylogic_epi64(a.bits, b.bits, c.bits, 0x96)};
}
LOCKSTEP_INLINE States xor_constant(States a, std::uint64_t b) {
  return xor_word(a, {_mm256_set1_epi64x(static_cast<long long>(b))});
}
LOCKSTEP_INLINE States chi(States a, States b, States c) {
  return {_mm256_ternarylogic_epi64(a.bits, b.bits, c.bits, 0xd2)};
}
template <int kBits>
LOCKSTEP_INLINE States turn_left(States a) {
  if constexpr (kBits == 0) return a;
  return {_mm256_rol_epi64(a.bits, kBits)};
}
