#pragma once
// Every limit of what a handshake message may hold, each with its source. Those of records stand in record/limits.hpp.

#include <cstddef>

#include <lockstep/bytes.hpp>

namespace lockstep::codec {

/// RFC 9846 4: msg_type and length.
inline constexpr std::size_t kHandshakeHeaderSize = 4;
/// RFC 9846 4.2.2: "opaque Random[32];"
inline constexpr std::size_t kRandomSize = 32;
/// RFC 9846 4.2.2: "opaque legacy_session_id<0..32>;"
inline constexpr std::size_t kMaxSessionIdSize = 32;

// --- the longest body of each message, as its form allows; `max_handshake_message` of the configuration bounds all ---

/// A vector with a prefix of 8, 16 or 24 bits.
inline constexpr std::size_t kMaxVector8 = 1 + 0xff;
inline constexpr std::size_t kMaxVector16 = 2 + 0xffff;

/// RFC 9846 4.2.2: version, random, legacy_session_id, cipher_suites, legacy_compression_methods, extensions.
inline constexpr std::size_t kMaxClientHello =
    2 + kRandomSize + 1 + kMaxSessionIdSize + kMaxVector16 + kMaxVector8 + kMaxVector16;
/// RFC 9846 4.2.3: version, random, legacy_session_id_echo, cipher_suite, legacy_compression_method, extensions.
inline constexpr std::size_t kMaxServerHello = 2 + kRandomSize + 1 + kMaxSessionIdSize + 2 + 1 + kMaxVector16;
/// RFC 9846 4.4.1: extensions.
inline constexpr std::size_t kMaxEncryptedExtensions = kMaxVector16;
/// RFC 9846 4.4.2: certificate_request_context, extensions.
inline constexpr std::size_t kMaxCertificateRequest = kMaxVector8 + kMaxVector16;
/// RFC 9846 4: "uint24 length;"
inline constexpr std::size_t kMaxCertificate = 0xff'ffff;
/// RFC 9846 4: "uint24 length;"
inline constexpr std::size_t kMaxCompressedCertificate = 0xff'ffff;
/// RFC 9846 4.5.2: algorithm, signature.
inline constexpr std::size_t kMaxCertificateVerify = 2 + kMaxVector16;
/// RFC 9846 4.5.3: "opaque verify_data[Hash.length];"
inline constexpr std::size_t kMaxFinished = kMaxDigestSize;
/// RFC 9846 4.6: "struct {} EndOfEarlyData;"
inline constexpr std::size_t kMaxEndOfEarlyData = 0;
/// RFC 9846 4.7.1: ticket_lifetime, ticket_age_add, ticket_nonce, ticket, extensions.
inline constexpr std::size_t kMaxNewSessionTicket = 4 + 4 + kMaxVector8 + kMaxVector16 + kMaxVector16;
/// RFC 9846 4.7.3: request_update.
inline constexpr std::size_t kMaxKeyUpdate = 1;

// Of TLS 1.2 alone:
/// psk_identity_hint (RFC 4279 3), the three numbers of ServerDHParams (RFC 5246 7.4.3), DigitallySigned (RFC
/// 5246 4.7). No suite has all of them.
inline constexpr std::size_t kMaxServerKeyExchange = kMaxVector16 + 3 * kMaxVector16 + 2 + kMaxVector16;
/// RFC 4279 3, 4: psk_identity, and a public value or an encrypted secret.
inline constexpr std::size_t kMaxClientKeyExchange = kMaxVector16 + kMaxVector16;
/// RFC 5246 7.4.4: certificate_types, supported_signature_algorithms, certificate_authorities.
inline constexpr std::size_t kMaxCertificateRequest12 = kMaxVector8 + kMaxVector16 + kMaxVector16;
/// RFC 5077 3.3: ticket_lifetime_hint, ticket.
inline constexpr std::size_t kMaxNewSessionTicket12 = 4 + kMaxVector16;
/// draft-agl-tls-nextprotoneg-04 3: selected_protocol, padding.
inline constexpr std::size_t kMaxNextProtocol = kMaxVector8 + kMaxVector8;
/// RFC 5246 7.4: "uint24 length;"
inline constexpr std::size_t kMaxCertificateStatus = 0xff'ffff;
/// RFC 5246 7.4.5: "struct { } ServerHelloDone;"
inline constexpr std::size_t kMaxServerHelloDone = 0;
/// RFC 5246 7.4.1.1: "struct { } HelloRequest;"
inline constexpr std::size_t kMaxHelloRequest = 0;

// --- the most entries of each list that are read. The RFC bounds bytes alone; these bound the work and memory that an
// entry costs, far above what honest peers send. More are refused with too_many_entries. ---

/// Certificates of a chain: OpenSSL's default depth of verification.
inline constexpr std::size_t kMaxCertificates = 100;
/// Code points of one list (suites, groups, schemes, versions): OpenSSL's client with all its suites lists less than
/// 200.
inline constexpr std::size_t kMaxCodePoints = 1024;
/// Extensions of one block. Some 60 are registered, and unknown ones are ignored (RFC 9846 4.3), which costs next to
/// nothing.
inline constexpr std::size_t kMaxExtensions = 4096;
/// Application protocols in a ClientHello: as many as a configuration may list.
inline constexpr std::size_t kMaxProtocolNames = 255;
/// Key shares in a ClientHello. Clients send one to three.
inline constexpr std::size_t kMaxKeyShares = 64;
/// PSK identities in a ClientHello, with as many binders. Clients offer one or two; of these few are tried.
inline constexpr std::size_t kMaxPskIdentities = 64;
/// Filters in oid_filters: RFC 5280 4.2 defines 17 certificate extensions, and none may stand twice (RFC 9846 4.3.5).
inline constexpr std::size_t kMaxOidFilters = 64;
/// Signed certificate timestamps beside a certificate (RFC 6962 3.3). Browsers ask for two to five.
inline constexpr std::size_t kMaxScts = 64;
/// Names in certificate_authorities, the peer's and our own: the authorities that browsers trust are fewer than 200.
inline constexpr std::size_t kMaxAuthorities = 1024;

}  // namespace lockstep::codec
