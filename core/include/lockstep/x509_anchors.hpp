#pragma once
// Trust anchors: the certificates that chains must end at (RFC 5280 6.1.1 (d)).

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/x509_certificate.hpp>

namespace lockstep::x509 {

/// One object of a PEM text that could not be used.
struct BadAnchor {
  std::size_t line;  ///< of its BEGIN line, from 1
  std::string text;  ///< what is wrong with it
};

struct AddedAnchors {
  std::size_t added = 0;
  std::size_t duplicates = 0;
  std::vector<BadAnchor> bad;  ///< at most kMaxReported; bad_count has them all
  std::size_t bad_count = 0;
  static constexpr std::size_t kMaxReported = 16;
};

/// A public key that is met often, as those verifiers of a provider have prepared it that gain by that
/// (SignatureVerifier::prepare): what it has signed is then verified in less time, by a fourteenth to a half. Made in
/// up to a tenth of a millisecond, of some KB; safe to use from several threads.
class PreparedKeys {
 public:
  /// `certificate` holds the key. Throws std::bad_alloc.
  LOCKSTEP_API PreparedKeys(const Provider& provider, const Certificate& certificate);

  /// DER (RFC 5280 4.1.2.7).
  [[nodiscard]] Bytes subject_public_key_info() const noexcept { return subject_public_key_info_; }
  /// As this verifier has prepared it; null when it did not.
  [[nodiscard]] LOCKSTEP_API std::shared_ptr<const PreparedKey> find(const SignatureVerifier& verifier) const noexcept;

 private:
  struct Prepared {
    const SignatureVerifier* verifier;
    std::shared_ptr<const PreparedKey> key;
  };
  std::vector<std::uint8_t> subject_public_key_info_;
  std::vector<Prepared> prepared_;
};

/// The certificates that chains must end at. Owns the DER bytes; views into it live until it is destroyed, through
/// additions and moves. Const use is safe from several threads.
class TrustAnchors {
 public:
  TrustAnchors() = default;
  TrustAnchors(TrustAnchors&&) noexcept = default;
  TrustAnchors& operator=(TrustAnchors&&) noexcept = default;
  TrustAnchors(const TrustAnchors&) = delete;
  TrustAnchors& operator=(const TrustAnchors&) = delete;
  ~TrustAnchors() = default;

  /// Adds one certificate; the bytes are copied. False when it was there already.
  LOCKSTEP_API std::expected<bool, ParseError> add(Bytes der);
  /// Adds every CERTIFICATE of a PEM text; other objects and unusable certificates are reported, not fatal.
  LOCKSTEP_API AddedAnchors add_pem(std::string_view text);

  /// Makes the keys of the anchors that are there ready to verify with (PreparedKeys): for authorities that issue many
  /// of the certificates which are met. Not while another thread uses the anchors. Throws std::bad_alloc.
  LOCKSTEP_API void prepare(const Provider& provider);
  /// The key of an anchor as a verifier prepared it; null when it did not.
  [[nodiscard]] LOCKSTEP_API const PreparedKey* prepared(std::size_t index,
                                                         const SignatureVerifier& verifier) const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] const Certificate& operator[](std::size_t index) const noexcept { return entries_[index].certificate; }
  /// Whether this very certificate is an anchor.
  [[nodiscard]] LOCKSTEP_API bool contains(const Certificate& certificate) const noexcept;
  /// The anchors of this subject, from `start` on: an index, or size() when there is no more.
  [[nodiscard]] LOCKSTEP_API std::size_t find(const DistinguishedName& subject, std::size_t start = 0) const noexcept;

 private:
  struct Entry {
    std::uint64_t subject_hash;
    std::vector<std::uint8_t> der;
    Certificate certificate;
    std::optional<PreparedKeys> prepared{};
  };
  std::vector<Entry> entries_;
};

}  // namespace lockstep::x509
