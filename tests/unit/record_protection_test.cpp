// Opening and sealing in the formats of TLS 1.3 and TLS 1.2, with the AEADs of a real provider.

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/botan.hpp>

#include "record/framing.hpp"
#include "record/opener.hpp"
#include "record/sealer.hpp"

namespace lockstep::record {
namespace {

using Octets = std::vector<std::uint8_t>;

const Provider& provider() {
  static const Provider botan = botan::provider();
  return botan;
}

Octets ramp(std::size_t size) {
  Octets bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
  return bytes;
}

Octets octets(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

/// Bytes from hexadecimal digits; spaces are skipped.
Octets hex(std::string_view digits) {
  Octets bytes;
  bool half = false;
  for (const char digit : digits) {
    if (digit == ' ') continue;
    const auto value = static_cast<std::uint8_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    if (!half) {
      bytes.push_back(static_cast<std::uint8_t>(value << 4U));
    } else {
      bytes.back() |= value;
    }
    half = !half;
  }
  return bytes;
}

constexpr std::array<std::uint8_t, 12> kIv = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2};
constexpr std::array<std::uint8_t, 32> kKey = {1, 2, 3, 4, 5, 6, 7, 8, 9};

/// A sealer and an opener with the same key.
struct Pair {
  explicit Pair(AeadAlgorithm id = AeadAlgorithm::aes_128_gcm) : Pair(*provider().aead(id)) {}
  explicit Pair(const Aead& used, RecordFormat format = RecordFormat::tls13) : aead(used) {
    const Bytes iv = Bytes(kIv).first(format_of(format).iv_size);
    EXPECT_TRUE(sealer.install(aead, Bytes(kKey).first(aead.key_size), iv, format));
    EXPECT_TRUE(opener.install(aead, Bytes(kKey).first(aead.key_size), iv, format));
  }

  Octets seal(ContentType type, Bytes content, const Cut& cut = {}) {
    Octets out(2 * (content.size() + kMaxRecordSize));
    const std::array<Bytes, 1> segments = {content};
    const auto sealed = sealer.seal(type, segments, cut, out);
    EXPECT_TRUE(sealed && sealed->consumed == content.size());
    out.resize(sealed->written);
    return out;
  }

  /// A record around an inner plaintext that the sealer would not make.
  Octets seal_inner(Bytes inner) {
    Octets out(kHeaderSize + inner.size() + aead.tag_size);
    write_header(ContentType::application_data, ProtocolVersion::tls_1_2, out.size() - kHeaderSize,
                 MutableBytes(out).first<kHeaderSize>());
    Protection protection;
    EXPECT_TRUE(protection.install(aead, Bytes(kKey).first(aead.key_size), kIv));
    protection.advance(opener.records());
    const StackSlot slot(protection);
    const Nonce nonce = protection.nonce();
    const SealJob job{nonce.view().data(), Bytes(out).first(kHeaderSize), {&inner, 1}, {}, out.data() + kHeaderSize};
    EXPECT_TRUE(aead.seal(protection.context(), {&job, 1}));
    return out;
  }

  Reason refusal(Octets record) {
    const auto opened = opener.open(record);
    return opened ? Reason::none : opened.error();
  }

  /// Opens every record in `records` and joins the contents.
  Octets open_all(Octets records, ContentType type = ContentType::application_data) {
    Octets joined;
    MutableBytes rest(records);
    while (!rest.empty()) {
      const auto header = parse_header(rest, opener.format().stream);
      EXPECT_TRUE(header && *header && (*header)->record_size() <= rest.size());
      if (!header || !*header || (*header)->record_size() > rest.size()) break;
      const auto opened = opener.open(rest.first((*header)->record_size()));
      EXPECT_TRUE(opened);
      if (!opened) break;
      EXPECT_EQ(opened->type, type);
      joined.insert(joined.end(), opened->content.begin(), opened->content.end());
      rest = rest.subspan((*header)->record_size());
    }
    return joined;
  }

  const Aead& aead;
  Sealer sealer;
  Opener opener;
};

class EveryAead : public testing::TestWithParam<AeadAlgorithm> {};
INSTANTIATE_TEST_SUITE_P(Record, EveryAead,
                         testing::Values(AeadAlgorithm::aes_128_gcm, AeadAlgorithm::aes_256_gcm,
                                         AeadAlgorithm::chacha20_poly1305, AeadAlgorithm::aes_128_ccm,
                                         AeadAlgorithm::aes_128_ccm_8, AeadAlgorithm::aes_256_ccm,
                                         AeadAlgorithm::aes_256_ccm_8),
                         [](const auto& tested) {
                           std::string text(name(tested.param));
                           std::ranges::replace(text, '-', '_');
                           return text;
                         });

TEST_P(EveryAead, OpensWhatItSealed) {
  Pair pair(GetParam());
  for (const std::size_t size : {1U, 2U, 15U, 16U, 17U, 1000U, 16383U, 16384U, 16385U, 40000U}) {
    const Octets content = ramp(size);
    EXPECT_EQ(pair.open_all(pair.seal(ContentType::application_data, content)), content) << size;
  }
  EXPECT_EQ(pair.sealer.records(), pair.opener.records());
  EXPECT_EQ(pair.sealer.overhead(), kHeaderSize + 1 + pair.aead.tag_size);
}

TEST_P(EveryAead, RefusesAnyChangedByte) {
  Pair pair(GetParam());
  const Octets record = pair.seal(ContentType::handshake, ramp(20));
  for (std::size_t i = 0; i < record.size(); ++i) {
    Octets changed = record;
    changed[i] ^= 1;
    EXPECT_EQ(pair.refusal(changed), i == 0 ? Reason::record_unprotected : Reason::record_mac) << i;
  }
  EXPECT_EQ(pair.refusal(record), Reason::none);
  EXPECT_EQ(pair.refusal(record), Reason::record_mac);  // the sequence has moved on
}

TEST(Opener, RefusesRecordsShorterThanTheTag) {
  Pair pair;
  for (std::size_t size = 0; size < pair.aead.tag_size; ++size) {
    Octets record(kHeaderSize + size);
    write_header(ContentType::application_data, ProtocolVersion::tls_1_2, size,
                 MutableBytes(record).first<kHeaderSize>());
    EXPECT_EQ(pair.refusal(record), Reason::record_mac) << size;
  }
}

TEST(Opener, WipesWhatItRefuses) {
  Pair pair;
  Octets record = pair.seal(ContentType::application_data, ramp(50));
  record.back() ^= 1;
  EXPECT_FALSE(pair.opener.open(record));
  EXPECT_TRUE(std::all_of(record.begin() + kHeaderSize, record.begin() + kHeaderSize + 51,
                          [](std::uint8_t byte) { return byte == 0; }));
}

TEST(Opener, FindsTheTypeBehindAnyPadding) {
  Pair pair;
  for (std::size_t padding = 0; padding < 40; ++padding) {
    Octets inner = ramp(11);
    inner.push_back(22);
    inner.resize(inner.size() + padding);
    Octets record = pair.seal_inner(inner);
    const auto opened = pair.opener.open(record);
    ASSERT_TRUE(opened) << padding;
    EXPECT_EQ(opened->type, ContentType::handshake);
    EXPECT_EQ(octets(opened->content), ramp(11));
  }
}

TEST(Opener, KeepsZerosThatBelongToTheContent) {
  Pair pair;
  Octets inner(30);
  inner[20] = 23;
  Octets record = pair.seal_inner(inner);
  const auto opened = pair.opener.open(record);
  ASSERT_TRUE(opened);
  EXPECT_EQ(octets(opened->content), Octets(20));
}

TEST(Opener, RefusesRecordsThatHoldNoType) {
  Pair pair;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{8}, kMaxInnerPlaintext}) {
    EXPECT_EQ(pair.refusal(pair.seal_inner(Octets(size))), Reason::record_all_padding) << size;
  }
  EXPECT_EQ(alert_of(Reason::record_all_padding), Alert::unexpected_message);
}

TEST(Opener, LimitsTheInnerPlaintext) {
  Pair pair;
  Octets inner(kMaxInnerPlaintext, 1);
  inner.back() = 23;
  EXPECT_EQ(pair.refusal(pair.seal_inner(inner)), Reason::none);
  inner.push_back(0);  // padding counts
  EXPECT_EQ(pair.refusal(pair.seal_inner(inner)), Reason::record_too_long);
  EXPECT_EQ(alert_of(Reason::record_too_long), Alert::record_overflow);
}

TEST(Opener, RefusesTypesThatMustNotBeProtected) {
  Pair pair;
  EXPECT_EQ(pair.refusal(pair.seal_inner(Octets{1, 20})), Reason::change_cipher_spec_unexpected);
  EXPECT_EQ(pair.refusal(pair.seal_inner(Octets{1, 24})), Reason::record_type);
  EXPECT_EQ(pair.refusal(pair.seal_inner(Octets{1, 255, 0})), Reason::record_type);
}

TEST(Opener, RefusesEmptyHandshakeAndAlertButNotEmptyData) {
  Pair pair;
  EXPECT_EQ(pair.refusal(pair.seal_inner(Octets{22})), Reason::record_empty);
  EXPECT_EQ(pair.refusal(pair.seal_inner(Octets{21, 0, 0})), Reason::record_empty);
  EXPECT_EQ(pair.refusal(pair.seal_inner(Octets{23, 0})), Reason::none);
}

TEST(Protection, MovesAndForgets) {
  Pair pair;
  Sealer moved = std::move(pair.sealer);
  EXPECT_FALSE(pair.sealer.installed());  // NOLINT(bugprone-use-after-move): that is what is tested
  pair.sealer = std::move(moved);
  EXPECT_TRUE(pair.sealer.installed());
  Opener opener = std::move(pair.opener);
  Octets record = pair.seal(ContentType::application_data, ramp(5));
  const auto opened = opener.open(record);
  ASSERT_TRUE(opened);
  EXPECT_EQ(octets(opened->content), ramp(5));
  opener.clear();
  EXPECT_FALSE(opener.installed());
}

TEST(Protection, CountsFromZeroAfterEveryInstall) {
  Pair pair;
  const Octets first = pair.seal(ContentType::application_data, ramp(5));
  EXPECT_NE(pair.seal(ContentType::application_data, ramp(5)), first);
  ASSERT_TRUE(pair.sealer.install(pair.aead, Bytes(kKey).first(pair.aead.key_size), kIv));
  EXPECT_EQ(pair.sealer.records(), 0U);
  EXPECT_EQ(pair.seal(ContentType::application_data, ramp(5)), first);
}

TEST(Protection, StaysEmptyWhenTheProviderFails) {
  Aead failing = *provider().aead(AeadAlgorithm::aes_128_gcm);
  failing.init = [](void*, Bytes) noexcept { return false; };
  failing.context_size = kKeptAeadContextSize;  // larger ones are made when they are needed: record_key_cache_test.cpp
  Sealer sealer;
  EXPECT_FALSE(sealer.install(failing, Bytes(kKey).first(16), kIv));
  EXPECT_FALSE(sealer.installed());
}

TEST(Protection, XorsTheSequenceNumberIntoTheIv) {
  Protection protection;
  ASSERT_TRUE(protection.install(*provider().aead(AeadAlgorithm::aes_128_gcm), Bytes(kKey).first(16), kIv));
  EXPECT_TRUE(equal(protection.nonce().view(), kIv));
  protection.advance(0x0102030405060708);
  EXPECT_TRUE(equal(protection.nonce().view(),
                    std::array<std::uint8_t, 12>{9, 8, 7, 6, 5 ^ 1, 4 ^ 2, 3 ^ 3, 2 ^ 4, 1 ^ 5, 0 ^ 6, 1 ^ 7, 2 ^ 8}));
  EXPECT_EQ(protection.nonce(1).view().back(), 2 ^ 9);
}

TEST(Sealer, GathersSegmentsAndCutsThem) {
  Pair pair;
  const Octets content = ramp(5000);
  std::vector<Bytes> segments;
  for (std::size_t at = 0, size = 0; at < content.size(); at += size, size = (size + 7) % 301) {
    segments.push_back(Bytes(content).subspan(at, std::min(size, content.size() - at)));
  }
  Octets out(20000);
  const auto sealed = pair.sealer.seal(ContentType::application_data, segments, {.max_fragment = 333}, out);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->consumed, content.size());
  out.resize(sealed->written);
  EXPECT_EQ(pair.open_all(out), content);
  EXPECT_EQ(pair.sealer.bytes(), content.size());
}

TEST(Sealer, EndsRecordsEarlyRatherThanGatherTooManySegments) {
  Pair pair;
  const Octets content = ramp(1000);
  std::vector<Bytes> segments;
  for (std::size_t at = 0; at < content.size(); ++at) segments.push_back(Bytes(content).subspan(at, 1));
  Octets out(5000);
  const auto sealed = pair.sealer.seal(ContentType::application_data, segments, {}, out);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->consumed, content.size());
  out.resize(sealed->written);
  EXPECT_EQ(pair.open_all(out), content);
  EXPECT_EQ(pair.sealer.records(), (content.size() + kMaxSealSegments - 2) / (kMaxSealSegments - 1));
}

TEST(Sealer, FillsAnyRoomAndNeverMore) {
  const Octets content = ramp(3000);
  const std::array<Bytes, 1> segments = {content};
  for (std::size_t room = 0; room < 4000; room += 7) {
    Pair pair;
    Octets out(room + 1, 0xee);
    const auto sealed =
        pair.sealer.seal(ContentType::application_data, segments, {.max_fragment = 500}, MutableBytes(out).first(room));
    ASSERT_TRUE(sealed);
    EXPECT_EQ(out.back(), 0xee);
    EXPECT_EQ(sealed->consumed > 0, room > pair.sealer.overhead()) << room;
    out.resize(sealed->written);
    EXPECT_EQ(pair.open_all(out), octets(Bytes(content).first(sealed->consumed)));
  }
}

TEST(Sealer, MakesNoRecordOfNothing) {
  Pair pair;
  Octets out(100);
  const std::array<Bytes, 2> segments = {};
  const auto sealed = pair.sealer.seal(ContentType::application_data, segments, {}, out);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->written, 0U);
  EXPECT_EQ(pair.sealer.records(), 0U);
}

TEST(Sealer, PadsByPolicy) {
  Pair pair;
  const std::size_t overhead = pair.sealer.overhead();
  const auto size = [&](std::size_t content, PaddingPolicy policy) {
    const Octets sent = ramp(content);
    const Octets records = pair.seal(ContentType::application_data, sent, {.max_fragment = 1024, .padding = policy});
    EXPECT_EQ(pair.open_all(records), sent);
    return records.size();
  };
  EXPECT_EQ(size(10, PaddingPolicy::none()), 10 + overhead);
  EXPECT_EQ(size(10, PaddingPolicy::to_multiple_of(256)), 256 + overhead);
  EXPECT_EQ(size(256, PaddingPolicy::to_multiple_of(256)), 256 + overhead);
  EXPECT_EQ(size(257, PaddingPolicy::to_multiple_of(256)), 512 + overhead);
  EXPECT_EQ(size(1020, PaddingPolicy::to_multiple_of(1000)), 1024 + overhead);
  EXPECT_EQ(size(1, PaddingPolicy::full()), 1024 + overhead);
  EXPECT_EQ(size(1025, PaddingPolicy::full()), 2 * (1024 + overhead));
}

TEST(Sealer, PadsToTheRoomWhenThePolicyWantsMore) {
  for (const std::size_t content : {1U, 20U, 70U}) {
    Pair pair;
    Octets out(100);
    const Octets sent = ramp(content);
    const std::array<Bytes, 1> segments = {sent};
    const auto sealed =
        pair.sealer.seal(ContentType::application_data, segments, {.padding = PaddingPolicy::full()}, out);
    ASSERT_TRUE(sealed);
    EXPECT_EQ(sealed->written, 100U);
    EXPECT_EQ(pair.open_all(out), sent);
  }
}

// What the AEAD was asked to do.
int seal_calls = 0;
std::size_t sealed_jobs = 0;

TEST(Sealer, SealsSmallRecordsInBatches) {
  static const Aead& real = *provider().aead(AeadAlgorithm::aes_128_gcm);
  Aead counting = real;
  counting.seal = [](void* context, std::span<const SealJob> jobs) noexcept {
    ++seal_calls;
    sealed_jobs += jobs.size();
    return real.seal(context, jobs);
  };
  Pair pair(counting);
  const Octets content = ramp(4000);
  EXPECT_EQ(pair.open_all(pair.seal(ContentType::application_data, content, {.max_fragment = 100})), content);
  EXPECT_EQ(sealed_jobs, 40U);
  EXPECT_EQ(seal_calls, 3);  // 16 + 16 + 8
}

TEST(Sealer, ReportsAFailingProvider) {
  Aead failing = *provider().aead(AeadAlgorithm::aes_128_gcm);
  failing.seal = [](void*, std::span<const SealJob>) noexcept { return false; };
  Pair pair(failing);
  Octets out(100);
  const Octets content = ramp(5);
  const std::array<Bytes, 1> segments = {content};
  EXPECT_EQ(pair.sealer.seal(ContentType::application_data, segments, {}, out).error(), Reason::provider_failed);
  EXPECT_EQ(pair.sealer.seal_in_place(ContentType::application_data, out, 5).error(), Reason::provider_failed);
}

TEST_P(EveryAead, SealsInPlaceAsItDoesElsewhere) {
  for (const std::size_t padding : {0U, 1U, 100U}) {
    Pair there(GetParam());
    Pair here(GetParam());
    const Octets content = ramp(100);
    Octets slot(kHeaderSize + content.size() + here.sealer.trailer_size(padding));
    std::ranges::copy(content, slot.begin() + kHeaderSize);
    const auto size = here.sealer.seal_in_place(ContentType::application_data, slot, content.size(), padding);
    ASSERT_TRUE(size);
    EXPECT_EQ(*size, slot.size());
    const Cut cut{.max_fragment = content.size() + padding, .padding = PaddingPolicy::full()};
    EXPECT_EQ(slot, there.seal(ContentType::application_data, content, cut));
    EXPECT_EQ(here.open_all(slot), content);
    EXPECT_EQ(here.sealer.bytes(), content.size());
  }
}

TEST(Sealer, ChecksTheSlot) {
  Pair pair;
  Octets slot(kHeaderSize + 10 + pair.sealer.trailer_size());
  const Octets before = slot;
  EXPECT_EQ(pair.sealer.seal_in_place(ContentType::application_data, slot, 11).value(), 0U);
  EXPECT_EQ(pair.sealer.seal_in_place(ContentType::application_data, slot, 10, 1).value(), 0U);
  EXPECT_EQ(pair.sealer.seal_in_place(ContentType::application_data, slot, static_cast<std::size_t>(-1)).value(), 0U);
  EXPECT_EQ(pair.sealer.seal_in_place(ContentType::application_data, slot, 1, static_cast<std::size_t>(-1)).value(),
            0U);
  EXPECT_EQ(slot, before);
  EXPECT_EQ(pair.sealer.records(), 0U);
  Octets large(kHeaderSize + kMaxPlaintext + 1 + pair.sealer.trailer_size());
  EXPECT_EQ(pair.sealer.seal_in_place(ContentType::application_data, large, kMaxPlaintext + 1).value(), 0U);
  EXPECT_EQ(pair.sealer.seal_in_place(ContentType::application_data, large, kMaxPlaintext).value(), large.size() - 1);
  // An empty record of application data is allowed.
  Octets empty(pair.sealer.overhead());
  EXPECT_EQ(pair.sealer.seal_in_place(ContentType::application_data, empty, 0).value(), empty.size());
}

TEST(Sealer, WantsAKeyUpdateAfterSoManyBytes) {
  Pair pair;
  EXPECT_FALSE(pair.sealer.wants_key_update(0));
  pair.seal(ContentType::application_data, ramp(999));
  EXPECT_FALSE(pair.sealer.wants_key_update(1000));
  pair.seal(ContentType::application_data, ramp(1));
  EXPECT_TRUE(pair.sealer.wants_key_update(1000));
  EXPECT_FALSE(pair.sealer.wants_key_update(0));
}

TEST(Sealer, StopsAtTheLimitOfTheAead) {
  // An AEAD that does nothing, so that the limit is soon reached.
  Aead idle = *provider().aead(AeadAlgorithm::aes_128_ccm);
  idle.seal = [](void*, std::span<const SealJob>) noexcept { return true; };
  Sealer sealer;
  ASSERT_TRUE(sealer.install(idle, Bytes(kKey).first(16), kIv));
  const std::uint64_t limit = confidentiality_limit(AeadAlgorithm::aes_128_ccm);

  constexpr std::size_t kChunk = 1 << 14U;
  const Octets content(kChunk);
  const std::array<Bytes, 1> segments = {content};
  Octets out(kChunk * (sealer.overhead() + 1));
  const auto seal_chunk = [&] {
    return sealer.seal(ContentType::application_data, segments, {.max_fragment = 1}, out);
  };
  while (sealer.records() + kChunk < limit) ASSERT_TRUE(seal_chunk());
  EXPECT_TRUE(sealer.wants_key_update(0));
  const auto last = sealer.seal(ContentType::application_data, segments, {.max_fragment = 1}, out);
  ASSERT_TRUE(last);
  EXPECT_EQ(sealer.records(), limit);
  EXPECT_EQ(seal_chunk().error(), Reason::record_limit);
  EXPECT_EQ(sealer.seal_in_place(ContentType::application_data, out, 1).error(), Reason::record_limit);
}

// --- TLS 1.2 ---------------------------------------------------------------------------------------------------

/// A format of TLS 1.2 with an AEAD, and records of it that Python's `cryptography` has made: a handshake record of
/// ramp(20), empty application data, and a warning close_notify.
struct Known {
  AeadAlgorithm aead;
  RecordFormat format;
  std::array<std::string_view, 3> records;
};

class Tls12 : public testing::TestWithParam<Known> {
 protected:
  [[nodiscard]] static const Aead& aead() { return *provider().aead(GetParam().aead); }
  [[nodiscard]] static Pair pair() { return Pair(aead(), GetParam().format); }
  [[nodiscard]] static bool has_explicit_nonce() { return GetParam().format == RecordFormat::tls12_explicit_nonce; }
};
INSTANTIATE_TEST_SUITE_P(
    Record, Tls12,
    testing::Values(
        Known{AeadAlgorithm::aes_128_gcm,
              RecordFormat::tls12_explicit_nonce,
              {"160303002c 0000000000000000 e5c61a20c7a236319be0918b4f3f90752921087b67f94026592bdd89cb4f87dc997d79db",
               "1703030018 0000000000000001 71f75e880bafc364acda4c662ebb283b",
               "150303001a 0000000000000002 f80a73e3cebe3495c990fe47a8bd26d7cfc2"}},
        Known{AeadAlgorithm::aes_256_gcm,
              RecordFormat::tls12_explicit_nonce,
              {"160303002c 0000000000000000 edf86b3360028e43e88c2af14b8b2fbc11642e908cf708d5643ff53276f2144cb21371e8",
               "1703030018 0000000000000001 7c9a1d8dd52099424466ace88f8d9265",
               "150303001a 0000000000000002 7ec9c3701fea3358142038bef0ef5f95c372"}},
        Known{AeadAlgorithm::chacha20_poly1305,
              RecordFormat::tls12_implicit_nonce,
              {"1603030024 8824cbe8b3c424fa369de8c6e72fe8762510498654b653a0f576bee8a94408e6669be116",
               "1703030010 e03d81e3fc791c9e821f26a0b8eab5f0", "1503030012 0060c8ab3968e13704af796404a1222d7db5"}},
        Known{AeadAlgorithm::aes_128_ccm,
              RecordFormat::tls12_explicit_nonce,
              {"160303002c 0000000000000000 df52195ba0ee4758f75f804d471953df5d9e45d453e5976481fca9d1173716732f51f0d6",
               "1703030018 0000000000000001 f8d8d5ddd05167ef9dc0930229823184",
               "150303001a 0000000000000002 ce268f77209e59dc053688fbbdd4659948f9"}},
        Known{AeadAlgorithm::aes_128_ccm_8,
              RecordFormat::tls12_explicit_nonce,
              {"1603030024 0000000000000000 df52195ba0ee4758f75f804d471953df5d9e45d42621885ac5e50c68",
               "1703030010 0000000000000001 fe7e96fcbf40da71", "1503030012 0000000000000002 ce26f5440d3ec14117c6"}}),
    [](const auto& tested) {
      std::string text(name(tested.param.aead));
      std::ranges::replace(text, '-', '_');
      return text;
    });

TEST_P(Tls12, MakesAndOpensKnownRecords) {
  const std::array<ContentType, 3> types = {ContentType::handshake, ContentType::application_data, ContentType::alert};
  const std::array<Octets, 3> contents = {ramp(20), {}, {1, 0}};
  Pair pair = Tls12::pair();
  for (std::size_t i = 0; i < types.size(); ++i) {
    const Octets& content = contents[i];
    const Octets known = hex(GetParam().records[i]);
    Octets slot(pair.sealer.overhead() + content.size());
    ASSERT_EQ(pair.sealer.headroom(), has_explicit_nonce() ? 13U : 5U);
    std::ranges::copy(content, slot.begin() + static_cast<std::ptrdiff_t>(pair.sealer.headroom()));
    EXPECT_EQ(pair.sealer.seal_in_place(types[i], slot, content.size()).value(), known.size());
    EXPECT_EQ(slot, known);

    const auto header = parse_header(slot, Stream::protected_tls12);
    ASSERT_TRUE(header && *header);
    EXPECT_EQ((*header)->record_size(), slot.size());
    const auto opened = pair.opener.open(slot);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->type, types[i]);
    EXPECT_EQ(octets(opened->content), content);
  }
}

TEST_P(Tls12, OpensWhatItSealed) {
  Pair pair = Tls12::pair();
  EXPECT_EQ(pair.sealer.trailer_size(), pair.aead.tag_size);
  EXPECT_EQ(pair.sealer.overhead(), pair.sealer.headroom() + pair.aead.tag_size);
  for (const std::size_t size : {1U, 2U, 15U, 16U, 17U, 1000U, 16383U, 16384U, 16385U, 40000U}) {
    const Octets content = ramp(size);
    const Octets records = pair.seal(ContentType::application_data, content);
    EXPECT_EQ(records.size(), size + (size + kMaxPlaintext - 1) / kMaxPlaintext * pair.sealer.overhead());
    EXPECT_EQ(pair.open_all(records), content) << size;
  }
  // In more than one batch, and of several segments.
  const Octets content = ramp(4000);
  std::vector<Bytes> segments;
  for (std::size_t at = 0, size = 0; at < content.size(); at += size, size = (size + 7) % 301) {
    segments.push_back(Bytes(content).subspan(at, std::min(size, content.size() - at)));
  }
  Octets out(10000);
  const auto sealed = pair.sealer.seal(ContentType::handshake, segments, {.max_fragment = 100}, out);
  ASSERT_TRUE(sealed);
  out.resize(sealed->written);
  EXPECT_EQ(out.size(), 4000 + 40 * pair.sealer.overhead());
  EXPECT_EQ(pair.open_all(out, ContentType::handshake), content);
  EXPECT_EQ(pair.sealer.records(), pair.opener.records());
}

TEST_P(Tls12, SealsInPlaceAsItDoesElsewhereAndPadsNothing) {
  Pair there = Tls12::pair();
  Pair here = Tls12::pair();
  const Octets content = ramp(100);
  Octets slot(here.sealer.overhead() + content.size());
  EXPECT_EQ(here.sealer.trailer_size(100), here.sealer.trailer_size());
  for (const std::size_t padding : {std::size_t{0}, std::size_t{100}, kMaxPlaintext}) {
    std::ranges::copy(content, slot.begin() + static_cast<std::ptrdiff_t>(here.sealer.headroom()));
    EXPECT_EQ(here.sealer.seal_in_place(ContentType::alert, MutableBytes(slot).first(slot.size() - 1), content.size()),
              0U);
    EXPECT_EQ(here.sealer.seal_in_place(ContentType::alert, slot, content.size(), padding), slot.size());
    EXPECT_EQ(slot, there.seal(ContentType::alert, content, {.padding = PaddingPolicy::full()}));
  }
}

TEST_P(Tls12, FillsAnyRoomAndNeverMore) {
  const Octets content = ramp(900);
  const std::array<Bytes, 1> segments = {content};
  for (std::size_t room = 0; room < 1200; room += 7) {
    Pair pair = Tls12::pair();
    Octets out(room + 1, 0xee);
    const auto sealed =
        pair.sealer.seal(ContentType::application_data, segments, {.max_fragment = 300}, MutableBytes(out).first(room));
    ASSERT_TRUE(sealed);
    EXPECT_EQ(out.back(), 0xee);
    EXPECT_EQ(sealed->consumed > 0, room > pair.sealer.overhead()) << room;
    out.resize(sealed->written);
    EXPECT_EQ(pair.open_all(out), octets(Bytes(content).first(sealed->consumed)));
  }
}

TEST_P(Tls12, RefusesAnyChangedBit) {
  Pair pair = Tls12::pair();
  const Octets record = pair.seal(ContentType::handshake, ramp(20));
  for (std::size_t bit = 0; bit < 8 * record.size(); ++bit) {
    // Whoever presents a record says how long it is.
    if (bit / 8 == 3 || bit / 8 == 4) continue;
    Octets changed = record;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto type = static_cast<ContentType>(changed[0]);
    const bool known =
        type == ContentType::application_data || type == ContentType::alert || type == ContentType::change_cipher_spec;
    const Reason reason = bit >= 8 || known ? Reason::record_mac : Reason::record_type;
    EXPECT_EQ(pair.refusal(changed), reason) << bit;
  }
  Octets longer = record;
  longer.push_back(0);
  EXPECT_EQ(pair.refusal(longer), Reason::record_mac);
  Octets shorter = record;
  shorter.pop_back();
  EXPECT_EQ(pair.refusal(shorter), Reason::record_mac);
  EXPECT_EQ(pair.refusal(record), Reason::none);
  EXPECT_EQ(pair.refusal(record), Reason::record_mac);  // the sequence has moved on
  // A record that is left out is missed by the next one, whose nonce may be explicit.
  const Octets lost = pair.seal(ContentType::handshake, ramp(20));
  EXPECT_EQ(pair.refusal(pair.seal(ContentType::handshake, ramp(20))), Reason::record_mac);
  EXPECT_EQ(pair.refusal(lost), Reason::none);
}

TEST_P(Tls12, RefusesRecordsShorterThanNonceAndTag) {
  Pair pair = Tls12::pair();
  for (std::size_t size = 0; size < pair.sealer.overhead() - kHeaderSize; ++size) {
    Octets record(kHeaderSize + size);
    write_header(ContentType::application_data, ProtocolVersion::tls_1_2, size,
                 MutableBytes(record).first<kHeaderSize>());
    EXPECT_EQ(pair.refusal(record), Reason::record_mac) << size;
  }
}

TEST_P(Tls12, JudgesTypeAndSizeOfWhatIsAuthentic) {
  Pair pair = Tls12::pair();
  // What a sealer seals under any type, without a limit on what it is.
  const auto record = [&](ContentType type, std::size_t size) {
    const std::size_t headroom = pair.sealer.headroom();
    Octets out(pair.sealer.overhead() + size);
    write_header(type, ProtocolVersion::tls_1_2, out.size() - kHeaderSize, MutableBytes(out).first<kHeaderSize>());
    Protection protection;
    EXPECT_TRUE(protection.install(pair.aead, Bytes(kKey).first(pair.aead.key_size),
                                   Bytes(kIv).first(format_of(GetParam().format).iv_size), GetParam().format));
    protection.advance(pair.opener.records());
    const StackSlot slot(protection);
    const Nonce nonce = protection.nonce();
    if (has_explicit_nonce()) std::ranges::copy(nonce.view().last(8), out.begin() + kHeaderSize);
    Octets aad(8);
    aad.back() = static_cast<std::uint8_t>(pair.opener.records());
    aad.insert(aad.end(), {static_cast<std::uint8_t>(type), 3, 3, static_cast<std::uint8_t>(size >> 8U),
                           static_cast<std::uint8_t>(size)});
    const Octets content = ramp(size);
    const Bytes source = content;
    const SealJob job{nonce.view().data(), aad, {&source, 1}, {}, out.data() + headroom};
    EXPECT_TRUE(pair.aead.seal(protection.context(), {&job, 1}));
    return out;
  };
  EXPECT_EQ(pair.refusal(record(ContentType::application_data, 0)), Reason::none);
  EXPECT_EQ(pair.refusal(record(ContentType::handshake, 0)), Reason::record_empty);
  EXPECT_EQ(pair.refusal(record(ContentType::alert, 0)), Reason::record_empty);
  EXPECT_EQ(pair.refusal(record(ContentType::application_data, kMaxPlaintext)), Reason::none);
  EXPECT_EQ(pair.refusal(record(ContentType::application_data, kMaxPlaintext + 1)), Reason::record_too_long);
  // It is protected where a connection is renegotiated.
  EXPECT_EQ(pair.refusal(record(ContentType::change_cipher_spec, 1)), Reason::none);
  EXPECT_EQ(pair.refusal(record(ContentType::change_cipher_spec, 0)), Reason::record_empty);
  EXPECT_EQ(pair.refusal(record(ContentType{24}, 1)), Reason::record_type);
}

TEST(Tls12Opener, TakesWhateverExplicitNonceThePeerChose) {
  Pair pair(*provider().aead(AeadAlgorithm::aes_128_gcm), RecordFormat::tls12_explicit_nonce);
  Octets record =
      hex("170303002c f0e1d2c3b4a59687 32d6b6cbd2b9d6e705bb28509af15a24d82ad68becefd304d6e6a26bf91cfeec224a58e6");
  const auto opened = pair.opener.open(record);
  ASSERT_TRUE(opened);
  EXPECT_EQ(octets(opened->content), ramp(20));
}

TEST(Tls12Sealer, StopsAtTheLimitOfTheAeadWithoutAKeyUpdate) {
  Aead idle = *provider().aead(AeadAlgorithm::aes_128_ccm);
  idle.seal = [](void*, std::span<const SealJob>) noexcept { return true; };
  Pair pair(idle, RecordFormat::tls12_explicit_nonce);
  const std::uint64_t limit = confidentiality_limit(AeadAlgorithm::aes_128_ccm);
  const Octets content(1U << 14U);
  const std::array<Bytes, 1> segments = {content};
  Octets out(content.size() * (pair.sealer.overhead() + 1));
  while (pair.sealer.records() < limit)
    ASSERT_TRUE(pair.sealer.seal(ContentType::application_data, segments, {.max_fragment = 1}, out));
  EXPECT_FALSE(pair.sealer.wants_key_update(1));
  EXPECT_EQ(pair.sealer.records(), limit);
  EXPECT_EQ(pair.sealer.seal(ContentType::application_data, segments, {}, out).error(), Reason::record_limit);
  EXPECT_EQ(pair.sealer.seal_in_place(ContentType::application_data, out, 1).error(), Reason::record_limit);
}

// --- TLS 1.2 with CBC ------------------------------------------------------------------------------------------

/// CBC with a MAC, and the same three records of it, whose IVs are HMAC of "IV" and the sequence number.
struct KnownCbc {
  CbcAlgorithm cipher;
  MacAlgorithm mac;
  bool encrypt_then_mac;
  std::array<std::string_view, 3> records;
};

const Octets kMacKey = [] {
  Octets key(kMaxRecordMacSize);
  std::iota(key.begin(), key.end(), std::uint8_t{101});
  return key;
}();

class Cbc : public testing::TestWithParam<KnownCbc> {
 protected:
  Cbc() { install(); }

  void install() {
    const Bytes key = Bytes(kKey).first(cipher_.key_size);
    ASSERT_TRUE(sealer_.install(cipher_, mac_, key, mac_key(), GetParam().encrypt_then_mac));
    ASSERT_TRUE(opener_.install(cipher_, mac_, key, mac_key(), GetParam().encrypt_then_mac));
  }
  [[nodiscard]] Bytes mac_key() const { return Bytes(kMacKey).first(mac_.key_size); }
  [[nodiscard]] static bool encrypts_first() { return GetParam().encrypt_then_mac; }

  Octets seal(ContentType type, Bytes content, const Cut& cut = {}) {
    Octets out(2 * (content.size() + kMaxRecordSize));
    const std::array<Bytes, 1> segments = {content};
    const auto sealed = sealer_.seal(type, segments, cut, out);
    EXPECT_TRUE(sealed && sealed->consumed == content.size());
    out.resize(sealed->written);
    return out;
  }
  Octets open_all(Octets records) {
    Octets joined;
    for (MutableBytes rest(records); !rest.empty();) {
      const auto header = parse_header(rest, opener_.format().stream);
      EXPECT_TRUE(header && *header && (*header)->record_size() <= rest.size());
      const auto opened = opener_.open(rest.first((*header)->record_size()));
      EXPECT_TRUE(opened);
      if (!opened) break;
      joined.insert(joined.end(), opened->content.begin(), opened->content.end());
      rest = rest.subspan((*header)->record_size());
    }
    return joined;
  }
  Reason refusal(Octets record) {
    const auto opened = opener_.open(record);
    return opened ? Reason::none : opened.error();
  }

  /// The next record with a padding of any bytes, its last one the length.
  Octets with_padding(ContentType type, Bytes content, Bytes padding, bool mac_is_right = true) {
    const std::uint64_t sequence = opener_.records();
    const auto authenticate = [&](std::size_t length, Bytes what) {
      Octets header(kSequenceSize);
      write_sequence(sequence, MutableBytes(header).first<kSequenceSize>());
      header.insert(header.end(), {static_cast<std::uint8_t>(type), 3, 3, static_cast<std::uint8_t>(length >> 8U),
                                   static_cast<std::uint8_t>(length)});
      const std::array<Bytes, 2> segments = {header, what};
      Octets mac(mac_.size);
      EXPECT_TRUE(mac_.mac(mac_key(), segments, mac));
      mac.back() ^= static_cast<std::uint8_t>(!mac_is_right);
      return mac;
    };
    const Octets iv = ramp(kCbcBlockSize);
    Octets text = octets(content);
    const auto append = [](Octets& to, const Octets& more) { to.insert(to.end(), more.begin(), more.end()); };
    if (!encrypts_first()) append(text, authenticate(content.size(), content));
    append(text, octets(padding));
    EXPECT_EQ(text.size() % kCbcBlockSize, 0U);
    alignas(16) std::array<std::byte, kMaxCbcContextSize> context;
    EXPECT_TRUE(cipher_.init(context.data(), Bytes(kKey).first(cipher_.key_size)));
    EXPECT_TRUE(cipher_.encrypt(context.data(), iv, text));
    cipher_.destroy(context.data());
    Octets fragment = iv;
    append(fragment, text);
    if (encrypts_first()) append(fragment, authenticate(fragment.size(), fragment));
    Octets record(kHeaderSize);
    write_header(type, ProtocolVersion::tls_1_2, fragment.size(), MutableBytes(record).first<kHeaderSize>());
    append(record, fragment);
    return record;
  }
  /// Content that leaves room for just this padding.
  [[nodiscard]] std::size_t fitting(std::size_t least, std::size_t padding) const {
    const std::size_t mac_size = encrypts_first() ? 0 : mac_.size;
    while ((least + mac_size + padding) % kCbcBlockSize != 0) ++least;
    return least;
  }

  const CbcCipher& cipher_ = *provider().cbc_cipher(GetParam().cipher);
  const RecordMac& mac_ = *provider().record_mac(GetParam().mac);
  Sealer sealer_;
  Opener opener_;
};
INSTANTIATE_TEST_SUITE_P(
    Record, Cbc,
    testing::Values(
        KnownCbc{CbcAlgorithm::aes_128_cbc,
                 MacAlgorithm::hmac_sha1,
                 false,
                 {"1603030040 "
                  "2479e7557572872a0a9eba35802b51d3 "
                  "a53af1c42decc7bb7de20ce028d90bccdfcc615cf4c1149d4ea08e4daa81fe68200ba7bcfa7d81a74655c7ce53c2fb66",
                  "1703030030 "
                  "2b86f0156806f00aac260fe87287a815 "
                  "37d2bdda2f2a23edbcb14b445f8a6039690a9c542dc1f0644a43cce8f69adc42",
                  "1503030030 "
                  "66fc69c6b8b7c15de26ba58fcd07e0f7 "
                  "e43813b9af171a03b374bf753fc4a0844c5d5d6a65bd3bebefda08638bd595a7"}},
        KnownCbc{CbcAlgorithm::aes_128_cbc,
                 MacAlgorithm::hmac_sha256,
                 false,
                 {"1603030050 "
                  "6c7f1b4d39a4d693b5829bc7a7bc306d "
                  "e538b2c653834f6186039a7655989a0831f989ad575200343d63da5061f19115b393c548e24757deb205d41bc98a3f61 "
                  "04893c57bc3f55d5ee2abe5d74c89731",
                  "1703030040 "
                  "18e96593514c3027942fccc1fdc3aec8 "
                  "e20b5cb61eb9e1ab61877496496946ae22a2b87775b0eda1e0a214aa417eb8dd9a9cb2f1c038f2b1c9a9dfb19df6cb52",
                  "1503030040 "
                  "fe53ffad6a5907a9d926bdfdf40bb473 "
                  "0b681681d1407832b8113c724da4a08314c6a5e6ac9d7983b0c7303db18a7ab4b1e4af78fca7d1d02affe3331710739f"}},
        KnownCbc{CbcAlgorithm::aes_256_cbc,
                 MacAlgorithm::hmac_sha1,
                 false,
                 {"1603030040 "
                  "2479e7557572872a0a9eba35802b51d3 "
                  "99ed29e258a327716494cba08a8acaff8b8e0da20dfb153cdf202627972debd449bfc00d7042a5e019f9180aa4d30b47",
                  "1703030030 "
                  "2b86f0156806f00aac260fe87287a815 "
                  "a89857aa94c148050d136f03afbf2d6626607f3a0045699ddae571f96ebc5e83",
                  "1503030030 "
                  "66fc69c6b8b7c15de26ba58fcd07e0f7 "
                  "f669e8e44a6c2956fadb11f4d5ee12cfeb52a9bf92eca76c39cb4d93e9c630e4"}},
        KnownCbc{CbcAlgorithm::aes_256_cbc,
                 MacAlgorithm::hmac_sha384,
                 false,
                 {"1603030060 "
                  "96305f4269880fc2b52e5d639d49f51a "
                  "6b3ea014c85663dc84858e9f8e68d2816784b56d64b16d597c9e00fcc26e8995ac40e90adfa78c4f2dd41454dd9a3d3a "
                  "f433de9fa1a46ba82646d18ca4df59ed8fd30464a1ab92599792bcdf9e55456a",
                  "1703030050 "
                  "43988e5ebed9bbd413b48ee7fae22e4d "
                  "258d597b63e7569b6c2329b8578de8b723f92256198162243af1fa7ce139efc42c561517bbd0db0ac6a1bb11c86cbf46 "
                  "43c86b699cb9af798c68733d5979e82a",
                  "1503030050 "
                  "c350d53ae40b23d76e4df071eec911b9 "
                  "308ca1469ec45af02c7b7e97a5fbdfbf3b9be11ce3c23b3688e9a5a3b37719d16f2a12e3b1f070ed3ca433f927b6d3b5 "
                  "e8707e7548213600f82ea4663b121cb0"}},
        KnownCbc{CbcAlgorithm::aes_128_cbc,
                 MacAlgorithm::hmac_sha1,
                 true,
                 {"1603030044 "
                  "2479e7557572872a0a9eba35802b51d3 "
                  "a53af1c42decc7bb7de20ce028d90bcc8392765ff0a42010205e39e80b778574b166b9381c652f112997cb17d631af12 "
                  "374f25a4",
                  "1703030034 "
                  "2b86f0156806f00aac260fe87287a815 "
                  "5edf204d8207389356ef5bb08ad733f864ace0b99958eb454a6e6f92297bfe884c109ff4",
                  "1503030034 "
                  "66fc69c6b8b7c15de26ba58fcd07e0f7 "
                  "7f4b6f1c9b408b4afdd0c9a112ffc016df4ae7858e5c8c45cad1f2a67423c258190ebd2f"}},
        KnownCbc{CbcAlgorithm::aes_128_cbc,
                 MacAlgorithm::hmac_sha256,
                 true,
                 {"1603030050 "
                  "6c7f1b4d39a4d693b5829bc7a7bc306d "
                  "e538b2c653834f6186039a7655989a08b3edd4037437923cea1e75e615b1c1321bc7e4a5615c1110e11c1fb85e951801 "
                  "dc3b465164da0149d3c734c817df9851",
                  "1703030040 "
                  "18e96593514c3027942fccc1fdc3aec8 "
                  "c6c1c4a0949481a7e5ce6b5f58e4119e0272bf6ab17bee9f0c29910c9f86a7340b25cb705b3fbec2bf30da1cceeb90a5",
                  "1503030040 "
                  "fe53ffad6a5907a9d926bdfdf40bb473 "
                  "8afa389e06120b79f7cc3181fb00dfc71412c3c4bffa579371f8adec54b0c43b8b2dc783723cf32d3e95cd98a23c3523"}},
        KnownCbc{CbcAlgorithm::aes_256_cbc,
                 MacAlgorithm::hmac_sha1,
                 true,
                 {"1603030044 "
                  "2479e7557572872a0a9eba35802b51d3 "
                  "99ed29e258a327716494cba08a8acaff7c18b2b49305e5053610f5179ccf26fb7f731e635634de11b6e4da477bb5fc46 "
                  "69561a4e",
                  "1703030034 "
                  "2b86f0156806f00aac260fe87287a815 "
                  "951b75a3b5661eb928ec87c3e0458be0ab2cfd79956f272ba1ec7448c366e4de42a1308c",
                  "1503030034 "
                  "66fc69c6b8b7c15de26ba58fcd07e0f7 "
                  "3881e70ba2abea352cbbb346d377913aa65baa79a64cd824b9b2f406b8cf9b4d85587f2e"}},
        KnownCbc{CbcAlgorithm::aes_256_cbc,
                 MacAlgorithm::hmac_sha384,
                 true,
                 {"1603030060 "
                  "96305f4269880fc2b52e5d639d49f51a "
                  "6b3ea014c85663dc84858e9f8e68d281c29af5f244d60621695727cf69de41c5bda4478830be8ef00c76c0aeb46ef71f "
                  "7f96111040013e472c86268390e49702d5cdcff75a1ad6d24b06646156b2b915",
                  "1703030050 "
                  "43988e5ebed9bbd413b48ee7fae22e4d "
                  "2a973980a39bbfa352458417ca76cab28ef136d145161a42f715c2a33b1ac5d9de6ede5b0c821f7a52a08bd50cfcbeda "
                  "1bead3b46cbb1bf199eb282317251c1e",
                  "1503030050 "
                  "c350d53ae40b23d76e4df071eec911b9 "
                  "324e50c01a832edd04526fca8eb66456d206a90342d32ffcdc8f86daff1f3e56175dfa1d45599833f40fa8439bd4c8d0 "
                  "98c11a2d22ae1ab7ba46fa90867552f0"}}),
    [](const auto& tested) { return std::to_string(tested.index); });

TEST_P(Cbc, MakesAndOpensKnownRecords) {
  const std::array<ContentType, 3> types = {ContentType::handshake, ContentType::application_data, ContentType::alert};
  const std::array<Octets, 3> contents = {ramp(20), {}, {1, 0}};
  EXPECT_EQ(sealer_.headroom(), 21U);
  for (std::size_t i = 0; i < types.size(); ++i) {
    const Octets& content = contents[i];
    const Octets known = hex(GetParam().records[i]);
    Octets slot(sealer_.overhead() + content.size(), 0xee);
    std::ranges::copy(content, slot.begin() + static_cast<std::ptrdiff_t>(sealer_.headroom()));
    const auto size = sealer_.seal_in_place(types[i], MutableBytes(slot).first(known.size()), content.size());
    ASSERT_EQ(size, known.size());
    slot.resize(*size);
    EXPECT_EQ(slot, known);
    const auto opened = opener_.open(slot);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->type, types[i]);
    EXPECT_EQ(octets(opened->content), content);
  }
}

TEST_P(Cbc, OpensWhatItSealed) {
  for (std::size_t size = 1; size < 300; ++size) {
    const Octets content = ramp(size);
    const Octets record = seal(ContentType::application_data, content);
    EXPECT_LE(record.size(), size + sealer_.overhead());
    EXPECT_EQ(open_all(record), content) << size;
  }
  for (const std::size_t size : {16383U, 16384U, 16385U, 40000U}) {
    const Octets content = ramp(size);
    EXPECT_EQ(open_all(seal(ContentType::application_data, content)), content) << size;
  }
  // In more than one batch.
  const Octets content = ramp(4000);
  EXPECT_EQ(open_all(seal(ContentType::application_data, content, {.max_fragment = 100})), content);
  EXPECT_EQ(sealer_.records(), opener_.records());
  EXPECT_FALSE(sealer_.wants_key_update(1));
}

TEST_P(Cbc, FillsAnyRoomAndNeverMore) {
  const Octets content = ramp(900);
  const std::array<Bytes, 1> segments = {content};
  for (std::size_t room = 0; room < 1400; room += 7) {
    install();
    Octets out(room + 1, 0xee);
    const auto sealed =
        sealer_.seal(ContentType::application_data, segments, {.max_fragment = 300}, MutableBytes(out).first(room));
    ASSERT_TRUE(sealed);
    EXPECT_EQ(out.back(), 0xee);
    EXPECT_EQ(sealed->consumed > 0, room > sealer_.overhead()) << room;
    out.resize(sealed->written);
    EXPECT_EQ(open_all(out), octets(Bytes(content).first(sealed->consumed)));
  }
}

TEST_P(Cbc, RefusesAnyChangedBitAndAnyOtherSize) {
  const Octets record = seal(ContentType::handshake, ramp(20));
  for (std::size_t bit = 8; bit < 8 * record.size(); ++bit) {
    if (bit / 8 == 3 || bit / 8 == 4) continue;  // whoever presents a record says how long it is
    Octets changed = record;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_EQ(refusal(changed), Reason::record_mac) << bit;
  }
  Octets alert = record;
  alert[0] = 21;
  EXPECT_EQ(refusal(alert), Reason::record_mac);
  for (std::size_t size = kHeaderSize; size < record.size() + 40; ++size) {
    if (size == record.size()) continue;
    Octets other = record;
    other.resize(size);
    EXPECT_EQ(refusal(other), Reason::record_mac) << size;
  }
  EXPECT_EQ(refusal(record), Reason::none);
  EXPECT_EQ(refusal(record), Reason::record_mac);  // the sequence has moved on
}

TEST_P(Cbc, TakesPaddingOfAnyLengthAndRefusesAnyOther) {
  for (std::size_t size = 1; size <= 256; ++size) {
    for (const std::size_t least : {0U, 1U, 300U}) {
      const Octets content = ramp(fitting(least, size));
      Octets padding(size, static_cast<std::uint8_t>(size - 1));
      const Octets wrong_mac = with_padding(ContentType::application_data, content, padding, false);
      EXPECT_EQ(refusal(wrong_mac), Reason::record_mac);
      for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
        // Where the padding is behind the MAC's reach, another length of it may be as good.
        if (encrypts_first() && at == size - 1) continue;
        Octets wrong = padding;
        wrong[at] ^= 0x10;
        EXPECT_EQ(refusal(with_padding(ContentType::application_data, content, wrong)), Reason::record_mac)
            << size << " " << at;
      }
      Octets record = with_padding(ContentType::application_data, content, padding);
      const auto opened = opener_.open(record);
      ASSERT_TRUE(opened) << size << " " << least;
      EXPECT_EQ(octets(opened->content), content);
    }
  }
  // Longer than all there is.
  EXPECT_EQ(refusal(with_padding(ContentType::application_data, ramp(fitting(0, 16)), Octets(16, 255))),
            Reason::record_mac);
}

TEST_P(Cbc, JudgesTypeAndSizeOfWhatIsAuthentic) {
  const auto record = [&](ContentType type, std::size_t size) {
    const std::size_t mac_size = encrypts_first() ? 0 : mac_.size;
    const std::size_t padding = 16 - (size + mac_size) % 16;
    return with_padding(type, ramp(size), Octets(padding, static_cast<std::uint8_t>(padding - 1)));
  };
  EXPECT_EQ(refusal(record(ContentType::application_data, 0)), Reason::none);
  EXPECT_EQ(refusal(record(ContentType::handshake, 0)), Reason::record_empty);
  EXPECT_EQ(refusal(record(ContentType::application_data, kMaxPlaintext)), Reason::none);
  EXPECT_EQ(refusal(record(ContentType::application_data, kMaxPlaintext + 1)), Reason::record_too_long);
  EXPECT_EQ(refusal(record(ContentType::change_cipher_spec, 1)), Reason::none);
  EXPECT_EQ(refusal(record(ContentType::change_cipher_spec, 0)), Reason::record_empty);
}

TEST_P(Cbc, ReportsAFailingProvider) {
  CbcCipher broken = cipher_;
  broken.init = [](void*, Bytes) noexcept { return false; };
  const Bytes key = Bytes(kKey).first(cipher_.key_size);
  EXPECT_FALSE(sealer_.install(broken, mac_, key, mac_key(), GetParam().encrypt_then_mac));
  EXPECT_FALSE(sealer_.installed());
  broken = cipher_;
  broken.encrypt = [](void*, Bytes, MutableBytes) noexcept { return false; };
  broken.decrypt = broken.encrypt;
  install();
  const Octets record = seal(ContentType::handshake, ramp(20));
  ASSERT_TRUE(sealer_.install(broken, mac_, key, mac_key(), GetParam().encrypt_then_mac));
  ASSERT_TRUE(opener_.install(broken, mac_, key, mac_key(), GetParam().encrypt_then_mac));
  Octets slot(200);
  EXPECT_EQ(sealer_.seal_in_place(ContentType::alert, slot, 2).error(), Reason::provider_failed);
  EXPECT_EQ(refusal(record), Reason::provider_failed);
  install();
  Sealer moved = std::move(sealer_);
  EXPECT_FALSE(sealer_.installed());  // NOLINT(bugprone-use-after-move): that is what is tested
  sealer_ = std::move(moved);
  EXPECT_EQ(open_all(seal(ContentType::alert, ramp(2))), ramp(2));
}

TEST(RecordMac, IsTheSameOfASecretLength) {
  const Octets header = ramp(13);
  const Octets content = ramp(900);
  for (const RecordMac* mac : provider().record_macs) {
    Octets expected(mac->size);
    Octets computed(mac->size);
    for (std::size_t size = 0; size < content.size(); size += 1 + size / 40) {
      for (std::size_t hidden = 0; hidden <= std::min<std::size_t>(size, 256); hidden += 1 + size % 5) {
        const std::array<Bytes, 2> segments = {header, Bytes(content).first(size - hidden)};
        ASSERT_TRUE(mac->mac(Bytes(kMacKey).first(mac->key_size), segments, expected));
        ASSERT_TRUE(mac->mac_of_secret_length(Bytes(kMacKey).first(mac->key_size), header, Bytes(content).first(size),
                                              size - hidden, computed));
        ASSERT_EQ(computed, expected) << size << " " << hidden;
      }
    }
  }
}

TEST(Protection, KeepsItsFormatWithItsKey) {
  Pair pair(*provider().aead(AeadAlgorithm::aes_128_gcm), RecordFormat::tls12_explicit_nonce);
  Sealer moved = std::move(pair.sealer);
  EXPECT_EQ(moved.headroom(), 13U);
  EXPECT_EQ(pair.sealer.headroom(), 5U);  // NOLINT(bugprone-use-after-move): that is what is tested
  moved.clear();
  EXPECT_EQ(moved.headroom(), 5U);
  ASSERT_TRUE(pair.opener.install(pair.aead, Bytes(kKey).first(16), kIv));
  EXPECT_EQ(pair.opener.format().stream, Stream::protected_);
}

TEST(Limits, AreThoseOfTheStandards) {
  EXPECT_EQ(confidentiality_limit(AeadAlgorithm::aes_128_gcm), 23'726'566U);
  EXPECT_EQ(confidentiality_limit(AeadAlgorithm::aes_256_gcm), 23'726'566U);
  EXPECT_EQ(confidentiality_limit(AeadAlgorithm::aes_128_ccm), 1U << 23U);
  EXPECT_GT(confidentiality_limit(AeadAlgorithm::chacha20_poly1305), std::uint64_t{1} << 60U);
  EXPECT_EQ(confidentiality_limit(AeadAlgorithm::aes_256_ccm_8), 1U << 23U);
  EXPECT_EQ(integrity_limit(AeadAlgorithm::aes_128_ccm_8), 128U);
  EXPECT_EQ(integrity_limit(AeadAlgorithm::aes_256_ccm_8), 128U);
  EXPECT_EQ(integrity_limit(AeadAlgorithm::aes_256_ccm), integrity_limit(AeadAlgorithm::aes_128_ccm));
  EXPECT_EQ(kMaxRecordSize, 18437U);
  // Both directions of an idle connection are held inline.
  EXPECT_LE(sizeof(Opener) + sizeof(Sealer), 192U);
}

}  // namespace
}  // namespace lockstep::record
