// deeptf.hpp: deeptf.h for C++17. Models are released when they go out of scope, what fails throws
// Error, and results are vectors. Arrays, units and threads are those of deeptf.h.
//
//     const deeptf::Model model("graph.pb");
//     const deeptf::Results results = model.evaluate(coord, cell, type);
#ifndef DEEPTF_HPP
#define DEEPTF_HPP

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "deeptf.h"

namespace deeptf {
inline namespace client {  // a program's own symbols, unlike those of the libraries

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void check(int failed) {
  if (failed) throw Error(deeptf_last_error());
}

// Arrays of deeptf_results; those that were not wanted are empty.
struct Results {
  std::vector<double> energy;            // [F]
  std::vector<double> force;             // [N_all, 3]
  std::vector<double> virial;            // [F, 9]
  std::vector<double> atom_energy;       // [N], or [num_centres]
  std::vector<double> atom_virial;       // [N_all, 9]
  std::vector<int64_t> outside_count;    // [num_types, num_types]
  std::vector<double> outside_distance;  // [num_types, num_types]
  std::vector<double> value;             // [F, width]
  std::vector<double> atom_value;        // [N, width], or [num_centres, width]
};

// What is computed beside energies, forces, virials and pairs that are outside: atom_energy and
// atom_virial. Of a model of another property value and atom_value are computed, and the others
// with weights only.
enum class Atomic { no, yes };

// deeptf_options.
struct Options {
  int32_t threads = 0;
  int32_t most_atoms = 0;
  const double* weight = nullptr;
};

class Model {
 public:
  explicit Model(const std::string& path, const deeptf_load_options* options = nullptr) {
    deeptf_model* model = nullptr;
    check(deeptf_load(path.c_str(), options, &model));
    model_.reset(model);
  }

  // From the content of a file; `name` is for messages.
  Model(const std::string& name, const void* content, size_t length,
        const deeptf_load_options* options = nullptr) {
    deeptf_model* model = nullptr;
    check(deeptf_load_content(name.c_str(), content, length, options, &model));
    model_.reset(model);
  }

  const deeptf_model* get() const { return model_.get(); }
  int32_t num_types() const { return deeptf_num_types(get()); }
  double rcut() const { return deeptf_rcut(get()); }
  int32_t hops() const { return deeptf_hops(get()); }
  int32_t num_fparam() const { return deeptf_num_fparam(get()); }
  int32_t num_aparam() const { return deeptf_num_aparam(get()); }
  std::string property() const { return deeptf_property(get()); }
  int32_t width() const { return deeptf_width(get()); }
  int32_t num_spin_types() const { return deeptf_num_spin_types(get()); }
  double virtual_len(int32_t type) const { return deeptf_virtual_len(get(), type); }
  double spin_norm(int32_t type) const { return deeptf_spin_norm(get(), type); }
  double data_end(int32_t centre_type, int32_t neighbor_type) const {
    return deeptf_data_end(get(), centre_type, neighbor_type);
  }
  bool is_native() const { return deeptf_is_native(get()); }
  std::string device() const { return deeptf_device(get()); }
  std::string no_gpu_reason() const { return deeptf_no_gpu_reason(get()); }
  std::string metadata() const { return deeptf_metadata(get()); }

  // Names of all types.
  std::vector<std::string> type_map() const {
    std::vector<std::string> names;
    for (int32_t type = 0; type < num_types(); ++type) {
      names.emplace_back(deeptf_type_name(get(), type));
    }
    return names;
  }

  // One frame: coord [N, 3], cell [3, 3] or empty, type [N].
  Results evaluate(const std::vector<double>& coord, const std::vector<double>& cell,
                   const std::vector<int32_t>& type, Atomic atomic = Atomic::no,
                   Options options = {}) const {
    if (coord.size() != 3 * type.size() || (!cell.empty() && cell.size() != 9)) {
      throw Error("`coord`, `type` and `cell` must be 3 N, N and 9 or no numbers, got " +
                  std::to_string(coord.size()) + ", " + std::to_string(type.size()) + " and " +
                  std::to_string(cell.size()));
    }
    deeptf_frames frames{};
    frames.size = sizeof frames;
    frames.num_frames = 1;
    frames.num_atoms = static_cast<int32_t>(type.size());
    frames.coord = coord.data();
    frames.cell = cell.empty() ? nullptr : cell.data();
    frames.type = type.data();
    return evaluate(frames, atomic, options);
  }

  Results evaluate(const deeptf_frames& frames, Atomic atomic = Atomic::no,
                   Options options = {}) const {
    return evaluate(deeptf_evaluate, frames, frames.num_frames, frames.num_atoms, frames.num_atoms,
                    atomic, options);
  }

  Results evaluate(const deeptf_neighbor_list& list, Atomic atomic = Atomic::no,
                   Options options = {}) const {
    return evaluate(deeptf_evaluate_list, list, 1, list.num_centres, list.num_all, atomic, options);
  }

  Results evaluate(const deeptf_pairs& pairs, Atomic atomic = Atomic::no,
                   Options options = {}) const {
    return evaluate(deeptf_evaluate_pairs, pairs, 1, pairs.num_centres, pairs.num_all, atomic,
                    options);
  }

 private:
  struct Free {
    void operator()(deeptf_model* model) const { deeptf_free(model); }
  };

  // The C function refuses negative numbers.
  static size_t count(int32_t number) { return number > 0 ? static_cast<size_t>(number) : 0; }

  template <class Input>
  using Evaluate = int (*)(const deeptf_model*, const Input*, const deeptf_options*,
                           const deeptf_results*);

  template <class Input>
  Results evaluate(Evaluate<Input> function, const Input& input, int32_t frames, int32_t centres,
                   int32_t all, Atomic atomic, Options options) const {
    const size_t num_frames = count(frames), num_centres = count(centres), num_all = count(all);
    const size_t type_pairs = static_cast<size_t>(num_types()) * num_types();
    const bool of_energies = property() == "energy";
    const size_t derived = of_energies || options.weight != nullptr ? 1 : 0;
    const size_t shared = atomic == Atomic::yes ? derived : 0;
    const size_t values = of_energies ? 0 : static_cast<size_t>(width());
    Results found{std::vector<double>(derived * num_frames),
                  std::vector<double>(derived * 3 * num_all),
                  std::vector<double>(derived * 9 * num_frames),
                  std::vector<double>(shared * num_centres),
                  std::vector<double>(shared * 9 * num_all),
                  std::vector<int64_t>(type_pairs),
                  std::vector<double>(type_pairs),
                  std::vector<double>(values * num_frames),
                  std::vector<double>(values * num_centres)};
    deeptf_results results{};
    results.size = sizeof results;
    if (derived != 0) {
      results.energy = found.energy.data();
      results.force = found.force.data();
      results.virial = found.virial.data();
    }
    if (shared != 0) {
      results.atom_energy = found.atom_energy.data();
      results.atom_virial = found.atom_virial.data();
    }
    results.outside_count = found.outside_count.data();
    results.outside_distance = found.outside_distance.data();
    if (!of_energies) {
      results.value = found.value.data();
      results.atom_value = found.atom_value.data();
    }
    deeptf_options given{};
    given.size = sizeof given;
    given.threads = options.threads;
    given.most_atoms = options.most_atoms;
    given.weight = options.weight;
    check(function(get(), &input, &given, &results));
    return found;
  }

  std::unique_ptr<deeptf_model, Free> model_;
};

// deeptf_force_deviation of each atom: force holds [num_atoms, 3] of each model.
inline std::vector<double> force_deviation(const std::vector<std::vector<double>>& force,
                                           double relative = 0) {
  std::vector<const double*> pointers;
  for (const auto& one : force) {
    if (one.size() != force[0].size() || one.size() % 3) {
      throw Error("`force` must be 3 numbers an atom, as many of each model, got " +
                  std::to_string(one.size()));
    }
    pointers.push_back(one.data());
  }
  std::vector<double> deviation(force.empty() ? 0 : force[0].size() / 3);
  check(deeptf_force_deviation(static_cast<int32_t>(force.size()),
                               static_cast<int64_t>(deviation.size()), pointers.data(), relative,
                               deviation.data()));
  return deviation;
}

// deeptf_virial_deviation [9]: virial holds [9] of each model.
inline std::vector<double> virial_deviation(const std::vector<std::vector<double>>& virial,
                                            int64_t num_atoms, double relative = 0) {
  std::vector<const double*> pointers;
  for (const auto& one : virial) {
    if (one.size() != 9) {
      throw Error("`virial` must be 9 numbers of each model, got " + std::to_string(one.size()));
    }
    pointers.push_back(one.data());
  }
  std::vector<double> deviation(9);
  check(deeptf_virial_deviation(static_cast<int32_t>(virial.size()), num_atoms, pointers.data(),
                                relative, deviation.data()));
  return deviation;
}

}  // namespace client
}  // namespace deeptf

#endif  // DEEPTF_HPP
