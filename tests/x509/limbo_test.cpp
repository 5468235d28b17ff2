// The cases of x509-limbo (https://github.com/C2SP/x509-limbo, Apache-2.0): chains with the verdict that they deserve.
//
// LOCKSTEP_LIMBO names the file, limbo.json or limbo.json.xz. Every case runs under the default policy with what the
// case itself demands (depth, role), and those that the tables below name under a stricter one as well. What comes of
// it stands in docs/conformance.md.

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <lockstep/botan.hpp>
#include <lockstep/x509.hpp>

namespace {

using namespace lockstep;
using namespace lockstep::x509;
using nlohmann::json;

struct Note {
  std::string_view prefix;  // of the case's id
  std::string_view reason;
};

/// What is not tried at all.
constexpr std::array kSkipped = std::to_array<Note>({
    {"crl::", "revocation lists are not checked yet"},
    {"webpki::san::public-suffix-multi-label-wildcard-san",
     "needs the Public Suffix List, which a library without I/O does not carry"},
    {"webpki::san::public-suffix-private-namespace-wildcard-san",
     "needs the Public Suffix List, which a library without I/O does not carry"},
});

/// What is answered otherwise than the case expects. A valid chain may be refused here, never an invalid one accepted.
constexpr std::array kKnownWrong = std::to_array<Note>({
    {"rfc5280::ca-as-leaf",
     "webpki::ca-as-leaf is the same chain and wants it refused; it is, unless Policy::refuse_ca_as_leaf is off"},
    {"pathlen::validation-ignores-pathlen-in-leaf", "a CA's certificate as the leaf, as in rfc5280::ca-as-leaf"},
});

/// Cases about rules that are off by default, because others of the cases, or many certificates in use, break them.
struct Special {
  std::string_view prefix;
  std::string_view feature;
  std::string_view policy;
  void (*adjust)(Policy&);
  std::string_view reason;
};
constexpr std::array kSpecial = std::to_array<Special>({
    {"webpki::cn::", "", "Policy::web_pki()", [](Policy& policy) { policy = Policy::web_pki(); },
     "a common name must be one of the alternative names; 400 of the valid cases have another"},
    {"webpki::eku::", "pedantic-webpki-eku", "Policy::web_pki()", [](Policy& policy) { policy = Policy::web_pki(); },
     "the leaf must have an extended key usage, the root must not; rfc5280::eku::ee-without-eku is valid "
     "without"},
    {"rfc5280::aki::cross-signed-root-missing-aki", "pedantic-rfc5280", "Policy::require_anchor_form",
     [](Policy& policy) { policy.require_anchor_form = true; },
     "an anchor that is not self-signed must name its issuer's key; that of cve::cve-2024-0567 does not"},
    {"webpki::aki::root-with-aki-", "", "Policy::require_anchor_form",
     [](Policy& policy) { policy.require_anchor_form = true; },
     "a root's authority key identifier; Certigna and QuoVadis Root CA 2 and 3 break the rule"},
    {"rfc5280::ski::root-missing-ski", "", "Policy::require_anchor_form",
     [](Policy& policy) { policy.require_anchor_form = true; },
     "a root's subject key identifier; TWCA Global Root CA has none"},
    {"rfc5280::root-non-critical-basic-constraints", "", "Policy::require_anchor_form",
     [](Policy& policy) { policy.require_anchor_form = true; },
     "critical basic constraints; ePKI Root Certification Authority has them otherwise"},
    {"rfc5280::nc::permitted-dns-match-noncritical", "rfc5280-incompatible-with-webpki",
     "Policy::require_critical_name_constraints",
     [](Policy& policy) { policy.require_critical_name_constraints = true; },
     "webpki::nc::permitted-dns-match-noncritical is valid without"},
});

struct Outcome {
  bool accepted = false;
  std::string text;
  Work work;
};

std::string read_limbo(const std::string& path);
std::int64_t unix_time(const std::string& text);
std::vector<std::uint8_t> der_of(const std::string& pem_text);
Policy policy_for(const json& test, const Special* special);
const Special* special_of(const json& test);
Outcome run(const Provider& provider, const json& test, const Special* special);
const Note* find(std::span<const Note> notes, std::string_view id);
std::string grouped(std::size_t number);
void expect_on_page(const std::string& row);

TEST(Limbo, EveryCase) {
  const char* const path = std::getenv("LOCKSTEP_LIMBO");
  if (path == nullptr) GTEST_SKIP() << "LOCKSTEP_LIMBO does not name limbo.json or limbo.json.xz";
  const json limbo = json::parse(read_limbo(path));
  const Provider provider = botan::provider();

  std::size_t right = 0, wrong = 0, skipped = 0, wrongly_accepted = 0, right_by_default = 0;
  struct Count {
    std::size_t cases = 0;
    std::size_t right = 0;
  };
  std::map<std::string_view, Count> stricter;
  std::size_t most_signatures = 0, most_candidates = 0, most_comparisons = 0;
  std::set<std::string> unexpected;
  const auto start = std::chrono::steady_clock::now();
  for (const json& test : limbo.at("testcases")) {
    const std::string id = test.at("id");
    if (const Note* note = find(kSkipped, id)) {
      ++skipped;
      std::cout << "skipped  " << id << ": " << note->reason << '\n';
      continue;
    }
    const bool valid = test.at("expected_result") == "SUCCESS";
    const Special* const special = special_of(test);
    const Outcome outcome = run(provider, test, special);
    if (special != nullptr) {
      const Outcome by_default = run(provider, test, nullptr);
      Count& count = stricter[special->policy];
      ++count.cases;
      if (outcome.accepted == valid) ++count.right;
      if (by_default.accepted == valid) ++right_by_default;
      std::cout << "special  " << id << ": " << special->policy << ": " << special->reason << "; the default "
                << (by_default.accepted ? "accepts" : "refuses") << '\n';
    } else if (outcome.accepted == valid) {
      ++right_by_default;
    }
    most_signatures = std::max(most_signatures, outcome.work.signatures);
    most_candidates = std::max(most_candidates, outcome.work.candidates);
    most_comparisons = std::max(most_comparisons, outcome.work.name_comparisons);
    if (outcome.accepted == valid) {
      ++right;
      if (std::getenv("LOCKSTEP_LIMBO_VERBOSE") != nullptr && !id.starts_with("bettertls"))
        std::cout << "right    " << id << ": " << outcome.text << '\n';
      continue;
    }
    ++wrong;
    if (!valid) ++wrongly_accepted;
    const Note* const known = find(kKnownWrong, id);
    if (known == nullptr) unexpected.insert(id);
    std::cout << "wrong    " << id << ": " << (valid ? "a valid chain refused" : "AN INVALID CHAIN ACCEPTED") << ": "
              << (known != nullptr ? known->reason : "unexpected") << "\n           " << outcome.text << '\n';
  }
  const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  std::cout << "x509-limbo: " << right << " right, " << wrong << " wrong, " << skipped << " skipped of "
            << right + wrong + skipped << " in " << spent.count() << " ms; most work for one case: " << most_signatures
            << " signatures, " << most_candidates << " issuers, " << most_comparisons << " names compared\n";
  const auto row = [](std::string_view policy, const Count& count) {
    return "| " + std::string(policy) + " | " + grouped(count.cases) + " | " + grouped(count.right) + " |\n";
  };
  std::vector<std::string> table = {row("the default", {right + wrong, right_by_default})};
  for (const auto& [policy, count] : stricter) table.push_back(row('`' + std::string(policy) + '`', count));
  table.push_back(row("every case under the policy that has its rule", {right + wrong, right}));
  for (const std::string& line : table) {
    std::cout << line;
    expect_on_page(line);
  }
  EXPECT_EQ(right + wrong + skipped, 9780U);
  EXPECT_EQ(wrongly_accepted, 0U);
  EXPECT_LE(wrong, 14U);
  EXPECT_TRUE(unexpected.empty()) << unexpected.size() << " cases are wrong without being known to be";
}

Outcome run(const Provider& provider, const json& test, const Special* special) {
  TrustAnchors anchors;
  for (const json& trusted : test.at("trusted_certs")) anchors.add_pem(trusted.get<std::string>());
  std::vector<std::vector<std::uint8_t>> storage;
  storage.push_back(der_of(test.at("peer_certificate")));
  for (const json& untrusted : test.at("untrusted_intermediates"))
    storage.push_back(der_of(untrusted.get<std::string>()));
  const std::vector<Bytes> chain(storage.begin(), storage.end());

  PeerName name = NoNameCheck{};
  if (const json& expected = test.at("expected_peer_name"); !expected.is_null()) {
    const std::string value = expected.at("value");
    const auto parsed = expected.at("kind") == "IP" ? PeerName::ip(value) : PeerName::dns(value);
    if (!parsed) return {false, "name: " + std::string(explanation(parsed.error())), {}};
    name = *parsed;
  }
  const std::int64_t time =
      test.at("validation_time").is_null()
          ? std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
                .count()
          : unix_time(test.at("validation_time"));
  const Verdict verdict = verify({.provider = provider,
                                  .anchors = anchors,
                                  .chain = chain,
                                  .peer = test.at("validation_kind") == "SERVER" ? Role::server : Role::client,
                                  .name = name,
                                  .time = time,
                                  .policy = policy_for(test, special)});
  // A client's names are for the application to read: all that the case expects must be there.
  for (const json& expected : test.at("expected_peer_names")) {
    if (!verdict.ok()) break;
    const std::string text = "email:" + expected.at("value").get<std::string>();
    bool found = false;
    for (const GeneralName& alternative : verdict.chain.front().alternative_names())
      found = found || alternative.text() == text;
    if (!found) return {false, "the certificate lacks the expected name " + text, verdict.work};
  }
  return {verdict.ok(), verdict.text(), verdict.work};
}

Policy policy_for(const json& test, const Special* special) {
  Policy policy;
  if (special != nullptr) special->adjust(policy);
  if (const json& depth = test.at("max_chain_depth"); !depth.is_null()) policy.max_intermediates = depth;
  return policy;
}

const Special* special_of(const json& test) {
  const std::string id = test.at("id");
  for (const Special& special : kSpecial) {
    bool has_feature = special.feature.empty();
    for (const json& feature : test.at("features")) has_feature = has_feature || feature == special.feature;
    if (has_feature && id.starts_with(special.prefix)) return &special;
  }
  return nullptr;
}

const Note* find(std::span<const Note> notes, std::string_view id) {
  for (const Note& note : notes) {
    if (id.starts_with(note.prefix)) return &note;
  }
  return nullptr;
}

std::string grouped(std::size_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

void expect_on_page(const std::string& row) {
  std::ifstream file(LOCKSTEP_CONFORMANCE_PAGE);
  const std::string page(std::istreambuf_iterator<char>(file), {});
  EXPECT_NE(page.find(row), std::string::npos) << "docs/conformance.md does not say: " << row;
}

std::vector<std::uint8_t> der_of(const std::string& pem_text) {
  PemReader reader(pem_text);
  const auto object = reader.next();
  if (!object || !*object) return {};
  const Bytes der = (*object)->der.view();
  return {der.begin(), der.end()};
}

/// "2026-11-20T20:31:24+00:00", perhaps with a fraction of a second, which is dropped.
std::int64_t unix_time(const std::string& text) {
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = 0;
    std::from_chars(text.data() + at, text.data() + at + size, value);
    return value;
  };
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  EXPECT_TRUE(text.ends_with("+00:00") || text.ends_with("Z")) << text;
  return ((std::int64_t{days} * 24 + number(11, 2)) * 60 + number(14, 2)) * 60 + number(17, 2);
}

std::string read_limbo(const std::string& path) {
  const bool packed = path.ends_with(".xz");
  struct Close {
    bool packed;
    void operator()(std::FILE* file) const { packed ? pclose(file) : std::fclose(file); }
  };
  const std::string command = "xz -dc '" + path + "'";
  const std::unique_ptr<std::FILE, Close> file(packed ? popen(command.c_str(), "r") : std::fopen(path.c_str(), "r"),
                                               Close{packed});
  std::string out;
  std::array<char, 65536> buffer{};
  for (std::size_t size = 0; file && (size = std::fread(buffer.data(), 1, buffer.size(), file.get())) > 0;)
    out.append(buffer.data(), size);
  return out;
}

}  // namespace
