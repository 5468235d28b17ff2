#pragma once
// The work that comes in spans, because records and secrets come several at a time. Providers take these jobs, and the
// kernels beneath them take the same: a job goes down as it is. What a job points to lives until the call returns.

#include <cstdint>
#include <span>

#include <lockstep/bytes.hpp>

namespace lockstep {

/// One message to seal. The plaintext is the source segments followed by `tail` (TLS 1.3: content type and padding).
struct SealJob {
  const std::uint8_t* nonce;      ///< 12 bytes, never used twice with one key
  Bytes aad;                      ///< additional data, any length
  std::span<const Bytes> source;  ///< gathered in order; a segment may be empty
  Bytes tail;                     ///< follows the source; may be empty
  /// Receives the ciphertext, as long as source and tail together, then the tag. Equal to a single source's start, or
  /// disjoint; it never overlaps the nonce, the additional data or the tail.
  std::uint8_t* destination;
};

/// One message to open, in place or into a disjoint destination.
struct OpenJob {
  const std::uint8_t* nonce;  ///< as given to `seal`
  Bytes aad;                  ///< as given to `seal`
  Bytes source;               ///< ciphertext followed by the tag; what is shorter than a tag never opens
  /// Receives the plaintext: source minus tag bytes. Equal to the source's start, or disjoint; it never overlaps the
  /// nonce or the additional data.
  std::uint8_t* destination;
  bool ok = false;      ///< result; when false the destination has been wiped
  bool failed = false;  ///< result: not ok because the library failed (out of memory), whatever the message is
};

/// The mask of one record's or packet's number.
struct MaskJob {
  const std::uint8_t* sample;  ///< 16 bytes of ciphertext: DTLS 1.3 takes the first ones, QUIC those behind the number
  MutableBytes mask;           ///< at most 16 bytes, of which DTLS 1.3 needs 1 or 2 and QUIC 5; overlaps no sample
};

/// One HKDF-Expand (RFC 5869 2.3).
struct ExpandJob {
  Bytes secret;  ///< the pseudorandom key, any length
  Bytes info;
  MutableBytes out;  ///< at most 255 times the digest size; overlaps no other job's, and no secret or info of any job
};

}  // namespace lockstep
