// The atoms of a step, and how their pairs are found on the device: by bins, from lists of an MD
// engine, or given. Types and all else that says how much there is are on the host; arrays that
// callers may have on the device say so.
#pragma once

#include <functional>
#include <memory>

#include "core/cuda/neighbors.h"
#include "core/geometry/pair_order.h"
#include "engine/cuda/transfers.h"
#include "engine/run/centres.h"
#include "engine/run/check.h"

namespace deeptf::device {

// Neighbour lists that stay on the device from step to step.
struct KeptLists {
  int64_t revision = 0;  // 0: none that may be used again
  Memory row{Memory::Place::device}, neighbor{Memory::Place::device};
};

// What a search is given besides what it has added.
struct SearchArrays {
  Uploads* uploads;
  const int32_t *type, *frame_row;
  SearchOutcome* outcome;  // is zero before
};

class Door {
 public:
  explicit Door(const Description& about)
      : rcut_(about.rcut),
        num_types_(static_cast<int32_t>(about.inputs.num_types)),
        num_centre_types_(static_cast<int32_t>(about.inputs.num_real_types())) {}
  virtual ~Door() = default;

  int64_t num_all = 0, num_centres = 0, num_owned = 0, num_frames = 1;
  const int32_t* type = nullptr;   // [num_all]
  std::vector<int32_t> frame_row;  // [F + 1] first centre of each frame
  const double *fparam = nullptr, *aparam = nullptr;
  bool has_virial = true;  // else all virials are zero: there is nothing to strain

  // How many pairs there are, where that is known; else 0.
  virtual int64_t num_pairs() const { return 0; }
  // Adds the arrays in which search() looks for pairs, besides types and frame_row.
  virtual void add(Uploads* uploads, KeptLists* kept) = 0;
  // Queues the search; all arrays are on the device. With most_pairs 0 it but counts the pairs.
  virtual void search(const Cuda& cuda, const SearchArrays& arrays, int64_t most_pairs,
                      PairList* list) = 0;
  // Cells [F, 3, 3] on the host, and coordinates [num_all, 3] on the device; NULL where pairs are
  // given.
  virtual const double* cell() const { return nullptr; }
  virtual const double* coord(Uploads*) const { return nullptr; }
  // [F + 1] first atom of each frame, and their number, ghosts included.
  std::vector<int32_t> atom_row() const {
    std::vector<int32_t> row = frame_row;
    row.back() = static_cast<int32_t>(num_all);
    return row;
  }
  // Cells [F, 3, 3] on the device, by which images of atoms are near each other; NULL where all
  // stand at their own places.
  virtual const double* image_cell(Uploads*) const { return nullptr; }
  // Calls use() with the atoms as the CPU has them, all on the host.
  using Use = std::function<void(const Centres&)>;
  virtual void on_host(const Use& use) const = 0;
  // Throws Error with what the CPU finds wrong, if it does.
  void report() const;

 protected:
  const double rcut_;
  const int32_t num_types_, num_centre_types_;  // atoms of the types behind are neighbours alone
};

// The structs have been filled but not been checked; they outlive the door. All throw Error with
// what is wrong.
std::unique_ptr<Door> door_of(const deeptf_frames& frames, const Description& about);
std::unique_ptr<Door> door_of(const deeptf_neighbor_list& list, const Description& about);
std::unique_ptr<Door> door_of(const deeptf_pairs& pairs, const Description& about);

}  // namespace deeptf::device
