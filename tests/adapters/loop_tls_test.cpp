// Event loops: decisions that wait, STARTTLS and back, resumption, client certificates, alerts and truncation.

#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loop_support.hpp"

namespace lockstep::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class LoopTlsTest : public LoopTest {};
INSTANTIATE_TEST_SUITE_P(Loops, LoopTlsTest, ::testing::ValuesIn(loop_kinds()), kind_name);

// --- suspended operations: pause at hello, continue or cancel [182] --------------------------------------------------

/// A server that keeps the token of a decision, by default that of the credential.
template <class Question = SelectCredential>
struct Paused {
  Token<Question> token;
  std::string name;

  void attach(Scribe& handler) {
    handler.on_event_do = [this](loop::Stream&, Event& event) {
      auto* wishes = std::get_if<Question>(&event);
      if (wishes == nullptr) return false;
      name = wishes->server_name;
      token = std::move(wishes->token);
      return true;
    };
  }
};

TEST_P(LoopTlsTest, PausesAtHelloAndContinuesLater) {
  End client;
  End server = echo_end();
  Paused<> paused;
  paused.attach(*server.handler);
  client.handler->on_handshake_do = Writer("after all");
  connect(client, server);
  turn_until([&] { return static_cast<bool>(paused.token); });
  EXPECT_EQ(paused.name, "example.com");
  turn_for(30ms);
  EXPECT_FALSE(server.log->handshake);
  ASSERT_TRUE(server.log->stream->connection().awaiting_answer());
  ASSERT_TRUE(server.log->stream->answer(std::move(paused.token), leaf_));
  turn_until([&] { return client.log->received == "after all"; });
}

TEST_P(LoopTlsTest, PausesAtHelloAndIsCanceled) {
  for (const bool dropped : {false, true}) {
    End client;
    End server;
    Paused<> paused;
    paused.attach(*server.handler);
    connect(client, server);
    turn_until([&] { return static_cast<bool>(paused.token); });
    if (dropped) {
      paused.token = {};  // nobody will answer
      server.log->stream->resume();
    } else {
      server.log->stream->cancel();
    }
    turn_until([&] { return client.log->closed && server.log->closed; });
    ASSERT_TRUE(server.log->error);
    EXPECT_EQ(server.log->error->operation, Operation::handshake);
    EXPECT_EQ(server.log->error->condition, dropped ? IoCondition::tls : IoCondition::canceled);
    ASSERT_TRUE(client.log->error);
    EXPECT_EQ(client.log->error->condition, IoCondition::tls) << "the alert arrived";
  }
}

TEST_P(LoopTlsTest, PausesBeforeAnythingIsSettled) {
  for (const bool canceled : {false, true}) {
    End client;
    End server = echo_end();
    Paused<SelectConfig> paused;
    paused.attach(*server.handler);
    client.handler->on_handshake_do = Writer("after all");
    loop::Options client_side = client_options();
    client_side.config = built(client_config().alpn({"first", "other"}));
    loop::Options server_side = server_options();
    server_side.config = built(server_config().alpn({"first"}).select_config());
    connect(client, server, client_side, server_side);
    turn_until([&] { return static_cast<bool>(paused.token); });
    EXPECT_EQ(paused.name, "example.com");
    turn_for(10ms);
    if (canceled) {
      server.log->stream->cancel(Alert::unrecognized_name);
      turn_until([&] { return client.log->closed && server.log->closed; });
      EXPECT_THAT(client.log->error->text, HasSubstr("unrecognized_name"));
    } else {
      const ConfigSelected other{.config = built(server_config().alpn({"other"}))};
      ASSERT_TRUE(server.log->stream->answer(std::move(paused.token), other));
      turn_until([&] { return client.log->received == "after all"; });
      EXPECT_EQ(client.log->stream->connection().alpn(), "other");
    }
  }
}

// Certificate, configuration and ticket keys of a listener change while connections come and go.
TEST_P(LoopTlsTest, ReplacesWhatAListenerHasUnderLoad) {
  const auto offering = [&](std::string protocol) {
    loop::Options options = server_options();
    options.config = built(server_config().alpn({std::move(protocol)}));
    options.answers = setup_of({.provider = provider(),
                                .credentials = {root_.issue({})},
                                .ticket_keys = TicketKeyring::create(provider(), random())});
    return options;
  };
  const std::array offered{offering("one"), offering("two")};
  loop::Options client_side = client_options();
  client_side.config = built(client_config().alpn({"one", "two"}));
  const auto listener = must(loop_->listen(
      "127.0.0.1", 0, offered[0], [](loop::Stream&) { return std::make_unique<EchoScribe>(std::make_shared<Log>()); }));

  constexpr std::size_t kTurns = 8;
  constexpr std::size_t kClients = 6;
  std::vector<End> clients(kTurns * kClients);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    clients[i].handler->on_handshake_do = Writer("hello");
    (void)must(loop_->dial("127.0.0.1", listener.address().port, client_side, std::move(clients[i].handler),
                           {.name = dns("example.com")}));
    if (i % kClients != 0) continue;
    must(loop_->replace(listener, offered[i / kClients % 2]));
    loop_->run_once(0ms);  // some are in their handshakes when the next come
  }
  turn_until([&] { return std::ranges::all_of(clients, [](const End& end) { return end.log->received == "hello"; }); });
  const auto agreed_on = [&](std::string_view protocol) {
    return std::ranges::count_if(clients,
                                 [&](const End& end) { return end.log->stream->connection().alpn() == protocol; });
  };
  EXPECT_GT(agreed_on("one"), 0);
  EXPECT_GT(agreed_on("two"), 0);

  EXPECT_EQ(loop_->replace(listener, client_options()).error().condition, IoCondition::misuse);
  loop_->unlisten(listener);
  EXPECT_EQ(loop_->replace(listener, server_options()).error().condition, IoCondition::misuse);
}

/// Says a word when the handshake is complete, and closes when it has come back.
class Caller final : public loop::Handler {
 public:
  struct Count {
    std::size_t complete = 0;
    std::size_t resumed = 0;
    std::size_t closed = 0;
    std::vector<std::string> errors;
  };
  explicit Caller(Count& count) : count_(count) {}
  void on_handshake(loop::Stream& stream, const HandshakeComplete& complete) override {
    ++count_.complete;
    count_.resumed += complete.resumed ? 1 : 0;
    EXPECT_EQ(must(stream.write(as_bytes("word"))), 4U);
  }
  void on_readable(loop::Stream& stream) override {
    stream.consume(stream.readable().size());
    stream.close();
  }
  void on_closed(loop::Stream&, const IoError* error) override {
    ++count_.closed;
    if (error != nullptr) count_.errors.push_back(error->text);
  }

 private:
  Count& count_;
};

/// Certificates, their authorities, anchors, settings and ticket keys change 100 times a second while clients come, for
/// as many seconds as LOCKSTEP_SWAP_SECONDS says.
TEST_P(LoopTlsTest, SwapsEverythingUnderHandshakes) {
  const char* const wanted = std::getenv("LOCKSTEP_SWAP_SECONDS");
  const std::chrono::milliseconds time = wanted == nullptr ? 400ms : std::chrono::seconds(std::stoi(wanted));
  const Authority other("CN=Other");
  x509::TrustAnchors both;
  for (const Authority* each : std::initializer_list<const Authority*>{&root_, &other})
    ASSERT_TRUE(both.add((*each->anchors())[0].der()));
  loop::Options client_side = client_options();
  client_side.config = built(client_config().alpn({"one", "two"}));
  client_side.answers =
      setup_of({.provider = provider(), .anchors = std::make_shared<x509::TrustAnchors>(std::move(both))});
  client_side.linger = 0ms;
  std::size_t swaps = 0;
  const auto next = [&] {
    const Authority& authority = ++swaps % 2 == 0 ? root_ : other;
    loop::Options options = server_options();
    options.config = built(server_config()
                               .alpn({swaps % 3 == 0 ? "two" : "one"})
                               .client_auth(swaps % 5 == 0 ? ClientAuth::request : ClientAuth::none));
    options.answers =
        setup_of({.provider = provider(),
                  .credentials = {authority.issue({})},
                  .anchors = (swaps % 7 == 0 ? other : root_).anchors(),
                  .ticket_keys = swaps % 4 == 0 ? TicketKeyring::create(provider(), random()) : keyring_});
    return options;
  };
  const auto listener = must(loop_->listen(
      "127.0.0.1", 0, next(), [](loop::Stream&) { return std::make_unique<EchoScribe>(std::make_shared<Log>()); }));
  Caller::Count count;
  std::size_t dialed = 0;
  constexpr std::size_t kAtOnce = 32;
  const auto start = std::chrono::steady_clock::now();
  auto swap_at = start;
  while (std::chrono::steady_clock::now() - start < time || count.closed != dialed) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= swap_at) {
      must(loop_->replace(listener, next()));
      swap_at = now + 10ms;
    }
    while (now - start < time && dialed - count.closed < kAtOnce) {
      ++dialed;
      must(loop_->dial(listener.address(), client_side, std::make_unique<Caller>(count), {.name = dns("example.com")}));
    }
    loop_->run_once(1ms);
    ASSERT_LT(now - start, time + 10s);
  }
  EXPECT_THAT(count.errors, ElementsAre());
  EXPECT_EQ(count.complete, dialed);
  EXPECT_LT(count.resumed, dialed);
  EXPECT_GT(swaps, 4U);
  if (wanted != nullptr) {
    EXPECT_GT(count.resumed, 0U) << "where a ticket's keys are still there";
    std::printf("%zu handshakes (%zu resumed), %.0f a second, %zu changes, %zu failed\n", count.complete, count.resumed,
                static_cast<double>(count.complete) * 1000 / static_cast<double>(time.count()), swaps,
                count.errors.size());
  }
}

TEST_P(LoopTlsTest, BoundsWhatComesWhileItIsPaused) {
  auto [a, b] = socket_pair();
  const int raw = a.number();
  End client;
  End server;
  Paused<> paused;
  paused.attach(*server.handler);
  wrap_server(std::move(b), server);
  wrap_client(std::move(a), client);
  turn_until([&] { return static_cast<bool>(paused.token); });
  const std::size_t before = loop_->statistics().memory;
  const std::vector<std::uint8_t> junk(65'536, 0x17);
  for (int i = 0; i < 500; ++i) {
    (void)!::send(raw, junk.data(), junk.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    loop_->run_once(0ms);
  }
  EXPECT_LE(loop_->statistics().memory, before + kMemoryOfOneTransfer);
  EXPECT_FALSE(server.log->closed);
  paused.token = {};
  server.log->stream->resume();
  turn_until([&] { return server.log->closed; });
}

TEST_P(LoopTlsTest, TimesOutWhileItIsPaused) {
  End client;
  End server;
  Paused<> paused;
  paused.attach(*server.handler);
  loop::Options options = server_options();
  options.handshake_timeout = 60ms;
  connect(client, server, client_options(), options);
  turn_until([&] { return server.log->closed; });
  EXPECT_EQ(server.log->error->condition, IoCondition::timeout);
}

TEST_P(LoopTlsTest, RefusesAnAnswerForWhatIsNotTlsAnyMore) {
  auto [a, b] = socket_pair();
  End plain;
  loop::Stream& stream = *must(loop_->wrap(std::move(b), {}, std::move(plain.handler)));
  const auto answered = stream.answer(Token<SelectCredential>(), leaf_);
  ASSERT_FALSE(answered);
  EXPECT_EQ(answered.error(), Misuse::wrong_token);
}

TEST_P(LoopTlsTest, AsksForAnotherNameWhereThatIsSaid) {
  End client;
  End server;
  std::string asked_for;
  server.handler->on_event_do = [&](loop::Stream&, Event& event) {
    if (const auto* wishes = std::get_if<SelectCredential>(&event)) asked_for = wishes->server_name;
    return false;
  };
  auto [a, b] = socket_pair();
  wrap_server(std::move(b), server, server_options());
  must(loop_->wrap(std::move(a), client_options(), std::move(client.handler),
                   {.name = dns("example.com"), .server_name = dns("front.example")}));
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  EXPECT_EQ(asked_for, "front.example");
}

TEST_P(LoopTlsTest, LetsTheApplicationDecideAtOnce) {
  End client;
  End server;
  loop::Options client_side = client_options();
  client_side.answers = nullptr;  // by itself this trusts nobody
  int asked = 0;
  client.handler->on_event_do = [&](loop::Stream& stream, Event& event) {
    auto* peer = std::get_if<VerifyPeer>(&event);
    if (peer == nullptr) return std::holds_alternative<HandshakeComplete>(event);  // which means nothing
    ++asked;
    EXPECT_EQ(peer->shown->chain.size(), 1U);
    return stream.answer(std::move(peer->token), PeerAccepted{}).has_value();
  };
  connect(client, server, client_side, server_options());
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  EXPECT_EQ(asked, 1);

  End trusting;
  End other;
  connect(trusting, other, client_side, server_options());
  turn_until([&] { return trusting.log->closed && other.log->closed; });
  EXPECT_EQ(trusting.log->error->condition, IoCondition::tls) << "nobody answered";
}

// [80, 104, 248] The verdict first, and what belongs to this connection beside it.
TEST_P(LoopTlsTest, ShowsTheApplicationWhatItDecidesBy) {
  End client;
  End server;
  loop::Options client_side = client_options();
  client_side.answers = setup_of({.provider = provider()});  // trusts nobody
  const auto attached = std::make_shared<std::string>();
  client.handler->on_open_do = [&](loop::Stream& stream) { stream.attach(attached); };
  client.handler->on_event_do = [&](loop::Stream& stream, Event& event) {
    auto* const peer = std::get_if<VerifyPeer>(&event);
    if (peer == nullptr) return false;
    Answers* const answers = stream.answers();
    if (answers == nullptr || peer->attachment != attached) return false;
    EXPECT_TRUE(std::holds_alternative<PeerRejected>(answers->judge(*peer)));
    *static_cast<std::string*>(peer->attachment.get()) = answers->verdict()->text();
    const PeerDecision decision = answers->accepted_unverified();
    return stream.answer(std::move(peer->token), decision).has_value();
  };
  connect(client, server, client_side, server_options());
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  EXPECT_THAT(*attached, HasSubstr("UNABLE_TO_GET_ISSUER_CERT_LOCALLY"));
  const Connection& connection = client.log->stream->connection();
  EXPECT_FALSE(connection.peer_verified());
  EXPECT_EQ(connection.unverified().reason, Reason::certificate_unknown_ca);
  turn_until([&] { return attached.use_count() == 1; });
}

// --- STARTTLS [184] and back [185] -----------------------------------------------------------------------------------

/// A line protocol: a client says STARTTLS, a server says go, then TLS.
class Starttls {
 public:
  Starttls(loop::Options client, loop::Options server) : client_(std::move(client)), server_(std::move(server)) {}

  void attach_client(Scribe& handler) {
    handler.on_open_do = [](loop::Stream& stream) { EXPECT_EQ(stream.write(as_bytes("STARTTLS\n")), 9U); };
    handler.on_readable_do = [this, &handler](loop::Stream& stream) {
      if (stream.secure()) return handler.take(stream);
      ASSERT_EQ(as_text(stream.readable()), "go\n");
      stream.consume(3);
      must(stream.start_tls(client_, {.name = dns("example.com")}));
    };
  }
  void attach_server(Scribe& handler) {
    handler.on_readable_do = [this, &handler](loop::Stream& stream) {
      if (stream.secure()) return handler.take(stream);
      if (stream.readable().size() < 9) return;
      ASSERT_EQ(as_text(stream.readable().first(9)), "STARTTLS\n");
      stream.consume(9);
      EXPECT_EQ(stream.write(as_bytes("go\n")), 3U);
      must(stream.start_tls(server_));
    };
  }

 private:
  loop::Options client_;
  loop::Options server_;
};

TEST_P(LoopTlsTest, UpgradesToTlsOnBothSides) {
  End client;
  End server;
  Starttls protocol(client_options(), server_options());
  protocol.attach_client(*client.handler);
  protocol.attach_server(*server.handler);
  client.handler->on_handshake_do = Writer("secret");
  server.handler->on_handshake_do = Writer("secret too");
  connect(client, server, {}, {});
  turn_until([&] { return server.log->received == "secret" && client.log->received == "secret too"; });
  EXPECT_EQ(client.log->stream->server_name(), "example.com");
  const auto twice = client.log->stream->start_tls(client_options(), {.name = dns("example.com")});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().condition, IoCondition::misuse);
}

TEST_P(LoopTlsTest, UpgradesWithBytesThatCameEarly) {
  // An impatient client: the command and its ClientHello arrive together. What was pipelined in plain text must be TLS.
  auto [a, b] = socket_pair();
  End server;
  Starttls protocol(client_options(), server_options());
  protocol.attach_server(*server.handler);
  must(loop_->wrap(std::move(b), {}, std::move(server.handler)));
  End client;
  ASSERT_EQ(::send(a.number(), "STARTTLS\n", 9, 0), 9);
  loop::Options options = client_options();
  Descriptor copy(::dup(a.number()));
  // Its first bytes are written before the server looks; "go" is taken from the socket by hand.
  Connection engine =
      Connection::client(as_client(options.config), {.name = dns("example.com")}, random(), fixed_clock());
  std::vector<std::uint8_t> hello(4096);
  hello.resize(engine.transmit(hello, fixed_clock()));
  ASSERT_EQ(::send(a.number(), hello.data(), hello.size(), 0), static_cast<ssize_t>(hello.size()));
  turn_until([&] {
    int size = 0;
    return ::ioctl(a.number(), FIONREAD, &size) == 0 && size > 500;
  });
  std::vector<std::uint8_t> answer(8192);
  answer.resize(static_cast<std::size_t>(::recv(a.number(), answer.data(), answer.size(), 0)));
  EXPECT_EQ(as_text(Bytes(answer).first(3)), "go\n");
  EXPECT_EQ(answer[3], 0x16) << "a ServerHello";
  EXPECT_FALSE(server.log->closed);
}

TEST_P(LoopTlsTest, NeverTakesPlainTextForDecrypted) {
  // The attack on STARTTLS: a command smuggled in behind it in plain text. It is no TLS record.
  auto [a, b] = socket_pair();
  End server;
  Starttls protocol(client_options(), server_options());
  protocol.attach_server(*server.handler);
  must(loop_->wrap(std::move(b), {}, std::move(server.handler)));
  ASSERT_EQ(::send(a.number(), "STARTTLS\nRCPT TO:<evil>\n", 24, 0), 24);
  turn_until([&] { return server.log->closed; });
  EXPECT_EQ(server.log->received, "");
  ASSERT_TRUE(server.log->error);
  EXPECT_EQ(server.log->error->condition, IoCondition::tls);
}

TEST_P(LoopTlsTest, RefusesAnUpgradeThatMakesNoSense) {
  auto [a, b] = socket_pair();
  End end;
  loop::Stream& stream = *must(loop_->wrap(std::move(a), {}, std::move(end.handler)));
  EXPECT_EQ(stream.start_tls({}).error().condition, IoCondition::misuse);
  EXPECT_THAT(stream.start_tls(client_options()).error().text, HasSubstr("Target::name"));
  stream.close();
  EXPECT_EQ(stream.start_tls(server_options()).error().condition, IoCondition::misuse);
}

TEST_P(LoopTlsTest, GoesBackToPlainTextWithTheBytesThatFollow) {
  // The client goes back; its plain text stands right behind its close_notify. Then both upgrade once more.
  End client;
  End server;
  bool again = false;
  client.handler->on_handshake_do = [&](loop::Stream& stream) {
    if (again) return;
    EXPECT_EQ(stream.write(as_bytes("last secret")), 11U);
    stream.downgrade();
    EXPECT_FALSE(stream.write(as_bytes("no more"))) << "not before the peer's close_notify";
  };
  client.handler->on_plain_do = [](loop::Stream& stream) {
    EXPECT_FALSE(stream.secure());
    EXPECT_EQ(stream.write(as_bytes("plain!")), 6U);
  };
  server.handler->on_end_do = [](loop::Stream& stream) {
    if (stream.secure()) {
      stream.downgrade();
    } else {
      stream.close();
    }
  };
  server.handler->on_plain_do = [](loop::Stream& stream) {
    EXPECT_FALSE(stream.secure());
    EXPECT_EQ(stream.write(as_bytes("plain too")), 9U);
  };
  connect(client, server);
  turn_until([&] { return server.log->received == "last secretplain!" && client.log->received == "plain too"; });
  EXPECT_THAT(client.log->calls, ElementsAre("open", "handshake", "plain"));
  EXPECT_THAT(server.log->calls, ElementsAre("open", "handshake", "end", "plain"));

  again = true;
  must(server.log->stream->start_tls(server_options()));
  must(client.log->stream->start_tls(client_options(), {.name = dns("example.com")}));
  turn_until([&] { return std::ranges::count(server.log->calls, "handshake") == 2; });
  EXPECT_EQ(client.log->stream->write(as_bytes("?")), 1U);
  turn_until([&] { return server.log->received.ends_with("!?"); });
  client.log->stream->close();
  turn_until([&] { return client.log->closed && server.log->closed; });
  EXPECT_FALSE(client.log->error);
}

TEST_P(LoopTlsTest, DeliversDataThatCameBeforeTheDowngrade) {
  End client;
  End server;
  client.handler->on_handshake_do = [](loop::Stream& stream) { stream.downgrade(); };
  server.handler->on_end_do = [](loop::Stream& stream) {
    EXPECT_EQ(stream.write(as_bytes("still encrypted")), 15U);
    stream.downgrade();
    stream.resume();
  };
  server.handler->on_plain_do = Writer(" and plain");
  connect(client, server);
  turn_until([&] { return client.log->received == "still encrypted and plain"; });
  EXPECT_TRUE(client.log->plain);
}

// --- resumption, client certificates, key log ------------------------------------------------------------------------

TEST_P(LoopTlsTest, SendsTicketsWithTheFirstAnswerOrALittleLater) {
  End client;
  End server;
  std::uint64_t flight = 0;
  server.handler->on_handshake_do = [&](loop::Stream& stream) { flight = stream.traffic().bytes_sent; };
  loop::Options hasty = server_options();
  hasty.write_timeout = 24ms;  // which is not for what nobody has sent yet
  connect(client, server, client_options(), hasty);
  turn_until([&] { return server.log->handshake; });
  EXPECT_EQ(server.log->stream->traffic().bytes_sent, flight);
  turn_until([&] { return client.log->handshake; });
  turn_until([&] { return client.log->stream->sessions().size() == 2; });
  EXPECT_FALSE(server.log->closed);
}

TEST_P(LoopTlsTest, ResumesWithTheSessionsItGave) {
  std::vector<Session> sessions;
  {
    End client;
    End server;
    server.handler->on_handshake_do = Writer("x");
    connect(client, server);
    turn_until([&] { return client.log->received == "x"; });
    sessions = client.log->stream->sessions();
    EXPECT_TRUE(client.log->stream->sessions().empty()) << "each is given once";
  }
  ASSERT_EQ(sessions.size(), 2U);
  End client;
  End server;
  auto [a, b] = socket_pair();
  wrap_server(std::move(b), server);
  must(loop_->wrap(std::move(a), client_options(), std::move(client.handler),
                   {.name = dns("example.com"), .sessions = std::span(sessions).first(1)}));
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  EXPECT_TRUE(client.log->resumed);
  EXPECT_TRUE(server.log->resumed);
  EXPECT_TRUE(client.log->stream->connection().resumed());
}

TEST_P(LoopTlsTest, AuthenticatesClients) {
  loop::Options server_side = server_options();
  server_side.config = built(server_config().client_auth(ClientAuth::require));
  loop::Options client_side = client_options();
  const auto credential = root_.issue({.client = true});
  client_side.answers = setup_of({.provider = provider(), .credentials = {credential}, .anchors = root_.anchors()});
  {
    End client;
    End server;
    connect(client, server, client_side, server_side);
    turn_until([&] { return client.log->handshake && server.log->handshake; });
    ASSERT_NE(server.log->stream->answers(), nullptr);
    const auto chain = server.log->stream->answers()->peer_chain();
    ASSERT_EQ(chain.size(), 1U);
    EXPECT_TRUE(equal(chain[0], credential->chain[0]));
  }
  // Without a certificate the client's handshake ends well before the server has refused it.
  End client;
  End server;
  connect(client, server, client_options(), server_side);
  turn_until([&] { return client.log->closed && server.log->closed; });
  EXPECT_TRUE(client.log->handshake);
  ASSERT_TRUE(client.log->error && client.log->error->tls);
  EXPECT_EQ(client.log->error->operation, Operation::read);
  EXPECT_EQ(client.log->error->tls->origin, Origin::peer);
  EXPECT_EQ(client.log->error->tls->alert, Alert::certificate_required);
  EXPECT_EQ(server.log->error->tls->reason, Reason::certificate_required);
  EXPECT_EQ(server.log->error->operation, Operation::handshake);
}

// --- public-key work of all streams in one call
// ------------------------------------------------------------------------

/// The usual provider, whose X25519 counts how many jobs come in a call.
struct CountedCalls {
  static inline std::vector<std::size_t> generations, encapsulations, decapsulations;

  static Provider provider() {
    static const Group* const inner = testing::provider().group(NamedGroup::x25519);
    static const Group counted = [] {
      Group made = *inner;
      made.width = 8;
      made.generate_many = [](std::span<GenerateJob> jobs) noexcept {
        generations.push_back(jobs.size());
        for (GenerateJob& job : jobs) job.result = inner->generate(job.context, *job.random, job.share);
      };
      made.encapsulate_many = [](std::span<EncapsulateJob> jobs) noexcept {
        encapsulations.push_back(jobs.size());
        for (EncapsulateJob& job : jobs)
          job.result = inner->encapsulate(job.client_share, *job.random, job.server_share, job.secret);
      };
      made.decapsulate_many = [](std::span<DecapsulateJob> jobs) noexcept {
        decapsulations.push_back(jobs.size());
        for (DecapsulateJob& job : jobs) job.result = inner->decapsulate(job.context, job.server_share, job.secret);
      };
      return made;
    }();
    for (auto* const calls : {&generations, &encapsulations, &decapsulations}) calls->clear();
    Provider made = testing::provider();
    made.groups.insert(made.groups.begin(), &counted);
    return made;
  }
  template <class Builder>
  static auto configured(Builder builder, const Provider& provider) {
    builder.groups({NamedGroup::x25519}).hand_out_computations();
    return built(provider.insecure() ? builder.dangerous().allow_insecure_provider() : builder);
  }
};

TEST_P(LoopTlsTest, ComputesForAllStreamsOfATurnTogether) {
  const Provider counted = CountedCalls::provider();
  loop::Options client_side = client_options();
  loop::Options server_side = server_options();
  client_side.config = CountedCalls::configured(ConfigBuilder::client(counted), counted);
  server_side.config = CountedCalls::configured(ConfigBuilder::server(counted), counted);
  constexpr std::size_t kPairs = 5;
  std::vector<End> clients(kPairs);
  std::vector<End> servers(kPairs);
  for (std::size_t i = 0; i < kPairs; ++i) connect(clients[i], servers[i], client_side, server_side);
  turn_until([&] {
    return std::ranges::all_of(clients, [](const End& end) { return end.log->handshake; }) &&
           std::ranges::all_of(servers, [](const End& end) { return end.log->handshake; });
  });
  // Key pairs are made ahead, eight at once, for clients and servers.
  EXPECT_THAT(CountedCalls::generations, ElementsAre(8U, 8U));
  EXPECT_THAT(CountedCalls::encapsulations, ::testing::IsEmpty());
  EXPECT_THAT(CountedCalls::decapsulations, Contains(::testing::Gt(1U)));
}

TEST_P(LoopTlsTest, ForgetsWhatAStreamHasAskedForWhenItGoes) {
  loop::Options client_side = client_options();
  client_side.config = CountedCalls::configured(ConfigBuilder::client(provider()), provider());
  End client;
  End server;
  connect(client, server, client_side, server_options());
  client.log->stream->cancel();
  turn_until([&] { return client.log->closed && server.log->closed; });
  EXPECT_FALSE(client.log->handshake);
}

TEST_P(LoopTlsTest, AnswersWhatAStreamHasAskedForBeforeItMoves) {
  loop::Options client_side = client_options();
  loop::Options server_side = server_options();
  client_side.config = CountedCalls::configured(ConfigBuilder::client(provider()), provider());
  server_side.config = CountedCalls::configured(ConfigBuilder::server(provider()), provider());
  const auto other = make_loop();
  End client;
  End server;
  connect(client, server, client_side, server_side);
  client.log->stream->move_to(*other);
  turn_until([&] {
    other->run_once(1ms);
    return client.log->moved && client.log->handshake && server.log->handshake;
  });
}

TEST_P(LoopTlsTest, HandsOverKeyLogLines) {
  End client;
  End server;
  std::vector<std::string> lines;
  loop::Options options = client_options();
  options.config = built(client_config().key_log(true));
  options.key_log = [&](std::string_view line) { lines.emplace_back(line); };
  connect(client, server, options, server_options());
  turn_until([&] { return client.log->handshake; });
  EXPECT_THAT(lines, Contains(StartsWith("CLIENT_TRAFFIC_SECRET_0 ")));
}

TEST_P(LoopTlsTest, LogsKeysOfFailedHandshakesAlone) {
  for (const bool fails : {false, true}) {
    End client;
    End server;
    std::vector<std::string> lines;
    std::vector<std::string> mine;
    client.handler->on_event_do = [&](loop::Stream& stream, Event& event) {
      if (const auto* secret = std::get_if<SecretLogged>(&event); secret != nullptr && &stream == client.log->stream)
        mine.push_back(key_log_line(*secret));
      return false;
    };
    loop::Options options = client_options();
    options.config = built(client_config().key_log(true));
    options.key_log = [&](std::string_view line) { lines.emplace_back(line); };
    options.key_log_of = KeyLogOf::failed_handshakes;
    if (fails) options.answers = setup_of({.provider = provider()});
    connect(client, server, options, server_options());
    turn_until([&] { return client.log->handshake || client.log->closed; });
    EXPECT_EQ(client.log->closed, fails);
    EXPECT_EQ(lines, fails ? mine : std::vector<std::string>());
    EXPECT_THAT(mine, Contains(StartsWith("SERVER_HANDSHAKE_TRAFFIC_SECRET ")));
  }
}

// --- alerts, truncation, resets: as over blocking sockets ------------------------------------------------------------

TEST_P(LoopTlsTest, ErrorsNameTheCheckThatFailed) {
  End client;
  End server;
  auto [a, b] = socket_pair();
  wrap_server(std::move(b), server);
  must(loop_->wrap(std::move(a), client_options(), std::move(client.handler), {.name = dns("other.example")}));
  turn_until([&] { return client.log->closed && server.log->closed; });
  ASSERT_TRUE(client.log->error && client.log->error->tls);
  EXPECT_EQ(client.log->error->operation, Operation::handshake);
  EXPECT_EQ(client.log->error->tls->origin, Origin::local);
  EXPECT_THAT(client.log->error->text, StartsWith("handshake with other.example: "));
  EXPECT_THAT(client.log->error->text, HasSubstr("name"));
  ASSERT_TRUE(server.log->error && server.log->error->tls);
  EXPECT_EQ(server.log->error->tls->origin, Origin::peer);
  EXPECT_EQ(server.log->error->tls->alert, client.log->error->tls->alert);
  EXPECT_EQ(loop_->statistics().failures, 2U);
}

TEST_P(LoopTlsTest, TellsATruncationFromAnEnd) {
  End client;
  End server;
  connect(client, server);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  EXPECT_EQ(client.log->stream->write(as_bytes("half a mess")), 11U);
  turn_until([&] { return client.log->stream->write_pending() == 0; });
  ASSERT_EQ(::shutdown(client.log->stream->descriptor(), SHUT_WR), 0);
  turn_until([&] { return server.log->closed; });
  EXPECT_EQ(server.log->received, "half a mess");
  ASSERT_TRUE(server.log->error && server.log->error->tls);
  EXPECT_EQ(server.log->error->tls->reason, Reason::truncated);
  EXPECT_EQ(server.log->error->operation, Operation::read);
  EXPECT_FALSE(server.log->ended);
}

TEST_P(LoopTlsTest, EndsWhenThePeerEndsBeforeTheHandshake) {
  auto [a, b] = socket_pair();
  End server;
  wrap_server(std::move(b), server);
  a.reset();
  turn_until([&] { return server.log->closed; });
  EXPECT_EQ(server.log->error->operation, Operation::handshake);
  EXPECT_EQ(server.log->error->condition, IoCondition::ended);
}

TEST_P(LoopTlsTest, ReportsAReset) {
  for (const bool waiting : {false, true}) {
    auto log = std::make_shared<Log>();
    const auto listener = must(loop_->listen("127.0.0.1", 0, server_options(), [&](loop::Stream&) {
      auto scribe = std::make_unique<Scribe>(log);
      // With unread bytes: they are not lost on a peer that resets.
      if (waiting) scribe->on_readable_do = [](loop::Stream&) {};
      return scribe;
    }));
    End client;
    auto client_log = client.log;
    must(loop_->dial("127.0.0.1", listener.address().port, client_options(), std::move(client.handler),
                     {.name = dns("example.com")}));
    turn_until([&] { return client_log->handshake && log->handshake; });
    EXPECT_EQ(client_log->stream->write(as_bytes("before")), 6U);
    turn_until([&] { return log->readable > 0; });
    const linger now{.l_onoff = 1, .l_linger = 0};
    ASSERT_EQ(::setsockopt(client_log->stream->descriptor(), SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    client_log->stream->pause_reading(true);
    turn_for(20ms);
    const int gone = client_log->stream->descriptor();
    // As if the process had died.
    sockaddr any{};
    any.sa_family = AF_UNSPEC;
    ASSERT_EQ(::connect(gone, &any, sizeof any), 0);
    if (waiting) {
      turn_for(50ms);
      EXPECT_FALSE(log->closed);
      EXPECT_EQ(as_text(log->stream->readable()), "before");
      log->stream->consume(6);
    }
    turn_until([&] { return log->closed; });
    ASSERT_TRUE(log->error);
    EXPECT_EQ(log->error->operation, Operation::read) << log->error->text;
    EXPECT_EQ(log->error->number, ECONNRESET) << log->error->text;
    if (client_log->stream != nullptr) client_log->stream->cancel();
    loop_->unlisten(listener);
    turn_until([&] { return loop_->statistics().streams == 0; });
  }
}

TEST_P(LoopTlsTest, RaisesNoSignalWhenThePeerIsGone) {
  auto [a, b] = socket_pair();
  End client;
  End server;
  wrap_server(std::move(b), server);
  wrap_client(std::move(a), client);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  turn_for(20ms);
  client.log->stream->pause_reading(true);
  turn_for(20ms);
  ASSERT_EQ(::shutdown(server.log->stream->descriptor(), SHUT_RDWR), 0);
  (void)client.log->stream->write(as_bytes(pattern(100'000)));
  turn_until([&] { return client.log->closed; });
  ASSERT_TRUE(client.log->error);
  EXPECT_EQ(client.log->error->operation, Operation::write) << client.log->error->text;
  EXPECT_EQ(client.log->error->number, EPIPE);
}

TEST_P(LoopTlsTest, ReportsTheAlertBehindAFailedWrite) {
  // The server refuses the client and closes; the client learns why although it only writes.
  loop::Options server_side = server_options();
  server_side.config = built(server_config().client_auth(ClientAuth::require));
  server_side.linger = 0ms;
  End client;
  End server;
  client.handler->on_handshake_do = client.handler->on_writable_do = Writer(pattern(3'000'000));
  connect(client, server, client_options(), server_side);
  turn_until([&] { return client.log->closed && server.log->closed; });
  ASSERT_TRUE(client.log->error && client.log->error->tls) << client.log->error->text;
  EXPECT_EQ(client.log->error->tls->alert, Alert::certificate_required);
}

TEST_P(LoopTlsTest, RecognisesPlainHttp) {
  auto [a, b] = socket_pair();
  End server;
  wrap_server(std::move(b), server);
  const std::string_view request = "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";
  ASSERT_EQ(::send(a.number(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  turn_until([&] { return server.log->closed; });
  ASSERT_TRUE(server.log->error && server.log->error->tls);
  EXPECT_THAT(server.log->error->text, HasSubstr("HTTP"));
}

// --- handlers that do everything from everywhere ---------------------------------------------------------------------

/// From every callback: close, cancel, move to the same loop, half-close, write, all of them at once.
TEST_P(LoopTlsTest, SurvivesEveryCallFromEveryCallback) {
  using Call = std::function<void(loop::Stream&)>;
  const std::vector<std::pair<std::string, Call>> calls = {
      {"close", [](loop::Stream& stream) { stream.close(); }},
      {"cancel", [](loop::Stream& stream) { stream.cancel(); }},
      {"expire", [](loop::Stream& stream) { stream.expire(Operation::read); }},
      {"move", [](loop::Stream& stream) { stream.move_to(stream.loop()); }},
      {"close_write", [](loop::Stream& stream) { stream.close_write(); }},
      {"downgrade", [](loop::Stream& stream) { stream.downgrade(); }},
      {"write", [](loop::Stream& stream) { (void)stream.write(as_bytes(pattern(100'000))); }},
      {"update_keys", [](loop::Stream& stream) { (void)stream.update_keys(true); }},
      {"write_early", [](loop::Stream& stream) { (void)stream.write_early(as_bytes("x")); }},
      {"set_max_send_fragment", [](loop::Stream& stream) { (void)stream.set_max_send_fragment(100); }},
      {"start_tls", [this](loop::Stream& stream) { (void)stream.start_tls(server_options()); }},
      {"pause", [](loop::Stream& stream) { stream.pause_reading(true); }},
      {"write, close, read",
       [](loop::Stream& stream) {
         (void)stream.write(as_bytes("x"));
         stream.close();
         (void)stream.write(as_bytes("y"));
         stream.consume(stream.readable().size());
         stream.resume();
       }},
      {"cancel, move, close",
       [](loop::Stream& stream) {
         stream.cancel();
         stream.move_to(stream.loop());
         stream.close();
       }},
      {"move, cancel, write",
       [](loop::Stream& stream) {
         stream.move_to(stream.loop());
         stream.cancel();
         (void)stream.write(as_bytes("x"));
       }},
  };
  const std::vector<std::string> places = {"open",  "handshake", "readable", "writable", "end",
                                           "plain", "moved",     "drain",    "deadline", "event"};
  int scenes = 0;
  for (const auto& [name, call] : calls) {
    for (const std::string& place : places) {
      for (const bool client_calls : {true, false}) {
        SCOPED_TRACE(name + " in " + place);
        ++scenes;
        End client;
        End server = echo_end();
        Scribe& scribe = client_calls ? *client.handler : *server.handler;
        const auto log = client_calls ? client.log : server.log;
        int left = 3;
        const auto hook = [&](loop::Stream& stream) {
          if (left-- > 0) call(stream);
        };
        client.handler->on_handshake_do = [](loop::Stream& stream) { (void)stream.write(as_bytes(pattern(400'000))); };
        client.handler->on_writable_do = [](loop::Stream&) {};
        if (place == "open") scribe.on_open_do = hook;
        if (place == "handshake") scribe.on_handshake_do = hook;
        if (place == "readable") scribe.on_readable_do = hook;
        if (place == "writable") scribe.on_writable_do = hook;
        if (place == "end") scribe.on_end_do = hook;
        if (place == "drain") scribe.on_drain_do = hook;
        if (place == "plain") {
          scribe.on_plain_do = hook;
          scribe.on_end_do = [](loop::Stream& stream) { stream.downgrade(); };
        }
        if (place == "moved") {
          scribe.on_moved_do = hook;
          scribe.on_handshake_do = [](loop::Stream& stream) { stream.move_to(stream.loop()); };
        }
        if (place == "deadline") {
          scribe.on_deadline_do = [hook](loop::Stream& stream, Operation) { hook(stream); };
          scribe.on_handshake_do = [](loop::Stream& stream) {
            stream.set_read_deadline(std::chrono::steady_clock::now());
          };
        }
        if (place == "event") {
          scribe.on_event_do = [hook](loop::Stream& stream, Event&) {
            hook(stream);
            return false;
          };
        }
        connect(client, server);
        for (int i = 0; i < 20; ++i) loop_->run_once(1ms);
        for (const auto& end : {client.log, server.log}) {
          if (end->stream != nullptr && place == "plain") end->stream->downgrade();
        }
        if (place == "drain" && log->stream != nullptr)
          static_cast<Scribe&>(log->stream->handler()).on_drain(*log->stream);
        for (int i = 0; i < 5; ++i) loop_->run_once(1ms);
        // A peer that has begun TLS where we went back to plain text, and the like, is ended from here.
        for (const auto& end : {client.log, server.log}) {
          if (end->stream != nullptr) end->stream->cancel();
        }
        turn_until([&] { return client.log->closed && server.log->closed; });
        EXPECT_EQ(client.log->calls.back(), "closed");
        EXPECT_EQ(server.log->calls.back(), "closed");
      }
    }
  }
  std::printf("[ scenes  ] %d\n", scenes);
  turn_until([&] { return loop_->statistics().streams == 0; });
  EXPECT_EQ(loop_->statistics().buffers, kept_buffers());
  EXPECT_EQ(loop_->statistics().handshaking, 0U);
}

/// And in on_closed everything is too late.
TEST_P(LoopTlsTest, DoesNothingMoreInOnClosed) {
  class Late final : public loop::Handler {
   public:
    explicit Late(int& closed) : closed_(closed) {}
    void on_readable(loop::Stream&) override {}
    void on_moved(loop::Stream&) override { ADD_FAILURE() << "moved after on_closed"; }
    void on_closed(loop::Stream& stream, const IoError*) override {
      ++closed_;
      EXPECT_FALSE(stream.write(as_bytes("late")));
      stream.move_to(stream.loop());
      stream.cancel();
      stream.close();
      stream.close_write();
      stream.downgrade();
      stream.expire(Operation::write);
      stream.resume();
      EXPECT_TRUE(stream.readable().empty());
      EXPECT_FALSE(stream.update_keys(false));
    }

   private:
    int& closed_;
  };
  int closed = 0;
  for (const int way : {0, 1, 2, 3}) {
    auto [a, b] = socket_pair();
    const int raw = b.number();
    loop::Stream& stream = *must(
        loop_->wrap(std::move(a), client_options(), std::make_unique<Late>(closed), {.name = dns("example.com")}));
    if (way == 0) stream.close();
    if (way == 1) stream.cancel();
    if (way == 2) (void)::shutdown(raw, SHUT_RDWR);
    if (way == 3) (void)!::send(raw, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, 0);
    turn_until([&] { return closed == way + 1; });
  }
  turn_until([&] { return loop_->statistics().streams == 0; });
}

}  // namespace
}  // namespace lockstep::testing
