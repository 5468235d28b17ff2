#pragma once
// What a server does with a connection once it stands: shows it, serves files over it, or sends back what comes.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <lockstep/blocking.hpp>

#include "facts.hpp"

namespace lockstep::tool {

/// What a connection carried.
struct Traffic {
  std::uint64_t sent = 0;      ///< application bytes
  std::uint64_t received = 0;  ///< application bytes
  std::string request;         ///< "GET /", when one was understood
  int status = 0;              ///< the answer's
};

/// Serves one connection to its end, short of closing it. Used by several threads at once.
class Service {
 public:
  /// `patience`: how long a peer may keep it waiting.
  explicit Service(std::chrono::milliseconds patience) noexcept : patience_(patience) {}
  virtual ~Service() = default;
  [[nodiscard]] virtual IoResult<void> serve(blocking::Stream& stream, const Facts& facts, const PeerCheck& peer,
                                             Traffic& traffic) const = 0;

 protected:
  [[nodiscard]] blocking::Deadline deadline() const { return blocking::after(patience_); }

 private:
  std::chrono::milliseconds patience_;
};

/// A page with the connection's own details, as HTML, text or JSON.
[[nodiscard]] std::unique_ptr<const Service> make_page(std::chrono::milliseconds patience);
/// The files of a folder; nothing outside it, and no symbolic links. Throws `Failure` when it cannot be opened.
[[nodiscard]] std::unique_ptr<const Service> make_directory(std::chrono::milliseconds patience,
                                                            const std::string& path);
/// Sends back what comes.
[[nodiscard]] std::unique_ptr<const Service> make_echo(std::chrono::milliseconds patience);

}  // namespace lockstep::tool
