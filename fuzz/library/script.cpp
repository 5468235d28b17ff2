#include <algorithm>

#include <lockstep/fuzzing.hpp>

#include "library/rewriter.hpp"

namespace lockstep::fuzzing {
namespace {

constexpr std::size_t kHeader = 4;
constexpr std::size_t kMost = 1U << 16U;

/// Writes the length that the message has into its header.
void set_length(Octets& message) {
  const std::size_t length = message.size() - kHeader;
  for (std::size_t i = 1; i < kHeader; ++i) message[i] = static_cast<std::uint8_t>(length >> (8 * (kHeader - 1 - i)));
}

Octets joined(Bytes front, Bytes back) {
  Octets both(front.begin(), front.end());
  both.insert(both.end(), back.begin(), back.end());
  return both;
}

/// One thing that can be wrong with a message.
Octets alter(Octets message, std::uint8_t way, std::size_t place, std::size_t count, Bytes bytes) {
  if (message.size() < kHeader) return message;
  const std::size_t at = kHeader + place % (message.size() - kHeader + 1);
  const auto here = message.begin() + static_cast<std::ptrdiff_t>(at);
  switch (way % 6) {
    case 0:  // bytes become others
      std::ranges::copy(bytes.first(std::min(bytes.size(), message.size() - at)), here);
      break;
    case 1:  // a bit becomes the other
      if (at < message.size()) *here ^= static_cast<std::uint8_t>(1U << (count % 8));
      break;
    case 2:  // bytes come, and the header follows
      message.insert(here, bytes.begin(), bytes.end());
      set_length(message);
      break;
    case 3:  // bytes go, and the header follows
      message.erase(here, here + static_cast<std::ptrdiff_t>(std::min(count, message.size() - at)));
      set_length(message);
      break;
    case 4:  // the header lies
      if (!bytes.empty()) message[count % kHeader] = bytes.front();
      break;
    default:  // another message
      message = Script::message(static_cast<HandshakeType>(count), bytes);
      break;
  }
  return message;
}

}  // namespace

Script::Script() : rewriter_(std::make_unique<Rewriter>()) {}
Script::Script(Script&&) noexcept = default;
Script& Script::operator=(Script&&) noexcept = default;
Script::~Script() = default;

Script::Script(Choices& choices) : Script() {
  static constexpr HandshakeType kTypes[] = {
      HandshakeType::client_hello,
      HandshakeType::server_hello,
      HandshakeType::encrypted_extensions,
      HandshakeType::certificate_request,
      HandshakeType::certificate,
      HandshakeType::certificate_verify,
      HandshakeType::finished,
      HandshakeType::new_session_ticket,
      HandshakeType::key_update,
      HandshakeType::end_of_early_data,
      HandshakeType::certificate_status,
      HandshakeType::server_key_exchange,
      HandshakeType::server_hello_done,
      HandshakeType::client_key_exchange,
      HandshakeType::compressed_certificate,
  };
  for (std::size_t steps = 1 + choices.below(4); steps > 0; --steps) {
    const HandshakeType type = choices.of(kTypes);
    const std::uint8_t way = choices.byte();
    const int earlier = (way & 0x80U) != 0 ? 1 : 0;
    const std::size_t place = choices.below(4096);
    const std::size_t count = choices.below(256);
    const Bytes given = choices.bytes(choices.below(96));
    const Octets bytes(given.begin(), given.end());
    switch (way % 10) {
      case 6: omit(type, earlier); break;
      case 7: precede(type, bytes, earlier); break;
      case 8: follow(type, bytes, earlier); break;
      case 9: change(type, [](const Octets& message) { return joined(message, message); }, earlier); break;
      default:
        change(
            type,
            [=](Octets message) {
              return alter(std::move(message), static_cast<std::uint8_t>(way % 10), place, count, bytes);
            },
            earlier);
        break;
    }
  }
}

Script& Script::change(HandshakeType type, Edit edit, int earlier) {
  rewriter_->steps.push_back({type, earlier, std::move(edit)});
  return *this;
}

Script& Script::omit(HandshakeType type, int earlier) { return replace(type, {}, earlier); }

Script& Script::replace(HandshakeType type, Octets with, int earlier) {
  return change(type, [with = std::move(with)](const Octets&) { return with; }, earlier);
}

Script& Script::precede(HandshakeType type, Octets with, int earlier) {
  return change(type, [with = std::move(with)](const Octets& message) { return joined(with, message); }, earlier);
}

Script& Script::follow(HandshakeType type, Octets with, int earlier) {
  return change(type, [with = std::move(with)](const Octets& message) { return joined(message, with); }, earlier);
}

Octets Script::message(HandshakeType type, Bytes body) {
  Octets message(kHeader + body.size());
  message.front() = static_cast<std::uint8_t>(type);
  std::ranges::copy(body, message.begin() + kHeader);
  set_length(message);
  return message;
}

Bytes Script::Rewriter::rewrite(handshake::Level /*level*/, Bytes message) {
  const auto type = static_cast<HandshakeType>(message.front());
  Octets octets(message.begin(), message.end());
  for (Step& step : steps) {
    if (step.type == type && step.earlier-- == 0) octets = step.edit(std::move(octets));
  }
  // A handshake begins with something, and no flight is larger than what an engine would send.
  if (type == HandshakeType::client_hello && octets.size() < kHeader) octets.resize(kHeader);
  if (octets.size() > kMost) octets.resize(kMost);
  sent.push_back(std::move(octets));
  return sent.back();
}

}  // namespace lockstep::fuzzing
