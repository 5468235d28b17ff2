#include "record/framing.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace lockstep::record {

namespace {

/// What the first bytes of a stream are, when they are no TLS record.
enum class Stranger : std::uint8_t { undecided, http, ssl2, unknown };

Stranger recognise(Bytes inbound) noexcept;
bool known(std::uint8_t type) noexcept;
Error refuse(Reason reason, Bytes evidence = {}) noexcept;

}  // namespace

std::expected<std::optional<Header>, Error> parse_any_header(Bytes inbound, Stream stream) noexcept {
  if (inbound.empty()) return std::nullopt;

  // RFC 9846 5: "If a TLS implementation receives an unexpected record type, it MUST terminate the connection with an
  // "unexpected_message" alert."
  if (!known(inbound[0])) {
    if (stream != Stream::first_record) return std::unexpected(refuse(Reason::record_type));
    switch (recognise(inbound)) {
      case Stranger::undecided: return std::nullopt;
      case Stranger::http: return std::unexpected(refuse(Reason::plain_http, inbound));
      case Stranger::ssl2: return std::unexpected(refuse(Reason::ssl2_or_older, inbound));
      case Stranger::unknown: break;
    }
    return std::unexpected(refuse(Reason::not_tls, inbound));
  }

  // RFC 9846 5.1: legacy_record_version "MUST be ignored for all purposes". All versions of TLS have the major version
  // 3, however, and a stream that does not begin so is not one of ours.
  if (stream == Stream::first_record && inbound.size() >= 2 && inbound[1] != 3) {
    return std::unexpected(refuse(Reason::record_version));
  }
  if (inbound.size() < kHeaderSize) return std::nullopt;

  const Header header = read_header(inbound.first<kHeaderSize>());
  // Whatever says application_data is protected, even when its key is not here: early data that was turned down.
  // RFC 5246 6.2.3: "The length MUST NOT exceed 2^14 + 2048."
  const std::size_t limit = stream == Stream::protected_tls12              ? kMaxCiphertextTls12
                            : header.type == ContentType::application_data ? kMaxCiphertext
                                                                           : kMaxPlaintext;
  // RFC 9846 5.1: "An endpoint that receives a record that exceeds this length MUST terminate the connection with a
  // "record_overflow" alert."
  // RFC 9846 5.2: "An endpoint that receives a record that exceeds this length MUST terminate the connection with a
  // "record_overflow" alert. ... An endpoint that receives a record from its peer with TLSCiphertext.length larger than
  // 2^14 + 256 octets MUST terminate the connection with a "record_overflow" alert."
  if (header.length > limit) return std::unexpected(refuse(Reason::record_too_long));
  // RFC 9846 5.1: "Implementations MUST NOT send zero-length fragments of Handshake types, even if those fragments
  // contain padding." An empty alert or change_cipher_spec is no better.
  if (header.length == 0 && header.type != ContentType::application_data) {
    return std::unexpected(refuse(Reason::record_empty));
  }
  return header;
}

bool is_change_cipher_spec(Bytes content) noexcept { return content.size() == 1 && content[0] == 1; }

std::size_t write_plaintext(ContentType type, ProtocolVersion legacy_record_version, Bytes content,
                            MutableBytes out) noexcept {
  if (content.size() > kMaxPlaintext || out.size() < kHeaderSize + content.size()) return 0;
  write_header(type, legacy_record_version, content.size(), out.first<kHeaderSize>());
  std::ranges::copy(content, out.begin() + kHeaderSize);
  return kHeaderSize + content.size();
}

namespace {

bool known(std::uint8_t type) noexcept {
  return type >= static_cast<std::uint8_t>(ContentType::change_cipher_spec) &&
         type <= static_cast<std::uint8_t>(ContentType::application_data);
}

Stranger recognise(Bytes inbound) noexcept {
  // The first five bytes of a request (RFC 9110 9.1, RFC 5789, RFC 9113 3.4) or of a response.
  static constexpr std::array<std::string_view, 11> kHttp = {"GET ",  "HEAD ", "POST ", "PUT ",  "DELET", "CONNE",
                                                             "OPTIO", "TRACE", "PATCH", "PRI *", "HTTP/"};
  bool undecided = false;
  for (const std::string_view start : kHttp) {
    const std::size_t size = std::min(start.size(), inbound.size());
    if (!equal(inbound.first(size), as_bytes(start.substr(0, size)))) continue;
    if (size == start.size()) return Stranger::http;
    undecided = true;
  }
  if (undecided) return Stranger::undecided;

  // An SSL 2 record: two bytes of length with the highest bit set, then CLIENT-HELLO (1) or SERVER-HELLO (4).
  // RFC 9846 E.5 forbids it in every form.
  if ((inbound[0] & 0x80U) != 0) {
    if (inbound.size() < 3) return Stranger::undecided;
    if (inbound[2] == 1 || inbound[2] == 4) return Stranger::ssl2;
  }
  return Stranger::unknown;
}

Error refuse(Reason reason, Bytes evidence) noexcept {
  Error error = make_error(reason, Place::record);
  const Bytes shown = evidence.first(std::min(evidence.size(), error.evidence.size()));
  std::ranges::copy(shown, error.evidence.begin());
  error.evidence_size = static_cast<std::uint8_t>(shown.size());
  return error;
}

}  // namespace

}  // namespace lockstep::record
