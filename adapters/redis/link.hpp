#pragma once
// A loop's connection to Redis: questions in the order they were asked, each with its time; hiredis writes and reads
// the protocol, the loop's own stream carries it.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hiredis/hiredis.h>

#include <lockstep/loop.hpp>
#include <lockstep/redis.hpp>

namespace lockstep::redis {

class Link : public std::enable_shared_from_this<Link> {
 public:
  using Command = std::span<const std::string_view>;
  /// Called once: with the answer, an error's as well, or with null when there is none in time. Not for longer than the
  /// call.
  using Reply = std::move_only_function<void(const redisReply*)>;

  Link(loop::Loop& loop, const Options& options);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() = default;

  void start();
  /// For good; what was asked has no answer.
  void stop();

  /// Whether an answer can be expected in time; when not, nothing may be asked.
  [[nodiscard]] bool answers();
  void ask(Command command, Reply reply);
  /// Needs no answer. While Redis is away it is kept, as far as there is room.
  void tell(std::vector<std::string> command);

  [[nodiscard]] loop::Loop& loop() const noexcept { return loop_; }
  /// Whether this connection has answered for so long.
  [[nodiscard]] bool stands_for(std::chrono::seconds time) const noexcept;
  [[nodiscard]] Statistics& statistics() noexcept { return statistics_; }

 private:
  class Wire;
  enum class Phase : std::uint8_t {
    away,     ///< until the next attempt
    begins,   ///< and has not answered yet
    answers,  ///< as far as anybody knows
    over,
  };
  struct Question {
    loop::Clock::time_point due;
    Reply reply;
    bool overdue = false;  // and its answer is nobody's any more
  };
  struct FreeReader {
    void operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }
  };

  void opened(loop::Stream& stream);
  void read(loop::Stream& stream);
  void flush();
  void closed();
  void answered(const redisReply* reply);
  void send(Command command, Reply reply);
  void fail();
  void again();
  void watch();
  void look_at_time();

  loop::Loop& loop_;
  const Options options_;
  Phase phase_ = Phase::away;
  loop::Stream* stream_ = nullptr;
  std::unique_ptr<redisReader, FreeReader> reader_;
  std::string output_;  // what the stream has not taken yet
  std::deque<Question> questions_;
  std::deque<std::vector<std::string>> owed_;  // what is to be told
  std::optional<loop::Task> alarm_;            // for the next question that is due
  loop::Clock::time_point alarm_at_{};
  std::chrono::milliseconds next_retry_;
  loop::Clock::time_point since_{};  // when this connection answered first
  Statistics statistics_;
};

}  // namespace lockstep::redis
