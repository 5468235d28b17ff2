#include "operations.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

#include <lockstep/botan.hpp>

namespace lockstep::bench {
namespace {

constexpr NamedGroup kMeasuredGroups[] = {NamedGroup::x25519,    NamedGroup::secp256r1, NamedGroup::secp384r1,
                                          NamedGroup::x448,      NamedGroup::secp521r1, NamedGroup::mlkem768,
                                          NamedGroup::mlkem1024, NamedGroup::ffdhe2048};
constexpr SignatureScheme kMeasuredSchemes[] = {SignatureScheme::ecdsa_secp256r1_sha256,
                                                SignatureScheme::ecdsa_secp384r1_sha384,
                                                SignatureScheme::ecdsa_secp521r1_sha512,
                                                SignatureScheme::rsa_pss_rsae_sha256,
                                                SignatureScheme::ed25519,
                                                SignatureScheme::ed448,
                                                SignatureScheme::mldsa65};

void require(bool done) {
  if (!done) throw std::runtime_error("an operation failed");
}

/// A key pair of a group, and room for what its peer makes.
class Exchange {
 public:
  explicit Exchange(const Group& group)
      : group_(group), share_(group.client_share_size), answer_(group.server_share_size), secret_(group.secret_size) {
    require(group_.generate(context_.data(), random(), share_) == GroupResult::ok);
    encapsulate();
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() { group_.destroy(context_.data()); }

  void generate() {
    group_.destroy(context_.data());
    require(group_.generate(context_.data(), random(), share_) == GroupResult::ok);
  }
  void encapsulate() { require(group_.encapsulate(share_, random(), answer_, secret_) == GroupResult::ok); }
  void decapsulate() { require(group_.decapsulate(context_.data(), answer_, secret_) == GroupResult::ok); }

 private:
  static RandomSource& random() { return botan::system_random(); }

  const Group& group_;
  alignas(64) std::array<std::uint8_t, kMaxGroupContextSize> context_{};
  std::vector<std::uint8_t> share_, answer_, secret_;
};

}  // namespace

std::vector<Operation> operations(const Provider& provider, NamedGroup id) {
  const Group* const group = provider.group(id);
  if (group == nullptr) return {};
  const auto exchange = std::make_shared<Exchange>(*group);
  const std::string algorithm(name(id));
  return {{algorithm, "key pair", [exchange] { exchange->generate(); }},
          {algorithm, "answer", [exchange] { exchange->encapsulate(); }},
          {algorithm, "secret", [exchange] { exchange->decapsulate(); }}};
}

namespace {

struct Signing {
  std::shared_ptr<const SigningKey> key;
  const SignatureVerifier* verifier;
  SignatureScheme scheme;
  std::vector<std::uint8_t> message = std::vector<std::uint8_t>(130, 0x20);  // as long as what a handshake signs
  std::vector<std::uint8_t> signature = std::vector<std::uint8_t>(kMaxSignatureSize);
  std::size_t size = 0;

  /// Another message each time: how long ML-DSA tries depends on it.
  void sign() {
    ++message.front();
    size = key->sign(scheme, message, botan::system_random(), signature);
    require(size != 0);
  }
  void verify() const {
    require(verifier->verify(key->subject_public_key_info(), message, Bytes(signature).first(size)) ==
            VerifyResult::valid);
  }
};

}  // namespace

std::vector<Operation> operations(const Provider& provider, SignatureScheme scheme) {
  const SchemeParts made_of = *parts(scheme);
  const KeyLoader* const loader = provider.key_loader(made_of.key);
  const SignatureVerifier* const verifier = provider.verifier(made_of.algorithm, made_of.key);
  if (loader == nullptr || verifier == nullptr) return {};
  const auto pkcs8 = loader->generate(made_of.key, 0, botan::system_random());
  const auto key = pkcs8 ? loader->load(*pkcs8) : std::unexpected(pkcs8.error());
  require(key.has_value());
  const auto signing = std::make_shared<Signing>(Signing{.key = *key, .verifier = verifier, .scheme = scheme});
  signing->sign();
  const std::string algorithm(name(scheme));
  return {{algorithm, "sign", [signing] { signing->sign(); }}, {algorithm, "verify", [signing] { signing->verify(); }}};
}

namespace {

// --- several in one call ---------------------------------------------------------------------------------------------

constexpr NamedGroup kGroupsTogether[] = {NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1};
constexpr SignatureScheme kSchemesTogether[] = {SignatureScheme::ecdsa_secp256r1_sha256,
                                                SignatureScheme::ecdsa_secp384r1_sha384,
                                                SignatureScheme::rsa_pss_rsae_sha256};

/// Key pairs of a group that are made together, and what answers them.
class Exchanges {
 public:
  Exchanges(const Group& group, std::size_t count) : group_(group), each_(count) {
    for (Each& each : each_) {
      each.share.resize(group.client_share_size);
      each.answer.resize(group.server_share_size);
      each.secret.resize(group.secret_size);
      generating_.push_back({each.context.data(), &random(), each.share});
      encapsulating_.push_back({each.share, &random(), each.answer, each.secret});
      decapsulating_.push_back({each.context.data(), each.answer, each.secret});
    }
    make();
    encapsulate();
  }
  Exchanges(const Exchanges&) = delete;
  Exchanges& operator=(const Exchanges&) = delete;
  ~Exchanges() { destroy(); }

  void generate() {
    destroy();
    make();
  }
  void encapsulate() {
    lockstep::encapsulate(group_, encapsulating_);
    require(all_ok(encapsulating_));
  }
  void decapsulate() {
    lockstep::decapsulate(group_, decapsulating_);
    require(all_ok(decapsulating_));
  }

 private:
  struct Each {
    alignas(64) std::array<std::uint8_t, kMaxGroupContextSize> context{};
    std::vector<std::uint8_t> share, answer, secret;
  };

  static RandomSource& random() { return botan::system_random(); }
  static bool all_ok(const auto& jobs) {
    return std::ranges::all_of(jobs, [](const auto& job) { return job.result == GroupResult::ok; });
  }
  void make() {
    lockstep::generate(group_, generating_);
    require(all_ok(generating_));
  }
  void destroy() {
    for (Each& each : each_) group_.destroy(each.context.data());
  }

  const Group& group_;
  std::vector<Each> each_;
  std::vector<GenerateJob> generating_;
  std::vector<EncapsulateJob> encapsulating_;
  std::vector<DecapsulateJob> decapsulating_;
};

/// Signatures of one key.
class Signings {
 public:
  Signings(const KeyLoader& loader, const SignatureVerifier& verifier, SignatureScheme scheme, std::size_t count)
      : verifier_(verifier), signatures_(count, std::vector<std::uint8_t>(kMaxSignatureSize)) {
    const auto pkcs8 = loader.generate(parts(scheme)->key, 2048, botan::system_random());
    key_ = loader.load(pkcs8.value()).value();
    for (auto& signature : signatures_) signing_.push_back({scheme, message_, &botan::system_random(), signature});
    sign();
  }
  Signings(const Signings&) = delete;
  Signings& operator=(const Signings&) = delete;

  void sign() {
    key_->sign_many(signing_);
    require(std::ranges::all_of(signing_, [](const SignJob& job) { return job.size != 0; }));
  }
  void verify() {
    std::vector<VerifyJob> jobs;
    for (const SignJob& job : signing_)
      jobs.push_back({key_->subject_public_key_info(), job.message, job.out.first(job.size)});
    lockstep::verify(verifier_, jobs);
    require(std::ranges::all_of(jobs, [](const VerifyJob& job) { return job.result == VerifyResult::valid; }));
  }

 private:
  const SignatureVerifier& verifier_;
  std::shared_ptr<const SigningKey> key_;
  std::vector<std::uint8_t> message_ = std::vector<std::uint8_t>(130, 0x20);
  std::vector<std::vector<std::uint8_t>> signatures_;
  std::vector<SignJob> signing_;
};

}  // namespace

std::vector<std::string> batch_names() {
  std::vector<std::string> names;
  for (const NamedGroup group : kGroupsTogether) names.emplace_back(name(group));
  for (const SignatureScheme scheme : kSchemesTogether) names.emplace_back(name(scheme));
  return names;
}

std::vector<Operation> batches(const Provider& provider, std::string_view algorithm, std::size_t count) {
  const std::string text(algorithm);
  for (const NamedGroup id : kGroupsTogether) {
    if (name(id) != algorithm) continue;
    const auto exchanges = std::make_shared<Exchanges>(*provider.group(id), count);
    return {{text, "key pair", [exchanges] { exchanges->generate(); }},
            {text, "answer", [exchanges] { exchanges->encapsulate(); }},
            {text, "secret", [exchanges] { exchanges->decapsulate(); }}};
  }
  for (const SignatureScheme scheme : kSchemesTogether) {
    if (name(scheme) != algorithm) continue;
    const SchemeParts made_of = *parts(scheme);
    const auto signings = std::make_shared<Signings>(*provider.key_loader(made_of.key),
                                                     *provider.verifier(made_of.algorithm, made_of.key), scheme, count);
    return {{text, "sign", [signings] { signings->sign(); }}, {text, "verify", [signings] { signings->verify(); }}};
  }
  return {};
}

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (const NamedGroup group : kMeasuredGroups) names.emplace_back(name(group));
  for (const SignatureScheme scheme : kMeasuredSchemes) names.emplace_back(name(scheme));
  return names;
}

std::vector<Operation> operations(const Provider& provider, std::string_view algorithm) {
  for (const NamedGroup group : kMeasuredGroups) {
    if (name(group) == algorithm) return operations(provider, group);
  }
  for (const SignatureScheme scheme : kMeasuredSchemes) {
    if (name(scheme) == algorithm) return operations(provider, scheme);
  }
  return {};
}

}  // namespace lockstep::bench
