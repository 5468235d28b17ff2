// lockstep scan: what a server takes, found out by asking it.

#include "scan.hpp"

#include <map>
#include <utility>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <lockstep/answers.hpp>

#include "commands.hpp"
#include "files.hpp"
#include "interruption.hpp"
#include "provider.hpp"
#include "url.hpp"

namespace lockstep::tool {
namespace {

x509::PeerName name_of(const ScanOptions& options, const std::string& host) {
  const std::string& text = options.name.empty() ? host : options.name;
  const auto name = x509::PeerName::parse(text);
  if (name) return *name;
  throw UsageError("'" + printable(text) + "' is no name that a certificate could be for: " +
                   std::string(explanation(name.error())) + "; say --name NAME");
}

ScanSetup setup_of(const ScanOptions& options, const std::string& host) {
  ScanSetup setup{
      .name = name_of(options, host), .server_name = {}, .anchors = read_anchors(options.ca), .answers = {}};
  if (options.server_name == "none") {
    setup.server_name = x509::NoNameCheck{};
  } else if (!options.server_name.empty()) {
    auto name = x509::PeerName::dns(options.server_name);
    if (!name)
      throw UsageError("--sni '" + printable(options.server_name) + "': " + std::string(explanation(name.error())));
    setup.server_name = std::move(*name);
  }
  AnswerOptions answers{.provider = provider()};
  answers.ignore_stapled_responses = true;
  answers.anchors = setup.anchors;
  auto created = AnswerSetup::create(std::move(answers));
  if (!created) throw Failure(created.error().front().setting + ": " + created.error().front().text);
  setup.answers = *created;
  return setup;
}

// --- for programs ----------------------------------------------------------------------------------------------------

template <class CodePoint>
Json names_json(const std::vector<CodePoint>& list) {
  Json array = Json::array();
  for (const CodePoint each : list) array.push_back(to_text(each));
  return array;
}

Json suites_json(const SuitesOf& of) {
  Json list = Json::array();
  for (const CipherSuite suite : of.suites.list)
    list.push_back({{"name", suite_text(suite)}, {"insecure", is_weak(suite)}});
  return {{"version", to_text(of.version)}, {"server_order", of.suites.own_order}, {"accepted", std::move(list)}};
}

template <class CodePoint>
Json by_version(const Accepted<CodePoint>& in13, const Accepted<CodePoint>& in12) {
  Json array = Json::array();
  const auto add = [&array](const char* version, const Accepted<CodePoint>& of) {
    if (!of.list.empty())
      array.push_back({{"version", version}, {"server_order", of.own_order}, {"accepted", names_json(of.list)}});
  };
  add("TLSv1.3", in13);
  add("TLSv1.2", in12);
  return array;
}

Json resumption_json(const ResumptionOf& of) {
  Json json = {{"version", to_text(of.version)},  {"tickets", of.tickets}, {"session_id", of.session_id},
               {"lifetime", of.lifetime.count()}, {"resumed", of.resumed}, {"max_early_data_size", of.max_early_data},
               {"early_data", of.early_data}};
  if (!of.failure.empty()) json["failure"] = on_command_line(of.failure);
  return json;
}

Json json_of(const Scan& found, const ScanOptions& options, const HostAndPort& target, const Gate& gate) {
  Json report = {{"ok", true},
                 {"host", target.host},
                 {"port", target.port},
                 {"address", gate.address()},
                 {"connections", gate.connections()},
                 {"unanswered", gate.unanswered()}};
  report["versions"] = Json::array();
  for (const OldVersion& each : found.versions) {
    Json version = {{"version", to_text(each.version)}, {"accepted", each.accepted}};
    if (!each.accepted) version["refusal"] = printable(each.refusal);
    report["versions"].push_back(std::move(version));
  }
  report["suites"] = Json::array();
  for (const SuitesOf& each : found.suites) report["suites"].push_back(suites_json(each));
  report["groups"] = by_version(found.groups13, found.groups12);
  report["schemes"] = by_version(found.schemes13, found.schemes12);
  if (found.dh_bits != 0) report["dh_bits"] = found.dh_bits;
  report["alpn"] = {
      {"asked", parse_alpn(options.alpn)}, {"accepted", found.alpn.list}, {"server_order", found.alpn.own_order}};
  report["resumption"] = Json::array();
  for (const ResumptionOf& each : found.resumption) report["resumption"].push_back(resumption_json(each));
  if (found.hello12) {
    report["extended_master_secret"] = found.hello12->extended_main_secret;
    report["renegotiation_info"] = found.hello12->renegotiation_info;
  }
  if (found.fallback_scsv) report["fallback_scsv"] = *found.fallback_scsv;
  report["compression"] = found.compression;
  report["asks_client_certificate"] = found.asks_certificate;
  if (!found.handshake_failure.empty()) report["handshake_failure"] = on_command_line(found.handshake_failure);
  if (found.judgement) {
    report["verdict"] = verdict_text(found.judgement->problems);
    report["problems"] = problems_json(found.judgement->problems);
  }
  report["chain"] = Json::array();
  for (const auto& der : found.chain) {
    const auto parsed = x509::Certificate::parse(der);
    report["chain"].push_back(parsed ? certificate_json(*parsed) : Json{{"error", parsed.error().text()}});
  }
  report["ocsp_response_bytes"] = found.ocsp_response;
  report["scts"] = found.scts;
  return report;
}

// --- for people ------------------------------------------------------------------------------------------------------

std::string order_text(bool own_order, std::size_t count) {
  if (count < 2) return {};
  return own_order ? ", in the server's order" : ", in the client's order";
}

void print_versions(const Scan& found) {
  out().line(out().styled(Style::bold, "versions"));
  std::vector<Row> rows;
  for (const OldVersion& each : found.versions) {
    const bool old = rank(each.version) < rank(ProtocolVersion::tls_1_2);
    rows.push_back({to_text(each.version), each.accepted ? "accepted" : "no: " + printable(each.refusal),
                    each.accepted ? (old ? Style::bad : Style::good) : Style::plain});
  }
  print_rows(out(), rows);
}

void print_suites(const SuitesOf& of) {
  out().line(out().styled(Style::bold, "suites of " + to_text(of.version)) +
             order_text(of.suites.own_order, of.suites.list.size()));
  for (const CipherSuite suite : of.suites.list) {
    const bool weak = is_weak(suite);
    out().line("  " + out().styled(weak ? Style::bad : Style::plain, suite_text(suite)) + (weak ? "  insecure" : ""));
  }
}

template <class CodePoint>
void add_list(std::vector<Row>& rows, const std::string& name, const Accepted<CodePoint>& of) {
  if (of.list.empty()) return;
  std::vector<std::string> names;
  for (const CodePoint each : of.list) names.push_back(to_text(each));
  rows.push_back({name, joined(names) + (of.own_order ? "" : order_text(false, names.size()))});
}

std::string resumption_text(const ResumptionOf& of) {
  if (!of.failure.empty() && of.tickets == 0 && !of.session_id) return "not known: " + on_command_line(of.failure);
  std::string text = of.tickets != 0 ? std::to_string(of.tickets) + (of.tickets == 1 ? " ticket" : " tickets")
                     : of.session_id ? "by session id"
                                     : "nothing to resume with";
  if (of.lifetime.count() != 0) text += " for " + std::to_string(of.lifetime.count()) + " s";
  if (of.tickets != 0 || of.session_id) text += of.resumed ? ", resumed" : ", not resumed";
  if (of.max_early_data != 0)
    text += ", early data up to " + std::to_string(of.max_early_data) + " bytes: " + of.early_data;
  return text;
}

void print_certificate(const Scan& found) {
  out().line(out().styled(Style::bold, "certificate"));
  std::vector<Row> rows;
  if (found.judgement) {
    rows.push_back(
        {"verdict", verdict_text(found.judgement->problems), found.judgement->ok() ? Style::good : Style::bad});
    for (const Problem& problem : found.judgement->problems) rows.push_back({"", problem.text});
  }
  for (const auto& der : found.chain) {
    const auto parsed = x509::Certificate::parse(der);
    if (!parsed) continue;
    for (Row& row : certificate_rows(*parsed)) rows.push_back(std::move(row));
  }
  rows.push_back({"OCSP", found.ocsp_response == 0
                              ? "no response is stapled"
                              : "a response of " + std::to_string(found.ocsp_response) + " bytes is stapled"});
  rows.push_back({"SCTs", found.scts == 0 ? "none beside the certificate" : std::to_string(found.scts)});
  print_rows(out(), rows);
}

void print_scan(const Scan& found, const HostAndPort& target, const Gate& gate) {
  out().line(out().styled(Style::bold, printable(target.host) + ":" + std::to_string(target.port)) + ", " +
             gate.address());
  print_versions(found);
  for (const SuitesOf& each : found.suites) print_suites(each);
  std::vector<Row> rows;
  add_list(rows, "groups, TLSv1.3", found.groups13);
  add_list(rows, "groups, TLSv1.2", found.groups12);
  if (found.dh_bits != 0)
    rows.push_back({"DHE", std::to_string(found.dh_bits) + " bits", found.dh_bits < 2048 ? Style::bad : Style::plain});
  add_list(rows, "schemes, TLSv1.3", found.schemes13);
  add_list(rows, "schemes, TLSv1.2", found.schemes12);
  std::vector<std::string> alpn;
  for (const std::string& each : found.alpn.list) alpn.push_back(printable(each));
  rows.push_back({"ALPN", alpn.empty() ? "none" : joined(alpn) + order_text(found.alpn.own_order, alpn.size())});
  for (const ResumptionOf& each : found.resumption)
    rows.push_back({"resumption, " + to_text(each.version), resumption_text(each)});
  const auto yes = [&rows](const char* name, bool is, bool good) {
    rows.push_back({name, is ? "yes" : "no", is == good ? Style::plain : Style::bad});
  };
  if (found.hello12) {
    yes("extended master secret", found.hello12->extended_main_secret, true);
    yes("renegotiation_info", found.hello12->renegotiation_info, true);
  }
  if (found.fallback_scsv) yes("TLS_FALLBACK_SCSV", *found.fallback_scsv, true);
  yes("compression", found.compression, false);
  rows.push_back({"client certificate", found.asks_certificate ? "asked for" : "not asked for"});
  out().line(out().styled(Style::bold, "what else"));
  print_rows(out(), rows);
  print_certificate(found);
  out().line(std::to_string(gate.connections()) + " connections");
}

int run(const ScanOptions& options) {
  const auto [target, path] = parse_target(options.target, default_port(options.starttls));
  const ScanSetup setup = setup_of(options, target.host);
  const blocking::Canceller canceller;
  Scan found;
  Gate gate(options, target, canceller);
  const Interruption interruption(canceller);
  try {
    found = scan(options, setup, gate);
  } catch (const Failure&) {
    if (const int signal = Interruption::signal(); signal != 0) return 128 + signal;
    throw;
  }
  if (const int signal = Interruption::signal(); signal != 0) return 128 + signal;  // what was found is not all
  gate.end_progress();
  if (options.output.json) {
    out().line(json_of(found, options, target, gate).dump(2, ' ', false, Json::error_handler_t::replace));
  } else if (!options.output.quiet) {
    print_scan(found, target, gate);
  }
  if (!options.output.json && !found.handshake_failure.empty())
    print_warning("no whole handshake could be made: " + on_command_line(found.handshake_failure));
  if (!options.output.json && gate.unanswered() != 0) {
    print_warning(std::to_string(gate.unanswered()) +
                  " connections were not taken, or not answered in time, so that lists may be short: raise --timeout, "
                  "lower --parallel, say --delay");
  }
  return kSuccess;
}

}  // namespace

Command scan_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("scan", "Find out what a server takes, by asking it over and over");
  const auto options = std::make_shared<ScanOptions>();
  app->add_option("HOST", options->target, "HOST[:PORT], a name or an address [443]")->required()->option_text(" ");
  app->add_option("--address", options->address, "Connect to this address; HOST still says who is expected")
      ->option_text("ADDRESS");
  add_family_options(*app, options->family);
  app->add_option("--name", options->name, "Expect this name, and ask for it by SNI [HOST]")->option_text("NAME");
  app->add_option("--sni", options->server_name, "Ask for this name instead, or 'none' for no name")
      ->option_text("NAME");
  app->add_option("--ca", options->ca, "File or directory of anchors; may be repeated [the system's]")
      ->option_text("PATH");
  const std::map<std::string, Starttls> protocols = {
      {"smtp", Starttls::smtp}, {"imap", Starttls::imap}, {"ldap", Starttls::ldap}, {"postgres", Starttls::postgres}};
  app->add_option("--starttls", options->starttls, "Ask for TLS in this protocol first")
      ->transform(CLI::CheckedTransformer(protocols).description(""))
      ->option_text("smtp|imap|ldap|postgres");
  app->add_option("--alpn", options->alpn, "Application protocols to ask for [" + options->alpn + "]")
      ->option_text("LIST");
  constexpr const char* kPace = "Pace";
  app->add_option("--parallel", options->parallel, "Connections at a time [4]")
      ->check(CLI::Range(1, 64))
      ->option_text("N")
      ->group(kPace);
  app->add_option("--delay", options->delay, "Between the beginnings of two connections [0]")
      ->check(CLI::Range(0.0, 3600.0))
      ->option_text("SECONDS")
      ->group(kPace);
  app->add_option("--timeout", options->timeout, "For each connection [5]")
      ->check(CLI::Range(0.001, 3600.0))
      ->option_text("SECONDS")
      ->group(kPace);
  add_output_options(*app, options->output);
  app->footer(
      "A scan makes about a hundred connections, most of which end after the server's first words. Ask your own "
      "servers.\n"
      "What is accepted stands in the server's order, or in the client's where it follows that. Nothing is sent but\n"
      "handshakes; early data is offered, and none is sent.\n"
      "Example: lockstep scan localhost:8443 --ca ca.pem --json");
  return {app, [options] { return run(*options); }};
}

}  // namespace lockstep::tool
