// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <concepts>
#include <string>

#include <consistency/core/time_range.hpp>
#include <consistency/network/prepared_parameters.hpp>
#include <consistency/solver/solver.hpp>

namespace consistency {

/// Where the velocity of the probability-flow ODE comes from. `source.given(x0)` is v(x, t) for a batch with
/// clean data x0. Models: DataVelocity, TeacherVelocity. docs/concepts/ode_solver.md
template <class V>
concept VelocitySource = requires(V const& source, Tensor<float> const& x0) { source.given(x0); };

/// dx/dt = (x − D(x, t)) / t for a denoiser's output D (Song et al. 2023, Eq. 2; Karras et al. 2022, Eq. 3).
auto flow_velocity(Operand auto const& x, Operand auto const& denoised, Operand auto const& t) {
  return (x - denoised) / t;
}

/// Whether F is known to be a consistency function, f(x, ε) = x, by its parameterization; else it may be a
/// denoiser.
template <class F>
inline constexpr bool keeps_boundary =
    requires(F const& f) { requires std::remove_cvref_t<decltype(f.parameterization())>::boundary; };

/// D = the clean data itself: consistency training (Song et al. 2023, Section 5, Eq. 9).
struct DataVelocity {
  template <Value X>
  auto given(X const& x0) const {
    return [x0](Value auto const& x, Operand auto const& t) { return flow_velocity(x, x0, t); };
  }
};

/// D = a trained denoiser D_φ, in evaluation mode: consistency distillation (Song et al. 2023, Section 4).
/// φ usually are the averaged weights of its training.
template <class Denoiser, class P>
struct TeacherVelocity {
  static_assert(!keeps_boundary<Denoiser>,
                "TeacherVelocity: the teacher must be a denoiser, ConsistencyFunction with "
                "EdmPreconditioning; a consistency function is none");

  Denoiser denoiser;             ///< any callable of (φ, x, t)
  P phi;                         ///< PreparedParameters of a network, or what else the callable takes
  TimeRange trained{0.002, 80};  ///< noise levels that the denoiser knows

  /// A callable; on the host it throws numeric_error, naming the sample, where the denoiser's output is not
  /// finite. On a device the loss tells.
  auto given(Value auto const&) const& {
    return [this](Value auto const& x, Operand auto const& t) {
      auto const D = evaluated(denoiser(theta(), x, t));
      if constexpr (OnHost<typename std::remove_cvref_t<decltype(stop_gradient(D))>::Backend>)
        require_finite(D, t);  // reading the numbers of a device would stop it
      return evaluated(flow_velocity(x, D, t));
    };
  }
  void given(Value auto const&) const&& = delete;  // the callable would outlive the teacher

  /// Throws config_error unless this teacher can teach f at times of `used`: one data shape, one sigma_data,
  /// times that it was trained for, parameters of its own network.
  void check_student(auto const& f, TimeRange used) const {
    if constexpr (requires { denoiser.network(); }) {
      auto const& net = denoiser.network();
      if (net.data_shape() != f.network().data_shape())
        fail<config_error>("TeacherVelocity", "data of teacher and student",
                           net.data_shape().text() + " and " + f.network().data_shape().text(), "one shape",
                           advice);
      auto const& table = theta().table();
      if (!net.parameters().same_meaning(table))
        fail<config_error>("TeacherVelocity", "parameters of the teacher", table.text(),
                           net.parameters().text() + ", named and shaped as its network's", advice);
      auto const& p = denoiser.parameterization();
      if constexpr (requires { p.sigma_data - f.parameterization().sigma_data; })
        if (p.sigma_data != f.parameterization().sigma_data)
          fail<config_error>(
              "TeacherVelocity", "sigma_data of teacher and student",
              number_text(p.sigma_data) + " and " + number_text(f.parameterization().sigma_data),
              "one number", advice);
    }
    if (!(trained.smallest <= used.smallest && used.largest <= trained.largest))
      fail<config_error>("TeacherVelocity", "times of the student", text(used),
                         "inside those that the teacher was trained for, " + text(trained), advice);
  }

 private:
  auto const& theta() const {
    if constexpr (requires { phi.parameters(); }) {
      return phi.parameters();
    } else {
      return phi;
    }
  }
  static void require_finite(auto const& D, auto const& t) {
    auto const sums = evaluated(sum_per_sample(stop_gradient(D)));
    for (Index i = 0; i < sums.count(); ++i)
      if (!std::isfinite(sums[i]))
        fail<numeric_error>(
            "TeacherVelocity", "the teacher's output for sample " + number_text(i),
            number_text(sums[i]) + " as its sum, at t = " + number_text(stop_gradient(evaluated(t))[i]),
            "finite numbers", "Look at what the teacher denoises at this noise level.");
  }
  static std::string text(TimeRange r) {
    return "[" + number_text(r.smallest) + ", " + number_text(r.largest) + "]";
  }
  static constexpr auto advice = "Distill a teacher of the same data.";
};
template <class Denoiser, class P>
TeacherVelocity(Denoiser, P) -> TeacherVelocity<Denoiser, P>;
template <class Denoiser, class P>
TeacherVelocity(Denoiser, P, TimeRange) -> TeacherVelocity<Denoiser, P>;
template <class Denoiser, class X>
TeacherVelocity(Denoiser, Parameters<X>) -> TeacherVelocity<Denoiser, PreparedParameters<X>>;
template <class Denoiser, class X>
TeacherVelocity(Denoiser, Parameters<X>, TimeRange) -> TeacherVelocity<Denoiser, PreparedParameters<X>>;

}  // namespace consistency
