#pragma once
// What each file of this provider contributes to `provider()`.

#include <vector>

#include <lockstep/provider.hpp>

namespace lockstep::multibuffer {

std::vector<const Group*> groups();
std::vector<const SignatureVerifier*> verifiers();
std::vector<const KeyLoader*> key_loaders();

}  // namespace lockstep::multibuffer
