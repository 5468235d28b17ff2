#pragma once
// A client that asks, a server that answers, both to the end: what a fault must not make wrong. Both ends are of one
// adapter.

#include <optional>
#include <string>

#include "party.hpp"

namespace lockstep::testing {

struct SceneResult {
  std::optional<IoError> client;  ///< how it failed
  std::optional<IoError> server;
  std::string question;  ///< as received
  std::string answer;
  bool complete = false;  ///< both directions arrived whole, with their ends

  [[nodiscard]] std::string text() const {
    return "client: " + (client ? client->text : "fine") + "; server: " + (server ? server->text : "fine") + "; got " +
           std::to_string(question.size()) + " and " + std::to_string(answer.size()) + " bytes";
  }
};

inline const std::string& scene_question() {
  static const std::string text = pattern(5000);
  return text;
}
inline const std::string& scene_answer() {
  static const std::string text = pattern(120'000);
  return text;
}

/// Everything up to the peer's end, in pieces, so that what came before a failure is seen.
inline std::optional<IoError> read_into(Party& party, std::string& all, std::size_t most) {
  while (all.size() < most) {
    const std::size_t wanted = std::min<std::size_t>(most - all.size(), 4096);
    auto piece = party.read(wanted);
    if (!piece) return piece.error();
    all += *piece;
    if (piece->size() < wanted) return {};
  }
  return {};
}

/// `between` gives the port to dial for the port that is listened on.
inline SceneResult play(const Maker& maker, const PartyOptions& client_side, const PartyOptions& server_side,
                        const std::function<std::uint16_t(std::uint16_t)>& between = {}) {
  SceneResult result;
  std::promise<std::uint16_t> port;
  auto served = in_background([&] {
    bool told = false;
    const auto tell = [&](std::uint16_t number) {
      told = true;
      port.set_value(number);
    };
    std::unique_ptr<Party> server;
    try {
      server = maker.accept(server_side, tell);
    } catch (...) {
      if (!told) port.set_exception(std::current_exception());
      throw;
    }
    server->set_read_deadline(std::chrono::steady_clock::now() + 5s);
    result.server = read_into(*server, result.question, scene_question().size());
    if (!result.server && result.question.size() == scene_question().size()) {
      if (auto written = server->write(scene_answer()); !written) result.server = written.error();
    }
    std::string rest;
    if (!result.server) result.server = read_into(*server, rest, 1);
    EXPECT_EQ(rest, "") << "a byte too much";
    auto closed = server->close();
    if (!closed && !result.server) result.server = closed.error();
  });
  const std::uint16_t listening = port.get_future().get();
  auto client = maker.dial(between ? between(listening) : listening, client_side);
  if (client) {
    Party& party = **client;
    party.set_read_deadline(std::chrono::steady_clock::now() + 5s);
    if (auto written = party.write(scene_question()); !written) result.client = written.error();
    if (!result.client) result.client = read_into(party, result.answer, scene_answer().size());
    auto closed = party.close();
    if (!closed && !result.client) result.client = closed.error();
    client->reset();
  } else {
    result.client = client.error();
    try {
      tcp_connect(listening);  // so that the server's wait ends
    } catch (const std::runtime_error&) {
      // It has ended: the client got as far as being accepted.
    }
  }
  served.get();
  result.complete =
      !result.client && !result.server && result.question == scene_question() && result.answer == scene_answer();
  return result;
}

/// What holds whatever went wrong: no byte is lost, doubled or changed, and errors say what was being done.
inline void expect_sound(const SceneResult& result) {
  EXPECT_TRUE(scene_question().starts_with(result.question));
  EXPECT_TRUE(scene_answer().starts_with(result.answer));
  for (const auto& error : {result.client, result.server}) {
    if (!error) continue;
    EXPECT_TRUE(error->text.starts_with(name(error->operation))) << error->text;
    EXPECT_NE(error->condition, IoCondition::timeout) << error->text;
  }
  if (!result.client && !result.server) {
    EXPECT_TRUE(result.complete) << result.text();
  }
}

}  // namespace lockstep::testing
