include(GoogleTest)

option(LOCKSTEP_TESTS_TOGETHER "Compile a test program's sources in batches: quicker from nothing, slower after every change" OFF)

# What all tests start with, precompiled once for all of them: they are compiled alike.
function(lockstep_test_options target)
  lockstep_compile_options(${target})
  lockstep_unoptimised_if_sanitized(${target})
  target_compile_options(${target} PRIVATE
    # What is tested is optimised as it is shipped; a test's own code runs once, and its compilation would cost more than that.
    "$<$<CONFIG:Release>:-O1>"
    # With everything of a test inlined into its body, g++'s flow analysis warns of sizes that the container it looks at cannot have
    # (https://gcc.gnu.org/PR88443 gathers such reports). The libraries and tools keep these warnings, and the sanitizers watch the tests.
    "$<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds;-Wno-stringop-overflow;-Wno-stringop-overread;-Wno-free-nonheap-object>")
  # Tests look inside: core/ is on the path for internal headers, tests/ for what tests share.
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/core" "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/tests")
endfunction()

# lockstep_cache(VARIABLE NAME): the folder in which tools/setup keeps what it unpacks from Debian's packages under that name.
function(lockstep_cache variable name)
  cmake_path(SET cache NORMALIZE "$ENV{XDG_CACHE_HOME}")
  if(NOT cache)
    set(cache "$ENV{HOME}/.cache")
  endif()
  set(${variable} "${cache}/lockstep/${name}" PARENT_SCOPE)
endfunction()

# lockstep_ml_kem_vectors(): where NIST's (ACVP, in the public domain) and C2SP's (CCTV, CC0) test vectors for ML-KEM are, as Debian's
# librust-fips203-dev has them; tools/setup fetches them. Sets LOCKSTEP_ML_KEM_VECTORS and finds nlohmann_json, or neither is there.
macro(lockstep_ml_kem_vectors)
  lockstep_cache(unpacked ml_kem)
  find_path(LOCKSTEP_ML_KEM_VECTORS nist_vectors/ML-KEM-keyGen-FIPS203/internalProjection.json PATHS "${unpacked}" NO_DEFAULT_PATH
    DOC "Where ML-KEM's test vectors are: the folders nist_vectors and cctv_vectors")
  find_package(nlohmann_json 3 QUIET)
  if(NOT LOCKSTEP_ML_KEM_VECTORS OR NOT nlohmann_json_FOUND)
    message(STATUS "${CMAKE_CURRENT_SOURCE_DIR}: no vectors for ML-KEM (set LOCKSTEP_ML_KEM_VECTORS to their directory)")
  endif()
endmacro()

# lockstep_needs_valgrind(LABEL.NAME): what follows in this directory runs what is shipped, with Botan, under valgrind. Leaves the directory where
# that cannot be; where only valgrind is missing, the test is skipped and says so. Sets LOCKSTEP_VALGRIND and LOCKSTEP_VALGRIND_HEADERS.
macro(lockstep_needs_valgrind test)
  find_program(LOCKSTEP_VALGRIND valgrind DOC "valgrind, which follows secrets through whole handshakes and counts instructions")
  find_path(LOCKSTEP_VALGRIND_HEADERS valgrind/memcheck.h)
  if(NOT TARGET lockstep::botan OR LOCKSTEP_SANITIZE OR BUILD_SHARED_LIBS)
    return()  # a sanitizer's program does not run under valgrind
  endif()
  if(NOT LOCKSTEP_VALGRIND OR NOT LOCKSTEP_VALGRIND_HEADERS)
    add_test(NAME ${test} COMMAND "${CMAKE_COMMAND}" "-DTOOL=valgrind (Debian: valgrind)" -P "${PROJECT_SOURCE_DIR}/tests/kernels/missing.cmake")
    string(REGEX MATCH "^[a-z_]+" label ${test})
    set_tests_properties(${test} PROPERTIES LABELS ${label} SKIP_REGULAR_EXPRESSION "SKIPPED:")
    return()
  endif()
endmacro()

file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/test_headers.cpp" CONTENT "")
add_library(lockstep_test_headers OBJECT "${PROJECT_BINARY_DIR}/test_headers.cpp")
lockstep_test_options(lockstep_test_headers)
target_link_libraries(lockstep_test_headers PRIVATE GTest::gmock)
lockstep_precompile(lockstep_test_headers <format> <map> <set> <gmock/gmock.h> <gtest/gtest.h>)

# lockstep_test(NAME LABEL SOURCES FILE... [LIBS LIBRARY...] [WHOLE] [TIMEOUT SECONDS] [ENVIRONMENT NAME=VALUE...])
# A GoogleTest program. Its cases appear in ctest as LABEL.Suite.Case and carry the label, so that `ctest -L vectors` and
# `ctest -R '^vectors'` run the same set. WHOLE runs the program as one ctest case named LABEL.NAME: for cases that share costly set-up.
# LABEL is one of unit, vectors, pair, states, x509, interop, kernels, budget, install, symbols or a new word that README can explain.
function(lockstep_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "WHOLE" "LABEL;TIMEOUT" "SOURCES;LIBS;ENVIRONMENT")
  if(NOT DEFINED arg_LABEL)
    list(POP_FRONT arg_UNPARSED_ARGUMENTS arg_LABEL)
  endif()
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_LABEL OR NOT DEFINED arg_SOURCES)
    message(FATAL_ERROR "lockstep_test(${name}): expected NAME LABEL SOURCES..., got: ${ARGN}")
  endif()
  if(NOT DEFINED arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(LOCKSTEP_SANITIZE)
    math(EXPR arg_TIMEOUT "4 * ${arg_TIMEOUT}")
  endif()
  set(target test_${name})

  add_executable(${target} ${arg_SOURCES})
  lockstep_test_options(${target})
  target_compile_definitions(${target} PRIVATE LOCKSTEP_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE ${arg_LIBS} GTest::gmock GTest::gtest_main)
  lockstep_precompile(${target} AS lockstep_test_headers)
  # What the sources of a program share, and that is most of what each compiles, is then compiled once for eight of them.
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${LOCKSTEP_TESTS_TOGETHER} UNITY_BUILD_BATCH_SIZE 8)

  set(properties LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT})
  if(DEFINED arg_ENVIRONMENT)
    list(APPEND properties ENVIRONMENT "${arg_ENVIRONMENT}")
  endif()
  if(arg_WHOLE)
    add_test(NAME ${arg_LABEL}.${name} COMMAND ${target})
    # Skipped when nothing passed and the list of what was skipped is the end: failures would be listed behind it.
    set_tests_properties(${arg_LABEL}.${name} PROPERTIES ${properties}
      SKIP_REGULAR_EXPRESSION "\\[  PASSED  \\] 0 tests\\.\n(\\[  SKIPPED \\] [^\n]*\n)+$")
  else()
    gtest_discover_tests(${target} TEST_PREFIX "${arg_LABEL}." NO_PRETTY_VALUES DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
  endif()
endfunction()
