#include <algorithm>

#include <lockstep/provider.hpp>

namespace lockstep {
namespace {

template <class Descriptor, class Matches>
const Descriptor* first(const std::vector<const Descriptor*>& descriptors, Matches matches) noexcept {
  const auto found =
      std::ranges::find_if(descriptors, [&](const Descriptor* descriptor) { return matches(*descriptor); });
  return found == descriptors.end() ? nullptr : *found;
}

template <class Descriptor>
void append(std::vector<const Descriptor*>& all, const std::vector<const Descriptor*>& more) {
  for (const Descriptor* descriptor : more) {
    if (std::ranges::find(all, descriptor) == all.end()) all.push_back(descriptor);
  }
}

/// Names those of a list that protect nothing, or all at once when none does.
template <class Descriptor, class Named>
void name_insecure(std::vector<std::string>& parts, const std::vector<const Descriptor*>& descriptors,
                   std::string_view kind, Named named) {
  const auto insecure = static_cast<std::size_t>(std::ranges::count(descriptors, true, &Descriptor::insecure));
  if (insecure == 0) return;
  if (insecure == descriptors.size()) {
    parts.push_back("every " + std::string(kind));
    return;
  }
  for (const Descriptor* descriptor : descriptors) {
    if (descriptor->insecure)
      parts.push_back(named(*descriptor) + " (" + std::string(descriptor->implementation) + ")");
  }
}

}  // namespace

void generate(const Group& group, std::span<GenerateJob> jobs) noexcept {
  if (group.generate_many != nullptr && jobs.size() > 1) return group.generate_many(jobs);
  for (GenerateJob& job : jobs) job.result = group.generate(job.context, *job.random, job.share);
}

void encapsulate(const Group& group, std::span<EncapsulateJob> jobs) noexcept {
  if (group.encapsulate_many != nullptr && jobs.size() > 1) return group.encapsulate_many(jobs);
  for (EncapsulateJob& job : jobs)
    job.result = group.encapsulate(job.client_share, *job.random, job.server_share, job.secret);
}

void decapsulate(const Group& group, std::span<DecapsulateJob> jobs) noexcept {
  if (group.decapsulate_many != nullptr && jobs.size() > 1) return group.decapsulate_many(jobs);
  for (DecapsulateJob& job : jobs) job.result = group.decapsulate(job.context, job.server_share, job.secret);
}

void verify(const SignatureVerifier& verifier, VerifyJob& job) noexcept {
  job.result = job.prepared != nullptr ? job.prepared->verify(job.message, job.signature)
                                       : verifier.verify(job.subject_public_key_info, job.message, job.signature);
}

void verify(const SignatureVerifier& verifier, std::span<VerifyJob> jobs) noexcept {
  if (verifier.verify_many != nullptr && jobs.size() > 1) return verifier.verify_many(jobs);
  for (VerifyJob& job : jobs) verify(verifier, job);
}

void SigningKey::sign_many(std::span<SignJob> jobs) const noexcept {
  for (SignJob& job : jobs) job.size = sign(job.scheme, job.message, *job.random, job.out);
}

MaskAlgorithm mask_of(AeadAlgorithm aead) noexcept {
  switch (aead) {
    case AeadAlgorithm::aes_128_gcm:
    case AeadAlgorithm::aes_128_ccm:
    case AeadAlgorithm::aes_128_ccm_8: return MaskAlgorithm::aes_128;
    case AeadAlgorithm::aes_256_gcm:
    case AeadAlgorithm::aes_256_ccm:
    case AeadAlgorithm::aes_256_ccm_8: return MaskAlgorithm::aes_256;
    case AeadAlgorithm::chacha20_poly1305: break;
  }
  return MaskAlgorithm::chacha20;
}

const Aead* Provider::aead(AeadAlgorithm id) const noexcept {
  return first(aeads, [&](const Aead& aead) { return aead.id == id; });
}

const Hash* Provider::hash(HashAlgorithm id) const noexcept {
  return first(hashes, [&](const Hash& hash) { return hash.id == id; });
}

const Group* Provider::group(NamedGroup id) const noexcept {
  return first(groups, [&](const Group& group) { return group.id == id; });
}

const SignatureVerifier* Provider::verifier(SignatureAlgorithm algorithm, KeyType key) const noexcept {
  return first(verifiers, [&](const SignatureVerifier& verifier) {
    return verifier.algorithm == algorithm && verifier.key == key;
  });
}

const KeyLoader* Provider::key_loader(KeyType type) const noexcept {
  return first(key_loaders,
               [&](const KeyLoader& loader) { return std::ranges::find(loader.types, type) != loader.types.end(); });
}

const KeyEncryptor* Provider::key_encryptor(KeyType type) const noexcept {
  return first(key_encryptors, [&](const KeyEncryptor& encryptor) { return encryptor.key == type; });
}

const CbcCipher* Provider::cbc_cipher(CbcAlgorithm id) const noexcept {
  return first(cbc_ciphers, [&](const CbcCipher& cipher) { return cipher.id == id; });
}

const RecordMac* Provider::record_mac(MacAlgorithm id) const noexcept {
  return first(record_macs, [&](const RecordMac& mac) { return mac.id == id; });
}

const FiniteField* Provider::finite_field() const noexcept {
  return finite_fields.empty() ? nullptr : finite_fields.front();
}

const Mask* Provider::mask(MaskAlgorithm id) const noexcept {
  return first(masks, [&](const Mask& mask) { return mask.id == id; });
}

bool Provider::supports(CipherSuite suite) const noexcept {
  const auto made_of = parts(suite);
  if (!made_of || hash(made_of->hash) == nullptr) return false;
  switch (made_of->key_exchange) {
    case KeyExchangeMethod::dhe:
    case KeyExchangeMethod::dhe_psk:
      if (finite_fields.empty() &&
          std::ranges::none_of(groups, [](const Group* group) { return is_finite_field(group->id); }))
        return false;
      break;
    // Where a secret travels to an RSA key, something has to encrypt it.
    case KeyExchangeMethod::rsa:
    case KeyExchangeMethod::rsa_psk:
      if (key_encryptor(KeyType::rsa) == nullptr) return false;
      break;
    default: break;
  }
  if (made_of->cbc) return cbc_cipher(made_of->cbc->cipher) != nullptr && record_mac(made_of->cbc->mac) != nullptr;
  return aead(*made_of->aead) != nullptr;
}

bool Provider::supports(NamedGroup id) const noexcept {
  if (const auto hybrid = parts(id)) return group(hybrid->first) != nullptr && group(hybrid->second) != nullptr;
  return group(as_listed(id)) != nullptr;
}

bool Provider::supports(SignatureScheme scheme) const noexcept {
  const auto made_of = parts(scheme);
  return made_of && verifier(made_of->algorithm, made_of->key) != nullptr;
}

bool Provider::insecure() const noexcept {
  const auto any = [](const auto& descriptors) {
    return std::ranges::any_of(descriptors, [](const auto* descriptor) { return descriptor->insecure; });
  };
  return any(aeads) || any(hashes) || any(groups) || any(verifiers) || any(key_loaders) || any(key_encryptors) ||
         any(cbc_ciphers) || any(record_macs) || any(finite_fields) || any(masks);
}

std::vector<std::string> Provider::insecure_parts() const {
  std::vector<std::string> parts;
  const auto by_id = [](const auto& descriptor) { return to_text(descriptor.id); };
  name_insecure(parts, aeads, "AEAD", by_id);
  name_insecure(parts, hashes, "hash", by_id);
  name_insecure(parts, groups, "group", by_id);
  name_insecure(parts, verifiers, "signature verifier", [](const SignatureVerifier& verifier) {
    return to_text(verifier.algorithm) + " with " + to_text(verifier.key);
  });
  name_insecure(parts, key_loaders, "private key", [](const KeyLoader&) { return std::string("private keys"); });
  name_insecure(parts, key_encryptors, "key encryptor", [](const KeyEncryptor&) { return std::string("encryption"); });
  name_insecure(parts, cbc_ciphers, "CBC cipher", [](const CbcCipher&) { return std::string("CBC"); });
  name_insecure(parts, record_macs, "record MAC", [](const RecordMac&) { return std::string("record MAC"); });
  name_insecure(parts, finite_fields, "finite field", [](const FiniteField&) { return std::string("finite fields"); });
  name_insecure(parts, masks, "mask", by_id);
  return parts;
}

Provider compose(std::string_view name, std::initializer_list<Provider> in_order) {
  Provider all{.name = name};
  for (const Provider& part : in_order) {
    // Whose AES wins says how fast it is.
    if (all.aead(AeadAlgorithm::aes_128_gcm) == nullptr) all.fast_aes = part.fast_aes;
    append(all.aeads, part.aeads);
    append(all.hashes, part.hashes);
    append(all.groups, part.groups);
    append(all.verifiers, part.verifiers);
    append(all.key_loaders, part.key_loaders);
    append(all.key_encryptors, part.key_encryptors);
    append(all.cbc_ciphers, part.cbc_ciphers);
    append(all.record_macs, part.record_macs);
    append(all.finite_fields, part.finite_fields);
    append(all.masks, part.masks);
  }
  return all;
}

}  // namespace lockstep
