#pragma once
// The subcommands: each adds itself to the program and hands back what runs it.

#include <functional>

namespace CLI {
class App;
}

namespace lockstep::tool {

struct Command {
  CLI::App* app;
  /// The exit status. May throw `Failure`.
  std::function<int()> run;
};

[[nodiscard]] Command client_command(CLI::App& program);
[[nodiscard]] Command server_command(CLI::App& program);
[[nodiscard]] Command load_command(CLI::App& program);
[[nodiscard]] Command cert_command(CLI::App& program);
[[nodiscard]] Command verify_command(CLI::App& program);
[[nodiscard]] Command explain_command(CLI::App& program);
[[nodiscard]] Command ciphers_command(CLI::App& program);
[[nodiscard]] Command inspect_command(CLI::App& program);
[[nodiscard]] Command scan_command(CLI::App& program);
[[nodiscard]] Command replay_command(CLI::App& program);
[[nodiscard]] Command bench_command(CLI::App& program);
[[nodiscard]] Command version_command(CLI::App& program);

// These tell of the whole program; it must outlive them.
[[nodiscard]] Command help_command(CLI::App& program);
[[nodiscard]] Command man_command(CLI::App& program);
[[nodiscard]] Command completion_command(CLI::App& program);

}  // namespace lockstep::tool
