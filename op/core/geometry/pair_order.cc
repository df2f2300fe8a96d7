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

void check_rows(const PairList& list) {
  if (list.row[0] != 0) {
    throw Error("`row` must start at 0 and not decrease, got " + std::to_string(list.row[0]) +
                " first");
  }
  for (int64_t atom = 0; atom < list.num_centres; ++atom) {
    if (list.row[atom + 1] < list.row[atom]) {
      throw Error("`row` must start at 0 and not decrease, got " + std::to_string(list.row[atom]) +
                  " and " + std::to_string(list.row[atom + 1]) + " at atom " +
                  std::to_string(atom));
    }
  }
  if (list.num_owned < 0 || list.num_owned > list.num_centres) {
    throw Error("`num_owned` must be from 0 to the number of centres " +
                std::to_string(list.num_centres) + ", got " + std::to_string(list.num_owned));
  }
}

// Returns the number of owned real centres of a list that is checked here.
int64_t count_real(const PairList& list) {
  check_rows(list);
  int64_t count = 0;
  for (int64_t atom = 0; atom < list.num_all; ++atom) {
    const int32_t type = list.atom_type[atom];
    if (type >= list.num_types) {
      throw Error("`atom_type` must be below the number of types " +
                  std::to_string(list.num_types) + ", got " + std::to_string(type) + " at atom " +
                  std::to_string(atom));
    }
    count += type >= 0 && atom < list.num_owned ? 1 : 0;
  }
  return count;
}

int64_t parts_of(int64_t centres, const Context& context) {
  const int64_t most = context.threads > 1 ? kPartsPerThread * context.threads : 1;
  return std::clamp<int64_t>(centres, 1, most);
}

}  // namespace

void check_row_end(const PairList& list, int64_t num_pairs) {
  if (list.num_pairs() != num_pairs) {
    throw Error("`row` must end at the number of pairs " + std::to_string(num_pairs) + ", got " +
                std::to_string(list.num_pairs()));
  }
}

PairSorter::PairSorter(const PairList& list, const Context& context)
    : list_(list),
      num_real_(count_real(list)),
      num_parts_(parts_of(num_real_, context)),
      atom_order_(num_real_),
      atom_count_(list.num_types, 0),
      neighbor_count_(num_real_ * list.num_types, 0),
      pair_count_(int64_t{list.num_types} * list.num_types),
      first_pair_(num_real_ * list.num_types),
      pair_row_(list.num_all + 1, 0),
      seen_(num_parts_ * list.num_all) {
  order_atoms();
  count_neighbors(context);
  place_blocks();
  place_neighbors(context);
}

void PairSorter::order_atoms() {
  for (int64_t atom = 0; atom < list_.num_owned; ++atom) {
    const int32_t type = list_.atom_type[atom];
    if (type >= 0) ++atom_count_[type];
  }
  Scratch<int32_t> next(list_.num_types);
  std::exclusive_scan(atom_count_.begin(), atom_count_.end(), next.begin(), 0);
  for (int64_t atom = 0; atom < list_.num_owned; ++atom) {
    const int32_t type = list_.atom_type[atom];
    if (type >= 0) atom_order_[next[type]++] = static_cast<int32_t>(atom);
  }
}

void PairSorter::count_neighbors(const Context& context) {
  const int32_t types = list_.num_types;
  FirstWrong wrong;
  context.parallel(num_parts_, 200 * num_real_ / num_parts_, [&](int64_t begin, int64_t end) {
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
  FirstWrong wrong;
  context.parallel(num_parts_, 1000 * num_real_ / num_parts_, [&](int64_t begin, int64_t end) {
    Scratch<int32_t> next(types);
    for (int64_t part = begin; part < end; ++part) {
      int32_t* seen = seen_.data() + part * list_.num_all;
      for (int64_t place = first_centre(part); place < first_centre(part + 1); ++place) {
        const int32_t atom = atom_order_[place];
        std::copy_n(first_pair_.data() + place * types, types, next.data());
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
