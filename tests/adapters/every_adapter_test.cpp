// The same scenes over every adapter: blocking sockets, epoll, io_uring, each with each.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "party.hpp"

namespace lockstep::testing {
namespace {

using ::testing::HasSubstr;

struct Pairing {
  Maker client;
  Maker server;
};

std::vector<Pairing> pairings() {
  std::vector<Pairing> all;
  for (const Maker& client : makers()) {
    for (const Maker& server : makers()) all.push_back({client, server});
  }
  return all;
}

class EveryAdapter : public PartyTest, public ::testing::TestWithParam<Pairing> {
 protected:
  struct Parties {
    std::unique_ptr<Party> client;
    std::unique_ptr<Party> server;
  };
  Parties parties(const PartyOptions& client, const PartyOptions& server) const {
    auto [a, b] = socket_pair();
    return {GetParam().client.wrap(std::move(a), client), GetParam().server.wrap(std::move(b), server)};
  }
  Parties connected() const {
    Parties both = parties(client_options(), server_options());
    auto server = in_background([&] { must(both.server->handshake()); });
    must(both.client->handshake());
    server.get();
    return both;
  }
};
INSTANTIATE_TEST_SUITE_P(Pairs, EveryAdapter, ::testing::ValuesIn(pairings()), [](const auto& pairing) {
  return std::string(pairing.param.client.name) + "_to_" + std::string(pairing.param.server.name);
});

TEST_P(EveryAdapter, EchoesEverySize) {
  Parties both = connected();
  const std::vector<std::size_t> sizes = {1,      2,      15,     16,     255,    256,     1000,    16'383,
                                          16'384, 16'385, 32'768, 65'535, 65'536, 100'000, 262'144, 1'000'000};
  auto echo = in_background([&] {
    for (const std::size_t size : sizes) must(both.server->write(must(both.server->read(size))));
  });
  for (const std::size_t size : sizes) {
    const std::string text = pattern(size);
    must(both.client->write(text));
    EXPECT_EQ(must(both.client->read(size)), text) << size;
  }
  echo.get();
  auto closed = in_background([&] {
    EXPECT_EQ(must(both.server->read(1)), "") << "close_notify is the end";
    must(both.server->close());
  });
  must(both.client->close());
  closed.get();
}

TEST_P(EveryAdapter, ResumesByItself) {
  const PartyOptions client = client_options();
  const PartyOptions server = server_options();
  const auto resumes = [&](const PartyOptions& as_client) {
    Parties both = parties(as_client, server);
    auto served = in_background([&] { must(both.server->write(must(both.server->read(1)))); });
    must(both.client->write("x"));
    EXPECT_EQ(must(both.client->read(1)), "x");  // tickets go in front of it
    served.get();
    EXPECT_EQ(both.client->resumed(), both.server->resumed());
    return both.client->resumed();
  };
  EXPECT_FALSE(resumes(client));
  EXPECT_TRUE(resumes(client));
  EXPECT_TRUE(resumes(client)) << "each connection leaves sessions for others";
  EXPECT_FALSE(resumes(client_options())) << "another setup has its own";
  PartyOptions without = client;
  without.answers = setup_of({.provider = provider(), .anchors = root_.anchors(), .client_sessions = nullptr});
  EXPECT_FALSE(resumes(without));
  EXPECT_FALSE(resumes(without));
}

TEST_P(EveryAdapter, SendsBothWaysAtOnce) {
  Parties both = connected();
  const std::string text = pattern(3'000'000);
  auto server_writes = in_background([&] { must(both.server->write(text)); });
  auto client_writes = in_background([&] { must(both.client->write(text)); });
  auto server_reads = in_background([&] { return must(both.server->read(text.size())); });
  EXPECT_EQ(must(both.client->read(text.size())), text);
  EXPECT_EQ(server_reads.get(), text);
  server_writes.get();
  client_writes.get();
}

TEST_P(EveryAdapter, ClosesOneDirection) {
  Parties both = connected();
  const std::string answer = pattern(200'000);
  must(both.client->write("question"));
  must(both.client->close_write());
  EXPECT_EQ(must(both.server->read(100)), "question");
  auto answered = in_background([&] {
    must(both.server->write(answer));
    must(both.server->close());
  });
  EXPECT_EQ(must(both.client->read(answer.size())), answer);
  EXPECT_EQ(must(both.client->read(1)), "");
  must(both.client->close());
  answered.get();
}

TEST_P(EveryAdapter, UpgradesFromPlainTextAndGoesBack) {
  Parties both = parties({}, {});
  must(both.client->write("STARTTLS\n"));
  EXPECT_EQ(must(both.server->read(9)), "STARTTLS\n");
  must(both.server->write("go\n"));
  must(both.server->start_tls(server_options()));
  EXPECT_EQ(must(both.client->read(3)), "go\n");
  must(both.client->start_tls(client_options()));
  auto server = in_background([&] {
    must(both.server->handshake());
    EXPECT_EQ(must(both.server->read(6)), "secret");
    must(both.server->write("too"));
    EXPECT_EQ(must(both.server->read(1)), "") << "the client's close_notify";
    must(both.server->downgrade());
    EXPECT_EQ(must(both.server->read(5)), "plain");
    must(both.server->write("again"));
  });
  must(both.client->handshake());
  must(both.client->write("secret"));
  EXPECT_EQ(must(both.client->read(3)), "too");
  must(both.client->downgrade());
  must(both.client->write("plain"));
  EXPECT_EQ(must(both.client->read(5)), "again");
  server.get();
}

TEST_P(EveryAdapter, DeadlinesPassAndNothingIsLost) {
  Parties both = connected();
  both.client->set_read_deadline(std::chrono::steady_clock::now() + 40ms);
  const auto late = both.client->read(5);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().condition, IoCondition::timeout);
  EXPECT_EQ(late.error().operation, Operation::read);
  both.client->set_read_deadline({});
  must(both.server->write("after"));
  EXPECT_EQ(must(both.client->read(5)), "after");

  const std::string text = pattern(6'000'000);
  both.client->set_write_deadline(std::chrono::steady_clock::now() + 60ms);
  const auto stuck = both.client->write(text);
  ASSERT_FALSE(stuck);
  EXPECT_EQ(stuck.error().condition, IoCondition::timeout);
  EXPECT_EQ(stuck.error().operation, Operation::write);
  both.client->set_write_deadline({});
  auto reader = in_background([&] { return must(both.server->read(text.size())); });
  must(both.client->write(text));  // goes on where it was
  EXPECT_EQ(reader.get(), text);
}

TEST_P(EveryAdapter, CancelsAReaderAndTellsThePeer) {
  Parties both = connected();
  auto reader = in_background([&] { return both.client->read(1); });
  std::this_thread::sleep_for(20ms);
  both.client->cancel();
  const auto canceled = reader.get();
  ASSERT_FALSE(canceled);
  EXPECT_EQ(canceled.error().condition, IoCondition::canceled);
  EXPECT_EQ(canceled.error().operation, Operation::read);
}

TEST_P(EveryAdapter, HandshakeTimesOut) {
  for (const bool client : {true, false}) {
    auto [a, b] = socket_pair();
    PartyOptions options = client ? client_options() : server_options();
    options.handshake_timeout = 50ms;
    auto party = (client ? GetParam().client : GetParam().server).wrap(std::move(a), options);
    const auto late = party->handshake();
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().condition, IoCondition::timeout);
    EXPECT_EQ(late.error().operation, Operation::handshake);
  }
}

TEST_P(EveryAdapter, TellsATruncation) {
  Parties both = connected();
  must(both.client->write("half a mess"));
  EXPECT_EQ(must(both.server->read(11)), "half a mess");
  ASSERT_EQ(::shutdown(both.client->descriptor(), SHUT_WR), 0);
  const auto error = both.server->read(1);
  ASSERT_FALSE(error);
  ASSERT_TRUE(error.error().tls);
  EXPECT_EQ(error.error().tls->reason, Reason::truncated);
  EXPECT_EQ(error.error().operation, Operation::read);
}

TEST_P(EveryAdapter, BothEndsHearOfAnAlert) {
  const Authority stranger("CN=Stranger");
  PartyOptions distrustful = client_options();
  distrustful.answers = setup_of({.provider = provider(), .anchors = stranger.anchors()});
  Parties both = parties(distrustful, server_options());
  auto server = in_background([&] { return both.server->handshake(); });
  const auto ours = both.client->handshake();
  const auto theirs = server.get();
  ASSERT_FALSE(ours);
  ASSERT_FALSE(theirs);
  ASSERT_TRUE(ours.error().tls);
  ASSERT_TRUE(theirs.error().tls) << theirs.error().text;
  EXPECT_EQ(ours.error().operation, Operation::handshake);
  EXPECT_EQ(theirs.error().operation, Operation::handshake);
  EXPECT_EQ(ours.error().tls->origin, Origin::local);
  EXPECT_EQ(theirs.error().tls->origin, Origin::peer);
  EXPECT_EQ(ours.error().tls->alert, Alert::unknown_ca);
  EXPECT_EQ(theirs.error().tls->alert, Alert::unknown_ca);
  EXPECT_THAT(ours.error().text, HasSubstr("handshake with example.com"));
}

TEST_P(EveryAdapter, CountsAndTellsAddresses) {
  std::promise<std::uint16_t> port;
  auto accepted = in_background([&] {
    return GetParam().server.accept(server_options(), [&](std::uint16_t number) { port.set_value(number); });
  });
  const std::uint16_t number = port.get_future().get();
  auto client = must(GetParam().client.dial(number, client_options()));
  auto shaken = in_background([&] { must(client->handshake()); });
  auto server = accepted.get();
  must(server->handshake());
  shaken.get();
  must(client->write(pattern(50'000)));
  EXPECT_EQ(must(server->read(50'000)), pattern(50'000));
  must(server->write("."));
  EXPECT_EQ(must(client->read(1)), ".");
  EXPECT_EQ(client->peer().port, number);
  EXPECT_EQ(client->local().text(), server->peer().text());
  EXPECT_EQ(client->peer().text(), server->local().text());
  const loop::Traffic ours = client->traffic();
  const loop::Traffic theirs = server->traffic();
  EXPECT_EQ(ours.bytes_sent, theirs.bytes_received);
  EXPECT_EQ(ours.bytes_received, theirs.bytes_sent);
  EXPECT_GT(ours.bytes_sent, 50'000U + 4 * 22);
  const auto tcp = tcp_statistics(client->descriptor());
  ASSERT_TRUE(tcp);
  EXPECT_GT(tcp->send_segment_size, 500U);
}

}  // namespace
}  // namespace lockstep::testing
