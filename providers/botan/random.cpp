#include "random.hpp"

#include <botan/system_rng.h>

#include <lockstep/botan.hpp>

namespace lockstep::botan {
namespace {

class SystemRandom final : public RandomSource {
 public:
  [[nodiscard]] bool fill(MutableBytes out) noexcept override {
    try {
      Botan::system_rng().randomize(out);
      return true;
    } catch (...) {
      return false;
    }
  }
};

}  // namespace

RandomSource& system_random() noexcept {
  static SystemRandom source;  // holds nothing
  return source;
}

}  // namespace lockstep::botan
