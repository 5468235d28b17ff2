#include "chains.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>

#include <lockstep/x509.hpp>

#include "operations.hpp"

namespace lockstep::bench {
namespace {

class Ours {
 public:
  Ours(const Provider& provider, const Certificates& certificates, Help help)
      : provider_(provider), leaf_(certificates.server.leaf), intermediate_(certificates.server.intermediate) {
    anchors_.add(certificates.root).value();
    if (help == Help::prepared) anchors_.prepare(provider_);
    if (help == Help::remembered) links_ = std::make_unique<x509::VerifiedLinks>();
  }
  void judge() {
    const std::array<Bytes, 2> chain{leaf_, intermediate_};
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto verdict = x509::verify({.provider = provider_,
                                       .anchors = anchors_,
                                       .chain = chain,
                                       .peer = Role::server,
                                       .name = x509::PeerName::dns(kServerName).value(),
                                       .time = now.time_since_epoch().count(),
                                       .verified = links_.get()});
    if (!verdict.ok()) throw std::runtime_error(verdict.text());
  }

 private:
  Provider provider_;
  x509::TrustAnchors anchors_;
  Der leaf_;
  Der intermediate_;
  std::unique_ptr<x509::VerifiedLinks> links_;
};

bool verifies(const Provider& provider, const Certificates& certificates) {
  const auto root = x509::Certificate::parse(certificates.root).value();
  return provider.verifier(*root.signature_algorithm().algorithm, *root.key_type()) != nullptr;
}

}  // namespace

std::vector<Judge> judges(const Certificates& certificates, Help help) {
  std::vector<Judge> out;
  for (const NamedProvider& each : lockstep_providers()) {
    if (!verifies(each.provider, certificates)) continue;
    const auto ours = std::make_shared<Ours>(each.provider, certificates, help);
    out.push_back({each.key, [ours] { ours->judge(); }});
  }
  if (auto theirs = openssl_judge(certificates)) out.push_back({"openssl", std::move(theirs)});
  return out;
}

}  // namespace lockstep::bench
