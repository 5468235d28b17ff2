#pragma once
// The options of a connection that client, server and load share, those of the policy, which verify has too, and the
// key log.

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/config.hpp>
#include <lockstep/io.hpp>
#include <lockstep/psk_table.hpp>
#include <lockstep/x509_verify.hpp>

#include "terminal.hpp"

namespace lockstep::tool {

/// What certificates must be like, where that is not the default.
struct PolicyOptions {
  bool private_pki = false;
  bool web_pki = false;
  bool partial_chain = false;
  bool fips = false;  ///< of connections, too
  std::optional<std::size_t> max_intermediates;
  std::optional<std::uint32_t> min_rsa_bits;
};
void add_policy_options(CLI::App& app, PolicyOptions& options);
[[nodiscard]] x509::Policy policy_of(const PolicyOptions& options);

/// Whether TLS 1.2 is renegotiated.
enum class Renegotiate : std::uint8_t {
  never,
  once,
  freely,
  begin,  ///< as freely as others may, and we do behind the first handshake
};

struct TlsOptions {
  PolicyOptions policy;
  std::optional<ProtocolVersion> min_version;
  std::optional<ProtocolVersion> max_version;
  std::string method;  ///< as Node says the versions
  bool only_tls12 = false;
  bool only_tls13 = false;
  bool no_encrypt_then_mac = false;
  bool allow_no_extended_main_secret = false;
  bool allow_no_renegotiation_info = false;  ///< a client's
  std::size_t min_dh_bits = kDefaultMinDhBits;
  bool allow_unknown_dh_groups = false;  ///< a client's
  std::string dh_params;                 ///< a server's
  Renegotiate renegotiate{};
  std::string alpn;
  std::string npn;
  bool false_start = false;  ///< a client's
  std::string suites;
  std::string groups;
  std::string schemes;
  std::string schemes_cert;
  std::string psk;       ///< IDENTITY:HEX
  std::string psk_file;  ///< the same, a line for each
  std::string psk_hint;  ///< a server's
  bool tell_unknown_psk = false;
  HashAlgorithm psk_hash = HashAlgorithm::sha256;
  bool psk_import = false;
  std::string psk_context;
  PskWithoutDhe psk_without_dhe{};
  std::uint64_t key_update_after = 0;
  bool dynamic_records = false;
  unsigned max_fragment = 0;
  unsigned record_size_limit = 0;
  unsigned max_fragment_length = 0;         ///< a client's
  bool accept_max_fragment_length = false;  ///< a server's
  unsigned max_message = 0;
  unsigned padding = 0;
  bool compress_certificates = false;
  std::string key_log;
  bool key_log_failed = false;
};
/// Those of the policy among them, and those of the role alone.
void add_tls_options(CLI::App& app, TlsOptions& options, Role role);

/// Puts the options into a builder. Throws `UsageError` for words that it does not know.
void apply(const TlsOptions& options, ClientConfigBuilder& builder);
void apply(const TlsOptions& options, ServerConfigBuilder& builder, bool shows_certificates);

/// The pre-shared keys; null when there are none. Throws `UsageError` and `Failure`. Once: it warns.
[[nodiscard]] std::shared_ptr<const PskTable> psks_of(const TlsOptions& options);
/// Suites for them, where none are named: of TLS 1.2, with a fresh key exchange, and with an AEAD, beside the usual
/// ones of TLS 1.3, which has no others for them. `with_certificates`: and the usual ones of TLS 1.2.
[[nodiscard]] std::vector<CipherSuite> usual_psk_suites(const TlsOptions& options, bool with_certificates);

/// The configuration; throws `UsageError` with every problem.
[[nodiscard]] std::shared_ptr<const ClientConfig> built(const ClientConfigBuilder& builder);
[[nodiscard]] std::shared_ptr<const ServerConfig> built(const ServerConfigBuilder& builder);

/// A file that key log lines are appended to, whole lines at a time, from any thread. Readable by its owner alone.
class KeyLog {
 public:
  explicit KeyLog(const std::string& path);
  void append(std::string_view line);

 private:
  Descriptor file_;
  std::mutex mutex_;
  bool warned_ = false;
};

/// What `blocking::Options::key_log` takes: nothing when no key log was asked for. Warns aloud.
[[nodiscard]] std::function<void(std::string_view)> key_log_of(const TlsOptions& options);

}  // namespace lockstep::tool
