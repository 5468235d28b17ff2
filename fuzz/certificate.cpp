// DER as a certificate: parsed, every field looked at, printed, compared with itself.

#include <lockstep/fuzzing.hpp>
#include <lockstep/x509_certificate.hpp>

using namespace lockstep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto certificate = x509::Certificate::parse({data, size});
  if (!certificate) return 0;
  fuzzing::require(*certificate == *x509::Certificate::parse({data, size}), "parsing is repeatable");
  fuzzing::require(!certificate->text().empty(), "a certificate can be printed");
  fuzzing::require(certificate->fingerprint_text(fake::provider()).size() == 32 * 3 - 1, "a fingerprint is a digest");
  for (const x509::Extension& extension : certificate->extensions()) {
    fuzzing::require(certificate->extension(extension.oid).has_value(), "an extension that is there is found");
  }
  return 0;
}
