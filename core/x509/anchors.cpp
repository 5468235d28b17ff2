// The certificates that are trusted.

#include <algorithm>

#include <lockstep/x509_anchors.hpp>
#include <lockstep/x509_pem.hpp>

#include "x509/algorithms.hpp"
#include "x509/containers.hpp"
#include "x509/parser.hpp"

namespace lockstep::x509 {

std::expected<bool, ParseError> TrustAnchors::add(Bytes der) {
  Entry entry{0, {der.begin(), der.end()}, {}};
  const auto certificate = Certificate::parse(entry.der);
  if (!certificate) return std::unexpected(certificate.error());
  if (contains(*certificate)) return false;
  // The vector's bytes stay where they are when it moves, so the view stays good.
  entry.certificate = *certificate;
  entry.subject_hash = certificate->subject().hash();
  entries_.push_back(std::move(entry));
  return true;
}

AddedAnchors TrustAnchors::add_pem(std::string_view text) {
  AddedAnchors out;
  const auto report = [&out](std::size_t line, std::string what) {
    ++out.bad_count;
    if (out.bad.size() < AddedAnchors::kMaxReported) out.bad.push_back({line, std::move(what)});
  };
  PemReader reader(text);
  while (const auto object = reader.next()) {
    if (!*object) {
      const PemError& error = (*object).error();
      report(error.line, std::string(name(error.code)) + ": " + std::string(explanation(error.code)));
      continue;
    }
    const PemObject& found = **object;
    if (auto container = container_of(found.label)) {
      report(found.line, std::move(*container));
    } else if (!is_certificate(found.label)) {
      report(found.line, "a " + found.label + " is not a certificate");
    } else if (const auto added = add(found.der.view()); !added) {
      report(found.line, container_of(found.der.view()).value_or(added.error().text()));
    } else {
      ++(*added ? out.added : out.duplicates);
    }
  }
  return out;
}

PreparedKeys::PreparedKeys(const Provider& provider, const Certificate& certificate)
    : subject_public_key_info_(certificate.subject_public_key_info().begin(),
                               certificate.subject_public_key_info().end()) {
  const auto type = certificate.key_type();
  for (const SignatureVerifier* const verifier : provider.verifiers) {
    if (type != verifier->key || verifier->prepare == nullptr || !fits(verifier->algorithm, verifier->key) ||
        provider.verifier(verifier->algorithm, verifier->key) != verifier)
      continue;
    if (auto key = verifier->prepare(subject_public_key_info_)) prepared_.push_back({verifier, std::move(key)});
  }
}

std::shared_ptr<const PreparedKey> PreparedKeys::find(const SignatureVerifier& verifier) const noexcept {
  const auto found = std::ranges::find(prepared_, &verifier, &Prepared::verifier);
  return found == prepared_.end() ? nullptr : found->key;
}

void TrustAnchors::prepare(const Provider& provider) {
  for (Entry& entry : entries_) entry.prepared.emplace(provider, entry.certificate);
}

const PreparedKey* TrustAnchors::prepared(std::size_t index, const SignatureVerifier& verifier) const noexcept {
  const auto& keys = entries_[index].prepared;
  return keys ? keys->find(verifier).get() : nullptr;
}

bool TrustAnchors::contains(const Certificate& certificate) const noexcept {
  const std::uint64_t hash = certificate.subject().hash();
  return std::ranges::any_of(
      entries_, [&](const Entry& entry) { return entry.subject_hash == hash && entry.certificate == certificate; });
}

std::size_t TrustAnchors::find(const DistinguishedName& subject, std::size_t start) const noexcept {
  const std::uint64_t hash = subject.hash();
  while (start < entries_.size() &&
         !(entries_[start].subject_hash == hash && entries_[start].certificate.subject().matches(subject)))
    ++start;
  return start;
}

}  // namespace lockstep::x509
