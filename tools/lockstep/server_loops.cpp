// lockstep server --loop epoll|uring: many connections in each of a few threads.

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <lockstep/loop.hpp>

#include "event_loops.hpp"
#include "provider.hpp"
#include "server.hpp"

namespace lockstep::tool {
namespace {

/// A client speaks first; who does not is accepted when it has acknowledged once more.
constexpr std::chrono::seconds kDeferAccept{1};

/// What the connections of all threads share.
struct Run {
  const ServerOptions& options;
  const ServerPlan& plan;
  Reports reports{options.output};
  unsigned long limit = options.once ? 1 : options.count;  // 0: none
  std::atomic<unsigned long> begun{0};
  std::atomic<unsigned long> ended{0};
  std::atomic<bool> ok{true};
  Descriptor finished{::eventfd(0, EFD_CLOEXEC)};

  void connection_ended() {
    if (++ended == limit) {
      const std::uint64_t one = 1;
      (void)!::write(finished.number(), &one, sizeof one);
    }
  }
};

/// One connection: HTTP, or echo. It is small while it waits.
class Session final : public loop::Handler, Visitor {
 public:
  explicit Session(Run& run) : run_(run) {
    const bool watched = run.reports.wants_all() || run.limit != 0;
    if (watched || run.plan.ask_clients) record_ = std::make_unique<Record>(run.plan);
  }

  void on_open(loop::Stream& stream) override {
    stream_ = &stream;
    if (record_ != nullptr) record_->outcome.facts.peer = stream.peer_address().text();
  }
  void on_handshake(loop::Stream& stream, const HandshakeComplete& complete) override {
    if (record_ != nullptr) {
      record_->outcome.facts = facts();
      record_->outcome.connected = true;
    }
    if (complete.renegotiation) return;
    // Where it cannot be had the connection goes on: so it does with clients that refuse.
    if (run_.plan.renegotiate) (void)stream.renegotiate(run_.plan.renegotiate);
    expect_request(stream);
  }
  bool on_event(loop::Stream& stream, Event& event) override {
    return record_ != nullptr && record_->check(stream, event);
  }
  void on_readable(loop::Stream& stream) override {
    if (run_.plan.service == nullptr) {
      echo(stream);
    } else if (busy_ == nullptr || !busy_->sending) {
      serve(stream);
    }
  }
  void on_writable(loop::Stream& stream) override {
    if (run_.plan.service == nullptr) return echo(stream);
    if (busy_ == nullptr || !busy_->sending) return;
    if (send_rest(stream)) serve(stream);
  }
  /// All whole requests have been taken by now: one that is not answered yet leaves those behind it to the stream.
  void on_end(loop::Stream& stream) override {
    if (busy_ != nullptr && busy_->sending) {
      busy_->close_after = true;  // it has asked, and may have half-closed: the answer still goes out
    } else if (has_half_request()) {
      answer(stream, refusal(kHalfRequest));
    } else {
      stream.close();
    }
  }
  void on_deadline(loop::Stream& stream, Operation operation) override {
    if (operation == Operation::read && requests_ != 0 && !has_half_request()) {
      stream.close();  // asks nothing more: no trouble
    } else {
      Handler::on_deadline(stream, operation);
    }
  }
  void on_closed(loop::Stream&, const IoError* error) override {
    const bool between_requests = requests_ != 0 && busy_ == nullptr;
    if (error != nullptr && between_requests && is_end_of_transport(*error)) error = nullptr;
    if (busy_ != nullptr && busy_->broken) error = &*busy_->broken;
    if (record_ != nullptr) {
      Outcome& outcome = record_->outcome;
      if (error != nullptr) {
        outcome.trouble = record_->check.explained(*error);
        run_.ok = false;
      }
      outcome.judgement = record_->check.judgement();
      outcome.chain = record_->check.chain();
      record_->check.add_to(outcome.facts);
      outcome.peer_key_updates = record_->check.peer_key_updates();
      outcome.renegotiations = record_->check.renegotiations();
      outcome.early_bytes = record_->check.early_bytes();
      outcome.total = std::chrono::steady_clock::now() - record_->start;
      run_.reports.add(outcome);
    } else if (error != nullptr) {
      Outcome outcome;
      outcome.facts.peer = stream_ == nullptr ? std::string() : stream_->peer_address().text();
      outcome.trouble = *error;
      run_.reports.add(outcome);
    }
    run_.connection_ended();
  }

 private:
  /// For the report of this connection.
  struct Record {
    explicit Record(const ServerPlan& plan)
        : check(plan.client_anchors, x509::NoNameCheck{}, Role::client, plan.moment, plan.policy,
                plan.accept_unverified) {}
    std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
    PeerCheck check;
    Outcome outcome;
  };
  /// While there is half a request, or half an answer.
  struct Busy {
    std::string bytes;  ///< of a request that is not whole yet, all of which were searched for its end
    bool sending = false;
    bool close_after = false;
    std::optional<IoError> broken;  ///< why the answer cannot be finished
    Response response;
    std::string head;  ///< and body
    std::size_t head_sent = 0;
    std::uint64_t file_left = 0;
    std::vector<std::uint8_t> piece;
    std::size_t piece_sent = 0;
  };

  [[nodiscard]] Facts facts() const override {
    return facts_of(stream_->connection(), stream_->server_name(), stream_->peer_address());
  }
  [[nodiscard]] const std::vector<std::vector<std::uint8_t>>& chain() const override {
    static const std::vector<std::vector<std::uint8_t>> none;
    return record_ == nullptr ? none : record_->check.chain();
  }

  [[nodiscard]] bool has_half_request() const { return busy_ != nullptr && has_begun(busy_->bytes); }

  /// The next request has so much time from here to its end.
  void expect_request(loop::Stream& stream) {
    stream.set_read_deadline(loop::Clock::now() + run_.plan.patience, loop::Until::cleared);
  }

  void echo(loop::Stream& stream) {
    while (!stream.readable().empty()) {
      const auto taken = stream.write(stream.readable());
      if (!taken || *taken == 0) return stream.set_read_deadline({});  // only write_timeout counts now
      stream.consume(*taken);
      if (record_ != nullptr) {
        record_->outcome.traffic.received += *taken;
        record_->outcome.traffic.sent += *taken;
      }
    }
    expect_request(stream);
  }

  /// Answers what has come, as far as answers can be sent.
  void serve(loop::Stream& stream) {
    for (Bytes view = stream.readable(); !view.empty(); view = stream.readable()) {
      // A whole request that lies in one piece is read where it lies. Of what comes behind a whole request nothing is
      // taken: the end of the stream, which is told when all is taken, then finds nothing that waits for its answer.
      const std::size_t before = busy_ == nullptr ? 0 : busy_->bytes.size();
      if (before != 0) busy_->bytes += as_text(view);
      const auto head = parse_http_request(before == 0 ? as_text(view) : std::string_view(busy_->bytes), before);
      if (!head) {
        stream.consume(view.size());
        answer(stream, refusal(head.error()));
        return;
      }
      if (!*head) {
        if (busy_ == nullptr) busy_ = std::make_unique<Busy>();
        if (before == 0) busy_->bytes = as_text(view);
        stream.consume(view.size());
        continue;
      }
      ++requests_;
      if (record_ != nullptr) {
        Traffic& traffic = record_->outcome.traffic;
        traffic.request = (*head)->request.method + " " + (*head)->request.target;
        traffic.requests = requests_;
        traffic.received += (*head)->size;
      }
      if (busy_ != nullptr) busy_->bytes.clear();
      stream.consume((*head)->size - before);
      if (!answer(stream, run_.plan.service->respond((*head)->request, *this))) return;
    }
    if (busy_ != nullptr && busy_->bytes.empty()) busy_.reset();
  }

  /// True when all of it was taken and the next request may be looked at.
  bool answer(loop::Stream& stream, Response response) {
    if (record_ != nullptr) record_->outcome.traffic.status = response.status.number;
    if (busy_ == nullptr) busy_ = std::make_unique<Busy>();
    Busy& busy = *busy_;
    busy.head = response.head();
    if (response.with_body) busy.head += response.body;
    busy.head_sent = 0;
    busy.file_left = response.with_body && response.file ? response.file_size : 0;
    busy.close_after = !response.keep_alive;
    busy.response = std::move(response);
    busy.sending = true;
    return send_rest(stream);
  }

  bool send_rest(loop::Stream& stream) {
    Busy& busy = *busy_;
    for (;;) {
      // The head goes with the first of the body, into the same record.
      if (busy.piece.empty() && busy.file_left != 0) {
        busy.piece.resize(std::min<std::uint64_t>(busy.file_left, kPiece));
        const auto size = read_file_piece(busy.response.file, busy.file_left, busy.piece);
        if (!size) {
          busy.broken = size.error();
          stream.cancel(Alert::internal_error);
          return false;
        }
        busy.piece.resize(*size);
        busy.file_left -= *size;
      }
      const std::string_view head = std::string_view(busy.head).substr(busy.head_sent);
      const Bytes piece = Bytes(busy.piece).subspan(busy.piece_sent);
      if (head.empty() && piece.empty()) break;
      const std::array<Bytes, 2> pieces{as_bytes(head), piece};
      const auto taken = stream.writev(pieces);
      if (!taken) return false;  // on_closed will say why
      if (record_ != nullptr) record_->outcome.traffic.sent += *taken;
      const std::size_t of_head = std::min(*taken, head.size());
      busy.head_sent += of_head;
      busy.piece_sent += *taken - of_head;
      if (*taken < head.size() + piece.size()) {
        stream.set_read_deadline({});  // until it is answered, only write_timeout counts
        return false;
      }
      busy.piece_sent = 0;
      busy.piece.clear();
    }
    busy.sending = false;
    busy.response.file.reset();
    if (busy.close_after) {
      stream.close();
      return false;
    }
    expect_request(stream);
    return true;
  }

  static constexpr std::size_t kPiece = 65536;

  Run& run_;
  loop::Stream* stream_ = nullptr;
  std::uint64_t requests_ = 0;
  std::unique_ptr<Record> record_;
  std::unique_ptr<Busy> busy_;
};

}  // namespace

int serve_in_loops(const ServerOptions& options, const ServerPlan& plan, const Descriptor& signals) {
  Run run{.options = options, .plan = plan};
  const loop::Options connection{.config = plan.config,
                                 .answers = plan.answers,
                                 .random = &random_source(),
                                 .handshake_timeout = plan.patience,
                                 .write_timeout = plan.patience,
                                 .key_log = plan.key_log};
  const std::size_t threads = options.threads == 0 ? 1 : options.threads;
  std::vector<std::unique_ptr<loop::Loop>> loops;
  std::uint16_t port = options.port;
  for (std::size_t i = 0; i < threads; ++i) {
    loops.push_back(make_event_loop(options.loop));
    const auto make_handler = [&run](loop::Stream&) -> std::unique_ptr<loop::Handler> {
      if (run.limit != 0 && run.begun++ >= run.limit) return nullptr;
      return std::make_unique<Session>(run);
    };
    const auto listener = loops.back()->listen(options.address, port, connection, make_handler,
                                               {.reuse_port = threads > 1,
                                                .defer_accept = kDeferAccept,
                                                .on_error = [](const IoError& error) { print_warning(error.text); }});
    if (!listener) throw Failure(listener.error().text, "Choose another --port, or 0 for a free one.");
    if (i == 0) {
      port = listener->address().port;
      announce(options, plan, listener->address());
    }
  }

  std::vector<std::thread> crew;
  for (const auto& each : loops) crew.emplace_back([&each] { each->run(); });
  std::array<pollfd, 2> waiting{{{signals.number(), POLLIN, 0}, {run.finished.number(), POLLIN, 0}}};
  while (::poll(waiting.data(), waiting.size(), -1) < 0 && errno == EINTR) {
  }
  const bool told_to_stop = waiting[0].revents != 0;
  // What is in progress ends as it would, if it does so soon.
  for (const auto& each : loops) each->post([](loop::Loop& it) { it.drain(std::chrono::milliseconds(500)); });
  for (std::thread& thread : crew) thread.join();
  return told_to_stop || run.ok ? kSuccess : kFailed;
}

}  // namespace lockstep::tool
