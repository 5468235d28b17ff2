// Lists of suites as text, in the grammar of OpenSSL's "openssl ciphers".

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <optional>
#include <string>

#include "types/list_words.hpp"

namespace lockstep {
namespace {

using Suites = std::vector<CipherSuite>;

bool is_psk(const SuiteParts& suite) noexcept {
  switch (suite.key_exchange) {
    case KeyExchangeMethod::psk:
    case KeyExchangeMethod::dhe_psk:
    case KeyExchangeMethod::ecdhe_psk:
    case KeyExchangeMethod::rsa_psk: return true;
    default: return false;
  }
}

bool is_ec(const SuiteParts& suite) noexcept {
  return suite.key_exchange == KeyExchangeMethod::ecdhe || suite.key_exchange == KeyExchangeMethod::ecdhe_psk;
}

bool is_forward_secret(const SuiteParts& suite) noexcept {
  return suite.key_exchange != KeyExchangeMethod::rsa && suite.key_exchange != KeyExchangeMethod::psk &&
         suite.key_exchange != KeyExchangeMethod::rsa_psk;
}

bool is_sha1(const SuiteParts& suite) noexcept { return suite.cbc && suite.cbc->mac == MacAlgorithm::hmac_sha1; }

bool is_short_tag(const SuiteParts& suite) noexcept {
  return suite.aead == AeadAlgorithm::aes_128_ccm_8 || suite.aead == AeadAlgorithm::aes_256_ccm_8;
}

bool is_ccm(const SuiteParts& suite) noexcept {
  return suite.aead == AeadAlgorithm::aes_128_ccm || suite.aead == AeadAlgorithm::aes_256_ccm || is_short_tag(suite);
}

bool is_gcm(const SuiteParts& suite) noexcept {
  return suite.aead == AeadAlgorithm::aes_128_gcm || suite.aead == AeadAlgorithm::aes_256_gcm;
}

bool is_chacha20(const SuiteParts& suite) noexcept { return suite.aead == AeadAlgorithm::chacha20_poly1305; }

bool is_aes_128(const SuiteParts& suite) noexcept {
  return suite.aead == AeadAlgorithm::aes_128_gcm || suite.aead == AeadAlgorithm::aes_128_ccm ||
         suite.aead == AeadAlgorithm::aes_128_ccm_8 || (suite.cbc && suite.cbc->cipher == CbcAlgorithm::aes_128_cbc);
}

/// OpenSSL counts a tag of 8 bytes as what it is worth.
int strength_bits(const SuiteParts& suite) noexcept {
  if (is_short_tag(suite)) return 64;
  return is_aes_128(suite) ? 128 : 256;
}

template <KeyExchangeMethod method>
bool has(const SuiteParts& suite) noexcept {
  return suite.key_exchange == method;
}

template <SuiteAuthentication authentication>
bool has(const SuiteParts& suite) noexcept {
  return suite.authentication == authentication;
}

template <MacAlgorithm mac>
bool has(const SuiteParts& suite) noexcept {
  return suite.cbc && suite.cbc->mac == mac;
}

bool none(const SuiteParts& /*suite*/) noexcept { return false; }

struct Word {
  std::string_view text;
  bool (*matches)(const SuiteParts&) noexcept;
};

/// What chooses among the suites of TLS 1.2.
constexpr std::array kWords{
    Word{"HIGH", [](const SuiteParts& suite) noexcept { return !is_short_tag(suite); }},
    Word{"MEDIUM", is_short_tag},
    Word{"kECDHE", has<KeyExchangeMethod::ecdhe>},
    Word{"kEECDH", has<KeyExchangeMethod::ecdhe>},
    Word{"ECDHE", has<KeyExchangeMethod::ecdhe>},
    Word{"EECDH", has<KeyExchangeMethod::ecdhe>},
    Word{"ECDH", has<KeyExchangeMethod::ecdhe>},
    Word{"kDHE", has<KeyExchangeMethod::dhe>},
    Word{"kEDH", has<KeyExchangeMethod::dhe>},
    Word{"DHE", has<KeyExchangeMethod::dhe>},
    Word{"EDH", has<KeyExchangeMethod::dhe>},
    Word{"DH", has<KeyExchangeMethod::dhe>},
    Word{"kRSA", has<KeyExchangeMethod::rsa>},
    Word{"RSA", has<KeyExchangeMethod::rsa>},
    Word{"kPSK", has<KeyExchangeMethod::psk>},
    Word{"kDHEPSK", has<KeyExchangeMethod::dhe_psk>},
    Word{"kECDHEPSK", has<KeyExchangeMethod::ecdhe_psk>},
    Word{"kRSAPSK", has<KeyExchangeMethod::rsa_psk>},
    Word{"PSK", is_psk},
    Word{"aRSA", has<SuiteAuthentication::rsa>},
    Word{"aECDSA", has<SuiteAuthentication::ecdsa>},
    Word{"ECDSA", has<SuiteAuthentication::ecdsa>},
    Word{"aPSK", has<SuiteAuthentication::psk>},
    Word{"AES", [](const SuiteParts& suite) noexcept { return !is_chacha20(suite); }},
    Word{"AES128", is_aes_128},
    Word{"AES256", [](const SuiteParts& suite) noexcept { return !is_aes_128(suite) && !is_chacha20(suite); }},
    Word{"AESGCM", is_gcm},
    Word{"AESCCM", is_ccm},
    Word{"AESCCM8", is_short_tag},
    Word{"CHACHA20", is_chacha20},
    Word{"CBC", [](const SuiteParts& suite) noexcept { return suite.cbc.has_value(); }},
    Word{"SHA", is_sha1},
    Word{"SHA1", is_sha1},
    Word{"SHA256", has<MacAlgorithm::hmac_sha256>},
    Word{"SHA384", has<MacAlgorithm::hmac_sha384>},
    Word{"TLSv1.2",
         [](const SuiteParts& suite) noexcept { return oldest_version(suite.suite) == ProtocolVersion::tls_1_2; }},
    // OpenSSL keeps apart what is as old as SSL 3.0 and what TLS 1.0 could have first.
    Word{"TLSv1",
         [](const SuiteParts& suite) noexcept {
           return oldest_version(suite.suite) != ProtocolVersion::tls_1_2 && (is_ec(suite) || !is_sha1(suite));
         }},
    Word{"SSLv3", [](const SuiteParts& suite) noexcept { return is_sha1(suite) && !is_ec(suite); }},
    // What lists exclude for safety, and nobody can have here.
    Word{"COMPLEMENTOFALL", none},
    Word{"aNULL", none},
    Word{"eNULL", none},
    Word{"NULL", none},
    Word{"ADH", none},
    Word{"AECDH", none},
    Word{"LOW", none},
    Word{"EXP", none},
    Word{"EXPORT", none},
    Word{"MD5", none},
    Word{"RC2", none},
    Word{"RC4", none},
    Word{"DES", none},
    Word{"3DES", none},
    Word{"IDEA", none},
    Word{"SEED", none},
    Word{"CAMELLIA", none},
    Word{"CAMELLIA128", none},
    Word{"CAMELLIA256", none},
    Word{"ARIA", none},
    Word{"ARIA128", none},
    Word{"ARIA256", none},
    Word{"ARIAGCM", none},
    Word{"DSS", none},
    Word{"aDSS", none},
    Word{"aDH", none},
    Word{"aECDH", none},
    Word{"kDHr", none},
    Word{"kDHd", none},
    Word{"kDH", none},
    Word{"kECDHr", none},
    Word{"kECDH", none},
    Word{"SRP", none},
    Word{"kSRP", none},
    Word{"aSRP", none},
    Word{"kGOST", none},
    Word{"aGOST", none},
    Word{"GOST94", none},
    Word{"GOST89MAC", none},
};

constexpr std::string_view kTls13Word = "TLSv1.3";

bool contains(std::span<const CipherSuite> list, CipherSuite suite) noexcept {
  return std::ranges::find(list, suite) != list.end();
}

bool is_tls13(CipherSuite suite) noexcept { return parts(suite)->version == ProtocolVersion::tls_1_3; }

enum class Operation : char { add = ' ', move_to_end = '+', remove = '-', forbid = '!' };

struct Step {
  Operation operation;
  Suites matches;
  bool one_rank = false;
};

class SuiteList {
 public:
  explicit SuiteList(Suites begin) : list_(std::move(begin)) {}

  void apply(const Step& step) {
    const auto matched = [&](CipherSuite suite) { return contains(step.matches, suite); };
    switch (step.operation) {
      case Operation::add: add(step); break;
      case Operation::move_to_end: std::ranges::stable_partition(list_, std::not_fn(matched)); break;
      case Operation::remove: std::erase_if(list_, matched); break;
      case Operation::forbid:
        std::erase_if(list_, matched);
        forbidden_.insert(forbidden_.end(), step.matches.begin(), step.matches.end());
        break;
    }
  }

  void sort_by_strength() {
    std::ranges::stable_sort(list_, std::greater(),
                             [](CipherSuite suite) { return strength_bits(parts(suite).value()); });
  }

  void restrict_to(int security_level) {
    std::erase_if(list_,
                  [&](CipherSuite suite) { return !meets_security_level(parts(suite).value(), security_level); });
  }

  [[nodiscard]] RankedSuites take() const {
    RankedSuites ranks;
    for (const CipherSuite suite : list_) {
      if (ranks.empty() || !of_one_rank(ranks.back().front(), suite)) ranks.emplace_back();
      ranks.back().push_back(suite);
    }
    return ranks;
  }

 private:
  void add(const Step& step) {
    const auto added = filter(
        step.matches, [&](CipherSuite suite) { return !contains(list_, suite) && !contains(forbidden_, suite); });
    list_.insert(list_.end(), added.begin(), added.end());
    if (step.one_rank) ranks_.push_back(added);
  }

  [[nodiscard]] bool of_one_rank(CipherSuite one, CipherSuite other) const {
    return std::ranges::any_of(ranks_,
                               [&](const Suites& rank) { return contains(rank, one) && contains(rank, other); });
  }

  /// SSL_CTX_set_security_level(3), as far as it concerns suites.
  static bool meets_security_level(const SuiteParts& suite, int level) noexcept {
    constexpr std::array kLeastBits{0, 80, 112, 128, 192, 256};
    constexpr int kForwardSecrecy = 3;
    constexpr int kNoSha1 = 4;
    return strength_bits(suite) >= kLeastBits[static_cast<std::size_t>(level)] &&
           (level < kForwardSecrecy || is_forward_secret(suite)) && (level < kNoSha1 || !is_sha1(suite));
  }

  Suites list_;
  Suites forbidden_;
  RankedSuites ranks_;  // of more than one suite
};

/// Whether a list may have ranks of several suites.
enum class Brackets : std::uint8_t { refused, read };

class SuiteText {
 public:
  SuiteText(std::span<const CipherSuite> defaults, Brackets brackets) : defaults_(defaults), brackets_(brackets) {}

  std::expected<RankedSuites, ListError> parse(std::string_view text) {
    for (const std::string_view item : words_of(text)) {
      // A command may follow what it is about without a separator: "DEFAULT@SECLEVEL=2".
      std::string_view rest = item;
      while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('@', 1), rest.size());
        const std::string_view word = rest.substr(0, end);
        if (!(word.starts_with('@') ? read_command(word) : read_step(word))) return std::unexpected(unknown(word));
        rest.remove_prefix(end);
      }
    }
    SuiteList list = start();
    for (const std::optional<Step>& step : steps_) {
      if (step) {
        list.apply(*step);
      } else {
        list.sort_by_strength();
      }
    }
    list.restrict_to(security_level_);
    return list.take();
  }

 private:
  bool read_command(std::string_view word) {
    constexpr std::string_view kLevel = "@SECLEVEL=";
    if (is_word(word, "@STRENGTH")) {
      if (has_ranks()) return false;
      steps_.emplace_back(std::nullopt);
      return true;
    }
    if (word.size() != kLevel.size() + 1 || !is_word(word.substr(0, kLevel.size()), kLevel)) return false;
    const char level = word.back();
    if (level < '0' || level > '5') return false;
    security_level_ = level - '0';
    return true;
  }

  bool read_step(std::string_view word) {
    if (word.starts_with('[')) return brackets_ == Brackets::read && word.ends_with(']') && read_rank(word);
    Step step{Operation::add, {}};
    for (const Operation operation : {Operation::move_to_end, Operation::remove, Operation::forbid}) {
      if (word.starts_with(static_cast<char>(operation))) step.operation = operation;
    }
    if (step.operation != Operation::add) {
      if (has_ranks()) return false;
      word.remove_prefix(1);
    }
    auto matches = matches_of_all(word);
    if (!matches) return false;
    step.matches = *std::move(matches);
    steps_.emplace_back(std::move(step));
    return true;
  }

  /// What stands in brackets, between '|'.
  bool read_rank(std::string_view word) {
    Step step{.operation = Operation::add, .matches = {}, .one_rank = true};
    word = word.substr(1, word.size() - 2);
    while (true) {
      const std::size_t bar = std::min(word.find('|'), word.size());
      const auto matches = matches_of_all(word.substr(0, bar));
      if (!matches) return false;
      step.matches = prepend<CipherSuite>(std::move(step.matches), *matches);
      if (bar == word.size()) break;
      word.remove_prefix(bar + 1);
    }
    steps_.emplace_back(std::move(step));
    return true;
  }

  bool has_ranks() const {
    return std::ranges::any_of(steps_, [](const auto& step) { return step && step->one_rank; });
  }

  /// Those that are in each of the terms between '+'.
  std::optional<Suites> matches_of_all(std::string_view word) const {
    std::optional<Suites> matches;
    while (true) {
      const std::size_t plus = std::min(word.find('+'), word.size());
      const std::optional<Suites> term = matches_of(word.substr(0, plus));
      if (!term) return std::nullopt;
      if (matches) {
        std::erase_if(*matches, [&](CipherSuite suite) { return !contains(*term, suite); });
      } else {
        matches = term;
      }
      if (plus == word.size()) return matches;
      word.remove_prefix(plus + 1);
    }
  }

  std::optional<Suites> matches_of(std::string_view term) const {
    const auto known = known_suites();
    const Suites all(known.begin(), known.end());
    if (is_word(term, "ALL")) return all;
    if (is_word(term, "DEFAULT")) return Suites(defaults_.begin(), defaults_.end());
    if (is_word(term, "COMPLEMENTOFDEFAULT"))
      return filter(all, [&](CipherSuite suite) { return !contains(defaults_, suite); });
    if (is_word(term, kTls13Word)) return filter(all, is_tls13);
    if (const auto suite = suite_from_name(term)) return parts(*suite) ? std::optional(Suites{*suite}) : std::nullopt;
    const auto word = std::ranges::find_if(kWords, [&](const Word& each) { return is_word(term, each.text); });
    if (word == kWords.end()) return std::nullopt;
    return filter(all, [&](CipherSuite suite) { return !is_tls13(suite) && word->matches(parts(suite).value()); });
  }

  /// OpenSSL's lists say nothing of TLS 1.3, which has its suites all the same: where nothing adds one, the defaults of
  /// TLS 1.3 are there to begin with.
  SuiteList start() const {
    bool adds = false;
    bool adds_tls13 = false;
    for (const std::optional<Step>& step : steps_) {
      if (!step || step->operation != Operation::add) continue;
      adds = true;
      adds_tls13 |= std::ranges::any_of(step->matches, is_tls13);
    }
    Suites begin;
    if (adds && !adds_tls13) std::ranges::copy_if(defaults_, std::back_inserter(begin), is_tls13);
    return SuiteList(std::move(begin));
  }

  ListError unknown(std::string_view word) const {
    ListError error{std::string(word),
                    "DEFAULT, ALL, HIGH, ECDHE, aRSA, aECDSA, AESGCM, CHACHA20, AES128, AES256, "
                    "TLSv1.3, TLSv1.2 and their like, several joined by '+', @STRENGTH, "
                    "@SECLEVEL=0 to 5, or suites by name, such as "};
    if (brackets_ == Brackets::read) error.known.insert(0, "[ECDHE|DHE] and its like, behind which words only add, ");
    for (const CipherSuite suite : defaults_)
      error.known += (suite == defaults_.front() ? "" : ", ") + std::string(name(suite));
    return error;
  }

  std::span<const CipherSuite> defaults_;
  Brackets brackets_;
  std::vector<std::optional<Step>> steps_;  // nothing: @STRENGTH
  int security_level_ = 0;
};

Suites default_suites() {
  Suites defaults;
  for (const ProtocolVersion version : versions())
    std::ranges::copy(suites(version, ListKind::by_default), std::back_inserter(defaults));
  return defaults;
}

}  // namespace

std::expected<std::vector<CipherSuite>, ListError> parse_suites(std::string_view text,
                                                                std::span<const CipherSuite> defaults) {
  auto ranks = SuiteText(defaults, Brackets::refused).parse(text);
  if (!ranks) return std::unexpected(std::move(ranks.error()));
  Suites list;
  for (const Suites& rank : *ranks) list.push_back(rank.front());
  return list;
}

std::expected<std::vector<CipherSuite>, ListError> suites_from_text(std::string_view text) {
  return parse_suites(text, default_suites());
}

std::expected<RankedSuites, ListError> ranked_suites_from_text(std::string_view text) {
  const Suites defaults = default_suites();
  return SuiteText(defaults, Brackets::read).parse(text);
}

}  // namespace lockstep
