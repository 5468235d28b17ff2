#pragma once
// Names to expect of a peer (RFC 9525).

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include <lockstep/bytes.hpp>
#include <lockstep/export.hpp>

namespace lockstep::x509 {

class Certificate;

/// Says aloud that any name will do: whoever holds a certificate from any of the anchors may be the peer. Right for a
/// server that checks client certificates and then reads the name; rarely right for a client.
struct NoNameCheck {};

enum class NameError : std::uint8_t {
  empty,
  too_long,             ///< more than 253 characters
  label_empty,          ///< two dots in a row, or one at the start
  label_too_long,       ///< more than 63 characters between dots
  character_forbidden,  ///< other than letters, digits, '-' and '_'; names with other letters are given as A-labels
                        ///< ("xn--...")
  hyphen_at_edge,       ///< a label that begins or ends with '-'
  looks_like_address,   ///< the last label is a number ("192.168.1"): neither a name nor an address
  not_an_address,       ///< not dotted decimal IPv4 nor IPv6 (RFC 4291 2.2); zone identifiers are refused
};

[[nodiscard]] LOCKSTEP_API std::string_view name(NameError error) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view explanation(NameError error) noexcept;

/// Whom the peer must be (RFC 9525: the reference identifier). Compared with the alternative names of its certificate,
/// never with the common name.
///
///   auto name = PeerName::parse("example.com");     // or an address: "192.0.2.1", "2001:db8::1", "[2001:db8::1]"
///   if (!name) return explanation(name.error());
class PeerName {
 public:
  enum class Kind : std::uint8_t { any, dns, ipv4, ipv6 };

  /// Any peer at all.
  PeerName(NoNameCheck) noexcept {}  // NOLINT(google-explicit-constructor): the type says it

  /// A host name in ASCII. A trailing dot is dropped; case is ignored.
  [[nodiscard]] LOCKSTEP_API static std::expected<PeerName, NameError> dns(std::string_view host_name);
  /// An address as text.
  [[nodiscard]] LOCKSTEP_API static std::expected<PeerName, NameError> ip(std::string_view address);
  /// An address of 4 or 16 bytes.
  [[nodiscard]] LOCKSTEP_API static std::expected<PeerName, NameError> ip(Bytes address) noexcept;
  /// An address when the text is one, else a host name.
  [[nodiscard]] LOCKSTEP_API static std::expected<PeerName, NameError> parse(std::string_view text);

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  /// The host name in lower case without trailing dot, or the address; empty for `any`.
  [[nodiscard]] LOCKSTEP_API std::string text() const;
  /// The host name; empty for other kinds. What server_name (RFC 6066 3) carries. Lives as long as this object.
  [[nodiscard]] std::string_view host_name() const noexcept { return host_name_; }
  /// 4 or 16 bytes, none for other kinds. Lives as long as this object.
  [[nodiscard]] Bytes address() const noexcept {
    return {address_.data(), kind_ == Kind::ipv4 ? std::size_t{4} : kind_ == Kind::ipv6 ? std::size_t{16} : 0};
  }
  friend bool operator==(const PeerName&, const PeerName&) = default;

 private:
  Kind kind_ = Kind::any;
  std::array<std::uint8_t, 16> address_{};
  std::string host_name_;
};

/// Whether a certificate is for a name; for checks after the handshake. Says nothing about trust.
[[nodiscard]] LOCKSTEP_API bool matches(const Certificate& certificate, const PeerName& name) noexcept;

}  // namespace lockstep::x509
