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
      "\xef\xbb\xbf-----BEGIN A-----\r\naGVs\r\nbG8=\r\n-----END A-----\r\n\nSome words: not PEM\nnor -----BEGIN "
      "THIS-----\n" +
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

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

std::string utf16(std::string_view text, bool little_endian, bool mark) {
  std::string out;
  const auto put = [&](unsigned unit) {
    const auto low = static_cast<char>(unit & 0xffU);
    const auto high = static_cast<char>(unit >> 8U);
    out += little_endian ? low : high;
    out += little_endian ? high : low;
  };
  if (mark) put(0xfeff);
  for (const char c : text) put(static_cast<unsigned char>(c));
  return out;
}

TEST(Pem, ReadsWhatTextsSufferOnTheirWay) {
  const Der first(100, 0x30);
  const Der second(70, 0x31);
  const std::string good = pem("FIRST", first) + pem("THE SECOND", second);
  std::string indented = "  \t" + replaced(good, "\n", "\n  \t");
  struct Shape {
    std::string_view what;
    std::string text;
    std::size_t second_line;
  };
  const std::vector<Shape> shapes = {
      {"as written", good, 6},
      {"no newline behind END", replaced(good, "-----\n-----BEGIN", "----------BEGIN"), 5},
      {"line ends of DOS", replaced(good, "\n", "\r\n"), 6},
      {"line ends of the old Macintosh", replaced(good, "\n", "\r"), 6},
      {"line ends written out", replaced(good, "\n", "\\n"), 1},
      {"line ends of DOS written out", replaced(good, "\n", "\\r\\n"), 1},
      {"spaces for line ends", replaced(good, "\n", " "), 1},
      {"no line ends at all", replaced(good, "\n", ""), 1},
      {"indented", indented, 6},
      {"UTF-16 of Windows", utf16(replaced(good, "\n", "\r\n"), true, true), 6},
      {"UTF-16, big-endian", utf16(good, false, true), 6},
      {"UTF-16 without its mark", utf16(good, true, false), 6},
      {"UTF-16, big-endian, without its mark", utf16(good, false, false), 6},
      {"two files with a mark each, joined",
       "\xef\xbb\xbf" + pem("FIRST", first) + "\xef\xbb\xbf" + pem("THE SECOND", second), 6},
  };
  for (const Shape& shape : shapes) {
    const auto objects = read_all(shape.text);
    ASSERT_EQ(objects.size(), 2U) << shape.what;
    for (const auto& object : objects) ASSERT_TRUE(object) << shape.what << ": " << object.error().text();
    EXPECT_EQ(objects[0]->label, "FIRST") << shape.what;
    EXPECT_TRUE(equal(objects[0]->der.view(), first)) << shape.what;
    EXPECT_EQ(objects[0]->line, 1U) << shape.what;
    EXPECT_EQ(objects[1]->label, "THE SECOND") << shape.what;
    EXPECT_TRUE(equal(objects[1]->der.view(), second)) << shape.what;
    EXPECT_EQ(objects[1]->line, shape.second_line) << shape.what;
  }
}

TEST(Pem, FaultsNameTheirObject) {
  const auto objects = read_all("-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n-----BEGIN ----\n");
  ASSERT_EQ(objects.size(), 2U);
  ASSERT_TRUE(!objects[0] && !objects[1]);
  EXPECT_EQ(objects[0].error().label, "X509 CRL");
  EXPECT_EQ(objects[1].error().label, "");
}

TEST(Pem, EmptyTextsHoldNothing) {
  EXPECT_TRUE(read_all("").empty());
  EXPECT_TRUE(read_all("no PEM at all\n").empty());
}

TEST(Pem, RefusesEachFaultForItsOwnReasonAndGoesOn) {
  struct Broken {
    PemCode code;
    std::size_t line;
    std::string_view text;
  };
  const std::vector<Broken> faults = {
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
  for (const Broken& fault : faults) {
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

TEST(LoadChain, PassesOverWhatIsBrokenAndNotAskedFor) {
  const std::string certificate = pem("CERTIFICATE", Authority("Root").certificate);
  const std::string broken =
      "-----BEGIN X509 CRL-----\nnot base64!\n-----END X509 CRL-----\n-----BEGIN PRIVATE KEY-----\n";
  const std::string with_crl = broken + certificate;
  const auto chain = load_chain(as_bytes(with_crl));
  ASSERT_TRUE(chain) << chain.error().text;
  EXPECT_EQ(chain->size(), 1U);
  const std::string with_certificate =
      "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n" + pem("PRIVATE KEY", new_pkcs8(KeyType::ed25519));
  EXPECT_TRUE(load_private_key(provider(), as_bytes(with_certificate)));
  EXPECT_FALSE(load_chain(as_bytes(with_certificate)));
}

// As much as says what they are.
const Der kPkcs12{0x30, 0x08, 0x02, 0x01, 0x03, 0x30, 0x03, 0x06, 0x01, 0x2a};
const Der kPkcs7{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02, 0xa0, 0x00};
const Der kPkcs7InBer{0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
                      0x01, 0x07, 0x02, 0xa0, 0x80, 0x00, 0x00, 0x00, 0x00};

TEST(LoadChain, RefusesEachFaultForItsOwnReason) {
  const Der root = Authority("Root").certificate;
  struct Broken {
    LoadCode code;
    std::string text;
    std::string_view says;
  };
  const std::vector<Broken> faults = {
      {LoadCode::not_found, "", "no certificate"},
      {LoadCode::not_found, pem("PRIVATE KEY", Der{1}), "no certificate"},
      {LoadCode::pem_malformed, "-----BEGIN CERTIFICATE-----\nAA", "line 1: end_missing"},
      {LoadCode::certificate_malformed, "\n" + pem("CERTIFICATE", Der{0x30, 0}),
       "line 2: not a certificate: truncated"},
      {LoadCode::certificate_malformed, std::string("0\x80", 2), "not a certificate: indefinite_length"},
      {LoadCode::trusted_certificate, pem("TRUSTED CERTIFICATE", root), "openssl x509"},
      {LoadCode::not_found, pem("CERTIFICATE REQUEST", root), "no certificate, only CERTIFICATE REQUEST"},
      {LoadCode::container, pem("PKCS7", kPkcs7), "line 1: a PKCS#7 bundle (.p7b, .p7c)"},
      {LoadCode::container, pem("CERTIFICATE", kPkcs7), "line 1: a PKCS#7 bundle (.p7b, .p7c)"},
      {LoadCode::container, std::string(as_text(kPkcs7)), "openssl pkcs7 -print_certs -inform DER"},
      {LoadCode::container, std::string(as_text(kPkcs7InBer)), "openssl pkcs7 -print_certs -inform DER"},
      {LoadCode::container, std::string(as_text(kPkcs12)), "openssl pkcs12 -in FILE"},
  };
  for (const Broken& fault : faults) {
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

TEST(LoadDhParameters, OfPkcs3AndX942InPemAndDer) {
  const Der pkcs3{0x30, 9, 2, 4, 0, 0x81, 3, 5, 2, 1, 2};
  const Der with_length{0x30, 13, 2, 4, 0, 0x81, 3, 5, 2, 1, 2, 2, 2, 0, 0xe1};
  const Der x942{0x30, 12, 2, 4, 0, 0x81, 3, 5, 2, 1, 2, 2, 1, 11};
  const std::vector<std::uint8_t> p{0, 0x81, 3, 5};
  const std::vector<std::uint8_t> g{2};
  for (const std::string& text :
       {std::string(as_text(pkcs3)), std::string(as_text(with_length)),
        "2048 bits\n" + pem("CERTIFICATE", Der{1}) + pem("DH PARAMETERS", pkcs3), pem("X9.42 DH PARAMETERS", x942)}) {
    const auto loaded = load_dh_parameters(as_bytes(text));
    ASSERT_TRUE(loaded) << loaded.error().text;
    EXPECT_EQ(*loaded, (DhParameters{p, g}));
    EXPECT_EQ(bit_size(view_of(*loaded).p), 24U);
  }
}

TEST(LoadDhParameters, SaysWhatIsWrong) {
  const auto refused = [](std::string_view text, LoadCode code, std::string_view says) {
    const auto loaded = load_dh_parameters(as_bytes(text));
    ASSERT_FALSE(loaded) << says;
    EXPECT_EQ(loaded.error().code, code);
    EXPECT_TRUE(loaded.error().text.contains(says)) << loaded.error().text;
  };
  refused("", LoadCode::not_found, "BEGIN DH PARAMETERS");
  refused(pem("PRIVATE KEY", Der{1}), LoadCode::not_found, "only PRIVATE KEY");
  refused("-----BEGIN DH PARAMETERS-----\n!\n-----END DH PARAMETERS-----\n", LoadCode::pem_malformed, "base64");
  for (const Der& malformed :
       {Der{0x30, 0}, Der{0x30, 3, 2, 1, 5}, Der{0x30, 6, 2, 1, 0x85, 2, 1, 2}, Der{0x30, 6, 2, 1, 5, 2, 1, 0x82},
        Der{0x30, 6, 2, 1, 5, 2, 1, 2, 0}, Der{0x30, 6, 4, 1, 5, 2, 1, 2}, Der{0x30, 7, 2, 1, 5, 2, 1, 2},
        Der{0x30, 7, 2, 2, 0, 5, 2, 1, 2}})
    refused(pem("DH PARAMETERS", malformed), LoadCode::der_malformed, "line 1: the parameters");
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

// Made with OpenSSL 3.5: `openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -passout pass:secret`
constexpr std::string_view kOldEncryptedKey =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MFgwHAYKKoZIhvcNAQwBAzAOBAgsXx8f2cW7PgICCAAEOEztk7GRnymCAgvsXgH+\n"
    "wh3AFSS4Fa61wrxkWACRem/tYX+koUMhGtnwWdPFgfBCWR/tjBW6IzZR\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

/// A PKCS#8 of what stands in another one, with another algorithm or key.
Der pkcs8_of(const std::function<void(der::Writer&)>& algorithm, Bytes inner) {
  der::Writer out;
  out.nest(der::kSequence, [&] {
    out.integer(0);
    out.nest(der::kSequence, [&] { algorithm(out); });
    out.octet_string(inner);
  });
  return std::move(out).take();
}

void write_pss(der::Writer& out, const Oid& hash, std::optional<std::uint32_t> salt) {
  const auto write_hash = [&] { out.nest(der::kSequence, [&] { out.object_identifier(hash); }); };
  out.object_identifier(oid::kRsassaPss);
  out.nest(der::kSequence, [&] {
    out.nest(der::context_constructed(0), write_hash);
    out.nest(der::context_constructed(1), [&] {
      out.nest(der::kSequence, [&] {
        out.object_identifier(oid::kMgf1);
        write_hash();
      });
    });
    if (salt) out.nest(der::context_constructed(2), [&] { out.integer(*salt); });
  });
}

// Made with OpenSSL 3.5: `openssl genrsa -traditional 512`
constexpr std::string_view kShortRsaKey =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIBOwIBAAJBAK49GN54FGL0em768mEJbHvlLN6ZHnxCPqTu1n8rrVg2k/gQiQxC\n"
    "nJ0eHCKdrWOqPm6bSyk5LYJwN91p2AX4lzsCAwEAAQJAfqAQTr1ds3yQ7c6aD0NV\n"
    "/8RRk4Qbz5olBKA+ajVHyO7NpFKlfMaBnol0S78Iay17aVOq4xsCgkFbEOAmzqBE\n"
    "AQIhAN/OshZbBw2owX5oLO1qksmb6BftDYKCAiazRvx4eyuBAiEAx00fL3cNxaqU\n"
    "MyWDijuUrf9yROSiUUwLyJybLFAn0LsCIQDNAujtQ4sNfxVn9oOZI3O8zFzpddNX\n"
    "RkI0MysGYFLrgQIgCNyTAGdIw3s8L7IBUUoo6Dutdwa7eOXquDbOZ4AA5TUCIQCJ\n"
    "tQ9T0nMXbur9dVYONHk76ItWp+atW+YNmPlGu7QX1Q==\n"
    "-----END RSA PRIVATE KEY-----\n";

TEST(LoadKey, NamesTheKeysThatNobodyHereTakes) {
  const auto with_oid = [](const Oid& oid) { return [&oid](der::Writer& out) { out.object_identifier(oid); }; };
  constexpr Oid kX25519 = "1.3.101.110";
  constexpr Oid kUnknown = "1.2.3.4";
  constexpr Oid kSecp256k1 = "1.3.132.0.10";
  const auto on_curve = [](const Oid& curve) {
    return [&curve](der::Writer& out) {
      out.object_identifier(oid::kEcPublicKey);
      out.object_identifier(curve);
    };
  };
  struct Refused {
    Der pkcs8;
    std::string_view says;
  };
  const Der inner = inner_key(new_pkcs8(KeyType::ec_p256));
  const Der rsa = inner_key(new_pkcs8(KeyType::rsa));
  const std::vector<Refused> keys = {
      {pkcs8_of(with_oid(kX25519), Der{4, 1, 0}), "for X25519, a key exchange, which signs nothing"},
      {pkcs8_of(with_oid(kUnknown), Der{4, 1, 0}), "for 1.2.3.4, which signs nothing"},
      {pkcs8_of(on_curve(kSecp256k1), inner), "on secp256k1, a curve that is not known"},
      {pkcs8_of([](der::Writer& out) { write_pss(out, oid::kSha1, 20); }, rsa), "its hash must be SHA-256"},
      {pkcs8_of([](der::Writer& out) { write_pss(out, oid::kSha256, 33); }, rsa), "its salt not longer"},
  };
  for (const Refused& refused : keys) {
    const auto loaded = load_private_key(provider(), refused.pkcs8);
    ASSERT_FALSE(loaded) << refused.says;
    EXPECT_NE(loaded.error().text.find(refused.says), std::string::npos) << loaded.error().text;
  }
  const auto too_short = load_private_key(provider(), as_bytes(kShortRsaKey));
  ASSERT_FALSE(too_short);
  EXPECT_NE(too_short.error().text.find("for RSA of 512 bits, and keys of 1024 to 8192 are taken"), std::string::npos)
      << too_short.error().text;
  Provider less = provider();
  less.name = "less";
  less.key_loaders.clear();
  const auto loaded = load_private_key(less, new_pkcs8(KeyType::ec_p256));
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().text.find("loads no"), std::string::npos) << loaded.error().text;
}

/// The certificate's or key's SubjectPublicKeyInfo with its point compressed.
Der compressed(Bytes subject_public_key_info) {
  const PublicKey key = PublicKey::parse(subject_public_key_info).value();
  const std::size_t coordinate = (key.key.size() - 1) / 2;
  Der point(key.key.begin(), key.key.begin() + 1 + static_cast<std::ptrdiff_t>(coordinate));
  point[0] = key.key.back() % 2 == 0 ? 2 : 3;
  der::Writer out;
  out.nest(der::kSequence, [&] {
    out.nest(der::kSequence, [&] {
      out.object_identifier(oid::kEcPublicKey);
      out.object_identifier(*curve_oid(*key.type));
    });
    out.bit_string(point);
  });
  return std::move(out).take();
}

TEST(LoadKey, BelongsToTheCertificateThatCompressesItsPoint) {
  const Authority root("Root");
  for (const KeyType type : {KeyType::ec_p256, KeyType::ec_p384, KeyType::ec_p521, KeyType::ec_brainpoolP256r1,
                             KeyType::ec_brainpoolP384r1, KeyType::ec_brainpoolP512r1}) {
    const Key own = key("compressed " + std::string(name(type)), type);
    const Der info = compressed(own->subject_public_key_info());
    const Der certificate = built(leaf().issued_by(provider(), root.certificate, *root.own_key, info, random_source()));
    EXPECT_TRUE(belongs_to(certificate, *own)) << name(type);
    EXPECT_FALSE(belongs_to(certificate, *key("leaf"))) << name(type);
    Der other = info;
    const std::size_t form = info.size() - (PublicKey::parse(info)->key.size());
    other[form] ^= 1U;  // the same x, the other y
    const Der mirrored = built(leaf().issued_by(provider(), root.certificate, *root.own_key, other, random_source()));
    EXPECT_FALSE(belongs_to(mirrored, *own)) << name(type);
  }
}

TEST(LoadKey, SaltOfAnRsassaPssKeyIsAMinimum) {
  const Der inner = inner_key(new_pkcs8(KeyType::rsa));
  for (const std::optional<std::uint32_t> salt : {std::optional<std::uint32_t>(), {0U}, {20U}, {32U}}) {
    const auto own =
        load_private_key(provider(), pkcs8_of([&](der::Writer& out) { write_pss(out, oid::kSha256, salt); }, inner));
    ASSERT_TRUE(own) << own.error().text;
    const auto stated = PublicKey::parse((*own)->subject_public_key_info());
    ASSERT_TRUE(stated);
    EXPECT_EQ(stated->type, KeyType::rsa_pss);
    EXPECT_EQ(stated->only_algorithm, SignatureAlgorithm::rsa_pss_sha256);
  }
}

TEST(LoadKey, RefusesEachFaultForItsOwnReason) {
  const Der p256 = new_pkcs8(KeyType::ec_p256);
  Der zero = p256;  // the secret number made zero, which no key is
  const Der secret = inner_key(p256);
  const auto at = std::ranges::search(zero, Bytes(secret).subspan(7, 32)).begin();
  std::fill_n(at, 32, std::uint8_t{0});
  struct Broken {
    LoadCode code;
    std::string text;
    std::string_view passphrase;
    std::string_view says;
  };
  const auto text_of = [](const Der& der) { return std::string(as_text(der)); };
  const std::vector<Broken> faults = {
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
      {LoadCode::legacy_encryption, std::string(kOldEncryptedKey), "secret",
       "line 1: the private key is encrypted by PBE-SHA1-3DES"},
      {LoadCode::container, text_of(kPkcs12), "", "a PKCS#12 file (.p12, .pfx)"},
      {LoadCode::container, text_of(kPkcs7), "", "a PKCS#7 bundle (.p7b, .p7c)"},
      {LoadCode::key_format_unknown, pem("OPENSSH PRIVATE KEY", Der{1}), "", "ssh-keygen"},
      {LoadCode::key_format_unknown, pem("PRIVATE KEY", Der{0x30, 0}), "", "line 1: not a private key"},
      {LoadCode::key_format_unknown, text_of(Der(p256.begin(), p256.end() - 1)), "", "cut off"},
      {LoadCode::key_format_unknown, text_of(sec1_with_curve(secret, nullptr)), "", "does not say on which curve"},
      {LoadCode::key_unsupported, text_of(sec1_with_curve(secret, &oid::kSha256)), "",
       "on 2.16.840.1.101.3.4.2.1, a curve that is not known"},
      {LoadCode::key_invalid, text_of(zero), "", "do not make a key"},
  };
  for (const Broken& fault : faults) {
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
  EXPECT_EQ(added.bad[3].text.find("end_missing"), 0U) << "the line is told beside it: " << added.bad[3].text;
  std::string many;
  for (int i = 0; i < 100; ++i) many += pem("CERTIFICATE", Der{0x30, 0});
  const AddedAnchors none = anchors.add_pem(many);
  EXPECT_EQ(none.bad_count, 100U);
  EXPECT_EQ(none.bad.size(), AddedAnchors::kMaxReported);
  EXPECT_EQ(none.bad[1].line, 4U);
}

}  // namespace
}  // namespace lockstep::x509::test
