// From bytes to events: records are opened in place and their content goes to the handshake, the application or the
// end.

#include <utility>

#include "connection/state.hpp"
#include "record/framing.hpp"

namespace lockstep {
namespace {

constexpr std::size_t kAlertSize = 2;
static_assert(Connection::kHeadroom == record::kHeaderSize);

}  // namespace

Received Connection::State::receive(MutableBytes inbound, Time now) noexcept {
  if (run) {
    retire();
    if (run && run->handshake.token_dropped()) {
      if (trace::Tap* const tap = this->tap(); tap != nullptr && !failed) tap->write(trace::TokenDropped{});
      fail(Reason::token_dropped, Place::application);
    }
  }
  if (auto event = waiting_event()) return {0, std::move(*event)};
  if (run && run->handshake.suspended()) return {0, Nothing{}};
  // RFC 9846 6.1: "Any data received after a closure alert has been received MUST be ignored."
  if (peer_closed) return {inbound.size(), Nothing{}};

  Received result;
  ApplicationData data;
  const record::StackSlot burst = opener.burst();
  for (Step step = Step::go_on; step == Step::go_on && !data.full();) {
    const MutableBytes rest = inbound.subspan(result.consumed);
    const auto header = record::parse_header(rest, stream());
    if (!header) {
      fail(header.error());
      break;
    }
    if (!*header || rest.size() < (*header)->record_size()) break;
    // What is not application data waits until the data before it has been told.
    if (data.size() != 0 && (*header)->type != ContentType::application_data) break;
    any_record = true;
    const MutableBytes record = rest.first((*header)->record_size());
    result.consumed += record.size();
    step = treat_record(**header, record, data, now);
  }

  if (data.size() != 0) {
    // What follows early data is treated once it was told.
    if (complete) {
      result.event = data;
    } else {
      result.event = EarlyData(data);
    }
  } else if (auto event = waiting_event()) {
    result.event = std::move(*event);
  }
  return result;
}

Event Connection::State::receive_end() noexcept {
  if (auto event = waiting_event()) return std::move(*event);
  if (peer_closed) return Nothing{};
  // RFC 9846 6.1: "Each party MUST send a "close_notify" alert before closing its write side of the connection".
  // RFC 9846 6.1: "the TLS implementation MUST receive a "close_notify" alert before indicating end-of-data to the
  // application layer."
  fail(Reason::truncated, Place::transport);
  return Failed{error};
}

// What there is to tell, in causal order; the failure stays for ever.
std::optional<Event> Connection::State::waiting_event() noexcept {
  if (run && !failed && !run->handshake.events().empty()) return run->handshake.events().pop();
  if (sessions && !failed) {
    SessionReceived received{std::move(sessions->front())};
    sessions->erase(sessions->begin());
    if (sessions->empty()) sessions.reset();
    return received;
  }
  if (std::exchange(tell_key_update, false)) return PeerKeyUpdated{};
  if (auto keys = keys_due()) return keys;
  if (std::exchange(tell_peer_closed, false)) return PeerClosed{};
  if (failed) return Failed{error};
  return std::nullopt;
}

record::Stream Connection::State::stream() const noexcept {
  if (opener.installed()) return record::Stream::protected_;
  return any_record ? record::Stream::plaintext : record::Stream::first_record;
}

Connection::State::Step Connection::State::refuse(Reason reason, Place place) noexcept {
  fail(reason, place);
  return Step::stop;
}

Connection::State::Step Connection::State::treat_record(const record::Header& header, MutableBytes record,
                                                        ApplicationData& data, Time now) noexcept {
  const MutableBytes fragment = record.subspan(record::kHeaderSize);
  if (header.type == ContentType::change_cipher_spec) return treat_change_cipher_spec(header, fragment);
  if (!opener.installed()) return treat_plaintext(header.type, fragment, record.size(), data, now);

  const bool first = opener.records() == 0 && !complete;
  // A client that could not go on after ServerHello has no keys to protect its alert with.
  if (first && header.type == ContentType::alert && config->role() == Role::server) return treat_alert(fragment);
  const auto content = opener.open(record);
  if (content) return treat_content(content->type, content->content, data, now);
  if (content.error() == Reason::record_mac && first && run && run->transport.skip(record.size())) return Step::go_on;
  return refuse(content.error());
}

Connection::State::Step Connection::State::treat_plaintext(ContentType type, MutableBytes content,
                                                           std::size_t record_size, ApplicationData& data,
                                                           Time now) noexcept {
  if (receiving.on) return treat_content(type, content, data, now);
  // Early data that follows a ClientHello which we answered with HelloRetryRequest.
  if (type == ContentType::application_data) {
    if (run && run->transport.skip(record_size)) return Step::go_on;
    return refuse(Reason::message_unexpected);
  }
  return treat_content(type, content, data, now);
}

Connection::State::Step Connection::State::treat_content(ContentType type, MutableBytes content, ApplicationData& data,
                                                         Time now) noexcept {
  // RFC 9846 5.1: "Handshake messages MUST NOT be interleaved with other record types."
  const bool within_message = (run && run->handshake.holds_input()) || partial != nullptr;
  if (type == ContentType::application_data) {
    // RFC 9846 5.1: "if a handshake message is split over two or more records, there MUST NOT be any other records
    // between them."
    if (within_message) return refuse(Reason::record_interleaved);
    if (!complete) {
      const auto left = early_data_left();
      if (!left || config->role() == Role::client) return refuse(Reason::message_unexpected);
      // RFC 9846 4.7.1: "A server receiving more than max_early_data_size bytes of 0-RTT data SHOULD terminate the
      // connection with an "unexpected_message" alert."
      if (content.size() > *left) return refuse(Reason::early_data_too_much);
      run->transport.count_early_data(content.size());
    }
    key_updates = 0;
    if (content.empty()) {
      if (++empty_records > record::kMaxConsecutiveEmptyRecords) return refuse(Reason::too_many_empty_records);
      return Step::go_on;
    }
    empty_records = 0;
    data.append(content);
    return Step::go_on;
  }
  empty_records = 0;
  if (type == ContentType::alert) return treat_alert(content);
  // What is not application data, alert or change_cipher_spec is handshake, and not empty: the opener and the header's
  // parser see to it.
  const Step step = treat_handshake(content, now);
  // What the message leads to is told after the data that came before it.
  return data.size() != 0 ? Step::stop : step;
}

Connection::State::Step Connection::State::treat_handshake(Bytes content, Time now) noexcept {
  const bool handshaking = run && !run->handshake.connected();
  const auto went = handshaking ? run->handshake.receive(content, now) : receive_post_handshake(content, now);
  if (!went) {
    fail(went.error());
    return Step::stop;
  }
  adopt();
  const bool told = sessions || tell_key_update || receiving.keys_due || (run && !run->handshake.events().empty());
  const bool waits = run && run->handshake.suspended();
  return told || waits ? Step::stop : Step::go_on;
}

Connection::State::Step Connection::State::treat_alert(Bytes content) noexcept {
  // RFC 9846 5.1: "Alert messages (Section 6) MUST NOT be fragmented across records, and multiple alert messages MUST
  // NOT be coalesced into a single TLSPlaintext record."
  if (content.size() < kAlertSize) return refuse(Reason::alert_fragmented, Place::alert);
  // RFC 9846 5.1: "In other words, a record with an Alert type MUST contain exactly one message."
  if (content.size() > kAlertSize) return refuse(Reason::alert_malformed, Place::alert);
  // The level is implicit in TLS 1.3 and ignored (RFC 9846 6).
  // RFC 9846 6: "MUST be treated as error alerts when received regardless of the AlertLevel in the message. Unknown
  // Alert types MUST be treated as error alerts."
  const auto alert = static_cast<Alert>(content[1]);
  if (trace::Tap* const tap = this->tap()) tap->write(trace::AlertRecord{trace::Direction::received, alert});
  if (alert == Alert::user_canceled) {
    // RFC 9846 6.1: followed by a close_notify; no error of its own.
    if (++warnings > record::kMaxWarningAlerts) return refuse(Reason::too_many_warnings, Place::alert);
    return Step::go_on;
  }
  if (alert == Alert::close_notify) {
    peer_closed = true;
    if (complete) {
      tell_peer_closed = true;
      return Step::stop;
    }
  }
  // RFC 9846 6: "Upon receiving an error alert, the TLS implementation SHOULD indicate an error to the application and
  // MUST NOT allow any further data to be sent or received on the connection."
  Error cause =
      make_error(alert == Alert::close_notify ? Reason::peer_closed : Reason::peer_alert, Place::alert, content[1]);
  cause.alert = alert;
  cause.origin = Origin::peer;
  fail(cause);
  return Step::stop;
}

Connection::State::Step Connection::State::treat_change_cipher_spec(const record::Header& header,
                                                                    Bytes fragment) noexcept {
  // RFC 9846 5: "An implementation may receive an unencrypted record of type change_cipher_spec consisting of the
  // single byte value 0x01 at any time after the first ClientHello message has been sent or received and before the
  // peer's Finished message has been received and MUST simply drop it without further processing. ... An implementation
  // which receives any other change_cipher_spec value or which receives a protected change_cipher_spec record MUST
  // abort the handshake with an "unexpected_message" alert."
  const bool allowed = !complete && run && (config->role() == Role::client || !run->handshake.untouched());
  // RFC 9846 5: "If an implementation detects a change_cipher_spec record received before the first ClientHello message
  // or after the peer's Finished message, it MUST be treated as an unexpected record type"
  if (!allowed) return refuse(Reason::change_cipher_spec_unexpected, Place::change_cipher_spec);
  if (!record::is_compatibility_change_cipher_spec(header, fragment))
    return refuse(Reason::change_cipher_spec_malformed, Place::change_cipher_spec);
  if (run->handshake.holds_input()) return refuse(Reason::record_interleaved, Place::change_cipher_spec);
  if (trace::Tap* const tap = this->tap()) tap->write(trace::ChangeCipherSpec{trace::Direction::received});
  if (++empty_records > record::kMaxConsecutiveEmptyRecords)
    return refuse(Reason::too_many_empty_records, Place::change_cipher_spec);
  return Step::go_on;
}

}  // namespace lockstep
