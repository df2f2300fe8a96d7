// See node_adam.h.
#include "core/node_adam.h"

#include <algorithm>
#include <utility>

namespace deeptf {
namespace {

std::vector<int64_t> with(std::vector<int64_t> sizes, int64_t extra) {
  sizes.push_back(extra);
  return sizes;
}

}  // namespace

template <class T>
NodeAdam<T>::NodeAdam(const Node& node, std::vector<int64_t> sizes, int64_t extra)
    : sum_(node, with(std::move(sizes), extra), 2) {}

template <class T>
void NodeAdam<T>::step(const std::vector<AdamArrays<T>>& arrays, const AdamStep& step,
                       const T* extra, T* sums, const ParallelFor& parallel) const {
  std::vector<const T*> gradients;
  std::vector<T*> results;
  for (const AdamArrays<T>& array : arrays) {
    gradients.push_back(array.gradient);
    results.push_back(array.weight);
  }
  gradients.push_back(extra);
  results.push_back(sums);
  const auto finish = [&](int64_t index, int64_t begin, int64_t size, T* values) {
    if (index == static_cast<int64_t>(arrays.size())) return;
    const AdamArrays<T>& array = arrays[index];
    T *first = this->first(index), *second = this->second(index), *weight = array.weight + begin;
    if (array.first != first) std::copy_n(array.first + begin, size, first + begin);
    if (array.second != second) std::copy_n(array.second + begin, size, second + begin);
    adam<T>({size, weight, first + begin, second + begin, values}, step);
    std::copy_n(weight, size, values);
  };
  sum_.sum(gradients, results, finish, parallel);
}

template class NodeAdam<float>;
template class NodeAdam<double>;

}  // namespace deeptf
