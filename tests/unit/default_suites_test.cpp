// The lists of suites of a library that was built with LOCKSTEP_DEFAULT_SUITES, which this program is.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lockstep/lists.hpp>

namespace lockstep {
namespace {

using ::testing::ElementsAre;

TEST(DefaultSuites, AreThoseThatTheLibraryWasBuiltWith) {
  EXPECT_THAT(suites(ProtocolVersion::tls_1_3, ListKind::by_default),
              ElementsAre(CipherSuite::tls_chacha20_poly1305_sha256));
  EXPECT_THAT(suites(ProtocolVersion::tls_1_2, ListKind::by_default),
              ElementsAre(CipherSuite::tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256));
  EXPECT_EQ(suites_from_text("DEFAULT")->size(), 2U);
  EXPECT_GT(suites(ProtocolVersion::tls_1_3).size(), 1U) << "the others may be named";
}

}  // namespace
}  // namespace lockstep
