// Where the product says that a secret comparison's outcome is public. The linker puts this in the way (--wrap), and
// the kernels are compiled with LOCKSTEP_CHECK_HANDSHAKES: nothing of this is in the product. What a library returns is
// seen in a file for each.

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

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

namespace record {

void watched_padding(Bytes additional_data, Bytes text, std::uint64_t& good, std::size_t& content_size) noexcept;
void watched_padding(Bytes additional_data, Bytes text, std::uint64_t& good, std::size_t& content_size) noexcept {
  const auto reveal = [](auto& value) {
    testing::declassify(testing::Public::record_length, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  };
  reveal(good);
  reveal(content_size);
  if (static_cast<ContentType>(additional_data[8]) != ContentType::application_data)
    testing::declassify(testing::Public::handshake_content, text);
}

}  // namespace record

namespace kernels {

bool watched_verdict(bool verdict) noexcept;
bool watched_verdict(bool verdict) noexcept {
  testing::declassify(testing::Public::tag_verdict, {reinterpret_cast<const std::uint8_t*>(&verdict), sizeof verdict});
  return verdict;
}

/// rho of ML-KEM, which stands in the key share and is what the matrix is sampled from.
void watched_release(void* memory, std::size_t size) noexcept;
void watched_release(void* memory, std::size_t size) noexcept {
  testing::declassify(testing::Public::key_share, {static_cast<const std::uint8_t*>(memory), size});
}

}  // namespace kernels
}  // namespace lockstep
