// The requests that the lockstep program's servers understand, and those that they refuse. requests.json has one form a
// line, with the statuses of all answers that its bytes get; tests/interop sends the same to the servers themselves.

#include "tools/lockstep/http.hpp"

#include <fstream>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace lockstep::tool {
namespace {

using Json = nlohmann::json;

/// JSON has characters, a request has bytes: those of ISO 8859-1.
std::string bytes_of(const std::string& utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto first = static_cast<unsigned char>(utf8[i]);
    if (first < 0x80) {
      bytes += utf8[i];
    } else {
      bytes += static_cast<char>((first & 0x03U) << 6U | (static_cast<unsigned char>(utf8[++i]) & 0x3fU));
    }
  }
  return bytes;
}

/// A string, or a list of strings and of pairs of a string and how often it is repeated.
std::string bytes_of(const Json& form) {
  if (form.is_string()) return bytes_of(form.get<std::string>());
  std::string bytes;
  for (const Json& part : form) {
    if (part.is_string()) {
      bytes += bytes_of(part.get<std::string>());
    } else {
      for (int count = part.at(1); count != 0; --count) bytes += bytes_of(part.at(0).get<std::string>());
    }
  }
  return bytes;
}

struct Answers {
  std::vector<int> statuses;
  std::string reason;
  bool closed = false;  ///< nothing more is read
};

/// What a server makes of bytes that come in pieces of that size, with the end of the connection behind them.
Answers answers_to(std::string_view bytes, std::size_t piece) {
  Answers answers;
  std::string held;
  for (std::size_t at = 0; at < bytes.size() && !answers.closed;) {
    const std::size_t searched = held.size();
    held += bytes.substr(at, piece);
    at += piece;
    for (std::size_t before = searched; !answers.closed; before = 0) {
      const auto head = parse_http_request(held, before);
      if (!head) {
        answers.statuses.push_back(head.error().status.number);
        answers.reason = head.error().reason;
        answers.closed = true;
      } else if (!*head) {
        break;
      } else {
        const HttpRequest& request = (*head)->request;
        const bool known = request.method == "GET" || request.method == "HEAD";
        answers.statuses.push_back(known ? 200 : 405);
        answers.closed = !known || !request.keep_alive;
        held.erase(0, (*head)->size);
      }
    }
  }
  return answers;
}

TEST(HttpRequests, EveryFormHasItsAnswers) {
  const Json forms = Json::parse(std::ifstream(LOCKSTEP_SOURCE_DIR "/tests/tool/requests.json"));
  ASSERT_GE(forms.size(), 60U);
  for (const Json& form : forms) {
    SCOPED_TRACE(form.at("name"));
    const std::string bytes = bytes_of(form.at("bytes"));
    for (const std::size_t piece : {bytes.size(), std::size_t{1}, std::size_t{7}}) {
      SCOPED_TRACE(piece);
      const Answers answers = answers_to(bytes, piece);
      EXPECT_EQ(answers.statuses, form.at("answers").get<std::vector<int>>()) << answers.reason;
      EXPECT_TRUE(answers.closed);
      EXPECT_EQ(answers.reason, form.value("reason", answers.reason));
    }
  }
}

TEST(HttpRequests, TargetsAreThoseOfPaths) {
  const auto target = [](const std::string& line) {
    const auto head = parse_http_request(line + "\r\nHost: x\r\n\r\n", 0);
    return head && *head ? (*head)->request.target : "refused";
  };
  EXPECT_EQ(target("GET /a%20b?c HTTP/1.1"), "/a%20b?c");
  EXPECT_EQ(target("GET https://x:443/a?b HTTP/1.1"), "/a?b");
  EXPECT_EQ(target("GET HTTP://x HTTP/1.1"), "/");
  EXPECT_EQ(target("GET https://x?b HTTP/1.1"), "/?b");
}

TEST(HttpRequests, HeadIsRefusedWithoutBody) {
  const auto refused = parse_http_request("HEAD / HTTP/1.1\r\n\r\n", 0);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().to_head);
  EXPECT_FALSE(parse_http_request("GET / HTTP/1.1\r\n\r\n", 0).error().to_head);
}

TEST(HttpRequests, HostsOfOurOwnAreHosts) {
  EXPECT_EQ(http_host("example.com"), "example.com");
  EXPECT_EQ(http_host("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(http_host("2001:db8::1"), "[2001:db8::1]");
  EXPECT_EQ(http_host("fe80::1%eth0"), "[fe80::1]");
  for (const std::string_view host : {"example.com", "192.0.2.1", "2001:db8::1", "fe80::1%eth0"}) {
    const auto head = parse_http_request("GET / HTTP/1.1\r\nHost: " + http_host(host) + "\r\n\r\n", 0);
    EXPECT_TRUE(head && *head) << host;
  }
}

TEST(HttpRequests, AnEmptyLineIsNoBeginning) {
  for (const std::string_view nothing : {"", "\r", "\r\n"}) EXPECT_FALSE(has_begun(nothing));
  for (const std::string_view something : {"G", "\r\nG", "\r\n\r", "\n"}) EXPECT_TRUE(has_begun(something));
}

TEST(HttpResponses, AllowedMethodsAreNamed) {
  EXPECT_NE(http_head(kMethodNotAllowed, "text/plain", 0, false).find("\r\nAllow: GET, HEAD\r\n"), std::string::npos);
  EXPECT_EQ(http_head(kOk, "text/plain", 0, false).find("Allow"), std::string::npos);
}

TEST(HttpPaths, AreDecodedOrRefused) {
  EXPECT_EQ(path_of("/a%20b%2Fc?d#e"), "/a b/c");
  for (const std::string_view malformed : {"/%", "/%2", "/%zz", "/a%00b"})
    EXPECT_FALSE(path_of(malformed)) << malformed;
}

}  // namespace
}  // namespace lockstep::tool
