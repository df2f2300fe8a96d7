// See needed.h. Threads mark intervals, in whatever order; what is marked does not depend on it.
#include "core/curve/needed.h"

#include "core/base/scratch.h"
#include "core/curve/layout.h"

namespace deeptf {

void needed_nodes(const CurvePairs& pairs, const CurveSegments& segments, const Context& context,
                  const double* rows, int32_t* needed_row) {
  const Layout layout(pairs, segments);
  const int64_t nodes = segments.num_nodes();
  Scratch<uint8_t> used(nodes, 0);  // the interval that begins at each node
  const auto use = [&](int32_t curve, double x) {
    uint8_t* mark = &used[layout.interval(curve, x).node];
    if (__atomic_load_n(mark, __ATOMIC_RELAXED) == 0) __atomic_store_n(mark, 1, __ATOMIC_RELAXED);
  };
  over_atoms(pairs, 2, context, [&] {
    return [&](int64_t atom) {
      for (int64_t t = 0; t < pairs.num_types; ++t) {
        const int32_t curve = layout.curve(atom, t);
        if (curve < 0) continue;
        const int64_t begin = layout.first(atom, t), end = begin + layout.count(atom, t);
        for (int64_t pair = begin; pair < end; ++pair) use(curve, rows[pair * pairs.columns]);
        if (layout.empty_weight(atom, t) != 0) use(curve, layout.empty_x(atom, t));
      }
    };
  });
  used[0] = 1;
  int32_t needed = 0;
  for (int64_t node = 0; node < nodes; ++node) {
    needed_row[node] = needed;
    needed += used[node] | (node > 0 ? used[node - 1] : 0);
  }
  needed_row[nodes] = needed;
}

}  // namespace deeptf
