// The layer of Keccak for four states in plain C++. It is slow and for tests alone.
inline constexpr std::size_t kWays = 4;
struct States {
  std::uint64_t words[kWays];
};

template <class Operation, class... All>
inline States each_state(Operation operation, const All&... all) {
  States result;
  for (std::size_t i = 0; i < kWays; ++i) result.words[i] = operation(all.words[i]...);
  return result;
}
inline States load_states(const std::uint64_t* from) {
  States a;
  std::memcpy(&a, from, sizeof a);
  return a;
}
inline void store_states(std::uint64_t* to, States a) { std::memcpy(to, &a, sizeof a); }
inline States xor_word(States a, States b) {
  return each_state([](std::uint64_t x, std::uint64_t y) { return x ^ y; }, a, b);
}
inline States xor_3(States a, States b, States c) { return xor_word(xor_word(a, b), c); }
inline States xor_constant(States a, std::uint64_t b) {
  return each_state([b](std::uint64_t x) { return x ^ b; }, a);
}
inline States chi(States a, States b, States c) {
  return each_state([](std::uint64_t x, std::uint64_t y, std::uint64_t z) { return x ^ (~y & z); }, a, b, c);
}
template <int kBits>
inline States turn_left(States a) {
  if constexpr (kBits == 0) return a;
  return each_state([](std::uint64_t x) { return x << kBits | x >> (64 - kBits) % 64; }, a);
}
