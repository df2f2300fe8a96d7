// The gradients to gates; see gated_sum.h. The atoms of a type are cut into runs. A block of four
// warps has a run and one type of neighbours, whose pairs lie together: its threads find their
// places, one each, then a warp goes through a fourth of them, with the upper gradients of the atom
// at hand in registers. The runs of a type are then added up in their order. No atomics.
#include "core/cuda/curve_terms.h"
#include "core/cuda/gated_sum.h"

namespace deeptf {
namespace {

constexpr int kRunWarps = 8;  // of a block that adds runs

// Runs of all types, one type behind the other.
struct Runs {
  int64_t atoms;   // of a run
  int64_t number;  // so many at most

  explicit Runs(const PlacedPairs& pairs) {
    constexpr int64_t kLeastAtoms = 2, kRuns = 512;
    atoms = std::max(kLeastAtoms, (pairs.num_atoms + kRuns - 1) / kRuns);
    number = pairs.num_atoms / atoms + pairs.num_types;
  }
  DEEPTF_HD int64_t of_type(const PlacedPairs& pairs, int64_t type) const {
    return (pairs.atom_count[type] + atoms - 1) / atoms;
  }
};

// The pairs of a run with neighbours of one type, `first` of which begin at each atom.
struct RunPairs {
  const int32_t* first;
  int32_t curve;       // -1: left out
  int32_t atom, last;  // atoms; last < atom where there is no such run
  int32_t begin, end;  // pairs
};

__device__ inline RunPairs pairs_of_run(const PlacedPairs& pairs, const Runs& runs, int64_t run,
                                        int64_t t) {
  const int64_t types = pairs.num_types;
  int64_t type = 0, type_begin = 0;
  while (type < types && run >= runs.of_type(pairs, type)) {
    run -= runs.of_type(pairs, type);
    type_begin += pairs.atom_count[type++];
  }
  if (type == types) return {nullptr, -1, 0, -1, 0, 0};
  const int64_t atom = type_begin + run * runs.atoms;
  const int64_t left = pairs.atom_count[type] - run * runs.atoms;
  const int64_t last = atom + (left < runs.atoms ? left : runs.atoms) - 1;
  const int32_t* first = pairs.first + t * pairs.num_atoms;
  return {first,
          pairs.curve[t * types + type],
          static_cast<int32_t>(atom),
          static_cast<int32_t>(last),
          first[atom],
          first[last] + pairs.neighbor_count[last * types + t]};
}

// The atom of a pair of a run.
__device__ inline int32_t atom_of(const RunPairs& run, int32_t pair) {
  int32_t low = run.atom, high = run.last;  // the last one that begins at the pair or before
  while (low < high) {
    const int32_t middle = high - (high - low) / 2;
    if (run.first[middle] <= pair) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

// What the gate of a pair gets is weight.Y G, of tangents and slope_weight.Y G'; the share of the
// pair is in the weights.
template <class T>
struct GateGrad {
  using Term = deeptf::Term<T, 4>;

  __device__ void set_weight(int64_t pair, T share, Term* term) const {
    for (int w = 0; w < 4; ++w) term->weight[w] = share * static_cast<T>(rows[4 * pair + w]);
  }

  PlacedPairs pairs;
  CurveTable<T> table;
  Gates<T> gates;
  const double* rows;
  const T* upper;
  Runs runs;
};

template <class T>
struct GateTangentGrad : GateGrad<T> {
  using Term = TangentTerm<T, 4>;

  __device__ void set_weight(int64_t pair, T share, Term* term) const {
    const double *row = this->rows + 4 * pair, *a = direction.rows + 4 * pair;
    const T along = static_cast<T>(direction.share_of(pair));
    const T to_slope = share * static_cast<T>(a[0]);
    for (int w = 0; w < 4; ++w) {
      term->weight[w] = share * static_cast<T>(a[w]) + along * static_cast<T>(row[w]);
      term->slope_weight[w] = to_slope * static_cast<T>(row[w]);
    }
  }

  GatedDirection direction;
};

// Returns the place of the term in the table.
template <class In, class Term>
__device__ inline int32_t set_term(const In& in, int32_t curve, int64_t pair, Term* term) {
  const Interval at = place_of(in.table.segments, curve, in.rows[4 * pair]).interval;
  term->set_place(at);
  in.set_weight(pair, in.gates.share_of(pair), term);
  return static_cast<int32_t>(in.table.place(at.node));
}

template <class T, class Term>
__device__ inline void add_term(const Term& term, const T* node, int64_t padded,
                                const T (&y)[4][1][Vector<T>::kSize],
                                T (&total)[Vector<T>::kSize]) {
  constexpr int kSize = Vector<T>::kSize;
  T g[kSize] = {}, d[kSize] = {};
  interpolate(term, node, padded, g, d);
#pragma unroll
  for (int c = 0; c < kSize; ++c) {
    T u = 0, v = 0;
#pragma unroll
    for (int w = 0; w < 4; ++w) {
      u += term.weight[w] * y[w][0][c];
      if constexpr (Term::kTangent) v += term.slope_weight[w] * y[w][0][c];
    }
    total[c] += Term::kTangent ? u * g[c] + v * d[c] : u * g[c];
  }
}

template <class T, class Term>
union GateScratch {
  static constexpr int kColumns = kLanes * Vector<T>::kSize;
  struct {
    Term terms[kThreads];
    int32_t places[kThreads], atoms[kThreads];
  };
  T partial[kWarps][kColumns];
};

// sums[t, run, columns of this block]; blockIdx.y counts types and blocks of columns.
template <class T, class In>
__global__ void __launch_bounds__(kThreads, 6) run_kernel(In in, T* sums) {
  using Term = typename In::Term;
  constexpr int kSize = Vector<T>::kSize, kColumns = GateScratch<T, Term>::kColumns;
  __shared__ GateScratch<T, Term> shared;
  const int64_t width = in.table.width, padded = padded_width<T>(width);
  const int64_t t = blockIdx.y % in.pairs.num_types, lane = threadIdx.x % kLanes;
  const int64_t start = blockIdx.y / in.pairs.num_types * kColumns, own = start + lane * kSize;
  const int warp = threadIdx.x / kLanes;
  const RunPairs run = pairs_of_run(in.pairs, in.runs, blockIdx.x, t);
  if (run.last < run.atom) return;
  T y[4][1][kSize], total[kSize] = {};
  int32_t atom = -1;  // whose y it is
  for (int32_t base = run.begin; base < run.end && run.curve >= 0; base += kThreads) {
    const auto mine = static_cast<int32_t>(threadIdx.x), left = run.end - base;
    __syncthreads();
    if (mine < left) {
      shared.atoms[mine] = atom_of(run, base + mine);
      shared.places[mine] = set_term(in, run.curve, base + mine, &shared.terms[mine]);
    }
    __syncthreads();
    const int count = left < kThreads ? left : kThreads;
    const int end = count * (warp + 1) / kWarps;
    for (int k = count * warp / kWarps; k < end && own < padded; ++k) {
      if (shared.atoms[k] != atom) {
        atom = shared.atoms[k];
        load_upper<T, 4, 1>(in.upper + int64_t{atom} * 4 * width, width, start, y);
      }
      const T* node = in.table.nodes + int64_t{shared.places[k]} * kTableRows<T> * padded;
      add_term(shared.terms[k], node + own, padded, y, total);
    }
  }
  __syncthreads();
#pragma unroll
  for (int c = 0; c < kSize; ++c) shared.partial[warp][lane * kSize + c] = total[c];
  __syncthreads();
  for (int k = threadIdx.x; k < kColumns && start + k < width; k += kThreads) {
    T all = 0;
    for (int from = 0; from < kWarps; ++from) all += shared.partial[from][k];
    sums[(t * in.runs.number + blockIdx.x) * width + start + k] = all;
  }
}

// gate_grad[blockIdx.x, m], the sum over the runs of a type; blockIdx.y counts warps of columns. A
// lane has a column, the warps share the runs.
template <class T>
__global__ void __launch_bounds__(kRunWarps* kLanes)
    add_runs_kernel(PlacedPairs pairs, Runs runs, int64_t width, const T* sums, T* gate_grad) {
  __shared__ T partial[kRunWarps][kLanes];
  const int64_t t = blockIdx.x / pairs.num_types, type = blockIdx.x % pairs.num_types;
  const int lane = threadIdx.x % kLanes, warp = threadIdx.x / kLanes;
  const int64_t m = int64_t{blockIdx.y} * kLanes + lane;
  int64_t first = t * runs.number;
  for (int64_t c = 0; c < type; ++c) first += runs.of_type(pairs, c);
  const int64_t end = first + runs.of_type(pairs, type);
  T sum = 0;
  for (int64_t run = first + warp; run < end && m < width; run += kRunWarps) {
    sum += sums[run * width + m];
  }
  partial[warp][lane] = sum;
  __syncthreads();
  if (warp > 0 || m >= width) return;
  for (int from = 1; from < kRunWarps; ++from) sum += partial[from][lane];
  gate_grad[blockIdx.x * width + m] = sum;
}

template <class T, class In>
void launch_gate_grad(const In& in, const Cuda& cuda, T* gate_grad) {
  constexpr int64_t columns = kLanes * Vector<T>::kSize;
  const int64_t types = in.pairs.num_types, width = in.table.width;
  T* sums = cuda.scratch<T>(types * in.runs.number * width);
  const dim3 grid(static_cast<unsigned>(in.runs.number),
                  static_cast<unsigned>(types * ((width + columns - 1) / columns)));
  launch(cuda, grid, kThreads, run_kernel<T, In>, in, sums);
  const dim3 blocks(static_cast<unsigned>(types * types),
                    static_cast<unsigned>((width + kLanes - 1) / kLanes));
  launch(cuda, blocks, kRunWarps * kLanes, add_runs_kernel<T>, in.pairs, in.runs, width, sums,
         gate_grad);
}

}  // namespace

template <class T>
void gate_grad(const PlacedPairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
               const Cuda& cuda, const double* rows, const T* upper, T* gate_grad) {
  const GateGrad<T> in{pairs, table, gates, rows, upper, Runs(pairs)};
  launch_gate_grad(in, cuda, gate_grad);
}

template <class T>
void gate_tangent_grad(const PlacedPairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                       const Cuda& cuda, const double* rows, const GatedDirection& direction,
                       const T* upper, T* gate_grad) {
  const GateTangentGrad<T> in{{pairs, table, gates, rows, upper, Runs(pairs)}, direction};
  launch_gate_grad(in, cuda, gate_grad);
}

#define DEEPTF_INSTANTIATE(T)                                                                     \
  template void gate_grad<T>(const PlacedPairs&, const CurveTable<T>&, const Gates<T>&,           \
                             const Cuda&, const double*, const T*, T*);                           \
  template void gate_tangent_grad<T>(const PlacedPairs&, const CurveTable<T>&, const Gates<T>&,   \
                                     const Cuda&, const double*, const GatedDirection&, const T*, \
                                     T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
