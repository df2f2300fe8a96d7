#include "engine/run/frame_centres.h"

namespace deeptf {

FrameCentres::FrameCentres(const deeptf_frames& frames, double rcut)
    : search_({frames.num_frames, frames.frame_row, frames.coord, frames.cell, frames.type}, rcut),
      frame_row_(frames.frame_row) {
  num_atoms = frames.num_atoms;
  num_frames = frames.num_frames;
  type = frames.type;
  fparam = frames.fparam;
  aparam = frames.aparam;
}

void FrameCentres::find(int64_t begin, int64_t end, FoundPairs* found) const {
  found->atom.assign(search_.atom_of_slot() + begin, search_.atom_of_slot() + end);
  search_.find(begin, end, found);
}

std::string FrameCentres::names_of(int64_t atom, int64_t other) const {
  const int64_t frame = frame_of(atom), first = frame_row_[frame];
  return "atoms " + std::to_string(atom - first) + " and " + std::to_string(other - first) +
         " of frame " + std::to_string(frame);
}

}  // namespace deeptf
