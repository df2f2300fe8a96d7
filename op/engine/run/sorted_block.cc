#include "engine/run/sorted_block.h"

#include <algorithm>

namespace deeptf {

void SortedBlock::sort(const FoundPairs& found, const Centres& centres, int64_t num_types,
                       int64_t num_fparam, int64_t num_aparam) {
  num_types_ = num_types;
  order_atoms(found, centres);
  order_pairs(found, centres);
  fparam_.resize(found.num_centres() * num_fparam);
  aparam_.resize(found.num_centres() * num_aparam);
  for (int64_t k = 0; k < found.num_centres(); ++k) {
    const int64_t atom = found.atom[k];
    if (num_fparam > 0) {
      std::copy_n(centres.fparam + centres.frame_of(atom) * num_fparam, num_fparam,
                  fparam_.data() + place_[k] * num_fparam);
    }
    if (num_aparam > 0) {
      std::copy_n(centres.aparam + atom * num_aparam, num_aparam,
                  aparam_.data() + place_[k] * num_aparam);
    }
  }
}

void SortedBlock::order_atoms(const FoundPairs& found, const Centres& centres) {
  const int64_t n = found.num_centres();
  atom_count_.assign(num_types_, 0);
  for (const int32_t atom : found.atom) ++atom_count_[centres.type[atom]];
  std::vector<int32_t> next(num_types_, 0);
  for (int64_t t = 1; t < num_types_; ++t) next[t] = next[t - 1] + atom_count_[t - 1];
  place_.resize(n);
  type_.resize(n);
  atom_.resize(n);
  for (int64_t k = 0; k < n; ++k) {
    const int32_t type = centres.type[found.atom[k]];
    place_[k] = next[type]++;
    type_[place_[k]] = type;
    atom_[place_[k]] = found.atom[k];
  }
}

void SortedBlock::order_pairs(const FoundPairs& found, const Centres& centres) {
  const int64_t n = found.num_centres(), p = found.row[n];
  neighbor_count_.assign(n * num_types_, 0);
  for (int64_t k = 0; k < n; ++k) {
    int32_t* count = neighbor_count_.data() + place_[k] * num_types_;
    for (int32_t pair = found.row[k]; pair < found.row[k + 1]; ++pair) {
      ++count[centres.type[found.neighbor[pair]]];
    }
  }
  first_.resize(n * num_types_);
  int32_t first = 0;
  for (int64_t t = 0; t < num_types_; ++t) {
    for (int64_t atom = 0; atom < n; ++atom) {
      first_[atom * num_types_ + t] = first;
      first += neighbor_count_[atom * num_types_ + t];
    }
  }
  centre_.resize(p);
  neighbor_.resize(p);
  displacement_.resize(3 * p);
  std::vector<int32_t> next(num_types_);
  for (int64_t k = 0; k < n; ++k) {
    const int32_t place = place_[k];
    std::copy_n(first_.data() + place * num_types_, num_types_, next.data());
    for (int32_t pair = found.row[k]; pair < found.row[k + 1]; ++pair) {
      const int32_t to = next[centres.type[found.neighbor[pair]]]++;
      centre_[to] = place;
      neighbor_[to] = found.neighbor[pair];
      std::copy_n(found.displacement.data() + 3 * int64_t{pair}, 3,
                  displacement_.data() + 3 * int64_t{to});
    }
  }
}

AtomBlock SortedBlock::block(const Context& context, int64_t* outside_count,
                             double* outside_distance) const {
  return {context,
          static_cast<int64_t>(place_.size()),
          num_pairs(),
          num_types_,
          atom_count_.data(),
          type_.data(),
          atom_.data(),
          neighbor_count_.data(),
          first_.data(),
          centre_.data(),
          displacement_.data(),
          fparam_.data(),
          aparam_.data(),
          outside_count,
          outside_distance};
}

}  // namespace deeptf
