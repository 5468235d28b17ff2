// From the command line of `lockstep client` to what its connections share.

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <utility>

#include "client.hpp"
#include "files.hpp"
#include "http.hpp"
#include "http_words.hpp"
#include "provider.hpp"
#include "url.hpp"

namespace lockstep::tool {
namespace {

x509::PeerName expected_name(const ClientOptions& options, const std::string& host) {
  const std::string& text = options.name.empty() ? host : options.name;
  const auto name = x509::PeerName::parse(text);
  if (name) return *name;
  throw UsageError("'" + printable(text) + "' is no name that a certificate could be for: " +
                   std::string(explanation(name.error())) + "; say --name NAME");
}

std::optional<x509::PeerName> asked_name(const ClientOptions& options) {
  if (options.server_name.empty()) return std::nullopt;
  if (options.server_name == "none") return x509::NoNameCheck{};
  auto name = x509::PeerName::dns(options.server_name);
  if (name) return std::move(*name);
  throw UsageError("--sni '" + printable(options.server_name) + "': " + std::string(explanation(name.error())) +
                   "; say a host name, or 'none'");
}

// A server's ticket sets the bound.
constexpr std::uint32_t kMostEarlyData = 1U << 20U;

/// The host, and what to ask it for; nothing when nothing is asked.
struct Aim {
  HostAndPort host;
  std::optional<std::string> request_target;
};

Aim aim_of(const ClientOptions& options) {
  const auto [host, path] = parse_target(options.target, default_port(options.starttls));
  if (!path.empty()) {
    if (!options.get.empty()) throw UsageError("a URL says what to get: leave out --get, or write HOST:PORT");
    return {host, path};
  }
  Aim aim{.host = host, .request_target = {}};
  if (options.get.empty()) return aim;
  check_request_target(options.get);
  aim.request_target = options.get;
  return aim;
}

/// "Name: value" as it stands in a request; nothing when the value is empty, which takes the field out.
std::string field_line(const std::string& header) {
  const std::size_t colon = header.find(':');
  const bool whole = colon != std::string::npos;
  const std::string_view name = std::string_view(header).substr(0, colon);
  const std::string_view value = whole ? http_words::trimmed(std::string_view(header).substr(colon + 1)) : "";
  const auto is_control = [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f'; };
  if (!whole || !http_words::is_token(name) || std::ranges::any_of(value, is_control))
    throw UsageError("--header '" + printable(header) + "' is not of the form 'Name: value'");
  for (const std::string_view length : {"content-length", "transfer-encoding"}) {
    if (http_words::same_letters(name, length))
      throw UsageError("--header '" + printable(header) + "' announces a body, and a GET has none here");
  }
  return value.empty() ? std::string() : std::string(name) + ": " + std::string(value) + "\r\n";
}

std::string request_of(const ClientOptions& options, const x509::PeerName& name, const HostAndPort& host,
                       const std::string& target) {
  const auto is_given = [&options](std::string_view field) {
    return std::ranges::any_of(options.headers, [field](std::string_view header) {
      return http_words::same_letters(header.substr(0, header.find(':')), field);
    });
  };
  std::string request = "GET " + target + " HTTP/1.1\r\n";
  if (!is_given("host")) {
    const std::string_view known = name.host_name();
    request += "Host: " + http_host(known.empty() ? host.host : known);
    if (host.port != 443) request += ":" + std::to_string(host.port);
    request += "\r\n";
  }
  if (!is_given("user-agent")) request += "User-Agent: lockstep\r\n";
  if (!is_given("accept")) request += "Accept: */*\r\n";
  if (!is_given("connection")) request += "Connection: close\r\n";
  for (const std::string& header : options.headers) request += field_line(header);
  return request + "\r\n";
}

std::string output_of(const ClientOptions& options, const std::optional<std::string>& request_target) {
  if (!options.output_by_name) return options.output_file;
  const auto name = request_target ? file_name_of(*request_target) : std::nullopt;
  if (!name) throw UsageError("--remote-name: what is asked for has no name at its end; say --output FILE");
  return *name;
}

std::optional<HostAndPort> proxy_of(const ClientOptions& options) {
  if (options.proxy.empty()) return std::nullopt;
  if (options.proxy != "env") return parse_proxy_url(options.proxy);
  for (const char* variable : {"HTTPS_PROXY", "https_proxy"}) {
    const char* value = std::getenv(variable);
    if (value != nullptr && *value != '\0') return parse_proxy_url(value);
  }
  throw UsageError("--proxy env: neither HTTPS_PROXY nor https_proxy is set");
}

}  // namespace

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

ClientPlan plan_of(const ClientOptions& options) {
  const auto [target, request_target] = aim_of(options);
  if (!request_target && (options.include || options.fail || !options.headers.empty())) {
    throw UsageError("--include, --fail and --header are for requests over HTTP: say --get PATH, or a URL");
  }
  ClientConfigBuilder builder = ConfigBuilder::client(provider());
  apply(options.tls, builder);
  if (!options.key_shares.empty()) builder.key_shares(parse_groups(options.key_shares));
  builder.grease(!options.no_grease).middlebox_compatibility(!options.no_middlebox);
  builder.ocsp_stapling(options.ocsp).signed_certificate_timestamps(options.scts);
  builder.verify_on_resumption(options.verify_again);
  if (options.insecure) builder.dangerous().skip_verification();
  if (options.tls.false_start && !request_target)
    throw UsageError("--false-start sends the request of --get a round trip earlier; say --get PATH");
  if (options.tls.false_start && options.early_data) throw UsageError("choose one of --false-start and --early-data");
  if (options.early_data) {
    if (!request_target) throw UsageError("--early-data sends the request of --get early; say --get PATH");
    if (options.session_in.empty() && options.resume == 0) {
      throw UsageError("--early-data needs a session to resume: --session-in FILE, or --resume N");
    }
    builder.early_data(kMostEarlyData);
  }

  if (options.certificate.empty() != options.key.empty()) throw UsageError("--cert and --key go together");
  AnswerOptions answers{.provider = provider(), .policy = policy_of(options.tls.policy)};
  if (options.tls.max_message != 0) answers.max_certificate_message = options.tls.max_message;
  answers.ignore_stapled_responses = options.ocsp;  // --ocsp says whether one came, and that nobody has judged it
  answers.psks = psks_of(options.tls);
  if (!options.certificate.empty()) {
    answers.credentials.push_back(read_credential(options.certificate, options.key, options.passphrase_file));
  }
  ClientPlan plan{.target = target,
                  .proxy = proxy_of(options),
                  .request = {},
                  .output = output_of(options, request_target),
                  .name = expected_name(options, target.host),
                  .server_name = asked_name(options),
                  .anchors = read_anchors(options.ca),
                  .moment = options.time.empty() ? std::optional<Time>() : parse_time(options.time),
                  .connection = {}};
  if (request_target) plan.request = request_of(options, plan.name, target, *request_target);
  answers.anchors = plan.anchors;
  auto setup = AnswerSetup::create(std::move(answers));
  if (!setup) throw Failure(setup.error().front().setting + ": " + setup.error().front().text);

  plan.connection.config = built(builder);
  plan.connection.answers = *setup;
  plan.connection.random = &random_source();
  plan.connection.connect_timeout = milliseconds(options.connect_timeout);
  plan.connection.handshake_timeout = milliseconds(options.connect_timeout);
  plan.connection.resolve = resolve_of(options.family);
  plan.connection.key_log = key_log_of(options.tls);
  return plan;
}

}  // namespace lockstep::tool
