// A fitting net: the energy E of an atom from its descriptor x, its slope dE/dx, and the gradient
// of a loss that depends on both (a loss of energies and forces).
//
// Layers l = 1..L, with r_l = 1 where a layer keeps the width (never the first), else 0, and d_l a
// trainable time step or 1; x_0 = x; (.) is element by element:
//   z_l = x_{l-1} W_l + b_l     x_l = r_l x_{l-1} + d_l (.) f(z_l)     E = x_L . w + b
// Slope, backwards from u_L = w:
//   v_l = u_l (.) d_l (.) f'(z_l)     u_{l-1} = r_l u_l + v_l W_l^T     dE/dx = u_0
// Gradient of  sum_i e_i E_i + c_i . dE_i/dx_i  for given e [n] and c [n, width]. The second term
// is the derivative E' of E along c, so it has a tangent net, from x'_0 = c:
//   z'_l = x'_{l-1} W_l     x'_l = r_l x'_{l-1} + d_l (.) f'(z_l) (.) z'_l     E' = x'_L . w
// Its reverse pass meets u and v again as the adjoints of x' and z'; those of x and z start from
// a_L = e w:
//   y_l = d_l (.) (a_l (.) f'(z_l) + u_l (.) f''(z_l) (.) z'_l)     a_{l-1} = r_l a_l + y_l W_l^T
// The gradients are a_0 for x and, summed over the atoms,
//   W_l: x_{l-1} y_l + x'_{l-1} v_l     b_l: y_l     d_l: a_l (.) f(z_l) + u_l (.) f'(z_l) (.) z'_l
//   w: e x_L + x'_L     b: e
// That makes six products with the weights in all. From the first pass z and u are kept.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/activation.h"
#include "core/base/context.h"
#include "core/base/gemm.h"

namespace deeptf {

// Widths and kind of the nets of all types.
struct FittingShape {
  int64_t width;                // of the descriptor
  std::vector<int64_t> neuron;  // widths of the hidden layers
  Activation activation;
  bool resnet_dt;  // layers that keep the width have a time step

  bool keeps_width(size_t layer) const { return layer > 0 && neuron[layer] == neuron[layer - 1]; }
  int64_t hidden_width() const;  // H, sum of neuron
  int64_t widest() const;        // hidden layer
  // Shapes of the arrays of one net in their order: of each hidden layer W [in, out], b [out] and,
  // where it has one, d [out]; then w [neuron.back(), 1] and b [1].
  std::vector<std::vector<int64_t>> array_shapes() const;
};

template <class T>
class PackedNets;

template <class T>
struct FittingInputs {
  FittingShape shape;
  int64_t num_atoms;  // n
  int32_t num_types;
  const T* descriptor;            // [n, width], sorted by type
  const int32_t* atom_count;      // [num_types] atoms of each type
  std::vector<const T*> weights;  // the arrays of the net of each type, one type behind the other
  const PackedNets<T>* packed = nullptr;  // the same weights, or none
};

// The matrices of the hidden layers of all nets for products with them and with their transposed:
// what fitting_net copies anew in every call without.
template <class T>
class PackedNets {
 public:
  explicit PackedNets(const FittingInputs<T>& in);

  struct Layer {
    PackedMatrix<T> forward, backward;
  };
  const Layer& operator[](int64_t layer) const { return layers_[layer]; }

 private:
  std::vector<Layer> layers_;  // of one net behind the other
};

// Throws Error unless the counts are positive or zero and add up to num_atoms, and the number of
// arrays fits.
template <class T>
void check_fitting(const FittingInputs<T>& in);

template <class T>
struct FittingOutputs {
  T* energy;         // [n]
  T* slope;          // [n, width]
  T* preactivation;  // [n, H] z, layer after layer
  T* backward;       // [n, H] u
};

template <class T>
void fitting_net(const FittingInputs<T>& in, const Context& context, const FittingOutputs<T>& out);

template <class T>
struct FittingUpstream {
  const T* energy_grad;  // [n] e
  const T* slope_grad;   // [n, width] c
  const T* preactivation;
  const T* backward;
};

template <class T>
struct FittingGrads {
  T* descriptor;            // [n, width]
  std::vector<T*> weights;  // like FittingInputs::weights
};

template <class T>
void fitting_net_grad(const FittingInputs<T>& in, const Context& context,
                      const FittingUpstream<T>& upstream, const FittingGrads<T>& out);

}  // namespace deeptf
