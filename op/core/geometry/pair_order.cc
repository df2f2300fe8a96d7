// Counting sorts: atoms by type, pairs by (neighbour type, centre type, centre) and by neighbour.
#include "core/geometry/pair_order.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "core/base/error.h"
#include "core/geometry/apart.h"

namespace deeptf {
namespace {

constexpr int64_t kPartsPerThread = 4;

}  // namespace

PairSorter::PairSorter(const PairList& list, const Context& context) : list_(list) {
  check_row();
  order_atoms();
  count_neighbors(context);
  place_blocks();
  place_neighbors(context);
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
  if (list_.num_owned < 0 || list_.num_owned > list_.num_centres) {
    throw Error("`num_owned` must be from 0 to the number of centres " +
                std::to_string(list_.num_centres) + ", got " + std::to_string(list_.num_owned));
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
    if (type >= 0 && atom < list_.num_owned) ++next[type + 1];
  }
  atom_count_.assign(next.begin() + 1, next.end());
  std::partial_sum(next.begin(), next.end(), next.begin());
  atom_order_.resize(next[types]);
  for (int64_t atom = 0; atom < list_.num_owned; ++atom) {
    const int32_t type = list_.atom_type[atom];
    if (type >= 0) atom_order_[next[type]++] = static_cast<int32_t>(atom);
  }
}

int64_t PairSorter::first_centre(int64_t part) const {
  return static_cast<int64_t>(atom_order_.size()) * part / num_parts_;
}

void PairSorter::count_neighbors(const Context& context) {
  const int32_t types = list_.num_types;
  const auto centres = static_cast<int64_t>(atom_order_.size());
  if (context.threads > 1) {
    num_parts_ = std::clamp<int64_t>(centres, 1, kPartsPerThread * context.threads);
  }
  seen_ = Scratch<int32_t>(num_parts_ * list_.num_all);
  neighbor_count_.assign(centres * types, 0);
  FirstWrong wrong;
  context.parallel(num_parts_, 200 * centres / num_parts_, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      int32_t* seen = seen_.data() + part * list_.num_all;
      std::fill_n(seen, list_.num_all, 0);
      for (int64_t place = first_centre(part); place < first_centre(part + 1); ++place) {
        int32_t* count = neighbor_count_.data() + place * types;
        const int32_t atom = atom_order_[place];
        for (int32_t pair = list_.row[atom]; pair < list_.row[atom + 1]; ++pair) {
          const int32_t other = list_.neighbor[pair];
          if (other < 0 || other >= list_.num_all) {
            wrong.report(pair);
          } else if (list_.atom_type[other] >= 0) {
            ++count[list_.atom_type[other]];
            ++seen[other];
          }
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
  first_pair_.resize(neighbor_count_.size());
  int32_t place = 0;
  for (int32_t neighbor_type = 0; neighbor_type < types; ++neighbor_type) {
    int64_t atom = 0;
    for (int32_t centre_type = 0; centre_type < types; ++centre_type) {
      const int32_t start = place;
      for (int32_t k = 0; k < atom_count_[centre_type]; ++k, ++atom) {
        first_pair_[atom * types + neighbor_type] = place;
        place += neighbor_count_[atom * types + neighbor_type];
      }
      pair_count_[neighbor_type * types + centre_type] = place - start;
    }
  }
  num_sorted_ = place;
}

// Turns the pairs that a neighbour has in each part into those that it has in the parts before.
void PairSorter::place_neighbors(const Context& context) {
  pair_row_.assign(list_.num_all + 1, 0);
  context.parallel(list_.num_all, 2 * num_parts_, [&](int64_t begin, int64_t end) {
    for (int64_t part = 0; part < num_parts_; ++part) {
      int32_t* seen = seen_.data() + part * list_.num_all;
      for (int64_t atom = begin; atom < end; ++atom) {
        const int32_t before = pair_row_[atom + 1];
        pair_row_[atom + 1] += seen[atom];
        seen[atom] = before;
      }
    }
  });
  std::partial_sum(pair_row_.begin(), pair_row_.end(), pair_row_.begin());
}

void PairSorter::fill(const Context& context, const SortedPairs& out) {
  const int32_t types = list_.num_types;
  const auto centres = static_cast<int64_t>(atom_order_.size());
  FirstWrong wrong;
  context.parallel(num_parts_, 1000 * centres / num_parts_, [&](int64_t begin, int64_t end) {
    std::vector<int32_t> next(types);
    for (int64_t part = begin; part < end; ++part) {
      int32_t* seen = seen_.data() + part * list_.num_all;
      for (int64_t place = first_centre(part); place < first_centre(part + 1); ++place) {
        const int32_t atom = atom_order_[place];
        next.assign(first_pair_.begin() + place * types, first_pair_.begin() + (place + 1) * types);
        for (int64_t pair = list_.row[atom]; pair < list_.row[atom + 1]; ++pair) {
          const int32_t other = list_.neighbor[pair], type = list_.atom_type[other];
          if (type < 0) continue;
          const int32_t target = next[type]++;
          double* displacement = out.displacement + int64_t{3} * target;
          out.centre[target] = atom;
          out.neighbor[target] = other;
          out.pair_of[pair_row_[other] + seen[other]++] = target;
          std::copy_n(list_.displacement + 3 * pair, 3, displacement);
          if (!is_apart(displacement)) wrong.report(pair);
        }
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
