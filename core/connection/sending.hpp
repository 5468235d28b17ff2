#pragma once
// What we send: its protection, and the control records that wait for `transmit`.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>
#include <lockstep/types.hpp>

#include "record/framing.hpp"
#include "record/sealer.hpp"

namespace lockstep::connection {

/// The sending half of a connection. Its protection only moves forward, so that nothing leaves in clear once a key of
/// the handshake was there: whoever writes a record asks it, and no key is installed once another's turn has come.
class Sending {
 public:
  /// Under which protection records leave.
  enum class Protection : std::uint8_t {
    none,        ///< the first flight: hellos, and an alert that refuses them
    early_data,  ///< a client's 0-RTT; without it after a HelloRetryRequest, so that the next ClientHello is clear
    keys,        ///< of the handshake and of the connection
    keys_due,    ///< to be handed out: records leave unprotected once somebody has the keys
    elsewhere,   ///< somebody else protects the records that leave here
    over,        ///< nothing leaves any more
  };

  [[nodiscard]] Protection protection() const noexcept { return protection_; }
  [[nodiscard]] bool offloaded() const noexcept {
    return protection_ == Protection::keys_due || protection_ == Protection::elsewhere;
  }
  /// Whether records leave as they are.
  [[nodiscard]] bool clear() const noexcept {
    return protection_ == Protection::none || protection_ == Protection::elsewhere;
  }

  /// Installs a key; `early`: of 0-RTT, which comes before all others. False when the provider failed, or where that
  /// would be a step back.
  [[nodiscard]] bool install(const Aead& aead, Bytes key, Bytes iv, bool early,
                             record::RecordFormat format = record::RecordFormat::tls13) noexcept {
    if (protection_ > (early ? Protection::none : Protection::keys)) return false;
    if (!sealer.install(aead, key, iv, format)) return false;
    protection_ = early ? Protection::early_data : Protection::keys;
    return true;
  }
  /// The same for CBC with HMAC of TLS 1.2.
  [[nodiscard]] bool install(const CbcCipher& cipher, const RecordMac& mac, Bytes key, Bytes mac_key,
                             bool encrypt_then_mac) noexcept {
    if (protection_ > Protection::keys) return false;
    if (!sealer.install(cipher, mac, key, mac_key, encrypt_then_mac)) return false;
    protection_ = Protection::keys;
    return true;
  }
  void end_early_data() noexcept {
    if (protection_ != Protection::early_data) return;
    sealer.clear();
    protection_ = Protection::none;
  }
  /// Our keys, or behind a KeyUpdate the next ones, are to be handed out.
  void offload() noexcept { protection_ = Protection::keys_due; }
  void handed_out() noexcept {
    sealer.clear();
    protection_ = Protection::elsewhere;
  }
  /// Keys that were not taken cannot be any more. Those that are still ours stay for the alert; behind a KeyUpdate that
  /// was sent under others, nobody has the next ones, and nothing more can be sent.
  void withdraw_keys() noexcept {
    if (protection_ != Protection::keys_due) return;
    protection_ = sealer.installed() ? Protection::keys : Protection::over;
  }
  /// Nothing is sent any more: the key can go.
  void finish() noexcept {
    sealer.clear();
    protection_ = Protection::over;
  }

  /// What stands before a record's content.
  [[nodiscard]] std::size_t headroom() const noexcept { return clear() ? record::kHeaderSize : sealer.headroom(); }
  /// What a record adds to its content.
  [[nodiscard]] std::size_t overhead() const noexcept { return clear() ? record::kHeaderSize : sealer.overhead(); }
  /// Writes one whole record; its size, 0 when `out` has no room for it.
  [[nodiscard]] std::expected<std::size_t, Reason> write(ContentType type, Bytes content, MutableBytes out) noexcept;

  record::Sealer sealer;
  /// The most content and padding in a record of ours: as the configuration says, or less where the peer has asked for
  /// that.
  std::uint16_t max_fragment = record::kMaxPlaintext;
  std::uint16_t peers_limit = record::kMaxPlaintext;  ///< what it has asked for
  void set_max_fragment(std::uint16_t bytes) noexcept { max_fragment = std::min(bytes, peers_limit); }

  /// KeyUpdates of ours (RFC 9846 4.7.3).
  enum class KeyUpdate : std::uint8_t { none, not_requested, requested };
  KeyUpdate key_update = KeyUpdate::none;  ///< waits to be sent
  bool update_requested = false;           ///< a request is out, and its answer has not come

  /// TLS 1.2, server: one waits to be sent (RFC 5246 7.4.1.1).
  bool hello_request = false;

  /// How sending ends.
  std::optional<Alert> alert;  ///< waits to be sent
  /// A warning that waits to be sent, before that: user_canceled (RFC 9846 6.1), no_renegotiation (RFC 5246 7.2.2).
  std::optional<Alert> warning;
  bool closed = false;  ///< close_notify is due or sent

  [[nodiscard]] bool control_due() const noexcept {
    return key_update != KeyUpdate::none || hello_request || warning || alert;
  }

 private:
  Protection protection_ = Protection::none;
};

}  // namespace lockstep::connection
