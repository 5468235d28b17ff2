// A scene from its beginning to its end, and what has to hold.

#include "callers/scene.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

#include <lockstep/epoll.hpp>
#include <lockstep/fake.hpp>
#if LOCKSTEP_HAS_URING
#include <lockstep/uring.hpp>
#endif

namespace lockstep::callers {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kNowSeconds = 1'780'272'000;
constexpr std::int64_t kDay = 86'400;
Time fixed_clock() noexcept { return Time(std::chrono::seconds(kNowSeconds)); }

/// A deadline is met in the first turn behind its tick, which is 8 ms long.
constexpr auto kTick = 9ms;

thread_local const loop::Loop* running = nullptr;
thread_local fake::FakeRandom random_bytes(1);

class ThreadRandom final : public RandomSource {
 public:
  [[nodiscard]] bool fill(MutableBytes out) noexcept override { return random_bytes.fill(out); }
};
ThreadRandom thread_random;

template <class T>
T must(IoResult<T> result) {
  if (!result) throw std::runtime_error(result.error().text);
  return std::move(*result);
}

}  // namespace

std::vector<Pairing> pairings() {
  return {
      {"epoll-epoll", epoll::make_loop, epoll::make_loop},
#if LOCKSTEP_HAS_URING
      {"epoll-uring", epoll::make_loop, uring::make_loop},
      {"uring-epoll", uring::make_loop, epoll::make_loop},
      {"uring-uring", uring::make_loop, uring::make_loop},
#endif
  };
}

Stage::Stage() {
  const Provider provider = fake::provider();
  fake::FakeRandom random(7);
  const auto key = [&] {
    const KeyLoader* loader = provider.key_loader(KeyType::ec_p256);
    return loader->load(loader->generate(KeyType::ec_p256, 0, random).value()).value();
  };
  const auto root_key = key();
  const auto root = x509::CertificateBuilder("CN=root")
                        .ca()
                        .validity(kNowSeconds - 100 * kDay, kNowSeconds + 100 * kDay)
                        .self_signed(provider, *root_key, random)
                        .value();
  auto leaf_key = key();
  x509::CertificateBuilder leaf("CN=leaf");
  leaf.dns("example.com").server().validity(kNowSeconds - kDay, kNowSeconds + kDay);
  auto der = leaf.issued_by(provider, root, *root_key, leaf_key->subject_public_key_info(), random).value();
  std::vector<std::vector<std::uint8_t>> chain;
  chain.push_back(std::move(der));
  credential = make_credential(std::move(chain), std::move(leaf_key));
  auto anchors = std::make_shared<x509::TrustAnchors>();
  (void)anchors->add(root).value();
  client_answers =
      AnswerSetup::create(
          {.provider = provider, .anchors = std::move(anchors), .dangerous = {.allow_insecure_provider = true}})
          .value();
  server_answers = AnswerSetup::create({.provider = provider, .credentials = {credential}}).value();
  // A connection more than fit: whoever connects then waits.
  full = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (::bind(full.number(), plain, size) != 0 || ::listen(full.number(), 0) != 0 ||
      ::getsockname(full.number(), plain, &size) != 0)
    throw std::runtime_error("a listener");
  full_port = ntohs(address.sin_port);
  for (int i = 0; i < 3; ++i) {
    filling.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)::connect(filling.back().number(), plain, size);
  }
  client = ConfigBuilder::client(provider)
               .groups({NamedGroup::x25519})
               .dangerous()
               .allow_insecure_provider()
               .build()
               .value();
  server = ConfigBuilder::server(provider).tickets(0).dangerous().allow_insecure_provider().build().value();
}

Scene::Scene(const Stage& stage, std::uint64_t seed, bool threads, bool verbose)
    : stage_(stage), dice_(seed), threads_(threads), verbose_(verbose), wildness_(2 + dice_.below(30)) {
  const auto all = pairings();
  pairing_ = all[seed % all.size()];
  random_bytes = fake::FakeRandom(seed);
}

// --- for the handlers ------------------------------------------------------------------------------------------------

void Scene::broken(const End& end, std::string_view what) {
  note(end, "BROKEN: " + std::string(what));
  const std::scoped_lock lock(mutex_);
  if (played_.broken.empty()) played_.broken = std::string(what);
}

void Scene::note(const End& end, std::string_view what) {
  if (!verbose_) return;
  const std::scoped_lock lock(mutex_);
  played_.log += std::to_string(end.number) + (running == loops_[0].get() ? " a " : " b ") + std::string(what) + "\n";
}

void Scene::count(std::uint64_t Played::* what, std::uint64_t times) {
  const std::scoped_lock lock(mutex_);
  played_.*what += times;
}

loop::Loop& Scene::other_than(const loop::Loop& loop) noexcept {
  return &loop == loops_[0].get() ? *loops_[1] : *loops_[0];
}

std::size_t Scene::index_of(const loop::Loop& loop) const noexcept { return &loop == loops_[0].get() ? 0 : 1; }

End* Scene::neighbour(const loop::Loop& loop, Dice& dice) {
  auto& here = here_[index_of(loop)];
  return here.empty() ? nullptr : here[dice.below(here.size())];
}

void Scene::enter(End& end, loop::Stream& stream) {
  end.stream = &stream;
  auto& here = here_[index_of(stream.loop())];
  if (std::ranges::find(here, &end) == here.end()) here.push_back(&end);
}

void Scene::leave(End& end, const loop::Loop& loop) { std::erase(here_[index_of(loop)], &end); }

bool Scene::runs(const loop::Loop& loop) noexcept { return running == &loop; }

loop::Options Scene::options(const End& end, Dice& dice) const {
  loop::Options options;
  if (end.client) {
    options.config = stage_.client;
    options.answers = stage_.client_answers;
  } else {
    options.config = stage_.server;
    options.answers = stage_.server_answers;
  }
  options.random = &thread_random;
  options.clock = fixed_clock;
  options.connect_timeout = std::chrono::milliseconds(20 + dice.below(60));
  options.handshake_timeout = std::chrono::milliseconds(60 + dice.below(100));
  options.idle_timeout = std::chrono::milliseconds(40 + dice.below(40));
  options.write_timeout = std::chrono::milliseconds(40 + dice.below(40));
  options.linger = std::chrono::milliseconds(dice.below(20));
  options.linger_most = std::chrono::milliseconds(30 + dice.below(40));
  constexpr std::array<std::size_t, 4> kReads{1, 3000, 20'000, 65'536};
  constexpr std::array<std::size_t, 4> kWrites{1, 1000, 20'000, 262'144};
  options.read_high = kReads[dice.below(kReads.size())];
  options.read_low = options.read_high / 4;
  options.write_high = kWrites[dice.below(kWrites.size())];
  options.write_low = options.write_high / 4;
  return options;
}

// --- beginning -------------------------------------------------------------------------------------------------------

void Scene::begin_pair(std::size_t number) {
  End& client = ends_[2 * number];
  End& server = ends_[2 * number + 1];
  const auto kind = static_cast<Kind>(std::array{0, 1, 1, 1, 2, 3}[dice_.below(6)]);
  const auto made = [&](const End& end) {
    loop::Options options = this->options(end, dice_);
    if (kind == Kind::plain || kind == Kind::upgrade) options.config = nullptr;
    options.lazy_handshake = kind == Kind::lazy;
    return options;
  };
  for (End* end : {&client, &server}) {
    end->upgrades = kind == Kind::upgrade;
    end->secure = kind == Kind::tls || kind == Kind::lazy;
  }
  loop::Target target;
  if (kind != Kind::plain && kind != Kind::upgrade) target.name = x509::PeerName::dns("example.com").value();
  if (dice_.once_in(16)) {
    running = loops_[0].get();
    auto* stream = must(loops_[0]->dial("127.0.0.1", stage_.full_port, made(client),
                                        make_caller(*this, client, dice_.roll()), std::move(target)));
    enter(client, *stream);
    if (dice_.once_in(4)) stream->cancel();
    return;
  }
  if (dice_.once_in(8)) {
    running = loops_[1].get();
    const std::uint64_t roll = dice_.roll();
    const auto listener =
        must(loops_[1]->listen("127.0.0.1", 0, made(server),
                               [this, &server, roll](loop::Stream& stream) { return decide(server, stream, roll); }));
    running = loops_[0].get();
    auto* stream = must(loops_[0]->dial("127.0.0.1", listener.address().port, made(client),
                                        make_caller(*this, client, dice_.roll()), std::move(target)));
    if (dice_.once_in(4)) {
      note(client, "move_to while it connects");
      client.moving = client.move_begun = true;
      stream->move_to(*loops_[1]);
    }
    return;
  }
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) throw std::runtime_error("socketpair");
  const std::size_t where = dice_.below(2);
  running = loops_[where].get();
  (void)must(loops_[where]->wrap(Descriptor(sockets[0]), made(server), make_caller(*this, server, dice_.roll())));
  running = loops_[1 - where].get();
  (void)must(loops_[1 - where]->wrap(Descriptor(sockets[1]), made(client), make_caller(*this, client, dice_.roll()),
                                     std::move(target)));
}

/// What whoever makes a handler may do instead, or as well.
std::unique_ptr<loop::Handler> Scene::decide(End& end, loop::Stream& stream, std::uint64_t roll) {
  if (end.made) return nullptr;  // another's connection
  switch (roll % 12) {
    case 0: stream.close(); return nullptr;
    case 1: stream.cancel(); return nullptr;
    case 2: return nullptr;
    case 3: throw std::runtime_error("no handler");
    case 4:
      stream.close();
      end.over = true;
      break;
    case 5:
      stream.cancel();
      end.over = end.gave_up = true;
      break;
    case 6:
      end.moving = end.move_begun = true;
      stream.move_to(other_than(stream.loop()));
      break;
    default: break;
  }
  return make_caller(*this, end, roll);
}

// --- running ---------------------------------------------------------------------------------------------------------

void Scene::turn(std::size_t index) {
  running = loops_[index].get();
  const auto before = Clock::now();
  (void)loops_[index]->run_once(0ms);
  check_deadlines(index, before);
}

void Scene::check_deadlines(std::size_t index, Clock::time_point before) {
  for (const End* end : here_[index]) {
    if (end->deadline && !end->over && !end->moving && end->opened &&
        before > std::max(*end->deadline, end->here_since) + kTick)
      broken(*end, "a deadline was missed");
  }
}

void Scene::turn_both(std::chrono::milliseconds least, const std::function<bool()>& done) {
  const auto limit = Clock::now() + least;
  const auto last = Clock::now() + 3s;
  for (;;) {
    turn(dice_.below(2));
    const auto now = Clock::now();
    if (done() && now >= limit) return;
    if (now > last) {
      for (const End& end : ends_) {
        if (end.made && end.closed == 0) broken(end, "it never ends");
      }
      return;
    }
  }
}

void Scene::run_in_threads(std::chrono::milliseconds time) {
  std::array<std::thread, 2> threads;
  for (std::size_t i = 0; i < 2; ++i) {
    threads[i] = std::thread([this, i, time] {
      random_bytes = fake::FakeRandom(i + 1);
      const auto limit = Clock::now() + time;
      while (Clock::now() < limit) turn(i);
      moves_allowed_ = false;
      // What the other has on its way here ends as well.
      const auto last = Clock::now() + 6s;
      while (living_ != 0 && Clock::now() < last) {
        turn(i);
        cancel_all(i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const End& end : ends_) {
    if (end.made && end.closed == 0) broken(end, "it never ends");
  }
}

void Scene::cancel_all(std::size_t index) {
  running = loops_[index].get();
  for (End* end : std::vector(here_[index])) {
    if (end->closed == 0) end->stream->cancel();
  }
}

bool Scene::all_over() const noexcept {
  return std::ranges::all_of(ends_, [](const End& end) { return !end.made || end.closed != 0; });
}

// --- ending ----------------------------------------------------------------------------------------------------------

void Scene::finish() {
  moves_allowed_ = false;
  if (!threads_) {
    // Nothing is on its way any more.
    turn_both(0ms, [this] { return std::ranges::none_of(ends_, [](const End& end) { return end.moving; }); });
    switch (dice_.below(4)) {
      case 0:
        for (std::size_t i = 0; i < 2; ++i) cancel_all(i);
        [[fallthrough]];
      case 1: turn_both(0ms, [this] { return all_over(); }); break;
      case 2:
        for (std::size_t i = 0; i < 2; ++i) {
          running = loops_[i].get();
          loops_[i]->drain(20ms);
        }
        turn_both(0ms, [this] { return all_over(); });
        break;
      default: break;  // with all that lives
    }
    if (all_over()) {
      turn_both(0ms, [this] { return loops_[0]->statistics().streams + loops_[1]->statistics().streams == 0; });
      for (std::size_t i = 0; i < 2; ++i) {
        const loop::Statistics statistics = loops_[i]->statistics();
        const std::size_t kept = loops_[i]->name() == "io_uring" ? 64 : 0;
        if (statistics.streams != 0) broken(ends_.front(), "a loop keeps streams that are over");
        if (statistics.buffers != kept) broken(ends_.front(), "a loop keeps buffers of streams that are over");
        if (statistics.handshaking != 0) broken(ends_.front(), "a loop keeps handshakes of streams that are over");
      }
    }
  }
  const std::size_t first = dice_.below(2);
  for (const std::size_t i : {first, 1 - first}) {
    running = loops_[i].get();
    loops_[i].reset();
  }
}

void Scene::check_ends() {
  for (const End& end : ends_) {
    if (end.made && end.closed != 1)
      broken(end, "its handler was told the end " + std::to_string(end.closed) + " times");
    if (end.received > end.peer->written) broken(end, "more came than was written");
    const bool told_all = end.heard_end && end.peer->said_all && !end.downgraded && !end.peer->downgraded &&
                          (end.secure || !end.peer->gave_up);
    if (!told_all) continue;
    ++played_.ends;
    if (end.received != end.peer->said)
      broken(end, "the end was told behind " + std::to_string(end.received) + " of " + std::to_string(end.peer->said) +
                      " bytes");
  }
}

loop::LoopOptions Scene::loop_options() {
  loop::LoopOptions options;
  if (dice_.once_in(6)) options.max_handshakes = 5;
  if (dice_.once_in(6)) options.max_streams = 10;
  if (dice_.once_in(6)) options.max_memory = std::size_t{4 + dice_.below(4)} << 20U;
  return options;
}

Played Scene::play() {
  loops_[0] = must(pairing_.first(loop_options()));
  loops_[1] = must(pairing_.second(loop_options()));
  ends_.resize(2 * kPairs);
  for (std::size_t i = 0; i < ends_.size(); ++i) {
    ends_[i].number = i;
    ends_[i].client = i % 2 == 0;
    ends_[i].peer = &ends_[i ^ 1U];
  }
  for (std::size_t i = 0; i < kPairs; ++i) begin_pair(i);
  if (threads_) {
    run_in_threads(20ms);
  } else {
    turn_both(std::chrono::milliseconds(dice_.below(24)), [] { return true; });
  }
  finish();
  check_ends();
  running = nullptr;
  return std::move(played_);
}

}  // namespace lockstep::callers
