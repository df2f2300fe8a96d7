// Speed of op/core/base/gemm.h on one thread, in GFLOP/s, for the products of a fitting net of
// width 1600 and layers of 240, and of an embedding net of 25/50/100.
//
//   g++ -std=c++17 -O3 -march=native -Iop tests/benchmarks/gemm.cc
//       op/core/base/gemm.cc op/core/base/arena.cc -o /tmp/gemm && /tmp/gemm
#include "core/base/gemm.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

namespace {

using deeptf::MatrixView;

struct Case {
  const char* name;
  int64_t rows, columns, depth;
  bool a_transposed, b_transposed;
};

// View of a matrix [rows, columns], or of one that is stored transposed.
template <class T>
MatrixView<T> view(const std::vector<T>& data, int64_t rows, int64_t columns, bool transposed) {
  return transposed ? MatrixView<T>{data.data(), 1, rows} : MatrixView<T>{data.data(), columns, 1};
}

template <class T>
void measure(const char* type, const Case& k) {
  const std::vector<T> a(k.rows * k.depth, 1), b(k.depth * k.columns, 1);
  std::vector<T> c(k.rows * k.columns);
  double best = 1e9;
  for (int repeat = 0; repeat < 40; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    deeptf::multiply<T>({k.rows, k.columns, c.data(), k.columns, false},
                        {{k.depth, view(a, k.rows, k.depth, k.a_transposed),
                          view(b, k.depth, k.columns, k.b_transposed)}});
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    best = std::min(best, time.count());
  }
  std::printf("%-8s %-22s %7.3f ms %7.1f GFLOP/s\n", type, k.name, best * 1e3,
              2e-9 * static_cast<double>(k.rows * k.columns * k.depth) / best);
}

}  // namespace

int main() {
  const Case cases[] = {
      {"peak (in cache)", 96, 96, 256, false, false},
      {"x W, 64 atoms", 64, 240, 1600, false, false},
      {"x W, 128 atoms", 128, 240, 1600, false, false},
      {"v W^T, 64 atoms", 64, 1600, 240, false, true},
      {"v W^T, 128 atoms", 128, 1600, 240, false, true},
      {"x^T z, depth 128", 1600, 240, 128, true, false},
      {"x^T z, depth 256", 1600, 240, 256, true, false},
      {"hidden, 64 atoms", 64, 240, 240, false, false},
      {"embedding 25x50", 1024, 50, 25, false, false},
      {"embedding 50x100", 1024, 100, 50, false, false},
  };
  for (const Case& one : cases) {
    measure<double>("float64", one);
    measure<float>("float32", one);
  }
}
