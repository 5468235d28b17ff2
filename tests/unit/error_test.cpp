// The table of reasons: whole, legible, and its text safe to print.

#include <set>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include <lockstep/error.hpp>
#include <lockstep/types.hpp>

namespace lockstep {
namespace {

/// The name of an enumerator as the compiler spells it in a function's signature; empty for a number without one. So
/// the table is held against the enumeration itself, not against another list.
template <auto Value>
consteval std::string_view spelled() {
  const std::string_view signature = __PRETTY_FUNCTION__;
  const std::size_t start = signature.find("Value = ") + 8;
  const std::string_view value = signature.substr(start, signature.find_first_of(";]", start) - start);
  return value.find('(') == std::string_view::npos ? value.substr(value.rfind(':') + 1) : std::string_view{};
}

/// Calls `visit(value, spelling)` for all 256 values of an enumeration that have an enumerator.
template <class Enum, class Visit, std::size_t... I>
void for_each_enumerator(Visit visit, std::index_sequence<I...>) {
  const auto one = [&](Enum value, std::string_view spelling) {
    if (!spelling.empty()) visit(value, spelling);
  };
  (one(static_cast<Enum>(I), spelled<static_cast<Enum>(I)>()), ...);
}
template <class Enum, class Visit>
void for_each_enumerator(Visit visit) {
  for_each_enumerator<Enum>(visit, std::make_index_sequence<256>());
}

TEST(Reason, EachHasItsRow) {
  std::set<std::string_view> sentences;
  std::size_t count = 0;
  for_each_enumerator<Reason>([&](Reason reason, std::string_view spelling) {
    SCOPED_TRACE(spelling);
    EXPECT_EQ(name(reason), spelling);
    EXPECT_FALSE(name(alert_of(reason)).empty());
    EXPECT_TRUE(explain(reason).ends_with('.'));
    EXPECT_TRUE(advise(reason).ends_with('.'));
    EXPECT_TRUE(sentences.insert(explain(reason)).second) << "another reason says the same";
    ++count;
  });
  EXPECT_GT(count, 100U);
  EXPECT_TRUE(name(static_cast<Reason>(255)).empty());
  EXPECT_EQ(alert_of(static_cast<Reason>(255)), Alert::internal_error);
}

TEST(Alert, EachHasItsName) {
  std::size_t count = 0;
  for_each_enumerator<Alert>([&](Alert alert, std::string_view spelling) {
    EXPECT_EQ(name(alert), spelling);
    ++count;
  });
  EXPECT_EQ(count, 36U);
  EXPECT_TRUE(name(static_cast<Alert>(1)).empty());
}

TEST(Place, EachHasItsName) {
  for_each_enumerator<Place>([](Place place, std::string_view spelling) { EXPECT_EQ(name(place), spelling); });
  for_each_enumerator<Origin>([](Origin origin, std::string_view spelling) { EXPECT_EQ(name(origin), spelling); });
  EXPECT_TRUE(name(static_cast<Place>(200)).empty());
}

TEST(MakeError, TakesAlertAndOriginFromTheTable) {
  const Error error = make_error(Reason::extension_duplicate, Place::client_hello, 43);
  EXPECT_EQ(error.alert, Alert::illegal_parameter);
  EXPECT_EQ(error.reason, Reason::extension_duplicate);
  EXPECT_EQ(error.place, Place::client_hello);
  EXPECT_EQ(error.origin, Origin::local);
  EXPECT_EQ(error.detail, 43U);
  EXPECT_EQ(error.evidence_size, 0U);
  EXPECT_EQ(make_error(Reason::peer_alert, Place::alert).origin, Origin::peer);
  EXPECT_EQ(make_error(Reason::canceled, Place::application).origin, Origin::application);
}

// The alerts that RFC 9846 names for these mistakes.
TEST(AlertOf, FollowsTheRfc) {
  const std::pair<Reason, Alert> demanded[] = {
      {Reason::record_type, Alert::unexpected_message},
      {Reason::record_too_long, Alert::record_overflow},
      {Reason::record_mac, Alert::bad_record_mac},
      {Reason::record_all_padding, Alert::unexpected_message},
      {Reason::record_after_key_change, Alert::unexpected_message},
      {Reason::message_unexpected, Alert::unexpected_message},
      {Reason::message_truncated, Alert::decode_error},
      {Reason::message_trailing_data, Alert::decode_error},
      {Reason::extension_unsolicited, Alert::unsupported_extension},
      {Reason::extension_missing, Alert::missing_extension},
      {Reason::alpn_mismatch, Alert::no_application_protocol},
      {Reason::version_unsupported, Alert::protocol_version},
      {Reason::version_downgrade, Alert::illegal_parameter},
      {Reason::inappropriate_fallback, Alert::inappropriate_fallback},
      {Reason::suite_unsupported, Alert::handshake_failure},
      {Reason::second_hello_retry_request, Alert::unexpected_message},
      {Reason::psk_binder, Alert::decrypt_error},
      {Reason::certificate_missing, Alert::decode_error},
      {Reason::certificate_required, Alert::certificate_required},
      {Reason::certificate_unknown_ca, Alert::unknown_ca},
      {Reason::certificate_expired, Alert::certificate_expired},
      {Reason::signature_invalid, Alert::decrypt_error},
      {Reason::finished_mismatch, Alert::decrypt_error},
      {Reason::key_update_malformed, Alert::illegal_parameter},
  };
  for (const auto& [reason, alert] : demanded) EXPECT_EQ(name(alert_of(reason)), name(alert)) << name(reason);
}

TEST(ErrorText, SaysWhatWhereWhoAndWhatToDo) {
  const Error error = make_error(Reason::extension_duplicate, Place::client_hello, 43);
  EXPECT_EQ(to_text(error),
            "An extension occurs twice in a message. [extension_duplicate in client_hello, extension "
            "supported_versions; found here, "
            "alert illegal_parameter sent] The peer breaks the protocol: report it to its maker with a capture of the "
            "connection.");
  EXPECT_NE(to_text(make_error(Reason::extension_unsolicited, Place::server_hello, 0x7777)).find("unknown 0x7777"),
            std::string::npos);
  EXPECT_NE(to_text(make_error(Reason::message_unexpected, Place::handshake, 11)).find("message certificate;"),
            std::string::npos);
  EXPECT_NE(to_text(make_error(Reason::certificate_invalid, Place::certificate, 20)).find("X.509 code 20;"),
            std::string::npos);
  EXPECT_NE(to_text(make_error(Reason::message_too_long, Place::certificate, 11)).find("in certificate; found"),
            std::string::npos);
  EXPECT_NE(to_text(make_error(Reason::scheme_wrong_key, Place::certificate_verify, 0x0403))
                .find("scheme ecdsa_secp256r1_sha256;"),
            std::string::npos);
  // Where the transport has ended, no alert was sent.
  EXPECT_NE(to_text(make_error(Reason::truncated, Place::transport)).find("[truncated in transport; found here]"),
            std::string::npos);
  EXPECT_NE(to_text(make_error(Reason::canceled, Place::application)).find("ended by the application"),
            std::string::npos);
}

TEST(ErrorText, GivesOneAdvice) {
  const Error error = make_error(Reason::certificate_unknown_ca, Place::certificate, 20);
  EXPECT_EQ(to_text(error, "CODE: what is wrong. What to do."),
            "No trusted authority stands behind the certificate. [certificate_unknown_ca in certificate; found here, "
            "alert unknown_ca sent] CODE: what is wrong. What to do.");
}

// Whichever end it is that reads it.
TEST(ErrorText, OfNoCommonVersionSaysWhatThisBuildSpeaks) {
  const auto speaks = [](const Error& error) {
    return to_text(error).find("this build speaks TLS 1.3 and TLS 1.2") != std::string::npos;
  };
  Error heard = make_error(Reason::peer_alert, Place::alert);
  heard.alert = Alert::protocol_version;
  EXPECT_TRUE(speaks(heard)) << to_text(heard);
  EXPECT_EQ(to_text(heard).find("offered"), std::string::npos) << "a server offers none";
  EXPECT_TRUE(speaks(make_error(Reason::version_unsupported, Place::client_hello, 0x0303)));
  // What servers say that find none of our suites among theirs.
  heard.alert = Alert::handshake_failure;
  EXPECT_NE(to_text(heard).find("a suite that has to be named here"), std::string::npos) << to_text(heard);
}

TEST(ErrorText, TellsWhatAPeersAlertMeans) {
  Error error = make_error(Reason::peer_alert, Place::alert);
  error.alert = Alert::unknown_ca;
  EXPECT_NE(to_text(error).find("the peer sent alert unknown_ca: it does not trust the issuer of our certificate]"),
            std::string::npos)
      << to_text(error);
  error.alert = static_cast<Alert>(199);
  EXPECT_NE(to_text(error).find("the peer sent alert 199]"), std::string::npos) << to_text(error);
}

TEST(ErrorText, ShowsEvidenceEscaped) {
  Error error = make_error(Reason::plain_http, Place::record);
  const std::string_view request = "GET / HTTP/1.1\r\n";
  std::ranges::copy(as_bytes(request), error.evidence.begin());
  error.evidence_size = 16;
  EXPECT_NE(to_text(error).find(R"(first bytes "GET / HTTP/1.1\r\n")"), std::string::npos) << to_text(error);
  EXPECT_NE(to_text(error).find("https://"), std::string::npos);

  error = make_error(Reason::not_tls, Place::record);
  std::ranges::copy(as_bytes(std::string_view("\x1b[31m\"\\\x7f\xff\0z", 11)), error.evidence.begin());
  error.evidence_size = 11;
  EXPECT_NE(to_text(error).find(R"(first bytes "\x1b[31m\"\\\x7f\xff\x00z")"), std::string::npos) << to_text(error);
  error.evidence_size = 255;  // never beyond the array
  for (const char c : to_text(error)) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
}

TEST(ErrorText, IsOneLineForEveryReasonAndPlace) {
  for_each_enumerator<Reason>([](Reason reason, std::string_view spelling) {
    for_each_enumerator<Place>([&](Place place, std::string_view) {
      const std::string text = to_text(make_error(reason, place));
      EXPECT_NE(text.find(spelling), std::string::npos);
      EXPECT_NE(text.find(advise(reason)), std::string::npos);
      EXPECT_EQ(text.find('\n'), std::string::npos);
    });
  });
}

}  // namespace
}  // namespace lockstep
