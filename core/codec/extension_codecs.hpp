#pragma once
// The extensions of one message: a row for each, with how it is read and how it is written, in the order of writing.
//
//     constexpr auto kExtensions = std::to_array<ExtensionCodec<ExtensionBlock::new_session_ticket, In, Out>>({
//         {early_data, reads<&In::max_early_data_size, &Reader::u32>, writes<&Out::max_early_data_size, &Writer::u32>},
//     });
//     static_assert(complete(kExtensions));

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <utility>

#include "codec/extensions.hpp"
#include "codec/handshake_message.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"

namespace lockstep::codec {

// --- what rows are made of: how to read ----------------------------------------------------------------------------

/// What `read` makes of the contents goes into the field.
template <auto field, auto read, class Message>
void reads(Message& message, Reader& reader) noexcept {
  message.*field = std::invoke(read, reader);
}
/// The extension is empty: being there says all.
template <auto field, class Message>
void sets(Message& message, Reader& /*reader*/) noexcept {
  message.*field = true;
}
/// The contents have to be well formed; whoever wants them finds them in the block.
template <auto read, class Message>
void checks(Message& /*message*/, Reader& reader) noexcept {
  static_cast<void>(std::invoke(read, reader));
}

// --- how to write --------------------------------------------------------------------------------------------------

/// The field's value, in an extension that is there when the value is: a list that is not empty, an optional that holds
/// something.
template <auto field, auto write, class Parameters>
bool writes(Writer& writer, ExtensionType type, const Parameters& parameters) noexcept {
  const auto& value = parameters.*field;
  if constexpr (requires { value.empty(); }) {
    if (value.empty()) return false;
    write_extension(writer, type, [&] { std::invoke(write, writer, value); });
  } else {
    if (!value) return false;
    write_extension(writer, type, [&] { std::invoke(write, writer, *value); });
  }
  return true;
}
/// A number, which is always there.
template <auto field, auto write, class Parameters>
bool states(Writer& writer, ExtensionType type, const Parameters& parameters) noexcept {
  write_extension(writer, type, [&] { std::invoke(write, writer, parameters.*field); });
  return true;
}
inline void write_nothing(Writer& /*writer*/) noexcept {}
/// An extension that is there when the field is true, and empty unless `write` writes more.
template <auto field, auto write = write_nothing, class Parameters>
bool marks(Writer& writer, ExtensionType type, const Parameters& parameters) noexcept {
  if (parameters.*field) write_extension(writer, type, [&] { write(writer); });
  return parameters.*field;
}
/// Peers may send it; we do not.
template <class Parameters>
bool never_sent(Writer& /*writer*/, ExtensionType /*type*/, const Parameters& /*parameters*/) noexcept {
  return false;
}

// --- rows ----------------------------------------------------------------------------------------------------------

/// One extension of a message. Both functions are references, so that a row which lacks one does not compile.
template <ExtensionBlock where, class Message, class Parameters>
struct ExtensionCodec {
  static constexpr ExtensionBlock block = where;
  ExtensionType type;
  void (&read)(Message&, Reader&) noexcept;
  /// False when the parameters do not ask for the extension; then nothing is written.
  bool (&write)(Writer&, ExtensionType, const Parameters&) noexcept;

  [[nodiscard]] constexpr bool sent() const noexcept { return &write != &never_sent<Parameters>; }
};

/// Whether the rows are those of kExtensionTable: one for each extension that may stand in the message, but for those
/// that are `ignored` there.
template <class Codec, std::size_t count>
consteval bool complete(const std::array<Codec, count>& codecs, std::initializer_list<ExtensionType> ignored = {}) {
  std::size_t allowed = 0;
  for (const ExtensionRow& row : kExtensionTable) {
    if (!row.allowed_in(Codec::block)) continue;
    ++allowed;
    if (std::ranges::count(codecs, row.type, &Codec::type) + std::ranges::count(ignored, row.type) != 1) return false;
  }
  return allowed == count + ignored.size();
}

/// Checks a message's block of extensions, then reads into the message those that have a row.
template <const auto& codecs, class Message>
[[nodiscard]] Decoded<void> decode_extensions(Message& message, const ExtensionSet& offered = {}) noexcept {
  const auto fault = [](Reason reason, ExtensionType type) {
    return failure(reason, Message::place, std::to_underlying(type));
  };
  // As good as a switch: the compiler knows the rows.
  const auto read = [&]<std::size_t... i>(ExtensionType type, Reader& contents, std::index_sequence<i...>) {
    return ((type == codecs[i].type && (codecs[i].read(message, contents), true)) || ...);
  };
  const auto [reason, type] = check_extensions(message.extensions, codecs[0].block, offered);
  if (reason != Reason::none) return fault(reason, type);
  for (const Extension& extension : message.extensions) {
    Reader contents(extension.data);
    // RFC 9846 9.3: "A server receiving a ClientHello MUST correctly ignore all unrecognized cipher suites, extensions,
    // and other parameters." Others that are recognised have no use here.
    // RFC 9846 4.2.2: "Servers MUST ignore unrecognized extensions."
    // RFC 9846 4.4.2: "Clients MUST ignore unrecognized extensions."
    // RFC 9846 4.7.1: "Clients MUST ignore unrecognized extensions."
    if (!read(extension.type, contents, std::make_index_sequence<codecs.size()>{})) continue;
    if (const Reason wrong = contents.finish(); wrong != Reason::none)
      return fault(blame(extension.type, wrong), extension.type);
  }
  return {};
}

/// Writes `Extension extensions<0..2^16-1>`: each that the parameters ask for, behind an empty one of the type
/// `grease`.
template <class Codec, std::size_t count, class Parameters>
void encode_extensions(Writer& writer, const std::array<Codec, count>& codecs, const Parameters& parameters,
                       std::optional<std::uint16_t> grease = {}) noexcept {
  const auto extensions = writer.vector16();
  if (grease) write_empty_extension(writer, static_cast<ExtensionType>(*grease));
  for (const Codec& codec : codecs) codec.write(writer, codec.type, parameters);
}

/// The same, but not even the length when the parameters ask for none: a hello of TLS 1.2 may end without extensions.
template <class Codec, std::size_t count, class Parameters>
void encode_extensions_if_any(Writer& writer, const std::array<Codec, count>& codecs,
                              const Parameters& parameters) noexcept {
  Writer nowhere{MutableBytes()};
  const auto asked_for = [&](const Codec& codec) { return codec.write(nowhere, codec.type, parameters); };
  if (std::ranges::any_of(codecs, asked_for)) encode_extensions(writer, codecs, parameters);
}

}  // namespace lockstep::codec
