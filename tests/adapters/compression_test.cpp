// The codecs of certificates by libraries (RFC 8879): what they make they read, exactly, and nothing makes them write
// or take more than they may.

#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/compression.hpp>

namespace lockstep {
namespace {

using Octets = std::vector<std::uint8_t>;

/// Like certificates: the same names and identifiers again and again, and keys that are like nothing.
Octets like_certificates(std::size_t size) {
  Octets bytes;
  std::uint32_t state = 1;
  while (bytes.size() < size) {
    const std::string_view text = "C=DE, O=Example, CN=Example Root; http://crl.example.com/root.crl";
    bytes.insert(bytes.end(), text.begin(), text.end());
    for (int i = 0; i < 64; ++i) {
      state = state * 1'664'525U + 1'013'904'223U;
      bytes.push_back(static_cast<std::uint8_t>(state >> 24U));
    }
  }
  bytes.resize(size);
  return bytes;
}

Octets compressed(const CertificateCodec& codec, const Octets& certificate) {
  Octets out(certificate.size() + 1000);
  out.resize(codec.compress(certificate, out));
  return out;
}

class Codec : public ::testing::TestWithParam<CertificateCodec> {};
INSTANTIATE_TEST_SUITE_P(Compression, Codec, ::testing::ValuesIn(compression::codecs()),
                         [](const auto& tested) { return to_text(tested.param.algorithm); });

TEST(Compression, NamesWhatItHas) {
  for (const CertificateCodec& codec : compression::codecs()) {
    const auto found = compression::codec(codec.algorithm);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->decompress, codec.decompress);
    EXPECT_EQ(found->compress, codec.compress);
  }
  EXPECT_FALSE(compression::codec(static_cast<CertificateCompressionAlgorithm>(99)));
  EXPECT_EQ(to_text(CertificateCompressionAlgorithm::brotli), "brotli");
  EXPECT_EQ(to_text(static_cast<CertificateCompressionAlgorithm>(99)), "unknown 0x63");
}

TEST_P(Codec, ReadsWhatItMakes) {
  for (const std::size_t size : {1U, 4U, 100U, 3000U, 70'000U, 131'072U}) {
    const Octets certificate = like_certificates(size);
    const Octets small = compressed(GetParam(), certificate);
    ASSERT_FALSE(small.empty());
    EXPECT_LT(small.size(), size < 3000 ? size + 100 : size * 3 / 4);
    Octets back(size);
    EXPECT_TRUE(GetParam().decompress(small, back));
    EXPECT_EQ(back, certificate);
    EXPECT_EQ(compressed(GetParam(), certificate), small);
  }
}

TEST_P(Codec, IsExact) {
  const Octets certificate = like_certificates(3000);
  const Octets small = compressed(GetParam(), certificate);
  const auto comes_to = [&](const Octets& bytes, std::size_t size) {
    Octets back(size);
    return GetParam().decompress(bytes, back);
  };
  for (const std::size_t size : {0U, 1U, 2999U, 3001U, 6000U}) EXPECT_FALSE(comes_to(small, size)) << size;
  for (std::size_t size = 0; size < small.size(); ++size)
    EXPECT_FALSE(comes_to(Octets(small.begin(), small.begin() + static_cast<std::ptrdiff_t>(size)), 3000)) << size;
  Octets longer = small;
  longer.push_back(0);
  EXPECT_FALSE(comes_to(longer, 3000));
  Octets twice = small;
  twice.insert(twice.end(), small.begin(), small.end());
  EXPECT_FALSE(comes_to(twice, 3000));
  EXPECT_FALSE(comes_to(twice, 6000));
}

// Whatever comes of it, it ends, and stays where it belongs (with AddressSanitizer).
TEST_P(Codec, SurvivesEveryWrongBit) {
  const Octets certificate = like_certificates(600);
  Octets small = compressed(GetParam(), certificate);
  Octets back(certificate.size());
  for (std::size_t bit = 0; bit < 8 * small.size(); ++bit) {
    small[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    (void)GetParam().decompress(small, back);
    small[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
  }
  EXPECT_TRUE(GetParam().decompress(small, back));
  EXPECT_EQ(back, certificate);
}

TEST_P(Codec, IsNoBomb) {
  const Octets bomb = compressed(GetParam(), Octets(std::size_t{1} << 24U));
  ASSERT_FALSE(bomb.empty());
  EXPECT_LT(bomb.size(), 30'000U);
  for (const std::size_t size : {1U, 1000U, 131'072U}) {
    Octets back(size);
    EXPECT_FALSE(GetParam().decompress(bomb, back));
  }
}

TEST_P(Codec, SaysWhenThereIsNoRoom) {
  const Octets certificate = like_certificates(3000);
  const std::size_t needed = compressed(GetParam(), certificate).size();
  for (const std::size_t size : {std::size_t{1}, needed / 2, needed - 1}) {
    Octets room(size);
    EXPECT_EQ(GetParam().compress(certificate, room), 0U);
  }
}

TEST(Zstd, IsOneFrameOfToday) {
  const auto codec = compression::codec(CertificateCompressionAlgorithm::zstd);
  if (!codec) GTEST_SKIP() << "this build has no Zstandard";
  const Octets certificate = like_certificates(300);
  const Octets frame = compressed(*codec, certificate);
  Octets back(300);
  EXPECT_TRUE(codec->decompress(frame, back));
  // A frame to be skipped before it or behind it, and the magic numbers of versions before 0.8.
  const Octets skippable{0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7};
  Octets before = skippable;
  before.insert(before.end(), frame.begin(), frame.end());
  EXPECT_FALSE(codec->decompress(before, back));
  Octets behind = frame;
  behind.insert(behind.end(), skippable.begin(), skippable.end());
  EXPECT_FALSE(codec->decompress(behind, back));
  for (std::uint8_t version = 0x1e; version < 0x28; ++version) {
    Octets older = frame;
    older[0] = version;
    EXPECT_FALSE(codec->decompress(older, back));
  }
}

// A block that claims to hold 16 MiB, of which nothing follows: no room is made for it.
TEST(Brotli, MakesNoRoomForClaims) {
  const auto codec = compression::codec(CertificateCompressionAlgorithm::brotli);
  if (!codec) GTEST_SKIP() << "this build has no Brotli";
  // WBITS 24; not last, six nibbles of length, not compressed (RFC 7932 9.1, 9.2).
  const Octets claim{0x4f, 0xfc, 0xff, 0xff, 0x1f, 0x30};
  Octets back(1000);
  EXPECT_FALSE(codec->decompress(claim, back));
}

}  // namespace
}  // namespace lockstep
