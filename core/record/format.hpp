#pragma once
// What a version's protected records look like. The limits, keys and batches of Sealer and Opener are the same for all;
// nonce, additional data and what stands around the content are a format's, which is chosen with the key.

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/types.hpp>

#include "record/framing.hpp"
#include "record/limits.hpp"

namespace lockstep::record {

enum class RecordFormat : std::uint8_t {
  tls13,                 ///< RFC 9846 5.2: the type within, padding; the nonce is the iv XOR the sequence number
  tls12_explicit_nonce,  ///< RFC 5288 3, RFC 6655 3: a salt of 4 bytes, and 8 bytes that every record brings
  tls12_implicit_nonce,  ///< RFC 7905 2: the nonce is that of TLS 1.3, and nothing of it is sent
  tls12_cbc,             ///< RFC 5246 6.2.3.2, RFC 7366: an IV, encryption in CBC mode, a MAC in it or behind it
};

class Opener;
class Sealer;
struct Content;
struct Cut;
struct SealedRecords;

/// One format: what it measures, and the texts that write and read it (format13.hpp, format12.hpp).
struct Format {
  std::size_t iv_size;              ///< of the static iv, or the salt
  std::size_t explicit_nonce_size;  ///< between header and ciphertext; of CBC the IV
  std::size_t inner_type_size;      ///< between content and padding
  std::size_t most_added;           ///< to the plaintext, behind the header
  bool key_update;                  ///< the key can be replaced while it is in use
  Stream stream;                    ///< what headers it has

  std::expected<SealedRecords, Reason> (*seal)(Sealer& sealer, ContentType type, std::span<const Bytes> segments,
                                               const Cut& cut, MutableBytes out) noexcept;
  std::expected<std::size_t, Reason> (*seal_in_place)(Sealer& sealer, ContentType type, MutableBytes slot,
                                                      std::size_t content_size, std::size_t padding) noexcept;
  std::expected<Content, Reason> (*open)(Opener& opener, MutableBytes record) noexcept;
};

/// By RecordFormat.
extern const std::array<Format, 4> kFormats;

[[nodiscard]] inline const Format& format_of(RecordFormat format) noexcept {
  return kFormats[static_cast<std::size_t>(format)];
}

}  // namespace lockstep::record
