// See local_frames.h.
#include "core/geometry/local_frames.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/scratch.h"

namespace deeptf {
namespace {

constexpr double kOnLine = 1e-6;    // sine of two axes, of which smaller ones do not tell a plane
constexpr double kOpposite = 1e-4;  // above -1, the cosine of two axes that are opposite

struct Vector {
  double x = 0, y = 0, z = 0;

  explicit Vector(const double* from) : x(from[0]), y(from[1]), z(from[2]) {}
  Vector(double x, double y, double z) : x(x), y(y), z(z) {}
  Vector() = default;

  void add_to(double* to) const {
    to[0] += x;
    to[1] += y;
    to[2] += z;
  }
};

Vector operator+(const Vector& a, const Vector& b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
Vector operator-(const Vector& a, const Vector& b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
Vector operator*(double f, const Vector& a) { return {f * a.x, f * a.y, f * a.z}; }
double dot(const Vector& a, const Vector& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
Vector cross(const Vector& a, const Vector& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

// The axes of an atom, and what they come from.
struct Axes {
  Axes(const Vector& u, const Vector& w) : w(w), length(std::sqrt(dot(u, u))) {
    first = 1 / length * u;
    across = w - dot(w, first) * first;
    height = std::sqrt(dot(across, across));
    second = 1 / height * across;
    third = cross(first, second);
  }

  Vector w, first, across, second, third;
  double length, height;  // of u and across
};

// A neighbour and how far it is; the nearer one, of equally distant ones the first, is less.
struct Near {
  double squared;
  int32_t index;

  bool operator<(const Near& other) const {
    return squared != other.squared ? squared < other.squared : index < other.index;
  }
};

// One atom: which neighbours its places and axes have.
class Choice {
 public:
  Choice(const LocalFramesInputs& in, int32_t* chosen, Scratch<Near>& near,
         Scratch<double>& squared)
      : in_(in), frames_(in.frames), chosen_(chosen), near_(near), squared_(squared) {}

  // `first` is the first pair of each type.
  void fill_places(int64_t atom, const int64_t* first) {
    const int64_t types = frames_.num_types();
    int64_t angular = 0, radial = frames_.num_angular();
    for (int64_t t = 0; t < types; ++t) {
      const int64_t found =
          find(first[t], in_.neighbor_count[atom * types + t], frames_.sel_a[t] + frames_.sel_r[t]);
      for (int64_t k = 0; k < frames_.sel_a[t]; ++k) set(angular++, k, found);
      for (int64_t k = 0; k < frames_.sel_r[t]; ++k) set(radial++, frames_.sel_a[t] + k, found);
    }
  }

  Lack choose_axes(int32_t type) {
    int32_t* axes = chosen_ + frames_.num_places();
    int32_t next;
    take(frames_.rules[2 * type], &axes[0], &next);
    take(frames_.rules[2 * type + 1], &axes[1], &next);
    if (axes[0] >= 0 && axes[1] >= 0 && are_opposite(axes)) axes[1] = next;
    if (axes[0] < 0) return kFirstAxis;
    if (axes[1] < 0) return kSecondAxis;
    const Vector w = to(axes[1]);
    const Axes found(to(axes[0]), w);
    return dot(found.across, found.across) > kOnLine * kOnLine * dot(w, w) ? kNothing : kPlane;
  }

 private:
  Vector to(int32_t pair) const { return Vector(in_.displacement + 3 * int64_t{pair}); }

  bool are_opposite(const int32_t* axes) const {
    const Vector u = to(axes[0]), w = to(axes[1]);
    return dot(u, w) / std::sqrt(dot(u, u) * dot(w, w)) < kOpposite - 1;
  }

  // Sorts the nearest of a run of pairs; returns how many there are, at most `most`.
  int64_t find(int64_t first, int64_t count, int64_t most) {
    int64_t found = 0;
    for (int64_t pair = first; pair < first + count; ++pair) {
      const Vector d = to(static_cast<int32_t>(pair));
      const double squared = dot(d, d);
      if (squared < frames_.rcut * frames_.rcut) {
        near_[found++] = {squared, static_cast<int32_t>(pair)};
      }
    }
    most = std::min(most, found);
    std::partial_sort(near_.begin(), near_.begin() + most, near_.begin() + found);
    return most;
  }

  void set(int64_t place, int64_t number, int64_t found) {
    const bool there = number < found;
    chosen_[place] = there ? near_[number].index : -1;
    squared_[place] = there ? near_[number].squared : 0;
  }

  // The pair that a rule takes, and the next nearest; -1 for none.
  void take(const AxisRule& rule, int32_t* pair, int32_t* next) {
    int64_t found = 0;
    for (const int32_t place : rule.places) {
      if (chosen_[place] >= 0) near_[found++] = {squared_[place], place};
    }
    const int64_t most = std::min(found, rule.rank + 2);
    std::partial_sort(near_.begin(), near_.begin() + most, near_.begin() + found);
    *pair = rule.rank < found ? chosen_[near_[rule.rank].index] : -1;
    *next = rule.rank + 1 < found ? chosen_[near_[rule.rank + 1].index] : -1;
  }

  const LocalFramesInputs& in_;
  const LocalFrames& frames_;
  int32_t* chosen_;
  Scratch<Near>& near_;
  Scratch<double>& squared_;  // of the places
};

Axes axes_of(const LocalFramesInputs& in, const int32_t* chosen) {
  const int32_t* axes = chosen + in.frames.num_places();
  return {Vector(in.displacement + 3 * int64_t{axes[0]}),
          Vector(in.displacement + 3 * int64_t{axes[1]})};
}

void write_row(const LocalFramesInputs& in, const int32_t* chosen, double* row) {
  const Axes axes = axes_of(in, chosen);
  const int64_t angular = in.frames.num_angular();
  for (int64_t place = 0; place < in.frames.num_places(); ++place) {
    const int64_t numbers = place < angular ? 4 : 1;
    std::fill_n(row, numbers, 0.0);
    if (chosen[place] >= 0) {
      const Vector d(in.displacement + 3 * int64_t{chosen[place]});
      const double inverse = 1 / std::sqrt(dot(d, d)), square = inverse * inverse;
      row[0] = inverse;
      if (place < angular) {
        row[1] = square * dot(d, axes.third);
        row[2] = square * dot(d, axes.first);
        row[3] = square * dot(d, axes.second);
      }
    }
    row += numbers;
  }
}

// From the gradients in the axes to that in u and w.
void pull_axes(const Axes& axes, Vector first, Vector second, const Vector& third, double* u_grad,
               double* w_grad) {
  first = first + cross(axes.second, third);
  second = second + cross(third, axes.first);
  const Vector across = 1 / axes.height * (second - dot(second, axes.second) * axes.second);
  const double along = dot(across, axes.first);
  (across - along * axes.first).add_to(w_grad);
  first = first - dot(axes.w, axes.first) * across - along * axes.w;
  (1 / axes.length * (first - dot(first, axes.first) * axes.first)).add_to(u_grad);
}

void pull_row(const LocalFramesInputs& in, const int32_t* chosen, const double* upper,
              double* grad) {
  const Axes axes = axes_of(in, chosen);
  const int64_t angular = in.frames.num_angular(), places = in.frames.num_places();
  Vector first, second, third;
  for (int64_t place = 0; place < places; ++place) {
    if (chosen[place] >= 0) {
      const int64_t at = 3 * int64_t{chosen[place]};
      const Vector d(in.displacement + at);
      const double square = 1 / dot(d, d);
      (-upper[0] * square * std::sqrt(square) * d).add_to(grad + at);
      if (place < angular) {
        const Vector g = upper[1] * axes.third + upper[2] * axes.first + upper[3] * axes.second;
        (square * g - 2 * square * square * dot(g, d) * d).add_to(grad + at);
        third = third + upper[1] * square * d;
        first = first + upper[2] * square * d;
        second = second + upper[3] * square * d;
      }
    }
    upper += place < angular ? 4 : 1;
  }
  pull_axes(axes, first, second, third, grad + 3 * int64_t{chosen[places]},
            grad + 3 * int64_t{chosen[places + 1]});
}

int64_t cycles(const LocalFramesInputs& in) {
  return 100 + 50 * in.frames.num_places() + 10 * in.num_pairs / std::max<int64_t>(1, in.num_atoms);
}

}  // namespace

int64_t LocalFrames::num_angular() const {
  return std::accumulate(sel_a.begin(), sel_a.end(), int64_t{0});
}

int64_t LocalFrames::num_places() const {
  return std::accumulate(sel_r.begin(), sel_r.end(), num_angular());
}

void local_frames(const LocalFramesInputs& in, const Context& context, double* rows,
                  int32_t* chosen, int32_t* lack) {
  const int64_t types = in.frames.num_types(), n = in.num_atoms;
  Scratch<int64_t> first(n * types);
  int64_t pair = 0;
  for (int64_t t = 0; t < types; ++t) {
    for (int64_t atom = 0; atom < n; ++atom) {
      first[atom * types + t] = pair;
      pair += in.neighbor_count[atom * types + t];
    }
  }
  context.parallel(n, cycles(in), [&](int64_t begin, int64_t end) {
    Scratch<Near> near(std::max(in.num_pairs, in.frames.num_places()));
    Scratch<double> squared(in.frames.num_places());
    for (int64_t atom = begin; atom < end; ++atom) {
      int32_t* own = chosen + atom * in.frames.num_chosen();
      Choice choice(in, own, near, squared);
      choice.fill_places(atom, &first[atom * types]);
      lack[atom] = choice.choose_axes(in.type[atom]);
      if (lack[atom] == kNothing) write_row(in, own, rows + atom * in.frames.width());
    }
  });
}

void local_frames_grad(const LocalFramesInputs& in, const Context& context, const int32_t* chosen,
                       const double* upper, double* displacement_grad) {
  std::fill_n(displacement_grad, 3 * in.num_pairs, 0.0);
  context.parallel(in.num_atoms, cycles(in), [&](int64_t begin, int64_t end) {
    for (int64_t atom = begin; atom < end; ++atom) {
      pull_row(in, chosen + atom * in.frames.num_chosen(), upper + atom * in.frames.width(),
               displacement_grad);
    }
  });
}

}  // namespace deeptf
