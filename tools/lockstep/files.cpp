#include "files.hpp"

#include <cerrno>
#include <cstring>
#include <expected>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lockstep/answers.hpp>
#include <lockstep/files.hpp>
#include <lockstep/io.hpp>

#include "provider.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

[[noreturn]] void fail_to_write(const std::string& path, int error) {
  throw Failure(path + " cannot be written: " + std::strerror(error), "Choose another place, or make room for it.");
}

template <class Value>
Value value_of(std::expected<Value, files::FileError> result) {
  if (!result) throw Failure(result.error().text());
  return std::move(*result);
}

/// Wiped after use.
class Passphrase {
 public:
  explicit Passphrase(const std::string& file) : text_(file.empty() ? std::string() : read_first_line(file)) {}
  Passphrase(const Passphrase&) = delete;
  Passphrase& operator=(const Passphrase&) = delete;
  ~Passphrase() { wipe({reinterpret_cast<std::uint8_t*>(text_.data()), text_.size()}); }
  [[nodiscard]] std::string_view view() const noexcept { return text_; }

 private:
  std::string text_;
};

}  // namespace

x509::SecretBytes read_file(const std::string& path, std::size_t limit) {
  return value_of(files::read_file(path, limit));
}

void write_file(const std::string& path, Bytes contents, Access access) {
  // A secret must never be readable by others, not even for a moment: what was there goes first.
  if (access == Access::owner && ::unlink(path.c_str()) != 0 && errno != ENOENT) fail_to_write(path, errno);
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (access == Access::owner ? O_EXCL : O_TRUNC);
  const Descriptor file(::open(path.c_str(), flags, access == Access::owner ? 0600 : 0644));
  if (!file) fail_to_write(path, errno);
  while (!contents.empty()) {
    const ssize_t count = ::write(file.number(), contents.data(), contents.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_to_write(path, errno);
    contents = contents.subspan(static_cast<std::size_t>(count));
  }
}

std::string read_first_line(const std::string& path) {
  const x509::SecretBytes contents = read_file(path, 65536);
  const std::string_view text = as_text(contents.view());
  return std::string(text.substr(0, text.find_first_of("\r\n")));
}

std::vector<std::vector<std::uint8_t>> read_chain(const std::string& path) { return value_of(files::load_chain(path)); }

std::shared_ptr<const SigningKey> read_key(const std::string& path, const std::string& passphrase_file) {
  return value_of(files::load_private_key(provider(), path, Passphrase(passphrase_file).view()));
}

std::shared_ptr<const Credential> read_credential(const std::string& certificates, const std::string& key,
                                                  const std::string& passphrase_file) {
  auto loaded = value_of(files::load_credential(provider(), certificates, key, Passphrase(passphrase_file).view()));
  return make_credential(std::move(loaded.chain), std::move(loaded.key));
}

std::shared_ptr<const Credential> with_staples(std::shared_ptr<const Credential> credential,
                                               const std::string& ocsp_response, const std::string& sct_list) {
  if (ocsp_response.empty() && sct_list.empty()) return credential;
  constexpr std::size_t kLargest = 65535;
  const auto contents = [](const std::string& path) {
    if (path.empty()) return std::vector<std::uint8_t>();
    const x509::SecretBytes file = read_file(path, kLargest);
    if (file.view().empty()) throw Failure(path + " is empty", "Give a file that holds what is to be stapled.");
    return std::vector<std::uint8_t>(file.view().begin(), file.view().end());
  };
  Credential stapled = *credential;
  stapled.ocsp_response = contents(ocsp_response);
  stapled.sct_list = contents(sct_list);
  return std::make_shared<const Credential>(std::move(stapled));
}

std::shared_ptr<const x509::TrustAnchors> read_anchors(const std::vector<std::string>& paths) {
  auto anchors = std::make_shared<x509::TrustAnchors>();
  for (const std::string& path : paths) {
    const files::AnchorReport report = value_of(files::add_anchors(*anchors, path));
    for (const files::FileError& problem : report.problems) print_warning(problem.text());
  }
  if (paths.empty()) {
    (void)files::add_system_anchors(*anchors);
    if (anchors->empty()) {
      throw Failure("this system has no store of certificate authorities",
                    "Install its ca-certificates package, or say whom to trust with --ca FILE.");
    }
  }
  return anchors;
}

}  // namespace lockstep::tool
