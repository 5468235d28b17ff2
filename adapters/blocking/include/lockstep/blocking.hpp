#pragma once
// TLS over blocking sockets: calls that return when they are done, when their deadline passes, or when another thread
// cancels them. For one thread per connection, command lines and tests.
//
//     const blocking::Options options{.config = config, .answers = setup};
//     auto stream = blocking::dial("example.com", 443, options);
//     if (!stream) return fail(stream.error().text);
//     const auto sent = stream->write(as_bytes("GET / HTTP/1.0\r\nHost: example.com\r\n\r\n"));
//     if (!sent) return fail(sent.error().text);
//     while (auto view = stream->read_view()) {
//       if (view->empty()) break;  // the peer said close_notify
//       std::cout << as_text(*view);
//     }
//
// One thread may read while another writes; everything else is for one thread at a time, except `Canceller::cancel`,
// `Stream::cancel` and a `Listener`, which are for any. No call raises SIGPIPE.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/answers.hpp>
#include <lockstep/bytes.hpp>
#include <lockstep/config.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/event.hpp>
#include <lockstep/export.hpp>
#include <lockstep/io.hpp>
#include <lockstep/session.hpp>
#include <lockstep/tape.hpp>
#include <lockstep/time.hpp>
#include <lockstep/x509_name.hpp>

namespace lockstep::blocking {

using Clock = std::chrono::steady_clock;
/// A moment after which an operation gives up, however much of it is done: a peer that sends or takes a byte now and
/// then gains nothing. So a deadline is also the lowest rate that is borne: size / time. Nothing, or the clock's last
/// moment: never.
using Deadline = std::optional<Clock::time_point>;

/// The deadline that is so far away; never for what the clock cannot say, such as `milliseconds::max()`.
template <class Rep, class Period>
[[nodiscard]] Deadline after(std::chrono::duration<Rep, Period> duration) {
  const Clock::time_point moment = later(Clock::now(), duration);
  return moment == Clock::time_point::max() ? Deadline() : Deadline(moment);
}

/// Ends the operations that were given it, those in progress and those to come, from any thread and for good. Copies
/// are the same canceller, so that one can stop a whole server.
class LOCKSTEP_API Canceller {
 public:
  Canceller();
  void cancel() const noexcept;
  [[nodiscard]] bool canceled() const noexcept;
  /// Becomes readable when canceled; for `poll`.
  [[nodiscard]] int descriptor() const noexcept;

 private:
  struct Signal;
  std::shared_ptr<Signal> signal_;
};

/// A connected stream socket in plain text: for what comes before STARTTLS and after a downgrade. TCP or Unix.
class LOCKSTEP_API Socket {
 public:
  /// An open descriptor of a connected stream socket, blocking or not; takes ownership.
  explicit Socket(Descriptor descriptor, Canceller canceller = {});

  /// Resolves and connects to the address that answers first (RFC 8305): IPv6 and IPv4 take turns in the resolver's
  /// order, one more is tried every 250 ms, or when one has failed, and the others are given up when one has connected.
  /// The deadline is for all of them; the error lists those that were tried. `options` are set on each socket before it
  /// connects. Resolving is done by `resolve`, or else by
  /// `lockstep::resolve`, which cannot be interrupted. `host` is a name or an address (brackets are allowed).
  [[nodiscard]] static IoResult<Socket> connect(std::string_view host, std::uint16_t port, Deadline deadline = {},
                                                Canceller canceller = {}, const Resolve& resolve = {},
                                                std::span<const SocketOption> options = {});
  /// Connects to that very address, a Unix socket's as well.
  [[nodiscard]] static IoResult<Socket> connect(const Address& address, Deadline deadline = {},
                                                Canceller canceller = {}, std::span<const SocketOption> options = {});

  /// Reads what is there, at least one byte. 0 when the peer has finished.
  [[nodiscard]] IoResult<std::size_t> read(MutableBytes out, Deadline deadline = {});
  /// Writes all of it; after a failure `transferred` says how much.
  [[nodiscard]] IoResult<std::size_t> write(Bytes bytes, Deadline deadline = {});

  /// Whether it has a descriptor: not after it was moved from or released.
  explicit operator bool() const noexcept { return static_cast<bool>(descriptor_); }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_.number(); }
  /// Gives up ownership. The descriptor may be non-blocking.
  [[nodiscard]] Descriptor release() noexcept { return std::move(descriptor_); }
  [[nodiscard]] const Canceller& canceller() const noexcept { return canceller_; }

 private:
  Descriptor descriptor_;
  Canceller canceller_;
};

/// Where an event is: what `Options::intercept` is told beside it. It lives as long as the call.
struct Interception {
  Connection& connection;
  const Socket& transport;
  Answers& answers;  ///< of the connection: `Answers::judge`

  operator Connection&() const noexcept { return connection; }  // NOLINT(google-explicit-constructor): it is about it
};

/// What connections share. Copy it freely.
struct Options {
  /// A client's for `dial`, a server's for `Listener`, either for `wrap`.
  std::shared_ptr<const Config> config;
  /// Who answers suspended operations. May be null when `intercept` answers all of them.
  std::shared_ptr<const AnswerSetup> answers;
  /// Null: the operating system's. Otherwise it must outlive the streams, and stand calls from all their threads.
  RandomSource* random = nullptr;
  /// Null: the operating system's clock.
  Time (*clock)() noexcept = nullptr;
  /// For `dial`: until connected, whatever the number of addresses. For the handshake: from its first byte. 0, and
  /// `milliseconds::max()`: no limit. Negative: it has passed.
  std::chrono::milliseconds connect_timeout{30'000};
  std::chrono::milliseconds handshake_timeout{30'000};
  /// For `dial`: until the handshake is complete, from the call on, whatever the two others allow. 0: they alone count.
  std::chrono::milliseconds dial_timeout{0};
  /// A peer whose first bytes are no TLS (`Reason::not_tls`, `plain_http`) is told nothing of that: the handshake
  /// fails, and `Stream::hand_back` gives the socket and what the peer said, for an answer in the peer's own protocol.
  bool keep_strangers = false;
  /// How long closing waits for the peer to end the connection, so that it reads our last bytes instead of a reset
  /// (RFC 9112 9.6): from when it has acknowledged all of them, and again from whatever else it says. 0: not at all.
  std::chrono::milliseconds linger{500};
  /// How long closing takes at the most, also when the peer has not acknowledged everything: what is left by then is
  /// lost if it says anything more. It holds in place of the stream's deadlines; a peer that let a write meet its
  /// deadline has `linger` in all.
  std::chrono::milliseconds linger_most{60'000};
  /// Bytes of the inbound and of the outbound buffer; at least Connection::kMaxRecord each, which is what less counts
  /// as.
  std::size_t buffer_size = 2 * Connection::kMaxRecord;
  /// Given to every socket and stream that is made with these options.
  std::optional<Canceller> canceller{};
  /// Receives key log lines when the configuration has `key_log`. Called in the thread of the handshake. Where it
  /// matters which connection a line belongs to, `intercept` sees `SecretLogged` and its connection (`key_log_line`).
  std::function<void(std::string_view line)> key_log{};
  KeyLogOf key_log_of = KeyLogOf::every_handshake;
  /// Sees every event first, in the thread that reads or does the handshake. For a suspended operation, true when it
  /// has answered it; for other events the result means nothing. For decisions of one's own (keys elsewhere, other
  /// rules for peers) and for watching. It must not call the stream. What is only about the connection may take a
  /// `Connection&` in place of the interception.
  std::function<bool(const Interception&, Event&)> intercept{};
  /// For `dial`: finds a name's addresses in place of `lockstep::resolve`, in the thread that dials.
  Resolve resolve{};
  /// For `dial`: set on the socket before it connects. Later: `set_option(stream.descriptor(), ...)`.
  std::vector<SocketOption> socket_options{};
};

/// What one connection adds to the options.
struct Target {
  /// Client: whom to expect. `dial` takes the host when there is none, without its zone; `wrap` and Unix sockets need
  /// it.
  std::optional<x509::PeerName> name{};
  /// Client: sessions to offer, best first. Consumed. Without any the setup's cache is asked for one
  /// (`AnswerOptions::client_sessions`), and gets those that come.
  std::span<Session> sessions{};
  /// `wrap`: bytes of the peer's that were read from the socket already. Copied.
  Bytes already_read{};
  /// Records the connection, which then draws from the recorder's randomness. It must outlive the stream; what it has
  /// recorded may be taken in `Options::intercept`, and once the stream is gone.
  trace::Recorder* recorder = nullptr;
  /// Client: whom to ask for, where that is another name (`ClientOptions::server_name`).
  std::optional<x509::PeerName> server_name{};
};

class Stream;

/// A socket in plain text with what the peer sent after its close_notify.
struct Plain {
  Socket socket;
  std::vector<std::uint8_t> leftover;
};

/// A TLS connection. Its handshake is done by the first read or write, or by `handshake`. Destroying it says
/// close_notify if that is possible at once; `close` takes the time to do it well.
class LOCKSTEP_API Stream {
 public:
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  /// What every question of the handshake brings along; see `Connection::attach`.
  void attach(std::shared_ptr<void> attachment) noexcept;

  /// Completes the handshake within the options' handshake_timeout; nothing to do when it is complete. After an error
  /// the stream is closed.
  [[nodiscard]] IoResult<void> handshake();

  /// Client: sends early data (0-RTT) behind the ClientHello, as much as the first of Target::sessions and the
  /// configuration (`ConfigBuilder::early_data`) allow; how many bytes that was, 0 when they allow none. To be called
  /// before anything that completes the handshake. Whoever records these bytes can send them again: let them be
  /// what may be done twice (RFC 9846 8).
  ///
  /// After `handshake`, `connection().early_data()` says whether they have arrived. Unless it is `accepted` none of
  /// them has, and all may be written again:
  ///
  ///     const auto early = stream.write_early(request);
  ///     if (!early || !stream.handshake()) return false;
  ///     const bool arrived = stream.connection().early_data() == EarlyDataStatus::accepted;
  ///     (void)stream.write(request.subspan(arrived ? *early : 0));
  [[nodiscard]] IoResult<std::size_t> write_early(Bytes bytes);
  /// Server: reads early data before the handshake is complete, when the client has not yet proved that it is there and
  /// this may be a replay. A view that lives until the next call; empty when the handshake is complete and no early
  /// data is left. What is not read by this comes from `read` and `read_view`, in front of everything else and without
  /// that doubt: they complete the handshake first. So does every write.
  [[nodiscard]] IoResult<Bytes> read_early_view();

  /// Reads decrypted bytes, at least one; 0 when the peer said close_notify. A transport that ends without it is an
  /// error (`Reason::truncated`). After a timeout the stream goes on.
  [[nodiscard]] IoResult<std::size_t> read(MutableBytes out);
  /// Reads exactly as many bytes as `out` has. A peer that says close_notify before is an error (IoCondition::ended);
  /// `transferred` says how many bytes are there then, and after a timeout: go on with the rest of `out`.
  [[nodiscard]] IoResult<void> read_exactly(MutableBytes out);
  /// The same as `read` without a copy: a view that lives until the next read. Empty when the peer said close_notify.
  [[nodiscard]] IoResult<Bytes> read_view();
  /// Writes all of it and returns its size. After a timeout the stream goes on: `transferred` bytes need not be written
  /// again. The handshake is completed first, or with `ConfigBuilder::false_start` brought to where that allows data;
  /// reading does the rest.
  [[nodiscard]] IoResult<std::size_t> write(Bytes bytes);
  /// The same for several pieces, which share records.
  [[nodiscard]] IoResult<std::size_t> writev(std::span<const Bytes> pieces);

  /// For all reads, or writes, from now on: absolute, so set it once for a whole message or request.
  void set_read_deadline(Deadline deadline) noexcept;
  void set_write_deadline(Deadline deadline) noexcept;
  /// Ends what another thread is doing with this stream, for good; it gets IoCondition::canceled. A handshake in
  /// progress tells the peer (user_canceled).
  void cancel() const noexcept;

  /// Half-close: says close_notify. The peer's bytes can still be read.
  [[nodiscard]] IoResult<void> close_write();
  /// Says close_notify, or with which alert else, and ends the connection in a way that lets the peer read all that was
  /// sent; see Options::linger and Options::linger_most. To give it up at once, cancel or destroy the stream.
  IoResult<void> close(Alert why = Alert::close_notify);
  /// Back to plain text: says close_notify, awaits the peer's, and gives back the socket with what came behind it. When
  /// application data comes first it fails and the stream can still be read. The deadlines of reads and writes hold;
  /// Options::handshake_timeout, from this call on, where there is none. After a timeout it can be called again.
  [[nodiscard]] IoResult<Plain> downgrade();

  /// After a handshake that failed because the peer's first bytes are no TLS, with Options::keep_strangers: the socket,
  /// and all that came from it. Once.
  [[nodiscard]] IoResult<Plain> hand_back();

  /// Changes our sending key, and asks the peer to change its own.
  [[nodiscard]] IoResult<void> update_keys(bool request_peer);
  /// The largest plaintext of a record from here on; see `Connection::set_max_send_fragment`. Completes the handshake.
  [[nodiscard]] IoResult<void> set_max_send_fragment(std::size_t bytes);
  /// TLS 1.2: begins another handshake on this connection; see `Connection::renegotiate`. Whoever reads next makes it,
  /// and where nobody reads, who writes next: for that it may read ahead up to kMaxReadAhead bytes of data.
  [[nodiscard]] IoResult<void> renegotiate(std::optional<ClientAuth> client_auth = {});
  static constexpr std::size_t kMaxReadAhead = std::size_t{1} << 20U;

  /// Sessions that the server has given since the last call, for `Target::sessions`; at most kMaxSessions are kept, the
  /// newest. Where they went to a cache, what it has of this server is taken out again.
  [[nodiscard]] std::vector<Session> sessions();
  static constexpr std::size_t kMaxSessions = ClientSessions::kMaxGiven;

  /// What was agreed; see Connection. Not while another thread uses the stream.
  [[nodiscard]] const Connection& connection() const noexcept;
  /// The verdict and the peer's certificates; see Answers.
  [[nodiscard]] const Answers& answers() const noexcept;
  /// Server: the name that the client asked for. Client: the name that it expects.
  [[nodiscard]] const std::string& server_name() const noexcept;
  [[nodiscard]] Address local_address() const;
  [[nodiscard]] Address peer_address() const;
  [[nodiscard]] int descriptor() const noexcept;
  /// TLS bytes received from and sent to the socket, all records included.
  [[nodiscard]] std::uint64_t bytes_received() const noexcept;
  [[nodiscard]] std::uint64_t bytes_sent() const noexcept;

 private:
  friend IoResult<Stream> wrap(Socket, const Options&, Target);
  friend IoResult<Stream> dial(std::string_view, std::uint16_t, const Options&, Target);
  friend IoResult<Stream> dial(const Address&, const Options&, Target);
  void ends_dialling(Deadline whole) noexcept;
  class Implementation;
  explicit Stream(std::unique_ptr<Implementation> implementation) noexcept;
  std::unique_ptr<Implementation> implementation_;
};

/// Connects and returns a client's stream; the handshake is still to come.
[[nodiscard]] LOCKSTEP_API IoResult<Stream> dial(std::string_view host, std::uint16_t port, const Options& options,
                                                 Target target = {});
/// The same with that very address, a Unix socket's as well: `dial({.host = "/run/app.sock"}, options, {.name = ...})`.
[[nodiscard]] LOCKSTEP_API IoResult<Stream> dial(const Address& address, const Options& options, Target target = {});

/// A stream over a connected socket, for a client's or a server's configuration; the handshake is still to come. This
/// is STARTTLS: exchange plain text over `Socket`, then wrap it.
[[nodiscard]] LOCKSTEP_API IoResult<Stream> wrap(Socket socket, const Options& options, Target target = {});

/// Accepts connections.
class LOCKSTEP_API Listener {
 public:
  /// Listens on every address of a name, or on an address, and a port: on all of them, or it fails and says which could
  /// not be had. An empty host means every address of IPv4 and IPv6 (of one, where the system lacks the other), port 0
  /// a free port, the same for all.
  ///
  /// `options` are set before it is bound; on Linux the connections that are accepted inherit them.
  [[nodiscard]] static IoResult<Listener> listen(std::string_view host, std::uint16_t port, Canceller canceller = {},
                                                 std::span<const SocketOption> options = {});
  /// Listens on that very address, a Unix socket's as well: `listen({.host = "/run/app.sock"})`. Its file is made by
  /// the rights that umask leaves and removed with the listener. One that is there already is removed when it is a
  /// socket's that nobody listens on; anything else fails with EADDRINUSE. A process that changes its directory gives
  /// an absolute path.
  [[nodiscard]] static IoResult<Listener> listen(const Address& address, Canceller canceller = {},
                                                 std::span<const SocketOption> options = {});

  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  /// The next connection, its handshake still to come. It belongs to the options' canceller, or one of its own. When
  /// the process is out of descriptors (EMFILE) the connection is left to be accepted later: wait before the next call.
  [[nodiscard]] IoResult<Stream> accept(const Options& options, Deadline deadline = {});
  /// The next connection in plain text.
  [[nodiscard]] IoResult<Socket> accept_plain(Deadline deadline = {}, std::optional<Canceller> canceller = {});

  /// The first of `addresses`.
  [[nodiscard]] Address address() const;
  /// One for each socket.
  [[nodiscard]] std::vector<Address> addresses() const;
  /// Of the sockets, which become readable when there is a connection; for `poll`.
  [[nodiscard]] std::vector<int> descriptors() const;
  /// Ends `accept` for good, from any thread.
  void cancel() const noexcept;

 private:
  class Implementation;
  explicit Listener(std::unique_ptr<Implementation> implementation) noexcept;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace lockstep::blocking
