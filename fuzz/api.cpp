// Schedules: calls at both ends in any order, answers that are late, wrong or missing, records that are offloaded or
// meddled with. The same as tests/schedules plays from seeds, here where coverage leads.

#include <cstdio>

#include <lockstep/fuzzing.hpp>

#include "library/schedule.hpp"

using namespace lockstep;
using namespace lockstep::fuzzing;

/// AddressSanitizer's, where it is linked.
extern "C" [[gnu::weak]] std::size_t __sanitizer_get_current_allocated_bytes();

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Stage stage(fake::provider(), __sanitizer_get_current_allocated_bytes);
  Choices choices({data, size});
  const Played played = play(stage, choices);
  if (!played.broken.empty()) std::fprintf(stderr, "%s\n", played.log.c_str());
  require(played.broken.empty(), played.broken.c_str());
  return 0;
}
