// One connection of `lockstep client`.

#include <cerrno>
#include <cstring>
#include <utility>

#include <unistd.h>

#include "client.hpp"
#include "http.hpp"
#include "input_pump.hpp"

namespace lockstep::tool {
namespace {

void write_to_stdout(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      throw Failure(std::string("standard output cannot be written: ") + std::strerror(errno),
                    "Whoever reads it has gone away, or the disk is full.");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

/// Reads to the end of the connection. True when the peer said close_notify.
IoResult<void> drain(blocking::Stream& stream, const ClientOptions& options, bool to_stdout, std::uint64_t& received) {
  for (;;) {
    if (options.timeout > 0) stream.set_read_deadline(blocking::after(milliseconds(options.timeout)));
    const auto view = stream.read_view();
    if (!view) return std::unexpected(view.error());
    if (view->empty()) return {};
    received += view->size();
    if (to_stdout) write_to_stdout(*view);
  }
}

std::string http_request(const ClientPlan& plan, const std::string& path) {
  const std::string_view name = plan.name.host_name();
  const std::string host = http_host(name.empty() ? plan.target.host : name);
  // HTTP/1.0: the answer then ends with the connection and is not sent in chunks.
  return "GET " + path + " HTTP/1.0\r\nHost: " + host + "\r\nUser-Agent: lockstep\r\nAccept: */*\r\n\r\n";
}

/// What can be sent early is, when that is wanted.
IoResult<void> shake_hands(blocking::Stream& stream, const ClientPlan& plan, const ClientOptions& options,
                           ClientOutcome& outcome) {
  if (options.early_data) {
    const auto early = stream.write_early(as_bytes(http_request(plan, options.get)));
    if (!early) return std::unexpected(early.error());
    outcome.early = *early;
  }
  return stream.handshake();
}

IoResult<void> converse(blocking::Stream& stream, const ClientPlan& plan, const ClientOptions& options, bool last,
                        ClientOutcome& outcome) {
  if (options.key_update) {
    if (auto updated = stream.update_keys(true); !updated) return updated;
  }
  if (!options.get.empty()) {
    const std::string request = http_request(plan, options.get);
    const bool arrived = stream.connection().early_data() == EarlyDataStatus::accepted;
    outcome.sent = arrived ? outcome.early : 0;
    const auto written = stream.write(as_bytes(request).subspan(outcome.sent));
    if (!written) return std::unexpected(written.error());
    outcome.sent += *written;
    return drain(stream, options, last, outcome.received);
  }
  if (!last) {  // only the last connection has standard input
    if (auto closed = stream.close_write(); !closed) return closed;
    return drain(stream, options, false, outcome.received);
  }
  InputPump pump(stream, options.keep_open, outcome.sent);
  const auto drained = drain(stream, options, true, outcome.received);
  pump.stop();
  if (!drained) return drained;
  if (pump.half_closed() && outcome.sent != 0 && outcome.received == 0) {
    print_warning(
        "the peer ended without a byte of answer; some servers give none once our side has ended, which --keep-open "
        "leaves to them");
  }
  if (pump.error() && pump.error()->condition != IoCondition::ended) return std::unexpected(*pump.error());
  return {};
}

}  // namespace

ClientOutcome connect_once(const ClientPlan& plan, const ClientOptions& options, std::span<Session> sessions,
                           unsigned number) {
  using Steady = std::chrono::steady_clock;
  const auto start = Steady::now();
  ClientOutcome outcome;
  const bool last = number == options.resume;

  PeerCheck check(plan.anchors, plan.name, Role::server, plan.moment, options.no_verify);
  const auto fail = [&](const IoError& error) { outcome.trouble = check.explained(error); };
  blocking::Options connection = plan.connection;
  connection.intercept = [&check](Connection& engine, Event& event) { return check(engine, event); };
  Watch watch(options.watch, options.tls,
              options.resume == 0 ? std::nullopt : std::optional<std::uint64_t>(number + 1));
  watch.attach(connection);

  const blocking::Deadline deadline = blocking::after(connection.connect_timeout);
  const std::string& address = options.address.empty() ? plan.target.host : options.address;
  auto socket = blocking::Socket::connect(address, plan.target.port, deadline);
  if (!socket) {
    fail(socket.error());
    return outcome;
  }
  start_tls(options.starttls, *socket, deadline);
  auto stream = blocking::wrap(
      std::move(*socket), connection,
      {.name = plan.name, .sessions = sessions, .recorder = watch.recorder(), .server_name = plan.server_name});
  if (!stream) {
    fail(stream.error());
    return outcome;
  }

  const auto shaken = shake_hands(*stream, plan, options, outcome);
  outcome.handshake = Steady::now() - start;
  outcome.facts = facts_of(*stream);
  outcome.judgement = check.judgement();
  outcome.chain = check.chain();
  outcome.staples = check.staples();
  if (shaken) {
    print_agreement(outcome, plan, options);
    const auto conversed = converse(*stream, plan, options, last, outcome);
    if (!conversed) fail(conversed.error());
    outcome.sessions = stream->sessions();
    if (conversed) (void)stream->close();
  } else {
    fail(shaken.error());
    watch.failed();
    print_agreement(outcome, plan, options);
  }
  outcome.peer_key_updates = check.peer_key_updates();
  outcome.total = Steady::now() - start;
  outcome.ok = !outcome.trouble;
  return outcome;
}

}  // namespace lockstep::tool
