// A server whose private key lives elsewhere: handshakes wait for signatures from worker threads, and the event loop
// serves others meanwhile. signing_pool PORT CA_FILE [CONNECTIONS]

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include <lockstep/answers.hpp>
#include <lockstep/botan.hpp>
#include <lockstep/epoll.hpp>
#include <lockstep/standard_descriptors.hpp>

#include "localhost.hpp"

using namespace lockstep;

namespace {

/// Threads that sign. Each could as well be a connection to a device or to another machine.
class SigningPool {
 public:
  explicit SigningPool(std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  SigningPool(const SigningPool&) = delete;
  SigningPool& operator=(const SigningPool&) = delete;
  ~SigningPool() {
    {
      const std::scoped_lock lock(mutex_);
      over_ = true;
    }
    arrived_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  /// The message is copied; the token moves along until it is answered. Should nobody answer, the handshake fails.
  void sign(loop::StreamRef stream, Sign& sign) {
    const std::scoped_lock lock(mutex_);
    jobs_.push({.stream = std::move(stream),
                .token = std::move(sign.token),
                .scheme = sign.scheme,
                .credential = sign.credential,
                .message = {sign.message.begin(), sign.message.end()}});
    arrived_.notify_one();
  }

 private:
  struct Job {
    loop::StreamRef stream;
    Token<Sign> token;
    SignatureScheme scheme{};
    std::shared_ptr<const Credential> credential;
    std::vector<std::uint8_t> message;
  };

  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [this] { return over_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      Job job = std::move(jobs_.front());
      jobs_.pop();
      lock.unlock();

      std::array<std::uint8_t, kMaxSignatureSize> signature;
      const std::size_t size = job.credential->key->sign(job.scheme, job.message, botan::system_random(), signature);
      // Back to the stream's loop, wherever that is by now. When the client has given up meanwhile, this is dropped.
      job.stream.post([token = std::move(job.token), signature, size](loop::Stream& stream) mutable {
        if (size == 0) {
          (void)stream.answer(std::move(token), SigningFailed{});
        } else {
          (void)stream.answer(std::move(token), Bytes(signature).first(size));
        }
      });
    }
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::queue<Job> jobs_;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

/// One page for one request.
class Page final : public loop::Handler {
 public:
  explicit Page(SigningPool& pool) : pool_(pool) {}

  bool on_event(loop::Stream& stream, Event& event) override {
    auto* sign = std::get_if<Sign>(&event);
    if (sign == nullptr) return false;  // Options::answers does the rest
    pool_.sign(stream.ref(), *sign);
    return true;
  }
  void on_readable(loop::Stream& stream) override {
    request_ += as_text(stream.readable());
    stream.consume(stream.readable().size());
    if (request_.find("\r\n\r\n") == std::string::npos && request_.size() < 8192) return;
    const std::string page = "Hello over " + to_text(*stream.connection().suite()) + ", signed by a pool\n";
    (void)stream.write(as_bytes("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
                                std::to_string(page.size()) + "\r\nConnection: close\r\n\r\n" + page));
    stream.close();
  }
  void on_drain(loop::Stream&) override {}  // it will close when it has served
  void on_closed(loop::Stream&, const IoError* error) override {
    if (error != nullptr) std::cerr << error->text << '\n';
  }

 private:
  SigningPool& pool_;
  std::string request_;
};

}  // namespace

int main(int argc, char** argv) {
  if (!open_standard_descriptors()) return 1;  // no socket may pass for one of them
  if (argc < 3) {
    std::cerr << "usage: signing_pool PORT CA_FILE [CONNECTIONS]\n";
    return 2;
  }
  const Provider provider = botan::provider();
  const loop::Options options{
      .config = ConfigBuilder::server(provider).alpn({"http/1.1"}).build().value(),
      .answers =
          AnswerSetup::create({.provider = provider, .credentials = {localhost::new_credential(provider, argv[2])}})
              .value(),
  };

  auto loop = epoll::make_loop();
  if (!loop) {
    std::cerr << loop.error().text << '\n';
    return 1;
  }
  SigningPool pool(2);
  int left = argc > 3 ? std::atoi(argv[3]) : -1;
  const auto listener =
      (*loop)->listen("127.0.0.1", static_cast<std::uint16_t>(std::atoi(argv[1])), options, [&](loop::Stream& stream) {
        if (--left == 0) {  // the last one: the loop ends when it has been served
          stream.loop().post([](loop::Loop& last) { last.drain(std::chrono::seconds(10)); });
        }
        return std::make_unique<Page>(pool);
      });
  if (!listener) {
    std::cerr << listener.error().text << '\n';
    return 1;
  }
  std::cout << "listening on " << listener->address().text() << std::endl;
  (*loop)->run();
}
