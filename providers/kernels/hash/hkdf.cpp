#include <cstring>

#include "bytes.hpp"
#include "lockstep/kernels_hash.hpp"

namespace lockstep::kernels {
namespace {

// RFC 9846 7.1: struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel;
struct HkdfLabel {
  std::uint8_t bytes[2 + 1 + 255 + 1 + 255];
};

// The size of the encoded label, 0 when it cannot be encoded.
std::size_t encode(HkdfLabel& encoded, const LabelJob& job) noexcept {
  if (job.label.size() > 255 || job.context.size() > 255 || job.out.size() > 0xffff) {
    return 0;
  }
  std::uint8_t* to = encoded.bytes;
  *to++ = static_cast<std::uint8_t>(job.out.size() >> 8);
  *to++ = static_cast<std::uint8_t>(job.out.size());
  *to++ = static_cast<std::uint8_t>(job.label.size());
  if (!job.label.empty()) {
    std::memcpy(to, job.label.data(), job.label.size());
    to += job.label.size();
  }
  *to++ = static_cast<std::uint8_t>(job.context.size());
  if (!job.context.empty()) {
    std::memcpy(to, job.context.data(), job.context.size());
    to += job.context.size();
  }
  return static_cast<std::size_t>(to - encoded.bytes);
}

}  // namespace

bool hkdf_expand_labels(const Hash& hash, std::span<const LabelJob> jobs) noexcept {
  // A context is as a rule the digest of public messages, but may be anything: it is wiped.
  constexpr std::size_t kAtOnce = 4;
  HkdfLabel labels[kAtOnce];
  ExpandJob expansions[kAtOnce];
  bool ok = true;
  while (ok && !jobs.empty()) {
    const std::size_t count = jobs.size() < kAtOnce ? jobs.size() : kAtOnce;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t size = encode(labels[i], jobs[i]);
      ok = ok && size != 0;
      expansions[i] = {jobs[i].secret, {labels[i].bytes, size}, jobs[i].out};
    }
    ok = ok && hash.expand({expansions, count});
    for (std::size_t i = 0; i < count; ++i) {
      wipe(labels[i].bytes, expansions[i].info.size());
    }
    jobs = jobs.subspan(count);
  }
  return ok;
}

}  // namespace lockstep::kernels
