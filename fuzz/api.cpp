// Calls in any order, with answers that are late, wrong or missing. Nothing here may crash; a misuse is told.

#include <lockstep/fuzzing.hpp>

using namespace lockstep;
using namespace lockstep::fuzzing;

namespace {

/// An end whose questions are answered when the fuzzer thinks of it.
struct Slow {
  Slow(Role role, std::uint64_t seed, std::span<Session> sessions = {})
      : random(seed),
        connection(role == Role::client ? Connection::client(Scene::get().clients[0],
                                                             {x509::PeerName::dns("example.com").value(), sessions},
                                                             random, kNow, memory)
                                        : Connection::server(Scene::get().servers[0], random, memory)) {}

  void receive(Choices& choices) {
    const std::size_t visible = choices.flag() ? inbound.size() : choices.below(inbound.size() + 1);
    auto [consumed, event] = connection.receive(MutableBytes(inbound).first(visible), kNow);
    require(consumed <= visible, "receive consumes no more than it was given");
    inbound.erase(inbound.begin(), inbound.begin() + static_cast<std::ptrdiff_t>(consumed));
    if (failed) require(std::holds_alternative<Failed>(event) && consumed == 0, "a failure is final");
    if (const auto* const failure = std::get_if<Failed>(&event)) {
      require(!failed || *failed == failure->error, "the first failure stays");
      failed = failure->error;
    } else if (!std::holds_alternative<Nothing>(event)) {
      questions.push_back(std::move(event));
      if (questions.size() > 4) questions.pop_front();  // and with it its token
    }
  }

  void transmit(Choices& choices, Slow& to) {
    Octets buffer(choices.flag() ? 4096 : choices.below(256));
    const std::size_t size = connection.transmit(buffer, kNow);
    require(size <= buffer.size(), "transmit writes into its buffer");
    to.inbound.insert(to.inbound.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
  }

  void answer(Choices& choices) {
    if (questions.empty()) return;
    const std::size_t which = choices.below(questions.size());
    Event event = std::move(questions[which]);
    questions.erase(questions.begin() + static_cast<std::ptrdiff_t>(which));
    std::visit([&](auto& question) { on(question, choices); }, event);
  }

  template <class Operation>
  void on(Operation& question, Choices& choices) {
    if constexpr (requires { question.token; }) {
      // The event's views live as long as nobody failed.
      if (failed || connection.error() != nullptr) return;
      reply(question, choices);
    }
  }
  void reply(SelectCredential& question, Choices& choices) {
    if (choices.below(8) == 1) {
      (void)connection.answer(std::move(question.token), NoCredential{});
    } else {
      (void)connection.answer(std::move(question.token), Scene::get().credential);
    }
  }
  void reply(Sign& question, Choices& choices) {
    Octets signature(kMaxSignatureSize);
    signature.resize(question.credential->key->sign(question.scheme, question.message, random, signature));
    switch (choices.below(8)) {
      case 1: signature = Octets(choices.below(2 * kMaxSignatureSize), 7); break;
      case 2: (void)connection.answer(std::move(question.token), SigningFailed{}); return;
      default: break;
    }
    (void)connection.answer(std::move(question.token), Bytes(signature));
  }
  void reply(VerifyPeer& question, Choices& choices) {
    if (choices.below(8) == 1) {
      (void)connection.answer(std::move(question.token),
                              PeerRejected{static_cast<Reason>(choices.byte()), choices.byte()});
    } else {
      (void)connection.answer(std::move(question.token), PeerAccepted{});
    }
  }
  void reply(OpenTicket& question, Choices& choices) {
    auto session = Session::parse(choices.flag() ? choices.bytes(100) : question.ticket);
    if (session) {
      (void)connection.answer(std::move(question.token), std::move(*session));
    } else {
      (void)connection.answer(std::move(question.token), TicketDeclined{});
    }
  }
  void reply(AcceptEarlyData& question, Choices& choices) {
    if (choices.flag()) {
      (void)connection.answer(std::move(question.token), EarlyDataAccepted{});
    } else {
      (void)connection.answer(std::move(question.token), EarlyDataDeclined{});
    }
  }
  void reply(SealTicket& question, Choices& choices) {
    const Octets ticket = choices.flag() ? Octets(choices.below(70'000), 1) : question.session->serialize();
    (void)connection.answer(std::move(question.token), Bytes(ticket));
  }

  std::uint8_t memory[8192]{};
  fake::FakeRandom random;
  Connection connection;
  Octets inbound;
  std::deque<Event> questions;
  std::optional<Error> failed;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices({data, size});
  // By its last byte, which is read last, whether the client offers a session.
  std::vector<Session> sessions;
  if (size != 0 && (data[size - 1] & 1U) != 0) sessions.push_back(Scene::session());
  const auto client = std::make_unique<Slow>(Role::client, 1, sessions);
  const auto server = std::make_unique<Slow>(Role::server, 2);
  for (int calls = 0; !choices.empty() && calls < 2000; ++calls) {
    const std::uint8_t what = choices.byte();
    Slow& end = (what & 0x80U) != 0 ? *client : *server;
    Slow& other = (what & 0x80U) != 0 ? *server : *client;
    switch (what & 0x1fU) {
      case 0:
      case 1:
      case 2: end.receive(choices); break;
      case 3:
      case 4:
      case 5: end.transmit(choices, other); break;
      case 6:
      case 7:
      case 8: end.answer(choices); break;
      case 9: {
        const Bytes text = choices.bytes(choices.below(2000));
        Octets out(choices.below(4096));
        const auto sealed = end.connection.seal(std::span(&text, 1), out, kNow);
        if (sealed) {
          require(sealed->written <= out.size() && sealed->consumed <= text.size(), "seal keeps to its buffers");
          other.inbound.insert(other.inbound.end(), out.begin(),
                               out.begin() + static_cast<std::ptrdiff_t>(sealed->written));
        }
        break;
      }
      case 10: {
        Octets buffer(choices.below(2048));
        const std::size_t headroom = choices.below(buffer.size() + 2);
        const auto record = end.connection.seal_in_place({buffer, headroom, choices.below(2048)}, kNow);
        if (record) other.inbound.insert(other.inbound.end(), record->begin(), record->end());
        break;
      }
      case 11: (void)end.connection.update_keys(choices.flag()); break;
      case 12: end.connection.close(); break;
      case 13: end.connection.cancel(static_cast<Alert>(choices.below(256))); break;
      case 14: (void)end.connection.receive_end(); break;
      case 15: (void)end.connection.reclaim(); break;
      case 16: {
        Octets out(choices.below(10'000));
        (void)end.connection.export_keying_material(as_text(choices.bytes(choices.below(300))),
                                                    choices.bytes(choices.below(8)), out);
        break;
      }
      case 17: end.questions.clear(); break;  // tokens are dropped
      case 18: {                              // the answer to somebody else's question
        if (end.questions.empty()) break;
        if (auto* const question = std::get_if<VerifyPeer>(&end.questions.front())) {
          require(!other.connection.answer(std::move(question->token), PeerAccepted{}),
                  "a stranger's token is refused");
        }
        break;
      }
      case 19: end.connection = Connection(std::move(end.connection)); break;
      case 20: {
        const Bytes noise = choices.bytes(choices.below(64));
        end.inbound.insert(end.inbound.end(), noise.begin(), noise.end());
        break;
      }
      case 21: {
        const Bytes text = choices.bytes(choices.below(2000));
        Octets out(choices.below(4096));
        const std::size_t left = end.connection.early_data_left();
        const auto sealed = end.connection.seal_early(std::span(&text, 1), out, kNow);
        if (sealed) {
          require(sealed->written <= out.size() && sealed->consumed <= std::min(text.size(), left),
                  "seal_early keeps to its buffers and its limit");
          other.inbound.insert(other.inbound.end(), out.begin(),
                               out.begin() + static_cast<std::ptrdiff_t>(sealed->written));
        }
        break;
      }
      default:
        end.receive(choices);
        end.answer(choices);
        end.transmit(choices, other);
        break;
    }
  }
  return 0;
}
