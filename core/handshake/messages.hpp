#pragma once
// Handshake messages for a machine: which ones there are stands in one list, and which of them a state takes, how long
// they may be and how they are decoded follows from the messages and from the signatures of the state's handlers. TLS
// 1.2 uses the same type numbers for other messages; those are other structs in the same list.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <type_traits>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>

#include "codec/certificate.hpp"
#include "codec/certificate12.hpp"
#include "codec/certificate_request.hpp"
#include "codec/certificate_request12.hpp"
#include "codec/certificate_status.hpp"
#include "codec/certificate_verify.hpp"
#include "codec/client_hello.hpp"
#include "codec/client_key_exchange.hpp"
#include "codec/compressed_certificate.hpp"
#include "codec/encrypted_extensions.hpp"
#include "codec/end_of_early_data.hpp"
#include "codec/finished.hpp"
#include "codec/handshake_message.hpp"
#include "codec/hello_request.hpp"
#include "codec/key_update.hpp"
#include "codec/new_session_ticket.hpp"
#include "codec/new_session_ticket12.hpp"
#include "codec/next_protocol.hpp"
#include "codec/server_hello.hpp"
#include "codec/server_hello_done.hpp"
#include "codec/server_key_exchange.hpp"
#include "handshake/machine.hpp"

namespace lockstep::handshake {

template <class... Messages>
struct MessageList {};

/// Every message of every version.
using Messages =
    MessageList<codec::ClientHello, codec::ServerHello, codec::HelloRetryRequest, codec::EncryptedExtensions,
                codec::CertificateRequest, codec::Certificate, codec::CompressedCertificate, codec::CertificateVerify,
                codec::EndOfEarlyData, codec::Finished, codec::NewSessionTicket, codec::KeyUpdate,
                // TLS 1.2
                codec::HelloRequest, codec::Certificate12, codec::CertificateStatus, codec::ServerKeyExchange,
                codec::CertificateRequest12, codec::ServerHelloDone, codec::ClientKeyExchange,
                codec::NewSessionTicket12, codec::NextProtocol>;

namespace detail {

template <class Look, class... Kinds>
void for_each_kind(MessageList<Kinds...> /*list*/, Look look) noexcept {
  (look(std::type_identity<Kinds>{}), ...);
}

/// Whether a body is of this kind, among those that share its type.
template <class Message>
[[nodiscard]] bool is_kind(Bytes body) noexcept {
  if constexpr (requires { Message::is(body); }) {
    return Message::is(body);
  } else {
    return true;
  }
}

}  // namespace detail

/// The message at the front of what has arrived; empty while it is not whole. What the current state does not take, or
/// not so long, is refused as soon as its header is there. `shared` is what the machine's states share: it says where
/// an error happened.
template <class Machine, class Shared>
[[nodiscard]] std::expected<Bytes, Error> next_message(Bytes arrived, std::size_t max_message, const Machine& machine,
                                                       Shared& shared) noexcept {
  const auto header = codec::handshake_header(arrived);
  if (!header) return Bytes();
  shared.place = Place::handshake;
  std::optional<std::size_t> longest;  // body that is taken under this type
  detail::for_each_kind(Messages{}, [&]<class Message>(std::type_identity<Message>) {
    if (Message::type != header->type) return;
    if (shared.place == Place::handshake) shared.place = Message::place;
    if (accepts<Message, Shared>(machine)) longest = std::max(longest.value_or(0), Message::max_size);
  });
  // RFC 9846 4: "A peer which receives a handshake message in an unexpected order MUST abort the handshake with an
  // "unexpected_message" alert."
  // RFC 9846 4.2.2: "if a server has negotiated TLS 1.3 and receives a ClientHello at any other time, it MUST terminate
  // the connection with an "unexpected_message" alert."
  // RFC 9846 4.6: "Servers MUST NOT send this message, and clients receiving it MUST terminate the connection with an
  // "unexpected_message" alert."
  // RFC 9846 4.7.3: "Implementations that receive a KeyUpdate message prior to receiving a Finished message MUST
  // terminate the connection with an "unexpected_message" alert."
  // RFC 9846 4.7.2: "A client that receives a post-handshake CertificateRequest message without having sent the
  // "post_handshake_auth" extension MUST send an "unexpected_message" fatal alert."
  if (!longest) return shared.fail(Reason::message_unexpected, static_cast<std::uint16_t>(header->type));
  if (header->length > max_message)
    return shared.fail(Reason::message_too_long, static_cast<std::uint16_t>(header->type));
  if (header->length > *longest) return shared.fail(Reason::message_trailing_data);
  const std::size_t size = codec::kHandshakeHeaderSize + header->length;
  return arrived.size() < size ? Bytes() : arrived.first(size);
}

/// Decodes a whole message, header included, as the kind that the current state takes, and gives it to the state.
template <class Machine, class Shared>
[[nodiscard]] Status dispatch_message(Bytes message, const codec::DecodeContext& decoding, Machine& machine,
                                      Shared& shared) noexcept {
  const auto type = static_cast<HandshakeType>(message[0]);
  const Bytes body = message.subspan(codec::kHandshakeHeaderSize);
  std::optional<Status> result;
  detail::for_each_kind(Messages{}, [&]<class Message>(std::type_identity<Message>) {
    if (result || Message::type != type || !detail::is_kind<Message>(body)) return;
    shared.place = Message::place;
    if (!accepts<Message, Shared>(machine)) return;
    const auto decoded = Message::decode(body, decoding);
    result = decoded ? dispatch(machine, *decoded, shared) : Status(std::unexpected(decoded.error()));
  });
  if (result) return *result;
  // RFC 9846 4.2.4: "If a client receives a second HelloRetryRequest in the same connection (i.e., where the
  // ClientHello was itself in response to a HelloRetryRequest), it MUST abort the handshake with an
  // "unexpected_message" alert."
  if (shared.place == Place::hello_retry_request) return shared.fail(Reason::second_hello_retry_request);
  return shared.fail(Reason::message_unexpected, static_cast<std::uint16_t>(type));
}

}  // namespace lockstep::handshake
