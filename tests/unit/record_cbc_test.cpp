// Opening and sealing in CBC mode (TLS 1.2), with a MAC in either order.
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
}  // namespace
}  // namespace lockstep::record
