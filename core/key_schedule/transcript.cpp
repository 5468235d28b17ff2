#include "key_schedule/transcript.hpp"

#include <cstring>

#include <lockstep/types.hpp>

namespace lockstep::key_schedule {

Transcript& Transcript::operator=(Transcript&& other) noexcept {
  if (this != &other) {
    clear();
    take(other);
  }
  return *this;
}

bool Transcript::start(const Hash& hash) noexcept {
  clear();
  if (!hash.init(context_.data())) return false;
  hash_ = &hash;
  return true;
}

void Transcript::clear() noexcept {
  if (hash_ == nullptr) return;
  hash_->destroy(context_.data());
  hash_ = nullptr;
}

void Transcript::update(Bytes message) noexcept { hash_->update(context_.data(), message); }

std::optional<Digest> Transcript::digest() const noexcept {
  Digest digest(hash_->digest_size);
  if (!hash_->digest(context_.data(), digest.writable())) return std::nullopt;
  return digest;
}

bool Transcript::replace_with_message_hash() noexcept {
  const std::optional<Digest> client_hello = digest();
  return client_hello && start_with_message_hash(*hash_, client_hello->view());
}

bool Transcript::start_with_message_hash(const Hash& hash, Bytes client_hello_digest) noexcept {
  // RFC 9846 4.1: "the value of ClientHello1 is replaced with a special synthetic handshake message of handshake type
  // "message_hash" (254) containing Hash(ClientHello1)".
  if (!start(hash)) return false;
  const std::array<std::uint8_t, 4> header = {static_cast<std::uint8_t>(HandshakeType::message_hash), 0, 0,
                                              static_cast<std::uint8_t>(client_hello_digest.size())};
  update(header);
  update(client_hello_digest);
  return true;
}

void Transcript::take(Transcript& other) noexcept {
  if (other.hash_ == nullptr) return;
  std::memcpy(context_.data(), other.context_.data(), other.hash_->context_size);
  hash_ = other.hash_;
  // The old context is dead: it must be wiped and not destroyed.
  wipe({reinterpret_cast<std::uint8_t*>(other.context_.data()), hash_->context_size});
  other.hash_ = nullptr;
}

std::optional<Digest> digest_of(const Hash& hash, std::initializer_list<Bytes> segments) noexcept {
  Transcript transcript;
  if (!transcript.start(hash)) return std::nullopt;
  for (const Bytes segment : segments) transcript.update(segment);
  return transcript.digest();
}

}  // namespace lockstep::key_schedule
