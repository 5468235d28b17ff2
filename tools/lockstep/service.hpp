#pragma once
// What a server answers, whatever kind of loop carries it: a page about the connection, or the files of a folder.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/io.hpp>

#include "facts.hpp"
#include "http.hpp"

namespace lockstep::tool {

/// What a connection carried.
struct Traffic {
  std::uint64_t sent = 0;      ///< application bytes
  std::uint64_t received = 0;  ///< application bytes
  std::string request;         ///< the last one, "GET /", when one was understood
  std::uint64_t requests = 0;
  int status = 0;  ///< the last answer's
};

/// Who asks. What it knows is looked up only when a page wants it.
class Visitor {
 public:
  virtual ~Visitor() = default;
  [[nodiscard]] virtual Facts facts() const = 0;
  [[nodiscard]] virtual const std::vector<std::vector<std::uint8_t>>& chain() const = 0;
};

struct Response {
  HttpStatus status = kOk;
  std::string_view content_type;
  std::string body;
  Descriptor file{};  ///< instead of the body
  std::uint64_t file_size = 0;
  bool keep_alive = false;
  bool with_body = true;

  [[nodiscard]] std::string head() const;
};
/// After it the connection is closed.
[[nodiscard]] Response refusal(const HttpRefusal& why);

/// Used by several threads at once.
class Service {
 public:
  virtual ~Service() = default;
  [[nodiscard]] Response respond(const HttpRequest& request, const Visitor& visitor) const;

 protected:
  [[nodiscard]] virtual Response answer(const HttpRequest& request, const Visitor& visitor) const = 0;
};

/// A client that goes away between requests, without close_notify, takes nothing from anybody: every answer says how
/// long it is.
[[nodiscard]] bool is_end_of_transport(const IoError& error) noexcept;

/// The next bytes of a response's file, at least one. When it cannot be read, or has become shorter, the answer cannot
/// be finished, and no end of the connection may look like one.
[[nodiscard]] IoResult<std::size_t> read_file_piece(const Descriptor& file, std::uint64_t left, MutableBytes out);

/// A page with the connection's own details, as HTML, text or JSON.
[[nodiscard]] std::unique_ptr<const Service> make_page();
/// The files of a folder; nothing outside it, and no symbolic links. Throws `Failure` when it cannot be opened.
[[nodiscard]] std::unique_ptr<const Service> make_directory(const std::string& path);

}  // namespace lockstep::tool
