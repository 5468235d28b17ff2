// Compressed certificates (RFC 8879) that nobody asked for, that are damaged, or that would come to more than they say.

#include "hostile/hostile.hpp"

namespace lockstep::testing {
namespace {

constexpr auto kType = HandshakeType::compressed_certificate;
constexpr auto kRequest = ExtensionType::compress_certificate;

/// CompressedCertificate.
struct RawCompressed {
  std::uint16_t algorithm = 0;
  std::size_t uncompressed_length = 0;
  Octets compressed_certificate_message;
  Octets behind{};

  static RawCompressed split(Bytes message) {
    Cursor cursor(message.subspan(4));
    RawCompressed compressed;
    compressed.algorithm = static_cast<std::uint16_t>(cursor.number(2));
    compressed.uncompressed_length = cursor.number(3);
    compressed.compressed_certificate_message = cursor.vector(3);
    return compressed;
  }
  /// As it would be by runs.
  static RawCompressed by_runs(const Octets& certificate) {
    RawCompressed compressed{
        .algorithm = 3, .uncompressed_length = certificate.size(), .compressed_certificate_message = {}};
    auto& out = compressed.compressed_certificate_message;
    out.resize(3 * certificate.size() + 3);
    out.resize(kRuns.compress(certificate, out));
    return compressed;
  }
  [[nodiscard]] Octets join() const {
    Octets body;
    put(body, algorithm, 2);
    put(body, uncompressed_length, 3);
    put_vector(body, compressed_certificate_message, 3);
    body.insert(body.end(), behind.begin(), behind.end());
    return message_of(kType, body);
  }
};

/// `liar` shows a certificate, compressed by the first codec, to a peer that takes what `judge` has.
std::unique_ptr<Duel> duel_with(Role liar, std::vector<CertificateCodec> judge = test_codecs()) {
  auto duel = std::make_unique<Duel>();
  const bool server = liar == Role::server;
  if (!server) duel->server_config.client_auth(ClientAuth::require);
  duel->client_config.certificate_compression(server ? std::move(judge) : std::vector{kShortening});
  if (!server) duel->server_config.certificate_compression(std::move(judge));
  if (server) duel->server_config.certificate_compression({kShortening});
  return duel;
}
Forger& forger_of(Duel& duel, Role liar) { return liar == Role::server ? duel.server_forger : duel.client_forger; }

void expect_refused(Duel& duel, Role liar, Reason reason, Alert alert, Place place) {
  SCOPED_TRACE(std::string(liar == Role::server ? "server: " : "client: ") + std::string(name(reason)));
  if (liar == Role::server) {
    duel.expect_client_refuses(reason, alert);
  } else {
    duel.expect_server_refuses(reason, alert);
  }
  const End& judge = liar == Role::server ? duel.client() : duel.server();
  ASSERT_TRUE(judge.error);
  EXPECT_EQ(judge.error->place, place) << error_text(judge);
  EXPECT_FALSE(judge.complete);
  EXPECT_TRUE(judge.judged_chains.empty());
}

template <class Edit>
void expect_refused(Edit edit, Reason reason, Alert alert, Place place = Place::compressed_certificate) {
  for (const Role liar : {Role::server, Role::client}) {
    const auto duel = duel_with(liar);
    forger_of(*duel, liar).change_parts<RawCompressed>(kType, edit);
    expect_refused(*duel, liar, reason, alert, place);
  }
}

/// The certificate inside is another.
template <class Edit>
void expect_inside_refused(Edit edit, Reason reason, Alert alert) {
  expect_refused(
      [edit](RawCompressed& compressed) {
        Octets certificate(compressed.uncompressed_length);
        ASSERT_TRUE(kShortening.decompress(compressed.compressed_certificate_message, certificate));
        RawCertificate parts = RawCertificate::split(message_of(HandshakeType::certificate, certificate));
        edit(parts);
        const Octets message = parts.join();
        compressed = RawCompressed::by_runs(Octets(message.begin() + 4, message.end()));
      },
      reason, alert, Place::certificate);
}

TEST(HostileCompression, WhatIsRightIsTaken) {
  for (const Role liar : {Role::server, Role::client}) {
    const auto duel = duel_with(liar);
    forger_of(*duel, liar).change_parts<RawCompressed>(kType, [](RawCompressed& compressed) {
      Octets certificate(compressed.uncompressed_length);
      ASSERT_TRUE(kShortening.decompress(compressed.compressed_certificate_message, certificate));
      compressed = RawCompressed::by_runs(certificate);  // larger, which is no fault
    });
    duel->expect_connected();
    EXPECT_EQ((liar == Role::server ? duel->client() : duel->server()).peer_compression, kRuns.algorithm);
  }
}

TEST(HostileCompression, ComesOnlyWhereItWasAskedFor) {
  const CertificateCodec only_writes{kShortening.algorithm, nullptr, kShortening.compress};
  for (const Role liar : {Role::server, Role::client}) {
    for (const bool writes : {false, true}) {
      const auto duel = duel_with(liar, writes ? std::vector{only_writes} : std::vector<CertificateCodec>{});
      forger_of(*duel, liar).change(HandshakeType::certificate, [](const Octets& message) {
        return RawCompressed{.algorithm = 1,
                             .uncompressed_length = message.size() - 4,
                             .compressed_certificate_message = Octets(message.begin() + 6, message.end())}
            .join();
      });
      expect_refused(*duel, liar, Reason::message_unexpected, Alert::unexpected_message, Place::compressed_certificate);
    }
  }
}

TEST(HostileCompression, IsByAnAlgorithmThatWasNamed) {
  for (const std::uint16_t algorithm : std::initializer_list<std::uint16_t>{0, 2, 4, 0x0a0a, 0xffff}) {
    expect_refused([algorithm](RawCompressed& compressed) { compressed.algorithm = algorithm; },
                   Reason::compression_not_offered, Alert::illegal_parameter);
  }
  // One that is known here, and was not named.
  const CertificateCodec only_writes{kRuns.algorithm, nullptr, kRuns.compress};
  for (const Role liar : {Role::server, Role::client}) {
    const auto duel = duel_with(liar, {kShortening, only_writes});
    forger_of(*duel, liar).change_parts<RawCompressed>(kType, [](RawCompressed& compressed) {
      compressed.algorithm = 3;
    });
    expect_refused(*duel, liar, Reason::compression_not_offered, Alert::illegal_parameter,
                   Place::compressed_certificate);
  }
}

TEST(HostileCompression, IsAsLongAsItSays) {
  for (const int off : {-300, -1, 1, 1000}) {
    expect_refused(
        [off](RawCompressed& compressed) { compressed.uncompressed_length += static_cast<std::size_t>(off); },
        Reason::decompression_failed, Alert::bad_certificate);
  }
  expect_refused([](RawCompressed& compressed) { compressed.compressed_certificate_message.pop_back(); },
                 Reason::decompression_failed, Alert::bad_certificate);
  expect_refused([](RawCompressed& compressed) { compressed.compressed_certificate_message.push_back(0); },
                 Reason::decompression_failed, Alert::bad_certificate);
}

// What it comes to is held against the limits before anything is decompressed.
TEST(HostileCompression, MayNotComeToMoreThanAMessage) {
  static int decompressed;
  decompressed = 0;
  constexpr CertificateCodec kBomb{kRuns.algorithm,
                                   [](Bytes compressed, MutableBytes certificate) noexcept {
                                     ++decompressed;
                                     return kRuns.decompress(compressed, certificate);
                                   },
                                   nullptr};
  for (const Role liar : {Role::server, Role::client}) {
    for (const std::size_t size : {kDefaultMaxHandshakeMessage + 1, (std::size_t{1} << 24U) - 1}) {
      const auto duel = duel_with(liar, {kShortening, kBomb});
      forger_of(*duel, liar).change_parts<RawCompressed>(kType, [size](RawCompressed& compressed) {
        compressed = {.algorithm = 3, .uncompressed_length = size, .compressed_certificate_message = {}};
        for (std::size_t left = size; left != 0;) {
          const std::size_t run = std::min<std::size_t>(left, 0xffff);
          put(compressed.compressed_certificate_message, run, 2);
          compressed.compressed_certificate_message.push_back(0x30);
          left -= run;
        }
      });
      expect_refused(*duel, liar, Reason::message_too_long, Alert::decode_error, Place::compressed_certificate);
    }
  }
  EXPECT_EQ(decompressed, 0);
}

TEST(HostileCompression, CountsAgainstTheMemoryOfTheHandshake) {
  for (const std::size_t size : {65'000U, 65'536U}) {
    Duel duel;
    duel.client_config.certificate_compression(test_codecs())
        .max_handshake_message(65'536)
        .handshake_memory(65'536 + 16'384);
    duel.server_config.certificate_compression({kRuns}).handshake_memory(std::size_t{1} << 23U);
    Credential credential = *credential_of(usual_key());
    const std::size_t before = certificate_message_size(credential);
    credential.chain.emplace_back(size - before - 5, std::uint8_t{0x30});
    duel.server().credential = std::make_shared<const Credential>(std::move(credential));
    // A handshake of such a size fits with little else; twice it does not.
    duel.run();
    EXPECT_TRUE(duel.client().complete) << error_text(duel.client());
  }
  Duel duel;
  duel.client_config.certificate_compression(test_codecs())
      .max_handshake_message(65'536)
      .handshake_memory(65'536 + 16'384);
  duel.server_config.certificate_compression({kShortening}).handshake_memory(std::size_t{1} << 23U);
  Credential credential = *credential_of(usual_key());
  credential.chain.emplace_back(60'000, std::uint8_t{0x30});
  duel.server().credential = std::make_shared<const Credential>(std::move(credential));
  duel.expect_client_refuses(Reason::handshake_too_large, Alert::handshake_failure);
}

// A codec writes into what it was given, however much the message would come to.
TEST(HostileCompression, RunsEndWhereTheyMust) {
  expect_refused(
      [](RawCompressed& compressed) {
        compressed = {.algorithm = 3, .uncompressed_length = 10, .compressed_certificate_message = {0xff, 0xff, 0}};
      },
      Reason::decompression_failed, Alert::bad_certificate);
}

TEST(HostileCompression, IsWellFormed) {
  expect_refused([](RawCompressed& compressed) { compressed.behind = {0}; }, Reason::message_trailing_data,
                 Alert::decode_error);
  expect_refused([](RawCompressed& compressed) { compressed.compressed_certificate_message.clear(); },
                 Reason::vector_length, Alert::decode_error);
  for (const std::size_t size : {0U, 1U, 4U, 7U}) {
    for (const Role liar : {Role::server, Role::client}) {
      const auto duel = duel_with(liar);
      forger_of(*duel, liar).replace(kType, message_of(kType, Octets(size, 0)));
      expect_refused(*duel, liar, Reason::message_truncated, Alert::decode_error, Place::compressed_certificate);
    }
  }
}

// RFC 8879 5: "After decompression, the Certificate message MUST be processed as if it were encoded without being
// compressed."
TEST(HostileCompression, WhatIsInsideIsReadAsEver) {
  // Nothing at all, and what is no Certificate.
  expect_refused(
      [](RawCompressed& compressed) {
        compressed = {.algorithm = 3, .uncompressed_length = 0, .compressed_certificate_message = {0, 0, 7}};
      },
      Reason::message_truncated, Alert::decode_error, Place::certificate);
  expect_refused([](RawCompressed& compressed) { compressed = RawCompressed::by_runs(Octets(100, 0x30)); },
                 Reason::message_truncated, Alert::decode_error, Place::certificate);
  expect_refused([](RawCompressed& compressed) { compressed = RawCompressed::by_runs({0, 0, 0, 0, 0}); },
                 Reason::message_trailing_data, Alert::decode_error, Place::certificate);
  expect_inside_refused([](RawCertificate& parts) { parts.certificate_request_context = {1}; },
                        Reason::certificate_context, Alert::illegal_parameter);
  expect_inside_refused(
      [](RawCertificate& parts) {
        parts.certificate_list[0].extensions.add(ExtensionType::signed_certificate_timestamp, Octets{0, 3, 0, 1, 0xaa});
      },
      Reason::extension_unsolicited, Alert::unsupported_extension);
  expect_inside_refused([](RawCertificate& parts) { parts.certificate_list[0].cert_data = {0x30, 0}; },
                        Reason::certificate_malformed, Alert::bad_certificate);
  const auto empty = [](Role liar) {
    auto duel = duel_with(liar);
    forger_of(*duel, liar).change_parts<RawCompressed>(kType, [](RawCompressed& compressed) {
      compressed = RawCompressed::by_runs({0, 0, 0, 0});
    });
    return duel;
  };
  empty(Role::server)->expect_client_refuses(Reason::certificate_missing, Alert::decode_error);
  empty(Role::client)->expect_server_refuses(Reason::certificate_required, Alert::certificate_required);
}

TEST(HostileCompression, ComesInPlaceOfTheCertificate) {
  for (const Role liar : {Role::server, Role::client}) {
    const auto duel = duel_with(liar);
    forger_of(*duel, liar).change(kType, [](Octets message) {
      const Octets again = message;
      message.insert(message.end(), again.begin(), again.end());
      return message;
    });
    duel->run();
    const End& judge = liar == Role::server ? duel->client() : duel->server();
    ASSERT_TRUE(judge.error);
    EXPECT_EQ(judge.error->reason, Reason::message_unexpected);
    EXPECT_EQ(judge.error->alert, Alert::unexpected_message);
  }
}

// RFC 8879 3: "CertificateCompressionAlgorithm algorithms<2..2^8-2>;"
TEST(HostileCompression, RequestsAreWellFormed) {
  const auto ask = [](Role liar, const Octets& data) {
    auto duel = duel_with(liar == Role::server ? Role::client : Role::server);
    if (liar == Role::client) {
      duel->client_forger.change_parts<RawClientHello>(
          HandshakeType::client_hello, [data](RawClientHello& hello) { hello.extensions[kRequest] = data; });
    } else {
      duel->server_forger.change_parts<RawCertificateRequest>(
          HandshakeType::certificate_request,
          [data](RawCertificateRequest& request) { request.extensions[kRequest] = data; });
    }
    return duel;
  };
  for (const Octets& data : {Octets{}, Octets{0}, Octets{1, 0}, Octets{2, 0}, Octets{2, 0, 1, 0}, Octets{3, 0, 1, 0}}) {
    ask(Role::client, data)->expect_server_refuses(Reason::extension_malformed, Alert::decode_error);
    ask(Role::server, data)->expect_client_refuses(Reason::extension_malformed, Alert::decode_error);
  }
  // Others than are known here, and one again.
  for (const Octets& data : {Octets{4, 0x0a, 0x0a, 0xff, 0xff}, Octets{6, 0x0a, 0x0a, 0, 1, 0, 1}}) {
    const bool known = data.size() > 5;
    for (const Role asks : {Role::client, Role::server}) {
      const auto duel = ask(asks, data);
      duel->expect_connected();
      EXPECT_EQ((asks == Role::client ? duel->server() : duel->client()).own_compression.has_value(), known);
    }
  }
}

// RFC 8701 4.1: what a server greases with is not what clients know.
TEST(HostileCompression, ServersGreaseWithWhatNobodyKnows) {
  Duel duel;
  duel.server_config.client_auth(ClientAuth::require).grease(true);
  duel.expect_connected();
  const auto request = std::ranges::find_if(duel.server_forger.honest, [](const Octets& message) {
    return static_cast<HandshakeType>(message[0]) == HandshakeType::certificate_request;
  });
  ASSERT_NE(request, duel.server_forger.honest.end());
  const auto decoded = codec::CertificateRequest::decode(Bytes(*request).subspan(4));
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(is_grease(static_cast<std::uint16_t>((*decoded->extensions.begin()).type)));
  EXPECT_TRUE(is_grease(static_cast<std::uint16_t>(*decoded->signature_algorithms.begin())));
}

}  // namespace
}  // namespace lockstep::testing
