// The primes of RFC 7919, and the little arithmetic that checking parameters takes.

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>

#include <lockstep/finite_field.hpp>

namespace lockstep {
namespace {

// RFC 7919 2: "They are all safe primes derived from the base of the natural logarithm ("e"), with the high and low 64
// bits set to 1 for efficient Montgomery or Barrett reduction." So each begins as the largest does, and ends otherwise:
// appendix A adds a number of its own to the digits of e.
constexpr std::string_view kFfdhe8192 =
    "FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695A9E13641146433FBCC939DCE249B3EF97D2FE363630C75D8"
    "F681B202AEC4617AD3DF1ED5D5FD65612433F51F5F066ED0856365553DED1AF3B557135E7F57C935984F0C70E0E68B77E2A689DAF3EFE872"
    "1DF158A136ADE73530ACCA4F483A797ABC0AB182B324FB61D108A94BB2C8E3FBB96ADAB760D7F4681D4F42A3DE394DF4AE56EDE76372BB19"
    "0B07A7C8EE0A6D709E02FCE1CDF7E2ECC03404CD28342F619172FE9CE98583FF8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005"
    "C58EF1837D1683B2C6F34A26C1B2EFFA886B4238611FCFDCDE355B3B6519035BBC34F4DEF99C023861B46FC9D6E6C9077AD91D2691F7F7EE"
    "598CB0FAC186D91CAEFE130985139270B4130C93BC437944F4FD4452E2D74DD364F2E21E71F54BFF5CAE82AB9C9DF69EE86D2BC522363A0D"
    "ABC521979B0DEADA1DBF9A42D5C4484E0ABCD06BFA53DDEF3C1B20EE3FD59D7C25E41D2B669E1EF16E6F52C3164DF4FB7930E9E4E58857B6"
    "AC7D5F42D69F6D187763CF1D5503400487F55BA57E31CC7A7135C886EFB4318AED6A1E012D9E6832A907600A918130C46DC778F971AD0038"
    "092999A333CB8B7A1A1DB93D7140003C2A4ECEA9F98D0ACC0A8291CDCEC97DCF8EC9B55A7F88A46B4DB5A851F44182E1C68A007E5E0DD902"
    "0BFD64B645036C7A4E677D2C38532A3A23BA4442CAF53EA63BB454329B7624C8917BDD64B1C0FD4CB38E8C334C701C3ACDAD0657FCCFEC71"
    "9B1F5C3E4E46041F388147FB4CFDB477A52471F7A9A96910B855322EDB6340D8A00EF092350511E30ABEC1FFF9E3A26E7FB29F8C183023C3"
    "587E38DA0077D9B4763E4E4B94B2BBC194C6651E77CAF992EEAAC0232A281BF6B3A739C1226116820AE8DB5847A67CBEF9C9091B462D538C"
    "D72B03746AE77F5E62292C311562A846505DC82DB854338AE49F5235C95B91178CCF2DD5CACEF403EC9D1810C6272B045B3B71F9DC6B80D6"
    "3FDD4A8E9ADB1E6962A69526D43161C1A41D570D7938DAD4A40E329CCFF46AAA36AD004CF600C8381E425A31D951AE64FDB23FCEC9509D43"
    "687FEB69EDD1CC5E0B8CC3BDF64B10EF86B63142A3AB8829555B2F747C932665CB2C0F1CC01BD70229388839D2AF05E454504AC78B758282"
    "2846C0BA35C35F5C59160CC046FD8251541FC68C9C86B022BB7099876A460E7451A8A93109703FEE1C217E6C3826E52C51AA691E0E423CFC"
    "99E9E31650C1217B624816CDAD9A95F9D5B8019488D9C0A0A1FE3075A577E23183F81D4A3F2FA4571EFC8CE0BA8A4FE8B6855DFE72B0A66E"
    "DED2FBABFBE58A30FAFABE1C5D71A87E2F741EF8C1FE86FEA6BBFDE530677F0D97D11D49F7A8443D0822E506A9F4614E011E2A94838FF88C"
    "D68C8BB7C5C6424CFFFFFFFFFFFFFFFF";

constexpr std::uint8_t digit(char letter) noexcept {
  return static_cast<std::uint8_t>(letter <= '9' ? letter - '0' : letter - 'A' + 10);
}

template <std::size_t bits>
constexpr std::array<std::uint8_t, bits / 8> prime(std::string_view tail) noexcept {
  std::array<std::uint8_t, bits / 8> bytes{};
  const std::size_t common = 2 * bytes.size() - tail.size();
  const auto at = [&](std::size_t place) { return digit(place < common ? kFfdhe8192[place] : tail[place - common]); };
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(at(2 * i) << 4U | at(2 * i + 1));
  return bytes;
}

// RFC 7919 A.1 to A.5.
constexpr auto kPrime2048 = prime<2048>("285C97FFFFFFFFFFFFFFFF");
constexpr auto kPrime3072 = prime<3072>("C62E37FFFFFFFFFFFFFFFF");
constexpr auto kPrime4096 = prime<4096>("655F6AFFFFFFFFFFFFFFFF");
constexpr auto kPrime6144 = prime<6144>("D0E40E65FFFFFFFFFFFFFFFF");
constexpr auto kPrime8192 = prime<8192>("");
constexpr std::array<std::uint8_t, 1> kGenerator{2};

struct Field {
  NamedGroup group;
  FieldParameters parameters;
};
constexpr std::array kFields{
    Field{NamedGroup::ffdhe2048, {kPrime2048, kGenerator}}, Field{NamedGroup::ffdhe3072, {kPrime3072, kGenerator}},
    Field{NamedGroup::ffdhe4096, {kPrime4096, kGenerator}}, Field{NamedGroup::ffdhe6144, {kPrime6144, kGenerator}},
    Field{NamedGroup::ffdhe8192, {kPrime8192, kGenerator}},
};

}  // namespace

std::optional<FieldParameters> field_parameters(NamedGroup group) noexcept {
  const auto found = std::ranges::find(kFields, group, &Field::group);
  if (found == kFields.end()) return std::nullopt;
  return found->parameters;
}

std::optional<NamedGroup> named_field(const FieldParameters& parameters) noexcept {
  const auto found = std::ranges::find_if(kFields, [&](const Field& field) {
    return equal(field.parameters.p, parameters.p) && equal(field.parameters.g, parameters.g);
  });
  if (found == kFields.end()) return std::nullopt;
  return found->group;
}

Bytes without_leading_zeros(Bytes number) noexcept {
  const auto first = std::ranges::find_if(number, [](std::uint8_t byte) { return byte != 0; });
  return {first, number.end()};
}

std::size_t bit_size(Bytes number) noexcept {
  number = without_leading_zeros(number);
  if (number.empty()) return 0;
  return 8 * number.size() - static_cast<std::size_t>(std::countl_zero(number.front()));
}

bool within_field(Bytes number, Bytes p) noexcept {
  number = without_leading_zeros(number);
  p = without_leading_zeros(p);
  if (bit_size(number) < 2) return false;
  if (number.size() != p.size()) return number.size() < p.size();
  // p is odd: p - 1 differs from it in the last bit alone.
  const std::size_t last = p.size() - 1;
  const int high = std::memcmp(number.data(), p.data(), last);
  return high < 0 || (high == 0 && number[last] < (p[last] & 0xfeU));
}

}  // namespace lockstep
