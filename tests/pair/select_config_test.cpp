// A server whose application looks at the ClientHello first (SelectConfig).

#include "tls12_pair.hpp"

namespace lockstep::testing {
namespace {

constexpr std::string_view kAsked = "select_config";

std::ptrdiff_t times_asked(const End& server) { return std::ranges::count(server.events, kAsked); }

class SelectsConfig : public ::testing::TestWithParam<ProtocolVersion> {
 protected:
  [[nodiscard]] static ClientConfigBuilder client() { return client_builder().versions(GetParam(), GetParam()); }
  [[nodiscard]] static ServerConfigBuilder server() { return server_builder().versions(GetParam(), GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Versions, SelectsConfig, ::testing::Values(kTls12, ProtocolVersion::tls_1_3),
                         [](const auto& of) { return of.param == kTls12 ? "Tls12" : "Tls13"; });

TEST_P(SelectsConfig, AsksOnceAndGoesOn) {
  Pair pair(built(client().alpn({"one", "two"})), built(server().alpn({"two"}).select_config()));
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.server.events.front(), kAsked);
  EXPECT_EQ(times_asked(pair.server), 1);
  EXPECT_EQ(pair.client.connection.alpn(), "two");
  const ClientHelloInfo& hello = pair.server.client_hello;
  EXPECT_EQ(hello.server_name, "example.com");
  EXPECT_EQ(hello.alpn, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(std::ranges::count(hello.versions, GetParam()), 1);
  EXPECT_NE(std::ranges::find(hello.cipher_suites, *pair.server.connection.suite()), hello.cipher_suites.end());
  EXPECT_NE(std::ranges::find(hello.extensions, ExtensionType::server_name), hello.extensions.end());
  EXPECT_FALSE(hello.schemes.empty());
  EXPECT_FALSE(hello.groups.empty());
  EXPECT_EQ(hello.key_shares.empty(), GetParam() == kTls12);
  expect_echo(pair);
}

// What the connection was made with is let go, and everything is as the other one says.
TEST_P(SelectsConfig, GoesOnWithAnotherConfiguration) {
  auto first = built(server().select_config().alpn({"first"}));
  const std::weak_ptr<const ServerConfig> made_with = first;
  Pair pair(built(client().alpn({"first", "other"})), std::move(first));
  pair.server.selected.config = built(server().alpn({"other"}).client_auth(ClientAuth::require).max_send_fragment(100));
  pair.client.credential = credential_of(usual_key());
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.connection.alpn(), "other");
  EXPECT_EQ(std::ranges::count(pair.server.events, "verify_peer"), 1);
  EXPECT_TRUE(made_with.expired());
  expect_echo(pair);
}

TEST_P(SelectsConfig, ChoosesTheVersionToo) {
  Pair pair(built(client_builder()), built(server_builder().select_config()));
  pair.server.selected.config = built(server());
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.connection.version(), GetParam());
}

TEST_P(SelectsConfig, ChoosesTheProtocol) {
  const std::vector<std::string> all{"one", "two", "three"};
  for (const std::string_view wanted : {"three", "two", ""}) {
    Pair pair(built(client().alpn({"two", "three"})), built(server().alpn(all).select_config()));
    pair.server.selected.alpn = wanted;
    pair.run();
    expect_connected(pair);
    for (const End* end : {&pair.client, &pair.server}) EXPECT_EQ(end->connection.alpn(), wanted);
  }
}

TEST_P(SelectsConfig, RefusesProtocolsThatAreNotToBeHad) {
  Pair pair(built(client().alpn({"two", "three"})), built(server().alpn({"one", "two"}).select_config()));
  auto question = pair.ask_server();
  auto& asked = std::get<SelectConfig>(question);
  for (const std::string_view wanted : {"one", "three", "four"}) {
    EXPECT_EQ(pair.server.connection.answer(std::move(asked.token), ConfigSelected{.alpn = wanted}),
              std::unexpected(Misuse::invalid_answer));
    EXPECT_TRUE(asked.token);
  }
  EXPECT_EQ(pair.server.connection.answer(std::move(asked.token), ClientHelloRefused{Alert::close_notify}),
            std::unexpected(Misuse::invalid_answer));
  EXPECT_TRUE(pair.server.connection.answer(std::move(asked.token), ConfigSelected{.alpn = "two"}));
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.connection.alpn(), "two");
}

TEST_P(SelectsConfig, RefusesWithAnAlertOfItsChoice) {
  for (const Alert alert : {Alert::unrecognized_name, Alert::access_denied, Alert::no_application_protocol}) {
    Pair pair(built(client()), built(server().select_config()));
    pair.server.refused_hello = ClientHelloRefused{alert};
    pair.run();
    ASSERT_TRUE(pair.server.error && pair.client.error);
    EXPECT_EQ(pair.server.error->reason, Reason::client_hello_refused);
    EXPECT_EQ(pair.server.error->place, Place::client_hello);
    EXPECT_EQ(pair.server.error->origin, Origin::application);
    EXPECT_EQ(pair.server.error->alert, alert);
    EXPECT_EQ(pair.client.error->reason, Reason::peer_alert);
    EXPECT_EQ(pair.client.error->alert, alert);
  }
}

TEST(SelectsConfigOnce, BeforeARetryAndNotInARenegotiation) {
  Pair retried(
      built(client_builder().groups({NamedGroup::x25519, NamedGroup::secp256r1}).key_shares({NamedGroup::x25519})),
      built(server_builder().select_config()));
  retried.server.selected.config = built(server_builder().groups({NamedGroup::secp256r1}));
  retried.run();
  if (provider().supports(NamedGroup::secp256r1)) {
    expect_connected(retried);
    EXPECT_TRUE(retried.client.connection.retried());
    EXPECT_EQ(times_asked(retried.server), 1);
  }

  Pair again(built(old_client().renegotiation(Renegotiation::freely)),
             built(old_server().renegotiation(Renegotiation::freely).select_config()));
  again.run();
  expect_connected(again);
  ASSERT_TRUE(again.client.connection.renegotiate(kNow));
  again.run();
  EXPECT_EQ(std::ranges::count(again.server.events, "renegotiated"), 1);
  EXPECT_EQ(times_asked(again.server), 1);
}

// RFC 6066 3: a warning is sent where the handshake goes on all the same; TLS 1.3 has none.
TEST_P(SelectsConfig, WarnsOfANameInTls12) {
  Pair pair(built(client()), built(server().select_config()));
  pair.server.selected.warn_unrecognized_name = true;
  pair.run();
  expect_connected(pair);
  expect_echo(pair);
}

// A session is resumed where the same is verified by the same, whatever configuration a ClientHello led to.
TEST_P(SelectsConfig, KeepsSessionsApart) {
  const auto keys = ticket_keys();
  if (keys == nullptr) GTEST_SKIP() << "this provider seals no tickets";
  const auto client_config = built(client());
  const auto server_config = built(server().select_config().client_auth(ClientAuth::request));
  SessionContext other{};
  other.front() = 1;
  std::vector<Session> sessions;
  const auto connect = [&](std::optional<SessionContext> verification) {
    Pair pair(client_config, server_config, {x509::PeerName::dns("example.com").value(), sessions}, {},
              static_cast<std::uint64_t>(sessions.size() + 1));
    sessions.clear();
    pair.client.credential = credential_of(usual_key());
    pair.server.ticket_keys = keys;
    pair.server.selected.verification = verification;
    pair.run();
    expect_connected(pair);
    sessions = std::move(pair.client.sessions);
    sessions.resize(1);
    return pair.client.connection.resumed();
  };
  EXPECT_FALSE(connect(std::nullopt));
  EXPECT_TRUE(connect(std::nullopt));
  EXPECT_FALSE(connect(other));
  EXPECT_TRUE(connect(other));
  EXPECT_FALSE(connect(std::nullopt));
}

// FoxIO's specification (https://github.com/FoxIO-LLC/ja4) has this hello and this fingerprint as its example.
TEST(ClientHelloInfo, HasThePublishedFingerprintOfJa4) {
  ClientHelloInfo hello;
  hello.legacy_version = kTls12;
  const auto suites = {0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030,
                       0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
  for (const int suite : suites) hello.cipher_suites.push_back(static_cast<CipherSuite>(suite));
  const auto extensions = {0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d,
                           0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015};
  for (const int type : extensions) hello.extensions.push_back(static_cast<ExtensionType>(type));
  const auto schemes = {0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601};
  for (const int scheme : schemes) hello.schemes.push_back(static_cast<SignatureScheme>(scheme));
  hello.server_name = "example.com";
  hello.versions = {static_cast<ProtocolVersion>(0x2a2a), ProtocolVersion::tls_1_3, kTls12};
  hello.alpn = {"h2", "http/1.1"};
  if (provider().insecure()) GTEST_SKIP() << "its SHA-256 is none";
  EXPECT_EQ(ja4(hello, provider()), "t13d1516h2_8daaf6152771_e5627efa2ab1");
  EXPECT_TRUE(ja3_text(hello).starts_with("771,4865-4866-4867-49195-49199-"));
  // Its table of protocols that are no letters and digits.
  const std::pair<std::string_view, std::string_view> protocols[] = {{"\xab", "ab"},
                                                                     {"\xab\xcd", "ad"},
                                                                     {"0\xab", "3b"},
                                                                     {"01\xab\xcd", "3d"},
                                                                     {"0\xab\xcd"
                                                                      "1",
                                                                      "01"},
                                                                     {"h", "hh"}};
  for (const auto& [name, word] : protocols) {
    hello.alpn = {std::string(name)};
    EXPECT_EQ(ja4(hello, provider()).substr(8, 2), word);
  }
  hello.alpn.clear();
  std::erase(hello.extensions, ExtensionType::server_name);
  hello.cipher_suites.clear();
  EXPECT_TRUE(ja4(hello, provider()).starts_with("t13i001500_000000000000_"));
  hello.extensions.clear();
  hello.schemes.clear();
  EXPECT_EQ(ja4(hello, provider()), "t13i000000_000000000000_000000000000");
}

// The examples of https://github.com/salesforce/ja3.
TEST(ClientHelloInfo, HasThePublishedTextsOfJa3) {
  ClientHelloInfo hello;
  hello.legacy_version = ProtocolVersion::tls_1_0;
  for (const int suite : {4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99})
    hello.cipher_suites.push_back(static_cast<CipherSuite>(suite));
  EXPECT_EQ(ja3_text(hello), "769,4-5-10-9-100-98-3-6-19-18-99,,,");

  hello.cipher_suites.clear();
  for (const int suite : {0x3a3a, 47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4})
    hello.cipher_suites.push_back(static_cast<CipherSuite>(suite));
  for (const int type : {0, 10, 11}) hello.extensions.push_back(static_cast<ExtensionType>(type));
  for (const int group : {23, 24, 25}) hello.groups.push_back(static_cast<NamedGroup>(group));
  hello.ec_point_formats = {0};
  EXPECT_EQ(ja3_text(hello), "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
}

TEST(ClientHelloInfo, ReadsNothingElse) {
  EXPECT_FALSE(ClientHelloInfo::read({}));
  const std::array<std::uint8_t, 4> server_hello{2, 0, 0, 0};
  EXPECT_EQ(ClientHelloInfo::read(server_hello).error().reason, Reason::message_unexpected);
  const std::array<std::uint8_t, 5> cut{1, 0, 0, 2, 3};
  EXPECT_FALSE(ClientHelloInfo::read(cut));
}

}  // namespace
}  // namespace lockstep::testing
