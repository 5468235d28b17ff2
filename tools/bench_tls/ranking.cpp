#include "ranking.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <format>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <vector>

#include <lockstep/botan.hpp>
#include <lockstep/capabilities.hpp>
#include <lockstep/finite_field.hpp>

#include "machine.hpp"
#include "measure.hpp"
#include "operations.hpp"
#include "spent.hpp"

namespace lockstep::bench {
namespace {

constexpr std::size_t kRanked = 3;
constexpr double kLacks = std::numeric_limits<double>::infinity();
constexpr std::size_t kBulk = 16384;  // the most that a record carries

using Work = std::function<void()>;

void require(bool done) {
  if (!done) throw std::runtime_error("an operation failed");
}

/// Room for any context; what is in it is destroyed by whoever knows its type.
template <class Descriptor>
class Context {
 public:
  template <class... Arguments>
  explicit Context(const Descriptor& descriptor, Arguments... arguments)
      : descriptor_(descriptor), place_(std::make_unique<Place>()) {
    require(descriptor.init(get(), arguments...));
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { descriptor_.destroy(get()); }
  [[nodiscard]] void* get() const { return place_->bytes.data(); }

 private:
  struct alignas(64) Place {
    std::array<std::uint8_t, kMaxAeadContextSize> bytes{};
  };
  const Descriptor& descriptor_;
  std::unique_ptr<Place> place_;
};

const std::array<std::uint8_t, 64> kKey{};

/// What is timed of each, or nothing where the provider lacks it.
Work of(const Provider& provider, AeadAlgorithm id) {
  const Aead* const aead = provider.aead(id);
  if (aead == nullptr) return {};
  const auto context = std::make_shared<Context<Aead>>(*aead, Bytes(kKey).first(aead->key_size));
  return [aead, context, text = std::vector<std::uint8_t>(kBulk + kMaxAeadTagSize)]() mutable {
    const Bytes whole = Bytes(text).first(kBulk);
    const SealJob job{.nonce = kKey.data(),
                      .aad = Bytes(kKey).first(5),
                      .source = std::span(&whole, 1),
                      .tail = {},
                      .destination = text.data()};
    require(aead->seal(context->get(), std::span(&job, 1)));
  };
}

Work of(const Provider& provider, CbcAlgorithm id) {
  const CbcCipher* const cipher = provider.cbc_cipher(id);
  if (cipher == nullptr) return {};
  const auto context = std::make_shared<Context<CbcCipher>>(*cipher, Bytes(kKey).first(cipher->key_size));
  return [cipher, context, text = std::vector<std::uint8_t>(kBulk)]() mutable {
    require(cipher->encrypt(context->get(), Bytes(kKey).first(kCbcBlockSize), text));
  };
}

Work of(const Provider& provider, HashAlgorithm id) {
  const Hash* const hash = provider.hash(id);
  if (hash == nullptr) return {};
  const auto context = std::make_shared<Context<Hash>>(*hash);
  return [hash, context, text = std::vector<std::uint8_t>(kBulk), digest = std::vector<std::uint8_t>(64)]() mutable {
    hash->update(context->get(), text);
    require(hash->digest(context->get(), MutableBytes(digest).first(hash->digest_size)));
  };
}

Work together(std::vector<Operation> operations) {
  if (operations.empty()) return {};
  return [all = std::move(operations)] {
    for (const Operation& each : all) each.run();
  };
}

/// A key pair, an answer, a secret.
Work of(const Provider& provider, NamedGroup id) { return together(operations(provider, id)); }

SignatureScheme scheme_of(KeyType type) {
  for (const SignatureScheme scheme : known_schemes()) {
    if (const SchemeParts made_of = *parts(scheme); made_of.key == type && !made_of.certificates_only) return scheme;
  }
  throw std::runtime_error("no scheme for " + std::string(name(type)));
}

Work of_signing(const Provider& provider, KeyType type) {
  auto both = operations(provider, scheme_of(type));
  return both.empty() ? Work() : both.front().run;
}

Work of_verifying(const Provider& provider, KeyType type) {
  auto both = operations(provider, scheme_of(type));
  return both.empty() ? Work() : both.back().run;
}

Work of_encrypting(const Provider& provider, KeyType type) {
  const KeyEncryptor* const encryptor = provider.key_encryptor(type);
  if (encryptor == nullptr) return {};
  const KeyLoader& loader = *provider.key_loader(type);
  const auto pkcs8 = loader.generate(type, 0, botan::system_random());
  const auto key = pkcs8 ? loader.load(*pkcs8) : std::unexpected(pkcs8.error());
  require(key.has_value());
  return [encryptor, key = *key, out = std::vector<std::uint8_t>(kMaxEncryptedKeySize)]() mutable {
    require(encryptor->encrypt(key->subject_public_key_info(), Bytes(kKey).first(48), botan::system_random(), out) !=
            0);
  };
}

Work of_field(const Provider& provider) {
  const FiniteField* const field = provider.finite_field();
  if (field == nullptr) return {};
  return [field, parameters = *field_parameters(NamedGroup::ffdhe2048)] {
    alignas(64) std::array<std::uint8_t, kMaxGroupContextSize> context{};
    std::vector<std::uint8_t> share(parameters.p.size());
    std::vector<std::uint8_t> secret(parameters.p.size());
    require(field->generate(context.data(), parameters, botan::system_random(), share) == GroupResult::ok);
    const bool done = field->agree(context.data(), share, secret) == GroupResult::ok;
    field->destroy(context.data());
    require(done);
  };
}

double seconds_of(const Work& work, double slice) {
  std::vector<double> times;
  const double end = seconds_now() + slice;
  while (times.size() < 3 || seconds_now() < end) {
    const double start = seconds_now();
    work();
    times.push_back(seconds_now() - start);
  }
  return median(std::move(times));
}

class Ranking {
 public:
  explicit Ranking(const Effort& effort) : effort_(effort), providers_(ranked_providers()) {
    if (providers_.size() != kRanked) throw std::runtime_error("the ranking needs OpenSSL, Botan and libsodium built");
  }

  std::string measure() {
    begin();
    table<AeadAlgorithm>("kAeads", "AeadAlgorithm", "Sealing 16 KiB", every::kAeads,
                         [](const Provider& provider, AeadAlgorithm id) { return of(provider, id); });
    table<HashAlgorithm>("kHashes", "HashAlgorithm", "Hashing 16 KiB", every::kHashes,
                         [](const Provider& provider, HashAlgorithm id) { return of(provider, id); });
    table<NamedGroup>("kGroups", "NamedGroup", "A key pair, an answer and its secret", every::kGroups,
                      [](const Provider& provider, NamedGroup id) { return of(provider, id); });
    table<KeyType>("kVerifications", "KeyType", "Verifying", every::kKeys, of_verifying);
    table<KeyType>("kKeys", "KeyType", "Signing", every::kKeys, of_signing);
    constexpr KeyType kEncrypting[] = {KeyType::rsa};
    table<KeyType>("kKeyEncryptors", "KeyType", "Encrypting 48 bytes", kEncrypting, of_encrypting);
    table<CbcAlgorithm>("kCbcCiphers", "CbcAlgorithm", "Encrypting 16 KiB", every::kCbcCiphers,
                        [](const Provider& provider, CbcAlgorithm id) { return of(provider, id); });
    const auto figures = measure_one([](const Provider& provider) { return of_field(provider); });
    text_ +=
        "\n/// A key pair and a secret of ffdhe2048, by its parameters.\ninline constexpr Order kFiniteFields = {" +
        order(figures) + "};" + comment(figures) + "\n\n}  // namespace lockstep::best::ranking\n";
    return text_;
  }

 private:
  using Figures = std::array<double, kRanked>;

  void begin() {
    const Machine machine = describe_machine();
    text_ =
        "#pragma once\n"
        "// Who does what in the least time. Written by `tools/bench ranking`, never by hand.\n"
        "//\n"
        "// Microseconds, one thing at a time and without our kernels, which go before all of these where they are "
        "fast, "
        "by\n// " +
        providers_[0].title + ", " + providers_[1].title + " and " + providers_[2].title + ", in this order, on\n// " +
        machine.processor +
        ".\n\n#include <array>\n\n#include <lockstep/types.hpp>\n\n#include \"rank.hpp\"\n\n// clang-format off\n"
        "namespace lockstep::best::ranking {\n";
  }

  template <class Id, class Make>
  void table(std::string_view title, std::string_view type, std::string_view what, std::span<const Id> ids, Make make) {
    text_ +=
        std::format("\n/// {}.\ninline constexpr std::array<Rank<{}>, {}> {} = {{{{\n", what, type, ids.size(), title);
    for (const Id id : ids) {
      std::fprintf(stderr, "ranking: %s, %s\n", std::string(what).c_str(), std::string(name(id)).c_str());
      const Figures figures = measure_one([&](const Provider& provider) { return make(provider, id); });
      text_ += std::format("    {{{}({}), {{{}}}}},{} {}\n", type, static_cast<unsigned>(id), order(figures),
                           comment(figures), name(id));
    }
    text_ += "}};\n";
  }

  /// The median of all rounds, in which the providers take turns.
  template <class Make>
  Figures measure_one(Make make) {
    std::array<Work, kRanked> works;
    std::array<std::vector<double>, kRanked> samples;
    for (std::size_t i = 0; i < kRanked; ++i) works[i] = make(providers_[i].provider);
    for (std::size_t round = 0; round < effort_.rounds; ++round) {
      for (std::size_t i = 0; i < kRanked; ++i) {
        if (works[i]) samples[i].push_back(1e6 * seconds_of(works[i], effort_.slice_seconds));
      }
    }
    Figures figures{};
    for (std::size_t i = 0; i < kRanked; ++i) figures[i] = works[i] ? median(std::move(samples[i])) : kLacks;
    return figures;
  }

  [[nodiscard]] std::string order(const Figures& figures) const {
    std::array<std::size_t, kRanked> by_time{};
    std::iota(by_time.begin(), by_time.end(), 0U);
    std::ranges::stable_sort(by_time, {}, [&](std::size_t i) { return figures[i]; });
    std::string list;
    for (const std::size_t i : by_time) list += (list.empty() ? "Part::" : ", Part::") + providers_[i].key;
    return list;
  }

  static std::string comment(const Figures& figures) {
    std::string list;
    for (const double figure : figures) list += figure == kLacks ? " -" : std::format(" {:.3g}", figure);
    return "  //" + list;
  }

  const Effort& effort_;
  std::vector<NamedProvider> providers_;
  std::string text_;
};

}  // namespace

std::string measure_ranking(const Effort& effort) { return Ranking(effort).measure(); }

}  // namespace lockstep::bench
