// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <concepts>
#include <string>
#include <type_traits>

#include <consistency/condition/given.hpp>
#include <consistency/core/time_range.hpp>
#include <consistency/data/batch.hpp>
#include <consistency/network/prepared_parameters.hpp>
#include <consistency/parameterization/kind.hpp>
#include <consistency/process/conversion.hpp>
#include <consistency/process/process_of.hpp>
#include <consistency/solver/solver.hpp>

namespace consistency {

/// Where the velocity of the probability-flow ODE comes from. `source.given(process, batch)` is v(x, t) for a
/// batch of clean data under its conditions, with `process` and `denoised(x, t)`. Models: DataVelocity,
/// TeacherVelocity. docs/concepts/ode_solver.md
template <class V>
concept VelocitySource = requires(V const& source, VarianceExploding process,
                                  Batch<Tensor<float>> const& batch) { source.given(process, batch); };

/// D = the clean data itself: consistency training (Song et al. 2023, Section 5, Eq. 9).
struct DataVelocity {
  template <class X, class Process>
  struct Given {
    Process process;
    X x0;  // (n, …)

    X const& denoised(Value auto const&, Operand auto const&) const { return x0; }
    auto operator()(Value auto const& x, Operand auto const& t) const { return process.velocity(x, x0, t); }
  };
  template <class X, NoiseProcess Process>
  Given<X, Process> given(Process const& process, Batch<X> const& batch) const {
    return {process, batch.x0};
  }
};
static_assert(VelocitySource<DataVelocity>);

/// The velocity of a denoiser D(x, t), computed at each call.
template <class Process, class D>
struct DenoiserVelocity {
  Process const& process;
  D const& denoiser;

  auto denoised(Value auto const& x, Value auto const& t) const { return evaluated(denoiser(x, t)); }
  auto operator()(Value auto const& x, Value auto const& t) const {
    return evaluated(process.velocity(x, denoised(x, t), t));
  }
};
template <class Process, class D>
DenoiserVelocity(Process const&, D const&) -> DenoiserVelocity<Process, D>;

/// D = a trained denoiser D_φ, in evaluation mode: consistency distillation (Song et al. 2023, Section 4).
/// φ usually are the averaged weights of its training.
template <class Denoiser, class P>
struct TeacherVelocity {
  static_assert(may_be<Denoiser, Kind::denoiser>,
                "TeacherVelocity: the teacher must be a Denoiser; a ConsistencyFunction is none");

  Denoiser denoiser;  ///< any callable of (φ, x, t)
  P phi;              ///< PreparedParameters of a network, or what else the callable takes

  /// v(x, t) on the student's process.
  template <class X, class Process>
  struct Given {
    TeacherVelocity const& teacher;
    Process process;
    Condition<X> condition;

    /// Throws numeric_error on the host, naming the sample, where the denoiser's output is not finite. On a
    /// device the loss tells.
    auto denoised(Value auto const& x, Operand auto const& t_lazy) const {
      auto const& t = evaluated(t_lazy);
      auto const& D = with_condition(teacher.denoiser, condition);
      auto const own = process_of(teacher.denoiser);
      if constexpr (std::same_as<std::remove_cvref_t<decltype(own)>, Process>) {
        return finite(evaluated(D(teacher.theta(), x, t)), t);
      } else {
        auto const [there, scale] = converted(t, process, own);
        return finite(evaluated(D(teacher.theta(), evaluated(scale * x), there)), t);
      }
    }
    auto operator()(Value auto const& x, Operand auto const& t) const {
      return evaluated(process.velocity(x, denoised(x, t), t));
    }
  };
  template <class X, NoiseProcess Process>
  Given<X, Process> given(Process const& process, Batch<X> const& batch) const& {
    return {*this, process, batch.condition};
  }
  template <class X>
  void given(NoiseProcess auto const&, Batch<X> const&) const&& = delete;  // it would outlive the teacher

  /// Throws config_error unless this teacher can teach f: one data shape, one sigma_data, noise levels that
  /// it was trained for, parameters of its own network.
  void check_student(auto const& f) const {
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
    auto const students = process_of(f);
    auto const teachers = process_of(denoiser);
    if constexpr (requires {
                    requires std::same_as<decltype(students), decltype(teachers)>;
                    students.sigma_data;
                  })
      if (students.sigma_data != teachers.sigma_data)
        fail<config_error>("TeacherVelocity", "noise processes of teacher and student",
                           teachers.text() + " and " + students.text(), "one sigma_data", advice);
    auto const used = noise_levels(students), trained = noise_levels(teachers);
    constexpr auto rounded = 1e-9;  // of a conversion
    if (!(trained.smallest * (1 - rounded) <= used.smallest &&
          used.largest <= trained.largest * (1 + rounded)))
      fail<config_error>("TeacherVelocity", "noise levels of the student's process", text(used),
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
  static auto finite(auto D, auto const& t) {
    if constexpr (OnHost<typename std::remove_cvref_t<decltype(stop_gradient(D))>::Backend>)
      require_finite(D, t);  // reading the numbers of a device would stop it
    return D;
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
  static TimeRange noise_levels(NoiseProcess auto const& process) {
    auto const [epsilon, T] = process.range();
    return {process.sigma(epsilon), process.sigma(T)};
  }
  static std::string text(TimeRange r) {
    return "[" + number_text(r.smallest) + ", " + number_text(r.largest) + "]";
  }
  static constexpr auto advice = "Distill a teacher of the same data; the student's process may end earlier.";
};
template <class Denoiser, class P>
TeacherVelocity(Denoiser, P) -> TeacherVelocity<Denoiser, P>;
template <class Denoiser, class X>
TeacherVelocity(Denoiser, Parameters<X>) -> TeacherVelocity<Denoiser, PreparedParameters<X>>;

}  // namespace consistency
