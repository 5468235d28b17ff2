// Hashes, HMAC and HKDF-Expand. Objects are made from a prototype, because making them by name costs several times as
// much.

#include <array>

#include <botan/hash.h>
#include <botan/mac.h>

#include "context.hpp"
#include "descriptors.hpp"

namespace lockstep::botan {
namespace {

using Botan::HashFunction;
using Botan::MessageAuthenticationCode;

struct Names {
  HashAlgorithm id;
  std::size_t digest_size;
  std::string_view hash;
  std::string_view hmac;
};

constexpr Names kSha256{HashAlgorithm::sha256, 32, "SHA-256", "HMAC(SHA-256)"};
constexpr Names kSha384{HashAlgorithm::sha384, 48, "SHA-384", "HMAC(SHA-384)"};
constexpr Names kSha512{HashAlgorithm::sha512, 64, "SHA-512", "HMAC(SHA-512)"};

template <const Names& names>
std::unique_ptr<HashFunction> new_hash() {
  static const std::unique_ptr<const HashFunction> prototype = HashFunction::create_or_throw(names.hash);
  return prototype->new_object();
}

template <const Names& names>
std::unique_ptr<MessageAuthenticationCode> new_hmac() {
  static const std::unique_ptr<const MessageAuthenticationCode> prototype =
      MessageAuthenticationCode::create_or_throw(names.hmac);
  return prototype->new_object();
}

template <const Names& names>
bool init(void* context) noexcept {
  try {
    hold(context, new_hash<names>());
    return true;
  } catch (...) {
    return false;
  }
}

void update(void* context, Bytes data) noexcept { held<HashFunction>(context)->update(data); }

bool digest(const void* context, MutableBytes out) noexcept {
  try {
    held<const HashFunction>(context)->copy_state()->final(out);
    return true;
  } catch (...) {
    return false;
  }
}

template <const Names& names>
bool hmac(Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept {
  if (out.size() != names.digest_size) return false;
  try {
    const auto mac = new_hmac<names>();
    mac->set_key(key);
    for (const Bytes segment : segments) mac->update(segment);
    mac->final(out);
    return true;
  } catch (...) {
    return false;
  }
}

/// RFC 5869 2.3.
void expand_one(MessageAuthenticationCode& mac, const ExpandJob& job) {
  mac.set_key(job.secret);
  Secret<kMaxDigestSize> block;
  MutableBytes rest = job.out;
  for (std::uint8_t counter = 1; !rest.empty(); ++counter) {
    mac.update(block.view());
    mac.update(job.info);
    mac.update(counter);
    block.resize(mac.output_length());
    mac.final(block.writable());
    const std::size_t size = std::min(rest.size(), block.size());
    std::ranges::copy(block.view().first(size), rest.begin());
    rest = rest.subspan(size);
  }
}

template <const Names& names>
bool expand(std::span<const ExpandJob> jobs) noexcept {
  try {
    const auto mac = new_hmac<names>();
    for (const ExpandJob& job : jobs) {
      // RFC 5869 2.3: "L length of output keying material in octets (<= 255*HashLen)"
      if (job.out.size() > 255 * names.digest_size) return false;
      expand_one(*mac, job);
    }
    return true;
  } catch (...) {
    return false;
  }
}

template <const Names& names>
constexpr Hash descriptor() {
  return {names.id, kImplementation, names.digest_size,  sizeof(HashFunction*), init<names>,
          update,   digest,          drop<HashFunction>, hmac<names>,           expand<names>};
}

constexpr std::array kHashes{descriptor<kSha256>(), descriptor<kSha384>(), descriptor<kSha512>()};

}  // namespace

std::vector<const Hash*> hashes() { return pointers(kHashes); }

}  // namespace lockstep::botan
