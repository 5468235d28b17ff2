// The rounds and the message schedule of SHA-2 (FIPS 180-4 6.2.2, 6.4.2) on integers: 32-bit words make SHA-256, 64-bit
// words SHA-384 and SHA-512. Include it inside the namespace and target region of an instruction set.

inline constexpr std::size_t kStateWords = 8;
inline constexpr std::size_t kBlockWords = 16;

template <class Word>
inline constexpr std::size_t kRounds = sizeof(Word) == 4 ? 64 : 80;

// FIPS 180-4 4.1.2 for 32 bits, 4.1.3 for 64.
template <class Word>
LOCKSTEP_INLINE Word big_sigma_0(Word x) {
  return sizeof(Word) == 4 ? std::rotr(x, 2) ^ std::rotr(x, 13) ^ std::rotr(x, 22)
                           : std::rotr(x, 28) ^ std::rotr(x, 34) ^ std::rotr(x, 39);
}

template <class Word>
LOCKSTEP_INLINE Word big_sigma_1(Word x) {
  return sizeof(Word) == 4 ? std::rotr(x, 6) ^ std::rotr(x, 11) ^ std::rotr(x, 25)
                           : std::rotr(x, 14) ^ std::rotr(x, 18) ^ std::rotr(x, 41);
}

template <class Word>
LOCKSTEP_INLINE Word small_sigma_0(Word x) {
  return sizeof(Word) == 4 ? std::rotr(x, 7) ^ std::rotr(x, 18) ^ x >> 3 : std::rotr(x, 1) ^ std::rotr(x, 8) ^ x >> 7;
}

template <class Word>
LOCKSTEP_INLINE Word small_sigma_1(Word x) {
  return sizeof(Word) == 4 ? std::rotr(x, 17) ^ std::rotr(x, 19) ^ x >> 10
                           : std::rotr(x, 19) ^ std::rotr(x, 61) ^ x >> 6;
}

// Round kIndex; `word` is the schedule's word plus the round's constant. The variables a to h stand still and take each
// other's roles: a is state[-kIndex mod 8].
template <std::size_t kIndex, class Word>
LOCKSTEP_INLINE void round(Word (&state)[kStateWords], Word word) {
  const auto at = [&](std::size_t role) -> Word& { return state[(role + 8 * kStateWords - kIndex % 8) % kStateWords]; };
  const Word a = at(0), b = at(1), c = at(2), e = at(4), f = at(5), g = at(6);
  const Word choice = g ^ (e & (f ^ g));
  // a ^ b is b ^ c in the next round.
  const Word majority = b ^ ((a ^ b) & (b ^ c));
  const Word sum = at(7) + word + big_sigma_1(e) + choice;
  at(3) += sum;
  at(7) = sum + big_sigma_0(a) + majority;
}

template <class Word>
LOCKSTEP_INLINE void add_state(Word (&state)[kStateWords], const Word (&before)[kStateWords]) {
  for (std::size_t i = 0; i < kStateWords; ++i) state[i] += before[i];
}
