#pragma once
// A response to GET as it comes: where its body is, and where it ends (RFC 9112 6 and 7). It needs no more memory than
// its head, however long the body is.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace lockstep::tool {

struct ResponseHead {
  int status = 0;
  std::string reason;  ///< as sent, "Not Found"
  std::string text;    ///< all of it, the empty line included
  std::optional<std::uint64_t> content_length;
};
struct ResponseBody {
  std::string_view bytes;  ///< of what `next` was given
};
/// Everything was said for now.
struct ResponseNeedsMore {};
struct ResponseEnd {};
using ResponsePart = std::variant<ResponseNeedsMore, ResponseHead, ResponseBody, ResponseEnd>;

class HttpResponse {
 public:
  /// What comes next in these bytes, of which it takes what it has read; or why nobody can say where the body is.
  [[nodiscard]] std::expected<ResponsePart, std::string> next(std::string_view& bytes);

  /// The connection has ended: whether the response had, too. Otherwise what is missing.
  [[nodiscard]] std::expected<void, std::string> end() const;

  /// Bytes of the body so far.
  [[nodiscard]] std::uint64_t body_size() const noexcept { return body_size_; }

 private:
  struct InHead {
    std::string text;
    std::size_t interim;  ///< bytes of the heads before it, which were 1xx
  };
  struct InLength {
    std::uint64_t left;
    std::uint64_t whole;
  };
  struct InChunkSize {};
  struct InChunk {
    std::uint64_t left;
  };
  struct BehindChunk {};
  struct InTrailers {
    std::size_t size;
  };
  /// RFC 9112 6.3: "Otherwise, this is a response message without a declared message body length, so the message body
  /// length is determined by the number of octets received prior to the server closing the connection."
  struct ToTheEnd {};
  struct Complete {};
  using State = std::variant<InHead, InLength, InChunkSize, InChunk, BehindChunk, InTrailers, ToTheEnd, Complete>;
  /// A part, or nothing when only the state has changed.
  using Step = std::expected<std::optional<ResponsePart>, std::string>;
  using Line = std::expected<std::optional<std::string>, std::string>;

  Step on(InHead& state, std::string_view& bytes);
  Step on(InLength& state, std::string_view& bytes);
  Step on(InChunkSize& state, std::string_view& bytes);
  Step on(InChunk& state, std::string_view& bytes);
  Step on(BehindChunk& state, std::string_view& bytes);
  Step on(InTrailers& state, std::string_view& bytes);
  Step on(ToTheEnd& state, std::string_view& bytes);
  Step on(Complete& state, std::string_view& bytes);

  /// The next line with its end, once it is all there; an error when it is longer than that.
  Line line(std::string_view& bytes, std::size_t longest);
  Step head_ended(InHead& state);
  ResponsePart body(std::string_view& bytes, std::uint64_t most);

  State state_ = InHead{};
  std::string line_;  ///< what there is of a line that has not ended
  std::uint64_t body_size_ = 0;
};

}  // namespace lockstep::tool
