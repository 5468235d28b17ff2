#pragma once
// Handshake messages taken apart and put together again, without any of the checks of core/codec.

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

namespace lockstep::testing {

using Octets = std::vector<std::uint8_t>;

inline void append(Octets& to, Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }
inline void put(Octets& out, std::size_t value, int width) {
  while (width-- > 0) out.push_back(static_cast<std::uint8_t>(value >> (8 * width)));
}
inline void put_vector(Octets& out, Bytes contents, int width) {
  put(out, contents.size(), width);
  out.insert(out.end(), contents.begin(), contents.end());
}
/// A vector as it stands on the wire.
inline Octets vector_of(Bytes contents, int width) {
  Octets out;
  put_vector(out, contents, width);
  return out;
}
/// A handshake message with this body.
inline Octets message_of(HandshakeType type, Bytes body) {
  Octets out{static_cast<std::uint8_t>(type)};
  put_vector(out, body, 3);
  return out;
}

/// Reads what an engine of ours wrote; anything else is a mistake of the test.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : rest_(bytes) {}
  std::size_t number(int width) {
    std::size_t value = 0;
    for (const std::uint8_t byte : bytes(static_cast<std::size_t>(width))) value = value << 8U | byte;
    return value;
  }
  Bytes bytes(std::size_t count) {
    if (count > rest_.size()) throw std::runtime_error("a message of our own is malformed");
    const Bytes front = rest_.first(count);
    rest_ = rest_.subspan(count);
    return front;
  }
  Octets vector(int width) {
    const Bytes contents = bytes(number(width));
    return {contents.begin(), contents.end()};
  }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  Bytes rest_;
};

struct RawExtension {
  ExtensionType type{};
  Octets data;
};

struct RawExtensions : std::vector<RawExtension> {
  using std::vector<RawExtension>::vector;

  static RawExtensions split(Bytes block) {
    RawExtensions list;
    for (Cursor cursor(block); !cursor.empty();) {
      const auto type = static_cast<ExtensionType>(cursor.number(2));
      list.push_back({type, cursor.vector(2)});
    }
    return list;
  }
  [[nodiscard]] Octets join() const {
    Octets block;
    for (const RawExtension& extension : *this) {
      put(block, static_cast<std::size_t>(extension.type), 2);
      put_vector(block, extension.data, 2);
    }
    return vector_of(block, 2);
  }
  Octets& operator[](ExtensionType type) {
    const auto found = std::ranges::find(*this, type, &RawExtension::type);
    if (found == end()) throw std::runtime_error("no such extension in a message of our own");
    return found->data;
  }
  void remove(ExtensionType type) {
    std::erase_if(*this, [type](const RawExtension& extension) { return extension.type == type; });
  }
  void add(ExtensionType type, Octets data = {}) { push_back({type, std::move(data)}); }
};

struct RawClientHello {
  std::uint16_t legacy_version = 0;
  Octets random;
  Octets legacy_session_id;
  Octets cipher_suites;
  Octets legacy_compression_methods;
  RawExtensions extensions;
  bool without_extensions = false;

  static RawClientHello split(Bytes message) {
    Cursor cursor(message.subspan(4));
    RawClientHello hello;
    hello.legacy_version = static_cast<std::uint16_t>(cursor.number(2));
    const Bytes random = cursor.bytes(32);
    hello.random.assign(random.begin(), random.end());
    hello.legacy_session_id = cursor.vector(1);
    hello.cipher_suites = cursor.vector(2);
    hello.legacy_compression_methods = cursor.vector(1);
    hello.extensions = RawExtensions::split(cursor.vector(2));
    return hello;
  }
  [[nodiscard]] Octets join() const {
    Octets body;
    put(body, legacy_version, 2);
    body.insert(body.end(), random.begin(), random.end());
    put_vector(body, legacy_session_id, 1);
    put_vector(body, cipher_suites, 2);
    put_vector(body, legacy_compression_methods, 1);
    if (!without_extensions) {
      const Octets block = extensions.join();
      body.insert(body.end(), block.begin(), block.end());
    }
    return message_of(HandshakeType::client_hello, body);
  }
};

struct RawServerHello {
  std::uint16_t legacy_version = 0;
  Octets random;
  Octets legacy_session_id_echo;
  std::uint16_t cipher_suite = 0;
  std::uint8_t legacy_compression_method = 0;
  RawExtensions extensions;

  static RawServerHello split(Bytes message) {
    Cursor cursor(message.subspan(4));
    RawServerHello hello;
    hello.legacy_version = static_cast<std::uint16_t>(cursor.number(2));
    const Bytes random = cursor.bytes(32);
    hello.random.assign(random.begin(), random.end());
    hello.legacy_session_id_echo = cursor.vector(1);
    hello.cipher_suite = static_cast<std::uint16_t>(cursor.number(2));
    hello.legacy_compression_method = static_cast<std::uint8_t>(cursor.number(1));
    hello.extensions = RawExtensions::split(cursor.vector(2));
    return hello;
  }
  [[nodiscard]] Octets join() const {
    Octets body;
    put(body, legacy_version, 2);
    body.insert(body.end(), random.begin(), random.end());
    put_vector(body, legacy_session_id_echo, 1);
    put(body, cipher_suite, 2);
    put(body, legacy_compression_method, 1);
    const Octets block = extensions.join();
    body.insert(body.end(), block.begin(), block.end());
    return message_of(HandshakeType::server_hello, body);
  }
};

struct RawEncryptedExtensions {
  RawExtensions extensions;

  static RawEncryptedExtensions split(Bytes message) {
    Cursor cursor(message.subspan(4));
    return {RawExtensions::split(cursor.vector(2))};
  }
  [[nodiscard]] Octets join() const { return message_of(HandshakeType::encrypted_extensions, extensions.join()); }
};

struct RawCertificateRequest {
  Octets certificate_request_context;
  RawExtensions extensions;

  static RawCertificateRequest split(Bytes message) {
    Cursor cursor(message.subspan(4));
    RawCertificateRequest request;
    request.certificate_request_context = cursor.vector(1);
    request.extensions = RawExtensions::split(cursor.vector(2));
    return request;
  }
  [[nodiscard]] Octets join() const {
    Octets body = vector_of(certificate_request_context, 1);
    const Octets block = extensions.join();
    body.insert(body.end(), block.begin(), block.end());
    return message_of(HandshakeType::certificate_request, body);
  }
};

struct RawCertificate {
  struct Entry {
    Octets cert_data;
    RawExtensions extensions;
  };
  Octets certificate_request_context;
  std::vector<Entry> certificate_list;

  static RawCertificate split(Bytes message) {
    Cursor cursor(message.subspan(4));
    RawCertificate certificate;
    certificate.certificate_request_context = cursor.vector(1);
    const Octets list = cursor.vector(3);
    for (Cursor entries(list); !entries.empty();) {
      Octets cert_data = entries.vector(3);
      certificate.certificate_list.push_back({std::move(cert_data), RawExtensions::split(entries.vector(2))});
    }
    return certificate;
  }
  [[nodiscard]] Octets join() const {
    Octets body = vector_of(certificate_request_context, 1);
    Octets list;
    for (const Entry& entry : certificate_list) {
      put_vector(list, entry.cert_data, 3);
      const Octets block = entry.extensions.join();
      list.insert(list.end(), block.begin(), block.end());
    }
    put_vector(body, list, 3);
    return message_of(HandshakeType::certificate, body);
  }
};

struct RawCertificateVerify {
  SignatureScheme algorithm{};
  Octets signature;

  static RawCertificateVerify split(Bytes message) {
    Cursor cursor(message.subspan(4));
    const auto algorithm = static_cast<SignatureScheme>(cursor.number(2));
    return {algorithm, cursor.vector(2)};
  }
  [[nodiscard]] Octets join() const {
    Octets body;
    put(body, static_cast<std::size_t>(algorithm), 2);
    put_vector(body, signature, 2);
    return message_of(HandshakeType::certificate_verify, body);
  }
};

/// The contents of a key_share extension in ServerHello, or one entry of ClientHello's.
inline Octets key_share_entry(NamedGroup group, Bytes key_exchange) {
  Octets out;
  put(out, static_cast<std::size_t>(group), 2);
  put_vector(out, key_exchange, 2);
  return out;
}
/// The contents of a key_share extension in ClientHello.
inline Octets key_shares(std::initializer_list<Octets> entries) {
  Octets list;
  for (const Octets& entry : entries) list.insert(list.end(), entry.begin(), entry.end());
  return vector_of(list, 2);
}

}  // namespace lockstep::testing
