#include "story.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "facts.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

using trace::Protection;
using Kind = LadderRow::Kind;

constexpr std::int64_t kPause = 1000;  // milliseconds that are worth a row

std::string count(std::uint64_t number, std::string_view noun) {
  return with_separators(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::string text_of(const trace::Content& content) {
  if (content.bytes.size() != content.size) return "(" + count(content.size, "byte") + ")";
  return printable(as_text(content.bytes));
}

/// "client_hello" as the RFC writes it: "ClientHello".
std::string message_name(const trace::Message& message) {
  if (message.retry) return "HelloRetryRequest";
  const std::string_view words = name(message.type);
  if (words.empty()) return to_text(message.type);
  std::string result;
  bool capital = true;
  for (const char letter : words) {
    if (letter == '_') {
      capital = true;
      continue;
    }
    result += capital && letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    capital = false;
  }
  return result;
}

std::string moment(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const auto two = [](auto number) {
    const std::string digits = std::to_string(number);
    return digits.size() < 2 ? "0" + digits : digits;
  };
  return std::to_string(static_cast<int>(date.year())) + "-" + two(static_cast<unsigned>(date.month())) + "-" +
         two(static_cast<unsigned>(date.day())) + " " + two(clock.hours().count()) + ":" +
         two(clock.minutes().count()) + ":" + two(clock.seconds().count()) + " UTC";
}

template <class Id>
std::string id_name(Id id) {
  const std::string_view known = name(id);
  return known.empty() ? std::to_string(static_cast<unsigned>(id)) : std::string(known);
}

class Teller {
 public:
  explicit Teller(Story& story) noexcept : story_(story) {}

  void operator()(const trace::Configuration& entry) {
    story_.role = entry.settings.role;
    provider_ = printable(entry.provider);
  }
  void operator()(const trace::StartClient& entry) {
    if (entry.kind != x509::PeerName::Kind::any) name_ = text_of(entry.name);
    if (!entry.sessions.empty()) offered_ = entry.sessions.size();
  }
  void operator()(const trace::Started& entry) {
    if (entry.failed) fail(entry.error);
  }

  // --- calls and their results
  void operator()(const trace::Transmitted& entry) { sent_ += entry.bytes.size; }
  void operator()(const trace::Consumed& entry) {
    received_ += entry.size;
    release();
  }
  void operator()(const trace::SealEarly& /*entry*/) { early_ = true; }
  void operator()(const trace::SealDone& entry) {
    const bool early = std::exchange(early_, false);
    sent_ += entry.written;
    if (entry.misuse) aside(Aside::Kind::call, "seal: " + std::string(name(*entry.misuse)));
    if (entry.consumed != 0) data(Direction::send, entry.consumed, early);
  }
  void operator()(const trace::Done& entry) {
    if (entry.misuse) aside(Aside::Kind::call, "misuse: " + std::string(name(*entry.misuse)));
  }
  void operator()(const trace::AnswerCredential& entry) {
    answered(entry.token, entry.present ? count(entry.chain.size(), "certificate") : "none");
  }
  void operator()(const trace::AnswerComputation& entry) { answered(entry.token, "computed"); }
  void operator()(const trace::AnswerDecryption& entry) { answered(entry.token, entry.made ? "decrypted" : "failed"); }
  void operator()(const trace::AnswerPsk& entry) { answered(entry.token, entry.chosen ? "a key" : "none"); }
  void operator()(const trace::AnswerPskLookup& entry) { answered(entry.token, entry.found ? "a key" : "unknown"); }
  void operator()(const trace::AnswerSignature& entry) { answered(entry.token, entry.made ? "signed" : "failed"); }
  void operator()(const trace::AnswerVerdict& entry) {
    answered(entry.token, entry.unverified ? "accepted in spite of " + id_name(entry.unverified.reason)
                          : entry.accepted ? "accepted"
                                           : id_name(entry.reason));
  }
  void operator()(const trace::AnswerTicketOpened& entry) {
    answered(entry.token, entry.opened ? "a session" : "declined");
  }
  void operator()(const trace::AnswerTicketSealed& entry) {
    answered(entry.token, entry.sealed ? "a ticket" : "declined");
  }
  void operator()(const trace::Close& /*entry*/) { aside(Aside::Kind::call, "close"); }
  void operator()(const trace::Cancel& entry) {
    aside(Aside::Kind::call, entry.why == Alert::close_notify ? "cancel" : "cancel with " + id_name(entry.why));
  }
  void operator()(const trace::UpdateKeys& entry) {
    aside(Aside::Kind::call, entry.request_peer ? "update keys, the peer's too" : "update keys");
  }
  void operator()(const trace::SetMaxSendFragment& entry) {
    aside(Aside::Kind::call, "records of at most " + std::to_string(entry.bytes) + " bytes");
  }
  void operator()(const trace::Renegotiate& /*entry*/) { aside(Aside::Kind::call, "renegotiate"); }
  void operator()(const trace::RefusalTold& /*entry*/) {
    aside(Aside::Kind::call, "the peer does not want to renegotiate");
  }
  void operator()(const trace::Offload& entry) {
    aside(Aside::Kind::call, entry.direction == Direction::send ? "offload sending" : "offload receiving");
  }
  void operator()(const trace::ForgetExporter& /*entry*/) { aside(Aside::Kind::call, "forget the exporter"); }
  void operator()(const trace::ReceiveEnd& /*entry*/) { aside(Aside::Kind::call, "the transport has ended"); }
  void operator()(const trace::Stopped& entry) {
    remark("The recording ends here, " + trace::to_text(entry).substr(sizeof "stopped"));
  }

  // --- what happens during a call
  void operator()(const trace::TokenDropped& /*entry*/) { aside(Aside::Kind::call, "the token was dropped"); }
  void operator()(const trace::Message& entry) {
    row({.kind = Kind::message,
         .direction = entry.direction,
         .protection = protection(entry.direction),
         .label = message_name(entry),
         .detail = count(entry.size, "byte")});
  }
  void operator()(const trace::ChangeCipherSpec& entry) {
    row({.kind = Kind::change_cipher_spec, .direction = entry.direction, .label = "change_cipher_spec", .detail = {}});
  }
  void operator()(const trace::AlertRecord& entry) {
    // The end of a direction is no trouble.
    const bool closure = entry.alert == Alert::close_notify || entry.alert == Alert::user_canceled;
    LadderRow alert{.kind = closure ? Kind::closure : Kind::alert,
                    .direction = entry.direction,
                    .protection = protection(entry.direction),
                    .label = id_name(entry.alert),
                    .detail = "alert"};
    // What came before it in the same call is told after it.
    if (entry.direction == Direction::receive) return held_.push_back(std::move(alert));
    row(std::move(alert));
  }
  void operator()(const trace::StateEntered& entry) {
    // States in parentheses wait for an answer; the question says the same.
    if (!entry.name.starts_with('(')) aside(Aside::Kind::state, printable(entry.name));
  }
  void operator()(const trace::KeysInstalled& entry) {
    protection_[entry.direction == Direction::send ? 0 : 1] = entry.protection;
    std::string word = entry.protection == Protection::application  ? "application keys"
                       : entry.protection == Protection::early_data ? "early data keys"
                                                                    : "handshake keys";
    std::string direction = entry.direction == Direction::send ? "to send" : "to receive";
    if (!story_.rows.empty() && !story_.rows.back().asides.empty()) {
      Aside& last = story_.rows.back().asides.back();
      if (last.kind == Aside::Kind::keys && last.protection == entry.protection &&
          last.text != word + " " + direction) {
        last.text = word + ", both ways";
        return;
      }
    }
    aside(Aside::Kind::keys, word + " " + direction, 0, entry.protection);
  }

  // --- what the application was told
  void operator()(const trace::DataTold& entry) { told(entry.segments, false); }
  void operator()(const trace::EarlyDataTold& entry) { told(entry.segments, true); }
  void told(const std::vector<std::uint64_t>& segments, bool early) {
    std::uint64_t sum = 0;
    for (const std::uint64_t size : segments) sum += size;
    data(Direction::receive, sum, early);
  }
  void operator()(const trace::CredentialAsked& entry) { question("select credential", entry.token); }
  void operator()(const trace::ComputationAsked& entry) { question(std::string(name(entry.what)), entry.token); }
  void operator()(const trace::DecryptionAsked& entry) { question("decrypt", entry.token); }
  void operator()(const trace::PskAsked& entry) { question("select PSK", entry.token); }
  void operator()(const trace::PskLookupAsked& entry) { question("find PSK", entry.token); }
  void operator()(const trace::SignatureAsked& entry) { question("sign " + to_text(entry.scheme), entry.token); }
  void operator()(const trace::VerdictAsked& entry) { question("verify peer", entry.token); }
  void operator()(const trace::TicketOpeningAsked& entry) { question("open ticket", entry.token); }
  void operator()(const trace::TicketSealingAsked& entry) { question("seal ticket", entry.token); }
  void operator()(const trace::Completed& entry) {
    completed_ = true;
    version_ = entry.version;
    if (entry.server_name.size != 0) name_ = text_of(entry.server_name);
    std::string agreed = to_text(entry.suite);
    if (entry.group != NamedGroup{}) agreed += " · " + to_text(entry.group);
    if (entry.dh_bits != 0) agreed += " · DH of " + std::to_string(entry.dh_bits) + " bits";
    row({.kind = Kind::success, .label = "Handshake complete", .detail = agreed});
    agreed_ = to_text(entry.version) + " · " + agreed;
    if (entry.own_scheme != SignatureScheme{}) schemes_ = "we sign " + to_text(entry.own_scheme);
    if (entry.peer_scheme != SignatureScheme{})
      schemes_ += (schemes_.empty() ? "peer signs " : " · peer signs ") + to_text(entry.peer_scheme);
    if (entry.alpn.size != 0) agreed_ += " · ALPN " + text_of(entry.alpn);
    if (entry.resumed) agreed_ += " · resumed";
    if (entry.early_data != EarlyDataStatus::none) agreed_ += " · early data " + id_name(entry.early_data);
    if (entry.retried) agreed_ += " · after HelloRetryRequest";
  }
  void operator()(const trace::SessionTold& /*entry*/) { aside(Aside::Kind::call, "a session to resume"); }
  void operator()(const trace::PeerClosedTold& /*entry*/) {
    release();
    aside(Aside::Kind::call, "the peer has finished");
  }
  void operator()(const trace::PeerKeysTold& /*entry*/) { aside(Aside::Kind::call, "the peer changed its keys"); }
  void operator()(const trace::FailureTold& entry) {
    release();
    fail(entry.error);
  }

  template <class Other>
  void operator()(const Other& /*entry*/) {}

  void at(Time time) {
    if (!begin_) begin_ = time;
    const std::int64_t before = now_;
    now_ = (time - *begin_).count();
    if (now_ - before < kPause || story_.rows.empty()) return;
    const std::int64_t tenths = (now_ - before) / 100;
    row({.kind = Kind::pause,
         .label =
             with_separators(static_cast<std::uint64_t>(tenths / 10)) + "." + std::to_string(tenths % 10) + " s later",
         .detail = {}});
  }
  void remark(std::string text) { row({.kind = Kind::remark, .label = std::move(text), .detail = {}}); }

  void finish(std::uint64_t operations) {
    const bool client = story_.role == Role::client;
    // "TLS 1.3", as people write it.
    story_.title = completed_ ? "TLS " + to_text(version_).substr(sizeof "TLSv" - 1) + " connection" : "TLS handshake";
    if (!name_.empty()) story_.title += client ? " to " + name_ : " for " + name_;
    std::string where = std::string("Recorded at the ") + (client ? "client" : "server");
    if (begin_) where += " · " + moment(*begin_);
    where += " · provider " + provider_;
    if (story_.redacted) where += " · redacted";
    story_.facts.push_back(std::move(where));
    if (!agreed_.empty()) story_.facts.push_back(agreed_);
    if (!schemes_.empty()) story_.facts.push_back(schemes_);
    story_.facts.push_back(count(sent_, "byte") + " sent, " + with_separators(received_) + " received · " +
                           count(operations, "operation") +
                           (offered_ == 0 ? "" : " · " + count(offered_, "session") + " offered"));
  }
  [[nodiscard]] bool full() const noexcept { return story_.rows.size() >= kMostRows; }

 private:
  [[nodiscard]] Protection protection(Direction direction) const noexcept {
    return protection_[direction == Direction::send ? 0 : 1];
  }

  void row(LadderRow row) {
    row.time = now_;
    story_.rows.push_back(std::move(row));
  }

  void release() {
    for (LadderRow& alert : held_) row(std::move(alert));
    held_.clear();
  }

  void data(Direction direction, std::uint64_t bytes, bool early) {
    const Protection protection = early ? Protection::early_data : Protection::application;
    // Asides end a run of data as well: they would seem to come after all of it.
    if (story_.rows.empty() || story_.rows.back().kind != Kind::data || story_.rows.back().direction != direction ||
        story_.rows.back().protection != protection || !story_.rows.back().asides.empty()) {
      row({.kind = Kind::data,
           .direction = direction,
           .protection = protection,
           .label = early ? "early data" : "application data",
           .detail = {}});
    }
    LadderRow& last = story_.rows.back();
    last.bytes += bytes;
    ++last.calls;
    last.detail = count(last.bytes, "byte") + (last.calls == 1 ? "" : " in " + count(last.calls, "call"));
  }

  void aside(Aside::Kind kind, std::string text, trace::TokenNumber token = 0, Protection keys = Protection::none) {
    const bool apart = story_.rows.empty() || story_.rows.back().time != now_ ||
                       (!story_.rows.back().passes() && story_.rows.back().kind != Kind::aside);
    if (apart) row({.kind = Kind::aside, .label = {}, .detail = {}});
    story_.rows.back().asides.push_back({kind, std::move(text), keys, token});
  }
  void question(std::string text, trace::TokenNumber token) { aside(Aside::Kind::question, std::move(text), token); }

  void answered(trace::TokenNumber token, const std::string& answer) {
    for (auto at = story_.rows.rbegin(); at != story_.rows.rend(); ++at) {
      const auto asked = std::ranges::find_if(at->asides, [token](const Aside& aside) {
        return aside.kind == Aside::Kind::question && aside.token == token && token != 0;
      });
      if (asked == at->asides.end()) continue;
      asked->token = 0;
      asked->text += ": " + answer;
      return;
    }
    aside(Aside::Kind::call, "an answer to nothing: " + answer);
  }

  void fail(const Error& error) {
    if (std::exchange(failed_, true)) return;
    row({.kind = Kind::failure,
         .label = error.origin == Origin::peer ? "Ended by the peer" : "Failed",
         .detail = id_name(error.reason) + " at " + id_name(error.place) + ", alert " + id_name(error.alert)});
  }

  Story& story_;
  std::string provider_;
  std::string name_;
  std::string agreed_;
  std::string schemes_;
  std::optional<Time> begin_;
  std::int64_t now_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t offered_ = 0;
  Protection protection_[2] = {};
  bool early_ = false;  // the seal at hand
  std::vector<LadderRow> held_;
  bool completed_ = false;
  ProtocolVersion version_{};  // once completed
  bool failed_ = false;
};

}  // namespace

Story tell_story(Bytes tape, std::uint64_t until) {
  Story story;
  Teller teller(story);
  trace::Reader reader(tape);
  std::uint64_t operations = 0;
  for (;;) {
    const auto entry = reader.next();
    if (!entry) {
      teller.remark("The tape breaks off here");
      break;
    }
    if (!*entry || reader.operation() > until) break;
    story.redacted = reader.redacted();
    operations = reader.operation() + 1;
    if (teller.full()) {
      teller.remark("There is more on the tape");
      break;
    }
    if (const auto time = trace::time_of(**entry)) teller.at(*time);
    std::visit(teller, **entry);
  }
  teller.finish(operations);
  return story;
}

}  // namespace lockstep::tool
