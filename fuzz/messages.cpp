// Every message's decoder, on anything; and what a ClientHello's decoder accepts, its lists agree with.

#include <lockstep/fuzzing.hpp>

#include "codec/certificate.hpp"
#include "codec/certificate_request.hpp"
#include "codec/certificate_verify.hpp"
#include "codec/client_hello.hpp"
#include "codec/encrypted_extensions.hpp"
#include "codec/end_of_early_data.hpp"
#include "codec/finished.hpp"
#include "codec/key_update.hpp"
#include "codec/new_session_ticket.hpp"
#include "codec/server_hello.hpp"

using namespace lockstep;
using namespace lockstep::codec;
using fuzzing::require;

namespace {

/// decode, encode, decode: what the encoder can say at all comes back the same.
void round_trip(const ClientHello& hello) {
  const auto all = [](const auto& list) {
    std::vector<std::remove_cvref_t<decltype(*list.begin())>> out;
    for (const auto value : list) out.push_back(value);
    return out;
  };
  ClientHelloParameters parameters;
  parameters.legacy_version = hello.legacy_version;
  parameters.random = hello.random;
  parameters.legacy_session_id = hello.legacy_session_id;
  const auto suites = all(hello.cipher_suites);
  parameters.cipher_suites = suites;
  if (hello.server_name) parameters.server_name = *hello.server_name;
  std::vector<NamedGroup> groups;
  if (hello.supported_groups) groups = all(*hello.supported_groups);
  parameters.supported_groups = groups;
  std::vector<SignatureScheme> schemes;
  if (hello.signature_algorithms) schemes = all(*hello.signature_algorithms);
  parameters.signature_algorithms = schemes;
  std::vector<ProtocolVersion> versions;
  if (hello.supported_versions) versions = all(*hello.supported_versions);
  parameters.supported_versions = versions;

  std::vector<std::uint8_t> buffer(1U << 17U);
  Writer writer{MutableBytes(buffer)};
  const EncodedClientHello encoded = encode_client_hello(writer, parameters);
  if (encoded.message.empty()) return;
  const auto again = decode_client_hello(Bytes(encoded.message).subspan(4));
  require(again.has_value(), "what is encoded can be decoded");
  require(std::ranges::equal(all(again->cipher_suites), suites), "suites come back");
  require(again->server_name == hello.server_name, "the server's name comes back");
  require(equal(again->random, hello.random) && equal(again->legacy_session_id, hello.legacy_session_id),
          "random and session id come back");
  if (!groups.empty()) require(std::ranges::equal(all(*again->supported_groups), groups), "groups come back");
  if (!schemes.empty()) require(std::ranges::equal(all(*again->signature_algorithms), schemes), "schemes come back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzzing::Choices choices({data, size});
  const std::uint8_t which = choices.byte();
  // What we offered decides which extensions an answer may have.
  ExtensionSet offered;
  if (choices.flag()) {
    for (const ExtensionRow& row : extension_table()) offered.insert(row.type);
  }
  const Bytes body = choices.rest();
  switch (which % 11) {
    case 0:
      if (const auto hello = decode_client_hello(body)) {
        (void)check_tls13(*hello);
        round_trip(*hello);
      }
      break;
    case 1: (void)decode_server_hello(body, offered); break;
    case 2: (void)decode_hello_retry_request(body, offered); break;
    case 3: (void)decode_encrypted_extensions(body, offered); break;
    case 4: (void)decode_certificate_request(body); break;
    case 5: (void)decode_certificate(body, offered); break;
    case 6: (void)decode_certificate_verify(body); break;
    case 7: (void)decode_finished(body, 32); break;
    case 8: (void)decode_new_session_ticket(body); break;
    case 9: (void)decode_key_update(body); break;
    default: (void)decode_end_of_early_data(body); break;
  }
  return 0;
}
