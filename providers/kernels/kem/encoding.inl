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

/// FIPS 203, algorithm 5: 32 * kBits bytes.
template <int kBits>
inline void byte_encode(std::uint8_t* to, const Polynomial& f) noexcept {
  for (std::size_t i = 0; i < kCoefficients; i += 8, to += kBits) {
    const std::uint64_t low = pack_four<kBits>(load_four(f.coefficients + i));
    const std::uint64_t high = pack_four<kBits>(load_four(f.coefficients + i + 4));
    std::uint8_t bytes[16];
    store_le64(bytes, low | high << (4 * kBits));
    store_le64(bytes + 8, high >> (64 - 4 * kBits));
    std::memcpy(to, bytes, kBits);
  }
}
/// FIPS 203, algorithm 6, without the reduction that 12 bits want.
template <int kBits>
inline void byte_decode(Polynomial& f, const std::uint8_t* from) noexcept {
  constexpr std::uint64_t kMask = (std::uint64_t{1} << (4 * kBits)) - 1;
  for (std::size_t i = 0; i < kCoefficients; i += 8, from += kBits) {
    std::uint8_t bytes[16] = {};
    std::memcpy(bytes, from, kBits);
    const std::uint64_t low = load_le64(bytes);
    const std::uint64_t high = low >> (4 * kBits) | load_le64(bytes + 8) << (64 - 4 * kBits);
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
  std::size_t count = 0;
  for (std::size_t at = 0; at < size && count < kCoefficients; at += 3) {
    const unsigned first = bytes[at] | (bytes[at + 1] & 0xfU) << 8U;
    const unsigned second = static_cast<unsigned>(bytes[at + 1]) >> 4U | static_cast<unsigned>(bytes[at + 2]) << 4U;
    f.coefficients[count] = static_cast<std::int16_t>(first);
    count += first < static_cast<unsigned>(kModulus);
    if (count == kCoefficients) break;
    f.coefficients[count] = static_cast<std::int16_t>(second);
    count += second < static_cast<unsigned>(kModulus);
  }
  return count == kCoefficients;
}

/// FIPS 203, algorithm 8: coefficients from -eta to eta, from 64 eta bytes. Every kEta bits are added up, then four is
/// added to each difference so that none borrows from its neighbour.
template <std::size_t kEta>
inline void sample_cbd(Polynomial& f, const std::uint8_t* bytes) noexcept {
  if constexpr (kEta == 2) {
    for (std::size_t i = 0; i < kCoefficients; i += 16, bytes += 8) {
      const std::uint64_t word = load_le64(bytes);
      const std::uint64_t sums = (word & 0x5555555555555555) + (word >> 1 & 0x5555555555555555);
      const std::uint64_t differences =
          (sums & 0x3333333333333333) + 0x4444444444444444 - (sums >> 2 & 0x3333333333333333);
      for (std::size_t j = 0; j < 16; ++j)
        f.coefficients[i + j] = static_cast<std::int16_t>(static_cast<int>(differences >> (4 * j) & 15) - 4);
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
