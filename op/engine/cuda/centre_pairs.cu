// Energies of pairs, by a table or by the formula of nuclei, and how near neighbours are.
#include "core/cuda/centre_pairs.h"
#include "core/short_range/centre_values.h"
#include "engine/cuda/stage.h"
#include "engine/plan/centre_pairs_constants.h"

namespace deeptf::device {
namespace {

CentrePairs pairs_of(const Block& block) {
  return {block.num_atoms,
          block.num_pairs,
          block.num_types,
          block.type,
          block.neighbor_count,
          block.first,
          1,
          block.num_atoms,
          block.displacement};
}

struct Scale {
  CentrePairs in;
  const double *upper, *gradient;
  double* out;

  DEEPTF_HD void operator()(int64_t atom) const {
    over_pairs(in, atom, [&](int64_t pair, int64_t, double) {
      for (int64_t k = 3 * pair; k < 3 * pair + 3; ++k) out[k] = upper[atom] * gradient[k];
    });
  }
};

// Adds, for all pairs, their gradient times that in the number of their centre.
Stage::Pull pull_of(const CentreStage& at, const double* gradient, const Block& block,
                    Values& values) {
  return [at, gradient, &block, &values] {
    const double* upper = values.gradient<double>(at.gives);
    values.add_gradient<double>(at.takes, [&](double* out) {
      for_each(block.cuda, block.num_atoms, Scale{pairs_of(block), upper, gradient, out});
    });
  };
}

template <class Constants>
class PairEnergyStage final : public Stage {
 public:
  explicit PairEnergyStage(const StageReader& reader)
      : constants_(reader), nodes_(constants_.nodes) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    double* slopes = values.keep<double>(3 * block.num_pairs);
    pair_energies(pairs_of(block), constants_.function(block.num_types, nodes_.data()), block.cuda,
                  values.give<double>(constants_.gives), slopes);
    return gradient ? pull_of(constants_, slopes, block, values) : Pull{};
  }

 private:
  Constants constants_;
  Constant<double> nodes_;
};

class SoftMinimumStage final : public Stage {
 public:
  explicit SoftMinimumStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    double* slopes = values.keep<double>(3 * block.num_pairs);
    soft_minimum(pairs_of(block), constants_.of, block.cuda, values.give<double>(constants_.gives),
                 slopes);
    return gradient ? pull_of(constants_, slopes, block, values) : Pull{};
  }

 private:
  SoftMinimumConstants constants_;
};

}  // namespace

std::unique_ptr<Stage> make_pair_table(const StageReader& reader) {
  return std::make_unique<PairEnergyStage<PairTableConstants>>(reader);
}

std::unique_ptr<Stage> make_zbl(const StageReader& reader) {
  return std::make_unique<PairEnergyStage<ZblConstants>>(reader);
}

std::unique_ptr<Stage> make_soft_minimum(const StageReader& reader) {
  return std::make_unique<SoftMinimumStage>(reader);
}

}  // namespace deeptf::device
