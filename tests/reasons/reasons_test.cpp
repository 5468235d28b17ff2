// Every reason for which an engine ends a connection, provoked from each end, and who is blamed for it: a table that
// the test prints. What no peer can provoke stands in it too, with why.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hostile/hostile.hpp"

namespace lockstep::testing {
namespace {

/// Who has to mend something, as the texts say it.
enum class Fault : std::uint8_t {
  peer,    ///< it broke the protocol, or has the wrong certificate
  both,    ///< either may be configured otherwise, or something stands between them
  caller,  ///< the program that drives this engine, or what it was given
};

std::string_view name(Fault fault) {
  switch (fault) {
    case Fault::peer: return "peer";
    case Fault::both: return "both";
    case Fault::caller: return "caller";
  }
  return {};
}

// --- the two sides, seen from the one who finds the fault ------------------------------------------------------------

End& finder_of(Duel& duel, Role finder) { return finder == Role::client ? duel.client() : duel.server(); }
End& other_of(Duel& duel, Role finder) { return finder == Role::client ? duel.server() : duel.client(); }
Octets& to_finder(Duel& duel, Role finder) { return finder == Role::client ? duel.to_client() : duel.to_server(); }
Forger& forger_against(Duel& duel, Role finder) {
  return finder == Role::client ? duel.server_forger : duel.client_forger;
}

/// Makes a duel go wrong; what is not run yet is run behind it.
using Provoke = std::function<void(Duel&, Role)>;

/// The first that this side hears.
Provoke hears(Octets bytes) {
  return [bytes](Duel& duel, Role finder) { to_finder(duel, finder) = bytes; };
}
Provoke hears(std::string_view text) { return hears(Octets(text.begin(), text.end())); }

void send_sealed(Duel& duel, Role finder, ContentType type, Bytes content, std::size_t padding = 0) {
  append(to_finder(duel, finder), seal_record(other_of(duel, finder).connection, type, content, padding));
}
/// A protected record once both are connected, so many times.
Provoke hears_sealed(ContentType type, Octets content, unsigned times = 1, std::size_t padding = 0) {
  return [=](Duel& duel, Role finder) {
    duel.expect_connected();
    for (unsigned i = 0; i < times; ++i) send_sealed(duel, finder, type, content, padding);
  };
}
/// Any bytes once both are connected.
Provoke hears_connected(Octets bytes) {
  return [bytes](Duel& duel, Role finder) {
    duel.expect_connected();
    append(to_finder(duel, finder), bytes);
  };
}
Provoke hears_instead(HandshakeType type, Octets with) {
  return [=](Duel& duel, Role finder) {
    // What a client sends of these it sends when it is asked to.
    duel.server_config.client_auth(finder == Role::server ? ClientAuth::require : ClientAuth::none);
    forger_against(duel, finder).replace(type, with);
  };
}
Provoke hears_changed(HandshakeType type, std::function<Octets(Octets)> edit) {
  return [=](Duel& duel, Role finder) { forger_against(duel, finder).change(type, edit); };
}
/// A message whose parts are changed, behind `earlier` others of its type: the second hello follows a retry.
template <class Parts>
Provoke hears_parts(HandshakeType type, std::function<void(Parts&)> edit, int earlier = 0) {
  return [=](Duel& duel, Role finder) {
    if (finder == Role::server && type != HandshakeType::client_hello)
      duel.server_config.client_auth(ClientAuth::require);
    if (earlier != 0) duel.server_config.groups({NamedGroup::secp256r1});
    forger_against(duel, finder).change_parts<Parts>(type, edit, earlier);
  };
}
Provoke client_hello(std::function<void(RawClientHello&)> edit, int earlier = 0) {
  return hears_parts<RawClientHello>(HandshakeType::client_hello, std::move(edit), earlier);
}
Provoke server_hello(std::function<void(RawServerHello&)> edit) {
  return hears_parts<RawServerHello>(HandshakeType::server_hello, std::move(edit));
}
/// HelloRetryRequest for 0, the ServerHello behind it for 1.
Provoke retried(std::function<void(RawServerHello&)> edit, int earlier) {
  return [=](Duel& duel, Role) {
    duel.server_config.groups({NamedGroup::secp256r1});
    duel.client_config.suites({CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_aes_256_gcm_sha384});
    duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, edit, earlier);
  };
}
Provoke certificate(std::function<void(RawCertificate&)> edit) {
  return hears_parts<RawCertificate>(HandshakeType::certificate, std::move(edit));
}
Provoke certificate_verify(std::function<void(RawCertificateVerify&)> edit) {
  return hears_parts<RawCertificateVerify>(HandshakeType::certificate_verify, std::move(edit));
}
/// A compressed certificate with a wrong bit in the byte `at`, behind the header.
Provoke compressed(std::size_t at) {
  return [at](Duel& duel, Role finder) {
    duel.client_config.certificate_compression(test_codecs());
    duel.server_config.certificate_compression(test_codecs());
    if (finder == Role::server) duel.server_config.client_auth(ClientAuth::require);
    forger_against(duel, finder).change(HandshakeType::compressed_certificate, [at](Octets message) {
      message[4 + at] ^= 1U;
      return message;
    });
  };
}
/// The application's verdict.
Provoke rejects(Reason reason) {
  return [reason](Duel& duel, Role finder) {
    if (finder == Role::server) duel.server_config.client_auth(ClientAuth::require);
    finder_of(duel, finder).rejection = PeerRejected{.reason = reason};
  };
}
/// Tickets of the server that is to come.
struct Sessions {
  std::shared_ptr<TicketKeys> keys;
  std::vector<Session> list;
};
Sessions sessions_of_a_first_handshake(std::uint32_t early_data) {
  FixedRandom random(11);
  Sessions made{.keys = std::make_shared<TicketKeys>(allowed_ticket_keys(TicketKey::generate(random).value()).value()),
                .list = {}};
  Duel first;
  first.server_config.tickets(2).early_data(early_data);
  first.server().ticket_keys = made.keys;
  first.expect_connected();
  for (const Session& session : first.client().sessions) made.list.push_back(session.clone());
  return made;
}
/// A resumption that `change` spoils before the client speaks.
Provoke resumed(std::function<void(Duel&)> change, std::size_t offered = 1, std::uint32_t early_data = 0) {
  return [=](Duel& duel, Role) {
    Sessions made = sessions_of_a_first_handshake(early_data);
    change(duel);
    if (early_data != 0) {
      duel.client_config.early_data(2 * early_data);
      duel.server_config.tickets(1).early_data(early_data);
    }
    for (std::size_t i = 0; i < offered; ++i) duel.sessions.push_back(made.list[i].clone());
    duel.server().ticket_keys = made.keys;
    duel.server().accept_early_data = true;
  };
}
Provoke resumed_hello(std::function<void(RawClientHello&)> edit, std::size_t offered = 1) {
  return resumed(
      [edit](Duel& duel) { duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, edit); },
      offered);
}
Provoke resumed_answer(std::function<void(RawServerHello&)> edit) {
  return resumed(
      [edit](Duel& duel) { duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, edit); });
}

// --- the table -------------------------------------------------------------------------------------------------------

/// One end's way to a reason, or why there is none.
struct Way {
  Provoke provoke;
  std::string_view why_not;
};
Way never(std::string_view why) { return {nullptr, why}; }
template <class Made>
Way by(Made provoke) {
  return {Provoke(std::move(provoke)), {}};
}

struct Row {
  Reason reason;
  Fault fault;
  Way client;  ///< finds it
  Way server;
  bool heard = true;  ///< the other side is told by the reason's alert
};

Row either(Reason reason, Fault fault, const Provoke& provoke, bool heard = true) {
  return {reason, fault, by(provoke), by(provoke), heard};
}

constexpr std::string_view kServersChoice = "the server chooses, and the client finds what it did not offer";
constexpr std::string_view kClientsOffer = "only a ClientHello has it";
constexpr std::string_view kServersAnswer = "only an answer to a ClientHello has it";
constexpr std::string_view kOneOfAll = "a ServerHello has one only";

const Octets kPointOfSmallOrder(32, 0);

std::vector<Row> records() {
  using enum Reason;
  const Octets ssl2_client{0x80, 0x2e, 0x01, 0x00, 0x02, 0x00, 0x15, 0x00, 0x00, 0x00, 0x10, 0x01, 0x00, 0x80};
  const Octets ssl2_server{0x80, 0x2e, 0x04, 0x00, 0x01, 0x00, 0x02};
  const Octets half_a_message{24, 0, 0};
  return {
      either(not_tls, Fault::both, hears("SSH-2.0-OpenSSH_9.6\r\n"), false),
      {plain_http, Fault::both, by(hears("HTTP/1.1 400 Bad Request\r\n\r\n")), by(hears("GET / HTTP/1.1\r\n\r\n")),
       false},
      {ssl2_or_older, Fault::peer, by(hears(ssl2_server)), by(hears(ssl2_client)), false},
      either(record_version, Fault::both, hears(Octets{0x16, 0x02, 0x00, 0, 4, 1, 0, 0, 0}), false),
      either(record_type, Fault::peer, hears_connected(plain_record(24, Octets{1, 2, 3}))),
      either(record_too_long, Fault::peer, hears(Octets{22, 3, 3, 0x40, 0x01}), false),
      either(record_empty, Fault::peer, hears(Octets{22, 3, 3, 0, 0}), false),
      either(record_unprotected, Fault::both, hears_connected(plain_record(22, Octets{2, 40}))),
      either(record_mac, Fault::both,
             [](Duel& duel, Role finder) {
               hears_sealed(ContentType::application_data, {1})(duel, finder);
               to_finder(duel, finder).back() ^= 1U;
             }),
      either(record_all_padding, Fault::peer, hears_sealed(ContentType::invalid, {}, 1, 30)),
      either(record_interleaved, Fault::peer,
             [=](Duel& duel, Role finder) {
               hears_sealed(ContentType::handshake, half_a_message)(duel, finder);
               send_sealed(duel, finder, ContentType::application_data, Octets{1});
             }),
      either(record_after_key_change, Fault::peer,
             hears_changed(HandshakeType::finished,
                           [](Octets finished) {
                             finished.push_back(4);
                             return finished;
                           })),
      {record_limit, Fault::caller, never("keys change long before: 2^24.5 records"),
       never("keys change long before: 2^24.5 records")},
      either(too_many_empty_records, Fault::peer,
             hears_sealed(ContentType::application_data, {}, record::kMaxIdleRecords + 1)),
      either(too_many_key_updates, Fault::peer,
             [](Duel& duel, Role finder) {
               duel.expect_connected();
               for (unsigned i = 0; i <= record::kMaxIdleRecords; ++i) {
                 EXPECT_TRUE(other_of(duel, finder).connection.update_keys(false));
                 duel.run();
               }
             }),
      either(too_many_warnings, Fault::peer, hears_sealed(ContentType::alert, {1, 90}, record::kMaxWarningAlerts + 1)),
      either(
          change_cipher_spec_malformed, Fault::peer,
          [](Duel& duel, Role finder) {
            if (finder == Role::server) {  // it must have heard a ClientHello
              Octets hello(4000);
              hello.resize(duel.client().connection.transmit(hello, kNow));
              append(duel.to_server(), hello);
            }
            append(to_finder(duel, finder), plain_record(20, Octets{2}));
          },
          false),
      either(change_cipher_spec_unexpected, Fault::peer, hears_connected(plain_record(20, Octets{1}))),
      either(alert_malformed, Fault::peer, hears_sealed(ContentType::alert, {1, 0, 1, 0})),
      either(alert_fragmented, Fault::peer, hears_sealed(ContentType::alert, {2})),
      either(
          truncated, Fault::both,
          [](Duel& duel, Role finder) {
            duel.expect_connected();
            End& end = finder_of(duel, finder);
            end.treat(end.connection.receive_end());
          },
          false),
  };
}

std::vector<Row> messages() {
  using enum Reason;
  using Type = ExtensionType;
  constexpr auto kAlpn = Type::application_layer_protocol_negotiation;
  constexpr auto kUnknown = static_cast<Type>(0x4242);
  const auto finished_of = [](std::size_t size) {
    return hears_instead(HandshakeType::finished, message_of(HandshakeType::finished, Octets(size, 1)));
  };
  const auto encrypted_extensions = [](std::function<void(RawExtensions&)> edit) {
    return [edit](Duel& duel, Role) {
      duel.client_config.alpn({"h2"});
      duel.server_config.alpn({"h2"});
      duel.server_forger.change_parts<RawEncryptedExtensions>(
          HandshakeType::encrypted_extensions, [edit](RawEncryptedExtensions& message) { edit(message.extensions); });
    };
  };
  return {
      {message_too_long, Fault::both, by(hears_instead(HandshakeType::certificate, {11, 2, 0, 1})),
       by(hears(plain_record(22, Octets{1, 2, 0, 1}))), false},
      either(message_truncated, Fault::peer, finished_of(31)),
      either(message_trailing_data, Fault::peer, finished_of(33)),
      {message_unexpected, Fault::peer, by(hears_instead(HandshakeType::encrypted_extensions, {99, 0, 0, 0})),
       by(hears_instead(HandshakeType::finished, {99, 0, 0, 0}))},
      {vector_length, Fault::peer,
       by(server_hello([](RawServerHello& hello) { hello.legacy_session_id_echo.push_back(0); })),
       by(client_hello([](RawClientHello& hello) { hello.legacy_session_id.assign(33, 1); }))},
      either(too_many_entries, Fault::peer, certificate([](RawCertificate& message) {
               while (message.certificate_list.size() <= codec::kMaxCertificates)
                 message.certificate_list.push_back({Octets{0x30, 0x00}, {}});
             })),
      {enum_value, Fault::peer, by([](Duel& duel, Role) {
         duel.client_config.ocsp_stapling(true);
         duel.server_forger.change_parts<RawCertificate>(HandshakeType::certificate, [](RawCertificate& message) {
           message.certificate_list.front().extensions.add(Type::status_request, {2, 0, 0, 1, 0xaa});
         });
       }),
       by(client_hello([](RawClientHello& hello) { hello.extensions.add(Type::max_fragment_length, {5}); }))},
      {compression_method, Fault::peer,
       by(server_hello([](RawServerHello& hello) { hello.legacy_compression_method = 1; })),
       by(client_hello([](RawClientHello& hello) { hello.legacy_compression_methods = {1}; }))},
      {extension_duplicate, Fault::peer, by(server_hello([](RawServerHello& hello) {
         hello.extensions.add(Type::key_share, hello.extensions[Type::key_share]);
       })),
       by(client_hello([](RawClientHello& hello) {
         hello.extensions.add(kUnknown);
         hello.extensions.add(kUnknown);
       }))},
      {extension_unsolicited, Fault::peer,
       by(server_hello([](RawServerHello& hello) { hello.extensions.add(kUnknown); })),
       by(certificate([](RawCertificate& message) { message.certificate_list.front().extensions.add(kUnknown); }))},
      {extension_forbidden, Fault::peer,
       by(server_hello([](RawServerHello& hello) { hello.extensions.add(Type::server_name); })),
       by(client_hello([](RawClientHello& hello) { hello.extensions.add(Type::oid_filters, {0, 0}); }))},
      {extension_malformed, Fault::peer,
       by(server_hello([](RawServerHello& hello) { hello.extensions[Type::key_share].clear(); })),
       by(client_hello([](RawClientHello& hello) { hello.extensions[Type::supported_groups].clear(); }))},
      {extension_missing, Fault::peer, by([](Duel& duel, Role) {
         duel.server_config.client_auth(ClientAuth::require);
         duel.server_forger.change_parts<RawCertificateRequest>(
             HandshakeType::certificate_request,
             [](RawCertificateRequest& request) { request.extensions.remove(Type::signature_algorithms); });
       }),
       by(client_hello([](RawClientHello& hello) { hello.extensions.remove(Type::signature_algorithms); }))},
      {server_name_malformed, Fault::peer,
       by(encrypted_extensions([](RawExtensions& list) { list[Type::server_name] = {0}; })),
       by(client_hello([](RawClientHello& hello) { hello.extensions[Type::server_name] = {0, 0}; }))},
      {alpn_malformed, Fault::peer, by(encrypted_extensions([](RawExtensions& list) { list[kAlpn] = {0, 0}; })),
       by(client_hello(
           [](RawClientHello& hello) { hello.extensions.insert(hello.extensions.begin(), {kAlpn, {0, 0}}); }))},
      {alpn_mismatch, Fault::both, never(kServersChoice), by([](Duel& duel, Role) {
         duel.client_config.alpn({"h2"});
         duel.server_config.alpn({"http/1.1"});
       })},
      {alpn_not_offered, Fault::peer,
       by(encrypted_extensions([](RawExtensions& list) { list[kAlpn] = {0, 3, 2, 'h', '3'}; })), never(kServersAnswer)},
      {record_size_limit, Fault::peer, by([](Duel& duel, Role) {
         duel.client_config.record_size_limit(1000);
         duel.server_forger.change_parts<RawEncryptedExtensions>(
             HandshakeType::encrypted_extensions,
             [](RawEncryptedExtensions& message) { message.extensions.add(Type::record_size_limit, {0, 63}); });
       }),
       by(client_hello([](RawClientHello& hello) { hello.extensions.add(Type::record_size_limit, {0, 63}); }))},
  };
}

std::vector<Row> negotiation() {
  using enum Reason;
  using Type = ExtensionType;
  const auto share_of_server = [](Octets share) {
    return server_hello([share](RawServerHello& hello) {
      hello.extensions[Type::key_share] = key_share_entry(NamedGroup::x25519, share);
    });
  };
  const auto shares_of_client = [](Octets shares, int earlier = 0) {
    return client_hello([shares](RawClientHello& hello) { hello.extensions[Type::key_share] = shares; }, earlier);
  };
  const auto with_cookie = [](std::function<void(RawClientHello&)> edit) {
    return [edit](Duel& duel, Role) {
      duel.server_config.cookie(true);
      duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, edit, 1);
    };
  };
  const Octets share = key_share_entry(NamedGroup::x25519, Octets(32, 9));
  return {
      {version_unsupported, Fault::both, by(server_hello([](RawServerHello& hello) { make_older(hello, 0x0303); })),
       by(client_hello([](RawClientHello& hello) { make_older(hello, 0x0303); }))},
      {version_ssl3, Fault::peer, by(server_hello([](RawServerHello& hello) { make_older(hello, 0x0300); })),
       by(client_hello([](RawClientHello& hello) { make_older(hello, 0x0300); }))},
      {version_downgrade, Fault::both, by(server_hello([](RawServerHello& hello) {
         make_older(hello, 0x0303);
         std::ranges::copy(Octets{0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 1}, hello.random.end() - 8);
       })),
       never(kServersAnswer)},
      {version_not_offered, Fault::peer,
       by(server_hello([](RawServerHello& hello) { hello.extensions[Type::supported_versions] = {0x03, 0x03}; })),
       never(kServersAnswer)},
      {version_legacy, Fault::peer, by(server_hello([](RawServerHello& hello) { hello.legacy_version = 0x0301; })),
       by(client_hello([](RawClientHello& hello) { hello.legacy_version = 0x0301; }))},
      {version_changed, Fault::peer,
       by(retried([](RawServerHello& hello) { hello.extensions[Type::supported_versions] = {0x03, 0x03}; }, 1)),
       never(kServersAnswer)},
      {inappropriate_fallback, Fault::peer, never(kClientsOffer), by(client_hello([](RawClientHello& hello) {
         make_older(hello, 0x0303);
         append(hello.cipher_suites, Octets{0x56, 0x00});
       }))},
      {suite_unsupported, Fault::both, never(kServersChoice),
       by(client_hello([](RawClientHello& hello) { hello.cipher_suites = {0x13, 0x04}; }))},
      {suite_not_offered, Fault::peer, by(server_hello([](RawServerHello& hello) { hello.cipher_suite = 0x1302; })),
       never(kServersAnswer)},
      {suite_changed, Fault::peer, by(retried([](RawServerHello& hello) { hello.cipher_suite = 0x1302; }, 1)),
       never(kServersAnswer)},
      {group_unsupported, Fault::both, never(kServersChoice), by(client_hello([](RawClientHello& hello) {
         hello.extensions[Type::supported_groups] = {0, 2, 0, 0x18};
         hello.extensions[Type::key_share] = {0, 0};
       }))},
      {group_not_offered, Fault::peer,
       by(retried([](RawServerHello& hello) { hello.extensions[Type::key_share] = {0x00, 0x18}; }, 0)),
       never(kServersAnswer)},
      {group_unchanged, Fault::peer,
       by(retried([](RawServerHello& hello) { hello.extensions[Type::key_share] = {0x00, 0x1d}; }, 0)),
       never(kServersAnswer)},
      {key_share_missing, Fault::peer,
       by(server_hello([](RawServerHello& hello) { hello.extensions.remove(Type::key_share); })),
       by(shares_of_client({0, 0}, 1))},
      {key_share_duplicate, Fault::peer, never(kOneOfAll), by(shares_of_client(key_shares({share, share})))},
      {key_share_not_in_groups, Fault::peer, never(kClientsOffer),
       by(shares_of_client(key_shares({key_share_entry(NamedGroup::x448, Octets(56, 9))})))},
      {key_share_size, Fault::peer, by(share_of_server(Octets(31, 9))),
       by(shares_of_client(key_shares({key_share_entry(NamedGroup::x25519, Octets(31, 9))})))},
      {key_share_invalid, Fault::peer, by(share_of_server(kPointOfSmallOrder)),
       by(shares_of_client(key_shares({key_share_entry(NamedGroup::x25519, kPointOfSmallOrder)})))},
      {key_share_group, Fault::peer, by(server_hello([](RawServerHello& hello) {
         hello.extensions[Type::key_share] = key_share_entry(NamedGroup::secp256r1, Octets(65, 4));
       })),
       never(kServersAnswer)},
      {session_id_echo, Fault::peer,
       by(server_hello([](RawServerHello& hello) { hello.legacy_session_id_echo[0] ^= 1U; })), never(kServersAnswer)},
      {second_hello_retry_request, Fault::peer, by([](Duel& duel, Role) {
         duel.server_config.groups({NamedGroup::secp256r1});
         const auto first = std::make_shared<Octets>();
         duel.server_forger.change(HandshakeType::server_hello,
                                   [first](Octets hello) { return *first = std::move(hello); });
         duel.server_forger.change(HandshakeType::server_hello, [first](const Octets&) { return *first; }, 1);
       }),
       never(kServersAnswer)},
      {client_hello_changed, Fault::peer, never(kClientsOffer),
       by(client_hello([](RawClientHello& hello) { hello.random[0] ^= 1U; }, 1))},
      {cookie_missing, Fault::peer, never(kClientsOffer),
       by(with_cookie([](RawClientHello& hello) { hello.extensions.remove(Type::cookie); }))},
      {cookie_mismatch, Fault::peer, never(kClientsOffer),
       by(with_cookie([](RawClientHello& hello) { hello.extensions[Type::cookie].back() ^= 1U; }))},
      {scheme_unsupported, Fault::both, never("a client goes on without a certificate, and Answers tell that"),
       by(client_hello(
           [](RawClientHello& hello) { hello.extensions[Type::signature_algorithms] = {0, 2, 0x08, 0x08}; }))},
      either(scheme_not_offered, Fault::peer,
             certificate_verify([](RawCertificateVerify& message) { message.algorithm = SignatureScheme::ed448; })),
      either(scheme_wrong_key, Fault::peer,
             certificate_verify([](RawCertificateVerify& message) { message.algorithm = SignatureScheme::ed25519; })),
  };
}

std::vector<Row> resumption() {
  using enum Reason;
  using Type = ExtensionType;
  constexpr auto kPsk = Type::pre_shared_key;
  constexpr std::uint32_t kEarly = 1000;
  return {
      {psk_not_offered, Fault::peer, by(resumed_answer([](RawServerHello& hello) { hello.extensions[kPsk] = {0, 1}; })),
       never(kServersAnswer)},
      {psk_mode_missing, Fault::peer, never(kClientsOffer),
       by(resumed_hello([](RawClientHello& hello) { hello.extensions.remove(Type::psk_key_exchange_modes); }))},
      {psk_not_last, Fault::peer, never(kClientsOffer),
       by(resumed_hello([](RawClientHello& hello) { hello.extensions.add(static_cast<Type>(0x4242)); }))},
      {psk_binder_count, Fault::peer, never(kClientsOffer),
       by(resumed_hello(
           [](RawClientHello& hello) {
             Octets& data = hello.extensions[kPsk];
             data.resize(data.size() - 33);
             const std::size_t at = data.size() - 35;
             data[at] = 0;
             data[at + 1] = 33;
           },
           2))},
      {psk_binder, Fault::both, never(kClientsOffer),
       by(resumed_hello([](RawClientHello& hello) { hello.extensions[kPsk].back() ^= 1U; }))},
      {psk_hash, Fault::peer, by(resumed([](Duel& duel) {
         duel.client_config.suites({CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_aes_256_gcm_sha384});
         duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello,
                                                         [](RawServerHello& hello) { hello.cipher_suite = 0x1302; });
       })),
       never(kServersAnswer)},
      {psk_without_key_share, Fault::peer,
       by(resumed_answer([](RawServerHello& hello) { hello.extensions.remove(Type::key_share); })),
       never(kServersAnswer)},
      {early_data_unexpected, Fault::peer, never(kClientsOffer),
       by(client_hello([](RawClientHello& hello) { hello.extensions.add(Type::early_data); }, 1))},
      {early_data_mismatch, Fault::peer,
       by(resumed(
           [](Duel& duel) {
             const std::vector suites = {CipherSuite::tls_chacha20_poly1305_sha256,
                                         CipherSuite::tls_aes_128_gcm_sha256};
             duel.client_config.suites(suites);
             duel.server_config.suites(suites);
             duel.server_forger.change_parts<RawEncryptedExtensions>(
                 HandshakeType::encrypted_extensions,
                 [](RawEncryptedExtensions& message) { message.extensions.add(Type::early_data); });
           },
           1, kEarly)),
       never(kServersAnswer), false},
      {early_data_too_much, Fault::peer, never(kClientsOffer), by([](Duel& duel, Role finder) {
         resumed([](Duel&) {}, 1, kEarly)(duel, finder);
         Octets hello(4096);
         hello.resize(duel.client().connection.transmit(hello, kNow));
         append(duel.to_server(), hello);
         send_sealed(duel, finder, ContentType::application_data, Octets(kEarly + 1, 1));
       })},
  };
}

/// The same in TLS 1.2.
Provoke in_tls12(Provoke provoke) {
  return [=](Duel& duel, Role finder) {
    speak_tls12(duel);
    provoke(duel, finder);
  };
}
/// A resumption in TLS 1.2 that `change` spoils before the client speaks.
Provoke resumed_in_tls12(std::function<void(Duel&)> change) {
  return in_tls12([=](Duel& duel, Role) {
    FixedRandom random(11);
    const auto keys = std::make_shared<TicketKeys>(allowed_ticket_keys(TicketKey::generate(random).value()).value());
    const auto prepare = [&](Duel& one) {
      const std::vector suites = {CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256,
                                  CipherSuite::tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256};
      one.client_config.suites(suites).allow_no_extended_main_secret(true);
      one.server_config.suites(suites).allow_no_extended_main_secret(true).tickets(1);
    };
    Duel first;
    speak_tls12(first);
    prepare(first);
    first.server().ticket_keys = keys;
    first.expect_connected();
    prepare(duel);
    change(duel);
    duel.sessions.push_back(first.client().sessions.at(0).clone());
    duel.server().ticket_keys = keys;
  });
}
/// Another handshake of a connection of TLS 1.2, which the client begins: `change` is done before the first one,
/// `between` before the second.
Provoke renegotiated(Provoke change, Provoke between = [](Duel&, Role) {}) {
  return in_tls12([=](Duel& duel, Role finder) {
    duel.client_config.renegotiation(Renegotiation::once).allow_no_extended_main_secret(true);
    duel.server_config.renegotiation(Renegotiation::once).allow_no_extended_main_secret(true);
    change(duel, finder);
    duel.expect_connected();
    between(duel, finder);
    EXPECT_TRUE(duel.client().connection.renegotiate(kNow));
  });
}
/// With a hello that is changed in the second one.
template <class Parts>
Provoke renegotiated_hello(HandshakeType type, std::function<void(Parts&)> edit) {
  return renegotiated(
      [=](Duel& duel, Role finder) { forger_against(duel, finder).change_parts<Parts>(type, edit, 1); });
}
/// ServerKeyExchange with another byte at a place of its body.
Provoke server_key_exchange(std::size_t place, std::uint8_t byte) {
  return in_tls12(hears_changed(HandshakeType::server_key_exchange, [=](Octets message) {
    message.at(4 + place) = byte;
    return message;
  }));
}

/// DHE in a group of RFC 7919, by an RSA key.
Provoke with_dhe(Provoke provoke) {
  return in_tls12([=](Duel& duel, Role finder) {
    const std::vector suites{CipherSuite::tls_dhe_rsa_with_aes_128_gcm_sha256};
    const std::vector schemes{SignatureScheme::rsa_pss_rsae_sha256};
    duel.client_config.suites(suites).groups({NamedGroup::ffdhe2048}).schemes(schemes);
    duel.server_config.suites(suites).groups({NamedGroup::ffdhe2048}).schemes(schemes);
    provoke(duel, finder);
    duel.server().credential = credential_of(KeyType::rsa);
  });
}
/// With other numbers of the server's, signed by its key.
Provoke with_numbers(std::function<void(RawDheExchange&)> edit) {
  return with_dhe([=](Duel& duel, Role) {
    duel.server_forger.change_parts<RawDheExchange>(HandshakeType::server_key_exchange,
                                                    [=, &duel](RawDheExchange& exchange) {
                                                      edit(exchange);
                                                      exchange.sign(duel);
                                                    });
  });
}

std::vector<Row> tls12() {
  using enum Reason;
  using Type = ExtensionType;
  const auto without = [](Type type) { return [type](auto& hello) { hello.extensions.remove(type); }; };
  const auto with = [](Type type, Octets data) {
    return [=](auto& hello) {
      hello.extensions.remove(type);
      hello.extensions.add(type, data);
    };
  };
  return {
      {extended_main_secret_missing, Fault::both, by(in_tls12(server_hello(without(Type::extended_main_secret)))),
       by(in_tls12(client_hello(without(Type::extended_main_secret))))},
      {renegotiation_info_missing, Fault::both, by(in_tls12(server_hello(without(Type::renegotiation_info)))),
       by(renegotiated_hello<RawClientHello>(HandshakeType::client_hello, without(Type::renegotiation_info)))},
      {renegotiation_info_mismatch, Fault::both, by(in_tls12(server_hello(with(Type::renegotiation_info, {2, 1, 2})))),
       by(in_tls12(client_hello(with(Type::renegotiation_info, {2, 1, 2}))))},
      {point_format, Fault::peer, by(in_tls12(server_hello(with(Type::ec_point_formats, {1, 1})))),
       by(in_tls12(client_hello(with(Type::ec_point_formats, {1, 1}))))},
      {max_fragment_length, Fault::peer, by([with](Duel& duel, Role finder) {
         duel.client_config.max_fragment_length(1024);
         duel.server_config.accept_max_fragment_length(true);
         in_tls12(server_hello(with(Type::max_fragment_length, {1})))(duel, finder);
       }),
       never(kClientsOffer)},
      {session_changed, Fault::peer, by(resumed_in_tls12([](Duel& duel) {
         duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello,
                                                         [](RawServerHello& hello) { hello.cipher_suite = 0xcca9; });
       })),
       by(resumed_in_tls12([](Duel& duel) {
         duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [](RawClientHello& hello) {
           hello.extensions.remove(Type::extended_main_secret);
         });
       })),
       false},
      {suite_wrong_key, Fault::peer, by(in_tls12([](Duel& duel, Role) {
         duel.client_config.suites({CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256,
                                    CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256});
         duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello,
                                                         [](RawServerHello& hello) { hello.cipher_suite = 0xc02f; });
       })),
       never("a server chooses the suite by the certificate")},
      {renegotiation_scsv, Fault::both, never(kClientsOffer),
       by(renegotiated_hello<RawClientHello>(
           HandshakeType::client_hello,
           [](RawClientHello& hello) { append(hello.cipher_suites, Octets{0x00, 0xff}); }))},
      {renegotiation_changed, Fault::peer,
       by(renegotiated_hello<RawServerHello>(HandshakeType::server_hello, without(Type::extended_main_secret))),
       by(renegotiated_hello<RawClientHello>(HandshakeType::client_hello, without(Type::extended_main_secret)))},
      either(renegotiation_peer_changed, Fault::both,
             renegotiated(
                 [](Duel& duel, Role finder) {
                   if (finder == Role::client) return;
                   duel.server_config.client_auth(ClientAuth::require);
                   duel.client().credential = credential_of(KeyType::ec_p256);
                 },
                 [](Duel& duel, Role finder) {
                   other_of(duel, finder).credential = credential_of(KeyType::ec_p256, "other.example");
                 })),
      either(renegotiation_unwanted, Fault::both,
             [](Duel& duel, Role finder) {
               speak_tls12(duel);
               duel.client_config.renegotiation(Renegotiation::freely);
               duel.server_config.renegotiation(Renegotiation::freely);
               const auto refuse = [](auto& config) {
                 config.renegotiation(Renegotiation::never).renegotiation_ends_connection(true);
               };
               finder == Role::client ? refuse(duel.client_config) : refuse(duel.server_config);
               duel.expect_connected();
               EXPECT_TRUE(other_of(duel, finder).connection.renegotiate(kNow));
             }),
      {curve_not_named, Fault::peer, by(server_key_exchange(0, 1)), never(kServersAnswer)},
      {dh_group_unsupported, Fault::both, never(kServersChoice),
       by(with_dhe(client_hello(with(Type::supported_groups, {0, 2, 1, 1}))))},
      {dh_group_unknown, Fault::peer, by(with_numbers([](RawDheExchange& numbers) { numbers.p = Octets(256, 0xff); })),
       never(kServersAnswer)},
      {dh_group_weak, Fault::peer, by(with_numbers([](RawDheExchange& numbers) { numbers.p = Octets(128, 0xff); })),
       never(kServersAnswer)},
      {dh_group_too_large, Fault::peer,
       by(with_numbers([](RawDheExchange& numbers) { numbers.p = Octets(2048, 0xff); })), never(kServersAnswer)},
      {dh_group_invalid, Fault::peer, by(with_numbers([](RawDheExchange& numbers) { numbers.p = Octets(256, 0xfe); })),
       never(kServersAnswer)},
      {dh_share_invalid, Fault::peer, by(with_numbers([](RawDheExchange& numbers) { numbers.ys = {1}; })),
       by(with_dhe([](Duel& duel, Role) {
         duel.client_forger.replace(HandshakeType::client_key_exchange,
                                    message_of(HandshakeType::client_key_exchange, Octets{0, 1, 1}));
       }))},
  };
}

/// Both ends share a key that is long enough for everybody but one with the profile of what is approved.
Provoke with_weak_psk() {
  return in_tls12([](Duel& duel, Role finder) {
    const std::vector suites{CipherSuite::tls_psk_with_aes_128_gcm_sha256};
    duel.client_config.suites(suites);
    duel.server_config.suites(suites);
    const std::vector groups{NamedGroup::secp256r1};
    if (finder == Role::client) duel.client_config.profile(Profile::fips).groups(groups).key_shares(groups);
    if (finder == Role::server) duel.server_config.profile(Profile::fips).groups(groups);
    duel.client().psks = duel.server().psks = {{"sensor 7", "thirteen byte"}};
  });
}

/// Both ends share a pre-shared key, unless `change` has it otherwise.
Provoke with_psk(std::function<void(Duel&)> change, bool tell_unknown = false) {
  return in_tls12([=](Duel& duel, Role) {
    const std::vector suites{CipherSuite::tls_psk_with_chacha20_poly1305_sha256};
    duel.client_config.suites(suites);
    duel.server_config.suites(suites).tell_unknown_psk(tell_unknown);
    duel.client().psks = duel.server().psks = {{"sensor 7", "a key"}};
    change(duel);
  });
}

/// TLS 1.3, where both ends share an external PSK and may insist on it, unless `change` has it otherwise.
Provoke with_external_psk(ExternalPsks client, ExternalPsks server, std::function<void(Duel&)> change) {
  return [=](Duel& duel, Role) {
    duel.client_config.versions(ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_3).external_psks(client);
    duel.server_config.versions(ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_3).external_psks(server);
    duel.client().external_psks = duel.server().external_psks = {{"sensor 7", "a key of 20 bytes..."}};
    change(duel);
  };
}

std::vector<Row> pre_shared_keys() {
  using enum Reason;
  constexpr auto allow = ExternalPsks::allow;
  constexpr auto require = ExternalPsks::require;
  constexpr std::string_view kServersFinished = "the server reads the client's Finished before it sends its own";
  return {
      {psk_identity_too_long, Fault::both, never("a client sends the identity"), by(with_psk([](Duel& duel) {
         Octets body(2 + kMaxPskIdentity + 1, 'i');
         body[0] = static_cast<std::uint8_t>((body.size() - 2) >> 8U);
         body[1] = static_cast<std::uint8_t>((body.size() - 2) & 0xffU);
         duel.client_forger.replace(HandshakeType::client_key_exchange,
                                    message_of(HandshakeType::client_key_exchange, body));
       }))},
      {no_psk, Fault::caller, by(with_psk([](Duel& duel) { duel.client().psks.clear(); })),
       never("a server without the key does not know the identity")},
      either(psk_weak, Fault::caller, with_weak_psk()),
      {psk_identity_unknown, Fault::caller, never("a server looks the identity up"),
       by(with_psk([](Duel& duel) { duel.client().psks = {{"sensor 8", "a key"}}; }, true))},
      {psk_mismatch, Fault::both, never(kServersFinished),
       by(with_psk([](Duel& duel) { duel.client().psks = {{"sensor 7", "another"}}; }))},
      {psk_declined, Fault::both,
       by(with_external_psk(require, allow, [](Duel& duel) { duel.server().external_psks.clear(); })),
       never("a server declines, and is not declined")},
      {psk_missing, Fault::both, never("a client offers keys"),
       by(with_external_psk(ExternalPsks::none, require, [](Duel&) {}))},
      {psk_unacceptable, Fault::both, never("a client offers keys"),
       by(with_external_psk(allow, require, [](Duel& duel) { duel.server().external_psks.clear(); }))},
  };
}

std::vector<Row> authentication() {
  using enum Reason;
  // id-ecPublicKey, 1.2.840.10045.2.1, becomes 1.2.840.10045.2.127.
  const auto of_unknown_key = [](RawCertificate& message) {
    const Octets oid{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
    std::ranges::search(message.certificate_list.front().cert_data, oid).back() = 0x7f;
  };
  std::vector<Row> rows{
      {certificate_missing, Fault::peer,
       by(certificate([](RawCertificate& message) { message.certificate_list.clear(); })),
       never("an empty one is certificate_required, or welcome")},
      {certificate_required, Fault::peer, never("servers always have one"),
       by(certificate([](RawCertificate& message) { message.certificate_list.clear(); }))},
      either(certificate_malformed, Fault::peer,
             certificate([](RawCertificate& message) { message.certificate_list.front().cert_data = {1, 2, 3}; })),
      either(certificate_context, Fault::peer,
             certificate([](RawCertificate& message) { message.certificate_request_context = {0}; })),
      either(certificate_type, Fault::peer, certificate(of_unknown_key)),
      either(compression_not_offered, Fault::peer, compressed(0)),  // of the algorithm
      either(decompression_failed, Fault::peer, compressed(4)),     // of uncompressed_length
      either(signature_invalid, Fault::peer,
             certificate_verify([](RawCertificateVerify& message) { message.signature.clear(); })),
      either(finished_mismatch, Fault::both,
             hears_changed(HandshakeType::finished,
                           [](Octets finished) {
                             finished[4] ^= 1U;
                             return finished;
                           })),
      {client_hello_refused, Fault::caller, never("a server looks at it"), by([](Duel& duel, Role) {
         duel.server_config.select_config();
         duel.server().refused_hello = ClientHelloRefused{};
       })},
      {no_credential, Fault::caller, never("a client goes on without"),
       by([](Duel& duel, Role) { duel.server().credential = nullptr; })},
      either(signing_failed, Fault::caller,
             [](Duel& duel, Role finder) {
               duel.server_config.client_auth(ClientAuth::require);
               finder_of(duel, finder).sign_fails = true;
             }),
      either(certificate_rejected, Fault::peer, rejects(certificate_rejected)),
  };
  // A verdict's: tests/x509 has a certificate for each code.
  for (const Reason reason :
       {certificate_expired, certificate_not_yet_valid, certificate_revoked, certificate_unknown_ca,
        certificate_self_signed, certificate_name_mismatch, certificate_wrong_usage, certificate_bad_signature,
        certificate_weak, certificate_invalid, certificate_chain_too_long, certificate_status})
    rows.push_back(either(reason, Fault::peer, rejects(reason)));
  return rows;
}

std::vector<Row> the_rest() {
  using enum Reason;
  constexpr std::string_view kMachine = "no peer can; tests/memory and tests/pair take it away";
  const auto larger_than_the_memory = [](Duel& duel, Role finder) {
    duel.server_config.client_auth(finder == Role::server ? ClientAuth::require : ClientAuth::none);
    constexpr std::size_t kMessage = 65'536;
    if (finder == Role::server) {
      duel.server_config.max_handshake_message(kMessage).handshake_memory(kMessage + 16'384);
    } else {
      duel.client_config.max_handshake_message(kMessage).handshake_memory(kMessage + 16'384);
    }
    forger_against(duel, finder).change_parts<RawCertificate>(HandshakeType::certificate, [](RawCertificate& message) {
      message.certificate_list.push_back({Octets(64'000, 0x30), {}});
    });
  };
  return {
      either(key_update_malformed, Fault::peer,
             hears_sealed(ContentType::handshake, message_of(HandshakeType::key_update, Octets{2}))),
      either(peer_alert, Fault::peer, hears_sealed(ContentType::alert, {2, 40}), false),
      either(peer_closed, Fault::peer, hears(plain_record(21, Octets{1, 0})), false),
      either(
          canceled, Fault::caller, [](Duel& duel, Role finder) { finder_of(duel, finder).connection.cancel(); }, false),
      either(token_dropped, Fault::caller,
             [](Duel& duel, Role finder) {
               duel.server_config.client_auth(ClientAuth::require);
               finder_of(duel, finder).drop_tokens = true;
             }),
      either(handshake_too_large, Fault::both, larger_than_the_memory),
      {memory, Fault::caller, never(kMachine), never(kMachine)},
      {random_failed, Fault::caller, never(kMachine), never(kMachine)},
      {provider_failed, Fault::caller, never(kMachine), never(kMachine)},
      either(
          unusable, Fault::caller,
          [](Duel& duel, Role finder) {
            End& end = finder_of(duel, finder);
            const Connection moved = std::move(end.connection);
            Octets nothing;
            end.treat(end.connection.receive(nothing, kNow).event);
          },
          false),
  };
}

std::vector<Row> table() {
  std::vector<Row> rows;
  for (auto part : {records, messages, negotiation, resumption, tls12, pre_shared_keys, authentication, the_rest}) {
    for (Row& row : part()) rows.push_back(std::move(row));
  }
  return rows;
}

/// Runs a way, and checks that this reason ends it, that the text blames whom it should, and that the peer hears it.
void check(const Row& row, const Way& way, Role finder) {
  SCOPED_TRACE(std::string(name(row.reason)) + (finder == Role::client ? ", found by the client" : ", by the server"));
  Duel duel;
  way.provoke(duel, finder);
  duel.run();
  const End& end = finder_of(duel, finder);
  ASSERT_TRUE(end.error) << "nothing failed";
  const Error& error = *end.error;
  ASSERT_EQ(error.reason, row.reason) << to_text(error);
  const bool said_by_peer = row.reason == Reason::peer_alert || row.reason == Reason::peer_closed;
  EXPECT_EQ(error.origin == Origin::peer, said_by_peer) << to_text(error);
  if (!said_by_peer && row.reason != Reason::canceled) {
    EXPECT_EQ(error.alert, alert_of(row.reason)) << to_text(error);
  }

  const std::string text = to_text(error);
  const bool blames_peer = text.find("The peer breaks the protocol") != std::string::npos ||
                           text.find("The peer behaves like an attacker") != std::string::npos;
  const bool by_application = error.origin == Origin::application;
  switch (row.fault) {
    case Fault::peer: EXPECT_NE(by_application, row.reason != Reason::certificate_rejected) << text; break;
    case Fault::both: EXPECT_FALSE(blames_peer || by_application) << text; break;
    case Fault::caller: EXPECT_TRUE(by_application && !blames_peer) << text; break;
  }
  // Once is enough.
  EXPECT_EQ(text.find(advise(error)), text.rfind(advise(error))) << text;

  if (!row.heard) return;
  const End& other = other_of(duel, finder);
  ASSERT_TRUE(other.error) << "the other side heard nothing";
  EXPECT_EQ(other.error->origin, Origin::peer) << to_text(*other.error);
  EXPECT_EQ(other.error->alert, error.alert) << to_text(*other.error);
}

TEST(ReasonTable, EachIsProvokedFromBothEndsOrSaysWhyNot) {
  std::vector<int> rows_of(256);
  std::printf("%-30s %-22s %-7s %s\n", "reason", "alert", "fault", "found by");
  for (const Row& row : table()) {
    ++rows_of[static_cast<std::size_t>(row.reason)];
    std::string found;
    for (const auto& [role, way] : {std::pair{Role::client, &row.client}, {Role::server, &row.server}}) {
      found += role == Role::client ? "client" : "; server";
      if (way->provoke == nullptr) {
        EXPECT_FALSE(way->why_not.empty());
        found += ": never, " + std::string(way->why_not);
      } else {
        check(row, *way, role);
      }
    }
    std::printf("%-30s %-22s %-7s %s\n", std::string(name(row.reason)).c_str(),
                std::string(name(alert_of(row.reason))).c_str(), std::string(name(row.fault)).c_str(), found.c_str());
  }
  for (std::size_t i = 1; i < rows_of.size(); ++i) {
    const auto reason = static_cast<Reason>(i);
    EXPECT_EQ(rows_of[i], name(reason).empty() ? 0 : 1) << name(reason);
  }
}

}  // namespace
}  // namespace lockstep::testing
