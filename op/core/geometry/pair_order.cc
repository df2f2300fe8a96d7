// Two counting sorts: atoms by type, then pairs by (neighbour type, centre type, centre).
#include "core/geometry/pair_order.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "core/base/error.h"
#include "core/geometry/apart.h"

namespace deeptf {

PairSorter::PairSorter(const PairList& list, const Context& context) : list_(list) {
  check_row();
  order_atoms();
  count_neighbors(context);
  place_blocks();
}

void PairSorter::check_row() const {
  if (list_.row[0] != 0) {
    throw Error("`row` must start at 0 and not decrease, got " + std::to_string(list_.row[0]) +
                " first");
  }
  for (int64_t atom = 0; atom < list_.num_centres; ++atom) {
    if (list_.row[atom + 1] < list_.row[atom]) {
      throw Error("`row` must start at 0 and not decrease, got " + std::to_string(list_.row[atom]) +
                  " and " + std::to_string(list_.row[atom + 1]) + " at atom " +
                  std::to_string(atom));
    }
  }
}

void PairSorter::order_atoms() {
  const int32_t types = list_.num_types;
  std::vector<int32_t> next(types + 1, 0);
  for (int64_t atom = 0; atom < list_.num_all; ++atom) {
    const int32_t type = list_.atom_type[atom];
    if (type >= types) {
      throw Error("`atom_type` must be below the number of types " + std::to_string(types) +
                  ", got " + std::to_string(type) + " at atom " + std::to_string(atom));
    }
    if (type >= 0 && atom < list_.num_centres) ++next[type + 1];
  }
  atom_count_.assign(next.begin() + 1, next.end());
  std::partial_sum(next.begin(), next.end(), next.begin());
  atom_order_.resize(next[types]);
  for (int64_t atom = 0; atom < list_.num_centres; ++atom) {
    const int32_t type = list_.atom_type[atom];
    if (type >= 0) atom_order_[next[type]++] = static_cast<int32_t>(atom);
  }
}

void PairSorter::count_neighbors(const Context& context) {
  const int32_t types = list_.num_types;
  neighbor_count_.assign(atom_order_.size() * types, 0);
  FirstWrong wrong;
  context.parallel(static_cast<int64_t>(atom_order_.size()), 200, [&](int64_t begin, int64_t end) {
    for (int64_t place = begin; place < end; ++place) {
      const int32_t atom = atom_order_[place];
      for (int32_t pair = list_.row[atom]; pair < list_.row[atom + 1]; ++pair) {
        const int32_t other = list_.neighbor[pair];
        if (other < 0 || other >= list_.num_all) {
          wrong.report(pair);
        } else if (list_.atom_type[other] >= 0) {
          ++neighbor_count_[place * types + list_.atom_type[other]];
        }
      }
    }
  });
  if (wrong.any()) {
    throw Error("`neighbor` must be an atom index below " + std::to_string(list_.num_all) +
                ", got " + std::to_string(list_.neighbor[wrong.index()]) + " at pair " +
                std::to_string(wrong.index()));
  }
}

void PairSorter::place_blocks() {
  const int32_t types = list_.num_types;
  pair_count_.assign(int64_t{types} * types, 0);
  first_.resize(neighbor_count_.size());
  int32_t place = 0;
  for (int32_t neighbor_type = 0; neighbor_type < types; ++neighbor_type) {
    int64_t atom = 0;
    for (int32_t centre_type = 0; centre_type < types; ++centre_type) {
      const int32_t start = place;
      for (int32_t k = 0; k < atom_count_[centre_type]; ++k, ++atom) {
        first_[atom * types + neighbor_type] = place;
        place += neighbor_count_[atom * types + neighbor_type];
      }
      pair_count_[neighbor_type * types + centre_type] = place - start;
    }
  }
  num_sorted_ = place;
}

void PairSorter::fill(const Context& context, int32_t* centre, int32_t* neighbor,
                      double* displacement) const {
  const int32_t types = list_.num_types;
  FirstWrong wrong;
  context.parallel(static_cast<int64_t>(atom_order_.size()), 1000, [&](int64_t begin, int64_t end) {
    std::vector<int32_t> next(types);
    for (int64_t place = begin; place < end; ++place) {
      const int32_t atom = atom_order_[place];
      next.assign(first_.begin() + place * types, first_.begin() + (place + 1) * types);
      for (int64_t pair = list_.row[atom]; pair < list_.row[atom + 1]; ++pair) {
        const int32_t type = list_.atom_type[list_.neighbor[pair]];
        if (type < 0) continue;
        const int64_t target = next[type]++;
        centre[target] = atom;
        neighbor[target] = list_.neighbor[pair];
        std::copy_n(list_.displacement + 3 * pair, 3, displacement + 3 * target);
        if (!is_apart(displacement + 3 * target)) wrong.report(pair);
      }
    }
  });
  if (!wrong.any()) return;
  const int64_t pair = wrong.index();
  const int32_t* after = std::upper_bound(list_.row, list_.row + list_.num_centres + 1, pair);
  throw Error(not_apart(list_.displacement + 3 * pair) + " from atom " +
              std::to_string(after - list_.row - 1) + " to atom " +
              std::to_string(list_.neighbor[pair]) + " (pair " + std::to_string(pair) + ")");
}

}  // namespace deeptf
