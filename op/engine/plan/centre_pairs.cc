// Energies of pairs, by a table or by the formula of nuclei, and how near neighbours are.
#include "core/short_range/centre_pairs.h"

#include "engine/plan/centre_pairs_constants.h"
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

CentrePairs pairs_of(const AtomBlock& block) {
  return {block.num_atoms,      block.num_pairs, block.num_types, block.type,
          block.neighbor_count, block.first,     block.num_types, 1,
          block.displacement};
}

// Adds, for all pairs, their gradient times that in the number of their centre.
Stage::Pull pull_of(const CentreStage& at, const double* gradient, const AtomBlock& block,
                    Values& values) {
  return [at, gradient, &block, &values] {
    const double* upper = values.gradient<double>(at.gives);
    values.add_gradient<double>(at.takes, [&](double* out) {
      for (int64_t k = 0; k < 3 * block.num_pairs; ++k) {
        out[k] = upper[block.centre[k / 3]] * gradient[k];
      }
    });
  };
}

template <class Constants>
class PairEnergyStage final : public Stage {
 public:
  explicit PairEnergyStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const CentrePairs in = pairs_of(block);
    double* slopes = values.keep<double>(3 * block.num_pairs);
    const auto function = constants_.function(block.num_types, constants_.nodes.data());
    double* energy = values.give<double>(constants_.gives);
    const int64_t wrong = pair_energies(in, function, block.context, energy, slopes);
    if constexpr (std::is_same_v<Constants, PairTableConstants>) {
      if (wrong >= 0) {
        throw WrongPair{block.pair_of_caller(wrong),
                        below_table(function, block.displacement + 3 * wrong)};
      }
    }
    return gradient ? pull_of(constants_, slopes, block, values) : Pull{};
  }

 private:
  Constants constants_;
};

class SoftMinimumStage final : public Stage {
 public:
  explicit SoftMinimumStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    double* slopes = values.keep<double>(3 * block.num_pairs);
    soft_minimum(pairs_of(block), constants_.of, block.context,
                 values.give<double>(constants_.gives), slopes);
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

}  // namespace deeptf
