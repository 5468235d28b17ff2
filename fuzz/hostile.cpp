// A peer that keeps every rule but those that the fuzzer breaks: its messages come under the right keys, with
// transcripts and Finished that fit. After the handshake, any records.

#include <lockstep/fuzzing.hpp>

using namespace lockstep;
using namespace lockstep::fuzzing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices({data, size});
  const std::uint8_t who = choices.byte();
  const bool client_is_hostile = (who & 1U) != 0;
  const Cast cast(choices.byte());
  Script script(choices);
  End client = client_is_hostile ? cast.client(std::move(script)) : cast.client();
  End server = client_is_hostile ? cast.server() : cast.server(std::move(script));
  End& hostile = client_is_hostile ? client : server;
  End& honest = client_is_hostile ? server : client;
  Wire wire;
  talk(client, server, wire);
  // Another handshake under the keys of the first, where both are willing: the script goes on in it.
  if ((who & 2U) != 0) {
    ((who & 4U) != 0 ? client : server).renegotiate();
    talk(client, server, wire);
  }

  static constexpr ContentType kTypes[] = {ContentType::handshake, ContentType::application_data, ContentType::alert,
                                           ContentType::change_cipher_spec, static_cast<ContentType>(24)};
  while (!choices.empty() && !honest.over() && !hostile.over()) {
    const ContentType type = choices.of(kTypes);
    const std::size_t padding = choices.below(64);
    honest.receive(hostile.record(type, choices.bytes(choices.below(512)), padding));
    hostile.receive(honest.send());
  }
  if (!honest.over()) honest.receive_end();
  return 0;
}
