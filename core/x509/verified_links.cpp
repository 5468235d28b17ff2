// The memo is a table of small sets, each under a sequence lock: who reads takes no lock and writes nothing, and what
// he read counts when nobody wrote meanwhile; who would write while another writes does not. Losing a link costs one
// verification.

#include <algorithm>
#include <cstring>

#include <lockstep/x509_verified_links.hpp>

namespace lockstep::x509 {

VerifiedLinks::VerifiedLinks(std::size_t capacity) : sets_(std::max<std::size_t>((capacity + kWays - 1) / kWays, 1)) {}

VerifiedLinks::Words VerifiedLinks::words_of(const Digest& link) noexcept {
  Words words;
  static_assert(sizeof(words) == sizeof(link));
  std::memcpy(words.data(), link.data(), sizeof(words));
  return words;
}

bool VerifiedLinks::Set::has(const Words& wanted) const noexcept {
  return std::ranges::any_of(links, [&](const auto& link) {
    // Acquired one by one: a word of a later version shows that version to who looks at it afterwards.
    return std::ranges::equal(link, wanted, {}, [](const auto& word) { return word.load(std::memory_order_acquire); });
  });
}

bool VerifiedLinks::contains(const Digest& link) const noexcept {
  const Words wanted = words_of(link);
  const Set& set = sets_[wanted[0] % sets_.size()];
  const std::uint64_t before = set.version.load(std::memory_order_acquire);
  return before % 2 == 0 && set.has(wanted) && set.version.load(std::memory_order_relaxed) == before;
}

void VerifiedLinks::add(const Digest& link) noexcept {
  const Words words = words_of(link);
  Set& set = sets_[words[0] % sets_.size()];
  std::uint64_t version = set.version.load(std::memory_order_acquire);
  if (version % 2 != 0 || set.has(words)) return;
  // Whoever wrote since then has changed the version.
  if (!set.version.compare_exchange_strong(version, version + 1, std::memory_order_acq_rel, std::memory_order_relaxed))
    return;
  // First in, first out.
  auto& oldest = set.links[version / 2 % kWays];
  for (std::size_t i = 0; i < words.size(); ++i) oldest[i].store(words[i], std::memory_order_release);
  set.version.store(version + 2, std::memory_order_release);
}

}  // namespace lockstep::x509
