// One energy of an atom in place of another, as far as a switch says.
#include "engine/cuda/stage.h"
#include "engine/plan/centre_pairs_constants.h"

namespace deeptf::device {
namespace {

struct Blend {
  const double *share, *first, *second, *added;
  const int32_t* type;
  double *difference, *out;

  DEEPTF_HD void operator()(int64_t atom) const {
    const double more = added != nullptr ? added[type[atom]] : 0;
    difference[atom] = first[atom] + more - second[atom];
    out[atom] = second[atom] + share[atom] * difference[atom];
  }
};

struct Gradients {
  const double *upper, *share, *difference;
  double *of_share, *of_first, *of_second;

  DEEPTF_HD void operator()(int64_t atom) const {
    of_share[atom] = upper[atom] * difference[atom];
    of_first[atom] = upper[atom] * share[atom];
    of_second[atom] = upper[atom] * (1 - share[atom]);
  }
};

class BlendStage final : public Stage {
 public:
  explicit BlendStage(const StageReader& reader) : constants_(reader), added_(constants_.added) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const double* taken[3];
    for (int k = 0; k < 3; ++k) taken[k] = values.take<double>(constants_.takes[k]);
    const int64_t n = block.num_atoms;
    double* difference = values.keep<double>(n);
    for_each(block.cuda, n,
             Blend{taken[0], taken[1], taken[2], added_.data(), block.type, difference,
                   values.give<double>(constants_.gives)});
    if (!gradient) return {};
    const double* share = taken[0];
    return [this, n, share, difference, &block, &values] {
      double* found[3];
      for (double*& one : found) one = values.keep<double>(n);
      for_each(block.cuda, n,
               Gradients{values.gradient<double>(constants_.gives), share, difference, found[0],
                         found[1], found[2]});
      for (int k = 0; k < 3; ++k) values.give_gradient<double>(constants_.takes[k], found[k]);
    };
  }

 private:
  BlendConstants constants_;
  Constant<double> added_;
};

}  // namespace

std::unique_ptr<Stage> make_blend(const StageReader& reader) {
  return std::make_unique<BlendStage>(reader);
}

}  // namespace deeptf::device
