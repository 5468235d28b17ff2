#include "report.hpp"

#include <nlohmann/json.hpp>

namespace lockstep::tool {

Json failure_json(std::string_view command, int status, std::string_view what, std::string_view advice) {
  Json document = {{"ok", false}};
  if (!command.empty()) document["command"] = command;
  document["status"] = status;
  document["error"] = {{"text", what}};
  if (!advice.empty()) document["error"]["advice"] = advice;
  return document;
}

int report_failure(bool json, std::string_view command, int status, std::string_view what, std::string_view advice) {
  if (json) {
    // Bytes of a file name that are no UTF-8 must not be what keeps the failure from being told.
    const auto replace = Json::error_handler_t::replace;
    (command == "client" ? err() : out())
        .line(failure_json(command, status, what, advice).dump(-1, ' ', false, replace));
  } else {
    print_failure(command, what, advice);
  }
  return status;
}

}  // namespace lockstep::tool
