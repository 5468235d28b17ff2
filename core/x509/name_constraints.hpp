#pragma once
// Name constraints (RFC 5280 4.2.1.10).

#include <cstddef>

#include <lockstep/x509_verify.hpp>

namespace lockstep::x509 {

/// Counts the comparisons of names, which a peer could make many, names times constraints, and each of them long.
struct ComparisonBudget {
  std::size_t used;
  std::size_t limit;
  /// One comparison, of so many bytes together.
  [[nodiscard]] bool spend(std::size_t bytes = 0) noexcept {
    used += 1 + bytes / kComparisonBytes;
    return used <= limit;
  }
};

/// Whether the constraints themselves can be applied, and are of the form that the policy wants.
[[nodiscard]] Code check_constraint_syntax(const NameConstraints& constraints, const Policy& policy,
                                           ComparisonBudget& budget) noexcept;

/// Whether the subject and the alternative names of a certificate lie within a CA's constraints.
[[nodiscard]] Code check_name_constraints(const NameConstraints& constraints, const Certificate& certificate,
                                          ComparisonBudget& budget) noexcept;

}  // namespace lockstep::x509
