// From bytes to events: records are opened in place and their content goes to the handshake, the application or the
// end.

#include <utility>

#include "connection/state.hpp"
#include "handshake/key_exchange12.hpp"
#include "record/framing.hpp"

namespace lockstep {
namespace {

using connection::Receiving;

constexpr std::size_t kAlertSize = 2;
constexpr std::uint8_t kWarning = 1;
static_assert(Connection::kRecordHeader == record::kHeaderSize);
static_assert(Connection::kMaxRecord == record::kMaxRecordSize);

}  // namespace

Received Connection::State::receive(MutableBytes inbound, Time now) noexcept {
  if (run() != nullptr) {
    run()->handshake.context().now = now;
    retire();
    notice_dropped_tokens();
  }
  if (auto event = waiting_event()) return {0, std::move(*event)};
  if (run() != nullptr && run()->handshake.suspended()) return {0, Nothing{}};
  // RFC 9846 6.1: "Any data received after a closure alert has been received MUST be ignored."
  if (receiving.closed()) return {inbound.size(), Nothing{}};

  Received result;
  ApplicationData data;
  bool early = false;  // the data is
  const record::StackSlot burst = receiving.opener.burst();
  for (Step step = Step::go_on; step == Step::go_on && !data.full();) {
    const MutableBytes rest = inbound.subspan(result.consumed);
    const auto header = record::parse_header(rest, receiving.stream());
    if (!header) {
      fail(header.error());
      break;
    }
    // RFC 8449 4: "A TLS endpoint that receives a record larger than its advertised limit MUST generate a fatal
    // "record_overflow" alert". Where its header says so already, nobody needs room for the rest.
    if (*header && receiving.opener.limited() && (*header)->record_size() > max_record()) {
      fail(Reason::record_too_long, Place::record);
      break;
    }
    if (!*header || rest.size() < (*header)->record_size()) break;
    // What is not application data waits until the data before it has been reported.
    if (data.size() != 0 && (*header)->type != ContentType::application_data) break;
    receiving.any_record = true;
    if (data.size() == 0) early = established() == nullptr;
    const MutableBytes record = rest.first((*header)->record_size());
    result.consumed += record.size();
    step = process_record(**header, record, data, now);
  }

  if (data.size() != 0) {
    // What follows data is handled once that was reported, be it a failure.
    if (early) {
      result.event = EarlyData(data);
    } else {
      result.event = data;
    }
  } else if (auto event = waiting_event()) {
    result.event = std::move(*event);
  }
  return result;
}

Event Connection::State::receive_end() noexcept {
  if (auto event = waiting_event()) return std::move(*event);
  if (receiving.closed()) return Nothing{};
  // RFC 9846 6.1: "Each party MUST send a "close_notify" alert before closing its write side of the connection".
  // RFC 9846 6.1: "the TLS implementation MUST receive a "close_notify" alert before indicating end-of-data to the
  // application layer."
  fail(Reason::truncated, Place::transport);
  return Failed{*error()};
}

// What there is to report, in causal order; the failure stays for ever.
std::optional<Event> Connection::State::waiting_event() noexcept {
  if (const Error* const failure = error()) {
    if (receiving.end == Receiving::End::to_report) receiving.end = Receiving::End::reported;
    return Failed{*failure};
  }
  if (run() != nullptr && !run()->handshake.events().empty()) {
    Event event = run()->handshake.events().pop();
    const auto& attachment = run()->handshake.context().attachment;
    std::visit(
        [&attachment]<class T>(T& told) {
          if constexpr (requires { told.attachment; }) told.attachment = attachment;
        },
        event);
    return event;
  }
  if (auto* const stands = established(); stands != nullptr && stands->sessions) {
    SessionReceived received{std::move(stands->sessions->front())};
    stands->sessions->erase(stands->sessions->begin());
    if (stands->sessions->empty()) stands->sessions.reset();
    return received;
  }
  if (std::exchange(receiving.key_updated, false)) return PeerKeyUpdated{};
  if (std::exchange(receiving.renegotiation_refused, false)) return RenegotiationRefused{};
  if (auto keys = keys_due()) return keys;
  if (receiving.end == Receiving::End::to_report) {
    receiving.end = Receiving::End::reported;
    return PeerClosed{};
  }
  return std::nullopt;
}

bool Connection::State::within_message() const noexcept {
  if (const auto* const stands = established(); stands != nullptr && !renegotiating()) return !stands->inbox.empty();
  return run() != nullptr && run()->handshake.holds_input();
}

Connection::State::Step Connection::State::refuse(Reason reason, Place place) noexcept {
  fail(reason, place);
  return Step::stop;
}

Connection::State::Step Connection::State::process_record(const record::Header& header, MutableBytes record,
                                                          ApplicationData& data, Time now) noexcept {
  const MutableBytes fragment = record.subspan(record::kHeaderSize);
  if (header.type == ContentType::change_cipher_spec) return process_change_cipher_spec(record, now);
  if (!receiving.opener.installed()) {
    if (header.length > receiving.max_unprotected && !receiving.offloaded()) return refuse(Reason::record_too_long);
    return process_plaintext(header.type, fragment, record.size(), data, now);
  }

  const bool first = receiving.opener.records() == 0 && handshaking();
  // A client that could not go on after ServerHello has no keys to protect its alert with. In TLS 1.2 its key is its
  // own, and every alert behind it is protected.
  if (first && receiving.opener.format().stream == record::Stream::protected_ && header.type == ContentType::alert &&
      role == Role::server)
    return process_alert(fragment);
  const auto content = receiving.opener.open(record);
  if (content) return process_content(content->type, content->content, data, now);
  return process_unopened(content.error(), first, record.size());
}

Connection::State::Step Connection::State::process_unopened(Reason reason, bool first,
                                                            std::size_t record_size) noexcept {
  if (reason == Reason::record_mac && first) {
    if (run()->transport.skip(record_size)) return Step::go_on;
    // RFC 4279 2 has a server respond with a "decrypt_error" alert where the key was incorrect: all that is protected
    // by keys which come from another pre-shared one is Finished, as the record's authentication says first.
    const handshake::Agreed& now_agreed = agreed();
    if (!now_agreed.resumed && handshake::uses_psk(*now_agreed.suite))
      return refuse(Reason::psk_mismatch, Place::finished);
  }
  return refuse(reason);
}

Connection::State::Step Connection::State::process_plaintext(ContentType type, MutableBytes content,
                                                             std::size_t record_size, ApplicationData& data,
                                                             Time now) noexcept {
  if (receiving.offloaded() || type != ContentType::application_data) return process_content(type, content, data, now);
  // Early data that follows a ClientHello which we answered with HelloRetryRequest.
  if (within_message()) return refuse(Reason::record_interleaved);
  if (run() != nullptr && run()->transport.skip(record_size)) return Step::go_on;
  return refuse(Reason::message_unexpected);
}

Connection::State::Step Connection::State::process_content(ContentType type, MutableBytes content,
                                                           ApplicationData& data, Time now) noexcept {
  if (type == ContentType::application_data) return process_data(content, data);
  if (type == ContentType::alert) return process_alert(content);
  // What is not application data, alert or change_cipher_spec is handshake, and not empty: the opener and the header's
  // parser see to it.
  const Step step = process_handshake(content, now);
  // What the message leads to is reported after the data that came before it.
  return data.size() != 0 ? Step::stop : step;
}

Connection::State::Step Connection::State::process_data(MutableBytes content, ApplicationData& data) noexcept {
  // Once there is no handshake any more, there is one thing to look at.
  if (const auto* const stands = established(); stands == nullptr || stands->run != nullptr || !stands->inbox.empty()) {
    if (const Reason reason = judge_data(content.size()); reason != Reason::none) return refuse(reason);
  }
  if (content.empty()) {
    if (!receiving.count_idle()) return refuse(Reason::too_many_empty_records);
    return Step::go_on;
  }
  receiving.progress();
  data.append(content);
  return Step::go_on;
}

Reason Connection::State::judge_data(std::size_t size) noexcept {
  // RFC 9846 5.1: "Handshake messages MUST NOT be interleaved with other record types. That is, if a handshake message
  // is split over two or more records, there MUST NOT be any other records between them."
  if (within_message()) return Reason::record_interleaved;
  if (established() == nullptr) {
    const auto left = early_data_left();
    if (!left || role == Role::client) return Reason::message_unexpected;
    // RFC 9846 4.7.1: "A server receiving more than max_early_data_size bytes of 0-RTT data SHOULD terminate the
    // connection with an "unexpected_message" alert."
    if (size > *left) return Reason::early_data_too_much;
    run()->transport.count_early_data(size);
  }
  // RFC 5246 6.2.1: "Recipients MUST receive and process interleaved application layer traffic during handshakes
  // subsequent to the first one on a connection." Under its next key a peer says nothing before its Finished (RFC 5246
  // 7.4.9).
  if (renegotiating() && run()->handshake.awaits_finished()) return Reason::message_unexpected;
  return Reason::none;
}

Connection::State::Step Connection::State::process_handshake(Bytes content, Time now) noexcept {
  if (established() != nullptr && !renegotiating()) {
    if (auto went = receive_post_handshake(content, now); !went) {
      fail(went.error());
      return Step::stop;
    }
  } else {
    if (!ensure_run()) return Step::stop;
    if (handshaking()) receiving.progress();
    if (auto went = run()->handshake.receive(content, now); !went) {
      fail(went.error());
      return Step::stop;
    }
    establish();
  }
  const auto* const stands = established();
  const bool to_report = receiving.key_updated || receiving.protection == Receiving::Protection::keys_due ||
                         (stands != nullptr && stands->sessions) ||
                         (run() != nullptr && !run()->handshake.events().empty());
  const bool waits = run() != nullptr && run()->handshake.suspended();
  return to_report || waits ? Step::stop : Step::go_on;
}

Connection::State::Step Connection::State::process_alert(Bytes content) noexcept {
  // RFC 9846 5.1: "Alert messages (Section 6) MUST NOT be fragmented across records, and multiple alert messages MUST
  // NOT be coalesced into a single TLSPlaintext record."
  if (content.size() < kAlertSize) return refuse(Reason::alert_fragmented, Place::alert);
  // RFC 9846 5.1: "In other words, a record with an Alert type MUST contain exactly one message."
  if (content.size() > kAlertSize) return refuse(Reason::alert_malformed, Place::alert);
  // The level is implicit in TLS 1.3 and ignored (RFC 9846 6).
  // RFC 9846 6: "MUST be treated as error alerts when received regardless of the AlertLevel in the message. Unknown
  // Alert types MUST be treated as error alerts."
  const auto alert = static_cast<Alert>(content[1]);
  if (trace::Tap* const tap = this->tap()) tap->write(trace::AlertRecord{Direction::receive, alert});
  if (alert == Alert::user_canceled) {
    // RFC 9846 5.1: "Handshake messages MUST NOT be interleaved with other record types."
    if (within_message()) return refuse(Reason::record_interleaved, Place::alert);
    // RFC 9846 6.1: followed by a close_notify; no error of its own.
    if (!receiving.count_warning()) return refuse(Reason::too_many_warnings, Place::alert);
    return Step::go_on;
  }
  // RFC 5246 7.2.2: "If an alert with a level of warning is sent and received, generally the connection can continue
  // normally." A client does not know yet that it speaks TLS 1.3 when a server warns that it does not know the name.
  if (content[0] == kWarning && alert != Alert::close_notify && agreed().version != ProtocolVersion::tls_1_3 &&
      config->settings().speaks(ProtocolVersion::tls_1_2)) {
    if (within_message()) return refuse(Reason::record_interleaved, Place::alert);
    if (alert == Alert::no_renegotiation && renegotiation_refused()) return Step::stop;
    if (!receiving.count_warning()) return refuse(Reason::too_many_warnings, Place::alert);
    return Step::go_on;
  }
  if (alert == Alert::close_notify) {
    receiving.end = Receiving::End::to_report;
    if (established() != nullptr) return Step::stop;
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

Connection::State::Step Connection::State::process_change_cipher_spec(MutableBytes record, Time now) noexcept {
  Bytes fragment = record.subspan(record::kHeaderSize);
  if (agreed().version == ProtocolVersion::tls_1_2) {
    // RFC 5246 7.1: it comes once the peer has derived keys, and only then is there a state that takes it.
    if (run() == nullptr || !run()->handshake.accepts_change_cipher_spec())
      return refuse(Reason::change_cipher_spec_unexpected, Place::change_cipher_spec);
    // RFC 5246 7.1: "The protocol consists of a single message, which is encrypted and compressed under the current
    // (not the pending) connection state."
    if (receiving.opener.installed()) {
      const auto opened = receiving.opener.open(record);
      if (!opened) return refuse(opened.error());
      fragment = opened->content;
    }
    if (!record::is_change_cipher_spec(fragment))
      return refuse(Reason::change_cipher_spec_malformed, Place::change_cipher_spec);
    if (within_message()) return refuse(Reason::record_interleaved, Place::change_cipher_spec);
    if (trace::Tap* const tap = this->tap()) tap->write(trace::ChangeCipherSpec{Direction::receive});
    if (auto went = run()->handshake.receive_change_cipher_spec(now); !went) {
      fail(went.error());
      return Step::stop;
    }
    return Step::go_on;
  }
  // RFC 9846 5: "An implementation may receive an unencrypted record of type change_cipher_spec consisting of the
  // single byte value 0x01 at any time after the first ClientHello message has been sent or received and before the
  // peer's Finished message has been received and MUST simply drop it without further processing. ... An implementation
  // which receives any other change_cipher_spec value or which receives a protected change_cipher_spec record MUST
  // abort the handshake with an "unexpected_message" alert."
  // Where TLS 1.3 is not spoken, nothing is dropped before a version is agreed on.
  const bool allowed = config->settings().speaks(ProtocolVersion::tls_1_3) && handshaking() && run() != nullptr &&
                       (role == Role::client || !run()->handshake.untouched());
  // RFC 9846 5: "If an implementation detects a change_cipher_spec record received before the first ClientHello message
  // or after the peer's Finished message, it MUST be treated as an unexpected record type"
  if (!allowed) return refuse(Reason::change_cipher_spec_unexpected, Place::change_cipher_spec);
  if (!record::is_change_cipher_spec(fragment))
    return refuse(Reason::change_cipher_spec_malformed, Place::change_cipher_spec);
  if (within_message()) return refuse(Reason::record_interleaved, Place::change_cipher_spec);
  if (trace::Tap* const tap = this->tap()) tap->write(trace::ChangeCipherSpec{Direction::receive});
  if (!receiving.count_idle()) return refuse(Reason::too_many_empty_records, Place::change_cipher_spec);
  return Step::go_on;
}

}  // namespace lockstep
