#pragma once
// The signatures by which certificates hang together, within the work that a request allows.

#include <optional>
#include <vector>

#include <lockstep/x509_verify.hpp>

namespace lockstep::x509 {

/// A certificate and whoever is taken for its issuer, algorithms having been checked.
struct Link {
  const Certificate* child = nullptr;
  const Certificate* issuer = nullptr;
  std::optional<std::size_t> anchor{};  ///< the issuer's place among the anchors
};

/// The signatures of one verification. Each is verified once; those that a memo knows are not.
class Links {
 public:
  /// So many are verified in one call.
  static constexpr std::size_t kTogether = 8;

  Links(const VerifyRequest& request, Work& work);
  void use(VerifiedLinks& memo) noexcept;

  /// Whether the first of the links holds. Those behind it will be asked for next: where a verifier takes several in
  /// one call, they are verified with it.
  [[nodiscard]] Code check(std::span<const Link> links);

  /// Leaves to others what is not known of these links: the signatures, which `settle` takes the results of. They live
  /// as long as this object, and until it is asked for others.
  [[nodiscard]] std::span<SignatureJob> ask(std::span<const Link> links);
  void settle() noexcept;

  /// Tells the memo which signatures lead from leaf to anchor.
  void remember(std::span<const Certificate> chain) const noexcept;

 private:
  /// A link by where its certificate and its issuer's key stand in memory.
  struct Known {
    const std::uint8_t* child;
    const std::uint8_t* key;
    Code code = Code::unspecified;  ///< not verified yet
    bool is_news = false;           ///< to the memo
    VerifiedLinks::Digest digest{};

    [[nodiscard]] bool is(const Certificate& child_asked, const Certificate& issuer) const noexcept {
      return child == child_asked.der().data() && key == issuer.subject_public_key_info().data();
    }
  };

  [[nodiscard]] Known& find(const Link& link);
  [[nodiscard]] bool digest(const Link& link, VerifiedLinks::Digest& out) const noexcept;
  [[nodiscard]] VerifyJob job_of(const Link& link, const SignatureVerifier& verifier) const noexcept;
  [[nodiscard]] bool spend(const Link& link) noexcept;

  const VerifyRequest& request_;
  Work& work_;
  VerifiedLinks* memo_ = nullptr;
  const Hash* hash_ = nullptr;
  std::vector<Known> known_;
  std::vector<SignatureJob> asked_;
  std::vector<std::size_t> asked_places_;  // among those that are known
  /// The limit is there because of what a peer sends; anchors are the caller's, and each may be tried once besides.
  std::size_t free_ = 0;
};

}  // namespace lockstep::x509
