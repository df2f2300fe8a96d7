// The values of a step on a device, and the gradients of the energy in them: what
// engine/plan/values.h is on the CPU. All lie in the memory of the step.
#pragma once

#include <deque>
#include <type_traits>
#include <vector>

#include "core/cuda/device.h"
#include "engine/cuda/runtime.h"
#include "engine/plan/values.h"

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

class Values {
 public:
  Values(const std::vector<ValueType>& types, const Block& block)
      : types_(types), block_(block), entries_(types.size()) {
    entries_[kPairs].value = const_cast<double*>(block.displacement);  // is only read
  }
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;

  // The atoms with one of the sets of pairs.
  const Block& block(int set) const { return set == 0 ? block_ : some_[set - 1]; }
  // The next set, to be filled; it begins as a copy of another one.
  Block& add_block(const Block& from) { return some_.emplace_back(from); }

  template <class T>
  T* keep(int64_t count) const {
    return block_.cuda.scratch<T>(count);
  }

  // Where a stage writes what it gives.
  template <class T>
  T* give(int value) {
    T* to = keep<T>(count(value));
    entries_[value].value = to;
    return to;
  }

  // What a stage takes.
  template <class T>
  const T* take(int value) const {
    return as<T>(value, entries_[value].value);
  }

  // The gradient in a value that a stage has given; zero where nobody took it.
  template <class T>
  const T* gradient(int value) {
    Entry& entry = entries_[value];
    if (entry.gradient == nullptr) {
      with_type(value, [&](auto zero) {
        auto* to = keep<decltype(zero)>(count(value));
        set_zero(block_.cuda, to, count(value));
        entry.gradient = to;
      });
    }
    return as<T>(value, entry.gradient);
  }

  // Lets write(T*) write the gradient in a value that a stage has taken; it is added to what others
  // have found.
  template <class T, class Write>
  void add_gradient(int value, const Write& write) {
    T* found = keep<T>(count(value));
    write(found);
    give_gradient(value, found);
  }

  // The same for a gradient that lies in the memory of the step already.
  template <class T>
  void give_gradient(int value, T* found) {
    Entry& entry = entries_[value];
    if (entry.gradient == nullptr && types_[value].precision == kPrecision<T>) {
      entry.gradient = found;
      return;
    }
    with_type(value, [&](auto zero) {
      using To = decltype(zero);
      if (entry.gradient != nullptr) {
        auto* to = static_cast<To*>(entry.gradient);
        for_each(block_.cuda, count(value), Copy<T, To, true>{found, to});
      } else {
        entry.gradient = converted<To>(found, count(value));
      }
    });
  }

  // Sets the gradient in the energies of the atoms: the sum of them is the energy.
  void begin_backward(int atom_energy) {
    double* one = keep<double>(block_.num_atoms);
    for_each(block_.cuda, block_.num_atoms, Fill<double>{1, one});
    entries_[atom_energy].gradient = one;
    unit_ = atom_energy;
  }
  // Whether it is that, and no stage has changed it.
  bool has_unit_gradient(int value) const { return value == unit_; }

 private:
  struct Entry {
    void *value = nullptr, *gradient = nullptr;
  };

  int64_t count(int value) const {
    const ValueType& type = types_[value];
    return type.width * (type.of_pairs ? block(type.set).num_pairs : block_.num_atoms);
  }

  template <class Body>
  void with_type(int value, const Body& body) const {
    if (types_[value].precision == Precision::float32) {
      body(float(0));
    } else {
      body(double(0));
    }
  }

  template <class To, class From>
  To* converted(const From* from, int64_t count) const {
    To* to = keep<To>(count);
    for_each(block_.cuda, count, Copy<From, To, false>{from, to});
    return to;
  }

  template <class T>
  const T* as(int value, const void* from) const {
    if (types_[value].precision == kPrecision<T>) return static_cast<const T*>(from);
    using Other = std::conditional_t<std::is_same_v<T, float>, double, float>;
    return converted<T>(static_cast<const Other*>(from), count(value));
  }

  const std::vector<ValueType>& types_;
  const Block& block_;
  std::deque<Block> some_;  // stages hold references to them
  std::vector<Entry> entries_;
  int unit_ = -1;
};

}  // namespace deeptf::device
