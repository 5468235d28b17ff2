// docs/states.md is generated from the machine; this test says when it is out of date, and writes it when asked to.

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "states/chart.hpp"

namespace lockstep::testing {
namespace {

constexpr std::string_view kConnected = "Connected";

std::string_view short_name(std::string_view type) {
  const auto colon = type.rfind(':');
  return colon == std::string_view::npos ? type : type.substr(colon + 1);
}

bool of_machine(const ChartState& state, std::string_view machine) { return state.type.starts_with(machine); }

/// Where a client may start, and states that nothing leads to.
std::set<std::string_view> initial_states() {
  std::set<std::string_view> initial;
  for (const ChartState& state : chart()) initial.insert(state.type);
  for (const ChartState& state : chart()) {
    for (const Transition& transition : state.transitions) {
      for (const std::string_view successor : transition.successors) {
        if (successor != state.type) initial.erase(successor);
      }
    }
  }
  using Start = decltype(handshake::client13::start(std::declval<handshake::Context&>(), {}));
  for (const std::string_view state : detail::names(std::type_identity<Start>{})) initial.insert(state);
  return initial;
}

void draw(std::ostream& out, std::string_view machine) {
  out << "```mermaid\nstateDiagram-v2\n";
  for (const ChartState& state : chart()) {
    if (!of_machine(state, machine)) continue;
    out << "    " << short_name(state.type) << ": " << state.title << "\n";
  }
  for (const std::string_view initial : initial_states()) {
    if (initial.starts_with(machine)) out << "    [*] --> " << short_name(initial) << "\n";
  }
  for (const ChartState& state : chart()) {
    if (!of_machine(state, machine)) continue;
    for (const Transition& transition : state.transitions) {
      if (transition.successors.empty())
        out << "    " << short_name(state.type) << " --> [*]: " << transition.input << "\n";
      for (const std::string_view successor : transition.successors) {
        out << "    " << short_name(state.type) << " --> " << short_name(successor) << ": " << transition.input << "\n";
      }
    }
  }
  out << "    " << kConnected << ": CONNECTED\n```\n\n";
}

void tabulate(std::ostream& out, std::string_view machine) {
  out << "| State | RFC 9846 | Accepts | Leads to |\n|---|---|---|---|\n";
  for (const ChartState& state : chart()) {
    if (!of_machine(state, machine)) continue;
    for (const Transition& transition : state.transitions) {
      out << "| " << short_name(state.type) << " | " << state.title << " | " << transition.input
          << (transition.message ? "" : " (answer)") << " | ";
      if (transition.successors.empty()) out << "failure";
      const char* separator = "";
      for (const std::string_view successor : transition.successors) {
        out << separator << short_name(successor);
        separator = ", ";
      }
      out << " |\n";
    }
  }
  out << "\n";
}

std::string render() {
  std::ostringstream out;
  out << "# The states of a handshake\n\n"
         "Generated from the signatures of the handlers in `core/handshake` by the test `states.Docs`; do not edit.\n"
         "To bring it up to date: `LOCKSTEP_UPDATE_DOCS=1 ctest -R states.Docs` in the build directory.\n\n"
         "A state is a struct, its handlers are overloads of `on`, and a handler's return type names where it may "
         "lead:\n"
         "any other transition does not compile. What is not in these tables is refused before it is parsed, with\n"
         "`unexpected_message`. Answers are those of the application to an event with a token; while one is awaited,\n"
         "nothing more is read. NewSessionTicket and KeyUpdate come after CONNECTED and belong to the connection.\n\n";
  out << "## Client\n\n";
  draw(out, "client13::");
  tabulate(out, "client13::");
  out << "## Server\n\n";
  draw(out, "server13::");
  tabulate(out, "server13::");
  std::string text = out.str();
  text.pop_back();  // one newline at the end
  return text;
}

TEST(Docs, ShowTheMachineAsItIs) {
  const std::string path = std::string(LOCKSTEP_SOURCE_DIR) + "/docs/states.md";
  const std::string rendered = render();
  if (std::getenv("LOCKSTEP_UPDATE_DOCS") != nullptr) {
    std::ofstream(path, std::ios::binary) << rendered;
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream committed;
  committed << file.rdbuf();
  EXPECT_EQ(committed.str(), rendered) << "docs/states.md is out of date; in the build directory run:\n"
                                          "  LOCKSTEP_UPDATE_DOCS=1 ctest -R states.Docs";
}

TEST(Chart, BeginsAndEndsWhereItMust) {
  EXPECT_EQ(initial_states(), (std::set<std::string_view>{"client13::WaitOfferVerified", "client13::WaitServerHello",
                                                          "server13::WaitClientHello"}));
  for (const ChartState& state : chart()) {
    // Only the end accepts nothing.
    EXPECT_EQ(state.transitions.empty(), state.type == kConnected) << state.type;
    bool message = false;
    bool answer = false;
    for (const Transition& transition : state.transitions) {
      (transition.message ? message : answer) = true;
      for (const std::string_view successor : transition.successors) {
        // No way leads from one role to the other.
        EXPECT_TRUE(successor == kConnected ||
                    successor.substr(0, successor.find(':')) == state.type.substr(0, state.type.find(':')))
            << state.type << " to " << successor;
      }
    }
    // Either the peer or the application is awaited.
    EXPECT_FALSE(message && answer) << state.type;
  }
}

TEST(Chart, LeadsToTheEndFromEverywhere) {
  for (const ChartState& start : chart()) {
    std::set<std::string_view> reached{start.type};
    for (std::size_t before = 0; before != reached.size();) {
      before = reached.size();
      for (const ChartState& state : chart()) {
        if (!reached.contains(state.type)) continue;
        for (const Transition& transition : state.transitions)
          reached.insert(transition.successors.begin(), transition.successors.end());
      }
    }
    EXPECT_TRUE(reached.contains(kConnected)) << start.type;
  }
}

// RFC 9846 A.1 and A.2: what no peer may leave out, whatever the way.
TEST(Chart, HasNoWayAroundAuthentication) {
  const auto reaches = [](std::string_view from, auto blocked) {
    std::set<std::string_view> reached{from};
    for (std::size_t before = 0; before != reached.size();) {
      before = reached.size();
      for (const ChartState& state : chart()) {
        if (!reached.contains(state.type)) continue;
        for (const Transition& transition : state.transitions) {
          if (!blocked(state, transition)) reached.insert(transition.successors.begin(), transition.successors.end());
        }
      }
    }
    return reached.contains(kConnected);
  };
  for (const std::string_view start : {"client13::WaitServerHello", "server13::WaitClientHello"}) {
    EXPECT_TRUE(reaches(start, [](const ChartState&, const Transition&) { return false; }));
    EXPECT_FALSE(
        reaches(start, [](const ChartState&, const Transition& transition) { return transition.input == "Finished"; }));
  }
  // A client that was shown a certificate connects only through CertificateVerify.
  for (const std::string_view state :
       {"client13::WaitCertificate", "client13::WaitPeerVerified", "server13::WaitPeerVerified"}) {
    EXPECT_FALSE(reaches(state, [](const ChartState&, const Transition& transition) {
      return transition.input == "CertificateVerify";
    })) << state;
  }
  EXPECT_FALSE(reaches("client13::WaitCertificateRequest", [](const ChartState&, const Transition& transition) {
    return transition.input == "CertificateVerify";
  }));
}

}  // namespace
}  // namespace lockstep::testing
