// Through the layers of attention and back, for any device: Layer is its class of layers, Pairs its
// AttendingPairs and Values its values.
#pragma once

#include <vector>

#include "engine/plan/attention_constants.h"

namespace deeptf {

// What a layer keeps for the way back, in the memory of a device.
template <class T>
struct KeptLayer {
  T* attended;  // [p, 3, attn]
  T* before;    // [p, M] what is normalised
};

template <class T>
struct KeptLayers {
  T* taken;                          // memory for [p, attn] of any layer
  std::vector<KeptLayer<T>> layers;  // one that each of them overwrites where there is no way back
};

// Changes the values [p, M].
template <class T, class Layer, class Pairs, class Values>
KeptLayers<T> attend(const AttentionSettings& settings, const std::vector<Layer>& layers,
                     const Pairs& pairs, bool gradient, T* value, Values& values) {
  const int64_t number = pairs.shape.runs.num_pairs;
  KeptLayers<T> kept{values.template keep<T>(number * settings.widest), {}};
  for (const Layer& layer : layers) {
    if (gradient || kept.layers.empty()) {
      kept.layers.push_back({values.template keep<T>(number * kParts * settings.widest),
                             values.template keep<T>(number * settings.width)});
    }
    layer.apply(pairs, kept.layers.back(), kept.taken, value);
  }
  return kept;
}

// Turns the gradient of the last values into that of the first, and returns that of the shares.
// add(grad, share_grad) takes what each layer gives to directions and shares.
template <class T, class Layer, class Pairs, class Values, class Add>
T* pull_attention(const AttentionSettings& settings, const std::vector<Layer>& layers,
                  const Pairs& pairs, const KeptLayers<T>& kept, T* value_grad, Values& values,
                  const Add& add) {
  const int64_t number = pairs.shape.runs.num_pairs;
  const AttentionGrads<T> grad{values.template keep<T>(number * kParts * settings.widest),
                               values.template keep<T>(number * 3),
                               values.template keep<T>(number)};
  T* share_grad = values.template keep<T>(number);
  values.fill(T(0), number, share_grad);
  for (size_t l = layers.size(); l-- > 0;) {
    layers[l].pull(pairs, kept.layers[l], kept.taken, grad, value_grad);
    add(grad, share_grad);
  }
  return share_grad;
}

}  // namespace deeptf
