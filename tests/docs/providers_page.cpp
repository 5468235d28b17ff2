// Writes the tables of docs/providers.md from the providers' capability tables, or checks that they are as written.
//     providers_page FILE [--write]

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <lockstep/botan.hpp>
#include <lockstep/capabilities.hpp>
#include <lockstep/fake.hpp>
#include <lockstep/libcrypto.hpp>
#include <lockstep/lists.hpp>
#include <lockstep/multibuffer.hpp>
#include <lockstep/sodium.hpp>

namespace lockstep {
namespace {

constexpr std::string_view kBegin = "<!-- begin of what providers_page writes -->\n";
constexpr std::string_view kEnd = "<!-- end of what providers_page writes -->\n";

struct Column {
  const Capabilities& least;  ///< with every version of the library
  const Capabilities& most;   ///< with the newest
};

constexpr Column kColumns[] = {
    {botan::kCapabilities, botan::kCapabilities},
    {libcrypto::kCapabilities, libcrypto::kCapabilitiesOf35},
    {multibuffer::kCapabilities, multibuffer::kCapabilities},
    {sodium::kCapabilities, sodium::kCapabilities},
    {fake::kCapabilities, fake::kCapabilities},
};

/// "yes", "no", or that it depends on the library.
template <class Has>
std::string row(std::string_view title, Has has) {
  std::string line = "| " + std::string(title);
  for (const Column& column : kColumns)
    line += has(column.least) ? " | yes" : has(column.most) ? " | yes \xc2\xb9" : " | \xe2\x80\x93";
  return line + " |\n";
}

std::string heading(std::string_view title) {
  std::string line = "\n| " + std::string(title);
  std::string rule = "| ---";
  for (const Column& column : kColumns) {
    line += " | " + std::string(column.least.provider);
    rule += " | ---";
  }
  return line + " |\n" + rule + " |\n";
}

std::string tables() {
  std::string text = heading("cipher suite of TLS 1.3");
  for (const CipherSuite suite : suites(ProtocolVersion::tls_1_3))
    text += row(name(suite), [made_of = *parts(suite)](const Capabilities& provider) {
      return made_of.aead && provider.has(*made_of.aead) && provider.has(made_of.hash);
    });
  text += heading("AEAD of suites of TLS 1.2");
  for (const AeadAlgorithm aead : every::kAeads)
    text += row(name(aead), [aead](const Capabilities& provider) { return provider.has(aead); });
  text += heading("mask of record numbers");
  for (const MaskAlgorithm mask : every::kMasks)
    text += row(name(mask), [mask](const Capabilities& provider) { return provider.has(mask); });
  text += heading("group");
  for (const NamedGroup group : known_groups())
    text += row(name(group), [group](const Capabilities& provider) {
      const auto hybrid = parts(group);
      return hybrid ? provider.has(hybrid->first) && provider.has(hybrid->second) : provider.has(as_listed(group));
    });
  text += heading("signature scheme, verified");
  for (const SignatureScheme scheme : known_schemes())
    text += row(name(scheme), [made_of = *parts(scheme)](const Capabilities& provider) {
      return provider.has(Verification{made_of.algorithm, made_of.key});
    });
  text += heading("private key, loaded and made");
  for (const KeyType type : every::kKeys)
    text += row(name(type), [type](const Capabilities& provider) { return provider.has(type); });
  text += heading("");
  text += row("opens private keys under a passphrase",
              [](const Capabilities& provider) { return provider.decrypts_keys; }) +
          row("finite fields by their parameters", [](const Capabilities& provider) { return provider.finite_fields; });
  text += row("protects anything", [](const Capabilities& provider) { return !provider.insecure; });
  return text + "\n\xc2\xb9 with OpenSSL 3.5 or later.\n";
}

int run(const std::string& path, bool write) {
  std::ifstream in(path, std::ios::binary);
  const std::string page(std::istreambuf_iterator<char>(in), {});
  const std::size_t begin = page.find(kBegin);
  const std::size_t end = page.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    std::fprintf(stderr, "%s: the lines that mark the tables are missing\n", path.c_str());
    return 1;
  }
  const std::string fresh = page.substr(0, begin + kBegin.size()) + tables() + "\n" + page.substr(end);
  if (fresh == page) return 0;
  if (!write) {
    std::fprintf(stderr, "%s is stale: run `providers_page %s --write`\n", path.c_str(), path.c_str());
    return 1;
  }
  return (std::ofstream(path, std::ios::binary) << fresh).flush() ? 0 : 1;
}

}  // namespace
}  // namespace lockstep

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words.size() > 2 || (words.size() == 2 && words[1] != "--write")) {
    std::fputs("usage: providers_page FILE [--write]\n", stderr);
    return 2;
  }
  return lockstep::run(words[0], words.size() == 2);
}
