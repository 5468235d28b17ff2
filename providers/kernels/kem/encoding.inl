// ByteEncode, ByteDecode, Compress and Decompress (FIPS 203 4.2.1), and sampling (4.2.2).

/// Four coefficients that are not negative, the first in the lowest 16 bits.
LOCKSTEP_INLINE std::uint64_t load_four(const std::int16_t* from) {
  std::uint64_t four;
  std::memcpy(&four, from, sizeof four);
  if constexpr (std::endian::native == std::endian::big)
    four = four >> 48 | (four >> 16 & 0xffff0000U) | (four & 0xffff0000U) << 16 | four << 48;
  return four;
}
LOCKSTEP_INLINE void store_four(std::int16_t* to, std::uint64_t four) {
  if constexpr (std::endian::native == std::endian::big)
    four = four >> 48 | (four >> 16 & 0xffff0000U) | (four & 0xffff0000U) << 16 | four << 48;
  std::memcpy(to, &four, sizeof four);
}

/// Integers of kBits bits in 16 bits each, next to each other instead; and back.
template <int kBits>
LOCKSTEP_INLINE std::uint64_t pack_four(std::uint64_t four) {
  const std::uint64_t pairs = (four & 0x0000ffff0000ffff) | (four & 0xffff0000ffff0000) >> (16 - kBits);
  return (pairs & 0xffffffff) | pairs >> 32 << (2 * kBits);
}
template <int kBits>
LOCKSTEP_INLINE std::uint64_t unpack_four(std::uint64_t packed) {
  constexpr std::uint64_t kMask = (std::uint64_t{1} << kBits) - 1;
  constexpr std::uint64_t kTwo = kMask << 32 | kMask;
  const std::uint64_t pairs = (packed & ((std::uint64_t{1} << (2 * kBits)) - 1)) | packed >> (2 * kBits) << 32;
  return (pairs & kTwo) | (pairs & kTwo << kBits) << (16 - kBits);
}

/// The first kSize of eight bytes, in pieces that a processor has: none is loaded before it was stored as a whole.
template <int kSize>
LOCKSTEP_INLINE std::uint64_t load_bytes(const std::uint8_t* from) {
  if constexpr (kSize >= 8) {
    return load_le64(from);
  } else if constexpr (kSize >= 4) {
    return load_le32(from) | load_bytes<kSize - 4>(from + 4) << 32;
  } else if constexpr (kSize > 0) {
    return from[0] | load_bytes<kSize - 1>(from + 1) << 8;
  } else {
    return 0;
  }
}
template <int kSize>
LOCKSTEP_INLINE void store_bytes(std::uint8_t* to, std::uint64_t bytes) {
  if constexpr (kSize >= 8) {
    store_le64(to, bytes);
  } else if constexpr (kSize >= 4) {
    store_le32(to, static_cast<std::uint32_t>(bytes));
    store_bytes<kSize - 4>(to + 4, bytes >> 32);
  } else if constexpr (kSize > 0) {
    to[0] = static_cast<std::uint8_t>(bytes);
    store_bytes<kSize - 1>(to + 1, bytes >> 8);
  }
}

/// FIPS 203, algorithm 5: 32 * kBits bytes.
template <int kBits>
inline void byte_encode(std::uint8_t* to, const Polynomial& f) noexcept {
  for (std::size_t i = 0; i < kCoefficients; i += 8, to += kBits) {
    const std::uint64_t low = pack_four<kBits>(load_four(f.coefficients + i));
    const std::uint64_t high = pack_four<kBits>(load_four(f.coefficients + i + 4));
    store_bytes<kBits>(to, low | high << (4 * kBits));
    store_bytes<kBits - 8>(to + 8, high >> (64 - 4 * kBits));
  }
}
/// FIPS 203, algorithm 6, without the reduction that 12 bits want.
template <int kBits>
inline void byte_decode(Polynomial& f, const std::uint8_t* from) noexcept {
  constexpr std::uint64_t kMask = (std::uint64_t{1} << (4 * kBits)) - 1;
  for (std::size_t i = 0; i < kCoefficients; i += 8, from += kBits) {
    const std::uint64_t low = load_bytes<kBits>(from);
    const std::uint64_t high = low >> (4 * kBits) | load_bytes<kBits - 8>(from + 8) << (64 - 4 * kBits);
    store_four(f.coefficients + i, unpack_four<kBits>(low & kMask));
    store_four(f.coefficients + i + 4, unpack_four<kBits>(high & kMask));
  }
}

/// Compress_d of 0..q-1: the quotient 2^d x / q rounded, modulo 2^d. No division, whose time would tell of x: a
/// quotient that is too small by at most one, or too large where it would be rounded up, is set right by its remainder,
/// which is between 0 and 2 q and so is known from its lower 16 bits.
template <int kBits>
LOCKSTEP_INLINE Words16 compress(Words16 x) {
  // floor(2^d x / q), but for the error of kReciprocal, of at most 0.014.
  const Words16 wide = kBits == 11 ? add_16(x, x) : x;
  const Words16 quotient =
      shift_right_16 < kBits == 11 ? 0 : 10 - kBits > (multiply_high_16(wide, broadcast_16(kReciprocal)));
  const Words16 rounded = add_16(shift_left_16<kBits>(x), broadcast_16(kModulus / 2));
  const Words16 remainder = subtract_16(rounded, multiply_low_16(quotient, broadcast_16(kModulus)));
  const Words16 minus_one_if_too_small = shift_right_16<15>(subtract_16(broadcast_16(kModulus - 1), remainder));
  return and_16(subtract_16(quotient, minus_one_if_too_small), broadcast_16((1 << kBits) - 1));
}
/// Decompress_d: q y / 2^d rounded.
template <int kBits>
LOCKSTEP_INLINE Words16 decompress(Words16 y) {
  return multiply_round_16(shift_left_16<15 - kBits>(y), broadcast_16(kModulus));
}

/// ByteEncode_d(Compress_d(f)) of any coefficients.
template <int kBits>
inline void compress_and_encode(std::uint8_t* to, Polynomial& f) noexcept {
  for (std::size_t i = 0; i < kCoefficients; i += kWords16)
    store_words16(f.coefficients + i, compress<kBits>(reduce_fully(load_words16(f.coefficients + i))));
  byte_encode<kBits>(to, f);
}
template <int kBits>
inline void decode_and_decompress(Polynomial& f, const std::uint8_t* from) noexcept {
  byte_decode<kBits>(f, from);
  for (std::size_t i = 0; i < kCoefficients; i += kWords16)
    store_words16(f.coefficients + i, decompress<kBits>(load_words16(f.coefficients + i)));
}

/// Whether every coefficient is below q: FIPS 203 7.2, the modulus check.
LOCKSTEP_INLINE bool all_below_modulus(const Polynomial& f) {
  Words16 least = broadcast_16(-1);
  for (std::size_t i = 0; i < kCoefficients; i += kWords16)
    least = and_16(least, subtract_16(load_words16(f.coefficients + i), broadcast_16(kModulus)));
  std::int16_t words[kWords16];
  std::memcpy(words, &least, sizeof words);
  std::int16_t all = -1;
  for (const std::int16_t word : words) all &= word;
  return made_public(all < 0);
}

// --- sampling --------------------------------------------------------------------------------------------------------

/// FIPS 203 appendix B: a SampleNTT that is given 280 turns needs more with a probability of 2^-261. Each takes 3
/// bytes.
inline constexpr std::size_t kSampleMost = std::size_t{3} * 280;
/// Three blocks of SHAKE128 are enough in all but one case of a hundred.
inline constexpr std::size_t kSampleUsual = std::size_t{3} * 168;

/// FIPS 203, algorithm 7, from bytes that SHAKE128 made of public ones. Whether there were enough.
inline bool sample_ntt(Polynomial& f, const std::uint8_t* bytes, std::size_t size) noexcept {
  std::int16_t taken[kCoefficients + kCandidates];
  std::size_t count = 0;
  std::size_t at = 0;
  for (; count < kCoefficients && at + kCandidates / 2 * 3 <= size; at += kCandidates / 2 * 3)
    count += take_below_modulus(taken + count, bytes + at);
  for (; count < kCoefficients && at < size; at += 3) count += take_two(taken + count, bytes + at);
  std::memcpy(f.coefficients, taken, sizeof f.coefficients);
  return count >= kCoefficients;
}

/// Exchanges the bit `kBlock` of the words' places with the bit kBit of the index of four vectors.
template <std::size_t kBlock, std::size_t kBit>
LOCKSTEP_INLINE void exchange_of_four(Words16 (&v)[4]) {
  constexpr std::size_t kOther = 3 - kBit;
  exchange_16<kBlock>(v[0], v[kBit]);
  exchange_16<kBlock>(v[kOther], v[3]);
}

/// Four vectors, of which the word i of the k-th is the coefficient 4 i + k, as coefficients in their order.
LOCKSTEP_INLINE void store_interleaved(std::int16_t* to, Words16 (&v)[4]) {
  exchange_of_four<2, 2>(v);
  exchange_of_four<1, 1>(v);
  if constexpr (kWords16 >= 16) exchange_of_four<8, 2>(v);
  exchange_of_four<4, 1>(v);
  if constexpr (kWords16 == 32) exchange_of_four<16, 1>(v);
  // With 8 or 32 words the bits that tell the vectors apart in the end stand in the other order.
  constexpr std::size_t kSecond = kWords16 == 16 ? 1 : 2;
  store_words16(to, v[0]);
  store_words16(to + kWords16, v[kSecond]);
  store_words16(to + 2 * kWords16, v[3 - kSecond]);
  store_words16(to + 3 * kWords16, v[3]);
}

/// FIPS 203, algorithm 8: coefficients from -eta to eta, from 64 eta bytes. Every kEta bits are added up, then four is
/// added to each difference so that none borrows from its neighbour.
template <std::size_t kEta>
inline void sample_cbd(Polynomial& f, const std::uint8_t* bytes) noexcept {
  if constexpr (kEta == 2) {
    const Words16 quarter = broadcast_16(0x3333);
    const Words16 half = broadcast_16(0x5555);
    for (std::size_t i = 0; i < kCoefficients; i += 4 * kWords16, bytes += 2 * kWords16) {
      const Words16 bits = load_bytes_16(bytes);
      const Words16 sums = add_16(and_16(bits, half), and_16(shift_right_16<1>(bits), half));
      const Words16 first = add_16(and_16(sums, quarter), broadcast_16(0x4444));
      const Words16 differences = subtract_16(first, and_16(shift_right_16<2>(sums), quarter));
      const auto coefficient = [](Words16 shifted) __attribute__((always_inline)) {
        return subtract_16(and_16(shifted, broadcast_16(15)), broadcast_16(4));
      };
      Words16 v[4] = {coefficient(differences), coefficient(shift_right_16<4>(differences)),
                      coefficient(shift_right_16<8>(differences)), coefficient(shift_right_16<12>(differences))};
      store_interleaved(f.coefficients + i, v);
    }
  } else {
    for (std::size_t i = 0; i < kCoefficients; i += 4, bytes += 3) {
      const std::uint32_t word = static_cast<std::uint32_t>(bytes[0] | bytes[1] << 8 | bytes[2] << 16);
      const std::uint32_t sums = (word & 0x249249) + (word >> 1 & 0x249249) + (word >> 2 & 0x249249);
      const std::uint32_t differences = (sums & 0x1c71c7) + 0x104104 - (sums >> 3 & 0x1c71c7);
      for (std::size_t j = 0; j < 4; ++j)
        f.coefficients[i + j] = static_cast<std::int16_t>(static_cast<int>(differences >> (6 * j) & 63) - 4);
    }
  }
}
