#include "provider.hpp"

#include <algorithm>
#include <iterator>

#ifdef LOCKSTEP_HAS_BEST
#include <lockstep/best.hpp>
#endif
#ifdef LOCKSTEP_HAS_BOTAN
#include <lockstep/botan.hpp>
#endif
#ifdef LOCKSTEP_HAS_COMPRESSION
#include <lockstep/compression.hpp>
#endif
#ifdef LOCKSTEP_HAS_LIBCRYPTO
#include <lockstep/libcrypto.hpp>
#endif
#ifdef LOCKSTEP_HAS_MULTIBUFFER
#include <lockstep/multibuffer.hpp>
#endif
#ifdef LOCKSTEP_HAS_SODIUM
#include <lockstep/sodium.hpp>
#endif

namespace lockstep::tool {
namespace {

struct Choice {
  std::string_view name;
  Provider (*make)();
  RandomSource& (*random)() noexcept;
  std::string_view library;  ///< none: it is made of others
  std::string_view (*version)() noexcept;
};

constexpr Choice kChoices[] = {
#ifdef LOCKSTEP_HAS_BEST
    {"best", best::provider, best::system_random, {}, nullptr},
#endif
#ifdef LOCKSTEP_HAS_BOTAN
    {"botan", [] { return botan::provider(); }, botan::system_random, "Botan", botan::library_version},
#endif
#ifdef LOCKSTEP_HAS_LIBCRYPTO
    {"libcrypto", [] { return libcrypto::provider(); }, libcrypto::system_random, "OpenSSL",
     libcrypto::library_version},
#endif
#ifdef LOCKSTEP_HAS_MULTIBUFFER
    {"multibuffer", [] { return compose("multibuffer", {multibuffer::provider(), libcrypto::provider()}); },
     libcrypto::system_random, "crypto_mb", multibuffer::library_version},
#endif
#ifdef LOCKSTEP_HAS_SODIUM
    {"sodium", sodium::provider, sodium::system_random, "libsodium", sodium::library_version},
#endif
};

/// Whether --provider was said.
bool& explicitly() {
  static bool said = false;
  return said;
}

const Choice*& chosen() {
  static const Choice* choice = std::begin(kChoices);
  return choice;
}

}  // namespace

std::vector<ProviderLibrary> provider_libraries() {
  std::vector<ProviderLibrary> libraries;
  for (const Choice& choice : kChoices) {
    if (choice.version != nullptr) libraries.push_back({choice.name, choice.library, choice.version()});
  }
  return libraries;
}

std::vector<std::string> provider_names() {
  std::vector<std::string> names;
  std::ranges::transform(kChoices, std::back_inserter(names),
                         [](const Choice& choice) { return std::string(choice.name); });
  return names;
}

void choose_provider(std::string_view name) {
  const Choice* const found = std::ranges::find(kChoices, name, &Choice::name);
  if (found == std::end(kChoices)) return;
  chosen() = found;
  explicitly() = true;
}

void prefer_provider(std::string_view name) {
  if (!explicitly()) choose_provider(name);
}

const Provider& provider() {
  static const Provider made = chosen()->make();
  return made;
}

bool computes_together() {
  return std::ranges::any_of(provider().groups, [](const Group* group) { return group->width > 1; });
}

std::vector<CertificateCodec> certificate_codecs() {
#ifdef LOCKSTEP_HAS_COMPRESSION
  return compression::codecs();
#else
  return {};
#endif
}

RandomSource& random_source() { return chosen()->random(); }

}  // namespace lockstep::tool
