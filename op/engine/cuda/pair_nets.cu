// See pair_nets.h. Points go through the nets in pieces, so that memory between layers is bounded.
#include <algorithm>

#include "core/cuda/net_pass.h"
#include "engine/cuda/pair_nets.h"

namespace deeptf::device {
namespace {

// In a test so few that there are soon several pieces.
#ifdef __CUDACC__
constexpr int64_t kMostPoints = 1 << 18;
#else
constexpr int64_t kMostPoints = 64;
#endif

// A warp's worth of threads for the pairs of an atom and neighbour type.
struct SetBlocks {
  PlacedPairs pairs;
  int32_t* block;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t n = pairs.num_atoms, types = pairs.num_types;
    const int64_t atom = k / kLanes % n, t = k / kLanes / n;
    const int64_t begin = pairs.first[t * n + atom];
    const int64_t end = begin + pairs.neighbor_count[atom * types + t];
    for (int64_t pair = begin + k % kLanes; pair < end; pair += kLanes) {
      block[pair] = static_cast<int32_t>(t * types + pairs.type[atom]);
    }
  }
};

template <class T>
struct SetPoints {
  NetPlaces<T> places;
  NetPoint* points;

  DEEPTF_HD void operator()(int64_t k) const {
    const int32_t block = places.block[k];
    points[k] = {static_cast<double>(places.x[k * places.stride]), 1,
                 block < 0 ? -1 : places.curve[block]};
  }
};

template <class T>
struct WriteValues {
  int64_t number, width;
  const NetPoint* points;
  const T* y;
  NetValues<T> to;

  DEEPTF_HD void operator()(int64_t k) const {
    const bool used = points[k / width].curve >= 0;
    to.value[k] = used ? y[k] : T(0);
    to.slope[k] = used ? y[number * width + k] : T(0);
  }
};

}  // namespace

const int32_t* blocks_of_pairs(const PlacedPairs& pairs, const Cuda& cuda) {
  auto* block = cuda.scratch<int32_t>(pairs.num_pairs);
  for_each(cuda, pairs.num_pairs, Fill<int32_t>{-1, block});
  for_each(cuda, pairs.num_atoms * pairs.num_types * kLanes, SetBlocks{pairs, block});
  return block;
}

template <class T>
PairNets<T>::PairNets(const deeptf::PairNets<T>& host) : activation_(host.nets().activation) {
  const auto& nets = host.nets().layers;
  AlignedVector<T> weights;
  const auto add = [&](const T* array, int64_t size) {
    const auto place = static_cast<int64_t>(weights.size());
    weights.insert(weights.end(), array, array + size);
    return place;
  };
  const size_t different = host.share_layers() ? 1 : nets.size();
  for (size_t k = 0; k < different; ++k) {
    for (size_t l = 0; l < nets[0].size(); ++l) {
      const EmbeddingLayer<T>& layer = nets[k][l];
      const bool scaled = std::any_of(nets.begin(), nets.end(),
                                      [&](const auto& net) { return net[l].idt != nullptr; });
      const AlignedVector<T> ones(layer.width, T(1));
      const int64_t matrix = add(layer.matrix, layer.n_in * layer.width);
      const int64_t bias = add(layer.bias, layer.width);
      const T* idt = layer.idt != nullptr ? layer.idt : ones.data();
      const int64_t step = scaled ? add(idt, layer.width) : -1;
      if (k == 0) layers_.push_back({layer.n_in, layer.width, matrix, bias, step});
    }
    if (k == 0) stride_ = first_bias_stride_ = static_cast<int64_t>(weights.size());
  }
  if (host.share_layers()) {
    stride_ = 0;
    first_bias_stride_ = nets[0][0].width;
    layers_[0].bias = static_cast<int64_t>(weights.size());
    for (const auto& net : nets) add(net[0].bias, first_bias_stride_);
  }
  weights_ = Constant<T>(weights.data(), static_cast<int64_t>(weights.size()));
}

template <class T>
NetValues<T> PairNets<T>::evaluate(const Block& block, const NetPlaces<T>& places,
                                   const Values& values) const {
  const int64_t size = places.number * width();
  const NetValues<T> to{values.keep<T>(size), values.keep<T>(size)};
  for (int64_t begin = 0; begin < places.number; begin += kMostPoints) {
    const Arena::Scope scope(block.arena);
    NetPlaces<T> piece = places;
    piece.number = std::min(kMostPoints, places.number - begin);
    piece.x += begin * places.stride;
    piece.block += begin;
    evaluate_piece(block.cuda, piece, {to.value + begin * width(), to.slope + begin * width()});
  }
  return to;
}

template <class T>
void PairNets<T>::evaluate_piece(const Cuda& cuda, const NetPlaces<T>& places,
                                 const NetValues<T>& to) const {
  const int64_t n = places.number;
  auto* points = cuda.scratch<NetPoint>(n);
  for_each(cuda, n, SetPoints<T>{places, points});
  const T* weights = weights_.data();
  T* x = cuda.scratch<T>(2 * n);
  for (size_t l = 0; l < layers_.size(); ++l) {
    const auto& [n_in, width, matrix, bias, idt] = layers_[l];
    const NetLayer<T> layer{activation_,
                            n_in,
                            width,
                            idt >= 0,
                            has_residual(n_in, width),
                            n,
                            stride_,
                            l == 0 ? first_bias_stride_ : stride_,
                            points,
                            weights + matrix,
                            weights + bias,
                            weights + std::max<int64_t>(idt, 0),
                            nullptr,
                            x,
                            nullptr};
    if (l == 0) for_each(cuda, n, SetInput<T>{layer, x});
    T* y = cuda.scratch<T>(2 * n * width);
    for_each(cuda, n * width, Forward<T>{layer, y});
    x = y;
  }
  for_each(cuda, n * width(), WriteValues<T>{n, width(), points, x, to});
}

template class PairNets<float>;
template class PairNets<double>;

}  // namespace deeptf::device
