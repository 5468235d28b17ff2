#pragma once
// HKDF-Expand (RFC 5869 2.3) on any HMAC.

#include <lockstep/provider.hpp>

namespace lockstep {

/// `hmac(segments, out)` computes HMAC under one secret. False when `out` is longer than RFC 5869 allows.
template <class Hmac>
bool hkdf_expand(std::size_t digest_size, Bytes info, MutableBytes out, Hmac hmac) noexcept {
  // RFC 5869 2.3: "L length of output keying material in octets (<= 255*HashLen)"
  if (out.size() > 255 * digest_size) return false;
  Secret<kMaxDigestSize> block;
  for (std::uint8_t counter = 1; !out.empty(); ++counter) {
    const Bytes segments[] = {block.view(), info, {&counter, 1}};
    Secret<kMaxDigestSize> next(digest_size);
    hmac(segments, next.writable());
    block = std::move(next);
    const std::size_t size = std::min(out.size(), digest_size);
    std::ranges::copy(block.view().first(size), out.begin());
    out = out.subspan(size);
  }
  return true;
}

}  // namespace lockstep
