// Every single bit of every flight of every kind of handshake turned, one at a time: the connection ends with an alert
// that RFC 9846 has for what was hit, at both ends, or nobody sees a difference because the field means nothing.

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "exhaustive/kinds.hpp"
#include "exhaustive/places.hpp"
#include "record/limits.hpp"

namespace lockstep::testing {
namespace {

using Alerts = std::set<Alert>;

/// What may be said of a hello's field with a wrong bit, by what checks it first. A field that passes all checks still
/// belongs to the transcript: `kTranscript` stands for what may come of that alone.
struct Rule {
  std::string_view place;
  bool transcript;  ///< some values of the field are as good as the right one, until secrets are compared
  Alerts alerts;
};

const std::vector<Rule>& rules() {
  static const std::vector<Rule> all{
      // RFC 9846 5: "If a TLS implementation receives an unexpected record type, it MUST terminate the connection with
      // an "unexpected_message" alert." One bit from a handshake record an SSL 2 hello begins, which is a matter of
      // version.
      {"plain.type", false, {Alert::unexpected_message, Alert::protocol_version}},
      // The first record's major version tells TLS from other protocols; all other bits of it are ignored.
      {"plain.legacy_record_version", false, {Alert::protocol_version}},
      // Too long (RFC 9846 5.1: "record_overflow"), or the next header is somewhere else: then it is of no known type,
      // or of one that may not stand inside a message.
      {"plain.length", false, {Alert::record_overflow, Alert::unexpected_message}},
      // One bit away are an alert of one byte and a handshake record.
      {"change_cipher_spec.type", false, {Alert::unexpected_message, Alert::decode_error}},
      {"change_cipher_spec.length", false, {Alert::record_overflow, Alert::unexpected_message}},
      // RFC 9846 5: "An implementation which receives any other change_cipher_spec value [...] MUST abort the handshake
      // with an "unexpected_message" alert."
      {"change_cipher_spec.fragment", false, {Alert::unexpected_message}},

      // As the first record of a server, an alert in the open.
      {"alert.type", false, {Alert::unexpected_message}},
      {"alert.legacy_record_version", false, {Alert::protocol_version}},
      {"alert.length", false, {Alert::record_overflow, Alert::unexpected_message}},

      {"ClientHello.msg_type", false, {Alert::unexpected_message}},
      {"ClientHello.length", false, {Alert::decode_error}},
      {"ClientHello.legacy_version", false, {Alert::protocol_version}},
      {"ClientHello.random", true, {}},
      // Echoed; RFC 9846 4.2.3: "A client which receives a legacy_session_id_echo field that does not match [...] MUST
      // abort the handshake with an "illegal_parameter" alert."
      {"ClientHello.legacy_session_id", false, {Alert::illegal_parameter}},
      {"ClientHello.cipher_suites", true, {Alert::handshake_failure, Alert::illegal_parameter}},
      // A shorter list leaves two bytes that are no compression methods of TLS 1.3.
      {"ClientHello.cipher_suites.length", false, {Alert::decode_error, Alert::illegal_parameter}},
      {"ClientHello.legacy_compression_methods", false, {Alert::illegal_parameter}},
      // Becomes another one: unknown, or one whose form or place does not fit; or it is missed.
      {"ClientHello.extension_type",
       true,
       {Alert::decode_error, Alert::illegal_parameter, Alert::missing_extension, Alert::protocol_version}},
      // Without TLS 1.3 in it the server takes TLS 1.2, and the client sees that it was made to.
      {"ClientHello.supported_versions", true, {Alert::protocol_version, Alert::illegal_parameter}},
      {"ClientHello.supported_groups", true, {Alert::handshake_failure, Alert::illegal_parameter}},
      {"ClientHello.key_share.group", true, {Alert::illegal_parameter}},
      {"ClientHello.key_share.key_exchange", true, {Alert::illegal_parameter}},
      {"ClientHello.signature_algorithms", true, {Alert::handshake_failure}},
      {"ClientHello.signature_algorithms_cert", true, {}},
      {"ClientHello.server_name.name_type", false, {Alert::decode_error}},
      {"ClientHello.server_name.host_name", true, {Alert::decode_error}},
      {"ClientHello.application_layer_protocol_negotiation.protocol", true, {Alert::no_application_protocol}},
      {"ClientHello.cookie", false, {Alert::illegal_parameter}},
      // Of TLS 1.2, and read whichever version it will be.
      {"ClientHello.renegotiation_info", false, {Alert::decode_error}},
      {"ClientHello.ec_point_formats", true, {Alert::decode_error}},
      // A length, and algorithms that nobody may know.
      {"ClientHello.compress_certificate", true, {Alert::decode_error}},
      {"ClientHello.psk_key_exchange_modes", true, {}},
      {"ClientHello.pre_shared_key.identity", true, {}},
      {"ClientHello.pre_shared_key.obfuscated_ticket_age", true, {}},
      {"ClientHello.pre_shared_key.binder", true, {}},
      {"ClientHello.grease", true, {}},

      {"ServerHello.msg_type", false, {Alert::unexpected_message}},
      // Longer: a record of another type comes inside the message.
      {"ServerHello.length", false, {Alert::decode_error, Alert::unexpected_message}},
      {"ServerHello.legacy_version", false, {Alert::protocol_version}},
      {"ServerHello.random", true, {}},
      {"ServerHello.legacy_session_id", false, {Alert::illegal_parameter}},
      {"ServerHello.cipher_suite", true, {Alert::illegal_parameter}},
      {"ServerHello.legacy_compression_method", false, {Alert::illegal_parameter}},
      // RFC 9846 4.3: "Upon receiving such an extension, an endpoint MUST abort the handshake with an
      // "unsupported_extension" alert." A known one that has no place here: "illegal_parameter".
      {"ServerHello.extension_type", false, {Alert::unsupported_extension, Alert::illegal_parameter}},
      {"ServerHello.extension.length", false, {Alert::decode_error, Alert::unsupported_extension}},
      {"ServerHello.supported_versions", false, {Alert::illegal_parameter}},
      {"ServerHello.key_share.group", false, {Alert::illegal_parameter}},
      {"ServerHello.key_share.key_exchange", true, {Alert::illegal_parameter}},
      {"ServerHello.pre_shared_key", false, {Alert::illegal_parameter}},

      {"HelloRetryRequest.msg_type", false, {Alert::unexpected_message}},
      {"HelloRetryRequest.length", false, {Alert::decode_error, Alert::unexpected_message}},
      {"HelloRetryRequest.legacy_version", false, {Alert::protocol_version}},
      // Becomes a ServerHello, to whose rules its contents do not fit.
      {"HelloRetryRequest.random", false, {Alert::illegal_parameter}},
      {"HelloRetryRequest.legacy_session_id", false, {Alert::illegal_parameter}},
      {"HelloRetryRequest.cipher_suite", false, {Alert::illegal_parameter}},
      {"HelloRetryRequest.legacy_compression_method", false, {Alert::illegal_parameter}},
      {"HelloRetryRequest.extension_type", false, {Alert::unsupported_extension, Alert::illegal_parameter}},
      {"HelloRetryRequest.supported_versions", false, {Alert::illegal_parameter}},
      {"HelloRetryRequest.key_share.group", false, {Alert::illegal_parameter}},
      {"HelloRetryRequest.cookie", false, {Alert::illegal_parameter}},
  };
  return all;
}

/// One bit of a flight.
struct Bit {
  const Kind* kind;
  const Flight* flight;
  std::size_t flight_number;
  const std::vector<std::string>* places;
  std::size_t number;
  bool first;            ///< in the sender's first flight
  bool first_protected;  ///< in the sender's first protected record

  [[nodiscard]] const std::string& place() const { return (*places)[number / 8]; }
  [[nodiscard]] bool sets() const { return (flight->bytes[number / 8] >> (number % 8) & 1U) == 0; }
  [[nodiscard]] bool is(std::string_view place_name) const { return place() == place_name; }
};

/// The length that the record's header has with the bit turned.
std::size_t turned_length(const Bit& bit) {
  const std::size_t byte = bit.number / 8;
  const std::size_t high = byte > 0 && (*bit.places)[byte - 1] == bit.place() ? byte - 1 : byte;
  const std::size_t length = std::size_t{bit.flight->bytes[high]} << 8U | bit.flight->bytes[high + 1];
  return length ^ (std::size_t{1} << (bit.number % 8 + (byte == high ? 8 : 0)));
}

/// RFC 9846 5.1: legacy_record_version "MUST be ignored for all purposes" (we look at the first record's major version,
/// to tell TLS from other protocols); 6: an alert's level is ignored. Where a record is protected, its header is too.
bool means_nothing(const Bit& bit) {
  if (bit.is("alert.level")) return true;
  if (!bit.place().ends_with(".legacy_record_version") || bit.is("protected.legacy_record_version")) return false;
  return !(bit.first && bit.number / 8 == 1);
}

/// The record's type as it is with the bit turned.
ContentType turned_type(const Bit& bit) {
  return static_cast<ContentType>(bit.flight->bytes[bit.number / 8] ^ (1U << bit.number % 8));
}

/// Somebody may wait for bytes that never come, until the transport ends.
bool may_wait(const Bit& bit) {
  // The single byte of a change_cipher_spec is the begin of a handshake message as well.
  if (bit.is("change_cipher_spec.type")) return turned_type(bit) == ContentType::handshake;
  static const std::set<std::string_view> kFraming{
      "plain.length",       "protected.length",   "change_cipher_spec.length",
      "ClientHello.length", "ServerHello.length", "HelloRetryRequest.length",
      "alert.length"};
  return kFraming.contains(bit.place()) && bit.sets();
}

/// The alerts that are right for this bit. Those of protected records follow from the record layer alone.
Alerts right_alerts(const Bit& bit) {
  if (bit.is("protected.type")) {
    // A server still takes an alert in the open before the client's first protected record: this one is too long for
    // one.
    const bool alert = turned_type(bit) == ContentType::alert;
    if (alert && bit.flight->sender == Role::client && bit.first_protected) return {Alert::decode_error};
    return {Alert::unexpected_message};
  }
  if (bit.is("protected.length") && turned_length(bit) > record::kMaxCiphertext) return {Alert::record_overflow};
  if (bit.place().starts_with("protected.")) return {Alert::bad_record_mac};

  const auto rule = std::ranges::find(rules(), bit.place(), &Rule::place);
  if (rule == rules().end()) {
    // A vector's length that does not fit what it counts.
    return bit.place().ends_with(".length") ? Alerts{Alert::decode_error} : Alerts{};
  }
  Alerts alerts = rule->alerts;
  if (rule->transcript) alerts.insert(Alert::bad_record_mac);
  if (!bit.place().starts_with("ClientHello.")) return alerts;
  // RFC 9846 4.3.11: "If this value is not present or does not validate, the server MUST abort the handshake"; by 6.2
  // with decrypt_error.
  if (bit.kind->resumes) alerts.insert(Alert::decrypt_error);
  // RFC 9846 4.2.2: the second ClientHello is the first one, apart from what HelloRetryRequest asks for.
  if (rule->transcript && bit.kind->retries) alerts.insert(Alert::illegal_parameter);
  return alerts;
}

/// Every bit of a kind, in every flight that is the kind's own.
template <class Each>
void each_bit(const Kind& kind, const Honest& honest, Each each) {
  std::set<Role> spoken;
  std::set<Role> protects;
  for (std::size_t index = 0; index < honest.flights.size(); ++index) {
    const Flight& flight = honest.flights[index];
    const bool first = spoken.insert(flight.sender).second;
    // What comes before a failure is no different from where all goes well.
    if (kind.fails && index + 1 != honest.flights.size()) continue;
    const std::vector<std::string> places = kind.tls12 ? Places::of_records(flight.bytes) : Places::of(flight.bytes);
    ASSERT_EQ(places.size(), flight.bytes.size());
    const auto type = static_cast<std::size_t>(std::ranges::find(places, "protected.type") - places.begin());
    const bool begins = type != places.size() && protects.insert(flight.sender).second;
    for (std::size_t number = 0; number < 8 * places.size(); ++number) {
      Where::say(kind, index, "bit", number);
      each(Bit{&kind, &flight, index, &places, number, first, begins && number / 8 == type});
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

void run_turned(Play& play, const Bit& bit) {
  play.run([&](Play&, fuzzing::End& receiver, std::size_t index, const Octets& bytes) {
    if (index != bit.flight_number) return receiver.receive(bytes);
    Octets turned = bytes;
    turned[bit.number / 8] ^= static_cast<std::uint8_t>(1U << bit.number % 8);
    receiver.receive(turned);
  });
}

class Bits : public EveryKind {
 protected:
  void judge(const Bit& bit, const Honest& honest) {
    Play play(GetParam());
    run_turned(play, bit);
    if (Result::of(play) == honest.result) {
      ++counts_["no difference"];
      EXPECT_TRUE(means_nothing(bit)) << bit.place() << ": a change was accepted in silence";
    } else {
      EXPECT_FALSE(means_nothing(bit)) << bit.place();
      judge_failure(bit, play);
    }
  }
  void print(std::size_t flights, std::size_t bits) const {
    std::printf("%s: %zu flights, %zu bits:", GetParam().name.c_str(), flights, bits);
    for (const auto& [outcome, count] : counts_) std::printf(" %s %zu;", outcome.c_str(), count);
    std::printf("\n");
  }

 private:
  void judge_failure(const Bit& bit, Play& play) {
    // Where an end had cause to fail anyway, the one that hears of it is looked at.
    fuzzing::End& receiver = bit.flight->sender == Role::client ? play.server : play.client;
    ASSERT_NE(play.first_failed, nullptr) << bit.place() << ": both went on";
    const fuzzing::End& first = GetParam().fails ? receiver : *play.first_failed;
    ASSERT_TRUE(first.over()) << bit.place();
    const Error& error = *first.outcome().error;

    if (error.reason == Reason::truncated) {
      ++counts_["waits, truncated"];
      EXPECT_TRUE(may_wait(bit)) << bit.place();
    } else if (bit.is("alert.description")) {
      // In the open nobody can tell one alert from another; what it is, is told.
      ++counts_["another alert"];
      EXPECT_EQ(error.reason, Reason::peer_alert) << to_text(error);
    } else {
      ++counts_[std::string(name(error.alert))];
      EXPECT_EQ(error.origin, Origin::local) << bit.place();
      EXPECT_TRUE(right_alerts(bit).contains(error.alert)) << bit.place() << ": " << to_text(error);
    }
    if (!GetParam().fails) judge_other(error, play.peer_of(first));
  }

  // Nobody goes on alone: the other end hears the alert, cannot read it because the keys differ, or sees the transport
  // end. It may have been done before: then it has the peer's word for that.
  static void judge_other(const Error& error, fuzzing::End& other) {
    if (!other.over()) {
      EXPECT_TRUE(other.connection().peer_closed());
      return;
    }
    const Error& second = *other.outcome().error;
    const bool heard = second.reason == Reason::peer_alert && second.alert == error.alert;
    const bool unreadable = error.alert == Alert::bad_record_mac && second.reason == Reason::record_mac;
    const bool cut = error.reason == Reason::truncated && second.reason == Reason::truncated;
    EXPECT_TRUE(heard || unreadable || cut) << to_text(error) << " / " << to_text(second);
  }

  std::map<std::string, std::size_t> counts_;
};
INSTANTIATE_TEST_SUITE_P(Exhaustive, Bits, ::testing::ValuesIn(kinds()), kind_name);

TEST_P(Bits, EndInTheRightAlertOrMeanNothing) {
  const Honest honest(GetParam());
  std::size_t bits = 0;
  each_bit(GetParam(), honest, [&](const Bit& bit) {
    SCOPED_TRACE(Where::text());
    judge(bit, honest);
    ++bits;
  });
  EXPECT_GT(bits, 0U);
  print(honest.flights.size(), bits);
}

// A server that skips early data skips what was altered as well, and a client's alert that comes before it knows better
// is early data too. Still nothing is taken altered: either all is as it would have been, or somebody has failed and
// what was told until then is a beginning of it. In TLS 1.2, most of which is in the clear, it is the same.
class AlteredBits : public EveryKind {};
INSTANTIATE_TEST_SUITE_P(ExhaustiveEarlyData, AlteredBits, ::testing::ValuesIn(early_kinds()), kind_name);
INSTANTIATE_TEST_SUITE_P(ExhaustiveTls12, AlteredBits, ::testing::ValuesIn(tls12_kinds()), kind_name);

TEST_P(AlteredBits, AreNeverTakenAltered) {
  const auto begins = [](const Octets& whole, const Octets& start) {
    return start.size() <= whole.size() && std::equal(start.begin(), start.end(), whole.begin());
  };
  const Honest honest(GetParam());
  std::size_t failures = 0;
  std::size_t bits = 0;
  each_bit(GetParam(), honest, [&](const Bit& bit) {
    SCOPED_TRACE(Where::text());
    ++bits;
    Play play(GetParam());
    run_turned(play, bit);
    if (play.both_succeeded()) {
      EXPECT_EQ(Result::of(play), honest.result) << bit.place() << ": a change was accepted in silence";
      return;
    }
    ++failures;
    EXPECT_TRUE(begins(honest.result.server.data, play.server.outcome().data)) << bit.place();
    EXPECT_TRUE(begins(honest.result.server.early_data, play.server.outcome().early_data)) << bit.place();
    EXPECT_TRUE(begins(honest.result.client.data, play.client.outcome().data)) << bit.place();
  });
  EXPECT_GT(failures, bits / 2);
  std::printf("%s: %zu flights, %zu bits: %zu failures, %zu without difference\n", GetParam().name.c_str(),
              honest.flights.size(), bits, failures, bits - failures);
}

// The rules allow nothing that does not happen: each of their alerts is some bit's.
TEST(BitsRules, AreNoWiderThanNeeded) {
  std::map<std::string, Alerts> seen;
  for (const Kind& kind : kinds()) {
    const Honest honest(kind);
    each_bit(kind, honest, [&](const Bit& bit) {
      if (bit.place().starts_with("protected.")) return;
      Play play(kind);
      run_turned(play, bit);
      for (const fuzzing::End* const end : {&play.client, &play.server}) {
        if (end->over() && end->outcome().error->origin == Origin::local &&
            end->outcome().error->reason != Reason::truncated) {
          seen[bit.place()].insert(end->outcome().error->alert);
        }
      }
    });
  }
  for (const Rule& rule : rules()) {
    const Alerts& met = seen[std::string(rule.place)];
    for (const Alert alert : rule.alerts) EXPECT_TRUE(met.contains(alert)) << rule.place << ": " << name(alert);
    EXPECT_TRUE(!rule.transcript || met.contains(Alert::bad_record_mac)) << rule.place;
  }
}

}  // namespace
}  // namespace lockstep::testing
