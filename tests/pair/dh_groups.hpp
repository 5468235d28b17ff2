#pragma once
// Groups of finite fields that no code point names, as `openssl dhparam` made them.

#include <string_view>

#include <gtest/gtest.h>

#include <lockstep/x509_pem.hpp>

namespace lockstep::testing {

inline constexpr std::string_view kDh512 =
    "-----BEGIN DH PARAMETERS-----\n"
    "MEkCQQC4Z9oGUm705dVM21ZNPbz3u+ipvYTMwBbU7reBIDUd+p61F5ZiM8CSJDrs\n"
    "ssReJVkwX1Oe00nq0w+kP3N/MDuHAgECAgF9\n"
    "-----END DH PARAMETERS-----\n";
inline constexpr std::string_view kDh1024 =
    "-----BEGIN DH PARAMETERS-----\n"
    "MIGLAoGBAOPIVb0wH9gmtsMYxLJF0KimD5wzGPHX+H4NvwqnyTHyHJj/cmkVcIhz\n"
    "i57Moi2JtRGBY27U+eNanmC7GSeIB1BOML+Dohd947i1m15YraWhU7X5YXLXO7qp\n"
    "BQCSDB1Cyqcsal+Lv8W9mRuWeSFj4JWU+AJkl6uR/J3/1zDqZiePAgECAgIArw==\n"
    "-----END DH PARAMETERS-----\n";
inline constexpr std::string_view kDh2048 =
    "-----BEGIN DH PARAMETERS-----\n"
    "MIIBDAKCAQEA7ZGAGTLAV2xC6G30bECwMrYnZmTdxRKjinxIX86PDmirQ1FLoVRf\n"
    "NMdAGoiEw+wvz9UzlKin1Lrxa8isM+Bz/hYTCeODVxU+ZWlFfl/yqXdIVJzfMQNU\n"
    "uf4U2/iG3CUCVlwk8KDdDTS/uI/ldo79XhfVxtvT0o+h99Dd4rC4T4PiN7Uf91V7\n"
    "4Jl+Sh6EdxYko7odDWMWsgSo3fvHG3ejkl6zdzTwP0ZazHbsGNcqxlAU8aNP38lR\n"
    "qEkwJqjjG6X/inhEeFbMzjjxOlIpcrFXrNSHzk2sKtau2iaNDjNAAC3mq7g1ESlD\n"
    "2MhqGcc/X66WOn/K2PDQA15lfhXxK/EFlwIBAgICAOE=\n"
    "-----END DH PARAMETERS-----\n";

inline DhParameters dh_parameters(std::string_view pem) { return x509::load_dh_parameters(as_bytes(pem)).value(); }

}  // namespace lockstep::testing
