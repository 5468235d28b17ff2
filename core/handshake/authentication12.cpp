#include "handshake/authentication12.hpp"

#include <algorithm>
#include <utility>

#include "key_schedule/key_log.hpp"

namespace lockstep::handshake {

namespace tls12 = key_schedule::tls12;

std::expected<Bytes, Error> MessageLog::joined(Context& context) const noexcept {
  std::size_t size = 0;
  for (const Bytes message : messages_) size += message.size();
  const auto all = context.scratch(size);
  if (!all) return std::unexpected(all.error());
  auto place = all->begin();
  for (const Bytes message : messages_) place = std::ranges::copy(message, place).out;
  return *all;
}

void note_message(Context& context, MessageLog& messages) noexcept {
  context.hash_message();
  messages.add(context.message);
}

std::expected<Derived12, Error> derive_keys(Context& context, MasterSecret&& master) noexcept {
  const BoundSuite& suite = *context.agreed.suite;
  auto block =
      tls12::key_block(*suite.hash, master, context.client_random, context.server_random, tls12::key_sizes(suite));
  if (!block) return context.fail(Reason::provider_failed);
  context.log_secret(key_schedule::key_log::kClientRandom, DigestSecret(master.view()));
  return Derived12{std::move(master), std::move(*block)};
}

std::expected<Derived12, Error> derive_keys(Context& context, Bytes premaster) noexcept {
  const Hash& hash = *context.agreed.suite->hash;
  // RFC 7627 5.2: "If the client and server choose to continue a full handshake without the extension, they MUST use
  // the standard master secret derivation for the new session." With it the secret covers all messages, so that two
  // connections cannot have the same one (the triple handshake).
  auto master = [&]() -> std::optional<MasterSecret> {
    if (!context.agreed.extended_main_secret)
      return tls12::master_secret(hash, premaster, context.client_random, context.server_random);
    const auto session_hash = context.transcript.digest();
    if (!session_hash) return std::nullopt;
    return tls12::extended_master_secret(hash, premaster, *session_hash);
  }();
  if (!master) return context.fail(Reason::provider_failed);
  return derive_keys(context, std::move(*master));
}

void keep_secrets(Context& context, Derived12&& derived) noexcept {
  auto& secrets = context.secrets.emplace<Secrets12>(DigestSecret(derived.master.view()), context.client_random,
                                                     context.server_random);
  // What a rewriter has sent in place of ours may be of any length.
  const auto keep = [](Bytes verify_data, tls12::VerifyData& kept) {
    std::ranges::copy(verify_data.first(std::min(verify_data.size(), kept.size())), kept.begin());
  };
  const bool client = context.config().role() == Role::client;
  keep(context.own_finished, client ? secrets.client_finished : secrets.server_finished);
  keep(context.peer_finished, client ? secrets.server_finished : secrets.client_finished);
  derived.master.clear();
}

namespace {

Keys12 keys_of(const Context& context, const Derived12& derived, Role sender) noexcept {
  const auto& block = derived.block;
  if (sender == Role::client)
    return {*context.agreed.suite, block.client_key.view(), block.client_iv.view(), block.client_mac.view(),
            context.agreed.encrypt_then_mac};
  return {*context.agreed.suite, block.server_key.view(), block.server_iv.view(), block.server_mac.view(),
          context.agreed.encrypt_then_mac};
}

Role peer_of(const Context& context) noexcept {
  return context.config().role() == Role::client ? Role::server : Role::client;
}

}  // namespace

void change_write_key(Context& context, const Derived12& derived) noexcept {
  context.install(Level::application, Direction::send, keys_of(context, derived, context.config().role()));
}

void change_read_key(Context& context, const Derived12& derived) noexcept {
  context.install(Level::application, Direction::receive, keys_of(context, derived, peer_of(context)));
}

void send_finished12(Context& context, const Derived12& derived) noexcept {
  const auto hash = context.transcript_hash();
  if (!hash) return context.stop(hash.error());
  const auto verify_data =
      tls12::verify_data(*context.agreed.suite->hash, derived.master, context.config().role(), *hash);
  if (!verify_data) return context.stop(Reason::provider_failed);
  const Bytes message = context.send(
      Level::application, codec::kHandshakeHeaderSize + verify_data->size(),
      [&](codec::Writer& writer) { return codec::encode_finished(writer, {.verify_data = *verify_data}); });
  if (!message.empty()) context.own_finished = message.subspan(codec::kHandshakeHeaderSize);
}

std::expected<VerifiedFinished, Error> verify_finished12(Context& context, const Derived12& derived,
                                                         const codec::Finished& message) noexcept {
  const auto hash = context.transcript_hash();
  if (!hash) return std::unexpected(hash.error());
  const auto expected = tls12::verify_data(*context.agreed.suite->hash, derived.master, peer_of(context), *hash);
  if (!expected) return context.fail(Reason::provider_failed);
  // RFC 5246 7.4.9: "Recipients of Finished messages MUST verify that the contents are correct."
  if (!constant_time_equal(*expected, message.verify_data)) return context.fail(Reason::finished_mismatch);
  context.peer_finished = message.verify_data;
  return VerifiedFinished();
}

void send_certificate12(Context& context, MessageLog& messages, const Credential* credential) noexcept {
  std::span<Bytes> chain;
  if (credential != nullptr) {
    chain = context.arena.array<Bytes>(credential->chain.size());
    if (chain.size() != credential->chain.size()) return context.stop(Reason::handshake_too_large);
    std::ranges::transform(credential->chain, chain.begin(), [](const auto& der) { return Bytes(der); });
  }
  const codec::Certificate12Parameters message{.chain = chain};
  const std::size_t size = codec::certificate12_message_size(message);
  // The bound is on what a peer can make us keep. How long our certificate is, is not its doing.
  if (credential != nullptr) context.arena.raise_limit(kCopiesOfOurCertificate * size);
  send_noted(context, messages, size,
             [&](codec::Writer& writer) { return codec::encode_certificate12(writer, message); });
}

std::expected<PeerKey, Error> read_chain12(Context& context, const codec::Certificate12& message) noexcept {
  const std::span<Bytes> chain = context.arena.array<Bytes>(message.certificate_list.size());
  if (chain.empty()) return context.fail(Reason::handshake_too_large);
  std::size_t count = 0;
  for (const auto& certificate : message.certificate_list) chain[count++] = certificate;
  return read_leaf(context, chain);
}

std::expected<Bytes, Error> signed_parameters(Context& context, Bytes parameters) noexcept {
  const auto content = context.scratch(2 * codec::kRandomSize + parameters.size());
  if (!content) return std::unexpected(content.error());
  auto place = std::ranges::copy(context.client_random, content->begin()).out;
  place = std::ranges::copy(context.server_random, place).out;
  std::ranges::copy(parameters, place);
  return *content;
}

std::expected<SignatureToCheck, Error> read_signature12(Context& context, const PeerKey& key,
                                                        const codec::DigitallySigned& signature,
                                                        Bytes content) noexcept {
  const auto scheme = parts(signature.algorithm);
  // RFC 8446 brought curves into the names of schemes; before it, they said ECDSA and a hash alone. Which curves may
  // be used, groups say: of brainpool's those that are named (RFC 7027).
  const auto curve = curve_of(key.type);
  const bool on_curve = is_nist_curve(key.type) || (curve && context.config().group(*curve) != nullptr);
  const bool fits = usable_scheme_in_tls12(signature.algorithm) &&
                    (scheme->key == key.type || (is_nist_curve(scheme->key) && on_curve));
  return signature_to_check(context, key, fits, signature.algorithm, content, signature.signature);
}

void ask_signature12(Context& context, std::shared_ptr<const Credential> credential, SignatureScheme scheme,
                     Bytes content) {
  const auto brainpool = std::ranges::find(kBrainpoolSchemes, scheme, &BrainpoolScheme::of_key);
  context.agreed.own_scheme = brainpool == kBrainpoolSchemes.end() ? scheme : brainpool->named;
  context.ask(Sign{
      .token = {}, .scheme = scheme, .credential = std::move(credential), .message = {content.begin(), content.end()}});
}

Status share_schemes12(Context& context, std::span<const SignatureScheme> usable) noexcept {
  if (auto shared = share_schemes(context, usable); !shared) return shared;
  const auto& ours = context.settings().own_schemes();
  const auto all = context.arena.array<SignatureScheme>(context.shared_schemes.size() + kBrainpoolSchemes.size());
  if (all.empty()) return context.fail(Reason::handshake_too_large);
  auto end = std::ranges::copy(context.shared_schemes, all.begin()).out;
  for (const BrainpoolScheme& scheme : kBrainpoolSchemes) {
    const auto has = [](const auto& list, SignatureScheme id) { return std::ranges::find(list, id) != list.end(); };
    if (has(usable, scheme.of_key) && has(ours, scheme.named) && !has(context.shared_schemes, scheme.of_key))
      *end++ = scheme.of_key;
  }
  context.shared_schemes = all.first(static_cast<std::size_t>(end - all.begin()));
  return {};
}

std::optional<SignatureScheme> choose_scheme12(const Context& context, const Credential& credential) noexcept {
  for (const SignatureScheme scheme : credential.schemes) {
    if (std::ranges::find(context.shared_schemes, scheme) != context.shared_schemes.end()) return scheme;
  }
  return std::nullopt;
}

SuiteAuthentication authentication_of(KeyType key) noexcept {
  return key == KeyType::rsa || key == KeyType::rsa_pss ? SuiteAuthentication::rsa : SuiteAuthentication::ecdsa;
}

bool authenticates(const BoundSuite& suite, KeyType key) noexcept {
  // RFC 5246 7.4.2 has RSA key exchange take keys that may encrypt. One of RSASSA-PSS signs, and does nothing else.
  if (suite.key_exchange == KeyExchangeMethod::rsa || suite.key_exchange == KeyExchangeMethod::rsa_psk)
    return key == KeyType::rsa;
  return suite.authentication == authentication_of(key);
}

SuiteAuthentication authentication_of(SignatureScheme scheme) noexcept {
  const auto known = parts(scheme);
  return known ? authentication_of(known->key) : SuiteAuthentication::any;
}

}  // namespace lockstep::handshake
