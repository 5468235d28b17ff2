#include "vault.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace lockstep::testing::vault {
namespace {

/// What is searched for: long enough that nothing else is like it, and no longer than the shortest secret, an iv.
constexpr std::size_t kChunk = 12;
constexpr std::size_t kMaxChunks = 1U << 16U;

struct Chunk {
  std::array<std::uint8_t, kChunk> masked;
  const char* form;
  std::string_view what;
  std::uint32_t offset;

  [[nodiscard]] std::uint8_t byte(std::size_t i) const noexcept { return masked[i] ^ mask(i); }
  [[nodiscard]] std::uint16_t beginning() const noexcept { return static_cast<std::uint16_t>(byte(0) << 8U | byte(1)); }
  static std::uint8_t mask(std::size_t i) noexcept { return static_cast<std::uint8_t>(0x95U + 29U * i); }
};

std::array<Chunk, kMaxChunks> chunks;
std::size_t chunk_count = 0;
std::size_t secret_count = 0;

void add(std::string_view what, const char* form, Bytes secret, std::size_t offset, std::uint8_t with, bool backwards) {
  if (chunk_count == kMaxChunks) std::abort();
  Chunk& chunk = chunks[chunk_count++];
  chunk.form = form;
  chunk.what = what;
  chunk.offset = static_cast<std::uint32_t>(offset);
  for (std::size_t i = 0; i < kChunk; ++i)
    chunk.masked[i] = secret[offset + (backwards ? kChunk - 1 - i : i)] ^ with ^ Chunk::mask(i);
}

bool is_secret(Bytes bytes) noexcept {
  std::bitset<256> seen;
  for (const std::uint8_t byte : bytes) seen.set(byte);
  return seen.count() >= kChunk / 2;
}

/// The writable mappings of this process, by /proc/self/maps, read into static memory.
template <class Function>
void for_each_mapping(Function function) {
  static std::array<char, 1U << 18U> text;
  const int file = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (file < 0) std::abort();
  std::size_t size = 0;
  for (ssize_t got = 1; got > 0 && size + 1 < text.size(); size += static_cast<std::size_t>(std::max<ssize_t>(got, 0)))
    got = ::read(file, text.data() + size, text.size() - 1 - size);
  ::close(file);
  text[size] = 0;
  for (char* line = text.data(); *line != 0;) {
    char* const end = std::strchr(line, '\n');
    if (end == nullptr) break;
    *end = 0;
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    char access[5] = {};
    int path = 0;
    if (std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %n", &first, &last, access, &path) >= 3 &&
        access[0] == 'r' && access[1] == 'w')
      function(Bytes(reinterpret_cast<const std::uint8_t*>(first), last - first), line + path);
    line = end + 1;
  }
}

struct Hit {
  const Chunk* chunk;
  const std::uint8_t* place;
  const char* mapping;
};
std::array<Hit, 256> hits;
std::size_t hit_count = 0;

bool is_at(const Chunk& chunk, const std::uint8_t* place) noexcept {
  for (std::size_t i = 0; i < kChunk; ++i)
    if (place[i] != chunk.byte(i)) return false;
  return true;
}

}  // namespace

void clear() noexcept {
  chunk_count = 0;
  secret_count = 0;
}

std::size_t size() noexcept { return secret_count; }

void keep(std::string_view what, Bytes secret) noexcept {
  if (!is_secret(secret)) return;
  ++secret_count;
  for (std::size_t offset = 0; offset + kChunk <= secret.size(); offset += kChunk) {
    if (!is_secret(secret.subspan(offset, kChunk))) continue;
    add(what, "", secret, offset, 0, false);
    add(what, " backwards", secret, offset, 0, true);
    add(what, " as an inner key", secret, offset, 0x36, false);
    add(what, " as an outer key", secret, offset, 0x5c, false);
  }
}

std::vector<std::string> search() {
  static std::bitset<1U << 16U> begins;
  static std::array<std::uint32_t, (1U << 16U) + 1> firsts;
  begins.reset();
  std::sort(chunks.begin(), chunks.begin() + static_cast<std::ptrdiff_t>(chunk_count),
            [](const Chunk& a, const Chunk& b) { return a.beginning() < b.beginning(); });
  std::uint32_t at = 0;
  for (std::uint32_t beginning = 0; beginning < firsts.size(); ++beginning) {
    while (at < chunk_count && chunks[at].beginning() < beginning) ++at;
    firsts[beginning] = at;
  }
  for (std::size_t i = 0; i < chunk_count; ++i) begins.set(chunks[i].beginning());

  hit_count = 0;
  for_each_mapping([](Bytes mapping, const char* path) {
    const std::uint8_t* const data = mapping.data();
    for (std::size_t i = 0; i + kChunk <= mapping.size(); ++i) {
      const auto beginning = static_cast<std::uint16_t>(data[i] << 8U | data[i + 1]);
      if (!begins[beginning]) continue;
      for (std::uint32_t j = firsts[beginning]; j < firsts[beginning + 1U]; ++j) {
        if (!is_at(chunks[j], data + i)) continue;
        if (hit_count < hits.size()) hits[hit_count++] = {&chunks[j], data + i, path};
        break;
      }
    }
  });

  std::vector<std::string> found;
  for (const Hit& hit : std::span(hits).first(hit_count)) {
    char where[64];
    std::snprintf(where, sizeof where, " at %p ", static_cast<const void*>(hit.place));
    found.push_back(std::string(hit.chunk->what) + hit.chunk->form + ", from its byte " +
                    std::to_string(hit.chunk->offset) + where + hit.mapping);
  }
  return found;
}

}  // namespace lockstep::testing::vault
