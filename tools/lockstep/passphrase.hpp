#pragma once
// The passphrase of a private key: from a file, or asked for on the terminal.

#include <string>
#include <string_view>

#include <lockstep/x509_pem.hpp>

namespace lockstep::tool {

/// Wiped after use.
class Passphrase {
 public:
  /// The first line of the file. Without a file, and when the key is a file that does not open without a passphrase,
  /// whoever sits at the terminal is asked, unseen; where there is no terminal it is empty. Throws `Failure` when the
  /// file cannot be read, when a signal comes instead of an answer, and when what is typed is longer than 1024 bytes.
  Passphrase(const std::string& key, const std::string& passphrase_file);
  Passphrase(const Passphrase&) = delete;
  Passphrase& operator=(const Passphrase&) = delete;
  [[nodiscard]] std::string_view view() const noexcept { return as_text(text_.view()); }

 private:
  x509::SecretBytes text_;
};

}  // namespace lockstep::tool
