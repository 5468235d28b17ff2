#pragma once
// What a connection costs: a provider that counts what is done with it, on the bill of whoever is being served. Nobody
// pays for it who does not use it.
//
//     struct Ours {
//       static Provider provider() { return botan::provider(); }
//     };
//     const Provider counted = metered<Ours>();  // for configurations, in place of botan::provider()
//
//     Cost cost;  // of one connection
//     {
//       const Metering metering(cost);
//       received = connection.receive(inbound, now);
//     }
//
// What a thread does while a `Metering` of its own stands goes on that bill; the innermost counts. Work that is handed
// out (`hand_out_computations`) goes on the bill of whoever runs it.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <lockstep/provider.hpp>

namespace lockstep {

/// What was done. Bytes of records are those of their content, padding included.
struct Cost {
  std::uint64_t records_sealed = 0;
  std::uint64_t bytes_sealed = 0;
  std::uint64_t records_opened = 0;
  std::uint64_t bytes_opened = 0;
  /// Of both, those that were written to another place than they were read from: all others were protected in place.
  std::uint64_t bytes_moved = 0;
  std::uint64_t record_keys = 0;  ///< expanded
  std::uint64_t bytes_hashed = 0;
  std::uint64_t digests = 0;
  std::uint64_t macs = 0;
  std::uint64_t derivations = 0;  ///< HKDF-Expand
  std::uint64_t key_pairs = 0;    ///< made
  std::uint64_t agreements = 0;   ///< secrets made of two shares
  std::uint64_t signatures = 0;   ///< made, by keys that this provider has loaded
  std::uint64_t verifications = 0;
  std::uint64_t decryptions = 0;  ///< of secrets that were encrypted to a key, and encryptions

  friend bool operator==(const Cost&, const Cost&) = default;
};

/// Puts what this thread does on a bill, until it is destroyed: in the thread and scope that made it.
class Metering {
 public:
  explicit Metering(Cost& cost) noexcept : before_(std::exchange(current(), &cost)) {}
  Metering(const Metering&) = delete;
  Metering& operator=(const Metering&) = delete;
  ~Metering() { current() = before_; }

  /// The bill of the moment; null for nobody's.
  [[nodiscard]] static Cost*& current() noexcept {
    thread_local Cost* cost = nullptr;
    return cost;
  }

 private:
  Cost* before_;
};

namespace metering {

inline void count(std::uint64_t Cost::* what, std::uint64_t by = 1) noexcept {
  if (Cost* const cost = Metering::current(); cost != nullptr) cost->*what += by;
}

/// Descriptors are plain functions without state, so that each wrapper is a template of the place of what it wraps.
inline constexpr std::size_t kMost = 64;
template <class Of, class Descriptor>
inline std::array<const Descriptor*, kMost> inner{};  // NOLINT: filled once, before the first use

template <class Of, std::size_t place>
Aead wrap(const Aead& from) {
  Aead aead = from;
  aead.init = [](void* context, Bytes key) noexcept {
    count(&Cost::record_keys);
    return inner<Of, Aead>[place] -> init(context, key);
  };
  aead.seal = [](void* context, std::span<const SealJob> jobs) noexcept {
    for (const SealJob& job : jobs) {
      std::uint64_t size = job.tail.size();
      for (const Bytes segment : job.source) size += segment.size();
      const bool in_place = job.source.size() == 1 && job.source.front().data() == job.destination;
      count(&Cost::records_sealed);
      count(&Cost::bytes_sealed, size);
      if (!in_place) count(&Cost::bytes_moved, size);
    }
    return inner<Of, Aead>[place] -> seal(context, jobs);
  };
  aead.open = [](void* context, std::span<OpenJob> jobs) noexcept {
    const std::size_t tag = inner<Of, Aead>[place] -> tag_size;
    for (const OpenJob& job : jobs) {
      const std::size_t size = job.source.size() - std::min(job.source.size(), tag);
      count(&Cost::records_opened);
      count(&Cost::bytes_opened, size);
      if (job.source.data() != job.destination) count(&Cost::bytes_moved, size);
    }
    return inner<Of, Aead>[place] -> open(context, jobs);
  };
  return aead;
}

template <class Of, std::size_t place>
CbcCipher wrap(const CbcCipher& from) {
  CbcCipher cipher = from;
  cipher.init = [](void* context, Bytes key) noexcept {
    count(&Cost::record_keys);
    return inner<Of, CbcCipher>[place] -> init(context, key);
  };
  cipher.encrypt = [](void* context, Bytes iv, MutableBytes blocks) noexcept {
    count(&Cost::records_sealed);
    count(&Cost::bytes_sealed, blocks.size());
    return inner<Of, CbcCipher>[place] -> encrypt(context, iv, blocks);
  };
  cipher.decrypt = [](void* context, Bytes iv, MutableBytes blocks) noexcept {
    count(&Cost::records_opened);
    count(&Cost::bytes_opened, blocks.size());
    return inner<Of, CbcCipher>[place] -> decrypt(context, iv, blocks);
  };
  return cipher;
}

template <class Of, std::size_t place>
RecordMac wrap(const RecordMac& from) {
  RecordMac mac = from;
  mac.mac = [](Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept {
    count(&Cost::macs);
    return inner<Of, RecordMac>[place] -> mac(key, segments, out);
  };
  mac.mac_of_secret_length = [](Bytes key, Bytes header, Bytes content_then_padding, std::size_t secret_length,
                                MutableBytes out) noexcept {
    count(&Cost::macs);
    return inner<Of, RecordMac>[place] -> mac_of_secret_length(key, header, content_then_padding, secret_length, out);
  };
  return mac;
}

template <class Of, std::size_t place>
Hash wrap(const Hash& from) {
  Hash hash = from;
  hash.update = [](void* context, Bytes data) noexcept {
    count(&Cost::bytes_hashed, data.size());
    inner<Of, Hash>[place] -> update(context, data);
  };
  hash.digest = [](const void* context, MutableBytes out) noexcept {
    count(&Cost::digests);
    return inner<Of, Hash>[place] -> digest(context, out);
  };
  hash.hmac = [](Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept {
    count(&Cost::macs);
    return inner<Of, Hash>[place] -> hmac(key, segments, out);
  };
  hash.expand = [](std::span<const ExpandJob> jobs) noexcept {
    count(&Cost::derivations, jobs.size());
    return inner<Of, Hash>[place] -> expand(jobs);
  };
  return hash;
}

template <class Of, std::size_t place>
Group wrap(const Group& from) {
  Group group = from;
  group.generate = [](void* context, RandomSource& random, MutableBytes share) noexcept {
    count(&Cost::key_pairs);
    return inner<Of, Group>[place] -> generate(context, random, share);
  };
  group.encapsulate = [](Bytes client_share, RandomSource& random, MutableBytes server_share,
                         MutableBytes secret) noexcept {
    count(&Cost::agreements);
    return inner<Of, Group>[place] -> encapsulate(client_share, random, server_share, secret);
  };
  group.decapsulate = [](void* context, Bytes server_share, MutableBytes secret) noexcept {
    count(&Cost::agreements);
    return inner<Of, Group>[place] -> decapsulate(context, server_share, secret);
  };
  if (from.generate_many != nullptr) {
    group.generate_many = [](std::span<GenerateJob> jobs) noexcept {
      count(&Cost::key_pairs, jobs.size());
      inner<Of, Group>[place] -> generate_many(jobs);
    };
  }
  if (from.encapsulate_many != nullptr) {
    group.encapsulate_many = [](std::span<EncapsulateJob> jobs) noexcept {
      count(&Cost::agreements, jobs.size());
      inner<Of, Group>[place] -> encapsulate_many(jobs);
    };
  }
  if (from.decapsulate_many != nullptr) {
    group.decapsulate_many = [](std::span<DecapsulateJob> jobs) noexcept {
      count(&Cost::agreements, jobs.size());
      inner<Of, Group>[place] -> decapsulate_many(jobs);
    };
  }
  return group;
}

template <class Of, std::size_t place>
FiniteField wrap(const FiniteField& from) {
  FiniteField field = from;
  field.generate = [](void* context, const FieldParameters& parameters, RandomSource& random,
                      MutableBytes share) noexcept {
    count(&Cost::key_pairs);
    return inner<Of, FiniteField>[place] -> generate(context, parameters, random, share);
  };
  field.agree = [](void* context, Bytes share, MutableBytes secret) noexcept {
    count(&Cost::agreements);
    return inner<Of, FiniteField>[place] -> agree(context, share, secret);
  };
  return field;
}

/// A key of a peer's that was made ready.
class Prepared final : public PreparedKey {
 public:
  explicit Prepared(std::shared_ptr<const PreparedKey> key) noexcept : key_(std::move(key)) {}
  [[nodiscard]] VerifyResult verify(Bytes message, Bytes signature) const noexcept override {
    count(&Cost::verifications);
    return key_->verify(message, signature);
  }
  [[nodiscard]] const PreparedKey* key() const noexcept { return key_.get(); }

 private:
  std::shared_ptr<const PreparedKey> key_;
};

template <class Of, std::size_t place>
SignatureVerifier wrap(const SignatureVerifier& from) {
  SignatureVerifier verifier = from;
  verifier.verify = [](Bytes subject_public_key_info, Bytes message, Bytes signature) noexcept {
    count(&Cost::verifications);
    return inner<Of, SignatureVerifier>[place] -> verify(subject_public_key_info, message, signature);
  };
  if (from.verify_many != nullptr) {
    verifier.verify_many = [](std::span<VerifyJob> jobs) noexcept {
      count(&Cost::verifications, jobs.size());
      // Those who are below know their own prepared keys.
      for (VerifyJob& job : jobs) {
        if (job.prepared != nullptr) job.prepared = static_cast<const Prepared*>(job.prepared)->key();
      }
      inner<Of, SignatureVerifier>[place] -> verify_many(jobs);
    };
  }
  if (from.prepare != nullptr) {
    verifier.prepare = [](Bytes subject_public_key_info) noexcept -> std::shared_ptr<const PreparedKey> {
      auto key = inner<Of, SignatureVerifier>[place] -> prepare(subject_public_key_info);
      if (key == nullptr) return nullptr;
      try {
        return std::make_shared<const Prepared>(std::move(key));
      } catch (...) {
        return nullptr;  // no memory: the key is made ready each time
      }
    };
  }
  return verifier;
}

template <class Of, std::size_t place>
KeyEncryptor wrap(const KeyEncryptor& from) {
  KeyEncryptor encryptor = from;
  encryptor.encrypt = [](Bytes subject_public_key_info, Bytes secret, RandomSource& random, MutableBytes out) noexcept {
    count(&Cost::decryptions);
    return inner<Of, KeyEncryptor>[place] -> encrypt(subject_public_key_info, secret, random, out);
  };
  return encryptor;
}

class Key final : public SigningKey {
 public:
  explicit Key(std::shared_ptr<const SigningKey> key) noexcept : key_(std::move(key)) {}
  [[nodiscard]] KeyType type() const noexcept override { return key_->type(); }
  [[nodiscard]] Bytes subject_public_key_info() const noexcept override { return key_->subject_public_key_info(); }
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override { return key_->schemes(); }
  [[nodiscard]] std::size_t sign(SignatureScheme scheme, Bytes message, RandomSource& random,
                                 MutableBytes out) const noexcept override {
    count(&Cost::signatures);
    return key_->sign(scheme, message, random, out);
  }
  [[nodiscard]] std::size_t width() const noexcept override { return key_->width(); }
  void sign_many(std::span<SignJob> jobs) const noexcept override {
    count(&Cost::signatures, jobs.size());
    key_->sign_many(jobs);
  }
  [[nodiscard]] bool decrypt(Bytes ciphertext, RandomSource& random, MutableBytes out) const noexcept override {
    count(&Cost::decryptions);
    return key_->decrypt(ciphertext, random, out);
  }

 private:
  std::shared_ptr<const SigningKey> key_;
};

template <class Of, std::size_t place>
KeyLoader wrap(const KeyLoader& from) {
  KeyLoader loader = from;
  loader.load = [](Bytes pkcs8) noexcept -> std::expected<std::shared_ptr<const SigningKey>, KeyError> {
    auto key = inner<Of, KeyLoader>[place] -> load(pkcs8);
    if (!key) return key;
    try {
      return std::make_shared<const Key>(std::move(*key));
    } catch (...) {
      return std::unexpected(KeyError::failed);
    }
  };
  return loader;
}

template <class Of, class Descriptor, std::size_t... places>
void wrap_all(std::vector<const Descriptor*>& list, std::index_sequence<places...> /*places*/) {
  static std::array<Descriptor, kMost> wrapped{};
  const std::size_t counted = std::min(list.size(), kMost);  // no provider has more; what there were would go uncounted
  for (std::size_t i = 0; i < counted; ++i) inner<Of, Descriptor>[i] = list[i];
  ((places < counted ? static_cast<void>(wrapped[places] = wrap<Of, places>(*list[places])) : void()), ...);
  for (std::size_t i = 0; i < counted; ++i) list[i] = &wrapped[i];
}

}  // namespace metering

/// The same provider, counted. Masks of numbers are not: nothing of TLS uses them. `Of` has a static function
/// `provider`, which is called once.
template <class Of>
[[nodiscard]] const Provider& metered() {
  static const Provider counted = [] {
    Provider provider = Of::provider();
    const auto wrap_list = [](auto& list) {
      metering::wrap_all<Of>(list, std::make_index_sequence<metering::kMost>());
    };
    wrap_list(provider.aeads);
    wrap_list(provider.cbc_ciphers);
    wrap_list(provider.record_macs);
    wrap_list(provider.hashes);
    wrap_list(provider.groups);
    wrap_list(provider.finite_fields);
    wrap_list(provider.verifiers);
    wrap_list(provider.key_encryptors);
    wrap_list(provider.key_loaders);
    return provider;
  }();
  return counted;
}

}  // namespace lockstep
