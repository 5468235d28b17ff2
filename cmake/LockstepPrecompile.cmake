# Most of a compiler's time here goes into the same standard headers and those of GoogleTest, CLI11 and the JSON library. They are read once and
# kept (a precompiled header). What is installed must compile without that, so some of tools/test's steps build with LOCKSTEP_PRECOMPILE=OFF.
option(LOCKSTEP_PRECOMPILE "Precompile the headers that most sources include" "${PROJECT_IS_TOP_LEVEL}")

set(LOCKSTEP_STANDARD_HEADERS
  <algorithm> <array> <chrono> <cstddef> <cstdint> <cstring> <expected> <functional> <memory> <optional> <span> <string> <string_view>
  <utility> <variant> <vector>)

# lockstep_precompile(TARGET [HEADER...] [AS TARGET])
# TARGET's sources start with the standard headers and these. AS takes what another target, compiled the same way, has precompiled.
function(lockstep_precompile target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "AS" "")
  if(NOT LOCKSTEP_PRECOMPILE)
    return()
  endif()
  if(DEFINED arg_AS)
    target_precompile_headers(${target} REUSE_FROM ${arg_AS})
  else()
    target_precompile_headers(${target} PRIVATE ${LOCKSTEP_STANDARD_HEADERS} ${arg_UNPARSED_ARGUMENTS})
  endif()
  # What ccache needs: the same bytes from the same headers.
  target_compile_options(${target} PRIVATE "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>" "$<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>")
endfunction()
