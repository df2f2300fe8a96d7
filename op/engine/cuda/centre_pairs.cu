// Energies of pairs, by a table or by the formula of nuclei, and how near neighbours are.
#include <algorithm>

#include "core/cuda/centre_pairs.h"
#include "core/geometry/bin_grid.h"
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

// Centres whose energy is not a number since a pair is closer than the table knows.
struct RefuseClose {
  CentrePairs in;
  PairTable table;
  const double* energy;
  const int32_t* atom;
  int64_t stage;
  unsigned long long* refused;

  __device__ void operator()(int64_t k) const {
    if (energy[k] * 0 == 0) return;
    over_pairs(in, k, [&](int64_t, int64_t, double r) {
      if (!table.knows(r)) atomicMax(refused, Refusal{stage, atom[k], 0}.packed());
    });
  }
};

template <class Constants>
class PairEnergyStage final : public Stage {
 public:
  explicit PairEnergyStage(const StageReader& reader)
      : constants_(reader), nodes_(constants_.nodes) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    double* slopes = values.keep<double>(3 * block.num_pairs);
    double* energy = values.give<double>(constants_.gives);
    const CentrePairs in = pairs_of(block);
    const auto function = constants_.function(block.num_types, nodes_.data());
    pair_energies(in, function, block.cuda, energy, slopes);
    if constexpr (kHasTable) {
      for_each(block.cuda, block.num_atoms,
               RefuseClose{in, function, energy, block.atom, number, block.refused});
    }
    return gradient ? pull_of(constants_, slopes, block, values) : Pull{};
  }

  // As the CPU says it of the first pair of the atom.
  std::string message(const Refusal& refusal, const Centres& given) const override {
    if constexpr (kHasTable) {
      const PairTable table = constants_.function(0, nullptr);
      const int32_t* atoms = given.atoms();
      const int64_t place = std::find(atoms, atoms + given.count(), refusal.atom) - atoms;
      FoundPairs found;
      given.find(place, place + 1, &found);
      for (int32_t pair = 0; pair < found.row[1]; ++pair) {
        const double* x = found.displacement.data() + 3 * int64_t{pair};
        if (table.knows(length(x))) continue;
        return given.names_of(refusal.atom, found.neighbor[pair]) + below_table(table, x);
      }
    }
    return {};
  }

 private:
  static constexpr bool kHasTable = std::is_same_v<Constants, PairTableConstants>;

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
