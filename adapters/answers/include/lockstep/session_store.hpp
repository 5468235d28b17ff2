#pragma once
// Sessions that a server keeps: in TLS 1.2 under their ids (RFC 5246 F.1.4), for clients that take no tickets; in both
// versions also under tickets that hold nothing but a name.
//
//     auto sessions = std::make_shared<SessionStore>();  // one for all connections
//     auto config = ConfigBuilder::server(provider).session_ids(true).build().value();
//     auto setup = AnswerSetup::create({.provider = provider, .credentials = {credential}, .session_store = sessions});

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include <lockstep/bytes.hpp>
#include <lockstep/export.hpp>
#include <lockstep/session.hpp>
#include <lockstep/time.hpp>

namespace lockstep {

/// At most so many sessions, in the memory of one process: when one more comes, that goes out which was used longest
/// ago; and those that have ended, once a minute at most. They hold secrets, and wipe themselves when they go. Whether
/// a session that is found has ended is looked at by the engine before it resumes. May be called from several threads
/// at once.
class LOCKSTEP_API SessionStore {
 public:
  /// As many as OpenSSL keeps (SSL_SESSION_CACHE_MAX_SIZE_DEFAULT); without clients' certificates some 10 MB.
  static constexpr std::size_t kDefaultCapacity = 20'480;
  /// The longest session, serialized, that is kept: as long as the longest ticket (RFC 5077 3.3), so that clients with
  /// large certificates do not fill the memory.
  static constexpr std::size_t kMaxSession = 0xffff;

  /// None are kept with capacity 0.
  explicit SessionStore(std::size_t capacity = kDefaultCapacity) noexcept : capacity_(capacity) {}
  SessionStore(const SessionStore&) = delete;
  SessionStore& operator=(const SessionStore&) = delete;

  /// Keeps a session under its `session_id`, in place of one that is there; false when it has none or is too long.
  bool put(Session session);
  /// The same under the name that its ticket is; false when that is empty.
  bool put(Bytes name, Session session);
  /// A copy; nothing when there is none (any more).
  [[nodiscard]] std::optional<Session> find(Bytes name);
  /// The session itself, which is then gone: of several who ask at once one gets it.
  [[nodiscard]] std::optional<Session> take(Bytes name);
  /// Whether it was there. RFC 5246 7.2.2: "Servers and clients MUST forget any session-identifiers, keys, and secrets
  /// associated with a failed connection."
  bool forget(Bytes name);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Kept {
    std::string name;
    Session session;
  };
  using Sessions = std::list<Kept>;
  void remove(Sessions::iterator place);
  void remove_ended(Time now);

  std::size_t capacity_;
  mutable std::mutex mutex_;
  Sessions sessions_;                                                // the one used last first
  std::unordered_map<std::string_view, Sessions::iterator> places_;  // the names are those of the sessions
  Time looked_at_{};                                                 // for sessions that have ended
};

}  // namespace lockstep
