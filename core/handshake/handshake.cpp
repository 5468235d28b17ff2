#include "handshake/handshake.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "trace/tap.hpp"

namespace lockstep::handshake {
namespace {

constexpr std::size_t kInboxBlock = 4096;

Place place_of(HandshakeType type) noexcept {
  switch (type) {
    case HandshakeType::client_hello: return Place::client_hello;
    case HandshakeType::server_hello: return Place::server_hello;
    case HandshakeType::encrypted_extensions: return Place::encrypted_extensions;
    case HandshakeType::certificate_request: return Place::certificate_request;
    case HandshakeType::certificate: return Place::certificate;
    case HandshakeType::certificate_verify: return Place::certificate_verify;
    case HandshakeType::finished: return Place::finished;
    case HandshakeType::new_session_ticket: return Place::new_session_ticket;
    case HandshakeType::key_update: return Place::key_update;
    case HandshakeType::end_of_early_data: return Place::end_of_early_data;
    default: return Place::handshake;
  }
}

}  // namespace

Handshake::Handshake(const Surroundings& surroundings) noexcept
    : context_{.config = surroundings.config,
               .random = surroundings.random,
               .transport = surroundings.transport,
               .arena = surroundings.arena} {}

Handshake::~Handshake() {
  context_.events.clear();
  if (context_.control != nullptr) detail::release(context_.control);
}

Status Handshake::start_client(x509::PeerName name, std::span<Session> sessions, Time now) noexcept {
  context_.now = now;
  expected_name_.emplace(std::move(name));
  context_.expected_name = &*expected_name_;
  context_.server_name = expected_name_->host_name();
  sessions_.assign(std::make_move_iterator(sessions.begin()), std::make_move_iterator(sessions.end()));
  auto entered = enter(machine_, client13::start(context_, sessions_));
  if (entered) tell_state();
  return entered;
}

void Handshake::start_server() noexcept {
  machine_.emplace<server13::WaitClientHello>();
  tell_state();
}

Status Handshake::receive(Bytes content, Time now) noexcept {
  untouched_ = false;
  context_.now = now;
  if (auto appended = append(content); !appended) return appended;
  return treat_messages();
}

Status Handshake::proceed(Time now) noexcept {
  context_.now = now;
  return treat_messages();
}

Status Handshake::append(Bytes content) noexcept {
  if (content.size() > inbox_room_) {
    // The unread part moves to a block of its own; what was read stays where views point at it.
    // A message that has begun gets all the room that it will need, so that it moves once.
    const auto begun = codec::handshake_header(inbox_);
    const std::size_t message = begun ? codec::kHandshakeHeaderSize + begun->length : 0;
    const MutableBytes block =
        context_.arena.allocate(std::max({inbox_.size() + content.size(), message, kInboxBlock}), 1);
    if (block.data() == nullptr) return context_.fail(Reason::handshake_too_large);
    std::ranges::copy(inbox_, block.begin());
    inbox_room_ = block.size() - inbox_.size();
    inbox_ = block.first(inbox_.size());
  }
  std::ranges::copy(content, inbox_.data() + inbox_.size());
  inbox_ = {inbox_.data(), inbox_.size() + content.size()};
  inbox_room_ -= content.size();
  return {};
}

Status Handshake::treat_messages() noexcept {
  while (!context_.suspended() && !connected()) {
    const auto header = codec::handshake_header(inbox_);
    if (!header) return {};
    // What the state does not accept is refused before it is parsed, or even there.
    context_.place = place_of(header->type);
    // RFC 9846 4: "A peer which receives a handshake message in an unexpected order MUST abort the handshake with an
    // "unexpected_message" alert."
    // RFC 9846 4.2.2: "if a server has negotiated TLS 1.3 and receives a ClientHello at any other time, it MUST
    // terminate the connection with an "unexpected_message" alert."
    // RFC 9846 4.7.3: "Implementations that receive a KeyUpdate message prior to receiving a Finished message MUST
    // terminate the connection with an "unexpected_message" alert."
    if (!accepts_type(header->type))
      return context_.fail(Reason::message_unexpected, static_cast<std::uint16_t>(header->type));
    if (header->length > context_.settings().max_handshake_message)
      return context_.fail(Reason::message_too_long, static_cast<std::uint16_t>(header->type));
    const std::size_t size = codec::kHandshakeHeaderSize + header->length;
    if (inbox_.size() < size) return {};
    context_.message = inbox_.first(size);
    inbox_ = inbox_.subspan(size);
    if (context_.tap != nullptr) context_.tap->message(trace::Direction::received, context_.message);
    if (auto treated = treat(header->type, context_.message.subspan(codec::kHandshakeHeaderSize)); !treated)
      return treated;
    tell_state();
  }
  return {};
}

bool Handshake::accepts_type(HandshakeType type) const noexcept {
  switch (type) {
    case HandshakeType::client_hello: return accepts<codec::ClientHello>(machine_);
    case HandshakeType::server_hello: return accepts<codec::ServerHello>(machine_);
    case HandshakeType::encrypted_extensions: return accepts<codec::EncryptedExtensions>(machine_);
    case HandshakeType::certificate_request: return accepts<codec::CertificateRequest>(machine_);
    case HandshakeType::certificate: return accepts<codec::Certificate>(machine_);
    case HandshakeType::certificate_verify: return accepts<codec::CertificateVerify>(machine_);
    // RFC 9846 4.6: "Servers MUST NOT send this message, and clients receiving it MUST terminate the connection with an
    // "unexpected_message" alert."
    case HandshakeType::end_of_early_data: return accepts<codec::EndOfEarlyData>(machine_);
    case HandshakeType::finished: return accepts<codec::Finished>(machine_);
    default: return false;
  }
}

Status Handshake::treat(HandshakeType type, Bytes body) noexcept {
  const auto give = [this](const auto& decoded) -> Status {
    if (!decoded) return std::unexpected(decoded.error());
    return dispatch(machine_, *decoded, context_);
  };
  const codec::DecodeContext context{
      .offered = context_.offered,
      .verify_data_length = context_.transcript.started() ? context_.transcript.hash().digest_size : 0};
  switch (type) {
    case HandshakeType::client_hello: return give(codec::ClientHello::decode(body));
    case HandshakeType::server_hello:
      if (!codec::is_hello_retry_request(body)) return give(codec::ServerHello::decode(body, context));
      context_.place = Place::hello_retry_request;
      // RFC 9846 4.2.4: "If a client receives a second HelloRetryRequest in the same connection ..., it MUST abort the
      // handshake with an "unexpected_message" alert."
      if (!accepts<codec::HelloRetryRequest>(machine_)) return context_.fail(Reason::second_hello_retry_request);
      return give(codec::HelloRetryRequest::decode(body, context));
    case HandshakeType::encrypted_extensions: return give(codec::EncryptedExtensions::decode(body, context));
    case HandshakeType::certificate_request: return give(codec::CertificateRequest::decode(body));
    case HandshakeType::certificate: return give(codec::Certificate::decode(body, context));
    case HandshakeType::certificate_verify: return give(codec::CertificateVerify::decode(body));
    case HandshakeType::end_of_early_data: return give(codec::EndOfEarlyData::decode(body));
    case HandshakeType::finished: return give(codec::Finished::decode(body, context));
    default: return context_.fail(Reason::message_unexpected, static_cast<std::uint16_t>(type));
  }
}

bool Handshake::token_dropped() const noexcept {
  return context_.pending != 0 && context_.control->dropped.load(std::memory_order_acquire) == context_.pending;
}

void Handshake::tell_state() const noexcept {
  if (context_.tap != nullptr) context_.tap->state(state_name());
}

std::string_view Handshake::state_name() const noexcept {
  return std::visit(
      []<class State>(const State&) -> std::string_view {
        if constexpr (requires { State::name; }) return State::name;
        return "START";
      },
      machine_);
}

}  // namespace lockstep::handshake
