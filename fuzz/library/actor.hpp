#pragma once
// An end of a scheduled connection with its application, and with the kernel below it once records are offloaded, and
// what it is held to meanwhile.

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "connection/access.hpp"
#include "library/schedule.hpp"
#include "pair/record_protection.hpp"

namespace lockstep::fuzzing {

/// The first thing that did not hold; the schedule ends with it.
class Verdict {
 public:
  bool require(bool holds, std::string_view sentence) {
    if (!holds && broken_.empty()) broken_ = sentence;
    return holds;
  }
  [[nodiscard]] bool broken() const noexcept { return !broken_.empty(); }
  [[nodiscard]] const std::string& text() const noexcept { return broken_; }

 private:
  std::string broken_;
};

// --- the wire --------------------------------------------------------------------------------------------------------

/// Reads what one end sends as anybody on the way can.
class Eavesdropper {
 public:
  Eavesdropper(Verdict& verdict, Role from, bool tls12) : verdict_(verdict), from_(from), tls12_(tls12) {}

  /// `keyed`: when the sender wrote this, it had a key to write with.
  void hear(Bytes bytes, bool keyed);
  [[nodiscard]] bool whole() const noexcept { return record_.empty(); }

 private:
  void judge(std::uint8_t type, Bytes content);
  void judge_messages(Bytes content);
  void judge_tls12(std::uint8_t type, Bytes content);
  void judge_messages_tls12(Bytes content);

  Verdict& verdict_;
  Role from_;
  bool tls12_;
  Octets record_;
  Octets messages_;
  bool keyed_ = false;
  int change_cipher_specs_ = 0;
  int hellos_ = 0;
  std::uint32_t seen_ = 0;  // types of messages in the clear, in TLS 1.2
};

// --- an end ----------------------------------------------------------------------------------------------------------

/// What a schedule may do besides what honest ends do.
struct Mischief {
  bool close = false;
  bool cancel = false;
  bool refuse = false;  ///< certificates, signatures, credentials
  bool drop = false;    ///< tokens
  bool tamper = false;  ///< with bytes and answers
  bool offload = false;

  explicit Mischief(std::uint8_t bits) noexcept
      : close((bits & 0x03U) != 0),
        cancel((bits & 0x1cU) == 0x04),
        refuse((bits & 0x1cU) == 0x08),
        drop((bits & 0x1cU) == 0x0c),
        tamper((bits & 0x1cU) == 0x10),
        offload((bits & 0x60U) != 0) {}
};

/// One end with its application, and with the kernel below it once records are offloaded.
class Actor {
  template <class Call>
  auto engine(Call call) {
    const std::size_t before = stage_.held != nullptr ? stage_.held() : 0;
    const auto counted = [&] {
      if (stage_.held != nullptr) held_ += static_cast<std::ptrdiff_t>(stage_.held() - before);
    };
    if constexpr (std::is_void_v<decltype(call())>) {
      call();
      counted();
    } else {
      auto result = call();
      counted();
      return result;
    }
  }

 public:
  Actor(const Stage& stage, Verdict& verdict, Played& played, Choices& choices, const Stage::Pairing& pairing,
        Role role, std::span<Session> offered, std::uint8_t ways)
      : stage_(stage),
        verdict_(verdict),
        played_(played),
        choices_(choices),
        config_(role == Role::client ? std::shared_ptr<const Config>(pairing.client) : pairing.server),
        role_(role),
        random_(role == Role::client ? 1 : 2),
        application_random_(role == Role::client ? 3 : 4),
        memory_((ways & 1U) != 0   ? 40000
                : (ways & 2U) != 0 ? 9000
                                   : 0),
        wire(verdict, role, !config_->settings().speaks(ProtocolVersion::tls_1_3)) {
    offers_early_data = !offered.empty() && config_->settings().early_data != 0;
    engine([&] {
      connection_ = std::make_unique<Connection>(
          role == Role::client
              ? Connection::client(pairing.client, {x509::PeerName::dns("example.com").value(), offered}, random_, kNow,
                                   memory_)
              : Connection::server(pairing.server, random_, memory_));
    });
  }

  // --- steps of a schedule

  void step(std::uint8_t what, const Mischief& mischief);
  /// Everything that can still be done is done. Whether anything happened.
  bool settle();

  // --- what is asked in the end

  [[nodiscard]] Connection& connection() noexcept { return *connection_; }
  [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }
  [[nodiscard]] bool excused() const noexcept { return excused_; }
  /// It has ended before anybody took the keys that its alert would need.
  [[nodiscard]] bool mute() const noexcept { return keys_stale_; }
  /// The transport has ended.
  void end();

  void meet(Actor& peer) noexcept { peer_ = &peer; }

  Octets inbound;
  std::vector<Octets> sessions;  ///< that it was given
  std::size_t sent = 0;
  std::size_t received = 0;
  std::size_t early_sent = 0;
  std::size_t early_received = 0;
  bool complete = false;
  bool peer_closed = false;
  bool resumed = false;
  bool offers_early_data = false;
  bool closed_well = false;  ///< close() on a connection that was there

 private:
  void note(std::string_view word) {
    played_.log += role_ == Role::client ? " c." : " s.";
    played_.log += word;
  }
  bool require(bool holds, std::string_view sentence) { return verdict_.require(holds, sentence); }

  // bytes; whether anything happened
  bool transmit(std::size_t room);
  bool receive(std::size_t most);
  bool receive_wire(std::size_t most);
  bool receive_through_kernel(std::size_t most);
  bool present(Octets& bytes, std::size_t most);
  bool take(Event event);
  void put(Bytes records, bool keyed);
  [[nodiscard]] bool keyed() { return ConnectionAccess::sealer(*connection_).installed(); }
  [[nodiscard]] Octets text(std::size_t size, bool early) const;

  // what an application does
  void seal(std::size_t size, std::size_t room);
  void seal_in_place(std::size_t size);
  void seal_early(std::size_t size, std::size_t room);
  void send_through_kernel(std::size_t size);
  void close();
  void cancel(Alert why);
  void drop();
  void offload(Direction direction);
  void tamper();
  void misuse();
  void answer(std::size_t which, const Mischief& mischief);
  void move();
  void reclaim();

  template <class Token, class... Answer>
  void give(Token& token, Answer&&... with);
  void reply(SelectCredential& question, const Mischief& mischief);
  void reply(Sign& question, const Mischief& mischief);
  void reply(VerifyPeer& question, const Mischief& mischief);
  void reply(Decrypt& question, const Mischief& mischief);
  void reply(Compute& question, const Mischief& mischief);
  void reply(SelectConfig& question, const Mischief& mischief);
  void reply(SelectPsk& question, const Mischief& mischief);
  void reply(FindPsk& question, const Mischief& mischief);
  void reply(OpenTicket& question, const Mischief& mischief);
  void reply(AcceptEarlyData& question, const Mischief& mischief);
  void reply(SealTicket& question, const Mischief& mischief);

  void on(Nothing& /*event*/) {}
  void on(ApplicationData& event);
  void on(EarlyData& event);
  void on(HandshakeComplete& event);
  void on(SessionReceived& event);
  void on(PeerClosed& event);
  void on(PeerKeyUpdated& event);
  void on(RenegotiationRefused& event);
  void on(TrafficKeys& event);
  void on(SecretLogged& /*event*/) {}
  void on(Failed& event);

  const Stage& stage_;
  Verdict& verdict_;
  Played& played_;
  Choices& choices_;
  std::shared_ptr<const Config> config_;
  Role role_;
  fake::FakeRandom random_;
  fake::FakeRandom application_random_;
  Octets memory_;
  std::unique_ptr<Connection> connection_;
  Actor* peer_ = nullptr;
  std::deque<Event> questions_;
  std::optional<Error> error_;
  bool excused_ = false;  ///< the schedule gave it a reason to fail
  std::ptrdiff_t held_ = 0;

  // The kernel: keys that were handed out, and a record that it has opened and the engine has not taken.
  testing::RecordProtection sending_;
  testing::RecordProtection receiving_;
  bool send_offloaded_ = false;
  bool keys_stale_ = false;
  bool receive_offloaded_ = false;
  Octets opened_;

 public:
  Eavesdropper wire;  ///< what it has sent
};

}  // namespace lockstep::fuzzing
