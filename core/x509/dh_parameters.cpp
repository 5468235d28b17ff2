// Parameters of Diffie-Hellman, as `openssl dhparam` writes them.

#include <lockstep/x509_pem.hpp>

#include "x509/der.hpp"

namespace lockstep::x509 {
namespace {

constexpr std::string_view kDhParameters = "DH PARAMETERS";
constexpr std::string_view kX942Parameters = "X9.42 DH PARAMETERS";

std::expected<DhParameters, LoadError> read(Bytes der, const std::string& where) {
  der::ParseState state{der.data()};
  der::Reader input(state, der);
  // PKCS#3 9: "DHParameter ::= SEQUENCE { prime INTEGER, base INTEGER, privateValueLength INTEGER OPTIONAL }". ANSI
  // X9.42 has the order of the generator behind it, and how they were made. Neither matters to whoever makes keys as
  // long as p.
  der::Reader fields = input.enter();
  input.end();
  const Bytes p = fields.integer();
  const Bytes g = fields.integer();
  while (fields.more()) fields.any();
  if (input.failed() || p.empty() || g.empty() || ((p.front() | g.front()) & 0x80U) != 0)
    return std::unexpected(
        LoadError{LoadCode::der_malformed, where + "the parameters are not well-formed DHParameter"});
  return DhParameters{{p.begin(), p.end()}, {g.begin(), g.end()}};
}

}  // namespace

std::expected<DhParameters, LoadError> load_dh_parameters(Bytes pem_or_der) {
  if (!pem_or_der.empty() && pem_or_der.front() == der::kSequence) return read(pem_or_der, "");
  PemReader reader(as_text(pem_or_der));
  std::string others;
  while (const auto object = reader.next()) {
    if (!*object) {
      const PemError& error = (*object).error();
      if (error.label.empty() || error.label == kDhParameters || error.label == kX942Parameters)
        return std::unexpected(LoadError{LoadCode::pem_malformed, error.text()});
      continue;
    }
    const PemObject& found = **object;
    if (found.label == kDhParameters || found.label == kX942Parameters)
      return read(found.der.view(), "line " + std::to_string(found.line) + ": ");
    others += (others.empty() ? "" : ", ") + found.label;
  }
  return std::unexpected(LoadError{LoadCode::not_found,
                                   others.empty() ? "no parameters: neither DER nor PEM with a BEGIN DH PARAMETERS line"
                                                  : "no parameters of Diffie-Hellman, only " + others});
}

}  // namespace lockstep::x509
