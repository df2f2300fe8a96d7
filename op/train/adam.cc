// See adam.h. The arrays are cut into parts of one size, so that a large array is shared by threads
// and small ones cost no loop of their own.
#include "train/adam.h"

#include <algorithm>

#include "core/base/scratch.h"

namespace deeptf {
namespace {

constexpr int64_t kPart = 4096;         // numbers
constexpr int64_t kCyclesOfNumber = 2;  // memory is what takes time

int64_t parts_of(int64_t size) { return (size + kPart - 1) / kPart; }

template <class T>
Scratch<AdamArrays<T>> cut(const std::vector<AdamArrays<T>>& all) {
  int64_t number = 0;
  for (const AdamArrays<T>& array : all) number += parts_of(array.size);
  Scratch<AdamArrays<T>> parts(number);
  AdamArrays<T>* next = parts.data();
  for (const AdamArrays<T>& array : all) {
    for (int64_t k = 0; k < array.size; k += kPart) {
      *next++ = {std::min(kPart, array.size - k), array.weight + k, array.first + k,
                 array.second + k, array.gradient + k};
    }
  }
  return parts;
}

}  // namespace

template <class T>
void adam(const AdamArrays<T>& array, const AdamStep& step) {
  const AdamRates<T> rates(step);
  T *w = array.weight, *m = array.first, *v = array.second;
  const T* g = array.gradient;
#pragma omp simd
  for (int64_t k = 0; k < array.size; ++k) adam_number(rates, g[k], w + k, m + k, v + k);
}

template <class T>
void adam(const std::vector<AdamArrays<T>>& all, const AdamStep& step, const Context& context) {
  const Scratch<AdamArrays<T>> parts = cut(all);
  context.parallel(parts.size(), kPart * kCyclesOfNumber, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) adam(parts[k], step);
  });
}

template void adam<float>(const AdamArrays<float>&, const AdamStep&);
template void adam<double>(const AdamArrays<double>&, const AdamStep&);
template void adam<float>(const std::vector<AdamArrays<float>>&, const AdamStep&, const Context&);
template void adam<double>(const std::vector<AdamArrays<double>>&, const AdamStep&, const Context&);

}  // namespace deeptf
