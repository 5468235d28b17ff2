#include "record/context_cache.hpp"

#include <utility>

namespace lockstep::record {

ContextCache::~ContextCache() {
  for (ContextSlot& slot : std::span(slots_, size_)) vacate(slot);
}

ContextCache::Stamp ContextCache::expand(const Aead& aead, Bytes key) noexcept {
  // Whatever comes of it: what was in the slot is gone, and its stamp must be too old from now on.
  const Stamp stamp = next_++;
  ContextSlot& place = slot(stamp);
  vacate(place);
  if (!aead.init(place.context.data(), key)) return kNone;
  place.aead = &aead;
  return stamp;
}

void ContextCache::vacate(ContextSlot& slot) noexcept {
  if (const Aead* const aead = std::exchange(slot.aead, nullptr)) aead->destroy(slot.context.data());
}

}  // namespace lockstep::record
