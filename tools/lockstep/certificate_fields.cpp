#include "certificate_fields.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "fields.hpp"
#include "provider.hpp"

namespace lockstep::tool {
namespace {

// Extensions that a certificate keeps as bytes are read here once more, as far as they are told.

constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kAttributes = 0xa0;  // [0] of a CertificationRequestInfo

struct Value {
  std::uint8_t tag = 0;
  Bytes contents;
  Bytes whole;
};

/// The values of DER one after the other; ends at the first that is none.
class Values {
 public:
  explicit Values(Bytes bytes) : rest_(bytes) {}

  std::optional<Value> next() {
    if (rest_.size() < 2) return std::nullopt;
    std::size_t head = 2;
    std::size_t size = rest_[1];
    if (size >= 0x80) {
      const std::size_t count = size & 0x7fU;
      if (count == 0 || count > 4 || rest_.size() < 2 + count) return std::nullopt;
      size = 0;
      for (const std::uint8_t byte : rest_.subspan(2, count)) size = size << 8U | byte;
      head += count;
    }
    if (rest_.size() - head < size) return std::nullopt;
    const Value value{rest_[0], rest_.subspan(head, size), rest_.first(head + size)};
    rest_ = rest_.subspan(head + size);
    return value;
  }

 private:
  Bytes rest_;
};

Bytes contents_of(Bytes bytes) {
  const auto value = Values(bytes).next();
  return value ? value->contents : Bytes();
}

std::string named(Bytes oid) {
  const std::string_view known = x509::oid_name(oid);
  return known.empty() ? x509::oid_text(oid) : std::string(known);
}

std::string general_name(const Value& value) {
  const auto number = static_cast<std::uint8_t>(value.tag & 0x1fU);
  if (number > 8) return hex(value.contents);
  return x509::GeneralName{static_cast<x509::GeneralName::Kind>(number), value.contents}.text();
}

Json general_names(Bytes contents) {
  Json names = Json::array();
  Values values(contents);
  while (const auto value = values.next()) names.push_back(general_name(*value));
  return names;
}

/// GeneralSubtree ::= SEQUENCE { base GeneralName, ... }
Json subtrees(Bytes contents) {
  Json names = Json::array();
  Values values(contents);
  while (const auto value = values.next()) {
    if (const auto base = Values(value->contents).next()) names.push_back(general_name(*base));
  }
  return names;
}

Json key_usages(const x509::KeyUsages& usages) {
  static constexpr std::array kNames =
      std::to_array<std::string_view>({"digitalSignature", "contentCommitment", "keyEncipherment", "dataEncipherment",
                                       "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"});
  Json names = Json::array();
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (usages.has(static_cast<x509::KeyUsage>(i))) names.push_back(kNames[i]);
  }
  return names;
}

Json object_identifiers(Bytes contents) {
  Json names = Json::array();
  Values values(contents);
  while (const auto value = values.next()) names.push_back(named(value->contents));
  return names;
}

/// PolicyInformation ::= SEQUENCE { policyIdentifier, policyQualifiers OPTIONAL }
Json policies(Bytes contents) {
  Json names = Json::array();
  Values values(contents);
  while (const auto value = values.next()) names.push_back(named(contents_of(value->contents)));
  return names;
}

/// AccessDescription ::= SEQUENCE { accessMethod, accessLocation GeneralName }
Json access_descriptions(Bytes contents) {
  Json list = Json::array();
  Values values(contents);
  while (const auto value = values.next()) {
    Values parts(value->contents);
    const auto method = parts.next();
    const auto location = parts.next();
    if (!method || !location) break;
    const std::string oid = x509::oid_text(method->contents);
    const std::string word = oid == "1.3.6.1.5.5.7.48.1" ? "OCSP" : oid == "1.3.6.1.5.5.7.48.2" ? "caIssuers" : oid;
    list.push_back(word + " " + general_name(*location));
  }
  return list;
}

/// DistributionPoint ::= SEQUENCE { distributionPoint [0] { fullName [0] GeneralNames }, ... }
Json distribution_points(Bytes contents) {
  Json names = Json::array();
  Values points(contents);
  while (const auto point = points.next()) {
    const auto where = Values(point->contents).next();
    if (!where || where->tag != 0xa0) continue;
    const auto full = Values(where->contents).next();
    if (!full || full->tag != 0xa0) continue;
    for (const Json& name : general_names(full->contents)) names.push_back(name);
  }
  return names;
}

Json tls_features(Bytes contents) {
  Json names = Json::array();
  Values values(contents);
  while (const auto value = values.next()) {
    std::size_t number = 0;
    for (const std::uint8_t byte : value->contents.first(std::min<std::size_t>(value->contents.size(), 4)))
      number = number << 8U | byte;
    names.push_back(to_text(static_cast<ExtensionType>(number)));
  }
  return names;
}

std::size_t number_at(Bytes bytes, std::size_t at, std::size_t count) {
  std::size_t number = 0;
  for (const std::uint8_t byte : bytes.subspan(at, count)) number = number << 8U | byte;
  return number;
}

/// RFC 6962 3.3: a list with its length in front, each SCT with its own: version, log id, timestamp, ...
Json timestamps(Bytes list) {
  Json found = Json::array();
  if (list.size() < 2) return found;
  Bytes rest = list.subspan(2);
  while (rest.size() >= 2) {
    const std::size_t size = number_at(rest, 0, 2);
    if (rest.size() - 2 < size) break;
    const Bytes sct = rest.subspan(2, size);
    rest = rest.subspan(2 + size);
    if (sct.size() < 41) continue;
    found.push_back({{"version", sct[0] + 1},
                     {"log_id", hex(sct.subspan(1, 32))},
                     {"timestamp", x509::time_text(static_cast<std::int64_t>(number_at(sct, 33, 8) / 1000))}});
  }
  return found;
}

Json authority_key_identifier(const x509::AuthorityKeyIdentifier& identifier) {
  Json fields = Json::object();
  if (identifier.key_identifier) fields["keyIdentifier"] = hex(*identifier.key_identifier);
  if (identifier.issuer) fields["authorityCertIssuer"] = general_names(*identifier.issuer);
  if (identifier.serial_number) fields["authorityCertSerialNumber"] = hex(*identifier.serial_number);
  return fields;
}

Json name_constraints(const x509::NameConstraints& constraints) {
  Json fields = Json::object();
  if (constraints.permitted) fields["permittedSubtrees"] = subtrees(*constraints.permitted);
  if (constraints.excluded) fields["excludedSubtrees"] = subtrees(*constraints.excluded);
  return fields;
}

Json basic_constraints(const x509::BasicConstraints& constraints) {
  Json fields = {{"cA", constraints.ca}};
  if (constraints.path_length) fields["pathLenConstraint"] = *constraints.path_length;
  return fields;
}

Json extension_value(const x509::Certificate& certificate, const x509::Extension& extension) {
  const std::string oid = x509::oid_text(extension.oid);
  const Bytes inner = contents_of(extension.value);
  if (oid == "2.5.29.14") return hex(inner);
  if (oid == "2.5.29.15" && certificate.key_usage()) return key_usages(*certificate.key_usage());
  if (oid == "2.5.29.17" || oid == "2.5.29.18") return general_names(inner);
  if (oid == "2.5.29.19" && certificate.basic_constraints()) return basic_constraints(*certificate.basic_constraints());
  if (oid == "2.5.29.30" && certificate.name_constraints()) return name_constraints(*certificate.name_constraints());
  if (oid == "2.5.29.31") return distribution_points(inner);
  if (oid == "2.5.29.32") return policies(inner);
  if (oid == "2.5.29.35" && certificate.authority_key_identifier())
    return authority_key_identifier(*certificate.authority_key_identifier());
  if (oid == "2.5.29.37") return object_identifiers(inner);
  if (oid == "1.3.6.1.5.5.7.1.1") return access_descriptions(inner);
  if (oid == "1.3.6.1.5.5.7.1.24") return tls_features(inner);
  if (oid == "1.3.6.1.4.1.11129.2.4.2") return timestamps(inner);
  return hex(extension.value);
}

Json extensions(const x509::Certificate& certificate) {
  Json list = Json::array();
  for (const x509::Extension& extension : certificate.extensions()) {
    Json fields = {{"extnID", x509::oid_text(extension.oid)}};
    if (const std::string_view known = x509::oid_name(extension.oid); !known.empty()) fields["name"] = known;
    fields["critical"] = extension.critical;
    fields["value"] = extension_value(certificate, extension);
    list.push_back(std::move(fields));
  }
  return list;
}

/// The alternative names that a request asks for: Attribute ::= SEQUENCE { type, values SET OF Extensions } with
/// extensionRequest (RFC 2985 5.4.2).
Json requested_names(Bytes attributes) {
  Json names = Json::array();
  Values list(attributes);
  while (const auto attribute = list.next()) {
    Values parts(attribute->contents);
    const auto type = parts.next();
    const auto values = parts.next();
    if (!type || !values || x509::oid_text(type->contents) != "1.2.840.113549.1.9.14") continue;
    Values requested(contents_of(values->contents));
    while (const auto extension = requested.next()) {
      Values fields(extension->contents);
      const auto oid = fields.next();
      auto value = fields.next();
      if (const auto behind_critical = fields.next()) value = behind_critical;
      if (!oid || !value || x509::oid_text(oid->contents) != "2.5.29.17") continue;
      for (const Json& name : general_names(contents_of(value->contents))) names.push_back(name);
    }
  }
  return names;
}

std::string algorithm_text(const x509::SignatureIdentifier& signature) {
  return signature.algorithm ? std::string(name(*signature.algorithm)) : named(signature.oid);
}

}  // namespace

Json public_key_fields(const x509::PublicKey& key) {
  Json fields = {{"algorithm", named(key.algorithm)}};
  if (key.type) fields["type"] = to_text(*key.type);
  if (key.bits != 0) fields["bits"] = key.bits;
  fields["subjectPublicKey"] = hex(key.key);
  if (std::string digest = sha256_text(key.der); !digest.empty()) fields["sha256"] = std::move(digest);
  return fields;
}

std::optional<Json> request_fields(Bytes der) {
  // CertificationRequest ::= SEQUENCE { certificationRequestInfo, signatureAlgorithm, signature }
  Values outer(der);
  const auto request = outer.next();
  if (!request || request->tag != kSequence || request->whole.size() != der.size()) return std::nullopt;
  Values parts(request->contents);
  const auto info = parts.next();
  const auto algorithm = parts.next();
  if (!info || info->tag != kSequence || !algorithm || !parts.next()) return std::nullopt;
  Values fields(info->contents);
  const auto version = fields.next();
  const auto subject = fields.next();
  const auto key = fields.next();
  const auto attributes = fields.next();
  if (!version || version->tag != kInteger || version->contents.size() != 1 || !subject || !key || !attributes ||
      attributes->tag != kAttributes)
    return std::nullopt;
  const auto name = x509::DistinguishedName::parse(subject->whole);
  const auto public_key = x509::PublicKey::parse(key->whole);
  if (!name || !public_key) return std::nullopt;
  return Json{{"version", version->contents[0] + 1},
              {"subject", name->text()},
              {"subjectPKInfo", public_key_fields(*public_key)},
              {"subjectAltName", requested_names(attributes->contents)},
              {"signatureAlgorithm", named(contents_of(algorithm->contents))}};
}

Json certificate_fields(const x509::Certificate& certificate) {
  Json fields = {{"version", certificate.version()},
                 {"serialNumber", certificate.serial_number_text()},
                 {"issuer", certificate.issuer().text()},
                 {"validity",
                  {{"notBefore", x509::time_text(certificate.not_before())},
                   {"notAfter", x509::time_text(certificate.not_after())}}},
                 {"subject", certificate.subject().text()},
                 {"subjectPublicKeyInfo", public_key_fields(certificate.public_key())}};
  if (Json list = extensions(certificate); !list.empty()) fields["extensions"] = std::move(list);
  fields["signatureAlgorithm"] = algorithm_text(certificate.signature_algorithm());
  fields["signature"] = hex(certificate.signature());
  fields["sha256"] = certificate.fingerprint_text(provider());
  if (std::string sha384 = certificate.fingerprint_text(provider(), HashAlgorithm::sha384); !sha384.empty())
    fields["sha384"] = std::move(sha384);
  return fields;
}

}  // namespace lockstep::tool
