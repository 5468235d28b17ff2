// What is not TLS, or not TLS 1.3: each is told apart from the first bytes on.

#include <array>

#include "hostile/hostile.hpp"

namespace lockstep::testing {
namespace {

/// What an engine makes of bytes that come from nobody in particular, all at once or one by one.
class Listener {
 public:
  explicit Listener(Role role) : random_(9), connection_(make(role)) {
    Octets hello(2000);
    EXPECT_EQ(connection_.transmit(hello, kNow) != 0, role == Role::client);
  }

  /// Feeds the bytes; what is left unread is presented again, as callers do.
  const Error* hear(Bytes bytes, std::size_t step) {
    Octets buffer;
    for (std::size_t offset = 0; offset < bytes.size() && connection_.error() == nullptr;) {
      const std::size_t more = std::min(step, bytes.size() - offset);
      append(buffer, bytes.subspan(offset, more));
      offset += more;
      for (;;) {
        auto [consumed, event] = connection_.receive(buffer, kNow);
        buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(consumed));
        if (consumed == 0) break;
      }
    }
    return connection_.error();
  }
  Octets answer() {
    Octets out(100);
    out.resize(connection_.transmit(out, kNow));
    return out;
  }

 private:
  Connection make(Role role) {
    if (role == Role::server) return Connection::server(built(plain_server()), random_);
    return Connection::client(built(plain_client()), {x509::PeerName::dns("example.com").value(), {}}, random_, kNow);
  }
  FixedRandom random_;
  Connection connection_;
};

struct Refusal {
  Reason reason;
  Alert alert;
};

void expect_refused(Role role, Bytes bytes, Refusal refusal, std::size_t evidence = 0) {
  for (const std::size_t step : {bytes.size(), std::size_t{1}}) {
    Listener listener(role);
    const Error* error = listener.hear(bytes, step);
    ASSERT_NE(error, nullptr) << name(refusal.reason) << " in steps of " << step;
    EXPECT_EQ(error->reason, refusal.reason) << to_text(*error);
    EXPECT_EQ(error->alert, refusal.alert) << to_text(*error);
    EXPECT_EQ(error->origin, Origin::local);
    EXPECT_FALSE(explain(error->reason).empty());
    EXPECT_FALSE(advise(error->reason).empty());
    // The evidence is the begin of what came, as far as it had to be seen.
    if (evidence != 0) {
      const std::size_t seen = step == 1 ? std::min<std::size_t>(error->evidence_size, bytes.size())
                                         : std::min<std::size_t>({16, bytes.size(), evidence});
      EXPECT_GT(error->evidence_size, 0);
      EXPECT_EQ(error->evidence_size, seen);
      EXPECT_TRUE(equal(Bytes(error->evidence).first(error->evidence_size), bytes.first(seen)));
    } else {
      EXPECT_EQ(error->evidence_size, 0);
    }
    // One fatal alert in a record of its own, and then nothing.
    EXPECT_EQ(listener.answer(), plain_record(21, Octets{2, static_cast<std::uint8_t>(refusal.alert)}));
    EXPECT_TRUE(listener.answer().empty());
  }
}
void expect_refused(Role role, std::string_view text, Refusal refusal, std::size_t evidence = 0) {
  expect_refused(role, as_bytes(text), refusal, evidence);
}

constexpr Refusal kNotTls{Reason::not_tls, Alert::unexpected_message};
constexpr Refusal kPlainHttp{Reason::plain_http, Alert::unexpected_message};
constexpr Refusal kSsl2{Reason::ssl2_or_older, Alert::protocol_version};

TEST(HostileFirstBytes, GarbageIsNotTls) {
  for (const Role role : {Role::server, Role::client}) {
    expect_refused(role, "SSH-2.0-OpenSSH_9.6\r\n", kNotTls, 16);
    expect_refused(role, "220 mail.example.com ESMTP\r\n", kNotTls, 16);
    expect_refused(role, Octets{0, 0, 0, 0, 0, 0, 0, 0}, kNotTls, 8);
    expect_refused(role, Octets(40, 0xff), kNotTls, 16);
    expect_refused(role, Octets{0x13, 0x03, 0x03, 0, 1, 0}, kNotTls, 6);
    expect_refused(role, Octets{0x18, 0x03, 0x03, 0, 1, 0}, kNotTls, 6);
    expect_refused(role, "GEThering", kNotTls, 9);
    expect_refused(role, "\n", kNotTls, 1);
  }
}

TEST(HostileFirstBytes, PlainHttpRequestIsRecognised) {
  for (const std::string_view request :
       {"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "HEAD / HTTP/1.0\r\n\r\n", "POST /form HTTP/1.1\r\n\r\n",
        "PUT /file HTTP/1.1\r\n\r\n", "DELETE /file HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n",
        "CONNECT example.com:443 HTTP/1.1\r\n\r\n", "TRACE / HTTP/1.1\r\n\r\n", "PATCH /x HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
    expect_refused(Role::server, request, kPlainHttp, 16);
  }
  Listener listener(Role::server);
  const Error* error = listener.hear(as_bytes("GET / HTTP/1.1\r\n"), 100);
  ASSERT_NE(error, nullptr);
  EXPECT_NE(to_text(*error).find("GET / HTTP/1.1"), std::string::npos) << to_text(*error);
}

TEST(HostileFirstBytes, PlainHttpResponseIsRecognised) {
  expect_refused(Role::client, "HTTP/1.1 400 Bad Request\r\n\r\n", kPlainHttp, 16);
}

TEST(HostileFirstBytes, Ssl2HelloIsRecognised) {
  // MSB of a two-byte length, CLIENT-HELLO, version, lengths of suites, session id and challenge.
  const Octets client_hello{0x80, 0x2e, 0x01, 0x00, 0x02, 0x00, 0x15, 0x00, 0x00, 0x00, 0x10, 0x01, 0x00, 0x80};
  expect_refused(Role::server, client_hello, kSsl2, 14);
  // The same form, offering SSL 3.0 or TLS.
  const Octets compatible{0x80, 0x2e, 0x01, 0x03, 0x01, 0x00, 0x15, 0x00, 0x00, 0x00, 0x10, 0x01, 0x00, 0x80};
  expect_refused(Role::server, compatible, kSsl2, 14);
  const Octets server_hello{0x80, 0x2e, 0x04, 0x00, 0x01, 0x00, 0x02};
  expect_refused(Role::client, server_hello, kSsl2, 7);
}

TEST(HostileFirstBytes, ForeignMajorVersionIsRefused) {
  expect_refused(Role::server, Octets{0x16, 0x02, 0x00, 0, 4, 1, 0, 0, 0},
                 {Reason::record_version, Alert::protocol_version});
  expect_refused(Role::client, Octets{0x16, 0x7f, 0x00, 0, 4, 2, 0, 0, 0},
                 {Reason::record_version, Alert::protocol_version});
}

TEST(HostileFirstBytes, MinorVersionOfARecordIsIgnored) {
  for (const std::uint8_t minor : Octets{0, 1, 2, 3, 4, 0x7f}) {
    Duel duel;
    duel.pair().step(duel.client(), duel.to_server(), duel.to_client());
    duel.to_server()[2] = minor;
    duel.expect_connected();
  }
}

// --- versions that are not spoken ---------------------------------------------------------------------------------

using Versions = std::vector<std::uint16_t>;

TEST(HostileVersions, OlderClientsAreRefused) {
  for (const std::uint16_t version : Versions{0x0301, 0x0302, 0x0303}) {
    Duel duel;
    duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello,
                                                    [version](RawClientHello& hello) { make_older(hello, version); });
    duel.expect_server_refuses(Reason::version_unsupported, Alert::protocol_version);
    EXPECT_EQ(duel.server().error->detail, version);
  }
}

TEST(HostileVersions, ClientsWithoutExtensionsAreRefused) {
  Duel duel;
  duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [](RawClientHello& hello) {
    make_older(hello, 0x0301);
    hello.without_extensions = true;
  });
  duel.expect_server_refuses(Reason::version_unsupported, Alert::protocol_version);
}

TEST(HostileVersions, Ssl3ClientsAreRefused) {
  for (const std::uint16_t version : Versions{0x0300, 0x0200, 0x0000}) {
    Duel duel;
    duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello,
                                                    [version](RawClientHello& hello) { make_older(hello, version); });
    duel.expect_server_refuses(Reason::version_ssl3, Alert::protocol_version);
  }
}

TEST(HostileVersions, ListWithoutTls13IsRefused) {
  Duel duel;
  duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [](RawClientHello& hello) {
    // RFC 9846 4.3.1: the list counts, whatever legacy_version says; unknown versions in it do no harm.
    hello.extensions[ExtensionType::supported_versions] = {6, 0x03, 0x03, 0x7f, 0x1c, 0x3a, 0x3a};
  });
  duel.expect_server_refuses(Reason::version_unsupported, Alert::protocol_version);
}

TEST(HostileVersions, UnknownVersionsBesideTls13AreIgnored) {
  Duel duel;
  duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [](RawClientHello& hello) {
    hello.extensions[ExtensionType::supported_versions] = {10,   0x3a, 0x3a, 0x04, 0x00, 0x03,
                                                           0x05, 0x03, 0x04, 0x03, 0x03};
  });
  duel.expect_connected();
}

// RFC 9846 4.2.2, where RFC 8446 had the field ignored beside the list.
TEST(HostileVersions, LegacyVersionOfATls13HelloIsThatOfTls12) {
  for (const std::uint16_t version : Versions{0x0301, 0x0302, 0x0304, 0x7fff}) {
    Duel duel;
    duel.client_forger.change_parts<RawClientHello>(
        HandshakeType::client_hello, [version](RawClientHello& hello) { hello.legacy_version = version; });
    duel.expect_server_refuses(Reason::version_legacy, Alert::protocol_version);
    EXPECT_EQ(duel.server().error->detail, version);
  }
}

// RFC 9846 4.3.1: without the list it is no offer of TLS 1.3, however high its version.
TEST(HostileVersions, HigherVersionWithoutTheListIsNoTls13) {
  for (const std::uint16_t version : Versions{0x0304, 0x0305, 0x03ff, 0x7fff}) {
    Duel duel;
    duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [version](RawClientHello& hello) {
      hello.legacy_version = version;
      hello.extensions.remove(ExtensionType::supported_versions);
    });
    duel.expect_server_refuses(Reason::version_unsupported, Alert::protocol_version);
  }
}

TEST(HostileVersions, FallbackIsRefused) {
  Duel duel;
  duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [](RawClientHello& hello) {
    make_older(hello, 0x0303);
    append(hello.cipher_suites, Octets{0x56, 0x00});
  });
  duel.expect_server_refuses(Reason::inappropriate_fallback, Alert::inappropriate_fallback);
}

TEST(HostileVersions, FallbackSignalBesideTls13IsIgnored) {
  Duel duel;
  duel.client_forger.change_parts<RawClientHello>(
      HandshakeType::client_hello, [](RawClientHello& hello) { append(hello.cipher_suites, Octets{0x56, 0x00}); });
  duel.expect_connected();
}

TEST(HostileVersions, OlderServersAreRefused) {
  for (const std::uint16_t version : Versions{0x0301, 0x0302, 0x0303}) {
    Duel duel;
    duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello,
                                                    [version](RawServerHello& hello) { make_older(hello, version); });
    duel.expect_client_refuses(Reason::version_unsupported, Alert::protocol_version);
    EXPECT_EQ(duel.client().error->detail, version);
  }
}

TEST(HostileVersions, Ssl3ServersAreRefused) {
  Duel duel;
  duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello,
                                                  [](RawServerHello& hello) { make_older(hello, 0x0300); });
  duel.expect_client_refuses(Reason::version_ssl3, Alert::protocol_version);
}

TEST(HostileVersions, DowngradeSentinelsAreSeen) {
  for (const std::uint8_t last : Octets{0, 1}) {
    for (const std::uint16_t version : Versions{0x0301, 0x0302, 0x0303}) {
      Duel duel;
      duel.server_forger.change_parts<RawServerHello>(
          HandshakeType::server_hello, [last, version](RawServerHello& hello) {
            make_older(hello, version);
            std::ranges::copy(Octets{0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, last}, hello.random.end() - 8);
          });
      duel.expect_client_refuses(Reason::version_downgrade, Alert::illegal_parameter);
    }
  }
}

TEST(HostileVersions, SentinelInATls13RandomMeansNothing) {
  Duel duel;
  duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [](RawServerHello& hello) {
    std::ranges::copy(Octets{0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 1}, hello.random.end() - 8);
  });
  duel.expect_connected();
}

TEST(HostileVersions, SelectedVersionMustBeOffered) {
  for (const Octets& selected : {Octets{0x03, 0x03}, Octets{0x03, 0x01}, Octets{0x03, 0x05}, Octets{0x7f, 0x1c}}) {
    Duel duel;
    duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [&](RawServerHello& hello) {
      hello.extensions[ExtensionType::supported_versions] = selected;
    });
    duel.expect_client_refuses(Reason::version_not_offered, Alert::illegal_parameter);
  }
}

TEST(HostileVersions, LegacyVersionOfServerHelloIsFixed) {
  for (const std::uint16_t version : Versions{0x0301, 0x0304}) {
    Duel duel;
    duel.server_forger.change_parts<RawServerHello>(
        HandshakeType::server_hello, [version](RawServerHello& hello) { hello.legacy_version = version; });
    duel.expect_client_refuses(Reason::version_legacy, Alert::protocol_version);
  }
}

}  // namespace
}  // namespace lockstep::testing
