// The table of extensions and the checks of a block that rest on it.

#include <set>

#include "codec/extension_codecs.hpp"
#include "codec/extensions.hpp"
#include "unit/codec_fixture.hpp"

namespace lockstep::codec {
namespace {

using enum ExtensionBlock;

Extensions read(const Buffer& block) {
  Reader reader(block);
  const Extensions extensions = read_extensions(reader);
  EXPECT_EQ(reader.finish(), Reason::none);
  return extensions;
}

TEST(ExtensionTable, HasOneRowPerExtension) {
  std::set<ExtensionType> types;
  for (const ExtensionRow& row : kExtensionTable) {
    EXPECT_TRUE(types.insert(row.type).second) << to_text(row.type);
    EXPECT_NE(row.blocks, 0U) << to_text(row.type);
    EXPECT_FALSE(name(row.type).empty()) << std::to_underlying(row.type);
    EXPECT_EQ(extension_row(row.type), &row);
  }
  EXPECT_EQ(types.size(), 31U);
  EXPECT_EQ(extension_row(static_cast<ExtensionType>(0x0a0a)), nullptr);
}

// RFC 9846 4.3, table 1, written down a second time: type, and the messages in which it may stand.
TEST(ExtensionTable, AgreesWithTheRfc) {
  struct Row {
    ExtensionType type;
    std::set<ExtensionBlock> blocks;
  };
  const std::vector<Row> rows{
      {ExtensionType::server_name, {client_hello, encrypted_extensions, certificate_request}},
      {ExtensionType::max_fragment_length, {client_hello, encrypted_extensions}},
      {ExtensionType::status_request, {client_hello, certificate_request, certificate}},
      {ExtensionType::supported_groups, {client_hello, encrypted_extensions}},
      {ExtensionType::signature_algorithms, {client_hello, certificate_request}},
      {ExtensionType::use_srtp, {client_hello, encrypted_extensions}},
      {ExtensionType::application_layer_protocol_negotiation, {client_hello, encrypted_extensions}},
      {ExtensionType::signed_certificate_timestamp, {client_hello, certificate_request, certificate}},
      {ExtensionType::client_certificate_type, {client_hello, encrypted_extensions}},
      {ExtensionType::server_certificate_type, {client_hello, encrypted_extensions}},
      {ExtensionType::padding, {client_hello}},
      {ExtensionType::pre_shared_key, {client_hello, server_hello}},
      {ExtensionType::early_data, {client_hello, encrypted_extensions, new_session_ticket}},
      {ExtensionType::psk_key_exchange_modes, {client_hello}},
      {ExtensionType::cookie, {client_hello, hello_retry_request}},
      {ExtensionType::supported_versions, {client_hello, server_hello, hello_retry_request}},
      {ExtensionType::certificate_authorities, {client_hello, certificate_request}},
      {ExtensionType::oid_filters, {certificate_request}},
      {ExtensionType::post_handshake_auth, {client_hello}},
      {ExtensionType::signature_algorithms_cert, {client_hello, certificate_request}},
      {ExtensionType::key_share, {client_hello, server_hello, hello_retry_request}},
      {ExtensionType::ticket_request, {client_hello, encrypted_extensions}},  // RFC 9149 3
  };
  for (const Row& row : rows) {
    ASSERT_NE(extension_row(row.type), nullptr) << to_text(row.type);
    for (const ExtensionBlock block : {client_hello, server_hello, hello_retry_request, encrypted_extensions,
                                       certificate_request, certificate, new_session_ticket}) {
      EXPECT_EQ(extension_row(row.type)->allowed_in(block), row.blocks.contains(block))
          << to_text(row.type) << " in " << static_cast<int>(block);
    }
  }
}

// What the compiler says of the rows of a message.
struct In {
  bool early_data = false;
};
struct Out {
  bool early_data = false;
};
using Codec = ExtensionCodec<new_session_ticket, In, Out>;
constexpr Codec kEarlyData{ExtensionType::early_data, sets<&In::early_data>, marks<&Out::early_data>};
constexpr Codec kCookie{ExtensionType::cookie, sets<&In::early_data>, never_sent};
static_assert(kEarlyData.sent() && !kCookie.sent());
static_assert(complete(std::array{kEarlyData}));
static_assert(complete(std::array<Codec, 0>{}, {ExtensionType::early_data}));
static_assert(!complete(std::array<Codec, 0>{}), "an extension that may stand in the message lacks its row");
static_assert(!complete(std::array{kEarlyData, kEarlyData}), "two rows for one extension");
static_assert(!complete(std::array{kEarlyData}, {ExtensionType::early_data}), "a row for what is ignored");
static_assert(!complete(std::array{kEarlyData, kCookie}), "a row for what may not stand in the message");
static_assert(!complete(std::array{kEarlyData}, {ExtensionType::cookie}), "ignoring what may not stand there");
template <class Row>
concept DoesWithoutWriting = requires(void (&read)(In&, Reader&) noexcept) { Row{ExtensionType::early_data, read}; };
static_assert(!DoesWithoutWriting<Codec>);

TEST(ExtensionSet, HoldsKnownTypesOnly) {
  ExtensionSet set{ExtensionType::server_name, ExtensionType::renegotiation_info};
  set.insert(static_cast<ExtensionType>(0x0a0a));
  EXPECT_TRUE(set.contains(ExtensionType::server_name));
  EXPECT_TRUE(set.contains(ExtensionType::renegotiation_info));
  EXPECT_FALSE(set.contains(ExtensionType::key_share));
  EXPECT_FALSE(set.contains(static_cast<ExtensionType>(0x0a0a)));
  EXPECT_EQ(set, (ExtensionSet{ExtensionType::renegotiation_info, ExtensionType::server_name}));
}

TEST(CheckExtensions, FindsDuplicates) {
  const Buffer known = vector16(join({extension(ExtensionType::cookie), extension(ExtensionType::cookie)}));
  EXPECT_EQ(check_extensions(read(known), client_hello).reason, Reason::extension_duplicate);
  EXPECT_EQ(check_extensions(read(known), client_hello).type, ExtensionType::cookie);
  const Buffer unknown = vector16(join({extension(0x7777, {}), extension(0x0a0a, {}), extension(0x7777, hex("00"))}));
  EXPECT_EQ(check_extensions(read(unknown), client_hello).reason, Reason::extension_duplicate);
}

TEST(CheckExtensions, StaysLinearInManyUnknownOnes) {
  Buffer many;
  for (std::uint16_t type = 0x4000; type < 0x4000 + kMaxExtensions; ++type) {
    const Buffer one = extension(type, {});
    many.insert(many.end(), one.begin(), one.end());
  }
  EXPECT_EQ(check_extensions(read(vector16(many)), client_hello).reason, Reason::none);
  many.resize(many.size() - 4);
  const Buffer again = extension(0x4000, {});
  many.insert(many.end(), again.begin(), again.end());
  EXPECT_EQ(check_extensions(read(vector16(many)), client_hello).reason, Reason::extension_duplicate);
}

TEST(CheckExtensions, TellsForbiddenFromUnsolicitedAndUnknown) {
  const Buffer key_share = vector16(extension(ExtensionType::key_share));
  const Buffer server_name = vector16(extension(ExtensionType::server_name));
  const Buffer unknown = vector16(extension(0x7777, {}));
  const Buffer cookie = vector16(extension(ExtensionType::cookie));
  const ExtensionSet offered{ExtensionType::server_name, ExtensionType::key_share};

  EXPECT_EQ(check_extensions(read(server_name), encrypted_extensions, offered).reason, Reason::none);
  EXPECT_EQ(check_extensions(read(key_share), encrypted_extensions, offered).reason, Reason::extension_forbidden);
  EXPECT_EQ(check_extensions(read(server_name), encrypted_extensions, {}).reason, Reason::extension_unsolicited);
  EXPECT_EQ(check_extensions(read(unknown), encrypted_extensions, offered).reason, Reason::extension_unsolicited);
  EXPECT_EQ(check_extensions(read(unknown), certificate, offered).reason, Reason::extension_unsolicited);
  for (const ExtensionBlock block : {client_hello, certificate_request, new_session_ticket}) {
    EXPECT_EQ(check_extensions(read(unknown), block).reason, Reason::none);
  }
  // The cookie is the one answer that nobody asks for, and in no other message.
  EXPECT_EQ(check_extensions(read(cookie), hello_retry_request, {}).reason, Reason::none);
  EXPECT_EQ(check_extensions(read(cookie), server_hello, {}).reason, Reason::extension_forbidden);
}

TEST(ExtensionContents, CheckTheirValues) {
  const auto reason_of = [](const Buffer& data, auto read_contents) {
    Reader reader(data);
    static_cast<void>(read_contents(reader));
    return reader.finish();
  };
  EXPECT_EQ(reason_of(hex("0040"), read_record_size_limit), Reason::none);
  EXPECT_EQ(reason_of(hex("003f"), read_record_size_limit), Reason::record_size_limit);
  EXPECT_EQ(reason_of(hex("01"), read_max_fragment_length), Reason::none);
  EXPECT_EQ(reason_of(hex("04"), read_max_fragment_length), Reason::none);
  EXPECT_EQ(reason_of(hex("00"), read_max_fragment_length), Reason::enum_value);
  EXPECT_EQ(reason_of(hex("05"), read_max_fragment_length), Reason::enum_value);
  EXPECT_EQ(reason_of(vector16(vector8(text("h2"))), read_protocol_name), Reason::none);
  EXPECT_EQ(reason_of(vector16(join({vector8(text("h2")), vector8(text("h3"))})), read_protocol_name),
            Reason::alpn_malformed);
  EXPECT_EQ(reason_of(vector16(vector16(text("name"))), read_certificate_authorities), Reason::none);
  EXPECT_EQ(reason_of(vector16({}), read_certificate_authorities), Reason::vector_length);
}

TEST(Blame, NamesTheExtension) {
  EXPECT_EQ(blame(ExtensionType::server_name, Reason::message_truncated), Reason::server_name_malformed);
  EXPECT_EQ(blame(ExtensionType::application_layer_protocol_negotiation, Reason::vector_length),
            Reason::alpn_malformed);
  EXPECT_EQ(blame(ExtensionType::cookie, Reason::message_trailing_data), Reason::extension_malformed);
  EXPECT_EQ(blame(ExtensionType::key_share, Reason::key_share_duplicate), Reason::key_share_duplicate);
}

}  // namespace
}  // namespace lockstep::codec
