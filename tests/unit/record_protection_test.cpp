// Opening and sealing, with the AEADs of a real provider.

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
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

constexpr std::array<std::uint8_t, 12> kIv = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2};
constexpr std::array<std::uint8_t, 32> kKey = {1, 2, 3, 4, 5, 6, 7, 8, 9};

/// A sealer and an opener with the same key.
struct Pair {
  explicit Pair(AeadAlgorithm id = AeadAlgorithm::aes_128_gcm) : Pair(*provider().aead(id)) {}
  explicit Pair(const Aead& used) : aead(used) {
    EXPECT_TRUE(sealer.install(aead, Bytes(kKey).first(aead.key_size), kIv));
    EXPECT_TRUE(opener.install(aead, Bytes(kKey).first(aead.key_size), kIv));
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
      const auto header = parse_header(rest, Stream::protected_);
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
                                         AeadAlgorithm::aes_128_ccm_8),
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

TEST(Limits, AreThoseOfTheStandards) {
  EXPECT_EQ(confidentiality_limit(AeadAlgorithm::aes_128_gcm), 23'726'566U);
  EXPECT_EQ(confidentiality_limit(AeadAlgorithm::aes_256_gcm), 23'726'566U);
  EXPECT_EQ(confidentiality_limit(AeadAlgorithm::aes_128_ccm), 1U << 23U);
  EXPECT_GT(confidentiality_limit(AeadAlgorithm::chacha20_poly1305), std::uint64_t{1} << 60U);
  EXPECT_EQ(integrity_limit(AeadAlgorithm::aes_128_ccm_8), 128U);
  EXPECT_EQ(kMaxRecordSize, 18437U);
  // Both directions of an idle connection are held inline.
  EXPECT_LE(sizeof(Opener) + sizeof(Sealer), 192U);
}

}  // namespace
}  // namespace lockstep::record
