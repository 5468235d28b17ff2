// A client and a server, and somebody between them who changes what passes. Whatever happens, the two never both think
// that all went well when one has said what the other did not hear.

#include <lockstep/fuzzing.hpp>

using namespace lockstep;
using namespace lockstep::fuzzing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices({data, size});
  Ends ends(choices);
  Middle middle(choices);
  static constexpr std::string_view kEarly = "what cannot wait";
  ends.server.receive(middle.pass(ends.client.seal_early(as_bytes(kEarly))));
  ends.run(middle);
  // Another handshake under the keys of the first, where both are willing.
  if (const std::size_t who = choices.below(3); who != 0) {
    (who == 1 ? ends.client : ends.server).renegotiate();
    ends.run(middle);
  }

  // What was said in the open cannot be altered without notice: both know the same or one has failed.
  Connection& client = ends.client.connection();
  Connection& server = ends.server.connection();
  const bool between = client.renegotiating() || server.renegotiating();
  if (client.connected() && server.connected() && !between) {
    require(client.suite() == server.suite() && client.group() == server.group() && client.alpn() == server.alpn() &&
                client.resumed() == server.resumed(),
            "two that are connected agree");
    std::uint8_t ours[32];
    std::uint8_t theirs[32];
    require(client.export_keying_material("EXPORTER-fuzz", {}, ours) &&
                server.export_keying_material("EXPORTER-fuzz", {}, theirs) && std::ranges::equal(ours, theirs),
            "two that are connected have the same secrets");
  }

  const auto& early = ends.server.outcome().early_data;
  require(early.size() <= kEarly.size() && std::ranges::equal(early, as_bytes(kEarly.substr(0, early.size()))),
          "early data is not altered");
  if (client.connected() && server.connected()) {
    require((client.early_data() == EarlyDataStatus::accepted) == (server.early_data() == EarlyDataStatus::accepted),
            "both know whether early data was taken");
    require(client.early_data() != EarlyDataStatus::accepted || early.size() == kEarly.size(),
            "early data that was taken has arrived");
  }

  // Application data through the same hands: what arrives is what was sent, or a beginning of it.
  if (client.connected()) {
    static constexpr std::string_view kText = "what the client says, in a record of its own";
    const Octets records = middle.pass(ends.client.seal(as_bytes(kText)));
    if (!ends.server.over()) ends.server.receive(records);
    const auto& heard = ends.server.outcome().data;
    require(heard.size() <= kText.size() && std::ranges::equal(heard, as_bytes(kText.substr(0, heard.size()))),
            "application data is not altered");
  }
  return 0;
}
