// Time of the three functions of op/core/nets/attention.h on one thread, in us an atom and GFLOP/s
// (multiply-adds of the products alone, two operations each):
//     g++ -O3 -march=native -fno-math-errno -fopenmp-simd -std=c++17 -I op \
//         tests/benchmarks/attention.cc op/core/nets/attention*.cc op/core/moments/runs.cc \
//         op/core/base/gemm.cc op/core/base/arena.cc -o /tmp/attention && /tmp/attention
#include "core/nets/attention.h"

#include <cstdio>
#include <ctime>
#include <random>
#include <vector>

namespace {

constexpr int64_t kAtoms = 64, kPairs = 89, kWidth = 128;

template <class T>
struct Arrays {
  explicit Arrays(unsigned seed) {
    std::mt19937 engine(seed);
    std::normal_distribution<T> draw;
    const auto fill = [&](std::vector<T>& values, int64_t size) {
      values.resize(kAtoms * kPairs * size);
      for (T& value : values) value = draw(engine);
    };
    fill(attended, 3 * kWidth);
    fill(direction, 3);
    fill(gate, 1);
    for (T& p : gate) p = 1 / (1 + p * p);
  }

  deeptf::AttentionArrays<T> read() const {
    return {attended.data(), direction.data(), gate.data()};
  }
  deeptf::AttentionGrads<T> write() { return {attended.data(), direction.data(), gate.data()}; }

  std::vector<T> attended, direction, gate;
};

template <class Body>
void print(const char* name, double products, const Body& body) {
  double best = 1e9;
  for (int k = 0; k < 7; ++k) {
    const std::clock_t start = std::clock();
    body();
    best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  const double work = 2e-9 * products * kAtoms * kPairs * kPairs * kWidth;
  std::printf("  %-20s %8.1f us %8.1f GFLOP/s\n", name, 1e6 * best / kAtoms, work / best);
}

template <class T>
void measure(const char* precision) {
  std::printf("%s\n", precision);
  const std::vector<int32_t> count(kAtoms, kPairs);
  const deeptf::Runs runs{kAtoms, kAtoms * kPairs, 3, kWidth, count.data()};
  const deeptf::AttentionShape shape{runs, 120, true, true, true};
  const Arrays<T> in(1), tangent(2);
  Arrays<T> grad(3), second(4);
  std::vector<T> upper(kAtoms * kPairs * kWidth, T(0.1)), out(upper.size());
  const deeptf::Context context;
  print("attention", 2, [&] { attention(shape, context, in.read(), out.data()); });
  print("attention_grad", 5,
        [&] { attention_grad(shape, context, in.read(), upper.data(), grad.write()); });
  print("attention_grad_grad", 12, [&] {
    attention_grad_grad(shape, context, in.read(), upper.data(), grad.read(), tangent.read(),
                        out.data(), second.write());
  });
}

}  // namespace

int main() {
  measure<double>("float64");
  measure<float>("float32");
}
