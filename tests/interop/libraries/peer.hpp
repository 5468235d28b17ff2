// What peers made of TLS libraries share. A library is known by two functions,
// which its source defines; peer.cpp has main().
//
//   PROGRAM suites                     the library's suites by IANA's names,
//   one a line PROGRAM server OPTION...           prints "port N", and sends
//   back what comes on one connection after another PROGRAM client OPTION...
//   --port N  makes --count connections with each suite; each sends a line and
//   waits for it to come back
//
// Both roles print a line of JSON for each connection.

#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace peer {

struct Options {
  bool server = false;
  std::string port;                       ///< Of the server that a client connects to.
  bool tls13 = false;                     ///< TLS 1.3 alone; otherwise TLS 1.2 alone.
  std::vector<std::string> suites;        ///< By IANA's names.
  std::vector<std::string> certificates;  ///< Files of chains, and of their keys.
  std::vector<std::string> keys;
  std::string authorities;  ///< Whom a client trusts. A server that is given
                            ///< some wants client certificates.
  int count = 1;            ///< Connections with each suite; those after the first resume.
  bool tickets = true;      ///< Of TLS 1.2; without, sessions are resumed by their ids.
  bool extended_master_secret = true;
  bool encrypt_then_mac = true;
  bool renegotiate = false;   ///< Once, behind what came first; it takes the
                              ///< other side's wish for it as well.
  std::string dh_parameters;  ///< A server's, a file.
  std::string psk_identity;   ///< Of a pre-shared key, and the key, which is said
                              ///< in hexadecimal.
  std::string psk;
};

struct Facts {
  std::string version;
  std::string suite;
  std::string peer;                  ///< Subject of the peer's certificate, if it has shown one.
  std::optional<bool> resumed = {};  ///< Where the library tells.
};

/// A connection whose handshake is done. Ends by std::runtime_error.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual Facts facts() = 0;
  /// Nothing when the peer has closed.
  virtual std::string read() = 0;
  virtual void write(const std::string& data) = 0;
  /// A client has done so when this returns, a server has asked for it.
  virtual void renegotiate() { throw std::runtime_error("this library does not renegotiate"); }
  /// Sends close_notify.
  virtual void close() = 0;
};

/// A library's configuration. It remembers a client's session from one
/// connection to the next.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  /// A handshake over a connected socket, which stays the caller's. Throws
  /// std::runtime_error.
  virtual std::unique_ptr<Connection> connection(int socket) = 0;
};

std::unique_ptr<Endpoint> make_endpoint(const Options& options);
std::vector<std::string> known_suites();

}  // namespace peer
