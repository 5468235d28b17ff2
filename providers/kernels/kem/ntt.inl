// NTT, its inverse and products (FIPS 203 4.3) over a layer of 16-bit words.
//
// A polynomial is 256 / kWords16 vectors, in groups of eight that fit into registers. A butterfly of a layer joins the
// coefficients that differ in one bit of their index. Where that bit tells vectors apart, a butterfly joins vectors;
// where it tells words of a vector apart, exchanges first swap it with one that tells vectors apart. So NTT leaves its
// results in an order of its own (`to_ntt_order`), in which both coefficients of a factor X^2 - zeta are at the same
// place in two vectors, and products need no exchange at all. Every table is computed for that order below.

inline constexpr std::size_t kWordBits = std::countr_zero(kWords16);
inline constexpr std::size_t kVectors = kCoefficients / kWords16;
inline constexpr std::size_t kGroupSize = 8;
inline constexpr std::size_t kGroups = kVectors / kGroupSize;

/// A layer of butterflies between vectors whose index in the group differs in the bit `position`; or an exchange of
/// that bit with the bit `word` of the words' places.
struct Step {
  std::size_t position;
  int word = -1;
};

// What becomes of a group of eight vectors next to each other. With 32 words these are all vectors there are; otherwise
// the three layers before were done in groups of eight vectors that stand kGroups apart.
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wmissing-field-initializers"
#endif
template <std::size_t kWords>
struct Plan;
template <>
struct Plan<8> {
  static constexpr Step kSteps[] = {{1}, {0}, {2, 2}, {1, 1}, {0, 0}, {2}, {1}};
  static constexpr std::size_t kPair = 0;  ///< the position whose bit is the coefficient's lowest in the end
};
template <>
struct Plan<16> {
  static constexpr Step kSteps[] = {{0}, {2, 3}, {1, 2}, {0, 1}, {2}, {1}, {0}, {2, 0}};
  static constexpr std::size_t kPair = 2;
};
template <>
struct Plan<32> {
  static constexpr Step kSteps[] = {{2}, {1}, {0}, {2, 4}, {1, 3}, {0, 2}, {2}, {1}, {0}, {2, 1}, {1, 0}, {2}};
  static constexpr std::size_t kPair = 1;
};
#if defined(__clang__)
#pragma clang diagnostic pop
#endif
inline constexpr auto& kSteps = Plan<kWords16>::kSteps;
inline constexpr std::size_t kStepCount = std::size(kSteps);

/// Which bit of a coefficient's index each bit of a vector's index in its group and of a word's place stands for.
struct Places {
  std::array<std::size_t, 3> positions{kWordBits, kWordBits + 1, kWordBits + 2};
  std::array<std::size_t, 5> words{0, 1, 2, 3, 4};

  constexpr void exchange(Step step) {
    std::swap(positions[step.position], words[static_cast<std::size_t>(step.word)]);
  }
  [[nodiscard]] constexpr unsigned coefficient(std::size_t group, std::size_t vector, std::size_t word) const {
    unsigned index = static_cast<unsigned>(group << (kWordBits + 3));
    for (std::size_t i = 0; i < 3; ++i) index |= static_cast<unsigned>((vector >> i & 1U) << positions[i]);
    for (std::size_t i = 0; i < kWordBits; ++i) index |= static_cast<unsigned>((word >> i & 1U) << words[i]);
    return index;
  }
};

/// The places before a step, or after all of them.
constexpr Places places_before(std::size_t step) {
  Places places;
  for (std::size_t i = 0; i < step; ++i)
    if (kSteps[i].word >= 0) places.exchange(kSteps[i]);
  return places;
}

/// The bit of the coefficients' indices at which a step's butterflies part.
constexpr std::size_t bit_of(std::size_t step) { return places_before(step).positions[kSteps[step].position]; }

/// The vectors of butterfly 0 to 3 at a position.
constexpr std::size_t first_of(std::size_t butterfly, std::size_t position) {
  const std::size_t below = (std::size_t{1} << position) - 1;
  return (butterfly & ~below) << 1U | (butterfly & below);
}

/// A vector of factors, prepared for Montgomery's product.
struct Factors {
  alignas(sizeof(Words16)) std::int16_t factors[kWords16];
  std::int16_t over_modulus[kWords16];

  constexpr void set(std::size_t word, std::int64_t factor) {
    factors[word] = nearest(factor);
    over_modulus[word] = kernels::over_modulus(factors[word]);
  }
};

// FIPS 203, algorithms 9 and 10: zeta of the layer that parts at `bit`, and of its inverse, for a coefficient. The last
// layer of the inverse also does what kInverseScale is for.
constexpr std::int64_t zeta_of(std::size_t bit, unsigned coefficient) {
  return power_of_root(reverse_7((128U >> bit) + (coefficient >> (bit + 1)))) * kRadix;
}
constexpr std::int64_t inverse_zeta_of(std::size_t bit, unsigned coefficient) {
  const std::int64_t zeta = power_of_root(reverse_7((256U >> bit) - 1 - (coefficient >> (bit + 1))));
  return zeta * (bit == 7 ? kInverseScale : kRadix);
}

using LayerFactors = std::array<Factors, kGroupSize / 2>;

/// The factors of a step of a group; of a layer between distant vectors when there is no step.
template <auto& zeta>
constexpr LayerFactors layer_factors(std::size_t group, std::size_t step) {
  LayerFactors all{};
  const Places places = places_before(step);
  for (std::size_t butterfly = 0; butterfly < all.size(); ++butterfly)
    for (std::size_t word = 0; word < kWords16; ++word)
      all[butterfly].set(
          word, zeta(bit_of(step), places.coefficient(group, first_of(butterfly, kSteps[step].position), word)));
  return all;
}
template <auto& zeta>
constexpr auto group_factors() {
  std::array<std::array<LayerFactors, kStepCount>, kGroups> all{};
  for (std::size_t group = 0; group < kGroups; ++group)
    for (std::size_t step = 0; step < kStepCount; ++step)
      if (kSteps[step].word < 0) all[group][step] = layer_factors<zeta>(group, step);
  return all;
}
/// Of the three layers between distant vectors, whose position stands for the bit 5 + position.
template <auto& zeta>
constexpr auto distant_factors() {
  std::array<LayerFactors, 3> all{};
  for (std::size_t position = 0; position < 3; ++position)
    for (std::size_t butterfly = 0; butterfly < kGroupSize / 2; ++butterfly)
      for (std::size_t word = 0; word < kWords16; ++word)
        all[position][butterfly].set(word,
                                     zeta(5 + position, static_cast<unsigned>(first_of(butterfly, position) << 5)));
  return all;
}
/// FIPS 203, algorithm 11: zeta^(2 BitRev_7(i) + 1) of the pair of coefficients 2 i and 2 i + 1.
constexpr auto product_factors() {
  std::array<LayerFactors, kGroups> all{};
  const Places places = places_before(kStepCount);
  for (std::size_t group = 0; group < kGroups; ++group)
    for (std::size_t pair = 0; pair < kGroupSize / 2; ++pair)
      for (std::size_t word = 0; word < kWords16; ++word) {
        const unsigned coefficient = places.coefficient(group, first_of(pair, Plan<kWords16>::kPair), word);
        all[group][pair].set(word, power_of_root(2 * reverse_7(coefficient / 2) + 1) * kRadix);
      }
  return all;
}
inline constexpr auto kZetas = group_factors<zeta_of>();
inline constexpr auto kInverseZetas = group_factors<inverse_zeta_of>();
inline constexpr auto kDistantZetas = distant_factors<zeta_of>();
inline constexpr auto kDistantInverseZetas = distant_factors<inverse_zeta_of>();
inline constexpr auto kProductFactors = product_factors();

// --- arithmetic modulo q ---------------------------------------------------------------------------------------------

LOCKSTEP_INLINE Words16 multiply(Words16 a, const Factors& factors) {
  return multiply_montgomery(a, load_words16(factors.factors), load_words16(factors.over_modulus));
}
LOCKSTEP_INLINE Words16 multiply(Words16 a, std::int16_t factor) {
  return multiply_montgomery(a, broadcast_16(factor), broadcast_16(over_modulus(factor)));
}

/// Barrett's reduction of any word to 0..q. kReciprocal / 2^26 is above 1 / q by a factor of 1 + 6.7e-6, so that the
/// quotient of a number in -2^15..2^15 - 1 is its floor, but for negative multiples of q, where it is one less.
LOCKSTEP_INLINE Words16 reduce(Words16 a) {
  const Words16 quotient = shift_right_16<10>(multiply_high_16(a, broadcast_16(kReciprocal)));
  return subtract_16(a, multiply_low_16(quotient, broadcast_16(kModulus)));
}
/// 0..q to 0..q-1.
LOCKSTEP_INLINE Words16 reduce_once(Words16 a) {
  const Words16 less = subtract_16(a, broadcast_16(kModulus));
  return add_16(less, and_16(shift_right_16<15>(less), broadcast_16(kModulus)));
}
/// Any word to 0..q-1.
LOCKSTEP_INLINE Words16 reduce_fully(Words16 a) { return reduce_once(reduce(a)); }

// --- layers ----------------------------------------------------------------------------------------------------------

/// FIPS 203, algorithm 9: (a, b) becomes (a + zeta b, a - zeta b). |zeta b| is at most |b| / 39 + q / 2 (Montgomery's
/// product of factors of at most (q - 1) / 2), so that seven layers take coefficients of at most 3 to at most 12582,
/// and those of at most q - 1 to at most 16545: nothing is reduced between them.
template <std::size_t kPosition>
LOCKSTEP_INLINE void butterflies(Words16 (&v)[kGroupSize], const LayerFactors& zetas) {
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kGroupSize / 2; ++i) {
    Words16& a = v[first_of(i, kPosition)];
    Words16& b = v[first_of(i, kPosition) | std::size_t{1} << kPosition];
    const Words16 product = multiply(b, zetas[i]);
    b = subtract_16(a, product);
    a = add_16(a, product);
  }
}

/// FIPS 203, algorithm 10: (a, b) becomes (a + b, zeta (b - a)), the latter below q in magnitude. Sums double, from
/// 0..q to at most 8 q = 26632 in three layers, after which they are reduced: in the layers that part at bits 3 and 6.
/// In the last, of sums of at most 2 q, both results are multiplied and of at most 0.56 q.
template <std::size_t kPosition, std::size_t kBit>
LOCKSTEP_INLINE void inverse_butterflies(Words16 (&v)[kGroupSize], const LayerFactors& zetas) {
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kGroupSize / 2; ++i) {
    Words16& a = v[first_of(i, kPosition)];
    Words16& b = v[first_of(i, kPosition) | std::size_t{1} << kPosition];
    const Words16 difference = subtract_16(b, a);
    a = add_16(a, b);
    b = multiply(difference, zetas[i]);
    if constexpr (kBit == 3 || kBit == 6) a = reduce(a);
    if constexpr (kBit == 7) a = multiply(a, kInverseScale);
  }
}

template <std::size_t kPosition, int kWord>
LOCKSTEP_INLINE void exchange(Words16 (&v)[kGroupSize]) {
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kGroupSize / 2; ++i)
    exchange_16<std::size_t{1} << kWord>(v[first_of(i, kPosition)],
                                         v[first_of(i, kPosition) | std::size_t{1} << kPosition]);
}

template <std::size_t kStep>
LOCKSTEP_INLINE void forward_step(Words16 (&v)[kGroupSize], std::size_t group) {
  constexpr Step kThis = kSteps[kStep];
  if constexpr (kThis.word < 0) {
    butterflies<kThis.position>(v, kZetas[group][kStep]);
  } else {
    exchange<kThis.position, kThis.word>(v);
  }
}
template <std::size_t kStep>
LOCKSTEP_INLINE void inverse_step(Words16 (&v)[kGroupSize], std::size_t group) {
  constexpr Step kThis = kSteps[kStep];
  if constexpr (kThis.word < 0) {
    inverse_butterflies<kThis.position, bit_of(kStep)>(v, kInverseZetas[group][kStep]);
  } else {
    exchange<kThis.position, kThis.word>(v);
  }
}
template <std::size_t kStep>
LOCKSTEP_INLINE void exchange_step(Words16 (&v)[kGroupSize]) {
  constexpr Step kThis = kSteps[kStep];
  if constexpr (kThis.word >= 0) exchange<kThis.position, kThis.word>(v);
}
template <std::size_t... step>
LOCKSTEP_INLINE void forward_steps(Words16 (&v)[kGroupSize], std::size_t group, std::index_sequence<step...>) {
  (forward_step<step>(v, group), ...);
}
template <std::size_t... step>
LOCKSTEP_INLINE void inverse_steps(Words16 (&v)[kGroupSize], std::size_t group, std::index_sequence<step...>) {
  (inverse_step<kStepCount - 1 - step>(v, group), ...);
}
template <std::size_t... step>
LOCKSTEP_INLINE void exchange_steps(Words16 (&v)[kGroupSize], std::index_sequence<step...>) {
  (exchange_step<step>(v), ...);
}
template <std::size_t... step>
LOCKSTEP_INLINE void exchange_steps_back(Words16 (&v)[kGroupSize], std::index_sequence<step...>) {
  (exchange_step<kStepCount - 1 - step>(v), ...);
}

/// Eight vectors, each so many after the one before it.
template <std::size_t kStride>
LOCKSTEP_INLINE void load_group(Words16 (&v)[kGroupSize], const std::int16_t* from) {
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kGroupSize; ++i) v[i] = load_words16(from + kWords16 * kStride * i);
}
template <std::size_t kStride>
LOCKSTEP_INLINE void store_group(std::int16_t* to, const Words16 (&v)[kGroupSize]) {
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kGroupSize; ++i) store_words16(to + kWords16 * kStride * i, v[i]);
}

inline constexpr auto kAllSteps = std::make_index_sequence<kStepCount>();

/// FIPS 203, algorithm 9, but for the order of the results. From at most q - 1 to at most 16545 in magnitude.
inline void ntt(Polynomial& f) noexcept {
  Words16 v[kGroupSize];
  if constexpr (kGroups > 1) {
    for (std::size_t group = 0; group < kGroups; ++group) {
      load_group<kGroups>(v, f.coefficients + kWords16 * group);
      butterflies<2>(v, kDistantZetas[2]);
      butterflies<1>(v, kDistantZetas[1]);
      butterflies<0>(v, kDistantZetas[0]);
      store_group<kGroups>(f.coefficients + kWords16 * group, v);
    }
  }
  for (std::size_t group = 0; group < kGroups; ++group) {
    std::int16_t* const place = f.coefficients + kWords16 * kGroupSize * group;
    load_group<1>(v, place);
    forward_steps(v, group, kAllSteps);
    store_group<1>(place, v);
  }
}

/// FIPS 203, algorithm 10, of a sum of products: from 0..q to at most 0.56 q in magnitude, times R.
inline void inverse_ntt(Polynomial& f) noexcept {
  Words16 v[kGroupSize];
  for (std::size_t group = 0; group < kGroups; ++group) {
    std::int16_t* const place = f.coefficients + kWords16 * kGroupSize * group;
    load_group<1>(v, place);
    inverse_steps(v, group, kAllSteps);
    store_group<1>(place, v);
  }
  if constexpr (kGroups > 1) {
    for (std::size_t group = 0; group < kGroups; ++group) {
      load_group<kGroups>(v, f.coefficients + kWords16 * group);
      inverse_butterflies<0, 5>(v, kDistantInverseZetas[0]);
      inverse_butterflies<1, 6>(v, kDistantInverseZetas[1]);
      inverse_butterflies<2, 7>(v, kDistantInverseZetas[2]);
      store_group<kGroups>(f.coefficients + kWords16 * group, v);
    }
  }
}

/// From the order of FIPS 203 to that of `ntt`, and back.
inline void to_ntt_order(Polynomial& f) noexcept {
  Words16 v[kGroupSize];
  for (std::size_t group = 0; group < kGroups; ++group) {
    std::int16_t* const place = f.coefficients + kWords16 * kGroupSize * group;
    load_group<1>(v, place);
    exchange_steps(v, kAllSteps);
    store_group<1>(place, v);
  }
}
inline void to_standard_order(Polynomial& f) noexcept {
  Words16 v[kGroupSize];
  for (std::size_t group = 0; group < kGroups; ++group) {
    std::int16_t* const place = f.coefficients + kWords16 * kGroupSize * group;
    load_group<1>(v, place);
    exchange_steps_back(v, kAllSteps);
    store_group<1>(place, v);
  }
}

/// FIPS 203, algorithms 11 and 12: the sum of kTerms products, divided by R; 0..q. The polynomials of `a` are kStride
/// apart and in 0..q-1, those of `b` at most 16545 in magnitude. A product of theirs is at most 2505, that by zeta
/// 1729, and so a sum over four terms at most 20040.
template <std::size_t kTerms, std::size_t kStride>
inline void sum_of_products(Polynomial& sum, const Polynomial* a, const Polynomial* b) noexcept {
  constexpr std::size_t kDistance = kWords16 << Plan<kWords16>::kPair;
  for (std::size_t group = 0; group < kGroups; ++group) {
    for (std::size_t pair = 0; pair < kGroupSize / 2; ++pair) {
      const std::size_t at = kWords16 * (kGroupSize * group + first_of(pair, Plan<kWords16>::kPair));
      Words16 sum_0 = broadcast_16(0);
      Words16 sum_1 = broadcast_16(0);
      LOCKSTEP_UNROLL
      for (std::size_t i = 0; i < kTerms; ++i) {
        const Words16 a_0 = load_words16(a[kStride * i].coefficients + at);
        const Words16 a_1 = load_words16(a[kStride * i].coefficients + at + kDistance);
        const Words16 b_0 = load_words16(b[i].coefficients + at);
        const Words16 b_1 = load_words16(b[i].coefficients + at + kDistance);
        const Words16 b_0_q = multiply_low_16(b_0, broadcast_16(kInverseModulus));
        const Words16 b_1_q = multiply_low_16(b_1, broadcast_16(kInverseModulus));
        const Words16 square = multiply_montgomery(a_1, b_1, b_1_q);
        sum_0 = add_16(sum_0, multiply_montgomery(a_0, b_0, b_0_q));
        sum_0 = add_16(sum_0, multiply(square, kProductFactors[group][pair]));
        sum_1 = add_16(sum_1, multiply_montgomery(a_0, b_1, b_1_q));
        sum_1 = add_16(sum_1, multiply_montgomery(a_1, b_0, b_0_q));
      }
      store_words16(sum.coefficients + at, reduce(sum_0));
      store_words16(sum.coefficients + at + kDistance, reduce(sum_1));
    }
  }
}
