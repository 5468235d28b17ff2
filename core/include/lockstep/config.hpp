#pragma once
// The configuration of connections: immutable once built, shared by any number of connections. Building it reports
// every problem at once.
//
//     auto config = lockstep::ConfigBuilder::client(lockstep::botan::provider())
//                       .alpn({"h2", "http/1.1"})
//                       .build();
//     if (!config) for (const auto& problem : config.error()) std::cerr << problem.text << '\n';

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
#include <vector>

#include <lockstep/export.hpp>
#include <lockstep/padding.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/types.hpp>

namespace lockstep {

/// What a server asks of its clients (RFC 9846 4.4.2).
enum class ClientAuth : std::uint8_t {
  none,     ///< no certificate is requested
  request,  ///< requested; a client without one is welcome
  require,  ///< a client without one fails with certificate_required
};

/// A suite with the algorithms that the provider supplies for it.
struct BoundSuite {
  CipherSuite suite{};
  const Aead* aead = nullptr;
  const Hash* hash = nullptr;
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

/// The default bound on one handshake message, in bytes; a chain of post-quantum certificates fits.
inline constexpr std::size_t kDefaultMaxHandshakeMessage = 65536;
/// The default bound on all memory of one handshake, in bytes.
inline constexpr std::size_t kDefaultHandshakeMemory = 262144;
/// Bytes sealed with one key before it is updated by itself; far below what AES-GCM allows (RFC 9846 5.5: 2^24.5
/// records).
/// RFC 9846 8.3: "windows on the order of ten seconds".
inline constexpr std::chrono::seconds kDefaultEarlyDataTolerance{10};
inline constexpr std::chrono::seconds kMaxEarlyDataTolerance{600};
inline constexpr std::uint64_t kDefaultKeyUpdateBytes = std::uint64_t{1} << 36U;

/// Settings as `ConfigBuilder` collected and checked them. Read-only.
struct Settings {
  Role role{};
  ProtocolVersion min_version = ProtocolVersion::tls_1_3;
  ProtocolVersion max_version = ProtocolVersion::tls_1_3;
  std::vector<BoundSuite> suites;
  std::vector<BoundGroup> groups;
  std::vector<NamedGroup> key_shares;            ///< client: groups whose shares go into the first ClientHello
  std::vector<SignatureScheme> schemes;          ///< accepted in CertificateVerify, and offered
  std::vector<SignatureScheme> schemes_cert;     ///< offered for certificates; empty: the same as schemes
  std::vector<SignatureScheme> signing_schemes;  ///< of our own CertificateVerify; empty: the same as schemes
  std::vector<std::string> alpn;
  ClientAuth client_auth = ClientAuth::none;
  std::vector<std::vector<std::uint8_t>> certificate_authorities;  ///< DER distinguished names to send
  bool ocsp_stapling = false;                  ///< ask the peer for an OCSP response with its certificate
  bool signed_certificate_timestamps = false;  ///< ask the peer for SCTs with its certificate
  bool hardware_aware = true;     ///< the order of suites is the default: it bends to what either machine is good at
  bool server_preference = true;  ///< server: its own order of suites and groups decides
  bool middlebox_compatibility = true;
  bool grease = true;   ///< client: RFC 8701
  bool cookie = false;  ///< server: a cookie in HelloRetryRequest
  bool send_tickets = true;
  bool resumption = true;
  bool verify_on_resumption = false;
  std::uint8_t ticket_count = 2;
  std::uint32_t ticket_lifetime = 7200;  ///< seconds, at most 604800 (RFC 9846 4.7.1)
  std::uint32_t early_data = 0;          ///< bytes; 0: none
  std::uint32_t early_data_tolerance = kDefaultEarlyDataTolerance.count();  ///< seconds
  bool key_log = false;
  bool skip_verification = false;
  PaddingPolicy padding;
  std::uint16_t max_send_fragment = 16384;
  bool dynamic_record_sizing = false;
  std::uint64_t key_update_bytes = kDefaultKeyUpdateBytes;
  std::size_t max_handshake_message = kDefaultMaxHandshakeMessage;
  std::size_t handshake_memory = kDefaultHandshakeMemory;

  /// What our own CertificateVerify may be signed with.
  [[nodiscard]] const std::vector<SignatureScheme>& own_schemes() const noexcept {
    return signing_schemes.empty() ? schemes : signing_schemes;
  }
};

/// A configuration. Immutable; share it by `std::shared_ptr<const Config>`; cloning it is `ConfigBuilder::from`.
class LOCKSTEP_API Config {
 public:
  [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
  [[nodiscard]] const Provider& provider() const noexcept { return provider_; }
  [[nodiscard]] Role role() const noexcept { return settings_.role; }
  /// The bound suite or group, or null when this configuration does not have it.
  [[nodiscard]] const BoundSuite* suite(CipherSuite id) const noexcept;
  [[nodiscard]] const BoundGroup* group(NamedGroup id) const noexcept;

 private:
  friend class ConfigBuilder;
  Config() = default;
  Settings settings_;
  Provider provider_;
};

/// One reason why a configuration cannot be built.
struct ConfigProblem {
  std::string setting;  ///< the builder's function
  std::string text;     ///< what is wrong and what to do
};

/// Collects settings; every function returns the builder, nothing is checked before `build`.
class LOCKSTEP_API ConfigBuilder {
 public:
  static ConfigBuilder client(Provider provider);
  static ConfigBuilder server(Provider provider);
  /// A builder that starts from a built configuration, to make a variant of it.
  static ConfigBuilder from(const Config& config);
  /// The same from settings alone, for a provider that may be another; `build` checks all of it again. Suites and
  /// groups need only their ids.
  static ConfigBuilder from(const Settings& settings, Provider provider);

  /// The oldest and newest protocol version. This build speaks TLS 1.3.
  ConfigBuilder& versions(ProtocolVersion min, ProtocolVersion max);
  /// An explicit list of versions; it must be without gaps.
  ConfigBuilder& versions(std::span<const ProtocolVersion> list);
  /// Suites in order of preference. CCM suites are opt-in: not in the default. Default: AES-128-GCM, AES-256-GCM,
  /// ChaCha20-Poly1305; a server with this default follows a client that puts ChaCha20-Poly1305 first, because that
  /// client's machine has no fast AES.
  ConfigBuilder& suites(std::vector<CipherSuite> list);
  /// Put ChaCha20-Poly1305 first in the default order. Default: when the provider says that AES is slow here.
  ConfigBuilder& prefer_chacha20(bool on = true);
  /// Groups in order of preference. Default: X25519MLKEM768, X25519, P-256, P-384, P-521, X448 as the provider has
  /// them.
  ConfigBuilder& groups(std::vector<NamedGroup> list);
  /// Client: which groups' key shares go into the first ClientHello. Default: the first hybrid and the first plain
  /// group of `groups`.
  ConfigBuilder& key_shares(std::vector<NamedGroup> list);
  /// Signature schemes for CertificateVerify in order of preference: the peer's, and our own.
  ConfigBuilder& schemes(std::vector<SignatureScheme> list);
  /// Those of our own CertificateVerify, where they are not those of `schemes`: what a credential can sign with beyond
  /// them is not used. The order is the credential's.
  ConfigBuilder& signing_schemes(std::vector<SignatureScheme> list);
  /// signature_algorithms_cert (RFC 9846 4.3.3); default: what the provider verifies, PKCS#1 included.
  ConfigBuilder& schemes_cert(std::vector<SignatureScheme> list);
  /// Application protocols in order of preference (RFC 7301). A server that shares none with its client fails; so does
  /// a client whose server picks what was not offered.
  ConfigBuilder& alpn(std::vector<std::string> list);
  /// Server: whether clients are asked for certificates.
  ConfigBuilder& client_auth(ClientAuth mode);
  /// Distinguished names (DER) to send in certificate_authorities; empty (the default) sends none.
  ConfigBuilder& certificate_authorities(std::vector<std::vector<std::uint8_t>> names);
  /// Ask the peer to staple an OCSP response to its certificate (RFC 6066 8, RFC 9846 4.5.1.1): a client in its
  /// ClientHello, a server in its CertificateRequest. What comes is told in `VerifyPeer`, whose answer judges it. Off
  /// by default.
  ConfigBuilder& ocsp_stapling(bool on);
  /// Ask the peer for Signed Certificate Timestamps beside its certificate (RFC 6962 3.3.1), in the same way. Off by
  /// default.
  ConfigBuilder& signed_certificate_timestamps(bool on);
  /// Server: whether its own order decides (default) or the client's.
  ConfigBuilder& server_preference(bool on);
  /// RFC 9846 E.4. On by default.
  ConfigBuilder& middlebox_compatibility(bool on);
  /// RFC 8701. On by default.
  ConfigBuilder& grease(bool on);
  /// Server: send a cookie with HelloRetryRequest and insist on its return.
  ConfigBuilder& cookie(bool on);
  /// Resumption by tickets: how many a server sends after a handshake (0: none) and for how long they live.
  ConfigBuilder& tickets(std::uint8_t count, std::uint32_t lifetime_seconds = 7200);
  /// Whether tickets are offered or accepted at all. On by default.
  ConfigBuilder& resumption(bool on);
  /// Early data (0-RTT, RFC 9846 2.3): at most this many bytes; 0, the default, is none. A client offers it with a
  /// session that allows it; the bytes go through `seal_early`. A server says so in its tickets, is asked with
  /// `OpenTicket`, and gets the bytes as `EarlyData`.
  ///
  /// Early data has no forward secrecy, and whoever recorded it can send it again to the same server: let it carry only
  /// what may happen twice (RFC 9846 8).
  ///
  /// A server takes none when the age that the client states for its ticket is off by more than `tolerance` (RFC
  /// 9846 8.3: clocks drift, and bytes take their time): for so long a replay has to be recognised, at most 10 minutes.
  ConfigBuilder& early_data(std::uint32_t max_bytes, std::chrono::seconds tolerance = kDefaultEarlyDataTolerance);
  /// Ask `VerifyPeer` again whenever a session is resumed, about what the peer showed when the session was made: a
  /// certificate may have expired or been revoked since, or the application may have changed its mind. A client is
  /// asked about every server, a server about clients that had been authenticated, each before its own Finished.
  /// Sessions made with this setting hold the peer's certificates: a server's tickets grow by so much, and a client's
  /// connection keeps a copy for the tickets to come. A session without them is not resumed. Off by default: what was
  /// accepted holds for as long as the session lives (RFC 9846 4.7.1).
  ConfigBuilder& verify_on_resumption(bool on);
  /// Report secrets as `SecretLogged` events. Whoever reads them reads the connection.
  ConfigBuilder& key_log(bool on);
  ConfigBuilder& padding(PaddingPolicy policy);
  /// The largest plaintext of a record that we send: 64 to 16384 bytes.
  ConfigBuilder& max_send_fragment(std::uint16_t bytes);
  /// Small records at first and after idle time, so that the first bytes can be read early; full ones in bulk.
  ConfigBuilder& dynamic_record_sizing(bool on);
  /// Bytes sealed with one key before it is updated.
  ConfigBuilder& key_update_after(std::uint64_t bytes);
  /// The bound on one handshake message from the peer.
  ConfigBuilder& max_handshake_message(std::size_t bytes);
  /// The bound on all memory of one handshake.
  ConfigBuilder& handshake_memory(std::size_t bytes);

  /// Settings that remove protection. Named so that they stand out in every review.
  class LOCKSTEP_API Dangerous {
   public:
    /// Client: accept any certificate from anybody. Also lets connections say `NoNameCheck` without verification.
    ConfigBuilder& skip_verification();
    /// Accept a provider that protects nothing, such as `fake::provider()`: for tests and fuzzing.
    ConfigBuilder& allow_insecure_provider();

   private:
    friend class ConfigBuilder;
    explicit Dangerous(ConfigBuilder& builder) noexcept : builder_(builder) {}
    ConfigBuilder& builder_;
  };
  [[nodiscard]] Dangerous dangerous() noexcept { return Dangerous(*this); }

  /// The configuration, or every problem that stands in its way.
  [[nodiscard]] std::expected<std::shared_ptr<const Config>, std::vector<ConfigProblem>> build() const;

 private:
  ConfigBuilder() = default;
  void check(std::vector<ConfigProblem>& problems, Settings& settings) const;

  Settings settings_;
  Provider provider_;
  std::optional<std::vector<ProtocolVersion>> version_list_;
  std::optional<std::vector<CipherSuite>> suites_;
  std::optional<std::vector<NamedGroup>> groups_;
  std::optional<std::vector<NamedGroup>> key_shares_;
  std::optional<std::vector<SignatureScheme>> schemes_;
  std::optional<std::vector<SignatureScheme>> schemes_cert_;
  std::optional<std::vector<SignatureScheme>> signing_schemes_;
  std::optional<bool> prefer_chacha20_;
  bool insecure_provider_allowed_ = false;
};

}  // namespace lockstep
