#include "facts.hpp"

#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "provider.hpp"

namespace lockstep::tool {
namespace {

template <class CodePoint>
std::string text_of(std::optional<CodePoint> value) {
  return value ? to_text(*value) : std::string();
}

/// Nothing where it is no question.
std::optional<bool> extended_master_secret_of(const Connection& connection) {
  if (connection.version() != ProtocolVersion::tls_1_2 || !connection.suite()) return std::nullopt;
  return connection.extended_main_secret();
}

std::optional<bool> encrypt_then_mac_of(const Connection& connection) {
  const auto made_of = connection.suite() ? parts(*connection.suite()) : std::nullopt;
  if (!made_of || !made_of->cbc) return std::nullopt;
  return connection.encrypt_then_mac();
}

}  // namespace

Facts facts_of(const blocking::Stream& stream) {
  return facts_of(stream.connection(), stream.server_name(), stream.peer_address());
}

Facts facts_of(const Connection& connection, const std::string& server_name, const Address& peer) {
  return {.peer = peer.text(),
          .version = text_of(connection.version()),
          .suite = text_of(connection.suite()),
          .group = text_of(connection.group()),
          .dh_bits = connection.dh_bits(),
          .own_scheme = text_of(connection.own_scheme()),
          .peer_scheme = text_of(connection.peer_scheme()),
          .alpn = std::string(connection.alpn()),
          .server_name = server_name,
          .resumed = connection.resumed(),
          .retried = connection.retried(),
          .extended_master_secret = extended_master_secret_of(connection),
          .encrypt_then_mac = encrypt_then_mac_of(connection),
          .early_data = std::string(name(connection.early_data())),
          .unverified = connection.unverified() ? std::string(name(connection.unverified().reason)) : std::string()};
}

std::string group_of(const Facts& facts) {
  if (!facts.dh_bits) return facts.group;
  return (facts.group.empty() ? "DH" : facts.group) + ", " + std::to_string(*facts.dh_bits) + " bits";
}

std::vector<Row> rows_of(const Facts& facts) {
  std::vector<Row> rows;
  const auto add = [&rows](std::string name, std::string value) {
    if (!value.empty()) rows.push_back({std::move(name), std::move(value)});
  };
  add("version", facts.version);
  add("suite", facts.suite);
  add("group", group_of(facts) + (facts.retried ? " (after HelloRetryRequest)" : ""));
  if (const auto extended = facts.extended_master_secret)
    add("master secret", *extended ? "extended" : "not extended (RFC 7627)");
  if (const auto outside = facts.encrypt_then_mac) add("records", *outside ? "encrypt-then-MAC" : "MAC-then-encrypt");
  add("peer signs", facts.peer_scheme);
  add("we sign", facts.own_scheme);
  add("compressed", facts.peer_compression.empty() ? "" : "the peer's certificate, by " + facts.peer_compression);
  add("compressed", facts.own_compression.empty() ? "" : "our certificate, by " + facts.own_compression);
  add("ALPN", facts.alpn.empty() ? "none" : printable(facts.alpn));
  add("resumed", facts.resumed ? "yes" : "no");
  add("early data", facts.early_data == "none" ? "" : facts.early_data);
  add("peer", facts.unverified.empty() ? "" : "NOT VERIFIED (" + facts.unverified + ")");
  return rows;
}

Json json_of(const Facts& facts) {
  Json json = Json::object();
  const auto add = [&json](const char* name, const std::string& value) {
    if (!value.empty()) json[name] = printable(value);
  };
  add("peer", facts.peer);
  add("version", facts.version);
  add("suite", facts.suite);
  add("group", facts.group);
  if (facts.dh_bits) json["dh_bits"] = *facts.dh_bits;
  add("peer_scheme", facts.peer_scheme);
  add("own_scheme", facts.own_scheme);
  add("peer_compression", facts.peer_compression);
  add("own_compression", facts.own_compression);
  add("alpn", facts.alpn);
  add("server_name", facts.server_name);
  json["resumed"] = facts.resumed;
  json["hello_retry_request"] = facts.retried;
  json["early_data"] = facts.early_data;
  add("unverified", facts.unverified);
  if (facts.extended_master_secret) json["extended_master_secret"] = *facts.extended_master_secret;
  if (facts.encrypt_then_mac) json["encrypt_then_mac"] = *facts.encrypt_then_mac;
  return json;
}

PeerCheck::PeerCheck(std::shared_ptr<const x509::TrustAnchors> anchors, x509::PeerName name, Role peer,
                     std::optional<Time> moment, const x509::Policy& policy, bool accept_anyway)
    : anchors_(anchors != nullptr ? std::move(anchors) : std::make_shared<const x509::TrustAnchors>()),
      name_(std::move(name)),
      peer_(peer),
      moment_(moment),
      policy_(policy),
      accept_anyway_(accept_anyway) {}

std::optional<PeerDecision> PeerCheck::decide(const Event& event) {
  if (std::holds_alternative<PeerKeyUpdated>(event)) ++peer_key_updates_;
  if (const auto* complete = std::get_if<HandshakeComplete>(&event)) {
    if (complete->renegotiation) ++renegotiations_;
    peer_compression_ = complete->peer_compression;
    own_compression_ = complete->own_compression;
  }
  if (const auto* early = std::get_if<EarlyData>(&event)) early_bytes_ += early->size();
  if (const auto* complete = std::get_if<HandshakeComplete>(&event); complete != nullptr && !judgement_) {
    // Verification was off: what it would have said is told all the same.
    if (!complete->peer_chain.empty()) look_at(complete->peer_chain, system_time());
    note_staples(complete->ocsp_response, complete->sct_list);
  }
  const auto* verify = std::get_if<VerifyPeer>(&event);
  if (verify == nullptr) return std::nullopt;
  look_at(std::vector<Bytes>(verify->shown->chain.begin(), verify->shown->chain.end()), verify->now);
  note_staples(verify->shown->ocsp_response, verify->shown->sct_list);
  PeerAccepted accepted{.identity = verify->peer == Role::client ? views_.front() : Bytes()};
  if (const auto end = judgement_->verdict.not_after()) {
    accepted.expires = Time(std::chrono::seconds(*end + 1));
    return accepted;
  }
  const x509::Code code = judgement_->verdict.code;
  const Reason reason = reason_of(code);
  if (!accept_anyway_ || reason == Reason::provider_failed)
    return PeerRejected{reason, static_cast<std::uint16_t>(code)};
  accepted.unverified = {.reason = reason, .detail = static_cast<std::uint16_t>(code)};
  return accepted;
}

void PeerCheck::add_to(Facts& facts) const {
  facts.peer_compression = text_of(peer_compression_);
  facts.own_compression = text_of(own_compression_);
}

IoError PeerCheck::explained(IoError error) const {
  if (!error.tls || error.tls->origin == Origin::peer || !judgement_ || judgement_->ok()) return error;
  // The verdict knows more than the error, and what it advises stands in place of the error's advice.
  const std::string general = to_text(*error.tls);
  if (error.tls->reason == reason_of(judgement_->verdict.code) && error.text.ends_with(general)) {
    error.text.resize(error.text.size() - general.size());
    error.text += to_text(*error.tls, judgement_->problems.front().text);
  }
  return error;
}

void PeerCheck::look_at(std::span<const Bytes> chain, Time now) {
  chain_.clear();
  views_.clear();
  for (const Bytes der : chain) chain_.emplace_back(der.begin(), der.end());
  views_.assign(chain_.begin(), chain_.end());
  const Time moment = moment_.value_or(now);
  judgement_ = judge({.provider = provider(),
                      .anchors = *anchors_,
                      .chain = views_,
                      .peer = peer_,
                      .name = name_,
                      .time = std::chrono::floor<std::chrono::seconds>(moment.time_since_epoch()).count(),
                      .policy = policy_});
}

void PeerCheck::note_staples(Bytes ocsp_response, Bytes sct_list) {
  staples_ = {.ocsp_response = ocsp_response.size(), .scts = 0};
  if (sct_list.empty()) return;
  // A length, then the SCTs, each behind its own: well formed, as the engine has seen.
  for (Bytes rest = sct_list.subspan(2); rest.size() >= 2; ++staples_.scts)
    rest = rest.subspan(2 + (std::size_t{rest[0]} << 8U | rest[1]));
}

Json json_of(const IoError& error) {
  Json json = {{"operation", name(error.operation)}, {"condition", name(error.condition)}};
  if (error.tls) {
    json["reason"] = name(error.tls->reason);
    json["alert"] = name(error.tls->alert);
    json["place"] = name(error.tls->place);
    json["origin"] = name(error.tls->origin);
    json["advice"] = on_command_line(std::string(advise(*error.tls)));
  }
  json["text"] = on_command_line(error.text);
  return json;
}

std::string with_separators(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

}  // namespace lockstep::tool
