// DER in all its parts: elements and values, names, every extension of a certificate, public and private keys. What is
// read is written again and read again.

#include "x509/der.hpp"

#include <lockstep/fuzzing.hpp>
#include <lockstep/x509.hpp>

#include "x509/der_writer.hpp"
#include "x509/parser.hpp"

using namespace lockstep;
using fuzzing::require;
using x509::CertificateBuilder;
namespace der = x509::der;

namespace {

constexpr std::uint8_t kConstructed = 0x20;
constexpr int kDepth = 24;

/// Reads one value with `read` from all of `bytes`; nothing when it is refused.
template <class Read>
auto value_of(Bytes bytes, Read read) -> std::optional<decltype(read(std::declval<der::Reader&>()))> {
  der::ParseState state{bytes.data()};
  der::Reader reader(state, bytes);
  auto value = read(reader);
  reader.end();
  if (!reader.failed()) return value;
  require(state.error->offset <= bytes.size() && !state.error->text().empty(), "a refusal says where and why");
  return std::nullopt;
}

/// The same element from what its contents mean. False when they mean nothing.
bool write_value(der::Writer& out, const der::Element& element) {
  switch (element.tag) {
    case der::kBoolean:
      if (const auto value = value_of(element.whole, [](der::Reader& in) { return in.boolean(); })) {
        if (*value) {
          out.boolean_true();
        } else {
          out.element(der::kBoolean, std::array<std::uint8_t, 1>{0});
        }
        return true;
      }
      return false;
    case der::kInteger: {
      const auto value = value_of(element.whole, [](der::Reader& in) { return in.integer(); });
      if (!value) return false;
      const auto small = value_of(element.whole, [](der::Reader& in) { return in.small_integer(); });
      if (small) {
        out.integer(*small);
      } else if (value->front() < 0x80) {
        out.integer(*value);
      } else {
        out.element(der::kInteger, *value);  // we write none below zero
      }
      return true;
    }
    case der::kBitString:
      if (const auto value = value_of(element.whole, [](der::Reader& in) { return in.bit_string(); })) {
        out.bit_string(value->bytes, static_cast<std::uint8_t>(value->unused_bits));
        return true;
      }
      return false;
    case der::kObjectIdentifier:
      if (const auto value = value_of(element.whole, [](der::Reader& in) { return in.object_identifier(); })) {
        require(der::is_object_identifier(*value) && !x509::oid_text(*value).empty(), "an identifier has its numbers");
        out.object_identifier(*value);
        return true;
      }
      return false;
    case der::kUtcTime:
    case der::kGeneralizedTime:
      if (const auto value = value_of(element.whole, [](der::Reader& in) { return in.time(); })) {
        der::Writer moment;
        moment.time(*value);
        require(value_of(moment.view(), [](der::Reader& in) { return in.time(); }) == value, "a moment comes back");
        require(!x509::time_text(*value).empty(), "a moment can be printed");
        // Which of the two types it takes, the year says.
        if (moment.view().front() == element.tag) {
          out.raw(moment.view());
        } else {
          out.element(element.tag, element.contents);
        }
        return true;
      }
      return false;
    default: return false;
  }
}

bool is_well_formed(Bytes bytes, int depth) {
  der::ParseState state{bytes.data()};
  der::Reader reader(state, bytes);
  while (reader.more()) {
    const der::Element element = reader.any();
    if (reader.failed()) return false;
    require(element.whole.size() > element.contents.size(), "an element is more than its contents");
    if ((element.tag & kConstructed) != 0 && depth > 0 && !is_well_formed(element.contents, depth - 1)) return false;
  }
  return !reader.failed();
}

void write_again(der::Writer& out, Bytes bytes, int depth) {
  der::ParseState state{bytes.data()};
  der::Reader reader(state, bytes);
  while (reader.more()) {
    const der::Element element = reader.any();
    if ((element.tag & kConstructed) != 0 && depth > 0) {
      out.nest(element.tag, [&] { write_again(out, element.contents, depth - 1); });
    } else if (!write_value(out, element)) {
      out.element(element.tag, element.contents);
    }
  }
}

void elements(Bytes bytes) {
  if (!is_well_formed(bytes, kDepth)) return;
  der::Writer out;
  write_again(out, bytes, kDepth);
  require(equal(out.view(), bytes), "DER has one form");
}

void name(Bytes bytes) {
  const auto name = x509::DistinguishedName::parse(bytes);
  if (!name) {
    require(!name.error().text().empty(), "a refusal says where and why");
    return;
  }
  require(name->matches(*name) && x509::lies_within(*name, *name) != x509::Match::no, "a name matches itself");
  require(name->hash() == x509::DistinguishedName::parse(bytes)->hash(), "equal names share a number");
  const std::string text = name->text();
  require(name->empty() == text.empty(), "a name that is there can be printed");
  require(std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }),
          "what is printed cannot steer a terminal");
  require(std::ranges::none_of(name->common_name(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }),
          "what is printed cannot steer a terminal");
}

/// A certificate that is well but for what the fuzzer says of one extension.
void extension(fuzzing::Choices& choices) {
  static constexpr const char* kKnown[] = {"2.5.29.14",
                                           "2.5.29.15",
                                           "2.5.29.17",
                                           "2.5.29.18",
                                           "2.5.29.19",
                                           "2.5.29.30",
                                           "2.5.29.31",
                                           "2.5.29.32",
                                           "2.5.29.33",
                                           "2.5.29.35",
                                           "2.5.29.36",
                                           "2.5.29.37",
                                           "2.5.29.46",
                                           "2.5.29.54",
                                           "2.5.29.9",
                                           "2.5.29.16",
                                           "1.3.6.1.5.5.7.1.1",
                                           "1.3.6.1.5.5.7.1.24",
                                           "2.16.840.1.113730.1.1",
                                           "1.2.3"};
  static const Provider provider = fake::provider();
  static const std::shared_ptr<const SigningKey> key = fuzzing::Scene::get().credential->key;
  const char* const oid = choices.of(kKnown);
  const std::uint8_t ways = choices.byte();
  const Bytes value = choices.rest();

  fake::FakeRandom random(5);
  CertificateBuilder builder("CN=fuzz");
  builder.validity(1'780'000'000, 1'790'000'000).extension(oid, (ways & 1U) != 0, value);
  if ((ways & 2U) != 0) builder.ca((ways & 4U) != 0 ? std::optional<std::uint32_t>(ways >> 4U) : std::nullopt);
  if ((ways & 8U) != 0) builder.dns("example.com").server();
  const auto written = builder.self_signed(provider, *key, random);
  require(written.has_value(), "any value can be put into an extension");
  const auto certificate = x509::Certificate::parse(*written);
  if (!certificate) {
    require(certificate.error().offset <= written->size() && !certificate.error().text().empty(),
            "a refusal says where and why");
    return;
  }
  require(!certificate->text().empty(), "a certificate can be printed");
  bool found = false;
  for (const x509::Extension& each : certificate->extensions()) found = found || equal(each.value, value);
  require(found, "the extension is there as it was written");
  for (const x509::GeneralName& each : certificate->alternative_names()) (void)each.text();
}

void public_key(Bytes bytes) {
  const auto key = x509::PublicKey::parse(bytes);
  if (!key) {
    require(!key.error().text().empty(), "a refusal says where and why");
    return;
  }
  require(equal(key->der, bytes), "a key is all that was given");
}

void private_key(Bytes bytes) {
  static const Provider provider = fake::provider();
  const auto key = x509::load_pkcs8(provider, bytes, "fuzz");
  if (!key) {
    require(!key.error().text.empty(), "a refusal says what to do");
    return;
  }
  // A PrivateKeyInfo is its own.
  const auto again = x509::load_pkcs8(provider, key->view());
  require(again && equal(again->view(), key->view()), "a key in its common form stays as it is");
  (void)x509::load_private_key(provider, bytes, "fuzz");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzzing::Choices choices({data, size});
  switch (choices.below(5)) {
    case 0: elements(choices.rest()); break;
    case 1: name(choices.rest()); break;
    case 2: extension(choices); break;
    case 3: public_key(choices.rest()); break;
    default: private_key(choices.rest()); break;
  }
  return 0;
}
