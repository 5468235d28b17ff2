#include "provider.hpp"

#include <lockstep/botan.hpp>

namespace lockstep::tool {

const Provider& provider() {
  static const Provider all = botan::provider();
  return all;
}

RandomSource& random_source() { return botan::system_random(); }

}  // namespace lockstep::tool
