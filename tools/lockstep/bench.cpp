// lockstep bench: runs lockstep-bench, which lies beside this program. The other TLS libraries that it measures are
// linked there and not here.

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "commands.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

int run(const std::vector<std::string>& words) {
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed).replace_filename("lockstep-bench");
  std::string path = program.string();
  std::vector<char*> arguments{path.data()};
  std::vector<std::string> copies = words;
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(path.c_str(), arguments.data());
  throw Failure("cannot start " + path + ": " + std::strerror(errno),
                "It is built from the sources only: tools/bench does it, or cmake with -DLOCKSTEP_BENCH=ON.");
}

}  // namespace

Command bench_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("bench", "Measure this build beside other TLS libraries");
  // Every word behind it, --help too, is for the other program.
  app->set_help_flag();
  app->prefix_command();
  return {app, [app] { return run(app->remaining()); }};
}

}  // namespace lockstep::tool
