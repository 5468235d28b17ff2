#pragma once
// What was measured: rows of figures, one for each subject, which the report shows as a table, as JSON or as a chart.

#include <cstddef>
#include <string>
#include <vector>

namespace lockstep::bench {

/// One subject in one row, over all rounds.
struct Figure {
  std::string subject;  ///< key of a subject
  double value = 0;     ///< median
  double low = 0;       ///< the quartiles
  double high = 0;
  /// How many times better than the reference, where there is one: the median of the ratios in each round, so that what
  /// slows the machine for a while slows both. 0: no reference.
  double ratio = 0;
};

/// One thing that was measured.
struct Row {
  std::string name;      ///< of the case, as --only takes it
  std::string group;     ///< "records", "handshakes", ...
  std::string label;     ///< for people: "AES-128-GCM"
  std::size_t size = 0;  ///< bytes of plaintext, where that is a dimension
  std::string measure;   ///< "seal", "server", ...
  std::string unit;      ///< "MB/s", "1/s", "us", "bytes", ...
  bool more_is_better = true;
  std::vector<Figure> figures;

  [[nodiscard]] const Figure* find(const std::string& subject) const noexcept {
    for (const Figure& figure : figures) {
      if (figure.subject == subject) return &figure;
    }
    return nullptr;
  }
};

struct Subject {
  std::string key;
  std::string title;
};

struct Machine {
  std::string processor;
  std::size_t processors = 0;
  double gigahertz = 0;  ///< as measured; 0 when this cannot be
  std::string compiler;
  std::string aeads;  ///< which kernels were chosen
  double load = 0;    ///< runnable processes before the run began, one-minute mean
};

struct Results {
  std::string version;
  std::string date;
  Machine machine;
  std::size_t rounds = 0;
  double slice_seconds = 0;
  std::vector<Subject> subjects;
  std::vector<Row> rows;
  std::vector<std::string> left_out;  ///< sentences

  /// What ratios refer to.
  static constexpr const char* kReference = "openssl";
  static constexpr const char* kOurs = "lockstep";
};

/// A heading for each group, and what its unit means.
[[nodiscard]] std::string group_title(const std::string& group);

void print_table(const Results& results);
[[nodiscard]] std::string to_json(const Results& results);
/// A chart of records and handshakes as multiples of the reference.
[[nodiscard]] std::string to_svg(const Results& results);

}  // namespace lockstep::bench
