// Collecting settings, checking them all, and binding algorithms to what the provider has.

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <lockstep/config.hpp>
#include <lockstep/lists.hpp>
#include <lockstep/session.hpp>
#include <lockstep/x509.hpp>

#include "codec/limits.hpp"
#include "codec/writer.hpp"
#include "key_schedule/transcript.hpp"

namespace lockstep {
namespace {

static_assert(kMaxChainLength == codec::kMaxCertificates);
constexpr std::size_t kMinHandshakeMessage = 4096;  // a ClientHello with one post-quantum share fits
constexpr std::size_t kMaxHandshakeMessage = (1U << 24U) - 1;
constexpr std::size_t kMaxProtocolName = 255;  // RFC 7301 3.1
constexpr std::size_t kMaxAlpnList = 65535;
constexpr std::size_t kMaxSessionContext = 255;
// RFC 8879 3: "CertificateCompressionAlgorithm algorithms<2..2^8-2>;"
constexpr std::size_t kMaxCertificateCodecs = 127;
// RFC 9846 4.3.4: authorities<3..2^16-1>, which shares extensions<0..2^16-1> with the others.
constexpr std::size_t kMaxAuthoritiesSize = 60'000;
/// From old to new.
constexpr std::array kVersions{ProtocolVersion::ssl_3_0, ProtocolVersion::tls_1_0, ProtocolVersion::tls_1_1,
                               ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_3};

template <class Id>
std::string quoted(Id id) {
  return "'" + to_text(id) + "'";
}

// Complains about repeated entries, and about those that the provider cannot serve.
template <class Id>
void check_list(std::vector<ConfigProblem>& problems, const char* setting, const std::vector<Id>& list,
                const Provider& provider) {
  if (list.empty()) problems.push_back({setting, "the list is empty; name at least one, or leave the default"});
  for (auto it = list.begin(); it != list.end(); ++it) {
    if (std::find(list.begin(), it, *it) != it) {
      problems.push_back({setting, quoted(*it) + " is listed twice; remove one"});
    } else if (!provider.supports(*it)) {
      problems.push_back({setting, "provider '" + std::string(provider.name) + "' does not have " + quoted(*it) +
                                       "; remove it or choose a provider that does"});
    }
  }
}

/// Of a list that is had where none is named: what the provider has and the profile admits.
template <class Id>
std::vector<Id> available(std::span<const Id> list, const Provider& provider, Profile profile) {
  return filter(std::vector<Id>(list.begin(), list.end()),
                [&](Id id) { return provider.supports(id) && (profile == Profile::none || is_approved(id)); });
}

/// For the profile of what is approved where no groups are named: a FIPS module need not have X25519, which hybrids of
/// the defaults have.
constexpr std::array kApprovedGroups{NamedGroup::x25519mlkem768, NamedGroup::secp256r1mlkem768, NamedGroup::secp256r1,
                                     NamedGroup::secp384r1, NamedGroup::secp521r1};

std::vector<NamedGroup> default_groups(const Settings& settings, const Provider& provider) {
  auto groups =
      available<NamedGroup>(lockstep::groups(settings.max_version, ListKind::by_default), provider, settings.profile);
  if (settings.profile == Profile::none || settings.max_version != ProtocolVersion::tls_1_3) return groups;
  return available<NamedGroup>(kApprovedGroups, provider, settings.profile);
}

// Hybrids and ML-KEM by itself.
bool is_post_quantum(NamedGroup group) {
  return parts(group) || group == NamedGroup::mlkem512 || group == NamedGroup::mlkem768 ||
         group == NamedGroup::mlkem1024;
}

template <class Id>
bool contains(const std::vector<Id>& list, Id id) {
  return std::ranges::find(list, id) != list.end();
}

bool of_version(CipherSuite suite, ProtocolVersion version) {
  const auto known = parts(suite);
  return known && known->version == version;
}

bool uses_finite_field(CipherSuite suite) {
  const auto known = parts(suite);
  return known && (known->key_exchange == KeyExchangeMethod::dhe || known->key_exchange == KeyExchangeMethod::dhe_psk);
}

bool uses_psk(CipherSuite suite) {
  const auto known = parts(suite);
  return known &&
         (known->authentication == SuiteAuthentication::psk || known->key_exchange == KeyExchangeMethod::rsa_psk);
}

bool uses_chacha20(CipherSuite suite) {
  const auto known = parts(suite);
  return known && known->aead == AeadAlgorithm::chacha20_poly1305;
}

// Every version that is spoken needs something of a list. What is wrong with the list itself has been said.
template <class Id, class Possible>
void check_each_version(std::vector<ConfigProblem>& problems, const Settings& settings, const char* setting,
                        const std::vector<Id>& list, Possible possible) {
  if (std::ranges::find(problems, setting, &ConfigProblem::setting) != problems.end()) return;
  for (const ProtocolVersion version : lockstep::versions()) {
    if (!settings.speaks(version)) continue;
    const auto ids = possible(version);
    if (std::ranges::none_of(list, [&](Id id) { return contains(ids, id); }))
      problems.push_back(
          {setting, "none is of " + std::string(name(version)) + "; name one, or leave that version out"});
  }
}

// Leaves out the versions for which a list that was named has nothing, unless nothing is left then: the checks say why.
void narrow_versions(Settings& settings, const std::optional<std::vector<CipherSuite>>& suites,
                     const std::optional<std::vector<NamedGroup>>& groups,
                     const std::optional<std::vector<SignatureScheme>>& schemes) {
  const auto usable = [&](ProtocolVersion version) {
    const auto any = [](const auto& named, auto possible) {
      return !named || std::ranges::any_of(*named, [&](auto id) { return contains(possible, id); });
    };
    return (!suites || std::ranges::any_of(*suites, [&](CipherSuite suite) { return of_version(suite, version); })) &&
           any(groups, lockstep::groups(version)) && any(schemes, lockstep::schemes(version));
  };
  const bool older = usable(ProtocolVersion::tls_1_2);
  const bool newer = usable(ProtocolVersion::tls_1_3);
  if (older == newer) return;
  settings.min_version = settings.max_version = newer ? ProtocolVersion::tls_1_3 : ProtocolVersion::tls_1_2;
}

// Where those begin that are as preferred as this suite.
std::size_t rank_of(CipherSuite suite, const std::vector<CipherSuite>& list, const std::vector<CipherSuite>& equal) {
  auto place = std::ranges::find(list, suite);
  while (place != list.begin() && contains(equal, *place)) --place;
  return static_cast<std::size_t>(place - list.begin());
}

BoundGroup bind(NamedGroup id, const Provider& provider) {
  if (const auto hybrid = parts(id)) return {id, provider.group(hybrid->first), provider.group(hybrid->second)};
  return {id, provider.group(as_listed(id)), nullptr};
}

BoundSuite bind(CipherSuite id, const Provider& provider) {
  const auto known = parts(id);
  return {.suite = id,
          .aead = known->aead ? provider.aead(*known->aead) : nullptr,
          .cbc = known->cbc ? provider.cbc_cipher(known->cbc->cipher) : nullptr,
          .mac = known->cbc ? provider.record_mac(known->cbc->mac) : nullptr,
          .hash = provider.hash(known->hash),
          .version = known->version,
          .key_exchange = known->key_exchange,
          .authentication = known->authentication};
}

/// For suites with DHE where no groups are named. Larger ones cost more than they are worth to anybody who has ECDHE.
constexpr std::array kFieldsWithDhe{NamedGroup::ffdhe2048, NamedGroup::ffdhe3072, NamedGroup::ffdhe4096};

bool has_bits(NamedGroup group, std::size_t least) {
  const auto parameters = field_parameters(group);
  return parameters && bit_size(parameters->p) >= least;
}

std::string bits_text(std::size_t bits) { return std::to_string(bits) + " bits"; }

// A server's own parameters. What is wrong with them first is said alone.
void check_dh_parameters(std::vector<ConfigProblem>& problems, const Settings& settings, const Provider& provider) {
  const auto complain = [&](std::string text) { problems.push_back({"dh_parameters", std::move(text)}); };
  const FieldParameters parameters = view_of(settings.dh_parameters);
  const std::size_t bits = bit_size(parameters.p);
  if (bits < settings.min_dh_bits || bits > kMaxDhBits)
    return complain("p has " + bits_text(bits) + ", and " + std::to_string(settings.min_dh_bits) + " to " +
                    bits_text(kMaxDhBits) + " are taken; have others made, or leave the setting out");
  if (!within_field(parameters.g, parameters.p)) return complain("g is not between 1 and p - 1; have others made");
  if (named_field(parameters)) return;
  const FiniteField* const field = provider.finite_field();
  if (field == nullptr)
    return complain("provider '" + std::string(provider.name) +
                    "' has no finite fields but those that are named; choose a provider that has, or name groups");
  if (parameters.p.back() % 2 == 0 || !field->is_prime(parameters.p))
    return complain("p is not a prime; have others made, with `openssl dhparam 3072`");
}

// DHE needs groups, and they need DHE.
void check_finite_fields(std::vector<ConfigProblem>& problems, const Settings& settings, bool dhe,
                         const std::vector<NamedGroup>& groups, const Provider& provider) {
  const auto complain = [&](const char* setting, std::string text) { problems.push_back({setting, std::move(text)}); };
  if (settings.min_dh_bits < kMinDhBits || settings.min_dh_bits > kMaxDhBits)
    return complain("min_dh_bits", "a prime has " + std::to_string(kMinDhBits) + " to " + bits_text(kMaxDhBits) +
                                       "; say how many of them are needed");
  for (const NamedGroup group : groups) {
    if (field_parameters(group) && !has_bits(group, settings.min_dh_bits))
      complain("groups", quoted(group) + " has fewer bits than min_dh_bits, " + std::to_string(settings.min_dh_bits) +
                             "; remove it, or ask for fewer");
  }
  const bool custom = !settings.dh_parameters.empty();
  if (custom) check_dh_parameters(problems, settings, provider);
  if (settings.unknown_dh_groups && provider.finite_field() == nullptr)
    complain("allow_unknown_dh_groups", "provider '" + std::string(provider.name) +
                                            "' has no finite fields but those that are named; remove the setting");
  if (dhe && !custom && !settings.unknown_dh_groups && std::ranges::none_of(groups, is_finite_field))
    complain("suites", "DHE needs a finite field, and there is none; add 'ffdhe2048' or others to the groups");
  if (!dhe && (custom || settings.unknown_dh_groups))
    complain(custom ? "dh_parameters" : "allow_unknown_dh_groups",
             "no suite with DHE is named that could use it; name one, or remove the setting");
}

// What is set against the profile.
class ProfileChecks {
 public:
  ProfileChecks(std::vector<ConfigProblem>& problems, const Settings& settings) noexcept
      : problems_(problems), settings_(settings) {}

  template <class Id>
  void list(const char* setting, const std::optional<std::vector<Id>>& named) {
    if (!named) return;
    for (const Id id : *named) {
      if (!is_approved(id)) complain(setting, quoted(id) + " is not approved; remove it");
    }
  }
  void rest(std::optional<bool> prefer_chacha20) {
    if (prefer_chacha20.value_or(false)) complain("prefer_chacha20", "ChaCha20-Poly1305 is not approved; remove it");
    if (settings_.unknown_dh_groups)
      complain("allow_unknown_dh_groups", "only groups of RFC 7919 are known to be approved; remove it");
    if (!settings_.dh_parameters.empty() && !named_field(view_of(settings_.dh_parameters)))
      complain("dh_parameters", "only those of RFC 7919 are known to be approved; remove them");
    if (settings_.min_dh_bits < kDefaultMinDhBits)
      complain("min_dh_bits",
               "primes of fewer than " + bits_text(kDefaultMinDhBits) + " are not approved; ask for more");
    if (settings_.speaks(ProtocolVersion::tls_1_2) && !settings_.extended_main_secret_required)
      complain("allow_no_extended_main_secret", "a master secret that is not extended is not approved; remove it");
  }

 private:
  void complain(const char* setting, std::string text) {
    problems_.push_back({setting, std::move(text) + ", or the profile"});
  }

  std::vector<ConfigProblem>& problems_;
  const Settings& settings_;
};

// As many as can be read.
std::string insecure_parts(const Provider& provider) {
  constexpr std::size_t kNamed = 5;
  const std::vector<std::string> parts = provider.insecure_parts();
  std::string text;
  for (const std::string& part : std::span(parts).first(std::min(parts.size(), kNamed)))
    text += (text.empty() ? "" : ", ") + part;
  if (parts.size() > kNamed) text += " and " + std::to_string(parts.size() - kNamed) + " more";
  return text;
}

void check_protocols(std::vector<ConfigProblem>& problems, const char* setting, const std::vector<std::string>& list) {
  const auto complain = [&](std::string text) { problems.push_back({setting, std::move(text)}); };
  std::size_t size = 0;
  for (auto protocol = list.begin(); protocol != list.end(); ++protocol) {
    size += protocol->size() + 1;
    if (std::find(list.begin(), protocol, *protocol) != protocol) {
      complain("'" + *protocol + "' is listed twice; remove one");
    } else if (protocol->empty() || protocol->size() > kMaxProtocolName) {
      complain("protocol names have 1 to 255 bytes; '" + *protocol + "' has " + std::to_string(protocol->size()));
    }
  }
  if (size > kMaxAlpnList || list.size() > codec::kMaxProtocolNames)
    complain("the list is too long; name at most 255 protocols");
}

// What cannot be sent, or what the peer could not read.
void check_authorities(std::vector<ConfigProblem>& problems, const std::vector<std::vector<std::uint8_t>>& names) {
  constexpr const char* kSetting = "certificate_authorities";
  std::size_t size = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    size += 2 + names[i].size();
    if (!x509::DistinguishedName::parse(names[i]))
      problems.push_back({kSetting, "name " + std::to_string(i + 1) + " is not a distinguished name in DER; take the " +
                                        "subject of the authority's certificate"});
  }
  if (size > kMaxAuthoritiesSize || names.size() > codec::kMaxAuthorities)
    problems.push_back({kSetting, "the names are too many: at most " + std::to_string(codec::kMaxAuthorities) +
                                      " with " + std::to_string(kMaxAuthoritiesSize) +
                                      " bytes; name those that count"});
}

void prepare_peers(std::vector<ConfigProblem>& problems, Settings& settings, const Provider& provider,
                   const std::vector<std::vector<std::uint8_t>>& certificates) {
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    if (const auto read = x509::Certificate::parse(certificates[i])) {
      settings.known_peers.push_back(std::make_shared<const x509::PreparedKeys>(provider, *read));
    } else {
      problems.push_back(
          {"known_peers", "certificate " + std::to_string(i + 1) + " cannot be read: " + read.error().text()});
    }
  }
}

// Algorithms that can be used, each once, and where what they compress is kept.
void check_certificate_codecs(std::vector<ConfigProblem>& problems, Settings& settings) {
  const auto complain = [&](std::string text) { problems.push_back({"certificate_compression", std::move(text)}); };
  const auto& codecs = settings.certificate_codecs;
  if (codecs.empty()) return;
  if (!settings.speaks(ProtocolVersion::tls_1_3)) complain("TLSv1.2 has none; allow TLSv1.3, or remove the setting");
  for (auto codec = codecs.begin(); codec != codecs.end(); ++codec) {
    if (std::ranges::find(codecs.begin(), codec, codec->algorithm, &CertificateCodec::algorithm) != codec)
      complain(quoted(codec->algorithm) + " is listed twice; remove one");
    if (codec->decompress == nullptr && codec->compress == nullptr)
      complain("nothing here compresses or decompresses " + quoted(codec->algorithm) +
               "; take it from a library that does, or remove it");
  }
  if (codecs.size() > kMaxCertificateCodecs)
    complain("at most " + std::to_string(kMaxCertificateCodecs) + " algorithms are named; remove some");
  if (settings.compressed_certificates == nullptr)
    settings.compressed_certificates = std::make_shared<CompressedCertificates>();
}

enum class ContextSource : std::uint8_t { settings, application };

// What sessions are bound to, as far as the configuration says it. Nothing when the provider fails.
std::optional<SessionContext> context_of(const Settings& settings, const Provider& provider) {
  constexpr std::string_view kPurpose = "lockstep session context 2";
  // The same whichever order the suites have.
  const Hash* hash = provider.hash(HashAlgorithm::sha256);
  if (hash == nullptr) hash = settings.suites.front().hash;
  const bool own = !settings.session_context.empty();
  std::array<std::uint8_t, 2 * kMaxSessionContext> buffer{};
  codec::Writer content(buffer);
  content.bytes(as_bytes(kPurpose));
  content.code_point(own ? ContextSource::application : ContextSource::settings);
  content.code_point(settings.role);
  if (own) {
    content.bytes(settings.session_context);
  } else {
    content.code_point(settings.client_auth);
    content.u8(static_cast<std::uint8_t>(settings.skip_verification));
    for (const SignatureScheme scheme : settings.schemes) content.code_point(scheme);
  }
  const auto found = key_schedule::digest_of(*hash, {content.written()});
  if (!content.ok() || !found) return std::nullopt;
  SessionContext context{};
  std::ranges::copy(found->view().first(context.size()), context.begin());
  return context;
}

}  // namespace

SessionContext Config::session_context(const SessionContext& verification) const noexcept {
  if (!settings_.session_context.empty()) return context_;
  // Both are digests, of different things, and no peer has a say in either: their sum is as good as a digest of both,
  // and costs a handshake nothing.
  using Words = std::array<std::uint64_t, std::tuple_size_v<SessionContext> / sizeof(std::uint64_t)>;
  auto sum = std::bit_cast<Words>(context_);
  const auto other = std::bit_cast<Words>(verification);
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] ^= other[i];
  return std::bit_cast<SessionContext>(sum);
}

const BoundSuite* Config::suite(CipherSuite id) const noexcept {
  const auto found = std::ranges::find(settings_.suites, id, &BoundSuite::suite);
  return found == settings_.suites.end() ? nullptr : &*found;
}

const BoundGroup* Config::group(NamedGroup id) const noexcept {
  const auto found = std::ranges::find(settings_.groups, id, &BoundGroup::id);
  return found == settings_.groups.end() ? nullptr : &*found;
}

std::shared_ptr<const ClientConfig> as_client(std::shared_ptr<const Config> config) noexcept {
  if (config == nullptr || config->role() != Role::client) return nullptr;
  return std::static_pointer_cast<const ClientConfig>(std::move(config));
}

std::shared_ptr<const ServerConfig> as_server(std::shared_ptr<const Config> config) noexcept {
  if (config == nullptr || config->role() != Role::server) return nullptr;
  return std::static_pointer_cast<const ServerConfig>(std::move(config));
}

ConfigDraft::ConfigDraft(Role role, Provider provider) : role_(role), provider_(std::move(provider)) {
  settings_.role = role;
}

ConfigDraft::ConfigDraft(Role role, const Settings& settings, Provider provider)
    : role_(role), settings_(settings), provider_(std::move(provider)) {
  suites_.emplace();
  std::ranges::transform(settings.suites, std::back_inserter(*suites_), &BoundSuite::suite);
  groups_.emplace();
  std::ranges::transform(settings.groups, std::back_inserter(*groups_), &BoundGroup::id);
  if (role == Role::client) key_shares_ = settings.key_shares;
  schemes_ = settings.schemes;
  schemes_cert_ = settings.schemes_cert;
  if (!settings.signing_schemes.empty()) signing_schemes_ = settings.signing_schemes;
  handshake_memory_ = settings.handshake_memory;
  server_preference_of_groups_ = settings.server_preference_of_groups;
  versions_named_ = true;
}

// Every check runs, whatever the ones before it found.
std::expected<ConfigDraft::Checked, std::vector<ConfigProblem>> ConfigDraft::check() const {
  std::vector<ConfigProblem> problems;
  Settings settings = settings_;
  const auto complain = [&](const char* setting, std::string text) { problems.push_back({setting, std::move(text)}); };
  const bool client = role_ == Role::client;

  if (settings.role != role_)
    complain("from", client ? "these are the settings of a server" : "these are the settings of a client");
  if (provider_.insecure() && !insecure_provider_allowed_)
    complain("dangerous().allow_insecure_provider", "provider '" + std::string(provider_.name) +
                                                        "' protects nothing with " + insecure_parts(provider_) +
                                                        "; choose another, or for a test say that it may be used");

  if (version_list_) {
    if (version_list_->empty()) {
      complain("versions", "the list is empty; name at least TLSv1.3");
    } else {
      const auto [oldest, newest] = std::ranges::minmax(*version_list_, {}, &rank);
      settings.min_version = oldest;
      settings.max_version = newest;
      for (const ProtocolVersion version : kVersions) {
        if (rank(version) > rank(oldest) && rank(version) < rank(newest) &&
            std::ranges::find(*version_list_, version) == version_list_->end())
          complain("versions", quoted(version) + " is missing from the middle of the list; add it");
      }
    }
  }
  if (rank(settings.min_version) > rank(settings.max_version))
    complain("versions", "the oldest version is newer than the newest; swap them");
  for (const ProtocolVersion version : {settings.min_version, settings.max_version}) {
    if (version != ProtocolVersion::tls_1_3 && version != ProtocolVersion::tls_1_2) {
      complain("versions", quoted(version) + " is not in this build; it speaks TLSv1.3 and TLSv1.2");
      break;
    }
  }
  // Who names lists that only one version can use, and no versions, has named that one.
  if (!versions_named_ && !version_list_) narrow_versions(settings, suites_, groups_, schemes_);

  constexpr auto kDefault = ListKind::by_default;
  // A list may hold every suite that has a name; those of the versions that are spoken count.
  std::vector<CipherSuite> suites = suites_.value_or(std::vector<CipherSuite>());
  if (suites_) {
    std::erase_if(suites, [&](CipherSuite suite) {
      const auto known = parts(suite);
      return known && !settings.speaks(known->version);
    });
    std::erase_if(settings.equal_suites, [&](CipherSuite suite) {
      const auto place = std::ranges::find(suites, suite);
      return place == suites.end() || place == suites.begin() ||
             rank_of(*place, *suites_, settings_.equal_suites) !=
                 rank_of(*(place - 1), *suites_, settings_.equal_suites);
    });
    if (suites.empty() && !suites_->empty())
      complain("suites", "none of these is one of " + quoted(settings.max_version) + "; name one that is");
  } else {
    for (const ProtocolVersion version : lockstep::versions()) {
      if (settings.speaks(version))
        suites = append<CipherSuite>(std::move(suites), available<CipherSuite>(lockstep::suites(version, kDefault),
                                                                               provider_, settings.profile));
    }
  }
  if (!suites_ && prefer_chacha20_.value_or(!provider_.fast_aes))
    std::ranges::stable_partition(suites, [](CipherSuite suite) { return uses_chacha20(suite); });
  if (!suites.empty() || !suites_ || suites_->empty()) check_list(problems, "suites", suites, provider_);
  check_each_version(problems, settings, "suites", suites,
                     [](ProtocolVersion version) { return lockstep::suites(version); });

  const bool dhe = std::ranges::any_of(suites, uses_finite_field);
  std::vector<NamedGroup> groups = groups_ ? *groups_ : default_groups(settings, provider_);
  // RFC 7919 3: a client that offers such groups "SHOULD also include at least one FFDHE cipher suite in the
  // ClientHello", and the other way round, so that the server knows which it takes.
  if (!groups_ && dhe)
    groups = append<NamedGroup>(std::move(groups),
                                filter(available<NamedGroup>(kFieldsWithDhe, provider_, settings.profile),
                                       [&](NamedGroup id) { return has_bits(id, settings.min_dh_bits); }));
  check_list(problems, "groups", groups, provider_);
  check_each_version(problems, settings, "groups", groups,
                     [](ProtocolVersion version) { return lockstep::groups(version); });

  check_finite_fields(problems, settings, dhe, groups, provider_);

  if (client && settings.speaks(ProtocolVersion::tls_1_3)) {
    if (key_shares_) {
      settings.key_shares = *key_shares_;
      for (auto share = settings.key_shares.begin(); share != settings.key_shares.end(); ++share) {
        if (std::find(settings.key_shares.begin(), share, *share) != share) {
          complain("key_shares", quoted(*share) + " is listed twice; remove one");
        } else if (as_listed(*share) != *share) {
          complain("key_shares",
                   quoted(*share) + " is not for TLSv1.3, whose name for it is " + quoted(as_listed(*share)));
        } else if (std::ranges::find(groups, *share) == groups.end()) {
          complain("key_shares", quoted(*share) + " is not among the groups; add it there too");
        }
      }
    } else {
      for (const bool post_quantum : {true, false}) {
        const auto found = std::ranges::find_if(
            groups, [&](NamedGroup id) { return is_post_quantum(id) == post_quantum && as_listed(id) == id; });
        if (found != groups.end()) settings.key_shares.push_back(*found);
      }
    }
    // RFC 9846 4.3.8: "Each KeyShareEntry value MUST correspond to a group offered in the "supported_groups" extension
    // and MUST appear in the same order."
    std::ranges::sort(settings.key_shares, {}, [&](NamedGroup id) { return std::ranges::find(groups, id); });
  }

  const auto known = secure_schemes();
  settings.schemes = schemes_ ? *schemes_ : available<SignatureScheme>(known, provider_, settings.profile);
  const auto for_handshake = [&](SignatureScheme scheme) {
    return std::ranges::any_of(lockstep::versions(), [&](ProtocolVersion version) {
      return settings.speaks(version) && contains(lockstep::schemes(version), scheme);
    });
  };
  if (!schemes_) std::erase_if(settings.schemes, std::not_fn(for_handshake));
  settings.schemes_cert =
      schemes_cert_ ? *schemes_cert_ : available<SignatureScheme>(known, provider_, settings.profile);
  settings.signing_schemes = signing_schemes_.value_or(std::vector<SignatureScheme>());
  settings.server_preference_of_groups = server_preference_of_groups_.value_or(settings.server_preference);
  check_list(problems, "schemes", settings.schemes, provider_);
  if (schemes_cert_) check_list(problems, "schemes_cert", settings.schemes_cert, provider_);
  if (signing_schemes_) check_list(problems, "signing_schemes", settings.signing_schemes, provider_);
  const auto check_for_handshake = [&](const char* setting, const std::vector<SignatureScheme>& schemes) {
    for (const SignatureScheme scheme : schemes) {
      if (parts(scheme) && !for_handshake(scheme))
        complain(setting, quoted(scheme) + " is for certificates only in " + quoted(settings.max_version) +
                              "; move it to schemes_cert");
    }
  };
  check_for_handshake("schemes", settings.schemes);
  check_each_version(problems, settings, "schemes", settings.schemes,
                     [](ProtocolVersion version) { return lockstep::schemes(version); });
  check_for_handshake("signing_schemes", settings.signing_schemes);

  if (settings.profile != Profile::none) {
    ProfileChecks checks(problems, settings);
    checks.list("suites", suites_);
    checks.list("groups", groups_);
    checks.list("schemes", schemes_);
    checks.list("signing_schemes", signing_schemes_);
    checks.list("schemes_cert", schemes_cert_);
    checks.rest(prefer_chacha20_);
  }

  check_protocols(problems, "alpn", settings.alpn);
  check_protocols(problems, "next_protocols", settings.next_protocols);
  if (!settings.next_protocols.empty() && !settings.speaks(ProtocolVersion::tls_1_2))
    complain("next_protocols", "TLSv1.3 has ALPN alone; allow TLSv1.2, or remove the setting");

  check_certificate_codecs(problems, settings);
  check_authorities(problems, settings.certificate_authorities);
  prepare_peers(problems, settings, provider_, known_peers_);
  if (!client && settings.client_auth == ClientAuth::none && settings.renegotiation == Renegotiation::never) {
    if (!settings.certificate_authorities.empty())
      complain("certificate_authorities", "this server asks for no certificate; set client_auth, or remove the names");
    if (settings.ocsp_stapling)
      complain("ocsp_stapling", "this server asks for no certificate to staple to; set client_auth, or remove it");
    if (settings.signed_certificate_timestamps)
      complain("signed_certificate_timestamps",
               "this server asks for no certificate to have timestamps; set client_auth, or remove it");
  }
  if (settings.ticket_lifetime == 0 || settings.ticket_lifetime > kMaxTicketLifetime.count())
    complain("tickets",
             "a ticket lives 1 to " + std::to_string(kMaxTicketLifetime.count()) + " seconds (RFC 9846 4.7.1)");
  if (session_context_) {
    settings.session_context = *session_context_;
    if (session_context_->empty() || session_context_->size() > kMaxSessionContext)
      complain("session_context", "a context has 1 to 255 bytes; leave the setting out for the digest of the settings");
  }
  if (max_authentication_age_) {
    if (*max_authentication_age_ < std::chrono::seconds(1) || *max_authentication_age_ > kMaxAuthenticationAge) {
      complain("max_authentication_age", "an authentication is good for 1 to 604800 seconds");
    } else {
      settings.max_authentication_age = static_cast<std::uint32_t>(max_authentication_age_->count());
    }
  }
  if (settings.ticket_count > kMaxTickets)
    complain("tickets", "a handshake brings at most " + std::to_string(kMaxTickets) + " tickets; ask for fewer");
  if (settings.tickets_without_modes && (!settings.send_tickets || !settings.resumption))
    complain("tickets_without_modes", "this server sends no tickets to anybody; let it, or remove the setting");
  if (settings.early_data > kMaxEarlyData)
    complain("early_data",
             "at most " + std::to_string(kMaxEarlyData) + " bytes, which have to be skipped when not taken");
  if (settings.early_data_tolerance > kMaxEarlyDataTolerance.count())
    complain("early_data", "ages may be off by 0 to 600 seconds; a replay has to be recognised for so long");
  if (settings.session_ids && (!settings.resumption || !settings.speaks(ProtocolVersion::tls_1_2)))
    complain("session_ids", "nothing is resumed by an id here; allow resumption and TLSv1.2, or remove the setting");
  if (settings.renegotiation != Renegotiation::never && !settings.speaks(ProtocolVersion::tls_1_2))
    complain("renegotiation", "TLS 1.3 has none; allow TLSv1.2, or remove the setting");
  if (settings.renegotiation_ends && !settings.speaks(ProtocolVersion::tls_1_2))
    complain("renegotiation_ends_connection", "TLS 1.3 has none; allow TLSv1.2, or remove the setting");
  if (settings.renegotiation_limit == 0 || settings.renegotiation_limit > kMaxRenegotiations)
    complain("renegotiation_limit", "a peer may begin 1 to 100 renegotiations; `renegotiation` says whether any");
  if (renegotiation_window_) {
    if (*renegotiation_window_ < std::chrono::seconds(1) || *renegotiation_window_ > kMaxRenegotiationWindow) {
      complain("renegotiation_limit", "renegotiations are counted over 1 to 86400 seconds");
    } else {
      settings.renegotiation_window = static_cast<std::uint32_t>(renegotiation_window_->count());
    }
  }
  if (settings.psk_identity_hint.size() > kMaxPskIdentityHint)
    complain("psk_identity_hint", "a hint has at most " + std::to_string(kMaxPskIdentityHint) + " bytes; shorten it");
  if (!client && (!settings.psk_identity_hint.empty() || settings.tell_unknown_psk) &&
      std::ranges::none_of(suites, uses_psk) &&
      (!settings.psk_identity_hint.empty() || settings.external_psks == ExternalPsks::none))
    complain(settings.psk_identity_hint.empty() ? "tell_unknown_psk" : "psk_identity_hint",
             "no suite with a pre-shared key is named; name one in suites, or remove the setting");
  if (settings.client_auth == ClientAuth::require && !suites.empty() && std::ranges::all_of(suites, uses_psk))
    complain("client_auth",
             "with these suites clients show a pre-shared key and no certificate; name others, or do "
             "not require one");
  if (settings.external_psks != ExternalPsks::none && !settings.speaks(ProtocolVersion::tls_1_3))
    complain("external_psks", "TLS 1.2 has suites for them; allow TLSv1.3, or name such suites");
  if (settings.external_psks != ExternalPsks::none && settings.client_auth == ClientAuth::require)
    complain("external_psks", "with a pre-shared key a client shows no certificate; do not require one");
  // Else whoever is between could have the handshake fall back to certificates.
  if (settings.external_psks == ExternalPsks::require && settings.speaks(ProtocolVersion::tls_1_2) &&
      std::ranges::any_of(
          suites, [](CipherSuite suite) { return of_version(suite, ProtocolVersion::tls_1_2) && !uses_psk(suite); }))
    complain("external_psks",
             "pre-shared keys are required, and TLSv1.2 does without; name suites for them, or allow TLSv1.3 alone");
  if (settings.psk_without_dhe != PskWithoutDhe::never &&
      (!settings.speaks(ProtocolVersion::tls_1_3) ||
       (!settings.resumption && settings.external_psks == ExternalPsks::none)))
    complain("psk_without_dhe", "TLSv1.3 has no pre-shared keys here; allow resumption or external PSKs in TLSv1.3");
  if (settings.ticket_request && (!settings.resumption || !settings.speaks(ProtocolVersion::tls_1_3)))
    complain("ticket_request", "no tickets of TLSv1.3 are used here; allow both, or remove the setting");
  if (settings.max_requested_tickets > kMaxTickets)
    complain("max_requested_tickets", "a handshake brings at most " + std::to_string(kMaxTickets) + " tickets");
  if (settings.max_requested_tickets != 0 && (!settings.send_tickets || !settings.resumption))
    complain("max_requested_tickets", "this server sends no tickets to anybody; let it, or remove the setting");
  if (settings.verify_on_resumption && !settings.resumption)
    complain("verify_on_resumption", "nothing is resumed here; allow resumption, or remove the setting");
  if (settings.early_data != 0 && !settings.resumption)
    complain("early_data",
             "early data needs a session to resume (RFC 9846 2.3); allow resumption, or remove the setting");
  if (settings.early_data != 0 && !client && !settings.send_tickets)
    complain("early_data", "a server without tickets gets no early data; let it send some, or remove the setting");
  if (settings.max_send_fragment < kMinSendFragment || settings.max_send_fragment > kMaxSendFragment)
    complain("max_send_fragment", "a fragment has 64 to 16384 bytes");
  if (settings.false_start && !settings.speaks(ProtocolVersion::tls_1_2))
    complain("false_start", "TLSv1.3 sends no earlier than it does anyway; allow TLSv1.2, or remove the setting");
  if (settings.false_start_without_alpn && !settings.false_start)
    complain("allow_false_start_without_alpn", "nothing is sent early here; set false_start, or remove the setting");
  const std::uint16_t most = settings.speaks(ProtocolVersion::tls_1_3) ? kMaxSendFragment + 1 : kMaxSendFragment;
  if (settings.record_size_limit != 0 &&
      (settings.record_size_limit < kMinSendFragment || settings.record_size_limit > most))
    complain("record_size_limit", "a limit has 64 to " + std::to_string(most) + " bytes (RFC 8449 4); 0 asks for none");
  if (settings.max_fragment_length != 0 && (!std::has_single_bit(settings.max_fragment_length) ||
                                            settings.max_fragment_length < 512 || settings.max_fragment_length > 4096))
    complain("max_fragment_length", "RFC 6066 4 has 512, 1024, 2048 and 4096 bytes; 0 asks for none");
  if (settings.key_update_bytes < kMaxSendFragment)
    complain("key_update_after", "a key serves at least one full record: 16384 bytes or more");
  if (settings.max_handshake_message < kMinHandshakeMessage || settings.max_handshake_message > kMaxHandshakeMessage)
    complain("max_handshake_message", "a bound of 4096 to 16777215 bytes is needed");
  // A message that comes in many records is moved as it grows: see Inbox.
  const bool usual = settings.max_handshake_message <= kDefaultMaxHandshakeMessage;
  settings.handshake_memory =
      handshake_memory_.value_or(usual ? kDefaultHandshakeMemory : 3 * settings.max_handshake_message);
  if (settings.handshake_memory < settings.max_handshake_message + 16384)
    complain("handshake_memory", "must exceed max_handshake_message by at least 16384 bytes, for our own messages");

  if (!problems.empty()) return std::unexpected(std::move(problems));
  std::ranges::transform(suites, std::back_inserter(settings.suites = {}), [&](CipherSuite id) {
    BoundSuite suite = bind(id, provider_);
    suite.rank = rank_of(id, suites, settings.equal_suites);
    return suite;
  });
  std::ranges::transform(groups, std::back_inserter(settings.groups = {}),
                         [&](NamedGroup id) { return bind(id, provider_); });
  const auto context = context_of(settings, provider_);
  if (!context) {
    complain("provider", "provider '" + std::string(provider_.name) + "' cannot hash; choose one that can");
    return std::unexpected(std::move(problems));
  }
  return Checked{.settings = std::move(settings), .context = *context};
}

}  // namespace lockstep
