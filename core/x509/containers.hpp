#pragma once
// Wrappings of certificates and keys that are not read, by name and with what makes PEM of them.

#include <optional>
#include <string>
#include <string_view>

#include <lockstep/bytes.hpp>

namespace lockstep::x509 {

/// What the bytes are when they are PKCS#12 or PKCS#7, in DER or BER; otherwise nothing.
[[nodiscard]] std::optional<std::string> container_of(Bytes der);

/// The same of a PEM object, by its label: PKCS#7, or a certificate with OpenSSL's trust settings.
[[nodiscard]] std::optional<std::string> container_of(std::string_view label);

/// Whether a PEM object is a certificate.
[[nodiscard]] bool is_certificate(std::string_view label) noexcept;

inline constexpr std::string_view kTrustedCertificate = "TRUSTED CERTIFICATE";

}  // namespace lockstep::x509
