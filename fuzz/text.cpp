// What people write: lists of algorithms, the names of peers and subjects, PEM, the words of the command line. What is
// understood can be written again, and means the same; what is not understood is named.

#include <lockstep/fuzzing.hpp>
#include <lockstep/lists.hpp>
#include <lockstep/x509.hpp>

#include "arguments.hpp"
#include "words.hpp"

using namespace lockstep;
using fuzzing::require;

namespace {

template <class List, class FromText>
void list(const List& list, FromText from_text) {
  if (!list) {
    require(!list.error().text().empty(), "what is not understood is named");
    return;
  }
  std::string text;
  for (const auto each : *list) text += (text.empty() ? "" : ":") + to_text(each);
  const auto again = from_text(text);
  require(list->empty() || (again && *again == *list), "a list can be written and read again");
  for (std::size_t i = 0; i < list->size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) require((*list)[i] != (*list)[j], "nothing stands in a list twice");
  }
}

void ranks(std::string_view text) {
  const auto list = ranked_suites_from_text(text);
  if (!list) {
    require(!list.error().text().empty(), "what is not understood is named");
    return;
  }
  std::string written = "ALL:-ALL";
  for (const auto& rank : *list) {
    require(!rank.empty(), "a rank has a suite");
    for (const CipherSuite suite : rank) written += (suite == rank.front() ? ":[" : "|") + to_text(suite);
    written += ']';
  }
  const auto again = ranked_suites_from_text(written);
  require(again && *again == *list, "ranks can be written and read again");
}

void peer_name(const std::expected<x509::PeerName, x509::NameError>& name) {
  if (!name) {
    require(!x509::explanation(name.error()).empty(), "what is not understood is named");
    return;
  }
  require(x509::PeerName::parse(name->text()) == *name, "a name can be written and read again");
  require(name->host_name().empty() != name->address().empty(), "a name is a host's or an address");
}

void pem(std::string_view text) {
  x509::PemReader reader(text);
  std::size_t line = 0;
  for (std::size_t count = 0;; ++count) {
    require(count <= text.size(), "every object is a part of the text");
    auto object = reader.next();
    if (!object) return;
    if (!*object) {
      require(!object->error().text().empty() && object->error().line >= line, "a refusal says where and why");
      line = object->error().line;
      continue;
    }
    require((*object)->line >= line, "objects come in the order of the text");
    line = (*object)->line;
    if ((*object)->encrypted) continue;
    const std::string written = x509::pem((*object)->label, (*object)->der.view());
    x509::PemReader again(written);
    const auto same = again.next();
    require(same && *same && (**same).label == (*object)->label && equal((**same).der.view(), (*object)->der.view()) &&
                !again.next(),
            "an object can be written and read again");
  }
}

void keys_and_chains(std::string_view text) {
  static const Provider provider = fake::provider();
  if (const auto chain = x509::load_chain(as_bytes(text))) {
    require(!chain->empty(), "a chain has a certificate");
    for (const auto& certificate : *chain)
      require(x509::Certificate::parse(certificate).has_value(), "and each is one");
  } else {
    require(!chain.error().text.empty(), "a refusal says what to do");
  }
  if (const auto key = x509::load_private_key(provider, as_bytes(text), "fuzz"); !key) {
    require(!key.error().text.empty(), "a refusal says what to do");
  }
}

void subject(std::string_view text) {
  static const Provider provider = fake::provider();
  const SigningKey& key = *fuzzing::Scene::get().credential->key;
  const auto read_back = [&](std::string_view subject) -> std::optional<std::string> {
    fake::FakeRandom random(5);
    const auto der = x509::CertificateBuilder(subject).validity(0, 1).self_signed(provider, key, random);
    if (!der) {
      require(!explanation(der.error()).empty(), "a refusal says why");
      return std::nullopt;
    }
    const auto certificate = x509::Certificate::parse(*der);
    require(certificate.has_value(), "what is built can be read");
    return certificate->subject().text();
  };
  const auto written = read_back(text);
  // Characters that cannot be shown are shown as numbers, which are not read.
  const bool shown = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (written && shown) require(read_back(*written) == written, "a name can be written and read again");
}

/// Runs a parser of the command line's: it answers or says what it would have understood.
template <class Parse>
void argument(Parse parse) {
  try {
    parse();
  } catch (const tool::UsageError& error) {
    require(*error.what() != '\0', "what is not understood is named");
    for (const char* c = error.what(); *c != '\0'; ++c) require(*c >= 0x20 && *c < 0x7f, "and safe to print");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzzing::Choices choices({data, size});
  const std::size_t which = choices.below(14);
  const Bytes rest = choices.rest();
  const std::string_view text = as_text(rest);
  const std::string word(text);
  switch (which) {
    case 0: list(suites_from_text(text), suites_from_text); break;
    case 1: list(groups_from_text(text), groups_from_text); break;
    case 2: list(schemes_from_text(text), schemes_from_text); break;
    case 3: peer_name(x509::PeerName::dns(text)); break;
    case 4: peer_name(x509::PeerName::parse(text)); break;
    case 5: pem(text); break;
    case 6: keys_and_chains(text); break;
    case 7: subject(text); break;
    case 8: argument([&] { require(!tool::parse_suites(word).empty(), "a list has an item"); }); break;
    case 9: argument([&] { require(!tool::parse_alpn(word).empty(), "a list has an item"); }); break;
    case 10: argument([&] { (void)tool::parse_key_type(word); }); break;
    case 12: ranks(text); break;
    case 11: argument([&] { require(tool::parse_time(word) >= Time(std::chrono::years(-2000)), "a moment"); }); break;
    default:
      argument([&] {
        const auto place = tool::parse_host_and_port(word, 443);
        require(!place.host.empty() && place.port != 0, "a host has a name and a port");
      });
      break;
  }
  return 0;
}
