#pragma once
// Days and seconds of the Gregorian calendar, without a clock or a time zone.

#include <cstdint>

namespace lockstep::x509 {

struct CalendarTime {
  int year;
  int month;
  int day;
  int hour;
  int minute;
  int second;
};

constexpr bool is_leap_year(int year) noexcept { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

constexpr int days_in_month(int year, int month) noexcept {
  if (month == 2) return is_leap_year(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/// Days from 1970-01-01 to the first day of a year from 0 on (ISO 8601 has a leap year 0), negative before 1970.
constexpr std::int64_t days_to_year(int year) noexcept {
  const std::int64_t years = year + 399;  // completed since 400 years before the year 1
  return years * 365 + years / 4 - years / 100 + years / 400 - 865'259;
}
static_assert(days_to_year(1970) == 0 && days_to_year(1971) == 365 && days_to_year(2001) == 11'323);
static_assert(days_to_year(1) - days_to_year(0) == 366);

constexpr std::int64_t seconds_since_1970(const CalendarTime& time) noexcept {
  std::int64_t days = days_to_year(time.year) + time.day - 1;
  for (int month = 1; month < time.month; ++month) days += days_in_month(time.year, month);
  return ((days * 24 + time.hour) * 60 + time.minute) * 60 + time.second;
}

/// The inverse, for the years 0 to 9999; other moments are clamped to them.
constexpr CalendarTime calendar_time(std::int64_t seconds) noexcept {
  constexpr std::int64_t kFirst = seconds_since_1970({0, 1, 1, 0, 0, 0});
  constexpr std::int64_t kLast = seconds_since_1970({9999, 12, 31, 23, 59, 59});
  seconds = seconds < kFirst ? kFirst : seconds > kLast ? kLast : seconds;
  const std::int64_t since_first = seconds - kFirst;
  const std::int64_t days = since_first / 86'400 + kFirst / 86'400;
  const int second_of_day = static_cast<int>(since_first % 86'400);
  int year = static_cast<int>(since_first / 86'400 / 366);
  while (year < 9999 && days_to_year(year + 1) <= days) ++year;
  int day = static_cast<int>(days - days_to_year(year)) + 1;
  int month = 1;
  while (day > days_in_month(year, month)) day -= days_in_month(year, month++);
  return {year, month, day, second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60};
}
static_assert(calendar_time(0).year == 1970 && calendar_time(951'782'400).day == 29 && calendar_time(-1).second == 59);

}  // namespace lockstep::x509
