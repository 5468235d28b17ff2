#pragma once
// A certificate for localhost from an authority that exists for one run only: for the example servers, never for use.

#include <chrono>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include <lockstep/answers.hpp>
#include <lockstep/botan.hpp>
#include <lockstep/io.hpp>
#include <lockstep/x509.hpp>

namespace localhost {

inline std::shared_ptr<const lockstep::SigningKey> new_key(const lockstep::Provider& provider) {
  using namespace lockstep;
  const KeyLoader* loader = provider.key_loader(KeyType::ec_p256);
  const x509::SecretBytes pkcs8(loader->generate(KeyType::ec_p256, 0, botan::system_random()).value());
  return loader->load(pkcs8.view()).value();
}

/// Writes the authority to `ca_file`, for clients to trust.
inline std::shared_ptr<const lockstep::Credential> new_credential(const lockstep::Provider& provider,
                                                                  const std::string& ca_file) {
  using namespace lockstep;
  RandomSource& random = botan::system_random();
  const std::int64_t now = std::chrono::floor<std::chrono::seconds>(system_time()).time_since_epoch().count();
  const auto ca_key = new_key(provider);
  const auto ca = x509::CertificateBuilder("CN=Example Root")
                      .ca()
                      .validity(now - 3600, now + 86'400)
                      .self_signed(provider, *ca_key, random)
                      .value();
  const auto key = new_key(provider);
  const std::uint8_t loopback[] = {127, 0, 0, 1};
  auto leaf = x509::CertificateBuilder("CN=localhost")
                  .dns("localhost")
                  .ip(loopback)
                  .server()
                  .validity(now - 3600, now + 86'400)
                  .issued_by(provider, ca, *ca_key, key->subject_public_key_info(), random)
                  .value();
  std::ofstream(ca_file) << x509::pem("CERTIFICATE", ca);
  return make_credential({std::move(leaf)}, key);
}

}  // namespace localhost
