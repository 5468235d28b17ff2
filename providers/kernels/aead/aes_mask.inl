// Masks of record and packet numbers (RFC 9147 4.2.3, RFC 9001 5.4.3): the sample, encrypted by AES. Include it after
// aes_gcm.inl.

struct MaskKey {
  RoundKeys round_keys;
};

inline constexpr std::size_t kMasksAtOnce = 8;  // as many rounds as are under way at any time
inline constexpr std::size_t kMaskVectors = kMasksAtOnce / kLanes;

template <int kRounds>
LOCKSTEP_INLINE void encrypt_at_once(const RoundKeys& keys, std::uint8_t* blocks) {
  Vector state[kMaskVectors];
  const Vector whitening = broadcast(load_block(keys[0]));
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kMaskVectors; ++i) state[i] = bit_xor(load_blocks(blocks + i * kWidth), whitening);
  for (int round = 1; round < kRounds; ++round) {
    const Vector round_key = broadcast(load_block(keys[round]));
    LOCKSTEP_UNROLL
    for (Vector& vector : state) vector = aes_round(vector, round_key);
  }
  const Vector last = broadcast(load_block(keys[kRounds]));
  LOCKSTEP_UNROLL
  for (std::size_t i = 0; i < kMaskVectors; ++i) store(blocks + i * kWidth, aes_last_round(state[i], last));
}

template <int kRounds>
void compute_masks(const void* context, std::span<const MaskJob> jobs) noexcept {
  const MaskKey& key = *static_cast<const MaskKey*>(context);
  alignas(64) std::uint8_t blocks[kMasksAtOnce * kBlockSize] = {};
  for (; jobs.size() > 1; jobs = jobs.subspan(jobs.size() < kMasksAtOnce ? jobs.size() : kMasksAtOnce)) {
    const std::size_t count = jobs.size() < kMasksAtOnce ? jobs.size() : kMasksAtOnce;
    for (std::size_t i = 0; i < count; ++i) store(blocks + i * kBlockSize, load_block(jobs[i].sample));
    encrypt_at_once<kRounds>(key.round_keys, blocks);
    for (std::size_t i = 0; i < count; ++i)
      copy_short(jobs[i].mask.data(), blocks + i * kBlockSize, jobs[i].mask.size());
  }
  if (!jobs.empty()) {
    store(blocks, encrypt_block<kRounds>(key.round_keys, load_block(jobs[0].sample)));
    copy_short(jobs[0].mask.data(), blocks, jobs[0].mask.size());
  }
  wipe(blocks, sizeof blocks);
}

template <int kRounds>
void init_mask(void* context, const std::uint8_t* key) noexcept {
  expand_key<kRounds>((new (context) MaskKey{})->round_keys, key);
}

inline void destroy_mask(void* context) noexcept { wipe(context, sizeof(MaskKey)); }

const Mask kAes128Mask{MaskAlgorithm::aes_128, kInstructionSet, "AES-128",         16,
                       sizeof(MaskKey),        init_mask<10>,   compute_masks<10>, destroy_mask};
const Mask kAes256Mask{MaskAlgorithm::aes_256, kInstructionSet, "AES-256",         32,
                       sizeof(MaskKey),        init_mask<14>,   compute_masks<14>, destroy_mask};
