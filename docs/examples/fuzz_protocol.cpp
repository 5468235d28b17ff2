// Fuzzes a protocol on top of TLS with lockstep::fuzzing. The protocol: netstrings
// (https://cr.yp.to/proto/netstrings.txt), "5:hello,".
//
//     cmake --install build/fuzz --prefix PREFIX && cmake --install build/fuzz --prefix PREFIX --component fuzzing
//     flags=$(PKG_CONFIG_PATH=PREFIX/lib/pkgconfig pkg-config --cflags --libs lockstep-fuzzing)
//     clang++ -std=c++23 -fsanitize=fuzzer,address,undefined fuzz_protocol.cpp $flags

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/fuzzing.hpp>

namespace {

/// What is to be tested: the reader of a server. Bytes come in any pieces; messages come out.
class NetstringReader {
 public:
  static constexpr std::size_t kMost = 1000;

  void feed(lockstep::Bytes bytes) {
    pending_.append(lockstep::as_text(bytes));
    while (!refused && next()) {
    }
  }
  /// Whether the connection may end here.
  [[nodiscard]] bool between_messages() const { return pending_.empty(); }

  std::vector<std::string> messages;
  bool refused = false;

 private:
  bool next() {
    const std::size_t colon = pending_.find(':');
    if (colon == std::string::npos) {
      refused = pending_.size() > 4;
      return false;
    }
    std::size_t size = 0;
    const char* const end = pending_.data() + colon;
    const auto [read, error] = std::from_chars(pending_.data(), end, size);
    if (error != std::errc() || read != end || size > kMost) {
      refused = true;
      return false;
    }
    if (pending_.size() < colon + 1 + size + 1) return false;
    if (pending_[colon + 1 + size] != ',') {
      refused = true;
      return false;
    }
    messages.push_back(pending_.substr(colon + 1, size));
    pending_.erase(0, colon + 1 + size + 1);
    return true;
  }

  std::string pending_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep::fuzzing;
  Choices choices({data, size});

  // A connection that works. The fake provider makes it in microseconds.
  const Cast cast(choices.byte());
  End client = cast.client();
  End server = cast.server();
  Wire wire;
  talk(client, server, wire);
  if (!client.connection().connected() || !server.connection().connected()) return 0;  // this cast shares no group

  // What the fuzzer says goes through it, in pieces; who stands in the middle drops, repeats and alters records.
  Octets said;
  std::size_t heard = 0;
  NetstringReader reader;
  Choices meddling(choices.bytes(choices.below(32)));
  Middle middle(meddling);
  while (!choices.empty() && !server.over()) {
    const lockstep::Bytes piece = choices.bytes(1 + choices.below(64));
    said.insert(said.end(), piece.begin(), piece.end());
    server.receive(middle.pass(client.seal(piece)));
    const lockstep::Bytes data_so_far = server.outcome().data;
    reader.feed(data_so_far.subspan(heard));
    heard = data_so_far.size();
  }

  // TLS keeps its word: what arrives is what was said, up to some point.
  const lockstep::Bytes all = server.outcome().data;
  require(all.size() <= said.size() && lockstep::equal(all, lockstep::Bytes(said).first(all.size())),
          "nobody alters what was said");
  // The protocol keeps its own: the pieces make no difference, and no message is longer than it may be.
  NetstringReader at_once;
  at_once.feed(all);
  require(at_once.messages == reader.messages && at_once.refused == reader.refused, "the pieces make no difference");
  for (const std::string& message : reader.messages) {
    require(message.size() <= NetstringReader::kMost, "no message is longer than it may be");
  }

  // A connection that breaks off says so: half a message is never taken for the end.
  if (!server.over()) server.receive_end();
  require(server.over() || server.connection().peer_closed(), "a connection that breaks off says so");
  return 0;
}
