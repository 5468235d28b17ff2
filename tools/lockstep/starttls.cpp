#include "starttls.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "terminal.hpp"

namespace lockstep::tool {
namespace {

constexpr std::size_t kLongestReply = 16384;

/// Plain text, read so that nothing behind a consent is lost unseen.
class Dialogue {
 public:
  Dialogue(blocking::Socket& socket, blocking::Deadline deadline, std::string protocol)
      : socket_(socket), deadline_(deadline), protocol_(std::move(protocol)) {}

  void say(std::string_view words) {
    const auto written = socket_.write(as_bytes(words), deadline_);
    if (!written) throw Failure(written.error().text);
  }

  /// The next line, without its end.
  std::string line() {
    while (received_.find('\n') == std::string::npos) more();
    const std::size_t end = received_.find('\n');
    std::string text = received_.substr(0, end);
    received_.erase(0, end + 1);
    if (text.ends_with('\r')) text.pop_back();
    return text;
  }

  std::string bytes(std::size_t count) {
    while (received_.size() < count) more();
    std::string text = received_.substr(0, count);
    received_.erase(0, count);
    return text;
  }

  [[noreturn]] void refused(std::string_view reply) const {
    throw Failure(
        "the peer does not start TLS over " + protocol_ + ": it says '" + printable(reply.substr(0, 200)) + "'",
        "Check the port, and that the service has STARTTLS switched on.");
  }

  void expect_silence() const {
    if (received_.empty()) return;
    throw Failure(
        "the peer sent " + std::to_string(received_.size()) + " bytes in plain text behind its consent to STARTTLS",
        "Somebody on the way may be injecting commands (CVE-2011-0411); nothing was taken from them.");
  }

 private:
  void more() {
    if (received_.size() > kLongestReply) {
      throw Failure(
          "the peer's reply over " + protocol_ + " is longer than " + std::to_string(kLongestReply) + " bytes",
          "Check that the port belongs to this protocol.");
    }
    std::array<std::uint8_t, 1024> buffer;
    const auto count = socket_.read(buffer, deadline_);
    if (!count) throw Failure(count.error().text);
    if (*count == 0) {
      throw Failure("the peer closed the connection before STARTTLS was done",
                    "Check that the port belongs to " + protocol_ + ".");
    }
    received_ += as_text(Bytes(buffer).first(*count));
  }

  blocking::Socket& socket_;
  blocking::Deadline deadline_;
  std::string protocol_;
  std::string received_;
};

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

/// RFC 5321 4.2: lines "250-text" go on, "250 text" ends.
std::string smtp_reply(Dialogue& peer, std::string_view code) {
  std::string whole;
  for (;;) {
    const std::string line = peer.line();
    if (!line.starts_with(code)) peer.refused(line);
    whole += line + "\n";
    if (line.size() <= 3 || line[3] != '-') return whole;
  }
}

/// RFC 3207.
void smtp(Dialogue& peer) {
  smtp_reply(peer, "220");
  peer.say("EHLO localhost\r\n");
  const std::string abilities = smtp_reply(peer, "250");
  if (upper(abilities).find("STARTTLS") == std::string::npos) peer.refused(abilities);
  peer.say("STARTTLS\r\n");
  smtp_reply(peer, "220");
}

/// RFC 9051 6.2.1.
void imap(Dialogue& peer) {
  const std::string greeting = peer.line();
  if (!greeting.starts_with("* OK")) peer.refused(greeting);
  peer.say("a1 STARTTLS\r\n");
  std::string reply = peer.line();
  while (reply.starts_with("* ")) reply = peer.line();
  if (!upper(reply).starts_with("A1 OK")) peer.refused(reply);
}

/// RFC 4511 4.14: an ExtendedRequest with the StartTLS OID, and a response with resultCode success.
void ldap(Dialogue& peer) {
  constexpr std::string_view kRequest(
      "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
      "1.3.6.1.4.1.1466.20037",
      31);
  peer.say(kRequest);
  const std::string head = peer.bytes(2);
  if (head[0] != '\x30') peer.refused(head);
  auto size = static_cast<std::size_t>(static_cast<unsigned char>(head[1]));
  if (size >= 0x80) {  // BER allows the long form: up to two bytes of length will do
    const std::size_t count = size & 0x7fU;
    if (count == 0 || count > 4) peer.refused(head);
    size = 0;
    for (const char byte : peer.bytes(count)) size = size << 8U | static_cast<unsigned char>(byte);
    if (size > kLongestReply) peer.refused(head);
  }
  const std::string message = peer.bytes(size);
  // messageID 1, [APPLICATION 24], then resultCode ENUMERATED success.
  const std::size_t response = message.find('\x78');
  const std::size_t result = message.find(std::string_view("\x0a\x01\x00", 3));
  if (!message.starts_with(std::string_view("\x02\x01\x01", 3)) || response != 3 || result == std::string::npos ||
      result > 10) {
    peer.refused(message);
  }
}

/// PostgreSQL's SSLRequest: length 8, code 80877103; the answer is one letter.
void postgres(Dialogue& peer) {
  peer.say(std::string_view("\x00\x00\x00\x08\x04\xd2\x16\x2f", 8));
  const std::string answer = peer.bytes(1);
  if (answer != "S") peer.refused(answer);
}

}  // namespace

std::uint16_t default_port(Starttls protocol) noexcept {
  switch (protocol) {
    case Starttls::smtp: return 587;
    case Starttls::imap: return 143;
    case Starttls::ldap: return 389;
    case Starttls::postgres: return 5432;
    case Starttls::none: break;
  }
  return 443;
}

void start_tls(Starttls protocol, blocking::Socket& socket, blocking::Deadline deadline) {
  const auto talk = [&](std::string name, void (*words)(Dialogue&)) {
    Dialogue peer(socket, deadline, std::move(name));
    words(peer);
    peer.expect_silence();
  };
  switch (protocol) {
    case Starttls::none: return;
    case Starttls::smtp: return talk("SMTP", smtp);
    case Starttls::imap: return talk("IMAP", imap);
    case Starttls::ldap: return talk("LDAP", ldap);
    case Starttls::postgres: return talk("PostgreSQL", postgres);
  }
}

}  // namespace lockstep::tool
