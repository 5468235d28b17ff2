# lockstep_add(DIRECTORY [BRINGS COMPONENT...] [IF CONDITION...])
# Adds a directory when it has a CMakeLists.txt and the condition holds. Whoever asks an installation for a component that was left out is told the
# condition.
function(lockstep_add directory)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "BRINGS;IF")
  if(NOT DEFINED arg_IF)
    set(arg_IF TRUE)
  endif()
  if(EXISTS "${PROJECT_SOURCE_DIR}/${directory}/CMakeLists.txt" AND (${arg_IF}))
    add_subdirectory("${PROJECT_SOURCE_DIR}/${directory}" "${PROJECT_BINARY_DIR}/${directory}")
  else()
    list(JOIN arg_IF " " condition)
    lockstep_left_out("${condition}" ${arg_BRINGS})
  endif()
endfunction()

# lockstep_left_out(CONDITION COMPONENT...): an installation lacks these, for want of the condition.
function(lockstep_left_out condition)
  foreach(component IN LISTS ARGN)
    set_property(GLOBAL APPEND PROPERTY LOCKSTEP_LEFT_OUT ${component})
    set_property(GLOBAL PROPERTY LOCKSTEP_LEFT_OUT_${component} "${condition}")
  endforeach()
endfunction()

# lockstep_library(lockstep_NAME DESCRIPTION TEXT
#   [SOURCES FILE...]            omitted: the target exists already; an INTERFACE library is headers alone
#   [INCLUDE DIRECTORY]          public headers, installed; default: include/ when there is one
#   [PUBLIC LIBRARY...] [PRIVATE LIBRARY...]
#   [DEPENDENCY "Botan 3"]       what find_package(lockstep COMPONENTS NAME) must find first
#   [PC_REQUIRES MODULE...]      the same for pkg-config, of libraries that are linked privately: "botan-3 >= 3.7"
#   [COMPONENT NAME])            installed only by `cmake --install BUILD --component NAME`
# A library of the product: alias lockstep::NAME, C++23, strict warnings, hidden visibility, installed and exported.
function(lockstep_library target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DESCRIPTION;INCLUDE;DEPENDENCY;COMPONENT" "SOURCES;PUBLIC;PRIVATE;PC_REQUIRES")
  if(DEFINED arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "lockstep_library(${target}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  elseif(NOT arg_DESCRIPTION)
    message(FATAL_ERROR "lockstep_library(${target}): a DESCRIPTION is missing")
  endif()
  string(REGEX REPLACE "^lockstep_" "" name "${target}")

  if(NOT TARGET ${target})
    if(NOT arg_SOURCES)
      message(WARNING "${target} has no sources yet")
      file(GENERATE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${target}.cpp" CONTENT "")
      set(arg_SOURCES "${CMAKE_CURRENT_BINARY_DIR}/${target}.cpp")
    endif()
    add_library(${target} ${arg_SOURCES})
    set(headers AS lockstep_headers)
    if(LOCKSTEP_FUZZ AND arg_COMPONENT)
      set(headers "")  # it is not instrumented, see below
    endif()
    lockstep_precompile(${target} ${headers})
  endif()
  if(NOT TARGET lockstep::${name})
    add_library(lockstep::${name} ALIAS ${target})
  endif()

  # Headers alone have no sources to compile with options, and all they say concerns their users.
  get_target_property(type ${target} TYPE)
  set(scope PUBLIC)
  if(type STREQUAL "INTERFACE_LIBRARY")
    set(scope INTERFACE)
  else()
    lockstep_compile_options(${target})
  endif()
  target_compile_features(${target} ${scope} cxx_std_23)
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${name}
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    DEFINE_SYMBOL ""  # static and shared builds compile the same way, so that ccache serves both
    POSITION_INDEPENDENT_CODE ON)
  if(NOT DEFINED arg_INCLUDE AND EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/include")
    set(arg_INCLUDE include)
  endif()
  if(DEFINED arg_INCLUDE)
    cmake_path(ABSOLUTE_PATH arg_INCLUDE BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    target_include_directories(${target} ${scope}
      "$<BUILD_INTERFACE:${arg_INCLUDE}>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  endif()
  target_link_libraries(${target} ${scope} ${arg_PUBLIC})
  if(arg_PRIVATE)
    target_link_libraries(${target} PRIVATE ${arg_PRIVATE})
  endif()

  # What serves fuzzing alone is no goal of it: paths through a fake hash would be taken for news.
  if(NOT arg_COMPONENT AND scope STREQUAL "PUBLIC")
    lockstep_instrument(${target})
  endif()

  set_property(GLOBAL APPEND PROPERTY LOCKSTEP_LIBRARIES ${target})
  set_target_properties(${target} PROPERTIES
    LOCKSTEP_DESCRIPTION "${arg_DESCRIPTION}"
    LOCKSTEP_INCLUDE "${arg_INCLUDE}"
    LOCKSTEP_DEPENDENCY "${arg_DEPENDENCY}"
    LOCKSTEP_COMPONENT "${arg_COMPONENT}"
    LOCKSTEP_PC_REQUIRES "${arg_PC_REQUIRES}")
endfunction()

# lockstep_instrument(TARGET): with LOCKSTEP_FUZZ, what libFuzzer watches. Tests do without, though they link the same libraries.
function(lockstep_instrument target)
  if(LOCKSTEP_FUZZ AND NOT LOCKSTEP_FUZZ_ENGINE)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# lockstep_compile_options(TARGET): what every target of this project is compiled with, library, tool or test.
function(lockstep_compile_options target)
  set_target_properties(${target} PROPERTIES
    CXX_STANDARD 23
    CXX_STANDARD_REQUIRED ON
    CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual
    -Wcast-qual -Wformat=2 -Wundef -Wimplicit-fallthrough -Wextra-semi -Wvla
    # g++ 12 sees overlaps in std::string's own code: https://gcc.gnu.org/PR105329
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
    -fstack-protector-strong
    $<$<BOOL:${LOCKSTEP_WERROR}>:-Werror>)
endfunction()

# What all libraries start with, precompiled once for those that are compiled alike.
if(LOCKSTEP_PRECOMPILE)
  file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/headers.cpp" CONTENT "")
  add_library(lockstep_headers OBJECT "${PROJECT_BINARY_DIR}/headers.cpp")
  lockstep_compile_options(lockstep_headers)
  target_compile_features(lockstep_headers PRIVATE cxx_std_23)
  set_target_properties(lockstep_headers PROPERTIES POSITION_INDEPENDENT_CODE ON)
  lockstep_precompile(lockstep_headers)
  lockstep_instrument(lockstep_headers)
endif()
