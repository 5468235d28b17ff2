// Private keys: a loader for each type, so that an Ed25519 key may be another library's than an RSA key.

#include <iterator>
#include <memory>
#include <utility>

#include <lockstep/capabilities.hpp>

#include "common/key_info.hpp"
#include "parts.hpp"

namespace lockstep::best {
namespace {

/// A key that signs alone by one provider and in company by another.
class KeyOfTwo final : public SigningKey {
 public:
  KeyOfTwo(std::shared_ptr<const SigningKey> alone, std::shared_ptr<const SigningKey> together)
      : alone_(std::move(alone)), together_(std::move(together)) {}

  [[nodiscard]] KeyType type() const noexcept override { return alone_->type(); }
  [[nodiscard]] Bytes subject_public_key_info() const noexcept override { return alone_->subject_public_key_info(); }
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override { return alone_->schemes(); }
  [[nodiscard]] std::size_t sign(SignatureScheme scheme, Bytes message, RandomSource& random,
                                 MutableBytes out) const noexcept override {
    return alone_->sign(scheme, message, random, out);
  }
  [[nodiscard]] std::size_t width() const noexcept override { return together_->width(); }
  void sign_many(std::span<SignJob> jobs) const noexcept override {
    jobs.size() == 1 ? alone_->sign_many(jobs) : together_->sign_many(jobs);
  }
  [[nodiscard]] bool decrypt(Bytes ciphertext, RandomSource& random, MutableBytes out) const noexcept override {
    return alone_->decrypt(ciphertext, random, out);
  }

 private:
  std::shared_ptr<const SigningKey> alone_;
  std::shared_ptr<const SigningKey> together_;
};

/// Whoever is asked next may know a key of another type, so that its loader says "unsupported" and no more.
bool has_another_type(Bytes pkcs8, KeyType type) noexcept {
  const auto info = key_info::read_private(pkcs8);
  const auto algorithm = info ? key_info::read_algorithm(info->algorithm_identifier) : std::nullopt;
  return algorithm && algorithm->type != type;
}

/// The loader of one type of key.
template <std::size_t index>
struct Narrowed {
  static constexpr const auto& kRank = ranking::kKeys[index];

  static const Found<KeyLoader>& alone() noexcept {
    static const Found<KeyLoader> found =
        fastest(kRank.order, [](const Provider& part) { return part.key_loader(kRank.id); });
    return found;
  }
  static const KeyLoader* together() noexcept {
    static const KeyLoader* const found = parts().together.key_loader(kRank.id);
    return found;
  }

  static std::expected<std::shared_ptr<const SigningKey>, KeyError> load(Bytes pkcs8) noexcept {
    if (has_another_type(pkcs8, kRank.id)) return std::unexpected(KeyError::unsupported);
    // What it does alone is libcrypto's already.
    if (together() != nullptr && alone().part == ranking::Part::libcrypto) return together()->load(pkcs8);
    auto key = alone().descriptor->load(pkcs8);
    if (!key || together() == nullptr) return key;
    auto in_company = together()->load(pkcs8);
    if (!in_company || (*in_company)->width() == 1) return key;
    try {
      return std::make_shared<const KeyOfTwo>(std::move(*key), std::move(*in_company));
    } catch (...) {
      return std::unexpected(KeyError::failed);
    }
  }

  static const KeyLoader* descriptor() {
    const KeyLoader* const own = alone().descriptor;
    if (own == nullptr) return nullptr;
    static const KeyLoader narrowed{.implementation = own->implementation,
                                    .types = std::span(&kRank.id, 1),
                                    .load = load,
                                    .decrypt = decrypt(*own),
                                    .generate = own->generate,
                                    .insecure = own->insecure};
    return &narrowed;
  }

  /// One that reads no passphrases leaves them to one that does.
  static decltype(KeyLoader::decrypt) decrypt(const KeyLoader& own) noexcept {
    if (own.decrypt != nullptr) return own.decrypt;
    for (const Provider& part : parts().singles) {
      for (const KeyLoader* loader : part.key_loaders) {
        if (loader->decrypt != nullptr) return loader->decrypt;
      }
    }
    return nullptr;
  }
};

}  // namespace

std::vector<const KeyLoader*> key_loaders() {
  std::vector<const KeyLoader*> all;
  const auto add = [&all](const KeyLoader* loader) {
    if (loader != nullptr) all.push_back(loader);
  };
  [&]<std::size_t... index>(std::index_sequence<index...>) {
    (add(Narrowed<index>::descriptor()), ...);
  }(std::make_index_sequence<std::size(ranking::kKeys)>());
  return all;
}

}  // namespace lockstep::best
