// See primitives.h; the one file that includes CUB.
#include "core/cuda/device.h"
#include "core/cuda/primitives.h"

#ifdef __CUDACC__
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_scan.cuh>
#include <cuda/std/functional>
#else
#include <algorithm>
#include <numeric>
#include <vector>
#endif

namespace deeptf {
namespace {

#ifdef __CUDACC__
// CUB asks for its scratch size in a first call and works in a second one.
template <class Call>
void call_cub(const Cuda& cuda, const Call& call) {
  size_t bytes = 0;
  check_cuda(call(nullptr, bytes));
  void* scratch = cuda.allocate(bytes);
  check_cuda(call(scratch, bytes));
}
#endif

template <class Sum>
void scan(const Cuda& cuda, const int32_t* values, int64_t count, Sum* sum) {
#ifdef __CUDACC__
  call_cub(cuda, [&](void* scratch, size_t& bytes) {
    return cub::DeviceScan::ExclusiveScan(scratch, bytes, values, sum, cuda::std::plus<>(), Sum{0},
                                          count, stream_of(cuda));
  });
#else
  (void)cuda;
  std::exclusive_scan(values, values + count, sum, Sum{0});
#endif
}

struct FindStart {
  const int32_t* sorted_keys;
  int64_t count;
  int32_t* start;

  DEEPTF_HD void operator()(int64_t k) const {
    int64_t low = 0, high = count;
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (sorted_keys[middle] < k) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    start[k] = static_cast<int32_t>(low);
  }
};

}  // namespace

void exclusive_scan(const Cuda& cuda, const int32_t* values, int64_t count, int32_t* sum) {
  scan(cuda, values, count, sum);
}

void exclusive_scan(const Cuda& cuda, const int32_t* values, int64_t count, int64_t* sum) {
  scan(cuda, values, count, sum);
}

void sort_by_key(const Cuda& cuda, int64_t count, int bits, const int32_t* keys,
                 int32_t* sorted_keys, const int32_t* values, int32_t* sorted_values) {
#ifdef __CUDACC__
  call_cub(cuda, [&](void* scratch, size_t& bytes) {
    return cub::DeviceRadixSort::SortPairs(scratch, bytes, keys, sorted_keys, values, sorted_values,
                                           count, 0, bits, stream_of(cuda));
  });
#else
  (void)cuda, (void)bits;
  std::vector<int32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return keys[a] < keys[b]; });
  for (int64_t k = 0; k < count; ++k) sorted_keys[k] = keys[order[k]];
  for (int64_t k = 0; k < count; ++k) sorted_values[k] = values[order[k]];
#endif
}

void find_starts(const Cuda& cuda, const int32_t* sorted_keys, int64_t count, int64_t most,
                 int32_t* start) {
  for_each(cuda, most + 1, FindStart{sorted_keys, count, start});
}

}  // namespace deeptf
