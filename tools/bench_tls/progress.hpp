#pragma once
// What is being measured, on stderr: one line that changes at a terminal, a line for each group elsewhere.

#include <string>

namespace lockstep::bench {

class Progress {
 public:
  Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Clears the line.
  ~Progress();
  void expect(std::size_t cases) noexcept { expected_ = cases; }
  void begin(const std::string& group, const std::string& what);

 private:
  bool terminal_;
  std::size_t expected_ = 0;
  std::size_t begun_ = 0;
  double start_;
  std::string group_;
};

}  // namespace lockstep::bench
