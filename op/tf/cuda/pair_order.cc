// GPU kernel of the op in tf/pair_order.cc.
#include "core/cuda/pair_order.h"

#include "tf/cuda/gpu.h"

namespace deeptf {
namespace {

struct Types {
  explicit Types(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("num_types", &number));
  }
  int64_t number = 0;
};

void sorted(OpKernelContext* context, const Types& types) {
  const Tensor& row = input(context, 0, "row", {-1});
  const Tensor& neighbor = input(context, 1, "neighbor", {-1});
  const Tensor& displacement = input(context, 2, "displacement", {neighbor.dim_size(0), 3});
  const Tensor& atom_type = input(context, 3, "atom_type", {-1});
  const int64_t centres = row.dim_size(0) - 1, all = atom_type.dim_size(0), t = types.number;
  if (centres < 0 || centres > all) {
    throw Error("`row` must have 1 to " + std::to_string(all + 1) +
                " elements, one more than centres, got " + std::to_string(centres + 1));
  }
  const PairList list{centres,
                      *data<int32_t>(input(context, 4, "num_owned", {})),
                      all,
                      static_cast<int32_t>(t),
                      data<int32_t>(row),
                      data<int32_t>(neighbor),
                      data<double>(displacement),
                      data<int32_t>(atom_type)};
  CudaPairSorter sorter(list, neighbor.dim_size(0), Gpu::of(context));
  const int64_t real = sorter.num_real(), pairs = sorter.num_sorted();
  const PairCounts counts{
      output<int32_t>(context, 0, {real}),    output<int32_t>(context, 1, {t}),
      output<int32_t>(context, 2, {real, t}), output<int32_t>(context, 3, {t, t}),
      output<int32_t>(context, 7, {real, t}), output<int32_t>(context, 8, {all + 1})};
  sorter.fill(counts,
              {output<int32_t>(context, 4, {pairs}), output<int32_t>(context, 5, {pairs}),
               output<double>(context, 6, {pairs, 3}), output<int32_t>(context, 9, {pairs})});
}

}  // namespace

REGISTER_KERNEL_BUILDER(DEEPTF_GPU("SortPairs").HostMemory("num_owned"), Kernel<Types, sorted>);

}  // namespace deeptf
