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

}  // namespace deeptf
