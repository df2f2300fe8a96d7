// See host_adam.h.
#include "train/host_adam.h"

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
HostAdam<T>::HostAdam(const Host& host, std::vector<int64_t> sizes, int64_t extra)
    : extra_(extra), sum_(host, with(std::move(sizes), extra), kRooms) {}

template <class T>
void HostAdam<T>::step(const std::vector<AdamArrays<const T>>& arrays, const AdamStep& step,
                       const T* extra, T* sums, const Context& context) const {
  const int64_t to = kWeights + (sum_.times() + 1) % 2, last = static_cast<int64_t>(arrays.size());
  std::vector<const T*> gradients;
  for (const AdamArrays<const T>& array : arrays) gradients.push_back(array.gradient);
  gradients.push_back(extra);
  const auto finish = [&](int64_t index, int64_t begin, int64_t size, const T* sum) {
    const auto moved = [&](int64_t room, const T* from) {
      T* place = sum_.room(room, index) + begin;
      if (place != from) std::copy_n(from, size, place);
      return place;
    };
    if (index < last) {
      const AdamArrays<const T>& array = arrays[index];
      adam<T>({size, moved(to, array.weight + begin), moved(kFirst, array.first + begin),
               moved(kSecond, array.second + begin), sum},
              step);
    } else {
      moved(to, sum);
    }
  };
  sum_.share(gradients, finish, context);
  std::copy_n(weight(last), extra_, sums);
}

template class HostAdam<float>;
template class HostAdam<double>;

}  // namespace deeptf
