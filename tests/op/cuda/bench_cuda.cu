// Times the kernels of a step of molecular dynamics and of training on water (bench_model.h): each
// alone, with its share of the shortest time that the device allows, and all of them; the memory
// that they take; attention between neighbours, of models that have it; and a step of the engine,
// from positions on the host to forces there.
//
//   bench_cuda [atoms ...]
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "bench_attention.h"
#include "bench_engine.h"
#include "bench_model.h"
#include "core/cuda/adam.h"
#include "core/cuda/moment_product.h"
#include "core/cuda/needed_nodes.h"

using deeptf::Cuda;
using namespace deeptf_test;

namespace {

struct Part {
  const char* name;
  Work work;
  std::function<void(const Cuda&)> run;
};

// The parts of a step of molecular dynamics, in their order.
template <class T>
std::vector<Part> evaluation(const Model<T>& m) {
  const auto pairs = static_cast<double>(m.pairs), atoms = static_cast<double>(m.atoms);
  const double size = sizeof(T), table = 4 * size * deeptf::padded_width<T>(kWidth);
  const double moments = 4 * kWidth * size, product = kDescriptor * size;
  const double fitting = 4.0 * (kDescriptor * 240 + 2 * 240 * 240);
  return {
      {"neighbour pairs",
       {28 * pairs, 0, 0},
       [&](const Cuda& cuda) {
         deeptf::CudaNeighborSearch search(m.frames(), m.atoms, kRcut, cuda);
         search.fill(m.row, search.count(m.row), m.neighbor, m.displacement);
       }},
      {"order of pairs",
       {64 * pairs, 0, 0},
       [&](const Cuda& cuda) {
         deeptf::CudaPairSorter(m.list(), m.pairs, cuda).fill(m.counts, m.sorted);
       }},
      {"environment rows",
       {60 * pairs, 0, 0},
       [&](const Cuda& cuda) { environment(m.environment(), cuda, m.rows); }},
      {"table sum",
       {32 * pairs + moments * atoms, table * pairs, 32 * kWidth * pairs},
       [&](const Cuda& cuda) {
         embedding_sum(place_pairs(m.curve_pairs(), cuda), m.table(), cuda, m.rows, m.moments,
                       m.outside);
       }},
      {"moment product",
       {(moments + product) * atoms, 0, 8 * kDescriptor * atoms},
       [&](const Cuda& cuda) {
         deeptf::moment_product<T>({m.atoms, 4, kWidth, kAxis}, cuda, m.moments, m.descriptor);
       }},
      {"fitting net",
       {(2 * product + 2 * kHidden * size) * atoms, 0, fitting * atoms},
       [&](const Cuda& cuda) {
         fitting_net(m.fitting(), cuda, {m.energy, m.slope, m.preactivation, m.backward});
       }},
      {"moment product, gradient",
       {(2 * moments + product) * atoms, 0, 16 * kDescriptor * atoms},
       [&](const Cuda& cuda) {
         deeptf::moment_product_grad<T>({m.atoms, 4, kWidth, kAxis}, cuda, m.moments, m.slope,
                                        m.moments_grad);
       }},
      {"table sum, gradient",
       {64 * pairs + moments * atoms, table * pairs, 64 * kWidth * pairs},
       [&](const Cuda& cuda) {
         embedding_sum_grad(place_pairs(m.curve_pairs(), cuda), m.table(), cuda, m.rows,
                            m.moments_grad, m.rows_grad);
       }},
      {"environment, gradient",
       {84 * pairs, 0, 0},
       [&](const Cuda& cuda) {
         environment_grad(m.environment(), cuda, m.rows_grad, m.pair_gradient);
       }},
      {"force and virial",
       {76 * pairs, 0, 0},
       [&](const Cuda& cuda) {
         force_virial(m.force_inputs(), m.pairs_of_atoms(), cuda, m.pair_gradient, m.force,
                      m.virial);
       }},
  };
}

// What a step of training does beside; results of one part are not always those that the next one
// would need.
template <class T>
std::vector<Part> training(const Model<T>& m) {
  const auto pairs = static_cast<double>(m.pairs), atoms = static_cast<double>(m.atoms);
  const double size = sizeof(T), table = 4 * size * deeptf::padded_width<T>(kWidth);
  const double moments = 4 * kWidth * size, product = kDescriptor * size;
  const double fitting = 4.0 * (kDescriptor * 240 + 2 * 240 * 240);
  double weights = 0;
  for (const int64_t number : m.fitting_sizes) weights += static_cast<double>(number);
  return {
      {"needed nodes",
       {8 * pairs, 0, 0},
       [&](const Cuda& cuda) {
         needed_nodes(place_pairs(m.curve_pairs(), cuda), m.segments(), kNodes, cuda, m.rows,
                      m.needed_row);
       }},
      {"embedding nodes",
       {0, 0, kNodes * 4.0 * 6275},
       [&](const Cuda& cuda) { embedding_nodes(m.embedding(), kNodes, cuda, m.nodes); }},
      {"force and virial, gradient",
       {84 * pairs, 0, 0},
       [&](const Cuda& cuda) {
         force_virial_grad(m.force_inputs(), cuda, m.force, m.virial, m.pair_upstream);
       }},
      {"environment, transpose",
       {84 * pairs, 0, 0},
       [&](const Cuda& cuda) {
         environment_grad_grad(m.environment(), cuda, m.pair_upstream, m.direction);
       }},
      {"table sum, tangent",
       {64 * pairs + moments * atoms, table * pairs, 64 * kWidth * pairs},
       [&](const Cuda& cuda) {
         embedding_sum_tangent(place_pairs(m.curve_pairs(), cuda), m.table(), cuda, m.rows,
                               m.direction, m.moments_grad);
       }},
      {"moment product, polar",
       {(2 * moments + product) * atoms, 0, 16 * kDescriptor * atoms},
       [&](const Cuda& cuda) {
         deeptf::moment_product_polar<T>({m.atoms, 4, kWidth, kAxis}, cuda, m.moments,
                                         m.moments_grad, m.slope);
       }},
      {"fitting net, gradient",
       {3 * product * atoms, 0, 2 * fitting * atoms},
       [&](const Cuda& cuda) {
         fitting_net_grad(m.fitting(), cuda, {m.energy, m.slope, m.preactivation, m.backward},
                          {m.descriptor_grad, m.fitting_grad});
       }},
      {"table gradient",
       {32 * pairs + moments * atoms, table * pairs, 32 * kWidth * pairs},
       [&](const Cuda& cuda) {
         embedding_table_grad(place_pairs(m.curve_pairs(), cuda), m.table(), cuda, m.rows,
                              m.moments_grad, m.nodes_grad);
       }},
      {"table gradient of tangent",
       {64 * pairs + moments * atoms, table * pairs, 64 * kWidth * pairs},
       [&](const Cuda& cuda) {
         embedding_tangent_table_grad(place_pairs(m.curve_pairs(), cuda), m.table(), cuda, m.rows,
                                      m.direction, m.moments_grad, m.nodes_grad);
       }},
      {"embedding nodes, gradient",
       {0, 0, kNodes * 12.0 * 6275},
       [&](const Cuda& cuda) {
         embedding_nodes_grad(m.embedding(), kNodes, cuda, m.nodes_grad, m.embedding_grads());
       }},
      {"Adam",
       {7 * size * weights, 0, 0},
       [&](const Cuda& cuda) {
         std::vector<deeptf::AdamArrays<T>> all;
         for (size_t k = 0; k < m.fitting_sizes.size(); ++k) {
           all.push_back({m.fitting_sizes[k], m.fitting_weights[k], m.adam_first[k],
                          m.adam_second[k], m.fitting_grad[k]});
         }
         adam(all, {0, 0.9, 0.999, 1e-8}, cuda);
       }},
  };
}

template <class T>
std::vector<Part> attending(const Attending<T>& a) {
  return {
      {"attention", a.work(2, 4), [&](const Cuda& cuda) { a.forward(cuda); }},
      {"attention, gradient", a.work(5, 7), [&](const Cuda& cuda) { a.gradient(cuda); }},
      {"attention, second gradient", a.work(12, 14), [&](const Cuda& cuda) { a.second(cuda); }},
  };
}

// Median time of run() in us: of 30 runs, or as many as take a second.
template <class Run>
double time_of(Arena* arena, const Run& run) {
  Clock clock;
  std::vector<double> times;
  double total = 0;
#ifdef __CUDACC__
  run();
  const size_t most = 30;
#else
  const size_t most = 1;
#endif
  while (times.size() < most && total < 1e6) {
    arena->reset();
    clock.start();
    run();
    times.push_back(clock.stop());
    total += times.back();
  }
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

void report(int64_t atoms, const char* name, double us, double shortest) {
  std::printf("%8lld  %-28s %12.1f us %9.4f us/atom", static_cast<long long>(atoms), name, us,
              us / static_cast<double>(atoms));
  if (shortest > 0) std::printf("  %5.1f %% of the limit", 100 * shortest / us);
  std::printf("\n");
}

void time_parts(int64_t atoms, bool single, Arena* arena, const std::vector<Part>& parts,
                const char* name) {
  for (const Part& part : parts) {
    const double us = time_of(arena, [&] { part.run(arena->cuda()); });
    report(atoms, part.name, us, limit(part.work, single));
  }
  const double us = time_of(arena, [&] {
    for (const Part& part : parts) {
      arena->reset();
      part.run(arena->cuda());
    }
  });
  report(atoms, name, us, 0);
}

template <class T>
void time_all(const Water& water) {
  const bool single = sizeof(T) == 4;
  const auto atoms = static_cast<int64_t>(water.type.size());
  Arena arena(free_memory());
  const Model<T> model(water, &arena);
  std::printf("%8lld  float%d, %.1f pairs an atom\n", static_cast<long long>(atoms),
              single ? 32 : 64, static_cast<double>(model.pairs) / static_cast<double>(atoms));
  time_parts(atoms, single, &arena, evaluation(model), "STEP, energy and forces");
  time_parts(atoms, single, &arena, training(model), "BESIDE, in training");
  std::printf("%8lld  memory %.1f KB an atom\n", static_cast<long long>(atoms),
              static_cast<double>(arena.most()) / 1024 / static_cast<double>(atoms));
  if (atoms > kMostAttending) return;
  const Attending<T> attention(model, &arena);
  time_parts(atoms, single, &arena, attending(attention), "ATTENTION");
}

}  // namespace

int main(int argc, char** argv) {
  for (int k = 1; k < argc; ++k) {
    const Water water(std::atoll(argv[k]));
    try {
      time_all<float>(water);
      time_all<double>(water);
      for (const bool single : {true, false}) {
        const std::string name = single ? "float32" : "float64";
        const auto atoms = static_cast<int64_t>(water.type.size());
        report(atoms, ("ENGINE, " + name).c_str(), time_of_engine(water, table_bytes(single)), 0);
        if (atoms > kMostAttending) continue;
        report(atoms, ("ENGINE, attention, " + name).c_str(),
               time_of_engine(water, attention_bytes(single)), 0);
      }
    } catch (const std::exception& error) {
      std::printf("%s atoms: %s\n", argv[k], error.what());
      return 1;
    }
  }
}
