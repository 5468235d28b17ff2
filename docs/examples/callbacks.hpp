#pragma once
// A connection that calls its application back. The application may call it from inside, and answers when it likes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <lockstep/answers.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/io.hpp>

class Application {
 public:
  virtual ~Application() = default;
  virtual void on_send(lockstep::Bytes bytes) = 0;  ///< to the transport
  virtual void on_data(std::string_view text) = 0;
  virtual void on_sign(lockstep::Sign question) = 0;  ///< to be answered by `Channel::sign`
  virtual void on_failed(const lockstep::Error& error) = 0;
};

class Channel {
 public:
  Channel(lockstep::Connection engine, lockstep::Answers answers, Application& application)
      : engine_(std::move(engine)), answers_(std::move(answers)), application_(application) {}

  /// Bytes from the transport.
  void arrive(lockstep::Bytes bytes) {
    arrived_.insert(arrived_.end(), bytes.begin(), bytes.end());
    run();
  }
  void write(std::string_view text) {
    std::vector<std::uint8_t> chunk(lockstep::Connection::kMaxRecord);
    for (lockstep::Bytes left = lockstep::as_bytes(text); !left.empty();) {
      const auto sealed = engine_.seal({&left, 1}, chunk, lockstep::system_time());
      if (!sealed) break;  // the connection has failed or was closed
      append(chunk, sealed->written);
      left = left.subspan(sealed->consumed);
    }
    run();
  }
  void close() {
    engine_.close();
    run();
  }
  /// After an answer the engine goes on as after input.
  void sign(lockstep::Token<lockstep::Sign> token, lockstep::Bytes signature) {
    (void)engine_.answer(std::move(token), signature);
    run();
  }
  /// Begins, goes on after a token was dropped (`Connection::wake_by`), and is what all of the above ends with: rounds
  /// of the engine, until one changes nothing.
  void run() {
    // Called from a callback of a round: the view that it was given is in use, and the engine has not been told yet
    // which bytes it is done with. So that round goes on, and another follows it.
    if (round_ != Round::none) {
      round_ = Round::one_more;
      return;
    }
    do {
      round_ = Round::running;
      inbound_.insert(inbound_.end(), arrived_.begin(), arrived_.end());
      arrived_.clear();
      while (receive()) {
      }
      transmit();
    } while (round_ == Round::one_more);
    round_ = Round::none;
  }

 private:
  enum class Round : std::uint8_t { none, running, one_more };

  /// One event; false when there is none, for want of bytes or of an answer.
  bool receive() {
    auto [consumed, event] = engine_.receive(inbound_, lockstep::system_time());
    const bool more = !std::holds_alternative<lockstep::Nothing>(event);
    if (auto* question = std::get_if<lockstep::Sign>(&event)) {
      application_.on_sign(std::move(*question));
    } else if (answers_.answer(engine_, event)) {
      // It was another decision, and is made.
    } else if (const auto* data = std::get_if<lockstep::ApplicationData>(&event)) {
      for (const lockstep::Bytes piece : data->segments()) application_.on_data(lockstep::as_text(piece));
    } else if (const auto* failed = std::get_if<lockstep::Failed>(&event)) {
      application_.on_failed(failed->error);
    }
    inbound_.erase(inbound_.begin(), inbound_.begin() + static_cast<std::ptrdiff_t>(consumed));
    return more;
  }

  void transmit() {
    std::array<std::uint8_t, 4096> chunk;
    while (const std::size_t size = engine_.transmit(chunk, lockstep::system_time())) append(chunk, size);
    const std::vector<std::uint8_t> out = std::exchange(outbound_, {});
    if (!out.empty()) application_.on_send(out);
  }

  void append(lockstep::Bytes chunk, std::size_t size) {
    outbound_.insert(outbound_.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(size));
  }

  lockstep::Connection engine_;
  lockstep::Answers answers_;
  Application& application_;
  std::vector<std::uint8_t> arrived_;  // in a round, which must not move what it looks at
  std::vector<std::uint8_t> inbound_;
  std::vector<std::uint8_t> outbound_;
  Round round_ = Round::none;
};
