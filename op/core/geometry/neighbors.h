// All pairs of atoms closer than rcut, periodic images included, in time linear in the atoms.
//
// Atoms are put into bins about rcut wide along the (possibly oblique) cell vectors; the
// neighbours of an atom lie in the bins within `reach` of its own, which wrap around the cell as
// often as needed. A frame without a cell (all zeros) gets a bounding box and no images. Atoms of
// type < 0 have no pairs. It does not keep a list between calls (no skin): what it finds lies in
// the memory of the thread that makes it.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/context.h"
#include "core/base/scratch.h"
#include "core/geometry/bin_grid.h"

namespace deeptf {

struct Frames {
  int64_t num_frames;
  const int32_t* frame_row;  // [F + 1] first atom of each frame
  const double* coord;       // [N, 3] A
  const double* cell;        // [F, 3, 3] A, rows are cell vectors
  const int32_t* atom_type;  // [N]

  int64_t num_atoms() const { return frame_row[num_frames]; }
};

// Throws Error for a cut-off radius that cannot be used.
void check_rcut(double rcut);

// Throws Error for more bins in all frames than 32 bits can count.
void check_number_of_bins(int64_t bins);

// Throws Error for a frame_row that is not that of so many atoms.
void check_frame_row(const Frames& frames, int64_t num_atoms);

// Pairs of consecutive slots, in memory that grows and is used again: there may be more of it.
struct PairsOfSlots {
  std::vector<int32_t> row;          // [slots + 1] first pair of each
  std::vector<int32_t> neighbor;     // [>= P]
  std::vector<double> displacement;  // [>= P, 3]
};

class NeighborSearch {
 public:
  // Puts the atoms into bins. Throws Error for a cell or a coordinate that cannot be used.
  NeighborSearch(const Frames& frames, double rcut);

  // Fills row [N + 1] and returns the number of pairs P. Throws Error if two atoms coincide or P
  // does not fit 32 bits.
  int64_t count(const Context& context, int32_t* row) const;

  // Fills neighbor [P] and displacement [P, 3] = r_neighbor - r_centre (+ image), for each centre
  // sorted by (type of the neighbour, index of the neighbour, image).
  void fill(const Context& context, const int32_t* row, int32_t* neighbor,
            double* displacement) const;

  // Atoms that are not virtual, in the order of the bins: those near each other are near in it.
  int64_t num_slots() const { return atom_of_slot_.size(); }
  const int32_t* atom_of_slot() const { return atom_of_slot_.data(); }
  int64_t frame_of_atom(int64_t atom) const;

  // Finds the pairs of the atoms in slots from begin to end - 1 on this thread; those of an atom
  // are in the order of the bins. Throws Error if two atoms coincide or the pairs do not fit 32
  // bits.
  void find(int64_t begin, int64_t end, PairsOfSlots* found) const;

 private:
  struct Part {  // slots of one bin, for one thread; no bin is split unless it is large
    int64_t bin;
    int32_t begin, end;
  };
  struct Count {
    int64_t near, close;
  };
  struct Candidates {  // atoms of several runs, in their order or that of the keys
    explicit Candidates(int64_t count)
        : key(count),
          x(count),
          y(count),
          z(count),
          shift_x(count),
          shift_y(count),
          shift_z(count),
          square(count),
          near(count) {}
    Scratch<uint64_t> key;  // (rank, image): the order that pairs of a centre have
    Scratch<double> x, y, z, shift_x, shift_y, shift_z;
    Scratch<double> square;  // distance to the centre at hand
    Scratch<int32_t> near;   // places in this list closer than rcut to the centre at hand
  };

  Scratch<BinGrid> make_grids() const;
  BinGrid make_grid(int64_t frame) const;
  void assign_bins(int32_t* bin_of_atom);
  void sort_into_bins(const int32_t* bin_of_atom);
  void split_bins();
  void rank_atoms();

  int64_t num_bins() const;
  int64_t bin_of_slot(int64_t slot) const;
  Scratch<BinRun> runs_of_bin(int64_t bin) const;
  Count count_pairs(const Scratch<BinRun>& runs, int32_t slot) const;
  Candidates gather(const Scratch<BinRun>& runs, bool sorted) const;
  int64_t find_near(int32_t slot, Candidates& candidates) const;
  void write_pairs(int32_t slot, const Candidates& candidates, int64_t count, int32_t* neighbor,
                   double* displacement) const;
  static double closest(const Candidates& candidates, int64_t near);
  [[noreturn]] void report_coincidence(int64_t atom) const;

  Frames frames_;
  double rcut_;
  Scratch<BinGrid> grids_;         // [F]
  Scratch<int32_t> bin_start_;     // [bins + 1] first slot of each bin
  Scratch<int32_t> atom_of_slot_;  // slots: the real atoms in the order of the bins
  Scratch<double> x_, y_, z_;      // by slot; wrapped into the cell
  Scratch<Part> parts_;            // of all bins that have atoms
  Scratch<int32_t> rank_of_atom_;  // place of an atom when its frame is sorted by (type, index)
  Scratch<int32_t> atom_of_rank_;  // [N]; ranks start at the first atom of the frame
};

}  // namespace deeptf
