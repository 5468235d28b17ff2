#pragma once
// DER in buffers of Botan's, which are wiped when freed.

#include <botan/secmem.h>

#include "common/der.hpp"

namespace lockstep::botan::der {

using namespace lockstep::der;

using Buffer = Botan::secure_vector<std::uint8_t>;

inline Buffer value(std::uint8_t tag, std::initializer_list<Bytes> parts) {
  return lockstep::der::value<Buffer>(tag, parts);
}

}  // namespace lockstep::botan::der
