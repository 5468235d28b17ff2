#include <algorithm>

#include <lockstep/fuzzing.hpp>

namespace lockstep::fuzzing {
namespace {

constexpr std::size_t kHeader = 5;

/// Not by insert(): inlined here it makes g++ 14 warn of an overflow that cannot be.
void append(Octets& to, Bytes bytes) {
  const std::size_t start = to.size();
  to.resize(start + bytes.size());
  std::copy(bytes.begin(), bytes.end(), to.begin() + static_cast<std::ptrdiff_t>(start));
}

std::deque<Octets> split(Bytes bytes) {
  std::deque<Octets> records;
  while (!bytes.empty()) {
    std::size_t size = bytes.size();
    if (size >= kHeader) size = std::min(size, kHeader + (std::size_t{bytes[3]} << 8U | bytes[4]));
    records.emplace_back(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    bytes = bytes.subspan(size);
  }
  return records;
}

void set_length(Octets& record) {
  const std::size_t length = record.size() - kHeader;
  record[3] = static_cast<std::uint8_t>(length >> 8U);
  record[4] = static_cast<std::uint8_t>(length);
}

}  // namespace

Octets Middle::pass(Bytes bytes) {
  std::deque<Octets> records = split(bytes);
  Octets out;
  while (!records.empty()) {
    Octets record = std::move(records.front());
    records.pop_front();
    // Mostly nothing happens: the interesting states are deep.
    switch (choices_->empty() ? 0 : choices_->byte()) {
      case 1: continue;                                        // drop
      case 2: records.push_front(record); break;               // repeat
      case 3: records.push_back(std::move(record)); continue;  // reorder
      case 4: cut(record); break;                              // split in two records
      case 5: join(record, records); break;                    // with the next
      case 6: flip(record); break;
      case 7: alter_header(record); break;
      case 8: alter_message(record); break;
      case 9: kept_ = record; break;  // to be replayed later
      case 10: replay(record); break;
      case 11: insert(out); break;
      case 12: record.resize(choices_->below(record.size() + 1)); break;  // truncated
      default: break;
    }
    append(out, record);
  }
  return out;
}

void Middle::cut(Octets& record) {
  if (record.size() <= kHeader + 1) return;
  const std::size_t at = kHeader + 1 + choices_->below(record.size() - kHeader - 1);
  Octets second(record.begin(), record.begin() + kHeader);
  second.insert(second.end(), record.begin() + static_cast<std::ptrdiff_t>(at), record.end());
  record.resize(at);
  set_length(record);
  set_length(second);
  append(record, second);
}

void Middle::join(Octets& record, std::deque<Octets>& records) {
  if (records.empty() || record.size() < kHeader || records.front().size() < kHeader) return;
  append(record, Bytes(records.front()).subspan(kHeader));
  records.pop_front();
  set_length(record);
}

void Middle::flip(Octets& record) {
  if (!record.empty()) record[choices_->below(record.size())] ^= static_cast<std::uint8_t>(1U << choices_->below(8));
}

void Middle::alter_header(Octets& record) {
  if (record.size() >= kHeader) record[choices_->below(kHeader)] = choices_->byte();
}
/// A byte becomes another, bytes go, or bytes come; the lengths of record and message follow.

void Middle::alter_message(Octets& record) {
  if (record.size() < kHeader + 4) return;
  const auto at = static_cast<std::ptrdiff_t>(kHeader + choices_->below(record.size() - kHeader));
  switch (choices_->below(3)) {
    case 0: record[static_cast<std::size_t>(at)] = choices_->byte(); return;
    case 1: {
      const auto count = static_cast<std::ptrdiff_t>(choices_->below(record.size() - static_cast<std::size_t>(at)));
      record.erase(record.begin() + at, record.begin() + at + count);
      break;
    }
    default: {
      const Bytes more = choices_->bytes(choices_->below(64));
      record.insert(record.begin() + at, more.begin(), more.end());
    }
  }
  set_length(record);
  if (record[0] != 22 || record.size() < kHeader + 4) return;
  const std::size_t length = record.size() - kHeader - 4;
  record[6] = 0;
  record[7] = static_cast<std::uint8_t>(length >> 8U);
  record[8] = static_cast<std::uint8_t>(length);
}

void Middle::replay(Octets& record) {
  Octets both = kept_;
  append(both, record);
  record = std::move(both);
}

void Middle::insert(Octets& out) {
  static constexpr std::uint8_t kTypes[] = {20, 21, 22, 23, 24, 0x80};
  const Bytes content = choices_->bytes(choices_->below(64));
  Octets record{choices_->of(kTypes), 3, 3, 0, 0};
  append(record, content);
  set_length(record);
  append(out, record);
}

}  // namespace lockstep::fuzzing
