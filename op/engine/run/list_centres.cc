#include "engine/run/list_centres.h"

#include <string>

#include "core/base/error.h"
#include "core/geometry/apart.h"
#include "engine/run/check.h"

namespace deeptf {
namespace {

void check_apart(const double* displacement, int64_t centre, int64_t neighbor) {
  if (is_apart(displacement)) return;
  throw Error(not_apart(displacement) + " from atom " + std::to_string(centre) + " to atom " +
              std::to_string(neighbor));
}

template <class T>
std::string names(const T& given, int64_t atom, int64_t other) {
  return "atoms " + std::to_string(id_of(given, atom)) + " and " +
         std::to_string(id_of(given, other));
}

// Of the first `num_owned` atoms those that are there, of the first `num_types` types.
std::vector<int32_t> real_atoms(int32_t num_owned, const int32_t* type,
                                int64_t num_types = INT32_MAX) {
  std::vector<int32_t> atoms;
  atoms.reserve(num_owned);
  for (int32_t atom = 0; atom < num_owned; ++atom) {
    if (type[atom] >= 0 && type[atom] < num_types) atoms.push_back(atom);
  }
  return atoms;
}

void begin_centres(const std::vector<int32_t>& atoms, int64_t begin, int64_t end,
                   FoundPairs* found) {
  found->atom.assign(atoms.begin() + begin, atoms.begin() + end);
  found->row.assign(1, 0);
  found->neighbor.clear();
  found->displacement.clear();
}

}  // namespace

ListCentres::ListCentres(const deeptf_neighbor_list& list, double rcut, int64_t num_real_types)
    : list_(list), rcut_(rcut), place_(list.num_all, -1) {
  num_atoms = list.num_all;
  type = list.type;
  fparam = list.fparam;
  aparam = list.aparam;
  for (int32_t k = 0; k < list.num_lists; ++k) {
    const int32_t atom = list.centre != nullptr ? list.centre[k] : k;
    if (place_[atom] >= 0) {
      throw Error("`centre` must have each atom once, got atom " + std::to_string(atom) +
                  " in lists " + std::to_string(place_[atom]) + " and " + std::to_string(k));
    }
    place_[atom] = k;
  }
  atom_ = real_atoms(list.num_owned, type, num_real_types);
}

std::string ListCentres::names_of(int64_t atom, int64_t other) const {
  return names(list_, atom, other);
}

void ListCentres::find(int64_t begin, int64_t end, FoundPairs* found) const {
  begin_centres(atom_, begin, end, found);
  const double limit = rcut_ * rcut_;
  const int32_t mask = list_.neighbor_mask != 0 ? list_.neighbor_mask : -1;
  for (const int32_t atom : found->atom) {
    const int32_t place = place_[atom];
    const double* own = list_.coord + 3 * int64_t{atom};
    const int32_t number = place < 0 ? 0 : list_.num_neighbors[place];
    for (int32_t k = 0; k < number; ++k) {
      const int32_t other = list_.neighbors[place][k] & mask;
      if (other < 0 || other >= list_.num_all) {
        throw Error("`neighbors` must be atoms below num_all " + std::to_string(list_.num_all) +
                    ", got " + std::to_string(other) + " in the list of atom " +
                    std::to_string(atom));
      }
      if (type[other] < 0) continue;
      const double* at = list_.coord + 3 * int64_t{other};
      const double d[3] = {at[0] - own[0], at[1] - own[1], at[2] - own[2]};
      const double square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
      if (square >= limit) continue;
      check_apart(d, id_of(list_, atom), id_of(list_, other));
      found->neighbor.push_back(other);
      found->displacement.insert(found->displacement.end(), d, d + 3);
    }
    found->row.push_back(static_cast<int32_t>(found->neighbor.size()));
  }
}

PairCentres::PairCentres(const deeptf_pairs& pairs)
    : pairs_(pairs), atom_(real_atoms(pairs.num_owned, pairs.type)) {
  num_atoms = pairs.num_all;
  type = pairs.type;
  fparam = pairs.fparam;
  aparam = pairs.aparam;
}

std::string PairCentres::names_of(int64_t atom, int64_t other) const {
  return names(pairs_, atom, other);
}

void PairCentres::find(int64_t begin, int64_t end, FoundPairs* found) const {
  begin_centres(atom_, begin, end, found);
  for (const int32_t atom : found->atom) {
    for (int32_t pair = pairs_.row[atom]; pair < pairs_.row[atom + 1]; ++pair) {
      const int32_t other = pairs_.neighbor[pair];
      if (other < 0 || other >= pairs_.num_all) {
        throw Error("`neighbor` must be atoms below num_all " + std::to_string(pairs_.num_all) +
                    ", got " + std::to_string(other) + " in pair " + std::to_string(pair));
      }
      if (type[other] < 0) continue;
      const double* d = pairs_.displacement + 3 * int64_t{pair};
      check_apart(d, atom, other);
      found->neighbor.push_back(other);
      found->displacement.insert(found->displacement.end(), d, d + 3);
    }
    found->row.push_back(static_cast<int32_t>(found->neighbor.size()));
  }
}

}  // namespace deeptf
