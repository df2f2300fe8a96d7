// See nodes.h. A net is evaluated once where two segments meet. Points are cut into pieces,
// whatever the number of threads; the weight gradients of the pieces of a net are added in their
// order, so that bits do not depend on threads.
#include "core/curve/nodes.h"

#include <algorithm>

#include "core/base/scratch.h"
#include "core/curve/net_arrays.h"
#include "core/curve/node_pass.h"

namespace deeptf {
namespace {

// Where the nets are evaluated, and what goes through a net together.
class Points {
 public:
  Points(const CurveSegments& segments, const int32_t* needed_row, bool bent)
      : segments_(segments),
        needed_row_(needed_row),
        bent_(bent),
        points_(needed_row[segments.num_nodes()]) {
    for (int64_t c = 0; c < segments.num_curves; ++c) {
      const int64_t begin = count_;
      for (int64_t k = 0; k < segments.number; ++k) add_segment(c, k);
      cut(c, begin);
    }
  }

  const Point* data() const { return points_.data(); }
  const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  void add_segment(int64_t curve, int64_t number) {
    const int64_t segment = curve * segments_.number + number;
    const int32_t first = segments_.node_row[segment], end = segments_.node_row[segment + 1];
    const double start = argument_at(bent_, segments_.grid[2 * segment]);
    for (int32_t node = first; node < end; ++node) {
      const int64_t place = needed_row_[node];
      const double at = node_x(segments_, segment, node), x = argument_at(bent_, at);
      const double step = segments_.grid[2 * segment + 1] * argument_slope(bent_, at);
      if (needed_row_[node + 1] == place) continue;
      if (node == first && number > 0 && count_ > 0) {
        Point& last = points_[count_ - 1];
        if (last.count == 1 && last.place == place - 1 && last.x == start) {
          last.step[last.count++] = step;
          continue;
        }
      }
      points_[count_++] = {x, {step, 0}, place, 1};
    }
  }

  void cut(int64_t curve, int64_t begin) {
    const int64_t count = count_ - begin, number = (count + kPiece - 1) / kPiece;
    for (int64_t k = 0; k < number; ++k) {
      const int64_t from = count * k / number, to = count * (k + 1) / number;
      pieces_.push_back({curve, begin + from, to - from});
    }
  }

  CurveSegments segments_;
  const int32_t* needed_row_;
  bool bent_;
  Scratch<Point> points_;
  int64_t count_ = 0;
  std::vector<Piece> pieces_;
};

int64_t cost(const EmbeddingNets<double>& nets) {
  return 2 * kPiece * (num_weights(nets.layers.front()) + 20 * nets.width());
}

// Adds the gradients of one piece, in one array.
void add_weights(const std::vector<EmbeddingLayer<double>>& layers, const double* from,
                 const std::vector<EmbeddingLayerGrad<double>>& to) {
  for (size_t l = 0; l < layers.size(); ++l) {
    over_arrays(layers[l], to[l], [&](double* sum, int64_t size) {
      for (int64_t i = 0; i < size; ++i) sum[i] += *from++;
    });
  }
}

void set_to_zero(const std::vector<EmbeddingLayer<double>>& layers,
                 const std::vector<EmbeddingLayerGrad<double>>& grads) {
  for (size_t l = 0; l < layers.size(); ++l) {
    over_arrays(layers[l], grads[l],
                [](double* grad, int64_t size) { std::fill_n(grad, size, 0.0); });
  }
}

}  // namespace

void embedding_nodes(const EmbeddingNets<double>& nets, const Context& context, double* nodes) {
  const Points points(nets.segments, nets.needed_row, nets.bent);
  const std::vector<Piece>& pieces = points.pieces();
  context.parallel(static_cast<int64_t>(pieces.size()), cost(nets),
                   [&](int64_t begin, int64_t end) {
                     Pass<double> pass(nets, points.data());
                     for (int64_t k = begin; k < end; ++k) {
                       pass.forward(pieces[k], false);
                       pass.write(nodes);
                     }
                   });
}

void embedding_nodes_grad(const EmbeddingNets<double>& nets, const Context& context,
                          const double* nodes_grad, const EmbeddingNetsGrad<double>& grads) {
  const Points points(nets.segments, nets.needed_row, nets.bent);
  const std::vector<Piece>& pieces = points.pieces();
  const auto number = static_cast<int64_t>(pieces.size());
  const int64_t weights = num_weights(nets.layers.front());  // all nets have the same widths
  Scratch<double> parts(number * weights);
  const auto part = [&](int64_t k) {
    const int64_t curve = pieces[k].curve;
    if (k == 0 || pieces[k - 1].curve != curve) return grads[curve];  // the others are added to it
    return split_weights(nets.layers[curve], parts.data() + k * weights);
  };
  context.parallel(number, 3 * cost(nets), [&](int64_t begin, int64_t end) {
    Pass<double> pass(nets, points.data());
    for (int64_t k = begin; k < end; ++k) {
      pass.forward(pieces[k], true);
      pass.backward(nodes_grad, part(k));
    }
  });
  std::vector<bool> seen(nets.layers.size(), false);
  for (int64_t k = 0; k < number; ++k) {
    const int64_t curve = pieces[k].curve;
    if (seen[curve]) add_weights(nets.layers[curve], parts.data() + k * weights, grads[curve]);
    seen[curve] = true;
  }
  for (size_t c = 0; c < nets.layers.size(); ++c) {
    if (!seen[c]) set_to_zero(nets.layers[c], grads[c]);
  }
}

}  // namespace deeptf
