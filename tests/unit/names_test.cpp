// Whatever is enumerated in public has a name of its own, and where a user sees it, an explanation.

#include <concepts>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include <lockstep/connection.hpp>
#include <lockstep/x509.hpp>

namespace lockstep {
namespace {

template <class Enum>
concept Explained = requires(Enum value) {
  { explanation(value) } -> std::convertible_to<std::string_view>;
};

/// Every enumerator up to `last`; what follows it is no enumerator and has no name.
template <class Enum>
void expect_names(Enum last) {
  std::set<std::string> names;
  std::set<std::string> explanations;
  const auto count = static_cast<unsigned>(last) + 1;
  for (unsigned number = 0; number < count; ++number) {
    const auto value = static_cast<Enum>(number);
    EXPECT_FALSE(name(value).empty()) << number;
    EXPECT_EQ(name(value).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string_view::npos) << number;
    names.insert(std::string(name(value)));
    if constexpr (Explained<Enum>) {
      EXPECT_GT(explanation(value).size(), 8U) << name(value);
      explanations.insert(std::string(explanation(value)));
    }
  }
  EXPECT_EQ(names.size(), count);
  if constexpr (Explained<Enum>) {
    EXPECT_EQ(explanations.size(), count);
  }
  EXPECT_TRUE(name(static_cast<Enum>(0xff)).empty());
}

TEST(Names, OfEveryEnumerator) {
  expect_names(Misuse::transmit_first);
  expect_names(SessionError::malformed);
  expect_names(TicketError::insecure);
  expect_names(x509::NameError::not_an_address);
  expect_names(x509::PemCode::too_large);
  expect_names(x509::BuildError::no_hash);
  expect_names(x509::ParseCode::too_large);
}

}  // namespace
}  // namespace lockstep
