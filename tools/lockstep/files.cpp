#include "files.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <expected>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lockstep/answers.hpp>
#include <lockstep/files.hpp>

#include "passphrase.hpp"
#include "provider.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

[[noreturn]] void fail_to_write(const std::string& path, int error) {
  throw Failure(path + " cannot be written: " + std::strerror(error), "Choose another place, or make room for it.");
}

void write_all(const std::string& path, const Descriptor& file, Bytes contents) {
  while (!contents.empty()) {
    const ssize_t count = ::write(file.number(), contents.data(), contents.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_to_write(path, errno);
    contents = contents.subspan(static_cast<std::size_t>(count));
  }
}

std::string_view kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

/// As chmod takes it: "0640".
std::string octal(mode_t mode) {
  std::string digits = "0000";
  for (std::size_t i = digits.size(); i-- != 0; mode >>= 3U) digits[i] = static_cast<char>('0' + (mode & 7U));
  return digits;
}

void warn_of_readers(const std::string& path, const struct stat& status, std::string_view what) {
  const mode_t readers = status.st_mode & (S_IRGRP | S_IROTH);
  if (!S_ISREG(status.st_mode) || readers == 0) return;
  print_warning(path + " holds " + std::string(what) + " and can be read by " +
                ((readers & S_IROTH) != 0 ? "everybody" : "its group") + " (mode " + octal(status.st_mode & 07777U) +
                "): chmod " + octal(status.st_mode & S_IRWXU) + " " + path);
}

void warn_of_readers(const std::string& path, std::string_view what) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) warn_of_readers(path, status, what);
}

template <class Value>
Value value_of(std::expected<Value, files::FileError> result) {
  if (!result) throw Failure(result.error().text());
  return std::move(*result);
}

}  // namespace

x509::SecretBytes read_file(const std::string& path, std::size_t limit) {
  return value_of(files::read_file(path, limit));
}

x509::SecretBytes read_secret(const std::string& path, std::size_t limit) {
  warn_of_readers(path, "a secret");
  return read_file(path, limit);
}

void warn_of_readers(const std::string& path, int descriptor, std::string_view what) {
  struct stat status{};
  if (::fstat(descriptor, &status) == 0) warn_of_readers(path, status, what);
}

void write_file(const std::string& path, Bytes contents) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_TRUNC, 0644));
  if (!file) fail_to_write(path, errno);
  write_all(path, file, contents);
}

// --- secrets ---------------------------------------------------------------------------------------------------------

SecretFile::SecretFile(std::string path) : path_(std::move(path)) {
  struct stat status{};
  if (::lstat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    throw Failure(
        path_ + " is " + std::string(kind_of(status.st_mode)) + "; a secret is written to a regular file alone",
        "Give the name of a file, or one that is free.");
  }
  const std::size_t folder = path_.rfind('/') + 1;  // 0 when there is none
  temporary_ = path_.substr(0, folder) + ".lockstep-XXXXXX";
  file_ = Descriptor(::mkostemp(temporary_.data(), O_CLOEXEC));
  if (!file_) {
    const int error = errno;
    temporary_.clear();
    fail_to_write(path_, error);
  }
}

SecretFile::~SecretFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void SecretFile::write(Bytes bytes) { write_all(path_, file_, bytes); }

void SecretFile::take_name() {
  if (temporary_.empty()) return;
  if (::fsync(file_.number()) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) fail_to_write(path_, errno);
  temporary_.clear();
}

void write_secret(const std::string& path, Bytes contents) {
  SecretFile file(path);
  file.write(contents);
  file.take_name();
}

void check_secret_path(const std::string& path) { const SecretFile removed_at_once(path); }

std::vector<std::vector<std::uint8_t>> read_chain(const std::string& path) { return value_of(files::load_chain(path)); }

std::shared_ptr<const SigningKey> read_key(const std::string& path, const std::string& passphrase_file) {
  warn_of_readers(path, "a private key");
  return value_of(files::load_private_key(provider(), path, Passphrase(path, passphrase_file).view()));
}

std::shared_ptr<const Credential> read_credential(const std::string& certificates, const std::string& key,
                                                  const std::string& passphrase_file) {
  warn_of_readers(key, "a private key");
  return value_of(files::load_credential(provider(), certificates, key, Passphrase(key, passphrase_file).view()));
}

DhParameters read_dh_parameters(const std::string& path) { return value_of(files::load_dh_parameters(path)); }

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
  const auto warn = [](const files::AnchorReport& report) {
    for (const files::FileError& problem : report.problems) print_warning(problem.text());
  };
  for (const std::string& path : paths) warn(value_of(files::add_anchors(*anchors, path)));
  if (paths.empty()) {
    warn(value_of(files::add_system_anchors(*anchors)));
    if (anchors->empty()) {
      throw Failure("this system has no store of certificate authorities",
                    "Install its ca-certificates package, or say whom to trust with --ca FILE.");
    }
  }
  return anchors;
}

}  // namespace lockstep::tool
