// Atoms into bins; see neighbors.h for the method and neighbors.cc for the search.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/base/error.h"
#include "core/geometry/neighbors.h"

namespace deeptf {
namespace {

constexpr int32_t kPart = 64;  // slots; a thread sorts the candidates of a bin once

std::string text(double value) { return std::to_string(value); }

}  // namespace

NeighborSearch::NeighborSearch(const Frames& frames, double rcut)
    : frames_(frames),
      rcut_(rcut),
      grids_(make_grids()),
      bin_start_(num_bins() + 1, 0),
      atom_of_slot_(frames.num_atoms()),
      x_(frames.num_atoms()),
      y_(frames.num_atoms()),
      z_(frames.num_atoms()),
      parts_(frames.num_atoms()),
      rank_of_atom_(frames.num_atoms()),
      atom_of_rank_(frames.num_atoms()) {
  Scratch<int32_t> bin_of_atom(frames.num_atoms(), -1);
  assign_bins(bin_of_atom.data());
  sort_into_bins(bin_of_atom.data());
  split_bins();
  rank_atoms();
}

void check_frame_row(const Frames& frames, int64_t num_atoms) {
  const int32_t* frame_row = frames.frame_row;
  const int64_t last = frames.num_frames;
  for (int64_t frame = 0; frame < last; ++frame) {
    if (frame_row[frame + 1] < frame_row[frame]) {
      throw Error("`frame_row` must not decrease, got " + std::to_string(frame_row[frame + 1]) +
                  " after " + std::to_string(frame_row[frame]) + " at frame " +
                  std::to_string(frame));
    }
  }
  if (frame_row[0] != 0 || frame_row[last] != num_atoms) {
    throw Error("`frame_row` must go from 0 to the number of atoms " + std::to_string(num_atoms) +
                ", got " + std::to_string(frame_row[0]) + " to " + std::to_string(frame_row[last]));
  }
}

void check_rcut(double rcut) {
  if (!(rcut > 0) || !(rcut < kFarthest)) {
    throw Error("`rcut` must be positive and below 1e9 A, got " + text(rcut));
  }
}

void check_number_of_bins(int64_t bins) {
  if (bins > std::numeric_limits<int32_t>::max()) {
    throw Error("frames must have fewer than 2^31 bins, got " + std::to_string(bins) +
                ": give fewer frames at a time");
  }
}

Scratch<BinGrid> NeighborSearch::make_grids() const {
  check_rcut(rcut_);
  Scratch<BinGrid> grids(frames_.num_frames);
  int64_t bins = 0;
  for (int64_t frame = 0; frame < frames_.num_frames; ++frame) {
    BinGrid& grid = grids[frame] = make_grid(frame);
    grid.first_bin = bins;
    bins += grid.num_bins();
  }
  check_number_of_bins(bins);
  return grids;
}

int64_t NeighborSearch::num_bins() const {
  if (grids_.size() == 0) return 0;
  const BinGrid& last = grids_[grids_.size() - 1];
  return last.first_bin + last.num_bins();
}

BinGrid NeighborSearch::make_grid(int64_t frame) const {
  const double* cell = frames_.cell + 9 * frame;
  double low[3] = {kFarthest, kFarthest, kFarthest}, high[3] = {-kFarthest, -kFarthest, -kFarthest};
  for (int64_t atom = frames_.frame_row[frame]; atom < frames_.frame_row[frame + 1]; ++atom) {
    if (frames_.atom_type[atom] < 0) continue;
    for (int k = 0; k < 3; ++k) {
      const double x = frames_.coord[3 * atom + k];
      if (!(std::fabs(x) < kFarthest)) {
        throw Error("`coord` must be finite and below 1e9 A, got " + text(x) + " in frame " +
                    std::to_string(frame) + ", atom " +
                    std::to_string(atom - frames_.frame_row[frame]));
      }
      low[k] = std::min(low[k], x);
      high[k] = std::max(high[k], x);
    }
  }
  BinGrid grid{};
  grid.periodic = std::any_of(cell, cell + 9, [](double x) { return x != 0; });
  if (grid.periodic) {
    std::copy_n(cell, 9, grid.cell);
    if (!has_volume(cell)) {
      throw Error("`cell` must have a volume (or be all zeros for no cell), got " +
                  text(cell_volume(cell)) + " A^3 in frame " + std::to_string(frame));
    }
  } else {
    for (int k = 0; k < 3; ++k) {
      grid.cell[4 * k] = std::max(high[k] - low[k], rcut_);
      grid.origin[k] = low[k];
    }
  }
  invert_cell(&grid);
  const int64_t atoms = frames_.frame_row[frame + 1] - frames_.frame_row[frame];
  const int thin = set_bins(&grid, atoms, rcut_);
  if (thin >= 0) {
    throw Error("`cell` must be thicker than rcut/500, got " + text(cell_height(grid, thin)) +
                " A along vector " + std::to_string(thin) + " in frame " + std::to_string(frame));
  }
  return grid;
}

// Writes the bin of every atom that is not virtual, and counts atoms per bin in bin_start_[bin +
// 1].
void NeighborSearch::assign_bins(int32_t* bin_of_atom) {
  for (int64_t frame = 0; frame < frames_.num_frames; ++frame) {
    const BinGrid& grid = grids_[frame];
    for (int64_t atom = frames_.frame_row[frame]; atom < frames_.frame_row[frame + 1]; ++atom) {
      if (frames_.atom_type[atom] < 0) continue;
      bin_of_atom[atom] = static_cast<int32_t>(bin_of(grid, frames_.coord + 3 * atom));
      ++bin_start_[bin_of_atom[atom] + 1];
    }
  }
}

void NeighborSearch::sort_into_bins(const int32_t* bin_of_atom) {
  const int64_t bins = num_bins();
  for (int64_t bin = 0; bin < bins; ++bin) bin_start_[bin + 1] += bin_start_[bin];
  atom_of_slot_.shorten(bin_start_[bins]);
  Scratch<int32_t> next(bins);
  std::copy_n(bin_start_.data(), bins, next.data());
  for (int64_t frame = 0; frame < frames_.num_frames; ++frame) {
    const BinGrid& grid = grids_[frame];
    for (int64_t atom = frames_.frame_row[frame]; atom < frames_.frame_row[frame + 1]; ++atom) {
      if (bin_of_atom[atom] < 0) continue;
      const int32_t slot = next[bin_of_atom[atom]]++;
      double r[3];
      wrap(grid, frames_.coord + 3 * atom, r);
      atom_of_slot_[slot] = static_cast<int32_t>(atom);
      x_[slot] = r[0];
      y_[slot] = r[1];
      z_[slot] = r[2];
    }
  }
}

// Cuts the single bin of a small box into work for several threads.
void NeighborSearch::split_bins() {
  int64_t number = 0;
  for (int64_t bin = 0; bin < num_bins(); ++bin) {
    const int32_t end = bin_start_[bin + 1];
    int32_t first = bin_start_[bin];
    for (int32_t parts = (end - first + kPart - 1) / kPart; parts > 0; --parts) {
      const int32_t size = (end - first) / parts;
      parts_[number++] = {bin, first, first + size};
      first += size;
    }
  }
  parts_.shorten(number);
}

void NeighborSearch::rank_atoms() {
  const int32_t* type = frames_.atom_type;
  const int64_t atoms = frames_.num_atoms();
  for (int64_t atom = 0; atom < atoms; ++atom) atom_of_rank_[atom] = static_cast<int32_t>(atom);
  for (int64_t frame = 0; frame < frames_.num_frames; ++frame) {
    std::sort(atom_of_rank_.data() + frames_.frame_row[frame],
              atom_of_rank_.data() + frames_.frame_row[frame + 1], [type](int32_t a, int32_t b) {
                return type[a] < type[b] || (type[a] == type[b] && a < b);
              });
  }
  for (int64_t rank = 0; rank < atoms; ++rank) {
    rank_of_atom_[atom_of_rank_[rank]] = static_cast<int32_t>(rank);
  }
}

}  // namespace deeptf
