#pragma once

#include <fstream>
#include <map>
#include <string>

#include <gtest/gtest.h>

namespace lockstep::kernels::test {

// Calls `visit(record, section)` for every record of a NIST response file: `[Name = value]` lines make the section, an
// empty line ends a record.
template <class Visit>
void read_responses(const std::string& path, Visit visit) {
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  std::map<std::string, std::string> section;
  std::map<std::string, std::string> record;
  const auto end_record = [&] {
    if (!record.empty()) visit(record, section);
    record.clear();
  };
  for (std::string line; std::getline(file, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty()) {
      end_record();
    } else if (line == "FAIL") {
      record["FAIL"] = "";
    } else if (line[0] != '#') {
      const bool header = line[0] == '[';
      const std::string content = header ? line.substr(1, line.size() - 2) : line;
      const std::size_t equals = content.find(" =");
      ASSERT_NE(equals, std::string::npos) << line;
      const std::string value = content.size() > equals + 3 ? content.substr(equals + 3) : "";
      (header ? section : record)[content.substr(0, equals)] = value;
    }
  }
  end_record();
}

}  // namespace lockstep::kernels::test
