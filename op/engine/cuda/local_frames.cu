// Descriptors of neighbours in local axes; core/geometry/local_frames.h has the equations.
#include "core/cuda/local_frames.h"
#include "engine/cuda/stage.h"
#include "engine/plan/local_frames_constants.h"

namespace deeptf::device {
namespace {

struct RefuseAtoms {
  const int32_t *lack, *type, *atom;
  int64_t stage;
  unsigned long long* refused;

  __device__ void operator()(int64_t k) const {
    if (lack[k] == kNothing) return;
    atomicMax(refused, Refusal{stage, atom[k], kPlane * type[k] + lack[k] - 1}.packed());
  }
};

struct Normalise {
  int64_t width;
  const int32_t* type;
  const double *mean, *inverse;  // of stddev
  double* rows;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t at = type[k / width] * width + k % width;
    rows[k] = (rows[k] - mean[at]) * inverse[at];
  }
};

struct PullNormalise {
  int64_t width;
  const int32_t* type;
  const double *upper, *inverse;
  double* to;

  DEEPTF_HD void operator()(int64_t k) const {
    to[k] = upper[k] * inverse[type[k / width] * width + k % width];
  }
};

class LocalFramesStage final : public Stage {
 public:
  explicit LocalFramesStage(const StageReader& reader)
      : constants_(reader), mean_(constants_.mean) {
    std::vector<double> inverse;
    for (const double stddev : constants_.stddev.numbers) inverse.push_back(1 / stddev);
    inverse_ = Constant<double>(inverse.data(), static_cast<int64_t>(inverse.size()));
    const std::vector<int32_t> numbers = numbers_of(constants_.frames);
    numbers_ = Constant<int32_t>(numbers.data(), static_cast<int64_t>(numbers.size()));
  }

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const PlacedFramesInputs in{placed_frames(constants_.frames, numbers_.data()),
                                block.num_atoms,
                                block.num_pairs,
                                block.type,
                                block.neighbor_count,
                                block.first,
                                block.displacement};
    const int64_t n = block.num_atoms, width = constants_.width;
    double* rows = values.give<double>(constants_.gives);
    int32_t* chosen = values.keep<int32_t>(n * in.frames.num_chosen());
    int32_t* lack = values.keep<int32_t>(n);
    {
      const Arena::Scope scope(block.arena);
      deeptf::local_frames(in, block.cuda, rows, chosen, lack);
    }
    for_each(block.cuda, n, RefuseAtoms{lack, block.type, block.atom, number, block.refused});
    for_each(block.cuda, n * width,
             Normalise{width, block.type, mean_.data(), inverse_.data(), rows});
    if (!gradient) return {};
    return [this, in, chosen, lack, &block, &values] {
      const int64_t count = block.num_atoms * constants_.width;
      double* upper = values.keep<double>(count);
      for_each(block.cuda, count,
               PullNormalise{constants_.width, block.type,
                             values.gradient<double>(constants_.gives), inverse_.data(), upper});
      values.add_gradient<double>(constants_.takes, [&](double* out) {
        deeptf::local_frames_grad(in, block.cuda, chosen, lack, upper, out);
      });
    };
  }

  std::string message(const Refusal& refusal, const Centres&) const override {
    return "atom " + std::to_string(refusal.atom) + ": " + constants_.lacks[refusal.reason];
  }

 private:
  LocalFramesConstants constants_;
  Constant<double> mean_, inverse_;  // of stddev
  Constant<int32_t> numbers_;
};

}  // namespace

std::unique_ptr<Stage> make_local_frames(const StageReader& reader) {
  return std::make_unique<LocalFramesStage>(reader);
}

}  // namespace deeptf::device
