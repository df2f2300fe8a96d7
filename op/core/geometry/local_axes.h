// Formulas of local frames (local_frames.h) that CPU and GPU share.
#pragma once

#include <cmath>

#include "core/base/host_device.h"

namespace deeptf {

constexpr double kOnLine = 1e-6;    // sine of two axes, of which smaller ones do not tell a plane
constexpr double kOpposite = 1e-4;  // above -1, the cosine of two axes that are opposite

struct Vector3 {
  double x = 0, y = 0, z = 0;

  Vector3() = default;
  DEEPTF_HD explicit Vector3(const double* from) : x(from[0]), y(from[1]), z(from[2]) {}
  DEEPTF_HD Vector3(double x, double y, double z) : x(x), y(y), z(z) {}

  DEEPTF_HD void add_to(double* to) const {
    to[0] += x;
    to[1] += y;
    to[2] += z;
  }
};

DEEPTF_HD inline Vector3 operator+(const Vector3& a, const Vector3& b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}
DEEPTF_HD inline Vector3 operator-(const Vector3& a, const Vector3& b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}
DEEPTF_HD inline Vector3 operator*(double f, const Vector3& a) {
  return {f * a.x, f * a.y, f * a.z};
}
DEEPTF_HD inline double dot(const Vector3& a, const Vector3& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}
DEEPTF_HD inline Vector3 cross(const Vector3& a, const Vector3& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

// The axes of an atom, and what they come from.
struct LocalAxes {
  DEEPTF_HD LocalAxes(const Vector3& u, const Vector3& w) : w(w), length(std::sqrt(dot(u, u))) {
    first = 1 / length * u;
    across = w - dot(w, first) * first;
    height = std::sqrt(dot(across, across));
    second = 1 / height * across;
    third = cross(first, second);
  }

  Vector3 w, first, across, second, third;
  double length, height;  // of u and across
};

DEEPTF_HD inline bool are_opposite(const Vector3& u, const Vector3& w) {
  return dot(u, w) / std::sqrt(dot(u, u) * dot(w, w)) < kOpposite - 1;
}

DEEPTF_HD inline bool span_plane(const Vector3& u, const Vector3& w) {
  const LocalAxes axes(u, w);
  return dot(axes.across, axes.across) > kOnLine * kOnLine * dot(w, w);
}

// The numbers of a place, four of an angular one; `d` leads to its neighbour, NULL: there is none.
DEEPTF_HD inline void write_place(const LocalAxes& axes, const double* d, bool is_angular,
                                  double* row) {
  for (int k = 0; k < (is_angular ? 4 : 1); ++k) row[k] = 0;
  if (d == nullptr) return;
  const Vector3 to(d);
  const double inverse = 1 / std::sqrt(dot(to, to)), square = inverse * inverse;
  row[0] = inverse;
  if (!is_angular) return;
  row[1] = square * dot(to, axes.third);
  row[2] = square * dot(to, axes.first);
  row[3] = square * dot(to, axes.second);
}

// Gradients in the axes.
struct AxesGradient {
  Vector3 first, second, third;

  // Adds that of the numbers of an angular place with a neighbour.
  DEEPTF_HD void add(const Vector3& d, const double* upper) {
    const double square = 1 / dot(d, d);
    third = third + upper[1] * square * d;
    first = first + upper[2] * square * d;
    second = second + upper[3] * square * d;
  }
};

// From the gradient in the numbers of a place to that in the way to its neighbour, where the axes
// stay.
DEEPTF_HD inline Vector3 pull_place(const LocalAxes& axes, const Vector3& d, bool is_angular,
                                    const double* upper) {
  const double square = 1 / dot(d, d);
  const Vector3 radial = -upper[0] * square * std::sqrt(square) * d;
  if (!is_angular) return radial;
  const Vector3 g = upper[1] * axes.third + upper[2] * axes.first + upper[3] * axes.second;
  return radial + (square * g - 2 * square * square * dot(g, d) * d);
}

// Adds the gradients in u and w.
DEEPTF_HD inline void pull_axes(const LocalAxes& axes, const AxesGradient& upper, double* u_grad,
                                double* w_grad) {
  Vector3 first = upper.first + cross(axes.second, upper.third);
  const Vector3 second = upper.second + cross(upper.third, axes.first);
  const Vector3 across = 1 / axes.height * (second - dot(second, axes.second) * axes.second);
  const double along = dot(across, axes.first);
  (across - along * axes.first).add_to(w_grad);
  first = first - dot(axes.w, axes.first) * across - along * axes.w;
  (1 / axes.length * (first - dot(first, axes.first) * axes.first)).add_to(u_grad);
}

}  // namespace deeptf
