// Attribute and inputs of SortPairs, for all devices; see core/geometry/pair_order.h.
#pragma once

#include <string>

#include "core/geometry/pair_order.h"
#include "tf/binding.h"

namespace deeptf {

struct NumTypes {
  explicit NumTypes(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("num_types", &number));
  }
  int64_t number = 0;
};

struct PairListInputs {
  PairListInputs(OpKernelContext* context, const NumTypes& types) {
    const Tensor& row = input(context, 0, "row", {-1});
    const Tensor& neighbor = input(context, 1, "neighbor", {-1});
    const Tensor& atom_type = input(context, 3, "atom_type", {-1});
    const int64_t centres = row.dim_size(0) - 1, all = atom_type.dim_size(0);
    num_pairs = neighbor.dim_size(0);
    const Tensor& displacement = input(context, 2, "displacement", {num_pairs, 3});
    if (centres < 0 || centres > all) {
      throw Error("`row` must have 1 to " + std::to_string(all + 1) +
                  " elements, one more than centres, got " + std::to_string(centres + 1));
    }
    list = {centres,
            *data<int32_t>(input(context, 4, "num_owned", {})),
            all,
            static_cast<int32_t>(types.number),
            data<int32_t>(row),
            data<int32_t>(neighbor),
            data<double>(displacement),
            data<int32_t>(atom_type)};
  }

  PairList list;
  int64_t num_pairs;  // of the arrays; `row` must end there
};

// Allocates what the pairs are written to.
inline SortedPairs sorted_pairs(OpKernelContext* context, int64_t pairs) {
  return {output<int32_t>(context, 4, {pairs}), output<int32_t>(context, 5, {pairs}),
          output<double>(context, 6, {pairs, 3}), output<int32_t>(context, 9, {pairs})};
}

}  // namespace deeptf
