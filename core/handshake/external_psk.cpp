#include "handshake/external_psk.hpp"

#include <algorithm>
#include <array>

#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "handshake/negotiation.hpp"

namespace lockstep::handshake {
namespace {

// RFC 9258 10: the KDFs that a key is imported for.
enum class Kdf : std::uint16_t { hkdf_sha256 = 1, hkdf_sha384 = 2 };

std::optional<Kdf> kdf_of(HashAlgorithm hash) noexcept {
  switch (hash) {
    case HashAlgorithm::sha256: return Kdf::hkdf_sha256;
    case HashAlgorithm::sha384: return Kdf::hkdf_sha384;
    case HashAlgorithm::sha512: return std::nullopt;
  }
  return std::nullopt;
}

// RFC 9258 5.1: "struct { opaque external_identity<1...2^16-1>; opaque context<0..2^16-1>; uint16 target_protocol;
// uint16 target_kdf; } ImportedIdentity;"
struct ImportedIdentity {
  Bytes external_identity;
  Bytes context;
  ProtocolVersion target_protocol{};
  Kdf target_kdf{};
};
constexpr std::size_t kImportedIdentityAdds = 8;

std::optional<ImportedIdentity> read_imported_identity(Bytes identity) noexcept {
  codec::Reader reader(identity);
  ImportedIdentity imported;
  imported.external_identity = reader.vector16(1);
  imported.context = reader.vector16();
  imported.target_protocol = reader.code_point<ProtocolVersion>();
  imported.target_kdf = reader.code_point<Kdf>();
  if (reader.finish() != Reason::none) return std::nullopt;
  return imported;
}

// In the arena; empty when that is full.
Bytes write_imported_identity(Context& context, const ImportedIdentity& imported) noexcept {
  const std::size_t size = imported.external_identity.size() + imported.context.size() + kImportedIdentityAdds;
  codec::Writer writer(context.arena.allocate(size, 1));
  writer.opaque16(imported.external_identity);
  writer.opaque16(imported.context);
  writer.code_point(imported.target_protocol);
  writer.code_point(imported.target_kdf);
  return writer.ok() ? Bytes(writer.written()) : Bytes();
}

// RFC 9257 6: "Each PSK SHOULD be derived from at least 128 bits of entropy, MUST be at least 128 bits long".
Status check_strength(const Context& context, Bytes key) noexcept {
  if (key.size() < kMinPskSize13) return context.fail(Reason::psk_weak);
  return {};
}

// RFC 9846 4.3.11: "For externally established PSKs, the Hash algorithm MUST be set when the PSK is established or
// default to SHA-256 if no such algorithm is defined."
std::expected<ExternalPsk, Error> as_it_is(Context& context, Bytes identity, Bytes key, const Hash& hash) noexcept {
  ExternalPsk psk{.identity = context.arena.copy(identity),
                  .peer_identity = {},
                  .hash = &hash,
                  .kind = key_schedule::PskKind::external,
                  .key = context.arena.copy(key)};
  if (psk.identity.size() != identity.size() || psk.key.size() != key.size())
    return context.fail(Reason::handshake_too_large);
  psk.peer_identity = psk.identity;
  return psk;
}

// `base_hash`: the key's own. RFC 9258 5.1: "If the EPSK does not have such an associated hash function, SHA-256 [SHA2]
// SHOULD be used."
std::expected<ExternalPsk, Error> imported(Context& context, Bytes imported_identity, Bytes external_identity,
                                           Bytes key, HashAlgorithm base_hash, const Hash& target) noexcept {
  const Hash* const base = context.config().provider().hash(base_hash);
  const auto made = context.scratch(target.digest_size);
  if (!made) return std::unexpected(made.error());
  if (base == nullptr || !key_schedule::import_psk(*base, key, imported_identity, *made))
    return context.fail(Reason::provider_failed);
  return ExternalPsk{.identity = imported_identity,
                     .peer_identity = external_identity,
                     .hash = &target,
                     .kind = key_schedule::PskKind::imported,
                     .key = *made};
}

// The hashes of our suites, in their order, each once.
template <class Take>
void for_each_hash(const Settings& settings, Take take) noexcept {
  std::array<const Hash*, 2> seen{};
  for (const BoundSuite& suite : settings.suites) {
    if (suite.version != ProtocolVersion::tls_1_3) continue;
    const auto same = [&](const Hash* hash) { return hash != nullptr && hash->id == suite.hash->id; };
    const auto place = std::ranges::find(seen, nullptr);
    if (std::ranges::any_of(seen, same) || place == seen.end()) continue;
    *place = suite.hash;
    take(*suite.hash);
  }
}

}  // namespace

std::expected<std::span<const ExternalPsk>, Error> psks_to_offer(Context& context,
                                                                 std::span<const PskChosen> chosen) noexcept {
  const std::size_t most = 2 * chosen.size();
  const auto psks = context.arena.array<ExternalPsk>(most);
  if (psks.size() != most) return context.fail(Reason::handshake_too_large);
  std::size_t count = 0;
  const auto take = [&](const std::expected<ExternalPsk, Error>& psk) {
    if (!psk) return context.stop(psk.error());
    psks[count++] = *psk;
  };
  for (const PskChosen& psk : chosen) {
    if (auto strong = check_strength(context, psk.key); !strong) return std::unexpected(strong.error());
    // RFC 9258 5.1: "Endpoints SHOULD generate a compatible ipskx for each target ciphersuite they offer."
    for_each_hash(context.settings(), [&](const Hash& hash) {
      if (!psk.import) {
        if (hash.id == psk.hash) take(as_it_is(context, psk.identity, psk.key, hash));
        return;
      }
      const auto kdf = kdf_of(hash.id);
      const Bytes identity =
          kdf ? write_imported_identity(context, {psk.identity, psk.context, ProtocolVersion::tls_1_3, *kdf}) : Bytes();
      if (identity.empty()) return context.stop(Reason::handshake_too_large);
      const Bytes external = identity.subspan(sizeof(std::uint16_t), psk.identity.size());
      take(imported(context, identity, external, psk.key, psk.hash, hash));
    });
  }
  if (context.failure) return std::unexpected(*context.failure);
  return psks.first(count);
}

namespace {

// The hash of suites in common that a KDF stands for; null without any.
const Hash* hash_in_common(const Context& context, const codec::ClientHello& hello, HashAlgorithm hash) noexcept {
  const BoundSuite* const suite = suite_in_common(context, hello, hash);
  return suite == nullptr ? nullptr : suite->hash;
}

const Hash* target_in_common(const Context& context, const codec::ClientHello& hello,
                             const ImportedIdentity& imported) noexcept {
  if (imported.target_protocol != ProtocolVersion::tls_1_3) return nullptr;
  switch (imported.target_kdf) {
    case Kdf::hkdf_sha256: return hash_in_common(context, hello, HashAlgorithm::sha256);
    case Kdf::hkdf_sha384: return hash_in_common(context, hello, HashAlgorithm::sha384);
  }
  return nullptr;
}

}  // namespace

std::optional<FindPsk> question_about(const Context& context, const codec::ClientHello& hello,
                                      Bytes identity) noexcept {
  FindPsk question;
  question.version = ProtocolVersion::tls_1_3;
  question.server_name = context.server_name;
  question.identity = identity;
  if (const auto imported = read_imported_identity(identity)) {
    if (target_in_common(context, hello, *imported) == nullptr || imported->context.size() > kMaxPskContext)
      return std::nullopt;
    question.imported = true;
    question.identity = imported->external_identity;
    question.context = imported->context;
  }
  if (question.identity.size() > kMaxPskIdentity) return std::nullopt;
  return question;
}

std::expected<const ExternalPsk*, Error> found_psk(Context& context, const codec::ClientHello& hello, Bytes identity,
                                                   const PskGiven& found) noexcept {
  if (auto strong = check_strength(context, found.key()); !strong) return std::unexpected(strong.error());
  const auto external = read_imported_identity(identity);
  const Hash* const hash =
      external ? target_in_common(context, hello, *external) : hash_in_common(context, hello, found.hash());
  if (hash == nullptr) return nullptr;
  auto psk = external ? imported(context, identity, external->external_identity, found.key(), found.hash(), *hash)
                      : as_it_is(context, identity, found.key(), *hash);
  if (!psk) return std::unexpected(psk.error());
  if (!found.identity().empty()) {
    psk->peer_identity = context.arena.copy(found.identity());
    if (psk->peer_identity.size() != found.identity().size()) return context.fail(Reason::handshake_too_large);
  }
  const auto kept = context.arena.array<ExternalPsk>(1);
  if (kept.empty()) return context.fail(Reason::handshake_too_large);
  kept.front() = *psk;
  return &kept.front();
}

}  // namespace lockstep::handshake
