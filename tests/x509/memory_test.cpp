// Memory that runs out while a chain is judged: the caller hears of it.

#include "counted_memory.hpp"
#include "x509/pki.hpp"

namespace lockstep::x509::test {
namespace {

TEST(VerifyMemory, RunningOutIsThrownWhateverRuleIsChecked) {
  // Verifiers that take none, so that only our own memory counts.
  std::vector<SignatureVerifier> verifiers;
  for (const SignatureVerifier* const each : provider().verifiers) verifiers.push_back(*each);
  Provider agreeing = provider();
  agreeing.verifiers.clear();
  for (SignatureVerifier& each : verifiers) {
    each.verify = [](Bytes, Bytes, Bytes) noexcept { return VerifyResult::valid; };
    agreeing.verifiers.push_back(&each);
  }
  // Rules that make texts: of an object identifier, and of an address that is too long for a small string.
  static constexpr std::array<std::string_view, 1> kHandled = {"1.3.6.1.4.1.55738.1.2.3"};
  const Der value = {5, 0};
  Der address(16, 0x20);
  const Authority root("Root");
  Question ask;
  ask.trust(root.certificate).chain = {root.issue(
      make("CN=2020:2020:2020:2020:2020:2020:2020:2020").ip(address).server().extension(kHandled[0], true, value))};
  ask.name = NoNameCheck{};
  ask.policy.handled_extensions = kHandled;
  ask.policy.require_common_name_in_alt_names = true;
  ASSERT_TRUE(ask.ask().ok()) << ask.ask().text();
  const VerifyRequest request{agreeing, ask.anchors, ask.views, ask.peer, ask.name, ask.time, ask.policy};
  std::size_t failures = 0;
  for (bool failed = true; failed;) {
    testing::memory.requests = 0;
    testing::memory.failing = failures + 1;
    failed = false;
    try {
      const testing::Watching watching;
      const Verdict verdict = verify(request);
      EXPECT_TRUE(verdict.ok());
    } catch (const std::bad_alloc&) {
      failed = true;
      ++failures;
    }
  }
  testing::memory.failing = 0;
  EXPECT_GT(failures, 5U);
}

}  // namespace
}  // namespace lockstep::x509::test
