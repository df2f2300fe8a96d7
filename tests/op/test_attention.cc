// Attention and normalised rows: the equations with plain loops, derivatives against each other and
// against differences, thread independence.
#include <algorithm>

#include "check.h"
#include "core/nets/attention.h"
#include "core/nets/row_norm.h"

using deeptf::attention;
using deeptf::attention_grad;
using deeptf::attention_grad_grad;
using deeptf::AttentionArrays;
using deeptf::AttentionGrads;
using deeptf::AttentionShape;
using deeptf::row_norm;
using deeptf::row_norm_grad;
using deeptf::row_norm_grad_grad;
using deeptf_test::close;
using deeptf_test::inner;
using deeptf_test::normal;
using deeptf_test::unwritten;

namespace {

const std::vector<int32_t> kCount{3, 0, 1, 5};
constexpr int64_t kPairs = 9, kWidth = 5;

struct Arrays {
  explicit Arrays(unsigned seed)
      : attended(normal(kPairs * 3 * kWidth, seed)),
        direction(normal(kPairs * 3, seed + 1)),
        gate(normal(kPairs, seed + 2)) {}
  Arrays()
      : attended(unwritten(kPairs * 3 * kWidth)),
        direction(unwritten(kPairs * 3)),
        gate(unwritten(kPairs)) {}

  AttentionArrays<double> read() const { return {attended.data(), direction.data(), gate.data()}; }
  AttentionGrads<double> write() { return {attended.data(), direction.data(), gate.data()}; }
  Arrays moved(const Arrays& by, double step) const {
    Arrays out = *this;
    const auto add = [&](std::vector<double>& to, const std::vector<double>& change) {
      for (size_t k = 0; k < to.size(); ++k) to[k] += step * change[k];
    };
    add(out.attended, by.attended);
    add(out.direction, by.direction);
    add(out.gate, by.gate);
    return out;
  }
  bool operator==(const Arrays& other) const {
    return attended == other.attended && direction == other.direction && gate == other.gate;
  }

  std::vector<double> attended, direction, gate;
};

double inner_of(const Arrays& a, const Arrays& b) {
  return inner(a.attended, b.attended) + inner(a.direction, b.direction) + inner(a.gate, b.gate);
}

Arrays inputs(bool smooth) {
  Arrays in(1);
  for (double& p : in.gate) p = smooth ? 1 / (1 + p * p) : p < 1;
  return in;
}

AttentionShape shape(bool smooth, bool dotr, bool diagonal) {
  const auto atoms = static_cast<int64_t>(kCount.size());
  return {{atoms, kPairs, 3, kWidth, kCount.data()}, 4, smooth, dotr, diagonal};
}

// Calls body for every form; the places are fewer than the pairs of one atom.
template <class Body>
void over_forms(const Body& body) {
  for (int form = 0; form < 8; ++form) {
    body(shape((form & 1) != 0, (form & 2) != 0, (form & 4) != 0));
  }
}

std::vector<double> out_of(const AttentionShape& form, const Arrays& in) {
  std::vector<double> out = unwritten(kPairs * kWidth);
  attention(form, deeptf_test::threaded(), in.read(), out.data());
  return out;
}

Arrays grad_of(const AttentionShape& form, const Arrays& in, const std::vector<double>& upper) {
  Arrays grad;
  attention_grad(form, deeptf_test::threaded(), in.read(), upper.data(), grad.write());
  return grad;
}

// A row of unit length.
std::vector<double> unit(const double* x, int64_t width) {
  std::vector<double> row(x, x + width);
  const double length = std::sqrt(inner(row, row));
  for (double& value : row) value /= length;
  return row;
}

std::vector<double> plain(const AttentionShape& form, const Arrays& in) {
  std::vector<double> out(kPairs * kWidth);
  const auto row = [&](int64_t pair, int part) {
    return unit(&in.attended[(3 * pair + part) * kWidth], kWidth);
  };
  int64_t first = 0;
  for (const int32_t n : kCount) {
    for (int64_t j = first; j < first + n; ++j) {
      double sum = form.smooth ? static_cast<double>(form.places - n) * std::exp(-20.0) : 0.0;
      std::vector<double> weight(n);
      for (int64_t k = 0; k < n; ++k) {
        const double z = inner(row(j, 0), row(first + k, 1));
        const double p = in.gate[first + k], both = in.gate[j] * p;
        weight[k] = form.smooth ? std::exp((z + 20) * both - 20) : std::exp(z) * p;
        sum += weight[k];
      }
      for (int64_t k = 0; k < n; ++k) {
        double w = weight[k] / sum * in.gate[j] * (form.smooth ? in.gate[first + k] : 1.0);
        if (form.dotr) {
          w *= inner(unit(&in.direction[3 * j], 3), unit(&in.direction[3 * (first + k)], 3));
        }
        if (!form.diagonal && first + k == j) w = 0;
        const std::vector<double> value = row(first + k, 2);
        for (int64_t a = 0; a < kWidth; ++a) out[j * kWidth + a] += w * value[a];
      }
    }
    first += n;
  }
  return out;
}

}  // namespace

TEST(attention_is_its_equations) {
  over_forms([](const AttentionShape& form) {
    const Arrays in = inputs(form.smooth);
    const std::vector<double> found = out_of(form, in), wanted = plain(form, in);
    for (size_t k = 0; k < found.size(); ++k) CHECK(close(found[k], wanted[k], 1e-13));
  });
}

TEST(derivatives_are_those_of_differences) {
  constexpr double kStep = 1e-6;
  over_forms([](const AttentionShape& form) {
    const Arrays in = inputs(form.smooth);
    Arrays tangent(7);
    if (!form.smooth) std::fill(tangent.gate.begin(), tangent.gate.end(), 0.0);  // a mask
    const std::vector<double> upper = normal(kPairs * kWidth, 11);
    const Arrays up = in.moved(tangent, kStep), down = in.moved(tangent, -kStep);
    const Arrays grad = grad_of(form, in, upper);
    const double change = inner(out_of(form, up), upper) - inner(out_of(form, down), upper);
    CHECK(close(inner_of(grad, tangent), change / (2 * kStep), 1e-7));

    Arrays second;
    std::vector<double> upper_grad = unwritten(kPairs * kWidth);
    attention_grad_grad(form, deeptf_test::threaded(), in.read(), upper.data(), grad.read(),
                        tangent.read(), upper_grad.data(), second.write());
    const std::vector<double> high = out_of(form, up), low = out_of(form, down);
    for (size_t k = 0; k < high.size(); ++k) {
      CHECK(close(upper_grad[k], (high[k] - low[k]) / (2 * kStep), 1e-7));
    }
    Arrays numeric = grad_of(form, up, upper);
    numeric = numeric.moved(grad_of(form, down, upper), -1);
    const Arrays other(20);
    CHECK(close(inner_of(second, other), inner_of(numeric, other) / (2 * kStep), 1e-6));
  });
}

TEST(threads_do_not_change_bits) {
  const AttentionShape form = shape(true, true, true);
  const Arrays in = inputs(true), tangent(7);
  const std::vector<double> upper = normal(kPairs * kWidth, 11);
  const Arrays grad = grad_of(form, in, upper);
  Arrays second[2];
  std::vector<double> upper_grad[2];
  for (int k = 0; k < 2; ++k) {
    const deeptf::Context context = k == 0 ? deeptf_test::serial() : deeptf_test::threaded();
    upper_grad[k] = unwritten(kPairs * kWidth);
    attention_grad_grad(form, context, in.read(), upper.data(), grad.read(), tangent.read(),
                        upper_grad[k].data(), second[k].write());
  }
  CHECK(second[0] == second[1] && upper_grad[0] == upper_grad[1]);
}

TEST(normalised_rows_and_their_derivatives) {
  constexpr int64_t kRows = 4, kColumns = 7, kSize = kRows * kColumns;
  constexpr double kStep = 1e-6;
  const std::vector<double> x = normal(kSize, 1), u = normal(kSize, 2), v = normal(kSize, 3);
  const auto moved = [&](double step) {
    std::vector<double> y(x);
    for (int64_t k = 0; k < kSize; ++k) y[k] += step * v[k];
    return y;
  };
  const auto norm = [&](const std::vector<double>& at) {
    std::vector<double> y = unwritten(kSize);
    row_norm<double>({kRows, kColumns, 0.1, at.data()}, deeptf_test::threaded(), y.data());
    return y;
  };
  const auto grad = [&](const std::vector<double>& at) {
    std::vector<double> y = unwritten(kSize);
    row_norm_grad<double>({kRows, kColumns, 0.1, at.data()}, deeptf_test::threaded(), u.data(),
                          y.data());
    return y;
  };
  const std::vector<double> y = norm(x);
  for (int64_t row = 0; row < kRows; ++row) {
    double sum = 0;
    for (int64_t k = 0; k < kColumns; ++k) sum += y[row * kColumns + k];
    CHECK(close(sum, 0, 1e-14));
  }
  const std::vector<double> up = moved(kStep), down = moved(-kStep);
  const double change = inner(norm(up), u) - inner(norm(down), u);
  CHECK(close(inner(grad(x), v), change / (2 * kStep), 1e-7));
  std::vector<double> second = unwritten(kSize);
  row_norm_grad_grad<double>({kRows, kColumns, 0.1, x.data()}, deeptf_test::threaded(), u.data(),
                             v.data(), second.data());
  const std::vector<double> high = grad(up), low = grad(down);  // J u; v J u has this gradient
  CHECK(close(inner(second, v), (inner(high, v) - inner(low, v)) / (2 * kStep), 1e-7));
}
