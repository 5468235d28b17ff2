#include "key_schedule/tls12.hpp"

#include <algorithm>
#include <utility>

namespace lockstep::key_schedule::tls12 {

namespace {

// RFC 5246 6.3, 7.4.9, 8.1; RFC 7627 4.
constexpr std::string_view kMasterSecret = "master secret";
constexpr std::string_view kExtendedMasterSecret = "extended master secret";
constexpr std::string_view kKeyExpansion = "key expansion";
constexpr std::string_view kClientFinished = "client finished";
constexpr std::string_view kServerFinished = "server finished";

/// What would give away a secret or a Finished if it could be exported (RFC 5705 4, RFC 7627 4).
constexpr std::array kReservedLabels{kMasterSecret, kExtendedMasterSecret, kKeyExpansion, kClientFinished,
                                     kServerFinished};

/// RFC 5246 5: P_hash over `seed`, whose first part is left free for A(i).
bool p_hash(const Hash& hash, Bytes secret, std::span<Bytes> seed, MutableBytes out) noexcept;

}  // namespace

std::optional<MasterSecret> MasterSecret::of_session(Bytes secret) noexcept {
  if (secret.size() != kMasterSecretSize) return std::nullopt;
  return MasterSecret(Value(secret));
}

std::optional<MasterSecret> master_secret(const Hash& hash, Bytes premaster_secret, Bytes client_random,
                                          Bytes server_random) noexcept {
  MasterSecret master;
  if (!prf(hash, premaster_secret, kMasterSecret, {client_random, server_random}, master.secret_.writable()))
    return std::nullopt;
  return master;
}

std::optional<MasterSecret> extended_master_secret(const Hash& hash, Bytes premaster_secret,
                                                   const Digest& session_hash) noexcept {
  MasterSecret master;
  if (!prf(hash, premaster_secret, kExtendedMasterSecret, {session_hash.view()}, master.secret_.writable()))
    return std::nullopt;
  return master;
}

KeySizes key_sizes(const BoundSuite& suite) noexcept {
  // RFC 5246 6.3: "Currently, the client_write_IV and server_write_IV are only generated for implicit nonce techniques
  // as described in Section 3.2.1 of [AEAD]."
  if (suite.cbc != nullptr) return {.mac_key = suite.mac->key_size, .key = suite.cbc->key_size};
  // RFC 7905 2: the whole nonce. RFC 5288 3 and RFC 6655 3: its salt, 4 bytes; the rest stands in each record.
  constexpr std::size_t kSalt = 4;
  return {.key = suite.aead->key_size,
          .iv = suite.aead->id == AeadAlgorithm::chacha20_poly1305 ? kAeadNonceSize : kSalt};
}

std::optional<KeyBlock> key_block(const Hash& hash, const MasterSecret& secret, Bytes client_random,
                                  Bytes server_random, const KeySizes& sizes) noexcept {
  Secret<2 * (kMaxMacKeySize + kMaxKeySize + kMaxIvSize)> block(2 * (sizes.mac_key + sizes.key + sizes.iv));
  if (!prf(hash, secret.view(), kKeyExpansion, {server_random, client_random}, block.writable())) return std::nullopt;
  Bytes rest = block.view();
  const auto next = [&](std::size_t size) { return std::exchange(rest, rest.subspan(size)).first(size); };
  // Braces take their members in this order.
  return KeyBlock{.client_mac = Secret<kMaxMacKeySize>(next(sizes.mac_key)),
                  .server_mac = Secret<kMaxMacKeySize>(next(sizes.mac_key)),
                  .client_key = Secret<kMaxKeySize>(next(sizes.key)),
                  .server_key = Secret<kMaxKeySize>(next(sizes.key)),
                  .client_iv = Secret<kMaxIvSize>(next(sizes.iv)),
                  .server_iv = Secret<kMaxIvSize>(next(sizes.iv))};
}

std::optional<VerifyData> verify_data(const Hash& hash, const MasterSecret& secret, Role sender,
                                      const Digest& transcript) noexcept {
  VerifyData data{};
  const std::string_view label = sender == Role::client ? kClientFinished : kServerFinished;
  if (!prf(hash, secret.view(), label, {transcript.view()}, data)) return std::nullopt;
  return data;
}

bool export_keying_material(const Hash& hash, const MasterSecret& secret, Bytes client_random, Bytes server_random,
                            std::string_view label, std::optional<Bytes> context, MutableBytes out) noexcept {
  if (std::ranges::find(kReservedLabels, label) != kReservedLabels.end()) return false;
  if (!context) return prf(hash, secret.view(), label, {client_random, server_random}, out);
  if (context->size() > 0xffff) return false;
  const std::array size{static_cast<std::uint8_t>(context->size() >> 8U), static_cast<std::uint8_t>(context->size())};
  return prf(hash, secret.view(), label, {client_random, server_random, size, *context}, out);
}

bool prf(const Hash& hash, Bytes secret, std::string_view label, std::initializer_list<Bytes> seed,
         MutableBytes out) noexcept {
  // RFC 5246 5: "PRF(secret, label, seed) = P_<hash>(secret, label + seed)"
  if (seed.size() > kMaxSeedParts) return false;
  std::array<Bytes, 2 + kMaxSeedParts> parts{Bytes(), as_bytes(label)};
  std::ranges::copy(seed, parts.begin() + 2);
  const bool done = p_hash(hash, secret, std::span(parts).first(2 + seed.size()), out);
  wipe_stack<kHashFrames>();
  return done;
}

namespace {

bool p_hash(const Hash& hash, Bytes secret, std::span<Bytes> seed, MutableBytes out) noexcept {
  const std::size_t size = hash.digest_size;
  // RFC 5246 5: "A(0) = seed A(i) = HMAC_hash(secret, A(i-1))"
  // The seed is at hand where A(0) is, so that the first A is A(1).
  Secret<kMaxDigestSize> a(size);
  if (!hash.hmac(secret, seed.subspan(1), a.writable())) return false;
  seed[0] = a.view();
  for (; out.size() > size; out = out.subspan(size)) {
    if (!hash.hmac(secret, seed, out.first(size))) return false;
    Secret<kMaxDigestSize> next(size);
    const std::array<Bytes, 1> last = {a.view()};
    if (!hash.hmac(secret, last, next.writable())) return false;
    std::ranges::copy(next.view(), a.writable().data());
  }
  Secret<kMaxDigestSize> end(size);
  if (!hash.hmac(secret, seed, end.writable())) return false;
  std::ranges::copy(end.view().first(out.size()), out.data());
  return true;
}

}  // namespace

}  // namespace lockstep::key_schedule::tls12
