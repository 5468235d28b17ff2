#pragma once
// X.509 certificates (RFC 5280): everything of it in one include.
//
//   x509_certificate.hpp   a certificate as a view over its DER bytes
//   x509_name.hpp          names to expect
//   x509_anchors.hpp       anchors to trust
//   x509_verify.hpp        the verdict on a chain
//   x509_verified_links.hpp  signatures that need not be verified again
//   x509_pem.hpp           PEM texts and private keys
//   x509_builder.hpp       certificates made in memory
//
// None of it does I/O; files are read by the target lockstep::files. Example, a client's check of a server:
//
//   const auto now = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();  // of a Time
//   TrustAnchors anchors;
//   anchors.add_pem(text_of_ca_file);
//   const Verdict verdict = verify({.provider = provider, .anchors = anchors, .chain = presented, .peer = Role::server,
//                                   .name = PeerName::dns("example.com").value(), .time = now});
//   if (!verdict.ok()) std::cerr << verdict.text() << '\n';

#include <lockstep/x509_anchors.hpp>
#include <lockstep/x509_builder.hpp>
#include <lockstep/x509_certificate.hpp>
#include <lockstep/x509_name.hpp>
#include <lockstep/x509_pem.hpp>
#include <lockstep/x509_verified_links.hpp>
#include <lockstep/x509_verify.hpp>
