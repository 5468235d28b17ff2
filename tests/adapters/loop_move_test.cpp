// Event loops: streams that change their loop, and what other threads ask of them [186].

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loop_support.hpp"

namespace lockstep::testing {
namespace {

class LoopMoveTest : public LoopTest {
 protected:
  /// A second loop, of every kind in turn.
  static std::vector<std::unique_ptr<loop::Loop>> others() {
    std::vector<std::unique_ptr<loop::Loop>> loops;
    for (const LoopKind& kind : loop_kinds()) loops.push_back(must(kind.make({})));
    return loops;
  }
  /// Both loops in this thread, until it is so.
  void turn_both_until(loop::Loop& other, const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (!done()) {
      loop_->run_once(1ms);
      other.run_once(1ms);
      if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("it did not come to pass in ten seconds");
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Loops, LoopMoveTest, ::testing::ValuesIn(loop_kinds()), kind_name);

TEST_P(LoopMoveTest, MovesWithinAHandshake) {
  for (auto& other : others()) {
    SCOPED_TRACE(other->name());
    End client;
    End server = echo_end();
    bool moved = false;
    client.handler->on_handshake_do = Writer("hello there");
    // The server moves while its decision is open.
    Token<SelectCredential> kept;
    server.handler->on_event_do = [&](loop::Stream& stream, Event& event) {
      auto* wishes = std::get_if<SelectCredential>(&event);
      if (wishes == nullptr || std::exchange(moved, true)) return false;
      kept = std::move(wishes->token);  // to be answered over there
      stream.move_to(*other);
      return true;
    };
    server.handler->on_moved_do = [&](loop::Stream& stream) {
      EXPECT_EQ(&stream.loop(), other.get());
      EXPECT_TRUE(stream.answer(std::move(kept), leaf_));
    };
    connect(client, server);
    turn_both_until(*other, [&] { return client.log->received == "hello there"; });
    EXPECT_TRUE(server.log->moved);
    EXPECT_EQ(other->statistics().handshakes, 1U);
    EXPECT_EQ(other->statistics().streams, 1U);
    EXPECT_EQ(loop_->statistics().handshaking, 0U);
    client.log->stream->close();
    turn_both_until(*other, [&] { return client.log->closed && server.log->closed; });
    EXPECT_FALSE(server.log->error);
  }
}

TEST_P(LoopMoveTest, KeepsTheDeadlineOfItsHandshake) {
  for (auto& other : others()) {
    End server;
    auto [a, b] = socket_pair();
    loop::Options options = server_options();
    options.handshake_timeout = 80ms;
    wrap_server(std::move(b), server, options).move_to(*other);
    turn_both_until(*other, [&] { return server.log->closed; });
    EXPECT_TRUE(server.log->moved);
    EXPECT_EQ(server.log->error->condition, IoCondition::timeout);
  }
}

TEST_P(LoopMoveTest, MovesBackAndForthWithinATransfer) {
  for (auto& other : others()) {
    SCOPED_TRACE(other->name());
    const std::string text = pattern(6'000'000);
    End client;
    End server = echo_end();
    Writer writer(text);
    client.handler->on_handshake_do = client.handler->on_writable_do = std::ref(writer);
    int moves = 0;
    const auto echo = server.handler->on_readable_do;
    server.handler->on_readable_do = [&](loop::Stream& stream) {
      echo(stream);
      if (moves < 40 && stream.traffic().plaintext_received > static_cast<std::size_t>(moves) * 100'000) {
        ++moves;
        stream.move_to(&stream.loop() == other.get() ? *loop_ : *other);
      }
    };
    connect(client, server);
    turn_both_until(*other, [&] { return client.log->received.size() == text.size(); });
    EXPECT_EQ(client.log->received, text);
    EXPECT_GE(moves, 10);
    client.log->stream->close();
    turn_both_until(*other, [&] { return client.log->closed && server.log->closed; });
    EXPECT_FALSE(server.log->error);
    turn_both_until(*other, [&] { return loop_->statistics().streams + other->statistics().streams == 0; });
    const auto kept = [](const loop::Loop& loop) { return loop.name() == "io_uring" ? 64U : 0U; };
    EXPECT_EQ(loop_->statistics().buffers, kept(*loop_)) << "the accounts are right after all that moving";
    EXPECT_EQ(other->statistics().buffers, kept(*other));
  }
}

/// With bytes that the reader has not taken, in several blocks.
TEST_P(LoopMoveTest, TakesUnreadBytesAlong) {
  for (auto& other : others()) {
    SCOPED_TRACE(other->name());
    auto [a, b] = socket_pair();
    End end;
    end.handler->on_readable_do = [](loop::Stream&) {};
    const std::string text = pattern(150'000);
    loop::Stream& stream = *must(loop_->wrap(std::move(b), {}, std::move(end.handler), {}, as_bytes(text)));
    ASSERT_EQ(::send(a.number(), "tail", 4, 0), 4);
    turn_for(20ms);
    stream.move_to(*other);
    static_cast<Scribe&>(stream.handler()).on_readable_do = nullptr;
    turn_both_until(*other, [&] { return end.log->received.size() == text.size() + 4; });
    EXPECT_EQ(end.log->received, text + "tail");
  }
}

TEST_P(LoopMoveTest, PostsFromOtherThreads) {
  End client;
  End server = echo_end();
  connect(client, server);
  turn_until([&] { return client.log->handshake; });
  const loop::StreamRef ref = client.log->stream->ref();
  std::atomic<int> ran{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, ref] {
      for (int j = 0; j < 100; ++j) {
        ref.post([&](loop::Stream& stream) {
          EXPECT_EQ(&stream, client.log->stream);
          EXPECT_EQ(stream.write(as_bytes("x")), 1U);
          ++ran;
        });
      }
    });
  }
  turn_until([&] { return client.log->received.size() == 400; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ran, 400);

  client.log->stream->close();
  turn_until([&] { return client.log->closed; });
  auto alive = std::make_shared<int>(1);
  ref.post([&, alive](loop::Stream&) { ADD_FAILURE() << "the stream is gone"; });
  turn_for(20ms);
  EXPECT_EQ(alive.use_count(), 1) << "dropped, not kept";
}

/// Two loops in two threads, streams that move between them without rest, and threads that post to them meanwhile.
TEST_P(LoopMoveTest, MovesBetweenThreadsWhilePostsArrive) {
  for (const LoopKind& kind : loop_kinds()) {
    SCOPED_TRACE(kind.name);
    struct Shared {
      std::atomic<int> moves{0};
      std::atomic<int> posted{0};
      std::atomic<std::size_t> received{0};
      std::atomic<int> closed{0};
    };
    Shared shared;
    constexpr int kStreams = 6;
    constexpr std::size_t kBytes = 200'000;
    constexpr int kPosts = 200;
    const std::string text = pattern(kBytes);

    class Mover final : public loop::Handler {
     public:
      Mover(Shared& all, std::vector<loop::Loop*> loops) : all_(all), loops_(std::move(loops)) {}
      void on_readable(loop::Stream& stream) override {
        while (!stream.readable().empty()) {
          const auto taken = stream.write(stream.readable());
          if (!taken || *taken == 0) break;
          stream.consume(*taken);
        }
        move(stream);
      }
      void on_writable(loop::Stream& stream) override { on_readable(stream); }
      void on_moved(loop::Stream& stream) override {
        ++all_.moves;
        if (all_.moves % 3 == 0) move(stream);
      }
      void on_closed(loop::Stream&, const IoError*) override { ++all_.closed; }

     private:
      void move(loop::Stream& stream) { stream.move_to(*loops_[static_cast<std::size_t>(all_.moves) % loops_.size()]); }
      Shared& all_;
      std::vector<loop::Loop*> loops_;
    };

    std::vector<std::unique_ptr<loop::Loop>> loops;
    loops.push_back(make_loop());
    loops.push_back(must(kind.make({})));
    loops.push_back(must(kind.make({})));
    std::vector<loop::Loop*> pointers;
    for (const auto& one : loops) pointers.push_back(one.get());
    std::vector<loop::StreamRef> refs;
    std::vector<End> clients(kStreams);
    std::vector<std::unique_ptr<Writer>> writers;
    for (End& client : clients) {
      auto [a, b] = socket_pair();
      refs.push_back(
          must(loops[0]->wrap(std::move(b), server_options(), std::make_unique<Mover>(shared, pointers)))->ref());
      writers.push_back(std::make_unique<Writer>(text));
      client.handler->on_handshake_do = client.handler->on_writable_do = std::ref(*writers.back());
      wrap_client(std::move(a), client);
    }
    std::vector<std::thread> threads;
    for (const auto& one : loops) threads.emplace_back([&one] { one->run(); });
    threads.emplace_back([&] {
      for (int i = 0; i < kPosts; ++i) {
        for (const loop::StreamRef& ref : refs)
          ref.post([&](loop::Stream& stream) {
            ++shared.posted;
            stream.resume();
          });
        std::this_thread::sleep_for(100us);
      }
    });
    turn_until([&] {
      return std::ranges::all_of(clients, [&](const End& client) { return client.log->received.size() == kBytes; });
    });
    for (const End& client : clients) EXPECT_EQ(client.log->received, text);
    turn_until([&] { return shared.posted == kPosts * kStreams; });
    for (const End& client : clients) client.log->stream->close();
    turn_until([&] { return shared.closed == kStreams; });
    for (const auto& one : loops) one->stop();
    for (std::thread& thread : threads) thread.join();
    std::printf("[ moves   ] %d\n", shared.moves.load());
    EXPECT_GT(shared.moves, kStreams);
    loops.clear();
  }
}

/// A signing pool: the handshake waits while another thread signs. The server goes on serving others.
TEST_P(LoopMoveTest, AnswersFromASigningPool) {
  struct Job {
    loop::StreamRef stream;
    Token<Sign> token;
    std::shared_ptr<const Credential> credential;
    SignatureScheme scheme{};
    std::vector<std::uint8_t> message;
  };
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<Job> jobs;
  bool over = false;
  std::vector<std::thread> workers;
  for (int i = 0; i < 2; ++i) {
    workers.emplace_back([&] {
      for (;;) {
        std::unique_lock lock(mutex);
        arrived.wait(lock, [&] { return over || !jobs.empty(); });
        if (jobs.empty()) return;
        Job job = std::move(jobs.back());
        jobs.pop_back();
        lock.unlock();
        std::array<std::uint8_t, 1024> signature{};
        const std::size_t size = job.credential->key->sign(job.scheme, job.message, random(), signature);
        job.stream.post([token = std::move(job.token), signature, size](loop::Stream& stream) mutable {
          ASSERT_NE(size, 0U);
          EXPECT_TRUE(stream.answer(std::move(token), Bytes(signature).first(size)));
        });
      }
    });
  }
  constexpr std::size_t kPairs = 30;
  std::vector<End> clients(kPairs);
  std::vector<End> servers(kPairs);
  for (std::size_t i = 0; i < kPairs; ++i) {
    servers[i].handler->on_event_do = [&](loop::Stream& stream, Event& event) {
      auto* sign = std::get_if<Sign>(&event);
      if (sign == nullptr) return false;
      const std::scoped_lock lock(mutex);
      jobs.push_back({.stream = stream.ref(),
                      .token = std::move(sign->token),
                      .credential = sign->credential,
                      .scheme = sign->scheme,
                      .message = {sign->message.begin(), sign->message.end()}});
      arrived.notify_one();
      return true;
    };
    connect(clients[i], servers[i]);
    if (i % 10 == 9) clients[i].log->stream->cancel();  // some do not wait for it
  }
  turn_until([&] {
    return std::ranges::all_of(clients, [](const End& client) { return client.log->handshake || client.log->closed; });
  });
  EXPECT_EQ(std::ranges::count_if(clients, [](const End& client) { return client.log->handshake; }), 27);
  {
    const std::scoped_lock lock(mutex);
    over = true;
  }
  arrived.notify_all();
  for (std::thread& worker : workers) worker.join();
  turn_for(20ms);
}

}  // namespace
}  // namespace lockstep::testing
