// What answers look up: ticket keys, pre-shared keys, and sessions under ids.
#include <algorithm>
#include <array>
#include <atomic>
#include <span>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lockstep/answers.hpp>

#include "support.hpp"
namespace lockstep::testing {
namespace {
// --- ticket keys -----------------------------------------------------------------------------------------------------

Session some_session() {
  Session session;
  session.suite = CipherSuite::tls_aes_128_gcm_sha256;
  session.secret = DigestSecret(std::size_t{32});
  for (std::uint8_t& byte : session.secret.writable()) byte = 7;
  session.issued_at = fixed_clock();
  session.lifetime = std::chrono::hours(1);
  session.authenticated_at = fixed_clock();
  session.name = dns("example.com");
  return session;
}

TEST(TicketKeyring, OpensWhatItSealedAlsoAfterRotation) {
  const auto keyring = TicketKeyring::create(provider(), random());
  ASSERT_NE(keyring, nullptr);
  const auto ticket = keyring->seal(some_session(), random());
  ASSERT_TRUE(ticket);
  ASSERT_TRUE(keyring->rotate(TicketKey::generate(random()).value()));
  const auto session = keyring->open(*ticket, fixed_clock());
  ASSERT_TRUE(session);
  EXPECT_EQ(session->name, dns("example.com"));
  EXPECT_TRUE(equal(session->secret.view(), some_session().secret.view()));
}

TEST(TicketKeyring, TakesNoKeysWithoutASecret) {
  const auto keyring = TicketKeyring::create(provider(), random());
  const auto ticket = keyring->seal(some_session(), random()).value();
  TicketKey given = TicketKey::generate(random()).value();
  ASSERT_TRUE(keyring->rotate(std::move(given)));
  EXPECT_EQ(keyring->rotate(std::move(given)).error(), TicketError::no_secret);
  EXPECT_EQ(keyring->add_previous(std::move(given)).error(), TicketError::no_secret);
  TicketKeys keys = TicketKeys::create(provider(), TicketKey::generate(random()).value()).value();
  const TicketKeyring own(std::move(keys));
  EXPECT_EQ(keyring->replace(std::move(keys)).error(), TicketError::no_secret);
  EXPECT_TRUE(keyring->open(ticket, fixed_clock())) << "what was there stays";
  EXPECT_EQ(TicketKeyring(std::move(keys)).seal(some_session(), random()).error(), TicketError::no_secret);
}

TEST(TicketKeyring, RefusesForgedAndForeignTickets) {
  const auto keyring = TicketKeyring::create(provider(), random());
  auto ticket = keyring->seal(some_session(), random()).value();
  ticket.back() ^= 1U;
  EXPECT_EQ(keyring->open(ticket, fixed_clock()).error(), TicketError::invalid);
  ticket.back() ^= 1U;
  EXPECT_EQ(TicketKeyring::create(provider(), random())->open(ticket, fixed_clock()).error(), TicketError::unknown_key);
  EXPECT_EQ(keyring->open(Bytes(ticket).first(5), fixed_clock()).error(), TicketError::malformed);
  EXPECT_FALSE(keyring->open({}, fixed_clock()));
}

std::vector<std::uint8_t> sealed(const TicketKeyring& keyring, Time now) {
  Session session = some_session();
  session.issued_at = now;
  return keyring.seal(session, random()).value();
}

/// What a ticket opens to at that time: "" or the name of an error.
std::string_view opens(const TicketKeyring& keyring, Bytes ticket, Time now) {
  const auto session = keyring.open(ticket, now);
  return session ? "" : name(session.error());
}

std::vector<std::string> names(const TicketKeyring& keyring) {
  std::vector<std::string> all;
  for (const TicketKey& key : keyring.keys()) all.emplace_back(as_text(key.name()));
  return all;
}

// Go's rule: a new key every day, of which each opens for seven.
TEST(TicketKeyring, RotatesByItself) {
  using std::chrono::days;
  using std::chrono::seconds;
  const auto keyring = TicketKeyring::create(provider(), random());
  const Time start = fixed_clock();
  const auto first = sealed(*keyring, start);
  const std::string key = names(*keyring).front();
  (void)sealed(*keyring, start + days(1) - seconds(1));
  EXPECT_EQ(names(*keyring), std::vector{key});
  for (int day = 1; day < 7; ++day) {
    (void)sealed(*keyring, start + days(day));
    EXPECT_EQ(names(*keyring).size(), static_cast<std::size_t>(day) + 1);
    EXPECT_EQ(opens(*keyring, first, start + days(day)), "") << day;
  }
  EXPECT_EQ(names(*keyring).back(), key);
  EXPECT_EQ(opens(*keyring, first, start + days(7) - seconds(1)), "");
  EXPECT_EQ(opens(*keyring, first, start + days(7)), "unknown_key");
  EXPECT_EQ(names(*keyring).size(), 6U) << "it is gone, although nothing was sealed";
  EXPECT_EQ(opens(*keyring, first, start), "unknown_key") << "for good";
}

TEST(TicketKeyring, BearsStepsOfTheClock) {
  using std::chrono::days;
  const auto keyring = TicketKeyring::create(provider(), random());
  const Time start = fixed_clock();
  const auto first = sealed(*keyring, start);
  // Back, and a while later: the key counts from there.
  EXPECT_EQ(opens(*keyring, first, start - days(400)), "");
  EXPECT_EQ(names(*keyring).size(), 1U);
  EXPECT_EQ(opens(*keyring, first, start - days(394)), "");
  EXPECT_EQ(opens(*keyring, first, start), "unknown_key");
  // Far ahead, and back again: what was sealed meanwhile opens, and the next day has its key.
  const auto ahead = sealed(*keyring, start + days(4000));
  EXPECT_EQ(opens(*keyring, ahead, start), "");
  (void)sealed(*keyring, start + days(1));
  EXPECT_EQ(names(*keyring).size(), 2U);
  EXPECT_EQ(opens(*keyring, ahead, start + days(7)), "unknown_key");
}

TEST(TicketKeyring, RotatesAsItIsTold) {
  using std::chrono::seconds;
  const auto keyring = TicketKeyring::create(provider(), random(), {.every = seconds(10), .life = seconds(25)});
  const auto first = sealed(*keyring, fixed_clock());
  const auto second = sealed(*keyring, fixed_clock() + seconds(10));
  EXPECT_NE(first[0], second[0]);
  EXPECT_EQ(opens(*keyring, first, fixed_clock() + seconds(24)), "");
  EXPECT_EQ(opens(*keyring, first, fixed_clock() + seconds(25)), "unknown_key");
  EXPECT_EQ(opens(*keyring, second, fixed_clock() + seconds(25)), "");
}

TEST(TicketKeyring, KeepsKeysThatItIsGiven) {
  const auto rotating = TicketKeyring::create(provider(), random());
  ASSERT_TRUE(rotating->replace(TicketKeys::create(provider(), TicketKey::generate(random()).value()).value()));
  const TicketKeyring given(TicketKeys::create(provider(), TicketKey::generate(random()).value()).value());
  for (const TicketKeyring* keyring : std::array<const TicketKeyring*, 2>{rotating.get(), &given}) {
    const auto ticket = sealed(*keyring, fixed_clock());
    for (const int day : {0, -400, 8, 4000}) {
      const Time now = fixed_clock() + std::chrono::days(day);
      (void)sealed(*keyring, now);
      EXPECT_EQ(opens(*keyring, ticket, now), "");
    }
    EXPECT_EQ(names(*keyring).size(), 1U);
  }
}

TEST(TicketKeyring, GivesItsKeysToServersElsewhere) {
  const auto keyring = TicketKeyring::create(provider(), random());
  const auto ticket = sealed(*keyring, fixed_clock());
  ASSERT_TRUE(keyring->rotate(TicketKey::generate(random()).value()));
  TicketKeys keys = TicketKeys::create(provider(), TicketKey::generate(random()).value()).value();
  ASSERT_TRUE(keys.assign(keyring->keys()));
  EXPECT_EQ(keys.size(), 2U);
  const TicketKeyring elsewhere(std::move(keys));
  EXPECT_EQ(names(elsewhere), names(*keyring));
  EXPECT_EQ(opens(elsewhere, ticket, fixed_clock()), "");
  EXPECT_EQ(opens(*keyring, sealed(elsewhere, fixed_clock()), fixed_clock()), "");
}

// A worker process changes keys; the others have them at once.
TEST(TicketKeyring, IsSharedWithProcessesThatAreForked) {
  const auto keyring = TicketKeyring::create(provider(), random());
  const auto before = sealed(*keyring, fixed_clock());
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  const Time tomorrow = fixed_clock() + std::chrono::days(1);
  if (child == 0) {
    const auto ticket = sealed(*keyring, tomorrow);
    const bool told = ::write(pipe[1], ticket.data(), ticket.size()) == static_cast<ssize_t>(ticket.size());
    ::_exit(told ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  std::vector<std::uint8_t> ticket(4096);
  const ssize_t size = ::read(pipe[0], ticket.data(), ticket.size());
  for (const int end : pipe) ::close(end);
  ASSERT_GT(size, 0);
  ticket.resize(static_cast<std::size_t>(size));
  EXPECT_EQ(opens(*keyring, ticket, tomorrow), "");
  EXPECT_EQ(opens(*keyring, before, tomorrow), "");
  const auto ours = sealed(*keyring, tomorrow);
  EXPECT_TRUE(
      std::ranges::equal(std::span(ours).first(TicketKey::kNameSize), std::span(ticket).first(TicketKey::kNameSize)))
      << "the worker has made the day's key";
}

TEST(TicketKeyring, RotatesUnderTheHandsOfOthers) {
  const auto keyring = TicketKeyring::create(provider(), random());
  std::atomic<bool> done{false};
  std::atomic<int> opened{0};
  std::atomic<int> refused{0};
  std::thread user([&] {
    while (!done || opened == 0) {
      const auto ticket = keyring->seal(some_session(), random());
      if (!ticket) continue;
      ++(keyring->open(*ticket, fixed_clock()) ? opened : refused);
    }
  });
  // At most kMaxKeys - 1 rotations fit between one sealing and its opening without the key being forgotten.
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(keyring->rotate(TicketKey::generate(random()).value()));
    std::this_thread::yield();
  }
  done = true;
  user.join();
  EXPECT_GT(opened, 0);
  RecordProperty("refused", refused);
}

// --- sessions under ids ----------------------------------------------------------------------------------------------

Session session_with_id(std::uint8_t id) {
  Session session = some_session();
  session.session_id.assign(32, id);
  return session;
}

std::optional<PreSharedKey> found_in(const PskTable& psks, std::string_view identity) {
  FindPsk question;
  question.identity = as_bytes(identity);
  return psks.find(question);
}

TEST(PskTable, FindsWhatWasAdded) {
  PskTable psks;
  EXPECT_FALSE(psks.select({}));
  EXPECT_TRUE(psks.add("b", as_bytes("key of b")));
  EXPECT_TRUE(psks.add("a", as_bytes("key of a")));
  EXPECT_FALSE(psks.add("a", as_bytes("another"))) << "it is there";
  EXPECT_FALSE(psks.add("c", {})) << "no key";
  EXPECT_FALSE(psks.add("c", std::vector<std::uint8_t>(kMaxPskSize + 1)));
  EXPECT_FALSE(psks.add(std::string(kMaxPskIdentity + 1, 'c'), as_bytes("key")));
  EXPECT_TRUE(psks.add(std::string(kMaxPskIdentity, 'c'), std::vector<std::uint8_t>(kMaxPskSize)));
  EXPECT_EQ(psks.size(), 3U);
  const auto found = found_in(psks, "a");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->identity, "a");
  EXPECT_EQ(as_text(found->key.view()), "key of a");
  ASSERT_TRUE(psks.select({}));
  EXPECT_EQ(psks.select({})->identity, "b") << "the first that was added";
  EXPECT_TRUE(psks.remove("b"));
  EXPECT_FALSE(psks.remove("b"));
  EXPECT_FALSE(found_in(psks, "b"));
  EXPECT_EQ(psks.select({})->identity, "a");
}

TEST(PskTable, ReadsLines) {
  PskTable psks;
  EXPECT_TRUE(psks.add_lines("# keys\r\n\r\nsensor:7:00fF10\r\n:01\nlast:AB"));
  EXPECT_EQ(psks.size(), 3U);
  const std::vector<std::uint8_t> key{0x00, 0xff, 0x10};
  ASSERT_TRUE(found_in(psks, "sensor:7"));
  EXPECT_TRUE(equal(found_in(psks, "sensor:7")->key.view(), key));
  EXPECT_TRUE(found_in(psks, ""));
  EXPECT_TRUE(found_in(psks, "last"));
  struct Case {
    std::string_view line;
    std::string_view says;
  };
  for (const Case& wrong : {Case{"a", "no colon"}, Case{"a:", "hexadecimal"}, Case{"a:0", "hexadecimal"},
                            Case{"a:0g", "hexadecimal"}, Case{"last:01", "there already"}}) {
    const auto added = psks.add_lines("\n" + std::string(wrong.line));
    ASSERT_FALSE(added) << wrong.line;
    EXPECT_EQ(added.error().line, 2U);
    EXPECT_THAT(added.error().text, ::testing::HasSubstr(std::string(wrong.says)));
  }
  EXPECT_FALSE(psks.add_lines("a:" + std::string(2 * kMaxPskSize + 2, '0')));
  EXPECT_FALSE(psks.add_lines(std::string(kMaxPskIdentity + 1, 'a') + ":00"));
  EXPECT_EQ(psks.size(), 3U);
}

// --- a client's sessions ---------------------------------------------------------------------------------------------

Session ticket_of(std::uint8_t number) {
  Session session = some_session();
  session.ticket = {number};
  return session;
}

/// The number in the ticket that is taken; -1 without one.
int taken(ClientSessionCache& cache, std::string_view key, Time now = fixed_clock()) {
  const auto session = cache.take(key, now);
  return session ? session->ticket.front() : -1;
}

TEST(LruClientSessionCache, GivesEachSessionOnceTheNewestFirst) {
  LruClientSessionCache cache(2, 2);
  for (std::uint8_t number = 1; number <= 3; ++number) cache.put("a", ticket_of(number));
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_EQ(taken(cache, "b"), -1);
  EXPECT_EQ(taken(cache, "a"), 3);
  EXPECT_EQ(taken(cache, "a"), 2);
  EXPECT_EQ(taken(cache, "a"), -1) << "two of one key";
  EXPECT_EQ(cache.size(), 0U);
}

TEST(LruClientSessionCache, LetsGoWhatWasUsedLongestAgo) {
  LruClientSessionCache cache(2);
  cache.put("a", ticket_of(1));
  cache.put("a", ticket_of(2));
  cache.put("b", ticket_of(3));
  EXPECT_EQ(taken(cache, "a"), 2);
  cache.put("c", ticket_of(4));
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_EQ(taken(cache, "b"), -1);
  EXPECT_EQ(taken(cache, "a"), 1);
  EXPECT_EQ(taken(cache, "c"), 4);

  cache.put("a", ticket_of(1));
  cache.forget("a");
  cache.forget("b");
  EXPECT_EQ(taken(cache, "a"), -1);
  for (const auto& [capacity, per_key] : {std::pair{0U, 1U}, std::pair{1U, 0U}}) {
    LruClientSessionCache none(capacity, per_key);
    none.put("a", ticket_of(1));
    EXPECT_EQ(none.size(), 0U);
  }
}

TEST(LruClientSessionCache, GivesNoneThatHasEndedNorOneOfTheFuture) {
  using std::chrono::hours;
  using std::chrono::seconds;
  LruClientSessionCache cache;
  for (const auto step : {hours(1), -hours(1), hours(24 * 400), -hours(24 * 400)}) {
    cache.put("a", ticket_of(1));
    EXPECT_EQ(taken(cache, "a", fixed_clock() + step), -1);
    EXPECT_EQ(cache.size(), 0U) << "it goes";
  }
  for (const seconds step : {seconds(3599), -kMaxClockSkew}) {
    cache.put("a", ticket_of(1));
    EXPECT_EQ(taken(cache, "a", fixed_clock() + step), 1);
  }
}

// Every way to be set up against every other, all with one cache.
TEST(ClientSessions, ComeBackOnlyWhereTheyWereMade) {
  const auto cache = std::make_shared<LruClientSessionCache>();
  const Authority root;
  const Authority other("CN=Other Root");
  const auto setup = [&](const Authority& trusted, std::vector<std::shared_ptr<const Credential>> credentials = {},
                         x509::Policy policy = {}) {
    return setup_of({.provider = provider(),
                     .credentials = std::move(credentials),
                     .anchors = trusted.anchors(),
                     .policy = policy,
                     .client_sessions = cache});
  };
  const auto shown = root.issue({.client = true});
  const auto shown_elsewhere = root.issue({.client = true});
  const auto usual = setup(root);
  const auto config = built(client_config());
  const auto only = [](ProtocolVersion version) { return built(client_config().versions(version, version)); };
  ClientConfigBuilder unverified = client_config();
  unverified.dangerous().skip_verification();

  struct Place {
    std::string_view what;
    std::shared_ptr<const AnswerSetup> setup;
    std::shared_ptr<const ClientConfig> config;
    x509::PeerName name = dns("example.com");
    std::optional<x509::PeerName> asked{};
    std::string_view host = "192.0.2.1";
    std::uint16_t port = 443;
  };
  const std::vector<Place> places{
      {"usual", usual, config},
      {"another name", usual, config, dns("example.org")},
      {"an address", usual, config, x509::PeerName::ip("192.0.2.1").value()},
      {"asked for by another name", usual, config, dns("example.com"), dns("front.example")},
      {"asked for by none", usual, config, dns("example.com"), x509::NoNameCheck{}},
      {"nobody by name", usual, config, x509::NoNameCheck{}},
      {"nobody by name elsewhere", usual, config, x509::NoNameCheck{}, {}, "192.0.2.2"},
      {"another port", usual, config, dns("example.com"), {}, "192.0.2.1", 8443},
      {"a Unix socket", usual, config, dns("example.com"), {}, "/run/a", 0},
      {"another Unix socket", usual, config, dns("example.com"), {}, "/run/b", 0},
      {"TLS 1.2", usual, only(ProtocolVersion::tls_1_2)},
      {"TLS 1.3", usual, only(ProtocolVersion::tls_1_3)},
      {"unverified", usual, built(unverified)},
      {"other schemes", usual, built(client_config().schemes({SignatureScheme::ed25519}))},
      {"a context", usual, built(client_config().session_context({'a'}))},
      {"another context", usual, built(client_config().session_context({'b'}))},
      {"other anchors", setup(other), config},
      {"another policy", setup(root, {}, {.min_rsa_bits = 4096}), config},
      {"a certificate", setup(root, {shown}), config},
      {"another certificate", setup(root, {shown_elsewhere}), config},
      {"both", setup(root, {shown, shown_elsewhere}), config},
      {"both, the other first", setup(root, {shown_elsewhere, shown}), config},
  };
  const auto of = [](const Place& place) {
    return place.setup->client_sessions(*place.config, {.name = place.name, .server_name = place.asked}, place.host,
                                        place.port);
  };
  for (const Place& made : places) {
    of(made).received(some_session());
    for (const Place& used : places) {
      if (&used == &made) continue;
      EXPECT_FALSE(of(used).take(fixed_clock())) << made.what << " / " << used.what;
    }
    EXPECT_TRUE(of(made).take(fixed_clock())) << made.what;
  }

  // What is set up alike is the same place, wherever the name has led.
  of(places.front()).received(some_session());
  EXPECT_TRUE(
      of({"again", setup(root), built(client_config()), dns("EXAMPLE.com."), {}, "2001:db8::1"}).take(fixed_clock()));
}

TEST(ClientSessions, AreHandedOnByTheApplicationWithoutACache) {
  const auto given = [](const AnswerOptions& options, ClientConfigBuilder config, std::span<Session> offered) {
    const auto setup = setup_of(options);
    ClientSessions sessions =
        setup->client_sessions(*built(config), {.name = dns("example.com"), .sessions = offered}, "192.0.2.1", 443);
    for (int i = 0; i < 17; ++i) sessions.received(some_session());
    EXPECT_FALSE(sessions.take(fixed_clock()));
    EXPECT_EQ(sessions.given(fixed_clock()).size(), ClientSessions::kMaxGiven);
    return sessions.given(fixed_clock()).size();
  };
  std::array<Session, 1> one{some_session()};
  EXPECT_EQ(given({.provider = provider()}, client_config(), one), 0U);
  EXPECT_EQ(given({.provider = provider(), .client_sessions = nullptr}, client_config(), {}), 0U);
  EXPECT_EQ(given({.provider = provider(), .psks = std::make_shared<PskTable>()}, client_config(), {}), 0U);
  EXPECT_EQ(given({.provider = provider()}, client_config().resumption(false), {}), 0U);
}

// --- a server's sessions ---------------------------------------------------------------------------------------------

TEST(SessionStore, LetsGoWhatWasUsedLongestAgo) {
  SessionStore store(2);
  const auto has = [&](std::uint8_t id) { return store.find(session_with_id(id).session_id).has_value(); };
  EXPECT_TRUE(store.put(session_with_id(1)));
  EXPECT_TRUE(store.put(session_with_id(2)));
  EXPECT_TRUE(has(1));
  EXPECT_TRUE(store.put(session_with_id(3)));
  EXPECT_EQ(store.size(), 2U);
  EXPECT_FALSE(has(2));
  EXPECT_TRUE(has(1));
  EXPECT_TRUE(has(3));

  Session again = session_with_id(1);
  again.alpn = "h2";
  EXPECT_TRUE(store.put(std::move(again)));
  EXPECT_EQ(store.size(), 2U);
  EXPECT_EQ(store.find(session_with_id(1).session_id)->alpn, "h2");
  EXPECT_TRUE(has(3));

  EXPECT_TRUE(store.forget(session_with_id(3).session_id));
  EXPECT_FALSE(store.forget(session_with_id(3).session_id));
  EXPECT_FALSE(has(3));
  EXPECT_EQ(store.size(), 1U);
}

TEST(SessionStore, LetsGoWhatHasEnded) {
  SessionStore store;
  const auto later = [](std::uint8_t id, std::chrono::seconds by) {
    Session session = session_with_id(id);
    session.issued_at += by;
    session.authenticated_at += by;
    return session;
  };
  EXPECT_TRUE(store.put(later(1, std::chrono::seconds(0))));
  EXPECT_TRUE(store.put(later(2, std::chrono::minutes(30))));
  EXPECT_EQ(store.size(), 2U);
  EXPECT_TRUE(store.put(later(3, std::chrono::hours(1))));
  EXPECT_EQ(store.size(), 2U) << "the first";
  EXPECT_FALSE(store.find(session_with_id(1).session_id));
  // The clock was set back: what is of the future now goes as well.
  EXPECT_TRUE(store.put(later(4, -std::chrono::hours(1))));
  EXPECT_EQ(store.size(), 1U);
}

TEST(SessionStore, KeepsNothingThatIsTooLongOrNameless) {
  SessionStore store;
  EXPECT_FALSE(store.put(some_session()));
  Session long_one = session_with_id(1);
  long_one.identity.resize(SessionStore::kMaxSession);
  EXPECT_FALSE(store.put(std::move(long_one)));
  EXPECT_EQ(store.size(), 0U);
  EXPECT_FALSE(SessionStore(0).put(session_with_id(1)));
}
}  // namespace
}  // namespace lockstep::testing
