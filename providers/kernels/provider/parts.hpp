#pragma once
// What each file contributes: the kernels that this processor can run, for each algorithm the fastest first.

#include <span>

#include <lockstep/provider.hpp>

namespace lockstep::kernel_provider_parts {

std::span<const Aead> aeads();
std::span<const Hash> hashes();
std::span<const Group> groups();
std::span<const RecordMac> record_macs();
std::span<const Mask> masks();

}  // namespace lockstep::kernel_provider_parts
