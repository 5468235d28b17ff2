#include <algorithm>
#include <optional>

#include <lockstep/channel_binding.hpp>
#include <lockstep/x509_certificate.hpp>

#include "key_schedule/transcript.hpp"

namespace lockstep {
namespace {

std::optional<HashAlgorithm> hash_of(const x509::SignatureIdentifier& signature) noexcept {
  // RFC 5929 4.1: "if the certificate's signatureAlgorithm uses a single hash function, and that hash function is
  // either MD5 [RFC1321] or SHA-1 [RFC3174], then use SHA-256 [FIPS-180-3]".
  if (!signature.algorithm) return signature.weak ? std::optional(HashAlgorithm::sha256) : std::nullopt;
  return hash_of(*signature.algorithm);
}

}  // namespace

std::size_t tls_server_end_point(const Provider& provider, Bytes certificate, MutableBytes out) noexcept {
  const auto parsed = x509::Certificate::parse(certificate);
  if (!parsed) return 0;
  const auto algorithm = hash_of(parsed->signature_algorithm());
  const Hash* const hash = algorithm ? provider.hash(*algorithm) : nullptr;
  if (hash == nullptr || out.size() < hash->digest_size) return 0;
  const auto digest = key_schedule::digest_of(*hash, {certificate});
  if (!digest) return 0;
  const Bytes view = digest->view();
  std::ranges::copy(view, out.begin());
  return view.size();
}

}  // namespace lockstep
