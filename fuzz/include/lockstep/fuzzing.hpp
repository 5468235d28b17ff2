#pragma once
// For fuzzing what speaks TLS: this engine, or a protocol on top of it. Header-only, on the fake provider, so that a
// handshake costs microseconds, every run is the same, and a fuzzer gets past signatures and tags.
//
//     extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
//       lockstep::fuzzing::Choices choices({data, size});
//       lockstep::fuzzing::Ends ends(choices);             // a client and a server, watched
//       lockstep::fuzzing::Middle middle(choices);         // who changes what passes between them
//       ends.run(middle);
//       return 0;
//     }
//
// What is watched, at every step (`require` prints the sentence and aborts):
// - a call consumes no more than it was given, and ends within as many steps as there are bytes
// - a failure is final: the same error for ever after, nothing consumed, nothing sent but the alert
// - an alert goes out exactly when the failure is ours and we had not closed: one record, the last one
// - nothing goes out after close_notify
// - application data arrives only when the handshake is complete

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <lockstep/connection.hpp>
#include <lockstep/fake.hpp>
#include <lockstep/tape.hpp>

namespace lockstep::fuzzing {

using Octets = std::vector<std::uint8_t>;

/// Ends the program, for the fuzzer to see, when what must hold does not.
inline void require(bool holds, const char* sentence, const Error* error = nullptr) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s%s%s\n", sentence, error != nullptr ? "; " : "",
               error != nullptr ? to_text(*error).c_str() : "");
  std::abort();
}

/// The fuzzer's bytes as choices. When they have run out, every choice is the first.
class Choices {
 public:
  explicit Choices(Bytes bytes) noexcept : rest_(bytes) {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
  std::uint8_t byte() noexcept {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  bool flag() noexcept { return (byte() & 1U) != 0; }
  /// 0 to count - 1.
  std::size_t below(std::size_t count) noexcept {
    if (count <= 1) return 0;
    std::size_t value = byte();
    if (count > 256) value = value << 8U | byte();
    return value % count;
  }
  template <class T, std::size_t count>
  const T& of(const T (&values)[count]) noexcept {
    return values[below(count)];
  }
  Bytes bytes(std::size_t most) noexcept {
    const Bytes front = rest_.first(std::min(most, rest_.size()));
    rest_ = rest_.subspan(front.size());
    return front;
  }
  Bytes rest() noexcept { return bytes(rest_.size()); }

 private:
  Bytes rest_;
};

inline constexpr Time kNow{std::chrono::seconds(1'780'272'000)};  // 2026-06-01

/// What all runs share: made once, because configurations and certificates never change.
struct Scene {
  std::shared_ptr<const Config> client;
  std::shared_ptr<const Config> server;
  std::shared_ptr<const Config> asking_server;  ///< wants the client's certificate, and another group than it shares
  std::shared_ptr<const Credential> credential;

  static const Scene& get() {
    static const Scene scene = make();
    return scene;
  }

 private:
  static Scene make() {
    const Provider provider = fake::provider();
    fake::FakeRandom random(7);
    const KeyLoader* const loader = provider.key_loader(KeyType::ed25519);
    const auto key = loader->load(loader->generate(KeyType::ed25519, 0, random).value()).value();
    constexpr std::int64_t kSeconds = std::chrono::duration_cast<std::chrono::seconds>(kNow.time_since_epoch()).count();
    Credential credential;
    credential.chain.push_back(x509::CertificateBuilder("CN=fuzz")
                                   .dns("example.com")
                                   .server()
                                   .client()
                                   .validity(kSeconds - 86'400, kSeconds + 86'400)
                                   .self_signed(provider, *key, random)
                                   .value());
    credential.schemes.assign(key->schemes().begin(), key->schemes().end());
    credential.key = key;

    Scene scene;
    scene.credential = std::make_shared<const Credential>(std::move(credential));
    scene.client =
        ConfigBuilder::client(provider).dangerous().allow_insecure_provider().alpn({"one", "two"}).build().value();
    scene.server =
        ConfigBuilder::server(provider).dangerous().allow_insecure_provider().alpn({"two", "one"}).build().value();
    scene.asking_server = ConfigBuilder::server(provider)
                              .dangerous()
                              .allow_insecure_provider()
                              .client_auth(ClientAuth::require)
                              .groups({NamedGroup::secp384r1})
                              .build()
                              .value();
    return scene;
  }
};

/// One end of a connection, every decision answered, every invariant watched.
class End {
 public:
  /// What came out of it: equal for equal input, however that was cut into pieces.
  struct Outcome {
    Octets sent;
    Octets data;
    std::vector<std::size_t> events;  ///< indices in Event, ApplicationData left out: how it is cut follows the input
    std::optional<Error> error;

    friend bool operator==(const Outcome&, const Outcome&) = default;
  };

  End(Role role, const std::shared_ptr<const Config>& config, std::uint64_t seed = 1, std::span<Session> sessions = {})
      : random_(std::make_unique<fake::FakeRandom>(seed)),
        connection_(
            role == Role::client
                ? Connection::client(config, {x509::PeerName::dns("example.com").value(), sessions}, *random_, kNow)
                : Connection::server(config, *random_)) {}
  /// Recorded.
  End(Role role, const std::shared_ptr<const Config>& config, trace::Recorder& recorder)
      : random_(std::make_unique<fake::FakeRandom>(1)),
        connection_(role == Role::client
                        ? Connection::client(config, {x509::PeerName::dns("example.com").value(), {}}, recorder, kNow)
                        : Connection::server(config, recorder)) {}

  /// How the decisions are answered; by default all goes well.
  bool rejects_peer = false;
  bool has_no_credential = false;
  bool cannot_sign = false;
  bool drops_tokens = false;

  /// Gives the bytes, in pieces whose sizes `next_size` says (0: all that is left).
  template <class NextSize>
  void receive(Bytes bytes, NextSize next_size) {
    while (!bytes.empty()) {
      const std::size_t wanted = next_size();
      const Bytes piece = bytes.first(wanted == 0 ? bytes.size() : std::min(wanted, bytes.size()));
      bytes = bytes.subspan(piece.size());
      inbound_.insert(inbound_.end(), piece.begin(), piece.end());
      work();
    }
  }
  void receive(Bytes bytes) {
    receive(bytes, [] { return std::size_t{0}; });
  }
  /// The transport has ended.
  void receive_end() { treat(connection_.receive_end()); }

  /// All that it has to send now.
  Octets send() {
    Octets out;
    std::uint8_t buffer[Connection::kMaxRecord];
    while (const std::size_t size = connection_.transmit(buffer, kNow)) {
      require(size <= sizeof buffer, "transmit writes into its buffer");
      out.insert(out.end(), buffer, buffer + size);
      require(out.size() <= kMost, "what is pending is bounded");
    }
    note(out);
    return out;
  }

  /// Application data, when it can be sent.
  Octets seal(Bytes text) {
    Octets out(text.size() + 4096);
    const auto sealed = connection_.seal(std::span(&text, 1), out, kNow);
    if (!sealed) {
      require(!connection_.connected() || connection_.closed() || connection_.error() != nullptr,
              "a connection that is open seals");
      return {};
    }
    require(sealed->consumed <= text.size() && sealed->written <= out.size(), "seal keeps to its buffers");
    out.resize(sealed->written);
    note(out);
    return out;
  }

  [[nodiscard]] Connection& connection() noexcept { return connection_; }
  [[nodiscard]] const Outcome& outcome() const noexcept { return outcome_; }
  [[nodiscard]] std::vector<Session>& sessions() noexcept { return sessions_; }
  /// Takes the first bytes received out of the error.
  void forget_evidence() noexcept {
    if (!outcome_.error) return;
    outcome_.error->evidence = {};
    outcome_.error->evidence_size = 0;
  }
  [[nodiscard]] bool over() const noexcept { return outcome_.error.has_value(); }

 private:
  static constexpr std::size_t kMost = 1U << 20U;

  void work() {
    // Every step consumes a byte or tells something, and what is told is told for bytes.
    for (std::size_t steps = 0;; ++steps) {
      require(steps <= 2 * inbound_.size() + 64, "receive comes to an end");
      auto [consumed, event] = connection_.receive(inbound_, kNow);
      require(consumed <= inbound_.size(), "receive consumes no more than it was given");
      const bool told = treat(std::move(event));
      inbound_.erase(inbound_.begin(), inbound_.begin() + static_cast<std::ptrdiff_t>(consumed));
      if (over()) {
        require(connection_.receive(inbound_, kNow).consumed == 0, "a failed connection consumes nothing");
        inbound_.clear();
        return;
      }
      if (!told && consumed == 0) return;
    }
  }

  bool treat(Event event) {
    if (const auto* const failed = std::get_if<Failed>(&event)) {
      require(!outcome_.error || *outcome_.error == failed->error, "the first failure stays");
      require(connection_.error() != nullptr && *connection_.error() == failed->error, "error() is what was told");
      require(!to_text(failed->error).empty(), "an error explains itself");
      if (outcome_.error) return false;
      outcome_.error = failed->error;
      after_failure();
      return true;
    }
    require(!outcome_.error, "nothing is told after the failure");
    if (std::holds_alternative<Nothing>(event)) return false;
    if (!std::holds_alternative<ApplicationData>(event)) outcome_.events.push_back(event.index());
    std::visit([this](auto& value) { on(value); }, event);
    return true;
  }

  void after_failure() {
    const Error& error = *outcome_.error;
    const bool was_closed = closed_;
    const std::size_t before = outcome_.sent.size();
    send();
    const Bytes last = Bytes(outcome_.sent).subspan(before);
    if (error.origin == Origin::peer || was_closed || error.reason == Reason::truncated) {
      require(last.empty(), "nothing answers an alert, follows close_notify, or goes where nobody listens", &error);
    } else if (!last.empty() || error.reason != Reason::provider_failed) {
      require(ends_with_alert(last, error.alert), "a failure of ours goes out as its alert", &error);
    }
    require(!connection_.transmit_pending() && send().empty(), "nothing follows the alert");
    const Bytes text = as_bytes("x");
    Octets out(1000);
    require(!connection_.seal(std::span(&text, 1), out, kNow), "nothing is sealed after a failure");
    require(!connection_.connected() && !connection_.awaiting_answer(), "nothing is waited for after a failure");
  }

  /// The last record is this alert, or protected, so that only its length says so.
  [[nodiscard]] static bool ends_with_alert(Bytes records, Alert alert) {
    Bytes last;
    while (records.size() >= 5) {
      const std::size_t size = 5U + (std::size_t{records[3]} << 8U | records[4]);
      if (records.size() < size) return false;
      last = records.first(size);
      records = records.subspan(size);
    }
    if (last.empty() || !records.empty()) return false;
    if (last[0] == 21) return last.size() == 7 && last[6] == static_cast<std::uint8_t>(alert);
    return last[0] == 23 && last.size() >= 5 + 3 + 8;  // content, its type, and a tag of at least 8 bytes
  }

  void note(Bytes sent) {
    require(!closed_ || sent.empty(), "nothing is sent after close_notify");
    outcome_.sent.insert(outcome_.sent.end(), sent.begin(), sent.end());
    closed_ = connection_.closed() && !connection_.transmit_pending();
  }

  void on(Nothing& /*event*/) {}
  void on(Failed& /*event*/) {}
  void on(ApplicationData& event) {
    require(connection_.version().has_value(), "application data comes after the handshake");
    for (const MutableBytes segment : event.segments()) {
      outcome_.data.insert(outcome_.data.end(), segment.begin(), segment.end());
    }
  }
  void on(SelectCredential& event) {
    if (drops_tokens) return;
    if (has_no_credential) {
      (void)connection_.answer(std::move(event.token), NoCredential{});
    } else {
      (void)connection_.answer(std::move(event.token), Scene::get().credential);
    }
  }
  void on(Sign& event) {
    if (drops_tokens) return;
    if (cannot_sign) {
      (void)connection_.answer(std::move(event.token), SigningFailed{});
      return;
    }
    Octets signature(kMaxSignatureSize);
    signature.resize(event.credential->key->sign(event.scheme, event.message, *random_, signature));
    (void)connection_.answer(std::move(event.token), Bytes(signature));
  }
  void on(VerifyPeer& event) {
    if (drops_tokens) return;
    if (rejects_peer) {
      (void)connection_.answer(std::move(event.token), PeerRejected{});
    } else {
      (void)connection_.answer(std::move(event.token), PeerAccepted{});
    }
  }
  void on(OpenTicket& event) {
    if (drops_tokens) return;
    if (auto session = Session::parse(event.ticket)) {
      (void)connection_.answer(std::move(event.token), std::move(*session));
    } else {
      (void)connection_.answer(std::move(event.token), TicketDeclined{});
    }
  }
  void on(SealTicket& event) {
    if (drops_tokens) return;
    // Tickets in the clear: a fuzzer shall get at what is inside.
    const auto bytes = event.session->serialize();
    (void)connection_.answer(std::move(event.token), Bytes(bytes));
  }
  void on(HandshakeComplete& /*event*/) { require(connection_.connected(), "complete is connected"); }
  void on(SessionReceived& event) { sessions_.push_back(std::move(event.session)); }
  void on(PeerClosed& /*event*/) { require(connection_.peer_closed(), "the peer has closed"); }
  void on(PeerKeyUpdated& /*event*/) {}
  void on(SecretLogged& /*event*/) {}

  std::unique_ptr<fake::FakeRandom> random_;  // stays where it is when the end moves
  Connection connection_;
  Octets inbound_;
  Outcome outcome_;
  std::vector<Session> sessions_;
  bool closed_ = false;
};

/// Changes what passes: whole records are dropped, repeated, reordered, split or joined; bytes are flipped; fields of
/// records and of handshake messages in the clear are altered.
class Middle {
 public:
  explicit Middle(Choices& choices) noexcept : choices_(&choices) {}

  [[nodiscard]] Octets pass(Bytes bytes) {
    std::deque<Octets> records = split(bytes);
    Octets out;
    while (!records.empty()) {
      Octets record = std::move(records.front());
      records.pop_front();
      // Mostly nothing happens: the interesting states are deep.
      switch (choices_->empty() ? 0 : choices_->byte()) {
        case 1: continue;                                        // drop
        case 2: records.push_front(record); break;               // repeat
        case 3: records.push_back(std::move(record)); continue;  // reorder
        case 4: cut(record); break;                              // split in two records
        case 5: join(record, records); break;                    // with the next
        case 6: flip(record); break;
        case 7: alter_header(record); break;
        case 8: alter_message(record); break;
        case 9: keep(record); break;  // to be replayed later
        case 10: replay(record); break;
        case 11: insert(out); break;
        case 12: record.resize(choices_->below(record.size() + 1)); break;  // truncated
        default: break;
      }
      append(out, record);
    }
    return out;
  }

 private:
  static constexpr std::size_t kHeader = 5;

  static void append(Octets& to, Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }
  [[nodiscard]] static std::deque<Octets> split(Bytes bytes) {
    std::deque<Octets> records;
    while (!bytes.empty()) {
      std::size_t size = bytes.size();
      if (size >= kHeader) size = std::min(size, kHeader + (std::size_t{bytes[3]} << 8U | bytes[4]));
      records.emplace_back(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      bytes = bytes.subspan(size);
    }
    return records;
  }
  static void set_length(Octets& record) {
    const std::size_t length = record.size() - kHeader;
    record[3] = static_cast<std::uint8_t>(length >> 8U);
    record[4] = static_cast<std::uint8_t>(length);
  }
  void cut(Octets& record) {
    if (record.size() <= kHeader + 1) return;
    const std::size_t at = kHeader + 1 + choices_->below(record.size() - kHeader - 1);
    Octets second(record.begin(), record.begin() + kHeader);
    second.insert(second.end(), record.begin() + static_cast<std::ptrdiff_t>(at), record.end());
    record.resize(at);
    set_length(record);
    set_length(second);
    append(record, second);
  }
  void join(Octets& record, std::deque<Octets>& records) {
    if (records.empty() || record.size() < kHeader || records.front().size() < kHeader) return;
    append(record, Bytes(records.front()).subspan(kHeader));
    records.pop_front();
    set_length(record);
  }
  void flip(Octets& record) {
    if (!record.empty()) record[choices_->below(record.size())] ^= static_cast<std::uint8_t>(1U << choices_->below(8));
  }
  void alter_header(Octets& record) {
    if (record.size() >= kHeader) record[choices_->below(kHeader)] = choices_->byte();
  }
  /// A byte becomes another, bytes go, or bytes come; the lengths of record and message follow.
  void alter_message(Octets& record) {
    if (record.size() < kHeader + 4) return;
    const auto at = static_cast<std::ptrdiff_t>(kHeader + choices_->below(record.size() - kHeader));
    switch (choices_->below(3)) {
      case 0: record[static_cast<std::size_t>(at)] = choices_->byte(); return;
      case 1: {
        const auto count = static_cast<std::ptrdiff_t>(choices_->below(record.size() - static_cast<std::size_t>(at)));
        record.erase(record.begin() + at, record.begin() + at + count);
        break;
      }
      default: {
        const Bytes more = choices_->bytes(choices_->below(64));
        record.insert(record.begin() + at, more.begin(), more.end());
      }
    }
    set_length(record);
    if (record[0] != 22 || record.size() < kHeader + 4) return;
    const std::size_t length = record.size() - kHeader - 4;
    record[6] = 0;
    record[7] = static_cast<std::uint8_t>(length >> 8U);
    record[8] = static_cast<std::uint8_t>(length);
  }
  void keep(const Octets& record) { kept_ = record; }
  void replay(Octets& record) {
    Octets both = kept_;
    append(both, record);
    record = std::move(both);
  }
  void insert(Octets& out) {
    static constexpr std::uint8_t kTypes[] = {20, 21, 22, 23, 24, 0x80};
    const Bytes content = choices_->bytes(choices_->below(64));
    Octets record{choices_->of(kTypes), 3, 3, 0, 0};
    append(record, content);
    set_length(record);
    append(out, record);
  }

  Choices* choices_;
  Octets kept_;
};

/// A client and a server.
class Ends {
 public:
  explicit Ends(Choices& choices)
      : client(Role::client, Scene::get().client),
        server(Role::server, choices.flag() ? Scene::get().asking_server : Scene::get().server, 2) {
    const std::uint8_t ways = choices.byte();
    client.rejects_peer = (ways & 0x03U) == 3;
    client.has_no_credential = (ways & 0x0cU) == 0x0c;
    server.cannot_sign = (ways & 0x70U) == 0x70;
    server.drops_tokens = (ways & 0xf0U) == 0x80;
  }

  /// Lets them talk until they have nothing more to say. `middle` needs `Octets pass(Bytes)`.
  template <class Middle>
  void run(Middle& middle) {
    for (int turns = 0; turns < 64; ++turns) {
      const Octets to_server = middle.pass(client.send());
      if (!server.over()) server.receive(to_server);
      const Octets to_client = middle.pass(server.send());
      if (!client.over()) client.receive(to_client);
      if (to_server.empty() && to_client.empty()) return;
    }
  }

  End client;
  End server;
};

/// Nobody in the middle.
struct Wire {
  [[nodiscard]] static Octets pass(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
};

}  // namespace lockstep::fuzzing
