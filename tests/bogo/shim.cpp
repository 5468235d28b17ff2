// The shim that BoringSSL's test runner drives: it connects, plays the part that its flags give it, and reports by its
// exit status and what it prints. Nothing printed and 0: as expected. 89: the product does not have what the flags ask.

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lockstep/botan.hpp>
#include <lockstep/files.hpp>

#include "endpoint.hpp"
#include "errors.hpp"
#include "options.hpp"
#include "setup.hpp"
#include "text.hpp"

namespace bogo {
namespace {

using namespace lockstep;

constexpr int kFailed = 1;
constexpr int kNotImplemented = 89;

using Outcome = std::optional<Stop>;

Stop wrong(std::string text) { return {.error = {}, .text = std::move(text)}; }

/// A runner that numbers its shims says by -ipv6 which address it listens at; older ones say nothing.
int connect_to(const Options& options) {
  const auto connected = [](int socket, const sockaddr* address, socklen_t size) {
    if (socket >= 0 && connect(socket, address, size) == 0) return true;
    if (socket >= 0) (void)close(socket);
    return false;
  };
  const auto port = htons(static_cast<std::uint16_t>(options.port));
  const bool either = options.shim_id.empty() && !options.ipv6;
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = port;
  six.sin6_addr = in6addr_loopback;
  int descriptor = options.ipv6 || either ? socket(AF_INET6, SOCK_STREAM, 0) : -1;
  if (!connected(descriptor, reinterpret_cast<const sockaddr*>(&six), sizeof six)) {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = port;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    descriptor = options.ipv6 ? -1 : socket(AF_INET, SOCK_STREAM, 0);
    if (!connected(descriptor, reinterpret_cast<const sockaddr*>(&four), sizeof four)) return -1;
  }
  const int on = 1;
  (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!options.shim_id.empty()) {
    std::uint64_t id = std::stoull(options.shim_id);
    std::uint8_t prefix[8];
    for (std::uint8_t& byte : prefix) {
      byte = static_cast<std::uint8_t>(id);
      id >>= 8U;
    }
    (void)send(descriptor, prefix, sizeof prefix, MSG_NOSIGNAL);
  }
  return descriptor;
}

// --- what must be true after the handshake
// -----------------------------------------------------------------------------

/// What the engine asked before it decided.
Outcome check_questions(const Options& options, bool resuming, const Endpoint& endpoint) {
  if (!options.server) return std::nullopt;
  const Asked& asked = endpoint.asked();
  if (options.install_ddos_callback && asked.credential + asked.open_ticket == 0) return wrong("nobody was asked");
  if (options.use_ticket_callback && asked.open_ticket != (resuming ? 1 : 0)) {
    return wrong("asked to open " + std::to_string(asked.open_ticket) + " tickets");
  }
  if (resuming && options.expect_ticket_age_skew != 0 &&
      asked.ticket_age_skew != std::chrono::seconds(options.expect_ticket_age_skew)) {
    return wrong("the ticket's age is off by " + std::to_string(asked.ticket_age_skew.count()) + " s");
  }
  if (options.expect_session_id && !asked.session_id) return wrong("the session has no id");
  if (options.expect_no_session_id && asked.session_id) return wrong("the session has an id");
  return std::nullopt;
}

Outcome check_handshake(const Options& options, bool resuming, Endpoint& endpoint, const Config& config) {
  const Connection& engine = endpoint.engine();
  const Agreed& agreed = endpoint.agreed();
  if (!engine.connected() || !engine.suite() || !engine.version()) return wrong("complete, but not connected");
  if (options.expect_version != 0 && static_cast<int>(*engine.version()) != options.expect_version) {
    return wrong("version " + to_text(*engine.version()));
  }
  const bool expect_resumed = resuming && !options.expect_session_miss;
  if (engine.resumed() != expect_resumed || agreed.resumed != expect_resumed) {
    return wrong(expect_resumed ? "the session was not resumed" : "a session was resumed");
  }
  if (!options.expect_server_name.empty() && agreed.server_name != options.expect_server_name) {
    return wrong("server name \"" + agreed.server_name + '"');
  }
  std::string_view protocol = options.expect_alpn;
  if (options.server) protocol = options.expect_next_proto.empty() ? options.select_alpn : options.expect_next_proto;
  // What a client chooses by NPN the runner checks.
  if (!options.server && protocol.empty()) protocol = engine.alpn().empty() ? protocol : options.select_next_proto;
  if (engine.alpn() != protocol) return wrong("protocol \"" + std::string(engine.alpn()) + '"');

  const int suite = static_cast<int>(*engine.suite());
  const int expected_here = config.provider().fast_aes ? options.expect_cipher_aes : options.expect_cipher_no_aes;
  for (const int expected : {options.expect_cipher, expected_here}) {
    if (expected != 0 && suite != expected) return wrong("suite " + to_text(*engine.suite()));
  }
  // In TLS 1.2 there is no key exchange when a session is resumed, and none is told.
  const bool tls12 = engine.version() == ProtocolVersion::tls_1_2;
  if (options.expect_curve_id != 0 && !(tls12 && agreed.resumed) &&
      (!engine.group() || static_cast<int>(*engine.group()) != options.expect_curve_id)) {
    return wrong("group " + (engine.group() ? to_text(*engine.group()) : "none"));
  }
  // Nobody signs when a session is resumed.
  const int scheme = engine.peer_scheme() ? static_cast<int>(*engine.peer_scheme()) : 0;
  const int expected_scheme = agreed.resumed ? 0 : options.expect_peer_signature_algorithm;
  if ((expected_scheme != 0 || agreed.resumed) && scheme != expected_scheme) {
    return wrong("scheme " + (scheme != 0 ? to_text(*engine.peer_scheme()) : "none"));
  }
  if (tls12 && (options.expect_secure_renegotiation || options.expect_no_secure_renegotiation) &&
      engine.secure_renegotiation() != options.expect_secure_renegotiation) {
    return wrong("whether the peer supports secure renegotiation");
  }
  if (options.expect_hrr && !engine.retried()) return wrong("no HelloRetryRequest");
  if (options.expect_no_hrr && engine.retried()) return wrong("a HelloRetryRequest");
  if (options.expect_key_usage_invalid != endpoint.key_usage_invalid())
    return wrong("whether the key may be used for what it was used for");

  if (!agreed.resumed) {
    if (options.expect_selected_credential &&
        endpoint.asked().selected_credential != *options.expect_selected_credential) {
      return wrong("credential " + std::to_string(endpoint.asked().selected_credential));
    }
    const bool by_psk = parts(*engine.suite())->authentication == SuiteAuthentication::psk;
    if ((!options.server || options.require_any_client_certificate) && agreed.peer_chain.empty() && !by_psk) {
      return wrong("the peer showed no certificate");
    }
    if (endpoint.peer_was_judged() != !agreed.peer_chain.empty()) return wrong("a chain without a verdict");
    if (!options.expect_peer_cert_file.empty()) {
      const auto expected = files::load_chain(options.expect_peer_cert_file);
      if (!expected) return wrong(expected.error().text());
      if (agreed.peer_chain != *expected) return wrong("the peer's certificates are others");
    }
    if (!options.expect_ocsp_response.empty() && agreed.ocsp_response != from_base64(options.expect_ocsp_response)) {
      return wrong("the OCSP response is another");
    }
    if (!options.expect_signed_cert_timestamps.empty() &&
        agreed.sct_list != from_base64(options.expect_signed_cert_timestamps)) {
      return wrong("the SCTs are others");
    }
  }
  if (agreed.resumed && endpoint.peer_was_judged() != options.reverify_on_resume) {
    return wrong(options.reverify_on_resume ? "nobody was asked again" : "somebody was asked again");
  }
  return check_questions(options, resuming, endpoint);
}

// --- the exchange
// ------------------------------------------------------------------------------------------------------

std::string boring_name(Misuse misuse) { return misuse == Misuse::not_connected ? ":HANDSHAKE_NOT_COMPLETE:" : ""; }

Outcome write_in_pieces(Endpoint& endpoint, Bytes bytes, std::size_t piece) {
  while (!bytes.empty()) {
    const Bytes front = bytes.first(std::min(piece, bytes.size()));
    if (auto stop = endpoint.write(front)) return stop;
    bytes = bytes.subspan(front.size());
  }
  return std::nullopt;
}

Outcome write_exported(const Options& options, Endpoint& endpoint) {
  if (options.export_keying_material > 0) {
    std::vector<std::uint8_t> material(static_cast<std::size_t>(options.export_keying_material));
    std::optional<Bytes> context;
    if (options.use_export_context) context = as_bytes(options.export_context);
    if (auto done = endpoint.engine().export_keying_material(options.export_label, context, material); !done) {
      return wrong("export: " + std::string(name(done.error())) + " " + boring_name(done.error()));
    }
    if (auto stop = endpoint.write(material)) return stop;
  }
  return std::nullopt;
}

Outcome write_what_is_asked(const Options& options, Endpoint& endpoint) {
  if (auto failed = write_exported(options, endpoint)) return failed;
  if (options.tls_unique) {
    const auto unique = endpoint.engine().tls_unique();
    if (!unique) return wrong("failed to get tls-unique: " + std::string(name(unique.error())));
    if (auto stop = endpoint.write(*unique)) return stop;
  }
  if (options.export_traffic_secrets) {
    const auto& read = endpoint.secret(options.server);
    const auto& write = endpoint.secret(!options.server);
    if (read.empty() || read.size() != write.size()) return wrong("no traffic secrets were logged");
    const std::uint8_t size[] = {static_cast<std::uint8_t>(read.size()), 0};
    for (const Bytes part : {Bytes(size), Bytes(read), Bytes(write)}) {
      if (auto stop = endpoint.write(part)) return stop;
    }
  }
  if (options.write_different_record_sizes) {
    const std::vector<std::uint8_t> bytes(32769, 0x42);
    constexpr std::size_t kSizes[] = {0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769};
    for (const std::size_t size : kSizes) {
      if (auto stop = endpoint.write(Bytes(bytes).first(size))) return stop;
    }
  } else if (options.read_with_unfinished_write) {
    return endpoint.write_unfinished(as_bytes("hello"));
  } else if (options.shim_writes_first) {
    return endpoint.write(as_bytes("hello"));
  }
  return std::nullopt;
}

/// Answers every byte with its complement until the peer ends.
Outcome echo(const Options& options, Endpoint& endpoint) {
  const std::size_t read_size = options.read_size > 0 ? static_cast<std::size_t>(options.read_size) : 512;
  for (;;) {
    Step step = endpoint.next();
    if (auto* stop = std::get_if<Stop>(&step)) return std::move(*stop);
    if (std::holds_alternative<PeerEnded>(step)) return std::nullopt;
    auto* data = std::get_if<Data>(&step);
    if (data == nullptr) return wrong("a second end of the handshake");
    if (options.use_exporter_between_reads) {
      std::uint8_t byte = 0;
      if (!endpoint.engine().export_keying_material("", {}, {&byte, 1})) return wrong("no export between reads");
    }
    if (options.key_update && !endpoint.engine().update_keys(false)) return wrong("no key update");
    for (std::uint8_t& byte : data->bytes) byte ^= 0xff;
    if (auto stop = write_in_pieces(endpoint, data->bytes, read_size)) return stop;
  }
}

Outcome shut_down(const Options& options, Endpoint& endpoint) {
  endpoint.engine().close();
  if (!endpoint.flush() && !endpoint.engine().peer_closed()) return std::nullopt;
  if (!options.shim_shuts_down || !options.check_close_notify) return std::nullopt;
  for (;;) {
    const Step step = endpoint.next();
    if (const auto* stop = std::get_if<Stop>(&step)) return *stop;
    if (std::holds_alternative<PeerEnded>(step)) {
      return endpoint.engine().peer_closed() ? Outcome() : wrong("the peer ended without close_notify");
    }
    if (std::holds_alternative<Data>(step)) return wrong("data after close_notify :APPLICATION_DATA_ON_SHUTDOWN:");
  }
}

/// What a client sends before the server has said anything.
Outcome send_early(const Options& options, Endpoint& endpoint, Bytes& hello) {
  if (auto failed = write_exported(options, endpoint)) return failed;
  if (options.read_with_unfinished_write) return endpoint.write_early_unfinished(std::exchange(hello, {}));
  if (options.early_write_after_message != 0) {
    constexpr int kServerHello = 2;
    const bool server_hello = options.early_write_after_message == kServerHello;
    endpoint.stop_when([server_hello](const Connection& engine) {
      return server_hello ? engine.suite().has_value() : engine.early_data() == EarlyDataStatus::accepted;
    });
    Step step = endpoint.next();
    if (auto* stop = std::get_if<Stop>(&step)) return std::move(*stop);
    if (!std::holds_alternative<Reached>(step)) return wrong("the message did not come");
  }
  if (!options.shim_writes_first) return std::nullopt;
  return endpoint.write_early(hello);
}

/// Until the handshake is complete. A server that took early data does meanwhile what it does otherwise afterwards;
/// whether it did.
std::expected<bool, Stop> shake_hands(const Options& options, Endpoint& endpoint) {
  bool wrote = false;
  if (options.server && options.enable_early_data) {
    endpoint.stop_when([](const Connection& engine) { return engine.early_data() == EarlyDataStatus::accepted; });
  }
  if (options.false_start && !options.server && !options.handshake_twice)
    endpoint.stop_when([](const Connection& engine) { return engine.false_start(); });
  while (!endpoint.engine().connected()) {
    Step step = endpoint.next();
    if (auto* stop = std::get_if<Stop>(&step)) return std::unexpected(std::move(*stop));
    if (std::holds_alternative<HandshakeDone>(step)) break;
    if (std::holds_alternative<Reached>(step)) {
      if (auto stop = write_what_is_asked(options, endpoint)) return std::unexpected(std::move(*stop));
      wrote = true;
    } else if (auto* data = std::get_if<Data>(&step)) {
      for (std::uint8_t& byte : data->bytes) byte ^= 0xff;
      if (auto stop = endpoint.write(data->bytes)) return std::unexpected(std::move(*stop));
    } else {
      return std::unexpected(wrong("the connection ended during the handshake"));
    }
  }
  return wrote;
}

/// As BoringSSL says it.
std::string early_data_reason(const Options& options, const Connection& engine, bool resuming, bool session_allows) {
  if (engine.version() == ProtocolVersion::tls_1_2) return "protocol_version";
  switch (engine.early_data()) {
    case EarlyDataStatus::accepted: return "accept";
    case EarlyDataStatus::disabled: return "disabled";
    case EarlyDataStatus::declined: return "peer_declined";
    case EarlyDataStatus::not_resumed: return "session_not_resumed";
    case EarlyDataStatus::retried: return "hello_retry_request";
    case EarlyDataStatus::not_for_session: return "unsupported_for_session";
    case EarlyDataStatus::other_alpn: return "alpn_mismatch";
    case EarlyDataStatus::age_implausible: return "ticket_age_skew";
    case EarlyDataStatus::none: break;
  }
  if (!options.enable_early_data) return "disabled";
  if (!resuming) return "no_session_offered";
  if (options.server) return "peer_declined";
  return session_allows ? "alpn_mismatch" : "unsupported_for_session";
}

Outcome check_early_data(const Options& first, bool resuming, const Endpoint& endpoint, bool session_allows) {
  const Connection& engine = endpoint.engine();
  const bool accepted = engine.early_data() == EarlyDataStatus::accepted;
  if (resuming && first.expect_accept_early_data && !accepted)
    return wrong("early data: " + std::string(name(engine.early_data())));
  if (resuming && first.expect_reject_early_data && (first.server ? accepted : !endpoint.early_data_rejected()))
    return wrong("early data: " + std::string(name(engine.early_data())));
  const std::string& expected = endpoint.options().expect_early_data_reason;
  const std::string reason = early_data_reason(first, engine, resuming, session_allows);
  if (!expected.empty() && reason != expected) return wrong("early data, because of " + reason);
  return std::nullopt;
}

Outcome exchange(const Options& first, bool resuming, Endpoint& endpoint, const Config& config, bool session_allows) {
  if (!first.server && resuming) {
    if (auto stopped = endpoint.judge_offer()) return stopped;
  }
  const bool offers = !first.server && endpoint.engine().early_data_left() != 0;
  if (resuming && first.expect_no_offer_early_data && offers) return wrong("early data was offered");
  Bytes hello = as_bytes("hello");
  if (offers) {
    if (auto failed = send_early(first, endpoint, hello)) return failed;
  }
  const auto wrote = shake_hands(first, endpoint);
  if (!wrote) return wrote.error();
  const Options& options = endpoint.options();
  if (options.handshake_never_done) return wrong("the handshake was done");
  if (auto failed = check_handshake(options, resuming, endpoint, config)) return failed;
  if (auto failed = check_early_data(first, resuming, endpoint, session_allows)) return failed;
  if (options.send_alert) {
    endpoint.engine().cancel(Alert::decompression_failure);
    return endpoint.flush() ? Outcome() : wrong("the socket takes no alert");
  }
  if (auto failed = endpoint.write({})) return failed;  // what was left unfinished
  if (options.handshake_twice || options.no_op_extra_handshake) {
    if (auto failed = endpoint.idle()) return failed;
  }
  if (!endpoint.flush()) return wrong("the socket takes nothing");
  if (offers && !endpoint.early_data_rejected()) {
    // What there was no room for early.
    if (first.shim_writes_first) {
      if (auto failed = endpoint.write(hello)) return failed;
    }
  } else if (!*wrote) {
    if (auto failed = write_what_is_asked(options, endpoint)) return failed;
  }
  if (!options.shim_shuts_down) {
    if (auto failed = echo(options, endpoint)) return failed;
  }
  if (endpoint.renegotiations() != options.expect_total_renegotiations)
    return wrong(std::to_string(endpoint.renegotiations()) + " renegotiations");
  if (!options.server) {
    // In TLS 1.2 it comes within the handshake, and where one is resumed without another it is told again.
    const bool tls12 = endpoint.engine().version() == ProtocolVersion::tls_1_2;
    const bool expect_session = !options.expect_no_session && !options.shim_shuts_down;
    if (tls12 && expect_session && endpoint.engine().resumed() &&
        endpoint.ticket_is_new() != options.expect_ticket_renewal)
      return wrong("whether another ticket came");
    if ((endpoint.sessions() != 0) != expect_session) {
      return wrong(expect_session ? "no session came" : "a session came that was not expected");
    }
    const bool early_data = endpoint.session() && endpoint.session()->max_early_data != 0;
    if (expect_session && early_data != options.expect_ticket_supports_early_data)
      return wrong("whether the ticket allows early data");
  } else if (options.use_ticket_callback && endpoint.asked().seal_ticket == 0 &&
             !(endpoint.engine().resumed() && endpoint.engine().version() == ProtocolVersion::tls_1_2)) {
    return wrong("no ticket was sealed");
  }
  if (!options.expect_msg_callback.empty() && endpoint.messages() != options.expect_msg_callback)
    return wrong("these messages:\n" + endpoint.messages());
  return shut_down(options, endpoint);
}

// --- the run
// -----------------------------------------------------------------------------------------------------------

/// Says why; `run` counts the reasons in the file that it names.
int not_implemented(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  const char* const path = std::getenv("LOCKSTEP_BOGO_REASONS");
  if (std::FILE* const file = path == nullptr ? nullptr : std::fopen(path, "a")) {
    std::fprintf(file, "%s\n", why.c_str());
    (void)std::fclose(file);
  }
  return kNotImplemented;
}

int report(const Stop& stop, int connection) {
  if (stop.not_implemented) return not_implemented("the peer wants a version that this build does not speak");
  std::fprintf(stderr, "connection %d: %s\n", connection + 1, stop.text.c_str());
  if (stop.error) std::fprintf(stderr, "%s\n", boring_names(*stop.error).c_str());
  return kFailed;
}

int run(const Flags& flags) {
  Shared shared;
  shared.random = &botan::system_random();
  shared.now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const std::shared_ptr<TicketKeyring> tickets = TicketKeyring::create(botan::provider(), *shared.random);
  shared.tickets = tickets;
  shared.sessions = std::make_shared<decltype(shared.sessions)::element_type>();

  std::optional<Session> session;
  for (int i = 0; i <= flags.initial.resume_count; ++i) {
    const Options& options = i == 0 ? flags.initial : flags.resumed;
    if (auto failed = set_up(options, botan::provider(), shared)) {
      if (failed->not_implemented) return not_implemented(failed->text);
      std::fprintf(stderr, "%s\n", failed->text.c_str());
      return kFailed;
    }
    // A ticket is renewed when the key that sealed it is no longer the current one.
    if (options.renew_ticket) {
      auto next = TicketKey::generate(*shared.random);
      if (!next) return report(wrong("no ticket key"), i);
      if (!tickets->rotate(std::move(*next))) return report(wrong("no ticket key"), i);
    }
    if (i > 0 && !options.server && !session) return report(wrong("there is no session to offer"), i);
    const int socket = connect_to(options);
    if (socket < 0) return report(wrong("cannot connect"), i);
    const bool session_allows = session && session->max_early_data != 0;
    Endpoint endpoint(options, flags.retried, shared, socket, std::exchange(session, std::nullopt));
    if (const auto failed = exchange(options, i > 0, endpoint, *shared.config, session_allows))
      return report(*failed, i);
    session = endpoint.take_session();
    // A client states no more of a ticket's age than has passed for certain.
    shared.now += std::chrono::seconds(options.resumption_delay) + std::chrono::milliseconds(options.server ? 0 : 1);
  }
  return 0;
}

}  // namespace
}  // namespace bogo

int main(int count, char** arguments) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  const auto flags = bogo::parse_flags(count, arguments);
  if (!flags) return bogo::not_implemented("not implemented: " + flags.error());
  if (flags->initial.is_handshaker_supported) {
    std::puts("No");
    return 0;
  }
  if (flags->initial.wait_for_debugger) (void)std::raise(SIGSTOP);
  return bogo::run(*flags);
}
