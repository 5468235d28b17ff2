#include "x509/links.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "x509/checks.hpp"

namespace lockstep::x509 {

Links::Links(const VerifyRequest& request, Work& work) : request_(request), work_(work) {
  constexpr std::size_t kUsual = 6;  // so that a usual chain costs one allocation
  known_.reserve(kUsual);
}

void Links::use(VerifiedLinks& memo) noexcept {
  hash_ = request_.provider.hash(HashAlgorithm::sha256);
  // What has the same hash as something valid may be anything where anybody can find it.
  if (hash_ != nullptr && !hash_->insecure) memo_ = &memo;
}

Code Links::check(std::span<const Link> links) {
  if (const Code code = find(links.front()).code; code != Code::unspecified) return code;
  const SignatureVerifier& verifier = verifier_of(*links.front().child, *links.front().issuer, request_.provider);
  std::array<VerifyJob, kTogether> jobs;
  std::array<std::size_t, kTogether> places{};
  std::size_t count = 0;
  const std::size_t most = verifier.verify_many == nullptr ? 1 : std::min(links.size(), kTogether);
  for (const Link& link : links.first(most)) {
    if (&verifier_of(*link.child, *link.issuer, request_.provider) != &verifier) continue;
    const Known& known = find(link);
    if (known.code != Code::unspecified) continue;
    if (!spend(link)) break;
    places[count] = static_cast<std::size_t>(&known - known_.data());
    jobs[count++] = job_of(link, verifier);
  }
  if (count == 0) return Code::work_limit_exceeded;
  verify(verifier, std::span(jobs).first(count));
  for (std::size_t i = 0; i < count; ++i) known_[places[i]].code = code_of(jobs[i].result);
  return known_[places[0]].code;
}

std::span<SignatureJob> Links::ask(std::span<const Link> links) {
  asked_.clear();
  asked_places_.clear();
  asked_.reserve(links.size());
  asked_places_.reserve(links.size());
  for (const Link& link : links) {
    const Known& known = find(link);
    if (known.code != Code::unspecified) continue;
    if (!spend(link)) break;
    const SignatureVerifier& verifier = verifier_of(*link.child, *link.issuer, request_.provider);
    asked_places_.push_back(static_cast<std::size_t>(&known - known_.data()));
    asked_.push_back({&verifier, job_of(link, verifier)});
  }
  return asked_;
}

void Links::settle() noexcept {
  for (std::size_t i = 0; i < asked_.size(); ++i) known_[asked_places_[i]].code = code_of(asked_[i].job.result);
}

void Links::remember(std::span<const Certificate> chain) const noexcept {
  if (memo_ == nullptr) return;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    // Above the last stands nobody, but a leaf that is its own anchor.
    if (i + 1 == chain.size() && i != 0) return;
    const Certificate& issuer = chain[std::min(i + 1, chain.size() - 1)];
    const auto known = std::ranges::find_if(known_, [&](const Known& each) { return each.is(chain[i], issuer); });
    if (known != known_.end() && known->code == Code::ok && known->is_news) memo_->add(known->digest);
  }
}

/// The link as it is known, from the memo perhaps; it may have to be verified yet.
Links::Known& Links::find(const Link& link) {
  const auto found =
      std::ranges::find_if(known_, [&](const Known& each) { return each.is(*link.child, *link.issuer); });
  if (found != known_.end()) return *found;
  Known& known = known_.emplace_back(link.child->der().data(), link.issuer->subject_public_key_info().data());
  if (memo_ == nullptr || !digest(link, known.digest)) return known;
  known.is_news = !memo_->contains(known.digest);
  if (!known.is_news) {
    known.code = Code::ok;
    ++work_.remembered;
  }
  return known;
}

/// Everything that a verifier sees, and which one it is: what one takes for valid another need not.
bool Links::digest(const Link& link, VerifiedLinks::Digest& out) const noexcept {
  const Bytes child = link.child->der();
  const auto verifier = verifier_of(*link.child, *link.issuer, request_.provider).verify;
  const auto by = std::bit_cast<std::array<std::uint8_t, sizeof(verifier)>>(verifier);
  const std::uint64_t length = child.size();
  const auto size = std::bit_cast<std::array<std::uint8_t, sizeof(length)>>(length);
  alignas(64) std::array<std::byte, kMaxHashContextSize> context;
  if (!hash_->init(context.data())) return false;
  for (const Bytes part : {Bytes(by), Bytes(size), child, link.issuer->subject_public_key_info()})
    hash_->update(context.data(), part);
  const bool done = hash_->digest(context.data(), out);
  hash_->destroy(context.data());
  return done;
}

VerifyJob Links::job_of(const Link& link, const SignatureVerifier& verifier) const noexcept {
  return {.subject_public_key_info = link.issuer->subject_public_key_info(),
          .message = link.child->to_be_signed(),
          .signature = link.child->signature(),
          .prepared = link.anchor ? request_.anchors.prepared(*link.anchor, verifier) : nullptr};
}

bool Links::spend(const Link& link) noexcept {
  const bool is_free = link.anchor.has_value() && free_ < request_.anchors.size();
  if (work_.signatures >= request_.policy.max_signatures + free_ + (is_free ? 1 : 0)) return false;
  if (is_free) ++free_;
  ++work_.signatures;
  return true;
}

}  // namespace lockstep::x509
