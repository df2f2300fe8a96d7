// See spins.h. An atom has one spin, so none waits for another; what they take from the virial of a
// frame is added up in one order.
#include "engine/cuda/results.h"
#include "engine/cuda/spins.h"

namespace deeptf::device {
namespace {

struct GiveBack {
  const Spin* spin;
  const double *coord, *cell;
  double *force, *virial;  // [num_all, 3], [S, 9]
  double* atom_virial;     // [num_all, 9] or NULL

  DEEPTF_HD void operator()(int64_t k) const {
    const Spin own = spin[k];
    double shift[3], turned[9];
    spin_shift(own, coord, cell, shift);
    give_back_force(own, shift, force, turned);
    for (int c = 0; c < 9; ++c) {
      virial[9 * k + c] = turned[c];
      if (atom_virial != nullptr) atom_virial[9 * int64_t{own.virtual_atom} + c] += turned[c];
    }
  }
};

}  // namespace

void give_back(const Block& block, const SpinsOfStep& spins, bool with_atoms, Downloads* results) {
  const Cuda& cuda = block.cuda;
  const int64_t numbers = 9 * block.num_frames;
  auto* of_spins = cuda.scratch<double>(9 * spins.number);
  auto* of_frames = cuda.scratch<double>(numbers);
  for_each(cuda, spins.number,
           GiveBack{spins.spin, spins.coord, spins.cell, results->force(), of_spins,
                    with_atoms ? results->atom_virial() : nullptr});
  sum_frames(cuda, {block.num_frames, spins.number, spins.frame_row}, 9, of_spins, of_frames);
  for_each(cuda, numbers, Copy<double, double, true>{of_frames, results->virial()});
}

}  // namespace deeptf::device
