// See force_virial.h. Threads own ranges of atoms and each reads all pairs: no atomics, no buffers,
// and the order of every sum is that of the pairs.
#include "core/geometry/force_virial.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace deeptf {
namespace {

constexpr int64_t kVirialParts = 16;  // partial sums of the virial; fixed, so that bits are fixed

void check_index(const char* name, int32_t index, int64_t limit, int64_t pair) {
  if (index < 0 || index >= limit) {
    throw Error(std::string("`") + name + "` must be an atom index below " + std::to_string(limit) +
                ", got " + std::to_string(index) + " at pair " + std::to_string(pair));
  }
}

std::vector<int32_t> frame_of_centre(const ForceInputs& in) {
  std::vector<int32_t> frame(in.frame_row[in.num_frames]);
  for (int64_t f = 0; f < in.num_frames; ++f) {
    std::fill(frame.begin() + in.frame_row[f], frame.begin() + in.frame_row[f + 1],
              static_cast<int32_t>(f));
  }
  return frame;
}

// Calls range(begin, end) on one piece of the atoms per thread; every piece costs all pairs.
void over_atoms(const ForceInputs& in, const Context& context, const Range& range) {
  const int64_t pieces = std::max<int64_t>(1, std::min<int64_t>(context.threads, in.num_all));
  context.parallel(pieces, 2 * in.num_pairs, [&](int64_t begin, int64_t end) {
    range(in.num_all * begin / pieces, in.num_all * end / pieces);
  });
}

void sum_virial(const ForceInputs& in, const Context& context, const double* pair_gradient,
                double* virial) {
  const std::vector<int32_t> frame = frame_of_centre(in);
  const int64_t size = 9 * in.num_frames;
  std::vector<double> parts(kVirialParts * size, 0.0);
  context.parallel(kVirialParts, 1 + in.num_pairs, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      const int64_t last = in.num_pairs * (part + 1) / kVirialParts;
      for (int64_t pair = in.num_pairs * part / kVirialParts; pair < last; ++pair) {
        double* sum = parts.data() + part * size + 9 * frame[in.centre[pair]];
        const double *r = in.displacement + 3 * pair, *g = pair_gradient + 3 * pair;
        for (int a = 0; a < 3; ++a) {
          for (int b = 0; b < 3; ++b) sum[3 * a + b] -= r[a] * g[b];
        }
      }
    }
  });
  std::fill(virial, virial + size, 0.0);
  for (int64_t part = 0; part < kVirialParts; ++part) {
    for (int64_t k = 0; k < size; ++k) virial[k] += parts[part * size + k];
  }
}

}  // namespace

void check_force(const ForceInputs& in, const Context& context) {
  int64_t centres = in.num_all;
  if (in.frame_row != nullptr) {
    centres = in.frame_row[in.num_frames];
    if (in.frame_row[0] != 0) {
      throw Error("`frame_row` must start at 0 and not decrease, got " +
                  std::to_string(in.frame_row[0]) + " first");
    }
    for (int64_t frame = 0; frame < in.num_frames; ++frame) {
      if (in.frame_row[frame + 1] < in.frame_row[frame]) {
        throw Error("`frame_row` must start at 0 and not decrease, got a wrong value at frame " +
                    std::to_string(frame));
      }
    }
    if (centres > in.num_all) {
      throw Error("`frame_row` must end at most at the number of atoms " +
                  std::to_string(in.num_all) + ", got " + std::to_string(centres));
    }
  }
  FirstWrong wrong;
  const auto outside = [](int32_t index, int64_t limit) { return index < 0 || index >= limit; };
  context.parallel(in.num_pairs, 5, [&](int64_t begin, int64_t end) {
    for (int64_t pair = begin; pair < end; ++pair) {
      if (outside(in.neighbor[pair], in.num_all) ||
          (in.centre != nullptr && outside(in.centre[pair], centres))) {
        wrong.report(pair);
        return;
      }
    }
  });
  if (!wrong.any()) return;
  if (in.centre != nullptr) check_index("centre", in.centre[wrong.index()], centres, wrong.index());
  check_index("neighbor", in.neighbor[wrong.index()], in.num_all, wrong.index());
}

void force_virial(const ForceInputs& in, const Context& context, const double* pair_gradient,
                  double* force, double* virial) {
  over_atoms(in, context, [&](int64_t begin, int64_t end) {
    std::fill(force + 3 * begin, force + 3 * end, 0.0);
    for (int64_t pair = 0; pair < in.num_pairs; ++pair) {
      const int64_t i = in.centre[pair], j = in.neighbor[pair];
      const double* g = pair_gradient + 3 * pair;
      if (i >= begin && i < end) {
        for (int k = 0; k < 3; ++k) force[3 * i + k] += g[k];
      }
      if (j >= begin && j < end) {
        for (int k = 0; k < 3; ++k) force[3 * j + k] -= g[k];
      }
    }
  });
  sum_virial(in, context, pair_gradient, virial);
}

void force_virial_grad(const ForceInputs& in, const Context& context, const double* force_grad,
                       const double* virial_grad, double* pair_gradient) {
  const std::vector<int32_t> frame = frame_of_centre(in);
  context.parallel(in.num_pairs, 20, [&](int64_t begin, int64_t end) {
    for (int64_t pair = begin; pair < end; ++pair) {
      const double* i = force_grad + int64_t{3} * in.centre[pair];
      const double* j = force_grad + int64_t{3} * in.neighbor[pair];
      const double* v = virial_grad + int64_t{9} * frame[in.centre[pair]];
      const double* r = in.displacement + 3 * pair;
      for (int b = 0; b < 3; ++b) {
        const double stretch = r[0] * v[b] + r[1] * v[3 + b] + r[2] * v[6 + b];
        pair_gradient[3 * pair + b] = i[b] - j[b] - stretch;
      }
    }
  });
}

void atom_virial(const ForceInputs& in, const Context& context, const double* pair_gradient,
                 double* virial) {
  over_atoms(in, context, [&](int64_t begin, int64_t end) {
    std::fill(virial + 9 * begin, virial + 9 * end, 0.0);
    for (int64_t pair = 0; pair < in.num_pairs; ++pair) {
      const int64_t j = in.neighbor[pair];
      if (j < begin || j >= end) continue;
      const double *r = in.displacement + 3 * pair, *g = pair_gradient + 3 * pair;
      for (int a = 0; a < 3; ++a) {
        for (int b = 0; b < 3; ++b) virial[9 * j + 3 * a + b] -= g[a] * r[b];
      }
    }
  });
}

}  // namespace deeptf
