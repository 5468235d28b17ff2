#pragma once
// The key of one direction of CBC with HMAC (RFC 5246 6.2.3.2), which Protection holds in the place of an AEAD's: a
// block of its own, because a cipher, a MAC key and a context do not fit inline, and whoever asks for CBC pays for it.

#include <array>
#include <cstddef>
#include <memory>

#include <lockstep/bytes.hpp>
#include <lockstep/jobs.hpp>
#include <lockstep/provider.hpp>

namespace lockstep::record {

class CbcKey {
 public:
  /// Null when memory or the provider failed.
  [[nodiscard]] static std::unique_ptr<CbcKey> make(const CbcCipher& cipher, const RecordMac& mac, Bytes key,
                                                    Bytes mac_key, bool encrypt_then_mac) noexcept;
  CbcKey(const CbcKey&) = delete;
  CbcKey& operator=(const CbcKey&) = delete;
  ~CbcKey();

  /// The descriptor under which Protection holds a key: its `seal` seals a record, whose additional data is that of TLS
  /// 1.2 and whose destination has an IV's size of room before it; its `tag_size` is the most that follows a content.
  [[nodiscard]] static const Aead& descriptor(const RecordMac& mac) noexcept;
  /// Into the storage of such a context, and out of it.
  static void hold(void* context, std::unique_ptr<CbcKey> key) noexcept;
  [[nodiscard]] static CbcKey& held(const void* context) noexcept;

  [[nodiscard]] bool encrypt_then_mac() const noexcept { return encrypt_then_mac_; }
  [[nodiscard]] std::size_t mac_size() const noexcept { return mac_.size; }
  /// What follows a content of that size: MAC and padding, as little as there can be.
  [[nodiscard]] std::size_t trailer_size(std::size_t content_size) const noexcept;

  [[nodiscard]] bool seal(const SealJob& job) noexcept;

  enum class Opened : std::uint8_t { yes, no, failed };
  /// Opens IV, blocks and MAC in place, whose sizes can be right. `content` is then what they held. Whatever is wrong
  /// with padding or MAC takes the same time.
  [[nodiscard]] Opened open(Bytes additional_data, MutableBytes fragment, MutableBytes& content) noexcept;

 private:
  CbcKey(const CbcCipher& cipher, const RecordMac& mac, Bytes mac_key, bool encrypt_then_mac) noexcept
      : cipher_(cipher), mac_(mac), mac_key_(mac_key), encrypt_then_mac_(encrypt_then_mac) {}
  [[nodiscard]] bool write_iv(Bytes sequence, MutableBytes out) noexcept;
  [[nodiscard]] Opened open_encrypted_then_mac(Bytes additional_data, MutableBytes fragment,
                                               MutableBytes& content) noexcept;
  [[nodiscard]] Opened open_mac_then_encrypted(Bytes additional_data, MutableBytes fragment,
                                               MutableBytes& content) noexcept;

  alignas(16) std::array<std::byte, kMaxCbcContextSize> context_;
  const CbcCipher& cipher_;
  const RecordMac& mac_;
  Secret<kMaxRecordMacSize> mac_key_;
  bool encrypt_then_mac_;
  bool prepared_ = false;  // the context
};

}  // namespace lockstep::record
