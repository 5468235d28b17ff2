#pragma once
// The client of TLS 1.3 (RFC 9846 A.1), a struct per state.

#include <memory>
#include <optional>
#include <span>

#include "codec/certificate.hpp"
#include "codec/certificate_request.hpp"
#include "codec/certificate_verify.hpp"
#include "codec/compressed_certificate.hpp"
#include "codec/encrypted_extensions.hpp"
#include "codec/end_of_early_data.hpp"
#include "codec/finished.hpp"
#include "codec/server_hello.hpp"
#include "handshake/authentication13.hpp"
#include "handshake/connected.hpp"
#include "handshake/hello.hpp"
#include "handshake/inputs.hpp"
#include "handshake/machine.hpp"

namespace lockstep::handshake::client13 {

/// What ServerHello leaves: the secrets of the handshake, and whether the server took a PSK.
struct Keys {
  key_schedule::MainSecret main;
  key_schedule::TrafficSecrets handshake_traffic;
  bool early_data = false;  ///< accepted: it ends, and our key changes, when the server has finished
};

/// What a CertificateRequest asks for; views live as long as the handshake.
struct Requested {
  codec::CodePoints<SignatureScheme> schemes;
  std::optional<codec::CodePoints<SignatureScheme>> schemes_cert;
  std::span<const Bytes> certificate_authorities{};
  std::span<const OidFilter> oid_filters{};
  CertificateWanted wanted;
};

/// The key pair of a second ClientHello is being made.
struct WaitSecondShare {
  static constexpr std::string_view name = "(make share, after HelloRetryRequest)";
  Offer offer;
  CipherSuite suite{};
  std::optional<NamedGroup> group;
};
struct WaitSecondServerHello {
  static constexpr std::string_view name = "WAIT_SH (after HelloRetryRequest)";
  Offer offer;
  CipherSuite suite{};
  std::optional<NamedGroup> group;
};
/// The secret is being made of both shares.
struct WaitSecret {
  static constexpr std::string_view name = "(agree)";
  Offer offer;
  ChosenPsk psk;
  NamedGroup group{};
};
struct WaitEncryptedExtensions {
  static constexpr std::string_view name = "WAIT_EE";
  Keys keys;
  ChosenPsk psk;
  bool early_data_offered = false;
  const Session* first_resumed = nullptr;  ///< the session that early data goes with, if the server took that one
  bool judged = false;                     ///< its peer, before early data was sent
};
struct WaitSessionVerified {
  static constexpr std::string_view name = "(verify peer of session)";
  Keys keys;
  VerifiedPsk psk;
};
struct WaitCertificateRequest {
  static constexpr std::string_view name = "WAIT_CERT_CR";
  Keys keys;
};
struct WaitCertificate {
  static constexpr std::string_view name = "WAIT_CERT";
  Keys keys;
  Requested requested;
};
struct WaitPeerVerified {
  static constexpr std::string_view name = "(verify peer)";
  Keys keys;
  std::optional<Requested> requested;
  PeerKey key;
  LookAhead ahead{};
};
struct WaitCertificateVerify {
  static constexpr std::string_view name = "WAIT_CV";
  Keys keys;
  std::optional<Requested> requested;
  PeerKey key;
  PeerVerified accepted;
  LookAhead ahead{};
};
struct WaitFinished {
  static constexpr std::string_view name = "WAIT_FINISHED";
  Keys keys;
  std::optional<Requested> requested;
  Authenticated authenticated;
};
struct WaitCredential {
  static constexpr std::string_view name = "(select credential)";
  Keys keys;
  Requested requested;
  DigestSecret write_traffic;
  Connected proven;  ///< what the connection will stand on
};
struct WaitSignature {
  static constexpr std::string_view name = "(sign)";
  Keys keys;
  DigestSecret write_traffic;
  Connected proven;  ///< what the connection will stand on
};

Next<WaitSecondServerHello> on(WaitSecondShare&&, const SharesMade&, Context&);
Next<WaitSecret, WaitEncryptedExtensions> on(WaitSecondServerHello&&, const codec::ServerHello&, Context&);
Next<WaitEncryptedExtensions> on(WaitSecret&&, const SecretMade&, Context&);
Next<WaitSessionVerified, WaitCertificateRequest, WaitFinished> on(WaitEncryptedExtensions&&,
                                                                   const codec::EncryptedExtensions&, Context&);
Next<WaitFinished> on(WaitSessionVerified&&, const PeerVerified&, Context&);
Next<> on(WaitSessionVerified&&, const PeerRefused&, Context&);
Next<WaitCertificate> on(WaitCertificateRequest&&, const codec::CertificateRequest&, Context&);
Next<WaitPeerVerified, WaitCertificateVerify> on(WaitCertificateRequest&&, const codec::Certificate&, Context&);
Next<WaitPeerVerified, WaitCertificateVerify> on(WaitCertificateRequest&&, const codec::CompressedCertificate&,
                                                 Context&);
Next<WaitPeerVerified, WaitCertificateVerify> on(WaitCertificate&&, const codec::Certificate&, Context&);
Next<WaitPeerVerified, WaitCertificateVerify> on(WaitCertificate&&, const codec::CompressedCertificate&, Context&);
Next<WaitCertificateVerify> on(WaitPeerVerified&&, const PeerVerified&, Context&);
Next<WaitPeerVerified> on(WaitPeerVerified&&, const SignatureChecked&, Context&);
Next<> on(WaitPeerVerified&&, const PeerRefused&, Context&);
Next<WaitCertificateVerify> on(WaitCertificateVerify&&, const SignatureChecked&, Context&);
Next<WaitFinished> on(WaitCertificateVerify&&, const codec::CertificateVerify&, Context&);
Next<WaitCredential, Connected> on(WaitFinished&&, const codec::Finished&, Context&);
Next<WaitSignature, Connected> on(WaitCredential&&, const CredentialSelected&, Context&);
Next<Connected> on(WaitSignature&&, const Signed&, Context&);

/// The server has chosen TLS 1.3.
[[nodiscard]] Next<WaitSecret, WaitEncryptedExtensions> begin(Offer&& offer, const codec::ServerHello& hello,
                                                              Context& context);
[[nodiscard]] Next<WaitSecondShare, WaitSecondServerHello> begin(Offer&& offer, const codec::HelloRetryRequest& retry,
                                                                 Context& context);

}  // namespace lockstep::handshake::client13
