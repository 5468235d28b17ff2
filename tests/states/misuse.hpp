#pragma once
// What misuse.cpp needs.

#include <lockstep/connection.hpp>

#include "handshake/handshake.hpp"
