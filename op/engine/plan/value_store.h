// The values of an evaluation on one block of atoms, and the gradients of the energy in them, for
// any device: Own is the class with their memory, and with what a device does to many numbers,
//
//   keep<T>(count)          memory until the end of the block
//   fill(value, count, to)
//   copy(from, count, to)   and add(from, count, to), of any precision
//
// A value has the precision of the stage that gives it; who takes it in another one gets a copy.
#pragma once

#include <cstdint>
#include <deque>
#include <type_traits>
#include <vector>

namespace deeptf {

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

template <class Own, class Block>
class ValueStore {
 public:
  ValueStore(const std::vector<ValueType>& types, const Block& block)
      : types_(types), block_(block), entries_(types.size()) {
    entries_[kPairs].value = const_cast<double*>(block.displacement);  // is only read
  }
  ValueStore(const ValueStore&) = delete;
  ValueStore& operator=(const ValueStore&) = delete;

  // The atoms with one of the sets of pairs.
  const Block& block(int set) const { return set == 0 ? block_ : some_[set - 1]; }
  // The next set, to be filled; it begins as a copy of another one.
  Block& add_block(const Block& from) { return some_.emplace_back(from); }

  // Where a stage writes what it gives.
  template <class T>
  T* give(int value) {
    T* to = own().template keep<T>(count(value));
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
      with_type(value, [&](auto zero) {
        auto* to = own().template keep<decltype(zero)>(count(value));
        own().fill(zero, count(value), to);
        entry.gradient = to;
      });
    }
    return as<T>(value, entry.gradient);
  }

  // Lets write(T*) write the gradient in a value that a stage has taken; it is added to what others
  // have found.
  template <class T, class Write>
  void add_gradient(int value, const Write& write) {
    T* found = own().template keep<T>(count(value));
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
      using To = decltype(zero);
      if (entry.gradient != nullptr) {
        own().add(found, count(value), static_cast<To*>(entry.gradient));
      } else {
        entry.gradient = converted<To>(found, count(value));
      }
    });
  }

  // Sets the gradient in the property of the atoms, which is `weight`; null: 1.
  void begin_backward(int property, const double* weight) {
    const int64_t size = count(property);
    double* to = own().template keep<double>(size);
    if (weight != nullptr) {
      own().copy(weight, size, to);
    } else {
      own().fill(1.0, size, to);
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

  Own& own() { return static_cast<Own&>(*this); }

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
  To* converted(const From* from, int64_t count) {
    To* to = own().template keep<To>(count);
    own().copy(from, count, to);
    return to;
  }

  template <class T>
  const T* as(int value, const void* from) {
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

}  // namespace deeptf
