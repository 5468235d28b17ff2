// OCSP responses and SCTs beside certificates that are not what they must be, or that nobody asked for.

#include "hostile/hostile.hpp"

namespace lockstep::testing {
namespace {

constexpr auto kOcsp = ExtensionType::status_request;
constexpr auto kScts = ExtensionType::signed_certificate_timestamp;

const Octets kResponse{0x30, 0x03, 0x0a, 0x01, 0x00};
const Octets kSctList{0, 3, 0, 1, 0xaa};

/// CertificateStatus.
Octets status_of(Bytes response, std::uint8_t type = 1) {
  Octets status{type};
  put_vector(status, response, 3);
  return status;
}

struct Asked {
  bool ocsp = true;
  bool scts = true;
};

/// `liar` shows a certificate that was changed to a peer that asked for staples.
template <class Edit>
std::unique_ptr<Duel> duel_with(Role liar, Asked asked, Edit edit) {
  auto duel = std::make_unique<Duel>();
  duel->server_config.client_auth(ClientAuth::require);
  const auto ask = [&](auto& judge) { judge.ocsp_stapling(asked.ocsp).signed_certificate_timestamps(asked.scts); };
  if (liar == Role::server) {
    ask(duel->client_config);
  } else {
    ask(duel->server_config);
  }
  Forger& forger = liar == Role::server ? duel->server_forger : duel->client_forger;
  forger.change_parts<RawCertificate>(HandshakeType::certificate, edit);
  return duel;
}

template <class Edit>
void expect_refused(Asked asked, Edit edit, Reason reason, Alert alert, ExtensionType detail) {
  for (const Role liar : {Role::server, Role::client}) {
    const auto duel = duel_with(liar, asked, edit);
    if (liar == Role::server) {
      duel->expect_client_refuses(reason, alert);
    } else {
      duel->expect_server_refuses(reason, alert);
    }
    const End& judge = liar == Role::server ? duel->client() : duel->server();
    ASSERT_TRUE(judge.error);
    EXPECT_EQ(judge.error->place, Place::certificate);
    EXPECT_EQ(judge.error->detail, static_cast<std::uint16_t>(detail));
    EXPECT_TRUE(judge.judged_staples.empty());
    EXPECT_FALSE(judge.complete);
  }
}

auto leaf_with(ExtensionType type, Octets data) {
  return [type, data](RawCertificate& certificate) { certificate.certificate_list[0].extensions.add(type, data); };
}

TEST(HostileStaples, ComeOnlyWhenEachWasAskedFor) {
  expect_refused({.ocsp = false}, leaf_with(kOcsp, status_of(kResponse)), Reason::extension_unsolicited,
                 Alert::unsupported_extension, kOcsp);
  expect_refused({.scts = false}, leaf_with(kScts, kSctList), Reason::extension_unsolicited,
                 Alert::unsupported_extension, kScts);
}

TEST(HostileStaples, ResponsesAreWellFormed) {
  for (const Octets& data : {Octets{}, Octets{1}, Octets{1, 0, 0}, Octets{1, 0, 0, 0}, Octets{1, 0, 0, 2, 0x30},
                             Octets{1, 0, 0, 1, 0x30, 0}}) {
    expect_refused({}, leaf_with(kOcsp, data), Reason::extension_malformed, Alert::decode_error, kOcsp);
  }
}

TEST(HostileStaples, ResponsesAreOfTheTypeThatWasAskedFor) {
  for (const std::uint8_t type : {std::uint8_t{0}, std::uint8_t{2}, std::uint8_t{255}}) {
    expect_refused({}, leaf_with(kOcsp, status_of(kResponse, type)), Reason::enum_value, Alert::illegal_parameter,
                   kOcsp);
  }
}

TEST(HostileStaples, SctListsAreWellFormed) {
  for (const Octets& data : {Octets{}, Octets{0}, Octets{0, 0}, Octets{0, 2, 0, 0}, Octets{0, 5, 0, 1, 0xaa, 0, 0},
                             Octets{0, 4, 0, 1, 0xaa}, Octets{0, 3, 0, 2, 0xaa}, Octets{0, 3, 0, 1, 0xaa, 0}}) {
    expect_refused({}, leaf_with(kScts, data), Reason::extension_malformed, Alert::decode_error, kScts);
  }
}

TEST(HostileStaples, ComeOnce) {
  expect_refused(
      {},
      [](RawCertificate& certificate) {
        for (int times = 0; times < 2; ++times)
          certificate.certificate_list[0].extensions.add(kOcsp, status_of(kResponse));
      },
      Reason::extension_duplicate, Alert::illegal_parameter, kOcsp);
  expect_refused(
      {},
      [](RawCertificate& certificate) {
        for (int times = 0; times < 2; ++times) certificate.certificate_list[0].extensions.add(kScts, kSctList);
      },
      Reason::extension_duplicate, Alert::illegal_parameter, kScts);
}

// Every certificate of a chain may have staples (RFC 9846 4.5.1.1): those of others than the leaf are checked, not
// told.
TEST(HostileStaples, OfIntermediatesAreNotTheLeafs) {
  const auto another = [](Octets response, Octets scts) {
    return [response, scts](RawCertificate& certificate) {
      auto& list = certificate.certificate_list;
      list.push_back({list[0].cert_data, {}});
      list[1].extensions.add(kOcsp, response);
      list[1].extensions.add(kScts, scts);
    };
  };
  for (const Role shows : {Role::server, Role::client}) {
    const auto duel = duel_with(shows, {}, another(status_of(kResponse), kSctList));
    duel->expect_connected();
    const End& judge = shows == Role::server ? duel->client() : duel->server();
    EXPECT_EQ(judge.judged_staples, std::vector{Staples{}});
    EXPECT_EQ(judge.peer_chain.size(), 2U);
  }
  expect_refused({}, another(status_of({}), kSctList), Reason::extension_malformed, Alert::decode_error, kOcsp);
  expect_refused({}, another(status_of(kResponse), {0, 0}), Reason::extension_malformed, Alert::decode_error, kScts);
  expect_refused({.scts = false}, another(status_of(kResponse), kSctList), Reason::extension_unsolicited,
                 Alert::unsupported_extension, kScts);
}

TEST(HostileStaples, OfTheLeafAreTold) {
  const auto duel = duel_with(Role::server, {}, [](RawCertificate& certificate) {
    certificate.certificate_list[0].extensions.add(kScts, kSctList);  // in either order
    certificate.certificate_list[0].extensions.add(kOcsp, status_of(kResponse));
  });
  duel->expect_connected();
  EXPECT_EQ(duel->client().judged_staples, (std::vector{Staples{kResponse, kSctList}}));
}

// RFC 6066 8: a request of a type of a later day is none; one of OCSP is whole.
TEST(HostileStaples, RequestsAreWhole) {
  const auto request = [](Octets data) {
    auto duel = std::make_unique<Duel>();
    duel->client_config.ocsp_stapling(true);
    duel->client_forger.change_parts<RawClientHello>(HandshakeType::client_hello,
                                                     [data](RawClientHello& hello) { hello.extensions[kOcsp] = data; });
    return duel;
  };
  const auto later = request({2, 9, 9, 9});
  later->expect_connected();
  EXPECT_FALSE(later->server().ocsp_requested);
  const auto with_responders = request({1, 0, 4, 0, 2, 0xa1, 0x00, 0, 0});
  with_responders->expect_connected();
  EXPECT_TRUE(with_responders->server().ocsp_requested);
  for (const Octets& data : {Octets{}, Octets{1}, Octets{1, 0, 0}, Octets{1, 0, 0, 0, 1}, Octets{1, 0, 0, 0, 0, 0}})
    request(data)->expect_server_refuses(Reason::extension_malformed, Alert::decode_error);
}

TEST(HostileStaples, RequestsForSctsAreEmpty) {
  Duel duel;
  duel.client_config.signed_certificate_timestamps(true);
  duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello,
                                                  [](RawClientHello& hello) { hello.extensions[kScts] = {0}; });
  duel.expect_server_refuses(Reason::extension_malformed, Alert::decode_error);
}

}  // namespace
}  // namespace lockstep::testing
