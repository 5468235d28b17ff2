#include "chains.hpp"

#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <stdexcept>

#include <lockstep/botan.hpp>
#include <lockstep/computation.hpp>
#include <lockstep/x509.hpp>
#include <lockstep/x509_pem.hpp>

#include "operations.hpp"

namespace lockstep::bench {
namespace {

constexpr std::size_t kTogether = 8;
constexpr std::size_t kProofSize = 130;  // what a server signs, with SHA-256

class Ours {
 public:
  Ours(const Provider& provider, const Certificates& certificates, const Proof& proof, Help help)
      : provider_(provider),
        leaf_(certificates.server.leaf),
        intermediate_(certificates.server.intermediate),
        proof_(proof) {
    anchors_.add(certificates.root).value();
    if (help == Help::prepared) anchors_.prepare(provider_);
    if (help == Help::remembered) links_ = std::make_unique<x509::VerifiedLinks>();
  }
  void judge() { require(x509::verify(request())); }
  /// With the proof of the key, as engines do whose computations are handed out.
  void judge_together(std::size_t count) {
    struct Server {
      explicit Server(x509::VerifyRequest asked) : request(std::move(asked)), verification(request) {}
      x509::VerifyRequest request;
      x509::Verification verification;
      SignatureJob proof;
    };
    std::deque<Server> servers;
    std::vector<SignatureJob*> jobs;
    for (std::size_t i = 0; i < count; ++i) {
      Server& server = servers.emplace_back(request());
      // The engine reads the leaf by itself.
      const auto leaf = x509::Certificate::parse(leaf_).value();
      server.proof = {provider_.verifier(SignatureAlgorithm::ecdsa_sha256, *leaf.key_type()),
                      {leaf.subject_public_key_info(), proof_.message, proof_.signature}};
      for (SignatureJob& job : server.verification.signatures()) jobs.push_back(&job);
      jobs.push_back(&server.proof);
    }
    run_together({}, nullptr, jobs);
    for (Server& server : servers) {
      require(std::move(server.verification).finish());
      if (server.proof.job.result != VerifyResult::valid) throw std::runtime_error("the proof is not valid");
    }
  }

 private:
  [[nodiscard]] x509::VerifyRequest request() const {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return {.provider = provider_,
            .anchors = anchors_,
            .chain = chain_,
            .peer = Role::server,
            .name = x509::PeerName::dns(kServerName).value(),
            .time = now.time_since_epoch().count(),
            .verified = links_.get()};
  }
  static void require(const x509::Verdict& verdict) {
    if (!verdict.ok()) throw std::runtime_error(verdict.text());
  }

  Provider provider_;
  x509::TrustAnchors anchors_;
  Der leaf_;
  Der intermediate_;
  std::array<Bytes, 2> chain_{leaf_, intermediate_};
  Proof proof_;
  std::unique_ptr<x509::VerifiedLinks> links_;
};

bool verifies(const Provider& provider, const Certificates& certificates) {
  const auto root = x509::Certificate::parse(certificates.root).value();
  return provider.verifier(*root.signature_algorithm().algorithm, *root.key_type()) != nullptr;
}

Proof proof_of(const Certificates& certificates) {
  const auto key = x509::load_private_key(botan::provider(), certificates.server.pkcs8);
  if (!key) throw std::runtime_error(key.error().text);
  Proof proof{Der(kProofSize), Der(kMaxSignatureSize)};
  proof.signature.resize(
      (*key)->sign(SignatureScheme::ecdsa_secp256r1_sha256, proof.message, botan::system_random(), proof.signature));
  return proof;
}

}  // namespace

std::vector<Judge> judges(const Certificates& certificates, Help help) {
  std::vector<Judge> out;
  const bool proves = help == Help::one_call || help == Help::together;
  const std::size_t count = help == Help::together ? kTogether : 1;
  const Proof proof = proves ? proof_of(certificates) : Proof();
  for (const NamedProvider& each : lockstep_providers()) {
    if (!verifies(each.provider, certificates)) continue;
    const auto ours = std::make_shared<Ours>(each.provider, certificates, proof, help);
    if (proves) {
      out.push_back({each.key, [ours, count] { ours->judge_together(count); }, count});
    } else {
      out.push_back({each.key, [ours] { ours->judge(); }});
    }
  }
  if (auto theirs = openssl_judge(certificates, proof)) out.push_back({"openssl", std::move(theirs)});
  return out;
}

}  // namespace lockstep::bench
