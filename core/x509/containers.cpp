#include "x509/containers.hpp"

#include <algorithm>
#include <array>

#include "x509/der.hpp"

namespace lockstep::x509 {

namespace {

using std::string_view_literals::operator""sv;

// RFC 7292 4: PFX ::= SEQUENCE { version INTEGER {v3(3)}, authSafe ContentInfo, ... }
constexpr std::string_view kPfxBegins = "\x02\x01\x03\x30"sv;
// RFC 2315 7 and RFC 5652 3: ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, ... }, here signedData,
// 1.2.840.113549.1.7.2.
constexpr std::string_view kSignedDataBegins = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"sv;

constexpr std::array kPkcs7Labels{"PKCS7"sv, "PKCS #7 SIGNED DATA"sv, "CMS"sv};  // RFC 7468 8 and 9

std::string pkcs7_text(std::string_view encoding) {
  return "a PKCS#7 bundle (.p7b, .p7c), which is not read; convert it with `openssl pkcs7 -print_certs" +
         std::string(encoding) + " -in FILE -out FILE.pem`";
}

/// What stands in the outer SEQUENCE, however its length is written: containers are often BER.
std::string_view contents(Bytes der) noexcept {
  if (der.size() < 2 || der[0] != der::kSequence) return {};
  constexpr std::uint8_t kLongForm = 0x80;
  const std::size_t header = 2 + (der[1] > kLongForm ? der[1] - kLongForm : 0U);
  return as_text(der.subspan(std::min(header, der.size())));
}

}  // namespace

std::optional<std::string> container_of(Bytes der) {
  if (contents(der).starts_with(kPfxBegins)) {
    return "a PKCS#12 file (.p12, .pfx), which is not read; convert it with `openssl pkcs12 -in FILE -nodes -out "
           "FILE.pem`, which then holds the key and its certificates";
  }
  if (contents(der).starts_with(kSignedDataBegins)) return pkcs7_text(" -inform DER");
  return std::nullopt;
}

std::optional<std::string> container_of(std::string_view label) {
  if (label == kTrustedCertificate) {
    return "a TRUSTED CERTIFICATE, which carries OpenSSL's own trust settings, and they would be ignored; convert it "
           "with `openssl x509 -in FILE -out FILE.pem`";
  }
  if (std::ranges::find(kPkcs7Labels, label) != kPkcs7Labels.end()) return pkcs7_text("");
  return std::nullopt;
}

bool is_certificate(std::string_view label) noexcept { return label == "CERTIFICATE" || label == "X509 CERTIFICATE"; }

}  // namespace lockstep::x509
