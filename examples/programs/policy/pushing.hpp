// SPDX-License-Identifier: MIT
#pragma once

// A task for policies: a round pusher moves a puck on a table to a goal. Everything slides without inertia,
// and the pusher pushes along the line of centres, so that a puck that is not hit straight slips to the side.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include <consistency/core/random.hpp>

namespace pushing {

using consistency::Counter;
using consistency::Key;

struct Point {
  double x = 0, y = 0;

  friend Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
  friend Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
  friend Point operator*(double s, Point a) { return {s * a.x, s * a.y}; }
  bool operator==(Point const&) const = default;
};
inline double length(Point a) { return std::hypot(a.x, a.y); }
inline double angle(Point a) { return std::atan2(a.y, a.x); }
inline Point towards(double angle) { return {std::cos(angle), std::sin(angle)}; }
/// Not longer than `most`.
inline Point limited(Point a, double most) {
  auto const size = length(a);
  return size > most ? (most / size) * a : a;
}

/// The table is [−1, 1]².
inline constexpr double pusher_radius = 0.06, puck_radius = 0.12, goal_radius = 0.08;
inline constexpr double contact = pusher_radius + puck_radius;
inline constexpr double fastest = 0.05;  ///< step of the pusher
inline constexpr int most_steps = 120;   ///< of an episode

struct State {
  Point pusher, puck, goal;

  bool solved() const { return length(puck - goal) < goal_radius; }
  bool operator==(State const&) const = default;
};

/// Uniform and normal numbers: a pure function of (key, number of the episode, order).
class Chance {
 public:
  Chance(Key key, std::uint32_t episode) : key_{key}, at_{.step = 0, .sample = episode} {}

  double uniform(double low, double high) {
    return low + (high - low) * consistency::uniform_block<double>(key_, at_, block_++)[0];
  }
  Point place(double reach) {
    auto const x = uniform(-reach, reach);
    return {x, uniform(-reach, reach)};
  }
  Point normal() {
    auto const numbers = consistency::to_normal(consistency::uniform_block<double>(key_, at_, block_++));
    return {numbers[0], numbers[1]};
  }

 private:
  Key key_;
  Counter at_;
  std::uint32_t block_ = 0;
};

/// Where an episode begins: the puck away from its goal, the pusher away from the puck.
inline State start(Chance& chance) {
  State s;
  s.goal = chance.place(0.6);
  do s.puck = chance.place(0.6);
  while (length(s.puck - s.goal) < 0.4);
  do s.pusher = chance.place(0.9);
  while (length(s.pusher - s.puck) < contact + 0.05);
  return s;
}

/// The state after the pusher has moved by `step`, or as far as it can in a step. It goes in short pieces;
/// what it overlaps then is moved out of its way, and nothing leaves the table.
inline State moved(State s, Point step) {
  constexpr int pieces = 10;
  auto const piece = (1.0 / pieces) * limited(step, fastest);
  auto const on_table = [](Point p, double radius) {
    return Point{std::clamp(p.x, radius - 1, 1 - radius), std::clamp(p.y, radius - 1, 1 - radius)};
  };
  for (int i = 0; i < pieces; ++i) {
    s.pusher = on_table(s.pusher + piece, pusher_radius);
    auto const between = s.puck - s.pusher;
    auto const distance = length(between);
    if (distance >= contact) continue;
    s.puck = on_table(s.pusher + (contact / std::max(distance, 1e-9)) * between, puck_radius);
    auto const back = s.pusher - s.puck;  // at the edge the puck stands, and the pusher with it
    if (length(back) < contact) s.pusher = s.puck + (contact / std::max(length(back), 1e-9)) * back;
  }
  return s;
}

/// How a person would do it: around the puck to the side away from the goal, on the left or on the right
/// where both are about as far, then push, always aiming at a point on the far side of the line through the
/// centres.
class Demonstrator {
 public:
  explicit Demonstrator(Chance& chance) : prefers_left_{chance.uniform(0, 1) < 0.5} {}

  Point action(State const& s) {
    auto const to_goal = s.goal - s.puck;
    auto const behind = angle(-1 * to_goal);  // seen from the puck
    auto const from_puck = s.pusher - s.puck;
    auto const rest = std::remainder(behind - angle(from_puck), 2 * std::numbers::pi);
    if (std::abs(rest) < 0.4) {
      side_ = 0;
      auto const aim = s.puck + (contact - 0.06) * towards(behind + std::clamp(1.2 * rest, -0.6, 0.6));
      return limited(aim - s.pusher, std::min(fastest, 0.01 + 0.4 * length(to_goal)));
    }
    if (side_ == 0) {
      auto const either = std::abs(rest) > 2.2;
      side_ = either ? (prefers_left_ ? 1 : -1) : (rest > 0 ? 1 : -1);
    }
    auto const left =
        std::remainder(rest - side_ * std::numbers::pi, 2 * std::numbers::pi) + side_ * std::numbers::pi;
    auto const turn = side_ * std::min(std::abs(left), 0.6);
    auto const aim = s.puck + (contact + 0.07) * towards(angle(from_puck) + turn);
    return limited(aim - s.pusher, fastest);
  }

 private:
  bool prefers_left_;
  int side_ = 0;  // of the way around: 1 against the clock, -1 with it, 0 not chosen
};

/// What a policy sees of two states, one step apart: where the puck is from the pusher and the goal from the
/// puck, and how both changed, which tells what the demonstrator is about.
inline constexpr int observed = 8;
inline std::array<double, observed> observation(State const& before, State const& now) {
  auto const puck = now.puck - now.pusher, goal = now.goal - now.puck;
  auto const puck_moved = puck - (before.puck - before.pusher),
             goal_moved = goal - (before.goal - before.puck);
  return {puck.x, puck.y, goal.x, goal.y, puck_moved.x, puck_moved.y, goal_moved.x, goal_moved.y};
}

}  // namespace pushing
