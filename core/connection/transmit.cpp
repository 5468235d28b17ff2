// From messages and plaintext to bytes: what is pending goes first, then application data.

#include <algorithm>
#include <array>

#include "connection/state.hpp"
#include "record/framing.hpp"

namespace lockstep {
namespace {

using KeyUpdate = connection::Control::KeyUpdate;

constexpr std::uint8_t kWarning = 1;
constexpr std::uint8_t kFatal = 2;

// RFC 9846 6: the level of closure alerts is warning, that of errors fatal; peers ignore it.
std::array<std::uint8_t, 2> alert_content(Alert alert) noexcept {
  // RFC 9846 6: "All the alerts listed in Section 6.2 MUST be sent with AlertLevel=fatal"
  // RFC 9846 6.1: "This alert MUST be sent with AlertLevel=warning. ... This alert MUST be followed by a
  // "close_notify"."
  const bool closure = alert == Alert::close_notify || alert == Alert::user_canceled;
  return {closure ? kWarning : kFatal, static_cast<std::uint8_t>(alert)};
}

// One alert record, protected when there is a key; 0 when it does not fit or cannot be sealed.
std::size_t write_alert(record::Sealer& sealer, Alert alert, MutableBytes out) noexcept {
  const auto content = alert_content(alert);
  if (!sealer.installed()) return record::write_plaintext(ContentType::alert, ProtocolVersion::tls_1_2, content, out);
  const Bytes segment = content;
  const auto sealed = sealer.seal(ContentType::alert, std::span(&segment, 1), {}, out);
  return sealed ? sealed->produced : 0;
}

}  // namespace

bool Connection::State::transmit_pending() const noexcept {
  return !control.empty() || (run && run->transport.pending());
}

std::size_t Connection::State::transmit(MutableBytes outbound) noexcept {
  retire();
  if (sending.keys_due) return 0;  // what follows is for keys that nobody has yet
  std::size_t written = 0;
  if (run) {
    if (!failed) {
      if (auto flushed = run->transport.flush(); !flushed) fail(flushed.error());
    }
    written = run->transport.drain(outbound);
    if (!run->transport.empty()) return written;
  }
  if (control.key_update != KeyUpdate::none) {
    const std::size_t size = write_key_update(outbound.subspan(written));
    if (size == 0 && !failed) return written;
    written += size;
    if (sending.keys_due) return written;
  }
  if (control.user_canceled) {
    if (const std::size_t size = complete ? 0 : write_alert(sealer, Alert::user_canceled, outbound.subspan(written))) {
      written += size;
      if (trace::Tap* const tap = this->tap())
        tap->write(trace::AlertRecord{trace::Direction::sent, Alert::user_canceled});
    } else if (!complete) {
      return written;
    }
    control.user_canceled = false;
  }
  if (control.alert_due) {
    const std::size_t size = write_alert(sealer, control.alert, outbound.subspan(written));
    if (size == 0) return written;
    written += size;
    if (trace::Tap* const tap = this->tap()) tap->write(trace::AlertRecord{trace::Direction::sent, control.alert});
    control.alert_due = false;
    // Nothing is sent after an alert: the key can go.
    sealer.clear();
    secrets.write_traffic.clear();
  }
  return written;
}

// Whether application data may be sealed now; has the key changed in time.
std::expected<void, Misuse> Connection::State::check_seal() noexcept {
  if (answers_early_data()) return {};
  if (!complete && !failed) return std::unexpected(Misuse::not_connected);
  if (!sendable()) return std::unexpected(Misuse::closed);
  if (sending.on) return std::unexpected(Misuse::offloaded);
  if (sealer.wants_key_update(config->settings().key_update_bytes) && control.key_update == KeyUpdate::none)
    control.key_update = KeyUpdate::not_requested;
  return {};
}

std::expected<Sealed, Misuse> Connection::State::seal(std::span<const Bytes> plaintext, MutableBytes outbound,
                                                      Time now) noexcept {
  if (auto allowed = check_seal(); !allowed) return std::unexpected(allowed.error());
  const Settings& settings = config->settings();
  Sealed result;
  if (run || !control.empty()) {
    result.written = transmit(outbound);
    if (transmit_pending()) return result;
  }

  record::Cut cut{settings.max_send_fragment, settings.padding};
  if (settings.dynamic_record_sizing) cut.max_fragment = sizer.fragment_size(now, cut.max_fragment);
  // Not more than the key is good for, but a record at least: what is left comes after the KeyUpdate of the next call.
  const std::uint64_t left = settings.key_update_bytes - std::min(settings.key_update_bytes, sealer.bytes());
  MutableBytes out = outbound.subspan(result.written);
  if (left == 0 && !complete) return result;  // the key changes once the handshake is complete
  if (out.size() > left) {
    const std::uint64_t room =
        std::max<std::uint64_t>(left, cut.max_fragment) + (left / cut.max_fragment + 1) * sealer.overhead();
    if (out.size() > room) out = out.first(static_cast<std::size_t>(room));
  }

  // RFC 9846 5.1: "Application Data records MUST NOT be written to the wire unprotected"
  const auto sealed = sealer.seal(ContentType::application_data, plaintext, cut, out);
  if (!sealed) {
    fail(sealed.error(), Place::record);
    return std::unexpected(Misuse::closed);
  }
  if (settings.dynamic_record_sizing) sizer.sent(sealed->consumed, now);
  result.consumed = sealed->consumed;
  result.written += sealed->produced;
  return result;
}

std::expected<MutableBytes, Misuse> Connection::State::seal_in_place(RecordSlot slot, Time now) noexcept {
  retire();
  if (auto allowed = check_seal(); !allowed) return std::unexpected(allowed.error());
  const Settings& settings = config->settings();
  if (transmit_pending()) return std::unexpected(Misuse::transmit_first);
  if (slot.headroom < record::kHeaderSize || slot.payload > settings.max_send_fragment ||
      slot.buffer.size() < slot.headroom + slot.payload)
    return std::unexpected(Misuse::buffer_too_small);
  const std::size_t padding = settings.padding.padding_for(slot.payload, settings.max_send_fragment);
  const MutableBytes record = slot.buffer.subspan(slot.headroom - record::kHeaderSize);
  const auto sealed = sealer.seal_in_place(ContentType::application_data, record, slot.payload, padding);
  if (!sealed) {
    fail(sealed.error(), Place::record);
    return std::unexpected(Misuse::closed);
  }
  if (*sealed == 0) return std::unexpected(Misuse::buffer_too_small);
  if (settings.dynamic_record_sizing) sizer.sent(slot.payload, now);
  return record.first(*sealed);
}

std::expected<Sealed, Misuse> Connection::State::seal_early(std::span<const Bytes> plaintext,
                                                            MutableBytes outbound) noexcept {
  const auto left = early_data_left();
  if (!left || config->role() != Role::client) return std::unexpected(Misuse::no_early_data);
  Sealed result;
  result.written = transmit(outbound);
  if (failed) return std::unexpected(Misuse::closed);
  if (transmit_pending() || *left == 0) return result;

  const Settings& settings = config->settings();
  const record::Cut cut{settings.max_send_fragment, settings.padding, *left};
  const auto sealed = sealer.seal(ContentType::application_data, plaintext, cut, outbound.subspan(result.written));
  if (!sealed) {
    fail(sealed.error(), Place::record);
    return std::unexpected(Misuse::closed);
  }
  run->transport.count_early_data(sealed->consumed);
  result.consumed = sealed->consumed;
  result.written += sealed->produced;
  return result;
}

}  // namespace lockstep
