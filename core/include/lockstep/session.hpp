#pragma once
// Sessions to resume, and the keys that a server seals its tickets with.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/time.hpp>
#include <lockstep/types.hpp>
#include <lockstep/x509.hpp>

namespace lockstep {

/// RFC 9846 4.7.1: "Servers MUST NOT use any value greater than 604800 seconds (7 days)."
inline constexpr std::chrono::seconds kMaxTicketLifetime{604'800};

enum class SessionError : std::uint8_t {
  truncated,            ///< it ends inside a field
  trailing_data,        ///< bytes follow the last field
  unsupported_version,  ///< written by a release with another format
  malformed,            ///< a field has a value that it cannot have
};

/// What a peer showed to be judged by: `VerifyPeer::shown`.
struct PeerCertificates {
  std::vector<std::vector<std::uint8_t>> chain;  ///< DER as sent, leaf first; at most 2^24 - 1 bytes in all
  std::vector<std::uint8_t> ocsp_response;       ///< stapled to the leaf, DER, or empty; at most 65535 bytes
  std::vector<std::uint8_t> sct_list;            ///< the leaf's, as in `Credential`, or empty; at most 65535 bytes

  friend bool operator==(const PeerCertificates&, const PeerCertificates&) = default;
};

/// Why a peer that was accepted is not verified all the same; nothing (`Reason::none`) for any other.
struct Unverified {
  Reason reason = Reason::none;  ///< one of the certificate_* reasons
  std::uint16_t detail = 0;      ///< e.g. the x509::Code

  /// Whether there is anything.
  [[nodiscard]] explicit operator bool() const noexcept { return reason != Reason::none; }
  friend bool operator==(const Unverified&, const Unverified&) = default;
};

/// What a connection's peer is verified by, as a digest: see `ConfigBuilder::session_context`.
using SessionContext = std::array<std::uint8_t, 32>;

/// How far a clock may be behind the one that dated a session: those of a fleet, and one that was set back. As for
/// early data, RFC 9846 8.3: "windows on the order of ten seconds".
inline constexpr std::chrono::seconds kMaxClockSkew{10};
/// How long resumption may put off the next handshake with certificates, at most.
inline constexpr std::chrono::seconds kMaxAuthenticationAge{604'800};

/// What two peers keep of a connection so that another can resume it (RFC 9846 2.2, 4.7.1). A client gets one with
/// every ticket and stores it; a server seals one into the ticket itself, without the `ticket` field.
///
/// It belongs to the name and to the verification that it was made with, and is resumed nowhere else; and it ends,
/// however often it is handed on from one connection to the next.
///
/// It holds a secret: whoever reads it can impersonate either side on resumption and, without (EC)DHE, read the
/// traffic. It wipes itself; wipe what `serialize` gave as well. A ticket should be used once (RFC 9846 C.4).
///
///     store.put(session.name, session.serialize());
///     ...
///     if (auto session = Session::parse(store.take(name)); session && session->usable(now))
///       Connection::client(config, {.name = name, .sessions = {&*session, 1}}, random, now);
struct LOCKSTEP_API Session {
  ProtocolVersion version = ProtocolVersion::tls_1_3;
  CipherSuite suite{};
  /// TLS 1.3: the resumption PSK, as long as the suite's hash. TLS 1.2: the master secret, 48 bytes (RFC 5246 8.1).
  DigestSecret secret;
  std::vector<std::uint8_t> ticket;      ///< the client's: what it sends to resume; at most 65535 bytes
  std::vector<std::uint8_t> session_id;  ///< TLS 1.2; at most 32 bytes
  bool extended_master_secret = false;   ///< TLS 1.2 (RFC 7627); false in TLS 1.3, which has no other
  std::uint8_t max_fragment_length = 0;  ///< TLS 1.2 (RFC 6066 4): 1 to 4 for 2^9 to 2^12 bytes; 0: none
  std::uint32_t ticket_age_add = 0;
  Time issued_at{};  ///< when the server sent the ticket, or the client received it
  std::chrono::seconds lifetime{0};
  /// When the peers last proved who they are with certificates. What resumes this session inherits it.
  Time authenticated_at{};
  /// The earliest end of a certificate on the path by which the peer was verified; without limit where nobody said.
  Time verified_until = Time::max();
  std::uint32_t max_early_data = 0;  ///< bytes; 0: no early data
  bool peer_verified =
      false;  ///< the peer proved an identity that was checked; never resumed where that is demanded otherwise
  SessionContext context{};                   ///< what the peer was verified by
  x509::PeerName name = x509::NoNameCheck{};  ///< whom the client expected; at the server: whom it asked for
  std::string alpn;                           ///< the protocol agreed upon, or empty; at most 255 bytes
  std::vector<std::uint8_t> identity;         ///< as `PeerAccepted` said, or empty; at most 65535 bytes
  /// The application's own, at most 65535 bytes. A server's is sealed into the ticket (`SealTicket`), told when that is
  /// resumed, and inherited by the next; a client's stays with the client.
  std::vector<std::uint8_t> application_data;
  /// What the peer showed, to be verified again; null without `verify_on_resumption`, unless it was not verified.
  std::shared_ptr<const PeerCertificates> peer;
  /// Why the peer was accepted without being verified (`PeerAccepted::unverified`): it is judged again wherever the
  /// session is resumed. Never beside `peer_verified`.
  Unverified unverified{};

  /// A copy, secret included.
  [[nodiscard]] Session clone() const;

  /// Where resumption ends, whatever is done until then: when the authentication is older than `max_authentication_age`
  /// (at most kMaxAuthenticationAge), or a certificate of the peer's path ends.
  [[nodiscard]] Time authentication_ends(
      std::chrono::seconds max_authentication_age = kMaxAuthenticationAge) const noexcept;
  /// Whether it may still be offered or accepted: the ticket has lived less than its lifetime, which is at most
  /// kMaxTicketLifetime, the authentication has not ended, and neither is dated more than kMaxClockSkew in the future.
  [[nodiscard]] bool usable(Time now,
                            std::chrono::seconds max_authentication_age = kMaxAuthenticationAge) const noexcept;

  /// Client: RFC 9846 4.3.11.1: the age in milliseconds plus ticket_age_add, modulo 2^32.
  [[nodiscard]] std::uint32_t obfuscated_ticket_age(Time now) const noexcept;
  /// Server: the age that the client states by its obfuscated age, to compare with `now - issued_at`.
  [[nodiscard]] std::chrono::milliseconds stated_age(std::uint32_t obfuscated_ticket_age) const noexcept;

  /// The session in the format of docs/session-format.md. Secret; wipe it after use.
  [[nodiscard]] std::vector<std::uint8_t> serialize() const;
  /// The same into `out`; the size written, or 0 when serialized_size() bytes do not fit.
  [[nodiscard]] std::size_t serialize(MutableBytes out) const noexcept;
  [[nodiscard]] std::size_t serialized_size() const noexcept;
  /// Reads back exactly what `serialize` wrote; anything else is an error.
  [[nodiscard]] static std::expected<Session, SessionError> parse(Bytes bytes);
};

/// A key that seals tickets: 16 bytes of name, which the ticket shows, and 32 of secret. There is none without a
/// secret but one that was moved from, which whoever takes keys refuses (`TicketError::no_secret`).
class LOCKSTEP_API TicketKey {
 public:
  static constexpr std::size_t kNameSize = 16;
  static constexpr std::size_t kSecretSize = 32;

  /// A new key; nothing when randomness failed.
  [[nodiscard]] static std::optional<TicketKey> generate(RandomSource& random) noexcept;
  /// The key whose name and secret stand one after the other (48 bytes), as several servers may share it; nothing for
  /// another size.
  [[nodiscard]] static std::optional<TicketKey> from_bytes(Bytes name_and_secret) noexcept;
  [[nodiscard]] TicketKey clone() const noexcept;

  /// Both live as long as the key.
  [[nodiscard]] Bytes name() const noexcept { return name_; }
  /// Empty when the key was moved from.
  [[nodiscard]] Bytes secret() const noexcept { return secret_.view(); }

 private:
  TicketKey() noexcept = default;
  std::array<std::uint8_t, kNameSize> name_{};
  Secret<kSecretSize> secret_;
};

enum class TicketError : std::uint8_t {
  malformed,    ///< too short to be a ticket of ours
  unknown_key,  ///< sealed by a key that is not here (any more), or no ticket of ours
  invalid,      ///< forged or damaged
  no_room,      ///< the output is smaller than opened_size
  failed,       ///< the provider or randomness failed
  no_secret,    ///< a key that was moved from, or keys that were
  unsupported,  ///< the provider lacks AES-256-GCM and ChaCha20-Poly1305, or SHA-256
  insecure,     ///< what the provider has of these protects nothing
};

/// Stateless tickets (RFC 9846 4.7.1, in the manner of RFC 5077 4): the session itself, sealed. The newest key seals,
/// every key opens. Rotate at least daily: whoever learns a key can impersonate on resumption for as long as its
/// tickets live.
///
/// Format: key name (16) | seed (32) | ciphertext | tag (16). Every ticket has a key and nonce of its own, derived from
/// the key's secret and the ticket's seed by HKDF-Expand, so that no number of tickets brings two under the same nonce
/// (random 96-bit nonces under one key would be good for 2^32 only). Name and seed are authenticated.
///
/// The seed is a MAC of fresh random bytes and the session, under the key's secret. A source of randomness that repeats
/// itself, in one process or in several that share the key, therefore gives two sessions two keystreams all the same;
/// it shows no more than that a session was sealed twice. Nothing is counted, so nothing has to survive a restart.
///
///     auto keys = TicketKeys::create(provider, *TicketKey::generate(random));
///     auto rotated = keys->rotate(*TicketKey::generate(random));   // every few hours
///
/// `const` members may be called from several threads at once.
class LOCKSTEP_API TicketKeys {
 public:
  /// The keys that are kept: the current one and those before it. A week's, when they change daily.
  static constexpr std::size_t kMaxKeys = 8;
  /// What a ticket adds to the session in it.
  static constexpr std::size_t kOverhead = TicketKey::kNameSize + 32 + 16;

  /// Keys that seal; or `no_secret`, `unsupported` or `insecure`.
  [[nodiscard]] static std::expected<TicketKeys, TicketError> create(const Provider& provider, TicketKey current);

  /// What removes protection. Named so that it stands out in every review, as `ConfigBuilder::dangerous` is.
  class LOCKSTEP_API Dangerous {
   public:
    /// `create` with a provider that protects nothing, such as `fake::provider()`: for tests and fuzzing.
    [[nodiscard]] std::expected<TicketKeys, TicketError> allow_insecure_provider(const Provider& provider,
                                                                                 TicketKey current) const;
  };
  [[nodiscard]] static constexpr Dangerous dangerous() noexcept { return {}; }

  /// Makes `next` the current key. The oldest is forgotten when there are more than kMaxKeys. A key without a secret
  /// changes nothing (`no_secret`).
  [[nodiscard]] std::expected<void, TicketError> rotate(TicketKey next);
  /// Adds a key that only opens, after those that are here: one that another server seals with, or did. The oldest is
  /// forgotten when there are more than kMaxKeys. A key without a secret changes nothing (`no_secret`).
  [[nodiscard]] std::expected<void, TicketError> add_previous(TicketKey previous);
  /// All keys at once, the current one first; of more than kMaxKeys the first. Without any nothing is sealed or opened.
  /// When one has no secret nothing changes (`no_secret`).
  [[nodiscard]] std::expected<void, TicketError> assign(std::vector<TicketKey> keys);
  /// The keys, the current one first, for servers elsewhere that are to open the same tickets. Lives until they change.
  [[nodiscard]] std::span<const TicketKey> keys() const noexcept { return keys_; }
  /// None in what was moved from; that seals and opens nothing.
  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

  [[nodiscard]] static constexpr std::size_t sealed_size(std::size_t session_size) noexcept {
    return session_size + kOverhead;
  }
  [[nodiscard]] static constexpr std::size_t opened_size(std::size_t ticket_size) noexcept {
    return ticket_size < kOverhead ? 0 : ticket_size - kOverhead;
  }

  /// Seals a serialized session into the first sealed_size(session.size()) bytes of `out`, which does not overlap it.
  /// The size written.
  [[nodiscard]] std::expected<std::size_t, TicketError> seal(Bytes session, RandomSource& random,
                                                             MutableBytes out) const noexcept;

  /// Whether a ticket says that it was sealed by a key which is here; nobody has checked yet that it was.
  [[nodiscard]] std::expected<void, TicketError> recognize(Bytes ticket) const noexcept;
  struct Opened {
    std::size_t size;  ///< of the session in `out`
    bool renew;        ///< sealed by a key that is not current: send a new ticket
  };
  /// Opens a ticket into `out` (opened_size bytes, not overlapping). The caller wipes it.
  [[nodiscard]] std::expected<Opened, TicketError> open(Bytes ticket, MutableBytes out) const noexcept;

 private:
  TicketKeys(const Aead& aead, const Hash& hash) noexcept : aead_(&aead), hash_(&hash) {}
  /// The key that a ticket names.
  [[nodiscard]] std::expected<const TicketKey*, TicketError> key_of(Bytes ticket) const noexcept;
  const Aead* aead_;
  const Hash* hash_;
  std::vector<TicketKey> keys_;  // newest first; every one has a secret
};

/// Enumerator names.
[[nodiscard]] LOCKSTEP_API std::string_view name(SessionError) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(TicketError) noexcept;

}  // namespace lockstep
