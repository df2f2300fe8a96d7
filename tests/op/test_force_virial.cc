// Force and virial: plain loops, the transposed derivative, thread independence, errors.
#include "check.h"
#include "core/geometry/force_virial.h"
#include "core/geometry/pair_order.h"

using deeptf::ForceInputs;
using deeptf::PairsOfAtoms;
using deeptf::PairSorter;
using deeptf_test::close;
using deeptf_test::unwritten;

namespace {

constexpr int64_t kPairs = 500, kAll = 23;

// 17 centres and 6 ghosts of two types, in an order that the pairs of an atom know.
struct Case {
  std::vector<double> displacement = std::vector<double>(3 * kPairs);
  std::vector<double> gradient = deeptf_test::normal(3 * kPairs, 2);
  std::vector<int32_t> centre = std::vector<int32_t>(kPairs), neighbor = centre, pair_of = centre;
  std::vector<int32_t> frame_row{0, 5, 5, 17}, atom_order, first_pair, neighbor_count, pair_row;

  Case() {
    const std::vector<double> given = deeptf_test::normal(3 * kPairs, 1);
    std::vector<int32_t> row, other, type;
    for (int64_t atom = 0; atom <= 17; ++atom) row.push_back(kPairs * atom / 17);
    for (int32_t pair = 0; pair < kPairs; ++pair) other.push_back(pair * 5 % kAll);
    for (int32_t atom = 0; atom < kAll; ++atom) type.push_back(atom % 3 / 2);
    PairSorter sorter({17, 17, kAll, 2, row.data(), other.data(), given.data(), type.data()},
                      deeptf_test::threaded());
    sorter.fill(deeptf_test::threaded(),
                {centre.data(), neighbor.data(), displacement.data(), pair_of.data()});
    atom_order.assign(sorter.atom_order().begin(), sorter.atom_order().end());
    first_pair.assign(sorter.first_pair().begin(), sorter.first_pair().end());
    neighbor_count.assign(sorter.neighbor_count().begin(), sorter.neighbor_count().end());
    pair_row.assign(sorter.pair_row().begin(), sorter.pair_row().end());
  }
  ForceInputs inputs() const {
    return {kPairs, kAll, 3, displacement.data(), centre.data(), neighbor.data(), frame_row.data()};
  }
  PairsOfAtoms pairs() const {
    return {kPairs,
            17,
            kAll,
            2,
            atom_order.data(),
            first_pair.data(),
            neighbor_count.data(),
            pair_row.data(),
            pair_of.data()};
  }
};

}  // namespace

TEST(force_and_virial_are_plain_sums) {
  const Case a;
  std::vector<double> force = unwritten(3 * kAll), virial = unwritten(27);
  std::vector<double> want_force(3 * kAll), want_virial(27);
  for (int pair = 0; pair < kPairs; ++pair) {
    const int frame = a.centre[pair] < 5 ? 0 : 2;
    for (int k = 0; k < 3; ++k) {
      want_force[3 * a.centre[pair] + k] += a.gradient[3 * pair + k];
      want_force[3 * a.neighbor[pair] + k] -= a.gradient[3 * pair + k];
      for (int b = 0; b < 3; ++b) {
        want_virial[9 * frame + 3 * k + b] -=
            a.gradient[3 * pair + k] * a.displacement[3 * pair + b];
      }
    }
  }
  force_virial(a.inputs(), a.pairs(), deeptf_test::serial(), a.gradient.data(), force.data(),
               virial.data());
  for (size_t k = 0; k < force.size(); ++k) CHECK(close(force[k], want_force[k], 1e-12));
  for (size_t k = 0; k < virial.size(); ++k) CHECK(close(virial[k], want_virial[k], 1e-12));
}

TEST(threads_do_not_change_bits) {
  const Case a;
  std::vector<double> force[2], virial[2], atom[2];
  for (const int k : {0, 1}) {
    const auto context = k ? deeptf_test::threaded() : deeptf_test::serial();
    force[k] = unwritten(3 * kAll);
    virial[k] = unwritten(27);
    atom[k] = unwritten(9 * kAll);
    force_virial(a.inputs(), a.pairs(), context, a.gradient.data(), force[k].data(),
                 virial[k].data());
    atom_virial(a.pairs(), context, a.displacement.data(), a.gradient.data(), atom[k].data());
  }
  CHECK(force[0] == force[1] && virial[0] == virial[1] && atom[0] == atom[1]);
}

TEST(gradient_is_the_transpose) {
  const Case a;
  const std::vector<double> force_up = deeptf_test::normal(3 * kAll, 3);
  const std::vector<double> virial_up = deeptf_test::normal(27, 4);
  std::vector<double> force(3 * kAll), virial(27), back = unwritten(3 * kPairs);
  force_virial(a.inputs(), a.pairs(), deeptf_test::serial(), a.gradient.data(), force.data(),
               virial.data());
  force_virial_grad(a.inputs(), deeptf_test::threaded(), force_up.data(), virial_up.data(),
                    back.data());
  double left = 0, right = 0;
  for (size_t k = 0; k < force.size(); ++k) left += force[k] * force_up[k];
  for (size_t k = 0; k < virial.size(); ++k) left += virial[k] * virial_up[k];
  for (size_t k = 0; k < back.size(); ++k) right += back[k] * a.gradient[k];
  CHECK(close(left, right, 1e-11));
}

TEST(atom_virial_adds_up_to_the_virial) {
  Case a;
  a.frame_row = {0, 17, 17, 17};
  std::vector<double> force(3 * kAll), virial(27), atom = unwritten(9 * kAll);
  force_virial(a.inputs(), a.pairs(), deeptf_test::serial(), a.gradient.data(), force.data(),
               virial.data());
  atom_virial(a.pairs(), deeptf_test::threaded(), a.displacement.data(), a.gradient.data(),
              atom.data());
  for (int k = 0; k < 9; ++k) {
    double sum = 0;
    for (int64_t j = 0; j < kAll; ++j) sum += atom[9 * j + k];
    CHECK(close(sum, virial[k], 1e-11));
  }
}

TEST(empty_input) {
  const int32_t frame_row[1] = {0};
  const ForceInputs in{0, 0, 0, nullptr, nullptr, nullptr, frame_row};
  const PairsOfAtoms pairs{0, 0, 0, 2, nullptr, nullptr, nullptr, frame_row, nullptr};
  check_force(in, deeptf_test::serial());
  force_virial(in, pairs, deeptf_test::threaded(), nullptr, nullptr, nullptr);
  force_virial_grad(in, deeptf_test::threaded(), nullptr, nullptr, nullptr);
  atom_virial(pairs, deeptf_test::threaded(), nullptr, nullptr, nullptr);
}

TEST(pairs_of_atoms_out_of_range_are_named) {
  const auto message = [](const std::function<void(Case&)>& change, const char* part) {
    Case a;
    change(a);
    std::vector<double> force(3 * kAll), virial(27);
    return deeptf_test::throws(
        [&] {
          force_virial(a.inputs(), a.pairs(), deeptf_test::threaded(), a.gradient.data(),
                       force.data(), virial.data());
        },
        part);
  };
  const char* centres = "must lie within the 23 atoms and 500 pairs, got others for centre 4";
  CHECK(message([](Case& a) { a.atom_order[4] = kAll; }, centres));
  CHECK(message([](Case& a) { a.first_pair[9] = -1; }, centres));
  CHECK(message([](Case& a) { a.neighbor_count[8] = 501; }, centres));
  CHECK(message([](Case& a) { a.pair_row[3] = 501; }, "`pair_row` must start at 0, not decrease"));
  CHECK(message([](Case& a) { a.pair_of[3] = 500; }, "below 500, got 500 at place 3"));
}

TEST(wrong_indices_are_named) {
  const auto message = [](const Case& a, const char* part) {
    return deeptf_test::throws([&] { check_force(a.inputs(), deeptf_test::threaded()); }, part);
  };
  Case a;
  a.centre[3] = 17;
  CHECK(message(a, "`centre` must be an atom index below 17, got 17 at pair 3"));
  a = Case();
  a.neighbor[4] = -2;
  CHECK(message(a, "`neighbor` must be an atom index below 23, got -2 at pair 4"));
  a = Case();
  a.frame_row = {0, 7, 6, 17};
  CHECK(message(a, "`frame_row` must start at 0 and not decrease"));
  const int32_t no_frame[1] = {5};
  ForceInputs none = a.inputs();
  none.num_frames = 0;
  none.frame_row = no_frame;
  CHECK(deeptf_test::throws([&] { check_force(none, deeptf_test::serial()); }, "got 5 first"));
  a.frame_row = {1, 5, 5, 17};
  CHECK(message(a, "`frame_row` must start at 0 and not decrease"));
  a.frame_row = {0, 5, 5, 24};
  CHECK(message(a, "at most at the number of atoms 23, got 24"));
}
