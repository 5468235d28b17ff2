// Sockets that listen: on every address of a name, or at a path.

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/addresses.hpp"
#include "common/sockets.hpp"

namespace lockstep::sockets {

namespace {

/// Whether IPv4 comes to an IPv6 socket as well.
enum class Families : std::uint8_t { both, own };

/// The number of what failed.
std::expected<Descriptor, int> listen_on(const SocketAddress& address, const ListenSettings& settings,
                                         Families families) {
  Descriptor socket = open_socket(address.family());
  if (!socket) return std::unexpected(errno);
  const auto set = [&](int level, int option, int value) {
    return ::setsockopt(socket.number(), level, option, &value, sizeof value) == 0;
  };
  if (address.family() != AF_UNIX) {
    (void)set(SOL_SOCKET, SO_REUSEADDR, 1);
    if (settings.reuse_port && !set(SOL_SOCKET, SO_REUSEPORT, 1)) return std::unexpected(errno);
    // A system that cannot goes on as without.
    if (settings.defer.count() > 0) (void)set(IPPROTO_TCP, TCP_DEFER_ACCEPT, static_cast<int>(settings.defer.count()));
  }
  if (address.family() == AF_INET6 && !set(IPPROTO_IPV6, IPV6_V6ONLY, families == Families::own ? 1 : 0)) {
    return std::unexpected(errno);
  }
  if (const int error = set_options(socket.number(), settings.options); error != 0) return std::unexpected(error);
  if (::bind(socket.number(), address.data(), address.size()) != 0 ||
      ::listen(socket.number(), settings.backlog) != 0) {
    return std::unexpected(errno);
  }
  return socket;
}

/// "listen on example.com:443: [2001:db8::1]:443: Address already in use"
IoError listen_error(std::string_view what, const std::string& address, int number) {
  IoError error = system_error(Operation::listen, number);
  std::string where = " on " + std::string(what);
  if (address != what) where += ": " + address;
  error.text.insert(name(Operation::listen).size(), where);
  return error;
}

/// A system without IPv6 has no such sockets, or none of their addresses.
bool lacks_family(const SocketAddress& address, int number) {
  return number == EAFNOSUPPORT || (number == EADDRNOTAVAIL && address.is_everywhere());
}

IoResult<std::vector<Descriptor>> listen_on_each(std::vector<SocketAddress> addresses, std::string_view what,
                                                 const ListenSettings& settings) {
  // Where IPv4 has a socket of its own, IPv6's is not to take it as well; "::" alone does.
  const bool v4 = std::ranges::any_of(addresses, [](const auto& each) { return each.family() == AF_INET; });
  std::vector<Descriptor> sockets;
  std::optional<IoError> lacking;
  for (SocketAddress& address : addresses) {
    if (!sockets.empty()) address.set_port(local_address(sockets.front().number()).port);
    auto socket = listen_on(address, settings, v4 ? Families::own : Families::both);
    if (socket) {
      sockets.push_back(std::move(*socket));
      continue;
    }
    IoError error = listen_error(what, address.address().text(), socket.error());
    if (!lacks_family(address, socket.error())) return std::unexpected(std::move(error));
    lacking = std::move(error);
  }
  if (sockets.empty()) return std::unexpected(std::move(*lacking));
  return sockets;
}

}  // namespace

IoResult<std::vector<Descriptor>> listen_all(std::string_view host, std::uint16_t port,
                                             const ListenSettings& settings) {
  const std::string what = host_and_port(host.empty() ? "*" : host, port);
  const auto list = resolve(host, port, AI_PASSIVE, what);
  if (!list) return std::unexpected(list.error());
  std::vector<SocketAddress> addresses;
  for (const addrinfo* each = list->get(); each != nullptr; each = each->ai_next) {
    const SocketAddress address(each->ai_addr, each->ai_addrlen);
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
  }
  std::ranges::stable_partition(addresses, [](const SocketAddress& each) { return each.family() == AF_INET6; });
  // A port that is free on one address may be taken on another.
  constexpr int kAttempts = 20;
  for (int attempt = 1;; ++attempt) {
    auto sockets = listen_on_each(addresses, what, settings);
    if (sockets || port != 0 || sockets.error().number != EADDRINUSE || attempt == kAttempts) return sockets;
  }
}

// --- Unix ------------------------------------------------------------------------------------------------------------

namespace {

/// The socket file at that path, if there is one.
std::optional<struct stat> socket_file(const std::string& path) {
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) return {};
  return file;
}

bool same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

/// Removes the file of a socket that nobody listens on; whether it was one.
bool remove_stale(const std::string& path, const SocketAddress& address) {
  const auto before = socket_file(path);
  const Descriptor probe = open_socket(AF_UNIX);
  if (!before || !probe) return false;
  if (::connect(probe.number(), address.data(), address.size()) == 0 || errno != ECONNREFUSED) return false;
  const auto now = socket_file(path);
  return now && same_file(*before, *now) && ::unlink(path.c_str()) == 0;
}

}  // namespace

SocketFile::SocketFile(std::string path) noexcept {
  if (const auto file = socket_file(path)) {
    path_ = std::move(path);
    device_ = file->st_dev;
    inode_ = file->st_ino;
    process_ = ::getpid();
  }
}

SocketFile::~SocketFile() {
  if (path_.empty() || process_ != ::getpid()) return;
  const auto file = socket_file(path_);
  if (file && file->st_dev == device_ && file->st_ino == inode_) ::unlink(path_.c_str());
}

void SocketFile::swap(SocketFile& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  std::swap(process_, other.process_);
}

IoResult<Listening> listen_at(const Address& address, const ListenSettings& settings) {
  const auto socket_address = SocketAddress::of(address);
  const std::string what = address.text();
  if (!socket_address) {
    return std::unexpected(plain_error(Operation::listen, IoCondition::misuse, "\"" + what + "\" is no address"));
  }
  const bool path = address.is_unix() && !address.host.starts_with('@');
  auto socket = listen_on(*socket_address, settings, Families::both);
  if (!socket && socket.error() == EADDRINUSE && path && remove_stale(address.host, *socket_address)) {
    socket = listen_on(*socket_address, settings, Families::both);
  }
  if (!socket) return std::unexpected(listen_error(what, what, socket.error()));
  return Listening{.socket = std::move(*socket), .file = path ? SocketFile(address.host) : SocketFile()};
}

}  // namespace lockstep::sockets
