#include <cstdio>
#include <cstdlib>

#include <lockstep/fuzzing.hpp>
#include <lockstep/x509_builder.hpp>

namespace lockstep::fuzzing {
namespace {

std::shared_ptr<const Credential> make_credential(const Provider& provider) {
  constexpr std::int64_t kSeconds = std::chrono::duration_cast<std::chrono::seconds>(kNow.time_since_epoch()).count();
  fake::FakeRandom random(7);
  const KeyLoader* const loader = provider.key_loader(KeyType::ed25519);
  const auto key = loader->load(loader->generate(KeyType::ed25519, 0, random).value()).value();
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
  scene.credential = make_credential(provider);
  scene.clients = {
      built(client(provider).alpn({"one", "two"}).early_data(Scene::kEarlyData)),
      // short messages, nothing optional
      built(client(provider).grease(false).middlebox_compatibility(false).groups({NamedGroup::secp384r1})),
      built(client(provider).key_shares({NamedGroup::x448}).max_send_fragment(64).key_log(true)),
      built(client(provider).alpn({"two"}).key_update_after(16384).padding(PaddingPolicy::to_multiple_of(32))),
  };
  scene.servers = {
      built(server(provider).alpn({"two", "one"}).early_data(Scene::kEarlyData)),
      // wants the client's certificate, and another group than it shares
      built(server(provider).client_auth(ClientAuth::require).groups({NamedGroup::secp384r1})),
      built(server(provider).client_auth(ClientAuth::request).cookie(true).groups({NamedGroup::x448})),
      built(server(provider).tickets(0).max_send_fragment(64).key_log(true)),
      built(server(provider).dynamic_record_sizing(true).server_preference(false).key_update_after(16384)),
  };
  return scene;
}

/// What a client keeps of a connection that went well.
Octets make_session() {
  End client(Scene::get().clients[0], 1);
  End server(Scene::get().servers[0], 2);
  Wire wire;
  talk(client, server, wire);
  require(!client.sessions().empty(), "the handshake of the scene brings a session");
  return client.sessions().front().serialize();
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
  static const Octets bytes = make_session();
  return Session::parse(bytes).value();
}

}  // namespace lockstep::fuzzing
