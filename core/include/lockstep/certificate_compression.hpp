#pragma once
// Certificates that travel compressed (RFC 8879): what the engine asks of a compression library, and where what was
// compressed once is kept. The engine has no such library itself; lockstep::compression has zlib, brotli and zstd.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/export.hpp>
#include <lockstep/types.hpp>

namespace lockstep {

/// One compression algorithm, as a value. Both functions give the same for the same input, always, and may be called
/// from any thread.
struct CertificateCodec {
  CertificateCompressionAlgorithm algorithm{};
  /// Decompresses a peer's message into `certificate`, which is as long as the peer says that it is. False unless all
  /// of `compressed` comes to exactly so many bytes. Whoever sent it has not proved anything: no more memory is taken
  /// than a bound that does not depend on `compressed`, and no more work is done than both sizes call for. Null: the
  /// peer is not told that it may send this.
  bool (*decompress)(Bytes compressed, MutableBytes certificate) noexcept = nullptr;
  /// Compresses our own message into `compressed`: how many bytes of it were written, or 0 where they do not suffice or
  /// the library failed. Null: ours is not sent so.
  std::size_t (*compress)(Bytes certificate, MutableBytes compressed) noexcept = nullptr;
};

/// Keeps our own messages as they were compressed, for all connections of a configuration, so that each is compressed
/// once: the best levels of compression take a thousand times what a look here takes. Known by the whole message, so
/// that another certificate, another staple or another algorithm is never taken for it. Made for many threads at once:
/// nobody waits for anybody. Memory: `capacity` times both sizes of a message, as they come.
class LOCKSTEP_API CompressedCertificates {
 public:
  /// Each certificate comes with and without each of its two staples at most, for each algorithm.
  static constexpr std::size_t kDefaultCapacity = 32;

  /// Of more messages than `capacity`, the oldest is forgotten.
  explicit CompressedCertificates(std::size_t capacity = kDefaultCapacity) noexcept : capacity_(capacity) {}

  struct Message {
    CertificateCompressionAlgorithm algorithm{};
    std::vector<std::uint8_t> certificate;
    std::vector<std::uint8_t> compressed;  ///< empty: it does not become smaller
  };
  /// Null where it is not known.
  [[nodiscard]] std::shared_ptr<const Message> find(CertificateCompressionAlgorithm algorithm,
                                                    Bytes certificate) const noexcept;
  /// May be forgotten at once, when another thread is adding. Throws std::bad_alloc.
  void add(std::shared_ptr<const Message> message);

 private:
  using Messages = std::vector<std::shared_ptr<const Message>>;
  std::size_t capacity_;
  std::atomic<std::shared_ptr<const Messages>> messages_;  // the newest last; null: none
};

}  // namespace lockstep
