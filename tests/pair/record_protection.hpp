#pragma once
// Record protection outside the engine, as a kernel has it: keys in, records out, and back. For tests of offloading.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <lockstep/config.hpp>
#include <lockstep/event.hpp>
#include <lockstep/provider.hpp>

namespace lockstep::testing {

/// One direction.
class RecordProtection {
 public:
  RecordProtection() = default;
  RecordProtection(const RecordProtection&) = delete;
  RecordProtection& operator=(const RecordProtection&) = delete;
  ~RecordProtection() { clear(); }

  void install(const Aead& aead, Bytes key, Bytes iv, std::uint64_t sequence) {
    clear();
    if (!aead.init(context_.data(), key)) return;
    aead_ = &aead;
    std::ranges::copy(iv, iv_.begin());
    sequence_ = sequence;
  }
  [[nodiscard]] bool installed() const noexcept { return aead_ != nullptr; }
  [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }

  /// A whole record.
  [[nodiscard]] std::vector<std::uint8_t> seal(std::uint8_t type, Bytes content) {
    std::vector<std::uint8_t> record(5 + content.size() + 1 + aead_->tag_size);
    write_header(record);
    const auto nonce = next_nonce();
    const SealJob job{.nonce = nonce.data(),
                      .aad = Bytes(record).first(5),
                      .source = {&content, 1},
                      .tail = Bytes(&type, 1),
                      .destination = record.data() + 5};
    if (!aead_->seal(context_.data(), {&job, 1})) record.clear();
    return record;
  }
  /// The content's type and the content; nothing when it does not open.
  [[nodiscard]] std::optional<std::pair<std::uint8_t, std::vector<std::uint8_t>>> open(Bytes sealed) {
    std::vector<std::uint8_t> record(sealed.begin(), sealed.end());
    const auto nonce = next_nonce();
    OpenJob job{.nonce = nonce.data(),
                .aad = Bytes(record).first(5),
                .source = Bytes(record).subspan(5),
                .destination = record.data() + 5};
    if (!aead_->open(context_.data(), {&job, 1})) return std::nullopt;
    std::vector<std::uint8_t> inner(record.begin() + 5, record.end() - static_cast<std::ptrdiff_t>(aead_->tag_size));
    while (!inner.empty() && inner.back() == 0) inner.pop_back();
    if (inner.empty()) return std::nullopt;
    const std::uint8_t type = inner.back();
    inner.pop_back();
    return std::pair(type, std::move(inner));
  }

 private:
  void clear() {
    if (aead_ != nullptr) aead_->destroy(context_.data());
    aead_ = nullptr;
  }
  static void write_header(std::vector<std::uint8_t>& record) {
    const std::size_t length = record.size() - 5;
    record[0] = 23;
    record[1] = record[2] = 3;
    record[3] = static_cast<std::uint8_t>(length >> 8U);
    record[4] = static_cast<std::uint8_t>(length);
  }
  std::array<std::uint8_t, 12> next_nonce() {
    auto nonce = iv_;
    for (std::size_t i = 0; i < 8; ++i) nonce[11 - i] ^= static_cast<std::uint8_t>(sequence_ >> (8 * i));
    ++sequence_;
    return nonce;
  }

  alignas(64) std::array<std::byte, kMaxAeadContextSize> context_{};
  const Aead* aead_ = nullptr;
  std::array<std::uint8_t, 12> iv_{};
  std::uint64_t sequence_ = 0;
};

}  // namespace lockstep::testing
