#include "record/protection.hpp"

#include <algorithm>
#include <cstring>

namespace lockstep::record {

Protection& Protection::operator=(Protection&& other) noexcept {
  if (this != &other) {
    clear();
    take(other);
  }
  return *this;
}

bool Protection::install(const Aead& aead, Bytes key, Bytes iv) noexcept {
  clear();
  if (!aead.init(context_.data(), key)) return false;
  aead_ = &aead;
  std::ranges::copy(iv.first(kAeadNonceSize), iv_.begin());
  return true;
}

void Protection::clear() noexcept {
  if (aead_ == nullptr) return;
  aead_->destroy(context_.data());
  aead_ = nullptr;
  sequence_ = 0;
  wipe(iv_);
}

Nonce Protection::nonce(std::uint64_t ahead) const noexcept {
  // RFC 9846 5.3: "The 64-bit record sequence number is encoded in network byte order and padded to the left with zeros
  // to iv_length. The padded sequence number is XORed with either the static client_write_iv or server_write_iv".
  Nonce nonce = iv_;
  std::uint64_t rest = sequence_ + ahead;
  for (std::size_t i = nonce.size(); i-- > nonce.size() - sizeof rest; rest >>= 8U) {
    nonce[i] = static_cast<std::uint8_t>(nonce[i] ^ rest);
  }
  return nonce;
}

void Protection::take(Protection& other) noexcept {
  if (other.aead_ == nullptr) return;
  std::memcpy(context_.data(), other.context_.data(), other.aead_->context_size);
  aead_ = other.aead_;
  sequence_ = other.sequence_;
  iv_ = other.iv_;

  // The old context is dead: it must be wiped and not destroyed.
  wipe({reinterpret_cast<std::uint8_t*>(other.context_.data()), other.aead_->context_size});
  other.aead_ = nullptr;
  other.sequence_ = 0;
  wipe(other.iv_);
}

}  // namespace lockstep::record
