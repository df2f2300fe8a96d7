// Bindings of NeighborSum, NeighborSumValueGrad and NeighborSumWeightGrad; see
// core/moments/neighbor_sum.h.
#include "core/moments/neighbor_sum.h"

#include "tf/binding.h"

namespace deeptf {
namespace {

// Merges the pair axis of two [p, *] inputs.
absl::Status merge_pairs(InferenceContext* c, int one, int other, DimensionHandle* pairs) {
  return c->Merge(c->Dim(c->input(one), 0), c->Dim(c->input(other), 0), pairs);
}

absl::Status shape_of_sum(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, -1}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1, -1}));
  DimensionHandle pairs;
  TF_RETURN_IF_ERROR(merge_pairs(c, 1, 2, &pairs));
  c->set_output(
      0, c->MakeShape({c->Dim(c->input(0), 0), c->Dim(c->input(1), 1), c->Dim(c->input(2), 1)}));
  return absl::OkStatus();
}

// Output [p, M] (axis = 2) or [p, W] (axis = 1) from inputs count, [p, W or M], grad [n, W, M].
absl::Status shape_of_grad(InferenceContext* c, int axis) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, -1}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1, -1, -1}));
  DimensionHandle same;
  TF_RETURN_IF_ERROR(c->Merge(c->Dim(c->input(0), 0), c->Dim(c->input(2), 0), &same));
  TF_RETURN_IF_ERROR(c->Merge(c->Dim(c->input(1), 1), c->Dim(c->input(2), 3 - axis), &same));
  c->set_output(0, c->Matrix(c->Dim(c->input(1), 0), c->Dim(c->input(2), axis)));
  return absl::OkStatus();
}

template <class T>
class NeighborSum : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const Tensor& count = input(context, 0, "count", {-1});
      const Tensor& weight = input(context, 1, "weight", {-1, -1});
      const Tensor& value = input(context, 2, "value", {weight.dim_size(0), -1});
      const Runs runs{count.dim_size(0), weight.dim_size(0), weight.dim_size(1), value.dim_size(1),
                      data<int32_t>(count)};
      check_runs(runs);
      T* sum = output<T>(context, 0, {runs.num_atoms, runs.columns, runs.width});
      neighbor_sum(runs, context_of(context), data<T>(weight), data<T>(value), sum);
    });
  }
};

template <class T>
class NeighborSumValueGrad : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const Tensor& count = input(context, 0, "count", {-1});
      const Tensor& weight = input(context, 1, "weight", {-1, -1});
      const Tensor& grad = input(context, 2, "grad", {count.dim_size(0), weight.dim_size(1), -1});
      const Runs runs{count.dim_size(0), weight.dim_size(0), weight.dim_size(1), grad.dim_size(2),
                      data<int32_t>(count)};
      check_runs(runs);
      T* value_grad = output<T>(context, 0, {runs.num_pairs, runs.width});
      neighbor_sum_value_grad(runs, context_of(context), data<T>(weight), data<T>(grad),
                              value_grad);
    });
  }
};

template <class T>
class NeighborSumWeightGrad : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const Tensor& count = input(context, 0, "count", {-1});
      const Tensor& value = input(context, 1, "value", {-1, -1});
      const Tensor& grad = input(context, 2, "grad", {count.dim_size(0), -1, value.dim_size(1)});
      const Runs runs{count.dim_size(0), value.dim_size(0), grad.dim_size(1), value.dim_size(1),
                      data<int32_t>(count)};
      check_runs(runs);
      T* weight_grad = output<T>(context, 0, {runs.num_pairs, runs.columns});
      neighbor_sum_weight_grad(runs, context_of(context), data<T>(value), data<T>(grad),
                               weight_grad);
    });
  }
};

}  // namespace

REGISTER_OP("NeighborSum")
    .Attr("T: {float, double}")
    .Input("count: int32")
    .Input("weight: T")
    .Input("value: T")
    .Output("sum: T")
    .SetShapeFn(shape_of_sum);

REGISTER_OP("NeighborSumValueGrad")
    .Attr("T: {float, double}")
    .Input("count: int32")
    .Input("weight: T")
    .Input("grad: T")
    .Output("value_grad: T")
    .SetShapeFn([](InferenceContext* c) { return shape_of_grad(c, 2); });

REGISTER_OP("NeighborSumWeightGrad")
    .Attr("T: {float, double}")
    .Input("count: int32")
    .Input("value: T")
    .Input("grad: T")
    .Output("weight_grad: T")
    .SetShapeFn([](InferenceContext* c) { return shape_of_grad(c, 1); });

#define DEEPTF_REGISTER(NAME, T)                                                             \
  REGISTER_KERNEL_BUILDER(Name(#NAME).Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), \
                          NAME<T>)
DEEPTF_REGISTER(NeighborSum, float);
DEEPTF_REGISTER(NeighborSum, double);
DEEPTF_REGISTER(NeighborSumValueGrad, float);
DEEPTF_REGISTER(NeighborSumValueGrad, double);
DEEPTF_REGISTER(NeighborSumWeightGrad, float);
DEEPTF_REGISTER(NeighborSumWeightGrad, double);
#undef DEEPTF_REGISTER

}  // namespace deeptf
