#pragma once

namespace lockstep::tool {

/// What this build is and has: for people, or as a JSON document. The exit status.
int print_version(bool json);

}  // namespace lockstep::tool
