#pragma once
// What moves a handshake on, beside messages: answers to suspended operations. One mechanism for both.

#include <memory>
#include <optional>
#include <span>

#include <lockstep/bytes.hpp>
#include <lockstep/event.hpp>
#include <lockstep/session.hpp>

#include "handshake/key_exchange.hpp"

namespace lockstep::handshake {

struct SignatureToCheck;

struct CredentialSelected {
  std::shared_ptr<const Credential> credential;  ///< null: there is none
};

struct Signed {
  Bytes signature;  ///< empty: the key could not
};

/// Proof that whoever judges the peer has accepted it. Made where the answer arrives, and where the configuration says
/// that nobody asks.
class PeerVerified {
 public:
  PeerVerified(PeerVerified&&) noexcept = default;
  PeerVerified& operator=(PeerVerified&&) noexcept = default;
  PeerVerified(const PeerVerified&) noexcept = default;
  PeerVerified& operator=(const PeerVerified&) noexcept = default;

  [[nodiscard]] const PeerAccepted& answer() const noexcept { return answer_; }

 private:
  friend class Handshake;
  friend std::optional<PeerVerified> verification_skipped(const Settings& settings) noexcept;
  PeerVerified() noexcept = default;
  explicit PeerVerified(const PeerAccepted& answer) noexcept : answer_(answer) {}
  PeerAccepted answer_;  // the identity lives as long as the call that brings it
};

struct PeerRefused {
  PeerRejected rejection;
};

/// The application has looked at the ClientHello, and the configuration is the one that it wants.
struct ConfigChosen {};

struct HelloRefused {
  Alert alert{};
};

struct Decrypted {
  Bytes premaster;  ///< empty: it could not be read
};

/// The application's pre-shared key, and proof that it gave one. Views that live as long as the call that brings it.
class PskGiven {
 public:
  /// Client: the key's. Server: who the client is; empty: whom the key's identity names.
  [[nodiscard]] Bytes identity() const noexcept { return identity_; }
  [[nodiscard]] Bytes key() const noexcept { return key_; }
  /// TLS 1.3: the key's.
  [[nodiscard]] HashAlgorithm hash() const noexcept { return hash_; }
  /// Client: all of them, of which the first is the one above; TLS 1.3 alone has several.
  [[nodiscard]] std::span<const PskChosen> chosen() const noexcept { return chosen_; }

 private:
  friend class Handshake;
  explicit PskGiven(std::span<const PskChosen> chosen) noexcept
      : identity_(chosen.front().identity), key_(chosen.front().key), hash_(chosen.front().hash), chosen_(chosen) {}
  explicit PskGiven(const PskFound& found) noexcept
      : identity_(found.peer_identity), key_(found.key), hash_(found.hash) {}
  Bytes identity_;
  Bytes key_;
  HashAlgorithm hash_;
  std::span<const PskChosen> chosen_;
};

struct PskWithheld {};

// What computations come to.

/// Key pairs of ours, to be taken.
struct SharesMade {
  std::span<MadeKeyPair> pairs;
};

/// The secret of a key exchange; views that live as long as the call that brings it.
struct SecretMade {
  GroupResult result{};
  Bytes share{};   ///< ours, where we encapsulate
  Bytes secret{};  ///< wiped by whoever brings it
  bool random_failed = false;
};

/// What a check of the peer's signature has found. Made where it was checked.
class SignatureChecked {
 public:
  [[nodiscard]] VerifyResult result() const noexcept { return result_; }

 private:
  friend class Handshake;
  friend SignatureChecked check_in_place(const SignatureToCheck& signature) noexcept;
  explicit SignatureChecked(VerifyResult result) noexcept : result_(result) {}
  VerifyResult result_;
};

struct TicketOpened {
  Session* session = nullptr;  ///< null: declined; else to be taken
};

struct EarlyDataJudged {
  bool accepted = false;  ///< the application takes it
};

/// A change_cipher_spec record of TLS 1.2 (RFC 5246 7.1). Only states that hold derived keys have a handler for it: one
/// that comes before its time (CVE-2014-0224) finds none.
struct ChangeCipherSpec {};

/// The application wants another handshake (TLS 1.2).
struct Renegotiate {
  std::optional<ClientAuth> client_auth{};  ///< server: what it asks of its client from now on
};

struct TicketSealed {
  Bytes ticket;  ///< empty: none is sent
};

}  // namespace lockstep::handshake
