// A tensor of each atom: P = scale_c Q W Q^T + added_c 1 with Q [3, M] and W = diag(w), or
// W = B + B^T of a matrix B [M, M] of numbers.
//
// With S = W Q^T [M, 3]: P = scale Q S + added 1. For the gradient U in P, and V = scale (U + U^T):
//     dQ = V S^T      dw_m = sum_ab V_ab Q_am Q_bm / 2      dB = Q^T V Q
#include <algorithm>

#include "engine/plan/axis_products.h"
#include "engine/plan/stages.h"

namespace deeptf {
namespace {

class AxisTensorStage final : public Stage {
 public:
  explicit AxisTensorStage(const StageReader& reader)
      : takes_(reader),
        is_diagonal_(reader.fields.at("diagonal").boolean()),
        scale_(of_types(reader, "scale")),
        added_(of_types(reader, "added")),
        gives_(reader.gives({9, false, Precision::float64})) {
    takes_.check_numbers(reader, numbers_of_atom());
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const int64_t width = takes_.width;
    const double* axes = values.take<double>(takes_.axes);
    const double* numbers = values.take<double>(takes_.numbers);
    double* turned = values.keep<double>(block.num_atoms * 3 * width);
    double* tensor = values.give<double>(gives_);
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      const double* q = axes + atom * 3 * width;
      double* s = turned + atom * 3 * width;
      turn(q, numbers + atom * numbers_of_atom(), s);
      for (int64_t k = 0; k < 9; ++k) {
        double sum = 0;
        for (int64_t m = 0; m < width; ++m) sum += q[k / 3 * width + m] * s[k % 3 * width + m];
        const double own = k % 4 == 0 ? added_[block.type[atom]] : 0;
        tensor[atom * 9 + k] = scale_[block.type[atom]] * sum + own;
      }
    }
    if (!gradient) return {};
    return [this, axes, turned, &block, &values] { pull(block, axes, turned, values); };
  }

 private:
  static std::vector<double> of_types(const StageReader& reader, const char* field) {
    std::vector<double> numbers;
    for (const Json& one : reader.fields.at(field).items()) numbers.push_back(one.number());
    if (static_cast<int64_t>(numbers.size()) != reader.inputs.num_types) {
      throw Error("`" + std::string(field) + "` of a stage must be one for each type");
    }
    return numbers;
  }

  int64_t numbers_of_atom() const {
    return is_diagonal_ ? takes_.width : takes_.width * takes_.width;
  }

  // S^T [3, M] of one atom.
  void turn(const double* q, const double* w, double* s) const {
    const int64_t width = takes_.width;
    if (is_diagonal_) {
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
    const int64_t width = takes_.width;
    std::fill_n(to, 3 * width, 0.0);
    for (int64_t k = 0; k < 9; ++k) {
      const double v = scale * (upper[k] + upper[k % 3 * 3 + k / 3]);
      for (int64_t m = 0; m < width; ++m) to[k / 3 * width + m] += v * z[k % 3 * width + m];
    }
  }

  void pull(const AtomBlock& block, const double* axes, const double* turned,
            Values& values) const {
    const double* upper = values.gradient<double>(gives_);
    const int64_t width = takes_.width;
    const auto each = [&](const auto& body) {
      for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
        body(atom, upper + 9 * atom, scale_[block.type[atom]]);
      }
    };
    values.add_gradient<double>(takes_.axes, [&](double* to) {
      each([&](int64_t atom, const double* u, double scale) {
        times_upper(u, scale, turned + atom * 3 * width, to + atom * 3 * width);
      });
    });
    double* product = values.keep<double>(3 * width);  // V Q
    values.add_gradient<double>(takes_.numbers, [&](double* to) {
      each([&](int64_t atom, const double* u, double scale) {
        const double* q = axes + atom * 3 * width;
        times_upper(u, scale, q, product);
        pull_numbers(q, product, to + atom * numbers_of_atom());
      });
    });
  }

  void pull_numbers(const double* q, const double* product, double* to) const {
    const int64_t width = takes_.width;
    std::fill_n(to, numbers_of_atom(), 0.0);
    for (int64_t a = 0; a < 3; ++a) {
      const double *left = q + a * width, *right = product + a * width;
      if (is_diagonal_) {
        for (int64_t m = 0; m < width; ++m) to[m] += left[m] * right[m] / 2;
        continue;
      }
      for (int64_t m = 0; m < width; ++m) {
        for (int64_t l = 0; l < width; ++l) to[m * width + l] += left[m] * right[l];
      }
    }
  }

  AxesAndNumbers takes_;
  bool is_diagonal_;
  std::vector<double> scale_, added_;  // [T]
  int gives_;
};

}  // namespace

std::unique_ptr<Stage> make_axis_tensor(const StageReader& reader) {
  return std::make_unique<AxisTensorStage>(reader);
}

}  // namespace deeptf
