#pragma once
// What we receive: its protection, and the limits on what carries no data.

#include <cstdint>

#include "record/framing.hpp"
#include "record/limits.hpp"
#include "record/opener.hpp"

namespace lockstep::connection {

/// The receiving half of a connection.
struct Receiving {
  record::Opener opener;
  /// The most content of a record without protection (RFC 6066 4).
  std::uint16_t max_unprotected = record::kMaxPlaintext;

  enum class Protection : std::uint8_t {
    ours,       ///< records are opened here, once there is a key
    keys_due,   ///< to be handed out
    elsewhere,  ///< somebody else opens them
  };
  Protection protection = Protection::ours;

  enum class End : std::uint8_t {
    open,
    to_report,  ///< close_notify has come
    reported,
  };
  End end = End::open;

  /// The peer has changed its key, which is to be reported.
  bool key_updated = false;
  /// The peer does not want to renegotiate, which is to be reported.
  bool renegotiation_refused = false;
  /// A record was accepted: the peer speaks TLS.
  bool any_record = false;

  [[nodiscard]] bool offloaded() const noexcept { return protection != Protection::ours; }
  [[nodiscard]] bool closed() const noexcept { return end != End::open; }
  /// The largest record that may come now by the standards.
  [[nodiscard]] std::size_t max_record() const noexcept {
    return record::kHeaderSize +
           (stream() == record::Stream::protected_tls12 ? record::kMaxCiphertextTls12 : record::kMaxCiphertext);
  }
  [[nodiscard]] record::Stream stream() const noexcept {
    if (opener.installed()) return opener.format().stream;
    return any_record ? record::Stream::plaintext : record::Stream::first_record;
  }

  /// Counts a record that brings nothing: empty data, change_cipher_spec, or a KeyUpdate that nobody has asked for. One
  /// count for all of them, so that no kind can hide behind another; false when there are too many.
  [[nodiscard]] bool count_idle() noexcept { return ++idle_records_ <= record::kMaxIdleRecords; }
  /// The peer got somewhere.
  void progress() noexcept { idle_records_ = 0; }
  [[nodiscard]] bool count_warning() noexcept { return ++warnings_ <= record::kMaxWarningAlerts; }

 private:
  std::uint8_t idle_records_ = 0;
  std::uint8_t warnings_ = 0;
};

}  // namespace lockstep::connection
