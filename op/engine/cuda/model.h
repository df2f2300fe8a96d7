// A model on a GPU.
#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/cuda/workspace.h"
#include "engine/run/model.h"

namespace deeptf::device {

class Model {
 public:
  // Throws Error where the file is damaged, or its plan has a stage without a kernel.
  Model(const ModelFile& file, int gpu);

  const std::string& gpu_name() const { return name_; }

  // Throw Error. Each call has a workspace to itself; there are as many as calls at a time.
  void evaluate(const deeptf_frames& frames, const deeptf_options& options,
                const deeptf_results& results);
  void evaluate(const deeptf_neighbor_list& list, const deeptf_options& options,
                const deeptf_results& results);
  void evaluate(const deeptf_pairs& pairs, const deeptf_options& options,
                const deeptf_results& results);

 private:
  void check_process() const;
  void run(Door* door, const deeptf_options& options, const deeptf_results& results,
           int64_t lists_revision = 0);
  // The same, but throws a Refusal as it is.
  void evaluate(Door* door, const deeptf_options& options, const deeptf_results& results,
                int64_t lists_revision);
  [[noreturn]] void refuse(const Refusal& refusal, const Door& door) const;
  void run_part(const deeptf_frames& part, const deeptf_options& options,
                const deeptf_results& results, int64_t* count, double* distance);
  std::unique_ptr<Workspace> take(int64_t lists_revision);

  const Description about_;
  const int gpu_;
  const pid_t process_;
  std::string name_;
  std::unique_ptr<Plan> plan_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> free_;
};

}  // namespace deeptf::device
