#pragma once
// Renegotiation in TLS 1.2 (RFC 5246 7.4.1.1, RFC 5746): what one handshake leaves for the next one of its connection,
// and when there may be a next one. Every one of them is full: it shows anew who the peer is, and there is nothing to
// be weighed of what another connection has left in a session.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <lockstep/config.hpp>
#include <lockstep/session.hpp>
#include <lockstep/time.hpp>
#include <lockstep/x509_name.hpp>

#include "codec/client_hello.hpp"
#include "codec/server_hello.hpp"
#include "handshake/context.hpp"
#include "key_schedule/tls12.hpp"

namespace lockstep::handshake {

/// What a handshake is held against that is not the first of its connection. On the heap, and only where the
/// configuration lets connections renegotiate and this one can do so safely.
class Former {
 public:
  /// Of a first handshake that is complete. Null where there is to be none after it, or memory runs out.
  [[nodiscard]] static std::unique_ptr<Former> of(const Context& context) noexcept;
  /// Another handshake is complete: the next one is held against that. False when the provider failed.
  [[nodiscard]] bool renew(const Context& context) noexcept;

  /// Whether one more handshake is allowed at all.
  [[nodiscard]] bool allows(const Settings& settings) const noexcept {
    return settings.renegotiation == Renegotiation::freely || renegotiations_ == 0;
  }
  /// Whether the peer may begin one now; counts it then.
  [[nodiscard]] bool admit(const Settings& settings, Time now) noexcept;

  /// What renegotiation_info says: the client's half, and both (RFC 5746 3.2).
  [[nodiscard]] Bytes client_verify_data() const noexcept {
    return Bytes(verify_data_).first(key_schedule::tls12::kVerifyDataSize);
  }
  [[nodiscard]] Bytes verify_data() const noexcept { return verify_data_; }
  /// Whether the peer that shows this certificate (empty: none) is the one that it was before; nothing when the
  /// provider failed.
  [[nodiscard]] std::optional<bool> same_peer(Bytes leaf) const noexcept;

  std::string server_name;                             ///< client: what it asks for
  x509::PeerName expected_name = x509::NoNameCheck{};  ///< client: whom the peer must be
  SessionContext verification{};                       ///< what the application verifies the peer by
  ClientAuth client_auth{};                            ///< server: what it asks of its client from now on

 private:
  explicit Former(const Context& context);
  /// The peer's end-entity certificate, as far as it has to be known again.
  struct Leaf {
    const Hash* hash = nullptr;
    key_schedule::Digest digest;
  };
  [[nodiscard]] bool note(const Context& context) noexcept;

  std::array<std::uint8_t, 2 * key_schedule::tls12::kVerifyDataSize> verify_data_{};
  std::optional<Leaf> leaf_;    // nothing: a client that has shown none
  std::vector<Time> admitted_;  // of the peer's, the last ones; never more than the configuration's limit
  std::uint32_t renegotiations_ = 0;
};

/// What a hello says of the handshake before it, in a first handshake that there was none.
[[nodiscard]] Status check_renegotiation_info(Context& context, const codec::ServerHello& hello) noexcept;
[[nodiscard]] Status check_renegotiation_info(Context& context, const codec::ClientHello& hello) noexcept;
/// The error for a hello of another version than the connection has.
[[nodiscard]] std::unexpected<Error> version_changed(const Context& context, ProtocolVersion version) noexcept;
/// What has been agreed once on a connection is not agreed otherwise. In a first handshake anything may be.
[[nodiscard]] Status check_extended_main_secret(Context& context, bool extended_main_secret) noexcept;
/// Who has been there before has to be there again. `leaf`: the end-entity certificate, empty for none.
[[nodiscard]] Status check_same_peer(Context& context, Bytes leaf) noexcept;

}  // namespace lockstep::handshake
