// GPU kernel of the op in tf/pair_order.cc.
#include "tf/pair_order.h"

#include "core/cuda/pair_order.h"
#include "tf/cuda/gpu.h"

namespace deeptf {
namespace {

void sorted(OpKernelContext* context, const NumTypes& types) {
  const PairListInputs in(context, types);
  CudaPairSorter sorter(in.list, in.num_pairs, Gpu::of(context));
  const int64_t real = sorter.num_real(), all = in.list.num_all, t = types.number;
  const PairCounts counts{
      output<int32_t>(context, 0, {real}),    output<int32_t>(context, 1, {t}),
      output<int32_t>(context, 2, {real, t}), output<int32_t>(context, 3, {t, t}),
      output<int32_t>(context, 7, {real, t}), output<int32_t>(context, 8, {all + 1})};
  sorter.fill(counts, sorted_pairs(context, sorter.num_sorted()));
}

}  // namespace

REGISTER_KERNEL_BUILDER(DEEPTF_GPU("SortPairs").HostMemory("num_owned"), Kernel<NumTypes, sorted>);

}  // namespace deeptf
