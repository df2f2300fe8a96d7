// See local_frames.h. A neighbour finds its place by itself: it counts those of its type that are
// nearer. Then an atom takes its axes, and each place has its numbers.
#include "core/cuda/device.h"
#include "core/cuda/local_frames.h"
#include "core/geometry/local_axes.h"

namespace deeptf {
namespace {

struct SquareDistance {
  const double* displacement;
  double* squared;

  DEEPTF_HD void operator()(int64_t pair) const {
    const Vector3 d(displacement + 3 * pair);
    squared[pair] = dot(d, d);
  }
};

struct FillPlace {
  int32_t* to;

  DEEPTF_HD void operator()(int64_t k) const { to[k] = -1; }
};

// A warp's worth of threads for each atom and neighbour type.
struct FindPlaces {
  PlacedFramesInputs in;
  const double* squared;
  int32_t* chosen;

  DEEPTF_HD void operator()(int64_t k) const {
    const PlacedFrames& frames = in.frames;
    const int64_t run = k / kLanes, type = run / in.num_atoms, atom = run % in.num_atoms;
    const int64_t begin = in.first[run];
    const int64_t count = in.neighbor_count[atom * frames.num_types + type];
    const int64_t most = frames.sel_a[type] + frames.sel_r[type];
    for (int64_t i = k % kLanes; i < count; i += kLanes) {
      const int64_t number = number_nearer(squared + begin, count, i, most);
      if (number >= most) continue;
      chosen[atom * frames.num_chosen() + frames.place_of(type, number)] =
          static_cast<int32_t>(begin + i);
    }
  }

 private:
  // How many of a run are nearer than its neighbour i, of equally distant ones those before; at
  // least `most` for one that is too far.
  DEEPTF_HD int64_t number_nearer(const double* run, int64_t count, int64_t i, int64_t most) const {
    const double own = run[i];
    if (!(own < in.frames.squared)) return most;
    int64_t number = 0;
    for (int64_t j = 0; j < count && number < most; ++j) {
      if (run[j] < own || (run[j] == own && j < i)) ++number;
    }
    return number;
  }
};

// For each axis of each atom the pair that its rule takes, and the next nearest; -1 for none.
struct TakeAxes {
  PlacedFramesInputs in;
  const double* squared;
  int32_t *chosen, *next;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t atom = k / 2, axis = k % 2, rule = 2 * int64_t{in.type[atom]} + axis;
    int32_t* own = chosen + atom * in.frames.num_chosen();
    int32_t place = following(own, rule, -1);
    for (int32_t number = 0; number < in.frames.rank[rule] && place >= 0; ++number) {
      place = following(own, rule, place);
    }
    const int32_t after = place >= 0 ? following(own, rule, place) : -1;
    own[in.frames.num_places + axis] = place >= 0 ? own[place] : -1;
    next[k] = after >= 0 ? own[after] : -1;
  }

 private:
  // Of the places of a rule the nearest one behind `place`, -1 for the first; -1 where there is
  // none. Of equally distant ones the first place comes first.
  DEEPTF_HD int32_t following(const int32_t* own, int64_t rule, int32_t place) const {
    const double last = place >= 0 ? squared[own[place]] : -1;
    double nearest = 0;
    int32_t found = -1;
    for (int32_t k = in.frames.rule_row[rule]; k < in.frames.rule_row[rule + 1]; ++k) {
      const int32_t other = in.frames.rule_place[k];
      if (own[other] < 0) continue;
      const double distance = squared[own[other]];
      if (distance < last || (distance == last && other <= place)) continue;
      if (found >= 0 && distance >= nearest) continue;
      nearest = distance;
      found = other;
    }
    return found;
  }
};

struct CheckAxes {
  PlacedFramesInputs in;
  const int32_t* next;
  int32_t *chosen, *lack;

  DEEPTF_HD void operator()(int64_t atom) const {
    int32_t* axes = chosen + atom * in.frames.num_chosen() + in.frames.num_places;
    if (axes[0] >= 0 && axes[1] >= 0 && are_opposite(to(axes[0]), to(axes[1]))) {
      axes[1] = next[2 * atom + 1];
    }
    if (axes[0] < 0) {
      lack[atom] = kFirstAxis;
    } else if (axes[1] < 0) {
      lack[atom] = kSecondAxis;
    } else {
      lack[atom] = span_plane(to(axes[0]), to(axes[1])) ? kNothing : kPlane;
    }
  }

 private:
  DEEPTF_HD Vector3 to(int64_t pair) const { return Vector3(in.displacement + 3 * pair); }
};

DEEPTF_HD inline LocalAxes axes_of(const PlacedFramesInputs& in, const int32_t* own) {
  const int32_t* axes = own + in.frames.num_places;
  return {Vector3(in.displacement + 3 * int64_t{axes[0]}),
          Vector3(in.displacement + 3 * int64_t{axes[1]})};
}

struct WritePlaces {
  PlacedFramesInputs in;
  const int32_t *chosen, *lack;
  double* rows;

  DEEPTF_HD void operator()(int64_t k) const {
    const PlacedFrames& frames = in.frames;
    const int64_t atom = k / frames.num_places, place = k % frames.num_places;
    if (lack[atom] != kNothing) return;
    const int32_t* own = chosen + atom * frames.num_chosen();
    const double* d = own[place] >= 0 ? in.displacement + 3 * int64_t{own[place]} : nullptr;
    write_place(axes_of(in, own), d, place < frames.num_angular,
                rows + atom * frames.width() + frames.column(place));
  }
};

// A pair has at most one place.
struct PullPlaces {
  PlacedFramesInputs in;
  const int32_t *chosen, *lack;
  const double* upper;
  double* grad;

  DEEPTF_HD void operator()(int64_t k) const {
    const PlacedFrames& frames = in.frames;
    const int64_t atom = k / frames.num_places, place = k % frames.num_places;
    const int32_t* own = chosen + atom * frames.num_chosen();
    if (lack[atom] != kNothing || own[place] < 0) return;
    const int64_t at = 3 * int64_t{own[place]};
    pull_place(axes_of(in, own), Vector3(in.displacement + at), place < frames.num_angular,
               upper + atom * frames.width() + frames.column(place))
        .add_to(grad + at);
  }
};

struct PullAxes {
  PlacedFramesInputs in;
  const int32_t *chosen, *lack;
  const double* upper;
  double* grad;

  DEEPTF_HD void operator()(int64_t atom) const {
    const PlacedFrames& frames = in.frames;
    if (lack[atom] != kNothing) return;
    const int32_t* own = chosen + atom * frames.num_chosen();
    AxesGradient found;
    for (int64_t place = 0; place < frames.num_angular; ++place) {
      if (own[place] < 0) continue;
      found.add(Vector3(in.displacement + 3 * int64_t{own[place]}),
                upper + atom * frames.width() + frames.column(place));
    }
    const int32_t* axes = own + frames.num_places;
    pull_axes(axes_of(in, own), found, grad + 3 * int64_t{axes[0]}, grad + 3 * int64_t{axes[1]});
  }
};

}  // namespace

std::vector<int32_t> numbers_of(const LocalFrames& frames) {
  std::vector<int32_t> numbers(frames.sel_a);
  numbers.insert(numbers.end(), frames.sel_r.begin(), frames.sel_r.end());
  int32_t next = 0;
  for (const std::vector<int32_t>* sel : {&frames.sel_a, &frames.sel_r}) {
    for (const int32_t count : *sel) {
      numbers.push_back(next);
      next += count;
    }
  }
  int32_t row = 0;
  numbers.push_back(row);
  for (const AxisRule& rule : frames.rules) {
    row += static_cast<int32_t>(rule.places.size());
    numbers.push_back(row);
  }
  for (const AxisRule& rule : frames.rules) numbers.push_back(static_cast<int32_t>(rule.rank));
  for (const AxisRule& rule : frames.rules) {
    numbers.insert(numbers.end(), rule.places.begin(), rule.places.end());
  }
  return numbers;
}

PlacedFrames placed_frames(const LocalFrames& frames, const int32_t* there) {
  const int64_t types = frames.num_types();
  const int32_t* rules = there + 4 * types;
  return {frames.rcut * frames.rcut,
          types,
          frames.num_angular(),
          frames.num_places(),
          there,
          there + types,
          there + 2 * types,
          there + 3 * types,
          rules,
          rules + 2 * types + 1,
          rules + 4 * types + 1};
}

void local_frames(const PlacedFramesInputs& in, const Cuda& cuda, double* rows, int32_t* chosen,
                  int32_t* lack) {
  const int64_t n = in.num_atoms;
  auto* squared = cuda.scratch<double>(in.num_pairs);
  for_each(cuda, in.num_pairs, SquareDistance{in.displacement, squared});
  for_each(cuda, n * in.frames.num_chosen(), FillPlace{chosen});
  for_each(cuda, in.frames.num_types * n * kLanes, FindPlaces{in, squared, chosen});
  auto* next = cuda.scratch<int32_t>(2 * n);
  for_each(cuda, 2 * n, TakeAxes{in, squared, chosen, next});
  for_each(cuda, n, CheckAxes{in, next, chosen, lack});
  for_each(cuda, n * in.frames.num_places, WritePlaces{in, chosen, lack, rows});
}

void local_frames_grad(const PlacedFramesInputs& in, const Cuda& cuda, const int32_t* chosen,
                       const int32_t* lack, const double* upper, double* displacement_grad) {
  set_zero(cuda, displacement_grad, 3 * in.num_pairs);
  for_each(cuda, in.num_atoms * in.frames.num_places,
           PullPlaces{in, chosen, lack, upper, displacement_grad});
  for_each(cuda, in.num_atoms, PullAxes{in, chosen, lack, upper, displacement_grad});
}

}  // namespace deeptf
