#include "redis/link.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace lockstep::redis {

namespace {

/// What Redis says at once, at most: sessions are far shorter (SessionStore::kMaxSession).
constexpr std::size_t kMaxReply = 1U << 20U;
/// What it is to be told, at most, while it is away.
constexpr std::size_t kMaxOwed = 1024;
/// A connection that has owed an answer for so long is not waited for.
constexpr std::chrono::seconds kLongestDebt{30};

}  // namespace

/// The stream to Redis tells the link, while there is one.
class Link::Wire final : public loop::Handler {
 public:
  explicit Wire(std::weak_ptr<Link> link, bool secure) noexcept : link_(std::move(link)), secure_(secure) {}

  void on_open(loop::Stream& stream) override {
    if (!secure_) with([&](Link& link) { link.opened(stream); });
  }
  void on_handshake(loop::Stream& stream, const HandshakeComplete& complete) override {
    if (!complete.renegotiation) with([&](Link& link) { link.opened(stream); });
  }
  void on_readable(loop::Stream& stream) override {
    with([&](Link& link) { link.read(stream); });
  }
  void on_writable(loop::Stream&) override {
    with([](Link& link) { link.flush(); });
  }
  void on_end(loop::Stream& stream) override { stream.cancel(); }
  void on_drain(loop::Stream&) override {
    with([](Link& link) { link.stop(); });
  }
  void on_closed(loop::Stream&, const IoError*) override {
    with([](Link& link) { link.closed(); });
  }

 private:
  template <class Call>
  void with(Call call) {
    if (const auto link = link_.lock()) call(*link);
  }
  std::weak_ptr<Link> link_;
  bool secure_;
};

Link::Link(loop::Loop& loop, const Options& options) : loop_(loop), options_(options), next_retry_(options.retry) {}

// --- beginning and end -----------------------------------------------------------------------------------------------

void Link::start() {
  if (phase_ != Phase::away) return;
  phase_ = Phase::begins;
  auto dialed =
      loop_.dial(options_.server,
                 {.config = options_.config,
                  .answers = options_.answers,
                  .connect_timeout = options_.timeout,
                  .handshake_timeout = options_.timeout},
                 std::make_unique<Wire>(weak_from_this(), options_.config != nullptr), {.name = options_.name});
  if (dialed) {
    stream_ = *dialed;
  } else {
    again();
  }
}

void Link::opened(loop::Stream& stream) {
  stream_ = &stream;
  reader_.reset(redisReaderCreate());
  const auto agreed = [this](const redisReply* reply) {
    if (reply == nullptr || reply->type != REDIS_REPLY_STATUS) fail();
  };
  if (!options_.password.empty()) {
    if (options_.user.empty()) {
      send(std::array<std::string_view, 2>{"AUTH", options_.password}, agreed);
    } else {
      send(std::array<std::string_view, 3>{"AUTH", options_.user, options_.password}, agreed);
    }
  }
  send(std::array<std::string_view, 1>{"PING"}, [this](const redisReply* reply) {
    if (reply == nullptr || reply->type != REDIS_REPLY_STATUS) return fail();
    phase_ = Phase::answers;
    since_ = loop::Clock::now();
    next_retry_ = options_.retry;
    statistics_.connected = true;
    ++statistics_.connections;
    for (auto& command : std::exchange(owed_, {})) tell(std::move(command));
  });
}

/// This connection is good for nothing; `closed` follows.
void Link::fail() {
  if (stream_ != nullptr) std::exchange(stream_, nullptr)->cancel();
}

void Link::closed() {
  stream_ = nullptr;
  output_.clear();
  reader_.reset();
  statistics_.connected = false;
  for (Question& question : std::exchange(questions_, {})) {
    if (!question.overdue) question.reply(nullptr);
  }
  if (phase_ != Phase::over) again();
}

void Link::again() {
  phase_ = Phase::away;
  loop_.after(next_retry_, [link = weak_from_this()](loop::Loop&) {
    if (const auto self = link.lock()) self->start();
  });
  next_retry_ = std::min(2 * next_retry_, options_.longest_retry);
}

void Link::stop() {
  phase_ = Phase::over;
  fail();
}

// --- questions -------------------------------------------------------------------------------------------------------

bool Link::answers() {
  const bool so = phase_ == Phase::answers && stream_ != nullptr && questions_.size() < options_.max_pending &&
                  (questions_.empty() || !questions_.front().overdue);
  if (!so) ++statistics_.not_asked;
  return so;
}

bool Link::stands_for(std::chrono::seconds time) const noexcept {
  return phase_ == Phase::answers && loop::Clock::now() - since_ >= time;
}

void Link::ask(Command command, Reply reply) {
  ++statistics_.asked;
  send(command, std::move(reply));
}

void Link::tell(std::vector<std::string> command) {
  if (phase_ != Phase::answers || stream_ == nullptr || questions_.size() >= options_.max_pending) {
    if (owed_.size() == kMaxOwed) owed_.pop_front();
    owed_.push_back(std::move(command));
    return;
  }
  const std::vector<std::string_view> words(command.begin(), command.end());
  send(words, [](const redisReply*) {});
}

void Link::send(Command command, Reply reply) {
  std::vector<const char*> words;
  std::vector<std::size_t> sizes;
  for (const std::string_view word : command) {
    words.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* text = nullptr;
  const auto size = redisFormatCommandArgv(&text, static_cast<int>(words.size()), words.data(), sizes.data());
  if (size < 0) return reply(nullptr);
  output_.append(text, static_cast<std::size_t>(size));
  redisFreeCommand(text);
  questions_.push_back({loop::Clock::now() + options_.timeout, std::move(reply)});
  watch();
  flush();
}

void Link::flush() {
  if (stream_ == nullptr || output_.empty()) return;
  const auto taken = stream_->write(as_bytes(output_));
  if (taken) output_.erase(0, *taken);
}

void Link::read(loop::Stream& stream) {
  while (!stream.readable().empty()) {
    const Bytes came = stream.readable();
    const bool kept =
        redisReaderFeed(reader_.get(), reinterpret_cast<const char*>(came.data()), came.size()) == REDIS_OK;
    stream.consume(came.size());
    if (!kept) return fail();
    for (;;) {
      void* reply = nullptr;
      if (redisReaderGetReply(reader_.get(), &reply) != REDIS_OK) return fail();
      if (reply == nullptr) break;
      const auto free = [](redisReply* done) { freeReplyObject(done); };
      const std::unique_ptr<redisReply, decltype(free)> owned(static_cast<redisReply*>(reply), free);
      answered(owned.get());
      if (stream_ != &stream) return;
    }
    if (reader_->len - reader_->pos > kMaxReply) return fail();
  }
}

void Link::answered(const redisReply* reply) {
  if (questions_.empty()) return fail();  // nobody has asked
  Question question = std::move(questions_.front());
  questions_.pop_front();
  if (!question.overdue) question.reply(reply);
}

// --- time ------------------------------------------------------------------------------------------------------------

/// Sees to the first question whose time is still to come; where there is none, to the answer that has been owed
/// longest.
void Link::watch() {
  if (questions_.empty()) return;
  const auto next = std::ranges::find(questions_, false, &Question::overdue);
  const auto when = next == questions_.end() ? questions_.front().due + kLongestDebt : next->due;
  if (alarm_ && alarm_at_ <= when) return;
  if (alarm_) loop_.cancel(*alarm_);
  alarm_at_ = when;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - loop::Clock::now());
  alarm_ = loop_.after(std::max(left, std::chrono::milliseconds(1)), [link = weak_from_this()](loop::Loop&) {
    if (const auto self = link.lock()) self->look_at_time();
  });
}

void Link::look_at_time() {
  alarm_.reset();
  const auto now = loop::Clock::now();
  // An answer may ask, or end the connection.
  std::vector<Reply> late;
  for (Question& question : questions_) {
    if (question.due > now) break;
    if (std::exchange(question.overdue, true)) continue;
    ++statistics_.timeouts;
    late.push_back(std::move(question.reply));
  }
  for (Reply& reply : late) reply(nullptr);
  if (!questions_.empty() && now - questions_.front().due >= kLongestDebt) fail();
  watch();
}

}  // namespace lockstep::redis
