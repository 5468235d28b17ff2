#pragma once
// Sessions of several servers on one Redis 6.2 or Valkey, and what guards their early data. For servers in event loops.
//
//     class Page final : public loop::Handler {  // one for each stream
//      public:
//       explicit Page(std::shared_ptr<redis::Store> store) : sessions_(std::move(store)) {}
//       bool on_event(loop::Stream& stream, Event& event) override { return sessions_.take(stream, event); }
//       void on_readable(loop::Stream& stream) override { stream.consume(stream.readable().size()); }
//      private:
//       redis::Sessions sessions_;
//     };
//
//     auto setup = AnswerSetup::create({.provider = provider, .credentials = {credential}, .ticket_keys =
//     keys}).value(); auto store = redis::Store::create(*loop, *config, setup, {.server = {.host = "192.0.2.1", .port =
//     6379}}).value(); auto listener = loop->listen("", 8443, {.config = config, .answers = setup},
//                                  [=](loop::Stream&) { return std::make_unique<Page>(store); });
//
// Whatever Redis does, a handshake goes on: where it is away, or has not answered within `Options::timeout`, sessions
// are not found, no tickets are given and no early data is accepted. While it owes an answer that is overdue nobody
// else waits for it.
//
// Redis holds sessions sealed by the setup's ticket keys, which the servers share and Redis does not know: who reads it
// learns no secret. But it is trusted to forget and to remember: who writes to it can bring sessions and early data
// back, so let nobody else do so. It must not evict keys (maxmemory-policy noeviction).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <lockstep/answers.hpp>
#include <lockstep/config.hpp>
#include <lockstep/event.hpp>
#include <lockstep/export.hpp>
#include <lockstep/io.hpp>
#include <lockstep/loop.hpp>

namespace lockstep::redis {

struct Options {
  /// Where Redis is: an address, or a Unix socket's path as the host.
  Address server{.host = "127.0.0.1", .port = 6379};
  /// What Redis asks for (AUTH). Without a password nothing is said; without a user it is the default one's.
  std::string user{};
  std::string password{};
  /// TLS on the way to Redis: a client's configuration and answers, and whom to expect. Otherwise plain text.
  std::shared_ptr<const Config> config{};
  std::shared_ptr<const AnswerSetup> answers{};
  std::optional<x509::PeerName> name{};
  /// How long a handshake waits for an answer, 1 ms to a minute; and Redis has for the beginning of a connection.
  std::chrono::milliseconds timeout{250};
  /// After a connection that failed, the next one is tried after so long, twice as long each time, up to the second.
  std::chrono::milliseconds retry{100};
  std::chrono::milliseconds longest_retry{10'000};
  /// Questions that Redis has not answered yet, at most; more are not asked.
  std::size_t max_pending = 4096;
  /// Keys begin with this, and go on with the session context (`Config::session_context`): servers that differ in it
  /// share nothing.
  std::string prefix = "lockstep:";
  /// Keep sessions: tickets are names then, and in TLS 1.3 good once. Otherwise tickets are sealed by the setup, and
  /// Redis guards early data alone.
  bool sessions = true;
  /// For so long early data is remembered: at least twice the sum of the configuration's tolerance
  /// (`ConfigBuilder::early_data`) and kMaxClockSkew, up to 7 days.
  std::chrono::seconds window{60};
  /// Redis forgets nothing that it has confirmed, not even in a crash or when another takes its place (appendfsync
  /// always, and no asynchronous replicas). Otherwise early data is refused for a `window` after each beginning of a
  /// connection, because what was accepted before may have been forgotten.
  bool durable = false;
};

/// What a store did.
struct Statistics {
  bool connected = false;         ///< now, and answering
  std::uint64_t connections = 0;  ///< that came to answer
  std::uint64_t asked = 0;        ///< questions sent
  std::uint64_t timeouts = 0;     ///< of them, those that were not answered in time
  std::uint64_t not_asked = 0;    ///< because Redis was away, or owed an answer
  std::uint64_t found = 0;        ///< sessions
  std::uint64_t kept = 0;         ///< sessions
  std::uint64_t first_times = 0;  ///< early data that was accepted
};

/// A loop's connection to Redis. It belongs to the loop's thread, as its streams do: make one for each loop, before it
/// runs or in it, and let go of it before the loop or with it. It ends when the loop is drained.
class LOCKSTEP_API Store {
 public:
  /// The store, or every problem: a setup without ticket keys, a provider without SHA-256, options out of their bounds.
  /// Redis need not be there yet.
  [[nodiscard]] static std::expected<std::shared_ptr<Store>, std::vector<ConfigProblem>> create(
      loop::Loop& loop, const ServerConfig& config, std::shared_ptr<const AnswerSetup> setup, Options options);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store();

  [[nodiscard]] Statistics statistics() const noexcept;

 private:
  friend class Sessions;
  Store(loop::Loop& loop, const ServerConfig& config, std::shared_ptr<const AnswerSetup> setup, Options options);
  struct State;
  std::shared_ptr<State> state_;
};

/// What one stream asks of a store. For streams that are in the store's loop; after a move the setup answers alone.
class LOCKSTEP_API Sessions {
 public:
  explicit Sessions(std::shared_ptr<Store> store);
  Sessions(Sessions&&) noexcept;
  Sessions& operator=(Sessions&&) noexcept;
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;
  ~Sessions();

  /// For `Handler::on_event`, which shows it every event: true when the question is Redis's to answer.
  bool take(loop::Stream& stream, Event& event);

 private:
  struct State;
  std::shared_ptr<Store> store_;
  std::shared_ptr<State> state_;
};

}  // namespace lockstep::redis
