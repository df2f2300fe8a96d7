// Arrays of numbers that begin at a cache line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace deeptf {

template <class T>
struct AtCacheLines {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{64};

  AtCacheLines() = default;
  template <class Other>
  AtCacheLines(const AtCacheLines<Other>&) {}
  T* allocate(size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), kAlignment));
  }
  void deallocate(T* data, size_t) { ::operator delete(data, kAlignment); }
  template <class Other>
  bool operator==(const AtCacheLines<Other>&) const {
    return true;
  }
  template <class Other>
  bool operator!=(const AtCacheLines<Other>&) const {
    return false;
  }
};

template <class T>
using AlignedVector = std::vector<T, AtCacheLines<T>>;

template <class T>
struct Aligned {
  std::vector<int64_t> shape;
  AlignedVector<T> numbers;

  const T* data() const { return numbers.data(); }
  T* data() { return numbers.data(); }
  int64_t size() const { return static_cast<int64_t>(numbers.size()); }
  const T& operator[](int64_t place) const { return numbers[place]; }
};

}  // namespace deeptf
