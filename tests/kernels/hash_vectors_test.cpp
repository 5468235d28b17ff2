#include "responses.hpp"
#include "support.hpp"

namespace lockstep::kernels::test {
namespace {

// The digests of one message by SHA-256, SHA-384 and SHA-512.
struct DigestVector {
  std::string_view message;
  std::size_t repetitions;
  std::array<std::string_view, 3> digests;
};

// NIST's examples for FIPS 180-4, in the public domain (17 U.S.C. 105).
constexpr DigestVector kDigests[] = {
    {"abc",
     1,
     {"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e"
      "2a9ac94fa54ca49f"}},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     1,
     {"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "", ""}},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
     1,
     {"", "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039",
      "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd2654"
      "5e96e55b874be909"}},
    {"a",
     1000000,
     {"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
      "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b07b8b3dc38ecc4ebae97ddd87f3d8985",
      "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e"
      "4eadb217ad8cc09b"}},
};

class HashVectorTest : public EveryHash {
 protected:
  Bytes digest(std::span<const std::uint8_t> message, std::size_t repetitions = 1) const {
    Bytes context(hash().context_size);
    Bytes out(hash().digest_size);
    hash().init(context.data());
    for (; repetitions != 0; --repetitions) hash().update(context.data(), message);
    hash().digest(context.data(), out.data());
    hash().destroy(context.data());
    return out;
  }

  Bytes hmac(const Bytes& key, const Bytes& message) const {
    Bytes prepared(hash().hmac_key_size);
    Bytes out(hash().digest_size);
    const std::array<std::span<const std::uint8_t>, 1> segments{message};
    hash().prepare_hmac_key(prepared.data(), key);
    hash().hmac(prepared.data(), segments, out.data());
    hash().destroy_hmac_key(prepared.data());
    return out;
  }

  static std::string folder() { return LOCKSTEP_CRYPTOGRAPHY_VECTORS; }
  std::string bits() const { return std::to_string(8 * hash().digest_size); }
};

TEST_P(HashVectorTest, Fips180) {
  const std::size_t column = static_cast<std::size_t>(hash().algorithm);
  std::size_t count = 0;
  for (const DigestVector& vector : kDigests) {
    if (vector.digests[column].empty()) continue;
    const Bytes message(vector.message.begin(), vector.message.end());
    EXPECT_EQ(digest(message, vector.repetitions), from_hex(vector.digests[column])) << vector.message;
    ++count;
  }
  EXPECT_EQ(count, 3U);
}

TEST_P(HashVectorTest, AllOfNist) {
  if (folder().empty()) GTEST_SKIP() << "the Debian package python3-cryptography-vectors is not installed";
  std::size_t count = 0;
  for (const char* kind : {"ShortMsg", "LongMsg"}) {
    read_responses(folder() + "/hashes/SHA2/SHA" + bits() + kind + ".rsp", [&](auto& record, auto&) {
      if (!record.contains("MD")) return;
      Bytes message = from_hex(record["Msg"]);
      message.resize(std::stoul(record["Len"]) / 8);
      EXPECT_EQ(digest(message), from_hex(record["MD"])) << kind << " of " << record["Len"] << " bits";
      ++count;
    });
  }
  EXPECT_GE(count, 128U);
}

// RFC 4231 4.3 and 4.7, as code component under the Simplified BSD License.
TEST_P(HashVectorTest, Rfc4231) {
  struct Case {
    Bytes key;
    std::string_view message;
    std::array<std::string_view, 3> macs;
  };
  const std::array<Case, 2> cases{{
      {from_hex("4a656665"),
       "what do ya want for nothing?",
       {"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b"
        "4b636e070a38bce737"}},
      {Bytes(131, 0xaa),
       "Test Using Larger Than Block-Size Key - Hash Key First",
       {"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
        "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0a"
        "ec8b915a985d786598"}},
  }};
  for (const Case& one : cases) {
    EXPECT_EQ(hmac(one.key, Bytes(one.message.begin(), one.message.end())),
              from_hex(one.macs[static_cast<std::size_t>(hash().algorithm)]))
        << one.message;
  }
}

TEST_P(HashVectorTest, AllOfRfc4231) {
  if (folder().empty()) GTEST_SKIP() << "the Debian package python3-cryptography-vectors is not installed";
  std::size_t count = 0;
  read_responses(folder() + "/HMAC/rfc-4231-sha" + bits() + ".txt", [&](auto& record, auto&) {
    if (!record.contains("MD")) return;
    EXPECT_EQ(hmac(from_hex(record["Key"]), from_hex(record["Msg"])), from_hex(record["MD"])) << record["Len"];
    ++count;
  });
  EXPECT_GE(count, 6U);
}

// RFC 5869 appendix A.1 to A.3, as code component under the Simplified BSD License.
TEST_P(HashVectorTest, Rfc5869) {
  if (hash().algorithm != HashAlgorithm::sha256) GTEST_SKIP() << "RFC 5869 has no vectors for " << hash().name;
  const auto counting = [](unsigned first, unsigned last) {
    Bytes bytes;
    for (unsigned value = first; value <= last; ++value) bytes.push_back(static_cast<std::uint8_t>(value));
    return bytes;
  };
  struct Case {
    Bytes ikm, salt, info, prk, okm;
  };
  const std::array<Case, 3> cases{{
      {Bytes(22, 0x0b), counting(0, 0x0c), counting(0xf0, 0xf9),
       from_hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"),
       from_hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")},
      {counting(0, 0x4f), counting(0x60, 0xaf), counting(0xb0, 0xff),
       from_hex("06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244"),
       from_hex(
           "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da32756"
           "00c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87")},
      {Bytes(22, 0x0b),
       {},
       {},
       from_hex("19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04"),
       from_hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")},
  }};
  for (const Case& one : cases) {
    EXPECT_EQ(hmac(one.salt, one.ikm), one.prk);
    Bytes okm(one.okm.size());
    const ExpandJob job{one.prk, one.info, okm};
    EXPECT_TRUE(hash().expand({&job, 1}));
    EXPECT_EQ(okm, one.okm);
  }
}

// RFC 8448 section 3, as code component under the Simplified BSD License.
TEST_P(HashVectorTest, Rfc8448) {
  if (hash().algorithm != HashAlgorithm::sha256) GTEST_SKIP() << "RFC 8448 has no vectors for " << hash().name;
  const Bytes handshake_secret = from_hex("1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac");
  const Bytes server_hello = from_hex("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8");
  Bytes client(32), server(32), client_key(16), client_iv(12), server_key(16), server_iv(12);
  const Bytes client_info = hkdf_label("tls13 c hs traffic", server_hello, client.size());
  const Bytes server_info = hkdf_label("tls13 s hs traffic", server_hello, server.size());
  const std::array<ExpandJob, 2> secrets{
      {{handshake_secret, client_info, client}, {handshake_secret, server_info, server}}};
  ASSERT_TRUE(hash().expand(secrets));
  EXPECT_EQ(client, from_hex("b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21"));
  EXPECT_EQ(server, from_hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"));
  const Bytes key = hkdf_label("tls13 key", {}, client_key.size());
  const Bytes iv = hkdf_label("tls13 iv", {}, client_iv.size());
  const std::array<ExpandJob, 4> keys{
      {{client, key, client_key}, {client, iv, client_iv}, {server, key, server_key}, {server, iv, server_iv}}};
  ASSERT_TRUE(hash().expand(keys));
  EXPECT_EQ(client_key, from_hex("dbfaa693d1762c5b666af5d950258d01"));
  EXPECT_EQ(client_iv, from_hex("5bd3c71b836e0b76bb73265f"));
  EXPECT_EQ(server_key, from_hex("3fce516009c21727d0f2e4e86ee403bc"));
  EXPECT_EQ(server_iv, from_hex("5d313eb2671276ee13000b30"));
}

INSTANTIATE_TEST_SUITE_P(Kernels, HashVectorTest, testing::ValuesIn(hash_implementations()),
                         [](const auto& instance) { return test_name(instance.param); });

}  // namespace
}  // namespace lockstep::kernels::test
