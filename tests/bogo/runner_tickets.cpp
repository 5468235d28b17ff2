#include "runner_tickets.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <lockstep/botan.hpp>

namespace bogo {

using namespace lockstep;

namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::size_t kKeySize = 48;  // name, MAC key, cipher key: 16 bytes each
constexpr std::size_t kPart = 16;
constexpr std::size_t kMacSize = 32;

constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kOctetString = 0x04;

void append_element(Octets& out, std::uint8_t tag, Bytes body) {
  out.push_back(tag);
  if (body.size() >= 0x80) out.push_back(body.size() < 0x100 ? 0x81 : 0x82);
  if (body.size() >= 0x100) out.push_back(static_cast<std::uint8_t>(body.size() >> 8U));
  out.push_back(static_cast<std::uint8_t>(body.size()));
  out.insert(out.end(), body.begin(), body.end());
}

/// The contents of the first element, which is taken off; empty for what `append_element` does not write.
Bytes take_element(Bytes& der) {
  const std::size_t longer = der.size() < 2 || der[1] < 0x80 ? 0 : der[1] - 0x80U;
  if (longer > 2 || der.size() < 2 + longer) return {};
  std::size_t size = longer == 0 ? der[1] : 0U;
  for (const std::uint8_t byte : der.subspan(2, longer)) size = size << 8U | byte;
  der = der.subspan(2 + longer);
  const Bytes body = der.first(std::min(size, der.size()));
  der = der.subspan(body.size());
  return body;
}

template <class Id>
std::array<std::uint8_t, 2> octets_of(Id id) {
  const auto number = static_cast<std::uint16_t>(id);
  return {static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)};
}

/// As an SSL_SESSION begins: its own version, the protocol's, the suite. What is ours follows.
Octets encoded(const Session& session) {
  Octets fields;
  append_element(fields, kInteger, std::array<std::uint8_t, 1>{1});
  append_element(fields, kInteger, octets_of(session.version));
  append_element(fields, kOctetString, octets_of(session.suite));
  append_element(fields, kOctetString, session.serialize());
  Octets out;
  append_element(out, kSequence, fields);
  return out;
}

std::optional<Session> decoded(Bytes der) {
  Bytes fields = take_element(der);
  (void)take_element(fields);
  const Bytes version = take_element(fields);
  const Bytes suite = take_element(fields);
  auto session = Session::parse(take_element(fields));
  if (!session || version.size() != 2 || suite.size() != 2) return std::nullopt;
  session->version = static_cast<ProtocolVersion>(version[0] << 8U | version[1]);
  session->suite = static_cast<CipherSuite>(suite[0] << 8U | suite[1]);
  return std::move(*session);
}

template <class Work>
bool with_cipher(Bytes key, Work work) {
  const CbcCipher& cipher = *botan::provider().cbc_cipher(CbcAlgorithm::aes_128_cbc);
  alignas(16) std::array<std::byte, kMaxCbcContextSize> context;
  if (!cipher.init(context.data(), key.last(kPart))) return false;
  const bool done = work(cipher, context.data());
  cipher.destroy(context.data());
  return done;
}

std::optional<std::array<std::uint8_t, kMacSize>> mac(Bytes key, Bytes ticket) {
  std::array<std::uint8_t, kMacSize> out{};
  const Hash& hash = *botan::provider().hash(HashAlgorithm::sha256);
  if (!hash.hmac(key.subspan(kPart, kPart), {&ticket, 1}, out)) return std::nullopt;
  return out;
}

}  // namespace

std::optional<Octets> seal_runner_ticket(Bytes key, const Session& session, RandomSource& random) {
  if (key.size() != kKeySize) return std::nullopt;
  Octets ticket(key.begin(), key.begin() + kPart);
  ticket.resize(2 * kPart);
  if (!random.fill(MutableBytes(ticket).last(kPart))) return std::nullopt;
  Octets text = encoded(session);
  text.resize((text.size() / kPart + 1) * kPart, static_cast<std::uint8_t>(kPart - text.size() % kPart));
  if (!with_cipher(key, [&](const CbcCipher& cipher, void* context) {
        return cipher.encrypt(context, Bytes(ticket).last(kPart), text);
      }))
    return std::nullopt;
  ticket.insert(ticket.end(), text.begin(), text.end());
  const auto tag = mac(key, ticket);
  if (!tag) return std::nullopt;
  ticket.insert(ticket.end(), tag->begin(), tag->end());
  return ticket;
}

std::optional<Session> open_runner_ticket(Bytes key, Bytes ticket) {
  constexpr std::size_t kAround = 2 * kPart + kMacSize;
  if (key.size() != kKeySize || ticket.size() <= kAround || (ticket.size() - kAround) % kPart != 0) return std::nullopt;
  const auto tag = mac(key, ticket.first(ticket.size() - kMacSize));
  if (!tag || !equal(*tag, ticket.last(kMacSize)) || !equal(ticket.first(kPart), key.first(kPart))) return std::nullopt;
  const Bytes sealed = ticket.subspan(2 * kPart, ticket.size() - kAround);
  Octets text(sealed.begin(), sealed.end());
  if (!with_cipher(key, [&](const CbcCipher& cipher, void* context) {
        return cipher.decrypt(context, ticket.subspan(kPart, kPart), text);
      }))
    return std::nullopt;
  if (text.back() > text.size()) return std::nullopt;
  return decoded(Bytes(text).first(text.size() - text.back()));
}

}  // namespace bogo
