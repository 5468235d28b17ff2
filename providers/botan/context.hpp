#pragma once
// A context whose storage holds one pointer to an object on the heap. It may be moved with memcpy, as every context
// may.

#include <cstring>
#include <memory>

namespace lockstep::botan {

template <class Object>
Object* held(const void* context) noexcept {
  Object* object = nullptr;
  std::memcpy(&object, context, sizeof object);
  return object;
}

template <class Object>
void hold(void* context, std::unique_ptr<Object> object) noexcept {
  Object* const raw = object.release();
  std::memcpy(context, &raw, sizeof raw);
}

template <class Object>
void drop(void* context) noexcept {
  delete held<Object>(context);
  std::memset(context, 0, sizeof(Object*));
}

}  // namespace lockstep::botan
