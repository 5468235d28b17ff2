#include <array>

#include <gtest/gtest.h>

#include <lockstep/fuzzing.hpp>

namespace lockstep::fuzzing {
namespace {

constexpr Cast kUsual(0);

TEST(Fuzzing, EveryCastOfTheSceneConnectsOrSaysWhy) {
  int connected = 0;
  for (int number = 0; number < 256; ++number) {
    const Cast cast(static_cast<std::uint8_t>(number));
    End client = cast.client();
    End server = cast.server();
    Wire wire;
    talk(client, server, wire);
    if (client.connection().connected()) {
      ++connected;
      EXPECT_TRUE(server.connection().connected()) << number;
      EXPECT_EQ(client.connection().suite(), server.connection().suite()) << number;
    } else {
      EXPECT_TRUE(client.over() && server.over()) << number;
    }
  }
  EXPECT_GT(connected, 128);
}

TEST(Fuzzing, ASessionIsResumed) {
  const Cast cast(0x80);
  End client = cast.client();
  End server = cast.server();
  Wire wire;
  talk(client, server, wire);
  EXPECT_TRUE(client.connection().connected() && client.connection().resumed() && server.connection().resumed());
}

TEST(Fuzzing, ATicketCanBeDeclined) {
  const Cast cast(0xc0);
  End client = cast.client();
  End server = cast.server();
  Wire wire;
  talk(client, server, wire);
  EXPECT_TRUE(client.connection().connected());
  EXPECT_FALSE(client.connection().resumed());
}

/// What the client makes of a server with this script.
Error refusal(Script script) {
  End client = kUsual.client();
  End server = kUsual.server(std::move(script));
  Wire wire;
  talk(client, server, wire);
  EXPECT_TRUE(client.outcome().error.has_value());
  return client.outcome().error.value_or(Error{});
}

TEST(Fuzzing, AHostilePeerOmits) {
  Script script;
  script.omit(HandshakeType::certificate_verify);
  EXPECT_EQ(refusal(std::move(script)).alert, Alert::unexpected_message);
}

TEST(Fuzzing, AHostilePeerReplaces) {
  Script script;
  script.replace(HandshakeType::encrypted_extensions, Script::message(HandshakeType::encrypted_extensions, {}));
  EXPECT_EQ(refusal(std::move(script)).alert, Alert::decode_error);
}

TEST(Fuzzing, AHostilePeerPrecedesAndFollows) {
  const Octets update = Script::message(HandshakeType::key_update, std::array<std::uint8_t, 1>{0});
  Script before;
  before.precede(HandshakeType::certificate, update);
  EXPECT_EQ(refusal(std::move(before)).alert, Alert::unexpected_message);
  Script after;
  after.follow(HandshakeType::certificate, update);
  EXPECT_EQ(refusal(std::move(after)).alert, Alert::unexpected_message);
}

TEST(Fuzzing, AHostilePeerChangesUnderTheRightKeys) {
  // A signature that is not valid is found by the signature's check: every record before it opened.
  Script script;
  script.change(HandshakeType::certificate_verify, [](Octets message) {
    message.back() ^= 1;
    return message;
  });
  EXPECT_EQ(refusal(std::move(script)).alert, Alert::decrypt_error);
  // Nothing changed is nothing wrong: the transcript and Finished fit.
  Script same;
  same.change(HandshakeType::certificate, [](Octets message) { return message; });
  End client = kUsual.client();
  End server = kUsual.server(std::move(same));
  Wire wire;
  talk(client, server, wire);
  EXPECT_TRUE(client.connection().connected() && server.connection().connected());
}

TEST(Fuzzing, AHostilePeerSendsAnyRecord) {
  End client = kUsual.client();
  End server = kUsual.server();
  Wire wire;
  talk(client, server, wire);
  ASSERT_TRUE(client.connection().connected());
  client.receive(server.record(ContentType::application_data, as_bytes("hello"), 10));
  EXPECT_TRUE(equal(client.outcome().data, as_bytes("hello")));
  client.receive(server.record(ContentType::handshake, Script::message(HandshakeType::finished, {})));
  ASSERT_TRUE(client.over());
  EXPECT_EQ(client.outcome().error->alert, Alert::unexpected_message);
}

TEST(Fuzzing, AHostileClientIsMetAsWell) {
  Script script;
  script.omit(HandshakeType::finished);
  script.follow(HandshakeType::client_hello, {});
  End client = kUsual.client(std::move(script));
  End server = kUsual.server();
  Wire wire;
  talk(client, server, wire);
  EXPECT_FALSE(server.connection().connected());
}

TEST(Fuzzing, CastsThatRenegotiateDoSoFromBothSides) {
  for (const auto number : std::to_array<std::uint8_t>({0x25, 0x27, 0x3d, 0x3f})) {
    for (const bool by_client : {true, false}) {
      SCOPED_TRACE(number);
      const Cast cast(number);
      End client = cast.client();
      End server = cast.server();
      Wire wire;
      talk(client, server, wire);
      const std::size_t before = client.outcome().events.size();
      (by_client ? client : server).renegotiate();
      talk(client, server, wire);
      EXPECT_TRUE(client.connection().connected() && server.connection().connected());
      EXPECT_FALSE(client.connection().renegotiating() || server.connection().renegotiating());
      EXPECT_GT(client.outcome().events.size(), before);
      server.receive(client.seal(as_bytes("hello")));
      EXPECT_TRUE(equal(server.outcome().data, as_bytes("hello")));
    }
  }
}

TEST(Fuzzing, AScriptGoesOnInARenegotiation) {
  const Cast cast(0x25);
  Script script;
  script.change(
      HandshakeType::finished,
      [](Octets message) {
        message.back() ^= 1;
        return message;
      },
      1);
  End client = cast.client();
  End server = cast.server(std::move(script));
  Wire wire;
  talk(client, server, wire);
  ASSERT_TRUE(client.connection().connected());
  server.renegotiate();
  talk(client, server, wire);
  ASSERT_TRUE(client.over());
  EXPECT_EQ(client.outcome().error->reason, Reason::finished_mismatch);
}

TEST(Fuzzing, AMiddleThatDropsIsNoticed) {
  const Octets changes{0, 0, 0, 1};  // both hellos and change_cipher_spec pass, what follows them does not
  Choices choices{Bytes(changes)};
  Middle middle(choices);
  End client = kUsual.client();
  End server = kUsual.server();
  talk(client, server, middle);
  EXPECT_FALSE(client.connection().connected() && server.connection().connected());
}

TEST(Fuzzing, ChoicesEndInTheFirst) {
  const Octets bytes{3, 0xff, 7};
  Choices choices{Bytes(bytes)};
  EXPECT_EQ(choices.below(2), 1U);
  EXPECT_EQ(choices.byte(), 0xff);
  EXPECT_EQ(choices.rest().size(), 1U);
  EXPECT_TRUE(choices.empty());
  EXPECT_EQ(choices.below(9), 0U);
  EXPECT_FALSE(choices.flag());
  EXPECT_TRUE(choices.bytes(5).empty());
}

TEST(FuzzingDeathTest, WhatMustHoldEndsTheProgramWhenItDoesNot) {
  EXPECT_DEATH(require(false, "one is two"), "broken: one is two");
  require(true, "one is one");
}

}  // namespace
}  // namespace lockstep::fuzzing
