#include "record/protection.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include "record/cbc.hpp"
#include "record/framing.hpp"

namespace lockstep::record {
namespace {

template <class Word>
Word load(const std::uint8_t* from) noexcept {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// The word whose bytes are those of `first`, then those of `second`.
std::uint64_t joined(std::uint32_t first, std::uint32_t second) noexcept {
  if constexpr (std::endian::native == std::endian::little) return std::uint64_t{second} << 32U | first;
  return std::uint64_t{first} << 32U | second;
}

/// The nonce whose bytes these words hold. Every kernel reads one in these words at once, and would wait long for
/// others to be written.
Nonce nonce_of(std::uint64_t front, std::uint32_t back) noexcept {
  Nonce nonce(kAeadNonceSize);
  std::uint8_t* const bytes = nonce.writable().data();
  std::memcpy(bytes, &front, sizeof front);
  std::memcpy(bytes + sizeof front, &back, sizeof back);
  return nonce;
}

}  // namespace

Protection& Protection::operator=(Protection&& other) noexcept {
  if (this != &other) {
    clear();
    take(other);
  }
  return *this;
}

bool Protection::install(const Aead& aead, Bytes key, Bytes iv, RecordFormat format) noexcept {
  // RFC 9846 5.3: "the first record transmitted under a particular traffic key MUST use sequence number 0."
  // RFC 5246 6.1: "specifically, the first record transmitted under a particular connection state MUST use sequence
  // number 0."
  clear();
  if (aead.context_size > kKeptAeadContextSize) {
    std::ranges::copy(key, kept_.begin());
  } else if (!aead.init(kept_.data(), key)) {
    return false;
  }
  aead_ = &aead;
  format_ = format;
  std::ranges::copy(iv.first(format_of(format).iv_size), iv_.begin());
  return true;
}

bool Protection::install(const CbcCipher& cipher, const RecordMac& mac, Bytes key, Bytes mac_key,
                         bool encrypt_then_mac) noexcept {
  clear();
  auto made = CbcKey::make(cipher, mac, key, mac_key, encrypt_then_mac);
  if (!made) return false;
  CbcKey::hold(kept_.data(), std::move(made));
  aead_ = &CbcKey::descriptor(mac);
  format_ = RecordFormat::tls12_cbc;
  return true;
}

void Protection::clear() noexcept {
  if (aead_ == nullptr) return;
  if (keeps_context()) aead_->destroy(kept_.data());
  forget_context();
  aead_ = nullptr;
  sequence_ = 0;
  format_ = RecordFormat::tls13;
  wipe(kept_);
  wipe(iv_);
}

void Protection::use(ContextCache* cache) noexcept {
  if (cache == cache_) return;
  forget_context();
  cache_ = cache;
}

bool Protection::expand() noexcept {
  stamp_ = cache_->expand(*aead_, Bytes(kept_).first(aead_->key_size));
  return stamp_ != ContextCache::kNone;
}

void Protection::forget_context() noexcept {
  if (const auto stamp = std::exchange(stamp_, ContextCache::kNone); stamp != ContextCache::kNone)
    cache_->forget(stamp);
}

Nonce Protection::nonce(std::uint64_t ahead) const noexcept {
  // RFC 9846 5.3: "The 64-bit record sequence number is encoded in network byte order and padded to the left with zeros
  // to iv_length. The padded sequence number is XORed with either the static client_write_iv or server_write_iv".
  const std::uint64_t number = sequence_ + ahead;
  const std::uint64_t front = load<std::uint64_t>(iv_.data()) ^ network_order(number >> 32U);
  const std::uint32_t back =
      load<std::uint32_t>(iv_.data() + sizeof front) ^ network_order(static_cast<std::uint32_t>(number));
  return nonce_of(front, back);
}

Nonce Protection::salted(std::span<const std::uint8_t, kExplicitNonceSize> explicit_part) const noexcept {
  static_assert(kSaltSize == sizeof(std::uint32_t) && kExplicitNonceSize == 2 * sizeof(std::uint32_t));
  const std::uint64_t front = joined(load<std::uint32_t>(iv_.data()), load<std::uint32_t>(explicit_part.data()));
  return nonce_of(front, load<std::uint32_t>(explicit_part.data() + sizeof(std::uint32_t)));
}

void Protection::take(Protection& other) noexcept {
  cache_ = std::exchange(other.cache_, nullptr);
  if (other.aead_ == nullptr) return;
  std::memcpy(kept_.data(), other.kept_.data(), kept_.size());
  aead_ = other.aead_;
  stamp_ = std::exchange(other.stamp_, ContextCache::kNone);
  sequence_ = other.sequence_;
  iv_ = other.iv_;
  format_ = std::exchange(other.format_, RecordFormat::tls13);

  // The old context is dead: it must be wiped and not destroyed.
  wipe(other.kept_);
  other.aead_ = nullptr;
  other.sequence_ = 0;
  wipe(other.iv_);
}

}  // namespace lockstep::record
