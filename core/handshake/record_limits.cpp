#include "handshake/record_limits.hpp"

#include <algorithm>

#include "record/limits.hpp"

namespace lockstep::handshake {
namespace {

// What stands in a record's plaintext beside content and padding.
std::size_t inner_type_size(const Context& context) noexcept {
  return context.agreed.version == ProtocolVersion::tls_1_3 ? record::kInnerTypeSize : 0;
}

// RFC 8449 4: "For TLS 1.2 and earlier, that limit is 2^14 octets. TLS 1.3 uses a limit of 2^14+1 octets."
std::size_t most(const Context& context) noexcept { return record::kMaxPlaintext + inner_type_size(context); }

// What an earlier handshake of the connection has agreed on.
void forget(Context& context) noexcept { context.agreed.record_size_limit = context.agreed.max_fragment_length = 0; }

// RFC 8449 4: "When the record_size_limit extension is negotiated, an endpoint MUST NOT generate a protected record
// with plaintext that is larger than the RecordSizeLimit value it receives from its peer." "The value includes the
// content type and padding added in TLS 1.3".
void limit_by_record_size(Context& context, std::uint16_t peers) noexcept {
  const std::size_t ours = std::min<std::size_t>(context.settings().record_size_limit, most(context));
  context.agreed.record_size_limit = static_cast<std::uint16_t>(ours);
  // RFC 8449 4: "A server MUST NOT enforce this restriction; a client might advertise a higher limit that is enabled by
  // an extension or version the server does not understand."
  context.limit_records({.send = std::min<std::size_t>(peers, most(context)) - inner_type_size(context),
                         .receive = ours,
                         .unprotected = false});
}

// RFC 6066 4: "Once a maximum fragment length other than 2^14 has been successfully negotiated, the client and server
// MUST immediately begin fragmenting messages (including handshake messages) to ensure that no fragment larger than the
// negotiated length is sent."
void limit_by_fragment_length(Context& context, std::uint8_t code) noexcept {
  if (code == 0) return;
  context.agreed.max_fragment_length = code;
  const std::size_t length = std::size_t{256} << code;
  context.limit_records({.send = length, .receive = length + inner_type_size(context), .unprotected = true});
}

}  // namespace

std::uint8_t max_fragment_length_code(std::uint16_t bytes) noexcept {
  for (std::uint8_t code = 1; code <= 4; ++code) {
    if (bytes == 256U << code) return code;
  }
  return 0;
}

void agree_on_record_limits(Context& context, const codec::ClientHello& hello, const Session* session) noexcept {
  const Settings& settings = context.settings();
  forget(context);
  // RFC 8449 5: "A server that supports the "record_size_limit" extension MUST ignore a "max_fragment_length" extension
  // that appears in a ClientHello if both extensions appear."
  if (settings.record_size_limit != 0 && hello.record_size_limit)
    return limit_by_record_size(context, *hello.record_size_limit);
  // RFC 6066 4: "The negotiated length applies for the duration of the session including session resumptions."
  if (session != nullptr) return limit_by_fragment_length(context, session->max_fragment_length);
  if (settings.accept_max_fragment_length) limit_by_fragment_length(context, hello.max_fragment_length.value_or(0));
}

Status take_record_limits(Context& context, std::optional<std::uint16_t> record_size_limit,
                          std::optional<std::uint8_t> max_fragment_length, const Session* session) noexcept {
  forget(context);
  // RFC 8449 4, of resumption: "the record size limit is renegotiated."
  if (record_size_limit) {
    limit_by_record_size(context, *record_size_limit);
    return {};
  }
  constexpr auto kDetail = static_cast<std::uint16_t>(ExtensionType::max_fragment_length);
  if (session != nullptr) {
    // RFC 6066 1.1: "the server MUST ignore the extensions and send a server hello containing none of the extension
    // types. In this case, the functionality of these extensions negotiated during the original session initiation is
    // applied to the resumed session." Those that repeat it say nothing else.
    if (max_fragment_length && *max_fragment_length != session->max_fragment_length)
      return context.fail(Reason::session_changed, kDetail);
    limit_by_fragment_length(context, session->max_fragment_length);
    return {};
  }
  // RFC 6066 4: "if a client receives a maximum fragment length negotiation response that differs from the length it
  // requested, it MUST also abort the handshake with an "illegal_parameter" alert."
  if (max_fragment_length && *max_fragment_length != max_fragment_length_code(context.settings().max_fragment_length))
    return context.fail(Reason::max_fragment_length, *max_fragment_length);
  limit_by_fragment_length(context, max_fragment_length.value_or(0));
  return {};
}

// RFC 6066 1.1: "If the resumption request is denied, the use of the extensions is negotiated as normal": so a client
// that asks for another length than the session's gets it.
bool fits_record_limits(const Context& context, const codec::ClientHello& hello, const Session& session) noexcept {
  return !context.settings().accept_max_fragment_length || !hello.max_fragment_length ||
         *hello.max_fragment_length == session.max_fragment_length;
}

// A session without a length is one of a server that has agreed on none.
bool fits_record_limits(const Context& context, const Session& session) noexcept {
  const std::uint8_t wanted = max_fragment_length_code(context.settings().max_fragment_length);
  return wanted == 0 || session.max_fragment_length == 0 || session.max_fragment_length == wanted;
}

}  // namespace lockstep::handshake
