#pragma once
// Codecs of certificates that need no library, so that tests can make messages of theirs by hand.

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include <lockstep/certificate_compression.hpp>

namespace lockstep::testing {

/// A Certificate begins with an empty context and the length of less than 64 KiB: both zeros go without saying.
inline constexpr CertificateCodec kShortening{CertificateCompressionAlgorithm::zlib,
                                              [](Bytes compressed, MutableBytes certificate) noexcept {
                                                if (certificate.size() != compressed.size() + 2) return false;
                                                certificate[0] = certificate[1] = 0;
                                                std::ranges::copy(compressed, certificate.begin() + 2);
                                                return true;
                                              },
                                              [](Bytes certificate, MutableBytes compressed) noexcept {
                                                const bool fits = certificate.size() > 2 && certificate[0] == 0 &&
                                                                  certificate[1] == 0 &&
                                                                  compressed.size() >= certificate.size() - 2;
                                                if (fits) std::ranges::copy(certificate.subspan(2), compressed.begin());
                                                return fits ? certificate.size() - 2 : 0;
                                              }};

/// A run of equal bytes is its length, below 2^16, and the byte: long runs become short, and all else longer.
inline constexpr CertificateCodec kRuns{
    CertificateCompressionAlgorithm::zstd,
    [](Bytes compressed, MutableBytes certificate) noexcept {
      std::size_t at = 0;
      for (; compressed.size() >= 3; compressed = compressed.subspan(3)) {
        const std::size_t run = std::size_t{compressed[0]} << 8U | compressed[1];
        if (run > certificate.size() - at) return false;
        std::ranges::fill(certificate.subspan(at, run), compressed[2]);
        at += run;
      }
      return compressed.empty() && at == certificate.size();
    },
    [](Bytes certificate, MutableBytes compressed) noexcept {
      std::size_t size = 0;
      for (std::size_t at = 0; at < certificate.size(); size += 3) {
        std::size_t run = 1;
        while (run < 0xffff && at + run < certificate.size() && certificate[at + run] == certificate[at]) ++run;
        if (compressed.size() - size < 3) return std::size_t{0};
        compressed[size] = static_cast<std::uint8_t>(run >> 8U);
        compressed[size + 1] = static_cast<std::uint8_t>(run);
        compressed[size + 2] = certificate[at];
        at += run;
      }
      return size;
    }};

/// What tapes of tests are replayed with.
inline const std::vector<CertificateCodec>& test_codecs() {
  static const std::vector<CertificateCodec> all{kShortening, kRuns};
  return all;
}

}  // namespace lockstep::testing
