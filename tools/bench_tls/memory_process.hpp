#pragma once
// The heap is counted in a process of its own: there Botan's pool of locked memory, which would hide its secrets from
// the count, can be switched off, and counting slows nothing that is timed.

#include <string>
#include <vector>

#include "bench.hpp"

namespace lockstep::bench {

/// The environment's name and value that make Botan use the heap for everything; must be there when the program starts.
inline constexpr const char* kBotanPool = "BOTAN_MLOCK_POOL_SIZE";

/// Runs this program again with kMemoryRows and reads the rows that it prints.
[[nodiscard]] std::vector<Row> rows_of_memory_process(const Options& options);

/// The option of that process.
inline constexpr const char* kMemoryRows = "--memory-rows";
/// What that process does: runs the cases and prints the rows.
void print_memory_rows();

/// Runs this program again with the pool switched off, unless it is already; the arguments stay. Does not return then.
void restart_without_pool(char** arguments);

}  // namespace lockstep::bench
