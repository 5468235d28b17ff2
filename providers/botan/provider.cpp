#include <utility>

#include <botan/version.h>

#include <lockstep/botan.hpp>
#include <lockstep/kernel_provider.hpp>

#include "descriptors.hpp"

namespace lockstep::botan {

Provider provider(Options options) {
  Provider own{.name = kImplementation,
               .aeads = aeads(),
               .hashes = hashes(),
               .groups = groups(),
               .verifiers = verifiers(),
               .key_loaders = key_loaders(),
               .key_encryptors = key_encryptors(),
               .cbc_ciphers = cbc_ciphers(),
               .finite_fields = finite_fields()};
  Provider all = behind_kernels(own);
  if (options.aeads == Choice::own) all.aeads = std::move(own.aeads);
  if (options.hashes == Choice::own) all.hashes = std::move(own.hashes);
  if (options.groups == Choice::own) all.groups = std::move(own.groups);
  return all;
}

std::string_view library_version() noexcept { return Botan::short_version_cstr(); }

}  // namespace lockstep::botan
