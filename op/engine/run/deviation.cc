#include "engine/run/deviation.h"

#include <cmath>
#include <string>

#include "core/base/error.h"

namespace deeptf {
namespace {

void check(int32_t num_models, const double* const* of_models, const char* name,
           const double* deviation) {
  if (num_models < 2) {
    throw Error("`num_models` must be at least 2, got " + std::to_string(num_models));
  }
  if (of_models == nullptr || deviation == nullptr) {
    throw Error("`" + std::string(name) + "` and `deviation` must be given, got NULL");
  }
  for (int32_t m = 0; m < num_models; ++m) {
    if (of_models[m] == nullptr) {
      throw Error("`" + std::string(name) + "` must be given of all models, got NULL of model " +
                  std::to_string(m));
    }
  }
}

// sqrt(mean over the models of |x - mean x|^2) for vectors x of `length` numbers; with relative > 0
// over (|mean x| + relative).
double deviation_of(int32_t num_models, int64_t first, int length, const double* const* x,
                    double scale, double relative) {
  double square = 0, mean_square = 0;
  for (int k = 0; k < length; ++k) {
    double mean = 0;
    for (int32_t m = 0; m < num_models; ++m) mean += scale * x[m][first + k];
    mean /= num_models;
    for (int32_t m = 0; m < num_models; ++m) {
      const double off = scale * x[m][first + k] - mean;
      square += off * off;
    }
    mean_square += mean * mean;
  }
  const double deviation = std::sqrt(square / num_models);
  return relative > 0 ? deviation / (std::sqrt(mean_square) + relative) : deviation;
}

}  // namespace

void force_deviation(int32_t num_models, int64_t num_atoms, const double* const* force,
                     double relative, double* deviation) {
  check(num_models, force, "force", deviation);
  for (int64_t atom = 0; atom < num_atoms; ++atom) {
    deviation[atom] = deviation_of(num_models, 3 * atom, 3, force, 1, relative);
  }
}

void virial_deviation(int32_t num_models, int64_t num_atoms, const double* const* virial,
                      double relative, double* deviation) {
  check(num_models, virial, "virial", deviation);
  if (num_atoms < 1) {
    throw Error("`num_atoms` must be at least 1, got " + std::to_string(num_atoms));
  }
  for (int k = 0; k < 9; ++k) {
    deviation[k] =
        deviation_of(num_models, k, 1, virial, 1.0 / static_cast<double>(num_atoms), relative);
  }
}

}  // namespace deeptf
