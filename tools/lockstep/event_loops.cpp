#include "event_loops.hpp"

#include <utility>

#include <lockstep/epoll.hpp>
#if LOCKSTEP_HAS_URING
#include <lockstep/uring.hpp>
#endif

#include "terminal.hpp"

namespace lockstep::tool {

std::vector<std::string> event_loop_names() {
#if LOCKSTEP_HAS_URING
  return {"epoll", "uring"};
#else
  return {"epoll"};
#endif
}

std::unique_ptr<loop::Loop> make_event_loop(const std::string& name) {
#if LOCKSTEP_HAS_URING
  auto loop = name == "uring" ? uring::make_loop() : epoll::make_loop();
#else
  auto loop = epoll::make_loop();
#endif
  if (!loop) throw Failure("no event loop over " + name + ": " + loop.error().text);
  return std::move(*loop);
}

}  // namespace lockstep::tool
