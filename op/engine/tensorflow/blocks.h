// Cuts an evaluation into blocks of bounded size, each a small system of its own.
//
// The energy is a sum over centres, so any run of them can be evaluated alone: frames that fit are
// kept whole, a larger frame is cut between its atoms. With `hops` h the energy of a centre depends
// on atoms up to h steps along pairs away. The atoms of a block are
//
//     its own centres, whose energy counts;
//     further centres, up to h - 1 steps from them, which come with all of their pairs;
//     the other neighbours of these, like the ghosts of an MD engine.
//
// With h = 1, where a centre needs its own pairs only, there are no further centres.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/run/centres.h"
#include "engine/run/model.h"

namespace deeptf {

struct Block {
  int64_t first_frame = 0, num_frames = 1;
  int64_t num_own = 0, num_centres = 0;
  std::vector<int32_t> atom;         // own centres, further ones, other neighbours
  std::vector<int32_t> frame_row;    // [num_frames + 1] first centre of each; further: the last's
  std::vector<int32_t> row;          // [num_centres + 1]
  std::vector<int32_t> neighbor;     // [p] places in `atom`
  std::vector<double> displacement;  // [p, 3]
};

class BlockCutter {
 public:
  // Of the centres the first `num_counting` count; all arguments outlive this.
  BlockCutter(const Centres& centres, int64_t num_counting, const Description& about,
              int64_t most_atoms);

  // The next block; false at the end. Throws Error where an atom that must be a centre is none.
  bool next(Block* block);

 private:
  int64_t end_of_block() const;
  void fill(int64_t begin, int64_t end, Block* block);
  void add_pairs(int64_t begin, int64_t end, Block* block);
  void add_further(Block* block);
  void add_neighbors(Block* block);
  void add_atom(int32_t atom, Block* block);
  int64_t bytes_of(const Block& block) const;

  const Centres& centres_;
  const int64_t num_counting_;
  const Description& about_;
  const int64_t most_;
  int64_t begin_ = 0, length_;
  std::vector<int64_t> first_centre_;  // [F + 1] of each frame
  std::vector<int32_t> centre_of_;     // [N_all] its place among the centres, or -1
  std::vector<int32_t> place_;         // [N_all] in the block, or -1
  FoundPairs found_;
};

}  // namespace deeptf
