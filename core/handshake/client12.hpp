#pragma once
// The client of TLS 1.2 (RFC 5246 7.3), a struct per state.
//
// The server's certificate, its status and its ServerKeyExchange come one after the other; the application judges them
// when all are there, at ServerHelloDone, and only then is a signature checked and a key used.

#include <optional>
#include <span>
#include <string_view>

#include "codec/certificate12.hpp"
#include "codec/certificate_request12.hpp"
#include "codec/certificate_status.hpp"
#include "codec/finished.hpp"
#include "codec/new_session_ticket12.hpp"
#include "codec/server_hello.hpp"
#include "codec/server_hello_done.hpp"
#include "codec/server_key_exchange.hpp"
#include "handshake/authentication12.hpp"
#include "handshake/connected.hpp"
#include "handshake/hello.hpp"
#include "handshake/inputs.hpp"
#include "handshake/key_exchange12.hpp"
#include "handshake/machine.hpp"

namespace lockstep::handshake::client12 {

/// What the hellos of a full handshake leave. Views live as long as the handshake.
struct Hellos {
  MessageLog messages;
  Bytes session_id;             ///< the server's; empty: this session cannot be resumed by it
  bool ticket_follows = false;  ///< the server announced a NewSessionTicket
};

/// What the server has shown so far.
struct Shown {
  PeerKey key;
  ServerExchange exchange;
};

/// What a CertificateRequest asks for.
struct Requested {
  codec::CodePoints<codec::ClientCertificateType> types;
  codec::CodePoints<SignatureScheme> schemes;
  std::span<const Bytes> certificate_authorities{};
};

/// What we sign with behind our certificate; without a credential there is none to be proved.
struct OwnProof {
  std::shared_ptr<const Credential> credential{};
  SignatureScheme scheme{};
};

/// What our last flight leaves.
struct Established {
  Derived12 derived;
  Bytes session_id;
  Bytes ticket;
  std::uint32_t ticket_lifetime_hint = 0;
  Authenticated authenticated;
};

/// A renegotiation has begun.
struct WaitServerHello {
  static constexpr std::string_view name = "WAIT_SH (renegotiation)";
  Offer offer;
};
struct WaitCertificate {
  static constexpr std::string_view name = "WAIT_CERT";
  Hellos hellos;
  bool status_follows = false;  ///< the server announced a CertificateStatus
};
struct WaitCertificateStatus {
  static constexpr std::string_view name = "WAIT_CERT_STATUS";
  Hellos hellos;
  PeerKey key;
};
struct WaitServerKeyExchange {
  static constexpr std::string_view name = "WAIT_SKE";
  Hellos hellos;
  PeerKey key;
};
struct WaitCertificateRequest {
  static constexpr std::string_view name = "WAIT_CR_SHD";
  Hellos hellos;
  Shown shown;
};
struct WaitServerHelloDone {
  static constexpr std::string_view name = "WAIT_SHD";
  Hellos hellos;
  Shown shown;
  Requested requested;
};
struct WaitPeerVerified {
  static constexpr std::string_view name = "(verify peer)";
  Hellos hellos;
  Shown shown;
  std::optional<Requested> requested;
  std::optional<SignatureScheme> scheme{};  ///< of the server's signature, which is being checked meanwhile
  std::optional<SignatureChecked> checked{};
};
struct WaitSignatureChecked {
  static constexpr std::string_view name = "(check signature)";
  Hellos hellos;
  Shown shown;
  std::optional<Requested> requested;
  PeerVerified accepted;
  SignatureScheme scheme{};
};
struct WaitCredential {
  static constexpr std::string_view name = "(select credential)";
  Hellos hellos;
  Shown shown;
  Authenticated authenticated;
};
/// The secret is being made of the server's share and one of ours.
struct WaitSecret {
  static constexpr std::string_view name = "(agree)";
  Hellos hellos;
  Authenticated authenticated;
  NamedGroup group{};
  OwnProof proof;
};
struct WaitSignature {
  static constexpr std::string_view name = "(sign)";
  Hellos hellos;
  Derived12 derived;
  Authenticated authenticated;
};
// With a pre-shared key and no certificate (RFC 4279 2 and 3, RFC 5489 2).

struct WaitPskKeyExchange {
  static constexpr std::string_view name = "WAIT_SKE (with a PSK)";
  Hellos hellos;
};
/// A server without a hint leaves its ServerKeyExchange out, where there is nothing else in it.
struct WaitPskHint {
  static constexpr std::string_view name = "WAIT_SKE_SHD (with a PSK)";
  Hellos hellos;
};
struct WaitPskHelloDone {
  static constexpr std::string_view name = "WAIT_SHD (with a PSK)";
  Hellos hellos;
  PskServerExchange exchange;
};
struct WaitPsk {
  static constexpr std::string_view name = "(select PSK)";
  Hellos hellos;
  PskServerExchange exchange;
};

// With both (RFC 4279 4).

/// The hint may be left out here as well.
struct WaitCertifiedHint {
  static constexpr std::string_view name = "WAIT_SKE_CR_SHD";
  Hellos hellos;
  PeerKey key;
};
struct WaitCertifiedPsk {
  static constexpr std::string_view name = "(select PSK, with a certificate)";
  Hellos hellos;
  Shown shown;
  std::optional<Requested> requested;
  PeerVerified accepted;
};

struct WaitSessionVerified {
  static constexpr std::string_view name = "(verify peer of session)";
  Hellos hellos;
  Derived12 derived;
  VerifiedPsk session;
};
struct WaitNewSessionTicket {
  static constexpr std::string_view name = "WAIT_NST";
  Established established;
};
struct WaitChangeCipherSpec {
  static constexpr std::string_view name = "WAIT_CCS";
  Established established;
};
struct WaitFinished {
  static constexpr std::string_view name = "WAIT_FINISHED";
  Established established;
};

Next<WaitCertificate, WaitPskKeyExchange, WaitPskHint, WaitSessionVerified, WaitNewSessionTicket, WaitChangeCipherSpec>
on(WaitServerHello&&, const codec::ServerHello&, Context&);
Next<WaitServerHello> on(WaitServerHello&&, const codec::HelloRequest&, Context&);
Next<WaitCertificateStatus, WaitServerKeyExchange, WaitCertifiedHint, WaitCertificateRequest> on(
    WaitCertificate&&, const codec::Certificate12&, Context&);
Next<WaitServerKeyExchange, WaitCertifiedHint, WaitCertificateRequest> on(WaitCertificateStatus&&,
                                                                          const codec::CertificateStatus&, Context&);
Next<WaitCertificateRequest> on(WaitCertificateStatus&&, const codec::ServerKeyExchange&, Context&);
Next<WaitCertificateRequest> on(WaitServerKeyExchange&&, const codec::ServerKeyExchange&, Context&);
Next<WaitServerHelloDone> on(WaitCertificateRequest&&, const codec::CertificateRequest12&, Context&);
Next<WaitPeerVerified, WaitCertifiedPsk, WaitSignatureChecked, WaitCredential, WaitSecret, WaitSignature,
     WaitNewSessionTicket, WaitChangeCipherSpec>
on(WaitCertificateRequest&&, const codec::ServerHelloDone&, Context&);
Next<WaitPeerVerified, WaitCertifiedPsk, WaitSignatureChecked, WaitCredential, WaitSecret, WaitSignature,
     WaitNewSessionTicket, WaitChangeCipherSpec>
on(WaitServerHelloDone&&, const codec::ServerHelloDone&, Context&);
Next<WaitCertifiedPsk, WaitSignatureChecked, WaitCredential, WaitSecret, WaitSignature, WaitNewSessionTicket,
     WaitChangeCipherSpec>
on(WaitPeerVerified&&, const PeerVerified&, Context&);
Next<WaitPeerVerified> on(WaitPeerVerified&&, const SignatureChecked&, Context&);
Next<> on(WaitPeerVerified&&, const PeerRefused&, Context&);
Next<WaitCredential, WaitSecret, WaitSignature, WaitNewSessionTicket, WaitChangeCipherSpec> on(WaitSignatureChecked&&,
                                                                                               const SignatureChecked&,
                                                                                               Context&);
Next<WaitSecret, WaitSignature, WaitNewSessionTicket, WaitChangeCipherSpec> on(WaitCredential&&,
                                                                               const CredentialSelected&, Context&);
Next<WaitSignature, WaitNewSessionTicket, WaitChangeCipherSpec> on(WaitSecret&&, const SecretMade&, Context&);
Next<WaitNewSessionTicket, WaitChangeCipherSpec> on(WaitSignature&&, const Signed&, Context&);
Next<WaitPskHelloDone> on(WaitPskKeyExchange&&, const codec::ServerKeyExchange&, Context&);
Next<WaitPskHelloDone> on(WaitPskHint&&, const codec::ServerKeyExchange&, Context&);
Next<WaitPsk> on(WaitPskHint&&, const codec::ServerHelloDone&, Context&);
Next<WaitPsk> on(WaitPskHelloDone&&, const codec::ServerHelloDone&, Context&);
Next<WaitNewSessionTicket, WaitChangeCipherSpec> on(WaitPsk&&, const PskGiven&, Context&);
Next<> on(WaitPsk&&, const PskWithheld&, Context&);
Next<WaitCertificateRequest> on(WaitCertifiedHint&&, const codec::ServerKeyExchange&, Context&);
Next<WaitServerHelloDone> on(WaitCertifiedHint&&, const codec::CertificateRequest12&, Context&);
Next<WaitPeerVerified, WaitCertifiedPsk> on(WaitCertifiedHint&&, const codec::ServerHelloDone&, Context&);
Next<WaitSignatureChecked, WaitCredential, WaitSecret, WaitSignature, WaitNewSessionTicket, WaitChangeCipherSpec> on(
    WaitCertifiedPsk&&, const PskGiven&, Context&);
Next<> on(WaitCertifiedPsk&&, const PskWithheld&, Context&);
Next<WaitNewSessionTicket, WaitChangeCipherSpec> on(WaitSessionVerified&&, const PeerVerified&, Context&);
Next<> on(WaitSessionVerified&&, const PeerRefused&, Context&);
Next<WaitChangeCipherSpec> on(WaitNewSessionTicket&&, const codec::NewSessionTicket12&, Context&);
Next<WaitFinished> on(WaitChangeCipherSpec&&, const ChangeCipherSpec&, Context&);
Next<Connected> on(WaitFinished&&, const codec::Finished&, Context&);

/// Sends the ClientHello of a renegotiation.
[[nodiscard]] Next<WaitServerHello> renegotiate(Context& context);

/// The server has chosen TLS 1.2.
[[nodiscard]] Next<WaitCertificate, WaitPskKeyExchange, WaitPskHint, WaitSessionVerified, WaitNewSessionTicket,
                   WaitChangeCipherSpec>
begin(Offer&& offer, const codec::ServerHello& hello, Context& context);

}  // namespace lockstep::handshake::client12
