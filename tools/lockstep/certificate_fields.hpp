#pragma once
// A certificate in full, by the names that RFC 5280 has for its fields.

#include <optional>

#include <lockstep/bytes.hpp>
#include <lockstep/x509_certificate.hpp>

#include "terminal.hpp"

namespace lockstep::tool {

[[nodiscard]] Json certificate_fields(const x509::Certificate& certificate);
/// SubjectPublicKeyInfo (RFC 5280 4.1.2.7).
[[nodiscard]] Json public_key_fields(const x509::PublicKey& key);
/// A CertificationRequest (RFC 2986 4.2); nothing when it is none. Its signature is not verified.
[[nodiscard]] std::optional<Json> request_fields(Bytes der);

}  // namespace lockstep::tool
