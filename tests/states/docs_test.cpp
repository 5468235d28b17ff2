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
                       [&](const ChartState& state) { return machine_of(state.type) == machine; });
  return rows;
}

/// Where a handshake starts, and states that nothing leads to.
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

/// Where a machine begins: the states that another leads to, or the handshake's first ones.
std::set<std::string_view> entries(const std::vector<ChartState>& rows) {
  std::set<std::string_view> found = initial_states(rows);
  const std::string_view machine = machine_of(rows.front().type);
  for (const ChartState& state : chart()) {
    if (machine_of(state.type) == machine) continue;
    for (const Transition& transition : state.transitions) {
      for (const std::string_view successor : transition.successors) {
        if (machine_of(successor) == machine) found.insert(successor);
      }
    }
  }
  return found;
}

/// A state as it is called in the diagram of a machine: with its own machine where that is another.
std::string identifier(std::string_view state, std::string_view machine) {
  const std::string_view own = machine_of(state);
  return own == machine ? std::string(short_name(state)) : std::string(own) + "_" + std::string(short_name(state));
}

void draw_rows(std::ostream& out, const std::vector<ChartState>& rows, const std::set<std::string_view>& from) {
  const std::string_view machine = machine_of(rows.front().type);
  for (const ChartState& state : rows) out << "    " << short_name(state.type) << ": " << state.title << "\n";
  for (const std::string_view initial : from) out << "    [*] --> " << short_name(initial) << "\n";
  for (const ChartState& state : rows) {
    for (const Transition& transition : state.transitions) {
      if (transition.successors.empty())
        out << "    " << short_name(state.type) << " --> [*]: " << transition.input << "\n";
      for (const std::string_view successor : transition.successors) {
        out << "    " << short_name(state.type) << " --> " << identifier(successor, machine) << ": " << transition.input
            << "\n";
      }
    }
  }
}

void draw(std::ostream& out, const std::vector<ChartState>& rows, const std::set<std::string_view>& from) {
  out << "```mermaid\nstateDiagram-v2\n";
  draw_rows(out, rows, from);
  out << "```\n\n";
}

std::string_view kind_text(InputKind kind) {
  switch (kind) {
    case InputKind::message: return "";
    case InputKind::record: return " (record)";
    case InputKind::call: return " (call)";
    case InputKind::answer: return " (answer)";
  }
  return "";
}

void tabulate(std::ostream& out, const std::vector<ChartState>& rows) {
  const std::string_view machine = machine_of(rows.front().type);
  out << "| State | Name | Accepts | Leads to |\n|---|---|---|---|\n";
  for (const ChartState& state : rows) {
    for (const Transition& transition : state.transitions) {
      out << "| " << short_name(state.type) << " | " << state.title << " | " << transition.input
          << kind_text(transition.kind) << " | ";
      if (transition.successors.empty()) out << "failure";
      const char* separator = "";
      for (const std::string_view successor : transition.successors) {
        out << separator << (machine_of(successor) == machine ? short_name(successor) : successor);
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
         "nothing more is read. Names in capitals are those of RFC 9846 A, and for TLS 1.2 made like them.\n\n";
  const auto section = [&](std::string_view title, std::string_view text, std::string_view machine) {
    out << "## " << title << "\n\n" << text;
    draw(out, of_machine(machine), entries(of_machine(machine)));
    tabulate(out, of_machine(machine));
  };
  section("Hellos",
          "Both versions begin alike. The version is settled by the ServerHello, or by the ClientHello that a server "
          "answers;\nfrom there on each version has machines of its own, and no way leads from one to the other.\n\n",
          "hello");
  section("Client, TLS 1.3", "", "client13");
  section("Server, TLS 1.3", "", "server13");
  section("Client, TLS 1.2",
          "A change_cipher_spec record is an input of its own: only a state that holds derived keys takes one.\n\n",
          "client12");
  section("Server, TLS 1.2", "", "server12");
  out << "## Renegotiation, TLS 1.2\n\n"
         "Beside a connection that stands, whose data goes on to come. The handshake itself has the states above, "
         "from\n"
         "WaitServerHello and WaitClientHello on; when it is complete, Connected is where it led to.\n\n";
  for (const std::string_view machine : {"client12", "server12"}) {
    std::vector<ChartState> rows;
    std::ranges::copy_if(live_chart(), std::back_inserter(rows),
                         [&](const ChartState& state) { return machine_of(state.type) == machine; });
    draw(out, rows, {rows.front().type});
    tabulate(out, rows);
  }
  out << "## A server's tickets, TLS 1.3\n\n"
         "They are sealed one after the other beside the connection, which does not wait for them.\n\n";
  draw(out, ticket_chart(), entries(ticket_chart()));
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

Role role_of(std::string_view state) {
  if (machine_of(state) == "hello")
    return state == "hello::WaitClientHello" || state == "hello::WaitConfig" ? Role::server : Role::client;
  return state.starts_with("client") ? Role::client : Role::server;
}

TEST(Chart, BeginsAndEndsWhereItMust) {
  EXPECT_EQ(initial_states(chart()),
            (std::set<std::string_view>{"hello::WaitPsks", "hello::WaitShares", "hello::WaitOfferVerified",
                                        "hello::WaitServerHello", "hello::WaitClientHello", "client12::WaitServerHello",
                                        "server12::WaitClientHello"}));
  for (const ChartState& state : chart()) {
    EXPECT_FALSE(state.transitions.empty()) << state.type;
    bool peer = false;
    bool application = false;
    for (const Transition& transition : state.transitions) {
      // What was looked at before its turn moves nothing.
      const bool ahead = transition.input == "SignatureChecked" && transition.successors == std::vector{state.type};
      if (!ahead) (transition.kind == InputKind::answer ? application : peer) = true;
      for (const std::string_view successor : transition.successors) {
        // No way leads from one role to the other, none from a version to another, and none back from the end.
        EXPECT_EQ(role_of(successor), role_of(state.type)) << state.type << " to " << successor;
        EXPECT_TRUE(machine_of(state.type) == "hello" || machine_of(successor) == machine_of(state.type))
            << state.type << " to " << successor;
        const bool beside = successor.ends_with("::Renegotiating") || successor.ends_with("::HelloRequested");
        EXPECT_TRUE(!is_connected(state.type) || successor == state.type || beside)
            << state.type << " to " << successor;
      }
    }
    // Either the peer or the application is awaited.
    EXPECT_FALSE(peer && application) << state.type;
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

/// Whether a connection comes to stand from here without this input.
bool connects_without(std::string_view input, std::string_view from) {
  std::set<std::string_view> reached{from};
  for (std::size_t before = 0; before != reached.size();) {
    before = reached.size();
    for (const ChartState& state : chart()) {
      if (!reached.contains(state.type)) continue;
      for (const Transition& transition : state.transitions) {
        if (transition.input != input) reached.insert(transition.successors.begin(), transition.successors.end());
      }
    }
  }
  return std::ranges::any_of(reached, is_connected);
}

// RFC 9846 A.1 and A.2: what no peer may leave out, whatever the way.
TEST(Chart, HasNoWayAroundAuthentication) {
  for (const std::string_view start : {"hello::WaitServerHello", "hello::WaitClientHello"}) {
    EXPECT_TRUE(connects_without("", start));
    EXPECT_FALSE(connects_without("Finished", start));
  }
  // A client that was shown a certificate connects only through CertificateVerify.
  for (const std::string_view state : {"client13::WaitCertificate", "client13::WaitPeerVerified",
                                       "server13::WaitPeerVerified", "client13::WaitCertificateRequest"})
    EXPECT_FALSE(connects_without("CertificateVerify", state)) << state;
}

// The same for TLS 1.2 (RFC 5246 7.3).
TEST(Chart, HasNoWayAroundAuthenticationInTls12) {
  // Nothing that comes before the keys change counts, on no way: an abbreviated handshake is no exception.
  for (const std::string_view machine : {"client12", "server12"}) {
    for (const std::string_view entry : entries(of_machine(machine))) {
      EXPECT_TRUE(connects_without("", entry)) << entry;
      EXPECT_FALSE(connects_without("ChangeCipherSpec", entry)) << entry;
      EXPECT_FALSE(connects_without("Finished", entry)) << entry;
    }
  }
  // The server's signature is in ServerKeyExchange, and so is its share.
  // Without that message the client's secret travels to the certificate's key, which the server's Finished shows it
  // has.
  EXPECT_FALSE(connects_without("ServerKeyExchange", "client12::WaitServerKeyExchange"));
  EXPECT_FALSE(connects_without("Certificate12", "client12::WaitCertificate"));
  EXPECT_FALSE(connects_without("ServerHelloDone", "client12::WaitCertificate"));
  // Every client sends its share, and one that has shown a certificate proves that it holds the key.
  EXPECT_FALSE(connects_without("ClientKeyExchange", "server12::WaitCredential"));
  for (const std::string_view state : {"server12::WaitPeerVerified", "server12::WaitCertifiedKeyExchange"})
    EXPECT_FALSE(connects_without("CertificateVerify", state)) << state;
}

}  // namespace
}  // namespace lockstep::testing
