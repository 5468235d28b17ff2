#include "record/sizer.hpp"

#include <algorithm>

namespace lockstep::record {

std::size_t RecordSizer::fragment_size(Time now, std::size_t max_fragment) const noexcept {
  const bool small = burst_ < kGrowAfter || now - last_ >= kIdle;
  return small ? std::min(kSegment, max_fragment) : max_fragment;
}

void RecordSizer::sent(std::size_t bytes, Time now) noexcept {
  if (now - last_ >= kIdle) burst_ = 0;
  burst_ += std::min(bytes, kGrowAfter - burst_);
  last_ = now;
}

}  // namespace lockstep::record
