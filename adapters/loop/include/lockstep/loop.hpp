#pragma once
// TLS in an event loop: thousands of connections in one thread, over epoll (lockstep/epoll.hpp) or io_uring
// (lockstep/uring.hpp). This is the interface that both share.
//
//     class Echo final : public loop::Handler {
//       void on_readable(loop::Stream& stream) override {
//         while (!stream.readable().empty()) {
//           const auto taken = stream.write(stream.readable());
//           if (!taken || *taken == 0) return;  // full: on_writable comes when there is room again
//           stream.consume(*taken);
//         }
//       }
//       void on_writable(loop::Stream& stream) override { on_readable(stream); }
//     };
//
//     auto loop = epoll::make_loop();
//     auto listener = (*loop)->listen("", 8443, options, [](loop::Stream&) { return std::make_unique<Echo>(); });
//     (*loop)->run();
//
// Everything happens in the thread that calls `run`: there is no other. Only `Loop::post`, `Loop::stop` and
// `StreamRef::post` may be called from elsewhere. A handler may call anything on any stream of its loop, its own
// included, and close it; a stream is never destroyed inside such a call. What has begun to happen to a stream is told
// to its handler to the end, whatever that asks for meanwhile. Handlers must not throw: one that does loses its stream,
// which fails with what it threw, and so does a function of `StreamRef::post`. One of `Loop::post` or `Loop::after` may
// throw, through `run`.
//
// A loop belongs to the process that made it. In a child after fork it may only be destroyed, which closes the child's
// copies of its descriptors and nothing else; no handler hears of that.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <lockstep/answers.hpp>
#include <lockstep/bytes.hpp>
#include <lockstep/config.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/event.hpp>
#include <lockstep/export.hpp>
#include <lockstep/io.hpp>
#include <lockstep/session.hpp>
#include <lockstep/time.hpp>
#include <lockstep/x509_name.hpp>

namespace lockstep::loop {

using Clock = std::chrono::steady_clock;
/// What a read deadline waits for.
enum class Until : std::uint8_t {
  next_bytes,  ///< any that come, or the end
  cleared,     ///< whatever comes, until it is set again: for a whole message or request, of however many pieces
};
/// A moment after which an operation gives up; nothing: never.
using Deadline = std::optional<Clock::time_point>;

class Loop;
class Stream;
class StreamCore;
class LoopCore;

/// What an application does with one stream. Owned by the stream and destroyed with it.
class LOCKSTEP_API Handler {
 public:
  virtual ~Handler() = default;

  /// The transport stands: accepted or connected. In plain text until the handshake, or until `start_tls`.
  virtual void on_open(Stream&) {}
  /// The handshake is complete; `stream.connection()` says what was agreed.
  /// Told again, with `HandshakeComplete::renegotiation`, where the connection was renegotiated.
  virtual void on_handshake(Stream&, const HandshakeComplete&) {}
  /// There are bytes to take: `readable` and `consume`, or `read`. What is left stays; the loop calls again when more
  /// has come, or after `resume`.
  virtual void on_readable(Stream&) = 0;
  /// A `write` took less than it was given, and there is room now: no more than Options::write_low bytes wait.
  virtual void on_writable(Stream&) {}
  /// The peer has finished sending: close_notify, or the end of a plain transport. Ours can go on until `close`, which
  /// is what this does unless it is overridden. All bytes before it were readable first.
  virtual void on_end(Stream& stream);
  /// After `downgrade`: plain text from here on; what came behind the peer's close_notify is readable.
  virtual void on_plain(Stream&) {}
  /// The peer's first bytes are no TLS (`Reason::not_tls`, `plain_http`), and nothing was said to it about that. True:
  /// the stream goes on in plain text, with those bytes readable, for an answer in the peer's own protocol. False: an
  /// alert goes out, and `on_closed` follows.
  virtual bool on_not_tls(Stream&) { return false; }
  /// After `move_to`, in the thread of the new loop.
  virtual void on_moved(Stream&) {}
  /// A deadline of `set_read_deadline` or `set_write_deadline` has passed. It is cleared; the stream goes on, unless
  /// this fails it, which is what it does unless it is overridden.
  virtual void on_deadline(Stream& stream, Operation operation);
  /// The loop is being drained. Finish and close; closes at once unless it is overridden.
  virtual void on_drain(Stream& stream);
  /// Sees every event of the engine first. For a suspended operation, true when it has taken the token: to answer it
  /// here, or later by `Stream::answer`, from another thread through `StreamRef::post`. What it leaves is answered by
  /// Options::answers.
  ///
  /// For `EarlyData`, true when it has taken the bytes, which may be a replay. What it leaves is readable, in front of
  /// everything else, once the handshake is complete and that doubt is gone. For other events the result means nothing.
  virtual bool on_event(Stream&, Event&) { return false; }
  /// The last call. Null: closed as both sides wanted. The error's text says what was being done, with whom, and why
  /// it failed. Our alert, and what was written before, still goes out behind it.
  virtual void on_closed(Stream&, const IoError*) {}
};

/// What streams share. The times that are 0 have no limit.
struct Options {
  /// A client's for `dial`, a server's for `listen`, either for `wrap`. Null: plain text until `start_tls`. A client
  /// that may send early data does so by `Stream::write_early`.
  std::shared_ptr<const Config> config{};
  /// Who answers suspended operations. Null: nobody is trusted and nothing shown, but `Handler::on_event` may.
  std::shared_ptr<const AnswerSetup> answers{};
  /// Null: the operating system's. Otherwise it must outlive the streams.
  RandomSource* random = nullptr;
  /// Null: the operating system's clock.
  Time (*clock)() noexcept = nullptr;
  /// Until connected, over all addresses that a name has.
  std::chrono::milliseconds connect_timeout{30'000};
  /// For `dial`: until the handshake is complete, from when the addresses are known, whatever the two others allow. 0:
  /// they alone count.
  std::chrono::milliseconds dial_timeout{0};
  /// From the transport's beginning, or from the handshake's when it is lazy, until it is complete.
  std::chrono::milliseconds handshake_timeout{30'000};
  /// Without a byte in either direction. Not during the handshake, but while a lazy one has not begun.
  std::chrono::milliseconds idle_timeout{0};
  /// How long output may wait without the peer taking any of it.
  std::chrono::milliseconds write_timeout{60'000};
  /// Bytes per second that a peer has to take while output waits, over each write_timeout (in whole seconds). 0: any.
  std::uint64_t lowest_rate = 0;
  /// How long closing waits for the peer to end the connection, so that it reads our last bytes instead of a reset
  /// (RFC 9112 9.6): from when it has acknowledged all of them, and again from whatever else it says. 0: not at all.
  std::chrono::milliseconds linger{500};
  /// How long closing may take as a whole, however slowly the peer goes on reading.
  std::chrono::milliseconds linger_most{60'000};
  /// Receiving stops when this many bytes wait for the application, at most kMaxReadHigh, and goes on at read_low.
  std::size_t read_high = 65536;
  std::size_t read_low = 16384;
  /// `write` takes no more when this many sealed bytes wait for the peer; `on_writable` comes at write_low.
  std::size_t write_high = 262'144;
  std::size_t write_low = 65536;
  /// The handshake begins with the first `write` or by `handshake`, not with the transport. (A server's begins with the
  /// client's first byte in any case.)
  bool lazy_handshake = false;
  /// Let the kernel protect records once the handshake is complete, where it can (Linux with CONFIG_TLS; key updates
  /// need 6.14). Over io_uring it only sends. `Stream::kernel_tls` tells what came of it; where the kernel cannot, all
  /// goes on as without. `Traffic` then counts bytes of content. Such a stream cannot be downgraded.
  bool kernel_tls = false;
  /// For `dial`: finds a name's addresses in place of `lockstep::resolve`, in the loop's thread.
  Resolve resolve{};
  /// TCP_NODELAY: records go out when they are written. (A TLS 1.3 server's tickets go with the first of them that the
  /// application writes, or 40 milliseconds later.)
  bool no_delay = true;
  /// Set on sockets before they connect or listen; connections that are accepted inherit those of the socket that
  /// listens (Linux). One that the socket does not take fails what was to be done, with the system's reason. Later:
  /// `set_option(stream.descriptor(), ...)`.
  std::vector<SocketOption> socket_options{};
  /// Receives key log lines when the configuration has `key_log`. Where it matters which stream a line belongs to,
  /// `Handler::on_event` sees `SecretLogged` and its stream (`key_log_line`).
  std::function<void(std::string_view line)> key_log{};
  KeyLogOf key_log_of = KeyLogOf::every_handshake;

  static constexpr std::size_t kMaxReadHigh = 65536;
};

/// What one stream adds to the options.
struct Target {
  /// Client: whom to expect. `dial` takes the host when there is none; `wrap` and `start_tls` need it.
  std::optional<x509::PeerName> name{};
  /// Client: sessions to offer, best first. Consumed. Without any the setup's cache is asked for one
  /// (`AnswerOptions::client_sessions`), and gets those that come.
  std::span<Session> sessions{};
  /// Client: whom to ask for, where that is another name (`ClientOptions::server_name`).
  std::optional<x509::PeerName> server_name{};
};

/// What the kernel protects of a stream.
struct KernelTls {
  bool sending = false;
  bool receiving = false;
  std::string why_not;  ///< what the system said when it did not take it; empty when it was not asked, or did
};

/// What went through a stream.
struct Traffic {
  std::uint64_t bytes_received = 0;  ///< from the socket, all records included
  std::uint64_t bytes_sent = 0;
  std::uint64_t plaintext_received = 0;  ///< taken by the application
  std::uint64_t plaintext_sent = 0;      ///< given by the application
};

/// Names a stream to other threads, however long it lives and to whichever loop it moves. Copy it freely.
class LOCKSTEP_API StreamRef {
 public:
  /// Runs the function in the stream's loop; when the stream is gone by then it is dropped. From any thread.
  void post(std::move_only_function<void(Stream&)> function) const;

 private:
  friend class Stream;
  struct Control;
  friend class StreamCore;
  explicit StreamRef(std::shared_ptr<Control> control) noexcept : control_(std::move(control)) {}
  std::shared_ptr<Control> control_;
};

/// A connection in a loop, which owns it. References stay good until `on_closed` returns.
class LOCKSTEP_API Stream {
 public:
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // --- bytes ---

  /// The next decrypted (or plain) bytes that were not consumed, as they lie in the buffer; empty when there are none.
  /// The view lives until the next call that reads, or the handler's return.
  [[nodiscard]] Bytes readable() noexcept;
  /// Done with the first so many bytes of `readable`.
  void consume(std::size_t size) noexcept;
  /// Copies what is there; 0 when there is nothing now.
  [[nodiscard]] std::size_t read(MutableBytes out) noexcept;
  /// `on_readable` will be called again even if nothing more comes, when there are bytes.
  void resume() noexcept;
  /// Whether bytes are received at all. Paused, the peer is held back by the transport.
  void pause_reading(bool paused) noexcept;

  /// Seals and queues; how many bytes were taken, which is less than given, or 0, when Options::write_high is reached
  /// or the handshake is not complete: `on_writable` then comes. With `ConfigBuilder::false_start` the handshake need
  /// only have come so far as that allows data. What is queued goes out when the handler returns.
  [[nodiscard]] IoResult<std::size_t> write(Bytes bytes);
  /// The same for several pieces, which share records.
  [[nodiscard]] IoResult<std::size_t> writev(std::span<const Bytes> pieces);
  /// Client: sends early data (0-RTT) behind the ClientHello, which it sends if it has not gone yet, as much as the
  /// session that is offered first, the configuration (`ConfigBuilder::early_data`) and Options::write_high allow; how
  /// many bytes that was, 0 when they allow none. From `Handler::on_open` on, until the handshake is complete. While
  /// the ClientHello waits for an answer (external PSKs, computations that are handed out), or early data for one
  /// (verify_on_resumption), that is 0 as well. Whoever records these bytes can send them again: let them be what may
  /// be done twice (RFC 9846 8).
  ///
  /// In `Handler::on_handshake`, `connection().early_data()` says whether they have arrived. Unless it is `accepted`
  /// none of them has, and all may be written again.
  [[nodiscard]] IoResult<std::size_t> write_early(Bytes bytes);
  /// Sealed bytes that wait for the peer.
  [[nodiscard]] std::size_t write_pending() const noexcept;

  // --- ending ---

  /// The other half: whatever the peer sends from here on is thrown away, as if it had been consumed. `on_end` still
  /// tells of its end.
  void close_read();
  /// Half-close: close_notify goes out, once the handshake is complete (in plain text, the transport's end). The peer's
  /// bytes can still be read.
  void close_write();
  /// Sends what is queued and close_notify, and ends the connection so that the peer can read all of it, for as long as
  /// it does (Options::linger, linger_most). `on_closed` follows. A stream that is to move closes here.
  void close();
  /// Gives up now, as if an error had come, which is `canceled`. The peer is told `why`: as `Connection::cancel`. A
  /// stream that is closing ends at once.
  void cancel(Alert why = Alert::close_notify);
  /// Gives up because a deadline has passed: as if an error had come, which is `timeout`.
  void expire(Operation operation);
  /// Back to plain text: close_notify goes out; `on_plain` follows when the peer's has come, within handshake_timeout.
  /// Until then its bytes are readable as before, and nothing can be written.
  void downgrade();

  // --- TLS ---

  /// Begins the handshake of a lazy stream.
  void handshake();
  /// From plain text to TLS, as client or server by the configuration's role. Bytes that were received and not consumed
  /// are the peer's first TLS bytes: nothing that came in plain text is ever taken for decrypted. Options that are
  /// about time and buffers change with it.
  [[nodiscard]] IoResult<void> start_tls(Options options, Target target = {});
  /// Answers a suspended operation whose token `Handler::on_event` took; see Connection::answer.
  template <class T, class Answer>
  std::expected<void, Misuse> answer(Token<T> token, Answer&& value) {
    if (!secure()) return std::unexpected(Misuse::wrong_token);
    auto answered = engine().answer(std::move(token), std::forward<Answer>(value));
    answers_changed();
    return answered;
  }
  std::expected<void, Misuse> answer(Compute&& done) {
    if (!secure()) return std::unexpected(Misuse::wrong_token);
    auto answered = engine().answer(std::move(done));
    answers_changed();
    return answered;
  }
  /// Changes our sending key, and asks the peer to change its own.
  [[nodiscard]] IoResult<void> update_keys(bool request_peer);
  /// The largest plaintext of a record from here on; see `Connection::set_max_send_fragment`.
  [[nodiscard]] IoResult<void> set_max_send_fragment(std::size_t bytes);
  /// TLS 1.2: makes another handshake on this connection; see `Connection::renegotiate`. `Handler::on_handshake` is
  /// told when it is done, and `on_event` where the peer does not want to. Until then `write_now` takes nothing.
  [[nodiscard]] IoResult<void> renegotiate(std::optional<ClientAuth> client_auth = {});
  /// Whether TLS has begun; not in plain text.
  [[nodiscard]] bool secure() const noexcept;
  /// Whether the kernel protects records: with Options::kernel_tls, some time after the handshake.
  [[nodiscard]] KernelTls kernel_tls() const;
  /// What was agreed; see Connection. Only when `secure`.
  [[nodiscard]] const Connection& connection() const noexcept;
  /// Client: the verdict on the server's certificates; server: the client's. Null when there was none.
  [[nodiscard]] const Answers* answers() const noexcept;
  /// The same for `Handler::on_event`, which may take the steps of an answer one by one (`Answers::judge`).
  [[nodiscard]] Answers* answers();
  /// What every question of the handshake brings along; see `Connection::attach`. From when it is made: by MakeHandler,
  /// in `Handler::on_open`, or in front of `start_tls`.
  void attach(std::shared_ptr<void> attachment);
  /// Server: the name that the client asked for. Client: the name that it expects.
  [[nodiscard]] const std::string& server_name() const noexcept;
  /// Sessions that the server has given since the last call, for `Target::sessions`; the newest kMaxSessions. Where
  /// they went to a cache, what it has of this server is taken out again.
  [[nodiscard]] std::vector<Session> sessions();
  static constexpr std::size_t kMaxSessions = ClientSessions::kMaxGiven;

  // --- the rest ---

  /// By when bytes (or the end) must have come, or those that are written must have gone; see Handler::on_deadline.
  /// Cleared when they have, unless a read deadline is to stand until it is cleared, and a writer that was told to wait
  /// has nothing to add: set it again for the next.
  void set_read_deadline(Deadline deadline, Until until = Until::next_bytes) noexcept;
  void set_write_deadline(Deadline deadline) noexcept;
  /// Hands the stream to another loop, of any kind and in any thread: nothing more begins here, and `on_moved` comes
  /// there, before anything else does. What the handler was told of meanwhile it hears to the end here; what it does to
  /// the stream meanwhile counts: a stream that is closed does not move. One that is being made (MakeHandler) moves
  /// before it opens. A second call before it has arrived counts while nothing has begun, and is ignored later. A
  /// stream of which the kernel opens the records (Options::kernel_tls) goes to epoll loops only. Both loops must
  /// outlive the move.
  void move_to(Loop& other);
  [[nodiscard]] StreamRef ref();
  [[nodiscard]] Loop& loop() const noexcept;
  [[nodiscard]] Handler& handler() const noexcept;
  [[nodiscard]] Traffic traffic() const noexcept;
  [[nodiscard]] Address local_address() const;
  [[nodiscard]] Address peer_address() const;
  [[nodiscard]] int descriptor() const noexcept;

 protected:
  Stream() = default;
  ~Stream() = default;

 private:
  [[nodiscard]] StreamCore& core() noexcept;
  [[nodiscard]] const StreamCore& core() const noexcept;
  [[nodiscard]] Connection& engine() noexcept;
  void answers_changed();
};

/// Reads exactly so many bytes, in however many pieces they come:
///
///     void on_readable(loop::Stream& stream) override {
///       while (const auto header = exactly_.read(stream, 4)) use(*header);
///     }
class LOCKSTEP_API Exactly {
 public:
  /// The next `size` bytes, once all of them are there: a view that lives until the next call. Nothing until then; what
  /// has come was consumed, and `on_readable` comes with more. `size` has to stay the same until then.
  [[nodiscard]] std::optional<Bytes> read(Stream& stream, std::size_t size);
  /// What has come of bytes that are still awaited.
  [[nodiscard]] Bytes partial() const noexcept { return done_ ? Bytes() : Bytes(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
  bool done_ = true;  // they were given out
};

/// Makes the handler of an accepted stream; null refuses the connection. What is asked of the stream meanwhile is done
/// once that is there: `close` and `cancel` end it before it opens. Throwing refuses as well.
using MakeHandler = std::function<std::unique_ptr<Handler>(Stream&)>;

/// Names a function that waits for its time in a loop.
class Task {
 private:
  friend class Loop;
  explicit Task(std::uint64_t id) noexcept : id_(id) {}
  std::uint64_t id_;
};

/// Names a listening socket of a loop.
class Listener {
 public:
  /// What it listens on, with the port that a request for port 0 got: the first, where a name has several addresses.
  [[nodiscard]] const Address& address() const noexcept { return addresses_.front(); }
  [[nodiscard]] const std::vector<Address>& addresses() const noexcept { return addresses_; }

 private:
  friend class Loop;
  friend class LoopCore;
  std::vector<Address> addresses_;
  std::uint64_t id_ = 0;
};

struct ListenOptions {
  /// Several sockets, in as many loops, share the port: SO_REUSEPORT.
  bool reuse_port = false;
  int backlog = 4096;
  /// For protocols in which the client speaks first, as it does in TLS: TCP connections are accepted with their first
  /// bytes, which are read at once, and those that stay silent for about so long without any (TCP_DEFER_ACCEPT; the
  /// system counts in retransmissions). One turn less for each. 0: at once.
  std::chrono::seconds defer_accept{0};
  /// Hears why accepting failed, say EMFILE: once, and again when that was over for a minute. Accepting goes on after a
  /// tenth of a second; must not throw; without descriptors at once, in the place of the oldest stream that is expected
  /// to begin a handshake and has not said a byte.
  std::function<void(const IoError&)> on_error{};
};

struct LoopOptions {
  /// Handshakes in progress at once, those included whose client has not said a word. One more ends the one that began
  /// first, so that silent peers keep nobody out.
  std::size_t max_handshakes = 8192;
  /// Connections at once. At this number nothing is accepted until one ends. 0: no bound but the descriptors'.
  std::size_t max_streams = 65'536;
  /// Bytes of buffers, handshake memory and cached keys (Statistics::memory). With so many nothing is accepted, and
  /// streams receive and write only what lets each go on with one buffer in either direction, until an eighth is free
  /// again. The buffers that io_uring receives into are 4.5 MB of it. 0: no bound.
  std::size_t max_memory = std::size_t{1} << 30U;
  /// Free buffers that are kept for the next connection that needs one; each has 64 KiB.
  std::size_t spare_buffers = 64;
  /// Expanded keys that are kept for the connections that were busy last (lockstep/key_cache.hpp), two for each.
  std::size_t cached_keys = 256;
  /// For the key pairs that are made ahead of handshakes (`KeyPairs`) where computations are handed out: it has to live
  /// as long as the loop. Null: the system's.
  RandomSource* random = nullptr;
};

/// What a loop did and holds.
struct Statistics {
  std::size_t streams = 0;      ///< now
  std::size_t handshaking = 0;  ///< of them
  std::uint64_t accepted = 0;
  std::uint64_t connected = 0;
  std::uint64_t handshakes = 0;          ///< completed
  std::uint64_t failures = 0;            ///< streams that ended with an error
  std::uint64_t handshakes_evicted = 0;  ///< see LoopOptions::max_handshakes, ListenOptions::on_error
  std::uint64_t accept_failures = 0;
  std::uint64_t memory_shortages = 0;  ///< how often LoopOptions::max_memory was reached
  std::uint64_t buffer_shortages = 0;  ///< io_uring: receives that found no buffer, and had the next turn
  std::size_t buffers = 0;             ///< of 64 KiB, in use
  std::size_t spare_buffers = 0;       ///< kept free
  std::size_t memory = 0;              ///< bytes of all buffers, handshake memory and cached keys, in use and spare
};

class LOCKSTEP_API Loop {
 public:
  explicit Loop(std::unique_ptr<LoopCore> core) noexcept;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  /// Ends all streams at once; each handler hears of it by `on_closed`.
  ~Loop();

  /// Listens on an address, or on every address of a name, and a port: on all of them, or it fails and says which could
  /// not be had. An empty host means every address of IPv4 and IPv6 (of one, where the system lacks the other), port 0
  /// a free port, the same for all. Every connection gets the options and a handler.
  [[nodiscard]] IoResult<Listener> listen(std::string_view host, std::uint16_t port, Options options,
                                          MakeHandler make_handler, ListenOptions listen_options = {});
  /// Listens on that very address, a Unix socket's as well: `listen({.host = "/run/app.sock"}, ...)`. Its file is made
  /// by the rights that umask leaves and removed with the listener. One that is there already is removed when it is a
  /// socket's that nobody listens on; anything else fails with EADDRINUSE.
  [[nodiscard]] IoResult<Listener> listen(const Address& address, Options options, MakeHandler make_handler,
                                          ListenOptions listen_options = {});
  /// Gives other options to the connections that are accepted from here on: a new certificate, configuration, anchors
  /// or ticket keys, without a connection being dropped. Those that are there keep theirs, also in the middle of their
  /// handshakes.
  [[nodiscard]] IoResult<void> replace(const Listener& listener, Options options);
  /// Accepts no more.
  void unlisten(const Listener& listener);

  /// Connects, trying every address in the resolver's order. The result tells of misuse and of names that do not
  /// resolve; what happens later, `on_closed` does. Resolving a name blocks, unless Options::resolve does not; give an
  /// address where that matters.
  [[nodiscard]] IoResult<Stream*> dial(std::string_view host, std::uint16_t port, Options options,
                                       std::unique_ptr<Handler> handler, Target target = {});
  /// Connects to that very address, a Unix socket's as well; a client states whom it expects.
  [[nodiscard]] IoResult<Stream*> dial(const Address& address, Options options, std::unique_ptr<Handler> handler,
                                       Target target = {});
  /// A stream over a connected stream socket, for a client's or a server's configuration. `already_read` is what was
  /// read from it before. The handler's first calls come before this returns.
  [[nodiscard]] IoResult<Stream*> wrap(Descriptor socket, Options options, std::unique_ptr<Handler> handler,
                                       Target target = {}, Bytes already_read = {});

  /// Runs until `stop`, or until a drain is complete. A loop over io_uring belongs to the thread that runs it first; in
  /// another one this returns at once.
  void run();
  /// Waits for events no longer than that, and handles them. False when `run` would have ended. Inside a handler
  /// neither does anything.
  bool run_once(std::chrono::milliseconds longest = std::chrono::milliseconds(1000));
  /// Ends `run`, from any thread or handler.
  void stop() noexcept;
  /// Accepts no more, tells every handler (`on_drain`), and lets `run` end when all streams have. After `longest` those
  /// that are left are canceled.
  void drain(std::chrono::milliseconds longest);
  /// Runs the function in the loop's thread, soon. From any thread.
  void post(std::move_only_function<void(Loop&)> function);
  /// Runs the function in the loop's thread, after that time.
  Task after(std::chrono::milliseconds delay, std::move_only_function<void(Loop&)> function);
  /// Forgets it; false when it has run.
  bool cancel(Task task);

  [[nodiscard]] Statistics statistics() const noexcept;
  /// "epoll" or "io_uring".
  [[nodiscard]] std::string_view name() const noexcept;

 private:
  friend class LoopCore;
  std::unique_ptr<LoopCore> core_;
};

}  // namespace lockstep::loop
