// Local frames on the device against the CPU.
#include "compare.h"
#include "core/cuda/local_frames.h"

using deeptf::LocalFrames;
using deeptf::LocalFramesInputs;
using deeptf_test::DeviceArray;
using deeptf_test::distance;

namespace {

struct Case {
  // Atoms of two types with `most` pairs or less of each neighbour type.
  Case(int64_t atoms, int64_t most) : atoms(atoms) {
    frames.rcut = 2.2;
    frames.sel_a = {3, 5};
    frames.sel_r = {4, 0};
    frames.rules = {{{0, 1, 2, 3, 4}, 0}, {{0, 1, 2, 3, 4, 5}, 1}, {{0, 8, 9}, 1}, {{3, 4, 5}, 0}};
    count.resize(2 * atoms);
    for (int64_t type = 0; type < 2; ++type) {
      for (int64_t atom = 0; atom < atoms; ++atom) {
        first.push_back(static_cast<int32_t>(pairs));
        const int64_t number = (7 * atom + 5 * type) % (most + 1);
        count[2 * atom + type] = static_cast<int32_t>(number);
        pairs += number;
      }
      of_type.insert(of_type.end(), type == 0 ? atoms / 2 : atoms - atoms / 2,
                     static_cast<int32_t>(type));
    }
    x = deeptf_test::normal(3 * pairs, 3);
    for (int64_t k = 0; k + 7 < 3 * pairs; k += 21) {
      for (int64_t a = 0; a < 3; ++a) x[k + 3 + a] = k % 2 == 0 ? x[k + a] : -x[k + a];  // as far
    }
    upper = deeptf_test::normal(atoms * frames.width(), 4);
  }

  LocalFrames frames;
  int64_t atoms, pairs = 0;
  std::vector<int32_t> of_type, count, first;
  std::vector<double> x, upper;
};

struct Results {
  std::vector<double> rows, grad;
  std::vector<int32_t> chosen, lack;

  bool operator==(const Results& other) const {
    return rows == other.rows && grad == other.grad && chosen == other.chosen && lack == other.lack;
  }
};

// Of atoms that lack something rows are zero.
void clear(const Case& c, Results* out) {
  const int64_t width = c.frames.width();
  for (int64_t atom = 0; atom < c.atoms; ++atom) {
    if (out->lack[atom] != 0) std::fill_n(out->rows.begin() + atom * width, width, 0.0);
  }
}

// Gradients of the atoms that lack nothing alone.
Results of_cpu(const Case& c) {
  Results out{std::vector<double>(c.upper.size()), std::vector<double>(3 * c.pairs),
              std::vector<int32_t>(c.atoms * c.frames.num_chosen()), std::vector<int32_t>(c.atoms)};
  const LocalFramesInputs in{c.frames,         c.atoms,        c.pairs,
                             c.of_type.data(), c.count.data(), c.x.data()};
  local_frames(in, deeptf_test::serial(), out.rows.data(), out.chosen.data(), out.lack.data());
  clear(c, &out);
  const int64_t width = c.frames.width(), chosen = c.frames.num_chosen();
  for (int64_t atom = 0; atom < c.atoms; ++atom) {
    if (out.lack[atom] != 0) continue;
    std::vector<double> one(3 * c.pairs);
    const LocalFramesInputs of_one{c.frames, 1, c.pairs, c.of_type.data(), nullptr, c.x.data()};
    local_frames_grad(of_one, deeptf_test::serial(), out.chosen.data() + atom * chosen,
                      c.upper.data() + atom * width, one.data());
    for (size_t k = 0; k < one.size(); ++k) out.grad[k] += one[k];
  }
  return out;
}

Results of_device(const Case& c) {
  const DeviceArray<int32_t> numbers(numbers_of(c.frames)), type(c.of_type), count(c.count),
      first(c.first), chosen(c.atoms * c.frames.num_chosen()), lack(c.atoms);
  const DeviceArray<double> x(c.x), upper(c.upper), rows(static_cast<int64_t>(c.upper.size())),
      grad(3 * c.pairs);
  deeptf_test::TestDevice device;
  const deeptf::PlacedFramesInputs in{placed_frames(c.frames, numbers.data()),
                                      c.atoms,
                                      c.pairs,
                                      type.data(),
                                      count.data(),
                                      first.data(),
                                      x.data()};
  local_frames(in, device.cuda(), rows.data(), chosen.data(), lack.data());
  local_frames_grad(in, device.cuda(), chosen.data(), lack.data(), upper.data(), grad.data());
  Results out{rows.host(), grad.host(), chosen.host(), lack.host()};
  clear(c, &out);
  return out;
}

void check(const Case& c) {
  const Results got = deeptf_test::same_in_all_orders([&] { return of_device(c); });
  const Results wanted = of_cpu(c);
  CHECK(got.chosen == wanted.chosen);
  CHECK(got.lack == wanted.lack);
  CHECK(distance(got.rows, wanted.rows) < 1e-12);
  CHECK(distance(got.grad, wanted.grad) < 1e-12);
}

}  // namespace

TEST(frames_are_those_of_the_cpu) {
  const Case c(30, 12);
  check(c);
  const Results found = of_cpu(c);
  for (int32_t lack = 0; lack < 3; ++lack) {
    CHECK(std::count(found.lack.begin(), found.lack.end(), lack) > 0);
  }
}

TEST(more_neighbours_than_lanes) { check(Case(12, 90)); }

TEST(axes_on_one_line) {
  Case c(2, 12);
  for (size_t k = 0; k < c.x.size(); ++k) c.x[k] = k % 3 == 0 ? 0.3 + 0.01 * (k % 40) : 0;
  check(c);
  CHECK(of_cpu(c).lack[1] == deeptf::kPlane);
  for (size_t k = 0; k < c.x.size(); k += 6) c.x[k] = -c.x[k];  // opposite ones lead on
  for (size_t k = 1; k < c.x.size(); k += 9) c.x[k] = 0.1;
  check(c);
}

TEST(no_atoms) { check(Case(0, 3)); }
