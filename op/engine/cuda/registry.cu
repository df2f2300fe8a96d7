// The stages that have kernels on a device.
#include <map>

#include "engine/cuda/stage.h"

namespace deeptf::device {
namespace {

using Make = std::unique_ptr<Stage> (*)(const StageReader&);

const std::map<std::string, Make>& makers() {
  static const std::map<std::string, Make> all{
      {"environment", make_environment},
      {"embedding_sum", make_embedding_sum},
      {"gated_sum", make_embedding_sum},
      {"network_sum", make_network_sum},
      {"gated_network_sum", make_network_sum},
      {"pair_network", make_pair_network},
      {"attention_sum", make_attention_sum},
      {"triple_sum", make_triple_sum},
      {"triple_network_sum", make_triple_network_sum},
      {"empty_places", make_empty_places},
      {"moment_product", make_moment_product},
      {"scaled_sum", make_scaled_sum},
      {"scaled", make_scaled},
      {"local_frames", make_local_frames},
      {"concatenation", make_concatenation},
      {"within", make_within},
      {"fitting_net", make_fitting_net},
      {"property_net", make_property_net},
      {"axes", make_axes},
      {"axis_vector", make_axis_vector},
      {"axis_tensor", make_axis_tensor},
      {"pair_table", make_pair_table},
      {"zbl", make_zbl},
      {"soft_minimum", make_soft_minimum},
      {"blend", make_blend},
  };
  return all;
}

}  // namespace

bool has_kernel(const std::string& name) { return makers().count(name) > 0; }

std::unique_ptr<Stage> make_stage(const StageReader& reader) {
  const std::string& kernel = reader.fields.at("kernel").text();
  const auto found = makers().find(kernel);
  if (found == makers().end()) {
    throw Error("the plan of a model must be made of stages with kernels for GPUs, got " + kernel);
  }
  return found->second(reader);
}

}  // namespace deeptf::device
