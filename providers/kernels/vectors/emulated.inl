// The vector layer in plain C++, with every operation of the others, for LOCKSTEP_EMULATED_LANES lanes: 1, 2 or 4. It
// is slow and for tests alone. What the processor does in one instruction carries poison by hand here, because
// MemorySanitizer knows neither vendor intrinsics nor how a carry or a table spreads it: if any part of an operand is
// secret, then so is all of the result (of the word, where the operation works on words).

struct Block {
  std::uint8_t bytes[16];
};

#if defined(LOCKSTEP_CHECK_SECRETS)
template <class T>
inline bool is_secret(const T& value) {
  return __msan_test_shadow(&value, sizeof value) >= 0;
}
/// A copy that may be computed with in any way.
template <class T>
inline T declassified(T value) {
  __msan_unpoison(&value, sizeof value);
  return value;
}
template <class T>
inline void make_secret(T& value, bool secret) {
  if (secret) __msan_poison(&value, sizeof value);
}
#else
template <class T>
inline bool is_secret(const T&) {
  return false;
}
template <class T>
inline T declassified(T value) {
  return value;
}
template <class T>
inline void make_secret(T&, bool) {}
#endif

inline Block load_block(const std::uint8_t* from) {
  Block a;
  std::memcpy(a.bytes, from, sizeof a.bytes);
  return a;
}
inline void store(std::uint8_t* to, Block a) { std::memcpy(to, a.bytes, sizeof a.bytes); }
inline Block zero_block() { return {}; }
inline Block make_block(std::uint64_t low, std::uint64_t high) {
  Block a;
  store_le64(a.bytes, low);
  store_le64(a.bytes + 8, high);
  return a;
}

// An operation on each byte, or on each word: of 32 bits at its place, or of 64.
template <class Operation, class... Blocks>
inline Block each_byte(Operation operation, const Blocks&... blocks) {
  Block result;
  for (std::size_t i = 0; i < 16; ++i) result.bytes[i] = static_cast<std::uint8_t>(operation(blocks.bytes[i]...));
  return result;
}
template <class Word>
inline Word word_of(const Block& a, std::size_t index) {
  Word word;
  std::memcpy(&word, a.bytes + index * sizeof word, sizeof word);
  return word;
}
template <class Word, class Operation, class... Blocks>
inline Block each_word(Operation operation, const Blocks&... blocks) {
  Block result;
  for (std::size_t i = 0; i < 16 / sizeof(Word); ++i) {
    Word word = operation(declassified(word_of<Word>(blocks, i))...);
    make_secret(word, (is_secret(word_of<Word>(blocks, i)) || ...));
    std::memcpy(result.bytes + i * sizeof word, &word, sizeof word);
  }
  return result;
}

inline Block bit_xor(Block a, Block b) {
  return each_byte([](int x, int y) { return x ^ y; }, a, b);
}
inline Block bit_and(Block a, Block b) {
  return each_byte([](int x, int y) { return x & y; }, a, b);
}
inline Block select(Block mask, Block a, Block b) {
  return each_byte([](int m, int x, int y) { return (m & x) | (~m & y); }, mask, a, b);
}
inline Block add_32(Block a, Block b) {
  return each_word<std::uint32_t>([](std::uint32_t x, std::uint32_t y) { return x + y; }, a, b);
}
inline Block add_64(Block a, Block b) {
  return each_word<std::uint64_t>([](std::uint64_t x, std::uint64_t y) { return x + y; }, a, b);
}
template <int kBits>
inline Block shift_right_64(Block a) {
  return each_word<std::uint64_t>([](std::uint64_t x) { return x >> kBits; }, a);
}
template <int kBits>
inline Block shift_left_64(Block a) {
  return each_word<std::uint64_t>([](std::uint64_t x) { return x << kBits; }, a);
}
inline Block first_words(Block a, Block b) {
  return make_block(word_of<std::uint64_t>(a, 0), word_of<std::uint64_t>(b, 0));
}
inline Block second_words(Block a, Block b) {
  return make_block(word_of<std::uint64_t>(a, 1), word_of<std::uint64_t>(b, 1));
}
__extension__ using Product104 = unsigned __int128;
inline constexpr std::uint64_t kLow52 = (std::uint64_t{1} << 52) - 1;
inline Block add_product_low(Block sum, Block a, Block b) {
  return each_word<std::uint64_t>(
      [](std::uint64_t s, std::uint64_t x, std::uint64_t y) {
        return s + (static_cast<std::uint64_t>(Product104{x & kLow52} * (y & kLow52)) & kLow52);
      },
      sum, a, b);
}
inline Block add_product_high(Block sum, Block a, Block b) {
  return each_word<std::uint64_t>(
      [](std::uint64_t s, std::uint64_t x, std::uint64_t y) {
        return s + static_cast<std::uint64_t>(Product104{x & kLow52} * (y & kLow52) >> 52);
      },
      sum, a, b);
}
inline Block middle_words(Block a, Block b) {
  return make_block(word_of<std::uint64_t>(a, 1), word_of<std::uint64_t>(b, 0));
}
/// The order is an index: a secret one is reported.
inline Block shuffle_bytes(Block a, Block order) {
  Block result;
  for (std::size_t i = 0; i < 16; ++i) result.bytes[i] = a.bytes[order.bytes[i] % 16];
  return result;
}
inline Block swap_halves(Block a) { return make_block(word_of<std::uint64_t>(a, 1), word_of<std::uint64_t>(a, 0)); }
inline bool equal_in_constant_time(Block a, Block b) {
  const Block difference = bit_xor(a, b);
  return (word_of<std::uint64_t>(difference, 0) | word_of<std::uint64_t>(difference, 1)) == 0;
}
inline void pin(Block&) {}

// FIPS 197 4.2: multiplication in GF(2^8).
constexpr std::uint8_t multiply_bytes(unsigned a, unsigned b) {
  unsigned product = 0;
  for (; b != 0; b >>= 1) {
    product ^= (b & 1) != 0 ? a : 0;
    a = (a << 1) ^ ((a & 0x80) != 0 ? 0x11b : 0);
  }
  return static_cast<std::uint8_t>(product);
}
// FIPS 197 5.1.1, for every byte: the inverse, which is the 254th power, then the affine transformation.
struct SubstitutionBox {
  std::uint8_t of[256];
};
inline constexpr SubstitutionBox kSubstitutionBox = [] {
  SubstitutionBox box{};
  for (unsigned x = 0; x < 256; ++x) {
    unsigned power = x;
    unsigned inverse = 1;
    for (int i = 1; i < 8; ++i) {
      power = multiply_bytes(power, power);
      inverse = multiply_bytes(inverse, power);
    }
    const unsigned twice = inverse << 8 | inverse;
    box.of[x] = static_cast<std::uint8_t>(inverse ^ twice >> 4 ^ twice >> 5 ^ twice >> 6 ^ twice >> 7 ^ 0x63);
  }
  return box;
}();

template <bool kMixColumns>
[[gnu::noinline]] inline Block emulate_aes_round(const Block& state, const Block& round_key) {
  const Block from = declassified(state);
  Block shifted;
  for (std::size_t i = 0; i < 16; ++i) shifted.bytes[i] = kSubstitutionBox.of[from.bytes[(i + 4 * (i % 4)) % 16]];
  Block mixed = shifted;
  for (std::size_t i = 0; kMixColumns && i < 16; ++i) {
    const std::uint8_t* const column = shifted.bytes + i / 4 * 4;
    mixed.bytes[i] =
        static_cast<std::uint8_t>(multiply_bytes(column[i % 4], 2) ^ multiply_bytes(column[(i + 1) % 4], 3) ^
                                  column[(i + 2) % 4] ^ column[(i + 3) % 4]);
  }
  make_secret(mixed, is_secret(state));
  return bit_xor(mixed, round_key);
}
inline Block aes_round(Block state, Block round_key) { return emulate_aes_round<true>(state, round_key); }
inline Block aes_last_round(Block state, Block round_key) { return emulate_aes_round<false>(state, round_key); }

[[gnu::noinline]] inline Block emulate_carryless_multiply(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t x = declassified(a);
  const std::uint64_t y = declassified(b);
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  for (int i = 0; i < 64; ++i) {
    if ((y >> i & 1) != 0) {
      low ^= x << i;
      high ^= x >> 1 >> (63 - i);
    }
  }
  Block result = make_block(low, high);
  make_secret(result, is_secret(a) || is_secret(b));
  return result;
}
template <int kHalfOfA, int kHalfOfB>
inline Block carryless_multiply(Block a, Block b) {
  return emulate_carryless_multiply(word_of<std::uint64_t>(a, kHalfOfA), word_of<std::uint64_t>(b, kHalfOfB));
}
template <int kBytes>
inline Block shift_bytes_up(Block a) {
  Block result{};
  std::memcpy(result.bytes + kBytes, a.bytes, 16 - kBytes);
  return result;
}

template <int kBits>
inline Block rotate_words_left(Block a) {
  return each_word<std::uint32_t>([](std::uint32_t x) { return x << kBits | x >> (32 - kBits); }, a);
}
inline Block make_words(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  // By hand, because a compiler makes a multiplication of equal words side by side, in which poison gets lost.
  const std::uint32_t words[4] = {a, b, c, d};
  Block result;
  for (std::size_t i = 0; i < 4; ++i) {
    std::uint32_t word = declassified(words[i]);
    make_secret(word, is_secret(words[i]));
    std::memcpy(result.bytes + 4 * i, &word, sizeof word);
  }
  return result;
}
inline void transpose_words(Block& a, Block& b, Block& c, Block& d) {
  const Block rows[4] = {a, b, c, d};
  const auto column = [&](std::size_t i) {
    return make_words(word_of<std::uint32_t>(rows[0], i), word_of<std::uint32_t>(rows[1], i),
                      word_of<std::uint32_t>(rows[2], i), word_of<std::uint32_t>(rows[3], i));
  };
  a = column(0);
  b = column(1);
  c = column(2);
  d = column(3);
}
template <int kWords>
inline Block rotate_lane_words(Block a) {
  return make_words(word_of<std::uint32_t>(a, kWords), word_of<std::uint32_t>(a, (kWords + 1) % 4),
                    word_of<std::uint32_t>(a, (kWords + 2) % 4), word_of<std::uint32_t>(a, (kWords + 3) % 4));
}

struct Sha256State {
  std::uint32_t words[8];
};
inline Sha256State load_state(const std::uint32_t (&words)[8]) {
  Sha256State state;
  std::memcpy(state.words, words, sizeof words);
  return state;
}
inline void store_state(std::uint32_t (&words)[8], Sha256State state) { std::memcpy(words, state.words, sizeof words); }
inline Sha256State add_states(Sha256State a, Sha256State b) {
  for (std::size_t i = 0; i < 8; ++i) a.words[i] += b.words[i];
  return a;
}
inline std::uint32_t rotate_right(std::uint32_t x, int bits) { return x >> bits | x << (32 - bits); }
[[gnu::noinline]] inline void emulate_four_rounds(Sha256State& state, const Block& words) {
  const bool secret = is_secret(state) || is_secret(words);
  Sha256State next = declassified(state);
  std::uint32_t(&s)[8] = next.words;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint32_t sum = s[7] + declassified(word_of<std::uint32_t>(words, i)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) +
                              (rotate_right(s[4], 6) ^ rotate_right(s[4], 11) ^ rotate_right(s[4], 25));
    const std::uint32_t other = ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2])) +
                                (rotate_right(s[0], 2) ^ rotate_right(s[0], 13) ^ rotate_right(s[0], 22));
    std::memmove(s + 1, s, 7 * sizeof s[0]);
    s[4] += sum;
    s[0] = sum + other;
  }
  make_secret(next, secret);
  state = next;
}
inline void four_rounds(Sha256State& state, Block words) { emulate_four_rounds(state, words); }
[[gnu::noinline]] inline Block emulate_next_words(const Block (&w)[4]) {
  std::uint32_t words[20];
  std::memcpy(words, w, sizeof w);
  __builtin_memset(words + 16, 0, 16);
  for (std::size_t i = 16; i < 20; ++i) {
    const std::uint32_t before_15 = declassified(words[i - 15]);
    const std::uint32_t before_2 = declassified(words[i - 2]);
    words[i] = declassified(words[i - 16]) + declassified(words[i - 7]) +
               (rotate_right(before_15, 7) ^ rotate_right(before_15, 18) ^ before_15 >> 3) +
               (rotate_right(before_2, 17) ^ rotate_right(before_2, 19) ^ before_2 >> 10);
  }
  Block result;
  std::memcpy(result.bytes, words + 16, sizeof result.bytes);
  make_secret(result, is_secret(w));
  return result;
}
inline Block next_words(Block w0, Block w4, Block w8, Block w12) { return emulate_next_words({w0, w4, w8, w12}); }

// SHA-1's variables and words stand from the highest word of a block down.
struct Sha1State {
  Block abcd;
  Block e;
};
inline std::uint32_t from_the_top(const Block& a, std::size_t i) { return word_of<std::uint32_t>(a, 3 - i); }
inline std::uint32_t rotate_left(std::uint32_t x, int bits) { return rotate_right(x, 32 - bits); }
inline Sha1State load_state(const std::uint32_t (&words)[5]) {
  return {make_words(words[3], words[2], words[1], words[0]), make_words(0, 0, 0, words[4])};
}
inline void store_state(std::uint32_t (&words)[5], Sha1State state) {
  for (std::size_t i = 0; i < 4; ++i) words[i] = from_the_top(state.abcd, i);
  words[4] = from_the_top(state.e, 0);
}
template <int kTwenty>
[[gnu::noinline]] Block four_sha1_rounds(const Block& abcd, const Block& sums) {
  const bool secret = is_secret(abcd) || is_secret(sums);
  const Block before = declassified(abcd);
  const Block added = declassified(sums);
  std::uint32_t a = from_the_top(before, 0), b = from_the_top(before, 1), c = from_the_top(before, 2);
  std::uint32_t d = from_the_top(before, 3), e = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint32_t f = kTwenty == 0 ? d ^ (b & (c ^ d)) : kTwenty == 2 ? (b & c) ^ (d & (b ^ c)) : b ^ c ^ d;
    constexpr std::uint32_t kConstants[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    const std::uint32_t next = rotate_left(a, 5) + f + e + kConstants[kTwenty] + from_the_top(added, i);
    e = d;
    d = c;
    c = rotate_left(b, 30);
    b = a;
    a = next;
  }
  Block result = make_words(d, c, b, a);
  make_secret(result, secret);
  return result;
}
inline Block add_next_e(Block words, Block abcd) {
  return add_32(words, make_words(0, 0, 0, rotate_left(from_the_top(abcd, 0), 30)));
}
[[gnu::noinline]] inline Block emulate_next_sha1_words(const Block (&w)[4]) {
  std::uint32_t words[20];
  for (std::size_t i = 0; i < 16; ++i) words[i] = declassified(from_the_top(w[i / 4], i % 4));
  for (std::size_t i = 16; i < 20; ++i)
    words[i] = rotate_left(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  Block result = make_words(words[19], words[18], words[17], words[16]);
  make_secret(result, is_secret(w));
  return result;
}
inline Block next_sha1_words(Block w0, Block w4, Block w8, Block w12) {
  return emulate_next_sha1_words({w0, w4, w8, w12});
}

#if LOCKSTEP_EMULATED_LANES == 1
#include "one_lane.inl"
inline Block broadcast_word(std::uint32_t a) { return make_words(a, a, a, a); }
#else
struct Vector {
  Block lanes[LOCKSTEP_EMULATED_LANES];
};
inline constexpr std::size_t kLanes = LOCKSTEP_EMULATED_LANES;

// An operation on each lane.
template <class Operation, class... Vectors>
inline Vector each_lane(Operation operation, const Vectors&... vectors) {
  Vector result;
  for (std::size_t i = 0; i < kLanes; ++i) result.lanes[i] = operation(vectors.lanes[i]...);
  return result;
}

inline Vector load_vector(const std::uint8_t* from) {
  Vector a;
  std::memcpy(&a, from, sizeof a);
  return a;
}
inline void store(std::uint8_t* to, Vector a) { std::memcpy(to, &a, sizeof a); }
inline Vector zero_vector() { return {}; }
inline Vector broadcast(Block a) {
  return each_lane([&](const Block&) { return a; }, zero_vector());
}
inline Vector widen(Block a) { return {{a}}; }
inline Vector join_blocks(Block a, Block b) { return {{a, b}}; }
inline Block fold_lanes(Vector a) {
  Block sum = a.lanes[0];
  for (std::size_t i = 1; i < kLanes; ++i) sum = bit_xor(sum, a.lanes[i]);
  return sum;
}
inline void store_lanes(std::uint8_t* to, Vector a, std::size_t lanes) { std::memcpy(to, &a, 16 * lanes); }
inline Vector load_lanes(const std::uint8_t* from, std::size_t lanes) {
  Vector a{};
  std::memcpy(&a, from, 16 * lanes);
  return a;
}
inline Vector broadcast_half(const std::uint8_t* from) {
  const std::uint64_t half = load_le64(from);
  return broadcast(make_block(half, half));
}
inline Vector load_blocks(const std::uint8_t* from) { return load_vector(from); }
inline void pin(Vector&) {}

#define LOCKSTEP_LANEWISE(operation)                                                        \
  inline Vector operation(Vector a, Vector b) {                                             \
    return each_lane([](const Block& x, const Block& y) { return operation(x, y); }, a, b); \
  }
LOCKSTEP_LANEWISE(bit_xor)
LOCKSTEP_LANEWISE(bit_and)
LOCKSTEP_LANEWISE(add_32)
LOCKSTEP_LANEWISE(add_64)
LOCKSTEP_LANEWISE(middle_words)
LOCKSTEP_LANEWISE(first_words)
LOCKSTEP_LANEWISE(second_words)
LOCKSTEP_LANEWISE(shuffle_bytes)
LOCKSTEP_LANEWISE(aes_round)
LOCKSTEP_LANEWISE(aes_last_round)
#undef LOCKSTEP_LANEWISE
#define LOCKSTEP_LANEWISE(operation)                                           \
  template <int kAmount>                                                       \
  inline Vector operation(Vector a) {                                          \
    return each_lane([](const Block& x) { return operation<kAmount>(x); }, a); \
  }
LOCKSTEP_LANEWISE(shift_right_64)
LOCKSTEP_LANEWISE(shift_left_64)
LOCKSTEP_LANEWISE(rotate_words_left)
LOCKSTEP_LANEWISE(rotate_lane_words)
#undef LOCKSTEP_LANEWISE

inline Vector broadcast_first(Vector a) {
  const std::uint64_t first = word_of<std::uint64_t>(a.lanes[0], 0);
  return broadcast(make_block(first, first));
}
inline Vector broadcast_64(std::uint64_t a) { return broadcast(make_block(a, a)); }
inline Vector add_product_low(Vector sum, Vector a, Vector b) {
  return each_lane([](const Block& s, const Block& x, const Block& y) { return add_product_low(s, x, y); }, sum, a, b);
}
inline Vector add_product_high(Vector sum, Vector a, Vector b) {
  return each_lane([](const Block& s, const Block& x, const Block& y) { return add_product_high(s, x, y); }, sum, a, b);
}
inline Vector select(Vector mask, Vector a, Vector b) {
  return each_lane([](const Block& m, const Block& x, const Block& y) { return select(m, x, y); }, mask, a, b);
}
inline Vector swap_halves(Vector a) {
  return each_lane([](const Block& x) { return swap_halves(x); }, a);
}
template <int kHalfOfA, int kHalfOfB>
inline Vector carryless_multiply(Vector a, Vector b) {
  return each_lane([](const Block& x, const Block& y) { return carryless_multiply<kHalfOfA, kHalfOfB>(x, y); }, a, b);
}
inline Vector broadcast_word(std::uint32_t a) { return broadcast(make_words(a, a, a, a)); }
inline void transpose_words(Vector& a, Vector& b, Vector& c, Vector& d) {
  for (std::size_t i = 0; i < kLanes; ++i) transpose_words(a.lanes[i], b.lanes[i], c.lanes[i], d.lanes[i]);
}
/// The first lanes of all four, then their second ones, and so on.
inline void gather_lanes(Vector& a, Vector& b, Vector& c, Vector& d) {
  const Vector from[4] = {a, b, c, d};
  Vector* const to[4] = {&a, &b, &c, &d};
  for (std::size_t i = 0; i < 4 * kLanes; ++i) to[i / kLanes]->lanes[i % kLanes] = from[i % 4].lanes[i / 4];
}
#endif
