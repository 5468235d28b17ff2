#pragma once
// The server of TLS 1.2 (RFC 5246 7.3), a struct per state.

#include <memory>
#include <optional>
#include <string_view>

#include <lockstep/session.hpp>

#include "codec/certificate12.hpp"
#include "codec/certificate_verify.hpp"
#include "codec/client_hello.hpp"
#include "codec/client_key_exchange.hpp"
#include "codec/finished.hpp"
#include "codec/next_protocol.hpp"
#include "handshake/authentication12.hpp"
#include "handshake/connected.hpp"
#include "handshake/inputs.hpp"
#include "handshake/key_exchange12.hpp"
#include "handshake/machine.hpp"

namespace lockstep::handshake::server12 {

/// A usual size of a key.
inline constexpr std::size_t kStandInPskSize = 32;

/// A ClientHello that is being answered. Views live as long as the handshake.
struct Asked {
  codec::ClientHello hello;
  Bytes message;  ///< the ClientHello, whole
};

/// What our flight leaves.
struct Offered {
  MessageLog messages;
  OwnExchange exchange;
  bool ticket_follows = false;  ///< we have announced a NewSessionTicket
  Bytes session_id;             ///< under which the session will be stored; empty: it will not be
};

/// What ClientKeyExchange leaves.
struct Established {
  Derived12 derived;
  bool ticket_follows = false;
  Bytes session_id{};
};

/// A renegotiation is to begin.
struct WaitClientHello {
  static constexpr std::string_view name = "WAIT_CH (renegotiation)";
};
struct WaitTicketOpened {
  static constexpr std::string_view name = "(open ticket)";
  Asked asked;
};
struct WaitSessionVerified {
  static constexpr std::string_view name = "(verify peer of session)";
  Asked asked;
  VerifiedPsk session;
};
struct WaitCredential {
  static constexpr std::string_view name = "(select credential)";
  Asked asked;
};
/// Our key pair is being made.
struct WaitShare {
  static constexpr std::string_view name = "(make share)";
  Offered offered;
  std::shared_ptr<const Credential> credential;
  SignatureScheme scheme{};
};
struct WaitSignature {
  static constexpr std::string_view name = "(sign)";
  Offered offered;
  Bytes parameters;  ///< ServerECDHParams or ServerDHParams
};
struct WaitCertificate {
  static constexpr std::string_view name = "WAIT_CERT";
  Offered offered;
};
struct WaitPeerVerified {
  static constexpr std::string_view name = "(verify peer)";
  Offered offered;
  PeerKey key;
};
struct WaitClientKeyExchange {
  static constexpr std::string_view name = "WAIT_CKE";
  Offered offered;
  Authenticated authenticated;
};
/// The client has shown a certificate, and has to prove that it has its key.
struct WaitCertifiedKeyExchange {
  static constexpr std::string_view name = "WAIT_CKE (with a certificate)";
  Offered offered;
  PeerKey key;
  PeerVerified accepted;
};
/// The secret is being made of both shares.
struct WaitSecret {
  static constexpr std::string_view name = "(agree)";
  Offered offered;
  Authenticated authenticated;
  NamedGroup group{};
};
struct WaitCertifiedSecret {
  static constexpr std::string_view name = "(agree, with a certificate)";
  Offered offered;
  PeerKey key;
  PeerVerified accepted;
  NamedGroup group{};
};
/// The client's secret is being read with our key (RSA key exchange).
struct WaitDecrypted {
  static constexpr std::string_view name = "(decrypt)";
  Offered offered;
  Authenticated authenticated;
};
struct WaitCertifiedDecrypted {
  static constexpr std::string_view name = "(decrypt, with a certificate)";
  Offered offered;
  PeerKey key;
  PeerVerified accepted;
};
// With a pre-shared key.

struct WaitPskKeyExchange {
  static constexpr std::string_view name = "WAIT_CKE (with a PSK)";
  Offered offered;
  Authenticated authenticated;
};
struct WaitPsk {
  static constexpr std::string_view name = "(find PSK)";
  Offered offered;
  Authenticated authenticated;
  codec::PskExchange said;
  Secret<kStandInPskSize> stand_in;  ///< for a key that is not known; drawn whether it is or not
};
struct WaitPskDecrypted {
  static constexpr std::string_view name = "(decrypt, with a PSK)";
  Offered offered;
  Authenticated authenticated;
  MutableBytes psk;  ///< in the handshake's memory; wiped once it is used
};
struct WaitCertificateVerify {
  static constexpr std::string_view name = "WAIT_CV";
  Established established;
  MessageLog messages;
  PeerKey key;
  PeerVerified accepted;
};
struct WaitSignatureChecked {
  static constexpr std::string_view name = "(check signature)";
  Established established;
  PeerVerified accepted;
  SignatureScheme scheme{};
};
struct WaitChangeCipherSpec {
  static constexpr std::string_view name = "WAIT_CCS";
  Established established;
  Authenticated authenticated;
};
struct WaitNextProtocol {
  static constexpr std::string_view name = "WAIT_NP";
  Established established;
  Authenticated authenticated;
};
struct WaitFinished {
  static constexpr std::string_view name = "WAIT_FINISHED";
  Established established;
  Authenticated authenticated;
};
struct WaitTicketSealed {
  static constexpr std::string_view name = "(seal ticket)";
  Established established;
  std::uint32_t lifetime = 0;  ///< of the ticket, in seconds
  Connected proven;            ///< what the connection will stand on
};

Next<WaitCredential> on(WaitClientHello&&, const codec::ClientHello&, Context&);
Next<WaitSessionVerified, WaitCredential, WaitPskKeyExchange, WaitChangeCipherSpec> on(WaitTicketOpened&&,
                                                                                       const TicketOpened&, Context&);
Next<WaitChangeCipherSpec> on(WaitSessionVerified&&, const PeerVerified&, Context&);
Next<> on(WaitSessionVerified&&, const PeerRefused&, Context&);
Next<WaitShare, WaitSignature, WaitCertificate, WaitPskKeyExchange, WaitClientKeyExchange> on(WaitCredential&&,
                                                                                              const CredentialSelected&,
                                                                                              Context&);
Next<WaitSignature> on(WaitShare&&, const SharesMade&, Context&);
Next<WaitCertificate, WaitClientKeyExchange> on(WaitSignature&&, const Signed&, Context&);
Next<WaitPeerVerified, WaitClientKeyExchange> on(WaitCertificate&&, const codec::Certificate12&, Context&);
Next<WaitCertifiedKeyExchange> on(WaitPeerVerified&&, const PeerVerified&, Context&);
Next<> on(WaitPeerVerified&&, const PeerRefused&, Context&);
Next<WaitSecret, WaitDecrypted, WaitChangeCipherSpec> on(WaitClientKeyExchange&&, const codec::ClientKeyExchange&,
                                                         Context&);
Next<WaitChangeCipherSpec> on(WaitSecret&&, const SecretMade&, Context&);
Next<WaitCertifiedSecret, WaitCertifiedDecrypted, WaitCertificateVerify> on(WaitCertifiedKeyExchange&&,
                                                                            const codec::ClientKeyExchange&, Context&);
Next<WaitCertificateVerify> on(WaitCertifiedSecret&&, const SecretMade&, Context&);
Next<WaitChangeCipherSpec> on(WaitDecrypted&&, const Decrypted&, Context&);
Next<WaitCertificateVerify> on(WaitCertifiedDecrypted&&, const Decrypted&, Context&);
Next<WaitPsk> on(WaitPskKeyExchange&&, const codec::ClientKeyExchange&, Context&);
Next<WaitPskDecrypted, WaitChangeCipherSpec> on(WaitPsk&&, const PskGiven&, Context&);
Next<WaitPskDecrypted, WaitChangeCipherSpec> on(WaitPsk&&, const PskWithheld&, Context&);
Next<WaitChangeCipherSpec> on(WaitPskDecrypted&&, const Decrypted&, Context&);
Next<WaitSignatureChecked, WaitChangeCipherSpec> on(WaitCertificateVerify&&, const codec::CertificateVerify&, Context&);
Next<WaitChangeCipherSpec> on(WaitSignatureChecked&&, const SignatureChecked&, Context&);
Next<WaitNextProtocol, WaitFinished> on(WaitChangeCipherSpec&&, const ChangeCipherSpec&, Context&);
Next<WaitFinished> on(WaitNextProtocol&&, const codec::NextProtocol&, Context&);
Next<WaitTicketSealed, Connected> on(WaitFinished&&, const codec::Finished&, Context&);
Next<Connected> on(WaitTicketSealed&&, const TicketSealed&, Context&);

/// The client's hello allows TLS 1.2 and nothing newer that we speak.
[[nodiscard]] Next<WaitTicketOpened, WaitCredential, WaitPskKeyExchange> begin(const codec::ClientHello& hello,
                                                                               Context& context);

}  // namespace lockstep::handshake::server12
