// What a frozen model says of itself, checked before anything relies on it.
//
// The keys are listed in deeptf/exchange/frozen.py. A file whose description does not have them, or
// does not fit its graph, is damaged or was edited. The plan is not looked at here.
#pragma once

#include <string_view>

#include "engine/file/json.h"

namespace deeptf {

// Throws Error unless a description of format 2 has its keys and fits the graph in `content`.
void check_metadata(const Json& metadata, std::string_view content);

}  // namespace deeptf
