#pragma once
// Words of a command line that make no sense, and words that are safe to print.

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lockstep::tool {

/// Ends the program with `kUsage`: which word of the command line makes no sense, and which ones would.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Text from a peer, safe to print: anything but printable ASCII becomes \xNN.
[[nodiscard]] std::string printable(std::string_view text);

/// A text of the libraries with the command line's options in place of what C++ has for them: `--private-pki` for
/// `Policy::private_pki()`.
[[nodiscard]] std::string on_command_line(std::string text);

/// "a, b, c".
[[nodiscard]] std::string joined(std::span<const std::string> parts, std::string_view separator = ", ");

}  // namespace lockstep::tool
