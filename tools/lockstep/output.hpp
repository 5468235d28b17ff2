#pragma once
// Where what is received goes: standard output, or a file.

#include <string>

#include <lockstep/blocking.hpp>
#include <lockstep/io.hpp>

namespace lockstep::tool {

class Output {
 public:
  /// A file is made, or made empty, by `open` or with the first byte: what fails before leaves it alone. An empty path,
  /// and "-": standard output. What blocks is given up when canceled.
  Output(std::string path, blocking::Canceller canceller);

  /// Throws `Failure`, as `write` does.
  void open();
  void write(Bytes bytes);
  [[nodiscard]] bool is_terminal() const;

 private:
  [[nodiscard]] bool is_standard() const noexcept { return path_.empty(); }

  std::string path_;
  blocking::Canceller canceller_;
  Descriptor file_;
};

}  // namespace lockstep::tool
