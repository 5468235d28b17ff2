#pragma once
// One interface to the ends of connections that all adapters make, so that the same scenes can be played over each:
// calls that wait until they are done. Over an event loop the loop has a thread of its own, and the calls post to it.

#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <lockstep/blocking.hpp>

#include "loop_support.hpp"

namespace lockstep::testing {

/// What every adapter's options have.
struct PartyOptions {
  std::shared_ptr<const Config> config{};  ///< null: plain text
  std::shared_ptr<const AnswerSetup> answers{};
  std::chrono::milliseconds handshake_timeout{15'000};
  std::chrono::milliseconds linger{500};

  [[nodiscard]] bool client() const { return config != nullptr && config->role() == Role::client; }
  [[nodiscard]] loop::Options loop() const {
    return {.config = config,
            .answers = answers,
            .random = &random(),
            .clock = fixed_clock,
            .handshake_timeout = handshake_timeout,
            .linger = linger};
  }
  [[nodiscard]] blocking::Options blocking() const {
    return {.config = config,
            .answers = answers,
            .random = &random(),
            .clock = fixed_clock,
            .handshake_timeout = handshake_timeout,
            .linger = linger};
  }
};

class Party {
 public:
  Party() = default;
  Party(const Party&) = delete;
  Party& operator=(const Party&) = delete;
  virtual ~Party() = default;

  virtual IoResult<void> handshake() = 0;
  /// All of it.
  virtual IoResult<void> write(std::string_view text) = 0;
  /// So many bytes; fewer when the peer has finished. What came before a timeout comes with the next call.
  virtual IoResult<std::string> read(std::size_t size) = 0;
  virtual IoResult<void> close_write() = 0;
  virtual IoResult<void> close() = 0;
  /// From any thread.
  virtual void cancel() = 0;
  virtual void set_read_deadline(loop::Deadline deadline) = 0;
  virtual void set_write_deadline(loop::Deadline deadline) = 0;
  virtual IoResult<void> downgrade() = 0;
  virtual IoResult<void> start_tls(const PartyOptions& options) = 0;
  virtual bool resumed() = 0;
  virtual loop::Traffic traffic() = 0;
  virtual Address local() = 0;
  virtual Address peer() = 0;
  virtual int descriptor() = 0;
};

/// An adapter.
struct Maker {
  std::string_view name;
  std::unique_ptr<Party> (*wrap)(Descriptor, const PartyOptions&);
  /// Listens, calls back with the port, and gives the first connection.
  std::unique_ptr<Party> (*accept)(const PartyOptions&, const std::function<void(std::uint16_t)>&);
  IoResult<std::unique_ptr<Party>> (*dial)(std::uint16_t, const PartyOptions&);
};

// --- blocking --------------------------------------------------------------------------------------------------------

class BlockingParty final : public Party {
 public:
  BlockingParty(Descriptor descriptor, const PartyOptions& options) : socket_(std::move(descriptor)) {
    if (options.config != nullptr) must(start_tls(options));
  }
  explicit BlockingParty(blocking::Stream stream) : socket_(Descriptor()), stream_(std::move(stream)) {}

  IoResult<void> handshake() override { return stream_->handshake(); }
  IoResult<void> write(std::string_view text) override {
    auto written = stream_ ? stream_->write(as_bytes(text).subspan(std::exchange(done_, 0)))
                           : socket_.write(as_bytes(text), write_deadline_);
    if (written) return {};
    done_ = written.error().transferred;
    return std::unexpected(std::move(written.error()));
  }
  IoResult<std::string> read(std::size_t size) override {
    std::vector<std::uint8_t> bytes(65536);
    while (buffer_.size() < size) {
      const MutableBytes out(bytes.data(), std::min(bytes.size(), size - buffer_.size()));
      auto count = stream_ ? stream_->read(out) : socket_.read(out, read_deadline_);
      if (!count) return std::unexpected(std::move(count.error()));
      if (*count == 0) return std::exchange(buffer_, {});
      buffer_ += as_text(Bytes(bytes).first(*count));
    }
    std::string text = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return text;
  }
  IoResult<void> close_write() override {
    if (stream_) return stream_->close_write();
    ::shutdown(socket_.descriptor(), SHUT_WR);
    return {};
  }
  IoResult<void> close() override {
    if (stream_) return stream_->close();
    socket_ = blocking::Socket(Descriptor());
    return {};
  }
  void cancel() override { stream_->cancel(); }
  void set_read_deadline(loop::Deadline deadline) override {
    read_deadline_ = deadline;
    if (stream_) stream_->set_read_deadline(deadline);
  }
  void set_write_deadline(loop::Deadline deadline) override {
    write_deadline_ = deadline;
    if (stream_) stream_->set_write_deadline(deadline);
  }
  IoResult<void> downgrade() override {
    auto plain = stream_->downgrade();
    if (!plain) return std::unexpected(std::move(plain.error()));
    socket_ = std::move(plain->socket);
    buffer_ = as_text(plain->leftover);
    stream_.reset();
    return {};
  }
  IoResult<void> start_tls(const PartyOptions& options) override {
    blocking::Target target{.already_read = as_bytes(buffer_)};
    if (options.client()) target.name = dns("example.com");
    auto stream = blocking::wrap(std::move(socket_), options.blocking(), std::move(target));
    if (!stream) return std::unexpected(std::move(stream.error()));
    buffer_.clear();
    stream_.emplace(std::move(*stream));
    return {};
  }
  bool resumed() override { return stream_->connection().resumed(); }
  loop::Traffic traffic() override {
    return {.bytes_received = stream_->bytes_received(), .bytes_sent = stream_->bytes_sent()};
  }
  Address local() override { return local_address(descriptor()); }
  Address peer() override { return peer_address(descriptor()); }
  int descriptor() override { return stream_ ? stream_->descriptor() : socket_.descriptor(); }

 private:
  blocking::Socket socket_;
  std::optional<blocking::Stream> stream_;
  std::string buffer_;
  std::size_t done_ = 0;  // of a write that timed out and is made again
  loop::Deadline read_deadline_;
  loop::Deadline write_deadline_;
};

inline std::unique_ptr<Party> wrap_blocking(Descriptor descriptor, const PartyOptions& options) {
  return std::make_unique<BlockingParty>(std::move(descriptor), options);
}
inline std::unique_ptr<Party> accept_blocking(const PartyOptions& options,
                                              const std::function<void(std::uint16_t)>& listening) {
  auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
  listening(listener.address().port);
  for (int attempt = 0;; ++attempt) {  // as a server does that runs out of descriptors
    auto stream = listener.accept(options.blocking(), blocking::after(10s));
    if (stream) return std::make_unique<BlockingParty>(std::move(*stream));
    EXPECT_EQ(stream.error().operation, Operation::accept) << stream.error().text;
    if (attempt == 3) throw std::runtime_error(stream.error().text);
  }
}
inline IoResult<std::unique_ptr<Party>> dial_blocking(std::uint16_t port, const PartyOptions& options) {
  auto stream = blocking::dial("127.0.0.1", port, options.blocking(), {.name = dns("example.com")});
  if (!stream) return std::unexpected(std::move(stream.error()));
  return std::make_unique<BlockingParty>(std::move(*stream));
}

// --- event loops -----------------------------------------------------------------------------------------------------

class LoopParty final : public Party {
 public:
  explicit LoopParty(std::unique_ptr<loop::Loop> loop) : loop_(std::move(loop)) {}
  ~LoopParty() override {
    if (thread_.joinable()) {
      loop_->stop();
      thread_.join();
    }
    loop_.reset();
  }

  [[nodiscard]] loop::Loop& loop() { return *loop_; }
  [[nodiscard]] std::unique_ptr<loop::Handler> handler() { return std::make_unique<Mailbox>(*this); }
  void run() {
    thread_ = std::thread([this] { loop_->run(); });
  }
  /// Whether there is a stream, or never will be.
  IoResult<void> wait_until_open() {
    return wait(Operation::connect, [&] { return open_; });
  }

  IoResult<void> handshake() override {
    post([](loop::Stream& stream) { stream.handshake(); });
    return wait(Operation::handshake, [&] { return handshake_; });
  }
  IoResult<void> write(std::string_view text) override {
    {
      const std::scoped_lock lock(mutex_);
      if (to_write_.empty()) to_write_ = text;  // else it timed out and is made again
      late_write_ = false;
    }
    post([this](loop::Stream& stream) { pump(stream); });
    return wait(Operation::write, [&] { return to_write_.empty(); });
  }
  IoResult<std::string> read(std::size_t size) override {
    {
      const std::scoped_lock lock(mutex_);
      late_read_ = false;
      wanted_ = std::max(size, kMost);
    }
    post([](loop::Stream& stream) { stream.resume(); });
    auto waited = wait(Operation::read, [&] { return received_.size() >= size || ended_; });
    const std::scoped_lock lock(mutex_);
    if (!waited && received_.size() < size) return std::unexpected(std::move(waited.error()));
    std::string text = received_.substr(0, size);
    received_.erase(0, text.size());
    return text;
  }
  IoResult<void> close_write() override {
    post([](loop::Stream& stream) { stream.close_write(); });
    return {};
  }
  IoResult<void> close() override {
    post([](loop::Stream& stream) { stream.close(); });
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return closed_; })) throw std::runtime_error("close hangs");
    if (error_) return std::unexpected(*error_);
    return {};
  }
  void cancel() override {
    post([](loop::Stream& stream) { stream.cancel(); });
  }
  void set_read_deadline(loop::Deadline deadline) override {
    post([deadline](loop::Stream& stream) { stream.set_read_deadline(deadline); });
  }
  void set_write_deadline(loop::Deadline deadline) override {
    post([deadline](loop::Stream& stream) { stream.set_write_deadline(deadline); });
  }
  IoResult<void> downgrade() override {
    post([](loop::Stream& stream) { stream.downgrade(); });
    return wait(Operation::downgrade, [&] { return plain_; });
  }
  IoResult<void> start_tls(const PartyOptions& options) override {
    IoResult<void> result;
    ask([&](loop::Stream& stream) {
      result = stream.start_tls(options.loop(), {.name = options.client() ? std::optional(dns("example.com"))
                                                                          : std::optional<x509::PeerName>()});
    });
    return result;
  }
  bool resumed() override {
    bool resumed = false;
    ask([&](loop::Stream& stream) { resumed = stream.connection().resumed(); });
    return resumed;
  }
  loop::Traffic traffic() override {
    loop::Traffic traffic;
    ask([&](loop::Stream& stream) { traffic = stream.traffic(); });
    return traffic;
  }
  Address local() override { return local_address(descriptor()); }
  Address peer() override { return peer_address(descriptor()); }
  int descriptor() override {
    int number = -1;
    ask([&](loop::Stream& stream) { number = stream.descriptor(); });
    return number;
  }

 private:
  static constexpr std::size_t kMost = 100'000;  // read ahead of what was asked for
  static constexpr std::chrono::seconds kPatience{20};

  class Mailbox final : public loop::Handler {
   public:
    explicit Mailbox(LoopParty& party) : party_(party) {}
    void on_open(loop::Stream& stream) override {
      party_.note([&] {
        party_.ref_ = stream.ref();
        party_.open_ = true;
      });
    }
    void on_handshake(loop::Stream&, const HandshakeComplete&) override {
      party_.note([&] { party_.handshake_ = true; });
    }
    void on_readable(loop::Stream& stream) override {
      party_.note([&] {
        while (!stream.readable().empty() && party_.received_.size() < party_.wanted_) {
          const Bytes view = stream.readable();
          const std::size_t size = std::min(view.size(), party_.wanted_ - party_.received_.size());
          party_.received_ += as_text(view.first(size));
          stream.consume(size);
        }
      });
    }
    void on_writable(loop::Stream& stream) override { party_.pump(stream); }
    void on_end(loop::Stream&) override {
      party_.note([&] { party_.ended_ = true; });
    }
    void on_plain(loop::Stream&) override {
      party_.note([&] {
        party_.plain_ = true;
        party_.ended_ = false;
      });
    }
    void on_deadline(loop::Stream&, Operation operation) override {
      party_.note([&] { (operation == Operation::read ? party_.late_read_ : party_.late_write_) = true; });
    }
    void on_closed(loop::Stream&, const IoError* error) override {
      party_.note([&] {
        party_.closed_ = true;
        if (error != nullptr) party_.error_ = *error;
      });
    }

   private:
    LoopParty& party_;
  };

  template <class Change>
  void note(Change change) {
    const std::scoped_lock lock(mutex_);
    change();
    changed_.notify_all();
  }
  void pump(loop::Stream& stream) {
    note([&] {
      if (to_write_.empty()) return;
      const auto taken = stream.write(as_bytes(to_write_));
      if (taken) {
        to_write_.erase(0, *taken);
      } else if (!error_) {
        error_ = taken.error();
      }
    });
  }
  void post(std::move_only_function<void(loop::Stream&)> function) {
    std::optional<loop::StreamRef> ref;
    {
      const std::scoped_lock lock(mutex_);
      ref = ref_;
    }
    if (ref) ref->post(std::move(function));
  }
  /// And waits for it.
  void ask(const std::function<void(loop::Stream&)>& question) {
    bool asked = false;
    post([&](loop::Stream& stream) {
      question(stream);
      note([&] { asked = true; });
    });
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return asked || closed_; })) throw std::runtime_error("it hangs");
  }
  template <class Done>
  IoResult<void> wait(Operation operation, Done done) {
    std::unique_lock lock(mutex_);
    const auto late = [&] { return operation == Operation::write ? late_write_ : late_read_; };
    if (!changed_.wait_for(lock, kPatience, [&] { return done() || error_ || closed_ || late(); })) {
      throw std::runtime_error(std::string(name(operation)) + " hangs");
    }
    if (done()) return {};
    if (error_) return std::unexpected(*error_);
    if (late()) return std::unexpected(IoError{.operation = operation, .condition = IoCondition::timeout});
    return std::unexpected(IoError{.operation = operation, .condition = IoCondition::ended, .text = "closed"});
  }

  std::unique_ptr<loop::Loop> loop_;
  std::thread thread_;
  std::recursive_mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<loop::StreamRef> ref_;
  std::string received_;
  std::string to_write_;
  std::size_t wanted_ = kMost;
  bool open_ = false;
  bool handshake_ = false;
  bool ended_ = false;
  bool plain_ = false;
  bool closed_ = false;
  bool late_read_ = false;
  bool late_write_ = false;
  std::optional<IoError> error_;
};

using MakeLoop = IoResult<std::unique_ptr<loop::Loop>> (*)(const loop::LoopOptions&);

template <MakeLoop make>
std::unique_ptr<Party> wrap_loop(Descriptor descriptor, const PartyOptions& options) {
  auto party = std::make_unique<LoopParty>(must(make({})));
  loop::Target target;
  if (options.client()) target.name = dns("example.com");
  must(party->loop().wrap(std::move(descriptor), options.loop(), party->handler(), std::move(target)));
  party->run();
  return party;
}
template <MakeLoop make>
std::unique_ptr<Party> accept_loop(const PartyOptions& options, const std::function<void(std::uint16_t)>& listening) {
  auto party = std::make_unique<LoopParty>(must(make({})));
  LoopParty& made = *party;
  const auto listener = must(party->loop().listen(
      "127.0.0.1", 0, options.loop(), [&made](loop::Stream&) { return made.handler(); },
      {.on_error = [](const IoError& error) { EXPECT_EQ(error.operation, Operation::accept) << error.text; }}));
  party->run();
  listening(listener.address().port);
  (void)party->wait_until_open();
  return party;
}
template <MakeLoop make>
IoResult<std::unique_ptr<Party>> dial_loop(std::uint16_t port, const PartyOptions& options) {
  auto party = std::make_unique<LoopParty>(must(make({})));
  must(party->loop().dial("127.0.0.1", port, options.loop(), party->handler(), {.name = dns("example.com")}));
  party->run();
  if (auto open = party->wait_until_open(); !open) return std::unexpected(std::move(open.error()));
  return party;
}

inline std::vector<Maker> makers() {
  return {
      {"blocking", wrap_blocking, accept_blocking, dial_blocking},
      {"epoll", wrap_loop<epoll::make_loop>, accept_loop<epoll::make_loop>, dial_loop<epoll::make_loop>},
#if LOCKSTEP_HAS_URING
      {"uring", wrap_loop<uring::make_loop>, accept_loop<uring::make_loop>, dial_loop<uring::make_loop>},
#endif
  };
}

/// Runs in another thread; `get` hands over the result or what was thrown.
template <class Function>
auto in_background(Function function) {
  return std::async(std::launch::async, std::move(function));
}

/// Keys and options for both ends.
class PartyTest {
 protected:
  [[nodiscard]] PartyOptions client_options() const {
    return {.config = built(client_config()),
            .answers = setup_of({.provider = provider(), .anchors = root_.anchors()})};
  }
  [[nodiscard]] PartyOptions server_options() const {
    return {.config = built(server_config()),
            .answers = setup_of(
                {.provider = provider(), .credentials = {leaf_}, .anchors = root_.anchors(), .ticket_keys = keyring_})};
  }

  Authority root_;
  std::shared_ptr<const Credential> leaf_ = root_.issue({});
  std::shared_ptr<TicketKeyring> keyring_ = TicketKeyring::create(provider(), random());
};

}  // namespace lockstep::testing
