#include "files.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lockstep/answers.hpp>
#include <lockstep/io.hpp>

#include "provider.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

[[noreturn]] void fail(const std::string& path, const char* what, int error) {
  std::string advice;
  if (error == ENOENT) advice = "Check the path.";
  if (error == EACCES) advice = "Check who may read and write it.";
  throw Failure(path + " cannot be " + what + ": " + std::strerror(error), advice);
}

}  // namespace

std::vector<std::uint8_t> read_file(const std::string& path, std::size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) fail(path, "opened", errno);
  std::vector<std::uint8_t> contents;
  for (;;) {
    constexpr std::size_t kStep = 65536;
    const std::size_t size = contents.size();
    contents.resize(size + kStep);
    const ssize_t count = ::read(file.number(), contents.data() + size, kStep);
    if (count < 0 && errno != EINTR) fail(path, "read", errno);
    contents.resize(size + static_cast<std::size_t>(count < 0 ? 0 : count));
    if (count == 0) return contents;
    if (contents.size() > limit) {
      throw Failure(path + " is larger than " + std::to_string(limit) + " bytes", "It cannot be what it should be.");
    }
  }
}

void write_file(const std::string& path, Bytes contents, Access access) {
  // A secret must never be readable by others, not even for a moment: what was there goes first.
  if (access == Access::owner && ::unlink(path.c_str()) != 0 && errno != ENOENT) fail(path, "replaced", errno);
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (access == Access::owner ? O_EXCL : O_TRUNC);
  const Descriptor file(::open(path.c_str(), flags, access == Access::owner ? 0600 : 0644));
  if (!file) fail(path, "written", errno);
  while (!contents.empty()) {
    const ssize_t count = ::write(file.number(), contents.data(), contents.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path, "written", errno);
    contents = contents.subspan(static_cast<std::size_t>(count));
  }
}

std::string read_first_line(const std::string& path) {
  std::vector<std::uint8_t> contents = read_file(path, 65536);
  std::string line(as_text(contents));
  wipe(contents);
  line.resize(std::min(line.find_first_of("\r\n"), line.size()));
  return line;
}

std::vector<std::vector<std::uint8_t>> read_chain(const std::string& path) {
  auto chain = x509::load_chain(read_file(path));
  if (!chain) throw Failure(path + ": " + chain.error().text);
  return std::move(*chain);
}

std::shared_ptr<const SigningKey> read_key(const std::string& path, const std::string& passphrase_file) {
  std::string passphrase = passphrase_file.empty() ? std::string() : read_first_line(passphrase_file);
  std::vector<std::uint8_t> contents = read_file(path);
  auto key = x509::load_private_key(provider(), contents, passphrase);
  wipe(contents);
  wipe({reinterpret_cast<std::uint8_t*>(passphrase.data()), passphrase.size()});
  if (!key) throw Failure(path + ": " + key.error().text);
  return *key;
}

std::shared_ptr<const Credential> read_credential(const std::string& certificates, const std::string& key,
                                                  const std::string& passphrase_file) {
  auto chain = read_chain(certificates);
  auto loaded = read_key(key, passphrase_file);
  if (!x509::belongs_to(chain.front(), *loaded)) {
    throw Failure("the key in " + key + " does not belong to the first certificate in " + certificates,
                  "Give the key that the certificate was made for, and put that certificate first in its file.");
  }
  return make_credential(std::move(chain), std::move(loaded));
}

}  // namespace lockstep::tool
