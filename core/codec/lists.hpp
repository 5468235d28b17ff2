#pragma once
// Vectors of elements as ranges over the original bytes: checked once when decoded, read again when iterated, never
// copied.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

#include "codec/limits.hpp"
#include "codec/reader.hpp"

namespace lockstep::codec {

/// A range of code points, each as wide as its type: `NamedGroup named_group_list<2..2^16-1>`. Unknown numbers and
/// GREASE are in it as sent.
template <class CodePoint>
class CodePoints {
 public:
  class Iterator {
   public:
    using value_type = CodePoint;
    using difference_type = std::ptrdiff_t;

    Iterator() noexcept = default;
    explicit Iterator(const std::uint8_t* place) noexcept : place_(place) {}
    CodePoint operator*() const noexcept {
      return Reader(Bytes(place_, sizeof(CodePoint))).template code_point<CodePoint>();
    }
    Iterator& operator++() noexcept {
      place_ += sizeof(CodePoint);
      return *this;
    }
    Iterator operator++(int) noexcept { return Iterator(std::exchange(place_, place_ + sizeof(CodePoint))); }
    friend bool operator==(Iterator, Iterator) = default;

   private:
    const std::uint8_t* place_ = nullptr;
  };

  CodePoints() noexcept = default;
  /// `raw` holds whole code points; read_code_points() sees to that.
  explicit CodePoints(Bytes raw) noexcept : raw_(raw) {}

  [[nodiscard]] Iterator begin() const noexcept { return Iterator(raw_.data()); }
  [[nodiscard]] Iterator end() const noexcept { return Iterator(raw_.data() + raw_.size()); }
  [[nodiscard]] std::size_t size() const noexcept { return raw_.size() / sizeof(CodePoint); }
  [[nodiscard]] bool empty() const noexcept { return raw_.empty(); }
  [[nodiscard]] bool contains(CodePoint value) const noexcept { return std::ranges::find(*this, value) != end(); }
  /// The bytes as sent, without the length.
  [[nodiscard]] Bytes raw() const noexcept { return raw_; }

 private:
  Bytes raw_;
};

/// The code points of a vector's contents: `read_code_points<NamedGroup>(reader, reader.vector16(2))`. Fails with
/// vector_length when the last one is cut, with too_many_entries beyond kMaxCodePoints.
template <class CodePoint>
CodePoints<CodePoint> read_code_points(Reader& reader, Bytes contents) noexcept {
  if (contents.size() / sizeof(CodePoint) > kMaxCodePoints) {
    reader.fail(Reason::too_many_entries);
    return {};
  }
  if (contents.size() % sizeof(CodePoint) != 0) {
    reader.fail(Reason::vector_length);
    return {};
  }
  return CodePoints<CodePoint>(contents);
}

/// A range of elements of varying size. `Format::read(Reader&)` reads one; `Format::max_count` may be in a list.
template <class Format>
class List {
 public:
  using Element = decltype(Format::read(std::declval<Reader&>()));

  class Iterator {
   public:
    using value_type = Element;
    using difference_type = std::ptrdiff_t;

    Iterator() noexcept : Iterator(Bytes{}) {}
    explicit Iterator(Bytes rest) noexcept : reader_(rest), more_(!rest.empty()) { advance(); }
    Element operator*() const noexcept { return element_; }
    const Element* operator->() const noexcept { return &element_; }
    Iterator& operator++() noexcept {
      more_ = !reader_.empty();
      advance();
      return *this;
    }
    void operator++(int) noexcept { ++*this; }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t) noexcept { return !iterator.more_; }

   private:
    void advance() noexcept {
      if (more_) element_ = Format::read(reader_);
    }

    Reader reader_;
    bool more_;
    Element element_{};
  };

  List() noexcept = default;
  /// `raw` holds whole elements; read_list() sees to that.
  explicit List(Bytes raw) noexcept : raw_(raw) {}

  [[nodiscard]] Iterator begin() const noexcept { return Iterator(raw_); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }
  [[nodiscard]] bool empty() const noexcept { return raw_.empty(); }
  /// Counts by walking.
  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t count = 0;
    for (auto iterator = begin(); iterator != end(); ++iterator) ++count;
    return count;
  }
  /// The bytes as sent, without the length.
  [[nodiscard]] Bytes raw() const noexcept { return raw_; }

 private:
  Bytes raw_;
};

/// The elements of a vector's contents, each checked for its form: `read_list<KeyShareEntry>(reader,
/// reader.vector16())`. A malformed element fails the outer reader with the inner reason, and too many of them with
/// too_many_entries.
template <class Format>
List<Format> read_list(Reader& reader, Bytes contents) noexcept {
  Reader elements(contents);
  std::size_t count = 0;
  while (elements.ok() && !elements.empty()) {
    if (++count > Format::max_count) {
      elements.fail(Reason::too_many_entries);
    } else {
      static_cast<void>(Format::read(elements));
    }
  }
  if (!elements.ok()) {
    reader.fail(elements.failure());
    return {};
  }
  return List<Format>(contents);
}

/// ProtocolName protocol_name_list<2..2^16-1> (RFC 7301 3.1). Elements are Bytes.
struct ProtocolName {
  static constexpr std::size_t max_count = kMaxProtocolNames;
  static Bytes read(Reader& reader) noexcept { return reader.vector8(1); }
};
using ProtocolNames = List<ProtocolName>;

/// DistinguishedName authorities<3..2^16-1> (RFC 9846 4.3.4). Elements are Bytes: one DER-encoded name each, not looked
/// into.
struct DistinguishedName {
  static constexpr std::size_t max_count = kMaxAuthorities;
  static Bytes read(Reader& reader) noexcept { return reader.vector16(1); }
};
using DistinguishedNames = List<DistinguishedName>;

/// KeyShareEntry (RFC 9846 4.3.8).
struct KeyShareEntry {
  static constexpr std::size_t max_count = kMaxKeyShares;
  NamedGroup group{};
  Bytes key_exchange;

  static KeyShareEntry read(Reader& reader) noexcept {
    const auto group = reader.code_point<NamedGroup>();
    return {group, reader.vector16(1)};
  }
};
using KeyShares = List<KeyShareEntry>;

/// PskIdentity (RFC 9846 4.3.11).
struct PskIdentity {
  static constexpr std::size_t max_count = kMaxPskIdentities;
  Bytes identity;
  std::uint32_t obfuscated_ticket_age = 0;

  static PskIdentity read(Reader& reader) noexcept {
    const Bytes identity = reader.vector16(1);
    return {identity, reader.u32()};
  }
};
using PskIdentities = List<PskIdentity>;

/// PskBinderEntry (RFC 9846 4.3.11). Elements are Bytes.
struct PskBinderEntry {
  static constexpr std::size_t max_count = kMaxPskIdentities;
  static Bytes read(Reader& reader) noexcept { return reader.vector8(32); }
};
using PskBinders = List<PskBinderEntry>;

/// OIDFilter (RFC 9846 4.3.5).
struct OidFilter {
  static constexpr std::size_t max_count = kMaxOidFilters;
  Bytes certificate_extension_oid;
  Bytes certificate_extension_values;

  static OidFilter read(Reader& reader) noexcept {
    const Bytes oid = reader.vector8(1);
    return {oid, reader.vector16()};
  }
};
using OidFilters = List<OidFilter>;

/// A set of any 16-bit code points, as large as all of them: 8 KiB.
class CodePointSet {
 public:
  /// False when it was in the set before.
  bool insert(std::uint16_t value) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << (value % 64U);
    std::uint64_t& word = words_[value / 64U];
    if ((word & bit) != 0) return false;
    word |= bit;
    return true;
  }
  [[nodiscard]] bool contains(std::uint16_t value) const noexcept {
    return (words_[value / 64U] >> (value % 64U) & 1U) != 0;
  }

 private:
  std::array<std::uint64_t, 1024> words_{};
};

/// A code point that occurs twice in a range, `code_of` each element. Linear in the size of the range, whatever a peer
/// sends.
template <class Range, class Projection>
[[nodiscard]] std::optional<std::uint16_t> find_duplicate(const Range& range, Projection code_of) noexcept {
  // A handful is compared with each other; more than any honest peer sends goes through the large set.
  std::array<std::uint16_t, 32> few{};
  std::size_t count = 0;
  for (const auto& element : range) {
    if (count == few.size()) break;
    const auto code = static_cast<std::uint16_t>(code_of(element));
    const std::span<const std::uint16_t> seen = std::span(few).first(count);
    if (std::ranges::find(seen, code) != seen.end()) return code;
    few[count++] = code;
  }
  if (count < few.size()) return std::nullopt;
  CodePointSet all;
  for (const auto& element : range) {
    const auto code = static_cast<std::uint16_t>(code_of(element));
    if (!all.insert(code)) return code;
  }
  return std::nullopt;
}

}  // namespace lockstep::codec
