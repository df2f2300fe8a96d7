// See local_frames.h.
#include "core/geometry/local_frames.h"

#include <algorithm>
#include <numeric>

#include "core/base/scratch.h"
#include "core/geometry/local_axes.h"

namespace deeptf {
namespace {

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
    if (axes[0] >= 0 && axes[1] >= 0 && are_opposite(to(axes[0]), to(axes[1]))) axes[1] = next;
    if (axes[0] < 0) return kFirstAxis;
    if (axes[1] < 0) return kSecondAxis;
    return span_plane(to(axes[0]), to(axes[1])) ? kNothing : kPlane;
  }

 private:
  Vector3 to(int32_t pair) const { return Vector3(in_.displacement + 3 * int64_t{pair}); }

  // Sorts the nearest of a run of pairs; returns how many there are, at most `most`.
  int64_t find(int64_t first, int64_t count, int64_t most) {
    int64_t found = 0;
    for (int64_t pair = first; pair < first + count; ++pair) {
      const Vector3 d = to(static_cast<int32_t>(pair));
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

LocalAxes axes_of(const LocalFramesInputs& in, const int32_t* chosen) {
  const int32_t* axes = chosen + in.frames.num_places();
  return {Vector3(in.displacement + 3 * int64_t{axes[0]}),
          Vector3(in.displacement + 3 * int64_t{axes[1]})};
}

const double* displacement_of(const LocalFramesInputs& in, int32_t pair) {
  return pair >= 0 ? in.displacement + 3 * int64_t{pair} : nullptr;
}

void write_row(const LocalFramesInputs& in, const int32_t* chosen, double* row) {
  const LocalAxes axes = axes_of(in, chosen);
  const int64_t angular = in.frames.num_angular();
  for (int64_t place = 0; place < in.frames.num_places(); ++place) {
    write_place(axes, displacement_of(in, chosen[place]), place < angular, row);
    row += place < angular ? 4 : 1;
  }
}

void pull_row(const LocalFramesInputs& in, const int32_t* chosen, const double* upper,
              double* grad) {
  const LocalAxes axes = axes_of(in, chosen);
  const int64_t angular = in.frames.num_angular(), places = in.frames.num_places();
  AxesGradient of_axes;
  for (int64_t place = 0; place < places; ++place) {
    if (chosen[place] >= 0) {
      const Vector3 d(displacement_of(in, chosen[place]));
      pull_place(axes, d, place < angular, upper).add_to(grad + 3 * int64_t{chosen[place]});
      if (place < angular) of_axes.add(d, upper);
    }
    upper += place < angular ? 4 : 1;
  }
  pull_axes(axes, of_axes, grad + 3 * int64_t{chosen[places]},
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
