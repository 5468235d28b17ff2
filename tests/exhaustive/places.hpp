#pragma once
// What each byte of a flight is: "record.length", "ClientHello.key_share.group", "protected". Read independently of the
// engine's own codecs, and only for flights that are well formed.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

namespace lockstep::testing {

class Places {
 public:
  /// The place of every byte.
  [[nodiscard]] static std::vector<std::string> of(Bytes flight) {
    Places places(flight);
    while (places.left() > 0) places.record();
    return std::move(places.names_);
  }
  /// The same without a look into the records: what they are follows from what came before them in TLS 1.2.
  [[nodiscard]] static std::vector<std::string> of_records(Bytes flight) {
    Places places(flight);
    while (places.left() > 0) {
      places.skip(1, "type");
      places.skip(2, "legacy_record_version");
      places.vector(2, "fragment");
    }
    return std::move(places.names_);
  }

 private:
  explicit Places(Bytes flight) noexcept : bytes_(flight) {}

  // Every function names the bytes that it passes.
  std::size_t number(std::size_t size, const std::string& name) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8U | bytes_[names_.size() + i];
    skip(size, name);
    return value;
  }
  void skip(std::size_t size, const std::string& name) { names_.insert(names_.end(), size, name); }
  void vector(std::size_t length_size, const std::string& name) {
    const std::size_t length = number(length_size, name + ".length");
    skip(length, name);
  }
  [[nodiscard]] std::size_t at() const noexcept { return names_.size(); }
  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - names_.size(); }

  void record() {
    const auto type = static_cast<ContentType>(bytes_[at()]);
    const std::string kind = type == ContentType::handshake          ? "plain"
                             : type == ContentType::application_data ? "protected"
                             : type == ContentType::alert            ? "alert"
                                                                     : "change_cipher_spec";
    skip(1, kind + ".type");
    skip(2, kind + ".legacy_record_version");
    const std::size_t length = number(2, kind + ".length");
    const std::size_t end = at() + length;
    if (type == ContentType::handshake) {
      while (at() < end) message();
    } else if (type == ContentType::alert) {
      skip(1, "alert.level");
      skip(1, "alert.description");
    } else {
      skip(length, kind + ".fragment");
    }
  }

  void message() {
    const auto type = static_cast<HandshakeType>(bytes_[at()]);
    // RFC 9846 4.2.3: a ServerHello with the random value of HelloRetryRequest is one.
    const bool retry = type == HandshakeType::server_hello && bytes_[at() + 6] == 0xcf && bytes_[at() + 7] == 0x21;
    message_ = retry ? "HelloRetryRequest." : type == HandshakeType::client_hello ? "ClientHello." : "ServerHello.";
    skip(1, message_ + "msg_type");
    number(3, message_ + "length");
    skip(2, message_ + "legacy_version");
    skip(32, message_ + "random");
    vector(1, message_ + "legacy_session_id");
    if (type == HandshakeType::client_hello) {
      vector(2, message_ + "cipher_suites");
      vector(1, message_ + "legacy_compression_methods");
    } else {
      skip(2, message_ + "cipher_suite");
      skip(1, message_ + "legacy_compression_method");
    }
    const std::size_t length = number(2, message_ + "extensions.length");
    for (const std::size_t end = at() + length; at() < end;) extension(type == HandshakeType::client_hello, retry);
  }

  void extension(bool of_client, bool retry) {
    const auto type = static_cast<ExtensionType>(bytes_[at()] << 8U | bytes_[at() + 1]);
    skip(2, message_ + "extension_type");
    const std::string_view known = lockstep::name(type);
    const std::string name = message_ + (known.empty() ? "grease" : std::string(known));
    const std::size_t length = number(2, message_ + "extension.length");
    const std::size_t end = at() + length;
    switch (type) {
      case ExtensionType::key_share:
        if (of_client) number(2, name + ".list.length");
        while (at() < end) {
          skip(2, name + ".group");
          if (!retry) vector(2, name + ".key_exchange");
        }
        break;
      case ExtensionType::pre_shared_key:
        if (!of_client) break;
        for (const std::size_t identities = number(2, name + ".list.length") + at(); at() < identities;) {
          vector(2, name + ".identity");
          skip(4, name + ".obfuscated_ticket_age");
        }
        number(2, name + ".list.length");
        while (at() < end) vector(1, name + ".binder");
        break;
      case ExtensionType::server_name:
        number(2, name + ".list.length");
        skip(1, name + ".name_type");
        vector(2, name + ".host_name");
        break;
      case ExtensionType::application_layer_protocol_negotiation:
        number(2, name + ".list.length");
        while (at() < end) vector(1, name + ".protocol");
        break;
      case ExtensionType::supported_groups:
      case ExtensionType::signature_algorithms:
      case ExtensionType::signature_algorithms_cert:
      case ExtensionType::cookie: vector(2, name); break;
      case ExtensionType::psk_key_exchange_modes: vector(1, name); break;
      case ExtensionType::supported_versions:
        if (of_client) vector(1, name);
        break;
      default: break;
    }
    skip(end - at(), name);  // the rest is a value
  }

  Bytes bytes_;
  std::vector<std::string> names_;
  std::string message_;
};

}  // namespace lockstep::testing
