// Models of deepmd-kit, which `deeptf convert` turns into ones of deeptf.
#pragma once

#include <string>

namespace deeptf_lammps {

// Whether a model could not be loaded because it is one of deepmd-kit.
bool is_of_deepmd(const std::string& message);

// The file that the model of deepmd-kit in the file `path` is turned into, MODEL.deeptf.pb beside
// MODEL.pb. One that is there already is taken if it is not older; else `deeptf convert` runs in a
// process of its own. Throws std::runtime_error.
std::string converted(const std::string& path);

}  // namespace deeptf_lammps
