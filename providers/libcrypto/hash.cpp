// Hashes, HMAC and HKDF-Expand on EVP.

#include <array>

#include <openssl/evp.h>

#include "descriptors.hpp"

namespace lockstep::libcrypto {
namespace {

struct Known {
  HashAlgorithm id;
  std::size_t digest_size;
  const char* name;
};
constexpr std::array kKnown{
    Known{HashAlgorithm::sha256, 32, "SHA2-256"},
    Known{HashAlgorithm::sha384, 48, "SHA2-384"},
    Known{HashAlgorithm::sha512, 64, "SHA2-512"},
};

using Digest = Owned<EVP_MD, EVP_MD_free>;
using Mac = Owned<EVP_MAC, EVP_MAC_free>;
using MacContext = Owned<EVP_MAC_CTX, EVP_MAC_CTX_free>;

/// Fetched once: fetching costs more than a short hash.
template <std::size_t number, std::size_t hash>
EVP_MD* digest_function() noexcept {
  static const Digest function(EVP_MD_fetch(library<number>().context, kKnown[hash].name, library<number>().query()));
  return function.get();
}
template <std::size_t number>
EVP_MAC* hmac_function() noexcept {
  static const Mac function(EVP_MAC_fetch(library<number>().context, "HMAC", library<number>().query()));
  return function.get();
}

template <std::size_t number, std::size_t hash>
bool init(void* context) noexcept {
  const Quiet quiet;
  DigestContext made(EVP_MD_CTX_new());
  EVP_MD* const function = digest_function<number, hash>();
  if (!made || function == nullptr || EVP_DigestInit_ex2(made.get(), function, nullptr) <= 0) return false;
  hold(context, made.release());
  return true;
}

void update(void* context, Bytes data) noexcept {
  const Quiet quiet;
  EVP_DigestUpdate(held<EVP_MD_CTX>(context), data.data(), data.size());
}

bool digest(const void* context, MutableBytes out) noexcept {
  const Quiet quiet;
  const DigestContext copy(EVP_MD_CTX_new());
  return copy && EVP_MD_CTX_copy_ex(copy.get(), held<EVP_MD_CTX>(context)) > 0 &&
         EVP_DigestFinal_ex(copy.get(), out.data(), nullptr) > 0;
}

void drop(void* context) noexcept {
  EVP_MD_CTX_free(held<EVP_MD_CTX>(context));
  std::memset(context, 0, sizeof(EVP_MD_CTX*));
}

template <std::size_t number, std::size_t hash>
MacContext keyed(Bytes key) noexcept {
  EVP_MAC* const function = hmac_function<number>();
  MacContext context(function == nullptr ? nullptr : EVP_MAC_CTX_new(function));
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(kKnown[hash].name), 0),
      OSSL_PARAM_construct_end()};
  // A key of no bytes is one; without an address it would be none.
  constexpr std::uint8_t kNothing = 0;
  if (!context || EVP_MAC_init(context.get(), key.empty() ? &kNothing : key.data(), key.size(), parameters) <= 0)
    return nullptr;
  return context;
}

template <std::size_t number, std::size_t hash>
bool hmac(Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept {
  if (out.size() != kKnown[hash].digest_size) return false;
  const Quiet quiet;
  const MacContext context = keyed<number, hash>(key);
  if (!context) return false;
  for (const Bytes segment : segments) {
    if (EVP_MAC_update(context.get(), segment.data(), segment.size()) <= 0) return false;
  }
  std::size_t size = 0;
  return EVP_MAC_final(context.get(), out.data(), &size, out.size()) > 0;
}

/// RFC 5869 2.3.
bool expand_one(EVP_MAC_CTX* context, std::size_t digest_size, const ExpandJob& job) noexcept {
  // RFC 5869 2.3: "L length of output keying material in octets (<= 255*HashLen)"
  if (job.out.size() > 255 * digest_size) return false;
  Secret<kMaxDigestSize> block;
  MutableBytes rest = job.out;
  for (std::uint8_t counter = 1; !rest.empty(); ++counter) {
    std::size_t size = 0;
    // The same key again.
    if (counter != 1 && EVP_MAC_init(context, nullptr, 0, nullptr) <= 0) return false;
    if (EVP_MAC_update(context, block.view().data(), block.size()) <= 0 ||
        EVP_MAC_update(context, job.info.data(), job.info.size()) <= 0 || EVP_MAC_update(context, &counter, 1) <= 0)
      return false;
    block.resize(digest_size);
    if (EVP_MAC_final(context, block.writable().data(), &size, digest_size) <= 0) return false;
    const std::size_t taken = std::min(rest.size(), digest_size);
    std::ranges::copy(block.view().first(taken), rest.begin());
    rest = rest.subspan(taken);
  }
  return true;
}

template <std::size_t number, std::size_t hash>
bool expand(std::span<const ExpandJob> jobs) noexcept {
  const Quiet quiet;
  for (const ExpandJob& job : jobs) {
    const MacContext context = keyed<number, hash>(job.secret);
    if (!context || !expand_one(context.get(), kKnown[hash].digest_size, job)) return false;
  }
  return true;
}

template <std::size_t number>
std::span<const Hash> table() {
  static constexpr auto kHashes = []<std::size_t... hash>(std::index_sequence<hash...>) {
    return std::array{Hash{kKnown[hash].id, kImplementation, kKnown[hash].digest_size, sizeof(EVP_MD_CTX*),
                           init<number, hash>, update, digest, drop, hmac<number, hash>, expand<number, hash>}...};
  }(std::make_index_sequence<kKnown.size()>());
  return kHashes;
}

}  // namespace

std::vector<const Hash*> hashes(std::size_t library) {
  const Quiet quiet;
  return of_library(library, []<std::size_t number>() {
    return pointers(table<number>(), [](const Hash& hash) {
      const Library& in = libcrypto::library<number>();
      const Known& known = *std::ranges::find(kKnown, hash.id, &Known::id);
      return Digest(EVP_MD_fetch(in.context, known.name, in.query())) != nullptr;
    });
  });
}

}  // namespace lockstep::libcrypto
