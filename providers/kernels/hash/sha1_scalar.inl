// SHA-1 (FIPS 180-4 6.1.2) on integers, for HMAC alone, where its collisions do no harm. Include it inside a namespace.

// Takes whole blocks.
inline void compress(std::uint32_t (&state)[5], const std::uint8_t* blocks, std::size_t count) {
  std::uint32_t schedule[16];
  for (; count != 0; --count) {
    for (std::uint32_t& word : schedule) {
      word = load_be32(blocks);
      blocks += 4;
    }
    std::uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (std::size_t t = 0; t < 80; ++t) {
      std::uint32_t& word = schedule[t % 16];
      if (t >= 16)
        word = std::rotl(schedule[(t + 13) % 16] ^ schedule[(t + 8) % 16] ^ schedule[(t + 2) % 16] ^ word, 1);
      // FIPS 180-4 4.1.1, 4.2.1.
      const std::uint32_t f = t < 20 ? d ^ (b & (c ^ d)) : t < 40 || t >= 60 ? b ^ c ^ d : (b & c) ^ (d & (b ^ c));
      const std::uint32_t k = t < 20 ? 0x5a827999 : t < 40 ? 0x6ed9eba1 : t < 60 ? 0x8f1bbcdc : 0xca62c1d6;
      const std::uint32_t next = std::rotl(a, 5) + f + e + k + word;
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
  }
  wipe(schedule, sizeof schedule);
}
