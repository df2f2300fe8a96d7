// Virtual atoms of spins: whose they are, what becomes of forces and virials, and centres without
// them.
#include <vector>

#include "check.h"
#include "engine/file/model_file.h"
#include "engine/run/chosen_centres.h"
#include "engine/run/frame_centres.h"
#include "engine/run/model.h"
#include "engine/run/spins.h"
#include "graph_bytes.h"

using namespace deeptf;
using namespace deeptf_test;

namespace {

constexpr int64_t kTypes = 3;  // one with spins, one without, one of virtual atoms

const SpinTypes kSpins{{0.5}, {2}};

// Two frames of three and four atoms; in the first one a virtual atom is in another image.
struct Atoms {
  deeptf_frames frames() const {
    deeptf_frames frames{};
    frames.size = sizeof frames;
    frames.num_frames = 2;
    frames.num_atoms = static_cast<int32_t>(type.size());
    frames.frame_row = row.data();
    frames.coord = coord.data();
    frames.cell = cell.data();
    frames.type = type.data();
    return frames;
  }

  std::vector<int32_t> row{0, 3, 7}, type{2, 0, 1, 0, 0, 2, 2};
  std::vector<double> coord{5.2,  1, 1, 0.1, 1,   1, 2, 1, 1,  // of the first frame
                            0,    0, 0, 0,   0,   3,           //
                            0.25, 0, 0, 0,   0.1, 3};
  std::vector<double> cell{5, 0, 0, 1, 6, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0};
};

}  // namespace

TEST(forces_go_to_their_atoms) {
  const Atoms atoms;
  const Spins spins = find_spins(kSpins, kTypes, 2, atoms.row.data(), atoms.type.data());
  CHECK(spins.frame_row == std::vector<int32_t>({0, 1, 3}));
  std::vector<double> force(21), virial(18), atom_virial(63);
  for (int k = 0; k < 21; ++k) force[k] = k + 1;
  deeptf_results results{};
  results.force = force.data();
  results.virial = virial.data();
  results.atom_virial = atom_virial.data();
  give_back(spins, atoms.coord.data(), atoms.cell.data(), results);
  const double expected[] = {0.25, 0.5, 0.75, 5,  7, 9,    7,   8,    9, 26,  28,
                             30,   32,  34,   36, 4, 4.25, 4.5, 4.75, 5, 5.25};
  for (int k = 0; k < 21; ++k) CHECK(close(force[k], expected[k], 1e-14));
  for (int a = 0; a < 3; ++a) {
    CHECK(close(virial[3 * a], -(a + 1) * 0.1, 1e-12));  // 5.2 - 0.1 - 5 along x
    CHECK(close(virial[3 * a + 1], 0, 1e-12));
    CHECK(close(atom_virial[3 * a], virial[3 * a], 1e-12));
    CHECK(close(virial[9 + 3 * a], -(16 + a) * 0.25, 1e-12));
    CHECK(close(virial[9 + 3 * a + 1], -(19 + a) * 0.1, 1e-12));
    CHECK(close(atom_virial[45 + 3 * a], virial[9 + 3 * a], 1e-12));
  }
}

TEST(an_atom_without_its_virtual_one) {
  Atoms atoms;
  atoms.type[5] = 1;
  CHECK(throws([&] { find_spins(kSpins, kTypes, 2, atoms.row.data(), atoms.type.data()); },
               "frame 1: there must be a virtual atom of type 2 for each atom of type 0, got 1 "
               "for 2"));
}

// As many as there are between any two, with the pairs that all atoms have.
TEST(chosen_centres) {
  const Atoms atoms;
  const FrameCentres all(atoms.frames(), 3);
  const ChosenCentres centres(all, first_types(kTypes - 1, kTypes));
  CHECK(centres.count() == 4 && all.count() == 7);
  FoundPairs expected, found;
  all.find(0, 7, &expected);
  for (int64_t begin = 0; begin <= 4; ++begin) {
    for (int64_t end = begin; end <= 4; ++end) {
      centres.find(begin, end, &found);
      CHECK(found.num_centres() == end - begin);
      for (int64_t k = 0; k < found.num_centres(); ++k) {
        CHECK(found.atom[k] == centres.atoms()[begin + k]);
        int64_t slot = 0;
        while (expected.atom[slot] != found.atom[k]) ++slot;
        const int64_t number = found.row[k + 1] - found.row[k];
        CHECK(number == expected.row[slot + 1] - expected.row[slot]);
        for (int64_t pair = 0; pair < number; ++pair) {
          const int64_t own = found.row[k] + pair, other = expected.row[slot] + pair;
          CHECK(found.neighbor[own] == expected.neighbor[other]);
          CHECK(found.displacement[3 * own] == expected.displacement[3 * other]);
        }
      }
    }
  }
}

TEST(damaged_lengths) {
  const auto refused = [](const std::string& spin, const std::string& part) {
    return throws(
        [&] {
          Description(
              ModelFile("a.pb", model("", R"("type_map": ["A", "B", "A_spin"], "spin": )" + spin)));
        },
        part);
  };
  const std::string norm = R"(, "spin_norm": [1]})";
  CHECK(refused(R"({"virtual_len": [0])" + norm, "`virtual_len` of spins must be positive"));
  CHECK(
      refused(R"({"virtual_len": [])" + norm, "must be one for each type with spins, got 0 of 3"));
  CHECK(refused(R"({"virtual_len": [1, 1])" + norm, "got 2 of 3 types"));
  CHECK(refused(R"({"virtual_len": [1]})", "spin_norm"));
}
