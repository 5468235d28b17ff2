#include "probe.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <lockstep/bytes.hpp>
#include <lockstep/lists.hpp>

#include "cursor.hpp"
#include "provider.hpp"
#include "words.hpp"

namespace lockstep::tool {
namespace {

struct OldSuite {
  std::uint16_t number;
  std::string_view name;
};

/// Suites that the library does not have: by stream and block ciphers that are broken or were never much used, without
/// encryption or authentication, with keys for export, with static ECDH, DSS and Camellia.
constexpr auto kOldSuites = std::to_array<OldSuite>({
    {0xc072, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256"},
    {0xc073, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384"},
    {0xc076, "TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256"},
    {0xc077, "TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384"},
    {0xc07a, "TLS_RSA_WITH_CAMELLIA_128_GCM_SHA256"},
    {0xc07b, "TLS_RSA_WITH_CAMELLIA_256_GCM_SHA384"},
    {0xc07c, "TLS_DHE_RSA_WITH_CAMELLIA_128_GCM_SHA256"},
    {0xc07d, "TLS_DHE_RSA_WITH_CAMELLIA_256_GCM_SHA384"},
    {0xc086, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_GCM_SHA256"},
    {0xc087, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_GCM_SHA384"},
    {0xc08a, "TLS_ECDHE_RSA_WITH_CAMELLIA_128_GCM_SHA256"},
    {0xc08b, "TLS_ECDHE_RSA_WITH_CAMELLIA_256_GCM_SHA384"},
    {0x0041, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA"},
    {0x0045, "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA"},
    {0x0084, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA"},
    {0x0088, "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA"},
    {0xc05c, "TLS_ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256"},
    {0xc05d, "TLS_ECDHE_ECDSA_WITH_ARIA_256_GCM_SHA384"},
    {0xc060, "TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256"},
    {0xc061, "TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384"},
    {0x0032, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA"},
    {0x0038, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA"},
    {0x0040, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA256"},
    {0x006a, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA256"},
    {0x00a2, "TLS_DHE_DSS_WITH_AES_128_GCM_SHA256"},
    {0x00a3, "TLS_DHE_DSS_WITH_AES_256_GCM_SHA384"},
    {0xc004, "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA"},
    {0xc005, "TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA"},
    {0xc00e, "TLS_ECDH_RSA_WITH_AES_128_CBC_SHA"},
    {0xc00f, "TLS_ECDH_RSA_WITH_AES_256_CBC_SHA"},
    {0xc02d, "TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256"},
    {0xc02e, "TLS_ECDH_ECDSA_WITH_AES_256_GCM_SHA384"},
    {0xc031, "TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256"},
    {0xc032, "TLS_ECDH_RSA_WITH_AES_256_GCM_SHA384"},
    {0x0096, "TLS_RSA_WITH_SEED_CBC_SHA"},
    {0x0007, "TLS_RSA_WITH_IDEA_CBC_SHA"},
    {0xc008, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA"},
    {0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"},
    {0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"},
    {0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"},
    {0xc007, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA"},
    {0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA"},
    {0x0005, "TLS_RSA_WITH_RC4_128_SHA"},
    {0x0004, "TLS_RSA_WITH_RC4_128_MD5"},
    {0x0015, "TLS_DHE_RSA_WITH_DES_CBC_SHA"},
    {0x0009, "TLS_RSA_WITH_DES_CBC_SHA"},
    {0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5"},
    {0x0006, "TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5"},
    {0x0008, "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA"},
    {0x0014, "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA"},
    {0xc018, "TLS_ECDH_anon_WITH_AES_128_CBC_SHA"},
    {0xc019, "TLS_ECDH_anon_WITH_AES_256_CBC_SHA"},
    {0x0034, "TLS_DH_anon_WITH_AES_128_CBC_SHA"},
    {0x003a, "TLS_DH_anon_WITH_AES_256_CBC_SHA"},
    {0x006c, "TLS_DH_anon_WITH_AES_128_CBC_SHA256"},
    {0x006d, "TLS_DH_anon_WITH_AES_256_CBC_SHA256"},
    {0x00a6, "TLS_DH_anon_WITH_AES_128_GCM_SHA256"},
    {0x00a7, "TLS_DH_anon_WITH_AES_256_GCM_SHA384"},
    {0x0018, "TLS_DH_anon_WITH_RC4_128_MD5"},
    {0xc006, "TLS_ECDHE_ECDSA_WITH_NULL_SHA"},
    {0xc010, "TLS_ECDHE_RSA_WITH_NULL_SHA"},
    {0x003b, "TLS_RSA_WITH_NULL_SHA256"},
    {0x0002, "TLS_RSA_WITH_NULL_SHA"},
    {0x0001, "TLS_RSA_WITH_NULL_MD5"},
});

const OldSuite* old_suite(CipherSuite suite) {
  const auto* const found = std::ranges::find(kOldSuites, static_cast<std::uint16_t>(suite), &OldSuite::number);
  return found == kOldSuites.end() ? nullptr : found;
}

// --- the question ----------------------------------------------------------------------------------------------------

class Writer {
 public:
  void u8(std::size_t value) { bytes_.push_back(static_cast<std::uint8_t>(value)); }
  void u16(std::size_t value) {
    u8(value >> 8U);
    u8(value & 0xffU);
  }
  void bytes(Bytes some) { bytes_.insert(bytes_.end(), some.begin(), some.end()); }
  /// What `write` writes, behind its length in `width` bytes.
  template <class Write>
  void prefixed(std::size_t width, Write write) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + width);
    write();
    std::size_t size = bytes_.size() - at - width;
    for (std::size_t i = width; i-- != 0; size >>= 8U) bytes_[at + i] = static_cast<std::uint8_t>(size);
  }
  template <class CodePoint>
  void list(const std::vector<CodePoint>& codes) {
    prefixed(2, [&] {
      for (const CodePoint code : codes) u16(static_cast<std::size_t>(code));
    });
  }
  template <class Write>
  void extension(ExtensionType type, Write write) {
    u16(static_cast<std::size_t>(type));
    prefixed(2, write);
  }
  [[nodiscard]] std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

void write_extensions(Writer& writer, const Offer& offer) {
  if (!offer.server_name.empty()) {
    writer.extension(ExtensionType::server_name, [&] {
      writer.prefixed(2, [&] {
        writer.u8(0);  // host_name
        writer.prefixed(2, [&] { writer.bytes(as_bytes(offer.server_name)); });
      });
    });
  }
  if (!offer.groups.empty()) writer.extension(ExtensionType::supported_groups, [&] { writer.list(offer.groups); });
  if (offer.version != ProtocolVersion::tls_1_3) {
    writer.extension(ExtensionType::ec_point_formats, [&] { writer.prefixed(1, [&] { writer.u8(0); }); });
    writer.extension(ExtensionType::extended_main_secret, [] {});
    writer.extension(ExtensionType::encrypt_then_mac, [] {});
    writer.extension(ExtensionType::session_ticket, [] {});
    writer.extension(ExtensionType::renegotiation_info, [&] { writer.u8(0); });
  }
  if (rank(offer.version) >= rank(ProtocolVersion::tls_1_2)) {
    writer.extension(ExtensionType::signature_algorithms, [&] { writer.list(offer.schemes); });
    // Of certificates anything will do: they are not what is asked about.
    const std::span<const SignatureScheme> known = known_schemes();
    writer.extension(ExtensionType::signature_algorithms_cert,
                     [&] { writer.list(std::vector<SignatureScheme>(known.begin(), known.end())); });
  }
  if (offer.version == ProtocolVersion::tls_1_3) {
    writer.extension(ExtensionType::supported_versions,
                     [&] { writer.prefixed(1, [&] { writer.u16(static_cast<std::size_t>(offer.version)); }); });
    writer.extension(ExtensionType::psk_key_exchange_modes, [&] { writer.prefixed(1, [&] { writer.u8(1); }); });
    writer.extension(ExtensionType::key_share, [&] { writer.u16(0); });
  }
}

// --- the answer ------------------------------------------------------------------------------------------------------

bool read_server_hello(Bytes body, Choice& choice) {
  Cursor reader(body);
  choice.version = static_cast<ProtocolVersion>(reader.number(2));
  reader.skip(32);
  choice.session_id = !reader.prefixed(1).empty();
  choice.suite = static_cast<CipherSuite>(reader.number(2));
  choice.compression = reader.number(1) != 0;
  if (!reader.more()) return reader.ok();
  Cursor extensions(reader.prefixed(2));
  while (extensions.more()) {
    const auto type = static_cast<ExtensionType>(extensions.number(2));
    Cursor data(extensions.prefixed(2));
    switch (type) {
      case ExtensionType::supported_versions: choice.version = static_cast<ProtocolVersion>(data.number(2)); break;
      case ExtensionType::key_share: choice.group = static_cast<NamedGroup>(data.number(2)); break;
      case ExtensionType::session_ticket: choice.session_ticket = true; break;
      case ExtensionType::extended_main_secret: choice.extended_main_secret = true; break;
      case ExtensionType::encrypt_then_mac: choice.encrypt_then_mac = true; break;
      case ExtensionType::renegotiation_info: choice.renegotiation_info = true; break;
      default: break;
    }
  }
  return reader.ok() && extensions.ok();
}

bool read_server_key_exchange(Bytes body, Choice& choice) {
  Cursor reader(body);
  const std::string text = suite_text(choice.suite);
  const std::string_view name = text;
  if (name.find("_PSK_") != std::string_view::npos) return true;  // signed by nobody
  if (name.starts_with("TLS_ECDH")) {
    if (reader.number(1) != 3) return false;  // named_curve
    choice.group = static_cast<NamedGroup>(reader.number(2));
    reader.skip(reader.number(1));
  } else if (name.starts_with("TLS_DH")) {
    Bytes p = reader.prefixed(2);
    while (!p.empty() && p[0] == 0) p = p.subspan(1);
    choice.dh_bits = p.size() * 8;
    for (unsigned top = p.empty() ? 0x80U : p[0]; (top & 0x80U) == 0; top <<= 1U) --choice.dh_bits;
    reader.skip(reader.number(2));
    reader.skip(reader.number(2));
  } else {
    return true;  // export keys
  }
  if (choice.version == ProtocolVersion::tls_1_2 && reader.more())
    choice.scheme = static_cast<SignatureScheme>(reader.number(2));
  return reader.ok();
}

/// Puts records together to messages, and the messages to a choice.
class AnswerReader {
 public:
  /// The outcome once there is one.
  std::optional<std::expected<Choice, NoChoice>> take(Bytes bytes) {
    records_.insert(records_.end(), bytes.begin(), bytes.end());
    for (;;) {
      Cursor reader(records_);
      const auto type = static_cast<ContentType>(reader.number(1));
      reader.skip(2);
      const Bytes fragment = reader.prefixed(2);
      if (!reader.ok()) return records_.size() > kMostBytes ? malformed() : std::nullopt;
      auto outcome = take_record(type, fragment);
      if (outcome) return outcome;
      records_.erase(records_.begin(), records_.begin() + 5 + static_cast<std::ptrdiff_t>(fragment.size()));
    }
  }

 private:
  using Outcome = std::optional<std::expected<Choice, NoChoice>>;
  static constexpr std::size_t kMostBytes = std::size_t{1} << 17U;

  static Outcome malformed() { return std::unexpected(NoChoice{.text = "what the server says is no answer of TLS"}); }

  Outcome take_record(ContentType type, Bytes fragment) {
    if (type == ContentType::alert && fragment.size() >= 2) {
      // RFC 5246 7.2: a warning (1), such as unrecognized_name, ends nothing.
      if (fragment[0] == 1 && fragment[1] != 0) return std::nullopt;
      const auto alert = static_cast<Alert>(fragment[1]);
      return std::unexpected(NoChoice{.alert = alert, .text = "alert " + std::string(name(alert))});
    }
    if (type == ContentType::change_cipher_spec) return std::nullopt;
    if (type != ContentType::handshake) return malformed();
    messages_.insert(messages_.end(), fragment.begin(), fragment.end());
    if (messages_.size() > kMostBytes) return malformed();
    for (;;) {
      Cursor reader(messages_);
      const auto message = static_cast<HandshakeType>(reader.number(1));
      const Bytes body = reader.prefixed(3);
      if (!reader.ok()) return std::nullopt;
      if (auto outcome = take_message(message, body)) return outcome;
      messages_.erase(messages_.begin(), messages_.begin() + 4 + static_cast<std::ptrdiff_t>(body.size()));
    }
  }

  Outcome take_message(HandshakeType type, Bytes body) {
    switch (type) {
      case HandshakeType::server_hello:
        if (!read_server_hello(body, choice_)) return malformed();
        if (choice_.version == ProtocolVersion::tls_1_3) return choice_;
        return std::nullopt;
      case HandshakeType::server_key_exchange: return read_server_key_exchange(body, choice_) ? Outcome() : malformed();
      case HandshakeType::certificate_request: choice_.asks_certificate = true; return std::nullopt;
      case HandshakeType::server_hello_done: return choice_;
      default: return std::nullopt;
    }
  }

  std::vector<std::uint8_t> records_;
  std::vector<std::uint8_t> messages_;
  Choice choice_;
};

std::unexpected<NoChoice> ended(const IoError& error) {
  return std::unexpected(
      NoChoice{.alert = {}, .timed_out = error.condition == IoCondition::timeout, .text = error.text});
}

}  // namespace

std::vector<std::uint8_t> client_hello_of(const Offer& offer) {
  const bool newest = offer.version == ProtocolVersion::tls_1_3;
  const auto version = static_cast<std::size_t>(newest ? ProtocolVersion::tls_1_2 : offer.version);
  Writer writer;
  writer.u8(static_cast<std::size_t>(ContentType::handshake));
  // RFC 9846 5.1: the record of a first ClientHello may say TLS 1.0, whatever is offered.
  writer.u16(offer.version == ProtocolVersion::ssl_3_0 ? 0x0300 : 0x0301);
  writer.prefixed(2, [&] {
    writer.u8(static_cast<std::size_t>(HandshakeType::client_hello));
    writer.prefixed(3, [&] {
      writer.u16(version);
      std::array<std::uint8_t, 32> random{};
      (void)random_source().fill(random);
      writer.bytes(random);
      writer.prefixed(1, [&] {
        if (newest) writer.bytes(random);
      });
      writer.list(offer.suites);
      writer.prefixed(1, [&] {
        if (offer.compression) writer.u8(1);  // DEFLATE (RFC 3749)
        writer.u8(0);
      });
      // Servers of SSL 3.0 may know none.
      if (offer.version != ProtocolVersion::ssl_3_0) writer.prefixed(2, [&] { write_extensions(writer, offer); });
    });
  });
  return writer.take();
}

std::expected<Choice, NoChoice> ask(blocking::Socket& socket, const Offer& offer, blocking::Deadline deadline) {
  if (const auto sent = socket.write(client_hello_of(offer), deadline); !sent) return ended(sent.error());
  AnswerReader reader;
  std::array<std::uint8_t, 4096> buffer;
  for (;;) {
    const auto count = socket.read(buffer, deadline);
    if (!count) return ended(count.error());
    if (*count == 0) return std::unexpected(NoChoice{.text = "the server ended the connection"});
    if (auto outcome = reader.take(Bytes(buffer).first(*count))) {
      // A word of farewell, so that nobody takes it for a fault.
      static constexpr std::array<std::uint8_t, 7> kCloseNotify = {21, 3, 3, 0, 2, 1, 0};
      (void)socket.write(kCloseNotify, deadline);
      return std::move(*outcome);
    }
  }
}

std::vector<CipherSuite> old_suites() {
  std::vector<CipherSuite> suites;
  std::ranges::copy_if(known_suites(), std::back_inserter(suites),
                       [](CipherSuite suite) { return parts(suite)->version != ProtocolVersion::tls_1_3; });
  for (const OldSuite& each : kOldSuites) suites.push_back(static_cast<CipherSuite>(each.number));
  return suites;
}

std::string suite_text(CipherSuite suite) {
  const OldSuite* const old = old_suite(suite);
  return old != nullptr ? std::string(old->name) : to_text(suite);
}

bool is_weak(CipherSuite suite) {
  const OldSuite* const old = old_suite(suite);
  if (old == nullptr) return is_insecure(suite);
  // ARIA and Camellia with a fresh key exchange and an AEAD are unusual and no worse than AES.
  const bool fresh = old->name.starts_with("TLS_ECDHE_") || old->name.starts_with("TLS_DHE_RSA_");
  return !fresh || old->name.find("_GCM_") == std::string_view::npos;
}

}  // namespace lockstep::tool
