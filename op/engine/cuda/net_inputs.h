// What the nets of a model take beside descriptors (engine/plan/net_inputs.h), on a device.
#pragma once

#include "core/cuda/frame_of_atom.h"
#include "engine/cuda/stage.h"
#include "engine/plan/net_inputs.h"

namespace deeptf::device {

// (value - mean) / stddev of given numbers.
struct StandardRow {
  int64_t width;
  const double *values, *mean, *stddev;

  DEEPTF_HD double operator()(int64_t row, int64_t k) const {
    return (values[row * width + k] - mean[k]) / stddev[k];
  }
};

class StandardConstants {
 public:
  explicit StandardConstants(const Standardised& host)
      : width_(host.width), mean_(host.mean), stddev_(host.stddev) {}
  StandardRow row(const double* values) const {
    return {width_, values, mean_.data(), stddev_.data()};
  }

 private:
  int64_t width_;
  Constant<double> mean_, stddev_;
};

// Rows of a net: the descriptor, behind it the vector of the type and what frame and atom are
// given.
template <class T>
struct NetRows {
  int64_t descriptor, vector, width;
  bool of_type;  // whether a type has a descriptor, not an atom
  const T *from, *types;
  const int32_t *type, *atom, *frame_row;
  int64_t num_frames;
  StandardRow fparam, aparam;
  T* to;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t row = k / width;
    int64_t m = k % width;
    if (m < descriptor) {
      to[k] = from[(of_type ? type[row] : row) * descriptor + m];
      return;
    }
    m -= descriptor;
    if (m < vector) {
      to[k] = types[type[row] * vector + m];
      return;
    }
    m -= vector;
    if (m < fparam.width) {
      to[k] = static_cast<T>(fparam(frame_of_atom(frame_row, num_frames, atom[row]), m));
    } else {
      to[k] = static_cast<T>(aparam(atom[row], m - fparam.width));
    }
  }
};

template <class T>
class NetInputs {
 public:
  explicit NetInputs(const deeptf::NetInputs<T>& host)
      : descriptor(host.descriptor),
        width(host.width),
        vector_(host.vector),
        fparam_(host.fparam),
        aparam_(host.aparam),
        types_(host.types) {}

  const int64_t descriptor, width;

  // Whether the nets take more than the descriptor.
  bool with_more() const { return width > descriptor; }

  // Rows [n, width] from the descriptors [n, descriptor] of atoms, or those [T, descriptor] of
  // types.
  const T* rows(const Block& block, const T* from, bool of_type, const Values& values) const {
    if (!with_more() && !of_type) return from;
    const int64_t count = block.num_atoms * width;
    T* to = values.keep<T>(count);
    for_each(block.cuda, count,
             NetRows<T>{descriptor, vector_, width, of_type, from, types_.data(), block.type,
                        block.atom, block.frame_row, block.num_frames, fparam_.row(block.fparam),
                        aparam_.row(block.aparam), to});
    return to;
  }

 private:
  int64_t vector_;
  StandardConstants fparam_, aparam_;
  Constant<T> types_;
};

}  // namespace deeptf::device
