// See force_virial.h. Threads own ranges of atoms: no atomics, no buffers. The threads together
// take 155 ms of CPU time for 9 million pairs, be they 1 or 8, and 0.11 to 0.07 ms for 17,000. When
// each read all pairs to find those of its atoms, it was 112 ms on 1 and 280 on 8, and 0.15 to 0.27
// ms.
#include "core/geometry/force_virial.h"

#include <algorithm>
#include <string>

#include "core/base/error.h"
#include "core/base/scratch.h"

namespace deeptf {
namespace {

constexpr int64_t kVirialParts = 16;  // partial sums of the virial; fixed, so that bits are fixed

void check_index(const char* name, int32_t index, int64_t limit, int64_t pair) {
  if (index < 0 || index >= limit) {
    throw Error(std::string("`") + name + "` must be an atom index below " + std::to_string(limit) +
                ", got " + std::to_string(index) + " at pair " + std::to_string(pair));
  }
}

Scratch<int32_t> frame_of_centre(const ForceInputs& in) {
  Scratch<int32_t> frame(in.frame_row[in.num_frames]);
  for (int64_t f = 0; f < in.num_frames; ++f) {
    std::fill(frame.begin() + in.frame_row[f], frame.begin() + in.frame_row[f + 1],
              static_cast<int32_t>(f));
  }
  return frame;
}

// Throws Error for a `pair_row` that is not that of the pairs.
void check_pair_row(const PairsOfAtoms& pairs) {
  const int32_t* row = pairs.pair_row;
  bool right = row[0] == 0 && row[pairs.num_all] == pairs.num_pairs;
  for (int64_t atom = 0; atom < pairs.num_all; ++atom) right = right && row[atom] <= row[atom + 1];
  if (!right) {
    throw Error("`pair_row` must start at 0, not decrease and end at the number of pairs " +
                std::to_string(pairs.num_pairs) + ", got " + std::to_string(row[0]) + " to " +
                std::to_string(row[pairs.num_all]));
  }
}

// Calls add(sum, pair) for the pairs in which an atom is the neighbour, in their order; the sum
// goes on from the atom's row of out [N_all, width].
template <int width, class Add>
void add_reverse(const PairsOfAtoms& pairs, const Context& context, double* out, const Add& add) {
  check_pair_row(pairs);
  FirstWrong wrong;
  context.parallel(pairs.num_all, 500, [&](int64_t begin, int64_t end) {
    for (int64_t atom = begin; atom < end; ++atom) {
      double sum[width];
      std::copy_n(out + width * atom, width, sum);
      for (int32_t place = pairs.pair_row[atom]; place < pairs.pair_row[atom + 1]; ++place) {
        const int64_t pair = pairs.pair_of[place];
        if (pair < 0 || pair >= pairs.num_pairs) {
          wrong.report(place);
          break;
        }
        add(sum, pair);
      }
      std::copy_n(sum, width, out + width * atom);
    }
  });
  if (!wrong.any()) return;
  throw Error("`pair_of` must be a pair index below " + std::to_string(pairs.num_pairs) + ", got " +
              std::to_string(pairs.pair_of[wrong.index()]) + " at place " +
              std::to_string(wrong.index()));
}

// Whether atom and pairs of the centre at `place` of atom_order are there.
bool has_pairs(const PairsOfAtoms& pairs, int64_t place) {
  bool right = pairs.atom_order[place] >= 0 && pairs.atom_order[place] < pairs.num_all;
  for (int64_t k = place * pairs.num_types; k < (place + 1) * pairs.num_types; ++k) {
    const int64_t first = pairs.first_pair[k], count = pairs.neighbor_count[k];
    right = right && first >= 0 && count >= 0 && first + count <= pairs.num_pairs;
  }
  return right;
}

// force_i = sum of g over the pairs of the centre i; 0 for other atoms.
void sum_own(const PairsOfAtoms& pairs, const Context& context, const double* pair_gradient,
             double* force) {
  std::fill(force, force + 3 * pairs.num_all, 0.0);
  FirstWrong wrong;
  context.parallel(pairs.num_real, 500, [&](int64_t begin, int64_t end) {
    for (int64_t place = begin; place < end; ++place) {
      if (!has_pairs(pairs, place)) {
        wrong.report(place);
        return;
      }
      double sum[3] = {0, 0, 0};
      for (int64_t k = place * pairs.num_types; k < (place + 1) * pairs.num_types; ++k) {
        const double* g = pair_gradient + int64_t{3} * pairs.first_pair[k];
        const double* last = g + int64_t{3} * pairs.neighbor_count[k];
        for (; g < last; g += 3) {
          for (int a = 0; a < 3; ++a) sum[a] += g[a];
        }
      }
      std::copy_n(sum, 3, force + int64_t{3} * pairs.atom_order[place]);
    }
  });
  if (!wrong.any()) return;
  throw Error("`atom_order`, `first_pair` and `neighbor_count` must lie within the " +
              std::to_string(pairs.num_all) + " atoms and " + std::to_string(pairs.num_pairs) +
              " pairs, got others for centre " + std::to_string(wrong.index()) +
              " of `atom_order`");
}

void sum_virial(const ForceInputs& in, const Context& context, const double* pair_gradient,
                double* virial) {
  const Scratch<int32_t> frame = frame_of_centre(in);
  const int64_t size = 9 * in.num_frames;
  Scratch<double> parts(kVirialParts * size, 0.0);
  context.parallel(kVirialParts, 1 + in.num_pairs, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      const int64_t last = in.num_pairs * (part + 1) / kVirialParts;
      int64_t pair = in.num_pairs * part / kVirialParts;
      while (pair < last) {  // to the next centre
        const int32_t centre = in.centre[pair];
        double* total = parts.data() + part * size + 9 * frame[centre];
        double sum[9];
        std::copy_n(total, 9, sum);
        for (; pair < last && in.centre[pair] == centre; ++pair) {
          const double *r = in.displacement + 3 * pair, *g = pair_gradient + 3 * pair;
          for (int a = 0; a < 3; ++a) {
            for (int b = 0; b < 3; ++b) sum[3 * a + b] -= g[a] * r[b];
          }
        }
        std::copy_n(sum, 9, total);
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
  const int64_t centres = in.frame_row[in.num_frames];
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
  FirstWrong wrong;
  const auto outside = [](const int32_t* index, int64_t pair, int64_t limit) {
    return index != nullptr && (index[pair] < 0 || index[pair] >= limit);
  };
  context.parallel(in.num_pairs, 5, [&](int64_t begin, int64_t end) {
    for (int64_t pair = begin; pair < end; ++pair) {
      if (outside(in.neighbor, pair, in.num_all) || outside(in.centre, pair, centres)) {
        wrong.report(pair);
        return;
      }
    }
  });
  if (!wrong.any()) return;
  check_index("centre", in.centre[wrong.index()], centres, wrong.index());
  check_index("neighbor", in.neighbor[wrong.index()], in.num_all, wrong.index());
}

void force_virial(const ForceInputs& in, const PairsOfAtoms& pairs, const Context& context,
                  const double* pair_gradient, double* force, double* virial) {
  sum_own(pairs, context, pair_gradient, force);
  add_reverse<3>(pairs, context, force, [&](double* sum, int64_t pair) {
    for (int k = 0; k < 3; ++k) sum[k] -= pair_gradient[3 * pair + k];
  });
  sum_virial(in, context, pair_gradient, virial);
}

void force_virial_grad(const ForceInputs& in, const Context& context, const double* force_grad,
                       const double* virial_grad, double* pair_gradient) {
  const Scratch<int32_t> frame = frame_of_centre(in);
  context.parallel(in.num_pairs, 20, [&](int64_t begin, int64_t end) {
    for (int64_t pair = begin; pair < end; ++pair) {
      const double* i = force_grad + int64_t{3} * in.centre[pair];
      const double* j = force_grad + int64_t{3} * in.neighbor[pair];
      const double* v = virial_grad + int64_t{9} * frame[in.centre[pair]];
      const double* r = in.displacement + 3 * pair;
      for (int a = 0; a < 3; ++a) {
        const double stretch = v[3 * a] * r[0] + v[3 * a + 1] * r[1] + v[3 * a + 2] * r[2];
        pair_gradient[3 * pair + a] = i[a] - j[a] - stretch;
      }
    }
  });
}

void atom_virial(const PairsOfAtoms& pairs, const Context& context, const double* displacement,
                 const double* pair_gradient, double* virial) {
  std::fill(virial, virial + 9 * pairs.num_all, 0.0);
  add_reverse<9>(pairs, context, virial, [&](double* sum, int64_t pair) {
    const double *r = displacement + 3 * pair, *g = pair_gradient + 3 * pair;
    for (int a = 0; a < 3; ++a) {
      for (int b = 0; b < 3; ++b) sum[3 * a + b] -= g[a] * r[b];
    }
  });
}

}  // namespace deeptf
