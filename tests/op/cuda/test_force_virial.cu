// Forces, virials and their transposes against the CPU's: ghosts, an empty frame, an atom with many
// pairs; indices that the CPU refuses give what is not a number.
#include <tuple>

#include "compare.h"
#include "core/cuda/force_virial.h"
#include "core/geometry/pair_order.h"
#include "device_array.h"

using deeptf_test::DeviceArray;
using deeptf_test::distance;

namespace {

constexpr int64_t kPairs = 500, kAll = 23, kCentres = 17, kTypes = 2, kFrames = 3;

// 17 centres, one of them virtual, and 6 ghosts of two types, in an order that the pairs of an atom
// know.
struct Case {
  int64_t pairs, real;
  std::vector<double> displacement, gradient;
  std::vector<int32_t> centre, neighbor, pair_of;
  std::vector<int32_t> frame_row{0, 5, 5, kCentres};
  std::vector<int32_t> atom_order, first_pair, neighbor_count, pair_row;

  Case() {
    const std::vector<double> given = deeptf_test::normal(3 * kPairs, 1);
    std::vector<int32_t> row, other, type;
    for (int64_t atom = 0; atom <= kCentres; ++atom) {
      row.push_back(static_cast<int32_t>(atom < 4 ? 2 * atom : kPairs * atom / kCentres));
    }
    for (int32_t pair = 0; pair < kPairs; ++pair) other.push_back(pair * 5 % kAll);
    for (int32_t atom = 0; atom < kAll; ++atom) type.push_back(atom == 6 ? -1 : atom % 3 / 2);
    deeptf::PairSorter sorter(
        {kCentres, kCentres, kAll, kTypes, row.data(), other.data(), given.data(), type.data()},
        deeptf_test::serial());
    pairs = sorter.num_sorted();
    for (auto* list : {&centre, &neighbor, &pair_of}) list->resize(pairs);
    displacement.resize(3 * pairs);
    sorter.fill(deeptf_test::serial(),
                {centre.data(), neighbor.data(), displacement.data(), pair_of.data()});
    gradient = deeptf_test::normal(3 * pairs, 2);
    real = sorter.atom_order().size();
    atom_order.assign(sorter.atom_order().begin(), sorter.atom_order().end());
    first_pair.assign(sorter.first_pair().begin(), sorter.first_pair().end());
    neighbor_count.assign(sorter.neighbor_count().begin(), sorter.neighbor_count().end());
    pair_row.assign(sorter.pair_row().begin(), sorter.pair_row().end());
  }
};

// force, virial, atom_virial, and the gradient to that of the pairs
using Arrays =
    std::tuple<std::vector<double>, std::vector<double>, std::vector<double>, std::vector<double>>;

const std::vector<double> kForceGrad = deeptf_test::normal(3 * kAll, 3);
const std::vector<double> kVirialGrad = deeptf_test::normal(9 * kFrames, 4);

Arrays of_cpu(const Case& c) {
  const deeptf::ForceInputs in{
      c.pairs,           kAll, kFrames, c.displacement.data(), c.centre.data(), c.neighbor.data(),
      c.frame_row.data()};
  const deeptf::PairsOfAtoms pairs{c.pairs,
                                   c.real,
                                   kAll,
                                   kTypes,
                                   c.atom_order.data(),
                                   c.first_pair.data(),
                                   c.neighbor_count.data(),
                                   c.pair_row.data(),
                                   c.pair_of.data()};
  std::vector<double> force(3 * kAll), virial(9 * kFrames), atoms(9 * kAll), grad(3 * c.pairs);
  const deeptf::Context context;
  force_virial(in, pairs, context, c.gradient.data(), force.data(), virial.data());
  atom_virial(pairs, context, c.displacement.data(), c.gradient.data(), atoms.data());
  force_virial_grad(in, context, kForceGrad.data(), kVirialGrad.data(), grad.data());
  return {force, virial, atoms, grad};
}

Arrays of_device(const Case& c) {
  deeptf_test::TestDevice device;
  const DeviceArray<double> displacement(c.displacement), gradient(c.gradient),
      force_grad(kForceGrad), virial_grad(kVirialGrad);
  const DeviceArray<int32_t> centre(c.centre), neighbor(c.neighbor), frame_row(c.frame_row),
      atom_order(c.atom_order), first_pair(c.first_pair), neighbor_count(c.neighbor_count),
      pair_row(c.pair_row), pair_of(c.pair_of);
  const DeviceArray<double> force(3 * kAll), virial(9 * kFrames), atoms(9 * kAll),
      grad(3 * c.pairs);
  const deeptf::ForceInputs in{
      c.pairs,         kAll, kFrames, displacement.data(), centre.data(), neighbor.data(),
      frame_row.data()};
  const deeptf::PairsOfAtoms pairs{c.pairs,
                                   c.real,
                                   kAll,
                                   kTypes,
                                   atom_order.data(),
                                   first_pair.data(),
                                   neighbor_count.data(),
                                   pair_row.data(),
                                   pair_of.data()};
  const deeptf::Cuda cuda = device.cuda();
  force_virial(in, pairs, cuda, gradient.data(), force.data(), virial.data());
  atom_virial(pairs, cuda, displacement.data(), gradient.data(), atoms.data());
  force_virial_grad(in, cuda, force_grad.data(), virial_grad.data(), grad.data());
  return {force.host(), virial.host(), atoms.host(), grad.host()};
}

TEST(forces_and_virials_are_those_of_the_cpu) {
  const Case c;
  const auto [force, virial, atoms, grad] =
      deeptf_test::same_in_all_orders([&] { return of_device(c); });
  const auto [cpu_force, cpu_virial, cpu_atoms, cpu_grad] = of_cpu(c);
  CHECK(distance(force, cpu_force) < 1e-12);
  CHECK(distance(virial, cpu_virial) < 1e-12);
  CHECK(distance(atoms, cpu_atoms) < 1e-12);
  CHECK(distance(grad, cpu_grad) < 1e-12);
}

// Virials of many atoms take several blocks a frame.
TEST(virials_of_large_frames_are_those_of_the_cpu) {
  constexpr int32_t kLarge = 1100;
  const std::vector<double> x = deeptf_test::normal(3 * kLarge, 5);
  const std::vector<double> g = deeptf_test::normal(3 * kLarge, 6);
  std::vector<int32_t> atom(kLarge), one(kLarge, 1), row = deeptf_test::counted(kLarge);
  for (int32_t k = 0; k < kLarge; ++k) atom[k] = k;
  const std::vector<int32_t> frame_row{0, kLarge};
  const auto inputs = [&](const double* r, const int32_t* index, const int32_t* frames) {
    return deeptf::ForceInputs{kLarge, kLarge, 1, r, index, index, frames};
  };
  const auto pairs = [&](const int32_t* index, const int32_t* count, const int32_t* rows) {
    return deeptf::PairsOfAtoms{kLarge, kLarge, kLarge, 1, index, index, count, rows, index};
  };
  std::vector<double> force(3 * kLarge), virial(9);
  force_virial(inputs(x.data(), atom.data(), frame_row.data()),
               pairs(atom.data(), one.data(), row.data()), deeptf_test::serial(), g.data(),
               force.data(), virial.data());
  deeptf_test::TestDevice device;
  const DeviceArray<double> d_x(x), d_g(g), d_force(3 * kLarge), d_virial(9);
  const DeviceArray<int32_t> d_atom(atom), d_one(one), d_row(row), d_frames(frame_row);
  force_virial(inputs(d_x.data(), d_atom.data(), d_frames.data()),
               pairs(d_atom.data(), d_one.data(), d_row.data()), device.cuda(), d_g.data(),
               d_force.data(), d_virial.data());
  CHECK(distance(d_virial.host(), virial) < 1e-11);
  CHECK(distance(d_force.host(), force) < 1e-12);  // all zero: an atom is its own neighbour
}

// Which rows of so many values are not numbers.
std::vector<int64_t> rows_of_nan(const std::vector<double>& values, int64_t width) {
  std::vector<int64_t> rows;
  for (size_t k = 0; k < values.size(); ++k) {
    const auto row = static_cast<int64_t>(k) / width;
    if (std::isnan(values[k]) && (rows.empty() || rows.back() != row)) rows.push_back(row);
  }
  return rows;
}

TEST(indices_out_of_range_give_nan) {
  using Rows = std::vector<int64_t>;
  Case wrong_pair;
  wrong_pair.pair_of[wrong_pair.pair_row[9]] = static_cast<int32_t>(wrong_pair.pairs);
  CHECK(rows_of_nan(std::get<0>(of_device(wrong_pair)), 3) == Rows{9});
  CHECK(rows_of_nan(std::get<2>(of_device(wrong_pair)), 9) == Rows{9});
  Case wrong_row;
  wrong_row.pair_row[kAll] += 1;
  CHECK(rows_of_nan(std::get<0>(of_device(wrong_row)), 3) == Rows{kAll - 1});
  for (const int32_t wrong : {-1, 1 << 30}) {
    Case place, first, count;
    place.atom_order[3] = wrong;
    first.first_pair[3] = wrong;
    count.neighbor_count[3] = wrong;
    for (const Case* c : {&place, &first, &count}) {
      const auto [force, virial, atoms, grad] = of_device(*c);
      CHECK(rows_of_nan(force, 3).size() == kAll);
      CHECK(rows_of_nan(virial, 9).size() == kFrames);
    }
  }
  Case wrong_frame;
  wrong_frame.frame_row[2] = 4;
  CHECK(rows_of_nan(std::get<1>(of_device(wrong_frame)), 9) == Rows{1});
  Case wrong_ends;
  wrong_ends.centre[7] = kCentres;
  wrong_ends.neighbor[8] = kAll;
  wrong_ends.neighbor[9] = -1;
  CHECK((rows_of_nan(std::get<3>(of_device(wrong_ends)), 3) == Rows{7, 8, 9}));
}

TEST(nothing_in_nothing_out) {
  const DeviceArray<int32_t> zero(std::vector<int32_t>{0});
  const deeptf::ForceInputs in{0, 0, 0, nullptr, nullptr, nullptr, zero.data()};
  const deeptf::PairsOfAtoms pairs{0, 0, 0, 2, nullptr, nullptr, nullptr, zero.data(), nullptr};
  deeptf_test::TestDevice device;
  force_virial(in, pairs, device.cuda(), nullptr, nullptr, nullptr);
  force_virial_grad(in, device.cuda(), nullptr, nullptr, nullptr);
  atom_virial(pairs, device.cuda(), nullptr, nullptr, nullptr);
}

}  // namespace
