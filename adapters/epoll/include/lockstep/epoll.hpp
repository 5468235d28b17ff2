#pragma once
// The event loop over epoll(7): Linux since 2.6.27.
//
//     auto loop = epoll::make_loop();
//     if (!loop) return fail(loop.error().text);
//     auto listener = (*loop)->listen("", 8443, options, [](loop::Stream&) { return std::make_unique<Echo>(); });
//     (*loop)->run();

#include <memory>

#include <lockstep/export.hpp>
#include <lockstep/io.hpp>
#include <lockstep/loop.hpp>

namespace lockstep::epoll {

/// A loop, or why the system would not make one (EMFILE, ENOMEM).
[[nodiscard]] LOCKSTEP_API IoResult<std::unique_ptr<loop::Loop>> make_loop(const loop::LoopOptions& options = {});

}  // namespace lockstep::epoll
