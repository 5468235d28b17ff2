// What `lockstep client` says of a connection, to people and to programs.

#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "client.hpp"
#include "interruption.hpp"

namespace lockstep::tool {

namespace {

std::string certificates_as_pem(const ClientOutcome& outcome) {
  std::string text;
  for (const auto& der : outcome.chain) text += x509::pem("CERTIFICATE", der);
  return text;
}

Json json_of(const Complaint& complaint) {
  Json json = {{"operation", complaint.operation}, {"condition", complaint.condition}, {"text", complaint.text}};
  if (!complaint.advice.empty()) json["advice"] = complaint.advice;
  return json;
}

}  // namespace

void print_agreement(const ClientOutcome& outcome, const ClientPlan& plan, const ClientOptions& options) {
  if (options.show_certificates) out().print(certificates_as_pem(outcome));
  if (options.output.quiet || options.output.json) return;
  const std::string peer = outcome.facts.peer + (plan.proxy ? " (the proxy)" : "");
  std::vector<Row> rows = {{outcome.connected ? "connected to" : "no connection with", peer, Style::bold}};
  for (Row& row : rows_of(outcome.facts)) rows.push_back(std::move(row));
  if (outcome.false_start) rows.push_back({"false start", "the request went before the handshake was complete"});
  if (outcome.judgement) {
    const bool ok = outcome.judgement->ok();
    rows.push_back(
        {"verdict",
         ok ? "ok, the certificate is good for " + plan.name.text() : verdict_text(outcome.judgement->problems),
         ok ? Style::good : Style::bad});
  } else if (outcome.facts.resumed) {
    rows.push_back({"verdict", "resumed: the peer proved its identity in the connection before", Style::good});
  }
  if (!outcome.facts.resumed || outcome.judgement) {
    const auto& [ocsp_response, scts] = outcome.staples;
    if (options.ocsp)
      rows.push_back({"OCSP", ocsp_response == 0 ? "no response was stapled"
                                                 : "a response of " + with_separators(ocsp_response) +
                                                       " bytes is stapled; it is not looked into"});
    if (options.scts)
      rows.push_back({"SCTs", scts == 0 ? "none came" : std::to_string(scts) + "; their signatures are not verified"});
  }
  if (!outcome.withheld.empty()) rows.push_back({"withheld", outcome.withheld, Style::bad});
  print_rows(err(), rows);
  if (!outcome.chain.empty()) {
    if (const auto leaf = x509::Certificate::parse(outcome.chain.front())) print_rows(err(), certificate_rows(*leaf));
  }
}

void print_end(const ClientOutcome& outcome, const ClientOptions& options) {
  if (options.output.quiet || options.output.json) return;
  const auto ms = [](auto duration) { return std::to_string(std::llround(duration.count())) + " ms"; };
  std::vector<Row> rows;
  if (outcome.answer) {
    const auto& [status, reason, body] = *outcome.answer;
    rows.push_back(
        {"answer", std::to_string(status) + " " + printable(reason) + ", " + with_separators(body) + " bytes of body"});
  }
  rows.push_back(
      {"bytes", with_separators(outcome.sent) + " sent, " + with_separators(outcome.received) + " received"});
  rows.push_back({"time", ms(outcome.handshake) + " to connect, " + ms(outcome.total) + " in all"});
  if (outcome.signal != 0) rows.push_back({"ended", std::string("by ") + signal_name(outcome.signal)});
  print_rows(err(), rows);
}

void print_trouble(const ClientOutcome& outcome, const ClientOptions& options) {
  if (options.output.json || !outcome.trouble || outcome.signal != 0) return;
  if (const auto* complaint = std::get_if<Complaint>(&*outcome.trouble)) {
    print_failure("client", complaint->text, complaint->advice);
    return;
  }
  print_failure("client", on_command_line(std::get<IoError>(*outcome.trouble).text), "");
  if (!outcome.judgement) return;
  const auto& problems = outcome.judgement->problems;
  for (std::size_t i = 1; i < problems.size(); ++i) print_failure("client", "besides, " + problems[i].text, "");
}

Json report_of(const ClientOutcome& outcome, const ClientPlan& plan, const ClientOptions& options) {
  Json report = {
      {"ok", outcome.ok}, {"host", plan.target.host}, {"port", plan.target.port}, {"name", plan.name.text()}};
  if (plan.proxy) report["proxy"] = Address{plan.proxy->host, plan.proxy->port}.text();
  report.update(json_of(outcome.facts));
  report["verified"] = outcome.judgement ? outcome.judgement->ok() : outcome.facts.resumed && !options.insecure;
  if (outcome.judgement) {
    report["verdict"] = verdict_text(outcome.judgement->problems);
    report["problems"] = problems_json(outcome.judgement->problems);
  } else {
    report["verdict"] = outcome.facts.resumed ? "resumed" : "none";
  }
  report["chain"] = Json::array();
  for (const auto& der : outcome.chain) {
    const auto parsed = x509::Certificate::parse(der);
    report["chain"].push_back(parsed ? certificate_json(*parsed) : Json{{"error", parsed.error().text()}});
  }
  if (options.ocsp) report["ocsp_response_bytes"] = outcome.staples.ocsp_response;
  if (options.scts) report["scts"] = outcome.staples.scts;
  if (!outcome.withheld.empty()) report["certificate_withheld"] = printable(outcome.withheld);
  if (outcome.answer) {
    report["http_status"] = outcome.answer->status;
    report["body_bytes"] = outcome.answer->body;
  }
  report["peer_key_updates"] = outcome.peer_key_updates;
  report["renegotiations"] = outcome.renegotiations;
  report["tickets"] = outcome.sessions.size();
  report["early_bytes"] = outcome.early;
  if (outcome.false_start) report["false_start"] = true;
  report["bytes_sent"] = outcome.sent;
  report["bytes_received"] = outcome.received;
  report["handshake_ms"] = outcome.handshake.count();
  report["total_ms"] = outcome.total.count();
  if (outcome.trouble)
    report["error"] = std::visit([](const auto& trouble) { return json_of(trouble); }, *outcome.trouble);
  return report;
}

}  // namespace lockstep::tool
