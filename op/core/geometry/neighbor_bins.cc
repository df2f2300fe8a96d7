// Atoms into bins; see neighbors.h for the method and neighbors.cc for the search.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/base/error.h"
#include "core/geometry/neighbors.h"

namespace deeptf {
namespace {

constexpr double kFarthest = 1e9;  // A; beyond it a coordinate has lost its decimals
constexpr double kMargin = 1e-8;   // relative; covers the rounding of bin coordinates
constexpr int32_t kPart = 64;      // slots; a thread sorts the candidates of a bin once

using Vector = std::array<double, 3>;
using Matrix = std::array<double, 9>;

Vector cross(const double* a, const double* b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

double dot(const double* a, const double* b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

double length(const double* a) { return std::sqrt(dot(a, a)); }

Vector row_times_matrix(const double* row, const Matrix& m) {
  return {row[0] * m[0] + row[1] * m[3] + row[2] * m[6],
          row[0] * m[1] + row[1] * m[4] + row[2] * m[7],
          row[0] * m[2] + row[1] * m[5] + row[2] * m[8]};
}

// Inverse of a cell; columns are the reciprocal vectors. The volume must not be zero.
Matrix inverse_of(const Matrix& cell) {
  const double *a = &cell[0], *b = &cell[3], *c = &cell[6];
  const Vector bc = cross(b, c), ca = cross(c, a), ab = cross(a, b);
  const double volume = dot(a, bc.data());
  Matrix inverse;
  for (int k = 0; k < 3; ++k) {
    inverse[3 * k + 0] = bc[k] / volume;
    inverse[3 * k + 1] = ca[k] / volume;
    inverse[3 * k + 2] = ab[k] / volume;
  }
  return inverse;
}

// Distance between the two faces of the cell that axis k pierces.
double height(const Matrix& inverse, int k) {
  const double reciprocal[3] = {inverse[k], inverse[3 + k], inverse[6 + k]};
  return 1.0 / length(reciprocal);
}

std::string text(double value) { return std::to_string(value); }

void check_volume(const Matrix& cell, int64_t frame) {
  const Vector normal = cross(&cell[3], &cell[6]);
  const double volume = std::fabs(dot(&cell[0], normal.data()));
  const double cube = length(&cell[0]) * length(&cell[3]) * length(&cell[6]);
  if (!(volume > 1e-9 * cube) || !std::isfinite(cube)) {
    throw Error("`cell` must have a volume (or be all zeros for no cell), got " + text(volume) +
                " A^3 in frame " + std::to_string(frame));
  }
}

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

Scratch<NeighborSearch::Grid> NeighborSearch::make_grids() const {
  if (!(rcut_ > 0) || !(rcut_ < kFarthest)) {
    throw Error("`rcut` must be positive and below 1e9 A, got " + text(rcut_));
  }
  Scratch<Grid> grids(frames_.num_frames);
  int64_t bins = 0;
  for (int64_t frame = 0; frame < frames_.num_frames; ++frame) {
    Grid& grid = grids[frame] = make_grid(frame);
    grid.first_bin = bins;
    bins += grid.num_bins();
  }
  if (bins > std::numeric_limits<int32_t>::max()) {
    throw Error("frames must have fewer than 2^31 bins, got " + std::to_string(bins) +
                ": give fewer frames at a time");
  }
  return grids;
}

int64_t NeighborSearch::num_bins() const {
  if (grids_.size() == 0) return 0;
  const Grid& last = grids_[grids_.size() - 1];
  return last.first_bin + last.num_bins();
}

NeighborSearch::Grid NeighborSearch::make_grid(int64_t frame) const {
  const double* cell = frames_.cell + 9 * frame;
  Vector low{kFarthest, kFarthest, kFarthest}, high{-kFarthest, -kFarthest, -kFarthest};
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
  Grid grid{};
  grid.periodic = std::any_of(cell, cell + 9, [](double x) { return x != 0; });
  if (grid.periodic) {
    std::copy(cell, cell + 9, grid.cell.begin());
    check_volume(grid.cell, frame);
  } else {
    for (int k = 0; k < 3; ++k) {
      grid.cell[4 * k] = std::max(high[k] - low[k], rcut_);
      grid.origin[k] = low[k];
    }
  }
  grid.inverse = inverse_of(grid.cell);
  set_bins(grid, frame);
  return grid;
}

void NeighborSearch::set_bins(Grid& grid, int64_t frame) const {
  const int64_t atoms = frames_.frame_row[frame + 1] - frames_.frame_row[frame];
  const double most = 2.0 * static_cast<double>(atoms) + 64;  // keeps a dilute frame small
  Vector size;
  for (int k = 0; k < 3; ++k) {
    const double bins = height(grid.inverse, k) / (rcut_ * (1 + kMargin));
    size[k] = std::max(1.0, std::min(std::floor(bins), most));
  }
  while (size[0] * size[1] * size[2] > most) {
    double& largest = *std::max_element(size.begin(), size.end());
    largest = std::floor((largest + 1) / 2);
  }
  for (int k = 0; k < 3; ++k) {
    const double reach = std::ceil(rcut_ * size[k] / height(grid.inverse, k) * (1 + kMargin / 4));
    if (grid.periodic && !(reach / size[k] < kMaxImage - 1)) {
      throw Error("`cell` must be thicker than rcut/500, got " + text(height(grid.inverse, k)) +
                  " A along vector " + std::to_string(k) + " in frame " + std::to_string(frame));
    }
    grid.size[k] = static_cast<int32_t>(size[k]);
    grid.reach[k] = static_cast<int32_t>(std::min(reach, most * kMaxImage));
  }
}

// Writes the bin of every atom that is not virtual, and counts atoms per bin in bin_start_[bin +
// 1].
void NeighborSearch::assign_bins(int32_t* bin_of_atom) {
  for (int64_t frame = 0; frame < frames_.num_frames; ++frame) {
    const Grid& grid = grids_[frame];
    for (int64_t atom = frames_.frame_row[frame]; atom < frames_.frame_row[frame + 1]; ++atom) {
      if (frames_.atom_type[atom] < 0) continue;
      const double* r = frames_.coord + 3 * atom;
      const double from_origin[3] = {r[0] - grid.origin[0], r[1] - grid.origin[1],
                                     r[2] - grid.origin[2]};
      const Vector fraction = row_times_matrix(from_origin, grid.inverse);
      int64_t bin = 0;
      for (int k = 0; k < 3; ++k) {
        const double inside = grid.periodic ? fraction[k] - std::floor(fraction[k]) : fraction[k];
        const int32_t place = static_cast<int32_t>(inside * grid.size[k]);
        bin = bin * grid.size[k] + std::clamp(place, 0, grid.size[k] - 1);
      }
      bin_of_atom[atom] = static_cast<int32_t>(grid.first_bin + bin);
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
    const Grid& grid = grids_[frame];
    for (int64_t atom = frames_.frame_row[frame]; atom < frames_.frame_row[frame + 1]; ++atom) {
      if (bin_of_atom[atom] < 0) continue;
      const double* r = frames_.coord + 3 * atom;
      Vector home{0, 0, 0};
      if (grid.periodic) {
        Vector whole = row_times_matrix(r, grid.inverse);
        for (double& value : whole) value = std::floor(value);
        home = row_times_matrix(whole.data(), grid.cell);
      }
      const int32_t slot = next[bin_of_atom[atom]]++;
      atom_of_slot_[slot] = static_cast<int32_t>(atom);
      x_[slot] = r[0] - home[0];
      y_[slot] = r[1] - home[1];
      z_[slot] = r[2] - home[2];
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
