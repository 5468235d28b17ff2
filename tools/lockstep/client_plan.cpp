// From the command line of `lockstep client` to what its connections share.

#include <utility>

#include "client.hpp"
#include "files.hpp"
#include "provider.hpp"

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

}  // namespace

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

ClientPlan plan_of(const ClientOptions& options) {
  const HostAndPort target = parse_host_and_port(options.target, default_port(options.starttls));
  ClientConfigBuilder builder = ConfigBuilder::client(provider());
  apply(options.tls, builder);
  if (!options.key_shares.empty()) builder.key_shares(parse_groups(options.key_shares));
  builder.grease(!options.no_grease).middlebox_compatibility(!options.no_middlebox);
  builder.ocsp_stapling(options.ocsp).signed_certificate_timestamps(options.scts);
  builder.verify_on_resumption(options.verify_again);
  if (options.no_verify) builder.dangerous().skip_verification();
  if (options.early_data) {
    if (options.get.empty()) throw UsageError("--early-data sends the request of --get early; say --get PATH");
    if (options.session_in.empty() && options.resume == 0) {
      throw UsageError("--early-data needs a session to resume: --session-in FILE, or --resume N");
    }
    builder.early_data(kMostEarlyData);
  }

  if (options.certificate.empty() != options.key.empty()) throw UsageError("--cert and --key go together");
  AnswerOptions answers{.provider = provider()};
  answers.ignore_stapled_responses = options.ocsp;  // --ocsp says whether one came, and that nobody has judged it
  if (!options.certificate.empty()) {
    answers.credentials.push_back(read_credential(options.certificate, options.key, options.passphrase_file));
  }
  ClientPlan plan{.target = target,
                  .name = expected_name(options, target.host),
                  .server_name = asked_name(options),
                  .anchors = read_anchors(options.ca),
                  .moment = options.time.empty() ? std::optional<Time>() : parse_time(options.time),
                  .connection = {}};
  answers.anchors = plan.anchors;
  auto setup = AnswerSetup::create(std::move(answers));
  if (!setup) throw Failure(setup.error().front().setting + ": " + setup.error().front().text);

  plan.connection.config = built(builder);
  plan.connection.answers = *setup;
  plan.connection.random = &random_source();
  plan.connection.connect_timeout = milliseconds(options.connect_timeout);
  plan.connection.handshake_timeout = milliseconds(options.connect_timeout);
  plan.connection.key_log = key_log_of(options.tls);
  return plan;
}

}  // namespace lockstep::tool
