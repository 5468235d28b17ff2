#pragma once
// Room for the expanded keys of connections that are busy. What an AEAD makes of a key before it can use it (AES round
// keys, powers of GHASH's H) takes more than twenty times the key's own bytes, so an idle connection keeps the keys
// alone, and those that have something to do share such room:
//
//     KeyCache keys(64);        // one for each thread that runs connections
//     connection.use(&keys);    // after making it, and again on another thread

#include <cstddef>
#include <cstdint>
#include <memory>

#include <lockstep/export.hpp>

namespace lockstep {

namespace record {
class ContextCache;
}

/// A fixed number of expanded keys, whichever were used last: a connection has two, one for each direction. A key that
/// is not there is expanded when its next record comes (`lockstep bench` measures how long that takes) and takes the
/// place of the one that came first. It serves any number of connections.
///
/// A cache belongs to one thread: only one of its connections may be called at a time. It must outlive them, or they
/// are told to use another one or none before it goes. It may itself be moved meanwhile. What it holds is wiped when
/// its place is taken, when the key is replaced or forgotten, and when the cache is destroyed.
class LOCKSTEP_API KeyCache {
 public:
  /// What one key takes, in bytes; AES-GCM needs all of it, ChaCha20-Poly1305 none.
  static constexpr std::size_t kKeySize = 832;

  /// Room for `keys` keys, rounded up to a power of two. This is all that it ever allocates. Without memory, as with 0,
  /// it has no room, and connections do as if they used none.
  explicit KeyCache(std::size_t keys) noexcept;
  ~KeyCache();
  KeyCache(KeyCache&& other) noexcept;
  KeyCache& operator=(KeyCache&& other) noexcept;
  KeyCache(const KeyCache&) = delete;
  KeyCache& operator=(const KeyCache&) = delete;

  /// Keys that it has room for.
  [[nodiscard]] std::size_t size() const noexcept;
  /// Keys that were expanded so far. A cache for which this grows as fast as records come is too small.
  [[nodiscard]] std::uint64_t expanded() const noexcept;

 private:
  friend class Connection;
  struct Destroy {
    void operator()(record::ContextCache* cache) const noexcept;
  };
  std::unique_ptr<record::ContextCache, Destroy> cache_;  // null: no room
};

}  // namespace lockstep
