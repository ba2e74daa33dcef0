// SHOULD_FAIL: which returns Draws or a type with its
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

/// A user's own method: the denoiser's loss at one noise level.
struct Own {
  static constexpr bool has_target = false;
  cm::Denoiser<cm::Mlp> f;

  void check() const {}
  double rate(cm::Index) const { return 0; }
  double resolution(cm::Index) const { return 0; }
  template <class X>
  auto draw(X const& x0, cm::Index k, cm::Key key, std::uint32_t first) const {
#ifdef SHOULD_FAIL
    return cm::normal<X>(x0.shape(), key, {static_cast<std::uint32_t>(k), first});
#else
    return cm::draw_for<1>(x0, k, key, first, [](cm::Key, cm::Counter) { return std::array{1.0}; });
#endif
  }
  template <class X>
  auto loss(auto const& theta, cm::Parameters<X> const&, cm::Batch<X> const& batch, auto const& drawn) const {
    auto const& t = drawn.times[0];
    return mean(square(f(theta, X(batch.x0 + drawn.z), t, drawn.mode) - batch.x0));
  }
};

Own const method{cm::Denoiser{cm::Mlp{}}};
cm::Trainer trainer{method, cm::Adam{}, method.f.initialize(cm::Key{1})};
