// Search over the bins; see neighbors.h. Compiled without contraction of a*b+c, so that counting
// and filling, whichever way the compiler vectorises them, agree on every pair at the cut-off.
#include "core/geometry/neighbors.h"

#include <algorithm>
#include <limits>
#include <string>

#include "core/base/error.h"
#include "core/geometry/apart.h"

namespace deeptf {
namespace {

constexpr int32_t kMost = std::numeric_limits<int32_t>::max();

}  // namespace

int64_t NeighborSearch::frame_of_atom(int64_t atom) const {
  const int32_t* end = frames_.frame_row + frames_.num_frames + 1;
  return std::upper_bound(frames_.frame_row, end, atom) - frames_.frame_row - 1;
}

Scratch<BinRun> NeighborSearch::runs_of_bin(int64_t bin) const {
  const auto after = std::upper_bound(grids_.begin(), grids_.end(), bin,
                                      [](int64_t b, const BinGrid& g) { return b < g.first_bin; });
  const BinGrid& grid = *(after - 1);
  const auto place = static_cast<int32_t>((bin - grid.first_bin) % grid.size[2]);
  const int32_t first = place - grid.reach[2], last = place + grid.reach[2];
  const int64_t images = floor_divide(last, grid.size[2]) - floor_divide(first, grid.size[2]) + 1;
  Scratch<BinRun> runs((2 * int64_t{grid.reach[0]} + 1) * (2 * int64_t{grid.reach[1]} + 1) *
                       images);
  BinRun* next = runs.data();
  for_each_run(grid, bin_start_.data(), bin, [&](const BinRun& run) { *next++ = run; });
  runs.shorten(next - runs.data());
  return runs;
}

// Counts the atoms closer than rcut to the atom of `slot`, and those on top of it; both with
// itself.
NeighborSearch::Count NeighborSearch::count_pairs(const Scratch<BinRun>& runs, int32_t slot) const {
  const double limit = rcut_ * rcut_, close_limit = kTooClose * kTooClose;
  const double *x = x_.data(), *y = y_.data(), *z = z_.data();
  const double own_x = x[slot], own_y = y[slot], own_z = z[slot];
  Count total{0, 0};
  for (const BinRun& run : runs) {
    int64_t near = 0, close = 0;
    const double shift_x = run.shift[0], shift_y = run.shift[1], shift_z = run.shift[2];
#pragma omp simd reduction(+ : near, close)
    for (int32_t other = run.begin; other < run.end; ++other) {
      const double dx = x[other] - own_x + shift_x;
      const double dy = y[other] - own_y + shift_y;
      const double dz = z[other] - own_z + shift_z;
      const double d2 = dx * dx + dy * dy + dz * dz;
      near += d2 < limit ? 1 : 0;
      close += d2 < close_limit ? 1 : 0;
    }
    total.near += near;
    total.close += close;
  }
  return total;
}

// Copies the atoms of all runs, sorted by key or as they come.
NeighborSearch::Candidates NeighborSearch::gather(const Scratch<BinRun>& runs, bool sorted) const {
  struct Place {
    uint64_t key;
    int32_t slot, run;
  };
  int64_t count = 0;
  for (const BinRun& run : runs) count += run.end - run.begin;
  Candidates to(count);
  Scratch<Place> places(count);
  Place* next = places.data();
  for (int32_t run = 0; run < runs.size(); ++run) {
    for (int32_t slot = runs[run].begin; slot < runs[run].end; ++slot) {
      const auto rank = static_cast<uint64_t>(rank_of_atom_[atom_of_slot_[slot]]);
      *next++ = {(rank << 30) | static_cast<uint64_t>(runs[run].image), slot, run};
    }
  }
  if (sorted) {
    std::sort(places.begin(), places.end(),
              [](const Place& a, const Place& b) { return a.key < b.key; });
  }
  for (int64_t k = 0; k < count; ++k) {
    const double* shift = runs[places[k].run].shift;
    to.key[k] = places[k].key;
    to.x[k] = x_[places[k].slot];
    to.y[k] = y_[places[k].slot];
    to.z[k] = z_[places[k].slot];
    to.shift_x[k] = shift[0];
    to.shift_y[k] = shift[1];
    to.shift_z[k] = shift[2];
  }
  return to;
}

// Fills candidates.near for the atom of `slot`, without itself; returns how many there are.
int64_t NeighborSearch::find_near(int32_t slot, Candidates& candidates) const {
  const int64_t size = candidates.key.size();
  const double *x = candidates.x.data(), *y = candidates.y.data(), *z = candidates.z.data();
  const double *shift_x = candidates.shift_x.data(), *shift_y = candidates.shift_y.data(),
               *shift_z = candidates.shift_z.data();
  const double own_x = x_[slot], own_y = y_[slot], own_z = z_[slot];
  double* square = candidates.square.data();
#pragma omp simd
  for (int64_t k = 0; k < size; ++k) {
    const double dx = x[k] - own_x + shift_x[k];
    const double dy = y[k] - own_y + shift_y[k];
    const double dz = z[k] - own_z + shift_z[k];
    square[k] = dx * dx + dy * dy + dz * dz;
  }
  const auto rank = static_cast<uint64_t>(rank_of_atom_[atom_of_slot_[slot]]);
  const uint64_t own = (rank << 30) | kSameImage;
  const double limit = rcut_ * rcut_;
  int64_t count = 0;
  for (int64_t k = 0; k < size; ++k) {  // without a branch: one in seven is near
    candidates.near[count] = static_cast<int32_t>(k);
    count +=
        static_cast<int64_t>(square[k] < limit) & static_cast<int64_t>(candidates.key[k] != own);
  }
  return count;
}

// The least square of a distance among the first `near` of candidates.near.
double NeighborSearch::closest(const Candidates& candidates, int64_t near) {
  double least = std::numeric_limits<double>::infinity();
  for (int64_t k = 0; k < near; ++k) {
    least = std::min(least, candidates.square[candidates.near[k]]);
  }
  return least;
}

int64_t NeighborSearch::bin_of_slot(int64_t slot) const {
  const auto* after = std::upper_bound(bin_start_.begin(), bin_start_.end(), slot);
  return after - bin_start_.begin() - 1;
}

void NeighborSearch::find(int64_t begin, int64_t end, PairsOfSlots* found) const {
  found->row.assign(1, 0);
  for (int64_t first = begin; first < end;) {
    const int64_t bin = bin_of_slot(first), last = std::min<int64_t>(bin_start_[bin + 1], end);
    const Scratch<BinRun> runs = runs_of_bin(bin);
    Candidates candidates = gather(runs, false);
    for (; first < last; ++first) {
      const auto slot = static_cast<int32_t>(first);
      const int64_t place = found->row.back(), near = find_near(slot, candidates);
      if (place + near >= kMost) {
        throw Error("the pairs of " + std::to_string(end - begin) +
                    " atoms must be fewer than 2^31, got more with rcut " + std::to_string(rcut_) +
                    " A: evaluate fewer atoms at a time");
      }
      if (closest(candidates, near) < kTooClose * kTooClose) {
        report_coincidence(atom_of_slot_[slot]);
      }
      found->row.push_back(static_cast<int32_t>(place + near));
      if (place + near > static_cast<int64_t>(found->neighbor.size())) {
        found->neighbor.resize(2 * (place + near));
        found->displacement.resize(6 * (place + near));
      }
      write_pairs(slot, candidates, near, found->neighbor.data() + place,
                  found->displacement.data() + 3 * place);
    }
  }
}

int64_t NeighborSearch::count(const Context& context, int32_t* row) const {
  const int64_t atoms = frames_.num_atoms();
  FirstWrong coincident;
  std::fill(row, row + atoms + 1, 0);
  context.parallel(parts_.size(), 20000, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      const Scratch<BinRun> runs = runs_of_bin(parts_[part].bin);
      for (int32_t slot = parts_[part].begin; slot < parts_[part].end; ++slot) {
        const int32_t atom = atom_of_slot_[slot];
        const Count found = count_pairs(runs, slot);
        row[atom + 1] = static_cast<int32_t>(std::min<int64_t>(found.near - 1, kMost));
        if (found.close > 1) coincident.report(atom);
      }
    }
  });
  if (coincident.any()) report_coincidence(coincident.index());
  int64_t total = 0;
  for (int64_t atom = 0; atom < atoms; ++atom) {
    total += row[atom + 1];
    if (total >= kMost) {
      throw Error("the number of pairs must be below 2^31, got more by atom " +
                  std::to_string(atom) + " of " + std::to_string(atoms) + " with rcut " +
                  std::to_string(rcut_) + " A: give fewer frames or atoms at a time");
    }
    row[atom + 1] = static_cast<int32_t>(total);
  }
  return total;
}

void NeighborSearch::fill(const Context& context, const int32_t* row, int32_t* neighbor,
                          double* displacement) const {
  context.parallel(parts_.size(), 50000, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end;) {
      const int64_t bin = parts_[part].bin;
      const Scratch<BinRun> runs = runs_of_bin(bin);
      Candidates candidates = gather(runs, true);
      for (; part < end && parts_[part].bin == bin; ++part) {
        for (int32_t slot = parts_[part].begin; slot < parts_[part].end; ++slot) {
          const int64_t first = row[atom_of_slot_[slot]];
          const int64_t found = find_near(slot, candidates);
          write_pairs(slot, candidates, found, neighbor + first, displacement + 3 * first);
        }
      }
    }
  });
}

// Writes the pairs of the atom of `slot` with the first `count` of candidates.near.
void NeighborSearch::write_pairs(int32_t slot, const Candidates& candidates, int64_t count,
                                 int32_t* neighbor, double* displacement) const {
  for (int64_t k = 0; k < count; ++k) {
    const int32_t from = candidates.near[k];
    double* d = displacement + 3 * k;
    neighbor[k] = atom_of_rank_[candidates.key[from] >> 30];
    d[0] = candidates.x[from] - x_[slot] + candidates.shift_x[from];
    d[1] = candidates.y[from] - y_[slot] + candidates.shift_y[from];
    d[2] = candidates.z[from] - z_[slot] + candidates.shift_z[from];
  }
}

void NeighborSearch::report_coincidence(int64_t atom) const {
  const auto slot = static_cast<int32_t>(
      std::find(atom_of_slot_.begin(), atom_of_slot_.end(), atom) - atom_of_slot_.begin());
  const int64_t frame = frame_of_atom(atom), first = frames_.frame_row[frame];
  int64_t partner = atom;
  const Scratch<BinRun> runs = runs_of_bin(bin_of_slot(slot));
  Candidates candidates = gather(runs, true);
  const int64_t found = find_near(slot, candidates);
  for (int64_t k = found - 1; k >= 0; --k) {
    const int32_t from = candidates.near[k];
    if (candidates.square[from] < kTooClose * kTooClose) {
      partner = atom_of_rank_[candidates.key[from] >> 30];
    }
  }
  throw Error("`coord` must keep atoms apart, got atoms " + std::to_string(atom - first) + " and " +
              std::to_string(partner - first) + " of frame " + std::to_string(frame) +
              " on top of each other (closer than 1e-6 A)");
}

}  // namespace deeptf
