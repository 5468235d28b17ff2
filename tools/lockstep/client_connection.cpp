// One connection of `lockstep client`.

#include <expected>
#include <utility>

#include "client.hpp"
#include "http_response.hpp"
#include "input_pump.hpp"
#include "interruption.hpp"
#include "output.hpp"
#include "progress.hpp"
#include "proxy.hpp"

namespace lockstep::tool {
namespace {

template <class T>
using Result = std::expected<T, Trouble>;

std::unexpected<Trouble> complain(std::string_view operation, std::string_view condition, std::string text,
                                  std::string advice = {}) {
  return std::unexpected(Trouble(Complaint{operation, condition, std::move(text), std::move(advice)}));
}

/// A socket whose next byte is TLS.
Result<blocking::Socket> reach(const ClientPlan& plan, const ClientOptions& options) {
  const blocking::Deadline deadline = blocking::after(plan.connection.connect_timeout);
  const HostAndPort host{options.address.empty() ? plan.target.host : options.address, plan.target.port};
  const HostAndPort& first = plan.proxy ? *plan.proxy : host;
  auto socket = blocking::Socket::connect(first.host, first.port, deadline, plan.connection.canceller.value(),
                                          plan.connection.resolve);
  if (!socket) return std::unexpected(std::move(socket.error()));
  std::string_view operation = "proxy";
  try {
    if (plan.proxy) connect_through(host, *socket, deadline);
    operation = "starttls";
    start_tls(options.starttls, *socket, deadline);
  } catch (const Failure& failure) {
    return complain(operation, "refused", failure.what(), failure.advice());
  }
  return std::move(*socket);
}

/// What can be sent early is, when that is wanted.
IoResult<void> shake_hands(blocking::Stream& stream, const ClientPlan& plan, const ClientOptions& options,
                           ClientOutcome& outcome) {
  if (options.early_data) {
    const auto early = stream.write_early(as_bytes(plan.request));
    if (!early) return std::unexpected(early.error());
    outcome.early = *early;
  }
  if (options.tls.false_start) {
    const auto written = stream.write(as_bytes(plan.request));
    if (!written) return std::unexpected(written.error());
    outcome.sent = *written;
    outcome.false_start = stream.connection().false_start();
  }
  return stream.handshake();
}

/// What the peer sends next, within --timeout; empty at its close_notify.
IoResult<Bytes> receive(blocking::Stream& stream, const ClientOptions& options, ClientOutcome& outcome) {
  if (options.timeout > 0) stream.set_read_deadline(blocking::after(milliseconds(options.timeout)));
  auto view = stream.read_view();
  if (view) outcome.received += view->size();
  return view;
}

/// Reads to the end of the connection.
IoResult<void> drain(blocking::Stream& stream, const ClientOptions& options, Output* output, ClientOutcome& outcome) {
  for (;;) {
    const auto view = receive(stream, options, outcome);
    if (!view) return std::unexpected(view.error());
    if (view->empty()) return {};
    if (output != nullptr) output->write(*view);
  }
}

/// Reads a response to its end, which may come before that of the connection.
class ResponseReader {
 public:
  ResponseReader(const ClientOptions& options, Output* output, ClientOutcome& outcome)
      : options_(options),
        output_(output),
        outcome_(outcome),
        progress_(output != nullptr && !output->is_terminal() && !options.output.quiet && !options.output.json) {}

  Result<void> read(blocking::Stream& stream) {
    for (bool ended = false; !ended;) {
      auto view = receive(stream, options_, outcome_);
      if (!view) return std::unexpected(with_what_is_missing(std::move(view.error())));
      if (view->empty()) {
        if (auto whole = response_.end(); !whole) return complain("http", "short", std::move(whole.error()), kShort);
        return {};
      }
      const auto taken = take(as_text(*view));
      if (!taken) return std::unexpected(taken.error());
      ended = *taken;
    }
    return {};
  }

 private:
  static constexpr const char* kShort = "The server broke off; what has come is not all of it.";

  /// Whether the response has ended.
  Result<bool> take(std::string_view bytes) {
    for (;;) {
      auto part = response_.next(bytes);
      if (!part) return complain("http", "malformed", std::move(part.error()), "Check that the port speaks HTTP/1.1.");
      if (std::holds_alternative<ResponseNeedsMore>(*part)) return false;
      if (std::holds_alternative<ResponseEnd>(*part)) return true;
      if (auto* head = std::get_if<ResponseHead>(&*part)) {
        if (auto taken = take_head(std::move(*head)); !taken) return std::unexpected(std::move(taken.error()));
      } else {
        if (output_ != nullptr) output_->write(as_bytes(std::get<ResponseBody>(*part).bytes));
        outcome_.answer->body = response_.body_size();
        progress_.show(response_.body_size(), content_length_);
      }
    }
  }

  Result<void> take_head(ResponseHead head) {
    content_length_ = head.content_length;
    outcome_.answer = Answer{.status = head.status, .reason = head.reason};
    if (options_.fail && head.status >= 400) {
      return complain("http", "status",
                      "the server answers " + std::to_string(head.status) + " " + printable(head.reason));
    }
    if (output_ == nullptr) return {};
    output_->open();  // a body without bytes makes a file, too
    if (options_.include) output_->write(as_bytes(head.text));
    return {};
  }

  IoError with_what_is_missing(IoError error) const {
    if (const auto whole = response_.end(); !whole && error.condition == IoCondition::tls)
      error.text += "; " + whole.error();
    return error;
  }

  const ClientOptions& options_;
  Output* output_;
  ClientOutcome& outcome_;
  HttpResponse response_;
  std::optional<std::uint64_t> content_length_;
  Progress progress_;
};

Result<void> ask(blocking::Stream& stream, const ClientPlan& plan, const ClientOptions& options, Output* output,
                 ClientOutcome& outcome) {
  const bool arrived = stream.connection().early_data() == EarlyDataStatus::accepted;
  if (arrived) outcome.sent = outcome.early;
  const auto written = stream.write(as_bytes(plan.request).subspan(outcome.sent));
  if (!written) return std::unexpected(written.error());
  outcome.sent += *written;
  return ResponseReader(options, output, outcome).read(stream);
}

Result<void> pipe(blocking::Stream& stream, const ClientOptions& options, Output& output, ClientOutcome& outcome) {
  output.open();  // also for a peer that sends nothing
  InputPump pump(stream, {.keep_open = options.keep_open, .crlf = options.crlf}, outcome.sent);
  const auto drained = drain(stream, options, &output, outcome);
  pump.stop();
  if (!drained) return std::unexpected(drained.error());
  if (pump.error() && pump.error()->condition != IoCondition::ended) return std::unexpected(*pump.error());
  if (outcome.sent != 0 && outcome.received == 0 && !options.send_only) {
    return complain("read", "no_answer", "the peer ended without a byte of answer",
                    pump.half_closed()
                        ? "Some servers give none once our side has ended: --keep-open leaves the end to "
                          "them. Where none is due, say --send-only."
                        : "Where none is due, say --send-only.");
  }
  return {};
}

/// The last connection has the output, and standard input.
Result<void> converse(blocking::Stream& stream, const ClientPlan& plan, const ClientOptions& options, bool last,
                      ClientOutcome& outcome) {
  if (options.key_update) {
    if (auto updated = stream.update_keys(true); !updated) return std::unexpected(updated.error());
  }
  if (options.tls.renegotiate == Renegotiate::begin) {
    if (auto begun = stream.renegotiate(); !begun) return std::unexpected(begun.error());
  }
  Output output(plan.output, plan.connection.canceller.value());
  try {
    if (!plan.request.empty()) return ask(stream, plan, options, last ? &output : nullptr, outcome);
    if (last) return pipe(stream, options, output, outcome);
  } catch (const Failure& failure) {
    return complain("output", "system", failure.what(), failure.advice());
  }
  if (auto closed = stream.close_write(); !closed) return std::unexpected(closed.error());
  if (auto drained = drain(stream, options, nullptr, outcome); !drained) return std::unexpected(drained.error());
  return {};
}

}  // namespace

ClientOutcome connect_once(const ClientPlan& plan, const ClientOptions& options, std::span<Session> sessions,
                           unsigned number) {
  using Steady = std::chrono::steady_clock;
  const auto start = Steady::now();
  ClientOutcome outcome;
  const bool last = number == options.resume;

  PeerCheck check(plan.anchors, plan.name, Role::server, plan.moment, policy_of(options.tls.policy), options.insecure);
  const auto fail = [&](Trouble trouble) {
    if (auto* error = std::get_if<IoError>(&trouble)) *error = check.explained(std::move(*error));
    outcome.signal = Interruption::signal();
    if (outcome.signal != 0) {
      trouble = Complaint{"client", "canceled", std::string("ended by ") + signal_name(outcome.signal), {}};
    }
    outcome.trouble = std::move(trouble);
  };
  blocking::Options connection = plan.connection;
  connection.intercept = [&check](Connection& engine, Event& event) { return check(engine, event); };
  Watch watch(options.watch, options.tls,
              options.resume == 0 ? std::nullopt : std::optional<std::uint64_t>(number + 1));
  watch.attach(connection);

  auto socket = reach(plan, options);
  if (!socket) {
    fail(std::move(socket.error()));
    return outcome;
  }
  outcome.facts.peer = peer_address(socket->descriptor()).text();
  auto stream = blocking::wrap(
      std::move(*socket), connection,
      {.name = plan.name, .sessions = sessions, .recorder = watch.recorder(), .server_name = plan.server_name});
  if (!stream) {
    fail(std::move(stream.error()));
    return outcome;
  }

  const auto shaken = shake_hands(*stream, plan, options, outcome);
  outcome.connected = shaken.has_value();
  outcome.handshake = Steady::now() - start;
  const std::string peer = std::move(outcome.facts.peer);
  outcome.facts = facts_of(*stream);
  outcome.facts.peer = peer;  // which a socket that is closed does not know any more
  outcome.judgement = check.judgement();
  outcome.chain = check.chain();
  check.add_to(outcome.facts);
  outcome.staples = check.staples();
  if (const Withheld* withheld = stream->answers().withheld()) outcome.withheld = withheld->text;
  if (!shaken) watch.failed();
  print_agreement(outcome, plan, options);
  if (shaken) {
    const auto conversed = converse(*stream, plan, options, last, outcome);
    if (!conversed) fail(conversed.error());
    outcome.sessions = stream->sessions();
    if (conversed || outcome.signal != 0) (void)stream->close();
  } else {
    fail(shaken.error());
  }
  outcome.peer_key_updates = check.peer_key_updates();
  outcome.renegotiations = check.renegotiations();
  outcome.total = Steady::now() - start;
  outcome.ok = !outcome.trouble;
  return outcome;
}

}  // namespace lockstep::tool
