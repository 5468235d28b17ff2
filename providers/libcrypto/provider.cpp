#include <utility>

#include <openssl/crypto.h>

#include <lockstep/kernel_provider.hpp>
#include <lockstep/libcrypto.hpp>

#include "descriptors.hpp"

namespace lockstep::libcrypto {
namespace {

Provider provider_of(std::size_t library) {
  return {.name = kImplementation,
          .aeads = aeads(library),
          .hashes = hashes(library),
          .groups = groups(library),
          .verifiers = verifiers(library),
          .key_loaders = key_loaders(library),
          .key_encryptors = key_encryptors(library),
          .cbc_ciphers = cbc_ciphers(library),
          .finite_fields = finite_fields(library),
          .masks = masks(library)};
}

}  // namespace

const Capabilities& capabilities() noexcept {
  constexpr unsigned kMajor = 3;
  constexpr unsigned kMinor = 5;
  const unsigned major = OPENSSL_version_major();
#if OPENSSL_VERSION_PREREQ(3, 5)
  if (major > kMajor || (major == kMajor && OPENSSL_version_minor() >= kMinor)) return kCapabilitiesOf35;
#endif
  return kCapabilities;
}

Provider provider(Options options) {
  if (!open_own()) return {.name = kImplementation};
  Provider own = provider_of(0);
  Provider all = behind_kernels(own);
  if (options.aeads == Choice::own) all.aeads = std::move(own.aeads);
  if (options.hashes == Choice::own) all.hashes = std::move(own.hashes);
  if (options.groups == Choice::own) all.groups = std::move(own.groups);
  return all;
}

Provider provider_in(OSSL_LIB_CTX* context, std::string_view properties) {
  const std::size_t library = open(context, properties);
  if (library == kLibraries) return {.name = kImplementation};
  return provider_of(library);
}

std::string_view library_version() noexcept { return OpenSSL_version(OPENSSL_VERSION_STRING); }

}  // namespace lockstep::libcrypto
