#pragma once

// A region in which every function may use the named instructions, for both compilers' ways of saying so. Everything
// that the region includes from elsewhere must have been included before it, or it would use them too.
//     LOCKSTEP_TARGET_BEGIN("avx2,vaes")
//     namespace lockstep::kernels::vaes_256 { ... }
//     LOCKSTEP_TARGET_END
#define LOCKSTEP_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define LOCKSTEP_TARGET_BEGIN(features) \
  LOCKSTEP_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define LOCKSTEP_TARGET_END LOCKSTEP_PRAGMA(clang attribute pop)
#define LOCKSTEP_UNROLL LOCKSTEP_PRAGMA(clang loop unroll(full))
#else
#define LOCKSTEP_TARGET_BEGIN(features) \
  LOCKSTEP_PRAGMA(GCC push_options)     \
  LOCKSTEP_PRAGMA(GCC target(features))
#define LOCKSTEP_TARGET_END LOCKSTEP_PRAGMA(GCC pop_options)
#define LOCKSTEP_UNROLL LOCKSTEP_PRAGMA(GCC unroll 32)
#endif

#if defined(LOCKSTEP_CHECK_SECRETS)
// Where speed does not matter, time to compile does.
#undef LOCKSTEP_UNROLL
#define LOCKSTEP_UNROLL
#endif

// What the algorithm texts are made of: always part of the caller's instruction set and register allocation.
#define LOCKSTEP_INLINE [[gnu::always_inline]] static inline
