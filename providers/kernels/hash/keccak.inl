// Keccak-f[1600] (FIPS 202 3.3), written once for one state (words) and for several side by side (vectors of words).

LOCKSTEP_INLINE std::uint64_t xor_3(std::uint64_t a, std::uint64_t b, std::uint64_t c) { return a ^ b ^ c; }
LOCKSTEP_INLINE std::uint64_t xor_word(std::uint64_t a, std::uint64_t b) { return a ^ b; }
LOCKSTEP_INLINE std::uint64_t xor_constant(std::uint64_t a, std::uint64_t b) { return a ^ b; }
/// a ^ (~b & c): the step chi.
LOCKSTEP_INLINE std::uint64_t chi(std::uint64_t a, std::uint64_t b, std::uint64_t c) { return a ^ (~b & c); }
template <int kBits>
LOCKSTEP_INLINE std::uint64_t turn_left(std::uint64_t a) {
  if constexpr (kBits == 0) return a;
  return a << kBits | a >> (64 - kBits) % 64;
}

template <class Word, std::size_t... x>
LOCKSTEP_INLINE void theta_sums(const Word (&a)[kSha3Words], Word (&d)[5], std::index_sequence<x...>) {
  const Word c[5] = {xor_3(xor_3(a[x], a[x + 5], a[x + 10]), a[x + 15], a[x + 20])...};
  ((d[x] = xor_word(c[(x + 4) % 5], turn_left<1>(c[(x + 1) % 5]))), ...);
}
/// Row y of what the steps rho and pi make, then the step chi on it.
template <std::size_t y, class Word, std::size_t... x>
LOCKSTEP_INLINE void next_row(const Word (&a)[kSha3Words], const Word (&d)[5], Word (&next)[kSha3Words],
                              std::index_sequence<x...>) {
  const Word b[5] = {turn_left<kSha3Moves.turn[kSha3Moves.from[x + 5 * y]]>(
      xor_word(a[kSha3Moves.from[x + 5 * y]], d[kSha3Moves.from[x + 5 * y] % 5]))...};
  ((next[x + 5 * y] = chi(b[x], b[(x + 1) % 5], b[(x + 2) % 5])), ...);
}

template <class Word>
LOCKSTEP_INLINE void round(Word (&a)[kSha3Words], Word (&next)[kSha3Words], std::uint64_t constant) {
  constexpr auto kFive = std::make_index_sequence<5>();
  Word d[5];
  theta_sums(a, d, kFive);
  next_row<0>(a, d, next, kFive);
  next[0] = xor_constant(next[0], constant);
  next_row<1>(a, d, next, kFive);
  next_row<2>(a, d, next, kFive);
  next_row<3>(a, d, next, kFive);
  next_row<4>(a, d, next, kFive);
}

template <class Word>
LOCKSTEP_INLINE void permute(Word (&state)[kSha3Words]) {
  Word a[kSha3Words];
  Word b[kSha3Words];
  std::memcpy(static_cast<void*>(a), state, sizeof a);
  for (std::size_t i = 0; i < kSha3Rounds; i += 2) {
    round(a, b, kSha3Constants[i]);
    round(b, a, kSha3Constants[i + 1]);
  }
  std::memcpy(static_cast<void*>(state), a, sizeof a);
}
