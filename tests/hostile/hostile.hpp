#pragma once
// A hostile peer: one of our own engines whose messages are changed before they are protected and hashed, so that they
// come under the right keys and every later check still fits. What it does wrong is all that is wrong.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "connection/access.hpp"
#include "hostile/messages.hpp"
#include "pair/pair.hpp"

namespace lockstep::testing {

/// Changes messages on their way out.
class Forger final : public handshake::Rewriter {
 public:
  using Edit = std::function<Octets(Octets)>;

  /// Changes the message of this type, or the one after `earlier` others of that type.
  void change(HandshakeType type, Edit edit, int earlier = 0) { edits_.push_back({type, earlier, std::move(edit)}); }
  /// Changes the message of this type in its parts.
  template <class Parts, class PartsEdit>
  void change_parts(HandshakeType type, PartsEdit edit, int earlier = 0) {
    change(
        type,
        [edit](const Octets& message) {
          Parts parts = Parts::split(message);
          edit(parts);
          return parts.join();
        },
        earlier);
  }
  /// Sends this in place of the message.
  void replace(HandshakeType type, Octets with, int earlier = 0) {
    change(type, [with](const Octets&) { return with; }, earlier);
  }
  /// Sends this before the message.
  void precede(HandshakeType type, Octets with) {
    change(type, [with](const Octets& message) {
      Octets both = with;
      both.insert(both.end(), message.begin(), message.end());
      return both;
    });
  }
  /// Leaves the message out. Not for ClientHello.
  void omit(HandshakeType type) { replace(type, {}); }

  Bytes rewrite(handshake::Level /*level*/, Bytes message) override {
    const auto type = static_cast<HandshakeType>(message[0]);
    Octets octets(message.begin(), message.end());
    honest.push_back(octets);
    for (Rule& rule : edits_) {
      if (rule.type == type && rule.earlier-- == 0) octets = rule.edit(std::move(octets));
    }
    sent_.push_back(std::move(octets));
    return sent_.back();
  }

  std::deque<Octets> honest;  ///< what would have been sent

 private:
  struct Rule {
    HandshakeType type;
    int earlier;
    Edit edit;
  };
  std::vector<Rule> edits_;
  std::deque<Octets> sent_;  // a deque: what was returned must stay where it is
};

/// A short handshake: one suite, X25519, no GREASE.
inline ClientConfigBuilder plain_client() {
  return client_builder()
      .suites({CipherSuite::tls_aes_128_gcm_sha256})
      .groups({NamedGroup::x25519, NamedGroup::secp256r1})
      .key_shares({NamedGroup::x25519})
      .schemes({SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ed25519})
      .grease(false);
}
inline ServerConfigBuilder plain_server() {
  return server_builder()
      .suites({CipherSuite::tls_aes_128_gcm_sha256})
      .groups({NamedGroup::x25519, NamedGroup::secp256r1})
      .schemes({SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ed25519})
      .tickets(0);
}

/// Two engines, each with a forger behind it.
class Duel {
 public:
  ClientConfigBuilder client_config = plain_client();
  ServerConfigBuilder server_config = plain_server();
  Forger client_forger;
  Forger server_forger;
  std::vector<Session> sessions;

  Duel() = default;
  Duel(const Duel&) = delete;
  Duel& operator=(const Duel&) = delete;
  ~Duel() {
    if (!pair_) return;
    client_tape_.finish();
    server_tape_.finish();
  }

  /// The engines, once everything above is set; the ClientHello is ready to be sent.
  Pair& pair() {
    if (!pair_) {
      const auto client = built(client_config);
      const auto server = built(server_config);
      pair_ = std::make_unique<Pair>(client, server);
      ClientOptions options{x509::PeerName::dns("example.com").value(), sessions};
      pair_->client.connection = client_tape_.connection([&](auto& random) {
        return ConnectionAccess::client(client, std::move(options), random, kNow, client_forger);
      });
      pair_->server.connection = server_tape_.connection(
          [&](auto& random) { return ConnectionAccess::server(server, random, server_forger); });
      pair_->client_tape.forget();  // of the engines that these replace
      pair_->server_tape.forget();
      pair_->client.credential = credential_of(KeyType::ec_p256);
    }
    return *pair_;
  }
  void run() { pair().run(); }
  End& client() { return pair().client; }
  End& server() { return pair().server; }
  Octets& to_client() { return pair().to_client(); }
  Octets& to_server() { return pair().to_server(); }

  /// Both sides are connected: the change was one that a peer must bear.
  void expect_connected() {
    run();
    EXPECT_TRUE(client().connection.connected()) << error_text(client());
    EXPECT_TRUE(server().connection.connected()) << error_text(server());
  }
  /// The client refuses what the server did, and the server hears why.
  void expect_client_refuses(Reason reason, Alert alert) {
    run();
    expect_refusal(client(), reason, alert);
    expect_heard(server(), alert);
  }
  void expect_server_refuses(Reason reason, Alert alert) {
    run();
    expect_refusal(server(), reason, alert);
    expect_heard(client(), alert);
  }

  /// This side has failed by itself, for this reason, says what to do about it, and stays failed.
  static void expect_refusal(End& end, Reason reason, Alert alert) {
    ASSERT_TRUE(end.error) << "no failure; " << name(reason) << " was expected";
    EXPECT_EQ(end.error->reason, reason) << error_text(end);
    EXPECT_EQ(end.error->alert, alert) << error_text(end);
    EXPECT_NE(end.error->origin, Origin::peer);
    EXPECT_FALSE(explain(reason).empty());
    EXPECT_FALSE(advise(reason).empty());
    expect_over(end);
  }
  /// The other side was told by this very alert, protected as it can read it.
  static void expect_heard(End& end, Alert alert) {
    ASSERT_TRUE(end.error) << "the alert was not heard";
    EXPECT_EQ(end.error->reason, Reason::peer_alert) << error_text(end);
    EXPECT_EQ(end.error->alert, alert) << error_text(end);
    EXPECT_EQ(end.error->origin, Origin::peer);
    expect_over(end);
  }
  /// Nothing brings a failed connection back: not more input, not the application.
  static void expect_over(End& end) {
    Connection& connection = end.connection;
    EXPECT_FALSE(connection.connected());
    ASSERT_NE(connection.error(), nullptr);
    EXPECT_EQ(*connection.error(), *end.error);
    Octets more(100, 0x16);
    EXPECT_EQ(connection.receive(more, kNow).consumed, 0U);
    auto again = connection.receive(more, kNow);
    const auto* failed = std::get_if<Failed>(&again.event);
    ASSERT_NE(failed, nullptr);
    EXPECT_EQ(failed->error, *end.error);
    const Bytes data = as_bytes("x");
    Octets out(1000);
    EXPECT_EQ(connection.seal({&data, 1}, out, kNow).error(), Misuse::closed);
    EXPECT_EQ(connection.update_keys(true).error(), Misuse::closed);
    Octets key(16);
    EXPECT_FALSE(connection.export_keying_material("EXPORTER-x", {}, key));
    EXPECT_FALSE(connection.transmit_pending());
    EXPECT_EQ(connection.transmit(out, kNow), 0U);
    EXPECT_FALSE(connection.awaiting_answer());
  }

 private:
  FixedRandom client_random_{101};
  FixedRandom server_random_{102};
  Taped client_tape_{client_random_, "client"};
  Taped server_tape_{server_random_, "server"};
  std::unique_ptr<Pair> pair_;
};

inline constexpr auto kTls12 = ProtocolVersion::tls_1_2;

/// Makes both ends speak TLS 1.2 alone, with one suite.
inline void speak_tls12(Duel& duel) {
  constexpr auto kVersion = ProtocolVersion::tls_1_2;
  const std::vector suites{CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256};
  duel.client_config.versions(kVersion, kVersion).suites(suites);
  duel.server_config.versions(kVersion, kVersion).suites(suites);
}

/// Makes it the ClientHello of a client that knows nothing newer than `version`.
inline void make_older(RawClientHello& hello, std::uint16_t version) {
  hello.legacy_version = version;
  hello.extensions.remove(ExtensionType::supported_versions);
  hello.extensions.remove(ExtensionType::key_share);
  hello.extensions.remove(ExtensionType::psk_key_exchange_modes);
  hello.cipher_suites = {0xc0, 0x2f, 0x00, 0x2f};
}
/// Makes it the ServerHello of a server that chose an older version.
inline void make_older(RawServerHello& hello, std::uint16_t version) {
  hello.legacy_version = version;
  hello.cipher_suite = 0xc02f;
  hello.extensions.clear();
}

/// A record of any content under a connection's present sending key.
inline Octets seal_record(Connection& connection, ContentType type, Bytes content, std::size_t padding = 0) {
  record::Sealer& sealer = ConnectionAccess::sealer(connection);
  Octets slot(sealer.headroom() + content.size() + sealer.trailer_size(padding));
  std::ranges::copy(content, slot.begin() + static_cast<std::ptrdiff_t>(sealer.headroom()));
  const auto sealed = sealer.seal_in_place(type, slot, content.size(), padding);
  EXPECT_TRUE(sealed && *sealed > content.size());
  slot.resize(sealed.value_or(0));
  return slot;
}

/// A record without protection.
inline Octets plain_record(std::uint8_t type, Bytes content, std::uint16_t version = 0x0303) {
  Octets record{type, static_cast<std::uint8_t>(version >> 8U), static_cast<std::uint8_t>(version),
                static_cast<std::uint8_t>(content.size() >> 8U), static_cast<std::uint8_t>(content.size())};
  record.insert(record.end(), content.begin(), content.end());
  return record;
}

/// What a ServerKeyExchange of TLS 1.2 ends with.
struct RawSignedParams {
  std::uint16_t algorithm = 0;
  Octets signature;

 protected:
  void read_signature(Cursor& cursor) {
    algorithm = static_cast<std::uint16_t>(cursor.number(2));
    signature = cursor.vector(2);
  }
  [[nodiscard]] Octets join_behind(Octets params) const {
    put(params, algorithm, 2);
    put_vector(params, signature, 2);
    return message_of(HandshakeType::server_key_exchange, params);
  }
  /// With the server's key.
  void sign_params(const Duel& duel, const Octets& params, KeyType type) {
    Octets content = RawClientHello::split(duel.client_forger.honest.front()).random;
    append(content, RawServerHello::split(duel.server_forger.honest.front()).random);
    append(content, params);
    FixedRandom random(3);
    signature.resize(kMaxSignatureSize);
    signature.resize(key_of(type)->sign(static_cast<SignatureScheme>(algorithm), content, random, signature));
  }
};

/// ServerKeyExchange of TLS 1.2 with a finite field and a signature by an RSA key.
struct RawDheExchange : RawSignedParams {
  Octets p;
  Octets g;
  Octets ys;

  static RawDheExchange split(Bytes message) {
    Cursor cursor(message.subspan(4));
    RawDheExchange exchange;
    exchange.p = cursor.vector(2);
    exchange.g = cursor.vector(2);
    exchange.ys = cursor.vector(2);
    exchange.read_signature(cursor);
    return exchange;
  }
  [[nodiscard]] Octets params() const {
    Octets out;
    for (const Octets& number : {p, g, ys}) put_vector(out, number, 2);
    return out;
  }
  [[nodiscard]] Octets join() const { return join_behind(params()); }
  /// Signs what it says by now.
  void sign(const Duel& duel) { sign_params(duel, params(), KeyType::rsa); }
};

}  // namespace lockstep::testing
