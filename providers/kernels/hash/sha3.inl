// SHA-3 over keccak.inl. As many messages as there are ways go side by side; a way whose message is done takes the next
// job, so that the ways stay busy with jobs of any length.

/// A message on its way: what of it is to be absorbed, then how much of its digest is out.
struct Sponge {
  const std::uint8_t* message;
  std::size_t left;
  std::uint8_t* digest;
  std::size_t wanted;
  std::size_t rate;
  std::uint8_t suffix;
  bool absorbed;
};

LOCKSTEP_INLINE Sponge start_sponge(const Sha3Job& job) {
  return {job.message.data(),
          job.message.size(),
          job.digest.data(),
          job.digest.size(),
          sha3_rate(job.algorithm),
          sha3_suffix(job.algorithm),
          false};
}

/// The next block of the message into the state, whose words stand `kStride` apart.
template <std::size_t kStride>
LOCKSTEP_INLINE void absorb(Sponge& sponge, std::uint64_t* state) {
  const std::uint8_t* block = sponge.message;
  std::uint8_t last[168];
  if (sponge.left < sponge.rate) {
    // FIPS 202 5.1: a one, zeros and a one; after the suffix' bits.
    if (sponge.left != 0) std::memcpy(last, block, sponge.left);
    std::memset(last + sponge.left, 0, sponge.rate - sponge.left);
    last[sponge.left] = sponge.suffix;
    last[sponge.rate - 1] |= 0x80;
    block = last;
    sponge.absorbed = true;
  } else {
    sponge.message += sponge.rate;
    sponge.left -= sponge.rate;
  }
  for (std::size_t i = 0; i < sponge.rate / 8; ++i) state[kStride * i] ^= load_le64(block + 8 * i);
  if (sponge.absorbed) wipe(last, sponge.left);
}

/// The next block of the digest. Whether it was the last one.
template <std::size_t kStride>
LOCKSTEP_INLINE bool squeeze(Sponge& sponge, const std::uint64_t* state) {
  const std::size_t size = sponge.wanted < sponge.rate ? sponge.wanted : sponge.rate;
  std::size_t i = 0;
  for (; i < size / 8; ++i) store_le64(sponge.digest + 8 * i, state[kStride * i]);
  for (std::size_t at = 8 * i; at < size; ++at)
    sponge.digest[at] = static_cast<std::uint8_t>(state[kStride * i] >> (8 * (at % 8)));
  sponge.digest += size;
  sponge.wanted -= size;
  return sponge.wanted == 0;
}

/// One message by itself.
inline void run_one(const Sha3Job& job) noexcept {
  std::uint64_t state[kSha3Words] = {};
  Sponge sponge = start_sponge(job);
  do {
    if (!sponge.absorbed) absorb<1>(sponge, state);
    permute(state);
  } while (!sponge.absorbed || !squeeze<1>(sponge, state));
  wipe(state, sizeof state);
}

/// The ways side by side: word i of way w is words[kWays * i + w].
struct Ways {
  alignas(64) std::uint64_t words[kSha3Words * kWays];
  Sponge sponges[kWays];
  bool busy[kWays];
};

LOCKSTEP_INLINE void permute_ways(Ways& ways) {
  States state[kSha3Words];
  for (std::size_t i = 0; i < kSha3Words; ++i) state[i] = load_states(ways.words + kWays * i);
  permute(state);
  for (std::size_t i = 0; i < kSha3Words; ++i) store_states(ways.words + kWays * i, state[i]);
}

/// The next job, or nothing, into a way.
LOCKSTEP_INLINE void refill(Ways& ways, std::size_t way, std::span<const Sha3Job>& jobs) {
  ways.busy[way] = !jobs.empty();
  if (jobs.empty()) return;
  ways.sponges[way] = start_sponge(jobs.front());
  jobs = jobs.subspan(1);
  for (std::size_t i = 0; i < kSha3Words; ++i) ways.words[kWays * i + way] = 0;
}

inline void run_ways(std::span<const Sha3Job> jobs) noexcept {
  Ways ways;
  std::memset(ways.words, 0, sizeof ways.words);
  for (std::size_t way = 0; way < kWays; ++way) refill(ways, way, jobs);
  for (bool any = true; any;) {
    for (std::size_t way = 0; way < kWays; ++way)
      if (ways.busy[way] && !ways.sponges[way].absorbed) absorb<kWays>(ways.sponges[way], ways.words + way);
    permute_ways(ways);
    any = false;
    for (std::size_t way = 0; way < kWays; ++way) {
      if (ways.busy[way] && ways.sponges[way].absorbed && squeeze<kWays>(ways.sponges[way], ways.words + way))
        refill(ways, way, jobs);
      any = any || ways.busy[way];
    }
  }
  wipe(ways.words, sizeof ways.words);
}

inline void run_sha3(std::span<const Sha3Job> jobs) noexcept {
  if constexpr (kWays > 1) {
    if (jobs.size() > 1) return run_ways(jobs);  // one by itself is faster in words
  }
  for (const Sha3Job& job : jobs) run_one(job);
}

constinit const Sha3 kSha3{kInstructionSet, kWays, run_sha3};
