// What the ops on tabulated curves share: the inputs that describe segments and pairs.
#pragma once

#include <algorithm>

#include "core/curve/sum.h"
#include "tf/binding.h"

namespace deeptf {

struct SegmentSizes {
  explicit SegmentSizes(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("segments", &segments));
    OP_REQUIRES_OK(context, context->GetAttr("near", &near));
    OP_REQUIRES(context, segments > 0, absl::InvalidArgumentError("`segments` must be positive"));
  }
  int64_t segments = 0, near = 0;
};

// From input `index` on: node_row [C S + 1], grid [C S, 2].
inline CurveSegments segments_from(OpKernelContext* context, int index, const SegmentSizes& sizes) {
  const int64_t ends = input(context, index, "node_row", {-1}).dim_size(0);
  const int64_t curves = std::max<int64_t>(0, ends - 1) / sizes.segments;
  const int64_t number = curves * sizes.segments;
  return {curves, sizes.segments, sizes.near,
          data<int32_t>(input(context, index, "node_row", {number + 1})),
          data<double>(input(context, index + 1, "grid", {number, 2}))};
}

// Input 0: rows [p, W]. From input `index` on: curve [T, T], sel [T], empty [T, T], atom_count [T],
// neighbor_count [n, T].
inline CurvePairs pairs_from(OpKernelContext* context, int index) {
  const Tensor& rows = input(context, 0, "rows", {-1, -1});
  const Tensor& neighbor_count = input(context, index + 4, "neighbor_count", {-1, -1});
  const int64_t types = neighbor_count.dim_size(1);
  return {neighbor_count.dim_size(0),
          rows.dim_size(0),
          types,
          rows.dim_size(1),
          data<int32_t>(input(context, index + 3, "atom_count", {types})),
          data<int32_t>(neighbor_count),
          data<int32_t>(input(context, index, "curve", {types, types})),
          data<double>(input(context, index + 1, "sel", {types})),
          data<double>(input(context, index + 2, "empty", {types, types}))};
}

// What the kernels take of them; a GPU's want more (tf/cuda/placed.h).
inline const CurvePairs& placed(const CurvePairs& pairs, const Context&) { return pairs; }

inline absl::Status expect_segments(InferenceContext* c, int index) {
  TF_RETURN_IF_ERROR(expect(c, index, {-1}));
  return expect(c, index + 1, {-1, 2});
}

inline absl::Status expect_pairs(InferenceContext* c, int index) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, -1}));
  TF_RETURN_IF_ERROR(expect(c, index, {-1, -1}));
  TF_RETURN_IF_ERROR(expect(c, index + 1, {-1}));
  TF_RETURN_IF_ERROR(expect(c, index + 2, {-1, -1}));
  TF_RETURN_IF_ERROR(expect(c, index + 3, {-1}));
  return expect(c, index + 4, {-1, -1});
}

}  // namespace deeptf
