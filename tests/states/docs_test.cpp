// docs/states.md is generated from the machine; this test says when it is out of date, and writes it when asked to.

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "states/chart.hpp"

namespace lockstep::testing {
namespace {

std::string_view short_name(std::string_view type) {
  const auto colon = type.rfind(':');
  return colon == std::string_view::npos ? type : type.substr(colon + 1);
}

std::vector<ChartState> of_machine(std::string_view machine) {
  std::vector<ChartState> rows;
  std::ranges::copy_if(chart(), std::back_inserter(rows),
                       [&](const ChartState& state) { return state.type.starts_with(machine); });
  return rows;
}

/// Where a client may start, and states that nothing leads to.
std::set<std::string_view> initial_states(const std::vector<ChartState>& rows) {
  std::set<std::string_view> all;
  for (const ChartState& state : rows) all.insert(state.type);
  std::set<std::string_view> initial = all;
  for (const ChartState& state : rows) {
    for (const Transition& transition : state.transitions) {
      for (const std::string_view successor : transition.successors) {
        if (successor != state.type) initial.erase(successor);
      }
    }
  }
  using Start = decltype(handshake::hello::start(std::declval<handshake::Context&>(), {}));
  for (const std::string_view state : detail::names(std::type_identity<Start>{})) {
    if (all.contains(state)) initial.insert(state);
  }
  return initial;
}

void draw_rows(std::ostream& out, const std::vector<ChartState>& rows) {
  for (const ChartState& state : rows) out << "    " << short_name(state.type) << ": " << state.title << "\n";
  for (const std::string_view initial : initial_states(rows)) out << "    [*] --> " << short_name(initial) << "\n";
  for (const ChartState& state : rows) {
    for (const Transition& transition : state.transitions) {
      if (transition.successors.empty())
        out << "    " << short_name(state.type) << " --> [*]: " << transition.input << "\n";
      for (const std::string_view successor : transition.successors) {
        out << "    " << short_name(state.type) << " --> " << short_name(successor) << ": " << transition.input << "\n";
      }
    }
  }
}

void draw(std::ostream& out, const std::vector<ChartState>& rows) {
  out << "```mermaid\nstateDiagram-v2\n";
  draw_rows(out, rows);
  out << "```\n\n";
}

void tabulate(std::ostream& out, const std::vector<ChartState>& rows) {
  out << "| State | RFC 9846 | Accepts | Leads to |\n|---|---|---|---|\n";
  for (const ChartState& state : rows) {
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
         "nothing more is read.\n\n";
  out << "## Client\n\n";
  draw(out, of_machine("client13::"));
  tabulate(out, of_machine("client13::"));
  out << "## Server\n\n";
  draw(out, of_machine("server13::"));
  tabulate(out, of_machine("server13::"));
  out << "## A server's tickets\n\n"
         "They are sealed one after the other beside the connection, which does not wait for them.\n\n";
  draw(out, ticket_chart());
  tabulate(out, ticket_chart());
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
  EXPECT_EQ(initial_states(chart()),
            (std::set<std::string_view>{"client13::WaitOfferVerified", "client13::WaitServerHello",
                                        "server13::WaitClientHello"}));
  for (const ChartState& state : chart()) {
    EXPECT_FALSE(state.transitions.empty()) << state.type;
    bool message = false;
    bool answer = false;
    for (const Transition& transition : state.transitions) {
      (transition.message ? message : answer) = true;
      for (const std::string_view successor : transition.successors) {
        // No way leads from one role to the other, and none back from the end.
        EXPECT_EQ(successor.substr(0, successor.find(':')), state.type.substr(0, state.type.find(':')))
            << state.type << " to " << successor;
        EXPECT_TRUE(!is_connected(state.type) || successor == state.type) << state.type << " to " << successor;
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
    EXPECT_TRUE(std::ranges::any_of(reached, is_connected)) << start.type;
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
    return std::ranges::any_of(reached, is_connected);
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
