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
template <class Word, std::size_t... i>
LOCKSTEP_INLINE void rho_pi(const Word (&a)[kSha3Words], const Word (&d)[5], Word (&b)[kSha3Words],
                            std::index_sequence<i...>) {
  ((b[kSha3Moves.to[i]] = turn_left<kSha3Moves.turn[i]>(xor_word(a[i], d[i % 5]))), ...);
}
template <class Word, std::size_t... i>
LOCKSTEP_INLINE void chi_rows(const Word (&b)[kSha3Words], Word (&a)[kSha3Words], std::index_sequence<i...>) {
  ((a[i] = chi(b[i], b[i / 5 * 5 + (i + 1) % 5], b[i / 5 * 5 + (i + 2) % 5])), ...);
}

template <class Word>
LOCKSTEP_INLINE void permute(Word (&state)[kSha3Words]) {
  constexpr auto kAll = std::make_index_sequence<kSha3Words>();
  Word a[kSha3Words];
  std::memcpy(static_cast<void*>(a), state, sizeof a);
  for (const std::uint64_t constant : kSha3Constants) {
    Word d[5];
    Word b[kSha3Words];
    theta_sums(a, d, std::make_index_sequence<5>());
    rho_pi(a, d, b, kAll);
    chi_rows(b, a, kAll);
    a[0] = xor_constant(a[0], constant);
  }
  std::memcpy(static_cast<void*>(state), a, sizeof a);
}
