// The hash of a long text on vectors, with multiplications of 52 bits: each word of two vectors sums every sixteenth
// block, so that a step multiplies by the sixteenth power of r, and in the end each by the power that its place wants.
// There are two because a product waits for the one before it longer than it takes to compute both. Include it after
// poly1305.inl and the vector layer's 64-bit words; poly1305_shares.inl is the same block by block.

inline constexpr std::size_t kHalfStep = 16 * 2 * kLanes;
inline constexpr std::size_t kStep = 2 * kHalfStep;
// What else is computed uses the same units: there is nothing to gain from hashing in between.
inline constexpr bool kHashesMeanwhile = false;
// How far behind a place `end` must be, so that all before it is hashed, unless the text ends there.
inline constexpr std::size_t kAhead = kStep;
// From which size on it takes less time than block by block.
inline constexpr std::size_t kLongText = 384;
static_assert(kLanes == 4 && kLongText >= kStep);

// A number modulo 2^130 - 5 in limbs of 44, 44 and 42 bits, each of which may have a few bits more.
inline constexpr int kLimbBits = 44;
inline constexpr int kTopBits = 42;
inline constexpr std::uint64_t kLimbMask = (std::uint64_t{1} << kLimbBits) - 1;
inline constexpr std::uint64_t kTopMask = (std::uint64_t{1} << kTopBits) - 1;

struct Limbs {
  Vector of[3];
};

struct Factor {
  Limbs limbs;
  Limbs times_20;  // 2^132 is 20 modulo 2^130 - 5: what a product has above the third limb comes back times 20
};

struct LongHash {
  Limbs front;  // the sums of the blocks in the first half of each step
  Limbs back;
  Limbs powers;  // of r, by the place of a block in half a step: the eighth for the first, the first for the last
  Limbs step;    // r^16
  Poly1305 poly;
};

LOCKSTEP_INLINE void split(const Poly1305& poly, std::uint64_t (&limbs)[3]) {
  limbs[0] = poly.h0 & kLimbMask;
  limbs[1] = (poly.h0 >> 44 | poly.h1 << 20) & kLimbMask;
  limbs[2] = poly.h1 >> 24 | poly.h2 << 40;
}

// Blocks 0 to 3 are the lanes of one vector as they stand in memory, blocks 4 to 7 those of the other: lane i then has
// words of block i and of block 4 + i.
LOCKSTEP_INLINE Limbs load_limbs(const std::uint8_t* blocks) {
  const Vector first = load_vector(blocks);
  const Vector second = load_vector(blocks + kHalfStep / 2);
  const Vector low = first_words(first, second);
  const Vector high = second_words(first, second);
  const Vector mask = broadcast_64(kLimbMask);
  return {{bit_and(low, mask),
           bit_and(bit_xor(shift_right_64<kLimbBits>(low), shift_left_64<64 - kLimbBits>(high)), mask),
           bit_xor(shift_right_64<2 * kLimbBits - 64>(high), broadcast_64(std::uint64_t{1} << 40))}};
}

LOCKSTEP_INLINE Limbs add(const Limbs& a, const Limbs& b) {
  return {{add_64(a.of[0], b.of[0]), add_64(a.of[1], b.of[1]), add_64(a.of[2], b.of[2])}};
}

// a has limbs of at most 46 bits.
LOCKSTEP_INLINE Limbs multiply(const Limbs& a, const Factor& factor) {
  Vector low[3] = {zero_vector(), zero_vector(), zero_vector()};
  Vector high[3] = {zero_vector(), zero_vector(), zero_vector()};
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < 3; ++i) {
    LOCKSTEP_UNROLL
    for (std::size_t j = 0; j < 3; ++j) {
      const Vector b = i <= j ? factor.limbs.of[j - i] : factor.times_20.of[j + 3 - i];
      low[j] = add_product_low(low[j], a.of[i], b);
      high[j] = add_product_high(high[j], a.of[i], b);
    }
  }
  // What stands 52 bits above a limb stands 8 bits above the next one.
  const Vector mask = broadcast_64(kLimbMask);
  const Vector d0 = add_64(low[0], add_64(shift_left_64<8 + 4>(high[2]), shift_left_64<8 + 2>(high[2])));
  const Vector d1 = add_64(add_64(low[1], shift_left_64<8>(high[0])), shift_right_64<kLimbBits>(d0));
  const Vector d2 = add_64(add_64(low[2], shift_left_64<8>(high[1])), shift_right_64<kLimbBits>(d1));
  const Vector over = shift_right_64<kTopBits>(d2);
  return {{add_64(bit_and(d0, mask), add_64(over, shift_left_64<2>(over))), bit_and(d1, mask),
           bit_and(d2, broadcast_64(kTopMask))}};
}

LOCKSTEP_INLINE Limbs broadcast_first(const Limbs& a) {
  return {{broadcast_first(a.of[0]), broadcast_first(a.of[1]), broadcast_first(a.of[2])}};
}
LOCKSTEP_INLINE Factor make_factor(const Limbs& limbs) {
  Factor factor{limbs, limbs};
  for (Vector& limb : factor.times_20.of) limb = add_64(shift_left_64<4>(limb), shift_left_64<2>(limb));
  return factor;
}

// Takes the first step's blocks at `at`.
LOCKSTEP_INLINE void begin_long(LongHash& hash, const Poly1305& poly, const std::uint8_t*& at) {
  // r^4 to r, in both words of a lane each; then those of the first words times r^4.
  alignas(64) std::uint64_t powers[3][2 * kLanes];
  std::uint64_t limbs[3];
  Poly1305 power = poly;
  power.h0 = poly.r0;
  power.h1 = poly.r1;
  power.h2 = 0;
  for (std::size_t lane = kLanes; lane-- > 0;) {
    split(power, limbs);
    for (std::size_t i = 0; i < 3; ++i) powers[i][2 * lane] = powers[i][2 * lane + 1] = limbs[i];
    if (lane != 0) hash_block(power, 0, 0, 0);
  }
  Limbs up_to_fourth;
  Limbs fourth_and_one;
  for (std::size_t i = 0; i < 3; ++i) {
    up_to_fourth.of[i] = load_vector(reinterpret_cast<const std::uint8_t*>(powers[i]));
    fourth_and_one.of[i] = broadcast(make_block(limbs[i], i == 0 ? 1 : 0));
  }
  hash.poly = poly;
  hash.powers = multiply(up_to_fourth, make_factor(fourth_and_one));
  const Limbs half_step = broadcast_first(hash.powers);
  hash.step = multiply(half_step, make_factor(half_step));
  split(poly, limbs);
  hash.front = add(load_limbs(at), {{widen(make_block(limbs[0], 0)), widen(make_block(limbs[1], 0)),
                                     widen(make_block(limbs[2], 0))}});
  hash.back = load_limbs(at + kHalfStep);
  at += kStep;
  wipe(&power, sizeof power);
  wipe(limbs, sizeof limbs);
  wipe(powers, sizeof powers);
}

// As many steps as there are before `end`.
LOCKSTEP_INLINE void hash_ahead(LongHash& hash, const std::uint8_t*& at, const std::uint8_t* end) {
  const Factor step = make_factor(hash.step);
  for (; end - at >= static_cast<std::ptrdiff_t>(kStep); at += kStep) {
    hash.front = add(multiply(hash.front, step), load_limbs(at));
    hash.back = add(multiply(hash.back, step), load_limbs(at + kHalfStep));
  }
}
template <std::size_t kCount>
LOCKSTEP_INLINE void hash_share(LongHash& /*hash*/, const std::uint8_t*& /*at*/, const std::uint8_t* /*end*/) {}

// Takes half a step more if there is one.
LOCKSTEP_INLINE Poly1305 end_long(LongHash& hash, const std::uint8_t*& at, const std::uint8_t* end) {
  const Factor half_step = make_factor(broadcast_first(hash.powers));
  Limbs sums = add(multiply(hash.front, half_step), hash.back);
  if (end - at >= static_cast<std::ptrdiff_t>(kHalfStep)) {
    sums = add(multiply(sums, half_step), load_limbs(at));
    at += kHalfStep;
  }
  const Limbs product = multiply(sums, make_factor(hash.powers));
  alignas(64) std::uint64_t words[2 * kLanes];
  std::uint64_t sum[3] = {};
  for (std::size_t i = 0; i < 3; ++i) {
    store(reinterpret_cast<std::uint8_t*>(words), product.of[i]);
    for (const std::uint64_t word : words) sum[i] += word;
  }
  sum[1] += sum[0] >> kLimbBits;
  sum[2] += sum[1] >> kLimbBits;
  sum[0] = (sum[0] & kLimbMask) + 5 * (sum[2] >> kTopBits);
  sum[1] = (sum[1] & kLimbMask) + (sum[0] >> kLimbBits);
  sum[2] &= kTopMask;
  const Wide high = Wide{sum[1] >> 20} + (sum[2] << 24);
  Poly1305 poly = hash.poly;
  poly.h0 = (sum[0] & kLimbMask) | sum[1] << 44;
  poly.h1 = static_cast<std::uint64_t>(high);
  poly.h2 = (sum[2] >> 40) + static_cast<std::uint64_t>(high >> 64);
  wipe(words, sizeof words);
  wipe(&hash, sizeof hash);
  return poly;
}
