#include <algorithm>
#include <functional>
#include <iterator>
#include <string_view>

#include <lockstep/client_hello.hpp>

#include "codec/client_hello.hpp"
#include "key_schedule/transcript.hpp"

namespace lockstep {
namespace {

template <class Value>
void copy(const std::optional<codec::CodePoints<Value>>& sent, std::vector<Value>& into) {
  if (sent) into.assign(sent->begin(), sent->end());
}

// --- fingerprints ---

template <class Code>
bool told_apart_by(Code code) noexcept {
  return !is_grease(static_cast<std::uint16_t>(code));
}

std::string hex(std::uint32_t value, int digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) text += kDigits[value >> shift & 15U];
  return text;
}

template <class Code>
std::vector<std::string> hex_of(const std::vector<Code>& codes) {
  std::vector<std::string> words;
  for (const Code code : codes)
    if (told_apart_by(code)) words.push_back(hex(static_cast<std::uint16_t>(code), 4));
  return words;
}

std::string joined(const std::vector<std::string>& words, char between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(1, between)) + word;
  return text;
}

// At most 99.
std::string two_digits(std::size_t count) {
  const std::size_t told = std::min<std::size_t>(count, 99);
  return std::string(1, static_cast<char>('0' + told / 10)) + static_cast<char>('0' + told % 10);
}

std::string version_word(const ClientHelloInfo& hello) {
  std::uint16_t newest = 0;
  for (const ProtocolVersion version : hello.versions)
    if (told_apart_by(version)) newest = std::max(newest, static_cast<std::uint16_t>(version));
  switch (newest) {
    case 0x0304: return "13";
    case 0x0303: return "12";
    case 0x0302: return "11";
    case 0x0301: return "10";
    case 0x0300: return "s3";
    default: return "00";
  }
}

// The first and the last character of the first protocol; of their hexadecimal form where one is no letter or digit.
std::string protocol_word(const ClientHelloInfo& hello) {
  if (hello.alpn.empty() || hello.alpn.front().empty()) return "00";
  const std::string& name = hello.alpn.front();
  const auto plain = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (plain(name.front()) && plain(name.back())) return {name.front(), name.back()};
  return {hex(static_cast<std::uint8_t>(name.front()), 2).front(),
          hex(static_cast<std::uint8_t>(name.back()), 2).back()};
}

// Twelve digits of a digest; zeros for an empty list.
std::string shortened_digest(const Hash& sha256, const std::string& text) {
  if (text.empty()) return std::string(12, '0');
  const auto digest = key_schedule::digest_of(sha256, {as_bytes(text)});
  if (!digest) return {};
  std::string word;
  for (const std::uint8_t byte : digest->view().first(6)) word += hex(byte, 2);
  return word;
}

template <class Code>
std::string decimals(const std::vector<Code>& codes) {
  std::vector<std::string> words;
  for (const Code code : codes)
    if (sizeof(Code) == 1 || told_apart_by(code)) words.push_back(std::to_string(static_cast<std::uint16_t>(code)));
  return joined(words, '-');
}

}  // namespace

std::expected<ClientHelloInfo, Error> ClientHelloInfo::read(Bytes message) {
  const auto header = codec::handshake_header(message);
  if (!header || header->type != HandshakeType::client_hello ||
      message.size() != codec::kHandshakeHeaderSize + header->length)
    return std::unexpected(make_error(Reason::message_unexpected, Place::client_hello));
  const auto hello = codec::ClientHello::decode(message.subspan(codec::kHandshakeHeaderSize));
  if (!hello) return std::unexpected(hello.error());

  ClientHelloInfo info;
  info.legacy_version = hello->legacy_version;
  std::ranges::copy(hello->random, info.random.begin());
  info.legacy_session_id.assign(hello->legacy_session_id.begin(), hello->legacy_session_id.end());
  info.cipher_suites.assign(hello->cipher_suites.begin(), hello->cipher_suites.end());
  info.compression_methods.assign(hello->legacy_compression_methods.begin(), hello->legacy_compression_methods.end());
  for (const codec::Extension& extension : hello->extensions) info.extensions.push_back(extension.type);
  info.server_name = hello->server_name.value_or(std::string_view());
  info.versions = {hello->legacy_version};
  copy(hello->supported_versions, info.versions);
  copy(hello->supported_groups, info.groups);
  copy(hello->signature_algorithms, info.schemes);
  copy(hello->signature_algorithms_cert, info.schemes_cert);
  copy(hello->ec_point_formats, info.ec_point_formats);
  if (hello->key_share)
    for (const codec::KeyShareEntry& entry : *hello->key_share) info.key_shares.push_back(entry.group);
  if (hello->application_layer_protocol_negotiation)
    for (const Bytes name : *hello->application_layer_protocol_negotiation) info.alpn.emplace_back(as_text(name));
  if (hello->pre_shared_key) info.psk_identities = hello->pre_shared_key->identities.size();
  info.early_data = hello->early_data;
  info.ocsp_requested = hello->status_request;
  info.scts_requested = hello->signed_certificate_timestamp;
  info.extended_main_secret = hello->extended_main_secret;
  info.post_handshake_auth = hello->post_handshake_auth;
  return info;
}

std::string ja4(const ClientHelloInfo& hello, const Provider& provider) {
  const Hash* const sha256 = provider.hash(HashAlgorithm::sha256);
  if (sha256 == nullptr) return {};
  std::vector<std::string> suites = hex_of(hello.cipher_suites);
  const std::string suite_count = two_digits(suites.size());
  std::ranges::sort(suites);
  std::vector<std::string> extensions = hex_of(hello.extensions);
  const std::string extension_count = two_digits(extensions.size());
  const bool named = std::ranges::find(hello.extensions, ExtensionType::server_name) != hello.extensions.end();
  // The name and the protocol stand in the first part.
  std::erase(extensions, hex(static_cast<std::uint16_t>(ExtensionType::server_name), 4));
  std::erase(extensions, hex(static_cast<std::uint16_t>(ExtensionType::application_layer_protocol_negotiation), 4));
  std::ranges::sort(extensions);
  std::string second = joined(extensions, ',');
  const std::string schemes = joined(hex_of(hello.schemes), ',');
  if (!schemes.empty()) second += "_" + schemes;

  return "t" + version_word(hello) + (named ? "d" : "i") + suite_count + extension_count + protocol_word(hello) + "_" +
         shortened_digest(*sha256, joined(suites, ',')) + "_" + shortened_digest(*sha256, second);
}

std::string ja3_text(const ClientHelloInfo& hello) {
  return std::to_string(static_cast<std::uint16_t>(hello.legacy_version)) + "," + decimals(hello.cipher_suites) + "," +
         decimals(hello.extensions) + "," + decimals(hello.groups) + "," + decimals(hello.ec_point_formats);
}

}  // namespace lockstep
