#pragma once
// What it costs to judge a server's chain: leaf, intermediate and root, from DER to the verdict.

#include <functional>
#include <string>
#include <vector>

#include "certificates.hpp"

namespace lockstep::bench {

/// Somebody who judges the same chain again and again.
struct Judge {
  std::string key;  ///< the peer's
  std::function<void()> run;
};

/// All judges of this build; with `remember` ours know the signatures from before, and OpenSSL, which does not have
/// that, is there to compare.
[[nodiscard]] std::vector<Judge> judges(const Certificates& certificates, bool remember);

/// OpenSSL's; null without it.
[[nodiscard]] std::function<void()> openssl_judge(const Certificates& certificates);

}  // namespace lockstep::bench
