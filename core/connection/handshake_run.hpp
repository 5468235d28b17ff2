#pragma once
// A handshake with its memory and transport.

#include <memory>

#include <lockstep/config.hpp>

#include "connection/record_transport.hpp"
#include "handshake/handshake.hpp"

namespace lockstep::connection {

/// In one block, which is wiped and goes back when nothing needs it any more.
class HandshakeRun {
 public:
  /// In `memory` if it suffices, else on the heap. Null when there is no memory.
  static HandshakeRun* create(const Config& config, RandomSource& random, MutableBytes memory) noexcept;
  struct Destroy {
    /// Wipes everything.
    void operator()(HandshakeRun* run) const noexcept;
  };
  using Owner = std::unique_ptr<HandshakeRun, Destroy>;

  /// Has everything written to a tape, or to none.
  void record(trace::Tap* tap) noexcept {
    handshake.context().tap = tap;
    transport.attach(tap);
  }

  handshake::Arena arena;
  RecordTransport transport;
  handshake::Handshake handshake;

 private:
  HandshakeRun(const Config& config, RandomSource& random, MutableBytes rest, bool on_heap) noexcept
      : arena(rest, config.settings().handshake_memory),
        transport(config.settings(), arena),
        handshake({config, random, transport, arena}),
        on_heap_(on_heap) {}
  ~HandshakeRun() = default;
  bool on_heap_;
};

}  // namespace lockstep::connection
