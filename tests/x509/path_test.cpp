// Finding a way to an anchor: several ways, dead ends, loops, and what a peer may make us work.

#include <algorithm>
#include <set>

#include "pki.hpp"

namespace lockstep::x509::test {
namespace {

/// An intermediate's certificate for `subject_key`, issued by another authority: what cross-signing is.
Der cross_sign(const Authority& issuer, const Authority& subject, const CertificateBuilder& builder) {
  return issuer.issue(builder, *subject.own_key);
}

std::string path_text(const std::vector<Certificate>& chain) {
  std::string out;
  for (const Certificate& certificate : chain) out += (out.empty() ? "" : " <- ") + certificate.subject().common_name();
  return out;
}

TEST(Path, OrderOfTheChainDoesNotMatter) {
  const Authority root("Root");
  const Authority one(root, "One");
  const Authority two(one, "Two");
  const Authority three(two, "Three");
  std::vector<Der> others = {one.certificate, three.certificate, two.certificate};
  std::ranges::sort(others);
  do {
    Question ask;
    ask.trust(root.certificate).chain = {three.issue(leaf())};
    ask.chain.insert(ask.chain.end(), others.begin(), others.end());
    const Verdict verdict = ask.ask();
    ASSERT_TRUE(verdict.ok()) << verdict.text();
    EXPECT_EQ(path_text(verdict.chain), "leaf <- Three <- Two <- One <- Root");
    EXPECT_EQ(verdict.work.signatures, 4U);
  } while (std::ranges::next_permutation(others).found);
}

TEST(Path, UnrelatedAndBrokenCertificatesDoNoHarm) {
  const Authority root("Root");
  const Authority one(root, "One");
  Question ask;
  ask.trust(root.certificate).chain = {one.issue(leaf()), Der{1, 2, 3},    Authority("Another Root").certificate,
                                       one.certificate,   one.certificate, root.certificate};
  const Verdict verdict = ask.ask();
  ASSERT_TRUE(verdict.ok()) << verdict.text();
  EXPECT_EQ(path_text(verdict.chain), "leaf <- One <- Root");
}

TEST(Path, GoesRoundAnExpiredCrossSignature) {
  // The old root has expired and so has what it cross-signed; the new one is trusted as well.
  const Authority old_root("Old Root");
  const Authority new_root("New Root");
  const Der crossed = cross_sign(old_root, new_root, make("CN=New Root").ca().validity(kNow - kDay, kNow - 1));
  const Authority one(new_root, "One");
  Question ask;
  ask.trust(old_root.certificate).trust(new_root.certificate).chain = {one.issue(leaf()), one.certificate, crossed};
  const Verdict verdict = ask.ask();
  ASSERT_TRUE(verdict.ok()) << verdict.text();
  EXPECT_EQ(path_text(verdict.chain), "leaf <- One <- New Root");

  // With the old root alone the fault is told.
  Question refused;
  refused.trust(old_root.certificate).chain = ask.chain;
  const Verdict no = refused.ask();
  EXPECT_EQ(no.code, Code::cert_has_expired);
  EXPECT_EQ(no.depth, 2U);
}

TEST(Path, TurnsBackFromADeadEnd) {
  // One has two certificates: the first leads to a root that nobody trusts, the second to ours. They differ in nothing
  // that would say so.
  const Authority ours("Ours");
  const Authority theirs("Theirs");
  const Authority one(ours, "One");
  const Der dead_end = cross_sign(theirs, one, make("CN=One").ca());
  Question ask;
  ask.trust(ours.certificate).chain = {one.issue(leaf()), dead_end, theirs.certificate, one.certificate};
  const Verdict verdict = ask.ask();
  ASSERT_TRUE(verdict.ok()) << verdict.text();
  EXPECT_EQ(path_text(verdict.chain), "leaf <- One <- Ours");
}

TEST(Path, LoopsEnd) {
  // A and B have signed each other, and nobody else has.
  const Authority a("A");
  const Authority b("B");
  const Der a_by_b = cross_sign(b, a, make("CN=A").ca());
  const Der b_by_a = cross_sign(a, b, make("CN=B").ca());
  Question ask;
  ask.trust(Authority("Root").certificate).chain = {a.issue(leaf()), a_by_b, b_by_a};
  const Verdict verdict = ask.ask();
  EXPECT_EQ(verdict.code, Code::unable_to_get_issuer_cert_locally) << verdict.text();
  EXPECT_LE(verdict.work.signatures, 2U);
  EXPECT_LE(verdict.work.candidates, 2U);

  // Through the loop a trusted root is still found.
  ask.trust(b.certificate);
  const Verdict found = ask.ask();
  ASSERT_TRUE(found.ok()) << found.text();
  EXPECT_EQ(path_text(found.chain), "leaf <- A <- B");
}

TEST(Path, AllChainsOnRequest) {
  const Authority first("First Root");
  const Authority second("Second Root");
  const Authority one(first, "One");
  Question ask;
  ask.trust(first.certificate).trust(second.certificate).chain = {one.issue(leaf()), one.certificate,
                                                                  cross_sign(second, one, make("CN=One").ca())};
  ask.policy.max_chains = 10;
  const Verdict verdict = ask.ask();
  ASSERT_TRUE(verdict.ok()) << verdict.text();
  EXPECT_EQ(path_text(verdict.chain), "leaf <- One <- First Root");
  ASSERT_EQ(verdict.other_chains.size(), 1U);
  EXPECT_EQ(path_text(verdict.other_chains[0]), "leaf <- One <- Second Root");
  ask.policy.max_chains = 0;  // means one
  EXPECT_TRUE(ask.ask().ok());
}

TEST(Path, SameNameOtherKeyIsFoundByKeyIdentifier) {
  // A CA with twenty keys under one name: the key identifier leads to the right one at once.
  Question ask;
  std::vector<Der> roots;
  for (int i = 0; i < 20; ++i) {
    const Key own = key("many " + std::to_string(i));
    roots.push_back(built(make("CN=Many").ca().self_signed(provider(), *own, random_source())));
    ask.trust(roots.back());
  }
  ask.chain = {built(leaf().issued_by(provider(), roots[17], *key("many 17"), key("leaf")->subject_public_key_info(),
                                      random_source()))};
  const Verdict verdict = ask.ask();
  ASSERT_TRUE(verdict.ok()) << verdict.text();
  EXPECT_EQ(verdict.work.signatures, 1U);

  // Without key identifiers all are tried.
  ask.policy = Policy::private_pki();
  ask.chain = {built(leaf().without_key_identifiers().issued_by(
      provider(), roots[17], *key("many 17"), key("leaf")->subject_public_key_info(), random_source()))};
  const Verdict slow = ask.ask();
  ASSERT_TRUE(slow.ok()) << slow.text();
  EXPECT_EQ(slow.work.signatures, 18U);
}

/// Chains of a hundred CAs as in Go's TestPathologicalChains: nobody trusts them, and every path would have to be
/// looked at.
Question pathological(bool same_name, bool same_key) {
  const auto own_key = [&](int i) { return key(same_key ? "pathological" : "pathological " + std::to_string(i)); };
  const auto own_name = [&](int i) {
    return "CN=Pathological" + (same_name ? std::string() : " " + std::to_string(i));
  };
  Der issuer =
      built(make(own_name(0)).without_key_identifiers().ca().self_signed(provider(), *own_key(0), random_source()));
  std::vector<Der> pool = {issuer};
  for (int i = 1; i < 100; ++i) {
    issuer = built(
        make(own_name(i))
            .without_key_identifiers()
            .ca()
            .issued_by(provider(), issuer, *own_key(i - 1), own_key(i)->subject_public_key_info(), random_source()));
    pool.push_back(issuer);
  }
  Question ask;
  ask.trust(Authority("Root").certificate);
  ask.chain = {built(leaf().without_key_identifiers().issued_by(
      provider(), issuer, *own_key(99), key("leaf")->subject_public_key_info(), random_source()))};
  ask.chain.insert(ask.chain.end(), pool.begin(), pool.end());
  ask.policy = Policy::private_pki();
  ask.policy.max_intermediates = 1000;
  return ask;
}

TEST(Path, PathologicalChainsAreGivenUp) {
  for (const bool same_name : {false, true}) {
    for (const bool same_key : {false, true}) {
      Question ask = pathological(same_name, same_key);
      const Verdict verdict = ask.ask();
      EXPECT_FALSE(verdict.ok());
      EXPECT_LE(verdict.work.signatures, ask.policy.max_signatures);
      EXPECT_LE(verdict.work.candidates, ask.policy.max_candidates + 1);
      RecordProperty(
          std::string("work_") + (same_name ? "same" : "other") + "_name_" + (same_key ? "same" : "other") + "_key",
          std::to_string(verdict.work.signatures) + " signatures, " + std::to_string(verdict.work.candidates) +
              " candidates");
    }
  }
}

TEST(Path, LimitsHold) {
  Question ask = pathological(true, false);
  ask.policy.max_signatures = 5;
  Verdict verdict = ask.ask();
  EXPECT_EQ(verdict.code, Code::work_limit_exceeded) << verdict.text();
  EXPECT_EQ(verdict.work.signatures, 5U);

  ask.policy.max_signatures = 1000;
  ask.policy.max_candidates = 7;
  verdict = ask.ask();
  EXPECT_EQ(verdict.code, Code::work_limit_exceeded) << verdict.text();
  EXPECT_EQ(verdict.work.candidates, 8U);

  // Only so many of the certificates are looked at: the one that would complete the path comes too late.
  const Authority root("Root");
  const Authority one(root, "One");
  Question late;
  late.trust(root.certificate).chain = {one.issue(leaf())};
  for (int i = 0; i < 10; ++i) late.chain.push_back(Authority("Another Root").certificate);
  late.chain.push_back(one.certificate);
  EXPECT_TRUE(late.ask().ok());
  late.policy.max_certificates = 11;
  const Verdict limited = late.ask();
  EXPECT_EQ(limited.code, Code::work_limit_exceeded);
  EXPECT_EQ(limited.work.certificates_left, 1U);
  EXPECT_NE(limited.text().find("beyond Policy::max_certificates, 1 certificates"), std::string::npos)
      << limited.text();
}

TEST(Path, WhatAnAnchorIssuedIsTriedFirst) {
  // Six keys of one name have all signed each other, and a seventh certificate of that name, the last that was sent, is
  // by the root.
  const Authority root("Root");
  constexpr int kKeys = 6;
  const auto own_key = [](int i) { return key("crossed " + std::to_string(i)); };
  const auto crossed = [] { return make("CN=Crossed").ca().without_key_identifiers(); };
  std::vector<Der> selves;
  for (int i = 0; i < kKeys; ++i)
    selves.push_back(built(crossed().self_signed(provider(), *own_key(i), random_source())));
  Question ask;
  ask.policy = Policy::private_pki();
  ask.policy.max_signatures = 3;
  const Der by_root = root.issue(crossed(), *own_key(0));
  ask.trust(root.certificate).chain = {built(leaf().without_key_identifiers().issued_by(
      provider(), by_root, *own_key(0), key("leaf")->subject_public_key_info(), random_source()))};
  for (int i = 0; i < kKeys; ++i) {
    for (int k = 0; k < kKeys; ++k) {
      if (i == k) continue;
      ask.chain.push_back(built(crossed().issued_by(provider(), selves[static_cast<std::size_t>(i)], *own_key(i),
                                                    own_key(k)->subject_public_key_info(), random_source())));
    }
  }
  ask.chain.push_back(by_root);
  const Verdict verdict = ask.ask();
  ASSERT_TRUE(verdict.ok()) << verdict.text();
  EXPECT_EQ(path_text(verdict.chain), "leaf <- Crossed <- Root");
  EXPECT_EQ(verdict.work.signatures, 2U);
}

TEST(Path, ManyAnchorsOfOneNameHideNone) {
  // The right one is the last that was added, and nothing tells it from the others.
  Question ask;
  ask.policy = Policy::private_pki();
  ask.policy.max_signatures = 2;
  ask.policy.max_candidates = 2;
  Der right;
  for (int i = 0; i < 12; ++i) {
    right = built(make("CN=Many").ca().without_key_identifiers().self_signed(
        provider(), *key("many " + std::to_string(i)), random_source()));
    ask.trust(right);
  }
  const Der one = built(make("CN=One").ca().without_key_identifiers().issued_by(
      provider(), right, *key("many 11"), key("One")->subject_public_key_info(), random_source()));
  ask.chain = {built(leaf().without_key_identifiers().issued_by(
                   provider(), one, *key("One"), key("leaf")->subject_public_key_info(), random_source())),
               one};
  const Verdict verdict = ask.ask();
  ASSERT_TRUE(verdict.ok()) << verdict.text();
  EXPECT_EQ(verdict.work.signatures, 13U);
}

TEST(Path, LongChainsMeetALimitThatIsNamed) {
  const Authority root("Root");
  Question ask;
  ask.trust(root.certificate).chain = {Der()};
  Authority last(root, "Intermediate 1");
  ask.chain.push_back(last.certificate);
  for (int i = 2; i <= 10; ++i) {
    last = Authority(last, "Intermediate " + std::to_string(i));
    ask.chain.push_back(last.certificate);
  }
  ask.chain[0] = last.issue(leaf());
  const Verdict verdict = ask.ask();
  EXPECT_EQ(verdict.code, Code::cert_chain_too_long) << verdict.text();
  EXPECT_EQ(group(verdict.code), CodeGroup::limit);
  EXPECT_NE(verdict.text().find("Policy::max_intermediates"), std::string::npos) << verdict.text();
  ask.policy = Policy::private_pki();
  EXPECT_TRUE(ask.ask().ok()) << ask.ask().text();
}

TEST(Path, ManyNamesTimesManyConstraintsAreGivenUp) {
  const Authority root("Root");
  CertificateBuilder narrow = make("CN=Narrow").ca();
  CertificateBuilder many = leaf();
  for (int i = 0; i < 1000; ++i) {
    narrow.exclude_dns("excluded" + std::to_string(i) + ".test");
    many.dns("name" + std::to_string(i) + ".test");
  }
  const Authority ca(root, key("Narrow"), narrow);
  Question ask;
  ask.trust(root.certificate).chain = {ca.issue(many), ca.certificate};
  Verdict verdict = ask.ask();
  EXPECT_EQ(verdict.code, Code::work_limit_exceeded) << verdict.text();
  EXPECT_LE(verdict.work.name_comparisons, ask.policy.max_name_comparisons + 1);
  ask.policy.max_name_comparisons = 2'000'000;
  verdict = ask.ask();
  EXPECT_TRUE(verdict.ok()) << verdict.text();
}

TEST(Path, SelfIssuedIntermediatesDoNotCount) {
  // A CA that changes its key signs the new one with the old (RFC 5280 3.2).
  const Authority root("Root");
  const Authority old_one(root, key("One"), make("CN=One").ca(0));
  const Authority new_one(old_one, key("One, new key"), make("CN=One").ca(0));
  Question ask;
  ask.trust(root.certificate).chain = {new_one.issue(leaf()), new_one.certificate, old_one.certificate};
  ask.policy.max_intermediates = 1;
  const Verdict verdict = ask.ask();
  ASSERT_TRUE(verdict.ok()) << verdict.text();
  EXPECT_EQ(verdict.chain.size(), 4U);
}

TEST(Path, TheSameQuestionHasTheSameAnswer) {
  Question ask = pathological(true, true);
  const Verdict first = ask.ask();
  const Verdict second = ask.ask();
  EXPECT_EQ(first.text(), second.text());
  EXPECT_EQ(first.work.signatures, second.work.signatures);
  EXPECT_EQ(first.work.candidates, second.work.candidates);
}

// --- signatures together and remembered ------------------------------------------------------------------------------

/// Botan's P-256, as if it took several signatures in one call. A single one goes its own way, and is no call here.
struct Batches {
  static inline std::vector<std::size_t> calls;

  Batches() : verifier(*provider().verifier(SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p256)), all(provider()) {
    calls.clear();
    verifier.verify_many = [](std::span<VerifyJob> jobs) noexcept {
      calls.push_back(jobs.size());
      for (VerifyJob& job : jobs) {
        job.result = provider()
                         .verifier(SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p256)
                         ->verify(job.subject_public_key_info, job.message, job.signature);
      }
    };
    all.verifiers.insert(all.verifiers.begin(), &verifier);
  }
  SignatureVerifier verifier;
  Provider all;
};

/// With another signature, of another message.
Der spoilt(Der certificate) {
  certificate.back() ^= 1U;
  return certificate;
}

TEST(PathTogether, OneCallForAPath) {
  const Authority root("Root");
  const Authority one(root, "One");
  const Authority two(one, "Two");
  Question ask;
  ask.trust(root.certificate).chain = {two.issue(leaf()), two.certificate, one.certificate};
  const Batches batches;
  const Verdict verdict = ask.ask(batches.all);
  ASSERT_TRUE(verdict.ok()) << verdict.text();
  EXPECT_EQ(verdict.work.signatures, 3U);
  EXPECT_EQ(Batches::calls, std::vector<std::size_t>{3});

  // A key of another kind has a verifier of its own.
  const Authority rsa(root, key("RSA", KeyType::rsa, 2048), make("CN=RSA").ca());
  ask.chain = {rsa.issue(leaf()), rsa.certificate};
  Batches::calls.clear();
  const Verdict mixed = ask.ask(batches.all);
  ASSERT_TRUE(mixed.ok()) << mixed.text();
  EXPECT_EQ(mixed.work.signatures, 2U);
  EXPECT_TRUE(Batches::calls.empty());
}

TEST(PathTogether, AFailureLeadsBackIntoTheSearch) {
  // Nothing tells the two apart that are called One; the first has another key.
  const Authority root("Root");
  const auto shape = [] { return make("CN=One").ca().without_key_identifiers(); };
  const Authority other(root, key("another One"), shape());
  const Authority one(root, key("One"), shape());
  Question ask;
  ask.policy = Policy::private_pki();
  ask.trust(root.certificate).chain = {one.issue(leaf().without_key_identifiers()), other.certificate, one.certificate};
  const Batches batches;
  const Verdict verdict = ask.ask(batches.all);
  ASSERT_TRUE(verdict.ok()) << verdict.text();
  EXPECT_EQ(verdict.chain[1].der().data(), ask.chain[2].data());
  EXPECT_EQ(Batches::calls, std::vector<std::size_t>{2});
  EXPECT_EQ(verdict.work.signatures, 4U);
  EXPECT_EQ(ask.ask().work.signatures, 3U) << "one by one none is verified in vain";
}

TEST(PathTogether, VerdictsAreThoseOfOneByOne) {
  const Authority root("Root");
  const Authority one(root, "One");
  const Authority two(one, "Two");
  const Authority narrow(root, key("Narrow"), make("CN=Narrow").ca().permit_dns("example.org"));
  const Authority below(narrow, "Below");
  std::vector<Question> questions(8);
  for (Question& ask : questions) {
    ask.trust(root.certificate).chain = {two.issue(leaf()), two.certificate, one.certificate};
  }
  for (std::size_t at = 0; at < 3; ++at) questions[at].chain[at] = spoilt(questions[at].chain[at]);
  for (Der& each : questions[3].chain) each = spoilt(each);
  questions[4].time = kNow + 2 * kDay;
  questions[5].chain = {below.issue(leaf()), below.certificate, narrow.certificate};
  questions[6].chain = {below.issue(leaf()), spoilt(below.certificate), narrow.certificate};
  questions[7].chain = {two.issue(leaf()), spoilt(two.certificate)};  // and there it ends
  for (const bool same_name : {false, true}) {
    for (const bool same_key : {false, true}) questions.push_back(pathological(same_name, same_key));
  }
  const Batches batches;
  std::set<Code> codes;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const Verdict alone = questions[i].ask();
    const Verdict together = questions[i].ask(batches.all);
    EXPECT_FALSE(alone.ok());
    EXPECT_EQ(alone.code, together.code) << i;
    if (alone.code != Code::work_limit_exceeded) {  // else the search was given up wherever it stood
      EXPECT_EQ(alone.text(), together.text()) << i;
      EXPECT_EQ(path_text(alone.chain), path_text(together.chain)) << i;
    }
    EXPECT_LE(together.work.signatures, questions[i].policy.max_signatures) << i;
    codes.insert(alone.code);
  }
  EXPECT_GE(codes.size(), 4U);
}

void run_each(std::span<SignatureJob> jobs) {
  for (SignatureJob& each : jobs) lockstep::verify(*each.verifier, each.job);
}

TEST(PathTogether, VerdictsInTwoStepsAreThoseInOne) {
  const Authority root("Root");
  const Authority one(root, "One");
  const Authority two(one, "Two");
  const Authority rsa(root, key("RSA", KeyType::rsa, 2048), make("CN=RSA").ca());
  const Authority narrow(root, key("Narrow"), make("CN=Narrow").ca().permit_dns("example.org"));
  const Authority below(narrow, "Below");
  std::vector<Question> questions(12);
  for (Question& ask : questions)
    ask.trust(root.certificate).chain = {two.issue(leaf()), two.certificate, one.certificate};
  // Each signature in turn, and all of them.
  for (std::size_t at = 0; at < 3; ++at) questions[at].chain[at] = spoilt(questions[at].chain[at]);
  for (Der& each : questions[3].chain) each = spoilt(each);
  questions[4].time = kNow + 2 * kDay;
  questions[5].chain = {below.issue(leaf()), below.certificate, narrow.certificate};
  questions[6].chain = {rsa.issue(leaf()), rsa.certificate};
  questions[7].chain = {two.issue(leaf()), two.certificate};  // and there it ends
  questions[8].chain.clear();
  questions[9].chain = {{0x30, 0x00}};
  questions[10].trust(questions[10].chain.front()).policy.accept_partial_chain = true;
  for (const bool same_name : {false, true}) {
    for (const bool same_key : {false, true}) questions.push_back(pathological(same_name, same_key));
  }
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const Verdict at_once = questions[i].ask();
    const Verdict in_steps = questions[i].ask_in_steps(provider(), run_each);
    EXPECT_EQ(at_once.text(), in_steps.text()) << i;
    EXPECT_EQ(path_text(at_once.chain), path_text(in_steps.chain)) << i;
    EXPECT_EQ(at_once.further.size(), in_steps.further.size()) << i;
    EXPECT_LE(in_steps.work.signatures, questions[i].policy.max_signatures) << i;
  }
  // Signatures of every kind are asked for, and those alone that nobody knows.
  VerifiedLinks links;
  questions[6].verified = &links;
  for (const std::size_t expected : {2U, 0U}) {
    const Verdict verdict = questions[6].ask_in_steps(provider(), [&](std::span<SignatureJob> jobs) {
      EXPECT_EQ(jobs.size(), expected);
      run_each(jobs);
    });
    EXPECT_TRUE(verdict.ok()) << verdict.text();
  }
  // What nobody has run was not verified.
  const Verdict failed = questions[11].ask_in_steps(provider(), [](std::span<SignatureJob>) {});
  EXPECT_EQ(failed.code, Code::out_of_mem);
}

TEST(PathTogether, WhatIsAboveARefusalDoesNotCount) {
  // Above the One that did not sign the leaf stand others, which a signature would have kept from being tried.
  const Authority root("Root");
  const Authority middle(root, "Middle");
  const Authority deeper("Deeper");
  const Authority deep(deeper, "Deep");
  const auto shape = [] { return make("CN=One").ca().without_key_identifiers(); };
  const Authority other(deep, key("another One"), shape());
  const Authority one(middle, key("One"), shape());
  Question ask;
  ask.policy = Policy::private_pki();
  ask.policy.max_candidates = 3;  // two called One, and Middle; the anchor is free
  ask.trust(root.certificate).chain = {one.issue(leaf().without_key_identifiers()),
                                       other.certificate,
                                       deep.certificate,
                                       deeper.certificate,
                                       one.certificate,
                                       middle.certificate};
  const Verdict verdict = ask.ask();
  ASSERT_TRUE(verdict.ok()) << verdict.text();
  EXPECT_EQ(verdict.work.candidates, 4U);
}

TEST(PathTogether, TheLimitHolds) {
  const Authority root("Root");
  const Authority one(root, "One");
  const Authority two(one, "Two");
  Question ask;
  ask.trust(root.certificate).chain = {two.issue(leaf()), two.certificate, one.certificate};
  ask.policy.max_signatures = 1;  // and one for the anchor
  const Batches batches;
  const Verdict verdict = ask.ask(batches.all);
  EXPECT_EQ(verdict.code, Code::work_limit_exceeded) << verdict.text();
  EXPECT_TRUE(Batches::calls.empty());
  ask.policy.max_signatures = 2;
  EXPECT_TRUE(ask.ask(batches.all).ok());
}

TEST(PathPrepared, AnchorsVerifyByTheKeyThatWasMadeReady) {
  // A verifier that does nothing but with such a key.
  SignatureVerifier only = *provider().verifier(SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p256);
  ASSERT_NE(only.prepare, nullptr);
  only.verify = [](Bytes, Bytes, Bytes) noexcept { return VerifyResult::failed; };
  Provider other = provider();
  other.verifiers.insert(other.verifiers.begin(), &only);
  const Authority root("Root");
  Question ask;
  ask.trust(Authority("Another Root").certificate).trust(root.certificate).chain = {root.issue(leaf())};
  EXPECT_EQ(ask.ask(other).code, Code::out_of_mem);
  ask.anchors.prepare(other);
  ask.anchors.prepare(other);  // again is the same
  EXPECT_TRUE(ask.ask(other).ok());
  EXPECT_TRUE(ask.ask().ok()) << "another verifier has no use for it";
  ask.chain[0] = spoilt(ask.chain[0]);
  EXPECT_EQ(ask.ask(other).code, Code::cert_signature_failure);
}

/// A question that was answered once, and the memo that has its two signatures.
struct Remembered {
  Remembered() {
    ask.trust(root.certificate).chain = {one.issue(leaf()), one.certificate};
    ask.verified = &links;
    const Verdict first = ask.ask();
    EXPECT_TRUE(first.ok()) << first.text();
    EXPECT_EQ(first.work.signatures, 2U);
    EXPECT_EQ(first.work.remembered, 0U);
  }
  Authority root{"Root"};
  Authority one{root, "One"};
  VerifiedLinks links;
  Question ask;
};

TEST(PathRemembered, AreNotVerifiedAgain) {
  Remembered known;
  const Verdict again = known.ask.ask();
  ASSERT_TRUE(again.ok()) << again.text();
  EXPECT_EQ(again.work.signatures, 0U);
  EXPECT_EQ(again.work.remembered, 2U);
  EXPECT_EQ(path_text(again.chain), "leaf <- One <- Root");
  // Another leaf of the same issuer.
  known.ask.chain[0] = known.one.issue(leaf());
  const Verdict other = known.ask.ask();
  ASSERT_TRUE(other.ok()) << other.text();
  EXPECT_EQ(other.work.signatures, 1U);
  EXPECT_EQ(other.work.remembered, 1U);
}

TEST(PathRemembered, NothingButTheSignatureIs) {
  Remembered known;
  const auto judged = [&](auto change, Code code) {
    Question ask;
    ask.trust(known.root.certificate).chain = known.ask.chain;
    ask.verified = &known.links;
    change(ask);
    const Verdict verdict = ask.ask();
    EXPECT_EQ(verdict.code, code) << verdict.text();
    return verdict.work;
  };
  static constexpr std::array kOnly = {SignatureAlgorithm::ecdsa_sha384};
  judged([](Question& ask) { ask.time = kNow + 2 * kDay; }, Code::cert_has_expired);
  judged([](Question& ask) { ask.policy.max_intermediates = 0; }, Code::cert_chain_too_long);
  judged([](Question& ask) { ask.policy.signature_algorithms = kOnly; }, Code::unsupported_signature_algorithm);
  judged([](Question& ask) { ask.anchors = TrustAnchors(); }, Code::unable_to_get_issuer_cert_locally);
  // A stranger who shows it learns nothing by the time that it takes.
  const Work work =
      judged([](Question& ask) { ask.name = PeerName::dns("example.org").value(); }, Code::hostname_mismatch);
  EXPECT_EQ(work.remembered, 0U);
  EXPECT_EQ(work.signatures, 2U);
}

TEST(PathRemembered, AChangedByteIsAnother) {
  Remembered known;
  known.ask.chain[0] = spoilt(known.ask.chain[0]);
  for (int i = 0; i < 2; ++i) {  // what is invalid is not remembered either
    const Verdict verdict = known.ask.ask();
    EXPECT_EQ(verdict.code, Code::cert_signature_failure) << verdict.text();
    EXPECT_EQ(verdict.depth, 0U);
    EXPECT_EQ(verdict.work.remembered, 0U);
    EXPECT_EQ(verdict.work.signatures, 1U);
  }
  // The issuer's name with another key.
  const Authority other(known.root, key("another One"), make("CN=One").ca().without_key_identifiers());
  known.ask.policy = Policy::private_pki();
  known.ask.chain = {known.one.issue(leaf().without_key_identifiers()), known.one.certificate};
  EXPECT_TRUE(known.ask.ask().ok());
  known.ask.chain[1] = other.certificate;
  const Verdict verdict = known.ask.ask();
  EXPECT_EQ(verdict.code, Code::cert_signature_failure) << verdict.text();
  EXPECT_EQ(verdict.work.remembered, 0U);
}

TEST(PathRemembered, WhatAnotherVerifierFoundIsItsOwn) {
  Remembered known;
  SignatureVerifier agreeing = *provider().verifier(SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p256);
  agreeing.verify = [](Bytes, Bytes, Bytes) noexcept { return VerifyResult::valid; };
  Provider other = provider();
  other.verifiers.insert(other.verifiers.begin(), &agreeing);
  known.ask.chain[0] = spoilt(known.ask.chain[0]);
  const Verdict wrong = known.ask.ask(other);
  EXPECT_TRUE(wrong.ok());
  EXPECT_EQ(wrong.work.remembered, 0U);
  EXPECT_EQ(known.ask.ask(other).work.remembered, 2U);
  EXPECT_EQ(known.ask.ask().code, Code::cert_signature_failure);
}

TEST(PathRemembered, OnlyOfChainsThatWereAccepted) {
  const Authority root("Root");
  const Authority one(root, "One");
  VerifiedLinks links;
  Question ask;
  ask.verified = &links;
  ask.trust(root.certificate).chain = {one.issue(leaf()), one.certificate};
  ask.name = PeerName::dns("example.org").value();
  EXPECT_EQ(ask.ask().code, Code::hostname_mismatch);
  ask.name = PeerName::dns("example.com").value();
  Question stranger;
  stranger.verified = &links;
  stranger.trust(Authority("Another Root").certificate).chain = ask.chain;
  EXPECT_FALSE(stranger.ask().ok());
  const Verdict verdict = ask.ask();
  EXPECT_TRUE(verdict.ok());
  EXPECT_EQ(verdict.work.remembered, 0U);
  EXPECT_EQ(ask.ask().work.remembered, 2U);
}

TEST(PathRemembered, NotByAHashThatAnybodyCanCollide) {
  Remembered known;
  Hash weak = *provider().hash(HashAlgorithm::sha256);
  weak.insecure = true;
  Provider other = provider();
  other.hashes = {&weak};
  const Verdict by_weak = known.ask.ask(other);
  EXPECT_TRUE(by_weak.ok());
  EXPECT_EQ(by_weak.work.remembered, 0U);
  other.hashes.clear();
  EXPECT_EQ(known.ask.ask(other).work.signatures, 2U);
}

TEST(PathRemembered, ASelfSignedLeafToo) {
  VerifiedLinks links;
  Question ask;
  const Der self = built(leaf()
                             .ca()
                             .key_usage({KeyUsage::key_cert_sign, KeyUsage::digital_signature})
                             .self_signed(provider(), *key("self"), random_source()));
  ask.trust(self).chain = {self};
  ask.verified = &links;
  EXPECT_EQ(ask.ask().work.signatures, 1U);
  const Verdict again = ask.ask();
  EXPECT_TRUE(again.ok());
  EXPECT_EQ(again.work.signatures, 0U);
  EXPECT_EQ(again.work.remembered, 1U);
}

TEST(PathRemembered, SeveralChains) {
  const Authority first("First Root");
  const Authority second("Second Root");
  const Authority one(first, "One");
  VerifiedLinks links;
  Question ask;
  ask.trust(first.certificate).trust(second.certificate).chain = {one.issue(leaf()), one.certificate,
                                                                  cross_sign(second, one, make("CN=One").ca())};
  ask.policy.max_chains = 10;
  ask.verified = &links;
  EXPECT_EQ(ask.ask().work.signatures, 4U);
  const Verdict again = ask.ask();
  EXPECT_EQ(again.other_chains.size(), 1U);
  EXPECT_EQ(again.work.signatures, 0U);
}

// --- one's own chain -------------------------------------------------------------------------------------------------

TEST(BuildChain, FindsTheIntermediatesAndLeavesOutTheRoot) {
  const Authority root("Root");
  const Authority one(root, "One");
  const Authority two(one, "Two");
  const Der own = two.issue(leaf());
  const Authority another("Another Root");
  const Der same_name = another.issue(make("CN=Two").ca(), *key("somebody else"));
  const std::vector<Bytes> candidates = {root.certificate, same_name, one.certificate, Bytes(), two.certificate};
  const std::vector<Bytes> chain = build_chain(provider(), own, candidates);
  ASSERT_EQ(chain.size(), 3U);
  EXPECT_TRUE(equal(chain[0], own));
  EXPECT_TRUE(equal(chain[1], two.certificate));
  EXPECT_TRUE(equal(chain[2], one.certificate));
  EXPECT_EQ(chain[1].data(), two.certificate.data()) << "a view of what was given";
}

TEST(BuildChain, StopsWhereNothingFits) {
  const Authority root("Root");
  const Authority one(root, "One");
  const Der own = one.issue(leaf());
  EXPECT_EQ(build_chain(provider(), own, {}).size(), 1U);
  EXPECT_TRUE(build_chain(provider(), Der{1, 2}, {}).empty());
  // Two that signed each other.
  const Authority a("A");
  const Authority b("B");
  const Der a_by_b = cross_sign(b, a, make("CN=A").ca());
  const Der b_by_a = cross_sign(a, b, make("CN=B").ca());
  const std::vector<Bytes> loop = {a_by_b, b_by_a};
  EXPECT_EQ(build_chain(provider(), a.issue(leaf()), loop).size(), 3U);
}

}  // namespace
}  // namespace lockstep::x509::test
