#include "random.hpp"

#include <algorithm>
#include <new>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <lockstep/libcrypto.hpp>

namespace lockstep::libcrypto {
namespace {

constexpr const char* kName = "LOCKSTEP-SOURCE";

thread_local RandomSource* source = nullptr;

class SystemRandom final : public RandomSource {
 public:
  [[nodiscard]] bool fill(MutableBytes out) noexcept override {
    // Not by OpenSSL, whose default library context is the application's.
    constexpr std::size_t kMost = 256;  // getentropy(3)
    while (!out.empty()) {
      const MutableBytes part = out.first(std::min(out.size(), kMost));
      if (getentropy(part.data(), part.size()) != 0) return false;
      out = out.subspan(part.size());
    }
    return true;
  }
};

// --- the generator, by provider-rand(7) ---

/// It has a state because there has to be one.
struct Generator {
  int state = EVP_RAND_STATE_UNINITIALISED;
};

void* make(void* /*provider*/, void* /*parent*/, const OSSL_DISPATCH* /*parent_dispatch*/) noexcept {
  return new (std::nothrow) Generator;
}
void free(void* context) noexcept { delete static_cast<Generator*>(context); }

int instantiate(void* context, unsigned /*strength*/, int /*prediction_resistance*/, const unsigned char* /*text*/,
                std::size_t /*text_size*/, const OSSL_PARAM* /*parameters*/) noexcept {
  static_cast<Generator*>(context)->state = EVP_RAND_STATE_READY;
  return 1;
}
int uninstantiate(void* context) noexcept {
  static_cast<Generator*>(context)->state = EVP_RAND_STATE_UNINITIALISED;
  return 1;
}

int generate(void* /*context*/, unsigned char* out, std::size_t size, unsigned /*strength*/,
             int /*prediction_resistance*/, const unsigned char* /*additional*/,
             std::size_t /*additional_size*/) noexcept {
  RandomSource& from = source != nullptr ? *source : system_random();
  return from.fill({out, size}) ? 1 : 0;
}

int enable_locking(void* /*context*/) noexcept { return 1; }
int lock(void* /*context*/) noexcept { return 1; }
void unlock(void* /*context*/) noexcept {}

const OSSL_PARAM* gettable(void* /*context*/, void* /*provider*/) noexcept {
  static const OSSL_PARAM list[] = {OSSL_PARAM_int(OSSL_RAND_PARAM_STATE, nullptr),
                                    OSSL_PARAM_uint(OSSL_RAND_PARAM_STRENGTH, nullptr),
                                    OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, nullptr), OSSL_PARAM_END};
  return list;
}
int get(void* context, OSSL_PARAM parameters[]) noexcept {
  constexpr unsigned kStrength = 256;
  constexpr std::size_t kMaxRequest = 1U << 30U;
  OSSL_PARAM* const state = OSSL_PARAM_locate(parameters, OSSL_RAND_PARAM_STATE);
  OSSL_PARAM* const strength = OSSL_PARAM_locate(parameters, OSSL_RAND_PARAM_STRENGTH);
  OSSL_PARAM* const most = OSSL_PARAM_locate(parameters, OSSL_RAND_PARAM_MAX_REQUEST);
  return (state == nullptr || OSSL_PARAM_set_int(state, static_cast<Generator*>(context)->state) > 0) &&
                 (strength == nullptr || OSSL_PARAM_set_uint(strength, kStrength) > 0) &&
                 (most == nullptr || OSSL_PARAM_set_size_t(most, kMaxRequest) > 0)
             ? 1
             : 0;
}

using Function = void (*)();
template <class F>
Function erased(F* function) noexcept {
  return reinterpret_cast<Function>(function);
}

const OSSL_ALGORITHM* query(void* /*provider*/, int operation, int* no_cache) noexcept {
  static const OSSL_DISPATCH functions[] = {{OSSL_FUNC_RAND_NEWCTX, erased(make)},
                                            {OSSL_FUNC_RAND_FREECTX, erased(free)},
                                            {OSSL_FUNC_RAND_INSTANTIATE, erased(instantiate)},
                                            {OSSL_FUNC_RAND_UNINSTANTIATE, erased(uninstantiate)},
                                            {OSSL_FUNC_RAND_GENERATE, erased(generate)},
                                            {OSSL_FUNC_RAND_ENABLE_LOCKING, erased(enable_locking)},
                                            {OSSL_FUNC_RAND_LOCK, erased(lock)},
                                            {OSSL_FUNC_RAND_UNLOCK, erased(unlock)},
                                            {OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, erased(gettable)},
                                            {OSSL_FUNC_RAND_GET_CTX_PARAMS, erased(get)},
                                            {0, nullptr}};
  static const OSSL_ALGORITHM algorithms[] = {{kName, "provider=lockstep", functions, nullptr},
                                              {nullptr, nullptr, nullptr, nullptr}};
  *no_cache = 0;
  return operation == OSSL_OP_RAND ? algorithms : nullptr;
}

int start(const OSSL_CORE_HANDLE* /*handle*/, const OSSL_DISPATCH* /*core*/, const OSSL_DISPATCH** out,
          void** context) noexcept {
  static const OSSL_DISPATCH functions[] = {{OSSL_FUNC_PROVIDER_QUERY_OPERATION, erased(query)}, {0, nullptr}};
  static int nothing = 0;
  *out = functions;
  *context = &nothing;
  return 1;
}

}  // namespace

Drawing::Drawing(RandomSource& from) noexcept : before_(source) { source = &from; }
Drawing::~Drawing() { source = before_; }

bool draw_from_source(OSSL_LIB_CTX* context) noexcept {
  constexpr const char* kProvider = "lockstep";
  return OSSL_PROVIDER_add_builtin(context, kProvider, start) > 0 &&
         OSSL_PROVIDER_load(context, kProvider) != nullptr &&
         RAND_set_DRBG_type(context, kName, nullptr, nullptr, nullptr) > 0;
}

RandomSource& system_random() noexcept {
  static SystemRandom system;  // holds nothing
  return system;
}

}  // namespace lockstep::libcrypto
