// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/core/shape.hpp>
#include <consistency/tensor/cpu/link_guard.hpp>

namespace consistency::cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// Winograd's minimal filtering F(m×m, 3×3) (Lavin & Gray 2016, Section 4.1): y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ d B)] A.
/// Each map here is one-dimensional, on numbers or packs: p[i · step] in, q[i · to] out.
template <int Tile>
struct Winograd;

/// A 2×2 tile from 16 products instead of 36; points {0, ±1, ∞}. For images too small to fill larger tiles.
template <>
struct Winograd<2> {
  static constexpr int tile = 2, edge = 4, frequencies = 16;

  template <class P>
  static void input(P const* d, int step, P* v, int to) {  // Bᵀ, 4 → 4
    v[0] = d[0] - d[2 * step];
    v[to] = d[step] + d[2 * step];
    v[2 * to] = d[2 * step] - d[step];
    v[3 * to] = d[3 * step] - d[step];
  }
  template <class P>
  static void output(P const* m, int step, P* y, int to) {  // Aᵀ, 4 → 2
    y[0] = m[0] + (m[step] + m[2 * step]);
    y[to] = m[3 * step] + (m[step] - m[2 * step]);
  }
  template <class P>
  static void output_adjoint(P const* g, int step, P* w, int to) {  // A, 2 → 4
    w[0] = g[0];
    w[to] = g[0] + g[step];
    w[2 * to] = g[0] - g[step];
    w[3 * to] = g[step];
  }
  template <class P>
  static void weights(P const* w, int step, P* u, int to) {  // G, 3 → 4
    auto const even = P(0.5) * (w[0] + w[2 * step]);
    auto const odd = P(0.5) * w[step];
    u[0] = w[0];
    u[to] = even + odd;
    u[2 * to] = even - odd;
    u[3 * to] = w[2 * step];
  }
  template <class P>
  static void weights_adjoint(P const* u, int step, P* w, int to) {  // Gᵀ, 4 → 3
    auto const sum = P(0.5) * (u[step] + u[2 * step]);
    w[0] = u[0] + sum;
    w[to] = P(0.5) * (u[step] - u[2 * step]);
    w[2 * to] = u[3 * step] + sum;
  }
};

/// A 4×4 tile from 36 products instead of 144; the points {0, ±5/8, ±3/2, ∞} keep its error near a direct
/// convolution's.
template <>
struct Winograd<4> {
  static constexpr int tile = 4, edge = 6, frequencies = 36;
  static constexpr double a = 0.625, b = 1.5, A = a * a, B = b * b;
  static constexpr double r = 1 / (A * B), s = 1 / (2 * A * (A - B)), q = 1 / (2 * B * (B - A));

  template <class P>
  static void input(P const* d, int step, P* v, int to) {  // Bᵀ, 6 → 6
    auto const even_a = fma(P(-B), d[2 * step], d[4 * step]);
    auto const odd_a = fma(P(-B), d[step], d[3 * step]);
    auto const even_b = fma(P(-A), d[2 * step], d[4 * step]);
    auto const odd_b = fma(P(-A), d[step], d[3 * step]);
    v[0] = fma(P(A * B), d[0], fma(P(-A - B), d[2 * step], d[4 * step]));
    v[to] = fma(P(a), odd_a, even_a);
    v[2 * to] = fma(P(-a), odd_a, even_a);
    v[3 * to] = fma(P(b), odd_b, even_b);
    v[4 * to] = fma(P(-b), odd_b, even_b);
    v[5 * to] = fma(P(A * B), d[step], fma(P(-A - B), d[3 * step], d[5 * step]));
  }
  template <class P>
  static void output(P const* m, int step, P* y, int to) {  // Aᵀ, 6 → 4
    auto const sum_a = m[step] + m[2 * step];
    auto const difference_a = m[step] - m[2 * step];
    auto const sum_b = m[3 * step] + m[4 * step];
    auto const difference_b = m[3 * step] - m[4 * step];
    y[0] = m[0] + (sum_a + sum_b);
    y[to] = fma(P(a), difference_a, P(b) * difference_b);
    y[2 * to] = fma(P(A), sum_a, P(B) * sum_b);
    y[3 * to] = fma(P(a * A), difference_a, fma(P(b * B), difference_b, m[5 * step]));
  }
  template <class P>
  static void output_adjoint(P const* g, int step, P* w, int to) {  // A, 4 → 6
    auto const even_a = fma(P(A), g[2 * step], g[0]);
    auto const odd_a = fma(P(A), g[3 * step], g[step]);
    auto const even_b = fma(P(B), g[2 * step], g[0]);
    auto const odd_b = fma(P(B), g[3 * step], g[step]);
    w[0] = g[0];
    w[to] = fma(P(a), odd_a, even_a);
    w[2 * to] = fma(P(-a), odd_a, even_a);
    w[3 * to] = fma(P(b), odd_b, even_b);
    w[4 * to] = fma(P(-b), odd_b, even_b);
    w[5 * to] = g[3 * step];
  }
  template <class P>
  static void weights(P const* w, int step, P* u,
                      int to) {  // G, 3 → 6: point p gives (1, p, p²) / Π (p − p')
    auto const even_a = fma(P(s * A), w[2 * step], P(s) * w[0]);
    auto const odd_a = P(s * a) * w[step];
    auto const even_b = fma(P(q * B), w[2 * step], P(q) * w[0]);
    auto const odd_b = P(q * b) * w[step];
    u[0] = P(r) * w[0];
    u[to] = even_a + odd_a;
    u[2 * to] = even_a - odd_a;
    u[3 * to] = even_b + odd_b;
    u[4 * to] = even_b - odd_b;
    u[5 * to] = w[2 * step];
  }
  template <class P>
  static void weights_adjoint(P const* u, int step, P* w, int to) {  // Gᵀ, 6 → 3
    auto const sum_a = u[step] + u[2 * step];
    auto const sum_b = u[3 * step] + u[4 * step];
    w[0] = fma(P(r), u[0], fma(P(s), sum_a, P(q) * sum_b));
    w[to] = fma(P(s * a), u[step] - u[2 * step], P(q * b) * (u[3 * step] - u[4 * step]));
    w[2 * to] = fma(P(s * A), sum_a, fma(P(q * B), sum_b, u[5 * step]));
  }
};

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace consistency::cpu
