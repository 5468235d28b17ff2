#pragma once
// The product alone, as one line of text for each scenario: what drivers of several libraries print for a runner that
// compares them.

#include <filesystem>
#include <string>

namespace lockstep::bench {

struct PeerLines {
  std::filesystem::path certificates;  ///< p256/ and rsa2048/, see read_certificates
  double milliseconds = 300;           ///< a scenario
  std::string only;                    ///< the beginning of a scenario's name
  bool memory = false;                 ///< the scenarios that count the heap instead of those that take the time
};

/// Prints "NAME-VERSION SCENARIO UNIT TOTAL A B" for each scenario: client and server, or sealing and opening.
void print_peer_lines(const PeerLines& wanted);

}  // namespace lockstep::bench
