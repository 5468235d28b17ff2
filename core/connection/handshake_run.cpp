#include "connection/handshake_run.hpp"

#include <cstddef>
#include <memory>
#include <new>

#include <lockstep/connection.hpp>

#include "types/registers.hpp"

namespace lockstep::connection {
namespace {

// Left in a supplied block behind the run itself; below that it is not worth using.
constexpr std::size_t kLeastArena = 4096;

}  // namespace

HandshakeRun* HandshakeRun::create(const Config& config, RandomSource& random, MutableBytes memory) noexcept {
  void* place = memory.data();
  std::size_t room = memory.size();
  const bool fits = place != nullptr &&
                    std::align(alignof(HandshakeRun), sizeof(HandshakeRun), place, room) != nullptr &&
                    room - sizeof(HandshakeRun) >= kLeastArena;
  if (!fits) {
    room = Connection::kHandshakeMemory;
    place = ::operator new(room, std::align_val_t(alignof(HandshakeRun)), std::nothrow);
    if (place == nullptr) return nullptr;
  }
  const MutableBytes rest(static_cast<std::uint8_t*>(place) + sizeof(HandshakeRun), room - sizeof(HandshakeRun));
  return new (place) HandshakeRun(config, random, rest, !fits);
}

void HandshakeRun::Destroy::operator()(HandshakeRun* run) const noexcept {
  const bool on_heap = run->on_heap_;
  run->~HandshakeRun();
  wipe({reinterpret_cast<std::uint8_t*>(run), sizeof(HandshakeRun)});
  if (on_heap) ::operator delete(run, std::align_val_t(alignof(HandshakeRun)));
  wipe_registers();
  wipe_stack();
}

}  // namespace lockstep::connection
