#pragma once
// For fuzzing what speaks TLS: this engine, or a protocol on top of it. Everything runs on the fake provider, so that a
// handshake costs microseconds, every run is the same, and a fuzzer gets past signatures and tags.
//
//     extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
//       lockstep::fuzzing::Choices choices({data, size});
//       lockstep::fuzzing::Ends ends(choices);             // a client and a server, watched
//       lockstep::fuzzing::Middle middle(choices);         // who changes what passes between them
//       ends.run(middle);
//       return 0;
//     }
//
// What is watched, at every step (`require` prints the sentence and aborts):
// - a call consumes no more than it was given, and ends within as many steps as there are bytes
// - a failure is final: the same error for ever after, nothing consumed, nothing sent but the alert
// - an alert goes out exactly when the failure is ours and we had not closed: one record, the last one
// - nothing goes out after close_notify
// - application data arrives only when the handshake is complete, early data only before and where it was accepted
// - under AddressSanitizer, a handshake keeps to the memory that its configuration grants

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <lockstep/connection.hpp>
#include <lockstep/export.hpp>
#include <lockstep/fake.hpp>
#include <lockstep/tape.hpp>

namespace lockstep::fuzzing {

using Octets = std::vector<std::uint8_t>;

/// Ends the program, for the fuzzer to see, when what must hold does not.
LOCKSTEP_API void require(bool holds, const char* sentence, const Error* error = nullptr);

/// The fuzzer's bytes as choices. When they have run out, every choice is the first.
class Choices {
 public:
  explicit Choices(Bytes bytes) noexcept : rest_(bytes) {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
  std::uint8_t byte() noexcept {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  bool flag() noexcept { return (byte() & 1U) != 0; }
  /// 0 to count - 1.
  std::size_t below(std::size_t count) noexcept {
    if (count <= 1) return 0;
    std::size_t value = byte();
    if (count > 256) value = value << 8U | byte();
    return value % count;
  }
  template <class T, std::size_t count>
  const T& of(const T (&values)[count]) noexcept {
    return values[below(count)];
  }
  Bytes bytes(std::size_t most) noexcept {
    const Bytes front = rest_.first(std::min(most, rest_.size()));
    rest_ = rest_.subspan(front.size());
    return front;
  }
  Bytes rest() noexcept { return bytes(rest_.size()); }

 private:
  Bytes rest_;
};

inline constexpr Time kNow{std::chrono::seconds(1'780'272'000)};  // 2026-06-01

/// What all runs share: made once, because configurations and certificates never change.
struct LOCKSTEP_API Scene {
  /// The usual one first; then others that take other ways through the engine.
  std::vector<std::shared_ptr<const ClientConfig>> clients;
  std::vector<std::shared_ptr<const ServerConfig>> servers;
  std::shared_ptr<const Credential> credential;      ///< Ed25519
  std::shared_ptr<const Credential> rsa_credential;  ///< for who takes no other
  /// Bytes of early data that the usual pair allows.
  static constexpr std::uint32_t kEarlyData = 4096;

  static const Scene& get();
  /// The first client that speaks TLS 1.2 alone, and the first server; so do those behind them.
  static constexpr std::size_t kFirstOldClient = 4;
  static constexpr std::size_t kFirstOldServer = 5;

  /// What clients[0] has of servers[0], and may resume.
  static Session session();
  /// The same of a client that speaks TLS 1.2 alone: every other one has a ticket, the others an id.
  static Session session_of(std::size_t client);
  /// What a server keeps under the ids of such sessions.
  static const std::vector<Session>& stored();
};

/// What a hostile peer does to the messages of a handshake before it protects and hashes them: they come under the
/// right keys, and every later check still fits. What the script says is all that is wrong.
///
///     Script script;
///     script.omit(HandshakeType::certificate_verify);
///     End server(Scene::get().servers[0], 2, {}, std::move(script));
class LOCKSTEP_API Script {
 public:
  using Edit = std::function<Octets(Octets message)>;  ///< header and body go in; any bytes, or none, come out

  Script();
  /// What a fuzzer thinks of: a few steps on any messages.
  explicit Script(Choices& choices);
  Script(Script&&) noexcept;
  Script& operator=(Script&&) noexcept;
  ~Script();

  /// Changes the message of this type, or the one after `earlier` others of that type. Steps on one message follow each
  /// other.
  Script& change(HandshakeType type, Edit edit, int earlier = 0);
  Script& omit(HandshakeType type, int earlier = 0);
  Script& replace(HandshakeType type, Octets with, int earlier = 0);
  Script& precede(HandshakeType type, Octets with, int earlier = 0);
  Script& follow(HandshakeType type, Octets with, int earlier = 0);

  /// A handshake message of this type with any body.
  [[nodiscard]] static Octets message(HandshakeType type, Bytes body);

 private:
  friend class End;
  struct Rewriter;
  std::unique_ptr<Rewriter> rewriter_;  // stays where it is when the script moves
};

/// One end of a connection, every decision answered, every invariant watched.
class LOCKSTEP_API End {
 public:
  /// What came out of it: equal for equal input, however that was cut into pieces.
  struct Outcome {
    Octets sent;
    Octets data;
    Octets early_data;
    std::vector<std::size_t> events;  ///< indices in Event, data left out: how it is cut follows the input
    std::optional<Error> error;

    friend bool operator==(const Outcome&, const Outcome&) = default;
  };

  /// A client or a server, as the configuration is.
  explicit End(const std::shared_ptr<const Config>& config, std::uint64_t seed = 1, std::span<Session> sessions = {});
  /// A hostile peer.
  End(const std::shared_ptr<const Config>& config, std::uint64_t seed, std::span<Session> sessions, Script script);
  /// Recorded.
  End(const std::shared_ptr<const Config>& config, trace::Recorder& recorder);

  /// How the decisions are answered; by default all goes well.
  bool rejects_peer = false;
  bool has_no_credential = false;
  bool cannot_sign = false;
  bool drops_tokens = false;
  bool declines_tickets = false;
  bool declines_early_data = false;
  /// Sessions under their ids, which a server of TLS 1.2 looks up here and adds to.
  std::vector<Session> stored;

  /// Gives the bytes, in pieces whose sizes `next_size` says (0: all that is left).
  template <class NextSize>
  void receive(Bytes bytes, NextSize next_size) {
    while (!bytes.empty()) {
      const std::size_t wanted = next_size();
      const Bytes piece = bytes.first(wanted == 0 ? bytes.size() : std::min(wanted, bytes.size()));
      bytes = bytes.subspan(piece.size());
      inbound_.insert(inbound_.end(), piece.begin(), piece.end());
      work();
    }
  }
  void receive(Bytes bytes) {
    receive(bytes, [] { return std::size_t{0}; });
  }
  /// The transport has ended.
  void receive_end();

  /// All that it has to send now.
  Octets send();
  /// Application data, when it can be sent: records.
  Octets seal(Bytes text);
  /// Early data, as much as may be sent, behind all that is to be sent before.
  Octets seal_early(Bytes text);
  /// Begins another handshake on a connection of TLS 1.2, where that is allowed; else nothing happens.
  void renegotiate();
  /// A record of any type and content under its present key, as only a hostile peer would send it; without protection
  /// while it has no key.
  Octets record(ContentType type, Bytes content, std::size_t padding = 0);

  [[nodiscard]] Connection& connection() noexcept { return connection_; }
  [[nodiscard]] const Outcome& outcome() const noexcept { return outcome_; }
  [[nodiscard]] std::vector<Session>& sessions() noexcept { return sessions_; }
  /// Takes the first bytes received out of the error.
  void forget_evidence() noexcept;
  [[nodiscard]] bool over() const noexcept { return outcome_.error.has_value(); }

 private:
  void work();
  bool treat(Event event);
  void after_failure();
  Octets transmitted();
  void note(Bytes sent);

  void on(Nothing& /*event*/) {}
  void on(Failed& /*event*/) {}
  void on(ApplicationData& event);
  void on(EarlyData& event);
  void on(SelectCredential& event);
  void on(Sign& event);
  void on(VerifyPeer& event);
  void on(Decrypt& event);
  void on(Compute& event);
  void on(SelectConfig& event);
  void on(SelectPsk& event);
  void on(FindPsk& event);
  void on(OpenTicket& event);
  void on(AcceptEarlyData& event);
  void on(SealTicket& event);
  void on(HandshakeComplete& event);
  void on(SessionReceived& event);
  void on(PeerClosed& event);
  void on(PeerKeyUpdated& /*event*/) {}
  void on(RenegotiationRefused& /*event*/) {}
  void on(TrafficKeys& /*event*/) {}
  void on(SecretLogged& /*event*/) {}

  std::unique_ptr<fake::FakeRandom> random_;  // stays where it is when the end moves
  std::optional<Script> script_;
  Connection connection_;
  Octets inbound_;
  Octets unsent_;  // an alert, until send() is called
  Outcome outcome_;
  std::vector<Session> sessions_;
  std::size_t memory_;  // what the handshake may hold
  // What it does, under AddressSanitizer: less than nothing when another thread, as libFuzzer has one, frees meanwhile.
  std::ptrdiff_t held_ = 0;
  bool complete_ = false;
  bool closed_ = false;
};

/// Changes what passes: whole records are dropped, repeated, reordered, split or joined; bytes are flipped; fields of
/// records and of handshake messages in the clear are altered.
class LOCKSTEP_API Middle {
 public:
  explicit Middle(Choices& choices) noexcept : choices_(&choices) {}

  [[nodiscard]] Octets pass(Bytes bytes);

 private:
  void join(Octets& record, std::deque<Octets>& records);
  void cut(Octets& record);
  void flip(Octets& record);
  void alter_header(Octets& record);
  void alter_message(Octets& record);
  void replay(Octets& record);
  void insert(Octets& out);

  Choices* choices_;
  Octets kept_;
};

/// Nobody in the middle.
struct Wire {
  [[nodiscard]] static Octets pass(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
};

/// Lets two ends talk until they have nothing more to say. `middle` needs `Octets pass(Bytes)`.
template <class Between>
void talk(End& client, End& server, Between& middle) {
  for (int turns = 0; turns < 64; ++turns) {
    const Octets to_server = middle.pass(client.send());
    if (!server.over()) server.receive(to_server);
    const Octets to_client = middle.pass(server.send());
    if (!client.over()) client.receive(to_client);
    if (to_server.empty() && to_client.empty()) return;
  }
}

/// Who meets whom, in one number: bits 0 to 2 are the server's configuration in the scene, 3 to 5 the client's; with
/// bit 6 the server declines tickets, with bit 7 the client offers a session. 0 is the usual pair; 0x80 has early data.
/// From 0x20 on clients speak TLS 1.2 alone; 0x25, 0x27, 0x3d and 0x3f are two that renegotiate.
class LOCKSTEP_API Cast {
 public:
  explicit constexpr Cast(std::uint8_t number) noexcept : number_(number) {}
  /// With a script, hostile.
  [[nodiscard]] End client(Script script = {}) const;
  [[nodiscard]] End server(Script script = {}) const;

 private:
  std::uint8_t number_;
};

/// A client and a server. The fuzzer says who meets whom, and what fails.
class LOCKSTEP_API Ends {
 public:
  explicit Ends(Choices& choices);

  template <class Between>
  void run(Between& middle) {
    talk(client, server, middle);
  }

  End client;
  End server;

 private:
  Ends(Cast cast, Choices& choices);
};

}  // namespace lockstep::fuzzing
