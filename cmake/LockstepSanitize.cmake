# LOCKSTEP_SANITIZE applies to the whole build, because a sanitizer that sees half of a program misses what crosses the border.
if(LOCKSTEP_SANITIZE)
  add_compile_options("-fsanitize=${LOCKSTEP_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_compile_definitions(LOCKSTEP_SANITIZED)
  add_link_options("-fsanitize=${LOCKSTEP_SANITIZE}")
endif()
