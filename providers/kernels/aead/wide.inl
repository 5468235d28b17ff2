// Products of 64-bit integers.

#if !defined(LOCKSTEP_CHECK_SECRETS)
__extension__ using Wide = unsigned __int128;
#else
// In the build that looks for branches on secrets: all of a result is secret if a bit of an operand is. MemorySanitizer
// by itself spreads a secret to the same bit of the result alone, and so would take the upper half for public.
class Wide {
 public:
  Wide(std::uint64_t value) : value_(value) {}
  friend Wide operator+(Wide a, Wide b) { return combined(a, b, open(a) + open(b)); }
  friend Wide operator*(Wide a, Wide b) { return combined(a, b, open(a) * open(b)); }
  friend Wide operator>>(Wide a, int bits) {
    a.value_ >>= bits;
    return a;
  }
  explicit operator std::uint64_t() const { return static_cast<std::uint64_t>(value_); }

 private:
  __extension__ using Integer = unsigned __int128;

  static Integer open(Wide a) {
    __msan_unpoison(&a.value_, sizeof a.value_);
    return a.value_;
  }
  static Wide combined(const Wide& a, const Wide& b, Integer value) {
    Wide result(0);
    result.value_ = value;
    if (__msan_test_shadow(&a, sizeof a) >= 0 || __msan_test_shadow(&b, sizeof b) >= 0) {
      __msan_poison(&result.value_, sizeof result.value_);
    }
    return result;
  }

  Integer value_;
};
#endif
