// Sums over the neighbours with nets as tables; core/curve/sum.h has the equations.
#include "core/cuda/embedding_sum.h"
#include "engine/cuda/stage.h"
#include "engine/plan/neighbor_sum_layout.h"
#include "engine/plan/table_constants.h"

namespace deeptf::device {
namespace {

// A table on the device.
template <class T>
class Table {
 public:
  explicit Table(const CurveTable<T>& host)
      : host_(host),
        nodes_(host.nodes,
               table_groups<T>(host.num_needed) * kTableRows<T> * padded_width<T>(host.width)),
        needed_row_(host.needed_row, host.num_needed + 1),
        node_row_(host.segments.node_row, num_segments() + 1),
        grid_(host.segments.grid, 2 * num_segments()) {}

  CurveTable<T> get() const {
    CurveTable<T> table = host_;
    table.segments.node_row = node_row_.data();
    table.segments.grid = grid_.data();
    table.needed_row = needed_row_.data();
    table.nodes = nodes_.data();
    return table;
  }

 private:
  int64_t num_segments() const { return host_.segments.num_curves * host_.segments.number; }

  CurveTable<T> host_;  // whose pointers are not used later
  Constant<T> nodes_;
  Constant<int32_t> needed_row_, node_row_;
  Constant<double> grid_;
};

// Notes pairs beyond the ranges of the data; what several stages find are the same pairs.
struct NoteOutside {
  int64_t num_types;
  OutsidePairs found;
  const double* displacement;
  int64_t* count;
  double* distance;

  DEEPTF_HD void operator()(int64_t k) const {
    if (found.count[k] == 0) return;
    const double* d = displacement + int64_t{3} * found.closest[k];
    const double length = sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
    const int64_t to = k % num_types * num_types + k / num_types;  // centre type first
    if (found.count[k] > count[to]) count[to] = found.count[k];
    if (length < distance[to]) distance[to] = length;
  }
};

template <class T>
class EmbeddingSumStage final : public Stage {
 public:
  explicit EmbeddingSumStage(const StageReader& reader)
      : EmbeddingSumStage(reader, TableConstants<T>(reader)) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const PlacedPairs pairs = placed(block);
    const double* rows = values.take<double>(takes_);
    const int64_t blocks = types_ * types_;
    const OutsidePairs outside{values.keep<int32_t>(blocks), values.keep<int32_t>(blocks)};
    embedding_sum<T>(pairs, table_.get(), block.cuda, rows, values.give<T>(gives_), outside);
    for_each(block.cuda, blocks,
             NoteOutside{types_, outside, block.displacement, block.outside_count,
                         block.outside_distance});
    if (!gradient) return {};
    return [this, pairs, rows, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      values.add_gradient<double>(takes_, [&](double* out) {
        embedding_sum_grad<T>(pairs, table_.get(), block.cuda, rows, upper, out);
      });
    };
  }

 private:
  EmbeddingSumStage(const StageReader& reader, const TableConstants<T>& table)
      : EmbeddingSumStage(reader, table, SumLayout(reader, table.num_curves())) {}
  EmbeddingSumStage(const StageReader& reader, const TableConstants<T>& table,
                    const SumLayout& layout)
      : types_(layout.types),
        columns_(layout.columns),
        table_(table.table()),
        curve_(layout.curve),
        sel_(layout.sel),
        empty_(layout.empty),
        takes_(reader.takes()),
        gives_(reader.gives({layout.columns * table.width, false, kPrecision<T>})) {
    if (table.width > kMostColumns) {
      throw Error("the width of an embedding net must be at most " + std::to_string(kMostColumns) +
                  " on a GPU, got " + std::to_string(table.width));
    }
  }

  PlacedPairs placed(const Block& block) const {
    const CurvePairs pairs{block.num_atoms, block.num_pairs,  types_,
                           columns_,        block.atom_count, block.neighbor_count,
                           curve_.data(),   sel_.data(),      empty_.data()};
    return {pairs, block.first, block.type};
  }

  int64_t types_, columns_;
  Table<T> table_;
  Constant<int32_t> curve_;
  Constant<double> sel_, empty_;
  int takes_, gives_;
};

}  // namespace

std::unique_ptr<Stage> make_embedding_sum(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<EmbeddingSumStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf::device
