// Compilers gather one kind of work here and another there, where a processor could have done both at once: what passes
// through an empty statement that they cannot see into stays where it is written. Include it after the vector layer.

template <class... Vectors>
LOCKSTEP_INLINE void keep_order(Vectors&... vectors) {
  (pin(vectors), ...);
}
