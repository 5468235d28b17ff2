#include <lockstep/botan.hpp>

#include "descriptors.hpp"

namespace lockstep::botan {

Provider provider() { return {kImplementation, aeads(), hashes(), groups(), verifiers(), key_loaders()}; }

}  // namespace lockstep::botan
