// Opening and sealing in the formats of TLS 1.3 and TLS 1.2, with the AEADs of a real provider.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "record/framing.hpp"
#include "record/opener.hpp"
#include "record/sealer.hpp"
#include "unit/record_support.hpp"
namespace lockstep::record {
namespace {
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
