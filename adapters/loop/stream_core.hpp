#pragma once
// A stream between its backend and its handler: bytes in, engine, plaintext out, and back.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <sys/uio.h>

#include <lockstep/loop.hpp>

#include "loop/blocks.hpp"
#include "loop/timer_wheel.hpp"

namespace lockstep::loop {

/// Where a `StreamRef` finds its stream. The mutex is held while the stream moves or ends.
struct StreamRef::Control {
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

class LOCKSTEP_API StreamCore final : public Stream,
                                      public Timer,
                                      public ListNode<AllStreams>,
                                      public ListNode<Handshaking>,
                                      public ListNode<Dirty> {
 public:
  enum class Phase : std::uint8_t {
    connecting,  ///< no transport yet, or not handed to the backend
    open,
    flushing,   ///< over for the handler; queued bytes still go out
    lingering,  ///< our direction has ended; the peer's is awaited and discarded
    moving,     ///< on its way to another loop
    releasing,  ///< the backend is letting go; then it is destroyed
  };

  StreamCore(LoopCore& loop, std::shared_ptr<const Options> options, Descriptor socket);
  ~StreamCore();

  // --- for the loop (stream_life.cpp) ---

  void set_handler(std::unique_ptr<Handler> handler) noexcept { handler_ = std::move(handler); }
  /// What a client needs when its handshake begins.
  void set_target(Target&& target);
  /// Connects, from the loop's next turn on.
  void dial(std::vector<std::pair<sockaddr_storage, socklen_t>> addresses, std::string what);
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
  /// Ends at once.
  void abort(IoError error);
  /// Leaves this loop's accounts, and enters the other's.
  void leave() noexcept;
  void adopt(LoopCore& loop);
  /// No other thread finds it any more.
  void unname() noexcept;
  /// Runs what came from another thread.
  void run(std::move_only_function<void(Stream&)> function);

  // --- for the backend ---

  [[nodiscard]] int socket() const noexcept { return socket_.number(); }
  [[nodiscard]] Phase phase() const noexcept { return phase_; }
  void connected(int error);
  [[nodiscard]] bool wants_receive() const noexcept;
  [[nodiscard]] bool has_output() const noexcept { return out_pending_ != 0; }
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
  void sent(std::size_t size);
  void send_failed(int error);
  void released();
  /// `update` is to be called again.
  void look_again() noexcept { mark_dirty(); }

  /// The backend's own. (Aligned so that backends may keep a few bits in a stream's address; g++-12 takes no alignas
  /// beside LOCKSTEP_API.)
  alignas(16) std::uint32_t backend_flags = 0;
  std::uint32_t in_flight = 0;
  /// The kernel reads what `output` gave: those bytes stay, even if they are given up meanwhile.
  bool output_pinned = false;

 private:
  friend class Stream;
  friend class LoopCore;
  struct Secure;
  struct Pending;
  struct Kernel;

  // Bytes from the peer: stream_input.cpp.
  void process();
  void process_steps();
  bool process_secure();
  bool handle(Event& event);
  void completed(const HandshakeComplete& complete);
  void become_plain();
  void end_of_input();
  void append(Block* block);
  Block*& last_input() noexcept;
  void pull();
  void update_full() noexcept;
  [[nodiscard]] Bytes unread() const noexcept;
  [[nodiscard]] Bytes unread_early() const noexcept;
  void consume(std::size_t size) noexcept;
  void settle();
  void discard_input() noexcept;
  // Bytes to the peer: stream_output.cpp.
  IoResult<std::size_t> writev_now(std::span<const Bytes> pieces);
  Block* tail_with(std::size_t space, std::uint8_t record_type = 0);
  bool queue_handshake();
  void say_close();
  void tell_writable();
  void drop_output() noexcept;
  // Record protection in the kernel: stream_kernel.cpp.
  void enter_kernel_tls();
  void take_keys(TrafficKeys keys);
  void install_waiting_keys();
  bool queue_kernel_records();
  [[nodiscard]] bool kernel_sends() const noexcept;
  [[nodiscard]] bool keys_wait() const noexcept;
  // Beginning and ending: stream_life.cpp.
  void next_address();
  void expect_handshake();
  void begin_tls();
  void end_handshake() noexcept;
  void drop_secure() noexcept;
  void start_closing();
  void finish_output();
  void finish();
  void fail(IoError error);
  void tell_closed(const IoError* error);
  void out_of_memory(Operation operation);
  void phase_deadline_passed();
  [[nodiscard]] IoError tls_error(Operation operation) const;
  [[nodiscard]] IoError located(IoError error) const;
  [[nodiscard]] std::string peer_text() const;

  void mark_dirty() noexcept;
  void arm_timer() noexcept;
  [[nodiscard]] std::uint64_t earliest_deadline() const noexcept;
  [[nodiscard]] std::uint64_t idle_deadline() const noexcept;
  [[nodiscard]] bool in_handshake() const noexcept { return ListNode<Handshaking>::listed(); }
  [[nodiscard]] Operation reading() const noexcept { return in_handshake() ? Operation::handshake : Operation::read; }
  [[nodiscard]] Time engine_time() const noexcept {
    return options_->clock == nullptr ? system_time() : options_->clock();
  }

  LoopCore* loop_;
  std::shared_ptr<const Options> options_;
  Descriptor socket_;
  Phase phase_ = Phase::connecting;
  bool tls_wanted_ = false;  // by the options, and not begun
  bool in_process_ = false;
  bool again_ = false;
  bool continue_ = false;      // process in the next turn
  bool paused_ = false;        // by the application
  bool full_ = false;          // above read_high, not yet below read_low
  bool writer_waits_ = false;  // a write was cut short
  bool write_closed_ = false;
  bool close_waits_ = false;  // close_notify goes out once the handshake is complete
  bool peer_closed_ = false;  // close_notify came
  bool transport_ended_ = false;
  bool end_told_ = false;
  bool dropped_ = false;  // output was given up while it was pinned
  bool downgrading_ = false;
  bool told_ = false;  // on_closed was called
  bool handshake_done_ = false;
  bool shut_when_sent_ = false;  // plain text: our direction ends behind what is queued
  bool awaiting_end_ = false;    // lingering until the peer ends
  std::unique_ptr<Handler> handler_;
  std::unique_ptr<Secure> secure_;
  std::unique_ptr<Pending> pending_;  // until the handshake begins, or the connection stands
  std::unique_ptr<IoError> trouble_;  // sending failed; what the peer still said may tell more
  int receive_error_ = 0;             // what came before it comes first
  int send_error_ = 0;                // while moving
  Block* in_ = nullptr;
  Block* out_first_ = nullptr;
  Block* out_last_ = nullptr;
  std::size_t out_pending_ = 0;
  Traffic traffic_;
  // Ticks of the loop's wheel.
  std::uint64_t phase_deadline_ = TimerWheel::kNever;  // connecting, handshake, linger
  std::uint64_t read_deadline_ = TimerWheel::kNever;
  std::uint64_t write_deadline_ = TimerWheel::kNever;
  std::uint64_t last_activity_ = 0;
  std::uint64_t last_progress_ = 0;  // of output
  std::string server_name_;
  std::shared_ptr<StreamRef::Control> control_;
  Loop* move_target_ = nullptr;
};

/// With Options::kernel_tls, once that was tried.
struct StreamCore::Kernel {
  bool sending = false;
  bool receiving = false;
  std::string why_not;
  std::optional<TrafficKeys> waiting;  // for what comes behind the output
};

struct StreamCore::Secure {
  Connection connection;
  RandomSource& random;
  std::unique_ptr<Answers> answers{};  // while there is something to answer, and as long as they hold a verdict
  void* memory = nullptr;              // the handshake's
  std::vector<Session> sessions{};
  std::vector<std::uint8_t> early{};  // data that is held back until the handshake is complete
  std::size_t early_taken = 0;
  std::unique_ptr<Kernel> kernel{};
};

/// What is kept for a handshake that has not begun, and for a connection that does not stand.
struct StreamCore::Pending {
  std::optional<x509::PeerName> name{};
  std::optional<x509::PeerName> server_name{};
  std::vector<Session> sessions{};
  std::vector<std::pair<sockaddr_storage, socklen_t>> addresses{};
  std::size_t next = 0;
  int last_error = 0;
  std::string what{};
  std::string attempts{};
};

}  // namespace lockstep::loop
