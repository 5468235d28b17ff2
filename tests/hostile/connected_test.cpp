// What either side refuses after the handshake.

#include <map>

#include "hostile/hostile.hpp"

namespace lockstep::testing {
namespace {

class HostileConnected : public ::testing::Test {
 protected:
  /// A message of the client under the application key.
  static void expect_server_refuses(Bytes message, Reason reason, Alert alert, Place place) {
    Duel duel;
    duel.expect_connected();
    append(duel.to_server(), seal_record(duel.client().connection, ContentType::handshake, message));
    duel.expect_server_refuses(reason, alert);
    ASSERT_TRUE(duel.server().error);
    EXPECT_EQ(duel.server().error->place, place) << error_text(duel.server());
  }
  static void expect_client_refuses(Bytes message, Reason reason, Alert alert, Place place) {
    Duel duel;
    duel.expect_connected();
    append(duel.to_client(), seal_record(duel.server().connection, ContentType::handshake, message));
    duel.expect_client_refuses(reason, alert);
    ASSERT_TRUE(duel.client().error);
    EXPECT_EQ(duel.client().error->place, place) << error_text(duel.client());
  }
};

Octets key_update(Octets body) { return message_of(HandshakeType::key_update, body); }

TEST_F(HostileConnected, KeyUpdateIsWellFormed) {
  expect_server_refuses(key_update({2}), Reason::key_update_malformed, Alert::illegal_parameter, Place::key_update);
  expect_server_refuses(key_update({255}), Reason::key_update_malformed, Alert::illegal_parameter, Place::key_update);
  expect_server_refuses(key_update({}), Reason::message_truncated, Alert::decode_error, Place::key_update);
  expect_server_refuses(key_update({0, 0}), Reason::message_trailing_data, Alert::decode_error, Place::key_update);
  expect_client_refuses(key_update({2}), Reason::key_update_malformed, Alert::illegal_parameter, Place::key_update);
}

TEST_F(HostileConnected, KeyUpdatesAreBounded) {
  // Each under the key that the one before it led to; data in between starts the count anew.
  const auto update = [](Duel& duel, unsigned times) {
    for (unsigned i = 0; i < times; ++i) {
      EXPECT_TRUE(duel.client().connection.update_keys(false));
      duel.run();
    }
  };
  Duel duel;
  duel.expect_connected();
  update(duel, record::kMaxIdleRecords);
  ASSERT_FALSE(duel.server().error);
  duel.pair().send(duel.client(), "x");
  update(duel, record::kMaxIdleRecords);
  ASSERT_FALSE(duel.server().error);
  update(duel, 1);
  Duel::expect_refusal(duel.server(), Reason::too_many_key_updates, Alert::unexpected_message);
}

// One count for all of them, so that no kind hides behind another.
TEST_F(HostileConnected, WhatBringsNothingIsCountedTogether) {
  Duel duel;
  duel.expect_connected();
  unsigned sent = 0;
  for (; sent < 2 * record::kMaxIdleRecords && !duel.server().error; ++sent) {
    if (sent % 2 == 0) {
      append(duel.to_server(), seal_record(duel.client().connection, ContentType::application_data, {}));
    } else {
      EXPECT_TRUE(duel.client().connection.update_keys(false));
    }
    duel.run();
  }
  EXPECT_EQ(sent, record::kMaxIdleRecords + 1);
  Duel::expect_refusal(duel.server(), Reason::too_many_empty_records, Alert::unexpected_message);
}

// A server that only sends and has its client change keys, too: the answers are no flood.
TEST_F(HostileConnected, AnswersToOurRequestsAreNoFlood) {
  Duel duel;
  duel.expect_connected();
  for (unsigned i = 0; i < 10 * record::kMaxIdleRecords; ++i) {
    ASSERT_TRUE(duel.server().connection.update_keys(true));
    duel.run();
    duel.pair().send(duel.server(), "x");
    duel.run();
    ASSERT_FALSE(duel.server().error) << i << ' ' << error_text(duel.server());
    ASSERT_FALSE(duel.client().error) << i << ' ' << error_text(duel.client());
  }
  EXPECT_EQ(duel.client().data.size(), 10 * record::kMaxIdleRecords);
}

TEST_F(HostileConnected, KeyUpdateIsNotPartOfAHandshake) {
  Duel duel;
  duel.client_forger.change(HandshakeType::finished, [](const Octets&) { return key_update({0}); });
  duel.expect_server_refuses(Reason::message_unexpected, Alert::unexpected_message);
  Duel other;
  other.server_forger.change(HandshakeType::encrypted_extensions, [](const Octets&) { return key_update({0}); });
  other.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message);
}

// --- tickets -------------------------------------------------------------------------------------------------------

struct RawTicket {
  std::uint32_t lifetime = 100;
  Octets nonce{1};
  Octets ticket{1, 2, 3};
  RawExtensions extensions;
  [[nodiscard]] Octets join() const {
    Octets body;
    put(body, lifetime, 4);
    put(body, 77, 4);
    put_vector(body, nonce, 1);
    put_vector(body, ticket, 2);
    const Octets block = extensions.join();
    append(body, block);
    return message_of(HandshakeType::new_session_ticket, body);
  }
};

TEST_F(HostileConnected, TicketsAreForClients) {
  expect_server_refuses(RawTicket{}.join(), Reason::message_unexpected, Alert::unexpected_message,
                        Place::new_session_ticket);
}

TEST_F(HostileConnected, TicketIsWellFormed) {
  const auto refuse = [](auto edit, Reason reason, Alert alert) {
    RawTicket ticket;
    edit(ticket);
    expect_client_refuses(ticket.join(), reason, alert, Place::new_session_ticket);
  };
  refuse([](RawTicket& ticket) { ticket.ticket.clear(); }, Reason::vector_length, Alert::decode_error);
  refuse([](RawTicket& ticket) { ticket.extensions.add(ExtensionType::key_share); }, Reason::extension_forbidden,
         Alert::illegal_parameter);
  refuse(
      [](RawTicket& ticket) {
        ticket.extensions.add(ExtensionType::early_data, {0, 0, 0, 1});
        ticket.extensions.add(ExtensionType::early_data, {0, 0, 0, 1});
      },
      Reason::extension_duplicate, Alert::illegal_parameter);
  refuse([](RawTicket& ticket) { ticket.extensions.add(ExtensionType::early_data, {0, 0, 1}); },
         Reason::extension_malformed, Alert::decode_error);
  refuse([](RawTicket& ticket) { ticket.extensions.add(ExtensionType::early_data, {0, 0, 0, 0, 1}); },
         Reason::extension_malformed, Alert::decode_error);

  const Octets whole = RawTicket{}.join();
  for (std::size_t size = 4; size < whole.size(); ++size) {
    const Octets cut = message_of(HandshakeType::new_session_ticket, Bytes(whole).subspan(4, size - 4));
    expect_client_refuses(cut, Reason::message_truncated, Alert::decode_error, Place::new_session_ticket);
  }
  Octets longer(whole.begin() + 4, whole.end());
  longer.push_back(0);
  expect_client_refuses(message_of(HandshakeType::new_session_ticket, longer), Reason::message_trailing_data,
                        Alert::decode_error, Place::new_session_ticket);
}

TEST_F(HostileConnected, TicketsWithUnknownExtensionsAreTaken) {
  Duel duel;
  duel.expect_connected();
  RawTicket ticket;
  ticket.extensions.add(static_cast<ExtensionType>(0x4242), {1, 2, 3});
  append(duel.to_client(), seal_record(duel.server().connection, ContentType::handshake, ticket.join()));
  duel.run();
  EXPECT_FALSE(duel.client().error);
  EXPECT_EQ(duel.client().sessions.size(), 1U);
}

TEST_F(HostileConnected, TicketsOfNoLifetimeAreForgotten) {
  Duel duel;
  duel.expect_connected();
  RawTicket ticket;
  ticket.lifetime = 0;
  append(duel.to_client(), seal_record(duel.server().connection, ContentType::handshake, ticket.join()));
  duel.run();
  EXPECT_FALSE(duel.client().error);
  EXPECT_TRUE(duel.client().sessions.empty());
}

// RFC 9846 4.7.1: "Clients which receive a NewSessionTicket message but do not support resumption MUST silently ignore
// this message."
TEST_F(HostileConnected, TicketsAreIgnoredWithoutResumption) {
  Duel duel;
  duel.client_config.resumption(false);
  duel.expect_connected();
  append(duel.to_client(), seal_record(duel.server().connection, ContentType::handshake, RawTicket().join()));
  duel.pair().send(duel.server(), "x");
  duel.run();
  EXPECT_FALSE(duel.client().error);
  EXPECT_TRUE(duel.client().sessions.empty());
  EXPECT_EQ(duel.client().data, (Octets{'x'}));
}

TEST_F(HostileConnected, NoTicketLivesLongerThanAWeek) {
  Duel duel;
  duel.expect_connected();
  RawTicket ticket;
  ticket.lifetime = 0xffffffff;
  append(duel.to_client(), seal_record(duel.server().connection, ContentType::handshake, ticket.join()));
  duel.run();
  EXPECT_FALSE(duel.client().error);
  ASSERT_EQ(duel.client().sessions.size(), 1U);
  EXPECT_LE(duel.client().sessions.front().lifetime, kMaxTicketLifetime);
}

// --- everything else -----------------------------------------------------------------------------------------------

TEST_F(HostileConnected, NoHandshakeBeginsAgain) {
  Duel model;
  model.expect_connected();
  expect_server_refuses(model.client_forger.honest.front(), Reason::message_unexpected, Alert::unexpected_message,
                        Place::client_hello);
  // HelloRequest, the way in which a TLS 1.2 server asks for it.
  expect_client_refuses(Octets{0, 0, 0, 0}, Reason::message_unexpected, Alert::unexpected_message,
                        Place::hello_request);
}

TEST_F(HostileConnected, NoOtherMessageIsExpected) {
  for (const std::uint8_t type : Octets{0, 1, 2, 3, 5, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 25, 67, 254, 255}) {
    const Octets message{type, 0, 0, 0};
    const std::map<std::uint8_t, Place> named{{0, Place::hello_request},        {1, Place::client_hello},
                                              {2, Place::server_hello},         {5, Place::end_of_early_data},
                                              {8, Place::encrypted_extensions}, {11, Place::certificate},
                                              {12, Place::server_key_exchange}, {13, Place::certificate_request},
                                              {14, Place::server_hello_done},   {15, Place::certificate_verify},
                                              {16, Place::client_key_exchange}, {20, Place::finished},
                                              {22, Place::certificate_status},  {25, Place::compressed_certificate},
                                              {67, Place::next_protocol}};
    const auto known = named.find(type);
    const Place place = known == named.end() ? Place::handshake : known->second;
    expect_server_refuses(message, Reason::message_unexpected, Alert::unexpected_message, place);
    expect_client_refuses(message, Reason::message_unexpected, Alert::unexpected_message, place);
  }
}

TEST_F(HostileConnected, MessagesAreBounded) {
  // The header alone says too much.
  expect_client_refuses(Octets{4, 0xff, 0xff, 0xff}, Reason::message_too_long, Alert::decode_error,
                        Place::new_session_ticket);
  expect_server_refuses(Octets{24, 0x02, 0x00, 0x01}, Reason::message_too_long, Alert::decode_error, Place::key_update);
}

TEST_F(HostileConnected, FragmentedMessagesArePutTogether) {
  Duel duel;
  duel.expect_connected();
  RawTicket ticket;
  ticket.ticket.assign(30'000, 9);
  const Octets message = ticket.join();
  for (Bytes rest = message; !rest.empty();) {
    const std::size_t taken = std::min<std::size_t>(1 + rest.size() % 700, rest.size());
    append(duel.to_client(), seal_record(duel.server().connection, ContentType::handshake, rest.first(taken)));
    rest = rest.subspan(taken);
  }
  duel.pair().send(duel.server(), "done");
  duel.run();
  ASSERT_EQ(duel.client().sessions.size(), 1U) << error_text(duel.client());
  EXPECT_EQ(duel.client().sessions.front().ticket, ticket.ticket);
  EXPECT_EQ(duel.client().data, (Octets{'d', 'o', 'n', 'e'}));
}

TEST_F(HostileConnected, TicketsOfAConnectionAreBounded) {
  Duel duel;
  duel.expect_connected();
  for (unsigned i = 0; i < record::kMaxTicketsPerConnection + 50; ++i) {
    RawTicket ticket;
    ticket.nonce = {static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)};
    append(duel.to_client(), seal_record(duel.server().connection, ContentType::handshake, ticket.join()));
    duel.run();
  }
  EXPECT_FALSE(duel.client().error) << error_text(duel.client());
  EXPECT_EQ(duel.client().sessions.size(), record::kMaxTicketsPerConnection);
}

TEST_F(HostileConnected, SeveralTicketsMayShareARecord) {
  for (const std::uint8_t count : Octets{1, 2, 5, 200}) {
    Duel duel;
    duel.expect_connected();
    Octets content;
    for (std::uint8_t i = 0; i < count; ++i) {
      RawTicket ticket;
      ticket.nonce = {i};
      ticket.ticket = {i, i};
      append(content, ticket.join());
    }
    append(duel.to_client(), seal_record(duel.server().connection, ContentType::handshake, content));
    duel.run();
    ASSERT_FALSE(duel.client().error);
    const std::size_t kept = std::min<std::size_t>(count, record::kMaxTicketsPerRecord);
    ASSERT_EQ(duel.client().sessions.size(), kept);
    for (std::size_t i = 0; i < kept; ++i)
      EXPECT_EQ(duel.client().sessions[i].ticket, Octets(2, static_cast<std::uint8_t>(i)));
  }
}

}  // namespace
}  // namespace lockstep::testing
