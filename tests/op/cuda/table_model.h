// Models with tables of random curves: descriptors se_e2_a or se_e2_r, or both side by side within
// their cut-offs.
#pragma once

#include "model_bytes.h"

namespace deeptf_test {

class TableModel : public ModelBytes {
 public:
  // Settings.
  bool angular = true, radial = false;  // se_e2_a, se_e2_r
  double radial_rcut = 3;               // smaller than rcut: pairs within it are a set
  std::string kernel;                   // of a stage more, which nobody knows

 protected:
  std::string stages() override {
    std::string stages, parts, descriptor = angular ? "angular" : "radial";
    int64_t size = 0;
    if (angular) {
      stages += sum_stages("angular", 4, "pairs") + moment_stage("angular");
      parts = "\"angular\"";
      size += width * axis;
    }
    if (radial) {
      if (radial_rcut < rcut) {
        stages += stage("within", R"("gives": "near", "rcut": )" + number(radial_rcut)) + ", ";
      }
      stages +=
          sum_stages("radial", 1, radial_rcut < rcut ? "near" : "pairs") + scaled_stage("radial");
      parts += std::string(parts.empty() ? "" : ", ") + "\"radial\"";
      size += width;
    }
    if (angular && radial) {
      descriptor = "both";
      stages += stage("concatenation", R"("gives": "both", "takes": [)" + parts + "]") + ", ";
    }
    if (!kernel.empty()) stages += stage(kernel, "") + ", ";
    return stages + fitting_stage(descriptor, size);
  }

 private:
  std::string sum_stages(const std::string& name, int columns, const std::string& pairs) {
    const std::string rows = name + "/rows", sums = name + (one_net ? "/some" : "/sums");
    const std::string text =
        environment(rows, columns, pairs, columns == 4 ? rcut : radial_rcut) +
        stage("embedding_sum", R"("takes": )" + quoted(rows) + R"(, "gives": )" + quoted(sums) +
                                   R"(, "columns": )" + std::to_string(columns) + ", " +
                                   table(name, types * types) + ", " +
                                   blocks(name, types * types)) +
        ", ";
    return one_net ? text + empty_stage(name) : text;
  }

  std::string empty_stage(const std::string& name) {
    return stage("empty_places",
                 R"("takes": )" + quoted(name + "/some") + R"(, "gives": )" +
                     quoted(name + "/sums") + ", " + precision() + ", " +
                     constant("places", name + "/places", random(types, 1, 30), {types}) + ", " +
                     constant("counted", name + "/counted", std::vector<double>(types * types, 1),
                              {types, types}) +
                     ", " +
                     constant("value", name + "/value", random(types * width, 0.02),
                              {types, width})) +
           ", ";
  }
};

}  // namespace deeptf_test
