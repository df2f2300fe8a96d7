// A loaded model, whoever evaluates it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/deeptf.h"
#include "engine/file/model_file.h"
#include "engine/plan/stage_reader.h"
#include "engine/run/spins.h"

namespace deeptf {

// What a file says of its model.
struct Description {
  explicit Description(const ModelFile& file);

  std::vector<std::string> type_map;
  double rcut;
  int32_t hops;
  Inputs inputs;
  // Whether aparam says which atoms are there, 1 or 0: these see all others, however far apart, and
  // frames have neither cells nor virials.
  bool masked;
  SpinTypes spins;
  int64_t pair_bytes, atom_bytes;  // of working memory
  std::vector<double> data_end;    // [T, T] A, centre type first; NAN where it is not known
  std::string metadata;
};

class Model {
 public:
  explicit Model(const ModelFile& file) : about(file) {}
  virtual ~Model() = default;

  const Description about;
  std::string device = "CPU";
  std::string no_gpu_reason;  // why not a GPU, though there is one

  virtual bool is_native() const = 0;
  // Whether evaluate() checks its arguments, of which some may not be on the host.
  virtual bool checks_itself() const { return false; }
  // The arguments have been checked (check.h). Throws Error.
  virtual void evaluate(const deeptf_frames& frames, const deeptf_options& options,
                        const deeptf_results& results) const = 0;
  virtual void evaluate(const deeptf_neighbor_list& list, const deeptf_options& options,
                        const deeptf_results& results) const = 0;
  virtual void evaluate(const deeptf_pairs& pairs, const deeptf_options& options,
                        const deeptf_results& results) const = 0;
};

// Throws Error where the file cannot be used.
std::unique_ptr<Model> load_model(const ModelFile& file, const deeptf_load_options& options);
std::unique_ptr<Model> load_native(const ModelFile& file);
// NULL where gpu_library() has no GPU.
std::unique_ptr<Model> load_on_gpu(const ModelFile& file, int32_t gpu_number);
std::unique_ptr<Model> load_with_tensorflow(const ModelFile& file,
                                            const deeptf_load_options& options);

}  // namespace deeptf
