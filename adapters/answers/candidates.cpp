#include "answers/candidates.hpp"

#include <algorithm>
#include <iterator>
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

}  // namespace

Candidates::Candidates(std::span<const std::shared_ptr<const Credential>> credentials) {
  // Of those alike the first is always as good as the others.
  const auto add = [this](Places& places, Place place, auto alike) {
    const bool known = std::ranges::any_of(places, [&](Place other) { return alike(candidates_[other]); });
    if (!known) places.push_back(place);
  };
  candidates_.reserve(credentials.size());
  for (const auto& credential : credentials) {
    const auto place = static_cast<Place>(candidates_.size());
    const Candidate& candidate = candidates_.emplace_back(read(credential));
    const auto signed_alike = [&](const Candidate& other) { return candidate.is_signed_like(other); };
    add(kinds_, place, signed_alike);
    for (const Place issuer : candidate.issuers) add(issuers_[issuer].kinds, place, signed_alike);
    add_names(candidate.leaf, place);
  }
}

Candidates::Candidate Candidates::read(const std::shared_ptr<const Credential>& credential) {
  Candidate candidate{.credential = credential,
                      .leaf = x509::Certificate::parse(credential->chain.front()).value(),
                      .schemes = sets_of(credential->schemes).schemes,
                      .algorithms = 0,
                      .issuers = {}};
  for (const auto& der : credential->chain) {
    const auto certificate = x509::Certificate::parse(der).value();
    // RFC 9846 4.5.1.2: "All certificates provided by the sender MUST be signed by a signature algorithm advertised by
    // the peer, if it is able to provide such a chain". Certificates that are signed by themselves do not count.
    if (!certificate.is_self_issued()) {
      const auto algorithm = certificate.signature_algorithm().algorithm;
      candidate.algorithms |= algorithm ? bit(*algorithm) : kUnknownAlgorithm;
    }
    auto issuer = find_issuer(certificate.issuer());
    if (!issuer) {
      issuer = static_cast<Place>(issuers_.size());
      issuers_.push_back({.name = certificate.issuer(), .kinds = {}});
      issuers_by_hash_.emplace(certificate.issuer().hash(), *issuer);
    }
    candidate.issuers.push_back(*issuer);
  }
  return candidate;
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
      const bool fits = any_issuer_ || std::ranges::any_of(candidate.issuers, [&](Place issuer) {
                          return std::ranges::binary_search(listed_, issuer);
                        });
      if (must_fit_ && !fits) continue;
      // RFC 9846 4.5.1.2: "If the CertificateRequest message contained a non-empty "oid_filters" extension, the
      // end-entity certificate MUST match the extension OIDs that are recognized by the client".
      const bool passes = std::ranges::all_of(
          filters_, [&](const OidFilter& filter) { return candidate.leaf.passes(filter.oid, filter.values); });
      if (!passes) continue;
      const Merit merit(fits, (candidate.algorithms & ~algorithms_) == 0);
      const bool better = best_ == nullptr || merit > merit_ || (merit == merit_ && &candidate < best_);
      if (!better) continue;
      best_ = &candidate;
      merit_ = merit;
    }
  }

  [[nodiscard]] std::shared_ptr<const Credential> best() const {
    return best_ == nullptr ? nullptr : best_->credential;
  }

 private:
  using Merit = std::tuple<bool, bool>;
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

std::shared_ptr<const Credential> Candidates::select(const SelectCredential& wishes) const {
  Choice choice(*this, wishes);
  if (const auto name = x509::PeerName::dns(wishes.server_name)) {
    const std::string_view host_name = name->host_name();
    if (const auto found = exact_.find(host_name); found != exact_.end()) choice.consider(found->second);
    if (auto best = choice.best()) return best;
    const std::string_view behind_label = host_name.substr(std::min(host_name.find('.'), host_name.size() - 1) + 1);
    if (const auto found = wildcards_.find(behind_label); found != wildcards_.end()) choice.consider(found->second);
    if (auto best = choice.best()) return best;
  }
  // Filters look beyond a kind.
  if (!wishes.oid_filters.empty()) {
    for (Place place = 0; place < candidates_.size(); ++place) choice.consider({&place, 1});
    return choice.best();
  }
  choice.consider(kinds_);
  for (const Place issuer : choice.listed()) choice.consider(issuers_[issuer].kinds);
  return choice.best();
}

}  // namespace lockstep
