#pragma once
// ClientHellos out of whatever holds them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/trace.hpp>

namespace lockstep::tool {

/// A ClientHello message with its header of four bytes.
struct FoundHello {
  std::vector<std::uint8_t> message;
  std::string from;  ///< the address and port of a capture; else empty
};

/// The first ClientHello on a tape: what its server received, or its client sent.
class TapedHello {
 public:
  void note(const trace::Entry& entry);
  /// Empty until there is one.
  [[nodiscard]] const std::vector<std::uint8_t>& message() const noexcept { return message_; }

 private:
  std::vector<std::uint8_t> received_;
  std::vector<std::uint8_t> sent_;
  std::vector<std::uint8_t> message_;
};

/// The first ClientHello of each connection in: a message or its records, as bytes or as hexadecimal digits; a tape of
/// either end; a capture of packets (pcap or pcapng). Throws `Failure` when there is none.
[[nodiscard]] std::vector<FoundHello> client_hellos_in(const std::string& path);
/// The same of bytes; empty when there is none.
[[nodiscard]] std::vector<FoundHello> client_hellos_of(Bytes bytes);

/// The bytes that a text of hexadecimal digits stands for, with blanks and colons between them; empty when it is none.
[[nodiscard]] std::vector<std::uint8_t> from_hex(std::string_view text);

}  // namespace lockstep::tool
