#include "engine/run/check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <thread>

#include "core/base/error.h"

namespace deeptf {
namespace {

std::string text(int64_t number) { return std::to_string(number); }

void need(const void* array, const char* name) {
  if (array == nullptr) throw Error("`" + std::string(name) + "` must be given, got NULL");
}

void check_number(int64_t value, const char* name, int64_t least, int64_t most) {
  if (value < least || value > most) {
    throw Error("`" + std::string(name) + "` must be from " + text(least) + " to " + text(most) +
                ", got " + text(value));
  }
}

template <class T>
void check_types(const T& given, int64_t count, const Description& about) {
  if (count > 0) need(given.type, "type");
  for (int64_t atom = 0; atom < count; ++atom) {
    if (given.type[atom] >= about.inputs.num_types) {
      throw Error("`type` must be below the " + text(about.inputs.num_types) +
                  " types of the model, got " + text(given.type[atom]) + " for atom " +
                  text(id_of(given, atom)));
    }
  }
}

// Whether numbers that frames or atoms must be given are finite; gives the row of the first that is
// not, or -1.
int64_t not_finite(const double* given, const char* name, int64_t width, int64_t rows) {
  if (width == 0 || rows == 0) return -1;
  need(given, name);
  for (int64_t k = 0; k < width * rows; ++k) {
    if (!std::isfinite(given[k])) return k / width;
  }
  return -1;
}

template <class T>
void check_parameters(const T& given, int64_t frames, int64_t atoms, const Description& about) {
  const int64_t frame = not_finite(given.fparam, "fparam", about.inputs.num_fparam, frames);
  if (frame >= 0) {
    throw Error("`fparam` must be finite, got another number for frame " + text(frame));
  }
  const int64_t atom = not_finite(given.aparam, "aparam", about.inputs.num_aparam, atoms);
  if (atom >= 0) {
    throw Error("`aparam` must be finite, got another number for atom " + text(id_of(given, atom)));
  }
}

// Whether the numbers of atoms fit each other.
template <class T>
void check_atoms(const T& given, const Description& about) {
  check_number(given.num_all, "num_all", 0, INT32_MAX);
  check_number(given.num_centres, "num_centres", 0, given.num_all);
  check_number(given.num_owned, "num_owned", 0, given.num_centres);
  check_types(given, given.num_all, about);
  check_parameters(given, 1, given.num_centres, about);
}

}  // namespace

template <class T>
T taken(const T* given, const char* name) {
  T copy{};
  if (given == nullptr) {
    copy.size = sizeof copy;
    return copy;
  }
  if (given->size < sizeof given->size || given->size > 4096) {
    throw Error("`size` of `" + std::string(name) +
                "` must be the size of the struct in bytes, got " +
                text(static_cast<int64_t>(given->size)));
  }
  std::memcpy(&copy, given, std::min(given->size, sizeof copy));
  return copy;
}

template deeptf_load_options taken(const deeptf_load_options*, const char*);
template deeptf_options taken(const deeptf_options*, const char*);
template deeptf_frames taken(const deeptf_frames*, const char*);
template deeptf_neighbor_list taken(const deeptf_neighbor_list*, const char*);
template deeptf_pairs taken(const deeptf_pairs*, const char*);
template deeptf_results taken(const deeptf_results*, const char*);

void check(const deeptf_frames& frames, const Description& about) {
  check_number(frames.num_frames, "num_frames", 0, INT32_MAX);
  check_number(frames.num_atoms, "num_atoms", 0, INT32_MAX);
  if (frames.num_atoms > 0) need(frames.coord, "coord");
  check_types(frames, frames.num_atoms, about);
  check_parameters(frames, frames.num_frames, frames.num_atoms, about);
  if (frames.frame_row == nullptr) {
    if (frames.num_atoms % std::max(frames.num_frames, 1) != 0 ||
        (frames.num_frames == 0 && frames.num_atoms > 0)) {
      throw Error("`num_atoms` must be a multiple of `num_frames` where `frame_row` is NULL, got " +
                  text(frames.num_atoms) + " atoms in " + text(frames.num_frames) + " frames");
    }
    return;
  }
  const int32_t* row = frames.frame_row;
  bool ascending = row[0] == 0 && row[frames.num_frames] == frames.num_atoms;
  for (int32_t f = 0; f < frames.num_frames; ++f) ascending = ascending && row[f] <= row[f + 1];
  if (!ascending) {
    throw Error("`frame_row` must ascend from 0 to the number of atoms " + text(frames.num_atoms));
  }
}

void check(const deeptf_neighbor_list& list, const Description& about) {
  check_atoms(list, about);
  if (list.num_all > 0) need(list.coord, "coord");
  check_number(list.num_lists, "num_lists", 0, list.num_centres);
  if (list.num_lists == 0) return;
  need(list.num_neighbors, "num_neighbors");
  need(list.neighbors, "neighbors");
  for (int32_t k = 0; k < list.num_lists; ++k) {
    if (list.centre != nullptr) check_number(list.centre[k], "centre", 0, list.num_centres - 1);
    check_number(list.num_neighbors[k], "num_neighbors", 0, INT32_MAX);
    if (list.num_neighbors[k] > 0) need(list.neighbors[k], "neighbors");
  }
}

void check(const deeptf_pairs& pairs, const Description& about) {
  check_atoms(pairs, about);
  need(pairs.row, "row");
  const int32_t* row = pairs.row;
  for (int32_t k = 0; k < pairs.num_centres; ++k) {
    if (row[0] != 0 || row[k + 1] < row[k]) {
      throw Error("`row` must ascend from 0, got " + text(row[k + 1]) + " after " + text(row[k]) +
                  " for centre " + text(k));
    }
  }
  if (row[pairs.num_centres] > 0) {
    need(pairs.neighbor, "neighbor");
    need(pairs.displacement, "displacement");
  }
}

void check(const deeptf_options& options) {
  check_number(options.threads, "threads", 0, 100000);
  check_number(options.most_atoms, "most_atoms", 0, INT32_MAX);
  check_number(options.num_parts, "num_parts", 0, INT32_MAX);
}

void check(const deeptf_results& results, const deeptf_options& options, const Description& about) {
  const std::string& property = about.inputs.property;
  if (property == "energy") {
    if (options.weight == nullptr && results.value == nullptr && results.atom_value == nullptr) {
      return;
    }
    throw Error(
        "`weight`, `value` and `atom_value` must be NULL for a model of energies, got one of them");
  }
  const bool of_energy = results.energy != nullptr || results.force != nullptr ||
                         results.virial != nullptr || results.atom_energy != nullptr ||
                         results.atom_virial != nullptr;
  if (of_energy && options.weight == nullptr) {
    throw Error(
        "the model must be one of energies where `weight` is NULL and energies, forces or " +
        std::string("virials are wanted, got one that gives `") + property + "`");
  }
}

void check_takes_neighbours(const Description& about) {
  if (!about.masked) return;
  throw Error(
      "the model must be given coordinates, got neighbours: its atoms see all others; use "
      "deeptf_evaluate");
}

void check_takes_pairs(const Description& about) {
  if (about.spins.count() == 0) return;
  throw Error(
      "the model must be given coordinates, got pairs, which do not say where spins point; use "
      "deeptf_evaluate or deeptf_evaluate_list");
}

void check_mask(const deeptf_frames& frames) {
  const int32_t* row = frames.frame_row;
  for (int32_t f = 0; f < frames.num_frames; ++f) {
    const double* cell = frames.cell + 9 * int64_t{f};
    if (std::any_of(cell, cell + 9, [](double x) { return x != 0; })) {
      throw Error("frame " + text(f) + ": `cell` must be zeros, or be left out: a model with a " +
                  "mask of atoms sees all atoms, and no images of them");
    }
    for (int32_t atom = row[f]; atom < row[f + 1]; ++atom) {
      if (frames.aparam[atom] == 0 || frames.aparam[atom] == 1) continue;
      throw Error("frame " + text(f) + ", atom " + text(atom - row[f]) +
                  ": `aparam` must be 1 for an atom that is there and 0 for another, got " +
                  std::to_string(frames.aparam[atom]));
    }
  }
}

FilledFrames::FilledFrames(const deeptf_frames& given) : frames_(given) {
  const int64_t number = given.num_frames;
  if (given.frame_row == nullptr) {
    const int64_t equal = number > 0 ? given.num_atoms / number : 0;
    row_.resize(number + 1);
    for (int64_t f = 0; f <= number; ++f) row_[f] = static_cast<int32_t>(f * equal);
    frames_.frame_row = row_.data();
  }
  if (given.cell == nullptr) {
    no_cells_.resize(9 * number);
    frames_.cell = no_cells_.data();
  }
}

int num_threads(const deeptf_options& options) {
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return options.threads > 0 ? options.threads : cores;
}

}  // namespace deeptf
