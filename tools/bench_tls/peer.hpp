#pragma once
// What is measured: TLS libraries, each behind the same two classes. Both ends of a connection live in one process and
// the wire is a buffer, so that nothing but the library's own work is on the clock.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

#include "certificates.hpp"

namespace lockstep::bench {

/// Bytes on their way from one end to the other. A peer writes straight into the room behind what is there already.
class Wire {
 public:
  /// More than any case sends before the other end reads.
  static constexpr std::size_t kCapacity = std::size_t{1} << 20U;

  [[nodiscard]] MutableBytes room() noexcept { return MutableBytes(bytes_).subspan(size_); }
  void commit(std::size_t size) noexcept { size_ += size; }
  void append(Bytes bytes) {
    if (bytes.size() > bytes_.size() - size_) throw std::runtime_error("the wire is full");
    std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// Everything on it; alive until the next write.
  [[nodiscard]] MutableBytes take() noexcept {
    const MutableBytes all = MutableBytes(bytes_).first(size_);
    size_ = 0;
    return all;
  }

 private:
  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(kCapacity);
  std::size_t size_ = 0;
};

/// What a connection is to be like. Nothing else is offered or accepted, so that all peers do the same work: the server
/// sends leaf and intermediate, the client trusts the root alone and checks chain, validity and name.
struct Shape {
  CipherSuite suite = CipherSuite::tls_aes_128_gcm_sha256;
  NamedGroup group = NamedGroup::x25519;
  KeyType key = KeyType::ec_p256;  ///< of every certificate in the chain
  bool mutual = false;             ///< the server demands a client's chain and checks it
  bool resume = false;             ///< one ticket a handshake, offered in the next one
  bool together = false;           ///< many handshakes are in flight: whoever can computes for all of a side at once

  /// The suite says which version it is.
  [[nodiscard]] bool tls12() const noexcept { return parts(suite)->version == ProtocolVersion::tls_1_2; }
};

/// One side of one connection.
class End {
 public:
  End() = default;
  End(const End&) = delete;
  End& operator=(const End&) = delete;
  virtual ~End() = default;

  /// Takes all of `in`, goes on with the handshake and what follows it as far as possible, and writes what is to be
  /// sent.
  virtual void advance(MutableBytes in, Wire& out) = 0;
  [[nodiscard]] virtual bool connected() const = 0;
  [[nodiscard]] virtual bool resumed() const = 0;
  /// Sends one record of application data, at most 16384 bytes.
  virtual void send(Bytes plaintext, Wire& out) = 0;
  /// Takes whole records and hands over their plaintext in the library's own cheapest way; the bytes of plaintext.
  virtual std::size_t receive(MutableBytes in) = 0;
};

/// A library.
class Peer {
 public:
  Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  virtual ~Peer() = default;

  /// For people ("OpenSSL 3.5.1"), and without spaces.
  [[nodiscard]] virtual std::string title() const = 0;
  [[nodiscard]] virtual std::string key() const = 0;
  /// Makes what connections share (contexts, keys, trust) for one shape. False when the library cannot do it.
  virtual bool prepare(const Shape& shape, const Certificates& certificates) = 0;
  [[nodiscard]] virtual std::unique_ptr<End> client() = 0;
  [[nodiscard]] virtual std::unique_ptr<End> server() = 0;
  /// Every end of a side has had its turn: what was left to be computed together is, and those ends go on, each writing
  /// to the wire of its last turn.
  virtual void end_turn() {}
};

/// Our engine with each provider of this build; the first one is the product as it comes.
[[nodiscard]] std::vector<std::unique_ptr<Peer>> make_lockstep_peers();
/// Ours with every call of a provider timed, see spent.hpp.
[[nodiscard]] std::unique_ptr<Peer> make_timed_lockstep_peer();
/// The others; null when the build left it out.
[[nodiscard]] std::unique_ptr<Peer> make_openssl_peer();
[[nodiscard]] std::unique_ptr<Peer> make_botan_peer();

}  // namespace lockstep::bench
