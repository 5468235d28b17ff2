// The certificates that are trusted.

#include <algorithm>

#include <lockstep/x509_anchors.hpp>
#include <lockstep/x509_pem.hpp>

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
      report((*object).error().line, (*object).error().text());
      continue;
    }
    const PemObject& found = **object;
    if (found.label == "TRUSTED CERTIFICATE") {
      report(found.line,
             "a TRUSTED CERTIFICATE carries OpenSSL's own trust settings, which would be ignored; convert it with "
             "`openssl x509 -in FILE -out FILE` and add it again");
    } else if (found.label != "CERTIFICATE" && found.label != "X509 CERTIFICATE") {
      report(found.line, "a " + std::string(found.label) + " is not a certificate");
    } else if (const auto added = add(found.der.view()); !added) {
      report(found.line, added.error().text());
    } else {
      ++(*added ? out.added : out.duplicates);
    }
  }
  return out;
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
