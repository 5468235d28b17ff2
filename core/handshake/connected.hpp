#pragma once
// Where every handshake ends, and what goes on from there: NewSessionTicket and KeyUpdate (RFC 9846 4.7), and in
// TLS 1.2 the wish to renegotiate, which is refused unless the configuration says otherwise.

#include <string_view>
#include <variant>

#include <lockstep/session.hpp>

#include "codec/client_hello.hpp"
#include "codec/hello_request.hpp"
#include "codec/key_update.hpp"
#include "codec/new_session_ticket.hpp"
#include "handshake/identity.hpp"
#include "handshake/inputs.hpp"
#include "handshake/machine.hpp"
#include "handshake/renegotiation.hpp"

namespace lockstep::handshake {

/// What messages after the handshake ask of the connection, whatever carries it.
class LiveTransport {
 public:
  /// From here on, what we receive travels under this traffic secret.
  [[nodiscard]] virtual Status install_read(const Keys13& keys, RecordAligned aligned) noexcept = 0;
  /// The peer has changed its key; whether it wants ours changed.
  [[nodiscard]] virtual Status peer_updated_key(KeyUpdateRequest request) noexcept = 0;
  /// Whether one more session would be kept.
  [[nodiscard]] virtual bool wants_session() const noexcept = 0;
  /// TLS 1.2: the peer wants to renegotiate. It is told that we do not, and the connection goes on.
  [[nodiscard]] virtual Status refuse_renegotiation() noexcept = 0;
  /// TLS 1.2: sends a HelloRequest.
  virtual void request_hello() noexcept = 0;
  [[nodiscard]] virtual Status session_received(const codec::NewSessionTicket& ticket, DigestSecret&& psk) noexcept = 0;

 protected:
  ~LiveTransport() = default;
};

/// What the states after the handshake share, for as long as one record is handled.
struct LiveContext {
  const Agreed& agreed;
  ConnectionSecrets& secrets;
  LiveTransport& transport;
  const Inbox& inbox;
  const Settings& settings;
  Former* former = nullptr;  ///< where the connection may renegotiate, and its handshake has nothing left to do
  Time now{};
  Place place = Place::handshake;

  /// Only in TLS 1.3.
  [[nodiscard]] Secrets13& secrets13() const noexcept { return *std::get_if<Secrets13>(&secrets); }
  /// The error for what is wrong with the current message.
  [[nodiscard]] std::unexpected<Error> fail(Reason reason, std::uint16_t detail = 0) const noexcept {
    return std::unexpected(make_error(reason, place, detail));
  }
};

// Only a proof of who the peer is and of its Finished makes one of these.
namespace client13 {

struct Connected {
  static constexpr std::string_view name = "CONNECTED";
  Authenticated authenticated;
  VerifiedFinished finished;
};

Next<Connected> on(Connected&&, const codec::NewSessionTicket&, LiveContext&);
Next<Connected> on(Connected&&, const codec::KeyUpdate&, LiveContext&);

}  // namespace client13

namespace server13 {

struct Connected {
  static constexpr std::string_view name = "CONNECTED";
  Authenticated authenticated;
  VerifiedFinished finished;
};

Next<Connected> on(Connected&&, const codec::KeyUpdate&, LiveContext&);

}  // namespace server13

namespace client12 {

struct Connected {
  static constexpr std::string_view name = "CONNECTED";
  Authenticated authenticated;
  VerifiedFinished finished;
};
/// Handshake messages are for another handshake, whose end decides what the connection goes on with.
struct Renegotiating {
  static constexpr std::string_view name = "RENEGOTIATING";
  Connected before;
};

Next<Connected, Renegotiating> on(Connected&&, const codec::HelloRequest&, LiveContext&);
Next<Renegotiating> on(Connected&&, const Renegotiate&, LiveContext&);
Next<Connected> on(Renegotiating&&, const RenegotiationRefused&, LiveContext&);

}  // namespace client12

namespace server12 {

struct Connected {
  static constexpr std::string_view name = "CONNECTED";
  Authenticated authenticated;
  VerifiedFinished finished;
};
/// We have asked for a ClientHello.
struct HelloRequested {
  static constexpr std::string_view name = "HELLO_REQUESTED";
  Connected before;
};
struct Renegotiating {
  static constexpr std::string_view name = "RENEGOTIATING";
  Connected before;
};

Next<Connected, Renegotiating> on(Connected&&, const codec::ClientHello&, LiveContext&);
Next<HelloRequested> on(Connected&&, const Renegotiate&, LiveContext&);
Next<Connected, Renegotiating> on(HelloRequested&&, const codec::ClientHello&, LiveContext&);
Next<Connected> on(HelloRequested&&, const RenegotiationRefused&, LiveContext&);

}  // namespace server12

/// Every state after a handshake.
using LiveMachine = std::variant<client13::Connected, server13::Connected, client12::Connected, server12::Connected,
                                 client12::Renegotiating, server12::HelloRequested, server12::Renegotiating>;

}  // namespace lockstep::handshake
