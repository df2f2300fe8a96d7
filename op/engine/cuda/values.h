// The values of a step on a device; all lie in the memory of the step.
#pragma once

#include <vector>

#include "core/cuda/device.h"
#include "engine/cuda/runtime.h"
#include "engine/plan/value_store.h"

namespace deeptf::device {

// The type of the centre of a pair; -1 for what may lie behind the last one.
struct CentreTypes {
  int64_t num_all, num_types;
  const int32_t *centre, *atom_type;

  DEEPTF_HD int32_t operator()(int64_t pair) const {
    const int32_t atom = centre[pair];
    if (atom < 0 || atom >= num_all) return -1;
    const int32_t type = atom_type[atom];
    return type < num_types ? type : -1;
  }
};

// An atom that a stage cannot take, with its pairs, and why, as one number. Of many the largest
// counts: that of the first atom, of the last stage.
struct Refusal {
  int64_t stage;   // of a plan
  int32_t atom;    // of all that a door has given
  int64_t reason;  // of a stage, below 2^16

  DEEPTF_HD unsigned long long packed() const {
    const int64_t from_end = INT32_MAX - int64_t{atom};
    return static_cast<unsigned long long>((stage << 31 | from_end) << 16 | reason) + 1;
  }
  static Refusal unpacked(unsigned long long number) {
    const auto all = static_cast<int64_t>(number - 1);
    return {all >> 47, static_cast<int32_t>(INT32_MAX - (all >> 16 & INT32_MAX)), all & 0xffff};
  }
};

// Atoms sorted by type and their pairs, as stages take them; what is not said to be on the host is
// on the device.
struct Block {
  const Cuda& cuda;  // whose memory is that of `arena`
  Arena* arena;
  int64_t num_atoms;  // n
  int64_t num_all;    // ghosts included
  int64_t num_frames;
  int64_t num_pairs;  // p; behind the last pair of the last atom may lie anything
  int64_t num_types;
  const int32_t* count;           // [T] atoms of each type, on the host
  const int32_t* atom;            // [n]
  const int32_t* atom_type;       // [num_all]
  const int32_t* frame_row;       // [F + 1]
  const double* fparam;           // [F, num_fparam]
  const double* aparam;           // [atoms, num_aparam]
  const int32_t* atom_count;      // [T]
  const int32_t* neighbor_count;  // [n, T]
  const int32_t* first;           // [T, n] first pair of each neighbour type and atom
  const int32_t* type;            // [n]
  const int32_t* centre;          // [p] atom
  const double* displacement;     // [p, 3]
  int64_t* outside_count;         // [T, T] centre type first; the most so far
  double* outside_distance;       // [T, T] A; the least one so far
  int64_t most_triples;           // room for triples
  int64_t* num_triples;           // how many there are; the most so far
  unsigned long long* refused;    // the largest Refusal so far; 0: none

  CentreTypes centre_types() const { return {num_all, num_types, centre, atom_type}; }
};

template <class T>
struct Fill {
  T value;
  T* to;

  DEEPTF_HD void operator()(int64_t k) const { to[k] = value; }
};

// to[k] = factor from[k], or added to what is there.
template <class From, class To, bool kAdd>
struct Copy {
  const From* from;
  To* to;
  To factor = 1;

  DEEPTF_HD void operator()(int64_t k) const {
    const To value = factor * static_cast<To>(from[k]);
    to[k] = kAdd ? to[k] + value : value;
  }
};

class Values : public ValueStore<Values, Block> {
 public:
  Values(const std::vector<ValueType>& types, const Block& block)
      : ValueStore(types, block), cuda_(block.cuda) {}

  // Memory until the end of the step.
  template <class T>
  T* keep(int64_t count) const {
    return cuda_.scratch<T>(count);
  }

  template <class T>
  void fill(T value, int64_t count, T* to) const {
    for_each(cuda_, count, Fill<T>{value, to});
  }
  template <class From, class To>
  void copy(const From* from, int64_t count, To* to) const {
    for_each(cuda_, count, Copy<From, To, false>{from, to});
  }
  template <class From, class To>
  void add(const From* from, int64_t count, To* to) const {
    for_each(cuda_, count, Copy<From, To, true>{from, to});
  }

 private:
  const Cuda& cuda_;
};

}  // namespace deeptf::device
