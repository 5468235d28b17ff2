#include "record/sealer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "record/format12.hpp"
#include "record/format13.hpp"
#include "record/framing.hpp"

namespace lockstep::record {

namespace {

/// A later record of one call is not cut shorter than this just because the room ends.
constexpr std::size_t kMinCut = 1024;

/// An array whose elements are made as they are needed, because making all of them would cost as much as sealing a
/// small record.
template <class T, std::size_t N>
class Slots {
 public:
  Slots() noexcept {}  // NOLINT(modernize-use-equals-default): the union stays unmade
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;
  ~Slots() { clear(); }
  T& add(const T& value) noexcept
    requires std::is_copy_constructible_v<T>
  {
    return *std::construct_at(&items_[size_++], value);
  }
  /// Adds what `make` returns, in its place.
  T& add_made(auto make) noexcept { return *::new (static_cast<void*>(&items_[size_++])) T(make()); }
  void clear() noexcept {
    std::destroy_n(items_, size_);
    size_ = 0;
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool full() const noexcept { return size_ == N; }
  [[nodiscard]] std::span<const T> view(std::size_t from = 0) const noexcept { return {items_ + from, size_ - from}; }

 private:
  union {
    T items_[N];
  };
  std::size_t size_ = 0;
};

/// Walks over the caller's segments.
class Cursor {
 public:
  Cursor(std::span<const Bytes> segments, std::size_t limit) noexcept : segments_(segments) {
    for (const Bytes segment : segments) remaining_ += segment.size();
    remaining_ = std::min(remaining_, limit);
  }
  [[nodiscard]] std::size_t remaining() const noexcept { return remaining_; }

  /// The next piece of one segment, at most `limit` bytes. Not empty while bytes remain.
  Bytes take(std::size_t limit) noexcept {
    while (offset_ == segments_[index_].size()) {
      ++index_;
      offset_ = 0;
    }
    const Bytes rest = segments_[index_].subspan(offset_);
    const Bytes piece = rest.first(std::min(limit, rest.size()));
    offset_ += piece.size();
    remaining_ -= piece.size();
    return piece;
  }

 private:
  std::span<const Bytes> segments_;
  std::size_t index_ = 0;
  std::size_t offset_ = 0;
  std::size_t remaining_ = 0;
};

}  // namespace

bool Sealer::install(const Aead& aead, Bytes key, Bytes iv, RecordFormat format) noexcept {
  bytes_ = 0;
  record_limit_ = confidentiality_limit(aead.id);
  return protection_.install(aead, key, iv, format);
}

bool Sealer::install(const CbcCipher& cipher, const RecordMac& mac, Bytes key, Bytes mac_key,
                     bool encrypt_then_mac) noexcept {
  bytes_ = 0;
  record_limit_ = kCbcConfidentialityLimit;
  return protection_.install(cipher, mac, key, mac_key, encrypt_then_mac);
}

template <class Records>
std::expected<SealedRecords, Reason> Sealer::seal_as(Sealer& self, ContentType type, std::span<const Bytes> segments,
                                                     const Cut& cut, MutableBytes out) noexcept {
  Protection& protection = self.protection_;
  Records records(protection, type);
  const std::size_t around = records.overhead();
  const std::size_t limit = std::min(cut.max_fragment, kMaxPlaintext);
  Cursor cursor(segments, cut.max_content);
  SealedRecords done;

  Slots<Bytes, kMaxSealSegments> pieces;
  Slots<Nonce, kMaxSealBatch> nonces;
  Slots<SealJob, kMaxSealBatch> jobs;
  const StackSlot slot(protection);
  bool more = cursor.remaining() > 0;
  while (more) {
    // RFC 9846 5.5: "Implementations MUST either close the connection or do a key update as described in Section 4.7.3
    // prior to reaching these limits. Note that it is not possible to perform a KeyUpdate for early data; therefore,
    // implementations MUST NOT exceed the limits when sending early data."
    if (protection.sequence() == self.record_limit_) {
      if (done.written > 0) break;
      return std::unexpected(Reason::record_limit);
    }
    const SealedRecords before = done;
    pieces.clear();
    nonces.clear();
    jobs.clear();
    const std::size_t batch = std::min<std::uint64_t>(kMaxSealBatch, self.record_limit_ - protection.sequence());
    // The last slot of `pieces` is for the content type of a padded record.
    while (jobs.size() < batch && pieces.size() + 1 < kMaxSealSegments) {
      const MutableBytes place = out.subspan(done.written);
      const std::size_t wish = std::min(limit, cursor.remaining());
      const std::size_t room = place.size() > around ? place.size() - around : 0;
      more = wish > 0 && room > 0 && (room >= wish || room >= kMinCut || done.written == 0);
      if (!more) break;

      const std::size_t first_piece = pieces.size();
      std::size_t size = 0;
      while (size < std::min(wish, room) && pieces.size() + 1 < kMaxSealSegments) {
        size += pieces.add(cursor.take(std::min(wish, room) - size)).size();
      }
      // When there is no room for the padding that the policy wants, the room is the largest fragment, so that a
      // record's length never tells more than the policy allows.
      const std::size_t padding = Records::kPads ? cut.padding.padding_for(size, std::min(limit, room)) : 0;
      const Bytes tail = records.end(pieces, padding);
      records.begin(place, size, padding, jobs.size());
      jobs.add({.nonce = nonces.add_made([&] { return protection.nonce(jobs.size()); }).view().data(),
                .aad = records.additional_data(place, size, jobs.size()),
                .source = pieces.view(first_piece),
                .tail = tail,
                .destination = place.data() + records.headroom()});
      done.consumed += size;
      done.written += records.headroom() + size + records.trailer_size(size, padding);
    }
    if (jobs.size() == 0) break;
    void* const context = protection.context();
    if (context == nullptr || !protection.aead().seal(context, jobs.view())) {
      // What is sealed goes out: the records behind it count on it.
      if (before.written == 0) return std::unexpected(Reason::provider_failed);
      done = before;
      break;
    }
    protection.advance(jobs.size());
  }
  self.bytes_ += done.consumed;
  return done;
}

template <class Records>
std::expected<std::size_t, Reason> Sealer::seal_in_place_as(Sealer& self, ContentType type, MutableBytes slot,
                                                            std::size_t content_size, std::size_t padding) noexcept {
  Protection& protection = self.protection_;
  if (protection.sequence() == self.record_limit_) return std::unexpected(Reason::record_limit);
  if constexpr (!Records::kPads) padding = 0;
  if (content_size > kMaxPlaintext || padding > kMaxPlaintext - content_size) return 0;
  Records records(protection, type);
  const std::size_t size = records.headroom() + content_size + records.trailer_size(content_size, padding);
  if (slot.size() < size) return 0;

  records.begin(slot, content_size, padding, 0);
  const MutableBytes inner = slot.subspan(records.headroom(), content_size + Records::kInnerTypeSize + padding);
  records.end_in_place(inner, content_size);

  const Nonce nonce = protection.nonce();
  const Bytes source = inner;
  const SealJob job{.nonce = nonce.view().data(),
                    .aad = records.additional_data(slot, content_size, 0),
                    .source = {&source, 1},
                    .tail = {},
                    .destination = inner.data()};
  const StackSlot stack(protection);
  void* const context = protection.context();
  if (context == nullptr || !protection.aead().seal(context, {&job, 1}))
    return std::unexpected(Reason::provider_failed);
  protection.advance(1);
  self.bytes_ += content_size;
  return size;
}

bool Sealer::wants_key_update(std::uint64_t byte_limit) const noexcept {
  const bool soon = (byte_limit != 0 && bytes_ >= byte_limit) || records() >= record_limit_ - record_limit_ / 8;
  return soon && format().key_update;
}

template std::expected<SealedRecords, Reason> Sealer::seal_as<Tls13Records>(Sealer&, ContentType,
                                                                            std::span<const Bytes>, const Cut&,
                                                                            MutableBytes) noexcept;
template std::expected<std::size_t, Reason> Sealer::seal_in_place_as<Tls13Records>(Sealer&, ContentType, MutableBytes,
                                                                                   std::size_t, std::size_t) noexcept;
template std::expected<SealedRecords, Reason> Sealer::seal_as<Tls12ExplicitNonceRecords>(Sealer&, ContentType,
                                                                                         std::span<const Bytes>,
                                                                                         const Cut&,
                                                                                         MutableBytes) noexcept;
template std::expected<std::size_t, Reason> Sealer::seal_in_place_as<Tls12ExplicitNonceRecords>(Sealer&, ContentType,
                                                                                                MutableBytes,
                                                                                                std::size_t,
                                                                                                std::size_t) noexcept;
template std::expected<SealedRecords, Reason> Sealer::seal_as<Tls12ImplicitNonceRecords>(Sealer&, ContentType,
                                                                                         std::span<const Bytes>,
                                                                                         const Cut&,
                                                                                         MutableBytes) noexcept;
template std::expected<std::size_t, Reason> Sealer::seal_in_place_as<Tls12ImplicitNonceRecords>(Sealer&, ContentType,
                                                                                                MutableBytes,
                                                                                                std::size_t,
                                                                                                std::size_t) noexcept;
template std::expected<SealedRecords, Reason> Sealer::seal_as<Tls12CbcRecords>(Sealer&, ContentType,
                                                                               std::span<const Bytes>, const Cut&,
                                                                               MutableBytes) noexcept;
template std::expected<std::size_t, Reason> Sealer::seal_in_place_as<Tls12CbcRecords>(Sealer&, ContentType,
                                                                                      MutableBytes, std::size_t,
                                                                                      std::size_t) noexcept;

}  // namespace lockstep::record
