// lockstep server --loop blocking: a thread for each connection.

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include <poll.h>

#include <lockstep/blocking.hpp>

#include "explain.hpp"
#include "provider.hpp"
#include "report.hpp"
#include "server.hpp"

namespace lockstep::tool {
namespace {

using blocking::after;

// --- one connection --------------------------------------------------------------------------------------------------

class BlockingVisitor final : public Visitor {
 public:
  BlockingVisitor(const Facts& facts, const PeerCheck& check) noexcept : facts_(facts), check_(check) {}
  [[nodiscard]] Facts facts() const override { return facts_; }
  [[nodiscard]] const std::vector<std::vector<std::uint8_t>>& chain() const override { return check_.chain(); }

 private:
  const Facts& facts_;
  const PeerCheck& check_;
};

IoResult<void> send(blocking::Stream& stream, Bytes bytes, Traffic& traffic) {
  const auto written = stream.write(bytes);
  traffic.sent += written ? *written : written.error().transferred;
  if (!written) return std::unexpected(written.error());
  return {};
}

IoResult<void> send(blocking::Stream& stream, const ServerPlan& plan, const Response& response, Traffic& traffic) {
  traffic.status = response.status.number;
  const std::string head = response.head() + (response.with_body ? response.body : "");
  stream.set_write_deadline(after(plan.patience));
  if (auto sent = send(stream, as_bytes(head), traffic); !sent) return sent;
  if (!response.file || !response.with_body) return {};
  std::vector<std::uint8_t> buffer(65536);
  for (std::uint64_t left = response.file_size; left != 0;) {
    const auto size = read_file_piece(response.file, left, buffer);
    if (!size) {
      (void)stream.close(Alert::internal_error);
      return std::unexpected(size.error());
    }
    left -= *size;
    stream.set_write_deadline(after(plan.patience));
    if (auto sent = send(stream, Bytes(buffer).first(*size), traffic); !sent) return sent;
  }
  return {};
}

/// Answers requests until one of them, or the client, wants no more. For each there is so much time, from the answer
/// before it to its end, however its bytes come.
IoResult<void> serve_http(blocking::Stream& stream, const ServerPlan& plan, const Facts& facts, const PeerCheck& check,
                          Traffic& traffic) {
  const BlockingVisitor visitor(facts, check);
  std::string bytes;
  std::size_t searched = 0;
  stream.set_read_deadline(after(plan.patience));
  for (;;) {
    const auto head = parse_http_request(bytes, searched);
    if (!head) return send(stream, plan, refusal(head.error()), traffic);
    if (*head) {
      const HttpRequest& request = (*head)->request;
      traffic.request = request.method + " " + request.target;
      ++traffic.requests;
      const Response response = plan.service->respond(request, visitor);
      if (auto sent = send(stream, plan, response, traffic); !sent || !response.keep_alive) return sent;
      bytes.erase(0, (*head)->size);
      searched = 0;
      stream.set_read_deadline(after(plan.patience));
      continue;
    }
    searched = bytes.size();
    const auto view = stream.read_view();
    if (!view) {
      // One that asks nothing more within the time is not in trouble.
      const IoError& error = view.error();
      const bool over = error.condition == IoCondition::timeout || is_end_of_transport(error);
      if (!has_begun(bytes) && traffic.requests != 0 && over) return {};
      return std::unexpected(view.error());
    }
    if (view->empty()) return has_begun(bytes) ? send(stream, plan, refusal(kHalfRequest), traffic) : IoResult<void>{};
    traffic.received += view->size();
    bytes += as_text(*view);
  }
}

IoResult<void> echo(blocking::Stream& stream, const ServerPlan& plan, Traffic& traffic) {
  for (;;) {
    stream.set_read_deadline(after(plan.patience));
    const auto view = stream.read_view();
    if (!view) return std::unexpected(view.error());
    if (view->empty()) return {};
    traffic.received += view->size();
    stream.set_write_deadline(after(plan.patience));
    if (auto sent = send(stream, *view, traffic); !sent) return sent;
  }
}

Outcome serve(blocking::Socket socket, const ServerPlan& plan, const ServerOptions& options, std::uint64_t number) {
  const auto start = std::chrono::steady_clock::now();
  Outcome outcome;
  outcome.facts.peer = peer_address(socket.descriptor()).text();
  PeerCheck check(plan.client_anchors, x509::NoNameCheck{}, Role::client, plan.moment, plan.policy,
                  plan.accept_unverified);
  blocking::Options connection{.config = plan.config,
                               .answers = plan.answers,
                               .random = &random_source(),
                               .handshake_timeout = plan.patience,
                               .key_log = plan.key_log};
  connection.intercept = [&check](Connection& engine, Event& event) { return check(engine, event); };

  Watch watch(options.watch, options.tls, options.once ? std::nullopt : std::optional(number));
  watch.attach(connection);

  auto stream = blocking::wrap(std::move(socket), connection, {.recorder = watch.recorder()});
  if (!stream) {
    outcome.trouble = stream.error();
    return outcome;
  }
  const auto shaken = stream->handshake();
  outcome.facts = facts_of(*stream);
  outcome.connected = shaken.has_value();
  if (!shaken) {
    outcome.trouble = check.explained(shaken.error());
    watch.failed();
    if (const auto& hello = watch.client_hello(); !hello.empty())
      outcome.explained =
          explain({.client_hello = hello, .config = plan.config, .answers = plan.answers, .now = system_time()});
  } else {
    // Where it cannot be had the connection goes on: so it does with clients that refuse.
    if (plan.renegotiate) (void)stream->renegotiate(plan.renegotiate);
    const auto served = plan.service == nullptr ? echo(*stream, plan, outcome.traffic)
                                                : serve_http(*stream, plan, outcome.facts, check, outcome.traffic);
    if (!served)
      outcome.trouble = served.error();
    else if (const auto closed = stream->close(); !closed && !is_end_of_transport(closed.error()))
      outcome.trouble = closed.error();
  }
  outcome.judgement = check.judgement();
  outcome.chain = check.chain();
  check.add_to(outcome.facts);
  outcome.peer_key_updates = check.peer_key_updates();
  outcome.renegotiations = check.renegotiations();
  outcome.early_bytes = check.early_bytes();
  outcome.total = std::chrono::steady_clock::now() - start;
  return outcome;
}

// --- the run ---------------------------------------------------------------------------------------------------------

/// Threads that each accept a connection, serve it, and accept the next.
class Crew {
 public:
  Crew(const ServerPlan& plan, const ServerOptions& options, blocking::Listener& listener,
       blocking::Canceller canceller)
      : plan_(plan),
        options_(options),
        listener_(listener),
        canceller_(std::move(canceller)),
        reports_(options.output) {
    left_ = options.once ? 1 : options.count;
    limited_ = left_ != 0;
  }

  void start() {
    const std::size_t threads = options_.threads == 0 ? 64 : options_.threads;
    const std::size_t size = limited_ ? std::min<std::size_t>(threads, left_) : threads;
    running_ = size;
    for (std::size_t i = 0; i < size; ++i) threads_.emplace_back([this] { work(); });
  }
  /// Becomes readable when every thread has come to its end by itself.
  [[nodiscard]] int finished_descriptor() const noexcept { return finished_.descriptor(); }
  /// Ends what is in progress.
  void stop() {
    canceller_.cancel();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  [[nodiscard]] bool ok() const noexcept { return ok_; }

 private:
  void work() {
    while (auto socket = next()) {
      try {
        report(serve(std::move(*socket), plan_, options_, ++served_));
      } catch (const Failure& failure) {  // without its tape nothing is served
        report_failure(options_.output.json, "server", kFailed, failure.what(), failure.advice());
        ok_ = false;
      }
    }
    if (--running_ == 0) finished_.cancel();
  }

  std::optional<blocking::Socket> next() {
    const std::scoped_lock lock(accepting_);
    for (;;) {
      if (canceller_.canceled() || (limited_ && left_ == 0)) return std::nullopt;
      auto socket = listener_.accept_plain({}, canceller_);
      if (socket) {
        if (limited_) --left_;
        return std::move(*socket);
      }
      if (canceller_.canceled()) return std::nullopt;
      // Out of descriptors, or a connection that ended before it was accepted: the next one may do.
      print_warning(socket.error().text);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }

  void report(const Outcome& outcome) {
    if (outcome.trouble && !canceller_.canceled()) ok_ = false;
    reports_.add(outcome);
  }

  const ServerPlan& plan_;
  const ServerOptions& options_;
  blocking::Listener& listener_;
  blocking::Canceller canceller_;
  blocking::Canceller finished_;
  std::mutex accepting_;
  Reports reports_;
  unsigned long left_ = 0;  // guarded by accepting_
  bool limited_ = false;
  std::atomic<std::uint64_t> served_ = 0;
  std::atomic<bool> ok_ = true;
  std::atomic<std::size_t> running_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace

int serve_blocking(const ServerOptions& options, const ServerPlan& plan, const Descriptor& signals) {
  const blocking::Canceller canceller;
  auto listener = blocking::Listener::listen(options.address, options.port, canceller);
  if (!listener) throw Failure(listener.error().text, "Choose another --port, or 0 for a free one.");
  announce(options, plan, listener->address());

  Crew crew(plan, options, *listener, canceller);
  crew.start();
  std::array<pollfd, 2> waiting{{{signals.number(), POLLIN, 0}, {crew.finished_descriptor(), POLLIN, 0}}};
  while (::poll(waiting.data(), waiting.size(), -1) < 0 && errno == EINTR) {
  }
  crew.stop();
  // A server that was told to stop has done its work; one that was to serve so many has done it when all went well.
  return waiting[0].revents != 0 || crew.ok() ? kSuccess : kFailed;
}

}  // namespace lockstep::tool
