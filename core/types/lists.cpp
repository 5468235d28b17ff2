#include <array>
#include <functional>
#include <optional>

#include <lockstep/version.hpp>

#include "types/list_words.hpp"

namespace lockstep {
namespace {

// What is offered when nobody says otherwise: what the wide world speaks, the post-quantum hybrid first. Everything
// else is opt-in, so that a ClientHello stays small and no curve is offered that nobody asked for.
constexpr std::array kDefaultSuites{CipherSuite::tls_aes_128_gcm_sha256,
                                    CipherSuite::tls_aes_256_gcm_sha384,
                                    CipherSuite::tls_chacha20_poly1305_sha256,
                                    CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256,
                                    CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256,
                                    CipherSuite::tls_ecdhe_ecdsa_with_aes_256_gcm_sha384,
                                    CipherSuite::tls_ecdhe_rsa_with_aes_256_gcm_sha384,
                                    CipherSuite::tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256,
                                    CipherSuite::tls_ecdhe_rsa_with_chacha20_poly1305_sha256};
constexpr std::array kDefaultGroups{NamedGroup::x25519mlkem768, NamedGroup::x25519,    NamedGroup::secp256r1,
                                    NamedGroup::secp384r1,      NamedGroup::secp521r1, NamedGroup::x448};

constexpr std::array kVersions{ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_2};

/// The lists of every version; what one of them can use is chosen from them.
template <class Id>
struct Kind {
  std::span<const Id> all;
  std::span<const Id> by_default;
  bool (*insecure)(Id) noexcept;
};

bool usable(CipherSuite suite, ProtocolVersion version) noexcept { return parts(suite)->version == version; }

// Hybrids and ML-KEM need key shares of two different sizes, and brainpool's code points for TLS 1.2 are others.
bool usable(NamedGroup group, ProtocolVersion version) noexcept {
  if (version == ProtocolVersion::tls_1_3) return as_listed(group) == group;
  switch (group) {
    case NamedGroup::mlkem512:
    case NamedGroup::mlkem768:
    case NamedGroup::mlkem1024:
    case NamedGroup::brainpoolP256r1tls13:
    case NamedGroup::brainpoolP384r1tls13:
    case NamedGroup::brainpoolP512r1tls13: return false;
    default: return !parts(group);
  }
}

// PKCS#1 signs handshakes in TLS 1.2 alone, ML-DSA and what brainpool has for TLS 1.3 in TLS 1.3 alone.
bool usable(SignatureScheme scheme, ProtocolVersion version) noexcept {
  if (version == ProtocolVersion::tls_1_3) return !parts(scheme)->certificates_only;
  switch (parts(scheme)->key) {
    case KeyType::mldsa44:
    case KeyType::mldsa65:
    case KeyType::mldsa87:
    case KeyType::ec_brainpoolP256r1:
    case KeyType::ec_brainpoolP384r1:
    case KeyType::ec_brainpoolP512r1: return false;
    default: return true;
  }
}

template <class Id>
std::vector<Id> choose(const Kind<Id>& lists, ProtocolVersion version, ListKind kind) {
  if (std::ranges::find(kVersions, version) == kVersions.end()) return {};
  const auto copy = [&](std::span<const Id> list) {
    return filter(std::vector<Id>(list.begin(), list.end()), [&](Id id) { return usable(id, version); });
  };
  switch (kind) {
    case ListKind::all: return copy(lists.all);
    case ListKind::by_default: return copy(lists.by_default);
    case ListKind::opt_in:
      return filter(copy(lists.all),
                    [&](Id id) { return std::ranges::find(lists.by_default, id) == lists.by_default.end(); });
    case ListKind::insecure:
      return filter(copy(lists.all), [&](Id id) { return lists.insecure != nullptr && lists.insecure(id); });
    case ListKind::anonymous: break;
  }
  return {};
}

template <class Id>
std::expected<std::vector<Id>, ListError> parse(std::string_view text,
                                                std::optional<Id> (*from_name)(std::string_view) noexcept,
                                                const std::vector<Id>& defaults, std::span<const Id> known) {
  std::vector<Id> list;
  for (std::string_view word : words_of(text)) {
    if (is_word(word, "DEFAULT") || is_word(word, "AUTO") || is_word(word, "ALL")) {
      list = prepend(std::move(list), is_word(word, "ALL") ? known : std::span<const Id>(defaults));
      continue;
    }
    const bool remove = word.starts_with('-');
    const auto id = from_name(remove ? word.substr(1) : word);
    if (!id) {
      ListError error{std::string(word), "DEFAULT, ALL"};
      for (const Id each : known) error.known += ", " + std::string(name(each));
      return std::unexpected(std::move(error));
    }
    if (remove) {
      std::erase(list, *id);
    } else if (std::ranges::find(list, *id) == list.end()) {
      list.push_back(*id);
    }
  }
  return list;
}

}  // namespace

std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view kSeparators = ":,; \t\r\n";
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t start = text.find_first_not_of(kSeparators);
    if (start == std::string_view::npos) return words;
    text.remove_prefix(start);
    const std::size_t end = std::min(text.find_first_of(kSeparators), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

bool is_word(std::string_view text, std::string_view word) noexcept {
  const auto upper = [](char letter) {
    return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
  };
  return std::ranges::equal(text, word, {}, upper, upper);
}

std::vector<CipherSuite> suites(ProtocolVersion version, ListKind kind) {
  std::span<const CipherSuite> defaults = kDefaultSuites;
#ifdef LOCKSTEP_DEFAULT_SUITES
  // What whoever builds the library wants instead, for the versions of which it names suites; a mistake in it shows in
  // the first test that runs.
  static const std::vector<CipherSuite> wanted =
      parse_suites(LOCKSTEP_DEFAULT_SUITES, kDefaultSuites).value_or(std::vector<CipherSuite>());
  if (std::ranges::any_of(wanted, [&](CipherSuite suite) { return usable(suite, version); })) defaults = wanted;
#endif
  return choose<CipherSuite>({known_suites(), defaults, is_insecure}, version, kind);
}

std::vector<NamedGroup> groups(ProtocolVersion version, ListKind kind) {
  return choose<NamedGroup>({known_groups(), kDefaultGroups, nullptr}, version, kind);
}

std::vector<SignatureScheme> schemes(ProtocolVersion version, ListKind kind) {
  return choose<SignatureScheme>({known_schemes(), secure_schemes(), is_insecure}, version, kind);
}

std::string_view library_version() noexcept { return LOCKSTEP_VERSION; }

std::vector<ProtocolVersion> versions() { return {kVersions.begin(), kVersions.end()}; }

std::expected<std::vector<NamedGroup>, ListError> groups_from_text(std::string_view text) {
  return parse<NamedGroup>(text, group_from_name, groups(ProtocolVersion::tls_1_3, ListKind::by_default),
                           known_groups());
}

std::expected<std::vector<SignatureScheme>, ListError> schemes_from_text(std::string_view text) {
  return parse<SignatureScheme>(text, scheme_from_name, schemes(ProtocolVersion::tls_1_3, ListKind::by_default),
                                secure_schemes());
}

std::string ListError::text() const { return "'" + item + "' is not known; use one of: " + known; }

}  // namespace lockstep
