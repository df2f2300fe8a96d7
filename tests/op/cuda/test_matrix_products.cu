// Products of many matrices at once on the device against the CPU.
#include "compare.h"
#include "core/cuda/gemm.h"

using deeptf::MatrixView;
using deeptf::Multiplication;
using deeptf_test::DeviceArray;
using deeptf_test::distance;
using deeptf_test::kTolerance;

namespace {

struct Size {
  int64_t rows, depth, columns;
  bool turn_a, turn_b;
};

template <class T>
MatrixView<T> view(const T* data, int64_t rows, int64_t columns, bool turned) {
  const MatrixView<T> plain{data, turned ? rows : columns, 1};
  return turned ? plain.transposed() : plain;
}

template <class T>
void check(const std::vector<Size>& sizes) {
  std::vector<std::vector<T>> wanted;
  std::vector<DeviceArray<T>> a, b, c;
  unsigned seed = 1;
  std::vector<Multiplication<T>> all;
  for (const Size& s : sizes) {
    const auto x = deeptf_test::random<T>(s.rows * s.depth, seed++);
    const auto y = deeptf_test::random<T>(s.depth * s.columns, seed++);
    wanted.emplace_back(s.rows * s.columns);
    deeptf::multiply<T>({s.rows, s.columns, wanted.back().data(), s.columns, false},
                        {{s.depth, view(x.data(), s.rows, s.depth, s.turn_a),
                          view(y.data(), s.depth, s.columns, s.turn_b)}});
    a.emplace_back(x);
    b.emplace_back(y);
    c.emplace_back(s.rows * s.columns);
    all.push_back({{s.rows, s.columns, c.back().data(), s.columns, false},
                   {{s.depth, view<T>(a.back().data(), s.rows, s.depth, s.turn_a),
                     view<T>(b.back().data(), s.depth, s.columns, s.turn_b)}}});
  }
  deeptf_test::TestDevice device;
  const deeptf::Cuda cuda = device.cuda();
  deeptf::Gemm(cuda).multiply(all);
  for (size_t k = 0; k < sizes.size(); ++k) {
    CHECK(distance(c[k].host(), wanted[k]) < kTolerance<T>);
  }
}

}  // namespace

TEST(products_are_those_of_the_cpu) {
  std::vector<Size> sizes{{3, 0, 2, false, false}, {0, 4, 4, false, true}, {1, 1, 1, true, true}};
  for (int form = 0; form < 12; ++form) {
    sizes.push_back({form < 8 ? 7 : 5, 3, 4, (form & 1) > 0, (form & 2) > 0});
  }
  check<double>(sizes);
  check<float>(sizes);
  check<double>({});
}
