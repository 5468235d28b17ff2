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

std::vector<Operation> of_group(const Provider& provider, NamedGroup id) {
  const Group* const group = provider.group(id);
  if (group == nullptr) return {};
  const auto exchange = std::make_shared<Exchange>(*group);
  const std::string algorithm(name(id));
  return {{algorithm, "key pair", [exchange] { exchange->generate(); }},
          {algorithm, "answer", [exchange] { exchange->encapsulate(); }},
          {algorithm, "secret", [exchange] { exchange->decapsulate(); }}};
}

struct Signing {
  std::shared_ptr<const SigningKey> key;
  const SignatureVerifier* verifier;
  SignatureScheme scheme;
  std::vector<std::uint8_t> message = std::vector<std::uint8_t>(130, 0x20);  // as long as what a handshake signs
  std::vector<std::uint8_t> signature = std::vector<std::uint8_t>(kMaxSignatureSize);
  std::size_t size = 0;

  void sign() {
    size = key->sign(scheme, message, botan::system_random(), signature);
    require(size != 0);
  }
  void verify() const {
    require(verifier->verify(key->subject_public_key_info(), message, Bytes(signature).first(size)) ==
            VerifyResult::valid);
  }
};

std::vector<Operation> of_scheme(const Provider& provider, SignatureScheme scheme) {
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

}  // namespace

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (const NamedGroup group : kMeasuredGroups) names.emplace_back(name(group));
  for (const SignatureScheme scheme : kMeasuredSchemes) names.emplace_back(name(scheme));
  return names;
}

std::vector<Operation> operations(const Provider& provider, std::string_view algorithm) {
  for (const NamedGroup group : kMeasuredGroups) {
    if (name(group) == algorithm) return of_group(provider, group);
  }
  for (const SignatureScheme scheme : kMeasuredSchemes) {
    if (name(scheme) == algorithm) return of_scheme(provider, scheme);
  }
  return {};
}

}  // namespace lockstep::bench
