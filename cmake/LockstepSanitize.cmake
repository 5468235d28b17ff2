# LOCKSTEP_SANITIZE applies to the whole build, because a sanitizer that sees half of a program misses what crosses the border.
if(LOCKSTEP_SANITIZE)
  add_compile_options("-fsanitize=${LOCKSTEP_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_compile_definitions(LOCKSTEP_SANITIZED)
  add_link_options("-fsanitize=${LOCKSTEP_SANITIZE}")
  # Sanitized programs are large, and there are many. This linker takes a third of the time.
  include(CheckLinkerFlag)
  check_linker_flag(CXX -fuse-ld=lld LOCKSTEP_HAS_LLD)
  if(LOCKSTEP_HAS_LLD)
    add_link_options(-fuse-ld=lld)
  endif()
endif()

# lockstep_unoptimised_if_sanitized(TARGET): for what drives the libraries. Under sanitizers its optimisation would cost more time than it saves.
function(lockstep_unoptimised_if_sanitized target)
  if(LOCKSTEP_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()
