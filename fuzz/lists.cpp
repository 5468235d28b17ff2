// Lists and names as a user writes them.

#include <lockstep/fuzzing.hpp>
#include <lockstep/lists.hpp>
#include <lockstep/x509_pem.hpp>

using namespace lockstep;
using fuzzing::require;

namespace {

template <class List>
void check(const List& list) {
  if (!list) {
    require(!list.error().text().empty(), "what is not understood is named");
    return;
  }
  for (std::size_t i = 0; i < list->size(); ++i)
    for (std::size_t j = 0; j < i; ++j) require((*list)[i] != (*list)[j], "nothing stands in a list twice");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzzing::Choices choices({data, size});
  const std::uint8_t which = choices.byte();
  const Bytes rest = choices.rest();
  const std::string_view text = as_text(rest);
  switch (which % 5) {
    case 0: check(suites_from_text(text)); break;
    case 1: check(groups_from_text(text)); break;
    case 2: check(schemes_from_text(text)); break;
    case 3: (void)x509::PeerName::dns(text); break;
    default: (void)Session::parse(rest); break;
  }
  return 0;
}
