// From messages and plaintext to bytes: what is pending goes first, then application data.

#include <algorithm>
#include <array>

#include "connection/state.hpp"
#include "record/framing.hpp"

namespace lockstep {
namespace {

using connection::Sending;

constexpr std::uint8_t kWarning = 1;
constexpr std::uint8_t kFatal = 2;

// RFC 9846 6: the level of closure alerts is warning, that of errors fatal. Peers of TLS 1.2 go by it.
std::uint8_t level_of_last(Alert alert) noexcept {
  // RFC 9846 6: "All the alerts listed in Section 6.2 MUST be sent with AlertLevel=fatal"
  // RFC 9846 6.1: "This alert MUST be sent with AlertLevel=warning. ... This alert MUST be followed by a
  // "close_notify"."
  return alert == Alert::close_notify || alert == Alert::user_canceled ? kWarning : kFatal;
}

// What was written before a failure is the peer's all the same; the next call says that there is an end.
std::expected<Sealed, Misuse> nothing_more(const Sealed& so_far) noexcept {
  if (so_far.written != 0) return so_far;
  return std::unexpected(Misuse::closed);
}

}  // namespace

bool Connection::State::output_due() const noexcept {
  return sending.control_due() || (run() != nullptr && run()->transport.pending());
}

std::size_t Connection::State::transmit(MutableBytes outbound, Time now) noexcept {
  if (run() != nullptr) {
    run()->handshake.context().now = now;
    retire();
    notice_dropped_tokens();
  }
  if (sending.protection() == Sending::Protection::keys_due) return 0;  // what follows is for keys that nobody has yet
  std::size_t written = 0;
  if (run() != nullptr) {
    if (error() == nullptr) {
      if (auto flushed = run()->transport.flush(); !flushed) fail(flushed.error());
    }
    written = run()->transport.drain(outbound);
    if (!run()->transport.empty()) return written;
  }
  if (sending.key_update != Sending::KeyUpdate::none) {
    const std::size_t size = write_key_update(outbound.subspan(written));
    if (size == 0 && error() == nullptr) return written;
    written += size;
    if (sending.protection() == Sending::Protection::keys_due) return written;
  }
  if (sending.hello_request) {
    const std::size_t size = write_hello_request(outbound.subspan(written));
    if (size == 0) return written;
    written += size;
  }
  // An alert that cannot be protected is not sent: there is nothing to wait for.
  const auto write_alert = [&](std::uint8_t level, Alert alert) {
    const std::array<std::uint8_t, 2> content{level, static_cast<std::uint8_t>(alert)};
    const auto size = sending.write(ContentType::alert, content, outbound.subspan(written));
    if (!size) return true;
    if (*size == 0) return false;
    written += *size;
    if (trace::Tap* const tap = this->tap()) tap->write(trace::AlertRecord{Direction::send, alert});
    return true;
  };
  if (sending.warning) {
    if (!write_alert(kWarning, *sending.warning)) return written;
    sending.warning.reset();
  }
  if (sending.alert) {
    if (!write_alert(level_of_last(*sending.alert), *sending.alert)) return written;
    // Nothing is sent after an alert: the key can go.
    sending.alert.reset();
    sending.finish();
    if (auto* const stands = established()) {
      if (auto* const secrets = std::get_if<handshake::Secrets13>(&stands->secrets)) secrets->write_traffic.clear();
    }
  }
  return written;
}

// Whether application data may be sealed now; has the key changed in time.
std::expected<void, Misuse> Connection::State::check_seal() noexcept {
  if (established() == nullptr || sending.closed) {
    if (answers_early_data() || starts_falsely()) return {};
    if (const auto refused = not_sendable()) return std::unexpected(*refused);
  }
  if (sending.offloaded()) return std::unexpected(Misuse::offloaded);
  // What the peer has left unfinished at its end is not finished any more.
  if (receiving.closed() && renegotiating()) return std::unexpected(Misuse::closed);
  if (sending.sealer.wants_key_update(config->settings().key_update_bytes) &&
      sending.key_update == Sending::KeyUpdate::none)
    sending.key_update = Sending::KeyUpdate::not_requested;
  return {};
}

std::expected<Sealed, Misuse> Connection::State::seal(std::span<const Bytes> plaintext, MutableBytes outbound,
                                                      Time now) noexcept {
  if (auto allowed = check_seal(); !allowed) return std::unexpected(allowed.error());
  const Settings& settings = config->settings();
  Sealed result;
  if (run() != nullptr || sending.control_due()) {
    result.written = transmit(outbound, now);
    if (output_due()) return result;
    if (error() != nullptr) return nothing_more(result);
    // RFC 5246 would have us send until our change_cipher_spec. OpenSSL, BoringSSL and Go take no data that comes
    // between the messages of a handshake.
    if (renegotiating()) return result;
  }

  record::Cut cut{sending.max_fragment, settings.padding};
  record::RecordSizer* const sizer =
      settings.dynamic_record_sizing && established() != nullptr ? &established()->sizer : nullptr;
  if (sizer != nullptr) cut.max_fragment = sizer->fragment_size(now, cut.max_fragment);
  // Not more than the key is good for, but a record at least: what is left comes after the KeyUpdate of the next call.
  const std::uint64_t left = settings.key_update_bytes - std::min(settings.key_update_bytes, sending.sealer.bytes());
  MutableBytes out = outbound.subspan(result.written);
  if (left == 0 && established() == nullptr) return result;  // the key changes once the handshake is complete
  if (out.size() > left) {
    const std::uint64_t room =
        std::max<std::uint64_t>(left, cut.max_fragment) + (left / cut.max_fragment + 1) * sending.sealer.overhead();
    if (out.size() > room) out = out.first(static_cast<std::size_t>(room));
  }

  // RFC 9846 5.1: "Application Data records MUST NOT be written to the wire unprotected"
  const auto sealed = sending.sealer.seal(ContentType::application_data, plaintext, cut, out);
  if (!sealed) {
    fail(sealed.error(), Place::record);
    return nothing_more(result);
  }
  if (sizer != nullptr) sizer->sent(sealed->consumed, now);
  result.consumed = sealed->consumed;
  result.written += sealed->written;
  return result;
}

std::expected<MutableBytes, Misuse> Connection::State::seal_in_place(RecordSlot slot, Time now) noexcept {
  retire();
  if (auto allowed = check_seal(); !allowed) return std::unexpected(allowed.error());
  const Settings& settings = config->settings();
  if (output_due()) return std::unexpected(Misuse::transmit_first);
  if (renegotiating()) return std::unexpected(Misuse::handshake_not_over);
  const std::size_t headroom = sending.sealer.headroom();
  if (slot.headroom < headroom || slot.payload > sending.max_fragment ||
      slot.buffer.size() < slot.headroom + slot.payload)
    return std::unexpected(Misuse::buffer_too_small);
  const std::size_t padding = settings.padding.padding_for(slot.payload, sending.max_fragment);
  const MutableBytes record = slot.buffer.subspan(slot.headroom - headroom);
  const auto sealed = sending.sealer.seal_in_place(ContentType::application_data, record, slot.payload, padding);
  if (!sealed) {
    fail(sealed.error(), Place::record);
    return std::unexpected(Misuse::closed);
  }
  if (*sealed == 0) return std::unexpected(Misuse::buffer_too_small);
  if (settings.dynamic_record_sizing && established() != nullptr) established()->sizer.sent(slot.payload, now);
  return record.first(*sealed);
}

std::expected<Sealed, Misuse> Connection::State::seal_early(std::span<const Bytes> plaintext, MutableBytes outbound,
                                                            Time now) noexcept {
  if (!usable()) return std::unexpected(Misuse::unusable);
  if (!early_data_left() || role != Role::client) return std::unexpected(Misuse::no_early_data);
  Sealed result;
  result.written = transmit(outbound, now);
  if (error() != nullptr) return nothing_more(result);
  const auto left = early_data_left();
  if (output_due() || left.value_or(0) == 0) return result;

  const Settings& settings = config->settings();
  const record::Cut cut{sending.max_fragment, settings.padding, *left};
  const auto sealed =
      sending.sealer.seal(ContentType::application_data, plaintext, cut, outbound.subspan(result.written));
  if (!sealed) {
    fail(sealed.error(), Place::record);
    return nothing_more(result);
  }
  run()->transport.count_early_data(sealed->consumed);
  result.consumed = sealed->consumed;
  result.written += sealed->written;
  return result;
}

}  // namespace lockstep
