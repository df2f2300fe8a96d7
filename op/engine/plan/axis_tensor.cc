// A tensor of each atom (axis_products.h).
//
// With S = W Q^T [M, 3]: P = scale Q S + added 1. For the gradient U in P, and V = scale (U + U^T):
//     dQ = V S^T      dw_m = sum_ab V_ab Q_am Q_bm / 2      dB = Q^T V Q
#include <algorithm>

#include "engine/plan/axis_products.h"
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

class AxisTensorStage final : public Stage {
 public:
  explicit AxisTensorStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const int64_t width = constants_.takes.width;
    const double* axes = values.take<double>(constants_.takes.axes);
    const double* numbers = values.take<double>(constants_.takes.numbers);
    double* turned = values.keep<double>(block.num_atoms * 3 * width);
    double* tensor = values.give<double>(constants_.gives);
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      const double* q = axes + atom * 3 * width;
      double* s = turned + atom * 3 * width;
      turn(q, numbers + atom * constants_.numbers_of_atom(), s);
      for (int64_t k = 0; k < 9; ++k) {
        double sum = 0;
        for (int64_t m = 0; m < width; ++m) sum += q[k / 3 * width + m] * s[k % 3 * width + m];
        const double own = k % 4 == 0 ? constants_.added[block.type[atom]] : 0;
        tensor[atom * 9 + k] = constants_.scale[block.type[atom]] * sum + own;
      }
    }
    if (!gradient) return {};
    return [this, axes, turned, &block, &values] { pull(block, axes, turned, values); };
  }

 private:
  // S^T [3, M] of one atom.
  void turn(const double* q, const double* w, double* s) const {
    const int64_t width = constants_.takes.width;
    if (constants_.is_diagonal) {
      for (int64_t k = 0; k < 3 * width; ++k) s[k] = q[k] * w[k % width];
      return;
    }
    for (int64_t a = 0; a < 3; ++a) {
      const double* axis = q + a * width;
      double* to = s + a * width;
      std::fill_n(to, width, 0.0);
      for (int64_t m = 0; m < width; ++m) {
        const double* row = w + m * width;
        double sum = 0;
        for (int64_t l = 0; l < width; ++l) {
          sum += row[l] * axis[l];
          to[l] += row[l] * axis[m];
        }
        to[m] += sum;
      }
    }
  }

  // V Z [3, M] of one atom with Z [3, M].
  void times_upper(const double* upper, double scale, const double* z, double* to) const {
    const int64_t width = constants_.takes.width;
    std::fill_n(to, 3 * width, 0.0);
    for (int64_t k = 0; k < 9; ++k) {
      const double v = tensor_pull(upper, scale, k);
      for (int64_t m = 0; m < width; ++m) to[k / 3 * width + m] += v * z[k % 3 * width + m];
    }
  }

  void pull(const AtomBlock& block, const double* axes, const double* turned,
            Values& values) const {
    const double* upper = values.gradient<double>(constants_.gives);
    const int64_t width = constants_.takes.width;
    const auto each = [&](const auto& body) {
      for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
        body(atom, upper + 9 * atom, constants_.scale[block.type[atom]]);
      }
    };
    values.add_gradient<double>(constants_.takes.axes, [&](double* to) {
      each([&](int64_t atom, const double* u, double scale) {
        times_upper(u, scale, turned + atom * 3 * width, to + atom * 3 * width);
      });
    });
    double* product = values.keep<double>(3 * width);  // V Q
    values.add_gradient<double>(constants_.takes.numbers, [&](double* to) {
      each([&](int64_t atom, const double* u, double scale) {
        const double* q = axes + atom * 3 * width;
        times_upper(u, scale, q, product);
        pull_numbers(q, product, to + atom * constants_.numbers_of_atom());
      });
    });
  }

  void pull_numbers(const double* q, const double* product, double* to) const {
    const int64_t width = constants_.takes.width;
    std::fill_n(to, constants_.numbers_of_atom(), 0.0);
    for (int64_t a = 0; a < 3; ++a) {
      const double *left = q + a * width, *right = product + a * width;
      if (constants_.is_diagonal) {
        for (int64_t m = 0; m < width; ++m) to[m] += left[m] * right[m] / 2;
        continue;
      }
      for (int64_t m = 0; m < width; ++m) {
        for (int64_t l = 0; l < width; ++l) to[m * width + l] += left[m] * right[l];
      }
    }
  }

  AxisTensorConstants constants_;
};

}  // namespace

std::unique_ptr<Stage> make_axis_tensor(const StageReader& reader) {
  return std::make_unique<AxisTensorStage>(reader);
}

}  // namespace deeptf
