// HMAC (RFC 2104) over a hash, also of messages whose length is a secret. Include it inside the namespace and target
// region of an instruction set, after the text that defines the hash's `compress`.

using Octets = std::span<const std::uint8_t>;

// Bytes of a message that its padding may hide: 255 of padding and one that says how many.
inline constexpr std::size_t kMostHidden = 256;

// The compiler shall know nothing of a value: neither that it is 0 or 1, to make a branch of it, nor how it goes from
// one turn of a loop to the next, to compute addresses from it.
LOCKSTEP_INLINE std::uint64_t unknown(std::uint64_t value) noexcept {
#if !defined(LOCKSTEP_CHECK_SECRETS)  // which would take this for a use
  asm volatile("" : "+r"(value));
#endif
  return value;
}

// All ones where a < b, else zero. Both are below 2^63.
LOCKSTEP_INLINE std::uint64_t less(std::uint64_t a, std::uint64_t b) noexcept {
  return 0 - unknown((unknown(a) - unknown(b)) >> 63U);
}
LOCKSTEP_INLINE std::uint64_t same(std::uint64_t a, std::uint64_t b) noexcept { return ~(less(a, b) | less(b, a)); }

template <class A>
inline constexpr std::size_t kBlock = 16 * sizeof(typename A::Word);
// FIPS 180-4 5.1: what follows a message at least, 0x80 and its length.
template <class A>
inline constexpr std::size_t kEnd = 1 + 2 * sizeof(typename A::Word);

// A hash under way.
template <class A>
class Message {
 public:
  using Word = typename A::Word;
  static constexpr std::size_t kWords = A::kInitial.size();

  Message() noexcept { std::copy(A::kInitial.begin(), A::kInitial.end(), state_); }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() {
    wipe(state_, sizeof state_);
    wipe(buffer_, sizeof buffer_);
  }

  void append(Octets data) noexcept {
    const std::size_t used = static_cast<std::size_t>(size_ % kBlock<A>);
    size_ += data.size();
    if (used != 0) {
      const std::size_t taken = std::min(data.size(), kBlock<A> - used);
      std::copy_n(data.begin(), taken, buffer_ + used);
      data = data.subspan(taken);
      if (used + taken < kBlock<A>) return;
      compress(state_, buffer_, 1);
    }
    const std::size_t blocks = data.size() / kBlock<A>;
    if (blocks != 0) compress(state_, data.data(), blocks);
    std::ranges::copy(data.subspan(blocks * kBlock<A>), buffer_);
  }

  void finish(std::uint8_t* out) noexcept {
    const std::uint64_t bits = size_ * 8;
    constexpr std::uint8_t kOne = 0x80;
    constexpr std::array<std::uint8_t, kBlock<A>> kZeros{};
    append({&kOne, 1});
    const std::size_t used = static_cast<std::size_t>(size_ % kBlock<A>);
    const std::size_t target = kBlock<A> - 8;
    append(Octets(kZeros).first(used <= kBlock<A> - (kEnd<A> - 1) ? target - used : kBlock<A> - used));
    if (size_ % kBlock<A> == 0) append(Octets(kZeros).first(target));
    std::uint8_t length[8];
    store_be64(length, bits);
    append(length);
    write(state_, out);
  }

  // The same for what came so far, which is whole blocks, then `data` up to a secret end within its last kMostHidden
  // bytes.
  void finish_at(Octets head, Octets data, std::uint64_t secret_length, std::uint8_t* out) noexcept {
    const std::uint64_t before = size_;
    const std::size_t most = head.size() + data.size();
    const std::size_t least = most - std::min(data.size(), kMostHidden);
    const std::uint64_t end = head.size() + secret_length;
    const auto byte_at = [&](std::size_t at) -> std::uint8_t {
      return at < head.size() ? head[at] : at < most ? data[at - head.size()] : std::uint8_t{0};
    };
    // The block that the message ends in with its length, and the last one that it could be.
    const std::uint64_t last = (end + kEnd<A> - 1) / kBlock<A>;
    const std::size_t last_possible = (most + kEnd<A> - 1) / kBlock<A>;
    const std::uint64_t bits = (before + end) * 8;

    Word result[kWords]{};
    for (std::size_t block = 0; block <= last_possible; ++block) {
      const std::size_t first = block * kBlock<A>;
      // Surely within the message.
      if (first >= head.size() && first + kBlock<A> <= least) {
        const std::size_t count = (least - first) / kBlock<A>;
        compress(state_, data.data() + (first - head.size()), count);
        block += count - 1;
        continue;
      }
      const std::uint64_t is_last = same(block, last);
      for (std::size_t i = 0; i < kBlock<A>; ++i) {
        const std::uint64_t within = less(first + i, end);
        const std::uint64_t at_end = same(first + i, end);
        const std::uint64_t length = i >= kBlock<A> - 8 ? (bits >> (8 * (kBlock<A> - 1 - i))) & is_last : 0;
        buffer_[i] = static_cast<std::uint8_t>((byte_at(first + i) & within) | (0x80 & at_end) | length);
      }
      compress(state_, buffer_, 1);
      for (std::size_t i = 0; i < kWords; ++i) result[i] |= state_[i] & static_cast<Word>(is_last);
    }
    write(result, out);
    wipe(result, sizeof result);
  }

 private:
  static void write(const Word (&state)[kWords], std::uint8_t* out) noexcept {
    for (std::size_t i = 0; i < A::kDigestSize / sizeof(Word); ++i) store_word(out + i * sizeof(Word), state[i]);
  }

  Word state_[kWords];
  std::uint64_t size_ = 0;
  std::uint8_t buffer_[kBlock<A>];
};

// The key over a whole block with a pad (RFC 2104 2).
template <class A>
void append_key(Message<A>& message, Octets key, std::uint8_t pad) noexcept {
  std::uint8_t block[kBlock<A>]{};
  std::ranges::copy(key.first(std::min(key.size(), sizeof block)), block);
  for (std::uint8_t& byte : block) byte ^= pad;
  message.append(block);
  wipe(block, sizeof block);
}

template <class A>
void finish(Octets key, Octets inner, std::uint8_t* out) noexcept {
  Message<A> outer;
  append_key<A>(outer, key, 0x5c);
  outer.append(inner);
  outer.finish(out);
}

template <class A>
void mac(Octets key, std::span<const Octets> segments, std::uint8_t* out) noexcept {
  std::uint8_t inner[A::kDigestSize];
  Message<A> message;
  append_key<A>(message, key, 0x36);
  for (const Octets segment : segments) message.append(segment);
  message.finish(inner);
  finish<A>(key, inner, out);
  wipe(inner, sizeof inner);
}

template <class A>
void mac_of_secret_length(Octets key, Octets header, Octets content, std::size_t secret_length,
                          std::uint8_t* out) noexcept {
  std::uint8_t inner[A::kDigestSize];
  Message<A> message;
  append_key<A>(message, key, 0x36);
  message.finish_at(header, content, secret_length, inner);
  finish<A>(key, inner, out);
  wipe(inner, sizeof inner);
}

template <class A>
constexpr Mac make_mac(MacAlgorithm algorithm, const char* name) noexcept {
  return {algorithm, kInstructionSet, name, A::kDigestSize, mac<A>, mac_of_secret_length<A>};
}
