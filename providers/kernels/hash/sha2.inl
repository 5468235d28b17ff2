// SHA-2 as streams, with HMAC (RFC 2104) and HKDF-Expand (RFC 5869 2.3), over `compress` and `compress_two`. Include it
// inside the namespace and target region of an instruction set, after the text that defines those two.

template <class A>
inline constexpr std::size_t kBlockSizeOf = 16 * sizeof(typename A::Word);

// FIPS 180-4 5.1: the length at the end of the padding; we need no more than its last 64 bits.
template <class A>
inline constexpr std::size_t kLengthSize = 2 * sizeof(typename A::Word);

template <class A>
struct State {
  typename A::Word words[8];
};

// A message so far. As bytes, because the caller's storage has any alignment.
template <class A>
struct Context {
  std::uint8_t state[sizeof(State<A>)];
  std::uint8_t size[8];                   // of the message, in bytes
  std::uint8_t buffer[kBlockSizeOf<A>];   // what is not a whole block yet
};

// The states behind the key's inner and outer pad.
template <class A>
struct HmacKey {
  State<A> inner;
  State<A> outer;
};

template <class A>
LOCKSTEP_INLINE State<A> load_state_of(const Context<A>& context) {
  State<A> state;
  std::memcpy(&state, context.state, sizeof state);
  return state;
}

template <class A>
LOCKSTEP_INLINE void start(Context<A>& context, const State<A>& state, std::uint64_t size) {
  std::memcpy(context.state, &state, sizeof state);
  store_le64(context.size, size);
}

template <class A>
LOCKSTEP_INLINE State<A> initial_state() {
  State<A> state;
  std::memcpy(state.words, A::kInitial.data(), sizeof state.words);
  return state;
}

template <class A>
void append(Context<A>& context, std::span<const std::uint8_t> data) {
  constexpr std::size_t kBlock = kBlockSizeOf<A>;
  if (data.empty()) return;
  const std::uint64_t size = load_le64(context.size);
  store_le64(context.size, size + data.size());
  const std::size_t used = static_cast<std::size_t>(size % kBlock);
  if (used + data.size() < kBlock) {
    std::memcpy(context.buffer + used, data.data(), data.size());
    return;
  }
  State<A> state = load_state_of(context);
  if (used != 0) {
    std::memcpy(context.buffer + used, data.data(), kBlock - used);
    compress(state.words, context.buffer, 1);
    data = data.subspan(kBlock - used);
  }
  const std::size_t blocks = data.size() / kBlock;
  if (blocks != 0) {
    compress(state.words, data.data(), blocks);
    data = data.subspan(blocks * kBlock);
  }
  if (!data.empty()) std::memcpy(context.buffer, data.data(), data.size());
  std::memcpy(context.state, &state, sizeof state);
  wipe(&state, sizeof state);
}

// FIPS 180-4 5.1: pads the last block of a message of `size` bytes, of which `used` stand in it, with room for the
// length.
template <class A>
LOCKSTEP_INLINE void pad(std::uint8_t* block, std::size_t used, std::uint64_t size) {
  std::memset(block + used, 0, kBlockSizeOf<A> - used);
  block[used] = 0x80;
  store_be64(block + kBlockSizeOf<A> - 8, size * 8);
}

// The state behind the padding.
template <class A>
State<A> finish(const Context<A>& context) {
  constexpr std::size_t kBlock = kBlockSizeOf<A>;
  const std::uint64_t size = load_le64(context.size);
  const std::size_t used = static_cast<std::size_t>(size % kBlock);
  State<A> state = load_state_of(context);
  std::uint8_t block[kBlock];
  std::memcpy(block, context.buffer, used);
  if (used < kBlock - kLengthSize<A>) {
    pad<A>(block, used, size);
  } else {
    std::memset(block + used, 0, kBlock - used);
    block[used] = 0x80;
    compress(state.words, block, 1);
    std::memset(block, 0, kBlock - 8);
    store_be64(block + kBlock - 8, size * 8);
  }
  compress(state.words, block, 1);
  wipe(block, sizeof block);
  return state;
}

// Writes the digest that a state stands for.
template <class A>
LOCKSTEP_INLINE void store_digest(std::uint8_t* to, const State<A>& state) {
  for (std::size_t i = 0; i < A::kDigestSize / sizeof(typename A::Word); ++i) {
    store_word(to + i * sizeof(typename A::Word), state.words[i]);
  }
}

template <class A>
void init(void* context) noexcept {
  start(*new (context) Context<A>{}, initial_state<A>(), 0);
}

template <class A>
void update(void* context, std::span<const std::uint8_t> data) noexcept {
  append(*static_cast<Context<A>*>(context), data);
}

template <class A>
void digest(const void* context, std::uint8_t* out) noexcept {
  State<A> state = finish(*static_cast<const Context<A>*>(context));
  store_digest(out, state);
  wipe(&state, sizeof state);
}

template <class A>
void destroy(void* context) noexcept {
  wipe(context, sizeof(Context<A>));
}

template <class A>
HmacKey<A> prepare(std::span<const std::uint8_t> key) {
  constexpr std::size_t kBlock = kBlockSizeOf<A>;
  std::uint8_t inner[kBlock] = {};
  std::uint8_t outer[kBlock];
  if (key.size() <= kBlock) {
    if (!key.empty()) std::memcpy(inner, key.data(), key.size());
  } else {
    // RFC 2104 2: "Applications that use keys longer than B bytes will first hash the key using H".
    Context<A> context;
    init<A>(&context);
    append(context, key);
    digest<A>(&context, inner);
    destroy<A>(&context);
  }
  for (std::size_t i = 0; i < kBlock; ++i) {
    outer[i] = inner[i] ^ 0x5c;
    inner[i] ^= 0x36;
  }
  HmacKey<A> prepared{initial_state<A>(), initial_state<A>()};
  compress_two(prepared.inner.words, inner, prepared.outer.words, outer);
  wipe(inner, sizeof inner);
  wipe(outer, sizeof outer);
  return prepared;
}

// The outer hash's last block: the inner digest.
template <class A>
LOCKSTEP_INLINE void store_outer_block(std::uint8_t* block, const State<A>& inner) {
  store_digest(block, inner);
  pad<A>(block, A::kDigestSize, kBlockSizeOf<A> + A::kDigestSize);
}

// The state behind a message that shares one block with its padding: a digest, or another secret of its length.
template <class A>
LOCKSTEP_INLINE State<A> hash_short(const State<A>& key, std::span<const std::uint8_t> message) {
  std::uint8_t block[kBlockSizeOf<A>];
  if (!message.empty()) std::memcpy(block, message.data(), message.size());
  pad<A>(block, message.size(), kBlockSizeOf<A> + message.size());
  State<A> state = key;
  compress(state.words, block, 1);
  wipe(block, sizeof block);
  return state;
}

template <class A>
State<A> hash_long(const State<A>& key, std::span<const std::span<const std::uint8_t>> segments) {
  Context<A> context;
  start(context, key, kBlockSizeOf<A>);
  for (const auto segment : segments) append(context, segment);
  State<A> state = finish(context);
  wipe(&context, sizeof context);
  return state;
}

template <class A>
void authenticate(const HmacKey<A>& key, std::span<const std::span<const std::uint8_t>> segments, std::uint8_t* out) {
  const bool one_block = segments.size() == 1 && segments[0].size() + 1 + kLengthSize<A> <= kBlockSizeOf<A>;
  State<A> inner = one_block ? hash_short<A>(key.inner, segments[0]) : hash_long<A>(key.inner, segments);
  std::uint8_t block[kBlockSizeOf<A>];
  store_outer_block(block, inner);
  State<A> outer = key.outer;
  compress(outer.words, block, 1);
  store_digest(out, outer);
  wipe(&inner, sizeof inner);
  wipe(&outer, sizeof outer);
  wipe(block, sizeof block);
}

template <class A>
void prepare_hmac_key(void* hmac_key, std::span<const std::uint8_t> key) noexcept {
  HmacKey<A> prepared = prepare<A>(key);
  std::memcpy(hmac_key, &prepared, sizeof prepared);
  wipe(&prepared, sizeof prepared);
}

template <class A>
void hmac(const void* hmac_key, std::span<const std::span<const std::uint8_t>> segments, std::uint8_t* out) noexcept {
  HmacKey<A> key;
  std::memcpy(&key, hmac_key, sizeof key);
  authenticate(key, segments, out);
  wipe(&key, sizeof key);
}

template <class A>
void destroy_hmac_key(void* hmac_key) noexcept {
  wipe(hmac_key, sizeof(HmacKey<A>));
}

// Whether info, the counter and the padding share one block, and the output is one digest or less: so it is with the
// labels of TLS 1.3.
template <class A>
LOCKSTEP_INLINE bool is_short(const ExpandJob& job) {
  return job.info.size() + 2 + kLengthSize<A> <= kBlockSizeOf<A> && job.out.size() <= A::kDigestSize;
}

// RFC 5869 2.3: T(1) = HMAC-Hash(PRK, T(0) | info | 0x01), with T(0) empty.
template <class A>
LOCKSTEP_INLINE void store_first_block(std::uint8_t* block, std::span<const std::uint8_t> info) {
  std::memset(block, 0, kBlockSizeOf<A>);
  copy_short(block, info.data(), info.size());
  block[info.size()] = 1;
  block[info.size() + 1] = 0x80;
  store_be64(block + kBlockSizeOf<A> - 8, (kBlockSizeOf<A> + info.size() + 1) * 8);
}

template <class A>
LOCKSTEP_INLINE void write_output(std::span<std::uint8_t> out, State<A>& state) {
  std::uint8_t digest[A::kDigestSize];
  store_digest(digest, state);
  if (!out.empty()) std::memcpy(out.data(), digest, out.size());
  wipe(digest, sizeof digest);
  wipe(&state, sizeof state);
}

template <class A>
void expand_two(const HmacKey<A>& key_a, const ExpandJob& a, const HmacKey<A>& key_b, const ExpandJob& b) {
  std::uint8_t blocks[2][kBlockSizeOf<A>];
  State<A> states[2] = {key_a.inner, key_b.inner};
  store_first_block<A>(blocks[0], a.info);
  store_first_block<A>(blocks[1], b.info);
  compress_two(states[0].words, blocks[0], states[1].words, blocks[1]);
  store_outer_block(blocks[0], states[0]);
  store_outer_block(blocks[1], states[1]);
  states[0] = key_a.outer;
  states[1] = key_b.outer;
  compress_two(states[0].words, blocks[0], states[1].words, blocks[1]);
  write_output(a.out, states[0]);
  write_output(b.out, states[1]);
  wipe(blocks, sizeof blocks);
}

template <class A>
void expand_short(const HmacKey<A>& key, const ExpandJob& job) {
  std::uint8_t block[kBlockSizeOf<A>];
  State<A> state = key.inner;
  store_first_block<A>(block, job.info);
  compress(state.words, block, 1);
  store_outer_block(block, state);
  state = key.outer;
  compress(state.words, block, 1);
  write_output(job.out, state);
  wipe(block, sizeof block);
}

template <class A>
void expand_long(const HmacKey<A>& key, const ExpandJob& job) {
  std::uint8_t last[A::kDigestSize];
  std::span<std::uint8_t> out = job.out;
  std::size_t known = 0;  // bytes of `last`
  for (std::uint8_t counter = 1; !out.empty(); ++counter) {
    const std::span<const std::uint8_t> segments[] = {{last, known}, job.info, {&counter, 1}};
    authenticate(key, segments, last);
    known = sizeof last;
    const std::size_t part = out.size() < known ? out.size() : known;
    std::memcpy(out.data(), last, part);
    out = out.subspan(part);
  }
  wipe(last, sizeof last);
}

template <class A>
bool expand(std::span<const ExpandJob> jobs) noexcept {
  for (const ExpandJob& job : jobs) {
    // RFC 5869 2.3: "L length of output keying material in octets (<= 255*HashLen)"
    if (job.out.size() > 255 * A::kDigestSize) return false;
  }
  const auto same = [](std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
    return a.data() == b.data() && a.size() == b.size();
  };
  HmacKey<A> keys[2];
  for (std::size_t i = 0; i < jobs.size();) {
    const ExpandJob& job = jobs[i];
    // The key of the job before this one is in keys[0].
    if (i == 0 || !same(job.secret, jobs[i - 1].secret)) keys[0] = prepare<A>(job.secret);
    if (!is_short<A>(job)) {
      expand_long(keys[0], job);
      i += 1;
    } else if (i + 1 == jobs.size() || !is_short<A>(jobs[i + 1])) {
      expand_short(keys[0], job);
      i += 1;
    } else if (const ExpandJob& next = jobs[i + 1]; same(job.secret, next.secret)) {
      expand_two(keys[0], job, keys[0], next);
      i += 2;
    } else {
      keys[1] = prepare<A>(next.secret);
      expand_two(keys[0], job, keys[1], next);
      keys[0] = keys[1];
      i += 2;
    }
  }
  wipe(keys, sizeof keys);
  return true;
}

template <class A>
constexpr Hash make_hash() {
  static_assert(sizeof(Context<A>) <= kMaxHashContextSize);
  static_assert(alignof(Context<A>) == 1, "the caller's storage has any alignment");
  static_assert(sizeof(HmacKey<A>) <= kMaxHmacKeySize);
  return {A::kAlgorithm,       kInstructionSet, A::kName,   A::kDigestSize, kBlockSizeOf<A>,     sizeof(Context<A>),
          sizeof(HmacKey<A>),  init<A>,         update<A>,  digest<A>,      destroy<A>,          prepare_hmac_key<A>,
          hmac<A>,             destroy_hmac_key<A>, expand<A>};
}
