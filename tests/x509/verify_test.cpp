// Every reason for which verify() refuses a chain, each on a chain that is good but for one thing.

#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <lockstep/answers.hpp>
#include <lockstep/connection.hpp>

#include "pki.hpp"

namespace lockstep::x509::test {
namespace {

/// root -> intermediate -> leaf, all of it good.
struct Chain {
  Authority root{"Root"};
  Authority intermediate{root, "Intermediate"};
  Der leaf_der = intermediate.issue(leaf());
};

const Chain& good() {
  static std::map<Role, Chain> chains;
  return chains[peer_role()];
}

Question question(std::vector<Der> chain) {
  Question out;
  out.trust(good().root.certificate);
  out.chain = std::move(chain);
  return out;
}

Question leaf_question(const Der& leaf_der) { return question({leaf_der, good().intermediate.certificate}); }
Question leaf_question(const CertificateBuilder& builder) { return leaf_question(good().intermediate.issue(builder)); }

/// A leaf that is good but for what `spoil` does.
Question raw_leaf(const std::function<void(RawCertificate&)>& spoil, const CertificateBuilder& builder = leaf()) {
  RawCertificate raw(good().intermediate.issue(builder));
  spoil(raw);
  return leaf_question(raw.sign(*good().intermediate.own_key));
}

/// The same of the intermediate.
Question raw_intermediate(const std::function<void(RawCertificate&)>& spoil, const CertificateBuilder& builder) {
  const Authority& original = good().intermediate;
  RawCertificate raw(good().root.issue(builder, *original.own_key));
  spoil(raw);
  return question({good().leaf_der, raw.sign(*good().root.own_key)});
}
Question intermediate(const CertificateBuilder& builder) {
  return question({good().leaf_der, good().root.issue(builder, *good().intermediate.own_key)});
}

/// A root with the good root's name and key.
Question raw_root(const std::function<void(RawCertificate&)>& spoil) {
  RawCertificate raw(good().root.certificate);
  spoil(raw);
  Question out;
  out.trust(raw.sign(*good().root.own_key));
  out.chain = {good().leaf_der, good().intermediate.certificate};
  return out;
}

CertificateBuilder plain_intermediate() { return make("CN=Intermediate").ca(); }

Der bytes(std::initializer_list<int> values) {
  Der out;
  for (const int value : values) out.push_back(static_cast<std::uint8_t>(value));
  return out;
}

Der empty_name() { return bytes({0x30, 0}); }

/// Another value, or other criticality, for one extension.
void replace_extension(RawCertificate& raw, const Oid& oid, std::optional<bool> critical,
                       std::optional<Bytes> value = {}) {
  const Der old = std::exchange(raw.extensions, {});
  der::ParseState state{old.data()};
  for (der::Reader reader(state, old); reader.more();) {
    der::Reader fields = reader.enter();
    Extension extension{};
    extension.oid = fields.object_identifier();
    extension.critical = fields.next_is(der::kBoolean) && fields.boolean();
    extension.value = fields.element(der::kOctetString).contents;
    if (oid == extension.oid) {
      extension.critical = critical.value_or(extension.critical);
      if (value) extension.value = *value;
      if (!critical && !value) continue;  // drop it
    }
    raw.add_extension(extension);
  }
}

Der algorithm(const Oid& oid, bool null) {
  der::Writer out;
  out.nest(der::kSequence, [&] {
    out.object_identifier(oid);
    if (null) out.null();
  });
  return std::move(out).take();
}

/// A leaf with an RSA key of so many bits, whose numbers nobody uses.
Question rsa_leaf(unsigned bits) {
  return raw_leaf([bits](RawCertificate& raw) {
    Der modulus((bits + 7) / 8, 0xff);
    modulus[0] = static_cast<std::uint8_t>(0xffU >> (8 * modulus.size() - bits));
    der::Writer numbers;
    numbers.nest(der::kSequence, [&] {
      numbers.integer(Bytes(modulus));
      numbers.integer(65537);
    });
    der::Writer info;
    info.nest(der::kSequence, [&] {
      info.raw(algorithm(oid::kRsaEncryption, true));
      info.bit_string(numbers.view());
    });
    raw.key_info = std::move(info).take();
  });
}

/// Name constraints that permit one subtree.
Der permitted(std::uint8_t tag, Bytes base) {
  der::Writer out;
  out.nest(der::kSequence, [&] {
    out.nest(der::context_constructed(0), [&] { out.nest(der::kSequence, [&] { out.element(tag, base); }); });
  });
  return std::move(out).take();
}

/// Policy mappings of one pair.
Der mapping(const Oid& from, const Oid& to) {
  der::Writer out;
  out.nest(der::kSequence, [&] {
    out.nest(der::kSequence, [&] {
      out.object_identifier(from);
      out.object_identifier(to);
    });
  });
  return std::move(out).take();
}

/// A policy with a qualifier.
Der qualified(const Oid& qualifier) {
  der::Writer out;
  out.nest(der::kSequence, [&] {
    out.nest(der::kSequence, [&] {
      out.object_identifier(Oid("1.2.3"));
      out.nest(der::kSequence, [&] {
        out.nest(der::kSequence, [&] {
          out.object_identifier(qualifier);
          out.element(der::kIa5String, as_bytes("https://example.com/cps"));
        });
      });
    });
  });
  return std::move(out).take();
}

struct Case {
  Code code;
  std::size_t depth;
  std::string_view what;
  std::function<Question()> ask;
  bool alone = true;  // nothing else is wrong with the leaf
};

/// A root whose certificate is for another key type or size, and a leaf that it issued.
Question other_root(const std::string& name, KeyType type, std::size_t bits) {
  const Key root_key = key(name, type, bits);
  const Der root = built(make("CN=" + name).ca().self_signed(provider(), *root_key, random_source()));
  Question out;
  out.trust(root);
  out.chain = {
      built(leaf().issued_by(provider(), root, *root_key, key("leaf")->subject_public_key_info(), random_source()))};
  return out;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {Code::no_certificate, 0, "no certificate at all", [] { return question({}); }},
      {Code::malformed_certificate, 0, "a leaf cut short",
       [] {
         Der cut = good().leaf_der;
         cut.pop_back();
         return leaf_question(cut);
       }},
      {Code::cert_has_expired, 0, "an expired leaf",
       [] { return leaf_question(leaf().validity(kNow - kDay, kNow - 1)); }},
      {Code::cert_has_expired, 1, "an expired intermediate",
       [] { return intermediate(plain_intermediate().validity(kNow - kDay, kNow - 1)); }},
      {Code::cert_has_expired, 2, "an expired root",
       [] { return raw_root([](RawCertificate& raw) { raw.set_validity(kNow - kDay, kNow - 1); }); }},
      {Code::cert_not_yet_valid, 0, "a leaf of tomorrow",
       [] { return leaf_question(leaf().validity(kNow + 1, kNow + kDay)); }},
      {Code::hostname_mismatch, 0, "another host", [] { return leaf_question(leaf("example.org")); }},
      {Code::hostname_mismatch, 0, "a common name, which does not count",
       [] { return leaf_question(make("CN=example.com").server()); }},
      {Code::ip_address_mismatch, 0, "another address",
       [] {
         Question out = leaf_question(make("CN=leaf").ip(bytes({192, 0, 2, 2})).server());
         out.name = PeerName::ip("192.0.2.1").value();
         return out;
       }},
      {Code::ip_address_mismatch, 0, "an address spelled as a host name",
       [] {
         Question out = raw_leaf([](RawCertificate& raw) {
           const std::string_view text = "192.0.2.1";
           der::Writer names;
           names.nest(der::kSequence, [&] { names.element(der::context(2), as_bytes(text)); });
           replace_extension(raw, oid::kSubjectAltName, false, names.view());
         });
         out.name = PeerName::ip("192.0.2.1").value();
         return out;
       }},
      {Code::depth_zero_self_signed_cert, 0, "self-signed",
       [] { return question({built(leaf().self_signed(provider(), *key("leaf"), random_source()))}); }},
      {Code::self_signed_cert_in_chain, 2, "an unknown root sent along",
       [] {
         Question out;
         out.trust(Authority("Another Root").certificate);
         out.chain = {good().leaf_der, good().intermediate.certificate, good().root.certificate};
         return out;
       }},
      {Code::unable_to_get_issuer_cert_locally, 0, "a missing intermediate",
       [] { return question({good().leaf_der}); }},
      {Code::unable_to_get_issuer_cert_locally, 1, "an unknown root",
       [] {
         Question out;
         out.chain = {good().leaf_der, good().intermediate.certificate};
         return out;
       }},
      {Code::cert_signature_failure, 0, "a leaf that was changed",
       [] {
         Der changed = good().leaf_der;
         changed[good().leaf_der.size() - 20] ^= 1U;
         return leaf_question(changed);
       }},
      {Code::cert_signature_failure, 1, "an intermediate signed by another key of the same name",
       [] {
         const Key other = key("other root");
         const Der root = built(make("CN=Root").ca().self_signed(provider(), *other, random_source()));
         Question out;
         out.trust(root);
         out.chain = {good().leaf_der, good().intermediate.certificate};
         return out;
       }},
      {Code::signature_algorithm_inconsistency, 0, "an RSA signature by an EC key",
       [] {
         return raw_leaf([](RawCertificate& raw) {
           raw.inner_algorithm = raw.outer_algorithm = algorithm(oid::kSha256WithRsa, true);
         });
       }},
      {Code::unsupported_signature_algorithm, 0, "an algorithm that nobody knows",
       [] {
         return raw_leaf([](RawCertificate& raw) {
           raw.inner_algorithm = raw.outer_algorithm = algorithm(oid::kDsaWithSha256, false);
         });
       }},
      {Code::unsupported_signature_algorithm, 0, "an algorithm outside the policy's list",
       [] {
         static constexpr std::array kOnly = {SignatureAlgorithm::ed25519};
         Question out = leaf_question(good().leaf_der);
         out.policy.signature_algorithms = kOnly;
         return out;
       }},
      {Code::signature_algorithm_mismatch, 0, "two algorithms",
       [] {
         return raw_leaf([](RawCertificate& raw) { raw.inner_algorithm = algorithm(oid::kEcdsaWithSha384, false); });
       }},
      {Code::ca_md_too_weak, 0, "SHA-1",
       [] {
         return raw_leaf([](RawCertificate& raw) {
           raw.inner_algorithm = raw.outer_algorithm = algorithm(oid::kEcdsaWithSha1, false);
         });
       }},
      {Code::unable_to_decode_issuer_public_key, 1, "a CA's key that is not on its curve",
       [] { return raw_intermediate([](RawCertificate& raw) { raw.key_info.back() ^= 1U; }, plain_intermediate()); }},
      {Code::cert_chain_too_long, 1, "more intermediates than the policy has",
       [] {
         Question out = leaf_question(good().leaf_der);
         out.policy.max_intermediates = 0;
         return out;
       }},
      {Code::path_length_exceeded, 2, "a CA below one that may have none",
       [] {
         const Authority first(good().root, "First", 0);
         const Authority second(first, "Second");
         return question({second.issue(leaf()), second.certificate, first.certificate});
       }},
      {Code::invalid_purpose, 0, "a client's certificate for a server",
       [] { return leaf_question(make("CN=leaf").dns("example.com").client()); }},
      {Code::invalid_purpose, 0, "a server's certificate for a client",
       [] {
         Question out = leaf_question(good().leaf_der);
         out.peer = Role::client;
         return out;
       }},
      {Code::invalid_purpose, 0, "any purpose, which the policy does not take",
       [] { return leaf_question(leaf().purposes({Purpose::any})); }},
      {Code::invalid_purpose, 1, "a CA for other purposes",
       [] { return intermediate(plain_intermediate().purposes({Purpose::email_protection})); }},
      {Code::invalid_purpose, 1, "a CA for any purpose, which the policy does not take",
       [] { return intermediate(plain_intermediate().purposes({Purpose::any})); }},
      {Code::keyusage_no_certsign, 1, "a CA that may not sign certificates",
       [] { return intermediate(plain_intermediate().key_usage({KeyUsage::crl_sign})); }},
      {Code::pathlen_without_ku_key_cert_sign, 1, "a path length without keyCertSign",
       [] { return intermediate(make("CN=Intermediate").ca(0).key_usage({KeyUsage::crl_sign})); }},
      {Code::invalid_ca, 1, "a leaf as a CA", [] { return intermediate(make("CN=Intermediate").server()); }},
      {Code::invalid_ca, 1, "a CA without basic constraints",
       [] {
         return raw_intermediate([](RawCertificate& raw) { replace_extension(raw, oid::kBasicConstraints, {}); },
                                 plain_intermediate());
       }},
      {Code::invalid_non_ca, 0, "a CA as a leaf",
       [] { return leaf_question(leaf().ca().key_usage({KeyUsage::key_cert_sign, KeyUsage::digital_signature})); }},
      {Code::ku_key_cert_sign_invalid_for_non_ca, 0, "keyCertSign in a leaf",
       [] { return leaf_question(leaf().key_usage({KeyUsage::key_cert_sign, KeyUsage::digital_signature})); }},
      {Code::pathlen_invalid_for_non_ca, 0, "a path length in a leaf",
       [] {
         const Der value = bytes({0x30, 3, 2, 1, 0});
         return leaf_question(leaf().extension("2.5.29.19", true, value));
       }},
      {Code::keyusage_no_digital_signature, 0, "a key for encipherment",
       [] { return leaf_question(leaf().key_usage({KeyUsage::key_encipherment})); }},
      {Code::keyusage_no_key_encipherment, 0, "a key for signatures where secrets travel to it",
       [] {
         Question question = leaf_question(leaf().key_usage({KeyUsage::digital_signature}));
         question.use = KeyUsage::key_encipherment;
         return question;
       }},
      {Code::unhandled_critical_extension, 0, "a critical extension that nobody knows",
       [] { return leaf_question(leaf().extension("1.3.6.1.4.1.55738.1", true, bytes({5, 0}))); }},
      {Code::unhandled_critical_extension, 1, "a demand for an explicit policy",
       [] {
         const Der value = bytes({0x30, 3, 0x80, 1, 0});
         return intermediate(plain_intermediate().extension("2.5.29.36", true, value));
       }},
      {Code::extension_must_be_critical, 1, "policy constraints that are not critical",
       [] {
         const Der value = bytes({0x30, 3, 0x81, 1, 0});
         return intermediate(plain_intermediate().extension("2.5.29.36", false, value));
       }},
      {Code::extension_must_not_be_critical, 0, "critical information access",
       [] {
         der::Writer value;
         value.nest(der::kSequence, [&] {
           value.nest(der::kSequence, [&] {
             value.object_identifier(Oid("1.3.6.1.5.5.7.48.2"));
             value.element(der::context(6), as_bytes("http://example.com/ca"));
           });
         });
         return leaf_question(leaf().extension("1.3.6.1.5.5.7.1.1", true, value.view()));
       }},
      {Code::permitted_violation, 0, "a name outside the permitted ones",
       [] {
         const Authority ca(good().root, key("Narrow"), make("CN=Narrow").ca().permit_dns("example.org"));
         return question({ca.issue(leaf()), ca.certificate});
       }},
      {Code::excluded_violation, 0, "an excluded name",
       [] {
         const Authority ca(good().root, key("Narrow"), make("CN=Narrow").ca().exclude_dns("com"));
         return question({ca.issue(leaf()), ca.certificate});
       }},
      {Code::excluded_violation, 1, "an intermediate's excluded name",
       [] {
         const Authority ca(good().root, key("Narrow"), make("CN=Narrow").ca().exclude_dns("org"));
         const Authority below(ca, key("Below"), make("CN=Below").dns("example.org").ca());
         return question({below.issue(leaf()), below.certificate, ca.certificate});
       }},
      {Code::subtree_minmax, 1, "a constraint with a minimum",
       [] {
         der::Writer value;
         value.nest(der::kSequence, [&] {
           value.nest(der::context_constructed(0), [&] {
             value.nest(der::kSequence, [&] {
               value.element(der::context(2), as_bytes("example.com"));
               value.element(der::context(0), bytes({1}));
             });
           });
         });
         return intermediate(plain_intermediate().extension("2.5.29.30", true, value.view()));
       }},
      {Code::unsupported_constraint_syntax, 1, "a constraint with a wildcard",
       [] {
         const Der value = permitted(der::context(2), as_bytes("*.example.com"));
         return intermediate(plain_intermediate().extension("2.5.29.30", true, value));
       }},
      {Code::constraint_with_leading_dot, 1, "a constraint with a leading dot",
       [] {
         const Der value = permitted(der::context(2), as_bytes(".example.com"));
         return intermediate(plain_intermediate().extension("2.5.29.30", true, value));
       }},
      {Code::name_with_underscore, 0, "a host name with an underscore",
       [] {
         Question out = leaf_question(leaf("my_service"));
         out.name = PeerName::dns("my_service").value();
         return out;
       }},
      {Code::invalid_policy_extension, 1, "a mapping from anyPolicy",
       [] {
         const Der value = mapping(oid::kAnyPolicy, Oid("1.2.3"));
         return intermediate(plain_intermediate().extension("2.5.29.33", true, value));
       }},
      {Code::invalid_policy_extension, 1, "a mapping to anyPolicy",
       [] {
         const Der value = mapping(Oid("1.2.3"), oid::kAnyPolicy);
         return intermediate(plain_intermediate().extension("2.5.29.33", false, value));
       }},
      {Code::invalid_policy_extension, 0, "a policy twice",
       [] {
         const Der value = bytes({0x30, 12, 0x30, 4, 6, 2, 0x2a, 3, 0x30, 4, 6, 2, 0x2a, 3});
         return leaf_question(leaf().extension("2.5.29.32", false, value));
       }},
      {Code::unhandled_critical_extension, 0, "a critical policy with a qualifier that nobody knows",
       [] { return leaf_question(leaf().extension("2.5.29.32", true, qualified(Oid("1.2.3.4")))); }},
      {Code::unsupported_constraint_type, 0, "a constraint on a kind of name that is not processed",
       [] {
         const Authority ca(
             good().root, key("Narrow"),
             make("CN=Narrow").ca().extension("2.5.29.30", true, permitted(der::context(8), bytes({0x2a, 3}))));
         der::Writer names;
         names.nest(der::kSequence, [&] {
           names.element(der::context(2), as_bytes("example.com"));
           names.element(der::context(8), bytes({0x2a, 3}));
         });
         return question({ca.issue(leaf().extension("2.5.29.17", false, names.view())), ca.certificate});
       }},
      {Code::unsupported_name_syntax, 0, "a malformed name under a constraint",
       [] {
         const Authority ca(good().root, key("Narrow"), make("CN=Narrow").ca().permit_dns("example.com"));
         der::Writer names;
         names.nest(der::kSequence, [&] { names.element(der::context(2), as_bytes(".example.com")); });
         return question({ca.issue(leaf().extension("2.5.29.17", false, names.view())), ca.certificate});
       },
       false},
      {Code::ee_key_too_small, 0, "RSA with 2047 bits", [] { return rsa_leaf(2047); }},
      {Code::ca_key_too_small, 1, "a root with an RSA key of fewer bits than the policy wants",
       [] {
         Question out = other_root("Root RSA", KeyType::rsa, 2048);
         out.policy.min_rsa_bits = 3072;
         return out;
       }},
      {Code::key_size_not_allowed, 0, "RSA with 2052 bits", [] { return rsa_leaf(2052); }},
      {Code::key_size_not_allowed, 0, "RSA with 16392 bits", [] { return rsa_leaf(16392); }},
      {Code::key_type_not_allowed, 0, "a key of an unknown type",
       [] {
         return raw_leaf([](RawCertificate& raw) {
           der::Writer info;
           info.nest(der::kSequence, [&] {
             info.raw(algorithm(oid::kDsa, true));
             info.bit_string(bytes({2, 1, 1}));
           });
           raw.key_info = std::move(info).take();
         });
       }},
      {Code::key_type_not_allowed, 1, "a key type outside the policy's list",
       [] {
         static constexpr std::array kOnly = {KeyType::rsa};
         Question out = leaf_question(good().leaf_der);
         out.policy.key_types = kOnly;
         return out;
       },
       false},
      {Code::ec_key_explicit_params, 0, "a curve spelled out",
       [] {
         return raw_leaf([](RawCertificate& raw) {
           der::Writer info;
           info.nest(der::kSequence, [&] {
             info.nest(der::kSequence, [&] {
               info.object_identifier(oid::kEcPublicKey);
               info.nest(der::kSequence, [&] { info.integer(1); });
             });
             info.bit_string(bytes({4, 1, 1}));
           });
           raw.key_info = std::move(info).take();
         });
       }},
      {Code::issuer_name_empty, 0, "no issuer",
       [] { return raw_leaf([](RawCertificate& raw) { raw.issuer = empty_name(); }); }},
      {Code::subject_name_empty, 1, "a CA without a name",
       [] {
         // The root's name is empty, and so is the issuer's in what it issues.
         RawCertificate root(good().root.certificate);
         root.subject = empty_name();
         RawCertificate raw(good().root.issue(leaf()));
         raw.issuer = empty_name();
         Question out;
         out.trust(root.sign(*good().root.own_key));
         out.chain = {raw.sign(*good().root.own_key)};
         return out;
       },
       false},
      {Code::missing_authority_key_identifier, 0, "a leaf without key identifiers",
       [] { return leaf_question(leaf().without_key_identifiers()); }},
      {Code::missing_subject_key_identifier, 1, "a CA without its key identifier",
       [] {
         return raw_intermediate([](RawCertificate& raw) { replace_extension(raw, oid::kSubjectKeyIdentifier, {}); },
                                 plain_intermediate());
       }},
      {Code::empty_subject_alt_name, 0, "neither subject nor alternative names",
       [] {
         Question out = raw_leaf([](RawCertificate& raw) {
           raw.subject = empty_name();
           replace_extension(raw, oid::kSubjectAltName, {});
         });
         out.name = NoNameCheck{};
         return out;
       }},
      {Code::empty_subject_san_not_critical, 0, "no subject, and alternative names that are not critical",
       [] { return raw_leaf([](RawCertificate& raw) { raw.subject = empty_name(); }); }},
      {Code::subject_alt_name_critical, 0, "critical alternative names beside a subject",
       [] { return raw_leaf([](RawCertificate& raw) { replace_extension(raw, oid::kSubjectAltName, true); }); }},
      {Code::ca_bcons_not_critical, 1, "basic constraints that are not critical",
       [] {
         return raw_intermediate([](RawCertificate& raw) { replace_extension(raw, oid::kBasicConstraints, false); },
                                 plain_intermediate());
       }},
      {Code::authority_key_identifier_critical, 0, "a critical authority key identifier",
       [] {
         return raw_leaf([](RawCertificate& raw) { replace_extension(raw, oid::kAuthorityKeyIdentifier, true); });
       }},
      {Code::subject_key_identifier_critical, 0, "a critical subject key identifier",
       [] { return raw_leaf([](RawCertificate& raw) { replace_extension(raw, oid::kSubjectKeyIdentifier, true); }); }},
      {Code::authority_key_identifier_invalid, 2, "a root that names another key as its issuer's",
       [] {
         Question out = raw_root([](RawCertificate& raw) {
           replace_extension(raw, oid::kAuthorityKeyIdentifier, false, bytes({0x30, 4, 0x80, 2, 1, 2}));
         });
         out.policy.require_anchor_form = true;
         return out;
       }},
      {Code::extensions_require_version_3, 0, "extensions in version 2",
       [] { return raw_leaf([](RawCertificate& raw) { raw.version = 1; }); }},
      {Code::version_not_3, 0, "version 1",
       [] {
         Question out = raw_leaf([](RawCertificate& raw) {
           raw.version.reset();
           raw.extensions.clear();
         });
         out.name = NoNameCheck{};
         return out;
       },
       false},
      {Code::serial_number_invalid, 0, "a serial number of zero",
       [] { return raw_leaf([](RawCertificate& raw) { raw.serial = {0}; }); }},
      {Code::serial_number_invalid, 0, "a negative serial number",
       [] { return raw_leaf([](RawCertificate& raw) { raw.serial = {0x80}; }); }},
      {Code::serial_number_invalid, 0, "a serial number of 21 bytes",
       [] { return raw_leaf([](RawCertificate& raw) { raw.serial = Der(21, 1); }); }},
      {Code::name_constraints_in_leaf, 0, "name constraints in a leaf",
       [] { return leaf_question(leaf().permit_dns("example.com")); }},
      {Code::work_limit_exceeded, 0, "no signature allowed",
       [] {
         Question out = leaf_question(good().leaf_der);
         out.policy.max_signatures = 0;
         return out;
       }},
      {Code::common_name_not_in_alt_names, 0, "under web_pki(), a common name of its own",
       [] {
         Question out = leaf_question(good().leaf_der);
         out.policy = Policy::web_pki();
         return out;
       }},
      {Code::purpose_missing, 0, "under web_pki(), no purpose",
       [] {
         Question out = leaf_question(make("CN=example.com").dns("example.com"));
         out.policy = Policy::web_pki();
         return out;
       }},
      {Code::purpose_critical, 0, "under web_pki(), a critical purpose",
       [] {
         Question out = raw_leaf([](RawCertificate& raw) { replace_extension(raw, oid::kExtendedKeyUsage, true); },
                                 for_peer(make("CN=example.com").dns("example.com")));
         out.policy = Policy::web_pki();
         return out;
       }},
      {Code::purpose_on_root, 1, "under web_pki(), a root with purposes",
       [] {
         const Key root_key = key("Root");
         const Der root = built(for_peer(make("CN=Root")).ca().self_signed(provider(), *root_key, random_source()));
         Question out;
         out.trust(root);
         out.chain = {good().root.issue(for_peer(make("CN=example.com").dns("example.com")))};
         out.policy = Policy::web_pki();
         return out;
       }},
      {Code::name_constraints_not_critical, 1, "with the option, name constraints that are not critical",
       [] {
         Question out =
             raw_intermediate([](RawCertificate& raw) { replace_extension(raw, oid::kNameConstraints, false); },
                              plain_intermediate().permit_dns("example.com"));
         out.policy.require_critical_name_constraints = true;
         return out;
       }},
  };
  return all;
}

TEST(Verify, AcceptsAGoodChain) {
  Question ask = leaf_question(good().leaf_der);
  const Verdict verdict = ask.ask();
  ASSERT_TRUE(verdict.ok()) << verdict.text();
  ASSERT_EQ(verdict.chain.size(), 3U);
  EXPECT_EQ(verdict.chain[0].subject().common_name(), "leaf");
  EXPECT_EQ(verdict.chain[1].subject().common_name(), "Intermediate");
  EXPECT_EQ(verdict.chain[2].subject().common_name(), "Root");
  EXPECT_EQ(verdict.work.signatures, 2U);
  EXPECT_FALSE(verdict.culprit);
  EXPECT_EQ(verdict.text(), "OK: the chain is valid");
}

TEST(Verify, RefusesEachFaultForItsOwnReason) {
  for (const Case& test : cases()) {
    Question ask = test.ask();
    const Verdict verdict = ask.ask();
    EXPECT_EQ(verdict.code, test.code) << test.what << ": " << verdict.text();
    EXPECT_EQ(verdict.depth, test.depth) << test.what << ": " << verdict.text();
    EXPECT_NE(verdict.text().find(name(test.code)), std::string::npos) << verdict.text();
    EXPECT_EQ(verdict.further.empty(), test.alone) << test.what << ": " << verdict.text();
    // A verdict carries the chain as far as it was built, down to the certificate that failed.
    if (verdict.culprit) {
      ASSERT_GT(verdict.chain.size(), verdict.depth) << test.what;
      EXPECT_EQ(verdict.chain[verdict.depth], *verdict.culprit) << test.what;
    }
  }
}

TEST(Verify, EveryCodeIsProvoked) {
  std::set<Code> provoked = {Code::ok, Code::unspecified};  // a good chain, and a verdict that nobody gave
  // For the answers of applications.
  provoked.insert(Code::cert_revoked);
  provoked.insert(Code::application_verification);
  provoked.insert(Code::out_of_mem);  // by a library that fails, below
  for (const Case& test : cases()) provoked.insert(test.code);
  for (const Code code : all_codes()) EXPECT_TRUE(provoked.contains(code)) << name(code);
}

TEST(Verify, NothingIsKnownOfASignatureWhereTheLibraryFails) {
  std::vector<SignatureVerifier> verifiers;
  for (const SignatureVerifier* const each : provider().verifiers) verifiers.push_back(*each);
  Provider failing = provider();
  failing.verifiers.clear();
  for (SignatureVerifier& each : verifiers) {
    each.verify = [](Bytes, Bytes, Bytes) noexcept { return VerifyResult::failed; };
    failing.verifiers.push_back(&each);
  }
  Question question = leaf_question(leaf());
  ASSERT_TRUE(question.ask().ok());
  const Verdict verdict =
      verify({failing, question.anchors, question.views, question.peer, question.name, question.time, question.policy});
  EXPECT_EQ(verdict.code, Code::out_of_mem) << verdict.text();
}

TEST(Verify, EveryCodeExplainsItself) {
  std::set<std::string_view> names;
  for (const Code code : all_codes()) {
    EXPECT_TRUE(names.insert(name(code)).second) << name(code);
    EXPECT_FALSE(explanation(code).empty()) << name(code);
    const int number = openssl_number(code);
    EXPECT_TRUE(code == Code::ok ? number == 0 : number >= 1 && number <= 95) << name(code);
    EXPECT_EQ(group(code) == CodeGroup::ok, code == Code::ok) << name(code);
  }
  EXPECT_EQ(name(Code::cert_has_expired), "CERT_HAS_EXPIRED");
  EXPECT_EQ(openssl_number(Code::hostname_mismatch), 62);
  EXPECT_EQ(openssl_number(Code::version_not_3), 93);
  EXPECT_EQ(group(Code::cert_has_expired), CodeGroup::expired);
}

TEST(Verify, OptionsAcceptWhatTheDefaultsRefuse) {
  struct Option {
    std::string_view what;
    Question question;
  };
  std::vector<Option> options;
  const auto add = [&](std::string_view what, Question asked, const std::function<void(Policy&)>& relax) {
    EXPECT_FALSE(asked.ask().ok()) << what;
    relax(asked.policy);
    options.push_back({what, std::move(asked)});
  };
  const auto private_pki = [](Policy& policy) { policy = Policy::private_pki(); };
  add("no key identifiers", leaf_question(leaf().without_key_identifiers()), private_pki);
  add("a CA as a leaf", leaf_question(leaf().ca().key_usage({KeyUsage::digital_signature})), private_pki);
  add("serial number zero", raw_leaf([](RawCertificate& raw) { raw.serial = {0}; }), private_pki);
  add("any purpose on a leaf", leaf_question(leaf().purposes({Purpose::any})),
      [](Policy& policy) { policy.any_purpose_on_leaf = true; });
  add("any purpose on a CA", intermediate(plain_intermediate().purposes({Purpose::any})),
      [](Policy& policy) { policy.any_purpose_on_ca = true; });
  add("a short RSA key", rsa_leaf(1024), [](Policy& policy) { policy.min_rsa_bits = 1024; });
  add("a key for encipherment", leaf_question(leaf().key_usage({KeyUsage::key_encipherment})),
      [](Policy& policy) { policy.require_key_usage = false; });
  static constexpr std::array<std::string_view, 1> kHandled = {"1.3.6.1.4.1.55738.1"};
  add("an extension that the caller handles", leaf_question(leaf().extension(kHandled[0], true, bytes({5, 0}))),
      [](Policy& policy) { policy.handled_extensions = kHandled; });
  for (Option& option : options) {
    const Verdict verdict = option.question.ask();
    EXPECT_TRUE(verdict.ok()) << option.what << ": " << verdict.text();
  }
}

// RFC 5280 4.2: what is critical and not known refuses a certificate, unless whoever knows it has looked at its value.
TEST(Verify, OffersExtensionsThatItDoesNotKnow) {
  const auto offered = [](Question ask) {
    EXPECT_EQ(ask.ask().code, Code::unhandled_critical_extension);
    EXPECT_TRUE(ask.ask().unhandled.empty()) << "nobody has asked for them";
    ask.policy.offer_unknown_extensions = true;
    return ask;
  };
  Question ask = offered(leaf_question(leaf()
                                           .extension("1.3.6.1.4.1.55738.1", true, bytes({5, 0}))
                                           .extension("1.3.6.1.4.1.55738.2", false, bytes({5, 0}))
                                           .extension("1.3.6.1.4.1.55738.3", true, bytes({4, 1, 7}))));
  Verdict verdict = ask.ask();
  EXPECT_EQ(verdict.code, Code::unhandled_critical_extension);
  EXPECT_EQ(verdict.depth, 0U);
  EXPECT_EQ(verdict.chain.size(), 3U) << "the path is whole";
  EXPECT_FALSE(verdict.not_after());
  ASSERT_EQ(verdict.unhandled.size(), 2U);
  EXPECT_EQ(oid_text(verdict.unhandled[0].extension.oid), "1.3.6.1.4.1.55738.1");
  EXPECT_TRUE(equal(verdict.unhandled[0].extension.value, bytes({5, 0})));
  EXPECT_EQ(oid_text(verdict.unhandled[1].extension.oid), "1.3.6.1.4.1.55738.3");
  EXPECT_TRUE(equal(verdict.unhandled[1].extension.value, bytes({4, 1, 7})));
  verdict.accept_unhandled();
  EXPECT_TRUE(verdict.ok());
  EXPECT_TRUE(verdict.not_after());
  EXPECT_FALSE(verdict.culprit);

  // One that is named beforehand need not be judged.
  static constexpr std::array<std::string_view, 2> kHandled = {"1.3.6.1.4.1.55738.1", "1.3.6.1.4.1.55738.3"};
  ask.policy.handled_extensions = kHandled;
  EXPECT_TRUE(ask.ask().ok());

  // In whatever certificate of the path.
  Question above = offered(intermediate(plain_intermediate().extension("1.3.6.1.4.1.55738.1", true, bytes({5, 0}))));
  verdict = above.ask();
  ASSERT_EQ(verdict.unhandled.size(), 1U);
  EXPECT_EQ(verdict.unhandled[0].depth, 1U);
  EXPECT_EQ(verdict.depth, 1U);
  ASSERT_TRUE(verdict.culprit);
  EXPECT_EQ(*verdict.culprit, verdict.chain[1]);

  // What is wrong besides is no matter of them.
  Question expired = offered(leaf_question(leaf().extension("1.3.6.1.4.1.55738.1", true, bytes({5, 0}))));
  expired.time = kNow + 1000 * kDay;
  verdict = expired.ask();
  EXPECT_EQ(verdict.code, Code::cert_has_expired) << verdict.text();
  EXPECT_TRUE(verdict.unhandled.empty());
  verdict.accept_unhandled();
  EXPECT_FALSE(verdict.ok());
}

TEST(Verify, TellsEverythingThatIsWrongWithTheLeaf) {
  Question ask = question({built(
      leaf("example.org").validity(kNow - kDay, kNow - 1).self_signed(provider(), *key("leaf"), random_source()))});
  const Verdict verdict = ask.ask();
  EXPECT_EQ(verdict.code, Code::depth_zero_self_signed_cert);
  ASSERT_EQ(verdict.further.size(), 2U) << verdict.text();
  EXPECT_EQ(verdict.further[0].code, Code::cert_has_expired);
  EXPECT_EQ(verdict.further[1].code, Code::hostname_mismatch);
  EXPECT_NE(verdict.text().find("example.com was expected, it is for DNS:example.org"), std::string::npos)
      << verdict.text();
}

TEST(Verify, SelfSignedLeafMayBeAnAnchor) {
  // What `openssl req -x509` makes: a CA, without more ado.
  const Key own = key("self");
  const Der self = built(leaf()
                             .ca()
                             .key_usage({KeyUsage::key_cert_sign, KeyUsage::digital_signature})
                             .self_signed(provider(), *own, random_source()));
  Question ask;
  ask.trust(self).chain = {self};
  const Verdict verdict = ask.ask();
  EXPECT_TRUE(verdict.ok()) << verdict.text();
  EXPECT_EQ(verdict.chain.size(), 1U);
  EXPECT_EQ(verdict.work.signatures, 1U);  // its own
  // Its other rules hold.
  ask.name = PeerName::dns("example.org").value();
  EXPECT_EQ(ask.ask().code, Code::hostname_mismatch);
  ask.name = NoNameCheck{};
  ask.time = kNow + 2 * kDay;
  EXPECT_EQ(ask.ask().code, Code::cert_has_expired);
}

TEST(Verify, ALeafThatAnotherKeySignedIsNotSelfSigned) {
  // Its issuer has the same name, and that is all.
  const Authority namesake("leaf");
  const Der self_issued = namesake.issue(leaf(), *key("somebody else"));
  ASSERT_TRUE(Certificate::parse(self_issued)->is_self_issued());
  Question ask;
  ask.trust(self_issued).chain = {self_issued};
  EXPECT_EQ(ask.ask().code, Code::unable_to_get_issuer_cert_locally);
  ask.policy.accept_partial_chain = true;
  EXPECT_TRUE(ask.ask().ok());
  // An algorithm that cannot be verified any more proves nothing either way.
  RawCertificate old(built(leaf().self_signed(provider(), *key("leaf"), random_source())));
  old.inner_algorithm = old.outer_algorithm = algorithm(oid::kEcdsaWithSha1, false);
  const Der weak = old.sign(*key("leaf"));
  Question old_one;
  old_one.trust(weak).chain = {weak};
  EXPECT_TRUE(old_one.ask().ok()) << old_one.ask().text();
}

TEST(Verify, AnchoredLeavesKeepTheRulesOfLeaves) {
  const Der self = built(leaf()
                             .key_usage({KeyUsage::key_cert_sign, KeyUsage::digital_signature})
                             .self_signed(provider(), *key("leaf"), random_source()));
  Question ask;
  ask.trust(self).chain = {self};
  EXPECT_EQ(ask.ask().code, Code::ku_key_cert_sign_invalid_for_non_ca);
  ask.policy = Policy::private_pki();
  EXPECT_TRUE(ask.ask().ok());
}

TEST(Verify, ALeafMayHaveItsIssuersNameAndKey) {
  const Authority one(good().root, "One");
  const Der twin = one.issue(make("CN=One").dns("example.com").server(), *one.own_key);
  Question ask = question({twin, one.certificate});
  const Verdict verdict = ask.ask();
  ASSERT_TRUE(verdict.ok()) << verdict.text();
  EXPECT_EQ(verdict.chain.size(), 3U);
}

TEST(Verify, ExtensionsThatAreUnderstoodMayBeCritical) {
  // Where to look for revocation, and a policy with the qualifiers of RFC 5280.
  der::Writer points;
  points.nest(der::kSequence, [&] {
    points.nest(der::kSequence, [&] {
      points.nest(der::context_constructed(0), [&] {
        points.nest(der::context_constructed(0),
                    [&] { points.element(der::context(6), as_bytes("http://example.com/crl")); });
      });
    });
  });
  Question ask = leaf_question(leaf().extension("2.5.29.31", true, points.view()));
  EXPECT_TRUE(ask.ask().ok()) << ask.ask().text();
  for (const Oid& known : {oid::kCpsQualifier, oid::kUserNoticeQualifier}) {
    Question policy = leaf_question(leaf().extension("2.5.29.32", true, qualified(known)));
    EXPECT_TRUE(policy.ask().ok()) << policy.ask().text();
  }
  // A qualifier that nobody knows counts only in a critical extension, and for the caller who does not know it either.
  Question plain = leaf_question(leaf().extension("2.5.29.32", false, qualified(Oid("1.2.3.4"))));
  EXPECT_TRUE(plain.ask().ok()) << plain.ask().text();
  static constexpr std::array<std::string_view, 2> kHandled = {"2.5.29.32", "2.5.29.36"};
  Question known = leaf_question(leaf().extension("2.5.29.32", true, qualified(Oid("1.2.3.4"))));
  known.policy.handled_extensions = kHandled;
  EXPECT_TRUE(known.ask().ok()) << known.ask().text();
  const Der explicit_policy = bytes({0x30, 3, 0x80, 1, 0});
  Question processed = intermediate(plain_intermediate().extension("2.5.29.36", true, explicit_policy));
  processed.policy.handled_extensions = kHandled;
  EXPECT_TRUE(processed.ask().ok()) << processed.ask().text();
}

TEST(Verify, IssuedLeafIsAnAnchorOnlyByPolicy) {
  Question ask;
  ask.trust(good().leaf_der).chain = {good().leaf_der};
  EXPECT_EQ(ask.ask().code, Code::unable_to_get_issuer_cert_locally);
  ask.policy.accept_partial_chain = true;
  EXPECT_TRUE(ask.ask().ok());
}

TEST(Verify, AnIntermediateMayBeAnAnchor) {
  Question ask;
  ask.trust(good().intermediate.certificate).chain = {good().leaf_der};
  const Verdict verdict = ask.ask();
  EXPECT_TRUE(verdict.ok()) << verdict.text();
  EXPECT_EQ(verdict.chain.size(), 2U);
}

TEST(Verify, ValidityIncludesBothEnds) {
  Question ask = leaf_question(leaf().validity(kNow - 10, kNow + 10));
  for (const auto& [offset, code] :
       {std::pair{-11, Code::cert_not_yet_valid}, {-10, Code::ok}, {10, Code::ok}, {11, Code::cert_has_expired}}) {
    ask.time = kNow + offset;
    EXPECT_EQ(ask.ask().code, code) << offset;
  }
}

TEST(Verify, EveryKeyTypeSignsAndIsVerified) {
  for (const KeyType type : {KeyType::rsa, KeyType::rsa_pss, KeyType::ec_p256, KeyType::ec_p384, KeyType::ec_p521,
                             KeyType::ec_brainpoolP256r1, KeyType::ec_brainpoolP384r1, KeyType::ec_brainpoolP512r1,
                             KeyType::ed25519, KeyType::ed448, KeyType::mldsa44, KeyType::mldsa65, KeyType::mldsa87}) {
    const std::string called(name(type));
    if (provider().key_loader(type) == nullptr) {
      ADD_FAILURE() << "no keys of type " << called;
      continue;
    }
    Question ask = other_root("Root " + called, type, 0);
    const Verdict verdict = ask.ask();
    EXPECT_TRUE(verdict.ok()) << called << ": " << verdict.text();
    EXPECT_EQ(ask.anchors[0].key_type(), type) << called;
    Der changed = ask.chain[0];
    changed[changed.size() - 1] ^= 1U;
    ask.chain[0] = changed;
    EXPECT_FALSE(ask.ask().ok()) << called;
  }
}

TEST(Verify, RsaSignaturesInEveryScheme) {
  const Key root_key = key("Root RSA", KeyType::rsa, 2048);
  for (const SignatureScheme scheme : {SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::rsa_pkcs1_sha384,
                                       SignatureScheme::rsa_pkcs1_sha512, SignatureScheme::rsa_pss_rsae_sha256,
                                       SignatureScheme::rsa_pss_rsae_sha384, SignatureScheme::rsa_pss_rsae_sha512}) {
    const Der root = built(make("CN=RSA").ca().scheme(scheme).self_signed(provider(), *root_key, random_source()));
    Question ask;
    ask.trust(root).chain = {built(leaf().scheme(scheme).issued_by(
        provider(), root, *root_key, key("leaf")->subject_public_key_info(), random_source()))};
    const Verdict verdict = ask.ask();
    EXPECT_TRUE(verdict.ok()) << name(scheme) << ": " << verdict.text();
    EXPECT_EQ(verdict.chain.at(0).signature_algorithm().algorithm, parts(scheme)->algorithm);
  }
}

TEST(Verify, PssKeysKeepToTheirParameters) {
  // A root whose key says that it signs with SHA-256 only, and one whose key says SHA-512; the leaf is signed with
  // SHA-256.
  const Key root_key = key("Root PSS", KeyType::rsa_pss);
  const Der root = built(make("CN=PSS")
                             .ca()
                             .scheme(SignatureScheme::rsa_pss_pss_sha256)
                             .self_signed(provider(), *root_key, random_source()));
  const Der leaf_der =
      built(leaf()
                .scheme(SignatureScheme::rsa_pss_pss_sha256)
                .issued_by(provider(), root, *root_key, key("leaf")->subject_public_key_info(), random_source()));
  const auto root_with = [&](SignatureScheme scheme) {
    const Der other = built(make("CN=PSS").ca().scheme(scheme).self_signed(provider(), *root_key, random_source()));
    RawCertificate raw(root);
    der::Writer info;
    info.nest(der::kSequence, [&] {
      info.raw(Certificate::parse(other).value().signature_algorithm().der);  // id-RSASSA-PSS with parameters
      info.bit_string(Certificate::parse(root).value().public_key().key);
    });
    raw.key_info = std::move(info).take();
    return raw.sign(*root_key);
  };
  for (const auto& [scheme, code] : {std::pair{SignatureScheme::rsa_pss_pss_sha256, Code::ok},
                                     {SignatureScheme::rsa_pss_pss_sha512, Code::signature_algorithm_inconsistency}}) {
    Question ask;
    ask.trust(root_with(scheme)).chain = {leaf_der};
    EXPECT_EQ(ask.anchors[0].public_key().only_algorithm, parts(scheme)->algorithm);
    const Verdict verdict = ask.ask();
    EXPECT_EQ(verdict.code, code) << verdict.text();
  }
}

TEST(Verify, CertificatesThatDoNotParseAreNamed) {
  Question ask = question({good().leaf_der, Der(20, 0x30)});
  const Verdict verdict = ask.ask();
  EXPECT_EQ(verdict.code, Code::unable_to_get_issuer_cert_locally);
  ASSERT_TRUE(verdict.unreadable);
  EXPECT_EQ(verdict.unreadable->index, 1U);
  EXPECT_NE(verdict.text().find("certificate 1 of the chain cannot be read"), std::string::npos) << verdict.text();
}

TEST(Verify, LongNamesAreCutInTexts) {
  const std::string huge(5000, 'x');
  Question ask = leaf_question(make("CN=" + huge).dns("example.org").server());
  const Verdict verdict = ask.ask();
  EXPECT_EQ(verdict.code, Code::hostname_mismatch);
  EXPECT_LT(verdict.text().size(), 1000U);
}

// --- at both ends of a connection ------------------------------------------------------------------------------------

/// An end that shows a chain, whatever it is, or one that judges what it is shown.
struct End {
  Connection connection;
  std::optional<Answers> answers{};                // of the one that judges
  std::shared_ptr<const Credential> credential{};  // of the one that shows
  std::vector<std::uint8_t> inbound{};

  bool send_to(End& peer, Time now) {
    std::vector<std::uint8_t> buffer(65'536);
    bool sent = false;
    while (const std::size_t size = connection.transmit(buffer, now)) {
      peer.inbound.insert(peer.inbound.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
      sent = true;
    }
    return sent;
  }
  void read(Time now) {
    for (;;) {
      auto [consumed, event] = connection.receive(inbound, now);
      inbound.erase(inbound.begin(), inbound.begin() + static_cast<std::ptrdiff_t>(consumed));
      if (answers && answers->answer(connection, event)) continue;
      if (auto* select = std::get_if<SelectCredential>(&event)) {
        EXPECT_TRUE(connection.answer(std::move(select->token), credential));
      } else if (auto* sign = std::get_if<Sign>(&event)) {
        // The chain is judged before the signature, which none of these keys could make.
        EXPECT_TRUE(connection.answer(std::move(sign->token), as_bytes("no signature")));
      } else if (consumed == 0 || std::holds_alternative<Failed>(event)) {
        return;
      }
    }
  }
};

/// How a connection ends on which the end of this role is shown the chain of a question.
struct Ending {
  std::optional<Error> error;
  std::optional<Code> code;  // of the verdict, if there was one
  std::string text;
};
Ending ending_of(Question& question, Role judge) {
  const Time now(std::chrono::seconds(question.time));
  const auto setup = AnswerSetup::create({.provider = provider(),
                                          .credentials = {make_credential({good().leaf_der}, key("leaf"))},
                                          .anchors = std::make_shared<const TrustAnchors>(std::move(question.anchors)),
                                          .policy = question.policy})
                         .value();
  const auto shown = std::make_shared<const Credential>(
      Credential{.chain = question.chain, .schemes = {SignatureScheme::ecdsa_secp256r1_sha256}, .key = nullptr});
  auto client_builder = ConfigBuilder::client(provider());
  auto server_builder = ConfigBuilder::server(provider());
  if (judge == Role::server) {
    client_builder.dangerous().skip_verification();
    server_builder.client_auth(ClientAuth::require);
  }
  End client{.connection =
                 Connection::client(client_builder.build().value(), {.name = question.name}, random_source(), now)};
  End server{.connection = Connection::server(server_builder.build().value(), random_source())};
  End& judging = judge == Role::client ? client : server;
  End& showing = judge == Role::client ? server : client;
  judging.answers.emplace(setup, random_source());
  showing.credential = shown;
  for (bool sent = true; sent;) {
    sent = client.send_to(server, now);
    server.read(now);
    sent = server.send_to(client, now) || sent;
    client.read(now);
  }
  Ending ending;
  const Error* error = judging.connection.error();
  // Whoever gets as far as the signature has accepted the chain.
  if (error == nullptr || error->reason == Reason::signature_invalid || error->origin == Origin::peer) return ending;
  ending.error = *error;
  ending.text = to_text(*error, *judging.answers);
  if (judging.answers->verdict()) ending.code = judging.answers->verdict()->code;
  return ending;
}

/// Why an end cannot be brought to a code by what its peer shows.
std::string_view why_not(Code code, Role judge) {
  switch (code) {
    case Code::ok:
    case Code::unspecified: return "no refusal";
    case Code::no_certificate: return "an empty chain is the engine's to refuse: certificate_missing or _required";
    case Code::keyusage_no_key_encipherment: return "the engine's to refuse, before it asks: certificate_wrong_usage";
    case Code::cert_revoked:
    case Code::application_verification: return "an application's own";
    case Code::out_of_mem: return "a failure of the library";
    case Code::hostname_mismatch:
    case Code::ip_address_mismatch:
    case Code::name_with_underscore: return judge == Role::server ? "a server expects no name" : "";
    default: return "";
  }
}

TEST(Verify, EachCodeEndsAConnectionAtEitherEnd) {
  std::map<Code, std::map<Role, std::string>> seen;
  for (const Role peer : {Role::server, Role::client}) {
    const Role judge = peer == Role::server ? Role::client : Role::server;
    peer_role() = peer;
    for (const Case& test : cases()) {
      SCOPED_TRACE(test.what);
      Question question = test.ask();
      if (question.peer != peer || question.chain.empty()) continue;
      const Ending ending = ending_of(question, judge);
      if (!ending.error) continue;
      const Error& error = *ending.error;
      EXPECT_EQ(error.origin, Origin::local) << "the fault is the peer's, and it was found here";
      EXPECT_EQ(error.place, Place::certificate) << ending.text;
      EXPECT_EQ(error.alert, alert_of(error.reason)) << ending.text;
      if (ending.code) {
        EXPECT_EQ(error.reason, reason_of(*ending.code)) << ending.text;
        EXPECT_EQ(error.detail, static_cast<std::uint16_t>(*ending.code)) << ending.text;
        EXPECT_NE(ending.text.find(name(*ending.code)), std::string::npos) << ending.text;
        EXPECT_NE(ending.text.find(advice(*ending.code)), std::string::npos) << ending.text;
        EXPECT_EQ(ending.text.find(advise(error)), std::string::npos) << "two advices: " << ending.text;
        EXPECT_TRUE(judge == Role::server || *ending.code == test.code) << ending.text;
      } else {
        // The engine needs the leaf's key, and has its own words for a leaf without one.
        EXPECT_TRUE(error.reason == Reason::certificate_malformed || error.reason == Reason::certificate_type)
            << ending.text;
      }
      seen[ending.code.value_or(test.code)][judge] =
          std::string(lockstep::name(error.reason)) + ", " + std::string(lockstep::name(error.alert));
    }
  }
  peer_role() = Role::server;

  std::printf("%-36s %-55s %s\n", "verdict", "found by a client", "found by a server");
  for (const Code code : all_codes()) {
    std::array<std::string, 2> found;
    for (const Role judge : {Role::client, Role::server}) {
      const std::string_view none = why_not(code, judge);
      const bool provoked = seen[code].contains(judge);
      EXPECT_EQ(provoked, none.empty()) << name(code) << (judge == Role::client ? " at a client" : " at a server");
      found[judge == Role::client ? 0 : 1] = provoked ? seen[code][judge] : "never: " + std::string(none);
    }
    std::printf("%-36s %-55s %s\n", std::string(name(code)).c_str(), found[0].c_str(), found[1].c_str());
  }
}

}  // namespace
}  // namespace lockstep::x509::test
