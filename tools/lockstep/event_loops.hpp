#pragma once
// The event loops that this build has, by name.

#include <memory>
#include <string>
#include <vector>

#include <lockstep/loop.hpp>

namespace lockstep::tool {

/// "epoll", and "uring" where it was built.
[[nodiscard]] std::vector<std::string> event_loop_names();
/// Throws `Failure` when the system has none of that kind.
[[nodiscard]] std::unique_ptr<loop::Loop> make_event_loop(const std::string& name);

}  // namespace lockstep::tool
