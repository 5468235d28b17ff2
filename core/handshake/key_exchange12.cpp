#include "handshake/key_exchange12.hpp"

#include <array>
#include <utility>

#include <lockstep/x509_certificate.hpp>

#include "handshake/computation.hpp"
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

/// The longest secret that a pre-shared key goes into, with the lengths of both parts.
constexpr std::size_t kMaxPskPremaster = 2 + kMaxSharedSecret + 2 + kMaxPskSize;

void send_client_key_exchange(Context& context, MessageLog& messages,
                              const codec::ClientKeyExchangeParameters& message) noexcept {
  const std::size_t identity = message.psk_identity ? message.psk_identity->size() : 0;
  send_noted(context, messages, 64 + identity + message.exchange.size(),
             [&](codec::Writer& writer) { return codec::encode_client_key_exchange(writer, message); });
}

// RFC 4279 2: "All the ciphersuites in this document share the same general structure for the premaster secret, namely,
// struct { opaque other_secret<0..2^16-1>; opaque psk<0..2^16-1>; };"
std::expected<Derived12, Error> derive_psk_keys(Context& context, Bytes other_secret, Bytes psk) noexcept {
  Secret<kMaxPskPremaster> premaster(kMaxPskPremaster);
  codec::Writer writer(premaster.writable());
  writer.opaque16(other_secret);
  writer.opaque16(psk);
  return derive_keys(context, Bytes(writer.written()));
}

// RFC 4279 2: "if the PSK is N octets long, concatenate a uint16 with the value N, N zero octets, a second uint16 with
// the value N, and the PSK itself."
std::expected<Derived12, Error> derive_psk_keys(Context& context, Bytes psk) noexcept {
  constexpr std::array<std::uint8_t, kMaxPskSize> kZeros{};
  return derive_psk_keys(context, Bytes(kZeros).first(psk.size()), psk);
}

// RFC 8422 5.10: the premaster secret, and our share of it, from the server's.
std::expected<MutableBytes, Error> encapsulate_to(Context& context, const codec::ServerEcdhParams& params,
                                                  SharedSecret& premaster) noexcept {
  const BoundGroup& group = *context.config().group(params.group);
  const auto share = context.scratch(group.server_share_size());
  if (!share) return std::unexpected(share.error());
  context.place = Place::server_key_exchange;
  WatchedRandom random(context.random);
  const GroupResult result = encapsulate(group, params.point, random, *share, premaster);
  const SecretMade made{result, *share, premaster.view(), random.failed()};
  if (auto checked = check(context, made, params.group); !checked) return std::unexpected(checked.error());
  context.agreed.group = params.group;
  return *share;
}

// What a group of a finite field is called, if RFC 7919 has a name for it; else how large it is.
void note_field(Context& context, const FieldGroup& group) noexcept {
  const auto named = named_field(group.parameters);
  context.agreed.group = named.value_or(NamedGroup{});
  context.agreed.dh_bits = named ? std::uint16_t{0} : group.bits();
}

// RFC 5246 7.4.7.2: the same with a finite field.
struct FieldAnswer {
  Bytes share;
  Bytes premaster;  // in the secret that was lent
};
std::expected<FieldAnswer, Error> answer_in_field(Context& context, const FieldGroup& group, Bytes server_share,
                                                  SharedSecret& secret) noexcept {
  const auto share = context.scratch(group.size());
  if (!share) return std::unexpected(share.error());
  context.place = Place::server_key_exchange;
  const auto premaster = answer_share(context, group, server_share, *share, secret);
  if (!premaster) return std::unexpected(premaster.error());
  note_field(context, group);
  return FieldAnswer{*share, *premaster};
}

// RFC 5246 7.4.7.1: a secret of ours, encrypted to the server's key.
std::expected<Bytes, Error> encrypt_to(Context& context, const PeerKey& key, Premaster& premaster) noexcept {
  const KeyEncryptor* const encryptor = context.config().provider().key_encryptor(key.type);
  if (encryptor == nullptr) return context.fail(Reason::provider_failed);
  if (!context.random.fill(premaster.writable())) return context.fail(Reason::random_failed);
  // RFC 5246 7.4.7.1: "The version number in the PreMasterSecret is the version offered by the client in the
  // ClientHello.client_version, not the version negotiated for the connection."
  std::ranges::copy(bytes_of(ProtocolVersion::tls_1_2), premaster.writable().begin());
  const auto room = context.scratch(kMaxEncryptedKeySize);
  if (!room) return std::unexpected(room.error());
  WatchedRandom random(context.random);
  const std::size_t size = encryptor->encrypt(key.subject_public_key_info, premaster.view(), random, *room);
  if (size == 0) return context.fail(random.failed() ? Reason::random_failed : Reason::certificate_malformed);
  return room->first(size);
}

std::expected<Derived12, Error> answer(Context& context, MessageLog& messages, const PeerKey& /*key*/,
                                       const codec::SignedEcdhe& exchange) noexcept {
  SharedSecret premaster;
  const auto share = encapsulate_to(context, exchange.params, premaster);
  if (!share) return std::unexpected(share.error());
  return answer_in_group(context, messages, exchange.params.group, {GroupResult::ok, *share, premaster.view()});
}

std::expected<Derived12, Error> answer(Context& context, MessageLog& messages, const PeerKey& /*key*/,
                                       const ShownField& exchange) noexcept {
  SharedSecret secret;
  const auto made = answer_in_field(context, exchange.group, exchange.message.params.dh_Ys, secret);
  if (!made) return std::unexpected(made.error());
  send_client_key_exchange(context, messages, {.exchange = made->share, .form = Form::vector16});
  return derive_keys(context, made->premaster);
}

std::expected<Derived12, Error> answer(Context& context, MessageLog& messages, const PeerKey& key,
                                       const KeyTransport& /*exchange*/) noexcept {
  Premaster premaster(kPremasterSize);
  const auto encrypted = encrypt_to(context, key, premaster);
  if (!encrypted) return std::unexpected(encrypted.error());
  send_client_key_exchange(context, messages, {.exchange = *encrypted, .form = Form::vector16});
  return derive_keys(context, premaster.view());
}

std::expected<Derived12, Error> answer(Context& context, MessageLog& messages, const PeerKey& key,
                                       const PskTransport& exchange) noexcept {
  Premaster premaster(kPremasterSize);
  const auto encrypted = encrypt_to(context, key, premaster);
  if (!encrypted) return std::unexpected(encrypted.error());
  send_client_key_exchange(context, messages,
                           {.psk_identity = exchange.identity, .exchange = *encrypted, .form = Form::vector16});
  auto derived = derive_psk_keys(context, premaster.view(), exchange.key);
  wipe(exchange.key);
  return derived;
}

std::expected<Derived12, Error> answer(Context& context, MessageLog& messages, const PskAlone& /*exchange*/,
                                       const PskGiven& chosen) noexcept {
  send_client_key_exchange(context, messages, {.psk_identity = chosen.identity()});
  return derive_psk_keys(context, chosen.key());
}

std::expected<Derived12, Error> answer(Context& context, MessageLog& messages, const codec::PskEcdhe& exchange,
                                       const PskGiven& chosen) noexcept {
  SharedSecret other;
  const auto share = encapsulate_to(context, exchange.params, other);
  if (!share) return std::unexpected(share.error());
  send_client_key_exchange(context, messages,
                           {.psk_identity = chosen.identity(), .exchange = *share, .form = Form::vector8});
  return derive_psk_keys(context, other.view(), chosen.key());
}

// RFC 4279 3: "with leading zero bytes stripped as in other Diffie-Hellman-based ciphersuites".
std::expected<Derived12, Error> answer(Context& context, MessageLog& messages, const ShownPskField& exchange,
                                       const PskGiven& chosen) noexcept {
  SharedSecret secret;
  const auto made = answer_in_field(context, exchange.group, exchange.message.params.dh_Ys, secret);
  if (!made) return std::unexpected(made.error());
  send_client_key_exchange(context, messages,
                           {.psk_identity = chosen.identity(), .exchange = made->share, .form = Form::vector16});
  return derive_psk_keys(context, made->premaster, chosen.key());
}

// The server's point is of a group that we have offered.
Status check_params(Context& context, const codec::ServerEcdhParams& params) noexcept {
  const auto detail = static_cast<std::uint16_t>(params.group);
  const BoundGroup* const group = context.config().group(params.group);
  // A curve that we have not offered; hybrids are for TLS 1.3, and finite fields have no points.
  if (group == nullptr || !usable_for_ecdhe(*group)) return context.fail(Reason::group_not_offered, detail);
  if (params.point.size() != group->client_share_size()) return context.fail(Reason::key_share_size, detail);
  return {};
}

void ask_to_decrypt(Context& context, const OwnKey& key, Bytes encrypted) {
  context.ask(Decrypt{.token = {}, .credential = key.credential, .ciphertext = {encrypted.begin(), encrypted.end()}});
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
SignedPart signed_part(const PskTransport& /*exchange*/) noexcept { return {}; }
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

std::size_t key_bits(const Credential& credential) noexcept {
  const auto certificate = x509::Certificate::parse(credential.chain.front());
  return certificate ? certificate->public_key().bits : 0;
}

// RFC 5246 7.4.3: our key pair in a finite field, and the parameters that get signed.
std::expected<OfferedExchange, Error> offer_field_exchange(Context& context, const codec::ClientHello& hello,
                                                           const Credential* credential) noexcept {
  const auto group = choose_field_group(context, hello, credential != nullptr ? key_bits(*credential) : 0);
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

Status check_size(const Context& context, const KeyExchange& exchange, Bytes point) noexcept {
  const BoundGroup& group = *exchange.group();
  if (point.size() == group.server_share_size()) return {};
  return context.fail(Reason::key_share_size, static_cast<std::uint16_t>(group.id));
}

// The point or number of a ClientKeyExchange.
codec::Decoded<Bytes> decode_public(const OwnExchange& own, const codec::ClientKeyExchange& message) noexcept {
  return std::holds_alternative<FieldKey>(own) ? codec::decode_dh_public(message.body)
                                               : codec::decode_ecdh_public(message.body);
}

// What both sides have agreed on by it, in `secret`.
std::expected<Bytes, Error> agree(Context& context, OwnExchange& own, Bytes value, SharedSecret& secret) noexcept {
  if (auto* const key = std::get_if<FieldKey>(&own)) return agree(context, std::move(*key), value, secret);
  KeyExchange& exchange = std::get<EphemeralKey>(own).exchange.all().front();
  if (auto fits = check_size(context, exchange, value); !fits) return std::unexpected(fits.error());
  const SecretMade made{exchange.decapsulate(value, secret)};
  if (auto checked = check(context, made, exchange.group()->id); !checked) return std::unexpected(checked.error());
  return secret.view();
}

}  // namespace

bool authenticates_by_psk(const BoundSuite& suite) noexcept { return suite.authentication == SuiteAuthentication::psk; }

bool uses_psk(const BoundSuite& suite) noexcept {
  return authenticates_by_psk(suite) || suite.key_exchange == KeyExchangeMethod::rsa_psk;
}

bool uses_group(const BoundSuite& suite) noexcept {
  return suite.key_exchange == KeyExchangeMethod::ecdhe || suite.key_exchange == KeyExchangeMethod::ecdhe_psk;
}

bool uses_field(const BoundSuite& suite) noexcept {
  return suite.key_exchange == KeyExchangeMethod::dhe || suite.key_exchange == KeyExchangeMethod::dhe_psk;
}

bool has_server_key_exchange(const BoundSuite& suite) noexcept {
  switch (suite.key_exchange) {
    case KeyExchangeMethod::rsa:
    case KeyExchangeMethod::psk:
    case KeyExchangeMethod::rsa_psk: return false;
    default: return true;
  }
}

std::expected<ServerExchange, Error> read_server_exchange(Context& context,
                                                          const codec::ServerKeyExchange& message) noexcept {
  if (uses_field(*context.agreed.suite)) return read_field_exchange(context, message);
  if (uses_psk(*context.agreed.suite)) {
    const auto hint = codec::decode_psk_hint(message.body);
    if (!hint) return std::unexpected(hint.error());
    return PskTransport{.identity_hint = *hint};
  }
  const auto exchange = codec::decode_signed_ecdhe(message.body);
  if (!exchange) return std::unexpected(exchange.error());
  if (auto checked = check_params(context, exchange->params); !checked) return std::unexpected(checked.error());
  return *exchange;
}

std::expected<PskServerExchange, Error> read_psk_server_exchange(Context& context,
                                                                 const codec::ServerKeyExchange& message) noexcept {
  switch (context.agreed.suite->key_exchange) {
    case KeyExchangeMethod::dhe_psk: {
      const auto exchange = codec::decode_psk_dhe(message.body);
      if (!exchange) return std::unexpected(exchange.error());
      const auto group = read_field_group(context, exchange->params);
      if (!group) return std::unexpected(group.error());
      return ShownPskField{*exchange, *group};
    }
    case KeyExchangeMethod::ecdhe_psk: {
      const auto exchange = codec::decode_psk_ecdhe(message.body);
      if (!exchange) return std::unexpected(exchange.error());
      if (auto checked = check_params(context, exchange->params); !checked) return std::unexpected(checked.error());
      return *exchange;
    }
    default: break;
  }
  const auto hint = codec::decode_psk_hint(message.body);
  if (!hint) return std::unexpected(hint.error());
  return PskAlone{*hint};
}

namespace {

Bytes hint_of(const PskAlone& exchange) noexcept { return exchange.identity_hint; }
Bytes hint_of(const codec::PskEcdhe& exchange) noexcept { return exchange.psk_identity_hint; }
Bytes hint_of(const ShownPskField& exchange) noexcept { return exchange.message.psk_identity_hint; }

}  // namespace

Bytes identity_hint(const PskServerExchange& exchange) noexcept {
  return std::visit([](const auto& said) { return hint_of(said); }, exchange);
}

Status check_strength(const Context& context, const PskGiven& given) noexcept {
  if (context.settings().profile == Profile::fips && given.key().size() < kApprovedPskSize)
    return context.fail(Reason::psk_weak);
  return {};
}

Status keep_psk(Context& context, PskTransport& exchange, const PskGiven& chosen) noexcept {
  const auto identity = context.scratch(chosen.identity().size());
  const auto key = context.scratch(chosen.key().size());
  if (!identity || !key) return context.fail(Reason::handshake_too_large);
  std::ranges::copy(chosen.identity(), identity->begin());
  std::ranges::copy(chosen.key(), key->begin());
  exchange.identity = *identity;
  exchange.key = *key;
  return {};
}

std::expected<std::optional<SignatureToCheck>, Error> server_signature(Context& context, const PeerKey& key,
                                                                       const ServerExchange& exchange) noexcept {
  const SignedPart part = std::visit([](const auto& said) { return signed_part(said); }, exchange);
  if (part.signature == nullptr) return std::nullopt;
  context.place = Place::server_key_exchange;
  const auto content = signed_parameters(context, part.parameters);
  if (!content) return std::unexpected(content.error());
  // RFC 5246 7.4.3: "If the client has offered the "signature_algorithms" extension, the signature algorithm and hash
  // algorithm MUST be a pair listed in that extension."
  return read_signature12(context, key, *part.signature, *content);
}

const codec::ServerEcdhParams* group_exchange(const ServerExchange& exchange) noexcept {
  const auto* const said = std::get_if<codec::SignedEcdhe>(&exchange);
  return said == nullptr ? nullptr : &said->params;
}

std::expected<Derived12, Error> answer_in_group(Context& context, MessageLog& messages, NamedGroup group,
                                                const SecretMade& made) noexcept {
  if (auto checked = check(context, made, group); !checked) return std::unexpected(checked.error());
  context.agreed.group = group;
  send_client_key_exchange(context, messages, {.exchange = made.share, .form = Form::vector8});
  return derive_keys(context, made.secret);
}

std::expected<Derived12, Error> answer_exchange(Context& context, MessageLog& messages, const PeerKey& key,
                                                const ServerExchange& exchange) noexcept {
  return std::visit([&](const auto& said) { return answer(context, messages, key, said); }, exchange);
}

std::expected<Derived12, Error> answer_psk_exchange(Context& context, MessageLog& messages,
                                                    const PskServerExchange& exchange,
                                                    const PskGiven& chosen) noexcept {
  return std::visit([&](const auto& said) { return answer(context, messages, said, chosen); }, exchange);
}

namespace {

// RFC 8422 5.4: our key pair, and the parameters that get signed.
std::expected<OfferedExchange, Error> offer_key_pair(Context& context, KeyExchange&& made, Bytes share) noexcept {
  OfferedExchange offered;
  auto& exchange = offered.own.emplace<EphemeralKey>().exchange;
  const auto room = context.scratch(share.size() + 4);
  if (!exchange.allocate(context.arena, 1) || !room) return context.fail(Reason::handshake_too_large);
  const NamedGroup group = made.group()->id;
  exchange.all().front() = std::move(made);
  codec::Writer writer(*room);
  codec::write_ecdh_params(writer, group, share);
  offered.parameters = writer.written();
  context.agreed.group = group;
  return offered;
}

}  // namespace

bool offers_group(const BoundSuite& suite) noexcept { return suite.key_exchange == KeyExchangeMethod::ecdhe; }

std::expected<OfferedExchange, Error> offer_key_pair(Context& context, const SharesMade& made) noexcept {
  MadeKeyPair& pair = made.pairs.front();
  if (pair.result != GroupResult::ok)
    return context.fail(Reason::provider_failed, static_cast<std::uint16_t>(pair.group.id));
  return offer_key_pair(context, std::move(pair.exchange), pair.share);
}

std::expected<OfferedExchange, Error> offer_exchange(Context& context, const codec::ClientHello& hello,
                                                     std::shared_ptr<const Credential> credential,
                                                     const BoundGroup* group) noexcept {
  OfferedExchange offered;
  if (context.agreed.suite->key_exchange == KeyExchangeMethod::psk) {
    offered.own = NoKey{};
    return offered;
  }
  if (!has_server_key_exchange(*context.agreed.suite)) {
    offered.own = OwnKey{std::move(credential), hello.legacy_version};
    return offered;
  }
  if (uses_field(*context.agreed.suite)) return offer_field_exchange(context, hello, credential.get());
  MadeKeyPair pair{.group = *group};
  const auto share = context.scratch(group->client_share_size());
  if (!share) return std::unexpected(share.error());
  WatchedRandom random(context.random);
  if (pair.exchange.generate(*group, random, *share) != GroupResult::ok)
    return context.fail(random.failed() ? Reason::random_failed : Reason::provider_failed,
                        static_cast<std::uint16_t>(group->id));
  return offer_key_pair(context, std::move(pair.exchange), *share);
}

void send_psk_server_exchange(Context& context, MessageLog& messages, Bytes parameters) noexcept {
  const auto& hint = context.settings().psk_identity_hint;
  // RFC 4279 2: "If no hint is provided, the ServerKeyExchange message is omitted." With parameters it never is.
  if (hint.empty() && parameters.empty()) return;
  send_noted(context, messages, 16 + hint.size() + parameters.size(), [&](codec::Writer& writer) {
    return codec::encode_server_key_exchange(writer, Bytes(hint), parameters, std::nullopt);
  });
}

std::expected<std::optional<PointForKey>, Error> read_point(Context& context, OwnExchange& own,
                                                            const codec::ClientKeyExchange& message) noexcept {
  auto* const key = std::get_if<EphemeralKey>(&own);
  if (key == nullptr) return std::nullopt;
  const auto point = codec::decode_ecdh_public(message.body);
  if (!point) return std::unexpected(point.error());
  KeyExchange& exchange = key->exchange.all().front();
  if (auto fits = check_size(context, exchange, *point); !fits) return std::unexpected(fits.error());
  return PointForKey{&exchange, *point};
}

std::expected<Derived12, Error> take_secret(Context& context, MessageLog& messages, NamedGroup group,
                                            const SecretMade& made) noexcept {
  if (auto checked = check(context, made, group); !checked) return std::unexpected(checked.error());
  note_message(context, messages);
  return derive_keys(context, made.secret);
}

std::expected<std::optional<Derived12>, Error> take_exchange(Context& context, MessageLog& messages, OwnExchange& own,
                                                             const codec::ClientKeyExchange& message) noexcept {
  if (const auto* const key = std::get_if<OwnKey>(&own)) {
    const auto encrypted = codec::decode_encrypted_premaster(message.body);
    if (!encrypted) return std::unexpected(encrypted.error());
    note_message(context, messages);
    ask_to_decrypt(context, *key, *encrypted);
    return std::nullopt;
  }
  const auto value = decode_public(own, message);
  if (!value) return std::unexpected(value.error());
  SharedSecret secret;
  const auto premaster = agree(context, own, *value, secret);
  if (!premaster) return std::unexpected(premaster.error());
  note_message(context, messages);
  return derive_keys(context, *premaster);
}

namespace {

std::expected<Premaster, Error> choose_premaster(Context& context, const OwnExchange& own, Bytes premaster) noexcept {
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
  return taken;
}

}  // namespace

std::expected<Derived12, Error> take_decrypted(Context& context, const OwnExchange& own, Bytes premaster) noexcept {
  const auto taken = choose_premaster(context, own, premaster);
  if (!taken) return std::unexpected(taken.error());
  return derive_keys(context, taken->view());
}

std::expected<codec::PskExchange, Error> read_psk_exchange(Context& context,
                                                           const codec::ClientKeyExchange& message) noexcept {
  const auto read = [&]() -> codec::Decoded<codec::PskExchange> {
    switch (context.agreed.suite->key_exchange) {
      case KeyExchangeMethod::dhe_psk: return codec::decode_psk_dh(message.body);
      case KeyExchangeMethod::ecdhe_psk: return codec::decode_psk_ecdh(message.body);
      case KeyExchangeMethod::rsa_psk: return codec::decode_psk_rsa(message.body);
      default: break;
    }
    const auto identity = codec::decode_psk_identity(message.body);
    if (!identity) return std::unexpected(identity.error());
    return codec::PskExchange{.psk_identity = *identity, .exchange = {}};
  }();
  if (!read) return std::unexpected(read.error());
  if (read->psk_identity.size() > kMaxPskIdentity) return context.fail(Reason::psk_identity_too_long);
  return *read;
}

std::expected<std::optional<Derived12>, Error> take_psk_exchange(Context& context, OwnExchange& own, Bytes exchange,
                                                                 Bytes psk) noexcept {
  if (const auto* const key = std::get_if<OwnKey>(&own)) {
    ask_to_decrypt(context, *key, exchange);
    return std::nullopt;
  }
  if (std::holds_alternative<NoKey>(own)) return derive_psk_keys(context, psk);
  SharedSecret secret;
  const auto other = agree(context, own, exchange, secret);
  if (!other) return std::unexpected(other.error());
  return derive_psk_keys(context, *other, psk);
}

std::expected<Derived12, Error> take_psk_decrypted(Context& context, const OwnExchange& own, Bytes premaster,
                                                   Bytes psk) noexcept {
  const auto taken = choose_premaster(context, own, premaster);
  if (!taken) return std::unexpected(taken.error());
  return derive_psk_keys(context, taken->view(), psk);
}

}  // namespace lockstep::handshake
