#pragma once
// Records of TLS 1.2 with an AEAD (RFC 5246 6.2.3.3): the type stands in the header, and the sequence number is
// authenticated beside it. Two forms of nonce: with an explicit part in every record (AES-GCM, RFC 5288 3; AES-CCM, RFC
// 6655 3), and with none (ChaCha20-Poly1305, RFC 7905 2).

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>
#include <lockstep/types.hpp>

#include "record/cbc.hpp"
#include "record/framing.hpp"
#include "record/limits.hpp"
#include "record/opener.hpp"
#include "record/protection.hpp"
#include "record/sealer.hpp"

namespace lockstep::record {

/// RFC 5246 6.2.3.3: "additional_data = seq_num + TLSCompressed.type + TLSCompressed.version + TLSCompressed.length;"
using AdditionalData12 = std::array<std::uint8_t, kSequenceSize + kHeaderSize>;

[[nodiscard]] inline AdditionalData12 additional_data12(std::uint64_t sequence, ContentType type,
                                                        std::size_t content_size,
                                                        ProtocolVersion version = ProtocolVersion::tls_1_2) noexcept {
  AdditionalData12 data;
  const MutableBytes bytes(data);
  write_sequence(sequence, bytes.first<kSequenceSize>());
  write_header(type, version, content_size, bytes.subspan<kSequenceSize, kHeaderSize>());
  return data;
}

/// That of a record that has come, whatever version it says that it is of: the peer has authenticated that one.
[[nodiscard]] inline AdditionalData12 additional_data12(std::uint64_t sequence, Bytes record,
                                                        std::size_t content_size) noexcept {
  AdditionalData12 data;
  const MutableBytes bytes(data);
  write_sequence(sequence, bytes.first<kSequenceSize>());
  rewrite_header(record.first<kHeaderSize>(), content_size, bytes.subspan<kSequenceSize, kHeaderSize>());
  return data;
}

/// change_cipher_spec as well may be protected, by the key before the one that it announces: whether one is due, and
/// what it says, is for the connection to judge.
[[nodiscard]] inline Reason judge_content12(ContentType type, std::size_t content_size) noexcept {
  return judge_content(type == ContentType::change_cipher_spec ? ContentType::handshake : type, content_size);
}

/// The content of what was decrypted, or why it is refused and has been wiped.
[[nodiscard]] inline std::expected<Content, Reason> content12(Bytes record, MutableBytes plaintext,
                                                              std::size_t limit) noexcept {
  // RFC 5246 6.2.1: "The length MUST NOT exceed 2^14."
  if (plaintext.size() > std::min(limit, kMaxPlaintext)) return refuse(plaintext, Reason::record_too_long);
  const auto type = static_cast<ContentType>(record[0]);
  // RFC 5246 6.2.1: "Implementations MUST NOT send zero-length fragments of Handshake, Alert, or ChangeCipherSpec
  // content types. Zero-length fragments of Application data MAY be sent as they are potentially useful as a traffic
  // analysis countermeasure."
  if (const Reason reason = judge_content12(type, plaintext.size()); reason != Reason::none)
    return refuse(plaintext, reason);
  return Content{.type = type, .content = plaintext};
}

/// Records with an explicit part of the nonce of this size, or with none.
template <std::size_t kExplicit>
class Tls12Records {
 public:
  static_assert(kExplicit == kExplicitNonceSize || kExplicit == 0);

  // --- sealing: one object for the records of a batch ---

  static constexpr bool kPads = false;
  static constexpr std::size_t kInnerTypeSize = 0;

  Tls12Records(const Protection& protection, ContentType type) noexcept : protection_(protection), type_(type) {}

  /// What stands before the ciphertext.
  [[nodiscard]] static constexpr std::size_t headroom() noexcept { return kHeaderSize + kExplicit; }
  [[nodiscard]] std::size_t trailer_size(std::size_t /*content_size*/, std::size_t /*padding*/) const noexcept {
    return protection_.aead().tag_size;
  }
  [[nodiscard]] std::size_t overhead() const noexcept { return headroom() + trailer_size(0, 0); }

  void begin(MutableBytes record, std::size_t content_size, std::size_t /*padding*/, std::size_t ahead) const noexcept {
    write_header(type_, ProtocolVersion::tls_1_2, kExplicit + content_size + trailer_size(content_size, 0),
                 record.first<kHeaderSize>());
    // RFC 5288 3: "Each value of the nonce_explicit MUST be distinct for each distinct invocation of the GCM encrypt
    // function for any fixed key. ... The nonce_explicit MAY be the 64-bit sequence number."
    if constexpr (kExplicit != 0)
      write_sequence(protection_.sequence() + ahead, record.subspan<kHeaderSize, kExplicit>());
  }
  [[nodiscard]] Bytes additional_data(Bytes /*record*/, std::size_t content_size, std::size_t ahead) noexcept {
    return additional_data_[ahead] = additional_data12(protection_.sequence() + ahead, type_, content_size);
  }

  [[nodiscard]] static Bytes end(auto& /*pieces*/, std::size_t /*padding*/) noexcept { return {}; }
  static void end_in_place(MutableBytes /*inner*/, std::size_t /*content_size*/) noexcept {}

  // --- opening ---

  /// Every type may be protected; the content is judged once it is authentic.
  [[nodiscard]] static Reason judge_header(Bytes record) noexcept {
    const auto type = static_cast<ContentType>(record[0]);
    const bool known = type >= ContentType::change_cipher_spec && type <= ContentType::application_data;
    return known ? Reason::none : Reason::record_type;
  }
  /// What a record is opened with.
  class Opening {
   public:
    Opening(const Protection& protection, Bytes record) noexcept : protection_(protection), record_(record) {}
    [[nodiscard]] static constexpr std::size_t headroom() noexcept { return kHeaderSize + kExplicit; }
    [[nodiscard]] Bytes additional_data(std::size_t content_size) noexcept {
      return additional_data_ = additional_data12(protection_.sequence(), record_, content_size);
    }
    [[nodiscard]] Nonce nonce() const noexcept {
      // RFC 5288 3: "It is chosen by the sender and is carried in each TLS record in the
      // GenericAEADCipher.nonce_explicit field." It need not be the sequence number.
      if constexpr (kExplicit != 0) return protection_.salted(record_.subspan<kHeaderSize, kExplicit>());
      return protection_.nonce();
    }

   private:
    const Protection& protection_;
    Bytes record_;
    AdditionalData12 additional_data_;
  };
  [[nodiscard]] static std::expected<Content, Reason> content(Bytes record, MutableBytes plaintext,
                                                              std::size_t limit) noexcept {
    return content12(record, plaintext, limit);
  }

 private:
  const Protection& protection_;
  ContentType type_;
  std::array<AdditionalData12, kMaxSealBatch> additional_data_;  // of the batch, as far as it has come
};

using Tls12ExplicitNonceRecords = Tls12Records<kExplicitNonceSize>;
using Tls12ImplicitNonceRecords = Tls12Records<0>;

/// Records with CBC and HMAC (RFC 5246 6.2.3.2, RFC 7366): an IV before the content; MAC and padding behind it, in one
/// order or the other. CbcKey writes them, and has no nonce.
class Tls12CbcRecords {
 public:
  static constexpr bool kPads = false;
  static constexpr std::size_t kInnerTypeSize = 0;

  Tls12CbcRecords(Protection& protection, ContentType type) noexcept
      : protection_(protection), key_(CbcKey::held(protection.context())), type_(type) {}

  [[nodiscard]] static constexpr std::size_t headroom() noexcept { return kHeaderSize + kCbcBlockSize; }
  [[nodiscard]] std::size_t trailer_size(std::size_t content_size, std::size_t /*padding*/) const noexcept {
    return key_.trailer_size(content_size);
  }
  [[nodiscard]] std::size_t overhead() const noexcept { return headroom() + protection_.aead().tag_size; }

  void begin(MutableBytes record, std::size_t content_size, std::size_t /*padding*/,
             std::size_t /*ahead*/) const noexcept {
    write_header(type_, ProtocolVersion::tls_1_2, kCbcBlockSize + content_size + key_.trailer_size(content_size),
                 record.first<kHeaderSize>());
  }
  [[nodiscard]] Bytes additional_data(Bytes /*record*/, std::size_t content_size, std::size_t ahead) noexcept {
    return additional_data_[ahead] = additional_data12(protection_.sequence() + ahead, type_, content_size);
  }
  [[nodiscard]] static Bytes end(auto& /*pieces*/, std::size_t /*padding*/) noexcept { return {}; }
  static void end_in_place(MutableBytes /*inner*/, std::size_t /*content_size*/) noexcept {}

 private:
  const Protection& protection_;
  const CbcKey& key_;
  ContentType type_;
  std::array<AdditionalData12, kMaxSealBatch> additional_data_;  // of the batch, as far as it has come
};

}  // namespace lockstep::record
