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
  std::size_t chains = 1;  ///< in a run
};

/// What helps ours. OpenSSL has none of it, and is there to compare: it judges as many chains, one after the other.
enum class Help : std::uint8_t {
  none,
  prepared,    ///< the anchor's key is ready
  remembered,  ///< the signatures are known from before
  one_call,    ///< the signature by which the server proves its key is verified too, all in one call
  together,    ///< the same with eight servers, all in one call
};

/// A signature as that of CertificateVerify, by a leaf's key; empty where it is not verified.
struct Proof {
  Der message;
  Der signature;
};

/// All judges of this build.
[[nodiscard]] std::vector<Judge> judges(const Certificates& certificates, Help help);

/// OpenSSL's; null without it.
[[nodiscard]] std::function<void()> openssl_judge(const Certificates& certificates, const Proof& proof);

}  // namespace lockstep::bench
