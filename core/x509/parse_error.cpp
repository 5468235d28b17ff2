// The names and explanations of parse errors, in one table.

#include <array>

#include <lockstep/x509_certificate.hpp>

namespace lockstep::x509 {

namespace {

struct Row {
  ParseCode code;
  std::string_view name;
  std::string_view explanation;
};

constexpr std::array kRows = std::to_array<Row>({
    {ParseCode::truncated, "truncated", "the bytes end inside a value"},
    {ParseCode::trailing_data, "trailing_data", "bytes follow where the structure ends"},
    {ParseCode::indefinite_length, "indefinite_length", "a length of BER, which DER forbids"},
    {ParseCode::length_not_minimal, "length_not_minimal", "a length in more bytes than it needs"},
    {ParseCode::length_too_large, "length_too_large", "a length of more than four bytes"},
    {ParseCode::high_tag_number, "high_tag_number", "a tag of several bytes, which X.509 does not have"},
    {ParseCode::unexpected_tag, "unexpected_tag", "another type than the structure demands"},
    {ParseCode::boolean_not_canonical, "boolean_not_canonical", "a BOOLEAN that is neither 00 nor ff"},
    {ParseCode::default_encoded, "default_encoded", "a DEFAULT value written out, which DER forbids"},
    {ParseCode::integer_empty, "integer_empty", "an INTEGER without a byte"},
    {ParseCode::integer_not_minimal, "integer_not_minimal", "an INTEGER in more bytes than it needs"},
    {ParseCode::integer_out_of_range, "integer_out_of_range", "an INTEGER that is negative or too large here"},
    {ParseCode::bit_string_malformed, "bit_string_malformed", "a BIT STRING whose count of unused bits is wrong"},
    {ParseCode::null_not_empty, "null_not_empty", "a NULL with contents"},
    {ParseCode::object_identifier_malformed, "object_identifier_malformed", "an OBJECT IDENTIFIER that is none"},
    {ParseCode::time_malformed, "time_malformed",
     "a time that is not YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ, or a moment that does not exist"},
    {ParseCode::string_malformed, "string_malformed", "characters that the string's type does not have"},
    {ParseCode::set_malformed, "set_malformed", "a SET that is empty or out of order"},
    {ParseCode::version_unknown, "version_unknown", "a version other than 1, 2 and 3"},
    {ParseCode::public_key_malformed, "public_key_malformed",
     "a public key that is not one of the algorithm that it names, or an RSA exponent of more than 33 bits"},
    {ParseCode::extensions_empty, "extensions_empty", "a list of extensions without one"},
    {ParseCode::extension_duplicate, "extension_duplicate", "an extension that was there before"},
    {ParseCode::general_name_malformed, "general_name_malformed",
     "a general name of no known form, or an address of a wrong size"},
    {ParseCode::sequence_empty, "sequence_empty", "a list that must have elements and has none"},
    {ParseCode::too_many_extensions, "too_many_extensions", "more extensions than any certificate has"},
    {ParseCode::too_many_policies, "too_many_policies", "more policies than any certificate has"},
    {ParseCode::too_large, "too_large", "more bytes than any certificate has"},
});

const Row* find(ParseCode code) noexcept {
  for (const Row& row : kRows) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

}  // namespace

std::string_view name(ParseCode code) noexcept {
  const Row* const row = find(code);
  return row != nullptr ? row->name : std::string_view();
}

std::string_view explanation(ParseCode code) noexcept {
  const Row* const row = find(code);
  return row != nullptr ? row->explanation : std::string_view();
}

std::string ParseError::text() const {
  std::string out(name(code));
  out += " at byte ";
  out += std::to_string(offset);
  out += ": ";
  out += explanation(code);
  return out;
}

}  // namespace lockstep::x509
