// Makers of the stages; each is in the file of its name.
#pragma once

#include <memory>

#include "engine/plan/stage.h"

namespace deeptf {

std::unique_ptr<Stage> make_environment(const StageReader& reader);
std::unique_ptr<Stage> make_embedding_sum(const StageReader& reader);
std::unique_ptr<Stage> make_network_sum(const StageReader& reader);
std::unique_ptr<Stage> make_pair_network(const StageReader& reader);
std::unique_ptr<Stage> make_attention_sum(const StageReader& reader);
std::unique_ptr<Stage> make_empty_places(const StageReader& reader);
std::unique_ptr<Stage> make_moment_product(const StageReader& reader);
std::unique_ptr<Stage> make_scaled_sum(const StageReader& reader);
std::unique_ptr<Stage> make_scaled(const StageReader& reader);
std::unique_ptr<Stage> make_triple_sum(const StageReader& reader);
std::unique_ptr<Stage> make_triple_network_sum(const StageReader& reader);
std::unique_ptr<Stage> make_local_frames(const StageReader& reader);
std::unique_ptr<Stage> make_concatenation(const StageReader& reader);
std::unique_ptr<Stage> make_within(const StageReader& reader);
std::unique_ptr<Stage> make_pair_table(const StageReader& reader);
std::unique_ptr<Stage> make_zbl(const StageReader& reader);
std::unique_ptr<Stage> make_soft_minimum(const StageReader& reader);
std::unique_ptr<Stage> make_blend(const StageReader& reader);
std::unique_ptr<Stage> make_fitting_net(const StageReader& reader);

}  // namespace deeptf
