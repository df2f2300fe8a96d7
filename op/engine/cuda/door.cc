// See door.h.
#include "engine/cuda/door.h"

#include <algorithm>

#include "core/cuda/list_pairs.h"
#include "engine/run/chosen_centres.h"
#include "engine/run/frame_centres.h"
#include "engine/run/list_centres.h"
#include "engine/run/masked_centres.h"

namespace deeptf::device {
namespace {

constexpr int64_t kMost = INT32_MAX;  // pairs

// An array of a caller as the host can read it.
template <class T>
class OnHost {
 public:
  const T* of(const T* given, int64_t count) {
    if (count <= 0 || !is_on_device(given)) return given;
    copy_.resize(count);
    copy_now(given, count * sizeof(T), copy_.data());
    return copy_.data();
  }

 private:
  std::vector<T> copy_;
};

// Reads what both kinds of neighbours are given with.
template <class T>
void take_atoms(T* given, const Inputs& inputs, OnHost<int32_t>* type, OnHost<double>* fparam,
                OnHost<double>* aparam) {
  given->type = type->of(given->type, given->num_all);
  given->fparam = fparam->of(given->fparam, inputs.num_fparam);
  given->aparam = aparam->of(given->aparam, inputs.num_aparam * given->num_centres);
}

template <class T>
void describe(const T& given, Door* door) {
  door->num_all = given.num_all;
  door->num_centres = given.num_centres;
  door->num_owned = given.num_owned;
  door->type = given.type;
  door->frame_row = {0, given.num_centres};
  door->fparam = given.fparam;
  door->aparam = given.aparam;
}

class FramesDoor final : public Door {
 public:
  FramesDoor(const deeptf_frames& given, const Description& about) : Door(about) {
    const int64_t atoms = given.num_atoms, frames = given.num_frames;
    deeptf_frames own = given;
    own.frame_row = frame_row_.of(given.frame_row, frames + 1);
    own.cell = cell_.of(given.cell, 9 * frames);
    own.type = type_.of(given.type, atoms);
    own.fparam = fparam_.of(given.fparam, about.inputs.num_fparam * frames);
    own.aparam = aparam_.of(given.aparam, about.inputs.num_aparam * atoms);
    check(own, about);
    filled_ = std::make_unique<FilledFrames>(own);
    if (about.masked) {
      check_mask(frames_());
      present_ = present_types(frames_());
      has_virial = false;
    }
    const int32_t* row = frames_().frame_row;
    num_all = num_centres = num_owned = atoms;
    num_frames = frames;
    type = own.type;
    frame_row.assign(row, row + frames + 1);
    Door::fparam = own.fparam;
    Door::aparam = own.aparam;
  }

  void add(Uploads* uploads, KeptLists*) override {
    coord_number_ = uploads->add(frames_().coord, 3 * num_all);
    cell_number_ = uploads->add(frames_().cell, 9 * num_frames);
    present_number_ = uploads->add(present_.data(), static_cast<int64_t>(present_.size()));
  }

  const double* cell() const override { return frames_().cell; }
  const double* coord(Uploads* uploads) const override {
    return uploads->at<double>(coord_number_);
  }
  const double* image_cell(Uploads* uploads) const override {
    return uploads->at<double>(cell_number_);
  }

  void search(const Cuda& cuda, const SearchArrays& arrays, int64_t most_pairs,
              PairList* list) override {
    const Frames frames{
        num_frames, arrays.frame_row, arrays.uploads->at<double>(coord_number_),
        arrays.uploads->at<double>(cell_number_),
        present_.empty() ? arrays.type : arrays.uploads->at<int32_t>(present_number_)};
    CudaNeighborSearch finder(frames, num_all, rcut_, cuda, num_centre_types_);
    auto* row = cuda.scratch<int32_t>(num_all + 1);
    finder.count(row, arrays.outcome);
    if (most_pairs == 0) return;
    auto* neighbor = cuda.scratch<int32_t>(most_pairs);
    auto* displacement = cuda.scratch<double>(3 * most_pairs);
    finder.fill(row, most_pairs, neighbor, displacement);
    *list = {num_all, num_all, num_all, num_types_, row, neighbor, displacement, arrays.type};
  }

  void on_host(const Use& use) const override {
    OnHost<double> coord;
    deeptf_frames own = frames_();
    own.coord = coord.of(own.coord, 3 * num_all);
    if (!present_.empty()) return use(MaskedCentres(own, rcut_));
    const FrameCentres all(own, rcut_);
    if (num_centre_types_ == num_types_) return use(all);
    use(ChosenCentres(all, first_types(num_centre_types_, num_types_)));
  }

 private:
  const deeptf_frames& frames_() const { return filled_->get(); }

  OnHost<int32_t> frame_row_, type_;
  OnHost<double> cell_, fparam_, aparam_;
  std::unique_ptr<FilledFrames> filled_;
  std::vector<int32_t> present_;  // types of the atoms that are there, of a model with a mask
  int coord_number_ = 0, cell_number_ = 0, present_number_ = 0;
};

class ListDoor final : public Door {
 public:
  ListDoor(const deeptf_neighbor_list& given, const Description& about)
      : Door(about), list_(given) {
    take_atoms(&list_, about.inputs, &type_, &fparam_, &aparam_);
    list_.cell = cell_.of(list_.cell, 9);
    check(list_, about);
    describe(list_, this);
  }

  const double* cell() const override {
    static const double none[9] = {};
    return list_.cell != nullptr ? list_.cell : none;
  }
  const double* coord(Uploads* uploads) const override {
    return uploads->at<double>(coord_number_);
  }

  void add(Uploads* uploads, KeptLists* kept) override {
    coord_number_ = uploads->add(list_.coord, 3 * num_all);
    kept_ = kept;
    if (list_.revision != 0 && list_.revision == kept->revision) return;
    kept->revision = 0;
    keep_lists();
    kept->revision = list_.revision;
  }

  void search(const Cuda& cuda, const SearchArrays& arrays, int64_t most_pairs,
              PairList* list) override {
    const auto address = [](Memory* memory) {
      return reinterpret_cast<const int32_t*>(memory->at_least(0));
    };
    const NeighborLists lists{num_centres,
                              num_owned,
                              num_all,
                              num_centre_types_,
                              rcut_,
                              arrays.uploads->at<double>(coord_number_),
                              arrays.type,
                              address(&kept_->row),
                              address(&kept_->neighbor)};
    auto* row = cuda.scratch<int32_t>(num_centres + 1);
    count_list_pairs(lists, cuda, row, arrays.outcome);
    if (most_pairs == 0) return;
    auto* neighbor = cuda.scratch<int32_t>(most_pairs);
    auto* displacement = cuda.scratch<double>(3 * most_pairs);
    fill_list_pairs(lists, cuda, row, most_pairs, neighbor, displacement);
    *list = {num_centres, num_owned, num_all, num_types_, row, neighbor, displacement, arrays.type};
  }

  void on_host(const Use& use) const override {
    OnHost<double> coord;
    deeptf_neighbor_list own = list_;
    own.coord = coord.of(own.coord, 3 * num_all);
    use(ListCentres(own, rcut_, num_centre_types_));
  }

 private:
  // Copies the lists of all owned atoms, one behind the other, to the device.
  void keep_lists() {
    const ListCentres checked(list_, rcut_, num_centre_types_);  // each atom once
    std::vector<int32_t> place(num_centres, -1), row(num_owned + 1), entries;
    int64_t number = 0;
    for (int32_t k = 0; k < list_.num_lists; ++k) {
      place[list_.centre != nullptr ? list_.centre[k] : k] = k;
      number += list_.num_neighbors[k];
    }
    if (number > kMost) {
      throw Error("the lists of neighbours must have fewer than 2^31 entries, got " +
                  std::to_string(number) + ": use more ranks or GPUs");
    }
    entries.reserve(number);
    const int32_t mask = list_.neighbor_mask != 0 ? list_.neighbor_mask : -1;
    for (int64_t atom = 0; atom < num_owned; ++atom) {
      if (place[atom] >= 0) {
        const int32_t* from = list_.neighbors[place[atom]];
        const int32_t count = list_.num_neighbors[place[atom]];
        for (int32_t k = 0; k < count; ++k) entries.push_back(from[k] & mask);
      }
      row[atom + 1] = static_cast<int32_t>(entries.size());
    }
    send(row, &kept_->row);
    send(entries, &kept_->neighbor);
  }

  static void send(const std::vector<int32_t>& from, Memory* to) {
    const size_t bytes = from.size() * sizeof(int32_t);
    char* device = to->at_least(bytes);
    if (bytes > 0) copy_now(from.data(), bytes, device);
  }

  deeptf_neighbor_list list_;
  OnHost<int32_t> type_;
  OnHost<double> fparam_, aparam_, cell_;
  KeptLists* kept_ = nullptr;
  int coord_number_ = 0;
};

class PairsDoor final : public Door {
 public:
  PairsDoor(const deeptf_pairs& given, const Description& about) : Door(about), pairs_(given) {
    take_atoms(&pairs_, about.inputs, &type_, &fparam_, &aparam_);
    pairs_.row = row_.of(given.row, int64_t{given.num_centres} + 1);
    check(pairs_, about);
    describe(pairs_, this);
  }

  int64_t num_pairs() const override { return std::max(pairs_.row[num_centres], 1); }

  void add(Uploads* uploads, KeptLists*) override {
    const int64_t pairs = pairs_.row[num_centres];
    row_number_ = uploads->add(pairs_.row, num_centres + 1);
    neighbor_number_ = uploads->add(pairs_.neighbor, pairs);
    displacement_number_ = uploads->add(pairs_.displacement, 3 * pairs);
  }

  void search(const Cuda&, const SearchArrays& arrays, int64_t, PairList* list) override {
    *list = {num_centres,
             num_owned,
             num_all,
             num_types_,
             arrays.uploads->at<int32_t>(row_number_),
             arrays.uploads->at<int32_t>(neighbor_number_),
             arrays.uploads->at<double>(displacement_number_),
             arrays.type};
  }

  void on_host(const Use& use) const override {
    OnHost<int32_t> neighbor;
    OnHost<double> displacement;
    deeptf_pairs own = pairs_;
    own.neighbor = neighbor.of(own.neighbor, own.row[num_centres]);
    own.displacement = displacement.of(own.displacement, 3 * int64_t{own.row[num_centres]});
    use(PairCentres(own));
  }

 private:
  deeptf_pairs pairs_;
  OnHost<int32_t> type_, row_;
  OnHost<double> fparam_, aparam_;
  int row_number_ = 0, neighbor_number_ = 0, displacement_number_ = 0;
};

}  // namespace

// In blocks, since pairs may be many.
void Door::report() const {
  constexpr int64_t kAtoms = 1024;
  on_host([](const Centres& centres) {
    FoundPairs found;
    for (int64_t begin = 0; begin < centres.count(); begin += kAtoms) {
      centres.find(begin, std::min(begin + kAtoms, centres.count()), &found);
    }
  });
}

std::unique_ptr<Door> door_of(const deeptf_frames& frames, const Description& about) {
  return std::make_unique<FramesDoor>(frames, about);
}

std::unique_ptr<Door> door_of(const deeptf_neighbor_list& list, const Description& about) {
  return std::make_unique<ListDoor>(list, about);
}

std::unique_ptr<Door> door_of(const deeptf_pairs& pairs, const Description& about) {
  return std::make_unique<PairsDoor>(pairs, about);
}

}  // namespace deeptf::device
