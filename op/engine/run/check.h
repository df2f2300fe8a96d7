// What a caller gives, checked before it is used. All throw Error, with what must be and what is.
#pragma once

#include "engine/run/model.h"

namespace deeptf {

// The struct of a caller, who may be older and know fewer members: the rest is zero.
template <class T>
T taken(const T* given, const char* name);

void check(const deeptf_frames& frames, const Description& about);
void check(const deeptf_neighbor_list& list, const Description& about);
void check(const deeptf_pairs& pairs, const Description& about);
void check(const deeptf_options& options);
// Whether the results that are wanted are those of such a model.
void check(const deeptf_results& results, const deeptf_options& options, const Description& about);

// Whether a model can be given neighbours in place of coordinates.
void check_takes_neighbours(const Description& about);
// And pairs of them, which do not say where atoms are.
void check_takes_pairs(const Description& about);

// Filled frames of a model whose aparam says which atoms are there.
void check_mask(const deeptf_frames& frames);

// What messages call an atom.
template <class T>
int64_t id_of(const T&, int64_t atom) {
  return atom;
}
inline int64_t id_of(const deeptf_neighbor_list& list, int64_t atom) {
  return list.id != nullptr ? list.id[atom] : atom;
}

// Frames with what a caller may leave out: frame_row [F + 1] and cell [F, 3, 3].
class FilledFrames {
 public:
  explicit FilledFrames(const deeptf_frames& given);
  FilledFrames(const FilledFrames&) = delete;
  FilledFrames& operator=(const FilledFrames&) = delete;

  const deeptf_frames& get() const { return frames_; }

 private:
  deeptf_frames frames_;
  std::vector<int32_t> row_;
  std::vector<double> no_cells_;
};

// How many threads there are.
int num_threads(const deeptf_options& options);

}  // namespace deeptf
