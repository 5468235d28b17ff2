// The vectors of the PRF are those that went over the list of the TLS working group; the other expected values were
// computed by OpenSSL 3.5 (openssl kdf TLS1-PRF) from the formulas of RFC 5246, 5705 and 7627.

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <gtest/gtest.h>

#include <lockstep/botan.hpp>

#include "key_schedule/tls12.hpp"
#include "vectors/vectors.hpp"

namespace lockstep::key_schedule::tls12 {
namespace {

using tests::from_hex;
using tests::Octets;
using tests::to_hex;

const Hash& hash(HashAlgorithm id) {
  static const Provider botan = botan::provider();
  return *botan.hash(id);
}
const Hash& sha256() { return hash(HashAlgorithm::sha256); }
const Hash& sha384() { return hash(HashAlgorithm::sha384); }

Octets counted(std::size_t size, std::uint8_t first) {
  Octets bytes(size);
  for (std::uint8_t& byte : bytes) byte = first++;
  return bytes;
}

const Octets kClientRandom = counted(32, 64);
const Octets kServerRandom = counted(32, 128);

Octets premaster_secret() {
  Octets secret = counted(48, 0);
  secret[0] = 3;
  secret[1] = 3;
  return secret;
}

Digest transcript(const Hash& of) {
  Digest digest(of.digest_size);
  std::ranges::copy(counted(of.digest_size, 192), digest.writable().begin());
  return digest;
}

MasterSecret master(const Hash& of) {
  return master_secret(of, premaster_secret(), kClientRandom, kServerRandom).value();
}

std::string prf_hex(const Hash& of, std::string_view secret, std::string_view seed, std::size_t size) {
  Octets out(size);
  const Octets whole = from_hex(seed);
  // In two parts, as the callers have it.
  EXPECT_TRUE(prf(of, from_hex(secret), "test label", {Bytes(whole).first(5), Bytes(whole).subspan(5)}, out));
  return to_hex(out);
}

TEST(Prf, GivesThePublishedVectors) {
  EXPECT_EQ(prf_hex(sha256(), "9bbe436ba940f017b17652849a71db35", "a0ba9f936cda311827a6f796ffd5198c", 100),
            "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af"
            "0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
            "87347b66");
  EXPECT_EQ(prf_hex(sha384(), "b80b733d6ceefcdc71566ea48e5567df", "cd665cf6a8447dd6ff8b27555edb7465", 148),
            "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0"
            "e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425"
            "9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e099070"
            "3d73e56f");
  EXPECT_EQ(
      prf_hex(hash(HashAlgorithm::sha512), "b0323523c1853599584d88568bbb05eb", "d4640e12e4bcdbfb437f03e6ae418ee5", 196),
      "1261f588c798c5c201ff036e7a9cb5edcd7fe3f94c669a122a4638d7d508b283042df6789875c7147e906d868bc75c45"
      "e20eb40c1cf4a1713b27371f68432592f7dc8ea8ef223e12ea8507841311bf68653d0cfc4056d811f025c45ddfa6e6fe"
      "c702f054b409d6f28dd0a3233e498da41a3e75c5630eedbe22fe254e33a1b0e9f6b9826675bec7d01a845658dc9c3975"
      "45401d40b9f46c7a400ee1b8f81ca0a60d1a397a1028bff5d2ef5066126842fb8da4197632bdb54ff6633f86bbc836e6"
      "40d4d898");
}

TEST(Prf, IsCutWhereverItEnds) {
  const std::string longest = prf_hex(sha256(), "00", "000102030405", 97);
  for (std::size_t size = 0; size < 97; ++size)
    EXPECT_EQ(prf_hex(sha256(), "00", "000102030405", size), longest.substr(0, 2 * size)) << size;
}

TEST(Prf, TakesASeedOfFewParts) {
  Octets out(12);
  EXPECT_TRUE(prf(sha256(), {}, "", {}, out));
  const Bytes part;
  EXPECT_TRUE(prf(sha256(), {}, "", {part, part, part, part}, out));
  EXPECT_FALSE(prf(sha256(), {}, "", {part, part, part, part, part}, out));
}

TEST(MasterSecretOf, PremasterSecretAndRandoms) {
  EXPECT_EQ(to_hex(master(sha256()).view()),
            "d7bf978113bfad56679e86703151a9263b008d4ebb18ee3a2b7a9c4487c2eb827f16380609e2c372f1608600ce3470b4");
  EXPECT_EQ(to_hex(master(sha384()).view()),
            "ff4baf0dbf7a9366329ec207bcf1ed0beb84ee0265cc6bd45d3d729ba904fe23482af10490ffd9b5335a16bc6ceffcdd");
}

TEST(MasterSecretOf, SessionHash) {
  const auto extended = [](const Hash& of) {
    return to_hex(extended_master_secret(of, premaster_secret(), transcript(of)).value().view());
  };
  EXPECT_EQ(extended(sha256()),
            "2993a1201367a7df9bc514a07aaa8f6426b3e808dae67c0fc307303b7548b818928a8c63ae002c98c2dea50d2919cc12");
  EXPECT_EQ(extended(sha384()),
            "ac66cc707881bfbe842ecf1967ca022a83a9b354778d8dd9a752ca6ef602400c65ae4e6ede14b37dccab13f295de0e2a");
}

TEST(MasterSecretOf, ASessionHasItsLength) {
  const Octets kept = counted(48, 7);
  EXPECT_EQ(to_hex(MasterSecret::of_session(kept).value().view()), to_hex(kept));
  EXPECT_EQ(to_hex(MasterSecret::of_session(kept).value().clone().view()), to_hex(kept));
  EXPECT_FALSE(MasterSecret::of_session(Bytes(kept).first(47)));
  EXPECT_FALSE(MasterSecret::of_session(counted(49, 7)));
  static_assert(!std::is_copy_constructible_v<MasterSecret> && !std::is_default_constructible_v<MasterSecret>);
  static_assert(!std::is_convertible_v<DigestSecret, MasterSecret>);
}

TEST(KeyBlockOf, ASuiteWithAnAead) {
  const auto keys = key_block(sha256(), master(sha256()), kClientRandom, kServerRandom, {.key = 16, .iv = 4}).value();
  EXPECT_TRUE(keys.client_mac.empty());
  EXPECT_TRUE(keys.server_mac.empty());
  EXPECT_EQ(to_hex(keys.client_key.view()), "c6adacc34135a3a19a05c89001d780bc");
  EXPECT_EQ(to_hex(keys.server_key.view()), "c5bb30cbef88de760458544a0bde879f");
  EXPECT_EQ(to_hex(keys.client_iv.view()), "158ed72b");
  EXPECT_EQ(to_hex(keys.server_iv.view()), "597df477");
}

TEST(KeyBlockOf, ASuiteWithCbc) {
  const auto keys =
      key_block(sha384(), master(sha384()), kClientRandom, kServerRandom, {.mac_key = 48, .key = 32}).value();
  EXPECT_EQ(to_hex(keys.client_mac.view()),
            "bba9a8195533e840ce9058a8daf8c94973ba2f62f6aefdcdf69c30e30e48d163c2c478cc7444e2eaf765230ab061dc72");
  EXPECT_EQ(to_hex(keys.server_mac.view()),
            "95291cf9cf44c0f3cc4942f50dde947373cc55b9d7e8066dec72a4d38437bbe30c6d45cfffc17da12f23c5909d1135bd");
  EXPECT_EQ(to_hex(keys.client_key.view()), "84a22930b178aa9f3cad205f8a58a1ebabf33dbb9133a4705f2974ce6b273ae0");
  EXPECT_EQ(to_hex(keys.server_key.view()), "ca9803f00fcef3971400d23bf12065caafa2fe4a0dcf214f3e4352d6ad12d04b");
  EXPECT_TRUE(keys.client_iv.empty());
  EXPECT_TRUE(keys.server_iv.empty());
}

BoundSuite bound(CipherSuite suite) {
  static const Provider provider = botan::provider();
  const SuiteParts known = parts(suite).value();
  if (known.cbc) return {.cbc = provider.cbc_cipher(known.cbc->cipher), .mac = provider.record_mac(known.cbc->mac)};
  return {.aead = provider.aead(*known.aead)};
}

TEST(KeyBlockOf, EverySuiteHasItsSizes) {
  const auto sizes = [](CipherSuite suite) {
    const auto [mac_key, key, iv] = key_sizes(bound(suite));
    return std::to_string(mac_key) + " " + std::to_string(key) + " " + std::to_string(iv);
  };
  EXPECT_EQ(sizes(CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256), "0 16 4");
  EXPECT_EQ(sizes(CipherSuite::tls_ecdhe_ecdsa_with_aes_256_gcm_sha384), "0 32 4");
  EXPECT_EQ(sizes(CipherSuite::tls_ecdhe_rsa_with_chacha20_poly1305_sha256), "0 32 12");
  EXPECT_EQ(sizes(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_ccm), "0 16 4");
  EXPECT_EQ(sizes(CipherSuite::tls_rsa_with_aes_256_ccm_8), "0 32 4");
  EXPECT_EQ(sizes(CipherSuite::tls_rsa_with_aes_128_cbc_sha), "20 16 0");
  EXPECT_EQ(sizes(CipherSuite::tls_dhe_rsa_with_aes_256_cbc_sha256), "32 32 0");
  EXPECT_EQ(sizes(CipherSuite::tls_ecdhe_ecdsa_with_aes_256_cbc_sha384), "48 32 0");
}

TEST(VerifyDataOf, EachSide) {
  const auto data = [](const Hash& of, Role sender) {
    return to_hex(verify_data(of, master(of), sender, transcript(of)).value());
  };
  EXPECT_EQ(data(sha256(), Role::client), "681e3e2376194ab3080d8a9b");
  EXPECT_EQ(data(sha256(), Role::server), "2c206e9bd1b630b134c94935");
  EXPECT_EQ(data(sha384(), Role::client), "3365bd973e8c1710378a65fa");
  EXPECT_EQ(data(sha384(), Role::server), "54061595dad352a10090704a");
}

bool exports(std::string_view label, std::optional<Bytes> context, MutableBytes out) {
  return export_keying_material(sha256(), master(sha256()), kClientRandom, kServerRandom, label, context, out);
}

TEST(Exporter12, TellsNoContextFromAnEmptyOne) {
  Octets out(40);
  ASSERT_TRUE(exports("EXPORTER-test", std::nullopt, out));
  EXPECT_EQ(to_hex(out), "5de4e11758899573400beeb9c423ff0a7138d3b8580b3c1813a4278fb9f06faa485343de34dc41d6");
  ASSERT_TRUE(exports("EXPORTER-test", Bytes(), out));
  EXPECT_EQ(to_hex(out), "cca405e2d72847d9d7f53a88c7cc6a19f811741fdfce5cc237e9a5efd28e8b6305827902c2f2f8d8");
  ASSERT_TRUE(exports("EXPORTER-test", as_bytes("context"), out));
  EXPECT_EQ(to_hex(out), "d7c3d4f46d54c235296b1c32fbfcca5d189e6db295b5ea1d90e57f910650950e6fc08ff0cc7e10ad");
}

TEST(Exporter12, RefusesWhatWouldGiveASecretAway) {
  Octets out(12);
  for (const std::string_view label :
       {"client finished", "server finished", "master secret", "key expansion", "extended master secret"})
    EXPECT_FALSE(exports(label, std::nullopt, out)) << label;
  EXPECT_TRUE(exports("Master secret", std::nullopt, out));
  const Octets context(65536);
  EXPECT_TRUE(exports("EXPORTER-test", Bytes(context).first(65535), out));
  EXPECT_FALSE(exports("EXPORTER-test", Bytes(context), out));
}

TEST(KeySchedule12, SaysWhenTheProviderFails) {
  Hash failing = sha256();
  failing.hmac = [](Bytes, std::span<const Bytes>, MutableBytes) noexcept { return false; };
  const MasterSecret secret = master(sha256());
  EXPECT_FALSE(master_secret(failing, premaster_secret(), kClientRandom, kServerRandom));
  EXPECT_FALSE(extended_master_secret(failing, premaster_secret(), transcript(failing)));
  EXPECT_FALSE(key_block(failing, secret, kClientRandom, kServerRandom, {.key = 16, .iv = 4}));
  EXPECT_FALSE(verify_data(failing, secret, Role::client, transcript(failing)));
}

}  // namespace
}  // namespace lockstep::key_schedule::tls12
