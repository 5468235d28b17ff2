#pragma once
// The event loop over io_uring(7): one ring for a loop, multishot accept and receive into buffers that the kernel
// chooses, all sends of a turn in one system call. Linux 6.0 or later.
//
//     auto loop = uring::make_loop();
//     if (!loop) loop = epoll::make_loop();  // older kernels, and those where io_uring is switched off
//
// A loop belongs to the thread that first runs it.

#include <memory>

#include <lockstep/export.hpp>
#include <lockstep/io.hpp>
#include <lockstep/loop.hpp>

namespace lockstep::uring {

/// A loop, or why the system would not make one: ENOSYS or EPERM where there is no io_uring or it is not allowed,
/// EMFILE, ENOMEM.
[[nodiscard]] LOCKSTEP_API IoResult<std::unique_ptr<loop::Loop>> make_loop(const loop::LoopOptions& options = {});

}  // namespace lockstep::uring
