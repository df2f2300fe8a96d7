// Bins about rcut wide along the vectors of a cell, and the runs of bins near one, for CPU and GPU;
// see neighbors.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/base/host_device.h"

namespace deeptf {

constexpr double kFarthest = 1e9;   // A; beyond it a coordinate has lost its decimals
constexpr int32_t kMaxImage = 511;  // along one axis; an image is three numbers of 10 bits
constexpr int32_t kSameImage = (kMaxImage << 20) | (kMaxImage << 10) | kMaxImage;
constexpr double kBinMargin = 1e-8;  // relative; covers the rounding of bin coordinates

struct BinGrid {  // the bins of one frame
  bool periodic;
  double cell[9], inverse[9];  // of the cell or of the bounding box
  double origin[3];
  int32_t size[3], reach[3];  // bins along each axis; how many bins rcut spans
  int64_t first_bin;

  DEEPTF_HD int64_t num_bins() const { return int64_t{size[0]} * size[1] * size[2]; }
};

// The most bins that a frame may have; keeps a dilute one small.
DEEPTF_HD inline int64_t most_bins(int64_t atoms) { return 2 * atoms + 64; }

DEEPTF_HD inline void cross(const double* a, const double* b, double* out) {
  out[0] = a[1] * b[2] - a[2] * b[1];
  out[1] = a[2] * b[0] - a[0] * b[2];
  out[2] = a[0] * b[1] - a[1] * b[0];
}

DEEPTF_HD inline double dot(const double* a, const double* b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

DEEPTF_HD inline double length(const double* a) { return std::sqrt(dot(a, a)); }

DEEPTF_HD inline void row_times_matrix(const double* row, const double* m, double* out) {
  for (int k = 0; k < 3; ++k) out[k] = row[0] * m[k] + row[1] * m[3 + k] + row[2] * m[6 + k];
}

DEEPTF_HD inline double cell_volume(const double* cell) {
  double normal[3];
  cross(cell + 3, cell + 6, normal);
  return std::fabs(dot(cell, normal));
}

// Whether the volume of a cell can be told from none.
DEEPTF_HD inline bool has_volume(const double* cell) {
  const double cube = length(cell) * length(cell + 3) * length(cell + 6);
  return cell_volume(cell) > 1e-9 * cube && cube * 0 == 0;
}

// Sets the inverse of the cell; its columns are the reciprocal vectors. The volume must not be 0.
DEEPTF_HD inline void invert_cell(BinGrid* grid) {
  const double *a = grid->cell, *b = a + 3, *c = a + 6;
  double bc[3], ca[3], ab[3];
  cross(b, c, bc);
  cross(c, a, ca);
  cross(a, b, ab);
  const double volume = dot(a, bc);
  for (int k = 0; k < 3; ++k) {
    grid->inverse[3 * k + 0] = bc[k] / volume;
    grid->inverse[3 * k + 1] = ca[k] / volume;
    grid->inverse[3 * k + 2] = ab[k] / volume;
  }
}

// Distance between the two faces of the cell that axis k pierces.
DEEPTF_HD inline double cell_height(const BinGrid& grid, int k) {
  const double reciprocal[3] = {grid.inverse[k], grid.inverse[3 + k], grid.inverse[6 + k]};
  return 1.0 / length(reciprocal);
}

// Sets size and reach from the inverse. Returns an axis along which the cell is too thin, or -1.
DEEPTF_HD inline int set_bins(BinGrid* grid, int64_t atoms, double rcut) {
  const auto most = static_cast<double>(most_bins(atoms));
  double size[3];
  for (int k = 0; k < 3; ++k) {
    const double bins = cell_height(*grid, k) / (rcut * (1 + kBinMargin));
    size[k] = std::max(1.0, std::min(std::floor(bins), most));
  }
  while (size[0] * size[1] * size[2] > most) {
    int largest = 0;
    for (int k = 1; k < 3; ++k) largest = size[k] > size[largest] ? k : largest;
    size[largest] = std::floor((size[largest] + 1) / 2);
  }
  for (int k = 0; k < 3; ++k) {
    const double reach = std::ceil(rcut * size[k] / cell_height(*grid, k) * (1 + kBinMargin / 4));
    if (grid->periodic && !(reach / size[k] < kMaxImage - 1)) return k;
    grid->size[k] = static_cast<int32_t>(size[k]);
    grid->reach[k] = static_cast<int32_t>(std::min(reach, most * kMaxImage));
  }
  return -1;
}

// The bin of a position, counted over all frames.
DEEPTF_HD inline int64_t bin_of(const BinGrid& grid, const double* r) {
  const double from_origin[3] = {r[0] - grid.origin[0], r[1] - grid.origin[1],
                                 r[2] - grid.origin[2]};
  double fraction[3];
  row_times_matrix(from_origin, grid.inverse, fraction);
  int64_t bin = 0;
  for (int k = 0; k < 3; ++k) {
    const double inside = grid.periodic ? fraction[k] - std::floor(fraction[k]) : fraction[k];
    const double place = inside * grid.size[k], last = grid.size[k] - 1;
    bin = bin * grid.size[k] + static_cast<int32_t>(place > 0 ? std::min(place, last) : 0);
  }
  return grid.first_bin + bin;
}

// The position wrapped into the cell.
DEEPTF_HD inline void wrap(const BinGrid& grid, const double* r, double* wrapped) {
  double home[3] = {0, 0, 0};
  if (grid.periodic) {
    double whole[3];
    row_times_matrix(r, grid.inverse, whole);
    for (double& value : whole) value = std::floor(value);
    row_times_matrix(whole, grid.cell, home);
  }
  for (int k = 0; k < 3; ++k) wrapped[k] = r[k] - home[k];
}

// An image is three numbers, how many cells away it is along each vector of the cell.
DEEPTF_HD inline int32_t image_of(int32_t image0, int32_t image1, int32_t image2) {
  return (image0 + kMaxImage) << 20 | (image1 + kMaxImage) << 10 | (image2 + kMaxImage);
}

DEEPTF_HD inline void image_shift(const BinGrid& grid, int32_t image, double* shift) {
  const int32_t image0 = (image >> 20) - kMaxImage, image1 = (image >> 10 & 1023) - kMaxImage;
  const int32_t image2 = (image & 1023) - kMaxImage;
  for (int k = 0; k < 3; ++k) {
    shift[k] = image0 * grid.cell[k] + image1 * grid.cell[3 + k] + image2 * grid.cell[6 + k];
  }
}

// Atoms of neighbouring bins, one after the other in memory, seen in one image.
struct BinRun {
  int32_t begin, end, image;  // slots from begin to end - 1
  double shift[3];
};

DEEPTF_HD inline int32_t floor_divide(int32_t a, int32_t b) {
  return a >= 0 ? a / b : -((b - 1 - a) / b);
}

// Visits the runs of the bins (bin0, bin1, all within reach of bin2); bins are counted on across
// the cell's faces.
template <class Visit>
DEEPTF_HD void for_each_run_of_line(const BinGrid& grid, const int32_t* bin_start, int32_t bin0,
                                    int32_t bin1, int32_t bin2, const Visit& visit) {
  const int32_t *size = grid.size, *reach = grid.reach;
  const int32_t image0 = floor_divide(bin0, size[0]), image1 = floor_divide(bin1, size[1]);
  if (!grid.periodic && (image0 != 0 || image1 != 0)) return;
  const int64_t line =
      grid.first_bin +
      (int64_t{bin0 - image0 * size[0]} * size[1] + (bin1 - image1 * size[1])) * size[2];
  const int32_t first = bin2 - reach[2], last = bin2 + reach[2];
  for (int32_t image2 = floor_divide(first, size[2]); image2 * size[2] <= last; ++image2) {
    if (!grid.periodic && image2 != 0) continue;
    const int32_t from = std::max(first - image2 * size[2], 0);
    const int32_t to = std::min(last - image2 * size[2], size[2] - 1);
    BinRun run{};
    run.begin = bin_start[line + from];
    run.end = bin_start[line + to + 1];
    if (run.begin == run.end) continue;
    run.image = image_of(image0, image1, image2);
    image_shift(grid, run.image, run.shift);
    visit(run);
  }
}

// Calls visit(run) for all runs that have atoms and lie within reach of a bin, in one order.
// bin_start [bins + 1]: first slot of each bin.
template <class Visit>
DEEPTF_HD void for_each_run(const BinGrid& grid, const int32_t* bin_start, int64_t bin,
                            const Visit& visit) {
  const auto local = static_cast<int32_t>(bin - grid.first_bin);
  const int32_t own0 = local / grid.size[2] / grid.size[1];
  const int32_t own1 = local / grid.size[2] % grid.size[1], own2 = local % grid.size[2];
  for (int32_t bin0 = own0 - grid.reach[0]; bin0 <= own0 + grid.reach[0]; ++bin0) {
    for (int32_t bin1 = own1 - grid.reach[1]; bin1 <= own1 + grid.reach[1]; ++bin1) {
      for_each_run_of_line(grid, bin_start, bin0, bin1, own2, visit);
    }
  }
}

}  // namespace deeptf
