// The layer of ML-KEM in plain C++: LOCKSTEP_WORDS16 words of 16 bits side by side, which a compiler turns into
// whatever the machine has. In the build that looks for branches on secrets all of a word is secret if a bit of an
// operand is; MemorySanitizer by itself spreads a secret to the same bit of the result alone, and so would lose those
// that a product carries away.
inline constexpr std::size_t kWords16 = LOCKSTEP_WORDS16;
struct Words16 {
  std::int16_t words[kWords16];
};

#if defined(LOCKSTEP_CHECK_SECRETS)
template <class... Operands>
inline bool any_secret(const Operands&... operands) {
  return ((__msan_test_shadow(&operands, sizeof operands) >= 0) || ...);
}
inline std::int32_t opened(std::int16_t word) {
  __msan_unpoison(&word, sizeof word);
  return word;
}
inline std::int16_t closed(std::int32_t value, bool secret) {
  std::int16_t word = static_cast<std::int16_t>(value);
  if (secret) __msan_poison(&word, sizeof word);
  return word;
}
#else
template <class... Operands>
LOCKSTEP_INLINE bool any_secret(const Operands&...) {
  return false;
}
LOCKSTEP_INLINE std::int32_t opened(std::int16_t word) { return word; }
LOCKSTEP_INLINE std::int16_t closed(std::int32_t value, bool) { return static_cast<std::int16_t>(value); }
#endif

// An operation on 32-bit integers in each word.
#define LOCKSTEP_EACH_WORD(expression)                                     \
  Words16 result;                                                          \
  for (std::size_t i = 0; i < kWords16; ++i) result.words[i] = expression; \
  return result

LOCKSTEP_INLINE Words16 load_words16(const std::int16_t* from) {
  Words16 a;
  std::memcpy(&a, from, sizeof a);
  return a;
}
LOCKSTEP_INLINE void store_words16(std::int16_t* to, Words16 a) { std::memcpy(to, &a, sizeof a); }
/// From any address, of each word the lower byte first.
LOCKSTEP_INLINE Words16 load_bytes_16(const std::uint8_t* from) {
  Words16 a;
  std::memcpy(&a, from, sizeof a);
  if constexpr (std::endian::native == std::endian::big) {
    for (std::int16_t& word : a.words)
      word = static_cast<std::int16_t>(__builtin_bswap16(static_cast<std::uint16_t>(word)));
  }
  return a;
}
LOCKSTEP_INLINE Words16 broadcast_16(std::int16_t value) { LOCKSTEP_EACH_WORD(value); }
LOCKSTEP_INLINE Words16 add_16(Words16 a, Words16 b) {
  LOCKSTEP_EACH_WORD(closed(opened(a.words[i]) + opened(b.words[i]), any_secret(a.words[i], b.words[i])));
}
LOCKSTEP_INLINE Words16 subtract_16(Words16 a, Words16 b) {
  LOCKSTEP_EACH_WORD(closed(opened(a.words[i]) - opened(b.words[i]), any_secret(a.words[i], b.words[i])));
}
LOCKSTEP_INLINE Words16 and_16(Words16 a, Words16 b) {
  LOCKSTEP_EACH_WORD(closed(opened(a.words[i]) & opened(b.words[i]), any_secret(a.words[i], b.words[i])));
}
/// The lower half of the product.
LOCKSTEP_INLINE Words16 multiply_low_16(Words16 a, Words16 b) {
  LOCKSTEP_EACH_WORD(closed(opened(a.words[i]) * opened(b.words[i]), any_secret(a.words[i], b.words[i])));
}
/// The product of signed numbers, times 2 and rounded, its upper half.
LOCKSTEP_INLINE Words16 multiply_round_16(Words16 a, Words16 b) {
  LOCKSTEP_EACH_WORD(
      closed((opened(a.words[i]) * opened(b.words[i]) + 0x4000) >> 15, any_secret(a.words[i], b.words[i])));
}
template <int kBits>
LOCKSTEP_INLINE Words16 shift_left_16(Words16 a) {
  LOCKSTEP_EACH_WORD(closed(static_cast<std::int32_t>(static_cast<std::uint32_t>(opened(a.words[i])) << kBits),
                            any_secret(a.words[i])));
}
/// Filled with the sign.
template <int kBits>
LOCKSTEP_INLINE Words16 shift_right_16(Words16 a) {
  LOCKSTEP_EACH_WORD(closed(opened(a.words[i]) >> kBits, any_secret(a.words[i])));
}
/// floor(a * b / 2^16) of signed numbers.
LOCKSTEP_INLINE Words16 multiply_high_16(Words16 a, Words16 b) {
  LOCKSTEP_EACH_WORD(closed(opened(a.words[i]) * opened(b.words[i]) >> 16, any_secret(a.words[i], b.words[i])));
}
/// Montgomery's product a b / 2^16 mod q, where b_q = b / q mod 2^16.
LOCKSTEP_INLINE Words16 multiply_montgomery(Words16 a, Words16 b, Words16 b_q) {
  return subtract_16(multiply_high_16(a, b), multiply_high_16(multiply_low_16(a, b_q), broadcast_16(kModulus)));
}
/// Exchanges the words of a whose place has a one at kBlock (a power of two) with those of b that have a zero there.
template <std::size_t kBlock>
LOCKSTEP_INLINE void exchange_16(Words16& a, Words16& b) {
  for (std::size_t i = 0; i < kWords16; ++i) {
    if ((i & kBlock) != 0) continue;
    const std::int16_t word = a.words[i + kBlock];
    a.words[i + kBlock] = b.words[i];
    b.words[i] = word;
  }
}
/// The value in each word for which there is a one among the bits, and zero in the others.
LOCKSTEP_INLINE Words16 where_bits(const std::uint8_t* bits, std::int16_t value) {
  LOCKSTEP_EACH_WORD(closed(-(hidden(bits[i / 8]) >> (i % 8) & 1) & value, any_secret(bits[i / 8])));
}
#undef LOCKSTEP_EACH_WORD

/// How many candidates of SampleNTT are looked at together.
inline constexpr std::size_t kCandidates = 2;
LOCKSTEP_INLINE std::size_t take_below_modulus(std::int16_t* to, const std::uint8_t* from) {
  return take_two(to, from);
}
