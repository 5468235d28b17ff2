// Responses as they come to the lockstep program's client: what is their body, where they end, and which of them nobody
// can read. Each is given whole and in pieces of every small size, and must come to the same.

#include "tools/lockstep/http_response.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include <gtest/gtest.h>

namespace lockstep::tool {
namespace {

/// What a response came to.
struct Reading {
  int status = 0;
  std::string head;
  std::string body;
  std::string fault;    ///< of the response as such
  std::string missing;  ///< when the connection ends behind these bytes
  bool complete = false;
  std::size_t unread = 0;  ///< bytes behind it
};

Reading read(std::string_view bytes, std::size_t piece) {
  Reading reading;
  HttpResponse response;
  while (!bytes.empty() && !reading.complete && reading.fault.empty()) {
    std::string_view given = bytes.substr(0, piece);
    bytes.remove_prefix(given.size());
    for (bool more = true; more;) {
      auto part = response.next(given);
      if (!part) {
        reading.fault = part.error();
        break;
      }
      if (const auto* head = std::get_if<ResponseHead>(&*part)) {
        reading.status = head->status;
        reading.head = head->text;
      } else if (const auto* body = std::get_if<ResponseBody>(&*part)) {
        reading.body += body->bytes;
      } else {
        reading.complete = std::holds_alternative<ResponseEnd>(*part);
        more = false;
      }
    }
    reading.unread = given.size() + bytes.size();
  }
  EXPECT_EQ(response.body_size(), reading.body.size());
  if (const auto ended = response.end(); !ended && reading.fault.empty()) reading.missing = ended.error();
  return reading;
}

/// The same for every size of pieces.
Reading read(std::string_view bytes) {
  Reading whole = read(bytes, bytes.size());
  for (std::size_t piece = 1; piece < 20; ++piece) {
    const Reading pieces = read(bytes, piece);
    EXPECT_EQ(pieces.status, whole.status) << piece;
    EXPECT_EQ(pieces.head, whole.head) << piece;
    EXPECT_EQ(pieces.body, whole.body) << piece;
    EXPECT_EQ(pieces.fault.empty(), whole.fault.empty()) << piece << ": " << pieces.fault;
    EXPECT_EQ(pieces.missing, whole.missing) << piece;
    EXPECT_EQ(pieces.complete, whole.complete) << piece;
  }
  return whole;
}

TEST(HttpResponse, BodyOfAKnownLength) {
  const Reading reading = read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhellobehind");
  EXPECT_EQ(reading.status, 200);
  EXPECT_EQ(reading.head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(reading.body, "hello");
  EXPECT_TRUE(reading.complete);
  EXPECT_EQ(reading.missing, "");
  EXPECT_EQ(reading.unread, 6u);
}

TEST(HttpResponse, NoBody) {
  for (const std::string_view bytes :
       {"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n", "HTTP/1.1 404\r\nContent-Length:0\r\n\r\n"}) {
    const Reading reading = read(bytes);
    EXPECT_TRUE(reading.complete) << bytes;
    EXPECT_EQ(reading.body, "") << bytes;
    EXPECT_EQ(reading.fault, "") << bytes;
  }
}

TEST(HttpResponse, ShortBodyIsNamed) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello").missing,
            "the body is short: 5 of 10 bytes came");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n").missing, "the body is short: 0 of 10 bytes came");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").missing,
            "the body is short: 5 bytes came, and no last chunk");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n").missing,
            "the body is short: 5 bytes came, and no last chunk");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-").missing, "the answer ends within its head");
  EXPECT_EQ(read("").missing, "the peer ended without an answer");
}

TEST(HttpResponse, WithoutALengthTheBodyEndsWithTheConnection) {
  const Reading reading = read("HTTP/1.0 200 ok\r\nContent-type: text/html\r\n\r\nhello\r\n\r\n");
  EXPECT_EQ(reading.body, "hello\r\n\r\n");
  EXPECT_FALSE(reading.complete);
  EXPECT_EQ(reading.missing, "");
}

TEST(HttpResponse, Chunks) {
  const Reading reading = read(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 3\r\n\r\n"
      "5;name=\"value\"\r\nhello\r\n00000000000000000000A \t; x\r\n0123456789\r\n1\r\n\n\r\n"
      "0\r\nTrailer: yes\r\n\r\nbehind");
  EXPECT_EQ(reading.body, "hello0123456789\n");
  EXPECT_TRUE(reading.complete);
  EXPECT_EQ(reading.unread, 6u);
}

TEST(HttpResponse, MalformedChunks) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string_view chunks :
       {"\r\n", "x\r\n", "-1\r\n", "0x5\r\nhello\r\n", "5\nhello\r\n", "5\r\nhello!\r\n", "5\r\nhello\n0\r\n\r\n",
        "10000000000000000\r\n", "ffffffffffffffff\r\n", "5 5\r\nhello\r\n0\r\n\r\n"}) {
    EXPECT_NE(read(head + std::string(chunks)).fault, "") << chunks;
  }
}

TEST(HttpResponse, NothingIsHeldWithoutBound) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string megabyte(1U << 20U, 'a');
  EXPECT_NE(read(head + "X: " + megabyte, 1000).fault, "");
  EXPECT_NE(read(chunked + "5;" + megabyte, 1000).fault, "");
  EXPECT_NE(read(chunked + "0\r\nX: " + megabyte, 1000).fault, "");
  std::string interim;
  for (int i = 0; i < 10'000; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_NE(read(interim, 1000).fault, "");
}

TEST(HttpResponse, InterimResponsesComeBefore) {
  const Reading reading = read(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Length: 1\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(reading.status, 200);
  EXPECT_EQ(reading.body, "ok");
}

TEST(HttpResponse, LengthsThatAreOne) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok").body, "ok");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\nok").body, "ok");  // folded
  EXPECT_EQ(read("HTTP/1.1 200 OK\nContent-Length: 2\n\nok").body, "ok");
}

TEST(HttpResponse, NobodyCanSayWhereTheBodyIs) {
  for (const std::string_view bytes : {
           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 2 2\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
           "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
           "HTTP/1.1 101 Switching Protocols\r\n\r\n",
           "HTTP/1.1 2x0 OK\r\n\r\n",
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 2000 OK\r\n\r\n",
           "HTTP/1.1\r\n\r\n",
           "HTTP/2.0 200 OK\r\n\r\n",
           "\r\nHTTP/1.1 200 OK\r\n\r\n",
           "220 mail.example ESMTP\r\n",
       }) {
    EXPECT_NE(read(bytes).fault, "") << bytes;
  }
}

TEST(HttpResponse, WhatIsNotHttpIsKnownByItsFirstBytes) {
  EXPECT_EQ(read("SSH-2.0", 1).fault, "the answer is no HTTP/1.1: 'S'");
  EXPECT_EQ(read("H\x01", 2).fault, "the answer is no HTTP/1.1: 'H\\x01'");
}

}  // namespace
}  // namespace lockstep::tool
