// Building paths from a leaf to an anchor, and validating them (RFC 5280 6, RFC 4158).
//
// The search goes depth first from the leaf upwards and keeps its own stack. A certificate is put on the path by what
// it says of itself, names and keys. What certificates say of each other, signatures first, is judged where the path
// comes to an end: at an anchor, or at whatever else decides, so that what decides is always at the end of what is
// valid. Signatures of one path are so verified together. A refusal leads back into the search below what was refused;
// from then on each certificate is judged as it comes, so that strangers' certificates lead nowhere that a signature
// forbids. Whoever verifies for many peers takes the signatures of the first path to an anchor with him, and the search
// goes on with what they were found to be. Of everything that fails on the way the gravest is kept, to explain a
// refusal.

#include <algorithm>
#include <array>
#include <utility>

#include <lockstep/x509_verify.hpp>

#include "x509/algorithms.hpp"
#include "x509/checks.hpp"
#include "x509/links.hpp"
#include "x509/name_constraints.hpp"
#include "x509/parser.hpp"

namespace lockstep::x509 {

namespace {

/// How much a failure says about why there is no path.
enum class Weight : std::uint8_t {
  nothing,
  dead_end,  ///< no issuer in sight
  fault,     ///< an issuer was there but would not do
  limit,     ///< the search was given up
};

class PathBuilder {
 public:
  explicit PathBuilder(const VerifyRequest& request)
      : request_(request), budget_{0, request.policy.max_name_comparisons}, links_(request, verdict_.work) {}
  /// As far as to the first path to an anchor; to the end, unless its signatures are to be `handed_out`.
  void begin(bool hands_out);
  [[nodiscard]] std::span<SignatureJob> handed_out() noexcept { return handed_out_; }
  /// To the end.
  Verdict finish() &&;

 private:
  /// One certificate on the path, and which of its possible issuers is next to be tried.
  struct Node {
    Certificate certificate;
    std::optional<std::size_t> anchor{};  ///< its place among them
    std::size_t candidates = 0;           ///< that were tried until then
    std::size_t free_candidates = 0;
    std::uint8_t pass = 0;
    std::size_t next = 0;
  };
  /// What the peer sent besides its own certificate.
  struct Presented {
    Certificate certificate;
    bool below_anchor;  ///< its issuer has the name of an anchor
  };
  struct Candidate {
    const Certificate* certificate;
    std::optional<std::size_t> anchor{};
  };

  [[nodiscard]] bool is_right(const Certificate& leaf) const;
  bool is_self_signed(const Certificate& certificate);
  void read_candidates();
  void search();
  bool hand_out();
  void judge_end();
  std::optional<Candidate> next_candidate(Node& node) const noexcept;
  Code check_candidate(const Candidate& candidate, std::size_t& culprit);
  void pop() noexcept;
  bool judge();
  Code judge_issuer(std::size_t depth, std::size_t& culprit);
  std::span<const Link> links_from(std::size_t depth) noexcept;
  Code check_constraints(std::size_t depth, std::size_t& culprit) noexcept;
  void note_dead_end();
  void note(Weight weight, Code code, std::size_t depth, const Certificate& culprit,
            const Certificate* beyond = nullptr);
  void accept();
  void conclude();
  void offer_extensions();

  const VerifyRequest& request_;
  Verdict verdict_;
  ComparisonBudget budget_;
  std::vector<Presented> pool_;
  std::vector<Node> path_;
  std::size_t judged_ = 1;  ///< so many certificates from the leaf on; nothing but the issuer's word is there to judge
  bool at_once_ = false;    ///< something was refused: each is judged as it comes
  bool hands_out_ = false;  ///< the signatures of the first path to an anchor
  std::span<SignatureJob> handed_out_;
  Position leaf_position_ = Position::leaf;
  Links links_;
  std::array<Link, Links::kTogether> due_;
  std::vector<std::vector<Certificate>> found_;
  /// The limit is there because of what a peer sends; anchors are the caller's, and each of them may be tried once
  /// besides.
  std::size_t free_candidates_ = 0;

  Weight weight_ = Weight::nothing;
  Problem failure_;
  std::vector<Certificate> failed_path_;
};

}  // namespace

Verdict verify(const VerifyRequest& request) {
  PathBuilder builder(request);
  builder.begin(false);
  return std::move(builder).finish();
}

struct Verification::Search {
  PathBuilder builder;
};

Verification::Verification(const VerifyRequest& request) : search_(new Search{PathBuilder(request)}) {
  search_->builder.begin(true);
}
Verification::Verification(Verification&&) noexcept = default;
Verification& Verification::operator=(Verification&&) noexcept = default;
Verification::~Verification() = default;

std::span<SignatureJob> Verification::signatures() noexcept { return search_->builder.handed_out(); }
Verdict Verification::finish() && { return std::move(search_->builder).finish(); }

namespace {

void PathBuilder::begin(bool hands_out) {
  verdict_.name = request_.name;
  verdict_.time = request_.time;
  if (request_.chain.empty()) {
    verdict_.code = Code::no_certificate;
    return;
  }
  const auto leaf = Certificate::parse(request_.chain.front());
  if (!leaf) {
    verdict_.code = Code::malformed_certificate;
    verdict_.unreadable = {0, leaf.error()};
    return;
  }
  if (request_.verified != nullptr && is_right(*leaf)) links_.use(*request_.verified);
  const bool is_anchor =
      request_.anchors.contains(*leaf) && (request_.policy.accept_partial_chain || is_self_signed(*leaf));
  constexpr std::size_t kUsualPath = 6;  // so that a usual chain costs one allocation
  path_.reserve(kUsualPath);
  path_.push_back({*leaf});
  if (is_anchor) {
    leaf_position_ = Position::anchored_leaf;
    return accept();
  }
  hands_out_ = hands_out;
  read_candidates();
  search();
}

Verdict PathBuilder::finish() && {
  if (verdict_.code != Code::unspecified) return std::move(verdict_);  // there is no leaf
  if (!handed_out_.empty()) {
    links_.settle();
    judge_end();
    search();
  }
  // What is missing may be among those.
  if (weight_ == Weight::dead_end && verdict_.work.certificates_left != 0) failure_.code = Code::work_limit_exceeded;
  conclude();
  return std::move(verdict_);
}

/// Whether a leaf keeps the rules that hold for every one, its name among them.
bool PathBuilder::is_right(const Certificate& leaf) const {
  bool right = true;
  check_rules(leaf, Position::anchored_leaf, request_, [&](Code) { return right = false; });
  return right;
}

/// Whether its own key signed it. What cannot be verified, because the algorithm is too old or unknown, is taken for
/// what the names say.
bool PathBuilder::is_self_signed(const Certificate& certificate) {
  if (!certificate.is_self_issued()) return false;
  Code code = check_signature_algorithm(certificate, certificate, request_);
  if (code == Code::ok) code = links_.check({{{&certificate, &certificate}}});
  return code != Code::cert_signature_failure && code != Code::signature_algorithm_inconsistency;
}

void PathBuilder::read_candidates() {
  const std::size_t count = std::min(request_.chain.size(), std::max<std::size_t>(request_.policy.max_certificates, 1));
  verdict_.work.certificates_left = request_.chain.size() - count;
  pool_.reserve(count);
  // RFC 9846 4.5.1: "all implementations SHOULD be prepared to handle potentially extraneous certificates and arbitrary
  // orderings from any TLS version, with the exception of the end-entity certificate which MUST be first."
  for (std::size_t index = 1; index < count; ++index) {
    // RFC 9846 4.5.1: peers may send certificates that nobody asked for.
    const auto certificate = Certificate::parse(request_.chain[index]);
    if (!certificate) {
      if (!verdict_.unreadable) verdict_.unreadable = {index, certificate.error()};
      continue;
    }
    const TrustAnchors& anchors = request_.anchors;
    if (std::ranges::find(pool_, *certificate, &Presented::certificate) != pool_.end() ||
        anchors.contains(*certificate)) {
      continue;
    }
    pool_.push_back({*certificate, anchors.find(certificate->issuer()) < anchors.size()});
  }
}

void PathBuilder::search() {
  while (!path_.empty() && found_.size() < std::max<std::size_t>(request_.policy.max_chains, 1) &&
         weight_ != Weight::limit) {
    Node& top = path_.back();
    const bool fresh = top.pass == 0 && top.next == 0;
    const auto candidate = next_candidate(top);
    if (!candidate) {
      if (fresh && !judge()) continue;
      if (fresh) note_dead_end();
      pop();
      continue;
    }
    if (candidate->anchor && free_candidates_ < request_.anchors.size()) ++free_candidates_;
    if (++verdict_.work.candidates > request_.policy.max_candidates + free_candidates_) {
      if (!judge()) continue;
      note(Weight::limit, Code::work_limit_exceeded, path_.size() - 1, top.certificate);
      break;
    }
    std::size_t culprit = path_.size();
    if (const Code code = check_candidate(*candidate, culprit); code != Code::ok) {
      if (!judge()) continue;
      note(Weight::fault, code, culprit, culprit == path_.size() ? *candidate->certificate : path_[culprit].certificate,
           candidate->certificate);
      continue;
    }
    path_.push_back({*candidate->certificate, candidate->anchor, verdict_.work.candidates, free_candidates_});
    if (!candidate->anchor && !at_once_) continue;
    if (candidate->anchor && hand_out()) return;
    judge_end();
  }
}

/// Whether the search rests until others have verified the signatures of the path, which has come to an anchor.
bool PathBuilder::hand_out() {
  if (!std::exchange(hands_out_, false)) return false;
  handed_out_ = links_.ask(links_from(judged_));
  return !handed_out_.empty();
}

/// Judges the path, and takes it if it holds and ends at an anchor.
void PathBuilder::judge_end() {
  if (!judge() || !path_.back().anchor) return;
  accept();
  pop();
}

/// The issuers of the node's certificate in the order in which they are tried: anchors before what the peer sent. Among
/// each come first those whose key identifier is the one that the certificate names, then those without, then the
/// others; among equals those that an anchor may have issued, so that a short path is found before the CAs around it
/// that signed each other.
std::optional<PathBuilder::Candidate> PathBuilder::next_candidate(Node& node) const noexcept {
  const Certificate& child = node.certificate;
  const auto& authority = child.authority_key_identifier();
  const auto rank = [&](const Certificate& issuer) noexcept -> unsigned {
    const auto& subject = issuer.subject_key_identifier();
    if (!subject || !authority || !authority->key_identifier) return 1;
    return equal(subject->key_identifier, *authority->key_identifier) ? 0 : 2;
  };
  // RFC 4158 5.2: a path with the same name and key twice loops; it can be had without the part between. The leaf may
  // share them with its issuer, whose other certificate it then is.
  const auto loops = [&](const Certificate& issuer) noexcept {
    return issuer == path_.front().certificate || std::any_of(path_.begin() + 1, path_.end(), [&](const Node& below) {
             return same_key(below.certificate.public_key(), issuer.public_key()) &&
                    below.certificate.subject().matches(issuer.subject());
           });
  };
  constexpr unsigned kAnchorPasses = 3;
  for (; node.pass < 3 * kAnchorPasses; ++node.pass, node.next = 0) {
    if (node.pass < kAnchorPasses) {
      const TrustAnchors& anchors = request_.anchors;
      while ((node.next = anchors.find(child.issuer(), node.next)) < anchors.size()) {
        const Certificate& issuer = anchors[node.next++];
        if (rank(issuer) == node.pass && !loops(issuer)) return Candidate{&issuer, node.next - 1};
      }
    } else {
      const unsigned wanted = (node.pass - kAnchorPasses) / 2;
      const bool below_anchor = (node.pass - kAnchorPasses) % 2 == 0;
      while (node.next < pool_.size()) {
        const auto& [issuer, is_below_anchor] = pool_[node.next++];
        if (is_below_anchor == below_anchor && rank(issuer) == wanted && issuer.subject().matches(child.issuer()) &&
            !loops(issuer)) {
          return Candidate{&issuer};
        }
      }
    }
  }
  return std::nullopt;
}

/// Whether the path may be continued with an issuer, by what certificates say of themselves. On failure `culprit` is
/// the depth of the certificate that is at fault.
Code PathBuilder::check_candidate(const Candidate& candidate, std::size_t& culprit) {
  const Certificate& issuer = *candidate.certificate;
  Code code = Code::ok;
  check_rules(issuer, candidate.anchor ? Position::anchor : Position::intermediate, request_, [&](Code found) {
    code = found;
    return false;
  });
  if (code != Code::ok) return code;

  // RFC 5280 4.2.1.9: "the maximum number of non-self-issued intermediate certificates that may follow this certificate
  // in a valid certification path."
  const auto below = std::ranges::count_if(path_.begin() + 1, path_.end(),
                                           [](const Node& node) { return !node.certificate.is_self_issued(); });
  const auto intermediates = static_cast<std::size_t>(below);
  const auto& constraints = issuer.basic_constraints();  // an anchor of version 1 has none
  if (constraints && constraints->path_length && intermediates > *constraints->path_length)
    return Code::path_length_exceeded;
  if (!candidate.anchor && !issuer.is_self_issued() && intermediates + 1 > request_.policy.max_intermediates)
    return Code::cert_chain_too_long;

  code = check_signature_algorithm(path_.back().certificate, issuer, request_);
  if (code != Code::ok) culprit = path_.size() - 1;
  return code;
}

void PathBuilder::pop() noexcept {
  path_.pop_back();
  judged_ = std::min(judged_, path_.size());
}

/// Whether the path holds. What does not is taken from it, with all that is above, and noted.
bool PathBuilder::judge() {
  for (; judged_ < path_.size(); ++judged_) {
    std::size_t culprit = judged_;
    const Code code = judge_issuer(judged_, culprit);
    if (code == Code::ok) continue;
    at_once_ = true;
    // Those above would not have been tried.
    verdict_.work.candidates = path_[judged_].candidates;
    free_candidates_ = path_[judged_].free_candidates;
    const Certificate issuer = path_[judged_].certificate;
    const Certificate at_fault = path_[culprit].certificate;
    path_.erase(path_.begin() + static_cast<std::ptrdiff_t>(judged_), path_.end());
    note(code == Code::work_limit_exceeded ? Weight::limit : Weight::fault, code, culprit, at_fault, &issuer);
    return false;
  }
  // What can be said of complete paths alone has its place here: whether the last is an anchor.
  return true;
}

/// What the certificate at a depth says of those below it, which hold. On failure `culprit` is the depth of the
/// certificate that is at fault.
Code PathBuilder::judge_issuer(std::size_t depth, std::size_t& culprit) {
  const Code code = links_.check(links_from(depth));
  if (code == Code::ok) return check_constraints(depth, culprit);
  if (code != Code::unable_to_decode_issuer_public_key) culprit = depth - 1;
  return code;
}

/// What the certificate at a depth and those above it have signed, as many as are verified together.
std::span<const Link> PathBuilder::links_from(std::size_t depth) noexcept {
  std::size_t count = 0;
  for (; depth < path_.size() && count < due_.size(); ++depth)
    due_[count++] = {&path_[depth - 1].certificate, &path_[depth].certificate, path_[depth].anchor};
  return std::span(due_).first(count);
}

/// The name constraints of the certificate at a depth, held against everything below it.
Code PathBuilder::check_constraints(std::size_t depth, std::size_t& culprit) noexcept {
  const auto& constraints = path_[depth].certificate.name_constraints();
  if (!constraints) return Code::ok;
  Code code = check_constraint_syntax(*constraints, request_.policy, budget_);
  for (std::size_t below = depth; code == Code::ok && below-- > 0;) {
    // RFC 5280 6.1.3 (b): "If certificate i is self-issued and it is not the final certificate in the path, skip this
    // step".
    if (below != 0 && path_[below].certificate.is_self_issued()) continue;
    code = check_name_constraints(*constraints, path_[below].certificate, budget_);
    if (code != Code::ok) culprit = below;
  }
  return code;
}

/// Nobody issued the certificate on top of the path, as far as can be seen.
void PathBuilder::note_dead_end() {
  const Certificate& top = path_.back().certificate;
  const std::size_t depth = path_.size() - 1;
  Code code = top.issuer().empty() ? Code::issuer_name_empty : Code::unable_to_get_issuer_cert_locally;
  // One that is an anchor and came here was not signed by its own key.
  if (top.is_self_issued() && !top.issuer().empty() && !request_.anchors.contains(top))
    code = depth == 0 ? Code::depth_zero_self_signed_cert : Code::self_signed_cert_in_chain;
  note(Weight::dead_end, code, depth, top);
}

/// Keeps a failure if it is graver than the one kept, or as grave and further up the path.
void PathBuilder::note(Weight weight, Code code, std::size_t depth, const Certificate& culprit,
                       const Certificate* beyond) {
  const std::size_t length = path_.size() + (beyond != nullptr ? 1 : 0);
  if (weight < weight_ || (weight == weight_ && length <= failed_path_.size())) return;
  weight_ = weight;
  failure_ = {code, depth, culprit};
  failed_path_.clear();
  for (const Node& node : path_) failed_path_.push_back(node.certificate);
  if (beyond != nullptr) failed_path_.push_back(*beyond);
}

void PathBuilder::accept() {
  std::vector<Certificate>& chain = found_.emplace_back();
  chain.reserve(path_.size());
  for (const Node& node : path_) chain.push_back(node.certificate);
}

void PathBuilder::conclude() {
  verdict_.work.name_comparisons = budget_.used;
  const auto report = [this](Problem problem) {
    if (verdict_.code != Code::ok) return verdict_.further.push_back(std::move(problem));
    verdict_.code = problem.code;
    verdict_.depth = problem.depth;
    verdict_.culprit = problem.certificate;
  };
  verdict_.code = Code::ok;
  const Certificate leaf = found_.empty() ? failed_path_.front() : found_.front().front();
  if (found_.empty()) {
    verdict_.chain = std::move(failed_path_);
    report(std::move(failure_));
  } else {
    verdict_.chain = std::move(found_.front());
    verdict_.other_chains.assign(std::move_iterator(found_.begin() + 1), std::move_iterator(found_.end()));
  }
  check_rules(leaf, leaf_position_, request_, [&](Code code) {
    if (code != verdict_.code || verdict_.depth != 0) report({code, 0, leaf});
    return true;
  });
  if (verdict_.ok() && request_.policy.offer_unknown_extensions) offer_extensions();
  if (!verdict_.ok()) return verdict_.other_chains.clear();
  links_.remember(verdict_.chain);
  for (const auto& chain : verdict_.other_chains) links_.remember(chain);
}

/// Leaves what nobody here knows to the caller, on a path that holds but for that.
void PathBuilder::offer_extensions() {
  const auto each_of = [this](const std::vector<Certificate>& chain, auto found) {
    for (std::size_t depth = 0; depth < chain.size(); ++depth) {
      for (const Extension& extension : chain[depth].extensions()) {
        if (is_unhandled(chain[depth], extension, request_.policy)) found(depth, extension);
      }
    }
  };
  each_of(verdict_.chain,
          [this](std::size_t depth, const Extension& extension) { verdict_.unhandled.push_back({depth, extension}); });
  std::erase_if(verdict_.other_chains, [&](const std::vector<Certificate>& chain) {
    bool any = false;
    each_of(chain, [&any](std::size_t, const Extension&) { any = true; });
    return any;
  });
  if (verdict_.unhandled.empty()) return;
  verdict_.code = Code::unhandled_critical_extension;
  verdict_.depth = verdict_.unhandled.front().depth;
  verdict_.culprit = verdict_.chain[verdict_.depth];
}

}  // namespace

std::vector<Bytes> build_chain(const Provider& provider, Bytes leaf, std::span<const Bytes> candidates) {
  std::vector<Bytes> out;
  const auto parsed = Certificate::parse(leaf);
  if (!parsed) return out;
  out.push_back(leaf);
  std::vector<Certificate> pool;
  for (const Bytes candidate : candidates) {
    if (const auto certificate = Certificate::parse(candidate)) pool.push_back(*certificate);
  }
  const TrustAnchors none;
  const VerifyRequest request{provider, none, {}, Role::server, NoNameCheck{}, 0, {}};
  Certificate child = *parsed;
  while (!child.is_self_issued()) {
    const auto issuer = std::ranges::find_if(pool, [&](const Certificate& candidate) {
      return candidate.is_ca() && candidate.subject().matches(child.issuer()) &&
             check_signature_algorithm(child, candidate, request) == Code::ok &&
             check_signature(child, candidate, provider) == Code::ok;
    });
    if (issuer == pool.end() || issuer->is_self_issued()) break;
    child = *issuer;
    out.push_back(child.der());
    pool.erase(issuer);  // each at most once, so that loops end
  }
  return out;
}

}  // namespace lockstep::x509
