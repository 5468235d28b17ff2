#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include <lockstep/compression.hpp>

#if LOCKSTEP_HAS_BROTLI
#include <brotli/decode.h>
#include <brotli/encode.h>
#endif
#if LOCKSTEP_HAS_ZLIB
#include <zlib.h>
#endif
#if LOCKSTEP_HAS_ZSTD
#include <zstd.h>
#endif

namespace lockstep::compression {
namespace {

#if LOCKSTEP_HAS_BROTLI

/// What a decoder may take in all, whether or not it gives it back. It makes room for as much as a block of the stream
/// claims to hold, before any of it is there: up to 16 MiB, and tables for as many trees as the stream claims to have.
struct BrotliMemory {
  static constexpr std::size_t kTables = std::size_t{2} << 20U;
  /// The buffer is a power of two, and grows.
  static constexpr std::size_t kBuffers = 4;
  std::size_t left;

  static void* allocate(void* opaque, std::size_t size) {
    auto& memory = *static_cast<BrotliMemory*>(opaque);
    if (size > memory.left) return nullptr;
    memory.left -= size;
    return std::malloc(size);
  }
  static void release(void* /*opaque*/, void* address) { std::free(address); }
};

bool brotli_decompress(Bytes compressed, MutableBytes certificate) noexcept {
  BrotliMemory memory{BrotliMemory::kTables + BrotliMemory::kBuffers * certificate.size()};
  BrotliDecoderState* const decoder =
      BrotliDecoderCreateInstance(BrotliMemory::allocate, BrotliMemory::release, &memory);
  if (decoder == nullptr) return false;
  std::size_t in_left = compressed.size();
  const std::uint8_t* in = compressed.data();
  std::size_t out_left = certificate.size();
  std::uint8_t* out = certificate.data();
  const auto result = BrotliDecoderDecompressStream(decoder, &in_left, &in, &out_left, &out, nullptr);
  BrotliDecoderDestroyInstance(decoder);
  return result == BROTLI_DECODER_RESULT_SUCCESS && in_left == 0 && out_left == 0;
}

std::size_t brotli_compress(Bytes certificate, MutableBytes compressed) noexcept {
  std::size_t size = compressed.size();
  const bool done =
      BrotliEncoderCompress(BROTLI_MAX_QUALITY, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, certificate.size(),
                            certificate.data(), &size, compressed.data()) == BROTLI_TRUE;
  return done ? size : 0;
}

#endif
#if LOCKSTEP_HAS_ZSTD

bool zstd_decompress(Bytes compressed, MutableBytes certificate) noexcept {
  // The library would read formats of before RFC 8878 as well, frames that hold nothing, and one frame after another.
  constexpr std::size_t kMagicSize = 4;
  constexpr std::uint8_t kMagic[kMagicSize] = {0x28, 0xb5, 0x2f, 0xfd};
  if (compressed.size() < kMagicSize || !equal(compressed.first(kMagicSize), kMagic)) return false;
  if (ZSTD_findFrameCompressedSize(compressed.data(), compressed.size()) != compressed.size()) return false;
  // In one call the output is the window.
  return ZSTD_decompress(certificate.data(), certificate.size(), compressed.data(), compressed.size()) ==
         certificate.size();
}

std::size_t zstd_compress(Bytes certificate, MutableBytes compressed) noexcept {
  constexpr int kBestUsualLevel = 19;  // those above are for windows that no certificate fills
  const std::size_t size =
      ZSTD_compress(compressed.data(), compressed.size(), certificate.data(), certificate.size(), kBestUsualLevel);
  return ZSTD_isError(size) != 0 ? 0 : size;
}

#endif
#if LOCKSTEP_HAS_ZLIB

/// Sizes of messages have 24 bits.
z_stream stream_of(Bytes in, MutableBytes out) noexcept {
  z_stream stream{};
  stream.next_in = const_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  return stream;
}

bool zlib_decompress(Bytes compressed, MutableBytes certificate) noexcept {
  z_stream stream = stream_of(compressed, certificate);
  if (inflateInit(&stream) != Z_OK) return false;
  const int result = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  return result == Z_STREAM_END && stream.avail_in == 0 && stream.avail_out == 0;
}

std::size_t zlib_compress(Bytes certificate, MutableBytes compressed) noexcept {
  z_stream stream = stream_of(certificate, compressed);
  if (deflateInit(&stream, Z_BEST_COMPRESSION) != Z_OK) return 0;
  const bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  deflateEnd(&stream);
  return done ? compressed.size() - stream.avail_out : 0;
}

#endif

constexpr CertificateCodec kCodecs[] = {
#if LOCKSTEP_HAS_BROTLI
    {CertificateCompressionAlgorithm::brotli, brotli_decompress, brotli_compress},
#endif
#if LOCKSTEP_HAS_ZSTD
    {CertificateCompressionAlgorithm::zstd, zstd_decompress, zstd_compress},
#endif
#if LOCKSTEP_HAS_ZLIB
    {CertificateCompressionAlgorithm::zlib, zlib_decompress, zlib_compress},
#endif
};

}  // namespace

std::vector<CertificateCodec> codecs() { return {std::begin(kCodecs), std::end(kCodecs)}; }

std::optional<CertificateCodec> codec(CertificateCompressionAlgorithm algorithm) {
  const auto* const found = std::ranges::find(kCodecs, algorithm, &CertificateCodec::algorithm);
  if (found == std::end(kCodecs)) return std::nullopt;
  return *found;
}

}  // namespace lockstep::compression
