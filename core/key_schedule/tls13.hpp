#pragma once
// The key schedule of TLS 1.3 (RFC 9846 7). Each stage is a type that only the stage before it can make, and making the
// next consumes it, so that no secret is derived out of order or outlives its use:
//
//     EarlySecret --shared secret--> HandshakeSecret --0--> MainSecret
//
// Without a pre-shared key the early secret is no secret, and the handshake secret is the first.
// Nothing here fails but by the provider; an empty optional (or false) means that.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <lockstep/bytes.hpp>
#include <lockstep/provider.hpp>

#include "key_schedule/transcript.hpp"

namespace lockstep::key_schedule {

/// What goes before every label: that of TLS (RFC 9846 7.1) or of DTLS (RFC 9147 5.9).
enum class LabelPrefix : std::uint8_t { tls13, dtls13 };

/// The hash and the labels of a key schedule. A hash by itself means those of TLS.
class Schedule {
 public:
  Schedule(const Hash& hash, LabelPrefix prefix = LabelPrefix::tls13) noexcept  // NOLINT(google-explicit-constructor)
      : hash_(&hash), prefix_(prefix) {}

  [[nodiscard]] const Hash& hash() const noexcept { return *hash_; }
  [[nodiscard]] std::size_t digest_size() const noexcept { return hash_->digest_size; }
  [[nodiscard]] LabelPrefix label_prefix() const noexcept { return prefix_; }
  // RFC 9147 5.9: "For DTLS 1.3, that label SHALL be "dtls13"."
  [[nodiscard]] std::string_view prefix() const noexcept { return prefix_ == LabelPrefix::tls13 ? "tls13 " : "dtls13"; }

 private:
  const Hash* hash_;
  LabelPrefix prefix_;
};

/// The secrets of both directions.
struct TrafficSecrets {
  DigestSecret client;
  DigestSecret server;
};

/// What Server Finished lets both sides derive.
struct ApplicationSecrets {
  TrafficSecrets traffic;
  DigestSecret exporter;
};

/// The write key and static iv of one direction (RFC 9846 7.3).
struct TrafficKey {
  Secret<kMaxAeadKeySize> key;
  Secret<kAeadNonceSize> iv;
};

struct TrafficKeys {
  TrafficKey client;
  TrafficKey server;
};

/// Where a pre-shared key comes from: it has a binder label of its own.
enum class PskKind : std::uint8_t { resumption, external, imported };

class HandshakeSecret;
struct HandshakeSecrets;

class EarlySecret {
 public:
  [[nodiscard]] static std::optional<EarlySecret> from_psk(const Schedule& schedule, Bytes psk) noexcept;

  /// The binder over the transcript up to and including the truncated ClientHello (RFC 9846 4.3.11.2).
  [[nodiscard]] std::optional<Digest> binder(PskKind kind, const Digest& truncated_client_hello) const noexcept;

  [[nodiscard]] std::optional<DigestSecret> client_early_traffic_secret(const Digest& client_hello) const noexcept;
  [[nodiscard]] std::optional<DigestSecret> early_exporter_secret(const Digest& client_hello) const noexcept;

  /// `shared_secret` is that of the key exchange; empty for psk_ke (then a string of zeros, as the RFC says).
  [[nodiscard]] std::optional<HandshakeSecret> handshake_secret(Bytes shared_secret) && noexcept;

 private:
  explicit EarlySecret(const Schedule& schedule) noexcept : schedule_(schedule), secret_(schedule.digest_size()) {}
  Schedule schedule_;
  DigestSecret secret_;
};

class HandshakeSecret {
 public:
  [[nodiscard]] static std::optional<HandshakeSecret> without_psk(const Schedule& schedule,
                                                                  Bytes shared_secret) noexcept;
  /// All that it leads to, for the transcript ClientHello...ServerHello.
  [[nodiscard]] std::optional<HandshakeSecrets> derive(const Digest& server_hello) && noexcept;

 private:
  friend class EarlySecret;
  explicit HandshakeSecret(const Schedule& schedule) noexcept : schedule_(schedule), secret_(schedule.digest_size()) {}
  Schedule schedule_;
  DigestSecret secret_;
};

class MainSecret {
 public:
  /// client_ and server_application_traffic_secret_0 and exporter_secret, for ClientHello...server Finished.
  [[nodiscard]] std::optional<ApplicationSecrets> application_secrets(const Digest& server_finished) const noexcept;
  /// resumption_secret, for ClientHello...client Finished.
  [[nodiscard]] std::optional<DigestSecret> resumption_secret(const Digest& client_finished) const noexcept;

 private:
  friend class HandshakeSecret;
  explicit MainSecret(const Schedule& schedule) noexcept : schedule_(schedule), secret_(schedule.digest_size()) {}
  Schedule schedule_;
  DigestSecret secret_;
};

/// What both shares lead to (RFC 9846 7.1).
struct HandshakeSecrets {
  MainSecret main;
  TrafficSecrets traffic;  ///< client_ and server_handshake_traffic_secret
};

/// RFC 9846 7.3: key and iv of one traffic secret, or of both in one call of the provider.
[[nodiscard]] std::optional<TrafficKey> traffic_key(const Schedule& schedule, const DigestSecret& secret,
                                                    std::size_t key_size) noexcept;
[[nodiscard]] std::optional<TrafficKeys> traffic_keys(const Schedule& schedule, const TrafficSecrets& secrets,
                                                      std::size_t key_size) noexcept;

/// RFC 9846 7.2: application_traffic_secret_N+1.
[[nodiscard]] std::optional<DigestSecret> next_traffic_secret(const Schedule& schedule,
                                                              const DigestSecret& secret) noexcept;

/// RFC 9846 4.5.3: the verify_data of Finished. `base_key` is the handshake traffic secret of the sender. Compare with
/// constant_time_equal.
[[nodiscard]] std::optional<Digest> finished_verify_data(const Schedule& schedule, const DigestSecret& base_key,
                                                         const Digest& transcript) noexcept;

/// The key that an external one is imported as (RFC 9258 5.1), as long as `out`: at most 255 times the hash's size.
/// `hash` belongs to the external key.
[[nodiscard]] bool import_psk(const Hash& hash, Bytes external_psk, Bytes imported_identity, MutableBytes out) noexcept;

/// RFC 9846 4.7.1: the PSK of a ticket. `ticket_nonce` has at most 255 bytes.
[[nodiscard]] std::optional<DigestSecret> ticket_psk(const Schedule& schedule, const DigestSecret& resumption_secret,
                                                     Bytes ticket_nonce) noexcept;

/// The longest label of an exporter: 255 less the prefix that goes before it.
inline constexpr std::size_t kMaxExporterLabel = 249;

/// RFC 9846 7.5: TLS-Exporter(label, context, out.size()). False when the label is longer than kMaxExporterLabel, `out`
/// longer than 255 digests, or the provider failed.
[[nodiscard]] bool export_keying_material(const Schedule& schedule, const DigestSecret& exporter_secret,
                                          std::string_view label, Bytes context, MutableBytes out) noexcept;

/// RFC 9846 7.1. False when the label or the context is too long to encode, or the provider failed.
[[nodiscard]] bool hkdf_expand_label(const Schedule& schedule, Bytes secret, std::string_view label, Bytes context,
                                     MutableBytes out) noexcept;
[[nodiscard]] std::optional<DigestSecret> derive_secret(const Schedule& schedule, const DigestSecret& secret,
                                                        std::string_view label, const Digest& transcript) noexcept;

}  // namespace lockstep::key_schedule
