#pragma once

/// Marks what a Lockstep library shows to its users. Everything is compiled with hidden visibility, so that a shared
/// build exports the functions and classes that carry this mark and nothing else. It has no effect on a static build.
#define LOCKSTEP_API __attribute__((visibility("default")))
