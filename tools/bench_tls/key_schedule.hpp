#pragma once
// The key schedule of one full handshake, alone.

#include <lockstep/types.hpp>

namespace lockstep::bench {

/// What one side derives: early, handshake and main secret, the traffic secrets of handshake and application with
/// their keys, exporter and resumption secret, and both Finished. Throws std::runtime_error on failure.
void run_key_schedule(CipherSuite suite);

/// The same derivations through OpenSSL's EVP_KDF "TLS13-KDF" and HMAC, the way libssl makes them. False when this
/// build has no OpenSSL.
bool run_openssl_key_schedule(CipherSuite suite);

}  // namespace lockstep::bench
