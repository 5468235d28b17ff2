// Every AEAD kernel that this processor runs against every other: the same key, pieces and lengths give the same bytes.

#include <lockstep/fuzzing.hpp>
#include <lockstep/kernels.hpp>

using namespace lockstep::kernels;
using lockstep::Bytes;
using lockstep::OpenJob;
using lockstep::SealJob;
namespace fuzzing = lockstep::fuzzing;
using fuzzing::Octets;
using fuzzing::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzzing::Choices choices({data, size});
  static constexpr Algorithm kAlgorithms[] = {Algorithm::aes_128_gcm, Algorithm::aes_256_gcm,
                                              Algorithm::chacha20_poly1305};
  const Algorithm algorithm = choices.of(kAlgorithms);
  std::uint8_t key[kMaxKeySize] = {};
  std::ranges::copy(choices.bytes(sizeof key), key);
  std::uint8_t nonce[kNonceSize] = {};
  std::ranges::copy(choices.bytes(sizeof nonce), nonce);
  const Bytes aad = choices.bytes(choices.below(80));
  const std::size_t offset = choices.below(64);
  // The text in pieces, repeated to be long enough for every path.
  Octets text;
  const std::size_t length = choices.below(40'000);
  const Bytes pattern = choices.bytes(64);
  for (std::size_t i = 0; i < length; ++i) text.push_back(pattern.empty() ? 0 : pattern[i % pattern.size()]);
  std::vector<std::span<const std::uint8_t>> pieces;
  for (Bytes left = text; !left.empty();) {
    const std::size_t piece = choices.empty() ? left.size() : std::min(left.size(), choices.below(1000));
    pieces.push_back(left.first(piece));
    left = left.subspan(piece);
    if (pieces.size() > 100) {
      pieces.push_back(left);
      break;
    }
  }
  const std::uint8_t tail[1] = {23};

  Octets expected;
  for (const Aead& aead : available()) {
    if (aead.algorithm != algorithm) continue;
    alignas(64) std::byte context[kMaxContextSize];
    aead.init(context, key);
    Octets buffer(offset + text.size() + 1 + kTagSize + 1, 0xaa);
    const SealJob job{nonce, aad, pieces, tail, buffer.data() + offset};
    aead.seal(context, {&job, 1});
    require(buffer.back() == 0xaa, "a kernel writes no more than it must");
    const Octets sealed(buffer.begin() + static_cast<std::ptrdiff_t>(offset), buffer.end() - 1);
    if (expected.empty()) expected = sealed;
    require(sealed == expected, "all kernels seal alike");

    Octets opened(text.size() + 1);
    OpenJob open{nonce, aad, sealed, opened.data()};
    require(aead.open(context, {&open, 1}) == 1 && open.ok, "what was sealed opens");
    require(std::ranges::equal(std::span(opened).first(text.size()), text) && opened.back() == 23,
            "the text comes back");
    Octets altered = sealed;
    altered[choices.below(altered.size())] ^= 1;
    OpenJob refused{nonce, aad, altered, opened.data()};
    require(aead.open(context, {&refused, 1}) == 0 && !refused.ok, "an altered message does not open");
    require(std::ranges::count(opened, 0) == static_cast<std::ptrdiff_t>(opened.size()), "what does not open is wiped");
    aead.destroy(context);
  }
  return 0;
}
