// How large records may be where that was agreed on (RFC 8449, RFC 6066 4), in both versions.

#include <array>

#include "hostile/old_duel.hpp"

namespace lockstep::testing {
namespace {

Duel& speak(Duel& duel, ProtocolVersion version) {
  if (version == kTls12) speak_tls12(duel);
  return duel;
}

// RFC 8449 4: all of the plaintext counts.
TEST(HostileRecordLimits, RecordsKeepToThem) {
  for (const ProtocolVersion version : {kTls12, ProtocolVersion::tls_1_3}) {
    SCOPED_TRACE(name(version));
    const std::size_t type = version == kTls12 ? 0 : 1;
    for (const bool client_sends : {true, false}) {
      for (const std::size_t more : {0U, 1U}) {
        for (const std::size_t padding : {std::size_t{0}, 30 * type}) {
          Duel duel;
          speak(duel, version);
          duel.client_config.record_size_limit(100);
          duel.server_config.record_size_limit(100);
          duel.expect_connected();
          End& sender = client_sends ? duel.client() : duel.server();
          End& receiver = client_sends ? duel.server() : duel.client();
          const Octets content(100 - type - padding + more, 7);
          append(client_sends ? duel.to_server() : duel.to_client(),
                 seal_record(sender.connection, ContentType::application_data, content, padding));
          duel.run();
          if (more == 0) {
            EXPECT_EQ(receiver.data, content) << error_text(receiver);
          } else {
            Duel::expect_refusal(receiver, Reason::record_too_long, Alert::record_overflow);
          }
        }
      }
    }
  }
}

// RFC 6066 4: what is not protected counts as well.
TEST(HostileRecordLimits, RecordsInClearKeepToTheFragmentLength) {
  for (const std::uint16_t fragment : std::to_array<std::uint16_t>({512, 513})) {
    OldDuel duel;
    duel.client_config.max_fragment_length(512).ocsp_stapling(true);
    duel.server_config.max_send_fragment(fragment);
    Credential credential = *credential_of(KeyType::ec_p256);
    credential.ocsp_response.assign(1500, 1);
    duel.server().credential = std::make_shared<const Credential>(credential);
    duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [](RawServerHello& hello) {
      hello.extensions.add(ExtensionType::max_fragment_length, {1});
    });
    if (fragment == 512) {
      duel.expect_connected();
    } else {
      duel.expect_client_refuses(Reason::record_too_long, Alert::record_overflow, Place::record);
    }
  }
}

/// The server says in its own message that a length was agreed on.
void answer_fragment_length(Duel& duel, ProtocolVersion version, std::uint8_t code) {
  const auto add = [code](RawExtensions& extensions) { extensions.add(ExtensionType::max_fragment_length, {code}); };
  if (version == kTls12) {
    duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello,
                                                    [add](RawServerHello& hello) { add(hello.extensions); });
  } else {
    duel.server_forger.change_parts<RawEncryptedExtensions>(
        HandshakeType::encrypted_extensions, [add](RawEncryptedExtensions& message) { add(message.extensions); });
  }
}

TEST(HostileRecordLimits, FragmentLengthIsTheOneThatWasAskedFor) {
  for (const ProtocolVersion version : {kTls12, ProtocolVersion::tls_1_3}) {
    Duel duel;
    speak(duel, version);
    duel.client_config.max_fragment_length(512);
    answer_fragment_length(duel, version, 2);
    duel.expect_client_refuses(Reason::max_fragment_length, Alert::illegal_parameter);
  }
}

TEST(HostileRecordLimits, OneOfBothIsAnswered) {
  for (const ProtocolVersion version : {kTls12, ProtocolVersion::tls_1_3}) {
    Duel duel;
    speak(duel, version);
    duel.client_config.max_fragment_length(512).record_size_limit(600);
    duel.server_config.record_size_limit(600);
    answer_fragment_length(duel, version, 1);
    duel.expect_client_refuses(Reason::extension_forbidden, Alert::illegal_parameter);
  }
}

}  // namespace
}  // namespace lockstep::testing
