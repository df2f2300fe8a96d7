// The C interface of the engine on a frozen model (GOLDEN): doors, derivatives, threads, messages.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <thread>

#include "check.h"
#include "engine/api_table.h"

using deeptf_test::close;

namespace {

const deeptf::Api& api() { return *deeptf_engine_api(); }

struct Free {
  void operator()(deeptf_model* model) const { api().deeptf_free(model); }
};
using Model = std::unique_ptr<deeptf_model, Free>;

Model load() {
  deeptf_model* model = nullptr;
  CHECK(api().deeptf_load(GOLDEN, nullptr, &model) == 0);
  return Model(model);
}

constexpr int kAtoms = 40;

struct Atoms {
  Atoms() : cell{7.5, 0, 0, 0.4, 8, 0, -0.3, 0.2, 7} {
    const std::vector<double> noise = deeptf_test::normal(3 * kAtoms, 3);
    for (int atom = 0; atom < kAtoms; ++atom) {
      const int place[3] = {atom % 4, atom / 4 % 4, atom / 16};
      for (int k = 0; k < 3; ++k) coord.push_back(1.8 * place[k] + 0.2 * noise[3 * atom + k]);
      type.push_back(atom == 5 ? -1 : atom % 2);
    }
  }

  deeptf_frames frames(bool with_cell = true) const {
    deeptf_frames frames{};
    frames.size = sizeof frames;
    frames.num_frames = 1;
    frames.num_atoms = kAtoms;
    frames.coord = coord.data();
    frames.cell = with_cell ? cell : nullptr;
    frames.type = type.data();
    frames.fparam = fparam;
    frames.aparam = aparam.data();
    return frames;
  }

  std::vector<double> coord;
  double cell[9];
  std::vector<int32_t> type;
  double fparam[4] = {0.1, 0.2, 0.3, 0.4};  // more than any model here takes
  std::vector<double> aparam = std::vector<double>(4 * kAtoms, 0.5);
};

struct Results {
  deeptf_results all() {
    deeptf_results results{};
    results.size = sizeof results;
    results.energy = &energy;
    results.force = force.data();
    results.virial = virial;
    results.atom_energy = atom_energy.data();
    results.atom_virial = atom_virial.data();
    return results;
  }
  bool operator==(const Results& other) const {
    return energy == other.energy && force == other.force &&
           std::equal(virial, virial + 9, other.virial) && atom_energy == other.atom_energy &&
           atom_virial == other.atom_virial;
  }

  double energy = 0, virial[9] = {};
  std::vector<double> force = std::vector<double>(3 * kAtoms);
  std::vector<double> atom_energy = std::vector<double>(kAtoms);
  std::vector<double> atom_virial = std::vector<double>(9 * kAtoms);
};

deeptf_options options(int threads, int most_atoms = 0) {
  deeptf_options found{};
  found.size = sizeof(found);
  found.threads = threads;
  found.most_atoms = most_atoms;
  return found;
}

Results evaluate(const Model& model, const deeptf_frames& frames, const deeptf_options& how) {
  Results found;
  const deeptf_results results = found.all();
  CHECK(api().deeptf_evaluate(model.get(), &frames, &how, &results) == 0);
  return found;
}

bool fails(int status, const char* part) {
  const std::string message = api().deeptf_last_error();
  if (status != 0 && message.find(part) != std::string::npos) return true;
  std::printf("the message was: %s\n", message.c_str());
  return false;
}

}  // namespace

TEST(forces_and_virial_are_derivatives) {
  const Model model = load();
  Atoms atoms;
  const Results found = evaluate(model, atoms.frames(), options(1));
  const auto energy = [&] { return evaluate(model, atoms.frames(), options(1)).energy; };
  constexpr double h = 1e-4;
  for (const int at : {0, 7, 61}) {
    const double before = atoms.coord[at];
    atoms.coord[at] = before + h;
    const double right = energy();
    atoms.coord[at] = before - h;
    const double left = energy();
    atoms.coord[at] = before;
    CHECK(close(found.force[at], -(right - left) / (2 * h), 1e-6));
  }
  double sum = 0, trace[2] = {0, 0};
  for (const double one : found.atom_energy) sum += one;
  for (int atom = 0; atom < kAtoms; ++atom) trace[0] += found.atom_virial[9 * atom];
  trace[1] = found.virial[0];
  CHECK(close(found.energy, sum, 1e-12));
  CHECK(close(trace[0], trace[1], 1e-12));
  CHECK(found.atom_energy[5] == 0);  // no atom
}

TEST(threads_and_blocks_do_not_change_bits) {
  const Model model = load();
  const Atoms atoms;
  const Results one = evaluate(model, atoms.frames(), options(1));
  CHECK(one == evaluate(model, atoms.frames(), options(3)));
  CHECK(one == evaluate(model, atoms.frames(), options(1, 7)));
  CHECK(one == evaluate(model, atoms.frames(), options(2, 1)));
}

TEST(all_doors_give_the_same) {
  const Model model = load();
  const Atoms atoms;
  const Results frames = evaluate(model, atoms.frames(false), options(1));
  std::vector<int32_t> row{0}, neighbor;
  std::vector<double> displacement;
  std::vector<std::vector<int32_t>> lists(kAtoms);
  for (int i = 0; i < kAtoms; ++i) {
    for (int j = 0; j < kAtoms; ++j) {
      if (i == j) continue;
      lists[i].push_back(j | 1 << 30);
      double square = 0;
      for (int k = 0; k < 3; ++k) {
        const double d = atoms.coord[3 * j + k] - atoms.coord[3 * i + k];
        displacement.push_back(d);
        square += d * d;
      }
      if (square < 36) {
        neighbor.push_back(j);
      } else {
        displacement.resize(displacement.size() - 3);
      }
    }
    row.push_back(static_cast<int32_t>(neighbor.size()));
  }
  std::vector<int32_t> number;
  std::vector<const int32_t*> place;
  for (const auto& list : lists) {
    number.push_back(static_cast<int32_t>(list.size()));
    place.push_back(list.data());
  }
  deeptf_neighbor_list list{};
  list.size = sizeof list;
  list.num_centres = list.num_owned = list.num_all = list.num_lists = kAtoms;
  list.coord = atoms.coord.data();
  list.type = atoms.type.data();
  list.num_neighbors = number.data();
  list.neighbors = place.data();
  list.neighbor_mask = (1 << 30) - 1;
  list.fparam = atoms.fparam;
  list.aparam = atoms.aparam.data();
  deeptf_pairs pairs{};
  pairs.size = sizeof pairs;
  pairs.num_centres = pairs.num_owned = pairs.num_all = kAtoms;
  pairs.type = atoms.type.data();
  pairs.row = row.data();
  pairs.neighbor = neighbor.data();
  pairs.displacement = displacement.data();
  pairs.fparam = atoms.fparam;
  pairs.aparam = atoms.aparam.data();
  Results by_list, by_pairs;
  const deeptf_results to_list = by_list.all(), to_pairs = by_pairs.all();
  CHECK(api().deeptf_evaluate_list(model.get(), &list, nullptr, &to_list) == 0);
  CHECK(api().deeptf_evaluate_pairs(model.get(), &pairs, nullptr, &to_pairs) == 0);
  for (const Results* other : {&by_list, &by_pairs}) {
    CHECK(close(frames.energy, other->energy, 1e-12));
    for (int k = 0; k < 3 * kAtoms; ++k) CHECK(close(frames.force[k], other->force[k], 1e-12));
    for (int k = 0; k < 9 * kAtoms; ++k) {
      CHECK(close(frames.atom_virial[k], other->atom_virial[k], 1e-12));
    }
  }
}

TEST(two_models_on_two_threads) {
  const Atoms atoms;
  const Model first = load(), second = load();
  const Results expected = evaluate(first, atoms.frames(), options(1));
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k) {
    threads.emplace_back([&, k] {
      const Model own = load();
      for (int repeat = 0; repeat < 3; ++repeat) {
        const Model& model = k % 2 == 0 ? first : second;
        CHECK(expected == evaluate(model, atoms.frames(), options(1 + k % 2, 9)));
        CHECK(expected == evaluate(own, atoms.frames(), options(2, 9)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(what_is_wrong_is_said) {
  const Model model = load();
  Atoms atoms;
  Results found;
  const deeptf_results results = found.all();
  const auto status = [&](const deeptf_frames& frames) {
    return api().deeptf_evaluate(model.get(), &frames, nullptr, &results);
  };
  deeptf_frames frames = atoms.frames();
  frames.size = 0;
  CHECK(fails(status(frames), "`size` of `frames` must be the size of the struct"));
  frames = atoms.frames();
  frames.num_frames = 3;
  CHECK(fails(status(frames), "`num_atoms` must be a multiple of `num_frames`"));
  frames = atoms.frames();
  frames.coord = nullptr;
  CHECK(fails(status(frames), "`coord` must be given, got NULL"));
  atoms.type[3] = 100;
  CHECK(fails(status(atoms.frames()), "types of the model, got 100 for atom 3"));
  atoms = Atoms();
  std::copy_n(atoms.coord.begin(), 3, atoms.coord.begin() + 9);
  CHECK(fails(status(atoms.frames()), "atoms 0 and 3 of frame 0"));
  CHECK(fails(api().deeptf_evaluate(nullptr, &frames, nullptr, &results), "`model` must be"));
  CHECK(fails(api().deeptf_evaluate(model.get(), nullptr, nullptr, &results), "`frames` must be"));
  deeptf_model* none = nullptr;
  CHECK(fails(api().deeptf_load("/nowhere.pb", nullptr, &none), "/nowhere.pb"));
  CHECK(none == nullptr);
}

TEST(a_gpu_is_there_or_the_reason_is_said) {
  CHECK(api().deeptf_num_gpus() == 0);
  const std::string reason = api().deeptf_gpu_error();
  CHECK(reason.find("kernels for GPUs must be there, got no file") == 0);
  const Model model = load();
  CHECK(std::string(api().deeptf_device(model.get())) == "CPU");
  CHECK(std::string(api().deeptf_no_gpu_reason(model.get())).empty());
  deeptf_load_options options{};
  options.size = sizeof options;
  deeptf_model* none = nullptr;
  options.gpu = DEEPTF_GPU_YES;
  CHECK(fails(api().deeptf_load(GOLDEN, &options, &none),
              ("`gpu` must be auto or no here, got yes: " + reason).c_str()));
  options.gpu = 3;
  CHECK(fails(api().deeptf_load(GOLDEN, &options, &none), "`gpu` must be DEEPTF_GPU_AUTO"));
  options.gpu = DEEPTF_GPU_NO;
  CHECK(api().deeptf_load(GOLDEN, &options, &none) == 0);
  api().deeptf_free(none);
}

TEST(an_atom_has_one_list) {
  const Model model = load();
  const Atoms atoms;
  const int32_t centre[] = {3, 0, 3}, number[] = {0, 0, 0};
  const int32_t* const neighbors[] = {nullptr, nullptr, nullptr};
  deeptf_neighbor_list list{};
  list.size = sizeof list;
  list.num_centres = list.num_owned = list.num_all = kAtoms;
  list.coord = atoms.coord.data();
  list.type = atoms.type.data();
  list.num_lists = 3;
  list.centre = centre;
  list.num_neighbors = number;
  list.neighbors = neighbors;
  Results found;
  const deeptf_results results = found.all();
  CHECK(fails(api().deeptf_evaluate_list(model.get(), &list, nullptr, &results),
              "`centre` must have each atom once, got atom 3 in lists 0 and 2"));
  list.num_lists = 2;
  CHECK(api().deeptf_evaluate_list(model.get(), &list, nullptr, &results) == 0);
}

TEST(messages_call_atoms_by_their_ids) {
  const Model model = load();
  Atoms atoms;
  std::copy_n(atoms.coord.begin(), 3, atoms.coord.begin() + 9);
  std::vector<int64_t> id(kAtoms, 7);
  id[0] = 1;
  id[3] = int64_t{1} << 40;
  const int32_t neighbor = 3, number = 1;
  const int32_t* const neighbors = &neighbor;
  deeptf_neighbor_list list{};
  list.size = sizeof list;
  list.num_centres = list.num_owned = list.num_all = kAtoms;
  list.coord = atoms.coord.data();
  list.type = atoms.type.data();
  list.num_lists = 1;
  list.num_neighbors = &number;
  list.neighbors = &neighbors;
  list.id = id.data();
  Results found;
  const deeptf_results results = found.all();
  const auto status = [&] {
    return api().deeptf_evaluate_list(model.get(), &list, nullptr, &results);
  };
  CHECK(fails(status(), "from atom 1 to atom 1099511627776"));
  list.id = nullptr;
  CHECK(fails(status(), "from atom 0 to atom 3"));
  list.id = id.data();
  atoms.type[3] = 100;
  CHECK(fails(status(), "got 100 for atom 1099511627776"));
}

TEST(no_model_is_described) {
  CHECK(api().deeptf_num_types(nullptr) == 0 && api().deeptf_hops(nullptr) == 0);
  CHECK(api().deeptf_num_fparam(nullptr) == 0 && api().deeptf_num_aparam(nullptr) == 0);
  CHECK(api().deeptf_type_name(nullptr, 0) == nullptr && api().deeptf_rcut(nullptr) == 0);
  CHECK(std::isnan(api().deeptf_data_end(nullptr, 0, 0)) && api().deeptf_is_native(nullptr) == 0);
  CHECK(std::string(api().deeptf_metadata(nullptr)).empty());
  CHECK(std::string(api().deeptf_device(nullptr)).empty());
  CHECK(std::string(api().deeptf_no_gpu_reason(nullptr)).empty());
  api().deeptf_free(nullptr);
}
