#pragma once
// The whole benchmark: every case, all peers alternating in each round.

#include <cstddef>
#include <string>
#include <vector>

#include "results.hpp"

namespace lockstep::bench {

struct Effort {
  std::size_t rounds = 21;
  double slice_seconds = 0.02;
};

struct Options {
  std::vector<std::string> only;  ///< beginnings of case names; empty: all
  Effort effort;
  bool quick = false;  ///< fewer sizes, and no chains of RSA keys, whose making takes long
};

/// Runs the cases and tells the progress on stderr.
[[nodiscard]] Results run(const Options& options);

/// The rows that count the heap, for a process of their own; see run().
[[nodiscard]] std::vector<Row> run_memory(const Options& options);

/// The names that --only chooses from.
[[nodiscard]] std::vector<std::string> case_names(bool quick);

}  // namespace lockstep::bench
