// Words of the command line: what was perhaps meant, and texts of the libraries in its own terms.

#include "../../tools/lockstep/words.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lockstep/error.hpp>
#include <lockstep/x509_verify.hpp>

#include "../../tools/lockstep/command_line.hpp"
#include "../../tools/lockstep/family.hpp"

namespace lockstep::tool {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Similar, FindsTheNearestWords) {
  const std::vector<std::string> commands = {"client", "server", "load", "cert", "verify", "version"};
  EXPECT_THAT(similar("clint", commands), ElementsAre("client"));
  EXPECT_THAT(similar("CLIENT", commands), ElementsAre("client"));
  EXPECT_THAT(similar("sever", commands), ElementsAre("server"));
  EXPECT_THAT(similar("evrify", commands), ElementsAre("verify"));  // neighbours that changed places
  EXPECT_THAT(similar("ver", commands), ElementsAre("verify", "version"));
  EXPECT_THAT(similar("explain", commands), IsEmpty());
  EXPECT_THAT(similar("x", commands), IsEmpty());
  EXPECT_THAT(similar("", commands), IsEmpty());
  const std::vector<std::string> options = {"--connect-timeout", "--timeout", "--ca", "--cert"};
  EXPECT_THAT(similar("--conect-timeout", options), ElementsAre("--connect-timeout"));
  EXPECT_THAT(similar("-timeout", options), ElementsAre("--timeout"));
  EXPECT_THAT(similar("--connect", options), ElementsAre("--connect-timeout"));
}

TEST(OnCommandLine, NoAdviceNamesWhatOnlyProgramsHave) {
  // An advice for programs alone, which no command can bring about.
  constexpr std::array kNeverHere{x509::Code::unspecified};
  for (const x509::Code code : x509::all_codes()) {
    if (std::ranges::contains(kNeverHere, code)) continue;
    for (const std::string_view text : {x509::advice(code), x509::explanation(code)}) {
      EXPECT_THAT(on_command_line(std::string(text)), Not(HasSubstr("::"))) << x509::name(code);
      EXPECT_THAT(on_command_line(std::string(text)), Not(HasSubstr("()"))) << x509::name(code);
    }
  }
  EXPECT_EQ(on_command_line("Use Policy::private_pki(), or Policy::private_pki()."),
            "Use --private-pki, or --private-pki.");
}

TEST(Resolving, OneFamilyAlone) {
  EXPECT_FALSE(resolve_of(Family::any));
  const auto ipv4 = resolve_of(Family::ipv4)("127.0.0.1", 443);
  ASSERT_TRUE(ipv4);
  EXPECT_THAT(*ipv4, ElementsAre(Address{"127.0.0.1", 443}));
  const auto ipv6 = resolve_of(Family::ipv6)("::1", 443);
  ASSERT_TRUE(ipv6);
  EXPECT_THAT(*ipv6, ElementsAre(Address{"::1", 443}));
  const auto none = resolve_of(Family::ipv6)("127.0.0.1", 443);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().operation, Operation::resolve);
  EXPECT_THAT(none.error().text, HasSubstr("no address of IPv6"));
}

}  // namespace
}  // namespace lockstep::tool
