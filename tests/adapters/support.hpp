#pragma once
// Keys, certificates and configurations for tests of adapters, all made in memory.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/answers.hpp>
#include <lockstep/botan.hpp>
#include <lockstep/config.hpp>
#include <lockstep/x509.hpp>

namespace lockstep::testing {

/// 2026-06-01: what every connection of these tests believes the time to be.
inline constexpr std::int64_t kNowSeconds = 1'780'272'000;
inline constexpr std::int64_t kDay = 86'400;
inline Time fixed_clock() noexcept { return Time(std::chrono::seconds(kNowSeconds)); }

inline RandomSource& random() { return botan::system_random(); }
inline const Provider& provider() {
  static const Provider value = botan::provider();
  return value;
}

inline std::shared_ptr<const SigningKey> make_key(KeyType type = KeyType::ec_p256) {
  const KeyLoader* loader = provider().key_loader(type);
  return loader->load(loader->generate(type, 0, random()).value()).value();
}

/// A root that issues certificates.
class Authority {
 public:
  explicit Authority(std::string_view name = "CN=Test Root", KeyType type = KeyType::ec_p256,
                     std::int64_t now = kNowSeconds)
      : now_(now),
        key_(make_key(type)),
        der_(x509::CertificateBuilder(name)
                 .ca()
                 .validity(now - 100 * kDay, now + 100 * kDay)
                 .self_signed(provider(), *key_, random())
                 .value()) {}

  [[nodiscard]] Bytes der() const { return der_; }
  [[nodiscard]] std::vector<std::uint8_t> subject() const {
    const Bytes name = x509::Certificate::parse(der_).value().subject().der();
    return {name.begin(), name.end()};
  }
  [[nodiscard]] std::shared_ptr<const x509::TrustAnchors> anchors() const {
    x509::TrustAnchors anchors;
    EXPECT_TRUE(anchors.add(der_).value_or(false));
    return std::make_shared<const x509::TrustAnchors>(std::move(anchors));
  }

  struct Wish {
    std::vector<std::string_view> dns{"example.com"};
    std::int64_t not_after = kNowSeconds + 10 * kDay;
    KeyType key = KeyType::ec_p256;
    bool client = false;
    std::size_t filler = 0;  // bytes of an extension that nobody reads
    bool critical = false;   // that extension
  };
  [[nodiscard]] std::shared_ptr<const Credential> issue(const Wish& wish) const {
    return certify(make_key(wish.key), wish);
  }
  [[nodiscard]] const SigningKey& signing_key() const { return *key_; }
  /// The certificate of an authority below this one.
  [[nodiscard]] std::vector<std::uint8_t> certify_authority(const SigningKey& subject_key,
                                                            std::string_view name) const {
    return x509::CertificateBuilder(name)
        .ca()
        .validity(now_ - 100 * kDay, now_ + 100 * kDay)
        .issued_by(provider(), der_, *key_, subject_key.subject_public_key_info(), random())
        .value();
  }
  /// For a key that is there.
  [[nodiscard]] std::shared_ptr<const Credential> certify(std::shared_ptr<const SigningKey> key,
                                                          const Wish& wish) const {
    x509::CertificateBuilder builder("CN=leaf");
    for (const std::string_view name : wish.dns) builder.dns(name);
    if (wish.client) {
      builder.client();
    } else {
      builder.server();
    }
    if (wish.filler != 0) builder.extension("1.2.3.4", wish.critical, std::vector<std::uint8_t>(wish.filler));
    builder.validity(now_ - 20 * kDay, wish.not_after);
    auto leaf = builder.issued_by(provider(), der_, *key_, key->subject_public_key_info(), random());
    return make_credential({std::move(leaf.value())}, std::move(key));
  }

 private:
  std::int64_t now_;
  std::shared_ptr<const SigningKey> key_;
  std::vector<std::uint8_t> der_;
};

inline std::shared_ptr<const AnswerSetup> setup_of(AnswerOptions options) {
  auto setup = AnswerSetup::create(std::move(options));
  if (!setup) {
    for (const ConfigProblem& problem : setup.error()) ADD_FAILURE() << problem.setting << ": " << problem.text;
  }
  return std::move(setup.value());
}

template <Role kRole>
std::shared_ptr<const ConfigOf<kRole>> built(const BasicConfigBuilder<kRole>& builder) {
  auto config = builder.build();
  if (!config) {
    for (const ConfigProblem& problem : config.error()) ADD_FAILURE() << problem.setting << ": " << problem.text;
  }
  return std::move(config.value());
}

inline ClientConfigBuilder client_config() { return ConfigBuilder::client(provider()); }
inline ServerConfigBuilder server_config() { return ConfigBuilder::server(provider()); }

inline x509::PeerName dns(std::string_view name) { return x509::PeerName::dns(name).value(); }

}  // namespace lockstep::testing
