#include "library/schedule.hpp"

#include <array>
#include <string>
#include <utility>

#include <lockstep/x509_builder.hpp>

#include "library/actor.hpp"

namespace lockstep::fuzzing {
namespace {

constexpr std::size_t kSteps = 1000;
constexpr std::uint32_t kEarlyData = 3000;

/// Two honest ends that have come to rest.
class Agreement {
 public:
  Agreement(Verdict& verdict, Actor& client, Actor& server) : verdict_(verdict), client_(client), server_(server) {}

  void judge() {
    if (client_.error() || server_.error()) {
      judge_failure(client_, server_);
      judge_failure(server_, client_);
    } else {
      judge_connection();
    }
  }

 private:
  void judge_connection() {
    Connection& client = client_.connection();
    Connection& server = server_.connection();
    verdict_.require(client_.complete && server_.complete, "both ends come to the end of the handshake");
    verdict_.require(server_.received == client_.sent && client_.received == server_.sent, "all data arrives");
    const bool accepted = server.early_data() == EarlyDataStatus::accepted;
    verdict_.require(accepted == (client.early_data() == EarlyDataStatus::accepted), "both know of early data");
    verdict_.require(server_.early_received == (accepted ? client_.early_sent : 0), "all early data arrives, or none");
    verdict_.require(client_.closed_well == server_.peer_closed && server_.closed_well == client_.peer_closed,
                     "a close is heard");
    verdict_.require(client.suite() == server.suite() && client.group() == server.group() &&
                         client.alpn() == server.alpn() && client.resumed() == server.resumed() &&
                         client.retried() == server.retried() && client_.resumed == server_.resumed,
                     "both have agreed on the same");
    if (client.renegotiating() || server.renegotiating()) {
      verdict_.require(client_.closed_well || server_.closed_well,
                       "a renegotiation comes to its end, unless its peer says nothing any more");
      return;
    }
    std::array<std::uint8_t, 32> of_client{};
    std::array<std::uint8_t, 32> of_server{};
    const bool exported = client.export_keying_material("schedule", {}, of_client) &&
                          server.export_keying_material("schedule", {}, of_server);
    verdict_.require(exported && of_client == of_server, "both have the same secrets");
  }

  void judge_failure(Actor& self, Actor& peer) {
    if (!self.error()) return;
    if (self.error()->origin == Origin::peer) {
      verdict_.require(peer.error() && peer.error()->alert == self.error()->alert, "an alert is what the peer sent");
      return;
    }
    if (!verdict_.require(self.excused(), "an end fails for a reason")) return;
    // The peer hears of it, unless it has heard close_notify before, has failed as well, or cannot read: what is sent
    // under the key of early data that was not taken is skipped.
    const bool skipped = self.offers_early_data && !peer.complete;
    verdict_.require(peer.error() || peer.peer_closed || skipped || self.mute(), "the peer hears of a failure");
  }

  Verdict& verdict_;
  Actor& client_;
  Actor& server_;
};

void settle_both(Verdict& verdict, Actor& client, Actor& server) {
  for (int rounds = 0; !verdict.broken(); ++rounds) {
    const bool spoke = client.settle();
    if (!server.settle() && !spoke) return;
    verdict.require(rounds < 200, "two ends come to rest");
  }
}

}  // namespace

// --- the stage -------------------------------------------------------------------------------------------------------

Stage::Stage(const Provider& provider, std::size_t (*held_bytes)()) : held(held_bytes) {
  constexpr std::int64_t kSeconds = std::chrono::duration_cast<std::chrono::seconds>(kNow.time_since_epoch()).count();
  constexpr std::int64_t kDay = 86'400;
  const auto make = [&](KeyType type) -> std::shared_ptr<const Credential> {
    const KeyLoader* const loader = provider.key_loader(type);
    if (loader == nullptr) return nullptr;
    fake::FakeRandom random(7);
    const auto key = loader->load(loader->generate(type, 0, random).value()).value();
    Credential made;
    made.chain.push_back(x509::CertificateBuilder("CN=stage")
                             .dns("example.com")
                             .server()
                             .client()
                             .validity(kSeconds - kDay, kSeconds + kDay)
                             .self_signed(provider, *key, random)
                             .value());
    made.schemes.assign(key->schemes().begin(), key->schemes().end());
    made.key = key;
    return std::make_shared<const Credential>(std::move(made));
  };
  credential_ = make(KeyType::ed25519);
  rsa_credential_ = make(KeyType::rsa);

  const auto client = [&] {
    auto builder = ConfigBuilder::client(provider);
    return provider.insecure() ? builder.dangerous().allow_insecure_provider() : builder;
  };
  const auto server = [&] {
    auto builder = ConfigBuilder::server(provider);
    return provider.insecure() ? builder.dangerous().allow_insecure_provider() : builder;
  };
  pair("usual", client().alpn({"one", "two"}).early_data(kEarlyData),
       server().alpn({"two", "one"}).early_data(kEarlyData));
  pair("retried, computed elsewhere", client().early_data(kEarlyData).hand_out_computations(),
       server().early_data(kEarlyData).groups({NamedGroup::secp384r1}).hand_out_computations());
  pair("client authenticated", client().early_data(kEarlyData).verify_on_resumption(true),
       server().early_data(kEarlyData).client_auth(ClientAuth::require).verify_on_resumption(true).tickets(3));
  pair("client authenticated, computed elsewhere", client().early_data(kEarlyData).hand_out_computations(),
       server().early_data(kEarlyData).client_auth(ClientAuth::require).hand_out_computations());
  pair("small records",
       client().early_data(kEarlyData).max_send_fragment(64).padding(PaddingPolicy::to_multiple_of(32)),
       server().early_data(kEarlyData).max_send_fragment(100).cookie(true).dynamic_record_sizing(true));
  pair("keys change by themselves", client().key_update_after(16384).key_log(true),
       server().client_auth(ClientAuth::request).key_update_after(16384).tickets(1).early_data(0));
  constexpr auto kTls12 = ProtocolVersion::tls_1_2;
  constexpr auto kTls13 = ProtocolVersion::tls_1_3;
  pair("external PSKs",
       client()
           .versions(kTls13, kTls13)
           .external_psks(ExternalPsks::allow)
           .ticket_request(3, 1)
           .psk_without_dhe(PskWithoutDhe::allow),
       server().external_psks(ExternalPsks::allow).max_requested_tickets(4).cookie(true));
  pair("TLS 1.2", client().versions(kTls12, kTls12).alpn({"one", "two"}),
       server().versions(kTls12, kTls12).alpn({"two", "one"}));
  pair("TLS 1.2, client authenticated", client().versions(kTls12, kTls12).verify_on_resumption(true),
       server()
           .versions(kTls12, kTls12)
           .client_auth(ClientAuth::require)
           .verify_on_resumption(true)
           .max_send_fragment(100));
  pair("TLS 1.2, renegotiated",
       client().versions(kTls12, kTls12).alpn({"one", "two"}).renegotiation(Renegotiation::freely),
       server()
           .versions(kTls12, kTls12)
           .alpn({"two", "one"})
           .client_auth(ClientAuth::request)
           .renegotiation(Renegotiation::freely));
  pair("TLS 1.2, computed elsewhere", client().versions(kTls12, kTls12).hand_out_computations(),
       server().versions(kTls12, kTls12).client_auth(ClientAuth::require).hand_out_computations());
  const auto with = [&](std::string name, CipherSuite suite, bool encrypt_then_mac) {
    if (!provider.supports(suite)) return;
    pair(std::move(name), client().versions(kTls12, kTls12).suites({suite}),
         server().versions(kTls12, kTls12).suites({suite}).encrypt_then_mac(encrypt_then_mac));
  };
  with("TLS 1.2, RSA", CipherSuite::tls_rsa_with_aes_128_gcm_sha256, true);
  with("TLS 1.2, CBC", CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha256, true);
  with("TLS 1.2, CBC around a MAC", CipherSuite::tls_ecdhe_ecdsa_with_aes_256_cbc_sha384, false);
  pair("nothing optional", client().grease(false).middlebox_compatibility(false).resumption(false),
       server().resumption(false));
}

std::shared_ptr<const Credential> Stage::credential_for(std::span<const SignatureScheme> schemes) const {
  const bool usual = std::ranges::find_first_of(schemes, credential_->schemes) != schemes.end();
  return usual || rsa_credential_ == nullptr ? credential_ : rsa_credential_;
}

void Stage::pair(std::string name, const ClientConfigBuilder& client, const ServerConfigBuilder& server) {
  const auto built = [](const auto& builder) {
    auto config = builder.build();
    require(config.has_value(), config ? "" : config.error().front().text.c_str());
    return *config;
  };
  Pairing& made = pairings.emplace_back(Pairing{std::move(name), built(client), built(server)});
  Verdict verdict;
  Played played;
  Choices none({});
  Actor first(*this, verdict, played, none, made, Role::client, {}, 0);
  Actor second(*this, verdict, played, none, made, Role::server, {}, 0);
  first.meet(second);
  second.meet(first);
  settle_both(verdict, first, second);
  require(!verdict.broken() && first.complete && second.complete, "every pairing of the stage connects");
  made.sessions = std::move(first.sessions);
}

Octets schedule(std::uint64_t seed) {
  // Not a multiple of what FakeRandom adds: seeds next to each other would be parts of one stream.
  fake::FakeRandom random(seed * 0xd1342543de82ef95U + 1);
  std::array<std::uint8_t, 2> size{};
  (void)random.fill(size);
  Octets bytes(100 + (std::size_t{size[0]} << 8U | size[1]) % 1500U);
  (void)random.fill(bytes);
  return bytes;
}

Played play(const Stage& stage, Choices& choices) {
  Played played;
  Verdict verdict;
  const Stage::Pairing& pairing = stage.pairings[choices.below(stage.pairings.size())];
  const std::uint8_t ways = choices.byte();
  const Mischief mischief(choices.byte());
  played.log = pairing.name + ":";
  std::vector<Session> offered;
  if ((ways & 4U) != 0 && !pairing.sessions.empty()) offered.push_back(Session::parse(pairing.sessions[0]).value());
  Actor client(stage, verdict, played, choices, pairing, Role::client, offered, ways);
  Actor server(stage, verdict, played, choices, pairing, Role::server, {}, static_cast<std::uint8_t>(ways >> 4U));
  client.meet(server);
  server.meet(client);

  for (std::size_t steps = 0; steps < kSteps && !choices.empty() && !verdict.broken(); ++steps) {
    const std::uint8_t what = choices.byte();
    ((what & 0x80U) != 0 ? client : server).step(what, mischief);
  }
  played.log += " | to the end";
  settle_both(verdict, client, server);

  if (!verdict.broken()) {
    for (Actor* const each : {&client, &server}) {
      verdict.require(!each->connection().transmit_pending(), "what is pending can be sent");
      // Whoever has heard the peer's alert says nothing more.
      verdict.require(each->wire.whole() || (each->error() && each->error()->origin == Origin::peer),
                      "the last record is whole");
      verdict.require(!each->connection().awaiting_answer(), "nothing is waited for that was answered");
    }
    if (!played.tampered) Agreement(verdict, client, server).judge();
  }
  played.connected = client.complete && server.complete && !client.error() && !server.error();
  played.resumed = played.connected && client.connection().resumed();
  played.retried = played.connected && client.connection().retried();
  played.early_data = server.early_received != 0;
  played.closed = client.closed_well || server.closed_well;
  played.failed = client.error() || server.error();
  if (!verdict.broken()) {
    client.end();
    server.end();
  }
  for (Actor* const each : {&client, &server}) {
    played.log += each->connection().role() == Role::client ? "\n  client: " : "\n  server: ";
    played.log += each->error() ? to_text(*each->error()) : each->complete ? "connected" : "not connected";
    played.log += "; sent " + std::to_string(each->sent) + ", received " + std::to_string(each->received) + "; early " +
                  std::to_string(each->early_sent) + " and " + std::to_string(each->early_received) + "; left " +
                  std::to_string(each->inbound.size());
  }
  played.broken = verdict.text();
  return played;
}

}  // namespace lockstep::fuzzing
