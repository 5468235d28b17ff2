#pragma once
// Codecs for certificates that travel compressed (RFC 8879), on Google's Brotli, Zstandard and zlib, as far as this
// build has them (LOCKSTEP_BROTLI, LOCKSTEP_ZSTD, LOCKSTEP_ZLIB).
//
//     auto config = ConfigBuilder::server(provider).certificate_compression(compression::codecs()).build();

#include <optional>
#include <vector>

#include <lockstep/certificate_compression.hpp>
#include <lockstep/export.hpp>

namespace lockstep::compression {

/// All of them, the one that usually makes the smallest messages first: brotli, zstd, zlib. They compress at their best
/// level, which takes milliseconds and some megabytes, once for each certificate.
///
/// While decompressing, brotli takes at most 2 MiB and four times the certificate's size, zstd and zlib a fixed size
/// below 256 KiB: whatever a peer sends. A zstd message is one frame.
[[nodiscard]] LOCKSTEP_API std::vector<CertificateCodec> codecs();
/// That of one algorithm; nothing when this build does not have it.
[[nodiscard]] LOCKSTEP_API std::optional<CertificateCodec> codec(CertificateCompressionAlgorithm algorithm);

}  // namespace lockstep::compression
