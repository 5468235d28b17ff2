#pragma once
// EncryptedExtensions (RFC 9846 4.4.1): what the server answers to the ClientHello's extensions, out of sight.

#include <cstdint>
#include <optional>
#include <span>

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

#include "codec/extensions.hpp"
#include "codec/handshake_message.hpp"
#include "codec/lists.hpp"

namespace lockstep::codec {

/// Views into the body that was decoded.
struct EncryptedExtensions {
  static constexpr HandshakeType type = HandshakeType::encrypted_extensions;
  static constexpr Place place = Place::encrypted_extensions;
  static constexpr std::size_t max_size = kMaxEncryptedExtensions;
  /// Decodes the body; `offered` is what the ClientHello offered.
  [[nodiscard]] static Decoded<EncryptedExtensions> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  Extensions extensions;

  bool server_name = false;  ///< the server made use of the name
  std::optional<std::uint8_t> max_fragment_length;
  std::optional<CodePoints<NamedGroup>> supported_groups;
  std::optional<Bytes> application_layer_protocol_negotiation;  ///< the protocol chosen
  std::optional<std::uint16_t> record_size_limit;
  bool early_data = false;
  std::optional<std::uint8_t> expected_count;  ///< ticket_request (RFC 9149 3)
};

/// What to write. Empty fields are not written.
struct EncryptedExtensionsParameters {
  bool server_name = false;
  std::span<const NamedGroup> supported_groups{};
  Bytes application_layer_protocol_negotiation{};
  std::optional<std::uint16_t> record_size_limit{};
  std::optional<std::uint8_t> max_fragment_length{};
  bool early_data = false;
  std::optional<std::uint8_t> expected_count{};
};

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_encrypted_extensions(Writer& writer,
                                                const EncryptedExtensionsParameters& parameters) noexcept;

}  // namespace lockstep::codec
