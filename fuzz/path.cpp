// A peer's chain of any certificates, against anchors of any kind: a verdict, and no other one the second time, nor
// where signatures are remembered.

#include <lockstep/fuzzing.hpp>
#include <lockstep/x509_verify.hpp>

using namespace lockstep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzzing::Choices choices({data, size});
  const std::uint8_t ways = choices.byte();
  // Two bytes of length before each certificate; the first ones are anchors.
  x509::TrustAnchors anchors;
  std::vector<Bytes> chain;
  const std::size_t trusted = ways & 3U;
  for (std::size_t i = 0; !choices.empty() && i < 12; ++i) {
    const Bytes der = choices.bytes(std::size_t{choices.byte()} << 8U | choices.byte());
    if (i < trusted) {
      (void)anchors.add(der);
    } else {
      chain.push_back(der);
    }
  }
  if (chain.empty()) return 0;
  static const Provider provider = fake::provider();
  const x509::PeerName name = x509::PeerName::dns("example.com").value();
  // Its hash, as if collisions were hard to find: here they do no harm.
  static const Hash hash = [] {
    Hash copy = *provider.hash(HashAlgorithm::sha256);
    copy.insecure = false;
    return copy;
  }();
  static const Provider remembering = [] {
    Provider copy = provider;
    copy.hashes = {&hash};
    return copy;
  }();
  const auto judge = [&](x509::VerifiedLinks* links = nullptr) {
    return x509::verify({.provider = links == nullptr ? provider : remembering,
                         .anchors = anchors,
                         .chain = chain,
                         .peer = (ways & 4U) != 0 ? Role::client : Role::server,
                         .name = (ways & 16U) != 0 ? x509::PeerName(x509::NoNameCheck{}) : name,
                         .time = 1'780'272'000,
                         .policy = (ways & 8U) != 0 ? x509::Policy::web_pki() : x509::Policy{},
                         .verified = links});
  };
  const auto verdict = judge();
  fuzzing::require(verdict.code == judge().code, "the same chain has the same verdict");
  x509::VerifiedLinks links(1);
  for (int i = 0; i < 2; ++i)
    fuzzing::require(verdict.code == judge(&links).code, "what is remembered changes no verdict");
  return 0;
}
