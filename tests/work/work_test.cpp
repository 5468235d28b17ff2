// What a ClientHello costs a server that has many credentials: instructions from the first byte to the last question,
// without the signature. Work is linear in the bytes that a client sends, with a factor that is small and printed.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <unistd.h>
#include <valgrind/callgrind.h>
#include <valgrind/valgrind.h>

#include "adapters/support.hpp"
#include "hostile/messages.hpp"

namespace lockstep::testing {
namespace {

constexpr std::size_t kCredentials = 2000;
constexpr std::size_t kAuthorities = 50;
// As long as a ClientHello with one list of extensions gets.
constexpr std::size_t kLargest = 65536;

/// Instructions of some work.
class Steps {
 public:
  template <class Work>
  std::uint64_t of(Work work) {
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    work();
    CALLGRIND_DUMP_STATS;
    CALLGRIND_STOP_INSTRUMENTATION;
    const std::string file = LOCKSTEP_WORK_COUNTS "." + std::to_string(getpid()) + "." + std::to_string(++dumps);
    std::ifstream dump(file);
    std::uint64_t steps = 0;
    for (std::string line; std::getline(dump, line);) {
      if (line.starts_with("summary:") || line.starts_with("totals:")) steps = std::stoull(line.substr(8));
    }
    dump.close();
    std::filesystem::remove(file);
    EXPECT_NE(steps, 0U) << "valgrind wrote no count into " << file;
    return steps;
  }

 private:
  static inline int dumps = 0;  // of this program: valgrind numbers them
};

std::string host(std::size_t number) { return "host-" + std::to_string(number) + ".example"; }

/// Certificates of many authorities for one key, each for a name of its own; every third for a wildcard too.
std::vector<std::shared_ptr<const Credential>> many_credentials(
    const std::vector<std::unique_ptr<Authority>>& issuers) {
  const auto key = make_key(KeyType::ed25519);
  std::vector<std::shared_ptr<const Credential>> credentials;
  for (std::size_t i = 0; i < kCredentials; ++i) {
    const std::string own = host(i);
    const std::string wildcard = "*." + own;
    std::vector<std::string_view> names{own};
    if (i % 3 == 0) names.push_back(wildcard);
    credentials.push_back(issuers[i % issuers.size()]->certify(key, {.dns = names}));
  }
  return credentials;
}

class Work : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(RUNNING_ON_VALGRIND, 0U) << "run this program under valgrind's callgrind"; }

  /// An honest hello for the last of the names.
  [[nodiscard]] static RawClientHello usual_hello() {
    auto client = Connection::client(built(client_config().grease(false)), {.name = dns(host(kCredentials - 1))},
                                     random(), fixed_clock());
    Octets flight(4096);
    flight.resize(client.transmit(flight, fixed_clock()));
    return RawClientHello::split(Bytes(flight).subspan(5));
  }

  /// The steps from a hello's first byte to the question for a signature, or to the refusal.
  std::uint64_t steps(const RawClientHello& hello) {
    Octets wire;
    const Octets message = hello.join();
    for (Bytes rest = message; !rest.empty();) {
      const Bytes fragment = rest.first(std::min<std::size_t>(rest.size(), 16384));
      put(wire, 0x160301, 3);
      put_vector(wire, fragment, 2);
      rest = rest.subspan(fragment.size());
    }
    Connection server = Connection::server(config_, random());
    Answers answers(setup_, random());
    failure_.reset();
    const std::uint64_t count = steps_.of([&] {
      for (MutableBytes rest = wire;;) {
        auto [consumed, event] = server.receive(rest, fixed_clock());
        rest = rest.subspan(consumed);
        if (const auto* failed = std::get_if<Failed>(&event)) failure_ = failed->error.reason;
        if (failure_ || std::holds_alternative<Sign>(event)) return;
        if (!answers.answer(server, event) && consumed == 0) return;
      }
    });
    size_ = message.size();
    return count;
  }

  /// Grows a hello in one respect, by `fill(hello, room)` to about `room` more bytes, to half of the largest size and
  /// to all of it.
  void expect_linear(std::string_view what, const std::function<void(RawClientHello&, std::size_t)>& fill) {
    SCOPED_TRACE(std::string(what));
    const std::uint64_t usual = steps(usual_hello());
    const std::size_t usual_size = size_;
    std::array<double, 2> per_byte{};
    for (const std::size_t part : {std::size_t{2}, std::size_t{1}}) {
      RawClientHello hello = usual_hello();
      fill(hello, (kLargest - 2048) / part);
      const std::uint64_t count = steps(hello);
      EXPECT_EQ(failure_, std::nullopt);
      const std::uint64_t more = count > usual ? count - usual : 0;
      per_byte[2 - part] = static_cast<double>(more) / static_cast<double>(size_ - usual_size);
      std::printf("%-46s %6zu bytes %10llu steps, %7.1f for each byte more than usual\n", std::string(what).c_str(),
                  size_, static_cast<unsigned long long>(count), per_byte[2 - part]);
    }
    EXPECT_LT(per_byte[1], kMostPerByte);
    EXPECT_LT(per_byte[1], 1.3 * per_byte[0] + 2) << "twice the bytes cost more than twice";
  }

  // Most is SHA-256 over the message, without the instructions for it that valgrind does not offer; a suite is looked
  // for among those of both versions.
  static constexpr double kMostPerByte = 180;

  std::vector<std::unique_ptr<Authority>> authorities_ = [] {
    std::vector<std::unique_ptr<Authority>> list;
    for (std::size_t i = 0; i < kAuthorities; ++i)
      list.push_back(std::make_unique<Authority>("CN=Authority " + std::to_string(i), KeyType::ed25519));
    return list;
  }();
  std::shared_ptr<const AnswerSetup> setup_ = setup_of({.provider = provider(),
                                                        .credentials = many_credentials(authorities_),
                                                        .ticket_keys = TicketKeyring::create(provider(), random())});
  std::shared_ptr<const ServerConfig> config_ = built(server_config().alpn(many_protocols()));
  Steps steps_;
  std::size_t size_ = 0;
  std::optional<Reason> failure_;

  static std::vector<std::string> many_protocols() {
    std::vector<std::string> list;
    for (int i = 0; i < 255; ++i) list.push_back("protocol-" + std::to_string(i));
    return list;
  }
};

// A test for all: the credentials take longer than everything else.
TEST_F(Work, IsLinearInTheBytesOfAClientHello) {
  const std::uint64_t usual = steps(usual_hello());
  std::printf("usual hello, %zu credentials: %zu bytes, %llu steps\n", kCredentials, size_,
              static_cast<unsigned long long>(usual));

  expect_linear("extensions that nobody knows", [](RawClientHello& hello, std::size_t room) {
    for (std::size_t i = 0; i < std::min<std::size_t>(4000, room / 16); ++i)
      hello.extensions.insert(hello.extensions.begin(),
                              RawExtension{static_cast<ExtensionType>(0x4000 + i), Octets(12)});
  });
  expect_linear("one extension that nobody knows", [](RawClientHello& hello, std::size_t room) {
    hello.extensions.insert(hello.extensions.begin(), RawExtension{static_cast<ExtensionType>(0x4000), Octets(room)});
  });
  expect_linear("suites, groups, schemes of both kinds", [](RawClientHello& hello, std::size_t room) {
    const auto lengthened = [&](Bytes list, std::size_t first) {
      Octets longer;
      for (std::size_t i = 0; i < room / 64; ++i) put(longer, first + i % 64, 2);
      longer.insert(longer.end(), list.begin(), list.end());
      return longer;
    };
    hello.cipher_suites = lengthened(hello.cipher_suites, 0x1a00);
    for (const ExtensionType type : {ExtensionType::supported_groups, ExtensionType::signature_algorithms,
                                     ExtensionType::signature_algorithms_cert}) {
      Octets& data = hello.extensions[type];
      data =
          vector_of(lengthened(Bytes(data).subspan(2), type == ExtensionType::supported_groups ? 0x7000 : 0xfe00), 2);
    }
  });
  expect_linear("key shares", [](RawClientHello& hello, std::size_t room) {
    Octets shares;
    Octets groups;
    for (std::size_t i = 0; i < 60; ++i) {
      put(groups, 0x7000 + i, 2);
      put(shares, 0x7000 + i, 2);
      put_vector(shares, Octets(room / 60 - 4), 2);
    }
    const auto put_in_front = [&](ExtensionType type, Octets list) {
      Octets& data = hello.extensions[type];
      list.insert(list.end(), data.begin() + 2, data.end());
      data = vector_of(list, 2);
    };
    put_in_front(ExtensionType::supported_groups, groups);
    put_in_front(ExtensionType::key_share, shares);
  });
  expect_linear("application protocols, the last one ours", [](RawClientHello& hello, std::size_t room) {
    Octets names;
    for (std::size_t i = 0; i < 250; ++i) put_vector(names, Octets(room / 250 - 1, static_cast<std::uint8_t>(i)), 1);
    put_vector(names, as_bytes("protocol-254"), 1);
    hello.extensions.insert(hello.extensions.begin(),
                            RawExtension{ExtensionType::application_layer_protocol_negotiation, vector_of(names, 2)});
  });
  const auto add_authorities = [](RawClientHello& hello, const std::vector<Octets>& names) {
    Octets list;
    for (const Octets& name : names) put_vector(list, name, 2);
    hello.extensions.insert(hello.extensions.begin(),
                            RawExtension{ExtensionType::certificate_authorities, vector_of(list, 2)});
  };
  expect_linear("authorities, those of all credentials, repeated", [&](RawClientHello& hello, std::size_t room) {
    std::vector<Octets> names;
    for (std::size_t i = 0; i < room / 64; ++i) names.push_back(authorities_[i % kAuthorities]->subject());
    add_authorities(hello, names);
  });
  expect_linear("authorities that nobody knows, for no name", [&](RawClientHello& hello, std::size_t room) {
    std::vector<Octets> names;
    for (std::size_t i = 0; i < room / 64; ++i)
      names.push_back(Authority("CN=Somebody else " + std::to_string(10000 + i % 20), KeyType::ed25519).subject());
    add_authorities(hello, names);
    hello.extensions.remove(ExtensionType::server_name);
  });
  expect_linear("tickets of others", [](RawClientHello& hello, std::size_t room) {
    Octets identities;
    Octets binders;
    for (std::size_t i = 0; i < 60; ++i) {
      put_vector(identities, Octets(room / 60 - 40), 2);
      put(identities, 0, 4);
      put_vector(binders, Octets(32), 1);
    }
    Octets data = vector_of(identities, 2);
    put_vector(data, binders, 2);
    hello.extensions.add(ExtensionType::pre_shared_key, data);
  });
}

// What is chosen among many is found without a look at all of them.
TEST_F(Work, DoesNotGrowWithTheCredentials) {
  const auto few = setup_of({.provider = provider(), .credentials = {setup_->options().credentials.back()}});
  const auto cost = [&](const AnswerSetup& setup, const SelectCredential& wishes) {
    return steps_.of([&] { EXPECT_NE(setup.select(wishes), nullptr); });
  };
  const std::vector<SignatureScheme> schemes{SignatureScheme::ed25519};
  const auto subject = authorities_.back()->subject();
  const std::vector<Bytes> authorities{subject};
  const std::string last = host(kCredentials - 1);
  for (const std::string_view name : {std::string_view(last), std::string_view("nobody.example"), std::string_view()}) {
    for (const bool with_authorities : {false, true}) {
      SelectCredential wishes;
      wishes.server_name = name;
      wishes.schemes = schemes;
      if (with_authorities) wishes.certificate_authorities = authorities;
      const auto one = cost(*few, wishes);
      const auto many = cost(*setup_, wishes);
      std::printf("choice for '%s'%s: %llu steps of one, %llu of %zu\n", std::string(name).c_str(),
                  with_authorities ? " with an authority" : "", static_cast<unsigned long long>(one),
                  static_cast<unsigned long long>(many), kCredentials);
      EXPECT_LT(many, one + 2000);
    }
  }
}

}  // namespace
}  // namespace lockstep::testing
