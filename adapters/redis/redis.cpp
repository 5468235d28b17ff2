#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <lockstep/redis.hpp>

#include "redis/link.hpp"

namespace lockstep::redis {

namespace {

constexpr std::chrono::milliseconds kLongestTimeout{60'000};
constexpr std::chrono::seconds kLongestWindow{604'800};  // no ticket lives longer

/// A ticket that names a session: for which version, in one byte, and what is as hard to guess as a key. The version is
/// part of the session's key, so that nobody finds a session that is used once without taking it out.
constexpr std::size_t kNameSize = 1 + 32;
constexpr std::uint8_t kTls12 = 2;
constexpr std::uint8_t kTls13 = 3;

/// ReplayGuard's rules, by the clock and in the memory of Redis. KEYS: the ticket's, and the guard's state. ARGV: for
/// how long tickets are remembered, and nothing is a first time in a memory that is empty; in milliseconds. Gives
/// Redis's time for a first time, else 0.
constexpr std::string_view kFirstTime = R"(
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local state = redis.call('HMGET', KEYS[2], 'latest', 'silent_until')
local latest = tonumber(state[1] or now)
local silent_until = tonumber(state[2] or now + ARGV[2])
if now + 1000 < latest then silent_until = math.max(silent_until, latest + ARGV[1]) end
redis.call('HSET', KEYS[2], 'latest', string.format('%.0f', math.max(latest, now)),
           'silent_until', string.format('%.0f', silent_until))
if redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[1]) and now >= silent_until then return now end
return 0
)";

std::string hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

bool is(const redisReply* reply, int type) noexcept { return reply != nullptr && reply->type == type; }

Bytes bytes_of(const redisReply& reply) noexcept { return as_bytes({reply.str, static_cast<std::size_t>(reply.len)}); }

std::vector<ConfigProblem> problems_of(const ServerConfig& config, const AnswerSetup* setup, const Options& options) {
  std::vector<ConfigProblem> problems;
  const auto problem = [&](std::string_view setting, std::string text) {
    problems.push_back({.setting = std::string(setting), .text = std::move(text)});
  };
  if (setup == nullptr || setup->options().ticket_keys == nullptr)
    problem("ticket_keys",
            "are missing, which sessions are sealed with before Redis gets them; all servers need the same");
  if (setup != nullptr && setup->options().provider.hash(HashAlgorithm::sha256) == nullptr)
    problem("provider", "has no SHA-256, which tickets are remembered by; compose it with one that has");
  if (options.timeout.count() < 1 || options.timeout > kLongestTimeout)
    problem("timeout", "is out of bounds; choose 1 millisecond to a minute");
  if (options.retry.count() < 1 || options.longest_retry < options.retry)
    problem("retry", "is out of bounds; choose a millisecond or more, and longest_retry no less than that");
  if (options.max_pending == 0) problem("max_pending", "is 0, so that nothing is ever asked");
  const std::chrono::seconds tolerance{config.settings().early_data_tolerance};
  if (options.window < 2 * (tolerance + kMaxClockSkew) || options.window > kLongestWindow)
    problem("window", "is out of bounds; choose twice the sum of early data's tolerance and 10 seconds, to 7 days");
  if (options.config != nullptr && (options.config->role() != Role::client || !options.name))
    problem("config", "is for TLS to Redis: a client's, with the name that it expects");
  return problems;
}

}  // namespace

struct Store::State {
  State(loop::Loop& loop, const ServerConfig& config, std::shared_ptr<const AnswerSetup> answers, Options wishes)
      : setup(std::move(answers)),
        options(std::move(wishes)),
        hash(*setup->options().provider.hash(HashAlgorithm::sha256)),
        base(options.prefix + hex(config.session_context(setup->verification())) + ":"),
        link(std::make_shared<Link>(loop, options)) {}

  [[nodiscard]] const TicketKeyring& keys() const noexcept { return *setup->options().ticket_keys; }
  [[nodiscard]] Statistics& statistics() const noexcept { return link->statistics(); }
  [[nodiscard]] std::string key(std::string_view kind, Bytes name) const {
    return base + std::string(kind) + ":" + hex(name);
  }
  /// Where the session of a ticket, or of an id, is; empty for what was never a name of ours.
  [[nodiscard]] std::string key_of(Bytes name, bool session_id) const {
    if (session_id) return key("id", name);
    if (name.size() != kNameSize) return {};
    if (name[0] == kTls13) return key("once", name);
    return name[0] == kTls12 ? key("ticket", name) : std::string();
  }

  std::shared_ptr<const AnswerSetup> setup;
  Options options;
  const Hash& hash;
  std::string base;
  SystemRandom random;
  std::shared_ptr<Link> link;
};

Store::Store(loop::Loop& loop, const ServerConfig& config, std::shared_ptr<const AnswerSetup> setup, Options options)
    : state_(std::make_shared<State>(loop, config, std::move(setup), std::move(options))) {}

Store::~Store() { state_->link->stop(); }

std::expected<std::shared_ptr<Store>, std::vector<ConfigProblem>> Store::create(
    loop::Loop& loop, const ServerConfig& config, std::shared_ptr<const AnswerSetup> setup, Options options) {
  if (auto problems = problems_of(config, setup.get(), options); !problems.empty())
    return std::unexpected(std::move(problems));
  std::shared_ptr<Store> store(new Store(loop, config, std::move(setup), std::move(options)));
  store->state_->link->start();
  return store;
}

Statistics Store::statistics() const noexcept { return state_->statistics(); }

// --- a stream's questions --------------------------------------------------------------------------------------------

/// Lives on in what is asked.
struct Sessions::State : std::enable_shared_from_this<State> {
  explicit State(std::shared_ptr<Store::State> kept) : store(std::move(kept)) {}

  void open(loop::Stream& stream, OpenTicket& question);
  [[nodiscard]] std::optional<Session> opened(const redisReply* reply, Time now);
  void seal(loop::Stream& stream, SealTicket& question);
  void accept_early_data(loop::Stream& stream, AcceptEarlyData& question);
  void settle(const HandshakeComplete& complete);
  void settle(const Failed& failed);
  void put_back();
  void forget_all() noexcept {
    key.clear();
    taken.clear();
  }

  std::shared_ptr<Store::State> store;
  std::string key;               // of the session in Redis that is this connection's
  std::string taken;             // what was taken out there, sealed
  std::chrono::seconds left{0};  // of its life
};

Sessions::Sessions(std::shared_ptr<Store> store)
    : store_(std::move(store)), state_(std::make_shared<State>(store_->state_)) {}
Sessions::Sessions(Sessions&&) noexcept = default;
Sessions& Sessions::operator=(Sessions&&) noexcept = default;
Sessions::~Sessions() = default;

bool Sessions::take(loop::Stream& stream, Event& event) {
  const Store::State& store = *state_->store;
  // A link belongs to one thread.
  if (&stream.loop() != &store.link->loop()) return false;
  if (auto* early = std::get_if<AcceptEarlyData>(&event)) {
    state_->accept_early_data(stream, *early);
    return true;
  }
  if (!store.options.sessions) return false;
  if (auto* open = std::get_if<OpenTicket>(&event)) {
    state_->open(stream, *open);
    return true;
  }
  if (auto* seal = std::get_if<SealTicket>(&event)) {
    state_->seal(stream, *seal);
    return true;
  }
  if (const auto* complete = std::get_if<HandshakeComplete>(&event)) state_->settle(*complete);
  if (const auto* failed = std::get_if<Failed>(&event)) state_->settle(*failed);
  return false;
}

// Questions are answered in the stream's own time, wherever it is by then.

void Sessions::State::open(loop::Stream& stream, OpenTicket& question) {
  put_back();  // the client has offered several
  const std::string asked = store->key_of(question.ticket, question.session_id);
  if (asked.empty() || !store->link->answers()) return (void)stream.answer(std::move(question.token), TicketDeclined{});
  const bool once = !question.session_id && question.ticket[0] == kTls13;
  store->link->ask(std::array<std::string_view, 2>{once ? "GETDEL" : "GET", asked},
                   [self = shared_from_this(), asked, once, now = question.now, stream = stream.ref(),
                    token = std::move(question.token)](const redisReply* reply) mutable {
                     auto session = self->opened(reply, now);
                     if (session) {
                       self->key = asked;
                       if (once) self->taken = as_text(bytes_of(*reply));
                       self->left =
                           std::chrono::floor<std::chrono::seconds>(session->issued_at + session->lifetime - now);
                     }
                     stream.post([token = std::move(token), session = std::move(session)](loop::Stream& there) mutable {
                       if (session) {
                         (void)there.answer(std::move(token), std::move(*session));
                       } else {
                         (void)there.answer(std::move(token), TicketDeclined{});
                       }
                     });
                   });
}

std::optional<Session> Sessions::State::opened(const redisReply* reply, Time now) {
  if (!is(reply, REDIS_REPLY_STRING)) return std::nullopt;
  auto session = store->keys().open(bytes_of(*reply), now);
  if (!session) return std::nullopt;
  ++store->statistics().found;
  return std::move(*session);
}

void Sessions::State::seal(loop::Stream& stream, SealTicket& question) {
  Session& session = question.session;
  const auto decline = [&] { (void)stream.answer(std::move(question.token), TicketDeclined{}); };
  const bool with_id = !session.session_id.empty();
  const bool once = session.version == ProtocolVersion::tls_1_3;
  std::vector<std::uint8_t> name = session.session_id;
  if (!with_id) {
    name.resize(kNameSize, once ? kTls13 : kTls12);
    if (!store->random.fill(std::span(name).subspan(1))) return decline();
  }
  if (session.lifetime.count() <= 0 || session.serialized_size() > SessionStore::kMaxSession || !store->link->answers())
    return decline();
  const auto sealed = store->keys().seal(session, store->random);
  if (!sealed) return decline();
  const std::string asked = store->key_of(name, with_id);
  const std::string life = std::to_string(session.lifetime.count());
  if (!once) key = asked;
  store->link->ask(std::array<std::string_view, 5>{"SET", asked, as_text(*sealed), "EX", life},
                   [self = shared_from_this(), name = std::move(name), stream = stream.ref(),
                    token = std::move(question.token)](const redisReply* reply) mutable {
                     const bool kept = is(reply, REDIS_REPLY_STATUS);
                     if (kept) ++self->store->statistics().kept;
                     stream.post([token = std::move(token), name = std::move(name), kept](loop::Stream& there) mutable {
                       if (kept) {
                         (void)there.answer(std::move(token), Bytes(name));
                       } else {
                         (void)there.answer(std::move(token), TicketDeclined{});
                       }
                     });
                   });
}

void Sessions::State::accept_early_data(loop::Stream& stream, AcceptEarlyData& question) {
  const Options& options = store->options;
  std::array<std::uint8_t, 32> digest;
  // RFC 9846 8.2: "they MUST respond to apparent replay by rejecting 0-RTT but MUST NOT abort the handshake." So is
  // what nobody can tell from a replay.
  if (options.window < 2 * (question.age_tolerance + kMaxClockSkew) || !store->link->answers() ||
      !store->hash.hmac(as_bytes(store->base), {&question.ticket, 1}, digest))
    return (void)stream.answer(std::move(question.token), EarlyDataDeclined{});
  // What another Redis, or this one before it fell, has remembered may be lost.
  const bool remembers = options.durable || store->link->stands_for(options.window);
  // The clocks of those who ask are one second apart, as ReplayGuard's.
  const std::string window =
      std::to_string(std::chrono::milliseconds(options.window + std::chrono::seconds(1)).count());
  const std::string silence = options.durable ? "0" : window;
  const std::string ticket = store->key("early", digest);
  const std::string state = store->key("early-data", {});
  store->link->ask(std::array<std::string_view, 7>{"EVAL", kFirstTime, "2", ticket, state, window, silence},
                   [self = shared_from_this(), remembers, now = question.now, stream = stream.ref(),
                    token = std::move(question.token)](const redisReply* reply) mutable {
                     // Redis counts by its own clock, and the engine judged how old this is by ours.
                     const bool first =
                         remembers && is(reply, REDIS_REPLY_INTEGER) && reply->integer > 0 &&
                         std::chrono::abs(now - Time(std::chrono::milliseconds(reply->integer))) <= kMaxClockSkew;
                     if (first) ++self->store->statistics().first_times;
                     stream.post([token = std::move(token), first](loop::Stream& there) mutable {
                       if (first) {
                         (void)there.answer(std::move(token), EarlyDataAccepted{});
                       } else {
                         (void)there.answer(std::move(token), EarlyDataDeclined{});
                       }
                     });
                   });
}

void Sessions::State::settle(const HandshakeComplete& complete) {
  if (taken.empty()) return;
  if (!complete.resumed) put_back();
  forget_all();
}

void Sessions::State::settle(const Failed& failed) {
  if (taken.empty()) {
    // RFC 5246 7.2.2: "Servers and clients MUST forget any session-identifiers, keys, and secrets associated with a
    // failed connection."
    if (!key.empty()) store->link->tell({"DEL", key});
  } else if (failed.error.reason == Reason::psk_binder) {
    // Whoever offers a ticket and cannot prove to hold its session takes it from nobody.
    put_back();
  }
  forget_all();
}

void Sessions::State::put_back() {
  if (!taken.empty() && left.count() > 0) store->link->tell({"SET", key, taken, "EX", std::to_string(left.count())});
  if (!taken.empty()) forget_all();
}

}  // namespace lockstep::redis
