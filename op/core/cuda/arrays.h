// Loops over the numbers of many arrays, such as the weights of all nets, in few launches: where
// the arrays lie travels as an argument of the kernel, so nothing is copied to the device for it.
#pragma once

#include <vector>

#include "core/cuda/device.h"

namespace deeptf {

// An Item has a size and a DEEPTF_HD operator()(k) for its numbers k = 0 .. size - 1.
template <class Item>
struct ItemBatch {
  static constexpr int kMost = 3500 / static_cast<int>(sizeof(Item) + sizeof(int64_t));
  int64_t end[kMost];  // of each item, its numbers and those of the items before
  Item items[kMost];
};

template <class Item>
__global__ void __launch_bounds__(256)
    item_kernel(const __grid_constant__ ItemBatch<Item> batch, int number) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x, count = batch.end[number - 1];
  for (int64_t k = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; k < count; k += step) {
    int begin = 0, last = number - 1;  // the first item that ends behind k
    while (begin < last) {
      const int middle = (begin + last) / 2;
      if (batch.end[middle] <= k) {
        begin = middle + 1;
      } else {
        last = middle;
      }
    }
    batch.items[begin](k - (begin > 0 ? batch.end[begin - 1] : 0));
  }
}

// Calls item(k) for all numbers of all items, in any order.
template <class Item>
void over_items(const Cuda& cuda, const std::vector<Item>& items) {
  static_assert(sizeof(ItemBatch<Item>) <= 4000, "arguments of a kernel have 4 KB");
  ItemBatch<Item> batch;
  int number = 0;
  int64_t count = 0;
  const auto run = [&] {
    if (number == 0) return;
    const int64_t blocks = (count + 255) / 256;
    launch(cuda, dim3(static_cast<unsigned>(blocks < 65535 ? blocks : 65535)), 256,
           item_kernel<Item>, batch, number);
    number = 0;
    count = 0;
  };
  for (const Item& item : items) {
    if (item.size == 0) continue;
    count += item.size;
    batch.end[number] = count;
    batch.items[number++] = item;
    if (number == ItemBatch<Item>::kMost) run();
  }
  run();
}

// to[k] = sum of parts from[k], from[k + stride] ...; the sum in the precision of `from`.
template <class From, class To>
struct AddParts {
  int64_t size;
  const From* from;
  int64_t parts, stride;
  To* to;

  DEEPTF_HD void operator()(int64_t k) const {
    From sum = from[k];
    for (int64_t part = 1; part < parts; ++part) sum += from[part * stride + k];
    to[k] = static_cast<To>(sum);
  }
};

}  // namespace deeptf
