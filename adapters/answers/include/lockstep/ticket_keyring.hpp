#pragma once
// The keys of stateless tickets that all connections of a server use: in many threads, and in processes that are forked
// once they are there.
//
//     auto keys = TicketKeyring::create(provider, random);  // new ones every day, of which none opens after a week
//     auto setup = AnswerSetup::create({.provider = provider, .credentials = {credential}, .ticket_keys = keys});

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <shared_mutex>
#include <span>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/session.hpp>
#include <lockstep/time.hpp>

namespace lockstep {

/// When keys that a server makes for itself change: by default as Go's do.
struct TicketRotation {
  std::chrono::seconds every{86'400};  ///< a key seals for so long
  std::chrono::seconds life{604'800};  ///< and opens for so long, from its beginning; at most TicketKeys::kMaxKeys do
};

/// Ticket keys that connections in many threads use, while time or another thread changes them.
///
/// Their memory is shared with processes that are forked afterwards (say, the workers of a server), whichever of which
/// changes keys: a ticket of one opens at all. It is not part of a core dump. Where the system has no memory to share,
/// each process goes on by itself. Fork while no thread uses the keys.
class LOCKSTEP_API TicketKeyring {
 public:
  /// With keys that change when the application says so.
  explicit TicketKeyring(TicketKeys keys);
  /// With one new key, and others in its place as time goes by; nothing when randomness fails, the provider lacks what
  /// tickets need, or what it has of that protects nothing. The time is that of the sessions that are sealed, and of
  /// those who open. Where a clock was set back, a key that seems to be of the future counts as new.
  [[nodiscard]] static std::shared_ptr<TicketKeyring> create(const Provider& provider, RandomSource& random,
                                                             TicketRotation rotation = {});
  TicketKeyring(const TicketKeyring&) = delete;
  TicketKeyring& operator=(const TicketKeyring&) = delete;
  ~TicketKeyring();

  /// See TicketKeys: keys without a secret change nothing. A connection that is sealing or opening at this moment
  /// finishes with the keys it found.
  [[nodiscard]] std::expected<void, TicketError> rotate(TicketKey next);
  [[nodiscard]] std::expected<void, TicketError> add_previous(TicketKey previous);
  /// All keys at once; from here on time changes none.
  [[nodiscard]] std::expected<void, TicketError> replace(TicketKeys keys);
  /// Copies of the keys, the current one first, for servers elsewhere that are to open the same tickets.
  [[nodiscard]] std::vector<TicketKey> keys() const;

  /// The session as a ticket.
  [[nodiscard]] std::expected<std::vector<std::uint8_t>, TicketError> seal(const Session& session,
                                                                           RandomSource& random) const;
  /// The session that a ticket holds. A ticket that opens to something else is `invalid`.
  [[nodiscard]] std::expected<Session, TicketError> open(Bytes ticket, Time now) const;

 private:
  struct Shared;
  class Change;
  TicketKeyring(TicketKeys keys, TicketRotation rotation, bool rotates);
  void catch_up(Time now, RandomSource* random) const;
  void take_over(const Change& change) const;

  TicketRotation rotation_{};
  Shared* shared_;
  bool mapped_ = true;  // or from the heap, and nobody else's

  mutable std::shared_mutex mutex_;
  // Of the shared keys, as they were at `seen_`:
  mutable TicketKeys keys_;
  mutable std::uint64_t seen_ = 0;
  mutable Time seals_until_{};  // then a new key is due
  mutable Time opens_from_{};   // before that the clock has been set back,
  mutable Time opens_until_{};  // and then the oldest has to go
};

}  // namespace lockstep
