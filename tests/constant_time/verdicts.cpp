// Where the product says that a secret comparison's outcome is public. The linker puts these in the way (--wrap), and
// the kernels are compiled with LOCKSTEP_CHECK_HANDSHAKES: nothing of this is in the product.

#include <lockstep/bytes.hpp>

#include "constant_time/secrets.hpp"

namespace lockstep {

bool real_constant_time_equal(Bytes a, Bytes b) noexcept
    __asm__("__real__ZN8lockstep19constant_time_equalESt4spanIKhLm18446744073709551615EES2_");
bool watched_constant_time_equal(Bytes a, Bytes b) noexcept
    __asm__("__wrap__ZN8lockstep19constant_time_equalESt4spanIKhLm18446744073709551615EES2_");

bool watched_constant_time_equal(Bytes a, Bytes b) noexcept {
  const bool verdict = real_constant_time_equal(a, b);
  testing::declassify(testing::Public::comparison_verdict,
                      {reinterpret_cast<const std::uint8_t*>(&verdict), sizeof verdict});
  return verdict;
}

namespace kernels {

bool watched_verdict(bool verdict) noexcept;
bool watched_verdict(bool verdict) noexcept {
  testing::declassify(testing::Public::tag_verdict, {reinterpret_cast<const std::uint8_t*>(&verdict), sizeof verdict});
  return verdict;
}

}  // namespace kernels
}  // namespace lockstep
