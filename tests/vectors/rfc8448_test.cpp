// The key schedule and the record layer against the traces of RFC 8448, bit for bit.

#include <array>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <lockstep/botan.hpp>

#include "key_schedule/tls13.hpp"
#include "key_schedule/transcript.hpp"
#include "record/framing.hpp"
#include "record/opener.hpp"
#include "record/sealer.hpp"
#include "vectors/vectors.hpp"

namespace lockstep::key_schedule {
namespace {

using tests::Octets;
using tests::Vectors;

// Every trace negotiates TLS_AES_128_GCM_SHA256.
const Provider& provider() {
  static const Provider botan = botan::provider();
  return botan;
}
const Hash& sha256() { return *provider().hash(HashAlgorithm::sha256); }
const Aead& aes_128_gcm() { return *provider().aead(AeadAlgorithm::aes_128_gcm); }

/// Names the vector when it differs.
void expect(Bytes value, const Vectors& trace, const std::string& name) {
  EXPECT_EQ(tests::to_hex(value), tests::to_hex(trace[name])) << name;
}

void expect(const TrafficKey& key, const Vectors& trace, const std::string& name) {
  expect(key.key.view(), trace, name + "_key");
  expect(key.iv.view(), trace, name + "_iv");
}

/// Both halves of one direction, with the trace's key.
class Channel {
 public:
  explicit Channel(const TrafficKey& key) {
    EXPECT_TRUE(sealer_.install(aes_128_gcm(), key.key.view(), key.iv.view()));
    EXPECT_TRUE(opener_.install(aes_128_gcm(), key.key.view(), key.iv.view()));
  }

  /// Checks that content of this type makes exactly this record, and that the record gives it back.
  void expect_record(ContentType type, Bytes content, const Octets& record) {
    Octets out(record.size());
    const std::array<Bytes, 1> segments = {content};
    const auto sealed = sealer_.seal(type, segments, {}, out);
    ASSERT_TRUE(sealed);
    EXPECT_EQ(sealed->consumed, content.size());
    EXPECT_EQ(out, record);

    Octets received = record;
    const auto header = record::parse_header(received, record::Stream::protected_);
    ASSERT_TRUE(header && *header);
    EXPECT_EQ((*header)->record_size(), received.size());
    const auto opened = opener_.open(received);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->type, type);
    EXPECT_EQ(tests::to_hex(opened->content), tests::to_hex(content));
  }

 private:
  record::Sealer sealer_;
  record::Opener opener_;
};

/// The messages of the trace that it has, in this order, joined.
Octets join(const Vectors& trace, std::initializer_list<const char*> names) {
  Octets joined;
  for (const char* name : names) {
    if (!trace.has(name)) continue;
    joined.insert(joined.end(), trace[name].begin(), trace[name].end());
  }
  return joined;
}

void expect_plaintext(const Vectors& trace, const std::string& name, ProtocolVersion version) {
  const Octets& record = trace["record_" + name];
  Octets out(record.size());
  EXPECT_EQ(record::write_plaintext(ContentType::handshake, version, trace["message_" + name], out), record.size());
  EXPECT_EQ(out, record);
}

class Rfc8448 : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(KeySchedule, Rfc8448,
                         testing::Values("3_simple_1rtt", "4_resumed_0rtt", "5_hello_retry_request",
                                         "6_client_authentication", "7_compatibility_mode"),
                         [](const auto& tested) { return std::string(tested.param).substr(2); });

TEST_P(Rfc8448, IsReproduced) {
  const Vectors trace(std::string("rfc8448/") + GetParam() + ".txt");
  const Hash& hash = sha256();
  Transcript transcript;
  ASSERT_TRUE(transcript.start(hash));

  std::optional<EarlySecret> early;
  if (trace.has("psk")) {
    early = EarlySecret::from_psk(hash, trace["psk"]);
    ASSERT_TRUE(early);
  }

  expect_plaintext(trace, "client_hello", ProtocolVersion::tls_1_0);
  const Bytes client_hello = trace["message_client_hello"];
  if (trace.has("psk")) {
    // The binders are the last 35 bytes: two of length, one of length, 32.
    transcript.update(client_hello.first(client_hello.size() - 35));
    const auto truncated = transcript.digest();
    ASSERT_TRUE(truncated);
    expect(truncated->view(), trace, "transcript_truncated_client_hello");
    const auto binder = early->binder(PskKind::resumption, *truncated);
    ASSERT_TRUE(binder);
    expect(binder->view(), trace, "binder");
    transcript.update(client_hello.last(35));
  } else {
    transcript.update(client_hello);
  }

  std::optional<Channel> early_channel;
  if (trace.has("client_early_traffic_secret")) {
    const auto digest = transcript.digest();
    const auto secret = early->client_early_traffic_secret(*digest);
    const auto exporter = early->early_exporter_secret(*digest);
    ASSERT_TRUE(secret && exporter);
    expect(secret->view(), trace, "client_early_traffic_secret");
    expect(exporter->view(), trace, "early_exporter_secret");
    const auto key = traffic_key(hash, *secret, aes_128_gcm().key_size);
    ASSERT_TRUE(key);
    expect(*key, trace, "client_early");
    early_channel.emplace(*key);
    early_channel->expect_record(ContentType::application_data, trace["early_application_data"],
                                 trace["record_client_early_data"]);
  }

  if (trace.has("message_hello_retry_request")) {
    expect_plaintext(trace, "hello_retry_request", ProtocolVersion::tls_1_2);
    expect_plaintext(trace, "client_hello_2", ProtocolVersion::tls_1_2);
    // A server without state reads the digest from its cookie instead.
    const auto first = digest_of(hash, {client_hello});
    Transcript stateless;
    ASSERT_TRUE(first && stateless.start_with_message_hash(hash, first->view()));
    ASSERT_TRUE(transcript.replace_with_message_hash());
    EXPECT_EQ(tests::to_hex(stateless.digest()->view()), tests::to_hex(transcript.digest()->view()));
    transcript.update(trace["message_hello_retry_request"]);
    transcript.update(trace["message_client_hello_2"]);
  }

  expect_plaintext(trace, "server_hello", ProtocolVersion::tls_1_2);
  transcript.update(trace["message_server_hello"]);
  const auto server_hello = transcript.digest();
  ASSERT_TRUE(server_hello);
  expect(server_hello->view(), trace, "transcript_server_hello");

  auto handshake = early ? std::move(*early).handshake_secret(trace["shared_secret"])
                         : HandshakeSecret::without_psk(hash, trace["shared_secret"]);
  ASSERT_TRUE(handshake);
  const auto made = std::move(*handshake).derive(*server_hello);
  ASSERT_TRUE(made);
  const TrafficSecrets* const secrets = &made->traffic;
  const MainSecret* const main = &made->main;
  expect(secrets->client.view(), trace, "client_handshake_traffic_secret");
  expect(secrets->server.view(), trace, "server_handshake_traffic_secret");
  const auto keys = traffic_keys(hash, *secrets, aes_128_gcm().key_size);
  ASSERT_TRUE(keys);
  expect(keys->client, trace, "client_handshake");
  expect(keys->server, trace, "server_handshake");

  Channel(keys->server)
      .expect_record(
          ContentType::handshake,
          join(trace, {"message_encrypted_extensions", "message_certificate_request", "message_server_certificate",
                       "message_server_certificate_verify", "message_server_finished"}),
          trace["record_server_flight"]);
  transcript.update(join(trace, {"message_encrypted_extensions", "message_certificate_request",
                                 "message_server_certificate", "message_server_certificate_verify"}));
  const auto server_finished = finished_verify_data(hash, secrets->server, *transcript.digest());
  ASSERT_TRUE(server_finished);
  EXPECT_EQ(tests::to_hex(server_finished->view()), tests::to_hex(Bytes(trace["message_server_finished"]).subspan(4)));
  transcript.update(trace["message_server_finished"]);
  expect(transcript.digest()->view(), trace, "transcript_server_finished");

  const auto application = main->application_secrets(*transcript.digest());
  ASSERT_TRUE(application);
  expect(application->traffic.client.view(), trace, "client_application_traffic_secret");
  expect(application->traffic.server.view(), trace, "server_application_traffic_secret");
  expect(application->exporter.view(), trace, "exporter_secret");
  const auto application_keys = traffic_keys(hash, application->traffic, aes_128_gcm().key_size);
  ASSERT_TRUE(application_keys);
  expect(application_keys->client, trace, "client_application");
  expect(application_keys->server, trace, "server_application");

  if (early_channel) {
    early_channel->expect_record(ContentType::handshake, trace["message_end_of_early_data"],
                                 trace["record_end_of_early_data"]);
    transcript.update(trace["message_end_of_early_data"]);
  }
  const char* flight = trace.has("record_client_flight") ? "record_client_flight" : "record_client_finished";
  Channel(keys->client)
      .expect_record(
          ContentType::handshake,
          join(trace, {"message_client_certificate", "message_client_certificate_verify", "message_client_finished"}),
          trace[flight]);
  transcript.update(join(trace, {"message_client_certificate", "message_client_certificate_verify"}));
  const auto client_finished = finished_verify_data(hash, secrets->client, *transcript.digest());
  ASSERT_TRUE(client_finished);
  EXPECT_EQ(tests::to_hex(client_finished->view()), tests::to_hex(Bytes(trace["message_client_finished"]).subspan(4)));
  transcript.update(trace["message_client_finished"]);
  expect(transcript.digest()->view(), trace, "transcript_client_finished");
  const auto resumption = main->resumption_secret(*transcript.digest());
  ASSERT_TRUE(resumption);
  expect(resumption->view(), trace, "resumption_secret");

  Channel client(application_keys->client);
  Channel server(application_keys->server);
  if (trace.has("record_new_session_ticket")) {
    server.expect_record(ContentType::handshake, trace["message_new_session_ticket"],
                         trace["record_new_session_ticket"]);
    const auto psk = ticket_psk(hash, *resumption, Octets{0, 0});
    ASSERT_TRUE(psk);
    expect(psk->view(), trace, "resumption_psk");
  }
  if (trace.has("client_application_data")) {
    client.expect_record(ContentType::application_data, trace["client_application_data"],
                         trace["record_client_application_data"]);
    server.expect_record(ContentType::application_data, trace["server_application_data"],
                         trace["record_server_application_data"]);
  }
  const Octets close_notify = {1, 0};
  client.expect_record(ContentType::alert, close_notify, trace["record_client_close_notify"]);
  server.expect_record(ContentType::alert, close_notify, trace["record_server_close_notify"]);
}

}  // namespace
}  // namespace lockstep::key_schedule
