// The axes of the atoms: Q [3, M] = sums[1:] / places, those of several sums side by side; vectors
// and tensors of them (engine/plan/axis_products.h).
#include "engine/cuda/stage.h"
#include "engine/plan/axes_constants.h"
#include "engine/plan/axis_products.h"

namespace deeptf::device {
namespace {

// Number k of the axes [n, 3, width] of some sums [n, 4, width], among all of an atom.
struct AxisPlaces {
  int64_t width, column, num_axes;

  DEEPTF_HD int64_t in_sums(int64_t k) const {
    return (k / (3 * width) * 4 + 1) * width + k % (3 * width);
  }
  DEEPTF_HD int64_t in_axes(int64_t k) const { return k / width * num_axes + column + k % width; }
};

struct ScaleSums {
  AxisPlaces places;
  double scale;
  const double* sums;
  double* axes;

  DEEPTF_HD void operator()(int64_t k) const {
    axes[places.in_axes(k)] = scale * sums[places.in_sums(k)];
  }
};

struct PullSums {
  AxisPlaces places;
  double scale;
  const double* upper;
  double* to;

  DEEPTF_HD void operator()(int64_t k) const {
    to[places.in_sums(k)] = scale * upper[places.in_axes(k)];
  }
};

class AxesStage final : public Stage {
 public:
  explicit AxesStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    double* axes = values.give<double>(constants_.gives);
    const int64_t n = block.num_atoms;
    for (const Part& part : constants_.parts) {
      for_each(block.cuda, 3 * n * part.width,
               ScaleSums{places(part), part.scale, values.take<double>(part.takes), axes});
    }
    if (!gradient) return {};
    return [this, n, &block, &values] {
      const double* upper = values.gradient<double>(constants_.gives);
      for (const Part& part : constants_.parts) {
        values.add_gradient<double>(part.takes, [&](double* to) {
          set_zero(block.cuda, to, 4 * n * part.width);
          for_each(block.cuda, 3 * n * part.width, PullSums{places(part), part.scale, upper, to});
        });
      }
    };
  }

 private:
  using Part = AxesConstants::Part;

  AxisPlaces places(const Part& part) const { return {part.width, part.column, constants_.width}; }

  AxesConstants constants_;
};

// Number k of the vectors [n, 3], or of the gradients in axes [n, 3, M] and numbers [n, M].
struct AxisVector {
  int64_t width;
  const double *axes, *numbers;
  double* vector;

  DEEPTF_HD void operator()(int64_t k) const {
    double sum = 0;
    for (int64_t m = 0; m < width; ++m) sum += axes[k * width + m] * numbers[k / 3 * width + m];
    vector[k] = sum;
  }
};

struct VectorToAxes {
  int64_t width;
  const double *upper, *numbers;
  double* to;

  DEEPTF_HD void operator()(int64_t k) const {
    to[k] = upper[k / width] * numbers[k / (3 * width) * width + k % width];
  }
};

struct VectorToNumbers {
  int64_t width;
  const double *upper, *axes;
  double* to;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t atom = k / width;
    double sum = 0;
    for (int64_t row = 3 * atom; row < 3 * atom + 3; ++row) {
      sum += upper[row] * axes[row * width + k % width];
    }
    to[k] = sum;
  }
};

class AxisVectorStage final : public Stage {
 public:
  explicit AxisVectorStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const double* axes = values.take<double>(constants_.takes.axes);
    const double* numbers = values.take<double>(constants_.takes.numbers);
    const int64_t width = constants_.takes.width, n = block.num_atoms;
    for_each(block.cuda, 3 * n,
             AxisVector{width, axes, numbers, values.give<double>(constants_.gives)});
    if (!gradient) return {};
    return [this, axes, numbers, width, n, &block, &values] {
      const double* upper = values.gradient<double>(constants_.gives);
      values.add_gradient<double>(constants_.takes.axes, [&](double* to) {
        for_each(block.cuda, 3 * n * width, VectorToAxes{width, upper, numbers, to});
      });
      values.add_gradient<double>(constants_.takes.numbers, [&](double* to) {
        for_each(block.cuda, n * width, VectorToNumbers{width, upper, axes, to});
      });
    };
  }

 private:
  AxisVectorConstants constants_;
};

// What tensors are made of.
struct TensorParts {
  int64_t width;  // M
  bool is_diagonal;
  const int32_t* type;
  const double *scale, *added;   // [T]
  const double *axes, *numbers;  // [n, 3, M], [n, M] or [n, M, M]
  const double *turned, *upper;  // S^T [n, 3, M], U [n, 9]

  DEEPTF_HD double pull(int64_t atom, int64_t k) const {
    return tensor_pull(upper + 9 * atom, scale[type[atom]], k);
  }
};

// S^T = (W Q^T)^T, number k of [n, 3, M].
struct TurnAxes {
  TensorParts in;
  double* turned;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t width = in.width, row = k / width, m = k % width;
    const double* q = in.axes + row * width;
    if (in.is_diagonal) {
      turned[k] = q[m] * in.numbers[row / 3 * width + m];
      return;
    }
    const double* matrix = in.numbers + row / 3 * width * width;
    double sum = 0;
    for (int64_t l = 0; l < width; ++l) {
      sum += (matrix[m * width + l] + matrix[l * width + m]) * q[l];
    }
    turned[k] = sum;
  }
};

// Number k of the tensors [n, 3, 3].
struct AxisTensor {
  TensorParts in;
  double* tensor;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t atom = k / 9, width = in.width;
    const double* q = in.axes + k / 3 * width;
    const double* s = in.turned + (3 * atom + k % 3) * width;
    double sum = 0;
    for (int64_t m = 0; m < width; ++m) sum += q[m] * s[m];
    const int32_t type = in.type[atom];
    tensor[k] = in.scale[type] * sum + (k % 9 % 4 == 0 ? in.added[type] : 0);
  }
};

// V S^T, number k of [n, 3, M].
struct TensorToAxes {
  TensorParts in;
  double* to;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t row = k / in.width, atom = row / 3, a = row % 3;
    double sum = 0;
    for (int64_t b = 0; b < 3; ++b) {
      sum += in.pull(atom, 3 * a + b) * in.turned[(3 * atom + b) * in.width + k % in.width];
    }
    to[k] = sum;
  }
};

// Q^T V Q, number k of [n, M, M], or half its diagonal, number k of [n, M].
struct TensorToNumbers {
  TensorParts in;
  double* to;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t width = in.width, m = in.is_diagonal ? k % width : k / width % width;
    const int64_t atom = in.is_diagonal ? k / width : k / width / width, l = k % width;
    const double* q = in.axes + 3 * atom * width;
    double sum = 0;
    for (int64_t ab = 0; ab < 9; ++ab) {
      sum += in.pull(atom, ab) * q[ab / 3 * width + m] * q[ab % 3 * width + l];
    }
    to[k] = in.is_diagonal ? sum / 2 : sum;
  }
};

class AxisTensorStage final : public Stage {
 public:
  explicit AxisTensorStage(const StageReader& reader)
      : constants_(reader),
        scale_(constants_.scale.data(), static_cast<int64_t>(constants_.scale.size())),
        added_(constants_.added.data(), static_cast<int64_t>(constants_.added.size())) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const AxesAndNumbers& takes = constants_.takes;
    const int64_t n = block.num_atoms, size = 3 * n * takes.width;
    double* turned = values.keep<double>(size);
    const TensorParts in{takes.width,
                         constants_.is_diagonal,
                         block.type,
                         scale_.data(),
                         added_.data(),
                         values.take<double>(takes.axes),
                         values.take<double>(takes.numbers),
                         turned,
                         nullptr};
    for_each(block.cuda, size, TurnAxes{in, turned});
    for_each(block.cuda, 9 * n, AxisTensor{in, values.give<double>(constants_.gives)});
    if (!gradient) return {};
    return [this, in, n, size, &block, &values] {
      TensorParts with_upper = in;
      with_upper.upper = values.gradient<double>(constants_.gives);
      values.add_gradient<double>(constants_.takes.axes, [&](double* to) {
        for_each(block.cuda, size, TensorToAxes{with_upper, to});
      });
      values.add_gradient<double>(constants_.takes.numbers, [&](double* to) {
        for_each(block.cuda, n * constants_.numbers_of_atom(), TensorToNumbers{with_upper, to});
      });
    };
  }

 private:
  AxisTensorConstants constants_;
  Constant<double> scale_, added_;
};

}  // namespace

std::unique_ptr<Stage> make_axes(const StageReader& reader) {
  return std::make_unique<AxesStage>(reader);
}

std::unique_ptr<Stage> make_axis_vector(const StageReader& reader) {
  return std::make_unique<AxisVectorStage>(reader);
}

std::unique_ptr<Stage> make_axis_tensor(const StageReader& reader) {
  return std::make_unique<AxisTensorStage>(reader);
}

}  // namespace deeptf::device
