#pragma once
// A setup's credentials, ordered for what peers ask for.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <lockstep/answers.hpp>
#include <lockstep/x509_anchors.hpp>

namespace lockstep {

/// Credentials by name, by issuer and by kind, so that a choice costs one pass over what the peer sent and a look at
/// few credentials, however many there are, unless a server filters them. Holds views into the credentials.
class Candidates {
 public:
  /// Credentials whose certificates all parse. Anchors may tell who stands above a chain that ends early.
  Candidates(std::span<const std::shared_ptr<const Credential>> credentials, const x509::TrustAnchors* anchors);

  /// See AnswerSetup::select.
  [[nodiscard]] std::shared_ptr<const Credential> select(const SelectCredential& wishes) const;
  /// Why a client's `select` gives nothing; nothing when it has nothing to give.
  [[nodiscard]] std::optional<Withheld> withheld(const SelectCredential& wishes) const;
  /// Why the first will not do.
  [[nodiscard]] std::optional<Withheld> unsuitable(const SelectCredential& wishes) const;
  /// Whether there is one for this name.
  [[nodiscard]] bool has_name(std::string_view server_name) const;

 private:
  using Place = std::uint32_t;
  using Places = std::vector<Place>;  // ascending: the order of preference
  using Set = std::uint64_t;          // of schemes by their place in known_schemes, or of algorithms by their number

  struct Candidate {
    std::shared_ptr<const Credential> credential;
    x509::Certificate leaf;
    Set schemes = 0;     // that its key signs with
    Set algorithms = 0;  // that its certificates are signed with
    Places issuers;      // of its certificates, in the order of the chain
    Places above;        // whom the anchors name as issuers of those
    /// A peer that takes the one takes the other, as far as signatures go.
    [[nodiscard]] bool is_signed_like(const Candidate& other) const noexcept {
      return schemes == other.schemes && algorithms == other.algorithms;
    }
  };
  struct Issuer {
    x509::DistinguishedName name;
    Places kinds;  // the first of each kind
    Places below;  // those of chains that end further down
  };
  class Choice;

  [[nodiscard]] Candidate read(const std::shared_ptr<const Credential>& credential, const x509::TrustAnchors* anchors);
  [[nodiscard]] std::optional<Place> find_issuer(const x509::DistinguishedName& name) const;
  [[nodiscard]] Place add_issuer(const x509::DistinguishedName& name);
  void add_names(const x509::Certificate& leaf, Place place);
  /// Those that have the name itself, and those whose wildcard covers it.
  [[nodiscard]] std::array<std::span<const Place>, 2> named(std::string_view server_name) const;

  struct TextHash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Names = std::unordered_map<std::string, Places, TextHash, std::equal_to<>>;

  std::vector<Candidate> candidates_;
  std::vector<Issuer> issuers_;
  std::unordered_multimap<std::uint64_t, Place> issuers_by_hash_;
  Names exact_;      // in lower case
  Names wildcards_;  // what stands behind "*."
  Places kinds_;     // the first of each kind
};

}  // namespace lockstep
