#include "record/format.hpp"

#include "record/format12.hpp"
#include "record/format13.hpp"
#include "record/opener.hpp"
#include "record/sealer.hpp"

namespace lockstep::record {

constinit const std::array<Format, 4> kFormats = {{
    {.iv_size = kAeadNonceSize,
     .explicit_nonce_size = 0,
     .inner_type_size = kInnerTypeSize,
     .most_added = kMaxAeadTagSize,
     .key_update = true,
     .stream = Stream::protected_,
     .seal = Sealer::seal_as<Tls13Records>,
     .seal_in_place = Sealer::seal_in_place_as<Tls13Records>,
     .open = Opener::open_as<Tls13Records>},
    {.iv_size = kSaltSize,
     .explicit_nonce_size = kExplicitNonceSize,
     .inner_type_size = 0,
     .most_added = kExplicitNonceSize + kMaxAeadTagSize,
     .key_update = false,
     .stream = Stream::protected_tls12,
     .seal = Sealer::seal_as<Tls12ExplicitNonceRecords>,
     .seal_in_place = Sealer::seal_in_place_as<Tls12ExplicitNonceRecords>,
     .open = Opener::open_as<Tls12ExplicitNonceRecords>},
    {.iv_size = kAeadNonceSize,
     .explicit_nonce_size = 0,
     .inner_type_size = 0,
     .most_added = kMaxAeadTagSize,
     .key_update = false,
     .stream = Stream::protected_tls12,
     .seal = Sealer::seal_as<Tls12ImplicitNonceRecords>,
     .seal_in_place = Sealer::seal_in_place_as<Tls12ImplicitNonceRecords>,
     .open = Opener::open_as<Tls12ImplicitNonceRecords>},
    {.iv_size = 0,
     .explicit_nonce_size = kCbcBlockSize,
     .inner_type_size = 0,
     .most_added = kCbcBlockSize + kMaxRecordMacSize + kMaxCbcPadding,
     .key_update = false,
     .stream = Stream::protected_tls12,
     .seal = Sealer::seal_as<Tls12CbcRecords>,
     .seal_in_place = Sealer::seal_in_place_as<Tls12CbcRecords>,
     .open = Opener::open_cbc},
}};

}  // namespace lockstep::record
