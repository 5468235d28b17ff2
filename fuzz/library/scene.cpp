#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <lockstep/fuzzing.hpp>
#include <lockstep/lists.hpp>
#include <lockstep/x509_builder.hpp>

namespace lockstep::fuzzing {
namespace {

std::shared_ptr<const Credential> make_credential(const Provider& provider, KeyType type) {
  constexpr std::int64_t kSeconds = std::chrono::duration_cast<std::chrono::seconds>(kNow.time_since_epoch()).count();
  fake::FakeRandom random(7);
  const KeyLoader* const loader = provider.key_loader(type);
  const auto key = loader->load(loader->generate(type, 0, random).value()).value();
  Credential credential;
  credential.chain.push_back(x509::CertificateBuilder("CN=fuzz")
                                 .dns("example.com")
                                 .server()
                                 .client()
                                 .validity(kSeconds - 86'400, kSeconds + 86'400)
                                 .self_signed(provider, *key, random)
                                 .value());
  credential.schemes.assign(key->schemes().begin(), key->schemes().end());
  credential.key = key;
  return std::make_shared<const Credential>(std::move(credential));
}

/// What a Certificate of ours begins with goes without saying.
constexpr CertificateCodec kCodec{CertificateCompressionAlgorithm::zlib,
                                  [](Bytes compressed, MutableBytes certificate) noexcept {
                                    if (certificate.size() != compressed.size() + 2) return false;
                                    certificate[0] = certificate[1] = 0;
                                    std::ranges::copy(compressed, certificate.begin() + 2);
                                    return true;
                                  },
                                  [](Bytes certificate, MutableBytes compressed) noexcept {
                                    const bool fits = certificate.size() > 2 && certificate[0] == 0 &&
                                                      certificate[1] == 0 &&
                                                      compressed.size() >= certificate.size() - 2;
                                    if (fits) std::ranges::copy(certificate.subspan(2), compressed.begin());
                                    return fits ? certificate.size() - 2 : 0;
                                  }};

ClientConfigBuilder client(const Provider& provider) {
  return ConfigBuilder::client(provider).dangerous().allow_insecure_provider();
}
ServerConfigBuilder server(const Provider& provider) {
  return ConfigBuilder::server(provider).dangerous().allow_insecure_provider();
}

template <Role kRole>
std::shared_ptr<const ConfigOf<kRole>> built(const BasicConfigBuilder<kRole>& builder) {
  const auto config = builder.build();
  if (config) return *config;
  for (const ConfigProblem& problem : config.error()) {
    std::fprintf(stderr, "%s: %s\n", problem.setting.c_str(), problem.text.c_str());
  }
  std::abort();
}

Scene make_scene() {
  const Provider provider = fake::provider();
  Scene scene;
  scene.credential = make_credential(provider, KeyType::ed25519);
  scene.rsa_credential = make_credential(provider, KeyType::rsa);
  constexpr auto kOld = ProtocolVersion::tls_1_2;
  const auto suites_with = [&](auto holds) {
    return filter(suites(kOld), [&](CipherSuite suite) { return provider.supports(suite) && holds(*parts(suite)); });
  };
  const auto all = suites_with([](const SuiteParts& suite) {
    return suite.key_exchange == KeyExchangeMethod::ecdhe || suite.key_exchange == KeyExchangeMethod::rsa;
  });
  const auto rsa = suites_with([](const SuiteParts& suite) { return suite.key_exchange == KeyExchangeMethod::rsa; });
  const auto dhe = suites_with([](const SuiteParts& suite) { return suite.key_exchange == KeyExchangeMethod::dhe; });
  const auto cbc = suites_with(
      [](const SuiteParts& suite) { return suite.key_exchange == KeyExchangeMethod::ecdhe && suite.cbc.has_value(); });
  scene.clients = {
      built(client(provider).alpn({"one", "two"}).early_data(Scene::kEarlyData)),
      // short messages, nothing optional
      built(client(provider).grease(false).middlebox_compatibility(false).groups({NamedGroup::secp384r1})),
      // computed elsewhere
      built(
          client(provider).key_shares({NamedGroup::x448}).max_send_fragment(64).key_log(true).hand_out_computations()),
      built(client(provider)
                .alpn({"two"})
                .external_psks(ExternalPsks::allow)
                .ticket_request(3, 1)
                .key_update_after(16384)
                .padding(PaddingPolicy::to_multiple_of(32))
                .certificate_compression({kCodec})),
      // TLS 1.2 alone: what there is by default, and renegotiation; secrets that travel to an RSA key; CBC; all of it,
      // DHE first, and less asked for
      built(client(provider)
                .versions(kOld, kOld)
                .alpn({"one", "two"})
                .ocsp_stapling(true)
                .renegotiation(Renegotiation::freely)),
      built(client(provider).versions(kOld, kOld).suites(rsa).grease(false)),
      built(client(provider).versions(kOld, kOld).suites(cbc).max_send_fragment(64).key_log(true)),
      built(client(provider)
                .versions(kOld, kOld)
                .suites(prepend<CipherSuite>(dhe, all))
                .allow_no_extended_main_secret(true)
                .allow_no_renegotiation_info(true)
                .verify_on_resumption(true)
                .renegotiation(Renegotiation::once)),
  };
  scene.servers = {
      built(server(provider).alpn({"two", "one"}).early_data(Scene::kEarlyData)),
      // wants the client's certificate, and another group than it shares
      built(server(provider).client_auth(ClientAuth::require).groups({NamedGroup::secp384r1})),
      built(server(provider)
                .client_auth(ClientAuth::request)
                .external_psks(ExternalPsks::allow)
                .psk_without_dhe(PskWithoutDhe::prefer)
                .cookie(true)
                .groups({NamedGroup::x448})
                .hand_out_computations()
                .certificate_compression({kCodec})
                .grease(true)),
      built(server(provider).tickets(0).max_send_fragment(64).key_log(true).select_config()),
      built(server(provider)
                .dynamic_record_sizing(true)
                .server_preference(false)
                .key_update_after(16384)
                .certificate_compression({kCodec})),
      // TLS 1.2 alone, with every suite: tickets, and renegotiation; ids, and a client who must show a certificate;
      // neither, and the older order of MAC and encryption
      built(
          server(provider).versions(kOld, kOld).suites(all).alpn({"two", "one"}).renegotiation(Renegotiation::freely)),
      built(server(provider)
                .versions(kOld, kOld)
                .suites(all)
                .tickets(0)
                .session_ids(true)
                .hand_out_computations()
                .client_auth(ClientAuth::require)
                .allow_no_extended_main_secret(true)),
      built(server(provider)
                .versions(kOld, kOld)
                .suites(all)
                .tickets(0)
                .server_preference(false)
                .encrypt_then_mac(false)
                .client_auth(ClientAuth::request)
                .max_send_fragment(100)
                .renegotiation(Renegotiation::freely)
                .renegotiation_limit(1)),
  };
  return scene;
}

/// What a client and a server keep of a connection that went well.
struct Kept {
  Octets client;
  std::vector<Octets> server;
};
Kept make_session(std::size_t client_number, std::size_t server_number) {
  End client(Scene::get().clients[client_number], 1 + client_number);
  End server(Scene::get().servers[server_number], 20 + client_number);
  Wire wire;
  talk(client, server, wire);
  require(!client.sessions().empty(), "the handshake of the scene brings a session");
  Kept kept{client.sessions().front().serialize(), {}};
  for (const Session& session : server.stored) kept.server.push_back(session.serialize());
  return kept;
}

bool has_id(std::size_t client) { return (client - Scene::kFirstOldClient) % 2 != 0; }

/// Of every client that speaks TLS 1.2 alone.
const std::vector<Kept>& old_sessions() {
  static const std::vector<Kept> kept = [] {
    std::vector<Kept> made;
    for (std::size_t client = Scene::kFirstOldClient; client < Scene::get().clients.size(); ++client)
      made.push_back(make_session(client, Scene::kFirstOldServer + (has_id(client) ? 1 : 0)));
    return made;
  }();
  return kept;
}

}  // namespace

void require(bool holds, const char* sentence, const Error* error) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s%s%s\n", sentence, error != nullptr ? "; " : "",
               error != nullptr ? to_text(*error).c_str() : "");
  std::abort();
}

const Scene& Scene::get() {
  static const Scene scene = make_scene();
  return scene;
}

Session Scene::session() {
  static const Octets bytes = make_session(0, 0).client;
  return Session::parse(bytes).value();
}

Session Scene::session_of(std::size_t client) {
  return Session::parse(old_sessions()[client - kFirstOldClient].client).value();
}

const std::vector<Session>& Scene::stored() {
  static const std::vector<Session> all = [] {
    std::vector<Session> sessions;
    for (const Kept& kept : old_sessions()) {
      for (const Octets& session : kept.server) sessions.push_back(Session::parse(session).value());
    }
    return sessions;
  }();
  return all;
}

}  // namespace lockstep::fuzzing
