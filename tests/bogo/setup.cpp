#include "setup.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <lockstep/config.hpp>
#include <lockstep/files.hpp>
#include <lockstep/lists.hpp>

#include "text.hpp"

namespace bogo {

using namespace lockstep;

namespace {

constexpr std::uint32_t kMaxEarlyData = 14336;
constexpr std::chrono::seconds kAgeTolerance{60};

Stop not_implemented(std::string text) { return {.error = {}, .text = std::move(text), .not_implemented = true}; }

template <class Id>
std::vector<Id> ids(const std::vector<int>& numbers) {
  std::vector<Id> out;
  for (const int number : numbers) out.push_back(static_cast<Id>(number));
  return out;
}

/// What BoringSSL has by default, because the runner's tests are written for it. Of our other groups the runner knows
/// P-521 alone.
const std::vector<NamedGroup> kGroups = {NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1};

/// PKCS #1 is for TLS 1.2; SHA-1, which ends BoringSSL's list, is for nothing here.
const std::vector<SignatureScheme> kSchemes = {
    SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::rsa_pss_rsae_sha256, SignatureScheme::rsa_pkcs1_sha256,
    SignatureScheme::ecdsa_secp384r1_sha384, SignatureScheme::rsa_pss_rsae_sha384, SignatureScheme::rsa_pkcs1_sha384,
    SignatureScheme::rsa_pss_rsae_sha512,    SignatureScheme::rsa_pkcs1_sha512};

/// The versions that the flags leave.
struct Versions {
  ProtocolVersion oldest;
  ProtocolVersion newest;
};

std::optional<Versions> versions(const Options& options) {
  const auto allowed = [&](ProtocolVersion version, bool excluded) {
    const int number = static_cast<int>(version);
    return !excluded && options.min_version <= number && (options.max_version == 0 || number <= options.max_version);
  };
  const bool tls12 = allowed(ProtocolVersion::tls_1_2, options.no_tls12);
  const bool tls13 = allowed(ProtocolVersion::tls_1_3, options.no_tls13);
  if (!tls12 && !tls13) return std::nullopt;
  return Versions{.oldest = tls12 ? ProtocolVersion::tls_1_2 : ProtocolVersion::tls_1_3,
                  .newest = tls13 ? ProtocolVersion::tls_1_3 : ProtocolVersion::tls_1_2};
}

/// BoringSSL's suites of TLS 1.2 behind the AEADs: what of them is had.
constexpr std::string_view kOlderSuites =
    "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"
    "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA";

/// Profiles that are nothing but lists here, of which an empty one changes nothing.
struct Profile {
  std::vector<CipherSuite> suites;  // a version of which none is named is not spoken
  std::vector<NamedGroup> groups{};
  std::vector<SignatureScheme> schemes{};
  bool server_preference = false;
};

std::optional<Profile> profile(const Options& options) {
  if (options.fips_202205) {  // FIPS 140-3 as of May 2022
    return Profile{.suites = {CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_aes_256_gcm_sha384,
                              CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256,
                              CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256,
                              CipherSuite::tls_ecdhe_ecdsa_with_aes_256_gcm_sha384,
                              CipherSuite::tls_ecdhe_rsa_with_aes_256_gcm_sha384},
                   .groups = {NamedGroup::secp256r1, NamedGroup::secp384r1},
                   .schemes = {SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ecdsa_secp384r1_sha384,
                               SignatureScheme::rsa_pss_rsae_sha256, SignatureScheme::rsa_pss_rsae_sha384,
                               SignatureScheme::rsa_pss_rsae_sha512, SignatureScheme::rsa_pkcs1_sha256,
                               SignatureScheme::rsa_pkcs1_sha384, SignatureScheme::rsa_pkcs1_sha512}};
  }
  if (options.wpa_202304) {  // WPA3 in its 192-bit mode, April 2023
    return Profile{.suites = {CipherSuite::tls_aes_256_gcm_sha384, CipherSuite::tls_ecdhe_ecdsa_with_aes_256_gcm_sha384,
                              CipherSuite::tls_ecdhe_rsa_with_aes_256_gcm_sha384},
                   .groups = {NamedGroup::secp384r1},
                   .schemes = {SignatureScheme::ecdsa_secp384r1_sha384, SignatureScheme::rsa_pss_rsae_sha384,
                               SignatureScheme::rsa_pss_rsae_sha512, SignatureScheme::rsa_pkcs1_sha384,
                               SignatureScheme::rsa_pkcs1_sha512}};
  }
  if (options.cnsa_202407) {  // AES-256 wherever the peer has it, July 2024; of TLS 1.2 it says nothing
    auto suites = suites_from_text("TLS_AES_256_GCM_SHA384:DEFAULT:" + std::string(kOlderSuites));
    return Profile{.suites = std::move(suites.value()), .server_preference = true};
  }
  if (options.cnsa1_202603) {  // CNSA 1.0 on its way to 2.0, March 2026
    return Profile{.suites = {CipherSuite::tls_aes_256_gcm_sha384},
                   .groups = {NamedGroup::mlkem1024, NamedGroup::secp384r1},
                   .schemes = {SignatureScheme::ecdsa_secp384r1_sha384, SignatureScheme::rsa_pss_rsae_sha384},
                   .server_preference = true};
  }
  if (options.cnsa2_202603) {  // CNSA 2.0, March 2026
    return Profile{.suites = {CipherSuite::tls_aes_256_gcm_sha384},
                   .groups = {NamedGroup::mlkem1024},
                   .schemes = {SignatureScheme::mldsa87},
                   .server_preference = true};
  }
  return std::nullopt;
}

// The runner's codecs, of which it asks for no more than that both ends do the same.

constexpr std::array<std::uint8_t, 4> kExpandingPrefix = {1, 2, 3, 4};

bool starts_with(Bytes bytes, Bytes prefix) {
  return bytes.size() >= prefix.size() && equal(bytes.first(prefix.size()), prefix);
}

std::size_t copy_into(MutableBytes out, Bytes first, Bytes second) {
  if (out.size() < first.size() + second.size()) return 0;
  std::ranges::copy(second, std::ranges::copy(first, out.begin()).out);
  return first.size() + second.size();
}

constexpr std::array<CertificateCodec, 3> kCodecs = {{
    {static_cast<CertificateCompressionAlgorithm>(0xff02),
     [](Bytes compressed, MutableBytes certificate) noexcept {
       return starts_with(compressed, kExpandingPrefix) &&
              compressed.size() == kExpandingPrefix.size() + certificate.size() &&
              copy_into(certificate, compressed.subspan(kExpandingPrefix.size()), {}) == certificate.size();
     },
     [](Bytes certificate, MutableBytes compressed) noexcept {
       return copy_into(compressed, kExpandingPrefix, certificate);
     }},
    // A certificate's message begins with an empty context and a length below 2^16.
    {static_cast<CertificateCompressionAlgorithm>(0xff01),
     [](Bytes compressed, MutableBytes certificate) noexcept {
       constexpr std::array<std::uint8_t, 2> kPrefix = {0, 0};
       return certificate.size() == kPrefix.size() + compressed.size() &&
              copy_into(certificate, kPrefix, compressed) == certificate.size();
     },
     [](Bytes certificate, MutableBytes compressed) noexcept {
       constexpr std::array<std::uint8_t, 2> kPrefix = {0, 0};
       return starts_with(certificate, kPrefix) ? copy_into(compressed, certificate.subspan(kPrefix.size()), {}) : 0;
     }},
    {static_cast<CertificateCompressionAlgorithm>(0xff03),
     [](Bytes compressed, MutableBytes certificate) noexcept {
       return compressed.size() == 1 + certificate.size() &&
              copy_into(certificate, compressed.subspan(1), {}) == certificate.size();
     },
     [](Bytes certificate, MutableBytes compressed) noexcept {
       constexpr std::array<std::uint8_t, 1> kAnything = {0};
       return copy_into(compressed, kAnything, certificate);
     }},
}};

std::vector<CertificateCodec> codecs_of(const Options& options) {
  if (options.install_cert_compression_algs) return {kCodecs.begin(), kCodecs.end()};
  std::vector<CertificateCodec> codecs;
  std::ranges::copy_if(kCodecs, std::back_inserter(codecs), [&](const CertificateCodec& codec) {
    return static_cast<int>(codec.algorithm) == options.install_one_cert_compression_alg;
  });
  return codecs;
}

ClientConfigBuilder client(const Options& options, const Versions& spoken, const Provider& provider) {
  ClientConfigBuilder builder = ConfigBuilder::client(provider);
  builder.grease(options.enable_grease).alpn(protocols(options.advertise_alpn));
  builder.false_start(options.false_start).allow_false_start_without_alpn(options.allow_false_start_without_alpn);
  builder.fallback_scsv(options.fallback_scsv);
  builder.hand_out_computations(options.async);
  if (!options.select_next_proto.empty() && spoken.oldest == ProtocolVersion::tls_1_2)
    builder.next_protocols({options.select_next_proto});
  builder.allow_no_renegotiation_info(!options.expect_secure_renegotiation);
  if (options.renegotiate_once) builder.renegotiation(Renegotiation::once);
  if (options.renegotiate_freely || options.renegotiate_explicit) builder.renegotiation(Renegotiation::freely);
  // BoringSSL's servers ask no client for staples, whatever the flags say.
  builder.ocsp_stapling(options.enable_ocsp_stapling)
      .signed_certificate_timestamps(options.enable_signed_cert_timestamps);
  if (!options.key_shares.empty() || options.no_key_shares) builder.key_shares(ids<NamedGroup>(options.key_shares));
  return builder;
}

ServerConfigBuilder server(const Options& options, const Versions& spoken, const Provider& provider) {
  ServerConfigBuilder builder = ConfigBuilder::server(provider);
  const auto wanted = profile(options);
  // BoringSSL's shim lets its own order decide where a list is named.
  builder.server_preference(options.server_preference || !options.cipher.empty() ||
                            (wanted && wanted->server_preference));
  builder.grease(true);  // BoringSSL's servers always do
  builder.hand_out_computations(options.async);
  builder.select_config(options.use_early_callback || options.fail_early_callback || options.decline_alpn ||
                        !options.select_alpn.empty() || options.async);
  const bool ids = spoken.oldest == ProtocolVersion::tls_1_2;
  builder.session_ids(ids);
  // Its hint is BoringSSL's identity.
  if (!options.psk.empty()) builder.psk_identity_hint(options.psk_identity);
  if (options.no_ticket) builder.tickets(0).resumption(ids);
  if (options.require_any_client_certificate) {
    builder.client_auth(ClientAuth::require);
  } else if (options.verify_peer) {
    builder.client_auth(ClientAuth::request);
  }
  if (options.require_any_client_certificate || options.verify_peer)
    builder.certificate_authorities(names_from_hex(options.use_client_ca_list));
  if (spoken.oldest == ProtocolVersion::tls_1_2) builder.next_protocols(protocols(options.advertise_npn));
  if (!options.decline_alpn) {
    if (options.reject_alpn) {
      builder.alpn({"nobody speaks this"});
    } else if (!options.select_alpn.empty()) {
      builder.alpn({options.select_alpn});
    }
  }
  return builder;
}

/// Those that handshakes are signed with in one of the versions, and those that are left to certificates.
struct Schemes {
  std::vector<SignatureScheme> handshake;
  std::vector<SignatureScheme> certificates;

  Schemes(const std::vector<SignatureScheme>& all, const Versions& versions) {
    const auto old = lockstep::schemes(versions.oldest);
    const auto recent = lockstep::schemes(versions.newest);
    for (const SignatureScheme scheme : all) {
      const bool signs =
          std::ranges::find(old, scheme) != old.end() || std::ranges::find(recent, scheme) != recent.end();
      if (parts(scheme)) (signs ? handshake : certificates).push_back(scheme);
    }
  }
};

/// rsa_pkcs1_*_legacy, for clients whose hardware signs with nothing newer (draft-ietf-tls-tls13-pkcs1).
constexpr int kPkcs1Legacy[] = {0x0420, 0x0520, 0x0620};

/// Adds the credential that `flags` describe, if they name one, to the candidates.
std::optional<Stop> load_credential(const CredentialOptions& flags, int number, const Options& options,
                                    const Provider& provider, Shared& shared) {
  if (flags.cert_file.empty() || flags.key_file.empty()) return std::nullopt;
  if (std::ranges::find_first_of(flags.signing_prefs, kPkcs1Legacy) != flags.signing_prefs.end())
    return not_implemented("nothing is signed with PKCS #1 v1.5 in TLS 1.3");
  const auto loaded = files::load_credential(provider, flags.cert_file, flags.key_file);
  if (!loaded) return not_implemented(loaded.error().text());
  Credential credential = **loaded;
  const auto policy = profile(options);
  std::vector<SignatureScheme> wanted = ids<SignatureScheme>(flags.signing_prefs);
  if (policy && !policy->schemes.empty()) wanted = policy->schemes;
  if (!wanted.empty()) {
    std::erase_if(wanted, [&](SignatureScheme scheme) {
      return std::ranges::find(credential.schemes, scheme) == credential.schemes.end();
    });
    credential.schemes = std::move(wanted);
  }
  if (!options.decline_ocsp_callback) credential.ocsp_response = from_base64(flags.ocsp_response);
  credential.sct_list = from_base64(flags.signed_cert_timestamps);
  shared.candidates.push_back({.credential = std::make_shared<const Credential>(std::move(credential)),
                               .number = number,
                               .must_match_issuer = flags.must_match_issuer});
  return std::nullopt;
}

std::optional<Stop> load_credentials(const Options& options, const Provider& provider, Shared& shared) {
  shared.candidates.clear();
  int number = 0;
  for (const CredentialOptions& flags : options.credentials) {
    if (auto failed = load_credential(flags, number++, options, provider, shared)) return failed;
  }
  return load_credential(options.credential, kDefaultCredential, options, provider, shared);
}

Stop refused(const std::vector<ConfigProblem>& problems) {
  Stop stop{.error = {}, .text = "the configuration"};
  for (const ConfigProblem& problem : problems) {
    stop.text += ": " + problem.setting + ": " + problem.text;
    if (problem.setting == "versions") stop.text += " :NO_SUPPORTED_VERSIONS_ENABLED:";
  }
  return stop;
}

/// What both sides' flags say, and the configuration.
template <Role kRole>
std::optional<Stop> build(BasicConfigBuilder<kRole> builder, const Options& options, const Versions& spoken,
                          const Provider& provider, Shared& shared) {
  builder.versions(spoken.oldest, spoken.newest).allow_no_extended_main_secret(!options.expect_extended_master_secret);
  // BoringSSL's default has its suites with pre-shared keys, which are used where there is a key.
  const std::string usual = "DEFAULT:" + std::string(kOlderSuites) + (options.psk.empty() ? "" : ":kECDHEPSK:kPSK");
  auto suites = ranked_suites_from_text(options.cipher.empty() ? usual : options.cipher);
  if (!suites) return not_implemented(suites.error().text());
  // BoringSSL has no DHE, which its words for suites would choose here.
  const auto unused = [&](CipherSuite suite) {
    const KeyExchangeMethod method = parts(suite)->key_exchange;
    return !provider.supports(suite) || method == KeyExchangeMethod::dhe || method == KeyExchangeMethod::dhe_psk;
  };
  for (auto& rank : *suites) std::erase_if(rank, unused);
  std::erase_if(*suites, [](const auto& rank) { return rank.empty(); });
  if (!provider.fast_aes) {
    std::ranges::stable_partition(
        *suites, [](const auto& rank) { return parts(rank.front())->aead == AeadAlgorithm::chacha20_poly1305; });
  }
  builder.ranked_suites(*suites);
  // BoringSSL ends the connection with whoever asks, unless it is told to ignore that.
  builder.renegotiation_ends_connection(spoken.oldest == ProtocolVersion::tls_1_2 && !options.renegotiate_ignore);
  if (spoken.newest == ProtocolVersion::tls_1_3) builder.certificate_compression(codecs_of(options));
  builder.key_log(true).verify_on_resumption(options.reverify_on_resume && !(options.server && options.no_ticket));
  // What BoringSSL takes and sends at most, and how far ages may be off.
  if (options.enable_early_data) builder.early_data(kMaxEarlyData, kAgeTolerance);
  const auto policy = profile(options);
  std::vector<NamedGroup> groups = options.curves.empty() ? kGroups : ids<NamedGroup>(options.curves);
  if (policy && !policy->groups.empty()) groups = policy->groups;
  for (const NamedGroup group : groups) {
    if (!provider.supports(group)) return not_implemented("no group " + to_text(group));
  }
  builder.groups(std::move(groups));
  builder.schemes(Schemes(kSchemes, spoken).handshake);
  if (!options.verify_prefs.empty()) {
    Schemes wanted(ids<SignatureScheme>(options.verify_prefs), spoken);
    if (wanted.handshake.empty() && wanted.certificates.empty())
      return not_implemented("none of the signature schemes is known");
    // BoringSSL offers TLS 1.3 with what only TLS 1.2 can use. Here it needs a scheme, be it one that the runner lacks.
    const auto recent = lockstep::schemes(spoken.newest);
    if (!wanted.handshake.empty() && std::ranges::find_first_of(wanted.handshake, recent) == wanted.handshake.end())
      wanted.handshake.push_back(SignatureScheme::ed448);
    if (!wanted.handshake.empty()) builder.schemes(std::move(wanted.handshake));
    if (!wanted.certificates.empty()) builder.schemes_cert(std::move(wanted.certificates));
  }
  // BoringSSL signs with all that its keys can do, whatever it verifies.
  std::vector<SignatureScheme> ours;
  for (const Candidate& candidate : shared.candidates) {
    for (const SignatureScheme scheme : candidate.credential->schemes) {
      if (std::ranges::find(ours, scheme) == ours.end()) ours.push_back(scheme);
    }
  }
  if (Schemes signing(ours, spoken); !signing.handshake.empty()) builder.signing_schemes(std::move(signing.handshake));
  if (policy) {
    builder.suites(policy->suites);
    for (const SignatureScheme scheme : policy->schemes) {
      if (!provider.supports(scheme)) return not_implemented("no signature scheme " + to_text(scheme));
    }
    const Schemes allowed(policy->schemes, spoken);
    if (!policy->schemes.empty()) builder.schemes(allowed.handshake).signing_schemes(allowed.handshake);
  }
  if (options.max_send_fragment > 0) builder.max_send_fragment(static_cast<std::uint16_t>(options.max_send_fragment));
  if (options.max_cert_list > 0) builder.max_handshake_message(static_cast<std::size_t>(options.max_cert_list));

  auto config = builder.build();
  if (!config) return refused(config.error());
  shared.config = std::move(*config);
  return std::nullopt;
}

}  // namespace

std::optional<Stop> set_up(const Options& options, const Provider& provider, Shared& shared) {
  auto spoken = versions(options);
  const auto policy = profile(options);
  if (spoken && policy && std::ranges::none_of(policy->suites, [](CipherSuite suite) {
        return parts(suite)->version == ProtocolVersion::tls_1_2;
      })) {
    spoken->oldest = ProtocolVersion::tls_1_3;
  }
  if (options.no_tls13 && options.no_tls12 && options.no_tls11 && options.no_tls1) {
    const auto config = ConfigBuilder::client(provider).versions(std::span<const ProtocolVersion>()).build();
    return config ? Stop{.error = {}, .text = "a configuration without versions"} : refused(config.error());
  }
  if (!spoken || rank(spoken->oldest) > rank(spoken->newest))
    return not_implemented("the flags exclude TLS 1.2 and TLS 1.3");
  if (options.expect_version != 0 && options.expect_version < static_cast<int>(ProtocolVersion::tls_1_2))
    return not_implemented("an older version is expected");

  if (options.permute_extensions && !options.enable_grease)
    return not_implemented("extensions in another order each time come with GREASE");
  if (options.expect_msg_callback.contains("v2clienthello")) return not_implemented("no ClientHello of SSL 2 is read");
  if (options.server && options.enable_grease) return not_implemented("a server sends no GREASE");
  if (auto failed = load_credentials(options, provider, shared)) return failed;

  return options.server ? build(server(options, *spoken, provider), options, *spoken, provider, shared)
                        : build(client(options, *spoken, provider), options, *spoken, provider, shared);
}

}  // namespace bogo
