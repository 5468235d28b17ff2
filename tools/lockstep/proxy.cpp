#include "proxy.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "http.hpp"
#include "http_response.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

/// The head of the proxy's answer, read byte by byte: what comes behind it is the host's.
ResponseHead answer_of(blocking::Socket& proxy, blocking::Deadline deadline) {
  HttpResponse response;
  for (;;) {
    std::uint8_t byte = 0;
    const auto count = proxy.read(MutableBytes(&byte, 1), deadline);
    if (!count) throw Failure("the proxy gives no answer: " + count.error().text);
    if (*count == 0) {
      const auto ended = response.end();
      throw Failure("the proxy closed the connection" + (ended ? std::string() : ": " + ended.error()),
                    "Check that an HTTP proxy listens there, and that it lets you through.");
    }
    std::string_view bytes = as_text(Bytes(&byte, 1));
    auto part = response.next(bytes);
    if (!part) throw Failure("the proxy: " + part.error(), "Check that an HTTP proxy listens there.");
    if (auto* head = std::get_if<ResponseHead>(&*part)) return std::move(*head);
  }
}

}  // namespace

void connect_through(const HostAndPort& host, blocking::Socket& proxy, blocking::Deadline deadline) {
  // RFC 9110 9.3.6: "A client MUST send the port number even if the CONNECT request is based on a URI reference that
  // contains an authority component with an elided port".
  const std::string authority = http_host(host.host) + ":" + std::to_string(host.port);
  const std::string request = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n\r\n";
  if (const auto written = proxy.write(as_bytes(request), deadline); !written) throw Failure(written.error().text);
  const ResponseHead answer = answer_of(proxy, deadline);
  // RFC 9110 9.3.6: "Any 2xx (Successful) response indicates that the sender (and all inbound proxies) will switch to
  // tunnel mode immediately after the response header section".
  if (answer.status / 100 == 2) return;
  throw Failure("the proxy does not connect to " + printable(authority) + ": " + std::to_string(answer.status) + " " +
                    printable(answer.reason),
                answer.status == 407 ? "It wants to know who asks, which this client cannot tell it."
                                     : "Ask whoever runs the proxy whether it lets you through to that host and port.");
}

}  // namespace lockstep::tool
