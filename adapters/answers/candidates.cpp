#include "answers/candidates.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>

namespace lockstep {

namespace {

using Set = std::uint64_t;

/// What is kept of a list of schemes: which they are, by their place in known_schemes, and the algorithms that they
/// verify with. Those that nobody here knows are in no set: nothing signs with them.
struct Schemes {
  Set schemes = 0;
  Set algorithms = 0;
};

Set bit(SignatureAlgorithm algorithm) { return Set{1} << static_cast<unsigned>(algorithm); }
/// In no peer's set.
constexpr Set kUnknownAlgorithm = Set{1} << 63U;

/// Sorted by scheme.
struct KnownScheme {
  SignatureScheme scheme;
  Schemes sets;
};
std::span<const KnownScheme> sorted_schemes() {
  static const std::vector<KnownScheme> kSorted = [] {
    std::vector<KnownScheme> list;
    for (const SignatureScheme scheme : known_schemes()) {
      const auto scheme_parts = parts(scheme);
      list.push_back({scheme, {Set{1} << list.size(), scheme_parts ? bit(scheme_parts->algorithm) : 0}});
    }
    std::ranges::sort(list, {}, &KnownScheme::scheme);
    return list;
  }();
  return kSorted;
}

Schemes sets_of(std::span<const SignatureScheme> list) {
  const auto known = sorted_schemes();
  Schemes sets;
  for (const SignatureScheme scheme : list) {
    const auto found = std::ranges::lower_bound(known, scheme, {}, &KnownScheme::scheme);
    if (found == known.end() || found->scheme != scheme) continue;
    sets.schemes |= found->sets.schemes;
    sets.algorithms |= found->sets.algorithms;
  }
  return sets;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

/// As many as can be read.
std::string names_text(std::span<const Bytes> names) {
  constexpr std::size_t kNamed = 3;
  std::string text;
  for (const Bytes der : names.first(std::min(names.size(), kNamed))) {
    const auto name = x509::DistinguishedName::parse(der);
    text += (text.empty() ? "" : " or ") + (name ? name->text() : "a name that cannot be read");
  }
  if (names.size() > kNamed) text += " or " + std::to_string(names.size() - kNamed) + " others";
  return text;
}

}  // namespace

Candidates::Candidates(std::span<const std::shared_ptr<const Credential>> credentials,
                       const x509::TrustAnchors* anchors) {
  // Of those alike the first is always as good as the others.
  const auto add = [this](Places& places, Place place, auto alike) {
    const bool known = std::ranges::any_of(places, [&](Place other) { return alike(candidates_[other]); });
    if (!known) places.push_back(place);
  };
  candidates_.reserve(credentials.size());
  for (const auto& credential : credentials) {
    const auto place = static_cast<Place>(candidates_.size());
    const Candidate& candidate = candidates_.emplace_back(read(credential, anchors));
    const auto signed_alike = [&](const Candidate& other) { return candidate.is_signed_like(other); };
    add(kinds_, place, signed_alike);
    for (const Place issuer : candidate.issuers) add(issuers_[issuer].kinds, place, signed_alike);
    for (const Place issuer : candidate.above) add(issuers_[issuer].below, place, signed_alike);
    add_names(candidate.leaf, place);
  }
}

Candidates::Candidate Candidates::read(const std::shared_ptr<const Credential>& credential,
                                       const x509::TrustAnchors* anchors) {
  Candidate candidate{.credential = credential,
                      .leaf = x509::Certificate::parse(credential->chain.front()).value(),
                      .schemes = sets_of(credential->schemes).schemes,
                      .algorithms = 0,
                      .issuers = {},
                      .above = {}};
  for (const auto& der : credential->chain) {
    const auto certificate = x509::Certificate::parse(der).value();
    // RFC 9846 4.5.1.2: "All certificates provided by the sender MUST be signed by a signature algorithm advertised by
    // the peer, if it is able to provide such a chain". Certificates that are signed by themselves do not count.
    if (!certificate.is_self_issued()) {
      const auto algorithm = certificate.signature_algorithm().algorithm;
      candidate.algorithms |= algorithm ? bit(*algorithm) : kUnknownAlgorithm;
    }
    candidate.issuers.push_back(add_issuer(certificate.issuer()));
  }
  if (anchors == nullptr) return candidate;
  // A server may list the root alone, and a chain may end below it: whom we trust ourselves tells the steps between.
  const auto climb = [&](Place from) {
    const x509::DistinguishedName name = issuers_[from].name;
    for (std::size_t at = anchors->find(name); at < anchors->size(); at = anchors->find(name, at + 1)) {
      const Place issuer = add_issuer((*anchors)[at].issuer());
      const bool known = std::ranges::find(candidate.issuers, issuer) != candidate.issuers.end() ||
                         std::ranges::find(candidate.above, issuer) != candidate.above.end();
      if (!known) candidate.above.push_back(issuer);
    }
  };
  climb(candidate.issuers.back());
  for (std::size_t i = 0; i < candidate.above.size(); ++i) climb(candidate.above[i]);
  return candidate;
}

Candidates::Place Candidates::add_issuer(const x509::DistinguishedName& name) {
  if (const auto known = find_issuer(name)) return *known;
  const auto place = static_cast<Place>(issuers_.size());
  issuers_.push_back({.name = name, .kinds = {}, .below = {}});
  issuers_by_hash_.emplace(name.hash(), place);
  return place;
}

std::optional<Candidates::Place> Candidates::find_issuer(const x509::DistinguishedName& name) const {
  const auto [first, last] = issuers_by_hash_.equal_range(name.hash());
  const auto found =
      std::find_if(first, last, [&](const auto& entry) { return issuers_[entry.second].name.matches(name); });
  if (found == last) return std::nullopt;
  return found->second;
}

void Candidates::add_names(const x509::Certificate& leaf, Place place) {
  const auto add = [&](Names& names, std::string_view key, const std::string& example) {
    // What a name stands for is x509's to say.
    const auto expected = x509::PeerName::dns(example);
    if (!expected || !x509::matches(leaf, *expected)) return;
    Places& places = names[lower(key)];
    if (places.empty() || places.back() != place) places.push_back(place);
  };
  for (const x509::GeneralName& alternative : leaf.alternative_names()) {
    if (alternative.kind != x509::GeneralName::Kind::dns) continue;
    const std::string_view name = as_text(alternative.value);
    if (name.starts_with("*."))
      add(wildcards_, name.substr(2), "a" + std::string(name.substr(1)));
    else
      add(exact_, name, std::string(name));
  }
}

/// The best of the candidates that were looked at, for a peer's wishes.
class Candidates::Choice {
 public:
  Choice(const Candidates& table, const SelectCredential& wishes)
      : table_(table),
        filters_(wishes.oid_filters),
        any_issuer_(wishes.certificate_authorities.empty()),
        must_fit_(wishes.role == Role::client) {
    const Schemes handshake = sets_of(wishes.schemes);
    schemes_ = handshake.schemes;
    algorithms_ = wishes.schemes_cert.empty() ? handshake.algorithms : sets_of(wishes.schemes_cert).algorithms;
    for (const Bytes der : wishes.certificate_authorities) {
      const auto name = x509::DistinguishedName::parse(der);
      const auto issuer = name ? table.find_issuer(*name) : std::nullopt;
      if (issuer) listed_.push_back(*issuer);
    }
    std::ranges::sort(listed_);
    const auto repeated = std::ranges::unique(listed_);
    listed_.erase(repeated.begin(), repeated.end());
  }

  /// The issuers that the peer lists, each once.
  [[nodiscard]] std::span<const Place> listed() const noexcept { return listed_; }

  void consider(std::span<const Place> places) {
    for (const Place place : places) {
      const Candidate& candidate = table_.candidates_[place];
      if ((candidate.schemes & schemes_) == 0) continue;
      // RFC 9846 4.5.1.2: "If the peer sent a "certificate_authorities" extension, at least one of the certificates in
      // the certificate chain SHOULD be issued by one of the listed CAs."
      const Fit fit = fit_of(candidate);
      if (must_fit_ && fit == Fit::none) continue;
      if (!passes(candidate)) continue;
      const Merit merit(fit, (candidate.algorithms & ~algorithms_) == 0);
      const bool better = best_ == nullptr || merit > merit_ || (merit == merit_ && &candidate < best_);
      if (!better) continue;
      best_ = &candidate;
      merit_ = merit;
    }
  }

  [[nodiscard]] std::shared_ptr<const Credential> best() const {
    return best_ == nullptr ? nullptr : best_->credential;
  }

  /// What a candidate lacks for the peer; nothing where it will do.
  [[nodiscard]] std::optional<Withheld::Because> lack_of(const Candidate& candidate) const {
    if ((candidate.schemes & schemes_) == 0) return Withheld::Because::schemes;
    if (must_fit_ && fit_of(candidate) == Fit::none) return Withheld::Because::certificate_authorities;
    if (!passes(candidate)) return Withheld::Because::oid_filters;
    if ((candidate.algorithms & ~algorithms_) != 0) return Withheld::Because::schemes_cert;
    return std::nullopt;
  }

  /// What the best of those that will not do lacks.
  [[nodiscard]] Withheld::Because lacking() const {
    auto because = Withheld::Because::schemes;
    for (const Candidate& candidate : table_.candidates_) {
      if ((candidate.schemes & schemes_) == 0) continue;
      if (fit_of(candidate) != Fit::none) return Withheld::Because::oid_filters;
      because = Withheld::Because::certificate_authorities;
    }
    return because;
  }

 private:
  /// How the peer's list of authorities names the issuers of a chain, from worst to best.
  enum class Fit : std::uint8_t { none, above_the_chain, in_the_chain };

  [[nodiscard]] Fit fit_of(const Candidate& candidate) const {
    const auto named = [this](Place issuer) { return std::ranges::binary_search(listed_, issuer); };
    if (any_issuer_ || std::ranges::any_of(candidate.issuers, named)) return Fit::in_the_chain;
    return std::ranges::any_of(candidate.above, named) ? Fit::above_the_chain : Fit::none;
  }
  [[nodiscard]] bool passes(const Candidate& candidate) const {
    // RFC 9846 4.5.1.2: "If the CertificateRequest message contained a non-empty "oid_filters" extension, the
    // end-entity certificate MUST match the extension OIDs that are recognized by the client".
    return std::ranges::all_of(
        filters_, [&](const OidFilter& filter) { return candidate.leaf.passes(filter.oid, filter.values); });
  }

  using Merit = std::tuple<Fit, bool>;
  const Candidates& table_;
  Set schemes_ = 0;
  Set algorithms_ = 0;
  std::span<const OidFilter> filters_;
  bool any_issuer_;
  bool must_fit_;
  Places listed_;
  const Candidate* best_ = nullptr;  // of those as good the first in the table
  Merit merit_;
};

std::array<std::span<const Candidates::Place>, 2> Candidates::named(std::string_view server_name) const {
  const auto name = x509::PeerName::dns(server_name);
  if (!name) return {};
  const auto find = [](const Names& names, std::string_view key) -> std::span<const Place> {
    const auto found = names.find(key);
    return found == names.end() ? std::span<const Place>() : found->second;
  };
  const std::string_view host_name = name->host_name();
  const std::string_view behind_label = host_name.substr(std::min(host_name.find('.'), host_name.size() - 1) + 1);
  return {find(exact_, host_name), find(wildcards_, behind_label)};
}

bool Candidates::has_name(std::string_view server_name) const {
  return server_name.empty() ||
         std::ranges::any_of(named(server_name), [](const auto& places) { return !places.empty(); });
}

std::shared_ptr<const Credential> Candidates::select(const SelectCredential& wishes) const {
  Choice choice(*this, wishes);
  for (const std::span<const Place> places : named(wishes.server_name)) {
    choice.consider(places);
    if (auto best = choice.best()) return best;
  }
  // Filters look beyond a kind.
  if (!wishes.oid_filters.empty()) {
    for (Place place = 0; place < candidates_.size(); ++place) choice.consider({&place, 1});
    return choice.best();
  }
  choice.consider(kinds_);
  for (const Place issuer : choice.listed()) {
    choice.consider(issuers_[issuer].kinds);
    choice.consider(issuers_[issuer].below);
  }
  return choice.best();
}

namespace {

/// What would not do, and what to do about it.
std::string text_of(Withheld::Because because, const SelectCredential& wishes, const std::string& leads_to) {
  const std::string peer = wishes.role == Role::server ? "the client" : "the server";
  switch (because) {
    case Withheld::Because::schemes:
    case Withheld::Because::own_schemes:  // of which nothing is known here
      return peer + " verifies none of the schemes that our keys sign with. Configure a certificate with another key.";
    case Withheld::Because::certificate_authorities:
      return peer + " takes those that lead to " + names_text(wishes.certificate_authorities) + ", and ours leads to " +
             leads_to + ". Configure one of those, or add the certificates that stand between to its chain.";
    case Withheld::Because::oid_filters:
      return peer +
             " asks for extensions that they do not have (RFC 9846 4.3.5). Configure a certificate that has them.";
    case Withheld::Because::server_name: {
      const auto name = x509::PeerName::dns(wishes.server_name);
      return "it is not for " + (name ? std::string(name->host_name()) : "the name that the client asks for") +
             ". Configure a certificate that has this name.";
    }
    case Withheld::Because::schemes_cert:
      return peer + " does not verify what its certificates are signed with. Have it issued by another authority.";
    case Withheld::Because::malformed: return "it has no certificate that can be read. Give its chain, leaf first.";
  }
  return {};
}

}  // namespace

std::optional<Withheld> Candidates::withheld(const SelectCredential& wishes) const {
  if (candidates_.empty()) return std::nullopt;
  const auto because = Choice(*this, wishes).lacking();
  return Withheld{because, "No certificate of ours was sent: " +
                               text_of(because, wishes, issuers_[candidates_.front().issuers.back()].name.text())};
}

std::optional<Withheld> Candidates::unsuitable(const SelectCredential& wishes) const {
  auto because = Choice(*this, wishes).lack_of(candidates_.front());
  if (!because && wishes.role == Role::server && !has_name(wishes.server_name))
    because = Withheld::Because::server_name;
  if (!because) return std::nullopt;
  return Withheld{*because, "This certificate will not do: " +
                                text_of(*because, wishes, issuers_[candidates_.front().issuers.back()].name.text())};
}

std::optional<Withheld> unsuitable(const std::shared_ptr<const Credential>& credential,
                                   const SelectCredential& wishes) {
  const auto readable = [](const auto& der) { return x509::Certificate::parse(der).has_value(); };
  if (credential == nullptr || credential->chain.empty() || !std::ranges::all_of(credential->chain, readable)) {
    constexpr auto kBecause = Withheld::Because::malformed;
    return Withheld{kBecause, "This certificate will not do: " + text_of(kBecause, wishes, {})};
  }
  return Candidates({&credential, 1}, nullptr).unsuitable(wishes);
}

}  // namespace lockstep
