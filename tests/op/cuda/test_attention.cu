// Attention and its derivatives on the device against the CPU.
#include "compare.h"
#include "core/cuda/attention.h"

using deeptf::AttentionArrays;
using deeptf::AttentionGrads;
using deeptf::AttentionShape;
using deeptf_test::DeviceArray;
using deeptf_test::distance;
using deeptf_test::kTolerance;

namespace {

template <class T>
using Values = std::vector<std::vector<T>>;  // attended, direction, gate

// As many numbers as an array has.
std::vector<int64_t> sizes(int64_t pairs, int64_t width) {
  return {3 * pairs * width, 3 * pairs, pairs};
}

template <class T>
struct Case {
  Case(const std::vector<int32_t>& count, int64_t width, bool smooth, bool dotr, bool diagonal)
      : count(count), width(width), smooth(smooth), dotr(dotr), diagonal(diagonal) {
    for (const int32_t number : count) pairs += number;
    for (const int64_t size : sizes(pairs, width)) {
      in.push_back(deeptf_test::random<T>(size, static_cast<unsigned>(size)));
      tangent.push_back(deeptf_test::random<T>(size, static_cast<unsigned>(size + 1)));
    }
    for (int64_t k = 0; k < pairs; ++k) {
      T& gate = in[2][k];
      gate = smooth ? 1 / (1 + gate * gate) : T(k % 3 != 1);
      if (k % 5 == 4) gate = 0;
    }
    upper = deeptf_test::random<T>(pairs * width, 9);
  }

  AttentionShape shape(const int32_t* at) const {
    const auto atoms = static_cast<int64_t>(count.size());
    return {{atoms, pairs, 3, width, at}, 20, smooth, dotr, diagonal};
  }

  std::vector<int32_t> count;
  int64_t width;
  bool smooth, dotr, diagonal;
  int64_t pairs = 0;
  Values<T> in, tangent;
  std::vector<T> upper;
};

template <class Array>
auto arrays(const std::vector<Array>& of) {
  return AttentionArrays<std::remove_cv_t<std::remove_pointer_t<decltype(&*of[0].data())>>>{
      of[0].data(), of[1].data(), of[2].data()};
}

// Output, its gradients, the gradient of `upper` and the second ones.
template <class T>
Values<T> of_cpu(const Case<T>& c) {
  const auto shape = c.shape(c.count.data());
  const deeptf::Context context = deeptf_test::serial();
  Values<T> all{std::vector<T>(c.upper.size())};
  const auto add = [&] {
    for (const int64_t size : sizes(c.pairs, c.width)) all.emplace_back(size);
  };
  add();
  all.emplace_back(c.upper.size());
  add();
  const auto grads = [&](size_t k) {
    return AttentionGrads<T>{all[k].data(), all[k + 1].data(), all[k + 2].data()};
  };
  const AttentionGrads<T> first = grads(1);
  deeptf::attention(shape, context, arrays(c.in), all[0].data());
  deeptf::attention_grad(shape, context, arrays(c.in), c.upper.data(), first);
  deeptf::attention_grad_grad<T>(shape, context, arrays(c.in), c.upper.data(),
                                 {first.attended, first.direction, first.gate}, arrays(c.tangent),
                                 all[4].data(), grads(5));
  return all;
}

// The same; second derivatives from the gradients of the CPU.
template <class T>
Values<T> of_device(const Case<T>& c, const Values<T>& wanted) {
  deeptf_test::TestDevice device;
  const deeptf::Cuda cuda = device.cuda();
  const DeviceArray<int32_t> count(c.count);
  const auto shape = c.shape(count.data());
  const auto on_device = [](auto begin, auto end) {
    return std::vector<DeviceArray<T>>(begin, end);
  };
  const auto in = on_device(c.in.begin(), c.in.end());
  const auto tangent = on_device(c.tangent.begin(), c.tangent.end());
  const auto first = on_device(wanted.begin() + 1, wanted.begin() + 4);
  const DeviceArray<T> upper(c.upper);
  std::vector<DeviceArray<T>> all;
  for (const auto& array : wanted) all.emplace_back(static_cast<int64_t>(array.size()));
  const auto grads = [&](size_t k) {
    return AttentionGrads<T>{all[k].data(), all[k + 1].data(), all[k + 2].data()};
  };
  deeptf::attention(shape, cuda, arrays(in), all[0].data());
  deeptf::attention_grad(shape, cuda, arrays(in), upper.data(), grads(1));
  deeptf::attention_grad_grad(shape, cuda, arrays(in), upper.data(), arrays(first), arrays(tangent),
                              all[4].data(), grads(5));
  Values<T> found;
  for (const auto& array : all) found.push_back(array.host());
  return found;
}

template <class T>
void compare(const Values<T>& found, const Values<T>& wanted) {
  for (size_t k = 0; k < found.size(); ++k) CHECK(distance(found[k], wanted[k]) < kTolerance<T>);
}

template <class T>
void check(const Case<T>& c) {
  const Values<T> wanted = of_cpu(c);
  compare(of_device(c, wanted), wanted);
}

}  // namespace

TEST(every_form_is_that_of_the_cpu) {
  for (int form = 0; form < 8; ++form) {
    check<double>({{3, 0, 1}, 2, (form & 1) > 0, (form & 2) > 0, (form & 4) > 0});
  }
}

TEST(more_pairs_and_columns_than_a_tile) {
  check<float>({{35}, 40, true, true, false});
  check<float>({{32, 5}, 3, false, true, true});
}

TEST(short_rows_are_those_of_the_cpu) {
  Case<double> c({4}, 6, true, true, true);
  for (int64_t k = 0; k < c.width; ++k) c.in[0][6 * c.width + k] *= 1e-9;
  for (int d = 0; d < 3; ++d) c.in[1][d] *= 1e-9;
  check(c);
}

TEST(results_do_not_depend_on_the_order) {
  const Case<double> c({4, 0, 33}, 34, true, true, true);
  const Values<double> wanted = of_cpu(c);
  compare(deeptf_test::same_in_all_orders([&] { return of_device(c, wanted); }), wanted);
}

TEST(without_pairs) {
  check<double>({{0, 0}, 4, true, true, true});
  check<double>({{}, 4, true, true, true});
}
