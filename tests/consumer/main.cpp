// Prints the name of a suite through the installed headers and library.

#include <iostream>

#include <lockstep/types.hpp>

int main() {
  const auto name = lockstep::name(lockstep::CipherSuite::tls_aes_128_gcm_sha256);
  std::cout << name << '\n';
  return name == "TLS_AES_128_GCM_SHA256" ? 0 : 1;
}
