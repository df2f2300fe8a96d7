// Activation functions: tanh in units of the last place, the others against plain formulas, and
// their derivatives against differences.
#include <limits>

#include "check.h"
#include "core/base/activation.h"

using deeptf::activate;
using deeptf::Activation;
using deeptf::activation_of;
using deeptf_test::close;

namespace {

struct Named {
  const char* name;
  double (*plain)(double);
};

double gelu(double x, double cubic) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + cubic * x * x * x)));
}

double silut(double x, double a) {
  const double s = 1 / (1 + std::exp(-a)), slope = s + a * s * (1 - s);
  return x < a ? x / (1 + std::exp(-x)) : a * s + std::tanh(slope * (x - a));
}

const Named kAll[] = {
    {"linear", [](double x) { return x; }},
    {"none", [](double x) { return x; }},
    {"tanh", [](double x) { return std::tanh(x); }},
    {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
    {"softplus", [](double x) { return x > 700 ? x : std::log1p(std::exp(x)); }},
    {"silu", [](double x) { return x / (1 + std::exp(-x)); }},
    {"gelu", [](double x) { return gelu(x, 0.044715); }},
    {"gelu_tf", [](double x) { return gelu(x, 0.044715f); }},
    {"relu", [](double x) { return x > 0 ? x : 0.0; }},
    {"relu6", [](double x) { return x > 6   ? 6.0
                                    : x > 0 ? x
                                            : 0.0; }},
    {"silut", [](double x) { return silut(x, 3); }},
    {"silut:1.25", [](double x) { return silut(x, 1.25); }},
    {"silut:-2e0", [](double x) { return silut(x, -2); }},
};

// Largest error of tanh in units in the last place, over numbers of every size.
template <class T>
double worst_tanh() {
  std::vector<T> z;
  for (double size = sizeof(T) == 8 ? 1e-300 : 1e-36; size < 100; size *= 1.00713) {
    z.push_back(static_cast<T>(size));
    z.push_back(static_cast<T>(-size * 1.000213));
  }
  for (int k = 0; k < 200000; ++k) z.push_back(static_cast<T>(k * 1.1e-4));
  std::vector<T> h(z.size());
  activate<T>(Activation::tanh, static_cast<int64_t>(z.size()), z.data(), h.data(), nullptr,
              nullptr);
  double worst = 0;
  for (size_t k = 0; k < z.size(); ++k) {
    const long double exact = std::tanh(static_cast<long double>(z[k]));
    const T nearest = std::fabs(static_cast<T>(exact));
    const T unit = nearest - std::nextafter(nearest, T(0));
    worst = std::max(worst, static_cast<double>(std::fabs(h[k] - exact) / unit));
  }
  return worst;
}

}  // namespace

TEST(tanh_is_exact_to_the_last_places) {
  const double wide = worst_tanh<double>(), narrow = worst_tanh<float>();
  std::printf("tanh: %.2f units in the last place float64, %.2f float32\n", wide, narrow);
  CHECK(wide < 2.5);
  CHECK(narrow < 2.5);
}

TEST(tanh_of_special_numbers) {
  const double infinity = std::numeric_limits<double>::infinity();
  const double z[5] = {-0.0, infinity, -infinity, std::nan(""), 1e300};
  double h[5];
  activate<double>(Activation::tanh, 5, z, h, nullptr, nullptr);
  CHECK(h[0] == 0);
  CHECK(h[1] == 1 && h[2] == -1 && h[4] == 1);
  CHECK(std::isnan(h[3]));
}

TEST(values_equal_plain_formulas) {
  for (const Named& one : kAll) {
    for (double x = -40; x < 40; x += 0.0371) {
      double value;
      float narrow;
      const float single = static_cast<float>(x);
      activate<double>(activation_of(one.name), 1, &x, &value, nullptr, nullptr);
      activate<float>(activation_of(one.name), 1, &single, &narrow, nullptr, nullptr);
      CHECK(std::fabs(value - one.plain(x)) <= 1e-15 * (1 + std::fabs(one.plain(x))));
      CHECK(close(narrow, one.plain(single), 1e-6));
    }
  }
}

TEST(values_far_from_zero) {
  for (const double x : {-650.0, -80.0, 80.0, 650.0}) {
    double value;
    activate<double>(Activation::sigmoid, 1, &x, &value, nullptr, nullptr);
    CHECK(std::fabs(value / (1 / (1 + std::exp(-x))) - 1) < 1e-13);
    if (std::fabs(x) > 87) continue;
    float narrow;
    const float single = static_cast<float>(x);
    activate<float>(Activation::sigmoid, 1, &single, &narrow, nullptr, nullptr);
    CHECK(std::fabs(narrow / (1 / (1 + std::exp(-x))) - 1) < 1e-5);
  }
}

// As in TensorFlow.
TEST(slopes_at_kinks_are_zero) {
  const double z[2] = {0, 6};
  double value[2], first[2], second[2];
  for (const Activation kind : {Activation::relu, Activation::relu6}) {
    activate<double>(kind, 2, z, value, first, second);
    CHECK(value[0] == 0 && value[1] == 6);
    CHECK(first[0] == 0 && first[1] == (kind == Activation::relu ? 1 : 0));
    CHECK(second[0] == 0 && second[1] == 0);
  }
}

TEST(derivatives_equal_differences) {
  const double step = 1e-5;
  for (const Named& one : kAll) {
    const Activation kind = activation_of(one.name);
    for (double x = -9.0137; x < 9; x += 0.0411) {
      const double near[3] = {x - step, x, x + step};
      double value[3], first[3], second[3];
      activate<double>(kind, 3, near, value, first, second);
      CHECK(close(first[1], (value[2] - value[0]) / (2 * step), 1e-9));
      CHECK(close(second[1], (first[2] - first[0]) / (2 * step), 1e-9));
    }
  }
}

TEST(a_result_does_not_depend_on_its_place) {
  const std::vector<double> z = deeptf_test::normal(37, 1);
  std::vector<double> whole(37), first(37), second(37);
  activate<double>(Activation::gelu, 37, z.data(), whole.data(), first.data(), second.data());
  for (size_t k = 0; k < 37; ++k) {
    double value;
    activate<double>(Activation::gelu, 1, &z[k], &value, nullptr, nullptr);
    CHECK(value == whole[k]);
  }
}

TEST(an_unknown_name_is_an_error) {
  for (const char* name : {"tan", "silut:", "silut:x", "silut:3x", "silut:inf", "silu:3"}) {
    CHECK(deeptf_test::throws([&] { activation_of(name); },
                              std::string("silut, silut:threshold, got ") + name));
  }
}
