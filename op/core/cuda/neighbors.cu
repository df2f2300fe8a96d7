// See neighbors.h. Compiled without contraction of a*b+c, so that counting and filling agree on
// every pair at the cut-off, and with the CPU.
#include <vector>

#include "core/cuda/device.h"
#include "core/cuda/frame_of_atom.h"
#include "core/cuda/neighbors.h"
#include "core/cuda/pair_rows.h"
#include "core/geometry/apart.h"

namespace deeptf {
namespace {

constexpr int kThreads = 128;

// Bounds of the real atoms from begin to end - 1, of all threads of a block.
__device__ void bounds_of(const BinnedAtoms& atoms, int64_t begin, int64_t end, double (&low)[3],
                          double (&high)[3]) {
  __shared__ double of_warp[kThreads / kLanes][6];
  for (int k = 0; k < 3; ++k) low[k] = kFarthest, high[k] = -kFarthest;
  for (int64_t atom = begin + threadIdx.x; atom < end; atom += kThreads) {
    if (atoms.frames.atom_type[atom] < 0) continue;
    for (int k = 0; k < 3; ++k) {
      low[k] = fmin(low[k], atoms.frames.coord[3 * atom + k]);
      high[k] = fmax(high[k], atoms.frames.coord[3 * atom + k]);
    }
  }
  for (int k = 0; k < 3; ++k) {
    for (int step = kLanes / 2; step > 0; step /= 2) {
      low[k] = fmin(low[k], __shfl_xor_sync(kAllLanes, low[k], step));
      high[k] = fmax(high[k], __shfl_xor_sync(kAllLanes, high[k], step));
    }
    if (threadIdx.x % kLanes == 0) {
      of_warp[threadIdx.x / kLanes][k] = low[k];
      of_warp[threadIdx.x / kLanes][3 + k] = high[k];
    }
  }
  __syncthreads();
  for (int warp = 0; warp < kThreads / kLanes; ++warp) {
    for (int k = 0; k < 3; ++k) {
      low[k] = fmin(low[k], of_warp[warp][k]);
      high[k] = fmax(high[k], of_warp[warp][3 + k]);
    }
  }
}

// Whether row `frame` of frame_row goes on from the row before and ends at the last atom.
__device__ bool is_row_of_atoms(const BinnedAtoms& atoms, int64_t frame) {
  const int32_t begin = atoms.frames.frame_row[frame], end = atoms.frames.frame_row[frame + 1];
  const bool last = frame + 1 == atoms.frames.num_frames;
  return begin >= 0 && begin <= end && end <= atoms.num_atoms && (frame > 0 || begin == 0) &&
         (!last || end == atoms.num_atoms);
}

// The grid of frame blockIdx.x. Frames have room for most_bins bins each.
__global__ void __launch_bounds__(kThreads) grid_kernel(BinnedAtoms atoms) {
  const int64_t frame = blockIdx.x;
  const double* cell = atoms.frames.cell + 9 * frame;
  bool right = is_row_of_atoms(atoms, frame);
  const int64_t begin = right ? atoms.frames.frame_row[frame] : 0;
  const int64_t end = right ? atoms.frames.frame_row[frame + 1] : 0;
  BinGrid grid{};
  for (int k = 0; k < 9; ++k) {
    grid.cell[k] = cell[k];
    grid.periodic = grid.periodic || cell[k] != 0;
  }
  if (!grid.periodic) {
    double low[3], high[3];
    bounds_of(atoms, begin, end, low, high);
    for (int k = 0; k < 3; ++k) {
      grid.cell[4 * k] = fmax(high[k] - low[k], atoms.rcut);
      grid.origin[k] = low[k];
    }
  }
  if (threadIdx.x != 0) return;
  invert_cell(&grid);
  right = right && (!grid.periodic || has_volume(cell));
  right = set_bins(&grid, end - begin, atoms.rcut) < 0 && right;
  if (!right) {
    for (int k = 0; k < 3; ++k) grid.size[k] = 1, grid.reach[k] = 0;
    mark(atoms.wrong);
  }
  grid.first_bin = most_bins(begin) + most_bins(0) * (frame - 1);
  atoms.grids[frame] = grid;
}

__device__ inline int64_t frame_of(const BinnedAtoms& atoms, int64_t atom) {
  return frame_of_atom(atoms.frames.frame_row, atoms.frames.num_frames, atom);
}

struct FindBin {
  BinnedAtoms atoms;
  int32_t *bin, *index;  // [N] by atom

  __device__ void operator()(int64_t atom) const {
    const double* r = atoms.frames.coord + 3 * atom;
    index[atom] = static_cast<int32_t>(atom);
    bin[atom] = static_cast<int32_t>(atoms.num_bins);
    if (atoms.frames.atom_type[atom] < 0) return;
    const bool usable = fabs(r[0]) < kFarthest && fabs(r[1]) < kFarthest && fabs(r[2]) < kFarthest;
    if (usable) {
      bin[atom] = static_cast<int32_t>(bin_of(atoms.grids[frame_of(atoms, atom)], r));
    } else {
      mark(atoms.wrong);
    }
  }
};

struct PlaceAtom {
  BinnedAtoms atoms;

  __device__ void operator()(int64_t slot) const {
    if (slot >= atoms.bin_start[atoms.num_bins]) return;
    const int64_t atom = atoms.atom[slot];
    double r[3];
    wrap(atoms.grids[frame_of(atoms, atom)], atoms.frames.coord + 3 * atom, r);
    atoms.x[slot] = r[0];
    atoms.y[slot] = r[1];
    atoms.z[slot] = r[2];
  }
};

// The atom of a warp.
struct Centre {
  int64_t slot;
  int32_t atom;
  double x, y, z;
};

// False where the warp has none.
__device__ inline bool centre_of_warp(const BinnedAtoms& atoms, Centre* centre) {
  const int64_t slot = warp_index();
  if (slot >= atoms.bin_start[atoms.num_bins]) return false;
  *centre = {slot, atoms.atom[slot], atoms.x[slot], atoms.y[slot], atoms.z[slot]};
  return atoms.frames.atom_type[centre->atom] < atoms.num_centre_types;
}

// Calls visit(run) for the runs near the atom.
template <class Visit>
__device__ void visit_runs(const BinnedAtoms& atoms, const Centre& centre, const Visit& visit) {
  const BinGrid& grid = atoms.grids[frame_of(atoms, centre.atom)];
  for_each_run(grid, atoms.bin_start, atoms.bin[centre.slot], visit);
}

// From a centre to the atom of a slot.
__device__ inline void displacement_to(const BinnedAtoms& atoms, const Centre& centre, int32_t slot,
                                       const double* shift, double* d) {
  d[0] = atoms.x[slot] - centre.x + shift[0];
  d[1] = atoms.y[slot] - centre.y + shift[1];
  d[2] = atoms.z[slot] - centre.z + shift[2];
}

// The square of the distance to the atom of a slot; beyond any cut-off for the centre itself and
// for a slot behind the run.
__device__ inline double square_to(const BinnedAtoms& atoms, const Centre& centre,
                                   const BinRun& run, int32_t slot) {
  if (slot >= run.end || (slot == centre.slot && run.image == kSameImage)) return HUGE_VAL;
  double d[3];
  displacement_to(atoms, centre, slot, run.shift, d);
  return dot(d, d);
}

// counts[atom]: its pairs. The counts of atoms that are no centres are zero before.
__global__ void __launch_bounds__(kThreads) count_kernel(BinnedAtoms atoms, int32_t* counts) {
  Centre centre;
  if (!centre_of_warp(atoms, &centre)) return;
  const int lane = threadIdx.x % kLanes;
  int64_t total = 0;
  visit_runs(atoms, centre, [&](const BinRun& run) {
    for (int32_t begin = run.begin; begin < run.end; begin += kLanes) {
      const double square = square_to(atoms, centre, run, begin + lane);
      total += __popc(__ballot_sync(kAllLanes, square < atoms.rcut * atoms.rcut));
      if (square < kTooClose * kTooClose) mark(atoms.wrong);
    }
  });
  if (lane > 0) return;
  // The atom is read again: until now it would take a register, of which sm_80 has none left.
  counts[atoms.atom[warp_index()]] = static_cast<int32_t>(total < kMostPairs ? total : kMostPairs);
}

// A pair before it has its place in the row of its centre.
struct alignas(16) Found {
  int64_t key;  // type and index of the neighbour
  int32_t image, slot;
};

__global__ void __launch_bounds__(kThreads)
    find_kernel(BinnedAtoms atoms, const int32_t* row, int64_t num_pairs, Found* found) {
  Centre centre;
  if (!centre_of_warp(atoms, &centre)) return;
  const int lane = threadIdx.x % kLanes;
  int64_t next = row[centre.atom];
  visit_runs(atoms, centre, [&](const BinRun& run) {
    for (int32_t begin = run.begin; begin < run.end; begin += kLanes) {
      const int32_t slot = begin + lane;
      const bool near = square_to(atoms, centre, run, slot) < atoms.rcut * atoms.rcut;
      const unsigned all = __ballot_sync(kAllLanes, near);
      const int64_t place = next + lanes_before(all);
      if (near && place < num_pairs) {
        const int32_t atom = atoms.atom[slot];
        const int64_t key = int64_t{atoms.frames.atom_type[atom]} << 32 | atom;
        found[place] = {key, run.image, slot};
      }
      next += __popc(all);
    }
  });
}

// Writes the pairs of a warp's atom, each at its place in the row.
__global__ void __launch_bounds__(kThreads)
    place_kernel(BinnedAtoms atoms, const int32_t* row, int64_t num_pairs, const Found* found,
                 int32_t* neighbor, double* displacement) {
  Centre centre;
  if (!centre_of_warp(atoms, &centre)) return;
  const BinGrid& grid = atoms.grids[frame_of(atoms, centre.atom)];
  const int64_t begin = row[centre.atom], row_end = row[centre.atom + 1];
  const int64_t end = row_end < num_pairs ? row_end : num_pairs;
  for (int64_t pair = begin + threadIdx.x % kLanes; pair < end; pair += kLanes) {
    const Found own = found[pair];
    int64_t place = begin;
    for (int64_t k = begin; k < end; ++k) {
      const Found other = found[k];
      place += other.key < own.key || (other.key == own.key && other.image < own.image);
    }
    double shift[3];
    image_shift(grid, own.image, shift);
    neighbor[place] = static_cast<int32_t>(own.key & kMostPairs);
    displacement_to(atoms, centre, own.slot, shift, displacement + 3 * place);
  }
}

}  // namespace

CudaNeighborSearch::CudaNeighborSearch(const Frames& frames, int64_t num_atoms, double rcut,
                                       const Cuda& cuda, int32_t num_centre_types)
    : cuda_(cuda), atoms_{} {
  check_rcut(rcut);
  const int64_t bins = most_bins(num_atoms) + most_bins(0) * (frames.num_frames - 1);
  check_number_of_bins(bins);
  atoms_.frames = frames;
  atoms_.num_atoms = num_atoms;
  atoms_.num_bins = bins;
  atoms_.rcut = rcut;
  atoms_.num_centre_types = num_centre_types;
  atoms_.grids = cuda.scratch<BinGrid>(frames.num_frames);
  atoms_.bin_start = cuda.scratch<int32_t>(bins + 1);
  atoms_.bin = cuda.scratch<int32_t>(num_atoms);
  atoms_.atom = cuda.scratch<int32_t>(num_atoms);
  for (double** x : {&atoms_.x, &atoms_.y, &atoms_.z}) *x = cuda.scratch<double>(num_atoms);
  atoms_.wrong = cuda.scratch<int32_t>(1);
  int32_t *bin = cuda.scratch<int32_t>(num_atoms), *index = cuda.scratch<int32_t>(num_atoms);
  set_zero(cuda, atoms_.wrong, 1);
  launch(cuda, dim3(static_cast<unsigned>(frames.num_frames)), kThreads, grid_kernel, atoms_);
  for_each(cuda, num_atoms, FindBin{atoms_, bin, index});
  sort_by_key(cuda, num_atoms, bits_of(bins), bin, atoms_.bin, index, atoms_.atom);
  find_starts(cuda, atoms_.bin, num_atoms, bins, atoms_.bin_start);
  for_each(cuda, num_atoms, PlaceAtom{atoms_});
}

void CudaNeighborSearch::count(int32_t* row, SearchOutcome* outcome) {
  const int64_t atoms = atoms_.num_atoms;
  set_zero(cuda_, row, atoms + 1);
  launch(cuda_, blocks_of_warps(atoms, kThreads), kThreads, count_kernel, atoms_, row);
  finish_row(cuda_, atoms, atoms_.wrong, row, outcome);
}

int64_t CudaNeighborSearch::count(int32_t* row) {
  auto* outcome = cuda_.scratch<SearchOutcome>(1);
  count(row, outcome);
  const SearchOutcome found = on_host(cuda_, outcome, 1)[0];
  if (found.wrong != 0 || found.num_pairs >= kMostPairs) report();
  return found.num_pairs;
}

// Throws what the CPU says about these frames: it names frame, atom and value.
void CudaNeighborSearch::report() const {
  const Frames& frames = atoms_.frames;
  const auto frame_row = on_host(cuda_, frames.frame_row, frames.num_frames + 1);
  const auto coord = on_host(cuda_, frames.coord, 3 * atoms_.num_atoms);
  const auto cell = on_host(cuda_, frames.cell, 9 * frames.num_frames);
  const auto atom_type = on_host(cuda_, frames.atom_type, atoms_.num_atoms);
  const Frames copy{frames.num_frames, frame_row.data(), coord.data(), cell.data(),
                    atom_type.data()};
  check_frame_row(copy, atoms_.num_atoms);
  std::vector<int32_t> row(atoms_.num_atoms + 1);
  NeighborSearch(copy, atoms_.rcut).count(Context{}, row.data());
  throw Error("frames must have pairs that can be used, got others on the GPU, not on the CPU");
}

void CudaNeighborSearch::fill(const int32_t* row, int64_t num_pairs, int32_t* neighbor,
                              double* displacement) {
  auto* found = cuda_.scratch<Found>(num_pairs);
  const dim3 blocks = blocks_of_warps(atoms_.num_atoms, kThreads);
  launch(cuda_, blocks, kThreads, find_kernel, atoms_, row, num_pairs, found);
  launch(cuda_, blocks, kThreads, place_kernel, atoms_, row, num_pairs, found, neighbor,
         displacement);
}

}  // namespace deeptf
