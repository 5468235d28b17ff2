#include "handshake/identity.hpp"

#include <algorithm>
#include <array>

#include <lockstep/x509_anchors.hpp>
#include <lockstep/x509_certificate.hpp>
#include <lockstep/x509_verify.hpp>

namespace lockstep::handshake {
namespace {

// More schemes than there are: a configuration names each once.
constexpr std::size_t kMostSchemes = 64;

// What a peer does with its key in a suite's handshake.
x509::KeyUsage use_of_key(Role peer, CipherSuite suite) noexcept {
  const auto known = parts(suite);
  return peer == Role::server && known && known->key_exchange == KeyExchangeMethod::rsa
             ? x509::KeyUsage::key_encipherment
             : x509::KeyUsage::digital_signature;
}

void ask_for_verdict(Context& context, Role peer, CipherSuite suite, bool resumed) {
  context.ask(VerifyPeer{.token = {},
                         .peer = peer,
                         .shown = context.peer_shown,
                         .name = peer == Role::server ? *context.expected_name : x509::PeerName(x509::NoNameCheck{}),
                         .now = context.now,
                         .use = use_of_key(peer, suite),
                         .resumed = resumed});
}

}  // namespace

std::optional<PeerVerified> verification_skipped(const Settings& settings) noexcept {
  if (!settings.skip_verification) return std::nullopt;
  return PeerVerified();
}

std::expected<PeerKey, Error> read_leaf(Context& context, std::span<const Bytes> chain) noexcept {
  context.peer_chain = chain;
  const auto leaf = x509::Certificate::parse(chain.front());
  if (!leaf) return context.fail(Reason::certificate_malformed);
  if (!leaf->key_type()) return context.fail(Reason::certificate_type);
  const bool is_rsa = *leaf->key_type() == KeyType::rsa || *leaf->key_type() == KeyType::rsa_pss;
  if (context.settings().profile == Profile::fips && is_rsa && leaf->public_key().bits < kApprovedRsaBits)
    return context.fail(Reason::certificate_weak, static_cast<std::uint16_t>(x509::Code::ee_key_too_small));
  const auto& usage = leaf->key_usage();
  return PeerKey{.subject_public_key_info = leaf->subject_public_key_info(),
                 .type = *leaf->key_type(),
                 .only_algorithm = leaf->public_key().only_algorithm,
                 .may_encipher = !usage || usage->has(x509::KeyUsage::key_encipherment)};
}

bool verifies_on_resumption(const Settings& settings, const Session& session) noexcept {
  // A client that skips verification has nobody to ask. A server has no opinion of a client that showed nothing.
  if (settings.skip_verification) return false;
  // One who was accepted with a reserve is nobody's finding but that connection's.
  return session.unverified || (settings.verify_on_resumption && session.peer_verified);
}

bool can_be_verified(const Settings& settings, const Session& session) noexcept {
  return !verifies_on_resumption(settings, session) || (session.peer != nullptr && !session.peer->chain.empty());
}

void ask_about_peer(Context& context, Role peer) {
  PeerCertificates shown;
  shown.chain.reserve(context.peer_chain.size());
  for (const Bytes der : context.peer_chain) shown.chain.emplace_back(der.begin(), der.end());
  shown.ocsp_response.assign(context.peer_ocsp_response.begin(), context.peer_ocsp_response.end());
  shown.sct_list.assign(context.peer_sct_list.begin(), context.peer_sct_list.end());
  context.peer_shown = std::make_shared<const PeerCertificates>(std::move(shown));
  ask_for_verdict(context, peer, context.agreed.suite->suite, false);
}

void ask_about_session(Context& context, const Session& session, Role peer) {
  context.peer_shown = session.peer;
  ask_for_verdict(context, peer, session.suite, true);
}

std::shared_ptr<const PeerCertificates> peer_to_keep(const Context& context) {
  // Who has to be judged again, or to be known again when the connection is renegotiated.
  const bool again = context.settings().verify_on_resumption || context.agreed.unverified;
  const Settings& settings = context.settings();
  const bool renegotiates =
      settings.renegotiation != Renegotiation::never && context.agreed.version == ProtocolVersion::tls_1_2;
  if (!again && !renegotiates) return nullptr;
  return context.resumed_session != nullptr ? context.resumed_session->peer : context.peer_shown;
}

std::expected<std::span<const SignatureScheme>, Error> keep_for_handshake(
    Context& context, const codec::CodePoints<SignatureScheme>& list) noexcept {
  const auto kept = context.arena.array<SignatureScheme>(list.size());
  if (kept.size() != list.size()) return context.fail(Reason::handshake_too_large);
  const auto end = std::ranges::copy_if(list, kept.begin(), [](SignatureScheme scheme) {
                     const auto known = parts(scheme);
                     return !known || !known->certificates_only;
                   }).out;
  return kept.first(static_cast<std::size_t>(end - kept.begin()));
}

bool usable_scheme_in_tls12(SignatureScheme scheme) noexcept {
  const auto known = parts(scheme);
  if (!known) return false;
  const KeyType key = known->key;
  return is_nist_curve(key) || key == KeyType::rsa || key == KeyType::rsa_pss || key == KeyType::ed25519 ||
         key == KeyType::ed448;
}

SignatureChecked check_in_place(const SignatureToCheck& signature) noexcept {
  VerifyJob job = signature.job;
  verify(*signature.verifier, job);
  return SignatureChecked(job.result);
}

std::expected<SignatureToCheck, Error> signature_to_check(Context& context, const PeerKey& key, bool fits,
                                                          SignatureScheme algorithm, Bytes content,
                                                          Bytes signature) noexcept {
  const auto detail = static_cast<std::uint16_t>(algorithm);
  // RFC 9846 4.5.2: "If the CertificateVerify message is sent by a server, the signature algorithm MUST be one offered
  // in the client's "signature_algorithms" extension"; "If sent by a client, the signature algorithm used in the
  // signature MUST be one of those present in the supported_signature_algorithms field of the
  // "signature_algorithms" extension in the CertificateRequest message."
  if (std::ranges::find(context.settings().schemes, algorithm) == context.settings().schemes.end())
    return context.fail(Reason::scheme_not_offered, detail);
  const auto scheme = parts(algorithm);
  if (!scheme || !fits) return context.fail(Reason::scheme_wrong_key, detail);
  // RFC 9846 4.3.3: "If the corresponding public key's parameters are present, then the parameters in the signature
  // MUST be identical to those in the public key."
  if (key.only_algorithm && *key.only_algorithm != scheme->algorithm)
    return context.fail(Reason::scheme_wrong_key, detail);
  const SignatureVerifier* verifier = context.config().provider().verifier(scheme->algorithm, key.type);
  if (verifier == nullptr) return context.fail(Reason::scheme_wrong_key, detail);
  SignatureToCheck check{algorithm, verifier, {key.subject_public_key_info, content, signature}};
  for (const auto& known : context.settings().known_peers) {
    if (!equal(known->subject_public_key_info(), key.subject_public_key_info)) continue;
    check.prepared = known->find(*verifier);
    check.job.prepared = check.prepared.get();
    break;
  }
  return check;
}

std::expected<VerifiedSignature, Error> conclude(Context& context, const PeerVerified& /*accepted*/,
                                                 SignatureScheme scheme, const SignatureChecked& checked) noexcept {
  const auto detail = static_cast<std::uint16_t>(scheme);
  switch (checked.result()) {
    case VerifyResult::valid: break;
    case VerifyResult::bad_key: return context.fail(Reason::certificate_malformed);
    // RFC 9846 4.5.2: "If the verification fails, the receiver MUST terminate the handshake with a "decrypt_error"
    // alert."
    case VerifyResult::invalid: return context.fail(Reason::signature_invalid, detail);
    case VerifyResult::failed: return context.fail(Reason::provider_failed, detail);
  }
  context.agreed.peer_scheme = scheme;
  return VerifiedSignature();
}

std::optional<SignatureScheme> choose_scheme(const Context& context, const Credential& credential) noexcept {
  // RFC 9846 4.5.1.2: "The end-entity certificate MUST allow the key to be used for signing with a signature scheme
  // indicated in the peer's "signature_algorithms" extension (see Section 4.3.3). That is, ... the public key (with
  // associated restrictions) MUST be compatible with some supported signature scheme."
  for (const SignatureScheme scheme : credential.schemes) {
    const auto known = parts(scheme);
    if (known && !known->certificates_only &&
        std::ranges::find(context.shared_schemes, scheme) != context.shared_schemes.end())
      return scheme;
  }
  return std::nullopt;
}

Status share_schemes(Context& context, std::span<const SignatureScheme> peer_schemes) noexcept {
  // One pass over the peer's list, which may be long and repeat itself, marks ours.
  const auto& ours = context.settings().own_schemes();
  std::array<bool, kMostSchemes> named{};
  for (const SignatureScheme scheme : peer_schemes) {
    const auto at = std::ranges::find(ours, scheme);
    if (at != ours.end()) named[static_cast<std::size_t>(at - ours.begin())] = true;
  }
  const auto shared = context.arena.array<SignatureScheme>(ours.size());
  if (shared.size() != ours.size()) return context.fail(Reason::handshake_too_large);
  std::size_t count = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (named[i]) shared[count++] = ours[i];
  }
  context.shared_schemes = shared.first(count);
  return {};
}

}  // namespace lockstep::handshake
