#include "library.hpp"

#include <mutex>

#include <openssl/provider.h>

#include "random.hpp"

namespace lockstep::libcrypto {

std::array<Library, kLibraries> libraries;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

namespace {

// Opening is rare; what is open is not changed any more.
std::mutex mutex;

Key without_point(const Library& library, const char* type, const char* name) noexcept {
  std::string group(name);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
      OSSL_PARAM_construct_end()};
  const KeyContext context = library.named(type);
  EVP_PKEY* made = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEY_PARAMETERS, const_cast<OSSL_PARAM*>(parameters)) <= 0)
    return nullptr;
  return Key(made);
}

void prepare(Library& library) noexcept {
  const Quiet quiet;
  for (std::size_t i = 0; i < kCurves.size(); ++i) library.curves[i] = without_point(library, "EC", kCurves[i].name);
  for (std::size_t i = 0; i < kFields.size(); ++i) library.fields[i] = without_point(library, "DH", kFields[i].name);
}

bool make_own(Library& library) noexcept {
  // Freed by nobody: keys and contexts of any thread may be freed after static objects are.
  OSSL_LIB_CTX* const context = OSSL_LIB_CTX_new();
  if (context == nullptr) return false;
  if (OSSL_PROVIDER_load(context, "default") == nullptr || !draw_from_source(context)) {
    OSSL_LIB_CTX_free(context);
    return false;
  }
  library.context = context;
  prepare(library);
  return true;
}

}  // namespace

bool open_own() noexcept {
  static const bool made = [] {
    const Quiet quiet;
    return make_own(libraries.front());
  }();
  return made;
}

std::size_t open(OSSL_LIB_CTX* context, std::string_view properties) noexcept {
  static std::size_t used = 1;
  const std::lock_guard lock(mutex);
  for (std::size_t i = 1; i < used; ++i) {
    if (libraries[i].context == context && libraries[i].properties == properties) return i;
  }
  if (used == kLibraries) return kLibraries;
  Library& library = libraries[used];
  library.context = context;
  library.properties = properties;
  prepare(library);
  return used++;
}

bool read_octets(const EVP_PKEY* key, const char* name, MutableBytes out) noexcept {
  std::size_t size = 0;
  return EVP_PKEY_get_octet_string_param(key, name, out.data(), out.size(), &size) > 0 && size == out.size();
}

}  // namespace lockstep::libcrypto
