#include "handshake/key_exchange12.hpp"

#include <array>
#include <utility>

#include <lockstep/x509_certificate.hpp>

#include "handshake/negotiation.hpp"

namespace lockstep::handshake {
namespace {

using Form = codec::ClientKeyExchangeParameters::Form;

// RFC 5246 7.4.7.1: "struct { ProtocolVersion client_version; opaque random[46]; } PreMasterSecret;"
constexpr std::size_t kPremasterSize = 48;
using Premaster = Secret<kPremasterSize>;

std::array<std::uint8_t, 2> bytes_of(ProtocolVersion version) noexcept {
  const auto number = static_cast<std::uint16_t>(version);
  return {static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number & 0xffU)};
}

void send_client_key_exchange(Context& context, MessageLog& messages, Bytes exchange, Form form) noexcept {
  send_noted(context, messages, 64 + exchange.size(), [&](codec::Writer& writer) {
    return codec::encode_client_key_exchange(writer, {.exchange = exchange, .form = form});
  });
}

// RFC 8422 5.10: the premaster secret, and our share of it, from the server's.
std::expected<Derived12, Error> answer(Context& context, MessageLog& messages, const PeerKey& /*key*/,
                                       const codec::SignedEcdhe& exchange) noexcept {
  const codec::ServerEcdhParams& params = exchange.params;
  const auto detail = static_cast<std::uint16_t>(params.group);
  const BoundGroup& group = *context.config.group(params.group);
  const auto share = context.scratch(group.server_share_size());
  if (!share) return std::unexpected(share.error());
  SharedSecret premaster;
  WatchedRandom random(context.random);
  switch (encapsulate(group, params.point, random, *share, premaster)) {
    case GroupResult::ok: break;
    case GroupResult::bad_share: return Context::fail_at(Place::server_key_exchange, Reason::key_share_invalid, detail);
    case GroupResult::failed:
      return context.fail(random.failed() ? Reason::random_failed : Reason::provider_failed, detail);
  }
  context.agreed.group = params.group;
  send_client_key_exchange(context, messages, *share, Form::vector8);
  return derive_keys(context, premaster.view());
}

// What a group of a finite field is called, if RFC 7919 has a name for it.
void note_field(Context& context, const FieldGroup& group) noexcept {
  context.agreed.group = named_field(group.parameters).value_or(NamedGroup{});
}

// RFC 5246 7.4.7.2: the same with a finite field.
std::expected<Derived12, Error> answer(Context& context, MessageLog& messages, const PeerKey& /*key*/,
                                       const ShownField& exchange) noexcept {
  const auto share = context.scratch(exchange.group.size());
  if (!share) return std::unexpected(share.error());
  SharedSecret secret;
  context.place = Place::server_key_exchange;
  const auto premaster = answer_share(context, exchange.group, exchange.message.params.dh_Ys, *share, secret);
  if (!premaster) return std::unexpected(premaster.error());
  note_field(context, exchange.group);
  send_client_key_exchange(context, messages, *share, Form::vector16);
  return derive_keys(context, *premaster);
}

std::expected<Derived12, Error> answer(Context& context, MessageLog& messages, const PeerKey& key,
                                       const KeyTransport& /*exchange*/) noexcept {
  const KeyEncryptor* const encryptor = context.config.provider().key_encryptor(key.type);
  if (encryptor == nullptr) return context.fail(Reason::provider_failed);
  Premaster premaster(kPremasterSize);
  if (!context.random.fill(premaster.writable())) return context.fail(Reason::random_failed);
  // RFC 5246 7.4.7.1: "The version number in the PreMasterSecret is the version offered by the client in the
  // ClientHello.client_version, not the version negotiated for the connection."
  std::ranges::copy(bytes_of(ProtocolVersion::tls_1_2), premaster.writable().begin());
  const auto room = context.scratch(kMaxEncryptedKeySize);
  if (!room) return std::unexpected(room.error());
  WatchedRandom random(context.random);
  const std::size_t size = encryptor->encrypt(key.subject_public_key_info, premaster.view(), random, *room);
  if (size == 0) return context.fail(random.failed() ? Reason::random_failed : Reason::certificate_malformed);
  send_client_key_exchange(context, messages, room->first(size), Form::vector16);
  return derive_keys(context, premaster.view());
}

// All bits set where two bytes differ, in constant time.
std::uint8_t mask_of_difference(std::uint32_t difference) noexcept {
  return static_cast<std::uint8_t>(0U - ((difference | (0U - difference)) >> 31U));
}

// The signature that the server proves itself with, and what it is of.
struct SignedPart {
  Bytes parameters;
  const codec::DigitallySigned* signature = nullptr;  // null: none
};
SignedPart signed_part(const KeyTransport& /*exchange*/) noexcept { return {}; }
SignedPart signed_part(const codec::SignedEcdhe& exchange) noexcept {
  return {exchange.params.raw, &exchange.signature};
}
SignedPart signed_part(const ShownField& exchange) noexcept {
  return {exchange.message.params.raw, &exchange.message.signature};
}

std::expected<ServerExchange, Error> read_field_exchange(Context& context,
                                                         const codec::ServerKeyExchange& message) noexcept {
  const auto exchange = codec::decode_signed_dhe(message.body);
  if (!exchange) return std::unexpected(exchange.error());
  const auto group = read_field_group(context, exchange->params);
  if (!group) return std::unexpected(group.error());
  return ShownField{*exchange, *group};
}

// RFC 5246 7.4.3: our key pair in a finite field, and the parameters that get signed.
std::expected<OfferedExchange, Error> offer_field_exchange(Context& context, const codec::ClientHello& hello,
                                                           const Credential& credential) noexcept {
  const auto certificate = x509::Certificate::parse(credential.chain.front());
  const auto group = choose_field_group(context, hello, certificate ? certificate->public_key().bits : 0);
  if (!group) return context.fail(Reason::provider_failed);
  const auto& [p, g] = group->parameters;
  const auto share = context.scratch(group->size());
  const auto room = context.scratch(p.size() + g.size() + group->size() + 6);
  if (!share || !room) return context.fail(Reason::handshake_too_large);
  OfferedExchange offered;
  WatchedRandom random(context.random);
  if (offered.own.emplace<FieldKey>().generate(*group, random, *share) != GroupResult::ok)
    return context.fail(random.failed() ? Reason::random_failed : Reason::provider_failed);
  codec::Writer writer(*room);
  codec::write_dh_params(writer, p, g, *share);
  offered.parameters = writer.written();
  note_field(context, *group);
  return offered;
}

// What a ClientKeyExchange with a point or a number says, as the premaster secret in `secret`.
std::expected<Bytes, Error> agree(Context& context, OwnExchange& own, const codec::ClientKeyExchange& message,
                                  SharedSecret& secret) noexcept {
  if (auto* const key = std::get_if<FieldKey>(&own)) {
    const auto number = codec::decode_dh_public(message.body);
    if (!number) return std::unexpected(number.error());
    return agree(context, std::move(*key), *number, secret);
  }
  const auto point = codec::decode_ecdh_public(message.body);
  if (!point) return std::unexpected(point.error());
  KeyExchange& exchange = std::get<EphemeralKey>(own).exchange.all().front();
  const auto detail = static_cast<std::uint16_t>(exchange.group()->id);
  if (point->size() != exchange.group()->server_share_size()) return context.fail(Reason::key_share_size, detail);
  switch (exchange.decapsulate(*point, secret)) {
    case GroupResult::ok: break;
    case GroupResult::bad_share: return context.fail(Reason::key_share_invalid, detail);
    case GroupResult::failed: return context.fail(Reason::provider_failed, detail);
  }
  return secret.view();
}

}  // namespace

bool has_server_key_exchange(const BoundSuite& suite) noexcept { return suite.key_exchange != KeyExchangeMethod::rsa; }

std::expected<ServerExchange, Error> read_server_exchange(Context& context,
                                                          const codec::ServerKeyExchange& message) noexcept {
  if (context.agreed.suite->key_exchange == KeyExchangeMethod::dhe) return read_field_exchange(context, message);
  const auto exchange = codec::decode_signed_ecdhe(message.body);
  if (!exchange) return std::unexpected(exchange.error());
  const auto detail = static_cast<std::uint16_t>(exchange->params.group);
  const BoundGroup* const group = context.config.group(exchange->params.group);
  // A curve that we have not offered; hybrids are for TLS 1.3, and finite fields have no points.
  if (group == nullptr || !usable_for_ecdhe(*group)) return context.fail(Reason::group_not_offered, detail);
  if (exchange->params.point.size() != group->client_share_size()) return context.fail(Reason::key_share_size, detail);
  return *exchange;
}

std::expected<Authenticated, Error> authenticate_server(Context& context, const PeerKey& key,
                                                        const ServerExchange& exchange,
                                                        const PeerVerified& accepted) noexcept {
  const SignedPart part = std::visit([](const auto& said) { return signed_part(said); }, exchange);
  if (part.signature == nullptr) return Authenticated::by_decryption(accepted);
  context.place = Place::server_key_exchange;
  const auto content = signed_parameters(context, part.parameters);
  if (!content) return std::unexpected(content.error());
  // RFC 5246 7.4.3: "If the client has offered the "signature_algorithms" extension, the signature algorithm and hash
  // algorithm MUST be a pair listed in that extension."
  const auto proof = verify_signature12(context, key, accepted, *part.signature, *content);
  if (!proof) return std::unexpected(proof.error());
  return Authenticated::by_signature(*proof);
}

std::expected<Derived12, Error> answer_exchange(Context& context, MessageLog& messages, const PeerKey& key,
                                                const ServerExchange& exchange) noexcept {
  return std::visit([&](const auto& said) { return answer(context, messages, key, said); }, exchange);
}

std::expected<OfferedExchange, Error> offer_exchange(Context& context, const codec::ClientHello& hello,
                                                     std::shared_ptr<const Credential> credential,
                                                     const BoundGroup* group) noexcept {
  OfferedExchange offered;
  if (!has_server_key_exchange(*context.agreed.suite)) {
    offered.own = OwnKey{std::move(credential), hello.legacy_version};
    return offered;
  }
  if (context.agreed.suite->key_exchange == KeyExchangeMethod::dhe)
    return offer_field_exchange(context, hello, *credential);
  // RFC 8422 5.4: our key pair, and the parameters that get signed.
  auto& exchange = offered.own.emplace<EphemeralKey>().exchange;
  if (!exchange.allocate(context.arena, 1)) return context.fail(Reason::handshake_too_large);
  const auto share = context.scratch(group->client_share_size());
  const auto room = context.scratch(group->client_share_size() + 4);
  if (!share || !room) return context.fail(Reason::handshake_too_large);
  WatchedRandom random(context.random);
  if (exchange.all().front().generate(*group, random, *share) != GroupResult::ok)
    return context.fail(random.failed() ? Reason::random_failed : Reason::provider_failed,
                        static_cast<std::uint16_t>(group->id));
  codec::Writer writer(*room);
  codec::write_ecdh_params(writer, group->id, *share);
  offered.parameters = writer.written();
  context.agreed.group = group->id;
  return offered;
}

std::expected<std::optional<Derived12>, Error> take_exchange(Context& context, MessageLog& messages, OwnExchange& own,
                                                             const codec::ClientKeyExchange& message) noexcept {
  if (const auto* const key = std::get_if<OwnKey>(&own)) {
    const auto encrypted = codec::decode_encrypted_premaster(message.body);
    if (!encrypted) return std::unexpected(encrypted.error());
    note_message(context, messages);
    context.ask(
        Decrypt{.token = {}, .credential = key->credential, .ciphertext = {encrypted->begin(), encrypted->end()}});
    return std::nullopt;
  }
  SharedSecret secret;
  const auto premaster = agree(context, own, message, secret);
  if (!premaster) return std::unexpected(premaster.error());
  note_message(context, messages);
  return derive_keys(context, *premaster);
}

std::expected<Derived12, Error> take_decrypted(Context& context, const OwnExchange& own, Bytes premaster) noexcept {
  // RFC 5246 7.4.7.1: "a TLS server MUST NOT generate an alert if processing an RSA-encrypted premaster secret message
  // fails, or the version number is not as expected. Instead, it MUST continue the handshake with a randomly generated
  // premaster secret." The random one is made whatever comes, and which one is taken takes no other path.
  Premaster taken(kPremasterSize);
  if (!context.random.fill(taken.writable())) return context.fail(Reason::random_failed);
  if (premaster.size() == kPremasterSize) {
    const auto version = bytes_of(std::get<OwnKey>(own).offered);
    const auto keep_random = mask_of_difference(static_cast<std::uint32_t>(premaster[0] ^ version[0]) |
                                                static_cast<std::uint32_t>(premaster[1] ^ version[1]));
    const MutableBytes out = taken.writable();
    for (std::size_t i = 0; i < kPremasterSize; ++i)
      out[i] =
          static_cast<std::uint8_t>((out[i] & keep_random) | (premaster[i] & static_cast<std::uint8_t>(~keep_random)));
  }
  return derive_keys(context, taken.view());
}

}  // namespace lockstep::handshake
