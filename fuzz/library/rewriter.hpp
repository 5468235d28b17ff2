#pragma once
// How a script gets at the messages of the engine that plays the hostile peer.

#include <deque>
#include <vector>

#include <lockstep/fuzzing.hpp>

#include "handshake/context.hpp"

namespace lockstep::fuzzing {

struct Script::Rewriter final : handshake::Rewriter {
  struct Step {
    HandshakeType type;
    int earlier;
    Edit edit;
  };

  Bytes rewrite(handshake::Level level, Bytes message) override;

  std::vector<Step> steps;
  std::deque<Octets> sent;  // a deque: what was returned must stay where it is
};

}  // namespace lockstep::fuzzing
