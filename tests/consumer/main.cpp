// Prints the version and the name of a suite through the installed headers and library.

#include <iostream>
#include <string>

#include <lockstep/types.hpp>
#include <lockstep/version.hpp>

int main() {
  std::string version = std::to_string(LOCKSTEP_VERSION_MAJOR);
  for (const int number : {LOCKSTEP_VERSION_MINOR, LOCKSTEP_VERSION_PATCH}) version += "." + std::to_string(number);
  std::cout << "Lockstep " << version << '\n';
  const auto name = lockstep::name(lockstep::CipherSuite::tls_aes_128_gcm_sha256);
  std::cout << name << '\n';
  return version == LOCKSTEP_VERSION && name == "TLS_AES_128_GCM_SHA256" ? 0 : 1;
}
