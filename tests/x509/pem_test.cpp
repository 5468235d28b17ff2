// PEM texts, chains and keys.

#include "pki.hpp"

namespace lockstep::x509::test {
namespace {

constexpr std::string_view kHello = "-----BEGIN THING-----\naGVsbG8=\n-----END THING-----\n";

std::vector<std::expected<PemObject, PemError>> read_all(std::string_view text) {
  std::vector<std::expected<PemObject, PemError>> out;
  PemReader reader(text);
  while (auto object = reader.next()) out.push_back(std::move(*object));
  return out;
}

TEST(Pem, ReadsSeveralObjectsAndWhatStandsBetween) {
  const std::string text =
      "\xef\xbb\xbf-----BEGIN A-----\r\naGVs\r\nbG8=\r\n-----END A-----\r\n\nSome words: not PEM\n   -----BEGIN "
      "NOT-----\n" +
      std::string(kHello) + "-----BEGIN B C-----\naGk=   \n\n-----END B C-----";
  const auto objects = read_all(text);
  ASSERT_EQ(objects.size(), 3U);
  for (const auto& object : objects) ASSERT_TRUE(object) << object.error().text();
  EXPECT_EQ(objects[0]->label, "A");
  EXPECT_EQ(as_text(objects[0]->der.view()), "hello");
  EXPECT_EQ(objects[0]->line, 1U);
  EXPECT_FALSE(objects[0]->encrypted);
  EXPECT_EQ(objects[1]->label, "THING");
  EXPECT_EQ(objects[1]->line, 8U);
  EXPECT_EQ(objects[2]->label, "B C");
  EXPECT_EQ(as_text(objects[2]->der.view()), "hi");
}

TEST(Pem, EmptyTextsHoldNothing) {
  EXPECT_TRUE(read_all("").empty());
  EXPECT_TRUE(read_all("no PEM at all\n").empty());
}

TEST(Pem, RefusesEachFaultForItsOwnReasonAndGoesOn) {
  struct Fault {
    PemCode code;
    std::size_t line;
    std::string_view text;
  };
  const std::vector<Fault> faults = {
      {PemCode::line_malformed, 1, "-----BEGIN -----\naGk=\n"},
      {PemCode::line_malformed, 1, "-----BEGIN THING----\naGk=\n"},
      {PemCode::line_malformed, 1, "-----END THING-----\n"},
      {PemCode::line_malformed, 3, "-----BEGIN THING-----\naGk=\n-----END THING---\n"},
      {PemCode::end_missing, 1, "-----BEGIN THING-----\naGk=\n"},
      {PemCode::end_mismatch, 3, "-----BEGIN THING-----\naGk=\n-----END THIN-----\n"},
      {PemCode::base64_malformed, 2, "-----BEGIN THING-----\naG*k=\n-----END THING-----\n"},
      {PemCode::base64_malformed, 3, "-----BEGIN THING-----\naGk=\naGk=\n-----END THING-----\n"},
      {PemCode::base64_malformed, 2, "-----BEGIN THING-----\na=Gk\n-----END THING-----\n"},
      {PemCode::base64_malformed, 3, "-----BEGIN THING-----\naGk\n-----END THING-----\n"},    // padding missing
      {PemCode::base64_malformed, 3, "-----BEGIN THING-----\naGk==\n-----END THING-----\n"},  // too much of it
      {PemCode::base64_malformed, 3, "-----BEGIN THING-----\naGl=\n-----END THING-----\n"},   // bits behind the data
      {PemCode::base64_malformed, 3, "-----BEGIN THING-----\na\n-----END THING-----\n"},
      {PemCode::base64_malformed, 3, "-----BEGIN THING-----\n====\n-----END THING-----\n"},
      {PemCode::headers_malformed, 3, "-----BEGIN THING-----\nName: value\naGk=\n-----END THING-----\n"},
      {PemCode::empty, 1, "-----BEGIN THING-----\n-----END THING-----\n"},
  };
  for (const Fault& fault : faults) {
    const std::string text = std::string(fault.text) + std::string(kHello);
    const auto objects = read_all(text);
    ASSERT_EQ(objects.size(), 2U) << fault.text;
    ASSERT_FALSE(objects[0]) << fault.text;
    EXPECT_EQ(objects[0].error().code, fault.code) << fault.text << objects[0].error().text();
    EXPECT_EQ(objects[0].error().line, fault.line) << fault.text << objects[0].error().text();
    EXPECT_FALSE(explanation(objects[0].error().code).empty());
    ASSERT_TRUE(objects[1]) << fault.text;
    EXPECT_EQ(as_text(objects[1]->der.view()), "hello");
  }
  const std::string huge =
      "-----BEGIN THING-----\n" + std::string(kMaxPemObject / 3 * 4 + 8, 'A') + "\n-----END THING-----\n";
  ASSERT_EQ(read_all(huge).size(), 1U);
  EXPECT_EQ(read_all(huge)[0].error().code, PemCode::too_large);
  EXPECT_EQ((PemError{PemCode::end_missing, 7}.text().substr(0, 20)), "line 7: end_missing:");
}

TEST(Pem, EveryTruncationIsHandled) {
  const std::string text = pem("CERTIFICATE", Der(100, 0x30)) + pem("OTHER", Der(10, 1));
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto objects = read_all(std::string_view(text).substr(0, size));
    EXPECT_LE(objects.size(), 2U);
    for (const auto& object : objects) EXPECT_TRUE(object || !object.error().text().empty());
  }
}

TEST(Pem, WritesWhatItReads) {
  for (std::size_t size = 1; size < 200; ++size) {
    Der bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 + size);
    const std::string text = pem("SOME THING", bytes);
    const auto objects = read_all(text);
    ASSERT_EQ(objects.size(), 1U);
    ASSERT_TRUE(objects[0]) << objects[0].error().text();
    EXPECT_TRUE(equal(objects[0]->der.view(), bytes));
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      ASSERT_NE(end, std::string_view::npos);
      EXPECT_LE(end, 64U);
      rest.remove_prefix(end + 1);
    }
  }
  EXPECT_EQ(pem("THING", as_bytes("hello")), kHello);
  // RFC 4648 10
  EXPECT_NE(pem("X", as_bytes("foobar")).find("\nZm9vYmFy\n"), std::string::npos);
}

// --- chains ----------------------------------------------------------------------------------------------------------

TEST(LoadChain, FromPemAndDer) {
  const Authority root("Root");
  const Der leaf_der = root.issue(leaf());
  const auto from_der = load_chain(leaf_der);
  ASSERT_TRUE(from_der) << from_der.error().text;
  EXPECT_EQ(from_der->size(), 1U);
  const std::string text = pem("PRIVATE KEY", Der{1, 2, 3}) + pem("CERTIFICATE", leaf_der) + "words\n" +
                           pem("X509 CERTIFICATE", root.certificate);
  const auto from_pem = load_chain(as_bytes(text));
  ASSERT_TRUE(from_pem) << from_pem.error().text;
  ASSERT_EQ(from_pem->size(), 2U);
  EXPECT_EQ((*from_pem)[0], leaf_der);
  EXPECT_EQ((*from_pem)[1], root.certificate);
}

TEST(LoadChain, RefusesEachFaultForItsOwnReason) {
  const Der root = Authority("Root").certificate;
  struct Fault {
    LoadCode code;
    std::string text;
    std::string_view says;
  };
  const std::vector<Fault> faults = {
      {LoadCode::not_found, "", "no certificate"},
      {LoadCode::not_found, pem("PRIVATE KEY", Der{1}), "no certificate"},
      {LoadCode::pem_malformed, "-----BEGIN CERTIFICATE-----\nAA", "line 1: end_missing"},
      {LoadCode::certificate_malformed, "\n" + pem("CERTIFICATE", Der{0x30, 0}),
       "line 2: not a certificate: truncated"},
      {LoadCode::certificate_malformed, std::string("0\x80", 2), "not a certificate: indefinite_length"},
      {LoadCode::trusted_certificate, pem("TRUSTED CERTIFICATE", root), "openssl x509"},
  };
  for (const Fault& fault : faults) {
    const auto loaded = load_chain(as_bytes(fault.text));
    ASSERT_FALSE(loaded) << fault.text;
    EXPECT_EQ(loaded.error().code, fault.code) << loaded.error().text;
    EXPECT_NE(loaded.error().text.find(fault.says), std::string::npos) << loaded.error().text;
  }
}

// --- keys ------------------------------------------------------------------------------------------------------------

/// The inner key of a PKCS#8.
Der inner_key(Bytes pkcs8) {
  der::ParseState state{pkcs8.data()};
  der::Reader fields = der::Reader(state, pkcs8).enter();
  fields.small_integer();
  fields.element(der::kSequence);
  const Bytes inner = fields.element(der::kOctetString).contents;
  EXPECT_FALSE(state.error);
  return {inner.begin(), inner.end()};
}

/// RFC 5915: with the curve inside, as a file that stands alone has it.
Der sec1_with_curve(Bytes sec1, const Oid* curve) {
  der::ParseState state{sec1.data()};
  der::Reader fields = der::Reader(state, sec1).enter();
  fields.small_integer();
  const Bytes secret = fields.element(der::kOctetString).contents;
  der::Writer out;
  out.nest(der::kSequence, [&] {
    out.integer(1);
    out.octet_string(secret);
    if (curve != nullptr) out.nest(der::context_constructed(0), [&] { out.object_identifier(*curve); });
  });
  return std::move(out).take();
}

void expect_loads(Bytes text, KeyType type, const std::string& what) {
  const auto loaded = load_private_key(provider(), text);
  ASSERT_TRUE(loaded) << what << ": " << loaded.error().text;
  EXPECT_EQ((*loaded)->type(), type) << what;
}

TEST(LoadKey, Pkcs8OfEveryTypeInPemAndDer) {
  for (const KeyType type : {KeyType::rsa, KeyType::ec_p256, KeyType::ec_p384, KeyType::ec_p521, KeyType::ed25519,
                             KeyType::ed448, KeyType::mldsa65}) {
    const Der pkcs8 = new_pkcs8(type);
    ASSERT_FALSE(pkcs8.empty()) << name(type);
    expect_loads(pkcs8, type, "DER");
    const std::string text = "leading words\n" + pem("CERTIFICATE", Der{1}) + pem("PRIVATE KEY", pkcs8);
    expect_loads(as_bytes(text), type, "PEM");
  }
}

TEST(LoadKey, Pkcs1) {
  const Der pkcs1 = inner_key(new_pkcs8(KeyType::rsa));
  expect_loads(pkcs1, KeyType::rsa, "DER");
  const std::string text = pem("RSA PRIVATE KEY", pkcs1);
  expect_loads(as_bytes(text), KeyType::rsa, "PEM");
}

TEST(LoadKey, Sec1) {
  for (const KeyType type : {KeyType::ec_p256, KeyType::ec_p384, KeyType::ec_p521}) {
    const Der sec1 = sec1_with_curve(inner_key(new_pkcs8(type)), curve_oid(type));
    expect_loads(sec1, type, "DER");
    // As `openssl ecparam -genkey` writes it.
    const std::string text = pem("EC PARAMETERS", Der{6, 1, 0}) + pem("EC PRIVATE KEY", sec1);
    expect_loads(as_bytes(text), type, "PEM");
  }
}

// Made with OpenSSL 3.5: `openssl genpkey -algorithm ed25519 | openssl pkcs8 -topk8 -v2 aes-256-cbc -passout
// pass:secret`
constexpr std::string_view kEncryptedKey =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBBPMRkA7D7u1NXxZjie\n"
    "uEYQAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQ5B7NrAtV+NAZJSOS\n"
    "K2JDigRAfOniFJYYCkHOjYLyKDFhtcaoGSVkBePjeDq1kWJ4NiRHhIEek+bJfbNd\n"
    "0uHoKvgsHVQgo2jnR4zK74ioQGrmYg==\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

TEST(LoadKey, EncryptedPkcs8) {
  const auto loaded = load_private_key(provider(), as_bytes(kEncryptedKey), "secret");
  ASSERT_TRUE(loaded) << loaded.error().text;
  EXPECT_EQ((*loaded)->type(), KeyType::ed25519);
  const auto pkcs8 = load_pkcs8(provider(), as_bytes(kEncryptedKey), "secret");
  ASSERT_TRUE(pkcs8);
  expect_loads(pkcs8->view(), KeyType::ed25519, "decrypted");
}

TEST(LoadKey, RefusesEachFaultForItsOwnReason) {
  const Der p256 = new_pkcs8(KeyType::ec_p256);
  Der zero = p256;  // the secret number made zero, which no key is
  const Der secret = inner_key(p256);
  const auto at = std::ranges::search(zero, Bytes(secret).subspan(7, 32)).begin();
  std::fill_n(at, 32, std::uint8_t{0});
  struct Fault {
    LoadCode code;
    std::string text;
    std::string_view passphrase;
    std::string_view says;
  };
  const auto text_of = [](const Der& der) { return std::string(as_text(der)); };
  const std::vector<Fault> faults = {
      {LoadCode::not_found, "", "", "no private key: neither DER nor PEM"},
      {LoadCode::not_found, pem("CERTIFICATE", Der{1}), "", "no private key, only CERTIFICATE"},
      {LoadCode::pem_malformed, "-----BEGIN PRIVATE KEY-----\n", "", "line 1: end_missing"},
      {LoadCode::passphrase_needed, std::string(kEncryptedKey), "",
       "line 1: the private key is encrypted; give its passphrase"},
      {LoadCode::passphrase_wrong, std::string(kEncryptedKey), "wrong", "passphrase does not open"},
      {LoadCode::legacy_encryption,
       "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
       "AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAA\n"
       "-----END RSA PRIVATE KEY-----\n",
       "secret", "openssl pkcs8 -topk8"},
      {LoadCode::key_format_unknown, pem("OPENSSH PRIVATE KEY", Der{1}), "", "ssh-keygen"},
      {LoadCode::key_format_unknown, pem("PRIVATE KEY", Der{0x30, 0}), "", "line 1: not a private key"},
      {LoadCode::key_format_unknown, text_of(Der(p256.begin(), p256.end() - 1)), "", "cut off"},
      {LoadCode::key_format_unknown, text_of(sec1_with_curve(secret, nullptr)), "", "does not say on which curve"},
      {LoadCode::key_unsupported, text_of(sec1_with_curve(secret, &oid::kSha256)), "", "does not know"},
      {LoadCode::key_invalid, text_of(zero), "", "do not make a key"},
  };
  for (const Fault& fault : faults) {
    const auto loaded = load_private_key(provider(), as_bytes(fault.text), fault.passphrase);
    ASSERT_FALSE(loaded) << fault.says;
    EXPECT_EQ(loaded.error().code, fault.code) << loaded.error().text;
    EXPECT_NE(loaded.error().text.find(fault.says), std::string::npos) << loaded.error().text;
  }
  EXPECT_EQ(load_private_key(Provider{}, p256).error().code, LoadCode::key_unsupported);
  EXPECT_EQ(load_private_key(Provider{}, as_bytes(kEncryptedKey), "secret").error().code, LoadCode::key_unsupported);
}

TEST(LoadKey, EveryTruncationIsAnError) {
  for (const Der& key_der :
       {new_pkcs8(KeyType::ec_p256), inner_key(new_pkcs8(KeyType::rsa)), new_pkcs8(KeyType::ed25519)}) {
    for (std::size_t size = 0; size < key_der.size(); ++size) {
      const Der cut(key_der.begin(), key_der.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(load_private_key(provider(), cut)) << size;
    }
  }
}

TEST(LoadKey, BelongsToItsCertificate) {
  const Authority root("Root");
  EXPECT_TRUE(belongs_to(root.certificate, *key("Root")));
  EXPECT_FALSE(belongs_to(root.certificate, *key("leaf")));
  EXPECT_FALSE(belongs_to(Der{1}, *key("leaf")));
}

// --- anchors ---------------------------------------------------------------------------------------------------------

TEST(TrustAnchors, AddsEachOnceAndKeepsTheViews) {
  const Authority one("One Root");
  const Authority two("Two Root");
  TrustAnchors anchors;
  EXPECT_TRUE(anchors.empty());
  EXPECT_EQ(anchors.add(one.certificate), true);
  EXPECT_EQ(anchors.add(one.certificate), false);
  const Certificate view = anchors[0];
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(anchors.add(Authority("Another Root").certificate));
  EXPECT_TRUE(equal(view.der(), one.certificate));
  TrustAnchors moved = std::move(anchors);
  EXPECT_EQ(moved.size(), 41U);
  EXPECT_TRUE(moved.contains(view));
  EXPECT_FALSE(moved.contains(two.view()));
  EXPECT_EQ(moved.find(one.view().subject()), 0U);
  EXPECT_EQ(moved.find(one.view().subject(), 1), moved.size());
  EXPECT_EQ(moved.find(Certificate::parse(moved[40].der())->subject(), 5), 5U);
  EXPECT_EQ(moved.add(Der{0x30, 0}).error().code, ParseCode::truncated);
}

TEST(TrustAnchors, ReportsWhatItCannotUse) {
  const Der one = Authority("One Root").certificate;
  const std::string text = pem("CERTIFICATE", one) + pem("CERTIFICATE", one) + pem("TRUSTED CERTIFICATE", one) +
                           pem("PRIVATE KEY", Der{1}) + pem("CERTIFICATE", Der{0x30, 0}) +
                           "-----BEGIN CERTIFICATE-----\n";
  TrustAnchors anchors;
  const AddedAnchors added = anchors.add_pem(text);
  EXPECT_EQ(added.added, 1U);
  EXPECT_EQ(added.duplicates, 1U);
  EXPECT_EQ(added.bad_count, 4U);
  ASSERT_EQ(added.bad.size(), 4U);
  EXPECT_NE(added.bad[0].text.find("openssl x509"), std::string::npos);
  EXPECT_NE(added.bad[1].text.find("PRIVATE KEY is not a certificate"), std::string::npos);
  EXPECT_NE(added.bad[2].text.find("truncated"), std::string::npos);
  EXPECT_NE(added.bad[3].text.find("end_missing"), std::string::npos);
  std::string many;
  for (int i = 0; i < 100; ++i) many += pem("CERTIFICATE", Der{0x30, 0});
  const AddedAnchors none = anchors.add_pem(many);
  EXPECT_EQ(none.bad_count, 100U);
  EXPECT_EQ(none.bad.size(), AddedAnchors::kMaxReported);
  EXPECT_EQ(none.bad[1].line, 4U);
}

}  // namespace
}  // namespace lockstep::x509::test
