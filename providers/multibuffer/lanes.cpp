#include "lanes.hpp"

#include <algorithm>

#include <lockstep/libcrypto.hpp>

namespace lockstep::multibuffer {
namespace {

/// The deepest that crypto_mb's frames reach with secrets is 26 KiB: ECDH on P-384, with multiples of eight points.
constexpr std::size_t kFrames = 32768;

}  // namespace

// Compiled for the registers that crypto_mb has used, to which nothing but this provider leads.
[[gnu::noinline, gnu::target("avx512f,avx512bw"), gnu::zero_call_used_regs("all")]] void Forgotten::forget() noexcept {
  std::array<std::uint8_t, kFrames> frames;
  wipe(MutableBytes(frames));
}

const Provider& singles() noexcept {
  static const Provider provider = libcrypto::provider();
  return provider;
}

bool digest(const Hash& hash, std::span<const Bytes> parts, MutableBytes out) noexcept {
  alignas(64) std::array<std::uint8_t, kMaxHashContextSize> context;
  if (!hash.init(context.data())) return false;
  for (const Bytes part : parts) hash.update(context.data(), part);
  const bool done = hash.digest(context.data(), out);
  hash.destroy(context.data());
  return done;
}

void to_limbs(Bytes number, std::span<int64u> out) noexcept {
  std::ranges::fill(out, 0U);
  for (std::size_t i = 0; i < number.size(); ++i)
    out[i / 8] |= static_cast<int64u>(number[number.size() - 1 - i]) << (8 * (i % 8));
}

void from_limbs(std::span<const int64u> limbs, MutableBytes number) noexcept {
  for (std::size_t i = 0; i < number.size(); ++i)
    number[number.size() - 1 - i] = static_cast<std::uint8_t>(limbs[i / 8] >> (8 * (i % 8)));
}

bool is_less(Bytes a, Bytes b) noexcept {
  std::uint32_t borrow = 0;
  for (std::size_t i = a.size(); i > 0; --i) borrow = (std::uint32_t{a[i - 1]} - b[i - 1] - borrow) >> 31U;
  return borrow != 0;
}

bool is_zero(Bytes number) noexcept {
  std::uint8_t any = 0;
  for (const std::uint8_t byte : number) any |= byte;
  return any == 0;
}

}  // namespace lockstep::multibuffer
