#include "tls_options.hpp"

#include <cerrno>
#include <cstring>
#include <map>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <lockstep/lists.hpp>
#include <lockstep/method.hpp>

#include "arguments.hpp"
#include "files.hpp"
#include "provider.hpp"

namespace lockstep::tool {
namespace {

constexpr const char* kGroup = "Protocol";

bool names_psks(const TlsOptions& options) { return !options.psk.empty() || !options.psk_file.empty(); }

/// Versions are named only where an option does: otherwise those follow that the suites belong to.
template <Role kRole>
void apply_versions(const TlsOptions& options, BasicConfigBuilder<kRole>& builder) {
  const bool bounded = options.min_version || options.max_version;
  if ((options.only_tls12 ? 1 : 0) + (options.only_tls13 ? 1 : 0) + (bounded ? 1 : 0) +
          (options.method.empty() ? 0 : 1) >
      1)
    throw UsageError("choose one of --tls1.2, --tls1.3, --method, and --min-version with --max-version");
  if (!options.method.empty()) {
    const auto method = method_from_name(options.method);
    if (!method) throw UsageError("--method '" + printable(options.method) + "': " + method.error());
    if (method->role.value_or(kRole) != kRole)
      throw UsageError("--method " + options.method + " is one for the other end of a connection");
    builder.versions(method->min, method->max);
  }
  if (options.only_tls12) builder.versions(ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_2);
  if (options.only_tls13) builder.versions(ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_3);
  if (!bounded) return;
  const std::vector<ProtocolVersion> known = versions();  // newest first
  const ProtocolVersion min = options.min_version.value_or(known.back());
  const ProtocolVersion max = options.max_version.value_or(known.front());
  if (rank(min) > rank(max)) throw UsageError("--min-version is above --max-version");
  builder.versions(min, max);
}

/// The versions that the options leave.
bool speaks(const TlsOptions& options, ProtocolVersion version) {
  if (options.only_tls12) return version == ProtocolVersion::tls_1_2;
  if (options.only_tls13) return version == ProtocolVersion::tls_1_3;
  const auto method = options.method.empty() ? std::nullopt : std::optional(method_from_name(options.method));
  const ProtocolVersion min =
      method && *method ? (*method)->min : options.min_version.value_or(ProtocolVersion::tls_1_2);
  const ProtocolVersion max =
      method && *method ? (*method)->max : options.max_version.value_or(ProtocolVersion::tls_1_3);
  return rank(min) <= rank(version) && rank(version) <= rank(max);
}

/// Whoever has a key wants it used; where TLS 1.2 may do without, so may TLS 1.3.
ExternalPsks external_psks_of(const TlsOptions& options, bool shows_certificates) {
  bool tls13 = speaks(options, ProtocolVersion::tls_1_3);
  bool without = shows_certificates;
  if (!options.suites.empty()) {
    bool named = false;
    for (const auto& rank : parse_suites(options.suites)) {
      for (const CipherSuite suite : rank) {
        const auto known = parts(suite);
        named = named || known->version == ProtocolVersion::tls_1_3;
        without = without ||
                  (known->version == ProtocolVersion::tls_1_2 && known->authentication != SuiteAuthentication::psk &&
                   known->key_exchange != KeyExchangeMethod::rsa_psk);
      }
    }
    tls13 = tls13 && named;
  }
  if (!tls13) return ExternalPsks::none;
  return without ? ExternalPsks::allow : ExternalPsks::require;
}

template <Role kRole>
void apply_to(const TlsOptions& options, BasicConfigBuilder<kRole>& builder, bool shows_certificates = false) {
  apply_versions(options, builder);
  builder.profile(options.policy.fips ? Profile::fips : Profile::none);
  builder.encrypt_then_mac(!options.no_encrypt_then_mac);
  builder.allow_no_extended_main_secret(options.allow_no_extended_main_secret);
  builder.renegotiation(options.renegotiate == Renegotiate::never  ? Renegotiation::never
                        : options.renegotiate == Renegotiate::once ? Renegotiation::once
                                                                   : Renegotiation::freely);
  builder.min_dh_bits(options.min_dh_bits);
  if constexpr (kRole == Role::client) {
    builder.allow_no_renegotiation_info(options.allow_no_renegotiation_info);
    builder.allow_unknown_dh_groups(options.allow_unknown_dh_groups);
    builder.false_start(options.false_start);
  } else if (!options.dh_params.empty()) {
    builder.dh_parameters(read_dh_parameters(options.dh_params));
  }
  if (!options.alpn.empty()) builder.alpn(parse_alpn(options.alpn));
  if (!options.npn.empty()) builder.next_protocols(parse_alpn(options.npn));
  if (!options.suites.empty()) {
    builder.ranked_suites(parse_suites(options.suites));
  } else if (names_psks(options)) {
    builder.suites(usual_psk_suites(options, shows_certificates));
  }
  if (names_psks(options)) builder.external_psks(external_psks_of(options, shows_certificates));
  builder.psk_without_dhe(options.psk_without_dhe);
  builder.dynamic_record_sizing(options.dynamic_records);
  if (options.key_update_after != 0) builder.key_update_after(options.key_update_after);
  if constexpr (kRole == Role::server)
    builder.psk_identity_hint(options.psk_hint).tell_unknown_psk(options.tell_unknown_psk);
  if (!options.groups.empty()) builder.groups(parse_groups(options.groups));
  if (!options.schemes.empty()) builder.schemes(parse_schemes(options.schemes));
  if (!options.schemes_cert.empty()) builder.schemes_cert(parse_schemes(options.schemes_cert));
  if (options.max_fragment != 0) builder.max_send_fragment(static_cast<std::uint16_t>(options.max_fragment));
  builder.record_size_limit(static_cast<std::uint16_t>(options.record_size_limit));
  if constexpr (kRole == Role::client) {
    builder.max_fragment_length(static_cast<std::uint16_t>(options.max_fragment_length));
  } else {
    builder.accept_max_fragment_length(options.accept_max_fragment_length);
  }
  if (options.max_message != 0) builder.max_handshake_message(options.max_message);
  if (options.compress_certificates) {
    if (certificate_codecs().empty())
      throw UsageError("--compress-certificates needs a build with Brotli, Zstandard or zlib");
    builder.certificate_compression(certificate_codecs());
  }
  if (options.padding != 0) builder.padding(PaddingPolicy::to_multiple_of(static_cast<std::uint16_t>(options.padding)));
  builder.key_log(!options.key_log.empty());
}

template <Role kRole>
std::shared_ptr<const ConfigOf<kRole>> built_by(const BasicConfigBuilder<kRole>& builder) {
  auto config = builder.build();
  if (config) return *config;
  std::vector<std::string> texts;
  for (const ConfigProblem& problem : config.error()) texts.push_back(problem.setting + ": " + problem.text);
  throw UsageError(joined(texts, "; "));
}

}  // namespace

std::shared_ptr<const PskTable> psks_of(const TlsOptions& options) {
  if (!names_psks(options)) return nullptr;
  const PskUse use{.hash = options.psk_hash, .import = options.psk_import, .context = options.psk_context};
  auto psks = std::make_shared<PskTable>();
  if (!options.psk.empty()) {
    print_warning("--psk: whoever can list this machine's processes can read the key; --psk-file has it from a file");
    if (auto added = psks->add_lines(options.psk, use); !added)
      throw UsageError("--psk wants IDENTITY:HEX: " + added.error().text);
  }
  if (!options.psk_file.empty()) {
    constexpr std::size_t kLongest = std::size_t{1} << 26U;
    if (auto added = psks->add_lines(as_text(read_secret(options.psk_file, kLongest).view()), use); !added)
      throw Failure(options.psk_file + ", line " + std::to_string(added.error().line) + ": " + added.error().text,
                    "Give it lines as psktool of GnuTLS writes them: identity:key, the key in hexadecimal.");
  }
  if (psks->size() == 0) throw Failure(options.psk_file + " holds no pre-shared key");
  return psks;
}

std::vector<CipherSuite> usual_psk_suites(const TlsOptions& options, bool with_certificates) {
  const auto usable = [&](CipherSuite suite) {
    return speaks(options, parts(suite)->version) && provider().supports(suite) &&
           (!options.policy.fips || is_approved(suite));
  };
  const auto usual = filter(suites_from_text("DEFAULT").value(), [&](CipherSuite suite) {
    return usable(suite) && (with_certificates || parts(suite)->version == ProtocolVersion::tls_1_3);
  });
  return append<CipherSuite>(usual, filter(suites(ProtocolVersion::tls_1_2), [&](CipherSuite suite) {
                               return usable(suite) && parts(suite)->key_exchange == KeyExchangeMethod::ecdhe_psk &&
                                      !is_insecure(suite);
                             }));
}

void add_policy_options(CLI::App& app, PolicyOptions& options) {
  constexpr const char* kPolicy = "Policy";
  CLI::Option* private_pki = app.add_flag(
      "--private-pki", options.private_pki,
      "Allow what home-made certificates often lack or have: no key identifiers, bad serial numbers, a CA as leaf");
  app.add_flag("--web-pki", options.web_pki, "Ask for all that the Baseline Requirements ask of public certificates")
      ->excludes(private_pki)
      ->group(kPolicy);
  private_pki->group(kPolicy);
  app.add_flag("--fips", options.fips,
               "Only what FIPS 140-3 approves, of versions, suites, groups and schemes as of keys in certificates")
      ->group(kPolicy);
  app.add_flag("--partial-chain", options.partial_chain,
               "A certificate that is trusted itself is good, though another has issued it")
      ->group(kPolicy);
  app.add_option("--max-intermediates", options.max_intermediates, "Most certificates between leaf and authority [8]")
      ->check(CLI::Range(0, 100))
      ->option_text("N")
      ->group(kPolicy);
  app.add_option("--min-rsa-bits", options.min_rsa_bits, "Shortest RSA keys that will do [2048]")
      ->check(CLI::Range(1024, 16384))
      ->option_text("N")
      ->group(kPolicy);
}

x509::Policy policy_of(const PolicyOptions& options) {
  x509::Policy policy = options.private_pki ? x509::Policy::private_pki()
                        : options.web_pki   ? x509::Policy::web_pki()
                                            : x509::Policy{};
  policy.accept_partial_chain = options.partial_chain;
  policy.profile = options.fips ? Profile::fips : Profile::none;
  policy.max_intermediates = options.max_intermediates.value_or(policy.max_intermediates);
  policy.min_rsa_bits = options.min_rsa_bits.value_or(policy.min_rsa_bits);
  return policy;
}

namespace {

void add_version_options(CLI::App& app, TlsOptions& options) {
  const std::map<std::string, ProtocolVersion> known = {{"1.2", ProtocolVersion::tls_1_2},
                                                        {"1.3", ProtocolVersion::tls_1_3}};
  CLI::Option* min = app.add_option("--min-version", options.min_version, "Oldest version of TLS [1.2]");
  CLI::Option* max = app.add_option("--max-version", options.max_version, "Newest version of TLS [1.3]");
  for (CLI::Option* bound : {min, max})
    bound->transform(CLI::CheckedTransformer(known).description(""))->option_text("1.2|1.3")->group(kGroup);
  app.add_option("--method", options.method,
                 "Versions as a method of OpenSSL's or Node's secureProtocol: TLSv1_2_method")
      ->option_text("NAME")
      ->group(kGroup);
  app.add_flag("--tls1.2", options.only_tls12, "TLS 1.2 alone")->group(kGroup);
  app.add_flag("--tls1.3", options.only_tls13, "TLS 1.3 alone")->group(kGroup);
}

/// What TLS 1.2 can be without, and its suites that it could.
void add_tls12_options(CLI::App& app, TlsOptions& options, Role role) {
  app.add_flag("--no-encrypt-then-mac", options.no_encrypt_then_mac,
               "No encrypt-then-MAC (RFC 7366) for suites of TLS 1.2 in CBC mode")
      ->group(kGroup);
  app.add_flag("--allow-no-ems", options.allow_no_extended_main_secret,
               "Take peers of TLS 1.2 without extended master secret (RFC 7627), such as Erlang's")
      ->group(kGroup);
  app.add_option("--npn", options.npn, "The same as --alpn for peers of TLS 1.2 that have no more than NPN")
      ->option_text("LIST")
      ->group(kGroup);
  const std::map<std::string, Renegotiate> modes = {{"never", Renegotiate::never},
                                                    {"once", Renegotiate::once},
                                                    {"freely", Renegotiate::freely},
                                                    {"begin", Renegotiate::begin}};
  app.add_option(
         "--renegotiate", options.renegotiate,
         role == Role::server
             ? "Whether connections of TLS 1.2 may be renegotiated [never]; begin: ask every client for it, and "
               "for a certificate not before"
             : "Whether connections of TLS 1.2 may be renegotiated [never]; begin: do so before the first byte")
      ->transform(CLI::CheckedTransformer(modes).description(""))
      ->option_text("never|once|freely|begin")
      ->group(kGroup);
  app.add_option("--min-dh-bits", options.min_dh_bits, "Shortest primes that will do for suites with DHE [2048]")
      ->check(CLI::Range(kMinDhBits, kMaxDhBits))
      ->option_text("N")
      ->group(kGroup);
  if (role == Role::server) {
    app.add_option("--dh-params", options.dh_params,
                   "Parameters for suites with DHE, from `openssl dhparam`, for clients that know none of RFC 7919")
        ->option_text("FILE")
        ->group(kGroup);
    return;
  }
  app.add_flag("--allow-unknown-dh-groups", options.allow_unknown_dh_groups,
               "Take a server's own parameters for suites with DHE, and not only those of RFC 7919")
      ->group(kGroup);
  app.add_flag("--allow-no-renegotiation-info", options.allow_no_renegotiation_info,
               "Take servers of TLS 1.2 without secure renegotiation (RFC 5746)")
      ->group(kGroup);
}

void add_psk_options(CLI::App& app, TlsOptions& options, Role role) {
  app.add_option(
         "--psk", options.psk,
         "A pre-shared key, with its identity: in TLS 1.3, and with suites for it, by default ECDHE-PSK, in TLS 1.2")
      ->option_text("IDENTITY:HEX")
      ->group(kGroup);
  app.add_option("--psk-file", options.psk_file,
                 role == Role::client
                     ? "The same from a file, unseen by others: all lines in TLS 1.3, in TLS 1.2 the first"
                     : "The same from a file, one on each line, unseen by others")
      ->option_text("FILE")
      ->group(kGroup);
  app.add_option("--psk-hash", options.psk_hash, "The hash that the keys go with in TLS 1.3: SHA256 or SHA384 [SHA256]")
      ->transform(CLI::CheckedTransformer(std::map<std::string, HashAlgorithm>{{"SHA256", HashAlgorithm::sha256},
                                                                               {"SHA384", HashAlgorithm::sha384}},
                                          CLI::ignore_case)
                      .description(""))
      ->option_text("HASH")
      ->group(kGroup);
  CLI::Option* import =
      app.add_flag("--psk-import", options.psk_import, "Import the keys for every hash (RFC 9258) in TLS 1.3")
          ->group(kGroup);
  app.add_option("--psk-context", options.psk_context, "What goes with them then, in the open: who is who at both ends")
      ->needs(import)
      ->option_text("TEXT")
      ->group(kGroup);
  app.add_option("--psk-without-dhe", options.psk_without_dhe,
                 "TLS 1.3 by keys and sessions alone, without forward secrecy: never, allow or prefer [never]")
      ->transform(CLI::CheckedTransformer(std::map<std::string, PskWithoutDhe>{{"never", PskWithoutDhe::never},
                                                                               {"allow", PskWithoutDhe::allow},
                                                                               {"prefer", PskWithoutDhe::prefer}})
                      .description(""))
      ->option_text("WHEN")
      ->group(kGroup);
  if (role == Role::client) return;
  app.add_option("--psk-hint", options.psk_hint, "Tell clients this, to help them choose a pre-shared key")
      ->option_text("TEXT")
      ->group(kGroup);
  app.add_flag("--tell-unknown-psk", options.tell_unknown_psk,
               "Tell clients whose identity has no pre-shared key here; otherwise it is as with a wrong key")
      ->group(kGroup);
}

}  // namespace

void add_tls_options(CLI::App& app, TlsOptions& options, Role role) {
  add_policy_options(app, options.policy);
  add_version_options(app, options);
  app.add_option("--alpn", options.alpn, "Application protocols in order of preference, as \"h2,http/1.1\"")
      ->option_text("LIST")
      ->group(kGroup);
  app.add_option(
         "--suite", options.suites,
         "Cipher suites in order of preference (`lockstep ciphers` lists them), or a list as for OpenSSL or BoringSSL")
      ->option_text("LIST")
      ->group(kGroup);
  app.add_option("--group", options.groups, "Key exchange groups in order of preference")
      ->option_text("LIST")
      ->group(kGroup);
  app.add_option("--scheme", options.schemes, "Signature schemes in order of preference")
      ->option_text("LIST")
      ->group(kGroup);
  app.add_option("--scheme-cert", options.schemes_cert,
                 "Schemes that the peer's certificates may be signed with, where those are others")
      ->option_text("LIST")
      ->group(kGroup);
  add_tls12_options(app, options, role);
  add_psk_options(app, options, role);
  app.add_flag("--dynamic-records", options.dynamic_records,
               "Send small records at first and after a pause, so that the first bytes can be read early")
      ->group(kGroup);
  app.add_option("--key-update-after", options.key_update_after,
                 "Change our key (TLS 1.3) when it has protected so many bytes, 16384 at least [2^36]")
      ->check(CLI::Range(std::uint64_t{16384}, std::uint64_t{1} << 62U))
      ->option_text("BYTES")
      ->group(kGroup);
  app.add_option("--max-fragment", options.max_fragment, "The most plaintext in a record that is sent, 64 to 16384")
      ->check(CLI::Range(64, 16384))
      ->option_text("BYTES")
      ->group(kGroup);
  app.add_option("--record-size-limit", options.record_size_limit,
                 "The most plaintext in a record that the peer may send (RFC 8449), 64 to 16385; a server's holds for "
                 "clients that know it")
      ->check(CLI::Range(64, 16385))
      ->option_text("BYTES")
      ->group(kGroup);
  if (role == Role::client) {
    app.add_option("--max-fragment-length", options.max_fragment_length,
                   "Ask for records of 512, 1024, 2048 or 4096 bytes both ways (RFC 6066), of servers that know no "
                   "record_size_limit")
        ->check(CLI::IsMember({512U, 1024U, 2048U, 4096U}))
        ->option_text("BYTES")
        ->group(kGroup);
  } else {
    app.add_flag("--max-fragment-length", options.accept_max_fragment_length,
                 "Give clients the max_fragment_length that they ask for (RFC 6066)")
        ->group(kGroup);
  }
  app.add_option(
         "--max-message", options.max_message,
         "The longest handshake message that is taken, or that a certificate of ours may need; 131072 by default")
      ->check(CLI::Range(4096, 16777215))
      ->option_text("BYTES")
      ->group(kGroup);
  app.add_flag("--compress-certificates", options.compress_certificates,
               "TLS 1.3: send certificates compressed to peers that take them so, and take them so (RFC 8879)")
      ->group(kGroup);
  app.add_option("--padding", options.padding, "Pad records to a multiple of so many bytes")
      ->check(CLI::Range(2, 16384))
      ->option_text("BYTES")
      ->group(kGroup);
  app.add_option("--keylog", options.key_log,
                 "Append the connection's secrets for Wireshark; whoever reads the file reads it")
      ->option_text("FILE")
      ->group(kGroup);
  app.add_flag("--keylog-failed", options.key_log_failed, "Only those of handshakes that fail")->group(kGroup);
}

void apply(const TlsOptions& options, ClientConfigBuilder& builder) { apply_to(options, builder); }
void apply(const TlsOptions& options, ServerConfigBuilder& builder, bool shows_certificates) {
  apply_to(options, builder, shows_certificates);
}

std::shared_ptr<const ClientConfig> built(const ClientConfigBuilder& builder) { return built_by(builder); }
std::shared_ptr<const ServerConfig> built(const ServerConfigBuilder& builder) { return built_by(builder); }

KeyLog::KeyLog(const std::string& path)
    : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)) {
  if (!file_) {
    throw Failure("the key log " + path + " cannot be opened: " + std::strerror(errno),
                  "Give --keylog a file in a folder that you may write to.");
  }
  // Not refused: a group that may read it, say that of whoever runs Wireshark, can be meant.
  warn_of_readers(path, file_.number(), "secrets");
}

void KeyLog::append(std::string_view line) {
  const std::string whole = std::string(line) + "\n";
  const std::scoped_lock lock(mutex_);
  if (::write(file_.number(), whole.data(), whole.size()) != static_cast<ssize_t>(whole.size()) && !warned_) {
    warned_ = true;
    print_warning(std::string("the key log is incomplete: ") + std::strerror(errno));
  }
}

std::function<void(std::string_view)> key_log_of(const TlsOptions& options) {
  if (options.key_log.empty()) return {};
  print_warning("secrets go to " + options.key_log + ": whoever reads that file can read these connections");
  return [log = std::make_shared<KeyLog>(options.key_log)](std::string_view line) { log->append(line); };
}

}  // namespace lockstep::tool
