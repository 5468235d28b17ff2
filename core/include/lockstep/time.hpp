#pragma once
// Time is an argument everywhere: the engine reads no clock.

#include <chrono>

#include <lockstep/export.hpp>

namespace lockstep {

/// A moment of civil time, in milliseconds since 1970-01-01 UTC. Certificates and tickets are judged by it, so pass the
/// system's clock:
///
///     const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
using Time = std::chrono::sys_time<std::chrono::milliseconds>;

}  // namespace lockstep
