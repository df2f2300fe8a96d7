// The nodes of tables of embedding nets and their way back through the layers (net_pass.h), on a
// GPU; see curve/nodes.h for the equations. Points are in the order of the nodes; behind the last
// one they have no curve.
#pragma once

#include "core/cuda/net_pass.h"
#include "core/curve/nodes.h"
#include "core/curve/sum.h"

namespace deeptf {

struct FindPoints {
  CurveSegments segments;
  const int32_t* needed_row;
  bool bent;
  NetPoint* points;

  DEEPTF_HD void operator()(int64_t place) const {
    const int64_t number = segments.num_curves * segments.number;
    const int32_t node = last_at_most(needed_row, segments.node_row[number], place);
    if (needed_row[segments.node_row[number]] <= place) {
      points[place] = {0, 0, -1};
      return;
    }
    const int32_t segment = last_at_most(segments.node_row, static_cast<int32_t>(number), node);
    const double at = node_x(segments, segment, node);
    points[place] = {argument_at(bent, at),
                     segments.grid[2 * segment + 1] * argument_slope(bent, at),
                     static_cast<int32_t>(segment / segments.number)};
  }

 private:
  // The last k of row [count + 1], which does not fall, with row[k] <= value.
  DEEPTF_HD static int32_t last_at_most(const int32_t* row, int32_t count, int64_t value) {
    int32_t begin = 0, end = count;
    while (begin < end) {
      const int32_t middle = end - (end - begin) / 2;
      if (row[middle] <= value) {
        begin = middle;
      } else {
        end = middle - 1;
      }
    }
    return begin;
  }
};

// Nets are evaluated in float64.
using NodeLayer = NetLayer<double>;

struct Transpose {
  NodeLayer layer;
  double* transposed;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t size = layer.n_in * layer.width, at = k % size;
    transposed[k] =
        layer.matrix[k / size * layer.stride + at % layer.n_in * layer.width + at / layer.n_in];
  }
};

// nodes [n, 2, padded]; rows without a point are zero.
struct WriteNodes {
  int64_t num_points, width, padded;
  const NetPoint* points;
  const double* y;
  double* nodes;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t point = k / (2 * padded), part = k / padded % 2, m = k % padded;
    const bool used = m < width && points[point].curve >= 0;
    const double factor = part == 0 ? 1 : points[point].step;
    nodes[k] = used ? factor * y[(part * num_points + point) * width + m] : 0;
  }
};

// The gradient to the outputs [2, n, width] of the last layer.
struct ReadNodesGrad {
  int64_t num_points, width, padded;
  const NetPoint* points;
  const double* nodes_grad;
  double* dy;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t part = k / (num_points * width), point = k / width % num_points, m = k % width;
    const double factor = part == 0 ? 1 : points[point].step;
    dy[k] = factor * nodes_grad[(2 * point + part) * padded + m];
  }
};

// From dy [2, n, width] to the gradient of z and z', and the terms [n, width] of that of idt.
struct Bend {
  NodeLayer layer;
  const double* dy;
  double *dz, *idt_terms;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t next = layer.num_points * layer.width, m = k % layer.width;
    const int32_t curve = layer.points[k / layer.width].curve;
    if (curve < 0) return;
    const Curvature<double> f = activate_one(layer.activation, layer.z[k]);
    const double slope = layer.z[next + k];
    double dh = dy[k], dslope = dy[next + k];
    if (layer.has_step) {
      const double step = layer.idt[curve * layer.stride + m];
      idt_terms[k] = dh * f.value + dslope * f.first * slope;
      dh *= step;
      dslope *= step;
    }
    dz[k] = f.first * dh + f.second * slope * dslope;
    dz[next + k] = f.first * dslope;
  }
};

// dx [2, n, n_in] from dy, through the residual, and from the gradient of z.
struct Backward {
  NodeLayer layer;
  const double *dy, *dz;
  double* dx;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t n_in = layer.n_in, width = layer.width, row = k / n_in, i = k % n_in;
    const int32_t curve = layer.points[row % layer.num_points].curve;
    if (curve < 0) return;
    const double* column = layer.transposed + curve * n_in * width + i;
    double sum = 0;
    for (int64_t m = i; layer.residual && m < width; m += n_in) sum += dy[row * width + m];
    for (int64_t m = 0; m < width; ++m) sum += dz[row * width + m] * column[m * n_in];
    dx[k] = sum;
  }
};

// The gradients of one layer in the order of its arrays: matrix, bias, idt. The points of a net are
// cut into parts; each part has a sum of its own.
struct WeightGrad {
  NodeLayer layer;
  CurveSegments segments;
  const int32_t* needed_row;
  const double *dz, *idt_terms;
  int64_t parts;
  double* grads;  // [parts, C, stride], from the arrays of this layer on

  DEEPTF_HD int64_t rows() const { return layer.n_in + 1 + (layer.has_step ? 1 : 0); }

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t n_in = layer.n_in, width = layer.width, size = rows() * width;
    const int64_t at = k % size, curve = k / size % segments.num_curves;
    const int64_t part = k / size / segments.num_curves, i = at / width, m = at % width;
    const int64_t first = point_of(curve), count = point_of(curve + 1) - first;
    const int64_t begin = first + count * part / parts, end = first + count * (part + 1) / parts;
    const int64_t slopes = layer.num_points * n_in, next = layer.num_points * width;
    double sum = 0;
    for (int64_t point = begin; point < end; ++point) {
      const int64_t z = point * width + m, x = point * n_in + i;
      if (i < n_in) {
        sum += layer.x[x] * dz[z] + layer.x[slopes + x] * dz[next + z];
      } else {
        sum += i == n_in ? dz[z] : idt_terms[z];
      }
    }
    grads[(part * segments.num_curves + curve) * layer.stride + at] = sum;
  }

 private:
  DEEPTF_HD int64_t point_of(int64_t curve) const {
    return needed_row[segments.node_row[curve * segments.number]];
  }
};

}  // namespace deeptf
