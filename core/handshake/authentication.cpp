#include "handshake/authentication.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <lockstep/x509_certificate.hpp>

namespace lockstep::handshake {
namespace {

// Of our Certificate: the message, its records with half as much again behind them, and for the smallest records what
// protects each.
constexpr std::size_t kCopiesOfOurs = 4;

// More schemes than there are: a configuration names each once.
constexpr std::size_t kMostSchemes = 64;

// RFC 9846 4.5.2: "The digital signature is then computed over the concatenation of: A string that consists of octet 32
// (0x20) repeated 64 times ... The context string ... A single 0 byte which serves as the separator ... The content to
// be signed".
constexpr std::size_t kPadding = 64;
constexpr std::string_view kServerContext = "TLS 1.3, server CertificateVerify";
constexpr std::string_view kClientContext = "TLS 1.3, client CertificateVerify";

std::expected<Bytes, Error> signed_content(Context& context, Role signer) noexcept {
  const auto hash = context.transcript_hash();
  if (!hash) return std::unexpected(hash.error());
  const std::string_view text = signer == Role::server ? kServerContext : kClientContext;
  const auto content = context.scratch(kPadding + text.size() + 1 + hash->view().size());
  if (!content) return std::unexpected(content.error());
  auto place = std::ranges::fill(content->first(kPadding), std::uint8_t{0x20});
  place = std::ranges::copy(as_bytes(text), place).out;
  *place++ = 0;
  std::ranges::copy(hash->view(), place);
  return *content;
}

void ask_for_verdict(Context& context, Role peer, bool resumed) {
  context.ask(VerifyPeer{.token = {},
                         .peer = peer,
                         .shown = context.peer_shown,
                         .name = peer == Role::server ? *context.expected_name : x509::PeerName(x509::NoNameCheck{}),
                         .now = context.now,
                         .resumed = resumed});
}

}  // namespace

std::optional<PeerVerified> verification_skipped(const Settings& settings) noexcept {
  if (!settings.skip_verification) return std::nullopt;
  return PeerVerified();
}

std::expected<PeerKey, Error> read_chain(Context& context, const codec::Certificate& message) noexcept {
  const std::span<Bytes> chain = context.arena.array<Bytes>(message.certificate_list.size());
  if (chain.empty()) return context.fail(Reason::handshake_too_large);
  std::size_t count = 0;
  for (const codec::CertificateEntry& entry : message.certificate_list) chain[count++] = entry.cert_data;
  context.peer_chain = chain;
  // RFC 9846 4.5.1.1 allows staples for every certificate. The leaf's are told: they are what others verify too.
  const codec::CertificateEntry end_entity = *message.certificate_list.begin();
  context.peer_ocsp_response = end_entity.ocsp_response().value_or(Bytes());
  context.peer_sct_list = end_entity.signed_certificate_timestamps().value_or(Bytes());

  const auto leaf = x509::Certificate::parse(chain.front());
  if (!leaf) return context.fail(Reason::certificate_malformed);
  if (!leaf->key_type()) return context.fail(Reason::certificate_type);
  return PeerKey{leaf->subject_public_key_info(), *leaf->key_type(), leaf->public_key().only_algorithm};
}

bool verifies_on_resumption(const Settings& settings, const Session& session) noexcept {
  // A client that skips verification has nobody to ask. A server has no opinion of a client that showed nothing.
  return settings.verify_on_resumption && !settings.skip_verification && session.peer_verified;
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
  ask_for_verdict(context, peer, false);
}

void ask_about_session(Context& context, const Session& session, Role peer) {
  context.peer_shown = session.peer;
  ask_for_verdict(context, peer, true);
}

std::shared_ptr<const PeerCertificates> peer_to_keep(const Context& context) {
  if (!context.settings().verify_on_resumption) return nullptr;
  return context.resumed_session != nullptr ? context.resumed_session->peer : context.peer_shown;
}

std::expected<VerifiedSignature, Error> verify_signature(Context& context, const PeerKey& key,
                                                         const PeerVerified& /*accepted*/, Role signer,
                                                         const codec::CertificateVerify& message) {
  const auto detail = static_cast<std::uint16_t>(message.algorithm);
  // RFC 9846 4.5.2: "If the CertificateVerify message is sent by a server, the signature algorithm MUST be one offered
  // in the client's "signature_algorithms" extension"; "If sent by a client, the signature algorithm used in the
  // signature MUST be one of those present in the supported_signature_algorithms field of the
  // "signature_algorithms" extension in the CertificateRequest message."
  if (std::ranges::find(context.settings().schemes, message.algorithm) == context.settings().schemes.end())
    return context.fail(Reason::scheme_not_offered, detail);
  // RFC 9846 4.5.2: "the signature algorithm MUST be compatible with the key in the sender's end-entity certificate."
  const auto scheme = parts(message.algorithm);
  // RFC 9846 4.3.3: "If the public key is carried in an X.509 certificate, it MUST use the rsaEncryption OID ... it
  // MUST use the RSASSA-PSS OID": a key type each.
  if (!scheme || scheme->key != key.type) return context.fail(Reason::scheme_wrong_key, detail);
  // RFC 9846 4.3.3: "If the corresponding public key's parameters are present, then the parameters in the signature
  // MUST be identical to those in the public key."
  if (key.only_algorithm && *key.only_algorithm != scheme->algorithm)
    return context.fail(Reason::scheme_wrong_key, detail);
  const SignatureVerifier* verifier = context.config.provider().verifier(scheme->algorithm, scheme->key);
  if (verifier == nullptr) return context.fail(Reason::provider_failed, detail);

  const auto content = signed_content(context, signer);
  if (!content) return std::unexpected(content.error());
  // RFC 9846 4.5.2: "The receiver of a CertificateVerify message MUST verify the signature field."
  switch (verifier->verify(key.subject_public_key_info, *content, message.signature)) {
    case VerifyResult::valid: break;
    case VerifyResult::bad_key: return context.fail(Reason::certificate_malformed);
    // RFC 9846 4.5.2: "If the verification fails, the receiver MUST terminate the handshake with a "decrypt_error"
    // alert."
    case VerifyResult::invalid: return context.fail(Reason::signature_invalid, detail);
    case VerifyResult::failed: return context.fail(Reason::provider_failed, detail);
  }
  context.agreed.peer_scheme = message.algorithm;
  return VerifiedSignature();
}

std::expected<VerifiedFinished, Error> verify_finished(Context& context, const DigestSecret& base_key,
                                                       const codec::Finished& message) noexcept {
  const auto hash = context.transcript_hash();
  if (!hash) return std::unexpected(hash.error());
  const auto expected = key_schedule::finished_verify_data(context.transcript.hash(), base_key, *hash);
  if (!expected) return context.fail(Reason::provider_failed);
  // RFC 9846 4.5.3: "Recipients of Finished messages MUST verify that the contents are correct and if incorrect MUST
  // terminate the connection with a "decrypt_error" alert."
  if (!constant_time_equal(expected->view(), message.verify_data)) return context.fail(Reason::finished_mismatch);
  context.peer_finished = message.verify_data;
  return VerifiedFinished();
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

Status share_schemes(Context& context, const codec::CodePoints<SignatureScheme>& peer_schemes) noexcept {
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

void send_certificate(Context& context, const Credential* credential, StaplesRequested requested) noexcept {
  std::span<Bytes> chain;
  Bytes ocsp_response;
  Bytes sct_list;
  if (credential != nullptr) {
    // RFC 9846 4.5.1: "Extensions in the Certificate message from the server MUST correspond to ones from the
    // ClientHello message. Extensions in the Certificate message from the client MUST correspond to extensions in the
    // CertificateRequest message from the server."
    if (requested.ocsp_response) ocsp_response = credential->ocsp_response;
    if (requested.sct_list) sct_list = credential->sct_list;
    // RFC 9846 4.5.1: "The sender's certificate MUST come in the first CertificateEntry in the list."
    chain = context.arena.array<Bytes>(credential->chain.size());
    if (chain.size() != credential->chain.size()) return context.stop(Reason::handshake_too_large);
    std::ranges::transform(credential->chain, chain.begin(), [](const auto& der) { return Bytes(der); });
  }
  // The context is empty in the handshake (RFC 9846 4.5.1).
  const codec::CertificateParameters message{.certificate_request_context = {},
                                             .chain = chain,
                                             .ocsp_response = ocsp_response,
                                             .signed_certificate_timestamps = sct_list};
  const std::size_t size = codec::certificate_message_size(message);
  // The bound is on what a peer can make us keep. How long our certificate is, is not its doing.
  if (credential != nullptr) context.arena.raise_limit(kCopiesOfOurs * size);
  context.send(Level::handshake, size,
               [&](codec::Writer& writer) { return codec::encode_certificate(writer, message); });
}

void ask_signature(Context& context, std::shared_ptr<const Credential> credential, SignatureScheme scheme,
                   Role signer) {
  const auto content = signed_content(context, signer);
  if (!content) return context.stop(content.error());
  context.agreed.own_scheme = scheme;
  context.ask(Sign{.token = {},
                   .scheme = scheme,
                   .credential = std::move(credential),
                   .message = {content->begin(), content->end()}});
}

void send_certificate_verify(Context& context, SignatureScheme scheme, Bytes signature) noexcept {
  context.send(Level::handshake, codec::kHandshakeHeaderSize + 4 + signature.size(), [&](codec::Writer& writer) {
    return codec::encode_certificate_verify(writer, {.algorithm = scheme, .signature = signature});
  });
}

void send_finished(Context& context, const DigestSecret& base_key) noexcept {
  const auto hash = context.transcript_hash();
  if (!hash) return context.stop(hash.error());
  const auto verify_data = key_schedule::finished_verify_data(context.transcript.hash(), base_key, *hash);
  if (!verify_data) return context.stop(Reason::provider_failed);
  const Bytes message = context.send(
      Level::handshake, codec::kHandshakeHeaderSize + verify_data->view().size(),
      [&](codec::Writer& writer) { return codec::encode_finished(writer, {.verify_data = verify_data->view()}); });
  if (!message.empty()) context.own_finished = message.subspan(codec::kHandshakeHeaderSize);
}

}  // namespace lockstep::handshake
