// All kinds of stages, for any device: the name of the kernel in a plan, and that of its maker
// without `make_`. A device has a file for each, or for several that share something.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "engine/plan/stage_reader.h"

#define DEEPTF_STAGES(STAGE)                    \
  STAGE(environment, environment)               \
  STAGE(embedding_sum, embedding_sum)           \
  STAGE(gated_sum, embedding_sum)               \
  STAGE(network_sum, network_sum)               \
  STAGE(gated_network_sum, network_sum)         \
  STAGE(pair_network, pair_network)             \
  STAGE(attention_sum, attention_sum)           \
  STAGE(triple_sum, triple_sum)                 \
  STAGE(triple_network_sum, triple_network_sum) \
  STAGE(empty_places, empty_places)             \
  STAGE(moment_product, moment_product)         \
  STAGE(scaled_sum, scaled_sum)                 \
  STAGE(scaled, scaled)                         \
  STAGE(local_frames, local_frames)             \
  STAGE(within, within)                         \
  STAGE(concatenation, concatenation)           \
  STAGE(fitting_net, fitting_net)               \
  STAGE(property_net, property_net)             \
  STAGE(axes, axes)                             \
  STAGE(axis_vector, axis_vector)               \
  STAGE(axis_tensor, axis_tensor)               \
  STAGE(pair_table, pair_table)                 \
  STAGE(zbl, zbl)                               \
  STAGE(soft_minimum, soft_minimum)             \
  STAGE(blend, blend)

// Declares the makers of a device, in the namespace of its class Stage.
#define DEEPTF_DECLARE_MAKER(kernel, name) \
  std::unique_ptr<Stage> make_##name(const StageReader& reader);
#define DEEPTF_MAKER(kernel, name) {#kernel, make_##name},

namespace deeptf {

template <class S>
using Makers = std::map<std::string, std::unique_ptr<S> (*)(const StageReader&)>;

// Whether there are stages with a kernel of that name.
bool has_kernel(const std::string& name);

// Throws Error for a stage that is damaged, or whose kernel has no maker.
template <class S>
std::unique_ptr<S> make_known(const Makers<S>& makers, const StageReader& reader) {
  const std::string& kernel = reader.fields.at("kernel").text();
  const auto found = makers.find(kernel);
  if (found == makers.end()) {
    throw Error("the plan of a model must be made of known kernels, got " + kernel);
  }
  return found->second(reader);
}

}  // namespace deeptf
