#include "stream_core.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <variant>

#include <sys/socket.h>

#include "../common/sockets.hpp"
#include "loop_core.hpp"

namespace lockstep::loop {

using sockets::plain_error;
using sockets::system_error;

struct StreamCore::Secure {
  Connection connection;
  RandomSource& random;
  std::unique_ptr<Answers> answers{};  // while there is something to answer, and as long as they hold a verdict
  void* memory = nullptr;              // the handshake's
  std::vector<Session> sessions{};
};

/// What is kept for a handshake that has not begun, and for a connection that does not stand.
struct StreamCore::Pending {
  std::optional<x509::PeerName> name{};
  std::vector<Session> sessions{};
  std::vector<std::pair<sockaddr_storage, socklen_t>> addresses{};
  std::size_t next = 0;
  int last_error = 0;
  std::string what{};
  std::string attempts{};
};

namespace {

SystemRandom system_random;  // has no state

bool is_suspended(const Event& event) {
  return std::visit([]<class T>(const T&) { return requires(T operation) { operation.token; }; }, event);
}

IoError timeout_error(Operation operation, std::string_view text) {
  IoError error = plain_error(operation, IoCondition::timeout, text);
  error.number = ETIMEDOUT;
  return error;
}

IoError canceled_error(Operation operation, std::string_view text) {
  IoError error = plain_error(operation, IoCondition::canceled, text);
  error.number = ECANCELED;
  return error;
}

std::uint64_t later(std::uint64_t since, std::chrono::milliseconds time) {
  if (time.count() <= 0) return TimerWheel::kNever;
  return since + (static_cast<std::uint64_t>(time.count()) + 7) / 8;
}

}  // namespace

StreamCore::StreamCore(LoopCore& loop, std::shared_ptr<const Options> options, Descriptor socket)
    : loop_(&loop), options_(std::move(options)), socket_(std::move(socket)), last_activity_(loop.now()) {
  fire = [](Timer& timer) { static_cast<StreamCore&>(timer).on_timer(); };
}

StreamCore::~StreamCore() {
  if (control_ != nullptr) {
    const std::scoped_lock lock(control_->mutex);
    control_->stream = nullptr;
  }
  drop_secure();
  discard_input();
  output_pinned = false;
  drop_output();
}

/// The engine first: until it is gone it may use its memory.
void StreamCore::drop_secure() noexcept {
  void* memory = secure_ == nullptr ? nullptr : secure_->memory;
  secure_.reset();
  if (memory != nullptr) loop_->handshakes_.give(memory);
}

void StreamCore::set_target(Target&& target) {
  pending_ = std::make_unique<Pending>();
  if (target.name) server_name_ = target.name->text();
  pending_->name = std::move(target.name);
  pending_->sessions.reserve(target.sessions.size());
  for (Session& session : target.sessions) pending_->sessions.push_back(std::move(session));
}

// --- connecting ------------------------------------------------------------------------------------------------------

void StreamCore::dial(std::vector<std::pair<sockaddr_storage, socklen_t>> addresses, std::string what) {
  phase_ = Phase::connecting;
  pending_->addresses = std::move(addresses);
  pending_->what = std::move(what);
  next_address();
}

void StreamCore::next_address() {
  Pending& pending = *pending_;
  if (pending.next == pending.addresses.size()) {
    IoError error = plain_error(Operation::connect, IoCondition::system, "");
    error.number = pending.last_error;
    error.text = "connect to " + pending.what + ": " + pending.attempts;
    fail(std::move(error));
    return;
  }
  const auto& [address, size] = pending.addresses[pending.next++];
  const auto left = static_cast<std::int64_t>(pending.addresses.size() - pending.next + 1);
  phase_deadline_ = loop_->in(options_->connect_timeout / left);
  Descriptor socket(::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) {
    connected(errno);
    return;
  }
  socket_ = std::move(socket);
  loop_->backend().connect(*this, reinterpret_cast<const sockaddr*>(&address), size);
  arm_timer();
}

void StreamCore::connected(int error) {
  if (phase_ != Phase::connecting) return;
  if (error != 0) {
    if (socket_) loop_->backend().abandon(*this);
    socket_.reset();
    std::string& attempts = pending_->attempts;
    attempts += (attempts.empty() ? "" : "; ") + system_error(Operation::connect, error).text.substr(9);
    pending_->last_error = error;
    next_address();
    return;
  }
  ++loop_->statistics_.connected;
  if (options_->no_delay) sockets::send_at_once(socket());
  phase_deadline_ = TimerWheel::kNever;
  pending_->addresses = {};
  opened({});
}

void StreamCore::opened(Bytes already_read) {
  phase_ = Phase::open;
  last_activity_ = loop_->now();
  tls_wanted_ = options_->config != nullptr;
  if (const int error = loop_->backend().open(*this); error != 0) {
    fail(located(system_error(Operation::connect, error)));
    return;
  }
  if (tls_wanted_ && !options_->lazy_handshake) phase_deadline_ = loop_->in(options_->handshake_timeout);
  mark_dirty();
  while (!already_read.empty()) {
    Block* block = loop_->blocks().take();
    if (block == nullptr) return out_of_memory(Operation::read);
    const std::size_t size = std::min<std::size_t>(already_read.size(), block->capacity);
    std::ranges::copy(already_read.first(size), block->bytes());
    already_read = already_read.subspan(size);
    block->end = static_cast<std::uint32_t>(size);
    traffic_.bytes_received += size;
    Block** last = &in_;
    while (*last != nullptr) last = &(*last)->next;
    *last = block;
  }
  handler_->on_open(*this);
  if (phase_ != Phase::open) return;
  if (tls_wanted_ && options_->config->role() == Role::client && !options_->lazy_handshake) handshake();
  process();
}

// --- the handshake's beginning and end -------------------------------------------------------------------------------

IoResult<void> StreamCore::begin_tls() {
  tls_wanted_ = false;
  const Options& options = *options_;
  RandomSource& random = options.random == nullptr ? system_random : *options.random;
  void* memory = loop_->handshakes_.take();  // without, the engine allocates what it needs
  const MutableBytes space = memory == nullptr
                                 ? MutableBytes{}
                                 : MutableBytes(static_cast<std::uint8_t*>(memory), Connection::kHandshakeMemory);
  if (options.config->role() == Role::server) {
    secure_ = std::make_unique<Secure>(Connection::server(options.config, random, space), random);
  } else {
    const Time now = options.clock == nullptr ? system_time() : options.clock();
    secure_ = std::make_unique<Secure>(
        Connection::client(options.config, {.name = std::move(*pending_->name), .sessions = pending_->sessions}, random,
                           now, space),
        random);
  }
  secure_->memory = memory;
  pending_.reset();
  handshake_done_ = peer_closed_ = write_closed_ = false;
  if (phase_deadline_ == TimerWheel::kNever) phase_deadline_ = loop_->in(options.handshake_timeout);
  loop_->handshake_began(*this);
  if (phase_ == Phase::open) queue_handshake();
  mark_dirty();
  return {};
}

/// Gives back what only a handshake needs.
void StreamCore::end_handshake() noexcept {
  // While the engine still works in it (a handshake that failed has an alert to send) it stays.
  if (secure_->memory == nullptr || secure_->connection.reclaim().empty()) return;
  loop_->handshakes_.give(std::exchange(secure_->memory, nullptr));
}

// --- bytes from the peer ---------------------------------------------------------------------------------------------

bool StreamCore::wants_receive() const noexcept {
  if (phase_ == Phase::lingering || phase_ == Phase::flushing) return !transport_ended_;
  if (phase_ != Phase::open || transport_ended_ || paused_) return false;
  return !full_;
}

/// Full: the application, or an answer, has to come before more bytes do.
void StreamCore::update_full() noexcept {
  const bool was_full = full_;
  std::size_t buffered = 0;
  for (Block* block = in_; block != nullptr; block = block->next) buffered += block->end - block->first();
  const bool blocked = !unread().empty() || (secure_ != nullptr && secure_->connection.awaiting_answer());
  if (!blocked) {
    full_ = false;
  } else if (buffered >= std::min(options_->read_high, Options::kMaxReadHigh)) {
    full_ = true;
  } else if (buffered <= options_->read_low) {
    full_ = false;
  }
  if (full_ != was_full) mark_dirty();
}

MutableBytes StreamCore::receive_space() {
  Blocks& blocks = loop_->blocks();
  if (in_ == nullptr) {
    in_ = blocks.take();
  } else if (!in_->pooled) {
    Block* whole = blocks.grow(in_);
    if (whole == nullptr) return {};
    in_ = whole;
  } else if (in_->space().size() < Connection::kMaxRecord) {
    Blocks::compact(*in_);
  }
  return in_ == nullptr ? MutableBytes{} : in_->space();
}

void StreamCore::received(std::size_t size) {
  traffic_.bytes_received += size;
  last_activity_ = loop_->now();
  in_->end += static_cast<std::uint32_t>(size);
  process();
}

void StreamCore::received(Block* block) {
  traffic_.bytes_received += block->end - block->begin;
  last_activity_ = loop_->now();
  Block** last = &in_;
  while (*last != nullptr) last = &(*last)->next;
  *last = block;
  process();
}

/// Brings bytes of later blocks next to those that the engine could not use alone.
void StreamCore::pull() {
  Blocks& blocks = loop_->blocks();
  while (in_ != nullptr && in_->next != nullptr) {
    Block* next = in_->next;
    if (in_->empty()) {
      blocks.give(std::exchange(in_, next));
      continue;
    }
    if (in_->space().size() < next->content().size()) {
      if (!in_->pooled) {
        Block* whole = blocks.grow(in_);
        if (whole == nullptr) return out_of_memory(Operation::read);
        in_ = whole;
        in_->next = next;
      } else {
        Blocks::compact(*in_);
      }
    }
    const std::size_t size = std::min(in_->space().size(), next->content().size());
    if (size == 0) return;
    std::ranges::copy(next->content().first(size), in_->space().begin());
    in_->end += static_cast<std::uint32_t>(size);
    next->begin += static_cast<std::uint32_t>(size);
    if (!next->empty()) return;
    in_->next = next->next;
    blocks.give(next);
  }
}

void StreamCore::receive_ended() {
  transport_ended_ = true;
  if (phase_ == Phase::lingering) return finish();
  if (phase_ == Phase::flushing) return;
  process();
}

void StreamCore::receive_failed(int error) {
  transport_ended_ = true;
  if (phase_ == Phase::lingering || phase_ == Phase::flushing) return finish();
  if (phase_ != Phase::open) return;
  // What came before may be an alert that says why.
  if (in_ != nullptr) process();
  if (phase_ == Phase::open) {
    fail(trouble_ != nullptr ? std::move(*trouble_)
                             : located(system_error(in_handshake() ? Operation::handshake : Operation::read, error)));
  }
}

void StreamCore::process() {
  if (in_process_) {
    again_ = true;
    return;
  }
  in_process_ = true;
  do {
    again_ = false;
    process_steps();
  } while (again_ && phase_ == Phase::open);
  in_process_ = false;
  settle();
}

void StreamCore::process_steps() {
  while (phase_ == Phase::open) {
    if (in_ != nullptr && in_->next != nullptr && unread().empty()) pull();
    if (!unread().empty()) {
      handler_->on_readable(*this);
      if (phase_ != Phase::open || !unread().empty()) return;
      continue;
    }
    if (tls_wanted_ && in_ != nullptr && !in_->empty() && options_->config->role() == Role::server) (void)begin_tls();
    if (secure_ != nullptr ? !process_secure() : true) {
      if (transport_ended_ && phase_ == Phase::open && (in_ == nullptr || in_->next == nullptr)) end_of_input();
      return;
    }
  }
}

/// One step of the engine; false when it can do nothing more now.
bool StreamCore::process_secure() {
  if (peer_closed_) {
    if (downgrading_) {
      become_plain();
      return true;
    }
    if (!end_told_) {
      end_told_ = true;
      handler_->on_end(*this);
      return true;
    }
    return false;
  }
  const Time now = options_->clock == nullptr ? system_time() : options_->clock();
  auto [consumed, event] = secure_->connection.receive(in_ == nullptr ? MutableBytes{} : in_->content(), now);
  if (in_ != nullptr) in_->begin += static_cast<std::uint32_t>(consumed);
  if (!std::holds_alternative<Nothing>(event)) return handle(event);
  if (queue_handshake()) return true;  // what was sent may have events of its own
  return in_ != nullptr && in_->next != nullptr && !secure_->connection.awaiting_answer();
}

bool StreamCore::handle(Event& event) {
  Connection& connection = secure_->connection;
  const bool suspended = is_suspended(event);
  if (handler_->on_event(*this, event) && suspended) return true;
  if (phase_ != Phase::open) return false;
  if (suspended) {
    if (secure_->answers == nullptr && options_->answers != nullptr) {
      secure_->answers = std::make_unique<Answers>(options_->answers, secure_->random);
    }
    // Without answers the token is dropped with the event, and the handshake fails for that reason.
    if (secure_->answers != nullptr) (void)secure_->answers->answer(connection, event);
    return true;
  }
  if (const auto* data = std::get_if<ApplicationData>(&event)) {
    in_->plaintext = *data;
    in_->segment = in_->offset = 0;
  } else if (const auto* complete = std::get_if<HandshakeComplete>(&event)) {
    completed(*complete);
  } else if (std::holds_alternative<PeerClosed>(event)) {
    peer_closed_ = true;
  } else if (auto* session = std::get_if<SessionReceived>(&event)) {
    auto& sessions = secure_->sessions;
    if (sessions.size() == kMaxSessions) sessions.erase(sessions.begin());
    sessions.push_back(std::move(session->session));
  } else if (const auto* secret = std::get_if<SecretLogged>(&event)) {
    if (options_->key_log) options_->key_log(key_log_line(*secret));
  } else if (std::holds_alternative<Failed>(event)) {
    fail(tls_error(in_handshake() ? Operation::handshake : Operation::read));
  }
  return phase_ == Phase::open;
}

void StreamCore::completed(const HandshakeComplete& complete) {
  if (secure_->connection.role() == Role::server) server_name_ = complete.server_name;
  handshake_done_ = true;
  phase_deadline_ = TimerWheel::kNever;
  last_activity_ = loop_->now();
  ++loop_->statistics_.handshakes;
  loop_->handshaking_.remove(*this);
  handler_->on_handshake(*this, complete);
  tell_writable();
}

void StreamCore::become_plain() {
  drop_secure();
  downgrading_ = peer_closed_ = write_closed_ = end_told_ = handshake_done_ = false;
  handler_->on_plain(*this);
  tell_writable();
}

/// The transport has ended, and all that came before has been dealt with.
void StreamCore::end_of_input() {
  if (secure_ != nullptr) {
    if (peer_closed_ || secure_->connection.awaiting_answer()) return;
    (void)secure_->connection.receive_end();
    if (secure_->connection.error() != nullptr) {
      // A reset while we were sending is why, not the end that it looked like.
      fail(trouble_ != nullptr ? std::move(*trouble_)
                               : tls_error(in_handshake() ? Operation::handshake : Operation::read));
      return;
    }
    peer_closed_ = true;
  } else if (tls_wanted_ && (in_ == nullptr || in_->empty())) {
    fail(located(
        plain_error(Operation::handshake, IoCondition::ended, "the peer ended the transport before the handshake")));
    return;
  }
  if (end_told_) return;
  end_told_ = true;
  handler_->on_end(*this);
}

/// After the engine's work: gives back what is empty, and makes small what is left.
void StreamCore::settle() {
  if (phase_ != Phase::open && phase_ != Phase::moving) {
    discard_input();
    return;
  }
  if (in_ != nullptr) {
    if (in_->empty() && in_->next == nullptr) {
      loop_->blocks().give(std::exchange(in_, nullptr));
    } else if (in_->next == nullptr && in_->pooled && in_->end - in_->first() <= Connection::kMaxRecord) {
      in_ = loop_->blocks().shrink(in_);
    }
  }
  if (secure_ != nullptr && handshake_done_) {
    end_handshake();
    if (secure_->answers != nullptr && !secure_->answers->verdict()) secure_->answers.reset();
  }
  update_full();
  arm_timer();
}

void StreamCore::discard_input() noexcept {
  if (in_process_) return;  // `settle` will
  while (in_ != nullptr) {
    Block* next = in_->next;
    loop_->blocks().give(std::exchange(in_, next));
  }
}

void StreamCore::continue_later() noexcept {
  continue_ = true;
  mark_dirty();
}

Bytes StreamCore::unread() const noexcept {
  if (in_ == nullptr) return {};
  if (secure_ != nullptr) return in_->next_plaintext();
  return tls_wanted_ ? Bytes{} : Bytes(in_->content());
}

// --- bytes to the peer -----------------------------------------------------------------------------------------------

Block* StreamCore::tail_with(std::size_t space) {
  if (out_last_ != nullptr && out_last_->space().size() >= space) return out_last_;
  Block* block = loop_->blocks().take();
  if (block == nullptr) return nullptr;
  if (out_last_ == nullptr) {
    out_first_ = block;
    last_progress_ = loop_->now();
  } else {
    out_last_->next = block;
  }
  out_last_ = block;
  return block;
}

/// Queues what the engine has to say itself; whether that was anything.
bool StreamCore::queue_handshake() {
  bool any = false;
  Connection& connection = secure_->connection;
  const Time now = options_->clock == nullptr ? system_time() : options_->clock();
  while (connection.transmit_pending()) {
    Block* block = tail_with(512);
    if (block == nullptr) {
      out_of_memory(Operation::write);
      return false;
    }
    const std::size_t size = connection.transmit(block->space(), now);
    if (size == 0) break;
    block->end += static_cast<std::uint32_t>(size);
    out_pending_ += size;
    any = true;
  }
  if (any) mark_dirty();
  return any;
}

IoResult<std::size_t> StreamCore::writev_now(std::span<const Bytes> pieces) {
  if (phase_ == Phase::connecting) {
    writer_waits_ = true;
    return 0;
  }
  if (phase_ != Phase::open || write_closed_) {
    return std::unexpected(plain_error(Operation::write, IoCondition::ended, "the stream was closed for writing"));
  }
  if (tls_wanted_) handshake();
  if (tls_wanted_ || (secure_ != nullptr && !secure_->connection.connected())) {
    if (phase_ != Phase::open || (secure_ != nullptr && secure_->connection.error() != nullptr)) {
      return std::unexpected(plain_error(Operation::write, IoCondition::ended, "the handshake has failed"));
    }
    writer_waits_ = true;
    return 0;
  }

  std::size_t total = 0;
  std::size_t piece = 0;
  std::size_t taken = 0;  // of that piece
  for (;;) {
    std::array<Bytes, ApplicationData::kMaxSegments> batch;
    std::size_t count = 0;
    std::size_t size = 0;
    for (std::size_t i = piece, skip = taken; i < pieces.size() && count < batch.size(); ++i, skip = 0) {
      if (pieces[i].size() <= skip) continue;
      batch[count] = pieces[i].subspan(skip);
      size += batch[count++].size();
    }
    if (count == 0) break;
    if (out_pending_ >= options_->write_high) {
      writer_waits_ = true;
      break;
    }
    Block* block = tail_with(std::min<std::size_t>(size + 256, Connection::kMaxRecord));
    if (block == nullptr) {
      out_of_memory(Operation::write);
      return std::unexpected(system_error(Operation::write, ENOMEM));
    }
    std::size_t consumed = 0;
    std::size_t written = 0;
    if (secure_ != nullptr) {
      const Time now = options_->clock == nullptr ? system_time() : options_->clock();
      const auto sealed = secure_->connection.seal(std::span(batch).first(count), block->space(), now);
      if (!sealed) {
        return std::unexpected(plain_error(Operation::write, IoCondition::ended, name(sealed.error())));
      }
      consumed = sealed->consumed;
      written = sealed->written;
    } else {
      const Bytes bytes = batch.front().first(std::min(batch.front().size(), block->space().size()));
      std::ranges::copy(bytes, block->space().begin());
      consumed = written = bytes.size();
    }
    if (written == 0) break;
    block->end += static_cast<std::uint32_t>(written);
    out_pending_ += written;
    total += consumed;
    for (std::size_t left = consumed; piece < pieces.size();) {
      const std::size_t rest = pieces[piece].size() - taken;
      if (left < rest) {
        taken += left;
        break;
      }
      left -= rest;
      ++piece;
      taken = 0;
    }
  }
  traffic_.plaintext_sent += total;
  if (total != 0) mark_dirty();
  return total;
}

std::size_t StreamCore::output(std::span<iovec> pieces) noexcept {
  std::size_t count = 0;
  for (Block* block = out_first_; block != nullptr && count < pieces.size(); block = block->next) {
    const MutableBytes content = block->content();
    if (!content.empty()) pieces[count++] = {content.data(), content.size()};
  }
  return count;
}

void StreamCore::sent(std::size_t size) {
  if (dropped_) {
    drop_output();
    return;
  }
  traffic_.bytes_sent += size;
  last_activity_ = last_progress_ = loop_->now();
  out_pending_ -= size;
  while (out_first_ != nullptr) {
    const std::size_t here = std::min(size, out_first_->content().size());
    out_first_->begin += static_cast<std::uint32_t>(here);
    size -= here;
    if (!out_first_->content().empty()) break;
    Block* next = out_first_->next;
    loop_->blocks().give(std::exchange(out_first_, next));
  }
  if (out_first_ == nullptr) {
    out_last_ = nullptr;
    write_deadline_ = TimerWheel::kNever;
  }
  if (phase_ == Phase::flushing && out_pending_ == 0) return finish_output();
  if (shut_when_sent_ && out_pending_ == 0) mark_dirty();
  tell_writable();
}

void StreamCore::tell_writable() {
  if (!writer_waits_ || phase_ != Phase::open || out_pending_ > options_->write_low) return;
  if (tls_wanted_ || (secure_ != nullptr && !secure_->connection.connected())) return;
  writer_waits_ = false;
  handler_->on_writable(*this);
}

/// A peer that refuses us sends an alert and closes; what we send meanwhile meets a reset. The alert says more, so
/// reading goes on to the end.
void StreamCore::send_failed(int error) {
  drop_output();
  if (phase_ == Phase::flushing || phase_ == Phase::lingering) return finish();
  if (phase_ != Phase::open) return;
  IoError trouble = located(system_error(in_handshake() ? Operation::handshake : Operation::write, error));
  if (transport_ended_ || secure_ == nullptr) return fail(std::move(trouble));
  if (trouble_ == nullptr) trouble_ = std::make_unique<IoError>(std::move(trouble));
  write_closed_ = true;
  paused_ = false;
  // Should nothing come, it ends as closing does.
  phase_deadline_ = std::min(phase_deadline_, loop_->in(std::max(options_->linger, std::chrono::milliseconds(1))));
  mark_dirty();
}

void StreamCore::drop_output() noexcept {
  out_pending_ = 0;
  dropped_ = output_pinned;
  if (dropped_) return;
  while (out_first_ != nullptr) {
    Block* next = out_first_->next;
    loop_->blocks().give(std::exchange(out_first_, next));
  }
  out_last_ = nullptr;
}

// --- ending ----------------------------------------------------------------------------------------------------------

void StreamCore::start_closing() {
  if (phase_ == Phase::connecting) return finish();
  if (phase_ != Phase::open) return;
  if (secure_ != nullptr) {
    secure_->connection.close();
    queue_handshake();
    if (phase_ != Phase::open) return;
  }
  loop_->handshaking_.remove(*this);
  phase_ = Phase::flushing;
  phase_deadline_ = TimerWheel::kNever;
  awaiting_end_ = true;
  discard_input();
  mark_dirty();
}

/// All is sent that will be.
void StreamCore::finish_output() {
  if (transport_ended_ || !awaiting_end_ || options_->linger.count() <= 0) return finish();
  (void)::shutdown(socket(), SHUT_WR);
  phase_ = Phase::lingering;
  phase_deadline_ = loop_->in(options_->linger);
  mark_dirty();
}

void StreamCore::finish() {
  if (phase_ == Phase::releasing) return;
  tell_closed(nullptr);
  phase_ = Phase::releasing;
  loop_->handshaking_.remove(*this);
  loop_->wheel_.disarm(*this);
  loop_->backend().release(*this);
}

void StreamCore::released() {
  if (phase_ == Phase::moving) {
    loop_->hand_over(*this, *move_target_);
  } else {
    loop_->bury(*this);
  }
}

void StreamCore::tell_closed(const IoError* error) {
  if (told_) return;
  told_ = true;
  if (error != nullptr) ++loop_->statistics_.failures;
  if (handler_ != nullptr) handler_->on_closed(*this, error);
}

void StreamCore::fail(IoError error) {
  if (phase_ == Phase::releasing || told_) return;
  const bool tls = error.condition == IoCondition::tls;
  const bool abrupt = error.condition == IoCondition::system || phase_ == Phase::connecting;
  tell_closed(&error);
  loop_->handshaking_.remove(*this);
  if (abrupt) {
    drop_output();
    return finish();
  }
  if (phase_ != Phase::open) return;
  if (secure_ != nullptr) queue_handshake();
  if (phase_ != Phase::open) return;
  phase_ = Phase::flushing;
  const Error* own = secure_ == nullptr ? nullptr : secure_->connection.error();
  awaiting_end_ = tls && (own == nullptr || own->origin != Origin::peer);
  phase_deadline_ = loop_->in(std::max(options_->linger, std::chrono::milliseconds(1)));
  discard_input();
  mark_dirty();
}

void StreamCore::abort(IoError error) {
  tell_closed(&error);
  drop_output();
  if (phase_ == Phase::moving) return;
  finish();
}

void StreamCore::evict() {
  if (secure_ != nullptr) secure_->connection.cancel();
  fail(located(canceled_error(Operation::handshake,
                              "it took longer than newer ones, and there are no more than max_handshakes at once")));
}

void StreamCore::out_of_memory(Operation operation) { fail(located(system_error(operation, ENOMEM))); }

IoError StreamCore::tls_error(Operation operation) const {
  const Error& error = *secure_->connection.error();
  const std::optional<x509::Verdict> none;
  const auto& verdict = secure_->answers == nullptr ? none : secure_->answers->verdict();
  return {.operation = operation,
          .condition = IoCondition::tls,
          .tls = error,
          .text = std::string(name(operation)) + peer_text() + ": " + to_text(error, verdict)};
}

IoError StreamCore::located(IoError error) const {
  error.text.insert(name(error.operation).size(), peer_text());
  return error;
}

/// " with example.com (192.0.2.1:443)", as far as it is known.
std::string StreamCore::peer_text() const {
  std::string address = lockstep::peer_address(socket()).text();
  const bool client = options_->config != nullptr && options_->config->role() == Role::client;
  if (client && !server_name_.empty()) {
    address = address.empty() ? server_name_ : server_name_ + " (" + address + ")";
  }
  return address.empty() ? address : " with " + address;
}

// --- the loop's turn -------------------------------------------------------------------------------------------------

void StreamCore::mark_dirty() noexcept { loop_->mark_dirty(*this); }

void StreamCore::flush() {
  if (std::exchange(continue_, false) && phase_ == Phase::open) process();
  if (phase_ == Phase::moving) {
    loop_->backend().release(*this);
    return;
  }
  if (phase_ == Phase::flushing && !has_output()) finish_output();
  if (shut_when_sent_ && !has_output() && phase_ == Phase::open) {
    shut_when_sent_ = false;
    (void)::shutdown(socket(), SHUT_WR);
  }
  if (phase_ == Phase::open || phase_ == Phase::flushing || phase_ == Phase::lingering) loop_->backend().update(*this);
  if (phase_ != Phase::releasing) arm_timer();
}

std::uint64_t StreamCore::earliest_deadline() const noexcept {
  std::uint64_t earliest = std::min({phase_deadline_, read_deadline_, write_deadline_});
  if (has_output()) earliest = std::min(earliest, later(last_progress_, options_->write_timeout));
  if (phase_ == Phase::open && !tls_wanted_ && !in_handshake()) {
    earliest = std::min(earliest, later(last_activity_, options_->idle_timeout));
  }
  return earliest;
}

/// A deadline that moves away does not touch the wheel: the timer fires, finds nothing due, and is set anew.
void StreamCore::arm_timer() noexcept {
  const std::uint64_t earliest = earliest_deadline();
  if (earliest == TimerWheel::kNever || phase_ == Phase::releasing || phase_ == Phase::moving) return;
  if (!armed() || earliest < due) loop_->wheel_.arm(*this, earliest);
}

void StreamCore::on_timer() {
  const std::uint64_t now = loop_->now();
  if (phase_deadline_ <= now) {
    phase_deadline_ = TimerWheel::kNever;
    switch (phase_) {
      case Phase::connecting: connected(ETIMEDOUT); break;  // on to the next address
      case Phase::open:
        if (trouble_ != nullptr) {
          fail(std::move(*trouble_));
          break;
        }
        if (secure_ != nullptr) secure_->connection.cancel();
        fail(located(timeout_error(Operation::handshake,
                                   "not complete within handshake_timeout; allow more time, or find "
                                   "out why the peer is silent")));
        break;
      case Phase::flushing:
      case Phase::lingering: finish(); break;
      case Phase::moving:
      case Phase::releasing: break;
    }
  }
  if (phase_ == Phase::releasing || phase_ == Phase::moving) return;
  if (has_output() && later(last_progress_, options_->write_timeout) <= now) {
    IoError error = located(timeout_error(Operation::write, "the peer took nothing within write_timeout"));
    tell_closed(&error);
    drop_output();
    return finish();
  }
  if (phase_ == Phase::open && read_deadline_ <= now) {
    read_deadline_ = TimerWheel::kNever;
    handler_->on_deadline(*this, Operation::read);
  }
  if (phase_ == Phase::open && write_deadline_ <= now) {
    write_deadline_ = TimerWheel::kNever;
    handler_->on_deadline(*this, Operation::write);
  }
  if (phase_ == Phase::open && !tls_wanted_ && !in_handshake() &&
      later(last_activity_, options_->idle_timeout) <= now) {
    if (secure_ != nullptr) secure_->connection.close();
    fail(located(timeout_error(Operation::read, "idle for longer than idle_timeout")));
  }
  if (phase_ != Phase::releasing) arm_timer();
}

void StreamCore::drain() {
  if (phase_ == Phase::open && !told_) {
    handler_->on_drain(*this);
  } else if (phase_ == Phase::connecting) {
    finish();
  }
}

void StreamCore::disown_handshake() noexcept {
  if (secure_ != nullptr && secure_->memory != nullptr) loop_->handshakes_.disown();
}

void StreamCore::adopt(LoopCore& loop) {
  loop_ = &loop;
  for (Block* block = in_; block != nullptr; block = block->next) loop.blocks().adopt(*block);
  for (Block* block = out_first_; block != nullptr; block = block->next) loop.blocks().adopt(*block);
  if (secure_ != nullptr && secure_->memory != nullptr) loop.handshakes_.adopt();
  if (secure_ != nullptr && !handshake_done_) loop.handshaking_.push_back(*this);
  backend_flags = in_flight = 0;
  move_target_ = nullptr;
  phase_ = Phase::open;
  if (const int error = loop.backend().open(*this); error != 0) {
    fail(located(system_error(Operation::connect, error)));
    return;
  }
  mark_dirty();
  handler_->on_moved(*this);
  process();
}

// --- Handler ---------------------------------------------------------------------------------------------------------

void Handler::on_end(Stream& stream) { stream.close(); }
void Handler::on_drain(Stream& stream) { stream.close(); }
void Handler::on_deadline(Stream& stream, Operation operation) { stream.expire(operation); }

// --- the public face -------------------------------------------------------------------------------------------------

StreamCore& Stream::core() noexcept { return static_cast<StreamCore&>(*this); }
const StreamCore& Stream::core() const noexcept { return static_cast<const StreamCore&>(*this); }
Connection& Stream::engine() noexcept { return core().secure_->connection; }

Bytes Stream::readable() noexcept { return core().phase_ == StreamCore::Phase::open ? core().unread() : Bytes{}; }

void Stream::consume(std::size_t size) noexcept {
  StreamCore& stream = core();
  stream.traffic_.plaintext_received += size;
  while (size != 0) {
    const std::size_t here = std::min(size, stream.unread().size());
    if (here == 0) break;
    size -= here;
    Block& block = *stream.in_;
    if (stream.secure_ == nullptr) {
      block.begin += static_cast<std::uint32_t>(here);
      break;
    }
    block.offset += static_cast<std::uint32_t>(here);
    if (block.offset == block.plaintext.segments()[block.segment].size()) {
      ++block.segment;
      block.offset = 0;
    }
  }
  if (stream.in_process_) return;
  stream.update_full();
  if (stream.unread().empty()) stream.continue_later();
}

std::size_t Stream::read(MutableBytes out) noexcept {
  std::size_t copied = 0;
  while (copied < out.size()) {
    const Bytes view = readable();
    if (view.empty()) break;
    const std::size_t size = std::min(view.size(), out.size() - copied);
    std::ranges::copy(view.first(size), out.subspan(copied).begin());
    consume(size);
    copied += size;
  }
  return copied;
}

void Stream::resume() noexcept { core().continue_later(); }

void Stream::pause_reading(bool paused) noexcept {
  core().paused_ = paused;
  core().mark_dirty();
}

IoResult<std::size_t> Stream::write(Bytes bytes) { return core().writev_now({&bytes, 1}); }
IoResult<std::size_t> Stream::writev(std::span<const Bytes> pieces) { return core().writev_now(pieces); }
std::size_t Stream::write_pending() const noexcept { return core().out_pending_; }

void Stream::close_write() {
  StreamCore& stream = core();
  if (stream.phase_ != StreamCore::Phase::open || std::exchange(stream.write_closed_, true)) return;
  if (stream.secure_ != nullptr) {
    stream.secure_->connection.close();
    stream.queue_handshake();
  } else {
    stream.shut_when_sent_ = true;
    stream.mark_dirty();
  }
}

void Stream::close() { core().start_closing(); }

void Stream::cancel() {
  StreamCore& stream = core();
  if (stream.phase_ != StreamCore::Phase::open && stream.phase_ != StreamCore::Phase::connecting) return;
  const bool shaking = stream.in_handshake();
  if (stream.secure_ != nullptr) stream.secure_->connection.cancel();
  stream.fail(stream.located(canceled_error(stream.phase_ == StreamCore::Phase::connecting ? Operation::connect
                                            : shaking                                      ? Operation::handshake
                                                                                           : Operation::read,
                                            "canceled by the application")));
}

void Stream::expire(Operation operation) {
  StreamCore& stream = core();
  if (stream.phase_ != StreamCore::Phase::open) return;
  if (stream.secure_ != nullptr) stream.secure_->connection.cancel();
  stream.fail(stream.located(timeout_error(operation, "the deadline passed")));
}

void Stream::downgrade() {
  StreamCore& stream = core();
  if (stream.phase_ != StreamCore::Phase::open || stream.secure_ == nullptr || stream.downgrading_) return;
  stream.downgrading_ = true;
  stream.write_closed_ = true;
  stream.secure_->connection.close();
  stream.queue_handshake();
  stream.continue_later();
}

void Stream::handshake() {
  StreamCore& stream = core();
  if (stream.phase_ != StreamCore::Phase::open || !stream.tls_wanted_) return;
  if (stream.options_->config->role() == Role::client) (void)stream.begin_tls();
}

IoResult<void> Stream::start_tls(Options options, Target target) {
  StreamCore& stream = core();
  const auto misuse = [](std::string_view text) {
    return std::unexpected(plain_error(Operation::handshake, IoCondition::misuse, text));
  };
  if (stream.phase_ != StreamCore::Phase::open) return misuse("the stream is closed or not connected yet");
  if (stream.secure_ != nullptr || stream.tls_wanted_) return misuse("TLS has begun already; `downgrade` comes first");
  if (options.config == nullptr) return misuse("Options::config is missing");
  const bool client = options.config->role() == Role::client;
  if (client && !target.name) return misuse("a client must state whom it expects, in Target::name");
  const bool lazy = options.lazy_handshake;
  stream.options_ = std::make_shared<const Options>(std::move(options));
  stream.set_target(std::move(target));
  stream.tls_wanted_ = true;
  stream.end_told_ = false;
  stream.phase_deadline_ = lazy ? TimerWheel::kNever : stream.loop_->in(stream.options_->handshake_timeout);
  if (client && !lazy) handshake();
  stream.continue_later();
  return {};
}

void Stream::answers_changed() { core().continue_later(); }

IoResult<void> Stream::update_keys(bool request_peer) {
  StreamCore& stream = core();
  if (stream.phase_ != StreamCore::Phase::open || stream.secure_ == nullptr) {
    return std::unexpected(
        plain_error(Operation::write, IoCondition::misuse, "TLS has not begun, or the stream is closed"));
  }
  if (auto updated = stream.secure_->connection.update_keys(request_peer); !updated) {
    return std::unexpected(plain_error(Operation::write, IoCondition::misuse, name(updated.error())));
  }
  stream.queue_handshake();
  return {};
}

bool Stream::secure() const noexcept { return core().secure_ != nullptr; }
const Connection& Stream::connection() const noexcept { return core().secure_->connection; }
const Answers* Stream::answers() const noexcept {
  return core().secure_ == nullptr ? nullptr : core().secure_->answers.get();
}
const std::string& Stream::server_name() const noexcept { return core().server_name_; }
std::vector<Session> Stream::sessions() {
  return core().secure_ == nullptr ? std::vector<Session>{} : std::exchange(core().secure_->sessions, {});
}

void Stream::set_read_deadline(Deadline deadline) noexcept {
  core().read_deadline_ = deadline ? LoopCore::tick_of(*deadline) : TimerWheel::kNever;
  core().mark_dirty();
}
void Stream::set_write_deadline(Deadline deadline) noexcept {
  core().write_deadline_ = deadline ? LoopCore::tick_of(*deadline) : TimerWheel::kNever;
  core().mark_dirty();
}

void Stream::move_to(Loop& other) {
  StreamCore& stream = core();
  if (stream.phase_ != StreamCore::Phase::open) return;
  stream.phase_ = StreamCore::Phase::moving;
  stream.move_target_ = &other;
  stream.mark_dirty();
}

StreamRef Stream::ref() {
  StreamCore& stream = core();
  if (stream.control_ == nullptr) {
    stream.control_ = std::make_shared<StreamRef::Control>();
    stream.control_->loop = &stream.loop_->face();
    stream.control_->stream = &stream;
  }
  return StreamRef(stream.control_);
}

Loop& Stream::loop() const noexcept { return core().loop_->face(); }
Handler& Stream::handler() const noexcept { return *core().handler_; }
Traffic Stream::traffic() const noexcept { return core().traffic_; }
Address Stream::local_address() const { return lockstep::local_address(descriptor()); }
Address Stream::peer_address() const { return lockstep::peer_address(descriptor()); }
int Stream::descriptor() const noexcept { return core().socket_.number(); }

void StreamRef::post(std::move_only_function<void(Stream&)> function) const {
  const std::scoped_lock lock(control_->mutex);
  if (control_->stream == nullptr) return;
  control_->loop->post([control = control_, run = std::move(function)](Loop& loop) mutable {
    StreamCore* stream = nullptr;
    {
      const std::scoped_lock held(control->mutex);
      stream = control->loop == &loop ? control->stream : nullptr;
      if (stream == nullptr && control->stream == nullptr) return;
    }
    if (stream == nullptr) {
      StreamRef(control).post(std::move(run));  // it has moved meanwhile
    } else if (stream->phase() != StreamCore::Phase::releasing) {
      run(*stream);
    }
  });
}

}  // namespace lockstep::loop
