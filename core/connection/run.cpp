#include "connection/run.hpp"

#include <cstddef>
#include <memory>
#include <new>

#include <lockstep/connection.hpp>

namespace lockstep::connection {
namespace {

// Left in a supplied block behind the run itself; below that it is not worth using.
constexpr std::size_t kLeastArena = 4096;

}  // namespace

Run* Run::create(const Config& config, RandomSource& random, MutableBytes memory) noexcept {
  void* place = memory.data();
  std::size_t room = memory.size();
  const bool fits = place != nullptr && std::align(alignof(Run), sizeof(Run), place, room) != nullptr &&
                    room - sizeof(Run) >= kLeastArena;
  if (!fits) {
    room = Connection::kHandshakeMemory;
    place = ::operator new(room, std::align_val_t(alignof(Run)), std::nothrow);
    if (place == nullptr) return nullptr;
  }
  const MutableBytes rest(static_cast<std::uint8_t*>(place) + sizeof(Run), room - sizeof(Run));
  return new (place) Run(config, random, rest, !fits);
}

void Run::Destroy::operator()(Run* run) const noexcept {
  const bool on_heap = run->on_heap_;
  run->~Run();
  wipe({reinterpret_cast<std::uint8_t*>(run), sizeof(Run)});
  if (on_heap) ::operator delete(run, std::align_val_t(alignof(Run)));
}

}  // namespace lockstep::connection
