#pragma once
// Where every handshake ends.

#include <string_view>

#include "handshake/authentication.hpp"

namespace lockstep::handshake {

/// The handshake is complete. Only a proof of who the peer is makes one.
struct Connected {
  static constexpr std::string_view name = "CONNECTED";
  Authenticated authenticated;
};

}  // namespace lockstep::handshake
