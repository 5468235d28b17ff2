// The layer of Keccak for 256-bit registers: one word of four states.
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
LOCKSTEP_INLINE States xor_3(States a, States b, States c) { return xor_word(xor_word(a, b), c); }
LOCKSTEP_INLINE States xor_constant(States a, std::uint64_t b) {
  return xor_word(a, {_mm256_set1_epi64x(static_cast<long long>(b))});
}
LOCKSTEP_INLINE States chi(States a, States b, States c) { return xor_word(a, {_mm256_andnot_si256(b.bits, c.bits)}); }
template <int kBits>
LOCKSTEP_INLINE States turn_left(States a) {
  if constexpr (kBits == 0) {
    return a;
  } else if constexpr (kBits % 8 == 0) {
    constexpr int kBytes = kBits / 8;
    const auto word = [](int first) {
      std::uint64_t bytes = 0;
      for (int i = 0; i < 8; ++i) bytes |= static_cast<std::uint64_t>(first + (i + 8 - kBytes) % 8) << (8 * i);
      return static_cast<long long>(bytes);
    };
    constexpr long long kLow = word(0);
    constexpr long long kHigh = word(8);
    return {_mm256_shuffle_epi8(a.bits, _mm256_set_epi64x(kHigh, kLow, kHigh, kLow))};
  } else {
    return {_mm256_or_si256(_mm256_slli_epi64(a.bits, kBits), _mm256_srli_epi64(a.bits, 64 - kBits))};
  }
}
