// The backend over io_uring. Operations are queued while the loop works and submitted together when it waits.
//
// A receive takes one buffer and is then asked for again: a stream gets one in each turn, and none that its reader has
// no room for. (A receive that goes on by itself takes as many as there are before anybody can say that it is enough.)

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <liburing.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lockstep/uring.hpp>

#include "common/kernel_tls.hpp"
#include "common/sockets.hpp"
#include "loop/backend.hpp"
#include "loop/loop_core.hpp"
#include "loop/stream_core.hpp"

namespace lockstep::uring {
namespace {

using loop::Block;
using loop::ListenerCore;
using loop::LoopCore;
using loop::StreamCore;

constexpr unsigned kEntries = 1024;
constexpr unsigned kCompletions = 8192;
/// Blocks that the kernel can receive into.
constexpr unsigned kBuffers = 64;
constexpr int kGroup = 0;
/// How long to wait, in milliseconds, before memory for buffers is asked for again.
constexpr int kStarved = 10;

/// What an operation was, in the lowest four bits of its user data; the rest is the stream or listener.
enum Tag : std::uintptr_t { kIgnored = 0, kReceive = 1, kSend = 2, kAccept = 3, kWakeup = 4, kConnect = 8 };
constexpr std::uintptr_t kTagBits = 15;

// A stream's backend_flags.
constexpr std::uint32_t kReceiving = 1;
constexpr std::uint32_t kCanceling = 2;  // the receiving
constexpr std::uint32_t kLettingGo = 4;
constexpr std::uint32_t kQueued = 8;          // to receive from the next submission on
constexpr std::uint32_t kHungry = 16;         // the last receive found no buffer
constexpr std::uint32_t kDrained = 32;        // the last receive took all there was
constexpr std::uint32_t kAttempt = 1U << 8U;  // counts connection attempts, in three bits
constexpr std::uint32_t kAttemptMask = 7U << 8U;

class UringBackend final : public loop::Backend {
 public:
  UringBackend() = default;
  UringBackend(const UringBackend&) = delete;
  UringBackend& operator=(const UringBackend&) = delete;
  ~UringBackend() override {
    if (!made_) return;
    ::io_uring_queue_exit(&ring_);
    // The kernel ends what is in flight in its own time; until then the buffers are its own.
    if (in_flight_ != 0) return;
    if (buffers_ != nullptr) ::munmap(buffers_, kBuffers * sizeof(io_uring_buf));
    for (Block* block : blocks_) {
      if (block != nullptr) loop_->blocks().give(block);
    }
  }

  /// 0 or an errno.
  [[nodiscard]] int make() noexcept {
    wakeup_ = Descriptor(::eventfd(0, EFD_CLOEXEC));
    if (!wakeup_) return errno;
    // The thread that first waits is the one that the ring serves.
    for (const unsigned flags :
         {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED, IORING_SETUP_R_DISABLED}) {
      io_uring_params parameters{};
      parameters.flags = flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL;
      parameters.cq_entries = kCompletions;
      const int result = ::io_uring_queue_init_params(kEntries, &ring_, &parameters);
      if (result == 0) {
        made_ = true;
        break;
      }
      if (result != -EINVAL || flags == IORING_SETUP_R_DISABLED) return -result;
    }
    void* memory =
        ::mmap(nullptr, kBuffers * sizeof(io_uring_buf), PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    if (memory == MAP_FAILED) return errno;
    buffers_ = static_cast<io_uring_buf_ring*>(memory);
    ::io_uring_buf_ring_init(buffers_);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
    registration.ring_entries = kBuffers;
    registration.bgid = kGroup;
    return -::io_uring_register_buf_ring(&ring_, &registration, 0);
  }

  [[nodiscard]] std::string_view name() const noexcept override { return "io_uring"; }

  void attach(LoopCore& core) noexcept override {
    loop_ = &core;
    provide_buffers();
  }

  [[nodiscard]] int open(StreamCore& stream) noexcept override {
    stream.backend_flags &= kAttemptMask;
    return 0;  // `update` begins to receive
  }

  void connect(StreamCore& stream, const sockaddr* address, socklen_t size) noexcept override {
    stream.backend_flags = (stream.backend_flags + kAttempt) & kAttemptMask;
    io_uring_sqe* entry = prepare();
    if (entry == nullptr) {
      stream.connected(EBUSY);
      return;
    }
    ::io_uring_prep_connect(entry, stream.socket(), address, size);
    mark(entry, &stream, kConnect | attempt_of(stream));
    begun(stream);
    submit();  // the address is read then, and is the stream's
  }

  /// The socket is closed right after this, which the operation in flight, if there is one, does not notice.
  void abandon(StreamCore& stream) noexcept override {
    if (stream.in_flight == 0) return;
    const std::uint64_t attempt = user_data(&stream, kConnect | attempt_of(stream));
    if (!cancel(attempt)) owed_cancels_.push_back(attempt);
    submit();
  }

  void update(StreamCore& stream) noexcept override {
    if (stream.wants_send() && !stream.output_pinned) send(stream);
    const bool receiving = (stream.backend_flags & kReceiving) != 0;
    if (stream.wants_receive() && !receiving) {
      queue_receive(stream);
    } else if (!stream.wants_receive() && receiving && (stream.backend_flags & kCanceling) == 0) {
      if (cancel(user_data(&stream, kReceive))) {
        stream.backend_flags |= kCanceling;
      } else {
        stream.look_again();
      }
    }
  }

  void release(StreamCore& stream) noexcept override {
    if ((stream.backend_flags & kQueued) != 0) {
      queue_of(stream)[stream.backend_place] = nullptr;
      stream.backend_flags &= ~kQueued;
    }
    if (stream.in_flight == 0) {
      stream.released();
      return;
    }
    stream.backend_flags |= kLettingGo;
    if (!cancel_all(stream)) owed_releases_.push_back(&stream);
  }

  [[nodiscard]] int listen(ListenerCore& listener) noexcept override {
    io_uring_sqe* entry = prepare();
    if (entry == nullptr) return EBUSY;
    ::io_uring_prep_multishot_accept(entry, listener.socket.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    mark(entry, &listener, kAccept);
    listener.in_flight = true;
    return 0;
  }

  void unlisten(ListenerCore& listener) noexcept override {
    if (!listener.in_flight) {
      listener.released();
    } else if (!cancel(user_data(&listener, kAccept))) {
      owed_cancels_.push_back(user_data(&listener, kAccept));
    }
  }

  [[nodiscard]] bool wait(int milliseconds) noexcept override {
    enable();
    pay_cancels();
    if (!awaiting_wakeup_) await_wakeup();
    if (provided_ != 0) {
      receive_queued();
    } else if (milliseconds < 0 || milliseconds > kStarved) {
      milliseconds = kStarved;  // and then there may be memory again
    }
    int result = 0;
    if (milliseconds == 0) {
      result = ::io_uring_submit_and_get_events(&ring_);
    } else {
      io_uring_cqe* first = nullptr;
      __kernel_timespec time{.tv_sec = milliseconds / 1000, .tv_nsec = (milliseconds % 1000) * 1'000'000LL};
      result = ::io_uring_submit_and_wait_timeout(&ring_, &first, 1, &time, nullptr);
    }
    // The ring serves another thread. Other failures (EINTR, EAGAIN, EBUSY) pass; what was not submitted then is later.
    if (result == -EEXIST) return false;
    free_frames();
    loop_->refresh_now();
    // Completions are copied out in small batches: handling one may submit, and so bring more.
    std::array<io_uring_cqe, 128> batch;
    for (;;) {
      unsigned head = 0;
      unsigned count = 0;
      io_uring_cqe* completion = nullptr;
      io_uring_for_each_cqe(&ring_, head, completion) {
        batch[count++] = *completion;
        if (count == batch.size()) break;
      }
      if (count == 0) break;
      ::io_uring_cq_advance(&ring_, count);
      for (unsigned i = 0; i < count; ++i) complete(batch[i]);
      if (count < batch.size()) break;
    }
    provide_buffers();
    return true;
  }

  void wake() noexcept override {
    const std::uint64_t one = 1;
    (void)!::write(wakeup_.number(), &one, sizeof one);
  }

 private:
  /// The header and pieces of a send, which the kernel reads when it is submitted. (It reads what the header says of
  /// the record again whenever it tries again: that is the stream's.)
  struct Frame {
    msghdr message;
    std::array<iovec, 8> pieces;
  };

  static std::uint64_t user_data(const void* pointer, std::uintptr_t tag) noexcept {
    return reinterpret_cast<std::uintptr_t>(pointer) | tag;
  }
  static void mark(io_uring_sqe* entry, const void* pointer, std::uintptr_t tag) noexcept {
    ::io_uring_sqe_set_data64(entry, user_data(pointer, tag));
  }
  static std::uintptr_t attempt_of(const StreamCore& stream) noexcept {
    return (stream.backend_flags & kAttemptMask) / kAttempt;
  }

  void enable() noexcept {
    if (enabled_) return;
    enabled_ = ::io_uring_enable_rings(&ring_) == 0;
  }

  void submit() noexcept {
    enable();
    (void)::io_uring_submit(&ring_);
    free_frames();
  }

  /// The kernel has read them once everything is submitted.
  void free_frames() noexcept {
    if (::io_uring_sq_ready(&ring_) == 0) frames_used_ = 0;
  }

  /// A free entry; when there is none, what is queued is submitted. Null when the kernel takes no more.
  [[nodiscard]] io_uring_sqe* prepare() noexcept {
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
    if (entry != nullptr) return entry;
    submit();
    return ::io_uring_get_sqe(&ring_);
  }

  /// Whether that could be asked for.
  [[nodiscard]] bool cancel(std::uint64_t target) noexcept {
    io_uring_sqe* entry = prepare();
    if (entry == nullptr) return false;
    ::io_uring_prep_cancel64(entry, target, 0);
    mark(entry, nullptr, kIgnored);
    return true;
  }

  /// What could not be canceled when it should have been.
  void pay_cancels() noexcept {
    while (!owed_cancels_.empty() && cancel(owed_cancels_.back())) owed_cancels_.pop_back();
    while (!owed_releases_.empty()) {
      StreamCore* stream = owed_releases_.back();
      owed_releases_.pop_back();
      if (!cancel_all(*stream)) {
        owed_releases_.push_back(stream);
        break;
      }
    }
  }

  void queue_receive(StreamCore& stream) {
    if ((stream.backend_flags & kQueued) != 0) return;
    auto& queue = queue_of(stream);
    stream.backend_place = static_cast<std::uint32_t>(queue.size());
    queue.push_back(&stream);
    stream.backend_flags |= kQueued;
  }

  [[nodiscard]] std::vector<StreamCore*>& queue_of(const StreamCore& stream) noexcept {
    return (stream.backend_flags & kHungry) != 0 ? hungry_ : queued_;
  }

  /// Who found no buffer the last time comes first, so that floods starve nobody.
  void receive_queued() noexcept {
    for (auto* queue : {&hungry_, &queued_}) {
      for (StreamCore* stream : *queue) {
        if (stream == nullptr) continue;
        stream->backend_flags &= ~(kQueued | kHungry);
        if (stream->wants_receive()) receive(*stream);
      }
      queue->clear();
    }
  }

  void receive(StreamCore& stream) noexcept {
    io_uring_sqe* entry = prepare();
    if (entry == nullptr) return stream.look_again();
    ::io_uring_prep_recv(entry, stream.socket(), nullptr, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = kGroup;
    if ((stream.backend_flags & kDrained) != 0) entry->ioprio |= IORING_RECVSEND_POLL_FIRST;
    mark(entry, &stream, kReceive);
    stream.backend_flags = (stream.backend_flags | kReceiving) & ~kCanceling;
    begun(stream);
  }

  void begun(StreamCore& stream) noexcept {
    ++stream.in_flight;
    ++in_flight_;
  }
  void done(StreamCore& stream) noexcept {
    --stream.in_flight;
    --in_flight_;
  }

  void send(StreamCore& stream) noexcept {
    if (frames_used_ == frames_.size()) submit();
    io_uring_sqe* entry = frames_used_ == frames_.size() ? nullptr : prepare();
    if (entry == nullptr) return stream.look_again();
    Frame& frame = frames_[frames_used_++];
    frame.message = {};
    frame.message.msg_iov = frame.pieces.data();
    frame.message.msg_iovlen = stream.output(frame.pieces);
    const std::uint8_t type = stream.output_type();
    if (type != 0) kernel_tls::set_record_type(frame.message, stream.record_control(), type);
    const int flags = stream.says_last() ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
    if (frame.message.msg_iovlen == 1 && type == 0) {
      ::io_uring_prep_send(entry, stream.socket(), frame.pieces[0].iov_base, frame.pieces[0].iov_len, flags);
    } else {
      ::io_uring_prep_sendmsg(entry, stream.socket(), &frame.message, static_cast<unsigned>(flags));
    }
    mark(entry, &stream, kSend);
    stream.output_pinned = true;
    begun(stream);
  }

  /// Every operation of the stream, by its name: the kernel finds those at once, and those of a descriptor only among
  /// all that there are.
  [[nodiscard]] bool cancel_all(const StreamCore& stream) noexcept {
    const bool receiving = (stream.backend_flags & kReceiving) != 0;
    const bool connecting = stream.in_flight > (receiving ? 1U : 0U) + (stream.output_pinned ? 1U : 0U);
    return (!receiving || cancel(user_data(&stream, kReceive))) &&
           (!stream.output_pinned || cancel(user_data(&stream, kSend))) &&
           (!connecting || cancel(user_data(&stream, kConnect | attempt_of(stream))));
  }

  void await_wakeup() noexcept {
    io_uring_sqe* entry = prepare();
    awaiting_wakeup_ = entry != nullptr;
    if (entry == nullptr) return;
    ::io_uring_prep_read(entry, wakeup_.number(), &wakeups_, sizeof wakeups_, 0);
    mark(entry, nullptr, kWakeup);
  }

  /// Fills the ring of buffers up.
  void provide_buffers() noexcept {
    int added = 0;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      if (blocks_[i] != nullptr) continue;
      Block* block = loop_->blocks().take();
      if (block == nullptr) break;  // what ends for want of buffers begins again later
      blocks_[i] = block;
      ++provided_;
      ::io_uring_buf_ring_add(buffers_, block->bytes(), block->capacity, static_cast<unsigned short>(i),
                              ::io_uring_buf_ring_mask(kBuffers), added++);
    }
    if (added != 0) ::io_uring_buf_ring_advance(buffers_, added);
  }

  // --- completions ---

  void complete(const io_uring_cqe& completion) noexcept {
    const auto tag = static_cast<std::uintptr_t>(completion.user_data) & kTagBits;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): it was a pointer
    void* pointer = reinterpret_cast<void*>(static_cast<std::uintptr_t>(completion.user_data) & ~kTagBits);
    switch (tag) {
      case kIgnored: break;
      case kWakeup: awaiting_wakeup_ = false; break;
      case kAccept: accepted(*static_cast<ListenerCore*>(pointer), completion); break;
      case kReceive: received(*static_cast<StreamCore*>(pointer), completion); break;
      case kSend: sent(*static_cast<StreamCore*>(pointer), completion); break;
      default: connected(*static_cast<StreamCore*>(pointer), completion, tag); break;
    }
  }

  void received(StreamCore& stream, const io_uring_cqe& completion) noexcept {
    Block* block = nullptr;
    if ((completion.flags & IORING_CQE_F_BUFFER) != 0) {
      block = std::exchange(blocks_[completion.flags >> IORING_CQE_BUFFER_SHIFT], nullptr);
      --provided_;
      block->end = completion.res > 0 ? static_cast<std::uint32_t>(completion.res) : 0;
    }
    stream.backend_flags &= ~(kReceiving | kCanceling | kDrained);
    done(stream);
    if ((stream.backend_flags & kLettingGo) != 0 && stream.ended()) {
      if (block != nullptr) loop_->blocks().give(block);
    } else if (completion.res > 0) {
      if (block->end < block->capacity) stream.backend_flags |= kDrained;
      stream.received(block);
    } else {
      if (block != nullptr) loop_->blocks().give(block);
      if (completion.res == 0) {
        stream.receive_ended();
      } else if (completion.res == -ENOBUFS) {
        stream.backend_flags |= kHungry;
        loop_->count_buffer_shortage();
      } else if (completion.res != -ECANCELED && completion.res != -EINTR && completion.res != -EAGAIN) {
        stream.receive_failed(-completion.res);
      }
    }
    settled(stream);
  }

  void sent(StreamCore& stream, const io_uring_cqe& completion) noexcept {
    stream.output_pinned = false;
    done(stream);
    const bool passing = completion.res == -EAGAIN || completion.res == -EINTR || completion.res == -ENOBUFS ||
                         completion.res == -ECANCELED;
    if (completion.res >= 0 || passing) {
      stream.sent(static_cast<std::size_t>(completion.res < 0 ? 0 : completion.res));
    } else {
      stream.send_failed(-completion.res);
    }
    settled(stream);
  }

  void connected(StreamCore& stream, const io_uring_cqe& completion, std::uintptr_t tag) noexcept {
    done(stream);
    if (!owed_cancels_.empty()) std::erase(owed_cancels_, completion.user_data);
    if (tag == (kConnect | attempt_of(stream)) && stream.connecting()) {
      stream.connected(-completion.res);
    }
    settled(stream);
  }

  /// An operation has ended: whoever waits for that goes on.
  void settled(StreamCore& stream) noexcept {
    if ((stream.backend_flags & kLettingGo) != 0) {
      if (stream.in_flight == 0) {
        stream.backend_flags &= ~kLettingGo;
        std::erase(owed_releases_, &stream);
        stream.released();
      }
    } else if (!stream.ended()) {
      stream.look_again();
    }
  }

  void accepted(ListenerCore& listener, const io_uring_cqe& completion) noexcept {
    if ((completion.flags & IORING_CQE_F_MORE) == 0) listener.in_flight = false;
    if (completion.res >= 0) {
      listener.accepted(Descriptor(completion.res));
    } else if (completion.res != -ECANCELED) {
      // With no descriptor left it says so before there is a connection: it is not asked again at once.
      if (!listener.failed_once(-completion.res) && listener.listening && !listener.armed()) listener.rest();
    }
    if (listener.in_flight || !listener.listening) return;
    // It ended by itself, or was told to.
    if (completion.res == -ECANCELED || listener.closed || listener.held || listener.armed()) {
      listener.released();
    } else if (const int error = listen(listener); error != 0) {
      listener.failed(error);
    }
  }

  LoopCore* loop_ = nullptr;
  io_uring ring_{};
  bool made_ = false;
  bool enabled_ = false;
  io_uring_buf_ring* buffers_ = nullptr;
  std::array<Block*, kBuffers> blocks_{};
  unsigned provided_ = 0;  // of them, to the kernel
  Descriptor wakeup_;
  std::uint64_t wakeups_ = 0;
  bool awaiting_wakeup_ = false;
  std::vector<std::uint64_t> owed_cancels_;
  std::vector<StreamCore*> owed_releases_;
  std::vector<StreamCore*> hungry_;
  std::vector<StreamCore*> queued_;
  std::size_t in_flight_ = 0;
  std::vector<Frame> frames_ = std::vector<Frame>(kEntries);
  std::size_t frames_used_ = 0;
};

}  // namespace

IoResult<std::unique_ptr<loop::Loop>> make_loop(const loop::LoopOptions& options) {
  auto backend = std::make_unique<UringBackend>();
  if (const int error = backend->make(); error != 0) {
    IoError failure = sockets::system_error(Operation::listen, error);
    if (error == ENOSYS || error == EPERM || error == EINVAL) {
      failure.text +=
          "; io_uring needs Linux 5.19 and must be allowed (kernel.io_uring_disabled); epoll works everywhere";
    }
    return std::unexpected(std::move(failure));
  }
  return std::make_unique<loop::Loop>(std::make_unique<LoopCore>(std::move(backend), options));
}

}  // namespace lockstep::uring
