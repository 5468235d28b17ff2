#pragma once
// Where a client keeps sessions, so that connections resume by themselves. The streams of the adapters do, with the
// cache of their setup (`AnswerOptions::client_sessions`):
//
//     auto setup = AnswerSetup::create({.provider = provider, .anchors = anchors}).value();  // with a cache of its own
//     auto none = AnswerSetup::create({.provider = provider, .anchors = anchors, .client_sessions = nullptr}).value();

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <lockstep/event.hpp>
#include <lockstep/export.hpp>
#include <lockstep/session.hpp>
#include <lockstep/time.hpp>

namespace lockstep {

/// Keeps a client's sessions from one connection to the next. Its calls come from all threads that have connections, in
/// the midst of their work: they neither block for long nor throw. A key is a string of bytes that says where sessions
/// belong (`AnswerSetup::client_sessions`); the same in every process that is set up alike. Sessions hold secrets: one
/// that leaves the process goes encrypted.
class LOCKSTEP_API ClientSessionCache {
 public:
  virtual ~ClientSessionCache() = default;
  /// Keeps a session, beside others of the same key.
  virtual void put(std::string_view key, Session session) = 0;
  /// Takes out the newest session of a key that may be resumed now. RFC 9846 C.4: "Clients SHOULD NOT reuse a ticket
  /// for multiple connections." One of TLS 1.2 comes back when it has been resumed.
  [[nodiscard]] virtual std::optional<Session> take(std::string_view key, Time now) = 0;
  /// Removes all sessions of a key, since a connection there failed.
  virtual void forget(std::string_view key) = 0;

 protected:
  ClientSessionCache() = default;
  ClientSessionCache(const ClientSessionCache&) = default;
  ClientSessionCache& operator=(const ClientSessionCache&) = default;
};

/// Sessions in the memory of one process, of at most so many keys: when one more comes, that goes which was used
/// longest ago. Sessions wipe themselves when they go. May be called from several threads at once.
class LOCKSTEP_API LruClientSessionCache final : public ClientSessionCache {
 public:
  /// As many as rustls keeps by default; some 100 KB.
  static constexpr std::size_t kDefaultCapacity = 256;
  /// Of one key; of more the newest are kept. As many as rustls keeps (MAX_TLS13_TICKETS_PER_SERVER).
  static constexpr std::size_t kDefaultSessionsPerKey = 8;

  /// Nothing is kept where either is 0.
  explicit LruClientSessionCache(std::size_t capacity = kDefaultCapacity,
                                 std::size_t sessions_per_key = kDefaultSessionsPerKey) noexcept
      : capacity_(sessions_per_key == 0 ? 0 : capacity), sessions_per_key_(sessions_per_key) {}

  void put(std::string_view key, Session session) override;
  [[nodiscard]] std::optional<Session> take(std::string_view key, Time now) override;
  void forget(std::string_view key) override;
  /// How many keys have sessions.
  [[nodiscard]] std::size_t size() const;

 private:
  struct Place {
    std::string key;
    std::vector<Session> sessions;  // the newest last
  };
  using Places = std::list<Place>;

  std::size_t capacity_;
  std::size_t sessions_per_key_;
  mutable std::mutex mutex_;
  Places places_;                                               // the one used last first
  std::unordered_map<std::string_view, Places::iterator> map_;  // the keys are those of the places
};

/// The sessions of one client's connection: where they come from and go to. For adapters;
/// `AnswerSetup::client_sessions` makes it. Without a cache they are handed on by the application.
class LOCKSTEP_API ClientSessions {
 public:
  /// Those that nobody has asked for; the newest.
  static constexpr std::size_t kMaxGiven = 16;

  ClientSessions() noexcept = default;
  ClientSessions(std::shared_ptr<ClientSessionCache> cache, std::string key);

  /// One to offer, when the cache has one.
  [[nodiscard]] std::optional<Session> take(Time now);
  /// A session has come (`SessionReceived`).
  void received(Session session);
  /// The application has answered this event itself. Where that decides who the peers are to each other, what the
  /// sessions of this connection stand for is the application's to know, and the cache gets none.
  void answered_by_application(const Event& event) noexcept;
  /// The connection has failed. RFC 9846 6: secrets "established in failed connections" are forgotten, "with the
  /// exception of the PSKs associated with session tickets, which SHOULD be discarded if possible."
  void failed(const Error& error);
  /// The sessions that came since the last call, which are in the cache no longer.
  [[nodiscard]] std::vector<Session> given(Time now);

 private:
  struct Place {
    std::shared_ptr<ClientSessionCache> cache;
    std::string key;
  };
  std::unique_ptr<const Place> place_;
  std::vector<Session> given_;
};

}  // namespace lockstep
