#include "engine/run/masked_centres.h"

#include <algorithm>

namespace deeptf {
namespace {

deeptf_frames with_types(deeptf_frames frames, const std::vector<int32_t>& types) {
  frames.type = types.data();
  return frames;
}

}  // namespace

std::vector<int32_t> present_types(const deeptf_frames& frames) {
  std::vector<int32_t> types(frames.type, frames.type + frames.num_atoms);
  for (int32_t atom = 0; atom < frames.num_atoms; ++atom) {
    if (frames.aparam[atom] == 0) types[atom] = -1;
  }
  return types;
}

MaskedCentres::MaskedCentres(const deeptf_frames& frames, double rcut)
    : type_(present_types(frames)),
      frames_(with_types(frames, type_)),
      present_(frames_, rcut),
      atoms_(present_.atoms(), present_.atoms() + present_.count()) {
  num_atoms = frames.num_atoms;
  num_frames = frames.num_frames;
  type = frames.type;
  fparam = frames.fparam;
  aparam = frames.aparam;
  for (int32_t atom = 0; atom < num_atoms; ++atom) {
    if (type[atom] >= 0 && type_[atom] < 0) atoms_.push_back(atom);
  }
}

void MaskedCentres::find(int64_t begin, int64_t end, FoundPairs* found) const {
  const int64_t there = std::clamp(present_.count(), begin, end);
  present_.find(begin, there, found);
  found->atom.assign(atoms_.begin() + begin, atoms_.begin() + end);
  found->row.resize(end - begin + 1, found->row.back());
}

}  // namespace deeptf
