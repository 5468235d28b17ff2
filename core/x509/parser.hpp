#pragma once
// Reading the structures of RFC 5280 4 into views.

#include <cstdint>
#include <expected>

#include <lockstep/bytes.hpp>
#include <lockstep/x509_certificate.hpp>

#include "x509/der.hpp"

namespace lockstep::x509 {

class CertificateParser {
 public:
  static std::expected<Certificate, ParseError> parse(Bytes der) noexcept;

  /// The contents of a known extension into the certificate; of any other, only whether it is critical.
  static void read_extension(const Extension& extension, der::Reader value, Certificate& out) noexcept;

  /// A Name, every attribute checked.
  static DistinguishedName read_name(der::Reader& reader) noexcept;
  /// A name whose DER was checked before.
  static DistinguishedName checked_name(Bytes der) noexcept { return DistinguishedName(der); }

  /// GeneralNames of at least one name, every one checked. `tag` for those that are IMPLICIT in something else.
  static GeneralNames read_general_names(der::Reader& reader, std::uint8_t tag = der::kSequence) noexcept;
};

/// One GeneralName. Addresses may have any length; see CertificateParser::read_general_names for those that may not.
GeneralName read_general_name(der::Reader& reader) noexcept;

/// Whether a name is, or lies within, another. In their order: what is doubtful about a part is doubtful of the whole.
enum class Match : std::uint8_t {
  no,
  perhaps,  ///< it cannot be compared, or stands for several names of which some do
  yes
};

/// Whether the first attributes of `name` are those of `prefix`: lies within the subtree (RFC 5280 4.2.1.10).
[[nodiscard]] Match lies_within(const DistinguishedName& name, const DistinguishedName& prefix) noexcept;

}  // namespace lockstep::x509
