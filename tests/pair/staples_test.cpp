// OCSP responses and SCTs beside certificates: who asks, who shows, and who is told.

#include "pair/pair.hpp"

namespace lockstep::testing {
namespace {

const Staples kNone{};
// The engine does not look into a response.
const Staples kStaples{{0x30, 0x03, 0x0a, 0x01, 0x00}, {0x00, 0x07, 0x00, 0x01, 0xaa, 0x00, 0x02, 0xbb, 0xcc}};

std::shared_ptr<const Credential> stapled(const Staples& staples = kStaples) {
  Credential credential = *credential_of(usual_key());
  credential.ocsp_response = staples.ocsp_response;
  credential.sct_list = staples.sct_list;
  return std::make_shared<const Credential>(std::move(credential));
}

TEST(Staples, GoOutWhenTheyAreAskedFor) {
  for (const bool ocsp : {false, true}) {
    for (const bool scts : {false, true}) {
      SCOPED_TRACE(std::string(ocsp ? "OCSP " : "") + (scts ? "SCTs" : ""));
      Pair pair(built(client_builder().ocsp_stapling(ocsp).signed_certificate_timestamps(scts)),
                built(server_builder()));
      pair.server.credential = stapled();
      pair.run();
      expect_connected(pair);
      EXPECT_EQ(pair.server.ocsp_requested, ocsp);
      EXPECT_EQ(pair.server.scts_requested, scts);
      const Staples expected{ocsp ? kStaples.ocsp_response : kNone.ocsp_response,
                             scts ? kStaples.sct_list : kNone.sct_list};
      EXPECT_EQ(pair.client.judged_staples, std::vector{expected});
      EXPECT_EQ(pair.client.peer_staples, expected);
      EXPECT_EQ(pair.server.peer_staples, kNone);
    }
  }
}

TEST(Staples, NobodyAsksByDefault) {
  Pair pair(built(client_builder()), built(server_builder().client_auth(ClientAuth::require)));
  pair.server.credential = stapled();
  pair.client.credential = stapled();
  pair.run();
  expect_connected(pair);
  EXPECT_FALSE(pair.server.ocsp_requested || pair.server.scts_requested);
  EXPECT_FALSE(pair.client.ocsp_requested || pair.client.scts_requested);
  EXPECT_EQ(pair.client.judged_staples, std::vector{kNone});
  EXPECT_EQ(pair.server.judged_staples, std::vector{kNone});
}

TEST(Staples, AServerAsksItsClients) {
  Pair pair(
      built(client_builder()),
      built(server_builder().client_auth(ClientAuth::require).ocsp_stapling(true).signed_certificate_timestamps(true)));
  pair.client.credential = stapled();
  pair.run();
  expect_connected(pair);
  EXPECT_TRUE(pair.client.ocsp_requested && pair.client.scts_requested);
  EXPECT_FALSE(pair.server.ocsp_requested || pair.server.scts_requested);
  EXPECT_EQ(pair.server.judged_staples, std::vector{kStaples});
  EXPECT_EQ(pair.server.peer_staples, kStaples);
  EXPECT_EQ(pair.client.peer_staples, kNone);
}

TEST(Staples, NobodyHasToShowAny) {
  Pair pair(built(client_builder().ocsp_stapling(true).signed_certificate_timestamps(true)), built(server_builder()));
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.judged_staples, std::vector{kNone});
}

TEST(Staples, AreToldWhenNobodyVerifies) {
  Pair pair(built(client_builder().ocsp_stapling(true).dangerous().skip_verification()), built(server_builder()));
  pair.server.credential = stapled();
  pair.run();
  expect_connected(pair);
  EXPECT_TRUE(pair.client.judged_staples.empty());
  EXPECT_EQ(pair.client.peer_staples, (Staples{kStaples.ocsp_response, {}}));
}

TEST(Staples, SurviveARetryAndSmallPieces) {
  if (provider().key_loader(KeyType::ec_p256) == nullptr) GTEST_SKIP() << "one group alone";
  Pair pair(built(client_builder()
                      .groups({NamedGroup::x25519, NamedGroup::secp256r1})
                      .key_shares({NamedGroup::x25519})
                      .ocsp_stapling(true)
                      .signed_certificate_timestamps(true)),
            built(server_builder().groups({NamedGroup::secp256r1})), {x509::PeerName::dns("example.com").value(), {}},
            {.outbound = 7, .chunk = 1});
  pair.server.credential = stapled();
  pair.run();
  expect_connected(pair);
  EXPECT_TRUE(pair.client.connection.retried());
  EXPECT_EQ(pair.client.peer_staples, kStaples);
}

// As a fresh response that is fetched meanwhile: the answer comes when it comes.
TEST(Staples, MayBeFetchedBeforeTheAnswer) {
  Pair pair(built(client_builder().ocsp_stapling(true)), built(server_builder()));
  SelectCredential question = pair.ask_for_credential();
  Connection& server = pair.server.connection;
  EXPECT_TRUE(question.ocsp_requested);
  EXPECT_FALSE(question.scts_requested);
  EXPECT_TRUE(server.awaiting_answer());
  EXPECT_TRUE(std::holds_alternative<Nothing>(server.receive({}, kNow + std::chrono::seconds(3)).event));
  EXPECT_TRUE(server.answer(std::move(question.token), stapled()));
  EXPECT_TRUE(std::holds_alternative<Sign>(server.receive({}, kNow + std::chrono::seconds(3)).event));
}

TEST(Staples, ARefusedResponseHasAnAlertOfItsOwn) {
  Pair pair(built(client_builder().ocsp_stapling(true)), built(server_builder()));
  pair.server.credential = stapled();
  pair.client.rejection = PeerRejected{.reason = Reason::certificate_status};
  pair.run();
  ASSERT_TRUE(pair.client.error && pair.server.error);
  EXPECT_EQ(pair.client.error->reason, Reason::certificate_status);
  EXPECT_EQ(pair.client.error->alert, Alert::bad_certificate_status_response);
  EXPECT_EQ(pair.server.error->alert, Alert::bad_certificate_status_response);
  EXPECT_FALSE(pair.client.complete || pair.server.complete);
}

// RFC 9846 4: "uint24 length;"
TEST(Credentials, ThatNoMessageHoldsAreNoAnswer) {
  Pair pair(built(client_builder()), built(server_builder()));
  auto token = pair.ask_for_credential().token;
  Connection& server = pair.server.connection;
  Credential large = *credential_of(usual_key());
  // The longest message, and one byte more.
  large.chain.emplace_back((std::size_t{1} << 24U) - 1 - certificate_message_size(large) - 5, std::uint8_t{0x30});
  EXPECT_EQ(certificate_message_size(large), (std::size_t{1} << 24U) - 1);
  Credential too_large = large;
  too_large.chain.back().push_back(0);
  EXPECT_EQ(server.answer(std::move(token), std::make_shared<const Credential>(too_large)).error(),
            Misuse::invalid_answer);
  // What can be said is: what a peer takes is its own affair.
  EXPECT_TRUE(server.answer(std::move(token), std::make_shared<const Credential>(large)));
  EXPECT_TRUE(std::holds_alternative<Sign>(server.receive({}, kNow).event));
}

// Our own certificate is not held against the memory that a peer may take, in records of whichever size.
TEST(Credentials, OfAnySizeAreSent) {
  for (const std::uint16_t fragment : std::initializer_list<std::uint16_t>{64, 16'384}) {
    for (const std::size_t size : {std::size_t{80'000}, std::size_t{1'000'000}}) {
      Credential large = *credential_of(usual_key());
      large.chain.emplace_back(size, std::uint8_t{0x30});
      const auto credential = std::make_shared<const Credential>(large);
      Pair pair(built(client_builder().max_handshake_message(std::size_t{1} << 21U).max_send_fragment(fragment)),
                built(server_builder()
                          .client_auth(ClientAuth::require)
                          .max_handshake_message(std::size_t{1} << 21U)
                          .max_send_fragment(fragment)));
      pair.server.credential = credential;
      pair.client.credential = credential;
      pair.run();
      expect_connected(pair);
      ASSERT_EQ(pair.client.peer_chain.size(), 2U);
      EXPECT_EQ(pair.client.peer_chain[1].size(), size);
      EXPECT_EQ(pair.server.peer_chain.size(), 2U);
    }
  }
  // The least memory that a configuration can have suffices for the sender, too.
  Credential large = *credential_of(usual_key());
  large.chain.emplace_back(std::size_t{80'000}, std::uint8_t{0x30});
  Pair pair(built(client_builder()),
            built(server_builder().max_handshake_message(16'384).handshake_memory(2 * std::size_t{16'384})));
  pair.server.credential = std::make_shared<const Credential>(large);
  pair.run();
  expect_connected(pair);
}

// What cannot be sent is refused where it is handed over, whether or not it was asked for.
TEST(Staples, MalformedOnesAreNoAnswer) {
  const std::vector<std::uint8_t> large(65535 - 8 - 4 - 5, 0x30);
  const std::vector<std::uint8_t> one_sct{0, 3, 0, 1, 0xaa};
  EXPECT_TRUE(staples_well_formed({.chain = {}, .schemes = {}, .key = {}}));
  EXPECT_TRUE(staples_well_formed(*stapled({large, one_sct})));
  std::vector<std::uint8_t> too_large = large;
  too_large.push_back(0);
  const std::vector<Staples> wrong = {{{}, {0}},
                                      {{}, {0, 0}},                    // no SCT
                                      {{}, {0, 2, 0, 0}},              // an empty one
                                      {{}, {0, 5, 0, 1, 0xaa, 0, 0}},  // an empty one behind another
                                      {{}, {0, 4, 0, 1, 0xaa}},        // cut
                                      {{}, {0, 3, 0, 2, 0xaa}},        // an SCT that is cut
                                      {{}, {0, 3, 0, 1, 0xaa, 0}},     // more behind the list
                                      {too_large, one_sct}};
  for (const Staples& staples : wrong) {
    const auto credential = stapled(staples);
    EXPECT_FALSE(staples_well_formed(*credential));
    Pair pair(built(client_builder()), built(server_builder()));
    auto token = pair.ask_for_credential().token;
    Connection& server = pair.server.connection;
    EXPECT_EQ(server.answer(std::move(token), credential).error(), Misuse::invalid_answer);
    // The question stands: a better answer is taken.
    EXPECT_TRUE(server.awaiting_answer());
    EXPECT_TRUE(server.answer(std::move(token), stapled({{}, one_sct})));
    EXPECT_TRUE(std::holds_alternative<Sign>(server.receive({}, kNow).event));
  }
}

TEST(Staples, TheLargestGoThrough) {
  const Staples large{std::vector<std::uint8_t>(65535 - 8 - 4 - 5, 0x30), {0, 3, 0, 1, 0xaa}};
  Pair pair(
      built(client_builder().ocsp_stapling(true).signed_certificate_timestamps(true).max_handshake_message(70000)),
      built(server_builder()));
  pair.server.credential = stapled(large);
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.peer_staples, large);
}

TEST(Staples, AServerThatAsksNoClientAsksForNoStaples) {
  const auto config = server_builder().ocsp_stapling(true).signed_certificate_timestamps(true).build();
  ASSERT_FALSE(config);
  ASSERT_EQ(config.error().size(), 2U);
  EXPECT_EQ(config.error()[0].setting, "ocsp_stapling");
  EXPECT_EQ(config.error()[1].setting, "signed_certificate_timestamps");
}

}  // namespace
}  // namespace lockstep::testing
