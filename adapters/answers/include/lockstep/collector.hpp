#pragma once
// Public-key work of many connections in one call. What the connections of one turn of a loop ask for is taken,
// computed together and answered at the end of the turn: nobody waits for a timer, nor beyond the turn. The loops of
// this library do so by themselves.
//
//     // whenever an event comes
//     if (!collector.take(&session, session.connection, event, random, &session.answers))
//       session.answers.answer(session.connection, event);
//     // when everything that is readable has been read
//     while (!collector.empty())
//       collector.flush([](void* owner) { static_cast<Session*>(owner)->go_on(); });

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <sys/types.h>

#include <lockstep/answers.hpp>
#include <lockstep/computation.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/event.hpp>
#include <lockstep/export.hpp>

namespace lockstep {

/// What it holds belongs to one thread.
class LOCKSTEP_API Collector {
 public:
  Collector() noexcept = default;
  /// With key pairs made ahead (`KeyPairs`), which draw from `random`: it has to live as long. After a fork neither
  /// process uses what the other has.
  explicit Collector(RandomSource& random) noexcept : ahead_(random) {}
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  ~Collector() = default;

  /// Takes a `Compute`, and a `Sign` whose key gains from several in one call (`SigningKey::width`), and, where
  /// `answers` are given whose provider verifies together, a `VerifyPeer`; other events stay as they are, and false
  /// comes back. `owner` is whom `flush` names, and whom `forget` forgets. The connection and its answers must be where
  /// they are, and `random` live, until then; signatures draw from it.
  [[nodiscard]] bool take(void* owner, Connection& connection, Event& event, RandomSource& random,
                          Answers* answers = nullptr);
  /// The owner goes: its questions are dropped, and its handshake fails, if it is there at all.
  void forget(const void* owner) noexcept;
  /// Whether nothing has been taken.
  [[nodiscard]] bool empty() const noexcept { return questions_.empty(); }
  [[nodiscard]] bool holds(const void* owner) const noexcept;

  /// Computes all that was taken, in as few calls as it takes, answers, and then names each owner: its connection goes
  /// on from there, and may ask for more, which is taken for the next call. It may not be forgotten meanwhile.
  void flush(const std::function<void(void* owner)>& answered);

 private:
  struct Question {
    void* owner;
    Connection* connection;
    Event event;  ///< a Compute, a Sign or a VerifyPeer
    RandomSource* random;
    Answers* answers;
    std::vector<std::uint8_t> signature{};
  };
  void compute();
  void sign();

  std::vector<Question> questions_;
  std::vector<Question> answering_;
  std::optional<KeyPairs> ahead_;
  pid_t process_ = 0;  ///< which made them
};

}  // namespace lockstep
