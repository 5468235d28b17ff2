#pragma once
// The key schedule of TLS 1.2 (RFC 5246 5, 6.3, 8.1; RFC 7627 4; RFC 5705):
//
//     premaster secret --> MasterSecret --> KeyBlock, verify_data, exported keying material
//
// Nothing here fails but by the provider, where nothing else is said; an empty optional (or false) means that.

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include <lockstep/bytes.hpp>
#include <lockstep/config.hpp>
#include <lockstep/provider.hpp>

#include "key_schedule/transcript.hpp"

namespace lockstep::key_schedule::tls12 {

/// RFC 5246 8.1: "The master secret is always exactly 48 bytes in length."
inline constexpr std::size_t kMasterSecretSize = 48;

/// RFC 5246 7.4.9: verify_data_length of every suite here.
inline constexpr std::size_t kVerifyDataSize = 12;

/// The longest keys of a key block: of AES-256 and ChaCha20, of HMAC-SHA384, and a block of AES.
inline constexpr std::size_t kMaxKeySize = 32;
inline constexpr std::size_t kMaxMacKeySize = 48;
inline constexpr std::size_t kMaxIvSize = 16;

/// How many parts the seed of a PRF may have.
inline constexpr std::size_t kMaxSeedParts = 4;

/// The secret from which everything else comes. Only the two ways to make it and a session that is resumed have one.
class MasterSecret {
 public:
  /// What a session kept. Nothing when it is not 48 bytes long.
  [[nodiscard]] static std::optional<MasterSecret> of_session(Bytes secret) noexcept;

  [[nodiscard]] Bytes view() const noexcept { return secret_.view(); }
  [[nodiscard]] MasterSecret clone() const noexcept { return MasterSecret(secret_.clone()); }
  void clear() noexcept { secret_.clear(); }

 private:
  friend std::optional<MasterSecret> master_secret(const Hash&, Bytes, Bytes, Bytes) noexcept;
  friend std::optional<MasterSecret> extended_master_secret(const Hash&, Bytes, const Digest&) noexcept;
  using Value = Secret<kMasterSecretSize>;
  MasterSecret() noexcept : secret_(kMasterSecretSize) {}
  explicit MasterSecret(Value secret) noexcept : secret_(std::move(secret)) {}
  Value secret_;
};

/// RFC 5246 8.1.
[[nodiscard]] std::optional<MasterSecret> master_secret(const Hash& hash, Bytes premaster_secret, Bytes client_random,
                                                        Bytes server_random) noexcept;

/// RFC 7627 4. `session_hash` is that of the handshake messages up to and including ClientKeyExchange.
[[nodiscard]] std::optional<MasterSecret> extended_master_secret(const Hash& hash, Bytes premaster_secret,
                                                                 const Digest& session_hash) noexcept;

/// How long the keys of a suite are, in bytes.
struct KeySizes {
  std::size_t mac_key = 0;  ///< 0 with an AEAD
  std::size_t key = 0;
  std::size_t iv = 0;  ///< the part of the nonce that no record carries; 0 with CBC
};
[[nodiscard]] KeySizes key_sizes(const BoundSuite& suite) noexcept;

/// RFC 5246 6.3, in its order.
struct KeyBlock {
  Secret<kMaxMacKeySize> client_mac;
  Secret<kMaxMacKeySize> server_mac;
  Secret<kMaxKeySize> client_key;
  Secret<kMaxKeySize> server_key;
  Secret<kMaxIvSize> client_iv;
  Secret<kMaxIvSize> server_iv;
};
/// `sizes` are at most those of a KeyBlock's members.
[[nodiscard]] std::optional<KeyBlock> key_block(const Hash& hash, const MasterSecret& secret, Bytes client_random,
                                                Bytes server_random, const KeySizes& sizes) noexcept;

/// RFC 5246 7.4.9: the verify_data of the Finished that `sender` sends. `transcript` is the hash of the handshake
/// messages before it. Compare with constant_time_equal.
using VerifyData = std::array<std::uint8_t, kVerifyDataSize>;
[[nodiscard]] std::optional<VerifyData> verify_data(const Hash& hash, const MasterSecret& secret, Role sender,
                                                    const Digest& transcript) noexcept;

/// RFC 5705 4. No context is not the same as an empty one. False also when the label is one that TLS itself uses, or
/// the context longer than 65535 bytes.
[[nodiscard]] bool export_keying_material(const Hash& hash, const MasterSecret& secret, Bytes client_random,
                                          Bytes server_random, std::string_view label, std::optional<Bytes> context,
                                          MutableBytes out) noexcept;

/// RFC 5246 5: PRF(secret, label, seed), where the seed is the concatenation of at most kMaxSeedParts parts (false when
/// there are more). `hash` is the suite's.
[[nodiscard]] bool prf(const Hash& hash, Bytes secret, std::string_view label, std::initializer_list<Bytes> seed,
                       MutableBytes out) noexcept;

}  // namespace lockstep::key_schedule::tls12
