#include "library/actor.hpp"

#include <algorithm>
#include <array>
#include <variant>

#include <lockstep/client_hello.hpp>

namespace lockstep::fuzzing {
namespace {

constexpr std::size_t kHeader = 5;
constexpr std::string_view kSharedKey = "a key of 20 bytes...";
constexpr std::size_t kAll = static_cast<std::size_t>(-1);

/// Byte number `at` of what an end sends: what is lost, doubled or swapped shows.
std::uint8_t pattern(Role from, bool early, std::size_t at) noexcept {
  const std::uint64_t stream = (from == Role::client ? 0x51U : 0xa7U) + (early ? 0x1000U : 0U);
  std::uint64_t mixed = (at + (stream << 32U)) * 0x9e3779b97f4a7c15U;
  mixed = (mixed ^ (mixed >> 29U)) * 0xbf58476d1ce4e5b9U;
  return static_cast<std::uint8_t>(mixed >> 56U);
}

}  // namespace

// --- the wire --------------------------------------------------------------------------------------------------------

void Eavesdropper::hear(Bytes bytes, bool keyed) {
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

void Eavesdropper::judge(std::uint8_t type, Bytes content) {
  if (tls12_) return judge_tls12(type, content);
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
void Eavesdropper::judge_messages(Bytes content) {
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

// In TLS 1.2 all is in the clear before change_cipher_spec, and everything is protected behind it: an explicit nonce,
// or none, and a tag; or an IV, padding and a MAC.
void Eavesdropper::judge_tls12(std::uint8_t type, Bytes content) {
  constexpr std::size_t kTag = 16;
  constexpr std::size_t kMostAdded = 16 + 16 + 48;
  const bool changed = change_cipher_specs_ != 0;
  switch (type) {
    case 20:
      // Those of a renegotiation are under the keys before them.
      verdict_.require(changed ? content.size() >= 1 + kTag : content.size() == 1 && content[0] == 1,
                       "change_cipher_spec goes out once in the clear");
      ++change_cipher_specs_;
      break;
    case 21:
      verdict_.require(changed ? content.size() >= 2 + kTag : content.size() == 2,
                       "an alert is protected where there is a key");
      break;
    case 22:
      if (!changed) return judge_messages_tls12(content);
      verdict_.require(content.size() > kTag, "a protected record has its size");
      break;
    case 23:
      verdict_.require(changed && content.size() > kTag && content.size() <= 16384 + kMostAdded,
                       "application data is protected");
      break;
    default: verdict_.require(false, "a record has a known type"); break;
  }
}

// Each message of a handshake goes out once, and Finished is none of them.
void Eavesdropper::judge_messages_tls12(Bytes content) {
  messages_.insert(messages_.end(), content.begin(), content.end());
  while (messages_.size() >= 4) {
    const std::size_t size = 4 + (std::size_t{messages_[1]} << 16U | std::size_t{messages_[2]} << 8U | messages_[3]);
    const std::uint8_t type = messages_[0];
    constexpr std::uint32_t kOfClient = 1U << 1U | 1U << 11U | 1U << 16U | 1U << 15U;
    constexpr std::uint32_t kOfServer = 1U << 2U | 1U << 11U | 1U << 22U | 1U << 12U | 1U << 13U | 1U << 14U | 1U << 4U;
    const std::uint32_t bit = type < 32 ? 1U << type : 0;
    const std::uint32_t left = (from_ == Role::client ? kOfClient : kOfServer) & ~seen_;
    if (!verdict_.require((left & bit) != 0, "each message of a handshake goes out once")) return;
    if (messages_.size() < size) return;
    seen_ |= bit;
    messages_.erase(messages_.begin(), messages_.begin() + static_cast<std::ptrdiff_t>(size));
  }
}

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
  require(complete == event.renegotiation, "a handshake is complete once");
  played_.renegotiated |= event.renegotiation;
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

void Actor::on(RenegotiationRefused& /*event*/) {
  require(complete && !connection_->renegotiating(), "what was refused does not go on");
}

void Actor::on(TrafficKeys& event) {
  testing::RecordProtection& half = event.direction == Direction::send ? sending_ : receiving_;
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
  give(question.token, stage_.credential_for(question.schemes));
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

void Actor::reply(Decrypt& question, const Mischief& mischief) {
  std::array<std::uint8_t, 48> premaster{};
  if (mischief.refuse && choices_.below(8) == 1) {
    // Nobody says so: this end does not understand what comes next, and the other one hears that.
    excused_ = true;
    return give(question.token, DecryptionFailed{});
  }
  require(question.credential->key->decrypt(question.ciphertext, application_random_, premaster),
          "a key that was chosen for it decrypts");
  give(question.token, Bytes(premaster));
}

void Actor::reply(Compute& question, const Mischief& /*mischief*/) {
  // It may come back as it went.
  if (choices_.below(2) == 1) question.job.run();
  const auto result = engine([&] { return connection_->answer(std::move(question)); });
  require(result || excused_ || connection_->closed(), "a job that was asked for is taken");
}

void Actor::reply(SelectConfig& question, const Mischief& mischief) {
  if (mischief.refuse && choices_.below(8) == 1) {
    excused_ = true;
    return give(question.token, ClientHelloRefused{});
  }
  require(ClientHelloInfo::read(question.client_hello).has_value(), "a ClientHello that is asked about is well formed");
  give(question.token, ConfigSelected{});
}

void Actor::reply(SelectPsk& question, const Mischief& mischief) {
  if (mischief.refuse && choices_.below(8) == 1) {
    excused_ = true;
    return give(question.token, NoPsk{});
  }
  give(question.token, PskChosen{.identity = as_bytes("identity"), .key = as_bytes(kSharedKey)});
}

void Actor::reply(FindPsk& question, const Mischief& mischief) {
  if (mischief.refuse && choices_.below(8) == 1) {
    excused_ = true;
    return give(question.token, PskUnknown{});
  }
  // In TLS 1.3 tickets may be asked about as well.
  if (question.version == ProtocolVersion::tls_1_3 && as_text(question.identity) != "identity")
    return give(question.token, PskUnknown{});
  give(question.token, PskFound{.key = as_bytes(kSharedKey)});
}

void Actor::reply(OpenTicket& question, const Mischief& mischief) {
  // Whatever a client names that is no key here may be a ticket.
  if (as_text(question.ticket) == "identity") return give(question.token, TicketDeclined{});
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
    require(!connection_->connected() || connection_->closed() || connection_->renegotiating() || send_offloaded_,
            "a connection that is open seals");
    return;
  }
  if (!require(sealed->consumed <= size && sealed->written <= room, "seal keeps to its buffers")) return;
  put(Bytes(out).first(sealed->written), true);
  sent += sealed->consumed;
}

void Actor::seal_in_place(std::size_t size) {
  const std::size_t headroom = connection_->headroom();
  Octets buffer(headroom + size + connection_->tailroom(size));
  std::ranges::copy(text(size, false), buffer.begin() + static_cast<std::ptrdiff_t>(headroom));
  const auto record = engine([&] { return connection_->seal_in_place({buffer, headroom, size}, kNow); });
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
  if ((!open || connection_->renegotiating()) && connection_->error() == nullptr)
    excused_ = true;  // it cancels the handshake
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
  if (!config_->settings().speaks(ProtocolVersion::tls_1_3)) return;  // the kernel here protects no other records
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
      // TLS 1.2 has new keys by new handshakes.
      if (connection_->version() == ProtocolVersion::tls_1_2) {
        note("renegotiate");
        (void)engine([&] { return connection_->renegotiate(kNow); });
      } else {
        note("update_keys");
        (void)engine([&] { return connection_->update_keys(choices_.flag()); });
      }
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

}  // namespace lockstep::fuzzing
