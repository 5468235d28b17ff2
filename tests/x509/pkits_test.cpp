// The Public Key Interoperability Test Suite of NIST (https://csrc.nist.gov/projects/pki-testing): paths with the
// answer that they deserve.
//
// LOCKSTEP_PKITS names a folder with vectors.json and certs/, as Go's sources have it; without it the folder of
// Debian's golang-src is taken if it is there. Rows about revocation and policies, which are not judged here, are left
// out. What comes of the others stands in docs/conformance.md.

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <lockstep/botan.hpp>
#include <lockstep/x509.hpp>

namespace {

using namespace lockstep;
using namespace lockstep::x509;
using nlohmann::json;

/// A moment at which the certificates are valid: 2020-09-13.
constexpr std::int64_t kNow = 1'600'000'000;

/// Sections and single rows that need revocation lists or the policies of a path.
constexpr std::array<std::string_view, 13> kNotJudged = {"4.4.",   "4.5.2 ", "4.5.5 ", "4.5.7 ", "4.7.4 ",
                                                         "4.7.5 ", "4.14.",  "4.15.",  // revocation
                                                         "4.8.",   "4.9.",   "4.10.",  "4.11.",  "4.12."};  // policies

/// Valid paths that are refused.
constexpr std::array<std::string_view, 2> kKnownWrong = {"4.1.4 ",  // DSA, which TLS 1.3 does not have
                                                         "4.1.5 "};

std::optional<std::filesystem::path> suite();
std::vector<std::uint8_t> file(const std::filesystem::path& path);
bool is_one_of(std::string_view name, std::span<const std::string_view> prefixes);

TEST(Pkits, RowsWithoutRevocationAndPolicies) {
  const auto folder = suite();
  if (!folder) GTEST_SKIP() << "LOCKSTEP_PKITS does not name the suite, and there is no golang-src";
  std::ifstream vectors(*folder / "vectors.json");
  const Provider provider = botan::provider();
  std::size_t rows = 0, right = 0, right_by_default = 0;
  for (const json& row : json::parse(vectors)) {
    const std::string name = row.at("Name");
    if (is_one_of(name, kNotJudged)) continue;
    ++rows;
    // Anchor first, the certificate to be judged last.
    std::vector<std::vector<std::uint8_t>> path;
    for (const json& certificate : row.at("CertPath"))
      path.push_back(file(*folder / "certs" / certificate.get<std::string>()));
    TrustAnchors anchors;
    ASSERT_TRUE(anchors.add(path.front())) << name;
    const std::vector<Bytes> chain(path.rbegin(), path.rend() - 1);
    const auto judge = [&](const Policy& policy) {
      return verify({.provider = provider,
                     .anchors = anchors,
                     .chain = chain,
                     .peer = Role::server,
                     .name = NoNameCheck{},
                     .time = kNow,
                     .policy = policy});
    };
    const bool valid = row.at("ShouldValidate");
    const Verdict by_default = judge({});
    EXPECT_TRUE(valid || !by_default.ok()) << name << ": accepted by default";
    if (by_default.ok() == valid) ++right_by_default;
    const Verdict verdict = judge(Policy::private_pki());
    EXPECT_EQ(verdict.ok() == valid, !is_one_of(name, kKnownWrong)) << name << ": " << verdict.text();
    if (verdict.ok() == valid) ++right;
  }
  const auto line = [&](std::string_view policy, std::size_t count) {
    return "| " + std::string(policy) + " | " + std::to_string(rows) + " | " + std::to_string(count) + " |\n";
  };
  const auto page = file(LOCKSTEP_CONFORMANCE_PAGE);
  for (const std::string& row : {line("the default", right_by_default), line("`Policy::private_pki()`", right)}) {
    std::cout << row;
    EXPECT_NE(as_text(page).find(row), std::string_view::npos) << "docs/conformance.md does not say: " << row;
  }
  EXPECT_EQ(rows, 90U);
}

std::optional<std::filesystem::path> suite() {
  if (const char* const named = std::getenv("LOCKSTEP_PKITS")) return named;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/share", error)) {
    if (!entry.path().filename().string().starts_with("go-")) continue;
    const auto folder = entry.path() / "src/crypto/x509/testdata/nist-pkits";
    if (exists(folder / "vectors.json", error)) return folder;
  }
  return std::nullopt;
}

std::vector<std::uint8_t> file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool is_one_of(std::string_view name, std::span<const std::string_view> prefixes) {
  for (const std::string_view prefix : prefixes) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace
