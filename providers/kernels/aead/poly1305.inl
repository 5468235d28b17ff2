// Poly1305 (RFC 8439 2.5) on 64-bit integers. Include it after wide.inl, inside the namespace and target region of an
// instruction set.

// The sum so far, modulo 2^130 - 5 but not wholly reduced, and the factor r.
struct Poly1305 {
  std::uint64_t h0 = 0;
  std::uint64_t h1 = 0;
  std::uint64_t h2 = 0;  // a few bits
  std::uint64_t r0;
  std::uint64_t r1;
  std::uint64_t s1;  // r1 5/4: r is clamped, so that r1 is a multiple of four, and 2^130 is 5
};

LOCKSTEP_INLINE Poly1305 begin_poly1305(const std::uint8_t* r) {
  Poly1305 poly;
  // RFC 8439 2.5: "r[3], r[7], r[11], and r[15] are required to have their top four bits clear"; "r[4], r[8], and r[12]
  // are required to have their bottom two bits clear"
  poly.r0 = load_le64(r) & 0x0ffffffc0fffffff;
  poly.r1 = load_le64(r + 8) & 0x0ffffffc0ffffffc;
  poly.s1 = poly.r1 + (poly.r1 >> 2);
  return poly;
}

// Adds one block of 16 bytes, with a one behind it, and multiplies.
LOCKSTEP_INLINE void hash_block(Poly1305& poly, std::uint64_t low, std::uint64_t high, std::uint64_t behind = 1) {
  const Wide sum0 = Wide{poly.h0} + low;
  const Wide sum1 = Wide{poly.h1} + high + static_cast<std::uint64_t>(sum0 >> 64);
  const std::uint64_t h0 = static_cast<std::uint64_t>(sum0);
  const std::uint64_t h1 = static_cast<std::uint64_t>(sum1);
  const std::uint64_t h2 = poly.h2 + behind + static_cast<std::uint64_t>(sum1 >> 64);

  const Wide d0 = Wide{h0} * poly.r0 + Wide{h1} * poly.s1;
  const Wide d1 = Wide{h0} * poly.r1 + Wide{h1} * poly.r0 + h2 * poly.s1 + static_cast<std::uint64_t>(d0 >> 64);
  const std::uint64_t d2 = h2 * poly.r0 + static_cast<std::uint64_t>(d1 >> 64);

  // What stands at and above 2^130 comes back times 5.
  const Wide low_sum = Wide{static_cast<std::uint64_t>(d0)} + ((d2 >> 2) + (d2 & ~std::uint64_t{3}));
  const Wide high_sum = Wide{static_cast<std::uint64_t>(d1)} + static_cast<std::uint64_t>(low_sum >> 64);
  poly.h0 = static_cast<std::uint64_t>(low_sum);
  poly.h1 = static_cast<std::uint64_t>(high_sum);
  poly.h2 = (d2 & 3) + static_cast<std::uint64_t>(high_sum >> 64);
}

// The statement below takes every register that there is: without optimisation, and where a sanitizer wants some for
// itself, the portable text stands in.
#if defined(LOCKSTEP_MULX) && defined(__OPTIMIZE__) && !defined(LOCKSTEP_SANITIZED)
// The same in the processor's own words, because compilers make three times as many instructions of 128-bit integers.
LOCKSTEP_INLINE void hash_block(Poly1305& poly, const std::uint8_t* block) {
  std::uint64_t d0;
  std::uint64_t d1;
  std::uint64_t d2;
  std::uint64_t carry0;
  std::uint64_t a;
  std::uint64_t b;
  asm("addq (%[block]), %[h0]\n\t"
      "adcq 8(%[block]), %[h1]\n\t"
      "adcq $1, %[h2]\n\t"
      "movq %[h0], %%rdx\n\t"
      "mulxq %[r0], %[d0], %[carry0]\n\t"
      "mulxq %[r1], %[d1], %[d2]\n\t"
      "movq %[h1], %%rdx\n\t"
      "mulxq %[s1], %[a], %[b]\n\t"
      "addq %[a], %[d0]\n\t"
      "adcq %[b], %[carry0]\n\t"
      "mulxq %[r0], %[a], %[b]\n\t"
      "addq %[a], %[d1]\n\t"
      "adcq %[b], %[d2]\n\t"
      "movq %[h2], %%rdx\n\t"
      "imulq %[s1], %[h2]\n\t"
      "imulq %[r0], %%rdx\n\t"
      "addq %[h2], %[d1]\n\t"
      "adcq %%rdx, %[d2]\n\t"
      "addq %[carry0], %[d1]\n\t"
      "adcq $0, %[d2]\n\t"
      "movq %[d2], %[h2]\n\t"
      "movq %[d2], %[a]\n\t"
      "andq $-4, %[d2]\n\t"
      "shrq $2, %[a]\n\t"
      "andq $3, %[h2]\n\t"
      "addq %[d2], %[a]\n\t"
      "movq %[d0], %[h0]\n\t"
      "movq %[d1], %[h1]\n\t"
      "addq %[a], %[h0]\n\t"
      "adcq $0, %[h1]\n\t"
      "adcq $0, %[h2]"
      : [h0] "+&r"(poly.h0), [h1] "+&r"(poly.h1), [h2] "+&r"(poly.h2), [d0] "=&r"(d0), [d1] "=&r"(d1), [d2] "=&r"(d2),
        [carry0] "=&r"(carry0), [a] "=&r"(a), [b] "=&r"(b)
      : [block] "r"(block), [r0] "rm"(poly.r0), [r1] "rm"(poly.r1), [s1] "rm"(poly.s1),
        "m"(*reinterpret_cast<const std::uint8_t(*)[16]>(block))
      : "rdx", "cc");
}
#else
LOCKSTEP_INLINE void hash_block(Poly1305& poly, const std::uint8_t* block) {
  hash_block(poly, load_le64(block), load_le64(block + 8));
}
#endif

// Adds bytes, zero padded to whole blocks (RFC 8439 2.8).
LOCKSTEP_INLINE void hash_padded(Poly1305& poly, const std::uint8_t* from, std::size_t size) {
  for (; size >= 16; size -= 16, from += 16) hash_block(poly, from);
  if (size != 0) {
    const Halves last = load_short(from, size);
    hash_block(poly, last.low, last.high);
  }
}

struct Tag {
  std::uint64_t low;
  std::uint64_t high;
};

// Reduces wholly and adds the second half of the one-time key.
LOCKSTEP_INLINE Tag finish_poly1305(const Poly1305& poly, const std::uint8_t* s) {
  // h - (2^130 - 5) = h + 5 - 2^130: not negative when h + 5 reaches 2^130.
  const Wide plus0 = Wide{poly.h0} + 5;
  const Wide plus1 = Wide{poly.h1} + static_cast<std::uint64_t>(plus0 >> 64);
  const std::uint64_t plus2 = poly.h2 + static_cast<std::uint64_t>(plus1 >> 64);
  const std::uint64_t reaches = 0 - (plus2 >> 2 & 1);
  const std::uint64_t h0 = (static_cast<std::uint64_t>(plus0) & reaches) | (poly.h0 & ~reaches);
  const std::uint64_t h1 = (static_cast<std::uint64_t>(plus1) & reaches) | (poly.h1 & ~reaches);
  const Wide low = Wide{h0} + load_le64(s);
  return {static_cast<std::uint64_t>(low), h1 + load_le64(s + 8) + static_cast<std::uint64_t>(low >> 64)};
}
