# A test that cannot run here: skipped, and with CI=true a failure.
if("$ENV{CI}" STREQUAL "true")
  message(FATAL_ERROR "${TOOL} is missing; tools/setup installs it")
endif()
message(STATUS "SKIPPED: ${TOOL} is missing; tools/setup installs it")
