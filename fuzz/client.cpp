// A client that hears what the fuzzer says, in any pieces.

#include "stream.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lockstep::fuzzing::stream(lockstep::Role::client, {data, size});
  return 0;
}
