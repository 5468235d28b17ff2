// An event loop from an installed copy, over what LOOP names: plain text from one end of a socket pair to the other.

#include <iostream>
#include <memory>
#include <string>

#include <sys/socket.h>

#if __has_include(<lockstep/epoll.hpp>)
#include <lockstep/epoll.hpp>
#endif
#if __has_include(<lockstep/uring.hpp>)
#include <lockstep/uring.hpp>
#endif

namespace {

using namespace lockstep;

class Reader final : public loop::Handler {
 public:
  explicit Reader(std::string& text) : text_(text) {}
  void on_readable(loop::Stream& stream) override {
    text_ += as_text(stream.readable());
    stream.consume(stream.readable().size());
    stream.loop().stop();
  }

 private:
  std::string& text_;
};

}  // namespace

int main() {
  auto loop = LOOP::make_loop();
  if (!loop) {
    // io_uring may be forbidden where this runs; then the reason is the answer.
    std::cout << loop.error().text << '\n';
    return loop.error().text.find("io_uring") == std::string::npos;
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 1;
  std::string text;
  auto reader = (*loop)->wrap(Descriptor(ends[0]), {}, std::make_unique<Reader>(text));
  if (!reader || ::send(ends[1], "installed", 9, 0) != 9) return 1;
  (*loop)->run();
  std::cout << text << " over " << (*loop)->name() << '\n';
  return text == "installed" ? 0 : 1;
}
