// From any bytes to entries, or to the reason why they are none.

#include <limits>
#include <string>
#include <utility>

#include <lockstep/replay.hpp>

#include "trace/fields.hpp"
#include "trace/tap.hpp"

namespace lockstep::trace {
namespace {

/// The archive that reads. The first error stays, and whatever is read after it is empty.
class Parse {
 public:
  Parse(Bytes bytes, Time time, bool shapes) noexcept : rest_(bytes), time_(time), shapes_(shapes) {}

  template <class Number>
  void number(Number& value, std::uint64_t largest = std::numeric_limits<Number>::max()) {
    const std::uint64_t read = varint();
    if (read > largest || read > std::numeric_limits<Number>::max()) return fail(TapeError::value_out_of_range);
    value = static_cast<Number>(read);
  }
  [[nodiscard]] bool more(bool /*worth_it*/ = true) const noexcept { return !rest_.empty(); }
  void boolean(bool& value) { value = up_to(1) != 0; }
  template <class Enumeration>
  void choice(Enumeration& value, std::uint64_t largest) {
    value = static_cast<Enumeration>(up_to(largest));
  }
  template <class CodePoint>
  void code(CodePoint& value) {
    value = static_cast<CodePoint>(up_to(std::numeric_limits<std::underlying_type_t<CodePoint>>::max()));
  }
  void padding(PaddingPolicy& policy) {
    std::uint16_t block = 0;
    number(block);
    policy = block == PaddingPolicy::full().block() ? PaddingPolicy::full() : PaddingPolicy::to_multiple_of(block);
  }
  void moment(Time& time) { time = Time(Time::duration(unfolded(varint()))); }
  void time(Time& now) {
    const auto ticks = static_cast<std::uint64_t>(time_.time_since_epoch().count());
    now = time_ = Time(Time::duration(static_cast<Time::rep>(ticks + static_cast<std::uint64_t>(unfolded(varint())))));
  }
  void content(Content& content) {
    content.size = varint();
    if (!shapes_) content.bytes = take(content.size);
  }
  void contents(std::vector<Content>& list) {
    this->list(list, [this](Content& each) { content(each); });
  }
  template <class Element, class Each>
  void list(std::vector<Element>& elements, Each each) {
    // Every element takes a byte at least, so that nobody makes us allocate more than he sends.
    const std::uint64_t count = varint();
    if (count > rest_.size()) return fail(TapeError::field_truncated);
    for (std::uint64_t i = 0; i < count && !error_; ++i) each(elements.emplace_back());
  }
  void text(std::string_view& text) {
    constexpr std::uint64_t kLongest = 255;
    text = as_text(take(up_to(kLongest)));
    if (!std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; })) fail(TapeError::value_out_of_range);
  }
  void hash(std::uint64_t& value) {
    if (shapes_) return;
    const Bytes bytes = take(8);
    for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8U | bytes[i];
  }
  void misuse(std::optional<Misuse>& misuse) {
    const std::uint64_t read = up_to(std::numeric_limits<std::underlying_type_t<Misuse>>::max());
    if (read == 0) return;
    misuse = static_cast<Misuse>(read - 1);
    if (name(*misuse).empty()) fail(TapeError::value_out_of_range);
  }
  void evidence(Error& error) {
    Content read;
    content(read);
    if (read.size > error.evidence.size()) return fail(TapeError::value_out_of_range);
    error.evidence_size = static_cast<std::uint8_t>(read.bytes.size());
    std::ranges::copy(read.bytes, error.evidence.begin());
  }

  [[nodiscard]] Time last_time() const noexcept { return time_; }
  [[nodiscard]] std::optional<TapeError> error() const noexcept { return error_; }
  /// Of a whole entry.
  [[nodiscard]] std::optional<TapeError> result() const noexcept {
    if (!error_ && !rest_.empty()) return TapeError::trailing_data;
    return error_;
  }
  void fail(TapeError error) noexcept {
    if (!error_) error_ = error;
    rest_ = {};
  }

  /// Base 128, least significant first, in its shortest form.
  [[nodiscard]] std::uint64_t varint() noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) {
        fail(TapeError::field_truncated);
        return 0;
      }
      const std::uint8_t byte = rest_.front();
      rest_ = rest_.subspan(1);
      const std::uint64_t bits = byte & 0x7fU;
      if ((shift == 63 && bits > 1) || (byte == 0 && shift != 0)) break;
      value |= bits << shift;
      if (byte < 0x80) return value;
    }
    fail(TapeError::number_too_long);
    return 0;
  }
  [[nodiscard]] Bytes rest() const noexcept { return rest_; }

 private:
  std::uint64_t up_to(std::uint64_t largest) noexcept {
    const std::uint64_t value = varint();
    if (value <= largest) return value;
    fail(TapeError::value_out_of_range);
    return 0;
  }
  Bytes take(std::uint64_t size) noexcept {
    if (size > rest_.size()) {
      fail(TapeError::field_truncated);
      return {};
    }
    const Bytes taken = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

  Bytes rest_;
  Time time_;
  std::optional<TapeError> error_;
  bool shapes_;
};

/// Reads the entry of this kind into `entry`; false when there is no such kind.
template <std::size_t index = 0>
bool parse_kind(std::uint8_t kind, Parse& parse, Entry& entry) {
  if constexpr (index == std::variant_size_v<Entry>) {
    return false;
  } else {
    using E = std::variant_alternative_t<index, Entry>;
    static_assert(kKind<E> != 0, "every entry has a number");
    if (kind != kKind<E>) return parse_kind<index + 1>(kind, parse, entry);
    fields(parse, entry.emplace<E>());
    return true;
  }
}

/// Whether a result belongs to a call.
bool fits(const Entry& result, std::size_t call) noexcept {
  const auto is = [call]<class... Calls>(std::type_identity<Calls>...) {
    return ((Entry(Calls{}).index() == call) || ...);
  };
  return std::visit(
      [&]<class Result>(const Result&) {
        if constexpr (std::same_as<Result, Started>)
          return is(std::type_identity<StartClient>(), std::type_identity<StartServer>());
        else if constexpr (std::same_as<Result, Consumed>)
          return is(std::type_identity<Receive>(), std::type_identity<ReceiveEnd>());
        else if constexpr (std::same_as<Result, Transmitted>)
          return is(std::type_identity<Transmit>());
        else if constexpr (std::same_as<Result, SealDone>)
          return is(std::type_identity<Seal>(), std::type_identity<SealEarly>(), std::type_identity<SealInPlace>());
        else if constexpr (std::same_as<Result, Done>)
          return is(std::type_identity<AnswerConfig>(), std::type_identity<AnswerCredential>(),
                    std::type_identity<AnswerSignature>(), std::type_identity<AnswerDecryption>(),
                    std::type_identity<AnswerComputation>(), std::type_identity<AnswerPsk>(),
                    std::type_identity<AnswerPskLookup>(), std::type_identity<AnswerVerdict>(),
                    std::type_identity<AnswerTicketOpened>(), std::type_identity<AnswerEarlyData>(),
                    std::type_identity<AnswerTicketSealed>(), std::type_identity<Close>(), std::type_identity<Cancel>(),
                    std::type_identity<UpdateKeys>(), std::type_identity<SetMaxSendFragment>(),
                    std::type_identity<Renegotiate>(), std::type_identity<Offload>(),
                    std::type_identity<ForgetExporter>());
        else
          return false;
      },
      result);
}

}  // namespace

std::expected<std::optional<Entry>, TapeProblem> Reader::next() {
  if (problem_) return refuse(*problem_);
  if (position_ == Position::header) {
    if (const auto error = read_header()) return refuse(*error);
  }
  if (rest_.empty()) return std::nullopt;

  const std::uint8_t kind = rest_.front();
  Parse length(rest_.subspan(1), {}, false);
  const std::uint64_t size = length.varint();
  if (length.error())
    return refuse(length.error() == TapeError::field_truncated ? TapeError::truncated : TapeError::number_too_long);
  if (size > kMaxEntry) return refuse(TapeError::entry_too_long);
  if (size > length.rest().size()) return refuse(TapeError::truncated);

  Parse parse(length.rest().first(static_cast<std::size_t>(size)), time_, redacted_);
  Entry entry;
  if (!parse_kind(kind, parse, entry)) return refuse(TapeError::entry_unknown);
  if (const auto error = parse.result()) return refuse(*error);
  if (const auto error = place(entry)) return refuse(*error);
  time_ = parse.last_time();
  raw_ = rest_.first(rest_.size() - length.rest().size() + static_cast<std::size_t>(size));
  rest_ = rest_.subspan(raw_.size());
  offset_ += raw_.size();
  return entry;
}

std::optional<TapeError> Reader::read_header() noexcept {
  constexpr std::string_view kWord = "LOCKSTEP TAPE ";
  const std::string_view text = as_text(rest_);
  if (!text.starts_with(kWord.substr(0, text.size()))) return TapeError::not_a_tape;
  for (const Contents contents : {Contents::all, Contents::shapes}) {
    const std::string_view line = header_line(contents);
    if (!text.starts_with(line)) {
      if (line.starts_with(text)) return TapeError::truncated;
      continue;
    }
    redacted_ = contents == Contents::shapes;
    rest_ = rest_.subspan(line.size());
    offset_ = line.size();
    position_ = Position::configuration;
    return std::nullopt;
  }
  const std::string_view version = text.substr(kWord.size());
  const auto digits = std::min(version.find_first_not_of("0123456789"), version.size());
  const bool other = digits != 0 && version.substr(0, digits) != "2" && version.substr(digits).starts_with(' ');
  return other ? TapeError::version_unsupported : TapeError::not_a_tape;
}

// Which entries may stand where: one configuration, one start, then operations, each a call, notes and a result.
std::optional<TapeError> Reader::place(const Entry& entry) noexcept {
  const Part what = part(entry);
  switch (position_) {
    case Position::configuration:
      if (what != Part::configuration && what != Part::stop) return TapeError::configuration_missing;
      position_ = what == Part::configuration ? Position::start : Position::end;
      return std::nullopt;
    case Position::start:
      if (what != Part::start && what != Part::stop) return TapeError::start_missing;
      call_ = entry.index();
      position_ = what == Part::start ? Position::inside : Position::end;
      return std::nullopt;
    case Position::between:
      if (what != Part::call && what != Part::stop) return TapeError::out_of_order;
      ++operation_;
      call_ = entry.index();
      position_ = what == Part::call ? Position::inside : Position::end;
      return std::nullopt;
    case Position::inside:
      if (what == Part::note) return std::nullopt;
      if (what == Part::stop) {
        position_ = Position::end;
        return std::nullopt;
      }
      if (what != Part::result || !fits(entry, call_)) return TapeError::out_of_order;
      position_ = Position::between;
      return std::nullopt;
    case Position::header:
    case Position::end: break;
  }
  return TapeError::out_of_order;
}

std::unexpected<TapeProblem> Reader::refuse(TapeError error) {
  problem_ = error;
  return std::unexpected(TapeProblem{.error = error, .offset = offset_});
}

Part part(const Entry& entry) noexcept {
  return std::visit(
      []<class E>(const E&) {
        constexpr std::uint8_t kind = kKind<E>;
        static_assert(kind <= kKind<Done> || kind == kKind<Stopped>, "numbers say what part an entry is");
        if constexpr (kind == 0x01) return Part::configuration;
        if constexpr (kind < 0x10) return Part::start;
        if constexpr (kind < 0x30) return Part::call;
        if constexpr (kind < 0x60) return Part::note;
        return kind == kKind<Stopped> ? Part::stop : Part::result;
      },
      entry);
}

std::optional<Time> time_of(const Entry& entry) noexcept {
  return std::visit(
      [](const auto& e) -> std::optional<Time> {
        if constexpr (requires { e.now; }) return e.now;
        return std::nullopt;
      },
      entry);
}

std::string_view name(TapeError error) noexcept {
  switch (error) {
    case TapeError::not_a_tape: return "not_a_tape";
    case TapeError::version_unsupported: return "version_unsupported";
    case TapeError::truncated: return "truncated";
    case TapeError::entry_unknown: return "entry_unknown";
    case TapeError::entry_too_long: return "entry_too_long";
    case TapeError::number_too_long: return "number_too_long";
    case TapeError::field_truncated: return "field_truncated";
    case TapeError::trailing_data: return "trailing_data";
    case TapeError::value_out_of_range: return "value_out_of_range";
    case TapeError::configuration_missing: return "configuration_missing";
    case TapeError::start_missing: return "start_missing";
    case TapeError::out_of_order: return "out_of_order";
    case TapeError::redacted: return "redacted";
    case TapeError::configuration_refused: return "configuration_refused";
  }
  return {};
}

namespace {

std::string_view explanation(TapeError error) noexcept {
  switch (error) {
    case TapeError::not_a_tape: return "this is no tape of Lockstep's; make one with --tape FILE";
    case TapeError::version_unsupported: return "the tape was made by a release with another format; use that release";
    case TapeError::truncated: return "the tape breaks off inside an entry; what stands before is good";
    case TapeError::entry_unknown: return "an entry of a kind that this format does not have; the tape is damaged";
    case TapeError::entry_too_long: return "an entry of more than 64 MiB; the tape is damaged";
    case TapeError::number_too_long: return "a number that no tape writes so; the tape is damaged";
    case TapeError::field_truncated: return "a field that reaches beyond its entry; the tape is damaged";
    case TapeError::trailing_data: return "an entry that goes on behind its last field; the tape is damaged";
    case TapeError::value_out_of_range: return "a value that its field cannot have; the tape is damaged";
    case TapeError::configuration_missing: return "a tape begins with a configuration; this one is damaged";
    case TapeError::start_missing: return "a tape goes on with a start; this one is damaged";
    case TapeError::out_of_order: return "an entry where none of its kind can be; the tape is damaged";
    case TapeError::redacted: return "a redacted tape has no contents to replay; it can be drawn";
    case TapeError::configuration_refused: return "the recorded configuration cannot be built here";
  }
  return {};
}

}  // namespace

std::string TapeProblem::text() const {
  std::string text = std::string(name(error)) + " at byte " + std::to_string(offset) + ": ";
  text += explanation(error);
  if (!detail.empty()) text += ": " + detail;
  return text;
}

}  // namespace lockstep::trace
