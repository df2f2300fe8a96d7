// Products of matrices against plain loops: every size of a block, all strides, depths and threads.
#include "check.h"
#include "core/base/gemm.h"

using deeptf::MatrixView;
using deeptf::Multiplication;
using deeptf::multiply;
using deeptf::PackedMatrix;
using deeptf::Product;
using deeptf::Products;
using deeptf_test::close;

namespace {

template <class T>
std::vector<T> draw(int64_t count, unsigned seed) {
  const std::vector<double> values = deeptf_test::normal(count, seed);
  return std::vector<T>(values.begin(), values.end());
}

// A matrix with its own memory, row-major or transposed, and a gap behind every line.
template <class T>
struct Matrix {
  Matrix(int64_t rows, int64_t columns, bool transposed, unsigned seed)
      : stride((transposed ? rows : columns) + 3),
        data(draw<T>(stride * (transposed ? columns : rows), seed)),
        view(transposed ? MatrixView<T>{data.data(), 1, stride}
                        : MatrixView<T>{data.data(), stride, 1}) {}
  double operator()(int64_t i, int64_t j) const {
    return view.data[i * view.row_stride + j * view.column_stride];
  }
  int64_t stride;
  std::vector<T> data;
  MatrixView<T> view;
};

template <class T>
double tolerance() {
  return sizeof(T) == 8 ? 1e-13 : 1e-4;
}

template <class T>
bool same_as_loops(int64_t rows, int64_t columns, int64_t depth, bool transposed_a,
                   bool transposed_b, bool add) {
  const Matrix<T> a(rows, depth, transposed_a, 1), b(depth, columns, transposed_b, 2);
  const Matrix<T> a2(rows, 5, transposed_a, 3), b2(5, columns, transposed_b, 4);
  const std::vector<T> start = draw<T>(rows * (columns + 2), 5);
  std::vector<T> one(start), two(start);
  multiply<T>({rows, columns, one.data(), columns + 2, add}, {{depth, a.view, b.view}});
  const Multiplication<T> both{{rows, columns, two.data(), columns + 2, add},
                               {{depth, a.view, b.view}, {5, a2.view, b2.view}}};
  multiply(deeptf_test::threaded(), &both, 1);
  bool same = true;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns + 2; ++j) {
      const int64_t at = i * (columns + 2) + j;
      double want = add || j >= columns ? start[at] : 0, more = 0;
      for (int64_t k = 0; j < columns && k < depth; ++k) want += a(i, k) * b(k, j);
      for (int64_t k = 0; j < columns && k < 5; ++k) more += a2(i, k) * b2(k, j);
      same = same && close(one[at], want, tolerance<T>());
      same = same && close(two[at], want + more, tolerance<T>());
    }
  }
  return same;
}

template <class T>
void check_sizes() {
  for (const int64_t rows : {1, 2, 3, 5, 6, 7, 8, 23, 97}) {
    for (const int64_t columns : {1, 4, 7, 8, 16, 17, 24, 47}) {
      for (int kind = 0; kind < 4; ++kind) {
        CHECK(same_as_loops<T>(rows, columns, 9, kind & 1, kind & 2, kind == 1));
      }
    }
  }
  for (const int64_t depth : {0, 1, 255, 256, 257, 600}) {
    for (int kind = 0; kind < 8; ++kind) {
      CHECK(same_as_loops<T>(11, 19, depth, kind & 1, kind & 2, kind & 4));
    }
  }
  for (int kind = 0; kind < 8; ++kind) {  // several panels of columns and parts of the depth
    CHECK(same_as_loops<T>(9, 500, 260, kind & 1, kind & 2, kind & 4));
  }
}

}  // namespace

TEST(products_equal_plain_loops) {
  check_sizes<double>();
  check_sizes<float>();
}

TEST(bits_depend_neither_on_other_rows_and_columns_nor_on_threads) {
  const int64_t rows = 50, columns = 70, depth = 300;
  for (const bool transposed : {false, true}) {
    const Matrix<double> a(rows, depth, transposed, 1), b(depth, columns, transposed, 2);
    std::vector<double> whole(rows * columns), threads(whole), single(whole);
    multiply<double>({rows, columns, whole.data(), columns, false}, {{depth, a.view, b.view}});
    const Multiplication<double> cut{{rows, columns, threads.data(), columns, false},
                                     {{depth, a.view, b.view}}};
    multiply(deeptf_test::threaded(), &cut, 1);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        multiply<double>({1, 1, &single[i * columns + j], columns, false},
                         {{depth, a.view.from(i, 0), b.view.from(0, j)}});
      }
    }
    CHECK(whole == threads);
    CHECK(whole == single);
  }
}

template <class T>
void check_packed(int64_t columns, int64_t depth, bool transposed) {
  const int64_t rows = 13;
  const Matrix<T> a(rows, depth, false, 1), b(depth, columns, transposed, 2);
  const PackedMatrix<T> packed(depth, columns, b.view);
  std::vector<T> plain(rows * columns), one(plain), cut(plain);
  multiply<T>({rows, columns, plain.data(), columns, false}, {{depth, a.view, b.view}});
  multiply<T>({rows, columns, one.data(), columns, false}, {{depth, a.view, b.view, &packed}});
  const Multiplication<T> pieces{{rows, columns, cut.data(), columns, false},
                                 {{depth, a.view, b.view, &packed}}};
  multiply(deeptf_test::threaded(), &pieces, 1);
  CHECK(plain == one);
  CHECK(plain == cut);
}

TEST(packed_matrices_give_the_same_bits) {
  for (const int64_t columns : {1, 7, 24, 25, 48, 500}) {
    for (const int64_t depth : {1, 255, 256, 600}) {
      for (const bool transposed : {false, true}) {
        check_packed<double>(columns, depth, transposed);
        check_packed<float>(columns, depth, transposed);
      }
    }
  }
}

TEST(row_major_short_form_adds) {
  const std::vector<double> a{1, 2, 3, 4}, b{1, 0, 0, 1};
  std::vector<double> c{10, 10, 10, 10};
  deeptf::multiply_add<double>(2, 2, 2, {a.data(), 2, 1}, b.data(), 2, c.data(), 2);
  CHECK((c == std::vector<double>{11, 12, 13, 14}));
}

TEST(more_products_than_there_is_room_for_are_refused) {
  const Product<double> one{0, {nullptr, 1, 1}, {nullptr, 1, 1}};
  CHECK(deeptf_test::throws([&] { Products<double>{one, one, one}; }, "2 products at most"));
}
