#pragma once
// Schedules: what two ends do and in which order, chosen by bytes. The bytes come from a seed (tests/schedules) or from
// the fuzzer (fuzz/api.cpp). Both ends are honest unless a schedule says that somebody meddles.
//
// What must hold, whatever the schedule:
// - nothing but hellos, change_cipher_spec and alerts of an end that has no key is on the wire in the clear
// - application data arrives whole, once and in order, in both directions, early data too
// - both ends agree on how it went and how it ended; an end fails only where the schedule gave it a reason
// - nothing goes on for ever, a failure is final, memory keeps to its bound
//
// Internal: never installed.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <lockstep/fuzzing.hpp>

namespace lockstep::fuzzing {

/// What schedules are played with: made once.
class Stage {
 public:
  /// `held`: how many bytes the program has allocated; null when nobody knows.
  explicit Stage(const Provider& provider, std::size_t (*held)() = nullptr);

  /// Who meets whom.
  struct Pairing {
    std::string name;
    std::shared_ptr<const ClientConfig> client;
    std::shared_ptr<const ServerConfig> server;
    std::vector<Octets> sessions{};  ///< of an earlier connection
  };
  std::vector<Pairing> pairings;
  std::size_t (*held)();

  /// What its owner has for these schemes.
  [[nodiscard]] std::shared_ptr<const Credential> credential_for(std::span<const SignatureScheme> schemes) const;

 private:
  std::shared_ptr<const Credential> credential_;
  std::shared_ptr<const Credential> rsa_credential_;
  void pair(std::string name, const ClientConfigBuilder& client, const ServerConfigBuilder& server);
};

/// What became of a schedule.
struct Played {
  std::string broken;  ///< what did not hold; empty: nothing
  std::string log;     ///< what was done, a word for each step
  // What it went through, so that a test can say that all of it was there.
  bool connected = false;
  bool resumed = false;
  bool retried = false;
  bool early_data = false;  ///< that was accepted
  bool client_authenticated = false;
  bool offloaded = false;
  bool closed = false;
  bool failed = false;
  bool tampered = false;
  bool key_updated = false;
  bool renegotiated = false;
  bool late_tickets = false;  ///< answered after application data had come
};

/// The bytes of a random schedule.
[[nodiscard]] Octets schedule(std::uint64_t seed);

[[nodiscard]] Played play(const Stage& stage, Choices& choices);

}  // namespace lockstep::fuzzing
