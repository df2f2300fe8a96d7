// See adam.h.
#include "core/cuda/adam.h"
#include "core/cuda/arrays.h"

namespace deeptf {
namespace {

template <class T>
struct Step : AdamArrays<T> {
  AdamRates<T> rates;

  DEEPTF_HD void operator()(int64_t k) const {
    adam_number(rates, this->gradient[k], this->weight + k, this->first + k, this->second + k);
  }
};

}  // namespace

template <class T>
void adam(const std::vector<AdamArrays<T>>& all, const AdamStep& step, const Cuda& cuda) {
  std::vector<Step<T>> steps;
  for (const AdamArrays<T>& arrays : all) steps.push_back({arrays, AdamRates<T>(step)});
  over_items(cuda, steps);
}

template void adam<float>(const std::vector<AdamArrays<float>>&, const AdamStep&, const Cuda&);
template void adam<double>(const std::vector<AdamArrays<double>>&, const AdamStep&, const Cuda&);

}  // namespace deeptf
