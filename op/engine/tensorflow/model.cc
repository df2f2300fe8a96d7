// A model that TensorFlow runs: by the door for pairs block by block, or where its graph has none,
// by the door for coordinates in groups of whole frames (deeptf/model/inputs.py).
#include "engine/run/model.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/base/error.h"
#include "engine/run/check.h"
#include "engine/run/frame_centres.h"
#include "engine/run/list_centres.h"
#include "engine/tensorflow/blocks.h"
#include "engine/tensorflow/graph.h"

namespace deeptf {
namespace {

constexpr const char* kOutsideCount = "outside_count";
constexpr const char* kOutsideDistance = "outside_distance";
constexpr int64_t kGroupAtoms = 512;  // of frames that are evaluated together from coordinates

// A result that is wanted, and whose numbers it has.
struct Output {
  enum Of { frame, centre, atom };
  std::string name;
  Of of;
  int64_t width;
  double* to;
};

// The results of an evaluation: which there are to be, and where those of blocks go.
class Results {
 public:
  Results(const deeptf_results& to, const Graph& graph, const Inputs& inputs)
      : to_(to), num_types_(inputs.num_types) {
    for (const Output& output :
         {Output{"energy", Output::frame, 1, to.energy}, Output{"force", Output::atom, 3, to.force},
          Output{"virial", Output::frame, 9, to.virial},
          Output{"atom_energy", Output::centre, 1, to.atom_energy},
          Output{"atom_virial", Output::atom, 9, to.atom_virial},
          Output{inputs.property, Output::frame, inputs.width, to.value},
          Output{"atom_" + inputs.property, Output::centre, inputs.width, to.atom_value}}) {
      if (output.to == nullptr) continue;
      if (!graph.has(output.name.c_str())) {
        throw Error("`" + output.name +
                    "` must be a result of the model to be wanted, "
                    "got a model without it: set it to NULL");
      }
      outputs_.push_back(output);
    }
    for (const Output& output : outputs_) names_.push_back(output.name.c_str());
    counts_ = to.outside_count != nullptr && graph.has(kOutsideCount);
    measures_ = to.outside_distance != nullptr && graph.has(kOutsideDistance);
    if (counts_) names_.push_back(kOutsideCount);
    if (measures_) names_.push_back(kOutsideDistance);
  }

  const std::vector<const char*>& names() const { return names_; }

  void clear(int64_t num_frames, int64_t num_energies, int64_t num_atoms) const {
    const int64_t rows[] = {num_frames, num_energies, num_atoms};
    for (const Output& output : outputs_) {
      std::fill_n(output.to, rows[output.of] * output.width, 0.0);
    }
    const int64_t kinds = num_types_ * num_types_;
    if (to_.outside_count != nullptr) std::fill_n(to_.outside_count, kinds, 0);
    if (to_.outside_distance != nullptr) {
      std::fill_n(to_.outside_distance, kinds, std::numeric_limits<double>::infinity());
    }
  }

  // found: of names(), for the frames and atoms of a block.
  void add(const Block& block, const std::vector<Fetched>& found) const {
    size_t next = 0;
    const auto num_atoms = static_cast<int64_t>(block.atom.size());
    const int64_t rows[] = {block.num_frames, block.num_centres, num_atoms};
    const int64_t taken[] = {block.num_frames, block.num_own, num_atoms};
    for (const Output& output : outputs_) {
      const int64_t width = output.width;
      const double* from = found[next++].doubles(rows[output.of] * width);
      for (int64_t k = 0; k < taken[output.of]; ++k) {
        const int64_t row = output.of == Output::frame ? block.first_frame + k : block.atom[k];
        for (int64_t c = 0; c < width; ++c) output.to[row * width + c] += from[k * width + c];
      }
    }
    const int64_t kinds = num_types_ * num_types_;
    if (counts_) {
      const int64_t* count = found[next++].integers(kinds);
      for (int64_t k = 0; k < kinds; ++k) to_.outside_count[k] += count[k];
    }
    if (measures_) {
      const double* distance = found[next++].doubles(kinds);
      double* to = to_.outside_distance;
      for (int64_t k = 0; k < kinds; ++k) to[k] = std::min(to[k], distance[k]);
    }
  }

 private:
  const deeptf_results& to_;
  const int64_t num_types_;
  std::vector<Output> outputs_;
  std::vector<const char*> names_;
  bool counts_, measures_;
};

// A message about a frame of a group, with the frame counted as the caller does.
std::string counted_from(int64_t first_frame, const std::string& message) {
  const std::string word = "frame ";
  const size_t place = message.find(word);
  if (place == std::string::npos) return message;
  const size_t begin = place + word.size();
  const size_t end = std::min(message.find_first_not_of("0123456789", begin), message.size());
  if (end == begin) return message;
  const int64_t frame = first_frame + std::stoll(message.substr(begin, end - begin));
  return message.substr(0, begin) + std::to_string(frame) + message.substr(end);
}

class TensorFlowModel final : public Model {
 public:
  TensorFlowModel(const ModelFile& file, const deeptf_load_options& options)
      : Model(file), graph_(open_tensorflow(options), file.content()) {
    for (const Json& door : file.metadata().at("doors").items()) {
      takes_pairs_ = takes_pairs_ || door.text() == "pairs";
    }
  }

  bool is_native() const override { return false; }

  void evaluate(const deeptf_frames& frames, const deeptf_options& options,
                const deeptf_results& results) const override {
    const FilledFrames filled(frames);
    if (takes_pairs_) {
      const FrameCentres centres(filled.get(), about.rcut);
      run(centres, centres.count(), frames.num_atoms, options, results);
    } else {
      run_whole(filled.get(), options, results);
    }
  }

  void evaluate(const deeptf_neighbor_list& list, const deeptf_options& options,
                const deeptf_results& results) const override {
    check_takes_pairs();
    deeptf_neighbor_list all = list;
    all.num_owned = list.num_centres;
    run(ListCentres(all, about.rcut, about.inputs.num_types), real_atoms(list.type, list.num_owned),
        list.num_centres, options, results);
  }

  void evaluate(const deeptf_pairs& pairs, const deeptf_options& options,
                const deeptf_results& results) const override {
    check_takes_pairs();
    deeptf_pairs all = pairs;
    all.num_owned = pairs.num_centres;
    run(PairCentres(all), real_atoms(pairs.type, pairs.num_owned), pairs.num_centres, options,
        results);
  }

 private:
  static int64_t real_atoms(const int32_t* type, int64_t count) {
    return std::count_if(type, type + count, [](int32_t t) { return t >= 0; });
  }

  static void check_weight(const deeptf_options& options) {
    if (options.weight == nullptr) return;
    throw Error("`weight` must be NULL for a model that TensorFlow runs, got weights");
  }

  void check_takes_pairs() const {
    if (takes_pairs_) return;
    throw Error(
        "the model must be given coordinates and cell, got neighbours, which do not say all that "
        "it "
        "needs (spins, or charges far away); use deeptf_evaluate");
  }

  // Block by block; of the centres the first num_counting count.
  void run(const Centres& centres, int64_t num_counting, int64_t num_energies,
           const deeptf_options& options, const deeptf_results& to) const {
    check_weight(options);
    const Results results(to, graph_, about.inputs);
    results.clear(centres.num_frames, num_energies, centres.num_atoms);
    if (results.names().empty()) return;
    BlockCutter cutter(centres, num_counting, about, options.most_atoms);
    for (Block block; cutter.next(&block);) {
      run_block(block, centres, num_threads(options), results);
    }
  }

  void run_block(const Block& block, const Centres& centres, int threads,
                 const Results& results) const {
    const int64_t width = about.inputs.num_aparam;
    const auto pairs = static_cast<int64_t>(block.neighbor.size());
    std::vector<int32_t> type;
    for (const int32_t atom : block.atom) type.push_back(centres.type[atom]);
    std::vector<double> aparam;
    for (int64_t k = 0; width > 0 && k < block.num_centres; ++k) {
      const double* own = centres.aparam + width * block.atom[k];
      aparam.insert(aparam.end(), own, own + width);
    }
    const auto num_owned = static_cast<int32_t>(block.num_own);
    std::vector<Feed> feeds{
        {"atom_type", TF_INT32, {static_cast<int64_t>(type.size())}, type.data()},
        {"frame_row", TF_INT32, {block.num_frames + 1}, block.frame_row.data()},
        {"row", TF_INT32, {block.num_centres + 1}, block.row.data()},
        {"neighbor", TF_INT32, {pairs}, block.neighbor.data()},
        {"displacement", TF_DOUBLE, {pairs, 3}, block.displacement.data()}};
    if (block.num_centres > block.num_own) feeds.push_back({"num_owned", TF_INT32, {}, &num_owned});
    add_parameters(block, centres.fparam, aparam.data(), &feeds);
    results.add(block, graph_.run(feeds, results.names(), threads));
  }

  // aparam: of the centres of the block.
  void add_parameters(const Block& block, const double* fparam, const double* aparam,
                      std::vector<Feed>* feeds) const {
    if (const int64_t width = about.inputs.num_fparam; width > 0) {
      const double* first = fparam + width * block.first_frame;
      feeds->push_back({"fparam", TF_DOUBLE, {block.num_frames, width}, first});
    }
    if (const int64_t width = about.inputs.num_aparam; width > 0) {
      feeds->push_back({"aparam", TF_DOUBLE, {block.num_centres, width}, aparam});
    }
  }

  // Groups of whole frames, which are filled.
  void run_whole(const deeptf_frames& frames, const deeptf_options& options,
                 const deeptf_results& to) const {
    check_weight(options);
    const Results results(to, graph_, about.inputs);
    results.clear(frames.num_frames, frames.num_atoms, frames.num_atoms);
    if (results.names().empty()) return;
    const int64_t most = options.most_atoms > 0 ? options.most_atoms : kGroupAtoms;
    const int32_t *row = frames.frame_row, *end = row + frames.num_frames + 1;
    for (int64_t first = 0, last; first < frames.num_frames; first = last) {
      const auto after = std::upper_bound(row + first + 1, end, row[first] + most);
      last = std::max<int64_t>(after - row - 1, first + 1);
      Block block;
      block.first_frame = first;
      block.num_frames = last - first;
      block.num_own = block.num_centres = row[last] - row[first];
      block.atom.resize(block.num_own);
      std::iota(block.atom.begin(), block.atom.end(), row[first]);
      for (int64_t f = first; f <= last; ++f) block.frame_row.push_back(row[f] - row[first]);
      try {
        run_group(block, frames, num_threads(options), results);
      } catch (const Error& error) {
        throw Error(counted_from(first, error.what()));
      }
    }
  }

  void run_group(const Block& block, const deeptf_frames& frames, int threads,
                 const Results& results) const {
    const int64_t atoms = block.num_own;
    if (atoms == 0) return;
    const int64_t first = block.atom.front();
    std::vector<Feed> feeds{
        {"coord", TF_DOUBLE, {atoms, 3}, frames.coord + 3 * first},
        {"cell", TF_DOUBLE, {block.num_frames, 3, 3}, frames.cell + 9 * block.first_frame},
        {"atom_type", TF_INT32, {atoms}, frames.type + first},
        {"frame_row", TF_INT32, {block.num_frames + 1}, block.frame_row.data()}};
    add_parameters(block, frames.fparam, frames.aparam + about.inputs.num_aparam * first, &feeds);
    results.add(block, graph_.run(feeds, results.names(), threads));
  }

  Graph graph_;
  bool takes_pairs_ = false;
};

}  // namespace

std::unique_ptr<Model> load_with_tensorflow(const ModelFile& file,
                                            const deeptf_load_options& options) {
  return std::make_unique<TensorFlowModel>(file, options);
}

}  // namespace deeptf
