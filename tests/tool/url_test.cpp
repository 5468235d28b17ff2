// The URLs that the lockstep program's client takes, and those that it does not.

#include "tools/lockstep/url.hpp"

#include <gtest/gtest.h>

#include "tools/lockstep/words.hpp"

namespace lockstep::tool {
namespace {

void check(const std::string& text, const std::string& host, int port, const std::string& target) {
  const Target found = parse_target(text, 25);
  EXPECT_EQ(found.at.host, host) << text;
  EXPECT_EQ(found.at.port, port) << text;
  EXPECT_EQ(found.path, target) << text;
}

TEST(Url, HostPortAndTarget) {
  check("https://example.com", "example.com", 443, "/");
  check("HTTPS://example.com/", "example.com", 443, "/");
  check("https://example.com:8443/a/b?c=d#e", "example.com", 8443, "/a/b?c=d");
  check("https://example.com?c", "example.com", 443, "/?c");
  check("https://example.com#e", "example.com", 443, "/");
  check("https://[2001:db8::1]:8443/a:b@c", "2001:db8::1", 8443, "/a:b@c");
}

TEST(Url, AHostAsksForNothing) {
  check("example.com", "example.com", 25, "");
  check("example.com:8443", "example.com", 8443, "");
  check("[::1]:443", "::1", 443, "");
  check("::1", "::1", 25, "");
  check("192.0.2.1", "192.0.2.1", 25, "");
  check("example.com/a/b", "example.com", 25, "/a/b");
}

TEST(Url, NotTaken) {
  for (const char* text :
       {"http://example.com/", "ftp://example.com/", "https://", "https:///a", "https://a:b@c/", "https://a@c/",
        "https://example.com:0/", "https://example.com:x/", "https://example.com:/", "https://example.com/a b",
        "https://example.com/a\r\nb", "https://example.com/\xc3\xa4", "://example.com/"})
    EXPECT_THROW((void)parse_target(text, 443), UsageError) << text;
}

TEST(Url, Proxies) {
  for (const char* text : {"http://proxy.example:3128", "http://proxy.example:3128/", "proxy.example:3128"}) {
    const HostAndPort proxy = parse_proxy_url(text);
    EXPECT_EQ(proxy.host, "proxy.example") << text;
    EXPECT_EQ(proxy.port, 3128) << text;
  }
  EXPECT_EQ(parse_proxy_url("http://proxy.example").port, 80);
  for (const char* text : {"https://proxy.example:3128", "socks5://proxy.example", "http://a:b@proxy.example",
                           "http://proxy.example/path", "http://"})
    EXPECT_THROW((void)parse_proxy_url(text), UsageError) << text;
}

TEST(Url, Targets) {
  EXPECT_NO_THROW(check_request_target("/a%20b?c=d"));
  for (const char* target : {"", "a", "/a b", "/a\r\nHost: evil", "/\x7f", "/\x80"})
    EXPECT_THROW(check_request_target(target), UsageError) << target;
}

TEST(Url, FileNames) {
  EXPECT_EQ(file_name_of("/a/b.txt"), "b.txt");
  EXPECT_EQ(file_name_of("/a/b.txt?c=/d"), "b.txt");
  EXPECT_EQ(file_name_of("/a%2Fb"), "a%2Fb");
  for (const char* target : {"/", "/a/", "/a/..", "/.", "/?a"}) EXPECT_EQ(file_name_of(target), std::nullopt) << target;
}

}  // namespace
}  // namespace lockstep::tool
