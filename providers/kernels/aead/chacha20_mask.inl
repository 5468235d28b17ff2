// Masks of record and packet numbers (RFC 9147 4.2.3, RFC 9001 5.4.4): the first row of the ChaCha20 block whose last
// row, the counter and the nonce, is the sample. Include it after chacha20_poly1305.inl.

inline constexpr std::size_t kMaskGroups = 4;
inline constexpr std::size_t kMasksAtOnce = kMaskGroups * kLanes;

// Turns the samples of kGroups groups into masks, where they stand.
template <std::size_t kGroups>
LOCKSTEP_INLINE void compute_groups(const InitialState& initial, std::uint8_t* samples) {
  const Vector constants = broadcast(load_block(initial.row(0)));
  Rows x[kGroups];
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kGroups; ++i) {
    x[i] = {constants, broadcast(load_block(initial.row(1))), broadcast(load_block(initial.row(2))),
            load_blocks(samples + i * kWidth)};
  }
  for (int round = 0; round < 10; ++round) {
    round_rows(x);
    LOCKSTEP_UNROLL
    for (Rows& group : x) rotate_rows(group.a, group.c, group.d);
    round_rows(x);
    LOCKSTEP_UNROLL
    for (Rows& group : x) rotate_rows_back(group.a, group.c, group.d);
  }
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kGroups; ++i) store(samples + i * kWidth, add_32(x[i].a, constants));
}

inline void compute_masks(const void* context, std::span<const MaskJob> jobs) noexcept {
  static constexpr std::uint8_t kNoNonce[kNonceSize] = {};
  InitialState initial;
  set_initial_state(initial, *static_cast<const ChaChaKey*>(context), kNoNonce);
  alignas(64) std::uint8_t blocks[kMasksAtOnce * 16] = {};
  while (!jobs.empty()) {
    const auto now = jobs.first(jobs.size() < kMasksAtOnce ? jobs.size() : kMasksAtOnce);
    for (std::size_t i = 0; i < now.size(); ++i) store(blocks + i * 16, load_block(now[i].sample));
    if (now.size() <= kLanes) {
      compute_groups<1>(initial, blocks);
    } else {
      compute_groups<kMaskGroups>(initial, blocks);
    }
    for (std::size_t i = 0; i < now.size(); ++i) copy_short(now[i].mask.data(), blocks + i * 16, now[i].mask.size());
    jobs = jobs.subspan(now.size());
  }
  wipe(&initial, sizeof initial);
  wipe(blocks, sizeof blocks);
}

const Mask kChaCha20Mask{MaskAlgorithm::chacha20, kInstructionSet, "ChaCha20", 32, sizeof(ChaChaKey), init,
                         compute_masks,           destroy};
