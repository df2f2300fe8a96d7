// Activation functions of the nets with their first two derivatives.
//
// tanh is written for vectors: its error is below 2.5 units in the last place (see
// tests/op/test_activation.cc), and a result does not depend on its place in the array.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/host_device.h"

namespace deeptf {

// relu6 and relu have the derivative 0 in their corners. gelu is the approximation with tanh,
// x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) (arXiv:1606.08415); gelu_tf is that of TensorFlow,
// which rounds 0.044715 to float32 in float64 too. silut is silu below a threshold a, and above
// silu(a) + tanh(silu'(a) (x - a)); its second derivative jumps there.
struct Activation {
  enum Kind { linear, tanh, sigmoid, softplus, silu, gelu, gelu_tf, relu, relu6, silut };

  DEEPTF_HD constexpr Activation(Kind kind = linear) : kind(kind) {}
  DEEPTF_HD constexpr operator Kind() const { return kind; }

  Kind kind;
  double threshold = 0, slope = 0, value = 0;  // of silut: a, silu'(a), silu(a)
};

// The activation of a name of the input file, silut:a for another threshold than 3; throws Error
// for another name.
Activation activation_of(const std::string& name);

// value = f(z), first = f'(z), second = f''(z) for `count` numbers; a result that is not wanted is
// null. value may be z.
template <class T>
void activate(Activation kind, int64_t count, const T* z, T* value, T* first, T* second);

}  // namespace deeptf
