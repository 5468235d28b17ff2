#include "hello_source.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <variant>

#include <lockstep/replay.hpp>
#include <lockstep/types.hpp>

#include "files.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

using Octets = std::vector<std::uint8_t>;

std::size_t big(Bytes bytes, std::size_t at, std::size_t width) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value = value << 8U | (at + i < bytes.size() ? bytes[at + i] : 0U);
  return value;
}

// --- a stream of bytes -----------------------------------------------------------------------------------------------

/// The message itself, whole and with nothing behind it.
std::optional<Octets> whole_message(Bytes bytes) {
  if (bytes.size() < 4 || bytes[0] != static_cast<std::uint8_t>(HandshakeType::client_hello)) return std::nullopt;
  if (big(bytes, 1, 3) != bytes.size() - 4) return std::nullopt;
  return Octets(bytes.begin(), bytes.end());
}

/// The first message in records, as far as they go.
std::optional<Octets> message_in_records(Bytes stream) {
  Octets message;
  while (stream.size() >= 5 && stream[0] == static_cast<std::uint8_t>(ContentType::handshake) && stream[1] == 3) {
    const Bytes fragment = stream.subspan(5, std::min(big(stream, 3, 2), stream.size() - 5));
    message.insert(message.end(), fragment.begin(), fragment.end());
    if (message.size() >= 4 && message.size() >= 4 + big(message, 1, 3)) {
      message.resize(4 + big(message, 1, 3));
      return whole_message(message);
    }
    stream = stream.subspan(5 + fragment.size());
  }
  return std::nullopt;
}

// --- a capture -------------------------------------------------------------------------------------------------------

/// Puts together what each end of a connection sent over TCP, by sequence numbers, as far as a ClientHello may go.
class Streams {
 public:
  void add_frame(Bytes frame, std::size_t link_type) {
    constexpr std::size_t kNull = 0;
    constexpr std::size_t kEthernet = 1;
    constexpr std::size_t kRaw = 101;
    constexpr std::size_t kLinux = 113;
    constexpr std::size_t kLinux2 = 276;
    std::size_t head = 0;
    if (link_type == kNull) head = 4;
    if (link_type == kEthernet) {
      head = 14;
      while (big(frame, head - 2, 2) == 0x8100) head += 4;  // IEEE 802.1Q
    }
    if (link_type == kLinux) head = 16;
    if (link_type == kLinux2) head = 20;
    if (head == 0 && link_type != kRaw && link_type != 228 && link_type != 229) return;
    if (frame.size() > head) add_packet(frame.subspan(head));
  }

  std::vector<FoundHello> hellos() const {
    std::vector<FoundHello> found;
    for (const auto& [name, stream] : streams_) {
      if (auto message = message_in_records(stream.contiguous())) found.push_back({std::move(*message), stream.from});
    }
    return found;
  }

 private:
  static constexpr std::size_t kMost = std::size_t{1} << 18U;

  struct Stream {
    std::string from;
    std::uint32_t first = 0;
    std::map<std::uint32_t, Octets> segments;  // by their distance from the first byte

    Octets contiguous() const {
      Octets bytes;
      for (const auto& [at, segment] : segments) {
        if (at > bytes.size()) break;
        const std::size_t known = bytes.size() - at;
        if (known < segment.size())
          bytes.insert(bytes.end(), segment.begin() + static_cast<std::ptrdiff_t>(known), segment.end());
      }
      return bytes;
    }
  };

  void add_packet(Bytes packet) {
    const std::size_t version = packet[0] >> 4U;
    std::size_t head = 40;
    std::size_t addresses = 8;
    std::size_t width = 16;
    std::size_t total = 40 + big(packet, 4, 2);
    std::size_t protocol = big(packet, 6, 1);
    if (version == 4) {
      head = (packet[0] & 0xfU) * std::size_t{4};
      addresses = 12;
      width = 4;
      total = big(packet, 2, 2);
      protocol = big(packet, 9, 1);
    }
    constexpr std::size_t kTcp = 6;
    if ((version != 4 && version != 6) || protocol != kTcp || packet.size() < head + 20) return;
    if (total > head && total < packet.size()) packet = packet.first(total);  // Ethernet pads
    const Bytes tcp = packet.subspan(head);
    const std::size_t data = (tcp[12] >> 4U) * std::size_t{4};
    if (tcp.size() < data) return;
    const std::string from = address_text(packet.subspan(addresses, width)) + " port " + std::to_string(big(tcp, 0, 2));
    const std::string to =
        address_text(packet.subspan(addresses + width, width)) + " port " + std::to_string(big(tcp, 2, 2));
    const auto sequence = static_cast<std::uint32_t>(big(tcp, 4, 4));
    const bool begins = (tcp[13] & 0x02U) != 0;  // SYN
    const auto [place, is_new] = streams_.try_emplace(from + " to " + to);
    Stream& stream = place->second;
    if (is_new) {
      stream.from = from;
      stream.first = sequence + (begins ? 1U : 0U);
    }
    const Bytes payload = tcp.subspan(data);
    const std::uint32_t at = sequence - stream.first;
    if (payload.empty() || at > kMost) return;
    stream.segments.try_emplace(at, payload.begin(), payload.end());
  }

  static std::string address_text(Bytes address) {
    std::string text;
    if (address.size() == 4) {
      for (const std::uint8_t byte : address) text += (text.empty() ? "" : ".") + std::to_string(byte);
      return text;
    }
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (std::size_t i = 0; i < address.size(); ++i) {
      if (i != 0 && i % 2 == 0) text += ':';
      text += kDigits[address[i] >> 4U];
      text += kDigits[address[i] & 0xfU];
    }
    return text;
  }

  std::map<std::string, Stream> streams_;
};

/// Numbers in the order of bytes of whoever wrote the capture.
class Capture {
 public:
  Capture(Bytes bytes, bool swapped) : bytes_(bytes), swapped_(swapped) {}
  std::size_t number(std::size_t at, std::size_t width) const {
    if (!swapped_) return big(bytes_, at, width);
    std::size_t value = 0;
    for (std::size_t i = width; i-- != 0;) value = value << 8U | big(bytes_, at + i, 1);
    return value;
  }

 private:
  Bytes bytes_;
  bool swapped_;
};

/// draft-ietf-opsawg-pcap: a header of 24 bytes, then packets with headers of 16.
void read_pcap(Bytes bytes, bool swapped, Streams& streams) {
  const Capture capture(bytes, swapped);
  const std::size_t link_type = capture.number(20, 4) & 0xffffU;
  for (std::size_t at = 24; at + 16 <= bytes.size();) {
    const std::size_t size = capture.number(at + 8, 4);
    at += 16;
    if (size > bytes.size() - at) break;
    streams.add_frame(bytes.subspan(at, size), link_type);
    at += size;
  }
}

/// draft-ietf-opsawg-pcapng: blocks with their type and size, which begin with a section header.
void read_pcapng(Bytes bytes, Streams& streams) {
  constexpr std::size_t kSection = 0x0a0d0d0a;
  constexpr std::size_t kInterface = 1;
  constexpr std::size_t kSimplePacket = 3;
  constexpr std::size_t kEnhancedPacket = 6;
  bool swapped = false;
  std::vector<std::size_t> link_types;
  for (std::size_t at = 0; at + 12 <= bytes.size();) {
    if (big(bytes, at, 4) == kSection) {
      swapped = big(bytes, at + 8, 4) == 0x4d3c2b1a;
      link_types.clear();
    }
    const Capture capture(bytes, swapped);
    const std::size_t type = capture.number(at, 4);
    const std::size_t size = capture.number(at + 4, 4);
    if (size < 12 || size > bytes.size() - at) break;
    const auto add = [&](std::size_t interface, std::size_t from, std::size_t length) {
      if (interface < link_types.size() && from + length <= size)
        streams.add_frame(bytes.subspan(at + from, length), link_types[interface]);
    };
    if (type == kInterface) link_types.push_back(capture.number(at + 8, 2));
    if (type == kEnhancedPacket && size >= 32) add(capture.number(at + 8, 4), 28, capture.number(at + 20, 4));
    if (type == kSimplePacket && size >= 16) add(0, 12, std::min(capture.number(at + 8, 4), size - 16));
    at += size;
  }
}

std::vector<FoundHello> of_capture(Bytes bytes) {
  Streams streams;
  switch (big(bytes, 0, 4)) {
    case 0xa1b2c3d4:
    case 0xa1b23c4d: read_pcap(bytes, false, streams); break;
    case 0xd4c3b2a1:
    case 0x4d3cb2a1: read_pcap(bytes, true, streams); break;
    case 0x0a0d0d0a: read_pcapng(bytes, streams); break;
    default: break;
  }
  return streams.hellos();
}

}  // namespace

void TapedHello::note(const trace::Entry& entry) {
  constexpr std::size_t kMost = std::size_t{1} << 18U;
  const auto take = [this](Octets& stream, Bytes bytes) {
    if (!message_.empty() || stream.size() > kMost) return;
    stream.insert(stream.end(), bytes.begin(), bytes.end());
    if (auto message = message_in_records(stream)) message_ = std::move(*message);
  };
  if (const auto* receive = std::get_if<trace::Receive>(&entry)) take(received_, receive->added.bytes);
  if (const auto* written = std::get_if<trace::Transmitted>(&entry)) take(sent_, written->bytes.bytes);
}

std::vector<FoundHello> client_hellos_of(Bytes bytes) {
  if (auto message = whole_message(bytes)) return {{std::move(*message), {}}};
  if (auto message = message_in_records(bytes)) return {{std::move(*message), {}}};
  if (as_text(bytes).starts_with("LOCKSTEP TAPE")) {
    trace::Reader reader(bytes);
    TapedHello hello;
    for (auto entry = reader.next(); entry && *entry && hello.message().empty(); entry = reader.next())
      hello.note(**entry);
    if (hello.message().empty()) return {};
    return {{hello.message(), {}}};
  }
  if (const Octets decoded = from_hex(as_text(bytes)); !decoded.empty()) return client_hellos_of(decoded);
  return of_capture(bytes);
}

std::vector<FoundHello> client_hellos_in(const std::string& path) {
  constexpr std::size_t kLargest = std::size_t{256} << 20U;
  std::vector<FoundHello> found = client_hellos_of(read_file(path == "-" ? "/dev/stdin" : path, kLargest).view());
  if (found.empty()) {
    throw Failure(path + " holds no ClientHello",
                  "Give a message or its records, as bytes or hexadecimal digits, a tape with its contents, or a "
                  "capture (pcap, pcapng).");
  }
  return found;
}

std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  std::optional<std::size_t> high;
  for (const char c : text) {
    if (std::string_view(" \n\r\t:").find(c) != std::string_view::npos) continue;
    const std::size_t digit = std::string_view("0123456789abcdefABCDEF").find(c);
    if (digit == std::string_view::npos) return {};
    const std::size_t value = digit < 16 ? digit : digit - 6;
    if (high) {
      bytes.push_back(static_cast<std::uint8_t>(*high * 16 + value));
      high.reset();
    } else {
      high = value;
    }
  }
  return high ? std::vector<std::uint8_t>() : bytes;
}

}  // namespace lockstep::tool
