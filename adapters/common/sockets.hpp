#pragma once
// Sockets as every adapter opens them. Not installed.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netdb.h>
#include <sys/types.h>

#include <lockstep/export.hpp>
#include <lockstep/io.hpp>

namespace lockstep::sockets {

/// A failed system call: "read: Connection reset by peer".
[[nodiscard]] LOCKSTEP_API IoError system_error(Operation operation, int number);
[[nodiscard]] LOCKSTEP_API IoError plain_error(Operation operation, IoCondition condition, std::string_view text);
[[nodiscard]] LOCKSTEP_API IoError timeout_error(Operation operation, std::string_view text);
[[nodiscard]] LOCKSTEP_API IoError canceled_error(Operation operation, std::string_view text);

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, FreeAddresses>;

/// The addresses of a name or address (brackets are allowed). `flags` are getaddrinfo's, `what` is for the error's
/// text.
[[nodiscard]] LOCKSTEP_API IoResult<AddressList> resolve(std::string_view host, std::uint16_t port, int flags,
                                                         std::string_view what);
/// "example.com:443"
[[nodiscard]] LOCKSTEP_API std::string host_and_port(std::string_view host, std::uint16_t port);

/// Whether there is something to read, or somebody to accept.
[[nodiscard]] LOCKSTEP_API bool is_readable(int descriptor) noexcept;

/// A stream socket that does not block.
[[nodiscard]] LOCKSTEP_API Descriptor open_socket(int family);
[[nodiscard]] LOCKSTEP_API IoResult<void> set_nonblocking(int descriptor);
/// 0, or the errno of the first that could not be set.
[[nodiscard]] LOCKSTEP_API int set_options(int descriptor, std::span<const SocketOption> options) noexcept;
/// TCP_NODELAY. TLS writes whole records: waiting for more to put into a segment only costs time. Fails on Unix
/// sockets, harmlessly.
LOCKSTEP_API void send_at_once(int descriptor);

struct ListenSettings {
  bool reuse_port = false;
  int backlog = 4096;
  std::chrono::seconds defer{0};            ///< TCP_DEFER_ACCEPT
  std::span<const SocketOption> options{};  ///< set before it is bound
};
/// Listens on every address of a name, one socket for each: all of them, or it fails and says which could not be had.
/// An empty host means every address of IPv4 and IPv6. What has no address here because the system lacks its family is
/// left out. Port 0 is one free port, the same for all. IPv6 comes first.
[[nodiscard]] LOCKSTEP_API IoResult<std::vector<Descriptor>> listen_all(std::string_view host, std::uint16_t port,
                                                                        const ListenSettings& settings = {});

/// The file of a Unix socket that listens, which is removed with this: if it still is that file, and in the process
/// that made it. To be destroyed before the socket is closed, so that nobody takes it for one that was left behind.
class LOCKSTEP_API SocketFile {
 public:
  SocketFile() noexcept = default;
  explicit SocketFile(std::string path) noexcept;
  SocketFile(SocketFile&& other) noexcept { swap(other); }
  SocketFile& operator=(SocketFile&& other) noexcept {
    SocketFile(std::move(other)).swap(*this);
    return *this;
  }
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;
  ~SocketFile();

 private:
  void swap(SocketFile& other) noexcept;

  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  pid_t process_ = 0;
};

/// A socket that listens, and its file if it has one.
struct Listening {
  Descriptor socket;
  SocketFile file;  // goes first
};
/// Listens on that address. A Unix socket's file is made by the rights that the process's umask leaves. One that is
/// there already is removed when it is a socket's that nobody listens on, which an earlier process left behind.
[[nodiscard]] LOCKSTEP_API IoResult<Listening> listen_at(const Address& address, const ListenSettings& settings = {});

/// A connection that failed before it was accepted says nothing about the listener (accept(2), "Error handling").
[[nodiscard]] LOCKSTEP_API bool is_of_one_connection(int number);

}  // namespace lockstep::sockets
