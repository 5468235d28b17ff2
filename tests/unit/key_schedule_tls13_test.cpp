// What the traces of RFC 8448 do not show. Expected values were computed with another implementation (pyca/cryptography
// and Python's hmac) from the formulas of RFC 9846 7.

#include <array>
#include <string>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include <lockstep/botan.hpp>

#include "key_schedule/known.hpp"
#include "key_schedule/tls13.hpp"
#include "vectors/vectors.hpp"

namespace lockstep::key_schedule {
namespace {

using tests::from_hex;
using tests::Octets;
using tests::to_hex;

const Provider& provider() {
  static const Provider botan = botan::provider();
  return botan;
}
const Hash& sha256() { return *provider().hash(HashAlgorithm::sha256); }
const Hash& sha384() { return *provider().hash(HashAlgorithm::sha384); }

// The exporter and client secrets of RFC 8448, section 3.
DigestSecret exporter() {
  return DigestSecret(from_hex("fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50"));
}
DigestSecret client_secret() {
  return DigestSecret(from_hex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"));
}

TEST(Labels, HaveThePrefixOfTheProtocol) {
  Octets out(16);
  ASSERT_TRUE(hkdf_expand_label(sha256(), client_secret().view(), "key", {}, out));
  EXPECT_EQ(to_hex(out), "17422dda596ed5d9acd890e3c63f5051");
  ASSERT_TRUE(hkdf_expand_label({sha256(), LabelPrefix::dtls13}, client_secret().view(), "key", {}, out));
  EXPECT_EQ(to_hex(out), "2ecf9e19c4c4fc2264df54d5d5a52b14");
  const auto early = EarlySecret::from_psk({sha256(), LabelPrefix::dtls13}, as_bytes("psk"));
  const auto other = EarlySecret::from_psk(sha256(), as_bytes("psk"));
  EXPECT_NE(to_hex(early->binder(PskKind::external, Digest(32))->view()),
            to_hex(other->binder(PskKind::external, Digest(32))->view()));
}

TEST(Exporter, GivesKeyingMaterial) {
  Octets out(40);
  ASSERT_TRUE(export_keying_material(sha256(), exporter(), "EXPORTER-test", as_bytes("context"), out));
  EXPECT_EQ(to_hex(out), "6b42f9f9156843559fc98feed480120e49314d669b27529015fe4759a5284e6ae158bb66c2d12a60");
  ASSERT_TRUE(export_keying_material(sha256(), exporter(), "EXPORTER-test", {}, out));
  EXPECT_EQ(to_hex(out), "c0ae425c1e11b4fcafcd747d75b2ed10d72089970cd324f4e24383ceed7fc07ee8ee49f55601b510");
}

TEST(Exporter, RefusesWhatCannotBeEncoded) {
  Octets out(32);
  EXPECT_TRUE(export_keying_material(sha256(), exporter(), std::string(kMaxExporterLabel, 'a'), {}, out));
  EXPECT_FALSE(export_keying_material(sha256(), exporter(), std::string(kMaxExporterLabel + 1, 'a'), {}, out));
  Octets most(255 * 32);
  EXPECT_TRUE(export_keying_material(sha256(), exporter(), "a", {}, most));
  Octets more(255 * 32 + 1);
  EXPECT_FALSE(export_keying_material(sha256(), exporter(), "a", {}, more));
  EXPECT_FALSE(hkdf_expand_label(sha256(), exporter().view(), "a", Octets(256), out));
  EXPECT_TRUE(hkdf_expand_label(sha256(), exporter().view(), "a", Octets(255), out));
}

TEST(TrafficSecret, IsUpdated) {
  const auto next = next_traffic_secret(sha256(), client_secret());
  ASSERT_TRUE(next);
  EXPECT_EQ(to_hex(next->view()), "fcdfcc72725aaee48bf64e4fd8b749cdbdbab39d90da0b26e2245ca6ea167207");
}

TEST(TrafficSecret, GivesTheSameKeyAloneAsInAPair) {
  const TrafficSecrets secrets{.client = client_secret(), .server = exporter()};
  const auto keys = traffic_keys(sha256(), secrets, 32);
  const auto client = traffic_key(sha256(), secrets.client, 32);
  const auto server = traffic_key(sha256(), secrets.server, 32);
  ASSERT_TRUE(keys && client && server);
  EXPECT_EQ(to_hex(keys->client.key.view()), to_hex(client->key.view()));
  EXPECT_EQ(to_hex(keys->client.iv.view()), to_hex(client->iv.view()));
  EXPECT_EQ(to_hex(keys->server.key.view()), to_hex(server->key.view()));
  EXPECT_EQ(to_hex(keys->server.iv.view()), to_hex(server->iv.view()));
  EXPECT_EQ(keys->server.key.size(), 32U);
}

TEST(EarlySecret, BindsExternalKeysWithALabelOfTheirOwn) {
  const auto early = EarlySecret::from_psk(sha384(), as_bytes("external psk"));
  const auto hello = digest_of(sha384(), {as_bytes("hello")});
  ASSERT_TRUE(early && hello);
  const auto binder = early->binder(PskKind::external, *hello);
  ASSERT_TRUE(binder);
  EXPECT_EQ(to_hex(binder->view()),
            "0cdecb83304133b2743f37ab65dde86f78178b7a63aff4b3850f7ba5ede49239e55d1fc7fb36b97624f8b5526d3f1f20");
  EXPECT_NE(to_hex(early->binder(PskKind::resumption, *hello)->view()), to_hex(binder->view()));
}

// RFC 9258 5.1, for TLS 1.3 and both KDFs: computed by Python's hmac and hashlib.
TEST(ImportedPsk, IsDerivedForItsIdentity) {
  const auto imported = [](const Hash& hash, std::string_view kdf, std::size_t size) {
    const auto identity = from_hex("000873656e736f722037000f73656e736f72203720746f206875620304" + std::string(kdf));
    std::vector<std::uint8_t> key(size);
    EXPECT_TRUE(import_psk(hash, as_bytes("not to be guessed"), identity, key));
    return to_hex(key);
  };
  EXPECT_EQ(imported(sha256(), "0001", 32), "eedf795783114d1da56f26ca166ff5bfa009c3c486af24e9cef8de4e2ecddd1e");
  EXPECT_EQ(imported(sha256(), "0002", 48),
            "90b037ce1302694952997a850d928847de7c1d840bc3d3728d476ce0b1a0c5448007396a5dd644c401da9b827233cbdc");
  EXPECT_EQ(imported(sha384(), "0001", 32), "925cd9970ef85e2206d44beffa9a6d9e3e26b34d1a1b44999a333dedaee78c59");
  EXPECT_EQ(imported(sha384(), "0002", 48),
            "546ffcf6462df21ed554efd9495b558e85329a302f478cde6272d5243032aa85ce5c0ddcd47c15f083833a64fef050fa");
}

TEST(Constants, AreWhatIsDerived) {
  for (const auto algorithm : {HashAlgorithm::sha256, HashAlgorithm::sha384}) {
    const Hash* const hash = provider().hash(algorithm);
    if (hash == nullptr) continue;
    const auto nothing = digest_of(*hash, {});
    EXPECT_EQ(to_hex(digest_of_nothing(algorithm)), to_hex(nothing->view()));
    for (const auto prefix : {LabelPrefix::tls13, LabelPrefix::dtls13}) {
      const Schedule schedule(*hash, prefix);
      const Octets zeros(hash->digest_size);
      DigestSecret early(hash->digest_size);
      const std::array<Bytes, 1> input{Bytes(zeros)};
      ASSERT_TRUE(hash->hmac(zeros, input, early.writable()));
      const auto salt = derive_secret(schedule, early, "derived", *nothing);
      EXPECT_EQ(to_hex(salt_without_psk(schedule)), to_hex(salt->view())) << schedule.prefix();
    }
  }
}

TEST(EarlySecret, TakesZerosForAKeyExchangeThatDidNotHappen) {
  auto early = EarlySecret::from_psk(sha384(), as_bytes("external psk"));
  const auto hello = digest_of(sha384(), {as_bytes("hello")});
  ASSERT_TRUE(early && hello);
  auto handshake = std::move(*early).handshake_secret({});
  ASSERT_TRUE(handshake);
  const auto secrets = std::move(*handshake).derive(*hello);
  ASSERT_TRUE(secrets);
  EXPECT_EQ(to_hex(secrets->traffic.client.view()),
            "8cfa0eb8422c9841bb58f11bb05a69ff028f9b354b85e14543d34b07bb95f84e69f27989c70c97c51d30d2af13b21093");
}

// A stage is made by the one before it alone, and is not copied.
static_assert(!std::is_default_constructible_v<HandshakeSecret> && !std::is_copy_constructible_v<HandshakeSecret>);
static_assert(!std::is_default_constructible_v<MainSecret> && !std::is_copy_constructible_v<MainSecret>);
static_assert(!std::is_constructible_v<MainSecret, const Hash&>);
template <class Stage>
concept GivesHandshakeSecret = requires(Stage stage) { std::forward<Stage>(stage).handshake_secret(Bytes{}); };
static_assert(GivesHandshakeSecret<EarlySecret&&> && !GivesHandshakeSecret<EarlySecret&>);

TEST(KeySchedule, SaysWhenTheProviderFails) {
  Hash failing = sha256();
  failing.expand = [](std::span<const ExpandJob>) noexcept { return false; };
  EXPECT_FALSE(next_traffic_secret(failing, client_secret()));
  EXPECT_FALSE(traffic_key(failing, client_secret(), 16));
  EXPECT_FALSE(finished_verify_data(failing, client_secret(), Digest()));
  auto early = EarlySecret::from_psk(failing, Octets(32));
  ASSERT_TRUE(early);
  EXPECT_FALSE(early->binder(PskKind::resumption, Digest()));
  EXPECT_FALSE(std::move(*early).handshake_secret(Octets(32)));
  failing.hmac = [](Bytes, std::span<const Bytes>, MutableBytes) noexcept { return false; };
  EXPECT_FALSE(EarlySecret::from_psk(failing, Octets(32)));
  EXPECT_FALSE(HandshakeSecret::without_psk(failing, Octets(32)));
}

TEST(Transcript, HashesMessagesAndLetsMoreFollow) {
  Transcript transcript;
  EXPECT_FALSE(transcript.started());
  ASSERT_TRUE(transcript.start(sha256()));
  EXPECT_EQ(to_hex(transcript.digest()->view()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  transcript.update(as_bytes("a"));
  const auto first = transcript.digest();
  transcript.update(as_bytes("bc"));
  // FIPS 180-4: SHA-256("abc").
  EXPECT_EQ(to_hex(transcript.digest()->view()), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(first->view()), to_hex(digest_of(sha256(), {as_bytes("a")})->view()));
}

TEST(Transcript, MovesWithItsState) {
  Transcript transcript;
  ASSERT_TRUE(transcript.start(sha384()));
  transcript.update(as_bytes("a"));
  Transcript moved = std::move(transcript);
  EXPECT_FALSE(transcript.started());  // NOLINT(bugprone-use-after-move): that is what is tested
  moved.update(as_bytes("bc"));
  EXPECT_EQ(to_hex(moved.digest()->view()), to_hex(digest_of(sha384(), {as_bytes("ab"), as_bytes("c")})->view()));
  transcript = std::move(moved);
  EXPECT_TRUE(transcript.started());
  transcript.clear();
  EXPECT_FALSE(transcript.started());
}

TEST(Transcript, SaysWhenTheProviderFails) {
  Hash failing = sha256();
  failing.init = [](void*) noexcept { return false; };
  Transcript transcript;
  EXPECT_FALSE(transcript.start(failing));
  EXPECT_FALSE(transcript.started());
  EXPECT_FALSE(digest_of(failing, {}));
}

}  // namespace
}  // namespace lockstep::key_schedule
