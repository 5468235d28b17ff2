#pragma once
// Records of TLS 1.3 (RFC 9846 5.2): the content's type follows it, padding follows the type, and the header says
// application_data whatever there is.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>
#include <lockstep/padding.hpp>
#include <lockstep/types.hpp>

#include "record/framing.hpp"
#include "record/limits.hpp"
#include "record/opener.hpp"
#include "record/protection.hpp"

namespace lockstep::record {

/// The size of the content with its type, without the zeros that follow; 0 when there are only zeros.
[[nodiscard]] inline std::size_t without_padding(Bytes inner) noexcept {
  // RFC 9846 5.4: "Implementations MUST limit their scanning to the cleartext returned from the AEAD decryption."
  std::size_t size = inner.size();
  // By words, so that long padding costs little.
  for (std::uint64_t word = 0; size >= sizeof word; size -= sizeof word) {
    std::memcpy(&word, inner.data() + size - sizeof word, sizeof word);
    if (word != 0) break;
  }
  while (size > 0 && inner[size - 1] == 0) --size;
  return size;
}

class Tls13Records {
 public:
  // --- sealing: one object for the records of a batch ---

  static constexpr bool kPads = true;
  static constexpr std::size_t kInnerTypeSize = record::kInnerTypeSize;

  Tls13Records(const Protection& protection, ContentType type) noexcept
      : tag_size_(protection.aead().tag_size), inner_type_(static_cast<std::uint8_t>(type)) {}

  /// Before and behind the content of a record.
  [[nodiscard]] static constexpr std::size_t headroom() noexcept { return kHeaderSize; }
  [[nodiscard]] std::size_t trailer_size(std::size_t /*content_size*/, std::size_t padding) const noexcept {
    return kInnerTypeSize + padding + tag_size_;
  }
  /// Both, at most, without padding.
  [[nodiscard]] std::size_t overhead() const noexcept { return headroom() + trailer_size(0, 0); }

  /// Writes what a record has before its content. `ahead`: records of the batch before it.
  void begin(MutableBytes record, std::size_t content_size, std::size_t padding, std::size_t /*ahead*/) const noexcept {
    write_header(ContentType::application_data, ProtocolVersion::tls_1_2,
                 content_size + trailer_size(content_size, padding), record.first<kHeaderSize>());
  }
  /// What is authenticated beside the plaintext.
  [[nodiscard]] static Bytes additional_data(Bytes record, std::size_t /*content_size*/,
                                             std::size_t /*ahead*/) noexcept {
    // RFC 9846 5.2: the additional data is the record header.
    return record.first(kHeaderSize);
  }

  /// What follows the content in the plaintext, as the job's tail; before that as one more piece.
  [[nodiscard]] Bytes end(auto& pieces, std::size_t padding) const noexcept {
    // The type follows the content; behind padded content it is one more piece, and the tail is the padding.
    Bytes tail{&inner_type_, 1};
    if (padding > 0) {
      pieces.add(tail);
      tail = Bytes(kZeros).first(padding);
    }
    return tail;
  }
  /// The same in place, where `inner` is content, type and padding.
  void end_in_place(MutableBytes inner, std::size_t content_size) const noexcept {
    inner[content_size] = inner_type_;
    const MutableBytes padding = inner.subspan(content_size + kInnerTypeSize);
    if (!padding.empty()) std::memset(padding.data(), 0, padding.size());
  }

  // --- opening ---

  /// Why a record of this type is not opened.
  [[nodiscard]] static Reason judge_header(Bytes record) noexcept {
    return record[0] == static_cast<std::uint8_t>(ContentType::application_data) ? Reason::none
                                                                                 : Reason::record_unprotected;
  }
  /// What a record is opened with.
  class Opening {
   public:
    Opening(const Protection& protection, Bytes record) noexcept : protection_(protection), record_(record) {}
    /// What stands before the ciphertext.
    [[nodiscard]] static constexpr std::size_t headroom() noexcept { return kHeaderSize; }
    [[nodiscard]] Bytes additional_data(std::size_t /*content_size*/) const noexcept {
      return record_.first(kHeaderSize);
    }
    [[nodiscard]] Nonce nonce() const noexcept { return protection_.nonce(); }

   private:
    const Protection& protection_;
    Bytes record_;
  };
  /// The content of what was decrypted, or why it is refused and has been wiped.
  [[nodiscard]] static std::expected<Content, Reason> content(Bytes record, MutableBytes inner,
                                                              std::size_t limit) noexcept;

 private:
  /// What padding is taken from.
  /// RFC 9846 5.4: "Implementations MUST set the padding octets to all zeros before encrypting."
  static constexpr std::array<std::uint8_t, kMaxPlaintext> kZeros{};

  std::size_t tag_size_;
  std::uint8_t inner_type_;
};

inline std::expected<Content, Reason> Tls13Records::content(Bytes /*record*/, MutableBytes inner,
                                                            std::size_t limit) noexcept {
  // RFC 9846 5.4: "The presence of padding does not change the overall record size limitations: the full encoded
  // TLSInnerPlaintext MUST NOT exceed 2^14 + 1 octets."
  if (inner.size() > limit) return refuse(inner, Reason::record_too_long);
  // RFC 9846 5.4: "the receiving implementation scans the field from the end toward the beginning until it finds a
  // non-zero octet. This non-zero octet is the content type of the message."
  const std::size_t size = without_padding(inner);
  // RFC 9846 5.4: "If a receiving implementation does not find a non-zero octet in the cleartext, it MUST terminate the
  // connection with an "unexpected_message" alert."
  if (size == 0) return refuse(inner, Reason::record_all_padding);

  const Content content{.type = static_cast<ContentType>(inner[size - 1]), .content = inner.first(size - 1)};
  if (const Reason reason = judge_content(content.type, content.content.size()); reason != Reason::none)
    return refuse(inner, reason);
  return content;
}

}  // namespace lockstep::record
