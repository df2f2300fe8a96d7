// The values of an evaluation on the CPU.
//
// All lie in the memory of the thread that evaluates, a stack, until the end of the block: nobody
// may hold a Scratch of his own while he asks for a value or a gradient.
#pragma once

#include <algorithm>
#include <vector>

#include "core/base/context.h"
#include "core/base/scratch.h"
#include "engine/plan/value_store.h"

namespace deeptf {

// What the first stages take: real atoms sorted by type, and their pairs in the order of
// pair_order.h.
struct AtomBlock {
  const Context& context;
  int64_t num_atoms;  // n
  int64_t num_pairs;  // p
  int64_t num_types;
  const int32_t* atom_count;      // [T]
  const int32_t* type;            // [n]
  const int32_t* atom;            // [n] which of the atoms that a caller gives
  const int32_t* neighbor_count;  // [n, T]
  const int32_t* first;           // [n, T] first pair of each atom and neighbour type
  const int32_t* centre;          // [p] from 0 to n - 1
  const double* displacement;     // [p, 3]
  const double* fparam;           // [n, num_fparam] of the frame of each atom
  const double* aparam;           // [n, num_aparam]
  int64_t* outside_count;         // [T, T] centre type first; the most so far
  double* outside_distance;       // [T, T] A; the least one so far
  const int32_t* pair = nullptr;  // [p] which of the pairs that a caller gives, or all of them

  int64_t pair_of_caller(int64_t k) const { return pair == nullptr ? k : pair[k]; }
};

class Values : public ValueStore<Values, AtomBlock> {
 public:
  using ValueStore::ValueStore;
  ~Values() {
    while (!pieces_.empty()) pieces_.pop_back();  // what was taken last goes first
  }

  // Memory until the end of the block.
  template <class T>
  T* keep(int64_t count) {
    pieces_.emplace_back(count * static_cast<int64_t>(sizeof(T)));
    return reinterpret_cast<T*>(pieces_.back().data());
  }

  template <class T>
  void fill(T value, int64_t count, T* to) const {
    std::fill_n(to, count, value);
  }
  template <class From, class To>
  void copy(const From* from, int64_t count, To* to) const {
    for (int64_t k = 0; k < count; ++k) to[k] = static_cast<To>(from[k]);
  }
  template <class From, class To>
  void add(const From* from, int64_t count, To* to) const {
    for (int64_t k = 0; k < count; ++k) to[k] += static_cast<To>(from[k]);
  }

 private:
  std::vector<Scratch<char>> pieces_;
};

}  // namespace deeptf
