// Private keys and chains, out of the wrappings in which they come.

#include <array>

#include <lockstep/rsa_limits.hpp>
#include <lockstep/x509_certificate.hpp>
#include <lockstep/x509_pem.hpp>

#include "x509/algorithms.hpp"
#include "x509/containers.hpp"
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

struct NamedOid {
  Oid oid;
  std::string_view name;
};

template <std::size_t count>
std::optional<std::string_view> name_of(const std::array<NamedOid, count>& names, Bytes oid) noexcept {
  for (const NamedOid& known : names) {
    if (known.oid == oid) return known.name;
  }
  return std::nullopt;
}

bool is_der(Bytes bytes) noexcept { return !bytes.empty() && bytes[0] == der::kSequence; }

bool is_private_key(std::string_view label) noexcept { return label.ends_with("PRIVATE KEY"); }

KeyFormat format_of(Bytes der) noexcept;
std::expected<SecretBytes, LoadError> unwrap(const Provider& provider, Bytes der, std::string_view passphrase,
                                             const std::string& where);
std::expected<SecretBytes, LoadError> decrypt(const Provider& provider, Bytes der, std::string_view passphrase,
                                              const std::string& where);
std::expected<SecretBytes, LoadError> wrap_sec1(Bytes der, const std::string& where);
SecretBytes wrap(Bytes algorithm_identifier, Bytes key);
LoadError explain(KeyError error, const std::string& where);
std::optional<std::string_view> old_encryption(Bytes encrypted_pkcs8) noexcept;
std::string why_unsupported(const Provider& provider, Bytes pkcs8);

}  // namespace

std::expected<std::vector<std::vector<std::uint8_t>>, LoadError> load_chain(Bytes pem_or_der) {
  std::vector<std::vector<std::uint8_t>> out;
  const auto add = [&out](Bytes der, const std::string& where) -> std::optional<LoadError> {
    if (const auto certificate = Certificate::parse(der); !certificate) {
      if (const auto container = container_of(der)) return LoadError{LoadCode::container, where + *container};
      return LoadError{LoadCode::certificate_malformed, where + "not a certificate: " + certificate.error().text()};
    }
    out.emplace_back(der.begin(), der.end());
    return std::nullopt;
  };
  if (is_der(pem_or_der)) {
    if (auto error = add(pem_or_der, "")) return std::unexpected(std::move(*error));
    return out;
  }
  std::string others;
  std::optional<LoadError> container;
  PemReader reader(as_text(pem_or_der));
  while (const auto object = reader.next()) {
    if (!*object) {
      const PemError& error = (*object).error();
      // What is broken and not asked for, a key or a CRL, does no harm.
      if (error.label.empty() || is_certificate(error.label) || error.label == kTrustedCertificate)
        return refuse(LoadCode::pem_malformed, error.text());
      continue;
    }
    const PemObject& found = **object;
    const std::string where = "line " + std::to_string(found.line) + ": ";
    if (found.label == kTrustedCertificate)
      return refuse(LoadCode::trusted_certificate, where + *container_of(found.label));
    if (is_certificate(found.label)) {
      if (auto error = add(found.der.view(), where)) return std::unexpected(std::move(*error));
      continue;
    }
    if (const auto text = container_of(found.label)) container = LoadError{LoadCode::container, where + *text};
    others += (others.empty() ? "" : ", ") + found.label;
  }
  if (!out.empty()) return out;
  if (container) return std::unexpected(std::move(*container));
  return refuse(LoadCode::not_found, others.empty()
                                         ? "no certificate: neither DER nor PEM with a BEGIN CERTIFICATE line"
                                         : "no certificate, only " + others);
}

std::expected<SecretBytes, LoadError> load_pkcs8(const Provider& provider, Bytes pem_or_der,
                                                 std::string_view passphrase) {
  if (is_der(pem_or_der)) return unwrap(provider, pem_or_der, passphrase, "");
  PemReader reader(as_text(pem_or_der));
  std::string others;
  while (const auto object = reader.next()) {
    if (!*object) {
      const PemError& error = (*object).error();
      if (error.label.empty() || is_private_key(error.label)) return refuse(LoadCode::pem_malformed, error.text());
      continue;
    }
    const PemObject& found = **object;
    const std::string where = "line " + std::to_string(found.line) + ": ";
    if (found.label == "OPENSSH PRIVATE KEY") {
      return refuse(LoadCode::key_format_unknown,
                    where + "a key in OpenSSH's own format; convert it with `ssh-keygen -p -m PKCS8 -f FILE`");
    }
    if (!is_private_key(found.label)) {
      others += (others.empty() ? "" : ", ") + found.label;
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
    error.text = why_unsupported(provider, pkcs8->view());
  }
  return std::unexpected(std::move(error));
}

bool belongs_to(Bytes certificate, const SigningKey& key) noexcept {
  const auto parsed = Certificate::parse(certificate);
  const auto own = PublicKey::parse(key.subject_public_key_info());
  return parsed && own && same_key(parsed->public_key(), *own);
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
  // RFC 7292 4: the version of PKCS#12 is 3; PKCS#8 has 0 and 1.
  constexpr std::uint32_t kPfxVersion = 3;
  if (fields.small_integer() == kPfxVersion) return KeyFormat::unknown;
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
  if (const auto container = container_of(der)) return refuse(LoadCode::container, where + *container);
  return refuse(LoadCode::key_format_unknown,
                where + "not a private key in PKCS#8, PKCS#1 or SEC1 form; the data may be cut off");
}

std::expected<SecretBytes, LoadError> decrypt(const Provider& provider, Bytes der, std::string_view passphrase,
                                              const std::string& where) {
  if (const auto scheme = old_encryption(der)) {
    return refuse(LoadCode::legacy_encryption, where + "the private key is encrypted by " + std::string(*scheme) +
                                                   ", as before PBES2, which is not opened; convert it with `openssl "
                                                   "pkcs8 -topk8 -in FILE -out FILE.pem`");
  }
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

/// PBES1 (RFC 8018 A.3) and the schemes of PKCS#12 (RFC 7292 C): the name of the one that encrypts.
std::optional<std::string_view> old_encryption(Bytes encrypted_pkcs8) noexcept {
  static constexpr std::array<NamedOid, 12> kSchemes = {{
      {"1.2.840.113549.1.5.1", "PBE-MD2-DES"},
      {"1.2.840.113549.1.5.3", "PBE-MD5-DES"},
      {"1.2.840.113549.1.5.4", "PBE-MD2-RC2"},
      {"1.2.840.113549.1.5.6", "PBE-MD5-RC2"},
      {"1.2.840.113549.1.5.10", "PBE-SHA1-DES"},
      {"1.2.840.113549.1.5.11", "PBE-SHA1-RC2"},
      {"1.2.840.113549.1.12.1.1", "PBE-SHA1-RC4-128"},
      {"1.2.840.113549.1.12.1.2", "PBE-SHA1-RC4-40"},
      {"1.2.840.113549.1.12.1.3", "PBE-SHA1-3DES"},
      {"1.2.840.113549.1.12.1.4", "PBE-SHA1-2DES"},
      {"1.2.840.113549.1.12.1.5", "PBE-SHA1-RC2-128"},
      {"1.2.840.113549.1.12.1.6", "PBE-SHA1-RC2-40"},
  }};
  ParseState state{encrypted_pkcs8.data()};
  return name_of(kSchemes, Reader(state, encrypted_pkcs8).enter().enter().object_identifier());
}

/// Why no loader took a PKCS#8: what is in it, and what to do.
std::string why_unsupported(const Provider& provider, Bytes pkcs8) {
  static constexpr std::array<NamedOid, 7> kOtherTypes = {{
      {"1.3.101.110", "X25519, a key exchange"},
      {"1.3.101.111", "X448, a key exchange"},
      {"1.2.840.113549.1.3.1", "DH, a key exchange"},
      {"1.2.840.10046.2.1", "DH, a key exchange"},
      {"1.2.840.10040.4.1", "DSA"},
      {"1.2.643.7.1.1.1.1", "GOST R 34.10-2012"},
      {"1.2.156.10197.1.301", "SM2"},
  }};
  static constexpr std::array<NamedOid, 7> kOtherCurves = {{
      {"1.3.132.0.10", "secp256k1"},
      {"1.3.132.0.33", "secp224r1"},
      {"1.2.840.10045.3.1.1", "secp192r1"},
      {"1.2.156.10197.1.301", "SM2"},
      {"1.3.36.3.3.2.8.1.1.5", "brainpoolP224r1"},
      {"1.3.36.3.3.2.8.1.1.9", "brainpoolP320r1"},
      {"1.3.36.3.3.2.8.1.1.8", "brainpoolP256t1"},
  }};
  constexpr std::string_view kMakeAnother = "; make a new key: ECDSA on P-256, Ed25519, or RSA of 2048 bits or more";
  const auto named = [](const auto& names, Bytes oid) {
    const auto known = name_of(names, oid);
    return known ? std::string(*known) : oid_text(oid);
  };
  const auto refused = [&](const std::string& what) {
    return "the private key is " + what + std::string(kMakeAnother);
  };

  ParseState state{pkcs8.data()};
  Reader fields = Reader(state, pkcs8).enter();
  fields.small_integer();
  Reader algorithm = fields.enter();
  PublicKey key;
  key.algorithm = algorithm.object_identifier();
  Reader parameters = algorithm;
  read_key_algorithm(algorithm, key);
  Reader numbers = fields.enter(der::kOctetString);
  if (state.error) return "the private key is not well-formed PKCS#8: " + state.error->text();

  if (key.explicit_curve) return refused("on a curve that it spells out instead of naming it");
  if (!key.type && oid::kEcPublicKey == key.algorithm)
    return refused("on " + named(kOtherCurves, parameters.object_identifier()) + ", a curve that is not known here");
  if (!key.type && oid::kRsassaPss == key.algorithm)
    return refused(
        "for RSASSA-PSS with parameters that no signature of TLS 1.3 has: its hash must be SHA-256, SHA-384 "
        "or SHA-512 (SHA-1 is meant where none is named), MGF1's the same, its salt not longer");
  if (!key.type) return refused("for " + named(kOtherTypes, key.algorithm) + ", which signs nothing in TLS 1.3");
  if (provider.key_loader(*key.type) == nullptr) {
    return "the private key is for " + std::string(name(*key.type)) + ", and the provider '" +
           std::string(provider.name) + "' loads no such keys; choose another provider, or another key";
  }
  if (*key.type == KeyType::rsa || *key.type == KeyType::rsa_pss) {
    // RFC 8017 A.1.2: RSAPrivateKey ::= SEQUENCE { version, modulus, publicExponent, ... }.
    numbers = numbers.enter();
    numbers.small_integer();
    const std::size_t bits = bit_size(numbers.integer());
    if (bits < kMinRsaBits || bits > kMaxRsaBits) {
      return refused("for RSA of " + std::to_string(bits) + " bits, and keys of " + std::to_string(kMinRsaBits) +
                     " to " + std::to_string(kMaxRsaBits) + " are taken");
    }
    return refused("for RSA with a public exponent that is even, 1, or of more than " +
                   std::to_string(kMaxRsaExponentBits) + " bits");
  }
  return "the private key is for " + std::string(name(*key.type)) +
         ", and in a form that the provider does not know; those of ML-DSA must hold their seed (RFC 9881 6)";
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
