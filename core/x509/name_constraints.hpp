#pragma once
// Name constraints (RFC 5280 4.2.1.10).

#include <cstddef>

#include <lockstep/x509_verify.hpp>

namespace lockstep::x509 {

/// Counts the comparisons of names, which a peer could make many: names times constraints.
struct ComparisonBudget {
  std::size_t used;
  std::size_t limit;
  [[nodiscard]] bool spend() noexcept { return ++used <= limit; }
};

/// Whether the constraints themselves can be applied.
[[nodiscard]] Code check_constraint_syntax(const NameConstraints& constraints, ComparisonBudget& budget) noexcept;

/// Whether the subject and the alternative names of a certificate lie within a CA's constraints.
[[nodiscard]] Code check_name_constraints(const NameConstraints& constraints, const Certificate& certificate,
                                          ComparisonBudget& budget) noexcept;

}  // namespace lockstep::x509
