// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <utility>

#include <consistency/network/parameters.hpp>

namespace consistency {

/// Parameters that do not change while this lives: a teacher's, or those that `sample` draws with. The forms
/// of weights that kernels work with are made once, at first use, and kept here: up to four times the memory
/// of θ, until the last copy of this is gone. Copies share numbers and forms.
template <class X>
class PreparedParameters {
 public:
  /// Of a copy, or of the numbers of a θ that is moved here; no handle to those may be written any more.
  PreparedParameters(Parameters<X> theta)  // NOLINT(*-explicit-constructor,*-value-param): they are a θ
      : PreparedParameters{theta.table_, theta.flat_.prepared()} {}
  /// Of the numbers of θ themselves, which nobody may write while the result lives.
  static PreparedParameters sharing(Parameters<X> const& theta) {
    return {theta.table_, theta.flat_.prepared()};
  }
  PreparedParameters(PreparedParameters const& other)
      : PreparedParameters{other.theta_.table_, other.theta_.flat_} {}
  PreparedParameters(PreparedParameters&&) noexcept = default;
  PreparedParameters& operator=(PreparedParameters other) noexcept {
    theta_ = std::move(other.theta_);
    return *this;
  }
  ~PreparedParameters() = default;

  /// What networks are evaluated with. A copy has numbers of its own, and is not prepared.
  Parameters<X> const& parameters() const noexcept { return theta_; }

 private:
  PreparedParameters(std::shared_ptr<ParameterTable const> table, X flat)
      : theta_{std::move(table), std::move(flat)} {}

  Parameters<X> theta_;
};

}  // namespace consistency
