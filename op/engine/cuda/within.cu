// The pairs closer than a cut-off: a set of its own, which later stages take in place of all pairs.
// Nothing waits for their number, so the set has room for all of them.
#include "core/cuda/primitives.h"
#include "engine/cuda/stage.h"
#include "engine/plan/within_constants.h"

namespace deeptf::device {
namespace {

struct IsNear {
  double rcut;
  const double* displacement;
  int32_t* near;  // [p + 1]; then its sums

  DEEPTF_HD void operator()(int64_t pair) const {
    const double* d = displacement + 3 * pair;
    near[pair] = d[0] * d[0] + d[1] * d[1] + d[2] * d[2] < rcut * rcut ? 1 : 0;
  }
};

// first [T, n] and neighbor_count [n, T] of the near pairs, from those of all pairs and the sums.
struct CountNear {
  int64_t num_atoms, num_types;
  const int32_t *all_first, *all_count, *sum;
  int32_t *first, *count;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t at = k % num_atoms * num_types + k / num_atoms, begin = all_first[k];
    first[k] = sum[begin];
    count[at] = sum[begin + all_count[at]] - sum[begin];
  }
};

struct TakeNear {
  const int32_t *all_centre, *sum;
  const double* all_displacement;
  int32_t* centre;
  double* displacement;

  DEEPTF_HD void operator()(int64_t pair) const {
    const int64_t to = sum[pair];
    if (sum[pair + 1] == to) return;
    centre[to] = all_centre[pair];
    for (int k = 0; k < 3; ++k) displacement[3 * to + k] = all_displacement[3 * pair + k];
  }
};

struct GiveBack {
  const int32_t* sum;
  const double* upper;
  double* out;

  DEEPTF_HD void operator()(int64_t pair) const {
    const bool near = sum[pair + 1] != sum[pair];
    for (int k = 0; k < 3; ++k) out[3 * pair + k] = near ? upper[int64_t{3} * sum[pair] + k] : 0;
  }
};

class WithinStage final : public Stage {
 public:
  explicit WithinStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const int64_t pairs = block.num_pairs, counts = block.num_atoms * block.num_types;
    int32_t* sum = values.keep<int32_t>(pairs + 1);
    set_zero(block.cuda, sum + pairs, 1);
    for_each(block.cuda, pairs, IsNear{constants_.rcut, block.displacement, sum});
    exclusive_scan(block.cuda, sum, pairs + 1, sum);
    int32_t *first = values.keep<int32_t>(counts), *count = values.keep<int32_t>(counts);
    int32_t* centre = values.keep<int32_t>(pairs);
    for_each(block.cuda, counts,
             CountNear{block.num_atoms, block.num_types, block.first, block.neighbor_count, sum,
                       first, count});
    Block& near = values.add_block(block);
    double* displacement = values.give<double>(constants_.gives);
    for_each(block.cuda, pairs,
             TakeNear{block.centre, sum, block.displacement, centre, displacement});
    near.first = first;
    near.neighbor_count = count;
    near.centre = centre;
    near.displacement = displacement;
    if (!gradient) return {};
    return [this, sum, pairs, &block, &values] {
      const double* upper = values.gradient<double>(constants_.gives);
      values.add_gradient<double>(constants_.takes, [&](double* out) {
        for_each(block.cuda, pairs, GiveBack{sum, upper, out});
      });
    };
  }

 private:
  WithinConstants constants_;
};

}  // namespace

std::unique_ptr<Stage> make_within(const StageReader& reader) {
  return std::make_unique<WithinStage>(reader);
}

}  // namespace deeptf::device
