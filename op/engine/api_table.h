// The functions of deeptf.h as a table: how libdeeptf_engine.so (open.cc), which has no code of its
// own, calls those of a core (api.cc), which are compiled for its CPU level.
#pragma once

#include "engine/deeptf.h"

#define DEEPTF_FUNCTIONS(X) \
  X(deeptf_version)         \
  X(deeptf_last_error)      \
  X(deeptf_load)            \
  X(deeptf_load_content)    \
  X(deeptf_free)            \
  X(deeptf_num_types)       \
  X(deeptf_type_name)       \
  X(deeptf_rcut)            \
  X(deeptf_hops)            \
  X(deeptf_num_fparam)      \
  X(deeptf_num_aparam)      \
  X(deeptf_property)        \
  X(deeptf_width)           \
  X(deeptf_num_spin_types)  \
  X(deeptf_virtual_len)     \
  X(deeptf_spin_norm)       \
  X(deeptf_data_end)        \
  X(deeptf_is_native)       \
  X(deeptf_num_gpus)        \
  X(deeptf_gpu_error)       \
  X(deeptf_device)          \
  X(deeptf_no_gpu_reason)   \
  X(deeptf_metadata)        \
  X(deeptf_evaluate)        \
  X(deeptf_evaluate_list)   \
  X(deeptf_evaluate_pairs)  \
  X(deeptf_force_deviation) \
  X(deeptf_virial_deviation)

namespace deeptf {

struct Api {
#define DEEPTF_MEMBER(function) decltype(&::function) function;
  DEEPTF_FUNCTIONS(DEEPTF_MEMBER)
#undef DEEPTF_MEMBER
};

}  // namespace deeptf

// The only function of the engine that a core exports; it never fails.
extern "C" const deeptf::Api* deeptf_engine_api();
