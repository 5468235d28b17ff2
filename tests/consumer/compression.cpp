// Compressed certificates, for whoever links them: a codec reads what it has made.

#include <vector>

#include <lockstep/compression.hpp>

int main() {
  const auto codecs = lockstep::compression::codecs();
  const std::vector<std::uint8_t> certificate(1000, 7);
  for (const auto& codec : codecs) {
    std::vector<std::uint8_t> small(1000);
    small.resize(codec.compress(certificate, small));
    std::vector<std::uint8_t> back(certificate.size());
    if (!codec.decompress(small, back) || back != certificate) return 1;
  }
  return codecs.empty() ? 1 : 0;
}
