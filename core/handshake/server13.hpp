#pragma once
// The server of TLS 1.3 (RFC 9846 A.2), a struct per state.

#include <memory>
#include <optional>
#include <string_view>

#include <lockstep/session.hpp>

#include "codec/certificate.hpp"
#include "codec/certificate_verify.hpp"
#include "codec/client_hello.hpp"
#include "codec/compressed_certificate.hpp"
#include "codec/end_of_early_data.hpp"
#include "codec/finished.hpp"
#include "handshake/authentication13.hpp"
#include "handshake/connected.hpp"
#include "handshake/inputs.hpp"
#include "handshake/key_exchange.hpp"
#include "handshake/machine.hpp"
#include "handshake/sessions.hpp"

namespace lockstep::handshake::server13 {

/// What a ClientHello leads to. Views live as long as the handshake.
struct Negotiated {
  codec::ClientHello hello;
  Bytes message;                      ///< the ClientHello, whole
  const BoundGroup* group = nullptr;  ///< null: there is none, nor need of one (psk_ke)
  Bytes client_share;
  const ExternalPsk* psk = nullptr;  ///< that was found, and its place among the client's identities
  std::uint16_t psk_identity = 0;
};

/// What ServerHello leaves.
struct Keys {
  key_schedule::MainSecret main;
  key_schedule::TrafficSecrets handshake_traffic;
  bool tickets = false;  ///< the client can use tickets
};

/// What our Finished leaves: the client's traffic secret is installed when its Finished has come.
struct Established {
  Keys keys;
  DigestSecret read_traffic;
};

/// An external PSK is looked for, by whose hash the suite is chosen.
struct WaitPsk {
  static constexpr std::string_view name = "(find PSK)";
  codec::ClientHello hello;
  std::uint16_t identity = 0;  ///< which of the client's identities is asked about
  std::uint16_t asked = 0;     ///< how many have been
};
struct WaitSecondClientHello {
  static constexpr std::string_view name = "START (after HelloRetryRequest)";
  Bytes first_hello;  ///< the message's body
  const BoundGroup* group = nullptr;
  bool share_requested = false;
  Bytes cookie;
  const ExternalPsk* psk = nullptr;  ///< that was found
};
struct WaitTicketOpened {
  static constexpr std::string_view name = "(open ticket)";
  Negotiated negotiated;
  std::uint16_t identity = 0;  ///< which of the client's identities is asked about
};
struct WaitSessionVerified {
  static constexpr std::string_view name = "(verify peer of session)";
  Negotiated negotiated;
  std::uint16_t identity = 0;
  VerifiedPsk psk;
};
struct WaitEarlyDataJudged {
  static constexpr std::string_view name = "(accept early data)";
  Negotiated negotiated;
  VerifiedPsk psk;
};
struct WaitCredential {
  static constexpr std::string_view name = "(select credential)";
  Negotiated negotiated;
};
/// The secret is being made of the client's share and one of ours.
struct WaitSecret {
  static constexpr std::string_view name = "(agree)";
  Negotiated negotiated;
  std::shared_ptr<const Credential> credential;
  SignatureScheme scheme{};
};
/// The same where a session is resumed.
struct WaitResumedSecret {
  static constexpr std::string_view name = "(agree, resuming)";
  Negotiated negotiated;
  std::uint16_t identity = 0;
  VerifiedPsk psk;
};
/// The same with an external PSK.
struct WaitPskSecret {
  static constexpr std::string_view name = "(agree, by PSK)";
  Negotiated negotiated;
  VerifiedExternalPsk psk;
};
struct WaitSignature {
  static constexpr std::string_view name = "(sign)";
  Keys keys;
};
struct WaitEndOfEarlyData {
  static constexpr std::string_view name = "WAIT_EOED";
  static constexpr bool answers_early_data = true;  ///< data may be sealed, where early data was taken
  Established established;
  VerifiedPsk psk;
};
struct WaitCertificate {
  static constexpr std::string_view name = "WAIT_CERT";
  Established established;
};
struct WaitPeerVerified {
  static constexpr std::string_view name = "(verify peer)";
  Established established;
  PeerKey key;
  LookAhead ahead{};
};
struct WaitCertificateVerify {
  static constexpr std::string_view name = "WAIT_CV";
  Established established;
  PeerKey key;
  PeerVerified accepted;
  LookAhead ahead{};
};
struct WaitFinished {
  static constexpr std::string_view name = "WAIT_FINISHED";
  static constexpr bool answers_early_data = true;  ///< data may be sealed, where early data was taken
  Established established;
  Authenticated authenticated;
};

// Beside a connection that stands (RFC 9846 4.7.1), a machine of its own: nothing waits for a ticket.

struct NoTickets {
  static constexpr std::string_view name = "(no ticket is due)";
};
struct WaitTicketSealed {
  static constexpr std::string_view name = "(seal ticket)";
  DigestSecret resumption;
  std::unique_ptr<const SessionOrigin> origin;
  std::uint32_t lifetime = 0;  ///< of the ticket that is being sealed, in seconds
  std::uint32_t age_add = 0;
  std::uint8_t number = 0;  ///< which of them
};

Next<WaitPsk, WaitSecondClientHello, WaitTicketOpened, WaitCredential, WaitPskSecret, WaitFinished> on(WaitPsk&&,
                                                                                                       const PskGiven&,
                                                                                                       Context&);
Next<WaitPsk, WaitSecondClientHello, WaitTicketOpened, WaitCredential> on(WaitPsk&&, const PskWithheld&, Context&);
Next<WaitTicketOpened, WaitCredential, WaitPskSecret, WaitFinished> on(WaitSecondClientHello&&,
                                                                       const codec::ClientHello&, Context&);
Next<WaitTicketOpened, WaitSessionVerified, WaitEarlyDataJudged, WaitResumedSecret, WaitPskSecret, WaitCredential,
     WaitEndOfEarlyData, WaitFinished>
on(WaitTicketOpened&&, const TicketOpened&, Context&);
Next<WaitEarlyDataJudged, WaitResumedSecret, WaitEndOfEarlyData, WaitFinished> on(WaitSessionVerified&&,
                                                                                  const PeerVerified&, Context&);
Next<> on(WaitSessionVerified&&, const PeerRefused&, Context&);
Next<WaitResumedSecret, WaitEndOfEarlyData, WaitFinished> on(WaitEarlyDataJudged&&, const EarlyDataJudged&, Context&);
Next<WaitEndOfEarlyData, WaitFinished> on(WaitResumedSecret&&, const SecretMade&, Context&);
Next<WaitFinished> on(WaitPskSecret&&, const SecretMade&, Context&);
Next<WaitSecret, WaitSignature> on(WaitCredential&&, const CredentialSelected&, Context&);
Next<WaitSignature> on(WaitSecret&&, const SecretMade&, Context&);
Next<WaitCertificate, WaitFinished> on(WaitSignature&&, const Signed&, Context&);
Next<WaitFinished> on(WaitEndOfEarlyData&&, const codec::EndOfEarlyData&, Context&);
Next<WaitPeerVerified, WaitFinished> on(WaitCertificate&&, const codec::Certificate&, Context&);
Next<WaitPeerVerified, WaitFinished> on(WaitCertificate&&, const codec::CompressedCertificate&, Context&);
Next<WaitCertificateVerify> on(WaitPeerVerified&&, const PeerVerified&, Context&);
Next<WaitPeerVerified> on(WaitPeerVerified&&, const SignatureChecked&, Context&);
Next<> on(WaitPeerVerified&&, const PeerRefused&, Context&);
Next<WaitCertificateVerify> on(WaitCertificateVerify&&, const SignatureChecked&, Context&);
Next<WaitFinished> on(WaitCertificateVerify&&, const codec::CertificateVerify&, Context&);
Next<Connected> on(WaitFinished&&, const codec::Finished&, Context&);

/// The client's hello allows TLS 1.3.
[[nodiscard]] Next<WaitPsk, WaitSecondClientHello, WaitTicketOpened, WaitCredential> begin(
    const codec::ClientHello& hello, Context& context);

using TicketStep = Next<WaitTicketSealed, NoTickets>;
/// The first ticket, made of context.secrets.resumption.
TicketStep begin_tickets(Context& context);
TicketStep on(WaitTicketSealed&&, const TicketSealed&, Context&);

}  // namespace lockstep::handshake::server13
