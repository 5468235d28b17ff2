#include "types/allocated.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace lockstep {
namespace {

TEST(Allocated, GivesWhatWasMade) {
  const auto text = allocated([] { return std::string("made"); });
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "made");
  const auto moved = allocated([] { return std::make_unique<int>(7); });
  ASSERT_TRUE(moved);
  EXPECT_EQ(**moved, 7);
  EXPECT_TRUE(allocated([] {}));
}

TEST(Allocated, GivesNothingWithoutMemory) {
  EXPECT_FALSE(allocated([]() -> std::string { throw std::bad_alloc(); }));
  EXPECT_FALSE(allocated([]() -> void { throw std::bad_alloc(); }));
  EXPECT_FALSE(allocated([]() -> int { throw std::bad_array_new_length(); })) << "a kind of bad_alloc";
}

}  // namespace
}  // namespace lockstep
