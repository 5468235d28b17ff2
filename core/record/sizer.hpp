#pragma once
// Dynamic record sizing: small records while a connection warms up, full ones once it streams.

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <lockstep/time.hpp>

#include "record/limits.hpp"

namespace lockstep::record {

/// A receiver can use a record only when all of it is there, so the first records of a burst should fit one TCP
/// segment each; a long transfer is cheaper in full records.
class RecordSizer {
 public:
  /// Content of a record that fits a TCP segment: 1500 bytes of Ethernet less 40 for IPv6, 20 for TCP, 10 for its
  /// timestamps and 61 for the record's own overhead at its largest. The value of Cloudflare's dynamic TLS records.
  static constexpr std::size_t kSegment = 1369;
  /// Bytes after which records grow to full size, as in Go's crypto/tls (recordSizeBoostThreshold).
  static constexpr std::size_t kGrowAfter = std::size_t{128} * 1024;
  /// Silence after which TCP's congestion window may have shrunk (RFC 2861) and records start small again.
  static constexpr std::chrono::milliseconds kIdle{1000};

  /// The largest fragment for content that is sent at `now`; at most `max_fragment`.
  [[nodiscard]] std::size_t fragment_size(Time now, std::size_t max_fragment = kMaxPlaintext) const noexcept;
  /// Tells what was sent.
  void sent(std::size_t bytes, Time now) noexcept;

 private:
  std::size_t burst_ = 0;  // bytes since the last silence, up to kGrowAfter
  Time last_{};
};

}  // namespace lockstep::record
