// The layer of Keccak in plain C++: one state at a time.
inline constexpr std::size_t kWays = 1;
using States = std::uint64_t;

LOCKSTEP_INLINE States load_states(const std::uint64_t* from) { return *from; }
LOCKSTEP_INLINE void store_states(std::uint64_t* to, States a) { *to = a; }
