// Tables of embedding nets, the gradients to their weights, and intervals, on the device against
// the CPU.
#include "compare.h"
#include "core/cuda/embedding_nodes.h"
#include "core/cuda/intervals.h"
#include "core/curve/intervals.h"
#include "core/curve/sum.h"

using deeptf::Activation;
using deeptf_test::DeviceArray;
using deeptf_test::distance;
using deeptf_test::kTolerance;

namespace {

// Two nets of layers 1 -> 3 -> 6 -> 6, the last two with idt, on two segments each, which meet;
// some nodes are not needed.
template <class T>
struct Case {
  explicit Case(Activation activation) : activation(activation) {
    int32_t number = 0;
    for (int32_t node = 0; node <= node_row.back(); ++node) {
      needed.push_back(number);
      number += node % 5 == 3 ? 0 : 1;
    }
    for (int net = 0; net < 2; ++net) {
      for (const int64_t size : {3, 3, 18, 6, 6, 36, 6, 6}) {
        arrays.push_back(deeptf_test::random<T>(size, static_cast<unsigned>(arrays.size() + 1)));
      }
    }
    upper = deeptf_test::random<T>(size(0), 50);
  }

  int64_t size(int64_t more) const {
    return deeptf::table_groups<T>(needed.back() + more) * deeptf::kTableRows<T> *
           deeptf::padded_width<T>(6);
  }

  // With the arrays at the places of `at`.
  template <class Arrays>
  deeptf::EmbeddingNets<T> nets(const Arrays& at, const int32_t* row, const double* grid,
                                const int32_t* needed_row) const {
    deeptf::EmbeddingNets<T> nets{activation, {}, {2, 2, 0, row, grid}, needed_row};
    for (size_t net = 0; net < 16; net += 8) {
      nets.layers.push_back({{1, 3, at[net].data(), at[net + 1].data(), nullptr},
                             {3, 6, at[net + 2].data(), at[net + 3].data(), at[net + 4].data()},
                             {6, 6, at[net + 5].data(), at[net + 6].data(), at[net + 7].data()}});
    }
    return nets;
  }
  template <class Arrays>
  static deeptf::EmbeddingNetsGrad<T> places(Arrays& to) {
    deeptf::EmbeddingNetsGrad<T> grads;
    for (size_t net = 0; net < 16; net += 8) {
      grads.push_back({{to[net].data(), to[net + 1].data(), nullptr},
                       {to[net + 2].data(), to[net + 3].data(), to[net + 4].data()},
                       {to[net + 5].data(), to[net + 6].data(), to[net + 7].data()}});
    }
    return grads;
  }

  Activation activation;
  const std::vector<int32_t> node_row{0, 6, 9, 13, 30};
  const std::vector<double> grid{-1.0, 0.2, 0.0, 0.5, -1.1, 0.3, -0.2, 0.1};
  std::vector<int32_t> needed;
  std::vector<std::vector<T>> arrays;
  std::vector<T> upper;
};

template <class T>
using Results = std::vector<std::vector<T>>;  // the table, then the gradients

template <class T>
Results<T> of_cpu(const Case<T>& c) {
  const auto nets = c.nets(c.arrays, c.node_row.data(), c.grid.data(), c.needed.data());
  const deeptf::Context context = deeptf_test::serial();
  std::vector<T> table(c.size(0));
  deeptf::embedding_nodes(nets, context, table.data());
  Results<T> all = c.arrays;
  deeptf::embedding_nodes_grad(nets, context, c.upper.data(), c.places(all));
  all.insert(all.begin(), table);
  return all;
}

// The table has room for `more` nodes than are needed.
template <class T>
Results<T> of_device(const Case<T>& c, int64_t more) {
  deeptf_test::TestDevice device;
  const deeptf::Cuda cuda = device.cuda();
  const DeviceArray<int32_t> node_row(c.node_row), needed(c.needed);
  const DeviceArray<double> grid(c.grid);
  std::vector<DeviceArray<T>> arrays, grads;
  for (const std::vector<T>& array : c.arrays) {
    arrays.emplace_back(array);
    grads.emplace_back(static_cast<int64_t>(array.size()));
  }
  std::vector<T> padded = c.upper;
  padded.resize(c.size(more), T(0));
  const DeviceArray<T> table(c.size(more)), upper(padded);
  const auto nets = c.nets(arrays, node_row.data(), grid.data(), needed.data());
  const int64_t number = c.needed.back() + more;
  deeptf::embedding_nodes(nets, number, cuda, table.data());
  deeptf::embedding_nodes_grad(nets, number, cuda, upper.data(), c.places(grads));
  Results<T> all{table.host()};
  for (const DeviceArray<T>& grad : grads) all.push_back(grad.host());
  return all;
}

template <class T>
void check(Activation activation) {
  const Case<T> c(activation);
  const Results<T> wanted = of_cpu(c);
  Results<T> got = deeptf_test::same_in_all_orders([&] { return of_device(c, 0); });
  for (size_t k = 0; k < got.size(); ++k) CHECK(distance(got[k], wanted[k]) < kTolerance<T>);
  got = of_device(c, 2);
  for (size_t k = 1; k < got.size(); ++k) CHECK(distance(got[k], wanted[k]) < kTolerance<T>);
  // Of an interval between a node and none, the rise means nothing.
  const size_t rest = c.size(deeptf::kRise<T> ? 1 : 0);
  for (size_t k = rest; k < got[0].size(); ++k) CHECK(got[0][k] == 0);
  got[0].resize(c.size(0));
  CHECK(distance(got[0], wanted[0]) < kTolerance<T>);
}

}  // namespace

TEST(tables_and_gradients_are_those_of_the_cpu) {
  check<double>(Activation::tanh);
  check<float>(Activation::tanh);
  check<double>(Activation::gelu_tf);
}

TEST(intervals_are_those_of_the_cpu) {
  constexpr int64_t number = 5;
  for (const int64_t width : {3, 17}) {
    const int64_t padded = deeptf::padded_width<double>(width);
    const int64_t row = deeptf::padded_width<float>(width);
    const auto nodes = deeptf_test::random<double>(number * 2 * padded, 1);
    const auto upper = deeptf_test::random<float>((number - 1) * 4 * row, 2);
    std::vector<float> intervals((number - 1) * 4 * row);
    std::vector<double> grad(nodes.size());
    const deeptf::Context context = deeptf_test::serial();
    deeptf::round_intervals(number, width, context, nodes.data(), intervals.data());
    deeptf::round_intervals_grad(number, width, context, upper.data(), grad.data());
    const DeviceArray<double> from(nodes), got_grad(static_cast<int64_t>(nodes.size()));
    const DeviceArray<float> got(static_cast<int64_t>(intervals.size())), above(upper);
    deeptf::round_intervals(number, width, deeptf::Cuda{}, from.data(), got.data());
    deeptf::round_intervals_grad(number, width, deeptf::Cuda{}, above.data(), got_grad.data());
    CHECK(got.host() == intervals);
    CHECK(got_grad.host() == grad);
  }
}
