// See triples.h. Threaded over centres, which share neither pairs nor triples, so that bits do not
// depend on threads.
#include "core/geometry/triples.h"

#include <algorithm>
#include <limits>
#include <string>

#include "core/base/error.h"
#include "core/base/scratch.h"
#include "core/geometry/triple.h"

namespace deeptf {
namespace {

constexpr int64_t kRow = kTripleRow;

// Calls body(block, s, t) for the blocks of two different neighbours.
template <class Body>
void over_blocks(int64_t types, const Body& body) {
  int64_t block = 0;
  for (int64_t s = 0; s < types; ++s) {
    for (int64_t t = s; t < types; ++t) body(block++, s, t);
  }
}

// Where the pairs of each (centre, type) and the triples of each (centre, block) begin.
class Layout {
 public:
  explicit Layout(const NeighborRuns& runs)
      : runs_(runs),
        pair_(runs.num_atoms * runs.num_types),
        triple_(runs.num_atoms * runs.num_blocks()) {
    const int64_t types = runs.num_types, blocks = runs.num_blocks();
    int64_t pair = 0, triple = 0;
    for (int64_t t = 0; t < types; ++t) {
      for (int64_t atom = 0; atom < runs.num_atoms; ++atom) {
        pair_[atom * types + t] = pair;
        pair += count(atom, t);
      }
    }
    over_blocks(types, [&](int64_t block, int64_t s, int64_t t) {
      for (int64_t atom = 0; atom < runs.num_atoms; ++atom) {
        triple_[atom * blocks + block] = triple;
        triple += triples_in_block(count(atom, s), count(atom, t), s == t);
      }
    });
    for (int64_t t = 0; t < types; ++t) {
      for (int64_t atom = 0; atom < runs.num_atoms; ++atom) {
        triple_[atom * blocks + blocks - types + t] = triple;
        triple += count(atom, t);
      }
    }
  }

  int64_t count(int64_t atom, int64_t t) const {
    return runs_.neighbor_count[atom * runs_.num_types + t];
  }

  // Calls body(j, k, triple) for the triples of a centre with j != k, alone(j, triple) for the
  // others.
  template <class Body, class Alone>
  void over_triples(int64_t atom, const Body& body, const Alone& alone) const {
    const int64_t types = runs_.num_types, blocks = runs_.num_blocks();
    const int64_t *pair = &pair_[atom * types], *triple = &triple_[atom * blocks];
    over_blocks(types, [&](int64_t block, int64_t s, int64_t t) {
      int64_t at = triple[block];
      const int64_t end = pair[s] + count(atom, s), last = pair[t] + count(atom, t);
      for (int64_t j = pair[s]; j < end; ++j) {
        for (int64_t k = s == t ? j + 1 : pair[t]; k < last; ++k) body(j, k, at++);
      }
    });
    for (int64_t t = 0; t < types; ++t) {
      for (int64_t k = 0; k < count(atom, t); ++k) {
        alone(pair[t] + k, triple[blocks - types + t] + k);
      }
    }
  }

  // Calls body(atom) for all centres.
  template <class Body>
  void over_atoms(const Context& context, const Body& body) const {
    const int64_t each = runs_.num_pairs / std::max<int64_t>(1, runs_.num_atoms) + 1;
    context.parallel(runs_.num_atoms, each * each * 4, [&](int64_t begin, int64_t end) {
      for (int64_t atom = begin; atom < end; ++atom) body(atom);
    });
  }

 private:
  const NeighborRuns& runs_;
  Scratch<int64_t> pair_, triple_;
};

void add(double factor, const double* from, double* to) {
  for (int64_t w = 1; w < kRow; ++w) to[w] += factor * from[w];
}

}  // namespace

int64_t count_triples(const NeighborRuns& runs, int32_t* triple_count) {
  const int64_t types = runs.num_types, blocks = runs.num_blocks();
  int64_t pairs = 0, triples = 0;
  for (int64_t atom = 0; atom < runs.num_atoms; ++atom, triple_count += blocks) {
    const int32_t* count = runs.neighbor_count + atom * types;
    if (std::any_of(count, count + types, [](int32_t number) { return number < 0; })) {
      throw Error("`neighbor_count` must not be negative");
    }
    over_blocks(types, [&](int64_t block, int64_t s, int64_t t) {
      const int64_t number = triples_in_block(count[s], count[t], s == t);
      triple_count[block] = static_cast<int32_t>(number);  // below 2^31, or their sum is not
      triples += number;
    });
    for (int64_t t = 0; t < types; ++t) {
      triple_count[blocks - types + t] = count[t];
      triples += count[t];
      pairs += count[t];
    }
  }
  if (pairs != runs.num_pairs) {
    throw Error("`neighbor_count` must add up to the " + std::to_string(runs.num_pairs) +
                " pairs, got " + std::to_string(pairs));
  }
  if (triples > std::numeric_limits<int32_t>::max()) {
    throw Error("triples of atoms must be below 2^31, got " + std::to_string(triples) +
                ": give fewer atoms at a time");
  }
  return triples;
}

void triple_products(const NeighborRuns& runs, const Context& context, const double* a,
                     const double* b, double* products) {
  const Layout layout(runs);
  layout.over_atoms(context, [&](int64_t atom) {
    layout.over_triples(
        atom,
        [&](int64_t j, int64_t k, int64_t triple) {
          products[triple] = triple_product(a, b, j, k);
        },
        [&](int64_t j, int64_t triple) { products[triple] = triple_product(a, b, j, j); });
  });
}

void triple_sums(const NeighborRuns& runs, const Context& context, const double* b,
                 const double* upper, double* sums) {
  const Layout layout(runs);
  std::fill_n(sums, runs.num_pairs * kRow, 0.0);
  layout.over_atoms(context, [&](int64_t atom) {
    layout.over_triples(
        atom,
        [&](int64_t j, int64_t k, int64_t triple) {
          const double half = upper[triple] / 2;
          add(half, b + k * kRow, sums + j * kRow);
          add(half, b + j * kRow, sums + k * kRow);
        },
        [&](int64_t j, int64_t triple) { add(upper[triple], b + j * kRow, sums + j * kRow); });
  });
}

}  // namespace deeptf
