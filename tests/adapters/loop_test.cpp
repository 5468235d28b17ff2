// TLS in event loops: every test runs over every kind of loop that is built.

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "loop_support.hpp"

namespace lockstep::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

INSTANTIATE_TEST_SUITE_P(Loops, LoopTest, ::testing::ValuesIn(loop_kinds()),
                         [](const auto& kind) { return std::string(kind.param.name); });

// --- dial, listen, wrap (row 176) and custom transports (row 177)
// ------------------------------------------------------

TEST_P(LoopTest, EchoesOverLoopback) {
  auto server_log = std::make_shared<Log>();
  const auto listener = must(loop_->listen("127.0.0.1", 0, server_options(),
                                           [&](loop::Stream&) { return std::make_unique<EchoScribe>(server_log); }));
  End client;
  client.handler->on_handshake_do = [](loop::Stream& stream) { EXPECT_EQ(stream.write(as_bytes("hello")), 5U); };
  auto log = client.log;
  must(loop_->dial("127.0.0.1", listener.address().port, client_options(), std::move(client.handler),
                   {.name = dns("example.com")}));
  turn_until([&] { return log->received == "hello"; });
  EXPECT_EQ(log->stream->connection().version(), ProtocolVersion::tls_1_3);
  EXPECT_EQ(server_log->stream->server_name(), "example.com");
  log->stream->close();
  turn_until([&] { return log->closed && server_log->closed; });
  EXPECT_FALSE(log->error);
  EXPECT_FALSE(server_log->error);
  EXPECT_THAT(log->calls, ElementsAre("open", "handshake", "closed"));
  EXPECT_THAT(server_log->calls, ElementsAre("open", "handshake", "end", "closed"));
  EXPECT_EQ(loop_->statistics().streams, 0U);
  EXPECT_EQ(loop_->statistics().handshakes, 2U);
}

TEST_P(LoopTest, CarriesMegabytesBothWays) {
  End client;
  End server = echo_end();
  const std::string text = pattern(5'000'000);
  Writer writer(text);
  client.handler->on_handshake_do = client.handler->on_writable_do = std::ref(writer);
  auto log = client.log;
  connect(client, server);
  turn_until([&] { return log->received.size() == text.size(); });
  EXPECT_EQ(log->received, text);
}

}  // namespace
}  // namespace lockstep::testing
