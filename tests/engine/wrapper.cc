// Every function of deeptf.hpp, on two atoms: results of frames, lists and pairs are those of each
// other, and what the C interface refuses throws.
//     wrapper MODEL.pb      a model of the types A and B
#include <cmath>
#include <cstdio>
#include <deeptf.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

int failures = 0;

void expect(bool right, const char* what) {
  if (right) return;
  std::printf("failed: %s\n", what);
  ++failures;
}

bool close(const std::vector<double>& a, const std::vector<double>& b) {
  bool same = a.size() == b.size();
  for (size_t i = 0; same && i < a.size(); ++i) same = std::fabs(a[i] - b[i]) < 1e-12;
  return same;
}

template <class Body>
bool throws(const Body& body, const std::string& part) {
  try {
    body();
  } catch (const deeptf::Error& error) {
    return std::string(error.what()).find(part) != std::string::npos;
  }
  return false;
}

const std::vector<double> coord{0, 0, 0, 1.1, 0.4, -0.3};
const std::vector<double> none;
const std::vector<int32_t> type{0, 1};

void test_model(const deeptf::Model& model, const std::string& path) {
  expect(model.num_types() == 2 && model.type_map() == std::vector<std::string>{"A", "B"}, "types");
  expect(model.rcut() == 4 && model.hops() == 1 && model.is_native(), "description");
  expect(model.num_fparam() == 0 && model.num_aparam() == 0, "parameters");
  expect(std::fabs(model.data_end(0, 1) - 0.8) < 1e-9, "data_end");
  expect(model.metadata().front() == '{', "metadata");
  std::ifstream stream(path, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(stream), {}};
  const deeptf::Model copy("copy", content.data(), content.size());
  expect(copy.metadata() == model.metadata(), "content");
  expect(throws([] { deeptf::Model("nothing.pb"); }, "nothing.pb"), "no file");
  expect(throws([] { deeptf::Model("text", "text", 4); }, "text"), "no model");
}

deeptf::Results test_frames(const deeptf::Model& model) {
  const deeptf::Results brief = model.evaluate(coord, none, type);
  expect(brief.atom_energy.empty() && brief.atom_virial.empty(), "what is not wanted");
  const deeptf::Results full = model.evaluate(coord, none, type, deeptf::Atomic::yes, {2, 1});
  expect(full.energy == brief.energy && full.force == brief.force, "threads");
  expect(close({full.atom_energy[0] + full.atom_energy[1]}, full.energy), "atom_energy");
  for (int i = 0; i < 9; ++i)
    expect(close({full.atom_virial[i] + full.atom_virial[9 + i]}, {full.virial[i]}), "atom_virial");
  expect(full.outside_count == std::vector<int64_t>(4) && std::isinf(full.outside_distance[1]),
         "outside");
  expect(throws([&] { model.evaluate({0, 0}, none, type); }, "got 2, 2 and 0"), "sizes");
  expect(throws([&] { model.evaluate(coord, {1, 2}, type); }, "got 6, 2 and 2"), "cell");
  expect(throws([&] { model.evaluate(coord, none, {0, 5}); }, "5"), "an unknown type");
  deeptf_frames frames{};
  frames.size = sizeof frames;
  frames.num_frames = -1;
  expect(throws([&] { model.evaluate(frames); }, "-1"), "a negative number");
  return full;
}

void test_list(const deeptf::Model& model, const deeptf::Results& wanted) {
  const int32_t first = 1, second = 0, number[] = {1, 1};
  const int32_t* const neighbors[] = {&first, &second};
  deeptf_neighbor_list list{};
  list.size = sizeof list;
  list.num_centres = list.num_owned = list.num_all = list.num_lists = 2;
  list.coord = coord.data();
  list.type = type.data();
  list.num_neighbors = number;
  list.neighbors = neighbors;
  const deeptf::Results found = model.evaluate(list, deeptf::Atomic::yes);
  expect(close(found.energy, wanted.energy) && close(found.force, wanted.force), "list");
  expect(close(found.atom_virial, wanted.atom_virial), "atom_virial of a list");
}

void test_pairs(const deeptf::Model& model, const deeptf::Results& wanted) {
  const int32_t row[] = {0, 1, 2}, neighbor[] = {1, 0};
  const double displacement[] = {1.1, 0.4, -0.3, -1.1, -0.4, 0.3};
  deeptf_pairs pairs{};
  pairs.size = sizeof pairs;
  pairs.num_centres = pairs.num_owned = pairs.num_all = 2;
  pairs.type = type.data();
  pairs.row = row;
  pairs.neighbor = neighbor;
  pairs.displacement = displacement;
  const deeptf::Results found = model.evaluate(pairs, deeptf::Atomic::yes);
  expect(close(found.energy, wanted.energy) && close(found.force, wanted.force), "pairs");
  expect(close(found.virial, wanted.virial), "virial of pairs");
}

void test_deviations() {
  expect(close(deeptf::force_deviation({{1, 0, 0}, {-1, 0, 0}}), {1}), "force_deviation");
  expect(throws([] { deeptf::force_deviation({{1, 0, 0}, {1}}); }, "got 1"), "forces of a model");
  expect(throws([] { deeptf::force_deviation({}); }, "num_models"), "no models");
  const std::vector<double> one(9, 4), other(9, 0);
  expect(close(deeptf::virial_deviation({one, other}, 2), std::vector<double>(9, 1)),
         "virial_deviation");
  expect(throws([] { deeptf::virial_deviation({{1}}, 2); }, "got 1"), "virial of a model");
}

}  // namespace

int main(int, char** given) {
  const deeptf::Model model(given[1]);
  test_model(model, given[1]);
  const deeptf::Results results = test_frames(model);
  test_list(model, results);
  test_pairs(model, results);
  test_deviations();
  if (failures == 0) std::printf("no failures\n");
  return failures != 0;
}
