#include <algorithm>
#include <utility>

#include <lockstep/certificate_compression.hpp>

namespace lockstep {

std::shared_ptr<const CompressedCertificates::Message> CompressedCertificates::find(
    CertificateCompressionAlgorithm algorithm, Bytes certificate) const noexcept {
  const auto messages = messages_.load(std::memory_order_acquire);
  if (messages == nullptr) return nullptr;
  const auto found = std::ranges::find_if(*messages, [&](const auto& message) {
    return message->algorithm == algorithm && equal(message->certificate, certificate);
  });
  return found == messages->end() ? nullptr : *found;
}

void CompressedCertificates::add(std::shared_ptr<const Message> message) {
  if (capacity_ == 0) return;
  const auto before = messages_.load(std::memory_order_acquire);
  auto after = std::make_shared<Messages>();
  if (before != nullptr) {
    const std::size_t kept = std::min(before->size(), capacity_ - 1);
    after->reserve(kept + 1);
    after->assign(before->end() - static_cast<std::ptrdiff_t>(kept), before->end());
  }
  after->push_back(std::move(message));
  messages_.store(std::move(after), std::memory_order_release);
}

}  // namespace lockstep
