// Kernels called again take nothing from the system: their memory is the arena of the thread.
#include <atomic>
#include <cstdlib>
#include <new>

#include "check.h"
#include "core/base/gemm.h"
#include "core/base/scratch.h"
#include "core/base/team.h"
#include "core/geometry/environment.h"
#include "core/geometry/neighbors.h"
#include "core/moments/moment_product.h"
#include "core/moments/neighbor_sum.h"
#include "core/nets/fitting_net.h"
#include "train/adam.h"

namespace {

std::atomic<int64_t> taken{0};  // how often something was taken from the system

void* take(size_t bytes, size_t alignment) {
  ++taken;
  void* data = std::aligned_alloc(alignment, (bytes / alignment + 1) * alignment);
  if (data == nullptr) throw std::bad_alloc();
  return data;
}

}  // namespace

void* operator new(size_t bytes) { return take(bytes, alignof(std::max_align_t)); }
void* operator new[](size_t bytes) { return take(bytes, alignof(std::max_align_t)); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  return take(bytes, static_cast<size_t>(alignment));
}
void* operator new[](size_t bytes, std::align_val_t alignment) {
  return take(bytes, static_cast<size_t>(alignment));
}
void operator delete(void* data) noexcept { std::free(data); }
void operator delete[](void* data) noexcept { std::free(data); }
void operator delete(void* data, size_t) noexcept { std::free(data); }
void operator delete[](void* data, size_t) noexcept { std::free(data); }
void operator delete(void* data, std::align_val_t) noexcept { std::free(data); }
void operator delete[](void* data, std::align_val_t) noexcept { std::free(data); }
void operator delete(void* data, size_t, std::align_val_t) noexcept { std::free(data); }
void operator delete[](void* data, size_t, std::align_val_t) noexcept { std::free(data); }

namespace {

using deeptf::Context;

// The pieces of three threads, one after the other on this one: which thread of a team takes which
// piece, and meets its arena for the first time, is a matter of chance.
Context in_pieces() {
  Context context;
  context.threads = 3;
  context.split = [](int64_t count, int64_t, const deeptf::Range& range) {
    for (int64_t k = 0; k < 3; ++k) range(count * k / 3, count * (k + 1) / 3);
  };
  return context;
}

// Whether run(context) takes something the first time that a thread calls it, and nothing later.
template <class Run>
bool keeps_its_memory(const Run& run, bool takes_some = true) {
  bool kept = true;
  for (const Context& context : {Context{}, in_pieces()}) {
    std::thread([&] {
      int64_t before = taken;
      run(context);
      kept = kept && (taken > before || !takes_some);
      before = taken;
      run(context);
      kept = kept && taken == before;
    }).join();
  }
  return kept;
}

}  // namespace

TEST(something_is_counted) {
  CHECK(!keeps_its_memory([](const Context&) { std::vector<double>(100).resize(200); }));
}

TEST(loops_of_a_team) {
  const Context context = deeptf::team_of(2);
  std::vector<int64_t> ends(1000);
  const auto loop = [&] {
    context.parallel(1000, 1000000, [&](int64_t begin, int64_t end) { ends[begin] = end; });
  };
  loop();
  const int64_t before = taken;
  loop();
  CHECK(taken == before);
}

TEST(products) {
  const std::vector<double> a(300 * 200, 1), b(200 * 500, 1);
  std::vector<double> c(300 * 500);
  CHECK(keeps_its_memory([&](const Context& context) {
    const deeptf::Multiplication<double> one{{300, 500, c.data(), 500, false},
                                             {{200, {a.data(), 1, 300}, {b.data(), 500, 1}}}};
    deeptf::multiply(context, &one, 1);
  }));
}

TEST(fitting_net) {
  constexpr int64_t atoms = 200, width = 20;
  const std::vector<int32_t> count{120, 80};
  const deeptf::FittingShape shape{width, {30, 30}, deeptf::Activation::tanh, true};
  std::vector<std::vector<double>> weights;
  for (int type = 0; type < 2; ++type) {
    for (const auto& size : shape.array_shapes()) {
      weights.emplace_back(size[0] * (size.size() > 1 ? size[1] : 1), 0.1);
    }
  }
  const std::vector<double> x(atoms * width, 0.3), e(atoms, 1);
  std::vector<std::vector<double>> grads = weights;
  std::vector<double> energy(atoms), slope(x), z(atoms * 60), u(z), x_grad(x);
  deeptf::FittingInputs<double> in{shape, atoms, 2, x.data(), count.data(), {}};
  deeptf::FittingGrads<double> out{x_grad.data(), {}};
  for (const auto& array : weights) in.weights.push_back(array.data());
  for (auto& array : grads) out.weights.push_back(array.data());
  CHECK(keeps_its_memory([&](const Context& context) {
    deeptf::fitting_net<double>(in, context, {energy.data(), slope.data(), z.data(), u.data()});
  }));
  CHECK(keeps_its_memory([&](const Context& context) {
    deeptf::fitting_net_grad<double>(in, context, {e.data(), x.data(), z.data(), u.data()}, out);
  }));
}

TEST(sums_over_neighbors) {
  constexpr int64_t atoms = 50, columns = 4, width = 20;
  const std::vector<int32_t> count(atoms, 10);
  const std::vector<double> weight(atoms * 10 * columns, 1), value(atoms * 10 * width, 1);
  std::vector<double> sum(atoms * columns * width), value_grad(value), weight_grad(weight);
  const deeptf::Runs runs{atoms, atoms * 10, columns, width, count.data()};
  CHECK(keeps_its_memory([&](const Context& context) {
    deeptf::neighbor_sum(runs, context, weight.data(), value.data(), sum.data());
    deeptf::neighbor_sum_value_grad(runs, context, weight.data(), sum.data(), value_grad.data());
    deeptf::neighbor_sum_weight_grad(runs, context, value.data(), sum.data(), weight_grad.data());
  }));
}

TEST(products_of_moments) {
  const deeptf::MomentShape shape{50, 4, 20, 6};
  const std::vector<double> moments(50 * 4 * 20, 1);
  std::vector<double> product(50 * 20 * 6), grad(moments);
  CHECK(keeps_its_memory([&](const Context& context) {
    deeptf::moment_product(shape, context, moments.data(), product.data());
    deeptf::moment_product_grad(shape, context, moments.data(), product.data(), grad.data());
    deeptf::moment_product_polar(shape, context, moments.data(), grad.data(), product.data());
  }));
}

TEST(neighbors) {
  constexpr int32_t atoms = 300;
  std::vector<double> coord = deeptf_test::normal(3 * atoms, 1), cell{20, 0, 0, 3, 20, 0, 0, 0, 20};
  for (double& x : coord) x *= 5;
  const std::vector<int32_t> frame_row{0, atoms}, type(atoms, 0);
  const deeptf::Frames frames{1, frame_row.data(), coord.data(), cell.data(), type.data()};
  std::vector<int32_t> row(atoms + 1), neighbor(atoms * atoms);
  std::vector<double> displacement(3 * neighbor.size());
  CHECK(keeps_its_memory([&](const Context& context) {
    const deeptf::NeighborSearch search(frames, 6);
    search.count(context, row.data());
    search.fill(context, row.data(), neighbor.data(), displacement.data());
  }));
}

TEST(environment) {
  const std::vector<double> displacement{1, 0, 0, 0, 3, 0}, mean(4, 0), stddev(4, 1);
  const std::vector<int32_t> centre{0, 1}, type{0, 0};
  std::vector<double> rows(8), grad(6);
  const deeptf::EnvironmentInputs in{
      2, 2, 1, 4, displacement.data(), centre.data(), type.data(), mean.data(), stddev.data(),
      2, 4};
  const auto run = [&](const Context& context) {
    deeptf::check_environment(in, context);
    deeptf::environment(in, context, rows.data());
    deeptf::environment_grad(in, context, rows.data(), grad.data());
    deeptf::environment_grad_grad(in, context, grad.data(), rows.data());
  };
  CHECK(keeps_its_memory(run, false));
}

TEST(adam) {
  std::vector<double> weight(10000, 1), first(weight), second(weight);
  const std::vector<double> gradient(weight);
  const std::vector<deeptf::AdamArrays<double>> all{
      {10000, weight.data(), first.data(), second.data(), gradient.data()}};
  CHECK(keeps_its_memory(
      [&](const Context& context) { deeptf::adam(all, {1e-3, 0.9, 0.999, 1e-8}, context); }));
}
