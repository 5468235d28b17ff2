#pragma once
// A stream between its backend and its handler: bytes in, engine, plaintext out, and back.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <sys/socket.h>
#include <sys/uio.h>

#include <lockstep/loop.hpp>

#include "common/addresses.hpp"
#include "common/kernel_tls.hpp"
#include "common/lingering.hpp"
#include "loop/blocks.hpp"
#include "loop/timer_wheel.hpp"

namespace lockstep::loop {

/// Where a `StreamRef` finds its stream. The mutex is held while the stream moves or ends.
/// It also hears of tokens that are dropped in other threads: they will never be answered, which the stream is to
/// notice, wherever it is by then.
struct StreamRef::Control final : TokenWaker, std::enable_shared_from_this<Control> {
  void wake() noexcept override;

  std::mutex mutex;
  Loop* loop = nullptr;
  StreamCore* stream = nullptr;
  /// What came while the stream was on its way; only its loop's thread looks.
  std::vector<std::move_only_function<void(Stream&)>> waiting;
};

/// A member of one of the loop's lists of streams.
template <class Tag>
struct ListNode {
  ListNode* next = nullptr;
  ListNode* previous = nullptr;
  [[nodiscard]] bool listed() const noexcept { return next != nullptr; }
};
template <class Tag>
class List {
 public:
  List() noexcept { head_.next = head_.previous = &head_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  void push_back(ListNode<Tag>& node) noexcept {
    node.next = &head_;
    node.previous = head_.previous;
    head_.previous->next = &node;
    head_.previous = &node;
    ++size_;
  }
  void remove(ListNode<Tag>& node) noexcept {
    if (!node.listed()) return;
    node.next->previous = node.previous;
    node.previous->next = node.next;
    node.next = node.previous = nullptr;
    --size_;
  }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] ListNode<Tag>& front() noexcept { return *head_.next; }
  [[nodiscard]] bool is_end(const ListNode<Tag>* node) const noexcept { return node == &head_; }

 private:
  ListNode<Tag> head_;
  std::size_t size_ = 0;
};
struct AllStreams;   // every stream of a loop
struct Handshaking;  // those in a handshake, or expected to begin one, the oldest first
struct Dirty;        // those whose backend has to look at them

/// The phases of a stream's life. It never goes back.
namespace life {

/// Whoever makes its handler may already ask for its end.
struct Unopened {
  bool close = false;
  std::unique_ptr<IoError> error{};
};
/// No transport yet: one address after another.
struct Attempts {
  std::vector<sockets::SocketAddress> addresses;
  std::string what;
  std::size_t next = 0;
  std::uint64_t end = TimerWheel::kNever;  // of all of them
  int last_error = 0;
  std::string failures{};
};
struct Connecting {
  std::unique_ptr<Attempts> attempts;
};
struct Open {
  bool told = false;  ///< on_open was called
};
/// Over for the application; what is queued still goes out, and then the peer may read it all.
struct Closing {
  bool told = false;         ///< on_closed was called
  bool awaits_peer = false;  ///< the peer has an end of its own to say
  bool flushed = false;      ///< all is with the kernel; the peer's end is awaited, its bytes are discarded
  sockets::Lingering lingering;
  std::uint64_t look = TimerWheel::kNever;  ///< whether it is enough
};
/// The backend is letting go; then it is destroyed.
struct Ended {};

}  // namespace life

/// While a handler or a turn runs, no other turn of its loop does: what the first is in the middle of would be
/// destroyed under it.
class LOCKSTEP_API Running {
 public:
  explicit Running(LoopCore& loop) noexcept;
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { --turns_; }

 private:
  unsigned& turns_;
};

class LOCKSTEP_API StreamCore final : public Stream,
                                      public Timer,
                                      public ListNode<AllStreams>,
                                      public ListNode<Handshaking>,
                                      public ListNode<Dirty> {
 public:
  StreamCore(LoopCore& loop, std::shared_ptr<const Options> options, Descriptor socket);
  ~StreamCore();

  // --- for the loop (stream_life.cpp) ---

  void set_handler(std::unique_ptr<Handler> handler) noexcept { handler_ = std::move(handler); }
  /// An accepted connection gets the handler that was made for it, or is refused by null.
  void accepted(std::unique_ptr<Handler> handler);
  /// What a client needs when its handshake begins.
  void set_target(Target&& target);
  /// Connects, from the loop's next turn on.
  void dial(std::vector<sockets::SocketAddress> addresses, std::string what);
  /// The transport stands.
  void opened(Bytes already_read);
  /// To be processed in the loop's next turn: after a handler's `resume`, or an answer from elsewhere.
  void continue_later() noexcept;
  void on_timer();
  /// The loop's turn for a dirty stream.
  void flush();
  void drain();
  /// Ends a handshake to make room for a newer one.
  void evict();
  /// The same at once, for its descriptor.
  void evict_now();
  /// Ends at once.
  void abort(IoError error);
  /// Leaves this loop's accounts, and enters the other's.
  void leave() noexcept;
  void adopt(LoopCore& loop);
  /// No other thread finds it any more.
  void unname() noexcept;
  /// Runs what came for it while it was to move.
  void run_waiting();
  /// Runs what came from another thread.
  void run(std::move_only_function<void(Stream&)> function);
  /// The kernel may still be reading its output: those blocks are never used again.
  void abandon_pinned() noexcept;

  // --- for the backend ---

  [[nodiscard]] int socket() const noexcept { return socket_.number(); }
  /// A connection attempt is going on.
  [[nodiscard]] bool connecting() const noexcept { return std::holds_alternative<Connecting>(phase_); }
  /// Nothing that comes now is for anybody.
  [[nodiscard]] bool ended() const noexcept { return std::holds_alternative<Ended>(phase_); }
  /// The backend has been told to let go of it.
  [[nodiscard]] bool let_go() const noexcept { return ended() || leaving(); }
  void connected(int error);
  [[nodiscard]] bool wants_receive() const noexcept;
  [[nodiscard]] bool has_output() const noexcept { return out_pending_ != 0; }
  /// Whether there is some to send now: a server's tickets wait a little for what the application says.
  [[nodiscard]] bool wants_send() const noexcept { return has_output() && !holds_output(); }
  /// Whether the end of our direction follows `output` at once: the kernel may send both in one packet.
  [[nodiscard]] bool says_last() const noexcept {
    const auto* closing = std::get_if<Closing>(&phase_);
    return closing != nullptr && !closing->flushed && !leaving() && output_type() == 0;
  }
  /// Whether all has been said, so that nothing but the peer's end is awaited.
  [[nodiscard]] bool lingers() const noexcept {
    const auto* closing = std::get_if<Closing>(&phase_);
    return closing != nullptr && closing->flushed;
  }
  /// Where the next bytes go; empty when there is no memory. `received` or `received_nothing` follows at once.
  [[nodiscard]] MutableBytes receive_space();
  void received(std::size_t size);
  void received_nothing() { settle(); }
  /// The same in a block of the backend's, which is the stream's from now on. The bytes begin at the block's `begin`.
  void received(Block* block);
  void receive_ended();
  void receive_failed(int error);
  /// What to send next, and how many pieces that is. It stays put until `sent`.
  [[nodiscard]] std::size_t output(std::span<iovec> pieces) noexcept;
  /// The type of the record that `output` is, for a kernel that protects it; 0 for bytes that go as they are.
  [[nodiscard]] std::uint8_t output_type() const noexcept {
    return out_first_ == nullptr ? 0 : out_first_->record_type;
  }
  /// Whether the kernel opens records: what is received then has a record's header put in front of it.
  [[nodiscard]] bool kernel_receives() const noexcept;
  /// Where `output_type` is told to the kernel.
  [[nodiscard]] kernel_tls::Control& record_control() noexcept;
  void sent(std::size_t size);
  void send_failed(int error);
  void released();
  /// `update` is to be called again.
  void look_again() noexcept { mark_dirty(); }

  /// The backend's own. (Aligned so that backends may keep a few bits in a stream's address; g++-12 takes no alignas
  /// beside LOCKSTEP_API.)
  alignas(16) std::uint32_t backend_flags = 0;
  std::uint32_t backend_place = 0;  ///< in a list of the backend's
  std::uint32_t in_flight = 0;
  /// The kernel reads what `output` gave: those bytes stay, even if they are given up meanwhile.
  bool output_pinned = false;

 private:
  friend class Stream;
  friend class LoopCore;
  friend struct ListenerCore;
  struct Secure;
  struct Pending;
  struct Kernel;

  using Unopened = life::Unopened;
  using Connecting = life::Connecting;
  using Open = life::Open;
  using Closing = life::Closing;
  using Ended = life::Ended;
  using Attempts = life::Attempts;

  /// On its way to another loop. That is no phase: a stream goes on to be what it was.
  struct Move {
    Loop* target;
    bool leaving = false;      ///< the backend is letting go
    bool handshaking = false;  ///< it was among those
  };

  /// How far TLS is.
  enum class Layer : std::uint8_t {
    plain,
    expected,   ///< by the options, and not begun
    handshake,  ///< the engine is there
    secure,     ///< the handshake is complete
  };
  /// What the peer has still to say.
  enum class Inbound : std::uint8_t {
    open,
    ended,  ///< close_notify came, or the end of a plain transport
    told,   ///< and on_end was called
  };
  /// What the application may still say.
  enum class Outbound : std::uint8_t {
    open,
    ends_with_handshake,  ///< close_notify goes out once the handshake is complete
    ends_behind_output,   ///< plain text: our direction ends behind what is queued
    ended,
  };
  /// `process`: what a handler calls meanwhile may make it due once more.
  enum class Processing : std::uint8_t { idle, running, again };

  [[nodiscard]] bool is_open() const noexcept { return std::holds_alternative<Open>(phase_); }
  [[nodiscard]] bool leaving() const noexcept { return move_ && move_->leaving; }
  /// Whether anything may begin here: an event that has begun is delivered whatever the handler asks for meanwhile.
  [[nodiscard]] bool active() const noexcept { return is_open() && !move_; }
  [[nodiscard]] bool closed_told() const noexcept;
  [[nodiscard]] bool handshake_done() const noexcept { return layer_ == Layer::secure; }

  /// Every call of the application's. It must not throw: what does loses its stream.
  template <class Call>
  void guarded(Call call) {
    const Running running(*loop_);
    try {
      call();
    } catch (const std::exception& thrown) {
      handler_threw(thrown.what());
    } catch (...) {
      handler_threw("something that is no std::exception");
    }
  }
  template <class... Parameters, class... Arguments>
  void tell(void (Handler::*call)(Parameters...), Arguments&&... arguments) {
    guarded([&] { ((*handler_).*call)(*this, arguments...); });
  }
  void handler_threw(std::string_view what);

  // Bytes from the peer: stream_input.cpp.
  void process();
  void process_steps();
  bool process_secure();
  bool handle(Event& event);
  void completed(const HandshakeComplete& complete);
  void attach(std::shared_ptr<void> attachment);
  void make_answers();
  /// For the handler; null where nobody answers, or the handshake is over and has left none.
  [[nodiscard]] Answers* answers_in_handshake();
  void renegotiates(bool suspended);
  void renegotiated();
  void become_plain();
  bool goes_on_in_plain_text(const Error& error);
  void end_of_input();
  void tell_end();
  void append(Block* block);
  Block*& last_input() noexcept;
  void close_read();
  void pull();
  void update_full() noexcept;
  [[nodiscard]] Bytes unread() const noexcept;
  [[nodiscard]] Bytes unread_early() const noexcept;
  void consume(std::size_t size) noexcept;
  void settle();
  void discard_input() noexcept;
  void bytes_came() noexcept;
  void heard() noexcept;
  // Bytes to the peer: stream_output.cpp.
  IoResult<std::size_t> writev_now(std::span<const Bytes> pieces);
  IoResult<std::size_t> write_early(Bytes bytes);
  Block* tail_with(std::size_t space, std::uint8_t record_type = 0);
  bool queue_handshake();
  void say_close();
  void tell_writable();
  [[nodiscard]] bool takes_data() const noexcept;
  [[nodiscard]] bool may_hold_output() const noexcept;
  [[nodiscard]] bool holds_output() const noexcept {
    return held_until_ != TimerWheel::kNever && active() && outbound_ == Outbound::open;
  }
  void release_output() noexcept;
  void drop_output() noexcept;
  void taken(std::size_t size) noexcept;
  struct WriteBounds {
    std::size_t high;
    std::size_t low;
  };
  [[nodiscard]] WriteBounds write_bounds() const noexcept;
  // Record protection in the kernel: stream_kernel.cpp.
  void enter_kernel_tls();
  void take_keys(TrafficKeys keys);
  void install_waiting_keys();
  bool queue_kernel_records();
  [[nodiscard]] bool kernel_sends() const noexcept;
  [[nodiscard]] bool keys_wait() const noexcept;
  // Beginning and ending: stream_life.cpp.
  void next_address();
  void tell_open();
  void start_if_due();
  void expect_handshake();
  void begin_tls();
  [[nodiscard]] std::optional<Session> resume_by_itself(ClientOptions& client, ClientSessions& sessions);
  void end_handshake() noexcept;
  [[nodiscard]] const std::shared_ptr<StreamRef::Control>& control();
  void drop_secure() noexcept;
  void start_closing();
  [[nodiscard]] Closing closing(bool told) const;
  void finish_output();
  void finish();
  void fail(IoError error);
  void give_up(IoError error);
  void give_up_by_application(IoError error, Alert why);
  void tell_closed(const IoError* error);
  void out_of_memory(Operation operation);
  void deadline_passed();
  void closing_deadline_passed();
  void output_stalled();
  [[nodiscard]] IoError tls_error(Operation operation) const;
  [[nodiscard]] IoError located(IoError error) const;
  [[nodiscard]] std::string peer_text() const;

  void mark_dirty() noexcept;
  void arm_timer() noexcept;
  [[nodiscard]] std::uint64_t earliest_deadline() const noexcept;
  [[nodiscard]] std::uint64_t idle_deadline() const noexcept;
  [[nodiscard]] std::uint64_t output_deadline() const noexcept;
  [[nodiscard]] bool in_handshake() const noexcept { return ListNode<Handshaking>::listed(); }
  [[nodiscard]] Operation reading() const noexcept { return in_handshake() ? Operation::handshake : Operation::read; }
  [[nodiscard]] Time engine_time() const noexcept {
    return options_->clock == nullptr ? system_time() : options_->clock();
  }

  LoopCore* loop_;
  std::shared_ptr<const Options> options_;
  Descriptor socket_;
  std::variant<Unopened, Connecting, Open, Closing, Ended> phase_;
  std::optional<Move> move_;
  Layer layer_ = Layer::plain;
  Inbound inbound_ = Inbound::open;
  Outbound outbound_ = Outbound::open;
  Processing processing_ = Processing::idle;
  Until read_until_ = Until::next_bytes;
  bool due_ = false;                  // to be processed in the next turn
  bool paused_ = false;               // by the application
  bool read_closed_ = false;          // what comes is thrown away
  bool full_ = false;                 // above read_high, not yet below read_low
  bool writer_waits_ = false;         // a write was cut short
  bool downgrading_ = false;          // plain text follows the peer's close_notify
  bool output_dropped_ = false;       // given up while it was pinned
  std::optional<int> transport_end_;  // 0, or the errno; what came before it comes first
  int send_error_ = 0;                // while moving
  std::unique_ptr<Handler> handler_;
  std::unique_ptr<Secure> secure_;
  std::unique_ptr<Pending> pending_;  // until the handshake begins
  std::unique_ptr<IoError> trouble_;  // sending failed; what the peer still said may tell more
  Block* in_ = nullptr;
  Block* out_first_ = nullptr;
  Block* out_last_ = nullptr;
  std::size_t out_pending_ = 0;
  std::uint64_t taken_ = 0;  // bytes that the peer has taken since `last_progress_`
  Traffic traffic_;
  // Ticks of the loop's wheel.
  std::uint64_t deadline_ = TimerWheel::kNever;  // of connecting, of the handshake, of a downgrade
  std::uint64_t read_deadline_ = TimerWheel::kNever;
  std::uint64_t write_deadline_ = TimerWheel::kNever;
  std::uint64_t held_until_ = TimerWheel::kNever;  // output that waits for what the application says
  std::uint64_t last_activity_ = 0;
  std::uint64_t last_progress_ = TimerWheel::kNever;  // of output, while there is some
  std::string server_name_;
  std::shared_ptr<StreamRef::Control> control_;
};

/// With Options::kernel_tls, once that was tried.
struct StreamCore::Kernel {
  bool sending = false;
  bool receiving = false;
  kernel_tls::Control control;  // of the record that is being sent, which the kernel may read until that is done
  std::string why_not;
  std::optional<TrafficKeys> waiting;  // for what comes behind the output
};

struct StreamCore::Secure {
  Connection connection;
  RandomSource& random;
  std::unique_ptr<Answers> answers{};  // while there is something to answer, and as long as they hold a verdict
  void* memory = nullptr;              // the handshake's
  ClientSessions sessions{};
  std::vector<std::uint8_t> early{};  // data that is held back until the handshake is complete
  std::size_t early_taken = 0;
  std::unique_ptr<Kernel> kernel{};
  std::unique_ptr<KeyLog> key_log{};  // where there is one
};

/// What is kept for a client's handshake that has not begun.
struct StreamCore::Pending {
  std::optional<x509::PeerName> name{};
  std::optional<x509::PeerName> server_name{};
  std::vector<Session> sessions{};
  std::uint64_t end = TimerWheel::kNever;  ///< of dialling as a whole: Options::dial_timeout
  std::shared_ptr<void> attachment{};
};

}  // namespace lockstep::loop
