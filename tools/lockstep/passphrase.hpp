#pragma once
// The passphrase of a private key: from a file, or asked for on the terminal.

#include <string>
#include <string_view>

namespace lockstep::tool {

/// Wiped after use.
class Passphrase {
 public:
  /// The first line of the file. Without a file, and when the key is a file that does not open without a passphrase,
  /// whoever sits at the terminal is asked, unseen; where there is no terminal it is empty. Throws `Failure` when the
  /// file cannot be read, and when a signal comes instead of an answer.
  Passphrase(const std::string& key, const std::string& passphrase_file);
  Passphrase(const Passphrase&) = delete;
  Passphrase& operator=(const Passphrase&) = delete;
  ~Passphrase();
  [[nodiscard]] std::string_view view() const noexcept { return text_; }

 private:
  std::string text_;
};

}  // namespace lockstep::tool
