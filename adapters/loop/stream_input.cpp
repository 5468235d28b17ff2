// Bytes from the peer: from the backend's blocks through the engine to the handler.

#include <algorithm>
#include <cerrno>
#include <utility>
#include <variant>

#include "common/sockets.hpp"
#include "loop/loop_core.hpp"
#include "loop/stream_core.hpp"

namespace lockstep::loop {

using sockets::plain_error;
using sockets::system_error;

namespace {

/// How many bytes the record at the front lacks, or its header (RFC 9846 5.1).
std::size_t lacking(Bytes content) {
  constexpr std::size_t kHeader = Connection::kRecordHeader;
  if (content.size() < kHeader) return kHeader - content.size();
  const std::size_t whole = kHeader + (std::size_t{content[3]} << 8U | content[4]);
  return whole > content.size() ? whole - content.size() : Block::kCapacity;
}

}  // namespace

// --- from the backend ------------------------------------------------------------------------------------------------

bool StreamCore::wants_receive() const noexcept {
  if (transport_end_) return false;
  if (std::holds_alternative<Closing>(phase_)) return !leaving();
  if (!active() || paused_ || full_) return false;
  // A loop that has as much memory as it may takes only what makes a stream need less of it.
  if (!loop_->pressed()) return true;
  const bool little = in_ == nullptr || (in_->next == nullptr && in_->end - in_->first() < Connection::kMaxRecord);
  return (secure_ != nullptr ? unread().empty() : little) && out_pending_ <= options_->write_low;
}

/// Full: the application, or an answer, has to come before more bytes do.
void StreamCore::update_full() noexcept {
  const bool was_full = full_;
  std::size_t buffered = 0;
  for (Block* block = in_; block != nullptr; block = block->next) buffered += block->end - block->first();
  // What the engine could not use alone, it will with more.
  const bool engine_wants_more =
      secure_ != nullptr && inbound_ == Inbound::open && unread().empty() && !secure_->connection.awaiting_answer();
  if (engine_wants_more) {
    full_ = false;
  } else if (buffered >= std::clamp<std::size_t>(options_->read_high, 1, Options::kMaxReadHigh)) {
    full_ = true;
  } else if (buffered <= options_->read_low) {
    full_ = false;
  }
  if (full_ != was_full) mark_dirty();
}

Block*& StreamCore::last_input() noexcept {
  Block** last = &in_;
  while (*last != nullptr && (*last)->next != nullptr) last = &(*last)->next;
  return *last;
}

MutableBytes StreamCore::receive_space() {
  Blocks& blocks = loop_->blocks();
  Block*& last = last_input();
  if (last == nullptr) {
    last = blocks.take();
  } else if (!last->pooled) {
    Block* whole = blocks.grow(last);
    if (whole == nullptr) return {};
    last = whole;
  } else if (last->space().size() < Connection::kMaxRecord) {
    Blocks::compact(*last);
    if (last->space().empty()) {
      last->next = blocks.take();
      return last->next == nullptr ? MutableBytes{} : last->next->space();
    }
  }
  return last == nullptr ? MutableBytes{} : last->space();
}

void StreamCore::received(std::size_t size) {
  traffic_.bytes_received += size;
  heard();
  last_input()->end += static_cast<std::uint32_t>(size);
  process();
}

void StreamCore::received(Block* block) {
  traffic_.bytes_received += block->end - block->begin;
  heard();
  append(block);
  process();
}

void StreamCore::heard() noexcept {
  last_activity_ = loop_->now();
  if (auto* closing = std::get_if<Closing>(&phase_)) closing->lingering.heard();
}

/// Joins blocks that fit into one, so that a peer that sends single bytes fills no more memory than one that does not.
void StreamCore::append(Block* block) {
  Blocks& blocks = loop_->blocks();
  Block*& last = last_input();
  if (last == nullptr) {
    last = block;
    return;
  }
  const MutableBytes content = block->content();
  const std::size_t together = last->end - last->first() + content.size();
  Block* whole = last->pooled || together > Block::kCapacity ? last : blocks.grow(last);
  if (whole == nullptr || together > whole->capacity) {
    last->next = block;
    return;
  }
  last = whole;
  if (last->space().size() < content.size()) Blocks::compact(*last);
  std::ranges::copy(content, last->space().begin());
  last->end += static_cast<std::uint32_t>(content.size());
  blocks.give(block);
}

void StreamCore::receive_ended() {
  transport_end_ = 0;
  if (const auto* closing = std::get_if<Closing>(&phase_)) return closing->flushed ? finish() : settle();
  process();
}

/// What came before the failure comes first: it may be an alert that says why.
void StreamCore::receive_failed(int error) {
  transport_end_ = error;
  if (holds_output()) drop_output();  // nobody is there to take it
  if (std::holds_alternative<Closing>(phase_)) return finish();
  process();
}

// --- through the engine ----------------------------------------------------------------------------------------------

void StreamCore::process() {
  if (processing_ != Processing::idle) {
    processing_ = Processing::again;
    return;
  }
  do {
    processing_ = Processing::running;
    process_steps();
  } while (processing_ == Processing::again && active());
  processing_ = Processing::idle;
  settle();
}

void StreamCore::process_steps() {
  while (active()) {
    if (in_ != nullptr && in_->next != nullptr && unread().empty()) pull();
    if (!active()) return;
    if (read_closed_ && !unread().empty()) {
      bytes_came();
      while (!unread().empty()) consume(unread().size());
    }
    if (!unread().empty()) {
      bytes_came();
      tell(&Handler::on_readable);
      if (!active() || !unread().empty()) return;
      continue;
    }
    if (layer_ == Layer::expected && in_ != nullptr && !in_->empty() && options_->config->role() == Role::server)
      begin_tls();
    if (secure_ != nullptr && process_secure()) continue;
    if (transport_end_ && active() && (in_ == nullptr || in_->next == nullptr)) end_of_input();
    return;
  }
}

/// One step of the engine; false when it can do nothing more now.
bool StreamCore::process_secure() {
  if (inbound_ == Inbound::told && !downgrading_) return false;
  if (inbound_ != Inbound::open) {
    downgrading_ ? become_plain() : tell_end();
    return true;
  }
  auto [consumed, event] = secure_->connection.receive(in_ == nullptr ? MutableBytes{} : in_->content(), engine_time());
  if (in_ != nullptr) in_->begin += static_cast<std::uint32_t>(consumed);
  if (!std::holds_alternative<Nothing>(event)) return handle(event);
  // A peer that asks for answers and does not read them (RFC 9846 4.7.3: update_requested) gets one for many.
  const bool may_speak = !handshake_done() || out_pending_ < std::max<std::size_t>(options_->write_high, 1);
  if (may_speak && queue_handshake()) {
    if (secure_->connection.false_start()) tell_writable();
    return true;  // what was sent may have events of its own
  }
  return active() && in_ != nullptr && in_->next != nullptr && !secure_->connection.awaiting_answer();
}

/// To its end, whatever the handler asks for meanwhile: what the engine has told it will not tell again. False when
/// nothing is to follow.
bool StreamCore::handle(Event& event) {
  Connection& connection = secure_->connection;
  const bool suspended = asks(event);
  if (connection.renegotiating()) renegotiates(suspended);
  bool taken = false;
  guarded([&] { taken = handler_->on_event(*this, event); });
  if (suspended) {
    if (taken) {
      if (secure_ != nullptr) secure_->sessions.answered_by_application(event);
      return active();
    }
    if (!is_open()) return false;
    make_answers();
    if (loop_->collector_.take(this, connection, event, secure_->random, secure_->answers.get())) return active();
    // Without answers the token is dropped with the event, and the handshake fails for that reason.
    if (secure_->answers != nullptr) (void)secure_->answers->answer(connection, event);
    return active();
  }
  if (const auto* data = std::get_if<ApplicationData>(&event)) {
    in_->plaintext = *data;
    in_->segment = in_->offset = 0;
  } else if (const auto* early = std::get_if<EarlyData>(&event)) {
    // The configuration bounds how much of it comes.
    auto& kept = secure_->early;
    for (const Bytes segment : early->segments()) {
      if (!taken) kept.insert(kept.end(), segment.begin(), segment.end());
    }
  } else if (const auto* complete = std::get_if<HandshakeComplete>(&event)) {
    if (secure_->answers != nullptr) (void)secure_->answers->answer(connection, event);
    if (is_open()) completed(*complete);
  } else if (std::holds_alternative<RenegotiationRefused>(event)) {
    renegotiated();
  } else if (std::holds_alternative<PeerClosed>(event)) {
    inbound_ = Inbound::ended;
  } else if (auto* session = std::get_if<SessionReceived>(&event)) {
    secure_->sessions.received(std::move(session->session));
  } else if (auto* keys = std::get_if<TrafficKeys>(&event)) {
    if (is_open()) take_keys(std::move(*keys));
  } else if (const auto* secret = std::get_if<SecretLogged>(&event)) {
    if (options_->key_log) {
      if (secure_->key_log == nullptr)
        secure_->key_log = std::make_unique<KeyLog>(options_->key_log, options_->key_log_of);
      guarded([&] { secure_->key_log->add(*secret); });
    }
  } else if (const auto* failed = std::get_if<Failed>(&event)) {
    if (secure_->answers != nullptr) (void)secure_->answers->answer(connection, event);
    secure_->sessions.failed(failed->error);
    if (!goes_on_in_plain_text(failed->error)) fail(tls_error(reading()));
  }
  return active();
}

/// Who answers is there from the first question on.
void StreamCore::make_answers() {
  if (secure_->answers == nullptr && options_->answers != nullptr)
    secure_->answers = std::make_unique<Answers>(options_->answers, secure_->random);
}

Answers* StreamCore::answers_in_handshake() {
  if (!handshake_done()) make_answers();
  return secure_->answers.get();
}

/// Another handshake is under way: it has as much time as the first one, and its questions may be answered elsewhere.
void StreamCore::renegotiates(bool suspended) {
  if (deadline_ == TimerWheel::kNever) deadline_ = loop_->in(options_->handshake_timeout);
  if (suspended) secure_->connection.wake_by(control());
}

/// It is over.
void StreamCore::renegotiated() {
  if (!downgrading_) deadline_ = TimerWheel::kNever;
  tell_writable();
}

void StreamCore::completed(const HandshakeComplete& complete) {
  if (secure_->connection.role() == Role::server) server_name_ = complete.server_name;
  if (secure_->key_log != nullptr) secure_->key_log->complete();
  if (complete.renegotiation) {
    tell(&Handler::on_handshake, complete);
    if (is_open()) renegotiated();
    return;
  }
  layer_ = Layer::secure;
  deadline_ = downgrading_ ? loop_->in(options_->handshake_timeout) : TimerWheel::kNever;
  last_activity_ = loop_->now();
  ++loop_->statistics_.handshakes;
  loop_->handshaking_.remove(*this);
  tell(&Handler::on_handshake, complete);
  if (is_open() && outbound_ == Outbound::ends_with_handshake) say_close();
  tell_writable();
}

void StreamCore::become_plain() {
  drop_secure();
  layer_ = Layer::plain;
  inbound_ = Inbound::open;
  outbound_ = Outbound::open;
  downgrading_ = false;
  deadline_ = TimerWheel::kNever;
  tell(&Handler::on_plain);
  tell_writable();
}

/// Whether the peer speaks another protocol, which the application knows. The engine has consumed none of it, and what
/// it has to say of it is not sent.
bool StreamCore::goes_on_in_plain_text(const Error& error) {
  if (error.reason != Reason::not_tls && error.reason != Reason::plain_http) return false;
  bool goes_on = false;
  guarded([&] { goes_on = handler_->on_not_tls(*this); });
  if (!goes_on || !is_open()) return false;
  loop_->handshaking_.remove(*this);
  drop_secure();
  layer_ = Layer::plain;
  deadline_ = TimerWheel::kNever;
  if (outbound_ == Outbound::ends_with_handshake) outbound_ = Outbound::ends_behind_output;  // there will be none
  tell_writable();
  return true;
}

void StreamCore::close_read() {
  read_closed_ = true;
  if (processing_ == Processing::idle) continue_later();
}

/// The transport has ended, and all that came before has been dealt with.
void StreamCore::end_of_input() {
  if (*transport_end_ != 0) {
    fail(trouble_ != nullptr ? std::move(*trouble_) : located(system_error(reading(), *transport_end_)));
    return;
  }
  if (secure_ != nullptr) {
    if (inbound_ != Inbound::open || secure_->connection.awaiting_answer()) return;
    (void)secure_->connection.receive_end();
    if (secure_->connection.error() != nullptr) {
      // A reset while we were sending is why, not the end that it looked like.
      fail(trouble_ != nullptr ? std::move(*trouble_) : tls_error(reading()));
      return;
    }
  } else if (layer_ == Layer::expected) {
    fail(located(
        plain_error(Operation::handshake, IoCondition::ended, "the peer ended the transport before the handshake")));
    return;
  }
  if (inbound_ != Inbound::told) tell_end();
}

void StreamCore::tell_end() {
  inbound_ = Inbound::told;
  bytes_came();
  tell(&Handler::on_end);
}

/// What a read deadline waits for, unless that is for more.
void StreamCore::bytes_came() noexcept {
  if (read_until_ == Until::next_bytes) read_deadline_ = TimerWheel::kNever;
}

/// Brings bytes of later blocks next to those that the engine could not use alone, no more than it needs.
void StreamCore::pull() {
  Blocks& blocks = loop_->blocks();
  while (in_ != nullptr && in_->next != nullptr) {
    Block* next = in_->next;
    if (in_->empty()) {
      blocks.give(std::exchange(in_, next));
      continue;
    }
    const std::size_t wanted = std::min(lacking(in_->content()), next->content().size());
    if (in_->space().size() < wanted) {
      if (in_->pooled) {
        Blocks::compact(*in_);
      } else {
        Block* whole = blocks.grow(in_);
        if (whole == nullptr) return out_of_memory(reading());
        in_ = whole;
        in_->next = next;
      }
    }
    const std::size_t size = std::min(in_->space().size(), wanted);
    std::ranges::copy(next->content().first(size), in_->space().begin());
    in_->end += static_cast<std::uint32_t>(size);
    next->begin += static_cast<std::uint32_t>(size);
    if (!next->empty()) return;
    in_->next = next->next;
    blocks.give(next);
    if (size != 0) return;
  }
}

/// After the engine's work: gives back what is empty, and makes small what is left.
void StreamCore::settle() {
  if (!is_open()) {
    discard_input();
    return;
  }
  if (in_ != nullptr && in_->next == nullptr) {
    if (in_->empty()) {
      loop_->blocks().give(std::exchange(in_, nullptr));
    } else if (in_->pooled && in_->end - in_->first() <= Connection::kMaxRecord) {
      in_ = loop_->blocks().shrink(in_);
    }
  }
  if (secure_ != nullptr && handshake_done()) {
    if (unread_early().empty()) {
      secure_->early = {};
      secure_->early_taken = 0;
    }
    end_handshake();
    if (const Answers* told = secure_->answers.get();
        told != nullptr && !told->verdict() && told->withheld() == nullptr)
      secure_->answers.reset();
    enter_kernel_tls();
  }
  update_full();
  arm_timer();
}

void StreamCore::discard_input() noexcept {
  if (processing_ != Processing::idle) return;  // `settle` will
  while (in_ != nullptr) {
    Block* next = in_->next;
    loop_->blocks().give(std::exchange(in_, next));
  }
}

// --- to the handler --------------------------------------------------------------------------------------------------

Bytes StreamCore::unread() const noexcept {
  if (const Bytes early = unread_early(); !early.empty()) return early;
  if (in_ == nullptr) return {};
  if (secure_ != nullptr) return in_->next_plaintext();
  return layer_ == Layer::expected ? Bytes{} : Bytes(in_->content());
}

Bytes StreamCore::unread_early() const noexcept {
  if (secure_ == nullptr || !handshake_done()) return {};
  return Bytes(secure_->early).subspan(secure_->early_taken);
}

void StreamCore::consume(std::size_t size) noexcept {
  while (size != 0) {
    const std::size_t here = std::min(size, unread().size());
    if (here == 0) break;
    size -= here;
    traffic_.plaintext_received += here;
    if (!unread_early().empty()) {
      secure_->early_taken += here;
      continue;
    }
    Block& block = *in_;
    if (secure_ == nullptr) {
      block.begin += static_cast<std::uint32_t>(here);
      continue;
    }
    block.offset += static_cast<std::uint32_t>(here);
    if (block.offset == block.plaintext.segments()[block.segment].size()) {
      ++block.segment;
      block.offset = 0;
    }
  }
  if (processing_ != Processing::idle) return;
  update_full();
  if (unread().empty()) continue_later();
}

}  // namespace lockstep::loop
