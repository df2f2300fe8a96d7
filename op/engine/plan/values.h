// The values of an evaluation on one block of atoms, and the gradients of the energy in them.
//
// All lie in the memory of the thread that evaluates, a stack, until the end of the block: nobody
// may hold a Scratch of his own while he asks for a value or a gradient. A value has the precision
// of the stage that gives it; who takes it in another one gets a copy.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <type_traits>
#include <vector>

#include "core/base/context.h"
#include "core/base/scratch.h"

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
  const int32_t* centre;          // [p] from 0 to n - 1
  const double* displacement;     // [p, 3]
  const double* fparam;           // [n, num_fparam] of the frame of each atom
  const double* aparam;           // [n, num_aparam]
  int64_t* outside_count;         // [T, T] centre type first; the most so far
  double* outside_distance;       // [T, T] A; the least one so far
};

enum class Precision { float32, float64 };

template <class T>
constexpr Precision kPrecision = std::is_same_v<T, float> ? Precision::float32 : Precision::float64;

struct ValueType {
  int64_t width;  // numbers of each atom or pair
  bool of_pairs;
  Precision precision;
  int set = 0;  // of pairs: 0 are all, others some of them
};

constexpr int kPairs = 0;  // the value that is there at the start: displacements

class Values {
 public:
  Values(const std::vector<ValueType>& types, const AtomBlock& block)
      : types_(types), block_(block), entries_(types.size()) {
    entries_[kPairs].value = const_cast<double*>(block.displacement);  // is only read
  }
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;
  ~Values() {
    while (!pieces_.empty()) pieces_.pop_back();  // what was taken last goes first
  }

  // The atoms with one of the sets of pairs.
  const AtomBlock& block(int set) const { return set == 0 ? block_ : some_[set - 1]; }
  // The next set, to be filled; it begins as a copy of another one.
  AtomBlock& add_block(const AtomBlock& from) { return some_.emplace_back(from); }

  // Memory until the end of the block.
  template <class T>
  T* keep(int64_t count) {
    pieces_.emplace_back(count * static_cast<int64_t>(sizeof(T)));
    return reinterpret_cast<T*>(pieces_.back().data());
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
  const T* take(int value) {
    return as<T>(value, entries_[value].value);
  }

  // The gradient in a value that a stage has given; zero where nobody took it.
  template <class T>
  const T* gradient(int value) {
    Entry& entry = entries_[value];
    if (entry.gradient == nullptr) {
      with_type(value, [&](auto zero) { clear(value, zero); });
    }
    return as<T>(value, entry.gradient);
  }

  // Lets write(T*) write the gradient in a value that a stage has taken; it is added to what others
  // have found.
  template <class T, class Write>
  void add_gradient(int value, const Write& write) {
    Entry& entry = entries_[value];
    if (entry.gradient == nullptr && types_[value].precision == kPrecision<T>) {
      T* to = keep<T>(count(value));
      write(to);
      entry.gradient = to;
      return;
    }
    T* found = keep<T>(count(value));
    write(found);
    give_gradient(value, found);
  }

  // The same for a gradient that lies in memory from keep() already.
  template <class T>
  void give_gradient(int value, T* found) {
    Entry& entry = entries_[value];
    if (entry.gradient == nullptr && types_[value].precision == kPrecision<T>) {
      entry.gradient = found;
      return;
    }
    with_type(value, [&](auto zero) {
      if (entry.gradient == nullptr) clear(value, zero);
      auto* to = static_cast<decltype(zero)*>(entry.gradient);
      for (int64_t k = 0; k < count(value); ++k) to[k] += static_cast<decltype(zero)>(found[k]);
    });
  }

  // Sets the gradient in the property of the atoms, which is `weight`; null: 1.
  void begin_backward(int property, const double* weight) {
    const int64_t size = count(property);
    double* to = keep<double>(size);
    if (weight != nullptr) {
      std::copy_n(weight, size, to);
    } else {
      std::fill_n(to, size, 1.0);
      unit_ = property;
    }
    entries_[property].gradient = to;
  }
  // Whether it is 1 everywhere, and no stage has changed it.
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

  template <class S>
  void clear(int value, S zero) {
    S* to = keep<S>(count(value));
    std::fill_n(to, count(value), zero);
    entries_[value].gradient = to;
  }

  template <class T>
  const T* as(int value, const void* from) {
    if (types_[value].precision == kPrecision<T>) return static_cast<const T*>(from);
    using Other = std::conditional_t<std::is_same_v<T, float>, double, float>;
    const Other* given = static_cast<const Other*>(from);
    T* to = keep<T>(count(value));
    for (int64_t k = 0; k < count(value); ++k) to[k] = static_cast<T>(given[k]);
    return to;
  }

  const std::vector<ValueType>& types_;
  const AtomBlock& block_;
  std::deque<AtomBlock> some_;  // stages hold references to them
  std::vector<Entry> entries_;
  std::vector<Scratch<char>> pieces_;
  int unit_ = -1;
};

}  // namespace deeptf
