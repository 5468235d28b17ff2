#pragma once
// A small authority in memory, for tests: keys, certificates well made and badly made.

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/botan.hpp>
#include <lockstep/x509.hpp>

#include "x509/algorithms.hpp"
#include "x509/der_writer.hpp"

namespace lockstep::x509::test {

using Der = std::vector<std::uint8_t>;
using Key = std::shared_ptr<const SigningKey>;

/// The moment at which tests verify, and a day.
inline constexpr std::int64_t kNow = 1'790'000'000;  // 2026-09-21
inline constexpr std::int64_t kDay = 86'400;

inline const Provider& provider() {
  static const Provider instance = botan::provider();
  return instance;
}

inline RandomSource& random_source() { return botan::system_random(); }

/// PKCS#8 of a new key.
inline Der new_pkcs8(KeyType type, std::size_t bits = 0) {
  const KeyLoader* const loader = provider().key_loader(type);
  if (loader == nullptr) return {};
  auto pkcs8 = loader->generate(type, bits, random_source());
  return pkcs8 ? *pkcs8 : Der();
}

/// Keys are made once for each name: RSA keys take their time.
inline Key key(const std::string& name, KeyType type = KeyType::ec_p256, std::size_t bits = 0) {
  static std::map<std::string, Key> keys;
  Key& found = keys[name];
  if (found == nullptr) {
    const KeyLoader* const loader = provider().key_loader(type);
    auto loaded = loader->load(new_pkcs8(type, bits));
    EXPECT_TRUE(loaded.has_value()) << name;
    if (loaded) found = *loaded;
  }
  return found;
}

/// Takes the certificate out, or fails the test.
inline Der built(const CertificateBuilder::Result& result) {
  EXPECT_TRUE(result.has_value()) << (result ? "" : explanation(result.error()));
  return result ? *result : Der();
}

inline CertificateBuilder make(std::string_view subject) {
  CertificateBuilder builder(subject);
  builder.validity(kNow - kDay, kNow + kDay);
  return builder;
}

/// A root and what it issues.
struct Authority {
  Key own_key;
  Der certificate;

  explicit Authority(const std::string& name) : own_key(key(name)) {
    certificate = built(make("CN=" + name).ca().self_signed(provider(), *own_key, random_source()));
  }
  /// One below `issuer`, as `builder` has it.
  Authority(const Authority& issuer, Key its_key, const CertificateBuilder& builder) : own_key(std::move(its_key)) {
    certificate = issuer.issue(builder, *own_key);
  }
  Authority(const Authority& issuer, const std::string& name, std::optional<std::uint32_t> path_length = {})
      : Authority(issuer, key(name), make("CN=" + name).ca(path_length)) {}

  [[nodiscard]] Der issue(const CertificateBuilder& builder, const SigningKey& subject_key) const {
    return built(
        builder.issued_by(provider(), certificate, *own_key, subject_key.subject_public_key_info(), random_source()));
  }
  [[nodiscard]] Der issue(const CertificateBuilder& builder) const { return issue(builder, *key("leaf")); }
  [[nodiscard]] Certificate view() const { return Certificate::parse(certificate).value(); }
};

/// Whose certificates are made, and judged: a server's, unless a test says otherwise for a while.
inline Role& peer_role() {
  static Role role = Role::server;
  return role;
}
inline CertificateBuilder for_peer(CertificateBuilder builder) {
  return peer_role() == Role::server ? builder.server() : builder.client();
}
inline CertificateBuilder leaf(std::string_view host = "example.com") { return for_peer(make("CN=leaf").dns(host)); }

/// A certificate whose every field may be wrong. Starts as a copy of a good one; sign() puts a good signature on it.
struct RawCertificate {
  std::optional<std::uint32_t> version = 2;
  Der serial = {1};
  Der inner_algorithm;
  Der outer_algorithm;
  Der issuer;
  Der validity;
  Der subject;
  Der key_info;
  Der extensions;  // Extension values one after the other; none: no extensions at all

  explicit RawCertificate(Bytes good) {
    const Certificate certificate = Certificate::parse(good).value();
    const auto copy = [](Bytes bytes) { return Der(bytes.begin(), bytes.end()); };
    serial = copy(certificate.serial_number());
    inner_algorithm = copy(certificate.signed_signature_algorithm());
    outer_algorithm = copy(certificate.signature_algorithm().der);
    issuer = copy(certificate.issuer().der());
    subject = copy(certificate.subject().der());
    key_info = copy(certificate.subject_public_key_info());
    set_validity(certificate.not_before(), certificate.not_after());
    for (const Extension& extension : certificate.extensions()) add_extension(extension);
  }

  void set_validity(std::int64_t not_before, std::int64_t not_after) {
    der::Writer writer;
    writer.nest(der::kSequence, [&] {
      writer.time(not_before);
      writer.time(not_after);
    });
    validity = std::move(writer).take();
  }
  void add_extension(const Extension& extension) {
    der::Writer writer;
    writer.nest(der::kSequence, [&] {
      writer.object_identifier(extension.oid);
      if (extension.critical) writer.boolean_true();
      writer.octet_string(extension.value);
    });
    extensions.insert(extensions.end(), writer.view().begin(), writer.view().end());
  }

  [[nodiscard]] Der sign(const SigningKey& issuer_key) const {
    der::Writer tbs;
    tbs.nest(der::kSequence, [&] {
      if (version) tbs.nest(der::context_constructed(0), [&] { tbs.integer(*version); });
      tbs.element(der::kInteger, serial);
      for (const Der* field : {&inner_algorithm, &issuer, &validity, &subject, &key_info}) tbs.raw(*field);
      if (!extensions.empty()) {
        tbs.nest(der::context_constructed(3), [&] { tbs.element(der::kSequence, extensions); });
      }
    });
    std::array<std::uint8_t, kMaxSignatureSize> signature{};
    const std::size_t size = issuer_key.sign(issuer_key.schemes().front(), tbs.view(), random_source(), signature);
    EXPECT_NE(size, 0U);
    der::Writer out;
    out.nest(der::kSequence, [&] {
      out.raw(tbs.view());
      out.raw(outer_algorithm);
      out.bit_string(Bytes(signature).first(size));
    });
    return std::move(out).take();
  }
};

/// What verify() is asked, with storage.
struct Question {
  TrustAnchors anchors;
  std::vector<Der> chain;
  Role peer = peer_role();
  PeerName name = PeerName::dns("example.com").value();
  std::int64_t time = kNow;
  Policy policy = {};
  KeyUsage use = KeyUsage::digital_signature;
  VerifiedLinks* verified = nullptr;

  Question& trust(const Der& der) {
    EXPECT_TRUE(anchors.add(der).has_value());
    return *this;
  }
  /// The verdict. Its views live as long as the question.
  [[nodiscard]] Verdict ask(const Provider& by = provider()) {
    views.assign(chain.begin(), chain.end());
    return verify({by, anchors, views, peer, name, time, policy, use, verified});
  }
  /// The same in two steps, of which `run` does what is between them. What failed counts as such.
  template <class Run>
  [[nodiscard]] Verdict ask_in_steps(const Provider& by, Run run) {
    views.assign(chain.begin(), chain.end());
    const VerifyRequest request{by, anchors, views, peer, name, time, policy, use, verified};
    Verification verification(request);
    run(verification.signatures());
    return std::move(verification).finish();
  }
  std::vector<Bytes> views;
};

}  // namespace lockstep::x509::test
