// Attention between the neighbours of water (bench_model.h), in one layer of 128 numbers, with
// what training takes beside: the arrays, for the benchmark. Values are random.
#pragma once

#include "bench_model.h"
#include "core/cuda/attention.h"

namespace deeptf_test {

#ifdef __CUDACC__
constexpr int64_t kAttn = 128;
#else
constexpr int64_t kAttn = 16;  // times mean nothing
#endif
constexpr int64_t kPlaces = 120;
constexpr int64_t kMostAttending = 12288;  // atoms; arrays of more are larger than a GPU's memory

template <class T>
class Attending {
 public:
  Attending(const Model<T>& model, Arena* arena)
      : atoms(model.atoms), pairs(model.pairs), arena_(arena) {
    const int64_t many = pairs * deeptf::kParts * kAttn;
    const deeptf::Cuda cuda = arena->cuda();
    count_ = cuda.scratch<int32_t>(atoms);
    deeptf::for_each(cuda, atoms, CountPairs{model.row, count_});
    for (T** array : {&attended_, &attended_grad_, &tangent_}) *array = take(many);
    for (T** array : {&direction_, &direction_grad_, &direction_tangent_}) *array = take(3 * pairs);
    for (T** array : {&gate_, &gate_grad_, &gate_tangent_}) *array = take(pairs);
    for (T** array : {&out_, &upper_}) *array = take(pairs * kAttn);
    arena->keep();
  }

  void forward(const deeptf::Cuda& cuda) const { deeptf::attention<T>(shape(), cuda, in(), out_); }
  void gradient(const deeptf::Cuda& cuda) const {
    deeptf::attention_grad<T>(shape(), cuda, in(), upper_,
                              {attended_grad_, direction_grad_, gate_grad_});
  }
  // Writes over the arrays of its tangent, whose values do not matter.
  void second(const deeptf::Cuda& cuda) const {
    const auto more = cuda.scratch<T>(pairs * deeptf::kParts * kAttn);
    const auto small = cuda.scratch<T>(4 * pairs);
    deeptf::attention_grad_grad<T>(
        shape(), cuda, in(), upper_, {attended_grad_, direction_grad_, gate_grad_},
        {tangent_, direction_tangent_, gate_tangent_}, out_, {more, small, small + 3 * pairs});
  }

  // Of `products` products of queries with keys, and what is read and written.
  Work work(double products, double arrays) const {
    const auto all = static_cast<double>(pairs), each = all / static_cast<double>(atoms);
    return {arrays * all * kAttn * sizeof(T), 0, products * 2 * kAttn * all * each};
  }

  const int64_t atoms, pairs;

 private:
  struct CountPairs {
    const int32_t* row;
    int32_t* count;

    DEEPTF_HD void operator()(int64_t atom) const { count[atom] = row[atom + 1] - row[atom]; }
  };
  struct Wave {
    T* to;

    DEEPTF_HD void operator()(int64_t k) const { to[k] = static_cast<T>(k % 977) / 977 + T(0.1); }
  };

  T* take(int64_t size) const {
    const deeptf::Cuda cuda = arena_->cuda();
    T* to = cuda.scratch<T>(size);
    deeptf::for_each(cuda, size, Wave{to});
    return to;
  }

  deeptf::AttentionShape shape() const {
    return {{atoms, pairs, 3, kAttn, count_}, kPlaces, true, true, true};
  }
  deeptf::AttentionArrays<T> in() const { return {attended_, direction_, gate_}; }

  Arena* arena_;
  int32_t* count_;
  T *attended_, *attended_grad_, *tangent_;
  T *direction_, *direction_grad_, *direction_tangent_;
  T *gate_, *gate_grad_, *gate_tangent_;
  T *out_, *upper_;
};

}  // namespace deeptf_test
