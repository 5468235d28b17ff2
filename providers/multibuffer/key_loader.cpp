// Private keys: the libcrypto provider reads and judges them, and what signs several at once takes its numbers beside.

#include <expected>

#include <lockstep/multibuffer.hpp>

#include "common/der.hpp"
#include "common/key_info.hpp"
#include "descriptors.hpp"
#include "signing_key.hpp"

namespace lockstep::multibuffer {
namespace {

const KeyLoader& single() noexcept {
  static const KeyLoader& loader = *singles().key_loader(KeyType::ec_p256);
  return loader;
}

/// ECPrivateKey (RFC 5915 3), which was found good.
Bytes read_scalar(Bytes encoded) noexcept {
  der::Reader reader(*der::read_whole(encoded, der::kSequence));
  (void)reader.read_small();
  return *reader.read(der::kOctetString);
}

std::shared_ptr<const SigningKey> batching(std::shared_ptr<const SigningKey> key, Bytes encoded) {
  switch (key->type()) {
    case KeyType::ec_p256: return std::make_shared<const EcdsaKey<P256>>(std::move(key), read_scalar(encoded));
    case KeyType::ec_p384: return std::make_shared<const EcdsaKey<P384>>(std::move(key), read_scalar(encoded));
    case KeyType::rsa:
    case KeyType::rsa_pss:
      if (auto numbers = RsaPrivateKey::read(encoded))
        return std::make_shared<const RsaKey>(std::move(key), std::move(numbers));
      return key;
    default: return key;
  }
}

std::expected<std::shared_ptr<const SigningKey>, KeyError> load(Bytes pkcs8) noexcept {
  auto key = single().load(pkcs8);
  if (!key) return key;
  try {
    return batching(std::move(*key), key_info::read_private(pkcs8)->private_key);
  } catch (...) {
    return std::unexpected(KeyError::failed);
  }
}

}  // namespace

std::vector<const KeyLoader*> key_loaders() {
  for (const KeyType type : detail::kKeys) {
    if (singles().key_loader(type) != &single()) return {};
  }
  static const KeyLoader loader{kImplementation, detail::kKeys, load, single().decrypt, single().generate};
  return {&loader};
}

}  // namespace lockstep::multibuffer
