#include "handshake/authentication13.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "handshake/computation.hpp"
#include "key_schedule/key_log.hpp"

namespace lockstep::handshake {
namespace {

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

}  // namespace

std::expected<key_schedule::HandshakeSecrets, Error> derive_handshake_secrets(
    Context& context, std::optional<key_schedule::EarlySecret>&& early, Bytes shared_secret) noexcept {
  auto secret = early ? std::move(*early).handshake_secret(shared_secret)
                      : key_schedule::HandshakeSecret::without_psk(*context.agreed.suite->hash, shared_secret);
  const auto transcript = context.transcript_hash();
  if (!secret || !transcript) return context.fail(Reason::provider_failed);
  auto secrets = std::move(*secret).derive(*transcript);
  if (!secrets) return context.fail(Reason::provider_failed);
  context.log_secret(key_schedule::key_log::kClientHandshakeTrafficSecret, secrets->traffic.client);
  context.log_secret(key_schedule::key_log::kServerHandshakeTrafficSecret, secrets->traffic.server);
  return std::move(*secrets);
}

std::expected<PeerKey, Error> read_chain(Context& context, const codec::Certificate& message) noexcept {
  const std::span<Bytes> chain = context.arena.array<Bytes>(message.certificate_list.size());
  if (chain.empty()) return context.fail(Reason::handshake_too_large);
  std::size_t count = 0;
  for (const codec::CertificateEntry& entry : message.certificate_list) chain[count++] = entry.cert_data;
  // RFC 9846 4.5.1.1 allows staples for every certificate. The leaf's are told: they are what others verify too.
  const codec::CertificateEntry end_entity = *message.certificate_list.begin();
  context.peer_ocsp_response = end_entity.ocsp_response().value_or(Bytes());
  context.peer_sct_list = end_entity.signed_certificate_timestamps().value_or(Bytes());

  return read_leaf(context, chain);
}

std::expected<SignatureToCheck, Error> read_signature(Context& context, const PeerKey& key, Role signer,
                                                      const codec::CertificateVerify& message) noexcept {
  const auto detail = static_cast<std::uint16_t>(message.algorithm);
  // RFC 9846 4.5.2: "the signature algorithm MUST be compatible with the key in the sender's end-entity certificate."
  const auto scheme = parts(message.algorithm);
  // PKCS#1 stands in our list for certificates and for TLS 1.2.
  if (scheme && scheme->certificates_only) return context.fail(Reason::scheme_not_offered, detail);
  const auto content = signed_content(context, signer);
  if (!content) return std::unexpected(content.error());
  // RFC 9846 4.3.3: "If the public key is carried in an X.509 certificate, it MUST use the rsaEncryption OID ... it
  // MUST use the RSASSA-PSS OID": a key type each.
  const bool fits = scheme && scheme->key == key.type;
  // RFC 9846 4.5.2: "The receiver of a CertificateVerify message MUST verify the signature field."
  return signature_to_check(context, key, fits, message.algorithm, *content, message.signature);
}

void look_at_proof(Context& context, const PeerKey& key, Bytes body) {
  const auto message = codec::CertificateVerify::decode(body);
  if (!message) return;
  context.place = Place::certificate_verify;
  const Role signer = context.config().role() == Role::client ? Role::server : Role::client;
  const auto signature = read_signature(context, key, signer, *message);
  if (signature) ask_to_verify(context, *signature);
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

std::expected<std::span<const CertificateCompressionAlgorithm>, Error> decompressed_here(Context& context) noexcept {
  const auto& codecs = context.settings().certificate_codecs;
  const auto algorithms = context.arena.array<CertificateCompressionAlgorithm>(codecs.size());
  if (algorithms.size() != codecs.size()) return context.fail(Reason::handshake_too_large);
  std::size_t count = 0;
  for (const CertificateCodec& codec : codecs) {
    if (codec.decompress != nullptr) algorithms[count++] = codec.algorithm;
  }
  return algorithms.first(count);
}

std::expected<codec::Certificate, Error> decompress(Context& context,
                                                    const codec::CompressedCertificate& message) noexcept {
  const auto& codecs = context.settings().certificate_codecs;
  // RFC 8879 4: "If the peer has indicated that it supports compression, server and client MAY compress their
  // corresponding Certificate messages"
  if (std::ranges::all_of(codecs, [](const CertificateCodec& codec) { return codec.decompress == nullptr; }))
    return context.fail(Reason::message_unexpected, std::to_underlying(message.type));
  // RFC 8879 4: "The algorithm MUST be one of the algorithms listed in the peer's compress_certificate extension."
  const auto codec = std::ranges::find(codecs, message.algorithm, &CertificateCodec::algorithm);
  if (codec == codecs.end() || codec->decompress == nullptr)
    return context.fail(Reason::compression_not_offered, std::to_underlying(message.algorithm));
  // RFC 8879 5: "in both cases, they MUST apply the same limit as if no compression were used."
  if (message.uncompressed_length > context.settings().max_handshake_message)
    return context.fail(Reason::message_too_long, std::to_underlying(message.type));
  // RFC 8879 5: "Implementations SHOULD bound the memory usage when decompressing the CompressedCertificate message."
  // Ours is what it says, of what a handshake may take, and what the codec needs besides.
  const auto certificate = context.scratch(message.uncompressed_length);
  if (!certificate) return std::unexpected(certificate.error());
  // RFC 8879 4: "If the received CompressedCertificate message cannot be decompressed, the connection MUST be
  // terminated with the "bad_certificate" alert."
  if (!codec->decompress(message.compressed_certificate_message, *certificate))
    return context.fail(Reason::decompression_failed, std::to_underlying(message.algorithm));
  context.agreed.peer_compression = message.algorithm;
  // RFC 8879 5: "After decompression, the Certificate message MUST be processed as if it were encoded without being
  // compressed."
  context.place = Place::certificate;
  return codec::Certificate::decode(*certificate, {.offered = context.offered});
}

namespace {

/// Our Certificate as a codec has it, compressed now or earlier.
std::shared_ptr<const CompressedCertificates::Message> compress(const Settings& settings, const CertificateCodec& codec,
                                                                Bytes certificate) {
  CompressedCertificates& kept = *settings.compressed_certificates;
  if (auto known = kept.find(codec.algorithm, certificate)) return known;
  CompressedCertificates::Message made{
      .algorithm = codec.algorithm, .certificate = {certificate.begin(), certificate.end()}, .compressed = {}};
  // Only where it becomes smaller.
  made.compressed.resize(certificate.size() - 1);
  made.compressed.resize(codec.compress(certificate, made.compressed));
  made.compressed.shrink_to_fit();
  auto message = std::make_shared<const CompressedCertificates::Message>(std::move(made));
  kept.add(message);
  return message;
}

/// Sends it compressed, where the peer and we have an algorithm that makes it smaller.
bool send_compressed(Context& context, const codec::CertificateParameters& message, std::size_t size,
                     const codec::CodePoints<CertificateCompressionAlgorithm>& known_to_peer) {
  std::optional<Bytes> certificate;
  for (const CertificateCodec& codec : context.settings().certificate_codecs) {
    if (codec.compress == nullptr || !known_to_peer.contains(codec.algorithm)) continue;
    if (!certificate) {
      context.arena.raise_limit(size + codec::kCompressedCertificateAdds);
      codec::Writer writer(context.arena.allocate(size, 1));
      const Bytes encoded = codec::encode_certificate(writer, message);
      if (encoded.empty()) return false;
      certificate = encoded.subspan(codec::kHandshakeHeaderSize);
    }
    const auto compressed = compress(context.settings(), codec, *certificate);
    if (compressed->compressed.empty()) continue;
    const codec::CompressedCertificate sent{.algorithm = codec.algorithm,
                                            .uncompressed_length = static_cast<std::uint32_t>(certificate->size()),
                                            .compressed_certificate_message = compressed->compressed};
    context.send(Level::handshake, size + codec::kCompressedCertificateAdds,
                 [&](codec::Writer& writer) { return codec::encode_compressed_certificate(writer, sent); });
    context.agreed.own_compression = codec.algorithm;
    return true;
  }
  return false;
}

}  // namespace

void send_certificate(Context& context, const Credential* credential, const CertificateWanted& wanted) {
  std::span<Bytes> chain;
  Bytes ocsp_response;
  Bytes sct_list;
  if (credential != nullptr) {
    // RFC 9846 4.5.1: "Extensions in the Certificate message from the server MUST correspond to ones from the
    // ClientHello message. Extensions in the Certificate message from the client MUST correspond to extensions in the
    // CertificateRequest message from the server."
    if (wanted.ocsp_response) ocsp_response = credential->ocsp_response;
    if (wanted.sct_list) sct_list = credential->sct_list;
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
  if (credential != nullptr) context.arena.raise_limit(kCopiesOfOurCertificate * size);
  if (credential != nullptr && wanted.compression && send_compressed(context, message, size, *wanted.compression))
    return;
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
