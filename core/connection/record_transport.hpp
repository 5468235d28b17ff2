#pragma once
// Handshake messages over TLS records (RFC 9846 5.1): gathers a flight's messages into records and keeps them until the
// caller has room.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "connection/receiving.hpp"
#include "connection/sending.hpp"
#include "handshake/arena.hpp"
#include "handshake/context.hpp"
#include "record/limits.hpp"

namespace lockstep::connection {

class RecordTransport final : public handshake::Transport {
 public:
  RecordTransport(const Settings& settings, handshake::Arena& arena) noexcept : settings_(&settings), arena_(arena) {}
  /// Server: the settings from here on, before anything was sent.
  void use(const Settings& settings) noexcept { settings_ = &settings; }

  /// Where the keys live: set after construction and whenever the connection moves.
  void attach(Receiving& receiving, Sending& sending) noexcept {
    receiving_ = &receiving;
    sending_ = &sending;
  }
  /// Where a recorded connection writes.
  void attach(trace::Tap* tap) noexcept { tap_ = tap; }

  [[nodiscard]] handshake::Status send(handshake::Level level, Bytes message) noexcept override;
  [[nodiscard]] handshake::Status install_write(handshake::Level level, const handshake::Keys& keys) noexcept override;
  [[nodiscard]] handshake::Status install_read(handshake::Level level, const handshake::Keys& keys,
                                               handshake::RecordAligned aligned) noexcept override;
  [[nodiscard]] handshake::Status end_flight() noexcept override;
  [[nodiscard]] handshake::Status limit_records(const handshake::RecordLimits& limits) noexcept override;
  void middlebox_compatibility(bool on) noexcept override { compatibility_ = on; }
  void skip_early_data() noexcept override {
    early_data_to_skip_ = std::max<std::size_t>(record::kMaxEarlyDataSkipped, settings_->early_data);
  }
  void allow_early_data(std::uint32_t bytes) noexcept override { early_data_left_ = bytes; }
  [[nodiscard]] handshake::Status end_early_data(std::optional<handshake::RecordAligned> aligned) noexcept override;

  /// Early data that may still come or go; nothing outside of its time.
  [[nodiscard]] std::optional<std::size_t> early_data_left() const noexcept { return early_data_left_; }
  /// Counts some that came or went.
  void count_early_data(std::size_t bytes) noexcept { *early_data_left_ -= bytes; }

  /// Whether a record that cannot be opened may be early data that is to be skipped; counts it.
  [[nodiscard]] bool skip(std::size_t record_size) noexcept;

  /// Ends the record that is being filled, so that it can be sent.
  [[nodiscard]] handshake::Status flush() noexcept;
  /// Forgets the messages of the record that is being filled: the handshake has failed, and what is still to come is an
  /// alert.
  void abandon() noexcept;
  /// Forgets all that was not sent: nobody reads it any more.
  void discard() noexcept;
  /// Whether part of a message is out and its rest is not: an alert that does not end everything may not come between.
  [[nodiscard]] bool within_message() const noexcept { return continues_; }
  /// Whether everything finished has been sent.
  [[nodiscard]] bool empty() const noexcept { return sent_ == size_; }
  /// Whether there is something to send, the open record included.
  [[nodiscard]] bool pending() const noexcept { return !empty() || content_ != 0 || lost_; }
  /// Copies finished records to `out`; the number of bytes.
  [[nodiscard]] std::size_t drain(MutableBytes out) noexcept;

 private:
  /// A key of the handshake that waits for the end of early data.
  struct Waiting {
    const BoundSuite* suite = nullptr;
    DigestSecret secret;
  };
  [[nodiscard]] static Waiting waiting(const handshake::Keys13& keys) noexcept;

  [[nodiscard]] handshake::Status write_under(handshake::Level level, const handshake::Keys13& keys) noexcept;
  [[nodiscard]] handshake::Status read_under(handshake::Level level, const handshake::Keys13& keys,
                                             handshake::RecordAligned aligned) noexcept;
  [[nodiscard]] handshake::Status append(Bytes bytes) noexcept;
  [[nodiscard]] handshake::Status write_under(const handshake::Keys12& keys) noexcept;
  /// RFC 5246 7.1.
  [[nodiscard]] handshake::Status announce_key() noexcept;
  /// RFC 9846 E.4, once.
  [[nodiscard]] handshake::Status append_dummy_change_cipher_spec() noexcept;
  [[nodiscard]] handshake::Status cannot_protect(handshake::Level level) noexcept;
  [[nodiscard]] bool reserve(std::size_t size) noexcept;

  const Settings* settings_;
  handshake::Arena& arena_;
  Receiving* receiving_ = nullptr;
  Sending* sending_ = nullptr;
  trace::Tap* tap_ = nullptr;

  // What waits to be sent: buffer_[sent_, size_) is finished records, followed by the open one.
  MutableBytes buffer_;
  std::size_t sent_ = 0;
  std::size_t size_ = 0;
  std::size_t content_ = 0;  // of the open record, behind its headroom; 0: none is open
  std::size_t received_limit_ = record::kMaxInnerPlaintext;
  std::size_t early_data_to_skip_ = 0;
  std::optional<std::size_t> early_data_left_;
  std::optional<Waiting> next_write_;
  std::optional<Waiting> next_read_;
  bool lost_ = false;       // a record could not be protected: nothing may follow it as if it were there
  bool continues_ = false;  // the open record begins with the rest of a message
  bool first_record_ = true;
  bool flight_ended_ = false;
  bool compatibility_ = false;
  bool change_cipher_spec_sent_ = false;
};

}  // namespace lockstep::connection
