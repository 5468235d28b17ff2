#include "library/schedule.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <lockstep/x509_builder.hpp>

#include "connection/access.hpp"
#include "pair/record_protection.hpp"

namespace lockstep::fuzzing {
namespace {

using testing::RecordProtection;

constexpr std::size_t kHeader = 5;
constexpr std::size_t kSteps = 1000;
constexpr std::size_t kAll = static_cast<std::size_t>(-1);
constexpr std::uint32_t kEarlyData = 3000;

/// Byte number `at` of what an end sends: what is lost, doubled or swapped shows.
std::uint8_t pattern(Role from, bool early, std::size_t at) noexcept {
  const std::uint64_t stream = (from == Role::client ? 0x51U : 0xa7U) + (early ? 0x1000U : 0U);
  std::uint64_t mixed = (at + (stream << 32U)) * 0x9e3779b97f4a7c15U;
  mixed = (mixed ^ (mixed >> 29U)) * 0xbf58476d1ce4e5b9U;
  return static_cast<std::uint8_t>(mixed >> 56U);
}

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
  Eavesdropper(Verdict& verdict, Role from) : verdict_(verdict), from_(from) {}

  /// `keyed`: when the sender wrote this, it had a key to write with.
  void hear(Bytes bytes, bool keyed) {
    for (const std::uint8_t byte : bytes) {
      if (record_.empty()) keyed_ = keyed;
      record_.push_back(byte);
      if (record_.size() < kHeader) continue;
      const std::size_t length = std::size_t{record_[3]} << 8U | record_[4];
      if (record_.size() < kHeader + length) continue;
      judge(record_[0], Bytes(record_).subspan(kHeader));
      record_.clear();
    }
  }
  [[nodiscard]] bool whole() const noexcept { return record_.empty(); }

 private:
  void judge(std::uint8_t type, Bytes content) {
    switch (type) {
      case 20:
        verdict_.require(content.size() == 1 && content[0] == 1 && ++change_cipher_specs_ == 1,
                         "change_cipher_spec goes out once");
        break;
      case 21: verdict_.require(!keyed_ && content.size() == 2, "an alert is protected where there is a key"); break;
      case 22: judge_messages(content); break;
      case 23:
        verdict_.require(content.size() >= 1 + 8 && content.size() <= 16384 + 256, "a protected record has its size");
        break;
      default: verdict_.require(false, "a record has a known type"); break;
    }
  }
  // In the clear are the hellos, at most two of them, and nothing else.
  void judge_messages(Bytes content) {
    messages_.insert(messages_.end(), content.begin(), content.end());
    while (messages_.size() >= 4) {
      const std::size_t size = 4 + (std::size_t{messages_[1]} << 16U | std::size_t{messages_[2]} << 8U | messages_[3]);
      const bool hello = messages_[0] == (from_ == Role::client ? 1 : 2);
      if (!verdict_.require(hello && hellos_ < 2, "handshake messages behind the hellos are protected")) return;
      if (messages_.size() < size) return;
      ++hellos_;
      messages_.erase(messages_.begin(), messages_.begin() + static_cast<std::ptrdiff_t>(size));
    }
  }

  Verdict& verdict_;
  Role from_;
  Octets record_;
  Octets messages_;
  bool keyed_ = false;
  int change_cipher_specs_ = 0;
  int hellos_ = 0;
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
        wire(verdict, role) {
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
  RecordProtection sending_;
  RecordProtection receiving_;
  bool send_offloaded_ = false;
  bool keys_stale_ = false;
  bool receive_offloaded_ = false;
  Octets opened_;

 public:
  Eavesdropper wire;  ///< what it has sent
};

// --- bytes -----------------------------------------------------------------------------------------------------------

Octets Actor::text(std::size_t size, bool early) const {
  Octets out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = pattern(role_, early, (early ? early_sent : sent) + i);
  return out;
}

// What the engine wrote goes to the peer, through the kernel if that has the keys.
void Actor::put(Bytes records, bool keyed) {
  if (!sending_.installed()) {
    wire.hear(records, keyed);
    peer_->inbound.insert(peer_->inbound.end(), records.begin(), records.end());
    return;
  }
  while (!records.empty()) {
    const std::size_t size = records.size() < kHeader ? 0 : kHeader + (std::size_t{records[3]} << 8U | records[4]);
    if (!require(size != 0 && size <= records.size(), "what is written for the kernel are whole records")) return;
    if (!require(records[0] == 21 || records[0] == 22, "the engine writes alerts and handshake messages")) return;
    keys_stale_ = records[0] == 22;  // a KeyUpdate: whatever follows is for the next ones
    const Octets sealed = sending_.seal(records[0], records.subspan(kHeader, size - kHeader));
    wire.hear(sealed, true);
    peer_->inbound.insert(peer_->inbound.end(), sealed.begin(), sealed.end());
    records = records.subspan(size);
  }
}

bool Actor::transmit(std::size_t room) {
  Octets buffer(room);
  const bool was_keyed = keyed();
  const std::size_t size = engine([&] { return connection_->transmit(buffer, kNow); });
  if (!require(size <= room, "transmit writes into its buffer")) return false;
  put(Bytes(buffer).first(size), was_keyed);
  return size != 0;
}

bool Actor::receive(std::size_t most) {
  return receive_offloaded_ ? receive_through_kernel(most) : present(inbound, most);
}

bool Actor::present(Octets& bytes, std::size_t most) {
  const std::size_t visible = std::min(most, bytes.size());
  auto [consumed, event] = engine([&] { return connection_->receive(MutableBytes(bytes).first(visible), kNow); });
  if (!require(consumed <= visible, "receive consumes no more than it was given")) return false;
  if (error_) require(consumed == 0 && std::holds_alternative<Failed>(event), "a failure is final");
  require(complete || held_ <= static_cast<std::ptrdiff_t>(2 * config_->settings().handshake_memory + 65536),
          "a handshake keeps to the memory of its configuration");
  const bool told = take(std::move(event));
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(consumed));
  return told || consumed != 0;
}

// As an application with kernel TLS does it: what the engine has to tell, new keys perhaps, comes before the next
// record is read.
bool Actor::receive_through_kernel(std::size_t most) {
  if (!opened_.empty()) return present(opened_, most);
  Octets nothing;
  if (present(nothing, 0)) return true;
  if (!receiving_.installed() || connection_->error() != nullptr || inbound.size() < kHeader) return false;
  const std::size_t size = kHeader + (std::size_t{inbound[3]} << 8U | inbound[4]);
  if (inbound.size() < size) return false;
  const auto content = receiving_.open(Bytes(inbound).first(size));
  inbound.erase(inbound.begin(), inbound.begin() + static_cast<std::ptrdiff_t>(size));
  if (!content) {
    require(played_.tampered, "what the peer sends opens for the kernel");
    cancel(Alert::bad_record_mac);
    return true;
  }
  if (content->first == 23 && choices_.flag()) {  // nothing that the engine needs to see
    ApplicationData data;
    Octets copy = content->second;
    data.append(copy);
    on(data);
    return true;
  }
  const std::size_t length = content->second.size();
  opened_ = {content->first, 3, 3, static_cast<std::uint8_t>(length >> 8U), static_cast<std::uint8_t>(length)};
  opened_.insert(opened_.end(), content->second.begin(), content->second.end());
  return true;
}

// Whether anything was told.
bool Actor::take(Event event) {
  if (std::holds_alternative<Nothing>(event)) return false;
  return std::visit(
      [&]<class Told>(Told& told) {
        if constexpr (requires { told.token; }) {
          require(!error_, "nothing is asked after a failure");
          questions_.push_back(std::move(event));
          return true;
        } else if constexpr (std::is_same_v<Told, Failed>) {
          const bool first = !error_;
          on(told);
          return first;
        } else {
          require(!error_, "nothing is told after a failure");
          on(told);
          return true;
        }
      },
      event);
}

// --- what it is told -------------------------------------------------------------------------------------------------

void Actor::on(ApplicationData& event) {
  require(complete, "application data comes after the handshake");
  require(!peer_closed, "no data comes behind close_notify");
  for (const MutableBytes segment : event.segments()) {
    for (const std::uint8_t byte : segment) {
      if (!require(byte == pattern(peer_->role_, false, received++), "data comes once and in order")) return;
    }
  }
}

void Actor::on(EarlyData& event) {
  require(!complete && connection_->early_data() == EarlyDataStatus::accepted,
          "early data comes before the handshake is complete, where it was accepted");
  for (const MutableBytes segment : event.segments()) {
    for (const std::uint8_t byte : segment) {
      if (!require(byte == pattern(peer_->role_, true, early_received++), "early data comes once and in order")) return;
    }
  }
}

void Actor::on(HandshakeComplete& event) {
  require(!complete, "a handshake is complete once");
  require(event.early_data == connection_->early_data(), "what became of early data is told");
  complete = true;
  resumed = event.resumed;
  played_.client_authenticated |= role_ == Role::server && !event.peer_chain.empty();
}

void Actor::on(SessionReceived& event) {
  require(complete && role_ == Role::client, "tickets come to clients, after the handshake");
  sessions.push_back(event.session.serialize());
}

void Actor::on(PeerClosed& /*event*/) {
  require(complete && !peer_closed && connection_->peer_closed(), "a peer closes once");
  peer_closed = true;
}

void Actor::on(PeerKeyUpdated& /*event*/) {
  require(complete, "keys change after the handshake");
  played_.key_updated = true;
}

void Actor::on(TrafficKeys& event) {
  RecordProtection& half = event.direction == Direction::send ? sending_ : receiving_;
  require(event.direction == Direction::send ? send_offloaded_ : receive_offloaded_, "keys are told to those who ask");
  half.install(*config_->suite(event.suite)->aead, event.key(), event.iv, event.sequence);
  if (event.direction == Direction::send) keys_stale_ = false;
}

void Actor::on(Failed& event) {
  require(connection_->error() != nullptr && *connection_->error() == event.error, "error() is what was told");
  require(!error_ || *error_ == event.error, "the first failure stays");
  require(!connection_->connected() && !connection_->awaiting_answer(), "nothing is waited for after a failure");
  error_ = event.error;
}

// --- what it answers -------------------------------------------------------------------------------------------------

void Actor::answer(std::size_t which, const Mischief& mischief) {
  if (questions_.empty()) return;
  const auto place = questions_.begin() + static_cast<std::ptrdiff_t>(which % questions_.size());
  Event event = std::move(*place);
  questions_.erase(place);
  if (connection_->error() != nullptr) return;  // what the question is about is gone
  note("answer");
  std::visit(
      [&](auto& question) {
        if constexpr (requires { question.token; }) reply(question, mischief);
      },
      event);
}

template <class Token, class... Answer>
void Actor::give(Token& token, Answer&&... with) {
  const auto result = engine([&] { return connection_->answer(std::move(token), std::forward<Answer>(with)...); });
  require(result || excused_ || connection_->closed(), "the answer to a question is taken");
}

void Actor::reply(SelectCredential& question, const Mischief& mischief) {
  if (mischief.refuse && choices_.below(8) == 1) {
    (role_ == Role::server ? *this : *peer_).excused_ = true;
    return give(question.token, NoCredential{});
  }
  give(question.token, stage_.credential);
}

void Actor::reply(Sign& question, const Mischief& mischief) {
  Octets signature(kMaxSignatureSize);
  signature.resize(question.credential->key->sign(question.scheme, question.message, application_random_, signature));
  if (mischief.refuse && choices_.below(8) == 1) {
    excused_ = true;
    return give(question.token, SigningFailed{});
  }
  if (mischief.tamper && choices_.below(8) == 1) {
    excused_ = played_.tampered = true;
    signature = Octets(choices_.below(2 * kMaxSignatureSize), 7);
  }
  give(question.token, Bytes(signature));
}

void Actor::reply(VerifyPeer& question, const Mischief& mischief) {
  if (mischief.refuse && choices_.below(8) == 1) {
    excused_ = true;
    return give(question.token, PeerRejected{});
  }
  if (mischief.tamper && choices_.below(8) == 1) {
    excused_ = played_.tampered = true;
    return give(question.token, PeerRejected{static_cast<Reason>(choices_.byte()), choices_.byte()});
  }
  give(question.token, PeerAccepted{});
}

void Actor::reply(OpenTicket& question, const Mischief& mischief) {
  if (mischief.tamper && choices_.below(8) == 1) played_.tampered = true;
  auto session = Session::parse(played_.tampered && choices_.flag() ? choices_.bytes(150) : question.ticket);
  require(session || played_.tampered, "a ticket comes back as it was");
  if (!session || choices_.below(4) == 1) return give(question.token, TicketDeclined{});
  give(question.token, std::move(*session));
}

void Actor::reply(AcceptEarlyData& question, const Mischief& /*mischief*/) {
  require(question.session != nullptr, "early data belongs to a session");
  if (choices_.below(4) == 1) return give(question.token, EarlyDataDeclined{});
  give(question.token, EarlyDataAccepted{});
}

void Actor::reply(SealTicket& question, const Mischief& mischief) {
  played_.late_tickets |= received != 0;
  if (choices_.below(4) == 1) return give(question.token, TicketDeclined{});
  if (mischief.tamper && choices_.below(8) == 1) {
    excused_ = played_.tampered = true;
    return give(question.token, Bytes(Octets(choices_.below(70'000), 1)));
  }
  const Octets ticket = question.session.serialize();  // in the clear: its secrecy is not the question here
  give(question.token, Bytes(ticket));
}

// --- what it does of its own -----------------------------------------------------------------------------------------

void Actor::seal(std::size_t size, std::size_t room) {
  const Octets plain = text(size, false);
  const Bytes halves[] = {Bytes(plain).first(size / 3), Bytes(plain).subspan(size / 3)};
  Octets out(room);
  const auto sealed = engine([&] { return connection_->seal(halves, out, kNow); });
  if (!sealed) {
    require(!connection_->connected() || connection_->closed() || send_offloaded_, "a connection that is open seals");
    return;
  }
  if (!require(sealed->consumed <= size && sealed->written <= room, "seal keeps to its buffers")) return;
  put(Bytes(out).first(sealed->written), true);
  sent += sealed->consumed;
}

void Actor::seal_in_place(std::size_t size) {
  Octets buffer(Connection::kHeadroom + size + connection_->tailroom(size));
  std::ranges::copy(text(size, false), buffer.begin() + Connection::kHeadroom);
  const auto record = engine([&] { return connection_->seal_in_place({buffer, Connection::kHeadroom, size}, kNow); });
  if (!record) return;
  put(*record, true);
  sent += size;
}

void Actor::seal_early(std::size_t size, std::size_t room) {
  const std::size_t left = connection_->early_data_left();
  const Octets plain = text(size, true);
  const Bytes bytes = plain;
  Octets out(room);
  const auto sealed = engine([&] { return connection_->seal_early(std::span(&bytes, 1), out, kNow); });
  require(sealed || left == 0 || connection_->error() != nullptr, "early data that is left can be sealed");
  if (!sealed) return;
  if (!require(sealed->consumed <= std::min(size, left) && sealed->written <= room,
               "seal_early keeps to its buffers and its limit"))
    return;
  put(Bytes(out).first(sealed->written), true);
  early_sent += sealed->consumed;
}

// What the engine has to say, and the keys for it, come first.
void Actor::send_through_kernel(std::size_t size) {
  Octets nothing;
  if (present(nothing, 0) || connection_->transmit_pending() || !sending_.installed()) return;
  if (!connection_->connected() || connection_->closed()) return;
  const Octets sealed = sending_.seal(23, text(size, false));
  wire.hear(sealed, true);
  peer_->inbound.insert(peer_->inbound.end(), sealed.begin(), sealed.end());
  sent += size;
}

void Actor::close() {
  const bool open = connection_->connected();
  if (!open && connection_->error() == nullptr) excused_ = true;  // it cancels the handshake
  engine([&] { connection_->close(); });
  closed_well |= open;
}

void Actor::cancel(Alert why) {
  excused_ = true;
  engine([&] { connection_->cancel(why); });
}

void Actor::drop() {
  for (const Event& question : questions_) excused_ |= !std::holds_alternative<SealTicket>(question);
  questions_.clear();
}

void Actor::offload(Direction direction) {
  bool& offloaded = direction == Direction::send ? send_offloaded_ : receive_offloaded_;
  const auto result = engine([&] { return connection_->offload(direction); });
  require(!result || !offloaded, "keys are handed out once");
  if (!result) return;
  offloaded = true;
  played_.offloaded = true;
}

// Somebody meddles with what is on its way.
void Actor::tamper() {
  played_.tampered = true;
  excused_ = true;
  if (choices_.flag() && !inbound.empty()) {
    inbound[choices_.below(inbound.size())] ^= static_cast<std::uint8_t>(1U << choices_.below(8));
    return;
  }
  const Bytes noise = choices_.bytes(choices_.below(64));
  inbound.insert(inbound.end(), noise.begin(), noise.end());
}

// Calls that make no sense are refused and change nothing.
void Actor::misuse() {
  switch (choices_.below(4)) {
    case 0:
      for (Event& question : questions_) {
        auto* const asked = std::get_if<VerifyPeer>(&question);
        if (asked == nullptr) continue;
        require(!peer_->connection_->answer(std::move(asked->token), PeerAccepted{}), "a stranger's token is refused");
        excused_ |= !asked->token;
      }
      break;
    case 1: {
      Octets buffer(choices_.below(64));
      const std::size_t headroom = choices_.below(70);
      (void)connection_->seal_in_place({buffer, headroom, buffer.size() + choices_.below(20'000)}, kNow);
      break;
    }
    case 2: {
      Octets out(choices_.below(10'000));
      (void)connection_->export_keying_material(as_text(choices_.bytes(choices_.below(300))),
                                                choices_.bytes(choices_.below(8)), out);
      break;
    }
    default:
      if (role_ == Role::server) {
        Octets out(100);
        const Bytes bytes = as_bytes("x");
        require(!connection_->seal_early(std::span(&bytes, 1), out, kNow), "a server has no early data to send");
      }
      break;
  }
}

void Actor::move() {
  auto moved = std::make_unique<Connection>(std::move(*connection_));
  if (choices_.flag()) {
    connection_ = std::move(moved);
  } else {
    *connection_ = std::move(*moved);
  }
}

// Memory that came back is another's.
void Actor::reclaim() {
  const MutableBytes block = connection_->reclaim();
  require(std::ranges::all_of(block, [](std::uint8_t byte) { return byte == 0 || byte == 0xaa; }),
          "memory comes back wiped");
  std::ranges::fill(block, std::uint8_t{0xaa});
}

// --- schedules -------------------------------------------------------------------------------------------------------

void Actor::step(std::uint8_t what, const Mischief& mischief) {
  switch (what % 32) {
    case 0:
    case 1:
    case 2:
    case 3:
      note("receive");
      (void)receive(choices_.flag() ? kAll : choices_.below(inbound.size() + 1));
      break;
    case 4:
    case 5:
    case 6:
    case 7:
      note("transmit");
      (void)transmit(choices_.flag() ? 5000 : choices_.below(300));
      break;
    case 8:
    case 9: answer(choices_.byte(), mischief); break;
    case 10:
    case 11:
    case 12:
      note("seal");
      if (send_offloaded_) {
        send_through_kernel(1 + choices_.below(2000));
      } else {
        seal(1 + choices_.below(choices_.below(8) == 1 ? 30'000 : 200), 64 + choices_.below(20'000));
      }
      break;
    case 13:
      note("seal_in_place");
      seal_in_place(1 + choices_.below(60));
      break;
    case 14:
      note("update_keys");
      (void)engine([&] { return connection_->update_keys(choices_.flag()); });
      break;
    case 15:
    case 16:
      note("seal_early");
      seal_early(1 + choices_.below(300), 64 + choices_.below(2000));
      break;
    case 17:
      note("move");
      move();
      break;
    case 18:
      if (mischief.close && choices_.below(4) == 1) note("close"), close();
      break;
    case 19:
      if (mischief.cancel && choices_.below(4) == 1) note("cancel"), cancel(static_cast<Alert>(choices_.byte()));
      break;
    case 20:
      if (mischief.drop && choices_.below(4) == 1) note("drop"), drop();
      break;
    case 21:
    case 22:
      if (mischief.offload) note("offload"), offload(choices_.flag() ? Direction::send : Direction::receive);
      break;
    case 23:
      if (mischief.tamper && choices_.below(4) == 1) note("tamper"), tamper();
      break;
    case 24: misuse(); break;
    case 25: reclaim(); break;
    default:
      note("go on");
      (void)receive(kAll);
      answer(0, mischief);
      (void)transmit(5000);
      break;
  }
}

bool Actor::settle() {
  const Mischief none(0);
  bool progress = false;
  for (std::size_t turns = 0;; ++turns) {
    bool more = !questions_.empty();
    while (!questions_.empty()) answer(0, none);
    while (receive(kAll)) more = true;
    while (transmit(Connection::kMaxRecord)) more = true;
    if (!more || verdict_.broken()) return progress;
    progress = true;
    if (!require(turns < 1000, "an end comes to rest")) return false;
  }
}

void Actor::end() {
  const Event event = connection_->receive_end();
  const auto* const failed = std::get_if<Failed>(&event);
  if (error_) {
    require(failed != nullptr && failed->error == *error_, "a failure is final, also when the transport ends");
  } else if (peer_closed) {
    require(failed == nullptr, "the transport may end behind close_notify");
  } else {
    require(failed != nullptr && failed->error.reason == Reason::truncated, "without close_notify it is a truncation");
  }
  Octets out(100);
  require(error_ || connection_->transmit(out, kNow) == 0, "nobody is told whose transport has ended");
}

/// Two honest ends that have come to rest.
class Agreement {
 public:
  Agreement(Verdict& verdict, Actor& client, Actor& server) : verdict_(verdict), client_(client), server_(server) {}

  void judge() {
    if (client_.error() || server_.error()) {
      judge_failure(client_, server_);
      judge_failure(server_, client_);
    } else {
      judge_connection();
    }
  }

 private:
  void judge_connection() {
    Connection& client = client_.connection();
    Connection& server = server_.connection();
    verdict_.require(client_.complete && server_.complete, "both ends come to the end of the handshake");
    verdict_.require(server_.received == client_.sent && client_.received == server_.sent, "all data arrives");
    const bool accepted = server.early_data() == EarlyDataStatus::accepted;
    verdict_.require(accepted == (client.early_data() == EarlyDataStatus::accepted), "both know of early data");
    verdict_.require(server_.early_received == (accepted ? client_.early_sent : 0), "all early data arrives, or none");
    verdict_.require(client_.closed_well == server_.peer_closed && server_.closed_well == client_.peer_closed,
                     "a close is heard");
    verdict_.require(client.suite() == server.suite() && client.group() == server.group() &&
                         client.alpn() == server.alpn() && client.resumed() == server.resumed() &&
                         client.retried() == server.retried() && client_.resumed == server_.resumed,
                     "both have agreed on the same");
    std::array<std::uint8_t, 32> of_client{};
    std::array<std::uint8_t, 32> of_server{};
    const bool exported = client.export_keying_material("schedule", {}, of_client) &&
                          server.export_keying_material("schedule", {}, of_server);
    verdict_.require(exported && of_client == of_server, "both have the same secrets");
  }

  void judge_failure(Actor& self, Actor& peer) {
    if (!self.error()) return;
    if (self.error()->origin == Origin::peer) {
      verdict_.require(peer.error() && peer.error()->alert == self.error()->alert, "an alert is what the peer sent");
      return;
    }
    if (!verdict_.require(self.excused(), "an end fails for a reason")) return;
    // The peer hears of it, unless it has heard close_notify before, has failed as well, or cannot read: what is sent
    // under the key of early data that was not taken is skipped.
    const bool skipped = self.offers_early_data && !peer.complete;
    verdict_.require(peer.error() || peer.peer_closed || skipped || self.mute(), "the peer hears of a failure");
  }

  Verdict& verdict_;
  Actor& client_;
  Actor& server_;
};

void settle_both(Verdict& verdict, Actor& client, Actor& server) {
  for (int rounds = 0; !verdict.broken(); ++rounds) {
    const bool spoke = client.settle();
    if (!server.settle() && !spoke) return;
    verdict.require(rounds < 200, "two ends come to rest");
  }
}

}  // namespace

// --- the stage -------------------------------------------------------------------------------------------------------

Stage::Stage(const Provider& provider, std::size_t (*held_bytes)()) : held(held_bytes) {
  constexpr std::int64_t kSeconds = std::chrono::duration_cast<std::chrono::seconds>(kNow.time_since_epoch()).count();
  constexpr std::int64_t kDay = 86'400;
  fake::FakeRandom random(7);
  const KeyLoader* const loader = provider.key_loader(KeyType::ed25519);
  const auto key = loader->load(loader->generate(KeyType::ed25519, 0, random).value()).value();
  Credential made;
  made.chain.push_back(x509::CertificateBuilder("CN=stage")
                           .dns("example.com")
                           .server()
                           .client()
                           .validity(kSeconds - kDay, kSeconds + kDay)
                           .self_signed(provider, *key, random)
                           .value());
  made.schemes.assign(key->schemes().begin(), key->schemes().end());
  made.key = key;
  credential = std::make_shared<const Credential>(std::move(made));

  const auto client = [&] {
    auto builder = ConfigBuilder::client(provider);
    return provider.insecure ? builder.dangerous().allow_insecure_provider() : builder;
  };
  const auto server = [&] {
    auto builder = ConfigBuilder::server(provider);
    return provider.insecure ? builder.dangerous().allow_insecure_provider() : builder;
  };
  pair("usual", client().alpn({"one", "two"}).early_data(kEarlyData),
       server().alpn({"two", "one"}).early_data(kEarlyData));
  pair("retried", client().early_data(kEarlyData), server().early_data(kEarlyData).groups({NamedGroup::secp384r1}));
  pair("client authenticated", client().early_data(kEarlyData).verify_on_resumption(true),
       server().early_data(kEarlyData).client_auth(ClientAuth::require).verify_on_resumption(true).tickets(3));
  pair("small records",
       client().early_data(kEarlyData).max_send_fragment(64).padding(PaddingPolicy::to_multiple_of(32)),
       server().early_data(kEarlyData).max_send_fragment(100).cookie(true).dynamic_record_sizing(true));
  pair("keys change by themselves", client().key_update_after(16384).key_log(true),
       server().client_auth(ClientAuth::request).key_update_after(16384).tickets(1).early_data(0));
  pair("nothing optional", client().grease(false).middlebox_compatibility(false).resumption(false),
       server().resumption(false));
}

void Stage::pair(std::string name, const ClientConfigBuilder& client, const ServerConfigBuilder& server) {
  const auto built = [](const auto& builder) {
    auto config = builder.build();
    require(config.has_value(), config ? "" : config.error().front().text.c_str());
    return *config;
  };
  Pairing& made = pairings.emplace_back(Pairing{std::move(name), built(client), built(server)});
  Verdict verdict;
  Played played;
  Choices none({});
  Actor first(*this, verdict, played, none, made, Role::client, {}, 0);
  Actor second(*this, verdict, played, none, made, Role::server, {}, 0);
  first.meet(second);
  second.meet(first);
  settle_both(verdict, first, second);
  require(!verdict.broken() && first.complete && second.complete, "every pairing of the stage connects");
  made.sessions = std::move(first.sessions);
}

Octets schedule(std::uint64_t seed) {
  // Not a multiple of what FakeRandom adds: seeds next to each other would be parts of one stream.
  fake::FakeRandom random(seed * 0xd1342543de82ef95U + 1);
  std::array<std::uint8_t, 2> size{};
  (void)random.fill(size);
  Octets bytes(100 + (std::size_t{size[0]} << 8U | size[1]) % 1500U);
  (void)random.fill(bytes);
  return bytes;
}

Played play(const Stage& stage, Choices& choices) {
  Played played;
  Verdict verdict;
  const Stage::Pairing& pairing = stage.pairings[choices.below(stage.pairings.size())];
  const std::uint8_t ways = choices.byte();
  const Mischief mischief(choices.byte());
  played.log = pairing.name + ":";
  std::vector<Session> offered;
  if ((ways & 4U) != 0 && !pairing.sessions.empty()) offered.push_back(Session::parse(pairing.sessions[0]).value());
  Actor client(stage, verdict, played, choices, pairing, Role::client, offered, ways);
  Actor server(stage, verdict, played, choices, pairing, Role::server, {}, static_cast<std::uint8_t>(ways >> 4U));
  client.meet(server);
  server.meet(client);

  for (std::size_t steps = 0; steps < kSteps && !choices.empty() && !verdict.broken(); ++steps) {
    const std::uint8_t what = choices.byte();
    ((what & 0x80U) != 0 ? client : server).step(what, mischief);
  }
  played.log += " | to the end";
  settle_both(verdict, client, server);

  if (!verdict.broken()) {
    for (Actor* const each : {&client, &server}) {
      verdict.require(!each->connection().transmit_pending(), "what is pending can be sent");
      // Whoever has heard the peer's alert says nothing more.
      verdict.require(each->wire.whole() || (each->error() && each->error()->origin == Origin::peer),
                      "the last record is whole");
      verdict.require(!each->connection().awaiting_answer(), "nothing is waited for that was answered");
    }
    if (!played.tampered) Agreement(verdict, client, server).judge();
  }
  played.connected = client.complete && server.complete && !client.error() && !server.error();
  played.resumed = played.connected && client.connection().resumed();
  played.retried = played.connected && client.connection().retried();
  played.early_data = server.early_received != 0;
  played.closed = client.closed_well || server.closed_well;
  played.failed = client.error() || server.error();
  if (!verdict.broken()) {
    client.end();
    server.end();
  }
  for (Actor* const each : {&client, &server}) {
    played.log += each->connection().role() == Role::client ? "\n  client: " : "\n  server: ";
    played.log += each->error() ? to_text(*each->error()) : each->complete ? "connected" : "not connected";
    played.log += "; sent " + std::to_string(each->sent) + ", received " + std::to_string(each->received) + "; early " +
                  std::to_string(each->early_sent) + " and " + std::to_string(each->early_received) + "; left " +
                  std::to_string(each->inbound.size());
  }
  played.broken = verdict.text();
  return played;
}

}  // namespace lockstep::fuzzing
