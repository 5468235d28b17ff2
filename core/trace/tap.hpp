#pragma once
// Where a recorded connection writes. The engine knows no more of recording than this: it has a tap or none. Exported
// for lockstep::replay alone, which runs a connection with a tap of its own; installed for nobody.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <lockstep/connection.hpp>
#include <lockstep/event.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/tape.hpp>

#include "trace/fields.hpp"

namespace lockstep::handshake {
struct Agreed;
}

namespace lockstep::trace {

/// Entries in memory. Runs out of it without an exception, and wipes what it held.
class LOCKSTEP_API Journal {
 public:
  Journal() noexcept = default;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal() { truncate(0); }

  /// Room for so many bytes behind what there is; empty when there is no memory.
  [[nodiscard]] MutableBytes extend(std::size_t size) noexcept;
  [[nodiscard]] Bytes view() const noexcept { return {bytes_.get(), size_}; }
  void drop_front(std::size_t count) noexcept;
  void truncate(std::size_t size) noexcept;

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

class LOCKSTEP_API Tap final : public RandomSource {
 public:
  /// `secrets`: also write those of the key schedule, which a replay does.
  Tap(RandomSource& random, const RecorderOptions& options, bool secrets = false) noexcept
      : random_(&random), options_(options), secrets_(secrets) {}

  [[nodiscard]] bool fill(MutableBytes out) noexcept override;

  template <class E>
  void write(const E& entry) noexcept {
    if (stopped_) return;
    Measure measure(time_, shapes());
    fields(measure, entry);
    const MutableBytes room = begin(kKind<E>, measure.size());
    if (room.size() != measure.size()) return;
    Write out(time_, shapes(), room);
    fields(out, entry);
    time_ = out.last_time();
  }

  // Entries that take some doing.
  void start(const Config& config, const ClientOptions& options, Time now) noexcept;
  void receive(Bytes inbound, Time now) noexcept;
  void received(std::size_t consumed) noexcept;
  void seal(std::span<const Bytes> plaintext, std::size_t room, Time now, bool early = false) noexcept;
  void seal_in_place(const RecordSlot& slot, Time now) noexcept;
  void sealed(const std::expected<Sealed, Misuse>& result, Bytes outbound) noexcept;
  void sealed(const std::expected<MutableBytes, Misuse>& result, std::size_t payload) noexcept;
  void answer(TokenNumber token, const ConfigSelected& selected) noexcept;
  void answer(TokenNumber token, const Credential* credential) noexcept;
  void answer(TokenNumber token, const Session* session) noexcept;
  void told(const Event& event, const handshake::Agreed& agreed) noexcept;
  void message(Direction direction, Bytes message) noexcept;
  /// Only when it is another one than before.
  void state(std::string_view name) noexcept;
  void secret(std::string_view label, Bytes client_random, Bytes secret) noexcept;

  [[nodiscard]] const Journal& journal() const noexcept { return journal_; }
  void clear_journal() noexcept { journal_.truncate(0); }
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }

 private:
  void start_client(const ClientOptions& options, Time now);
  /// For entries that take memory to put together: where there is none, the recording ends.
  template <class Work>
  void put_together(Work work) noexcept;
  [[nodiscard]] bool shapes() const noexcept { return options_.contents == Contents::shapes; }
  /// Writes kind and length; the room for the rest, or none when the recording ends here.
  [[nodiscard]] MutableBytes begin(std::uint8_t kind, std::size_t size) noexcept;
  void stop(Stopped::Cause cause) noexcept;

  RandomSource* random_;
  RecorderOptions options_;
  Journal journal_;
  std::uint64_t written_ = 0;
  Time time_{};
  Journal unconsumed_;  // what was presented and not consumed
  std::string_view state_;
  bool secrets_;
  bool stopped_ = false;
};

/// The first line of a tape.
[[nodiscard]] LOCKSTEP_API std::string_view header_line(Contents contents) noexcept;

}  // namespace lockstep::trace
