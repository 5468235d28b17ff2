#pragma once

// Every header but version.hpp comes by here before it says anything of its own. After #error a compiler goes on, and a
// thousand errors bury the one that says why; a file that is not there ends it.
#if __cplusplus < 202100L
#include "Lockstep needs C++23: compile with -std=c++23"
#endif

/// Marks what a Lockstep library shows to its users. Everything is compiled with hidden visibility, so that a shared
/// build exports the functions and classes that carry this mark and nothing else. It has no effect on a static build.
#define LOCKSTEP_API __attribute__((visibility("default")))
