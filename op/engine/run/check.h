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

// What a caller may leave out: the first atom of each frame [F + 1], and how many threads there
// are.
std::vector<int32_t> frame_rows(const deeptf_frames& frames);
int num_threads(const deeptf_options& options);

}  // namespace deeptf
