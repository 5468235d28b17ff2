// What the types forbid. Compiled with MISUSE=N by misuse.cmake: case 0 must compile, each other must fail in its
// marked line.

#include "misuse.hpp"

// clang-format off
namespace lockstep::handshake {

struct Start {};
struct Named {};
struct Unnamed {};
struct Input {};
struct Other {};

// A handler leads only where its signature says.
Next<Named> on(Start&&, const Input&, Context&) {
#if MISUSE == 1
  return Unnamed{};  // case 1
#else
  return Named{};
#endif
}

static_assert(Accepts<Start, Input>);
static_assert(!Accepts<Start, Other>);
static_assert(!Accepts<Named, Input>);
static_assert(std::is_same_v<NextOf<Start, Input>, Next<Named>>);

#if MISUSE == 2
Token<Sign> copied(const Token<Sign>& token) { return token; }  // case 2
#endif
#if MISUSE == 3
DigestSecret copied(const DigestSecret& secret) { return secret; }  // case 3
#endif
#if MISUSE == 4
bool compared(const DigestSecret& a, const DigestSecret& b) { return a == b; }  // case 4
#endif
#if MISUSE == 5
Connection copied(const Connection& connection) { return connection; }  // case 5
#endif
#if MISUSE == 6
client13::Connected connected() { return client13::Connected{}; }  // case 6
#endif
#if MISUSE == 7
Authenticated authenticated() { return Authenticated(); }  // case 7
#endif
#if MISUSE == 8
Authenticated authenticated() { return Authenticated::by_signature(VerifiedSignature()); }  // case 8
#endif
#if MISUSE == 9
PeerVerified verified() { return PeerVerified(); }  // case 9
#endif
#if MISUSE == 10
void answer(Connection& connection, Token<Sign> token) { static_cast<void>(connection.answer(std::move(token), PeerAccepted{})); }  // case 10
#endif
#if MISUSE == 11
client13::WaitFinished early(client13::Keys keys) { return {std::move(keys), std::nullopt}; }  // case 11
#endif
#if MISUSE == 12
Connection server_as_client(std::shared_ptr<const ServerConfig> config, RandomSource& random) { return Connection::client(std::move(config), {x509::NoNameCheck{}}, random, {}); }  // case 12
#endif
#if MISUSE == 13
Connection client_as_server(std::shared_ptr<const ClientConfig> config, RandomSource& random) { return Connection::server(std::move(config), random); }  // case 13
#endif
#if MISUSE == 14
Connection any_as_server(std::shared_ptr<const Config> config, RandomSource& random) { return Connection::server(std::move(config), random); }  // case 14
#endif
#if MISUSE == 15
void setting_of_servers(ClientConfigBuilder& builder) { builder.client_auth(ClientAuth::require); }  // case 15
#endif
#if MISUSE == 16
void setting_of_clients(ServerConfigBuilder& builder) { builder.dangerous().skip_verification(); }  // case 16
#endif
#if MISUSE == 17
Authenticated resumed() { return Authenticated::by_psk({}); }  // case 17
#endif
#if MISUSE == 18
VerifiedPsk resumed(const Session& session) { return VerifiedPsk(session); }  // case 18
#endif
#if MISUSE == 19
server13::Connected connected(Authenticated authenticated) { return server13::Connected{authenticated}; }  // case 19
#endif
#if MISUSE == 20
Status change_key(Transport& transport, const Keys& keys) { return transport.install_read(Level::application, keys, {}); }  // case 20
#endif
#if MISUSE == 21
void answer(Connection& connection, Token<VerifyPeer>& token) { static_cast<void>(connection.answer(token, PeerAccepted{})); }  // case 21
#endif

// What is allowed instead.
Status change_key(Transport& transport, const Keys& keys, RecordAligned aligned) { return transport.install_read(Level::application, keys, aligned); }
Connection client(std::shared_ptr<const ClientConfig> config, RandomSource& random) { return Connection::client(std::move(config), {x509::NoNameCheck{}}, random, {}); }
Connection server(std::shared_ptr<const ServerConfig> config, RandomSource& random) { return Connection::server(std::move(config), random); }
Connection server_if(std::shared_ptr<const Config> config, RandomSource& random) { return Connection::server(as_server(std::move(config)), random); }
void settings(ClientConfigBuilder& client, ServerConfigBuilder& server) { client.dangerous().skip_verification().grease(false); server.client_auth(ClientAuth::require).cookie(true); }
Token<Sign> moved(Token<Sign>&& token) { return std::move(token); }
DigestSecret cloned(const DigestSecret& secret) { return secret.clone(); }
bool equal_secrets(const DigestSecret& a, const DigestSecret& b) { return constant_time_equal(a.view(), b.view()); }

}  // namespace lockstep::handshake
