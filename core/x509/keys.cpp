// Private keys and chains, out of the wrappings in which they come.

#include <array>

#include <lockstep/x509_certificate.hpp>
#include <lockstep/x509_pem.hpp>

#include "x509/algorithms.hpp"
#include "x509/der.hpp"
#include "x509/der_writer.hpp"

namespace lockstep::x509 {

namespace {

using der::ParseState;
using der::Reader;

/// What a DER private key is wrapped in.
enum class KeyFormat : std::uint8_t { unknown, pkcs8, encrypted_pkcs8, pkcs1, sec1 };

std::unexpected<LoadError> refuse(LoadCode code, std::string text) {
  return std::unexpected(LoadError{code, std::move(text)});
}

bool is_der(Bytes bytes) noexcept { return !bytes.empty() && bytes[0] == der::kSequence; }

KeyFormat format_of(Bytes der) noexcept;
std::expected<SecretBytes, LoadError> unwrap(const Provider& provider, Bytes der, std::string_view passphrase,
                                             const std::string& where);
std::expected<SecretBytes, LoadError> decrypt(const Provider& provider, Bytes der, std::string_view passphrase,
                                              const std::string& where);
std::expected<SecretBytes, LoadError> wrap_sec1(Bytes der, const std::string& where);
SecretBytes wrap(Bytes algorithm_identifier, Bytes key);
LoadError explain(KeyError error, const std::string& where);

}  // namespace

std::expected<std::vector<std::vector<std::uint8_t>>, LoadError> load_chain(Bytes pem_or_der) {
  std::vector<std::vector<std::uint8_t>> out;
  const auto add = [&out](Bytes der, const std::string& where) -> std::optional<LoadError> {
    if (const auto certificate = Certificate::parse(der); !certificate) {
      return LoadError{LoadCode::certificate_malformed, where + "not a certificate: " + certificate.error().text()};
    }
    out.emplace_back(der.begin(), der.end());
    return std::nullopt;
  };
  if (is_der(pem_or_der)) {
    if (auto error = add(pem_or_der, "")) return std::unexpected(std::move(*error));
    return out;
  }
  PemReader reader(as_text(pem_or_der));
  while (const auto object = reader.next()) {
    if (!*object) return refuse(LoadCode::pem_malformed, (*object).error().text());
    const PemObject& found = **object;
    const std::string where = "line " + std::to_string(found.line) + ": ";
    if (found.label == "TRUSTED CERTIFICATE") {
      return refuse(LoadCode::trusted_certificate,
                    where +
                        "a TRUSTED CERTIFICATE carries OpenSSL's own trust settings, which would be ignored; convert "
                        "it with `openssl x509 -in FILE -out FILE`");
    }
    if (found.label != "CERTIFICATE" && found.label != "X509 CERTIFICATE") continue;
    if (auto error = add(found.der.view(), where)) return std::unexpected(std::move(*error));
  }
  if (out.empty())
    return refuse(LoadCode::not_found, "no certificate: neither DER nor PEM with a BEGIN CERTIFICATE line");
  return out;
}

std::expected<SecretBytes, LoadError> load_pkcs8(const Provider& provider, Bytes pem_or_der,
                                                 std::string_view passphrase) {
  if (is_der(pem_or_der)) return unwrap(provider, pem_or_der, passphrase, "");
  PemReader reader(as_text(pem_or_der));
  std::string others;
  while (const auto object = reader.next()) {
    if (!*object) return refuse(LoadCode::pem_malformed, (*object).error().text());
    const PemObject& found = **object;
    const std::string where = "line " + std::to_string(found.line) + ": ";
    if (found.label == "OPENSSH PRIVATE KEY") {
      return refuse(LoadCode::key_format_unknown,
                    where + "a key in OpenSSH's own format; convert it with `ssh-keygen -p -m PKCS8 -f FILE`");
    }
    if (!found.label.ends_with("PRIVATE KEY")) {
      others += others.empty() ? "" : ", ";
      others += found.label;
      continue;
    }
    if (found.encrypted) {
      return refuse(
          LoadCode::legacy_encryption,
          where +
              "a key encrypted in the old way of PEM (Proc-Type: 4,ENCRYPTED), which one round of MD5 guards; "
              "convert it with `openssl pkcs8 -topk8 -in FILE -out FILE`");
    }
    return unwrap(provider, found.der.view(), passphrase, where);
  }
  return refuse(LoadCode::not_found, others.empty()
                                         ? "no private key: neither DER nor PEM with a BEGIN PRIVATE KEY line"
                                         : "no private key, only " + others);
}

std::expected<std::shared_ptr<const SigningKey>, LoadError> load_private_key(const Provider& provider, Bytes pem_or_der,
                                                                             std::string_view passphrase) {
  const auto pkcs8 = load_pkcs8(provider, pem_or_der, passphrase);
  if (!pkcs8) return std::unexpected(pkcs8.error());
  LoadError error{LoadCode::key_unsupported, "the provider loads no keys"};
  for (const KeyLoader* loader : provider.key_loaders) {
    const auto key = loader->load(pkcs8->view());
    if (key) return *key;
    error = explain(key.error(), "");
    if (key.error() != KeyError::unsupported) break;
  }
  return std::unexpected(std::move(error));
}

bool belongs_to(Bytes certificate, const SigningKey& key) noexcept {
  const auto parsed = Certificate::parse(certificate);
  return parsed && equal(parsed->subject_public_key_info(), key.subject_public_key_info());
}

namespace {

KeyFormat format_of(Bytes der) noexcept {
  ParseState state{der.data()};
  Reader input(state, der);
  Reader fields = input.enter();
  input.end();
  if (fields.next_is(der::kSequence)) {
    // EncryptedPrivateKeyInfo ::= SEQUENCE { encryptionAlgorithm SEQUENCE, encryptedData OCTET STRING }
    fields.any();
    return fields.next_is(der::kOctetString) ? KeyFormat::encrypted_pkcs8 : KeyFormat::unknown;
  }
  fields.small_integer();
  // PrivateKeyInfo has an AlgorithmIdentifier after the version, ECPrivateKey the key, RSAPrivateKey the modulus.
  if (fields.next_is(der::kSequence)) return KeyFormat::pkcs8;
  if (fields.next_is(der::kOctetString)) return KeyFormat::sec1;
  return fields.next_is(der::kInteger) ? KeyFormat::pkcs1 : KeyFormat::unknown;
}

/// To the DER of a PrivateKeyInfo.
std::expected<SecretBytes, LoadError> unwrap(const Provider& provider, Bytes der, std::string_view passphrase,
                                             const std::string& where) {
  switch (format_of(der)) {
    case KeyFormat::pkcs8: return SecretBytes(std::vector<std::uint8_t>(der.begin(), der.end()));
    case KeyFormat::encrypted_pkcs8: return decrypt(provider, der, passphrase, where);
    case KeyFormat::sec1: return wrap_sec1(der, where);
    case KeyFormat::pkcs1: {
      der::Writer algorithm;
      algorithm.nest(der::kSequence, [&] {
        algorithm.object_identifier(oid::kRsaEncryption);
        algorithm.null();
      });
      return wrap(algorithm.view(), der);
    }
    case KeyFormat::unknown: break;
  }
  return refuse(LoadCode::key_format_unknown,
                where + "not a private key in PKCS#8, PKCS#1 or SEC1 form; the data may be cut off");
}

std::expected<SecretBytes, LoadError> decrypt(const Provider& provider, Bytes der, std::string_view passphrase,
                                              const std::string& where) {
  if (passphrase.empty())
    return refuse(LoadCode::passphrase_needed, where + "the private key is encrypted; give its passphrase");
  LoadError error{LoadCode::key_unsupported, where + "the private key is encrypted, and the provider decrypts none"};
  for (const KeyLoader* loader : provider.key_loaders) {
    if (loader->decrypt == nullptr) continue;
    auto plain = loader->decrypt(der, passphrase);
    if (plain) return SecretBytes(std::move(*plain));
    error = explain(plain.error(), where);
    if (plain.error() != KeyError::unsupported) break;
  }
  return std::unexpected(std::move(error));
}

/// RFC 5915 3: ECPrivateKey ::= SEQUENCE { version INTEGER, privateKey OCTET STRING, parameters [0] ECParameters
/// OPTIONAL, publicKey [1] }
std::expected<SecretBytes, LoadError> wrap_sec1(Bytes der, const std::string& where) {
  ParseState state{der.data()};
  Reader fields = Reader(state, der).enter();
  fields.small_integer();
  fields.element(der::kOctetString);
  if (!fields.next_is(der::context_constructed(0))) {
    return refuse(LoadCode::key_format_unknown,
                  where + "an EC key that does not say on which curve it is; make it PKCS#8");
  }
  Reader parameters = fields.enter(der::context_constructed(0));
  if (parameters.next_is(der::kSequence)) {
    return refuse(LoadCode::key_unsupported, where + "an EC key that spells out its curve instead of naming it");
  }
  const Bytes curve = parameters.object_identifier();
  if (state.error) return refuse(LoadCode::der_malformed, where + state.error->text());
  der::Writer algorithm;
  algorithm.nest(der::kSequence, [&] {
    algorithm.object_identifier(oid::kEcPublicKey);
    algorithm.object_identifier(curve);
  });
  return wrap(algorithm.view(), der);
}

/// RFC 5958 2: PrivateKeyInfo ::= SEQUENCE { version INTEGER (0), privateKeyAlgorithm AlgorithmIdentifier, privateKey
/// OCTET STRING }
SecretBytes wrap(Bytes algorithm_identifier, Bytes key) {
  der::Writer out(algorithm_identifier.size() + key.size() + 32);
  out.nest(der::kSequence, [&] {
    out.integer(0);
    out.raw(algorithm_identifier);
    out.octet_string(key);
  });
  return SecretBytes(std::move(out).take());
}

LoadError explain(KeyError error, const std::string& where) {
  switch (error) {
    case KeyError::malformed: return {LoadCode::der_malformed, where + "the private key is not well-formed PKCS#8"};
    case KeyError::unsupported:
      return {LoadCode::key_unsupported,
              where + "the provider does not know this type, curve or encryption of private key"};
    case KeyError::wrong_passphrase:
      return {LoadCode::passphrase_wrong, where + "the passphrase does not open the private key"};
    case KeyError::invalid: return {LoadCode::key_invalid, where + "the numbers in the private key do not make a key"};
    case KeyError::failed: break;
  }
  return {LoadCode::provider_failed, where + "the provider failed to load the private key"};
}

}  // namespace

}  // namespace lockstep::x509
