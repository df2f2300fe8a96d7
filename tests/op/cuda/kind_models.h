// Models of other kinds with random constants, each a way from pairs to a descriptor.
#pragma once

#include "model_bytes.h"

namespace deeptf_test {

// Sums with gates of types (se_atten without attention, se_a_ebd_v2).
class GatedModel : public ModelBytes {
 public:
  bool fade = true;  // whether gates fade out at the cut-off

 private:
  std::string stages() override {
    return environment("rows", 4, "pairs", rcut) +
           stage("gated_sum", R"("takes": "rows", "gives": "atom/sums", "columns": 4, )" +
                                  table("sums", 1) + ", " + blocks("sums", 1) + ", " +
                                  gate_of_types(fade)) +
           ", " + moment_stage("atom") + fitting_stage("atom", width * axis);
  }
};

// Sums over two neighbours at a time (se_e3).
class TripleModel : public ModelBytes {
 public:
  bool bent = false;  // tables by asinh

 private:
  std::string stages() override {
    const int64_t nets = types * (types + 3) / 2;
    return environment("rows", 4, "pairs", rcut) +
           stage("triple_sum", R"("takes": "rows", "gives": "atom/sums", "bent": )" +
                                   std::string(bent ? "true, " : "false, ") + table("sums", nets)) +
           ", " + scaled_stage("atom") + fitting_stage("atom", width);
  }
};

}  // namespace deeptf_test
