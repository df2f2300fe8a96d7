// Water with the reference net on a device, for the benchmark: 0.1 atoms/A^3, rcut 6 A, embedding
// nets of 25, 50 and 100, 16 axes, fitting nets of 3 x 240. Weights are random; times do not depend
// on them.
#pragma once

#include <cmath>
#include <random>

#include "bench_device.h"
#include "core/cuda/embedding_nodes.h"
#include "core/cuda/embedding_sum.h"
#include "core/cuda/environment.h"
#include "core/cuda/fitting_net.h"
#include "core/cuda/force_virial.h"
#include "core/cuda/neighbors.h"
#include "core/cuda/pair_order.h"

namespace deeptf_test {

constexpr double kRcut = 6, kSmooth = 0.5, kDensity = 0.1;
constexpr int64_t kTypes = 2, kCurves = kTypes * kTypes, kNear = 32, kData = 512, kWidth = 100,
                  kAxis = 16, kDescriptor = kWidth * kAxis, kHidden = 720;
constexpr int64_t kNodes = kCurves * (kData + kNear);

// A lattice with noise; one atom in three is of type 0.
struct Water {
  explicit Water(int64_t atoms) {
    std::mt19937 engine(1);
    std::normal_distribution<double> noise(0, 0.3);
    const double side = std::cbrt(static_cast<double>(atoms) / kDensity);
    const auto places = static_cast<int64_t>(std::ceil(std::cbrt(static_cast<double>(atoms))));
    for (int k = 0; k < 3; ++k) cell[4 * k] = side;
    for (int64_t k = 0; k < atoms; ++k) {
      const int64_t place = k * places * places * places / atoms;
      for (const int64_t x : {place / places / places, place / places % places, place % places}) {
        coord.push_back(side * static_cast<double>(x) / static_cast<double>(places) +
                        noise(engine));
      }
      type.push_back(k % 3 == 0 ? 0 : 1);
    }
  }

  std::vector<double> coord, cell = std::vector<double>(9, 0.0);
  std::vector<int32_t> type;
};

// All arrays of a step. What it takes of `arena` stays there.
template <class T>
class Model {
 public:
  Model(const Water& water, Arena* arena)
      : arena_(arena), atoms(static_cast<int64_t>(water.type.size())) {
    place_atoms(water);
    find_pairs();
    make_nets();
    make_results();
    arena_->keep();
  }

  deeptf::Frames frames() const { return {1, frame_row, coord, cell, type}; }
  deeptf::PairList list() const {
    return {atoms, atoms, atoms, kTypes, row, neighbor, displacement, type};
  }
  deeptf::EnvironmentInputs environment() const {
    return {pairs, atoms,  kTypes,  4,    sorted.displacement, sorted.centre, type,
            mean,  stddev, kSmooth, kRcut};
  }
  deeptf::CurvePairs curve_pairs() const {
    return {atoms, pairs, kTypes, 4, counts.atom_count, counts.neighbor_count, curve, sel, empty};
  }
  deeptf::CurveSegments segments() const { return {kCurves, 2, 1, node_row, grid}; }
  deeptf::CurveTable<T> table() const { return {segments(), kWidth, kNodes, needed_row, nodes}; }
  deeptf::ForceInputs force_inputs() const {
    return {pairs, atoms, 1, sorted.displacement, sorted.centre, sorted.neighbor, frame_row};
  }
  deeptf::PairsOfAtoms pairs_of_atoms() const {
    return {pairs,
            atoms,
            atoms,
            kTypes,
            counts.atom_order,
            counts.first_pair,
            counts.neighbor_count,
            counts.pair_row,
            sorted.pair_of};
  }
  deeptf::EmbeddingNets<T> embedding() const {
    deeptf::EmbeddingNets<T> nets{deeptf::Activation::tanh, {}, segments(), needed_row};
    for (int64_t net = 0; net < kCurves; ++net) {
      const T* const* at = embedding_weights.data() + 6 * net;
      nets.layers.push_back({{1, 25, at[0], at[1], nullptr},
                             {25, 50, at[2], at[3], nullptr},
                             {50, 100, at[4], at[5], nullptr}});
    }
    return nets;
  }
  deeptf::EmbeddingNetsGrad<T> embedding_grads() const {
    deeptf::EmbeddingNetsGrad<T> grads;
    for (int64_t net = 0; net < kCurves; ++net) {
      T* const* at = embedding_grad.data() + 6 * net;
      grads.push_back({{at[0], at[1], nullptr}, {at[2], at[3], nullptr}, {at[4], at[5], nullptr}});
    }
    return grads;
  }
  deeptf::FittingInputs<T> fitting() const {
    return {{kDescriptor, {240, 240, 240}, deeptf::Activation::tanh, false},
            atoms,
            kTypes,
            descriptor,
            atom_count.data(),
            {fitting_weights.begin(), fitting_weights.end()}};
  }

 private:
  template <class U>
  U* take(int64_t count) {
    return arena_->cuda().scratch<U>(count);
  }
  template <class U>
  U* upload(const std::vector<U>& values) {
    U* to = take<U>(static_cast<int64_t>(values.size()));
#ifdef __CUDACC__
    deeptf::check_cuda(
        cudaMemcpy(to, values.data(), values.size() * sizeof(U), cudaMemcpyHostToDevice));
#else
    std::copy(values.begin(), values.end(), to);
#endif
    return to;
  }
  template <class U>
  U* random(int64_t count, double scale) {  // repeats itself, so that the host makes few numbers
    std::mt19937 engine(2);
    std::normal_distribution<double> draw(0, scale);
    std::vector<U> values(count);
    for (int64_t k = 0; k < count; ++k) {
      values[k] = k < 9973 ? static_cast<U>(draw(engine)) : values[k - 9973];
    }
    return upload(values);
  }

  void place_atoms(const Water& water) {
    frame_row = upload(std::vector<int32_t>{0, static_cast<int32_t>(atoms)});
    coord = upload(water.coord);
    cell = upload(water.cell);
    type = upload(water.type);
    mean = upload(std::vector<double>{0.1, 0, 0, 0, 0.1, 0, 0, 0});
    stddev = upload(std::vector<double>{0.12, 0.08, 0.08, 0.08, 0.12, 0.08, 0.08, 0.08});
  }

  void find_pairs() {
    row = take<int32_t>(atoms + 1);
    arena_->keep();
    pairs = deeptf::CudaNeighborSearch(frames(), atoms, kRcut, arena_->cuda()).count(row);
    arena_->reset();
    neighbor = take<int32_t>(pairs);
    displacement = take<double>(3 * pairs);
    sorted = {take<int32_t>(pairs), take<int32_t>(pairs), take<double>(3 * pairs),
              take<int32_t>(pairs)};
    counts = {take<int32_t>(atoms),          take<int32_t>(kTypes),
              take<int32_t>(atoms * kTypes), take<int32_t>(kTypes * kTypes),
              take<int32_t>(atoms * kTypes), take<int32_t>(atoms + 1)};
    atom_count = {static_cast<int32_t>((atoms + 2) / 3), 0};
    atom_count[1] = static_cast<int32_t>(atoms) - atom_count[0];
  }

  void make_nets() {
    std::vector<int32_t> first_node{0}, all_nodes;
    std::vector<double> places;
    for (int64_t c = 0; c < kCurves; ++c) {  // the range of the data, and what lies beyond it
      first_node.push_back(static_cast<int32_t>(first_node.back() + kData));
      first_node.push_back(static_cast<int32_t>(first_node.back() + kNear));
      places.insert(places.end(), {-1.5, 10.0 / (kData - 1), 8.5, 30.0 / (kNear - 1)});
    }
    for (int32_t k = 0; k <= kNodes; ++k) all_nodes.push_back(k);
    node_row = upload(first_node);
    needed_row = upload(all_nodes);
    grid = upload(places);
    curve = upload(std::vector<int32_t>{0, 1, 2, 3});
    sel = upload(std::vector<double>{46, 92});
    empty = upload(std::vector<double>(kCurves, -0.8));
    for (int64_t net = 0; net < kCurves; ++net) {
      for (const int64_t size : {25, 25, 1250, 50, 5000, 100}) {
        embedding_weights.push_back(random<T>(size, 0.2));
        embedding_grad.push_back(take<T>(size));
      }
    }
    for (int64_t net = 0; net < kTypes; ++net) {
      for (const int64_t size : {kDescriptor * 240, 240l, 57600l, 240l, 57600l, 240l, 240l, 1l}) {
        fitting_sizes.push_back(size);
        fitting_weights.push_back(random<T>(size, 0.02));
        for (auto* list : {&fitting_grad, &adam_first, &adam_second}) {
          list->push_back(random<T>(size, 0));
        }
      }
    }
  }

  void make_results() {
    const int64_t table_size =
        deeptf::table_groups<T>(kNodes) * deeptf::kTableRows<T> * deeptf::padded_width<T>(kWidth);
    for (T** array : {&nodes, &nodes_grad}) *array = random<T>(table_size, 1);
    for (double** array : {&rows, &rows_grad, &direction}) *array = take<double>(4 * pairs);
    for (double** array : {&pair_gradient, &pair_upstream}) *array = take<double>(3 * pairs);
    for (T** array : {&moments, &moments_grad}) *array = take<T>(4 * atoms * kWidth);
    for (T** array : {&descriptor, &slope, &descriptor_grad}) *array = take<T>(atoms * kDescriptor);
    for (T** array : {&preactivation, &backward}) *array = take<T>(atoms * kHidden);
    energy = random<T>(atoms, 1);
    force = take<double>(3 * atoms);
    virial = take<double>(9);
    outside = {take<int32_t>(kCurves), take<int32_t>(kCurves)};
  }

  Arena* arena_;

 public:
  int64_t atoms, pairs = 0;
  int32_t *frame_row, *type, *row, *neighbor, *node_row, *needed_row, *curve;
  double *coord, *cell, *mean, *stddev, *displacement, *grid, *sel, *empty;
  deeptf::SortedPairs sorted;
  deeptf::PairCounts counts;
  deeptf::OutsidePairs outside;
  double *rows, *rows_grad, *direction, *pair_gradient, *pair_upstream, *force, *virial;
  T *nodes, *nodes_grad, *moments, *moments_grad, *descriptor, *descriptor_grad, *slope, *energy,
      *preactivation, *backward;
  std::vector<int32_t> atom_count;
  std::vector<T*> embedding_weights, embedding_grad, fitting_weights, fitting_grad, adam_first,
      adam_second;
  std::vector<int64_t> fitting_sizes;
};

}  // namespace deeptf_test
