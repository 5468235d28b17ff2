// Anchors, chains and keys from files.

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <lockstep/files.hpp>

#include "pki.hpp"
#include "x509/checks.hpp"

namespace lockstep::x509::test {
namespace {

/// A directory of one's own, gone afterwards.
class Files : public testing::Test {
 protected:
  Files() {
    std::string pattern = (std::filesystem::temp_directory_path() / "lockstep-files-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
  }
  ~Files() override {
    std::filesystem::remove_all(directory_);
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (directory_ / name).string(); }
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  std::string write(const std::string& name, const Der& der) const { return write(name, as_text(der)); }

  std::filesystem::path directory_;
};

TEST_F(Files, AnchorsFromPemAndDer) {
  const Authority one("One Root");
  const Authority two("Two Root");
  TrustAnchors anchors;
  const auto pem_file = files::add_anchors(
      anchors, write("ca.pem", pem("CERTIFICATE", one.certificate) + pem("CERTIFICATE", one.certificate)));
  ASSERT_TRUE(pem_file) << pem_file.error().text();
  EXPECT_EQ(pem_file->added, 1U);
  EXPECT_EQ(pem_file->duplicates, 1U);
  const auto der_file = files::add_anchors(anchors, write("ca.der", two.certificate));
  ASSERT_TRUE(der_file) << der_file.error().text();
  EXPECT_EQ(anchors.size(), 2U);
}

TEST_F(Files, AnchorsFromADirectory) {
  std::filesystem::create_directory(directory_ / "certs");
  write("certs/a.pem", pem("CERTIFICATE", Authority("One Root").certificate));
  write("certs/b.der", Authority("Two Root").certificate);
  std::filesystem::create_symlink(path("certs/a.pem"), path("certs/0a1b2c3d.0"));
  std::filesystem::create_directory(directory_ / "certs/sub");
  write("certs/README", "no certificate");
  write("certs/bad.pem", pem("CERTIFICATE", Der{0x30, 0}));
  TrustAnchors anchors;
  const auto report = files::add_anchors(anchors, path("certs"));
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->added, 2U);
  EXPECT_EQ(report->duplicates, 1U);
  EXPECT_EQ(report->problem_count, 1U);
  ASSERT_EQ(report->problems.size(), 1U);
  EXPECT_EQ(report->problems[0].text().find(path("certs/bad.pem") + ": line 1: truncated"), 0U)
      << report->problems[0].text();
}

TEST_F(Files, ErrorsNameTheFileAndWhatToDo) {
  TrustAnchors anchors;
  const auto missing = files::add_anchors(anchors, path("missing"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().system_error, ENOENT);
  EXPECT_EQ(missing.error().text().find(path("missing") + ": cannot be read: "), 0U) << missing.error().text();
  const auto no_anchor = files::add_anchors(anchors, write("words", "just words\n"));
  ASSERT_FALSE(no_anchor);
  EXPECT_NE(no_anchor.error().text().find("BEGIN CERTIFICATE"), std::string::npos);
  const auto bad_anchor = files::add_anchors(anchors, write("bad", pem("CERTIFICATE", Der{0x30, 0})));
  ASSERT_FALSE(bad_anchor);
  EXPECT_NE(bad_anchor.error().text().find("line 1: truncated"), std::string::npos) << bad_anchor.error().text();
  const auto bad_der = files::add_anchors(anchors, write("bad.der", std::string_view("0\x05", 2)));
  ASSERT_FALSE(bad_der);
  EXPECT_NE(bad_der.error().text().find("not a certificate: truncated"), std::string::npos) << bad_der.error().text();
  const auto directory = files::read_file(directory_.string());
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().system_error, EISDIR);
  const auto large = files::read_file(write("large", std::string(100, 'x')), 99);
  ASSERT_FALSE(large);
  EXPECT_NE(large.error().reason.find("more than 99 bytes"), std::string::npos);
  EXPECT_EQ(files::read_file(path("large"), 100)->view().size(), 100U);
  EXPECT_EQ(files::load_chain(path("missing")).error().system_error, ENOENT);
  EXPECT_EQ(files::load_private_key(provider(), path("missing")).error().system_error, ENOENT);
}

TEST_F(Files, LargeFilesAreReadWhole) {
  std::string text(300'000, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 26);
  const auto read = files::read_file(write("file", text));
  ASSERT_TRUE(read);
  EXPECT_EQ(as_text(read->view()), text);
}

TEST_F(Files, SizesAtTheLimit) {
  for (const std::size_t limit : {0U, 1U, 16383U, 16384U, 16385U, 40000U}) {
    SCOPED_TRACE(limit);
    const auto whole = files::read_file(write("file", std::string(limit, 'x')), limit);
    ASSERT_TRUE(whole) << whole.error().text();
    EXPECT_EQ(whole->view().size(), limit);
    EXPECT_FALSE(files::read_file(write("file", std::string(limit + 1, 'x')), limit));
  }
  const auto unlimited = files::read_file(write("file", std::string(40000, 'x')), SIZE_MAX);
  ASSERT_TRUE(unlimited) << unlimited.error().text();
  EXPECT_EQ(unlimited->view().size(), 40000U);
  EXPECT_EQ(files::read_file(path("file"), SIZE_MAX - 1)->view().size(), 40000U);
}

TEST_F(Files, Credentials) {
  const Authority root("Root");
  const Der pkcs8 = new_pkcs8(KeyType::ec_p256);
  const Key own = provider().key_loader(KeyType::ec_p256)->load(pkcs8).value();
  const Der own_leaf = root.issue(leaf(), *own);
  const std::string chain = write("chain.pem", pem("CERTIFICATE", own_leaf) + pem("CERTIFICATE", root.certificate));
  const std::string key_file = write("key.pem", pem("PRIVATE KEY", pkcs8));
  const auto credential = files::load_credential(provider(), chain, key_file);
  ASSERT_TRUE(credential) << credential.error().text();
  EXPECT_EQ((*credential)->chain.size(), 2U);
  EXPECT_EQ((*credential)->key->type(), KeyType::ec_p256);
  EXPECT_EQ((*credential)->schemes,
            (std::vector{SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ecdsa_sha1}));
  // Both in one file.
  const std::string both = write("both.pem", pem("PRIVATE KEY", pkcs8) + pem("CERTIFICATE", own_leaf));
  EXPECT_TRUE(files::load_credential(provider(), both, both));

  const auto other =
      files::load_credential(provider(), chain, write("other.pem", pem("PRIVATE KEY", new_pkcs8(KeyType::ec_p256))));
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().text().find("other.pem: is not the key of the certificate in"), std::string::npos)
      << other.error().text();
  const auto swapped = files::load_credential(
      provider(), write("swapped.pem", pem("CERTIFICATE", root.certificate) + pem("CERTIFICATE", own_leaf)), key_file);
  ASSERT_FALSE(swapped);
  EXPECT_NE(swapped.error().text().find("put that one first"), std::string::npos) << swapped.error().text();
}

TEST_F(Files, CredentialsInAnyOrder) {
  const Authority root("Root");
  const Der one = new_pkcs8(KeyType::ec_p256);
  const Der two = new_pkcs8(KeyType::ed25519);
  const Der other = new_pkcs8(KeyType::ec_p256);
  const auto certificate_of = [&](const Der& pkcs8, KeyType type) {
    return root.issue(leaf(), *provider().key_loader(type)->load(pkcs8).value());
  };
  const Der first = certificate_of(one, KeyType::ec_p256);
  const Der second = certificate_of(two, KeyType::ed25519);
  const std::array files{write("roots.pem", pem("CERTIFICATE", root.certificate) + pem("CERTIFICATE", second)),
                         write("keys.pem", pem("PRIVATE KEY", two) + pem("PRIVATE KEY", one)),
                         write("leaf.der", first)};
  const auto found = files::load_credentials(provider(), files);
  ASSERT_TRUE(found) << found.error().text();
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0]->key->type(), KeyType::ed25519);
  EXPECT_EQ((*found)[0]->chain, std::vector<Der>(1, second)) << "the anchor is left out";
  EXPECT_EQ((*found)[1]->chain, std::vector<Der>(1, first));

  const auto refused = [&](std::vector<std::string> paths) {
    const auto result = files::load_credentials(provider(), paths);
    return result ? "taken" : result.error().text();
  };
  const std::string alone = write("alone.pem", pem("PRIVATE KEY", other));
  EXPECT_NE(refused({files[0], files[1], files[2], alone}).find("alone.pem: has a key that no certificate"),
            std::string::npos);
  EXPECT_NE(refused({write("empty.pem", "nothing")}).find("neither a certificate nor a private key"),
            std::string::npos);
  EXPECT_NE(refused({files[1], write("damaged.pem", pem("CERTIFICATE", first) + pem("CERTIFICATE", Der{0x30, 0x00}))})
                .find("damaged.pem: line "),
            std::string::npos)
      << "and not that a key lacks its certificate";
  EXPECT_NE(refused({path("missing.pem")}).find("cannot be read"), std::string::npos);
  EXPECT_NE(refused({write("broken.pem", "-----BEGIN CERTIFICATE-----\n")}).find("line 1"), std::string::npos);
}

TEST_F(Files, CredentialsAreReadAgainWhenTheyHaveChanged) {
  const Authority root("Root");
  const auto renew = [&] {
    const Der pkcs8 = new_pkcs8(KeyType::ec_p256);
    const Der certificate = root.issue(leaf(), *provider().key_loader(KeyType::ec_p256)->load(pkcs8).value());
    // As it is done: a new file takes the place of the old one.
    write("new.pem", pem("CERTIFICATE", certificate) + pem("PRIVATE KEY", pkcs8));
    std::filesystem::rename(path("new.pem"), path("both.pem"));
  };
  renew();
  const std::string both = path("both.pem");
  files::CredentialCache cache(provider());
  const auto first = cache.load(both, both);
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(cache.load(both, both).value(), *first) << "the very same";
  renew();
  const auto second = cache.load(both, both);
  ASSERT_TRUE(second);
  EXPECT_NE(*second, *first);
  EXPECT_EQ(cache.size(), 1U);
  write("both.pem", "half of it");
  EXPECT_FALSE(cache.load(both, both));
  EXPECT_EQ(cache.size(), 0U);
  renew();
  EXPECT_TRUE(cache.load(both, both));
  cache.clear();
  EXPECT_EQ(cache.size(), 0U);
}

TEST_F(Files, TheEnvironmentNamesTheSystemsAnchors) {
  write("one.pem", pem("CERTIFICATE", Authority("One Root").certificate));
  std::filesystem::create_directory(directory_ / "a");
  std::filesystem::create_directory(directory_ / "b");
  write("a/two.pem", pem("CERTIFICATE", Authority("Two Root").certificate));
  write("b/three.pem", pem("CERTIFICATE", Authority("Three Root").certificate));
  setenv("SSL_CERT_FILE", path("one.pem").c_str(), 1);
  setenv("SSL_CERT_DIR", (path("a") + "::" + path("b") + ":" + path("missing")).c_str(), 1);
  TrustAnchors anchors;
  const auto report = files::add_system_anchors(anchors);
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->added, 3U);
  ASSERT_EQ(report->sources.size(), 3U);
  EXPECT_EQ(report->sources[0], path("one.pem"));
  ASSERT_EQ(report->problem_count, 1U);
  EXPECT_NE(report->problems[0].text().find("missing: cannot be read"), std::string::npos);
}

TEST_F(Files, WhatTheEnvironmentNamesMustBeReadable) {
  const auto refusal = [] {
    TrustAnchors anchors;
    const auto report = files::add_system_anchors(anchors);
    return report ? std::string() : report.error().text();
  };
  setenv("SSL_CERT_FILE", path("missing.pem").c_str(), 1);
  EXPECT_NE(refusal().find("missing.pem: cannot be read"), std::string::npos) << refusal();
  EXPECT_NE(refusal().find("SSL_CERT_FILE"), std::string::npos) << refusal();
  setenv("SSL_CERT_FILE", write("words.pem", "just words\n").c_str(), 1);
  EXPECT_NE(refusal().find("words.pem: no certificate in it"), std::string::npos) << refusal();
  setenv("SSL_CERT_FILE", write("bad.pem", "\n" + pem("CERTIFICATE", Der{0x30, 0})).c_str(), 1);
  EXPECT_NE(refusal().find("bad.pem: line 2: truncated"), std::string::npos) << refusal();
  unsetenv("SSL_CERT_FILE");
  setenv("SSL_CERT_DIR", (path("one") + ":" + path("two")).c_str(), 1);
  EXPECT_NE(refusal().find("one: cannot be read"), std::string::npos) << refusal();
  EXPECT_NE(refusal().find("SSL_CERT_DIR"), std::string::npos) << refusal();
}

TEST_F(Files, FaultsTellTheirLineOnce) {
  const std::string good = pem("CERTIFICATE", Authority("One Root").certificate);
  TrustAnchors anchors;
  const auto report = files::add_anchors(anchors, write("cut.pem", good + "-----BEGIN CERTIFICATE-----\n"));
  ASSERT_TRUE(report) << report.error().text();
  ASSERT_EQ(report->problems.size(), 1U);
  const std::string text = report->problems[0].text();
  EXPECT_NE(text.find(": line "), std::string::npos) << text;
  EXPECT_EQ(text.find("line "), text.rfind("line 1")) << text;
}

TEST_F(Files, TheSystemsAnchorsAreGoodAnchors) {
  TrustAnchors anchors;
  const auto read = files::add_system_anchors(anchors);
  ASSERT_TRUE(read) << read.error().text();
  const files::AnchorReport& report = *read;
  if (report.sources.empty()) GTEST_SKIP() << "this system has no store of certificates";
  EXPECT_GT(report.added, 50U);
  EXPECT_EQ(report.problem_count, 0U);
  for (const files::FileError& problem : report.problems) ADD_FAILURE() << problem.text();
  // Most are RSA, ECDSA the rest; all have names.
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    EXPECT_TRUE(anchors[i].key_type()) << anchors[i].subject().text();
    EXPECT_FALSE(anchors[i].subject().text().empty());
    EXPECT_TRUE(anchors[i].is_ca()) << anchors[i].subject().text();
  }
  // What the default policy would not let a chain end at, in a store that everybody uses: nearly nothing.
  std::size_t refused = 0;
  const VerifyRequest request{provider(), anchors, {}, Role::server, NoNameCheck{}, kNow, {}};
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    check_rules(anchors[i], Position::anchor, request, [&](Code code) {
      std::cout << name(code) << ": " << anchors[i].subject().text() << '\n';
      ++refused;
      return false;
    });
  }
  EXPECT_LT(refused, anchors.size() / 10);
}

}  // namespace
}  // namespace lockstep::x509::test
