// Shares of pairs on a device; engine/plan/gate_constants.h has the formula.
#pragma once

#include "engine/cuda/stage.h"
#include "engine/plan/gate_constants.h"

namespace deeptf::device {

struct FindShares {
  ShareFormula formula;
  CentreTypes types;
  const double* rows;
  double *shares, *slopes;  // [p]; slopes or null

  DEEPTF_HD void operator()(int64_t pair) const {
    const int32_t type = types(pair);
    if (type < 0) return;
    shares[pair] = formula.share(type, rows[4 * pair]);
    if (slopes != nullptr) slopes[pair] = formula.slope(type, rows[4 * pair]);
  }
};

// Those of the pairs of a block; null where each share is 1, or slopes are not wanted.
struct Shares {
  const double *share, *slope;
};

class PairShares {
 public:
  explicit PairShares(const ShareConstants& host)
      : rcut_smth_(host.rcut_smth), mean_(host.mean), stddev_(host.stddev), fade_(host.fade()) {}

  bool fade() const { return fade_; }

  // With their derivatives in the first numbers of the rows where `gradient`.
  Shares of(const Block& block, const double* rows, const Values& values, bool gradient) const {
    if (!fade_) return {nullptr, nullptr};
    double* shares = values.keep<double>(block.num_pairs);
    double* slopes = gradient ? values.keep<double>(block.num_pairs) : nullptr;
    for_each(block.cuda, block.num_pairs,
             FindShares{{rcut_smth_, mean_.data(), stddev_.data()},
                        block.centre_types(),
                        rows,
                        shares,
                        slopes});
    return {shares, slopes};
  }

 private:
  double rcut_smth_;
  Constant<double> mean_, stddev_;
  bool fade_;
};

}  // namespace deeptf::device
