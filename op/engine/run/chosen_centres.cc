#include "engine/run/chosen_centres.h"

#include <algorithm>
#include <utility>

namespace deeptf {

ChosenCentres::ChosenCentres(const Centres& all, std::vector<bool> chosen)
    : all_(all), chosen_(std::move(chosen)) {
  num_atoms = all_.num_atoms;
  num_frames = all_.num_frames;
  type = all_.type;
  fparam = all_.fparam;
  aparam = all_.aparam;
  for (int64_t slot = 0; slot < all_.count(); ++slot) {
    const int32_t atom = all_.atoms()[slot];
    if (!chosen_[type[atom]]) continue;
    atoms_.push_back(atom);
    slot_.push_back(static_cast<int32_t>(slot));
  }
}

// Finds the pairs of all between, and moves those of centres to the front.
void ChosenCentres::find(int64_t begin, int64_t end, FoundPairs* found) const {
  if (begin == end) return all_.find(0, 0, found);
  all_.find(slot_[begin], slot_[end - 1] + 1, found);
  int64_t kept = 0;
  int32_t first = 0, next = 0;  // of the pairs of an atom, where they are and where they go
  for (int64_t k = 0; k < found->num_centres(); ++k) {
    const int32_t last = found->row[k + 1], number = last - first;
    if (chosen_[type[found->atom[k]]]) {
      const auto neighbor = found->neighbor.begin();
      std::copy_n(neighbor + first, number, neighbor + next);
      const auto vector = found->displacement.begin();
      std::copy_n(vector + 3 * int64_t{first}, 3 * int64_t{number}, vector + 3 * int64_t{next});
      next += number;
      found->atom[kept] = found->atom[k];
      found->row[++kept] = next;
    }
    first = last;
  }
  found->atom.resize(kept);
  found->row.resize(kept + 1);
}

}  // namespace deeptf
