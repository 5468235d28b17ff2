#pragma once
// Two engines of TLS 1.2 alone, each with a forger behind it.

#include "hostile/hostile.hpp"

namespace lockstep::testing {

inline const Octets kChangeCipherSpec = plain_record(20, Octets{1});

/// A duel of TLS 1.2 alone.
struct OldDuel : Duel {
  OldDuel() { speak_tls12(*this); }

  void expect_client_refuses(Reason reason, Alert alert, Place place) {
    Duel::expect_client_refuses(reason, alert);
    ASSERT_TRUE(client().error);
    EXPECT_EQ(client().error->place, place) << error_text(client());
    EXPECT_FALSE(client().complete);
  }
  void expect_server_refuses(Reason reason, Alert alert, Place place) {
    Duel::expect_server_refuses(reason, alert);
    ASSERT_TRUE(server().error);
    EXPECT_EQ(server().error->place, place) << error_text(server());
    EXPECT_FALSE(server().complete);
  }
  /// Only what the end itself says: the other one may be past hearing it, with its keys in use.
  static void expect_refusal(End& end, Reason reason, Alert alert, Place place) {
    Duel::expect_refusal(end, reason, alert);
    ASSERT_TRUE(end.error);
    EXPECT_EQ(end.error->place, place) << error_text(end);
  }
  /// Lets a side take what has come and say what it has to say to that, so that the next flight lies on the wire.
  void client_speaks() {
    while (pair().step(client(), to_server(), to_client())) {
    }
  }
  void server_speaks() {
    while (pair().step(server(), to_client(), to_server())) {
    }
  }
  /// The client's second flight is on its way to the server.
  void exchange_hellos() {
    client_speaks();
    server_speaks();
    client_speaks();
  }
  /// Both connected, and data flows both ways.
  void expect_alive() {
    pair().send(client(), "ping");
    pair().send(server(), "pong");
    run();
    EXPECT_EQ(as_text(server().data), "ping") << error_text(server());
    EXPECT_EQ(as_text(client().data), "pong") << error_text(client());
  }
};

/// Where the change_cipher_spec record stands among whole records.
inline std::size_t change_cipher_spec_in(const Octets& records) {
  std::size_t at = 0;
  while (at < records.size() && records[at] != 20)
    at += record::kHeaderSize + (std::size_t{records[at + 3]} << 8U | records[at + 4]);
  EXPECT_LT(at, records.size()) << "no change_cipher_spec";
  return at;
}

template <class Edit>
void expect_server_hello_refused(Edit edit, Reason reason, Alert alert = Alert::illegal_parameter) {
  OldDuel duel;
  duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, edit);
  duel.expect_client_refuses(reason, alert, Place::server_hello);
}

}  // namespace lockstep::testing
