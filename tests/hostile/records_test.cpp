// Records that are too long, empty, of the wrong type, out of place, or not what their key says.

#include <algorithm>
#include <array>

#include "hostile/hostile.hpp"

namespace lockstep::testing {
namespace {

constexpr std::uint8_t kChangeCipherSpecType = 20;
constexpr std::uint8_t kAlertType = 21;
constexpr std::uint8_t kHandshakeType = 22;
constexpr std::uint8_t kApplicationData = 23;

/// Where the connection stands when the record arrives.
class HostileRecords : public ::testing::Test {
 protected:
  Duel duel;

  /// The ClientHello is on the wire.
  void send_client_hello() {
    Octets buffer(4000);
    buffer.resize(duel.client().connection.transmit(buffer, kNow));
    append(duel.to_server(), buffer);
  }
  /// The server's flight is on the wire; its keys are installed at both ends of the server.
  void send_server_flight() {
    send_client_hello();
    while (duel.pair().step(duel.server(), duel.to_client(), duel.to_server())) {
    }
  }
  void connect() { duel.expect_connected(); }
};

// --- length --------------------------------------------------------------------------------------------------------

TEST_F(HostileRecords, TooLongIsRefusedByItsHeader) {
  // RFC 9846 5.1: 2^14 bytes of plaintext; 5.2: 2^14 + 256 of ciphertext. The fragment need not have come.
  duel.pair();
  duel.to_server() = {kHandshakeType, 3, 1, 0x40, 0x01};
  duel.expect_server_refuses(Reason::record_too_long, Alert::record_overflow);
}

TEST_F(HostileRecords, TooLongProtectedRecordIsRefused) {
  connect();
  append(duel.to_server(), Octets{kApplicationData, 3, 3, 0x41, 0x01});
  duel.expect_server_refuses(Reason::record_too_long, Alert::record_overflow);
}

TEST_F(HostileRecords, LongestRecordIsTaken) {
  connect();
  const Octets content(record::kMaxPlaintext, 7);
  append(duel.to_server(), seal_record(duel.client().connection, ContentType::application_data, content));
  duel.run();
  EXPECT_EQ(duel.server().data, content);
}

TEST_F(HostileRecords, EmptyPlaintextRecordIsRefused) {
  for (const std::uint8_t type : Octets{kHandshakeType, kAlertType, kChangeCipherSpecType}) {
    Duel one;
    one.pair();
    one.to_server() = {type, 3, 3, 0, 0};
    one.expect_server_refuses(Reason::record_empty, Alert::unexpected_message);
  }
}

TEST_F(HostileRecords, EmptyProtectedHandshakeOrAlertIsRefused) {
  for (const ContentType type : {ContentType::handshake, ContentType::alert}) {
    for (const std::size_t padding : {0U, 20U}) {
      Duel one;
      one.expect_connected();
      append(one.to_server(), seal_record(one.client().connection, type, {}, padding));
      one.expect_server_refuses(Reason::record_empty, Alert::unexpected_message);
    }
  }
}

TEST_F(HostileRecords, FloodOfEmptyDataIsBounded) {
  connect();
  for (unsigned i = 0; i < record::kMaxIdleRecords; ++i)
    append(duel.to_server(), seal_record(duel.client().connection, ContentType::application_data, {}));
  duel.pair().send(duel.client(), "x");
  duel.run();
  ASSERT_FALSE(duel.server().error) << error_text(duel.server());
  EXPECT_EQ(duel.server().data, Octets{'x'});
  // Data in between started the count anew.
  for (unsigned i = 0; i <= record::kMaxIdleRecords; ++i)
    append(duel.to_server(), seal_record(duel.client().connection, ContentType::application_data, {}, i));
  duel.expect_server_refuses(Reason::too_many_empty_records, Alert::unexpected_message);
}

// --- type ----------------------------------------------------------------------------------------------------------

TEST_F(HostileRecords, UnknownTypeIsRefused) {
  for (const std::uint8_t type : Octets{0, 1, 19, 24, 25, 0x80, 0xff}) {
    Duel one;
    one.expect_connected();
    append(one.to_server(), plain_record(type, Octets{1, 2, 3}));
    one.expect_server_refuses(Reason::record_type, Alert::unexpected_message);
  }
}

TEST_F(HostileRecords, UnknownTypeIsRefusedBeforeKeys) {
  send_client_hello();
  duel.pair().step(duel.server(), duel.to_client(), duel.to_server());
  duel.to_client() = plain_record(24, Octets{1});
  duel.run();
  // Nothing was accepted of this peer before: it may not speak TLS at all.
  Duel::expect_refusal(duel.client(), Reason::not_tls, Alert::unexpected_message);
}

TEST_F(HostileRecords, UnknownTypeUnderProtectionIsRefused) {
  for (const std::uint8_t type : Octets{1, 19, 24, 25, 0xff}) {
    Duel one;
    one.expect_connected();
    append(one.to_server(), seal_record(one.client().connection, static_cast<ContentType>(type), Octets{1, 2}));
    one.expect_server_refuses(Reason::record_type, Alert::unexpected_message);
  }
}

TEST_F(HostileRecords, OnlyPaddingIsRefused) {
  connect();
  append(duel.to_server(), seal_record(duel.client().connection, ContentType::invalid, {}, 30));
  duel.expect_server_refuses(Reason::record_all_padding, Alert::unexpected_message);
}

TEST_F(HostileRecords, DataBeforeKeysIsRefused) {
  duel.pair();
  duel.to_server() = plain_record(kApplicationData, Octets(30, 1));
  duel.expect_server_refuses(Reason::message_unexpected, Alert::unexpected_message);
}

TEST_F(HostileRecords, DataInPlaceOfFinishedIsRefused) {
  // The server reads with the client's handshake key until Finished has come.
  send_server_flight();
  Connection& client = duel.client().connection;
  bool sealed = false;
  // Between ServerHello and the end of its handshake, the client's sending key is that handshake key.
  while (!sealed) {
    auto [consumed, event] = client.receive(duel.to_client(), kNow);
    duel.to_client().erase(duel.to_client().begin(), duel.to_client().begin() + static_cast<std::ptrdiff_t>(consumed));
    if (std::holds_alternative<VerifyPeer>(event)) {
      append(duel.to_server(), seal_record(client, ContentType::application_data, Octets{1}));
      sealed = true;
    } else {
      ASSERT_TRUE(consumed != 0);
    }
  }
  while (duel.pair().step(duel.server(), duel.to_client(), duel.to_server())) {
  }
  Duel::expect_refusal(duel.server(), Reason::message_unexpected, Alert::unexpected_message);
}

// --- protection ----------------------------------------------------------------------------------------------------

TEST_F(HostileRecords, EveryChangedByteIsSeen) {
  for (std::size_t position = 5; position < 5 + 3 + 17; ++position) {
    Duel one;
    one.expect_connected();
    Octets record = seal_record(one.client().connection, ContentType::application_data, Octets{1, 2, 3});
    record[position] ^= 0x01U;
    append(one.to_server(), record);
    one.expect_server_refuses(Reason::record_mac, Alert::bad_record_mac);
    EXPECT_TRUE(one.server().data.empty());
  }
}

TEST_F(HostileRecords, ShorterThanATagIsRefused) {
  for (const std::size_t size : {1U, 8U, 15U, 16U}) {
    Duel one;
    one.expect_connected();
    append(one.to_server(), plain_record(kApplicationData, Octets(size, 0)));
    one.expect_server_refuses(Reason::record_mac, Alert::bad_record_mac);
  }
}

TEST_F(HostileRecords, ReplayedReorderedAndDroppedRecordsAreSeen) {
  for (const int what : {0, 1, 2}) {
    Duel one;
    one.expect_connected();
    std::array<Octets, 3> records;
    for (Octets& record : records)
      record = seal_record(one.client().connection, ContentType::application_data, Octets{1});
    append(one.to_server(), what == 1 ? records[1] : records[0]);
    append(one.to_server(), what == 0 ? records[0] : records[what == 1 ? 0 : 2]);
    one.expect_server_refuses(Reason::record_mac, Alert::bad_record_mac);
    EXPECT_LE(one.server().data.size(), 1U);
  }
}

TEST_F(HostileRecords, ReflectedRecordIsSeen) {
  connect();
  append(duel.to_client(), seal_record(duel.client().connection, ContentType::application_data, Octets{1}));
  duel.run();
  Duel::expect_refusal(duel.client(), Reason::record_mac, Alert::bad_record_mac);
}

TEST_F(HostileRecords, PlaintextUnderAKeyIsRefused) {
  for (const std::uint8_t type : Octets{kHandshakeType, kAlertType}) {
    Duel one;
    one.expect_connected();
    append(one.to_server(), plain_record(type, Octets{2, 40}));
    one.expect_server_refuses(Reason::record_unprotected, Alert::unexpected_message);
  }
}

// --- change_cipher_spec --------------------------------------------------------------------------------------------

const Octets kDummy = plain_record(kChangeCipherSpecType, Octets{1});

TEST_F(HostileRecords, ChangeCipherSpecBeforeClientHelloIsRefused) {
  duel.pair();
  duel.to_server() = kDummy;
  duel.expect_server_refuses(Reason::change_cipher_spec_unexpected, Alert::unexpected_message);
}

TEST_F(HostileRecords, ChangeCipherSpecDuringTheHandshakeIsDropped) {
  send_client_hello();
  append(duel.to_server(), kDummy);
  append(duel.to_server(), kDummy);
  append(duel.to_client(), kDummy);  // a client may hear it before ServerHello
  duel.expect_connected();
}

TEST_F(HostileRecords, ChangeCipherSpecAfterTheHandshakeIsRefused) {
  connect();
  append(duel.to_server(), kDummy);
  duel.expect_server_refuses(Reason::change_cipher_spec_unexpected, Alert::unexpected_message);
}

TEST_F(HostileRecords, ChangeCipherSpecOfAnyOtherContentIsRefused) {
  for (const Octets& content : {Octets{0}, Octets{2}, Octets{1, 1}}) {
    Duel one;
    Octets buffer(4000);
    buffer.resize(one.client().connection.transmit(buffer, kNow));
    append(one.to_server(), buffer);
    append(one.to_server(), plain_record(kChangeCipherSpecType, content));
    one.run();
    // The client may have finished when it hears of it.
    Duel::expect_refusal(one.server(), Reason::change_cipher_spec_malformed, Alert::unexpected_message);
    Duel::expect_heard(one.client(), Alert::unexpected_message);
  }
}

TEST_F(HostileRecords, ProtectedChangeCipherSpecIsRefused) {
  connect();
  append(duel.to_server(), seal_record(duel.client().connection, ContentType::change_cipher_spec, Octets{1}));
  duel.expect_server_refuses(Reason::change_cipher_spec_unexpected, Alert::unexpected_message);
}

TEST_F(HostileRecords, FloodOfChangeCipherSpecIsBounded) {
  send_client_hello();
  for (unsigned i = 0; i <= record::kMaxIdleRecords; ++i) append(duel.to_server(), kDummy);
  duel.run();
  Duel::expect_refusal(duel.server(), Reason::too_many_empty_records, Alert::unexpected_message);
}

// --- alerts --------------------------------------------------------------------------------------------------------

TEST_F(HostileRecords, HalfAnAlertIsRefused) {
  connect();
  append(duel.to_server(), seal_record(duel.client().connection, ContentType::alert, Octets{2}));
  duel.expect_server_refuses(Reason::alert_fragmented, Alert::decode_error);
}

TEST_F(HostileRecords, TwoAlertsInARecordAreRefused) {
  for (const Octets& content : {Octets{1, 0, 1, 0}, Octets{2, 40, 0}}) {
    Duel one;
    one.expect_connected();
    append(one.to_server(), seal_record(one.client().connection, ContentType::alert, content));
    one.expect_server_refuses(Reason::alert_malformed, Alert::decode_error);
  }
}

TEST_F(HostileRecords, EveryAlertIsFatalWhateverItsLevel) {
  for (const std::uint8_t level : Octets{1, 2, 0, 99}) {
    for (const std::uint8_t description : Octets{10, 40, 47, 50, 80, 109, 112, 116, 200, 255}) {
      Duel one;
      one.expect_connected();
      append(one.to_server(), seal_record(one.client().connection, ContentType::alert, Octets{level, description}));
      one.run();
      Duel::expect_heard(one.server(), static_cast<Alert>(description));
      EXPECT_FALSE(to_text(*one.server().error).empty());
      // Nothing answers an alert.
      EXPECT_FALSE(one.client().error);
    }
  }
}

// RFC 9846 6: "All the alerts listed in Section 6.2 MUST be sent with AlertLevel=fatal"; RFC 9846 6.1, of close_notify:
// "This alert MUST be sent with AlertLevel=warning."
TEST_F(HostileRecords, AlertsAreSentWithTheirLevel) {
  const auto last_words = [](Connection& connection) {
    Octets out(2000);
    out.resize(connection.transmit(out, kNow));
    return out;
  };
  duel.pair();
  Octets nonsense = plain_record(kHandshakeType, Octets{99, 0, 0, 0});
  EXPECT_TRUE(std::holds_alternative<Failed>(duel.server().connection.receive(nonsense, kNow).event));
  EXPECT_EQ(last_words(duel.server().connection), plain_record(kAlertType, Octets{2, 10}));
  ASSERT_FALSE(last_words(duel.client().connection).empty()) << "the ClientHello";
  duel.client().connection.cancel();
  Octets expected = plain_record(kAlertType, Octets{1, 90});
  append(expected, plain_record(kAlertType, Octets{1, 0}));
  EXPECT_EQ(last_words(duel.client().connection), expected);
}

TEST_F(HostileRecords, CloseNotifyDuringTheHandshakeFailsIt) {
  duel.pair();
  duel.to_server() = plain_record(kAlertType, Octets{1, 0});
  duel.run();
  ASSERT_TRUE(duel.server().error);
  EXPECT_EQ(duel.server().error->reason, Reason::peer_closed);
  EXPECT_EQ(duel.server().error->alert, Alert::close_notify);
  EXPECT_EQ(duel.server().error->origin, Origin::peer);
  EXPECT_FALSE(duel.server().connection.transmit_pending());
}

TEST_F(HostileRecords, WarningsAreBounded) {
  connect();
  for (unsigned i = 0; i < record::kMaxWarningAlerts; ++i)
    append(duel.to_server(), seal_record(duel.client().connection, ContentType::alert, Octets{1, 90}));
  duel.run();
  EXPECT_FALSE(duel.server().error);
  append(duel.to_server(), seal_record(duel.client().connection, ContentType::alert, Octets{1, 90}));
  duel.expect_server_refuses(Reason::too_many_warnings, Alert::unexpected_message);
}

TEST_F(HostileRecords, NothingIsHeardAfterCloseNotify) {
  connect();
  append(duel.to_server(), seal_record(duel.client().connection, ContentType::alert, Octets{1, 0}));
  append(duel.to_server(), Octets(1000, 0xff));
  duel.run();
  EXPECT_TRUE(duel.server().peer_closed);
  EXPECT_FALSE(duel.server().error);
  EXPECT_TRUE(duel.to_server().empty());
}

// --- the end of the transport --------------------------------------------------------------------------------------

TEST_F(HostileRecords, EndWithoutCloseNotifyIsTruncation) {
  connect();
  const Event event = duel.server().connection.receive_end();
  const auto* failed = std::get_if<Failed>(&event);
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->error.reason, Reason::truncated);
  EXPECT_FALSE(advise(Reason::truncated).empty());
  EXPECT_FALSE(duel.server().connection.transmit_pending());  // nobody hears
}

TEST_F(HostileRecords, EndInsideAnyRecordIsTruncation) {
  send_server_flight();
  const Octets flight = duel.to_client();
  for (std::size_t size = 0; size < flight.size(); size += 7) {
    Duel one;
    one.pair();
    Octets part(flight.begin(), flight.begin() + static_cast<std::ptrdiff_t>(size));
    one.to_client() = part;
    one.pair().step(one.client(), one.to_server(), one.to_client());
    ASSERT_FALSE(one.client().error);
    const Event event = one.client().connection.receive_end();
    const auto* failed = std::get_if<Failed>(&event);
    ASSERT_NE(failed, nullptr);
    EXPECT_EQ(failed->error.reason, Reason::truncated);
    EXPECT_FALSE(one.client().connection.connected());
  }
}

// --- interleaving and key changes ----------------------------------------------------------------------------------

TEST_F(HostileRecords, NothingStandsBetweenFragmentsOfAMessage) {
  // Half a KeyUpdate, then data.
  connect();
  append(duel.to_server(), seal_record(duel.client().connection, ContentType::handshake, Octets{24, 0, 0}));
  append(duel.to_server(), seal_record(duel.client().connection, ContentType::application_data, Octets{1}));
  duel.expect_server_refuses(Reason::record_interleaved, Alert::unexpected_message);
}

TEST_F(HostileRecords, EvenEmptyDataStandsBetween) {
  connect();
  append(duel.to_server(), seal_record(duel.client().connection, ContentType::handshake, Octets{24, 0, 0}));
  append(duel.to_server(), seal_record(duel.client().connection, ContentType::application_data, {}));
  duel.expect_server_refuses(Reason::record_interleaved, Alert::unexpected_message);
}

TEST_F(HostileRecords, ChangeCipherSpecStandsBetween) {
  send_client_hello();
  const Octets hello = std::exchange(duel.to_server(), {});
  const Bytes message = Bytes(hello).subspan(5);
  append(duel.to_server(), plain_record(kHandshakeType, message.first(20)));
  append(duel.to_server(), kDummy);
  append(duel.to_server(), plain_record(kHandshakeType, message.subspan(20)));
  duel.expect_server_refuses(Reason::record_interleaved, Alert::unexpected_message);
}

TEST_F(HostileRecords, FragmentsOfAnySizeArePutTogether) {
  for (const std::size_t size : {1U, 2U, 3U, 5U, 100U}) {
    Duel one;
    Octets buffer(4000);
    buffer.resize(one.client().connection.transmit(buffer, kNow));
    for (Bytes rest = Bytes(buffer).subspan(5); !rest.empty();) {
      const std::size_t taken = std::min(size, rest.size());
      append(one.to_server(), plain_record(kHandshakeType, rest.first(taken)));
      rest = rest.subspan(taken);
    }
    one.expect_connected();
  }
}

TEST_F(HostileRecords, ClientHelloMustEndItsRecord) {
  for (const Octets& extra : {Octets{1}, Octets{20, 0, 0, 0}, Octets{1, 0, 0, 1, 0}}) {
    Duel one;
    one.client_forger.change(HandshakeType::client_hello, [&](Octets hello) {
      append(hello, extra);
      return hello;
    });
    one.run();
    Duel::expect_refusal(one.server(), Reason::record_after_key_change, Alert::unexpected_message);
  }
}

TEST_F(HostileRecords, ServerHelloMustEndItsRecord) {
  for (const Octets& extra : {Octets{8}, Octets{8, 0, 0, 2, 0, 0}}) {
    Duel one;
    one.server_forger.change(HandshakeType::server_hello, [&](Octets hello) {
      append(hello, extra);
      return hello;
    });
    one.expect_client_refuses(Reason::record_after_key_change, Alert::unexpected_message);
  }
}

TEST_F(HostileRecords, FinishedMustEndItsRecord) {
  const Octets ticket = message_of(HandshakeType::new_session_ticket, Octets{0, 0, 0, 9, 1, 2, 3, 4, 0, 0, 1, 7, 0, 0});
  for (const Octets& extra : {Octets{4}, ticket, Octets{24, 0, 0, 1, 0}}) {
    for (const bool from_server : {true, false}) {
      Duel one;
      Forger& forger = from_server ? one.server_forger : one.client_forger;
      forger.change(HandshakeType::finished, [&](Octets finished) {
        append(finished, extra);
        return finished;
      });
      if (from_server) {
        one.expect_client_refuses(Reason::record_after_key_change, Alert::unexpected_message);
      } else {
        one.expect_server_refuses(Reason::record_after_key_change, Alert::unexpected_message);
      }
    }
  }
}

TEST_F(HostileRecords, KeyUpdateMustEndItsRecord) {
  for (const Octets& extra : {Octets{24}, Octets{24, 0, 0, 1, 0}}) {
    Duel one;
    one.expect_connected();
    Octets content{24, 0, 0, 1, 0};
    append(content, extra);
    append(one.to_server(), seal_record(one.client().connection, ContentType::handshake, content));
    one.expect_server_refuses(Reason::record_after_key_change, Alert::unexpected_message);
  }
}

}  // namespace
}  // namespace lockstep::testing
