#pragma once
// The object identifiers that X.509 needs, as the contents of their DER.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <lockstep/bytes.hpp>

namespace lockstep::x509 {

/// The contents of an OBJECT IDENTIFIER, written in the source as "1.2.840.113549".
class Oid {
 public:
  consteval Oid(const char* text) {  // NOLINT(google-explicit-constructor)
    std::uint32_t first = 0;
    for (unsigned arc = 0; *text != '\0'; ++arc) {
      std::uint32_t value = 0;
      while (*text >= '0' && *text <= '9') value = value * 10 + static_cast<std::uint32_t>(*text++ - '0');
      if (*text == '.') ++text;
      if (arc == 0) {
        first = value;
      } else {
        append(arc == 1 ? first * 40 + value : value);
      }
    }
  }
  [[nodiscard]] constexpr Bytes view() const noexcept { return {bytes_.data(), size_}; }
  friend bool operator==(const Oid& a, Bytes b) noexcept { return equal(a.view(), b); }

 private:
  constexpr void append(std::uint32_t value) {
    unsigned shift = 0;
    while (shift < 28 && value >> (shift + 7) != 0) shift += 7;
    for (;; shift -= 7) {
      bytes_[size_++] = static_cast<std::uint8_t>((value >> shift & 0x7fU) | (shift != 0 ? 0x80U : 0U));
      if (shift == 0) break;
    }
  }
  std::array<std::uint8_t, 12> bytes_{};
  std::size_t size_ = 0;
};

/// From "1.2.3" to the contents of an OBJECT IDENTIFIER; nothing when it is not one.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> oid_from_text(std::string_view text);

namespace oid {

// RFC 5280 4.2
inline constexpr Oid kSubjectKeyIdentifier = "2.5.29.14";
inline constexpr Oid kKeyUsage = "2.5.29.15";
inline constexpr Oid kSubjectAltName = "2.5.29.17";
inline constexpr Oid kIssuerAltName = "2.5.29.18";
inline constexpr Oid kBasicConstraints = "2.5.29.19";
inline constexpr Oid kNameConstraints = "2.5.29.30";
inline constexpr Oid kCrlDistributionPoints = "2.5.29.31";
inline constexpr Oid kCertificatePolicies = "2.5.29.32";
inline constexpr Oid kPolicyMappings = "2.5.29.33";
inline constexpr Oid kAuthorityKeyIdentifier = "2.5.29.35";
inline constexpr Oid kPolicyConstraints = "2.5.29.36";
inline constexpr Oid kExtendedKeyUsage = "2.5.29.37";
inline constexpr Oid kFreshestCrl = "2.5.29.46";
inline constexpr Oid kInhibitAnyPolicy = "2.5.29.54";
inline constexpr Oid kAuthorityInfoAccess = "1.3.6.1.5.5.7.1.1";
inline constexpr Oid kSubjectInfoAccess = "1.3.6.1.5.5.7.1.11";
inline constexpr Oid kTlsFeature = "1.3.6.1.5.5.7.1.24";    // RFC 7633
inline constexpr Oid kSctList = "1.3.6.1.4.1.11129.2.4.2";  // RFC 6962 3.3

// RFC 5280 4.2.1.4
inline constexpr Oid kAnyPolicy = "2.5.29.32.0";
inline constexpr Oid kCpsQualifier = "1.3.6.1.5.5.7.2.1";
inline constexpr Oid kUserNoticeQualifier = "1.3.6.1.5.5.7.2.2";

// RFC 5280 4.2.1.12
inline constexpr Oid kAnyPurpose = "2.5.29.37.0";
inline constexpr Oid kServerAuth = "1.3.6.1.5.5.7.3.1";
inline constexpr Oid kClientAuth = "1.3.6.1.5.5.7.3.2";
inline constexpr Oid kCodeSigning = "1.3.6.1.5.5.7.3.3";
inline constexpr Oid kEmailProtection = "1.3.6.1.5.5.7.3.4";
inline constexpr Oid kTimeStamping = "1.3.6.1.5.5.7.3.8";
inline constexpr Oid kOcspSigning = "1.3.6.1.5.5.7.3.9";

// Attributes of names (RFC 5280 A.1, RFC 4519)
inline constexpr Oid kCommonName = "2.5.4.3";
inline constexpr Oid kSurname = "2.5.4.4";
inline constexpr Oid kSerialNumber = "2.5.4.5";
inline constexpr Oid kCountry = "2.5.4.6";
inline constexpr Oid kLocality = "2.5.4.7";
inline constexpr Oid kState = "2.5.4.8";
inline constexpr Oid kStreet = "2.5.4.9";
inline constexpr Oid kOrganization = "2.5.4.10";
inline constexpr Oid kOrganizationalUnit = "2.5.4.11";
inline constexpr Oid kTitle = "2.5.4.12";
inline constexpr Oid kPostalCode = "2.5.4.17";
inline constexpr Oid kGivenName = "2.5.4.42";
inline constexpr Oid kOrganizationIdentifier = "2.5.4.97";
inline constexpr Oid kUserId = "0.9.2342.19200300.100.1.1";
inline constexpr Oid kDomainComponent = "0.9.2342.19200300.100.1.25";
inline constexpr Oid kEmailAddress = "1.2.840.113549.1.9.1";

// Public keys (RFC 3279, RFC 4055, RFC 5480, RFC 5639, RFC 8410, RFC 9881)
inline constexpr Oid kRsaEncryption = "1.2.840.113549.1.1.1";
inline constexpr Oid kRsassaPss = "1.2.840.113549.1.1.10";
inline constexpr Oid kMgf1 = "1.2.840.113549.1.1.8";
inline constexpr Oid kDsa = "1.2.840.10040.4.1";
inline constexpr Oid kEcPublicKey = "1.2.840.10045.2.1";
inline constexpr Oid kP256 = "1.2.840.10045.3.1.7";
inline constexpr Oid kP384 = "1.3.132.0.34";
inline constexpr Oid kP521 = "1.3.132.0.35";
inline constexpr Oid kBrainpoolP256r1 = "1.3.36.3.3.2.8.1.1.7";
inline constexpr Oid kBrainpoolP384r1 = "1.3.36.3.3.2.8.1.1.11";
inline constexpr Oid kBrainpoolP512r1 = "1.3.36.3.3.2.8.1.1.13";
inline constexpr Oid kEd25519 = "1.3.101.112";
inline constexpr Oid kEd448 = "1.3.101.113";
inline constexpr Oid kMlDsa44 = "2.16.840.1.101.3.4.3.17";
inline constexpr Oid kMlDsa65 = "2.16.840.1.101.3.4.3.18";
inline constexpr Oid kMlDsa87 = "2.16.840.1.101.3.4.3.19";

// Signatures (RFC 3279, RFC 4055, RFC 5758)
inline constexpr Oid kSha256WithRsa = "1.2.840.113549.1.1.11";
inline constexpr Oid kSha384WithRsa = "1.2.840.113549.1.1.12";
inline constexpr Oid kSha512WithRsa = "1.2.840.113549.1.1.13";
inline constexpr Oid kEcdsaWithSha256 = "1.2.840.10045.4.3.2";
inline constexpr Oid kEcdsaWithSha384 = "1.2.840.10045.4.3.3";
inline constexpr Oid kEcdsaWithSha512 = "1.2.840.10045.4.3.4";
inline constexpr Oid kMd2WithRsa = "1.2.840.113549.1.1.2";
inline constexpr Oid kMd4WithRsa = "1.2.840.113549.1.1.3";
inline constexpr Oid kMd5WithRsa = "1.2.840.113549.1.1.4";
inline constexpr Oid kSha1WithRsa = "1.2.840.113549.1.1.5";
inline constexpr Oid kSha1WithRsaOiw = "1.3.14.3.2.29";
inline constexpr Oid kDsaWithSha1 = "1.2.840.10040.4.3";
inline constexpr Oid kDsaWithSha256 = "2.16.840.1.101.3.4.3.2";
inline constexpr Oid kEcdsaWithSha1 = "1.2.840.10045.4.1";

// Hashes (RFC 5754)
inline constexpr Oid kSha1 = "1.3.14.3.2.26";
inline constexpr Oid kSha256 = "2.16.840.1.101.3.4.2.1";
inline constexpr Oid kSha384 = "2.16.840.1.101.3.4.2.2";
inline constexpr Oid kSha512 = "2.16.840.1.101.3.4.2.3";

}  // namespace oid

}  // namespace lockstep::x509
