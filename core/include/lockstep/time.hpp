#pragma once
// Time as the engine sees it: an argument. No function of the engine reads a clock.

#include <chrono>

namespace lockstep {

/// Wall-clock time in milliseconds since the Unix epoch. Certificates and tickets are judged by it.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;

}  // namespace lockstep
