#pragma once
// Which provider does what in the least time: the table that lockstep::best is made by.

#include <string>

#include "bench.hpp"

namespace lockstep::bench {

/// Measures all and writes the header. Throws unless every provider that is ranked was built.
[[nodiscard]] std::string measure_ranking(const Effort& effort);

}  // namespace lockstep::bench
