#pragma once
// The configuration of connections: immutable once built, shared by any number of connections. Building it reports
// every problem at once.
//
//     auto config = lockstep::ConfigBuilder::client(lockstep::botan::provider())
//                       .alpn({"h2", "http/1.1"})
//                       .build();
//     if (!config) for (const auto& problem : config.error()) std::cerr << problem.text << '\n';
//
// A client's and a server's are types of their own: what only one of them has the other's builder has not, and neither
// can be given to a connection of the other role.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <lockstep/certificate_compression.hpp>
#include <lockstep/export.hpp>
#include <lockstep/finite_field.hpp>
#include <lockstep/lists.hpp>
#include <lockstep/padding.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/session.hpp>
#include <lockstep/types.hpp>

namespace lockstep {

/// What a server asks of its clients (RFC 9846 4.4.2).
enum class ClientAuth : std::uint8_t {
  none,     ///< no certificate is requested
  request,  ///< requested; a client without one is welcome
  require,  ///< a client without one fails with certificate_required
};

/// Whether connections of TLS 1.2 are renegotiated (RFC 5246 7.4.1.1).
enum class Renegotiation : std::uint8_t {
  never,   ///< whoever asks for it is told no_renegotiation, and the connection goes on
  once,    ///< a connection at most once
  freely,  ///< as often as the rate allows
};

/// Whether pre-shared keys that were agreed on elsewhere authenticate both sides in TLS 1.3 (RFC 9846 4.3.11), in place
/// of certificates. They have settings of their own in TLS 1.2: suites.
enum class ExternalPsks : std::uint8_t {
  none,     ///< nobody asks for them
  allow,    ///< where there is none in common, certificates as ever
  require,  ///< where there is none in common, the handshake fails
};

/// Whether TLS 1.3 goes by a pre-shared key alone (psk_ke, RFC 9846 4.3.9), a session's or an external one, without a
/// key exchange: whoever learns the key later then reads everything that was said under it.
enum class PskWithoutDhe : std::uint8_t {
  never,   ///< psk_dhe_ke alone
  allow,   ///< where the peer wants nothing else: a client offers it behind psk_dhe_ke, a server takes it alone
  prefer,  ///< a client offers it first, a server takes it whenever it is offered
};

/// A suite with the algorithms that the provider supplies for it.
struct BoundSuite {
  CipherSuite suite{};
  const Aead* aead = nullptr;      ///< null for a suite with CBC
  const CbcCipher* cbc = nullptr;  ///< null for a suite with an AEAD
  const RecordMac* mac = nullptr;  ///< the same
  const Hash* hash = nullptr;
  ProtocolVersion version = ProtocolVersion::tls_1_3;  ///< the one that negotiates it
  KeyExchangeMethod key_exchange = KeyExchangeMethod::any;
  SuiteAuthentication authentication = SuiteAuthentication::any;
  std::size_t rank = 0;  ///< the place of the first that is as preferred as this one
};

/// A group with the provider's parts: one for a plain group, two for a hybrid.
struct BoundGroup {
  NamedGroup id{};
  const Group* first = nullptr;
  const Group* second = nullptr;  ///< null for a plain group

  [[nodiscard]] std::size_t client_share_size() const noexcept {
    return first->client_share_size + (second != nullptr ? second->client_share_size : 0);
  }
  [[nodiscard]] std::size_t server_share_size() const noexcept {
    return first->server_share_size + (second != nullptr ? second->server_share_size : 0);
  }
  [[nodiscard]] std::size_t secret_size() const noexcept {
    return first->secret_size + (second != nullptr ? second->secret_size : 0);
  }
};

/// The default bound on one handshake message, in bytes. RFC 9846 4 allows 2^24 - 1; certificate chains of real servers
/// stay below 20 KiB, with ML-DSA below 50, and those of one certificate for thousands of names below the 100 KiB that
/// OpenSSL takes.
inline constexpr std::size_t kDefaultMaxHandshakeMessage = 131072;
/// The most certificates of a chain that are read.
inline constexpr std::size_t kMaxChainLength = 100;
/// The default bound on all memory of one handshake, in bytes.
inline constexpr std::size_t kDefaultHandshakeMemory = 262144;
/// How many renegotiations a peer may begin on one connection, and in which time. Each costs as much as a new
/// connection, which nobody who counts connections would see.
inline constexpr std::uint16_t kDefaultRenegotiations = 3;
inline constexpr std::chrono::seconds kDefaultRenegotiationWindow{600};
inline constexpr std::uint16_t kMaxRenegotiations = 100;
inline constexpr std::chrono::seconds kMaxRenegotiationWindow{86'400};
/// The most tickets that a server sends after a handshake. Browsers ask for two; a client that wants a fresh one for
/// each of several connections at once is well served, and all fit into the default memory of a handshake.
inline constexpr std::uint8_t kMaxTickets = 16;
/// The most bytes of early data. What a server does not take it has to skip, record by record, as much as it would have
/// taken (RFC 9846 4.3.10), for whoever claims to send some.
inline constexpr std::uint32_t kMaxEarlyData = 1U << 20U;
/// RFC 9846 8.3: "windows on the order of ten seconds".
inline constexpr std::chrono::seconds kDefaultEarlyDataTolerance{10};
inline constexpr std::chrono::seconds kMaxEarlyDataTolerance{600};
/// How large the records that we send may be made, in bytes of plaintext: as RFC 8449 4 has it, and RFC 9846 5.1.
inline constexpr std::uint16_t kMinSendFragment = 64;
inline constexpr std::uint16_t kMaxSendFragment = 16384;
/// The longest hint of a server's for choosing a pre-shared key, in bytes. As long as OpenSSL's.
inline constexpr std::size_t kMaxPskIdentityHint = 256;
/// Bytes sealed with one key before it is updated by itself; far below what AES-GCM allows (RFC 9846 5.5: 2^24.5
/// records).
inline constexpr std::uint64_t kDefaultKeyUpdateBytes = std::uint64_t{1} << 36U;

namespace x509 {
class PreparedKeys;  // lockstep/x509_anchors.hpp
}

/// Settings as `ConfigBuilder` collected and checked them. Read-only.
struct Settings {
  Role role{};
  ProtocolVersion min_version = ProtocolVersion::tls_1_2;
  ProtocolVersion max_version = ProtocolVersion::tls_1_3;
  Profile profile = Profile::none;
  std::vector<BoundSuite> suites;
  std::vector<CipherSuite> equal_suites;  ///< those of `suites` that are as preferred as the one before
  std::vector<BoundGroup> groups;
  std::vector<NamedGroup> key_shares;            ///< client: groups whose shares go into the first ClientHello
  std::vector<SignatureScheme> schemes;          ///< accepted in CertificateVerify, and offered
  std::vector<SignatureScheme> schemes_cert;     ///< offered for certificates; empty: the same as schemes
  std::vector<SignatureScheme> signing_schemes;  ///< of our own CertificateVerify; empty: the same as schemes
  std::vector<std::string> alpn;
  std::vector<std::string> next_protocols;  ///< TLS 1.2: NPN
  ClientAuth client_auth = ClientAuth::none;
  std::vector<std::vector<std::uint8_t>> certificate_authorities;  ///< DER distinguished names to send
  bool ocsp_stapling = false;                  ///< ask the peer for an OCSP response with its certificate
  bool signed_certificate_timestamps = false;  ///< ask the peer for SCTs with its certificate
  bool hardware_aware = true;     ///< the order of suites is the default: it bends to what either machine is good at
  bool server_preference = true;  ///< server: its own order of suites decides
  bool server_preference_of_groups = true;  ///< server: its own order of groups decides
  bool middlebox_compatibility = true;
  bool grease = true;                  ///< client: RFC 8701
  bool cookie = false;                 ///< server: a cookie in HelloRetryRequest
  bool retry_for_group = false;        ///< server: a preferred group is worth a HelloRetryRequest
  bool tickets_without_modes = false;  ///< server: also for clients without psk_key_exchange_modes
  bool send_tickets = true;
  bool resumption = true;
  bool verify_on_resumption = false;
  bool session_ids = false;                            ///< server, TLS 1.2: sessions are stored under ids
  bool encrypt_then_mac = true;                        ///< TLS 1.2, for suites with CBC: RFC 7366
  bool extended_main_secret_required = true;           ///< TLS 1.2: RFC 7627
  bool renegotiation_info_required = true;             ///< client, TLS 1.2: RFC 5746
  Renegotiation renegotiation = Renegotiation::never;  ///< TLS 1.2
  std::uint16_t renegotiation_limit = kDefaultRenegotiations;
  std::uint32_t renegotiation_window = kDefaultRenegotiationWindow.count();  ///< seconds
  bool renegotiation_ends = false;              ///< a renegotiation that is not had ends the connection
  bool false_start = false;                     ///< client, TLS 1.2: RFC 7918
  bool false_start_without_alpn = false;        ///< client
  bool fallback_scsv = false;                   ///< client: RFC 7507
  bool hand_out_computations = false;           ///< as `Compute`
  bool select_config = false;                   ///< server: asks with `SelectConfig`
  std::vector<std::uint8_t> psk_identity_hint;  ///< server, TLS 1.2: RFC 4279; empty: none is sent
  bool tell_unknown_psk = false;                ///< server
  ExternalPsks external_psks = ExternalPsks::none;
  PskWithoutDhe psk_without_dhe = PskWithoutDhe::never;
  bool ticket_request = false;  ///< client: RFC 9149, with these two
  std::uint8_t new_session_count = 0;
  std::uint8_t resumption_count = 0;
  std::uint8_t max_requested_tickets = 0;          ///< server; 0: `ticket_count`
  std::vector<std::uint8_t> session_context;       ///< empty: a digest of what verifies the peer
  std::uint32_t max_authentication_age = 604'800;  ///< seconds, at most 7 days
  std::uint8_t ticket_count = 2;
  std::uint32_t ticket_lifetime = 7200;                                     ///< seconds, at most kMaxTicketLifetime
  std::uint32_t early_data = 0;                                             ///< bytes; 0: none
  std::uint32_t early_data_tolerance = kDefaultEarlyDataTolerance.count();  ///< seconds
  bool key_log = false;
  bool skip_verification = false;
  bool expose_master_secret = false;  ///< TLS 1.2
  PaddingPolicy padding;
  std::uint16_t max_send_fragment = 16384;
  std::uint16_t record_size_limit = 0;      ///< RFC 8449: plaintext of a record that we take; 0: not asked for
  std::uint16_t max_fragment_length = 0;    ///< client, RFC 6066 4: bytes; 0: not asked for
  bool accept_max_fragment_length = false;  ///< server
  bool dynamic_record_sizing = false;
  std::uint64_t key_update_bytes = kDefaultKeyUpdateBytes;
  std::size_t max_handshake_message = kDefaultMaxHandshakeMessage;
  std::size_t handshake_memory = kDefaultHandshakeMemory;
  std::size_t min_dh_bits = kDefaultMinDhBits;  ///< TLS 1.2, with DHE
  bool unknown_dh_groups = false;               ///< client, TLS 1.2: takes the server's own parameters
  DhParameters dh_parameters;                   ///< server, TLS 1.2: empty: none of its own
  std::vector<std::shared_ptr<const x509::PreparedKeys>> known_peers;  ///< nobody is trusted for being known
  std::vector<CertificateCodec> certificate_codecs;                    ///< TLS 1.3: RFC 8879; empty: none
  std::shared_ptr<CompressedCertificates> compressed_certificates;     ///< null only without codecs
  bool server_grease = false;                                          ///< server: RFC 8701 4

  [[nodiscard]] bool speaks(ProtocolVersion version) const noexcept {
    return rank(min_version) <= rank(version) && rank(version) <= rank(max_version);
  }
  /// What our own CertificateVerify may be signed with.
  [[nodiscard]] const std::vector<SignatureScheme>& own_schemes() const noexcept {
    return signing_schemes.empty() ? schemes : signing_schemes;
  }
};

template <Role kRole>
class BasicConfigBuilder;

/// What a client's and a server's configuration have in common; there are no others.
class LOCKSTEP_API Config {
 public:
  [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
  [[nodiscard]] const Provider& provider() const noexcept { return provider_; }
  [[nodiscard]] Role role() const noexcept { return settings_.role; }
  /// The bound suite or group, or null when this configuration does not have it.
  [[nodiscard]] const BoundSuite* suite(CipherSuite id) const noexcept;
  [[nodiscard]] const BoundGroup* group(NamedGroup id) const noexcept;
  /// What its sessions are bound to where the peer is verified by `verification`: see
  /// `ConfigBuilder::session_context`.
  [[nodiscard]] SessionContext session_context(const SessionContext& verification) const noexcept;

 protected:
  Config(Settings settings, const SessionContext& context, Provider provider) noexcept
      : settings_(std::move(settings)), context_(context), provider_(std::move(provider)) {}
  ~Config() = default;

 private:
  Settings settings_;
  SessionContext context_;  // of the settings alone
  Provider provider_;
};

/// A client's configuration. Immutable; share it by `std::shared_ptr<const ClientConfig>`; cloning it is
/// `ConfigBuilder::from`.
class ClientConfig final : public Config {
  friend class BasicConfigBuilder<Role::client>;
  ClientConfig(Settings settings, const SessionContext& context, Provider provider) noexcept
      : Config(std::move(settings), context, std::move(provider)) {}
};

/// A server's, the same.
class ServerConfig final : public Config {
  friend class BasicConfigBuilder<Role::server>;
  ServerConfig(Settings settings, const SessionContext& context, Provider provider) noexcept
      : Config(std::move(settings), context, std::move(provider)) {}
};

template <Role kRole>
using ConfigOf = std::conditional_t<kRole == Role::client, ClientConfig, ServerConfig>;

/// For those who take either: the configuration as what it is; null when it is the other's.
[[nodiscard]] LOCKSTEP_API std::shared_ptr<const ClientConfig> as_client(std::shared_ptr<const Config> config) noexcept;
[[nodiscard]] LOCKSTEP_API std::shared_ptr<const ServerConfig> as_server(std::shared_ptr<const Config> config) noexcept;

/// One reason why a configuration cannot be built.
struct ConfigProblem {
  std::string setting;  ///< the builder's function
  std::string text;     ///< what is wrong and what to do
};

/// What the builders have collected, and the checks of it.
class LOCKSTEP_API ConfigDraft {
 protected:
  ConfigDraft(Role role, Provider provider);
  /// Suites and groups need only their ids.
  ConfigDraft(Role role, const Settings& settings, Provider provider);

  struct Checked {
    Settings settings;  ///< complete and bound to the provider
    SessionContext context;
  };
  /// All that a configuration is made of; or every problem.
  [[nodiscard]] std::expected<Checked, std::vector<ConfigProblem>> check() const;

  Role role_;
  Settings settings_;
  Provider provider_;
  std::optional<std::vector<ProtocolVersion>> version_list_;
  std::optional<std::vector<CipherSuite>> suites_;
  std::optional<std::vector<NamedGroup>> groups_;
  std::optional<std::vector<NamedGroup>> key_shares_;
  std::optional<std::vector<SignatureScheme>> schemes_;
  std::optional<std::vector<SignatureScheme>> schemes_cert_;
  std::optional<std::vector<SignatureScheme>> signing_schemes_;
  std::optional<std::vector<std::uint8_t>> session_context_;
  std::optional<std::chrono::seconds> max_authentication_age_;
  std::optional<std::chrono::seconds> renegotiation_window_;
  std::optional<std::size_t> handshake_memory_;
  std::optional<bool> prefer_chacha20_;
  std::optional<bool> server_preference_of_groups_;
  std::vector<std::vector<std::uint8_t>> known_peers_;
  bool versions_named_ = false;
  bool insecure_provider_allowed_ = false;
};

/// Collects settings; every function returns the builder, nothing is checked before `build`. Begin with
/// `ConfigBuilder`.
template <Role kRole>
class BasicConfigBuilder : ConfigDraft {
 public:
  /// A builder that starts from settings alone, for a provider that may be another; `build` checks all of it again.
  /// Suites and groups need only their ids. A provider that protects nothing has to be allowed again.
  [[nodiscard]] static BasicConfigBuilder from(const Settings& settings, Provider provider) {
    return BasicConfigBuilder(settings, std::move(provider));
  }

  /// The oldest and newest protocol version: TLS 1.2, TLS 1.3, or both, which is the default. Where no versions are
  /// named and all suites, groups or schemes that are named belong to one version, it is that one.
  BasicConfigBuilder& versions(ProtocolVersion min, ProtocolVersion max) {
    version_list_.reset();
    versions_named_ = true;
    settings_.min_version = min;
    settings_.max_version = max;
    return *this;
  }
  /// An explicit list of versions; it must be without gaps.
  BasicConfigBuilder& versions(std::span<const ProtocolVersion> list) {
    version_list_.emplace(list.begin(), list.end());
    return *this;
  }
  /// Rules for all that is to be set here. `Profile::fips`: suites, groups and schemes are those that FIPS 140-3
  /// approves (`is_approved`), named or by default; `build` complains about others that are named, and about what lets
  /// others in: parameters of DHE that are not those of RFC 7919, TLS 1.2 without extended master secret (FIPS 140-3
  /// IG). Peers' RSA keys of fewer bits than kApprovedRsaBits are refused (`certificate_weak`), as pre-shared keys
  /// below kApprovedPskSize are (`psk_weak`). Default groups: X25519MLKEM768, SecP256r1MLKEM768, P-256, P-384, P-521.
  /// Certificates above the peer's own, and whether the provider is a validated module, are for others to see to:
  /// `x509::Policy::profile` and `libcrypto::provider_in`.
  BasicConfigBuilder& profile(Profile rules) {
    settings_.profile = rules;
    return *this;
  }
  /// Suites of all versions in order of preference. What `ListKind::by_default` leaves out is opt-in: CCM, CBC, RSA key
  /// exchange, and pre-shared keys (PSK, ECDHE_PSK, DHE_PSK, RSA_PSK), with which neither side shows a certificate,
  /// RSA_PSK's server excepted: a server that requires one of its client takes none of these. Default: AES-128-GCM,
  /// AES-256-GCM, ChaCha20-Poly1305, and the same with ECDHE in TLS 1.2; a server with this default follows a client
  /// that puts ChaCha20-Poly1305 first, because that client's machine has no fast AES.
  BasicConfigBuilder& suites(std::vector<CipherSuite> list) {
    suites_ = std::move(list);
    settings_.equal_suites.clear();
    settings_.hardware_aware = false;
    return *this;
  }
  /// The same, where some are as good as others: of the first rank of which the client offers a suite, a server takes
  /// the one that stands first in the client's list. `ranked_suites_from_text` reads "[A|B]:C". What a client offers
  /// has no ranks: its order is that in which they are written.
  BasicConfigBuilder& ranked_suites(const RankedSuites& ranks) {
    suites({});
    for (const auto& rank : ranks) {
      suites_->insert(suites_->end(), rank.begin(), rank.end());
      if (!rank.empty()) settings_.equal_suites.insert(settings_.equal_suites.end(), rank.begin() + 1, rank.end());
    }
    return *this;
  }
  /// Put ChaCha20-Poly1305 first in the default order. Default: when the provider says that AES is slow here.
  BasicConfigBuilder& prefer_chacha20(bool on = true) {
    prefer_chacha20_ = on;
    return *this;
  }
  /// Groups in order of preference. Default: X25519MLKEM768, X25519, P-256, P-384, P-521, X448 as the provider has
  /// them; behind them ffdhe2048, ffdhe3072 and ffdhe4096, as far as `min_dh_bits` admits them, where `suites` names
  /// one with DHE.
  BasicConfigBuilder& groups(std::vector<NamedGroup> list) {
    groups_ = std::move(list);
    return *this;
  }
  /// Client: which groups' key shares go into the first ClientHello, where they stand in the order of `groups` (RFC
  /// 9846 4.3.8). Default: the first post-quantum group (hybrid or ML-KEM alone) and the first classical one of
  /// `groups`, so that an older server answers without another round trip.
  BasicConfigBuilder& key_shares(std::vector<NamedGroup> list)
    requires(kRole == Role::client)
  {
    key_shares_ = std::move(list);
    return *this;
  }
  /// Signature schemes for CertificateVerify in order of preference: the peer's, and our own. Those with SHA-1 are
  /// insecure (`is_insecure`): they have to be named, and serve TLS 1.2 alone. A server that names them serves clients
  /// that send no signature_algorithms, too (RFC 5246 7.4.1.4.1).
  BasicConfigBuilder& schemes(std::vector<SignatureScheme> list) {
    schemes_ = std::move(list);
    return *this;
  }
  /// Those of our own CertificateVerify, where they are not those of `schemes`: what a credential can sign with beyond
  /// them is not used. The order is the credential's.
  BasicConfigBuilder& signing_schemes(std::vector<SignatureScheme> list) {
    signing_schemes_ = std::move(list);
    return *this;
  }
  /// signature_algorithms_cert (RFC 9846 4.3.3); default: what the provider verifies, PKCS#1 included.
  BasicConfigBuilder& schemes_cert(std::vector<SignatureScheme> list) {
    schemes_cert_ = std::move(list);
    return *this;
  }
  /// Application protocols in order of preference (RFC 7301). A server that shares none with its client fails; so does
  /// a client whose server picks what was not offered.
  BasicConfigBuilder& alpn(std::vector<std::string> list) {
    settings_.alpn = std::move(list);
    return *this;
  }
  /// TLS 1.2: application protocols in order of preference for peers that know Next Protocol Negotiation
  /// (draft-agl-tls-nextprotoneg-04), which ALPN replaced. A server tells its list to a client that asks and with which
  /// ALPN agrees on nothing; the client takes the server's first that it has, or its own first. A server fails where
  /// the client has chosen another. `Connection::alpn` says what came of it: at a server with `HandshakeComplete`.
  /// Empty, the default: none.
  BasicConfigBuilder& next_protocols(std::vector<std::string> list) {
    settings_.next_protocols = std::move(list);
    return *this;
  }
  /// Server: whether clients are asked for certificates.
  BasicConfigBuilder& client_auth(ClientAuth mode)
    requires(kRole == Role::server)
  {
    settings_.client_auth = mode;
    return *this;
  }
  /// Distinguished names (DER) to send in certificate_authorities, at most 1024 with 60,000 bytes; empty (the default)
  /// sends none.
  BasicConfigBuilder& certificate_authorities(std::vector<std::vector<std::uint8_t>> names) {
    settings_.certificate_authorities = std::move(names);
    return *this;
  }
  /// Ask the peer to staple an OCSP response to its certificate (RFC 6066 8, RFC 9846 4.5.1.1): a client in its
  /// ClientHello, a server in its CertificateRequest. What comes is told in `VerifyPeer`, whose answer judges it. Off
  /// by default.
  BasicConfigBuilder& ocsp_stapling(bool on) {
    settings_.ocsp_stapling = on;
    return *this;
  }
  /// Ask the peer for Signed Certificate Timestamps beside its certificate (RFC 6962 3.3.1), in the same way. Off by
  /// default.
  BasicConfigBuilder& signed_certificate_timestamps(bool on) {
    settings_.signed_certificate_timestamps = on;
    return *this;
  }
  /// Server: whether its own order decides (default) or the client's, for suites, and for groups where
  /// `server_preference_of_groups` says nothing else.
  BasicConfigBuilder& server_preference(bool on)
    requires(kRole == Role::server)
  {
    settings_.server_preference = on;
    return *this;
  }
  /// Server: the same for groups alone. By default as `server_preference`.
  BasicConfigBuilder& server_preference_of_groups(bool on)
    requires(kRole == Role::server)
  {
    server_preference_of_groups_ = on;
    return *this;
  }
  /// Server: insist on the group that is preferred among those the client supports, even when the client has sent no
  /// share for it, so that a HelloRetryRequest has to ask: stronger groups at the price of a round trip. Off by
  /// default: the preferred one among those that have a share.
  BasicConfigBuilder& retry_for_group(bool on)
    requires(kRole == Role::server)
  {
    settings_.retry_for_group = on;
    return *this;
  }
  /// RFC 9846 E.4. On by default.
  BasicConfigBuilder& middlebox_compatibility(bool on) {
    settings_.middlebox_compatibility = on;
    return *this;
  }
  /// GREASE (RFC 8701), so that peers come to rely on nothing that is bound to change. Client: code points that nobody
  /// knows stand in the ClientHello, and its extensions in another order on each connection (RFC 9846 4.3 lets them).
  /// On by default. Server: TLS 1.3's CertificateRequest and NewSessionTicket have an extension and a signature scheme
  /// that nobody knows. Off by default: a client that stumbles has nothing to choose another server by.
  BasicConfigBuilder& grease(bool on) {
    (kRole == Role::client ? settings_.grease : settings_.server_grease) = on;
    return *this;
  }
  /// TLS 1.3: certificates may travel compressed (RFC 8879), which spares slow networks a round trip where chains are
  /// long. The peer is told which of these it may use for its own; ours is compressed by the first that the peer knows
  /// and that makes it smaller, once for all connections of this configuration. lockstep::compression has codecs
  /// (lockstep/compression.hpp). What a peer's certificate comes to is held against `max_handshake_message` before it
  /// is decompressed, and counts against `handshake_memory`. Empty, the default: none. `kept` is where compressed
  /// messages are kept: one of its own for this configuration and those made from it, unless it is given.
  BasicConfigBuilder& certificate_compression(std::vector<CertificateCodec> codecs,
                                              std::shared_ptr<CompressedCertificates> kept = nullptr) {
    settings_.certificate_codecs = std::move(codecs);
    settings_.compressed_certificates = std::move(kept);
    return *this;
  }
  /// Server: send a cookie with HelloRetryRequest and insist on its return.
  BasicConfigBuilder& cookie(bool on)
    requires(kRole == Role::server)
  {
    settings_.cookie = on;
    return *this;
  }
  /// Resumption by tickets: how many a server sends after a full handshake, 0 (none) to kMaxTickets, and for how long
  /// they live, 1 second to kMaxTicketLifetime. After a resumption one comes in place of the one that was spent; a
  /// client that wants another number says so (RFC 9149).
  BasicConfigBuilder& tickets(std::uint8_t count, std::uint32_t lifetime_seconds = 7200)
    requires(kRole == Role::server)
  {
    settings_.ticket_count = count;
    settings_.send_tickets = count != 0;
    settings_.ticket_lifetime = lifetime_seconds;
    return *this;
  }
  /// Server: how many tickets a client gets at most that says how many it wants (RFC 9149), 1 to kMaxTickets; whoever
  /// wants fewer gets fewer. Default: as many as one that says nothing, which is the count of `tickets`.
  BasicConfigBuilder& max_requested_tickets(std::uint8_t count)
    requires(kRole == Role::server)
  {
    settings_.max_requested_tickets = count;
    return *this;
  }
  /// Client: say how many tickets are wanted (ticket_request, RFC 9149): after a full handshake, and after a
  /// resumption. RFC 9149 3: "A client starting a new connection SHOULD set new_session_count to the desired number of
  /// session tickets and resumption_count to 0. Once a client's ticket cache is primed, a resumption_count of 1 is a
  /// good choice". Default: nothing is said.
  BasicConfigBuilder& ticket_request(std::uint8_t new_session_count, std::uint8_t resumption_count)
    requires(kRole == Role::client)
  {
    settings_.ticket_request = true;
    settings_.new_session_count = new_session_count;
    settings_.resumption_count = resumption_count;
    return *this;
  }
  /// Server: send tickets also to clients that send no psk_key_exchange_modes unless they resume, as those of
  /// Erlang/OTP 25. RFC 9846 4.3.9: "Servers SHOULD NOT send NewSessionTicket with tickets that are not compatible with
  /// the advertised modes; however, if a server does so, the impact will just be that the client's attempts at
  /// resumption fail." Off by default.
  BasicConfigBuilder& tickets_without_modes(bool on)
    requires(kRole == Role::server)
  {
    settings_.tickets_without_modes = on;
    return *this;
  }
  /// Whether tickets are offered or accepted at all. On by default.
  BasicConfigBuilder& resumption(bool on) {
    settings_.resumption = on;
    return *this;
  }
  /// Early data (0-RTT, RFC 9846 2.3): at most this many bytes, kMaxEarlyData at most; 0, the default, is none. A
  /// client offers it with a session that allows it; the bytes go through `seal_early`. A server says so in its
  /// tickets, is asked with `AcceptEarlyData`, and gets the bytes as `EarlyData`.
  ///
  /// Early data has no forward secrecy, and whoever recorded it can send it again to the same server: let it carry only
  /// what may happen twice (RFC 9846 8).
  ///
  /// A server takes none when the age that the client states for its ticket is off by more than `tolerance` (RFC
  /// 9846 8.3: clocks drift, and bytes take their time): for so long a replay has to be recognised, at most 10 minutes.
  BasicConfigBuilder& early_data(std::uint32_t max_bytes, std::chrono::seconds tolerance = kDefaultEarlyDataTolerance) {
    settings_.early_data = max_bytes;
    settings_.early_data_tolerance = static_cast<std::uint32_t>(tolerance.count());
    return *this;
  }
  /// Server, TLS 1.2: sessions with ids (RFC 5246 F.1.4) for clients that take no tickets: the server stores them, as
  /// `SealTicket` says, and looks them up, as `OpenTicket` says. Off by default.
  BasicConfigBuilder& session_ids(bool on)
    requires(kRole == Role::server)
  {
    settings_.session_ids = on;
    return *this;
  }
  /// TLS 1.2: offer and take encrypt-then-MAC (RFC 7366) with suites in CBC mode, which are opt-in. Without it their
  /// records are as RFC 5246 made them, and opened in constant time. On by default.
  BasicConfigBuilder& encrypt_then_mac(bool on) {
    settings_.encrypt_then_mac = on;
    return *this;
  }
  /// TLS 1.2, with DHE: the shortest prime that is taken of servers, and that a server takes of its own configuration:
  /// kMinDhBits to kMaxDhBits, kDefaultMinDhBits by default. Servers that have 1024 bits and nothing else are old, and
  /// whoever records such a connection may come to read it (CVE-2015-4000, Logjam).
  BasicConfigBuilder& min_dh_bits(std::size_t bits) {
    settings_.min_dh_bits = bits;
    return *this;
  }
  /// TLS 1.2, with DHE: also take a server's own parameters, and not only those groups of RFC 7919 that `groups` has.
  /// Whether p is a prime, and how its group is made, a client cannot see; what is refused is a p that is even, shorter
  /// than `min_dh_bits` or longer than kMaxDhBits, and a g that is not between 1 and p - 1. Off by default (RFC 7919
  /// 3.1).
  BasicConfigBuilder& allow_unknown_dh_groups(bool on)
    requires(kRole == Role::client)
  {
    settings_.unknown_dh_groups = on;
    return *this;
  }
  /// Server, TLS 1.2, with DHE: parameters of its own (x509::load_dh_parameters reads them) for clients that list no
  /// group of RFC 7919; among what a client lists, one of `groups` is chosen (RFC 7919 4). Default: such clients get
  /// one of `groups`, which is quicker and known to be sound. `build` checks that p is a prime, which takes from a
  /// tenth of a second for 2048 bits to some seconds for 8192.
  BasicConfigBuilder& dh_parameters(DhParameters parameters)
    requires(kRole == Role::server)
  {
    settings_.dh_parameters = std::move(parameters);
    return *this;
  }
  /// TLS 1.2: go on with peers that have no extended master secret (RFC 7627), such as Erlang's ssl. Without it, two
  /// connections can be made to share a master secret (the triple handshake), and exporters are refused. Off by
  /// default.
  BasicConfigBuilder& allow_no_extended_main_secret(bool on) {
    settings_.extended_main_secret_required = !on;
    return *this;
  }
  /// TLS 1.2: go on with servers that do not know renegotiation_info (RFC 5746), which somebody in the middle may make
  /// take this connection for the continuation of another (CVE-2009-3555). Off by default.
  BasicConfigBuilder& allow_no_renegotiation_info(bool on)
    requires(kRole == Role::client)
  {
    settings_.renegotiation_info_required = !on;
    return *this;
  }
  /// TLS 1.2: whether a connection may be renegotiated (RFC 5246 7.4.1.1), by `Connection::renegotiate` and by the
  /// peer: old servers ask for a client's certificate that way. Only with peers that support RFC 5746, by full
  /// handshakes, and only with the very same end-entity certificate of the peer as before (against the triple
  /// handshake): a client that has shown none may show one. Version, application protocol and extended master secret
  /// stay as they are. With this setting sessions hold the peer's certificates, as with `verify_on_resumption`. `never`
  /// by default: an answer by application data says nothing of who has sent what came before (CVE-2009-3555), and each
  /// renegotiation costs as much as a connection.
  BasicConfigBuilder& renegotiation(Renegotiation mode) {
    settings_.renegotiation = mode;
    return *this;
  }
  /// How many renegotiations the peer may begin on a connection within a time; another one is refused, and the
  /// connection goes on. 1 to 100 (default 3) within 1 to 86,400 seconds (default 600).
  BasicConfigBuilder& renegotiation_limit(std::uint16_t count,
                                          std::chrono::seconds window = kDefaultRenegotiationWindow) {
    settings_.renegotiation_limit = count;
    renegotiation_window_ = window;
    return *this;
  }
  /// TLS 1.2: whoever asks for a renegotiation that is not had here, or for one more than is, loses the connection
  /// (`Reason::renegotiation_unwanted`): no_renegotiation goes out as a fatal alert, as BoringSSL and Go send it, and
  /// not as the warning that it is in RFC 5246 7.2.2, after which the connection goes on. Off by default.
  BasicConfigBuilder& renegotiation_ends_connection(bool on) {
    settings_.renegotiation_ends = on;
    return *this;
  }
  /// Client, TLS 1.2: let application data go as soon as our own Finished is out, a round trip before the server's has
  /// come (RFC 7918): `Connection::false_start` says when. Only in full handshakes with ECDHE, an AEAD and an
  /// application protocol agreed on, and only once the server has proved who it is; but what an attacker has changed in
  /// the hellos is found out after data was sent. Off by default.
  BasicConfigBuilder& false_start(bool on)
    requires(kRole == Role::client)
  {
    settings_.false_start = on;
    return *this;
  }
  /// Client, TLS 1.2: with `false_start`, also where no application protocol was agreed on. That there is one is the
  /// sign of a server young enough to know what to do with data that comes so early; others may fail. Off by default.
  BasicConfigBuilder& allow_false_start_without_alpn(bool on)
    requires(kRole == Role::client)
  {
    settings_.false_start_without_alpn = on;
    return *this;
  }
  /// Client: say that this connection is a second attempt, with an older version than the client would have liked,
  /// after the first has failed (TLS_FALLBACK_SCSV, RFC 7507): a server that speaks a newer one than is offered then
  /// knows that the failure was made by somebody between, and refuses. Set it with `versions` that leave out the
  /// newest, for second attempts alone. Off by default.
  BasicConfigBuilder& fallback_scsv(bool on)
    requires(kRole == Role::client)
  {
    settings_.fallback_scsv = on;
    return *this;
  }
  /// Server, TLS 1.2 with pre-shared keys: what clients are told to help them choose one, at most kMaxPskIdentityHint
  /// bytes; empty, the default, tells nothing. RFC 4279 5.2: "In the absence of an application profile specification
  /// specifying otherwise, servers SHOULD NOT provide an identity hint and clients MUST ignore the identity hint
  /// field."
  BasicConfigBuilder& psk_identity_hint(std::string_view text)
    requires(kRole == Role::server)
  {
    const Bytes bytes = as_bytes(text);
    settings_.psk_identity_hint.assign(bytes.begin(), bytes.end());
    return *this;
  }
  /// Server: tell a client that its PSK identity is not known, by the alert unknown_psk_identity. Off by default, so
  /// that nobody can ask who is known here (RFC 4279 2): in TLS 1.2 the handshake goes on with a random key and fails
  /// at the client's Finished as with a wrong one; in TLS 1.3, where it fails at all (`ExternalPsks::require`), it does
  /// so with decrypt_error, as with a wrong key.
  BasicConfigBuilder& tell_unknown_psk(bool on)
    requires(kRole == Role::server)
  {
    settings_.tell_unknown_psk = on;
    return *this;
  }
  /// TLS 1.3: external PSKs. A client is asked with `SelectPsk` before its ClientHello, and offers what it is given
  /// behind its sessions; a server is asked with `FindPsk`, before it chooses a suite, about up to four of the
  /// identities that a client offers. No certificate is shown or asked for then, which is why a server that requires
  /// one of its clients takes none. Sessions that follow are resumed only where external PSKs are had, those of a
  /// client only while it selects the very key; sessions made with certificates only where they are not required. No
  /// early data goes with them. `none` by default.
  BasicConfigBuilder& external_psks(ExternalPsks mode) {
    settings_.external_psks = mode;
    return *this;
  }
  /// TLS 1.3: pre-shared keys without (EC)DHE. `never` by default; it takes both sides.
  BasicConfigBuilder& psk_without_dhe(PskWithoutDhe mode) {
    settings_.psk_without_dhe = mode;
    return *this;
  }
  /// Ask `VerifyPeer` again whenever a session is resumed, about what the peer showed when the session was made: a
  /// certificate may have expired or been revoked since, or the application may have changed its mind. A client is
  /// asked about every server, a server about clients that had been authenticated, each before its own Finished.
  /// Sessions made with this setting hold the peer's certificates: a server's tickets grow by so much, and a client's
  /// connection keeps a copy for the tickets to come. A session without them is not resumed. Off by default: what was
  /// accepted holds for as long as the session lives (RFC 9846 4.7.1).
  BasicConfigBuilder& verify_on_resumption(bool on) {
    settings_.verify_on_resumption = on;
    return *this;
  }
  /// What sessions are bound to: one is resumed only where these are the same bytes, 1 to 255 of them. By default it is
  /// a digest of what the peer is verified by: role, client_auth, schemes, skip_verification, and the `verification` of
  /// `ClientOptions` or `ServerOptions`, which `AnswerSetup` computes over its anchors and policy. So a client's
  /// session is not offered under other anchors, and a server accepts no ticket that one with other demands on its
  /// clients has sealed with the same keys. The digest is the same in every process that is so configured: a fleet can
  /// share ticket keys. Set it where servers may accept each other's tickets although they differ in these, or may not
  /// although they are the same.
  BasicConfigBuilder& session_context(std::vector<std::uint8_t> bytes) {
    session_context_ = std::move(bytes);
    return *this;
  }
  /// How long after a handshake with certificates sessions may be resumed, however often they are renewed meanwhile: 1
  /// second to 7 days, the default. RFC 9846 4.7.1: "It is RECOMMENDED that implementations place limits on the total
  /// lifetime of such keying material". Nor are they resumed after the earliest end of a certificate on the peer's
  /// path, where `PeerAccepted` says it.
  BasicConfigBuilder& max_authentication_age(std::chrono::seconds age) {
    max_authentication_age_ = age;
    return *this;
  }
  /// Report secrets as `SecretLogged` events. Whoever reads them reads the connection.
  BasicConfigBuilder& key_log(bool on) {
    settings_.key_log = on;
    return *this;
  }
  BasicConfigBuilder& padding(PaddingPolicy policy) {
    settings_.padding = policy;
    return *this;
  }
  /// The largest plaintext of a record that we send: 64 to 16384 bytes.
  BasicConfigBuilder& max_send_fragment(std::uint16_t bytes) {
    settings_.max_send_fragment = bytes;
    return *this;
  }
  /// Have the peer send smaller records (record_size_limit, RFC 8449): at most this much plaintext in each, 64 to 16385
  /// bytes as the RFC counts them, which in TLS 1.3 includes the byte of the type and the padding; without TLS 1.3 at
  /// most 16384. A client asks for it; a server answers one that asks, whose own limit then holds for what the server
  /// sends. More than that is refused (`record_too_long`). Peers that do not know the extension send what they like. 0,
  /// the default: neither asked for nor answered.
  BasicConfigBuilder& record_size_limit(std::uint16_t bytes) {
    settings_.record_size_limit = bytes;
    return *this;
  }
  /// Client: ask for smaller records both ways (max_fragment_length, RFC 6066 4): 512, 1024, 2048 or 4096 bytes of
  /// content; what `record_size_limit` replaces, for servers that know nothing newer. With both, the server decides,
  /// and takes the newer one if it knows it. In TLS 1.2 the length belongs to the session. 0, the default: not asked
  /// for.
  BasicConfigBuilder& max_fragment_length(std::uint16_t bytes)
    requires(kRole == Role::client)
  {
    settings_.max_fragment_length = bytes;
    return *this;
  }
  /// Server: give clients that ask for it the max_fragment_length that they ask for. Off by default.
  BasicConfigBuilder& accept_max_fragment_length(bool on)
    requires(kRole == Role::server)
  {
    settings_.accept_max_fragment_length = on;
    return *this;
  }
  /// Small records at first and after idle time, so that the first bytes can be read early; full ones in bulk.
  BasicConfigBuilder& dynamic_record_sizing(bool on) {
    settings_.dynamic_record_sizing = on;
    return *this;
  }
  /// Bytes sealed with one key before it is updated.
  BasicConfigBuilder& key_update_after(std::uint64_t bytes) {
    settings_.key_update_bytes = bytes;
    return *this;
  }
  /// Hands out the public-key work of handshakes as `Compute` events, in place of doing it: key pairs and secrets of
  /// key exchanges over groups, and signatures of peers that certificates stand behind. For those who do it in other
  /// threads, or for many connections in one call. What TLS 1.2 does otherwise (finite fields, RSA, pre-shared keys) is
  /// done in place. A client then asks before its ClientHello: call `receive` first. While the peer is judged,
  /// `receive` reads on until the message is there by which the peer proves its key, so that its signature can be
  /// checked in one call with those of its certificates; it is acted upon after the verdict. Off by default.
  BasicConfigBuilder& hand_out_computations(bool on = true) {
    settings_.hand_out_computations = on;
    return *this;
  }
  /// Peers that are met often, by their certificates in DER: their keys are prepared when this is built, so that the
  /// proof that they hold them takes less time to verify (x509::PreparedKeys). Nobody is trusted for it. Default: none.
  BasicConfigBuilder& known_peers(std::vector<std::vector<std::uint8_t>> certificates) {
    known_peers_ = std::move(certificates);
    return *this;
  }
  /// Server: asks with `SelectConfig` when a client says hello: the application may go on with another configuration,
  /// choose the application protocol, or refuse. Off by default.
  BasicConfigBuilder& select_config(bool on = true)
    requires(kRole == Role::server)
  {
    settings_.select_config = on;
    return *this;
  }
  /// The bound on one handshake message from the peer, 4,096 to 2^24 - 1 bytes: a longer certificate chain is refused
  /// with `message_too_long`.
  BasicConfigBuilder& max_handshake_message(std::size_t bytes) {
    settings_.max_handshake_message = bytes;
    return *this;
  }
  /// The bound on the memory of one handshake, at least 16,384 bytes above `max_handshake_message`. It is taken as
  /// messages arrive. Our own certificate comes on top. Default: kDefaultHandshakeMemory; three times
  /// `max_handshake_message` where that is above its own default.
  BasicConfigBuilder& handshake_memory(std::size_t bytes) {
    handshake_memory_ = bytes;
    return *this;
  }

  /// Settings that remove protection. Named so that they stand out in every review.
  class Dangerous {
   public:
    /// Client: accept any certificate from anybody. Also lets connections say `NoNameCheck` without verification.
    BasicConfigBuilder& skip_verification()
      requires(kRole == Role::client)
    {
      builder_.settings_.skip_verification = true;
      return builder_;
    }
    /// TLS 1.2: let `Connection::master_secret` and `Connection::prf` answer.
    BasicConfigBuilder& expose_master_secret() {
      builder_.settings_.expose_master_secret = true;
      return builder_;
    }
    /// Accept a provider of which a part protects nothing, such as `fake::provider()`: for tests and fuzzing.
    BasicConfigBuilder& allow_insecure_provider() {
      builder_.insecure_provider_allowed_ = true;
      return builder_;
    }

   private:
    friend class BasicConfigBuilder;
    explicit Dangerous(BasicConfigBuilder& builder) noexcept : builder_(builder) {}
    BasicConfigBuilder& builder_;
  };
  [[nodiscard]] Dangerous dangerous() noexcept { return Dangerous(*this); }

  /// The configuration, or every problem that stands in its way.
  [[nodiscard]] std::expected<std::shared_ptr<const ConfigOf<kRole>>, std::vector<ConfigProblem>> build() const {
    auto checked = check();
    if (!checked) return std::unexpected(std::move(checked.error()));
    return std::shared_ptr<const ConfigOf<kRole>>(
        new ConfigOf<kRole>(std::move(checked->settings), checked->context, provider_));
  }

 private:
  friend struct ConfigBuilder;
  explicit BasicConfigBuilder(Provider provider) : ConfigDraft(kRole, std::move(provider)) {}
  BasicConfigBuilder(const Settings& settings, Provider provider) : ConfigDraft(kRole, settings, std::move(provider)) {}
};

using ClientConfigBuilder = BasicConfigBuilder<Role::client>;
using ServerConfigBuilder = BasicConfigBuilder<Role::server>;

/// Where configurations begin.
struct ConfigBuilder {
  [[nodiscard]] static ClientConfigBuilder client(Provider provider) {
    return ClientConfigBuilder(std::move(provider));
  }
  [[nodiscard]] static ServerConfigBuilder server(Provider provider) {
    return ServerConfigBuilder(std::move(provider));
  }
  /// A builder that starts from a built configuration, to make a variant of it.
  [[nodiscard]] static ClientConfigBuilder from(const ClientConfig& config) { return variant<Role::client>(config); }
  [[nodiscard]] static ServerConfigBuilder from(const ServerConfig& config) { return variant<Role::server>(config); }

 private:
  template <Role kRole>
  static BasicConfigBuilder<kRole> variant(const Config& config) {
    auto builder = BasicConfigBuilder<kRole>::from(config.settings(), config.provider());
    // What the configuration was allowed, its variants are.
    if (config.provider().insecure()) builder.dangerous().allow_insecure_provider();
    return builder;
  }
};

}  // namespace lockstep
