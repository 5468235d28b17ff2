#include "handshake/key_pairs.hpp"

#include <algorithm>
#include <cstring>

namespace lockstep::detail {

void move_private_key(const Group& group, void* to, void* from) noexcept {
  std::memcpy(to, from, group.context_size);
  wipe({static_cast<std::uint8_t*>(from), group.context_size});
}

bool KeyPairStock::take(const Group& group, void* context, MutableBytes share) noexcept {
  if (group_ != &group) clear();
  if (size_ == 0) make(group);
  if (size_ == 0) return false;
  Pair& pair = pairs_[--size_];
  move_private_key(group, context, pair.context.data());
  std::ranges::copy(pair.share, share.begin());
  return true;
}

void KeyPairStock::clear() noexcept {
  while (size_ != 0) group_->destroy(pairs_[--size_].context.data());
}

void KeyPairStock::make(const Group& group) noexcept {
  group_ = &group;
  std::array<GenerateJob, kMost> jobs;
  const auto due = std::span(jobs).first(std::min(group.width, kMost));
  for (std::size_t i = 0; i < due.size(); ++i) due[i] = {pairs_[i].context.data(), random_, pairs_[i].share};
  generate(group, due);
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (due[i].result != GroupResult::ok) continue;
    if (i != size_) {
      move_private_key(group, pairs_[size_].context.data(), pairs_[i].context.data());
      pairs_[size_].share = pairs_[i].share;
    }
    ++size_;
  }
}

}  // namespace lockstep::detail
