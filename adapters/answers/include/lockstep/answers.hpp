#pragma once
// Answers every suspended operation of an engine in place, for callers who need no other thread, process or device for
// it: selects credentials, signs, verifies the peer, finds pre-shared keys, opens and seals tickets.
//
//     auto setup = AnswerSetup::create({.provider = botan::provider(), .anchors = anchors}).value();
//     Answers answers(setup, random);  // the setup is shared by all connections, each has answers of its own
//     for (;;) {
//       auto [consumed, event] = connection.receive(inbound, now);
//       if (answers.answer(connection, event)) continue;
//       ... what is left are facts: data, the end of the handshake, failures ...
//     }
//
// A caller who wants one decision for himself looks at the event first and passes on the others.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/client_sessions.hpp>
#include <lockstep/config.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/error.hpp>
#include <lockstep/event.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/psk_table.hpp>
#include <lockstep/replay_guard.hpp>
#include <lockstep/session.hpp>
#include <lockstep/session_store.hpp>
#include <lockstep/ticket_keyring.hpp>
#include <lockstep/x509.hpp>

namespace lockstep {

class Candidates;
class AnswerSetup;

/// How a server goes on with a client that has said hello.
struct ConfigChoice {
  /// The configuration, the protocol, whose text lives longer than the call, and the warning; `verification` is filled
  /// in.
  ConfigSelected selected{};
  /// What everything that follows is answered from. Null: as before. Where it has neither ticket keys
  /// nor a store, tickets are sealed and opened with the keys of the setup before.
  std::shared_ptr<const AnswerSetup> setup{};
  /// In place of all that.
  std::optional<ClientHelloRefused> refused{};
};

/// Decides by what a client offers, where the configuration asks (`ConfigBuilder::select_config`). Called from every
/// thread that runs connections. A server that has to wait for the decision answers the event `SelectConfig` by itself.
class LOCKSTEP_API ConfigSource {
 public:
  virtual ~ConfigSource() = default;
  [[nodiscard]] virtual ConfigChoice select(const SelectConfig& question) const = 0;
};

/// Rules of an application's own about peers, in place of those that are usual. Called from every thread that runs
/// connections.
class LOCKSTEP_API PeerRules {
 public:
  virtual ~PeerRules() = default;
  /// Whether a certificate is for whom the client expects, who is somebody in particular. For protocols that match
  /// names by a rule of their own (RFC 9525 1.3, 6); the default is `x509::matches`.
  [[nodiscard]] virtual bool matches(const x509::Certificate& leaf, const x509::PeerName& name) const;
  /// Whether the application knows a critical extension of which this library knows nothing, and its value allows that
  /// the certificate is used here. RFC 5280 4.2: "A certificate-using system MUST reject the certificate if it
  /// encounters a critical extension it does not recognize or a critical extension that contains information that it
  /// cannot process." By default it knows none. Asked about every one of a path that is otherwise verified.
  [[nodiscard]] virtual bool accepts(const x509::Certificate& certificate, const x509::Extension& extension) const;
  /// What tells these rules from others: sessions that were made under others are not resumed. Lives as long as this.
  [[nodiscard]] virtual std::string_view id() const = 0;
};

/// What answers are made from.
struct AnswerOptions {
  /// Verifies signatures in certificates.
  Provider provider;
  /// A server's certificates, of which the first is the default; a client's, when servers ask for one. For a name with
  /// several (say an ECDSA and an RSA one), put the preferred first.
  std::vector<std::shared_ptr<const Credential>> credentials{};
  /// Whom to trust. Without anchors no peer is accepted.
  std::shared_ptr<const x509::TrustAnchors> anchors{};
  /// What certificates must be like. Its spans must outlive the setup.
  x509::Policy policy{};
  /// Null: the name is matched by RFC 9525, and critical extensions that are not known refuse a certificate.
  std::shared_ptr<const PeerRules> peer_rules{};
  /// Signatures of certificates that were verified before, for all connections of this setup and of others that are
  /// given the same. Null: every one is verified each time.
  std::shared_ptr<x509::VerifiedLinks> verified_links = std::make_shared<x509::VerifiedLinks>();
  /// Client: where sessions are kept, so that streams resume by themselves. By default in the memory of this setup.
  /// Null: the application hands them on. Setups may share a cache: no session is taken where it was not made.
  std::shared_ptr<ClientSessionCache> client_sessions = std::make_shared<LruClientSessionCache>();
  /// Server: what decides by the ClientHello. Without it every connection goes on with the configuration that it has.
  std::shared_ptr<const ConfigSource> configs{};
  /// Server: refuse a client that asks for a name which none of the credentials has, with unrecognized_name, where the
  /// configuration asks (`ConfigBuilder::select_config`). Otherwise, and without a name, the first is shown.
  bool refuse_unknown_names = false;
  /// Server: what tickets are sealed with. Without them tickets are names of sessions in the `session_store`; and where
  /// there is none either, none are sent and none accepted.
  std::shared_ptr<const TicketKeyring> ticket_keys{};
  /// Server: where sessions are kept: in TLS 1.2 by their ids, where the configuration has them
  /// (`ConfigBuilder::session_ids`), and for tickets, where there are no `ticket_keys`. A ticket of TLS 1.3 is then
  /// good for one connection: the first that offers it takes its session out, so that early data comes once without a
  /// `replay_guard`. It comes back when that connection could not resume it. Without a store none are kept.
  std::shared_ptr<SessionStore> session_store{};
  /// Where pre-shared keys come from, for suites of TLS 1.2 that use them, and for TLS 1.3 where the configuration has
  /// them (`ConfigBuilder::external_psks`). Without it a client has none, and a server knows nobody's.
  std::shared_ptr<const PskSource> psks{};
  /// Server: what early data is accepted by, where the configuration has it (`ConfigBuilder::early_data`). Without it
  /// none is.
  std::shared_ptr<ReplayGuard> replay_guard{};
  /// Accept a peer that staples an OCSP response, which nobody here judges. Without it such a peer is refused with
  /// `Reason::certificate_status`: RFC 6066 8 has a client that asked for a response abort the handshake if it is not
  /// satisfactory. For a configuration with `ocsp_stapling` whose application looks at
  /// `HandshakeComplete::ocsp_response` itself.
  bool ignore_stapled_responses = false;
  /// Keep the peer's certificates after they were accepted.
  bool keep_peer_chain = true;
  /// The largest Certificate message that our peers take: a credential that needs a larger one is refused here, and not
  /// by every peer. By default what a peer of ours takes by default; OpenSSL takes 102,400 bytes.
  std::size_t max_certificate_message = kDefaultMaxHandshakeMessage;
  /// What removes protection. Named so that it stands out in every review, as `ConfigBuilder::dangerous` is.
  struct Dangerous {
    /// Trust anchors by a provider of which a part protects nothing, such as `fake::provider()`: for tests and fuzzing.
    bool allow_insecure_provider = false;
    /// Accept a peer whatever its certificates are worth: one that is not verified is told from one that is by
    /// `Connection::peer_verified` and `unverified` alone, which the application has to look at. A server with
    /// `ClientAuth::require` then demands any certificate, of whomever.
    bool accept_unverified_peers = false;
  } dangerous{};
};

/// Why a client that has certificates shows none to a server that asks for one, or why a certificate will not do.
struct Withheld {
  enum class Because : std::uint8_t {
    schemes,                  ///< no key signs with a scheme that the peer verifies
    own_schemes,              ///< nor with one that our own configuration allows
    certificate_authorities,  ///< those that the server lists stand above none of them
    oid_filters,              ///< none has the extensions that the server asks for
    server_name,              ///< it is for others than the client asks for
    schemes_cert,             ///< its certificates are signed with what the peer does not verify
    malformed,                ///< it cannot be read
  };
  Because because{};
  std::string text;  ///< what was not sent, why, and what to do about it
};

/// Checked, immutable, shared by any number of connections and threads.
class LOCKSTEP_API AnswerSetup {
 public:
  /// The setup, or every problem: a credential without chain or schemes, a leaf that does not parse or is for another
  /// key or for an RSA key of a size that the policy itself refuses, a chain that is too large to be sent, staples that
  /// cannot be, anchors whose certificates a provider is to verify that protects nothing.
  [[nodiscard]] static std::expected<std::shared_ptr<const AnswerSetup>, std::vector<ConfigProblem>> create(
      AnswerOptions options);

  [[nodiscard]] const AnswerOptions& options() const noexcept { return options_; }

  /// A digest of the anchors, in whatever order, and the policy, for `ClientOptions` and `ServerOptions`: what is
  /// verified by others leaves no sessions that are resumed here, nor the other way. The same in every process that
  /// trusts the same. Zero where nobody is trusted.
  [[nodiscard]] const SessionContext& verification() const noexcept { return verification_; }

  /// Client: what a connection with this configuration and these options has to do with
  /// `AnswerOptions::client_sessions`, before it is made. The cache's key tells apart what verifies the server, the
  /// certificates that this client may show, the versions, whom it expects and asks for, and the port; and the host
  /// that it connects to, where it expects nobody by name or there is no port. No cache: where sessions are handed on
  /// in `options`, the configuration resumes none, or the setup has pre-shared keys. Whoever answers `VerifyPeer` or
  /// `SelectCredential` for some connections of a setup and not for others gives them setups, or a
  /// `ConfigBuilder::session_context`, of their own.
  [[nodiscard]] ClientSessions client_sessions(const Config& config, const ClientOptions& options,
                                               std::string_view host, std::uint16_t port) const;

  /// The credential for a peer's wishes; null when none will do.
  ///
  /// Only a credential that can sign with one of the peer's schemes is considered. For a server one for the very name
  /// wins, then one whose wildcard covers it (RFC 9525 6.3), then those that an authority of the peer's list issued,
  /// then those whose certificates are signed with the peer's schemes_cert, then the first. A client shows nothing to a
  /// server whose list of authorities names none above its certificates, nor what its oid_filters exclude (RFC 9846
  /// 4.3.5). Above a certificate stand the issuers of its chain and, where there is none that the chain itself leads
  /// to, those that the anchors name beyond its end.
  [[nodiscard]] std::shared_ptr<const Credential> select(const SelectCredential& wishes) const;
  /// Why `select` gives a client nothing; nothing when it gives something, or has no credential at all.
  [[nodiscard]] std::optional<Withheld> withheld(const SelectCredential& wishes) const;
  /// Whether one of the credentials is for this name; also for none.
  [[nodiscard]] bool has_name(std::string_view server_name) const;
  /// Whether the provider verifies several signatures for less than one by one (`SignatureVerifier::width`), so that
  /// those of many peers' certificates are worth collecting (`Answers::begin`).
  [[nodiscard]] bool verifies_together() const noexcept;

 private:
  AnswerSetup(AnswerOptions options, const SessionContext& verification);
  AnswerOptions options_;
  SessionContext verification_;
  std::optional<SessionContext> client_identity_;  // a digest of the credentials; nothing where none can be made
  std::shared_ptr<const Candidates> candidates_;
};

/// The answers of one connection. A client that is accepted is known, now and whenever its session is resumed, by the
/// DER of its own certificate (`HandshakeComplete::peer_identity`); sessions end with the first certificate of the
/// path. Give the connection `AnswerSetup::verification` when it is made. Not for several threads at once. Moving it
/// keeps its views alive.
class LOCKSTEP_API Answers {
 public:
  /// `random` serves signatures and tickets; it must outlive this object.
  Answers(std::shared_ptr<const AnswerSetup> setup, RandomSource& random) noexcept;
  Answers(Answers&&) noexcept;
  Answers& operator=(Answers&&) noexcept;
  Answers(const Answers&) = delete;
  Answers& operator=(const Answers&) = delete;
  ~Answers();

  /// Whether the event was a suspended operation; it has then been answered and its token is spent. Other events stay
  /// as they are; but show `HandshakeComplete` and `Failed` too where there is a `session_store`, which then forgets a
  /// session that is used once, or whose connection has failed.
  bool answer(Connection& connection, Event& event);

  /// Begins to judge a peer, for those who verify for many: what signatures are to be run with those of others
  /// (`run_together`) before the question goes to `answer`, which takes what they have come to. They live until then;
  /// there may be none. `Collector` does all of it.
  [[nodiscard]] std::span<SignatureJob> begin(const VerifyPeer& peer);

  // A caller who wants the last word on a peer takes the steps of `answer` one by one:
  //
  //     if (auto* peer = std::get_if<VerifyPeer>(&event)) {
  //       PeerDecision decision = answers.judge(*peer);
  //       ... look at answers.verdict(), its chains and answers.peer_chain(), and decide otherwise ...
  //       connection.answer(std::move(peer->token), decision);
  //     }

  /// Judges a peer, and gives what `answer` would say, which lives as long as the verdict. Nothing is answered.
  [[nodiscard]] PeerDecision judge(const VerifyPeer& peer);
  /// What accepts the peer that was judged last, whatever the verdict: the identity as ever, until the first
  /// certificate ends of the path as far as there is one. For who overrides a verdict, say its check of the name.
  [[nodiscard]] PeerAccepted accepted() const;
  /// The same with the verdict as the reserve, where it refuses.
  [[nodiscard]] PeerAccepted accepted_unverified() const;
  [[nodiscard]] const AnswerSetup& setup() const noexcept { return *setup_; }

  /// The verdict on the peer's certificates, in full; nothing before there is one. Its certificates are views that live
  /// as long as this object or until the next verdict.
  [[nodiscard]] const std::optional<x509::Verdict>& verdict() const noexcept { return verdict_; }
  /// The peer's certificates as sent, leaf first; always there after a rejection, otherwise as `keep_peer_chain` says.
  /// Lives as the verdict does.
  [[nodiscard]] std::span<const Bytes> peer_chain() const noexcept { return chain_; }
  /// A client's: why none of its certificates was shown to this server, which asked for one; else null.
  [[nodiscard]] const Withheld* withheld() const noexcept { return withheld_.get(); }

 private:
  void reply(Connection& connection, SelectConfig& question);
  void reply(Connection& connection, SelectCredential& wishes);
  void reply(Connection& connection, Sign& sign);
  void reply(Connection& connection, Decrypt& decrypt);
  void reply(Connection& connection, Compute& compute);
  void reply(Connection& connection, SelectPsk& select);
  void offer_psks(Connection& connection, SelectPsk& select, const PskSource& psks);
  void reply(Connection& connection, FindPsk& find);
  void reply(Connection& connection, VerifyPeer& peer);
  void reply(Connection& connection, OpenTicket& open);
  void reply(Connection& connection, AcceptEarlyData& early);
  void reply(Connection& connection, SealTicket& seal);
  void reply_from_store(Connection& connection, OpenTicket& open);
  void reply_from_store(Connection& connection, SealTicket& seal);
  void settle(const HandshakeComplete& complete);
  void settle(const Failed& failed);
  void put_back();
  void look_at(const VerifyPeer& peer);
  void apply_rules();
  [[nodiscard]] PeerRejected rejected() const;
  struct Judging;
  [[nodiscard]] const TicketKeyring* ticket_keys() const noexcept;

  std::shared_ptr<const AnswerSetup> setup_;
  std::shared_ptr<const AnswerSetup> before_;  // the ClientHello was decided on; else null
  RandomSource* random_;
  std::shared_ptr<const PeerCertificates> shown_;
  std::vector<Bytes> chain_;  // views of what was shown
  Role judged_{};             // who showed it
  x509::PeerName expected_ = x509::NoNameCheck{};
  std::unique_ptr<Judging> judging_;  // what was shown
  std::optional<x509::Verdict> verdict_;
  std::unique_ptr<const Withheld> withheld_;  // few have one
  std::vector<std::uint8_t> session_id_;      // of the session in the store that is this connection's
  std::unique_ptr<Session> taken_;            // out of the store: nobody else can resume it
};

/// A credential from a chain (DER, leaf first) and its key, with the key's schemes in its order: PKCS#1, which signs in
/// TLS 1.2 alone, comes last.
[[nodiscard]] LOCKSTEP_API std::shared_ptr<const Credential> make_credential(
    std::vector<std::vector<std::uint8_t>> chain, std::shared_ptr<const SigningKey> key);

/// Why a credential will not do for what a peer wishes; nothing where it will. For those who choose by themselves;
/// `AnswerSetup::select` does so for any number of them.
[[nodiscard]] LOCKSTEP_API std::optional<Withheld> unsuitable(const std::shared_ptr<const Credential>& credential,
                                                              const SelectCredential& wishes);

/// The reason, and so the alert, for a verdict that refuses. `Reason::none` for `ok`.
[[nodiscard]] LOCKSTEP_API Reason reason_of(x509::Code code) noexcept;

/// The error's text, with the verdict's in place of its own advice when the error comes from it.
[[nodiscard]] LOCKSTEP_API std::string to_text(const Error& error, const std::optional<x509::Verdict>& verdict);
/// The same for a connection's answers: a server that insists on a certificate is answered with why it got none.
[[nodiscard]] LOCKSTEP_API std::string to_text(const Error& error, const Answers& answers);

}  // namespace lockstep
